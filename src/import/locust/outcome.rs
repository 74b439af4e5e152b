//! Which answers `with …(catch_response=True) as response` makes failures: its statements are followed for each status,
//! with each possible result of its other tests.

use super::evaluator::Evaluator;
use super::library::seconds;
use super::statuses::{known_test, status_test, status_words};
use super::syntax::{Expr, ExprKind, Stmt, StmtKind, Try, has_expr};
use super::texts::number_json;
use super::value::{JsonPlace, Value};
use crate::plan::json::Json;

/// Maximum number of tests besides those of the status.
const MAX_TESTS: usize = 6;

/// A test of an answer, besides that of its status.
#[derive(Clone, Debug, PartialEq)]
enum AnswerTest {
    HasText(String),
    IsText(String),
    HasJson(String),
    IsJson(String, Json),
    /// The longest time in seconds that is not exceeded.
    Within(String),
    /// Not known, with its line.
    Other(u32),
}

/// What a block decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Open,
    Success,
    Failure,
}

/// How a block goes for one status and one set of results of the tests.
struct Trial<'b> {
    status: u16,
    results: usize,
    response: &'b str,
    verdict: Verdict,
    request: usize,
    /// Whether a failed `assert` is a failure, as in `rest()`.
    asserts: bool,
}

impl Evaluator<'_> {
    /// Sets what a request expects, by the statements of its `with`.
    pub(super) fn outcome(&mut self, request: usize, response: &str, body: &[Stmt]) {
        if response.is_empty() {
            return;
        }
        let locals = self.locals().clone();
        self.judge(request, response, body);
        *self.locals() = locals;
    }

    fn judge(&mut self, request: usize, response: &str, body: &[Stmt]) {
        let mut tests = Vec::new();
        // The first trials find the tests; then each of their results is tried.
        let mut accepted: Vec<Vec<bool>> = Vec::new();
        for round in 0..=MAX_TESTS {
            let before = tests.len();
            accepted = (100..600)
                .map(|status| {
                    (0..1_usize << before)
                        .map(|results| {
                            let asserts = self.requests[request].headers.iter().any(|(name, _)| name == "Accept");
                            let mut trial =
                                Trial { status, results, response, verdict: Verdict::Open, request, asserts };
                            self.follow(body, &mut trial, &mut tests);
                            match trial.verdict {
                                Verdict::Open => status < 400,
                                verdict => verdict == Verdict::Success,
                            }
                        })
                        .collect()
                })
                .collect();
            if tests.len() == before {
                break;
            }
            if tests.len() > MAX_TESTS || round == MAX_TESTS {
                return self.lost(
                    self.requests[request].line,
                    "which responses are failures depends on too many tests: left out",
                );
            }
        }
        self.expect(request, &tests, &accepted);
    }

    fn expect(&mut self, request: usize, tests: &[AnswerTest], accepted: &[Vec<bool>]) {
        let line = self.requests[request].line;
        let statuses: Vec<u16> =
            (100..600).zip(accepted).filter(|(_, all)| all.contains(&true)).map(|(s, _)| s).collect();
        let mut expect = Vec::new();
        if !statuses.iter().copied().eq(100..400) {
            if statuses.is_empty() {
                return self.lost(line, "no response is a success: which responses are failures is left out");
            }
            expect.push(("status", status_words(&statuses)));
        }
        let with_tests: Vec<&Vec<bool>> = accepted.iter().filter(|all| all.contains(&true)).collect();
        if let Some(first) = with_tests
            .first()
            .filter(|first| first.contains(&false) || with_tests.iter().any(|all| all.contains(&false)))
        {
            if with_tests.iter().all(|all| all == first) {
                self.expect_tests(tests, first, line, &mut expect);
            } else {
                self.lost(line, "tests of the response that are made for some statuses only are left out");
            }
        }
        self.requests[request].expect = expect;
    }

    /// The tests that all have to pass.
    fn expect_tests(
        &mut self,
        tests: &[AnswerTest],
        accepted: &[bool],
        line: u32,
        expect: &mut Vec<(&'static str, Json)>,
    ) {
        let passing: Vec<usize> = (0..accepted.len()).filter(|results| accepted[*results]).collect();
        let mut fixed = Vec::new();
        for (at, test) in tests.iter().enumerate() {
            let is_set = |results: &usize| results >> at & 1 == 1;
            if passing.iter().all(is_set) {
                fixed.push((test, true));
            } else if !passing.iter().any(is_set) {
                fixed.push((test, false));
            }
        }
        if passing.len() != 1 << (tests.len() - fixed.len()) {
            return self.lost(line, "tests of the response of which one is enough are left out");
        }
        let (mut contains, mut lacks, mut json) = (Vec::new(), Vec::new(), Vec::new());
        for (test, truth) in fixed {
            match (test, truth) {
                (AnswerTest::HasText(text), true) => contains.push(Json::Text(text.clone())),
                (AnswerTest::HasText(text), false) => lacks.push(Json::Text(text.clone())),
                (AnswerTest::IsText(text), true) => {
                    expect.push(("body_matches", Json::Text(format!("^{}$", super::truth::escaped(text)))));
                }
                (AnswerTest::HasJson(pointer), truth) => {
                    let exists = Json::Object(vec![("exists".to_owned(), Json::Bool(truth))]);
                    json.push((pointer.clone(), exists));
                }
                (AnswerTest::IsJson(pointer, value), true) => json.push((pointer.clone(), value.clone())),
                (AnswerTest::Within(time), true) => expect.push(("within", Json::Text(time.clone()))),
                (AnswerTest::Other(at), _) => self.lost(*at, "a test of the response is left out: it is not known"),
                _ => self.lost(line, "a test of the response for what it must not be is left out"),
            }
        }
        let one_or_all = |mut all: Vec<Json>| if all.len() == 1 { all.remove(0) } else { Json::List(all) };
        if !contains.is_empty() {
            expect.push(("body_contains", one_or_all(contains)));
        }
        if !lacks.is_empty() {
            expect.push(("body_not_contains", one_or_all(lacks)));
        }
        // A value that is compared exists.
        let compared: Vec<String> =
            json.iter().filter(|(_, value)| !matches!(value, Json::Object(_))).map(|(at, _)| at.clone()).collect();
        json.retain(|(at, value)| !matches!(value, Json::Object(_)) || !compared.contains(at));
        json.dedup();
        if !json.is_empty() {
            expect.push(("json", Json::Object(json)));
        }
    }

    /// Follows a block; returns whether it was left.
    fn follow(&mut self, block: &[Stmt], trial: &mut Trial<'_>, tests: &mut Vec<AnswerTest>) -> bool {
        for stmt in block {
            let is_left = match &stmt.kind {
                StmtKind::If(test, then, otherwise) => {
                    let branch = if self.holds(test, trial, tests) { then } else { otherwise };
                    self.follow(branch, trial, tests)
                }
                StmtKind::Expr(expr) => {
                    decide(expr, trial);
                    false
                }
                StmtKind::Assign(targets, value) => {
                    let (_, value, _) = self.branch(self.state.clone(), |this| this.quiet(value, trial.request));
                    if let [Expr { kind: ExprKind::Name(name), .. }] = &**targets {
                        self.locals().insert(name.clone(), value);
                    }
                    false
                }
                StmtKind::Try(all) => self.follow_try(all, trial, tests),
                StmtKind::With(_, body) => self.follow(body, trial, tests),
                StmtKind::Assert(test) if trial.asserts => {
                    if self.holds(test, trial, tests) {
                        false
                    } else {
                        trial.verdict = Verdict::Failure;
                        true
                    }
                }
                StmtKind::Raise(value) => {
                    let name = value
                        .as_ref()
                        .and_then(|value| value.call().map_or_else(|| value.dotted(), |call| call.function.dotted()));
                    if name.is_some_and(|name| name.ends_with("ResponseError") || name.ends_with("CatchResponseError"))
                        && trial.verdict == Verdict::Open
                    {
                        trial.verdict = Verdict::Failure;
                    }
                    true
                }
                StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue => true,
                _ => false,
            };
            if is_left {
                return true;
            }
        }
        false
    }

    /// Follows `try`: where its handler makes an answer that is not JSON a failure, that is one of the tests.
    fn follow_try(&mut self, all: &Try, trial: &mut Trial<'_>, tests: &mut Vec<AnswerTest>) -> bool {
        let of_json = |(kind, _): &&(Option<Expr>, Vec<Stmt>)| {
            let names = kind.as_ref().map_or_else(String::new, |kind| format!("{kind:?}"));
            kind.is_none() || ["JSON", "ValueError", "\"Exception\""].iter().any(|name| names.contains(name))
        };
        let reads = has_expr(
            &all.body,
            &|expr| matches!(&expr.kind, ExprKind::Attribute(_, name) if name == "json" || name == "js"),
        );
        if let Some((_, handler)) = all.handlers.iter().find(of_json).filter(|_| reads)
            && has_expr(handler, &|expr| matches!(&expr.kind, ExprKind::Attribute(_, name) if name == "failure"))
            && !passes(AnswerTest::HasJson(String::new()), true, trial, tests)
        {
            return self.follow(handler, trial, tests);
        }
        self.follow(&all.body, trial, tests)
            || self.follow(&all.otherwise, trial, tests)
            || self.follow(&all.last, trial, tests)
    }

    /// Whether a test passes.
    fn holds(&mut self, test: &Expr, trial: &Trial<'_>, tests: &mut Vec<AnswerTest>) -> bool {
        match &test.kind {
            ExprKind::And(parts) => parts.iter().all(|part| self.holds(part, trial, tests)),
            ExprKind::Or(parts) => parts.iter().any(|part| self.holds(part, trial, tests)),
            ExprKind::Unary(operator, of) if operator == "Not" => !self.holds(of, trial, tests),
            ExprKind::Compare(left, others) => {
                let mut left = &**left;
                for (operator, right) in others {
                    if !self.compares(left, operator, right, trial, tests) {
                        return false;
                    }
                    left = right;
                }
                true
            }
            _ => {
                let name = test.dotted().unwrap_or_default();
                if name == format!("{}.ok", trial.response) || name == trial.response {
                    return trial.status < 400;
                }
                let (_, value, _) = self.branch(self.state.clone(), |this| this.quiet(test, trial.request));
                match value {
                    Value::Bool(truth) => truth,
                    Value::Json(place) => {
                        passes(AnswerTest::IsJson(place.pointer, Json::Bool(true)), true, trial, tests)
                    }
                    value => match value.truth() {
                        Some(truth) => truth,
                        None => passes(AnswerTest::Other(test.line), true, trial, tests),
                    },
                }
            }
        }
    }

    /// The value of an expression, without its notes.
    fn quiet(&mut self, expr: &Expr, request: usize) -> Value {
        let remarks = std::mem::take(&mut self.remarks);
        let (count, before) = (self.requests.len(), self.requests[request].clone());
        let value = self.eval(expr);
        self.requests.truncate(count);
        self.requests[request] = before;
        self.remarks = remarks;
        value
    }

    fn compares(
        &mut self,
        left: &Expr,
        operator: &str,
        right: &Expr,
        trial: &Trial<'_>,
        tests: &mut Vec<AnswerTest>,
    ) -> bool {
        let (_, (left_value, right_value), _) =
            self.branch(self.state.clone(), |this| (this.quiet(left, trial.request), this.quiet(right, trial.request)));
        let line = left.line;
        match (left_value, operator, right_value) {
            (Value::Status(_), operator, right) => status_test(trial.status, operator, &right)
                .unwrap_or_else(|| passes(AnswerTest::Other(line), true, trial, tests)),
            (left, operator, Value::Status(_)) if left.number().is_some() => {
                let mirrored = match operator {
                    "Lt" => "Gt",
                    "LtE" => "GtE",
                    "Gt" => "Lt",
                    "GtE" => "LtE",
                    same => same,
                };
                status_test(trial.status, mirrored, &left).unwrap_or(true)
            }
            (Value::Text(text), "In" | "NotIn", Value::Body(_)) if text.known().is_some() => {
                passes(AnswerTest::HasText(text.template()), operator == "In", trial, tests)
            }
            (Value::Body(_), "Eq" | "NotEq", Value::Text(text)) if text.known().is_some() => {
                passes(AnswerTest::IsText(text.known().unwrap_or_default()), operator == "Eq", trial, tests)
            }
            (Value::Text(key), "In" | "NotIn", Value::Json(place)) if key.known().is_some() => {
                let place =
                    super::texts::member_of(&place, &key.known().unwrap_or_default(), super::value::Missing::Raises);
                passes(AnswerTest::HasJson(place.pointer), operator == "In", trial, tests)
            }
            (Value::Elapsed(_), "Gt" | "GtE" | "Lt" | "LtE", right) if right.number().is_some() => {
                let time = seconds(right.number().unwrap_or_default());
                passes(AnswerTest::Within(time), operator.starts_with("Lt"), trial, tests)
            }
            (Value::Json(place), operator, right) | (right, operator, Value::Json(place)) => {
                json_test(&place, operator, &right, line, trial, tests)
            }
            (left, operator, right) => match known_test(&left, operator, &right) {
                Some(truth) => truth,
                None => passes(AnswerTest::Other(line), true, trial, tests),
            },
        }
    }
}

/// Whether a test has this result in a trial; a new one is added to the tests.
fn passes(test: AnswerTest, wanted: bool, trial: &Trial<'_>, tests: &mut Vec<AnswerTest>) -> bool {
    let at = tests.iter().position(|known| *known == test).unwrap_or_else(|| {
        tests.push(test);
        tests.len() - 1
    });
    (trial.results >> at & 1 == 1) == wanted
}

fn decide(expr: &Expr, trial: &mut Trial<'_>) {
    let Some(call) = expr.call() else { return };
    let name = call.function.dotted().unwrap_or_default();
    if name == format!("{}.success", trial.response) {
        trial.verdict = Verdict::Success;
    } else if name == format!("{}.failure", trial.response)
        || name == format!("{}.raise_for_status", trial.response)
            && trial.status >= 400
            && trial.verdict == Verdict::Open
    {
        trial.verdict = Verdict::Failure;
    }
}

fn json_test(
    place: &JsonPlace,
    operator: &str,
    right: &Value,
    line: u32,
    trial: &Trial<'_>,
    tests: &mut Vec<AnswerTest>,
) -> bool {
    let is_equal = matches!(operator, "Eq" | "Is");
    if !is_equal && !matches!(operator, "NotEq" | "IsNot") || place.pointer.contains('*') {
        return passes(AnswerTest::Other(line), true, trial, tests);
    }
    let pointer = place.pointer.clone();
    let value = match right {
        // FastHttpUser: `resp.js is None` where the body is not JSON.
        Value::None => return passes(AnswerTest::HasJson(pointer), !is_equal, trial, tests),
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => number_json(&number.to_string()),
        Value::Text(text) => Json::Text(text.template()),
        _ => return passes(AnswerTest::Other(line), true, trial, tests),
    };
    passes(AnswerTest::IsJson(pointer, value), is_equal, trial, tests)
}
