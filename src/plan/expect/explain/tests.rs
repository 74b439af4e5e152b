use super::*;
use crate::plan::expect::tests::with_values;
use crate::plan::expect::{HeaderRule, SizeRule};
use crate::plan::response::UnreadBody;
use crate::plan::response::tests::view;

/// The sentences about the conditions that are not met; a status is judged first, and is ok here.
fn unmet(expect: &Expect, answer: &ResponseView<'_>) -> Vec<String> {
    let findings = with_values(|values| expect.findings(answer, values));
    findings.into_iter().filter(|finding| !finding.is_met).map(|finding| finding.text).collect()
}

fn json(pointer: &str, condition: JsonCondition) -> Expect {
    let rule = JsonRule { at: Pointer::parse(pointer).unwrap(), condition };
    Expect { json: vec![rule], ..Expect::default() }
}

fn equals(text: &str) -> JsonCondition {
    JsonCondition::Equals(ExpectedJson::Value(crate::plan::json::Json::parse(text.as_bytes()).unwrap()))
}

const BODY: &[u8] = br#"{"price": 37, "item": {"id": 1, "tags": ["a", "b"]}, "token": "t1", "none": null}"#;

#[test]
fn a_json_condition_says_what_was_found_and_what_was_wanted() {
    let answer = view("HTTP/1.1 200 OK\r\n\r\n", BODY);
    for (pointer, condition, told) in [
        ("/price", equals("5"), "/price is 37, not 5"),
        ("/item", equals(r#"{"id":2}"#), r#"/item is {"id":1,"tags":["a","b"]}, not {"id":2}"#),
        ("/prise", equals("5"), "there is no /prise: the response has price, item, token, none, expected 5"),
        ("/item/tag", JsonCondition::Exists(true), "there is no /item/tag: /item has id, tags"),
        ("/item/tags/2", JsonCondition::Exists(true), "there is no /item/tags/2: /item/tags is an array of 2"),
        ("/price/x", JsonCondition::Exists(true), "there is no /price/x: /price is 37"),
        ("/price", JsonCondition::Exists(false), "/price is 37, and should not be there"),
        ("/token", equals("\"t2\""), "/token is ***, not ***"),
    ] {
        assert_eq!(unmet(&json(pointer, condition), &answer), [told], "{pointer}");
    }
    let html = view("HTTP/1.1 200 OK\r\n\r\n", b"<html>\n<body>");
    assert_eq!(unmet(&json("/a", equals("1")), &html), ["the body is not JSON: it begins with \"<html> <body>\""]);
    let empty = view("HTTP/1.1 200 OK\r\n\r\n", b"");
    assert_eq!(unmet(&json("/a", equals("1")), &empty), ["the body is empty, not JSON"]);
    let over = ResponseView { body: Err(UnreadBody::Undecodable), ..view("HTTP/1.1 200 OK\r\n\r\n", b"") };
    assert_eq!(unmet(&json("/a", equals("1")), &over), ["body cannot be decoded"]);
}

#[test]
fn the_other_conditions_say_so_too() {
    let answer = view("HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nX-Token: t\r\n\r\n", b"hello");
    let text = Template::literal;
    for (name, condition, told) in [
        ("Vary", HeaderCondition::Equals(text("c")), "header Vary is a and b, not c"),
        ("Vary", HeaderCondition::Contains(text("c")), "header Vary is a and b and does not contain c"),
        ("Vary", HeaderCondition::Exists(false), "header Vary is a and b, and there should be none"),
        ("ETag", HeaderCondition::Exists(true), "there is no header ETag"),
        ("ETag", HeaderCondition::Equals(text("c")), "there is no header ETag, expected c"),
        ("X-Token", HeaderCondition::Equals(text("c")), "header X-Token is ***, not ***"),
    ] {
        let expect = Expect { header: vec![HeaderRule { name: name.to_owned(), condition }], ..Expect::default() };
        assert_eq!(unmet(&expect, &answer), [told], "{name}");
    }
    let expect = Expect {
        within: Some(std::time::Duration::from_millis(2)),
        size: Some(SizeRule { min: 10, max: u64::MAX }),
        ..Expect::status("201".parse().unwrap())
    };
    let told =
        ["status is 200, not 201", "it took 5 ms, and may take at most 2 ms", "the body has 5 bytes, not at least 10"];
    assert_eq!(unmet(&expect, &answer), told);
}

#[test]
fn a_pattern_that_does_not_match_is_named() {
    let expect = Expect { matches: vec![Pattern::parse("^[0-9]+$").unwrap()], ..Expect::default() };
    let answer = view("HTTP/1.1 200 OK\r\n\r\n", b"seven");
    assert_eq!(unmet(&expect, &answer), ["the body does not match \"^[0-9]+$\""]);
}

#[test]
fn a_long_value_is_cut() {
    let body = format!("\"{}\"", "x".repeat(10_000));
    let told = unmet(&json("", equals("1")), &view("HTTP/1.1 200 OK\r\n\r\n", body.as_bytes())).remove(0);
    assert!(
        told.starts_with("the response is \"xxx") && told.ends_with("…, not 1") && told.chars().count() < 110,
        "{told}"
    );
}
