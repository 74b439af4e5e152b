//! Dictionaries and lists that have several names: a change by one of them is not seen by the others here, which is said.

use super::evaluator::{Evaluator, Phase};
use super::syntax::{Call, Expr, ExprKind, Function, Stmt, StmtKind, has_expr, has_stmt, walk};
use super::value::Value;

impl Evaluator<'_> {
    /// Says what a change of a dictionary or list does not reach.
    pub(super) fn say_shared(&mut self, of: &Expr, line: u32) {
        let mut root = of;
        while let ExprKind::Subscript(inner, _) = &root.kind {
            root = inner;
        }
        match &root.kind {
            ExprKind::Attribute(_, name) if self.phase == Phase::Task && !self.is_set_before(name, line) => {
                self.say_lasting_change(name, line);
            }
            ExprKind::Name(name) if !self.locals().contains_key(name) => self.say_lasting_change(name, line),
            ExprKind::Name(name) => self.say_other_names(name, line),
            _ => {}
        }
    }

    fn say_lasting_change(&mut self, name: &str, line: u32) {
        self.lost(line, format!("{name} is changed here for the rest of this function only; in Locust, for all that have it, and for later tasks"));
    }

    /// Whether the function sets the attribute anew before it changes it.
    fn is_set_before(&self, name: &str, line: u32) -> bool {
        let is_it = |target: &Expr| matches!(&target.kind, ExprKind::Attribute(_, known) if known == name);
        let function = self.frames.last().and_then(|frame| frame.function.as_ref());
        function.is_some_and(|function| {
            function.body.iter().any(|stmt| {
                stmt.line < line && matches!(&stmt.kind, StmtKind::Assign(targets, _) if targets.iter().any(is_it))
            })
        })
    }

    /// Says that another name of what is changed is used later.
    fn say_other_names(&mut self, name: &str, line: u32) {
        let Some(function) = self.frames.last().and_then(|frame| frame.function.clone()) else { return };
        let (mut sources, mut targets_of_it) = (Vec::new(), Vec::new());
        walk(&function.body, &mut |stmt| {
            let StmtKind::Assign(targets, value) = &stmt.kind else { return };
            for target in targets.iter().filter(|_| stmt.line < line) {
                match (&target.kind, &value.kind) {
                    (ExprKind::Name(own), ExprKind::Name(_) | ExprKind::Attribute(..)) if own == name => {
                        sources.push(value.clone());
                    }
                    (ExprKind::Name(_) | ExprKind::Attribute(..), ExprKind::Name(own)) if own == name => {
                        targets_of_it.push(target.clone());
                    }
                    _ => {}
                }
            }
        });
        for other in sources.iter().chain(&targets_of_it) {
            match &other.kind {
                ExprKind::Name(known)
                    if self.locals().contains_key(known) && !is_used_after(&function.body, known, line) => {}
                ExprKind::Name(known) if self.locals().contains_key(known) => {
                    let why = format!("{name} is changed here, but {known}, which is the same in Locust, is not");
                    self.lost(line, why);
                }
                ExprKind::Name(known) | ExprKind::Attribute(_, known) => self.say_lasting_change(known, line),
                _ => {}
            }
        }
    }

    /// Says that a function changes an argument, which its caller uses later.
    pub(super) fn say_changed_arguments(&mut self, function: &Value, call: &Call, line: u32) {
        let Value::Function(called) = function else { return };
        let Some(outer) = self.frames.last().and_then(|frame| frame.function.clone()) else { return };
        let is_bound = called.object.is_some() && called.function.name != "<lambda>";
        let parameters = called.function.parameters.iter().skip(usize::from(is_bound));
        let mut pairs: Vec<(String, Expr)> = parameters
            .zip(&call.arguments)
            .map(|(parameter, argument)| (parameter.name.clone(), argument.clone()))
            .collect();
        pairs.extend(call.keywords.iter().filter_map(|(name, value)| Some((name.clone()?, value.clone()))));
        for (parameter, argument) in pairs {
            if !changes(&called.function, &parameter) {
                continue;
            }
            match &argument.kind {
                ExprKind::Name(name) if self.locals().contains_key(name) && !is_used_after(&outer.body, name, line) => {
                }
                ExprKind::Name(name) if self.locals().contains_key(name) => {
                    self.lost(line, format!("{} changes {name}, which is not seen here", called.function.name));
                }
                ExprKind::Name(name) | ExprKind::Attribute(_, name) => self.say_lasting_change(name, line),
                _ => {}
            }
        }
    }
}

/// Whether a name is read after a line, or a loop may come back to it.
fn is_used_after(body: &[Stmt], name: &str, line: u32) -> bool {
    has_expr(body, &|expr| expr.line > line && expr.kind == ExprKind::Name(name.to_owned()))
        || has_stmt(body, &|stmt| matches!(stmt.kind, StmtKind::For(_) | StmtKind::While(..)))
}

/// Whether a function changes what a parameter of it is.
fn changes(function: &Function, parameter: &str) -> bool {
    let is_it = |expr: &Expr| {
        let mut root = expr;
        while let ExprKind::Subscript(inner, _) = &root.kind {
            root = inner;
        }
        root.kind == ExprKind::Name(parameter.to_owned())
    };
    let is_item = |expr: &Expr| matches!(&expr.kind, ExprKind::Subscript(of, _) if is_it(of));
    let sets = has_stmt(&function.body, &|stmt| match &stmt.kind {
        StmtKind::Assign(targets, _) => targets.iter().any(is_item),
        StmtKind::AugAssign(target, ..) => is_item(target),
        _ => false,
    });
    let calls = has_expr(&function.body, &|expr| {
        expr.call().is_some_and(
            |call| matches!(&call.function.kind, ExprKind::Attribute(of, name) if is_it(of) && is_change(name)),
        )
    });
    sets || calls
}

/// Whether a method changes a list or dictionary.
pub(super) fn is_change(name: &str) -> bool {
    matches!(name, "append" | "update" | "extend" | "pop" | "insert" | "remove" | "clear" | "setdefault")
}
