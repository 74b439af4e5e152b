//! The body of an operation, by its media type.

use super::super::document::{member, members, text};
use super::super::draft::{DraftBody, DraftContent, DraftPart, FileName, Notes, escape_template};
use super::parameter::{Style, plain};
use super::reference::Document;
use super::sample::{Sampler, kind};
use crate::plan::json::Json;

/// A body, and its `Content-Type` unless the scenario's key implies it.
#[derive(Debug, Default)]
pub(super) struct OperationBody {
    pub(super) body: DraftBody,
    pub(super) content_type: Option<String>,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Converts a `requestBody`.
pub(super) fn convert(document: Document<'_>, operation: &Json, place: &str, notes: &mut Notes) -> OperationBody {
    let Some(request_body) = member(operation, "requestBody") else { return OperationBody::default() };
    let content = document.resolve(request_body).and_then(|body| member(body, "content")).map_or(&[][..], members);
    let Some((media_type, media)) = content.iter().min_by_key(|(name, _)| rank(name)) else {
        notes.lost(format!("{place}: its body has no content, it is left out"));
        return OperationBody::default();
    };
    let Some(media) = document.resolve(media) else {
        notes.lost(format!("{place}: its body is left out: its $ref leads nowhere, or out of the document"));
        return OperationBody::default();
    };
    if crate::value::header_name("Content-Type").is_err() || media_type.chars().any(char::is_control) {
        notes.lost(format!("{place}: its body is left out: its media type is not valid"));
        return OperationBody::default();
    }
    let mut sampler = Sampler::new(document);
    let converted = match plain_type(media_type).as_str() {
        kind if kind == JSON || kind.ends_with("+json") || kind == "*/*" || kind == "application/*" => {
            sampler.value(media).map(|value| OperationBody {
                body: DraftBody::Json(literal(value)),
                content_type: (!media_type.contains('*') && media_type != JSON).then(|| media_type.clone()),
            })
        }
        FORM => sampler.value(media).map(|value| form(&value)),
        "multipart/form-data" => sampler.value(media).map(|value| multipart(document, media, &value, place, notes)),
        _ => other(&mut sampler, document, media_type, media),
    };
    for problem in sampler.problems {
        notes.add(format!("{place}: its body: {problem}"));
    }
    converted.unwrap_or_else(|| {
        notes.lost(format!("{place}: its body of {media_type} has no example, it is left out"));
        OperationBody::default()
    })
}

/// The type without parameters, in lower case.
fn plain_type(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The order in which types are chosen.
fn rank(media_type: &str) -> u8 {
    match plain_type(media_type).as_str() {
        JSON => 0,
        kind if kind.ends_with("+json") => 1,
        FORM => 2,
        "multipart/form-data" => 3,
        kind if kind.starts_with("text/") => 4,
        "*/*" | "application/*" => 6,
        _ => 5,
    }
}

/// The value with all texts as template text.
pub(super) fn literal(value: Json) -> Json {
    match value {
        Json::Text(text) => Json::Text(escape_template(&text)),
        Json::List(items) => Json::List(items.into_iter().map(literal).collect()),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(name, value)| (escape_template(&name), literal(value))).collect())
        }
        other => other,
    }
}

fn form(value: &Json) -> OperationBody {
    let fields = members(value);
    let is_map = fields.iter().all(|(name, value)| !name.is_empty() && !matches!(value, Json::List(_) | Json::Null));
    if is_map && !fields.is_empty() {
        let pairs = fields.iter().map(|(name, value)| (escape_template(name), escape_template(&plain(value))));
        return OperationBody { body: DraftBody::Form(pairs.collect()), content_type: None };
    }
    let written = match value {
        Json::Text(text) => escape_template(text),
        _ => fields.iter().flat_map(|(name, value)| Style::of_form(name).in_query(value)).collect::<Vec<_>>().join("&"),
    };
    OperationBody { body: DraftBody::Text(written), content_type: Some(FORM.to_owned()) }
}

fn multipart(document: Document<'_>, media: &Json, value: &Json, place: &str, notes: &mut Notes) -> OperationBody {
    let schema = member(media, "schema").and_then(|schema| document.resolve(schema));
    let mut parts = Vec::new();
    for (name, value) in members(value).iter().filter(|(name, _)| !name.is_empty()) {
        let property =
            schema.and_then(|schema| member(member(schema, "properties")?, name)).and_then(|one| document.resolve(one));
        let item = property
            .and_then(|property| member(property, "items"))
            .and_then(|item| document.resolve(item))
            .or(property);
        let is_file = item.is_some_and(|item| {
            matches!(text(item, "format"), Some("binary")) || member(item, "contentMediaType").is_some()
        });
        let encoding = member(media, "encoding").and_then(|all| member(all, name));
        let given =
            encoding.and_then(|encoding| text(encoding, "contentType")).and_then(|types| types.split(',').next());
        let given = given
            .map(str::trim)
            .filter(|kind| !kind.is_empty() && !kind.contains(['*', '$']) && !kind.contains(char::is_control));
        if is_file {
            notes.add(format!(
                "{place}: part {}: a short text is sent as the file; put a \"file\" there",
                super::server::shown(name)
            ));
        }
        let all = if let Json::List(items) = value { items.as_slice() } else { std::slice::from_ref(value) };
        for one in all {
            let is_json = matches!(one, Json::Object(_) | Json::List(_));
            parts.push(DraftPart {
                name: escape_template(name),
                content: DraftContent::Value(escape_template(&plain(one))),
                filename: if is_file { FileName::Given("file".to_owned()) } else { FileName::Own },
                content_type: given.or(is_json.then_some(JSON)).map(str::to_owned),
            });
        }
    }
    if parts.is_empty() {
        return OperationBody::default();
    }
    OperationBody { body: DraftBody::Multipart(parts), content_type: None }
}

/// Text, XML and whatever else: only as an example has it, or as any text.
fn other<'j>(
    sampler: &mut Sampler<'j>,
    document: Document<'j>,
    media_type: &str,
    media: &'j Json,
) -> Option<OperationBody> {
    let schema = member(media, "schema").and_then(|schema| document.resolve(schema));
    let is_text =
        schema.is_none_or(|schema| kind(schema) == Some("string") && text(schema, "format") != Some("binary"));
    let value = if is_text { sampler.value(media) } else { sampler.written(media) }?;
    let Json::Text(value) = value else { return None };
    Some(OperationBody { body: DraftBody::Text(escape_template(&value)), content_type: Some(media_type.to_owned()) })
}
