//! Takes the config lines of shards, and refuses shards that do not belong to the run.

use super::join::Join;
use super::run::{ShardPlan, settings};
use super::troubles::MergeTrouble;
use crate::clock::unix_time;
use crate::plan::settings::differing_setting;
use crate::telemetry::config::SCHEMA_VERSION;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::telemetry::reader::value::ShardValue;

/// Settings that are kept: far more than a plan has.
const MOST_SETTINGS: usize = 10_000;

impl Join {
    pub(super) fn take_config(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        self.note_time(line.unix());
        let told = telemetry.shard;
        if let Some(sentence) = self.is_foreign(index, telemetry) {
            self.troubles.add(MergeTrouble::Foreign, sentence);
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
                plan.environment.available_cpus += telemetry.available_cpus;
                let files = plan.environment.open_files_limit.saturating_add(telemetry.open_files_limit);
                plan.environment.open_files_limit = files;
                if index < plan.told_by && !has_begun {
                    let (cpus, files) = (plan.environment.available_cpus, plan.environment.open_files_limit);
                    *plan = ShardPlan::of(plan.count, index, telemetry);
                    (plan.environment.available_cpus, plan.environment.open_files_limit) = (cpus, files);
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
        (*line.plan_hash != *plan.hash).then(|| {
            let ours: Vec<(&str, &str)> = plan.settings.iter().map(|known| (&*known.key, &*known.value)).collect();
            let theirs: Vec<(&str, &str)> = line.settings.iter().map(|known| (&*known.key, &*known.value)).collect();
            let setting = differing_setting(&ours, &theirs).unwrap_or_else(|| "plan_hash".to_owned());
            format!("shard {index} runs another plan than shard {}; they differ in {setting}", plan.told_by)
        })
    }

    /// Takes nothing more of a shard, as if it had not come.
    fn refuse(&mut self, index: u32) {
        if let Some(shard) = self.shards.remove(&index) {
            self.refused.insert((shard.input, index));
            self.move_going(shard.tick, None);
        }
    }
}
