use super::super::data::{OnEnd, Pick, Table};
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
        variables: &[Some(Variable::Text("t/1".to_owned())), None],
        rows: &[Some(RowId(0))],
        sources: &sources,
        user: 12,
        iteration: 3,
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
        now_unix_ms: 0,
        random: &mut Random::seeded(1),
    };
    template.render_masked(&mut values, &mut shown).unwrap();
    assert_eq!(String::from_utf8(shown).unwrap(), "Bearer ***!");
    assert_eq!(Template::literal("a").into_secret().fixed().as_deref(), Some(&b"a"[..]));
    assert_eq!(template.fixed(), None);
}
