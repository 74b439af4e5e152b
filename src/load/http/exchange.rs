//! A request and its response: sends prepared bytes, reads the response, follows redirects, replaces a dead connection.

use std::sync::Arc;
use std::time::Duration;

use super::cookies::{CookieScope, Jar};
use super::incoming::Response;
use super::kept_connections::KeptConnections;
use super::memory::{Keep, Memory};
use super::recorder::{HopRecorder, RecordLimits};
use super::round_trip::{RequestLimits, RoundTrip, is_close, unix_seconds};
use super::upload::{BrokenFile, text_after_head};
use crate::clock::Moment;
use crate::load::net::connection::{Dialer, RequestDeadline};
use crate::load::net::socket::Cancellation;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::roster::UserSlot;
use crate::outcome::{Ending, Failure, RedirectTrouble, Traffic};
use crate::plan::Reuse;
use crate::plan::request::Request;
use crate::plan::response::UnreadBody;
use crate::plan::text_search::TextSearches;
use crate::plan::trace::Traceparent;
use crate::plan::wire::WireRequest;
use crate::transcript::Hop as TranscriptHop;

/// One user's HTTP client: its connections, and what it shares with all other users.
pub(in crate::load) struct Exchange<'run> {
    run: RunContext<'run>,
    dialer: &'run Dialer,
    slot: &'run UserSlot,
    kept: KeptConnections,
    memory: Memory,
    /// Buffer for requests that fields are added to: cookies, the trace.
    with_fields: Vec<u8>,
    /// The URL of the last response, if it was to be kept.
    url: String,
    /// The file that the last request could not send.
    broken_file: Option<BrokenFile>,
}

/// A connection idle for longer is checked before it is used: the server may have closed it, some with a final response
/// that no request asked for (408). The check is a system call; users without think time do not pay for it.
const CHECK_AFTER_IDLE: Duration = Duration::from_millis(1);

/// A 408 on a connection idle for this long is such a final response that arrived after the check, and not the response
/// to the request. Shorter than any idle timeout that servers are configured with, longer than a request is in transit.
const FAREWELL_AFTER_IDLE: Duration = Duration::from_millis(100);

/// How a request is to be performed, besides its bytes.
#[derive(Clone, Copy)]
pub(in crate::load) struct RequestOptions {
    /// Total time, redirects included.
    pub(in crate::load) timeout: Duration,
    /// Maximum redirects to follow; with 0 a redirect is the response.
    pub(in crate::load) max_redirects: u16,
    /// How much of the response is kept.
    pub(in crate::load) keep: Keep,
    /// Whether the URL of the response is kept.
    pub(in crate::load) keep_url: bool,
    /// The value of the field `traceparent` that each hop of the request carries, if it is traced.
    pub(in crate::load) traceparent: Option<Traceparent>,
}

/// The result of a request, before expectations are checked.
pub(in crate::load) struct Exchanged {
    pub(in crate::load) sent: Moment,
    pub(in crate::load) done: Moment,
    pub(in crate::load) traffic: Traffic,
    /// The response's status, or how the request ended without one.
    pub(in crate::load) result: Result<u16, Ending>,
    /// A file of the body that could no longer be sent.
    pub(in crate::load) broken_file: Option<BrokenFile>,
}

/// A request to one origin: one step of a redirect chain.
#[derive(Clone, Copy)]
struct Hop<'h> {
    request: WireRequest<'h>,
    /// The bytes to send, if fields were added: up to the first piece of the body that is sent on its own.
    with_fields: Option<&'h [u8]>,
    limits: RequestLimits,
}

impl<'run> Exchange<'run> {
    /// An HTTP client for one more user.
    pub(in crate::load) fn new(run: RunContext<'run>, dialer: &'run Dialer, user_slot: &'run UserSlot) -> Self {
        Self {
            run,
            dialer,
            slot: user_slot,
            kept: KeptConnections::default(),
            memory: Memory::default(),
            with_fields: Vec::new(),
            broken_file: None,
            url: String::new(),
        }
    }

    /// Performs one request, which starts at `sent`.
    ///
    /// What few requests need is in functions that are never inlined. Inlined, their room would be in the frames of every
    /// request, and with thousands of users a thread's stack is not in the cache when its response arrives.
    pub(in crate::load) fn perform(
        &mut self,
        request: WireRequest<'_>,
        terms: RequestOptions,
        sent: Moment,
    ) -> Exchanged {
        if let Some(recorder) = &mut self.memory.recorder {
            recorder.restart();
        }
        let mut traffic = Traffic::default();
        let mut latest = sent;
        let result = self.follow(request, terms, sent, &mut traffic, &mut latest);
        let (result, done) = match result {
            Ok(status) => (Ok(status), latest),
            Err(_) if self.run.stop.is_cut() => (Err(Ending::Aborted), self.run.clock.now()),
            Err(failure) => (Err(Ending::Failed(failure)), self.run.clock.now()),
        };
        Exchanged { sent, done, traffic, result, broken_file: self.broken_file.take() }
    }

    /// Keeps requests and responses for people from now on.
    pub(in crate::load) fn record(&mut self, limits: RecordLimits) {
        self.memory.recorder = Some(Box::new(HopRecorder::new(limits)));
    }

    /// The hops of the last request, and how many were not kept; none without a recorder.
    pub(in crate::load) fn take_hops(&mut self) -> (Vec<TranscriptHop>, usize) {
        self.memory.recorder.as_mut().map_or_else(Default::default, |recorder| recorder.take())
    }

    /// Sets the texts to look for in the bodies of the next request's responses.
    pub(in crate::load) fn look_for(&mut self, searches: TextSearches) {
        self.memory.last.look_for(searches);
    }

    /// The user's cookies and what was kept of the last response: its URL, its head, its decoded body, and the texts
    /// found in it.
    pub(in crate::load) fn last_response(
        &mut self,
        keep: Keep,
    ) -> (&Jar, &str, &[u8], Result<&[u8], UnreadBody>, &TextSearches) {
        let Memory { jar, last, .. } = &mut self.memory;
        let (head, body, texts) = last.finish(keep);
        (jar, &self.url, head, body, texts)
    }

    /// Sends a request and follows redirects; returns the status of the last response.
    fn follow(
        &mut self,
        request: WireRequest<'_>,
        terms: RequestOptions,
        sent: Moment,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<u16, Failure> {
        let limits = RequestLimits { sent, timeout: terms.timeout, keep: terms.keep };
        let answer = self.perform_hop(request, (limits, terms.traceparent.as_ref()), traffic, latest)?;
        if answer.location.is_some() && terms.max_redirects > 0 {
            return self.redirect(request, answer, (limits, terms), traffic, latest);
        }
        if terms.keep_url {
            self.url = request.url();
        }
        Ok(answer.status)
    }

    /// Follows a redirect, and those after it. Never inlined: see [`Exchange::perform`].
    #[cold]
    #[inline(never)]
    fn redirect(
        &mut self,
        first: WireRequest<'_>,
        mut answer: Response,
        (limits, terms): (RequestLimits, RequestOptions),
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<u16, Failure> {
        let mut redirected: Option<Request> = None;
        loop {
            let request = redirected.as_ref().map_or(first, Request::wire);
            let Some(location) = answer.location.take() else {
                if terms.keep_url {
                    self.url = request.url();
                }
                return Ok(answer.status);
            };
            if traffic.redirects >= terms.max_redirects {
                return Err(Failure::Redirect(RedirectTrouble::TooMany));
            }
            let next = Request::redirected(request, answer.status, &location);
            let next = redirected.insert(next.map_err(|_| Failure::Redirect(RedirectTrouble::BadLocation))?);
            traffic.redirects += 1;
            // That response was not the last: what follows, a new connection perhaps, is time before the first byte.
            traffic.first_byte = None;
            answer = self.perform_hop(next.wire(), (limits, terms.traceparent.as_ref()), traffic, latest)?;
        }
    }

    /// One hop, with the user's cookies for it and its trace.
    fn perform_hop(
        &mut self,
        request: WireRequest<'_>,
        (limits, traceparent): (RequestLimits, Option<&Traceparent>),
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Response, Failure> {
        let mut room = std::mem::take(&mut self.with_fields);
        let may_change = traceparent.is_some() || !self.memory.jar.is_empty();
        let has_changed = may_change && self.add_fields(request, traceparent, *latest, &mut room);
        let hop = Hop { request, with_fields: has_changed.then_some(room.as_slice()), limits };
        if let Some(recorder) = &mut self.memory.recorder {
            recorder.begin(request, hop.with_fields.unwrap_or(request.bytes()), *latest, traffic.connecting);
        }
        let answer = self.send_over_connection(hop, traffic, latest);
        if let Some(recorder) = &mut self.memory.recorder {
            recorder.end(traffic, if answer.is_ok() { *latest } else { self.run.clock.now() });
        }
        self.with_fields = room;
        answer
    }

    /// Writes the request with its trace, and with its cookies if any apply; a request with a `Cookie` field of its own
    /// gets no other. Returns whether anything was added. Never inlined: see [`Exchange::perform`].
    #[inline(never)]
    fn add_fields(
        &self,
        request: WireRequest<'_>,
        traceparent: Option<&Traceparent>,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> bool {
        let (head, rest) = request.split_at_empty_line();
        out.clear();
        out.extend_from_slice(head);
        if let Some(value) = traceparent {
            out.extend_from_slice(b"traceparent: ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        let has_cookies = !request.has_header("cookie")
            && self.memory.jar.write(CookieScope::of(request), unix_seconds(self.run.clock, now), out);
        let has_changed = has_cookies || traceparent.is_some();
        if has_changed {
            let unsent = request.body_text().len() - text_after_head(request);
            out.extend_from_slice(&rest[..rest.len() - unsent]);
        }
        has_changed
    }

    /// Uses a kept connection if there is one; otherwise, or if the server has closed it, a new one.
    fn send_over_connection(
        &mut self,
        hop: Hop<'_>,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Response, Failure> {
        let over_kept = self.send_over_kept(hop, traffic, latest);
        over_kept.unwrap_or_else(|| self.send_over_new(hop, traffic, latest))
    }

    /// Uses a kept connection; `None` if there is none, or if the server has closed it.
    fn send_over_kept(
        &mut self,
        Hop { request, with_fields: dressed, limits }: Hop<'_>,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Option<Result<Response, Failure>> {
        let Self { run, kept, memory, broken_file, .. } = self;
        let may_repeat = || request.is_idempotent() && !run.stop.is_cut();
        let connection = kept.find(request.origin())?;
        let idle = latest.since(connection.last_used());
        if !connection.has_leftover() && (idle <= CHECK_AFTER_IDLE || connection.is_quiet()) {
            let (clock, stop) = (run.clock, run.stop);
            let mut trip = RoundTrip { connection, clock, stop, limits, traffic, latest, memory, broken_file };
            match trip.run(request, dressed) {
                Ok(answer) if !is_farewell(&answer, idle) || !may_repeat() => {
                    if answer.keep_alive {
                        connection.used_at(*latest);
                    } else {
                        kept.close_found();
                    }
                    return Some(Ok(answer));
                }
                Ok(_) => *traffic = Traffic { first_byte: None, status: 0, content_length: 0, ..*traffic },
                Err(no) if !no.silent || !is_close(no.failure) || !may_repeat() => {
                    kept.close_found();
                    return Some(Err(no.failure));
                }
                Err(_) => {}
            }
        }
        kept.close_found();
        traffic.reopened += 1;
        None
    }

    /// Uses a new connection. Never inlined: see [`Exchange::perform`].
    #[inline(never)]
    fn send_over_new(
        &mut self,
        Hop { request, with_fields: dressed, limits }: Hop<'_>,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Response, Failure> {
        let Self { run, kept, memory, broken_file, dialer, slot, .. } = self;
        let at = run.clock.instant(limits.sent.after(limits.timeout));
        let deadline = RequestDeadline { at, timeout: limits.timeout };
        let watch = Cancellation { stop: run.stop, user_slot: slot };
        let mut connection = dialer.dial(request.origin(), deadline, watch, &mut traffic.connecting)?;
        *latest = run.clock.now();
        let (clock, stop) = (run.clock, run.stop);
        let mut trip =
            RoundTrip { connection: &mut connection, clock, stop, limits, traffic, latest, memory, broken_file };
        let answer = trip.run(request, dressed).map_err(|no| no.failure)?;
        if answer.keep_alive && run.plan.connection().reuse != Reuse::Never {
            connection.used_at(*latest);
            kept.put(Arc::clone(request.origin()), connection);
        }
        Ok(answer)
    }
}

/// Whether a response is the server's way of closing an idle connection, and not the response to the request.
fn is_farewell(answer: &Response, idle: Duration) -> bool {
    answer.status == 408 && !answer.keep_alive && idle >= FAREWELL_AFTER_IDLE
}
