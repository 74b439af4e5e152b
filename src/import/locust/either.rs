//! `first or second` and `first and second` as values.

use super::evaluator::Evaluator;
use super::hosts::HOST;
use super::syntax::Expr;
use super::value::Value;

impl Evaluator<'_> {
    /// The first value or the second one, by whether the first is true; `both` is the whole expression.
    pub(super) fn either(&mut self, first: &Expr, second: &Expr, is_and: bool, both: &Expr) -> Value {
        let value = self.eval(first);
        match (value.truth(), value) {
            (Some(truth), value) => {
                if truth == is_and {
                    self.eval(second)
                } else {
                    value
                }
            }
            (None, Value::Run(run)) if run.code == HOST && !is_and => {
                self.lost(both.line, "`host or …`: the host is taken, as if it was given by --host");
                Value::Run(run)
            }
            (None, Value::Run(_) | Value::Json(_) | Value::Text(_)) if !super::users::has_request_expr(first) => {
                let sides = if is_and { [second, first] } else { [first, second] };
                self.if_else(&[first.clone(), sides[0].clone(), sides[1].clone()], both.line)
            }
            _ => self.test(both),
        }
    }
}
