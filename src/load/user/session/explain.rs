//! Why a request failed, in words, and the transcript of its exchange: only when someone is to see them.

use super::{Session, keep};
use crate::event::{Explanation, FailedExchange, SwarmEvent, SwarmEventKind};
use crate::load::http::exchange::Exchanged;
use crate::load::swarm::notices::Explanations;
use crate::load::swarm::transcripts::Recording;
use crate::outcome::{Ending, Failure};
use crate::plan::data::DataSource;
use crate::plan::endpoint::EndpointId;
use crate::plan::expect::explain::Finding;
use crate::plan::journey::RequestStep;
use crate::plan::missing_value::explain;
use crate::plan::response::{LazyJson, ResponseView};
use crate::plan::template::{SlotId, Values, Variable};
use crate::secret::{KnownSecrets, is_secret};
use crate::transcript::text::stream_text;
use crate::transcript::{Extracted, Hop, Transcript};
use crate::value::StatusSet;

/// Maximum characters of an explanation.
const MAX_EXPLANATION: usize = 200;

/// Extracted values of at least so many bytes are masked in the exchanges of a run, whatever their names are: those
/// stay in reports.
const MIN_MASKED: usize = 6;

impl Session<'_> {
    /// Reports what is to be known of a request that was judged.
    pub(super) fn explain(&mut self, step: (&RequestStep, EndpointId), exchanged: &Exchanged, ending: Ending) {
        match (self.shared.recording, ending) {
            (Recording::All(_), _) => self.record_all(step, exchanged, ending),
            (_, Ending::Failed(failure)) => self.explain_failure(step, exchanged, failure),
            (_, Ending::Ok | Ending::Aborted) => {}
        }
        self.replaced.clear();
    }

    /// Never inlined: its frame would be part of every request's.
    #[inline(never)]
    fn record_all(&mut self, (step, endpoint): (&RequestStep, EndpointId), exchanged: &Exchanged, ending: Ending) {
        let Recording::All(show) = self.shared.recording else { return };
        let found = self.found(step, exchanged);
        let transcript = self.transcript(endpoint, exchanged, ending, found);
        let secrets = self.secrets(&transcript.hops);
        show(transcript, secrets);
    }

    #[cold]
    #[inline(never)]
    fn explain_failure(
        &mut self,
        (step, endpoint): (&RequestStep, EndpointId),
        exchanged: &Exchanged,
        failure: Failure,
    ) {
        let at = exchanged.done;
        // With the statuses that count as ok by default, the error says all.
        let is_plain = matches!(failure, Failure::Status(_)) && step.rules.expect.status == StatusSet::default();
        let is_due = !is_plain && self.shared.explanations.is_due(endpoint, failure, at);
        let number = match self.shared.recording {
            Recording::Failures(limits) => limits.take(endpoint, failure),
            Recording::Off | Recording::All(_) => None,
        };
        if !is_due && number.is_none() {
            return;
        }
        let (findings, extracted) = self.found(step, exchanged);
        if let Some(text) = words(&findings, &extracted).filter(|_| is_due) {
            let text = self.secrets(&[]).mask(&text, false).chars().take(MAX_EXPLANATION).collect();
            Explanations::report(Explanation { endpoint, failure, text }, at, self.reports.events);
        }
        let Some(number) = number else { return };
        let transcript = self.transcript(endpoint, exchanged, Ending::Failed(failure), (findings, extracted));
        let text = stream_text(&transcript, &self.secrets(&transcript.hops));
        let exchange = Box::new(FailedExchange { number, endpoint, failure, text });
        // At most 200 in a run. Fails only if the aggregator did.
        let _ = self.reports.events.send(SwarmEvent { at, kind: SwarmEventKind::Exchange(exchange) });
    }

    fn transcript(
        &mut self,
        endpoint: EndpointId,
        exchanged: &Exchanged,
        ending: Ending,
        (findings, extracted): (Vec<Finding>, Vec<Extracted>),
    ) -> Transcript {
        let (hops, omitted_hops) = self.exchange.take_hops();
        Transcript {
            endpoint: self.shared.run.plan.endpoints()[endpoint.0 as usize].to_string(),
            hops,
            omitted_hops,
            took: exchanged.done.since(exchanged.sent),
            ending,
            findings,
            extracted,
        }
    }

    /// What the response has, beside what was expected and what was to be extracted; nothing without a response.
    fn found(&mut self, step: &RequestStep, exchanged: &Exchanged) -> (Vec<Finding>, Vec<Extracted>) {
        let Ok(status) = exchanged.result else { return (Vec::new(), Vec::new()) };
        let plan = self.shared.run.plan;
        let now = self.shared.run.clock.unix(exchanged.done);
        let (jar, url, head, body, texts) = self.exchange.last_response(keep(step));
        let answer = ResponseView {
            status,
            head,
            body,
            texts,
            url,
            size: exchanged.traffic.content_length,
            service: exchanged.done.since(exchanged.sent),
            cookie: &|name| jar.value(name, now).map(|value| String::from_utf8_lossy(value).into_owned()),
            json: LazyJson::default(),
        };
        // A copy, so that the user's own choices stay as they would be.
        let mut random = self.values.random.clone();
        let mut values = Values {
            variables: &self.values.variables,
            rows: &self.values.rows,
            sources: plan.sources(),
            user: self.values.number,
            iteration: self.values.iteration,
            status: self.values.status,
            counter: self.values.counter,
            now_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            random: &mut random,
        };
        let findings = step.rules.expect.findings(&answer, &mut values);
        if findings.iter().any(|finding| !finding.is_met) {
            // Nothing was extracted.
            return (findings, Vec::new());
        }
        let extracted = step.extract.iter().map(|extraction| Extracted {
            name: plan.variables()[extraction.slot.0 as usize].clone(),
            // The value that the user has taken: of several it may be a random one.
            value: match extraction.extract(&answer, &mut random) {
                Some(_) => self.values.variables[extraction.slot.0 as usize].clone().map(shown),
                None => None,
            }
            .ok_or_else(|| explain(extraction, &answer)),
            is_secret: plan.secrets().is_secret(extraction.slot),
        });
        (findings, extracted.collect())
    }

    /// The secrets that a request and its answer may have: those of the plan, of the user's variables and rows, and what
    /// stands in the hops beside the name of a secret.
    fn secrets(&self, hops: &[Hop]) -> KnownSecrets {
        let plan = self.shared.run.plan;
        let mut known = plan.secrets().known().clone();
        let masks_all = !matches!(self.shared.recording, Recording::All(_));
        let current = (0..).map(SlotId).zip(&self.values.variables);
        let current = current.filter_map(|(slot, variable)| Some((slot, variable.as_ref()?)));
        for (slot, variable) in current.chain(self.replaced.iter().map(|(slot, variable)| (*slot, variable))) {
            let is_secret = plan.secrets().is_secret(slot);
            let values = match variable {
                Variable::Text(text) => std::slice::from_ref(text),
                Variable::List(list) => &list[..],
            };
            let hidden = |value: &&String| is_secret || masks_all && value.len() >= MIN_MASKED;
            values.iter().filter(hidden).for_each(|value| known.add(value));
        }
        for (source, row) in plan.sources().iter().zip(&self.values.rows) {
            let Some(row) = row else { continue };
            secret_columns(source).for_each(|column| known.add(source.cell(*row, column)));
        }
        for hop in hops {
            add_named(&mut known, hop);
        }
        known
    }
}

/// A value as people are shown it; a list as an array.
fn shown(variable: Variable) -> String {
    match variable {
        Variable::Text(text) => text,
        Variable::List(items) => format!("{items:?}"),
    }
}

fn secret_columns(source: &DataSource) -> impl Iterator<Item = u32> {
    (0..).zip(source.columns()).filter(|(_, name)| is_secret(name)).map(|(column, _)| column)
}

/// What stands in a hop beside the name of a secret.
fn add_named(known: &mut KnownSecrets, hop: &Hop) {
    let answer = hop.answer.iter().flat_map(|answer| [(&answer.head, false), (&answer.body, true)]);
    let parts = [(&hop.request_head, false), (&hop.request_body, true)].into_iter().chain(answer);
    for (part, is_body) in parts {
        let text = String::from_utf8_lossy(&part.bytes);
        if is_body {
            known.add_named(&text);
            continue;
        }
        let mut lines = text.lines();
        known.add_named(lines.next().unwrap_or_default());
        lines.filter_map(|line| line.split_once(':')).for_each(|(name, value)| known.add_field(name, value));
    }
}

/// The first condition that is not met, or the first value that is missing.
fn words(findings: &[Finding], extracted: &[Extracted]) -> Option<String> {
    let unmet = findings.iter().find(|finding| !finding.is_met).map(|finding| finding.text.clone());
    let missing =
        || extracted.iter().find_map(|one| Some(format!("no ${{{}}}: {}", one.name, one.value.as_ref().err()?)));
    unmet.or_else(missing)
}
