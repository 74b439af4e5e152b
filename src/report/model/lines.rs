//! Adds the lines of a stream, each kind to where it belongs.

use super::run_data::{MAX_ENDPOINTS, RunData};
use super::seen::StreamWarning;
use super::timeline::millis;
use crate::plan::check::MAX_CHECKS;
use crate::stats::check::CheckSet;
use crate::stats::shard_comparison::MAX_SHARDS_COMPARED;
use crate::telemetry::reader::facts::{ConfigFact, Fact, StatsFact};
use crate::telemetry::reader::failures::{ErrorRow, WarningFact};
use crate::telemetry::reader::{StreamLine, StreamReader};
use crate::vocabulary::Phase;

/// Maximum lines about unfinished requests: one per endpoint and phase.
const MAX_UNFINISHED: usize = MAX_ENDPOINTS * Phase::ALL.len();

/// Maximum steps of a search; one has about thirty.
const MAX_STEPS: usize = 1000;

/// Maximum warnings kept; further ones are only counted.
const MAX_WARNINGS: usize = 200;

impl RunData {
    /// Adds the content of a line.
    pub fn add_line(&mut self, line: StreamLine, reading: &mut StreamReader) {
        let tick = line.tick.unwrap_or(0);
        self.processes.add(&line.source_id, &line.fact);
        match line.fact {
            Fact::Config(config) => self.add_config(*config),
            Fact::Interval(interval) => self.add_interval(tick, &interval, reading),
            Fact::Histogram(piece) => self.add_piece(&piece, reading),
            Fact::Cpu(gauge) => raise(&mut self.open_at(tick).gauges.cpu_percent, gauge.value),
            Fact::Mem(gauge) => raise(&mut self.open_at(tick).gauges.memory_mib, gauge.value),
            Fact::Current(row) => self.open_at(tick).gauges.users = row.user_count,
            Fact::Health(health) => self.add_health(tick, &health),
            Fact::SpawnComplete(spawned) => self.add_reached(&line.time, spawned.user_count),
            Fact::CpuWarning(gauge) => {
                let detail = format!("the generator used {:.0} % of the CPUs that it may use", gauge.value);
                self.warn(line.time, "cpu", detail);
            }
            Fact::Warning(WarningFact { kind, detail, cause: None }) => self.warn(line.time, &kind, detail),
            Fact::Warning(WarningFact { detail, cause: Some(error), .. }) => self.causes.explain(error, detail),
            // Its tick is the open one, whose intervals came before.
            Fact::Sample(event) if self.is_judged_now() => self.samples.add(&event),
            Fact::Exchange(exchange) => self.causes.add(line.time, line.source_id, *exchange),
            Fact::Final(row) => self.last = Some(row),
            Fact::Endpoint(StatsFact { method, name, statistics, timing, warmup_content_bytes, .. }) => {
                let place = self.endpoint(&method, &name);
                let endpoint = &mut self.endpoints[place];
                (endpoint.last, endpoint.timing) = (Some(statistics), timing);
                endpoint.warmup_content_bytes = warmup_content_bytes;
            }
            Fact::EndpointError(row) => {
                let occurrences = row.occurrences - row.warmup;
                if occurrences > 0 {
                    self.errors.push(ErrorRow { occurrences, ..row });
                }
            }
            Fact::TestStop(stop) => {
                self.end_load(&stop);
                self.stop = Some(stop);
            }
            Fact::Unfinished(unfinished) if self.unfinished.len() < MAX_UNFINISHED => {
                self.add_unfinished(&unfinished, reading);
            }
            Fact::Check(check) if self.checks.len() < MAX_CHECKS => self.checks.push(check),
            Fact::Shard(shard) if self.shards.len() < MAX_SHARDS_COMPARED => self.shards.push(shard),
            Fact::Step(step) if self.steps.len() < MAX_STEPS => self.steps.push(*step),
            Fact::RunEnd(end) => self.end = Some(end),
            Fact::TestStart
            | Fact::Network(..)
            | Fact::Shard(_)
            | Fact::Step(_)
            | Fact::Check(_)
            | Fact::Unfinished(_)
            | Fact::Sample(_)
            | Fact::Other => {}
        }
    }

    fn add_reached(&mut self, time: &str, users: u32) {
        if let Some(at) = millis(time).filter(|_| self.reached.len() < MAX_WARNINGS) {
            self.reached.push((at, users));
        }
    }

    /// Returns whether the open tick is after the warm-up.
    fn is_judged_now(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.point.phase != Phase::Warmup)
    }

    fn add_config(&mut self, config: ConfigFact) {
        self.plan.version = config.version;
        self.plan.hash = config.plan_hash;
        self.plan.settings.extend(config.settings);
        self.plan.targets.extend(config.targets);
        self.plan.available_cpus = config.available_cpus.or(self.plan.available_cpus);
        self.plan.shard = config.shard.or(self.plan.shard);
        self.plan.started_at = config.started_at.or(self.plan.started_at.take());
        if self.judges_so_far && !self.is_search() {
            self.check_set = CheckSet::new(&self.plan_checks());
        }
    }

    fn warn(&mut self, time: String, kind: &str, detail: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(StreamWarning { time, kind: kind.to_owned(), detail });
        } else {
            self.more_warnings += 1;
        }
    }
}

/// Puts a higher value in place of a lower one.
fn raise(highest: &mut f64, value: f64) {
    *highest = highest.max(value);
}
