//! Waiting until the hosts of a plan accept connections, before the clock of the run starts (`--await-host`).

use std::time::{Duration, Instant};

use super::roster::Roster;
use super::stop::Stop;
use crate::load::net::connection::{Dialer, RequestDeadline};
use crate::load::net::socket::Cancellation;
use crate::outcome::Connecting;
use crate::plan::Plan;

/// Pause after a failed attempt: a service that starts is not kept busy by it, and is used within a fifth of a second.
const PAUSE: Duration = Duration::from_millis(200);

/// How waiting for the hosts ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwaitEnd {
    /// All accept connections, or the stop began.
    Done,
    /// The time is over: which host, and why its last connection failed.
    TimedOut(String),
}

/// Connects to each host that the plan's requests go to, TLS included, until it accepts; for `limit` in total.
#[must_use]
pub fn await_hosts(plan: &Plan, dialer: &Dialer, (stop, roster): (&Stop, &Roster), limit: Duration) -> AwaitEnd {
    let slot = roster.enter_apart();
    slot.set_thread();
    let end = Instant::now() + limit;
    let mut accepted: Vec<&str> = Vec::new();
    for origin in plan.requests().map(|step| step.message.origin()) {
        if accepted.contains(&origin.authority()) {
            continue;
        }
        loop {
            let deadline = RequestDeadline { at: end, timeout: limit };
            let cancellation = Cancellation { stop, user_slot: &slot };
            let Err(failure) = dialer.dial(origin, deadline, cancellation, &mut Connecting::default()) else { break };
            let next = Instant::now() + PAUSE;
            if stop.begun_at().is_some() {
                return AwaitEnd::Done;
            }
            if next >= end {
                return AwaitEnd::TimedOut(format!(
                    "{} does not accept connections: {}",
                    origin.authority(),
                    failure.text()
                ));
            }
            if !stop.sleep_until(next) {
                return AwaitEnd::Done;
            }
        }
        accepted.push(origin.authority());
    }
    AwaitEnd::Done
}
