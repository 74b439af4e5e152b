//! A user's way through the requests of a journey: what it knows, what it sends, what it takes from the answers.

use std::time::Duration;

use super::shared::{Reports, Shared};
use super::supply::Spent;
use crate::clock::Moment;
use crate::event::{Notice, Reason};
use crate::load::http::exchange::{Exchange, Exchanged, Terms};
use crate::load::http::memory::Keep;
use crate::load::swarm::budget::Permit;
use crate::load::swarm::roster::Desk;
use crate::outcome::{Ending, ExtractTrouble, Failure, Outcome, Turn};
use crate::plan::answer::{AnswerView, ParsedBody, Unread};
use crate::plan::data::{DataSource, Row, SourceId};
use crate::plan::endpoint::EndpointId;
use crate::plan::expect::ExpectTrouble;
use crate::plan::extract::{ExtractFrom, Extraction};
use crate::plan::journey::{Message, Step, Task};
use crate::plan::random::Random;
use crate::plan::search::Captured;
use crate::plan::searches::searches;
use crate::plan::template::{Unset, Values};
use crate::plan::wire::WireBuffer;

/// A user's way through its journey.
pub(super) struct Session<'run> {
    shared: Shared<'run>,
    desk: &'run Desk,
    reports: Reports<'run>,
    exchange: Exchange<'run>,
    known: Known,
    buffer: WireBuffer,
    /// Requests begun.
    sent: u64,
}

/// What a user knows besides its cookies: everything that templates are filled with.
struct Known {
    number: u32,
    iteration: u64,
    variables: Vec<Option<String>>,
    rows: Vec<Option<Row>>,
    random: Random,
}

/// What a sequence of requests is for, which decides how it goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Getting ready: over with the first that fails.
    Start,
    /// A task: a request that failed does not end it.
    Task,
    /// Leaving: sent although the stop has begun, as long as there is time, and not counted by `-n`.
    Stop,
}

/// How a sequence of requests went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// To its end.
    Whole,
    /// Not to its end, as something was missing or, when getting ready, failed.
    Short,
    /// The user is to end.
    Over,
}

/// How one request went.
enum Went {
    Well,
    Failed,
    /// What later requests need is missing.
    Missing,
    Over,
}

impl<'run> Session<'run> {
    /// The session of user number `number`, which knows nothing yet.
    pub(in crate::load) fn new(number: u32, shared: Shared<'run>, desk: &'run Desk, reports: Reports<'run>) -> Self {
        let random = Random::seeded(shared.run.plan.load().seed ^ (u64::from(number) << 32));
        let variables = vec![None; shared.run.plan.variables().len()];
        let rows = vec![None; shared.run.plan.sources().len()];
        let known = Known { number, iteration: 0, variables, rows, random };
        let exchange = Exchange::new(shared.run, shared.dialer, desk);
        Self { shared, desk, reports, exchange, known, buffer: WireBuffer::default(), sent: 0 }
    }

    /// Its own chance.
    pub(super) const fn random(&mut self) -> &mut Random {
        &mut self.known.random
    }

    /// Requests begun so far.
    pub(in crate::load) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether it is to go on: neither has the stop begun nor was it told to end.
    pub(in crate::load) fn is_wanted(&self) -> bool {
        !self.shared.run.stop.is_begun() && !self.desk.is_dismissed()
    }

    /// Waits until `moment`; says whether it came before the user was told to end.
    pub(in crate::load) fn sleep_until(&self, moment: Moment) -> bool {
        self.shared.run.stop.park_until(self.shared.run.clock.instant(moment), self.desk)
    }

    /// Takes a row of each source; says whether there was one, as without it the user ends.
    pub(super) fn take_rows(&mut self, sources: &[SourceId]) -> bool {
        for source in sources {
            match self.shared.supply.take(*source, &mut self.known.random) {
                Ok(row) => self.known.rows[source.0 as usize] = Some(row),
                Err(Spent { source, fails }) => {
                    self.tell(if fails { Notice::DataFailed(source) } else { Notice::DataEnd(source) });
                    if fails {
                        self.shared.run.stop.begin(Reason::DataEnd);
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Does a task; its first request has its turn. `None`: the data that it needs is used up.
    pub(super) fn do_task(&mut self, task: &'run Task, turn: Turn) -> Option<Walk> {
        if !self.take_rows(&task.rows) {
            return None;
        }
        let walk = self.walk(&task.steps, turn, Purpose::Task);
        self.known.iteration += 1;
        Some(walk)
    }

    /// Sends the requests one after the other; the first has its turn, the others are due when the one before ended.
    pub(super) fn walk(&mut self, steps: &'run [Step], mut turn: Turn, purpose: Purpose) -> Walk {
        for step in steps {
            match self.take_step(step, turn, purpose) {
                Went::Well => {}
                Went::Failed if purpose != Purpose::Start => {}
                Went::Failed | Went::Missing => return Walk::Short,
                Went::Over => return Walk::Over,
            }
            turn = Turn::WhenSent;
        }
        Walk::Whole
    }

    /// Sends one request and judges its answer.
    fn take_step(&mut self, step: &'run Step, turn: Turn, purpose: Purpose) -> Went {
        if self.sent == 1 {
            self.shared.gate.hold();
        }
        let is_over = if purpose == Purpose::Stop { self.shared.run.stop.is_cut() } else { !self.is_wanted() };
        if is_over {
            return Went::Over;
        }
        let wire = match &step.message {
            Message::Fixed(request) => request.wire(),
            Message::Templated(request) => {
                let now = self.shared.run.clock.unix(self.shared.run.clock.now());
                let rendered =
                    request.render(&mut self.known.values(self.shared.run.plan.sources(), now), &mut self.buffer);
                match rendered {
                    Ok(wire) => wire,
                    Err(unset) => return self.cannot_send(unset),
                }
            }
        };
        match if purpose == Purpose::Stop { Permit::Go } else { self.shared.budget.take() } {
            Permit::Go => {}
            Permit::Last => self.shared.run.stop.begin(Reason::Requests),
            Permit::None => return Went::Over,
        }
        let endpoint = wire.endpoint();
        let (timeout, max_redirects, keep) = (step.rules.timeout, step.rules.max_redirects, keep(step));
        if keep.looks_at_body() {
            let now = self.shared.run.clock.unix(self.shared.run.clock.now());
            let mut values = self.known.values(self.shared.run.plan.sources(), now);
            let limit = step.rules.max_body.bytes();
            self.exchange.look_for(searches(&step.rules.expect, &step.extract, &mut values, limit));
        }
        let sent = self.shared.run.clock.now();
        self.sent += 1;
        self.desk.begin(sent);
        let exchanged = self.exchange.perform(wire, Terms { timeout, max_redirects, keep }, sent);
        self.desk.end();
        let (ending, went) = self.judge(step, &exchanged);
        self.report(endpoint, turn, &exchanged, ending, went)
    }

    fn cannot_send(&self, unset: Unset) -> Went {
        self.tell(Notice::Unset(unset));
        Went::Missing
    }

    fn report(&self, endpoint: EndpointId, turn: Turn, exchanged: &Exchanged, ending: Ending, went: Went) -> Went {
        let times = (exchanged.sent, exchanged.done);
        let outcome = Outcome::new(endpoint, turn, times, exchanged.traffic, ending);
        // The aggregator takes outcomes as long as there are users; it cannot be gone before.
        if self.reports.outlet.put(outcome) { went } else { Went::Over }
    }

    /// What the answer is worth, and what is taken from it. Nothing is taken from one that is not as wanted: values
    /// keep what an earlier one had.
    fn judge(&mut self, step: &Step, exchanged: &Exchanged) -> (Ending, Went) {
        let status = match exchanged.result {
            Ok(status) => status,
            Err(Ending::Aborted) => return (Ending::Aborted, Went::Over),
            Err(ending) => {
                if let Ending::Failed(Failure::Tls(trouble)) = ending {
                    self.tell(Notice::Tls(trouble));
                }
                return (ending, Went::Failed);
            }
        };
        let now = self.shared.run.clock.unix(exchanged.done);
        let (jar, head, body, texts) = self.exchange.answer(keep(step));
        let answer = AnswerView {
            status,
            head,
            body,
            texts,
            size: exchanged.traffic.content_length,
            service: exchanged.done.since(exchanged.sent),
            cookie: &|name| jar.value(name, now).map(|value| String::from_utf8_lossy(value).into_owned()),
            json: ParsedBody::default(),
        };
        let mut values = self.known.values(self.shared.run.plan.sources(), now);
        if let Err(trouble) = step.rules.expect.judge(&answer, &mut values) {
            return (Ending::Failed(failure(status, trouble)), Went::Failed);
        }
        let mut missing = None;
        for extraction in &step.extract {
            match extraction.take(&answer) {
                Some(value) => self.known.variables[extraction.slot.0 as usize] = Some(value),
                None => missing = missing.or(Some((extraction.slot, trouble(extraction, &answer)))),
            }
        }
        let Some((variable, trouble)) = missing else { return (Ending::Ok, Went::Well) };
        self.tell(Notice::NotExtracted { variable, trouble });
        let failure = match trouble {
            ExtractTrouble::OverMaxBody => Failure::Expectation(ExpectTrouble::Body(Unread::Over(step.rules.max_body))),
            other => Failure::Extract(other),
        };
        (Ending::Failed(failure), Went::Missing)
    }

    fn tell(&self, notice: Notice) {
        self.shared.notices.tell(notice, self.shared.run.clock.now(), self.reports.events);
    }
}

impl Known {
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

/// How much of the answer is looked at.
fn keep(step: &Step) -> Keep {
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

const fn failure(status: u16, trouble: ExpectTrouble) -> Failure {
    match trouble {
        ExpectTrouble::Status => Failure::Status(status),
        other => Failure::Expectation(other),
    }
}

/// Why a value was not there.
fn trouble(extraction: &Extraction, answer: &AnswerView<'_>) -> ExtractTrouble {
    match (&extraction.from, answer.body) {
        (ExtractFrom::Json(_) | ExtractFrom::Between(..), Err(Unread::Undecodable)) => ExtractTrouble::Undecodable,
        (ExtractFrom::Json(_) | ExtractFrom::Between(..), Err(Unread::Over(_))) => ExtractTrouble::OverMaxBody,
        (ExtractFrom::Between(left, right), _) if answer.texts.captured(left, right) == Captured::TooLong => {
            ExtractTrouble::OverMaxBody
        }
        (ExtractFrom::Json(_), _) => ExtractTrouble::Json,
        (ExtractFrom::Between(..), _) => ExtractTrouble::Between,
        (ExtractFrom::Header(_), _) => ExtractTrouble::Header,
        (ExtractFrom::Cookie(_), _) => ExtractTrouble::Cookie,
    }
}
