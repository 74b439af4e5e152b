//! One user that performs chosen tasks once each, in order, and shows every exchange.

use super::session::{Purpose, Session};
use super::shared::{Reports, UserContext};
use super::steps::SequenceEnd;
use crate::load::swarm::roster::UserSlot;
use crate::outcome::DueTime;
use crate::plan::journey::{Task, UserClass};

/// A part of a trial.
#[derive(Clone, Copy, Debug)]
pub enum TrialPart<'p> {
    /// The steps before the first user.
    Setup,
    /// The steps before the first task.
    OnStart,
    /// A task, by its name.
    Task(&'p str),
    /// The steps of a user at its end.
    OnStop,
    /// The steps after the last user.
    Teardown,
}

/// How a part of a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartEnd {
    /// Every step was performed.
    Completed,
    /// The rest of it was skipped.
    CutShort,
    /// The data that it needs is used up.
    NoData,
}

impl PartEnd {
    /// How a sequence of steps ended.
    pub(in crate::load) const fn of(end: SequenceEnd) -> Self {
        match end {
            SequenceEnd::Completed | SequenceEnd::UserStops => Self::Completed,
            SequenceEnd::CutShort | SequenceEnd::UserMustEnd => Self::CutShort,
        }
    }
}

/// Performs `on_start`, the tasks and `on_stop`; `begin` and `end` are told of each part. If `on_start` fails, nothing
/// follows.
pub(in crate::load) fn run<'p: 'run, 'run>(
    number: u32,
    (shared, user_slot, reports): (UserContext<'run>, &'run UserSlot, Reports<'run>),
    class: &'p UserClass,
    tasks: &[&'p Task],
    begin: &dyn Fn(TrialPart<'p>),
    end: &dyn Fn(TrialPart<'p>, PartEnd),
) {
    user_slot.set_thread();
    let mut session = Session::new(number, shared, user_slot, reports);
    if !session.take_rows(&class.rows) {
        return end(TrialPart::OnStart, PartEnd::NoData);
    }
    if !class.on_start.is_empty() {
        begin(TrialPart::OnStart);
        let over = PartEnd::of(session.run_steps(&class.on_start, DueTime::WhenSent, Purpose::Start));
        end(TrialPart::OnStart, over);
        if over != PartEnd::Completed {
            return;
        }
    }
    for task in tasks {
        let part = TrialPart::Task(&task.name);
        begin(part);
        end(part, session.run_task(task, DueTime::WhenSent).map_or(PartEnd::NoData, PartEnd::of));
    }
    if !class.on_stop.is_empty() {
        begin(TrialPart::OnStop);
        end(TrialPart::OnStop, PartEnd::of(session.run_steps(&class.on_stop, DueTime::WhenSent, Purpose::Stop)));
    }
}
