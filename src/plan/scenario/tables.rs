//! Files of data: CSV with a header, a JSON array of objects, or one such object a line.

use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};

use crate::plan::data::{MOST_TEXT, Table};

/// Refuses a file that is too large to be read.
pub(super) fn check_size(file: &File) -> Result<(), String> {
    let length = file.metadata().map_err(|why| why.to_string())?.len();
    if length > MOST_TEXT as u64 { Err("is larger than 1 GiB".to_owned()) } else { Ok(()) }
}

/// RFC 4180, the first line being the header.
pub(super) fn csv(file: impl Read) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    let header = reader.headers().map_err(|why| csv_error(&why))?;
    if header.is_empty() {
        return Err("is empty; expected a header line and rows".to_owned());
    }
    // Blanks around a name are easily typed and never seen.
    let mut table = Table::new(header.iter().map(|name| name.trim().to_owned()).collect())?;
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|why| csv_error(&why))? {
        row.iter().try_for_each(|cell| table.push(cell))?;
    }
    Ok(table)
}

fn csv_error(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: {len} columns, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => format!("line {line}: is not UTF-8"),
        _ => error.to_string(),
    }
}

/// An array of objects with the same members each.
pub(super) fn json(file: impl Read) -> Result<Table, String> {
    let mut table = None;
    let mut input = serde_json::Deserializer::from_reader(BufReader::new(file));
    let read = input.deserialize_seq(Rows(&mut table)).and_then(|()| input.end());
    read.map_err(|why| why.to_string())?;
    table.ok_or_else(|| "is empty; expected an array of objects".to_owned())
}

/// An object a line, each with the same members.
pub(super) fn ndjson(file: impl Read) -> Result<Table, String> {
    let mut table = None;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|why| format!("line {}: {why}", number + 1))?;
        if line.trim().is_empty() {
            continue;
        }
        let mut input = serde_json::Deserializer::from_str(&line);
        let read = RowSeed(&mut table).deserialize(&mut input).and_then(|()| input.end());
        read.map_err(|why| format!("line {}: {}", number + 1, without_line(&why)))?;
    }
    table.ok_or_else(|| "is empty; expected an object a line".to_owned())
}

/// The sentence and column of an error: the line that it counts is the one that it was given.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", ", column ")
}

struct Rows<'t>(&'t mut Option<Table>);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(RowSeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// One row; the first says which columns there are.
struct RowSeed<'t>(&'t mut Option<Table>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut cells: Vec<(String, String)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let Cell(text) = members.next_value()?;
            if cells.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("{name:?} comes twice")));
            }
            cells.push((name, text));
        }
        let table = if let Some(table) = self.0 {
            table
        } else {
            let names = cells.iter().map(|(name, _)| name.clone()).collect();
            self.0.insert(Table::new(names).map_err(A::Error::custom)?)
        };
        if let Some((name, _)) = cells.iter().find(|(name, _)| !table.columns().contains(name)) {
            return Err(A::Error::custom(format!("{name:?} is not in the first object")));
        }
        for column in 0..table.columns().len() {
            let name = &table.columns()[column];
            let cell = cells.iter().find(|(known, _)| known == name);
            let (_, text) = cell.ok_or_else(|| A::Error::custom(format!("{name:?} is missing")))?;
            table.push(text).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// A cell as text: null is none, and a number is as JSON writes it.
struct Cell(String);

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl Visitor<'_> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a truth value or null")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell(String::new()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell(serde_json::Number::from_f64(value).map_or_else(String::new, |number| number.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
        Ok(Cell(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::data::{DataSource, Pick, Row};

    fn cells(table: Table) -> Vec<Vec<String>> {
        let source = DataSource::new("d".to_owned(), Pick::Sequential, table);
        let columns = u32::try_from(source.columns().len()).unwrap();
        let row = |row| (0..columns).map(|column| source.cell(Row(row), column).to_owned()).collect();
        (0..source.len()).map(row).collect()
    }

    #[test]
    fn csv_is_read_as_rfc_4180_writes_it() {
        let text = "\u{feff}name, city \r\n\"a \"\"b\"\"\",\"Köln,\nRhein\"\r\n\r\nbob,\r\n";
        let table = csv(text.as_bytes()).unwrap();
        assert_eq!(table.columns(), ["name", "city"]);
        assert_eq!(cells(table), [["a \"b\"", "Köln,\nRhein"], ["bob", ""]]);
    }

    #[test]
    fn json_rows_may_have_their_members_in_any_order() {
        let text = r#"[{"a":"x","b":1.50},{"b":true,"a":null},{"a":-7,"b":"1"}]"#;
        let expected = [["x", "1.5"], ["", "true"], ["-7", "1"]];
        assert_eq!(cells(json(text.as_bytes()).unwrap()), expected);
        let lines = text.trim_matches(['[', ']']).replace("},{", "}\n\n{");
        assert_eq!(cells(ndjson(lines.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn what_is_no_table_says_where_and_why() {
        type Read = fn(&[u8]) -> Result<Table, String>;
        let csv: Read = |text| super::csv(text);
        let json: Read = |text| super::json(text);
        let ndjson: Read = |text| super::ndjson(text);
        for (read, text, words) in [
            (csv, "", &["is empty"][..]),
            (csv, "a,b\n1,2\n3\n", &["line 3", "1 columns, the header has 2"]),
            (csv, "a,a\n1,2\n", &["\"a\" comes twice"]),
            (csv, "a,\n1,2\n", &["column 2 has no name"]),
            (json, "", &["EOF"]),
            (json, "[]", &["is empty"]),
            (json, "{}", &["an array of objects"]),
            (json, "[1]", &["an object", "line 1 column"]),
            (json, "[{\"a\":1},\n{\"b\":1}]", &["\"b\" is not in the first", "line 2"]),
            (json, "[{\"a\":1,\"b\":2},{\"b\":1}]", &["\"a\" is missing"]),
            (json, "[{\"a\":1,\"a\":2}]", &["\"a\" comes twice"]),
            (json, "[{\"a\":[1]}]", &["text, a number"]),
            (json, "[{}]", &["no columns"]),
            (json, "[{\"a\":1}] x", &["trailing"]),
            (ndjson, "", &["is empty"]),
            (ndjson, "{\"a\":1}\n{\"a\":1", &["line 2", "EOF", "column"]),
            (ndjson, "{\"a\":1} {\"a\":2}", &["line 1", "trailing"]),
        ] {
            let why = read(text.as_bytes()).unwrap_err();
            assert!(words.iter().all(|word| why.contains(word)) && !why.contains('\n'), "{text:?}: {why}");
        }
        assert!(csv(b"a\n\xff\n").unwrap_err().contains("line 2: is not UTF-8"));
    }
}
