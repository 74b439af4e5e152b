//! Where ours and ureq-proto differ on purpose.

use swarmline::load::http::response::head::{MAX_HEAD, ResponseExtent, parse_head};
use swarmline::outcome::ProtocolTrouble;
use ureq_proto::Error;

use super::cases::Case;
use super::{Ours, Theirs};

/// One deliberate difference.
pub(super) struct Difference {
    pub(super) name: &'static str,
    /// The reason and its source.
    pub(super) why: &'static str,
    pub(super) asked: ResponseExtent,
    /// Bytes that show the difference.
    pub(super) example: fn() -> Vec<u8>,
    /// Whether two verdicts differ for this reason.
    pub(super) applies: fn(&Case, &Ours, &Theirs) -> bool,
}

pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "folded lines and spaces before a colon are accepted",
        why: "RFC 9112 §5.2: a user agent must replace each obs-fold by spaces; §5.1: such blanks are removed",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 200 OK\r\nA : b\r\n c\r\nContent-Length:\r\n\t0\r\n\r\n".to_vec(),
        applies: |case, ours, theirs| {
            let has = |text: &[u8]| case.bytes.windows(text.len()).any(|window| window == text);
            let is_there = [&b" :"[..], b"\t:", b"\n ", b"\n\t"].into_iter().any(has);
            is_there && ours.is_ok() && matches!(theirs, Err(Some(Error::HttpParseFail(_))))
        },
    },
    Difference {
        name: "content-length beside transfer-encoding is broken",
        why: "RFC 9112 §6.3 rule 3: ought to be handled as an error; ureq-proto lets chunked win",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| *ours == Err(ProtocolTrouble::LengthAndEncoding) && theirs.is_ok(),
    },
    Difference {
        name: "transfer-encoding in HTTP/1.0 is broken",
        why: "RFC 9112 §6.1: must be treated as if the framing is faulty; ureq-proto ignores the field",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| *ours == Err(ProtocolTrouble::EncodingInHttp10) && theirs.is_ok(),
    },
    Difference {
        name: "chunked comes once and last",
        why: "RFC 9112 §6.1 and §7: a sender must not do otherwise; ureq-proto looks for chunked anywhere in the list",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| *ours == Err(ProtocolTrouble::ChunkedNotLast) && theirs.is_ok(),
    },
    Difference {
        name: "a malformed list of codings is broken",
        why: "RFC 9112 §7 and §7.1: codings are tokens, chunked has no parameters; ureq-proto ignores such a field",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| *ours == Err(ProtocolTrouble::BadEncoding) && theirs.is_ok(),
    },
    Difference {
        name: "101 is broken",
        why: "RFC 9110 §15.2.2: a server switches only to what was asked for, and nothing was; ureq-proto returns it",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| {
            *ours == Err(ProtocolTrouble::Upgrade) && theirs.as_ref().is_ok_and(|theirs| theirs.status == 101)
        },
    },
    Difference {
        name: "100 may have fields",
        why: "RFC 9110 §15.2: an interim response may have a header section; ureq-proto refuses it",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| ours.is_ok() && *theirs == Err(Some(Error::HeadersWith100)),
    },
    Difference {
        name: "a bad length does not matter where there is no body",
        why: "RFC 9112 §6.3 rule 1: ends with the head regardless of its fields; ureq-proto reads the length first",
        asked: ResponseExtent::HeadOnly,
        example: || b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".to_vec(),
        applies: |_, ours, theirs| {
            let lengths = [Error::BadContentLengthHeader, Error::TooManyContentLengthHeaders];
            ours.is_ok() && matches!(theirs, Err(Some(error)) if lengths.contains(error))
        },
    },
    Difference {
        name: "a head may have more than 128 fields",
        why: "heads are bounded by their 64 KiB, not by a number; ureq-proto counts",
        asked: ResponseExtent::HeadAndBody,
        example: || format!("HTTP/1.1 204 X\r\n{}\r\n", "a: b\r\n".repeat(129)).into_bytes(),
        applies: |_, ours, theirs| ours.is_ok() && *theirs == Err(Some(Error::HttpParseTooManyHeaders)),
    },
    Difference {
        name: "a head has at most 64 KiB",
        why: "ureq-proto leaves it to its caller (RFC 9112 §2.3 and RFC 9110 §5.4 leave the limit open)",
        asked: ResponseExtent::HeadAndBody,
        example: || format!("HTTP/1.1 204 X\r\na: {}\r\n\r\n", "b".repeat(MAX_HEAD)).into_bytes(),
        applies: |case, ours, theirs| {
            *ours == Err(ProtocolTrouble::HeadTooLong) && case.bytes.len() > MAX_HEAD && theirs.is_ok()
        },
    },
    Difference {
        name: "all options of connection count",
        why: "RFC 9110 §5.5: bytes over 127 are opaque data; ureq-proto ignores a connection field that has any",
        asked: ResponseExtent::HeadAndBody,
        example: || b"HTTP/1.1 204 X\r\nConnection: close, \xff\r\n\r\n".to_vec(),
        applies: |case, ours, theirs| {
            let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return false };
            let mut alike = theirs.clone();
            alike.keep_alive = ours.keep_alive;
            let obs_text =
                |line: &[u8]| line.len() > 10 && line[..10].eq_ignore_ascii_case(b"connection") && !line.is_ascii();
            alike == *ours && case.bytes.split(|&byte| byte == b'\n').any(obs_text)
        },
    },
    Difference {
        name: "a chunk size is hex digits alone",
        why: "RFC 9112 §7.1: 1*HEXDIG; ureq-proto also takes a plus sign and any whitespace around, even a bare LF",
        asked: ResponseExtent::HeadAndBody,
        example: || chunked("+1\r\nx\r\n0\r\n\r\n"),
        applies: |case, ours, theirs| {
            *ours == Err(ProtocolTrouble::BadChunkSize)
                && theirs.is_ok()
                && chunk_lines(case).any(|line| !is_size(size_of(line)))
        },
    },
    Difference {
        name: "a chunk extension has no bare LF",
        why: "RFC 9112 §7.1.1: only tokens and quoted strings; another reader would see the line end there",
        asked: ResponseExtent::HeadAndBody,
        example: || chunked("1;a\nb\r\nx\r\n0\r\n\r\n"),
        applies: |case, ours, theirs| {
            *ours == Err(ProtocolTrouble::BadChunkSize)
                && theirs.is_ok()
                && chunk_lines(case).any(|line| is_size(size_of(line)) && line.contains(&b'\n'))
        },
    },
    Difference {
        name: "a chunk size line may have over 20 bytes",
        why: "RFC 9112 §7.1.1: unknown extensions must be ignored, within a reasonable bound (ours is 4 KiB)",
        asked: ResponseExtent::HeadAndBody,
        example: || chunked("1;name=a-longer-value\r\nx\r\n0\r\n\r\n"),
        applies: |case, ours, theirs| {
            ours.is_ok()
                && *theirs == Err(Some(Error::ChunkExpectedCrLf))
                && chunk_lines(case).any(|line| line.len() > 20)
        },
    },
    Difference {
        name: "trailers end with CRLF",
        why: "RFC 9112 §7.1: field-line CRLF; another reader would see a bare LF as the end",
        asked: ResponseExtent::HeadAndBody,
        example: || chunked("0\r\nA: b\nC: d\r\n\r\n"),
        applies: |_, ours, theirs| *ours == Err(ProtocolTrouble::BadTrailer) && theirs.is_ok(),
    },
    Difference {
        name: "trailers have at most 64 KiB",
        why: "RFC 9112 §7.1.2 and §2.3: a recipient bounds what it reads; ureq-proto does not",
        asked: ResponseExtent::HeadAndBody,
        example: || chunked(&format!("0\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEAD / 6 + 1))),
        applies: |case, ours, theirs| {
            *ours == Err(ProtocolTrouble::TrailersTooLong) && case.bytes.len() > MAX_HEAD && theirs.is_ok()
        },
    },
];

fn chunked(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

/// The lines with chunk sizes as ureq-proto sees them, up to the first that it cannot read.
fn chunk_lines(case: &Case) -> impl Iterator<Item = &[u8]> {
    let mut rest = case.bytes.as_slice();
    while let Ok(Some(head)) = parse_head(rest, case.asked) {
        rest = &rest[head.len..];
        if !head.is_interim() {
            break;
        }
    }
    let mut last = false;
    std::iter::from_fn(move || {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").filter(|_| !last)?;
        let line = &rest[..end];
        let size = usize::from_str_radix(str::from_utf8(size_of(line)).ok()?.trim(), 16).ok()?;
        last = size == 0;
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
        Some(line)
    })
}

/// The part of the line that ureq-proto reads as the size.
fn size_of(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b';').next().unwrap_or_default()
}

/// Whether this is a size, possibly followed by spaces or tabs, which ours accepts.
fn is_size(size: &[u8]) -> bool {
    let digits = size.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits > 0 && size[digits..].iter().all(|byte| b" \t".contains(byte))
}
