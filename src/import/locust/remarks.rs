//! What is said of the import, by file and line.

use std::collections::BTreeMap;

/// Sentences by their places in the user's files.
#[derive(Debug, Default)]
pub(super) struct Remarks(BTreeMap<(String, u32, String), bool>);

impl Remarks {
    /// Something is left out or changed.
    pub(super) fn lost(&mut self, file: &str, line: u32, what: String) {
        self.0.insert((file.to_owned(), line, what), true);
    }

    /// Something is taken over in another way than it may seem.
    pub(super) fn remark(&mut self, file: &str, line: u32, what: String) {
        self.0.entry((file.to_owned(), line, what)).or_insert(false);
    }

    /// The sentences in the order of the files, each with whether something is left out.
    pub(super) fn into_sentences(self) -> impl Iterator<Item = (String, bool)> {
        self.0.into_iter().map(|((file, line, what), is_lost)| match line {
            0 => (format!("{file}: {what}"), is_lost),
            line => (format!("{file}:{line}: {what}"), is_lost),
        })
    }
}
