//! Who may ask for what: pages of other sites must learn nothing of the run and do nothing to it. Pure.

use std::net::IpAddr;

use crate::server::pages::PageRequest;

/// The name of the field with the token of the stop button.
pub(super) const TOKEN_FIELD: &str = "X-Swarmline-Token";

/// Whether the page's own name may be a request's `Host`: an IP literal, `localhost`, or the name that was bound. Any other
/// name may be one that somebody else has made to point here (DNS rebinding).
pub(super) fn is_own_host(host: &str, bound: &str) -> bool {
    let Some(name) = without_port(host) else { return false };
    if let Some(literal) = name.strip_prefix('[') {
        return literal.strip_suffix(']').is_some_and(|literal| matches!(literal.parse(), Ok(IpAddr::V6(_))));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    matches!(name.parse(), Ok(IpAddr::V4(_)))
        || name.eq_ignore_ascii_case("localhost")
        || name.eq_ignore_ascii_case(bound)
}

/// A host without its port; `None` if the port is not one.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => return Some(host),
    };
    (port.parse::<u16>().is_ok() && port.bytes().all(|digit| digit.is_ascii_digit())).then_some(name)
}

/// Whether a request to stop the run comes from its own page: it has the page's origin and its token.
pub(super) fn may_stop(request: &PageRequest, token: &str) -> bool {
    let own = request.field("Host").map(|host| format!("http://{host}"));
    let origin = request.field("Origin");
    own.is_some() && origin == own.as_deref() && request.field(TOKEN_FIELD).is_some_and(|given| is_same(given, token))
}

/// Compares in a time that does not depend on where the texts differ.
fn is_same(given: &str, token: &str) -> bool {
    let differing = given.bytes().zip(token.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other));
    given.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_the_bound_name_are_own_hosts_and_nothing_else_is() {
        for host in [
            "127.0.0.1:8089",
            "127.0.0.1",
            "10.1.2.3:1",
            "[::1]:8089",
            "[::1]",
            "localhost:80",
            "LOCALHOST",
            "localhost.",
            "box:8089",
            "Box",
        ] {
            assert!(is_own_host(host, "box"), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "evil.example:8089",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "box.evil",
            "[::1",
            "::1",
            "[127.0.0.1]",
            "localhost:x",
            "localhost:",
            "localhost:+80",
            "127.0.0.1:8089:1",
        ] {
            assert!(!is_own_host(host, "box"), "{host}");
        }
    }
}
