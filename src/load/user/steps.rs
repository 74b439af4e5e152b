//! What a user does step by step: sends requests, pauses, loops, tests conditions and sets variables.

use std::sync::Arc;
use std::time::Duration;

use super::session::{Purpose, Session, StepEnd};
use crate::clock::Moment;
use crate::event::Notice;
use crate::outcome::DueTime;
use crate::plan::condition::Condition;
use crate::plan::endpoint::EndpointId;
use crate::plan::journey::{RequestStep, Step, Task};
use crate::plan::step::{Addition, Assignment, ForEach, Pause, Repeat, Until, When};
use crate::plan::template::{MAX_ITEMS, RenderError, SlotId, Template, Variable};

/// Rounds of loops that may follow one another without a request: then the user pauses, as it would keep a core busy
/// for nothing. More than a list has items.
const MAX_IDLE_ROUNDS: u32 = 100_000;

/// That pause.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// Maximum number of requests of `setup`: its outcomes are kept in memory until the run starts.
const MAX_SETUP_REQUESTS: u64 = 100_000;

/// How a sequence of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum SequenceEnd {
    /// At its end, or where a step ended it.
    Completed,
    /// Ended early: a value was missing or, before the first task, a request failed.
    CutShort,
    /// A step ended the user.
    UserStops,
    /// The user must end.
    UserMustEnd,
}

/// What follows a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// The next step.
    Next,
    /// What follows the innermost loop.
    LeaveLoop,
    /// The end of the sequence.
    End(SequenceEnd),
}

impl<'run> Session<'run> {
    /// Performs a task; `due` is when its first request is due. `None` if the data that it needs is used up.
    pub(super) fn run_task(&mut self, task: &'run Task, due: DueTime) -> Option<SequenceEnd> {
        if !self.take_rows(&task.rows) {
            return None;
        }
        let end = self.run_steps(&task.steps, due, Purpose::Task);
        self.values.iteration += 1;
        Some(end)
    }

    /// Performs the steps one after the other. The first request is due at `due`, each other when the previous one has
    /// ended.
    pub(in crate::load) fn run_steps(&mut self, steps: &'run [Step], due: DueTime, purpose: Purpose) -> SequenceEnd {
        self.due = due;
        self.idle_rounds = 0;
        match self.run_block(steps, purpose) {
            Flow::Next | Flow::LeaveLoop => SequenceEnd::Completed,
            Flow::End(end) => end,
        }
    }

    /// When the first request was due that the last sequence did not come to send; `None` if the user still paused
    /// before it.
    pub(super) fn missed_due(&self) -> Option<Moment> {
        let now = self.shared.run.clock.now();
        match self.due {
            DueTime::WhenSent => Some(now),
            DueTime::Free(due) | DueTime::Busy(due) => Some(due).filter(|due| *due <= now),
        }
    }

    fn run_block(&mut self, steps: &'run [Step], purpose: Purpose) -> Flow {
        for step in steps {
            let flow = match step {
                Step::Request(request) => self.run_request(request, purpose),
                Step::Pause(pause) => self.pause(*pause, purpose),
                Step::Repeat(repeat) => self.repeat(repeat, purpose),
                Step::ForEach(each) => self.for_each(each, purpose),
                Step::When(when) => self.branch(when, purpose),
                Step::Until(until) => self.poll(until, purpose),
                Step::LeaveLoop => Flow::LeaveLoop,
                Step::LeaveTask => Flow::End(SequenceEnd::Completed),
                Step::StopUser => Flow::End(SequenceEnd::UserStops),
                Step::Set(assignments) => self.set(assignments),
                Step::Append(additions) => self.append(additions),
            };
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn run_request(&mut self, request: &'run RequestStep, purpose: Purpose) -> Flow {
        let due = std::mem::replace(&mut self.due, DueTime::WhenSent);
        if purpose == Purpose::Setup && self.sent >= MAX_SETUP_REQUESTS {
            self.notify(Notice::SetupTooLong);
            return Flow::End(SequenceEnd::CutShort);
        }
        let before = self.sent;
        match self.send(request, due, purpose) {
            StepEnd::Ok => Flow::Next,
            StepEnd::Failed if matches!(purpose, Purpose::Task | Purpose::Stop) => Flow::Next,
            StepEnd::Failed | StepEnd::ValueMissing => {
                self.failed_at = (self.sent > before).then(|| request.message.endpoint());
                Flow::End(SequenceEnd::CutShort)
            }
            StepEnd::UserMustEnd => {
                if self.sent == before {
                    self.due = due;
                }
                Flow::End(SequenceEnd::UserMustEnd)
            }
        }
    }

    /// Pauses. A request that was due at a certain time is due later by as much: a pause is no latency.
    #[inline(never)]
    fn pause(&mut self, pause: Pause, purpose: Purpose) -> Flow {
        let length = pause.draw(&mut self.values.random);
        self.due = self.due.after(length);
        self.rest(length, purpose)
    }

    fn rest(&self, length: Duration, purpose: Purpose) -> Flow {
        let until = self.shared.run.clock.now().after(length);
        if self.rest_until(until, purpose) { Flow::Next } else { Flow::End(SequenceEnd::UserMustEnd) }
    }

    /// One round of a loop.
    fn run_round(&mut self, steps: &'run [Step], purpose: Purpose) -> Flow {
        let before = self.sent;
        let flow = self.run_block(steps, purpose);
        if self.sent != before {
            self.idle_rounds = 0;
        } else if flow == Flow::Next {
            return self.after_idle_round(purpose);
        }
        flow
    }

    /// What follows a round that sent nothing: it must end with the run, and keep no core busy.
    fn after_idle_round(&mut self, purpose: Purpose) -> Flow {
        if self.is_over(purpose) {
            return Flow::End(SequenceEnd::UserMustEnd);
        }
        self.idle_rounds += 1;
        if self.idle_rounds < MAX_IDLE_ROUNDS {
            return Flow::Next;
        }
        self.idle_rounds = 0;
        self.rest(IDLE_PAUSE, purpose)
    }

    #[inline(never)]
    fn repeat(&mut self, repeat: &'run Repeat, purpose: Purpose) -> Flow {
        for round in 0..repeat.times.draw(&mut self.values.random) {
            if let Some(slot) = repeat.counter {
                self.assign(slot, round.to_string());
            }
            match self.run_round(&repeat.steps, purpose) {
                Flow::Next => {}
                Flow::LeaveLoop => break,
                end @ Flow::End(_) => return end,
            }
        }
        Flow::Next
    }

    #[inline(never)]
    fn for_each(&mut self, each: &'run ForEach, purpose: Purpose) -> Flow {
        for at in 0..self.items(each.list).len() {
            // The steps may have changed the list.
            let Some(item) = self.items(each.list).get(at).cloned() else { break };
            self.assign(each.item, item);
            match self.run_round(&each.steps, purpose) {
                Flow::Next => {}
                Flow::LeaveLoop => break,
                end @ Flow::End(_) => return end,
            }
        }
        Flow::Next
    }

    #[inline(never)]
    fn branch(&mut self, when: &'run When, purpose: Purpose) -> Flow {
        match self.is_met(&when.condition) {
            Ok(true) => self.run_block(&when.steps, purpose),
            Ok(false) => self.run_block(&when.otherwise, purpose),
            Err(unset) => self.lacks(unset),
        }
    }

    #[inline(never)]
    fn poll(&mut self, until: &'run Until, purpose: Purpose) -> Flow {
        for round in 1..=until.at_most {
            match self.run_round(&until.steps, purpose) {
                Flow::Next => {}
                Flow::LeaveLoop => return Flow::Next,
                end @ Flow::End(_) => return end,
            }
            match self.is_met(&until.condition) {
                Ok(true) => return Flow::Next,
                Ok(false) => {}
                Err(unset) => return self.lacks(unset),
            }
            if round < until.at_most
                && let end @ Flow::End(_) = self.rest(until.every, purpose)
            {
                return end;
            }
        }
        self.notify(Notice::PollGaveUp);
        Flow::Next
    }

    #[inline(never)]
    fn set(&mut self, assignments: &[Assignment]) -> Flow {
        for Assignment { slot, value } in assignments {
            match value.as_ref().map(|value| self.render(value)).transpose() {
                Ok(Some(text)) => self.assign(*slot, text),
                Ok(None) => self.values.variables[slot.0 as usize] = None,
                Err(unset) => return self.lacks(unset),
            }
        }
        Flow::Next
    }

    #[inline(never)]
    fn append(&mut self, additions: &[Addition]) -> Flow {
        for Addition { list, item } in additions {
            let item = match self.render(item) {
                Ok(item) => item,
                Err(unset) => return self.lacks(unset),
            };
            match &mut self.values.variables[list.0 as usize] {
                Some(Variable::List(items)) if items.len() >= MAX_ITEMS => self.notify(Notice::ListFull(*list)),
                Some(Variable::List(items)) => Arc::make_mut(items).push(item),
                unset => *unset = Some(Variable::List(Arc::new(vec![item]))),
            }
        }
        Flow::Next
    }

    fn assign(&mut self, slot: SlotId, text: String) {
        self.values.variables[slot.0 as usize] = Some(Variable::Text(text));
    }

    /// The items of a list; none if it was never filled.
    fn items(&self, list: SlotId) -> &[String] {
        match &self.values.variables[list.0 as usize] {
            Some(Variable::List(items)) => items,
            Some(Variable::Text(_)) | None => &[],
        }
    }

    fn is_met(&mut self, condition: &Condition) -> Result<bool, RenderError> {
        let now = self.shared.run.clock.unix(self.shared.run.clock.now());
        condition.is_met(&mut self.values.values(self.shared.run.plan.sources(), now))
    }

    fn render(&mut self, template: &Template) -> Result<String, RenderError> {
        let now = self.shared.run.clock.unix(self.shared.run.clock.now());
        let mut out = Vec::with_capacity(template.literal_len());
        template.render(&mut self.values.values(self.shared.run.plan.sources(), now), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// A value is missing: the rest is skipped.
    fn lacks(&self, unset: RenderError) -> Flow {
        self.notify(Notice::Unset(unset));
        Flow::End(SequenceEnd::CutShort)
    }

    /// The endpoint of the request at which the last sequence was cut short, if it was at one.
    pub(super) const fn take_failed_at(&mut self) -> Option<EndpointId> {
        self.failed_at.take()
    }
}
