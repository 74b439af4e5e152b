//! A server that a test scripts, connection by connection, with its own count of connections and requests.

mod proxy;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

/// Maximum wait for something that must happen; far longer than it takes on a busy machine.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A response with a body of two bytes.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Path of the certificate of the CA that signed the certificate of [`Peer::accept_tls`].
pub(crate) const CA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem");

/// Certificate for shop.test and 127.0.0.1, and its key; used only by these tests.
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");

pub(crate) use proxy::{Reply, Socks, is_connect};

/// A listening server; each connection runs the behaviour on a thread of its own.
pub(crate) struct Server {
    /// None for a Unix socket.
    addr: Option<SocketAddr>,
    log: Arc<Log>,
}

/// Connections and requests so far.
#[derive(Default)]
struct Log {
    received: Mutex<Received>,
    changed: Condvar,
}

#[derive(Default)]
struct Received {
    connections: usize,
    requests: Vec<Request>,
}

/// A request as received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Number of its connection, from 0 in the order accepted.
    pub(crate) connection: usize,
    /// When its last byte was read.
    pub(crate) at: Instant,
    /// Request line and headers, with the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The request line without the version.
    pub(crate) fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap();
        line.strip_suffix(" HTTP/1.1").expect("HTTP/1.1")
    }

    /// Value of a header, `None` where it is absent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn start(behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::on_listener(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), behaviour)
    }

    /// Serves the connections of `listener`.
    pub(crate) fn on_listener(listener: TcpListener, behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        // std's backlog of 128 is less than a swarm needs; listening again replaces it.
        rustix::net::listen(&listener, 4096).unwrap();
        let addr = listener.local_addr().unwrap();
        let accept = move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        };
        Self { addr: Some(addr), log: serve(accept, behaviour) }
    }

    /// Listens on a Unix socket at `path`.
    pub(crate) fn on_unix_socket(path: &str, behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        rustix::net::listen(&listener, 4096).unwrap();
        // Reading, writing and shutting down are the same calls for any kind of socket.
        let accept = move || TcpStream::from(OwnedFd::from(listener.accept().unwrap().0));
        Self { addr: None, log: serve(accept, behaviour) }
    }

    /// Sends this response to every request.
    pub(crate) fn responding(response: impl Into<String>) -> Self {
        let response = response.into();
        Self::start(move |mut peer| while peer.respond(&response) {})
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr.expect("a server with a port")
    }

    /// The server's URL, for `--host`.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Number of connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.log.received.lock().unwrap().connections
    }

    /// Requests read so far, in that order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.received.lock().unwrap().requests.clone()
    }

    /// Number of requests read so far.
    pub(crate) fn count(&self) -> u64 {
        self.log.received.lock().unwrap().requests.len() as u64
    }

    /// Request lines so far, without the version.
    pub(crate) fn request_lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.line().to_owned()).collect()
    }

    /// Waits until this number of connections has been accepted.
    pub(crate) fn wait_for_connections(&self, count: usize) {
        self.log.wait_until(&format!("{count} connections"), |received| received.connections >= count);
    }

    /// Waits until this number of requests has been read.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        self.log.wait_until(&format!("{count} requests"), |received| received.requests.len() >= count);
    }
}

/// Accepts until the test ends, each connection on a thread of its own; returns the log that counts them.
fn serve(
    mut accept: impl FnMut() -> TcpStream + Send + 'static,
    behaviour: impl Fn(Peer) + Send + Sync + 'static,
) -> Arc<Log> {
    let (behaviour, log) = (Arc::new(behaviour), Arc::new(Log::default()));
    let accepted = Arc::clone(&log);
    thread::spawn(move || {
        for number in 0.. {
            let stream = accept();
            accepted.update(|received| received.connections += 1);
            let (behaviour, log) = (Arc::clone(&behaviour), Arc::clone(&accepted));
            let serve = move || behaviour(Peer { number, stream, tls: None, log, input: Vec::new() });
            thread::Builder::new().stack_size(128 * 1024).spawn(serve).unwrap();
        }
    });
    log
}

impl Log {
    fn update(&self, change: impl FnOnce(&mut Received)) {
        change(&mut self.received.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait_until(&self, what: &str, is_reached: impl Fn(&Received) -> bool) {
        let received = self.received.lock().unwrap();
        let wait = self.changed.wait_timeout_while(received, WAIT_LIMIT, |received| !is_reached(received));
        let (received, waited) = wait.unwrap();
        let (connections, requests) = (received.connections, received.requests.len());
        drop(received);
        assert!(!waited.timed_out(), "no {what}: {connections} connections, {requests} requests");
    }
}

/// The server's end of a connection.
pub(crate) struct Peer {
    /// Its number, from 0 in the order accepted.
    pub(crate) number: usize,
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    log: Arc<Log>,
    input: Vec<u8>,
}

impl Peer {
    /// Uses TLS from here on.
    pub(crate) fn accept_tls(mut self) -> Self {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(CERTIFICATE).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        self.tls = Some(Box::new(ServerConnection::new(Arc::new(config)).unwrap()));
        self
    }

    /// Reads a request with its body; `None` when the client has closed the connection.
    pub(crate) fn read(&mut self) -> Option<Request> {
        let head = self.take_head()?;
        let mut request = Request { connection: self.number, at: Instant::now(), head, body: Vec::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.input.len() < length {
            self.fill()?;
        }
        request.body = self.input.drain(..length).collect();
        request.at = Instant::now();
        self.log.update(|received| received.requests.push(request.clone()));
        Some(request)
    }

    /// Reads the head of a request and counts the request; leaves its body unread.
    pub(crate) fn read_head(&mut self) -> Option<Request> {
        let head = self.take_head()?;
        let request = Request { connection: self.number, at: Instant::now(), head, body: Vec::new() };
        self.log.update(|received| received.requests.push(request.clone()));
        Some(request)
    }

    /// Reads the body of this length that follows a head.
    pub(crate) fn read_body(&mut self, length: usize) {
        while self.input.len() < length && self.fill().is_some() {}
        self.input.drain(..length.min(self.input.len()));
    }

    /// Sends these bytes. Errors are ignored: whether the client is still connected shows in the next read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).write_all(bytes.as_ref()),
            None => self.stream.write_all(bytes.as_ref()),
        };
    }

    /// Reads a request and sends this response. Returns false when the client has closed the connection.
    pub(crate) fn respond(&mut self, response: impl AsRef<[u8]>) -> bool {
        let has_request = self.read().is_some();
        if has_request {
            self.send(response);
        }
        has_request
    }

    /// Sends nothing and ignores input until the client closes the connection.
    pub(crate) fn hang(mut self) {
        self.drain();
    }

    /// Reads and discards input, without counting requests, until the client closes the connection.
    pub(crate) fn drain(&mut self) {
        while self.fill().is_some() {
            self.input.clear();
        }
    }

    /// Pauses as a slow server does, shorter if the client closes the connection. Returns whether it is still open.
    pub(crate) fn pause(&self, duration: Duration) -> bool {
        let limit = Timespec::try_from(duration).unwrap();
        poll(&mut [PollFd::new(&self.stream, PollFlags::RDHUP)], Some(&limit)) == Ok(0)
    }

    /// Reads and discards up to `max` bytes. Returns false when the client has closed the connection.
    pub(crate) fn read_some(&mut self, max: usize) -> bool {
        matches!(self.stream.read(&mut vec![0; max]), Ok(1..))
    }

    /// Updates the keys of the TLS session (RFC 8446 section 4.6.3).
    pub(crate) fn update_keys(&mut self) {
        let tls = self.tls.as_mut().expect("a TLS connection");
        tls.refresh_traffic_keys().unwrap();
        tls.complete_io(&mut self.stream).unwrap();
    }

    /// Sends the `close_notify` of TLS and keeps the connection open.
    pub(crate) fn close_notify(&mut self) {
        let tls = self.tls.as_mut().expect("a TLS connection");
        tls.send_close_notify();
        tls.write_tls(&mut self.stream).unwrap();
    }

    /// Closes the sending direction only.
    pub(crate) fn finish_sending(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }

    fn take_head(&mut self) -> Option<String> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            if let Some(at) = self.input.windows(END.len()).position(|window| window == END) {
                let head = self.input.drain(..at + END.len()).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            self.fill()?;
        }
    }

    /// Reads more input; `None` when the client has closed the connection.
    fn fill(&mut self) -> Option<()> {
        let mut piece = [0; 16 * 1024];
        let read = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut piece),
            None => self.stream.read(&mut piece),
        };
        match read {
            Ok(count @ 1..) => {
                self.input.extend_from_slice(&piece[..count]);
                Some(())
            }
            _ => None,
        }
    }
}

/// Threads wait at it until a test opens it.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) fn wait(&self) {
        let open = self.open.lock().unwrap();
        let (open, waited) = self.opened.wait_timeout_while(open, WAIT_LIMIT, |open| !*open).unwrap();
        drop(open);
        assert!(!waited.timed_out(), "the gate was never opened");
    }
}

/// An address where connecting hangs: the accept queue is full, so Linux drops further SYNs.
pub(crate) struct BlackHole {
    addr: SocketAddr,
    /// The queue stays full as long as these are open.
    _kept: (TcpListener, Vec<TcpStream>),
}

impl BlackHole {
    /// Fills the accept queue until connecting blocks.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let addr = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        for _ in 0..16 {
            match TcpStream::connect_timeout(&addr, Duration::from_millis(300)) {
                Ok(stream) => queued.push(stream),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
                    return Self { addr, _kept: (listener, queued) };
                }
            }
        }
        panic!("the queue of a backlog of 0 never fills");
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}
