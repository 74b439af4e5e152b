//! One push over HTTP, and what its answer means.

use std::io::{self, ErrorKind};
use std::time::Duration;

use ureq::http::header::RETRY_AFTER;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::message::rejected;
use crate::plan::otlp::OtlpPlan;
use crate::secret::masked;

/// Maximum bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 * 1024;

/// Maximum characters of a backend's own words.
const MAX_WORDS: usize = 200;

/// The name of the backend's host is unknown.
const NO_ADDRESS: &str = "the host has no address";

/// Pushes messages to one backend.
pub(super) struct Client<'p> {
    plan: &'p OtlpPlan,
    agent: Agent,
}

/// The result of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PushResult {
    /// The backend took it, but for some data points; the text says why.
    Taken {
        /// Number of data points that it refused.
        rejected: u64,
        /// In its words.
        why: String,
    },
    /// It did not arrive; another attempt may succeed, not before the time that the backend asked for.
    Retry {
        /// For people, without secrets.
        why: String,
        /// What `Retry-After` says.
        after: Option<Duration>,
    },
    /// The backend does not want it, now or later.
    Refused(String),
}

impl<'p> Client<'p> {
    pub(super) fn new(plan: &'p OtlpPlan) -> Self {
        let given = plan.authorities.as_ref().map_or(&[][..], |authorities| authorities.certificates());
        let given: Vec<Certificate<'static>> =
            given.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect();
        let roots = if given.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&given) };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // ureq's default takes the proxy of the environment, which would get the headers.
            .proxy(None)
            // Headers with secrets go to no other host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("swarmline/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Self { plan, agent: config.new_agent() }
    }

    /// Pushes a message, within `limit` and the plan's timeout.
    pub(super) fn push(&self, message: &[u8], limit: Duration) -> PushResult {
        let mut request = self.agent.post(&self.plan.url).header("content-type", "application/x-protobuf");
        for (name, value) in &self.plan.headers {
            request = request.header(name, value);
        }
        let limit = self.plan.timeout.min(limit);
        let limited = request.config().timeout_global(Some(limit)).build();
        match limited.send(message) {
            Ok(response) => answer(response, limit),
            // A connection that cannot be made, or ends, or takes too long.
            Err(why) => PushResult::Retry { why: reason(&why, limit), after: None },
        }
    }
}

fn answer(mut response: ureq::http::Response<Body>, limit: Duration) -> PushResult {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date would need a wall clock that agrees with the backend's; the usual pause takes its place.
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
    match (status.as_u16(), body) {
        (200..=299, Ok(body)) => {
            let (rejected, why) = rejected(&body);
            PushResult::Taken { rejected, why: words(&why) }
        }
        (200..=299, Err(why)) => PushResult::Retry { why: format!("{status}, then {}", reason(&why, limit)), after },
        (429 | 502 | 503 | 504, _) => PushResult::Retry { why: format!("the backend answered {status}"), after },
        _ => PushResult::Refused(format!("the backend answered {status}")),
    }
}

/// Why there is no answer, in words for people. Nothing of the request is in it, but a URL may be.
fn reason(why: &ureq::Error, limit: Duration) -> String {
    match why {
        // Whole tenths: what is left of the last push is an odd number.
        ureq::Error::Timeout(_) => format!("no answer within {} s", (limit.as_secs_f64() * 10.0).ceil() / 10.0),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => "not an HTTP answer".to_owned(),
        ureq::Error::HostNotFound => NO_ADDRESS.to_owned(),
        ureq::Error::Io(why) => io_reason(why),
        ureq::Error::Rustls(why) => masked(&format!("TLS: {why}")),
        why => masked(&why.to_string()),
    }
}

fn io_reason(why: &io::Error) -> String {
    match why.kind() {
        ErrorKind::UnexpectedEof => "the connection was closed before the answer".to_owned(),
        // The standard library has no kind for it.
        _ if why.to_string().starts_with("failed to lookup address") => NO_ADDRESS.to_owned(),
        // Errors of TLS come in this form too.
        _ if why.raw_os_error().is_none() && why.get_ref().is_some() => masked(&why.to_string()),
        // Without the number that the system's own text has.
        kind => kind.to_string(),
    }
}

/// A backend's own words, so far that they cannot flood or confuse a terminal.
fn words(text: &str) -> String {
    masked(&text.chars().filter(|character| !character.is_control()).take(MAX_WORDS).collect::<String>())
}
