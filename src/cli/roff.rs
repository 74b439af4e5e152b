//! Manual pages as mandoc and groff want their source: no long lines, no spaces at ends, no doubled breaks.

/// Bytes of a line of source; mandoc's lint names longer ones.
const LONGEST: usize = 80;

/// The same page, laid out so that `mandoc -T lint` has no complaint; what a reader sees stays the same.
pub(super) fn laid_out(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    let mut text = String::with_capacity(page.len() + page.len() / 40);
    for (number, line) in lines.iter().enumerate() {
        let before = number.checked_sub(1).and_then(|before| lines.get(before)).copied();
        let after = lines.get(number + 1).copied();
        // A blank line is a break, so one beside it says nothing.
        if *line == ".br" && (before == Some("") || after == Some("")) {
            continue;
        }
        let is_text = !line.starts_with(['.', '\'']);
        // The line after .TP is the tag of a list, and must stay one line.
        if is_text && before != Some(".TP") {
            push_filled(&mut text, line);
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// Appends a line of text, broken at spaces into lines of at most [`LONGEST`] bytes where there are places for it.
fn push_filled(text: &mut String, line: &str) {
    let (mut start, mut length) = (0, 0);
    let places = line.match_indices(' ').map(|(at, _)| at).filter(|at| may_break(&line[..*at], &line[at + 1..]));
    for end in places.chain([line.len()]) {
        let piece = &line[start..end];
        let fits = length + 1 + piece.len() <= LONGEST;
        if start > 0 {
            text.push(if fits { ' ' } else { '\n' });
        }
        length = if fits && start > 0 { length + 1 + piece.len() } else { piece.len() };
        text.push_str(piece);
        start = end + 1;
    }
}

/// Whether a break between these leaves the page as it is: it must not make a request of the second, and at the end of a
/// sentence it would widen the space.
fn may_break(before: &str, after: &str) -> bool {
    !before.is_empty() && !before.ends_with(['.', '!', '?', ':', ')', ' ']) && !after.starts_with(['.', '\'', ' '])
}

#[cfg(test)]
mod tests {
    use super::laid_out;

    #[test]
    fn long_lines_are_broken_where_it_changes_nothing() {
        let words = "word ".repeat(15);
        let page = format!(".SH NAME\n{words}.gz ends a line that is long enough. Then it goes on\n");
        let laid = laid_out(&page);
        assert!(laid.lines().all(|line| line.len() <= 80 && !line.ends_with(' ')), "{laid}");
        assert!(laid.lines().all(|line| line == ".SH NAME" || !line.starts_with('.')), "{laid}");
        assert_eq!(laid.replace('\n', " "), page.replace('\n', " "));
        assert!(!laid.contains("enough.\n"), "{laid}");
    }

    #[test]
    fn the_tag_of_a_list_stays_one_line() {
        let page = format!(".TP\n{}\ntext\n", "tag ".repeat(40).trim_end());
        assert_eq!(laid_out(&page), page);
    }

    #[test]
    fn breaks_beside_blank_lines_and_spaces_at_ends_are_left_out() {
        assert_eq!(laid_out("level \n.br\n\n.br\nvalues\n.br\nmore\n"), "level\n\nvalues\n.br\nmore\n");
    }
}
