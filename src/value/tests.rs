use super::*;

#[test]
fn durations_read_as_locust_and_k6_write_them() {
    for (text, millis) in [
        ("90", 90_000),
        ("1.5", 1_500),
        ("300s", 300_000),
        ("20m", 1_200_000),
        ("1h30m", 5_400_000),
        ("500ms", 500),
        ("1s500ms", 1_500),
        ("0", 0),
        ("0s", 0),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "s", "1x", "-1", "1h1h", "1m1h", "1e9", "inf", "NaN", "1 s", "99999999999h", ".", "1..2", "٣s"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn waits_are_the_four_of_locust() {
    assert_eq!("0".parse(), Ok(Wait::None));
    assert_eq!("1s".parse(), Ok(Wait::Constant(Duration::from_secs(1))));
    assert_eq!("1s..3s".parse(), Ok(Wait::Between(Duration::from_secs(1), Duration::from_secs(3))));
    assert_eq!("pacing:2s".parse(), Ok(Wait::Pacing(Duration::from_secs(2))));
    assert_eq!("throughput:0.5".parse(), Ok(Wait::Pacing(Duration::from_secs(2))));
    for text in ["", "3s..1s", "pacing:0", "throughput:0", "throughput:x", "often"] {
        assert!(text.parse::<Wait>().is_err(), "{text}");
    }
}

#[test]
fn statuses_are_numbers_and_classes() {
    let set: StatusSet = "200,404,3xx".parse().unwrap();
    assert!([200, 404, 300, 399].iter().all(|s| set.contains(*s)));
    assert!([201, 400, 500, 299].iter().all(|s| !set.contains(*s)));
    for text in ["", "20", "0xx", "2x", "abc", "99", "2000", "200,"] {
        assert!(text.parse::<StatusSet>().is_err(), "{text}");
    }
}

#[test]
fn a_header_in_place_of_the_host_gets_a_hint() {
    assert!(host("Accept: text/html").unwrap_err().contains("--header 'Accept: ...'"));
    assert!(host("localhost:8080").unwrap_err().contains("did you mean http://localhost:8080?"));
    assert!(host("ftp://x").unwrap_err().contains("only http"));
    assert!(host("https://x").is_ok());
}

#[test]
fn a_host_has_neither_query_nor_fragment() {
    for text in ["http://h:8080?token=SECRET", "http://h/api/?token=SECRET", "http://h/?#top"] {
        let why = host(text).unwrap_err();
        assert!(why.contains("query") && !why.contains("SECRET"), "{text}: {why}");
    }
    assert!(host("https://h/#a?b").unwrap_err().contains("fragment"));
    assert!(host("http://amy:x@h:8080/api/").is_ok());
}

#[test]
fn headers_cannot_contain_a_line_break() {
    assert!("X: a\r\nY: b".parse::<Header>().is_err());
    assert!("Content-Length: 3".parse::<Header>().is_err());
    assert!("na me: 3".parse::<Header>().is_err());
    assert_eq!("Accept:".parse(), Ok(Header { name: "Accept".into(), value: None }));
    assert_eq!("X;".parse(), Ok(Header { name: "X".into(), value: Some(String::new()) }));
    assert_eq!("X:  a: b ".parse(), Ok(Header { name: "X".into(), value: Some("a: b".into()) }));
}

#[test]
fn resolve_takes_several_addresses_of_both_families() {
    let entry: Resolve = "Shop.Test:8080:127.0.0.1,[::1]".parse().unwrap();
    assert_eq!(entry.host, "shop.test");
    assert_eq!(entry.addresses.len(), 2);
    for text in ["x", "x:1", ":1:127.0.0.1", "x:p:127.0.0.1", "x:1:nowhere"] {
        assert!(text.parse::<Resolve>().is_err(), "{text}");
    }
}
