//! An item of a collection: its request, and what its scripts do before and after it.

use std::collections::BTreeMap;

use super::super::document::{as_text, is_true, items, member, members, scalar, text};
use super::super::draft::{DraftBody, DraftRequest, DraftStep, escape_template};
use super::super::extraction::ValueSource;
use super::super::fields;
use super::auth::{Credential, basic, credential, secret};
use super::body::{self, ConvertedBody};
use super::script::{Assigned, Effect};
use super::text::{known, template};
use super::url::{self, Address};
use super::variables::{Place, Variables};
use crate::plan::json::Json;
use crate::value;

/// An item with what it inherits.
#[derive(Debug)]
pub(super) struct Item<'j> {
    pub(super) name: String,
    /// The names of its folders and its own.
    pub(super) path: String,
    /// The collection, its folders, the item.
    pub(super) chain: Vec<&'j Json>,
    pub(super) before: Vec<Effect>,
    pub(super) after: Vec<Effect>,
}

/// A converted item.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) origin: String,
    pub(super) before: Option<DraftStep>,
    pub(super) request: DraftRequest,
    pub(super) after: Option<DraftStep>,
}

const CONTENT_TYPE: &str = "Content-Type";

/// Converts an item; `None`, with a note, if a scenario cannot have its request.
pub(super) fn convert(item: &Item<'_>, variables: &mut Variables, place: &mut Place<'_, '_>) -> Option<Converted> {
    let request = item.chain.last().and_then(|node| member(node, "request"))?;
    let method = text(request, "method").filter(|method| !method.is_empty()).unwrap_or("GET");
    let method = match value::method(&method.to_ascii_uppercase()) {
        Ok(method) => method,
        Err(why) => return lost(&format!("its method {why}"), place),
    };
    // What scripts set before the request is used by it.
    let before = assignments(&item.before, variables, place);
    let credential = credential(&item.chain, variables, place);
    let more = match &credential {
        Credential::Query(name, value) if !name.is_empty() => {
            vec![(name.clone(), Some(variables.hidden(name, value, place)))]
        }
        _ => Vec::new(),
    };
    let address = member(request, "url").unwrap_or(request);
    let Address { origin, target, userinfo } = match url::convert(address, more, variables, place) {
        Ok(address) => address,
        Err(why) => return lost(&why, place),
    };
    let credential = match (userinfo, credential) {
        (Some(userinfo), Credential::None) => {
            let (name, password) = userinfo.split_once(':').unwrap_or((&userinfo, ""));
            basic(name, password, variables, place)
        }
        (_, credential) => credential,
    };
    let mut headers = headers(request, variables, place);
    if let Credential::Header(name, value) = credential {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        add_header(&mut headers, name, value, place);
    }
    let behavior = Behavior::of(&item.chain, place);
    let body = converted_body(request, &method, &behavior, &mut headers, variables, place);
    if matches!(body, DraftBody::Json(_)) && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        // With `json` a scenario would ask for JSON.
        headers.push(("Accept".to_owned(), "*/*".to_owned()));
    }
    let draft = DraftRequest {
        method,
        target,
        name: (!item.name.is_empty()).then(|| item.name.clone()),
        headers,
        body,
        redirects: behavior.redirects,
        expect: expectations(&item.after),
        extract: extractions(&item.after, variables, place),
        ..DraftRequest::default()
    };
    let after = assignments(&item.after, variables, place);
    Some(Converted { origin, before, request: draft, after })
}

fn lost<T>(why: &str, place: &mut Place<'_, '_>) -> Option<T> {
    place.notes.lost(format!("{}: left out: {why}", place.path));
    None
}

/// The header fields, with unique names.
fn headers(request: &Json, variables: &mut Variables, place: &mut Place<'_, '_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let fields: Vec<(String, String)> = match member(request, "header") {
        Some(Json::Text(lines)) => {
            let pairs = lines.lines().filter_map(|line| line.split_once(':'));
            pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
        }
        Some(Json::Object(map)) => {
            map.iter().map(|(name, value)| (name.clone(), scalar(value).unwrap_or_default())).collect()
        }
        Some(list) => {
            let on = items(list).iter().filter(|field| !is_true(field, "disabled"));
            let of_line = |line: &str| {
                line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            };
            let of_object = |field: &Json| {
                let value = member(field, "value").and_then(scalar).unwrap_or_default();
                text(field, "key").map(|name| (name.to_owned(), value))
            };
            let pair = |field: &Json| as_text(field).map_or_else(|| of_object(field), of_line);
            on.filter_map(pair).collect()
        }
        None => Vec::new(),
    };
    for (name, value) in fields.into_iter().filter(|(name, _)| !name.trim().is_empty()) {
        let name = known(&variables.pieces(name.trim(), place)).unwrap_or(name);
        let is_computed =
            ["content-length", "connection", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if is_computed {
            place.notes.add(format!("{}: header {name}: left out, swarmline sets it", place.path));
            continue;
        }
        let pieces = variables.pieces(value.trim(), place);
        let value = secret(&name, &pieces, place);
        add_header(&mut all, name, value, place);
    }
    let Place { notes, path, .. } = place;
    fields::joined(all, |name| {
        notes.lost(format!("{path}: header {name}: is given several times; the values are sent in one field"));
    })
}

/// Adds a field, if HTTP allows it.
fn add_header(all: &mut Vec<(String, String)>, name: String, value: String, place: &mut Place<'_, '_>) {
    if value::header_name(&name).is_err() || value.chars().any(|c| c.is_control() && c != '\t') {
        place.notes.lost(format!("{}: a header with an invalid name or value is left out", place.path));
        return;
    }
    all.push((name, value));
}

/// The body, and its `Content-Type` among the headers.
fn converted_body(
    request: &Json,
    method: &str,
    behavior: &Behavior,
    headers: &mut Vec<(String, String)>,
    variables: &mut Variables,
    place: &mut Place<'_, '_>,
) -> DraftBody {
    let Some(body) = member(request, "body") else { return DraftBody::None };
    if matches!(method, "GET" | "HEAD" | "COPY" | "PURGE" | "UNLOCK") && !behavior.keeps_body {
        if !members(body).is_empty() && member(body, "mode").is_some() && !is_true(body, "disabled") {
            place.notes.add(format!("{}: its body is left out, as Postman sends none with {method}", place.path));
        }
        return DraftBody::None;
    }
    let is_type = |name: &str| name.eq_ignore_ascii_case(CONTENT_TYPE);
    let own = headers.iter().find(|(name, _)| is_type(name)).map(|(_, value)| value.clone());
    let ConvertedBody { body, content_type } = body::convert(body, own.as_deref(), variables, place);
    match (&body, own) {
        (DraftBody::Multipart(_), Some(own)) => {
            headers.retain(|(name, _)| !is_type(name));
            if !own.to_ascii_lowercase().starts_with("multipart/form-data") {
                place.notes.lost(format!(
                    "{}: its Content-Type is replaced by that of the form, with its boundary",
                    place.path
                ));
            }
        }
        // The key in the scenario implies them.
        (DraftBody::Json(_), Some(own)) if own.eq_ignore_ascii_case("application/json") => {
            headers.retain(|(name, _)| !is_type(name));
        }
        (DraftBody::Form(_), Some(_)) => headers.retain(|(name, _)| !is_type(name)),
        (_, None) => headers.extend(content_type.map(|kind| (CONTENT_TYPE.to_owned(), kind.to_owned()))),
        _ => {}
    }
    body
}

/// How the collection wants its requests to be sent (`protocolProfileBehavior`).
#[derive(Debug, Default)]
struct Behavior {
    redirects: Option<u16>,
    keeps_body: bool,
}

impl Behavior {
    fn of(chain: &[&Json], place: &mut Place<'_, '_>) -> Self {
        let mut behavior = Self::default();
        let settings = chain.iter().filter_map(|node| member(node, "protocolProfileBehavior"));
        for (name, value) in settings.flat_map(members) {
            match (name.as_str(), value) {
                ("followRedirects", Json::Bool(true)) if behavior.redirects == Some(0) => behavior.redirects = None,
                ("followRedirects", Json::Bool(false)) => behavior.redirects = Some(0),
                ("maxRedirects", Json::Number(count)) if behavior.redirects != Some(0) => {
                    behavior.redirects = count.as_u64().map(|count| u16::try_from(count).unwrap_or(1000).min(1000));
                }
                ("disableBodyPruning", Json::Bool(keeps)) => behavior.keeps_body = *keeps,
                ("strictSSL", Json::Bool(false)) => {
                    place.notes.lost(format!("{}: strictSSL off: left out, pass -k to swarmline run", place.path));
                }
                ("followRedirects" | "strictSSL" | "requestTimeout", _) | (_, Json::Bool(false) | Json::Null) => {}
                (_, Json::List(items)) if items.is_empty() => {}
                (_, Json::Object(items)) if items.is_empty() => {}
                (name, _) => {
                    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
                    place.notes.lost(format!("{}: {name} of protocolProfileBehavior: left out", place.path));
                }
            }
        }
        behavior
    }
}

/// The expectations of its tests; of several on one thing the last, which is the item's own.
fn expectations(effects: &[Effect]) -> Vec<(&'static str, Json)> {
    let mut expect: BTreeMap<&'static str, Json> = BTreeMap::new();
    for effect in effects {
        match effect {
            Effect::Status(status) => drop(expect.insert("status", status.clone())),
            Effect::Within(milliseconds) => drop(expect.insert("within", Json::Text(format!("{milliseconds}ms")))),
            Effect::HeaderExists(name) => {
                let exists = Json::Object(vec![("exists".to_owned(), Json::Bool(true))]);
                let header = expect.entry("header").or_insert_with(|| Json::Object(Vec::new()));
                if let Json::Object(fields) = header
                    && !fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
                {
                    fields.push((name.clone(), exists));
                }
            }
            Effect::BodyContains(text) => {
                let texts = expect.entry("body_contains").or_insert_with(|| Json::List(Vec::new()));
                let text = Json::Text(escape_template(text));
                if let Json::List(items) = texts
                    && !items.contains(&text)
                {
                    items.push(text);
                }
            }
            Effect::Set(..) | Effect::Unset(_) => {}
        }
    }
    expect.into_iter().collect()
}

/// The variables that are taken out of the response; of several values for one the last.
fn extractions(effects: &[Effect], variables: &Variables, place: &mut Place<'_, '_>) -> Vec<(String, ValueSource)> {
    let mut found: Vec<(String, ValueSource)> = Vec::new();
    for effect in effects {
        let Effect::Set(key, scope, Assigned::Extracted(source)) = effect else { continue };
        if variables.is_hidden(key, *scope) {
            place
                .notes
                .add(format!("{}: {key}: set by a script without effect, another scope's value wins", place.path));
            continue;
        }
        let Some(name) = variables.of_user(key) else { continue };
        if let ValueSource::Header(header) = source
            && value::header_name(header).is_err()
        {
            place.notes.lost(format!("{}: {key}: its header is not valid, it is not set", place.path));
            continue;
        }
        found.retain(|(known, _)| known != name);
        found.push((name.to_owned(), source.clone()));
    }
    found
}

/// The variables that are set to a text or unset.
fn assignments(effects: &[Effect], variables: &mut Variables, place: &mut Place<'_, '_>) -> Option<DraftStep> {
    let mut values = BTreeMap::new();
    for effect in effects {
        let (key, value) = match effect {
            Effect::Set(key, scope, _) if variables.is_hidden(key, *scope) => continue,
            Effect::Set(key, _, Assigned::Text(text)) => (key, Some(template(&variables.pieces(text, place)))),
            Effect::Set(key, _, Assigned::Template(expression)) => (key, Some((*expression).to_owned())),
            Effect::Unset(key) => (key, None),
            _ => continue,
        };
        if let Some(name) = variables.of_user(key) {
            values.insert(name.to_owned(), value);
        }
    }
    (!values.is_empty()).then_some(DraftStep::Set(values))
}
