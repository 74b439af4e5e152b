//! Python's own functions.

use super::calls::Arguments;
use super::clock::whole_time;
use super::evaluator::Evaluator;
use super::library::range_of;
use super::value::{JsonPlace, Missing, RunKind, RunValue, Value};

impl Evaluator<'_> {
    /// A function of Python itself.
    pub(super) fn builtin(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
        let Some(first) = arguments.by_place.first().cloned() else {
            return match name {
                "dict" => Value::Dict(
                    arguments.by_name.iter().map(|(name, value)| (Value::text(name), value.clone())).collect(),
                ),
                "list" | "set" | "tuple" => Value::List(Vec::new()),
                "str" => Value::text(""),
                _ => Value::unknown(line, format!("{name} is not known")),
            };
        };
        if let Value::Unknown(_) = first {
            return first;
        }
        match (name, first) {
            ("str" | "repr" | "format", value) => {
                self.text(&value, line).map_or_else(Value::Unknown, |text| match &*text.0 {
                    [super::value::Part::Run(run)] if matches!(value, Value::Run(_)) => {
                        Value::Run(RunValue { kind: RunKind::Text, ..run.clone() })
                    }
                    _ => Value::Text(text),
                })
            }
            ("int" | "float", value) => self.as_number(name, value, line),
            ("bool", value) => {
                self.truth(value, line).map_or_else(Value::Unknown, |condition| Value::Test(Box::new(condition)))
            }
            ("round", value) => rounded(value, arguments.get(1, "ndigits"), line),
            ("len", value) => self.length(value, line),
            ("range", _) => range(arguments, line),
            ("list" | "tuple" | "set", Value::Tuple(items)) => Value::List(items),
            ("list", Value::Range(from, to)) if to - from <= 10_000 => {
                Value::List((from..to).map(Value::Int).collect())
            }
            ("list" | "tuple" | "set" | "iter" | "bytes", value) => value,
            ("dict", Value::Dict(mut members)) => {
                for (name, value) in &arguments.by_name {
                    super::expr::set_member(&mut members, Value::text(name), value.clone());
                }
                Value::Dict(members)
            }
            ("next", Value::Counter) => Value::Run(RunValue::made("counter", RunKind::Number)),
            ("next", Value::Rows(name)) => Value::Row(name),
            ("open", value) => {
                value.known_text().map_or_else(|| Value::unknown(line, "a file that is not known"), Value::File)
            }
            ("enumerate", Value::List(items) | Value::Tuple(items)) => {
                enumerated(items, arguments.get(1, "start"), line)
            }
            ("min" | "max" | "sum" | "abs", _) => numbers(name, &arguments.by_place)
                .unwrap_or_else(|| Value::unknown(line, format!("{name} of values of the run"))),
            ("hasattr", _) => Value::unknown(line, "hasattr"),
            (name, _) => Value::unknown(line, format!("{name}() is not known")),
        }
    }

    /// `int(value)` or `float(value)`
    fn as_number(&mut self, name: &str, value: Value, line: u32) -> Value {
        match (name, value) {
            ("int", Value::Time(moment)) => whole_time(moment),
            ("int", Value::Text(text)) => match text.known().and_then(|text| text.trim().parse().ok()) {
                Some(number) => Value::Int(number),
                None => Value::unknown(line, "int() of a text"),
            },
            #[expect(clippy::cast_possible_truncation, reason = "as int() does")]
            ("int", Value::Float(number)) => Value::Int(number as i64),
            ("int" | "float", Value::Run(run)) => Value::Run(RunValue { kind: RunKind::Number, ..run }),
            ("int" | "float", Value::Json(place)) => match self.extracted(&place, line) {
                Ok(run) => Value::Run(RunValue { kind: RunKind::Number, ..run }),
                Err(problem) => Value::Unknown(problem),
            },
            ("float", value @ (Value::Int(_) | Value::Float(_))) | ("int", value @ Value::Int(_)) => value,
            ("float", Value::Text(text)) => match text.known().and_then(|text| text.trim().parse().ok()) {
                Some(number) => Value::Float(number),
                None => Value::unknown(line, "float() of a text"),
            },
            _ => Value::unknown(line, format!("{name}() of a value that is not known")),
        }
    }

    fn length(&mut self, value: Value, line: u32) -> Value {
        let count = |length: usize| Value::Int(i64::try_from(length).unwrap_or(i64::MAX));
        match value {
            Value::List(items) | Value::Tuple(items) => count(items.len()),
            Value::Dict(members) => count(members.len()),
            Value::Text(text) if text.known().is_some() => count(text.known().unwrap_or_default().chars().count()),
            Value::RunList(name) => Value::Run(RunValue::made(format!("count({name})"), RunKind::Number)),
            Value::Json(place) => {
                let place =
                    JsonPlace { pointer: format!("{}/*", place.pointer), missing: Missing::Is(String::new()), ..place };
                match self.json_list(&place) {
                    Ok(name) => Value::Run(RunValue::made(format!("count({name})"), RunKind::Number)),
                    Err(problem) => Value::Unknown(problem),
                }
            }
            _ => Value::unknown(line, "the length of a value of the run"),
        }
    }
}

/// `enumerate(items, start)`
fn enumerated(items: Vec<Value>, start: Option<&Value>, line: u32) -> Value {
    let from = match start {
        None => 0,
        Some(Value::Int(from)) => *from,
        Some(_) => return Value::unknown(line, "enumerate() from a number that is not known"),
    };
    let number = |at: usize| Value::Int(i64::try_from(at).unwrap_or(i64::MAX).saturating_add(from));
    Value::List(items.into_iter().enumerate().map(|(at, item)| Value::Tuple(vec![number(at), item])).collect())
}

fn range(arguments: &Arguments, line: u32) -> Value {
    match &*arguments.by_place {
        [Value::Int(to)] => Value::Range(0, *to),
        [Value::Int(from), Value::Int(to)] => Value::Range(*from, *to),
        [Value::Int(from), Value::Int(to), Value::Int(step @ 1..)] if (to - from) / step <= 10_000 => {
            Value::List((*from..*to).step_by(usize::try_from(*step).unwrap_or(1)).map(Value::Int).collect())
        }
        [Value::Run(run)] => match range_of(&run.code) {
            Some((low, high)) => Value::RandomRange(low, high),
            None => Value::unknown(line, "range() of a value of the run"),
        },
        _ => Value::unknown(line, "range() of a value of the run"),
    }
}

fn numbers(name: &str, values: &[Value]) -> Option<Value> {
    let values = if let [Value::List(items)] = values { items } else { values };
    let numbers: Option<Vec<i64>> =
        values.iter().map(|value| if let Value::Int(number) = value { Some(*number) } else { None }).collect();
    let numbers = numbers?;
    Some(Value::Int(match name {
        "min" => *numbers.iter().min()?,
        "max" => *numbers.iter().max()?,
        "sum" => numbers.iter().sum(),
        _ => numbers.first()?.abs(),
    }))
}

fn rounded(value: Value, digits: Option<&Value>, line: u32) -> Value {
    match (&value, digits) {
        #[expect(clippy::cast_possible_truncation, reason = "as round() does")]
        (Value::Float(number), None) => Value::Int(number.round_ties_even() as i64),
        (Value::Float(number), Some(Value::Int(digits @ 0..=15))) => {
            // As Python, by the exact value of the number.
            let digits = usize::try_from(*digits).unwrap_or(0);
            Value::Float(format!("{number:.digits$}").parse().unwrap_or(*number))
        }
        (Value::Int(_), _) => value,
        (Value::Uniform(low, high), Some(Value::Int(1..=6))) if low.fract() == 0.0 && high.fract() == 0.0 => value,
        (Value::Time(moment), None) => whole_time(*moment),
        _ => Value::unknown(line, "round() of a value of the run"),
    }
}
