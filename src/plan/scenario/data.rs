//! `variables` and `data`: values that are known before the first request.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::keys;
use super::names::{KnownValue, ScenarioNames};
use super::reader::Node;
use super::tables;
use crate::bounded::{self, Bounded};
use crate::error::Result;
use crate::plan::data::{DataSource, MAX_TEXT, OnEnd, Pick, Table};
use crate::plan::engine::Environment;
use crate::plan::json::Json;
use crate::secret::is_secret;

/// Reads the member `variables`.
pub(super) fn variables(node: &Node<'_>, environment: &Environment) -> Result<BTreeMap<String, KnownValue>> {
    let mut variables = BTreeMap::new();
    for (name, node) in node.members()? {
        ScenarioNames::check_new(name).map_err(|why| node.refused(why))?;
        variables.insert(name.to_owned(), variable(&node, name, environment)?);
    }
    Ok(variables)
}

fn variable(node: &Node<'_>, name: &str, environment: &Environment) -> Result<KnownValue> {
    if !matches!(node.value(), Json::Object(_)) {
        let text = plain(node)?;
        if text.contains("${") {
            return Err(node.refused("is used literally and cannot contain ${...}"));
        }
        return Ok(KnownValue { text, is_secret: is_secret(name) });
    }
    let object = node.object(&keys::VARIABLE)?;
    let env = object.need("env")?;
    let default = object.read("default", plain)?;
    let value = environment.get(env.name()?).cloned().or(default);
    let missing = || {
        env.refused(format!(
            "the environment variable {} is not set, and there is no \"default\"",
            env.text().unwrap_or_default()
        ))
    };
    Ok(KnownValue { text: value.ok_or_else(missing)?, is_secret: true })
}

/// Converts a value to text: text, a number or a truth value.
fn plain(node: &Node<'_>) -> Result<String> {
    match node.value() {
        Json::Text(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.as_str().to_owned()),
        Json::Bool(value) => Ok(value.to_string()),
        other => Err(node.refused(format!("expected text, a number or a truth value, not {}", other.kind()))),
    }
}

/// Reads the member `data`; files are relative to `folder` and are added to `files`.
pub(super) fn sources(
    node: &Node<'_>,
    folder: &Path,
    variables: &BTreeMap<String, KnownValue>,
    files: &mut Vec<PathBuf>,
) -> Result<Vec<DataSource>> {
    let mut sources = Vec::new();
    for (name, node) in node.members()? {
        ScenarioNames::check_new(name).map_err(|why| node.refused(why))?;
        if variables.contains_key(name) {
            return Err(node.refused("is also a variable; choose another name"));
        }
        sources.push(source(&node, name, folder, files)?);
    }
    Ok(sources)
}

fn source(node: &Node<'_>, name: &str, folder: &Path, files: &mut Vec<PathBuf>) -> Result<DataSource> {
    let object = node.object(&keys::DATA)?;
    let Some((format, file)) = object.at_most_one(&["csv", "json", "ndjson", "lines"])? else {
        return Err(node.refused("has no file; expected \"csv\", \"json\", \"ndjson\" or \"lines\""));
    };
    let delimiter = object.read("delimiter", |node| match format {
        "csv" => node.read(delimiter),
        _ => Err(node.refused("works only with \"csv\"")),
    })?;
    let is_per_user = object.read("per", |node| node.word(&[("user", ())]))?.is_some();
    let pick = object.read("pick", |node| node.word(&PICKS))?.unwrap_or(Pick::Sequential);
    let on_end = object.read("on_end", |node| match pick {
        Pick::Unique(_) => node.word(&ENDS),
        _ => Err(node.refused("works only with \"pick\": \"unique\"")),
    })?;
    let pick = on_end.map_or(pick, Pick::Unique);
    let path = folder.join(file.name()?);
    files.push(path.clone());
    let read = |read: &dyn Fn(Bounded<File>) -> std::result::Result<Table, String>| {
        let table = read(bounded::open(&path, MAX_TEXT)?)?;
        if table.rows() == 0 { Err("has no rows".to_owned()) } else { Ok(table) }
    };
    let table = match format {
        "csv" => read(&|file| tables::csv(file, delimiter.unwrap_or(b','))),
        "json" => read(&tables::json),
        "ndjson" => read(&tables::ndjson),
        _ => read(&tables::lines),
    };
    let table = table.map_err(|why| file.refused(format!("{}: {why}", path.display())))?;
    let source = DataSource::new(name.to_owned(), pick, table);
    Ok(if is_per_user { source.per_user() } else { source })
}

/// Reads what stands between the columns of a CSV file.
fn delimiter(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        [b'"' | b'\r' | b'\n'] => Err("cannot stand between columns".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(format!("{text:?} is not one ASCII character, such as \";\" or \"\\t\"")),
    }
}

/// The values of `pick`.
pub(super) const PICKS: [(&str, Pick); 3] =
    [("unique", Pick::Unique(OnEnd::Stop)), ("sequential", Pick::Sequential), ("random", Pick::Random)];

/// The values of `on_end`.
pub(super) const ENDS: [(&str, OnEnd); 3] = [("stop", OnEnd::Stop), ("fail", OnEnd::Fail), ("again", OnEnd::Again)];
