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

/// Appends a line of text, broken at spaces into lines of at most [`LONGEST`] bytes. Never where the break would change the
/// page: before what would begin a request, or after what would end a sentence.
fn push_filled(text: &mut String, line: &str) {
    let mut length = 0;
    let mut words = line.split(' ').peekable();
    let mut before = "";
    while let Some(word) = words.next() {
        let may_break =
            !word.is_empty() && !word.starts_with(['.', '\'']) && !before.ends_with(['.', '!', '?', ':', ')']);
        // Where the next place is no place for a break, this one is taken already.
        let stuck =
            words.peek().filter(|next| next.starts_with(['.', '\'']) || word.ends_with(['.', '!', '?', ':', ')']));
        let needed = word.len() + stuck.map_or(0, |next| next.len() + 1);
        if length > 0 && may_break && length + 1 + needed > LONGEST {
            text.push('\n');
            length = 0;
        } else if !before.is_empty() || length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += word.len();
        before = word;
    }
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
