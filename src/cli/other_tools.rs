//! Flags of other tools that are not ours, each with what to do here: Locust, locust-plugins, k6, vegeta, hey, oha, wrk,
//! ab and curl.

/// Flags that mean the same, and the hint.
type Row = (&'static [&'static str], &'static str);

/// What to do instead of a flag; `None` if no other tool that is known here has it.
pub(super) fn hint(flag: &str) -> Option<&'static str> {
    if flag.starts_with("--web-") {
        return Some("the live page has --web-port, --web-host and --web-linger only");
    }
    let mut rows = LOCUST.iter().chain(&LOCUST_PLUGINS).chain(&LOAD).chain(&REQUEST).chain(&CONNECTION).chain(&OUTPUT);
    rows.find(|(flags, _)| flags.contains(&flag)).map(|(_, hint)| *hint)
}

const LOCUST: [Row; 18] = [
    (&["--locustfile"], "convert it with swarmline import locustfile.py > scenario.json, and pass -f scenario.json"),
    (&["--config"], "configuration files are not supported; use flags or LOCUST_* environment variables"),
    (
        &["--list", "-l", "--show-task-ratio", "--show-task-ratio-json"],
        "--dry-run lists the user classes and tasks of a scenario with their weights",
    ),
    (&["--config-users"], "write the settings of users into the classes of a scenario file (-f)"),
    (
        &["--master", "--worker", "--processes", "--expect-workers", "--master-host", "--master-port"],
        "there is no master; one process uses every core, so start it once, or on many hosts with --shard",
    ),
    (
        &["--master-bind-host", "--master-bind-port", "--expect-workers-max-wait", "--enable-rebalancing"],
        "there is no master; on many hosts use --shard, and swarmline merge afterwards",
    ),
    (&["-P"], "write --web-port for the live page"),
    (
        &["--autostart", "--autoquit"],
        "the live page (--web-port) starts no run; a run starts and ends by itself (-t, -n)",
    ),
    (
        &["--class-picker", "--modern-ui"],
        "the live page (--web-port) chooses nothing; -T and -E choose the tasks of a scenario",
    ),
    (&["--tls-cert", "--tls-key"], "the live page (--web-port) has no TLS; a client's certificate is --cert and --key"),
    (
        &["--csv-full-history"],
        "leave it out; the stream (--telemetry) has the history of each endpoint, --csv that of all",
    ),
    (&["--print-stats"], "leave it out; statistics are printed each --interval, unless --only-summary is given"),
    (&["--reset-stats"], "statistics are not reset after the ramp; the stream has the numbers of every interval"),
    (&["--skip-log-setup"], "leave it out; -L, --logfile and --quiet decide what is logged"),
    (&["--version", "-V"], "use it without a command: swarmline --version"),
    (
        &["--equal-weights"],
        "classes and tasks of a scenario file have the same weight unless \"weight\" says otherwise",
    ),
    (&["--profile"], "name the run with --testplan"),
    (&["--otel"], "use --otlp URL for metrics, and --traceparent SHARE for traces of requests"),
];

/// Flags of locust-plugins and locust-telemetry, and those that Locust's help does not show.
const LOCUST_PLUGINS: [Row; 11] = [
    (&["--headful"], "leave it out; every run is headless"),
    (&["--build-path", "--legacy-ui"], "leave it out; the live page is --web-port"),
    (&["--slave", "--expect-slaves"], "there is no master; on many hosts use --shard, and swarmline merge afterwards"),
    (&["--lt-log-level"], "leave it out; the stream (--telemetry) is not a log and has no level"),
    (
        &["--lt-otel-exporter-otlp-endpoint", "--lt-otel-exporter-otlp-insecure"],
        "use --otlp URL, which pushes metrics while the run goes on",
    ),
    (
        &["--timescale", "--grafana-url", "--pghost", "--pgport", "--pgpassword", "--pguser", "--pgdatabase"],
        "nothing is written to a database; ship the stream (--telemetry), or push metrics with --otlp URL",
    ),
    (&["--test-env", "--test-version", "--description"], "name the run with --testplan, and --run-id"),
    (&["--override-plan-name"], "name the run with --testplan"),
    (&["--iterations", "-i"], "-n is the number of requests (not of iterations); in curl's sense leave it out"),
    (&["--console-stats-interval"], "use --interval"),
    (&["--ips"], "use --rate: tasks started per second by all users"),
];

/// How much load, and when.
const LOAD: [Row; 14] = [
    (
        &["--vus", "--connections", "--concurrency", "--clients", "--workers", "--max-workers", "--vus-max"],
        "use -u N: concurrent users, each with its own connection",
    ),
    (
        &["-c", "--max-connections"],
        "use -u N: concurrent users, each with its own connection (and -t TIME for the duration)",
    ),
    (&["--threads"], "leave it out; each user has a thread of its own, see -u"),
    (&["--cpus"], "leave it out; all cores are used"),
    (&["--duration", "-z"], "use -t TIME, such as -t 30s"),
    (&["--rps", "--qps", "--query-per-second", "-R"], "use --rate R: requests started per second"),
    (&["--rpm"], "use --rate R: requests started per second"),
    (&["--stage"], "use --stages TIME:N,... such as 30s:100,2m:100"),
    (&["--ramp-up", "--rampup", "--hatch-rate"], "use -r R: users started per second, or --stages"),
    (&["--num-requests", "--number"], "use -n N"),
    (&["--burst-delay", "--burst-rate", "--burst-requests"], "use --stages with --rate"),
    (&["--latency-correction"], "leave it out; with --rate response times count from when a request was due"),
    (&["--graceful-stop", "--wait-ongoing-requests-after-deadline"], "use -s TIME (--stop-timeout)"),
    (&["--think-time", "--sleep", "--delay"], "use --wait SPEC, such as --wait 1s..3s"),
];

/// What is requested.
const REQUEST: [Row; 17] = [
    (&["-F", "--form", "--form-string"], "multipart forms are in scenario files: \"multipart\""),
    (&["--script", "--lua"], "scripts are not supported; write a scenario file (-f)"),
    (&["--targets"], "put the requests into a file, one per line, and pass @FILE"),
    (&["--url", "--urls"], "give the URL without a flag; @FILE reads one per line"),
    (&["-m"], "the method is -X; the time for a request is --timeout"),
    (&["--request"], "the method is -X"),
    (&["-I", "--head"], "use -X HEAD"),
    (&["-G", "--get"], "use -X GET, and write the query into the URL"),
    (&["--body", "-D", "--body-file", "--post-file", "-p"], "use -d @FILE, or -d TEXT"),
    (&["--data-binary", "--data-raw", "--data-ascii"], "use -d TEXT or -d @FILE, which is sent unchanged"),
    (&["--data-urlencode"], "use -d with encoded text, or \"form\" in a scenario file"),
    (&["-b", "--cookie"], "use --header 'Cookie: ...'; cookies of responses are kept by each user"),
    (&["-A", "--accept", "--user-agent", "--content-type"], "use --header, such as --header 'User-Agent: ...'"),
    (
        &["--referer", "-e", "--env"],
        "use --header 'Referer: ...'; values from the environment are ${env.NAME} in a scenario",
    ),
    (&["-a", "--basic-authentication", "--user", "--auth"], "use --basic-auth NAME:PASS"),
    (&["--redirects", "--redirect", "--location", "--disable-redirects"], "use --max-redirects N; 0 follows none"),
    (&["--max-time", "--request-timeout"], "use --timeout TIME"),
];

/// How connections are made.
const CONNECTION: [Row; 11] = [
    (&["--http2", "--h2", "--h2c", "--http-version", "--http3"], "only HTTP/1.1 is supported"),
    (
        &["--disable-keepalive", "--no-connection-reuse", "--no-vu-connection-reuse", "-C"],
        "use --no-keepalive: a new connection for every request",
    ),
    (&["--keepalive", "--keep-alive"], "leave it out; connections are kept unless --no-keepalive is given"),
    (&["--disable-compression", "--compressed"], "use --header 'Accept-Encoding: ...'; none is sent by default"),
    (&["--root-certs", "--ca", "--capath"], "use --cacert FILE"),
    (&["--insecure-skip-tls-verify", "--no-check-certificate"], "use -k"),
    (&["-x"], "use --proxy URL"),
    (&["--connect-to"], "use --resolve HOST:PORT:ADDR"),
    (&["--resolvers", "--dns", "--no-pre-lookup", "--laddr"], "use --resolve HOST:PORT:ADDR, and --dns-ttl"),
    (&["--session-tickets"], "leave it out; TLS sessions are resumed"),
    (
        &["-B", "--interface", "--local-address"],
        "the system chooses the local address; --resolve sets that of the server",
    ),
];

/// What is shown and written.
const OUTPUT: [Row; 9] = [
    (
        &["--latency", "--histogram"],
        "leave it out; the summary has percentiles, and --hgrm FILE writes their distribution",
    ),
    (
        &["-o", "--out", "--output", "--summary-export", "--export"],
        "use --telemetry PATH for the stream; --json-file, --csv, --html or --junit for the summary",
    ),
    (&["-g", "-w"], "use --html FILE, --csv PREFIX or --hgrm FILE"),
    (&["-j", "--format"], "use --json-file FILE for the summary"),
    (
        &["--no-tui", "--no-color", "--disable-color", "--fps"],
        "use --quiet or --only-summary; NO_COLOR turns colours off",
    ),
    (&["-v", "--verbose"], "use -L debug"),
    (&["--silent", "-S"], "use --quiet"),
    (&["--name", "--tag"], "use --testplan NAME"),
    (&["--threshold", "--thresholds"], "use --check, such as --check 'p95 < 300ms'"),
];
