use super::*;
use crate::plan::data::{Pick, RowId, Table};
use crate::plan::random::Random;
use crate::plan::template::{RenderError, Values, Variable};

fn names() -> ScenarioNames {
    let mut table = Table::new(vec!["name".to_owned(), "password".to_owned()]).unwrap();
    for cell in ["a b", "7"] {
        table.push(cell).unwrap();
    }
    let known = |text: &str| KnownValue { text: text.to_owned(), is_secret: false };
    let mut names = ScenarioNames {
        environment: [("KEY".to_owned(), "s/1".to_owned())].into(),
        variables: [("page".to_owned(), known("2")), ("city".to_owned(), known("K\u{f6}ln & co"))].into(),
        sources: vec![DataSource::new("account".to_owned(), Pick::Sequential, table)],
        ..ScenarioNames::default()
    };
    let token = names.slot("token").unwrap();
    names.slot("later").unwrap();
    names.available.insert(token);
    names
}

fn rendered(names: &ScenarioNames, template: &Template) -> Result<String, RenderError> {
    let mut values = Values {
        variables: &[Some(Variable::Text("t 1".to_owned()))],
        rows: &[Some(RowId(0))],
        sources: &names.sources,
        user: 5,
        iteration: 6,
        now_unix_ms: 7,
        random: &mut Random::seeded(1),
    };
    let mut out = Vec::new();
    template.render(&mut values, &mut out).map(|()| String::from_utf8(out).unwrap())
}

fn filled(text: &str, encoding: TextEncoding) -> Result<String, String> {
    let mut names = names();
    let template = names.text(text, encoding)?;
    rendered(&names, &template).map_err(|why| format!("{why:?}"))
}

#[test]
fn texts_are_split_into_parts() {
    use TextPart::{Expression, Literal};
    assert_eq!(split_text("a${b}c").unwrap(), [Literal("a"), Expression("b"), Literal("c")]);
    assert_eq!(split_text("${a}${b}").unwrap(), [Expression("a"), Expression("b")]);
    assert_eq!(split_text("$${a}$b$").unwrap(), [Literal("${"), Literal("a}$b$")]);
    assert_eq!(split_text("").unwrap(), []);
    assert!(split_text("a${b").unwrap_err().contains("no closing brace"));
}

#[test]
fn each_expression_is_filled() {
    for (text, expected) in [
        ("${page}", "2"),
        ("${ page }", "2"),
        ("${env.KEY}", "s/1"),
        ("${account.name}/${account.password}", "a b/7"),
        ("${token}", "t 1"),
        ("${user} ${iteration} ${now}", "5 6 7"),
        ("${random(3,3)} ${random( -4 , -4 )}", "3 -4"),
        ("${raw(token)} ${raw(random(3,3))}", "t 1 3"),
        ("$${page} $ {page}", "${page} $ {page}"),
    ] {
        assert_eq!(filled(text, TextEncoding::Plain).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn values_are_encoded_and_text_is_not() {
    assert_eq!(
        filled("/a b/${city}?q=${token}&r=${raw(token)}", TextEncoding::Percent).unwrap(),
        "/a%20b/K%C3%B6ln%20%26%20co?q=t%201&r=t%201"
    );
    assert_eq!(filled("/${env.KEY}/${raw(env.KEY)}", TextEncoding::Percent).unwrap(), "/s%2F1/s/1");
    assert_eq!(filled("a b&${city}", TextEncoding::Form).unwrap(), "a+b%26K%C3%B6ln+%26+co");
}

#[test]
fn a_json_string_stays_one_unless_it_is_a_number() {
    let json = |text: &str| {
        let mut names = names();
        let template = names.json_text(text)?;
        rendered(&names, &template).map_err(|why| format!("{why:?}"))
    };
    assert_eq!(json("${page}").unwrap(), "\"2\"");
    assert_eq!(json("${number(page)}").unwrap(), "2");
    assert_eq!(json("${number(account.password)}").unwrap(), "7");
    assert_eq!(json("${number(random(3,3))}").unwrap(), "3");
    assert_eq!(json("a\"${token}").unwrap(), "\"a\\\"t 1\"");
    assert_eq!(json("${number(token)}").unwrap_err(), "NotANumber", "at run time");
    assert!(json("${number(city)}").unwrap_err().contains("is not a number"), "at once");
    assert!(!json("${number(env.KEY)}").unwrap_err().contains("s/1"), "a secret is not repeated");
    assert!(json("x${number(page)}").unwrap_err().contains("a whole JSON string"));
}

#[test]
fn unknown_names_are_reported_with_suggestions() {
    for (text, words) in [
        ("${pge}", &["${pge}", "did you mean \"page\"?"][..]),
        ("${accont.name}", &["no data source \"accont\"", "did you mean \"account\"?"]),
        ("${account.nam}", &["account has no column \"nam\"", "did you mean \"name\"?"]),
        ("${account}", &["name a column", "${account.COLUMN}"]),
        ("${later}", &["no request before"]),
        ("${env.MISSING}", &["the environment variable MISSING is not set"]),
        ("${random(1)}", &["random(a,b)"]),
        ("${random(2,1)}", &["random(a,b)"]),
        ("${random(1,x)}", &["random(a,b)"]),
        ("${upper(page)}", &["no such function"]),
        ("${}", &["unknown name"]),
        ("${raw(pge)}", &["${pge}", "did you mean \"page\"?"]),
    ] {
        let why = filled(text, TextEncoding::Plain).unwrap_err();
        assert!(words.iter().all(|word| why.contains(word)), "{text}: {why}");
    }
    assert!(filled("a\nb", TextEncoding::Field).unwrap_err().contains("control character"));
}

#[test]
fn names_must_be_valid_and_unique() {
    for name in ["", "1a", "a b", "a.b", "ü", "user", "env", "a}", "-a"] {
        assert!(ScenarioNames::check_new(name).is_err(), "{name}");
    }
    assert!(ScenarioNames::check_new("_a-1").is_ok());
    assert!(names().slot("page").unwrap_err().contains("variable"));
    assert!(names().slot("account").unwrap_err().contains("data source"));
    assert_eq!(names().slot("token"), Ok(SlotId(0)));
}

#[test]
fn used_sources_are_recorded() {
    let mut names = names();
    names.text("${user}", TextEncoding::Plain).unwrap();
    assert!(names.used_sources.is_empty());
    names.text("${raw(account.name)}", TextEncoding::Plain).unwrap();
    assert_eq!(names.used_sources, [SourceId(0)].into());
}
