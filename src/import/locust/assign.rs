//! Assignments.

use super::evaluator::Evaluator;
use super::syntax::{Expr, ExprKind, StmtKind, has_stmt, walk};
use super::value::{RunKind, RunValue, Value};

impl Evaluator<'_> {
    /// Binds the names of a target.
    pub(super) fn bind(&mut self, target: &Expr, value: Value) {
        match (&target.kind, value) {
            (ExprKind::Name(name), value) => {
                self.locals().insert(name.clone(), value);
            }
            (ExprKind::Tuple(targets) | ExprKind::List(targets), Value::Tuple(values) | Value::List(values))
                if targets.len() == values.len() =>
            {
                for (target, value) in targets.iter().zip(values) {
                    self.bind(target, value);
                }
            }
            (ExprKind::Tuple(targets), _) => {
                for target in targets {
                    self.bind(target, Value::unknown(target.line, "a part of a value that is not known"));
                }
            }
            _ => {}
        }
    }

    /// `target = value`
    pub(super) fn assign(&mut self, target: &Expr, value: Value, line: u32) {
        match &target.kind {
            ExprKind::Name(name) => self.assign_name(name, value, line),
            ExprKind::Attribute(of, name) => self.assign_attribute(of, name, value, line),
            ExprKind::Subscript(of, key) => {
                let key = self.eval(key);
                match self.eval(of) {
                    Value::ClientHeaders => self.set_header(&key, value, line),
                    Value::Dict(mut members) => {
                        self.say_shared(of, line);
                        super::expr::set_member(&mut members, key, value);
                        self.assign(of, Value::Dict(members), line);
                    }
                    _ => self.lost(line, "an assignment to an item is left out"),
                }
            }
            ExprKind::Tuple(targets) | ExprKind::List(targets) => match value {
                Value::Tuple(values) | Value::List(values) if values.len() == targets.len() => {
                    for (target, value) in targets.iter().zip(values) {
                        self.assign(target, value, line);
                    }
                }
                other => {
                    let why = if let Value::Unknown(problem) = other {
                        problem.why
                    } else {
                        "a value that is taken apart".to_owned()
                    };
                    for target in targets {
                        self.assign(target, Value::unknown(line, why.clone()), line);
                    }
                }
            },
            _ => self.lost(line, "an assignment is left out"),
        }
    }

    /// `of.name = value`
    fn assign_attribute(&mut self, of: &Expr, name: &str, value: Value, line: u32) {
        match self.eval(of) {
            Value::Object(object) => self.set_attribute(object, name, value, line),
            Value::Client if name == "headers" => {
                self.state.headers.clear();
                self.say_lasting("headers", line);
                if let Value::Dict(members) = value {
                    for (key, value) in members {
                        self.set_header(&key, value, line);
                    }
                }
            }
            Value::Client if name == "request_name" => {
                self.state.request_name =
                    self.text(&value, line).ok().filter(|_| value != Value::None).map(|name| name.template());
            }
            Value::Client if name == "verify" => {
                self.client.is_insecure |= value == Value::Bool(false);
            }
            Value::Client if name == "auth" => self.set_auth(&value, line),
            // What responses are called in the statistics of Locust, and so on.
            Value::Response(_) | Value::External(_) => {}
            Value::Class(class) => self.assign_class(class, name, &value, line),
            Value::Unknown(problem) => self.lost(line, format!("an assignment is left out: {}", problem.why)),
            _ => self.lost(line, format!("an assignment to {name} is left out")),
        }
    }

    fn assign_class(&mut self, class: usize, name: &str, value: &Value, line: u32) {
        let counts = matches!(value, Value::Run(run) if run.code == "counter") || matches!(value, Value::Int(_));
        if counts {
            self.remark(line, "a number that is counted up is ${counter}: no other request of the run has it");
            let owner = self.program.member(class, name).map_or(class, |(owner, _)| owner);
            let module = self.program.classes[owner].module;
            let counter = Value::Run(RunValue::made("counter", RunKind::Number));
            self.state.globals.insert((module, format!("{owner}.{name}")), counter);
        } else {
            self.lost(line, format!("an assignment to {name} of a class is left out"));
        }
    }

    fn assign_name(&mut self, name: &str, value: Value, line: u32) {
        if self.frames.last().is_some_and(|frame| frame.variables.contains(name)) {
            return self.assign_changing(name, &value, line);
        }
        self.raised_here(&value, line);
        let value = if self.is_used_once(name) && !value.is_structure() || !value.is_new_each_time() {
            value
        } else {
            self.kept(value, name, line)
        };
        if let Value::Response(request) = value
            && self.requests[request].is_checked
        {
            self.unreported(request);
        }
        let is_global = self.frames.last().and_then(|frame| frame.function.as_ref()).is_some_and(|function| {
            has_stmt(&function.body, &|stmt| stmt.kind == StmtKind::Global) && self.is_of_module(name)
        });
        if is_global {
            self.assign_global(name, value, line);
            return;
        }
        self.locals().insert(name.to_owned(), value);
    }

    /// A local name that a loop changes: a variable of the scenario.
    fn assign_changing(&mut self, name: &str, value: &Value, line: u32) {
        let scope = self.scope();
        let variable = self.names.of(&scope, name);
        let kind = match value {
            Value::Json(place) => self.extracted_as(place, &variable, line).map(|run| run.kind),
            value => self.assign_variable(&variable, value, line),
        };
        let value = kind.map_or_else(Value::Unknown, |kind| Value::Run(RunValue::variable(&variable, kind)));
        self.locals().insert(name.to_owned(), value);
    }

    fn is_of_module(&self, name: &str) -> bool {
        self.program.lookup(self.module(), name).is_some()
    }

    fn assign_global(&mut self, name: &str, value: Value, line: u32) {
        let Some((module, _)) = self.program.lookup(self.module(), name) else { return };
        let value = match value {
            Value::Int(_) => {
                self.remark(line, "a number that is counted up is ${counter}: no other request of the run has it");
                Value::Run(RunValue::made("counter", RunKind::Number))
            }
            Value::Json(place) if place.pointer.is_empty() => Value::Json(place),
            value if value.is_structure() => value,
            value => {
                let variable = self.names.of("global", name);
                let kind = match &value {
                    Value::Json(place) => self.extracted_as(place, &variable, line).map(|run| run.kind),
                    value => self.assign_variable(&variable, value, line),
                };
                kind.map_or_else(Value::Unknown, |kind| Value::Run(RunValue::variable(&variable, kind)))
            }
        };
        self.state.globals.insert((module, name.to_owned()), value);
    }

    /// Whether a local name is read at one place, which is not in a loop.
    fn is_used_once(&self, name: &str) -> bool {
        let Some(function) = self.frames.last().and_then(|frame| frame.function.as_ref()) else { return true };
        let mut uses = 0;
        let mut loops = false;
        walk(&function.body, &mut |stmt| {
            loops |= matches!(stmt.kind, StmtKind::For(_) | StmtKind::While(..));
            for expr in stmt.expressions() {
                expr.walk(&mut |expr| uses += usize::from(expr.kind == ExprKind::Name(name.to_owned())));
            }
        });
        // One of them is the assignment itself.
        uses <= 2 && !loops
    }
}
