//! User classes of a locustfile to those of a scenario.

use std::collections::BTreeSet;

use super::classes::{ClassKind, Member, TaskRef, Weighted};
use super::evaluator::{ClientSettings, Evaluator, Handler, Phase, State};
use super::library::{seconds, whole};
use super::random::gcd;
use super::steps::{Step, leaves_loop, sends};
use super::syntax::{Expr, Function, Stmt, has_stmt};
use super::tasks::{DraftTask, map_leave};
use super::value::{Text, Value};
use crate::plan::json::Json;

/// A class of the scenario.
#[derive(Debug)]
pub(super) struct DraftUser {
    pub(super) name: String,
    pub(super) weight: usize,
    /// The weight is counted in so many parts of one.
    pub(super) shares: usize,
    pub(super) fixed_count: Option<i64>,
    pub(super) wait: Option<String>,
    pub(super) on_start: Vec<Step>,
    pub(super) tasks: Vec<DraftTask>,
    pub(super) on_stop: Vec<Step>,
}

impl Evaluator<'_> {
    /// The classes of the scenario that a user class becomes.
    pub(super) fn users(&mut self, class: usize, base: &str) -> Vec<DraftUser> {
        let name = self.program.classes[class].body.name.clone();
        self.enter_module(self.program.classes[class].module);
        let users = self.users_of(class, &name, base);
        self.leave_module();
        users
    }

    /// The tasks of a class; none where it has none that are known.
    fn tasks_of(&mut self, class: usize, name: &str) -> Option<Vec<Weighted>> {
        let line = self.program.classes[class].body.line;
        match self.program.tasks(class) {
            Ok(tasks) if tasks.is_empty() => self.lost(line, format!("{name} is left out: it has no task")),
            Ok(tasks) => return Some(tasks),
            Err(line) => self.lost(line, format!("{name} is left out: its tasks are built by code")),
        }
        None
    }

    fn users_of(&mut self, class: usize, name: &str, base: &str) -> Vec<DraftUser> {
        let line = self.program.classes[class].body.line;
        let Some(tasks) = self.tasks_of(class, name) else { return Vec::new() };
        let weight = self.number_of(class, "weight").unwrap_or(1);
        if weight < 1 {
            self.lost(line, format!("{name} is left out: its weight is {weight}, so it gets no users"));
            return Vec::new();
        }
        let fixed = self.number_of(class, "fixed_count").filter(|count| *count > 0);
        let stays = |task: &Weighted| matches!(task.0, TaskRef::Set(set) if !self.program.interrupts(set));
        let (sets, plain): (Vec<Weighted>, Vec<Weighted>) = tasks.into_iter().partition(stays);
        let mut users = Vec::new();
        if sets.is_empty() {
            let one = self.user((class, None), name.to_owned(), base, &plain);
            users.extend(one.map(|user| DraftUser {
                weight: usize::try_from(weight).unwrap_or(1),
                fixed_count: fixed,
                ..user
            }));
            return users;
        }
        if !plain.is_empty() {
            self.lost(
                line,
                format!(
                    "{name}: tasks beside a TaskSet without interrupt() are left out: its users stay in the TaskSet"
                ),
            );
        }
        let total: u32 = sets.iter().map(|(_, weight)| weight).sum();
        if sets.len() > 1 {
            self.remark(line, format!("{name} has {} TaskSets without interrupt(): a user stays in the first one that it takes, so each is a class", sets.len()));
        }
        for (task, share) in &sets {
            let TaskRef::Set(set) = task else { continue };
            let set_name = self.program.classes[*set].body.name.clone();
            let own = if sets.len() == 1 { name.to_owned() } else { format!("{name}: {set_name}") };
            let Some(inner) = self.tasks_of(*set, &set_name) else { continue };
            let Some(user) = self.user((class, Some(*set)), own, base, &inner) else { continue };
            let count = fixed.map(|count| (count * i64::from(*share) / i64::from(total)).max(1));
            if fixed.is_some() && sets.len() > 1 {
                self.lost(line, format!("{name}: fixed_count is dealt out to its TaskSets by their weights"));
            }
            let weight = usize::try_from(weight).unwrap_or(1) * *share as usize;
            users.push(DraftUser { weight, fixed_count: count, ..user });
        }
        // Their shares are of the weight of the class.
        for user in &mut users {
            user.shares = total as usize;
        }
        users
    }

    fn number_of(&mut self, class: usize, name: &str) -> Option<i64> {
        let (_, Member::Value(expr)) = self.program.member(class, name)? else { return None };
        match self.eval(&expr) {
            Value::Int(number) => Some(number),
            Value::None => None,
            #[expect(clippy::cast_possible_truncation, reason = "a weight")]
            Value::Float(number) if number >= 1.0 => Some(number.round() as i64),
            _ => {
                self.lost(expr.line, format!("{name} is left out: it is not known"));
                None
            }
        }
    }

    /// One class of the scenario: a user class, with the `TaskSet` that its users stay in.
    fn user(
        &mut self,
        (class, set): (usize, Option<usize>),
        name: String,
        base: &str,
        tasks: &[Weighted],
    ) -> Option<DraftUser> {
        self.state = State {
            locals: std::mem::take(&mut self.state.locals),
            globals: std::mem::take(&mut self.state.globals),
            ..State::default()
        };
        self.client = self.settings(class, base);
        self.find_changing(&[Some(class), set].into_iter().flatten().collect::<Vec<_>>());
        let user = self.new_object(class);
        let own = set.map_or(user, |set| self.new_object(set));
        let wait = self.wait(class, set);
        self.phase = Phase::Start;
        self.looks_at_failures = false;
        self.default_headers(class);
        let mut on_start = Vec::new();
        for object in BTreeSet::from([user, own]) {
            on_start.extend(self.initial(object));
            on_start.extend(self.run_method(object, "__init__", Handler::StopUser));
            on_start.extend(self.run_method(object, "on_start", Handler::StopUser));
        }
        self.phase = Phase::Task;
        self.is_only_task = tasks.len() == 1;
        let is_sequential = set.is_some_and(|set| self.program.kind(set) == ClassKind::TaskSet { is_sequential: true });
        let mut drafts = if is_sequential {
            self.is_only_task = false;
            self.sequence(set.unwrap_or(class), own, wait.as_deref())
        } else {
            tasks.iter().filter_map(|(task, weight)| self.task(task, *weight, own)).collect()
        };
        self.phase = Phase::Stop;
        let mut on_stop = Vec::new();
        for object in BTreeSet::from([own, user]).into_iter().rev() {
            on_stop.extend(self.run_method(object, "on_stop", Handler::LeaveTask));
        }
        self.phase = Phase::Start;
        drafts.retain(|task| sends(&task.steps));
        if drafts.is_empty() {
            self.lost(
                self.program.classes[class].body.line,
                format!("{name} is left out: none of its tasks sends a request"),
            );
            return None;
        }
        let on_start = self.started(on_start, &mut drafts, class);
        Some(DraftUser { name, weight: 1, shares: 1, fixed_count: None, wait, on_start, tasks: drafts, on_stop })
    }

    /// Where `on_start` goes on after a request that failed, the first task does it: a scenario's own `on_start` is repeated
    /// until none of its requests fails.
    fn started(&mut self, on_start: Vec<Step>, tasks: &mut [DraftTask], class: usize) -> Vec<Step> {
        if !sends(&on_start) {
            return on_start;
        }
        let line = self.program.classes[class].body.line;
        let name = self.program.classes[class].body.name.clone();
        if !self.looks_at_failures {
            self.remark(line, format!("{name}: if a request of on_start fails, on_start is repeated after a second; in Locust the user goes on, or ends"));
            return on_start;
        }
        self.remark(
            line,
            format!("{name}: on_start goes on when a request of it fails, so the first task of a user does it"),
        );
        let flag = self.names.fresh("is_started");
        let mut first = vec![Step::Set(flag.clone(), Json::Bool(true))];
        let steps: Vec<Step> = on_start.into_iter().map(map_leave).collect();
        if leaves_loop(&steps) {
            first.push(Step::Repeat { times: whole(1), counter: None, steps });
        } else {
            first.extend(steps);
        }
        for task in tasks {
            task.steps.insert(0, Step::When(format!("${{{flag}}} is_empty"), first.clone(), Vec::new()));
        }
        Vec::new()
    }

    /// The settings of the client of a user class.
    fn settings(&mut self, class: usize, base: &str) -> ClientSettings {
        let is_fast = self.program.kind(class) == ClassKind::User { is_fast: true };
        let mut settings = ClientSettings { is_fast, base: base.to_owned(), ..ClientSettings::default() };
        settings.is_insecure = self.client.is_insecure;
        settings.host.clone_from(&self.client.host);
        if is_fast {
            let value = |this: &mut Self, name: &str| {
                let (_, Member::Value(expr)) = this.program.member(class, name)? else { return None };
                Some(this.eval(&expr))
            };
            settings.timeout = value(self, "network_timeout").and_then(|value| value.number()).map(seconds);
            settings.redirects = value(self, "max_redirects").and_then(|value| value.number()).map(|number| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
                let number = number as u32;
                number
            });
            let verifies = value(self, "insecure") == Some(Value::Bool(false));
            let speaks_tls = settings.host.as_ref().is_none_or(|host| !host.template().starts_with("http://"));
            if !verifies && speaks_tls && !settings.is_insecure {
                self.remark(
                    self.program.classes[class].body.line,
                    "a FastHttpUser does not verify certificates: \"insecure\": true",
                );
                settings.is_insecure = true;
            }
            for name in ["proxy_host", "proxy_port", "ssl_context_factory", "client_pool"] {
                if let Some((_, Member::Value(expr))) = self.program.member(class, name) {
                    self.lost(expr.line, format!("{name} is left out"));
                }
            }
            for (name, what) in [
                ("connection_timeout", "use --connect-timeout"),
                ("max_retries", "connections that the server closed are reopened once"),
            ] {
                if let Some((_, Member::Value(expr))) = self.program.member(class, name) {
                    self.remark(expr.line, format!("{name} is not taken over: {what}"));
                }
            }
        }
        settings
    }

    /// `default_headers` of a `FastHttpUser`.
    fn default_headers(&mut self, class: usize) {
        if let Some((_, Member::Value(expr))) = self.program.member(class, "default_headers")
            && self.client.is_fast
            && let Value::Dict(members) = self.eval(&expr)
        {
            for (key, value) in members {
                self.set_header(&key, value, expr.line);
            }
        }
    }

    /// The host of a user class; none without one.
    pub(super) fn host(&mut self, class: usize) -> Option<Text> {
        let (owner, Member::Value(expr)) = self.program.member(class, "host")? else { return None };
        self.enter_module(self.program.classes[owner].module);
        let value = self.eval(&expr);
        let host = match &value {
            Value::None => None,
            value => match self.text(value, expr.line) {
                Ok(text) => Some(text),
                Err(problem) => {
                    self.lost(expr.line, format!("host is left out: {}", problem.why));
                    None
                }
            },
        };
        self.leave_module();
        host
    }
}

/// Whether a function is a listener of an event, and of which.
pub(super) fn event_of(function: &Function) -> Option<String> {
    function.decorators.iter().find_map(|decorator| {
        let name = decorator.dotted().or_else(|| decorator.call().and_then(|call| call.function.dotted()))?;
        let name = name.strip_suffix(".add_listener")?.rsplit('.').next()?.to_owned();
        Some(name)
    })
}

/// Whether a block sends a request itself.
pub(super) fn has_request(block: &[Stmt]) -> bool {
    has_stmt(block, &|stmt| stmt.expressions().into_iter().any(has_request_expr))
}

/// Whether an expression sends a request itself.
pub(super) fn has_request_expr(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        let name = expr.call().and_then(|call| call.function.dotted()).unwrap_or_default();
        found |= name.starts_with("requests.") || name.contains("client.");
    });
    found
}

/// Makes the weights of all classes whole numbers that are as small as possible.
pub(super) fn share(users: &mut [DraftUser]) {
    let parts = users.iter().fold(1, |all, user| all / gcd(all, user.shares) * user.shares);
    for user in users.iter_mut() {
        user.weight *= parts / user.shares;
    }
    let common =
        users.iter().filter(|user| user.fixed_count.is_none()).fold(0, |all, user| gcd(all, user.weight)).max(1);
    // The weights of the file are left as they are where none is divided.
    if parts > 1 {
        for user in users.iter_mut() {
            user.weight = (user.weight / common).max(1);
        }
    }
}
