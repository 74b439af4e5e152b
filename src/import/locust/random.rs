//! Random values.

use super::calls::Arguments;
use super::evaluator::Evaluator;
use super::steps::Step;
use super::value::{JsonPlace, Missing, PickFrom, RunKind, RunValue, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// A function of `random`.
    pub(super) fn random(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
        let number = |place: usize| {
            if let Some(Value::Int(number)) = arguments.by_place.get(place) { Some(*number) } else { None }
        };
        let between =
            |low: i64, high: i64| Value::Run(RunValue::made(format!("random({low},{high})"), RunKind::Number));
        let unknown = || Value::unknown(line, format!("random.{name} with these arguments"));
        if let Some(unknown) = arguments.unknown() {
            return unknown;
        }
        match name {
            "randint" => match (number(0), number(1)) {
                (Some(low), Some(high)) if low <= high => between(low, high),
                _ => unknown(),
            },
            "randrange" | "randbelow" => match (number(0), number(1), number(2)) {
                (Some(high), None, None) if high > 0 => between(0, high - 1),
                (Some(low), Some(high), None) if low < high => between(low, high - 1),
                _ => unknown(),
            },
            "random" => Value::RandomUnit,
            "uniform" => {
                let bound = |place: usize| arguments.by_place.get(place).and_then(Value::number);
                bound(0).zip(bound(1)).map_or_else(unknown, |(low, high)| Value::Uniform(low.min(high), high.max(low)))
            }
            "choice" => arguments.by_place.first().cloned().map_or_else(unknown, |list| self.choice(list, line)),
            "choices" => self.choices(arguments, line),
            "sample" if arguments.get(1, "k") == Some(&Value::Int(1)) => {
                let one = arguments.by_place.first().cloned().map_or_else(unknown, |list| self.choice(list, line));
                Value::List(vec![one])
            }
            "getrandbits" => match number(0) {
                Some(bits @ 1..=62) => between(0, (1 << bits) - 1),
                _ => unknown(),
            },
            "token_hex" => match number(0) {
                Some(bytes @ 1..=1000) => Value::Run(RunValue::made(format!("hex({})", bytes * 2), RunKind::Text)),
                _ => unknown(),
            },
            "shuffle" | "seed" => Value::unknown(line, format!("random.{name}")),
            _ => unknown(),
        }
    }

    /// `random.choice(list)`
    pub(super) fn choice(&mut self, list: Value, line: u32) -> Value {
        match list {
            Value::List(items) | Value::Tuple(items) => self.one_of(&items, line),
            Value::Range(low, high) if low < high => {
                Value::Run(RunValue::made(format!("random({low},{})", high - 1), RunKind::Number))
            }
            Value::Text(text) => match text.known() {
                Some(text) => self.one_of(&text.chars().map(|c| Value::text(&c.to_string())).collect::<Vec<_>>(), line),
                None => Value::unknown(line, "a random character of a text of the run"),
            },
            Value::RunList(name) => Value::Run(RunValue::made(format!("pick({name})"), RunKind::Json)),
            Value::Json(place) if place.pick == PickFrom::First => {
                let pointer =
                    if place.pointer.contains("/*") { place.pointer.clone() } else { format!("{}/*", place.pointer) };
                Value::Json(JsonPlace { pointer, pick: PickFrom::Random, missing: Missing::Raises, ..place })
            }
            Value::Rows(name) => {
                if let Some(Json::Object(table)) = self.data.get_mut(&name) {
                    table.retain(|(key, _)| key != "pick" && key != "per");
                    table.push(("pick".to_owned(), Json::Text("random".to_owned())));
                }
                Value::Row(name)
            }
            Value::Unknown(problem) => Value::Unknown(problem),
            _ => Value::unknown(line, "random.choice of a value of the run"),
        }
    }

    fn choices(&mut self, arguments: &Arguments, line: u32) -> Value {
        let count = match arguments.named("k") {
            None => 1,
            Some(Value::Int(count @ 1..=1000)) => *count,
            Some(_) => return Value::unknown(line, "random.choices of a number that is not known"),
        };
        let Some(list) = arguments.by_place.first().cloned() else { return Value::unknown(line, "random.choices") };
        if let Some(text) = list.known_text()
            && text == "abcdefghijklmnopqrstuvwxyz"
        {
            return Value::Letters(count);
        }
        let list = match (list, arguments.get(1, "weights")) {
            (list, None) => list,
            (Value::List(items) | Value::Tuple(items), Some(Value::List(weights) | Value::Tuple(weights))) => {
                match weighted(items, weights) {
                    Some(list) => Value::List(list),
                    None => return Value::unknown(line, "random.choices with these weights"),
                }
            }
            _ => return Value::unknown(line, "random.choices with these weights"),
        };
        Value::List((0..count).map(|_| self.choice(list.clone(), line)).collect())
    }

    /// One of these values.
    fn one_of(&mut self, items: &[Value], line: u32) -> Value {
        if let [one] = items {
            return one.clone();
        }
        let texts = items.iter().map(|item| self.text(item, line).ok().and_then(|text| text.known()));
        let texts: Option<Vec<String>> = texts.collect();
        let is_flat = items.iter().all(|item| matches!(item, Value::Text(_) | Value::Int(_) | Value::Float(_)));
        match texts.filter(|_| is_flat) {
            Some(texts) if texts.len() >= 2 && !texts.iter().any(|text| text.contains(['}', '\n'])) => {
                let numbers = items.iter().all(|item| matches!(item, Value::Int(_) | Value::Float(_)));
                if texts.iter().all(|text| text.len() == 1 && text.is_ascii()) && texts.concat() == "0123456789" {
                    return Value::Run(RunValue::made("random(0,9)", RunKind::Number));
                }
                let written: Vec<String> = texts.iter().map(|text| argument(text)).collect();
                let kind = if numbers { RunKind::Number } else { RunKind::Text };
                Value::Run(RunValue::made(format!("choice({})", written.join(",")), kind))
            }
            _ if items.is_empty() => Value::unknown(line, "a random item of an empty list"),
            _ => self.one_structure(items, line),
        }
    }

    /// One of several dictionaries or lists: by a random number, which is made now.
    fn one_structure(&mut self, items: &[Value], line: u32) -> Value {
        const MOST: usize = 200;
        if items.len() > MOST {
            return Value::unknown(line, format!("a random item of more than {MOST}"));
        }
        let index = self.names.fresh("choice");
        self.out.push(Step::set(&index, &format!("${{random(0,{})}}", items.len() - 1)));
        self.by_index(items, &index, line)
    }

    /// The item with the number that a variable has.
    pub(super) fn by_index(&mut self, items: &[Value], index: &str, line: u32) -> Value {
        let Some(Value::Dict(members)) = items.first() else { return self.scalar_by_index(items, index, line) };
        let keys: Vec<Value> = members.iter().map(|(key, _)| key.clone()).collect();
        let mut columns = Vec::new();
        for key in keys {
            let column: Option<Vec<Value>> = items
                .iter()
                .map(|item| match item {
                    Value::Dict(members) => {
                        members.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone())
                    }
                    _ => None,
                })
                .collect();
            let Some(column) = column else { return Value::unknown(line, "a random item of dictionaries that differ") };
            let value = if column.iter().all(|value| *value == column[0]) {
                column[0].clone()
            } else {
                self.scalar_by_index(&column, index, line)
            };
            columns.push((key, value));
        }
        Value::Dict(columns)
    }

    fn scalar_by_index(&mut self, items: &[Value], index: &str, line: u32) -> Value {
        if let Some(Value::Tuple(first)) = items.first() {
            let length = first.len();
            let rows: Option<Vec<&Vec<Value>>> = items
                .iter()
                .map(|item| if let Value::Tuple(row) = item { (row.len() == length).then_some(row) } else { None })
                .collect();
            let Some(rows) = rows else { return Value::unknown(line, "a random item of tuples that differ") };
            let columns: Vec<Vec<Value>> =
                (0..length).map(|at| rows.iter().map(|row| row[at].clone()).collect()).collect();
            return Value::Tuple(columns.iter().map(|column| self.scalar_by_index(column, index, line)).collect());
        }
        let name = self.names.fresh("chosen");
        let mut kinds = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if matches!(item, Value::Dict(_) | Value::List(_)) {
                return Value::unknown(line, "a random item with lists or dictionaries in it");
            }
            let (steps, kind, _) = self.branch(self.state.clone(), |this| this.assign_variable(&name, item, line));
            match kind {
                Ok(kind) => kinds.push(kind),
                Err(problem) => return Value::Unknown(problem),
            }
            self.out.push(Step::When(format!("${{{index}}} == {at}"), steps, Vec::new()));
        }
        let kind = kinds.first().copied().filter(|first| kinds.iter().all(|kind| kind == first));
        Value::Run(RunValue::variable(&name, kind.unwrap_or(RunKind::Text)))
    }
}

/// Items as often as their weights say.
fn weighted(items: Vec<Value>, weights: &[Value]) -> Option<Vec<Value>> {
    let mut scale = 1.0;
    while scale < 1000.0
        && weights.iter().any(|weight| weight.number().is_some_and(|number| (number * scale).fract() > 1e-9))
    {
        scale *= 10.0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small weights")]
    let weights: Option<Vec<usize>> =
        weights.iter().map(|weight| Some((weight.number()? * scale).round() as usize)).collect();
    let weights = weights.filter(|weights| weights.len() == items.len())?;
    let divisor = weights.iter().fold(0, |a, b| gcd(a, *b)).max(1);
    let total: usize = weights.iter().map(|weight| weight / divisor).sum();
    (total <= 1000).then(|| {
        items.into_iter().zip(weights).flat_map(|(item, weight)| std::iter::repeat_n(item, weight / divisor)).collect()
    })
}

pub(super) fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// An argument of `choice`.
fn argument(text: &str) -> String {
    let is_bare = !text.is_empty() && text.trim() == text && !text.contains(',') && !text.starts_with(['\'', '"']);
    if is_bare { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}
