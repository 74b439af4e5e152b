use super::*;

fn number(text: &str) -> Json {
    Json::Number(Number::new(text))
}

#[test]
fn members_keep_their_order_and_are_unique_and_numbers_keep_their_digits() {
    let read = Json::parse(br#" {"b":1,"a":[1.50,"x",null,true,-0,1E2,123456789012345678901234567890]} "#).unwrap();
    let Json::Object(members) = &read else { panic!("{read:?}") };
    assert_eq!(members[0], ("b".to_owned(), number("1")));
    assert_eq!(read.to_string(), r#"{"b":1,"a":[1.50,"x",null,true,-0,1E2,123456789012345678901234567890]}"#);
    let twice = Json::parse(b"{\"a\":{\"b\":1,\n\"b\":1}}").unwrap_err();
    assert_eq!((twice.line, twice.column, &*twice.why), (2, 1, "duplicate member \"b\""));
    let twice = Json::parse(b"\n  {\"a\":1,\"\\u0061\":1}").unwrap_err();
    assert_eq!((twice.line, twice.column, &*twice.why), (2, 10, "duplicate member \"a\""));
}

#[test]
fn invalid_json_gives_the_position() {
    for (text, place) in
        [("{} x", "line 1, column 4"), ("{\n\"a\" 1}", "line 2, column 5"), ("", "it is empty"), ("01", "line 1")]
    {
        let mistake = Json::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(mistake.contains(place) && !mistake.contains("at line"), "{text}: {mistake}");
    }
    assert!(Json::parse(b"[\"\xff\"]").is_err());
    assert!(Json::parse(br#"["\ud800"]"#).unwrap_err().why.contains("surrogate"));
}

#[test]
fn nesting_is_limited_whether_closed_or_not() {
    assert!(Json::parse("[".repeat(100_000).as_bytes()).is_err(), "no stack is used up");
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Json::parse(deep(100_000).as_bytes()).unwrap_err().why.contains("128 levels"));
    assert!(Json::parse(deep(127).as_bytes()).is_ok());
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(Json::parse("\u{feff}[1]".as_bytes()), Ok(Json::List(vec![number("1")])));
}

#[test]
fn parts_are_found_without_parsing_everything() {
    let text = br#"{ "a" : [ 1 , {"x":"}]\"\\"} , [ ] ] , "\u0062":2, "c\\":"\u00fc", "a2":null }"#;
    let document = RawJson::parse(text).unwrap();
    let list = document.member("a").unwrap();
    assert_eq!(list.item(0).unwrap().text(), "1");
    assert_eq!(list.item(1).unwrap().member("x").unwrap().string().as_deref(), Some("}]\"\\"));
    assert_eq!(list.item(2).unwrap().text(), "[ ]");
    assert_eq!(list.item(3), None);
    assert_eq!(list.compact(), r#"[1,{"x":"}]\"\\"},[]]"#);
    assert_eq!(document.member("b").unwrap().text(), "2");
    assert_eq!(document.member("c\\").unwrap().string().as_deref(), Some("ü"));
    assert!(document.member("a2").unwrap().is_null());
    assert_eq!((document.member("a1"), document.item(0), list.member("a")), (None, None, None));
}

#[test]
fn the_last_of_duplicate_members_from_a_server_wins() {
    // Python: json.loads('{"a":1,"b":2,"a":3}') == {'a': 3, 'b': 2}
    let document = RawJson::parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(document.member("a").unwrap().text(), "3");
    assert_eq!(document.parse_tree(Duplicates::LastWins).unwrap().to_string(), r#"{"b":2,"a":3}"#);
}

#[test]
fn values_are_equal_whatever_order_and_spelling() {
    for (a, b, is_same) in [
        (r#"{"a":1,"b":[2.0]}"#, r#"{"b":[2],"a":1e0}"#, true),
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
        (r#"{"a":1}"#, r#"{"b":1}"#, false),
        ("[1,2]", "[2,1]", false),
        ("\"7\"", "7", false),
        ("null", "false", false),
    ] {
        let tree = |text: &str| Json::parse(text.as_bytes()).unwrap();
        assert_eq!(tree(a).is_equivalent(&tree(b)), is_same, "{a} {b}");
    }
}

#[test]
fn a_large_object_is_read_in_time() {
    let members: Vec<String> = (0..200_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let tree = Json::parse(format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
    assert!(tree.is_equivalent(&tree.clone()));
}
