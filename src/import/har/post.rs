//! The body of a recorded request.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::super::body;
use super::super::draft::{DraftBody, DraftContent, DraftPart, FileName, Notes, escape_template};
use super::kind::{Fields, field};
use super::multipart::{self, RecordedPart};

/// The body of a recorded request.
#[derive(Debug, PartialEq)]
pub(super) enum RecordedBody {
    None,
    Text(String),
    /// Fields of a form, decoded.
    Fields(Vec<(String, String)>),
    /// Lines of a form, of `text/plain`.
    Lines(Vec<(String, String)>),
    Parts(Vec<RecordedPart>),
    /// Text of which the recorder lost some: what it has, and how many bytes were sent if that is known.
    Torn(String, Option<u64>),
    /// There was one; why it cannot be sent.
    Unknown(&'static str),
}

/// Reads the body of `request`, which was sent with these header fields.
pub(super) fn read(request: &Value, content_type: &str, headers: &Fields) -> RecordedBody {
    let data = &request["postData"];
    let announced = field(headers, "content-length").and_then(|length| length.parse::<u64>().ok());
    let text = match data["text"].as_str() {
        Some(text) if data["encoding"] == "base64" => match BASE64_STANDARD.decode(text).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            _ => return RecordedBody::Unknown("is not text; save it to a file and name it in \"body_file\""),
        },
        Some(text) => as_sent(text, announced),
        None => String::new(),
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = data["params"].as_array().filter(|list| !list.is_empty());
    let is_torn = text.contains('\u{fffd}') || announced.is_some_and(|length| length != text.len() as u64);
    if media_type == "multipart/form-data" {
        let parts = multipart::parse(content_type, &text, is_torn);
        if let Some(parts) = parts.or_else(|| parameters.map(|list| list.iter().map(part).collect())) {
            return RecordedBody::Parts(parts);
        }
    }
    if text.is_empty()
        && let Some(list) = parameters
    {
        let plain = |item: &Value| (plain_text(&item["name"]), plain_text(&item["value"]));
        return match &*media_type {
            _ if list.iter().any(|item| item["fileName"].is_string()) => {
                RecordedBody::Parts(list.iter().map(part).collect())
            }
            "text/plain" => RecordedBody::Lines(list.iter().map(plain).collect()),
            _ => RecordedBody::Fields(list.iter().map(plain).collect()),
        };
    }
    if !text.is_empty() {
        return if is_torn { RecordedBody::Torn(text, announced) } else { RecordedBody::Text(text) };
    }
    let had_body = announced.or_else(|| request["bodySize"].as_u64()).is_some_and(|length| length > 0);
    if had_body { RecordedBody::Unknown("is not in the recording") } else { RecordedBody::None }
}

/// A body that some recorders write byte by byte, as Latin-1, although it is UTF-8: the length announced tells them apart.
fn as_sent(text: &str, announced: Option<u64>) -> String {
    let is_by_byte = announced == Some(text.chars().count() as u64) && announced != Some(text.len() as u64);
    let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect();
    let decoded = bytes.filter(|_| is_by_byte).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}

/// Text, or a number or truth value as it is written; recorders leave out what is empty.
fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A part from the parameters of the recording.
fn part(item: &Value) -> RecordedPart {
    let text = |name: &str| item[name].as_str().map(str::to_owned);
    let value = text("value").filter(|value| !value.contains('\u{fffd}'));
    let file_name = text("fileName");
    let is_lost =
        file_name.as_deref().is_some_and(|name| !name.is_empty()) && value.as_deref().unwrap_or("").is_empty();
    RecordedPart {
        name: plain_text(&item["name"]),
        content: if is_lost { None } else { Some(plain_text(&item["value"])) },
        file_name,
        content_type: text("contentType").filter(|kind| !kind.is_empty()),
    }
}

impl RecordedBody {
    /// The body of the scenario, and the `Content-Type` to send with it where its key does not imply it. `request` stands
    /// for the request in notes.
    pub(super) fn draft(self, content_type: &str, request: &str, notes: &mut Notes) -> (DraftBody, Option<String>) {
        let given = Some(content_type.to_owned()).filter(|kind| !kind.is_empty());
        match self {
            Self::None => (DraftBody::None, given),
            Self::Unknown(why) => {
                notes.lost(format!("{request}: sent without its body, which {why}"));
                (DraftBody::None, given)
            }
            Self::Torn(text, length) => {
                let length = length.map_or_else(String::new, |length| format!(" ({} of {length} bytes)", text.len()));
                notes.lost(format!("{request}: not all of its body is in the recording{length}; the rest is not sent"));
                convert(&text, given)
            }
            Self::Text(text) => convert(&text, given),
            Self::Fields(fields) => {
                let (body, _) = body::of_fields(&fields);
                let kind = given.unwrap_or_else(|| FORM.to_owned());
                let is_implied = kind == FORM && matches!(body, DraftBody::Form(_));
                (body, Some(kind).filter(|_| !is_implied))
            }
            Self::Lines(lines) => {
                let lines: Vec<String> = lines.iter().map(|(name, value)| format!("{name}={value}\r\n")).collect();
                (DraftBody::Text(escape_template(&lines.concat())), given)
            }
            Self::Parts(parts) => {
                let parts: Vec<_> = parts.into_iter().filter_map(|part| draft_part(part, request, notes)).collect();
                (if parts.is_empty() { DraftBody::None } else { DraftBody::Multipart(parts) }, None)
            }
        }
    }
}

/// The media type that the key `form` implies.
const FORM: &str = "application/x-www-form-urlencoded";

/// Converts text by its media type. A parameter of the type, such as a charset, is kept.
fn convert(text: &str, content_type: Option<String>) -> (DraftBody, Option<String>) {
    let (body, _) = body::convert(content_type.as_deref().unwrap_or_default(), text);
    let implied = match &body {
        DraftBody::Json(_) => "application/json",
        DraftBody::Form(_) => FORM,
        _ => "",
    };
    (body, content_type.filter(|kind| kind != implied))
}

/// The part of the scenario; `None`, with a note, if it has no name.
fn draft_part(part: RecordedPart, request: &str, notes: &mut Notes) -> Option<DraftPart> {
    let RecordedPart { name, content, file_name, content_type } = part;
    if name.is_empty() {
        notes.lost(format!("{request}: a field without a name: left out"));
        return None;
    }
    if content.is_none() {
        let file = file_name.as_deref().unwrap_or_default();
        notes.lost(format!(
            "{request}: the content of the file {file:?} in the field {name:?} is not in the recording and sent empty; to send \
             a file, write \"file\" with its path in place of \"value\""
        ));
    }
    Some(DraftPart {
        name: escape_template(&name),
        content: DraftContent::Value(escape_template(&content.unwrap_or_default())),
        filename: file_name.map_or(FileName::Own, |name| FileName::Given(escape_template(&name))),
        content_type: content_type.filter(|kind| is_field_value(kind)).map(|kind| escape_template(&kind)),
    })
}

/// Returns whether text can be the value of a header field that is not empty.
fn is_field_value(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
