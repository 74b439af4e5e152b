//! A request and its answer: prepared bytes out, framing in, redirects followed, a dead connection replaced.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{Connection, Dialer};
use super::outcome::{Ending, Failure, RedirectTrouble, Traffic};
use super::roster::Desk;
use super::stop::Stop;
use super::talk::{Limits, Talk};
use super::user::Shared;
use crate::clock::{Clock, Moment};
use crate::plan::request::Request;
use crate::plan::url::{Origin, Scheme};
use crate::plan::wire::Wire;
use crate::plan::{Plan, Reuse, Route};

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

/// What holds for a request besides its bytes.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Time for the whole, redirects included.
    pub(super) timeout: Duration,
    /// Redirects followed; with 0 a redirect is the answer.
    pub(super) max_redirects: u16,
}

/// What became of a request, before anybody has judged the answer.
pub(super) struct Exchanged {
    pub(super) sent: Moment,
    pub(super) done: Moment,
    pub(super) traffic: Traffic,
    /// The answer's status, or how it ended without one.
    pub(super) result: Result<u16, Ending>,
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
}

impl<'run> Exchange<'run> {
    /// Ways of asking for one more user.
    pub(super) fn new(shared: Shared<'run>, desk: &'run Desk) -> Self {
        let Shared { plan, clock, dialer, stop, .. } = shared;
        Self { plan, clock, dialer, stop, desk, kept: Vec::new() }
    }

    /// Asks once, at `sent`.
    pub(super) fn perform(&mut self, request: Wire<'_>, terms: Terms, sent: Moment) -> Exchanged {
        let mut traffic = Traffic::default();
        let mut latest = sent;
        let result = self.follow(request, terms, sent, (&mut traffic, &mut latest));
        let (result, done) = match result {
            Ok(status) => (Ok(status), latest),
            Err(_) if self.stop.is_cut() => (Err(Ending::Aborted), self.clock.now()),
            Err(failure) => (Err(Ending::Failed(failure)), self.clock.now()),
        };
        Exchanged { sent, done, traffic, result }
    }

    /// Asks, and follows redirects; gives the status of the last answer.
    fn follow(
        &mut self,
        request: Wire<'_>,
        terms: Terms,
        sent: Moment,
        (traffic, latest): (&mut Traffic, &mut Moment),
    ) -> Result<u16, Failure> {
        let limits = Limits { sent, timeout: terms.timeout };
        let mut redirected: Option<Request> = None;
        loop {
            let request = redirected.as_ref().map_or(request, Request::wire);
            let answer = self.ask(request, limits, traffic, latest)?;
            let Some(location) = answer.location.filter(|_| terms.max_redirects > 0) else {
                return Ok(answer.status);
            };
            if traffic.redirects >= terms.max_redirects {
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
        request: Wire<'_>,
        limits: Limits,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Answer, Failure> {
        let mut whole = Vec::new();
        let request = match &self.plan.connection().route {
            Route::HttpProxy { authorization, .. } if request.origin().scheme() == Scheme::Http => {
                request.for_proxy(authorization.as_deref(), &mut whole)
            }
            _ => request,
        };
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
        let deadline = self.clock.instant(limits.sent.after(limits.timeout));
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
pub(super) const fn is_close(failure: Failure) -> bool {
    matches!(failure, Failure::Send | Failure::Reset | Failure::ClosedEarly)
}
