//! A trial: one user of each class on its own, on the thread that calls, without a load.

use crossbeam_channel::unbounded;

use super::context::RunContext;
use super::notices::{Explanations, Notices};
use super::once::{self, Setup};
use super::outcome_sender::OutcomeSender;
use super::readiness::Readiness;
use super::request_quota::RequestQuota;
use super::start_gate::StartGate;
use super::transcripts::Recording;
use crate::event::{Notice, SwarmEventKind};
use crate::load::net::connection::Dialer;
use crate::load::user::session::Purpose;
use crate::load::user::shared::{Reports, UserContext};
use crate::load::user::trial;
pub use crate::load::user::trial::{PartEnd, TrialPart};
use crate::plan::journey::{Task, UserClass};
use crate::secret::KnownSecrets;
use crate::transcript::Transcript;

/// What happens in a trial, in order.
#[derive(Debug)]
pub enum TrialEvent<'p> {
    /// A part begins.
    Begin(TrialPart<'p>),
    /// A request was judged; with the secrets that it and its answer may have.
    Exchanged(Box<Transcript>, KnownSecrets),
    /// The user noticed something in the part that is about to end.
    Notice(Notice),
    /// A part ended.
    End(TrialPart<'p>, PartEnd),
}

/// A class of users, by its index, and those of its tasks that are tried.
pub type TriedClass<'p> = (usize, Vec<&'p Task>);

/// Shows what happens, and to which class if it is not to all.
pub type ShowEvent<'s, 'p> = &'s (dyn Fn(Option<&'p UserClass>, TrialEvent<'p>) + Sync);

/// Performs `setup`, a user of each class with these of its tasks, once each, and `teardown`, and shows what happens. If
/// `setup` fails, nothing follows.
pub fn perform<'run>(
    run: RunContext<'run>,
    dialer: &'run Dialer,
    classes: &[TriedClass<'run>],
    show: ShowEvent<'_, 'run>,
) {
    let (outcome_sender, outcomes) = unbounded();
    let (event_sender, events) = unbounded();
    let outcomes_sent = OutcomeSender::new(outcome_sender, &|| {});
    let show_exchange = |transcript, secrets| show(None, TrialEvent::Exchanged(Box::new(transcript), secrets));
    let setup = Setup::none(run.plan);
    let (quota, notices, start_gate) = (RequestQuota::new(None), Notices::default(), StartGate::default());
    let (explanations, readiness) = (Explanations::new(run.plan), Readiness::default());
    let shared = UserContext {
        run,
        dialer,
        quota: &quota,
        data: &setup.data,
        notices: &notices,
        start_gate: &start_gate,
        explanations: &explanations,
        readiness: &readiness,
        initial: &setup.variables,
        recording: Recording::All(&show_exchange),
    };
    let reports = Reports { outcomes: &outcomes_sent, events: &event_sender };
    let end = |class, part, over| {
        for event in events.try_iter() {
            if let SwarmEventKind::Notice(notice) = event.kind {
                show(class, TrialEvent::Notice(notice));
            }
        }
        outcomes.try_iter().for_each(drop);
        show(class, TrialEvent::End(part, over));
    };
    let once = |shared, part, purpose| {
        show(None, TrialEvent::Begin(part));
        let (over, variables) = once::run_once(shared, reports, purpose);
        let over = PartEnd::of(over);
        end(None, part, over);
        (over, variables)
    };
    let steps = run.plan.once();
    let variables = if steps.setup.is_empty() {
        setup.variables.clone()
    } else {
        let (over, variables) = once(shared, TrialPart::Setup, Purpose::Setup);
        if over != PartEnd::Completed {
            return;
        }
        variables
    };
    let shared = UserContext { initial: &variables, ..shared };
    for (index, tasks) in classes {
        let class = &run.plan.classes()[*index];
        let user_slot = run.roster.enter();
        let number = u32::try_from(*index).unwrap_or(0);
        let begin = |part| show(Some(class), TrialEvent::Begin(part));
        let end = |part, over| end(Some(class), part, over);
        trial::run(number, (shared, &user_slot, reports), class, tasks, &begin, &end);
    }
    if !steps.teardown.is_empty() {
        once(shared, TrialPart::Teardown, Purpose::Stop);
    }
}
