//! Data files: CSV with a header, a JSON array of objects, one such object per line, or one text per line.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::bounded::{Bounded, SizeLimit};
use crate::plan::data::Table;
use crate::plan::json::{JsonError, RawJson, without_bom};

/// Maximum length of a line, which is held in memory.
const MAX_LINE: SizeLimit = SizeLimit::mib("a line of a data source", 64);

/// Reads CSV (RFC 4180) with a header line and this character between columns.
pub(super) fn csv(file: Bounded<impl Read>, delimiter: u8) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(file.with_lines(MAX_LINE));
    let header = reader.headers().map_err(|why| csv_error(&why))?;
    if header.is_empty() {
        return Err("is empty; expected a header line and rows".to_owned());
    }
    // Blanks around a name are easily typed and hard to see.
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
        csv::ErrorKind::Io(why) => why.to_string(),
        _ => error.to_string(),
    }
}

/// Reads an array of objects that all have the same members.
pub(super) fn json(file: Bounded<impl Read>) -> Result<Table, String> {
    let mut table = None;
    let mut input = serde_json::Deserializer::from_reader(skip_bom(BufReader::new(file))?);
    let read = input.deserialize_seq(Rows(&mut table)).and_then(|()| input.end());
    read.map_err(|why| match JsonError::from(why) {
        // serde's message would repeat the value, which may be a password.
        JsonError { line, column, why } if why.starts_with("invalid type") => {
            format!("line {line}, column {column}: expected an array of objects")
        }
        mistake => mistake.to_string(),
    })?;
    table.ok_or_else(|| "is empty; expected an array of objects".to_owned())
}

/// Reads one object per line; all must have the same members.
pub(super) fn ndjson(file: Bounded<impl Read>) -> Result<Table, String> {
    let mut table = None;
    for (number, line) in BufReader::new(file.with_lines(MAX_LINE)).lines().enumerate() {
        let line = line.map_err(|why| format!("line {}: {why}", number + 1))?;
        let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { &line };
        if line.trim().is_empty() {
            continue;
        }
        let value = RawJson::parse(line.as_bytes());
        let value =
            value.map_err(|JsonError { column, why, .. }| format!("line {}, column {column}: {why}", number + 1))?;
        row(value, &mut table).map_err(|why| format!("line {}: {why}", number + 1))?;
    }
    table.ok_or_else(|| "is empty; expected one object per line".to_owned())
}

/// The only column of a file of texts.
const LINE: &str = "line";

/// Reads one text per line, as it is; empty lines are skipped.
pub(super) fn lines(file: Bounded<impl Read>) -> Result<Table, String> {
    let mut table = Table::new(vec![LINE.to_owned()])?;
    for (number, line) in BufReader::new(file.with_lines(MAX_LINE)).lines().enumerate() {
        let line = line.map_err(|why| format!("line {}: {why}", number + 1))?;
        let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { &line };
        if !line.is_empty() {
            table.push(line)?;
        }
    }
    Ok(table)
}

/// Skips a byte order mark.
fn skip_bom(mut input: BufReader<impl Read>) -> Result<impl Read, String> {
    const MARK: usize = 3;
    let begin = input.fill_buf().map_err(|why| why.to_string())?;
    let mark = if without_bom(begin).len() < begin.len() { MARK } else { 0 };
    input.consume(mark);
    Ok(input)
}

struct Rows<'t>(&'t mut Option<Table>);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(value) = rows.next_element::<Box<RawValue>>()? {
            row(RawJson::from(&*value), self.0).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Adds a row; the first row determines the columns.
fn row(value: RawJson<'_>, table: &mut Option<Table>) -> Result<(), String> {
    let members = value.members().ok_or("expected an object")?;
    let table = if let Some(table) = table {
        table
    } else {
        let names = members.iter().map(|(name, _)| name.string().ok_or("has a name that is not text"));
        let names = names.collect::<Result<_, _>>()?;
        table.insert(Table::new(names)?)
    };
    let mut cells: Vec<Option<String>> = vec![None; table.columns().len()];
    for (name, value) in members {
        let name = name.string().ok_or("has a name that is not text")?;
        let place = table.column_index(&name).ok_or_else(|| format!("{name:?} is not in the first object"))?;
        if cells[place].replace(cell(value)?).is_some() {
            return Err(format!("duplicate member {name:?}"));
        }
    }
    for (place, cell) in cells.into_iter().enumerate() {
        let cell = cell.ok_or_else(|| format!("{:?} is missing", table.columns()[place]))?;
        table.push(&cell)?;
    }
    Ok(())
}

/// Converts a cell to text: null becomes empty, and a number stays as written.
fn cell(value: RawJson<'_>) -> Result<String, String> {
    let text = value.text();
    match text.as_bytes().first() {
        Some(b'n') => Ok(String::new()),
        Some(b'"') => value.string().ok_or_else(|| "has half a surrogate pair in a string".to_owned()),
        Some(b'[' | b'{') => Err("expected text, a number, a truth value or null in a cell".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::data::{DataSource, MAX_TEXT, Pick, RowId};

    fn bounded(text: &[u8]) -> Bounded<&[u8]> {
        Bounded::new(text, MAX_TEXT)
    }

    fn cells(table: Table) -> Vec<Vec<String>> {
        let source = DataSource::new("d".to_owned(), Pick::Sequential, table);
        let columns = u32::try_from(source.columns().len()).unwrap();
        let row = |row| (0..columns).map(|column| source.cell(RowId(row), column).to_owned()).collect();
        (0..source.len()).map(row).collect()
    }

    #[test]
    fn csv_is_read_according_to_rfc_4180() {
        let text = "\u{feff}name, city \r\n\"a \"\"b\"\"\",\"Köln,\nRhein\"\r\n\r\nbob,\r\n";
        let table = csv(bounded(text.as_bytes()), b',').unwrap();
        assert_eq!(table.columns(), ["name", "city"]);
        assert_eq!(cells(table), [["a \"b\"", "Köln,\nRhein"], ["bob", ""]]);
        for delimiter in ";\t|".chars() {
            let text = format!("\u{feff}name{delimiter}city\na,b{delimiter}\"x{delimiter}y\"\n");
            let table = csv(bounded(text.as_bytes()), u8::try_from(delimiter).unwrap()).unwrap();
            assert_eq!(table.columns(), ["name", "city"]);
            assert_eq!(cells(table), [["a,b".to_owned(), format!("x{delimiter}y")]]);
        }
    }

    #[test]
    fn lines_are_texts_as_they_are() {
        let table = lines(bounded("\u{feff}one, \"two\"\r\n\n three \nfour".as_bytes())).unwrap();
        assert_eq!(table.columns(), ["line"]);
        assert_eq!(cells(table), [["one, \"two\""], [" three "], ["four"]]);
        assert!(lines(bounded(b"a\n\xff\n")).unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn json_rows_may_have_their_members_in_any_order() {
        let text =
            r#"[{"a":"x","b":1.50},{"b":true,"a":null},{"a":-7,"b":"1"},{"a":123456789012345678901234567890,"b":1E2}]"#;
        let expected = [["x", "1.50"], ["", "true"], ["-7", "1"], ["123456789012345678901234567890", "1E2"]];
        assert_eq!(cells(json(bounded(text.as_bytes())).unwrap()), expected);
        let lines = text.trim_matches(['[', ']']).replace("},{", "}\n\n{");
        assert_eq!(cells(ndjson(bounded(lines.as_bytes())).unwrap()), expected);
        for marked in [format!("\u{feff}{text}"), format!("\u{feff}\n{text}")] {
            assert_eq!(cells(json(bounded(marked.as_bytes())).unwrap()), expected);
        }
        assert_eq!(cells(ndjson(bounded(format!("\u{feff}{lines}").as_bytes())).unwrap()), expected);
    }

    #[test]
    fn an_invalid_table_is_reported_with_position_and_reason() {
        type ReadTable = fn(&[u8]) -> Result<Table, String>;
        let csv: ReadTable = |text| super::csv(bounded(text), b',');
        let json: ReadTable = |text| super::json(bounded(text));
        let ndjson: ReadTable = |text| super::ndjson(bounded(text));
        for (read, text, words) in [
            (csv, "", &["is empty"][..]),
            (csv, "a,b\n1,2\n3\n", &["line 3", "1 columns, the header has 2"]),
            (csv, "a,a\n1,2\n", &["columns 1 and 2"]),
            (csv, "a,\n1,2\n", &["column 2 has no name"]),
            (json, "", &["it is empty"]),
            (json, "[]", &["is empty"]),
            (json, "{}", &["an array of objects"]),
            (json, "[1]", &["an object", "line 1, column"]),
            (json, "[{\"a\":1},\n{\"b\":1}]", &["\"b\" is not in the first", "line 2"]),
            (json, "[{\"a\":1,\"b\":2},{\"b\":1}]", &["\"a\" is missing"]),
            (json, "[{\"a\":1,\"a\":2}]", &["columns 1 and 2"]),
            (json, "[{\"a\":1},{\"a\":1,\"a\":2}]", &["duplicate member \"a\""]),
            (json, "\"sesame\"", &["expected an array of objects"]),
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
        let wide = |columns: usize| (0..columns).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",") + "\n";
        assert!(csv(wide(10_001).as_bytes()).unwrap_err().contains("more than 10000 columns"));
        assert_eq!(csv(wide(10_000).as_bytes()).unwrap().columns().len(), 10_000);
        assert!(csv(b"a\n\xff\n").unwrap_err().contains("line 2: is not UTF-8"));
    }
}
