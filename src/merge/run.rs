//! Which run the shards are of, and its plan as their config lines give it.

use std::time::Duration;

use crate::telemetry::own_records::{RunEnvironment, Target, WireSetting};
use crate::telemetry::reader::line::Telemetry;
use crate::telemetry::reader::value;

/// Which run the shards are of, as the first line says.
#[derive(Debug)]
#[allow(clippy::struct_field_names, reason = "the wire's own name")]
pub(super) struct RunIdentity {
    pub(super) run_id: String,
    pub(super) testplan: String,
    /// What the first plan says.
    pub(super) plan: Option<ShardPlan>,
}

/// The plan, as the config of a shard says.
#[derive(Debug)]
pub(super) struct ShardPlan {
    pub(super) count: u32,
    pub(super) hash: String,
    /// The shard whose settings and environment these are: the lowest that was seen before the first tick was written.
    pub(super) told_by: u32,
    pub(super) settings: Vec<WireSetting>,
    pub(super) environment: RunEnvironment,
}

impl ShardPlan {
    /// The tick of the telemetry.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.duration("interval")
    }

    /// A setting that is a whole number.
    pub(super) fn number(&self, key: &str) -> Option<u32> {
        self.settings.iter().find(|setting| setting.key == key)?.value.parse().ok()
    }

    /// A setting that is a time.
    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        let setting = self.settings.iter().find(|setting| setting.key == key)?;
        Duration::try_from_secs_f64(setting.value.strip_suffix('s')?.parse().ok()?).ok()
    }

    /// The plan that the config of a shard gives.
    pub(super) fn of(count: u32, index: u32, line: &Telemetry<'_>) -> Self {
        let target = |target: &value::Target<'_>| Target {
            host: (*target.host).to_owned(),
            addresses: target.addresses.iter().map(|address| (**address).to_owned()).collect(),
        };
        Self {
            count,
            hash: (*line.plan_hash).to_owned(),
            told_by: index,
            settings: settings(line).collect(),
            environment: RunEnvironment {
                shard: None,
                shards: Some(count),
                targets: line.targets.iter().map(target).collect(),
                available_cpus: line.available_cpus,
                open_files_limit: line.open_files_limit,
                memory_limit_bytes: None,
                started_at: (*line.started_at).to_owned(),
                started_monotonic: line.started_monotonic,
            },
        }
    }
}

/// Settings that all shards have in common.
pub(super) fn settings(line: &Telemetry<'_>) -> impl Iterator<Item = WireSetting> {
    let own = |key: &str| matches!(key, "shard" | "telemetry");
    let common = line.settings.iter().filter(move |setting| !own(&setting.key));
    common.map(|setting| WireSetting {
        key: (*setting.key).to_owned().into(),
        value: (*setting.value).to_owned(),
        origin: (*setting.origin).to_owned().into(),
    })
}
