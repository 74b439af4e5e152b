//! Words and statements of a script. It is not run, and only as much of the language is known as the statements need that
//! can be taken over.

/// A part of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or the digits of a number.
    Word(String),
    /// The content of a string.
    Text(String),
    /// Any other character.
    Mark(char),
    /// The start of the line with this number, from 1.
    Line(usize),
}

impl Token {
    /// Whether it is this character.
    pub(super) fn is(&self, mark: &str) -> bool {
        matches!(self, Self::Mark(own) if mark.chars().eq([*own]))
    }
}

/// A statement of a script.
#[derive(Debug)]
pub(super) struct Statement<'t> {
    /// Line that it begins in.
    pub(super) line: usize,
    pub(super) tokens: &'t [Token],
}

impl Statement<'_> {
    /// Its tokens as if it stood on one line.
    pub(super) fn on_one_line(&self) -> Vec<Token> {
        self.tokens.iter().filter(|token| !matches!(token, Token::Line(_))).cloned().collect()
    }
}

/// Splits a script; comments are skipped.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut out = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = &comment[comment.find('\n').unwrap_or(comment.len())..];
            continue;
        }
        let length = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            out.push(Token::Word(rest[..length].to_owned()));
            length
        } else if let Some((text, length)) = string(rest, first) {
            out.push(Token::Text(text));
            length
        } else {
            if !first.is_whitespace() {
                out.push(Token::Mark(first));
            }
            first.len_utf8()
        };
        let breaks = rest[..length].matches('\n').count();
        if breaks > 0 {
            line += breaks;
            out.push(Token::Line(line));
        }
        rest = &rest[length..];
    }
    out
}

/// The content of a string that begins here, and its length with both quotes. `None` for text with `${...}`, and where the
/// string does not end.
fn string(source: &str, quote: char) -> Option<(String, usize)> {
    if !matches!(quote, '"' | '\'' | '`') {
        return None;
    }
    let mut text = String::new();
    let mut chars = source.char_indices().skip(1);
    while let Some((at, next)) = chars.next() {
        match next {
            _ if next == quote => return Some((text, at + next.len_utf8())),
            '\n' if quote != '`' => return None,
            '$' if quote == '`' && source[at..].starts_with("${") => return None,
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'u' | 'x' | '0'..='9' => return None,
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}

/// Splits tokens into statements: at semicolons, and at line ends after which nothing continues. `line` is where they
/// begin.
pub(super) fn statements(tokens: &[Token], line: usize) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut depth, mut begin, mut line) = (0_usize, 0, line);
    let mut push = |from: usize, to: usize, line: usize| {
        let is_line = |token: &&Token| matches!(token, Token::Line(_));
        let skipped = tokens[from..to].iter().take_while(is_line).count();
        let line = tokens[from..from + skipped].iter().fold(line, |_, token| match token {
            Token::Line(number) => *number,
            _ => line,
        });
        if from + skipped < to {
            found.push(Statement { line, tokens: &tokens[from + skipped..to] });
        }
    };
    let mut begin_line = line;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Mark(';') if depth == 0 => {
                push(begin, at, begin_line);
                (begin, begin_line) = (at + 1, line);
            }
            Token::Line(number) => {
                line = *number;
                if depth == 0 && !continues(&tokens[begin..at], &tokens[at + 1..]) {
                    push(begin, at, begin_line);
                    (begin, begin_line) = (at + 1, line);
                }
            }
            _ => {}
        }
    }
    push(begin, tokens.len(), begin_line);
    found
}

/// Whether a statement goes on after a line end between these tokens.
fn continues(before: &[Token], after: &[Token]) -> bool {
    let solid = |token: &&Token| !matches!(token, Token::Line(_));
    let next = after.iter().find(solid);
    let last = before.iter().rev().find(solid);
    let is_operator = |token: Option<&Token>, closing: &str| match token {
        Some(Token::Mark(mark)) => !closing.contains(*mark),
        _ => false,
    };
    is_operator(last, ")]};") || is_operator(next, "([{}`")
}

/// The tokens that follow `code` at the beginning of these; line ends between them are skipped.
pub(super) fn after<'t>(of: &'t [Token], code: &str) -> Option<&'t [Token]> {
    let mut rest = of;
    for wanted in tokens(code) {
        while let [Token::Line(_), further @ ..] = rest {
            rest = further;
        }
        let [first, further @ ..] = rest else { return None };
        if *first != wanted {
            return None;
        }
        rest = further;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_split_into_statements_with_their_lines() {
        let source = "// one\nvar a = 'it\\'s'; b(\n  1 // ; no\n)\n\n/* three\nlines; */ c\n  .d('x')\n  .e;\nf = \"never closed\ng";
        let all = tokens(source);
        let found: Vec<(usize, usize)> =
            statements(&all, 1).iter().map(|one| (one.line, one.on_one_line().len())).collect();
        assert_eq!(found, [(2, 4), (2, 4), (7, 8), (10, 5), (11, 1)]);
        assert_eq!(
            all.iter().find_map(|token| if let Token::Text(text) = token { Some(text) } else { None }).unwrap(),
            "it's"
        );
    }

    #[test]
    fn code_is_recognized_whatever_its_blanks_and_quotes() {
        let all = tokens("pm . environment\n.set ( `a`, x )");
        assert_eq!(after(&all, "pm.environment.set('a',"), Some(&tokens("x)")[..]));
        assert_eq!(after(&all, "pm.globals"), None);
    }
}
