//! One request and its response over one connection.

use std::time::Duration;

use super::incoming::{IncomingResponse, Response, ResponseSink};
use super::memory::{Keep, Memory};
use super::upload::{BrokenFile, Piece, Pieces, is_in_pieces};
use crate::clock::{Clock, Moment};
use crate::load::net::connection::Connection;
use crate::load::net::input::CallError;
use crate::load::net::socket::Sent;
use crate::load::net::tls::Received;
use crate::load::swarm::stop::Stop;
use crate::outcome::{Failure, TimedOut, TimeoutPhase, Traffic};
use crate::plan::wire::WireRequest;

/// Error: a connection delivered no response.
pub(super) struct NoResponse {
    pub(in crate::load) failure: Failure,
    /// Whether not a single byte of a response was received.
    pub(super) silent: bool,
}

/// The time limit of a request, and how much of its response is kept.
#[derive(Clone, Copy)]
pub(in crate::load) struct RequestLimits {
    pub(in crate::load) sent: Moment,
    pub(in crate::load) timeout: Duration,
    pub(in crate::load) keep: Keep,
}

impl RequestLimits {
    /// Time left at `now`.
    fn left(&self, now: Moment) -> Result<Duration, CallError> {
        let left = self.timeout.saturating_sub(now.since(self.sent));
        if left.is_zero() { Err(CallError::TimeOver) } else { Ok(left) }
    }

    /// How a request fails that was waiting for this.
    fn failure(&self, error: CallError, phase: TimeoutPhase) -> Failure {
        match error {
            CallError::TimeOver => Failure::Timeout(TimedOut::new(phase, self.timeout)),
            CallError::Broken(failure) => failure,
        }
    }
}

/// One request and its response over one connection. `latest` is when the clock was last read: in the end, when the
/// last byte arrived.
pub(super) struct RoundTrip<'t> {
    pub(in crate::load) connection: &'t mut Connection,
    pub(in crate::load) clock: &'t Clock,
    pub(in crate::load) stop: &'t Stop,
    pub(in crate::load) limits: RequestLimits,
    pub(in crate::load) traffic: &'t mut Traffic,
    pub(super) latest: &'t mut Moment,
    pub(in crate::load) memory: &'t mut Memory,
    /// A file of the body that could no longer be sent.
    pub(super) broken_file: &'t mut Option<BrokenFile>,
}

impl RoundTrip<'_> {
    /// Sends and receives; the response also says whether the connection can carry another request. `dressed` is what
    /// to send, up to the first piece of the body that is sent on its own, if fields were added to the request.
    pub(in crate::load) fn run(
        &mut self,
        request: WireRequest<'_>,
        dressed: Option<&[u8]>,
    ) -> Result<Response, NoResponse> {
        // The first byte of an earlier hop or connection's response does not count for this one.
        self.traffic.first_byte = None;
        let bytes = dressed.unwrap_or(request.bytes());
        let mut incoming = IncomingResponse::to(request);
        if is_in_pieces(request, dressed.is_some()) {
            let (sent, received) = self.upload(request, dressed, &mut incoming);
            return received.map_err(|failure| self.no_response(failure, sent));
        }
        let sent = match self.limits.left(*self.latest) {
            Ok(_) => self.connection.send(bytes, 0),
            Err(error) => Err(self.limits.failure(error, TimeoutPhase::Send)),
        };
        let (sent, received) = match sent {
            Ok(Sent::Whole) => {
                self.traffic.bytes_out += request.body_len();
                (Ok(()), self.receive(&mut incoming))
            }
            Ok(Sent::UpTo(done)) => {
                let whole = Piece::Head(bytes, request.body_text().len());
                let end = self.send_rest(whole, done, &mut incoming);
                self.after_sending(end, &mut incoming)
            }
            // A server may respond and close before it has read the whole body (413): that response counts, if it
            // arrives.
            Err(Failure::Send) => (Err(Failure::Send), self.receive(&mut incoming).map(closing)),
            Err(failure) => return Err(NoResponse { failure, silent: true }),
        };
        received.map_err(|failure| self.no_response(failure, sent))
    }

    fn no_response(&self, failure: Failure, sent: Result<(), Failure>) -> NoResponse {
        let silent = self.traffic.first_byte.is_none();
        let failure = if silent && is_close(failure) { sent.err().unwrap_or(failure) } else { failure };
        NoResponse { failure, silent }
    }

    /// Sends a request in pieces. Never inlined: few requests need it.
    #[cold]
    #[inline(never)]
    fn upload(
        &mut self,
        request: WireRequest<'_>,
        dressed: Option<&[u8]>,
        incoming: &mut IncomingResponse<'_>,
    ) -> (Result<(), Failure>, Result<Response, Failure>) {
        match self.send_pieces(request, dressed, incoming) {
            Ok(end) => self.after_sending(end, incoming),
            // The connection is closed by its owner: the server must not take what comes next for the rest.
            Err(broken) => {
                *self.broken_file = Some(broken);
                (Ok(()), Err(Failure::BodyFile(broken.trouble)))
            }
        }
    }

    fn send_pieces(
        &mut self,
        request: WireRequest<'_>,
        dressed: Option<&[u8]>,
        incoming: &mut IncomingResponse<'_>,
    ) -> Result<SendEnd, BrokenFile> {
        let mut pieces = Pieces::new(request, dressed)?;
        while let Some(piece) = pieces.next()? {
            let end = self.send_rest(piece, 0, incoming);
            if !matches!(end, SendEnd::Whole) {
                return Ok(end);
            }
        }
        Ok(SendEnd::Whole)
    }

    /// Receives the response, unless it is there already; also returns how sending ended.
    fn after_sending(
        &mut self,
        end: SendEnd,
        incoming: &mut IncomingResponse<'_>,
    ) -> (Result<(), Failure>, Result<Response, Failure>) {
        // The rest must not be sent any more, and the connection cannot be reused: the server would take the next
        // request for the rest of this one.
        match end {
            SendEnd::Whole => (Ok(()), self.receive(incoming)),
            SendEnd::Refused => (Err(Failure::Send), self.receive(incoming).map(closing)),
            SendEnd::Early(received) => (Ok(()), received.map(closing)),
        }
    }

    /// Sends the rest of a request that did not fit at once, and receives meanwhile: a server may respond before it has
    /// read everything (401, 413) and read no further, or it may respond while it reads and wait until its response is
    /// read.
    #[cold]
    fn send_rest(&mut self, piece: Piece<'_>, mut done: usize, incoming: &mut IncomingResponse<'_>) -> SendEnd {
        let end = loop {
            match self.send_or_receive(piece, done, incoming) {
                Ok(WaitResult::Sent(Sent::UpTo(further))) => done = further,
                Ok(WaitResult::Sent(Sent::Whole)) => {
                    self.traffic.bytes_out += piece.body_len() as u64;
                    return SendEnd::Whole;
                }
                Ok(WaitResult::Responded(answer)) => break SendEnd::Early(Ok(answer)),
                Err(Failure::Send) => break SendEnd::Refused,
                Err(failure) => break SendEnd::Early(Err(failure)),
            }
        };
        let unsent = match piece {
            Piece::Head(bytes, _) => self.connection.unsent(bytes, done),
            Piece::Body(bytes) => bytes.len() - done,
        };
        self.traffic.bytes_out += piece.body_len().saturating_sub(unsent) as u64;
        end
    }

    /// Waits until sending or receiving is possible, and does it.
    fn send_or_receive(
        &mut self,
        piece: Piece<'_>,
        done: usize,
        incoming: &mut IncomingResponse<'_>,
    ) -> Result<WaitResult, Failure> {
        let ready = self.limits.left(*self.latest).and_then(|left| self.connection.wait(left));
        *self.latest = self.clock.now();
        let ready = ready.map_err(|error| self.limits.failure(error, self.awaited(TimeoutPhase::Send)))?;
        if ready.readable {
            loop {
                if let Some(answer) = self.receive_more(incoming)? {
                    return Ok(WaitResult::Responded(answer));
                }
                if !self.connection.has_buffered() {
                    break;
                }
            }
        }
        if !ready.writable {
            return Ok(WaitResult::Sent(Sent::UpTo(done)));
        }
        let sent = match piece {
            Piece::Head(bytes, _) => self.connection.send(bytes, done),
            Piece::Body(bytes) => self.connection.send_more(bytes, done),
        };
        sent.map(WaitResult::Sent)
    }

    /// What is waited for: the rest of a response that has begun, or else this.
    const fn awaited(&self, before: TimeoutPhase) -> TimeoutPhase {
        if self.traffic.first_byte.is_some() { TimeoutPhase::Body } else { before }
    }

    fn receive(&mut self, incoming: &mut IncomingResponse<'_>) -> Result<Response, Failure> {
        loop {
            if let Some(answer) = self.receive_more(incoming)? {
                return Ok(answer);
            }
        }
    }

    /// Waits for more input and processes it; returns the response when it is complete. The clock is read once per
    /// wait, after it: the first wait of a request on a kept connection then has the whole timeout, the same for each
    /// request, so that the socket's own timeout need not change.
    fn receive_more(&mut self, incoming: &mut IncomingResponse<'_>) -> Result<Option<Response>, Failure> {
        let received = self.limits.left(*self.latest).and_then(|left| self.connection.receive(left));
        let received = received.map_err(|error| self.limits.failure(error, self.awaited(TimeoutPhase::FirstByte)))?;
        let now = self.clock.now();
        *self.latest = now;
        match received {
            Received::Nothing => return Ok(None),
            Received::Bytes => {
                self.traffic.first_byte.get_or_insert(now);
            }
            // The cut looks like a close by the server, which would complete a body that ends with the connection.
            Received::End if self.stop.is_cut() => return Err(Failure::ClosedEarly),
            Received::End => {}
        }
        let clock = self.clock;
        let mut sink = ResponseSink {
            connection: self.connection,
            traffic: self.traffic,
            memory: self.memory,
            keep: self.limits.keep,
            now: &|| unix_seconds(clock, now),
        };
        match received {
            Received::End => incoming.end(&mut sink).map(|answer| Some(closing(answer))),
            _ => incoming.advance(&mut sink),
        }
    }
}

/// How sending ended.
enum SendEnd {
    /// All was sent.
    Whole,
    /// The connection accepts no more. A server may have responded before it closed it.
    Refused,
    /// The response is complete, or cannot become so, and part of the request is unsent.
    Early(Result<Response, Failure>),
}

/// The result of a wait for both directions.
enum WaitResult {
    Sent(Sent),
    /// The response is complete, even if part of the request is unsent.
    Responded(Response),
}

/// Marks the response of a connection that cannot carry another request.
fn closing(answer: Response) -> Response {
    Response { keep_alive: false, ..answer }
}

/// Unix seconds, the unit in which cookies' dates are compared.
pub(super) fn unix_seconds(clock: &Clock, moment: Moment) -> i64 {
    i64::try_from(clock.unix(moment).as_secs()).unwrap_or(i64::MAX)
}

/// Failures seen on a connection that the server closed before the request arrived.
pub(super) const fn is_close(failure: Failure) -> bool {
    matches!(failure, Failure::Send | Failure::Reset | Failure::ClosedEarly)
}
