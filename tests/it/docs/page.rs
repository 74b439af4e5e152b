//! A Markdown page as the promises look at it: code blocks, links, headings, rows of tables.

use std::path::{Path, PathBuf};

/// A page, `path` counted from the project's root.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A fenced block and its language.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    /// The comment on the line before it, such as `exit 2`.
    pub(crate) mark: Option<&'a str>,
    pub(crate) text: String,
}

impl Page {
    /// The page at this path from the project's root.
    pub(crate) fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
        Self { path: path.to_owned(), text }
    }

    /// Every page of the project.
    pub(crate) fn all() -> Vec<Self> {
        Self::all_below("", &["md"])
    }

    /// Every file below a folder with one of these extensions.
    pub(crate) fn all_below(folder: &str, extensions: &[&str]) -> Vec<Self> {
        let mut paths = Vec::new();
        list(&root().join(folder), extensions, &mut paths);
        paths.sort();
        assert!(!paths.is_empty(), "files in {folder}");
        paths.iter().map(|path| Self::read(path.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
    }

    /// The folder that it is in, from the project's root.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Its fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        let mut is_inside = false;
        let mut before = "";
        for line in self.text.lines() {
            match line.strip_prefix("```") {
                Some(language) if !is_inside => {
                    let mark = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                    blocks.push(Block { language, mark, text: String::new() });
                }
                None if is_inside => {
                    let block = &mut blocks.last_mut().unwrap().text;
                    block.push_str(line);
                    block.push('\n');
                }
                _ => {}
            }
            is_inside ^= line.starts_with("```");
            before = line;
        }
        assert!(!is_inside, "{}: a block without an end", self.path);
        blocks
    }

    /// Its lines outside of fenced blocks.
    pub(crate) fn prose(&self) -> Vec<&str> {
        let parts = self.text.split("\n```").enumerate();
        parts.filter(|(place, _)| place % 2 == 0).flat_map(|(_, part)| part.lines()).collect()
    }

    /// The places that it links to, pictures too.
    pub(crate) fn links(&self) -> Vec<String> {
        let text = self.prose().join("\n");
        let found = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        found.map(str::to_owned).collect()
    }

    /// The names by which its headings are linked to, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().into_iter().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// What stands under this heading, up to the next of its level.
    pub(crate) fn section(&self, heading: &str) -> &str {
        let begin = format!("\n## {heading}\n");
        let section = self.text.split(&begin).nth(1).unwrap_or_else(|| panic!("{}: no {heading:?}", self.path));
        section.split("\n## ").next().unwrap()
    }
}

/// The texts between backticks.
pub(crate) fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn list(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            list(&path, extensions, found);
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known)) {
            found.push(path);
        }
    }
}
