//! The live line: how a run goes, on a terminal, drawn again and again.

use std::sync::Arc;
use std::time::Duration;

use super::observer::{Context, Observer, Wants};
use super::snapshot::{SearchSoFar, Snapshot, StepStage};
use crate::clock::Moment;
use crate::error::Result;
use crate::report::plain::cut;
use crate::report::screen::{Colour, ProgressKind, SharedPen, lock, stderr_width};
use crate::report::table::ms;
use crate::telemetry::answer::{bounds_text, rate_text};
use crate::vocabulary::StepPurpose;

/// The line is redrawn this often, because the clock advances between two snapshots.
const REDRAW: Duration = Duration::from_millis(500);

/// Columns where the terminal does not know.
const WIDTH: usize = 80;

/// Draws the line, and takes it away at the end.
struct LiveLine {
    pen: SharedPen,
    colour: Colour,
    goal: Goal,
}

/// The line, where there is a terminal that can draw it.
#[allow(clippy::unnecessary_wraps, reason = "one signature for all observers")]
pub(super) fn make(context: &Context<'_>) -> Result<Option<Box<dyn Observer>>> {
    let Some(progress) = context.screen.progress().filter(|progress| progress.kind == ProgressKind::Line) else {
        return Ok(None);
    };
    let load = context.plan.load();
    let goal = Goal { time: load.run_time.or(load.end()), requests: load.requests };
    Ok(Some(Box::new(LiveLine { pen: progress.pen, colour: progress.colour, goal })))
}

impl Observer for LiveLine {
    fn name(&self) -> &'static str {
        "line"
    }

    fn wants(&self) -> Wants {
        Wants { between_ticks: true, repeat: Some(REDRAW), ..Wants::default() }
    }

    fn observe(&mut self, snapshot: &Arc<Snapshot>, now: Moment) {
        let width = stderr_width().unwrap_or(WIDTH);
        let line = line(snapshot, self.goal, now.max(snapshot.at), width, self.colour);
        lock(&self.pen).draw(&line, width);
    }

    fn leaves_line_open(&self) -> bool {
        true
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        lock(&self.pen).clear();
    }
}

/// The planned end of a run, if it has one.
#[derive(Clone, Copy, Debug, Default)]
struct Goal {
    /// The load ends after this time.
    time: Option<Duration>,
    /// The load ends after this many started requests.
    requests: Option<u64>,
}

/// A part of the line: the lower its rank, the sooner it is left out.
struct LinePart {
    rank: u8,
    text: String,
    /// Colour by its SGR number (ECMA-48 8.3.117); 0 for none.
    colour: u8,
}

/// The run in one line of fewer than `width` columns: the last column stays free because some terminals wrap there.
/// `now` may be later than the snapshot, so that the clock advances between two snapshots.
fn line(snapshot: &Snapshot, goal: Goal, now: Moment, width: usize, colour: Colour) -> String {
    let mut pieces = pieces(snapshot, goal, now);
    let room = width.saturating_sub(1);
    let taken = |pieces: &[LinePart]| pieces.iter().map(|piece| piece.text.len() + SEPARATOR.len()).sum::<usize>();
    while pieces.len() > 1 && taken(&pieces) > room + SEPARATOR.len() {
        let least = pieces.iter().map(|piece| piece.rank).min();
        pieces.retain(|piece| Some(piece.rank) != least);
    }
    let texts = pieces.into_iter().map(|LinePart { text, colour: number, .. }| match (colour, number) {
        (Colour::None, _) | (_, 0) => cut(&text, room),
        _ => format!("\x1b[{number}m{}\x1b[0m", cut(&text, room)),
    });
    texts.collect::<Vec<_>>().join(SEPARATOR)
}

const SEPARATOR: &str = "  ";
const RED: u8 = 31;
const YELLOW: u8 = 33;

fn pieces(snapshot: &Snapshot, goal: Goal, now: Moment) -> Vec<LinePart> {
    let Snapshot { users, completed, failed, rate, .. } = snapshot;
    let run = clock(now.since_start());
    let time = goal.time.map_or(run.clone(), |all| format!("{run} of {}", clock(all)));
    let noun = |count: u64| if count == 1 { "request" } else { "requests" };
    let requests = match goal.requests {
        Some(all) => format!("{} of {} {}", grouped(*completed), grouped(all), noun(all)),
        None => format!("{} {}", grouped(*completed), noun(*completed)),
    };
    let share = if *completed == 0 { 0.0 } else { *failed as f64 / *completed as f64 * 100.0 };
    let people = if *users == 1 { "user" } else { "users" };
    let piece = |rank, text: String, colour| LinePart { rank, text, colour };
    if let Some(search) = &snapshot.search {
        let mut pieces = vec![
            piece(7, run, 0),
            piece(9, step(search), 0),
            piece(8, bounds_text(search.passed, search.failed), 0),
            piece(4, format!("{} {people}", grouped(u64::from(*users))), 0),
            piece(5, format!("{} req/s", rounded(*rate)), 0),
            piece(3, format!("{} failed ({share:.1}%)", grouped(*failed)), if *failed > 0 { RED } else { 0 }),
        ];
        pieces.extend(snapshot.is_stopping.then(|| piece(1, "stopping".to_owned(), YELLOW)));
        return pieces;
    }
    let mut pieces = vec![
        piece(9, time, 0),
        piece(4, format!("{} {people}", grouped(u64::from(*users))), 0),
        // If it is the goal, it shows the run's progress.
        piece(if goal.requests.is_some() { 8 } else { 2 }, requests, 0),
        piece(6, format!("{} req/s", rounded(*rate)), 0),
        piece(5, format!("{} failed ({share:.1}%)", grouped(*failed)), if *failed > 0 { RED } else { 0 }),
    ];
    pieces.extend(snapshot.p95().map(|p95| piece(3, format!("p95 {}ms", ms(p95)), 0)));
    if snapshot.tick.is_bottleneck {
        pieces.push(piece(7, "GENERATOR IS THE BOTTLENECK".to_owned(), YELLOW));
    }
    if snapshot.is_stopping {
        pieces.push(piece(1, "stopping".to_owned(), YELLOW));
    }
    pieces
}

/// The current step of a search: `step 5 of about 12: 160/s, measuring`.
pub(super) fn step(search: &SearchSoFar) -> String {
    let SearchSoFar { step, rate, purpose, steps_expected, stage, .. } = search;
    let stage = match stage {
        StepStage::Settling => "settling",
        StepStage::Measuring => "measuring",
        StepStage::Draining => "draining",
    };
    let purpose = match purpose {
        StepPurpose::Search => String::new(),
        StepPurpose::Confirm | StepPurpose::Recheck => format!(" ({})", purpose.as_str()),
    };
    let expected = steps_expected.map_or_else(String::new, |steps| format!(" of about {steps}"));
    format!("step {step}{expected}: {}/s{purpose}, {stage}", rate_text(*rate))
}

/// `0:07`, `12:05`, `1:02:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn rounded(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { in_groups(&format!("{rate:.0}")) }
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    in_groups(&number.to_string())
}

fn in_groups(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::snapshot::TickSnapshot;
    use crate::stats::tally::Statistics;

    fn snapshot(is_bottleneck: bool) -> Snapshot {
        let statistics = Statistics { num_requests: 12_000, percentile_95: 98.76, ..Statistics::default() };
        let tick = Arc::new(TickSnapshot { statistics, is_bottleneck, ..TickSnapshot::default() });
        Snapshot { users: 1200, completed: 12_345, failed: 123, rate: 1234.4, tick, ..Snapshot::default() }
    }

    fn shown(snapshot: &Snapshot, goal: Goal, width: usize) -> String {
        line(snapshot, goal, Moment::at(Duration::from_secs(75)), width, Colour::None)
    }

    #[test]
    fn the_line_shows_the_progress_and_state_of_the_run() {
        let minutes = Goal { time: Some(Duration::from_secs(3723)), requests: None };
        let wanted = "1:15 of 1:02:03  1,200 users  12,345 requests  1,234 req/s  123 failed (1.0%)  p95 98.8ms";
        assert_eq!(shown(&snapshot(false), minutes, 140), wanted);
        let number = Goal { time: None, requests: Some(1_000_000) };
        assert!(shown(&snapshot(false), number, 140).starts_with("1:15  1,200 users  12,345 of 1,000,000 requests  "));
        let bad = Snapshot { is_stopping: true, users: 1, ..snapshot(true) };
        let said = shown(&bad, Goal::default(), 140);
        assert!(said.contains("1 user ") && said.ends_with("GENERATOR IS THE BOTTLENECK  stopping"), "{said}");
    }

    #[test]
    fn the_line_stays_within_the_width_and_keeps_what_matters_most() {
        let busy = Snapshot { is_stopping: true, ..snapshot(true) };
        for width in 1..200 {
            for goal in [Goal::default(), Goal { time: Some(Duration::from_secs(90)), requests: Some(99_999) }] {
                let said = shown(&busy, goal, width);
                assert!(said.chars().count() < width.max(2), "{width}: {said}");
            }
        }
        assert_eq!(shown(&busy, Goal::default(), 60), "1:15  1,234 req/s  GENERATOR IS THE BOTTLENECK");
        assert_eq!(shown(&snapshot(false), Goal::default(), 46), "1:15  1,234 req/s  123 failed (1.0%)");
    }

    #[test]
    fn colours_are_left_out_where_not_wanted() {
        let said = |colour| line(&snapshot(false), Goal::default(), Moment::START, 140, colour);
        assert!(said(Colour::Some).contains("\x1b[31m123 failed (1.0%)\x1b[0m"));
        assert!(!said(Colour::None).contains('\x1b'));
    }
}
