//! One request and its response over one connection.

use std::time::Duration;

use super::incoming::{IncomingResponse, Response, ResponseSink};
use super::memory::{Keep, Memory};
use crate::clock::{Clock, Moment};
use crate::load::net::connection::Connection;
use crate::load::net::socket::Sent;
use crate::load::net::tls::Received;
use crate::load::swarm::stop::Stop;
use crate::outcome::{Failure, Traffic};
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
    fn left(&self, now: Moment) -> Result<Duration, Failure> {
        let left = self.timeout.saturating_sub(now.since(self.sent));
        if left.is_zero() { Err(Failure::Timeout) } else { Ok(left) }
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
}

impl RoundTrip<'_> {
    /// Sends and receives; the response also says whether the connection can carry another request. `dressed` is what
    /// to send if fields were added to the request.
    pub(in crate::load) fn run(
        &mut self,
        request: WireRequest<'_>,
        dressed: Option<&[u8]>,
    ) -> Result<Response, NoResponse> {
        // The first byte of an earlier hop or connection's response does not count for this one.
        self.traffic.first_byte = None;
        let bytes = dressed.unwrap_or(request.bytes());
        let mut incoming = IncomingResponse::to(request);
        let sent = self.limits.left(*self.latest).and_then(|_| self.connection.send(bytes, 0));
        let (sent, received) = match sent {
            Ok(Sent::Whole) => {
                self.traffic.bytes_out += request.body_len() as u64;
                (Ok(()), self.receive(&mut incoming))
            }
            Ok(Sent::UpTo(done)) => self.send_rest(bytes, done, request.body_len(), &mut incoming),
            // A server may respond and close before it has read the whole body (413): that response counts, if it
            // arrives.
            Err(Failure::Send) => (Err(Failure::Send), self.receive(&mut incoming).map(closing)),
            Err(failure) => return Err(NoResponse { failure, silent: true }),
        };
        received.map_err(|failure| {
            let silent = self.traffic.first_byte.is_none();
            let failure = if silent && is_close(failure) { sent.err().unwrap_or(failure) } else { failure };
            NoResponse { failure, silent }
        })
    }

    /// Sends the rest of a request that did not fit at once, and receives meanwhile: a server may respond before it has
    /// read everything (401, 413) and read no further, or it may respond while it reads and wait until its response is
    /// read. Also returns how sending ended. `body` is the length of the request's body.
    #[cold]
    fn send_rest(
        &mut self,
        bytes: &[u8],
        mut done: usize,
        body: usize,
        incoming: &mut IncomingResponse<'_>,
    ) -> (Result<(), Failure>, Result<Response, Failure>) {
        let (sent, early) = loop {
            match self.send_or_receive(bytes, done, incoming) {
                Ok(WaitResult::Sent(Sent::UpTo(further))) => done = further,
                Ok(WaitResult::Sent(Sent::Whole)) => {
                    self.traffic.bytes_out += body as u64;
                    return (Ok(()), self.receive(incoming));
                }
                Ok(WaitResult::Responded(answer)) => break (Ok(()), Some(Ok(answer))),
                Err(Failure::Send) => break (Err(Failure::Send), None),
                Err(failure) => break (Ok(()), Some(Err(failure))),
            }
        };
        self.traffic.bytes_out += body.saturating_sub(self.connection.unsent(bytes, done)) as u64;
        // The rest must not be sent any more, and the connection cannot be reused: the server would take the next
        // request for the rest of this one.
        let received = early.unwrap_or_else(|| self.receive(incoming));
        (sent, received.map(closing))
    }

    /// Waits until sending or receiving is possible, and does it.
    fn send_or_receive(
        &mut self,
        bytes: &[u8],
        done: usize,
        incoming: &mut IncomingResponse<'_>,
    ) -> Result<WaitResult, Failure> {
        let ready = self.connection.wait(self.limits.left(*self.latest)?);
        *self.latest = self.clock.now();
        let ready = ready?;
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
        if ready.writable {
            return self.connection.send(bytes, done).map(WaitResult::Sent);
        }
        Ok(WaitResult::Sent(Sent::UpTo(done)))
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
        let received = self.connection.receive(self.limits.left(*self.latest)?)?;
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
