//! One test for each rule.

use super::*;
use crate::plan::url::Url;

const NOW: i64 = 1_000_000;

/// A jar that received these `Set-Cookie` values from that URL.
fn jar(url: &str, cookies: &[&str]) -> Jar {
    let mut jar = Jar::default();
    take(&mut jar, url, cookies);
    jar
}

fn take(jar: &mut Jar, url: &str, cookies: &[&str]) {
    let lines = cookies.iter().fold(String::new(), |lines, cookie| lines + "Set-Cookie: " + cookie + "\r\n");
    let head = format!("HTTP/1.1 200 OK\r\nDate: x\r\n{lines}Content-Length: 0\r\n\r\n");
    let url = Url::parse(url).unwrap().url;
    jar.store_from(head.as_bytes(), CookieScope { origin: url.origin(), target: url.target().as_bytes() }, NOW);
}

/// The cookies sent to a URL some seconds later.
fn later(jar: &Jar, url: &str, seconds: i64) -> String {
    let url = Url::parse(url).unwrap().url;
    let place = CookieScope { origin: url.origin(), target: url.target().as_bytes() };
    let mut out = Vec::new();
    let wrote = jar.write(place, NOW + seconds, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(wrote, !text.is_empty());
    text.strip_prefix("Cookie: ").and_then(|text| text.strip_suffix("\r\n")).unwrap_or_default().to_owned()
}

fn sent(jar: &Jar, url: &str) -> String {
    later(jar, url, 0)
}

#[test]
fn a_cookie_goes_back_to_its_host_and_to_no_other() {
    let jar = jar("http://shop.test/", &["a=b; HttpOnly; SameSite=Lax", "c = d e ;x", "e=", "f=g=h"]);
    assert_eq!(sent(&jar, "http://shop.test/x/y?z"), "a=b; c=d e; e=; f=g=h");
    assert_eq!(sent(&jar, "http://shop.test:81/"), "a=b; c=d e; e=; f=g=h", "ports do not count");
    for elsewhere in ["http://www.shop.test/", "http://test/", "http://xshop.test/", "http://127.0.0.1/"] {
        assert_eq!(sent(&jar, elsewhere), "", "{elsewhere}");
    }
}

#[test]
fn a_domain_opens_a_cookie_to_hosts_below_it() {
    for domain in ["shop.test", ".shop.test", "SHOP.test"] {
        let jar = jar("http://www.shop.test/", &[&format!("a=b; Domain={domain}")]);
        for host in ["http://shop.test/", "http://www.shop.test/", "http://a.b.shop.test/"] {
            assert_eq!(sent(&jar, host), "a=b", "{domain} {host}");
        }
        assert_eq!(sent(&jar, "http://xshop.test/"), "", "{domain}");
    }
    assert_eq!(sent(&jar("http://a.localhost/", &["a=b; Domain=localhost"]), "http://b.localhost/"), "a=b");
    assert_eq!(sent(&jar("http://h.test/", &["a=b; Domain="]), "http://x.h.test/"), "", "the attribute is ignored");
}

#[test]
fn a_host_cannot_set_cookies_for_a_domain_that_is_not_its_own() {
    for (host, domain) in [
        ("shop.test", "other.test"),
        ("shop.test", "www.shop.test"),
        ("shop.test", "test"),
        ("shop.com", ".com"),
        ("127.0.0.1", "0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
    ] {
        let jar = jar(&format!("http://{host}/"), &[&format!("a=b; Domain={domain}")]);
        assert!(jar.is_empty(), "{host} {domain}");
    }
    // A machine's own name or address as the domain has no effect.
    for host in ["backend", "127.0.0.1"] {
        let jar = jar(&format!("http://{host}/"), &[&format!("a=b; Domain={host}")]);
        assert_eq!(sent(&jar, &format!("http://{host}/")), "a=b");
        assert_eq!(sent(&jar, &format!("http://x.{host}/")), "");
    }
}

#[test]
fn a_path_applies_to_everything_below_it() {
    let jar =
        jar("http://h/a/b?c/d", &["def=1", "own=2; Path=/a/b", "all=3; Path=/", "rel=4; Path=a", "sl=5; path=/a/"]);
    assert_eq!(sent(&jar, "http://h/a/b/c"), "own=2; sl=5; def=1; rel=4; all=3", "longer paths first");
    assert_eq!(sent(&jar, "http://h/a?x"), "def=1; rel=4; all=3");
    assert_eq!(sent(&jar, "http://h/ab"), "all=3");
    assert_eq!(sent(&jar, "http://h/"), "all=3");
}

#[test]
fn the_default_path_is_the_folder_of_the_request() {
    for (path, expected) in [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b", "/a"), ("/a/b/c", "/a/b")] {
        assert_eq!(default_path(path.as_bytes()), expected.as_bytes(), "{path}");
    }
}

#[test]
fn a_cookie_expires_by_max_age_or_else_by_expires() {
    let past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let future = "Expires=Fri, 31 Dec 2038 23:59:59 GMT";
    let cookies =
        ["a=1; Max-Age=10", &format!("b=2; {past}; Max-Age=20"), &format!("c=3; {future}"), "d=4; Max-Age=x", "e=5"];
    let jar = jar("http://h/", &cookies);
    assert_eq!(sent(&jar, "http://h/"), "a=1; b=2; c=3; d=4; e=5");
    assert_eq!(later(&jar, "http://h/", 9), "a=1; b=2; c=3; d=4; e=5");
    assert_eq!(later(&jar, "http://h/", 10), "b=2; c=3; d=4; e=5");
    assert_eq!(later(&jar, "http://h/", 20), "c=3; d=4; e=5");
    assert_eq!(later(&jar, "http://h/", 3_000_000_000), "d=4; e=5");
    assert_eq!(seconds(b"99999999999999999999"), Some(i64::MAX));
}

#[test]
fn a_cookie_is_replaced_in_its_place_and_deleted_by_one_that_has_expired() {
    let mut jar = jar("http://h/", &["a=1", "b=2", "c=3"]);
    take(&mut jar, "http://h/", &["b=4", "a=5; Path=/x"]);
    assert_eq!(sent(&jar, "http://h/x"), "a=5; a=1; b=4; c=3");
    take(&mut jar, "http://h/", &["b=; Max-Age=0", "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "d=; Max-Age=-1"]);
    assert_eq!(sent(&jar, "http://h/"), "a=1");
    take(&mut jar, "http://h/x/y", &["a=gone; Max-Age=0"]);
    assert_eq!(sent(&jar, "http://h/x"), "a=1", "the one with this very path");
}

#[test]
fn secure_cookies_are_sent_over_tls_only() {
    let jar = jar("https://h.test/", &["a=b; Secure", "c=d"]);
    assert_eq!(sent(&jar, "https://h.test/"), "a=b; c=d");
    assert_eq!(sent(&jar, "http://h.test/"), "c=d");
    let plain = self::jar("http://h.test/", &["a=b; secure"]);
    assert!(plain.is_empty(), "they cannot be set without TLS");
}

#[test]
fn prefixes_enforce_their_requirements() {
    let kept = |url: &str, cookie: &str| !jar(url, &[cookie]).is_empty();
    assert!(kept("https://h.test/", "__Secure-a=b; Secure; Domain=h.test"));
    assert!(!kept("https://h.test/", "__Secure-a=b"));
    assert!(!kept("http://h.test/", "__secure-a=b; Secure"));
    assert!(kept("https://h.test/", "__Host-a=b; Secure; Path=/"));
    for cookie in [
        "__Host-a=b; Path=/",
        "__Host-a=b; Secure",
        "__host-a=b; Secure; Path=/; Domain=h.test",
        "__Host-a=b; Secure; Path=/x",
    ] {
        assert!(!kept("https://h.test/", cookie), "{cookie}");
    }
}

#[test]
fn a_header_that_is_not_a_cookie_is_ignored() {
    for cookie in ["", "a", "=b", "; a=b", "a\u{1}=b", "a=b\u{7f}", &format!("a={}", "x".repeat(MAX_COOKIE_BYTES))] {
        assert!(jar("http://h/", &[cookie]).is_empty(), "{cookie:?}");
    }
    assert!(!jar("http://h/", &[&format!("a={}", "x".repeat(MAX_COOKIE_BYTES - 1))]).is_empty());
    let long = format!("a=b; Path=/{}", "x".repeat(MAX_ATTRIBUTE_BYTES));
    assert_eq!(sent(&jar("http://h/", &[&long]), "http://h/"), "a=b", "only the attribute is ignored");
}

#[test]
fn a_jar_has_limits_and_drops_the_oldest_first() {
    let many: Vec<String> = (0..MAX_COOKIES + 2).map(|n| format!("c{n}=x")).collect();
    let mut cookies = Jar::default();
    for cookie in &many {
        take(&mut cookies, "http://h/", &[cookie]);
    }
    assert_eq!(cookies.cookies.len(), MAX_COOKIES);
    assert!(sent(&cookies, "http://h/").starts_with("c2=x; c3=x; "));

    let large = "x".repeat(MAX_COOKIE_BYTES - 10);
    let mut cookies = Jar::default();
    for n in 0..10 {
        take(&mut cookies, "http://h/", &[&format!("c{n}={large}")]);
    }
    assert!(sent(&cookies, "http://h/").len() <= MAX_TOTAL_BYTES + 100);
    assert!(value(&cookies, "c9").is_some());
    assert!(value(&cookies, "c0").is_none());
}

fn value(jar: &Jar, name: &str) -> Option<String> {
    let now = Duration::from_secs(u64::try_from(NOW).unwrap());
    jar.value(name, now).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn a_value_is_found_by_its_name_whatever_the_scope_of_the_cookie() {
    let jar = jar("http://h/", &["a=1; Path=/x", "a=2; Path=/y", "b=3; Max-Age=0", "c=4"]);
    assert_eq!(value(&jar, "a").as_deref(), Some("2"), "the last one");
    assert_eq!(value(&jar, "c").as_deref(), Some("4"));
    assert_eq!((value(&jar, "b"), value(&jar, "A")), (None, None));
}
