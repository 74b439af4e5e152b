//! Tables in the style of Locust: names on the left, numbers to the right of them, fitted to a width.

use std::fmt::Write as _;

use super::plain::{columns, fitted};

/// Maximum width of a name if the width of the output is unknown, as in Locust.
const MAX_NAME_WIDTH: usize = 80;

/// Names are not truncated below this width to make room for a column.
const MIN_NAME_WIDTH: usize = 16;

/// A column of numbers.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The title.
    pub(super) title: &'static str,
    /// If the width is too small, the columns with the lowest rank are removed first.
    pub(super) rank: u8,
    /// One cell per row.
    pub(super) cells: Vec<String>,
}

/// A table whose last row is separated by a rule. `width` is that of the terminal, if there is one.
#[must_use]
pub(super) fn table(names: &[(String, String)], numbers: Vec<Column>, width: Option<usize>) -> String {
    let types = names.iter().map(|(kind, _)| columns(kind)).max().unwrap_or(0).max("Type".len());
    let natural = names.iter().map(|(_, name)| columns(name)).max().unwrap_or(0).max("Name".len()).min(MAX_NAME_WIDTH);
    let numbers =
        fitting_columns(numbers, width.map(|width| width.saturating_sub(types + 1 + natural.min(MIN_NAME_WIDTH))));
    let taken: usize = numbers.iter().map(|column| column_width(column) + 1).sum();
    let room = width.map_or(natural, |width| width.saturating_sub(types + 1 + taken));
    let name = natural.min(room.max(natural.min(MIN_NAME_WIDTH)));

    let line = |kind: &str, title: &str, cells: &mut dyn Iterator<Item = &str>| {
        let mut line = format!("{} {}", fitted(kind, types), fitted(title, name));
        for (column, cell) in numbers.iter().zip(cells) {
            let _ = write!(line, " {cell:>0$}", column_width(column));
        }
        line.trim_end().to_owned() + "\n"
    };
    let mut rule = format!("{}|{}", "-".repeat(types), "-".repeat(name));
    for column in &numbers {
        let _ = write!(rule, "|{}", "-".repeat(column_width(column)));
    }
    rule.push('\n');

    let mut text = line("Type", "Name", &mut numbers.iter().map(|column| column.title));
    for (row, (kind, title)) in names.iter().enumerate() {
        if row == 0 || row + 1 == names.len() {
            text.push_str(&rule);
        }
        text.push_str(&line(kind, title, &mut numbers.iter().map(|column| column.cells[row].as_str())));
    }
    text
}

/// Removes columns that do not fit, starting with the lowest rank.
fn fitting_columns(mut numbers: Vec<Column>, room: Option<usize>) -> Vec<Column> {
    let taken = |numbers: &[Column]| numbers.iter().map(|column| column_width(column) + 1).sum::<usize>();
    while room.is_some_and(|room| taken(&numbers) > room) && numbers.len() > 1 {
        let least = numbers.iter().map(|column| column.rank).min();
        let place = numbers.iter().rposition(|column| Some(column.rank) == least).unwrap_or_default();
        numbers.remove(place);
    }
    numbers
}

fn column_width(column: &Column) -> usize {
    column.cells.iter().map(|cell| columns(cell)).max().unwrap_or(0).max(column.title.len())
}

/// Milliseconds with a suitable number of digits.
#[must_use]
pub fn ms(ms: f64) -> String {
    let digits = match ms {
        _ if ms >= 99.95 => 0,
        _ if ms >= 9.995 => 1,
        _ => 2,
    };
    format!("{ms:.digits$}")
}

/// A judged time: a lower bound has a `≥`, and without a completed request it is `-`.
#[must_use]
pub(super) fn judged_ms(completed: u64, (time, is_bound): (f64, bool)) -> String {
    if completed == 0 && !is_bound {
        return "-".to_owned();
    }
    let sign = if is_bound { "≥" } else { "" };
    format!("{sign}{}", ms(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns_of(cells: [&str; 2]) -> Vec<Column> {
        let column = |title, rank, cell: &str| Column { title, rank, cells: vec![cell.to_owned(), "1".to_owned()] };
        vec![column("# reqs", 9, cells[0]), column("Avg", 5, "0.25"), column("req/s", 7, cells[1])]
    }

    fn names() -> [(String, String); 2] {
        [("DELETE".to_owned(), "/a/long/name/of/an/endpoint".to_owned()), (String::new(), "Aggregated".to_owned())]
    }

    #[test]
    fn a_table_has_names_left_numbers_right_and_the_total_below_a_rule() {
        let text = table(&names(), columns_of(["12345678", "9.5"]), None);
        let wanted = "\
Type   Name                          # reqs  Avg req/s
------|---------------------------|--------|----|-----
DELETE /a/long/name/of/an/endpoint 12345678 0.25   9.5
------|---------------------------|--------|----|-----
       Aggregated                         1    1     1
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_table_fits_the_width_by_shorter_names_and_fewer_columns() {
        for (width, columns, name) in [(54, 3, 27), (50, 3, 23), (43, 3, 16), (42, 2, 20), (32, 1, 16)] {
            let text = table(&names(), columns_of(["12345678", "9.5"]), Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
            let rule = text.lines().nth(1).unwrap();
            assert_eq!(rule.matches('|').count() - 1, columns, "{width}\n{text}");
            assert_eq!(rule.split('|').nth(1).unwrap().len(), name, "{width}\n{text}");
        }
    }

    #[test]
    fn a_time_of_no_request_is_a_dash_unless_it_is_a_lower_bound() {
        assert_eq!(
            [(0, (0.0, false)), (0, (10.0, true)), (1, (0.0, false))].map(|(n, time)| judged_ms(n, time)),
            ["-", "≥10.0", "0.00"]
        );
    }

    #[test]
    fn milliseconds_have_three_digits_or_more() {
        let written = [0.0, 0.034, 9.994, 9.996, 99.94, 99.96, 12345.6].map(ms);
        assert_eq!(written, ["0.00", "0.03", "9.99", "10.0", "99.9", "100", "12346"]);
    }
}
