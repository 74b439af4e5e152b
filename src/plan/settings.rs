//! Every flag of `run` as a setting of the stream. One row decides a setting's name, whether it is part of the plan's hash,
//! which flags it comes from and how it is written; a test demands a row of each flag.

use std::path::Path;
use std::time::Duration;

use super::Sink;
use super::body_file::BodyContent;
use super::check::Check;
use super::load::DEFAULT_OPEN_USERS;
use super::otlp;
use super::request_args::Resolved;
use super::route::Route;
use super::setting::{SettingScope, Settings};
use crate::cli::{ArrivalSpacing, OutputFlag, RunFlags, SearchFlags, SettingSource, SettingSources};
use crate::clock::rfc3339;
use crate::secret::{MASK, masked_header};
use crate::value::{Header, Resolve};

/// What settings are made of: the flags, and what was resolved with them.
#[derive(Clone, Copy)]
pub(super) struct Sources<'p> {
    pub(super) flags: &'p RunFlags,
    /// The flags of a search for capacity, in which the rate is that of its first step.
    pub(super) search: Option<&'p SearchFlags>,
    pub(super) origins: &'p SettingSources,
    pub(super) resolved: &'p Resolved,
    pub(super) checks: &'p [(Check, SettingSource)],
    pub(super) route: &'p Route,
    pub(super) sink: &'p Sink,
    pub(super) testplan: &'p str,
}

/// A setting: none, one or several lines of the same key.
struct SettingRow {
    key: &'static str,
    scope: SettingScope,
    /// The flags that decide it, by their names in [`RunFlags`].
    flags: &'static [&'static str],
    values: fn(&Sources<'_>) -> Vec<Value>,
}

/// A value as the flag would be written, and its origin where that is not the origin of the row's flags.
type Value = (String, Option<SettingSource>);

/// A setting that two runs of the same plan agree on.
const fn plan(key: &'static str, flags: &'static [&'static str], values: fn(&Sources<'_>) -> Vec<Value>) -> SettingRow {
    SettingRow { key, scope: SettingScope::Plan, flags, values }
}

/// A setting of one run: two runs, or shards, of the same plan may differ in it.
const fn run(key: &'static str, flags: &'static [&'static str], values: fn(&Sources<'_>) -> Vec<Value>) -> SettingRow {
    SettingRow { key, scope: SettingScope::Run, flags, values }
}

/// The settings in the order of the stream. The hash is over those of the plan in this order, so a new row goes to the
/// end of its group and writes nothing where its flag is not given: the hashes of older plans stay as they are.
#[rustfmt::skip]
const ROWS_BEFORE_OUTPUTS: [SettingRow; 50] = [
    // The location of the file is not part of its content.
    run("scenario", &["scenario"], |of| of_scenario(of, "scenario", None)),
    plan("scenario-content", &["scenario"], |of| of_scenario(of, "scenario-content", Some(SettingSource::File))),
    plan("variable", &["scenario"], |of| of_scenario(of, "variable", Some(SettingSource::File))),
    plan("data-source", &["scenario"], |of| of_scenario(of, "data-source", Some(SettingSource::File))),
    plan("body-file", &["scenario"], |of| of_scenario(of, "body-file", Some(SettingSource::File))),
    plan("user-class", &["scenario"], |of| of_scenario(of, "user-class", Some(SettingSource::File))),
    plan("header", &["scenario"], |of| of_scenario(of, "header", Some(SettingSource::File))),
    plan("tags", &["tags"], |of| words(&of.flags.tags)),
    plan("exclude-tags", &["exclude_tags"], |of| words(&of.flags.exclude_tags)),
    plan("request", &["requests", "method"], request),

    plan("host", &["host"], |of| one(&of.resolved.base_authority)),
    plan("rate", &["rate"], |of| maybe(of.flags.rate.filter(|_| of.search.is_none()))),
    plan("arrival", &["arrival"], arrival),
    plan("users", &["users"], users),
    plan("spawn-rate", &["spawn_rate"], spawn_rate),
    plan("stages", &["stages"], |of| maybe(of.flags.stages.as_ref())),
    plan("seed", &["seed"], |of| maybe(of.flags.seed)),
    plan("run-time", &["run_time"], |of| maybe(of.flags.run_time.map(time))),
    plan("requests", &["max_requests"], |of| maybe(of.flags.max_requests)),
    plan("wait", &["wait"], |of| one(of.flags.wait)),
    plan("stop-timeout", &["stop_timeout"], |of| one(time(of.flags.stop_timeout))),
    plan("warmup", &["warmup"], |of| maybe(of.flags.warmup.map(time))),

    plan("header", &["headers"], |of| each(&of.flags.headers, header)),
    // A body may contain a password, and it is impossible to tell where.
    plan("json", &["json"], |of| body(of, of.flags.json.is_some())),
    plan("data", &["data"], |of| body(of, of.flags.data.is_some())),
    plan("basic-auth", &["basic_auth"], |of| maybe(of.flags.basic_auth.as_ref().map(|_| MASK))),
    plan("expect-status", &["expect_status"], |of| maybe(of.flags.expect_status.as_ref())),
    plan("timeout", &["timeout"], |of| one(time(of.flags.timeout))),
    plan("max-redirects", &["max_redirects"], |of| one(of.flags.max_redirects)),
    plan("max-body", &["max_body"], |of| one(of.flags.max_body)),
    plan("traceparent", &["traceparent"], |of| maybe(of.flags.traceparent)),

    plan("connect-timeout", &["connect_timeout"], |of| one(time(of.flags.connect_timeout))),
    plan("no-keepalive", &["no_keepalive"], |of| one(of.flags.no_keepalive)),
    plan("insecure", &["insecure"], |of| one(of.flags.insecure)),
    run("cacert", &["cacert"], |of| each(&of.flags.cacert, |file| path(file))),
    run("cert", &["cert"], |of| maybe(of.flags.cert.as_deref().map(path))),
    run("key", &["key"], |of| maybe(of.flags.key.as_deref().map(path))),
    run("proxy", &["proxy"], |of| route(of, matches!(of.route, Route::HttpProxy { .. } | Route::Socks5 { .. }))),
    run("unix-socket", &["unix_socket"], |of| route(of, matches!(of.route, Route::UnixSocket(_)))),
    run("resolve", &["resolve"], |of| each(&of.flags.resolve, resolve)),
    plan("dns-ttl", &["dns_ttl"], |of| one(time(of.flags.dns_ttl))),
    plan("address-family", &["ipv4", "ipv6"], |of| one(family(of.flags))),

    plan("testplan", &["testplan"], testplan),
    plan("interval", &["interval"], |of| one(time(of.flags.interval))),

    plan("from", &[], |of| of_search(of, "from", |search| Some(search.from.to_string()))),
    plan("to", &[], |of| of_search(of, "to", |search| search.to.map(|to| to.to_string()))),
    plan("step-time", &[], |of| of_search(of, "step_time", |search| Some(time(search.step_time)))),
    plan("settle", &[], |of| of_search(of, "settle", |search| Some(time(search.settle)))),
    plan("precision", &[], |of| of_search(of, "precision", |search| Some(search.precision.to_string()))),
    plan("min-rate", &[], |of| of_search(of, "min_rate", |search| search.min_rate.map(|rate| rate.to_string()))),
];

/// The settings after those of report files ([`OutputFlag`]).
#[rustfmt::skip]
const ROWS_AFTER_OUTPUTS: [SettingRow; 11] = [
    run("telemetry", &["telemetry"], |of| one(sink(of.sink))),
    run("log-requests", &["log_requests"], |of| maybe(of.flags.log_requests.as_deref().map(path))),
    run("log-share", &["log_share"], |of| maybe(of.flags.log_share)),
    run("shard", &["shard"], |of| maybe(of.flags.shard)),
    run("start-at", &["start_at"], |of| maybe(of.flags.start_at.map(rfc3339))),
    run("start-align", &["start_align"], |of| maybe(of.flags.start_align.map(time))),
    run("await-host", &["await_host"], |of| maybe(of.flags.await_host.map(time))),
    // Two runs of the same plan may have different checks.
    run("check", &["checks", "check_rps", "check_fail_ratio", "check_avg_response_time"], checks),
    run("otlp", &["otlp"], |of| maybe(of.flags.publish.otlp.as_deref().map(otlp::shown))),
    run("debug-failures", &["debug_failures"], |of| maybe(of.flags.debug_failures)),
    run("exit-code-on-error", &["exit_code_on_error"], |of| one(of.flags.exit_code_on_error)),
];

/// The first setting of the plan whose values in `one` and `other` are not the same, with both values in this order; `None` if
/// all agree.
/// Both are keys and values as in a stream. A value that is not written, such as a secret or a file's content, does not tell.
#[must_use]
pub fn differing_setting(one: &[(&str, &str)], other: &[(&str, &str)]) -> Option<String> {
    /// Longer values are not quoted: the key is enough to find them.
    const LONGEST: usize = 64;
    let values = |of: &[(&str, &str)], key: &str| {
        let values: Vec<String> =
            of.iter().filter(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned()).collect();
        if values.is_empty() { "not set".to_owned() } else { values.join(", ") }
    };
    let keys = ROWS_BEFORE_OUTPUTS.iter().filter(|row| row.scope == SettingScope::Plan).map(|row| row.key);
    let mut differences = keys.filter_map(|key| {
        let (ours, theirs) = (values(one, key), values(other, key));
        (ours != theirs).then_some((key, ours, theirs))
    });
    let (key, ours, theirs) = differences.next()?;
    let is_short = ours.len() <= LONGEST && theirs.len() <= LONGEST;
    Some(if is_short { format!("{key}: {ours} and {theirs}") } else { key.to_owned() })
}

/// Collects the settings.
pub(super) fn collect(sources: &Sources<'_>) -> Settings {
    let mut settings = Settings::default();
    for row in &ROWS_BEFORE_OUTPUTS {
        row.add_to(&mut settings, sources);
    }
    for flag in OutputFlag::ALL {
        if let Some(file) = sources.flags.outputs.path(flag) {
            settings.add(SettingScope::Run, flag.key(), &path(file), sources.origins.of(flag.field()));
        }
    }
    for row in &ROWS_AFTER_OUTPUTS {
        row.add_to(&mut settings, sources);
    }
    settings
}

impl SettingRow {
    fn add_to(&self, settings: &mut Settings, sources: &Sources<'_>) {
        let Self { key, scope, flags, values } = self;
        let of_flags = flags.iter().map(|flag| sources.origins.of(flag)).min().unwrap_or(SettingSource::Default);
        for (value, origin) in values(sources) {
            settings.add(*scope, key, &value, origin.unwrap_or(of_flags));
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "numbers, and texts made for the call")]
fn one(value: impl ToString) -> Vec<Value> {
    vec![(value.to_string(), None)]
}

fn maybe(value: Option<impl ToString>) -> Vec<Value> {
    value.map(one).unwrap_or_default()
}

fn each<T>(values: &[T], write: impl Fn(&T) -> String) -> Vec<Value> {
    values.iter().map(|value| (write(value), None)).collect()
}

fn words(words: &[String]) -> Vec<Value> {
    if words.is_empty() { Vec::new() } else { one(words.join(" ")) }
}

/// A setting of a search for capacity, from the flag of this name in [`SearchFlags`].
fn of_search(of: &Sources<'_>, flag: &str, value: fn(&SearchFlags) -> Option<String>) -> Vec<Value> {
    let value = of.search.and_then(value);
    value.map(|value| (value, Some(of.origins.of(flag)))).into_iter().collect()
}

fn of_scenario(of: &Sources<'_>, key: &str, origin: Option<SettingSource>) -> Vec<Value> {
    let told = of.resolved.scenario.settings.iter().filter(|(told, _)| *told == key);
    told.map(|(_, value)| (value.clone(), origin)).collect()
}

fn request(of: &Sources<'_>) -> Vec<Value> {
    let origin = if of.flags.scenario.is_some() { SettingSource::File } else { SettingSource::Flag };
    vec![(of.resolved.listing.clone(), Some(origin))]
}

fn arrival(of: &Sources<'_>) -> Vec<Value> {
    let arrival = of.flags.arrival.unwrap_or(ArrivalSpacing::Constant);
    maybe(of.flags.rate.map(|_| arrival.as_str()))
}

/// With stages of users it is they that say how many there are.
fn users(of: &Sources<'_>) -> Vec<Value> {
    match (of.flags.rate, &of.flags.stages) {
        (Some(_), _) => one(of.flags.users.unwrap_or(DEFAULT_OPEN_USERS)),
        (None, None) => one(of.flags.users.unwrap_or(1)),
        (None, Some(_)) => Vec::new(),
    }
}

fn spawn_rate(of: &Sources<'_>) -> Vec<Value> {
    let is_ramp = of.flags.rate.is_none() && of.flags.stages.is_none();
    maybe(is_ramp.then(|| of.flags.spawn_rate.unwrap_or(1.0)))
}

fn header(Header { name, value }: &Header) -> String {
    masked_header(name, value.as_deref().unwrap_or_default())
}

fn body(of: &Sources<'_>, is_given: bool) -> Vec<Value> {
    maybe(of.resolved.body.as_ref().filter(|_| is_given).map(BodyContent::fingerprint))
}

fn route(of: &Sources<'_>, is_taken: bool) -> Vec<Value> {
    maybe(is_taken.then_some(of.route))
}

fn resolve(Resolve { host, port, addresses }: &Resolve) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    format!("{host}:{port}:{}", addresses.join(","))
}

const fn family(flags: &RunFlags) -> &'static str {
    match (flags.ipv4, flags.ipv6) {
        (true, _) => "4",
        (_, true) => "6",
        _ => "any",
    }
}

fn testplan(of: &Sources<'_>) -> Vec<Value> {
    let is_of_file = of.flags.testplan.is_none() && of.resolved.scenario.name.is_some();
    vec![(of.testplan.to_owned(), is_of_file.then_some(SettingSource::File))]
}

fn sink(sink: &Sink) -> String {
    match sink {
        Sink::Stdout => "-".to_owned(),
        Sink::File(file) | Sink::Gzip(file) => path(file),
    }
}

fn checks(of: &Sources<'_>) -> Vec<Value> {
    of.checks.iter().map(|(check, origin)| (check.text().to_owned(), Some(*origin))).collect()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A duration in the format of the flags: whole seconds, or a decimal fraction.
fn time(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests;
