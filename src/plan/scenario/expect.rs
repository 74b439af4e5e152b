//! `expect`: which responses are accepted.

use super::keys;
use super::names::{self, ScenarioNames, is_number};
use super::reader::{Node, Object};
use crate::error::Result;
use crate::plan::expect::{
    BodyRule, Expect, ExpectedJson, HeaderCondition, HeaderRule, JsonCondition, JsonRule, SizeRule,
};
use crate::plan::json::Json;
use crate::plan::pattern::Pattern;
use crate::plan::pointer::Pointer;
use crate::plan::template::{Template, TextEncoding};
use crate::value::{StatusSet, is_token};

/// Reads the member `expect`, which overrides `usual` key by key.
pub(super) fn expect(node: &Node<'_>, names: &mut ScenarioNames, usual: &Expect) -> Result<Expect> {
    let object = node.object(&keys::EXPECT)?;
    let mut expect = usual.clone();
    if let Some(node) = object.get("status") {
        expect.status = status(&node)?;
    }
    if let Some(node) = object.get("header") {
        expect.header = node.members()?.iter().map(|(name, node)| header(name, node, names)).collect::<Result<_>>()?;
    }
    body(&object, names, &mut expect)?;
    if let Some(node) = object.get("body_matches") {
        let nodes = if matches!(node.value(), Json::List(_)) { node.some()? } else { vec![node] };
        expect.matches = nodes.iter().map(pattern).collect::<Result<_>>()?;
    }
    if let Some(node) = object.get("json") {
        expect.json = node.members()?.iter().map(|(at, node)| json(at, node, names)).collect::<Result<_>>()?;
    }
    if let Some(node) = object.get("within") {
        expect.within = Some(node.positive_time()?);
    }
    if let Some(node) = object.get("size") {
        expect.size = Some(size(&node)?);
    }
    Ok(expect)
}

/// Reads `status`: a number, text such as `2xx,404`, or a list of both.
pub(super) fn status(node: &Node<'_>) -> Result<StatusSet> {
    let words = match node.value() {
        Json::List(_) => node.some()?.iter().map(status_word).collect::<Result<Vec<_>>>()?,
        _ => vec![status_word(node)?],
    };
    words.join(",").parse().map_err(|why| node.refused(why))
}

fn status_word(node: &Node<'_>) -> Result<String> {
    let word = match node.value() {
        Json::Number(_) => node.whole(100..=999)?.to_string(),
        _ => node.text()?.to_owned(),
    };
    word.parse::<StatusSet>().map_err(|why| node.refused(why))?;
    Ok(word)
}

/// The two kinds of rules on texts in the body share a list; a key replaces only its own kind.
fn body(object: &Object<'_>, names: &mut ScenarioNames, expect: &mut Expect) -> Result<()> {
    type MakeRule = fn(Template) -> BodyRule;
    type IsSame = fn(&BodyRule) -> bool;
    let rules: [(&str, MakeRule, IsSame); 2] = [
        ("body_contains", BodyRule::Contains, |rule| matches!(rule, BodyRule::Contains(_))),
        ("body_not_contains", BodyRule::ContainsNot, |rule| matches!(rule, BodyRule::ContainsNot(_))),
    ];
    for (key, make, is_same) in rules {
        let Some(node) = object.get(key) else { continue };
        expect.body.retain(|rule| !is_same(rule));
        let texts = if matches!(node.value(), Json::List(_)) { node.some()? } else { vec![node] };
        for node in texts {
            node.name()?;
            expect.body.push(make(text(&node, names)?));
        }
    }
    Ok(())
}

/// Reads a regular expression.
pub(super) fn pattern(node: &Node<'_>) -> Result<Pattern> {
    node.read(|text| {
        // `$` is the end of a text, and nothing follows that can be repeated.
        if text.contains("${") {
            return Err("${...} is not expanded in a regular expression; a literal ${ is written \\$\\{".to_owned());
        }
        Pattern::parse(text)
    })
}

fn header(name: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<HeaderRule> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(node.refused(format!("{name:?} is not a header name")));
    }
    let want = match node.value() {
        Json::Text(_) => HeaderCondition::Equals(text(node, names)?),
        Json::Object(_) => {
            let object = node.object(&keys::EXPECT_HEADER)?;
            match object.at_most_one(&keys::EXPECT_HEADER)? {
                Some(("contains", node)) => HeaderCondition::Contains(text(&node, names)?),
                Some((_, node)) => HeaderCondition::Exists(node.truth()?),
                None => return Err(node.refused("expected \"contains\" or \"exists\"")),
            }
        }
        other => return Err(node.refused(format!("expected text or an object, not {}", other.kind()))),
    };
    Ok(HeaderRule { name: name.to_owned(), condition: want })
}

fn json(at: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<JsonRule> {
    let at =
        names::fixed_text(at, "a JSON pointer").and_then(|at| Pointer::parse(&at)).map_err(|why| node.refused(why))?;
    let want = match node.value() {
        Json::Object(_) => {
            let object = node.object(&keys::EXPECT_JSON)?;
            match object.at_most_one(&keys::EXPECT_JSON)? {
                Some(("equals", node)) => JsonCondition::Equals(expected_json(&node, node.value(), names)?),
                Some((_, node)) => JsonCondition::Exists(node.truth()?),
                None => return Err(node.refused("expected \"equals\" or \"exists\"")),
            }
        }
        value => JsonCondition::Equals(expected_json(node, value, names)?),
    };
    Ok(JsonRule { at, condition: want })
}

/// Reads a value to compare with. Errors in its parts name the position of the whole value.
fn expected_json(node: &Node<'_>, value: &Json, names: &mut ScenarioNames) -> Result<ExpectedJson> {
    let refused = |why| node.refused(why);
    Ok(match value {
        Json::Text(text) => {
            let template = names.json_text(text).map_err(refused)?;
            match template.fixed().and_then(|json| Json::parse(&json).ok()) {
                Some(value) => ExpectedJson::Value(value),
                None if is_number(text) => ExpectedJson::Number(template),
                None => ExpectedJson::Text(names.text(text, TextEncoding::Plain).map_err(refused)?),
            }
        }
        Json::List(items) => {
            ExpectedJson::Array(items.iter().map(|item| expected_json(node, item, names)).collect::<Result<_>>()?)
        }
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| Ok((name.clone(), expected_json(node, value, names)?));
            ExpectedJson::Object(members.iter().map(member).collect::<Result<_>>()?)
        }
        plain => ExpectedJson::Value(plain.clone()),
    })
}

fn size(node: &Node<'_>) -> Result<SizeRule> {
    if !matches!(node.value(), Json::Object(_)) {
        let exact = node.whole(0..=u64::MAX)?;
        return Ok(SizeRule { min: exact, max: exact });
    }
    let object = node.object(&keys::SIZE)?;
    let min = object.read("min", |node| node.whole(0..=u64::MAX))?;
    let max = object.read("max", |node| node.whole(0..=u64::MAX))?;
    let rule = SizeRule { min: min.unwrap_or(0), max: max.unwrap_or(u64::MAX) };
    match (min, max) {
        (None, None) => Err(node.refused("expected \"min\", \"max\" or both")),
        _ if rule.min > rule.max => Err(node.refused("\"min\" is above \"max\"")),
        _ => Ok(rule),
    }
}

fn text(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Template> {
    names.text(node.text()?, TextEncoding::Plain).map_err(|why| node.refused(why))
}
