//! The words of the telemetry stream, each in one place: the writer, `merge` and `report` share these enums, and a test
//! holds them against the schema.

use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A word that is not in the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord;

/// Defines an enum of words: all of them, the word of each, and each by its word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in ascending order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The name in the stream.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value with that word; `None` for any other word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                into.serialize_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::parse(word).ok_or(UnknownWord)
            }
        }
    };
}

mod samples;
mod search;

pub use samples::{RequestResult, SampleKind};
pub use search::{SearchAnswer, StepPurpose, StepVerdict};

words! {
    /// `telemetry_name`: which kind of line it is.
    LineKind {
        /// Before the first user.
        TestStart = "locust.tl.event.test.start",
        /// The requested number of users has been reached.
        SpawnComplete = "locust.tl.event.spawn.complete",
        /// The load has ended.
        TestStop = "locust.tl.event.test.stop",
        /// The process used nearly all of the CPUs that it may use.
        CpuWarning = "locust.tl.event.cpu.warning",
        /// CPU of the process.
        Cpu = "locust.tl.system.metric.cpu",
        /// Memory of the process.
        Mem = "locust.tl.system.metric.mem",
        /// Network interfaces of the host.
        Network = "locust.tl.system.metric.network",
        /// Statistics of requests; [`StatsType`] and [`Status`] tell which.
        Stats = "locust.tl.request.metric.stats",
        /// The plan and where it runs.
        Config = "swarmline.event.config",
        /// One endpoint between two ticks.
        Interval = "swarmline.metric.interval",
        /// A piece of a histogram that does not fit its line.
        Histogram = "swarmline.metric.histogram",
        /// Whether the generator keeps up.
        Health = "swarmline.metric.health",
        /// A warning that concerns the validity of the numbers.
        Warning = "swarmline.event.warning",
        /// An example of the requests between two ticks: a slow one, or one that failed.
        Sample = "swarmline.event.sample",
        /// Requests of one endpoint that had not ended.
        Unfinished = "swarmline.metric.unfinished",
        /// One shard of a merged run beside the others.
        Shard = "swarmline.metric.shard",
        /// A part of a failed exchange.
        Exchange = "swarmline.event.exchange",
        /// A step of a search for capacity.
        Step = "swarmline.event.step",
        /// The result of a check.
        Check = "swarmline.event.check",
        /// The last line.
        RunEnd = "swarmline.event.run.end",
    }
}

impl LineKind {
    /// Returns whether it is an event, not a metric; its name says so.
    #[must_use]
    pub fn is_event(self) -> bool {
        self.as_str().contains(".event.")
    }

    /// Returns whether it is one of the lines of the Python plugin locust-telemetry, whose names begin alike.
    #[must_use]
    pub fn is_contract(self) -> bool {
        self.as_str().starts_with("locust.tl.")
    }

    /// Returns whether a pipeline that filters by level should see it.
    #[must_use]
    pub const fn is_warning(self) -> bool {
        match self {
            Self::CpuWarning | Self::Warning => true,
            Self::TestStart
            | Self::SpawnComplete
            | Self::TestStop
            | Self::Cpu
            | Self::Mem
            | Self::Network
            | Self::Stats
            | Self::Config
            | Self::Interval
            | Self::Histogram
            | Self::Health
            | Self::Sample
            | Self::Unfinished
            | Self::Shard
            | Self::Exchange
            | Self::Step
            | Self::Check
            | Self::RunEnd => false,
        }
    }
}

words! {
    /// `stats_type`: whose statistics a line has.
    StatsType {
        /// Of all requests so far.
        Current = "current",
        /// Of all requests, at the end.
        Final = "final",
        /// Of one endpoint.
        Endpoint = "endpoint",
    }
}

words! {
    /// `status` of a line about one endpoint.
    Status {
        /// Its statistics.
        Success = "success",
        /// One of its errors.
        Error = "error",
    }
}

words! {
    /// `source`: who wrote a stream.
    SourceKind {
        /// A run on its own.
        Local = "LocalRunner",
        /// One shard of many.
        Worker = "WorkerRunner",
        /// All shards together.
        Master = "MasterRunner",
    }
}

words! {
    /// Part of a run. An interval that touches several belongs to the one that holds most of it, at a tie to the first in
    /// this order.
    Phase {
        /// The load has ended, and requests in flight are finishing.
        Drain = "drain",
        /// The beginning, which is not to be judged: whatever the target does, caches fill and connections open.
        Warmup = "warmup",
        /// The target is growing, or has not been reached yet.
        Ramp = "ramp",
        /// The target is falling.
        Down = "down",
        /// The target has been reached and is constant.
        Steady = "steady",
    }
}

impl Phase {
    /// All of them, in the order of a run.
    pub const IN_ORDER_OF_TIME: [Self; 5] = [Self::Warmup, Self::Ramp, Self::Steady, Self::Down, Self::Drain];
}

impl Default for Phase {
    /// The one that an interval has which says nothing else.
    fn default() -> Self {
        Self::Steady
    }
}

words! {
    /// Class of a failure. In alphabetical order, as intervals have them.
    FailureClass {
        /// The server closed the connection before the response was complete.
        ClosedEarly = "closed_early",
        /// No connection for another reason.
        ConnectOther = "connect_other",
        /// The connection was refused.
        ConnectRefused = "connect_refused",
        /// No connection in time.
        ConnectTimeout = "connect_timeout",
        /// The host has no address.
        Dns = "dns",
        /// A response that is not as expected.
        Expectation = "expectation",
        /// A response without a value that later requests need.
        Extract = "extract",
        /// A status from 400 to 499.
        Http4xx = "http_4xx",
        /// A status from 500 to 599.
        Http5xx = "http_5xx",
        /// Any other, and those of later versions.
        Other = "other",
        /// The response is not HTTP.
        Protocol = "protocol",
        /// A redirect that could not be followed.
        Redirect = "redirect",
        /// The server reset the connection.
        Reset = "reset",
        /// The request could not be written.
        Send = "send",
        /// No complete response in time.
        Timeout = "timeout",
        /// TLS failed.
        Tls = "tls",
    }
}

impl FailureClass {
    /// Returns whether the server sent a complete response.
    #[must_use]
    pub const fn is_response_class(self) -> bool {
        match self {
            Self::Redirect | Self::Http4xx | Self::Http5xx | Self::Expectation | Self::Extract | Self::Other => true,
            Self::Dns
            | Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::ConnectOther
            | Self::Tls
            | Self::Send
            | Self::Reset
            | Self::ClosedEarly
            | Self::Timeout
            | Self::Protocol => false,
        }
    }
}

words! {
    /// `reason` of `locust.tl.event.test.stop`: why the load ended.
    EndReason {
        /// `--run-time` has passed.
        RunTime = "run_time",
        /// All of `--requests` were started.
        Requests = "requests",
        /// The last stage has ended.
        Stages = "stages",
        /// SIGINT, SIGTERM or SIGHUP.
        Signal = "signal",
        /// A check with `abort` was clearly missed.
        CheckAbort = "check_abort",
        /// No user with data is left, or data ran out that must not.
        DataEnd = "data_end",
        /// The search for capacity is over.
        SearchEnd = "search_end",
        /// Every user has ended itself.
        UsersStopped = "users_stopped",
        /// The scenario's `setup` failed, so that no user started.
        SetupFailed = "setup_failed",
        /// Not a single user could be started.
        NoUsers = "no_users",
        /// The stream cannot be written any more, so no line has this word.
        StreamBroken = "stream_broken",
    }
}

words! {
    /// `verdict`: what a run comes to, the worst that applies.
    Verdict {
        /// Every request completed as expected.
        Pass = "pass",
        /// Some request failed, and no check decides on it.
        Failures = "failures",
        /// A check was not met.
        CheckFailed = "check_failed",
        /// The numbers cannot be trusted.
        Invalid = "invalid",
    }
}

words! {
    /// `kind` of a reason in `swarmline.event.run.end`: what it is about.
    ReasonKind {
        /// This machine did not generate the requested load: too late, stalled, or out of users, ports or
        /// descriptors.
        Generator = "generator",
        /// Data that must not run out ran out.
        Data = "data",
        /// The scenario's `setup` failed, so that no user started.
        Setup = "setup",
        /// The stream, or that of a shard, is incomplete or wrong.
        Stream = "stream",
        /// Too many requests had not ended when the run did.
        Unfinished = "unfinished",
        /// No request got a response.
        NoAnswer = "no_answer",
        /// A search for capacity ended without an answer.
        Search = "search",
        /// A check was not met, or had no data.
        Check = "check",
        /// Requests failed.
        Failures = "failures",
        /// Requests were not sent, as the data for them was used up: worth knowing, and not a fault.
        DataEnd = "data_end",
    }
}

impl ReasonKind {
    /// Returns whether it makes a run invalid and cannot be derived from the counts.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        match self {
            Self::Generator | Self::Data | Self::Setup | Self::Stream => true,
            Self::Unfinished | Self::NoAnswer | Self::Search | Self::Check | Self::Failures | Self::DataEnd => false,
        }
    }
}

words! {
    /// `direction` of bytes on the network.
    Direction {
        /// From this host.
        Sent = "sent",
        /// To it.
        Recv = "recv",
    }
}

words! {
    /// `kind` of a piece of a histogram: which times it has.
    HistogramKind {
        /// Service times: from sending to the last byte.
        Service = "service",
        /// From when a request was due to the last byte.
        Response = "response",
        /// From sending to the first byte.
        FirstByte = "first_byte",
        /// Service times of requests that failed in one way.
        FailedService = "failed_service",
        /// Response times so far of requests that had not ended.
        UnfinishedResponse = "unfinished_response",
        /// Service times so far of requests that had not ended.
        UnfinishedService = "unfinished_service",
        /// The same of those without a first byte of a response.
        UnfinishedFirstByte = "unfinished_first_byte",
    }
}

#[cfg(test)]
mod tests;
