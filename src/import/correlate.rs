//! Finds values that a response contained and a later request sent: they should be extracted rather than
//! repeated, as a server gives others to each user.

mod candidates;
mod left;
mod naming;
mod needle;
mod units;
mod variables;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::draft::{DraftRequest, Notes};
use candidates::ValueCandidate;
pub(super) use candidates::{Answer, Collector, ValueBudget, looks_like_id};
use naming::Rarity;
use needle::Needle;
use units::Unit;
use variables::VariableNames;

/// Maximum number of texts examined; a recording with more contains data, not tokens.
const MAX_TEXTS: usize = 20_000;

/// Maximum number of places of a text: the first ones decide, and a common number is in every response.
const MAX_PLACES: usize = 64;

/// Maximum number of extracted values: a draft with more would not be reviewed by its user.
const MAX_VALUES: usize = 1_000;

/// The result of [`correlate`].
#[derive(Debug)]
pub(super) struct Correlation {
    /// Number of values that are extracted.
    pub(super) extracted: usize,
    /// Identifiers of responses that are not common values.
    known: HashSet<String>,
}

impl Correlation {
    /// Adds notes on the values that are extracted, and on those that look like identifiers and stay.
    pub(super) fn note(&self, requests: &mut [DraftRequest], notes: &mut Notes) {
        match self.extracted {
            0 => {}
            count => notes.add(format!(
                "{count} values are now extracted from earlier responses (extract): check that they are the right ones"
            )),
        }
        left::note(requests, &self.known, notes);
    }
}

/// Replaces values from earlier responses by variables.
///
/// `answers` are the values of the responses, in the order of the requests.
pub(super) fn correlate(requests: &mut [DraftRequest], answers: Vec<Answer>) -> Correlation {
    let mut known: BTreeMap<String, Vec<(usize, ValueCandidate)>> = BTreeMap::new();
    for (index, values) in answers.into_iter().enumerate() {
        for value in values {
            if known.len() == MAX_TEXTS && !known.contains_key(&value.text) {
                continue;
            }
            let places = known.entry(value.text.clone()).or_default();
            if places.len() < MAX_PLACES {
                places.push((index, value));
            }
        }
    }
    let is_known = |text: &&String| naming::rarity(text) > Some(Rarity::Common);
    let ids = known.iter().filter(|(_, places)| places.iter().any(|(_, value)| value.is_id));
    let ids = ids.map(|(text, _)| text).filter(is_known).cloned().collect();
    let (rare, others): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|(text, _)| naming::rarity(text) == Some(Rarity::Rare));
    let mut names = VariableNames::default();
    replace_rare(requests, rare, &mut names);
    replace_others(requests, others.into_iter().collect(), &mut names);
    requests.iter_mut().for_each(rename);
    Correlation { extracted: names.used.len(), known: ids }
}

/// Replaces rare values wherever they occur.
fn replace_rare(
    requests: &mut [DraftRequest],
    values: Vec<(String, Vec<(usize, ValueCandidate)>)>,
    names: &mut VariableNames,
) {
    let mut found: Vec<(usize, ValueCandidate, Needle)> = values
        .into_iter()
        .filter_map(|(text, mut candidates)| {
            let first = candidates.first()?.0;
            candidates.retain(|(index, _)| *index == first);
            let (index, value) = candidates.into_iter().min_by_key(|(_, value)| preference(value))?;
            Some((index, value, Needle::new(text)))
        })
        .collect();
    // Longest first: a token may be part of another.
    found.sort_by(|a, b| b.2.text.len().cmp(&a.2.text.len()).then_with(|| (a.0, &a.1.source).cmp(&(b.0, &b.1.source))));
    let mut places = needle::find_requests(requests, found.iter().map(|(_, _, needle)| needle));
    for (place, number) in numbers(requests, &found) {
        places[number].insert(place);
    }
    for ((index, value, needle), places) in found.into_iter().zip(places) {
        // A longer token may have replaced it in the meantime.
        let is_number = needle.text.bytes().all(|byte| byte.is_ascii_digit());
        let is_in = |place: usize, requests: &mut [DraftRequest]| {
            needle.is_in(&requests[place]) || (is_number && has_unit(&mut requests[place], &needle.text))
        };
        let places: Vec<usize> = places.into_iter().filter(|place| is_in(*place, requests)).collect();
        // A value that the client sent before it appeared in a response does not come from the server.
        if places.first().is_none_or(|first| *first <= index) || names.used.len() >= MAX_VALUES {
            continue;
        }
        let name = names.allocate(&value);
        for place in places {
            if is_number {
                units::replace(&mut requests[place], &mut |_, text| (text == needle.text).then(|| name.clone()));
            }
            needle.replace_in(&mut requests[place], &name);
        }
        requests[index].extract.push((name, value.source));
    }
}

/// Which of several places of a value in a response is taken: one that is an identifier, by the shortest pointer.
fn preference(value: &ValueCandidate) -> (bool, usize) {
    (!value.is_id, value.source.length())
}

/// The requests that have one of the values as a number of a JSON body, with the value's index.
fn numbers(requests: &mut [DraftRequest], found: &[(usize, ValueCandidate, Needle)]) -> Vec<(usize, usize)> {
    let by_text: HashMap<&str, usize> =
        found.iter().enumerate().map(|(number, (_, _, needle))| (needle.text.as_str(), number)).collect();
    let mut places = Vec::new();
    for (place, request) in requests.iter_mut().enumerate() {
        units::replace(request, &mut |_, text| {
            places.extend(by_text.get(text).map(|number| (place, *number)));
            None
        });
    }
    places
}

fn has_unit(request: &mut DraftRequest, value: &str) -> bool {
    let mut found = false;
    units::replace(request, &mut |_, text| {
        found |= text == value;
        None
    });
    found
}

/// A place of a request that has one of the values.
struct Use {
    request: usize,
    /// Its number among the places of the request.
    number: usize,
    unit: Unit,
}

/// Replaces values that are not rare where they are whole, and where both names say that they are the same.
fn replace_others(
    requests: &mut [DraftRequest],
    values: BTreeMap<String, Vec<(usize, ValueCandidate)>>,
    names: &mut VariableNames,
) {
    let mut uses: HashMap<String, Vec<Use>> = HashMap::new();
    for (request, draft) in requests.iter_mut().enumerate() {
        let mut number = 0;
        units::replace(draft, &mut |unit, text| {
            if values.contains_key(text) {
                let found = Use { request, number, unit: unit.clone() };
                uses.entry(text.to_owned()).or_default().push(found);
            }
            number += 1;
            None
        });
    }
    let mut chosen: HashMap<(usize, usize), String> = HashMap::new();
    for (text, candidates) in values {
        let Some(mut uses) = uses.remove(&text) else { continue };
        let Some(rarity) = naming::rarity(&text) else { continue };
        for (index, group) in by_response(candidates) {
            let Some((value, taken)) = choose(&group, index, &uses, rarity) else { continue };
            if names.used.len() >= MAX_VALUES {
                return;
            }
            let name = names.allocate(value);
            for at in taken.into_iter().rev() {
                let found = uses.remove(at);
                chosen.insert((found.request, found.number), name.clone());
            }
            requests[index].extract.push((name, value.source.clone()));
        }
    }
    for (request, draft) in requests.iter_mut().enumerate() {
        let mut number = 0;
        units::replace(draft, &mut |_, _| {
            number += 1;
            chosen.remove(&(request, number - 1))
        });
    }
}

/// The places of a value, by response.
fn by_response(candidates: Vec<(usize, ValueCandidate)>) -> BTreeMap<usize, Vec<ValueCandidate>> {
    let mut groups: BTreeMap<usize, Vec<ValueCandidate>> = BTreeMap::new();
    for (index, value) in candidates {
        groups.entry(index).or_default().push(value);
    }
    groups
}

/// The place of a value in the response `index` that is its alone, and which of the uses are of it.
fn choose<'v>(
    group: &'v [ValueCandidate],
    index: usize,
    uses: &[Use],
    rarity: Rarity,
) -> Option<(&'v ValueCandidate, Vec<usize>)> {
    for agreement in [Agreement::Same, Agreement::Possible] {
        let of = |value: &ValueCandidate| -> Vec<usize> {
            (0..uses.len()).filter(|at| Agreement::of(value, &uses[*at].unit, rarity) >= Some(agreement)).collect()
        };
        let mut fitting: Vec<(&ValueCandidate, Vec<usize>)> =
            group.iter().map(|value| (value, of(value))).filter(|(_, uses)| !uses.is_empty()).collect();
        fitting.sort_by_key(|(value, _)| value.source.length());
        let Some((first, taken)) = fitting.first() else { continue };
        // Two that are about different things have the same value by coincidence: which one is meant is unknown.
        let is_alone = fitting.iter().all(|(other, _)| other.stems == first.stems);
        // A value that the client sent before does not come from this response.
        let is_new = taken.iter().all(|at| uses[*at].request > index);
        return (is_alone && is_new).then(|| (*first, taken.clone()));
    }
    None
}

/// How far the names of a value in a response and in a request agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    /// Both have the position or name of an identifier.
    Possible,
    /// Both identify the same kind of thing.
    Same,
}

impl Agreement {
    fn of(value: &ValueCandidate, unit: &Unit, rarity: Rarity) -> Option<Self> {
        let is_same_name = naming::is_same_name(&value.name, &unit.name) && !naming::stem(&value.name).is_empty();
        let is_same_kind = value.stems.iter().any(|stem| naming::is_same_stem(stem, &unit.stem));
        if value.is_id && (is_same_name || is_same_kind) {
            return Some(Self::Same);
        }
        (rarity >= Rarity::Short && value.is_id && unit.is_id).then_some(Self::Possible)
    }
}

/// Names a request by its path with `:id` where a variable is now, so that an endpoint has one name.
fn rename(request: &mut DraftRequest) {
    let begin = request.target.find("://").map_or(0, |_| units::path_begin(&request.target).saturating_sub(1));
    let path = request.target[begin..].split('?').next().unwrap_or_default();
    let current = request.name.as_deref().unwrap_or(path);
    let literal = |segment: &str| segment.replace("$${", "");
    let segments = path.split('/').zip(current.split('/'));
    let segments: Vec<&str> =
        segments.map(|(new, old)| if literal(new).contains("${") { ":id" } else { old }).collect();
    let name = segments.join("/");
    if request.name.is_some() || name != path {
        request.name = Some(name);
    }
}
