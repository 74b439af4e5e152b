//! What will be done: validated, immutable, complete. Past here nobody checks an argument again.

pub mod answer;
pub mod check;
mod connection;
pub mod data;
pub mod dry_run;
pub mod engine;
pub mod expect;
pub mod extract;
mod inputs;
pub mod journey;
pub mod json;
pub mod load;
pub mod many;
mod number;
pub mod percent;
pub mod pointer;
pub mod random;
pub mod request;
mod requests;
pub mod route;
pub mod scenario;
pub mod schedule;
pub mod search;
pub mod setting;
mod settings;
pub mod shard;
pub mod template;
pub mod templated;
pub mod tls;
pub mod url;
pub mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{LogLevel, Origins, Outputs, RunFlags};
use crate::error::{Error, Result};
use crate::files::apart::Named;
use check::Check;
pub use connection::{ConnectionPlan, Family, Reuse};
use data::DataSource;
use engine::Environment;
use journey::{Journeys, UserClass};
pub use load::{Load, Model};
use many::Start;
use request::Endpoint;
pub use route::Route;
use route::RouteFlags;
use scenario::Scenario;
use setting::Setting;
use shard::Shard;

/// What will be done.
#[derive(Debug)]
pub struct Plan {
    place: many::Place,
    testplan: String,
    load: Load,
    journeys: Journeys,
    endpoints: Vec<Endpoint>,
    sources: Vec<DataSource>,
    variables: Vec<String>,
    connection: ConnectionPlan,
    stream: StreamPlan,
    people: People,
    inputs: Vec<Named>,
    exit_code_on_error: u8,
    checks: Vec<Check>,
    settings: Vec<Setting>,
    hash: String,
}

/// The stream and where it goes.
#[derive(Debug)]
pub struct StreamPlan {
    /// Tick of the telemetry.
    pub interval: Duration,
    /// Where it goes.
    pub sink: Sink,
}

/// Where the stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// A file, overwritten.
    File(PathBuf),
    /// A file compressed by gzip, flushed each tick.
    Gzip(PathBuf),
}

impl Sink {
    /// The sink that a path stands for.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdout
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            Self::Gzip(path.to_owned())
        } else {
            Self::File(path.to_owned())
        }
    }
}

impl fmt::Display for Sink {
    /// As the flag is written, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => write!(f, "--telemetry -"),
            Self::File(path) | Self::Gzip(path) => write!(f, "--telemetry {}", path.display()),
        }
    }
}

/// Text for people.
#[derive(Debug)]
pub struct People {
    /// How much is said.
    pub talk: Talk,
    /// Where text goes instead of stderr.
    pub logfile: Option<PathBuf>,
    /// Least level of what is said.
    pub loglevel: LogLevel,
    /// What is left behind.
    pub outputs: Outputs,
}

/// How much people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Nothing but what ended the work.
    Nothing,
    /// The summary at the end.
    Summary,
    /// How the run goes, too.
    All,
}

/// What the plan needs to know of the process it is made in.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'e> {
    /// Whether standard output is a terminal, where nobody wants JSON lines.
    pub stdout_is_terminal: bool,
    /// 64 random bits, for a run id.
    pub entropy: u64,
    /// Environment variables, in which an engine tells which shard this is.
    pub environment: &'e Environment,
}

impl Plan {
    /// Makes the plan out of the flags (and through them the environment).
    ///
    /// # Errors
    /// One line that names the flag, file or request; exit 2.
    pub fn from_flags(flags: &RunFlags, origins: &Origins, surroundings: Surroundings<'_>) -> Result<Self> {
        let place = many::place(flags, &surroundings)?;
        let scenario = Scenario::of(flags, origins, surroundings.environment)?;
        // The flags, and below them what the file says.
        let (flags, origins) = match &scenario {
            Some(scenario) => (&scenario.flags.clone(), &scenario.origins.clone()),
            None => (flags, origins),
        };
        let route = Route::from_flags(&RouteFlags {
            proxy: flags.proxy.as_deref(),
            unix_socket: flags.unix_socket.as_deref(),
        })?;
        let resolved = scenario.map_or_else(|| requests::resolve(flags), Scenario::resolve)?;
        let checks = check::of(&flags.held_to, origins, &resolved.scenario.checks)?;
        check::hold_to_endpoints(&checks, &resolved.endpoints)?;
        if place.shard.is_some() {
            check::refuse_abort(&checks)?;
        }
        let named = flags.testplan.as_ref().or(resolved.scenario.name.as_ref());
        let testplan = named.unwrap_or(&resolved.base_authority).clone();
        let stream = StreamPlan { interval: tick(flags.interval)?, sink: sink(flags, &place, surroundings) };
        let (settings, hash) = settings::of(&settings::Sources {
            flags,
            origins,
            resolved: &resolved,
            checks: &checks,
            route: &route,
            sink: &stream.sink,
            testplan: &testplan,
        })
        .finish();
        let load = Load::from_flags(flags, &place)?;
        load.check_classes(resolved.journeys.classes_of(load.shard))?;
        let connection = connection::from_flags(flags, route, surroundings.environment, resolved.journeys.use_tls())?;
        Ok(Self {
            load,
            journeys: resolved.journeys,
            endpoints: resolved.endpoints,
            sources: resolved.scenario.sources,
            variables: resolved.scenario.variables,
            connection,
            stream,
            people: people(flags),
            inputs: inputs::of(flags, &resolved.scenario.files),
            exit_code_on_error: flags.exit_code_on_error,
            place,
            checks: checks.into_iter().map(|(check, _)| check).collect(),
            testplan,
            settings,
            hash,
        })
    }

    /// The run's id, in every line of the stream.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.place.run_id
    }

    /// Which part of the run this process does; `None` for a run on its own.
    #[must_use]
    pub const fn shard(&self) -> Option<Shard> {
        self.place.shard
    }

    /// The engine that told the shard; `None` where a person did.
    #[must_use]
    pub const fn engine(&self) -> Option<&'static str> {
        self.place.engine
    }

    /// When it starts.
    #[must_use]
    pub const fn start(&self) -> Start {
        self.place.start
    }

    /// What a person should know of how the plan was made.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.place.notes
    }

    /// The test plan's name, in every line of the stream.
    #[must_use]
    pub fn testplan(&self) -> &str {
        &self.testplan
    }

    /// How much load, and when it ends.
    #[must_use]
    pub const fn load(&self) -> &Load {
        &self.load
    }

    /// Kinds of users; never empty.
    #[must_use]
    pub fn classes(&self) -> &[UserClass] {
        &self.journeys.classes
    }

    /// Which class user or arrival `k` is of: an index of [`Plan::classes`].
    #[must_use]
    pub fn class_of(&self, k: u64) -> usize {
        self.journeys.order.class_of(k)
    }

    /// Data that users take rows of.
    #[must_use]
    pub fn sources(&self) -> &[DataSource] {
        &self.sources
    }

    /// Names of the values that users take from answers, by slot.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// What statistics are kept by.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How connections are made.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionPlan {
        &self.connection
    }

    /// The stream and where it goes.
    #[must_use]
    pub const fn stream(&self) -> &StreamPlan {
        &self.stream
    }

    /// Text for people.
    #[must_use]
    pub const fn people(&self) -> &People {
        &self.people
    }

    /// Files that were read to make it.
    #[must_use]
    pub fn inputs(&self) -> &[Named] {
        &self.inputs
    }

    /// Exit code when a request failed.
    #[must_use]
    pub const fn exit_code_on_error(&self) -> u8 {
        self.exit_code_on_error
    }

    /// What the run is held to.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Every setting as resolved, without secrets.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// SHA-256 of what makes the plan, as 64 hex digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

fn people(flags: &RunFlags) -> People {
    let talk = match (flags.quiet, flags.only_summary) {
        (true, _) => Talk::Nothing,
        (false, true) => Talk::Summary,
        (false, false) => Talk::All,
    };
    People { talk, logfile: flags.logfile.clone(), loglevel: flags.loglevel, outputs: flags.outputs.clone() }
}

/// Shortest tick: a tick is a dozen lines and one look at the machine, which are to stay far below 1 % of a core.
const SHORTEST_TICK: Duration = Duration::from_millis(100);

fn tick(interval: Duration) -> Result<Duration> {
    if interval < SHORTEST_TICK {
        return Err(Error::usage("--interval", "must be at least 100ms"));
    }
    Ok(interval)
}

fn sink(flags: &RunFlags, place: &many::Place, surroundings: Surroundings<'_>) -> Sink {
    match &flags.telemetry {
        Some(path) => Sink::of(&of_shard(path, place.shard)),
        None if surroundings.stdout_is_terminal => {
            let shard = place.shard.map(|shard| format!("-{}", shard.index())).unwrap_or_default();
            Sink::File(format!("swarmline-{}{shard}.ndjson", place.run_id).into())
        }
        None => Sink::Stdout,
    }
}

/// The path with the number of the shard in place of `%s`, so that one command line serves all shards.
fn of_shard(path: &Path, shard: Option<Shard>) -> PathBuf {
    match (path.to_str(), shard) {
        (Some(text), Some(shard)) => text.replace("%s", &shard.index().to_string()).into(),
        _ => path.to_owned(),
    }
}
