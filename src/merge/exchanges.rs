//! Which failed exchanges of the shards go into the master's stream: as many as a run on one host would show.

use std::collections::{HashMap, HashSet};

use crate::telemetry::reader::line::Telemetry;

/// Maximum of a whole run.
const MAX_EXCHANGES: u32 = 200;

/// Counts the exchanges that are passed on.
#[derive(Default)]
pub(super) struct ExchangeLimits {
    total: u32,
    /// By method, name and error.
    by_kind: HashMap<(String, String, String), u32>,
    /// Shard and number of each exchange that is passed on.
    passed: HashSet<(u32, u32)>,
}

impl ExchangeLimits {
    /// Whether a part of an exchange of a shard is passed on; `each` is how many of every endpoint and error are.
    pub(super) fn admits(&mut self, shard: u32, line: &Telemetry<'_>, each: u32) -> bool {
        let place = (shard, line.exchange);
        if line.part > 1 {
            return self.passed.contains(&place);
        }
        if self.total >= MAX_EXCHANGES {
            return false;
        }
        let text = |text: &str| text.to_owned();
        let of_kind = self.by_kind.entry((text(&line.method), text(&line.name), text(&line.error))).or_default();
        if *of_kind >= each || !self.passed.insert(place) {
            return false;
        }
        *of_kind += 1;
        self.total += 1;
        true
    }
}
