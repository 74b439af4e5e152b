//! What a user remembers of answers: its cookies, and as much of the last answer as is looked at.

use super::cookies::Jar;
use super::decode::Decoder;
use crate::plan::answer::Unread;
use crate::plan::search::TextSearches;
use crate::value::size::ByteSize;

/// Room that stays with the user from one answer to the next; what a large one took is given back.
const USUAL_ROOM: usize = 16 * 1024;

/// How much of an answer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Keep {
    /// Only what every answer is counted by.
    Nothing,
    /// Its head.
    Head,
    /// Its head, and its body while it passes: texts are looked for in it.
    Texts,
    /// Its head, and its body, of at most so many bytes when decoded.
    Body(ByteSize),
}

impl Keep {
    /// Whether the body is looked at.
    pub(in crate::load) const fn looks_at_body(self) -> bool {
        matches!(self, Self::Texts | Self::Body(_))
    }
}

/// What a user remembers of answers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Its cookies.
    pub(in crate::load) jar: Jar,
    /// The last answer.
    pub(in crate::load) last: Kept,
}

/// As much of the last answer as is looked at.
#[derive(Debug, Default)]
pub(super) struct Kept {
    head: Vec<u8>,
    body: Vec<u8>,
    decoder: Decoder,
    searches: TextSearches,
    /// Why the body is not looked at whole.
    unread: Option<Unread>,
}

impl Kept {
    /// What is looked for in the answers to the next request.
    pub(in crate::load) fn look_for(&mut self, searches: TextSearches) {
        self.searches = searches;
    }

    /// Begins an answer. Never inlined: most answers are not looked at, and need no room for this on their stack.
    #[inline(never)]
    pub(in crate::load) fn begin(&mut self, head: &[u8], keep: Keep) {
        for part in [&mut self.head, &mut self.body] {
            part.clear();
            part.shrink_to(USUAL_ROOM);
        }
        self.head.extend_from_slice(head);
        self.unread = None;
        if keep.looks_at_body() {
            self.searches.restart();
            match Decoder::of(head) {
                Ok(decoder) => self.decoder = decoder,
                Err(why) => self.unread = Some(why),
            }
        }
    }

    /// Takes the next piece of its body.
    pub(in crate::load) fn push(&mut self, piece: &[u8], keep: Keep) {
        if self.unread == Some(Unread::Undecodable) {
            return;
        }
        let Self { body, decoder, searches, unread, .. } = self;
        let pushed = decoder.push(piece, &mut |decoded| {
            searches.feed(decoded);
            let Keep::Body(limit) = keep else { return };
            if (body.len() + decoded.len()) as u64 > limit.bytes() {
                *body = Vec::new();
                *unread = Some(Unread::Over(limit));
            } else if unread.is_none() {
                body.extend_from_slice(decoded);
            }
        });
        if let Err(why) = pushed {
            self.unread = Some(why);
        }
    }

    /// Its head as received, its body decoded, and what was found in that, as far as they were to be kept. To be called
    /// once an answer.
    pub(in crate::load) fn look(&mut self, keep: Keep) -> (&[u8], Result<&[u8], Unread>, &TextSearches) {
        let decoder = std::mem::take(&mut self.decoder);
        if keep.looks_at_body() && self.unread.is_none() {
            self.unread = decoder.finish().err();
        }
        let head = if keep == Keep::Nothing { &[][..] } else { &self.head };
        let body = match (keep, self.unread) {
            (Keep::Nothing | Keep::Head, _) => Ok(&[][..]),
            (_, Some(why)) => Err(why),
            (_, None) => Ok(&self.body[..]),
        };
        (head, body, &self.searches)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// What is kept of a body, and the room that it takes.
    fn kept(fields: &str, body: &[u8], keep: Keep) -> (Result<usize, Unread>, usize) {
        let mut kept = Kept::default();
        kept.begin(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), keep);
        body.chunks(1000).for_each(|piece| kept.push(piece, keep));
        let length = kept.look(keep).1.map(<[u8]>::len);
        (length, kept.body.capacity())
    }

    #[test]
    fn a_body_is_kept_up_to_its_bound_and_a_longer_one_not_at_all() {
        let limit: ByteSize = "100000".parse().unwrap();
        let keep = Keep::Body(limit);
        let coded = "Content-Encoding: gzip\r\n";
        assert_eq!(kept("", &vec![b'x'; 100_000], keep).0, Ok(100_000));
        assert_eq!(kept("", &vec![b'x'; 100_001], keep), (Err(Unread::Over(limit)), 0));
        assert_eq!(kept(coded, &gzip(&vec![b'x'; 100_000]), keep).0, Ok(100_000));
        // 50 MB out of 50 KB.
        assert_eq!(kept(coded, &gzip(&vec![0; 50_000_000]), keep), (Err(Unread::Over(limit)), 0));
        assert_eq!(kept(coded, b"no gzip", keep).0, Err(Unread::Undecodable));
    }

    #[test]
    fn texts_are_looked_for_without_keeping_the_body() {
        assert_eq!(kept("", &vec![b'x'; 100_000], Keep::Texts), (Ok(0), 0));
        assert_eq!(kept("Content-Encoding: br\r\n", b"x", Keep::Texts).0, Err(Unread::Undecodable));
    }

    #[test]
    fn room_for_a_large_answer_is_given_back() {
        let keep = Keep::Body("1MiB".parse().unwrap());
        let mut kept = Kept::default();
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n", keep);
        kept.push(&vec![0; 1 << 20], keep);
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n", keep);
        assert!(kept.body.capacity() <= USUAL_ROOM);
    }
}
