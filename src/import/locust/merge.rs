//! What is known after a condition: the states of its branches in one.

use std::collections::BTreeMap;

use super::evaluator::{Evaluator, State};
use super::steps::Step;
use super::value::{RunValue, Value};

impl Evaluator<'_> {
    /// The state after either branch, where values that differ have become variables; the states as they are where that
    /// is not possible.
    pub(super) fn merged(
        &mut self,
        then: State,
        otherwise: State,
        branches: &mut (Vec<Step>, Vec<Step>),
    ) -> Result<State, Box<(State, State)>> {
        let mut merged = then.clone();
        let before = (branches.0.len(), branches.1.len());
        let locals = then.locals.iter().zip(&otherwise.locals).enumerate();
        let mut is_possible = true;
        for (at, (left, right)) in locals {
            let scope =
                self.frames.get(at).and_then(|frame| frame.function.as_ref()).map_or("", |f| &f.name).to_owned();
            is_possible &= self.merged_names(&scope, left, right, &mut merged.locals[at], branches);
        }
        for (at, (left, right)) in then.objects.iter().zip(&otherwise.objects).enumerate() {
            let into = &mut merged.objects[at].attributes;
            is_possible &= self.merged_names("self", &left.attributes, &right.attributes, into, branches);
        }
        for (key, value) in &otherwise.globals {
            merged.globals.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (name, value) in &otherwise.headers {
            match merged.headers.iter().find(|(known, _)| known == name) {
                Some((_, other)) => is_possible &= other == value,
                None => merged.headers.push((name.clone(), value.clone())),
            }
        }
        is_possible &= then.auth == otherwise.auth;
        if then.last != otherwise.last {
            merged.last = None;
        }
        if is_possible {
            return Ok(merged);
        }
        branches.0.truncate(before.0);
        branches.1.truncate(before.1);
        Err(Box::new((then, otherwise)))
    }

    fn merged_names(
        &mut self,
        scope: &str,
        left: &BTreeMap<String, Value>,
        right: &BTreeMap<String, Value>,
        into: &mut BTreeMap<String, Value>,
        branches: &mut (Vec<Step>, Vec<Step>),
    ) -> bool {
        for (name, value) in right {
            let Some(other) = left.get(name) else {
                into.insert(name.clone(), value.clone());
                continue;
            };
            if value == other {
                continue;
            }
            let is_simple = |value: &Value| {
                !value.is_structure() && !matches!(value, Value::Json(place) if place.pointer.is_empty())
            };
            if matches!((other, value), (Value::Unknown(_), _) | (_, Value::Unknown(_))) {
                let known = if matches!(other, Value::Unknown(_)) { value } else { other };
                into.insert(name.clone(), known.clone());
                continue;
            }
            if !is_simple(value) || !is_simple(other) {
                // What has no value in one branch fails there when it is used.
                let known = match (other, value) {
                    (Value::None, known) | (known, Value::None)
                        if !matches!(known, Value::Dict(_) | Value::List(_)) =>
                    {
                        known
                    }
                    _ => return false,
                };
                into.insert(name.clone(), known.clone());
                continue;
            }
            let variable = self.names.of(scope, name);
            let mut kinds = Vec::new();
            for (value, steps) in [(other, &mut branches.0), (value, &mut branches.1)] {
                let (more, kind, _) = self.branch(self.state.clone(), |this| this.assign_variable(&variable, value, 0));
                steps.extend(more);
                kinds.extend(kind.ok().filter(|_| *value != Value::None));
            }
            let Some(first) = kinds.first().copied() else { return false };
            let kind = if kinds.iter().all(|kind| *kind == first) { first } else { super::value::RunKind::Text };
            into.insert(name.clone(), Value::Run(RunValue::variable(&variable, kind)));
        }
        true
    }
}
