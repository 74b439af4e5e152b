//! A trial: one user of a class on its own, on the thread that calls, without a load.

use crossbeam_channel::unbounded;

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
use crate::load::user::shared::{Reports, UserContext};
use crate::load::user::trial;
pub use crate::load::user::trial::{PartEnd, TrialPart};
use crate::plan::journey::Task;
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

/// Performs the steps of a class around these of its tasks, once each, and shows what happens.
pub fn perform<'run>(
    run: RunContext<'run>,
    dialer: &'run Dialer,
    class: usize,
    tasks: &[&'run Task],
    show: &(dyn Fn(TrialEvent<'run>) + Sync),
) {
    let (outcome_sender, outcomes) = unbounded();
    let (event_sender, events) = unbounded();
    let outcomes_sent = OutcomeSender::new(outcome_sender, &|| {});
    let show_exchange = |transcript, secrets| show(TrialEvent::Exchanged(Box::new(transcript), secrets));
    let (quota, data, notices) = (RequestQuota::new(None), DataCursor::new(run.plan), Notices::default());
    let (explanations, readiness) = (Explanations::new(run.plan), Readiness::default());
    let start_gate = StartGate::default();
    let user_slot = run.roster.enter();
    let shared = UserContext {
        run,
        dialer,
        quota: &quota,
        data: &data,
        notices: &notices,
        start_gate: &start_gate,
        explanations: &explanations,
        readiness: &readiness,
        recording: Recording::All(&show_exchange),
    };
    let reports = Reports { outcomes: &outcomes_sent, events: &event_sender };
    let begin = |part| show(TrialEvent::Begin(part));
    let end = |part, over| {
        for event in events.try_iter() {
            if let SwarmEventKind::Notice(notice) = event.kind {
                show(TrialEvent::Notice(notice));
            }
        }
        outcomes.try_iter().for_each(drop);
        show(TrialEvent::End(part, over));
    };
    let number = u32::try_from(class).unwrap_or(0);
    let class = &run.plan.classes()[class];
    trial::run(number, (shared, &user_slot, reports), class, tasks, &begin, &end);
}
