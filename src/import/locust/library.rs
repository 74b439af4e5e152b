//! What is known of Python's library.

use super::calls::Arguments;
use super::evaluator::{Evaluator, Known, Phase};
use super::steps::Step;
use super::texts::number_json;
use super::value::{JsonPlace, Missing, Moment, PickFrom, Problem, RunKind, RunValue, TimeForm, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// The value of a call of a function of another package.
    pub(super) fn library(&mut self, path: &str, arguments: &Arguments, line: u32) -> Value {
        let first = arguments.by_place.first();
        let last = path.rsplit('.').next().unwrap_or_default();
        match path {
            "builtins.print" | "builtins.isinstance" | "builtins.type" | "gevent.spawn" => Value::None,
            _ if is_logging(path) => Value::None,
            "os.getenv" | "os.environ.get" => {
                let Some(name) = first.and_then(Value::known_text) else {
                    return Value::unknown(line, "a variable that is not known");
                };
                self.environment_with_default(&name, arguments.get(1, "default"), line)
            }
            "time.sleep" | "gevent.sleep" | "gevent.hub.sleep" => self.sleep(first, line),
            "itertools.count" => Value::Counter,
            "itertools.cycle" => first.cloned().unwrap_or(Value::None),
            "json.dumps" => Value::Dumped(Box::new(first.cloned().unwrap_or(Value::None))),
            "json.loads" => self.json_loads(first, line),
            "base64.b64encode" => self.base64(first, line),
            "urllib.parse.quote"
            | "urllib.parse.quote_plus"
            | "urllib.parse.unquote"
            | "html.escape"
            | "html.unescape" => first.cloned().unwrap_or(Value::None),
            "requests.auth.HTTPBasicAuth" | "types.SimpleNamespace" => Value::Tuple(arguments.by_place.clone()),
            "csv.DictReader" => self.rows(first, arguments, line),
            "copy.copy" | "copy.deepcopy" | "builtins.iter" | "builtins.sorted" => {
                first.cloned().unwrap_or(Value::None)
            }
            "os.path.join" => self.joined_path(arguments, line),
            "re.search" | "re.findall" | "re.match" => self.search(last, arguments, line),
            _ if path.starts_with("requests.") && self.phase == Phase::Setup => self.client_call(last, arguments, line),
            _ if path.starts_with("requests.") => {
                Value::unknown(line, format!("{path} is not of the user's client: Locust does not count it"))
            }
            _ if path.starts_with("builtins.") => self.builtin(last, arguments, line),
            _ if path.starts_with("random.") || path.starts_with("secrets.") => self.random(last, arguments, line),
            _ if path.starts_with("uuid.") && last.starts_with("uuid") => {
                Value::Run(RunValue::made("uuid", RunKind::Text))
            }
            _ if path.starts_with("time.") || path.starts_with("datetime.") => self.clock(path, arguments, line),
            _ => Value::unknown(line, format!("{path} is not known")),
        }
    }

    fn environment_with_default(&mut self, name: &str, default: Option<&Value>, line: u32) -> Value {
        match default {
            None | Some(Value::None) => self.environment(name, Some(String::new())),
            Some(value) => match self.text(value, line).map(|text| text.known()) {
                Ok(Some(text)) => self.environment(name, Some(text)),
                _ => Value::unknown(line, "a default that is not known"),
            },
        }
    }

    /// `time.sleep(…)`: a pause.
    fn sleep(&mut self, length: Option<&Value>, line: u32) -> Value {
        let pause = match length {
            Some(Value::Range(low, high)) => Some(format!("{low}s..{high}s")),
            Some(Value::Run(run)) => range_of(&run.code).map(|(low, high)| format!("{low}s..{high}s")),
            Some(Value::Uniform(low, high)) => Some(format!("{}..{}", seconds(*low), seconds(*high))),
            Some(Value::RandomUnit) => Some("0s..1s".to_owned()),
            Some(value) => value.number().filter(|length| *length >= 0.0).map(seconds),
            None => None,
        };
        match pause {
            Some(pause) => self.out.push(Step::Pause(pause)),
            None => self.lost(line, "a pause of a length that is not known is left out"),
        }
        Value::None
    }

    fn builtin(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
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
            ("float", Value::Int(_) | Value::Float(_)) | ("int", Value::Int(_)) => arguments.by_place[0].clone(),
            ("float", Value::Text(text)) => match text.known().and_then(|text| text.trim().parse().ok()) {
                Some(number) => Value::Float(number),
                None => Value::unknown(line, "float() of a text"),
            },
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
            ("list" | "tuple" | "set" | "iter", value) => value,
            ("dict", Value::Dict(mut members)) => {
                for (name, value) in &arguments.by_name {
                    super::expr::set_member(&mut members, Value::text(name), value.clone());
                }
                Value::Dict(members)
            }
            ("bytes", value) => value,
            ("next", Value::Counter) => Value::Run(RunValue::made("counter", RunKind::Number)),
            ("next", Value::Rows(name)) => Value::Row(name),
            ("open", value) => {
                value.known_text().map_or_else(|| Value::unknown(line, "a file that is not known"), Value::File)
            }
            ("enumerate", Value::List(items)) => {
                let number = |at: usize| Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
                Value::List(
                    items.into_iter().enumerate().map(|(at, item)| Value::Tuple(vec![number(at), item])).collect(),
                )
            }
            ("min" | "max" | "sum" | "abs", _) => numbers(name, &arguments.by_place)
                .unwrap_or_else(|| Value::unknown(line, format!("{name} of values of the run"))),
            ("hasattr", _) => Value::unknown(line, "hasattr"),
            (name, _) => Value::unknown(line, format!("{name}() is not known")),
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

    fn random(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
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
            Value::List(items) | Value::Tuple(items) => self.one_of(items, line),
            Value::Range(low, high) if low < high => {
                Value::Run(RunValue::made(format!("random({low},{})", high - 1), RunKind::Number))
            }
            Value::Text(text) => match text.known() {
                Some(text) => self.one_of(text.chars().map(|c| Value::text(&c.to_string())).collect(), line),
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
    fn one_of(&mut self, items: Vec<Value>, line: u32) -> Value {
        if let [one] = &*items {
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
            _ => self.one_structure(&items, line),
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

    fn base64(&mut self, value: Option<&Value>, line: u32) -> Value {
        use base64::Engine as _;
        use base64::prelude::BASE64_STANDARD;
        match value.and_then(Value::known_text) {
            Some(text) => Value::text(&BASE64_STANDARD.encode(text)),
            None => Value::unknown(line, "base64 of a value of the run"),
        }
    }

    fn json_loads(&mut self, value: Option<&Value>, line: u32) -> Value {
        match value {
            Some(Value::Body(request)) => Value::Json(JsonPlace {
                request: *request,
                pointer: String::new(),
                pick: PickFrom::First,
                missing: Missing::Raises,
            }),
            _ => Value::unknown(line, "json.loads of what is no answer"),
        }
    }

    /// `csv.DictReader(open("users.csv"))`
    fn rows(&mut self, file: Option<&Value>, arguments: &Arguments, line: u32) -> Value {
        let Some(Value::File(path)) = file else { return Value::unknown(line, "a CSV file that is not known") };
        if !self.program.folder.join(path).is_file() {
            return Value::unknown(line, format!("{path} does not exist beside the locustfile"));
        }
        let stem = path.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
        let name = self.names.of("data", stem);
        let mut table = vec![("csv".to_owned(), Json::Text(path.clone()))];
        if let Some(delimiter) = arguments.named("delimiter").and_then(Value::known_text) {
            table.push(("delimiter".to_owned(), Json::Text(delimiter)));
        }
        self.data.insert(name.clone(), Json::Object(table));
        Value::Rows(name)
    }

    fn joined_path(&mut self, arguments: &Arguments, line: u32) -> Value {
        let parts = arguments.by_place.iter().filter(|part| !matches!(part, Value::External(_)));
        let parts: Known<Vec<String>> = parts
            .map(|part| part.known_text().ok_or_else(|| Problem { line, why: "a path that is not known".to_owned() }))
            .collect();
        match parts {
            Ok(parts) => Value::text(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")),
            Err(problem) => Value::Unknown(problem),
        }
    }

    /// `re.search(pattern, response.text)`
    fn search(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
        let pattern = arguments.by_place.first().and_then(Value::known_text);
        let (Some(pattern), Some(Value::Body(request))) = (pattern, arguments.by_place.get(1)) else {
            return Value::unknown(line, format!("re.{name} of what is no answer"));
        };
        if crate::plan::pattern::Pattern::parse(&pattern).is_err() {
            return Value::unknown(line, format!("re.{name} with a pattern that is not supported"));
        }
        if name == "findall" {
            let list = self.names.of(&format!("request {request} all {pattern}"), "matches");
            self.extract(*request, &list, ("regex", &pattern), Some("all"), None);
            return Value::RunList(list);
        }
        Value::Match(*request, pattern)
    }
}

fn is_logging(path: &str) -> bool {
    [
        "logging.",
        "warnings.",
        "sys.stdout",
        "sys.stderr",
        "pprint.",
        "gc.",
        "locust.util",
        "urllib3.",
        "traceback.",
        "rich.",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
        || path.contains(".getLogger")
}

/// A length of time in seconds as a scenario writes it.
pub(super) fn seconds(length: f64) -> String {
    if length.fract() == 0.0 { format!("{length}s") } else { format!("{}ms", (length * 1e6).round() / 1e3) }
}

/// The bounds of `random(a,b)`.
pub(super) fn range_of(code: &str) -> Option<(i64, i64)> {
    let (low, high) = code.strip_prefix("random(")?.strip_suffix(')')?.split_once(',')?;
    Some((low.parse().ok()?, high.parse().ok()?))
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
        (Value::Float(number), None) => Value::Int(number.round() as i64),
        (Value::Float(number), Some(Value::Int(digits @ 0..=15))) => {
            let power = 10_f64.powi(i32::try_from(*digits).unwrap_or(0));
            Value::Float((number * power).round() / power)
        }
        (Value::Int(_), _) => value,
        (Value::Uniform(low, high), Some(Value::Int(1..=6))) if low.fract() == 0.0 && high.fract() == 0.0 => value,
        (Value::Time(moment), None) => whole_time(*moment),
        _ => Value::unknown(line, "round() of a value of the run"),
    }
}

/// `int(time.time())`
fn whole_time(moment: Moment) -> Value {
    let code = match (moment.form, moment.offset) {
        (TimeForm::Milliseconds, 0) => "now".to_owned(),
        (TimeForm::Milliseconds, offset) => format!("now({offset:+}s, %s%L)"),
        (_, 0) => "now(%s)".to_owned(),
        (_, offset) => format!("now({offset:+}s, %s)"),
    };
    Value::Run(RunValue::made(code, RunKind::Number))
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

impl Evaluator<'_> {
    fn clock(&mut self, path: &str, arguments: &Arguments, line: u32) -> Value {
        let last = path.rsplit('.').next().unwrap_or_default();
        let now = |form| Value::Time(Moment { offset: 0, form });
        match last {
            "time" => now(TimeForm::Seconds),
            "perf_counter" | "monotonic" => now(TimeForm::Seconds),
            "time_ns" => Value::unknown(line, "time in nanoseconds"),
            "now" | "utcnow" => now(TimeForm::DateTime),
            "today" if path.contains(".date.") => now(TimeForm::Date),
            "today" => now(TimeForm::DateTime),
            "strftime" => match arguments.by_place.first().and_then(Value::known_text) {
                Some(format) => self.time_text(Moment { offset: 0, form: TimeForm::DateTime }, &format, line),
                None => Value::unknown(line, "a time in a format that is not known"),
            },
            "timedelta" => {
                const UNITS: [(&str, f64); 5] =
                    [("days", 86_400.0), ("seconds", 1.0), ("minutes", 60.0), ("hours", 3600.0), ("weeks", 604_800.0)];
                let mut total = arguments.by_place.first().and_then(Value::number).unwrap_or(0.0) * 86_400.0;
                for (name, value) in &arguments.by_name {
                    let unit = UNITS.iter().find(|(unit, _)| unit == name).map(|(_, seconds)| *seconds);
                    match unit.zip(value.number()) {
                        Some((unit, number)) => total += unit * number,
                        None => return Value::unknown(line, "a length of time that is not known"),
                    }
                }
                Value::Delta(total)
            }
            _ => Value::unknown(line, format!("{path} is not known")),
        }
    }
}

/// A number as JSON.
pub(super) fn whole(number: i64) -> Json {
    number_json(&number.to_string())
}
