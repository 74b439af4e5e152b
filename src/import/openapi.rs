//! Converts an OpenAPI document (3.0 or 3.1): each operation becomes a task with one request, whose values are the
//! document's examples.

mod body;
mod operation;
mod parameter;
mod reference;
mod sample;
mod security;
mod server;

use std::collections::BTreeSet;

use super::ImportOptions;
use super::document::{as_text, list, member, members, object, text};
use super::draft::{Draft, DraftRequest, DraftStep, DraftTask, Import, Notes, SizeBudget};
use super::secrets::SecretVariables;
use crate::error::{Error, Result};
use crate::plan::json::Json;
use operation::Operation;
use reference::Document;
use security::Security;
use server::{Server, Servers};

/// What is said of a document in YAML.
pub(super) const YAML: &str = "is an OpenAPI document in YAML; convert it to JSON first: \
    python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' < FILE > openapi.json";

/// Whether a text is a document in YAML.
pub(super) fn is_yaml(text: &str) -> bool {
    let is_key =
        |line: &str| ["openapi:", "swagger:", "\"openapi\":", "\"swagger\":"].iter().any(|key| line.starts_with(key));
    text.lines().take(1000).any(is_key)
}

/// Whether a JSON document is an OpenAPI document, of any version.
pub(super) fn is_known(document: &Json) -> bool {
    member(document, "openapi").is_some() || member(document, "swagger").is_some()
}

/// Methods of a path item.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Creates a scenario from a document.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub(super) fn import(what: &str, root: &Json, options: ImportOptions) -> Result<Import> {
    check_version(what, root)?;
    let document = Document(root);
    let mut notes = Notes::default();
    let operations = operations(document, &mut notes);
    let Some(first) = operations.first() else { return Err(Error::usage(what, "/paths: contains no operation")) };
    let mut servers = Servers::default();
    let mut security = Security::new(document, SecretVariables::new(options.secrets));
    let home = servers.of(&[first.node, first.item, root], &first.place, &mut notes);
    let (mut requests, mut budget): (Vec<DraftRequest>, _) = (Vec::new(), SizeBudget::default());
    for operation in &operations {
        let server = servers.of(&[operation.node, operation.item, root], &operation.place, &mut notes);
        let request = operation.request(document, (&server, server == home), &mut security, &mut notes);
        budget.count(what, &request)?;
        requests.push(request);
    }
    security.vault().note_kept_secrets(&requests, &mut notes);
    for (key, why) in [("webhooks", "they are requests of the API"), ("x-webhooks", "they are requests of the API")] {
        if !object(root, key).is_empty() {
            notes.add(format!("{key}: left out, {why}"));
        }
    }
    let host = match &home {
        Server::Absolute(base) => Some(base.clone()),
        Server::Relative(_) => {
            notes.add("servers: the document names no host, pass --host to swarmline run");
            None
        }
    };
    let title = member(root, "info").and_then(|info| text(info, "title")).unwrap_or_default();
    let title: String = title.trim().chars().filter(|c| !c.is_control()).collect();
    let title = if title.is_empty() { "openapi".to_owned() } else { title };
    let mut draft = Draft::of_tasks(title, host, Vec::new(), tasks(&operations, requests));
    draft.variables = servers.variables;
    draft.finish(what, notes)
}

fn check_version(what: &str, root: &Json) -> Result<()> {
    let version = member(root, "openapi").map(|version| as_text(version).unwrap_or_default());
    match version {
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(_) => Err(Error::usage(what, "/openapi: only versions 3.0 and 3.1 are known")),
        None => {
            let why =
                "is a Swagger 2.0 document; convert it to OpenAPI 3 first: npx swagger2openapi FILE -o openapi.json";
            Err(Error::usage(what, why))
        }
    }
}

/// The operations, in the order of the document.
fn operations<'j>(document: Document<'j>, notes: &mut Notes) -> Vec<Operation<'j>> {
    let mut all = Vec::new();
    for (path, own) in object(document.0, "paths").iter().filter(|(path, _)| path.starts_with('/')) {
        let shown = server::shown(path);
        for (item, name, node) in path_item(document, own, &shown, notes) {
            let method = name.to_ascii_uppercase();
            let place = format!("{method} {shown}");
            all.push(Operation { method, path, item, node, place });
        }
    }
    all
}

/// The operations of a path, each with the path item that it is in, and its key. Beside a `$ref` a path item may have
/// members of its own, and what counts if both have one is undefined (OpenAPI 3.1, "Path Item Object"): its own are taken.
fn path_item<'j>(
    document: Document<'j>,
    own: &'j Json,
    shown: &str,
    notes: &mut Notes,
) -> Vec<(&'j Json, &'j str, &'j Json)> {
    let referenced = document.resolve(own);
    if referenced.is_none() {
        notes.lost(format!("{shown}: its $ref is left out: it leads nowhere, or out of the document"));
    }
    let referenced = referenced.filter(|item| !std::ptr::eq(*item, own));
    let is_operation = |(name, _): &&'j (String, Json)| METHODS.contains(&name.as_str());
    let mut all: Vec<_> = members(own).iter().filter(is_operation).map(|(name, node)| (own, &**name, node)).collect();
    for (name, node) in referenced.map(members).unwrap_or_default() {
        match (member(own, name), referenced) {
            (Some(_), _) => notes.lost(format!("{shown}: {name}: also in what its $ref names; that one is left out")),
            (None, Some(item)) if METHODS.contains(&name.as_str()) => all.push((item, name, node)),
            (None, _) => {}
        }
    }
    for name in ["parameters", "servers"].into_iter().filter(|name| referenced.is_some() && member(own, name).is_some())
    {
        notes.lost(format!("{shown}: {name} beside its $ref: not used for the operations of the $ref"));
    }
    all
}

/// A task for each operation, so that each can have a weight of its own.
fn tasks(operations: &[Operation<'_>], requests: Vec<DraftRequest>) -> Vec<DraftTask> {
    let mut taken = BTreeSet::new();
    let mut tasks = Vec::new();
    for (operation, request) in operations.iter().zip(requests) {
        let id = text(operation.node, "operationId").unwrap_or_default();
        let id: String = id.trim().chars().filter(|c| !c.is_control()).collect();
        let first = if id.is_empty() { operation.place.clone() } else { id };
        let numbered = (2..).map(|n| format!("{first} {n}"));
        let name =
            std::iter::once(first.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(first.clone());
        taken.insert(name.clone());
        // Blanks and commas separate tags in --tags.
        let plain = |tag: &str| {
            tag.split(|c: char| c.is_whitespace() || c == ',' || c.is_control()).collect::<Vec<_>>().join("-")
        };
        let mut tags: Vec<String> = list(operation.node, "tags").iter().filter_map(as_text).map(plain).collect();
        tags.retain(|tag| !tag.is_empty());
        tags.dedup();
        tasks.push(DraftTask { name, tags, steps: vec![DraftStep::Request(Box::new(request))] });
    }
    tasks
}
