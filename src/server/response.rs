//! Responses: writes the response to a [`Request`] to the socket.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, IoSlice, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::json;

use crate::server::body::{MAX_ECHO, RequestBody};
use crate::server::counts::ServerState;
use crate::server::head::{After, BodyPresence, RequestVersion};
use crate::server::pause::{PauseEnd, pause};
use crate::server::request::{EchoHead, ServerRequest, ServerRoute};
use crate::server::shop;

/// The content of `/bytes/N`.
static BLOCK: [u8; 64 * 1024] = [b'x'; 64 * 1024];
/// Bytes of the response buffer that a connection keeps: all but large echoes fit.
const MAX_KEPT_BUFFER: usize = 4096;
/// Bytes of an echo written at a time.
const PIECE: usize = 16 * 1024;

const JSON: &str = "Content-Type: application/json\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";
const BINARY: &str = "Content-Type: application/octet-stream\r\n";

/// The next step after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Request,
    Close,
}

/// Responds to a request whose body was read.
pub(super) fn respond(
    stream: &TcpStream,
    out: &mut Vec<u8>,
    request: &ServerRequest,
    body: &RequestBody,
    shared: &ServerState,
) -> io::Result<Next> {
    let mut answer = Response { stream, out, version: request.version, extent: request.extent, after: request.after };
    match &request.route {
        ServerRoute::Ok => answer.ok(),
        ServerRoute::Bytes(count) => answer.bytes(*count),
        ServerRoute::Delay(time) => match pause(stream, Some(*time)) {
            PauseEnd::Elapsed => answer.ok(),
            PauseEnd::Closed => Ok(Next::Close),
        },
        ServerRoute::Status(code) => answer.text(*code, reason(*code)),
        ServerRoute::Echo(_) if body.length > MAX_ECHO as u64 => answer.text(413, "at most 512 KiB is echoed"),
        ServerRoute::Echo(head) => answer.echo(head, &body.kept),
        ServerRoute::Drip { chunks, gap } => answer.drip(*chunks, *gap),
        ServerRoute::Redirect { status, location } => answer.whole(*status, &format!("Location: {location}\r\n"), b""),
        ServerRoute::Cookies(cookie) => {
            let fields = format!("{JSON}Set-Cookie: swarm=1; Path=/\r\n");
            answer.whole(200, &fields, json!({ "cookie": cookie }).to_string().as_bytes())
        }
        ServerRoute::Hang => {
            pause(stream, None);
            Ok(Next::Close)
        }
        ServerRoute::Reset => {
            // Closing with a linger time of zero sends RST instead of FIN.
            rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
            Ok(Next::Close)
        }
        ServerRoute::Shop(errand) => {
            let reply = shop::serve(errand, &body.kept, || shared.next_order());
            let fields = format!("{JSON}{}", reply.fields);
            answer.whole(reply.status, &fields, reply.body.to_string().as_bytes())
        }
        ServerRoute::NotFound => answer.text(404, "not found"),
        ServerRoute::BadArgument(why) => answer.text(400, why),
    }
}

/// A response to be written.
pub(super) struct Response<'a> {
    pub(super) stream: &'a TcpStream,
    /// Filled and emptied for each response, so that it is allocated only once per connection.
    pub(super) out: &'a mut Vec<u8>,
    pub(super) version: RequestVersion,
    pub(super) extent: BodyPresence,
    pub(super) after: After,
}

/// The request received by `/echo`, to be sent back.
#[derive(Serialize)]
struct Echo<'e> {
    body: Lossy<'e>,
    headers: &'e [(String, String)],
    method: &'e str,
    target: &'e str,
}

/// Bytes as text, with invalid UTF-8 replaced.
struct Lossy<'b>(&'b [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            f.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

impl Serialize for Lossy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Counts the bytes written to it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How the response's body is delimited.
enum Length {
    Known(u64),
    Chunked,
    /// No header: there is no body (204, 304), or it ends with the connection.
    Unsaid,
}

impl Response<'_> {
    fn ok(&mut self) -> io::Result<Next> {
        self.whole(200, JSON, br#"{"ok":true}"#)
    }

    /// A line of text; no body for the statuses that must not have one (RFC 9110 §15).
    pub(super) fn text(&mut self, status: u16, line: &str) -> io::Result<Next> {
        match status {
            204 | 304 => {
                self.head(status, "", &Length::Unsaid);
                self.send()
            }
            205 => self.whole(status, "", b""),
            _ => self.whole(status, TEXT, format!("{line}\n").as_bytes()),
        }
    }

    fn echo(&mut self, head: &EchoHead, body: &[u8]) -> io::Result<Next> {
        let EchoHead { method, target, headers } = head;
        let echo = Echo { body: Lossy(body), headers, method, target };
        let mut length = Counter(0);
        serde_json::to_writer(&mut length, &echo)?;
        self.head(200, JSON, &Length::Known(length.0));
        if self.extent == BodyPresence::Whole {
            // Written in pieces: as JSON text, a body may take six times its bytes.
            let mut stream = BufWriter::with_capacity(PIECE, self.stream);
            stream.write_all(self.out)?;
            serde_json::to_writer(&mut stream, &echo)?;
            stream.flush()?;
            self.out.clear();
            return Ok(self.next());
        }
        self.send()
    }

    /// Head and body in one write.
    fn whole(&mut self, status: u16, fields: &str, body: &[u8]) -> io::Result<Next> {
        self.head(status, fields, &Length::Known(body.len() as u64));
        if self.extent == BodyPresence::Whole {
            self.out.extend_from_slice(body);
        }
        self.send()
    }

    fn bytes(&mut self, count: u64) -> io::Result<Next> {
        self.head(200, BINARY, &Length::Known(count));
        if self.extent == BodyPresence::HeadOnly {
            return self.send();
        }
        let block = |left: u64| &BLOCK[..usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK.len())];
        let first = block(count);
        let written = self.stream.write_vectored(&[IoSlice::new(self.out), IoSlice::new(first)])?;
        let of_head = written.min(self.out.len());
        self.stream.write_all(&self.out[of_head..])?;
        let mut left = count - (written - of_head) as u64;
        while left > 0 {
            let next = block(left);
            self.stream.write_all(next)?;
            left -= next.len() as u64;
        }
        self.out.clear();
        Ok(self.next())
    }

    fn drip(&mut self, chunks: u64, gap: Duration) -> io::Result<Next> {
        let (length, chunk, end): (_, &[u8], &[u8]) = match self.version {
            RequestVersion::Http11 => (Length::Chunked, b"1\r\nx\r\n", b"0\r\n\r\n"),
            RequestVersion::Http10 => {
                self.after = After::Close;
                (Length::Unsaid, b"x", b"")
            }
        };
        self.head(200, BINARY, &length);
        if self.extent == BodyPresence::HeadOnly {
            return self.send();
        }
        for index in 0..chunks {
            if index > 0 {
                self.send()?;
                if pause(self.stream, Some(gap)) == PauseEnd::Closed {
                    return Ok(Next::Close);
                }
            }
            self.out.extend_from_slice(chunk);
        }
        self.out.extend_from_slice(end);
        self.send()
    }

    fn head(&mut self, status: u16, fields: &str, length: &Length) {
        let out = &mut *self.out;
        out.clear();
        // Writing to a Vec does not fail.
        let _status = write!(out, "HTTP/1.1 {status} {}\r\nServer: swarmline-target\r\n{fields}", reason(status));
        let _length = match length {
            Length::Known(length) => write!(out, "Content-Length: {length}\r\n"),
            Length::Chunked => write!(out, "Transfer-Encoding: chunked\r\n"),
            Length::Unsaid => Ok(()),
        };
        out.extend_from_slice(match self.after {
            After::Keep => b"\r\n",
            After::KeepAnnounced => b"Connection: keep-alive\r\n\r\n",
            After::Close => b"Connection: close\r\n\r\n",
        });
    }

    /// Writes the prepared bytes.
    fn send(&mut self) -> io::Result<Next> {
        self.stream.write_all(self.out)?;
        self.out.clear();
        self.out.shrink_to(MAX_KEPT_BUFFER);
        Ok(self.next())
    }

    fn next(&self) -> Next {
        if self.after == After::Close { Next::Close } else { Next::Request }
    }
}

/// The reason phrase of a status (RFC 9110 §15, RFC 6585); `Status` for those without one.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
