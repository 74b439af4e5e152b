//! The flags of `run` as settings for the stream, in the order of the help page.

use std::time::Duration;

use super::Sink;
use super::check::Check;
use super::load::OPEN_USERS;
use super::requests::Resolved;
use super::route::Route;
use super::setting::{Scope, Settings, fingerprint};
use crate::cli::{Arrival, Origin, Origins, Outputs, RunFlags};
use crate::clock::rfc3339;
use crate::secret::{MASK, masked_header};
use crate::value::{Header, Resolve};

/// Collects the settings.
pub(super) fn of(
    flags: &RunFlags,
    origins: &Origins,
    (resolved, checks): (&Resolved, &[(Check, Origin)]),
    route: &Route,
    sink: &Sink,
    testplan: &str,
) -> Settings {
    let mut book = Settings::default();
    load(&mut book, flags, origins, resolved);
    request(&mut book, flags, origins, resolved);
    connection(&mut book, flags, origins, route);
    let named = match origins.of("testplan") {
        Origin::Default if resolved.scenario.name.is_some() => Origin::File,
        origin => origin,
    };
    book.add(Scope::Plan, "testplan", testplan, named);
    book.add(Scope::Plan, "interval", &time(flags.interval), origins.of("interval"));
    let telemetry = match sink {
        Sink::Stdout => "-".to_owned(),
        Sink::File(path) | Sink::Gzip(path) => path.display().to_string(),
    };
    let Outputs { html, csv, json_file, junit, hgrm } = &flags.outputs;
    for (key, id, file) in [
        ("html", "html", html),
        ("csv", "csv", csv),
        ("json-file", "json_file", json_file),
        ("junit", "junit", junit),
        ("hgrm", "hgrm", hgrm),
    ] {
        if let Some(file) = file {
            book.add(Scope::Place, key, &file.display().to_string(), origins.of(id));
        }
    }
    book.add(Scope::Place, "telemetry", &telemetry, origins.of("telemetry"));
    many(&mut book, flags, origins);
    for (check, origin) in checks {
        // Two runs of the same plan may have different checks.
        book.add(Scope::Place, "check", check.text(), *origin);
    }
    book.add(
        Scope::Place,
        "exit-code-on-error",
        &flags.exit_code_on_error.to_string(),
        origins.of("exit_code_on_error"),
    );
    book
}

/// Settings that differ between the shards of a run and are therefore not part of the plan.
fn many(book: &mut Settings, flags: &RunFlags, origins: &Origins) {
    if let Some(shard) = flags.shard {
        book.add(Scope::Place, "shard", &shard.to_string(), origins.of("shard"));
    }
    if let Some(at) = flags.start_at {
        book.add(Scope::Place, "start-at", &rfc3339(at), origins.of("start_at"));
    }
    if let Some(step) = flags.start_align {
        book.add(Scope::Place, "start-align", &time(step), origins.of("start_align"));
    }
}

fn load(book: &mut Settings, flags: &RunFlags, origins: &Origins, resolved: &Resolved) {
    for (key, value) in &resolved.scenario.told {
        // The location of the file is not part of its content.
        let scope = if *key == "scenario" { Scope::Place } else { Scope::Plan };
        let origin = if *key == "scenario" { origins.of("scenario") } else { Origin::File };
        book.add(scope, key, value, origin);
    }
    for (key, tags) in [("tags", &flags.tags), ("exclude-tags", &flags.exclude_tags)] {
        if !tags.is_empty() {
            book.add(Scope::Plan, key, &tags.join(" "), origins.of(&key.replace('-', "_")));
        }
    }
    let origin = if flags.scenario.is_some() { Origin::File } else { Origin::Flag };
    book.add(Scope::Plan, "request", &resolved.listing, origin);
    book.add(Scope::Plan, "host", &resolved.base_authority, origins.of("host"));
    model(book, flags, origins);
    if let Some(run_time) = flags.run_time {
        book.add(Scope::Plan, "run-time", &time(run_time), origins.of("run_time"));
    }
    if let Some(requests) = flags.max_requests {
        book.add(Scope::Plan, "requests", &requests.to_string(), origins.of("max_requests"));
    }
    book.add(Scope::Plan, "wait", &flags.wait.to_string(), origins.of("wait"));
    book.add(Scope::Plan, "stop-timeout", &time(flags.stop_timeout), origins.of("stop_timeout"));
}

/// What determines when requests are sent: only the flags that affect it.
fn model(book: &mut Settings, flags: &RunFlags, origins: &Origins) {
    let users = |otherwise: u32| flags.users.unwrap_or(otherwise).to_string();
    if let Some(rate) = flags.rate {
        book.add(Scope::Plan, "rate", &rate.to_string(), origins.of("rate"));
        let arrival = flags.arrival.unwrap_or(Arrival::Constant);
        book.add(Scope::Plan, "arrival", arrival.as_str(), origins.of("arrival"));
        book.add(Scope::Plan, "users", &users(OPEN_USERS), origins.of("users"));
    } else if flags.stages.is_none() {
        book.add(Scope::Plan, "users", &users(1), origins.of("users"));
        let rate = flags.spawn_rate.unwrap_or(1.0);
        book.add(Scope::Plan, "spawn-rate", &rate.to_string(), origins.of("spawn_rate"));
    }
    if let Some(stages) = &flags.stages {
        book.add(Scope::Plan, "stages", &stages.to_string(), origins.of("stages"));
    }
    if let Some(seed) = flags.seed {
        book.add(Scope::Plan, "seed", &seed.to_string(), origins.of("seed"));
    }
}

fn request(book: &mut Settings, flags: &RunFlags, origins: &Origins, resolved: &Resolved) {
    for Header { name, value } in &flags.headers {
        let text = masked_header(name, value.as_deref().unwrap_or_default());
        book.add(Scope::Plan, "header", &text, origins.of("headers"));
    }
    if let Some(body) = &resolved.body {
        // A body may contain a password, and it is impossible to tell where.
        let (key, flag) = if flags.json.is_some() { ("json", "json") } else { ("data", "data") };
        book.add(Scope::Plan, key, &fingerprint(body), origins.of(flag));
    }
    if flags.basic_auth.is_some() {
        book.add(Scope::Plan, "basic-auth", MASK, origins.of("basic_auth"));
    }
    if let Some(set) = &flags.expect_status {
        book.add(Scope::Plan, "expect-status", &set.to_string(), origins.of("expect_status"));
    }
    book.add(Scope::Plan, "timeout", &time(flags.timeout), origins.of("timeout"));
    book.add(Scope::Plan, "max-redirects", &flags.max_redirects.to_string(), origins.of("max_redirects"));
    book.add(Scope::Plan, "max-body", &flags.max_body.to_string(), origins.of("max_body"));
}

fn connection(book: &mut Settings, flags: &RunFlags, origins: &Origins, route: &Route) {
    book.add(Scope::Plan, "connect-timeout", &time(flags.connect_timeout), origins.of("connect_timeout"));
    book.add(Scope::Plan, "no-keepalive", &flags.no_keepalive.to_string(), origins.of("no_keepalive"));
    book.add(Scope::Plan, "insecure", &flags.insecure.to_string(), origins.of("insecure"));
    for file in &flags.cacert {
        book.add(Scope::Place, "cacert", &file.display().to_string(), origins.of("cacert"));
    }
    for (key, file) in [("cert", &flags.cert), ("key", &flags.key)] {
        if let Some(file) = file {
            book.add(Scope::Place, key, &file.display().to_string(), origins.of(key));
        }
    }
    match route {
        Route::Direct => {}
        Route::HttpProxy { .. } | Route::Socks5 { .. } => {
            book.add(Scope::Place, "proxy", &route.to_string(), origins.of("proxy"));
        }
        Route::UnixSocket(_) => {
            book.add(Scope::Place, "unix-socket", &route.to_string(), origins.of("unix_socket"));
        }
    }
    for Resolve { host, port, addresses } in &flags.resolve {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        book.add(Scope::Place, "resolve", &format!("{host}:{port}:{}", addresses.join(",")), origins.of("resolve"));
    }
    book.add(Scope::Plan, "dns-ttl", &time(flags.dns_ttl), origins.of("dns_ttl"));
    let family = match (flags.ipv4, flags.ipv6) {
        (true, _) => ("4", "ipv4"),
        (_, true) => ("6", "ipv6"),
        _ => ("any", "ipv4"),
    };
    book.add(Scope::Plan, "address-family", family.0, origins.of(family.1));
}

/// A duration in the format of the flags: whole seconds, or a decimal fraction.
fn time(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}s", duration.as_secs_f64())
    }
}
