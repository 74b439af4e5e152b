//! Headers that usually are secrets: a scenario file is kept, shared and committed, they should not be in it.

use super::draft::Notes;
use super::{Secrets, draft};
use crate::plan::setting;

/// Puts environment variables in the place of secrets, the same for the same value.
#[derive(Debug)]
pub(super) struct Vault {
    secrets: Secrets,
    known: Vec<(String, String)>,
}

impl Vault {
    pub(super) const fn new(secrets: Secrets) -> Self {
        Self { secrets, known: Vec::new() }
    }

    /// The header's value as the scenario may hold it.
    pub(super) fn keep(&mut self, name: &str, value: &str, notes: &mut Notes) -> String {
        if self.secrets == Secrets::Keep || !setting::is_secret(name) {
            return draft::literal(value);
        }
        let known = self.known.iter().find(|(_, known)| known == value);
        let variable = if let Some((variable, _)) = known {
            variable.clone()
        } else {
            let variable = self.free_name(name);
            notes.add(format!("{name}: left out, set {variable} to its value before the run (or --keep-secrets)"));
            self.known.push((variable.clone(), value.to_owned()));
            variable
        };
        format!("${{env.{variable}}}")
    }

    fn free_name(&self, header: &str) -> String {
        let upper: String =
            header.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        let taken = |name: &str| self.known.iter().any(|(known, _)| known == name);
        let numbered = (2..).map(|n| format!("{upper}_{n}"));
        std::iter::once(upper.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(upper)
    }
}
