//! The values of expressions.

use super::classes::Member;
use super::condition::Condition;
use super::evaluator::Evaluator;
use super::program::Binding;
use super::syntax::{Comprehension, Expr, ExprKind};
use super::value::{FunctionValue, JsonPlace, Missing, PickFrom, RunKind, RunValue, Text, Value};

/// Maximum number of items of a list that is known.
const MAX_ITEMS: usize = 10_000;

impl Evaluator<'_> {
    /// The value of an expression, whose requests are sent.
    pub(super) fn eval(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::None => Value::None,
            ExprKind::Bool(truth) => Value::Bool(*truth),
            ExprKind::Int(number) => Value::Int(*number),
            ExprKind::Float(number) => Value::Float(*number),
            ExprKind::Text(text) | ExprKind::Bytes(text) => Value::text(text),
            ExprKind::Name(name) => self.name(name, expr.line),
            ExprKind::Attribute(of, name) => {
                if let Some(value) = self.dotted_module(expr) {
                    return value;
                }
                let of = self.eval(of);
                self.attribute(of, name, expr.line)
            }
            ExprKind::Call(call) => self.call(call, expr.line),
            ExprKind::Joined(parts) => self.joined(parts, expr.line),
            ExprKind::Formatted(of, spec) => self.formatted(of, spec.as_deref(), expr.line),
            ExprKind::Binary(left, operator, right) => {
                let (left, right) = (self.eval(left), self.eval(right));
                self.binary(left, operator, right, expr.line)
            }
            ExprKind::Subscript(of, at) => self.subscript_expr(of, at, expr.line),
            ExprKind::List(items) => Value::List(self.items(items)),
            ExprKind::Tuple(items) => Value::Tuple(self.items(items)),
            ExprKind::Dict(members) => self.dict(members, expr.line),
            ExprKind::IfElse(parts) => self.if_else(parts, expr.line),
            ExprKind::Unary(operator, of) if operator != "Not" => match (operator.as_str(), self.eval(of)) {
                ("USub", Value::Int(number)) => Value::Int(-number),
                ("USub", Value::Float(number)) => Value::Float(-number),
                _ => Value::unknown(expr.line, "an operation on a value of the run"),
            },
            ExprKind::Or(parts) if parts.len() == 2 => self.either(&parts[0], &parts[1], false, expr),
            ExprKind::And(parts) if parts.len() == 2 => self.either(&parts[0], &parts[1], true, expr),
            ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Compare(..) | ExprKind::Unary(..) => self.test(expr),
            ExprKind::Lambda(function) => Value::Function(FunctionValue {
                module: self.module(),
                class: None,
                object: self.frames.last().and_then(|frame| frame.object),
                function: function.clone(),
            }),
            ExprKind::Comprehension(all) => self.comprehension(all, expr.line),
            ExprKind::Starred(_) | ExprKind::Slice(..) => Value::unknown(expr.line, "a slice or *list"),
            ExprKind::Unknown(what) => Value::unknown(expr.line, format!("{what} is not understood")),
        }
    }

    pub(super) fn test(&mut self, expr: &Expr) -> Value {
        match self.condition(expr) {
            Ok(Condition::Known(truth)) => Value::Bool(truth),
            Ok(condition) => Value::Test(Box::new(condition)),
            Err(problem) => Value::Unknown(problem),
        }
    }

    pub(super) fn items(&mut self, items: &[Expr]) -> Vec<Value> {
        let mut values = Vec::new();
        for item in items {
            match &item.kind {
                ExprKind::Starred(inner) => match self.eval(inner) {
                    Value::List(inner) | Value::Tuple(inner) => values.extend(inner),
                    other => values.push(other),
                },
                _ => values.push(self.eval(item)),
            }
        }
        values
    }

    fn dict(&mut self, members: &[(Option<Expr>, Expr)], line: u32) -> Value {
        let mut values: Vec<(Value, Value)> = Vec::new();
        for (key, value) in members {
            let value = self.eval(value);
            let Some(key) = key else {
                let Value::Dict(inner) = value else { return Value::unknown(line, "** of what is not known") };
                for (key, value) in inner {
                    set_member(&mut values, key, value);
                }
                continue;
            };
            let key = self.eval(key);
            set_member(&mut values, key, value);
        }
        Value::Dict(values)
    }

    pub(super) fn if_else(&mut self, parts: &[Expr; 3], line: u32) -> Value {
        let [test, body, otherwise] = parts;
        let condition = match self.condition(test) {
            Ok(Condition::Known(truth)) => return self.eval(if truth { body } else { otherwise }),
            Ok(condition) => condition,
            Err(problem) => return Value::Unknown(problem),
        };
        let name = self.names.fresh("either");
        let mut kinds = Vec::new();
        let mut branches = Vec::new();
        for expr in [body, otherwise] {
            let (steps, kind, _) = self.branch(self.state.clone(), |this| {
                let value = this.eval(expr);
                this.assign_variable(&name, &value, line)
            });
            kinds.push(kind);
            branches.push(steps);
        }
        let otherwise = branches.pop().unwrap_or_default();
        self.emit_when(condition, branches.pop().unwrap_or_default(), otherwise);
        match &*kinds {
            [Ok(left), Ok(right)] => {
                Value::Run(RunValue::variable(&name, if left == right { *left } else { RunKind::Text }))
            }
            _ => Value::unknown(line, "a choice between values that are not known"),
        }
    }

    /// The value of a name.
    fn name(&mut self, name: &str, line: u32) -> Value {
        if let Some(value) = self.state.locals.last().and_then(|locals| locals.get(name)) {
            return value.clone();
        }
        let module = self.module();
        if let Some(class) = self.frames.last().and_then(|frame| frame.class)
            && let Some(outer) = self.program.classes[class].outer
            && let Some(Member::Class(inner)) = self.program.own_member(outer, name)
        {
            return Value::Class(inner);
        }
        match self.module_name(module, name, line) {
            Some(value) => value,
            None if is_builtin(name) => Value::External(format!("builtins.{name}")),
            None => Value::unknown(line, format!("the name {name} is not known here")),
        }
    }

    /// The value of a name of a module.
    pub(super) fn module_name(&mut self, module: usize, name: &str, line: u32) -> Option<Value> {
        let (module, binding) = self.program.lookup(module, name)?;
        if let Some(value) = self.state.globals.get(&(module, name.to_owned())) {
            return Some(value.clone());
        }
        Some(match binding {
            Binding::Class(class) => Value::Class(class),
            Binding::Function(function) => {
                Value::Function(FunctionValue { module, class: None, object: None, function })
            }
            Binding::External(path) => Value::External(path),
            Binding::Module(module) => Value::Module(module),
            Binding::Value(expr) => self.constant(module, name, &expr, line),
            Binding::Imported(..) => Value::unknown(line, format!("{name} is imported from what has no such name")),
            Binding::Unknown(at) => Value::unknown(line, format!("the value of {name} (line {at}) is not known")),
        })
    }

    /// The value of a constant, evaluated in its module.
    pub(super) fn constant(&mut self, module: usize, name: &str, expr: &Expr, line: u32) -> Value {
        let key = (module, name.to_owned());
        if self.pending.contains(&key) {
            return Value::unknown(line, format!("{name} is defined by itself"));
        }
        self.pending.push(key.clone());
        self.enter_module(module);
        let value = self.eval(expr);
        self.leave_module();
        self.pending.pop();
        let value = self.made_once(value, name, line);
        self.state.globals.insert(key, value.clone());
        value
    }

    /// A value of a module is made once, when Python starts, and not anew where it is used.
    fn made_once(&mut self, value: Value, name: &str, line: u32) -> Value {
        if value.is_new_each_time() && !matches!(value, Value::Row(_) | Value::Time(_)) {
            self.remark(line, format!("{name} is made anew where it is used; in Locust it is made once, at the start"));
        }
        value
    }

    /// `a.b.c` where `a.b` is a module of the user that was imported by this name.
    fn dotted_module(&mut self, expr: &Expr) -> Option<Value> {
        let ExprKind::Attribute(of, name) = &expr.kind else { return None };
        let path = of.dotted().filter(|path| path.contains('.'))?;
        match self.program.modules[self.module()].names.get(&path)? {
            Binding::Module(module) => self.module_name(*module, name, expr.line),
            _ => None,
        }
    }

    fn comprehension(&mut self, all: &Comprehension, line: u32) -> Value {
        if all.is_nested {
            return Value::unknown(line, "a comprehension of several loops");
        }
        let source = self.eval(&all.source);
        let items = match source {
            Value::List(items) | Value::Tuple(items) => items,
            Value::Range(from, to) if to - from <= 1000 => (from..to).map(Value::Int).collect(),
            Value::Json(place) if all.conditions.is_empty() && all.value.is_none() => {
                return self.each_of(&place, all, line);
            }
            other => return other_source(other, all, line),
        };
        let mut list = Vec::new();
        let mut members = Vec::new();
        let locals = self.locals().clone();
        for item in items.into_iter().take(MAX_ITEMS) {
            self.bind(&all.target, item);
            let mut is_wanted = true;
            for condition in &all.conditions {
                match self.condition(condition) {
                    Ok(Condition::Known(truth)) => is_wanted &= truth,
                    _ => return Value::unknown(line, "a comprehension with a condition of the run"),
                }
            }
            if is_wanted {
                let element = self.eval(&all.element);
                match &all.value {
                    Some(value) => members.push((element, self.eval(value))),
                    None => list.push(element),
                }
            }
        }
        *self.locals() = locals;
        if all.value.is_some() { Value::Dict(members) } else { Value::List(list) }
    }

    /// `[item["id"] for item in response.json()]`
    fn each_of(&mut self, place: &JsonPlace, all: &Comprehension, line: u32) -> Value {
        let item = JsonPlace { pointer: format!("{}/*", place.pointer), missing: Missing::Raises, ..place.clone() };
        let locals = self.locals().clone();
        self.bind(&all.target, Value::Json(item));
        let element = self.eval(&all.element);
        *self.locals() = locals;
        match element {
            Value::Json(place) if place.pick == PickFrom::First && place.pointer.contains("/*") => Value::Json(place),
            _ => Value::unknown(line, "a comprehension over values of a response"),
        }
    }

    /// A text made of parts.
    fn joined(&mut self, parts: &[Expr], line: u32) -> Value {
        let mut text = Text::default();
        for part in parts {
            let value = self.eval(part);
            match self.text(&value, line) {
                Ok(part) => text.push(part),
                Err(problem) => return Value::Unknown(problem),
            }
        }
        Value::Text(text)
    }
}

/// Sets a member of a dictionary, which keeps its place.
pub(super) fn set_member(members: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    match members.iter_mut().find(|(known, _)| *known == key) {
        Some((_, old)) => *old = value,
        None => members.push((key, value)),
    }
}

fn is_builtin(name: &str) -> bool {
    [
        "str",
        "int",
        "float",
        "bool",
        "len",
        "range",
        "dict",
        "list",
        "tuple",
        "set",
        "open",
        "print",
        "round",
        "min",
        "max",
        "sum",
        "sorted",
        "enumerate",
        "zip",
        "abs",
        "next",
        "iter",
        "isinstance",
        "hasattr",
        "getattr",
        "setattr",
        "super",
        "bytes",
        "any",
        "all",
        "reversed",
        "map",
        "filter",
        "type",
        "Exception",
        "ValueError",
        "KeyError",
        "hex",
        "chr",
        "ord",
        "repr",
        "format",
        "globals",
        "locals",
        "input",
        "exit",
        "__file__",
    ]
    .contains(&name)
}

fn other_source(source: Value, all: &Comprehension, line: u32) -> Value {
    match source {
        // `[x for x in rows]`
        Value::Rows(name) if all.element == all.target && all.conditions.is_empty() => Value::Rows(name),
        Value::Unknown(problem) => Value::Unknown(problem),
        _ => Value::unknown(line, "a comprehension over values of the run"),
    }
}
