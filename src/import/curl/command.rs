//! Reads the words of a curl command.

use super::super::draft::{DraftPart, Notes};
use super::super::marks;
use super::super::shell::Stdin;
use super::data::{self, Data, DataKind};
use super::options::{self, CurlOption, Effect};
use super::{files, form};
use crate::error::{Error, Result};
use crate::secret::{MASK, masked, masked_url};
use crate::value;

/// A transfer of a command: a URL, and a file that is uploaded there.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfer {
    pub(super) url: Option<String>,
    pub(super) upload: Option<String>,
}

/// How a request is authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Authentication {
    #[default]
    Basic,
    /// By an exchange with the server, or a signature.
    Other,
}

/// A parsed command.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of curl")]
pub(super) struct CurlCommand {
    pub(super) transfers: Vec<Transfer>,
    /// Number of transfers that have a URL, and of those that have a file.
    urls: usize,
    uploads: usize,
    pub(super) method: Option<String>,
    /// Header fields of `-H`, in their order; `None` removes one.
    pub(super) headers: Vec<(String, Option<String>)>,
    pub(super) cookies: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) authentication: Authentication,
    pub(super) agent: Option<String>,
    pub(super) referer: Option<String>,
    pub(super) range: Option<String>,
    pub(super) is_compressed: bool,
    pub(super) is_transfer_encoded: bool,
    pub(super) data: Option<Data>,
    /// `--json` was given.
    pub(super) is_json: bool,
    pub(super) parts: Option<Vec<DraftPart>>,
    /// `-G`: the data is part of the query.
    pub(super) is_in_query: bool,
    pub(super) url_query: Option<Data>,
    pub(super) is_head: bool,
    pub(super) timeout: Option<String>,
    pub(super) connect_timeout: Option<String>,
    pub(super) is_insecure: bool,
    pub(super) follows: bool,
    pub(super) max_redirects: Option<u16>,
    pub(super) is_glob_off: bool,
    pub(super) keeps_dots: bool,
    pub(super) request_target: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) stdin: Option<Stdin>,
}

/// Reads the words of a command, which `--next` divides.
///
/// # Errors
/// Names the option.
pub(super) fn read(words: &[String], stdin: Option<&Stdin>, notes: &mut Notes) -> Result<Vec<CurlCommand>> {
    let new = || CurlCommand { stdin: stdin.cloned(), ..CurlCommand::default() };
    let mut done = Vec::new();
    let mut command = new();
    let mut words = words.iter().map(String::as_str);
    let mut has_options = true;
    while let Some(word) = words.next() {
        let after = word.strip_prefix('-').filter(|_| has_options);
        let flags = match (after, word) {
            (Some("-"), _) => {
                has_options = false;
                continue;
            }
            (Some(long), _) if long.starts_with('-') => {
                let (option, is_on) = options::long(&long[1..])?;
                let flag = format!("--{}", option.name);
                let value = if option.takes_value { Some(next_value(&flag, words.next())?) } else { None };
                vec![(option, flag, value, is_on)]
            }
            (Some(letters), _) if !letters.is_empty() => short_flags(letters, &mut words)?,
            _ => {
                command.add_url(word.to_owned());
                continue;
            }
        };
        for (option, flag, value, is_on) in flags {
            if option.name == "next" {
                done.push(std::mem::replace(&mut command, new()));
            } else {
                command.option(option, &flag, value, is_on, notes)?;
            }
        }
    }
    done.push(command);
    Ok(done)
}

/// An option as it is written: with its value, and whether it is switched on.
type WrittenOption<'w> = (CurlOption, String, Option<&'w str>, bool);

/// Parses `-sSL`, `-XPOST`, `-H 'a: b'`: letters up to one that takes a value, which is the rest or the next word.
fn short_flags<'w>(letters: &'w str, words: &mut impl Iterator<Item = &'w str>) -> Result<Vec<WrittenOption<'w>>> {
    let mut flags = Vec::new();
    let mut rest = letters;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let (option, flag) = (options::short(letter)?, format!("-{letter}"));
        if option.takes_value {
            let attached = Some(rest).filter(|rest| !rest.is_empty());
            let value = next_value(&flag, attached.or_else(|| words.next()))?;
            flags.push((option, flag, Some(value), true));
            break;
        }
        // `-N` is `--no-buffer`, which changes nothing.
        flags.push((option, flag, None, true));
    }
    Ok(flags)
}

fn next_value<'w>(flag: &str, word: Option<&'w str>) -> Result<&'w str> {
    word.ok_or_else(|| Error::usage(format!("curl {flag}"), "needs a value"))
}

impl CurlCommand {
    /// Adds a URL: the first goes with the first file that is uploaded, and so on.
    fn add_url(&mut self, url: String) {
        match self.transfers.get_mut(self.urls) {
            Some(transfer) => transfer.url = Some(url),
            None => self.transfers.push(Transfer { url: Some(url), upload: None }),
        }
        self.urls += 1;
    }

    fn add_upload(&mut self, path: String) {
        match self.transfers.get_mut(self.uploads) {
            Some(transfer) => transfer.upload = Some(path),
            None => self.transfers.push(Transfer { url: None, upload: Some(path) }),
        }
        self.uploads += 1;
    }

    /// Handles an option.
    fn option(
        &mut self,
        option: CurlOption,
        flag: &str,
        value: Option<&str>,
        is_on: bool,
        notes: &mut Notes,
    ) -> Result<()> {
        match (option.effect, value) {
            (Effect::Imported, Some(value)) => return self.value(option.name, flag, value, notes),
            (Effect::Imported, None) => self.switch(option.name, flag, is_on, notes),
            (Effect::Ignored, _) => {}
            (_, None) if !is_on => {}
            (Effect::FlagOfRun, None) => notes.lost(format!("{flag}: left out, pass it to swarmline run")),
            (Effect::FlagOfRun, Some(value)) => {
                let shown = shown(option.name, value);
                notes.lost(format!("{flag} {shown}: left out, pass it to swarmline run as --{}", option.name));
            }
            (Effect::Lost, None) => notes.lost(format!("{flag}: left out{}", reason(option.name))),
            (Effect::Lost, Some(value)) => {
                notes.lost(format!("{flag} {}: left out{}", shown(option.name, value), reason(option.name)));
            }
            (Effect::LostSecret, _) => {
                if option.name == "aws-sigv4" {
                    self.authentication = Authentication::Other;
                }
                notes.lost(format!("{flag}: left out{}", reason(option.name)));
            }
        }
        Ok(())
    }

    fn switch(&mut self, name: &str, flag: &str, is_on: bool, notes: &mut Notes) {
        match name {
            "get" => self.is_in_query = is_on,
            "head" => self.is_head = is_on,
            "compressed" => self.is_compressed = is_on,
            "tr-encoding" => self.is_transfer_encoded = is_on,
            "location" => self.follows = is_on,
            "location-trusted" => {
                self.follows = is_on;
                if is_on {
                    notes.lost(format!("{flag}: taken as -L; credentials are not sent to another host"));
                }
            }
            "globoff" => self.is_glob_off = is_on,
            "path-as-is" => self.keeps_dots = is_on,
            "insecure" => self.is_insecure = is_on,
            "basic" if is_on => self.authentication = Authentication::Basic,
            "digest" | "negotiate" | "ntlm" | "ntlm-wb" | "anyauth" if is_on => {
                self.authentication = Authentication::Other;
                notes.lost(format!("{flag}: left out, and credentials with it; only Basic authentication is sent"));
            }
            "form-escape" | "crlf" if is_on => notes.lost(format!("{flag}: left out")),
            _ => {}
        }
    }

    /// Handles an option with a value that is part of the scenario.
    fn value(&mut self, name: &str, flag: &str, value: &str, notes: &mut Notes) -> Result<()> {
        let refused = |why: String| Error::usage(format!("curl {flag}"), why);
        match name {
            "url" => self.add_url(value.to_owned()),
            "upload-file" if value.is_empty() => {}
            "upload-file" => self.add_upload(value.to_owned()),
            "request" => self.method = Some(value::method(value).map_err(refused)?),
            "header" => self.header(flag, value, notes),
            "user-agent" => self.agent = Some(value.to_owned()),
            "referer" => {
                let url = value.strip_suffix(";auto").unwrap_or(value);
                if url.len() < value.len() {
                    notes.add(format!("{flag}: \";auto\" is left out; redirects send no Referer of their own"));
                }
                self.referer = Some(url.to_owned()).filter(|url| !url.is_empty());
            }
            "cookie" if value.contains('=') => self.cookies.push(value.to_owned()),
            "cookie" if value.is_empty() => {}
            "cookie" => notes
                .lost(format!("{flag} FILE: cookies of a file are left out; users keep those that the server sets")),
            "user" => {
                if !value.contains(':') {
                    notes.lost(format!("{flag}: has no password, which curl asks for; it is sent empty"));
                }
                self.user = Some(value.to_owned());
            }
            "oauth2-bearer" => self.bearer = Some(value.to_owned()),
            "max-time" => self.timeout = seconds(value).map_err(refused)?,
            "connect-timeout" => self.connect_timeout = seconds(value).map_err(refused)?,
            "range" if value.contains('-') => self.range = Some(value.to_owned()),
            "continue-at" if value == "0" => {}
            "continue-at" if value == "-" => notes.lost(format!("{flag} -: left out, it depends on a local file")),
            "range" | "continue-at" => self.range = Some(format!("{value}-")),
            "request-target" => self.request_target = Some(value.to_owned()),
            "proto-default" => self.scheme = Some(value.to_ascii_lowercase()),
            "max-redirs" => {
                // As many as a scenario can have stands for any number.
                let most = if value == "-1" { Ok(1000) } else { value.parse::<u16>() };
                self.max_redirects = Some(
                    most.ok()
                        .filter(|most| *most <= 1000)
                        .ok_or_else(|| refused("expected a number from 0 to 1000, or -1".to_owned()))?,
                );
            }
            _ => return self.body(name, flag, value, notes),
        }
        Ok(())
    }

    /// Handles an option that is about the body or the query.
    fn body(&mut self, name: &str, flag: &str, value: &str, notes: &mut Notes) -> Result<()> {
        let stdin = self.stdin.as_ref();
        match name {
            "url-query" => match value.strip_prefix('+') {
                Some(plain) => data::add(&mut self.url_query, DataKind::Raw, flag, plain, stdin, notes),
                None => data::add_encoded(&mut self.url_query, flag, value, stdin, notes),
            },
            "data-urlencode" => data::add_encoded(&mut self.data, flag, value, stdin, notes),
            "form" => {
                let part = form::part(flag, value, notes)?;
                self.parts.get_or_insert_default().extend(part);
            }
            "form-string" => {
                let part = form::literal_part(flag, value, notes)?;
                self.parts.get_or_insert_default().extend(part);
            }
            _ => {
                let kind = match name {
                    "data-raw" => DataKind::Raw,
                    "data-binary" => DataKind::Binary,
                    "json" => DataKind::Json,
                    _ => DataKind::Lines,
                };
                self.is_json |= kind == DataKind::Json;
                data::add(&mut self.data, kind, flag, value, stdin, notes);
            }
        }
        Ok(())
    }

    /// Handles `-H`: a field, `Name;` for one without a value, `Name:` for one that is not sent, or a file of them.
    fn header(&mut self, flag: &str, text: &str, notes: &mut Notes) {
        if let Some(path) = text.strip_prefix('@') {
            match files::text(path, self.stdin.as_ref()) {
                Ok(lines) => lines.lines().for_each(|line| self.header_field(flag, line, notes)),
                Err(why) => notes.lost(format!("{flag} @FILE: left out, {why}")),
            }
        } else {
            self.header_field(flag, text, notes);
        }
    }

    fn header_field(&mut self, flag: &str, text: &str, notes: &mut Notes) {
        let (name, value) = match (text.split_once(':'), text.split_once(';')) {
            (Some((name, value)), _) => (name, Some(value.trim_matches([' ', '\t'])).filter(|value| !value.is_empty())),
            (None, Some((name, rest))) if rest.trim_ascii().is_empty() => (name, Some("")),
            // curl sends nothing for it either.
            _ => return,
        };
        let is_computed = ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str());
        let has_control = value.is_some_and(|value| value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t'));
        if is_computed {
            notes.lost(format!("{flag} {name}: left out, it is made from the body"));
        } else if value::header_name(name).is_err() || has_control {
            // What is no name may be a value.
            notes.lost(format!("{flag} {}: left out, HTTP does not allow its name or value", masked_name(name)));
        } else {
            if value.is_some_and(marks::has_byte) {
                notes.lost(format!(
                    "{flag} {name}: bytes that are not UTF-8 are replaced, as a scenario cannot have them"
                ));
            }
            self.headers.push((name.to_owned(), value.map(str::to_owned)));
        }
    }
}

/// A name that is none, for a message: up to what is wrong with it.
fn masked_name(name: &str) -> String {
    let good = name.bytes().take_while(|byte| value::is_token(*byte)).count();
    format!("{:?}...", &name[..good])
}

/// The value of an option for a message, without secrets.
fn shown(name: &str, value: &str) -> String {
    let value = marks::shown(value);
    match name {
        // Behind a colon stands the password.
        "cert" => value.split(':').next().map(str::to_owned).unwrap_or_default(),
        "key" | "config" | "resolve" | "connect-to" => value,
        "engine" | "variable" | "delegation" => MASK.to_owned(),
        // Addresses of proxies have passwords, with a scheme or without, and however they are written.
        _ if name.contains("proxy") || name.contains("socks") || value.contains("://") => masked_url(&value),
        _ => masked(&value),
    }
}

/// Why an option is left out, or what to do instead, where that is not plain.
fn reason(name: &str) -> &'static str {
    match name {
        "http1.0" | "http2" | "http2-prior-knowledge" | "http3" | "http3-only" => ", requests are sent by HTTP/1.1",
        "aws-sigv4" => ", and credentials with it; requests cannot be signed",
        "retry" | "retry-delay" | "retry-max-time" | "retry-all-errors" | "retry-connrefused" => {
            ", a request that fails is counted and not sent again"
        }
        "config" => ", write the options of that file into the command",
        "parallel" => ", the requests are sent one after another",
        "post301" | "post302" | "post303" => ", a POST that is redirected becomes a GET",
        "socks4" | "socks4a" | "socks5" | "socks5-hostname" | "preproxy" | "proxy1.0" => {
            ", pass a proxy to swarmline run as --proxy URL"
        }
        "connect-to" => ", pass the address to swarmline run as --resolve HOST:PORT:ADDR",
        _ => "",
    }
}

/// curl takes seconds only, without the units that a scenario allows; 0 is no limit.
fn seconds(text: &str) -> std::result::Result<Option<String>, String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("{:?} is not a number of seconds", marks::shown(text)));
    }
    if text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse() == Ok(0.0) {
        return Ok(None);
    }
    let timeout = format!("{text}s");
    value::positive_duration(&timeout).map(|_| Some(timeout))
}
