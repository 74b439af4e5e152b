//! Whether this process runs at all: the sampler wakes often, and notices when it slept for longer than it meant to.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::clock::Moment;
use crate::stats::stalls::{Gap, Overslept};

/// How often the sampler wakes between two ticks: much shorter than a standstill that matters, and ten looks at two
/// clocks a second cost nothing.
pub(super) const BEAT: Duration = Duration::from_millis(100);

/// When the sampler last ran, and what it noticed since it was last asked.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    last: Option<(Moment, Duration)>,
    overslept: Overslept,
}

impl Heartbeat {
    /// The sampler runs at `now`.
    pub(super) fn beat(&mut self, now: Moment) {
        let ahead = boot_ahead();
        if let Some((last, before)) = self.last {
            let gap = Gap { from: last, until: now };
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

    /// The sampler waited for the aggregator until `now`: that time does not count as overslept.
    pub(super) fn excuse(&mut self, now: Moment) {
        self.last = Some((now, boot_ahead()));
    }

    /// What it noticed since the last call.
    pub(super) fn take(&mut self) -> Overslept {
        std::mem::take(&mut self.overslept)
    }
}

/// How far the clock that counts suspended time is ahead of the one that does not.
fn boot_ahead() -> Duration {
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    let monotonic = read(ClockId::Monotonic);
    read(ClockId::Boottime).saturating_sub(monotonic)
}
