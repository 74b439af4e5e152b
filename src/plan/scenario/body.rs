//! Bodies and header fields of requests.

use std::path::Path;

use super::fields::fields;
use super::names::{self, ScenarioNames};
use super::optional::{self, Separators};
use super::reader::{Node, Object};
use crate::bounded;
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::request_args::{BodyKind, MAX_BODIES};
use crate::plan::setting::fingerprint;
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

/// The body of a request.
#[derive(Debug, Default)]
pub(super) struct ScenarioBody {
    pub(super) content: Option<Template>,
    pub(super) kind: Option<BodyKind>,
    /// Name, length and hash of the file that it was read from.
    pub(super) file: Option<String>,
    /// Size of that file in bytes.
    pub(super) file_bytes: u64,
}

/// Reads the body of a request from any of its members; files are relative to `folder`.
pub(super) fn body(request: &Object<'_>, names: &mut ScenarioNames, folder: &Path) -> Result<ScenarioBody> {
    let Some((key, node)) = request.at_most_one(&["json", "form", "body", "body_file"])? else {
        return Ok(ScenarioBody::default());
    };
    let mut template = Template::default();
    let mut file_bytes = 0;
    let (kind, file) = match key {
        "json" => {
            json(&node, node.value(), names, &mut template)?;
            (Some(BodyKind::Json), None)
        }
        "form" => {
            fields(&node, names, TextEncoding::Form, Separators::FORM, &mut template)?;
            (Some(BodyKind::Form), None)
        }
        "body" => {
            template = names.text(node.text()?, TextEncoding::Plain).map_err(|why| node.refused(why))?;
            (None, None)
        }
        _ => {
            let path = folder.join(node.name()?);
            names.files.push(path.clone());
            let bytes = bounded::read_file(&path, MAX_BODIES);
            let bytes = bytes.map_err(|why| node.refused(format!("{}: {why}", path.display())))?;
            template.push_literal(&bytes, false);
            file_bytes = bytes.len() as u64;
            (None, Some(format!("{}: {}", node.name()?, fingerprint(&bytes))))
        }
    };
    Ok(ScenarioBody { content: Some(template), kind, file, file_bytes })
}

/// Compiles a JSON value. Errors in its parts name the position of the whole value.
fn json(node: &Node<'_>, value: &Json, names: &mut ScenarioNames, out: &mut Template) -> Result<()> {
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
