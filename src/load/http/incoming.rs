//! A response being received: its head, then its body. Processes what was received and never waits itself, so that a
//! response can arrive while the request is still being sent.

use super::cookies::CookieScope;
use super::memory::{Keep, Memory};
use super::response::body::BodyReader;
use super::response::head::{HeadScan, ResponseExtent, ResponseHead, Unfolded, closed_within};
use super::response::head_cache::CachedHead;
use crate::load::net::connection::Connection;
use crate::outcome::{Failure, ProtocolTrouble, Traffic};
use crate::plan::wire::WireRequest;

/// A complete response.
pub(in crate::load) struct Response {
    pub(in crate::load) status: u16,
    pub(super) location: Option<String>,
    /// Whether the server keeps the connection open.
    pub(super) keep_alive: bool,
}

/// Where a response is delivered, and how much of it is kept.
pub(super) struct ResponseSink<'s> {
    pub(in crate::load) connection: &'s mut Connection,
    pub(in crate::load) traffic: &'s mut Traffic,
    pub(in crate::load) memory: &'s mut Memory,
    pub(in crate::load) keep: Keep,
    /// Unix seconds, for cookies; called only if there are any.
    pub(in crate::load) now: &'s dyn Fn() -> i64,
}

type ParsedHead = (ResponseHead<'static>, Option<CachedHead>, Option<String>);

/// A response being received.
pub(super) struct IncomingResponse<'r> {
    request: WireRequest<'r>,
    extent: ResponseExtent,
    scan: HeadScan,
    /// The response without its body, and the body's state, once the head is complete.
    open: Option<(Response, BodyReader)>,
}

impl<'r> IncomingResponse<'r> {
    /// Starts on the response to `request`.
    pub(in crate::load) fn to(request: WireRequest<'r>) -> Self {
        let asked = if request.is_head() { ResponseExtent::HeadOnly } else { ResponseExtent::HeadAndBody };
        Self { request, extent: asked, scan: HeadScan::default(), open: None }
    }

    /// Processes what was received; returns the response when it is complete.
    pub(super) fn advance(&mut self, sink: &mut ResponseSink<'_>) -> Result<Option<Response>, Failure> {
        while self.open.is_none() {
            if !self.take_head(sink)? {
                return Ok(None);
            }
        }
        let Some((_, body)) = &mut self.open else { return Ok(None) };
        if !body.is_complete() {
            take_body(body, sink)?;
        }
        let is_complete = body.is_complete();
        Ok(if is_complete { self.open.take().map(|(answer, _)| answer) } else { None })
    }

    /// The server closed the connection: returns the response if that completes it.
    pub(in crate::load) fn end(&mut self, sink: &mut ResponseSink<'_>) -> Result<Response, Failure> {
        let Some((answer, body)) = self.open.take() else {
            let _ = sink.connection.unfold_head();
            return Err(broken(closed_within(sink.connection.input(), self.extent)));
        };
        body.end_of_input().map_err(broken)?;
        Ok(answer)
    }

    /// Processes a head if it is complete; returns whether one was.
    fn take_head(&mut self, sink: &mut ResponseSink<'_>) -> Result<bool, Failure> {
        if sink.connection.input().is_empty() {
            return Ok(false);
        }
        if let Some(head) = sink.connection.cached_head(self.extent) {
            self.begin(&head, None, sink);
            return Ok(true);
        }
        self.take_new_head(sink)
    }

    /// The same for a head that differs from the previous one. Never inlined: parsing needs room on the stack.
    #[inline(never)]
    fn take_new_head(&mut self, sink: &mut ResponseSink<'_>) -> Result<bool, Failure> {
        let mut parsed = self.parse(sink.connection);
        if matches!(parsed, Err(ProtocolTrouble::BadField)) {
            match sink.connection.unfold_head() {
                Unfolded::Rewritten => {
                    self.scan = HeadScan::default();
                    parsed = self.parse(sink.connection);
                }
                Unfolded::Unfinished => return Ok(false),
                Unfolded::Unchanged => {}
            }
        }
        let Some((head, said, location)) = parsed.map_err(Failure::Protocol)? else { return Ok(false) };
        if let Some(said) = said {
            sink.connection.cache_head(said);
        }
        self.begin(&head, location, sink);
        Ok(true)
    }

    /// The head without its text, which is in the input buffer and about to move; and the location of a redirect.
    fn parse(&mut self, connection: &Connection) -> Result<Option<ParsedHead>, ProtocolTrouble> {
        let Some(head) = self.scan.parse(connection.input(), self.extent)? else { return Ok(None) };
        let location = head.location.filter(|_| is_redirect(head.status));
        let location = location.map(|text| String::from_utf8_lossy(text).into_owned());
        Ok(Some((ResponseHead { location: None, ..head }, CachedHead::of(&head, self.extent), location)))
    }

    /// Skips an interim head, or starts the response.
    fn begin(&mut self, head: &ResponseHead<'_>, location: Option<String>, sink: &mut ResponseSink<'_>) {
        if !head.is_interim() {
            if head.sets_cookies || sink.keep != Keep::Nothing || sink.memory.recorder.is_some() {
                self.inspect(head, sink);
            }
            let answer = Response { status: head.status, location, keep_alive: head.keep_alive };
            (sink.traffic.status, sink.traffic.content_length) = (head.status, 0);
            self.open = Some((answer, BodyReader::new(head.framing)));
        }
        sink.connection.consume(head.len);
        self.scan = HeadScan::default();
    }

    /// Keeps of a head what is needed later. Never inlined, as [`IncomingResponse::take_new_head`].
    #[inline(never)]
    fn inspect(&self, head: &ResponseHead<'_>, sink: &mut ResponseSink<'_>) {
        let bytes = &sink.connection.input()[..head.len];
        if head.sets_cookies {
            sink.memory.jar.store_from(bytes, CookieScope::of(self.request), (sink.now)());
        }
        if sink.keep != Keep::Nothing {
            sink.memory.last.begin(bytes, sink.keep);
        }
        if let Some(recorder) = &mut sink.memory.recorder {
            recorder.head(bytes);
        }
    }
}

/// Processes as much of the body as was received.
fn take_body(body: &mut BodyReader, sink: &mut ResponseSink<'_>) -> Result<(), Failure> {
    let input = sink.connection.input();
    let Memory { last, recorder, .. } = sink.memory;
    let fed = match (sink.keep.looks_at_body(), recorder) {
        (false, None) => body.feed(input, |_| {}),
        (true, None) => body.feed(input, |bytes| last.push(bytes, sink.keep)),
        (is_looked_at, Some(recorder)) => body.feed(input, |bytes| {
            recorder.body(bytes);
            if is_looked_at {
                last.push(bytes, sink.keep);
            }
        }),
    };
    let fed = fed.map_err(Failure::Protocol)?;
    sink.connection.consume(fed.used);
    sink.traffic.content_length += fed.payload as u64;
    sink.traffic.bytes_in += fed.payload as u64;
    Ok(())
}

/// A server that closes early has a failure class of its own.
const fn broken(why: ProtocolTrouble) -> Failure {
    match why {
        ProtocolTrouble::ClosedEarly => Failure::ClosedEarly,
        other => Failure::Protocol(other),
    }
}

const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
