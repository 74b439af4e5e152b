use super::super::expect::Expect;
use super::super::pattern::Pattern;
use super::super::response::tests::view;
use super::super::response::{ResponseView, UnreadBody};
use super::super::searches::searches;
use super::super::shard::Shard;
use super::super::template::{Counter, Values};
use super::super::text_search::TextSearches;
use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";

fn first(from: ExtractFrom) -> Extraction {
    picked(from, PickFrom::First)
}

fn picked(from: ExtractFrom, pick: PickFrom) -> Extraction {
    Extraction { slot: SlotId(0), from, pick, default: None }
}

fn take(from: ExtractFrom, answer: &ResponseView<'_>) -> Option<String> {
    match first(from).extract(answer, &mut Random::seeded(1))? {
        Variable::Text(text) => Some(text),
        Variable::List(_) => panic!("one value"),
    }
}

/// The text searches that this extraction needs.
fn sought(from: ExtractFrom) -> TextSearches {
    let (sources, random, counter) = (&[], &mut Random::seeded(1), &Counter::new(Shard::WHOLE));
    let (user, iteration, status, now_unix_ms) = (0, 0, 0, 0);
    let mut values =
        Values { variables: &[], rows: &[], sources, user, iteration, status, counter, now_unix_ms, random };
    searches(&Expect::default(), &[first(from)], &mut values, 100)
}

fn json(pointer: &str) -> ExtractFrom {
    ExtractFrom::Json(PointerPattern::parse(pointer).unwrap())
}

fn between(left: &str, right: &str) -> ExtractFrom {
    ExtractFrom::Between(TextSource::Body, left.to_owned(), right.to_owned())
}

fn regex(source: TextSource, pattern: &str) -> ExtractFrom {
    ExtractFrom::Regex(source, Pattern::parse(pattern).unwrap(), 1)
}

/// Makes a place to extract from.
type Way = fn() -> ExtractFrom;

fn header(name: &str) -> ResponseField {
    ResponseField::Header(name.to_owned())
}

#[test]
fn values_are_extracted_from_json() {
    let body = br#"{"token":"t\"1","id":7,"price":1.50,"big":123456789012345678901234567890,
        "ok":true,"none":null,"list":[1,{ "z" : "\u00fc b", "a":"b"}]}"#;
    let answer = view(OK, body);
    for (pointer, value) in [
        ("/token", Some("t\"1")),
        ("/id", Some("7")),
        ("/price", Some("1.50")),
        ("/big", Some("123456789012345678901234567890")),
        ("/ok", Some("true")),
        ("/none", None),
        ("/list/1", Some(r#"{"z":"\u00fc b","a":"b"}"#)),
        ("/list/1/z", Some("ü b")),
        ("/list/1/a", Some("b")),
        ("/missing", None),
    ] {
        assert_eq!(take(json(pointer), &answer).as_deref(), value, "{pointer}");
    }
    assert_eq!(take(json("/token"), &view(OK, b"{broken")), None);
    assert_eq!(take(json("/a"), &view(OK, "\u{feff}{\"a\": 1}".as_bytes())).as_deref(), Some("1"));
}

#[test]
fn values_are_extracted_from_fields_cookies_url_and_text() {
    let head = "HTTP/1.1 201 Created\r\nLocation: /orders/7?x=1\r\nX-Id: a9\r\n\r\n";
    let answer = view(head, b"");
    let field = ExtractFrom::Field;
    assert_eq!(take(field(header("location")), &answer).as_deref(), Some("/orders/7?x=1"));
    assert_eq!(take(field(header("etag")), &answer), None);
    assert_eq!(take(field(ResponseField::Cookie("session".to_owned())), &answer).as_deref(), Some("s1"));
    assert_eq!(take(field(ResponseField::Cookie("other".to_owned())), &answer), None);
    assert_eq!(take(field(ResponseField::Status), &answer).as_deref(), Some("201"));
    assert_eq!(take(field(ResponseField::Url), &answer).as_deref(), Some("http://h/final?id=7"));
    for (source, pattern, value) in [
        (TextSource::Field(ResponseField::Url), r"id=(\d+)", Some("7")),
        (TextSource::Field(header("Location")), r"/orders/(\d+)", Some("7")),
        (TextSource::Field(header("Missing")), r"(.*)", None),
        (TextSource::Field(ResponseField::Headers), r"(?m)^X-Id: (\w+)", Some("a9")),
        (TextSource::Field(ResponseField::Headers), r"(201)", None),
    ] {
        assert_eq!(take(regex(source, pattern), &answer).as_deref(), value, "{pattern}");
    }
    for (left, right, value) in [
        ("csrf\" value=\"", "\"", Some("x y")),
        ("<input value=\"", "\"", Some("")),
        ("value=\"", "\n", None),
        ("token", "\"", None),
    ] {
        let mut texts = sought(between(left, right));
        texts.feed(b"<input name=\"csrf\" value=\"x y\"><input value=\"\">");
        let answer = ResponseView { texts: &texts, ..view(head, b"") };
        assert_eq!(take(between(left, right), &answer).as_deref(), value, "{left}");
    }
}

#[test]
fn one_of_several_values_or_all_are_taken() {
    let body = br#"{"items": [{"id": 1}, {"id": "b"}, {"id": null}, {"id": 3}]} <a>1</a><a>b</a><a>3</a>
        <input name=t value=1><input name=t value=b><input name=t value=3>"#;
    let document = &body[..br#"{"items": [{"id": 1}, {"id": "b"}, {"id": null}, {"id": 3}]}"#.len()];
    let ways: [(&[u8], Way); 4] = [
        (document, || json("/items/*/id")),
        (body, || between("<a>", "</a>")),
        (body, || regex(TextSource::Body, "<a>(.)</a>")),
        (body, || ExtractFrom::Input("t".to_owned())),
    ];
    let one = |text: &str| Some(Variable::Text(text.to_owned()));
    for (body, way) in ways {
        let answer = view(OK, body);
        let take = |pick, seed| picked(way(), pick).extract(&answer, &mut Random::seeded(seed));
        assert_eq!(take(PickFrom::Last, 1), one("3"));
        assert_eq!(take(PickFrom::Index(1), 1), one("b"));
        assert_eq!(take(PickFrom::Index(3), 1), None);
        let all = ["1", "b", "3"].map(str::to_owned);
        assert_eq!(take(PickFrom::All, 1), Some(Variable::List(all.to_vec().into())));
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..3000 {
            let Some(Variable::Text(text)) = take(PickFrom::Random, seed) else { panic!("one of three") };
            *counts.entry(text).or_insert(0_u32) += 1;
        }
        // Within 4 sigma of 1000: sigma = sqrt(3000 * 1/3 * 2/3) = 25.8.
        assert!(counts.len() == 3 && counts.values().all(|count| count.abs_diff(1000) < 104), "{counts:?}");
        assert_eq!(picked(way(), PickFrom::All).extract(&view(OK, b"{}"), &mut Random::seeded(1)), None);
    }
    assert!(take(json("/items/*/id"), &view(OK, document)).is_some_and(|id| id == "1"), "the first is usual");
}

#[test]
fn a_list_has_at_most_ten_thousand_items() {
    let body = format!("[{}1]", "1,".repeat(10_050));
    let Some(Variable::List(items)) =
        picked(json("/*"), PickFrom::All).extract(&view(OK, body.as_bytes()), &mut Random::seeded(1))
    else {
        panic!("a list")
    };
    assert_eq!(items.len(), MAX_ITEMS);
}

#[test]
fn a_default_stands_in_for_a_value_that_is_missing_and_for_no_other() {
    let default = Some(Variable::Text("none".to_owned()));
    let extraction = Extraction { default: default.clone(), ..first(json("/id")) };
    assert_eq!(extraction.extract(&view(OK, b"{}"), &mut Random::seeded(1)), default);
    for unread in [UnreadBody::Undecodable, UnreadBody::Over("1KiB".parse().unwrap())] {
        let answer = ResponseView { body: Err(unread), ..view(OK, b"") };
        assert_eq!(extraction.extract(&answer, &mut Random::seeded(1)), None, "nothing is known of such a body");
    }
    let found = extraction.extract(&view(OK, b"{\"id\": 1}"), &mut Random::seeded(1));
    assert_eq!(found, Some(Variable::Text("1".to_owned())));
}

#[test]
fn nothing_is_extracted_from_a_body_that_cannot_be_decoded() {
    let texts = sought(between("a", "b"));
    let undecodable = || ResponseView { body: Err(UnreadBody::Undecodable), texts: &texts, ..view(OK, b"") };
    for from in [json(""), between("a", "b"), regex(TextSource::Body, "()"), ExtractFrom::Input("a".to_owned())] {
        assert_eq!(take(from, &undecodable()), None);
    }
    assert_eq!(take(ExtractFrom::Field(ResponseField::Status), &undecodable()).as_deref(), Some("200"));
}

#[test]
fn only_what_is_needed_is_kept_of_a_response() {
    let needs = |extraction: &Extraction| {
        [extraction.needs_head(), extraction.needs_url(), extraction.needs_body(), extraction.needs_whole_body()]
    };
    let url = TextSource::Field(ResponseField::Url);
    for (extraction, expected) in [
        (first(json("/a")), [false, false, true, true]),
        (first(between("a", "b")), [false, false, true, false]),
        (picked(between("a", "b"), PickFrom::Last), [false, false, true, true]),
        (first(regex(TextSource::Body, "(a)")), [false, false, true, true]),
        (first(regex(url, "(a)")), [false, true, false, false]),
        (first(ExtractFrom::Field(header("A"))), [true, false, false, false]),
        (first(ExtractFrom::Field(ResponseField::Status)), [false; 4]),
        (first(ExtractFrom::Field(ResponseField::Cookie("a".to_owned()))), [false; 4]),
    ] {
        assert_eq!(needs(&extraction), expected, "{extraction:?}");
    }
}
