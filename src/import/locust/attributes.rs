//! Attributes of values, and what the user's objects have.

use super::classes::{ClassKind, Member};
use super::evaluator::{Evaluator, ObjectState};
use super::library::seconds;
use super::steps::Step;
use super::syntax::{Call, Expr};
use super::value::{FunctionValue, JsonPlace, RunKind, RunValue, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// `of.name`
    pub(super) fn attribute(&mut self, of: Value, name: &str, line: u32) -> Value {
        match of {
            Value::Object(object) => self.object_attribute(object, name, line),
            Value::Response(request) => match name {
                "status_code" => Value::Status(request),
                "text" | "content" => Value::Body(request),
                "ok" => Value::Test(Box::new(self.is_ok(request))),
                "headers" => Value::Headers(request),
                "cookies" => Value::Cookies(Some(request)),
                "elapsed" => Value::Elapsed(request),
                "js" => Value::Json(JsonPlace::root(request)),
                "url" => {
                    let name = self.names.of(&format!("request {request}"), "url_of_answer");
                    self.extract(request, &name, ("from", "url"), None, None);
                    Value::Run(RunValue::variable(&name, RunKind::Text))
                }
                _ => Value::unknown(line, format!("{name} of a response")),
            },
            Value::Client => match name {
                "headers" => Value::ClientHeaders,
                "base_url" => host_of_run(),
                "cookies" => Value::Cookies(self.state.last),
                _ => Value::unknown(line, format!("{name} of the client")),
            },
            Value::External(path) => match format!("{path}.{name}").as_str() {
                "string.ascii_lowercase" => Value::text("abcdefghijklmnopqrstuvwxyz"),
                "string.ascii_uppercase" => Value::text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                "string.ascii_letters" => Value::text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                "string.digits" => Value::text("0123456789"),
                "string.hexdigits" => Value::text("0123456789abcdefABCDEF"),
                path if path.ends_with("environment.host") => host_of_run(),
                path => Value::External(path.to_owned()),
            },
            Value::Class(class) => self.class_attribute(class, name, line),
            Value::Module(module) => self
                .module_name(module, name, line)
                .unwrap_or_else(|| Value::unknown(line, format!("{name} of a module"))),
            Value::Run(run) if run.code == "uuid" && name == "hex" => {
                Value::Run(RunValue::made("hex(32)", RunKind::Text))
            }
            Value::Unknown(problem) => Value::Unknown(problem),
            _ => Value::unknown(line, format!("the attribute {name} of a value that is not known")),
        }
    }

    fn object_attribute(&mut self, object: usize, name: &str, line: u32) -> Value {
        let class = self.state.objects[object].class;
        if let Some(value) = self.state.objects[object].attributes.get(name) {
            return value.clone();
        }
        let kind = self.program.kind(class);
        let is_of_locust = !matches!(kind, ClassKind::Plain);
        match name {
            "client" if is_of_locust && self.program.member(class, "client").is_none() => return Value::Client,
            "user" | "parent" | "locust" if matches!(kind, ClassKind::TaskSet { .. }) => return Value::Object(0),
            "host" if self.program.member(class, "host").is_none() => return host_of_run(),
            "environment" | "logger" => return Value::External("logging.environment".to_owned()),
            _ => {}
        }
        if self.growing.contains(name) {
            return Value::RunList(self.names.of("list of self", name));
        }
        if self.changing.contains(name) {
            let variable = self.names.of("self", name);
            return Value::Run(RunValue::variable(&variable, RunKind::Json));
        }
        match self.program.member(class, name) {
            Some((owner, Member::Function(function))) => {
                let module = self.program.classes[owner].module;
                let is_property =
                    function.decorators.iter().any(|decorator| decorator.dotted().as_deref() == Some("property"));
                let bound = FunctionValue { module, class: Some(owner), object: Some(object), function };
                if is_property {
                    return self.inline(&bound, super::calls::Arguments::default(), line);
                }
                Value::Function(bound)
            }
            Some(_) => self.class_attribute(class, name, line),
            None => Value::unknown(line, format!("self.{name} is not known here")),
        }
    }

    fn class_attribute(&mut self, class: usize, name: &str, line: u32) -> Value {
        match self.program.member(class, name) {
            Some((owner, Member::Value(expr))) => {
                let module = self.program.classes[owner].module;
                self.constant(module, &format!("{owner}.{name}"), &expr, line)
            }
            Some((_, Member::Class(class))) => Value::Class(class),
            Some((owner, Member::Function(function))) => {
                let module = self.program.classes[owner].module;
                Value::Function(FunctionValue { module, class: Some(owner), object: None, function })
            }
            None => Value::unknown(line, format!("{name} of a class is not known")),
        }
    }

    /// A new instance.
    pub(super) fn new_object(&mut self, class: usize) -> usize {
        self.state.objects.push(ObjectState { class, attributes: std::collections::BTreeMap::new() });
        self.state.objects.len() - 1
    }

    /// Sets an attribute of an object of the user.
    pub(super) fn set_attribute(&mut self, object: usize, name: &str, value: Value, line: u32) {
        let value = if self.growing.contains(name) {
            self.grown(name, value, line)
        } else if self.changing.contains(name) {
            self.changed(name, value, line)
        } else {
            match value {
                Value::Json(place) if place.pointer.is_empty() => Value::Json(place),
                Value::Json(place) if place.pointer.contains('*') && place.pick == super::value::PickFrom::First => {
                    self.json_list(&place).map_or_else(Value::Unknown, Value::RunList)
                }
                Value::Json(place) => {
                    let variable = self.names.of("self", name);
                    self.extracted_as(&place, &variable, line).map_or_else(Value::Unknown, Value::Run)
                }
                value => self.kept(value, name, line),
            }
        };
        self.state.objects[object].attributes.insert(name.to_owned(), value);
    }

    /// A list that items are added to.
    fn grown(&mut self, name: &str, value: Value, line: u32) -> Value {
        let list = self.names.of("list of self", name);
        match value {
            Value::List(items) => {
                if self.is_repeated() {
                    self.set(&list, Json::Null);
                }
                for item in items {
                    match self.text(&item, line) {
                        Ok(text) => self.out.push(Step::Append(list.clone(), text.template())),
                        Err(problem) => self.lost(line, format!("an item of self.{name} is left out: {}", problem.why)),
                    }
                }
            }
            Value::Json(place) => {
                let place = if place.pointer.contains('*') {
                    place
                } else {
                    JsonPlace { pointer: format!("{}/*", place.pointer), ..place }
                };
                self.extract(place.request, &list, ("json", &place.pointer), Some("all"), None);
            }
            Value::RunList(known) if known == list => {}
            Value::None => self.set(&list, Json::Null),
            Value::Unknown(problem) => self.lost(problem.line, format!("self.{name} is left out: {}", problem.why)),
            _ => self.lost(line, format!("self.{name} is set to what is no list")),
        }
        Value::RunList(list)
    }

    /// An attribute that is set more than once: a variable of the scenario.
    pub(super) fn changed(&mut self, name: &str, value: Value, line: u32) -> Value {
        let variable = self.names.of("self", name);
        match value {
            Value::Dict(members) => {
                let member = |(key, value): (Value, Value)| {
                    let inner = key.known_text().unwrap_or_default();
                    let value = if value.is_structure() {
                        value
                    } else {
                        self.changed(&format!("{name}_{inner}"), value, line)
                    };
                    (key, value)
                };
                Value::Dict(members.into_iter().map(member).collect())
            }
            Value::Json(place) if place.pointer.contains('*') && place.pick == super::value::PickFrom::First => {
                self.json_list(&place).map_or_else(Value::Unknown, Value::RunList)
            }
            Value::Json(place) if place.pointer.is_empty() => Value::Json(place),
            // What a request extracts is unset before it is sent, so it cannot be what it sends itself.
            Value::Json(place) if !self.requests[place.request].sends_variable(&variable) => {
                self.extracted_as(&place, &variable, line).map_or_else(Value::Unknown, Value::Run)
            }
            value
                if value.is_structure() && !matches!(value, Value::RandomUnit | Value::Time(_) | Value::Status(_)) =>
            {
                value
            }
            value => match self.assign_variable(&variable, &value, line) {
                Ok(kind) => Value::Run(RunValue::variable(&variable, kind)),
                Err(problem) => Value::Unknown(problem),
            },
        }
    }

    /// A call of a method that Locust's own classes have.
    pub(super) fn call_of_locust(&mut self, object: usize, name: &str, call: &Call, line: u32) -> Option<Value> {
        let kind = self.program.kind(self.state.objects[object].class);
        if kind == ClassKind::Plain {
            return None;
        }
        Some(match name {
            "wait" => {
                match self.wait_of(object) {
                    Some(wait) => self.out.push(Step::Pause(wait)),
                    None => self.lost(line, "self.wait() is left out: its length is not constant"),
                }
                Value::None
            }
            "interrupt" => {
                self.out.push(Step::LeaveTask);
                Value::None
            }
            "stop" => {
                self.out.push(Step::StopUser);
                Value::None
            }
            "rest" => {
                let arguments = self.arguments(call);
                self.rest(&arguments, line)
            }
            "schedule_task" => Value::unknown(line, "schedule_task"),
            _ => return None,
        })
    }

    fn wait_of(&mut self, object: usize) -> Option<String> {
        let class = self.state.objects[object].class;
        let wait = self.wait(class, None)?;
        (!wait.contains(':')).then_some(wait)
    }

    /// The think time of a class, as a scenario has it; `set` is the `TaskSet` whose own one wins.
    pub(super) fn wait(&mut self, user: usize, set: Option<usize>) -> Option<String> {
        let found = set
            .and_then(|set| self.program.member(set, "wait_time"))
            .or_else(|| self.program.member(user, "wait_time"));
        let (owner, member) = found?;
        let module = self.program.classes[owner].module;
        self.enter_module(module);
        let wait = match member {
            Member::Value(expr) => self.wait_value(&expr),
            Member::Function(function) => {
                let result = match function.body.last().map(|stmt| &stmt.kind) {
                    Some(super::syntax::StmtKind::Return(Some(value))) if function.body.len() == 1 => {
                        self.wait_length(value)
                    }
                    _ => None,
                };
                if result.is_none() {
                    self.lost(function.line, "wait_time by code is left out");
                }
                result
            }
            Member::Class(_) => None,
        };
        self.leave_module();
        wait
    }

    fn wait_value(&mut self, expr: &Expr) -> Option<String> {
        if let super::syntax::ExprKind::Lambda(function) = &expr.kind
            && let Some(super::syntax::StmtKind::Return(Some(value))) = function.body.first().map(|stmt| &stmt.kind)
        {
            let wait = self.wait_length(value);
            if wait.is_none() {
                self.lost(expr.line, "wait_time by code is left out");
            }
            return wait;
        }
        let call = expr.call();
        let name = call.and_then(|call| call.function.dotted()).unwrap_or_default();
        let mut numbers = Vec::new();
        for argument in
            call.into_iter().flat_map(|call| call.arguments.iter().chain(call.keywords.iter().map(|(_, value)| value)))
        {
            numbers.push(self.eval(argument).number());
        }
        if numbers.contains(&None) {
            numbers = self.numbers_of_environment(call, expr.line);
        }
        match (name.rsplit('.').next().unwrap_or_default(), &*numbers) {
            ("between", [Some(low), Some(high)]) => Some(format!("{}..{}", seconds(*low), seconds(*high))),
            ("constant", [Some(length)]) => Some(seconds(*length)),
            ("constant_pacing", [Some(length)]) => Some(format!("pacing:{}", seconds(*length))),
            ("constant_throughput", [Some(rate)]) => Some(format!("throughput:{rate}")),
            _ => {
                self.lost(expr.line, "wait_time is left out: it is not known");
                None
            }
        }
    }

    /// The arguments of a call, where the defaults stand for values of the environment: a think time is fixed.
    fn numbers_of_environment(&mut self, call: Option<&Call>, line: u32) -> Vec<Option<f64>> {
        let mut numbers = Vec::new();
        for argument in call.into_iter().flat_map(|call| &call.arguments) {
            let value = self.eval(argument);
            let default = match &value {
                Value::Run(run) => {
                    self.variables.get(&run.code).and_then(|(_, default)| default.as_ref()?.parse().ok())
                }
                _ => None,
            };
            if let (Value::Run(run), Some(default)) = (&value, default) {
                let variable = self.variables.get(&run.code).map_or_else(String::new, |(name, _)| name.clone());
                self.remark(line, format!("wait_time does not follow {variable}: it has the default, {default}"));
            }
            numbers.push(value.number().or(default));
        }
        numbers
    }

    /// The length that a function of the user returns.
    fn wait_length(&mut self, expr: &Expr) -> Option<String> {
        let (steps, value, _) = self.branch(self.state.clone(), |this| this.eval(expr));
        let wait = match value {
            Value::Uniform(low, high) => Some(format!("{}..{}", seconds(low), seconds(high))),
            Value::Run(run) => {
                let (low, high) = super::library::range_of(&run.code)?;
                self.remark(expr.line, format!("wait_time is drawn from {low}s..{high}s, not from whole seconds"));
                Some(format!("{low}s..{high}s"))
            }
            Value::RandomUnit => Some("0s..1s".to_owned()),
            value => value.number().map(seconds),
        };
        wait.filter(|_| steps.is_empty())
    }
}

/// The host that Locust is given, or that of the class.
fn host_of_run() -> Value {
    Value::Run(RunValue::variable(super::hosts::HOST, RunKind::Text))
}
