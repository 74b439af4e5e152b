//! A user's session: renders requests, sends them, checks the responses and extracts values from them.

mod evaluate;
mod explain;

use std::time::Duration;

use super::data_cursor::DataUsedUp;
use super::shared::{Reports, UserContext};
use super::tracing::traceparent;
use crate::clock::Moment;
use crate::event::Notice;
use crate::load::http::exchange::{Exchange, RequestOptions};
use crate::load::http::memory::Keep;
use crate::load::http::recorder::RecordLimits;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::request_quota::Permit;
use crate::load::swarm::roster::UserSlot;
use crate::load::swarm::transcripts::Recording;
use crate::outcome::{DueTime, Outcome};
use crate::plan::data::{DataSource, RowId, SourceId};
use crate::plan::endpoint::EndpointId;
use crate::plan::extract::Extraction;
use crate::plan::journey::{Message, RequestStep};
use crate::plan::random::Random;
use crate::plan::searches::searches;
use crate::plan::template::{Counter, RenderError, SlotId, Values, Variable};
use crate::plan::templated_request::TemplatedRequest;
use crate::plan::text_search::TextSearches;
use crate::plan::trace::RequestId;
use crate::plan::wire::{WireBuffer, WireRequest};
use crate::vocabulary::EndReason;

/// The state of a user while it performs requests.
pub(in crate::load) struct Session<'run> {
    pub(super) shared: UserContext<'run>,
    slot: &'run UserSlot,
    reports: Reports<'run>,
    exchange: Exchange<'run>,
    pub(super) values: UserValues<'run>,
    buffer: WireBuffer,
    /// Values of variables that the last response replaced, while exchanges are recorded: its request may have them.
    replaced: Vec<(SlotId, Variable)>,
    /// Requests started.
    pub(super) sent: u64,
    /// When the next request is due.
    pub(super) due: DueTime,
    /// The time by which requests after the last task must have begun.
    pub(super) stop_by: Option<Moment>,
    /// Rounds of loops, one after another, that sent nothing.
    pub(super) idle_rounds: u32,
    /// The endpoint of the request at which a sequence was cut short.
    pub(super) failed_at: Option<EndpointId>,
}

/// A user's values besides its cookies: everything that templates are filled with.
pub(super) struct UserValues<'run> {
    number: u32,
    pub(super) iteration: u64,
    /// Status of the last response; 0 without one.
    status: u16,
    counter: &'run Counter,
    pub(super) variables: Vec<Option<Variable>>,
    rows: Vec<Option<RowId>>,
    pub(super) random: Random,
}

/// The purpose of a sequence of requests, which decides how it continues after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::load) enum Purpose {
    /// Before the first user: ends with the first failure.
    Setup,
    /// Before the first task: ends with the first failure.
    Start,
    /// A task: a failed request does not end it.
    Task,
    /// After the last task, or after the last user: sent although the stop has begun, while there is time, and not counted by `-n`.
    Stop,
}

/// How one request ended.
pub(super) enum StepEnd {
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
        let variables = shared.initial.to_vec();
        let rows = vec![None; shared.run.plan.sources().len()];
        let counter = shared.data.counter();
        let known = UserValues { number, iteration: 0, status: 0, counter, variables, rows, random };
        let mut exchange = Exchange::new(shared.run, shared.dialer, user_slot);
        match shared.recording {
            Recording::Off => {}
            Recording::Failures(_) => exchange.record(RecordLimits::FAILURES),
            Recording::All(_) => exchange.record(RecordLimits::EVERYTHING),
        }
        Self {
            shared,
            slot: user_slot,
            reports,
            exchange,
            values: known,
            buffer: WireBuffer::default(),
            replaced: Vec::new(),
            sent: 0,
            due: DueTime::WhenSent,
            stop_by: None,
            idle_rounds: 0,
            failed_at: None,
        }
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

    /// Limits what is sent after the last task to the stop timeout, counted from when the stop began.
    pub(in crate::load) fn limit_stop(&mut self) {
        let clock = self.shared.run.clock;
        let begun = self.shared.run.stop.begun_at().map_or_else(|| clock.now(), |at| clock.moment(at));
        self.stop_by = Some(begun.after(self.shared.run.plan.load().stop_timeout));
    }

    /// The variables at the end.
    pub(in crate::load) fn into_variables(self) -> Vec<Option<Variable>> {
        self.values.variables
    }

    /// Whether no further request may be started for this purpose.
    pub(super) fn is_over(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Setup | Purpose::Start | Purpose::Task => !self.should_continue(),
            Purpose::Stop => {
                self.shared.run.stop.is_cut() || self.stop_by.is_some_and(|end| self.shared.run.clock.now() >= end)
            }
        }
    }

    /// Waits until `moment`; returns whether it was reached before everything for this purpose was over.
    pub(super) fn rest_until(&self, moment: Moment, purpose: Purpose) -> bool {
        if purpose != Purpose::Stop {
            return self.sleep_until(moment);
        }
        let end = self.stop_by.map_or(moment, |end| end.min(moment));
        self.shared.run.stop.park_until_cut(self.shared.run.clock.instant(end)) && end == moment
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

    /// Sends one request and checks its response. Never inlined: the steps that lead here are nested on a small stack.
    #[inline(never)]
    pub(super) fn send(&mut self, step: &'run RequestStep, turn: DueTime, purpose: Purpose) -> StepEnd {
        if self.sent == 1 {
            self.shared.start_gate.wait_for_all();
        }
        if self.is_over(purpose) {
            return StepEnd::UserMustEnd;
        }
        let wire = match &step.message {
            Message::Fixed(request) => request.wire(),
            Message::Templated(request) => match self.values.render(request, self.shared.run, &mut self.buffer) {
                Ok(wire) => wire,
                Err(unset) => return self.cannot_send(unset),
            },
        };
        match if purpose == Purpose::Stop { Permit::Go } else { self.shared.quota.take() } {
            Permit::Go => {}
            Permit::Last => self.shared.run.stop.begin(EndReason::Requests),
            Permit::None => return StepEnd::UserMustEnd,
        }
        let endpoint = wire.endpoint();
        let (timeout, max_redirects, keep) = (step.rules.timeout, step.rules.max_redirects, keep(step));
        if keep.looks_at_body() {
            self.exchange.look_for(self.values.searches(step, self.shared.run));
        }
        let sent = self.shared.run.clock.now();
        self.sent += 1;
        let id = RequestId::new(self.values.number, self.sent);
        let traceparent = traceparent(self.shared.run, wire, id);
        self.slot.begin(sent);
        let keep_url = step.extract.iter().any(Extraction::needs_url);
        let terms = RequestOptions { timeout, max_redirects, keep, keep_url, traceparent };
        let exchanged = self.exchange.perform(wire, terms, sent);
        self.slot.end();
        let (ending, step_end) = self.evaluate(step, &exchanged);
        self.explain((step, endpoint), &exchanged, ending);
        let times = (exchanged.sent, exchanged.done);
        let outcome = Outcome::new(endpoint, turn, times, exchanged.traffic, ending);
        self.report(outcome.of_request(id, traceparent.is_some()), step_end)
    }

    pub(super) fn cannot_send(&self, unset: RenderError) -> StepEnd {
        self.notify(Notice::Unset(unset));
        StepEnd::ValueMissing
    }

    fn report(&self, outcome: Outcome, step_end: StepEnd) -> StepEnd {
        // The receiver is gone only if the aggregator failed: it receives as long as there are users.
        if self.reports.outcomes.send(outcome) { step_end } else { StepEnd::UserMustEnd }
    }

    pub(super) fn notify(&self, notice: Notice) {
        self.shared.notices.report(notice, self.shared.run.clock.now(), self.reports.events);
    }
}

impl UserValues<'_> {
    /// A request with its templates filled in. Never inlined: see [`Exchange::perform`].
    #[inline(never)]
    fn render<'b>(
        &mut self,
        request: &'b TemplatedRequest,
        run: RunContext<'_>,
        buffer: &'b mut WireBuffer,
    ) -> Result<WireRequest<'b>, RenderError> {
        let now = run.clock.unix(run.clock.now());
        request.render(&mut self.values(run.plan.sources(), now), buffer)
    }

    /// The texts to look for in the response to a request. Never inlined: see [`Exchange::perform`].
    #[inline(never)]
    fn searches(&mut self, step: &RequestStep, run: RunContext<'_>) -> TextSearches {
        let now = run.clock.unix(run.clock.now());
        let limit = step.rules.max_body.bytes();
        searches(&step.rules.expect, &step.extract, &mut self.values(run.plan.sources(), now), limit)
    }

    pub(super) fn values<'v>(&'v mut self, sources: &'v [DataSource], now: Duration) -> Values<'v> {
        Values {
            variables: &self.variables,
            rows: &self.rows,
            sources,
            user: self.number,
            iteration: self.iteration,
            status: self.status,
            counter: self.counter,
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
