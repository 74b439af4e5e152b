//! The top of the file: what flags say, too. Flags and environment win over it.

use std::time::Duration;

use super::class::{Pause, wait};
use super::keys;
use super::reader::{Node, Object};
use super::request::redirects;
use crate::cli::{Arrival, Origin, Origins, RunFlags};
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::load::MOST_USERS;
use crate::plan::schedule::users::Users;
use crate::plan::stream::SHORTEST_TICK;
use crate::plan::url::Url;
use crate::value::size::ByteSize;
use crate::value::stages::{HIGHEST, Stage, Stages};
use crate::value::{self, StatusSet, Wait};

/// What the file says that flags say, too.
#[derive(Debug, Default)]
pub(super) struct Top {
    pub(super) host: Option<String>,
    pub(super) users: Option<u32>,
    pub(super) spawn_rate: Option<f64>,
    pub(super) run_time: Option<Duration>,
    pub(super) requests: Option<u64>,
    pub(super) rate: Option<f64>,
    pub(super) arrival: Option<Arrival>,
    pub(super) stages: Option<Stages>,
    pub(super) seed: Option<u64>,
    pub(super) wait: Option<Wait>,
    pub(super) stop_timeout: Option<Duration>,
    pub(super) status: Option<StatusSet>,
    pub(super) timeout: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) redirects: Option<u16>,
    pub(super) max_body: Option<ByteSize>,
    pub(super) insecure: Option<bool>,
    pub(super) no_keepalive: Option<bool>,
    pub(super) interval: Option<Duration>,
}

impl Top {
    /// Reads it; `host` makes the text of the member out of its template.
    pub(super) fn read(
        object: &Object<'_>,
        host: impl FnOnce(&str) -> std::result::Result<String, String>,
    ) -> Result<Self> {
        let top = Self {
            host: object.read("host", |node| checked_host(node, host))?,
            users: object.read("users", |node| node.count(1..=MOST_USERS))?,
            spawn_rate: object.read("spawn_rate", Node::rate)?,
            run_time: object.read("run_time", Node::positive_time)?,
            requests: object.read("requests", |node| node.whole(1..=u64::MAX))?,
            rate: object.read("rate", Node::rate)?,
            arrival: object.read("arrival", |node| node.word(&ARRIVALS))?,
            stages: object.read("stages", stages)?,
            seed: object.read("seed", |node| node.whole(0..=u64::MAX))?,
            wait: object.read("wait", wait)?,
            stop_timeout: object.read("stop_timeout", Node::time)?,
            status: object.read("expect", status)?.flatten(),
            timeout: object.read("timeout", Node::positive_time)?,
            connect_timeout: object.read("connect_timeout", Node::positive_time)?,
            redirects: redirects(object)?,
            max_body: object.read("max_body", size)?,
            insecure: object.read("insecure", Node::truth)?,
            no_keepalive: object.read("no_keepalive", Node::truth)?,
            interval: object.read("interval", interval)?,
        };
        top.check_model(object)?;
        Ok(top)
    }

    /// What decides when a request is sent must be one thing.
    fn check_model(&self, object: &Object<'_>) -> Result<()> {
        let refuse = |key: &str, why: &str| object.read(key, |node| Err::<(), _>(node.refused(why))).map(|_| ());
        if self.rate.is_some() {
            refuse("wait", "does not go with \"rate\", which says when requests are sent")?;
            refuse("spawn_rate", "does not go with \"rate\", which starts users as they are needed")?;
            return object.need("user_classes")?.list()?.iter().try_for_each(|class| {
                let own = class.object(&keys::CLASS)?.get("wait");
                own.map_or(Ok(()), |node| {
                    Err(node.refused("does not go with \"rate\", which says when requests are sent"))
                })
            });
        }
        refuse_where(self.arrival.is_some(), || refuse("arrival", "goes with \"rate\""))?;
        if let Some(stages) = &self.stages {
            refuse("users", "does not go with \"stages\", which say how many there are")?;
            refuse("spawn_rate", "does not go with \"stages\", which say when users start")?;
            match Users::stages(stages).most_users() {
                0 => refuse("stages", "never reach a user")?,
                most if most > MOST_USERS => refuse("stages", &format!("go over {MOST_USERS} users"))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The flags with what the file says where neither a flag nor the environment does.
    ///
    /// Flags that say how the load is made replace the file's way as a whole: `--rate` over a file of users, `--stages`
    /// over its users, `-u` or `-r` over its stages.
    pub(super) fn below(&self, flags: &RunFlags, origins: &Origins) -> (RunFlags, Origins, Pause) {
        let mut all = Overlay { flags: flags.clone(), origins: origins.clone() };
        let is_opened = flags.rate.is_some() && self.rate.is_none();
        let is_closed = flags.rate.is_none() && self.rate.is_none();
        let is_staged = is_closed && flags.stages.is_some();
        let is_ramped = is_closed && (flags.users.is_some() || flags.spawn_rate.is_some());
        all.set("host", |flags| &mut flags.host, self.host.clone().map(Some));
        all.set("users", |flags| &mut flags.users, self.users.filter(|_| !is_staged).map(Some));
        let spawn_rate = self.spawn_rate.filter(|_| !is_staged && !is_opened);
        all.set("spawn_rate", |flags| &mut flags.spawn_rate, spawn_rate.map(Some));
        all.set("run_time", |flags| &mut flags.run_time, self.run_time.map(Some));
        all.set("max_requests", |flags| &mut flags.max_requests, self.requests.map(Some));
        all.set("rate", |flags| &mut flags.rate, self.rate.map(Some));
        all.set("arrival", |flags| &mut flags.arrival, self.arrival.map(Some));
        let stages = self.stages.clone().filter(|_| !is_ramped && !is_opened);
        all.set("stages", |flags| &mut flags.stages, stages.map(Some));
        all.set("seed", |flags| &mut flags.seed, self.seed.map(Some));
        all.set("wait", |flags| &mut flags.wait, self.wait.filter(|_| !is_opened));
        all.set("stop_timeout", |flags| &mut flags.stop_timeout, self.stop_timeout);
        all.set("expect_status", |flags| &mut flags.expect_status, self.status.clone().map(Some));
        all.set("timeout", |flags| &mut flags.timeout, self.timeout);
        all.set("connect_timeout", |flags| &mut flags.connect_timeout, self.connect_timeout);
        all.set("max_redirects", |flags| &mut flags.max_redirects, self.redirects);
        all.set("max_body", |flags| &mut flags.max_body, self.max_body);
        all.set("insecure", |flags| &mut flags.insecure, self.insecure);
        all.set("no_keepalive", |flags| &mut flags.no_keepalive, self.no_keepalive);
        all.set("interval", |flags| &mut flags.interval, self.interval);
        let is_said = matches!(all.origins.of("wait"), Origin::Flag | Origin::Env);
        let pause = if is_said || is_opened { Pause::Same(all.flags.wait) } else { Pause::Usual(all.flags.wait) };
        (all.flags, all.origins, pause)
    }
}

struct Overlay {
    flags: RunFlags,
    origins: Origins,
}

impl Overlay {
    fn set<T>(&mut self, flag: &str, place: impl FnOnce(&mut RunFlags) -> &mut T, value: Option<T>) {
        if let Some(value) = value.filter(|_| self.origins.of(flag) == Origin::Default) {
            *place(&mut self.flags) = value;
            self.origins.set_file(flag);
        }
    }
}

fn refuse_where(is_wrong: bool, refuse: impl FnOnce() -> Result<()>) -> Result<()> {
    if is_wrong { refuse() } else { Ok(()) }
}

/// The words of `arrival`.
const ARRIVALS: [(&str, Arrival); 2] = [("constant", Arrival::Constant), ("poisson", Arrival::Poisson)];

fn checked_host(node: &Node<'_>, text: impl FnOnce(&str) -> std::result::Result<String, String>) -> Result<String> {
    let host = node.read(text)?;
    value::host(&host).and_then(|host| Url::parse(&host).map(|_| host)).map_err(|why| node.refused(why))
}

/// The statuses of `expect`; the rest of it is read with the requests.
fn status(node: &Node<'_>) -> Result<Option<StatusSet>> {
    node.object(&keys::EXPECT)?.read("status", super::expect::status)
}

/// A size: text as the flag takes it, or a number of bytes.
fn size(node: &Node<'_>) -> Result<ByteSize> {
    if !matches!(node.value(), Json::Number(_)) {
        return node.read(str::parse);
    }
    let bytes = node.whole(1..=u64::MAX)?.to_string();
    bytes.parse().map_err(|why: String| node.refused(why))
}

fn interval(node: &Node<'_>) -> Result<Duration> {
    let interval = node.time()?;
    if interval < SHORTEST_TICK { Err(node.refused("must be at least 100ms")) } else { Ok(interval) }
}

/// Stages: text as the flag takes it, or a list as k6 has it.
fn stages(node: &Node<'_>) -> Result<Stages> {
    if !matches!(node.value(), Json::List(_)) {
        return node.read(str::parse);
    }
    let stage = |node: &Node<'_>| {
        let object = node.object(&keys::STAGE)?;
        let target = object.need("target")?;
        let number = target.number()?;
        if !(0.0..=HIGHEST).contains(&number) {
            return Err(target.refused(format!("must be a number from 0 to {HIGHEST}")));
        }
        // -0 is 0, and is written so.
        Ok(Stage { duration: object.need("duration")?.time()?, target: number.abs() })
    };
    let stages = node.some()?.iter().map(stage).collect::<Result<Vec<_>>>()?;
    Stages::new(stages).map_err(|why| node.refused(why))
}
