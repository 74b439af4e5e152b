//! Cookies of a recording: users have those that the server sets, and no others.

use std::collections::{BTreeSet, HashSet};

use super::super::draft::Notes;
use super::exchange::RecordedExchange;
use super::kind::field;

/// Adds a note on the cookies that requests sent and that no response before them had set: of a session that began before
/// the recording, or of a script. `is_sent` tells which exchanges a run makes.
pub(super) fn note_unset(exchanges: &[RecordedExchange], is_sent: impl Fn(usize) -> bool, notes: &mut Notes) {
    /// Names in the note.
    const MAX_NAMES: usize = 10;
    let mut known: HashSet<&str> = HashSet::new();
    let mut unset: BTreeSet<&str> = BTreeSet::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        if is_sent(at) {
            let sent = field(&exchange.headers, "cookie").unwrap_or_default().split(';');
            let names = sent.filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.trim());
            unset.extend(names.filter(|name| !known.contains(name)));
        }
        known.extend(exchange.cookies.iter().map(|(name, _)| name.as_str()));
    }
    if unset.is_empty() {
        return;
    }
    let more = if unset.len() > MAX_NAMES { ", ..." } else { "" };
    let named: Vec<&str> = unset.into_iter().take(MAX_NAMES).collect();
    notes.add(format!(
        "cookies that no response of the recording had set before they were sent, so that users do not have them: {}{more}",
        named.join(", ")
    ));
}
