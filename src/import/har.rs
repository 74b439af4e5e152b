//! Converts a browser recording (HTTP Archive 1.2) to requests.

mod cookies;
mod entries;
mod exchange;
mod exclusion;
mod headers;
mod kind;
mod multipart;
mod pauses;
mod post;
mod redirects;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::correlate::{Answer, correlate};
use super::draft::{Draft, DraftRequest, Import, Notes, SizeBudget};
use super::secrets::SecretVariables;
use super::{Assets, Hosts, ImportOptions, Pauses, SecretHandling};
use crate::error::{Error, Result};
use exchange::RecordedExchange;
use exclusion::Exclusion;
use redirects::Redirects;

/// Creates a scenario from a recording.
///
/// # Errors
/// Names the file, and line and column or the JSON path.
pub(super) fn import(file: &str, input: impl Read, scope: ImportOptions) -> Result<Import> {
    let mut notes = Notes::default();
    let mut exchanges = entries::read(file, input, &mut notes)?;
    // Recorders write entries when they end; they are sorted by their start.
    exchanges.sort_by(|a, b| a.started.unwrap_or_default().total_cmp(&b.started.unwrap_or_default()));
    let redirects = Redirects::of(&exchanges);
    let home = Home::of(&exchanges, &redirects, scope);
    let exclusions: Vec<Option<Exclusion>> =
        (0..exchanges.len()).map(|at| exclusion(at, &exchanges, &redirects, &home, scope)).collect();
    if exclusions.iter().all(Option::is_some) {
        return Err(Error::usage(file, why_nothing(exclusions.iter().flatten())));
    }
    exclusions.iter().flatten().for_each(|exclusion| exclusion.note(&mut notes));
    cookies::note_unset(&exchanges, |at| exclusions[at].is_none() || redirects.is_hop(at), &mut notes);
    let pauses = pauses_before(&exchanges, &exclusions, scope, &mut notes);
    let wait = pauses::median(pauses.iter().flatten().copied()).map(pauses::think_time);
    let kept: Vec<usize> = (0..exchanges.len()).filter(|at| exclusions[*at].is_none()).collect();
    let answers = kept.iter().map(|at| answer(*at, &mut exchanges, &redirects)).collect();
    let mut requests = Vec::with_capacity(kept.len());
    let mut room = SizeBudget::default();
    let statuses: Vec<Option<u16>> = kept.iter().map(|at| exchanges[redirects.last(*at)].status).collect();
    let chosen = exchanges.into_iter().enumerate().filter(|(at, _)| exclusions[*at].is_none());
    for ((at, exchange), status) in chosen.zip(statuses) {
        let shown = format!("{} {}", exchange.method, exchange.target.split('?').next().unwrap_or_default());
        let mut request = request::draft(exchange, &home.host, status, &mut notes)?;
        request.pause = pauses[at].map(pauses::think_time);
        let hops = redirects.chain(at).count() - 1;
        if redirects.is_unfollowed(at) {
            notes.add(format!(
                "{shown}: its redirect was not followed in the recording, so it is not followed (\"redirects\": 0)"
            ));
            request.redirects = Some(0);
        } else if hops > USUAL_REDIRECTS {
            request.redirects = u16::try_from(hops).ok();
        }
        room.count(file, &request)?;
        requests.push(request);
    }
    // Secrets come last: a token from a response is a variable by then, not a secret of the file.
    let correlation = correlate(&mut requests, answers);
    hide_secrets(&mut requests, scope.secrets, &mut notes);
    correlation.note(&mut requests, &mut notes);
    Draft::new(home.host, requests, wait).finish(file, notes)
}

/// Redirects that a run follows without being told: the default of `--max-redirects`.
const USUAL_REDIRECTS: usize = 10;

/// The host of a recording.
struct Home {
    /// The origin where the redirects of the first page lead.
    host: String,
    /// The origins on the way there, and those of all hops: visitors enter by any of them.
    origins: BTreeSet<String>,
}

impl Home {
    /// The first page, or else the first request, decides.
    fn of(exchanges: &[RecordedExchange], redirects: &Redirects, scope: ImportOptions) -> Self {
        let is_candidate = |at: &usize| {
            let last = &exchanges[redirects.last(*at)];
            let is_asset = exchanges[*at].is_asset || last.is_asset;
            exchanges[*at].exclusion.is_none() && !redirects.is_hop(*at) && (scope.assets == Assets::Keep || !is_asset)
        };
        let mut candidates = (0..exchanges.len()).filter(is_candidate);
        let first = candidates.clone().find(|at| exchanges[*at].is_page).or_else(|| candidates.next());
        let Some(first) = first else { return Self { host: String::new(), origins: BTreeSet::new() } };
        let host = exchanges[redirects.last(first)].origin.clone();
        Self { host, origins: redirects.chain(first).map(|at| exchanges[at].origin.clone()).collect() }
    }
}

/// Why an exchange is left out: what users of a scenario do not send are requests to other hosts, assets, and the hops
/// of redirects, which are followed automatically.
fn exclusion(
    at: usize,
    exchanges: &[RecordedExchange],
    redirects: &Redirects,
    home: &Home,
    scope: ImportOptions,
) -> Option<Exclusion> {
    let exchange = &exchanges[at];
    if redirects.is_hop(at) {
        return Some(Exclusion::Hop);
    }
    let is_asset = exchange.is_asset || (exchanges[redirects.last(at)].is_asset && exchange.method == "GET");
    let is_left_out = is_asset && scope.assets == Assets::LeaveOut;
    match &exchange.exclusion {
        None | Some(Exclusion::Unanswered(..)) if is_left_out => return Some(Exclusion::Asset),
        Some(exclusion) => return Some(exclusion.clone()),
        None => {}
    }
    let is_other = scope.hosts == Hosts::First && !home.origins.contains(&exchange.origin);
    is_other.then(|| Exclusion::OtherHost(exchange.origin.clone()))
}

/// Why no request is left.
fn why_nothing<'e>(exclusions: impl Iterator<Item = &'e Exclusion>) -> String {
    /// Reasons that fit into a line.
    const MAX_REASONS: usize = 5;
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for exclusion in exclusions {
        *reasons.entry(exclusion.sentence()).or_default() += 1;
    }
    if reasons.is_empty() {
        return "contains no request: its list \"entries\" is empty".to_owned();
    }
    let more = if reasons.len() > MAX_REASONS { "; ..." } else { "" };
    let reasons = reasons.into_iter().take(MAX_REASONS);
    let reasons: Vec<String> =
        reasons.map(|(reason, count)| if count == 1 { reason } else { format!("{reason} ({count} times)") }).collect();
    format!("contains no request that can be imported: {}{more}", reasons.join("; "))
}

/// The think time before each exchange that is kept.
fn pauses_before(
    exchanges: &[RecordedExchange],
    exclusions: &[Option<Exclusion>],
    scope: ImportOptions,
    notes: &mut Notes,
) -> Vec<Option<f64>> {
    if scope.pauses == Pauses::LeaveOut {
        return vec![None; exchanges.len()];
    }
    let mut pauses = pauses::gaps(exchanges);
    // The gap before a page that is left out is one before what follows it.
    let mut carried = None;
    let mut is_first = true;
    for (at, pause) in pauses.iter_mut().enumerate() {
        let gap = pause.take();
        if exclusions[at].is_some() {
            carried = pauses::longer(carried, gap.filter(|_| exchanges[at].is_page));
            continue;
        }
        let gap = pauses::longer(gap, carried.take()).filter(|_| !is_first);
        is_first = false;
        if gap.is_some_and(|gap| gap > pauses::MAX_PAUSE) {
            notes.add(format!("pauses of more than {} seconds: shortened to that", pauses::MAX_PAUSE));
        }
        *pause = gap.map(|gap| gap.min(pauses::MAX_PAUSE));
    }
    pauses
}

/// The values that a user gets with the response to a request, after its redirects.
fn answer(first: usize, exchanges: &mut [RecordedExchange], redirects: &Redirects) -> Answer {
    let last = redirects.last(first);
    let mut values = std::mem::take(&mut exchanges[last].values.own);
    if last != first {
        values.append(&mut exchanges[last].values.url);
    }
    for at in redirects.chain(first) {
        values.append(&mut exchanges[at].values.cookies);
    }
    values
}

/// Removes secrets from headers, unless they are already variables.
fn hide_secrets(requests: &mut [DraftRequest], secrets: SecretHandling, notes: &mut Notes) {
    let mut vault = SecretVariables::new(secrets);
    for request in &mut *requests {
        for (name, value) in &mut request.headers {
            let is_variable = value.replace("$${", "").contains("${");
            if !is_variable {
                // It was escaped before; the vault escapes what it keeps.
                *value = vault.hide(name, &value.replace("$${", "${"), notes);
            }
        }
    }
    vault.note_kept_secrets(&*requests, notes);
}
