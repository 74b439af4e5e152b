//! The head of a response: its status and fields, and what they say about the body and the connection.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use crate::load::http::response::Framing;
use crate::outcome::ProtocolTrouble;

/// Maximum length of a head in bytes. Far above what servers send (most stop at 8 KiB, browsers at 256), and it bounds
/// the memory that a hostile server can make each user allocate.
pub const MAX_HEAD: usize = 64 * 1024;

/// Fields parsed without an allocation: 1 KiB of stack that is not written before use. Not more, because the stack
/// below would then be on a further page, which is a cache miss for each of thousands of users. Few servers send more
/// than 20 fields.
const USUAL_FIELDS: usize = 32;

/// Inputs up to this length are parsed each time they grow, so that what cannot become `HTTP/1.x nnn` is refused at
/// once.
const STATUS_LINE_START: usize = 16;

/// The parts of a response that the request's method allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseExtent {
    /// Only the head: the method was HEAD, or CONNECT.
    HeadOnly,
    /// Head and body: any other method.
    HeadAndBody,
}

/// A parsed head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHead<'b> {
    /// The status, 100 to 999 without 101. Below 200 it is interim: another head follows.
    pub status: u16,
    /// Length of the head in bytes, with the empty line that ends it.
    pub len: usize,
    /// How the end of the body is found.
    pub framing: Framing,
    /// Whether the connection may carry another request once the body is complete (RFC 9112 §9.3).
    pub keep_alive: bool,
    /// Value of the last `location` field.
    pub location: Option<&'b [u8]>,
    /// Whether it has a `set-cookie` field.
    pub sets_cookies: bool,
}

impl ResponseHead<'_> {
    /// Whether this is an interim head (1xx): the caller skips it and reads the next one.
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        self.status < 200
    }
}

/// Incremental parser for one head in a growing buffer.
///
/// If a server sends its head byte by byte, a parser that starts over each time does 64 Ki × 64 KiB of work. So an
/// unfinished head is parsed again only when the empty line that ends it has arrived, or the buffer has doubled (so
/// that garbage is refused before 64 KiB of it have arrived): the work stays proportional to the bytes. A head that
/// arrives in one piece, the usual case, is parsed once and never searched.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadScan {
    /// Length of the input when it was last parsed.
    parsed: usize,
    /// No empty line ends before this offset.
    searched: usize,
    /// Whether the status line has begun: empty lines before it do not end the head.
    begun: bool,
}

impl HeadScan {
    /// Parses the head at the start of `input`; `Ok(None)` means that more bytes are needed.
    ///
    /// Until the head is complete, each call's input must begin with the input of the previous call. Each head needs a
    /// new `HeadScan`, also the one after an interim head.
    ///
    /// # Errors
    /// As [`parse_head`], except that a bad field in a head that arrives in pieces may be reported only when the head
    /// is complete; if the peer closes before that, [`closed_within`] returns what was wrong.
    pub fn parse<'b>(
        &mut self,
        input: &'b [u8],
        asked: ResponseExtent,
    ) -> Result<Option<ResponseHead<'b>>, ProtocolTrouble> {
        let due = input.len() >= self.parsed * 2
            || input.len() <= STATUS_LINE_START
            || input.len() >= MAX_HEAD
            || self.finds_empty_line(input);
        if !due {
            return Ok(None);
        }
        self.parsed = input.len();
        parse_head(input, asked)
    }

    /// Whether an empty line follows the status line; remembers how far it searched.
    fn finds_empty_line(&mut self, input: &[u8]) -> bool {
        if !self.begun {
            let Some(start) = input[self.searched..].iter().position(|byte| !matches!(byte, b'\r' | b'\n')) else {
                self.searched = input.len();
                return false;
            };
            self.searched += start;
            self.begun = true;
        }
        while let Some(line) = input[self.searched..].iter().position(|&byte| byte == b'\n') {
            self.searched += line;
            match input[self.searched + 1..] {
                [b'\n', ..] | [b'\r', b'\n', ..] => return true,
                [] | [b'\r'] => return false,
                _ => self.searched += 1,
            }
        }
        self.searched = input.len();
        false
    }
}

/// Parses the head at the start of `input`; `Ok(None)` means that more bytes are needed.
///
/// Lines may end with a bare LF and empty lines may precede the status line (RFC 9112 §2.2); control characters are
/// refused (§5). Both are httparse's defaults. It also refuses folded lines and blanks before a colon, which [`unfold`]
/// rewrites: they are so rare that only a refused head is searched for them.
///
/// # Errors
/// As soon as the bytes received cannot become a valid head; [`ProtocolTrouble::HeadTooLong`] when [`MAX_HEAD`] bytes have
/// arrived without its end.
pub fn parse_head(input: &[u8], asked: ResponseExtent) -> Result<Option<ResponseHead<'_>>, ProtocolTrouble> {
    let within = &input[..input.len().min(MAX_HEAD)];
    let config = ParserConfig::default();
    let mut usual = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut many = Vec::new();

    let mut response = httparse::Response::new(&mut []);
    let mut parsed = config.parse_response_with_uninit_headers(&mut response, within, &mut usual);
    if parsed == Err(httparse::Error::TooManyHeaders) {
        // There are at most as many fields as lines: 64 Ki / 3, of 32 bytes each.
        let lines = within.split(|&byte| byte == b'\n').count();
        many.resize(lines, MaybeUninit::uninit());
        response = httparse::Response::new(&mut []);
        parsed = config.parse_response_with_uninit_headers(&mut response, within, &mut many);
    }
    match parsed {
        Ok(Status::Complete(len)) => {
            let status = response.code.unwrap_or_default();
            let version = if response.version == Some(0) { HttpVersion::Http10 } else { HttpVersion::Http11 };
            interpret(status, version, response.headers, asked, len).map(Some)
        }
        Ok(Status::Partial) if within.len() == MAX_HEAD => Err(ProtocolTrouble::HeadTooLong),
        Ok(Status::Partial) => Ok(None),
        Err(httparse::Error::Version) => Err(ProtocolTrouble::BadVersion),
        Err(httparse::Error::Status) => Err(ProtocolTrouble::BadStatusLine),
        Err(_) => Err(ProtocolTrouble::BadField),
    }
}

/// The result of [`unfold`] for a head that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfolded {
    /// It was rewritten: parse it again.
    Rewritten,
    /// Its last line may still become a field: more bytes are needed to decide.
    Unfinished,
    /// There is nothing to rewrite: it is broken.
    Unchanged,
}

/// Rewrites in place what old servers may send and RFC 9112 requires a client to accept: folded lines of a field become
/// one line (§5.2: the line end and the blanks after it become spaces), blanks before its colon move behind it (§5.1:
/// they are to be removed). The length stays the same, what cannot be a head is left as it is, and nothing behind the
/// head is touched, so it may be called again as the head grows.
#[must_use]
pub fn unfold(input: &mut [u8]) -> Unfolded {
    let mut changed = false;
    let first = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    // Starts after the status line: a line folded onto that one is not a field (§2.2).
    let Some(mut line) = input[first..].iter().position(|byte| *byte == b'\n').map(|at| first + at + 1) else {
        return Unfolded::Unchanged;
    };
    let mut is_field = false;
    while line < input.len() {
        let end = input[line..].iter().position(|byte| *byte == b'\n').map_or(input.len(), |at| line + at);
        let starts_blank = is_blank(input[line]);
        if !starts_blank && input[line..end].trim_ascii_end().is_empty() {
            break;
        }
        if starts_blank && is_field {
            let before = if line > 1 && input[line - 2] == b'\r' { line - 2 } else { line - 1 };
            let blanks = input[line..end].iter().take_while(|byte| is_blank(**byte)).count();
            input[before..line + blanks].fill(b' ');
            changed = true;
        } else if !starts_blank {
            let is_last = end == input.len();
            match close_up_name(&mut input[line..end]) {
                NameEnd::Spaced => (is_field, changed) = (true, true),
                NameEnd::Closed => is_field = true,
                NameEnd::Cut if is_last && input.len() < MAX_HEAD => return Unfolded::Unfinished,
                // Not a field, whatever follows: the parser will refuse it.
                NameEnd::Cut | NameEnd::None => break,
            }
        }
        line = end + 1;
    }
    if changed { Unfolded::Rewritten } else { Unfolded::Unchanged }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where the name of a field ended relative to its colon.
enum NameEnd {
    /// Directly before it.
    Closed,
    /// Blanks in between, which are now after the colon.
    Spaced,
    /// Blanks follow, but no colon yet.
    Cut,
    /// This is not a field.
    None,
}

/// Moves the colon of a field to the end of its name.
fn close_up_name(line: &mut [u8]) -> NameEnd {
    let colon = line.iter().position(|byte| *byte == b':');
    let end = colon.unwrap_or(line.len());
    let name = line[..end].iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    if line[..name].iter().any(|byte| is_blank(*byte)) {
        return NameEnd::None;
    }
    let Some(colon) = colon else { return if name < end { NameEnd::Cut } else { NameEnd::None } };
    if name == 0 || name == colon {
        return NameEnd::Closed;
    }
    line[name..=colon].fill(b' ');
    line[name] = b':';
    NameEnd::Spaced
}

/// The error for a head in which the peer closed the connection: [`ProtocolTrouble::ClosedEarly`], unless the received part was
/// already broken. So the result does not depend on how the bytes were split in transit.
#[must_use]
pub fn closed_within(input: &[u8], asked: ResponseExtent) -> ProtocolTrouble {
    parse_head(input, asked).err().unwrap_or(ProtocolTrouble::ClosedEarly)
}

/// Name and value of each field of a head that was already parsed; for the few callers that need more than [`Head`]
/// has.
pub(in crate::load) fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|byte| *byte == b'\n').skip(1).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HttpVersion {
    Http10,
    Http11,
}

/// The codings of the `transfer-encoding` fields so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TransferCoding {
    Absent,
    Chunked,
    Other,
}

/// Applies RFC 9112 §6.3 to a head with valid syntax.
fn interpret<'b>(
    status: u16,
    version: HttpVersion,
    headers: &[Header<'b>],
    asked: ResponseExtent,
    len: usize,
) -> Result<ResponseHead<'b>, ProtocolTrouble> {
    match status {
        0..=99 => return Err(ProtocolTrouble::BadStatusLine),
        101 => return Err(ProtocolTrouble::Upgrade),
        _ => {}
    }
    // §6.3 rule 1: these end with their head, whatever the fields say, so the fields are not even read.
    let bodiless = asked == ResponseExtent::HeadOnly || matches!(status, 100..=199 | 204 | 304);

    let (mut length, mut encoding, mut location) = (None, TransferCoding::Absent, None);
    let (mut says_close, mut says_keep, mut sets_cookies) = (false, false, false);
    for Header { name, value } in headers {
        // The length nearly always decides; names are compared only if it fits.
        match name.len() {
            8 if name.eq_ignore_ascii_case("location") => location = Some(*value),
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in elements(value) {
                    says_close |= option.eq_ignore_ascii_case(b"close");
                    says_keep |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            10 if name.eq_ignore_ascii_case("set-cookie") => sets_cookies = true,
            14 if !bodiless && name.eq_ignore_ascii_case("content-length") => {
                length = Some(add_lengths(length, value)?);
            }
            17 if !bodiless && name.eq_ignore_ascii_case("transfer-encoding") => {
                encoding = add_codings(encoding, value)?;
            }
            _ => {}
        }
    }

    let framing = if bodiless { Framing::None } else { framing(version, length, encoding)? };
    let kept = !says_close && (version == HttpVersion::Http11 || says_keep);
    Ok(ResponseHead {
        status,
        len,
        framing,
        keep_alive: kept && framing != Framing::UntilClose,
        location,
        sets_cookies,
    })
}

/// RFC 9112 §6.3 rules 3 to 8, and §6.1 for HTTP/1.0.
fn framing(version: HttpVersion, length: Option<u64>, encoding: TransferCoding) -> Result<Framing, ProtocolTrouble> {
    match (encoding, length) {
        (TransferCoding::Absent, Some(length)) => Ok(Framing::Length(length)),
        (TransferCoding::Absent, None) => Ok(Framing::UntilClose),
        _ if version == HttpVersion::Http10 => Err(ProtocolTrouble::EncodingInHttp10),
        (_, Some(_)) => Err(ProtocolTrouble::LengthAndEncoding),
        (TransferCoding::Chunked, None) => Ok(Framing::Chunked),
        (TransferCoding::Other, None) => Ok(Framing::UntilClose),
    }
}

/// Adds one `content-length` field: all values, also within a list, must be the same number (RFC 9110 §8.6).
fn add_lengths(before: Option<u64>, value: &[u8]) -> Result<u64, ProtocolTrouble> {
    let mut length = before;
    for element in elements(value) {
        let this = decimal(element).ok_or(ProtocolTrouble::BadLength)?;
        if length.is_some_and(|length| length != this) {
            return Err(ProtocolTrouble::ConflictingLengths);
        }
        length = Some(this);
    }
    length.ok_or(ProtocolTrouble::BadLength)
}

/// The value of `digits`; `None` if they are not one or more digits, or exceed 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    let start = (!digits.is_empty()).then_some(0_u64);
    digits.iter().fold(start, |number, byte| match byte {
        b'0'..=b'9' => number?.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Adds one `transfer-encoding` field; the fields together form one list in the order of their lines.
fn add_codings(before: TransferCoding, value: &[u8]) -> Result<TransferCoding, ProtocolTrouble> {
    let mut encoding = before;
    // Empty list elements are ignored (RFC 9110 §5.6.1).
    for element in elements(value).filter(|element| !element.is_empty()) {
        if encoding == TransferCoding::Chunked {
            return Err(ProtocolTrouble::ChunkedNotLast);
        }
        encoding = if element.eq_ignore_ascii_case(b"chunked") {
            TransferCoding::Chunked
        } else if is_other_coding(element) {
            TransferCoding::Other
        } else {
            return Err(ProtocolTrouble::BadEncoding);
        };
    }
    // A field without any coding still excludes a length.
    Ok(if encoding == TransferCoding::Absent { TransferCoding::Other } else { encoding })
}

/// Whether this is a token, perhaps with parameters, other than `chunked`: that must not have parameters (RFC 9112
/// §7.1).
fn is_other_coding(element: &[u8]) -> bool {
    let name = element.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii_end();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_token) && !name.eq_ignore_ascii_case(b"chunked")
}

/// The elements of a comma-separated list without the blanks around them (RFC 9110 §5.6.1).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
