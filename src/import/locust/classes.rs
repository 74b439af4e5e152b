//! What a class is, inherits and defines.

use std::rc::Rc;

use super::program::{Binding, Program};
use super::syntax::{Expr, ExprKind, Function, StmtKind, has_expr};

/// What a class is to Locust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassKind {
    User {
        is_fast: bool,
    },
    TaskSet {
        is_sequential: bool,
    },
    Shape,
    /// A user that does not speak HTTP.
    OtherUser,
    Plain,
}

/// A member of a class.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Function(Rc<Function>),
    Value(Rc<Expr>),
    Class(usize),
}

/// What a user does as one task.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TaskRef {
    /// A function, in its module, of a class unless it is a plain one.
    Function(usize, Option<usize>, Rc<Function>),
    Set(usize),
}

/// A task with its weight.
pub(super) type Weighted = (TaskRef, u32);

impl Program {
    /// The class and those that it inherits from, in the order in which members are looked for.
    pub(super) fn ancestry(&self, class: usize) -> Vec<usize> {
        let mut order = Vec::new();
        self.add_ancestry(class, &mut order, 0);
        // A class comes after all that inherit from it.
        let mut last = Vec::new();
        for (at, class) in order.iter().enumerate() {
            if !order[at + 1..].contains(class) {
                last.push(*class);
            }
        }
        last
    }

    fn add_ancestry(&self, class: usize, order: &mut Vec<usize>, depth: usize) {
        if depth > 50 {
            return;
        }
        order.push(class);
        for base in &self.classes[class].body.bases {
            if let Some(base) = self.class_of(class, base) {
                self.add_ancestry(base, order, depth + 1);
            }
        }
    }

    /// The user's class that an expression in the head or body of a class means.
    pub(super) fn class_of(&self, class: usize, expr: &Expr) -> Option<usize> {
        match self.binding(class, expr)? {
            Binding::Class(class) => Some(class),
            _ => None,
        }
    }

    /// What a name, or `module.name`, in the head or body of a class means.
    fn binding(&self, class: usize, expr: &Expr) -> Option<Binding> {
        let own = &self.classes[class];
        match &expr.kind {
            ExprKind::Name(name) => {
                let mut scope = Some(class);
                while let Some(at) = scope {
                    if let Some(Member::Class(inner)) = self.own_member(at, name) {
                        return Some(Binding::Class(inner));
                    }
                    scope = self.classes[at].outer;
                }
                self.lookup(own.module, name).map(|(_, binding)| binding)
            }
            ExprKind::Attribute(of, name) => match self.binding(class, of)? {
                Binding::Module(module) => self.lookup(module, name).map(|(_, binding)| binding),
                Binding::Class(outer) => match self.own_member(outer, name)? {
                    Member::Class(inner) => Some(Binding::Class(inner)),
                    Member::Function(function) => Some(Binding::Function(function)),
                    Member::Value(value) => Some(Binding::Value(value)),
                },
                Binding::External(path) => Some(Binding::External(format!("{path}.{name}"))),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a class is, by the nearest of Locust's classes that it inherits from.
    pub(super) fn kind(&self, class: usize) -> ClassKind {
        for class in self.ancestry(class) {
            for base in &self.classes[class].body.bases {
                let Some(Binding::External(path)) = self.binding(class, base) else { continue };
                match path.rsplit('.').next().unwrap_or_default() {
                    "HttpUser" | "HttpLocust" => return ClassKind::User { is_fast: false },
                    "FastHttpUser" | "FastHttpLocust" => return ClassKind::User { is_fast: true },
                    "TaskSet" | "TaskSequence" => return ClassKind::TaskSet { is_sequential: false },
                    "SequentialTaskSet" => return ClassKind::TaskSet { is_sequential: true },
                    "LoadTestShape" => return ClassKind::Shape,
                    other if other.ends_with("User") && path.starts_with("locust") => return ClassKind::OtherUser,
                    _ => {}
                }
            }
        }
        ClassKind::Plain
    }

    /// The member of this name that the class itself defines: the last one.
    pub(super) fn own_member(&self, class: usize, name: &str) -> Option<Member> {
        let body = &self.classes[class].body;
        let mut found = None;
        for stmt in &body.body {
            match &stmt.kind {
                StmtKind::Function(function) if function.name == name => {
                    found = Some(Member::Function(Rc::clone(function)));
                }
                StmtKind::Assign(targets, value) => {
                    let is_target = |target: &Expr| matches!(&target.kind, ExprKind::Name(known) if known == name);
                    if targets.iter().any(is_target) {
                        found = Some(Member::Value(Rc::new(value.clone())));
                    }
                }
                StmtKind::Class(inner) if inner.name == name => {
                    let at = self.classes.iter().position(|class| Rc::ptr_eq(&class.body, inner));
                    found = at.map(Member::Class).or(found);
                }
                _ => {}
            }
        }
        found
    }

    /// The member of this name that the class has, and the class that defines it.
    pub(super) fn member(&self, class: usize, name: &str) -> Option<(usize, Member)> {
        self.ancestry(class).into_iter().find_map(|class| Some((class, self.own_member(class, name)?)))
    }

    /// The member of this name of the classes after `after` in the ancestry of `class`, which `super()` means.
    pub(super) fn member_above(&self, class: usize, after: usize, name: &str) -> Option<(usize, Member)> {
        let above = self.ancestry(class).into_iter().skip_while(|class| *class != after).skip(1);
        above.into_iter().find_map(|class| Some((class, self.own_member(class, name)?)))
    }

    /// The tasks of a class as Locust collects them: those of its bases, of `tasks`, and with `@task`. `Err` has the line of
    /// what is not understood.
    pub(super) fn tasks(&self, class: usize) -> Result<Vec<Weighted>, u32> {
        let mut tasks = Vec::new();
        self.add_tasks(class, &mut tasks, 0)?;
        // The same one several times is one of a higher weight.
        let mut merged: Vec<Weighted> = Vec::new();
        for (task, weight) in tasks {
            match merged.iter_mut().find(|(known, _)| is_same(known, &task)) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => merged.push((task, weight)),
            }
        }
        merged.retain(|(_, weight)| *weight > 0);
        Ok(merged)
    }

    /// The tasks in the order of their lists, each as often as it is in them.
    pub(super) fn tasks_in_order(&self, class: usize) -> Result<Vec<Weighted>, u32> {
        let mut tasks = Vec::new();
        self.add_tasks(class, &mut tasks, 0)?;
        Ok(tasks)
    }

    fn add_tasks(&self, class: usize, tasks: &mut Vec<Weighted>, depth: usize) -> Result<(), u32> {
        let body = &self.classes[class].body;
        for base in body.bases.iter().filter_map(|base| self.class_of(class, base)) {
            // Only the classes of Locust collect tasks; those of a plain one are methods.
            if depth < 50 && self.kind(base) != ClassKind::Plain {
                self.add_tasks(base, tasks, depth + 1)?;
            }
        }
        if let Some(Member::Value(value)) = self.own_member(class, "tasks") {
            self.add_list(class, &value, tasks)?;
        }
        for stmt in &body.body {
            let (decorators, name) = match &stmt.kind {
                StmtKind::Function(function) => (&function.decorators, &function.name),
                StmtKind::Class(inner) => (&inner.decorators, &inner.name),
                _ => continue,
            };
            let Some(weight) = weight_of(decorators)? else { continue };
            match self.own_member(class, name) {
                Some(Member::Function(last)) if matches!(&stmt.kind, StmtKind::Function(own) if Rc::ptr_eq(own, &last)) =>
                {
                    tasks.push((TaskRef::Function(self.classes[class].module, Some(class), last), weight));
                }
                Some(Member::Class(inner)) => tasks.push((TaskRef::Set(inner), weight)),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_list(&self, class: usize, value: &Expr, tasks: &mut Vec<Weighted>) -> Result<(), u32> {
        match &value.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                for item in items {
                    match &item.kind {
                        ExprKind::Tuple(pair) if pair.len() == 2 => {
                            let ExprKind::Int(weight) = pair[1].kind else { return Err(item.line) };
                            tasks.push((self.task(class, &pair[0])?, u32::try_from(weight).unwrap_or(0)));
                        }
                        _ => tasks.push((self.task(class, item)?, 1)),
                    }
                }
                Ok(())
            }
            ExprKind::Dict(members) => members.iter().try_for_each(|(key, weight)| {
                let (Some(key), ExprKind::Int(weight)) = (key, &weight.kind) else { return Err(value.line) };
                tasks.push((self.task(class, key)?, u32::try_from(*weight).unwrap_or(0)));
                Ok(())
            }),
            ExprKind::Binary(left, operator, right) if operator == "Add" => {
                self.add_list(class, left, tasks)?;
                self.add_list(class, right, tasks)
            }
            ExprKind::Binary(list, operator, times) if operator == "Mult" => {
                let ExprKind::Int(times @ 0..=1000) = times.kind else { return Err(value.line) };
                (0..times).try_for_each(|_| self.add_list(class, list, tasks))
            }
            ExprKind::Name(name) => match self.lookup(self.classes[class].module, name) {
                Some((_, Binding::Value(value))) => self.add_list(class, &value, tasks),
                _ => Err(value.line),
            },
            ExprKind::None => Ok(()),
            _ => Err(value.line),
        }
    }

    fn task(&self, class: usize, expr: &Expr) -> Result<TaskRef, u32> {
        if let ExprKind::Name(name) = &expr.kind
            && let Some(Member::Function(function)) = self.own_member(class, name)
        {
            return Ok(TaskRef::Function(self.classes[class].module, Some(class), function));
        }
        match self.binding(class, expr) {
            Some(Binding::Class(class)) => Ok(TaskRef::Set(class)),
            Some(Binding::Function(function)) => Ok(TaskRef::Function(self.classes[class].module, None, function)),
            _ => Err(expr.line),
        }
    }

    /// Returns whether a `TaskSet`, or one within it, gives control back by `interrupt()`.
    pub(super) fn interrupts(&self, class: usize) -> bool {
        let calls = |expr: &Expr| match expr.call().map(|call| &call.function.kind) {
            Some(ExprKind::Attribute(_, name)) => name == "interrupt",
            Some(ExprKind::Name(name)) => name == "InterruptTaskSet",
            _ => false,
        };
        self.ancestry(class).into_iter().any(|class| {
            self.classes[class].body.body.iter().any(|stmt| match &stmt.kind {
                StmtKind::Function(function) => has_expr(&function.body, &|expr| {
                    calls(expr) || matches!(&expr.kind, ExprKind::Name(name) if name == "InterruptTaskSet")
                }),
                _ => false,
            })
        })
    }
}

fn is_same(left: &TaskRef, right: &TaskRef) -> bool {
    match (left, right) {
        (TaskRef::Function(_, _, left), TaskRef::Function(_, _, right)) => Rc::ptr_eq(left, right),
        (TaskRef::Set(left), TaskRef::Set(right)) => left == right,
        _ => false,
    }
}

/// The weight of `@task` or `@task(3)`; none without.
fn weight_of(decorators: &[Expr]) -> Result<Option<u32>, u32> {
    for decorator in decorators {
        let (name, arguments) = match &decorator.kind {
            ExprKind::Call(call) => (call.function.dotted(), Some(call)),
            _ => (decorator.dotted(), None),
        };
        let name = name.unwrap_or_default();
        match name.rsplit('.').next().unwrap_or_default() {
            "task" => {
                let weight = arguments
                    .and_then(|call| call.arguments.first().or_else(|| call.keywords.first().map(|(_, value)| value)));
                return match weight.map(|weight| &weight.kind) {
                    None => Ok(Some(1)),
                    Some(ExprKind::Int(weight)) => Ok(Some(u32::try_from(*weight).unwrap_or(0))),
                    Some(_) => Err(decorator.line),
                };
            }
            "seq_task" => return Ok(Some(1)),
            _ => {}
        }
    }
    Ok(None)
}

/// The names in `@tag(...)`.
pub(super) fn tags(decorators: &[Expr]) -> Vec<String> {
    let calls = decorators.iter().filter_map(Expr::call);
    let calls = calls.filter(|call| call.function.dotted().is_some_and(|name| name.rsplit('.').next() == Some("tag")));
    let text = |expr: &Expr| if let ExprKind::Text(text) = &expr.kind { Some(text.clone()) } else { None };
    calls.flat_map(|call| call.arguments.iter().filter_map(text)).collect()
}
