//! Data of a scenario: rows that users take one at a time, in as little memory as their text.

use std::collections::HashMap;

use super::random::Random;
use super::setting::fingerprint;
use crate::bounded::Limit;

/// Index of a source in [`Plan::sources`](super::Plan::sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A row of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row(pub u32);

/// How users take rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Each row once, over all users.
    Unique(OnEnd),
    /// One after another over all users, from the first again after the last.
    Sequential,
    /// Any, each as likely as the next.
    Random,
}

/// What happens when every row of a unique source is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// The user that needs one stops; without users the run is over.
    Stop,
    /// The run ends, and is not valid.
    Fail,
    /// From the first row again.
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
    table: Table,
}

impl DataSource {
    /// A source of this table, which must not be empty.
    #[must_use]
    pub fn new(name: String, pick: Pick, table: Table) -> Self {
        assert!(table.rows() > 0, "the reader refuses a file without rows");
        Self { name, pick, table }
    }

    /// As written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How users take rows.
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

    /// Never: an empty file is refused.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Length and SHA-256 of all cells, which may be secrets.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.table.text.as_bytes())
    }

    /// The row that is taken as number `n` (from 0, over all users); `None` when all of a unique source are taken.
    #[must_use]
    pub fn row(&self, n: u64, random: &mut Random) -> Option<Row> {
        let len = u64::from(self.len());
        let at = match self.pick {
            Pick::Unique(OnEnd::Stop | OnEnd::Fail) => Some(n).filter(|n| *n < len),
            Pick::Unique(OnEnd::Again) | Pick::Sequential => Some(n % len),
            Pick::Random => Some(random.below(self.len() as usize) as u64),
        };
        at.and_then(|at| u32::try_from(at).ok()).map(Row)
    }

    /// The text of a cell.
    #[must_use]
    pub fn cell(&self, row: Row, column: u32) -> &str {
        self.table.cell(row.0, column)
    }
}

/// Rows of equally many cells, all in one text: four bytes a cell beside its own.
#[derive(Debug)]
pub struct Table {
    columns: Box<[String]>,
    places: HashMap<String, usize>,
    text: String,
    /// Where each cell ends; it begins where the one before ends.
    ends: Vec<u32>,
}

/// Rows of one source: at four bytes a cell still far below what a load machine has.
pub const MOST_ROWS: u32 = 10_000_000;

/// Cells of one source: 400 MB of places.
const MOST_CELLS: usize = 100_000_000;

/// Columns of one source: a table that people make has hundreds at most.
pub const MOST_COLUMNS: usize = 10_000;

/// Text of one source, and length of its file; a cell's place has 32 bits.
pub const MOST_TEXT: Limit = Limit::mib("a data source", 1024);

impl Table {
    /// No rows yet.
    ///
    /// # Errors
    /// A column without a name, or two of one name.
    pub fn new(columns: Vec<String>) -> Result<Self, String> {
        if columns.is_empty() {
            return Err("has no columns".to_owned());
        }
        if columns.len() > MOST_COLUMNS {
            return Err(format!("has more than {MOST_COLUMNS} columns"));
        }
        let mut places: HashMap<String, usize> = HashMap::with_capacity(columns.len());
        for (place, name) in columns.iter().enumerate() {
            if name.is_empty() {
                return Err(format!("column {} has no name", place + 1));
            }
            if let Some(first) = places.insert(name.clone(), place) {
                // Without its name: in a file without a header line this is data.
                return Err(format!("columns {} and {} of the first line have the same name", first + 1, place + 1));
            }
        }
        Ok(Self { columns: columns.into(), places, text: String::new(), ends: Vec::new() })
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of a column, from 0.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.places.get(column).copied()
    }

    /// Whole rows so far.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ends.len() / self.columns.len()).unwrap_or(u32::MAX)
    }

    /// Adds a cell, from left to right and row after row.
    ///
    /// # Errors
    /// Too many rows, or too much text.
    pub fn push(&mut self, cell: &str) -> Result<(), String> {
        if self.rows() >= MOST_ROWS || self.ends.len() >= MOST_CELLS {
            return Err(format!("has more than {MOST_ROWS} rows or {MOST_CELLS} cells"));
        }
        if (self.text.len() + cell.len()) as u64 > MOST_TEXT.bytes() {
            return Err(MOST_TEXT.to_string());
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
        let cells: Vec<_> = (0..3).map(|row| (source.cell(Row(row), 0), source.cell(Row(row), 1))).collect();
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
    fn column_names_are_unique() {
        let error = |names: &[&str]| Table::new(names.iter().map(|n| (*n).to_owned()).collect()).unwrap_err();
        assert!(error(&[]).contains("no columns"));
        assert!(error(&["a", ""]).contains("column 2"));
        assert!(error(&["a", "b", "a"]).contains("columns 1 and 3"));
    }
}
