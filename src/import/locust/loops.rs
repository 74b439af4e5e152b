//! `for`, `while` and `with`.

use super::condition::Condition;
use super::evaluator::{Evaluator, Flow};
use super::library::whole;
use super::steps::{Step, leaves_loop, without_last};
use super::syntax::{Expr, ExprKind, For, Stmt, StmtKind, has_expr, has_stmt};
use super::value::{JsonPlace, PickFrom, RunKind, RunValue, Value};
use crate::plan::json::Json;

/// Maximum number of rounds that are written one after another.
const MAX_WRITTEN: usize = 100;

/// In place of `while True`.
const MAX_ROUNDS: i64 = 1_000_000;

impl Evaluator<'_> {
    /// `for target in source`
    pub(super) fn for_block(&mut self, each: &For, line: u32) -> Flow {
        if !each.otherwise.is_empty() {
            self.lost(line, "`else` of a loop is left out");
        }
        let source = self.eval(&each.source);
        match source {
            Value::Range(from, to) => self.counted(each, from, to, line),
            Value::RandomRange(low, high) => {
                let times = Json::Text(format!("{low}..{high}"));
                self.rounds(each, times, line);
            }
            Value::List(items) | Value::Tuple(items) => self.written(each, items, line),
            Value::Dict(members) => self.written(each, members.into_iter().map(|(key, _)| key).collect(), line),
            Value::RunList(list) => self.each_item(each, &list),
            Value::Json(place) => self.each_of_answer(each, &place, line),
            Value::Unknown(problem) => self.lost(line, format!("a loop is left out: {}", problem.why)),
            _ => self.lost(line, "a loop over what is not known is left out"),
        }
        Flow::Next
    }

    fn counted(&mut self, each: &For, from: i64, to: i64, line: u32) {
        let is_used = |name: &str| has_expr(&each.body, &|expr| expr.kind == ExprKind::Name(name.to_owned()));
        let uses_number = matches!(&each.target.kind, ExprKind::Name(name) if is_used(name));
        let times = to.saturating_sub(from);
        if times <= 0 {
            return;
        }
        if from == 0 || !uses_number {
            self.rounds(each, whole(times.min(MAX_ROUNDS)), line);
        } else if times <= i64::try_from(MAX_WRITTEN).unwrap_or(0) {
            self.written(each, (from..to).map(Value::Int).collect(), line);
        } else {
            self.lost(line, "a loop that counts from another number than 0 is left out");
        }
    }

    /// A loop that counts.
    fn rounds(&mut self, each: &For, times: Json, line: u32) {
        let counter = match &each.target.kind {
            ExprKind::Name(name) if has_expr(&each.body, &|expr| expr.kind == ExprKind::Name(name.clone())) => {
                let scope = self.scope();
                let counter = self.names.of(&scope, name);
                self.bind(&each.target, Value::Run(RunValue::variable(&counter, RunKind::Number)));
                Some(counter)
            }
            _ => None,
        };
        let steps = self.body(&each.body, line);
        if !steps.is_empty() {
            self.out.push(Step::Repeat { times, counter, steps });
        }
    }

    /// The steps of the body of a loop.
    fn body(&mut self, body: &[Stmt], line: u32) -> Vec<Step> {
        self.keep_changing(body, line);
        self.depth += 1;
        let (steps, _, state) = self.branch(self.state.clone(), |this| {
            this.state.last = None;
            this.block(&without_continue(body))
        });
        self.depth -= 1;
        self.state = state;
        self.state.last = None;
        steps
    }

    /// Names that the body of a loop sets and reads become variables.
    fn keep_changing(&mut self, body: &[Stmt], line: u32) {
        let mut set = Vec::new();
        super::syntax::walk(body, &mut |stmt| {
            if let StmtKind::Assign(targets, _) = &stmt.kind {
                set.extend(targets.iter().filter_map(|target| {
                    if let ExprKind::Name(name) = &target.kind { Some(name.clone()) } else { None }
                }));
            }
        });
        let mut counted = Vec::new();
        super::syntax::walk(body, &mut |stmt| {
            if let StmtKind::AugAssign(target, ..) = &stmt.kind
                && let ExprKind::Name(name) = &target.kind
            {
                counted.push((name.clone(), stmt.line));
            }
        });
        for (name, line) in counted {
            self.locals().insert(name, Value::unknown(line, "a number or text that grows in a loop"));
        }
        for name in set {
            let Some(value) = self.state.locals.last().and_then(|locals| locals.get(&name)).cloned() else { continue };
            if !value.is_structure() && !matches!(value, Value::Json(_)) {
                let scope = self.scope();
                let variable = self.names.of(&scope, &name);
                if let Ok(kind) = self.assign_variable(&variable, &value, line) {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.variables.insert(name.clone());
                    }
                    self.locals().insert(name, Value::Run(RunValue::variable(&variable, kind)));
                }
            }
        }
    }

    /// A loop over known values: its rounds one after another.
    fn written(&mut self, each: &For, items: Vec<Value>, line: u32) {
        if items.len() > MAX_WRITTEN {
            return self.lost(line, format!("a loop of more than {MAX_WRITTEN} rounds over a list is left out"));
        }
        let outer = std::mem::take(&mut self.out);
        self.depth += 1;
        for item in items {
            self.bind(&each.target, item);
            let flow = self.block(&without_continue(&each.body));
            if flow == Flow::Ends {
                break;
            }
        }
        self.depth -= 1;
        let steps = without_last(std::mem::replace(&mut self.out, outer), &Step::LeaveLoop);
        if leaves_loop(&steps) {
            self.out.push(Step::Repeat { times: whole(1), counter: None, steps });
        } else {
            self.out.extend(steps);
        }
    }

    fn each_item(&mut self, each: &For, list: &str) {
        let scope = self.scope();
        let name = if let ExprKind::Name(name) = &each.target.kind { name.clone() } else { "item".to_owned() };
        let item = self.names.of(&scope, &name);
        self.bind(&each.target, Value::Run(RunValue::variable(&item, RunKind::Json)));
        let steps = self.body(&each.body, each.target.line);
        if !steps.is_empty() {
            self.out.push(Step::ForEach { list: list.to_owned(), item, steps });
        }
    }

    /// `for item in response.json()`: over one member of each item.
    fn each_of_answer(&mut self, each: &For, place: &JsonPlace, line: u32) {
        let ExprKind::Name(name) = &each.target.kind else {
            return self.lost(line, "a loop over parts of items of a response is left out");
        };
        let mut keys = std::collections::BTreeSet::new();
        let mut whole = 0;
        super::syntax::walk(&each.body, &mut |stmt| {
            for expr in stmt.expressions() {
                expr.walk(&mut |expr| match &expr.kind {
                    ExprKind::Subscript(of, at) if of.kind == ExprKind::Name(name.clone()) => {
                        if let ExprKind::Text(key) = &at.kind {
                            keys.insert(key.clone());
                            whole -= 1;
                        }
                    }
                    ExprKind::Call(call) => {
                        if let ExprKind::Attribute(of, get) = &call.function.kind
                            && of.kind == ExprKind::Name(name.clone())
                            && get == "get"
                            && let Some(ExprKind::Text(key)) = call.arguments.first().map(|argument| &argument.kind)
                        {
                            keys.insert(key.clone());
                            whole -= 1;
                        }
                    }
                    ExprKind::Name(known) if known == name => whole += 1,
                    _ => {}
                });
            }
        });
        let base = if place.pointer.contains('*') { place.pointer.clone() } else { format!("{}/*", place.pointer) };
        let keys: Vec<String> = keys.into_iter().collect();
        let (pointer, key) = match (&*keys, whole) {
            ([], _) => (base, None),
            ([one], 0) => (format!("{base}/{}", one.replace('~', "~0").replace('/', "~1")), Some(one.clone())),
            _ => return self.lost(line, "a loop that uses several members of each item of a response is left out"),
        };
        let list = match self.json_list(&JsonPlace { pointer, pick: PickFrom::First, ..place.clone() }) {
            Ok(list) => list,
            Err(problem) => return self.lost(line, format!("a loop is left out: {}", problem.why)),
        };
        let scope = self.scope();
        let item = self.names.of(&scope, key.as_deref().unwrap_or(name));
        let value = Value::Run(RunValue::variable(&item, RunKind::Json));
        let bound = key.map_or(value.clone(), |key| Value::Dict(vec![(Value::text(&key), value)]));
        self.bind(&each.target, bound);
        let steps = self.body(&each.body, line);
        if !steps.is_empty() {
            self.out.push(Step::ForEach { list, item, steps });
        }
    }

    /// `while test`
    pub(super) fn while_block(&mut self, test: &Expr, body: &[Stmt], line: u32) {
        if let Some((name, from, to)) = self.counter_of(test, body) {
            let target = Expr { line, kind: ExprKind::Name(name.clone()) };
            let is_step = |stmt: &&Stmt| !is_increment(stmt, &name);
            let body = body.iter().filter(is_step).cloned().collect();
            let each = For { target, source: test.clone(), body, otherwise: Vec::new() };
            return self.written(&each, (from..to).map(Value::Int).collect(), line);
        }
        let (test, rounds, body) = self.bounded(test, body);
        self.keep_changing(&body, line);
        let condition = match test.as_ref().map(|test| self.condition(test)) {
            None => Condition::Known(true),
            Some(Ok(condition)) => condition,
            Some(Err(problem)) => return self.lost(line, format!("a loop is left out: {}", problem.why)),
        };
        if condition == Condition::Known(false) {
            return;
        }
        let ends =
            has_stmt(&body, &|stmt| matches!(stmt.kind, StmtKind::Break | StmtKind::Return(_) | StmtKind::Raise(_)));
        if condition == Condition::Known(true) && rounds.is_none() && !ends {
            return self.lost(line, "a loop without an end is left out");
        }
        let guard = {
            let names = &mut self.names;
            super::when::when(condition.not(), vec![Step::LeaveLoop], Vec::new(), &mut || names.fresh("is_met"))
        };
        let mut steps = guard;
        steps.extend(self.body(&body, line));
        self.out.push(Step::Repeat { times: whole(rounds.unwrap_or(MAX_ROUNDS)), counter: None, steps });
    }

    /// `while page <= 3: …; page += 1`, where the body uses the number: its name and bounds.
    fn counter_of(&mut self, test: &Expr, body: &[Stmt]) -> Option<(String, i64, i64)> {
        let ExprKind::Compare(left, others) = &test.kind else { return None };
        let (ExprKind::Name(name), [(operator, limit)]) = (&left.kind, &**others) else { return None };
        let start = self.state.locals.last().and_then(|locals| locals.get(name)).cloned();
        let (Some(Value::Int(start)), Value::Int(limit)) = (start, self.eval(limit)) else { return None };
        // It is counted as the last thing of a round.
        let counts = body.last().is_some_and(|stmt| is_increment(stmt, name));
        let others = &body[..body.len().saturating_sub(1)];
        let is_used = has_expr(others, &|expr| expr.kind == ExprKind::Name(name.clone()));
        let is_set = has_stmt(others, &|stmt| is_increment(stmt, name));
        let end = match operator.as_str() {
            "Lt" => limit,
            "LtE" => limit.saturating_add(1),
            _ => return None,
        };
        (counts && is_used && !is_set && end > start).then(|| (name.clone(), start, end))
    }

    /// `while … and attempts < 5: …; attempts += 1`: what is left of the test, the number of rounds, and of the body.
    fn bounded(&mut self, test: &Expr, body: &[Stmt]) -> (Option<Expr>, Option<i64>, Vec<Stmt>) {
        let parts: Vec<Expr> = if let ExprKind::And(parts) = &test.kind { parts.clone() } else { vec![test.clone()] };
        for (at, part) in parts.iter().enumerate() {
            let ExprKind::Compare(left, others) = &part.kind else { continue };
            let (ExprKind::Name(name), [(operator, limit)]) = (&left.kind, &**others) else { continue };
            let start = self.state.locals.last().and_then(|locals| locals.get(name)).cloned();
            let (Some(Value::Int(start)), Value::Int(limit)) = (start, self.eval(limit)) else { continue };
            let counts = |stmt: &Stmt| {
                matches!(&stmt.kind, StmtKind::AugAssign(target, add, one)
                    if target.kind == ExprKind::Name(name.clone()) && add == "Add" && one.kind == ExprKind::Int(1))
            };
            let rounds = match operator.as_str() {
                "Lt" | "NotEq" => limit - start,
                "LtE" => limit - start + 1,
                _ => continue,
            };
            let others_use = body.iter().filter(|stmt| !counts(stmt)).cloned().collect::<Vec<_>>();
            let is_used = has_expr(&others_use, &|expr| expr.kind == ExprKind::Name(name.clone()));
            if !body.iter().any(counts) || is_used {
                continue;
            }
            let mut left = parts.clone();
            left.remove(at);
            let left = match left.len() {
                0 => None,
                1 => left.pop(),
                _ => Some(Expr { line: test.line, kind: ExprKind::And(left) }),
            };
            return (left, Some(rounds.clamp(1, MAX_ROUNDS)), others_use);
        }
        (Some(test.clone()), None, body.to_vec())
    }

    /// `with item as name`
    pub(super) fn with_block(&mut self, items: &[(Expr, Option<Expr>)], body: &[Stmt]) -> Flow {
        let mut checked = None;
        if let [(item, _)] = items
            && let Some(call) = item.call()
            && let ExprKind::Attribute(_, method) = &call.function.kind
            && method == "rename_request"
        {
            let name = call.arguments.first().map(|name| self.eval(name));
            let name = name.and_then(|name| self.text(&name, item.line).ok()).map(|name| name.template());
            let outer = std::mem::replace(&mut self.state.request_name, name);
            let flow = self.block(body);
            self.state.request_name = outer;
            return flow;
        }
        for (item, name) in items {
            let value = self.eval(item);
            if let Value::Response(request) = value
                && self.requests[request].is_checked
            {
                checked = Some((request, name.clone()));
            }
            if let Value::Unknown(problem) = &value {
                if problem.why != "the response of a request that is left out" {
                    self.lost(item.line, format!("`with` is left out: {}", problem.why));
                }
                if name.is_none() || !super::block::matters(body) {
                    continue;
                }
            }
            if let Some(name) = name {
                self.bind(name, value);
            }
        }
        let is_rest = items.iter().any(|(item, _)| {
            item.call()
                .and_then(|call| call.function.dotted())
                .is_some_and(|name| matches!(name.rsplit('.').next(), Some("rest" | "rest_")))
        });
        if let Some((request, name)) = checked {
            let name = name.as_ref().and_then(Expr::dotted).unwrap_or_default();
            self.outcome(request, &name, body);
        }
        if is_rest {
            // What is raised within is a failure, and the task goes on.
            return self.guarded(body, Vec::new());
        }
        self.block(body)
    }
}

/// `name += 1`
fn is_increment(stmt: &Stmt, name: &str) -> bool {
    matches!(&stmt.kind, StmtKind::AugAssign(target, add, one)
        if target.kind == ExprKind::Name(name.to_owned()) && add == "Add" && one.kind == ExprKind::Int(1))
}

/// `if a: …; continue` and the rest: the rest becomes `else`.
fn without_continue(body: &[Stmt]) -> Vec<Stmt> {
    let mut left = Vec::new();
    for (at, stmt) in body.iter().enumerate() {
        if let StmtKind::If(test, then, otherwise) = &stmt.kind
            && matches!(then.last().map(|stmt| &stmt.kind), Some(StmtKind::Continue))
        {
            let then = without_continue(&then[..then.len() - 1]);
            let rest = [otherwise, &body[at + 1..]].concat();
            let kind = StmtKind::If(test.clone(), then, without_continue(&rest));
            left.push(Stmt { line: stmt.line, kind });
            return left;
        }
        if stmt.kind == StmtKind::Continue {
            return left;
        }
        left.push(stmt.clone());
    }
    left
}
