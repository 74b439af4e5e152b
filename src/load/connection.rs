//! A connection to an origin, and how it is made: a socket that leads there, then TLS by ureq's connector.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::time::{Duration as UreqDuration, Instant as UreqInstant};
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, NextTimeout, RustlsConnector, Transport};

use super::input::{Input, is_time_over};
use super::outcome::{Connecting, DnsTrouble, Failure, TlsTrouble};
use super::proxy::whole::WholeUrls;
use super::reach::Reach;
use super::response::head::{Asked, Head};
use super::response::known::{KnownHead, Said};
use super::socket::{SocketTransport, Watch, is_quiet};
use crate::clock::Moment;
use crate::plan::Plan;
use crate::plan::url::{Origin, Scheme};

/// What all users need to connect.
#[derive(Debug)]
pub struct Dialer {
    reach: Reach,
    tls: RustlsConnector,
    config: Config,
    connect_timeout: Duration,
}

type Wire = <RustlsConnector as Connector<SocketTransport>>::Out;

impl Dialer {
    /// A dialer for the plan's connections; TLS sessions are resumed over all users, as they share it.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let connection = plan.connection();
        let config = ureq::Agent::config_builder()
            .tls_config(connection.tls.clone())
            .input_buffer_size(PLAINTEXT_INPUT)
            .output_buffer_size(PLAINTEXT_OUTPUT)
            .proxy(None)
            .build();
        Self { reach: Reach::new(plan), tls: RustlsConnector::default(), config, connect_timeout: connection.timeout }
    }

    /// What is known of an origin's addresses before the run, for the stream: asks for a name, but waits no longer than
    /// `patience`. Empty where the route does not ask for it.
    #[must_use]
    pub fn known_addresses(&self, origin: &Origin, patience: Duration) -> Vec<IpAddr> {
        self.reach.known_addresses(origin, patience)
    }

    /// Connects to an origin within `--connect-timeout` and before `deadline`, the request's own; adds the phases to
    /// `connecting`, also those of a connection that did not come about.
    pub(super) fn dial(
        &self,
        origin: &Origin,
        deadline: Instant,
        watch: Watch<'_>,
        connecting: &mut Connecting,
    ) -> Result<Box<Connection>, Failure> {
        let own_deadline = Instant::now() + self.connect_timeout;
        let limit = own_deadline.min(deadline);
        // Which of the two limits it was that ran out.
        let late = |failure| match failure {
            Failure::ConnectTimeout | Failure::Dns(DnsTrouble::Timeout) if deadline < own_deadline => Failure::Timeout,
            other => other,
        };
        let transport = self.reach.connect(origin, limit, watch, connecting).map_err(late)?;
        let connected = Instant::now();
        let socket = transport.socket();
        let wire = self.wrap(origin, transport, limit);
        if origin.scheme() == Scheme::Https {
            connecting.tls += connected.elapsed();
        }
        let wire = wire.map_err(|error| late(tls_failure(&error, Failure::ConnectTimeout)))?;
        connecting.connections += 1;
        let whole_urls = self.reach.whole_urls(origin);
        // Boxed: with room for TLS it is large, and it changes hands twice a request.
        Ok(Box::new(Connection {
            socket,
            wire,
            whole_urls,
            input: Input::default(),
            known: KnownHead::default(),
            last_used: Moment::START,
        }))
    }

    fn wrap(&self, origin: &Origin, transport: SocketTransport, limit: Instant) -> Result<Wire, ureq::Error> {
        if origin.scheme() == Scheme::Http {
            return Ok(Either::A(transport));
        }
        let details = ConnectionDetails {
            uri: origin.uri(),
            addrs: NoLookups.empty(),
            config: &self.config,
            request_level: false,
            resolver: &NoLookups,
            now: UreqInstant::now(),
            timeout: next_timeout(limit.saturating_duration_since(Instant::now())),
            current_time: Arc::new(UreqInstant::now),
            run_connector: Arc::new(|_| Err(ureq::Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let cork = transport.cork();
        cork.hold();
        let wire = self.tls.connect(&details, Some(transport));
        cork.release();
        wire?.ok_or(ureq::Error::ConnectionFailed)
    }
}

/// Room for decrypted bytes on their way to and from the exchange.
const PLAINTEXT_INPUT: usize = 8 * 1024;
const PLAINTEXT_OUTPUT: usize = 4 * 1024;

/// Names are looked up before a connector is asked.
#[derive(Debug)]
struct NoLookups;

impl UreqResolver for NoLookups {
    fn resolve(&self, _: &ureq::http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Err(ureq::Error::HostNotFound)
    }
}

fn next_timeout(after: Duration) -> NextTimeout {
    NextTimeout { after: UreqDuration::Exact(after), reason: ureq::Timeout::Global, per_read: None, per_write: None }
}

/// The failure that an error of the TLS handshake is; `late` where the time was over.
fn tls_failure(error: &ureq::Error, late: Failure) -> Failure {
    match error {
        ureq::Error::Timeout(_) => late,
        ureq::Error::Rustls(error) => Failure::Tls(tls_trouble(error)),
        ureq::Error::Io(error) if is_time_over(error) => late,
        ureq::Error::Io(error) => Failure::Tls(rustls_error(error).map_or_else(|| closed(error), tls_trouble)),
        _ => Failure::Tls(TlsTrouble::Other),
    }
}

fn closed(error: &io::Error) -> TlsTrouble {
    let ended = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    if ended.contains(&error.kind()) { TlsTrouble::Closed } else { TlsTrouble::Other }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn tls_trouble(error: &rustls::Error) -> TlsTrouble {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => TlsTrouble::UnknownIssuer,
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            TlsTrouble::WrongName
        }
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => TlsTrouble::Expired,
        rustls::Error::InvalidCertificate(_) => TlsTrouble::BadCertificate,
        rustls::Error::AlertReceived(_) => TlsTrouble::Alert,
        _ => TlsTrouble::Other,
    }
}

/// A connection of one user.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Arc<OwnedFd>,
    wire: Wire,
    /// For a proxy that reads the requests.
    whole_urls: Option<WholeUrls>,
    input: Input,
    known: KnownHead,
    last_used: Moment,
}

impl Connection {
    /// Sends all of `bytes` within `limit`.
    pub(super) fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Failure> {
        match &mut self.wire {
            Either::A(plain) => {
                let sent = match &mut self.whole_urls {
                    None => plain.send(bytes, limit),
                    Some(urls) => send_whole(plain, urls.rewrite(bytes), limit),
                };
                sent.map_err(|error| if is_time_over(&error) { Failure::Timeout } else { Failure::Send })
            }
            Either::B(tls) => {
                let room = tls.buffers().output().len();
                // One piece, the usual case, has the whole limit and needs no clock for it.
                let deadline = (bytes.len() > room).then(|| Instant::now() + limit);
                for piece in bytes.chunks(room) {
                    tls.buffers().output()[..piece.len()].copy_from_slice(piece);
                    let left = deadline.map_or(limit, |end| end.saturating_duration_since(Instant::now()));
                    let sent = tls.transmit_output(piece.len(), next_timeout(left));
                    sent.map_err(|error| match tls_failure(&error, Failure::Timeout) {
                        Failure::Timeout => Failure::Timeout,
                        _ => Failure::Send,
                    })?;
                }
                Ok(())
            }
        }
    }

    /// Waits at most `limit` for more input; says whether some came, and not the end.
    pub(super) fn receive(&mut self, limit: Duration) -> Result<bool, Failure> {
        match &mut self.wire {
            Either::A(plain) => {
                let received = self.input.fill(|room| plain.receive(room, limit));
                received.map(|count| count > 0).map_err(|error| receive_failure(&error))
            }
            Either::B(tls) => match tls.await_input(next_timeout(limit)) {
                Ok(more) => {
                    let buffers = tls.buffers();
                    let received = buffers.input().len();
                    self.input.append(buffers.input());
                    buffers.input_consume(received);
                    Ok(more)
                }
                Err(ureq::Error::Timeout(_)) => Err(Failure::Timeout),
                Err(ureq::Error::Io(error)) if rustls_error(&error).is_none() => Err(receive_failure(&error)),
                Err(error) => Err(tls_failure(&error, Failure::Timeout)),
            },
        }
    }

    /// What was received and not consumed.
    pub(super) fn input(&self) -> &[u8] {
        self.input.unconsumed()
    }

    /// The head at the start of the input, if it is the one of the answer before.
    pub(super) fn known_head(&self, asked: Asked) -> Option<Head<'static>> {
        self.known.recognize(self.input(), asked)
    }

    /// Keeps what the head at the start of the input said.
    pub(super) fn learn_head(&mut self, said: Said) {
        self.known.learn(self.input.unconsumed(), said);
    }

    /// Forgets the first `count` bytes of the input.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// Whether the server has neither closed it nor said anything unasked.
    pub(super) fn is_quiet(&self) -> bool {
        is_quiet(&self.socket)
    }

    /// When an answer last came to its end here.
    pub(super) const fn last_used(&self) -> Moment {
        self.last_used
    }

    /// Notes that an answer came to its end.
    pub(super) const fn used_at(&mut self, moment: Moment) {
        self.last_used = moment;
    }
}

fn send_whole(plain: &mut SocketTransport, (first, rest): (&[u8], &[u8]), limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    plain.send(first, limit)?;
    if rest.is_empty() {
        return Ok(());
    }
    plain.send(rest, deadline.saturating_duration_since(Instant::now()))
}

fn receive_failure(error: &io::Error) -> Failure {
    match error.kind() {
        _ if is_time_over(error) => Failure::Timeout,
        // rustls: closed without close_notify, so a cut cannot be told from the end (RFC 8446 section 6.1).
        io::ErrorKind::UnexpectedEof => Failure::ClosedEarly,
        _ => Failure::Reset,
    }
}
