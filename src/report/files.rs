//! Report files: which were requested, their names, and how they are written; each format is a module.

pub mod csv;
pub mod hgrm;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::model::ReportModel;
use crate::cli::{OutputFlag, Outputs};
use crate::error::{Error, Result};
use crate::files::distinct::NamedFile;
use crate::files::replace;

/// The requested report files.
pub struct ReportFiles(Vec<ReportFile>);

/// Makes the content of a file from the model alone.
type RenderFile = fn(&ReportModel) -> String;

/// A file of a format.
struct FileFormat {
    /// What is appended to the value of the flag.
    ending: &'static str,
    /// The file's title in messages; empty for the further files of a flag.
    title: &'static str,
    render: RenderFile,
}

/// What happens to a file that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteMode {
    /// It is replaced.
    Replace,
    /// The content is added at its end.
    Append,
}

impl WriteMode {
    const fn of(flag: OutputFlag) -> Self {
        match flag {
            OutputFlag::Markdown => Self::Append,
            OutputFlag::Html | OutputFlag::Csv | OutputFlag::JsonFile | OutputFlag::Junit | OutputFlag::Hgrm => {
                Self::Replace
            }
        }
    }
}

/// The files that a flag requests.
const fn formats(flag: OutputFlag) -> &'static [FileFormat] {
    match flag {
        OutputFlag::Html => &[FileFormat { ending: "", title: "report", render: html::page }],
        OutputFlag::Csv => &[
            FileFormat { ending: "_stats.csv", title: "tables", render: csv::stats },
            FileFormat { ending: "_stats_history.csv", title: "", render: csv::history },
            FileFormat { ending: "_failures.csv", title: "", render: csv::failures },
            FileFormat { ending: "_exceptions.csv", title: "", render: csv::exceptions },
        ],
        OutputFlag::JsonFile => &[FileFormat { ending: "", title: "summary", render: json::document }],
        OutputFlag::Junit => &[FileFormat { ending: "", title: "tests", render: junit::document }],
        OutputFlag::Markdown => &[FileFormat { ending: "", title: "summary", render: markdown::document }],
        OutputFlag::Hgrm => &[FileFormat { ending: "", title: "percentiles", render: hgrm::distribution }],
    }
}

/// One report file.
#[derive(Clone)]
struct ReportFile {
    flag: OutputFlag,
    path: PathBuf,
    format: &'static FileFormat,
}

/// Selects files by whether their names are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSelection {
    /// Files without marks in their names: those with marks depend on settings that are not known yet.
    FinalNames,
    /// All.
    All,
}

impl ReportFiles {
    /// The files that were requested.
    #[must_use]
    pub fn new(outputs: &Outputs) -> Self {
        let mut files = Vec::new();
        for flag in OutputFlag::ALL {
            let Some(value) = outputs.path(flag) else { continue };
            files.extend(formats(flag).iter().map(|format| {
                let mut path = OsString::from(value);
                path.push(format.ending);
                ReportFile { flag, path: path.into(), format }
            }));
        }
        Self(files)
    }

    /// Whether no file was requested.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths of the selected files.
    #[must_use]
    pub fn named(&self, names: FileSelection) -> Vec<NamedFile> {
        self.selected(names).map(|file| NamedFile::file(&format!("--{}", file.flag.key()), &file.path)).collect()
    }

    /// Checks that each of the selected files can be written.
    ///
    /// # Errors
    /// Exit 2, with the flag and the file.
    pub fn check(&self, names: FileSelection) -> Result<()> {
        for file in self.selected(names) {
            replace::check_writable(&file.path).map_err(|why| Error::usage(file.flag_and_path(), why))?;
        }
        Ok(())
    }

    fn selected(&self, names: FileSelection) -> impl Iterator<Item = &ReportFile> {
        self.0.iter().filter(move |file| names == FileSelection::All || !file.has_marks())
    }

    /// A copy in which the marks in file names are replaced by settings.
    #[must_use]
    pub fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> Self {
        let fill = |file: &ReportFile| ReportFile { path: file.filled(&setting), ..file.clone() };
        Self(self.0.iter().map(fill).collect())
    }

    /// Writes the files; returns a line for each that says where it is.
    ///
    /// # Errors
    /// One cannot be written: `error` of its flag with its name, and of the reason.
    pub fn write(&self, model: &ReportModel, error: fn(String, io::Error) -> Error) -> Result<String> {
        let mut left = String::new();
        for file in &self.0 {
            let content = (file.format.render)(model);
            let written = match WriteMode::of(file.flag) {
                WriteMode::Replace => replace::write(&file.path, content.as_bytes()),
                WriteMode::Append => append(&file.path, &content),
            };
            written.map_err(|why| error(file.flag_and_path(), why))?;
            if !file.format.title.is_empty() {
                left = format!("{left}{}: {}\n", file.format.title, file.path.display());
            }
        }
        Ok(left)
    }
}

/// Adds text at the end of a file, in one write, so that steps that share the file do not mix their lines.
fn append(path: &Path, text: &str) -> io::Result<()> {
    File::options().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

impl ReportFile {
    /// The flag and its value as in a command line.
    fn flag_and_path(&self) -> String {
        format!("--{} {}", self.flag.key(), self.path.display())
    }

    /// Whether its name contains marks for settings, which only the two flags that Locust has too allow.
    fn has_marks(&self) -> bool {
        let path = self.path.to_string_lossy();
        matches!(self.flag, OutputFlag::Html | OutputFlag::Csv)
            && PLACEHOLDERS.iter().any(|(mark, _)| path.contains(mark))
    }

    /// The file's name with its marks replaced.
    fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
        if self.has_marks() { filled(&self.path, setting) } else { self.path.clone() }
    }
}

/// Marks for settings in a file name, as in Locust.
const PLACEHOLDERS: [(&str, &str); 3] = [("{u}", "users"), ("{r}", "spawn-rate"), ("{t}", "run-time")];

/// Replaces the marks in a file's name, as Locust does; a mark whose setting is missing is left as it is.
fn filled<'s>(name: &Path, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
    let Some(mut name) = name.to_str().map(str::to_owned) else { return name.to_owned() };
    for (mark, key) in PLACEHOLDERS {
        if let Some(value) = setting(key) {
            name = name.replace(mark, &plain(value.trim_end_matches('s')));
        }
    }
    name.into()
}

/// A setting as a part of a file name, whatever the stream contains: letters, digits and `-`, and a `.` between two of
/// them; never a separator, `..` or an empty text.
fn plain(value: &str) -> String {
    /// Longer than any number of users, rate or time.
    const LONGEST: usize = 32;
    let characters: Vec<char> = value.chars().take(LONGEST).collect();
    let is_plain = |at: usize| characters.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '-');
    let kept = |at: usize| is_plain(at) || characters[at] == '.' && at > 0 && is_plain(at - 1) && is_plain(at + 1);
    let text: String = (0..characters.len()).map(|at| if kept(at) { characters[at] } else { '_' }).collect();
    if text.is_empty() { "_".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_as_locust_does() {
        let setting = |key: &str| match key {
            "users" => Some("100"),
            "run-time" => Some("60s"),
            _ => None,
        };
        let name = filled(Path::new("reports/u{u}_r{r}_t{t}.html"), setting);
        assert_eq!(name, Path::new("reports/u100_r{r}_t60.html"));
    }

    #[test]
    fn values_from_a_stream_are_never_a_path() {
        for (value, expected) in [
            ("0.5s", "0.5"),
            ("../../etc/passwd", "______etc_passwd"),
            ("..", "__"),
            (".", "_"),
            ("", "_"),
            ("s", "_"),
            ("a\n\u{1b}b\0", "a__b_"),
        ] {
            let name = filled(Path::new("d/{u}"), |key| (key == "users").then_some(value));
            assert_eq!(name.to_str().unwrap(), format!("d/{expected}"), "{value:?}");
        }
    }
}
