//! Functions of a user to the steps of its tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{Member, TaskRef, tags};
use super::evaluator::{Evaluator, Frame, Handler, State};
use super::library::whole;
use super::steps::{Step, leaves_loop, sends, without_last};
use super::syntax::{ExprKind, has_expr};
use super::value::{FunctionValue, Value};

/// A task of the scenario.
#[derive(Debug)]
pub(super) struct DraftTask {
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) tags: Vec<String>,
    pub(super) steps: Vec<Step>,
}

impl Evaluator<'_> {
    /// The steps of a method, such as `on_start`.
    pub(super) fn run_method(&mut self, object: usize, name: &str, handler: Handler) -> Vec<Step> {
        let class = self.state.objects[object].class;
        let Some((owner, Member::Function(function))) = self.program.member(class, name) else { return Vec::new() };
        let module = self.program.classes[owner].module;
        let called = FunctionValue { module, class: Some(owner), object: Some(object), function };
        self.handlers = vec![handler];
        let steps = self.run_function(&called, None);
        self.handlers.clear();
        steps
    }

    /// The steps of a function whose `return` ends the task.
    pub(super) fn run_function(&mut self, called: &FunctionValue, argument: Option<(String, Value)>) -> Vec<Step> {
        let function = &called.function;
        let mut locals: BTreeMap<_, _> = argument.into_iter().collect();
        if let (Some(first), Some(object)) = (function.parameters.first(), called.object) {
            locals.insert(first.name.clone(), Value::Object(object));
        }
        self.frames.push(Frame {
            module: called.module,
            class: called.class,
            object: called.object,
            function: Some(function.clone()),
            is_task: true,
            depth: self.depth,
            results: Vec::new(),
            result: None,
            variables: BTreeSet::new(),
        });
        self.state.locals.push(locals);
        self.splits = 0;
        let outer = std::mem::take(&mut self.out);
        self.block(&function.body);
        let steps = std::mem::replace(&mut self.out, outer);
        self.state.locals.pop();
        self.frames.pop();
        without_last(steps, &Step::LeaveTask)
    }

    pub(super) fn task(&mut self, task: &TaskRef, weight: u32, object: usize) -> Option<DraftTask> {
        let (module, class, function) = match task {
            TaskRef::Function(module, class, function) => (*module, *class, function.clone()),
            TaskRef::Set(set) => {
                let body = &self.program.classes[*set].body;
                self.lost(
                    body.line,
                    format!(
                        "the TaskSet {} is left out: it is nested, and gives back control with interrupt()",
                        body.name
                    ),
                );
                return None;
            }
        };
        let (name, tags) = (function.name.clone(), tags(&function.decorators));
        let before = self.state.clone();
        self.handlers = vec![Handler::LeaveTask];
        self.state.last = None;
        let interrupts = has_expr(&function.body, &|expr| {
            expr.call()
                .is_some_and(|call| matches!(&call.function.kind, ExprKind::Attribute(_, name) if name == "interrupt"))
        });
        let steps =
            self.run_function(&FunctionValue { module, class, object: Some(object), function: function.clone() }, None);
        let globals = std::mem::take(&mut self.state.globals);
        self.state = State { globals, ..before };
        self.handlers.clear();
        if interrupts && !sends(&steps) {
            self.lost(function.line, format!("{name} is left out: it calls interrupt()"));
            return None;
        }
        if !sends(&steps) {
            self.lost(function.line, format!("the task {name} is left out: it sends no request that is known"));
        }
        Some(DraftTask { name, weight, tags, steps })
    }

    /// A `SequentialTaskSet`: one task with all its steps, and the think time between them.
    pub(super) fn sequence(&mut self, set: usize, object: usize, wait: Option<&str>) -> Vec<DraftTask> {
        let body = self.program.classes[set].body.clone();
        let tasks = self.program.tasks_in_order(set).unwrap_or_default();
        let pause = wait.filter(|wait| !wait.contains(':'));
        if wait.is_some() && pause.is_none() {
            self.lost(
                body.line,
                format!("{}: the think time between its tasks is left out: a pause is a length of time", body.name),
            );
        }
        let mut steps: Vec<Step> = Vec::new();
        self.handlers = vec![Handler::LeaveLoop(1)];
        self.depth = 1;
        for (task, weight) in tasks {
            let TaskRef::Function(module, class, function) = task else {
                self.lost(body.line, format!("a TaskSet within {} is left out", body.name));
                continue;
            };
            if !tags(&function.decorators).is_empty() {
                self.lost(
                    function.line,
                    format!("the tags of {} are left out: it is a step of a sequence", function.name),
                );
            }
            for _ in 0..weight {
                self.state.last = None;
                let own = self.run_function(
                    &FunctionValue { module, class, object: Some(object), function: function.clone() },
                    None,
                );
                let own: Vec<Step> = own.into_iter().map(map_leave).collect();
                let own = without_last(own, &Step::LeaveLoop);
                if let Some(pause) = pause.filter(|_| !steps.is_empty()) {
                    steps.push(Step::Pause(pause.to_owned()));
                }
                if leaves_loop(&own) {
                    steps.push(Step::Repeat { times: whole(1), counter: None, steps: own });
                } else {
                    steps.extend(own);
                }
            }
        }
        self.depth = 0;
        self.handlers.clear();
        vec![DraftTask { name: body.name.clone(), weight: 1, tags: tags(&body.decorators), steps }]
    }
}

/// Leaves the loop around these steps in place of the task.
pub(super) fn map_leave(step: Step) -> Step {
    match step {
        Step::LeaveTask => Step::LeaveLoop,
        Step::When(test, then, otherwise) => {
            Step::When(test, then.into_iter().map(map_leave).collect(), otherwise.into_iter().map(map_leave).collect())
        }
        other => other,
    }
}
