//! Tells how many values look like identifiers and are sent as recorded.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::draft::{DraftRequest, Notes};
use super::candidates::looks_like_id;
use super::naming::{self, Rarity};
use super::units::{self, Part, Unit};

/// Places named in the note.
const MAX_PLACES: usize = 5;

/// Adds a note on the values that look like identifiers and come from no response, so that a user looks at them. The
/// values themselves may be secret.
pub(super) fn note(requests: &mut [DraftRequest], known: &HashSet<String>, notes: &mut Notes) {
    let mut values: BTreeSet<String> = BTreeSet::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, request) in requests.iter_mut().enumerate() {
        let endpoint = request.name.as_deref().unwrap_or(&request.target).split('?').next().unwrap_or_default();
        let endpoint = format!("{} {endpoint}", request.method);
        units::replace(request, &mut |unit, text| {
            if is_left(unit, text, known) && values.insert(text.to_owned()) {
                places.entry(place(&endpoint, unit)).or_insert(index);
            }
            None
        });
    }
    if values.is_empty() {
        return;
    }
    let count = match values.len() {
        1 => "1 value that looks like an identifier stays".to_owned(),
        count => format!("{count} values that look like identifiers stay"),
    };
    let mut named: Vec<(usize, String)> = places.into_iter().map(|(place, index)| (index, place)).collect();
    named.sort();
    let more = if named.len() > MAX_PLACES { ", ..." } else { "" };
    let named: Vec<String> = named.into_iter().take(MAX_PLACES).map(|(_, place)| place).collect();
    notes.add(format!(
        "{count} as recorded, because no earlier response of the recording clearly has it: {}{more}",
        named.join(", ")
    ));
}

fn place(endpoint: &str, unit: &Unit) -> String {
    match unit.part {
        Part::Path => format!("{endpoint} (path)"),
        Part::Query => format!("{endpoint} ({} in the query)", unit.name),
        Part::Header | Part::Referer => format!("{endpoint} (header {})", unit.name),
        Part::Body => format!("{endpoint} ({} in the body)", unit.name),
    }
}

/// `known` are identifiers of responses, which look like one wherever they stand.
fn is_left(unit: &Unit, text: &str, known: &HashSet<String>) -> bool {
    if text.contains("${") || naming::rarity(text).is_none() {
        return false;
    }
    if known.contains(text) && unit.part != Part::Referer {
        return true;
    }
    match unit.part {
        Part::Path => looks_like_id(text),
        Part::Referer => false,
        Part::Header => unit.is_id && naming::rarity(text) == Some(Rarity::Rare),
        Part::Query | Part::Body => unit.is_id,
    }
}
