//! One connection: reads requests one after another and responds to each before it reads the next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::server::body::{MAX_ECHO, RequestBody};
use crate::server::counts::ServerState;
use crate::server::head::{self, After, BodyPresence, RequestFraming, RequestVersion};
use crate::server::reader::{HeadRead, RequestReader};
use crate::server::request::{self, ServerRoute};
use crate::server::response::{self, Next, Response};

/// Maximum bytes of a request head; also of the trailers.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum bytes kept of a body sent to the shop; each number in it takes up to 64 bytes when parsed.
const MAX_FORM: usize = 16 * 1024;
/// Maximum bytes and time of reading from a client after it was refused: closing with unread input resets the
/// connection, and the client would lose the response.
const LINGER_BYTES: u64 = 1 << 20;
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Serves requests until the client leaves or one side asks to close.
pub(super) fn serve(stream: &TcpStream, shared: &ServerState) {
    let mut inbox = RequestReader::new(stream, MAX_HEAD);
    let mut out = Vec::new();
    // An error is a client that went away, or the end of the server: either way there is nobody to tell.
    while let Ok(Next::Request) = exchange((stream, shared), &mut inbox, &mut out) {}
}

/// Reads one complete request and responds to it.
fn exchange(
    (stream, shared): (&TcpStream, &ServerState),
    inbox: &mut RequestReader<'_>,
    out: &mut Vec<u8>,
) -> io::Result<Next> {
    let request = match inbox.head(|bytes| head::parse(bytes, request::read))? {
        HeadRead::End => return Ok(Next::Close),
        HeadRead::Broken(status, why) => return refuse(stream, out, status, why),
        HeadRead::Head(request) => request,
    };
    shared.count(request.endpoint);
    let framing = match request.framing {
        Ok(framing) => framing,
        Err(why) => return refuse(stream, out, 400, why),
    };
    // A client that has already begun to send the body does not wait for permission (RFC 9110 §10.1.1).
    if request.expects_continue && framing != RequestFraming::Length(0) && inbox.unread().is_empty() {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let limit = match request.route {
        ServerRoute::Echo(_) => MAX_ECHO,
        ServerRoute::Shop(_) => MAX_FORM,
        _ => 0,
    };
    let mut body = RequestBody { limit, ..RequestBody::default() };
    match inbox.body(framing, &mut body) {
        Err(error) if error.kind() == ErrorKind::InvalidData => refuse(stream, out, 400, "broken chunked body"),
        Err(error) => Err(error),
        Ok(()) => response::respond(stream, out, &request, &body, shared),
    }
}

/// Refuses a malformed request, and closes in a way that lets the response arrive.
fn refuse(stream: &TcpStream, out: &mut Vec<u8>, status: u16, why: &str) -> io::Result<Next> {
    Response { stream, out, version: RequestVersion::Http11, extent: BodyPresence::Whole, after: After::Close }
        .text(status, why)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER_TIME))?;
    io::copy(&mut stream.take(LINGER_BYTES), &mut io::sink())?;
    Ok(Next::Close)
}
