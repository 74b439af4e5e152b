//! Trying out a scenario or requests: one user does each task once, and every exchange is shown.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stdio::print;
use crate::cli::{SettingSources, TryFlags};
use crate::error::{Error, Exit, Result};
use crate::event::Notice;
use crate::outcome::Ending;
use crate::plan::engine::Environment;
use crate::plan::journey::UserClass;
use crate::plan::{Plan, ProcessContext, random};
use crate::run::trial::{self, PartEnd, Selection, TrialEvent, TrialPart};
use crate::secret::KnownSecrets;
use crate::telemetry::warnings;
use crate::transcript::plain::plain;
use crate::transcript::text::{Colours, MAX_BODY, Style, text};

/// `swarmline try`.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, or a class or task is unknown; exit 4 when stdout cannot be written.
pub(super) fn run(flags: &TryFlags, origins: &SettingSources, environment: &Environment) -> Result<Exit> {
    let stdout_is_terminal = io::stdout().is_terminal();
    let surroundings = ProcessContext { stdout_is_terminal, entropy: random::entropy(), environment };
    let plan = Plan::from_flags(&flags.run, origins, surroundings)?;
    let variable = |name: &str| environment.get(name).map(String::as_str);
    let has_colours =
        stdout_is_terminal && variable("NO_COLOR").is_none_or(str::is_empty) && variable("TERM") != Some("dumb");
    let colours = if has_colours { Colours::Ansi } else { Colours::None };
    let page = Page {
        plan: &plan,
        masks: !flags.show_secrets,
        colours,
        max_body: if flags.full { usize::MAX } else { MAX_BODY },
        done: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        lost: OnceLock::new(),
    };
    let selection = Selection { class: flags.class.clone(), task: flags.task.clone() };
    trial::run(&plan, &selection, &|class, event| page.show(class, event))?;
    page.finish()
}

/// What is shown of a trial.
struct Page<'p> {
    plan: &'p Plan,
    masks: bool,
    colours: Colours,
    max_body: usize,
    /// Exchanges.
    done: AtomicUsize,
    /// Exchanges and parts that were not as they should be.
    failed: AtomicUsize,
    /// Why the output is not whole.
    lost: OnceLock<Error>,
}

impl Page<'_> {
    fn show(&self, class: Option<&UserClass>, event: TrialEvent<'_>) {
        match event {
            TrialEvent::Begin(part) => {
                let class = class.filter(|_| self.plan.classes().len() > 1);
                let of_class = class.map(|class| format!(" of {}", class.name)).unwrap_or_default();
                self.print(&format!("\n== {}{of_class}\n", plain(&name(part))));
            }
            TrialEvent::Exchanged(transcript, secrets) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                if transcript.ending != Ending::Ok {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
                self.print(&text(&transcript, self.style(&secrets)));
            }
            // The transcript has said so.
            TrialEvent::Notice(Notice::NotExtracted { .. }) => {}
            TrialEvent::Notice(notice) => self.print(&format!("{}\n", plain(&warnings::notice(self.plan, notice).1))),
            TrialEvent::End(part, end) => self.end(part, end),
        }
    }

    const fn style<'s>(&self, secrets: &'s KnownSecrets) -> Style<'s> {
        let secrets = if self.masks { Some(secrets) } else { None };
        Style { secrets, colours: self.colours, max_body: self.max_body }
    }

    fn end(&self, part: TrialPart<'_>, end: PartEnd) {
        let why = match (end, part) {
            (PartEnd::Completed, _) => return,
            (PartEnd::CutShort, TrialPart::OnStart) => {
                "it failed, so the tasks are not tried; in a run this user would start over every second"
            }
            (PartEnd::CutShort, TrialPart::Setup) => {
                "it failed, so nothing else is tried; a run would end here, with exit code 4"
            }
            (PartEnd::CutShort, _) => "the rest was skipped",
            (PartEnd::NoData, _) => "it was skipped, because every row of its data has been used",
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.print(&format!("{}: {why}\n", plain(&name(part))));
    }

    /// A reader that has seen enough ends the output, not the trial; nor does a disk that is full.
    fn print(&self, text: &str) {
        if let Err(why) = print(text) {
            let _ = self.lost.set(why);
        }
    }

    fn finish(self) -> Result<Exit> {
        let (done, failed) = (self.done.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed));
        let requests = if done == 1 { "request" } else { "requests" };
        if failed == 0 {
            self.print(&format!("\n{done} {requests}, all as expected\n"));
        } else {
            self.print(&format!("\n{done} {requests}, not all as expected\n"));
        }
        let exit = if failed == 0 { Exit::Pass } else { Exit::Failures(1) };
        self.lost.into_inner().map_or(Ok(exit), Err)
    }
}

fn name(part: TrialPart<'_>) -> String {
    match part {
        TrialPart::Setup => "setup".to_owned(),
        TrialPart::OnStart => "on_start".to_owned(),
        TrialPart::Task(name) => format!("task {name}"),
        TrialPart::OnStop => "on_stop".to_owned(),
        TrialPart::Teardown => "teardown".to_owned(),
    }
}
