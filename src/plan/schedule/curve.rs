//! A value that moves in straight lines from target to target over time, its integral, and the inverse of
//! that.
//!
//! Exact: times are nanoseconds and values trillionths, so that twice the integral is a whole number of
//! [`ONE`]ths at each border. The limits of [`Curve`] (`HIGHEST`, `LONGEST` of the flag) keep every product
//! below 2^127.

use std::time::Duration;

use crate::value::stages::{HIGHEST, Stages};
use crate::vocabulary::Phase;

/// One user, or one arrival per second, in the unit of values.
pub(super) const TRILLION: u128 = 1_000_000_000_000;

/// One user during one second, in trillionths times nanoseconds: k / rate is k times this, divided by the
/// rate.
pub(super) const ONE_AT_ONE: u128 = TRILLION * 1_000_000_000;

/// One arrival in the unit of amounts, which is twice the product of the units of value and time, so that the
/// mean of a slope's two ends is a whole number.
pub(super) const ONE: u128 = 2 * ONE_AT_ONE;

/// Centuries: a time this far away is effectively never, and sums with it do not overflow.
const NEVER: u64 = 10_000_000_000 * 1_000_000_000;

/// The value in trillionths: exactly the decimal number that was typed. A value above 0 becomes at least 1.
pub(super) fn trillionths(value: f64) -> u128 {
    // The shortest decimal that parses to this float is what was typed, up to 15 digits.
    let text = value.clamp(0.0, HIGHEST).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let rounded_down = format!("{whole}{fraction:0<12.12}").parse().unwrap_or(0);
    if value > 0.0 { rounded_down.max(1) } else { rounded_down }
}

/// The time, limited to [`NEVER`].
pub(super) fn nanoseconds(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(NEVER).min(NEVER))
}

/// The whole part; 0 if it is not a number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates at the ends of the range"
)]
pub(super) const fn whole(value: f64) -> u128 {
    value as u128
}

/// A straight segment of a curve.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Start in nanoseconds.
    pub(super) start: u128,
    /// Length in nanoseconds; above 0.
    pub(super) length: u128,
    /// Value at the start.
    pub(super) from: u128,
    /// Value at the end.
    pub(super) to: u128,
    /// Integral of all segments before it.
    before: u128,
}

impl Segment {
    /// End in nanoseconds.
    pub(super) const fn end(&self) -> u128 {
        self.start + self.length
    }

    /// Integral of the curve at its end.
    const fn until(&self) -> u128 {
        self.before + (self.from + self.to) * self.length
    }

    /// Integral over its first `time` nanoseconds, rounded up, so that it is at most a whole number exactly
    /// where the exact one is.
    const fn amount(&self, time: u128) -> u128 {
        let level = 2 * self.from * time;
        // climb * time^2 / length; the division comes first, because the full product has 180 bits.
        let slope = self.from.abs_diff(self.to) * time;
        let (quotient, rest) = (slope / self.length, slope % self.length);
        if self.from <= self.to {
            level + quotient * time + (rest * time).div_ceil(self.length)
        } else {
            level - quotient * time - rest * time / self.length
        }
    }

    /// The last nanosecond at which the integral is at most `amount`, which must be below that of the whole
    /// segment.
    fn reached(&self, amount: u128) -> u128 {
        if self.from == self.to {
            return amount / (2 * self.from);
        }
        // The float is accurate to a few nanoseconds; the exact value is searched from there with integers.
        let guess = self.guess(amount).min(self.length - 1);
        let (mut low, mut high, mut step) = (guess, guess + 1, 1);
        while low > 0 && self.amount(low) > amount {
            (high, low, step) = (low, low.saturating_sub(step), step * 2);
        }
        step = 1;
        while high < self.length && self.amount(high) <= amount {
            (low, high, step) = (high, self.length.min(high + step), step * 2);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.amount(middle) <= amount { low = middle } else { high = middle }
        }
        low
    }

    /// t = 2m / (r0 + sqrt(r0^2 + 2sm)) for a rate that starts at r0 with slope s: the root of r0 t + s t^2 /
    /// 2 = m, in a form without cancellation while the rate grows. `amount` is 2m.
    fn guess(&self, amount: u128) -> u128 {
        let (from, to, amount) = (self.from as f64, self.to as f64, amount as f64);
        let slope = (to - from) / self.length as f64;
        whole(amount / (from + (from * from + slope * amount).max(0.0).sqrt()))
    }
}

/// A value that moves in straight lines from target to target, or stays constant without end.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    /// The value before the curve starts.
    initial: u128,
    segments: Vec<Segment>,
    /// The value after the end of the segments.
    last: u128,
    /// Whether that is part of the curve.
    endless: bool,
}

impl Curve {
    /// A constant value without end.
    pub(super) fn constant(value: f64) -> Self {
        let value = trillionths(value);
        Self { initial: value, segments: Vec::new(), last: value, endless: true }
    }

    /// Starts at `initial` and goes through the stages. Of several jumps at the same time only the last
    /// counts.
    pub(super) fn stages(initial: f64, stages: &Stages) -> Self {
        let initial = trillionths(initial);
        let (mut value, mut start, mut before, mut segments) = (initial, 0, 0, Vec::new());
        for stage in stages.as_slice() {
            let (length, to) = (stage.duration.as_nanos(), trillionths(stage.target));
            if length > 0 {
                let segment = Segment { start, length, from: value, to, before };
                (start, before) = (segment.end(), segment.until());
                segments.push(segment);
            }
            value = to;
        }
        Self { initial, segments, last: value, endless: false }
    }

    /// Nothing yet: segments are appended.
    pub(super) const fn without_segments() -> Self {
        Self { initial: 0, segments: Vec::new(), last: 0, endless: false }
    }

    /// Appends a constant value from `start`, which must not be before the end, until `end`; between the end and `start`
    /// it is 0.
    pub(super) fn append_constant(&mut self, start: Duration, end: Duration, value: f64) {
        for (until, value) in [(start, 0), (end, trillionths(value))] {
            let (start, before) = self.segments.last().map_or((0, 0), |last| (last.end(), last.until()));
            let length = until.as_nanos().saturating_sub(start);
            if length > 0 {
                self.segments.push(Segment { start, length, from: value, to: value, before });
            }
        }
    }

    /// The segments in order; each starts where the previous one ends, possibly with a different value.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The value after the end of the last segment.
    pub(super) const fn last(&self) -> u128 {
        self.last
    }

    /// The end; `None` if it has none.
    pub(super) fn end(&self) -> Option<Duration> {
        (!self.endless).then(|| nanoseconds(self.segments.last().map_or(0, Segment::end)))
    }

    /// The value at a time; at a jump the value after it, after the end the last value.
    pub(super) fn value(&self, at: Duration) -> f64 {
        let at = at.as_nanos();
        let trillionths = match self.segments.iter().find(|segment| at < segment.end()) {
            Some(Segment { start, length, from, to, .. }) => {
                let way = (at - start) as f64 / *length as f64;
                *from as f64 + (*to as f64 - *from as f64) * way
            }
            None => self.last as f64,
        };
        trillionths / TRILLION as f64
    }

    /// The integral until a time in units of [`ONE`], rounded up; after the end, the total.
    pub(super) fn amount(&self, at: Duration) -> u128 {
        let at = at.as_nanos();
        match self.segments.iter().find(|segment| at < segment.end()) {
            Some(segment) => segment.before + segment.amount(at - segment.start),
            None if self.endless => at.saturating_mul(2 * self.last),
            None => self.segments.last().map_or(0, Segment::until),
        }
    }

    /// The time at which the integral reaches `amount` (in units of [`ONE`]), rounded down to the nanosecond;
    /// `None` if it is not reached before the end.
    ///
    /// Segments are half open: an amount reached at a border belongs to the next segment with a value above
    /// 0. A second at 100/s contains the amounts 0 to 99, and 100 is reached at the start of what follows.
    pub(super) fn reached(&self, amount: u128) -> Option<Duration> {
        let place = self.segments.partition_point(|segment| segment.until() <= amount);
        match self.segments.get(place) {
            Some(segment) => Some(nanoseconds(segment.start + segment.reached(amount - segment.before))),
            None if self.endless => Some(nanoseconds(amount.checked_div(2 * self.last).unwrap_or(u128::MAX))),
            None => None,
        }
    }

    /// The direction of the value during most of `[from, until)`; in a tie the first of ramp, down, steady.
    /// For an empty interval, the direction at `from`, where a jump counts as growing or falling. Steady
    /// after the end.
    pub(super) fn phase(&self, from: Duration, until: Duration) -> Phase {
        let (from, until) = (from.as_nanos(), until.as_nanos());
        if until <= from {
            return self.phase_at(from);
        }
        // A jump takes no time, so it never determines the phase of an interval.
        let (mut ramp, mut down) = (0, 0);
        for segment in &self.segments {
            let time = until.min(segment.end()).saturating_sub(from.max(segment.start));
            match direction(segment.from, segment.to) {
                Phase::Ramp => ramp += time,
                Phase::Down => down += time,
                Phase::Steady | Phase::Warmup | Phase::Drain => {}
            }
        }
        longest(ramp, down, until - from - ramp - down)
    }

    fn phase_at(&self, at: u128) -> Phase {
        let (mut phase, mut value, mut border) = (Phase::Steady, self.initial, 0);
        for segment in &self.segments {
            if at == segment.start {
                phase = phase.min(direction(value, segment.from));
            }
            if (segment.start..segment.end()).contains(&at) {
                phase = phase.min(direction(segment.from, segment.to));
            }
            (value, border) = (segment.to, segment.end());
        }
        if at == border { phase.min(direction(value, self.last)) } else { phase }
    }

    /// Start of the first segment with a constant value; `None` if there is none.
    pub(super) fn plateau(&self) -> Option<Duration> {
        let flat = self.segments.iter().find(|segment| segment.from == segment.to);
        if self.endless { Some(Duration::ZERO) } else { flat.map(|segment| nanoseconds(segment.start)) }
    }
}

/// The phase that lasted longest; in a tie the first of ramp, down, steady.
pub(super) const fn longest(ramp: u128, down: u128, steady: u128) -> Phase {
    if ramp >= down && ramp >= steady {
        Phase::Ramp
    } else if down >= steady {
        Phase::Down
    } else {
        Phase::Steady
    }
}

fn direction(from: u128, to: u128) -> Phase {
    match from.cmp(&to) {
        std::cmp::Ordering::Less => Phase::Ramp,
        std::cmp::Ordering::Equal => Phase::Steady,
        std::cmp::Ordering::Greater => Phase::Down,
    }
}

#[cfg(test)]
mod tests;
