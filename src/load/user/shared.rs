//! What all users of a run share, and where they report to.

use crossbeam_channel::Sender;

use super::data_cursor::DataCursor;
use crate::event::SwarmEvent;
use crate::load::net::connection::Dialer;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::notices::{Explanations, Notices};
use crate::load::swarm::outcome_sender::OutcomeSender;
use crate::load::swarm::readiness::Readiness;
use crate::load::swarm::request_quota::RequestQuota;
use crate::load::swarm::start_gate::StartGate;
use crate::load::swarm::transcripts::Recording;
use crate::plan::template::Variable;

/// References shared by all users of a run.
#[derive(Clone, Copy)]
pub(in crate::load) struct UserContext<'run> {
    pub(in crate::load) run: RunContext<'run>,
    pub(in crate::load) dialer: &'run Dialer,
    pub(in crate::load) quota: &'run RequestQuota,
    pub(in crate::load) data: &'run DataCursor<'run>,
    pub(in crate::load) notices: &'run Notices,
    pub(in crate::load) start_gate: &'run StartGate,
    pub(in crate::load) explanations: &'run Explanations,
    pub(in crate::load) readiness: &'run Readiness,
    /// The variables that `setup` has set, by slot.
    pub(in crate::load) initial: &'run [Option<Variable>],
    pub(in crate::load) recording: Recording<'run>,
}

/// Where users send outcomes and events.
#[derive(Clone, Copy)]
pub(in crate::load) struct Reports<'run> {
    pub(in crate::load) outcomes: &'run OutcomeSender<'run>,
    pub(in crate::load) events: &'run Sender<SwarmEvent>,
}
