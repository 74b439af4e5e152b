//! What will be done: validated, immutable, complete. Past here nobody checks an argument again.

pub mod load;
pub mod random;
pub mod request;
mod requests;
pub mod route;
pub mod schedule;
pub mod setting;
mod settings;
mod tls;
pub mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ureq::tls::TlsConfig;

use crate::cli::value::{Resolve, StatusSet};
use crate::cli::{LogLevel, Origins, RunFlags};
use crate::error::{Error, Result};
pub use load::{Load, Model};
use request::{Endpoint, Request};
use route::{Route, RouteFlags};
use setting::Setting;

/// What will be done.
#[derive(Debug)]
pub struct Plan {
    run_id: String,
    testplan: String,
    load: Load,
    requests: Vec<Request>,
    endpoints: Vec<Endpoint>,
    exchange: ExchangePlan,
    connection: ConnectionPlan,
    stream: StreamPlan,
    people: People,
    exit_code_on_error: u8,
    settings: Vec<Setting>,
    hash: String,
}

/// How a request and its answer are exchanged.
#[derive(Debug)]
pub struct ExchangePlan {
    /// Time for the whole, redirects included.
    pub timeout: Duration,
    /// Redirects followed; with 0 a redirect is the answer.
    pub max_redirects: u16,
    /// Answers that are ok.
    pub ok: StatusSet,
}

/// How connections are made.
#[derive(Debug)]
pub struct ConnectionPlan {
    /// Time for name lookup, connecting and TLS together.
    pub timeout: Duration,
    /// The way that they take.
    pub route: Route,
    /// Whether a connection serves one request or many.
    pub reuse: Reuse,
    /// Address family.
    pub family: Family,
    /// Certificates and keys, checked.
    pub tls: TlsConfig,
    /// Addresses given in place of a lookup.
    pub resolve: Vec<Resolve>,
    /// Age at which a host's addresses are asked for again.
    pub dns_ttl: Duration,
}

/// Whether a connection serves one request or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// A user keeps its connection.
    KeepAlive,
    /// A new connection for every request.
    Never,
}

/// Which addresses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Both families.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
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
    /// Whether the summary is left out.
    pub quiet: bool,
    /// Where text goes instead of stderr.
    pub logfile: Option<PathBuf>,
    /// Least level of what is said.
    pub loglevel: LogLevel,
}

/// What the plan needs to know of the process it is made in.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// Whether standard output is a terminal, where nobody wants JSON lines.
    pub stdout_is_terminal: bool,
    /// 64 random bits, for a run id.
    pub entropy: u64,
}

impl Plan {
    /// Makes the plan out of the flags (and through them the environment).
    ///
    /// # Errors
    /// One line that names the flag, file or request; exit 2.
    pub fn from_flags(flags: &RunFlags, origins: &Origins, surroundings: Surroundings) -> Result<Self> {
        let run_id = flags.run_id.clone().unwrap_or_else(|| format!("{:08x}", surroundings.entropy >> 32));
        let route = Route::from_flags(&RouteFlags {
            proxy: flags.proxy.as_deref(),
            unix_socket: flags.unix_socket.as_deref(),
        })?;
        let resolved = requests::resolve(flags, &route)?;
        let testplan = flags.testplan.clone().unwrap_or_else(|| resolved.base_authority.clone());
        let stream = StreamPlan { interval: tick(flags.interval)?, sink: sink(flags, &run_id, surroundings) };
        let (settings, hash) = settings::of(flags, origins, &resolved, &route, &stream.sink, &testplan).finish();
        Ok(Self {
            load: Load::from_flags(flags, &run_id)?,
            requests: resolved.requests,
            endpoints: resolved.endpoints,
            exchange: ExchangePlan {
                timeout: flags.timeout,
                max_redirects: flags.max_redirects,
                ok: flags.expect_status.clone().unwrap_or_default(),
            },
            connection: connection(flags, route)?,
            stream,
            people: People { quiet: flags.quiet, logfile: flags.logfile.clone(), loglevel: flags.loglevel },
            exit_code_on_error: flags.exit_code_on_error,
            run_id,
            testplan,
            settings,
            hash,
        })
    }

    /// The run's id, in every line of the stream.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
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

    /// What is asked; never empty.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// What statistics are kept by.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How a request and its answer are exchanged.
    #[must_use]
    pub const fn exchange(&self) -> &ExchangePlan {
        &self.exchange
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

    /// Exit code when a request failed.
    #[must_use]
    pub const fn exit_code_on_error(&self) -> u8 {
        self.exit_code_on_error
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

/// Shortest tick: a tick is a dozen lines and one look at the machine, which are to stay far below 1 % of a core.
const SHORTEST_TICK: Duration = Duration::from_millis(100);

fn tick(interval: Duration) -> Result<Duration> {
    if interval < SHORTEST_TICK {
        return Err(Error::usage("--interval", "must be at least 100ms"));
    }
    Ok(interval)
}

fn sink(flags: &RunFlags, run_id: &str, surroundings: Surroundings) -> Sink {
    match &flags.telemetry {
        Some(path) if path.as_os_str() == "-" => Sink::Stdout,
        Some(path) if path.extension().is_some_and(|e| e == "gz") => Sink::Gzip(path.clone()),
        Some(path) => Sink::File(path.clone()),
        None if surroundings.stdout_is_terminal => Sink::File(format!("swarmline-{run_id}.ndjson").into()),
        None => Sink::Stdout,
    }
}

fn connection(flags: &RunFlags, route: Route) -> Result<ConnectionPlan> {
    let family = match (flags.ipv4, flags.ipv6) {
        (true, true) => return Err(Error::usage("-4 and -6", "exclude each other")),
        (true, false) => Family::V4,
        (false, true) => Family::V6,
        (false, false) => Family::Any,
    };
    let tls = tls::config(&tls::TlsFlags {
        insecure: flags.insecure,
        cacert: &flags.cacert,
        cert: flags.cert.as_deref(),
        key: flags.key.as_deref(),
    })?;
    Ok(ConnectionPlan {
        timeout: flags.connect_timeout,
        route,
        reuse: if flags.no_keepalive { Reuse::Never } else { Reuse::KeepAlive },
        family,
        tls,
        resolve: flags.resolve.clone(),
        dns_ttl: flags.dns_ttl,
    })
}
