//! Which requests carry a W3C `traceparent` field, and the ids in it.
//!
//! Both are hashes of what a request is known by, so that an outcome carries its id and no 24 bytes of trace and span.

use std::time::Duration;

use super::random::{Random, seed_of};
use crate::value::share::Share;

/// Which request of a run: the user that sent it, and its number among the requests of that user, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequestId {
    user: u32,
    number: u32,
}

impl RequestId {
    /// The `number`th request of a user. After 4 billion requests of one user the numbers begin again.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half, as documented")]
    pub const fn new(user: u32, number: u64) -> Self {
        Self { user, number: number as u32 }
    }

    /// The number of the user within the whole run, from 0.
    #[must_use]
    pub const fn user(self) -> u32 {
        self.user
    }

    /// The number of the request among those of the user, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// 64 bits that follow from `seed` and the request alone.
    #[must_use]
    pub const fn bits(self, seed: u64) -> u64 {
        mixed(seed ^ mixed((self.user as u64) << 32 | self.number as u64))
    }
}

/// One step of splitmix64: every input has another output.
const fn mixed(bits: u64) -> u64 {
    Random::seeded(bits).bits()
}

/// Which requests are traced, and how their ids are made.
#[derive(Clone, Copy, Debug)]
pub struct Tracing {
    share: Share,
    seed: u64,
    run: u64,
}

/// What tells the hashes of one request apart.
const CHOICE: u64 = 0x7472_6163_6570_6172;
const TRACE_HIGH: u64 = 0x6869_6768_2068_616c;
const TRACE_LOW: u64 = 0x6c6f_7720_6861_6c66;
const SPAN: u64 = 0x7370_616e_2069_6420;

impl Tracing {
    /// Traces a share of the requests; which ones follows from `seed`, their ids from `run_id`.
    #[must_use]
    pub fn new(share: Share, seed: u64, run_id: &str) -> Self {
        Self { share, seed, run: seed_of(run_id) }
    }

    /// Whether the request is among those that are traced.
    #[must_use]
    pub fn takes(&self, request: RequestId) -> bool {
        self.share.takes(request.bits(self.seed ^ CHOICE))
    }

    /// The ids of a request of the run that started at `start`, since the Unix epoch: with the same run id, another run
    /// has other ids.
    #[must_use]
    pub fn ids(&self, start: Duration, request: RequestId) -> TraceIds {
        let start = u64::try_from(start.as_nanos()).unwrap_or(u64::MAX);
        let run = self.run ^ mixed(start);
        let [high, low, span] = [TRACE_HIGH, TRACE_LOW, SPAN].map(|part| request.bits(run ^ part));
        // All zeros are not an id (Trace Context, 3.2.2.3 and 3.2.2.4).
        TraceIds { trace: (u128::from(high) << 64 | u128::from(low)).max(1), span: span.max(1) }
    }
}

/// The ids of a traced request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    trace: u128,
    span: u64,
}

/// A field value of W3C Trace Context, version 00.
pub type Traceparent = [u8; 55];

impl TraceIds {
    /// The trace id as 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The value of the field `traceparent`, with the flag that the request is sampled.
    #[must_use]
    pub fn traceparent(&self) -> Traceparent {
        let mut value = *b"00-00000000000000000000000000000000-0000000000000000-01";
        write_hex(self.trace, &mut value[3..35]);
        write_hex(self.span.into(), &mut value[36..52]);
        value
    }
}

/// Writes the lowest digits of a number, as many as there is room for.
fn write_hex(mut number: u128, into: &mut [u8]) {
    for digit in into.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn tracing(share: &str, seed: u64) -> Tracing {
        Tracing::new(share.parse().unwrap(), seed, "a011066f")
    }

    fn requests() -> impl Iterator<Item = RequestId> {
        (0..100).flat_map(|user| (1..=1000).map(move |number| RequestId::new(user, number)))
    }

    #[test]
    fn the_share_that_is_traced_is_the_one_asked_for_and_follows_from_the_seed() {
        let taken = |tracing: Tracing| requests().filter(|request| tracing.takes(*request)).collect::<Vec<_>>();
        let (one, again, other) = (taken(tracing("1%", 7)), taken(tracing("1%", 7)), taken(tracing("1%", 8)));
        assert_eq!(one, again);
        assert_ne!(one, other);
        // Within 4 sigma of 1 % of 100,000: sigma = sqrt(100000 * 0.01 * 0.99) = 31.5.
        for count in [one.len(), other.len()] {
            assert!(count.abs_diff(1000) < 126, "{count}");
        }
        assert_eq!(taken(tracing("1", 7)).len(), 100_000);
    }

    #[test]
    fn no_two_requests_have_the_same_ids_and_no_two_runs() {
        let (start, later) = (Duration::from_secs(1_795_381_223), Duration::from_nanos(1_795_381_223_000_000_001));
        let tracing = tracing("1", 7);
        let all: Vec<TraceIds> = requests().flat_map(|r| [tracing.ids(start, r), tracing.ids(later, r)]).collect();
        assert_eq!(all.iter().map(|ids| ids.trace).collect::<HashSet<_>>().len(), 200_000);
        assert_eq!(all.iter().map(|ids| ids.span).collect::<HashSet<_>>().len(), 200_000);
        // Either half alone tells them apart, as some backends keep 64 bits.
        assert_eq!(all.iter().map(|ids| ids.trace << 64).collect::<HashSet<_>>().len(), 200_000);
    }

    #[test]
    fn the_field_has_the_form_of_trace_context() {
        let ids = TraceIds { trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, span: 0x00f0_67aa_0ba9_02b7 };
        // The example of Trace Context, 3.2.3.
        assert_eq!(&ids.traceparent(), b"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
        assert_eq!(ids.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    }
}
