//! The plan of a run: validated, immutable, complete. Arguments are not checked again after this.

pub mod response;
pub mod body_file;
pub mod body_template;
pub mod capacity;
pub mod check;
pub mod class_order;
pub mod condition;
mod connection;
pub mod data;
pub mod dry_run;
pub mod engine;
pub mod endpoint;
pub mod expect;
pub mod extract;
mod flag_text;
pub mod html_input;
mod human_output;
mod inputs;
pub mod journey;
pub mod json;
pub mod load;
pub mod missing_value;
pub mod pattern;
pub mod placement;
mod number;
pub mod otlp;
pub mod percent;
pub mod pointer;
pub mod random;
pub mod read_back;
pub mod request;
pub mod request_log;
mod request_args;
pub mod route;
pub mod scenario;
pub mod schedule;
pub mod step;
pub mod text_search;
pub mod searches;
pub mod setting;
mod secrets;
pub mod settings;
pub mod shard;
mod stream;
mod surroundings;
pub mod template;
pub mod templated_request;
pub mod tls;
pub mod trace;
pub mod url;
pub mod web;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::cli::{CapacityFlags, RunFlags, SearchFlags, SettingSource, SettingSources};
use crate::error::Result;
use crate::files::distinct::NamedFile;
use body_file::BodyFile;
use capacity::SearchPlan;
use check::Check;
pub use connection::{ConnectionPlan, Family, Reuse};
use data::DataSource;
use endpoint::Endpoint;
pub use human_output::{HumanOutput, Verbosity};
use journey::{Journeys, OncePerRun, RequestStep, UserClass};
pub use load::{Load, LoadModel};
use placement::Start;
use request_args::Resolved;
use request_log::RequestLogPlan;
pub use route::Route;
use route::RouteFlags;
use scenario::Scenario;
pub use secrets::PlanSecrets;
use setting::Setting;
use shard::Shard;
pub use stream::{Sink, StreamPlan};
pub use surroundings::ProcessContext;
use trace::Tracing;

/// The plan of a run.
#[derive(Debug)]
pub struct Plan {
    placement: placement::ShardPlacement,
    testplan: String,
    load: Load,
    journeys: Journeys,
    endpoints: Vec<Endpoint>,
    sources: Vec<DataSource>,
    variables: Vec<String>,
    body_files: Vec<Arc<BodyFile>>,
    connection: ConnectionPlan,
    tracing: Option<Tracing>,
    stream: StreamPlan,
    request_log: Option<RequestLogPlan>,
    human_output: HumanOutput,
    inputs: Vec<NamedFile>,
    exit_code_on_error: u8,
    debug_failures: Option<u32>,
    secrets: PlanSecrets,
    checks: Vec<Check>,
    settings: Vec<Setting>,
    hash: String,
}

impl Plan {
    /// Creates the plan from the flags, which include their environment variables.
    ///
    /// # Errors
    /// One line that names the flag, file or request; exit code 2.
    pub fn from_flags(flags: &RunFlags, origins: &SettingSources, surroundings: ProcessContext<'_>) -> Result<Self> {
        Self::make(flags, None, origins, surroundings)
    }

    /// Creates the plan of a search for capacity.
    ///
    /// # Errors
    /// As [`Plan::from_flags`].
    pub fn of_search(
        flags: &CapacityFlags,
        origins: &SettingSources,
        surroundings: ProcessContext<'_>,
    ) -> Result<Self> {
        // A scenario file gives way to this rate as to that of a run; the steps decide on all others.
        let run = RunFlags { rate: Some(flags.search.from), ..flags.run.clone() };
        Self::make(&run, Some(&flags.search), origins, surroundings)
    }

    fn make(
        flags: &RunFlags,
        search: Option<&SearchFlags>,
        origins: &SettingSources,
        surroundings: ProcessContext<'_>,
    ) -> Result<Self> {
        let mut place = placement::determine_placement(flags, &surroundings)?;
        let flags = &flag_text::literal_flags(flags)?;
        let scenario = Scenario::of(flags, origins, surroundings.environment)?;
        // Flags take precedence over the scenario file.
        let (flags, origins) = match &scenario {
            Some(scenario) => (&scenario.flags.clone(), &scenario.origins.clone()),
            None => (flags, origins),
        };
        let flags = &load::effective_flags(flags, search.is_some(), origins, &mut place.notes);
        let (proxy, unix_socket) = (flags.proxy.as_deref(), flags.unix_socket.as_deref());
        let route = Route::from_flags(&RouteFlags { proxy, unix_socket })?;
        let resolved = scenario.map_or_else(|| request_args::resolve(flags), Scenario::resolve)?;
        PlanParts { flags, search, origins, place, route, resolved }.plan(surroundings)
    }

    /// The id of the run, in every line of the stream.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.placement.run_id
    }

    /// This process's part of the run; `None` for a run without shards.
    #[must_use]
    pub const fn shard(&self) -> Option<Shard> {
        self.placement.shard
    }

    /// The engine that determined the shard; `None` if it was given explicitly.
    #[must_use]
    pub const fn engine(&self) -> Option<&'static str> {
        self.placement.engine
    }

    /// When the run starts.
    #[must_use]
    pub const fn start(&self) -> Start {
        self.placement.start
    }

    /// How long to wait until the hosts accept connections, before the start.
    #[must_use]
    pub const fn await_host(&self) -> Option<Duration> {
        self.placement.await_host
    }

    /// Notes for the user about how the plan was made.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.placement.notes
    }

    /// The test plan's name, in every line of the stream.
    #[must_use]
    pub fn testplan(&self) -> &str {
        &self.testplan
    }

    /// The amount of load, and when it ends.
    #[must_use]
    pub const fn load(&self) -> &Load {
        &self.load
    }

    /// The user classes; never empty.
    #[must_use]
    pub fn classes(&self) -> &[UserClass] {
        &self.journeys.classes
    }

    /// What is done once, before the first user starts and after the last has ended.
    #[must_use]
    pub const fn once(&self) -> &OncePerRun {
        &self.journeys.once
    }

    /// All requests that may be sent.
    pub fn requests(&self) -> impl Iterator<Item = &RequestStep> {
        self.journeys.requests()
    }

    /// The class of user or arrival `k`, as an index of [`Plan::classes`].
    #[must_use]
    pub fn class_of(&self, k: u64) -> usize {
        self.journeys.order.class_of(k)
    }

    /// Data sources that users take rows from.
    #[must_use]
    pub fn sources(&self) -> &[DataSource] {
        &self.sources
    }

    /// Names of the variables extracted from responses, by slot.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Large files that are sent in bodies, by id.
    #[must_use]
    pub fn body_files(&self) -> &[Arc<BodyFile>] {
        &self.body_files
    }

    /// The endpoints that statistics are kept for.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How connections are made.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionPlan {
        &self.connection
    }

    /// Which requests carry a `traceparent` field; `None` for none of them.
    #[must_use]
    pub const fn tracing(&self) -> Option<&Tracing> {
        self.tracing.as_ref()
    }

    /// The stream and its destination.
    #[must_use]
    pub const fn stream(&self) -> &StreamPlan {
        &self.stream
    }

    /// The log of single requests, if there is one.
    #[must_use]
    pub const fn request_log(&self) -> Option<&RequestLogPlan> {
        self.request_log.as_ref()
    }

    /// Human-readable output.
    #[must_use]
    pub const fn human_output(&self) -> &HumanOutput {
        &self.human_output
    }

    /// Files that were read to make the plan.
    #[must_use]
    pub fn inputs(&self) -> &[NamedFile] {
        &self.inputs
    }

    /// Exit code if requests failed.
    #[must_use]
    pub const fn exit_code_on_error(&self) -> u8 {
        self.exit_code_on_error
    }

    /// How many failed exchanges of each endpoint and error are shown; `None` shows none and costs nothing.
    #[must_use]
    pub const fn debug_failures(&self) -> Option<u32> {
        self.debug_failures
    }

    /// What the plan knows of secrets.
    #[must_use]
    pub const fn secrets(&self) -> &PlanSecrets {
        &self.secrets
    }

    /// The checks that the run must meet.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// All settings as resolved, without secrets.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// SHA-256 of the plan, as 64 hex digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// What a plan is made of.
struct PlanParts<'f> {
    flags: &'f RunFlags,
    search: Option<&'f SearchFlags>,
    origins: &'f SettingSources,
    place: placement::ShardPlacement,
    route: Route,
    resolved: Resolved,
}

impl PlanParts<'_> {
    fn plan(self, surroundings: ProcessContext<'_>) -> Result<Plan> {
        let checks = self.checks()?;
        let Self { flags, search, origins, place, route, resolved } = self;
        let named = flags.testplan.as_ref().or(resolved.scenario.name.as_ref());
        let testplan = named.unwrap_or(&resolved.base_authority).clone();
        let stream = StreamPlan::of(flags, (place.shard, &place.run_id), surroundings.stdout_is_terminal)?;
        let (settings, hash) = settings::collect(&settings::Sources {
            flags,
            search,
            origins,
            resolved: &resolved,
            checks: &checks,
            route: &route,
            sink: &stream.sink,
            testplan: &testplan,
        })
        .finish();
        let load = Load::from_flags(flags, search.map(SearchPlan::from_flags).transpose()?, &place)?;
        check_classes(&load, &resolved.journeys)?;
        let tracing = flags.traceparent.map(|share| Tracing::new(share, load.seed, &place.run_id));
        let request_log = RequestLogPlan::from_flags(flags, place.shard, load.seed)?;
        let connection = connection::from_flags(flags, route, surroundings.environment, resolved.journeys.use_tls())?;
        let secrets = PlanSecrets::of(flags, &resolved);
        Ok(Plan {
            load,
            secrets,
            debug_failures: flags.debug_failures,
            journeys: resolved.journeys,
            endpoints: resolved.endpoints,
            sources: resolved.scenario.sources,
            variables: resolved.scenario.variables,
            body_files: resolved.body_files,
            connection,
            tracing,
            stream,
            request_log,
            human_output: HumanOutput::from_flags(flags),
            inputs: inputs::of(flags, &resolved.scenario.files),
            exit_code_on_error: flags.exit_code_on_error,
            placement: place,
            checks: checks.into_iter().map(|(check, _)| check).collect(),
            testplan,
            settings,
            hash,
        })
    }

    /// The checks, and where each comes from.
    fn checks(&self) -> Result<Vec<(Check, SettingSource)>> {
        let checks = check::of(&self.flags.checks, self.origins, &self.resolved.scenario.checks)?;
        check::require_known_endpoints(&checks, &self.resolved.endpoints)?;
        if self.place.shard.is_some() {
            check::reject_abort(&checks)?;
        }
        if self.search.is_some() {
            capacity::check_checks(checks.iter().map(|(check, _)| check))?;
        }
        Ok(checks)
    }
}

/// Checks that there are users or arrivals for each class.
fn check_classes(load: &Load, journeys: &Journeys) -> Result<()> {
    match load.model {
        LoadModel::Open { .. } | LoadModel::Search { .. } => load.check_classes(journeys.classes_of(load.shard)),
        LoadModel::Closed(_) => journeys.check_users(load.max_users(), load.shard),
    }
}
