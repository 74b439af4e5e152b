//! The steps of `requests`, `on_start`, `on_stop`, `setup` and `teardown`.

use std::collections::BTreeSet;

use super::condition::condition;
use super::extract;
use super::keys;
use super::names::ScenarioNames;
use super::reader::{Node, Object};
use super::request::Compiler;
use super::wait::wait;
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::step::{
    Addition, Assignment, ForEach, MAX_DEPTH, MAX_ROUNDS, Pause, Repeat, Rounds, Step, Until, When,
};
use crate::plan::template::{SlotId, Template, TextEncoding};
use crate::secret::is_secret;
use crate::value::Wait;

/// The kinds of steps besides requests: the key that each has, and all its keys.
const KINDS: [(&str, &[&str]); 9] = [
    ("pause", &keys::PAUSE),
    ("repeat", &keys::REPEAT),
    ("for_each", &keys::FOR_EACH),
    ("when", &keys::WHEN),
    ("until", &keys::UNTIL),
    ("leave", &keys::LEAVE),
    ("stop", &keys::STOP),
    ("set", &keys::SET),
    ("append", &keys::APPEND),
];

/// Where steps stand.
#[derive(Clone, Copy)]
struct Nesting {
    depth: usize,
    is_in_loop: bool,
}

/// Compiles steps, each of which can use the values that the steps before it set.
pub(super) fn steps(nodes: &[Node<'_>], compiler: &mut Compiler<'_>) -> Result<Box<[Step]>> {
    block(nodes, compiler, Nesting { depth: 1, is_in_loop: false })
}

/// Makes the values that these steps set available to everything that is compiled from here on.
pub(super) fn make_available(nodes: &[Node<'_>], names: &mut ScenarioNames) -> Result<()> {
    let slots = register(nodes, names)?;
    names.available.extend(slots);
    Ok(())
}

/// The slots of the variables that these steps set, determined before the steps themselves are compiled.
pub(super) fn register(nodes: &[Node<'_>], names: &mut ScenarioNames) -> Result<Vec<SlotId>> {
    let mut slots = Vec::new();
    for node in nodes {
        add_slots(node, names, &mut slots)?;
    }
    Ok(slots)
}

fn add_slots(node: &Node<'_>, names: &mut ScenarioNames, slots: &mut Vec<SlotId>) -> Result<()> {
    let Some((kind, object)) = kind(node)? else {
        slots.extend(extract::slots(node, names)?);
        return Ok(());
    };
    match kind {
        "set" => {
            for (name, node) in object.need("set")?.members()? {
                if !matches!(node.value(), Json::Null) {
                    slots.push(names.slot(name).map_err(|why| node.refused(why))?);
                }
            }
        }
        "append" => {
            for (name, node) in object.need("append")?.members()? {
                slots.push(names.list_slot(name).map_err(|why| node.refused(why))?);
            }
        }
        _ => {
            slots.extend(object.read("as", |node| node.read(|name| names.slot(name)))?);
            for (_, nested) in object.present(&["requests", "else"]) {
                slots.extend(register(&nested.list()?, names)?);
            }
        }
    }
    Ok(())
}

/// The kind of a step and its object; `None` for a request.
fn kind<'j>(node: &Node<'j>) -> Result<Option<(&'static str, Object<'j>)>> {
    let Json::Object(members) = node.value() else { return node.object(&keys::REQUEST).map(|_| None) };
    let has = |key: &str| members.iter().any(|(member, _)| member == key);
    let all: BTreeSet<&str> = KINDS.iter().flat_map(|(_, keys)| keys.iter()).chain(&keys::REQUEST).copied().collect();
    node.object(&Vec::from_iter(all))?;
    let mut kinds = KINDS.iter().filter(|(kind, _)| has(kind));
    let Some((kind, known)) = kinds.next() else { return Ok(None) };
    if let Some((other, _)) = kinds.next() {
        return Err(node.refused(format!("{kind:?} and {other:?} are steps of their own")));
    }
    if let Some((stray, _)) = members.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        let place = if known.contains(&"requests") { "; a request belongs in its \"requests\"" } else { "" };
        return Err(node.refused(format!("{stray:?} cannot be combined with the step {kind:?}{place}")));
    }
    Ok(Some((kind, node.object(known)?)))
}

fn block(nodes: &[Node<'_>], compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Box<[Step]>> {
    let mut steps = Vec::with_capacity(nodes.len());
    for node in nodes {
        steps.push(match kind(node)? {
            None => Step::Request(compiler.request_step(node)?),
            Some((kind, object)) => step(kind, &object, compiler, nesting)?,
        });
        make_available(std::slice::from_ref(node), &mut compiler.names)?;
    }
    Ok(steps.into())
}

fn step(kind: &str, object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Step> {
    let node = object.need(kind)?;
    Ok(match kind {
        "pause" => Step::Pause(pause(&node)?),
        "repeat" => Step::Repeat(Box::new(repeat(&node, object, compiler, nesting)?)),
        "for_each" => Step::ForEach(Box::new(for_each(&node, object, compiler, nesting)?)),
        "when" => Step::When(Box::new(When {
            condition: condition(&node, &mut compiler.names)?,
            steps: nested("requests", object, compiler, nesting)?,
            otherwise: match object.get("else") {
                Some(_) => nested("else", object, compiler, nesting)?,
                None => Box::default(),
            },
        })),
        "until" => Step::Until(Box::new(until(&node, object, compiler, nesting)?)),
        "leave" => leave(&node, nesting)?,
        "stop" => node.word(&[("user", ())]).map(|()| Step::StopUser)?,
        "set" => Step::Set(set(&node, &mut compiler.names)?),
        _ => Step::Append(append(&node, &mut compiler.names)?),
    })
}

/// The steps within a step.
fn nested(key: &str, object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Box<[Step]>> {
    let node = object.need(key)?;
    if nesting.depth >= MAX_DEPTH {
        return Err(node.refused(format!("is nested deeper than {MAX_DEPTH} steps")));
    }
    block(&node.some()?, compiler, Nesting { depth: nesting.depth + 1, ..nesting })
}

/// The steps within a loop: each can use what any of them has set in the round before.
fn rounds(object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Box<[Step]>> {
    make_available(&object.need("requests")?.some()?, &mut compiler.names)?;
    nested("requests", object, compiler, Nesting { is_in_loop: true, ..nesting })
}

fn pause(node: &Node<'_>) -> Result<Pause> {
    match wait(node)? {
        Wait::None => Ok(Pause { low: std::time::Duration::ZERO, high: std::time::Duration::ZERO }),
        Wait::Constant(length) => Ok(Pause { low: length, high: length }),
        Wait::Between(low, high) => Ok(Pause { low, high }),
        Wait::Pacing(_) => Err(node.refused("expected 1s or 1s..3s: pacing is for the \"wait\" of a class")),
    }
}

fn repeat(node: &Node<'_>, object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Repeat> {
    let times = match node.value() {
        Json::Text(_) => node.read(range)?,
        _ => node.count(1..=MAX_ROUNDS).map(|times| Rounds { low: times, high: times })?,
    };
    let counter = variable(object, &mut compiler.names)?;
    Ok(Repeat { times, counter, steps: rounds(object, compiler, nesting)? })
}

fn range(text: &str) -> std::result::Result<Rounds, String> {
    let wrong = || format!("expected a number, or a range such as 1..5, up to {MAX_ROUNDS}");
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| is_number && *number <= MAX_ROUNDS).ok_or_else(wrong)
    };
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    let (low, high) = (number(low)?, number(high)?);
    if low <= high { Ok(Rounds { low, high }) } else { Err("the smaller number comes first, as in 1..5".to_owned()) }
}

/// The variable of `as`, which the steps of the loop can use.
fn variable(object: &Object<'_>, names: &mut ScenarioNames) -> Result<Option<SlotId>> {
    let slot = object.read("as", |node| node.read(|name| names.slot(name)))?;
    names.available.extend(slot);
    Ok(slot)
}

fn for_each(node: &Node<'_>, object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<ForEach> {
    let list = node.read(|name| list(name, &compiler.names))?;
    object.need("as")?;
    let Some(item) = variable(object, &mut compiler.names)? else { return Err(node.refused("\"as\" is missing")) };
    Ok(ForEach { list, item, steps: rounds(object, compiler, nesting)? })
}

/// The list of this name.
fn list(name: &str, names: &ScenarioNames) -> std::result::Result<SlotId, String> {
    match names.known_slot(name) {
        Some(slot) if !names.lists.contains(&slot) => Err(format!(
            "{name} holds one value; a list comes from \"append\" or from an extraction with \"pick\": \"all\""
        )),
        Some(slot) if names.available.contains(&slot) => Ok(slot),
        Some(_) => Err(format!("no step before this one fills the list {name}")),
        None => {
            let lists = names.lists.iter().map(|slot| names.slots[slot.0 as usize].as_str());
            Err(format!("there is no list {name:?}{}", keys::suggestion(name, lists)))
        }
    }
}

fn until(node: &Node<'_>, object: &Object<'_>, compiler: &mut Compiler<'_>, nesting: Nesting) -> Result<Until> {
    let every = object.need("every")?.positive_time()?;
    let at_most = object.need("at_most")?.count(1..=MAX_ROUNDS)?;
    let steps = rounds(object, compiler, nesting)?;
    // It is tested after the steps, whose values it can use.
    Ok(Until { condition: condition(node, &mut compiler.names)?, every, at_most, steps })
}

fn leave(node: &Node<'_>, nesting: Nesting) -> Result<Step> {
    if node.word(&[("task", false), ("loop", true)])? {
        return if nesting.is_in_loop { Ok(Step::LeaveLoop) } else { Err(node.refused("there is no loop around it")) };
    }
    Ok(Step::LeaveTask)
}

fn set(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Box<[Assignment]>> {
    let mut assignments = Vec::new();
    for (name, node) in members(node)? {
        if matches!(node.value(), Json::Null) {
            let unknown =
                || format!("no step sets {name}{}", keys::suggestion(name, names.slots.iter().map(String::as_str)));
            let slot = names.known_slot(name).ok_or_else(|| node.refused(unknown()))?;
            assignments.push(Assignment { slot, value: None });
            continue;
        }
        let value = Some(value(name, &node, names)?);
        let slot = names.slot(name).map_err(|why| node.refused(why))?;
        names.available.insert(slot);
        assignments.push(Assignment { slot, value });
    }
    Ok(assignments.into())
}

fn append(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Box<[Addition]>> {
    let mut additions = Vec::new();
    for (name, node) in members(node)? {
        let list = names.list_slot(name).map_err(|why| node.refused(why))?;
        additions.push(Addition { list, item: value(name, &node, names)? });
    }
    Ok(additions.into())
}

/// At least one member.
fn members<'j>(node: &Node<'j>) -> Result<Vec<(&'j str, Node<'j>)>> {
    let members = node.members()?;
    if members.is_empty() { Err(node.refused("is empty")) } else { Ok(members) }
}

/// A text with `${...}`, a number with its digits, or a truth value. It is a secret if the variable is called like one.
fn value(name: &str, node: &Node<'_>, names: &mut ScenarioNames) -> Result<Template> {
    let value = match node.value() {
        Json::Text(text) => names.text(text, TextEncoding::Plain).map_err(|why| node.refused(why))?,
        Json::Number(number) => Template::literal(number.as_str()),
        Json::Bool(truth) => Template::literal(&truth.to_string()),
        other => return Err(node.refused(format!("expected text, a number or a truth value, not {}", other.kind()))),
    };
    Ok(if is_secret(name) { value.into_secret() } else { value })
}
