//! The top of the file: what flags say, too. Flags and environment win over it.
//!
//! Not by serde's derive, which was tried with `serde_path_to_error`: it meets an unknown key with a list of all keys in
//! place of the nearest; loses the place within what may be text or a list (`stages`); refuses 7.0 and 1e3 as whole
//! numbers; and repeats a value of the wrong type, which may be a secret.

use std::time::Duration;

use super::class::ThinkTimeSource;
use super::keys;
use super::reader::{Node, Object};
use super::request::redirects;
use super::wait::wait;
use crate::cli::{ArrivalSpacing, RunFlags, SettingSource, SettingSources};
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::load::MAX_USERS;
use crate::plan::schedule::users::Users;
use crate::plan::stream::MIN_TICK;
use crate::plan::url::Url;
use crate::value;
use crate::value::size::ByteSize;
use crate::value::stages::{HIGHEST, Stage, Stages};

/// A key of the file that sets a flag.
struct FileFlag {
    key: &'static str,
    /// The flag's name in [`RunFlags`].
    flag: &'static str,
    /// Reads the value into the flags; false where the key leaves the flag alone.
    read: fn(&Node<'_>, &mut Reading<'_>) -> Result<bool>,
    copy: fn(&RunFlags, &mut RunFlags),
}

/// The flags, with what the file gives so far.
struct Reading<'t> {
    flags: RunFlags,
    /// Makes a text out of its template.
    text: &'t mut dyn FnMut(&str) -> std::result::Result<String, String>,
}

/// A row of [`FILE_FLAGS`]; the flag's field is its name.
macro_rules! row {
    ($key:literal, $flag:ident, $read:expr) => {
        FileFlag {
            key: $key,
            flag: stringify!($flag),
            read: |node, reading| {
                reading.flags.$flag = $read(node, reading)?.into();
                Ok(true)
            },
            copy: |from, to| to.$flag.clone_from(&from.$flag),
        }
    };
}

/// A reader that needs to know nothing else.
macro_rules! sets {
    ($key:literal, $flag:ident, $read:expr) => {
        row!($key, $flag, |node: &Node<'_>, _: &mut Reading<'_>| $read(node))
    };
}

/// Every key of the file that sets a flag, in the order of the help page.
const FILE_FLAGS: [FileFlag; 20] = [
    row!("host", host, host),
    sets!("users", users, |node: &Node<'_>| node.count(1..=MAX_USERS)),
    sets!("spawn_rate", spawn_rate, Node::rate),
    sets!("run_time", run_time, Node::positive_time),
    sets!("warmup", warmup, Node::positive_time),
    sets!("requests", max_requests, |node: &Node<'_>| node.whole(1..=u64::MAX)),
    sets!("rate", rate, Node::rate),
    sets!("arrival", arrival, |node: &Node<'_>| node.word(&ARRIVALS)),
    sets!("stages", stages, stages),
    sets!("seed", seed, |node: &Node<'_>| node.whole(0..=u64::MAX)),
    sets!("wait", wait, wait),
    sets!("stop_timeout", stop_timeout, Node::time),
    FileFlag {
        key: "expect",
        flag: "expect_status",
        read: status,
        copy: |from, to| to.expect_status.clone_from(&from.expect_status),
    },
    sets!("timeout", timeout, Node::positive_time),
    sets!("connect_timeout", connect_timeout, Node::positive_time),
    sets!("redirects", max_redirects, redirects),
    sets!("max_body", max_body, size),
    sets!("insecure", insecure, Node::truth),
    sets!("no_keepalive", no_keepalive, Node::truth),
    sets!("interval", interval, interval),
];

/// Keys of the file that set no flag.
const OTHER_KEYS: [&str; 9] =
    ["$schema", "name", "headers", "variables", "data", "setup", "user_classes", "teardown", "checks"];

/// All keys of the file itself.
pub const KEYS: [&str; FILE_FLAGS.len() + OTHER_KEYS.len()] = {
    let mut keys = [""; FILE_FLAGS.len() + OTHER_KEYS.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = if at < OTHER_KEYS.len() { OTHER_KEYS[at] } else { FILE_FLAGS[at - OTHER_KEYS.len()].key };
        at += 1;
    }
    keys
};

/// The flags that the file can set.
#[cfg(test)]
pub(in crate::plan) fn set_by_file() -> impl Iterator<Item = &'static str> {
    FILE_FLAGS.iter().map(|row| row.flag)
}

/// What the file says that flags say, too.
pub(super) struct Top {
    /// The flags with each value that the file gives, whether a flag gives one or not.
    flags: RunFlags,
    given: Vec<&'static FileFlag>,
}

impl Top {
    /// Reads it over the flags; `text` makes the text of the host out of its template.
    pub(super) fn read(
        object: &Object<'_>,
        flags: &RunFlags,
        text: &mut dyn FnMut(&str) -> std::result::Result<String, String>,
    ) -> Result<Self> {
        let mut reading = Reading { flags: flags.clone(), text };
        let mut given = Vec::new();
        for row in &FILE_FLAGS {
            if object.read(row.key, |node| (row.read)(node, &mut reading))? == Some(true) {
                given.push(row);
            }
        }
        let top = Self { flags: reading.flags, given };
        top.check_model(object)?;
        Ok(top)
    }

    /// Whether the file sets a flag.
    fn has(&self, flag: &str) -> bool {
        self.given.iter().any(|row| row.flag == flag)
    }

    /// What decides when a request is sent must be one thing.
    fn check_model(&self, object: &Object<'_>) -> Result<()> {
        let refuse = |key: &str, why: &str| object.read(key, |node| Err::<(), _>(node.refused(why))).map(|_| ());
        if self.has("rate") {
            refuse("wait", "cannot be combined with \"rate\", which says when requests are sent")?;
            refuse("spawn_rate", "cannot be combined with \"rate\", which starts users as they are needed")?;
            return object.need("user_classes")?.list()?.iter().try_for_each(|class| {
                let own = class.object(&keys::CLASS)?.get("wait");
                own.map_or(Ok(()), |node| {
                    Err(node.refused("cannot be combined with \"rate\", which says when requests are sent"))
                })
            });
        }
        refuse_where(self.has("arrival"), || refuse("arrival", "works only with \"rate\""))?;
        if let Some(stages) = self.flags.stages.as_ref().filter(|_| self.has("stages")) {
            refuse("users", "cannot be combined with \"stages\", which say how many there are")?;
            refuse("spawn_rate", "cannot be combined with \"stages\", which say when users start")?;
            match Users::stages(stages).max_users() {
                0 => refuse("stages", "never reach a user")?,
                most if most > MAX_USERS => refuse("stages", &format!("go over {MAX_USERS} users"))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The flags with what the file says where neither a flag nor the environment does.
    ///
    /// Flags that say how the load is made replace the file's way as a whole: `--rate` over a file of users, `--stages`
    /// over its users, `-u` or `-r` over its stages.
    pub(super) fn below(
        &self,
        flags: &RunFlags,
        origins: &SettingSources,
    ) -> (RunFlags, SettingSources, ThinkTimeSource) {
        let is_opened = flags.rate.is_some() && !self.has("rate");
        let is_closed = flags.rate.is_none() && !self.has("rate");
        let is_staged = is_closed && flags.stages.is_some();
        let is_ramped = is_closed && (flags.users.is_some() || flags.spawn_rate.is_some());
        let is_replaced = |flag: &str| match flag {
            "users" => is_staged,
            "spawn_rate" => is_staged || is_opened,
            "stages" => is_ramped || is_opened,
            "wait" => is_opened,
            _ => false,
        };
        let (mut all, mut origins) = (flags.clone(), origins.clone());
        for row in &self.given {
            if origins.of(row.flag) == SettingSource::Default && !is_replaced(row.flag) {
                (row.copy)(&self.flags, &mut all);
                origins.set_file(row.flag);
            }
        }
        let is_said = matches!(origins.of("wait"), SettingSource::Flag | SettingSource::Env);
        let pause =
            if is_said || is_opened { ThinkTimeSource::FromFlag(all.wait) } else { ThinkTimeSource::Default(all.wait) };
        (all, origins, pause)
    }
}

fn refuse_where(is_wrong: bool, refuse: impl FnOnce() -> Result<()>) -> Result<()> {
    if is_wrong { refuse() } else { Ok(()) }
}

/// The words of `arrival`.
const ARRIVALS: [(&str, ArrivalSpacing); 2] =
    [("constant", ArrivalSpacing::Constant), ("poisson", ArrivalSpacing::Poisson)];

fn host(node: &Node<'_>, reading: &mut Reading<'_>) -> Result<String> {
    let host = node.read(&mut *reading.text)?;
    value::host(&host).and_then(|host| Url::parse(&host).map(|_| host)).map_err(|why| node.refused(why))
}

/// The statuses of `expect`; the rest of it is read with the requests.
fn status(node: &Node<'_>, reading: &mut Reading<'_>) -> Result<bool> {
    let status = node.object(&keys::EXPECT)?.read("status", super::expect::status)?;
    let is_given = status.is_some();
    reading.flags.expect_status = status.or_else(|| reading.flags.expect_status.take());
    Ok(is_given)
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
    if interval < MIN_TICK { Err(node.refused("must be at least 100ms")) } else { Ok(interval) }
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
