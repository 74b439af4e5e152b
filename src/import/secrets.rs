//! Handles headers that usually are secrets: a scenario file is kept, shared and committed, so it should not
//! contain them.

use super::draft::{DraftBody, DraftPart, DraftRequest, Notes};
use super::{SecretHandling, draft};
use crate::plan::json::Json;
use crate::secret::{is_secret, masked_body, masked_url};

/// Replaces secrets by environment variables; equal values get the same variable.
#[derive(Debug)]
pub(super) struct SecretVariables {
    secrets: SecretHandling,
    variables: Vec<(String, String)>,
}

impl SecretVariables {
    pub(super) const fn new(secrets: SecretHandling) -> Self {
        Self { secrets, variables: Vec::new() }
    }

    /// The value of a header as it can be written to the scenario.
    pub(super) fn hide(&mut self, name: &str, value: &str, notes: &mut Notes) -> String {
        if self.secrets == SecretHandling::Keep || !is_secret(name) {
            return draft::escape_template(value);
        }
        let known = self.variables.iter().find(|(_, known)| known == value);
        let variable = if let Some((variable, _)) = known {
            variable.clone()
        } else {
            let variable = self.free_name(name);
            notes.add(format!("{name}: left out, set {variable} to its value before the run (or --keep-secrets)"));
            self.variables.push((variable.clone(), value.to_owned()));
            variable
        };
        format!("${{env.{variable}}}")
    }

    /// Adds notes about values that usually are secrets but stay in URLs and bodies, where they are not
    /// replaced.
    pub(super) fn note_kept_secrets(&self, requests: &[DraftRequest], notes: &mut Notes) {
        if self.secrets == SecretHandling::Keep {
            return;
        }
        for request in requests {
            let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
            let mut tell = |name: &str, place: &str| {
                let about = format!("{} {}", request.method, masked_url(path));
                notes.add(format!(
                    "{about}: the value of {name} in its {place} is kept; if it is a secret, use ${{env.NAME}}"
                ));
            };
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(name, value)| is_unhidden_secret(name, value)).for_each(|(name, _)| tell(name, "URL"));
            match &request.body {
                DraftBody::Form(pairs) => {
                    pairs
                        .iter()
                        .filter(|(name, value)| is_unhidden_secret(name, value))
                        .for_each(|(name, _)| tell(name, "body"));
                }
                DraftBody::Json(json) => members(json, &mut |name| tell(name, "body")),
                DraftBody::Multipart(parts) => {
                    let is_told =
                        |part: &&DraftPart| part.value().is_some_and(|text| is_unhidden_secret(&part.name, text));
                    parts.iter().filter(is_told).for_each(|part| tell(&part.name, "body"));
                }
                DraftBody::Text(text) if masked_body(text) != *text => tell("a password or the like", "body"),
                DraftBody::None | DraftBody::Text(_) | DraftBody::File(_) => {}
            }
        }
    }

    /// A name that a shell accepts: letters, digits and underscores, without a digit in front.
    fn free_name(&self, header: &str) -> String {
        /// Characters of a header's name that are used: enough to recognize it by.
        const LONGEST: usize = 64;
        let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let front = if header.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
        let upper: String = front.chars().chain(header.chars().take(LONGEST).map(upper)).collect();
        let taken = |name: &str| self.variables.iter().any(|(known, _)| known == name);
        let numbered = (2..).map(|n| format!("{upper}_{n}"));
        std::iter::once(upper.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(upper)
    }
}

/// Returns whether a value that usually is a secret stays in the scenario.
fn is_unhidden_secret(name: &str, value: &str) -> bool {
    let is_variable = value.replace("$${", "").contains("${");
    is_secret(name) && !value.is_empty() && !is_variable
}

/// Calls `show` with the name of each member whose value usually is a secret and stays.
fn members(json: &Json, show: &mut impl FnMut(&str)) {
    match json {
        Json::List(items) => items.iter().for_each(|item| members(item, show)),
        Json::Object(all) => {
            for (name, value) in all {
                match value {
                    Json::Text(text) if is_unhidden_secret(name, text) => show(name),
                    Json::Number(_) if is_secret(name) => show(name),
                    _ => members(value, show),
                }
            }
        }
        _ => {}
    }
}
