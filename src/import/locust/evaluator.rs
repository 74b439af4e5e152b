//! The state of the evaluation: what names mean at a place in the file, and the steps so far.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::condition::Condition;
use super::names::Names;
use super::program::Program;
use super::remarks::Remarks;
use super::steps::{Request, Step};
use super::syntax::{Function, Stmt};
use super::value::{Problem, Text, Value};
use super::when::when;
use crate::plan::json::Json;

/// Evaluates functions of a locustfile to steps of a scenario.
pub(super) struct Evaluator<'p> {
    pub(super) program: &'p Program,
    pub(super) remarks: Remarks,
    pub(super) names: Names,
    /// All requests; steps have their places.
    pub(super) requests: Vec<Request>,
    pub(super) state: State,
    /// The steps of the current block.
    pub(super) out: Vec<Step>,
    pub(super) frames: Vec<Frame>,
    pub(super) phase: Phase,
    /// Where exceptions lead to, the innermost last.
    pub(super) handlers: Vec<Handler>,
    /// Loops around the current block, those that may be made around inlined functions included.
    pub(super) depth: usize,
    /// How often a block was evaluated twice.
    pub(super) splits: usize,
    /// Values of the environment by their names in the scenario: variable and default.
    pub(super) variables: BTreeMap<String, (String, Option<String>)>,
    /// Tables of data by their names in the scenario.
    pub(super) data: BTreeMap<String, Json>,
    /// Attributes that are set more than once, or while tasks go on.
    pub(super) changing: BTreeSet<String>,
    /// Lists that items are added to, by the name of the attribute.
    pub(super) growing: BTreeSet<String>,
    pub(super) client: ClientSettings,
    /// Whether the task that is being evaluated is the only one of its user.
    pub(super) is_only_task: bool,
    /// Whether `on_start` looks at whether its requests failed.
    pub(super) looks_at_failures: bool,
    /// The constants that are being evaluated, so that one of itself is found.
    pub(super) pending: Vec<(usize, String)>,
}

/// Settings of the user class that concern each request.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientSettings {
    pub(super) is_fast: bool,
    pub(super) is_insecure: bool,
    pub(super) timeout: Option<String>,
    pub(super) redirects: Option<u32>,
    /// What is put before a path: the host of a class that is not that of the file.
    pub(super) base: String,
    /// The host of the file.
    pub(super) host: Option<Text>,
}

/// What is being evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Setup,
    Start,
    Task,
    Stop,
}

/// Where an exception leads to.
#[derive(Clone, Debug)]
pub(super) enum Handler {
    LeaveTask,
    StopUser,
    /// Out of the loop at this depth.
    LeaveLoop(usize),
    /// The statements of `except`, and then out of the loop at this depth.
    Except(Rc<Vec<Stmt>>, usize),
}

/// A function that is being evaluated.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) module: usize,
    pub(super) class: Option<usize>,
    pub(super) object: Option<usize>,
    pub(super) function: Option<Rc<Function>>,
    /// Whether `return` ends the task.
    pub(super) is_task: bool,
    /// Depth of the loops when it was called.
    pub(super) depth: usize,
    /// The values that it returned so far.
    pub(super) results: Vec<Value>,
    /// The variable that takes one of several values.
    pub(super) result: Option<String>,
    /// Local names that are variables of the scenario, as a loop changes them.
    pub(super) variables: BTreeSet<String>,
}

/// What may be different in the branches of a condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Local names, for each frame.
    pub(super) locals: Vec<BTreeMap<String, Value>>,
    pub(super) objects: Vec<ObjectState>,
    /// Header fields of the client.
    pub(super) headers: Vec<(String, Option<Text>)>,
    /// The `Authorization` that `self.client.auth` makes.
    pub(super) auth: Option<Text>,
    /// The request whose status `${status}` is.
    pub(super) last: Option<usize>,
    /// What requests are counted by, unless they say it.
    pub(super) request_name: Option<String>,
    /// Names of modules that were set by functions.
    pub(super) globals: BTreeMap<(usize, String), Value>,
}

/// An instance of a class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectState {
    pub(super) class: usize,
    pub(super) attributes: BTreeMap<String, Value>,
}

/// Whether the statements after a block are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Ends,
}

/// A result that says why it is missing.
pub(super) type Known<T> = Result<T, Problem>;

impl<'p> Evaluator<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Self {
            program,
            remarks: Remarks::default(),
            names: Names::default(),
            requests: Vec::new(),
            state: State::default(),
            out: Vec::new(),
            frames: Vec::new(),
            phase: Phase::Start,
            handlers: Vec::new(),
            depth: 0,
            splits: 0,
            variables: BTreeMap::new(),
            data: BTreeMap::new(),
            changing: BTreeSet::new(),
            growing: BTreeSet::new(),
            client: ClientSettings::default(),
            is_only_task: false,
            looks_at_failures: false,
            pending: Vec::new(),
        }
    }

    /// The module whose code is being evaluated.
    pub(super) fn module(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.module)
    }

    /// Notes something that is left out or changed.
    pub(super) fn lost(&mut self, line: u32, why: impl Into<String>) {
        let file = self.program.modules[self.module()].file.clone();
        self.remarks.lost(&file, line, why.into());
    }

    /// Notes something that is taken over in another way than it may seem.
    pub(super) fn remark(&mut self, line: u32, what: impl Into<String>) {
        let file = self.program.modules[self.module()].file.clone();
        self.remarks.remark(&file, line, what.into());
    }

    /// Evaluates a part on its own: its steps, what it gives, and the state after it.
    pub(super) fn branch<T>(&mut self, state: State, part: impl FnOnce(&mut Self) -> T) -> (Vec<Step>, T, State) {
        let outer = std::mem::take(&mut self.out);
        let before = std::mem::replace(&mut self.state, state);
        let given = part(self);
        let after = std::mem::replace(&mut self.state, before);
        (std::mem::replace(&mut self.out, outer), given, after)
    }

    /// Adds the steps of a condition.
    pub(super) fn emit_when(&mut self, condition: Condition, then: Vec<Step>, otherwise: Vec<Step>) {
        let names = &mut self.names;
        let steps = when(condition, then, otherwise, &mut || names.fresh("is_met"));
        self.out.extend(steps);
    }

    /// Adds the steps of an exception.
    pub(super) fn abort(&mut self) {
        match self.handlers.last().cloned() {
            Some(Handler::StopUser) => self.out.push(Step::StopUser),
            Some(Handler::LeaveLoop(depth)) if depth == self.depth => self.out.push(Step::LeaveLoop),
            Some(Handler::Except(block, depth)) => {
                let handler = self.handlers.pop();
                let flow = self.block(&block);
                self.handlers.extend(handler);
                if flow == Flow::Next {
                    self.out.push(if depth == self.depth { Step::LeaveLoop } else { Step::LeaveTask });
                }
            }
            _ => self.out.push(Step::LeaveTask),
        }
    }

    /// Sets a variable of the user.
    pub(super) fn set(&mut self, name: &str, value: Json) {
        self.out.push(Step::Set(name.to_owned(), value));
    }

    /// The local names of the current function.
    pub(super) fn locals(&mut self) -> &mut BTreeMap<String, Value> {
        if self.state.locals.is_empty() {
            self.state.locals.push(BTreeMap::new());
        }
        let last = self.state.locals.len() - 1;
        &mut self.state.locals[last]
    }

    /// The name of the function that is being evaluated.
    pub(super) fn scope(&self) -> String {
        let name = |frame: &Frame| frame.function.as_ref().map_or_else(String::new, |function| function.name.clone());
        self.frames.last().map_or_else(String::new, name)
    }
}
