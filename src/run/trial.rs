//! One user of each class does each task once: what a scenario does, without a load and without a stream.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::load::net::connection::Dialer;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::roster::Roster;
use crate::load::swarm::stop::Stop;
use crate::load::swarm::trial;
pub use crate::load::swarm::trial::{PartEnd, TrialEvent, TrialPart};
use crate::plan::Plan;
use crate::plan::journey::{Task, UserClass};
use crate::plan::scenario::keys::suggestion;

/// What is tried.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this class.
    pub class: Option<String>,
    /// Only tasks of this name.
    pub task: Option<String>,
}

/// What happens in a trial, and the class that it happens to if it is not all.
pub type ShowTrial<'s> = &'s (dyn for<'p> Fn(Option<&'p UserClass>, TrialEvent<'p>) + Sync);

/// Performs the trial, and shows what happens as soon as it does.
///
/// # Errors
/// Exit 2: there is no class or task of that name.
pub fn run(plan: &Plan, selection: &Selection, show: ShowTrial<'_>) -> Result<()> {
    let chosen = chosen(plan, selection)?;
    let clock = Clock::start_now();
    let roster = Arc::new(Roster::default());
    let stop = Stop::new(Arc::clone(&roster));
    let dialer = Dialer::new(plan);
    let context = RunContext { plan, clock: &clock, stop: &stop, roster: &roster };
    trial::perform(context, &dialer, &chosen, &|class, event| show(class, event));
    Ok(())
}

/// The chosen classes, each with its chosen tasks.
fn chosen<'p>(plan: &'p Plan, selection: &Selection) -> Result<Vec<(usize, Vec<&'p Task>)>> {
    let classes = plan.classes().iter().enumerate();
    let classes: Vec<(usize, &UserClass)> =
        classes.filter(|(_, class)| selection.class.as_ref().is_none_or(|name| *name == class.name)).collect();
    if let (Some(name), []) = (&selection.class, &classes[..]) {
        let known = plan.classes().iter().map(|class| class.name.as_str());
        return Err(Error::usage("--class", format!("there is no class {name:?}{}", suggestion(name, known))));
    }
    let is_chosen = |task: &&Task| selection.task.as_ref().is_none_or(|name| *name == task.name);
    let tasks = |class: &'p UserClass| class.tasks.as_slice().iter().filter(is_chosen).collect::<Vec<_>>();
    let all: Vec<_> = classes.iter().map(|(at, class)| (*at, tasks(class))).collect();
    let with_tasks: Vec<_> = all.into_iter().filter(|(_, tasks)| !tasks.is_empty()).collect();
    if let (Some(name), []) = (&selection.task, &with_tasks[..]) {
        let known = classes.iter().flat_map(|(_, class)| class.tasks.as_slice()).map(|task| task.name.as_str());
        return Err(Error::usage("--task", format!("there is no task {name:?}{}", suggestion(name, known))));
    }
    Ok(with_tasks)
}
