//! Waiting until the hosts of a plan accept connections, before the clock of the run starts (`--await-host`).

use std::time::{Duration, Instant};

use super::roster::Roster;
use super::stop::Stop;
use crate::load::net::connection::{Dialer, RequestDeadline};
use crate::load::net::socket::Cancellation;
use crate::outcome::{Connecting, Failure};
use crate::plan::Plan;
use crate::plan::route::Route;

/// Pause after a failed attempt: a service that starts is not kept busy by it, and is used within a fifth of a second.
const PAUSE: Duration = Duration::from_millis(200);

/// The shortest pause before the time is over.
const LAST_PAUSE: Duration = Duration::from_millis(10);

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
            if stop.begun_at().is_some() || !stop.sleep_until(next_attempt(end)) {
                return AwaitEnd::Done;
            }
            if Instant::now() >= end {
                return AwaitEnd::TimedOut(reason(plan, origin.authority(), failure));
            }
        }
        accepted.push(origin.authority());
    }
    AwaitEnd::Done
}

/// When to try again: attempts come closer together at the end, so that the time is used up.
fn next_attempt(end: Instant) -> Instant {
    let now = Instant::now();
    let left = end.saturating_duration_since(now);
    now + if left <= LAST_PAUSE * 2 { left } else { PAUSE.min(left / 2) }
}

/// Why there is no connection to a host, and whose fault it is.
fn reason(plan: &Plan, host: &str, failure: Failure) -> String {
    let text = failure.text();
    // Without its class, which says the same in other words.
    let why = text.split_once(": ").map_or(&*text, |(_, why)| why);
    match (&plan.connection().route, failure) {
        (Route::HttpProxy { .. } | Route::Socks5 { .. }, _) => {
            format!("no connection to {host} through the proxy: {why}")
        }
        // It accepts connections, or it is not known which host it is.
        (_, Failure::Dns(_) | Failure::Tls(_)) => format!("{host}: {text}"),
        _ => format!("{host} does not accept connections: {why}"),
    }
}
