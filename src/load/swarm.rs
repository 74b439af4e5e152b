//! Starting the users, each at its time, and sending them home.

use std::thread::{Builder, Scope};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::connection::Dialer;
use super::gauges::Gauges;
use super::outcome::Outcome;
use super::stop::{Never, Stop};
use super::user::{self, Budget, Shared};
use crate::clock::Clock;
use crate::plan::Plan;

/// Stack of a user's thread. Virtual: a user touches about 16 KiB of it over plain HTTP, more in a TLS handshake.
const USER_STACK: usize = 256 * 1024;

/// What happens to the swarm as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwarmEvent {
    /// The number of users asked for has been reached.
    Spawned {
        /// That number.
        users: u32,
    },
    /// A user could not be started; no more will be, and the run is not valid.
    SpawnFailed {
        /// Users that run.
        users: u32,
        /// What the system said.
        why: String,
    },
}

/// Everything that users work with; outlives them.
pub struct Swarm<'run> {
    plan: &'run Plan,
    clock: &'run Clock,
    dialer: &'run Dialer,
    stop: &'run Stop,
    gauges: &'run Gauges,
    budget: Budget,
}

impl<'run> Swarm<'run> {
    /// A swarm of no users yet.
    #[must_use]
    pub fn new(
        plan: &'run Plan,
        clock: &'run Clock,
        dialer: &'run Dialer,
        stop: &'run Stop,
        gauges: &'run Gauges,
    ) -> Self {
        Self { plan, clock, dialer, stop, gauges, budget: Budget::new(plan.load().requests) }
    }

    /// Starts each user at its time, until all are there or the stop begins. The returned channel is closed when the
    /// last user has ended.
    ///
    /// # Errors
    /// Not even the thread that starts them could be started.
    pub fn raise<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        outcomes: Sender<Outcome>,
        events: Sender<SwarmEvent>,
    ) -> std::io::Result<Receiver<Never>> {
        let (alive, ended) = bounded(0);
        Builder::new()
            .name("spawner".to_owned())
            .spawn_scoped(scope, move || self.spawn_users(scope, &outcomes, &events, &alive))?;
        Ok(ended)
    }

    fn spawn_users<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        outcomes: &Sender<Outcome>,
        events: &Sender<SwarmEvent>,
        alive: &Sender<Never>,
    ) {
        let ramp = self.plan.load().ramp;
        for k in 0..ramp.users() {
            let Some(due) = ramp.due(k) else { return };
            let due = self.clock.instant(crate::clock::Moment::at(due));
            let on_time = std::time::Instant::now() >= due || self.stop.sleep_until(due);
            if !on_time || self.stop.is_begun() {
                return;
            }
            self.gauges.user_started();
            if let Err(error) = self.spawn_user(scope, k, outcomes.clone(), alive.clone()) {
                self.gauges.user_ended();
                // Few and rare; the aggregator takes them as long as there are senders.
                let _ = events.send(SwarmEvent::SpawnFailed { users: k, why: error.to_string() });
                return;
            }
        }
        let _ = events.send(SwarmEvent::Spawned { users: ramp.users() });
    }

    fn spawn_user<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        k: u32,
        outcomes: Sender<Outcome>,
        alive: Sender<Never>,
    ) -> std::io::Result<()> {
        let shared = Shared {
            plan: self.plan,
            clock: self.clock,
            dialer: self.dialer,
            stop: self.stop,
            gauges: self.gauges,
            budget: &self.budget,
        };
        let body = move || {
            user::run(k, shared, &outcomes);
            shared.gauges.user_ended();
            drop(alive);
        };
        Builder::new().name(format!("user-{k}")).stack_size(USER_STACK).spawn_scoped(scope, body).map(drop)
    }
}
