//! A server that does what a test says, connection by connection, and counts on its own.

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

/// Longest wait for something that has to come; far beyond what it needs on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer with a body of two bytes.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The authority that signed the certificate of [`Peer::secure`].
pub(crate) const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem");

/// A certificate for shop.test and 127.0.0.1, and its key, which are good for nothing else.
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");

pub(crate) use proxy::{Reply, Socks, is_connect};

/// A listening server; each connection has a thread of its own that runs the behaviour.
pub(crate) struct Server {
    /// None for a Unix socket.
    addr: Option<SocketAddr>,
    log: Arc<Log>,
}

/// What the server has seen so far.
#[derive(Default)]
struct Log {
    seen: Mutex<(usize, Vec<Seen>)>,
    changed: Condvar,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Number of its connection, from 0 in the order accepted.
    pub(crate) connection: usize,
    /// When its last byte had been read.
    pub(crate) at: Instant,
    /// Request line and fields, with the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// The request line without the version.
    pub(crate) fn asked(&self) -> &str {
        let line = self.head.lines().next().unwrap();
        line.strip_suffix(" HTTP/1.1").expect("HTTP/1.1")
    }

    /// Value of a field, `None` where it is absent.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn start(behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), behaviour)
    }

    /// Serves what comes to `listener`.
    pub(crate) fn on(listener: TcpListener, behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
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

    /// Serves what comes to a Unix socket at `path`.
    pub(crate) fn at(path: &str, behaviour: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        rustix::net::listen(&listener, 4096).unwrap();
        // Reading, writing and shutting down are the same calls for any kind of socket.
        let accept = move || TcpStream::from(OwnedFd::from(listener.accept().unwrap().0));
        Self { addr: None, log: serve(accept, behaviour) }
    }

    /// Gives this answer to every request.
    pub(crate) fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(move |mut peer| while peer.answer(&answer) {})
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr.expect("a server with a port")
    }

    /// The server as `--host` takes it.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.log.seen.lock().unwrap().0
    }

    /// Requests read so far, in that order.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().1.clone()
    }

    /// How many requests were read so far.
    pub(crate) fn count(&self) -> u64 {
        self.log.seen.lock().unwrap().1.len() as u64
    }

    /// Their request lines without the version.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|seen| seen.asked().to_owned()).collect()
    }

    /// Waits until so many connections were accepted.
    pub(crate) fn wait_for_connections(&self, count: usize) {
        self.log.wait_until(&format!("{count} connections"), |seen| seen.0 >= count);
    }

    /// Waits until so many requests were read.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        self.log.wait_until(&format!("{count} requests"), |seen| seen.1.len() >= count);
    }
}

/// Accepts until the test ends, each connection on a thread of its own; gives where it is counted.
fn serve(
    mut accept: impl FnMut() -> TcpStream + Send + 'static,
    behaviour: impl Fn(Peer) + Send + Sync + 'static,
) -> Arc<Log> {
    let (behaviour, log) = (Arc::new(behaviour), Arc::new(Log::default()));
    let judge = Arc::clone(&log);
    thread::spawn(move || {
        for number in 0.. {
            let stream = accept();
            judge.note(|seen| seen.0 += 1);
            let (behaviour, log) = (Arc::clone(&behaviour), Arc::clone(&judge));
            let serve = move || behaviour(Peer { number, stream, tls: None, log, input: Vec::new() });
            thread::Builder::new().stack_size(128 * 1024).spawn(serve).unwrap();
        }
    });
    log
}

impl Log {
    fn note(&self, change: impl FnOnce(&mut (usize, Vec<Seen>))) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait_until(&self, what: &str, is_there: impl Fn(&(usize, Vec<Seen>)) -> bool) {
        let seen = self.seen.lock().unwrap();
        let (seen, waited) = self.changed.wait_timeout_while(seen, PATIENCE, |seen| !is_there(seen)).unwrap();
        let (connections, requests) = (seen.0, seen.1.len());
        drop(seen);
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
    /// Speaks TLS from here on.
    pub(crate) fn secure(mut self) -> Self {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(CERTIFICATE).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        self.tls = Some(Box::new(ServerConnection::new(Arc::new(config)).unwrap()));
        self
    }

    /// Reads a request with its body; `None` when the client is gone.
    pub(crate) fn read(&mut self) -> Option<Seen> {
        let head = self.take_head()?;
        let mut seen = Seen { connection: self.number, at: Instant::now(), head, body: Vec::new() };
        let length = seen.field("content-length").map_or(0, |length| length.parse().unwrap());
        while self.input.len() < length {
            self.fill()?;
        }
        seen.body = self.input.drain(..length).collect();
        seen.at = Instant::now();
        self.log.note(|log| log.1.push(seen.clone()));
        Some(seen)
    }

    /// Reads the head of a request and counts the request; leaves its body.
    pub(crate) fn read_head(&mut self) -> Option<Seen> {
        let head = self.take_head()?;
        let seen = Seen { connection: self.number, at: Instant::now(), head, body: Vec::new() };
        self.log.note(|log| log.1.push(seen.clone()));
        Some(seen)
    }

    /// Reads the body that follows such a head.
    pub(crate) fn read_body(&mut self, length: usize) {
        while self.input.len() < length && self.fill().is_some() {}
        self.input.drain(..length.min(self.input.len()));
    }

    /// Writes; whether the client still listens shows elsewhere.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).write_all(bytes.as_ref()),
            None => self.stream.write_all(bytes.as_ref()),
        };
    }

    /// Reads a request and answers it; says whether there was one.
    pub(crate) fn answer(&mut self, answer: impl AsRef<[u8]>) -> bool {
        let came = self.read().is_some();
        if came {
            self.say(answer);
        }
        came
    }

    /// Takes nothing and says nothing until the client has gone.
    pub(crate) fn hang(mut self) {
        self.drain();
    }

    /// Reads what comes, without counting it, until the client has gone.
    pub(crate) fn drain(&mut self) {
        while self.fill().is_some() {
            self.input.clear();
        }
    }

    /// Takes its time, as slow servers do; says whether the client is still there.
    pub(crate) fn dawdle(&self, pause: Duration) -> bool {
        let limit = Timespec::try_from(pause).unwrap();
        poll(&mut [PollFd::new(&self.stream, PollFlags::RDHUP)], Some(&limit)) == Ok(0)
    }

    /// Reads at most so many bytes; says whether some came.
    pub(crate) fn sip(&mut self, most: usize) -> bool {
        matches!(self.stream.read(&mut vec![0; most]), Ok(1..))
    }

    /// Changes the keys of the TLS session, which the client is told.
    pub(crate) fn change_keys(&mut self) {
        let tls = self.tls.as_mut().expect("a secure peer");
        tls.refresh_traffic_keys().unwrap();
        tls.complete_io(&mut self.stream).unwrap();
    }

    /// Says by TLS that nothing more comes, and keeps the connection open.
    pub(crate) fn close_notify(&mut self) {
        let tls = self.tls.as_mut().expect("a secure peer");
        tls.send_close_notify();
        tls.write_tls(&mut self.stream).unwrap();
    }

    /// Ends the answer, not the connection.
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

/// Holds whoever waits until it is opened.
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
        let (open, waited) = self.opened.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap();
        drop(open);
        assert!(!waited.timed_out(), "nobody opened the gate");
    }
}

/// An address where connections neither come about nor are refused: its queue is full, so Linux drops further SYNs.
pub(crate) struct BlackHole {
    addr: SocketAddr,
    /// Full as long as these are there.
    _kept: (TcpListener, Vec<TcpStream>),
}

impl BlackHole {
    /// Fills a queue until connecting blocks.
    pub(crate) fn dig() -> Self {
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
