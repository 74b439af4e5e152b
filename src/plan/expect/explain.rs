//! What was expected of a response beside what it had: sentences for people. Outcomes and the stream's errors stay without
//! them, because they differ from one response to the next.

use std::fmt::Write as _;

use super::{BodyRule, Expect, ExpectedJson, HeaderCondition, HeaderRule, JsonCondition, JsonRule};
use crate::plan::json::RawJson;
use crate::plan::pattern::Pattern;
use crate::plan::pointer::Pointer;
use crate::plan::response::ResponseView;
use crate::plan::template::{Template, Values};
use crate::secret::{MASK, is_secret};
use crate::value::StatusSet;

/// Maximum characters of a value that a sentence repeats.
const MAX_VALUE: usize = 70;

/// Maximum members of an object that are listed.
const MAX_MEMBERS: usize = 8;

/// A condition on a response, and what the response had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the condition holds.
    pub is_met: bool,
    /// A sentence such as `/price is 37, not 5`.
    pub text: String,
}

impl Finding {
    fn new(is_met: bool, text: String) -> Self {
        Self { is_met, text }
    }
}

impl Expect {
    /// All conditions in the order in which they are judged, each with what the response had.
    pub fn findings(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Vec<Finding> {
        let mut findings = vec![status(&self.status, answer.status)];
        findings.extend(self.header.iter().map(|rule| rule.finding(answer, values)));
        if self.needs_body()
            && let Err(unread) = answer.body
        {
            findings.push(Finding::new(false, unread.text().into_owned()));
        } else {
            let found = |place| answer.texts.found(place);
            findings.extend(self.body.iter().enumerate().map(|(at, rule)| body(rule, found(at), values)));
            findings.extend(self.matches.iter().map(|pattern| matches(pattern, answer)));
            findings.extend(self.json.iter().map(|rule| rule.finding(answer, values)));
        }
        if let Some(limit) = self.within {
            let (took, limit_ms) = (millis(answer.service), millis(limit));
            let is_met = answer.service <= limit;
            let words = if is_met { "of at most" } else { "and may take at most" };
            findings.push(Finding::new(is_met, format!("it took {took} ms, {words} {limit_ms} ms")));
        }
        if let Some(size) = self.size {
            let is_met = (size.min..=size.max).contains(&answer.size);
            let wanted = if size.max == u64::MAX {
                format!("at least {}", size.min)
            } else {
                format!("{} to {}", size.min, size.max)
            };
            let words = if is_met { "within" } else { "not" };
            findings.push(Finding::new(is_met, format!("the body has {} bytes, {words} {wanted}", answer.size)));
        }
        findings
    }
}

fn status(wanted: &StatusSet, found: u16) -> Finding {
    let words = if *wanted == StatusSet::default() { "below 400".to_owned() } else { wanted.to_string() };
    if wanted.contains(found) {
        return Finding::new(true, format!("status is {found}, expected {words}"));
    }
    Finding::new(false, format!("status is {found}, not {words}"))
}

impl HeaderRule {
    fn finding(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Finding {
        let is_met = self.is_met(answer, values) == Ok(true);
        let shown = |value: &[u8]| shown_text(&self.name, &String::from_utf8_lossy(value));
        let found: Vec<String> = answer.fields(&self.name).map(shown).collect();
        let name = &self.name;
        let seen = if found.is_empty() {
            format!("there is no header {name}")
        } else {
            format!("header {name} is {}", found.join(" and "))
        };
        let (met, unmet) = match &self.condition {
            HeaderCondition::Equals(text) | HeaderCondition::Contains(text) if found.is_empty() => {
                (String::new(), format!(", expected {}", shown_text(name, &rendered(text, values))))
            }
            HeaderCondition::Equals(text) => {
                let wanted = shown_text(name, &rendered(text, values));
                (String::new(), format!(", not {wanted}"))
            }
            HeaderCondition::Contains(text) => {
                let wanted = shown_text(name, &rendered(text, values));
                (format!(" and contains {wanted}"), format!(" and does not contain {wanted}"))
            }
            HeaderCondition::Exists(true) => (String::new(), String::new()),
            HeaderCondition::Exists(false) => (String::new(), ", and there should be none".to_owned()),
        };
        Finding::new(is_met, seen + if is_met { &met } else { &unmet })
    }
}

fn body(rule: &BodyRule, found: Option<bool>, values: &mut Values<'_>) -> Finding {
    let (BodyRule::Contains(text) | BodyRule::ContainsNot(text)) = rule;
    let Some(is_found) = found else {
        return Finding::new(false, "a text to look for in the body needs a value that was never extracted".to_owned());
    };
    let wants_it = matches!(rule, BodyRule::Contains(_));
    let verb = if is_found { "contains" } else { "does not contain" };
    let regret = if is_found && !wants_it { ", and should not" } else { "" };
    Finding::new(is_found == wants_it, format!("the body {verb} {}{regret}", quoted(&rendered(text, values))))
}

fn matches(pattern: &Pattern, answer: &ResponseView<'_>) -> Finding {
    let is_met = pattern.is_match(&answer.text().unwrap_or_default());
    let verb = if is_met { "matches" } else { "does not match" };
    Finding::new(is_met, format!("the body {verb} {}", quoted(pattern.as_str())))
}

impl JsonRule {
    fn finding(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Finding {
        let is_met = self.is_met(answer, values) == Ok(true);
        let at = self.at.to_string();
        let Some(document) = answer.json() else { return Finding::new(is_met, not_json(answer)) };
        let text = match (&self.condition, self.at.find(document)) {
            (JsonCondition::Exists(true), None) => missing(&self.at, document),
            (JsonCondition::Exists(false), None) => format!("there is no {}", place(&at)),
            (JsonCondition::Exists(wanted), Some(found)) => {
                let regret = if *wanted { "" } else { ", and should not be there" };
                format!("{} is {}{regret}", place(&at), shown_json(&at, found))
            }
            (JsonCondition::Equals(wanted), None) => {
                let wanted = clipped(&wanted_text(&at, wanted, values));
                format!("{}, expected {wanted}", missing(&self.at, document))
            }
            (JsonCondition::Equals(_), Some(found)) if is_met => {
                format!("{} is {}", place(&at), shown_json(&at, found))
            }
            (JsonCondition::Equals(wanted), Some(found)) => {
                let wanted = clipped(&wanted_text(&at, wanted, values));
                format!("{} is {}, not {wanted}", place(&at), shown_json(&at, found))
            }
        };
        Finding::new(is_met, text)
    }
}

fn not_json(answer: &ResponseView<'_>) -> String {
    match answer.body {
        Err(unread) => unread.text().into_owned(),
        Ok([]) => "the body is empty, not JSON".to_owned(),
        Ok(body) => {
            let start = String::from_utf8_lossy(&body[..body.len().min(4 * MAX_VALUE)]).into_owned();
            format!("the body is not JSON: it begins with {}", quoted(&start))
        }
    }
}

/// Where a document has no such value: the longest part of the place that there is, and what stands there.
fn missing(wanted: &Pointer, document: RawJson<'_>) -> String {
    let text = wanted.to_string();
    let tokens: Vec<&str> = text.split('/').skip(1).collect();
    let (mut parent, mut last) = (String::new(), document);
    for token in &tokens {
        let next = format!("{parent}/{token}");
        let Some(found) = Pointer::parse(&next).ok().and_then(|pointer| pointer.find(document)) else { break };
        (parent, last) = (next, found);
    }
    format!("there is no {}: {}", place(&text), contents(&parent, last))
}

/// What stands at a place: the names of members, the number of items, or the value.
fn contents(at: &str, found: RawJson<'_>) -> String {
    let whose = place(at);
    if let Some(members) = found.members() {
        let names: Vec<String> = members.iter().filter_map(|(name, _)| name.string()).collect();
        if names.is_empty() {
            return format!("{whose} is an empty object");
        }
        let more = if names.len() > MAX_MEMBERS { ", …" } else { "" };
        return format!("{whose} has {}{more}", names[..names.len().min(MAX_MEMBERS)].join(", "));
    }
    if found.text().starts_with('[') {
        let mut count = 0;
        while count < 1000 && found.item(count).is_some() {
            count += 1;
        }
        return format!("{whose} is an array of {count}{}", if count == 1000 { " or more" } else { "" });
    }
    format!("{whose} is {}", shown_json(at, found))
}

/// A place in a JSON document; the empty pointer is the whole of it.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the response" } else { pointer }
}

fn is_secret_place(pointer: &str) -> bool {
    pointer.split('/').any(is_secret)
}

fn shown_json(at: &str, found: RawJson<'_>) -> String {
    if is_secret_place(at) { MASK.to_owned() } else { clipped(&found.compact()) }
}

fn shown_text(name: &str, text: &str) -> String {
    if is_secret(name) { MASK.to_owned() } else { clipped(text) }
}

/// The expected value as JSON.
fn wanted_text(at: &str, wanted: &ExpectedJson, values: &mut Values<'_>) -> String {
    if is_secret_place(at) {
        return MASK.to_owned();
    }
    match wanted {
        ExpectedJson::Value(value) => serde_json::to_string(value).unwrap_or_default(),
        ExpectedJson::Text(text) => serde_json::to_string(&rendered(text, values)).unwrap_or_default(),
        ExpectedJson::Number(text) => rendered(text, values),
        ExpectedJson::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| wanted_text(at, item, values)).collect();
            format!("[{}]", items.join(","))
        }
        ExpectedJson::Object(members) => {
            let mut text = String::from("{");
            for (name, member) in members {
                let comma = if text.len() > 1 { "," } else { "" };
                let member = wanted_text(&format!("{at}/{name}"), member, values);
                // Writing into a String cannot fail.
                let _ = write!(text, "{comma}{}:{member}", serde_json::to_string(name).unwrap_or_default());
            }
            text + "}"
        }
    }
}

/// A text with its values, secrets masked.
fn rendered(text: &Template, values: &mut Values<'_>) -> String {
    let mut out = Vec::new();
    if text.render_masked(values, &mut out).is_err() {
        return "a value that was never extracted".to_owned();
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", clipped(text))
}

/// A value on one line, cut to a readable length.
fn clipped(text: &str) -> String {
    let mut kept: String = text.chars().take(MAX_VALUE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_VALUE).is_some() {
        kept.push('…');
    }
    kept
}

fn millis(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests;
