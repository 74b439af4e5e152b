//! Which of a user's requests are traced.

use crate::clock::Moment;
use crate::load::swarm::context::RunContext;
use crate::plan::trace::{RequestId, Traceparent};
use crate::plan::wire::WireRequest;

/// The value of the field `traceparent` that a request is to carry; `None` if it is not among the share that is traced, or
/// has such a field of its own.
pub(super) fn traceparent(run: RunContext<'_>, request: WireRequest<'_>, id: RequestId) -> Option<Traceparent> {
    let tracing = run.plan.tracing().filter(|tracing| tracing.takes(id) && !request.has_header("traceparent"))?;
    Some(tracing.ids(run.clock.unix(Moment::START), id).traceparent())
}
