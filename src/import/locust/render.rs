//! Writes the scenario.

use std::collections::BTreeSet;

use super::evaluator::Evaluator;
use super::library::whole;
use super::steps::{Extract, Request, Step};
use super::users::DraftUser;
use super::value::Part;
use crate::plan::json::Json;

/// What stands on top of the scenario.
#[derive(Debug, Default)]
pub(super) struct Top {
    pub(super) name: String,
    pub(super) host: Option<String>,
    pub(super) stages: Option<Json>,
    pub(super) setup: Vec<Step>,
    pub(super) teardown: Vec<Step>,
}

impl Evaluator<'_> {
    /// The scenario as JSON.
    pub(super) fn scenario(&self, top: &Top, users: &[DraftUser]) -> Json {
        let written = |text: &str| Json::Text(text.to_owned());
        let mut all =
            vec![("$schema".to_owned(), written("scenario.schema.json")), ("name".to_owned(), written(&top.name))];
        if let Some(host) = &top.host {
            all.push(("host".to_owned(), written(host)));
        }
        // Requests with JSON accept JSON here, but anything in Locust.
        let accepts = |request: &Request| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept"));
        if self.requests.iter().any(|request| matches!(request.body, Some(("json", _))) && !accepts(request)) {
            all.push(("headers".to_owned(), object(vec![("Accept", written("*/*"))])));
        }
        if self.client.is_insecure {
            all.push(("insecure".to_owned(), Json::Bool(true)));
        }
        if let Some(stages) = &top.stages {
            all.push(("stages".to_owned(), stages.clone()));
        }
        if !self.variables.is_empty() {
            let variable = |(name, (variable, default)): (&String, &(String, Option<String>))| {
                let mut value = vec![("env".to_owned(), written(variable))];
                value.extend(default.as_ref().map(|default| ("default".to_owned(), written(default))));
                (name.clone(), Json::Object(value))
            };
            all.push(("variables".to_owned(), Json::Object(self.variables.iter().map(variable).collect())));
        }
        if !self.data.is_empty() {
            all.push(("data".to_owned(), Json::Object(self.data.clone().into_iter().collect())));
        }
        for (key, steps) in [("setup", &top.setup), ("teardown", &top.teardown)] {
            if !steps.is_empty() {
                all.push((key.to_owned(), self.steps(steps)));
            }
        }
        all.push(("user_classes".to_owned(), Json::List(users.iter().map(|user| self.user_class(user)).collect())));
        Json::Object(all)
    }

    fn user_class(&self, user: &DraftUser) -> Json {
        let mut all = vec![("name".to_owned(), Json::Text(user.name.clone()))];
        if let Some(count) = user.fixed_count {
            all.push(("fixed_count".to_owned(), whole(count)));
        } else if user.weight != 1 {
            all.push(("weight".to_owned(), whole(i64::try_from(user.weight).unwrap_or(1))));
        }
        if let Some(wait) = &user.wait {
            all.push(("wait".to_owned(), Json::Text(wait.clone())));
        }
        if !user.on_start.is_empty() {
            all.push(("on_start".to_owned(), self.steps(&user.on_start)));
        }
        let tasks = user.tasks.iter().map(|task| {
            let mut all = vec![("name".to_owned(), Json::Text(task.name.clone()))];
            if task.weight != 1 {
                all.push(("weight".to_owned(), whole(task.weight.into())));
            }
            if !task.tags.is_empty() {
                all.push((
                    "tags".to_owned(),
                    Json::List(task.tags.iter().map(|tag| Json::Text(tag.clone())).collect()),
                ));
            }
            all.push(("requests".to_owned(), self.steps(&task.steps)));
            Json::Object(all)
        });
        all.push(("tasks".to_owned(), Json::List(tasks.collect())));
        if !user.on_stop.is_empty() {
            all.push(("on_stop".to_owned(), self.steps(&user.on_stop)));
        }
        Json::Object(all)
    }

    fn steps(&self, steps: &[Step]) -> Json {
        let mut written: Vec<Json> = Vec::new();
        for step in steps {
            if let Step::Request(request) = step
                && let Some(forget) = self.forgotten(*request)
            {
                written.push(forget);
            }
            let next = self.step(step);
            // Several variables are set in one step, as long as none of them uses another.
            if let (Some(Json::Object(last)), Json::Object(own), Step::Set(name, value)) =
                (written.last_mut(), &next, step)
                && let [(key, Json::Object(members))] = &mut **last
                && key == "set"
                && !members.iter().any(|(known, _)| {
                    known == name
                        || value.to_string().contains(&format!("{{{known}}}"))
                        || value.to_string().contains(&format!("({known})"))
                })
                && let [(_, Json::Object(own))] = &**own
            {
                members.extend(own.iter().cloned());
                continue;
            }
            written.push(next);
        }
        Json::List(written)
    }

    /// Unsets what a request extracts, so that no value of before is taken for one of this answer.
    fn forgotten(&self, request: usize) -> Option<Json> {
        let request = &self.requests[request];
        let names: BTreeSet<&str> = request
            .extract
            .iter()
            .filter(|extract| extract.from.0 != "from")
            .map(|extract| &*extract.variable)
            .collect();
        if !request.is_repeated || names.is_empty() {
            return None;
        }
        let unset = names.into_iter().map(|name| (name.to_owned(), Json::Null)).collect();
        Some(Json::Object(vec![("set".to_owned(), Json::Object(unset))]))
    }

    fn step(&self, step: &Step) -> Json {
        let written = |text: &str| Json::Text(text.to_owned());
        let members = match step {
            Step::Request(request) => return request_json(&self.requests[*request]),
            Step::Pause(length) => vec![("pause", written(length))],
            Step::Repeat { times, counter, steps } => {
                let mut all = vec![("repeat", times.clone())];
                all.extend(counter.as_ref().map(|name| ("as", written(name))));
                all.push(("requests", self.steps(steps)));
                all
            }
            Step::ForEach { list, item, steps } => {
                vec![("for_each", written(list)), ("as", written(item)), ("requests", self.steps(steps))]
            }
            Step::When(test, then, otherwise) => {
                let mut all = vec![("when", written(test)), ("requests", self.steps(then))];
                if !otherwise.is_empty() {
                    all.push(("else", self.steps(otherwise)));
                }
                all
            }
            Step::LeaveLoop => vec![("leave", written("loop"))],
            Step::LeaveTask => vec![("leave", written("task"))],
            Step::StopUser => vec![("stop", written("user"))],
            Step::Set(name, value) => vec![("set", Json::Object(vec![(name.clone(), value.clone())]))],
            Step::Append(list, item) => vec![("append", Json::Object(vec![(list.clone(), written(item))]))],
        };
        object(members)
    }
}

/// The URL, where blanks and the like in the text are encoded.
fn target(request: &Request) -> String {
    let encoded = request.target.map(|text| text.replace(' ', "%20"));
    let mut written = encoded.template();
    if matches!(request.target.0.first(), Some(Part::Literal(text)) if text.starts_with("http"))
        && !written[8..].contains('/')
        && !written.contains("${")
    {
        written.push('/');
    }
    written
}

fn extract_json(extract: &Extract) -> (String, Json) {
    let mut all = vec![(extract.from.0, extract.from.1.clone())];
    all.extend(extract.group.map(|group| ("group", whole(group))));
    all.extend(extract.pick.map(|pick| ("pick", Json::Text(pick.to_owned()))));
    if extract.from.0 != "from" {
        all.extend(extract.default.clone().map(|default| ("default", default)));
    }
    (extract.variable.clone(), object(all))
}

fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn request_json(request: &Request) -> Json {
    const OWN: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];
    let written = |text: &str| Json::Text(text.to_owned());
    let lower = request.method.to_ascii_lowercase();
    let target = target(request);
    let mut all = match OWN.into_iter().find(|own| *own == lower) {
        Some(own) => vec![(own, Json::Text(target))],
        None => vec![("request", Json::Text(target)), ("method", written(&request.method))],
    };
    all.extend(request.name.as_ref().map(|name| ("name", written(name))));
    if !request.query.is_empty() {
        all.push(("query", Json::Object(request.query.clone())));
    }
    if !request.headers.is_empty() {
        let mut headers: Vec<(String, Json)> = Vec::new();
        for (name, value) in &request.headers {
            if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                headers.push((name.clone(), value.as_ref().map_or(Json::Null, |value| Json::Text(value.template()))));
            }
        }
        all.push(("headers", Json::Object(headers)));
    }
    all.extend(request.body.clone());
    all.extend(request.timeout.as_ref().map(|timeout| ("timeout", written(timeout))));
    all.extend(request.redirects.map(|count| ("redirects", whole(count.into()))));
    if !request.expect.is_empty() {
        all.push(("expect", object(request.expect.clone())));
    }
    if !request.extract.is_empty() {
        all.push(("extract", Json::Object(request.extract.iter().map(extract_json).collect())));
    }
    object(all)
}
