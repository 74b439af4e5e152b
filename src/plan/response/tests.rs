use std::sync::OnceLock;

use super::*;

static NOTHING_SOUGHT: OnceLock<TextSearches> = OnceLock::new();

/// A response with this head and body that took 5 ms.
pub(crate) fn view<'a>(head: &'a str, body: &'a [u8]) -> ResponseView<'a> {
    ResponseView {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.as_bytes(),
        body: Ok(body),
        texts: NOTHING_SOUGHT.get_or_init(TextSearches::default),
        size: body.len() as u64,
        service: Duration::from_millis(5),
        url: "http://h/final?id=7",
        cookie: &|name| (name == "session").then(|| "s1".to_owned()),
        json: LazyJson::default(),
    }
}

#[test]
fn fields_are_read_line_by_line() {
    let answer = view("HTTP/1.1 200 OK\r\nVary:a\r\nX-Id:  7 \r\nvary: b\r\n\r\n", b"");
    assert_eq!(answer.fields("Vary").collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(answer.fields("x-id").next(), Some(&b"7"[..]));
    assert_eq!(answer.fields("HTTP/1.1 200 OK").next(), None);
}
