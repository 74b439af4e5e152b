//! `setup` and `teardown`: steps of no user, done once, before the first user starts and after the last has ended.

use crossbeam_channel::{Sender, unbounded};

use super::context::RunContext;
use super::notices::{Explanations, Notices};
use super::outcome_sender::OutcomeSender;
use super::readiness::Readiness;
use super::request_quota::RequestQuota;
use super::start_gate::StartGate;
use super::transcripts::Recording;
use crate::event::{Notice, SwarmEventKind};
use crate::load::net::connection::Dialer;
use crate::load::user::data_cursor::DataCursor;
use crate::load::user::session::{Purpose, Session};
use crate::load::user::shared::{Reports, UserContext};
use crate::load::user::steps::SequenceEnd;
use crate::outcome::{DueTime, Outcome};
use crate::plan::Plan;
use crate::plan::template::Variable;

/// What `setup` left behind for the users.
#[derive(Debug)]
pub struct Setup<'p> {
    /// The variables that it has set, by slot.
    pub variables: Vec<Option<Variable>>,
    /// What it noticed.
    pub notices: Vec<Notice>,
    /// How it ended.
    pub end: SetupEnd,
    /// What all steps of the run take data from.
    pub(super) data: DataCursor<'p>,
}

/// How `setup` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupEnd {
    /// As it should, or there is none.
    Passed,
    /// A request failed, or a value was missing, for this reason: no user starts.
    Failed(String),
    /// The stop began: no user starts.
    Interrupted,
}

impl<'p> Setup<'p> {
    /// No setup.
    #[must_use]
    pub fn none(plan: &'p Plan) -> Self {
        Self {
            variables: vec![None; plan.variables().len()],
            notices: Vec::new(),
            end: SetupEnd::Passed,
            data: DataCursor::new(plan),
        }
    }
}

/// Performs `setup` on the thread that calls, and sends its outcomes. The reason for a failure is left empty.
pub fn run_setup(run: RunContext<'_>, dialer: &Dialer, outcomes: Sender<Outcome>, setup: &mut Setup<'_>) {
    let (quota, initial) = (RequestQuota::new(None), setup.variables.clone());
    let (notices, start_gate, readiness) = (Notices::default(), StartGate::default(), Readiness::default());
    let explanations = Explanations::new(run.plan);
    let shared = UserContext {
        run,
        dialer,
        quota: &quota,
        data: &setup.data,
        notices: &notices,
        start_gate: &start_gate,
        explanations: &explanations,
        readiness: &readiness,
        initial: &initial,
        recording: Recording::Off,
    };
    let (events, received) = unbounded();
    let outcomes = OutcomeSender::new(outcomes, &|| {});
    let reports = Reports { outcomes: &outcomes, events: &events };
    let (end, variables) = run_once(shared, reports, Purpose::Setup);
    let notices = received.try_iter().filter_map(|event| match event.kind {
        SwarmEventKind::Notice(notice) => Some(notice),
        _ => None,
    });
    setup.end = match end {
        SequenceEnd::Completed | SequenceEnd::UserStops => SetupEnd::Passed,
        SequenceEnd::CutShort => SetupEnd::Failed(String::new()),
        SequenceEnd::UserMustEnd => SetupEnd::Interrupted,
    };
    (setup.variables, setup.notices) = (variables, notices.collect());
}

/// Performs `teardown` on the thread that calls, with the variables of `setup`.
pub(super) fn run_teardown(shared: UserContext<'_>, reports: Reports<'_>) {
    run_once(shared, reports, Purpose::Stop);
}

/// Performs `setup` or `teardown`; returns the variables that there are then.
pub(super) fn run_once(
    shared: UserContext<'_>,
    reports: Reports<'_>,
    purpose: Purpose,
) -> (SequenceEnd, Vec<Option<Variable>>) {
    let once = shared.run.plan.once();
    let steps = if purpose == Purpose::Setup { &once.setup } else { &once.teardown };
    // No user has this number, and no two shards have the same random numbers.
    let number = u32::MAX - shared.run.plan.load().shard.index();
    let slot = shared.run.roster.enter_apart();
    slot.set_thread();
    let mut session = Session::new(number, shared, &slot, reports);
    if purpose == Purpose::Stop {
        session.limit_stop();
    }
    let end = session.run_steps(steps, DueTime::WhenSent, purpose);
    (end, session.into_variables())
}
