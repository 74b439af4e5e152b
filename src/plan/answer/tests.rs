use super::*;

/// An answer of this head and body that took 5 ms.
pub(crate) fn view<'a>(head: &'a str, body: &'a [u8]) -> AnswerView<'a> {
    AnswerView {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.as_bytes(),
        body: Ok(body),
        size: body.len() as u64,
        service: Duration::from_millis(5),
        cookie: &|name| (name == "session").then(|| "s1".to_owned()),
        json: ParsedBody::default(),
    }
}

#[test]
fn fields_are_read_line_by_line() {
    let answer = view("HTTP/1.1 200 OK\r\nVary:a\r\nX-Id:  7 \r\nvary: b\r\n\r\n", b"");
    assert_eq!(answer.fields("Vary").collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(answer.fields("x-id").next(), Some(&b"7"[..]));
    assert_eq!(answer.fields("HTTP/1.1 200 OK").next(), None);
}

#[test]
fn texts_are_found_in_any_bytes() {
    for (text, needle, at) in [
        (&b"abcab"[..], &b"ab"[..], Some(0)),
        (b"\xff abc", b"bc", Some(3)),
        (b"\xff abc", b"", Some(0)),
        (b"abc", b"", Some(0)),
        (b"abc", b"abcd", None),
        (b"\xffab", b"abcd", None),
        ("k\u{f6}ln".as_bytes(), "\u{f6}".as_bytes(), Some(1)),
    ] {
        assert_eq!(find(text, needle), at, "{text:?} {needle:?}");
    }
    assert_eq!(view("HTTP/1.1 200 OK\r\n\r\n", b"abcab").find(b"ab", 1), Some(3));
}
