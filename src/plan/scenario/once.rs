//! `setup` and `teardown`: steps of no user, done once for the run.

use std::collections::BTreeSet;

use super::reader::{Node, Object};
use super::request::Compiler;
use super::steps::{self, steps};
use crate::error::Result;
use crate::plan::journey::OncePerRun;
use crate::plan::step;
use crate::plan::step::Step;

fn list<'j>(object: &Object<'j>, key: &str) -> Result<Vec<Node<'j>>> {
    object.get(key).map_or_else(|| Ok(Vec::new()), |node| node.list())
}

/// Makes the variables that `setup` sets known, which all users have.
pub(super) fn register(object: &Object<'_>, compiler: &mut Compiler<'_>) -> Result<()> {
    let slots = steps::register(&list(object, "setup")?, &mut compiler.names)?;
    compiler.set_by_setup = slots.into_iter().collect();
    steps::register(&list(object, "teardown")?, &mut compiler.names)?;
    Ok(())
}

/// Compiles the steps.
pub(super) fn compile(object: &Object<'_>, compiler: &mut Compiler<'_>) -> Result<OncePerRun> {
    compiler.names.available = BTreeSet::new();
    let setup = compile_one(object, "setup", compiler)?;
    compiler.names.available.clone_from(&compiler.set_by_setup);
    let teardown = compile_one(object, "teardown", compiler)?;
    Ok(OncePerRun { setup, teardown })
}

fn compile_one(object: &Object<'_>, key: &str, compiler: &mut Compiler<'_>) -> Result<Box<[Step]>> {
    let nodes = list(object, key)?;
    compiler.names.used_sources = if nodes.is_empty() { BTreeSet::new() } else { compiler.common.clone() };
    let steps = steps(&nodes, compiler)?;
    let refused = |why: String| object.get(key).map_or(Ok(()), |node| Err(node.refused(why)));
    if let Some(source) = compiler.names.used_sources.first() {
        let name = compiler.names.sources[source.0 as usize].name();
        refused(format!("uses the data source {name}, whose rows are for users"))?;
    }
    if step::any(&steps, &|step| matches!(step, Step::StopUser)) {
        refused("has the step \"stop\", but there is no user".to_owned())?;
    }
    Ok(steps)
}
