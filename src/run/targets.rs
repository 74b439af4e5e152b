//! The hosts of a plan and their addresses before the run.

use std::time::{Duration, Instant};

use crate::load::net::connection::Dialer;
use crate::plan::Plan;
use crate::telemetry::own_records::Target;

/// How long name lookups may take before the run starts without them.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(1);

/// The hosts that requests go to and their addresses, as far as they are known within a second in total.
pub(super) fn targets(plan: &Plan, dialer: &Dialer) -> Vec<Target> {
    /// Maximum bytes of targets in the line; a plan with more origins lists only the first.
    const ROOM: usize = 1000;
    const ADDRESSES: usize = 8;
    let deadline = Instant::now() + LOOKUP_PATIENCE;
    let mut targets: Vec<Target> = Vec::new();
    let mut used = 0;
    for origin in plan.requests().map(|step| step.message.origin()) {
        if targets.iter().any(|target| target.host == origin.authority()) {
            continue;
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        let addresses = dialer.known_addresses(origin, patience);
        let addresses = addresses.iter().take(ADDRESSES).map(ToString::to_string).collect();
        let target = Target { host: origin.authority().to_owned(), addresses };
        used += serde_json::to_string(&target).map_or(ROOM, |text| text.len() + 1);
        if used > ROOM {
            break;
        }
        targets.push(target);
    }
    targets
}
