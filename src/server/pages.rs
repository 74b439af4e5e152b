//! A small server for pages about a run, with the threads and the parser of the embedded target, and with narrow limits: it
//! must never be a burden for the process that measures.
//!
//! At most [`MAX_READERS`] connections are open; one more is told so with a 503. The head of a request has at most
//! [`MAX_REQUEST`] bytes, and so has its body; it arrives within [`PATIENCE`]; a client that takes nothing for so long is dropped, and so is
//! one that has not taken a whole response after [`MAX_SENDING`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::acceptor::{AcceptLimits, Acceptor, Service};
use super::body::RequestBody;
use super::head::{self, After, BodyPresence, RequestFraming, RequestVersion, framing, split_target, text};
use super::reader::{HeadRead, RequestReader};
use super::response::reason;

/// Maximum open connections.
pub const MAX_READERS: usize = 64;

/// Maximum bytes of a request's head, and of its body.
pub const MAX_REQUEST: usize = 8 * 1024;

/// How long a client may send or take nothing when it is its turn, and how long a whole request may take to arrive.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a client may take for a whole response.
pub const MAX_SENDING: Duration = Duration::from_secs(60);

/// Stack size of a connection's thread in bytes: pages are made there.
const STACK: usize = 2 * 1024 * 1024;

/// Bytes of a response that the kernel holds for a client that has not taken them.
const SEND_BUFFER: usize = 128 * 1024;

/// Nice value of a connection's thread: where CPUs are short, the load goes first.
const NICE: i32 = 10;

/// Bytes read of a request that was refused: closing with unread input resets the connection, and the client would lose the
/// response.
const LINGER_BYTES: u64 = 1 << 20;

const LIMITS: AcceptLimits =
    AcceptLimits { name: "web", backlog: 128, connections: MAX_READERS, idle: PATIENCE, stack: STACK };

/// A request for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// `GET` for `HEAD`, too.
    pub method: String,
    /// Without query.
    pub path: String,
    /// Behind the `?`; empty without one.
    pub query: String,
    fields: Vec<(String, String)>,
}

impl PageRequest {
    /// The value of the only field with this name; `None` if there is none, or more than one.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        fields.next().filter(|_| fields.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// The raw value of a parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A response with a body.
#[derive(Clone, Debug)]
pub struct PageResponse {
    /// Status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Further fields, each with its line end.
    pub fields: String,
    /// Body.
    pub body: Arc<str>,
    /// What is due when it has been sent.
    pub then: Option<AfterSending>,
}

/// What is due when a response has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSending {
    /// The reader with this number needs nothing more.
    ReaderHasAll(u32),
    /// The run is stopped, also if the response could not be sent: the process may end before it would be.
    Stop,
}

impl PageResponse {
    /// A line of text.
    #[must_use]
    pub fn text(status: u16, line: &str) -> Self {
        let body = format!("{line}\n").into();
        Self { status, content_type: "text/plain; charset=utf-8", fields: String::new(), body, then: None }
    }
}

/// The pages that are served.
pub trait Pages: Send + Sync + 'static {
    /// The response to a request; called on the thread of its connection.
    fn respond(&self, request: &PageRequest) -> PageResponse;

    /// Called when a response has been sent after which something is due.
    fn after(&self, due: AfterSending);
}

/// A running server of pages. Dropping it closes it and all its connections.
#[derive(Debug)]
pub struct PageServer(Acceptor);

impl PageServer {
    /// Listens on a port of a host (0: any free one).
    ///
    /// # Errors
    /// The system's error: the name is unknown, the port in use.
    pub fn listen(host: &str, port: u16) -> io::Result<PageListener> {
        let listener = TcpListener::bind((host, port))?;
        let addr = listener.local_addr()?;
        Ok(PageListener { listener, addr })
    }

    /// The address it listens on, with the actual port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }
}

/// A port that is taken and not served yet.
#[derive(Debug)]
pub struct PageListener {
    listener: TcpListener,
    addr: SocketAddr,
}

impl PageListener {
    /// The address, with the actual port.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.addr.ip())
    }

    /// Starts serving.
    ///
    /// # Errors
    /// The system's error: no thread can be started.
    pub fn serve(self, pages: impl Pages) -> io::Result<PageServer> {
        Acceptor::start(self.listener, LIMITS, Arc::new(PageService(pages))).map(PageServer)
    }
}

/// Whether an address is of this machine, also in the form of IPv4 in IPv6.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

struct PageService<P>(P);

impl<P: Pages> Service for PageService<P> {
    fn serve(&self, stream: &TcpStream) {
        // On Linux this is of the thread, not of the process. Where it is refused, the thread works like the others.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        // A slow reader takes no more of the kernel's memory than this.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER);
        let mut inbox = RequestReader::new(stream, MAX_REQUEST);
        // An error is a client that went away or took too long, or the end of the server.
        while let Ok(After::Keep | After::KeepAnnounced) = self.exchange(stream, &mut inbox) {}
    }

    fn refuse(&self, stream: &TcpStream) {
        let response = PageResponse::text(503, "64 readers are connected, which is the maximum; try again later");
        // The empty buffer of a new connection has room for it.
        let _ = Reply { stream, extent: BodyPresence::Whole, after: After::Close }.send(&response);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.set_nonblocking(true);
        // What the client has sent already must not reset the connection before it has read the response.
        let _ = { stream }.read(&mut [0; MAX_REQUEST]);
    }
}

impl<P: Pages> PageService<P> {
    /// Reads one request and responds to it.
    fn exchange(&self, stream: &TcpStream, inbox: &mut RequestReader<'_>) -> io::Result<After> {
        // A browser keeps its connection open between two requests: the time of the request begins with its first byte.
        if inbox.unread().is_empty() {
            inbox.fill()?;
        }
        inbox.set_deadline(Some(Instant::now() + PATIENCE));
        let head = match inbox.head(|bytes| head::parse(bytes, Head::read))? {
            HeadRead::End => return Ok(After::Close),
            HeadRead::Broken(431, _) => return refuse(stream, 431, "a request has at most 8 KiB"),
            HeadRead::Broken(status, why) => return refuse(stream, status, why),
            HeadRead::Head(head) => head,
        };
        match head.framing {
            Err(why) => return refuse(stream, 400, why),
            Ok(RequestFraming::Chunked) => return refuse(stream, 411, "the length of the body is required"),
            Ok(RequestFraming::Length(length)) if length > MAX_REQUEST as u64 => {
                return refuse(stream, 413, "a request has at most 8 KiB");
            }
            Ok(framing) => inbox.body(framing, &mut RequestBody::default())?,
        }
        inbox.set_deadline(None);
        let reply = Reply { stream, extent: head.extent, after: head.after };
        let response = self.0.respond(&head.request);
        let sent = reply.send(&response);
        if let Some(due) = response.then.filter(|due| sent.is_ok() || *due == AfterSending::Stop) {
            self.0.after(due);
        }
        sent
    }
}

/// What is taken of a request's head.
struct Head {
    request: PageRequest,
    extent: BodyPresence,
    after: After,
    framing: Result<RequestFraming, &'static str>,
}

impl Head {
    fn read(raw: &httparse::Request<'_, '_>) -> Self {
        let (version, fields) = (RequestVersion::of(raw), &*raw.headers);
        let (path, query) = split_target(raw.path.unwrap_or_default());
        let method = raw.method.map_or("", |method| if method == "HEAD" { "GET" } else { method });
        let request = PageRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            fields: fields.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
        };
        let (extent, after) = (BodyPresence::of(raw), After::of(version, fields));
        Self { request, extent, after, framing: framing(version, fields) }
    }
}

/// Refuses a malformed request, and closes in a way that lets the response arrive.
fn refuse(stream: &TcpStream, status: u16, why: &str) -> io::Result<After> {
    let reply = Reply { stream, extent: BodyPresence::Whole, after: After::Close };
    reply.send(&PageResponse::text(status, why))?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    io::copy(&mut stream.take(LINGER_BYTES), &mut io::sink())?;
    Ok(After::Close)
}

/// The way back to a client.
struct Reply<'s> {
    stream: &'s TcpStream,
    extent: BodyPresence,
    after: After,
}

impl Reply<'_> {
    fn send(&self, response: &PageResponse) -> io::Result<After> {
        let PageResponse { status, content_type, fields, body, .. } = response;
        let connection = match self.after {
            After::Keep => "",
            After::KeepAnnounced => "Connection: keep-alive\r\n",
            After::Close => "Connection: close\r\n",
        };
        let head = format!(
            "HTTP/1.1 {status} {}\r\nServer: swarmline\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             {fields}{connection}\r\n",
            reason(*status),
            body.len()
        );
        let end = Instant::now() + MAX_SENDING;
        self.write(head.as_bytes(), end)?;
        if self.extent == BodyPresence::Whole {
            self.write(body.as_bytes(), end)?;
        }
        Ok(self.after)
    }

    /// Writes all, which the socket's own limit ends if the client takes nothing, and `end` if it takes little.
    fn write(&self, mut bytes: &[u8], end: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            if Instant::now() > end {
                return Err(ErrorKind::TimedOut.into());
            }
            match { self.stream }.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
