//! Makes a request of a command and a URL.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::draft::{DraftBody, DraftRequest, Notes};
use super::super::secrets::SecretVariables;
use super::super::shell::Stdin;
use super::super::{body, fields, marks};
use super::command::{Authentication, CurlCommand};
use super::data::{self, Data};
use super::files;
use super::url::{self, CurlUrl, UrlRules};
use crate::error::{Error, Result};

/// A request and where it goes.
#[derive(Debug)]
pub(super) struct PlacedRequest {
    /// Scheme and authority, as template text.
    pub(super) origin: String,
    /// Its target is a path.
    pub(super) request: DraftRequest,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Maximum number of redirects that curl follows with `-L`.
const CURL_REDIRECTS: u16 = 50;

/// Header fields in the order in which curl sends them.
#[derive(Debug, Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

impl CurlCommand {
    /// The request for a URL, to which `upload` may be uploaded.
    ///
    /// # Errors
    /// curl does not accept the command, or it is not an HTTP request.
    pub(super) fn request(
        &self,
        url: &str,
        upload: Option<&str>,
        vault: &mut SecretVariables,
        notes: &mut Notes,
    ) -> Result<PlacedRequest> {
        self.check(upload)?;
        let rules = UrlRules { scheme: self.scheme.as_deref().unwrap_or("http"), keeps_dots: self.keeps_dots };
        let mut url = url::parse(url, rules, notes)?;
        if let Some(name) = upload.filter(|name| !matches!(*name, "-" | ".")) {
            url.add_file_name(name);
        }
        let stdin = self.stdin.as_ref();
        for data in [self.url_query.as_ref(), self.data.as_ref().filter(|_| self.is_in_query)].into_iter().flatten() {
            let text = data::text("-G", data.clone(), stdin, notes);
            url.add_query(&text, notes);
        }
        let target = self.target(&url, notes);
        let mut fields = self.fields(&url, notes);
        let (body, implied) = self.content(upload, &fields, notes);
        let method = self.method(upload, &body);
        let place = format!("{method} {}", crate::secret::masked_url(target.split('?').next().unwrap_or_default()));
        let mut no_headers: Vec<String> = self.content_type(&mut fields, &body, implied).into_iter().collect();
        no_headers.extend(self.accept(&mut fields, &body));
        no_headers.extend(["User-Agent", "Host"].into_iter().filter(|name| self.removes(name)).map(str::to_owned));
        if matches!(body, DraftBody::None) && matches!(&*method, "POST" | "PUT" | "PATCH") {
            notes.add(format!("{place}: has Content-Length: 0, which curl leaves out where it has no data"));
        }
        if upload.is_some() {
            notes.add(format!("{place}: the body is sent at once, without the Expect: 100-continue of curl"));
        }
        let redirects = self.redirects(&method, &body, &place, notes);
        let tell =
            |name: &str| notes.lost(format!("-H {name}: is given several times; the values are sent in one field"));
        let headers = fields::joined(fields.0, tell).into_iter();
        let headers = headers.map(|(name, value)| {
            let is_known_later = marks::has_variable(&value) || marks::has_byte(&value);
            let value = if is_known_later { marks::template(&value) } else { vault.hide(&name, &value, notes) };
            (name, value)
        });
        let headers = headers.collect();
        let timeout = self.timeout.clone();
        let redirects = Some(redirects);
        let request =
            DraftRequest { method, target, headers, no_headers, body, timeout, redirects, ..Default::default() };
        Ok(PlacedRequest { origin: url.origin, request })
    }

    /// Refuses what curl refuses.
    fn check(&self, upload: Option<&str>) -> Result<()> {
        let has_data = self.data.is_some() && !self.is_in_query;
        let kinds = [has_data, self.parts.is_some(), upload.is_some(), self.is_head];
        if kinds.into_iter().filter(|is_given| *is_given).count() > 1 {
            let why = "only one of -d, -F, -T and -I can be given; curl refuses them together, too";
            return Err(Error::usage("curl command", why));
        }
        Ok(())
    }

    /// Path and query as template text.
    fn target(&self, url: &CurlUrl, notes: &mut Notes) -> String {
        match &self.request_target {
            Some(target) if target.starts_with('/') => {
                let (path, query) =
                    target.split_once('?').map_or((&**target, None), |(path, query)| (path, Some(query)));
                let written = CurlUrl {
                    path: path.to_owned(),
                    query: query.map(str::to_owned),
                    origin: String::new(),
                    userinfo: None,
                    host: None,
                };
                written.target(notes)
            }
            Some(target) => {
                notes.lost(format!("--request-target {}: left out, it is not a path", marks::shown(target)));
                url.target(notes)
            }
            None => url.target(notes),
        }
    }

    /// Whether a field with this name is given by `-H`, or removed.
    fn has_own(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn removes(&self, name: &str) -> bool {
        let mut own = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).peekable();
        let is_empty_agent = name == "User-Agent" && self.agent.as_deref() == Some("");
        (own.peek().is_some() || is_empty_agent) && own.all(|(_, value)| value.is_none())
    }

    /// The header fields, but for those that are about the body.
    fn fields(&self, url: &CurlUrl, notes: &mut Notes) -> Fields {
        let mut fields = Fields::default();
        if let Some(host) = &url.host {
            fields.push("Host", host);
        }
        let credentials = self.user.as_ref().or(url.userinfo.as_ref());
        if let Some(bearer) = &self.bearer {
            fields.push("Authorization", format!("Bearer {bearer}"));
        } else if let Some(credentials) = credentials.filter(|_| self.authentication == Authentication::Basic) {
            let colon = if credentials.contains(':') { "" } else { ":" };
            if let Some(bytes) = marks::bytes(&format!("{credentials}{colon}")) {
                fields.push("Authorization", format!("Basic {}", BASE64_STANDARD.encode(bytes)));
            } else {
                let mut variable = String::new();
                marks::push_variable(&mut variable, "AUTHORIZATION");
                fields.push("Authorization", variable);
                notes.add(format!(
                    "{}: set AUTHORIZATION to \"Basic \" and NAME:PASSWORD in base64 before the run",
                    if self.user.is_some() { "-u" } else { "name and password of the URL" }
                ));
            }
        }
        if let Some(range) = &self.range {
            fields.push("Range", format!("bytes={range}"));
        }
        if let Some(agent) = self.agent.as_ref().filter(|agent| !agent.is_empty()) {
            fields.push("User-Agent", agent);
        }
        if self.is_transfer_encoded {
            fields.push("Connection", "TE");
            fields.push("TE", "gzip");
        }
        if self.is_compressed {
            fields.push("Accept-Encoding", "deflate, gzip, br, zstd");
        }
        if let Some(referer) = &self.referer {
            fields.push("Referer", referer);
        }
        if !self.cookies.is_empty() {
            fields.push("Cookie", self.cookies.join(";"));
        }
        fields.0.retain(|(name, _)| !self.has_own(name));
        let sent = self.headers.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        fields.0.extend(sent);
        fields
    }

    /// The body, and whether its key implies the type that `fields` has, or the usual one.
    fn content(&self, upload: Option<&str>, fields: &Fields, notes: &mut Notes) -> (DraftBody, bool) {
        let stdin = self.stdin.as_ref();
        if let Some(path) = upload {
            return (uploaded(path, stdin, notes), false);
        }
        if let Some(parts) = &self.parts {
            if parts.is_empty() {
                return (DraftBody::Text(String::new()), false);
            }
            let own = fields.find("content-type").is_some_and(|own| !own.eq_ignore_ascii_case("multipart/form-data"));
            if own {
                notes.lost("-H Content-Type: left out, that of a form has its boundary");
            }
            return (DraftBody::Multipart(parts.clone()), true);
        }
        let text = match self.data.clone().filter(|_| !self.is_in_query) {
            None => return (DraftBody::None, false),
            Some(Data::File { path, without_breaks: false }) => return (file("--data-binary", &path, notes), false),
            Some(Data::File { path, without_breaks: true }) => match without_breaks(&path, notes) {
                Ok(body) => return (body, false),
                Err(text) => text,
            },
            Some(Data::Text(text)) => text,
        };
        if marks::has_byte(&text) {
            notes.lost("-d: bytes that are not UTF-8 are replaced, as a scenario cannot have them; send a file");
        }
        if marks::has_variable(&text) {
            return with_variables(&text, notes, self.is_json || self.has_own("content-type"));
        }
        let usual = if self.is_json { JSON } else { FORM };
        let kind = fields.find("content-type").unwrap_or(if self.removes("content-type") { "" } else { usual });
        body::convert(
            kind,
            &marks::bytes(&text).map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned()),
        )
    }

    /// Adds the type of the body, unless its key implies it; returns a field that has to be left out.
    fn content_type(&self, fields: &mut Fields, body: &DraftBody, implied: bool) -> Option<String> {
        const NAME: &str = "Content-Type";
        if implied {
            fields.0.retain(|(name, _)| !name.eq_ignore_ascii_case(NAME));
            return None;
        }
        let has_data = self.data.is_some() && !self.is_in_query;
        if fields.find(NAME).is_none() && !self.removes(NAME) {
            if self.is_json {
                fields.push(NAME, JSON);
            } else if has_data {
                fields.push(NAME, FORM);
            }
        }
        let is_typed = matches!(body, DraftBody::Json(_) | DraftBody::Form(_));
        (is_typed && fields.find(NAME).is_none()).then(|| NAME.to_owned())
    }

    /// Adds what is accepted, unless it is what the scenario sends; returns a field that has to be left out.
    fn accept(&self, fields: &mut Fields, body: &DraftBody) -> Option<String> {
        const NAME: &str = "Accept";
        if fields.find(NAME).is_some() {
            return None;
        }
        if self.removes(NAME) {
            return Some(NAME.to_owned());
        }
        let by_curl = if self.is_json { JSON } else { "*/*" };
        let by_scenario = if matches!(body, DraftBody::Json(_)) { JSON } else { "*/*" };
        if by_curl != by_scenario {
            fields.push(NAME, by_curl);
        }
        None
    }

    fn method(&self, upload: Option<&str>, body: &DraftBody) -> String {
        let usual = match body {
            _ if self.is_head => "HEAD",
            _ if upload.is_some() => "PUT",
            DraftBody::None => "GET",
            _ => "POST",
        };
        self.method.clone().unwrap_or_else(|| usual.to_owned())
    }

    /// The number of redirects that curl follows: none without `-L`.
    fn redirects(&self, method: &str, body: &DraftBody, place: &str, notes: &mut Notes) -> u16 {
        if !self.follows {
            return 0;
        }
        let usual = if matches!(body, DraftBody::None) { "GET" } else { "POST" };
        if self.method.is_some() && !matches!(method, "GET" | "HEAD") {
            let becomes = if method == usual { "GET" } else { "GET where HTTP says so" };
            notes.add(format!(
                "{place}: curl repeats {method} where it is redirected (-X with -L), the scenario sends {becomes}"
            ));
        }
        self.max_redirects.unwrap_or(CURL_REDIRECTS)
    }
}

/// The body of a file as it is; empty, with a note, where `run` could not read it.
fn file(flag: &str, path: &str, notes: &mut Notes) -> DraftBody {
    match files::why_not_a_file(path) {
        None => DraftBody::File(marks::template(path)),
        Some(why) => {
            notes.lost(format!("{flag} @FILE: left out, {why}"));
            DraftBody::Text(String::new())
        }
    }
}

fn uploaded(path: &str, stdin: Option<&Stdin>, notes: &mut Notes) -> DraftBody {
    match (path, stdin) {
        ("-" | ".", Some(Stdin::File(path))) => {
            notes.add("-T -: the file is sent with its length; curl sends it in chunks");
            file("-T", path, notes)
        }
        ("-" | ".", Some(Stdin::Text(text))) => {
            notes.add("-T -: the text is sent with its length; curl sends it in chunks");
            DraftBody::Text(marks::template(text))
        }
        _ => match files::why_not_a_file(if path == "." { "-" } else { path }) {
            None => DraftBody::File(marks::template(path)),
            Some(why) => {
                notes.lost(format!("-T FILE: left out, {why}"));
                DraftBody::Text(String::new())
            }
        },
    }
}

/// The body of a file that curl sends without its line breaks: the file, or its text where it has some.
fn without_breaks(path: &str, notes: &mut Notes) -> std::result::Result<DraftBody, String> {
    match files::text(path, None) {
        Ok(text) if text.contains(['\r', '\n', '\0']) => {
            notes.add(format!(
                "-d @{}: its text is in the scenario, without line breaks, as curl sends it",
                marks::shown(path)
            ));
            Err(text.replace(['\r', '\n', '\0'], ""))
        }
        Ok(_) => Ok(file("-d", path, notes)),
        Err(why) => {
            let place = format!("-d @{}", marks::shown(path));
            notes.lost(format!("{place}: sent as it is, and by curl without its line breaks, if it has any ({why})"));
            Ok(file("-d", path, notes))
        }
    }
}

/// A body with variables, and whether its key implies the type. Those that are to be encoded can only stand in a form.
fn with_variables(text: &str, notes: &mut Notes, has_type: bool) -> (DraftBody, bool) {
    let is_encoded = |piece| matches!(piece, marks::Piece::EncodedVariable(_));
    if marks::pieces(text).into_iter().any(is_encoded) {
        if let Some(pairs) = body::form_of_variables(text).filter(|_| !has_type) {
            return (DraftBody::Form(pairs), true);
        }
        notes.lost("--data-urlencode: the value of a variable is not encoded here; set it to encoded text");
    }
    (DraftBody::Text(marks::template(text)), false)
}
