//! A request and its answer: prepared bytes out, framing in, redirects followed, a dead connection replaced.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{Connection, Dialer};
use super::outcome::{Ending, Failure, Outcome, RedirectTrouble, Traffic, Turn};
use super::response::Broken;
use super::response::body::Body;
use super::response::head::{Asked, HeadScan, closed_within};
use super::roster::Desk;
use super::stop::Stop;
use super::user::Shared;
use crate::clock::{Clock, Moment};
use crate::plan::journey::Rules;
use crate::plan::request::Request;
use crate::plan::url::Origin;
use crate::plan::{Plan, Reuse};

/// One user's way of asking: its connections, and what it shares with all others.
pub(super) struct Exchange<'run> {
    plan: &'run Plan,
    clock: &'run Clock,
    dialer: &'run Dialer,
    stop: &'run Stop,
    desk: &'run Desk,
    kept: Vec<(Arc<Origin>, Box<Connection>)>,
}

/// Connections that one user keeps to different origins; beyond, the one used longest ago is closed. A browser keeps
/// six to one host; a user here speaks one request at a time, and more origins than this mean redirects all over.
const MOST_KEPT: usize = 4;

/// A connection idle for longer is looked at before it carries a request: servers close idle connections after 5 s
/// and more (Apache httpd 5, nginx 75), some with a last answer that nobody asked for (408).
const IDLE: Duration = Duration::from_secs(1);

/// An answer, read to its end.
struct Answer {
    status: u16,
    location: Option<String>,
}

/// Why a connection gave no answer.
struct NoAnswer {
    failure: Failure,
    /// Not one byte of an answer had come.
    silent: bool,
}

impl<'run> Exchange<'run> {
    /// Ways of asking for one more user.
    pub(super) fn new(shared: Shared<'run>, desk: &'run Desk) -> Self {
        let Shared { plan, clock, dialer, stop, .. } = shared;
        Self { plan, clock, dialer, stop, desk, kept: Vec::new() }
    }

    /// Asks once, at `sent`; `turn` says when that should have been.
    pub(super) fn perform(&mut self, (request, rules): (&Request, &Rules), sent: Moment, turn: Turn) -> Outcome {
        let mut traffic = Traffic::default();
        let mut latest = sent;
        let result = self.follow((request, rules), sent, &mut traffic, &mut latest);
        let (ending, done) = match result {
            Ok(status) if rules.expect.status.contains(status) => (Ending::Ok, latest),
            Ok(status) => (Ending::Failed(Failure::Status(status)), latest),
            Err(_) if self.stop.is_cut() => (Ending::Aborted, self.clock.now()),
            Err(failure) => (Ending::Failed(failure), self.clock.now()),
        };
        Outcome::new(request.endpoint(), turn, (sent, done), traffic, ending)
    }

    /// Asks, and follows redirects; gives the status of the last answer.
    fn follow(
        &mut self,
        (request, rules): (&Request, &Rules),
        sent: Moment,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<u16, Failure> {
        let mut redirected: Option<Request> = None;
        loop {
            let request = redirected.as_ref().unwrap_or(request);
            let answer = self.ask((request, rules), sent, traffic, latest)?;
            let most = rules.max_redirects;
            let Some(location) = answer.location.filter(|_| most > 0) else {
                return Ok(answer.status);
            };
            if traffic.redirects >= most {
                return Err(Failure::Redirect(RedirectTrouble::TooMany));
            }
            let next = request.redirected(answer.status, &location);
            redirected = Some(next.map_err(|_| Failure::Redirect(RedirectTrouble::BadLocation))?);
            traffic.redirects += 1;
        }
    }

    /// One hop: over a kept connection if there is one, else, or if the server had closed that, over a new one.
    fn ask(
        &mut self,
        (request, rules): (&Request, &Rules),
        sent: Moment,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Answer, Failure> {
        let limits = Limits { sent, timeout: rules.timeout };
        if let Some(mut connection) = self.take_kept(request.origin()) {
            let idle = latest.since(connection.last_used());
            if idle < IDLE || connection.is_quiet() {
                let mut talk =
                    Talk { connection: &mut connection, clock: self.clock, stop: self.stop, limits, traffic, latest };
                match talk.run(request) {
                    Ok((answer, reusable)) => {
                        self.keep(request.origin(), connection, reusable, *latest);
                        return Ok(answer);
                    }
                    Err(no)
                        if !no.silent || !request.is_idempotent() || !is_close(no.failure) || self.stop.is_cut() =>
                    {
                        return Err(no.failure);
                    }
                    Err(_) => {}
                }
            }
            traffic.reopened += 1;
        }
        let deadline = self.clock.instant(sent.after(limits.timeout));
        let mut connection =
            self.dialer.dial(request.origin(), deadline, (self.stop, self.desk), &mut traffic.connecting)?;
        *latest = self.clock.now();
        let mut talk =
            Talk { connection: &mut connection, clock: self.clock, stop: self.stop, limits, traffic, latest };
        let (answer, reusable) = talk.run(request).map_err(|no| no.failure)?;
        self.keep(request.origin(), connection, reusable, *latest);
        Ok(answer)
    }

    fn take_kept(&mut self, origin: &Arc<Origin>) -> Option<Box<Connection>> {
        let at = self.kept.iter().position(|(kept, _)| Arc::ptr_eq(kept, origin) || kept == origin)?;
        Some(self.kept.remove(at).1)
    }

    fn keep(&mut self, origin: &Arc<Origin>, mut connection: Box<Connection>, reusable: bool, at: Moment) {
        if !reusable || self.plan.connection().reuse == Reuse::Never {
            return;
        }
        connection.used_at(at);
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push((Arc::clone(origin), connection));
    }
}

/// Failures that a connection shows when the server had closed it before the request came.
const fn is_close(failure: Failure) -> bool {
    matches!(failure, Failure::Send | Failure::Reset | Failure::ClosedEarly)
}

/// How long a request may take.
#[derive(Clone, Copy)]
struct Limits {
    sent: Moment,
    timeout: Duration,
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
struct Talk<'t> {
    connection: &'t mut Connection,
    clock: &'t Clock,
    stop: &'t Stop,
    limits: Limits,
    traffic: &'t mut Traffic,
    latest: &'t mut Moment,
}

impl Talk<'_> {
    /// Sends and receives; says also whether the connection can carry another request.
    fn run(&mut self, request: &Request) -> Result<(Answer, bool), NoAnswer> {
        // The first answer byte of an earlier hop or connection says nothing about this one.
        self.traffic.first_byte = None;
        let sent = self.limits.left(*self.latest).and_then(|left| self.connection.send(request.bytes(), left));
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

    fn receive(&mut self, request: &Request) -> Result<(Answer, bool), Failure> {
        let asked = if request.is_head() { Asked::Head } else { Asked::Whole };
        let mut scan = HeadScan::default();
        let (status, framing, keep_alive, location, length) = loop {
            if !self.connection.input().is_empty() {
                let parsed = scan.parse(self.connection.input(), asked).map_err(Failure::Protocol)?;
                match parsed {
                    Some(head) if head.is_interim() => {
                        let length = head.len;
                        self.connection.consume(length);
                        scan = HeadScan::default();
                        continue;
                    }
                    Some(head) => {
                        let location = head.location.filter(|_| is_redirect(head.status));
                        let location = location.map(|text| String::from_utf8_lossy(text).into_owned());
                        break (head.status, head.framing, head.keep_alive, location, head.len);
                    }
                    None => {}
                }
            }
            if !self.fill()? {
                return Err(broken(closed_within(self.connection.input(), asked)));
            }
        };
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
            let fed = body.feed(self.connection.input(), |_| {}).map_err(Failure::Protocol)?;
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
