//! Which run the shards are of: what the config lines say, and who does not belong to it.

use std::time::Duration;

use super::join::Join;
use super::troubles::MergeTroubleKind as Trouble;
use crate::clock::unix_time;
use crate::telemetry::ours::{RunEnvironment, Target, WireSetting};
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::telemetry::reader::value::{self, ShardValue};
use crate::telemetry::recorder::SCHEMA_VERSION;

/// Settings that are kept: far more than a plan has.
const MOST_SETTINGS: usize = 10_000;

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
    /// The shard whose settings and place these are: the lowest that was seen before the first tick was written.
    told_by: u32,
    pub(super) settings: Vec<WireSetting>,
    pub(super) place: RunEnvironment,
}

impl Join {
    pub(super) fn take_config(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        self.note_time(line.unix());
        let told = telemetry.shard;
        if let Some(sentence) = self.is_foreign(index, telemetry) {
            self.troubles.add(Trouble::Foreign, sentence);
            self.refuse(index);
            return;
        }
        if told.is_some() {
            self.shard(index).started = unix_time(&telemetry.started_at);
        }
        let has_begun = self.written.is_some();
        let Some(run) = &mut self.run else { return };
        match (&mut run.plan, told) {
            (None, Some(ShardValue { count, .. })) => run.plan = Some(ShardPlan::of(count, index, telemetry)),
            (Some(plan), Some(_)) => {
                plan.place.available_cpus += telemetry.available_cpus;
                let files = plan.place.open_files_limit.saturating_add(telemetry.open_files_limit);
                plan.place.open_files_limit = files;
                if index < plan.told_by && !has_begun {
                    let (cpus, files) = (plan.place.available_cpus, plan.place.open_files_limit);
                    *plan = ShardPlan::of(plan.count, index, telemetry);
                    (plan.place.available_cpus, plan.place.open_files_limit) = (cpus, files);
                }
            }
            // A further part of the config.
            (Some(plan), None) if plan.told_by == index && !has_begun => {
                let room = MOST_SETTINGS.saturating_sub(plan.settings.len());
                plan.settings.extend(settings(telemetry).take(room));
            }
            _ => {}
        }
    }

    /// Why a config is not one of this run.
    fn is_foreign(&self, index: u32, line: &Telemetry<'_>) -> Option<String> {
        if !(1..=SCHEMA_VERSION).contains(&line.schema_version) {
            let version = line.schema_version;
            return Some(format!(
                "shard {index} writes version {version} of the format; 1 to {SCHEMA_VERSION} are known here"
            ));
        }
        let plan = self.run.as_ref()?.plan.as_ref()?;
        if line.shard.is_some_and(|shard| shard.count != plan.count) {
            let count = line.shard.map_or(0, |shard| shard.count);
            return Some(format!("shard {index} is one of {count}, the others of {}", plan.count));
        }
        (*line.plan_hash != *plan.hash)
            .then(|| format!("shard {index} runs another plan than shard {} (plan_hash)", plan.told_by))
    }

    /// Takes nothing more of a shard, as if it had not come.
    fn refuse(&mut self, index: u32) {
        if let Some(shard) = self.shards.remove(&index) {
            self.refused.insert((shard.input, index));
            self.move_going(shard.tick, None);
        }
    }
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

    fn of(count: u32, index: u32, line: &Telemetry<'_>) -> Self {
        let target = |target: &value::Target<'_>| Target {
            host: (*target.host).to_owned(),
            addresses: target.addresses.iter().map(|address| (**address).to_owned()).collect(),
        };
        Self {
            count,
            hash: (*line.plan_hash).to_owned(),
            told_by: index,
            settings: settings(line).collect(),
            place: RunEnvironment {
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
fn settings(line: &Telemetry<'_>) -> impl Iterator<Item = WireSetting> {
    let own = |key: &str| matches!(key, "shard" | "telemetry");
    let common = line.settings.iter().filter(move |setting| !own(&setting.key));
    common.map(|setting| WireSetting {
        key: (*setting.key).to_owned().into(),
        value: (*setting.value).to_owned(),
        origin: (*setting.origin).to_owned().into(),
    })
}
