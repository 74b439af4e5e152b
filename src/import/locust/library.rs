//! What is known of Python's library.

use super::calls::Arguments;
use super::evaluator::{Evaluator, Known, Phase};
use super::steps::Step;
use super::texts::number_json;
use super::value::{JsonPlace, Missing, PickFrom, Problem, RunKind, RunValue, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// The value of a call of a function of another package.
    pub(super) fn library(&mut self, path: &str, arguments: &Arguments, line: u32) -> Value {
        let first = arguments.by_place.first();
        let last = path.rsplit('.').next().unwrap_or_default();
        match path {
            "builtins.print" | "gevent.spawn" => Value::None,
            _ if is_logging(path) => Value::None,
            "os.getenv" | "os.environ.get" => {
                let Some(name) = first.and_then(Value::known_text) else {
                    return Value::unknown(line, "a variable that is not known");
                };
                self.environment_with_default(&name, arguments.get(1, "default"), line)
            }
            "time.sleep" | "gevent.sleep" | "gevent.hub.sleep" => self.sleep(first, line),
            "itertools.count" => Value::Counter,
            "json.dumps" => Value::Dumped(Box::new(first.cloned().unwrap_or(Value::None))),
            "json.loads" => json_loads(first, line),
            "base64.b64encode" => base64(first, line),
            "itertools.cycle"
            | "copy.copy"
            | "copy.deepcopy"
            | "builtins.sorted"
            | "urllib.parse.quote"
            | "urllib.parse.quote_plus"
            | "urllib.parse.unquote"
            | "html.escape"
            | "html.unescape" => first.cloned().unwrap_or(Value::None),
            "requests.auth.HTTPBasicAuth" | "types.SimpleNamespace" => Value::Tuple(arguments.by_place.clone()),
            "csv.DictReader" => self.rows(first, arguments, line),
            "os.path.join" => joined_path(arguments, line),
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
            _ if path.starts_with("time.") || path.starts_with("datetime.") => {
                super::clock::clock(path, arguments, line)
            }
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

    /// `re.search(pattern, response.text)`
    fn search(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
        let pattern = arguments.by_place.first().and_then(Value::known_text);
        let (Some(pattern), Some(Value::Body(request))) = (pattern, arguments.by_place.get(1)) else {
            return Value::unknown(line, format!("re.{name} of what is not a response"));
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

/// A number as JSON.
pub(super) fn whole(number: i64) -> Json {
    number_json(&number.to_string())
}

fn base64(value: Option<&Value>, line: u32) -> Value {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    match value.and_then(Value::known_text) {
        Some(text) => Value::text(&BASE64_STANDARD.encode(text)),
        None => Value::unknown(line, "base64 of a value of the run"),
    }
}

fn json_loads(value: Option<&Value>, line: u32) -> Value {
    match value {
        Some(Value::Body(request)) => Value::Json(JsonPlace {
            request: *request,
            pointer: String::new(),
            pick: PickFrom::First,
            missing: Missing::Raises,
        }),
        _ => Value::unknown(line, "json.loads of what is not a response"),
    }
}

fn joined_path(arguments: &Arguments, line: u32) -> Value {
    let parts = arguments.by_place.iter().filter(|part| !matches!(part, Value::External(_)));
    let parts: Known<Vec<String>> = parts
        .map(|part| part.known_text().ok_or_else(|| Problem { line, why: "a path that is not known".to_owned() }))
        .collect();
    match parts {
        Ok(parts) => Value::text(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")),
        Err(problem) => Value::Unknown(problem),
    }
}
