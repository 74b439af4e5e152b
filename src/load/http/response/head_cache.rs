//! The last head of a connection: most servers send the same one again, except for `date` once a second.

use super::Framing;
use super::head::{ResponseExtent, ResponseHead};

/// Maximum length of a cached head: above what servers send with a small response (nginx 240 bytes, with 20 fields
/// 800).
const MAX_LEN: usize = 1024;

/// Room from the start: for what servers send with a small response.
const USUAL_LEN: usize = 256;

/// The last head and its parsed form. Comparing costs a fiftieth of parsing: of the 4,130 instructions for a small
/// response, 2,150 were spent on its head.
///
/// A head is parsed from its own bytes alone, so input that begins with the same bytes has the same head.
#[derive(Debug, Default)]
pub(in crate::load) struct HeadCache {
    bytes: Vec<u8>,
    head: Option<CachedHead>,
}

/// The parsed form of a head without text.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct CachedHead {
    extent: ResponseExtent,
    status: u16,
    len: usize,
    framing: Framing,
    keep_alive: bool,
}

impl CachedHead {
    /// The parsed form of `head` if that is all it has: a head with cookies or a location must be parsed each time.
    pub(in crate::load) fn of(head: &ResponseHead<'_>, asked: ResponseExtent) -> Option<Self> {
        let ResponseHead { status, len, framing, keep_alive, location, sets_cookies } = *head;
        let is_plain = location.is_none() && !sets_cookies && !head.is_interim() && len <= MAX_LEN;
        is_plain.then_some(Self { extent: asked, status, len, framing, keep_alive })
    }
}

impl HeadCache {
    /// An empty cache with room for a usual head. Made with its connection, so that both lie in one page of memory: with
    /// many users, each page costs a request about as much as parsing a small head.
    pub(in crate::load) fn with_room() -> Self {
        Self { bytes: Vec::with_capacity(USUAL_LEN), head: None }
    }

    /// The parsed head at the start of `input`, if it is the cached one.
    pub(in crate::load) fn lookup(&self, input: &[u8], asked: ResponseExtent) -> Option<ResponseHead<'static>> {
        let said = self.head.filter(|said| said.extent == asked && input.starts_with(&self.bytes))?;
        let CachedHead { status, len, framing, keep_alive, .. } = said;
        Some(ResponseHead { status, len, framing, keep_alive, location: None, sets_cookies: false })
    }

    /// Caches the head at the start of `input` with its parsed form.
    pub(in crate::load) fn store(&mut self, input: &[u8], said: CachedHead) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&input[..said.len]);
        self.head = Some(said);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::head::parse_head;
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n\
        Content-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n";

    fn known(answer: &[u8], asked: ResponseExtent) -> HeadCache {
        let mut known = HeadCache::default();
        if let Some(said) = CachedHead::of(&parse_head(answer, asked).unwrap().unwrap(), asked) {
            known.store(answer, said);
        }
        known
    }

    #[test]
    fn a_cached_head_gives_the_same_as_parsing_whichever_byte_differs() {
        let known = known(ANSWER, ResponseExtent::HeadAndBody);
        assert!(known.lookup(ANSWER, ResponseExtent::HeadAndBody).is_some());
        for at in 0..ANSWER.len() {
            for byte in [0, b'\n', b'\r', b' ', b'1', b'9', b':', b'a', 0xff] {
                let mut other = ANSWER.to_vec();
                other[at] = byte;
                if let Some(head) = known.lookup(&other, ResponseExtent::HeadAndBody) {
                    assert_eq!(Ok(Some(head)), parse_head(&other, ResponseExtent::HeadAndBody), "byte {at} is {byte}");
                }
            }
            assert!(known.lookup(&ANSWER[..at], ResponseExtent::HeadAndBody).is_none() || at >= known.bytes.len());
        }
    }

    #[test]
    fn a_cached_head_is_not_shared_between_get_and_head() {
        assert_eq!(known(ANSWER, ResponseExtent::HeadAndBody).lookup(ANSWER, ResponseExtent::HeadOnly), None);
        let head = known(ANSWER, ResponseExtent::HeadOnly).lookup(ANSWER, ResponseExtent::HeadOnly).unwrap();
        assert_eq!(head.framing, Framing::None);
    }

    #[test]
    fn a_head_whose_text_is_needed_is_parsed_each_time() {
        let cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n";
        let moved = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n";
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        for answer in [&cookie[..], moved, interim] {
            assert_eq!(known(answer, ResponseExtent::HeadAndBody).lookup(answer, ResponseExtent::HeadAndBody), None);
        }
    }

    #[test]
    fn another_head_replaces_the_cached_one() {
        let mut known = known(ANSWER, ResponseExtent::HeadAndBody);
        let other = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        known.store(
            other,
            CachedHead::of(
                &parse_head(other, ResponseExtent::HeadAndBody).unwrap().unwrap(),
                ResponseExtent::HeadAndBody,
            )
            .unwrap(),
        );
        assert_eq!(known.lookup(ANSWER, ResponseExtent::HeadAndBody), None);
        assert_eq!(known.lookup(other, ResponseExtent::HeadAndBody).unwrap().status, 404);
    }
}
