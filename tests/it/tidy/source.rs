//! Rust source as the rules look at it: without comments, texts and test modules, line for line as it was.

use std::path::{Path, PathBuf};

/// A file, `path` counted from the project's root.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: usize,
    /// Comments and the inside of texts are blanks.
    pub(crate) code: String,
}

impl Source {
    /// All Rust files below a folder of the project.
    pub(crate) fn all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        list(&root.join(folder), &mut files);
        files.sort();
        assert!(!files.is_empty(), "files in {folder}");
        files.iter().map(|file| Self::read(root, file)).collect()
    }

    fn read(root: &Path, file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        Self { path, lines: text.lines().count(), code: blank(&text) }
    }

    /// Whether the whole file is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/") || self.path.starts_with("tests/")
    }

    /// The code without its test module, which is the last thing in a file.
    pub(crate) fn product(&self) -> &str {
        self.code.split("\nmod tests {").next().unwrap_or_default()
    }

    /// The folder or file right below `src`: the floor.
    pub(crate) fn floor(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap();
        below.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The path of the file's module in the crate, whose root is empty.
    pub(crate) fn module(&self) -> Vec<String> {
        let below = self.path.strip_prefix("src/").unwrap().trim_end_matches(".rs");
        let mut parts: Vec<String> = below.split('/').map(str::to_owned).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            parts.pop();
        }
        parts
    }

    /// Name and length in lines of each function.
    pub(crate) fn functions(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let is_word = !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let name: String = self.code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if is_word && !name.is_empty() {
                found.push((name, self.code[at..at + extent(&self.code[at..])].lines().count()));
            }
        }
        found
    }
}

/// Where a name stands as a whole word, path or macro; gives the text after it.
pub(crate) fn after<'c>(code: &'c str, name: &str) -> impl Iterator<Item = &'c str> {
    let name = name.to_owned();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let places: Vec<usize> = code.match_indices(&name).map(|(at, _)| at).collect();
    places.into_iter().filter_map(move |at| {
        let rest = &code[at + name.len()..];
        let goes_on = name.ends_with(is_part) && rest.starts_with(is_part);
        (!goes_on && !code[..at].ends_with(is_part)).then_some(rest)
    })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Bytes to the end of the function's body, or of its declaration where it has none.
fn extent(code: &str) -> usize {
    let (mut braces, mut others) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            '{' => braces += 1,
            '}' if braces == 1 => return at + 1,
            '}' => braces -= 1,
            ';' if braces == 0 && others == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Blanks in place of comments and of what is in texts.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = at + hidden(&chars[at..], code.chars().last()).max(1);
        let kept = end == at + 1;
        code.extend(chars[at..end].iter().map(|c| if kept || *c == '\n' { *c } else { ' ' }));
        at = end;
    }
    code
}

/// Characters of the comment or text that begins here; 0 where none does.
fn hidden(rest: &[char], before: Option<char>) -> usize {
    let starts = |text: &str| text.chars().eq(rest.iter().copied().take(text.len()));
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if starts("//") {
        return rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
    }
    match rest {
        ['r', '"' | '#', ..] if !in_word || before == Some('b') => {
            let marks = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + marks) != Some(&'"') {
                return 0;
            }
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', marks)).collect();
            let body = 2 + marks;
            let len = rest[body..].windows(end.len()).position(|window| window == end).expect("a raw text ends");
            body + len + end.len()
        }
        ['"', ..] => quoted(rest, '"'),
        // A character, not a lifetime.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted(rest, '\''),
        _ => 0,
    }
}

fn quoted(rest: &[char], end: char) -> usize {
    let mut at = 1;
    while rest[at] != end {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

#[test]
fn comments_and_texts_are_blanks() {
    let text = "let a = \"fn x\\\"\"; // thread\nlet b: &'a str = r#\"ureq\"#; let c = ['\\'', '\"', b'{'];";
    let code = blank(text);
    assert_eq!(code.lines().count(), 2);
    assert!(["fn x", "thread", "ureq", "{"].iter().all(|hidden| !code.contains(hidden)), "{code}");
    assert!(code.contains("let b: &'a str =") && code.contains("let c = ["), "{code}");
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let code = "fn a(x: [u8; 2]) -> u8 {\n  if x { 1 }\n}\ntrait T {\n  fn b(&self);\n}\n".to_owned();
    let source = Source { path: String::new(), lines: 6, code };
    assert_eq!(source.functions(), [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    assert_eq!(after("std::thread; my_thread; threads; thread::x", "thread").count(), 2);
}
