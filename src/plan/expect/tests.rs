use super::super::random::Random;
use super::super::response::tests::view;
use super::super::response::{ContentCoding, ResponseView, UnreadBody};
use super::super::searches::searches;
use super::super::shard::Shard;
use super::super::template::{Counter, Placeholder, SlotId, TextEncoding, Variable};
use super::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nVary: a\r\nVary: b\r\n\r\n";

fn judge(expect: &Expect, answer: &ResponseView<'_>) -> Result<(), ExpectationFailure> {
    with_values(|values| expect.judge(answer, values))
}

pub(super) fn with_values<T>(work: impl FnOnce(&mut Values<'_>) -> T) -> T {
    work(&mut Values {
        variables: &[Some(Variable::Text("amy".to_owned())), None, Some(Variable::Text("7".to_owned()))],
        rows: &[],
        sources: &[],
        user: 0,
        iteration: 0,
        status: 0,
        counter: &Counter::new(Shard::WHOLE),
        now_unix_ms: 0,
        random: &mut Random::seeded(1),
    })
}

fn slot(number: u32) -> Template {
    let mut template = Template::default();
    template.push_placeholder(Placeholder::Slot(SlotId(number)), TextEncoding::Plain, false);
    template
}

fn text(text: &str) -> Template {
    Template::literal(text)
}

#[test]
fn statuses_are_judged_first() {
    let expect = Expect { within: Some(Duration::ZERO), ..Expect::status("404".parse().unwrap()) };
    assert_eq!(judge(&expect, &view(HEAD, b"")), Err(ExpectationFailure::Status));
    assert_eq!(judge(&Expect::default(), &view(HEAD, b"")), Ok(()));
    assert_eq!(judge(&Expect::default(), &view("HTTP/1.1 404 x\r\n\r\n", b"")), Err(ExpectationFailure::Status));
}

#[test]
fn header_fields_are_compared() {
    for (name, want, is_met) in [
        ("content-type", HeaderCondition::Equals(text("text/html; charset=utf-8")), true),
        ("content-type", HeaderCondition::Equals(text("text/html")), false),
        ("vary", HeaderCondition::Equals(text("b")), true),
        ("content-type", HeaderCondition::Contains(text("html")), true),
        ("content-type", HeaderCondition::Contains(text("json")), false),
        ("content-type", HeaderCondition::Contains(text("")), true),
        ("etag", HeaderCondition::Contains(text("")), false),
        ("vary", HeaderCondition::Exists(true), true),
        ("vary", HeaderCondition::Exists(false), false),
        ("etag", HeaderCondition::Exists(true), false),
        ("etag", HeaderCondition::Exists(false), true),
    ] {
        let rule = HeaderRule { name: name.to_owned(), condition: want };
        let expect = Expect { header: vec![rule.clone()], ..Expect::default() };
        assert_eq!(judge(&expect, &view(HEAD, b"")).is_ok(), is_met, "{rule:?}");
        assert!(expect.needs_head() && !expect.needs_body());
    }
}

#[test]
fn texts_are_searched_in_the_body() {
    for (rule, judged) in [
        (BodyRule::Contains(text("order")), Ok(())),
        (BodyRule::Contains(slot(0)), Ok(())),
        (BodyRule::Contains(text("nothing")), Err(ExpectationFailure::BodyContains)),
        (BodyRule::Contains(slot(1)), Err(ExpectationFailure::Unset)),
        (BodyRule::ContainsNot(text("nothing")), Ok(())),
        (BodyRule::ContainsNot(text("order")), Err(ExpectationFailure::BodyContainsNot)),
    ] {
        let expect = Expect { body: vec![rule.clone()], ..Expect::default() };
        assert!(expect.needs_body() && !expect.needs_whole_body());
        let mut texts = with_values(|values| searches(&expect, &[], values, 0));
        texts.feed(b"the order of amy");
        assert_eq!(judge(&expect, &ResponseView { texts: &texts, ..view(HEAD, b"") }), judged, "{rule:?}");
        for unread in [UnreadBody::Undecodable, UnreadBody::Over("8MiB".parse().unwrap())] {
            let answer = ResponseView { body: Err(unread), texts: &texts, ..view(HEAD, b"") };
            assert_eq!(judge(&expect, &answer), Err(ExpectationFailure::Body(unread)));
        }
    }
}

#[test]
fn values_in_a_json_body_are_compared() {
    let body = br#"{"id":7,"big":9007199254740993,"name":"amy","list":[1,2.0,{"a":null}],"half":0.5,
        "long":123456789012345678901234567890}"#;
    let value = |text: &str| ExpectedJson::Value(Json::parse(text.as_bytes()).unwrap());
    let equals = |text: &str| JsonCondition::Equals(value(text));
    for (at, want, is_met) in [
        ("/id", equals("7"), true),
        ("/id", equals("7.0"), true),
        ("/id", equals("\"7\""), false),
        ("/big", equals("9007199254740992"), false),
        ("/big", equals("9007199254740993.0"), true),
        ("/long", equals("123456789012345678901234567890"), true),
        ("/long", equals("123456789012345678901234567891"), false),
        ("/half", equals("5e-1"), true),
        ("/list", equals("[1.0,2,{\"a\":null}]"), true),
        ("/list", equals("[1, 2]"), false),
        ("/list/2", equals("{}"), false),
        ("/name", JsonCondition::Equals(ExpectedJson::Text(slot(0))), true),
        ("/name", JsonCondition::Equals(ExpectedJson::Text(slot(2))), false),
        ("/id", JsonCondition::Equals(ExpectedJson::Text(slot(2))), false),
        ("/id", JsonCondition::Equals(ExpectedJson::Number(slot(2))), true),
        ("/id", JsonCondition::Equals(ExpectedJson::Number(slot(0))), false),
        ("/list", JsonCondition::Equals(ExpectedJson::Array(vec![ExpectedJson::Number(slot(2))])), false),
        ("/list/2", JsonCondition::Equals(ExpectedJson::Object(vec![("a".to_owned(), value("null"))])), true),
        ("/list/2", JsonCondition::Equals(ExpectedJson::Object(vec![("b".to_owned(), value("null"))])), false),
        ("/list/2/a", JsonCondition::Exists(true), true),
        ("/list/3", JsonCondition::Exists(true), false),
        ("/list/3", JsonCondition::Exists(false), true),
        ("/missing", equals("null"), false),
    ] {
        let rule = JsonRule { at: Pointer::parse(at).unwrap(), condition: want };
        let expect = Expect { json: vec![rule.clone()], ..Expect::default() };
        let judged = if is_met { Ok(()) } else { Err(ExpectationFailure::Json) };
        assert_eq!(judge(&expect, &view(HEAD, body)), judged, "{rule:?}");
        assert_eq!(judge(&expect, &view(HEAD, b"no json")), Err(ExpectationFailure::Json));
    }
}

#[test]
fn time_and_size_have_limits() {
    let answer = view(HEAD, b"12345");
    let within = |ms| Expect { within: Some(Duration::from_millis(ms)), ..Expect::default() };
    assert_eq!(judge(&within(5), &answer), Ok(()));
    assert_eq!(judge(&within(4), &answer), Err(ExpectationFailure::Within));
    let size = |min, max| Expect { size: Some(SizeRule { min, max }), ..Expect::default() };
    assert_eq!(judge(&size(5, 5), &answer), Ok(()));
    assert_eq!(judge(&size(0, 4), &answer), Err(ExpectationFailure::Size));
    assert_eq!(judge(&size(6, u64::MAX), &answer), Err(ExpectationFailure::Size));
    assert!(!size(0, 4).needs_body() && !within(1).needs_body());
}

#[test]
fn a_pattern_must_match_somewhere_in_the_body() {
    let expect = |patterns: &[&str]| Expect {
        matches: patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect(),
        ..Expect::default()
    };
    let answer = || view(HEAD, b"order 17 accepted");
    assert_eq!(judge(&expect(&[r"order \d+", "accepted$"]), &answer()), Ok(()));
    let judged = judge(&expect(&["order", r"^\d"]), &answer());
    assert_eq!(judged, Err(ExpectationFailure::BodyMatches));
    let unread = UnreadBody::Unsupported(ContentCoding::Brotli);
    let answer = ResponseView { body: Err(unread), ..view(HEAD, b"") };
    assert_eq!(judge(&expect(&["x"]), &answer), Err(ExpectationFailure::Body(unread)));
    assert_eq!(unread.text(), "body in br cannot be decoded");
}
