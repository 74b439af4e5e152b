//! The flags for report files, which `run`, `merge` and `report` share. A new one is a field and a member here, and its
//! files in `report/files.rs`; the setting of the stream follows.
#![allow(clippy::doc_markdown, rustdoc::invalid_html_tags, reason = "doc comments of flags are the help page")]

use std::path::{Path, PathBuf};

use clap::Args;

/// What `run`, `merge` and `report` leave behind for people, beside the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Outputs {
    /// Write the report as a self-contained HTML page
    ///
    /// In its name {u}, {r} and {t} are replaced by users, spawn rate and run time in seconds.
    #[arg(long, env = "LOCUST_HTML", value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Write Locust's four CSV files, whose names begin with PREFIX
    ///
    /// They are PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv and PREFIX_exceptions.csv, written at
    /// the end.
    #[arg(long, env = "LOCUST_CSV", value_name = "PREFIX", help_heading = "Output")]
    pub csv: Option<PathBuf>,
    /// Write the summary as a JSON document
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json_file: Option<PathBuf>,
    /// Write JUnit XML: a test case for the run, for its failed requests and for each check
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Append the summary in Markdown, such as to "$GITHUB_STEP_SUMMARY"
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub markdown: Option<PathBuf>,
    /// Write the percentile distribution of response times for HdrHistogram's plotter
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub hgrm: Option<PathBuf>,
}

/// A flag of [`Outputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFlag {
    /// `--html`
    Html,
    /// `--csv`
    Csv,
    /// `--json-file`
    JsonFile,
    /// `--junit`
    Junit,
    /// `--markdown`
    Markdown,
    /// `--hgrm`
    Hgrm,
}

impl OutputFlag {
    /// All of them, in the order of the settings in the stream.
    pub const ALL: [Self; 6] = [Self::Html, Self::Csv, Self::JsonFile, Self::Junit, Self::Markdown, Self::Hgrm];

    /// The flag as people write it, without the dashes: its name as a setting.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::JsonFile => "json-file",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Hgrm => "hgrm",
        }
    }

    /// Its field in [`Outputs`].
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::JsonFile => "json_file",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Hgrm => "hgrm",
        }
    }
}

impl Outputs {
    /// The value of a flag.
    #[must_use]
    pub fn path(&self, flag: OutputFlag) -> Option<&Path> {
        let path = match flag {
            OutputFlag::Html => &self.html,
            OutputFlag::Csv => &self.csv,
            OutputFlag::JsonFile => &self.json_file,
            OutputFlag::Junit => &self.junit,
            OutputFlag::Markdown => &self.markdown,
            OutputFlag::Hgrm => &self.hgrm,
        };
        path.as_deref()
    }
}
