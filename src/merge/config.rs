//! Takes the config lines of shards, and refuses shards that do not belong to the run.

use super::join::Join;
use super::run::{ShardPlan, settings};
use super::troubles::MergeTrouble;
use crate::clock::unix_time;
use crate::plan::settings::differing_setting;
use crate::telemetry::config::SCHEMA_VERSION;
use crate::telemetry::own_records::WireSetting;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::telemetry::reader::value::ShardValue;

/// Settings that are kept: far more than a plan has.
const MOST_SETTINGS: usize = 10_000;

/// Shards with another plan whose settings are kept, to name the one that differs. Of further shards it is not named.
const MOST_OTHER_PLANS: usize = 20;

impl Join {
    pub(super) fn take_config(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        self.note_time(line.unix());
        let told = telemetry.shard;
        if let Some(sentence) = self.is_foreign(index, telemetry) {
            let sentence = format!("{}: {sentence}", self.name(self.shards.get(&index).map_or(0, |shard| shard.input)));
            self.troubles.add(MergeTrouble::Foreign, sentence);
            self.refuse(index);
            return;
        }
        if self.has_other_plan(telemetry) {
            let input = self.shard(index).input;
            self.refuse(index);
            self.note_other_plan((input, index), telemetry);
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
        let count = line.shard.map(|shard| shard.count).filter(|count| *count != plan.count)?;
        Some(format!("shard {index} is one of {count}, the others of {}", plan.count))
    }

    fn has_other_plan(&self, line: &Telemetry<'_>) -> bool {
        let plan = self.run.as_ref().and_then(|run| run.plan.as_ref());
        plan.is_some_and(|plan| *line.plan_hash != *plan.hash)
    }

    /// Keeps the settings of a refused shard that runs another plan; its config may have further lines.
    pub(super) fn note_other_plan(&mut self, refused: (usize, u32), line: &Telemetry<'_>) {
        let is_named = self.other_plans.len() < MOST_OTHER_PLANS || self.other_plans.contains_key(&refused);
        let known = self.other_plans.entry(refused).or_default();
        let room = if is_named { MOST_SETTINGS.saturating_sub(known.len()) } else { 0 };
        known.extend(settings(line).take(room));
    }

    /// Names the setting in which the plan of each refused shard differs, once all lines of its config are there.
    pub(super) fn name_other_plans(&mut self) {
        fn pairs(of: &[WireSetting]) -> Vec<(&str, &str)> {
            of.iter().map(|known| (&*known.key, &*known.value)).collect()
        }
        let Some(plan) = self.run.as_ref().and_then(|run| run.plan.as_ref()) else { return };
        let (ours, told_by) = (pairs(&plan.settings), plan.told_by);
        for ((input, index), theirs) in &self.other_plans {
            let theirs = pairs(theirs);
            let setting = differing_setting(&ours, &theirs)
                .unwrap_or_else(|| "plan_hash, by something that no setting shows".to_owned());
            let name = self.inputs.get(*input).map_or("", String::as_str);
            let sentence =
                format!("{name}: shard {index} runs another plan than shard {told_by}; they differ in {setting}");
            self.troubles.add(MergeTrouble::Foreign, sentence);
        }
    }

    /// Takes nothing more of a shard, as if it had not come.
    fn refuse(&mut self, index: u32) {
        if let Some(shard) = self.shards.remove(&index) {
            self.refused.insert((shard.input, index));
            self.move_going(shard.tick, None);
        }
    }
}
