//! Where the live page of a run is served.

use std::time::Duration;

use crate::cli::{PublishFlags, RunFlags, SettingSource, SettingSources};
use crate::error::{Error, Result};

/// The host that a page is served on unless another is asked for.
const HOST: &str = "127.0.0.1";

/// The port of `swarmline watch` unless another is asked for: Locust's.
const WATCH_PORT: u16 = 8089;

/// Where the live page is served, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPlan {
    /// Address or name of this machine.
    pub host: String,
    /// The port; 0 for any free one.
    pub port: u16,
    /// How long it is served after the end.
    pub linger: Duration,
}

impl WebPlan {
    /// The page of a run; `None` if it has none.
    ///
    /// # Errors
    /// Exit 2: a shard, whose page would show a part of the run; a flag of the page without a page; `--headless` beside it.
    pub fn of_run(flags: &RunFlags, origins: &SettingSources) -> Result<Option<Self>> {
        let PublishFlags { web_port, web_host, web_linger, .. } = &flags.publish;
        let headless = origins.of("headless");
        let Some(port) = *web_port else {
            if web_linger.is_some() {
                return Err(Error::usage("--web-linger", "there is no page; add --web-port"));
            }
            // Where the variable is set for other runs, this one is without a page.
            if web_host.is_some() && origins.of("web_host") == SettingSource::Flag {
                return Err(Error::usage("--web-host", "there is no page; add --web-port"));
            }
            return Ok(None);
        };
        // As in Locust: the variable may be there for all runs, and this one is to have no page.
        if flags.headless && (headless, origins.of("web_port")) == (SettingSource::Flag, SettingSource::Flag) {
            return Err(Error::usage("--web-port", "excludes --headless; leave one of them out"));
        }
        if flags.headless && origins.of("web_port") == SettingSource::Env {
            return Ok(None);
        }
        if flags.shard.is_some() {
            let why = "would show one shard of the run; swarmline merge - | swarmline watch - shows all of them";
            return Err(Error::usage("--web-port", why));
        }
        Self::new(&flags.publish, port).map(Some)
    }

    /// The page of a stream that is watched.
    ///
    /// # Errors
    /// Exit 2: the host is not one.
    pub fn of_watch(flags: &PublishFlags) -> Result<Self> {
        Self::new(flags, flags.web_port.unwrap_or(WATCH_PORT))
    }

    fn new(flags: &PublishFlags, port: u16) -> Result<Self> {
        let host = flags.web_host.as_deref().unwrap_or(HOST);
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.contains(|c: char| c == '/' || c.is_whitespace()) {
            let why = format!("{host:?} is not a host; give an address or a name, such as 127.0.0.1 or localhost");
            return Err(Error::usage("--web-host", why));
        }
        let host = if host == "*" { "0.0.0.0" } else { host };
        Ok(Self { host: host.to_owned(), port, linger: flags.web_linger.unwrap_or_default() })
    }
}
