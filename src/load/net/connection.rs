//! A connection to an origin and how it is made: a socket, then TLS if the origin's scheme is https.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connector::Connector;
use super::input::{CallError, InputBuffer};
use super::proxy::whole_urls::WholeUrls;
use super::socket::{Cancellation, NotReceived, Ready, Sent, SocketTransport};
use super::tls::{Received, TlsTransport};
use crate::clock::Moment;
use crate::load::http::response::head::{ResponseExtent, ResponseHead, Unfolded, unfold};
use crate::load::http::response::head_cache::{CachedHead, HeadCache};
use crate::outcome::{Connecting, DnsTrouble, Failure, TimedOut, TimeoutPhase, TlsTrouble};
use crate::plan::Plan;
use crate::plan::tls::TlsPlan;
use crate::plan::url::{Origin, Scheme};

/// Opens connections; shared by all users.
#[derive(Debug)]
pub struct Dialer {
    connector: Connector,
    tls: Arc<TlsPlan>,
    connect_timeout: Duration,
}

/// When the time of a request is over.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct RequestDeadline {
    /// The moment.
    pub(in crate::load) at: Instant,
    /// The request's timeout, which makes it that moment.
    pub(in crate::load) timeout: Duration,
}

impl Dialer {
    /// A dialer for the plan's connections. All users share its TLS sessions, so they can resume each other's.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let connection = plan.connection();
        let tls = Arc::clone(&connection.tls);
        Self { connector: Connector::new(plan), tls, connect_timeout: connection.timeout }
    }

    /// Addresses of an origin, looked up before the run for the stream; waits at most `patience`. Empty if the route
    /// leaves the lookup to a proxy or needs none.
    #[must_use]
    pub fn known_addresses(&self, origin: &Origin, patience: Duration) -> Vec<IpAddr> {
        self.connector.known_addresses(origin, patience)
    }

    /// Connects to an origin within `--connect-timeout` and before `deadline`, the request's own; adds the time of each
    /// phase to `connecting`, even if the connection fails.
    ///
    /// Never inlined: a TLS session is built on the stack and takes 8 KiB there. Inlined, every request's frame would
    /// reserve that room and probe it page by page.
    #[inline(never)]
    pub(in crate::load) fn dial(
        &self,
        origin: &Origin,
        deadline: RequestDeadline,
        watch: Cancellation<'_>,
        connecting: &mut Connecting,
    ) -> Result<Box<Connection>, Failure> {
        let own_deadline = Instant::now() + self.connect_timeout;
        let limit = own_deadline.min(deadline.at);
        // Reports the limit that actually expired.
        let late = |failure, phase| match failure {
            _ if own_deadline <= deadline.at => failure,
            Failure::Dns(DnsTrouble::Timeout) => Failure::Timeout(TimedOut::new(TimeoutPhase::Dns, deadline.timeout)),
            Failure::ConnectTimeout => Failure::Timeout(TimedOut::new(phase, deadline.timeout)),
            other => other,
        };
        let transport = self.connector.connect(origin, limit, watch, connecting);
        let transport = transport.map_err(|failure| late(failure, TimeoutPhase::Connect))?;
        let wire = match origin.scheme() {
            Scheme::Http => Transport::Plain(transport),
            Scheme::Https => {
                let connected = Instant::now();
                let session = self.shake_hands(transport, origin, limit);
                connecting.tls += connected.elapsed();
                Transport::Tls(session.map_err(|failure| late(failure, TimeoutPhase::Tls))?)
            }
        };
        connecting.connections += 1;
        let whole_urls = self.connector.whole_urls(origin);
        // Boxed, because it is moved twice per request.
        Ok(Box::new(Connection {
            transport: wire,
            whole_urls,
            input: InputBuffer::default(),
            head_cache: HeadCache::with_room(),
            last_used: Moment::START,
        }))
    }

    fn shake_hands(
        &self,
        transport: SocketTransport,
        origin: &Origin,
        limit: Instant,
    ) -> Result<Box<TlsTransport>, Failure> {
        let config = self.tls.config().ok_or(Failure::Tls(TlsTrouble::NoRoots))?;
        TlsTransport::connect(transport, config, origin.host(), limit).map(Box::new)
    }
}

/// The transport under a connection.
#[derive(Debug)]
enum Transport {
    Plain(SocketTransport),
    /// Boxed: a session is ten times as large as a plain socket.
    Tls(Box<TlsTransport>),
}

/// A connection of one user.
#[derive(Debug)]
pub(in crate::load) struct Connection {
    transport: Transport,
    /// Set for an HTTP proxy, which needs whole URLs in plain requests.
    whole_urls: Option<WholeUrls>,
    input: InputBuffer,
    head_cache: HeadCache,
    last_used: Moment,
}

impl Connection {
    /// Sends `request` from byte `done` on without waiting, as far as the socket accepts it. The first call passes 0,
    /// later calls the count that the previous one returned.
    pub(in crate::load) fn send(&mut self, request: &[u8], done: usize) -> Result<Sent, Failure> {
        let sent = match (&mut self.transport, &mut self.whole_urls) {
            (Transport::Plain(plain), None) => send_pieces(plain, [request, &[]], done),
            (Transport::Plain(plain), Some(urls)) => {
                if done == 0 {
                    urls.rewrite(request);
                }
                send_pieces(plain, urls.pieces(request), done)
            }
            (Transport::Tls(tls), _) => tls.send(request, done),
        };
        sent.map_err(|_| Failure::Send)
    }

    /// Sends more bytes of the request whose start [`Connection::send`] has sent completely, otherwise as it does.
    pub(in crate::load) fn send_more(&mut self, bytes: &[u8], done: usize) -> Result<Sent, Failure> {
        let sent = match &mut self.transport {
            Transport::Plain(plain) => send_pieces(plain, [bytes, &[]], done),
            Transport::Tls(tls) => tls.send(bytes, done),
        };
        sent.map_err(|_| Failure::Send)
    }

    /// How many bytes of `request` are still to be sent, given that `done` are.
    pub(in crate::load) fn unsent(&self, request: &[u8], done: usize) -> usize {
        let pieces = self.whole_urls.as_ref().map_or([request, &[]], |urls| urls.pieces(request));
        pieces.iter().map(|piece| piece.len()).sum::<usize>() - done
    }

    /// Waits at most `limit` until input arrives or the socket accepts more output.
    pub(in crate::load) fn wait(&self, limit: Duration) -> Result<Ready, CallError> {
        let socket = match &self.transport {
            Transport::Plain(plain) => plain,
            Transport::Tls(tls) => tls.socket(),
        };
        socket.wait(limit).map_err(|error| CallError::of(&error))
    }

    /// Waits at most `limit` for more input. It may return [`Received::Nothing`] before that.
    pub(in crate::load) fn receive(&mut self, limit: Duration) -> Result<Received, CallError> {
        match &mut self.transport {
            Transport::Plain(plain) => match self.input.fill(|room| plain.receive_response(room, limit)) {
                Ok(0) => Ok(Received::End),
                Ok(_) => Ok(Received::Bytes),
                Err(NotReceived::Yet) => Ok(Received::Nothing),
                Err(NotReceived::Failed(error)) => Err(CallError::of(&error)),
            },
            Transport::Tls(tls) => tls.receive(&mut self.input, limit),
        }
    }

    /// Whether more input is buffered, beyond what was received last.
    pub(in crate::load) fn has_buffered(&self) -> bool {
        matches!(&self.transport, Transport::Tls(tls) if tls.has_buffered())
    }

    /// Bytes received and not consumed.
    pub(in crate::load) fn input(&self) -> &[u8] {
        self.input.unconsumed()
    }

    /// Rewrites folded lines and blanks before colons in the head at the start of the input.
    pub(in crate::load) fn unfold_head(&mut self) -> Unfolded {
        unfold(self.input.unconsumed_mut())
    }

    /// The head at the start of the input, if it equals the previous response's head.
    pub(in crate::load) fn cached_head(&self, asked: ResponseExtent) -> Option<ResponseHead<'static>> {
        self.head_cache.lookup(self.input(), asked)
    }

    /// Caches what the head at the start of the input says.
    pub(in crate::load) fn cache_head(&mut self, said: CachedHead) {
        self.head_cache.store(self.input.unconsumed(), said);
    }

    /// Forgets the first `count` bytes of the input.
    pub(in crate::load) fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// Whether bytes are left after the last response that no request asked for.
    pub(in crate::load) fn has_leftover(&mut self) -> bool {
        let session = match &mut self.transport {
            Transport::Plain(_) => false,
            Transport::Tls(tls) => tls.has_leftover(),
        };
        session || !self.input.unconsumed().is_empty()
    }

    /// Checks the socket without waiting: true if the server has neither closed it nor sent anything unrequested.
    pub(in crate::load) fn is_quiet(&mut self) -> bool {
        match &mut self.transport {
            Transport::Plain(plain) => plain.is_quiet(),
            Transport::Tls(tls) => tls.is_quiet(),
        }
    }

    /// When the last response on this connection was complete.
    pub(in crate::load) const fn last_used(&self) -> Moment {
        self.last_used
    }

    /// Records that a response was complete at `moment`.
    pub(in crate::load) const fn used_at(&mut self, moment: Moment) {
        self.last_used = moment;
    }
}

/// Sends two pieces one after the other; the second is usually empty.
fn send_pieces(plain: &SocketTransport, pieces: [&[u8]; 2], mut done: usize) -> io::Result<Sent> {
    let mut before = 0;
    for piece in pieces {
        let end = before + piece.len();
        if done < end {
            done += plain.send_now(&piece[done - before..])?;
        }
        if done < end {
            return Ok(Sent::UpTo(done));
        }
        before = end;
    }
    Ok(Sent::Whole)
}
