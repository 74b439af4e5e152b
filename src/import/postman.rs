//! Converts a Postman collection (v2.0 or v2.1) to a task: its requests in order.

mod auth;
mod body;
mod dynamic;
mod request;
mod script;
mod text;
mod tokens;
mod url;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ImportOptions;
use super::document::{is_true, items, list, member, object, text};
use super::draft::{Draft, DraftStep, DraftTask, Import, Notes, SizeBudget};
use super::secrets::SecretVariables;
use crate::bounded::{self, SizeLimit};
use crate::error::{Error, Result};
use crate::plan::json::{Duplicates, Json, RawJson};
use crate::secret::masked_url;
use request::{Converted, Item, convert};
use script::{Scripts, VariableScope};
use variables::{Place, Scope, Variables, local_lists};

/// Maximum size of a file with an environment's variables.
const MAX_ENVIRONMENT: SizeLimit = SizeLimit::mib("an environment of Postman", 16);

/// Whether a document is a collection, an environment or another file of Postman.
pub(super) fn is_known(document: &Json) -> bool {
    let document = whole(document);
    let has = |name: &str| member(document, name).is_some();
    let schema = member(document, "info").and_then(|info| text(info, "schema")).unwrap_or_default();
    has("item") || schema.contains("getpostman.com") || is_v1(document) || is_environment(document) || is_dump(document)
}

/// The collection itself: Postman's API returns it as a member.
fn whole(document: &Json) -> &Json {
    member(document, "collection").filter(|inner| member(inner, "item").is_some()).unwrap_or(document)
}

fn is_v1(document: &Json) -> bool {
    member(document, "requests").is_some() && member(document, "order").is_some()
}

fn is_dump(document: &Json) -> bool {
    member(document, "collections").is_some() && member(document, "environments").is_some()
}

fn is_environment(document: &Json) -> bool {
    member(document, "values").is_some_and(|values| matches!(values, Json::List(_)))
        && (member(document, "_postman_variable_scope").is_some() || member(document, "name").is_some())
}

/// Creates a scenario from a collection.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub(super) fn import(what: &str, document: &Json, options: ImportOptions, environments: &[PathBuf]) -> Result<Import> {
    let collection = whole(document);
    check_version(what, collection)?;
    let mut scopes = vec![Scope::of(VariableScope::Collection, list(collection, "variable"))];
    for file in environments {
        scopes.push(environment(file)?);
    }
    let (mut notes, mut variables) = (Notes::default(), Variables::new(scopes));
    let mut vault = SecretVariables::new(options.secrets);
    let mut found = Vec::new();
    let mut walk = Walk {
        chain: vec![collection],
        scripts: vec![Scripts::read(collection, "collection", &mut notes)],
        names: Vec::new(),
    };
    walk.all(list(collection, "item"), &mut found, &mut notes);
    for item in &found {
        variables.register(&item.before);
        variables.register(&item.after);
    }
    let mut converted = Vec::new();
    let mut budget = SizeBudget::default();
    for item in &found {
        let locals = local_lists(&item.chain[1..]);
        let mut place = Place { locals: &locals, path: &item.path, vault: &mut vault, notes: &mut notes };
        if let Some(one) = convert(item, &mut variables, &mut place) {
            budget.count(what, &one.request)?;
            converted.push((item, one));
        }
    }
    let Some((_, first)) = converted.first() else {
        return Err(Error::usage(what, "contains no request that can be imported"));
    };
    let host = first.origin.clone();
    let on_start = initial_values(&mut variables, &mut vault, &mut notes);
    let name = member(collection, "info").and_then(|info| text(info, "name")).map_or("collection", str::trim);
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = if name.is_empty() { "collection".to_owned() } else { name };
    let steps = steps(converted, &host);
    let requests =
        steps.iter().filter_map(|step| if let DraftStep::Request(request) = step { Some(&**request) } else { None });
    vault.note_kept_secrets(requests, &mut notes);
    let task = DraftTask { name: name.clone(), tags: Vec::new(), steps };
    let mut draft = Draft::of_tasks(name, Some(host), on_start, vec![task]);
    draft.variables = variables.into_written();
    draft.finish(what, notes)
}

/// Refuses files of Postman that are not collections, and versions that are not known.
fn check_version(what: &str, collection: &Json) -> Result<()> {
    let why = if is_environment(collection) {
        "is an environment of Postman; pass a collection, and this file with --environment"
    } else if is_v1(collection) {
        "is a Postman collection v1; export it from Postman as v2.1"
    } else if is_dump(collection) {
        "is a data dump of Postman; export the collection alone, as v2.1"
    } else if member(collection, "item").is_none() {
        "/item: missing; is this a Postman collection?"
    } else {
        let schema = member(collection, "info").and_then(|info| text(info, "schema")).unwrap_or_default();
        if schema.is_empty() || schema.contains("/v2.0.") || schema.contains("/v2.1.") {
            return Ok(());
        }
        "/info/schema: this version of the collection format is not known; export it from Postman as v2.1"
    };
    Err(Error::usage(what, why))
}

/// Reads an exported environment, or exported globals.
fn environment(file: &Path) -> Result<Scope> {
    let refused = |why: String| Error::usage(format!("--environment {}", masked_url(&file.display().to_string())), why);
    let bytes = bounded::read_file(file, MAX_ENVIRONMENT).map_err(refused)?;
    let read = RawJson::parse(&bytes).and_then(|raw| raw.parse_tree(Duplicates::LastWins));
    let document = read.map_err(|why| refused(format!("not JSON: {why}")))?;
    let document = member(&document, "environment").unwrap_or(&document);
    let Some(Json::List(values)) = member(document, "values") else {
        return Err(refused("/values: missing, or not a list; is this an environment of Postman?".to_owned()));
    };
    let is_global = text(document, "_postman_variable_scope") == Some("globals");
    Ok(Scope::of(if is_global { VariableScope::Globals } else { VariableScope::Environment }, values))
}

/// A walk through the folders of a collection.
struct Walk<'j> {
    chain: Vec<&'j Json>,
    scripts: Vec<Scripts>,
    names: Vec<String>,
}

impl<'j> Walk<'j> {
    fn all(&mut self, children: &'j [Json], found: &mut Vec<Item<'j>>, notes: &mut Notes) {
        for node in children {
            let plain = |c: char| if c.is_control() { ' ' } else { c };
            let name: String = text(node, "name").unwrap_or_default().chars().map(plain).collect();
            let name = name.trim().to_owned();
            self.names.push(if name.is_empty() { "unnamed".to_owned() } else { name.clone() });
            let path = self.names.join(" / ");
            if is_true(node, "disabled") {
                notes.add(format!("{path}: left out, it is disabled"));
            } else {
                self.chain.push(node);
                self.scripts.push(Scripts::read(node, &path, notes));
                self.item(node, (name, path), found, notes);
                self.scripts.pop();
                self.chain.pop();
            }
            self.names.pop();
        }
    }

    /// A folder, or an item with a request.
    fn item(&mut self, node: &'j Json, (name, path): (String, String), found: &mut Vec<Item<'j>>, notes: &mut Notes) {
        if let Some(inner) = member(node, "item") {
            self.all(items(inner), found, notes);
        } else if let Some(request) = member(node, "request") {
            report_ignored(request, &path, notes);
            let before = self.scripts.iter().flat_map(|scripts| &scripts.before).cloned().collect();
            let after = self.scripts.iter().flat_map(|scripts| &scripts.after).cloned().collect();
            found.push(Item { name, path, chain: self.chain.clone(), before, after });
        } else {
            notes.lost(format!("{path}: left out, it has no request"));
        }
    }
}

/// Names settings of a request that have no equivalent.
fn report_ignored(request: &Json, path: &str, notes: &mut Notes) {
    if !object(request, "proxy").is_empty() {
        notes.lost(format!("{path}: proxy: left out, pass --proxy to swarmline run"));
    }
    if !object(request, "certificate").is_empty() {
        notes.lost(format!("{path}: certificate: left out, pass --cert and --key to swarmline run"));
    }
}

/// Sets the variables of the user that have a value before any script sets them.
fn initial_values(variables: &mut Variables, vault: &mut SecretVariables, notes: &mut Notes) -> Vec<DraftStep> {
    let mut place = Place { locals: &[], path: "collection", vault, notes };
    let values: BTreeMap<_, _> = variables
        .initial()
        .into_iter()
        .map(|(key, name)| (name, Some(variables.initial_text(&key, &mut place))))
        .collect();
    if values.is_empty() { Vec::new() } else { vec![DraftStep::Set(values)] }
}

/// The steps of the task. Requests of one name that go to different places get names of their own.
fn steps(converted: Vec<(&Item<'_>, Converted)>, host: &str) -> Vec<DraftStep> {
    let mut targets: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut steps = Vec::new();
    for (item, one) in converted {
        let Converted { origin, before, mut request, after } = one;
        if origin != host {
            request.target = format!("{origin}{}", request.target);
        } else if !request.target.starts_with('/') {
            request.target = format!("/{}", request.target);
        }
        let path = request.target.split('?').next().unwrap_or_default().to_owned();
        let id = (request.method.clone(), request.name.clone().unwrap_or_default());
        if *targets.entry(id).or_insert_with(|| path.clone()) != path && request.name.is_some() {
            request.name = Some(item.path.clone());
        }
        steps.extend(before);
        steps.push(DraftStep::Request(Box::new(request)));
        steps.extend(after);
    }
    steps
}
