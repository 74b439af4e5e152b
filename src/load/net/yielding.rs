//! Whether a thread yields once before it blocks for a response.
//!
//! A thread that blocks is taken off the scheduler's queue, gets a timer for its limit, and must be woken again. Where
//! several users share a busy core, the response is often there when the others have run: then a yield and a receive that
//! does not wait cost less. Where it is not there, both are wasted, so a connection goes on only as long as it succeeds.

/// Receives that block at once after the second miss in a row; each further miss doubles them.
const FIRST_PAUSE: u8 = 2;

/// The most receives that block at once before another attempt. So long that attempts at a slow server are fewer than one
/// request in a hundred: a scheduler lets whoever shares the core go first after a yield, for some milliseconds.
const LONGEST_PAUSE: u8 = 128;

/// What a connection has learnt about yielding before it receives.
///
/// Pauses start short, because attempts help one another: while all users of a core block, the one that yields gets its turn
/// back too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yielding {
    /// It never does.
    Never,
    /// It does before the next receive.
    Tried {
        /// The receives that will block at once if nothing is there: 0 if the last attempt succeeded.
        pause: u8,
    },
    /// It missed too often and blocks at once.
    Paused {
        /// Receives left until the next attempt.
        left: u8,
        /// Their number at first.
        pause: u8,
    },
}

impl Yielding {
    /// Starts with an attempt.
    pub(super) const START: Self = Self::Tried { pause: 0 };

    /// Whether to yield before the next receive, which this call counts.
    pub(super) fn is_due(&mut self) -> bool {
        match self {
            Self::Never => false,
            Self::Tried { .. } => true,
            Self::Paused { left: 0 | 1, pause } => {
                *self = Self::Tried { pause: pause.saturating_mul(2).min(LONGEST_PAUSE) };
                false
            }
            Self::Paused { left, .. } => {
                *left -= 1;
                false
            }
        }
    }

    /// The response was there after a yield.
    pub(super) fn succeeded(&mut self) {
        *self = Self::START;
    }

    /// Nothing was there after a yield.
    pub(super) fn missed(&mut self) {
        *self = match *self {
            Self::Tried { pause: 0 } => Self::Tried { pause: FIRST_PAUSE },
            Self::Tried { pause } => Self::Paused { left: pause, pause },
            other => other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a connection yields in `receives` receives after which nothing is there at once.
    fn yields_without_success(yielding: &mut Yielding, receives: u32) -> u32 {
        let mut yields = 0;
        for _ in 0..receives {
            if yielding.is_due() {
                yields += 1;
                yielding.missed();
            }
        }
        yields
    }

    #[test]
    fn a_connection_whose_responses_are_never_there_at_once_hardly_ever_yields() {
        let mut yielding = Yielding::START;
        assert_eq!(yields_without_success(&mut yielding, 2), 2, "a second attempt after the first");
        let pauses = [2, 4, 8, 16, 32, 64];
        let receives = pauses.iter().map(|pause| pause + 1).sum();
        assert_eq!(yields_without_success(&mut yielding, receives), 6, "then one after ever longer pauses");
        assert_eq!(yields_without_success(&mut yielding, 129_000), 1_000, "then one attempt in 129");
    }

    #[test]
    fn a_connection_yields_again_as_soon_as_an_attempt_has_succeeded() {
        let mut yielding = Yielding::START;
        yields_without_success(&mut yielding, 4);
        assert!(yielding.is_due());
        yielding.succeeded();
        for _ in 0..100 {
            assert!(yielding.is_due(), "single misses between successes do not matter");
            yielding.missed();
            assert!(yielding.is_due());
            yielding.succeeded();
        }
    }

    #[test]
    fn some_connections_never_yield() {
        assert_eq!(yields_without_success(&mut Yielding::Never, 1_000), 0);
    }
}
