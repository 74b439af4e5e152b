//! One user's cookies: RFC 6265 as far as services need it. Where RFC 6265bis is stricter about `Secure` and the two
//! name prefixes, as browsers and curl are, this follows it.
//!
//! Not the `cookie_store` crate: it takes URLs of the url crate, which rewrites them, and keeps all that servers send.
//!
//! Pure: heads, URLs and times in, a header field out. Bounded, because servers decide what is stored here.
//!
//! There is no list of public suffixes: `Domain=com` is refused because it has one label, `Domain=co.uk` is accepted. A
//! jar belongs to one user and lives as long as that user, and the services under test are known, so the list would
//! gain nothing.

mod date;

use std::time::Duration;

use super::response::head::fields;
use crate::plan::url::{Origin, Scheme};
use crate::plan::wire::WireRequest;

/// Maximum number of cookies per user; browsers keep 180 per domain, RFC 6265 section 6.1 asks for at least 50.
const MAX_COOKIES: usize = 64;

/// Maximum bytes of all cookies: servers do not read larger heads (nginx 8 KiB a line, Apache httpd 8 KiB).
const MAX_TOTAL_BYTES: usize = 16 * 1024;

/// Maximum bytes of a cookie's name and value (RFC 6265bis section 5.6, step 6).
const MAX_COOKIE_BYTES: usize = 4096;

/// Maximum bytes of an attribute's value; a longer one is ignored (RFC 6265bis section 5.6).
const MAX_ATTRIBUTE_BYTES: usize = 1024;

/// The cookies of one user.
#[derive(Debug, Default)]
pub(in crate::load) struct Jar {
    /// Longer paths first, equally long ones in order of creation: the order in which they are sent.
    cookies: Vec<Cookie>,
    /// Counts created cookies; gives each its age, so that the oldest can be evicted.
    made: u64,
}

#[derive(Debug)]
struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
    domain: Box<str>,
    /// Whether it is sent to exactly this host only.
    host_only: bool,
    path: Box<[u8]>,
    secure: bool,
    /// Unix seconds; `None` keeps it until the user ends.
    expires: Option<i64>,
    made: u64,
}

/// The origin and target of a request, which decide the cookies that it gets and may set.
#[derive(Clone, Copy)]
pub(super) struct CookieScope<'p> {
    pub(in crate::load) origin: &'p Origin,
    /// Path and query.
    pub(in crate::load) target: &'p [u8],
}

impl<'p> CookieScope<'p> {
    /// The scope of a request.
    pub(in crate::load) fn of(request: WireRequest<'p>) -> Self {
        Self { origin: request.origin(), target: request.target() }
    }

    fn path(self) -> &'p [u8] {
        self.target.split(|byte| *byte == b'?').next().unwrap_or_default()
    }

    fn is_secure(self) -> bool {
        self.origin.scheme() == Scheme::Https
    }
}

impl Jar {
    /// Whether the jar has no cookies at all.
    pub(in crate::load) const fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Stores the cookies of a response from `place`; `head` is its head as received, `now` Unix seconds.
    pub(super) fn store_from(&mut self, head: &[u8], place: CookieScope<'_>, now: i64) {
        for (_, value) in fields(head).filter(|(name, _)| name.eq_ignore_ascii_case(b"set-cookie")) {
            if let Some(cookie) = parse(value, place, now) {
                self.put(cookie, now);
            }
        }
    }

    /// Appends a `Cookie` field with its line end if any cookie applies; returns whether one did.
    pub(super) fn write(&self, place: CookieScope<'_>, now: i64, out: &mut Vec<u8>) -> bool {
        let mut lead = &b"Cookie: "[..];
        for cookie in self.cookies.iter().filter(|cookie| cookie.is_for(place, now)) {
            for part in [lead, &cookie.name, b"=", &cookie.value] {
                out.extend_from_slice(part);
            }
            lead = b"; ";
        }
        let wrote = lead == b"; ";
        if wrote {
            out.extend_from_slice(b"\r\n");
        }
        wrote
    }

    /// The value of the cookie with this name, whatever its scope; if there are several, the newest. `now` is Unix
    /// time.
    pub(in crate::load) fn value(&self, name: &str, now: Duration) -> Option<&[u8]> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let named = self.cookies.iter().filter(|cookie| *cookie.name == *name.as_bytes() && !cookie.is_expired(now));
        named.max_by_key(|cookie| cookie.made).map(|cookie| &*cookie.value)
    }

    /// Stores a cookie. It replaces the one with the same name, domain and path and inherits its creation time (RFC
    /// 6265 section 5.3, step 11). An expired cookie only removes that one.
    fn put(&mut self, mut cookie: Cookie, now: i64) {
        let same = |old: &Cookie| {
            old.name == cookie.name
                && old.domain == cookie.domain
                && old.path == cookie.path
                && old.host_only == cookie.host_only
        };
        self.made += 1;
        cookie.made = self.made;
        if let Some(at) = self.cookies.iter().position(same) {
            cookie.made = self.cookies.remove(at).made;
        }
        if cookie.is_expired(now) {
            return;
        }
        let behind = |old: &Cookie| (old.path.len(), cookie.made) > (cookie.path.len(), old.made);
        let at = self.cookies.iter().position(|old| !behind(old)).unwrap_or(self.cookies.len());
        self.cookies.insert(at, cookie);
        self.make_room(now);
    }

    /// Drops expired cookies, then the oldest ones, until the jar is within its limits.
    fn make_room(&mut self, now: i64) {
        let is_full = |cookies: &[Cookie]| {
            cookies.len() > MAX_COOKIES || cookies.iter().map(Cookie::len).sum::<usize>() > MAX_TOTAL_BYTES
        };
        if is_full(&self.cookies) {
            self.cookies.retain(|cookie| !cookie.is_expired(now));
        }
        while is_full(&self.cookies) {
            let oldest = (0..self.cookies.len()).min_by_key(|at| self.cookies[*at].made);
            oldest.map(|at| self.cookies.remove(at));
        }
    }
}

impl Cookie {
    fn len(&self) -> usize {
        self.name.len() + self.value.len()
    }

    fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// RFC 6265 section 5.4, step 1.
    fn is_for(&self, place: CookieScope<'_>, now: i64) -> bool {
        let host = place.origin.host();
        let is_its_host = if self.host_only { host == &*self.domain } else { domain_matches(host, &self.domain) };
        is_its_host
            && (!self.secure || place.is_secure())
            && path_matches(place.path(), &self.path)
            && !self.is_expired(now)
    }
}

/// Attributes of a `Set-Cookie` field; if one occurs several times, the last counts.
#[derive(Default)]
struct Attributes<'v> {
    expires: Option<i64>,
    max_age: Option<i64>,
    domain: Option<&'v [u8]>,
    path: Option<&'v [u8]>,
    secure: bool,
}

impl<'v> Attributes<'v> {
    /// RFC 6265 section 5.2. `SameSite` and `HttpOnly` are about pages and scripts and do not apply here.
    fn add(&mut self, attribute: &'v [u8]) {
        let (name, value) = split_at_equals(attribute).unwrap_or((attribute.trim_ascii(), b""));
        if value.len() > MAX_ATTRIBUTE_BYTES {
            return;
        }
        if name.eq_ignore_ascii_case(b"expires") {
            self.expires = date::parse(value).or(self.expires);
        } else if name.eq_ignore_ascii_case(b"max-age") {
            self.max_age = seconds(value).or(self.max_age);
        } else if name.eq_ignore_ascii_case(b"domain") {
            self.domain = Some(value.strip_prefix(b".").unwrap_or(value)).filter(|domain| !domain.is_empty());
        } else if name.eq_ignore_ascii_case(b"path") {
            self.path = Some(value).filter(|path| path.starts_with(b"/"));
        } else if name.eq_ignore_ascii_case(b"secure") {
            self.secure = true;
        }
    }

    /// `Max-Age` wins over `Expires` (RFC 6265 section 5.3, step 3).
    fn expiry(&self, now: i64) -> Option<i64> {
        match self.max_age {
            Some(age) if age <= 0 => Some(i64::MIN),
            Some(age) => Some(now.saturating_add(age)),
            None => self.expires,
        }
    }
}

/// The cookie of a `Set-Cookie` field's value; `None` if it must be ignored (RFC 6265 sections 5.2 and 5.3).
fn parse(value: &[u8], place: CookieScope<'_>, now: i64) -> Option<Cookie> {
    let mut parts = value.split(|byte| *byte == b';');
    let (name, content) = split_at_equals(parts.next()?)?;
    let is_text = |text: &[u8]| text.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t');
    if name.is_empty() || name.len() + content.len() > MAX_COOKIE_BYTES || !is_text(name) || !is_text(content) {
        return None;
    }
    let mut attributes = Attributes::default();
    parts.for_each(|part| attributes.add(part));
    if attributes.secure && !place.is_secure() || !keeps_its_prefix(name, &attributes, place) {
        return None;
    }
    let (domain, host_only) = scope(attributes.domain, place.origin.host())?;
    Some(Cookie {
        name: name.into(),
        value: content.into(),
        domain,
        host_only,
        path: attributes.path.unwrap_or_else(|| default_path(place.path())).into(),
        secure: attributes.secure,
        expires: attributes.expiry(now),
        made: 0,
    })
}

/// The cookie's domain, and whether it is limited to that exact host; `None` if the host may not set cookies for the
/// domain.
fn scope(domain: Option<&[u8]>, host: &str) -> Option<(Box<str>, bool)> {
    let Some(domain) = domain else { return Some((host.into(), true)) };
    let domain = std::str::from_utf8(domain).ok()?.to_ascii_lowercase();
    // A single label is a public suffix or a machine's name: such a host may set cookies for itself only.
    let is_suffix = !domain.contains('.') && domain != "localhost";
    if is_suffix || host.parse::<std::net::IpAddr>().is_ok() {
        return (domain == host).then(|| (host.into(), true));
    }
    domain_matches(host, &domain).then(|| (domain.into_boxed_str(), false))
}

/// RFC 6265bis section 4.1.3.
fn keeps_its_prefix(name: &[u8], attributes: &Attributes<'_>, place: CookieScope<'_>) -> bool {
    let has = |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_secure = attributes.secure && place.is_secure();
    if has(b"__Host-") {
        return is_secure && attributes.domain.is_none() && attributes.path == Some(b"/");
    }
    !has(b"__Secure-") || is_secure
}

/// RFC 6265 section 5.1.3, for a domain that is not an address; both are in lower case.
fn domain_matches(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
}

/// RFC 6265 section 5.1.4.
fn path_matches(path: &[u8], cookie: &[u8]) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || cookie.ends_with(b"/"))
}

/// RFC 6265 section 5.1.4: the folder of the request's path, without the trailing slash.
fn default_path(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash @ 1..) => &path[..slash],
        _ => b"/",
    }
}

/// An optional minus and digits; a number beyond 64 bits saturates.
fn seconds(value: &[u8]) -> Option<i64> {
    let (sign, digits) = value.strip_prefix(b"-").map_or((1, value), |digits| (-1, digits));
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(sign * number)
}

fn split_at_equals(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    Some((text[..at].trim_ascii(), text[at + 1..].trim_ascii()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
