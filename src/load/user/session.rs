//! A user's session: renders requests, sends them, checks the responses and extracts values from them.

use std::time::Duration;

use super::data_cursor::DataUsedUp;
use super::shared::{Reports, UserContext};
use super::tracing::traceparent;
use crate::clock::Moment;
use crate::event::Notice;
use crate::load::http::exchange::{Exchange, Exchanged, RequestOptions};
use crate::load::http::memory::Keep;
use crate::load::swarm::request_quota::Permit;
use crate::load::swarm::roster::UserSlot;
use crate::outcome::{DueTime, Ending, ExtractTrouble, Failure, Outcome};
use crate::plan::data::{DataSource, RowId, SourceId};
use crate::plan::expect::ExpectationFailure;
use crate::plan::extract::{ExtractFrom, Extraction};
use crate::plan::journey::{Message, RequestStep, Step, Task};
use crate::plan::random::Random;
use crate::plan::response::{LazyJson, ResponseView, UnreadBody};
use crate::plan::searches::searches;
use crate::plan::template::{RenderError, Values, Variable};
use crate::plan::text_search::Captured;
use crate::plan::trace::RequestId;
use crate::plan::wire::WireBuffer;
use crate::vocabulary::EndReason;

/// The state of a user while it performs requests.
pub(super) struct Session<'run> {
    shared: UserContext<'run>,
    slot: &'run UserSlot,
    reports: Reports<'run>,
    exchange: Exchange<'run>,
    values: UserValues,
    buffer: WireBuffer,
    /// Requests started.
    sent: u64,
}

/// A user's values besides its cookies: everything that templates are filled with.
struct UserValues {
    number: u32,
    iteration: u64,
    variables: Vec<Option<Variable>>,
    rows: Vec<Option<RowId>>,
    random: Random,
}

/// The purpose of a sequence of requests, which decides how it continues after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Before the first task: ends with the first failure.
    Start,
    /// A task: a failed request does not end it.
    Task,
    /// After the last task: sent although the stop has begun, while there is time, and not counted by `-n`.
    Stop,
}

/// How a sequence of requests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SequenceEnd {
    /// All requests were sent.
    Completed,
    /// Ended early: a value was missing or, before the first task, a request failed.
    CutShort,
    /// The user must end.
    UserMustEnd,
}

/// How one request ended.
enum StepEnd {
    Ok,
    Failed,
    /// A value that later requests need is missing.
    ValueMissing,
    UserMustEnd,
}

impl<'run> Session<'run> {
    /// The session of user `number`, without any values yet.
    pub(in crate::load) fn new(
        number: u32,
        shared: UserContext<'run>,
        user_slot: &'run UserSlot,
        reports: Reports<'run>,
    ) -> Self {
        let random = Random::seeded(shared.run.plan.load().seed ^ (u64::from(number) << 32));
        let variables = vec![None; shared.run.plan.variables().len()];
        let rows = vec![None; shared.run.plan.sources().len()];
        let known = UserValues { number, iteration: 0, variables, rows, random };
        let exchange = Exchange::new(shared.run, shared.dialer, user_slot);
        Self { shared, slot: user_slot, reports, exchange, values: known, buffer: WireBuffer::default(), sent: 0 }
    }

    /// The user's own random numbers.
    pub(super) const fn random(&mut self) -> &mut Random {
        &mut self.values.random
    }

    /// Requests started so far.
    pub(in crate::load) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the user should continue: the stop has not begun and the user was not told to end.
    pub(in crate::load) fn should_continue(&self) -> bool {
        !self.shared.run.stop.is_begun() && !self.slot.is_dismissed()
    }

    /// Waits until `moment`; returns whether it was reached before the user was told to end.
    pub(in crate::load) fn sleep_until(&self, moment: Moment) -> bool {
        self.shared.run.stop.park_until(self.shared.run.clock.instant(moment), self.slot)
    }

    /// Takes a row of each source; returns whether there was one. Without it the user must end.
    pub(super) fn take_rows(&mut self, sources: &[SourceId]) -> bool {
        for source in sources {
            match self.shared.data.take(*source, &mut self.values.random) {
                Ok(row) => self.values.rows[source.0 as usize] = Some(row),
                Err(DataUsedUp { source, fails }) => {
                    self.notify(if fails { Notice::DataFailed(source) } else { Notice::DataEnd(source) });
                    if fails {
                        self.shared.run.stop.begin(EndReason::DataEnd);
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Performs a task; `turn` is when its first request is due. `None` if the data that it needs is used up.
    pub(super) fn run_task(&mut self, task: &'run Task, turn: DueTime) -> Option<SequenceEnd> {
        if !self.take_rows(&task.rows) {
            return None;
        }
        let walk = self.run_steps(&task.steps, turn, Purpose::Task);
        self.values.iteration += 1;
        Some(walk)
    }

    /// Sends the requests one after the other. The first is due at `turn`, each other when the previous one has ended.
    pub(super) fn run_steps(&mut self, steps: &'run [Step], mut turn: DueTime, purpose: Purpose) -> SequenceEnd {
        for Step::Request(request) in steps {
            match self.send(request, turn, purpose) {
                StepEnd::Ok => {}
                StepEnd::Failed if purpose != Purpose::Start => {}
                StepEnd::Failed | StepEnd::ValueMissing => return SequenceEnd::CutShort,
                StepEnd::UserMustEnd => return SequenceEnd::UserMustEnd,
            }
            turn = DueTime::WhenSent;
        }
        SequenceEnd::Completed
    }

    /// Sends one request and checks its response.
    fn send(&mut self, step: &'run RequestStep, turn: DueTime, purpose: Purpose) -> StepEnd {
        if self.sent == 1 {
            self.shared.start_gate.wait_for_all();
        }
        let is_over = if purpose == Purpose::Stop { self.shared.run.stop.is_cut() } else { !self.should_continue() };
        if is_over {
            return StepEnd::UserMustEnd;
        }
        let wire = match &step.message {
            Message::Fixed(request) => request.wire(),
            Message::Templated(request) => {
                let now = self.shared.run.clock.unix(self.shared.run.clock.now());
                let rendered =
                    request.render(&mut self.values.values(self.shared.run.plan.sources(), now), &mut self.buffer);
                match rendered {
                    Ok(wire) => wire,
                    Err(unset) => return self.cannot_send(unset),
                }
            }
        };
        match if purpose == Purpose::Stop { Permit::Go } else { self.shared.quota.take() } {
            Permit::Go => {}
            Permit::Last => self.shared.run.stop.begin(EndReason::Requests),
            Permit::None => return StepEnd::UserMustEnd,
        }
        let endpoint = wire.endpoint();
        let (timeout, max_redirects, keep) = (step.rules.timeout, step.rules.max_redirects, keep(step));
        if keep.looks_at_body() {
            let now = self.shared.run.clock.unix(self.shared.run.clock.now());
            let mut values = self.values.values(self.shared.run.plan.sources(), now);
            let limit = step.rules.max_body.bytes();
            self.exchange.look_for(searches(&step.rules.expect, &step.extract, &mut values, limit));
        }
        let sent = self.shared.run.clock.now();
        self.sent += 1;
        let id = RequestId::new(self.values.number, self.sent);
        let traceparent = traceparent(self.shared.run, wire, id);
        self.slot.begin(sent);
        let exchanged = self.exchange.perform(wire, RequestOptions { timeout, max_redirects, keep, traceparent }, sent);
        self.slot.end();
        let (ending, step_end) = self.evaluate(step, &exchanged);
        let times = (exchanged.sent, exchanged.done);
        let outcome = Outcome::new(endpoint, turn, times, exchanged.traffic, ending);
        self.report(outcome.of_request(id, traceparent.is_some()), step_end)
    }

    fn cannot_send(&self, unset: RenderError) -> StepEnd {
        self.notify(Notice::Unset(unset));
        StepEnd::ValueMissing
    }

    fn report(&self, outcome: Outcome, step_end: StepEnd) -> StepEnd {
        // The receiver is gone only if the aggregator failed: it receives as long as there are users.
        if self.reports.outcomes.send(outcome) { step_end } else { StepEnd::UserMustEnd }
    }

    /// Checks the response against the expectations and extracts values from it. Nothing is extracted from a response
    /// that is not as expected: variables keep their previous values.
    fn evaluate(&mut self, step: &RequestStep, exchanged: &Exchanged) -> (Ending, StepEnd) {
        let status = match exchanged.result {
            Ok(status) => status,
            Err(Ending::Aborted) => return (Ending::Aborted, StepEnd::UserMustEnd),
            Err(ending) => {
                if let Ending::Failed(Failure::Tls(trouble)) = ending {
                    self.notify(Notice::Tls(trouble));
                }
                return (ending, StepEnd::Failed);
            }
        };
        let now = self.shared.run.clock.unix(exchanged.done);
        let (jar, head, body, texts) = self.exchange.last_response(keep(step));
        let answer = ResponseView {
            status,
            head,
            body,
            texts,
            size: exchanged.traffic.content_length,
            service: exchanged.done.since(exchanged.sent),
            cookie: &|name| jar.value(name, now).map(|value| String::from_utf8_lossy(value).into_owned()),
            json: LazyJson::default(),
        };
        let mut values = self.values.values(self.shared.run.plan.sources(), now);
        if let Err(trouble) = step.rules.expect.judge(&answer, &mut values) {
            return (Ending::Failed(failure(status, trouble)), StepEnd::Failed);
        }
        let mut missing = None;
        for extraction in &step.extract {
            match extraction.extract(&answer) {
                Some(value) => self.values.variables[extraction.slot.0 as usize] = Some(Variable::Text(value)),
                None => missing = missing.or(Some((extraction.slot, trouble(extraction, &answer)))),
            }
        }
        let Some((variable, trouble)) = missing else { return (Ending::Ok, StepEnd::Ok) };
        self.notify(Notice::NotExtracted { variable, trouble });
        let failure = match trouble {
            ExtractTrouble::OverMaxBody => {
                Failure::Expectation(ExpectationFailure::Body(UnreadBody::Over(step.rules.max_body)))
            }
            other => Failure::Extract(other),
        };
        (Ending::Failed(failure), StepEnd::ValueMissing)
    }

    fn notify(&self, notice: Notice) {
        self.shared.notices.report(notice, self.shared.run.clock.now(), self.reports.events);
    }
}

impl UserValues {
    fn values<'v>(&'v mut self, sources: &'v [DataSource], now: Duration) -> Values<'v> {
        Values {
            variables: &self.variables,
            rows: &self.rows,
            sources,
            user: self.number,
            iteration: self.iteration,
            now_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            random: &mut self.random,
        }
    }
}

/// How much of the response has to be kept.
fn keep(step: &RequestStep) -> Keep {
    let expect = &step.rules.expect;
    if expect.needs_whole_body() || step.extract.iter().any(Extraction::needs_whole_body) {
        Keep::Body(step.rules.max_body)
    } else if expect.needs_body() || step.extract.iter().any(Extraction::needs_body) {
        Keep::Texts
    } else if expect.needs_head() || step.extract.iter().any(Extraction::needs_head) {
        Keep::Head
    } else {
        Keep::Nothing
    }
}

const fn failure(status: u16, trouble: ExpectationFailure) -> Failure {
    match trouble {
        ExpectationFailure::Status => Failure::Status(status),
        other => Failure::Expectation(other),
    }
}

/// Why a value could not be extracted.
fn trouble(extraction: &Extraction, answer: &ResponseView<'_>) -> ExtractTrouble {
    match (&extraction.from, answer.body) {
        (ExtractFrom::Json(_) | ExtractFrom::Between(..), Err(UnreadBody::Undecodable)) => ExtractTrouble::Undecodable,
        (ExtractFrom::Json(_) | ExtractFrom::Between(..), Err(UnreadBody::Over(_))) => ExtractTrouble::OverMaxBody,
        (ExtractFrom::Between(left, right), _) if answer.texts.captured(left, right) == Captured::TooLong => {
            ExtractTrouble::OverMaxBody
        }
        (ExtractFrom::Json(_), _) => ExtractTrouble::Json,
        (ExtractFrom::Between(..), _) => ExtractTrouble::Between,
        (ExtractFrom::Header(_), _) => ExtractTrouble::Header,
        (ExtractFrom::Cookie(_), _) => ExtractTrouble::Cookie,
    }
}
