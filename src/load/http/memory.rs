//! A user's memory of responses: its cookies, and the parts of the last response that are inspected.

use super::cookies::Jar;
use super::decode::BodyDecoder;
use super::recorder::HopRecorder;
use crate::plan::response::UnreadBody;
use crate::plan::text_search::TextSearches;
use crate::value::size::ByteSize;

/// Buffer capacity that a user keeps from one response to the next; what a larger one needed is freed.
const USUAL_ROOM: usize = 16 * 1024;

/// How much of a response is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Keep {
    /// Nothing beyond what is counted for every response.
    Nothing,
    /// The head.
    Head,
    /// The head; the body is only searched for texts while it is received.
    Texts,
    /// The head and the body, up to this many decoded bytes.
    Body(ByteSize),
}

impl Keep {
    /// Whether the body is inspected.
    pub(in crate::load) const fn looks_at_body(self) -> bool {
        matches!(self, Self::Texts | Self::Body(_))
    }
}

/// A user's memory of responses.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The user's cookies.
    pub(in crate::load) jar: Jar,
    /// The last response.
    pub(in crate::load) last: KeptResponse,
    /// What keeps requests and responses for people, if anything does.
    pub(in crate::load) recorder: Option<Box<HopRecorder>>,
}

/// The parts of the last response that are inspected.
#[derive(Debug, Default)]
pub(super) struct KeptResponse {
    head: Vec<u8>,
    body: Vec<u8>,
    decoder: BodyDecoder,
    searches: TextSearches,
    /// Why the body is not available in full.
    unread: Option<UnreadBody>,
}

impl KeptResponse {
    /// Sets the texts to look for in the responses to the next request.
    pub(in crate::load) fn look_for(&mut self, searches: TextSearches) {
        self.searches = searches;
    }

    /// Starts a response. Never inlined: most responses are not inspected and need no stack space for this.
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
            match BodyDecoder::of(head) {
                Ok(decoder) => self.decoder = decoder,
                Err(why) => self.unread = Some(why),
            }
        }
    }

    /// Adds the next piece of its body.
    pub(in crate::load) fn push(&mut self, piece: &[u8], keep: Keep) {
        if matches!(self.unread, Some(UnreadBody::Undecodable | UnreadBody::Unsupported(_))) {
            return;
        }
        let Self { body, decoder, searches, unread, .. } = self;
        let pushed = decoder.push(piece, &mut |decoded| {
            searches.feed(decoded);
            let Keep::Body(limit) = keep else { return };
            if (body.len() + decoded.len()) as u64 > limit.bytes() {
                *body = Vec::new();
                *unread = Some(UnreadBody::Over(limit));
            } else if unread.is_none() {
                body.extend_from_slice(decoded);
            }
        });
        if let Err(why) = pushed {
            self.unread = Some(why);
        }
    }

    /// The head as received, the decoded body, and the texts found in it, as far as they were to be kept. Call it once
    /// per response.
    pub(in crate::load) fn finish(&mut self, keep: Keep) -> (&[u8], Result<&[u8], UnreadBody>, &TextSearches) {
        if keep == Keep::Nothing {
            // Nothing was begun: the memory of this is not touched.
            return (&[], Ok(&[]), &self.searches);
        }
        let decoder = std::mem::take(&mut self.decoder);
        if keep.looks_at_body() && self.unread.is_none() {
            self.unread = decoder.finish().err();
        }
        let body = match (keep, self.unread) {
            (Keep::Nothing | Keep::Head, _) => Ok(&[][..]),
            (_, Some(why)) => Err(why),
            (_, None) => Ok(&self.body[..]),
        };
        (&self.head, body, &self.searches)
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

    /// Length of the kept body, and the capacity that it takes.
    fn kept(fields: &str, body: &[u8], keep: Keep) -> (Result<usize, UnreadBody>, usize) {
        let mut kept = KeptResponse::default();
        kept.begin(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), keep);
        body.chunks(1000).for_each(|piece| kept.push(piece, keep));
        let length = kept.finish(keep).1.map(<[u8]>::len);
        (length, kept.body.capacity())
    }

    #[test]
    fn a_body_is_kept_up_to_its_limit_and_a_longer_one_not_at_all() {
        let limit: ByteSize = "100000".parse().unwrap();
        let keep = Keep::Body(limit);
        let coded = "Content-Encoding: gzip\r\n";
        assert_eq!(kept("", &vec![b'x'; 100_000], keep).0, Ok(100_000));
        assert_eq!(kept("", &vec![b'x'; 100_001], keep), (Err(UnreadBody::Over(limit)), 0));
        assert_eq!(kept(coded, &gzip(&vec![b'x'; 100_000]), keep).0, Ok(100_000));
        // 50 MB out of 50 KB.
        assert_eq!(kept(coded, &gzip(&vec![0; 50_000_000]), keep), (Err(UnreadBody::Over(limit)), 0));
        assert_eq!(kept(coded, b"no gzip", keep).0, Err(UnreadBody::Undecodable));
    }

    #[test]
    fn texts_are_searched_without_keeping_the_body() {
        assert_eq!(kept("", &vec![b'x'; 100_000], Keep::Texts), (Ok(0), 0));
        assert_eq!(kept("Content-Encoding: compress\r\n", b"x", Keep::Texts).0, Err(UnreadBody::Undecodable));
    }

    #[test]
    fn memory_for_a_large_response_is_released() {
        let keep = Keep::Body("1MiB".parse().unwrap());
        let mut kept = KeptResponse::default();
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n", keep);
        kept.push(&vec![0; 1 << 20], keep);
        kept.begin(b"HTTP/1.1 200 OK\r\n\r\n", keep);
        assert!(kept.body.capacity() <= USUAL_ROOM);
    }
}
