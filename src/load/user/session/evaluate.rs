//! Checks a response against what is expected of it and extracts values from it.

use super::{Session, StepEnd, keep};
use crate::event::Notice;
use crate::load::http::exchange::Exchanged;
use crate::load::http::upload::BrokenFile;
use crate::load::swarm::transcripts::Recording;
use crate::outcome::{Ending, ExtractTrouble, Failure};
use crate::plan::expect::ExpectationFailure;
use crate::plan::extract::{ExtractFrom, Extraction, ResponseField};
use crate::plan::journey::RequestStep;
use crate::plan::response::{LazyJson, ResponseView, UnreadBody};
use crate::plan::template::Variable;

impl Session<'_> {
    /// Checks the response against the expectations and extracts values from it.
    pub(super) fn evaluate(&mut self, step: &RequestStep, exchanged: &Exchanged) -> (Ending, StepEnd) {
        self.values.status = exchanged.result.unwrap_or(0);
        match exchanged.result {
            Ok(status) if step.extract.is_empty() && step.rules.expect.has_only_status() => {
                if step.rules.expect.status.contains(status) {
                    (Ending::Ok, StepEnd::Ok)
                } else {
                    (Ending::Failed(Failure::Status(status)), StepEnd::Failed)
                }
            }
            _ => self.inspect(step, exchanged),
        }
    }

    /// The same for a response of which more than the status is checked, or that is missing. Of a response that is not as
    /// expected only the status is extracted: other variables keep their previous values. Never inlined: see
    /// [`Exchange::perform`].
    #[inline(never)]
    fn inspect(&mut self, step: &RequestStep, exchanged: &Exchanged) -> (Ending, StepEnd) {
        for extraction in step.extract.iter().filter(|extraction| extraction.is_status()) {
            let status = Variable::Text(self.values.status.to_string());
            self.values.variables[extraction.slot.0 as usize] = Some(status);
        }
        let status = match exchanged.result {
            Ok(status) => status,
            Err(Ending::Aborted) => return (Ending::Aborted, StepEnd::UserMustEnd),
            Err(ending) => {
                if let Ending::Failed(Failure::Tls(trouble)) = ending {
                    self.notify(Notice::Tls(trouble));
                }
                if let Some(BrokenFile { file, trouble }) = exchanged.broken_file {
                    self.notify(Notice::BodyFile(file, trouble));
                }
                return (ending, StepEnd::Failed);
            }
        };
        let now = self.shared.run.clock.unix(exchanged.done);
        let (jar, url, head, body, texts) = self.exchange.last_response(keep(step));
        let answer = ResponseView {
            status,
            head,
            body,
            texts,
            size: exchanged.traffic.content_length,
            service: exchanged.done.since(exchanged.sent),
            url,
            cookie: &|name| jar.value(name, now).map(|value| String::from_utf8_lossy(value).into_owned()),
            json: LazyJson::default(),
        };
        let mut values = self.values.values(self.shared.run.plan.sources(), now);
        if let Err(trouble) = step.rules.expect.judge(&answer, &mut values) {
            return (Ending::Failed(failure(status, trouble)), StepEnd::Failed);
        }
        let mut missing = None;
        for extraction in &step.extract {
            match extraction.extract(&answer, &mut self.values.random) {
                Some(value) => {
                    let before = self.values.variables[extraction.slot.0 as usize].replace(value);
                    if !matches!(self.shared.recording, Recording::Off) {
                        self.replaced.extend(before.map(|before| (extraction.slot, before)));
                    }
                }
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
}

const fn failure(status: u16, trouble: ExpectationFailure) -> Failure {
    match trouble {
        ExpectationFailure::Status => Failure::Status(status),
        other => Failure::Expectation(other),
    }
}

/// Why a value could not be extracted.
fn trouble(extraction: &Extraction, answer: &ResponseView<'_>) -> ExtractTrouble {
    match answer.body {
        Err(UnreadBody::Undecodable) if extraction.needs_body() => return ExtractTrouble::Undecodable,
        Err(UnreadBody::Unsupported(coding)) if extraction.needs_body() => return ExtractTrouble::Unsupported(coding),
        Err(UnreadBody::Over(_)) if extraction.needs_body() => return ExtractTrouble::OverMaxBody,
        _ => {}
    }
    match &extraction.from {
        _ if extraction.is_too_long(answer) => ExtractTrouble::OverMaxBody,
        ExtractFrom::Json(_) => ExtractTrouble::Json,
        ExtractFrom::Input(_) => ExtractTrouble::Input,
        ExtractFrom::Between(..) => ExtractTrouble::Between,
        ExtractFrom::Regex(..) => ExtractTrouble::Regex,
        ExtractFrom::Field(ResponseField::Cookie(_)) => ExtractTrouble::Cookie,
        ExtractFrom::Field(_) => ExtractTrouble::Header,
    }
}
