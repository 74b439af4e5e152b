//! Detects standstills of this process: the sampler wakes often, and notices when it slept longer than intended.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::clock::Moment;
use crate::stats::stalls::{SamplerReport, TimeSpan};

/// How often the sampler wakes between two ticks: much more often than the shortest standstill that matters. Reading
/// two clocks ten times a second costs nothing.
pub(super) const BEAT: Duration = Duration::from_millis(100);

/// When the sampler last ran, and what it noticed since the last report.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    last: Option<(Moment, Duration)>,
    overslept: SamplerReport,
}

impl Heartbeat {
    /// Records that the sampler runs at `now`.
    pub(super) fn beat(&mut self, now: Moment) {
        let ahead = boot_ahead();
        if let Some((last, before)) = self.last {
            let gap = TimeSpan { from: last, until: now };
            if gap.length() > self.overslept.gap.map_or(BEAT * 2, |known| known.length()) {
                self.overslept.gap = Some(gap);
            }
            let suspended = ahead.saturating_sub(before);
            if suspended > self.overslept.suspended.map_or(BEAT, |(known, _)| known) {
                self.overslept.suspended = Some((suspended, now));
            }
        }
        self.last = Some((now, ahead));
    }

    /// The sampler was waiting for the aggregator until `now`: that time does not count as overslept.
    pub(super) fn excuse(&mut self, now: Moment) {
        self.last = Some((now, boot_ahead()));
    }

    /// What it noticed since the previous call.
    pub(super) fn take(&mut self) -> SamplerReport {
        std::mem::take(&mut self.overslept)
    }
}

/// By how much the clock that counts suspended time is ahead of the one that does not.
fn boot_ahead() -> Duration {
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    let monotonic = read(ClockId::Monotonic);
    read(ClockId::Boottime).saturating_sub(monotonic)
}
