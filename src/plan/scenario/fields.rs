//! `form` and `query`: fields of a name and a value.

use super::body::plain_text;
use super::names::ScenarioNames;
use super::optional::{self, Separators};
use super::reader::Node;
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::template::{Template, TextEncoding};
use crate::secret::is_secret;

/// Compiles fields; for a list the name is repeated.
pub(super) fn fields(
    node: &Node<'_>,
    names: &mut ScenarioNames,
    encoding: TextEncoding,
    mut separators: Separators,
    out: &mut Template,
) -> Result<()> {
    for (name, node) in node.members()? {
        let values = if matches!(node.value(), Json::List(_)) { node.list()? } else { vec![node] };
        for node in values {
            let (chance, value) = optional::field(&node)?;
            separators.push(out, chance, field(name, &value, names, encoding)?);
        }
    }
    Ok(())
}

fn field(name: &str, node: &Node<'_>, names: &mut ScenarioNames, encoding: TextEncoding) -> Result<Template> {
    let text = plain_text(node)?;
    let refused = |why| node.refused(why);
    let mut field = names.text(name, encoding).map_err(refused)?;
    field.push_literal(b"=", false);
    let value = names.text(&text, encoding).map_err(refused)?;
    field.push(if is_secret(name) { value.into_secret() } else { value });
    Ok(field)
}
