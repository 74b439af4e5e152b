//! Data of a scenario: rows that users take one at a time, stored in little more memory than their text.

use std::collections::HashMap;

use super::random::Random;
use super::setting::fingerprint;
use crate::bounded::SizeLimit;

/// Index of a source in [`Plan::sources`](super::Plan::sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// Index of a row in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowId(pub u32);

/// How users are given rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Each row once, across all users.
    Unique(OnEnd),
    /// One after another across all users, starting over after the last.
    Sequential,
    /// A random row; all rows are equally likely.
    Random,
}

/// What happens when all rows of a unique source are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// A user that needs a row stops; when no users are left, the run ends.
    Stop,
    /// The run ends and is invalid.
    Fail,
    /// Rows start over from the first.
    Again,
}

impl Pick {
    /// The words of the scenario file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unique(OnEnd::Stop) => "unique, stop at the end",
            Self::Unique(OnEnd::Fail) => "unique, fail at the end",
            Self::Unique(OnEnd::Again) => "unique, again at the end",
            Self::Sequential => "sequential",
            Self::Random => "random",
        }
    }
}

/// A table of texts. At least one column and one row.
#[derive(Debug)]
pub struct DataSource {
    name: String,
    pick: Pick,
    is_per_user: bool,
    table: Table,
}

impl DataSource {
    /// Creates a source from a table, which must not be empty.
    #[must_use]
    pub fn new(name: String, pick: Pick, table: Table) -> Self {
        assert!(table.rows() > 0, "the reader refuses a file without rows");
        Self { name, pick, is_per_user: false, table }
    }

    /// The same source, of which a user keeps one row for its lifetime.
    #[must_use]
    pub fn per_user(self) -> Self {
        Self { is_per_user: true, ..self }
    }

    /// Returns whether a user keeps one row for its lifetime, rather than one for each task.
    #[must_use]
    pub const fn is_per_user(&self) -> bool {
        self.is_per_user
    }

    /// The name as written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How users are given rows.
    #[must_use]
    pub const fn pick(&self) -> Pick {
        self.pick
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.table.columns
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.table.rows()
    }

    /// Always false: an empty file is rejected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Length and SHA-256 of all cells. The cells themselves may be secret.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.table.text.as_bytes())
    }

    /// Returns the row for take number `n` (from 0, across all users); `None` when a unique source is used
    /// up.
    #[must_use]
    pub fn row(&self, n: u64, random: &mut Random) -> Option<RowId> {
        let len = u64::from(self.len());
        let at = match self.pick {
            Pick::Unique(OnEnd::Stop | OnEnd::Fail) => Some(n).filter(|n| *n < len),
            Pick::Unique(OnEnd::Again) | Pick::Sequential => Some(n % len),
            Pick::Random => Some(random.below(self.len() as usize) as u64),
        };
        at.and_then(|at| u32::try_from(at).ok()).map(RowId)
    }

    /// The text of a cell.
    #[must_use]
    pub fn cell(&self, row: RowId, column: u32) -> &str {
        self.table.cell(row.0, column)
    }
}

/// Rows of equal width, stored in one text: four bytes per cell in addition to its text.
#[derive(Debug)]
pub struct Table {
    columns: Box<[String]>,
    column_indices: HashMap<String, usize>,
    text: String,
    /// The end of each cell; it starts at the end of the previous one.
    ends: Vec<u32>,
}

/// Maximum number of rows of one source: at four bytes per cell still far less than the memory of a load
/// generator.
pub const MAX_ROWS: u32 = 10_000_000;

/// Maximum number of cells of one source: 400 MB of offsets.
const MAX_CELLS: usize = 100_000_000;

/// Maximum number of columns of one source: real tables have hundreds at most.
pub const MAX_COLUMNS: usize = 10_000;

/// Maximum size of the text of one source, and of its file; offsets of cells have 32 bits.
pub const MAX_TEXT: SizeLimit = SizeLimit::mib("a data source", 1024);

impl Table {
    /// Creates a table without rows.
    ///
    /// # Errors
    /// A column has no name, or two columns have the same name.
    pub fn new(columns: Vec<String>) -> Result<Self, String> {
        if columns.is_empty() {
            return Err("has no columns".to_owned());
        }
        if columns.len() > MAX_COLUMNS {
            return Err(format!("has more than {MAX_COLUMNS} columns"));
        }
        let mut places: HashMap<String, usize> = HashMap::with_capacity(columns.len());
        for (place, name) in columns.iter().enumerate() {
            if name.is_empty() {
                return Err(format!("column {} has no name", place + 1));
            }
            if let Some(first) = places.insert(name.clone(), place) {
                // The name is left out: in a file without a header line it is data.
                return Err(format!("columns {} and {} of the first line have the same name", first + 1, place + 1));
            }
        }
        Ok(Self { columns: columns.into(), column_indices: places, text: String::new(), ends: Vec::new() })
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The index of a column.
    #[must_use]
    pub fn column_index(&self, column: &str) -> Option<usize> {
        self.column_indices.get(column).copied()
    }

    /// Number of complete rows so far.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ends.len() / self.columns.len()).unwrap_or(u32::MAX)
    }

    /// Adds a cell, from left to right, row by row.
    ///
    /// # Errors
    /// Too many rows, or too much text.
    pub fn push(&mut self, cell: &str) -> Result<(), String> {
        if self.rows() >= MAX_ROWS || self.ends.len() >= MAX_CELLS {
            return Err(format!("has more than {MAX_ROWS} rows or {MAX_CELLS} cells"));
        }
        if (self.text.len() + cell.len()) as u64 > MAX_TEXT.bytes() {
            return Err(MAX_TEXT.to_string());
        }
        self.text.push_str(cell);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    fn cell(&self, row: u32, column: u32) -> &str {
        let at = row as usize * self.columns.len() + column as usize;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin as usize..self.ends[at] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pick: Pick) -> DataSource {
        let mut table = Table::new(vec!["name".to_owned(), "city".to_owned()]).unwrap();
        for cell in ["amy", "Köln", "", "Rome", "bob", ""] {
            table.push(cell).unwrap();
        }
        DataSource::new("account".to_owned(), pick, table)
    }

    #[test]
    fn cells_are_found_in_the_shared_text() {
        let source = source(Pick::Sequential);
        assert_eq!(source.len(), 3);
        let cells: Vec<_> = (0..3).map(|row| (source.cell(RowId(row), 0), source.cell(RowId(row), 1))).collect();
        assert_eq!(cells, [("amy", "Köln"), ("", "Rome"), ("bob", "")]);
    }

    #[test]
    fn rows_are_picked_as_configured() {
        let rows = |pick| {
            let (source, mut random) = (source(pick), Random::seeded(1));
            (0..5).map(|n| source.row(n, &mut random).map(|row| row.0)).collect::<Vec<_>>()
        };
        let again = [Some(0), Some(1), Some(2), Some(0), Some(1)];
        let once = [Some(0), Some(1), Some(2), None, None];
        assert_eq!(rows(Pick::Sequential), again);
        assert_eq!(rows(Pick::Unique(OnEnd::Again)), again);
        assert_eq!(rows(Pick::Unique(OnEnd::Stop)), once);
        assert_eq!(rows(Pick::Unique(OnEnd::Fail)), once);
        assert!(rows(Pick::Random).iter().all(|row| row.is_some_and(|row| row < 3)));
    }

    #[test]
    fn columns_need_unique_names() {
        let error = |names: &[&str]| Table::new(names.iter().map(|n| (*n).to_owned()).collect()).unwrap_err();
        assert!(error(&[]).contains("no columns"));
        assert!(error(&["a", ""]).contains("column 2"));
        assert!(error(&["a", "b", "a"]).contains("columns 1 and 3"));
    }
}
