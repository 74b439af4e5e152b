//! Converts curl command lines to requests.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::draft::{Draft, DraftBody, DraftRequest, Import, Notes, SizeBudget, escape_template};
use super::other_flags::skip_flag;
use super::secrets::SecretVariables;
use super::{ImportOptions, body};
use crate::error::{Error, Result};
use crate::plan::url::Url;
use crate::secret::masked_url;
use crate::value;

/// Creates a scenario from commands, each given as its words.
///
/// # Errors
/// Names the invalid word.
pub(super) fn import(what: &str, commands: &[Vec<String>], scope: ImportOptions) -> Result<Import> {
    let mut notes = Notes::default();
    let mut vault = SecretVariables::new(scope.secrets);
    let mut requests = Vec::new();
    let mut room = SizeBudget::default();
    let mut host: Option<String> = None;
    for words in commands {
        for words in words.split(|word| word == "--next" || word == "-:") {
            let command = CurlCommand::read(words, &mut notes)?;
            for url in &command.urls {
                let (origin, target, userinfo) = parts(url)?;
                let base = host.get_or_insert_with(|| origin.clone());
                let target = if *base == origin { target } else { format!("{origin}{target}") };
                let request = command.request(target, userinfo, &mut vault, &mut notes)?;
                room.count(what, &request)?;
                requests.push(request);
            }
        }
    }
    let Some(host) = host else { return Err(Error::usage(what, "contains no URL")) };
    vault.note_kept_secrets(&requests, &mut notes);
    Draft::new(host, requests, None).finish(what, notes)
}

/// Splits a URL into origin, request target, and name and password; like curl, treats one without a scheme as
/// http.
fn parts(url: &str) -> Result<(String, String, Option<String>)> {
    let absolute = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let parsed = Url::parse(&absolute).map_err(|why| Error::usage(format!("URL {:?}", masked_url(url)), why))?;
    let origin = parsed.url.origin();
    let scheme = absolute.split("://").next().unwrap_or_default().to_ascii_lowercase();
    Ok((format!("{scheme}://{}", origin.authority()), escape_template(parsed.url.target()), parsed.userinfo))
}

/// A parsed command.
#[derive(Debug, Default)]
struct CurlCommand {
    urls: Vec<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    data: Option<CurlData>,
    /// `-G`: the data is part of the query.
    in_query: bool,
    head: bool,
    upload: Option<DraftBody>,
    timeout: Option<String>,
}

/// The data from `-d` and related flags.
#[derive(Debug)]
enum CurlData {
    Form(String),
    Json(String),
    File(String),
    Multipart(Vec<(String, String)>),
}

impl CurlCommand {
    fn read(words: &[String], notes: &mut Notes) -> Result<Self> {
        let mut command = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
                // curl takes the value from the next word; people also write --flag=value.
                let (name, attached) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                command.flag(&format!("--{name}"), &mut |flag| value_of(flag, attached, &mut words), notes)?;
            } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
                command.short_flags(short, &mut words, notes)?;
            } else {
                command.urls.push(word.to_owned());
            }
        }
        Ok(command)
    }

    /// Parses `-sSL`, `-XPOST`, `-H 'a: b'`: letters up to one that takes a value, which is the rest or the
    /// next word.
    fn short_flags<'w>(
        &mut self,
        letters: &'w str,
        words: &mut impl Iterator<Item = &'w str>,
        notes: &mut Notes,
    ) -> Result<()> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let mut taken = false;
            let attached = Some(rest).filter(|rest| !rest.is_empty());
            let mut value = |flag: &str| {
                taken = true;
                value_of(flag, attached, words)
            };
            self.flag(&format!("-{letter}"), &mut value, notes)?;
            if taken {
                break;
            }
        }
        Ok(())
    }

    /// Handles a flag; `value` returns its value.
    fn flag(&mut self, flag: &str, value: &mut dyn FnMut(&str) -> Result<String>, notes: &mut Notes) -> Result<()> {
        match flag {
            "--url" => self.urls.push(value(flag)?),
            "-X" | "--request" => self.method = Some(value(flag)?),
            "-H" | "--header" => self.header(&value(flag)?, notes),
            "-A" | "--user-agent" => self.set("User-Agent", value(flag)?),
            "-e" | "--referer" => self.set("Referer", value(flag)?),
            "-b" | "--cookie" => match value(flag)? {
                cookies if cookies.contains('=') => self.set("Cookie", cookies),
                _ => notes.add("-b FILE: cookies of a file are left out; users keep those that the server sets"),
            },
            "-u" | "--user" => {
                let credentials = value(flag)?;
                self.set("Authorization", format!("Basic {}", BASE64_STANDARD.encode(credentials)));
            }
            "--oauth2-bearer" => {
                let token = value(flag)?;
                self.set("Authorization", format!("Bearer {token}"));
            }
            "-G" | "--get" => self.in_query = true,
            "-I" | "--head" => self.head = true,
            "-T" | "--upload-file" => {
                let path = value(flag)?;
                self.upload = Some(match body::why_not_a_file(&path) {
                    None => DraftBody::File(path),
                    Some(why) => {
                        notes.add(format!("{flag} FILE: left out, {why}"));
                        DraftBody::Text(String::new())
                    }
                });
            }
            "-m" | "--max-time" => {
                let seconds = value(flag)?;
                self.timeout = Some(timeout(&seconds).map_err(|why| Error::usage(format!("curl {flag}"), why))?);
            }
            "--compressed" => self.set("Accept-Encoding", "gzip, deflate".to_owned()),
            _ => return self.data_flag(flag, value, notes),
        }
        Ok(())
    }

    fn data_flag(
        &mut self,
        flag: &str,
        value: &mut dyn FnMut(&str) -> Result<String>,
        notes: &mut Notes,
    ) -> Result<()> {
        match flag {
            "--data-raw" => {
                let text = value(flag)?;
                self.form(text);
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let text = value(flag)?;
                match text.strip_prefix('@') {
                    Some(path) => self.data = Some(file(flag, path, notes)),
                    None => self.form(text),
                }
            }
            "--data-urlencode" => {
                let text = value(flag)?;
                match text.split_once('=') {
                    Some(("", plain)) => self.form(urlencoded(plain)),
                    Some((name, plain)) => self.form(format!("{name}={}", urlencoded(plain))),
                    None if text.contains('@') => notes.add("--data-urlencode @FILE: left out; insert the file's text"),
                    None => self.form(urlencoded(&text)),
                }
            }
            "--json" => {
                let text = value(flag)?;
                match (&mut self.data, text.strip_prefix('@')) {
                    (_, Some(path)) => self.data = Some(file(flag, path, notes)),
                    (Some(CurlData::Json(all)), None) => all.push_str(&text),
                    (_, None) => self.data = Some(CurlData::Json(text)),
                }
                self.set_default("Content-Type", "application/json");
                self.set_default("Accept", "application/json");
            }
            "-F" | "--form" | "--form-string" => {
                let text = value(flag)?;
                let (name, content) = text.split_once('=').unwrap_or((text.as_str(), ""));
                if flag != "--form-string" && content.starts_with(['@', '<']) {
                    notes.add(format!("{flag} {name}: a file in a form is left out"));
                    return Ok(());
                }
                match &mut self.data {
                    Some(CurlData::Multipart(fields)) => fields.push((name.to_owned(), content.to_owned())),
                    _ => self.data = Some(CurlData::Multipart(vec![(name.to_owned(), content.to_owned())])),
                }
            }
            _ => skip_flag(flag, value, notes)?,
        }
        Ok(())
    }

    /// Like curl, joins the data of several flags with `&`.
    fn form(&mut self, text: String) {
        match &mut self.data {
            Some(CurlData::Form(all)) => {
                all.push('&');
                all.push_str(&text);
            }
            _ => self.data = Some(CurlData::Form(text)),
        }
    }

    fn header(&mut self, text: &str, notes: &mut Notes) {
        match text.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => notes.add("-H: a header without a name or value is left out"),
        }
    }

    fn set(&mut self, name: &str, value: String) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }

    fn set_default(&mut self, name: &str, value: &str) {
        if !self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    fn request(
        &self,
        target: String,
        userinfo: Option<String>,
        vault: &mut SecretVariables,
        notes: &mut Notes,
    ) -> Result<DraftRequest> {
        let mut headers = self.headers.clone();
        let has_own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let Some(userinfo) = userinfo.filter(|_| !has_own) {
            headers.push(("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(userinfo))));
        }
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.clone());
        let mut target = target;
        let mut follows = false;
        let body = match &self.data {
            None => self.upload.clone().unwrap_or_default(),
            Some(CurlData::Form(text)) if self.in_query => {
                let join = if target.contains('?') { '&' } else { '?' };
                target = format!("{target}{join}{}", escape_template(&body::of_query(text)));
                DraftBody::None
            }
            Some(CurlData::File(_)) if self.in_query => {
                notes.add("-G with a file of data: left out; insert the file's text into the URL");
                DraftBody::None
            }
            Some(CurlData::Form(text) | CurlData::Json(text)) => {
                let kind = content_type.as_deref().unwrap_or("application/x-www-form-urlencoded");
                let (body, by_itself) = body::convert(kind, text);
                follows = by_itself;
                body
            }
            Some(CurlData::File(path)) => DraftBody::File(path.clone()),
            Some(CurlData::Multipart(fields)) => {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                headers.push(("Content-Type".to_owned(), format!("multipart/form-data; boundary={BOUNDARY}")));
                DraftBody::Text(escape_template(&multipart(fields)))
            }
        };
        if follows {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        } else if content_type.is_none() && !matches!(self.data, None | Some(CurlData::Multipart(_))) && !self.in_query
        {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let method = value::method(&self.method_name(&body)).map_err(|why| Error::usage("curl -X", why))?;
        let headers = headers.into_iter().filter(|(name, _)| !is_computed(name));
        let headers = joined(headers, notes).into_iter();
        let headers = headers.map(|(name, value)| (name.clone(), vault.hide(&name, &value, notes))).collect();
        Ok(DraftRequest { method, target, headers, body, timeout: self.timeout.clone(), ..DraftRequest::default() })
    }

    fn method_name(&self, body: &DraftBody) -> String {
        self.method.clone().unwrap_or_else(|| {
            let name = match body {
                _ if self.head => "HEAD",
                DraftBody::None => "GET",
                _ if self.upload.is_some() => "PUT",
                _ => "POST",
            };
            name.to_owned()
        })
    }
}

/// The data of a flag that names a file; empty, with a note, where `run` could not read it.
fn file(flag: &str, path: &str, notes: &mut Notes) -> CurlData {
    match body::why_not_a_file(path) {
        None => CurlData::File(path.to_owned()),
        Some(why) => {
            notes.add(format!("{flag} @FILE: left out, {why}"));
            CurlData::Form(String::new())
        }
    }
}

/// curl takes seconds only, without the units that a scenario allows.
fn timeout(seconds: &str) -> std::result::Result<String, String> {
    if !seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("{seconds:?} is not a number of seconds"));
    }
    let timeout = format!("{seconds}s");
    value::positive_duration(&timeout).map(|_| timeout)
}

/// Encodes like curl's `--data-urlencode`: a blank becomes a plus.
fn urlencoded(text: &str) -> String {
    body::encoded(text).replace("%20", "+")
}

/// Headers that swarmline generates itself, for this connection and body.
pub(super) fn is_computed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(':') || matches!(lower.as_str(), "host" | "content-length" | "connection" | "transfer-encoding")
}

/// Makes header names unique, because a scenario's headers are a map: fields with the same name may be joined
/// (RFC 9110 section 5.3). Invalid headers are left out with a note.
pub(super) fn joined(headers: impl Iterator<Item = (String, String)>, notes: &mut Notes) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let is_steering = value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
        if is_steering || value::header_name(&name).is_err() {
            notes.add("a header with an invalid name or value is left out");
            continue;
        }
        match all.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((known, before)) => {
                before.push_str(if known.eq_ignore_ascii_case("cookie") { "; " } else { ", " });
                before.push_str(&value);
            }
            None => all.push((name, value)),
        }
    }
    all
}

const BOUNDARY: &str = "swarmline-form-boundary";

fn multipart(fields: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        let name = name.replace('"', "%22");
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + &format!("--{BOUNDARY}--\r\n")
}

fn value_of<'w>(flag: &str, attached: Option<&str>, words: &mut impl Iterator<Item = &'w str>) -> Result<String> {
    let value = attached.or_else(|| words.next());
    value.map(str::to_owned).ok_or_else(|| Error::usage(format!("curl {flag}"), "needs a value"))
}
