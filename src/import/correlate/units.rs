//! The parts of a request that can be a value on their own: segments of a path, fields of a query, form or JSON body, and
//! headers.

use super::super::draft::{DraftBody, DraftRequest};
use super::candidates::looks_like_id;
use super::naming;
use crate::plan::json::Json;

/// The place of a value in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// Name of the field; empty in a path.
    pub(super) name: String,
    /// What an identifier would be of here: the segment before it in a path, else what the name says.
    pub(super) stem: String,
    /// Whether the position or the name is that of an identifier.
    pub(super) is_id: bool,
    /// What the place is called in a note.
    pub(super) part: Part,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    #[default]
    Path,
    Query,
    Header,
    /// In the URL of another request.
    Referer,
    Body,
}

/// Returns the name of the variable that a value is replaced by, or `None` to keep it.
pub(super) type Choose<'c> = dyn FnMut(&Unit, &str) -> Option<String> + 'c;

/// Calls `choose` for each value in a fixed order, and replaces those for which it returns a variable.
pub(super) fn replace(request: &mut DraftRequest, choose: &mut Choose<'_>) {
    let resource = resource(&request.target);
    if let Some(target) = in_url(&request.target, [Part::Path, Part::Query], choose) {
        request.target = target;
    }
    for (name, value) in &mut request.headers {
        let changed = if name.eq_ignore_ascii_case("referer") {
            in_url(value, [Part::Referer; 2], choose)
        } else {
            choose(&named(name, value, &resource, Part::Header), value).as_deref().map(variable)
        };
        if let Some(changed) = changed {
            *value = changed;
        }
    }
    let is_form = request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with("application/x-www-form-urlencoded")
    });
    match &mut request.body {
        DraftBody::Json(json) => in_json(json, "", &resource, false, choose),
        DraftBody::Form(pairs) => {
            for (name, value) in pairs {
                if let Some(changed) = choose(&named(name, value, &resource, Part::Body), value) {
                    *value = variable(&changed);
                }
            }
        }
        DraftBody::Multipart(parts) => {
            for part in parts.iter_mut() {
                let unit = named(&part.name, part.value().unwrap_or_default(), &resource, Part::Body);
                if let Some(value) = part.value_mut()
                    && let Some(changed) = choose(&unit, value)
                {
                    *value = variable(&changed);
                }
            }
        }
        DraftBody::Text(text) if is_form => {
            if let Some(changed) = in_fields(text, &resource, Part::Body, choose) {
                *text = changed;
            }
        }
        DraftBody::None | DraftBody::Text(_) | DraftBody::File(_) => {}
    }
}

fn variable(name: &str) -> String {
    format!("${{{name}}}")
}

/// A field. A bare `id` is that of the thing that the path is about.
fn named(name: &str, value: &str, around: &str, part: Part) -> Unit {
    let stem = naming::stem(name);
    let is_id = naming::is_id(name, value);
    let stem = match (stem.is_empty(), is_id) {
        (true, true) => around.to_owned(),
        // `items` of a field is a number of items.
        (_, false) if naming::is_plural(name) => String::new(),
        _ => stem,
    };
    Unit { name: name.to_owned(), stem, is_id, part }
}

/// What the path is about: its last segment that is not an identifier.
fn resource(target: &str) -> String {
    let (_, rest) = target.split_at(path_begin(target));
    let path = rest.split('?').next().unwrap_or_default();
    let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty() && !looks_like_id(segment));
    segments.next().map(naming::stem).unwrap_or_default()
}

/// Where the path of a URL begins: the host must be known when the plan is made.
pub(super) fn path_begin(target: &str) -> usize {
    let authority = target.find("://").map_or(0, |at| at + 3);
    target[authority..].find('/').map_or(target.len(), |at| authority + at + 1)
}

/// The changed path and query of a URL; `None` if nothing changed.
fn in_url(target: &str, [of_path, of_query]: [Part; 2], choose: &mut Choose<'_>) -> Option<String> {
    let (kept, rest) = target.split_at(path_begin(target));
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut is_changed = false;
    let mut before = String::new();
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let is_id = segment.bytes().any(|byte| byte.is_ascii_digit());
        let unit = Unit { name: String::new(), stem: before.clone(), is_id, part: of_path };
        let chosen = choose(&unit, segment).as_deref().map(variable);
        is_changed |= chosen.is_some();
        if chosen.is_none() && !looks_like_id(segment) && !segment.contains("${") {
            before = naming::stem(segment);
        }
        segments.push(chosen.unwrap_or_else(|| segment.to_owned()));
    }
    let resource = before;
    let mut out = format!("{kept}{}", segments.join("/"));
    if let Some(query) = query {
        let changed = in_fields(query, &resource, of_query, choose);
        is_changed |= changed.is_some();
        out.push('?');
        out.push_str(changed.as_deref().unwrap_or(query));
    }
    is_changed.then_some(out)
}

/// The changed fields of a query or form; `None` if nothing changed.
fn in_fields(text: &str, resource: &str, part: Part, choose: &mut Choose<'_>) -> Option<String> {
    let mut is_changed = false;
    let mut fields = Vec::new();
    for field in text.split('&') {
        let changed = field.split_once('=').and_then(|(name, value)| {
            let chosen = choose(&named(name, value, resource, part), value)?;
            Some(format!("{name}={}", variable(&chosen)))
        });
        is_changed |= changed.is_some();
        fields.push(changed.unwrap_or_else(|| field.to_owned()));
    }
    is_changed.then(|| fields.join("&"))
}

/// Replaces leaves of a document; a number by a variable that is sent without quotes.
fn in_json(json: &mut Json, name: &str, around: &str, is_item: bool, choose: &mut Choose<'_>) {
    let mut unit = |value: &str| {
        let mut unit = named(name, value, around, Part::Body);
        if is_item && unit.stem.is_empty() {
            unit.stem = naming::stem(name);
        }
        choose(&unit, value)
    };
    match json {
        Json::Text(text) => {
            if let Some(changed) = unit(text) {
                *text = variable(&changed);
            }
        }
        Json::Number(_) => {
            if let Some(changed) = unit(&json.to_string()) {
                *json = Json::Text(format!("${{number({changed})}}"));
            }
        }
        Json::List(items) => items.iter_mut().for_each(|item| in_json(item, name, around, true, choose)),
        Json::Object(members) => {
            let stem = naming::stem(name);
            let around = if stem.is_empty() { around } else { &stem };
            for (member, value) in members {
                in_json(value, member, around, false, choose);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}
