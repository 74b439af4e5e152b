//! Attributes that change while a user runs: variables of the scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::classes::Member;
use super::evaluator::Evaluator;
use super::steps::Step;
use super::syntax::{Expr, ExprKind, Function, Stmt, StmtKind, has_expr, walk};
use super::value::Value;

impl Evaluator<'_> {
    /// Finds the attributes that are set more than once, or outside of `on_start`.
    pub(super) fn find_changing(&mut self, classes: &[usize]) {
        let all: BTreeSet<usize> = classes.iter().flat_map(|class| self.program.ancestry(*class)).collect();
        let functions: Vec<_> =
            all.iter().flat_map(|class| functions(&self.program.classes[*class].body.body)).collect();
        let starting = called_from_start(&functions);
        let mut sites: BTreeMap<String, u32> = BTreeMap::new();
        self.growing.clear();
        for function in &functions {
            walk(&function.body, &mut |stmt| {
                let targets: Vec<&Expr> = match &stmt.kind {
                    StmtKind::Assign(targets, _) => targets.iter().collect(),
                    StmtKind::AugAssign(target, ..) => vec![target],
                    _ => Vec::new(),
                };
                for target in targets {
                    let all = if let ExprKind::Tuple(all) = &target.kind { all.iter().collect() } else { vec![target] };
                    for target in all {
                        if let ExprKind::Attribute(of, name) = &target.kind
                            && matches!(&of.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
                        {
                            let is_later = !starting.contains(&function.name);
                            *sites.entry(name.clone()).or_default() += if is_later { 2 } else { 1 };
                        }
                    }
                }
                for expr in stmt.expressions() {
                    expr.walk(&mut |expr| {
                        if let Some(call) = expr.call()
                            && let ExprKind::Attribute(of, method) = &call.function.kind
                            && let ExprKind::Attribute(_, name) = &of.kind
                            && matches!(method.as_str(), "append" | "extend")
                        {
                            self.growing.insert(name.clone());
                        }
                    });
                }
            });
        }
        self.changing = sites.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
        self.changing.retain(|name| !self.growing.contains(name));
    }

    /// The first values of attributes that change, which the class gives.
    pub(super) fn initial(&mut self, object: usize) -> Vec<Step> {
        let class = self.state.objects[object].class;
        let names: Vec<String> = self.changing.iter().chain(&self.growing).cloned().collect();
        let state = self.state.clone();
        let (steps, (), state) = self.branch(state, |this| {
            for name in names {
                if let Some((owner, Member::Value(expr))) = this.program.member(class, &name) {
                    this.enter_module(this.program.classes[owner].module);
                    let value = this.eval(&expr);
                    this.leave_module();
                    let is_empty = matches!(value.truth(), Some(false))
                        && !matches!(value, Value::Int(_) | Value::Bool(_) | Value::Text(_));
                    if !is_empty {
                        this.set_attribute(object, &name, value, expr.line);
                    }
                }
            }
        });
        self.state = state;
        steps
    }
}

fn functions(body: &[Stmt]) -> Vec<Rc<Function>> {
    body.iter()
        .filter_map(|stmt| if let StmtKind::Function(function) = &stmt.kind { Some(function.clone()) } else { None })
        .collect()
}

/// The names of the functions that only `on_start` and `__init__` lead to.
fn called_from_start(functions: &[Rc<Function>]) -> BTreeSet<String> {
    let is_called = |name: &str, by: &Function| {
        has_expr(&by.body, &|expr| {
            expr.call()
                .is_some_and(|call| matches!(&call.function.kind, ExprKind::Attribute(_, known) if known == name))
        })
    };
    let is_start = |name: &str| name == "on_start" || name == "__init__";
    let mut starting: BTreeSet<String> =
        functions.iter().map(|f| f.name.clone()).filter(|name| is_start(name)).collect();
    for _ in 0..8 {
        for function in functions {
            let callers: Vec<_> = functions.iter().filter(|by| is_called(&function.name, by)).collect();
            if !callers.is_empty() && callers.iter().all(|by| starting.contains(&by.name)) {
                starting.insert(function.name.clone());
            }
        }
    }
    starting
}
