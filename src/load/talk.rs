//! One request and its answer over one connection.

use std::time::Duration;

use super::connection::Connection;
use super::cookies::Place;
use super::exchange::{Answer, is_close};
use super::memory::{Keep, Memory};
use super::outcome::{Failure, Traffic};
use super::response::Broken;
use super::response::body::Body;
use super::response::head::{Asked, HeadScan, closed_within};
use super::response::known::Said;
use super::stop::Stop;
use crate::clock::{Clock, Moment};
use crate::plan::wire::Wire;

/// Why a connection gave no answer.
pub(super) struct NoAnswer {
    pub(super) failure: Failure,
    /// Not one byte of an answer had come.
    pub(super) silent: bool,
}

/// How long a request may take, and how much of its answer is kept.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) sent: Moment,
    pub(super) timeout: Duration,
    pub(super) keep: Keep,
}

impl Limits {
    /// Time left at `now`.
    fn left(&self, now: Moment) -> Result<Duration, Failure> {
        let left = self.timeout.saturating_sub(now.since(self.sent));
        if left.is_zero() { Err(Failure::Timeout) } else { Ok(left) }
    }
}

/// One request and its answer over one connection. `latest` is when the clock was last read: in the end, when the
/// last byte came.
pub(super) struct Talk<'t> {
    pub(super) connection: &'t mut Connection,
    pub(super) clock: &'t Clock,
    pub(super) stop: &'t Stop,
    pub(super) limits: Limits,
    pub(super) traffic: &'t mut Traffic,
    pub(super) latest: &'t mut Moment,
    pub(super) memory: &'t mut Memory,
}

impl Talk<'_> {
    /// Sends and receives; says also whether the connection can carry another request.
    /// `dressed` are the bytes to send, where they are others than the request's own.
    pub(super) fn run(&mut self, request: Wire<'_>, dressed: Option<&[u8]>) -> Result<(Answer, bool), NoAnswer> {
        // The first answer byte of an earlier hop or connection says nothing about this one.
        self.traffic.first_byte = None;
        let bytes = dressed.unwrap_or(request.bytes());
        let sent = self.limits.left(*self.latest).and_then(|left| self.connection.send(bytes, left));
        match sent {
            Ok(()) => self.traffic.bytes_out += request.body_len() as u64,
            // A server may answer and close before it has read the whole body (413): the answer counts, if it came.
            Err(Failure::Send) => {}
            Err(failure) => return Err(NoAnswer { failure, silent: true }),
        }
        let received = self.receive(request);
        received.map_err(|failure| NoAnswer {
            failure: if self.traffic.first_byte.is_none() && is_close(failure) {
                sent.err().unwrap_or(failure)
            } else {
                failure
            },
            silent: self.traffic.first_byte.is_none(),
        })
    }

    fn receive(&mut self, request: Wire<'_>) -> Result<(Answer, bool), Failure> {
        let asked = if request.is_head() { Asked::Head } else { Asked::Whole };
        let mut scan = HeadScan::default();
        let (status, framing, keep_alive, location, length, said) = loop {
            if !self.connection.input().is_empty() {
                let known = self.connection.known_head(asked);
                let parsed = match known {
                    Some(head) => Some(head),
                    None => scan.parse(self.connection.input(), asked).map_err(Failure::Protocol)?,
                };
                match parsed {
                    Some(head) if head.is_interim() => {
                        let length = head.len;
                        self.connection.consume(length);
                        scan = HeadScan::default();
                        continue;
                    }
                    Some(head) => {
                        let bytes = &self.connection.input()[..head.len];
                        if head.sets_cookies {
                            let now = unix_seconds(self.clock, *self.latest);
                            self.memory.jar.take(bytes, Place::of(request), now);
                        }
                        if self.limits.keep != Keep::Nothing {
                            self.memory.last.begin(bytes);
                        }
                        let location = head.location.filter(|_| is_redirect(head.status));
                        let location = location.map(|text| String::from_utf8_lossy(text).into_owned());
                        let said = if known.is_none() { Said::of(&head, asked) } else { None };
                        break (head.status, head.framing, head.keep_alive, location, head.len, said);
                    }
                    None => {}
                }
            }
            if !self.fill()? {
                return Err(broken(closed_within(self.connection.input(), asked)));
            }
        };
        if let Some(said) = said {
            self.connection.learn_head(said);
        }
        self.connection.consume(length);
        self.traffic.status = status;
        self.body(Body::new(framing))?;
        // Bytes beyond the answer belong to nobody; what came next would be taken for the next answer.
        let reusable = keep_alive && self.connection.input().is_empty();
        Ok((Answer { status, location }, reusable))
    }

    fn body(&mut self, mut body: Body) -> Result<(), Failure> {
        self.traffic.content_length = 0;
        while !body.is_complete() {
            let input = self.connection.input();
            let fed = match self.limits.keep {
                Keep::Whole => body.feed(input, |bytes| self.memory.last.push(bytes)),
                _ => body.feed(input, |_| {}),
            };
            let fed = fed.map_err(Failure::Protocol)?;
            self.connection.consume(fed.used);
            self.traffic.content_length += fed.payload as u64;
            self.traffic.bytes_in += fed.payload as u64;
            if !fed.complete && !self.fill()? {
                return body.end_of_input().map_err(broken);
            }
        }
        Ok(())
    }

    /// Waits for more input; says whether some came, and not the end. The clock is read once a wait, after it: the
    /// first wait of a request over a kept connection has the whole timeout, the same for each request, so that the
    /// socket's own timeout need not change.
    fn fill(&mut self) -> Result<bool, Failure> {
        let more = self.connection.receive(self.limits.left(*self.latest)?)?;
        let now = self.clock.now();
        if more {
            self.traffic.first_byte.get_or_insert(now);
        }
        *self.latest = now;
        // The cut looks like the server's close, which would make a body that ends with it complete.
        if !more && self.stop.is_cut() { Err(Failure::ClosedEarly) } else { Ok(more) }
    }
}

/// Unix seconds, as dates of cookies are compared.
pub(super) fn unix_seconds(clock: &Clock, moment: Moment) -> i64 {
    i64::try_from(clock.unix(moment).as_secs()).unwrap_or(i64::MAX)
}

/// A server that closes early has a class of its own.
const fn broken(why: Broken) -> Failure {
    match why {
        Broken::ClosedEarly => Failure::ClosedEarly,
        other => Failure::Protocol(other),
    }
}

const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
