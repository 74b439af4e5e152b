//! Calls: of the client, of the user's functions, and of Python's library.

use super::classes::Member;
use super::evaluator::{Evaluator, Flow, Frame};
use super::steps::{Step, leaves_loop, without_last};
use super::syntax::{Call, Expr, ExprKind, Function, StmtKind, has_stmt, walk};
use super::value::{FunctionValue, RunKind, RunValue, Value};
use crate::plan::json::Json;

/// Maximum depth of calls of the user's functions.
const MAX_CALLS: usize = 24;

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    pub(super) by_place: Vec<Value>,
    pub(super) by_name: Vec<(String, Value)>,
}

impl Arguments {
    /// An argument by its place or name.
    pub(super) fn get(&self, place: usize, name: &str) -> Option<&Value> {
        self.by_place.get(place).or_else(|| self.named(name))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.by_name.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The first value that is not known.
    pub(super) fn unknown(&self) -> Option<Value> {
        let all = self.by_place.iter().chain(self.by_name.iter().map(|(_, value)| value));
        all.into_iter().find(|value| matches!(value, Value::Unknown(_))).cloned()
    }
}

impl Evaluator<'_> {
    /// The value of a call.
    pub(super) fn call(&mut self, call: &Call, line: u32) -> Value {
        if let ExprKind::Attribute(of, name) = &call.function.kind {
            if is_super(of) {
                return self.call_super(name, call, line);
            }
            let receiver = self.eval(of);
            return self.call_method(receiver, name, call, line);
        }
        let function = self.eval(&call.function);
        self.say_changed_arguments(&function, call, line);
        let arguments = self.arguments(call);
        self.call_value(function, arguments, line)
    }

    /// Calls a value.
    pub(super) fn call_value(&mut self, function: Value, arguments: Arguments, line: u32) -> Value {
        match function {
            Value::Function(function) => self.inline(&function, arguments, line),
            Value::External(path) => self.library(&path, &arguments, line),
            Value::Class(class) => self.instance(class, arguments, line),
            Value::Unknown(problem) => Value::Unknown(problem),
            _ => Value::unknown(line, "a call of what is not known"),
        }
    }

    pub(super) fn arguments(&mut self, call: &Call) -> Arguments {
        let by_place = self.items(&call.arguments);
        let mut by_name = Vec::new();
        for (name, value) in &call.keywords {
            let value = self.eval(value);
            match (name, value) {
                (Some(name), value) => by_name.push((name.clone(), value)),
                (None, Value::Dict(members)) => {
                    by_name.extend(members.into_iter().filter_map(|(key, value)| Some((key.known_text()?, value))));
                }
                (None, other) => by_name.push(("**".to_owned(), other)),
            }
        }
        Arguments { by_place, by_name }
    }

    fn call_method(&mut self, receiver: Value, name: &str, call: &Call, line: u32) -> Value {
        match receiver {
            Value::Client => {
                let arguments = self.arguments(call);
                self.client_call(name, &arguments, line)
            }
            Value::Object(object) => {
                let class = self.state.objects[object].class;
                if self.program.member(class, name).is_none()
                    && let Some(value) = self.call_of_locust(object, name, call, line)
                {
                    return value;
                }
                let function = self.attribute(Value::Object(object), name, line);
                self.say_changed_arguments(&function, call, line);
                let arguments = self.arguments(call);
                self.call_value(function, arguments, line)
            }
            Value::Class(class) => {
                let Some((owner, Member::Function(function))) = self.program.member(class, name) else {
                    return Value::unknown(line, format!("a call of {name} of a class"));
                };
                let mut arguments = self.arguments(call);
                let is_static =
                    function.decorators.iter().any(|decorator| decorator.dotted().as_deref() == Some("staticmethod"));
                let object = match arguments.by_place.first() {
                    Some(Value::Object(object)) if !is_static => {
                        let object = *object;
                        arguments.by_place.remove(0);
                        Some(object)
                    }
                    _ => None,
                };
                let module = self.program.classes[owner].module;
                self.inline(&FunctionValue { module, class: Some(owner), object, function }, arguments, line)
            }
            Value::Module(module) => {
                let function = self.module_name(module, name, line);
                let arguments = self.arguments(call);
                let function =
                    function.unwrap_or_else(|| Value::unknown(line, format!("{name} of a module is not known")));
                self.call_value(function, arguments, line)
            }
            Value::External(path) => {
                let arguments = self.arguments(call);
                self.library(&format!("{path}.{name}"), &arguments, line)
            }
            receiver => {
                let arguments = self.arguments(call);
                self.method(receiver, name, &arguments, call, line)
            }
        }
    }

    fn call_super(&mut self, name: &str, call: &Call, line: u32) -> Value {
        let frame = self.frames.last().cloned();
        let Some((object, class)) = frame.and_then(|frame| Some((frame.object?, frame.class?))) else {
            return Value::unknown(line, "super() outside of a method");
        };
        let own = self.state.objects[object].class;
        match self.program.member_above(own, class, name) {
            Some((owner, Member::Function(function))) => {
                let module = self.program.classes[owner].module;
                let arguments = self.arguments(call);
                self.inline(
                    &FunctionValue { module, class: Some(owner), object: Some(object), function },
                    arguments,
                    line,
                )
            }
            // Locust's own does nothing that a scenario could see.
            _ => Value::None,
        }
    }

    /// An instance of a class of the user.
    fn instance(&mut self, class: usize, arguments: Arguments, line: u32) -> Value {
        let object = self.new_object(class);
        if let Some((owner, Member::Function(function))) = self.program.member(class, "__init__") {
            let module = self.program.classes[owner].module;
            let made = self.inline(
                &FunctionValue { module, class: Some(owner), object: Some(object), function },
                arguments,
                line,
            );
            if let Value::Unknown(problem) = made {
                return Value::Unknown(problem);
            }
        }
        Value::Object(object)
    }

    /// Puts the steps of a function in the place of its call.
    pub(super) fn inline(&mut self, called: &FunctionValue, arguments: Arguments, line: u32) -> Value {
        let function = &called.function;
        if self.frames.len() > MAX_CALLS {
            return Value::unknown(line, format!("{} calls itself, or calls are nested too deeply", function.name));
        }
        if function.decorators.iter().any(|decorator| !is_harmless(decorator)) {
            let text = function.decorators.iter().filter_map(Expr::dotted).collect::<Vec<_>>().join(", ");
            self.remark(function.line, format!("{} is taken without its decorator {text}", function.name));
        }
        let locals = match self.parameters(called, arguments, line) {
            Ok(locals) => locals,
            Err(value) => return value,
        };
        let result = has_several_results(function)
            .then(|| self.names.fresh(&format!("{}_result", function.name.trim_matches(['<', '>']))));
        let frame = Frame {
            module: called.module,
            class: called.class,
            object: called.object,
            function: Some(function.clone()),
            is_task: false,
            depth: self.depth + 1,
            results: Vec::new(),
            result: result.clone(),
            variables: std::collections::BTreeSet::new(),
        };
        let outer = std::mem::take(&mut self.out);
        self.frames.push(frame);
        self.state.locals.push(locals);
        self.depth += 1;
        if let Some(name) = &result {
            self.out.push(Step::Set(name.clone(), Json::Null));
        }
        let _flow: Flow = self.block(&function.body);
        self.depth -= 1;
        self.state.locals.pop();
        let frame = self.frames.pop();
        let steps = without_last(std::mem::replace(&mut self.out, outer), &Step::LeaveLoop);
        if leaves_loop(&steps) {
            self.out.push(Step::Repeat { times: super::texts::number_json("1"), counter: None, steps });
        } else {
            self.out.extend(steps);
        }
        self.result(frame.map(|frame| frame.results).unwrap_or_default(), result.as_deref())
    }

    /// The value that a function gives, of those that it returned.
    fn result(&mut self, results: Vec<Value>, variable: Option<&str>) -> Value {
        let Some(name) = variable else { return results.into_iter().next().unwrap_or(Value::None) };
        let structures = results.iter().filter(|value| value.is_structure()).collect::<Vec<_>>();
        if let [one] = &*structures {
            return (*one).clone();
        }
        if results.iter().all(|value| *value == Value::None) {
            self.out.retain(|step| !matches!(step, Step::Set(known, _) if known == name));
            return Value::None;
        }
        if let Some(unknown) = results.iter().find(|value| matches!(value, Value::Unknown(_))) {
            return unknown.clone();
        }
        let kind = |value: &Value| match value {
            Value::Bool(_) | Value::Test(_) => RunKind::Bool,
            Value::Int(_) | Value::Float(_) => RunKind::Number,
            Value::Run(run) => run.kind,
            Value::Text(_) => RunKind::Text,
            _ => RunKind::Json,
        };
        let kinds: Vec<RunKind> = results.iter().filter(|value| **value != Value::None).map(kind).collect();
        let is_one = kinds.iter().all(|kind| *kind == kinds[0]);
        Value::Run(RunValue::variable(name, if is_one { kinds[0] } else { RunKind::Json }))
    }

    fn parameters(
        &mut self,
        called: &FunctionValue,
        arguments: Arguments,
        line: u32,
    ) -> Result<std::collections::BTreeMap<String, Value>, Value> {
        let function = &called.function;
        let is_static =
            function.decorators.iter().any(|decorator| decorator.dotted().as_deref() == Some("staticmethod"));
        let is_method = called.class.is_some() && !is_static && function.name != "<lambda>";
        let mut locals = std::collections::BTreeMap::new();
        let mut places = arguments.by_place.into_iter();
        for (at, parameter) in function.parameters.iter().enumerate() {
            let value = match (at, called.object) {
                (0, Some(object)) if is_method => Value::Object(object),
                (0, None) if is_method => called.class.map_or(Value::None, Value::Class),
                _ => match places.next() {
                    Some(value) => value,
                    None => {
                        match (arguments.by_name.iter().find(|(name, _)| *name == parameter.name), &parameter.default) {
                            (Some((_, value)), _) => value.clone(),
                            (None, Some(default)) => self.eval(default),
                            (None, None) => {
                                let why =
                                    format!("a call of {} without its argument {}", function.name, parameter.name);
                                return Err(Value::unknown(line, why));
                            }
                        }
                    }
                },
            };
            locals.insert(parameter.name.clone(), value);
        }
        if let [Some(rest), _] = &function.rest {
            locals.insert(rest.clone(), Value::Tuple(places.collect()));
        }
        if let [_, Some(more)] = &function.rest {
            let is_more = |(name, _): &&(String, Value)| !function.parameters.iter().any(|known| known.name == *name);
            let more_values = arguments.by_name.iter().filter(is_more);
            let members = more_values.map(|(name, value)| (Value::text(name), value.clone())).collect();
            locals.insert(more.clone(), Value::Dict(members));
        }
        Ok(locals)
    }
}

fn is_super(expr: &Expr) -> bool {
    expr.call().is_some_and(|call| call.function.kind == ExprKind::Name("super".to_owned()))
}

fn is_harmless(decorator: &Expr) -> bool {
    let name =
        decorator.dotted().or_else(|| decorator.call().and_then(|call| call.function.dotted())).unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    ["task", "tag", "staticmethod", "classmethod", "property", "add_listener", "seq_task", "override"].contains(&last)
}

/// Whether a function returns at several places, or not always at its end.
fn has_several_results(function: &Function) -> bool {
    let mut returns = 0;
    walk(&function.body, &mut |stmt| returns += usize::from(matches!(stmt.kind, StmtKind::Return(Some(_)))));
    let ends = matches!(function.body.last().map(|stmt| &stmt.kind), Some(StmtKind::Return(Some(_))));
    let has_value = has_stmt(
        &function.body,
        &|stmt| matches!(&stmt.kind, StmtKind::Return(Some(value)) if value.kind != ExprKind::None),
    );
    let early = has_stmt(&function.body, &|stmt| matches!(stmt.kind, StmtKind::Return(None)));
    has_value && (returns > 1 || !ends || early)
}
