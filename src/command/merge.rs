//! Merging the streams of shards, and the reports of the merged run.

use std::sync::Arc;

use crossbeam_channel::never;

use super::environment::environment;
use super::stdio::tell;
use crate::cli::{MergeFlags, SettingSources};
use crate::error::{Error, Exit, Result};
use crate::machine::limits;
use crate::merge::{self, MasterLineObserver, MergePolicy, MergeResult, Merged};
use crate::plan::otlp::OtlpChoice;
use crate::plan::{Sink, check};
use crate::publish::feed::Feed;
use crate::publish::publishers::{PublishPlan, Publishers};
use crate::report::collector::ReportCollector;
use crate::report::screen;
use crate::report::terminal;
use crate::run::signals;
use crate::telemetry::interrupt::Interrupt;
use crate::value::count::counted;

/// `swarmline merge`.
///
/// # Errors
/// As [`merge::merge()`]; exit 2 if a check cannot be parsed or a report will not be writable, before any stream is
/// read; exit 4 if writing a report fails in the end.
pub fn merge(flags: &MergeFlags, origins: &SettingSources) -> Result<Exit> {
    let checks = check::of(&flags.checks, origins, &[])?;
    let rules = MergePolicy {
        allow_missing: flags.allow_missing,
        exit_code_on_error: (flags.exit_code_on_error, origins.of("exit_code_on_error").as_str()),
        checks: checks.into_iter().map(|(check, origin)| (check, origin.as_str())).collect(),
    };
    let sink = Sink::of(&flags.telemetry);
    let otlp = OtlpChoice::new(flags.otlp.as_deref(), &environment())?.plan(tell);
    let mut collector = ReportCollector::of_merge(flags, &sink)?;
    let interrupt = Arc::new(Interrupt::new().map_err(|why| Error::usage("signals", why))?);
    signals::install_interrupt(&interrupt)?;
    limits::raise_open_files();
    let has_checks = !rules.checks.is_empty();
    let feed = otlp.is_some().then(|| Feed::new(collector.follow()));
    let start = |feed: &Feed| {
        let plan = PublishPlan { web: None, otlp };
        Publishers::start(feed, "", plan, None, tell)
    };
    let publishers = feed.as_ref().map(start).transpose()?;
    let is_reported = !flags.quiet || collector.has_files() || feed.is_some();
    let tee: MasterLineObserver = match &feed {
        Some(feed) => feed.merge_tee(collector.merge_tee()),
        None if is_reported => Box::new(collector.merge_tee()),
        // A summary that is not shown would take longer than the merge.
        None => Box::new(|_, _| {}),
    };
    let outcome = match merge::merge(&flags.streams, &sink, rules, tee, &interrupt) {
        Ok(Merged::Whole(outcome)) => outcome,
        Ok(Merged::Closed) if !collector.has_files() && !has_checks => return Ok(Exit::Pass),
        broken => {
            // Write the requested reports from what there is, even though it is incomplete.
            let _ = collector.model().and_then(|model| collector.write(&model));
            return broken.map(|_| Exit::Invalid);
        }
    };
    outcome.troubles.iter().for_each(|trouble| tell(trouble));
    if !is_reported {
        return Ok(outcome.assessment.exit(flags.exit_code_on_error));
    }
    let model = collector.model()?;
    if let Some(feed) = &feed {
        feed.finish(model.clone());
    }
    let left = collector.write(&model);
    if !flags.quiet {
        let (MergeResult { shards: (there, all), .. }, summary) =
            (&outcome, terminal::exchanges(&model.run) + &terminal::summary(&model, screen::stderr_width()));
        let left = left.as_deref().unwrap_or_default();
        screen::write_stderr(format!("{summary}swarmline: {there} of {}\n{left}", counted(*all as u64, "shard")));
    }
    // A second signal ends the process.
    if let Some((_, sentence)) =
        publishers.and_then(|publishers| publishers.push_last(&never())).map(|end| end.sentence())
    {
        tell(sentence.trim_end());
    }
    left.map(|_| outcome.assessment.exit(flags.exit_code_on_error))
}
