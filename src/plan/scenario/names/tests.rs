use super::*;
use crate::plan::data::{Pick, RowId, Table};
use crate::plan::random::Random;
use crate::plan::shard::Shard;
use crate::plan::template::{Counter, RenderError, Values, Variable};

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
    let ids = names.list_slot("ids").unwrap();
    names.list_slot("later_ids").unwrap();
    names.available.extend([token, ids]);
    names
}

fn rendered(names: &ScenarioNames, template: &Template) -> Result<String, RenderError> {
    let mut values = Values {
        variables: &[
            Some(Variable::Text("t 1".to_owned())),
            None,
            Some(Variable::List(vec!["i/1".to_owned(), "i/1".to_owned()].into())),
        ],
        rows: &[Some(RowId(0))],
        sources: &names.sources,
        user: 5,
        iteration: 6,
        status: 200,
        counter: &Counter::new(Shard::WHOLE),
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
        ("${choice(a b,'a b')}|${choice( '', '')}", "a b|"),
        ("${chance(1)} ${chance( 0.0 )}", "true false"),
        ("${counter} ${counter} ${status}", "0 1 200"),
        ("${now(+1d, %F)} ${now(%H:%M)} ${now(+1s)} ${now('%d, %m')}", "1970-01-02 00:00 1007 01, 01"),
        ("${pick(ids)} ${first(ids)} ${count(ids)}", "i/1 i/1 2"),
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
    assert_eq!(filled("/${pick(ids)}/${raw(first(ids))}", TextEncoding::Percent).unwrap(), "/i%2F1/i/1");
    assert_eq!(filled("/${choice(a/b,a/b)}", TextEncoding::Percent).unwrap(), "/a%2Fb");
    assert_eq!(filled("a&b=${token}${raw(token)}", TextEncoding::Query).unwrap(), "a%26b%3Dt+1t%201");
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
    assert_eq!(
        json("${number(choice(1,1))} ").unwrap_err(),
        "${number(choice(1,1))} must be a whole JSON string in \"json\""
    );
    assert_eq!(json("${number(chance(1))}").unwrap(), "true");
    assert!(json("${number(choice(1,b))}").unwrap_err().contains("\"b\" is not a number"), "at once");
    assert!(json("${number(text(3))}").unwrap_err().contains("is not a number"), "at once");
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
        ("${upper(page)}", &["${upper(page)}: there is no function \"upper\""]),
        ("${choise(a,b)}", &["no function \"choise\", did you mean \"choice\"?"]),
        ("${choice(a)}", &["at least two texts, as in choice(red,green,green)"]),
        ("${choice(a,,b)}", &["an empty text is written ''"]),
        ("${choice('a,b)}", &["no closing '"]),
        ("${chance(2)}", &["\"2\" is not a probability", "from 0 to 1"]),
        ("${chance()}", &["is not a probability"]),
        ("${text(0)}", &["a length from 1 to 65536, as in text(12)"]),
        ("${hex(x)}", &["as in hex(12)"]),
        ("${now()}", &["write ${now}"]),
        ("${now(+1y)}", &["units s, m, h, d, w"]),
        ("${now(%Q)}", &["%Q is not known in a time"]),
        ("${uuid()}", &["takes no arguments; write ${uuid}"]),
        ("${counter()}", &["takes no arguments; write ${counter}"]),
        ("${pick(id)}", &["there is no list \"id\", did you mean \"ids\"?"]),
        ("${pick()}", &["the name of a list, as in pick(ids)"]),
        ("${first(token)}", &["\"token\" is not a list but one value; write ${token}"]),
        ("${count(later_ids)}", &["no request before"]),
        ("${ids}", &["is a list; write ${pick(ids)}"]),
        ("${random(1,2}", &["no closing parenthesis"]),
        ("${optional(0.5)}", &["\"json\" optional"]),
        ("${Counter}", &["did you mean \"counter\"?"]),
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

#[test]
fn names_of_a_scenario_win_over_values_of_the_same_name() {
    let mut names = names();
    let (counter, status) = (names.slot("counter").unwrap(), names.slot("status").unwrap());
    assert!(names.text("${counter}", TextEncoding::Plain).unwrap_err().contains("no request before"));
    names.available.extend([counter, status]);
    let template = names.text("${counter}${status}", TextEncoding::Plain).unwrap();
    assert_eq!(rendered(&names, &template), Err(RenderError::Slot(counter)), "its own variable");
    for name in ["choice", "pick", "text", "counter", "status", "optional", "first", "count", "hex", "chance"] {
        assert_eq!(ScenarioNames::check_new(name), Ok(()), "{name}");
    }
}

#[test]
fn a_source_with_one_column_needs_no_name_of_it() {
    let mut table = Table::new(vec!["line".to_owned()]).unwrap();
    table.push("word").unwrap();
    let mut names =
        ScenarioNames { sources: vec![DataSource::new("words".to_owned(), Pick::Sequential, table)], ..names() };
    let template = names.text("${words} ${words.line}", TextEncoding::Plain).unwrap();
    assert_eq!(rendered(&names, &template).as_deref(), Ok("word word"));
    assert_eq!(names.used_sources, [SourceId(0)].into());
}

#[test]
fn a_text_that_is_used_as_it_is_may_have_no_expressions() {
    assert_eq!(fixed_text("/a/$${b}", "a JSON pointer").as_deref(), Ok("/a/${b}"));
    let why = fixed_text("/a/${i}", "a JSON pointer").unwrap_err();
    assert_eq!(why, "${i} is not expanded in a JSON pointer; a literal ${ is written $${");
}
