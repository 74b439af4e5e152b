//! Statements.

use std::rc::Rc;

use super::choices;
use super::condition::Condition;
use super::evaluator::{Evaluator, Flow, Frame, Handler, State};
use super::headers::headers_of_one;
use super::steps::{Step, leaves_loop};
use super::syntax::{Expr, ExprKind, Stmt, StmtKind, has_stmt};
use super::texts::number_json;
use super::value::{RunKind, RunValue, Value};
use crate::plan::json::Json;

/// How often the statements after a condition may be written for each of its branches.
const MAX_SPLITS: usize = 12;

impl Evaluator<'_> {
    /// Enters a module, outside of any function.
    pub(super) fn enter_module(&mut self, module: usize) {
        let frame = Frame {
            module,
            class: None,
            object: None,
            function: None,
            is_task: false,
            depth: self.depth,
            results: Vec::new(),
            result: None,
            variables: std::collections::BTreeSet::new(),
        };
        self.frames.push(frame);
        self.state.locals.push(std::collections::BTreeMap::new());
    }

    pub(super) fn leave_module(&mut self) {
        self.frames.pop();
        self.state.locals.pop();
    }

    /// Does the statements of a block.
    pub(super) fn block(&mut self, block: &[Stmt]) -> Flow {
        for (at, stmt) in block.iter().enumerate() {
            let flow = match &stmt.kind {
                StmtKind::If(test, then, otherwise) => match self.if_block(test, then, otherwise, &block[at + 1..]) {
                    Some(flow) => return flow,
                    None => Flow::Next,
                },
                _ => match choices::split(stmt) {
                    Some((test, yes, no)) => match self.if_block(&test, &[yes], &[no], &block[at + 1..]) {
                        Some(flow) => return flow,
                        None => Flow::Next,
                    },
                    None => self.stmt(stmt),
                },
            };
            if flow == Flow::Ends {
                return Flow::Ends;
            }
        }
        Flow::Next
    }

    fn stmt(&mut self, stmt: &Stmt) -> Flow {
        let line = stmt.line;
        match &stmt.kind {
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(Value::None, |value| self.eval(value));
                self.returns(value, line);
                return Flow::Ends;
            }
            StmtKind::Assign(targets, value) => {
                let value = self.eval(value);
                for target in targets {
                    self.assign(target, value.clone(), line);
                }
            }
            StmtKind::AugAssign(target, operator, value) => {
                let (old, value) = (self.eval(target), self.eval(value));
                let new = self.added(old, operator, value, line);
                self.assign(target, new, line);
            }
            StmtKind::For(each) => return self.for_block(each, line),
            StmtKind::While(test, body) => self.while_block(test, body, line),
            StmtKind::With(items, body) => return self.with_block(items, body),
            StmtKind::Raise(value) => {
                self.raise(value.as_ref());
                return Flow::Ends;
            }
            StmtKind::Try(all) => return self.try_block(all),
            StmtKind::Expr(expr) => self.expr_stmt(expr, line),
            StmtKind::Assert(test) => match self.condition(test) {
                Ok(condition) => {
                    let (steps, (), _) = self.branch(self.state.clone(), Self::abort);
                    self.emit_when(condition.not(), steps, Vec::new());
                }
                Err(problem) => self.lost(line, format!("assert is left out: {}", problem.why)),
            },
            StmtKind::Break | StmtKind::Continue => {
                self.out.push(Step::LeaveLoop);
                return Flow::Ends;
            }
            StmtKind::Function(_) | StmtKind::Import(_) | StmtKind::ImportFrom(_, 0, _) => self.define(&stmt.kind),
            StmtKind::Unknown(what) => self.lost(line, format!("{what} is left out")),
            StmtKind::Delete | StmtKind::Class(_) | StmtKind::ImportFrom(..) => {
                self.lost(line, "a statement is left out");
            }
            StmtKind::If(..) | StmtKind::Pass | StmtKind::Global => {}
        }
        Flow::Next
    }

    /// Functions and imports within a function.
    fn define(&mut self, stmt: &StmtKind) {
        match stmt {
            StmtKind::Function(function) => {
                let value = Value::Function(super::value::FunctionValue {
                    module: self.module(),
                    class: None,
                    object: None,
                    function: Rc::clone(function),
                });
                self.locals().insert(function.name.clone(), value);
            }
            StmtKind::Import(names) => {
                for (name, other) in names {
                    let bound = other.as_ref().unwrap_or(name).split('.').next().unwrap_or_default().to_owned();
                    let path = if other.is_some() { name.clone() } else { bound.clone() };
                    self.locals().insert(bound, Value::External(path));
                }
            }
            StmtKind::ImportFrom(from, 0, names) => {
                for (name, other) in names {
                    let bound = other.as_ref().unwrap_or(name).clone();
                    self.locals().insert(bound, Value::External(format!("{from}.{name}")));
                }
            }
            _ => {}
        }
    }

    fn returns(&mut self, value: Value, line: u32) {
        let Some(frame) = self.frames.last().cloned() else { return };
        if let Some(name) = &frame.result
            && !value.is_structure()
            && !matches!(value, Value::None)
            && let Err(problem) = self.assign_variable(name, &value, line)
        {
            self.lost(problem.line, format!("what a function returns is left out: {}", problem.why));
        }
        if let (Some(name), Value::Test(condition)) = (&frame.result, &value) {
            let (yes, no) =
                (vec![Step::Set(name.clone(), Json::Bool(true))], vec![Step::Set(name.clone(), Json::Bool(false))]);
            self.emit_when((**condition).clone(), yes, no);
        }
        if frame.is_task {
            self.out.push(Step::LeaveTask);
        } else {
            if self.depth > frame.depth {
                self.lost(line, "return within a loop of a function leaves only the loop");
            }
            self.out.push(Step::LeaveLoop);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.results.push(value);
        }
    }

    fn added(&mut self, old: Value, operator: &str, value: Value, line: u32) -> Value {
        match (&old, operator, &value) {
            // A counter of the run.
            (Value::Run(run), "Add", Value::Int(1)) if run.kind != RunKind::Text => {
                self.remark(line, "a number that is counted up is ${counter}: no other request of the run has it");
                Value::Run(RunValue::made("counter", RunKind::Number))
            }
            _ => self.binary(old, operator, value, line),
        }
    }

    fn raise(&mut self, value: Option<&Expr>) {
        let name = value.and_then(|value| value.call().map_or_else(|| value.dotted(), |call| call.function.dotted()));
        match name.as_deref().and_then(|name| name.rsplit('.').next()) {
            Some("StopUser" | "GreenletExit") => self.out.push(Step::StopUser),
            Some("RescheduleTask" | "RescheduleTaskImmediately" | "InterruptTaskSet") => self.out.push(Step::LeaveTask),
            _ => self.abort(),
        }
    }

    fn expr_stmt(&mut self, expr: &Expr, line: u32) {
        if is_logging(expr) || matches!(expr.kind, ExprKind::Text(_)) {
            // Its arguments may send requests, but nothing else of them matters.
            if let Some(call) = expr.call() {
                let arguments = call.arguments.clone();
                for argument in arguments.iter().filter(|argument| argument.call().is_some()) {
                    let (steps, _, _) = self.branch(self.state.clone(), |this| this.eval(argument));
                    if super::steps::sends(&steps) {
                        self.out.extend(steps);
                    }
                }
            }
            return;
        }
        match self.eval(expr) {
            Value::Unknown(problem) if problem.why != "the response of a request that is left out" => {
                self.lost(line, format!("left out: {}", problem.why));
            }
            Value::Response(request) if self.requests[request].is_checked => self.unreported(request),
            value => self.raised_here(&value, line),
        }
    }

    /// A request with `catch_response=True` that is not in a `with`: Locust reports nothing of it.
    pub(super) fn unreported(&mut self, request: usize) {
        let line = self.requests[request].line;
        self.remark(line, "catch_response=True without `with`: Locust sends the request and reports nothing of it; here it is counted, and no status is a failure");
        self.requests[request].expect = vec![("status", any_status())];
    }

    /// A block whose exceptions lead to a handler, and then to what follows the block.
    pub(super) fn guarded(&mut self, body: &[Stmt], handler: Vec<Stmt>) -> Flow {
        let depth = self.depth + 1;
        self.handlers.push(Handler::Except(Rc::new(handler), depth));
        self.depth += 1;
        let outer = std::mem::take(&mut self.out);
        let flow = self.block(body);
        self.depth -= 1;
        self.handlers.pop();
        let steps = super::steps::without_last(std::mem::replace(&mut self.out, outer), &Step::LeaveLoop);
        if leaves_loop(&steps) {
            self.out.push(Step::Repeat { times: number_json("1"), counter: None, steps });
        } else {
            self.out.extend(steps);
        }
        if matches!(self.out.last(), Some(Step::Repeat { .. })) { Flow::Next } else { flow }
    }

    /// `if`; gives the flow of the whole block where its rest is done too.
    fn if_block(&mut self, test: &Expr, then: &[Stmt], otherwise: &[Stmt], rest: &[Stmt]) -> Option<Flow> {
        // Which answers are failures is known already, and what is printed does not matter.
        if !matters(then) && !matters(otherwise) && !super::users::has_request_expr(test) {
            return None;
        }
        let condition = match self.condition(test) {
            Ok(Condition::Known(truth)) => {
                let flow = self.block(if truth { then } else { otherwise });
                return (flow == Flow::Ends).then_some(Flow::Ends);
            }
            Ok(condition) => condition,
            Err(problem) => {
                if matters(then) || matters(otherwise) {
                    self.lost(test.line, format!("`if` is left out with all that is in it: {}", problem.why));
                }
                return None;
            }
        };
        let (then_steps, then_flow, then_state) = self.branch(self.state.clone(), |this| this.block(then));
        let (else_steps, else_flow, else_state) = self.branch(self.state.clone(), |this| this.block(otherwise));
        match (then_flow, else_flow) {
            (Flow::Ends, Flow::Ends) => {
                self.emit_when(condition, then_steps, else_steps);
                Some(Flow::Ends)
            }
            (Flow::Ends, Flow::Next) => {
                self.emit_when(condition, then_steps, else_steps);
                self.state = else_state;
                None
            }
            (Flow::Next, Flow::Ends) => {
                self.emit_when(condition, then_steps, else_steps);
                self.state = then_state;
                None
            }
            (Flow::Next, Flow::Next) => {
                let mut branches = (then_steps, else_steps);
                let one_sided = headers_of_one(&then_state, &else_state);
                match self.merged(then_state, else_state, &mut branches) {
                    Ok(state) => {
                        self.say_one_sided(&one_sided, test.line);
                        self.emit_when(condition, branches.0, branches.1);
                        self.state = state;
                        None
                    }
                    Err(states) => Some(self.split(condition, branches, *states, rest)),
                }
            }
        }
    }

    /// Does the rest of a block for each branch of a condition.
    fn split(
        &mut self,
        condition: Condition,
        branches: (Vec<Step>, Vec<Step>),
        states: (State, State),
        rest: &[Stmt],
    ) -> Flow {
        self.splits += 1;
        if self.splits > MAX_SPLITS {
            let line = rest.first().map_or(0, |stmt| stmt.line);
            self.lost(line, "what follows depends on too many conditions: it is taken as if the last was not met");
            self.emit_when(condition, branches.0, branches.1);
            self.state = states.1;
            return self.block(rest);
        }
        let (mut then, mut otherwise) = branches;
        let (more, then_flow, then_state) = self.branch(states.0, |this| this.block(rest));
        then.extend(more);
        let (more, else_flow, _) = self.branch(states.1, |this| this.block(rest));
        otherwise.extend(more);
        self.emit_when(condition, then, otherwise);
        self.state = then_state;
        if then_flow == else_flow { then_flow } else { Flow::Next }
    }
}

/// All statuses.
pub(super) fn any_status() -> Json {
    Json::List(["1xx", "2xx", "3xx", "4xx", "5xx"].map(|word| Json::Text(word.to_owned())).to_vec())
}

/// `print(…)`, `logging.info(…)` and the like.
fn is_logging(expr: &Expr) -> bool {
    let Some(name) = expr.call().and_then(|call| call.function.dotted()) else { return false };
    let parts: Vec<&str> = name.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    let is_level = ["debug", "info", "warning", "warn", "error", "exception", "critical", "log"].contains(&last);
    name == "print"
        || parts.first() == Some(&"logging")
        || is_level && parts.len() > 1 && parts.iter().any(|part| part.to_ascii_lowercase().contains("log"))
        || ["success", "failure"].contains(&last)
}

/// Whether a block does something that a scenario has.
pub(super) fn matters(block: &[Stmt]) -> bool {
    has_stmt(block, &|stmt| match &stmt.kind {
        StmtKind::Expr(expr) => !is_logging(expr) && !matches!(expr.kind, ExprKind::Text(_)),
        StmtKind::Pass | StmtKind::If(..) | StmtKind::Import(_) => false,
        _ => true,
    })
}
