//! Servers of a document: the host that requests go to, and the path that they all begin with.

use std::collections::BTreeMap;

use super::super::document::{list, member, scalar, text};
use super::super::draft::{DraftVariable, Notes, escape_template};
use crate::plan::json::Json;
use crate::plan::scenario::RESERVED;
use crate::plan::url::Url;

/// Where the requests of an operation go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// An absolute URL without a slash at its end, as template text.
    Absolute(String),
    /// A path on a host that the document does not name; empty, or beginning with `/`. As template text.
    Relative(String),
}

/// The variables of servers that the scenario has.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) variables: BTreeMap<String, DraftVariable>,
    /// Names in the scenario, by name and value in the document.
    names: BTreeMap<(String, String), String>,
}

impl Servers {
    /// The first server of the innermost of these parts of a document that has servers.
    pub(super) fn of(&mut self, parts: &[&Json], place: &str, notes: &mut Notes) -> Server {
        let Some(server) = parts.iter().find_map(|part| list(part, "servers").first()) else {
            return Server::Relative(String::new());
        };
        let url = text(server, "url").unwrap_or_default().trim();
        let (mut written, mut known) = (String::new(), String::new());
        let mut rest = url;
        while let Some((before, name, after)) = variable(rest) {
            written.push_str(&escape_template(before));
            known.push_str(before);
            match value(server, name) {
                Some(value) if !value.contains("${") => {
                    written.push_str(&self.named(name, &value));
                    known.push_str(&value);
                }
                _ => {
                    notes.lost(format!("{place}: servers: {{{}}} has no default value", shown(name)));
                    written.push_str(&escape_template(name));
                    known.push_str(name);
                }
            }
            rest = after;
        }
        written.push_str(&escape_template(rest));
        known.push_str(rest);
        if known.contains("://") {
            // A query or fragment cannot stand in front of a path.
            let is_whole = !known.contains(['?', '#']) && Url::parse(&known).is_ok();
            if is_whole {
                return Server::Absolute(written.trim_end_matches('/').to_owned());
            }
            notes.lost(format!("{place}: servers: its URL cannot be requested, pass --host to swarmline run"));
            return Server::Relative(String::new());
        }
        if known.contains(['?', '#']) || known.starts_with("//") || known.chars().any(char::is_control) {
            notes.lost(format!("{place}: servers: its path cannot be requested, it is left out"));
            return Server::Relative(String::new());
        }
        let path = written.trim_start_matches("./").trim_end_matches('/');
        Server::Relative(if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
    }

    /// The expression for a variable.
    fn named(&mut self, name: &str, value: &str) -> String {
        let id = (name.to_owned(), value.to_owned());
        if !self.names.contains_key(&id) {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
            let front = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "_" };
            let plain: String = front.chars().chain(name.chars().take(64).map(plain)).collect();
            let numbered = (2..).map(|n| format!("{plain}_{n}"));
            let is_free = |name: &String| !self.variables.contains_key(name) && !RESERVED.contains(&name.as_str());
            let free = std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or(plain);
            self.variables.insert(free.clone(), DraftVariable::Constant(value.to_owned()));
            self.names.insert(id.clone(), free);
        }
        let name = &self.names[&id];
        // In a path its slashes stay.
        format!("${{raw({name})}}")
    }
}

/// The text before the next `{name}`, the name, and the text after it.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The default of a variable, or the first value that it may have.
fn value(server: &Json, name: &str) -> Option<String> {
    let variable = member(member(server, "variables")?, name)?;
    member(variable, "default").or_else(|| list(variable, "enum").first()).and_then(scalar)
}

/// A name of the document for a message.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_or_a_path() {
        for (servers, expected) in [
            ("[]", Server::Relative(String::new())),
            (r#"[{"url": "https://api.test/v1/"}]"#, Server::Absolute("https://api.test/v1".into())),
            (r#"[{"url": "/v1/"}]"#, Server::Relative("/v1".into())),
            (r#"[{"url": "v1"}]"#, Server::Relative("/v1".into())),
            (
                r#"[{"url": "https://{env}.test:{port}", "variables": {"env": {"default": "a"}, "port": {"enum": ["81"]}}}]"#,
                Server::Absolute("https://${raw(env_2)}.test:${raw(port)}".into()),
            ),
            (r#"[{"url": "https://{env}/"}]"#, Server::Absolute("https://env".into())),
            (r#"[{"url": "https:///x"}]"#, Server::Relative(String::new())),
        ] {
            let root = Json::parse(format!(r#"{{"servers": {servers}}}"#).as_bytes()).unwrap();
            assert_eq!(Servers::default().of(&[&root], "x", &mut Notes::default()), expected, "{servers}");
        }
    }
}
