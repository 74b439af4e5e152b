//! The live page of a run, and its metrics, over HTTP.
//!
//! | request | response |
//! | --- | --- |
//! | `GET /` | the report so far, as a page that goes on asking |
//! | `GET /data?base=VERSION` | what has changed since that version, as JSON; waits for a tick, 0.7 s at least and 3.7 s at most, then 204. `endpoint=N` adds the charts of an endpoint, `now=1` does not wait |
//! | `GET /metrics` | metrics for Prometheus |
//! | `POST /stop` | stops the run, for its own page only |

mod access;
mod readers;
mod updates;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::feed::{Feed, FeedState};
use super::prometheus;
use crate::error::{Error, Result};
use crate::plan::random;
use crate::plan::web::WebPlan;
use crate::report::files::html::live::live_policy;
use crate::server::pages::{AfterSending, PageListener, PageRequest, PageResponse, PageServer, Pages};
use access::{is_own_host, may_stop};
use readers::Readers;
use updates::Updates;

/// How long a request for data waits for a tick: shorter than what proxies and browsers wait for.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Least time from a request for data to its response: a page waits here rather than by itself, so that it is there to be sent
/// the end.
const LEAST_WAIT: Duration = Duration::from_millis(700);

/// How long the end of a run waits for pages to be sent it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What `GET /metrics` is.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The port of a page that is not served yet.
pub struct WebListener {
    listener: PageListener,
    host: String,
}

impl WebListener {
    /// Takes the port.
    ///
    /// # Errors
    /// Exit 2: the port is in use, the host unknown.
    pub fn listen(plan: &WebPlan) -> Result<Self> {
        let WebPlan { host, port, .. } = plan;
        let listener = PageServer::listen(host, *port)
            .map_err(|why| Error::usage(format!("--web-port {port}"), format!("{host}:{port}: {why}")))?;
        Ok(Self { listener, host: host.clone() })
    }

    /// The address of the page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.listener.addr())
    }

    /// Starts serving. With `stop`, and if only this machine can reach it, the page has a button that stops the run.
    ///
    /// # Errors
    /// Exit 2: no thread can be started.
    pub fn serve(self, feed: &Feed, testplan: &str, stop: Option<Sender<()>>) -> Result<Web> {
        let stop = stop.filter(|_| self.listener.is_loopback());
        let token = || format!("{:016x}{:016x}", random::entropy(), random::entropy());
        let readers = Arc::new(Readers::default());
        let pages = WebPages {
            feed: feed.clone(),
            host: self.host,
            updates: Updates::new(format!("{:016x}", random::entropy()), testplan),
            readers: Arc::clone(&readers),
            stop: stop.map(|stop| (stop, token())),
        };
        let server = self.listener.serve(pages).map_err(|why| Error::usage("--web-port", why))?;
        Ok(Web { server, readers })
    }
}

/// A page that is served. Dropping it closes all connections.
pub struct Web {
    #[allow(dead_code, reason = "serves until it is dropped")]
    server: PageServer,
    readers: Arc<Readers>,
}

impl Web {
    /// Waits until the pages that are open have been sent the end of the run, at most a second.
    pub fn finish(&self) {
        self.readers.wait_for_all(LAST_WORDS);
    }
}

struct WebPages {
    feed: Feed,
    host: String,
    updates: Updates,
    readers: Arc<Readers>,
    /// How to stop the run, and the token of the page's button.
    stop: Option<(Sender<()>, String)>,
}

impl Pages for WebPages {
    fn respond(&self, request: &PageRequest) -> PageResponse {
        if !request.field("Host").is_some_and(|host| is_own_host(host, &self.host)) {
            return PageResponse::text(
                421,
                "this page is served under addresses, localhost and the name of --web-host",
            );
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => self.page(),
            ("GET", "/data") => self.data(request),
            ("GET", "/metrics") => {
                let live = self.feed.latest();
                response(METRICS, prometheus::metrics(live.as_deref()).into())
            }
            ("POST", "/stop") => self.stop(request),
            (_, "/" | "/data" | "/metrics") => not_allowed("GET, HEAD"),
            (_, "/stop") => not_allowed("POST"),
            _ => PageResponse::text(404, "not found"),
        }
    }

    fn after(&self, due: AfterSending) {
        match due {
            AfterSending::ReaderHasAll(reader) => self.readers.has_end(reader),
            AfterSending::Stop => {
                // A run that is stopping or over has room for no further request, or takes none.
                let _ = self.stop.as_ref().map(|(stop, _)| stop.try_send(()));
            }
        }
    }
}

impl WebPages {
    fn page(&self) -> PageResponse {
        let token = self.stop.as_ref().map(|(_, token)| token.as_str());
        let mut page = response("text/html; charset=utf-8", self.updates.page(self.feed.latest().as_ref(), token));
        // A page in a frame could be made to be pressed.
        let policy = live_policy();
        let _ = write!(
            page.fields,
            "Content-Security-Policy: {policy}; frame-ancestors 'none'\r\nX-Frame-Options: DENY\r\n"
        );
        page
    }

    fn data(&self, request: &PageRequest) -> PageResponse {
        let base = request.parameter("base").unwrap_or_default();
        let endpoint = request.parameter("endpoint").and_then(|endpoint| endpoint.parse().ok());
        let reader = request.parameter("reader").and_then(|reader| reader.parse().ok());
        if let Some(reader) = reader {
            self.readers.ask(reader);
        }
        let number = self.updates.number(base);
        if let Some(known) = number.filter(|_| request.parameter("now").is_none()) {
            // The end goes out at once: the process may not be there for longer.
            if self.feed.wait_for_end(LEAST_WAIT) == FeedState::Going {
                let _ = self.feed.wait(known, LONGEST_WAIT);
            }
        }
        let live = self.feed.latest();
        let is_over = live.as_ref().is_some_and(|live| live.state == FeedState::Over);
        let is_new = number != live.as_ref().map(|live| live.version).or(Some(0)) || endpoint.is_some();
        let mut response = if is_new {
            response("application/json", self.updates.update(live.as_ref(), base, endpoint))
        } else {
            PageResponse { status: 204, ..response("application/json", "".into()) }
        };
        response.then = reader.filter(|_| is_over).map(AfterSending::ReaderHasAll);
        response
    }

    fn stop(&self, request: &PageRequest) -> PageResponse {
        match &self.stop {
            None => PageResponse::text(403, "this page is read-only"),
            Some((_, token)) if !may_stop(request, token) => {
                PageResponse::text(403, "only the run's own page can stop it")
            }
            Some(_) => PageResponse { then: Some(AfterSending::Stop), ..PageResponse::text(202, "stopping") },
        }
    }
}

/// A response that is not kept by anyone, and is what its type says.
fn response(content_type: &'static str, body: Arc<str>) -> PageResponse {
    let fields = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n\
                  Cross-Origin-Resource-Policy: same-origin\r\n";
    PageResponse { status: 200, content_type, fields: fields.to_owned(), body, then: None }
}

fn not_allowed(methods: &str) -> PageResponse {
    PageResponse { fields: format!("Allow: {methods}\r\n"), ..PageResponse::text(405, "method not allowed") }
}
