//! Bodies and header fields of requests.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::names::{self, ScenarioNames};
use super::optional::{self, Separators};
use super::reader::Node;
use crate::error::Result;
use crate::plan::body_file::{BodyContent, BodyFiles};
use crate::plan::json::Json;
use crate::plan::request_args::check_bodies;
use crate::plan::template::{Template, TextEncoding};
use crate::secret::is_secret;
use crate::value::header_name;

/// A header field; `None` removes one that would be sent otherwise.
pub(super) type Field = (String, Option<Template>);

/// Reads the member `headers` of a request.
pub(super) fn headers(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Vec<Field>> {
    header_fields(node, names, &[], |why| why)
}

/// Reads the member `headers` of the file. It is compiled for each request, because the request determines
/// which variables are available. Fields that `above` overrides are left out: a login leaves out the token
/// that it is about to get.
pub(super) fn file_headers(
    node: &Node<'_>,
    names: &mut ScenarioNames,
    above: &[Field],
    request: &Node<'_>,
) -> Result<Vec<Field>> {
    header_fields(node, names, above, |why| format!("{why} (in the request {})", request.path()))
}

fn header_fields(
    node: &Node<'_>,
    names: &mut ScenarioNames,
    above: &[Field],
    said: impl Fn(String) -> String,
) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for (name, node) in node.members()? {
        header_name(name).map_err(|why| node.refused(why))?;
        let is_replaced = above.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let value = match node.value() {
            Json::Null => None,
            Json::Text(text) if is_replaced => {
                names::check(text, TextEncoding::Field).map_err(|why| node.refused(why))?;
                continue;
            }
            Json::Text(text) => Some(names.text(text, TextEncoding::Field).map_err(|why| node.refused(said(why)))?),
            other => return Err(node.refused(format!("expected text, or null to leave it out, not {}", other.kind()))),
        };
        fields.push((name.to_owned(), value.map(|value| if is_secret(name) { value.into_secret() } else { value })));
    }
    Ok(fields)
}

/// Overrides the fields of `below` with those of `above`.
pub(super) fn override_fields(mut below: Vec<Field>, above: &[Field]) -> Vec<Field> {
    below.retain(|(name, _)| !above.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
    below.extend_from_slice(above);
    below
}

/// Reads the files in bodies.
#[derive(Debug)]
pub(super) struct BodyFileReader<'s> {
    /// The folder of the scenario, which files are relative to.
    pub(super) folder: &'s Path,
    /// Files that stay on disk.
    pub(super) open: &'s mut BodyFiles,
    /// Name, length and hash of each file.
    pub(super) told: &'s mut Vec<String>,
    /// Total size in bytes of the files that are kept in memory.
    pub(super) in_memory: &'s mut u64,
}

impl BodyFileReader<'_> {
    /// Reads the file that a member names.
    pub(super) fn file(&mut self, node: &Node<'_>, names: &mut ScenarioNames) -> Result<BodyContent> {
        let written = node.name()?;
        let known = names.text(written, TextEncoding::Plain).map_err(|why| node.refused(why))?.fixed();
        let Some(known) = known else {
            return Err(node.refused("a file must be known before the run: text, a variable or ${env.NAME}"));
        };
        let path = self.folder.join(OsStr::from_bytes(&known));
        // What comes from the environment is secret.
        let name = if written.contains("${") { written.to_owned() } else { path.display().to_string() };
        names.files.push(path.clone());
        let content = self.open.open(&path, &name).map_err(|why| node.refused(format!("{name}: {why}")))?;
        self.told.push(format!("{written}: {}", content.fingerprint()));
        *self.in_memory = self.in_memory.saturating_add(content.bytes_in_memory());
        check_bodies(*self.in_memory)
            .map_err(|why| node.refused(format!("this body together with the previous ones {why}")))?;
        Ok(content)
    }
}

/// Compiles a JSON value. Errors in its parts name the position of the whole value.
pub(super) fn json(node: &Node<'_>, value: &Json, names: &mut ScenarioNames, out: &mut Template) -> Result<()> {
    match value {
        Json::Text(text) => out.push(names.json_text(text).map_err(|why| node.refused(why))?),
        Json::List(items) => {
            out.push_literal(b"[", false);
            let mut separators = Separators::JSON;
            for item in items {
                let (chance, item) = optional::in_json(node, item)?;
                let mut part = Template::default();
                json(node, item, names, &mut part)?;
                separators.push(out, chance, part);
            }
            out.push_literal(b"]", false);
        }
        Json::Object(members) => {
            out.push_literal(b"{", false);
            let mut separators = Separators::JSON;
            for (name, value) in members {
                let (chance, value) = optional::in_json(node, value)?;
                let mut member = member_name(node, name, names)?;
                let mut content = Template::default();
                json(node, value, names, &mut content)?;
                member.push(if is_secret(name) { content.into_secret() } else { content });
                separators.push(out, chance, member);
            }
            out.push_literal(b"}", false);
        }
        plain => out.push_literal(plain.to_string().as_bytes(), false),
    }
    Ok(())
}

fn member_name(node: &Node<'_>, name: &str, names: &mut ScenarioNames) -> Result<Template> {
    let mut template = Template::literal("\"");
    template.push(names.text(name, TextEncoding::Json).map_err(|why| node.refused(why))?);
    template.push_literal(b"\":", false);
    Ok(template)
}

/// Text, or a number or a truth value as it is written.
pub(super) fn plain_text(node: &Node<'_>) -> Result<String> {
    match node.value() {
        Json::Text(text) => Ok(text.clone()),
        Json::Number(_) | Json::Bool(_) => Ok(node.value().to_string()),
        other => Err(node.refused(format!("expected text, a number or a truth value, not {}", other.kind()))),
    }
}
