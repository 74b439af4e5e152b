//! Compiles the requests of a journey.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::body::{self, BodyFileReader, Field};
use super::expect::expect;
use super::extract::extract;
use super::fields::fields;
use super::keys;
use super::multipart::multipart;
use super::names::ScenarioNames;
use super::optional::Separators;
use super::reader::{Node, Object};
use super::target::target;
use crate::cli::RunFlags;
use crate::error::Result;
use crate::plan::body_file::BodyFiles;
use crate::plan::body_template::BodyTemplate;
use crate::plan::data::SourceId;
use crate::plan::endpoint::Endpoint;
use crate::plan::journey::{ExchangeRules, Message, RequestStep};
use crate::plan::request_args::{BodyKind, EndpointTable, MAX_REQUESTS, defaults};
use crate::plan::template::{SlotId, Template, TextEncoding};
use crate::plan::templated_request::TemplatedRequest;
use crate::plan::url::{Origin, Url};
use crate::value;

/// Everything needed to compile requests.
#[derive(Debug)]
pub(super) struct Compiler<'p> {
    pub(super) names: ScenarioNames,
    pub(super) flags: &'p RunFlags,
    /// The base URL for paths.
    pub(super) base: Option<Url>,
    /// `name:password` of the base URL.
    pub(super) credentials: Option<String>,
    /// The main origin: endpoints of other origins have their host in the name.
    pub(super) home: Option<Arc<Origin>>,
    /// The rules for requests without rules of their own.
    pub(super) rules: ExchangeRules,
    /// The file's header fields.
    pub(super) headers: Option<Node<'p>>,
    /// Header fields from flags.
    pub(super) flag_headers: Vec<Field>,
    /// Sources used by `rules`, and therefore by each request.
    pub(super) common: BTreeSet<SourceId>,
    /// Variables that `setup` sets, which all users have.
    pub(super) set_by_setup: BTreeSet<SlotId>,
    pub(super) endpoints: EndpointTable,
    /// The folder of the scenario file.
    pub(super) folder: PathBuf,
    /// Body files, with their hashes.
    pub(super) body_files: Vec<String>,
    /// Total size in bytes of those that are kept in memory.
    pub(super) body_bytes: u64,
    /// Those that stay on disk.
    pub(super) open_files: BodyFiles,
    /// The delimiter of the parts of multipart bodies.
    pub(super) boundary: String,
    /// Number of requests compiled so far.
    pub(super) requests: usize,
}

impl Compiler<'_> {
    /// Compiles a request.
    pub(super) fn request_step(&mut self, node: &Node<'_>) -> Result<RequestStep> {
        let object = node.object(&keys::REQUEST)?;
        self.requests += 1;
        if self.requests > MAX_REQUESTS {
            return Err(node.refused(format!("a scenario may have at most {MAX_REQUESTS} requests")));
        }
        let rules = ExchangeRules {
            timeout: object.read("timeout", Node::positive_time)?.unwrap_or(self.rules.timeout),
            max_redirects: object.read("redirects", redirects)?.unwrap_or(self.rules.max_redirects),
            max_body: self.rules.max_body,
            expect: match object.get("expect") {
                Some(node) => expect(&node, &mut self.names, &self.rules.expect)?,
                None => self.rules.expect.clone(),
            },
        };
        let request = self.request(&object)?;
        let extract = object.read("extract", |node| extract(node, &mut self.names))?.unwrap_or_default().into();
        // The examples of a dry run need to know which parts are secret.
        let fixed = if self.flags.dry_run { None } else { request.fixed() };
        Ok(RequestStep { message: fixed.map_or(Message::Templated(request), Message::Fixed), rules, extract })
    }

    fn request(&mut self, object: &Object<'_>) -> Result<TemplatedRequest> {
        let (method, node) = method(object)?;
        let mut target = target(node.name()?, self.base.as_ref(), &mut self.names).map_err(|why| node.refused(why))?;
        if let Some(query) = object.get("query") {
            let separators = Separators::query(target.has_query);
            fields(&query, &mut self.names, TextEncoding::Query, separators, &mut target.path)?;
        }
        let home = self.home.get_or_insert_with(|| Arc::clone(&target.origin));
        let is_home = target.origin == *home;
        let name = match object.read("name", endpoint_name)? {
            Some(name) => name,
            None if is_home => target.written,
            None => format!("{}{}", target.origin.authority(), target.written),
        };
        let endpoint = self.endpoints.id(Endpoint { method: method.clone(), name });
        let (kind, body) = self.body(object)?.map_or((None, None), |(kind, body)| (kind, Some(body)));
        // As on a command line: the flag takes precedence over the URL; the credentials of the base URL are
        // sent only to that host.
        let in_url = target.userinfo.or_else(|| self.credentials.clone().filter(|_| is_home));
        let credentials = self.flags.basic_auth.clone().or(in_url);
        let usual = defaults(kind, credentials.as_deref(), self.flags).into_iter().map(default_field).collect();
        let fields = self.fields(object, usual, kind)?;
        let head = head(&method, target.path, &target.origin, fields);
        Ok(TemplatedRequest::new(endpoint, target.origin, head, body))
    }

    /// The body of a request from any of its members, and the kind that decides its type.
    fn body(&mut self, request: &Object<'_>) -> Result<Option<(Option<BodyKind>, BodyTemplate)>> {
        const KEYS: [&str; 5] = ["json", "form", "multipart", "body", "body_file"];
        let Some((key, node)) = request.at_most_one(&KEYS)? else { return Ok(None) };
        let mut files = BodyFileReader {
            folder: &self.folder,
            open: &mut self.open_files,
            told: &mut self.body_files,
            in_memory: &mut self.body_bytes,
        };
        let (mut text, mut content) = (Template::default(), BodyTemplate::default());
        let kind = match key {
            "json" => {
                body::json(&node, node.value(), &mut self.names, &mut text)?;
                Some(BodyKind::Json)
            }
            "form" => {
                fields(&node, &mut self.names, TextEncoding::Form, Separators::FORM, &mut text)?;
                Some(BodyKind::Form)
            }
            "multipart" => {
                content = multipart(&node, &self.boundary, &mut self.names, &mut files)?;
                Some(BodyKind::Multipart)
            }
            "body" => {
                let written = node.text()?;
                text = self.names.text(written, TextEncoding::Plain).map_err(|why| node.refused(why))?;
                None
            }
            _ => {
                content.push_content(files.file(&node, &mut self.names)?);
                None
            }
        };
        content.push(text);
        Ok(Some((kind, content)))
    }

    /// Header fields of a request, in increasing precedence: the defaults, those of the file, of the flags,
    /// and its own.
    fn fields(&mut self, request: &Object<'_>, usual: Vec<Field>, kind: Option<BodyKind>) -> Result<Vec<Field>> {
        let own = request.read("headers", |node| body::headers(node, &mut self.names))?.unwrap_or_default();
        let above = body::override_fields(self.flag_headers.clone(), &own);
        let of_file = match &self.headers {
            Some(node) => body::file_headers(node, &mut self.names, &above, request.node())?,
            None => Vec::new(),
        };
        let fields = body::override_fields(body::override_fields(usual, &of_file), &above);
        if kind != Some(BodyKind::Multipart) {
            return Ok(fields);
        }
        // It has the boundary, so none of the file or the flags can be in its place.
        if own.iter().any(|(name, value)| name.eq_ignore_ascii_case(CONTENT_TYPE) && value.is_some()) {
            return Err(request
                .node()
                .refused("\"multipart\" sets Content-Type itself, with its boundary; leave it out"));
        }
        let media_type = Template::literal(&format!("multipart/form-data; boundary={}", self.boundary));
        Ok(body::override_fields(fields, &[(CONTENT_TYPE.to_owned(), Some(media_type))]))
    }
}

const CONTENT_TYPE: &str = "Content-Type";

fn default_field((name, value): (&'static str, String)) -> Field {
    let value = Template::literal(&value);
    (name.to_owned(), Some(if name == "Authorization" { value.into_secret() } else { value }))
}

/// Reads the maximum number of redirects.
pub(super) fn redirects(node: &Node<'_>) -> Result<u16> {
    /// Same maximum as for the flag.
    const MAX_REDIRECTS: u16 = 1000;
    let count = node.count(0..=MAX_REDIRECTS.into())?;
    Ok(u16::try_from(count).unwrap_or(MAX_REDIRECTS))
}

/// The method and the node of the URL.
fn method<'j>(object: &Object<'j>) -> Result<(String, Node<'j>)> {
    const KEYS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "request"];
    let Some((key, node)) = object.at_most_one(&KEYS)? else {
        let why = "has no method; expected \"get\", \"post\", another such key, or \"request\" with \"method\"";
        return Err(object.node().refused(why));
    };
    if key == "request" {
        return Ok((object.need("method")?.read(value::method)?, node));
    }
    match object.get("method") {
        Some(method) => Err(method.refused(format!("works only with \"request\", not with {key:?}"))),
        None => Ok((key.to_ascii_uppercase(), node)),
    }
}

fn endpoint_name(node: &Node<'_>) -> Result<String> {
    let name = node.name()?;
    if name.chars().any(char::is_control) { Err(node.refused("has a control character")) } else { Ok(name.to_owned()) }
}

fn head(method: &str, path: Template, origin: &Origin, fields: Vec<Field>) -> Template {
    let mut head = Template::literal(&format!("{method} "));
    head.push(path);
    head.push_literal(b" HTTP/1.1\r\n", false);
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_literal(format!("Host: {}\r\n", origin.authority()).as_bytes(), false);
    }
    for (name, value) in fields {
        if let Some(value) = value {
            head.push_literal(format!("{name}: ").as_bytes(), false);
            head.push(value);
            head.push_literal(b"\r\n", false);
        }
    }
    head
}
