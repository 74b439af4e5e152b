//! Parses a check character by character, so that errors have a position.

use super::metric::{METRICS, Metric, Trend, Unit};
use super::{Check, CheckScope, LATENCIES, RELATIONS, Relation};
use crate::vocabulary::Phase;

/// Units of time, in microseconds.
const TIMES: [(&str, f64); 3] = [("us", 1.0), ("ms", 1_000.0), ("s", 1_000_000.0)];

/// Maximum length of a check in bytes: checks are written to the stream in full, whereas longer settings are
/// hashed.
const LONGEST: usize = 1024;

type ParseResult<T> = Result<T, String>;

/// The text being parsed and the current position.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Check {
    /// Parses a check.
    ///
    /// # Errors
    /// A sentence with the position of the error and what is expected there.
    pub fn parse(text: &str) -> ParseResult<Self> {
        if text.len() > LONGEST { Err(format!("takes over {LONGEST} bytes")) } else { check(text) }
    }
}

fn check(text: &str) -> ParseResult<Check> {
    let text = text.trim();
    let mut rest = Cursor { text, at: 0 };
    let latency = LATENCIES.into_iter().find(|(prefix, _)| rest.take(prefix));
    let metric = metric(&mut rest)?;
    if let Some((prefix, _)) = latency.filter(|_| metric.unit() != Unit::Time) {
        return Err(format!("{prefix} goes with a time: p50, p90, p95, p99, p99.9, min, avg or max"));
    }
    let latency = latency.map(|(_, latency)| latency).unwrap_or_default();
    let mut scope = CheckScope { latency, ..CheckScope::default() };
    loop {
        rest.skip_blanks();
        if scope.endpoint.is_none() && rest.remaining().starts_with('{') {
            scope.endpoint = Some(endpoint(&mut rest)?);
        } else if scope.phase.is_none() && rest.take("@") {
            scope.phase = Some(phase(&mut rest)?);
        } else {
            break;
        }
    }
    let relation = relation(&mut rest)?;
    rest.skip_blanks();
    let bound = bound(&mut rest, metric)?;
    rest.skip_blanks();
    let abort_at = rest.at;
    let aborts = rest.take("abort");
    if aborts {
        can_abort(&scope, metric, relation, bound).map_err(|why| format!("character {}: abort {why}", abort_at + 1))?;
    }
    rest.skip_blanks();
    if !rest.remaining().is_empty() {
        return Err(rest.expected(if aborts { "the end" } else { "abort or the end" }));
    }
    Ok(Check { text: text.to_owned(), scope, metric, relation, bound, aborts })
}

fn metric(rest: &mut Cursor) -> ParseResult<Metric> {
    let word = rest.peek(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    match METRICS.into_iter().find(|(name, _)| *name == word) {
        Some((name, metric)) => {
            rest.at += name.len();
            Ok(metric)
        }
        None => Err(rest.expected(&format!("one of {}", METRICS.map(|(name, _)| name).join(", ")))),
    }
}

/// From `{` to the last `}`.
fn endpoint(rest: &mut Cursor) -> ParseResult<String> {
    let inside = &rest.remaining()[1..];
    let Some(end) = inside.rfind('}') else {
        return Err(format!("character {}: no }} closes this {{", rest.char_number()));
    };
    let name = inside[..end].trim();
    if name.is_empty() {
        return Err(format!("character {}: expected an endpoint, such as {{GET /items}}", rest.char_number() + 1));
    }
    rest.at += end + 2;
    Ok(name.to_owned())
}

fn phase(rest: &mut Cursor) -> ParseResult<Phase> {
    let word = rest.peek(|c| c.is_ascii_alphanumeric() || c == '_');
    let phase = Phase::parse(word).ok_or_else(|| rest.expected("a phase: warmup, ramp, steady, down or drain"))?;
    rest.at += word.len();
    Ok(phase)
}

fn relation(rest: &mut Cursor) -> ParseResult<Relation> {
    match RELATIONS.into_iter().find(|(sign, _)| rest.take(sign)) {
        Some((_, relation)) => Ok(relation),
        None => Err(rest.expected("<, <=, >, >=, == or !=")),
    }
}

fn bound(rest: &mut Cursor, metric: Metric) -> ParseResult<f64> {
    let digits = rest.peek(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = digits.parse().map_err(|_| rest.expected("a number"))?;
    rest.at += digits.len();
    rest.skip_blanks();
    let unit = rest.peek(|c| c.is_alphabetic() || c == '%');
    match metric.unit() {
        Unit::Time => {
            let known = TIMES.into_iter().find(|(name, _)| *name == unit);
            let (name, scale) = known.ok_or_else(|| rest.expected("a unit of time: us, ms or s"))?;
            rest.at += name.len();
            // Rounded to the nanosecond, so that 0.3s equals 300ms.
            Ok((number * scale * 1000.0).round() / 1000.0)
        }
        Unit::Share => {
            let share = if rest.take("%") { number / 100.0 } else { number };
            if share > 1.0 {
                return Err(format!("character {}: a share is at most 1, which is 100%", rest.char_number()));
            }
            Ok(share)
        }
        Unit::PerSecond | Unit::Requests => Ok(number),
    }
}

/// Checks whether it can be certain before the end that the check is missed.
fn can_abort(scope: &CheckScope, metric: Metric, relation: Relation, bound: f64) -> Result<(), &'static str> {
    let (is_lower, is_upper) = match relation {
        Relation::Above | Relation::AtLeast => (true, false),
        Relation::Below | Relation::AtMost => (false, true),
        Relation::Unequal => return Err("does not go with !=, which may be missed and met again"),
        Relation::Equal => (false, false),
    };
    match (metric.trend(), relation) {
        (Trend::Grows, _) if is_lower => {
            Err("does not go with a lower bound on what only grows: that is judged at the end")
        }
        (Trend::Falls, _) if is_upper => {
            Err("does not go with an upper bound on min, which only falls: that is judged at the end")
        }
        (_, Relation::Equal) if metric == Metric::Failures || metric == Metric::FailRatio && bound <= 0.0 => Ok(()),
        (_, Relation::Equal) => Err("does not go with ==, which may be missed and met again"),
        _ if metric == Metric::Rps && is_lower && scope.phase.is_none() => {
            Err("needs a phase here, because the ramp has lower rates: rps@steady")
        }
        (Trend::Grows | Trend::Falls | Trend::Varies, _) => Ok(()),
    }
}

impl<'t> Cursor<'t> {
    fn remaining(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take(&mut self, prefix: &str) -> bool {
        let is_next = self.remaining().starts_with(prefix);
        self.at += if is_next { prefix.len() } else { 0 };
        is_next
    }

    fn peek(&self, belongs: impl Fn(char) -> bool) -> &'t str {
        let left = self.remaining();
        &left[..left.find(|c| !belongs(c)).unwrap_or(left.len())]
    }

    fn skip_blanks(&mut self) {
        self.at += self.peek(char::is_whitespace).len();
    }

    /// Number of the next character, from 1.
    fn char_number(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    fn expected(&self, what: &str) -> String {
        // Outside its endpoint a check contains no colon: what follows one belongs to something else, such as
        // `-u name:password`.
        let found = match self.peek(|c| !c.is_whitespace() && c != ':') {
            "" => "the end".to_owned(),
            found => format!("'{found}'"),
        };
        format!("character {}: expected {what}, found {found}", self.char_number())
    }
}
