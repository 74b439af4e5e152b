//! An operation and the request that it becomes.

use super::super::document::{is_true, list, member, members, text};
use super::super::draft::{DraftBody, DraftRequest, Notes, escape_template};
use super::body::{self, OperationBody};
use super::parameter::Style;
use super::reference::Document;
use super::sample::Sampler;
use super::security::{Credentials, Security};
use super::server::{Server, shown};
use crate::plan::json::Json;
use crate::plan::percent;
use crate::value;

/// An operation of a document.
#[derive(Debug)]
pub(super) struct Operation<'j> {
    /// Upper case.
    pub(super) method: String,
    /// With its parameters in braces.
    pub(super) path: &'j str,
    /// Parameters of all operations of the path are here.
    pub(super) item: &'j Json,
    pub(super) node: &'j Json,
    /// The method and path, for messages.
    pub(super) place: String,
}

/// The values of the parameters.
#[derive(Debug, Default)]
struct Values {
    path: Vec<(String, String)>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
}

impl<'j> Operation<'j> {
    /// The request; `server` is where it goes, and `is_home` whether that is the scenario's host.
    pub(super) fn request(
        &self,
        document: Document<'j>,
        (server, is_home): (&Server, bool),
        security: &mut Security<'j>,
        notes: &mut Notes,
    ) -> DraftRequest {
        let Credentials { headers, query, cookies } = security.of(self.node, &self.place, notes);
        let mut values = self.values(document, notes);
        values.query.extend(query);
        values.cookies.extend(cookies);
        let base = match server {
            Server::Absolute(_) if is_home => "",
            Server::Absolute(base) | Server::Relative(base) => base,
        };
        let path = self.path(&values, notes);
        let query = values.query.join("&");
        let target = if query.is_empty() { format!("{base}{path}") } else { format!("{base}{path}?{query}") };
        let OperationBody { body, content_type } = body::convert(document, self.node, &self.place, notes);
        let mut all = Vec::new();
        if let Some(accept) = self.accepted(document) {
            all.push(("Accept".to_owned(), accept));
        }
        for (name, value) in values.headers {
            all.push((name.clone(), security.vault().hide(&name, &value, notes)));
        }
        if !values.cookies.is_empty() {
            all.push(("Cookie".to_owned(), values.cookies.join("; ")));
        }
        all.extend(content_type.map(|kind| ("Content-Type".to_owned(), escape_template(&kind))));
        all.extend(headers);
        let body = if matches!(self.method.as_str(), "GET" | "HEAD") && body != DraftBody::None {
            notes.add(format!("{}: a body with this method has no defined meaning; it is sent", self.place));
            body
        } else {
            body
        };
        DraftRequest {
            method: self.method.clone(),
            target,
            name: Some(self.path.replace('{', ":").replace('}', "")),
            headers: unique(all, &self.place, notes),
            body,
            expect: self.expected(document).into_iter().map(|status| ("status", status)).collect(),
            ..DraftRequest::default()
        }
    }

    /// All parameters: those of the operation replace those of the path.
    fn parameters(&self, document: Document<'j>, notes: &mut Notes) -> Vec<&'j Json> {
        let mut all: Vec<&'j Json> = Vec::new();
        for written in list(self.node, "parameters").iter().chain(list(self.item, "parameters")) {
            let Some(parameter) = document.resolve(written) else {
                notes.lost(format!(
                    "{}: a parameter is left out: its $ref leads nowhere, or out of the document",
                    self.place
                ));
                continue;
            };
            let is_same = |known: &&&Json| {
                text(known, "name") == text(parameter, "name") && text(known, "in") == text(parameter, "in")
            };
            if !all.iter().any(|known| is_same(&known)) {
                all.push(parameter);
            }
        }
        all
    }

    /// The values of the parameters that are required, and of the others those that the document has a value for.
    fn values(&self, document: Document<'j>, notes: &mut Notes) -> Values {
        let mut values = Values::default();
        for parameter in self.parameters(document, notes) {
            let (Some(name), Some(place)) = (text(parameter, "name"), text(parameter, "in")) else { continue };
            let of_content = member(parameter, "content").map_or(&[][..], members).first().map(|(_, media)| media);
            let node = of_content.unwrap_or(parameter);
            let mut sampler = Sampler::new(document);
            let value = match sampler.written(node) {
                Some(value) => value,
                None if place == "path" || is_true(parameter, "required") => match sampler.value(node) {
                    Some(value) => value,
                    None => Json::Text("string".to_owned()),
                },
                None => continue,
            };
            for problem in sampler.problems {
                notes.add(format!("{}: parameter {}: {problem}", self.place, shown(name)));
            }
            let value = if of_content.is_some() { Json::Text(super::parameter::plain(&value)) } else { value };
            let style = Style::of(parameter, name, place);
            match place {
                "path" => values.path.push((name.to_owned(), style.in_path(&value))),
                "query" => values.query.extend(style.in_query(&value)),
                "cookie" => values.cookies.push(format!(
                    "{}={}",
                    escape_template(name),
                    escape_template(&style.in_field(&value))
                )),
                // These three are described by other parts of the document (OpenAPI 3.1.1, section 4.8.12.2).
                "header"
                    if ["accept", "content-type", "authorization"].iter().any(|own| name.eq_ignore_ascii_case(own)) => {
                }
                "header" => values.headers.push((name.to_owned(), style.in_field(&value))),
                other => notes.lost(format!("{}: parameter {} in {}: left out", self.place, shown(name), shown(other))),
            }
        }
        values
    }

    /// The path with its values, as template text.
    fn path(&self, values: &Values, notes: &mut Notes) -> String {
        let mut out = String::new();
        let mut rest = self.path;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(&encoded_path(before));
            let Some((name, after)) = after.split_once('}') else {
                rest = after;
                continue;
            };
            if let Some((_, value)) = values.path.iter().find(|(known, _)| known == name) {
                out.push_str(value);
            } else {
                let name = shown(name);
                notes.lost(format!("{}: no parameter describes {{{name}}}, 1 is sent in its place", self.place));
                out.push('1');
            }
            rest = after;
        }
        out.push_str(&encoded_path(rest));
        if out.starts_with('/') { out } else { format!("/{out}") }
    }

    /// The media type of the first good response.
    fn accepted(&self, document: Document<'j>) -> Option<String> {
        let responses = member(self.node, "responses").map_or(&[][..], members);
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        let (media_type, _) = members(member(document.resolve(good)?, "content")?).first()?;
        let is_plain = !media_type.contains('*') && !media_type.chars().any(char::is_control) && !media_type.is_empty();
        is_plain.then(|| escape_template(media_type))
    }

    /// The statuses that the document promises; `None` where it promises redirects, which are followed, or nothing.
    fn expected(&self, _document: Document<'j>) -> Option<Json> {
        let statuses: Vec<&str> =
            member(self.node, "responses").map_or(&[][..], members).iter().map(|(status, _)| status.as_str()).collect();
        if statuses.iter().any(|status| status.starts_with('3')) {
            return None;
        }
        let good = statuses.iter().filter(|status| status.starts_with('2') && status.len() == 3);
        let good: Vec<Json> = good
            .filter_map(|status| match status[1..].to_ascii_lowercase().as_str() {
                "xx" => Some(Json::Text("2xx".to_owned())),
                digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Json::parse(status.as_bytes()).ok(),
                _ => None,
            })
            .collect();
        match good.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(Json::List(good)),
        }
    }
}

/// Literal text of a path, as template text.
fn encoded_path(text: &str) -> String {
    let encoded = percent::encode(text, percent::TARGET).to_string();
    escape_template(&encoded.replace('?', "%3F").replace('#', "%23"))
}

/// Header fields with unique and valid names; a credential replaces an example.
fn unique(fields: Vec<(String, String)>, place: &str, notes: &mut Notes) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in fields {
        if value::header_name(&name).is_err() || value.chars().any(|c| c.is_control() && c != '\t') {
            notes.lost(format!("{place}: a header with an invalid name or value is left out"));
            continue;
        }
        match all.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, known)) => *known = value,
            None => all.push((name, value)),
        }
    }
    all
}
