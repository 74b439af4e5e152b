//! Converts a browser recording (HTTP Archive 1.2) to requests.

mod entries;
mod exchange;

use std::io::Read;

use super::correlate::{TokenCandidate, correlate};
use super::draft::{Draft, DraftRequest, Import, Notes, SizeBudget};
use super::secrets::SecretVariables;
use super::{Assets, Hosts, ImportOptions, SecretHandling};
use crate::error::{Error, Result};
use exchange::RecordedExchange;

/// Creates a scenario from a recording.
///
/// # Errors
/// Names the file, and line and column or the JSON path.
pub(super) fn import(file: &str, input: impl Read, scope: ImportOptions) -> Result<Import> {
    let mut notes = Notes::default();
    let mut recorded = entries::read(file, input, &mut notes)?;
    // Recorders write entries when they end; they are sorted by their start.
    recorded.sort_by(|a, b| a.started.total_cmp(&b.started));
    let mut kept = select(recorded, scope, &mut notes);
    let Some(first) = kept.first() else { return Err(Error::usage(file, "contains no request that can be imported")) };
    let host = first.origin.clone();
    let wait = think_time(&kept);
    let answers: Vec<Vec<TokenCandidate>> =
        kept.iter_mut().map(|entry| std::mem::take(&mut entry.response_tokens)).collect();
    // Secrets come last: a token from a response is a variable by then, not a secret of the file.
    let mut requests = Vec::with_capacity(kept.len());
    let mut room = SizeBudget::default();
    for entry in kept {
        let request = entry.request(&host, &mut notes)?;
        room.count(file, &request)?;
        requests.push(request);
    }
    match correlate(&mut requests, answers) {
        0 => {}
        count => notes.add(format!(
            "{count} values are now extracted from earlier responses (extract): check that they are the right ones"
        )),
    }
    hide_secrets(&mut requests, scope.secrets, &mut notes);
    Draft::new(host, requests, wait).finish(file, notes)
}

/// Leaves out what users of a scenario do not send: requests to other hosts, assets, and the hops of
/// redirects, which are followed automatically.
fn select(recorded: Vec<RecordedExchange>, scope: ImportOptions, notes: &mut Notes) -> Vec<RecordedExchange> {
    let page = recorded.iter().position(|entry| scope.assets == Assets::Keep || !entry.is_asset);
    let first = page.map(|at| recorded[at].origin.clone()).unwrap_or_default();
    let mut followed: Option<String> = None;
    let mut kept = Vec::new();
    for entry in recorded {
        if entry.is_asset && scope.assets == Assets::LeaveOut {
            notes.add("images, fonts, style sheets and scripts: left out (--assets keeps them)");
        } else if entry.origin != first && scope.hosts == Hosts::First {
            notes.add(format!("{}: left out, another host (--all-hosts keeps it)", entry.origin));
        } else if followed.take().is_some_and(|to| to == format!("{}{}", entry.origin, entry.target)) {
            notes.add("redirects: followed automatically, their hops are left out");
            followed = entry.redirect_target();
        } else {
            followed = entry.redirect_target();
            kept.push(entry);
        }
    }
    kept
}

/// Think time from the pauses between the pages of the recording; none if there is only one page.
fn think_time(entries: &[RecordedExchange]) -> Option<String> {
    let mut pauses: Vec<f64> = Vec::new();
    let mut end = 0.0_f64;
    for pair in entries.windows(2) {
        end = end.max(pair[0].started + pair[0].seconds);
        if pair[0].page.is_some() && pair[0].page != pair[1].page && pair[1].started > end {
            pauses.push(pair[1].started - end);
        }
    }
    pauses.sort_by(f64::total_cmp);
    let median = *pauses.get(pauses.len() / 2)?;
    // From half to one and a half times the median: people are not regular.
    let tenths = |seconds: f64| format!("{:.1}s", seconds.clamp(0.1, 600.0));
    Some(format!("{}..{}", tenths(median / 2.0), tenths(median * 1.5)))
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
    vault.note_kept_secrets(requests, notes);
}
