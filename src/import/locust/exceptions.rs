//! `try` and its handlers.

use super::evaluator::{Evaluator, Flow, Handler, Phase};
use super::syntax::{Expr, ExprKind, Stmt, StmtKind, Try, walk};
use super::value::{Missing, RunValue, Value};

impl Evaluator<'_> {
    /// `try` with its handlers, `else` and `finally`.
    pub(super) fn try_block(&mut self, all: &Try) -> Flow {
        self.looks_at_failures |= self.phase == Phase::Start;
        let handler = self.handler_of(all);
        self.keep_handled(&handler);
        let body = [&*all.body, &*all.otherwise].concat();
        let sends = super::users::has_request(&handler);
        let flow = self.guarded(&body, handler);
        if sends {
            // The last answer may be that of a request of the handler.
            self.state.last = None;
        }
        let last = self.block(&all.last);
        if flow == Flow::Ends { Flow::Ends } else { last }
    }

    /// The statements of the handler that a missing member of an answer leads to.
    fn handler_of(&mut self, all: &Try) -> Vec<Stmt> {
        let taken = all.handlers.iter().position(|(kind, _)| catches_a_missing_member(kind.as_ref()));
        let taken = taken.or(if all.handlers.is_empty() { None } else { Some(0) });
        for (at, (kind, body)) in all.handlers.iter().enumerate() {
            let line = kind.as_ref().map_or(0, |kind| kind.line);
            if Some(at) != taken && super::block::matters(body) {
                self.lost(
                    line,
                    "one of several `except` is left out: that for a missing member of a response is taken",
                );
            }
        }
        taken.map(|at| all.handlers[at].1.clone()).unwrap_or_default()
    }

    /// Names that a handler sets become variables: which value they have is known in the run.
    fn keep_handled(&mut self, handler: &[Stmt]) {
        let mut names = Vec::new();
        let mut left_out = Vec::new();
        walk(handler, &mut |stmt| match &stmt.kind {
            StmtKind::Assign(targets, value) => {
                for target in targets {
                    match &target.kind {
                        ExprKind::Name(name) if is_simple(value) => names.push((name.clone(), stmt.line)),
                        // An attribute that is set at two places is a variable already.
                        ExprKind::Attribute(..) if is_simple(value) => {}
                        _ => left_out.push(stmt.line),
                    }
                }
            }
            StmtKind::AugAssign(..) => left_out.push(stmt.line),
            _ => {}
        });
        for line in left_out {
            self.lost(line, "what `except` sets is left out: after it, the value of `try` is taken");
        }
        for (name, line) in names {
            let known = self.state.locals.last().and_then(|locals| locals.get(&name)).cloned();
            if let Some(value) = known {
                let scope = self.scope();
                let variable = self.names.of(&scope, &name);
                let Ok(kind) = self.assign_variable(&variable, &value, line) else {
                    let why = format!("what `except` sets is left out: {name} was a value that no variable has");
                    self.lost(line, why);
                    continue;
                };
                self.locals().insert(name.clone(), Value::Run(RunValue::variable(&variable, kind)));
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.variables.insert(name);
            }
        }
    }

    /// Within `try`, a member of an answer that is missing is an exception where it is read, not where it is used.
    pub(super) fn raised_here(&mut self, value: &Value, line: u32) {
        let Some(Handler::Except(handler, _)) = self.handlers.last().cloned() else { return };
        if let Value::List(parts) | Value::Tuple(parts) = value {
            return parts.iter().for_each(|part| self.raised_here(part, line));
        }
        if let Value::Dict(members) = value {
            return members.iter().for_each(|(_, part)| self.raised_here(part, line));
        }
        if let Value::Json(place) = value
            && place.missing == Missing::Raises
            && (!place.pointer.is_empty() || super::block::matters(&handler))
            && let Err(problem) = self.extracted(place, line)
        {
            self.lost(line, format!("`except` is left out here: {}", problem.why));
        }
    }
}

fn catches_a_missing_member(kind: Option<&Expr>) -> bool {
    let Some(kind) = kind else { return true };
    if let ExprKind::Tuple(kinds) = &kind.kind {
        return kinds.iter().any(|kind| catches_a_missing_member(Some(kind)));
    }
    let name = kind.dotted().unwrap_or_default();
    let known = ["Exception", "BaseException", "KeyError", "LookupError", "IndexError", "TypeError"];
    known.contains(&name.rsplit('.').next().unwrap_or_default())
}

/// Whether an expression is a value that a variable of a scenario has.
fn is_simple(expr: &Expr) -> bool {
    let is_structure = matches!(
        expr.kind,
        ExprKind::Dict(_) | ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Comprehension(_) | ExprKind::Call(_)
    );
    !is_structure
}
