//! Security schemes: each is an environment variable of the scenario.

use std::collections::BTreeMap;

use super::super::document::{items, list, member, members, text};
use super::super::draft::Notes;
use super::super::secrets::SecretVariables;
use super::reference::Document;
use super::server::shown;
use crate::plan::json::Json;
use crate::plan::percent;

/// What security adds to a request; values are template text.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) headers: Vec<(String, String)>,
    pub(super) query: Vec<String>,
    pub(super) cookies: Vec<String>,
}

/// The schemes that were used, and their variables.
#[derive(Debug)]
pub(super) struct Security<'j> {
    document: Document<'j>,
    vault: SecretVariables,
    variables: BTreeMap<String, String>,
}

impl<'j> Security<'j> {
    pub(super) const fn new(document: Document<'j>, vault: SecretVariables) -> Self {
        Self { document, vault, variables: BTreeMap::new() }
    }

    /// The variables of secrets.
    pub(super) const fn vault(&mut self) -> &mut SecretVariables {
        &mut self.vault
    }

    /// The credentials of an operation: of its alternatives the first that a scenario can have.
    pub(super) fn of(&mut self, operation: &Json, place: &str, notes: &mut Notes) -> Credentials {
        let own = members(operation).iter().find(|(name, _)| name == "security").map(|(_, value)| value);
        let alternatives = own.map_or_else(|| list(self.document.0, "security"), items);
        let Some(first) = alternatives.first() else { return Credentials::default() };
        let is_usable = |one: &&Json| members(one).iter().all(|(name, _)| self.scheme(name).is_some_and(is_supported));
        let Some(chosen) = alternatives.iter().find(is_usable) else {
            for (name, _) in members(first) {
                let kind = self.scheme(name).and_then(|scheme| text(scheme, "type")).unwrap_or("unknown");
                notes.lost(format!("{place}: security {}: {}: left out", shown(name), shown(kind)));
            }
            return Credentials::default();
        };
        let mut credentials = Credentials::default();
        for (name, _) in members(chosen) {
            if let Some(scheme) = self.scheme(name) {
                self.add(name, scheme, &mut credentials, notes);
            }
        }
        credentials
    }

    fn scheme(&self, name: &str) -> Option<&'j Json> {
        let schemes = member(member(self.document.0, "components")?, "securitySchemes")?;
        self.document.resolve(member(schemes, name)?)
    }

    fn add(&mut self, name: &str, scheme: &Json, credentials: &mut Credentials, notes: &mut Notes) {
        let is_basic = text(scheme, "scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
        let what = match text(scheme, "type") {
            Some("apiKey") => "the key",
            Some("http") if is_basic => "NAME:PASSWORD in base64",
            _ => "the token",
        };
        let env = self.variables.get(name).cloned().unwrap_or_else(|| {
            let env = self.vault.reserve(name);
            notes.add(format!("security {}: set {env} to {what} before the run", shown(name)));
            env
        });
        self.variables.insert(name.to_owned(), env.clone());
        let key = text(scheme, "name").unwrap_or_default();
        match (text(scheme, "type"), text(scheme, "in")) {
            (Some("apiKey"), Some("header")) => credentials.headers.push((key.to_owned(), format!("${{env.{env}}}"))),
            (Some("apiKey"), Some("query")) => {
                credentials.query.push(format!("{}=${{env.{env}}}", percent::encode(key, percent::COMPONENT)));
            }
            (Some("apiKey"), _) => credentials.cookies.push(format!("{key}=${{env.{env}}}")),
            _ => {
                let prefix = if is_basic { "Basic" } else { "Bearer" };
                credentials.headers.push(("Authorization".to_owned(), format!("{prefix} ${{env.{env}}}")));
            }
        }
    }
}

/// Whether a scenario can have the scheme.
fn is_supported(scheme: &Json) -> bool {
    let is_word =
        |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match text(scheme, "type") {
        Some("apiKey") => {
            matches!(text(scheme, "in"), Some("header" | "query" | "cookie"))
                && text(scheme, "name").is_some_and(is_word)
        }
        Some("http") => {
            let scheme = text(scheme, "scheme").unwrap_or_default().to_ascii_lowercase();
            matches!(scheme.as_str(), "basic" | "bearer")
        }
        Some("oauth2" | "openIdConnect") => true,
        _ => false,
    }
}
