//! The body of a response: how many of the received bytes belong to it, and how many of those are payload.
//!
//! Chunks are parsed here and not by ureq-proto, which is the judge in the tests: it takes sizes that RFC 9112 does not
//! allow (a plus sign, blanks around) and does not bound what may follow a size.

use crate::load::http::response::Framing;
use crate::outcome::ProtocolTrouble;

/// Maximum length of a chunk size line in bytes, without its CRLF. A size takes at most 16; the rest is room for
/// extensions, which must be skipped and should be bounded (RFC 9112 §7.1.1).
pub const MAX_CHUNK_LINE: u32 = 4 * 1024;

/// Maximum length of the trailer section in bytes, with its line ends: the same as for a head.
pub const MAX_TRAILERS: u32 = 64 * 1024;

/// Incremental parser for a body; a piece may end anywhere.
#[derive(Clone, Copy, Debug)]
pub struct BodyReader {
    state: BodyState,
    /// Payload bytes still to come, of the body or the chunk; while a chunk size is being read, its value so far.
    left: u64,
    /// Bytes of the chunk size line, or of the trailer section, so far.
    line: u32,
}

/// The part of the body expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyState {
    /// Payload of a known length, and nothing after it.
    Length,
    /// Payload until the peer closes.
    UntilClose,
    /// The first digit of a chunk's size.
    SizeStart,
    /// A further digit, or what may follow the size.
    Size,
    /// Blanks after the size, which some servers pad with.
    SizePadding,
    /// A chunk extension.
    Extension,
    /// The LF of the size line.
    SizeLf,
    /// Payload of a chunk.
    Chunk,
    /// The CR after a chunk's payload.
    ChunkCr,
    /// The LF after a chunk's payload.
    ChunkLf,
    /// The start of a trailer, or the last CR.
    TrailerStart,
    /// A trailer.
    Trailer,
    /// The LF of a trailer.
    TrailerLf,
    /// The LF that ends the body.
    LastLf,
    /// Nothing: the body is complete.
    Complete,
}

/// The result of [`BodyReader::feed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Bytes of the input that belong to this body; all of them unless the body is complete.
    pub used: usize,
    /// How many of these were payload.
    pub payload: usize,
    /// Whether the body is complete.
    pub complete: bool,
}

impl BodyReader {
    /// A body before its first byte.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        let (state, left) = match framing {
            Framing::None | Framing::Length(0) => (BodyState::Complete, 0),
            Framing::Length(length) => (BodyState::Length, length),
            Framing::Chunked => (BodyState::SizeStart, 0),
            Framing::UntilClose => (BodyState::UntilClose, 0),
        };
        Self { state, left, line: 0 }
    }

    /// Whether nothing more belongs to this body. One that ends with the connection is never complete.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, BodyState::Complete)
    }

    /// Consumes as much of `input` as belongs to this body and passes each stretch of payload to `sink`; with `|_| {}`
    /// it only counts, at no cost.
    ///
    /// # Errors
    /// If the chunks are broken (RFC 9112 §7.1); the rest of the body cannot be read then.
    pub fn feed(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<Fed, ProtocolTrouble> {
        let (mut used, mut payload) = (0, 0);
        while used < input.len() && self.state != BodyState::Complete {
            let rest = &input[used..];
            let taken = match self.state {
                BodyState::UntilClose => rest.len(),
                BodyState::Length | BodyState::Chunk => self.take_left(rest.len()),
                _ => {
                    self.state = self.next(rest[0])?;
                    used += 1;
                    continue;
                }
            };
            sink(&rest[..taken]);
            used += taken;
            payload += taken;
        }
        Ok(Fed { used, payload, complete: self.is_complete() })
    }

    /// The peer closed the connection: correct if the body ends with the connection or is complete.
    ///
    /// # Errors
    /// [`ProtocolTrouble::ClosedEarly`] for all other bodies (RFC 9112 §8).
    pub const fn end_of_input(&self) -> Result<(), ProtocolTrouble> {
        match self.state {
            BodyState::Complete | BodyState::UntilClose => Ok(()),
            _ => Err(ProtocolTrouble::ClosedEarly),
        }
    }

    /// How many of `available` bytes are payload of a known length; changes the state after the last of them.
    fn take_left(&mut self, available: usize) -> usize {
        let taken = usize::try_from(self.left).map_or(available, |left| left.min(available));
        self.left -= taken as u64;
        if self.left == 0 {
            self.state = if self.state == BodyState::Chunk { BodyState::ChunkCr } else { BodyState::Complete };
        }
        taken
    }

    /// The state after one byte that is not payload (RFC 9112 §7.1).
    ///
    /// A bare CR or LF is refused everywhere: response smuggling works by chunks whose line ends are read differently
    /// by two readers.
    fn next(&mut self, byte: u8) -> Result<BodyState, ProtocolTrouble> {
        match (self.state, byte) {
            (BodyState::SizeStart | BodyState::Size, digit) if digit.is_ascii_hexdigit() => self.add_digit(digit),
            (BodyState::Size | BodyState::SizePadding | BodyState::Extension, b'\r') => Ok(BodyState::SizeLf),
            (BodyState::Size | BodyState::SizePadding, b' ' | b'\t') => self.stay_in_line(BodyState::SizePadding),
            (BodyState::Size | BodyState::SizePadding, b';') => self.stay_in_line(BodyState::Extension),
            (BodyState::Extension, other) if other != b'\n' => self.stay_in_line(BodyState::Extension),
            (BodyState::SizeLf, b'\n') => {
                self.line = 0;
                Ok(if self.left == 0 { BodyState::TrailerStart } else { BodyState::Chunk })
            }
            (
                BodyState::SizeStart
                | BodyState::Size
                | BodyState::SizePadding
                | BodyState::Extension
                | BodyState::SizeLf,
                _,
            ) => Err(ProtocolTrouble::BadChunkSize),

            (BodyState::ChunkCr, b'\r') => Ok(BodyState::ChunkLf),
            (BodyState::ChunkLf, b'\n') => Ok(BodyState::SizeStart),
            (BodyState::ChunkCr | BodyState::ChunkLf, _) => Err(ProtocolTrouble::BadChunkEnd),

            (BodyState::TrailerStart, b'\r') => self.stay_in_trailers(BodyState::LastLf),
            (BodyState::Trailer, b'\r') => self.stay_in_trailers(BodyState::TrailerLf),
            (BodyState::TrailerStart | BodyState::Trailer, other) if other != b'\n' => {
                self.stay_in_trailers(BodyState::Trailer)
            }
            (BodyState::TrailerLf, b'\n') => self.stay_in_trailers(BodyState::TrailerStart),
            (BodyState::LastLf, b'\n') => self.stay_in_trailers(BodyState::Complete),
            (BodyState::TrailerStart | BodyState::Trailer | BodyState::TrailerLf | BodyState::LastLf, _) => {
                Err(ProtocolTrouble::BadTrailer)
            }

            (BodyState::Length | BodyState::UntilClose | BodyState::Chunk | BodyState::Complete, _) => {
                unreachable!("payload is taken by length, and nothing is taken behind the end")
            }
        }
    }

    /// One more digit of a chunk's size.
    fn add_digit(&mut self, digit: u8) -> Result<BodyState, ProtocolTrouble> {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => (digit | 0x20) - b'a' + 10,
        };
        self.left = self.left.checked_mul(16).ok_or(ProtocolTrouble::BadChunkSize)? | u64::from(value);
        self.stay_in_line(BodyState::Size)
    }

    fn stay_in_line(&mut self, next: BodyState) -> Result<BodyState, ProtocolTrouble> {
        self.line += 1;
        if self.line > MAX_CHUNK_LINE { Err(ProtocolTrouble::ChunkLineTooLong) } else { Ok(next) }
    }

    fn stay_in_trailers(&mut self, next: BodyState) -> Result<BodyState, ProtocolTrouble> {
        self.line += 1;
        if self.line > MAX_TRAILERS { Err(ProtocolTrouble::TrailersTooLong) } else { Ok(next) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    /// Reads `input`, then the end: the payload, and how many bytes were used.
    fn read(framing: Framing, input: &[u8]) -> Result<(Vec<u8>, usize), ProtocolTrouble> {
        let (mut body, mut payload) = (BodyReader::new(framing), Vec::new());
        let fed = body.feed(input, |bytes| payload.extend_from_slice(bytes))?;
        assert_eq!(fed.payload, payload.len());
        assert!(fed.complete || fed.used == input.len(), "an incomplete body consumes all input");
        body.end_of_input().map(|()| (payload, fed.used))
    }

    fn chunked(input: &str) -> Result<(String, usize), ProtocolTrouble> {
        read(Framing::Chunked, input.as_bytes()).map(|(payload, used)| (String::from_utf8(payload).unwrap(), used))
    }

    #[test]
    fn no_body_consumes_nothing() {
        assert_eq!(read(Framing::None, b"HTTP/1.1"), Ok((vec![], 0)));
        assert_eq!(read(Framing::Length(0), b"HTTP/1.1"), Ok((vec![], 0)));
        assert!(BodyReader::new(Framing::None).is_complete());
    }

    #[test]
    fn a_length_ends_the_body_and_leaves_the_following_bytes() {
        assert_eq!(read(Framing::Length(3), b"abcHTTP"), Ok((b"abc".to_vec(), 3)));
        assert_eq!(read(Framing::Length(4), b"abc"), Err(ProtocolTrouble::ClosedEarly));
        assert_eq!(read(Framing::Length(u64::MAX), b"abc"), Err(ProtocolTrouble::ClosedEarly));
    }

    #[test]
    fn without_length_or_chunks_the_close_ends_the_body() {
        assert_eq!(read(Framing::UntilClose, b"abc"), Ok((b"abc".to_vec(), 3)));
        assert_eq!(read(Framing::UntilClose, b""), Ok((vec![], 0)));
        let mut body = BodyReader::new(Framing::UntilClose);
        assert!(!body.feed(b"abc", |_| {}).unwrap().complete);
        assert!(!body.is_complete());
    }

    #[test]
    fn chunks_are_joined() {
        assert_eq!(chunked("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nHTTP"), Ok(("abc0123456789".into(), 30)));
        assert_eq!(chunked("0\r\n\r\n"), Ok((String::new(), 5)));
        assert_eq!(chunked("000\r\n\r\n"), Ok((String::new(), 7)));
        let letters = format!("aBcDeF\r\n{}", "x".repeat(0x00AB_CDEF));
        assert_eq!(chunked(&letters), Err(ProtocolTrouble::ClosedEarly));
        assert_eq!(chunked(&format!("{letters}\r\n0\r\n\r\n")).unwrap().0.len(), 0x00AB_CDEF);
    }

    #[test]
    fn chunk_extensions_and_padding_are_skipped() {
        assert_eq!(chunked("1;a=b;c=\"d;e\"\r\nx\r\n0 ;last\r\n\r\n").unwrap().0, "x");
        assert_eq!(chunked("1  \t\r\nx\r\n0  \r\n\r\n").unwrap().0, "x");
    }

    #[test]
    fn a_chunk_line_has_a_length_limit() {
        let line = |len: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(len - 2));
        assert_eq!(chunked(&line(MAX_CHUNK_LINE as usize)).unwrap().0, "x");
        assert_eq!(chunked(&line(MAX_CHUNK_LINE as usize + 1)), Err(ProtocolTrouble::ChunkLineTooLong));
        assert_eq!(chunked(&"0".repeat(MAX_CHUNK_LINE as usize + 1)), Err(ProtocolTrouble::ChunkLineTooLong));
        // The limit applies to each line.
        let half = format!("1;{}\r\nx\r\n", "e".repeat(MAX_CHUNK_LINE as usize / 2));
        assert_eq!(chunked(&(half.repeat(3) + "0\r\n\r\n")).unwrap().0, "xxx");
    }

    #[test]
    fn a_chunk_size_is_hex_digits_of_at_most_64_bits() {
        for bad in ["\r\n", ";a\r\n", " 1\r\n", "+1\r\n", "-1\r\n", "0x1\r\n", "g\r\n", "1 1\r\n", "1\0\r\n"] {
            assert_eq!(chunked(&format!("{bad}x\r\n0\r\n\r\n")), Err(ProtocolTrouble::BadChunkSize), "{bad:?}");
        }
        assert_eq!(chunked("ffffffffffffffff\r\nx"), Err(ProtocolTrouble::ClosedEarly));
        assert_eq!(chunked("0ffffffffffffffff\r\nx"), Err(ProtocolTrouble::ClosedEarly));
        assert_eq!(chunked("10000000000000000\r\nx"), Err(ProtocolTrouble::BadChunkSize));
    }

    #[test]
    fn chunk_lines_end_with_crlf() {
        for bad in ["1\nx", "1\rx", "1 \nx", "1;a\nx", "1;a\rb\r\nx"] {
            assert_eq!(chunked(&format!("{bad}\r\n0\r\n\r\n")), Err(ProtocolTrouble::BadChunkSize), "{bad:?}");
        }
        for bad in ["1\r\nx\n0\r\n\r\n", "1\r\nx\rx", "1\r\nxx\r\n", "1\r\nx0\r\n\r\n"] {
            assert_eq!(chunked(bad), Err(ProtocolTrouble::BadChunkEnd), "{bad:?}");
        }
    }

    #[test]
    fn trailers_are_read_and_skipped() {
        assert_eq!(chunked("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nHTTP"), Ok(("x".into(), 23)));
        for bad in ["0\r\nA: b\n\r\n", "0\r\nA: b\rC", "0\r\n\n", "0\r\n\rx"] {
            assert_eq!(chunked(bad), Err(ProtocolTrouble::BadTrailer), "{bad:?}");
        }
        assert_eq!(chunked("0\r\nA: b\r\n"), Err(ProtocolTrouble::ClosedEarly));
        assert_eq!(chunked("0\r\n"), Err(ProtocolTrouble::ClosedEarly));
    }

    #[test]
    fn trailers_have_a_size_limit() {
        let trailers = |len: usize| format!("0\r\n{}\r\n\r\n", "t".repeat(len - 4));
        assert_eq!(chunked(&trailers(MAX_TRAILERS as usize)).map(|read| read.0), Ok(String::new()));
        assert_eq!(chunked(&trailers(MAX_TRAILERS as usize + 1)), Err(ProtocolTrouble::TrailersTooLong));
    }
}
