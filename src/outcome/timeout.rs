//! What a request was waiting for when its time was over.

use std::fmt;
use std::time::Duration;

/// What a request was waiting for when its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeoutPhase {
    /// The address of a host.
    Dns,
    /// A connection to the server, or through a proxy.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server to take the rest of the request.
    Send,
    /// The first byte of the response.
    FirstByte,
    /// The rest of the response.
    Body,
}

impl TimeoutPhase {
    const ALL: [Self; 6] = [Self::Dns, Self::Connect, Self::Tls, Self::Send, Self::FirstByte, Self::Body];
}

/// What a request was waiting for, and its timeout as configured, to a tenth of a millisecond and up to 14 hours. Packed,
/// as it travels in outcomes: the lowest bits are the phase.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimedOut(u32);

impl TimedOut {
    /// A tenth of a millisecond.
    const UNIT: Duration = Duration::from_micros(100);

    /// Bits of the phase.
    const PHASE_BITS: u32 = 3;

    /// A request that was waiting for this when it was as old as its limit.
    #[must_use]
    pub fn new(phase: TimeoutPhase, limit: Duration) -> Self {
        let units = limit.as_nanos().div_ceil(Self::UNIT.as_nanos());
        let units = u32::try_from(units).unwrap_or(u32::MAX).min(u32::MAX >> Self::PHASE_BITS);
        Self(units << Self::PHASE_BITS | phase as u32)
    }

    /// What it was waiting for.
    #[must_use]
    pub const fn phase(self) -> TimeoutPhase {
        TimeoutPhase::ALL[(self.0 & ((1 << Self::PHASE_BITS) - 1)) as usize]
    }

    /// Its timeout.
    #[must_use]
    pub const fn limit(self) -> Duration {
        Self::UNIT.saturating_mul(self.0 >> Self::PHASE_BITS)
    }

    /// What had not happened, and the limit in seconds, as the settings of a run are written.
    #[must_use]
    pub fn text(self) -> String {
        let seconds = self.limit().as_secs_f64();
        match self.phase() {
            TimeoutPhase::Dns => format!("no address within {seconds}s"),
            TimeoutPhase::Connect => format!("not connected within {seconds}s"),
            TimeoutPhase::Tls => format!("no TLS connection within {seconds}s"),
            TimeoutPhase::Send => format!("request not sent within {seconds}s"),
            TimeoutPhase::FirstByte => format!("no first byte within {seconds}s"),
            TimeoutPhase::Body => format!("body incomplete after {seconds}s"),
        }
    }
}

impl fmt::Debug for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_and_limit_are_kept_and_written_as_settings_are() {
        for (limit, text) in [
            (Duration::from_secs(30), "30s"),
            (Duration::from_millis(500), "0.5s"),
            (Duration::from_micros(1_500), "0.0015s"),
            (Duration::from_micros(1), "0.0001s"),
            (Duration::from_secs(43_200), "43200s"),
            (Duration::MAX, "53687.0911s"),
        ] {
            for phase in TimeoutPhase::ALL {
                let timed_out = TimedOut::new(phase, limit);
                assert_eq!(timed_out.phase(), phase);
                assert!(timed_out.text().ends_with(&format!(" {text}")), "{timed_out:?}");
            }
        }
        let text = |phase| TimedOut::new(phase, Duration::from_secs(5)).text();
        assert_eq!(text(TimeoutPhase::FirstByte), "no first byte within 5s");
        assert_eq!(text(TimeoutPhase::Body), "body incomplete after 5s");
    }
}
