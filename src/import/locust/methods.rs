//! Methods of values.

use super::calls::Arguments;
use super::condition::Condition;
use super::evaluator::{Evaluator, Phase};
use super::expr::set_member;
use super::shared::is_change;
use super::steps::Step;
use super::syntax::{Call, ExprKind};
use super::value::{JsonPlace, Missing, Moment, RunKind, RunValue, Text, TimeForm, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// Calls a method of a value that is none of the user's objects.
    pub(super) fn method(
        &mut self,
        receiver: Value,
        name: &str,
        arguments: &Arguments,
        call: &Call,
        line: u32,
    ) -> Value {
        if is_change(name)
            && matches!(
                receiver,
                Value::List(_) | Value::Dict(_) | Value::RunList(_) | Value::ClientHeaders | Value::Rows(_)
            )
        {
            return self.change(receiver, name, arguments, call, line);
        }
        match receiver {
            Value::Unknown(problem) => Value::Unknown(problem),
            Value::Response(request) => self.response_method(request, name, line),
            Value::Json(place) => self.json_method(&place, name, arguments, line),
            Value::Dict(members) => dict_method(members, name, arguments, line),
            Value::Text(text) => self.text_method(&text, name, arguments, line),
            Value::Run(run) => run_method(run, name, line),
            Value::Time(moment) => time_method(moment, name, arguments, line),
            Value::Headers(request) if name == "get" => match arguments.by_place.first() {
                Some(Value::Text(field)) => self.header(request, &field.clone(), Some(""), line),
                _ => Value::unknown(line, "a header field that is not known"),
            },
            Value::Cookies(Some(request)) if name == "get" => match arguments.by_place.first() {
                Some(Value::Text(cookie)) => self.cookie(request, &cookie.clone(), line),
                _ => Value::unknown(line, "a cookie that is not known"),
            },
            Value::Row(source) if name == "get" => {
                let column = arguments.by_place.first().cloned().unwrap_or(Value::None);
                self.subscript(&Value::Row(source), &column, line)
            }
            Value::Elapsed(request) if name == "total_seconds" => Value::Elapsed(request),
            Value::Match(request, pattern) => self.group(request, &pattern, name, arguments, line),
            Value::File(path) if name == "read" => Value::File(path),
            Value::Body(request) if matches!(name, "decode" | "strip" | "lower") => Value::Body(request),
            _ => Value::unknown(line, format!("the method {name} of a value that is not known")),
        }
    }

    fn response_method(&mut self, request: usize, name: &str, line: u32) -> Value {
        match name {
            "json" => Value::Json(JsonPlace::root(request)),
            "raise_for_status" => {
                let (steps, (), _) = self.branch(self.state.clone(), Self::abort);
                let ok = self.is_ok(request);
                self.emit_when(ok.not(), steps, Vec::new());
                Value::None
            }
            "success" | "failure" | "close" => Value::None,
            _ => Value::unknown(line, format!("the method {name} of a response")),
        }
    }

    fn json_method(&mut self, place: &JsonPlace, name: &str, arguments: &Arguments, line: u32) -> Value {
        match (name, arguments.by_place.first()) {
            ("get", Some(Value::Text(key))) => {
                let Some(key) = key.known() else {
                    return Value::unknown(line, "a key of a response that is not known");
                };
                let default = match arguments.by_place.get(1) {
                    None | Some(Value::None | Value::Dict(_) | Value::List(_)) => Some(String::new()),
                    Some(value) => self.text(value, line).ok().and_then(|text| text.known()),
                };
                match default {
                    Some(default) => Value::Json(super::texts::member_of(place, &key, Missing::Is(default))),
                    None => Value::unknown(line, "a default that is not known"),
                }
            }
            ("values", None) => Value::Json(JsonPlace { pointer: format!("{}/*", place.pointer), ..place.clone() }),
            ("strip" | "encode" | "decode" | "copy", _) => Value::Json(place.clone()),
            _ => Value::unknown(line, format!("the method {name} of a response")),
        }
    }

    /// `match.group(1)`
    fn group(&mut self, request: usize, pattern: &str, name: &str, arguments: &Arguments, line: u32) -> Value {
        let group = match (name, arguments.by_place.first()) {
            ("group", None) => 0,
            ("group", Some(Value::Int(group @ 0..=9))) => *group,
            _ => return Value::unknown(line, "a part of a match that is not known"),
        };
        let name = self.matched(request, pattern, group);
        Value::Run(RunValue::variable(&name, RunKind::Text))
    }

    /// The variable that has a group of a match, and is empty without one.
    pub(super) fn matched(&mut self, request: usize, pattern: &str, group: i64) -> String {
        let name = self.names.of(&format!("request {request} group {group} of {pattern}"), "found");
        // The first group is the usual one, or the whole match where there is none.
        let pattern = if group == 1 { pattern.to_owned() } else { format!("({pattern})") };
        self.extract(request, &name, ("regex", &pattern), None, Some(""));
        if let Some(extract) = self.requests[request].extract.iter_mut().find(|extract| extract.variable == name) {
            extract.group = (group > 1).then_some(group + 1);
        }
        name
    }

    fn text_method(&mut self, text: &Text, name: &str, arguments: &Arguments, line: u32) -> Value {
        match (name, text.known()) {
            ("format", Some(format)) => self.format(&format, arguments, line),
            ("join", Some(separator)) => self.join(&separator, arguments, line),
            ("encode" | "decode" | "strip" | "isoformat", None) => Value::Text(text.clone()),
            ("encode" | "decode", Some(text)) => Value::text(&text),
            ("strip", Some(text)) => Value::text(text.trim()),
            ("rstrip" | "lstrip", Some(text)) => {
                let set =
                    arguments.by_place.first().and_then(Value::known_text).unwrap_or_else(|| " \t\r\n".to_owned());
                let is_in = |c: char| set.contains(c);
                Value::text(if name == "rstrip" {
                    text.trim_end_matches(is_in)
                } else {
                    text.trim_start_matches(is_in)
                })
            }
            ("lower", Some(text)) => Value::text(&text.to_lowercase()),
            ("upper", Some(text)) => Value::text(&text.to_uppercase()),
            ("replace", Some(text)) => match (arguments.by_place.first(), arguments.by_place.get(1)) {
                (Some(from), Some(to)) => match (from.known_text(), self.text(to, line)) {
                    (Some(from), Ok(to)) if !from.is_empty() => {
                        let mut all = Text::default();
                        for (at, part) in text.split(&from).enumerate() {
                            if at > 0 {
                                all.push(to.clone());
                            }
                            all.push(Text::literal(part));
                        }
                        Value::Text(all)
                    }
                    _ => Value::unknown(line, "replace with what is not known"),
                },
                _ => Value::unknown(line, "replace"),
            },
            ("split" | "splitlines", Some(text)) => {
                let parts: Vec<&str> = match arguments.by_place.first().and_then(Value::known_text) {
                    Some(separator) if !separator.is_empty() => text.split(&separator).collect(),
                    _ if name == "splitlines" => text.lines().collect(),
                    _ => text.split_whitespace().collect(),
                };
                Value::List(parts.into_iter().map(Value::text).collect())
            }
            ("startswith" | "endswith", Some(text)) => match arguments.by_place.first().and_then(Value::known_text) {
                Some(part) => {
                    Value::Bool(if name == "endswith" { text.ends_with(&part) } else { text.starts_with(&part) })
                }
                None => Value::unknown(line, name.to_owned()),
            },
            _ => Value::unknown(line, format!("the method {name} of a text of the run")),
        }
    }

    fn join(&mut self, separator: &str, arguments: &Arguments, line: u32) -> Value {
        let items = match arguments.by_place.first() {
            Some(Value::Letters(length)) => {
                return Value::Run(RunValue::made(format!("text({length})"), RunKind::Text));
            }
            Some(Value::List(items) | Value::Tuple(items)) => items.clone(),
            Some(Value::Unknown(problem)) => return Value::Unknown(problem.clone()),
            _ => return Value::unknown(line, "join of what is not known"),
        };
        let alphabet: Vec<String> = ('a'..='z').map(String::from).collect();
        let letter = format!("choice({})", alphabet.join(","));
        if separator.is_empty()
            && !items.is_empty()
            && items.iter().all(|item| matches!(item, Value::Run(run) if run.code == letter))
        {
            return Value::Run(RunValue::made(format!("text({})", items.len()), RunKind::Text));
        }
        let mut text = Text::default();
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.push(Text::literal(separator));
            }
            match self.text(item, line) {
                Ok(part) => text.push(part),
                Err(problem) => return Value::Unknown(problem),
            }
        }
        Value::Text(text)
    }

    /// `"{} of {name}".format(…)`
    fn format(&mut self, format: &str, arguments: &Arguments, line: u32) -> Value {
        let mut text = Text::default();
        let mut next = 0;
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            text.push(Text::literal(&rest[..at]));
            let brace = &rest[at..=at];
            if rest[at + 1..].starts_with(brace) {
                text.push(Text::literal(brace));
                rest = &rest[at + 2..];
                continue;
            }
            let Some((field, after)) = rest[at + 1..].split_once('}').filter(|_| brace == "{") else {
                return Value::unknown(line, "a format that is not understood");
            };
            rest = after;
            let (field, spec) = field.split_once(':').unwrap_or((field, ""));
            let value = match field.parse::<usize>() {
                Ok(place) => arguments.by_place.get(place),
                Err(_) if field.is_empty() => {
                    next += 1;
                    arguments.by_place.get(next - 1)
                }
                Err(_) => arguments.named(field),
            };
            let Some(value) = value.cloned() else {
                return Value::unknown(line, format!("format() without {field:?}"));
            };
            let part = self.with_spec(&value, spec, line);
            match self.text(&part, line) {
                Ok(part) => text.push(part),
                Err(problem) => return Value::Unknown(problem),
            }
        }
        text.push(Text::literal(rest));
        Value::Text(text)
    }

    /// A method that changes a list, a dictionary or the header fields.
    fn change(&mut self, receiver: Value, name: &str, arguments: &Arguments, call: &Call, line: u32) -> Value {
        let ExprKind::Attribute(target, _) = &call.function.kind else { return Value::None };
        let first = arguments.by_place.first().cloned();
        if matches!((&receiver, name), (Value::Dict(_), _) | (Value::List(_), "append" | "extend")) {
            self.say_shared(target, line);
        }
        match (receiver, name, first) {
            (Value::ClientHeaders, _, first) => self.change_headers(name, first, arguments, line),
            (Value::RunList(list), "append", Some(item)) => {
                match self.text(&item, line) {
                    Ok(text) => self.out.push(Step::Append(list, text.template())),
                    Err(problem) => self.lost(line, format!("nothing is added to {list}: {}", problem.why)),
                }
                Value::None
            }
            (Value::RunList(list), "clear", None) => {
                self.set(&list, Json::Null);
                Value::None
            }
            (Value::List(mut items), "append", Some(item)) => {
                items.push(item);
                self.assign(target, Value::List(items), line);
                Value::None
            }
            (Value::List(mut items), "extend", Some(Value::List(more) | Value::Tuple(more))) => {
                items.extend(more);
                self.assign(target, Value::List(items), line);
                Value::None
            }
            (Value::Dict(mut members), "update", more) => {
                if let Some(Value::Dict(more)) = more {
                    for (key, value) in more {
                        set_member(&mut members, key, value);
                    }
                }
                for (name, value) in &arguments.by_name {
                    set_member(&mut members, Value::text(name), value.clone());
                }
                self.assign(target, Value::Dict(members), line);
                Value::None
            }
            (Value::Dict(mut members), "pop", Some(key)) => {
                let at = members.iter().position(|(known, _)| *known == key);
                let value = at.map_or(Value::None, |at| members.remove(at).1);
                self.assign(target, Value::Dict(members), line);
                value
            }
            (Value::List(items), "pop", first) if matches!(first, None | Some(Value::Int(0))) => {
                self.pop(&items, first.is_some(), line)
            }
            (Value::Rows(name), "pop", _) => self.pop_row(name, line),
            (Value::Unknown(problem), ..) => Value::Unknown(problem),
            _ => Value::unknown(line, format!("{name} of a list or dictionary")),
        }
    }

    /// One row a user, or a task.
    fn pop_row(&mut self, name: String, line: u32) -> Value {
        if let Some(Json::Object(table)) = self.data.get_mut(&name) {
            table.retain(|(key, _)| key != "pick" && key != "per");
            table.push(("pick".to_owned(), Json::Text("unique".to_owned())));
            if self.phase == Phase::Start {
                table.push(("per".to_owned(), Json::Text("user".to_owned())));
            }
        }
        self.remark(line, format!("pop() takes the rows of {name} from the first one on"));
        Value::Row(name)
    }

    /// One account a user: each takes one of the list.
    fn pop(&mut self, items: &[Value], from_front: bool, line: u32) -> Value {
        if items.is_empty() || items.len() > 200 {
            return Value::unknown(line, "pop() of a list of this length");
        }
        let mut items = items.to_vec();
        if !from_front {
            items.reverse();
        }
        let count = items.len().to_string();
        let (steps, (), _) = self.branch(self.state.clone(), Self::abort);
        self.emit_when(Condition::test("${user}", "<", &count).not(), steps, Vec::new());
        self.remark(line, "pop(): user k of the run, from 0, takes item k of the list");
        self.by_index(&items, "user", line)
    }
}

fn dict_method(members: Vec<(Value, Value)>, name: &str, arguments: &Arguments, line: u32) -> Value {
    match (name, arguments.by_place.first()) {
        ("get", Some(key)) => match members.into_iter().find(|(known, _)| known == key) {
            Some((_, value)) => value,
            None => arguments.by_place.get(1).cloned().unwrap_or(Value::None),
        },
        ("copy", None) => Value::Dict(members),
        ("items", None) => {
            Value::List(members.into_iter().map(|(key, value)| Value::Tuple(vec![key, value])).collect())
        }
        ("keys", None) => Value::List(members.into_iter().map(|(key, _)| key).collect()),
        ("values", None) => Value::List(members.into_iter().map(|(_, value)| value).collect()),
        _ => Value::unknown(line, format!("the method {name} of a dictionary")),
    }
}

fn run_method(run: RunValue, name: &str, line: u32) -> Value {
    match name {
        "strip" | "encode" | "decode" | "hex" | "isoformat" => Value::Run(run),
        _ => Value::unknown(line, format!("the method {name} of a value of the run")),
    }
}

fn time_method(moment: Moment, name: &str, arguments: &Arguments, line: u32) -> Value {
    match name {
        "strftime" => match arguments.by_place.first().and_then(Value::known_text) {
            Some(format) => super::texts::time_text(moment, &format, line),
            None => Value::unknown(line, "a time in a format that is not known"),
        },
        "isoformat" if moment.form == TimeForm::Date => super::texts::time_text(moment, "%F", line),
        "isoformat" => super::texts::time_text(moment, "%FT%T.%f", line),
        "timestamp" => Value::Time(Moment { form: TimeForm::Seconds, ..moment }),
        "date" => Value::Time(Moment { form: TimeForm::Date, ..moment }),
        _ => Value::unknown(line, format!("the method {name} of a time")),
    }
}
