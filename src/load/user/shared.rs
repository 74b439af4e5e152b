//! What all users of a run share, and where they report to.

use crossbeam_channel::Sender;

use super::supply::Supply;
use crate::event::SwarmEvent;
use crate::load::net::connection::Dialer;
use crate::load::swarm::budget::Budget;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::gate::Gate;
use crate::load::swarm::notices::Notices;
use crate::load::swarm::outlet::Outlet;

/// References shared by all users of a run.
#[derive(Clone, Copy)]
pub(in crate::load) struct Shared<'run> {
    pub(in crate::load) run: RunContext<'run>,
    pub(in crate::load) dialer: &'run Dialer,
    pub(in crate::load) budget: &'run Budget,
    pub(in crate::load) supply: &'run Supply<'run>,
    pub(in crate::load) notices: &'run Notices,
    pub(in crate::load) gate: &'run Gate,
}

/// Where users send outcomes and events.
#[derive(Clone, Copy)]
pub(in crate::load) struct Reports<'run> {
    pub(in crate::load) outlet: &'run Outlet<'run>,
    pub(in crate::load) events: &'run Sender<SwarmEvent>,
}
