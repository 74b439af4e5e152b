//! What a user remembers of answers: its cookies, and as much of the last answer as is looked at.

use std::io::Read as _;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::cookies::Jar;
use super::response::head::fields;
use crate::plan::answer::Undecodable;

/// Most bytes of a body that are kept, and that come of decoding it: enough for what journeys look at, and a bound on
/// what a server can make of each user's memory, also by a few bytes that decode to gigabytes.
const MOST_KEPT: usize = 1024 * 1024;

/// Room that stays with the user from one answer to the next; what a large one took is given back.
const USUAL_ROOM: usize = 16 * 1024;

/// How much of an answer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    /// Only what every answer is counted by.
    Nothing,
    /// Its head.
    Head,
    /// Its head, and its body as far as [`MOST_KEPT`] goes.
    Whole,
}

/// What a user remembers of answers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Its cookies.
    pub(super) jar: Jar,
    /// The last answer.
    pub(super) last: Kept,
}

/// As much of the last answer as is looked at.
#[derive(Debug, Default)]
pub(super) struct Kept {
    head: Vec<u8>,
    body: Vec<u8>,
    /// Whether there was more than is kept.
    cut: bool,
}

impl Kept {
    /// Begins an answer.
    pub(super) fn begin(&mut self, head: &[u8]) {
        self.forget();
        self.head.extend_from_slice(head);
    }

    /// Adds to its body.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = MOST_KEPT - self.body.len();
        self.cut |= bytes.len() > room;
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Empties it.
    pub(super) fn forget(&mut self) {
        for part in [&mut self.head, &mut self.body] {
            part.clear();
            part.shrink_to(USUAL_ROOM);
        }
        self.cut = false;
    }

    /// Its head as received, and its body decoded, as far as they were to be kept. To be called once an answer.
    pub(super) fn look(&mut self, keep: Keep) -> (&[u8], Result<&[u8], Undecodable>) {
        match keep {
            Keep::Nothing => (&[], Ok(&[])),
            Keep::Head => (&self.head, Ok(&[])),
            Keep::Whole => {
                let decoded = self.decode();
                (&self.head, decoded.map(|()| self.body.as_slice()))
            }
        }
    }

    /// Undoes the codings of the body (RFC 9110 section 8.4.1).
    fn decode(&mut self) -> Result<(), Undecodable> {
        let codings: Vec<Coding> = codings(&self.head).collect::<Result<_, _>>()?;
        if !self.body.is_empty() {
            for coding in codings.into_iter().rev() {
                self.body = coding.undo(&self.body, self.cut)?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
}

/// The codings in the order they were applied.
fn codings(head: &[u8]) -> impl Iterator<Item = Result<Coding, Undecodable>> {
    let values = fields(head).filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    let listed = values.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let named = listed.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
    named.map(|name| match name.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => Ok(Coding::Gzip),
        b"deflate" => Ok(Coding::Deflate),
        _ => Err(Undecodable),
    })
}

impl Coding {
    /// What was coded, as far as [`MOST_KEPT`] goes. Of what is `cut` off, as much as there is.
    ///
    /// Never inlined: a decoder is made on the stack, 43 KiB each, and a user's own frame would touch them all, whether
    /// anything is decoded or not (measured at 10,000 users: 80.8 KiB a user in place of 28.6).
    #[inline(never)]
    fn undo(self, coded: &[u8], cut: bool) -> Result<Vec<u8>, Undecodable> {
        let read = |source: &mut dyn std::io::Read| {
            let mut text = Vec::new();
            let result = source.take(MOST_KEPT as u64).read_to_end(&mut text);
            if result.is_ok() || cut { Ok(text) } else { Err(Undecodable) }
        };
        match self {
            Self::Gzip => read(&mut MultiGzDecoder::new(coded)),
            // RFC 9110 section 8.4.1.2: zlib's format, but some servers send it without its frame. Its first byte
            // tells: 8 in the lower half, and with the second a multiple of 31 (RFC 1950 section 2.2).
            Self::Deflate if is_zlib(coded) => read(&mut ZlibDecoder::new(coded)),
            Self::Deflate => read(&mut DeflateDecoder::new(coded)),
        }
    }
}

fn is_zlib(coded: &[u8]) -> bool {
    matches!(coded, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

#[cfg(test)]
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

    fn decoded(fields: &str, body: &[u8]) -> Result<Vec<u8>, Undecodable> {
        let mut kept = Kept::default();
        kept.begin(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes());
        body.chunks(7).for_each(|piece| kept.push(piece));
        kept.look(Keep::Whole).1.map(<[u8]>::to_vec)
    }

    #[test]
    fn codings_are_undone_from_the_last_to_the_first() {
        let text = b"{\"token\":\"t1\"}";
        for (fields, body) in [
            ("", text.to_vec()),
            ("Content-Encoding: identity\r\n", text.to_vec()),
            ("content-encoding:GZip\r\n", gzip(text)),
            ("Content-Encoding: x-gzip\r\n", gzip(text)),
            ("Content-Encoding: deflate\r\n", zlib(text)),
            ("Content-Encoding: deflate\r\n", deflate(text)),
            ("Content-Encoding: deflate, gzip\r\n", gzip(&zlib(text))),
            ("Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", zlib(&gzip(text))),
            ("Content-Encoding: gzip\r\n", [gzip(&text[..4]), gzip(&text[4..])].concat()),
        ] {
            assert_eq!(decoded(fields, &body).as_deref(), Ok(&text[..]), "{fields}");
        }
        assert_eq!(decoded("Content-Encoding: gzip\r\n", b"").as_deref(), Ok(&b""[..]), "a 304 or a HEAD");
    }

    #[test]
    fn what_cannot_be_undone_is_not_guessed() {
        let body = gzip(b"text");
        for (fields, body) in [
            ("Content-Encoding: br\r\n", &body[..]),
            ("Content-Encoding: zstd, gzip\r\n", &body),
            ("Content-Encoding: gzip\r\n", b"text"),
            ("Content-Encoding: gzip\r\n", &body[..body.len() - 1]),
            ("Content-Encoding: deflate\r\n", b"\xff\xff\xff"),
        ] {
            assert_eq!(decoded(fields, body), Err(Undecodable), "{fields}");
        }
    }

    #[test]
    fn a_body_and_what_it_decodes_to_are_bounded() {
        let long = vec![b'x'; MOST_KEPT + 10];
        assert_eq!(decoded("", &long).unwrap().len(), MOST_KEPT);
        let bomb = gzip(&vec![0; 50 * MOST_KEPT]);
        assert!(bomb.len() < MOST_KEPT);
        assert_eq!(decoded("Content-Encoding: gzip\r\n", &bomb).unwrap().len(), MOST_KEPT);
        let twice = gzip(&bomb);
        assert_eq!(decoded("Content-Encoding: gzip, gzip\r\n", &twice).unwrap().len(), MOST_KEPT);
    }

    #[test]
    fn of_a_coded_body_that_is_cut_off_the_beginning_is_there() {
        let mut noise = Vec::new();
        let mut random = crate::plan::random::Random::seeded(1);
        (0..MOST_KEPT / 4).for_each(|_| noise.extend(random.bits().to_le_bytes()));
        let text = decoded("Content-Encoding: gzip\r\n", &gzip(&noise)).unwrap();
        assert!(text.len() > MOST_KEPT / 2 && noise.starts_with(&text), "{}", text.len());
    }

    #[test]
    fn room_for_a_large_answer_is_given_back() {
        let mut kept = Kept::default();
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n");
        kept.push(&vec![0; MOST_KEPT]);
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n");
        assert!(kept.body.capacity() <= USUAL_ROOM);
    }
}
