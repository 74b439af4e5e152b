//! Turns `REQUEST` arguments and their flags into prepared requests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::body_file::{BodyContent, BodyFile, BodyFiles, MAX_BODIES};
use super::check::Check;
use super::class_order::ClassShare;
use super::data::DataSource;
use super::endpoint::{Endpoint, EndpointId};
use super::expect::Expect;
use super::flag_text;
use super::journey::{ExchangeRules, Journeys, Message, OncePerRun, RequestStep, Step, Task, Tasks, UserClass};
use super::json::{RawJson, without_bom};
use super::request::{self, Request, RequestParts};
use super::url::{Origin, Url};
use crate::bounded::{self, SizeLimit};
use crate::cli::RunFlags;
use crate::error::{Error, Result};
use crate::secret::masked_url;
use crate::value;

/// All requests and the endpoints they are counted under, from a command line or a scenario.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) journeys: Journeys,
    pub(super) endpoints: Vec<Endpoint>,
    /// The requests as written, one per line, without user information.
    pub(super) listing: String,
    /// Host and port of the base: the default name of the test plan.
    pub(super) base_authority: String,
    /// The body of every request of a command line.
    pub(super) body: Option<BodyContent>,
    /// Large files that are sent in bodies, by id.
    pub(super) body_files: Vec<Arc<BodyFile>>,
    /// Parts that only a scenario has.
    pub(super) scenario: ScenarioParts,
}

/// Parts that only a scenario has.
#[derive(Debug, Default)]
pub(super) struct ScenarioParts {
    /// The scenario's `name`.
    pub(super) name: Option<String>,
    /// Data sources that users take rows from.
    pub(super) sources: Vec<DataSource>,
    /// Names of the variables extracted from responses, by slot.
    pub(super) variables: Vec<String>,
    /// Its checks; those of the command line replace them.
    pub(super) checks: Vec<Check>,
    /// Settings of the file that have no flag, for the stream.
    pub(super) settings: Vec<(&'static str, String)>,
    /// Other files that were read.
    pub(super) files: Vec<PathBuf>,
    /// Values of the environment, and of variables whose name indicates a secret.
    pub(super) secrets: Vec<String>,
}

/// Resolves the requests of a command line.
///
/// # Errors
/// Names the request, flag or file; exit code 2.
pub(super) fn resolve(flags: &RunFlags) -> Result<Resolved> {
    let written = read_requests(&flags.requests)?;
    let base = flags.host.as_deref().map(|host| parse("--host", host)).transpose()?;
    let mut files = BodyFiles::default();
    let body = body(flags, &mut files)?;
    let kind = match (&flags.json, &flags.data) {
        (Some(_), _) => Some(BodyKind::Json),
        (None, Some(_)) => Some(BodyKind::Form),
        (None, None) => None,
    };
    if let Some(body) = &body {
        let flag = if flags.json.is_some() { "--json" } else { "--data" };
        let all = body.bytes_in_memory().saturating_mul(written.len() as u64);
        check_bodies(all).map_err(|why| Error::usage(flag, format!("sent by {} requests {why}", written.len())))?;
    }
    let mut lines = Vec::with_capacity(written.len());
    for text in &written {
        lines.push(line(base.as_ref().map(|b| &b.url), text)?);
    }
    let home = base.as_ref().map_or_else(|| Arc::clone(lines[0].url.origin()), |b| Arc::clone(b.url.origin()));
    let base_credentials = base.and_then(|b| b.userinfo);
    let mut table = EndpointTable::default();
    let mut tasks = Vec::with_capacity(lines.len());
    let rules = rules(flags);
    let mut listing = String::new();
    for line in lines {
        // Same precedence as in curl: the flag, then the URL.
        let in_url = line.userinfo.clone().or_else(|| base_credentials.clone());
        let credentials = flags.basic_auth.clone().or(in_url).filter(|_| applies_credentials(flags, &line, &home));
        let method = line.method.clone().unwrap_or_else(|| default_method(flags, body.is_some()));
        let headers = request::headers(&defaults(kind, credentials.as_deref(), flags), &flags.headers);
        let name = if *line.url.origin() == home {
            line.path.clone()
        } else {
            format!("{}{}", line.url.origin().authority(), line.path)
        };
        listing.extend([method.as_str(), " ", name.as_str(), "\n"]);
        let endpoint = table.id(Endpoint { method: method.clone(), name: name.clone() });
        let request = Request::new(endpoint, &line.url, &RequestParts { method, headers, body: body.clone() });
        let step = RequestStep { message: Message::Fixed(request), rules: rules.clone(), extract: Box::default() };
        tasks.push(Task { name, weight: 1, steps: [Step::Request(step)].into(), rows: Box::default() });
    }
    let base_authority = home.authority().to_owned();
    let listing = listing.trim_end().to_owned();
    let journeys = one_class(flags, tasks)?;
    Ok(Resolved {
        journeys,
        endpoints: table.endpoints,
        listing,
        base_authority,
        body,
        body_files: files.into_list(),
        scenario: ScenarioParts::default(),
    })
}

/// The rules for requests without rules of their own.
pub(super) fn rules(flags: &RunFlags) -> ExchangeRules {
    ExchangeRules {
        timeout: flags.timeout,
        max_redirects: flags.max_redirects,
        max_body: flags.max_body,
        expect: Expect::status(flags.expect_status.clone().unwrap_or_default()),
    }
}

/// The users of a command line are all of one class.
fn one_class(flags: &RunFlags, tasks: Vec<Task>) -> Result<Journeys> {
    let class = UserClass {
        name: "default".to_owned(),
        share: ClassShare::Weight(1),
        wait: flags.wait,
        on_start: Box::default(),
        tasks: Tasks::new(tasks),
        on_stop: Box::default(),
        rows: Box::default(),
    };
    Journeys::new(vec![class], OncePerRun::default(), |why| Error::usage("REQUEST", why))
}

/// Returns whether credentials apply to a request: those of the flag are sent with every request, because the
/// user wrote both; those in the host's URL only to that host.
fn applies_credentials(flags: &RunFlags, line: &RequestLine, home: &Origin) -> bool {
    flags.basic_auth.is_some() || line.userinfo.is_some() || **line.url.origin() == *home
}

/// The endpoints in the order of first use, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointTable {
    pub(super) endpoints: Vec<Endpoint>,
    ids: HashMap<Endpoint, EndpointId>,
}

impl EndpointTable {
    pub(super) fn id(&mut self, endpoint: Endpoint) -> EndpointId {
        if let Some(id) = self.ids.get(&endpoint) {
            return *id;
        }
        // The number of requests is limited by MOST_REQUESTS.
        let id = EndpointId(u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX));
        self.endpoints.push(endpoint.clone());
        self.ids.insert(endpoint, id);
        id
    }
}

/// Maximum size of a list of requests, which is read into memory and prepared.
const MAX_LIST: SizeLimit = SizeLimit::mib("a list of requests", 16);

/// Maximum number of requests of a plan: each takes about a KiB in addition to its body.
pub(super) const MAX_REQUESTS: usize = 200_000;

/// Checks that the bodies of a plan, `bytes` in total, can be kept in memory.
pub(super) fn check_bodies(bytes: u64) -> std::result::Result<(), String> {
    if bytes > MAX_BODIES.bytes() { Err(MAX_BODIES.to_string()) } else { Ok(()) }
}

/// Reads the requests, including `@FILE` and `-`: one per line, without blank lines and lines that start with
/// `#`.
fn read_requests(arguments: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for argument in arguments {
        let text = match argument.strip_prefix('@') {
            Some(path) => bounded::read_file(Path::new(path), MAX_LIST),
            None if argument == "-" => bounded::read_source(std::io::stdin(), MAX_LIST),
            None => {
                all.push(argument.clone());
                continue;
            }
        };
        let bytes = text.map_err(|why| Error::usage(format!("REQUEST {argument}"), why))?;
        let text = std::str::from_utf8(without_bom(&bytes));
        let text = text.map_err(|_| Error::usage(argument.as_str(), "is not UTF-8 text"))?;
        let before = all.len();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        all.extend(lines.map(str::to_owned));
        if all.len() == before {
            return Err(Error::usage(argument.as_str(), "contains no request"));
        }
    }
    if all.len() > MAX_REQUESTS {
        return Err(Error::usage("REQUEST", format!("{} requests; the maximum is {MAX_REQUESTS}", all.len())));
    }
    if all.is_empty() {
        return Err(Error::usage("REQUEST", "no request given; pass a URL, or --host and a path such as /"));
    }
    Ok(all)
}

/// A request as written.
struct RequestLine {
    method: Option<String>,
    url: Url,
    userinfo: Option<String>,
    /// Path and query as written, used as the endpoint's name.
    path: String,
}

/// The name of a request in error messages.
fn request_label(text: &str) -> String {
    format!("request {:?}", masked_url(text))
}

/// Control characters usually come from a mistake in a script, and would be sent as `%0A`.
fn reject_controls(what: &str, text: &str) -> Result<()> {
    let is_plain = !text.chars().any(char::is_control);
    if is_plain { Ok(()) } else { Err(Error::usage(what, "has a control character in its URL or path")) }
}

fn line(base: Option<&Url>, text: &str) -> Result<RequestLine> {
    let text = &flag_text::literal(&request_label(text), text)?;
    let text = text.trim_matches([' ', '\t']);
    let (method, target) = match text.split_once([' ', '\t']) {
        Some((method, target)) if !method.contains(['/', ':']) => {
            let method = value::method(method).map_err(|why| Error::usage(request_label(text), why))?;
            (Some(method), target.trim_matches([' ', '\t']))
        }
        _ => (None, text),
    };
    reject_controls(&request_label(text), target)?;
    if target.starts_with('/') {
        let base = base.ok_or_else(|| Error::usage(request_label(text), "has no host; add --host URL"))?;
        let path = target.split('#').next().unwrap_or_default().to_owned();
        return Ok(RequestLine { method, url: base.below(target), userinfo: None, path });
    }
    let parsed = parse(&request_label(text), target)?;
    let after_scheme = target.find("://").map_or(0, |at| at + 3);
    let rest = &target[after_scheme..];
    let path = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(RequestLine { method, url: parsed.url, userinfo: parsed.userinfo, path })
}

pub(super) fn parse(what: &str, text: &str) -> Result<super::url::Parsed> {
    reject_controls(what, text)?;
    if text.contains("://") {
        return Url::parse(text).map_err(|why| Error::usage(what, why));
    }
    let hint = if text.parse::<f64>().is_ok() {
        "-q and -k take no value here, and --rate is the request rate"
    } else {
        "did you mean http:// or / in front?"
    };
    Err(Error::usage(what, format!("is neither a URL nor a path; {hint}")))
}

fn default_method(flags: &RunFlags, has_body: bool) -> String {
    flags.method.clone().unwrap_or_else(|| if has_body { "POST".to_owned() } else { "GET".to_owned() })
}

/// A kind of body that determines its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    Json,
    Form,
    /// Its type has a boundary, and is added later.
    Multipart,
}

/// Header fields that are sent by default.
pub(super) fn defaults(
    kind: Option<BodyKind>,
    credentials: Option<&str>,
    flags: &RunFlags,
) -> Vec<(&'static str, String)> {
    let accept = if kind == Some(BodyKind::Json) { "application/json" } else { "*/*" };
    let mut fields = vec![
        ("User-Agent", concat!("swarmline/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("Accept", accept.to_owned()),
    ];
    if flags.no_keepalive {
        // RFC 9112 section 9.6: with this field the server can close the connection immediately.
        fields.push(("Connection", "close".to_owned()));
    }
    if let Some(credentials) = credentials {
        fields.push(("Authorization", request::basic(credentials)));
    }
    match kind {
        Some(BodyKind::Json) => fields.push(("Content-Type", "application/json".to_owned())),
        Some(BodyKind::Form) => fields.push(("Content-Type", "application/x-www-form-urlencoded".to_owned())),
        Some(BodyKind::Multipart) | None => {}
    }
    fields
}

fn body(flags: &RunFlags, files: &mut BodyFiles) -> Result<Option<BodyContent>> {
    match (&flags.data, &flags.json) {
        (Some(_), Some(_)) => Err(Error::usage("--data and --json", "cannot be combined")),
        (None, None) => Ok(None),
        (Some(text), None) => {
            let Some(path) = text.strip_prefix('@') else { return Ok(Some(in_memory(text))) };
            files.open(Path::new(path), path).map(Some).map_err(|why| Error::usage(format!("--data {text}"), why))
        }
        (None, Some(text)) => {
            let Some(path) = text.strip_prefix('@') else {
                // A body given as text is not repeated: it may be long or secret.
                RawJson::parse(text.as_bytes()).map_err(|why| Error::usage("--json", format!("not JSON: {why}")))?;
                return Ok(Some(in_memory(text.strip_prefix('\u{feff}').unwrap_or(text))));
            };
            files.open_json(Path::new(path)).map(Some).map_err(|why| Error::usage(format!("--json {text}"), why))
        }
    }
}

fn in_memory(text: &str) -> BodyContent {
    BodyContent::Memory(Arc::from(text.as_bytes()))
}
