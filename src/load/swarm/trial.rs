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
use crate::plan::template::Variable;
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
    Trial { run, reports, show, end: &end }.perform(shared, classes);
}

/// A trial in progress.
struct Trial<'t, 'run> {
    run: RunContext<'run>,
    reports: Reports<'t>,
    show: ShowEvent<'t, 'run>,
    /// Shows that a part of a class ended, and what was noticed in it.
    end: &'t dyn Fn(Option<&'run UserClass>, TrialPart<'run>, PartEnd),
}

impl<'run> Trial<'_, 'run> {
    fn perform(&self, shared: UserContext<'_>, classes: &[TriedClass<'run>]) {
        let steps = self.run.plan.once();
        let mut variables = shared.initial.to_vec();
        if !steps.setup.is_empty() {
            let (over, set) = self.once(shared, TrialPart::Setup, Purpose::Setup);
            if over != PartEnd::Completed {
                return;
            }
            variables = set;
        }
        let shared = UserContext { initial: &variables, ..shared };
        for (index, tasks) in classes {
            let class = &self.run.plan.classes()[*index];
            let user_slot = self.run.roster.enter();
            let number = u32::try_from(*index).unwrap_or(0);
            let begin = |part| (self.show)(Some(class), TrialEvent::Begin(part));
            let end = |part, over| (self.end)(Some(class), part, over);
            trial::run(number, (shared, &user_slot, self.reports), class, tasks, &begin, &end);
        }
        if !steps.teardown.is_empty() {
            self.once(shared, TrialPart::Teardown, Purpose::Stop);
        }
    }

    /// Performs `setup` or `teardown`.
    fn once(
        &self,
        shared: UserContext<'_>,
        part: TrialPart<'run>,
        purpose: Purpose,
    ) -> (PartEnd, Vec<Option<Variable>>) {
        (self.show)(None, TrialEvent::Begin(part));
        let (over, variables) = once::run_once(shared, self.reports, purpose);
        let over = PartEnd::of(over);
        (self.end)(None, part, over);
        (over, variables)
    }
}
