//! `user_classes`: user classes and their tasks.

use std::collections::BTreeSet;

use super::keys::{self, suggestion};
use super::reader::{Node, Object};
use super::request::Compiler;
use super::steps::{make_available, register, steps};
use super::wait::wait;
use crate::cli::RunFlags;
use crate::error::{Error, Result};
use crate::plan::class_order::{ClassShare, MAX_CLASSES, MAX_PERIOD};
use crate::plan::data::SourceId;
use crate::plan::journey::{Task, Tasks, UserClass};
use crate::plan::step;
use crate::value::Wait;

/// What determines the think time of users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ThinkTimeSource {
    /// The flag: the same for all users.
    FromFlag(Wait),
    /// The class, or this default if the class has none.
    Default(Wait),
}

/// Which tasks are executed, like Locust's `--tags` and `--exclude-tags`.
#[derive(Debug)]
pub(super) struct TagFilter {
    only: Vec<String>,
    without: Vec<String>,
    /// All tags that occur in tasks.
    seen: BTreeSet<String>,
}

impl TagFilter {
    /// Reads the flags; an environment variable may contain several tags, separated by blanks or commas.
    pub(super) fn of(flags: &RunFlags) -> Self {
        let words = |list: &[String]| {
            let words = list.iter().flat_map(|text| text.split([',', ' ', '\t']));
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        Self { only: words(&flags.tags), without: words(&flags.exclude_tags), seen: BTreeSet::new() }
    }

    fn selects(&mut self, tags: &[String]) -> bool {
        self.seen.extend(tags.iter().cloned());
        let is_wanted = self.only.is_empty() || self.only.iter().any(|tag| tags.contains(tag));
        is_wanted && !self.without.iter().any(|tag| tags.contains(tag))
    }

    /// Rejects a tag that no task has: it is probably a typing error.
    fn check(&self) -> Result<()> {
        for (flag, tags) in [("--tags", &self.only), ("--exclude-tags", &self.without)] {
            if let Some(tag) = tags.iter().find(|tag| !self.seen.contains(*tag)) {
                let why = suggestion(tag, self.seen.iter().map(String::as_str));
                return Err(Error::usage(flag, format!("no task has the tag {tag:?}{why}")));
            }
        }
        Ok(())
    }
}

/// Reads the classes, leaving out those without any selected task.
pub(super) fn classes(
    node: &Node<'_>,
    compiler: &mut Compiler<'_>,
    pause: ThinkTimeSource,
    mut tags: TagFilter,
) -> Result<Vec<UserClass>> {
    let nodes = node.some()?;
    if nodes.len() > MAX_CLASSES {
        return Err(node.refused(format!("has more than {MAX_CLASSES} classes")));
    }
    let mut classes = Vec::with_capacity(nodes.len());
    let mut known: Vec<String> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let object = node.object(&keys::CLASS)?;
        let name = object.read("name", Node::name)?.map_or_else(|| format!("class {}", at + 1), str::to_owned);
        if known.contains(&name) {
            return Err(node.refused(format!("duplicate class {name:?}")));
        }
        known.push(name.clone());
        classes.extend(class(&object, name, compiler, pause, &mut tags)?);
    }
    tags.check()?;
    if classes.is_empty() {
        return Err(Error::usage("--tags and --exclude-tags", "exclude every task"));
    }
    Ok(classes)
}

fn class(
    object: &Object<'_>,
    name: String,
    compiler: &mut Compiler<'_>,
    pause: ThinkTimeSource,
    tags: &mut TagFilter,
) -> Result<Option<UserClass>> {
    let share = share(object, compiler.flags.rate.is_some())?;
    let own_wait = object.read("wait", wait)?;
    let wait = match pause {
        ThinkTimeSource::FromFlag(wait) => wait,
        ThinkTimeSource::Default(usual) => own_wait.unwrap_or(usual),
    };
    let own_tags = read_tags(object)?;
    let task_nodes = object.need("tasks")?.some()?;
    let list = |key| object.get(key).map_or_else(|| Ok(Vec::new()), |node| node.list());
    let (start_nodes, stop_nodes) = (list("on_start")?, list("on_stop")?);

    let has_own_steps = !start_nodes.is_empty() || !stop_nodes.is_empty();
    compiler.names.used_sources = if has_own_steps { compiler.common.clone() } else { BTreeSet::new() };
    let mut later_nodes = stop_nodes.clone();
    for task in &task_nodes {
        later_nodes.extend(task.object(&keys::TASK)?.need("requests")?.some()?);
    }
    // All names are known before the first step is compiled; in `on_start` only those that a step before it sets have
    // a value.
    register(&start_nodes, &mut compiler.names)?;
    register(&later_nodes, &mut compiler.names)?;
    compiler.names.available.clone_from(&compiler.set_by_setup);
    let on_start = steps(&start_nodes, compiler)?;
    make_available(&later_nodes, &mut compiler.names)?;
    let on_stop = steps(&stop_nodes, compiler)?;
    let mut rows = std::mem::take(&mut compiler.names.used_sources);
    let mut tasks = Vec::with_capacity(task_nodes.len());
    for node in &task_nodes {
        tasks.extend(task(&node.object(&keys::TASK)?, compiler, (tags, &own_tags), &mut rows)?);
    }
    if tasks.is_empty() {
        return Ok(None);
    }
    let rows = rows.into_iter().collect();
    Ok(Some(UserClass { name, share, wait, on_start, tasks: Tasks::new(tasks), on_stop, rows }))
}

/// Reads how many users are of a class.
fn share(object: &Object<'_>, is_open: bool) -> Result<ClassShare> {
    let Some(node) = object.get("fixed_count") else {
        let weight = object.read("weight", |node| node.count(1..=MAX_WEIGHT))?;
        return Ok(ClassShare::Weight(weight.unwrap_or(1)));
    };
    let count = node.count(1..=u32::try_from(MAX_PERIOD).unwrap_or(u32::MAX))?;
    if object.get("weight").is_some() {
        return Err(node.refused("cannot be combined with \"weight\", which divides the users among the other classes"));
    }
    if is_open {
        return Err(node.refused("cannot be combined with --rate, which divides arrivals by \"weight\""));
    }
    Ok(ClassShare::Fixed(count))
}

/// Maximum weight of classes and tasks: finer ratios cannot be told from random variation, and sums fit into
/// 32 bits.
const MAX_WEIGHT: u32 = 100_000;

fn task(
    object: &Object<'_>,
    compiler: &mut Compiler<'_>,
    (tags, of_class): (&mut TagFilter, &[String]),
    of_user: &mut BTreeSet<SourceId>,
) -> Result<Option<Task>> {
    let own_tags = [of_class, &read_tags(object)?].concat();
    let is_kept = tags.selects(&own_tags);
    // Tasks that are not selected are still checked, but their endpoints are not part of this run.
    let before = compiler.endpoints.clone();
    let weight = object.read("weight", |node| node.count(1..=MAX_WEIGHT))?.unwrap_or(1);
    let given = object.read("name", Node::name)?.map(str::to_owned);
    compiler.names.used_sources = compiler.common.clone();
    let requests = object.need("requests")?;
    let steps = steps(&requests.some()?, compiler)?;
    if step::first_request(&steps).is_none() {
        return Err(requests.refused("contains no request"));
    }
    if !is_kept {
        compiler.endpoints = before;
        return Ok(None);
    }
    let is_per_user = |source: &&SourceId| compiler.names.sources[source.0 as usize].is_per_user();
    of_user.extend(compiler.names.used_sources.iter().filter(is_per_user));
    let rows = compiler.names.used_sources.difference(of_user).copied().collect();
    let mut task = Task { name: String::new(), weight, steps, rows };
    let endpoint = task.first_request().message.endpoint();
    task.name = given.unwrap_or_else(|| compiler.endpoints.endpoints[endpoint.0 as usize].name.clone());
    Ok(Some(task))
}

fn read_tags(object: &Object<'_>) -> Result<Vec<String>> {
    let Some(node) = object.get("tags") else { return Ok(Vec::new()) };
    node.list()?.iter().map(|node| node.read(tag)).collect()
}

fn tag(text: &str) -> std::result::Result<String, String> {
    if text.is_empty() || text.contains([',', ' ', '\t']) {
        return Err(format!("{text:?} is not a tag; expected a word"));
    }
    Ok(text.to_owned())
}
