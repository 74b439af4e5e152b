use super::super::pattern::Pattern;
use super::super::response::UnreadBody;
use super::super::response::tests::view;
use super::super::template::SlotId;
use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Id: sesame\r\n\r\n";

fn explained(from: ExtractFrom, pick: PickFrom, body: &[u8]) -> String {
    explain(&Extraction { slot: SlotId(0), from, pick, default: None }, &view(OK, body))
}

fn json(pointer: &str, body: &str) -> String {
    explained(ExtractFrom::Json(PointerPattern::parse(pointer).unwrap()), PickFrom::First, body.as_bytes())
}

#[test]
fn what_json_holds_stands_beside_what_was_wanted() {
    let items = r#"{"items": [{"nr": 1}, {"nr": 2}], "next": null, "password": "sesame"}"#;
    for (pointer, body, expected) in [
        ("/token", r#"{"error": "sesame", "code": 7}"#, "no /token: the response has error, code"),
        ("/items/0/id", items, "no /items/0/id: /items/0 has nr"),
        ("/items/7/id", items, "no /items/7/id: /items is a list of 2"),
        ("/items/*/id", items, "no /items/*/id: none of the 2 at /items has it"),
        ("/item/*/id", items, "no /item/*/id: the response has items, next, password"),
        ("/next/page", items, "no /next/page: /next is null"),
        ("/next", items, "no /next: /next is null"),
        ("/password/x", items, "no /password/x: /password is text"),
        ("/a", "[]", "no /a: the response is a list of 0"),
        ("/a", "{}", "no /a: the response is an empty object"),
        ("/a", "7", "no /a: the response is a number"),
        ("/a/b", "{\"a\": true}", "no /a/b: /a is true or false"),
        ("/*", "{}", "no /*: the response is an empty object"),
        ("/a", "", "no /a: the body is not JSON; it is empty"),
        ("/a", "<html>no</html>", "no /a: the body is not JSON; it begins with \"<html>no</html>\""),
    ] {
        assert_eq!(json(pointer, body), expected);
    }
    let index = explained(
        ExtractFrom::Json(PointerPattern::parse("/items/*/nr").unwrap()),
        PickFrom::Index(5),
        items.as_bytes(),
    );
    assert_eq!(index, "no value 5 (from 0) at /items/*/nr: there are 2");
}

#[test]
fn other_ways_say_where_they_looked() {
    let body = b"<form><input name=a><input name='b'></form>";
    let input = |body: &[u8]| explained(ExtractFrom::Input("csrf".to_owned()), PickFrom::First, body);
    assert_eq!(input(body), "no input \"csrf\": the body has a, b");
    assert_eq!(input(b"<p>"), "no input \"csrf\": the body has no inputs; it begins with \"<p>\"");
    let header = ExtractFrom::Field(ResponseField::Header("X-Token".to_owned()));
    let header = explained(header, PickFrom::First, b"");
    assert_eq!(header, "no header X-Token: the response has Content-Type, X-Id");
    let regex = |source| ExtractFrom::Regex(source, Pattern::parse("id=(7)").unwrap(), 1);
    let of_url = explained(regex(TextSource::Field(ResponseField::Url)), PickFrom::Last, b"");
    assert_eq!(of_url, "no match of \"id=(7)\" in the URL http://h/final?id=7");
    let of_body = explained(regex(TextSource::Body), PickFrom::First, b"token=sesame&x=1");
    assert_eq!(of_body, "no match of \"id=(7)\" in the body of 16 bytes; it begins with \"token=***&x=1\"");
    let between = ExtractFrom::Between(TextSource::Body, "<b>".to_owned(), "</b>".to_owned());
    assert!(
        explained(between, PickFrom::First, body).starts_with("nothing between \"<b>\" and \"</b>\" in the body of 43")
    );
    let undecodable = ResponseView { body: Err(UnreadBody::Undecodable), ..view(OK, b"") };
    let extraction =
        Extraction { slot: SlotId(0), from: regex(TextSource::Body), pick: PickFrom::First, default: None };
    assert_eq!(explain(&extraction, &undecodable), "body cannot be decoded");
}

#[test]
fn a_sentence_has_at_most_200_characters_on_one_line_and_no_secrets() {
    let keys = (0..500).fold(String::new(), |keys, n| keys + &format!("\"ä{n:050}\": \"sesame\", "));
    let wide = format!("{{{keys}\"z\": 1}}");
    for body in [wide.as_str(), &"x\n\u{1b}".repeat(500), &"ü".repeat(500), r#"{"token": "sesame"#, "password=sesame"]
    {
        let said = json("/a", body);
        assert!(said.chars().count() <= 200, "{said}");
        assert!(!said.contains("sesame") && !said.contains(char::is_control), "{said}");
    }
    assert!(json("/a", &wide).ends_with('…'), "a longer one is cut off");
}
