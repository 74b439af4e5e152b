//! A request and its answer: prepared bytes out, framing in, redirects followed, a dead connection replaced.

use std::sync::Arc;
use std::time::Duration;

use super::cookies::{Jar, Place};
use super::incoming::Answer;
use super::memory::{Keep, Memory};
use super::talk::{Limits, Talk, is_close, unix_seconds};
use crate::clock::Moment;
use crate::load::net::connection::{Connection, Dialer};
use crate::load::net::socket::Watch;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::roster::Desk;
use crate::outcome::{Ending, Failure, RedirectTrouble, Traffic};
use crate::plan::Reuse;
use crate::plan::answer::Unread;
use crate::plan::request::Request;
use crate::plan::search::TextSearches;
use crate::plan::url::Origin;
use crate::plan::wire::Wire;

/// One user's way of asking: its connections, and what it shares with all others.
pub(in crate::load) struct Exchange<'run> {
    run: RunContext<'run>,
    dialer: &'run Dialer,
    desk: &'run Desk,
    kept: Vec<(Arc<Origin>, Box<Connection>)>,
    memory: Memory,
    /// Room for requests that cookies are added to.
    dressed: Vec<u8>,
}

/// Connections that one user keeps to different origins; beyond, the one used longest ago is closed. A browser keeps
/// six to one host; a user here speaks one request at a time, and more origins than this mean redirects all over.
const MOST_KEPT: usize = 4;

/// A connection idle for longer is looked at before it carries a request: the server may have closed it, some with a last
/// answer to nothing (408). A look is a system call, which a user without think time does not pay for.
const LOOKED_AT: Duration = Duration::from_millis(1);

/// A 408 on a connection idle for so long is such a last answer that came behind the look, and no answer to the request.
/// Shorter than any idle time that servers are given, longer than a request is under way.
const EXPIRED: Duration = Duration::from_millis(100);

/// What holds for a request besides its bytes.
#[derive(Clone, Copy)]
pub(in crate::load) struct Terms {
    /// Time for the whole, redirects included.
    pub(in crate::load) timeout: Duration,
    /// Redirects followed; with 0 a redirect is the answer.
    pub(in crate::load) max_redirects: u16,
    /// How much of the answer is kept.
    pub(in crate::load) keep: Keep,
}

/// What became of a request, before anybody has judged the answer.
pub(in crate::load) struct Exchanged {
    pub(in crate::load) sent: Moment,
    pub(in crate::load) done: Moment,
    pub(in crate::load) traffic: Traffic,
    /// The answer's status, or how it ended without one.
    pub(in crate::load) result: Result<u16, Ending>,
}

/// A request on its way to one origin.
#[derive(Clone, Copy)]
struct Hop<'h> {
    request: Wire<'h>,
    /// The bytes to send, where cookies are added.
    dressed: Option<&'h [u8]>,
    limits: Limits,
}

impl<'run> Exchange<'run> {
    /// Ways of asking for one more user.
    pub(in crate::load) fn new(run: RunContext<'run>, dialer: &'run Dialer, desk: &'run Desk) -> Self {
        Self { run, dialer, desk, kept: Vec::new(), memory: Memory::default(), dressed: Vec::new() }
    }

    /// Asks once, at `sent`.
    pub(in crate::load) fn perform(&mut self, request: Wire<'_>, terms: Terms, sent: Moment) -> Exchanged {
        let mut traffic = Traffic::default();
        let mut latest = sent;
        let result = self.follow(request, terms, sent, &mut traffic, &mut latest);
        let (result, done) = match result {
            Ok(status) => (Ok(status), latest),
            Err(_) if self.run.stop.is_cut() => (Err(Ending::Aborted), self.run.clock.now()),
            Err(failure) => (Err(Ending::Failed(failure)), self.run.clock.now()),
        };
        Exchanged { sent, done, traffic, result }
    }

    /// What is looked for in the bodies of the answers to the next request.
    pub(in crate::load) fn look_for(&mut self, searches: TextSearches) {
        self.memory.last.look_for(searches);
    }

    /// The user's cookies, and as much as was kept of the last answer: its head, its body decoded, and what was found in
    /// that.
    pub(in crate::load) fn answer(&mut self, keep: Keep) -> (&Jar, &[u8], Result<&[u8], Unread>, &TextSearches) {
        let Memory { jar, last } = &mut self.memory;
        let (head, body, texts) = last.look(keep);
        (jar, head, body, texts)
    }

    /// Asks, and follows redirects; gives the status of the last answer.
    fn follow(
        &mut self,
        request: Wire<'_>,
        terms: Terms,
        sent: Moment,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<u16, Failure> {
        let limits = Limits { sent, timeout: terms.timeout, keep: terms.keep };
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
            let next = Request::redirected(request, answer.status, &location);
            redirected = Some(next.map_err(|_| Failure::Redirect(RedirectTrouble::BadLocation))?);
            traffic.redirects += 1;
        }
    }

    /// One hop, with the user's cookies for it.
    fn ask(
        &mut self,
        request: Wire<'_>,
        limits: Limits,
        traffic: &mut Traffic,
        latest: &mut Moment,
    ) -> Result<Answer, Failure> {
        let mut room = std::mem::take(&mut self.dressed);
        let is_dressed = !self.memory.jar.is_empty() && self.dress(request, *latest, &mut room);
        let hop = Hop { request, dressed: is_dressed.then_some(room.as_slice()), limits };
        let answer = self.hop(hop, traffic, latest);
        self.dressed = room;
        answer
    }

    /// Writes the request with its cookies, if there are some for it; one that has a `Cookie` field of its own gets no
    /// other.
    fn dress(&self, request: Wire<'_>, now: Moment, out: &mut Vec<u8>) -> bool {
        if request.has_field("cookie") {
            return false;
        }
        let (head, rest) = request.halves();
        out.clear();
        out.extend_from_slice(head);
        let is_dressed = self.memory.jar.write(Place::of(request), unix_seconds(self.run.clock, now), out);
        if is_dressed {
            out.extend_from_slice(rest);
        }
        is_dressed
    }

    /// Over a kept connection if there is one, else, or if the server had closed that, over a new one.
    fn hop(&mut self, hop: Hop<'_>, traffic: &mut Traffic, latest: &mut Moment) -> Result<Answer, Failure> {
        let Hop { request, dressed, limits } = hop;
        if let Some(mut connection) = self.take_kept(request.origin()) {
            let idle = latest.since(connection.last_used());
            if !connection.has_leftover() && (idle <= LOOKED_AT || connection.is_quiet()) {
                match self.talk(&mut connection, limits, traffic, latest).run(request, dressed) {
                    Ok(answer) if !is_farewell(&answer, idle) || !self.may_repeat(request) => {
                        self.keep(request.origin(), connection, &answer, *latest);
                        return Ok(answer);
                    }
                    Ok(_) => *traffic = Traffic { first_byte: None, status: 0, content_length: 0, ..*traffic },
                    Err(no) if !no.silent || !is_close(no.failure) || !self.may_repeat(request) => {
                        return Err(no.failure);
                    }
                    Err(_) => {}
                }
            }
            traffic.reopened += 1;
        }
        let deadline = self.run.clock.instant(limits.sent.after(limits.timeout));
        let mut connection = self.dialer.dial(
            request.origin(),
            deadline,
            Watch { stop: self.run.stop, desk: self.desk },
            &mut traffic.connecting,
        )?;
        *latest = self.run.clock.now();
        let answer =
            self.talk(&mut connection, limits, traffic, latest).run(request, dressed).map_err(|no| no.failure)?;
        self.keep(request.origin(), connection, &answer, *latest);
        Ok(answer)
    }

    /// Whether a request may be sent again, and still makes sense.
    fn may_repeat(&self, request: Wire<'_>) -> bool {
        request.is_idempotent() && !self.run.stop.is_cut()
    }

    const fn talk<'t>(
        &'t mut self,
        connection: &'t mut Connection,
        limits: Limits,
        traffic: &'t mut Traffic,
        latest: &'t mut Moment,
    ) -> Talk<'t> {
        Talk {
            connection,
            clock: self.run.clock,
            stop: self.run.stop,
            limits,
            traffic,
            latest,
            memory: &mut self.memory,
        }
    }

    fn take_kept(&mut self, origin: &Arc<Origin>) -> Option<Box<Connection>> {
        let at = self.kept.iter().position(|(kept, _)| Arc::ptr_eq(kept, origin) || kept == origin)?;
        Some(self.kept.remove(at).1)
    }

    fn keep(&mut self, origin: &Arc<Origin>, mut connection: Box<Connection>, answer: &Answer, at: Moment) {
        if !answer.keep_alive || self.run.plan.connection().reuse == Reuse::Never {
            return;
        }
        connection.used_at(at);
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push((Arc::clone(origin), connection));
    }
}

/// Whether an answer is what a server says to an idle connection that it closes, and not to the request.
fn is_farewell(answer: &Answer, idle: Duration) -> bool {
    answer.status == 408 && !answer.keep_alive && idle >= EXPIRED
}
