//! The scenario file: from JSON to journeys. Errors are reported before the first request, with their
//! position.
//!
//! A file is read in two passes: first the settings that also exist as flags, so that flags can take
//! precedence; then, when all flags are known, the user classes and their requests are compiled.

mod body;
mod class;
mod condition;
mod data;
mod expect;
mod extract;
mod fields;
mod functions;
pub mod keys;
mod multipart;
mod names;
mod optional;
mod reader;
mod once;
mod request;
mod steps;
mod tables;
mod target;
mod top;
mod wait;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::body_file::BodyFiles;
use super::check::{self, Check};
use super::class_order::ClassShare;
use super::engine::Environment;
use super::journey::{Journeys, UserClass};
use super::json::Json;
use super::request_args::{self, EndpointTable, Resolved, ScenarioParts};
use super::setting::fingerprint;
use super::template::{Template, TextEncoding};
use crate::bounded::{self, SizeLimit};
use crate::cli::{RunFlags, SettingSource, SettingSources};
use crate::error::{Error, Result};
use crate::secret::{MASK, is_secret, masked_header};
use crate::value::Header;
use body::Field;
use class::{TagFilter, ThinkTimeSource};
pub use names::RESERVED;
use names::ScenarioNames;
use reader::{Node, Object};
use request::Compiler;
pub use top::KEYS;
use top::Top;
#[cfg(test)]
pub(in crate::plan) use top::set_by_file;

/// The JSON Schema of the scenario file, as `swarmline schema --scenario` prints it.
pub const SCHEMA: &str = include_str!("../../../schema/scenario.schema.json");

/// A scenario file after the first pass.
#[derive(Debug)]
pub(super) struct Scenario {
    /// The path as given by the flag.
    file: String,
    folder: PathBuf,
    json: Json,
    fingerprint: String,
    /// The flags, completed with the settings of the file.
    pub(super) flags: RunFlags,
    /// Where each of them came from.
    pub(super) origins: SettingSources,
    names: ScenarioNames,
    think_time: ThinkTimeSource,
    /// Where its bodies come from that are files.
    pub(super) body_files: BodyFiles,
}

/// Maximum size of a scenario file. It is written by people, or by a program for a few thousand requests; in
/// memory it takes ten times as much.
pub const MAX_SIZE: SizeLimit = SizeLimit::mib("a scenario file", 16);

impl Scenario {
    /// Reads the file of `--scenario`, if it is given.
    ///
    /// # Errors
    /// Names the flag that cannot be combined with a scenario, or the file and the position in it.
    pub(super) fn of(flags: &RunFlags, origins: &SettingSources, environment: &Environment) -> Result<Option<Self>> {
        let Some(path) = &flags.scenario else {
            return match (&*flags.tags, &*flags.exclude_tags) {
                ([], []) => Ok(None),
                ([], _) => Err(Error::usage("--exclude-tags", "works only with --scenario")),
                _ => Err(Error::usage("--tags", "works only with --scenario")),
            };
        };
        if path.extension().is_some_and(|ending| ending == "py") {
            let why = "is not a scenario file; convert it with swarmline import, and pass the scenario (JSON) with -f";
            return Err(Error::usage(format!("-f {}", path.display()), why));
        }
        for (flag, is_given) in [
            ("REQUEST", !flags.requests.is_empty()),
            ("--data", flags.data.is_some()),
            ("--json", flags.json.is_some()),
            ("--method", flags.method.is_some()),
        ] {
            if is_given {
                let whence = if origins.of("scenario") == SettingSource::Env { " (SWARMLINE_SCENARIO)" } else { "" };
                let why = format!("cannot be combined with --scenario{whence}, whose requests are in the file");
                return Err(Error::usage(flag, why));
            }
        }
        Self::read(path, flags, origins, environment).map(Some)
    }

    fn read(path: &Path, flags: &RunFlags, origins: &SettingSources, environment: &Environment) -> Result<Self> {
        let file = path.display().to_string();
        let bytes =
            bounded::read_file(path, MAX_SIZE).map_err(|why| Error::usage(format!("--scenario {file}"), why))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::of_text(&file, &bytes, folder, (flags, origins), environment)
    }

    /// Reads a text; `file` stands for it in errors, and `folder` is where its files are.
    pub(super) fn of_text(
        file: &str,
        bytes: &[u8],
        folder: PathBuf,
        (flags, origins): (&RunFlags, &SettingSources),
        environment: &Environment,
    ) -> Result<Self> {
        let json = Json::parse(bytes).map_err(|why| Error::usage(file, why))?;
        let root = Node::root(file, &json);
        let object = root.object(&KEYS)?;
        object.read("$schema", Node::text)?;
        let mut names = ScenarioNames { environment: environment.clone(), ..ScenarioNames::default() };
        names.variables = object.read("variables", |node| data::variables(node, environment))?.unwrap_or_default();
        let mut files = Vec::new();
        let sources = object.read("data", |node| data::sources(node, &folder, &names.variables, &mut files))?;
        (names.sources, names.files) = (sources.unwrap_or_default(), files);
        let top = Top::read(&object, flags, &mut |text| known_host(text, &mut names))?;
        let (flags, origins, pause) = top.below(flags, origins);
        let (file, fingerprint, body_files) = (file.to_owned(), fingerprint(bytes), BodyFiles::default());
        Ok(Self { fingerprint, file, folder, json, flags, origins, names, think_time: pause, body_files })
    }

    /// Compiles the user classes.
    ///
    /// # Errors
    /// Names the position in the file, or the flag.
    pub(super) fn resolve(self) -> Result<Resolved> {
        let Self { file, folder, json, fingerprint, flags, names, think_time: pause, body_files, .. } = self;
        let object = Node::root(&file, &json).object(&KEYS)?;
        let name = object.read("name", Node::name)?.map(str::to_owned);
        let checks = object.read("checks", checks)?.unwrap_or_default();
        let mut compiler = Compiler { open_files: body_files, ..compiler(&object, &flags, names, folder)? };
        let classes = object.need("user_classes")?;
        once::register(&object, &mut compiler)?;
        let list = class::classes(&classes, &mut compiler, pause, TagFilter::of(&flags))?;
        let journeys = Journeys::new(list, once::compile(&object, &mut compiler)?, |why| classes.refused(why))?;
        let told = file_settings(&file, fingerprint, &object, &compiler, &journeys.classes);
        let Compiler { names, endpoints: book, home, open_files, .. } = compiler;
        let base_authority = home.map_or_else(String::new, |home| home.authority().to_owned());
        let listing = book.endpoints.iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.name));
        let listing = listing.collect::<Vec<_>>().join("\n");
        let (sources, variables, files) = (names.sources, names.slots, names.files);
        let secrets = names.secrets.into_iter().collect();
        let extras = ScenarioParts { name, sources, variables, checks, settings: told, files, secrets };
        Ok(Resolved {
            journeys,
            endpoints: book.endpoints,
            listing,
            base_authority,
            body: None,
            body_files: open_files.into_list(),
            scenario: extras,
        })
    }
}

/// Evaluates the text of `host`; all values in it must be known now.
fn known_host(text: &str, names: &mut ScenarioNames) -> std::result::Result<String, String> {
    // A host is shown even if it is taken from the environment.
    let secrets = names.secrets.clone();
    let fixed = names.text(text, TextEncoding::Plain)?.fixed();
    names.secrets = secrets;
    let bytes = fixed.ok_or("must be known when the plan is made: text, a variable or ${env.NAME}")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn checks(node: &Node<'_>) -> Result<Vec<Check>> {
    let checks = node.list()?;
    if checks.len() > check::MAX_CHECKS {
        return Err(node.refused(format!("at most {} checks", check::MAX_CHECKS)));
    }
    checks.iter().map(|node| node.read(Check::parse)).collect()
}

fn compiler<'p>(
    object: &Object<'p>,
    flags: &'p RunFlags,
    mut names: ScenarioNames,
    folder: PathBuf,
) -> Result<Compiler<'p>> {
    let base = flags.host.as_deref().map(|host| request_args::parse("--host", host)).transpose()?;
    let (base, credentials) = base.map_or((None, None), |parsed| (Some(parsed.url), parsed.userinfo));
    let mut rules = request_args::rules(flags);
    if let Some(node) = object.get("expect") {
        // The statuses already come from the flags, which take precedence over the file's.
        let status = rules.expect.status.clone();
        rules.expect = expect::expect(&node, &mut names, &rules.expect)?;
        rules.expect.status = status;
    }
    let common = std::mem::take(&mut names.used_sources);
    let home = base.as_ref().map(|base| Arc::clone(base.origin()));
    let (headers, flag_headers) = (object.get("headers"), flags.headers.iter().map(field).collect());
    let book = EndpointTable::default();
    let (body_files, body_bytes, requests, set_by_setup) = (Vec::new(), 0, 0, BTreeSet::new());
    let (open_files, boundary) = (BodyFiles::default(), multipart::boundary());
    Ok(Compiler {
        names,
        flags,
        base,
        credentials,
        home,
        rules,
        headers,
        flag_headers,
        common,
        set_by_setup,
        endpoints: book,
        folder,
        body_files,
        body_bytes,
        open_files,
        boundary,
        requests,
    })
}

fn field(header: &Header) -> Field {
    let value = header.value.as_deref().map(Template::literal);
    (header.name.clone(), value.map(|value| if is_secret(&header.name) { value.into_secret() } else { value }))
}

/// Settings of the file that have no flag, for the stream.
fn file_settings(
    file: &str,
    fingerprint: String,
    object: &Object<'_>,
    compiler: &Compiler<'_>,
    classes: &[UserClass],
) -> Vec<(&'static str, String)> {
    let mut told = vec![("scenario", file.to_owned()), ("scenario-content", fingerprint)];
    for (name, known) in &compiler.names.variables {
        let value = if known.is_secret { MASK } else { &known.text };
        told.push(("variable", format!("{name}={value}")));
    }
    for source in &compiler.names.sources {
        let (name, rows, pick) = (source.name(), source.len(), source.pick().as_str());
        let per = if source.is_per_user() { ", one a user" } else { "" };
        told.push(("data-source", format!("{name}: {rows} rows, {pick}{per}, {}", source.fingerprint())));
    }
    told.extend(compiler.body_files.iter().map(|file| ("body-file", file.clone())));
    for class in classes {
        let tasks = class.tasks.as_slice().iter().map(|task| format!("{}:{}", task.name, task.weight));
        let tasks = tasks.collect::<Vec<_>>().join(",");
        let share = match class.share {
            ClassShare::Weight(weight) => weight.to_string(),
            fixed @ ClassShare::Fixed(_) => fixed.to_string(),
        };
        told.push(("user-class", format!("{}:{share} wait {} tasks {tasks}", class.name, class.wait)));
    }
    if let Some(Json::Object(headers)) = object.get("headers").map(|node| node.value()) {
        told.extend(headers.iter().map(|(name, value)| {
            let text = if let Json::Text(text) = value { text } else { "" };
            ("header", masked_header(name, text))
        }));
    }
    told
}
