//! How a run goes, while it goes: one line for a terminal, Locust's table for a log.
//!
//! Not indicatif: a narrow terminal gets the most important parts of the line, and only the thread of the screen may
//! write, so that a slow terminal holds up nothing else.

use std::fmt::Write as _;
use std::time::Duration;

use super::model::Numbers;
use super::plain::{cut, plain};
use super::table::{Column, judged_ms, ms, table};
use crate::clock::Moment;
use crate::stats::tally::Statistics;

/// What a run aims at, as far as it has an end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Goal {
    /// The load ends after this time.
    pub time: Option<Duration>,
    /// So many requests are started.
    pub requests: Option<u64>,
}

/// A run at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When.
    pub at: Moment,
    /// Users that ran.
    pub users: u32,
    /// Requests that were answered or failed so far.
    pub completed: u64,
    /// Those that failed.
    pub failed: u64,
    /// Requests a second over the last complete seconds.
    pub rate: f64,
    /// 95 % of the requests took at most so many milliseconds; as of the last tick, `None` before the first request of it.
    pub p95: Option<f64>,
    /// Whether this machine holds the load back.
    pub is_bottleneck: bool,
    /// Whether the stop has begun.
    pub is_stopping: bool,
    /// A row an endpoint, where a table is wanted, and one of all at the end.
    pub rows: Vec<Row>,
    /// Endpoints that have no row.
    pub further: usize,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Method; empty for all together.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// Its numbers.
    pub numbers: Numbers,
}

/// Whether a line may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Some of a terminal's.
    Some,
    /// None (`NO_COLOR`, or no terminal).
    None,
}

/// A piece of the line: the lower its rank, the sooner it is left out.
struct Piece {
    rank: u8,
    text: String,
    /// Colour by its number in SGR (ECMA-48 8.3.117); 0 for none.
    colour: u8,
}

/// The run in one line of fewer than `width` columns: the last one stays free, as some terminals break the line there.
/// `now` may be later than the snapshot, so that the time goes on between two of them.
#[must_use]
pub fn line(snapshot: &Snapshot, goal: Goal, now: Moment, width: usize, colour: Colour) -> String {
    let mut pieces = pieces(snapshot, goal, now);
    let room = width.saturating_sub(1);
    let taken = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.len() + SEPARATOR.len()).sum::<usize>();
    while pieces.len() > 1 && taken(&pieces) > room + SEPARATOR.len() {
        let least = pieces.iter().map(|piece| piece.rank).min();
        pieces.retain(|piece| Some(piece.rank) != least);
    }
    let texts = pieces.into_iter().map(|Piece { text, colour: number, .. }| match (colour, number) {
        (Colour::None, _) | (_, 0) => cut(&text, room),
        _ => format!("\x1b[{number}m{}\x1b[0m", cut(&text, room)),
    });
    texts.collect::<Vec<_>>().join(SEPARATOR)
}

const SEPARATOR: &str = "  ";
const RED: u8 = 31;
const YELLOW: u8 = 33;

fn pieces(snapshot: &Snapshot, goal: Goal, now: Moment) -> Vec<Piece> {
    let Snapshot { users, completed, failed, rate, p95, .. } = snapshot;
    let run = clock(now.since_start());
    let time = goal.time.map_or(run.clone(), |all| format!("{run} of {}", clock(all)));
    let requests = match goal.requests {
        Some(all) => format!("{} of {} requests", grouped(*completed), grouped(all)),
        None => format!("{} requests", grouped(*completed)),
    };
    let share = if *completed == 0 { 0.0 } else { *failed as f64 / *completed as f64 * 100.0 };
    let people = if *users == 1 { "user" } else { "users" };
    let piece = |rank, text: String, colour| Piece { rank, text, colour };
    let mut pieces = vec![
        piece(9, time, 0),
        piece(4, format!("{} {people}", grouped(u64::from(*users))), 0),
        // Where it is the goal, it says how far the run is.
        piece(if goal.requests.is_some() { 8 } else { 2 }, requests, 0),
        piece(6, format!("{} req/s", rounded(*rate)), 0),
        piece(5, format!("{} failed ({share:.1}%)", grouped(*failed)), if *failed > 0 { RED } else { 0 }),
    ];
    pieces.extend(p95.map(|p95| piece(3, format!("p95 {}ms", ms(p95)), 0)));
    if snapshot.is_bottleneck {
        pieces.push(piece(7, "GENERATOR IS THE BOTTLENECK".to_owned(), YELLOW));
    }
    if snapshot.is_stopping {
        pieces.push(piece(1, "stopping".to_owned(), YELLOW));
    }
    pieces
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

/// A number in groups of three digits.
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

/// The table that Locust prints every few seconds.
#[must_use]
pub fn statistics(snapshot: &Snapshot, width: Option<usize>) -> String {
    let mut text = requests(&snapshot.rows, Rate::Now, width);
    if snapshot.further > 0 {
        let _ = writeln!(text, "and {} further endpoints", snapshot.further);
    }
    if snapshot.is_bottleneck {
        text.push_str("the generator is the bottleneck: this machine holds the load back\n");
    }
    text + "\n"
}

/// Over which time requests a second are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// The last seconds.
    Now,
    /// The whole run.
    Whole,
}

/// Locust's first table; the last row is that of all requests.
#[must_use]
pub fn requests(rows: &[Row], rate: Rate, width: Option<usize>) -> String {
    let names: Vec<_> = rows.iter().map(|row| (plain(&row.method), plain(&row.name))).collect();
    let column = |title, rank, cell: fn(&Statistics) -> String| {
        let cells = rows.iter().map(|row| cell(&row.numbers.statistics)).collect();
        Column { title, rank, cells }
    };
    let time = |title, rank, of: fn(&Numbers) -> (f64, bool)| {
        let cells = rows.iter().map(|row| judged_ms(of(&row.numbers))).collect();
        Column { title, rank, cells }
    };
    let rates: [fn(&Statistics) -> String; 2] = match rate {
        Rate::Now => [|row| format!("{:.1}", row.current_rps), |row| format!("{:.2}", row.current_fail_per_sec)],
        Rate::Whole => [|row| format!("{:.1}", row.total_rps), |row| format!("{:.2}", row.total_fail_per_sec)],
    };
    let columns = vec![
        column("# reqs", 9, |row| row.num_requests.to_string()),
        column("# fails", 8, |row| {
            let share = row.num_failures as f64 / row.num_requests.max(1) as f64 * 100.0;
            format!("{}({share:.2}%)", row.num_failures)
        }),
        time("Avg", 6, |row| (row.statistics.avg_response_time, row.bounds.avg)),
        column("Min", 3, |row| if row.num_requests > 0 { ms(row.min_response_time) } else { "-".to_owned() }),
        time("Max", 5, |row| (row.statistics.max_response_time, row.bounds.max)),
        time("Med", 4, |row| (row.statistics.percentile_50, row.bounds.percentile_50)),
        column("req/s", 7, rates[0]),
        column("failures/s", 2, rates[1]),
    ];
    table(&names, columns, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot { users: 1200, completed: 12_345, failed: 123, rate: 1234.4, p95: Some(98.76), ..Snapshot::default() }
    }

    fn shown(snapshot: &Snapshot, goal: Goal, width: usize) -> String {
        line(snapshot, goal, Moment::at(Duration::from_secs(75)), width, Colour::None)
    }

    #[test]
    fn the_line_says_how_far_the_run_is_and_how_it_goes() {
        let minutes = Goal { time: Some(Duration::from_secs(3723)), requests: None };
        let wanted = "1:15 of 1:02:03  1,200 users  12,345 requests  1,234 req/s  123 failed (1.0%)  p95 98.8ms";
        assert_eq!(shown(&snapshot(), minutes, 140), wanted);
        let number = Goal { time: None, requests: Some(1_000_000) };
        assert!(shown(&snapshot(), number, 140).starts_with("1:15  1,200 users  12,345 of 1,000,000 requests  "));
        let bad = Snapshot { is_bottleneck: true, is_stopping: true, users: 1, ..snapshot() };
        let said = shown(&bad, Goal::default(), 140);
        assert!(said.contains("1 user ") && said.ends_with("GENERATOR IS THE BOTTLENECK  stopping"), "{said}");
    }

    #[test]
    fn the_line_stays_within_the_width_and_keeps_what_matters() {
        let busy = Snapshot { is_bottleneck: true, is_stopping: true, ..snapshot() };
        for width in 1..200 {
            for goal in [Goal::default(), Goal { time: Some(Duration::from_secs(90)), requests: Some(99_999) }] {
                let said = shown(&busy, goal, width);
                assert!(said.chars().count() < width.max(2), "{width}: {said}");
            }
        }
        assert_eq!(shown(&busy, Goal::default(), 60), "1:15  1,234 req/s  GENERATOR IS THE BOTTLENECK");
        assert_eq!(shown(&snapshot(), Goal::default(), 46), "1:15  1,234 req/s  123 failed (1.0%)");
    }

    #[test]
    fn colours_are_left_out_where_nobody_wants_them() {
        let said = |colour| line(&snapshot(), Goal::default(), Moment::START, 140, colour);
        assert!(said(Colour::Some).contains("\x1b[31m123 failed (1.0%)\x1b[0m"));
        assert!(!said(Colour::None).contains('\x1b'));
    }

    #[test]
    fn the_table_for_a_log_is_that_of_locust() {
        let statistics = Statistics {
            num_requests: 200,
            num_failures: 3,
            min_response_time: 0.25,
            max_response_time: 1200.0,
            avg_response_time: 12.5,
            percentile_50: 3.0,
            current_rps: 40.0,
            ..Statistics::default()
        };
        let numbers = Numbers { statistics, ..Numbers::default() };
        let row = |method: &str, name: &str| Row { method: method.to_owned(), name: name.to_owned(), numbers };
        let rows = vec![row("GET", "/a\u{1b}[2J"), row("", "Aggregated")];
        let text = super::statistics(&Snapshot { rows, further: 2, ..Snapshot::default() }, None);
        let wanted = "\
Type Name        # reqs  # fails  Avg  Min  Max  Med req/s failures/s
----|-----------|------|--------|----|----|----|----|-----|----------
GET  /a\\u{1b}[2J    200 3(1.50%) 12.5 0.25 1200 3.00  40.0       0.00
----|-----------|------|--------|----|----|----|----|-----|----------
     Aggregated     200 3(1.50%) 12.5 0.25 1200 3.00  40.0       0.00
and 2 further endpoints

";
        assert_eq!(text, wanted);
    }
}
