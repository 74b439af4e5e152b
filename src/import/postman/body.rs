//! Bodies: `raw`, `urlencoded`, `formdata`, `graphql` and `file`.

use std::collections::BTreeSet;

use super::super::body::encoded;
use super::super::curl::why_not_a_file;
use super::super::document::{as_text, is_true, items, list, member, scalar, text};
use super::super::draft::{DraftBody, DraftContent, DraftPart, FileName, escape_template};
use super::text::{Piece, breaks_json, known, template};
use super::variables::{Place, Variables};
use crate::plan::json::{Duplicates, Json, RawJson};

/// A body, and the `Content-Type` that Postman sends with it by default.
#[derive(Debug, Default)]
pub(super) struct ConvertedBody {
    pub(super) body: DraftBody,
    /// `None` if the scenario's key implies it, or there is none.
    pub(super) content_type: Option<&'static str>,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Converts the `body` of a request; `own_type` is its `Content-Type` header.
pub(super) fn convert(
    body: &Json,
    own_type: Option<&str>,
    variables: &mut Variables,
    place: &mut Place<'_, '_>,
) -> ConvertedBody {
    if is_true(body, "disabled") {
        return ConvertedBody::default();
    }
    match text(body, "mode") {
        Some("raw") => raw(body, own_type, variables, place),
        Some("urlencoded") => urlencoded(body, own_type, variables, place),
        Some("formdata") => formdata(body, variables, place),
        Some("graphql") => graphql(body, variables, place),
        Some("file") => file(body, place),
        None => ConvertedBody::default(),
        Some(_) => {
            place.notes.lost(format!("{}: the mode of its body is not known, the body is left out", place.path));
            ConvertedBody::default()
        }
    }
}

fn raw(body: &Json, own_type: Option<&str>, variables: &mut Variables, place: &mut Place<'_, '_>) -> ConvertedBody {
    let written = match member(body, "raw") {
        Some(raw) => scalar(raw).unwrap_or_else(|| raw.to_string()),
        None => String::new(),
    };
    if written.is_empty() {
        return ConvertedBody::default();
    }
    let language =
        member(body, "options").and_then(|options| member(options, "raw")).and_then(|raw| text(raw, "language"));
    let default = match language {
        Some("json") => JSON,
        Some("xml") => "application/xml",
        Some("html") => "text/html",
        Some("javascript") => "application/javascript",
        _ => "text/plain",
    };
    let kind = own_type.unwrap_or(default).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if (kind == JSON || kind.ends_with("+json"))
        && let Some(json) = json(&written, variables, place)
    {
        return ConvertedBody { body: DraftBody::Json(json), content_type: None };
    }
    let pieces = variables.pieces(&written, place);
    ConvertedBody { body: DraftBody::Text(template(&pieces)), content_type: Some(default) }
}

/// The JSON of a text, with its variables; `None` if variables stand outside of strings, or would change the structure.
fn json(written: &str, variables: &mut Variables, place: &mut Place<'_, '_>) -> Option<Json> {
    let read = RawJson::parse(written.as_bytes()).ok()?.parse_tree(Duplicates::Rejected).ok()?;
    if breaks_json(&variables.pieces(written, place)) {
        return None;
    }
    Some(with_variables(&read, variables, place))
}

fn with_variables(value: &Json, variables: &mut Variables, place: &mut Place<'_, '_>) -> Json {
    match value {
        Json::Text(text) => Json::Text(template(&variables.pieces(text, place))),
        Json::List(items) => Json::List(items.iter().map(|item| with_variables(item, variables, place)).collect()),
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| {
                (template(&variables.pieces(name, place)), with_variables(value, variables, place))
            };
            Json::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn urlencoded(
    body: &Json,
    own_type: Option<&str>,
    variables: &mut Variables,
    place: &mut Place<'_, '_>,
) -> ConvertedBody {
    if let Some(text) = text(body, "urlencoded") {
        let pieces = variables.pieces(text, place);
        return ConvertedBody { body: DraftBody::Text(template(&pieces)), content_type: Some(FORM) };
    }
    let fields: Vec<(Vec<Piece>, Vec<Piece>)> = list(body, "urlencoded")
        .iter()
        .filter(|field| !is_true(field, "disabled"))
        .map(|field| {
            let value = member(field, "value").and_then(scalar).unwrap_or_default();
            (variables.pieces(text(field, "key").unwrap_or_default(), place), variables.pieces(&value, place))
        })
        .collect();
    if fields.is_empty() {
        return ConvertedBody::default();
    }
    let names: BTreeSet<String> = fields.iter().map(|(name, _)| template(name)).collect();
    let is_map = names.len() == fields.len() && !names.contains("");
    if is_map && own_type.is_none_or(|kind| kind.eq_ignore_ascii_case(FORM)) {
        let pairs = fields.iter().map(|(name, value)| (template(name), template(value))).collect();
        return ConvertedBody { body: DraftBody::Form(pairs), content_type: None };
    }
    let mut written: Vec<(String, String)> = Vec::new();
    for (name, value) in &fields {
        let (name, value) = (form_text(name, place), form_text(value, place));
        // Like Postman, all values of a name together.
        let after = written.iter().rposition(|(known, _)| *known == name).map_or(written.len(), |at| at + 1);
        written.insert(after, (name, value));
    }
    let written: Vec<String> = written.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    ConvertedBody { body: DraftBody::Text(written.join("&")), content_type: Some(FORM) }
}

/// The text in a form that is written as text, where the scenario encodes nothing.
fn form_text(pieces: &[Piece], place: &mut Place<'_, '_>) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => encoded(text),
        Piece::Known { value, is_secret: false, .. } => encoded(value),
        open => {
            let why = "a form with a repeated field: its variables are not encoded";
            place.notes.add(format!("{}: {why}", place.path));
            template(std::slice::from_ref(open))
        }
    };
    pieces.iter().map(text).collect()
}

fn formdata(body: &Json, variables: &mut Variables, place: &mut Place<'_, '_>) -> ConvertedBody {
    let mut parts = Vec::new();
    for field in list(body, "formdata").iter().filter(|field| !is_true(field, "disabled")) {
        let key = text(field, "key").unwrap_or_default();
        if key.is_empty() {
            place.notes.lost(format!("{}: a part of its form without a name is left out", place.path));
            continue;
        }
        let name = template(&variables.pieces(key, place));
        let content_type =
            text(field, "contentType").filter(|kind| !kind.is_empty() && !kind.contains(char::is_control));
        let content_type = content_type.map(|kind| template(&variables.pieces(kind, place)));
        let part = |content: DraftContent| DraftPart {
            name: name.clone(),
            content,
            filename: FileName::Own,
            content_type: content_type.clone(),
        };
        if text(field, "type") != Some("file") {
            let value = member(field, "value").and_then(scalar).unwrap_or_default();
            parts.push(part(DraftContent::Value(template(&variables.pieces(&value, place)))));
            continue;
        }
        for path in sources(field) {
            if let Some(path) = usable(&path, place) {
                parts.push(part(DraftContent::File(escape_template(&path))));
            }
        }
        if sources(field).is_empty() {
            place
                .notes
                .lost(format!("{}: the file of {key} in its form is not named, the part is left out", place.path));
        }
    }
    let body = if parts.is_empty() { DraftBody::None } else { DraftBody::Multipart(parts) };
    ConvertedBody { body, content_type: None }
}

/// The paths of a part: one, or a list.
fn sources(field: &Json) -> Vec<String> {
    let paths = match member(field, "src") {
        Some(Json::Text(path)) => vec![path.clone()],
        Some(list) => items(list).iter().filter_map(as_text).map(str::to_owned).collect(),
        None => Vec::new(),
    };
    paths.into_iter().filter(|path| !path.is_empty()).collect()
}

/// The path of a file, unless `run` could not read it.
fn usable(path: &str, place: &mut Place<'_, '_>) -> Option<String> {
    let why = why_not_a_file(path);
    if let Some(why) = why {
        place.notes.lost(format!("{}: a file in its body is left out: {why}", place.path));
    }
    why.is_none().then(|| path.to_owned())
}

fn graphql(body: &Json, variables: &mut Variables, place: &mut Place<'_, '_>) -> ConvertedBody {
    let Some(graphql) = member(body, "graphql") else { return ConvertedBody::default() };
    let mut members = Vec::new();
    if let Some(query) = text(graphql, "query") {
        members.push(("query".to_owned(), Json::Text(template(&variables.pieces(query, place)))));
    }
    if let Some(name) = text(graphql, "operationName").filter(|name| !name.is_empty()) {
        members.push(("operationName".to_owned(), Json::Text(template(&variables.pieces(name, place)))));
    }
    let written = match member(graphql, "variables") {
        Some(Json::Text(written)) if !written.trim().is_empty() => match known(&variables.pieces(written, place)) {
            // Written as JSON, perhaps with variables outside of strings.
            Some(whole) if json(written, variables, place).is_none() => whole,
            _ => written.clone(),
        },
        Some(value @ Json::Object(_)) => value.to_string(),
        _ => "{}".to_owned(),
    };
    match json(&written, variables, place) {
        Some(values) => members.push(("variables".to_owned(), values)),
        None => place
            .notes
            .lost(format!("{}: the variables of its GraphQL query are not JSON, they are left out", place.path)),
    }
    ConvertedBody { body: DraftBody::Json(Json::Object(members)), content_type: None }
}

fn file(body: &Json, place: &mut Place<'_, '_>) -> ConvertedBody {
    let Some(file) = member(body, "file") else { return ConvertedBody::default() };
    let path = as_text(file).or_else(|| text(file, "src"));
    let body = match (path, text(file, "content")) {
        (Some(path), _) => usable(path, place).map_or(DraftBody::None, |path| DraftBody::File(escape_template(&path))),
        (None, Some(content)) => DraftBody::Text(escape_template(content)),
        (None, None) => {
            place.notes.lost(format!("{}: the file of its body is not named, the body is left out", place.path));
            DraftBody::None
        }
    };
    let content_type = matches!(body, DraftBody::File(_)).then(|| type_of_file(path.unwrap_or_default()));
    ConvertedBody { body, content_type }
}

/// The type that Postman tells by the ending of a file's name.
fn type_of_file(path: &str) -> &'static str {
    const TYPES: [(&str, &str); 12] = [
        (".txt", "text/plain"),
        (".json", JSON),
        (".xml", "application/xml"),
        (".html", "text/html"),
        (".csv", "text/csv"),
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".gif", "image/gif"),
        (".svg", "image/svg+xml"),
        (".pdf", "application/pdf"),
        (".zip", "application/zip"),
    ];
    let path = path.to_ascii_lowercase();
    TYPES.iter().find(|(ending, _)| path.ends_with(ending)).map_or("application/octet-stream", |(_, kind)| kind)
}
