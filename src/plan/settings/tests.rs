use std::collections::BTreeSet;
use std::ffi::OsString;

use super::*;
use crate::cli::{self, Command, Invocation, Variables};
use crate::plan::engine::Environment;
use crate::plan::scenario::set_by_file;
use crate::plan::{Plan, ProcessContext};

/// Flags of `run` that are not settings, and why.
const NOT_SETTINGS: [(&str, &str); 11] = [
    ("dry_run", "nothing is sent, and no stream written"),
    ("run_id", "is in every line of the stream"),
    ("quiet", "text for people"),
    ("only_summary", "text for people"),
    ("logfile", "text for people"),
    ("loglevel", "text for people"),
    ("headless", "changes nothing"),
    ("web_port", "who may follow the run"),
    ("web_host", "who may follow the run"),
    ("web_linger", "who may follow the run"),
    ("enable_telemetry_recorder", "changes nothing"),
];

/// Flags of the plan, each with two command lines that differ in it alone: their hashes must differ, too. `$` is the
/// folder of the examples.
const DIFFERENT: [(&str, &str, &str); 34] = [
    ("scenario", "-f $/shop.json", "-f $/ramp.json"),
    ("tags", "-f $/shop.json", "-f $/shop.json -T read -T write"),
    ("exclude_tags", "-f $/shop.json", "-f $/shop.json -E read"),
    ("requests", "http://h/", "http://h/2"),
    ("method", "http://h/", "-X PUT http://h/"),
    ("host", "-H http://h /", "-H http://h2 /"),
    ("rate", "http://h/ --rate 5", "http://h/ --rate 6"),
    ("arrival", "http://h/ --rate 5", "http://h/ --rate 5 --arrival poisson"),
    ("users", "http://h/", "http://h/ -u 2"),
    ("spawn_rate", "http://h/", "http://h/ -r 2"),
    ("stages", "http://h/ --stages 1s:2", "http://h/ --stages 1s:3"),
    ("seed", "http://h/", "http://h/ --seed 1"),
    ("run_time", "http://h/", "http://h/ -t 5"),
    ("max_requests", "http://h/", "http://h/ -n 5"),
    ("wait", "http://h/", "http://h/ --wait 1s"),
    ("stop_timeout", "http://h/", "http://h/ -s 1s"),
    ("warmup", "http://h/ -t 20", "http://h/ -t 20 --warmup 5s"),
    ("headers", "http://h/", "http://h/ --header A:b"),
    ("json", "http://h/ --json 1", "http://h/ --json 2"),
    ("data", "http://h/ -d 1", "http://h/ -d 2"),
    ("basic_auth", "http://h/", "http://h/ --basic-auth a:b"),
    ("expect_status", "http://h/", "http://h/ --expect-status 404"),
    ("timeout", "http://h/", "http://h/ --timeout 1s"),
    ("max_redirects", "http://h/", "http://h/ --max-redirects 0"),
    ("max_body", "http://h/", "http://h/ --max-body 1K"),
    ("traceparent", "http://h/", "http://h/ --traceparent 1%"),
    ("connect_timeout", "http://h/", "http://h/ --connect-timeout 1s"),
    ("no_keepalive", "http://h/", "http://h/ --no-keepalive"),
    ("insecure", "http://h/", "http://h/ -k"),
    ("dns_ttl", "http://h/", "http://h/ --dns-ttl 1s"),
    ("ipv4", "http://h/", "http://h/ -4"),
    ("ipv6", "http://h/", "http://h/ -6"),
    ("testplan", "http://h/", "http://h/ --testplan x"),
    ("interval", "http://h/", "http://h/ --interval 1s"),
];

/// As [`DIFFERENT`], of flags that are not of the plan.
const SAME: [(&str, &str, &str); 2] =
    [("telemetry", "http://h/", "http://h/ --telemetry x"), ("check_rps", "http://h/", "http://h/ --check-rps 5")];

fn made(line: &str) -> Plan {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let words = line.split_whitespace().map(|word| OsString::from(word.replace('$', examples)));
    let arguments = ["swarmline".into(), "run".into()].into_iter().chain(words);
    let Ok(Invocation::Command(Command::Run(flags), origins)) = cli::parse(arguments, Variables::Ignored) else {
        panic!("{line}");
    };
    let surroundings = ProcessContext { stdout_is_terminal: false, entropy: 0, environment: &Environment::default() };
    Plan::from_flags(&flags, &origins, surroundings).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn ids() -> BTreeSet<String> {
    let definition = cli::command_line();
    let run = definition.find_subcommand("run").unwrap();
    let flags = run.get_arguments().map(|flag| flag.get_id().to_string());
    flags.filter(|id| id != "help" && id != "version").collect()
}

fn rows() -> impl Iterator<Item = &'static SettingRow> {
    ROWS_BEFORE_OUTPUTS.iter().chain(&ROWS_AFTER_OUTPUTS)
}

fn of_scope(scope: SettingScope) -> BTreeSet<&'static str> {
    rows().filter(|row| row.scope == scope).flat_map(|row| row.flags).copied().collect()
}

#[test]
fn each_flag_of_run_is_a_setting_or_excepted() {
    let mut told: Vec<&str> = rows().flat_map(|row| row.flags).copied().collect();
    told.extend(NOT_SETTINGS.map(|(flag, _)| flag));
    told.extend(OutputFlag::ALL.map(OutputFlag::field));
    let told: BTreeSet<String> = told.into_iter().map(str::to_owned).collect();
    assert_eq!(told, ids(), "flags in the tables, and flags of the command line");
}

#[test]
fn each_flag_of_the_plan_changes_its_hash() {
    let shown: BTreeSet<&str> = DIFFERENT.iter().map(|(flag, ..)| *flag).collect();
    assert_eq!(shown, of_scope(SettingScope::Plan), "flags of the plan");
    for (flag, before, after) in DIFFERENT {
        assert_ne!(made(before).hash(), made(after).hash(), "{flag}");
    }
    for (flag, before, after) in SAME {
        assert_eq!(made(before).hash(), made(after).hash(), "{flag}");
    }
}

#[test]
fn the_hash_of_a_plan_stays_from_version_to_version() {
    for (line, hash) in [
        ("-n 1 -t 1 http://127.0.0.1:9/", "d2e170b0401f8c0d7557d1ed250b291743163f84edc0cc312e2730cdeb927ce3"),
        (
            "-n 1 -t 1 --rate 5 --arrival poisson --seed 1 http://127.0.0.1:9/",
            "586886f51a1003a5d904ea2de89eca5fe20db6aeccf6509d126cb8519a6816ed",
        ),
    ] {
        assert_eq!(made(line).hash(), hash, "{line}");
    }
}

#[test]
fn what_a_scenario_file_sets_is_of_the_plan() {
    let of_plan = of_scope(SettingScope::Plan);
    for flag in set_by_file() {
        assert!(of_plan.contains(flag), "{flag}");
    }
}
