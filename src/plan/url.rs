//! Where a request goes: origin and path of an `http` or `https` URL.
//!
//! Not the url crate: it rewrites paths as browsers do (WHATWG), and a request goes out as it was written.

use std::sync::Arc;

use ureq::http::Uri;

use super::percent;

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP, port 80 unless said otherwise.
    Http,
    /// HTTP over TLS, port 443 unless said otherwise.
    Https,
}

impl Scheme {
    /// As a URL has it, in lower case.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port (RFC 6454): what one connection serves, and how far secrets may go.
#[derive(Debug)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: String,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.host == other.host
    }
}

impl Origin {
    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host name in lower case, or address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port, the scheme's own where the URL names none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Value of the `Host` header (RFC 9112 section 3.2): the port only where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Host and port, always both: what a proxy is asked for (RFC 9112 section 3.2.3).
    #[must_use]
    pub fn host_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// As a URL begins (RFC 6454 section 6.2): scheme and authority.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority)
    }
}

/// An absolute URL, ready for the wire: no fragment, no user information, nothing that needs encoding.
#[derive(Clone, Debug)]
pub struct Url {
    origin: Arc<Origin>,
    target: String,
}

/// A URL and the user information that stood in it, which must not go where the URL goes.
#[derive(Debug)]
pub struct Parsed {
    /// The URL without user information.
    pub url: Url,
    /// `name:password`, percent-decoded.
    pub userinfo: Option<String>,
}

impl Url {
    /// Reads an absolute URL. Blanks and characters beyond ASCII are percent-encoded.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Parsed, String> {
        let (scheme, rest) = if let Some(rest) = strip_prefix_ignore_case(text, "http://") {
            (Scheme::Http, rest)
        } else if let Some(rest) = strip_prefix_ignore_case(text, "https://") {
            (Scheme::Https, rest)
        } else {
            return Err("expected http:// or https://".to_owned());
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_port)) => (Some(percent::decode_lossy(userinfo)), host_port),
            None => (None, authority),
        };
        let origin = Arc::new(origin(scheme, host_port)?);
        Ok(Parsed { url: Self { origin, target: request_target(path) }, userinfo })
    }

    /// The URL of a request that was sent there: `target` needs no encoding any more.
    #[must_use]
    pub const fn at(origin: Arc<Origin>, target: String) -> Self {
        Self { origin, target }
    }

    /// Where a connection goes.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Path and query, as in the request line.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The URL that `path` (beginning with `/`) means on the same origin, below this URL's own path.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let base = self.target.split('?').next().unwrap_or_default().trim_end_matches('/');
        Self { origin: Arc::clone(&self.origin), target: format!("{base}{}", request_target(path)) }
    }

    /// Resolves a `Location` against this URL (RFC 3986 section 5.2).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn join(&self, location: &str) -> Result<Self, String> {
        let location = location.trim();
        let location = location.split('#').next().unwrap_or_default();
        if strip_prefix_ignore_case(location, "http://").is_some()
            || strip_prefix_ignore_case(location, "https://").is_some()
        {
            return Self::parse(location).map(|parsed| parsed.url);
        }
        if let Some(network_path) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{network_path}", self.origin.scheme.as_str())).map(|parsed| parsed.url);
        }
        // RFC 3986 section 3.1: something before a colon and before any slash is a scheme.
        if location.find(':').is_some_and(|colon| !location[..colon].contains(['/', '?'])) {
            return Err("neither http nor https".to_owned());
        }
        let own_path = self.target.split('?').next().unwrap_or_default();
        let merged = match location.as_bytes().first() {
            None => self.target.clone(),
            Some(b'/') => location.to_owned(),
            Some(b'?') => format!("{own_path}{location}"),
            Some(_) => format!("{}/{location}", own_path.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        Ok(Self { origin: Arc::clone(&self.origin), target: remove_dot_segments(&request_target(&merged)) })
    }
}

fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn origin(scheme: Scheme, host_port: &str) -> Result<Origin, String> {
    let (host, port) = split_port(host_port)?;
    let port = match port {
        "" => scheme.default_port(),
        digits => match digits.parse() {
            // Anything but digits may be a password whose @ is missing.
            Ok(0) | Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(format!("{digits} is not a port"));
            }
            Ok(0) | Err(_) => return Err("the port is not a number".to_owned()),
            Ok(port) => port,
        },
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    if !host.is_ascii() {
        return Err("the host is not ASCII; write it in its xn-- form".to_owned());
    }
    let host = host.to_ascii_lowercase();
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let authority = if port == scheme.default_port() { bracketed.clone() } else { format!("{bracketed}:{port}") };
    let uri = format!("{}://{bracketed}:{port}/", scheme.as_str());
    uri.parse::<Uri>().map_err(|_| "the host is not a name or an address".to_owned())?;
    Ok(Origin { scheme, host, port, authority })
}

/// Host without brackets, and the port's digits or nothing.
fn split_port(host_port: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = host_port.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or("the closing ] is missing")?;
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("the text in [ ] is not an IPv6 address".to_owned());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if after.is_empty() => Ok((address, "")),
            None => Err("there is text between the ] of the address and its port or path".to_owned()),
        };
    }
    match host_port.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("put the IPv6 address in [ ]".to_owned()),
        Some(parts) => Ok(parts),
        None => Ok((host_port, "")),
    }
}

/// Path and query as they go on the wire: never empty, no fragment, and what RFC 3986 does not allow encoded.
fn request_target(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let slash = if text.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", percent::encode(text, percent::TARGET))
}

/// A path, with or without a query, without its `.` and `..` (RFC 3986 section 5.2.4).
#[must_use]
pub fn remove_dot_segments(target: &str) -> String {
    let (path, query) = target.find('?').map_or((target, ""), |at| target.split_at(at));
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let is_folder = path.ends_with("/.") || path.ends_with("/..");
    let slash = if is_folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap().url
    }

    #[test]
    fn a_url_is_split_into_origin_and_target() {
        let parsed = Url::parse("HTTP://us%40er:p%3Aw@Shop.Test:8080/a b?q=ü#top").unwrap();
        assert_eq!(parsed.userinfo.as_deref(), Some("us@er:p:w"));
        assert_eq!(parsed.url.origin().host(), "shop.test");
        assert_eq!(parsed.url.origin().authority(), "shop.test:8080");
        assert_eq!(parsed.url.target(), "/a%20b?q=%C3%BC");
        assert_eq!(url("http://h").target(), "/");
        assert_eq!(url("http://h?x=1").target(), "/?x=1");
        assert_eq!(url("https://[::1]:443/").origin().authority(), "[::1]");
        assert_eq!(url("https://[::1]:443/").origin().host(), "::1");
    }

    #[test]
    fn an_invalid_url_gives_the_reason() {
        for text in [
            "ftp://h",
            "http://",
            "http://h:x",
            "http://h:0",
            "http://h:99999",
            "http://::1/",
            "http://[::1",
            "http://a b/",
            "http://ü/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_are_joined_to_the_host_as_locust_does() {
        assert_eq!(url("http://h").below("/ok").target(), "/ok");
        assert_eq!(url("http://h/api/").below("/ok?x=1").target(), "/api/ok?x=1");
    }

    #[test]
    fn locations_are_resolved_as_in_rfc_3986() {
        // Section 5.4.1 and 5.4.2, with the base http://a/b/c/d;p?q.
        let base = url("http://a/b/c/d;p?q");
        for (location, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("..", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../../g", "/g"),
            ("/./g", "/g"),
        ] {
            assert_eq!(base.join(location).unwrap().target(), target, "{location}");
        }
        assert_eq!(base.join("//other:81/x").unwrap().origin().authority(), "other:81");
        assert_eq!(base.join("https://a/x").unwrap().origin().port(), 443);
        assert!(base.join("ftp://a/x").is_err());
        assert!(base.join("mailto:x").is_err());
    }
}
