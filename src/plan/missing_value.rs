//! Why a value could not be extracted: what was wanted, beside what the response holds.

use super::extract::{ExtractFrom, Extraction, PickFrom, ResponseField, TextSource};
use super::html_input;
use super::json::RawJson;
use super::pointer::PointerPattern;
use super::response::ResponseView;
use crate::secret::masked_body;

/// Longest sentence, in characters.
const MAX_LENGTH: usize = 200;

/// Longest piece of a body that is shown.
const MAX_SAMPLE: usize = 60;

/// Names that are listed, of members, fields or header fields.
const MAX_NAMES: usize = 12;

/// Why nothing was extracted, in at most 200 characters on one line: `no /token: the response has error, code`. Of values
/// in the response it shows only names and kinds; of a body that is not what it should be, the beginning, with secrets
/// masked.
#[must_use]
pub fn explain(extraction: &Extraction, answer: &ResponseView<'_>) -> String {
    let sentence = match (&extraction.from, answer.body) {
        (_, Err(unread)) if extraction.needs_body() => unread.text().into_owned(),
        (ExtractFrom::Json(pointers), Ok(body)) => json(pointers, extraction.pick, answer.json(), body),
        (ExtractFrom::Input(name), Ok(body)) => input(name, extraction, answer, body),
        (ExtractFrom::Field(field), _) => missing_field(field, answer),
        (ExtractFrom::Between(source, left, right), _) => {
            searched(source, &format!("nothing between {left:?} and {right:?}"), answer)
        }
        (ExtractFrom::Regex(source, pattern, _), _) => {
            searched(source, &format!("no match of {:?}", pattern.as_str()), answer)
        }
        (ExtractFrom::Json(_) | ExtractFrom::Input(_), Err(unread)) => unread.text().into_owned(),
    };
    one_line(&sentence)
}

fn json(pointers: &PointerPattern, pick: PickFrom, document: Option<RawJson<'_>>, body: &[u8]) -> String {
    let Some(document) = document else { return format!("no {pointers}: the body is not JSON; {}", sample(body)) };
    let count = pointers.find_all(document).filter(|value| !value.is_null()).count();
    if let (PickFrom::Index(at), 1..) = (pick, count) {
        return format!("no value {at} (from 0) at {pointers}: there are {count}");
    }
    let (first, has_more) = pointers.first();
    let (furthest, taken) = first.furthest(document);
    let place = first.prefix(taken).to_string();
    let place = if place.is_empty() { "the response" } else { &place };
    if furthest.is_null() {
        return format!("no {pointers}: {place} is null");
    }
    let is_there = taken > 0 && place == first.to_string();
    match furthest.parts().map(Iterator::count) {
        Some(count) if is_there && has_more => format!("no {pointers}: none of the {count} at {place} has it"),
        _ => format!("no {pointers}: {place} {}", contents(furthest)),
    }
}

/// What a JSON value holds, without its values.
fn contents(value: RawJson<'_>) -> String {
    if let Some(members) = value.members() {
        let keys = members.iter().filter_map(|(key, _)| key.string());
        return if members.is_empty() { "is an empty object".to_owned() } else { format!("has {}", listed(keys)) };
    }
    match value.text().as_bytes().first() {
        Some(b'[') => format!("is a list of {}", value.parts().map_or(0, Iterator::count)),
        Some(b'"') => "is text".to_owned(),
        Some(b't' | b'f') => "is true or false".to_owned(),
        _ => "is a number".to_owned(),
    }
}

fn input(name: &str, extraction: &Extraction, answer: &ResponseView<'_>, body: &[u8]) -> String {
    let html = answer.text().unwrap_or_default();
    let count = html_input::values(&html, name).count();
    if let (PickFrom::Index(at), 1..) = (extraction.pick, count) {
        return format!("no value {at} (from 0) of the input {name:?}: there are {count}");
    }
    match listed(html_input::names(&html)) {
        names if names.is_empty() => format!("no input {name:?}: the body has no inputs; {}", sample(body)),
        names => format!("no input {name:?}: the body has {names}"),
    }
}

fn missing_field(field: &ResponseField, answer: &ResponseView<'_>) -> String {
    match field {
        ResponseField::Header(name) => {
            let fields = answer.all_fields();
            let names = fields.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned());
            format!("no header {name}: the response has {}", listed(names))
        }
        ResponseField::Cookie(name) => format!("no cookie {name:?} for this URL"),
        // They are always there; only an index above 0 finds nothing.
        ResponseField::Headers | ResponseField::Url | ResponseField::Status => "there is only one value".to_owned(),
    }
}

fn searched(source: &TextSource, what: &str, answer: &ResponseView<'_>) -> String {
    match source {
        TextSource::Body => match answer.body {
            Ok([]) if answer.size > 0 => format!("{what} in the body of {} bytes", answer.size),
            Ok(body) => format!("{what} in the body of {} bytes; {}", answer.size, sample(body)),
            Err(unread) => unread.text().into_owned(),
        },
        TextSource::Field(ResponseField::Header(name)) if answer.fields(name).next().is_none() => {
            missing_field(&ResponseField::Header(name.clone()), answer)
        }
        TextSource::Field(ResponseField::Header(name)) => format!("{what} in the header {name}"),
        TextSource::Field(ResponseField::Headers) => format!("{what} in the headers"),
        TextSource::Field(ResponseField::Cookie(name)) => format!("{what} in the cookie {name:?}"),
        TextSource::Field(ResponseField::Url) => format!("{what} in the URL {}", masked_body(answer.url)),
        TextSource::Field(ResponseField::Status) => format!("{what} in the status {}", answer.status),
    }
}

/// The beginning of a body, with secrets masked.
fn sample(body: &[u8]) -> String {
    // Masked before it is cut, so that no secret is cut out of the words that show it to be one.
    let text = masked_body(&String::from_utf8_lossy(&body[..body.len().min(4 * MAX_SAMPLE)]));
    let begin: String = text.chars().take(MAX_SAMPLE).collect();
    if begin.is_empty() { "it is empty".to_owned() } else { format!("it begins with {begin:?}") }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.take(MAX_NAMES + 1).collect();
    if names.len() > MAX_NAMES {
        "…".clone_into(&mut names[MAX_NAMES]);
    }
    names.join(", ")
}

fn one_line(sentence: &str) -> String {
    let mut line: String = sentence.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    if let Some((cut, _)) = line.char_indices().nth(MAX_LENGTH - 1)
        && line[cut..].chars().nth(1).is_some()
    {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
