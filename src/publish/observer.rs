//! The interface of an observer, and what it may require.

use std::sync::Arc;
use std::time::Duration;

use super::snapshot::Snapshot;
use crate::cli::RunFlags;
use crate::clock::Moment;
use crate::error::Result;
use crate::plan::Plan;
use crate::report::screen::Screen;
use crate::telemetry::ending::RunEnding;

/// A reader of a run that may skip ticks. It is called on a thread of its own, which starts before the first user and may
/// take its time: what comes meanwhile, up to the latest snapshot, is skipped. At the end of the run it is given the
/// final result, and dropped; the run does not wait for it longer than [`LIMIT`](super::threads::LIMIT). A run that could
/// not be carried out has no final result: the observer is only dropped.
pub trait Observer: Send {
    /// Name of its thread, at most 15 bytes.
    fn name(&self) -> &'static str;

    /// What its snapshots must hold, and how often it is to get them; asked once.
    fn wants(&self) -> Wants;

    /// Takes the latest snapshot, at `now`: a new one, or the same again where [`Wants::repeat`] is set.
    fn observe(&mut self, snapshot: &Arc<Snapshot>, now: Moment);

    /// Takes the final result: `last` has every request that was counted, and its statistics are those of the stream's
    /// last lines.
    fn finish(&mut self, last: &Arc<Snapshot>, ending: &RunEnding) {
        let _ = (last, ending);
    }

    /// Whether it draws a line on stderr that it has not ended, which a process that ends at once must end.
    fn leaves_line_open(&self) -> bool {
        false
    }
}

/// The requirements of an observer. The default is totals at every tick; what no observer requires is not computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wants {
    /// Endpoints with statistics of their own.
    pub endpoints: EndpointSelection,
    /// What each check comes to by now.
    pub checks: bool,
    /// Least time between two snapshots.
    pub pause: Duration,
    /// Snapshots between two ticks too, so that there is one at least every half second while requests end.
    pub between_ticks: bool,
    /// After so much time without a new snapshot, the latest is given again.
    pub repeat: Option<Duration>,
}

/// Endpoints with statistics of their own. Percentiles are computed anew at each tick: of 1000 endpoints that takes the
/// aggregator one to two milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointSelection {
    /// None.
    #[default]
    None,
    /// The first so many that were used.
    First(usize),
    /// All.
    All,
}

impl EndpointSelection {
    /// How many there are at most.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::None => 0,
            Self::First(most) => most,
            Self::All => usize::MAX,
        }
    }
}

/// Everything that observers are made from.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The flags of the run, in which an observer finds its own.
    pub flags: &'c RunFlags,
    /// The plan.
    pub plan: &'c Plan,
    /// The terminal or the log.
    pub screen: &'c Screen,
}

/// Makes an observer, where the flags ask for it.
pub type ObserverFactory = fn(&Context<'_>) -> Result<Option<Box<dyn Observer>>>;
