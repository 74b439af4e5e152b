//! Takes out of a draft what the scenario reader refuses, so that one request that cannot be written does not cost the rest.

use std::path::Path;

use crate::error::{Error, Result};
use crate::plan::json::Json;
use crate::plan::{read_back, scenario};

/// Maximum number of steps that are taken out: a draft with more is of no use.
const MOST: usize = 200;

/// The text of the draft as the reader accepts it, and what was taken out, one sentence each.
///
/// # Errors
/// Nothing is left of it, or it is too long.
pub(super) fn accepted(folder: &Path, input: &str, mut draft: Json) -> Result<(String, Vec<String>)> {
    let mut left_out = Vec::new();
    loop {
        let text = serde_json::to_string_pretty(&draft).unwrap_or_default();
        if text.len() as u64 >= scenario::MAX_SIZE.bytes() {
            return Err(Error::usage(input, format!("the resulting scenario {}", scenario::MAX_SIZE)));
        }
        let Err(refused) = read_back::check_in(folder, "draft", &text) else { return Ok((text, left_out)) };
        let said = refused.to_string();
        let taken = place_of(&said).filter(|_| left_out.len() < MOST);
        let taken =
            taken.and_then(|(place, why)| Some(format!("{} is left out: {why}", take_out(&mut draft, &place)?)));
        match taken {
            Some(taken) => left_out.push(taken),
            None => return Err(nothing_left(input, &said, &left_out)),
        }
    }
}

/// Why there is no scenario: what had to be taken out, or else what the reader refused.
fn nothing_left(input: &str, said: &str, left_out: &[String]) -> Error {
    let why = if left_out.is_empty() { said.trim_start_matches("draft: ").to_owned() } else { left_out.join("; ") };
    Error::usage(input, format!("nothing can be taken over: {why}"))
}

/// The keys on the way to the step that an error is about, and the reason.
fn place_of(said: &str) -> Option<(Vec<&str>, &str)> {
    const LISTS: [&str; 8] = ["requests", "else", "on_start", "on_stop", "tasks", "user_classes", "setup", "teardown"];
    let (path, why) = said.strip_prefix("draft: /")?.split_once(": ")?;
    let mut keys: Vec<&str> = path.split('/').collect();
    // What cannot be without steps goes as a whole.
    while !keys.is_empty() {
        let is_step = matches!(&*keys, [.., list, at] if LISTS.contains(list) && at.parse::<usize>().is_ok());
        if is_step {
            return Some((keys, why));
        }
        keys.pop();
    }
    None
}

/// Takes the step at this place out; returns what it is.
fn take_out(draft: &mut Json, place: &[&str]) -> Option<String> {
    let (last, way) = place.split_last()?;
    let mut at = draft;
    for key in way {
        at = match at {
            Json::Object(members) => &mut members.iter_mut().find(|(name, _)| name == key)?.1,
            Json::List(items) => items.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    let (Json::List(items), Ok(last)) = (at, last.parse::<usize>()) else { return None };
    if last >= items.len() {
        return None;
    }
    let Json::Object(step) = items.remove(last) else { return None };
    let (key, value) = step.first()?;
    Some(if let Json::Text(text) = value { format!("{key} {text}") } else { format!("a step {key:?}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_refused_is_taken_out_and_the_rest_stays() {
        let draft = r#"{"host": "http://h", "user_classes": [{"tasks": [
            {"name": "a", "requests": [{"get": "/a"}, {"get": "/${nothing}"}, {"when": "x == y", "requests": [{"get": "b"}]}]},
            {"name": "c", "requests": [{"request": "/c", "method": ""}]}]}]}"#;
        let (text, left_out) = accepted(Path::new(""), "x", Json::parse(draft.as_bytes()).unwrap()).unwrap();
        let expected = r#"{"host":"http://h","user_classes":[{"tasks":[{"name":"a","requests":[{"get":"/a"}]}]}]}"#;
        assert_eq!(Json::parse(text.as_bytes()).unwrap().to_string(), expected);
        assert!(
            left_out.iter().any(|said| said.starts_with("get /${nothing} is left out: ${nothing}: unknown name")),
            "{left_out:?}"
        );
        assert!(left_out.iter().any(|said| said.starts_with("name c is left out")), "{left_out:?}");
    }
}
