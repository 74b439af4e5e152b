//! Plain HTTP through an HTTP proxy: the request line contains the whole URL (RFC 9112 section 3.2.2).

use std::sync::Arc;

use crate::plan::url::Origin;

/// Rewrites requests to one origin into the form that an HTTP proxy needs. This is done last, when a request is sent,
/// so that nothing before it (redirects, cookies, templates) needs to know about the proxy, and a redirect cannot
/// repeat the proxy's credentials.
#[derive(Debug)]
pub(in crate::load) struct WholeUrls {
    /// The part of the URL before the path.
    prefix: String,
    /// The field with its line end; empty without credentials.
    authorization: String,
    room: Vec<u8>,
    /// Bytes at the end of the request that are not copied to `room`.
    uncopied: usize,
}

/// Maximum bytes of a request that are copied after the new line, so that one `send` carries both; the rest of a larger
/// request is sent separately.
const MAX_COPIED: usize = 16 * 1024;

const AUTHORIZATION: &[u8] = b"Proxy-Authorization";

impl WholeUrls {
    /// For requests to `origin`; `authorization` is the value of `Proxy-Authorization`.
    pub(in crate::load) fn new(origin: &Origin, authorization: Option<&Arc<str>>) -> Self {
        let field = |value| format!("Proxy-Authorization: {value}\r\n");
        Self {
            prefix: format!("http://{}", origin.authority()),
            authorization: authorization.map(field).unwrap_or_default(),
            room: Vec::new(),
            uncopied: 0,
        }
    }

    /// Rewrites a request; [`WholeUrls::pieces`] then returns it.
    pub(in crate::load) fn rewrite(&mut self, request: &[u8]) {
        let target = request.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
        let line_end = request.iter().position(|byte| *byte == b'\n').map_or(request.len(), |at| at + 1);
        let (copied, rest) = request[line_end..].split_at((request.len() - line_end).min(MAX_COPIED));
        // The user's own credentials take precedence over those in the proxy's URL.
        let authorization = if has_authorization(request) { "" } else { &self.authorization };
        self.room.clear();
        for part in [&request[..target], self.prefix.as_bytes(), &request[target..line_end], authorization.as_bytes()] {
            self.room.extend_from_slice(part);
        }
        self.room.extend_from_slice(copied);
        self.uncopied = rest.len();
    }

    /// The rewritten request as two pieces to send one after the other; the second is usually empty.
    pub(in crate::load) fn pieces<'p>(&'p self, request: &'p [u8]) -> [&'p [u8]; 2] {
        [&self.room, &request[request.len() - self.uncopied..]]
    }
}

fn has_authorization(request: &[u8]) -> bool {
    let lines = request.split(|byte| *byte == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    lines.skip(1).any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(AUTHORIZATION)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::url::Url;

    fn whole(request: &str, authorization: Option<&str>) -> (String, usize) {
        let origin = Url::parse("http://h:81/").unwrap().url;
        let mut urls = WholeUrls::new(origin.origin(), authorization.map(Arc::from).as_ref());
        urls.rewrite(request.as_bytes());
        let [first, rest] = urls.pieces(request.as_bytes());
        (String::from_utf8([first, rest].concat()).unwrap(), rest.len())
    }

    #[test]
    fn the_request_line_has_the_absolute_url_and_the_rest_is_unchanged() {
        let request = "POST /a?b HTTP/1.1\r\nHost: h:81\r\nContent-Length: 2\r\n\r\nhi";
        let expected = "POST http://h:81/a?b HTTP/1.1\r\nHost: h:81\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(whole(request, None), (expected.to_owned(), 0));
        let expected = expected.replacen("\r\n", "\r\nProxy-Authorization: Basic x\r\n", 1);
        assert_eq!(whole(request, Some("Basic x")), (expected, 0));
    }

    #[test]
    fn credentials_in_a_header_win_over_those_of_the_url() {
        let request = "GET / HTTP/1.1\r\nproxy-authorization: y\r\n\r\n";
        assert_eq!(whole(request, Some("x")).0, "GET http://h:81/ HTTP/1.1\r\nproxy-authorization: y\r\n\r\n");
        let in_body = "GET / HTTP/1.1\r\n\r\nProxy-Authorization: y\r\n";
        assert!(whole(in_body, Some("x")).0.contains("Proxy-Authorization: x\r\n\r\n"));
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let request = format!("POST / HTTP/1.1\r\n\r\n{}", "x".repeat(1 << 20));
        let (sent, uncopied) = whole(&request, None);
        assert_eq!(sent, request.replacen(" /", " http://h:81/", 1));
        assert!(uncopied > (1 << 20) - MAX_COPIED - 16, "{uncopied}");
    }
}
