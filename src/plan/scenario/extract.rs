//! `extract`: values extracted from responses for later requests.

use super::keys;
use super::names::ScenarioNames;
use super::reader::Node;
use crate::error::Result;
use crate::plan::extract::{ExtractFrom, Extraction};
use crate::plan::pointer::Pointer;
use crate::plan::template::SlotId;
use crate::value::is_token;

/// Reads the member `extract`.
pub(super) fn extract(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Vec<Extraction>> {
    let members = node.members()?;
    members.iter().map(|(name, node)| Ok(Extraction { slot: slot(name, node, names)?, from: from(node)? })).collect()
}

/// The slots that a request fills, determined before the request itself is compiled.
pub(super) fn slots(request: &Node<'_>, names: &mut ScenarioNames) -> Result<Vec<SlotId>> {
    let object = request.object(&keys::REQUEST)?;
    let Some(node) = object.get("extract") else { return Ok(Vec::new()) };
    node.members()?.iter().map(|(name, node)| slot(name, node, names)).collect()
}

fn slot(name: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<SlotId> {
    names.slot(name).map_err(|why| node.refused(why))
}

fn from(node: &Node<'_>) -> Result<ExtractFrom> {
    let object = node.object(&keys::EXTRACT)?;
    let Some((key, node)) = object.at_most_one(&keys::EXTRACT)? else {
        return Err(node.refused("expected \"json\", \"header\", \"cookie\" or \"between\""));
    };
    Ok(match key {
        "json" => ExtractFrom::Json(node.read(Pointer::parse)?),
        "header" => ExtractFrom::Header(node.read(token)?),
        "cookie" => ExtractFrom::Cookie(node.name()?.to_owned()),
        _ => {
            let sides = node.list()?;
            let [left, right] = &*sides else { return Err(node.refused("expected two texts")) };
            ExtractFrom::Between(left.name()?.to_owned(), right.name()?.to_owned())
        }
    })
}

fn token(text: &str) -> std::result::Result<String, String> {
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(format!("{text:?} is not a header name"));
    }
    Ok(text.to_owned())
}
