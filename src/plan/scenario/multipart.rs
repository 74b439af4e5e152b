//! Multipart bodies (RFC 7578): the fields and files of a form, as browsers and curl send them.

use std::path::Path;

use super::body::{self, BodyFileReader};
use super::keys;
use super::names::ScenarioNames;
use super::reader::{Node, Object};
use crate::error::Result;
use crate::plan::body_template::BodyTemplate;
use crate::plan::json::Json;
use crate::plan::random::entropy;
use crate::plan::template::{Template, TextEncoding};
use crate::secret::is_secret;

/// Types of files by their ending, those that curl knows.
const TYPES: [(&str, &str); 10] = [
    (".gif", "image/gif"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".svg", "image/svg+xml"),
    (".txt", "text/plain"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".pdf", "application/pdf"),
    (".xml", "application/xml"),
];

/// The type of any other file.
const ANY_TYPE: &str = "application/octet-stream";

/// A delimiter of parts: 128 random bits, which no part contains.
pub(super) fn boundary() -> String {
    format!("{:016x}{:016x}", entropy(), entropy())
}

/// Reads a list of parts.
pub(super) fn multipart(
    list: &Node<'_>,
    boundary: &str,
    names: &mut ScenarioNames,
    files: &mut BodyFileReader<'_>,
) -> Result<BodyTemplate> {
    let mut out = BodyTemplate::default();
    for node in list.some()? {
        out.push(Template::literal(&format!("--{boundary}\r\n")));
        part(&node, names, files, &mut out)?;
    }
    out.push(Template::literal(&format!("--{boundary}--\r\n")));
    Ok(out)
}

/// What a part contains.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PartKind {
    Value,
    File,
    Json,
}

fn part(
    node: &Node<'_>,
    names: &mut ScenarioNames,
    files: &mut BodyFileReader<'_>,
    out: &mut BodyTemplate,
) -> Result<()> {
    let object = node.object(&keys::PART)?;
    let name = object.need("name")?;
    let (kind, content) = match object.at_most_one(&["value", "file", "json"])? {
        Some(("value", content)) => (PartKind::Value, content),
        Some(("file", content)) => (PartKind::File, content),
        Some((_, content)) => (PartKind::Json, content),
        None => return Err(node.refused("has no content; expected \"value\", \"file\" or \"json\"")),
    };
    let mut head = Template::literal("Content-Disposition: form-data; name=\"");
    head.push(names.text(name.name()?, TextEncoding::FormName).map_err(|why| name.refused(why))?);
    head.push_literal(b"\"", false);
    let file_name = file_name(&object, kind, &content)?;
    if let Some((written, node)) = &file_name {
        head.push_literal(b"; filename=\"", false);
        head.push(names.text(written, TextEncoding::FormName).map_err(|why| node.refused(why))?);
        head.push_literal(b"\"", false);
    }
    if let Some(media_type) = media_type(&object, kind, file_name.map(|(written, _)| written), names)? {
        head.push_literal(b"\r\nContent-Type: ", false);
        head.push(media_type);
    }
    head.push_literal(b"\r\n\r\n", false);
    out.push(head);
    let mut text = Template::default();
    match kind {
        PartKind::File => out.push_file(files.file(&content, names)?, content.name()?),
        PartKind::Value => {
            let value = body::plain_text(&content)?;
            text = names.text(&value, TextEncoding::Plain).map_err(|why| content.refused(why))?;
        }
        PartKind::Json => body::json(&content, content.value(), names, &mut text)?,
    }
    out.push(if is_secret(name.text()?) { text.into_secret() } else { text });
    out.push(Template::literal("\r\n"));
    Ok(())
}

/// The file's name that the server is told, as written; a file is told by its own unless that is `null`.
fn file_name<'j>(object: &Object<'j>, kind: PartKind, content: &Node<'j>) -> Result<Option<(&'j str, Node<'j>)>> {
    match object.get("filename") {
        Some(node) if *node.value() == Json::Null => Ok(None),
        Some(node) => Ok(Some((node.text()?, node))),
        None if kind == PartKind::File => {
            let path = content.name()?;
            let last = Path::new(path).file_name().and_then(|name| name.to_str());
            Ok(Some((last.unwrap_or(path), content.clone())))
        }
        None => Ok(None),
    }
}

/// The type of a part: the one given, or as curl chooses it.
fn media_type(
    object: &Object<'_>,
    kind: PartKind,
    file_name: Option<&str>,
    names: &mut ScenarioNames,
) -> Result<Option<Template>> {
    if let Some(node) = object.get("content_type") {
        return names.text(node.name()?, TextEncoding::Field).map(Some).map_err(|why| node.refused(why));
    }
    let by_ending = file_name.and_then(|name| {
        let name = name.to_ascii_lowercase();
        TYPES.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, media_type)| media_type)
    });
    let chosen = match (kind, file_name) {
        (PartKind::Json, _) => Some("application/json"),
        (PartKind::File, Some(_)) => by_ending.or(Some(ANY_TYPE)),
        (PartKind::File, None) => None,
        (PartKind::Value, _) => by_ending,
    };
    Ok(chosen.map(Template::literal))
}
