use std::sync::Arc;

use super::super::data::{DataSource, OnEnd, Pick, RowId, SourceId, Table};
use super::super::random::Random;
use super::super::shard::Shard;
use super::*;

fn accounts() -> DataSource {
    let mut table = Table::new(vec!["name".to_owned(), "password".to_owned()]).unwrap();
    for cell in ["a b", "x&y"] {
        table.push(cell).unwrap();
    }
    DataSource::new("account".to_owned(), Pick::Unique(OnEnd::Stop), table)
}

fn rendered(template: &Template, seed: u64) -> Result<String, RenderError> {
    let sources = [accounts()];
    let mut values = Values {
        variables: &[
            Some(Variable::Text("t/1".to_owned())),
            None,
            Some(Variable::List(vec!["a/1".to_owned(), "b".to_owned(), "c".to_owned()].into())),
            Some(Variable::List(Arc::default())),
        ],
        rows: &[Some(RowId(0))],
        sources: &sources,
        user: 12,
        iteration: 3,
        status: 404,
        counter: &Counter::new(Shard::new(2, 5).unwrap()),
        now_unix_ms: 1_700_000_000_123,
        random: &mut Random::seeded(seed),
    };
    let mut out = Vec::new();
    template.render(&mut values, &mut out).map(|()| String::from_utf8(out).unwrap())
}

fn hole(hole: Placeholder, encoding: TextEncoding) -> Template {
    let mut template = Template::default();
    template.push_placeholder(hole, encoding, false);
    template
}

#[test]
fn placeholders_are_encoded_for_their_context() {
    let mut template = Template::literal("/u/");
    template.push_placeholder(Placeholder::Slot(SlotId(0)), TextEncoding::Percent, false);
    template.push_literal(b"?n=", false);
    template.push_placeholder(Placeholder::Cell(SourceId(0), 0), TextEncoding::Percent, false);
    template.push_literal(b"&k=", false);
    template.push_placeholder(Placeholder::User, TextEncoding::Percent, false);
    template.push_literal(b".", false);
    template.push_placeholder(Placeholder::Iteration, TextEncoding::Percent, false);
    template.push_literal(b".", false);
    template.push_placeholder(Placeholder::Now, TextEncoding::Percent, false);
    assert_eq!(rendered(&template, 1).as_deref(), Ok("/u/t%2F1?n=a%20b&k=12.3.1700000000123"));
}

#[test]
fn a_variable_that_was_never_extracted_is_named() {
    assert_eq!(
        rendered(&hole(Placeholder::Slot(SlotId(1)), TextEncoding::Plain), 1),
        Err(RenderError::Slot(SlotId(1)))
    );
}

#[test]
fn random_integers_include_both_ends() {
    let seen: std::collections::BTreeSet<String> =
        (0..200).map(|seed| rendered(&hole(Placeholder::Random(-1, 2), TextEncoding::Plain), seed).unwrap()).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["-1", "0", "1", "2"]);
    let all = hole(Placeholder::Random(i64::MIN, i64::MAX), TextEncoding::Plain);
    assert!((0..200).all(|seed| rendered(&all, seed).unwrap().parse::<i64>().is_ok()));
    assert_eq!(rendered(&hole(Placeholder::Random(7, 7), TextEncoding::Plain), 1).as_deref(), Ok("7"));
}

#[test]
fn a_uuid_has_version_4_and_comes_from_the_users_own_generator() {
    let uuid = |seed| rendered(&hole(Placeholder::Uuid, TextEncoding::Plain), seed).unwrap();
    for seed in 0..100 {
        let text = uuid(seed);
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{text}");
        assert_eq!(text.as_bytes()[14], b'4', "{text}");
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
    }
    assert_eq!(uuid(5), uuid(5));
    assert_ne!(uuid(5), uuid(6));
}

#[test]
fn secrets_are_sent_and_not_shown() {
    let mut template = Template::literal("Bearer ");
    template.push_literal(b"sesame", true);
    template.push_placeholder(Placeholder::Cell(SourceId(0), 1), TextEncoding::Plain, true);
    template.push_literal(b"!", false);
    assert_eq!(rendered(&template, 1).as_deref(), Ok("Bearer sesamex&y!"));
    let mut shown = Vec::new();
    let mut values = Values {
        variables: &[],
        rows: &[Some(RowId(0))],
        sources: &[accounts()],
        user: 0,
        iteration: 0,
        status: 0,
        counter: &Counter::new(Shard::WHOLE),
        now_unix_ms: 0,
        random: &mut Random::seeded(1),
    };
    template.render_masked(&mut values, &mut shown).unwrap();
    assert_eq!(String::from_utf8(shown).unwrap(), "Bearer ***!");
    assert_eq!(Template::literal("a").into_secret().fixed().as_deref(), Some(&b"a"[..]));
    assert_eq!(template.fixed(), None);
}

#[test]
fn the_functions_of_lists_take_an_item_or_the_number_of_items() {
    let of = |placeholder: Placeholder, seed| rendered(&hole(placeholder, TextEncoding::Percent), seed);
    let (unset, list, empty) = (SlotId(1), SlotId(2), SlotId(3));
    assert_eq!(of(Placeholder::FirstOf(list), 1).as_deref(), Ok("a%2F1"));
    let picked: std::collections::BTreeSet<String> =
        (0..50).map(|seed| of(Placeholder::PickOf(list), seed).unwrap()).collect();
    assert_eq!(picked.into_iter().collect::<Vec<_>>(), ["a%2F1", "b", "c"]);
    for (slot, count) in [(list, "3"), (empty, "0"), (unset, "0"), (SlotId(0), "1")] {
        assert_eq!(of(Placeholder::CountOf(slot), 1).as_deref(), Ok(count), "{slot:?}");
    }
    for (slot, why) in [(empty, RenderError::EmptyList(empty)), (unset, RenderError::Slot(unset))] {
        assert_eq!(of(Placeholder::FirstOf(slot), 1), Err(why));
        assert_eq!(of(Placeholder::PickOf(slot), 1), Err(why));
    }
}

#[test]
fn generated_values_have_the_length_and_the_letters_that_were_asked_for() {
    let of = |placeholder: Placeholder, seed| rendered(&hole(placeholder, TextEncoding::Plain), seed).unwrap();
    for seed in 0..50 {
        let (letters, hex) = (of(Placeholder::Letters(12), seed), of(Placeholder::Hex(33), seed));
        assert!(letters.len() == 12 && letters.bytes().all(|byte| byte.is_ascii_lowercase()), "{letters}");
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(hex.len() == 33 && hex.bytes().all(is_hex), "{hex}");
    }
    let all: std::collections::BTreeSet<char> =
        (0..200).flat_map(|seed| of(Placeholder::Hex(16), seed).chars().collect::<Vec<_>>()).collect();
    assert_eq!(all.len(), 16, "each digit occurs");
    assert_eq!(of(Placeholder::Status, 1) + &of(Placeholder::Counter, 1), "4042");
}

#[test]
fn chance_and_choice_are_within_four_sigma() {
    const DRAWS: u64 = 20_000;
    let of = |placeholder: Placeholder| {
        let template = hole(placeholder, TextEncoding::Plain);
        let mut counts = std::collections::BTreeMap::new();
        (0..DRAWS).for_each(|seed| *counts.entry(rendered(&template, seed).unwrap()).or_insert(0_u64) += 1);
        counts
    };
    // sigma = sqrt(n p (1 - p)): 56.6 for p = 0.2, 66.7 for 1/3.
    let chance = of(Placeholder::Chance(Probability::new(0.2).unwrap()));
    assert!(chance["true"].abs_diff(4_000) < 227 && chance.len() == 2, "{chance:?}");
    let choice = of(Placeholder::Choice(["a", "b", "a"].map(Box::from).into()));
    assert!(choice["b"].abs_diff(6_667) < 267 && choice["a"] + choice["b"] == DRAWS, "{choice:?}");
    for (share, always) in [(0.0, "false"), (1.0, "true")] {
        assert_eq!(of(Placeholder::Chance(Probability::new(share).unwrap()))[always], DRAWS);
    }
}

/// `{"a":1,"b":2,"c":3}` whose members are there with these probabilities.
fn members(shares: [f64; 3]) -> Template {
    let mut template = Template::literal("{");
    for (name, share) in ["\"a\":1", "\"b\":2", "\"c\":3"].into_iter().zip(shares) {
        let mut member = Template::default();
        member.push_separator(Separator::Comma);
        member.push_literal(name.as_bytes(), false);
        template.push_optional(Probability::new(share).unwrap(), member);
    }
    template.push_literal(b"}", false);
    template
}

#[test]
fn optional_members_are_joined_by_commas_whichever_are_there() {
    for (shares, expected) in [
        ([1.0, 1.0, 1.0], r#"{"a":1,"b":2,"c":3}"#),
        ([0.0, 1.0, 1.0], r#"{"b":2,"c":3}"#),
        ([0.0, 0.0, 1.0], r#"{"c":3}"#),
        ([1.0, 0.0, 1.0], r#"{"a":1,"c":3}"#),
        ([0.0, 0.0, 0.0], "{}"),
    ] {
        assert_eq!(rendered(&members(shares), 1).as_deref(), Ok(expected));
    }
    let seen: std::collections::BTreeSet<String> =
        (0..200).map(|seed| rendered(&members([0.5; 3]), seed).unwrap()).collect();
    assert_eq!(seen.len(), 8, "all combinations occur: {seen:?}");
    assert!(seen.iter().all(|json| serde_json::from_str::<serde_json::Value>(json).is_ok()), "{seen:?}");
}

#[test]
fn an_optional_part_that_is_left_out_takes_the_ones_in_it_along() {
    let mut outer = Template::literal("[");
    outer.push_optional(Probability::new(1.0).unwrap(), members([1.0; 3]));
    assert!(rendered(&outer, 1).unwrap().contains("\"c\":3"));
    let mut template = Template::literal("<");
    template.push_optional(Probability::new(0.0).unwrap(), outer);
    template.push_literal(b">", false);
    assert_eq!(rendered(&template, 1).as_deref(), Ok("<>"));
    assert_eq!(template.fixed(), None);
}
