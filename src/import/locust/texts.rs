//! Values as texts and as JSON, and operations on them.

use super::evaluator::{Evaluator, Known};
use super::syntax::Expr;
use super::value::{JsonPlace, Moment, Problem, RunKind, RunValue, Text, TimeForm, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// A value as `str()` writes it.
    pub(super) fn text(&mut self, value: &Value, line: u32) -> Known<Text> {
        let literal = |text: &str| Ok(Text::literal(text));
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::None => literal("None"),
            Value::Bool(true) => literal("True"),
            Value::Bool(false) => literal("False"),
            Value::Int(number) => literal(&number.to_string()),
            Value::Float(number) => literal(&float(*number)),
            Value::Run(run) => Ok(Text::run(run.clone())),
            Value::Json(place) => Ok(Text::run(self.extracted(place, line)?)),
            Value::Time(moment) => Ok(Text::run(RunValue::made(moment_code(*moment), RunKind::Text))),
            Value::RandomUnit => Ok(fraction("0", 6)),
            Value::Uniform(low, high) if low.fract() == 0.0 && high.fract() == 0.0 && low < high && *low >= 0.0 => {
                Ok(fraction(&format!("${{random({low},{})}}", high - 1.0), 3))
            }
            Value::Match(..) | Value::Uniform(..) => {
                Err(Problem { line, why: "a random number between bounds that are no whole numbers".to_owned() })
            }
            Value::Status(request) => {
                let code = self.status(*request);
                Ok(Text::run(RunValue::variable(&code[2..code.len() - 1], RunKind::Number)))
            }
            Value::Row(name) => Ok(Text::run(RunValue::variable(name, RunKind::Text))),
            Value::Unknown(problem) => Err(problem.clone()),
            _ => Err(Problem { line, why: "a value that cannot be written as a text".to_owned() }),
        }
    }

    /// A value as JSON with `${...}`.
    pub(super) fn json(&mut self, value: &Value, line: u32) -> Known<Json> {
        Ok(match value {
            Value::None => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => number_json(&number.to_string()),
            Value::Float(number) => number_json(&float(*number)),
            Value::Text(text) => Json::Text(text.template()),
            Value::List(items) | Value::Tuple(items) => {
                Json::List(items.iter().map(|item| self.json(item, line)).collect::<Known<_>>()?)
            }
            Value::Dict(members) => {
                let mut all = Vec::new();
                for (key, value) in members {
                    let name = self.text(key, line)?.template();
                    all.push((name, self.json(value, line)?));
                }
                Json::Object(all)
            }
            Value::Run(run) => self.run_json(run, line),
            Value::Json(place) => {
                let run = self.extracted(place, line)?;
                self.run_json(&run, line)
            }
            Value::Time(Moment { form: TimeForm::Seconds | TimeForm::Milliseconds, .. })
            | Value::RandomUnit
            | Value::Uniform(..) => {
                let text = self.text(value, line)?;
                let name = self.names.fresh("value");
                self.set(&name, Json::Text(text.template()));
                Json::Text(format!("${{number({name})}}"))
            }
            Value::Unknown(problem) => return Err(problem.clone()),
            other => Json::Text(self.text(other, line)?.template()),
        })
    }

    fn run_json(&mut self, run: &RunValue, line: u32) -> Json {
        let is_number = match run.kind {
            RunKind::Text => false,
            RunKind::Number | RunKind::Bool => true,
            RunKind::Json => {
                let is_number = is_number_name(&run.code);
                let kind = if is_number { "number" } else { "text" };
                self.remark(
                    line,
                    format!("{} of a response is sent as a {kind} in JSON: if it is not one, change ${{…}}", run.code),
                );
                is_number
            }
        };
        if is_number {
            Json::Text(format!("${{number({})}}", run.code))
        } else {
            Json::Text(format!("${{{}}}", run.code))
        }
    }

    /// A part of an f-string.
    pub(super) fn formatted(&mut self, of: &Expr, spec: Option<&Expr>, line: u32) -> Value {
        let value = self.eval(of);
        let spec = spec.map(|spec| self.eval(spec).known_text().unwrap_or_default()).unwrap_or_default();
        self.with_spec(&value, &spec, line)
    }

    /// A value with a format specification of Python.
    pub(super) fn with_spec(&mut self, value: &Value, spec: &str, line: u32) -> Value {
        let plain = spec.trim_end_matches(['d', 's']);
        if plain.is_empty() {
            return match self.text(value, line) {
                Ok(text) => Value::Text(text),
                Err(problem) => Value::Unknown(problem),
            };
        }
        match (value, plain.strip_prefix('0').and_then(|width| width.parse::<usize>().ok())) {
            (Value::Int(number), Some(width)) => Value::text(&format!("{number:0width$}")),
            (Value::Float(number), _) if spec.starts_with('.') && spec.ends_with('f') => {
                let digits = spec[1..spec.len() - 1].parse().unwrap_or(6);
                Value::text(&format!("{number:.digits$}"))
            }
            (Value::Time(moment), _) if spec.contains('%') => time_text(*moment, spec, line),
            (Value::Run(run), Some(width)) => match padded(&run.code, width) {
                Some(text) => Value::Text(text),
                None => Value::unknown(line, format!("the format {spec:?} of a value of the run")),
            },
            _ => Value::unknown(line, format!("the format {spec:?}")),
        }
    }

    /// `left + right` and the like.
    pub(super) fn binary(&mut self, left: Value, operator: &str, right: Value, line: u32) -> Value {
        if let (Value::Unknown(problem), _) | (_, Value::Unknown(problem)) = (&left, &right) {
            return Value::Unknown(problem.clone());
        }
        if let Some(value) = arithmetic(&left, operator, &right) {
            return value;
        }
        match (operator, left, right) {
            ("Add", Value::List(mut all), Value::List(more)) => {
                all.extend(more);
                Value::List(all)
            }
            ("BitOr", Value::Dict(mut all), Value::Dict(more)) => {
                for (key, value) in more {
                    super::expr::set_member(&mut all, key, value);
                }
                Value::Dict(all)
            }
            ("Mult", Value::List(items), Value::Int(times @ 0..=1000)) => {
                let times = usize::try_from(times).unwrap_or(0);
                Value::List(std::iter::repeat_n(items, times).flatten().take(10_000).collect())
            }
            ("Mult", Value::Text(text), Value::Int(times @ 0..=100_000)) => match text.known() {
                Some(text) => Value::text(&text.repeat(usize::try_from(times).unwrap_or(0))),
                None => Value::unknown(line, "a text that is repeated"),
            },
            ("Div", Value::Text(_), _) => Value::unknown(line, "a path"),
            ("Mult", Value::Time(Moment { offset, form: TimeForm::Seconds }), right)
                if right.number() == Some(1000.0) =>
            {
                Value::Time(Moment { offset, form: TimeForm::Milliseconds })
            }
            ("Add" | "Sub", Value::Time(moment), Value::Delta(seconds)) => moved(moment, operator, seconds),
            ("Add" | "Sub", Value::Time(moment), right)
                if right.number().is_some() && moment.form == TimeForm::Seconds =>
            {
                moved(moment, operator, right.number().unwrap_or_default())
            }
            ("Mod", Value::Text(format), values) => self.percent(&format, values, line),
            ("Add", left, right) if is_text(&left) && is_text(&right) => {
                match (self.text(&left, line), self.text(&right, line)) {
                    (Ok(mut text), Ok(more)) => {
                        text.push(more);
                        Value::Text(text)
                    }
                    (Err(problem), _) | (_, Err(problem)) => Value::Unknown(problem),
                }
            }
            _ => Value::unknown(line, "arithmetic with a value of the run"),
        }
    }

    /// `"%s of %d" % (a, b)`
    fn percent(&mut self, format: &Text, values: Value, line: u32) -> Value {
        let Some(format) = format.known() else { return Value::unknown(line, "% on a text of the run") };
        let mut values = match values {
            Value::Tuple(values) => values.into_iter(),
            other => vec![other].into_iter(),
        };
        let mut text = Text::default();
        let mut rest = format.as_str();
        while let Some((before, after)) = rest.split_once('%') {
            text.push(Text::literal(before));
            let end = after.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(0);
            let (spec, kind) = (&after[..end], &after[end..(end + 1).min(after.len())]);
            rest = &after[(end + 1).min(after.len())..];
            if kind == "%" {
                text.push(Text::literal("%"));
                continue;
            }
            let Some(value) = values.next() else { return Value::unknown(line, "% without a value") };
            let spec = if kind == "f" { format!("{spec}f") } else { spec.to_owned() };
            let part = self.with_spec(&value, &spec, line);
            match self.text(&part, line) {
                Ok(part) if "sdif".contains(kind) => text.push(part),
                Ok(_) => return Value::unknown(line, format!("the format %{kind}")),
                Err(problem) => return Value::Unknown(problem),
            }
        }
        text.push(Text::literal(rest));
        Value::Text(text)
    }

    /// Sets a variable of the scenario to a value; returns the kind that it has.
    pub(super) fn assign_variable(&mut self, name: &str, value: &Value, line: u32) -> Known<RunKind> {
        match value {
            Value::None => {
                self.set(name, Json::Null);
                Ok(RunKind::Json)
            }
            Value::Bool(truth) => {
                self.set(name, Json::Bool(*truth));
                Ok(RunKind::Bool)
            }
            Value::Int(_) | Value::Float(_) => {
                let json = self.json(value, line)?;
                self.set(name, json);
                Ok(RunKind::Number)
            }
            Value::Json(place) => {
                let run = self.extracted(place, line)?;
                if run.code != name {
                    self.set(name, Json::Text(format!("${{{}}}", run.code)));
                }
                Ok(run.kind)
            }
            other => {
                let kind = if let Value::Run(run) = other { run.kind } else { RunKind::Text };
                let kind = if matches!(other, Value::RandomUnit | Value::Uniform(..)) { RunKind::Number } else { kind };
                let text = self.text(other, line)?;
                let is_itself = matches!(other, Value::Run(run) if run.code == name);
                if !is_itself {
                    self.set(name, Json::Text(text.template()));
                }
                Ok(kind)
            }
        }
    }
}

use super::value::Missing;

/// A float as Python writes it.
pub(super) fn float(number: f64) -> String {
    let text = number.to_string();
    if text.contains(['.', 'e', 'N', 'i']) { text } else { format!("{text}.0") }
}

pub(super) fn number_json(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap_or(Json::Null)
}

/// A number with random digits after the point.
fn fraction(whole: &str, digits: usize) -> Text {
    let whole = whole.strip_prefix("${").and_then(|whole| whole.strip_suffix('}'));
    let mut text = whole.map_or_else(|| Text::literal("0"), |code| Text::run(RunValue::made(code, RunKind::Number)));
    text.push(Text::literal("."));
    for _ in 0..digits {
        text.push(Text::run(RunValue::made("random(0,9)", RunKind::Number)));
    }
    text
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Json(_) | Value::Row(_))
        || matches!(value, Value::Run(run) if run.kind != RunKind::Number)
}

/// A random number with zeros in front: digit by digit, where it has all numbers of so many digits.
fn padded(code: &str, width: usize) -> Option<Text> {
    let (low, high) = code.strip_prefix("random(")?.strip_suffix(')')?.split_once(',')?;
    let power = u32::try_from(width).ok().and_then(|width| 10_i64.checked_pow(width))?;
    if low.parse() != Ok(0_i64) || high.parse() != Ok(power - 1) {
        return None;
    }
    Some(Text((0..width).map(|_| super::value::Part::Run(RunValue::made("random(0,9)", RunKind::Number))).collect()))
}

fn arithmetic(left: &Value, operator: &str, right: &Value) -> Option<Value> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let number = match operator {
            "Add" => left.checked_add(*right),
            "Sub" => left.checked_sub(*right),
            "Mult" => left.checked_mul(*right),
            "FloorDiv" => left.checked_div_euclid(*right),
            "Mod" => left.checked_rem_euclid(*right),
            "Pow" => left.checked_pow(u32::try_from(*right).ok()?),
            _ => None,
        };
        if let Some(number) = number {
            return Some(Value::Int(number));
        }
    }
    let (left, right) = (left.number()?, right.number()?);
    Some(Value::Float(match operator {
        "Add" => left + right,
        "Sub" => left - right,
        "Mult" => left * right,
        "Div" if right != 0.0 => left / right,
        _ => return None,
    }))
}

fn moved(moment: Moment, operator: &str, seconds: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a distance")]
    let seconds = seconds.round() as i64;
    let seconds = if operator == "Sub" { -seconds } else { seconds };
    Value::Time(Moment { offset: moment.offset.saturating_add(seconds), ..moment })
}

fn offset_code(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        days if days % 86_400 == 0 => format!("{:+}d", days / 86_400),
        seconds => format!("{seconds:+}s"),
    }
}

/// A time as `str()` writes it.
pub(super) fn moment_code(moment: Moment) -> String {
    let format = match moment.form {
        TimeForm::Seconds => "%s.%f",
        TimeForm::Milliseconds => "%s%L",
        TimeForm::DateTime => "%F %T.%f",
        TimeForm::Date => "%F",
    };
    let offset = offset_code(moment.offset);
    if offset.is_empty() { format!("now({format})") } else { format!("now({offset}, {format})") }
}

/// Whether values of this name usually are numbers.
fn is_number_name(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_').to_ascii_lowercase();
    let words = [
        "id", "count", "quantity", "qty", "price", "amount", "total", "page", "age", "number", "size", "balance",
        "version", "year", "score",
    ];
    words.iter().any(|word| name == *word || name.ends_with(&format!("_{word}"))) || name.ends_with("id")
}

/// A time in a format of `strftime`.
pub(super) fn time_text(moment: Moment, format: &str, line: u32) -> Value {
    const KNOWN: &str = "YymdjHIpMSLfaAbBuwsFTzZ%";
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        match after.chars().next() {
            Some(letter) if KNOWN.contains(letter) => rest = &after[letter.len_utf8()..],
            _ => return Value::unknown(line, format!("the format {format:?} of a time")),
        }
    }
    if format.is_empty() || format.contains(['}', '$']) {
        return Value::unknown(line, format!("the format {format:?} of a time"));
    }
    let quoted = if format.trim() == format { format.to_owned() } else { format!("'{}'", format.replace('\'', "''")) };
    let offset = offset_code(moment.offset);
    let code = if offset.is_empty() { format!("now({quoted})") } else { format!("now({offset}, {quoted})") };
    Value::Run(RunValue::made(code, RunKind::Text))
}

/// The place of a member.
pub(super) fn member_of(place: &JsonPlace, key: &str, missing: Missing) -> JsonPlace {
    let key = key.replace('~', "~0").replace('/', "~1");
    JsonPlace { pointer: format!("{}/{key}", place.pointer), missing, ..place.clone() }
}
