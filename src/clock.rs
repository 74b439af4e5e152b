//! The time of a run: a monotonic clock with one anchor on the wall clock.
//!
//! Everything is measured in [`Moment`]s, nanoseconds since the start of the run. The wall clock is read
//! once; the wall-clock time of a moment is that anchor plus monotonic time, so it never goes backwards, even
//! if the system clock does.

pub mod civil;

use std::num::NonZeroU64;
use std::ops::AddAssign;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use civil::CivilDate;

/// A point in time of a run: nanoseconds since its start, up to 584 years.
///
/// Stored plus one, so that an `Option<Moment>` takes no extra memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(NonZeroU64);

impl Default for Moment {
    fn default() -> Self {
        Self::START
    }
}

impl Moment {
    /// The start of the run.
    pub const START: Self = Self(NonZeroU64::MIN);

    /// The moment `since_start` after the start; saturates after 584 years.
    #[must_use]
    pub fn at(since_start: Duration) -> Self {
        Self::START.after(since_start)
    }

    /// The moment `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(nanos))
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0.get() - 1
    }

    /// Time since the start.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.nanos())
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// The moment `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// A sum of times in nanoseconds, up to 78 hours, in 6 bytes where a [`Duration`] takes 16: each outcome has three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elapsed([u16; 3]);

impl Elapsed {
    /// The longest: 48 bits.
    const MAX_NANOS: u64 = (1 << 48) - 1;

    /// The sum as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        let [low, middle, high] = self.0;
        Duration::from_nanos(low as u64 | (middle as u64) << 16 | (high as u64) << 32)
    }
}

impl AddAssign<Duration> for Elapsed {
    #[allow(clippy::cast_possible_truncation, reason = "each takes its 16 of the 48 bits")]
    fn add_assign(&mut self, more: Duration) {
        let sum = nanos(self.duration()).saturating_add(nanos(more)).min(Self::MAX_NANOS);
        self.0 = [sum as u16, (sum >> 16) as u16, (sum >> 32) as u16];
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The clock of a run: monotonic, with one anchor on the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_unix: Duration,
}

impl Clock {
    /// Creates a clock that starts now.
    #[must_use]
    pub fn start_now() -> Self {
        Self { start: Instant::now(), start_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }

    /// Creates a clock that starts at a future wall-clock time, given since the Unix epoch.
    ///
    /// # Errors
    /// How long ago that time was.
    pub fn start_at(unix: Duration) -> Result<Self, Duration> {
        let now = Self::start_now();
        let left = unix.checked_sub(now.start_unix).ok_or_else(|| now.start_unix.saturating_sub(unix))?;
        Ok(Self { start: now.start + left, start_unix: unix })
    }

    /// Creates a clock that starts at the next multiple of `step` on the wall clock, counted from the Unix
    /// epoch in UTC.
    #[must_use]
    pub fn start_aligned(step: Duration) -> Self {
        let now = Self::start_now();
        let step = step.as_nanos().max(1);
        let left = step - now.start_unix.as_nanos() % step;
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX));
        Self { start: now.start + left, start_unix: now.start_unix + left }
    }

    /// Creates a clock that converts moments after `unix` to wall-clock time and is not used for the current
    /// time.
    #[must_use]
    pub fn anchored_at(unix: Duration) -> Self {
        Self { start: Instant::now(), start_unix: unix }
    }

    /// The current moment; before the start, the start.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::at(self.start.elapsed())
    }

    /// The moment of a monotonic instant; before the start, the start.
    #[must_use]
    pub fn moment(&self, instant: Instant) -> Moment {
        Moment::at(instant.saturating_duration_since(self.start))
    }

    /// The monotonic instant of a moment, for waiting until it.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + moment.since_start()
    }

    /// The wall-clock time of a moment, since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(&self, moment: Moment) -> Duration {
        self.start_unix + moment.since_start()
    }
}

/// Formats a time since the Unix epoch as RFC 3339 in UTC with milliseconds, `2026-11-22T21:00:23.271Z`.
#[must_use]
pub fn rfc3339(unix: Duration) -> String {
    let seconds = unix.as_secs();
    let CivilDate { year, month, day } = CivilDate::of_day(i64::try_from(seconds / 86_400).unwrap_or(i64::MAX));
    let of_day = seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        unix.subsec_millis()
    )
}

/// Parses an RFC 3339 time with any fraction and offset into the time since the Unix epoch; `None` for
/// anything else and for times before the epoch.
#[must_use]
pub fn unix_time(text: &str) -> Option<Duration> {
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let marks = [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")];
    let is_mark = |(place, marks): (usize, &str)| marks.bytes().any(|mark| text.as_bytes().get(place) == Some(&mark));
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !is_date || !marks.into_iter().all(is_mark) {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let fraction = match rest.get(..zone)? {
        "" => 0.0,
        digits if digits.len() > 1 => format!("0{digits}").parse().ok()?,
        _ => return None,
    };
    let date =
        CivilDate { year: i64::try_from(year).ok()?, month: i64::try_from(month).ok()?, day: i64::try_from(day).ok()? };
    let days = u64::try_from(date.day_number()).ok()?;
    let local = days * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = local.checked_add_signed(-zone_seconds(rest.get(zone..)?)?)?;
    Duration::from_secs(seconds).checked_add(Duration::try_from_secs_f64(fraction).ok()?)
}

/// The number of seconds that a zone (`Z`, `+01:00`) is ahead of UTC.
fn zone_seconds(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|n| text.len() == 2 && (0..60).contains(n));
    Some(sign * (number(hours)? * 3600 + number(minutes)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_times_add_up_to_the_nanosecond_and_stop_at_their_maximum() {
        let mut sum = Elapsed::default();
        for nanos in [1, 65_535, 65_536, 4_294_967_296, 987_654_321_012] {
            let before = sum.duration();
            sum += Duration::from_nanos(nanos);
            assert_eq!(sum.duration(), before + Duration::from_nanos(nanos));
        }
        sum += Duration::from_secs(366 * 86_400);
        assert_eq!(sum.duration(), Duration::from_nanos((1 << 48) - 1));
    }

    #[test]
    fn dates_match_those_of_date_1() {
        // Each from `date -u -d @N +%FT%TZ` (GNU coreutils).
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800, "2024-02-29T00:00:00.000Z"),
            (1_795_381_223, "2026-11-22T21:00:23.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), expected);
            assert_eq!(unix_time(expected), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(rfc3339(Duration::from_millis(1_999)), "1970-01-01T00:00:01.999Z");
    }
}
