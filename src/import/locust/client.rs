//! Calls of the HTTP client: requests.

use super::calls::Arguments;
use super::evaluator::{Evaluator, Known};
use super::headers::basic;
use super::library::seconds;
use super::steps::{Request, Step};
use super::value::{Part, Problem, RunKind, RunValue, Text, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// A method of the client.
    pub(super) fn client_call(&mut self, name: &str, arguments: &Arguments, line: u32) -> Value {
        let is_method = ["get", "post", "put", "patch", "delete", "head", "options"].contains(&name);
        let mut rest = arguments.clone();
        let method = if is_method {
            name.to_uppercase()
        } else if name == "request" {
            let Some(method) = arguments.get(0, "method").and_then(Value::known_text) else {
                return self.no_request(line, "a method that is not known");
            };
            if !rest.by_place.is_empty() {
                rest.by_place.remove(0);
            }
            method.to_uppercase()
        } else {
            return match name {
                "close" | "mount" => Value::None,
                _ => Value::unknown(line, format!("self.client.{name}")),
            };
        };
        match self.request(&method, &rest, line) {
            Ok(request) => {
                self.out.push(Step::Request(request));
                self.state.last = Some(request);
                Value::Response(request)
            }
            Err(problem) => self.no_request(problem.line, &format!("{method} request: {}", problem.why)),
        }
    }

    fn no_request(&mut self, line: u32, why: &str) -> Value {
        self.lost(line, format!("a request is left out: {why}"));
        // What follows it is then left out for the same reason.
        Value::unknown(line, "the response of a request that is left out")
    }

    /// `self.rest("GET", "/")` of a `FastHttpUser`.
    pub(super) fn rest(&mut self, arguments: &Arguments, line: u32) -> Value {
        let response = self.client_call("request", arguments, line);
        if let Value::Response(request) = response {
            let headers = &mut self.requests[request].headers;
            for name in ["Content-Type", "Accept"] {
                if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    headers.push((name.to_owned(), Some(Text::literal("application/json"))));
                }
            }
            self.requests[request].is_checked = true;
        }
        response
    }

    fn request(&mut self, method: &str, arguments: &Arguments, line: u32) -> Known<usize> {
        let url = arguments.get(0, "url").or_else(|| arguments.named("path")).cloned();
        let url = url.ok_or_else(|| Problem { line, why: "it has no URL".to_owned() })?;
        let mut request = Request {
            line,
            method: method.to_owned(),
            target: self.target(&url, line)?,
            timeout: self.client.timeout.clone(),
            redirects: self.client.redirects,
            is_repeated: self.is_repeated(),
            ..Request::default()
        };
        let by_place = ["data", "json"].into_iter().zip(arguments.by_place.iter().skip(1));
        // `data` wins over `json`, unless it is empty.
        let by_place: Vec<(String, Value)> = by_place.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        // Fields of `data` are parts of a body with files.
        let (files, others): (Vec<_>, Vec<_>) =
            by_place.iter().chain(&arguments.by_name).partition(|(name, _)| name == "files");
        for (name, value) in others.into_iter().chain(files) {
            self.option(&mut request, name, value, line)?;
        }
        self.authorization(&mut request, arguments.named("auth"), line)?;
        for (name, value) in self.state.headers.clone() {
            if !request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                request.headers.push((name, value));
            }
        }
        // As Locust's clients do by themselves.
        let has = |name: &str| request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if self.client.is_fast && matches!(&request.body, Some(("json", _))) && !has("accept") {
            request.headers.push(("Accept".to_owned(), Some(Text::literal("application/json"))));
        }
        if method == "HEAD" && !self.client.is_fast && arguments.named("allow_redirects").is_none() {
            request.redirects = Some(0);
        }
        if request.name.is_none() && self.state.request_name.is_none() {
            request.name = self.path_of_url(&request.target);
        }
        if request.name.is_none() {
            request.name.clone_from(&self.state.request_name);
        }
        self.with_host(&mut request, line)?;
        // Only `json` and `form` bodies say their type themselves.
        let has_type = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if matches!(&request.body, Some(("json text", _))) {
            request.body = request.body.map(|(_, json)| ("json", json));
            if !has_type {
                request.headers.push(("Content-Type".to_owned(), None));
            }
        }
        self.requests.push(request);
        Ok(self.requests.len() - 1)
    }

    /// The name of a request to another host: Locust counts it by its path.
    fn path_of_url(&self, target: &Text) -> Option<String> {
        let first = match target.0.first()? {
            Part::Literal(text) => text.clone(),
            Part::Run(run) => self.variables.get(&run.code)?.1.clone().unwrap_or_else(|| "http://host".to_owned()),
        };
        let (_, after) = first.split_once("://")?;
        let mut path = Text::literal(after.find('/').map_or("", |at| &after[at..]));
        for part in &target.0[1..] {
            path.push(match part {
                Part::Run(run) => match self.variables.get(&run.code) {
                    Some((_, Some(default))) => Text::literal(default),
                    _ => Text(vec![part.clone()]),
                },
                Part::Literal(_) => Text(vec![part.clone()]),
            });
        }
        let written = path.template();
        Some(if written.starts_with('/') { written } else { format!("/{written}") })
    }

    fn target(&mut self, url: &Value, line: u32) -> Known<Text> {
        let url = super::hosts::without_host(self.text(url, line)?);
        let base = Text::literal(&self.client.base);
        let first = match url.0.first() {
            Some(Part::Literal(text)) => text.clone(),
            // A URL whose begin is a value of the environment has its host in it.
            Some(Part::Run(run)) if self.variables.contains_key(&run.code) => {
                let (variable, default) = self.variables[&run.code].clone();
                let Some(default) = default.filter(|default| !default.starts_with("http")) else { return Ok(url) };
                return Ok(self.under_prefix(url, &variable, &default, line));
            }
            Some(Part::Run(run)) if choice_of_paths(&run.code).is_some() => {
                let code = choice_of_paths(&run.code).unwrap_or_default();
                let mut target = base;
                target.push(Text::literal("/"));
                target.push(Text::run(RunValue::made(code, RunKind::Text)));
                target.push(Text(url.0[1..].to_vec()));
                return Ok(target);
            }
            Some(Part::Run(_)) => {
                return Err(Problem { line, why: "its URL begins with a value that only a run gives".to_owned() });
            }
            None => "/".to_owned(),
        };
        if first.starts_with("http://") || first.starts_with("https://") {
            return Ok(url);
        }
        let mut target = base;
        if !first.starts_with('/') || url.0.is_empty() {
            if !first.starts_with('/') {
                self.lost(
                    line,
                    format!(
                        "its path has no slash in front, so Locust appends it to the name of the host; /{first} is sent"
                    ),
                );
            }
            target.push(Text::literal("/"));
        }
        target.push(url);
        Ok(target)
    }

    /// A URL that begins with a value of the environment that is a path.
    fn under_prefix(&mut self, url: Text, variable: &str, default: &str, line: u32) -> Text {
        let mut target = Text::literal(&self.client.base);
        let host = if self.client.base.is_empty() { self.client.host.clone() } else { None };
        match host {
            Some(host) => target.push(host),
            None if self.client.base.is_empty() => {
                self.lost(
                    line,
                    format!("{variable} is not followed, as the file has no host: its default {default} is taken"),
                );
                let rest = Text(url.0[1..].to_vec());
                let slash = if default.starts_with('/') { "" } else { "/" };
                target.push(Text::literal(&format!("{slash}{default}")));
                target.push(rest);
                return target;
            }
            None => {}
        }
        target.push(url);
        target
    }

    fn option(&mut self, request: &mut Request, name: &str, value: &Value, line: u32) -> Known<()> {
        if matches!(value, Value::None) && name != "json" {
            return Ok(());
        }
        match name {
            "url" | "path" | "method" | "stream" | "context" | "allow_redirects_auth" | "auth" => {}
            "params" => {
                let Value::Dict(members) = value else { return self.query_text(request, value, line) };
                for (key, value) in members {
                    if !matches!(value, Value::None) {
                        let name = self.text(key, line)?.template();
                        request.query.push((name, self.field(value, line)?));
                    }
                }
            }
            "json" => {
                if !matches!(value, Value::None) && request.body.is_none() {
                    request.body = Some(("json", self.json(value, line)?));
                }
            }
            "data" => self.data_body(request, value, line)?,
            "headers" => self.own_headers(request, value, line)?,
            "files" => self.files(request, value, line)?,
            "name" => request.name = Some(self.text(value, line)?.template()).filter(|name| !name.is_empty()),
            "timeout" => {
                let length = match value {
                    Value::Tuple(parts) => parts.get(1).and_then(Value::number),
                    value => value.number(),
                };
                request.timeout = Some(seconds(length.ok_or_else(|| not_known(value, "timeout", line))?));
            }
            "allow_redirects" => match value.truth() {
                Some(true) => request.redirects = None,
                Some(false) => request.redirects = Some(0),
                None => return Err(not_known(value, name, line)),
            },
            "verify" => match value {
                Value::Bool(true) => {}
                Value::Bool(false) => {
                    if !self.client.is_insecure {
                        self.remark(line, "verify=False is taken for all requests (\"insecure\": true)");
                    }
                    self.client.is_insecure = true;
                }
                _ => self.lost(line, "verify is left out; use --cacert"),
            },
            "catch_response" => {
                if value.truth() == Some(true) {
                    request.is_checked = true;
                }
            }
            "cookies" => self.cookies(request, value, line)?,
            "proxies" => self.lost(line, "proxies is left out; use --proxy"),
            "cert" => self.lost(line, "cert is left out; use --cert and --key"),
            "hooks" => self.lost(line, "hooks is left out"),
            other => self.lost(line, format!("the option {other} is left out")),
        }
        Ok(())
    }

    fn own_headers(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        let Value::Dict(members) = value else { return Err(not_known(value, "headers", line)) };
        for (key, value) in members {
            let name = self.text(key, line)?.known().unwrap_or_default();
            let field = if matches!(value, Value::None) { None } else { Some(self.text(value, line)?) };
            request.headers.push((name, field));
        }
        Ok(())
    }

    fn cookies(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        let Value::Dict(members) = value else { return Err(not_known(value, "cookies", line)) };
        let mut cookies = Text::default();
        for (at, (key, value)) in members.iter().enumerate() {
            cookies.push(Text::literal(if at == 0 { "" } else { "; " }));
            cookies.push(self.text(key, line)?);
            cookies.push(Text::literal("="));
            cookies.push(self.text(value, line)?);
        }
        self.lost(line, "cookies of a request are sent in place of those that the server has set");
        request.headers.push(("Cookie".to_owned(), Some(cookies)));
        Ok(())
    }

    fn query_text(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        if let Value::List(pairs) | Value::Tuple(pairs) = value {
            for pair in pairs {
                let Value::Tuple(pair) = pair else { return Err(not_known(value, "params", line)) };
                let [key, value] = &**pair else {
                    return Err(Problem { line, why: "its params are not pairs".to_owned() });
                };
                let name = self.text(key, line)?.template();
                let field = self.field(value, line)?;
                match request.query.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, Json::List(all))) => all.push(field),
                    Some((_, one)) => *one = Json::List(vec![one.clone(), field]),
                    None => request.query.push((name, field)),
                }
            }
            return Ok(());
        }
        let text = self.text(value, line)?;
        let has_query = request.target.0.iter().any(|part| matches!(part, Part::Literal(text) if text.contains('?')));
        request.target.push(Text::literal(if has_query { "&" } else { "?" }));
        request.target.push(text);
        Ok(())
    }

    /// A value of a form or query.
    pub(super) fn field(&mut self, value: &Value, line: u32) -> Known<Json> {
        Ok(match value {
            Value::List(items) | Value::Tuple(items) => {
                Json::List(items.iter().map(|item| self.field(item, line)).collect::<Known<_>>()?)
            }
            value => Json::Text(self.text(value, line)?.template()),
        })
    }

    /// `auth` of the request or the client, which they put in the place of a header field of that name.
    fn authorization(&mut self, request: &mut Request, own: Option<&Value>, line: u32) -> Known<()> {
        if let Some(auth) = own.filter(|auth| **auth != Value::None) {
            return self.auth(request, auth, line);
        }
        if let Some(auth) = self.state.auth.clone() {
            request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case("authorization"));
            request.headers.push(("Authorization".to_owned(), Some(auth)));
        }
        Ok(())
    }

    fn auth(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        let (Value::Tuple(pair) | Value::List(pair)) = value else { return Err(not_known(value, "auth", line)) };
        let [name, password] = &**pair else { return Err(not_known(value, "auth", line)) };
        let (name, password) = (self.text(name, line)?.known(), self.text(password, line)?.known());
        let Some((name, password)) = name.zip(password) else {
            let why = "its auth has values of the run or the environment; use --basic-auth".to_owned();
            return Err(Problem { line, why });
        };
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case("authorization"));
        request.headers.push(("Authorization".to_owned(), Some(Text::literal(&basic(&name, &password)))));
        Ok(())
    }
}

pub(super) fn not_known(value: &Value, name: &str, line: u32) -> Problem {
    match value {
        Value::Unknown(problem) => problem.clone(),
        _ => Problem { line, why: format!("its {name} are not known") },
    }
}

/// `choice(/a,/b)` without the slash that each text begins with, and not encoded.
fn choice_of_paths(code: &str) -> Option<String> {
    let texts = code.strip_prefix("choice(")?.strip_suffix(')')?;
    if texts.contains(['\'', '"']) {
        return None;
    }
    let paths = texts.split(',').map(|text| text.strip_prefix('/'));
    let paths: Option<Vec<&str>> = paths.collect();
    let paths: Vec<&str> = paths?.into_iter().map(|path| if path.is_empty() { "''" } else { path }).collect();
    Some(format!("raw(choice({}))", paths.join(",")))
}
