//! A `LoadTestShape` with a table of stages.

use super::classes::Member;
use super::evaluator::Evaluator;
use super::library::seconds;
use super::syntax::{ExprKind, StmtKind, has_expr, has_stmt};
use super::value::Value;
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// The `stages` of the scenario: a ramp and a hold for each of the shape's. Durations there are from the start.
    pub(super) fn stages(&mut self, class: usize) -> Option<Json> {
        let line = self.program.classes[class].body.line;
        let name = self.program.classes[class].body.name.clone();
        self.enter_module(self.program.classes[class].module);
        let stages = self.stage_table(class);
        let written = stages.as_deref().and_then(ramps);
        if written.is_none() {
            self.lost(
                line,
                format!("the shape {name} is left out: it has no table of stages that is used as in Locust's example"),
            );
        }
        self.leave_module();
        written
    }

    fn stage_table(&mut self, class: usize) -> Option<Vec<(f64, i64, f64)>> {
        let (_, Member::Function(tick)) = self.program.member(class, "tick")? else { return None };
        let mentions = |name: &str| {
            has_expr(&tick.body, &|expr| matches!(&expr.kind, ExprKind::Attribute(_, known) if known == name))
        };
        let compares = has_expr(&tick.body, &|expr| {
            let ExprKind::Compare(_, others) = &expr.kind else { return false };
            matches!(&**others, [(operator, right)] if operator == "Lt" && matches!(&right.kind, ExprKind::Subscript(..)))
        });
        // A third member is the classes of users of the stage.
        let has_classes = has_stmt(
            &tick.body,
            &|stmt| matches!(&stmt.kind, StmtKind::Return(Some(value)) if matches!(&value.kind, ExprKind::Tuple(all) if all.len() > 2)),
        );
        if !mentions("stages") || !compares || has_classes {
            return None;
        }
        let (_, Member::Value(table)) = self.program.member(class, "stages")? else { return None };
        let Value::List(stages) = self.eval(&table) else { return None };
        let stage = |stage: &Value| {
            let Value::Dict(members) = stage else { return None };
            // Anything else, such as classes of users, has a meaning that is not known.
            let is_known =
                |(key, _): &(Value, Value)| ["duration", "users", "spawn_rate"].map(Value::text).contains(key);
            if !members.iter().all(is_known) {
                return None;
            }
            let get = |name: &str| members.iter().find(|(key, _)| *key == Value::text(name)).map(|(_, value)| value);
            let Value::Int(users) = get("users")? else { return None };
            Some((get("duration")?.number()?, *users, get("spawn_rate")?.number()?))
        };
        stages.iter().map(stage).collect()
    }
}

fn ramps(stages: &[(f64, i64, f64)]) -> Option<Json> {
    let mut written = Vec::new();
    let (mut at, mut users) = (0.0, 0);
    for (end, target, rate) in stages {
        let length = end - at;
        if length <= 0.0 || *rate <= 0.0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of users")]
        let ramp = ((*target - users).abs() as f64 / rate).min(length);
        let mut push = |length: f64| {
            if length > 0.0 {
                let target = super::library::whole(*target);
                let duration = Json::Text(seconds(length));
                written.push(Json::Object(vec![("duration".to_owned(), duration), ("target".to_owned(), target)]));
            }
        };
        push(ramp);
        push(length - ramp);
        (at, users) = (*end, *target);
    }
    (!written.is_empty()).then_some(Json::List(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_a_ramp_at_the_spawn_rate_and_a_hold() {
        let stages = ramps(&[(10.0, 20, 4.0), (30.0, 20, 1.0), (31.0, 0, 5.0)]).unwrap();
        let expected = r#"[{"duration":"5s","target":20},{"duration":"5s","target":20},{"duration":"20s","target":20},{"duration":"1s","target":0}]"#;
        assert_eq!(stages.to_string(), expected);
        assert_eq!(ramps(&[(10.0, 1, 1.0), (5.0, 1, 1.0)]), None, "durations are from the start");
    }
}
