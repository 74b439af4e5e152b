//! Where metrics are pushed by OTLP: from `--otlp` and the variables of OpenTelemetry,
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::engine::Environment;
use super::percent;
use super::tls::Authorities;
use super::url::{Parsed, Scheme, Url};
use crate::error::{Error, Result};
use crate::secret::{MASK, masked_url};

/// The flag.
const FLAG: &str = "--otlp";

/// The path of metrics below a base URL.
const PATH: &str = "/v1/metrics";

/// How long a push may take unless a variable says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that a variable may allow.
const MAX_TIMEOUT_MS: u64 = 3_600_000;

/// Where metrics are pushed, and as what.
#[derive(Debug)]
pub struct OtlpPlan {
    /// The URL of pushes, without user information. Its query may hold a secret: [`OtlpPlan::shown`] is for people.
    pub url: String,
    /// The URL for people.
    pub shown: String,
    /// Further headers, whose values are secrets.
    pub headers: Vec<(String, String)>,
    /// How long a push may take.
    pub timeout: Duration,
    /// Attributes of the resource that replace or extend ours.
    pub resource: Vec<(String, String)>,
    /// Who is trusted where the URL is `https`.
    pub authorities: Option<Authorities>,
    /// The variable that named the URL; `None` where the flag did.
    pub variable: Option<&'static str>,
}

/// What was asked for.
#[derive(Debug)]
pub enum OtlpChoice {
    /// Nothing.
    None,
    /// The flag, but a variable forbids it; a sentence for people.
    Disabled(&'static str),
    /// Metrics are pushed.
    Push(Box<OtlpPlan>),
}

/// A setting of which there is one for all signals and one for metrics, which comes first.
struct Variable {
    metrics: &'static str,
    all: &'static str,
}

const PROTOCOL: Variable =
    Variable { metrics: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", all: "OTEL_EXPORTER_OTLP_PROTOCOL" };
const HEADERS: Variable = Variable { metrics: "OTEL_EXPORTER_OTLP_METRICS_HEADERS", all: "OTEL_EXPORTER_OTLP_HEADERS" };

/// Headers that a push sets itself, or that say how the message is sent.
const OWN_HEADERS: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const TIMEOUT_MS: Variable =
    Variable { metrics: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", all: "OTEL_EXPORTER_OTLP_TIMEOUT" };
const CERTIFICATE: Variable =
    Variable { metrics: "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", all: "OTEL_EXPORTER_OTLP_CERTIFICATE" };
const ENDPOINT: Variable =
    Variable { metrics: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", all: "OTEL_EXPORTER_OTLP_ENDPOINT" };

impl Variable {
    /// The value and the name of the variable that has it; an empty one counts as unset.
    fn get<'e>(&self, environment: &'e Environment) -> Option<(&'static str, &'e str)> {
        let value = |name| environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        [self.metrics, self.all].into_iter().find_map(|name| Some((name, value(name)?)))
    }
}

impl OtlpChoice {
    /// What `--otlp` and the environment ask for.
    ///
    /// # Errors
    /// Exit 2, with the flag or the variable. No value of a header is shown.
    pub fn new(flag: Option<&str>, environment: &Environment) -> Result<Self> {
        let Some(endpoint) = Endpoint::of(flag, environment) else { return Ok(Self::None) };
        let variable = endpoint.variable;
        let is =
            |name: &str, value: &str| environment.get(name).is_some_and(|told| told.trim().eq_ignore_ascii_case(value));
        let off = match (is("OTEL_SDK_DISABLED", "true"), is("OTEL_METRICS_EXPORTER", "none")) {
            (true, _) => Some("OTEL_SDK_DISABLED=true: nothing is pushed to --otlp"),
            (_, true) => Some("OTEL_METRICS_EXPORTER=none: nothing is pushed to --otlp"),
            _ => None,
        };
        if let Some(why) = off {
            return Ok(if variable.is_none() { Self::Disabled(why) } else { Self::None });
        }
        check_protocol(environment)?;
        let (url, userinfo) = endpoint.url()?;
        let text = format!("{}{}", url.origin().text(), url.target());
        let mut headers = headers(environment)?;
        if let Some(userinfo) = &userinfo {
            if let Some((name, _)) = HEADERS.get(environment).filter(|_| has_authorization(&headers)) {
                let why = format!("Authorization is there, and the URL of {} has a name", variable.unwrap_or(FLAG));
                return Err(Error::usage(name, format!("{why}; leave one of them out")));
            }
            headers.push(("authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(userinfo))));
        }
        let is_tls = url.origin().scheme() == Scheme::Https;
        let certificate = CERTIFICATE.get(environment).map(|(name, path)| (name, PathBuf::from(path)));
        let authorities = is_tls.then(|| Authorities::new(certificate, environment)).transpose()?;
        Ok(Self::Push(Box::new(OtlpPlan {
            shown: shown(&text),
            url: text,
            headers,
            timeout: timeout(environment)?,
            resource: resource(environment)?,
            authorities,
            variable,
        })))
    }
}

impl OtlpChoice {
    /// The plan, if metrics are pushed. `say` is given why they are not, though the flag asks for it.
    pub fn plan(self, say: impl FnOnce(&str)) -> Option<OtlpPlan> {
        match self {
            Self::None => None,
            Self::Disabled(why) => {
                say(why);
                None
            }
            Self::Push(plan) => Some(*plan),
        }
    }
}

/// A URL as given.
struct Endpoint<'e> {
    text: &'e str,
    /// The variable that it is of.
    variable: Option<&'static str>,
}

impl<'e> Endpoint<'e> {
    fn of(flag: Option<&'e str>, environment: &'e Environment) -> Option<Self> {
        let of_variable = || ENDPOINT.get(environment).map(|(name, text)| Self { text, variable: Some(name) });
        flag.map(|text| Self { text, variable: None }).or_else(of_variable)
    }

    /// The URL of pushes, and what stood before its host.
    fn url(&self) -> Result<(Url, Option<String>)> {
        let Parsed { url, userinfo } = Url::parse(self.text)
            .map_err(|why| Error::usage(self.variable.unwrap_or(FLAG), format!("{}: {why}", shown(self.text))))?;
        let (path, query) = url.target().split_once('?').unwrap_or((url.target(), ""));
        let path = path.trim_end_matches('/');
        // The variable of metrics is taken as it is.
        if self.variable == Some(ENDPOINT.metrics) || path.ends_with(PATH) {
            return Ok((url, userinfo));
        }
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        Ok((Url::at(Arc::clone(url.origin()), format!("{path}{PATH}{query}")), userinfo))
    }
}

/// A URL for people. Its query is for keys, whatever their names.
pub(super) fn shown(url: &str) -> String {
    let Some((before, query)) = url.split_once('?') else { return masked_url(url) };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) => format!("{name}={MASK}"),
        None => MASK.to_owned(),
    };
    format!("{}?{}", masked_url(before), query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

fn check_protocol(environment: &Environment) -> Result<()> {
    match PROTOCOL.get(environment) {
        None | Some((_, "http/protobuf")) => Ok(()),
        Some((name, protocol)) => {
            let why = format!("{protocol:?} is not supported; set it to http/protobuf, usually with port 4318");
            Err(Error::usage(name, why))
        }
    }
}

fn has_authorization(headers: &[(String, String)]) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

fn headers(environment: &Environment) -> Result<Vec<(String, String)>> {
    let Some((name, list)) = HEADERS.get(environment) else { return Ok(Vec::new()) };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let pairs = pairs(name, list)?;
    for (at, (key, value)) in pairs.iter().enumerate() {
        let is_value = value.bytes().all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f));
        if key.is_empty() || !key.bytes().all(is_token) || !is_value {
            return Err(Error::usage(name, format!("entry {} is not a header", at + 1)));
        }
        if OWN_HEADERS.iter().any(|own| key.eq_ignore_ascii_case(own)) {
            return Err(Error::usage(name, format!("{key} is a header that swarmline sets itself; leave it out")));
        }
    }
    Ok(pairs)
}

fn resource(environment: &Environment) -> Result<Vec<(String, String)>> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let list = environment.get(ATTRIBUTES).map_or("", String::as_str);
    let mut attributes = pairs(ATTRIBUTES, list)?;
    let service = environment.get("OTEL_SERVICE_NAME").filter(|name| !name.is_empty());
    attributes.extend(service.map(|service| ("service.name".to_owned(), service.clone())));
    Ok(attributes)
}

/// `KEY=VALUE` pairs with commas between them, values percent-encoded: W3C Baggage.
fn pairs(name: &str, list: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (at, entry) in list.split(',').enumerate().filter(|(_, entry)| !entry.trim().is_empty()) {
        let pair = entry.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
            return Err(Error::usage(name, format!("entry {} is not KEY=VALUE", at + 1)));
        };
        pairs.push((percent::decode_lossy(key), percent::decode_lossy(value)));
    }
    Ok(pairs)
}

fn timeout(environment: &Environment) -> Result<Duration> {
    let Some((name, text)) = TIMEOUT_MS.get(environment) else { return Ok(TIMEOUT) };
    match text.parse() {
        Ok(ms @ 1..=MAX_TIMEOUT_MS) => Ok(Duration::from_millis(ms)),
        _ => Err(Error::usage(name, format!("must be a number of milliseconds from 1 to {MAX_TIMEOUT_MS}"))),
    }
}

#[cfg(test)]
mod tests;
