//! `extract`: values extracted from responses for later requests.

use super::expect::pattern;
use super::keys;
use super::names::{self, ScenarioNames};
use super::reader::{Node, Object};
use crate::error::Result;
use crate::plan::extract::{ExtractFrom, Extraction, PickFrom, ResponseField, TextSource};
use crate::plan::json::Json;
use crate::plan::pointer::PointerPattern;
use crate::plan::template::{MAX_ITEMS, SlotId, TextEncoding, Variable};
use crate::value::is_token;

/// Reads the member `extract`. Statuses come first: also a response that gives nothing else has one.
pub(super) fn extract(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Vec<Extraction>> {
    let members = node.members()?;
    let read = members.iter().map(|(name, node)| extraction(name, node, names));
    let mut extractions = read.collect::<Result<Vec<_>>>()?;
    extractions.sort_by_key(|extraction| !extraction.is_status());
    Ok(extractions)
}

/// The slots that a request fills, determined before the request itself is compiled.
pub(super) fn slots(request: &Node<'_>, names: &mut ScenarioNames) -> Result<Vec<SlotId>> {
    let object = request.object(&keys::REQUEST)?;
    let Some(node) = object.get("extract") else { return Ok(Vec::new()) };
    node.members()?.iter().map(|(name, node)| slot(name, node, names)).collect()
}

fn slot(name: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<SlotId> {
    let is_list = pick(&node.object(&keys::EXTRACT)?)? == PickFrom::All;
    let slot = if is_list { names.list_slot(name) } else { names.slot(name) };
    slot.map_err(|why| node.refused(why))
}

fn extraction(name: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<Extraction> {
    let slot = slot(name, node, names)?;
    let object = node.object(&keys::EXTRACT)?;
    let (pick, from) = (pick(&object)?, from(&object)?);
    if let (Some(node), ExtractFrom::Field(_)) = (object.get("pick"), &from) {
        return Err(
            node.refused("is for \"json\", \"regex\", \"between\" and \"input\", which may find several values")
        );
    }
    let default = object.read("default", |node| default(node, pick, names))?;
    Ok(Extraction { slot, from, pick, default })
}

fn pick(object: &Object<'_>) -> Result<PickFrom> {
    let Some(node) = object.get("pick") else { return Ok(PickFrom::First) };
    match node.value() {
        Json::Number(_) => {
            let max = u32::try_from(MAX_ITEMS).unwrap_or(u32::MAX) - 1;
            node.count(0..=max).map(PickFrom::Index)
        }
        _ => node.word(&PICKS),
    }
}

/// The words of `pick`.
const PICKS: [(&str, PickFrom); 4] =
    [("first", PickFrom::First), ("last", PickFrom::Last), ("random", PickFrom::Random), ("all", PickFrom::All)];

fn from(object: &Object<'_>) -> Result<ExtractFrom> {
    let field = match object.at_most_one(&["header", "cookie", "from"])? {
        Some(("header", node)) => Some((ResponseField::Header(node.read(token)?), node)),
        Some(("cookie", node)) => Some((ResponseField::Cookie(fixed(&node)?), node)),
        Some((_, node)) => {
            Some((node.word(&["status", "url", "header"].map(|word| (word, word))).map(named_field)?, node))
        }
        None => None,
    };
    let way = object.at_most_one(&["json", "input", "between", "regex"])?;
    if let Some(group) = object.get("group")
        && way.as_ref().is_none_or(|(key, _)| *key != "regex")
    {
        return Err(group.refused("works only with \"regex\""));
    }
    let Some((key, node)) = way else {
        return match field {
            Some((ResponseField::Headers, node)) => {
                Err(node.refused("write {\"header\": \"Name\"}; all headers are for \"regex\" and \"between\""))
            }
            Some((field, _)) => Ok(ExtractFrom::Field(field)),
            None => Err(object.node().refused(
                "expected \"json\", \"header\", \"cookie\", \"between\", \"regex\", \"input\", or \"from\": \"status\" or \"url\"",
            )),
        };
    };
    let source = match (key, field) {
        (_, None) => TextSource::Body,
        ("between" | "regex", Some((field, _))) => TextSource::Field(field),
        (_, Some((_, node))) => {
            return Err(node.refused(format!("cannot be combined with {key:?}, which is about the body")));
        }
    };
    Ok(match key {
        "json" => ExtractFrom::Json(
            node.read(|text| names::fixed_text(text, "a JSON pointer").and_then(|text| PointerPattern::parse(&text)))?,
        ),
        "input" => ExtractFrom::Input(fixed(&node)?),
        "between" => {
            let sides = node.list()?;
            let [left, right] = &*sides else { return Err(node.refused("expected two texts")) };
            ExtractFrom::Between(source, fixed(left)?, fixed(right)?)
        }
        _ => regex(object, &node, source)?,
    })
}

fn named_field(word: &str) -> ResponseField {
    match word {
        "status" => ResponseField::Status,
        "url" => ResponseField::Url,
        _ => ResponseField::Headers,
    }
}

fn regex(object: &Object<'_>, node: &Node<'_>, source: TextSource) -> Result<ExtractFrom> {
    let pattern = pattern(node)?;
    let usual = u32::from(pattern.groups() > 0);
    let group = match object.get("group") {
        Some(node) => {
            let group = node.count(0..=1000)?;
            if group as usize > pattern.groups() {
                return Err(node.refused(format!("the pattern has {} groups", pattern.groups())));
            }
            group
        }
        None => usual,
    };
    Ok(ExtractFrom::Regex(source, pattern, group as usize))
}

fn default(node: &Node<'_>, pick: PickFrom, names: &mut ScenarioNames) -> Result<Variable> {
    if pick != PickFrom::All {
        return known_text(node, names).map(Variable::Text);
    }
    let Json::List(_) = node.value() else { return Err(node.refused("must be a list, as \"pick\" is \"all\"")) };
    let items = node.list()?;
    if items.len() > MAX_ITEMS {
        return Err(node.refused(format!("has more than {MAX_ITEMS} items")));
    }
    items
        .iter()
        .map(|node| known_text(node, names))
        .collect::<Result<Vec<_>>>()
        .map(|items| Variable::List(items.into()))
}

/// Text, a number or a truth value that is known when the plan is made.
fn known_text(node: &Node<'_>, names: &mut ScenarioNames) -> Result<String> {
    let text = match node.value() {
        Json::Text(text) => text.clone(),
        Json::Number(_) | Json::Bool(_) => node.value().to_string(),
        other => return Err(node.refused(format!("expected text, a number or a truth value, not {}", other.kind()))),
    };
    let fixed = names.text(&text, TextEncoding::Plain).map_err(|why| node.refused(why))?.fixed();
    let bytes =
        fixed.ok_or_else(|| node.refused("must be known when the plan is made: text, a variable or ${env.NAME}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Text in which nothing is expanded.
fn fixed(node: &Node<'_>) -> Result<String> {
    node.name()?;
    node.read(|text| names::fixed_text(text, "\"extract\""))
}

fn token(text: &str) -> std::result::Result<String, String> {
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(format!("{text:?} is not a header name"));
    }
    Ok(text.to_owned())
}
