//! The `when` steps that conditions become.

use super::condition::Condition;
use super::steps::Step;

/// The steps that do `then` where a condition is met, else `otherwise`. `flag` is a variable for conditions of several
/// tests.
pub(super) fn when(
    condition: Condition,
    then: Vec<Step>,
    otherwise: Vec<Step>,
    flag: &mut dyn FnMut() -> String,
) -> Vec<Step> {
    if then.is_empty() && otherwise.is_empty() {
        return Vec::new();
    }
    match condition {
        Condition::Known(true) => then,
        Condition::Known(false) => otherwise,
        Condition::Not(inner) => when(*inner, otherwise, then, flag),
        Condition::Test(left, operator, right) => {
            let (operator, then, otherwise) = match operator {
                "==" if then.is_empty() => ("!=", otherwise, then),
                "!=" if then.is_empty() => ("==", otherwise, then),
                // `requests` may not be empty.
                other if then.is_empty() => (other, vec![Step::Pause("0s".to_owned())], otherwise),
                other => (other, then, otherwise),
            };
            let test = format!("{left} {operator} {right}").trim_end().to_owned();
            vec![Step::When(test, then, otherwise)]
        }
        Condition::All(parts) => {
            if otherwise.is_empty() || is_short(&otherwise) {
                return parts.into_iter().rev().fold(then, |then, part| when(part, then, otherwise.clone(), flag));
            }
            with_flag(Condition::All(parts), then, otherwise, flag)
        }
        Condition::Any(parts) => {
            if then.is_empty() || is_short(&then) {
                let none = parts.into_iter().map(Condition::not).collect();
                return when(Condition::All(none), otherwise, then, flag);
            }
            with_flag(Condition::Any(parts), then, otherwise, flag)
        }
    }
}

/// Steps that may be written several times.
fn is_short(steps: &[Step]) -> bool {
    steps.len() <= 2
        && !steps.iter().any(|step| matches!(step, Step::When(..) | Step::Repeat { .. } | Step::ForEach { .. }))
}

fn with_flag(
    condition: Condition,
    then: Vec<Step>,
    otherwise: Vec<Step>,
    flag: &mut dyn FnMut() -> String,
) -> Vec<Step> {
    let name = flag();
    let mut steps = vec![Step::set(&name, "false")];
    let met = vec![Step::set(&name, "true")];
    steps.extend(when(condition, met, Vec::new(), flag));
    steps.push(Step::When(format!("${{{name}}} == true"), then, otherwise));
    steps.retain(|step| !matches!(step, Step::When(_, then, otherwise) if then.is_empty() && otherwise.is_empty()));
    steps.into_iter().map(filled).collect()
}

/// A `when` with steps in its first branch.
fn filled(step: Step) -> Step {
    match step {
        Step::When(test, then, otherwise) if then.is_empty() => {
            Step::When(test.replace(" == true", " == false"), otherwise, then)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(condition: Condition, otherwise: Vec<Step>) -> Vec<Step> {
        when(condition, vec![Step::Request(1)], otherwise, &mut || "flag".to_owned())
    }

    #[test]
    fn two_tests_are_nested() {
        let both =
            Condition::all(vec![Condition::test("${status}", "==", "200"), Condition::of_variable("x", "exists")]);
        let inner = Step::When("${x} exists".to_owned(), vec![Step::Request(1)], Vec::new());
        assert_eq!(steps(both, Vec::new()), [Step::When("${status} == 200".to_owned(), vec![inner], Vec::new())]);
    }

    #[test]
    fn a_negation_is_the_opposite_test_or_the_other_branch() {
        let not = Condition::test("${a}", "==", "in progress").not();
        assert_eq!(
            steps(not, Vec::new()),
            [Step::When("${a} != 'in progress'".to_owned(), vec![Step::Request(1)], Vec::new())]
        );
        let not = Condition::of_variable("x", "is_empty").not();
        let nothing = Step::Pause("0s".to_owned());
        assert_eq!(
            steps(not, Vec::new()),
            [Step::When("${x} is_empty".to_owned(), vec![nothing], vec![Step::Request(1)])]
        );
    }
}
