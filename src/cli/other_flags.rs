//! Flags of the commands other than `run`; their doc comments are the help page.
#![allow(
    clippy::doc_markdown,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments here are the help page"
)]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::flags::CheckFlags;
use super::outputs::Outputs;
use super::publish_flags::PublishFlags;
use crate::value;

/// Flags of `swarmline target`.
#[derive(Debug, Args)]
pub struct TargetFlags {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Allow an address that other hosts can reach
    #[arg(long)]
    pub allow_remote: bool,
}

/// Flags of `swarmline schema`.
#[derive(Debug, Args)]
pub struct SchemaFlags {
    /// Print the schema of scenario files instead of the stream's
    #[arg(long)]
    pub scenario: bool,
}

/// Flags of `swarmline completions`.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsFlags {
    /// Shell that the script is for
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  swarmline completions bash > ~/.local/share/bash-completion/completions/swarmline
  swarmline completions zsh > \"${fpath[1]}/_swarmline\"
  swarmline completions fish > ~/.config/fish/completions/swarmline.fish";

/// Flags of `swarmline man`.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct ManFlags {
    /// Command that the page is about [default: swarmline itself]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  swarmline man run | man -l -
  swarmline man > /usr/local/share/man/man1/swarmline.1
  swarmline man run > /usr/local/share/man/man1/swarmline-run.1";

/// Flags of `swarmline import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ImportFlags {
    /// Include requests to other hosts than the first one (HAR)
    #[arg(long)]
    pub all_hosts: bool,
    /// Include images, fonts, style sheets, scripts and media (HAR)
    #[arg(long)]
    pub assets: bool,
    /// Leave out the pauses between the pages of a recording (HAR)
    #[arg(long)]
    pub no_pauses: bool,
    /// Write the values of Authorization, Cookie and similar headers into the scenario
    ///
    /// By default each is replaced by an environment variable, which the scenario reads when it runs.
    #[arg(long)]
    pub keep_secrets: bool,
    /// Read the variables of a Postman collection from an exported environment, or from exported globals; repeatable
    ///
    /// Of several environments the later one wins. Without it, a variable that has no value in the collection is read
    /// from the environment when the scenario runs.
    #[arg(long, value_name = "FILE")]
    pub environment: Vec<PathBuf>,
    /// HAR file, locustfile (.py, or a folder with one), Postman collection, OpenAPI document (JSON), file with curl
    /// commands, - for standard input, or a curl command, quoted or not
    #[arg(value_name = "FILE|-|COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub input: Vec<String>,
}

const IMPORT_EXAMPLES: &str = "\
Exit code 1: something was left out or changed; standard error lists it. Examples:
  swarmline import recording.har > scenario.json
  swarmline import locustfile.py > scenario.json
  swarmline import shop.postman_collection.json --environment test.postman_environment.json > scenario.json
  swarmline import openapi.json > scenario.json
  swarmline import 'curl https://host/orders -H \"Accept: text/html\" --data-raw a=1' > scenario.json
  swarmline run -f scenario.json --dry-run";

const REPORT_EXAMPLES: &str = "\
Exit code 0: whatever the verdict of the run, unless --check judges it again (0, 1, 3 or 4 as for a run);
3: --baseline found something worse; 4: the stream is not whole. Examples:
  swarmline report run.ndjson --html report.html
  swarmline report run.ndjson --check 'p95 < 300ms'
  swarmline report after.ndjson --baseline before.ndjson";

/// Flags of `swarmline report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub struct ReportFlags {
    /// Stream files, compressed or not; - for standard input; several are compared side by side
    #[arg(value_name = "STREAM", required = true)]
    pub streams: Vec<PathBuf>,
    /// Stream of an earlier run to compare with; exit with code 3 if a result got worse by more than noise
    ///
    /// May be repeated: each is a run of the build to compare with, and the STREAMs are runs of the other build. With
    /// three or more of each, the noise between runs is known. With one, it is compared with each STREAM separately.
    #[arg(long, value_name = "STREAM")]
    pub baseline: Vec<PathBuf>,
    /// Allowed regression relative to the baseline, such as 10% or 0.1
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = value::share, requires = "baseline")]
    pub tolerance: f64,
    /// Checks to judge the run by, in place of its own.
    #[command(flatten)]
    pub checks: CheckFlags,
    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Flags of `swarmline merge`.
#[derive(Debug, Args)]
#[command(after_help = MERGE_EXAMPLES)]
pub struct MergeFlags {
    /// Streams of the shards: files (.gz too), named pipes, or - for standard input
    #[arg(value_name = "STREAM", required = true)]
    pub streams: Vec<PathBuf>,
    /// File for the merged stream; - for standard output, compressed if it ends in .gz
    #[arg(long, value_name = "PATH|-", default_value = "-")]
    pub telemetry: PathBuf,
    /// Merge even if shards are missing, cut off, given twice or from another run, and report it
    #[arg(long)]
    pub allow_missing: bool,
    /// Exit code when a request failed, 0 to 255
    #[arg(long, env = "LOCUST_EXIT_CODE_ON_ERROR", value_name = "N", default_value_t = 1)]
    pub exit_code_on_error: u8,
    /// Print no summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
    /// Push the metrics of the merged run to this backend: OTLP over HTTP, in protobuf
    ///
    /// As --otlp of swarmline run.
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
    /// Checks of the run, in place of those of the shards' plan.
    #[command(flatten)]
    pub checks: CheckFlags,
    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Flags of `swarmline watch`.
#[derive(Debug, Args)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct WatchFlags {
    /// Growing stream: a file (which may not exist yet), a named pipe, or - for standard input
    #[arg(value_name = "STREAM|-")]
    pub stream: PathBuf,
    /// Where it is published.
    #[command(flatten)]
    pub publish: PublishFlags,
}

const WATCH_EXAMPLES: &str = "\
The default port is 8089. Examples:
  swarmline watch run.ndjson
  swarmline merge run-*.fifo | tee run.ndjson | swarmline watch -";

const MERGE_EXAMPLES: &str = "\
Examples:
  swarmline merge run-*.ndjson > master.ndjson
  swarmline merge run-*.ndjson --telemetry master.ndjson --html report.html --check 'p95 < 300ms'
  seq 0 3 | parallel -j4 --line-buffer swarmline run --shard {}/4 --run-id r1 ... \\
    | swarmline merge - > master.ndjson";
