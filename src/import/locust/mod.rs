//! Locustfiles: Python parses them, nothing of them is executed, and what is understood becomes a scenario.
//!
//! ```text
//! file ─► python (its own `ast`) ─► parse ─► syntax ─► program: modules, classes
//!      ─► evaluator: functions of users to steps, with values known now or in the run ─► render ─► JSON
//! ```
//! The evaluator is in several files: `expr`, `truth`, `texts`, `calls`, `library`, `methods`, `attributes`, `answers` are
//! about values; `client` and `outcome` about requests; `block`, `loops`, `exceptions` and `merge` about statements; `users` and `shape`
//! about classes.

mod answers;
mod assign;
mod attributes;
mod block;
mod bodies;
mod builtins;
mod calls;
mod changing;
mod choices;
mod classes;
mod client;
mod clock;
mod condition;
mod either;
mod evaluator;
mod exceptions;
mod expr;
mod headers;
mod hosts;
mod library;
mod listeners;
mod loops;
mod merge;
mod methods;
mod names;
mod outcome;
mod parse;
mod program;
mod python;
mod random;
mod refused;
mod remarks;
mod render;
mod shape;
mod shared;
mod statuses;
mod steps;
mod syntax;
mod tasks;
mod texts;
mod truth;
mod users;
mod value;
mod when;

use std::path::Path;

use super::draft::{Import, Notes};
use crate::error::{Error, Result};
use classes::ClassKind;
use evaluator::Evaluator;
use program::Program;
use render::Top;
use users::DraftUser;
use value::Text;

/// Returns whether an input is a locustfile, by its name, or a folder.
pub(super) fn is_locustfile(input: &str) -> bool {
    let path = Path::new(input);
    path.extension().is_some_and(|ending| ending == "py") || path.is_dir()
}

/// Creates a scenario from a locustfile, or the one in a folder.
///
/// # Errors
/// The file cannot be read or parsed, or nothing of it can be taken over.
pub(super) fn import(input: &str) -> Result<Import> {
    let program = Program::read(Path::new(input))?;
    let mut evaluator = Evaluator::new(&program);
    let classes = user_classes(&mut evaluator);
    let hosts: Vec<Option<Text>> = classes.iter().map(|class| evaluator.host(*class)).collect();
    let mut top = Top { name: name_of(input, &program), ..Top::default() };
    let first = hosts.iter().flatten().next().cloned();
    top.host = first.as_ref().map(Text::template);
    evaluator.client.host.clone_from(&first);
    top.setup = evaluator.listeners();
    let mut users: Vec<DraftUser> = Vec::new();
    for (class, host) in classes.iter().zip(&hosts) {
        let base = match host {
            Some(host) if Some(host) != first.as_ref() => host.template().trim_end_matches('/').to_owned(),
            _ => String::new(),
        };
        users.extend(evaluator.users(*class, &base));
    }
    users::share(&mut users);
    for class in 0..program.classes.len() {
        if program.kind(class) == ClassKind::Shape && program.classes[class].outer.is_none() {
            top.stages = evaluator.stages(class).or(top.stages);
        }
    }
    if users.is_empty() {
        let reasons: Vec<String> =
            std::mem::take(&mut evaluator.remarks).into_sentences().map(|(sentence, _)| sentence).collect();
        let why = if reasons.is_empty() { "it has no HttpUser with tasks".to_owned() } else { reasons.join("; ") };
        return Err(Error::usage(input, format!("nothing can be taken over: {why}")));
    }
    if hosts.iter().any(|host| *host != first) {
        let file = &program.modules[0].file;
        let what = "classes have different hosts: --host changes that of the file only, in Locust all of them";
        evaluator.remarks.remark(file, 0, what.to_owned());
    }
    if top.host.is_none() {
        evaluator.remarks.remark(
            &program.modules[0].file,
            0,
            "has no host; pass --host to run, as to Locust".to_owned(),
        );
    }
    finish(input, &mut evaluator, &top, &users)
}

/// The classes that Locust would start: not abstract ones, nor those of other modules that are only inherited from.
fn user_classes(evaluator: &mut Evaluator<'_>) -> Vec<usize> {
    let program = evaluator.program;
    let is_visible = |class: usize| {
        let body = &program.classes[class].body;
        program.classes[class].outer.is_none()
            && matches!(program.lookup(0, &body.name), Some((_, program::Binding::Class(known))) if known == class)
    };
    let mut users = Vec::new();
    for class in (0..program.classes.len()).filter(|class| is_visible(*class)) {
        let body = &program.classes[class].body;
        let file = &program.modules[program.classes[class].module].file;
        match program.kind(class) {
            ClassKind::User { .. } if !is_abstract(program, class) => users.push(class),
            ClassKind::OtherUser if !is_abstract(program, class) => {
                evaluator.remarks.lost(file, body.line, format!("{} is left out: it is not an HttpUser", body.name));
            }
            _ => {}
        }
    }
    users
}

fn is_abstract(program: &Program, class: usize) -> bool {
    let is_true = matches!(program.own_member(class, "abstract"), Some(classes::Member::Value(expr)) if expr.kind == syntax::ExprKind::Bool(true));
    is_true || program.tasks(class).is_ok_and(|tasks| tasks.is_empty())
}

fn name_of(input: &str, program: &Program) -> String {
    let file = &program.modules[0].file;
    let stem = file.strip_suffix(".py").unwrap_or(file);
    let folder = Path::new(input).file_name().map(|name| name.to_string_lossy().into_owned());
    match folder {
        Some(folder) if stem == "locustfile" && Path::new(&folder).extension().is_none_or(|ending| ending != "py") => {
            folder
        }
        _ => stem.rsplit('/').next().unwrap_or(stem).to_owned(),
    }
}

fn finish(input: &str, evaluator: &mut Evaluator<'_>, top: &Top, users: &[DraftUser]) -> Result<Import> {
    let scenario = evaluator.scenario(top, users);
    let (text, left_out) = refused::accepted(&evaluator.program.folder, input, scenario)?;
    let file = &evaluator.program.modules[0].file;
    for sentence in left_out {
        evaluator.remarks.lost(file, 0, sentence);
    }
    let mut notes = Notes::default();
    for (sentence, is_lost) in std::mem::take(&mut evaluator.remarks).into_sentences() {
        if is_lost {
            notes.lost(sentence);
        } else {
            notes.add(sentence);
        }
    }
    let (notes, is_whole) = notes.finish();
    Ok(Import { scenario: text + "\n", notes, is_whole })
}
