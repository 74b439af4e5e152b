//! A recorded exchange.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::super::correlate::{Answer, Collector, ValueBudget};
use super::exclusion::Exclusion;
use super::kind::{self, Fields, field};
use super::post::{self, RecordedBody};
use crate::clock;
use crate::plan::json::{Duplicates, RawJson};
use crate::plan::url::Url;

/// A recorded exchange.
#[derive(Debug)]
pub(super) struct RecordedExchange {
    /// Seconds since 1970, if the recording has it.
    pub(super) started: Option<f64>,
    /// How long it took.
    pub(super) seconds: f64,
    pub(super) page: Option<String>,
    /// Whether it loads a page, as far as the recorder tells.
    pub(super) is_page: bool,
    pub(super) is_asset: bool,
    /// Why it is not a request to a server.
    pub(super) exclusion: Option<Exclusion>,
    pub(super) method: String,
    pub(super) origin: String,
    /// Path and query.
    pub(super) target: String,
    /// `name:password` of the URL.
    pub(super) credentials: Option<String>,
    pub(super) headers: Fields,
    pub(super) content_type: String,
    pub(super) post: RecordedBody,
    /// Status of the response, if the recording has one.
    pub(super) status: Option<u16>,
    /// Where the response redirects to.
    pub(super) redirect: Option<String>,
    /// Cookies that the response sets.
    pub(super) cookies: Vec<(String, String)>,
    /// Values of the response that may be tokens.
    pub(super) values: ResponseValues,
}

/// Values of a response, by where it has them.
#[derive(Debug, Default)]
pub(super) struct ResponseValues {
    /// In the body and the headers: of redirects users see those of the last response only.
    pub(super) own: Answer,
    /// In cookies: those of all hops.
    pub(super) cookies: Answer,
    /// In the URL, which the server has chosen if it is that of a redirect.
    pub(super) url: Answer,
}

/// An error: the position in the entry, and a sentence.
type Refused = (&'static str, String);

impl RecordedExchange {
    /// Reads an entry.
    pub(super) fn read(entry: &Value, budget: &mut ValueBudget) -> Result<Self, Refused> {
        let (request, response) = (&entry["request"], &entry["response"]);
        let needed =
            |value: &Value, at| value.as_str().map(str::to_owned).ok_or((at, "missing, or not text".to_owned()));
        let url = needed(&request["url"], "/request/url")?;
        let method = needed(&request["method"], "/request/method")?;
        let headers = fields(&request["headers"]);
        let exclusion = kind::not_a_request(entry, &method, &url, &headers);
        let (origin, target, credentials) = match (&exclusion, Url::parse(&url)) {
            (_, Ok(parsed)) => (parsed.url.origin().text(), parsed.url.target().to_owned(), parsed.userinfo),
            (Some(_), Err(_)) => (String::new(), String::new(), None),
            (None, Err(why)) => return Err(("/request/url", why)),
        };
        let status = response["status"].as_u64().and_then(|status| status.try_into().ok());
        let path = target.split('?').next().unwrap_or_default();
        let is_asset = kind::is_asset(entry, &method, &headers, path);
        let sent_type = field(&headers, "content-type").or_else(|| request["postData"]["mimeType"].as_str());
        let content_type = sent_type.unwrap_or_default().to_owned();
        let mut exchange = Self {
            started: entry["startedDateTime"].as_str().and_then(clock::unix_time).map(|at| at.as_secs_f64()),
            seconds: entry["time"].as_f64().filter(|time| time.is_finite()).unwrap_or_default().max(0.0) / 1e3,
            page: entry["pageref"].as_str().map(str::to_owned),
            is_page: kind::is_page(entry, &headers),
            is_asset,
            post: post::read(request, &content_type, &headers),
            redirect: redirect(response, status),
            cookies: cookies(response),
            values: ResponseValues::default(),
            exclusion,
            method,
            origin,
            target,
            credentials,
            headers,
            content_type,
            status,
        };
        if exchange.exclusion.is_none() && !is_asset {
            exchange.values = exchange.response_values(response, budget);
        }
        Ok(exchange)
    }

    /// Origin, path and query.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    /// When its response had been received, in seconds since 1970.
    pub(super) fn end(&self) -> Option<f64> {
        self.started.map(|started| started + self.seconds)
    }

    /// The destination of its redirect, as origin and target.
    pub(super) fn redirect_url(&self) -> Option<String> {
        let from = Url::parse(&self.url()).ok()?.url;
        let url = from.join(self.redirect.as_deref()?).ok()?;
        Some(format!("{}{}", url.origin().text(), url.target()))
    }

    /// The values of the response, for the requests that follow.
    fn response_values(&self, response: &Value, budget: &mut ValueBudget) -> ResponseValues {
        let path = self.target.split('?').next().unwrap_or_default();
        let mut values = Collector::new(path, budget);
        let content = &response["content"];
        let mime = content["mimeType"].as_str().unwrap_or_default().to_ascii_lowercase();
        let text = content["text"].as_str().map(|text| {
            if content["encoding"] == "base64" {
                BASE64_STANDARD.decode(text).unwrap_or_default()
            } else {
                text.as_bytes().to_vec()
            }
        });
        let text = text.unwrap_or_default();
        if mime.contains("json") {
            if let Some(json) = RawJson::parse(&text).ok().and_then(|json| json.parse_tree(Duplicates::LastWins).ok()) {
                values.json(&json);
            }
        } else if mime.contains("html") {
            values.html(&String::from_utf8_lossy(&text));
        }
        for (name, value) in fields(&response["headers"]) {
            values.header(&name, &value);
        }
        let own = values.take();
        self.cookies.iter().for_each(|(name, value)| values.cookie(name, value));
        let cookies = values.take();
        values.url(&self.target);
        ResponseValues { own, cookies, url: values.take() }
    }
}

/// The header fields of a message. Recorders of HTTP/2 join fields of one name by line breaks.
fn fields(list: &Value) -> Fields {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let read = list.as_array().into_iter().flatten();
    let read = read.filter_map(|field| Some((text(&field["name"])?, text(&field["value"])?)));
    let lines = |(name, value): (String, String)| {
        let lines: Vec<(String, String)> =
            value.split('\n').map(|line| (name.clone(), line.trim().to_owned())).collect();
        lines
    };
    read.flat_map(lines).collect()
}

/// Where the response redirects to. Some recorders leave the field for it empty.
fn redirect(response: &Value, status: Option<u16>) -> Option<String> {
    let is_redirect = matches!(status, Some(301 | 302 | 303 | 307 | 308));
    let named = response["redirectURL"].as_str().filter(|to| !to.is_empty()).map(str::to_owned);
    let location = || field(&fields(&response["headers"]), "location").map(str::to_owned);
    named.or_else(location).filter(|_| is_redirect)
}

/// Names and values of the cookies that a response sets.
fn cookies(response: &Value) -> Vec<(String, String)> {
    let headers = fields(&response["headers"]).into_iter();
    let set = headers.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pair = |text: &str| {
        let (name, value) = text.split(';').next()?.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    let mut cookies: Vec<(String, String)> = set.filter_map(|(_, value)| pair(&value)).collect();
    for cookie in response["cookies"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (cookie["name"].as_str(), cookie["value"].as_str())
            && !cookies.iter().any(|(known, _)| known == name)
        {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }
    cookies
}
