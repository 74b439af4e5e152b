//! Decoding of a body's content codings (RFC 9110 section 8.4.1) while it is received.

use flate2::{Decompress, FlushDecompress, Status};

use super::response::head::fields;
use crate::plan::response::{ContentCoding, UnreadBody};

/// Maximum codings of one body. Servers apply one; each needs 50 KiB while the body is received.
const MAX_CODINGS: usize = 4;

/// Decoded bytes passed on at a time.
const PIECE: usize = 8 * 1024;

/// The codings of one body, undone from the last applied to the first.
#[derive(Debug, Default)]
pub(super) struct BodyDecoder {
    stages: Vec<CodingStage>,
}

/// One coding.
#[derive(Debug)]
struct CodingStage {
    coding: Coding,
    state: StageState,
    /// The first byte of a `deflate` body, held back until the second shows which of two formats it is.
    first: Option<u8>,
    room: Box<[u8]>,
}

#[derive(Debug)]
enum StageState {
    /// Nothing received yet. It may stay so: a 304, or the response to a HEAD, has no body.
    Empty,
    /// Inside a stream.
    Open(Box<Decompress>),
    /// After the end of a stream.
    Complete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

impl BodyDecoder {
    /// Decoder for the codings that `head` names.
    ///
    /// # Errors
    /// If a coding is unknown, or there are more than any server applies.
    pub(in crate::load) fn of(head: &[u8]) -> Result<Self, UnreadBody> {
        let values = fields(head).filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
        let listed = values.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let named = listed.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        let mut stages: Vec<CodingStage> =
            named.map(|name| Coding::of(name).map(CodingStage::new)).collect::<Result<_, _>>()?;
        if stages.len() > MAX_CODINGS {
            return Err(UnreadBody::Undecodable);
        }
        stages.reverse();
        Ok(Self { stages })
    }

    /// Decodes the next piece of the body and passes the result to `sink`.
    ///
    /// # Errors
    /// If the piece is not valid in its coding.
    pub(in crate::load) fn push(&mut self, piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), UnreadBody> {
        run(&mut self.stages, piece, sink)
    }

    /// Checks, at the end of the body, that it was complete.
    ///
    /// # Errors
    /// If part of it is missing.
    pub(super) fn finish(&self) -> Result<(), UnreadBody> {
        let is_whole = |stage: &CodingStage| !matches!(stage.state, StageState::Open(_)) && stage.first.is_none();
        if self.stages.iter().all(is_whole) { Ok(()) } else { Err(UnreadBody::Undecodable) }
    }
}

fn run(stages: &mut [CodingStage], piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), UnreadBody> {
    match stages.split_first_mut() {
        None => {
            sink(piece);
            Ok(())
        }
        Some((stage, rest)) => stage.push(piece, &mut |decoded| run(rest, decoded, sink)),
    }
}

impl Coding {
    fn of(name: &[u8]) -> Result<Self, UnreadBody> {
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"deflate" => Ok(Self::Deflate),
            b"br" => Err(UnreadBody::Unsupported(ContentCoding::Brotli)),
            b"zstd" => Err(UnreadBody::Unsupported(ContentCoding::Zstandard)),
            _ => Err(UnreadBody::Undecodable),
        }
    }

    /// A decompressor for a stream that begins with these two bytes.
    ///
    /// Never inlined: the decompressor is built on the stack, and inlined, a user's own frame would reserve room for it
    /// even if nothing is decoded.
    #[inline(never)]
    fn open(self, first: u8, second: u8) -> Box<Decompress> {
        // The window of 2^15 bytes is the largest of either format.
        Box::new(match self {
            Self::Gzip => Decompress::new_gzip(15),
            // RFC 9110 section 8.4.1.2: zlib's format, but some servers send it without its frame. The first byte shows
            // which: 8 in the lower half and, with the second byte, a multiple of 31 (RFC 1950 section 2.2).
            Self::Deflate => {
                Decompress::new(first & 15 == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31))
            }
        })
    }
}

impl CodingStage {
    fn new(coding: Coding) -> Self {
        Self { coding, state: StageState::Empty, first: None, room: vec![0; PIECE].into() }
    }

    fn push(
        &mut self,
        mut piece: &[u8],
        next: &mut dyn FnMut(&[u8]) -> Result<(), UnreadBody>,
    ) -> Result<(), UnreadBody> {
        while let Some(byte) = piece.first() {
            match (&mut self.state, self.first) {
                // Several members of gzip are one body (RFC 1952 section 2.2); what follows deflate is ignored.
                (StageState::Complete, _) if self.coding == Coding::Deflate => return Ok(()),
                (StageState::Empty | StageState::Complete, None) => {
                    self.first = Some(*byte);
                    piece = &piece[1..];
                }
                (StageState::Empty | StageState::Complete, Some(first)) => {
                    self.first = None;
                    self.state = StageState::Open(self.coding.open(first, *byte));
                    self.inflate(&[first], next)?;
                }
                (StageState::Open(_), _) => piece = &piece[self.inflate(piece, next)?..],
            }
        }
        Ok(())
    }

    /// Decodes up to the end of the piece or of the stream; returns how many bytes of the piece that used.
    fn inflate(
        &mut self,
        piece: &[u8],
        next: &mut dyn FnMut(&[u8]) -> Result<(), UnreadBody>,
    ) -> Result<usize, UnreadBody> {
        let StageState::Open(stream) = &mut self.state else { return Ok(0) };
        let mut used = 0;
        loop {
            let (before, made) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(&piece[used..], &mut self.room, FlushDecompress::None);
            let status = status.map_err(|_| UnreadBody::Undecodable)?;
            let taken = usize::try_from(stream.total_in() - before).unwrap_or(usize::MAX);
            let made = usize::try_from(stream.total_out() - made).unwrap_or(usize::MAX);
            used += taken;
            next(&self.room[..made])?;
            if status == Status::StreamEnd {
                self.state = StageState::Complete;
                return Ok(used);
            }
            // If room is left over, this input yields no more output.
            if made < self.room.len() && (used == piece.len() || taken == 0) {
                return if used == piece.len() { Ok(used) } else { Err(UnreadBody::Undecodable) };
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(fields: &str, body: &[u8], piece: usize) -> Result<Vec<u8>, UnreadBody> {
        let mut decoder = BodyDecoder::of(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes())?;
        let mut text = Vec::new();
        for piece in body.chunks(piece) {
            decoder.push(piece, &mut |decoded| text.extend_from_slice(decoded))?;
        }
        decoder.finish().map(|()| text)
    }

    #[test]
    fn codings_are_decoded_from_the_last_to_the_first_however_the_body_is_cut() {
        let text = b"{\"token\":\"t1\"}".repeat(2000);
        for (fields, body) in [
            ("", text.clone()),
            ("Content-Encoding: identity\r\n", text.clone()),
            ("content-encoding:GZip\r\n", gzip(&text)),
            ("Content-Encoding: x-gzip\r\n", gzip(&text)),
            ("Content-Encoding: deflate\r\n", zlib(&text)),
            ("Content-Encoding: deflate\r\n", deflate(&text)),
            ("Content-Encoding: deflate, gzip\r\n", gzip(&zlib(&text))),
            ("Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", zlib(&gzip(&text))),
            ("Content-Encoding: gzip\r\n", [gzip(&text[..4]), gzip(&text[4..])].concat()),
            ("Content-Encoding: deflate\r\n", [&zlib(&text)[..], b"more"].concat()),
        ] {
            for piece in [1, 2, 7, usize::MAX] {
                let piece = piece.min(body.len());
                assert!(decoded(fields, &body, piece).as_deref() == Ok(&text[..]), "{fields} in pieces of {piece}");
            }
        }
        assert_eq!(decoded("Content-Encoding: gzip\r\n", b"", 1).as_deref(), Ok(&b""[..]), "a 304 or a HEAD");
    }

    #[test]
    fn a_body_that_cannot_be_decoded_is_an_error() {
        let body = gzip(b"text");
        let many = "Content-Encoding: gzip, gzip, gzip, gzip, gzip\r\n";
        for (fields, body) in [
            ("Content-Encoding: compress\r\n", &body[..]),
            (many, &body),
            ("Content-Encoding: gzip\r\n", b"text"),
            ("Content-Encoding: gzip\r\n", b"t"),
            ("Content-Encoding: gzip\r\n", &[&body[..], b"more"].concat()),
            ("Content-Encoding: deflate\r\n", b"\xff\xff\xff"),
        ] {
            assert_eq!(decoded(fields, body, 3), Err(UnreadBody::Undecodable), "{fields}");
        }
        for (fields, coding) in [
            ("Content-Encoding: BR\r\n", ContentCoding::Brotli),
            ("Content-Encoding: zstd, gzip\r\n", ContentCoding::Zstandard),
        ] {
            assert_eq!(decoded(fields, &body, 3), Err(UnreadBody::Unsupported(coding)), "{fields}");
        }
        for (fields, body) in [
            ("Content-Encoding: gzip\r\n", gzip(b"some text")),
            ("Content-Encoding: deflate\r\n", zlib(b"some text")),
            ("Content-Encoding: deflate\r\n", deflate(b"some text")),
        ] {
            for end in 1..body.len() {
                assert_eq!(decoded(fields, &body[..end], 4), Err(UnreadBody::Undecodable), "{fields} cut off at {end}");
            }
        }
    }
}
