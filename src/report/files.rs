//! Reports that are files: which there are, what they are called, and how they are written.

use std::path::{Path, PathBuf};

use super::model::Model;
use super::{csv, hgrm, html, json, junit};
use crate::cli::Outputs;
use crate::error::{Error, Result};
use crate::files::apart::Named;
use crate::files::replace;

/// Reports that are files.
pub struct Pages(Vec<Page>);

/// What is in a file, made of the numbers alone.
type Make = fn(&Model) -> String;

/// One of them.
#[derive(Clone)]
struct Page {
    flag: &'static str,
    path: PathBuf,
    /// What people are told that it is; nothing of the further files of a flag.
    title: &'static str,
    make: Make,
}

/// Which files are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those without marks in their names, whose settings are not known yet.
    Known,
    /// All.
    All,
}

impl Pages {
    /// The files that were asked for.
    #[must_use]
    pub fn new(outputs: &Outputs) -> Self {
        let mut pages = Vec::new();
        let mut add = |flag, path: Option<PathBuf>, title, make| {
            pages.extend(path.map(|path| Page { flag, path, title, make }));
        };
        add("--html", outputs.html.clone(), "report", html::page);
        let tables: [(&str, &str, Make); 4] = [
            ("_stats.csv", "tables", csv::stats),
            ("_stats_history.csv", "", csv::history),
            ("_failures.csv", "", csv::failures),
            ("_exceptions.csv", "", csv::exceptions),
        ];
        for (ending, title, make) in tables {
            let path = outputs.csv.clone().map(|prefix| {
                let mut name = prefix.into_os_string();
                name.push(ending);
                name.into()
            });
            add("--csv", path, title, make);
        }
        add("--json-file", outputs.json_file.clone(), "summary", json::document);
        add("--junit", outputs.junit.clone(), "tests", junit::document);
        add("--hgrm", outputs.hgrm.clone(), "percentiles", hgrm::distribution);
        Self(pages)
    }

    /// Whether none was asked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where they go.
    #[must_use]
    pub fn places(&self, names: Names) -> Vec<Named> {
        self.meant(names).map(|page| Named::file(page.flag, &page.path)).collect()
    }

    /// Demands that each can be written.
    ///
    /// # Errors
    /// Names the flag and the file: exit 2.
    pub fn check(&self, names: Names) -> Result<()> {
        for page in self.meant(names) {
            replace::check(&page.path).map_err(|why| Error::usage(page.named(), why))?;
        }
        Ok(())
    }

    fn meant(&self, names: Names) -> impl Iterator<Item = &Page> {
        self.0.iter().filter(move |page| names == Names::All || !page.has_marks())
    }

    /// The same with names that have settings in place of their marks.
    #[must_use]
    pub fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> Self {
        let fill = |page: &Page| Page { path: page.filled(&setting), ..page.clone() };
        Self(self.0.iter().map(fill).collect())
    }

    /// Writes them; says in a line each where they are.
    ///
    /// # Errors
    /// One cannot be written: `error` of its flag with its name, and of the reason.
    pub fn write(&self, model: &Model, error: fn(String, std::io::Error) -> Error) -> Result<String> {
        let mut left = String::new();
        for page in &self.0 {
            let written = replace::write(&page.path, (page.make)(model).as_bytes());
            written.map_err(|why| error(page.named(), why))?;
            if !page.title.is_empty() {
                left = format!("{left}{}: {}\n", page.title, page.path.display());
            }
        }
        Ok(left)
    }
}

impl Page {
    /// As the flag is written.
    fn named(&self) -> String {
        format!("{} {}", self.flag, self.path.display())
    }

    /// Whether something in its name stands for a setting: in Locust's two flags only.
    fn has_marks(&self) -> bool {
        let path = self.path.to_string_lossy();
        ["--html", "--csv"].contains(&self.flag) && MARKS.iter().any(|(mark, _)| path.contains(mark))
    }

    /// Its name with what Locust puts into it.
    fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
        if self.has_marks() { filled(&self.path, setting) } else { self.path.clone() }
    }
}

/// What stands for settings in a name, as in Locust.
const MARKS: [(&str, &str); 3] = [("{u}", "users"), ("{r}", "spawn-rate"), ("{t}", "run-time")];

/// A file's name with what Locust puts into it; what was not set stays as it is.
fn filled<'s>(name: &Path, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
    let Some(mut name) = name.to_str().map(str::to_owned) else { return name.to_owned() };
    for (mark, key) in MARKS {
        if let Some(value) = setting(key) {
            name = name.replace(mark, &plain(value.trim_end_matches('s')));
        }
    }
    name.into()
}

/// A setting as a part of a name, whatever the stream says that it is: letters, digits and `-`, and a `.` between two of
/// them; never a separator, `..` or nothing.
fn plain(value: &str) -> String {
    /// Longer than any number of users, rate or time is.
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
    fn what_a_stream_says_is_never_a_path() {
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
