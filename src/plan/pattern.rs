//! Regular expressions over bodies and header fields.

use regex_lite::{Regex, RegexBuilder};

/// A regular expression of bounded size: searching takes time linear in the length of the text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// Longest pattern, in bytes.
const MAX_LENGTH: usize = 1000;

/// Maximum size of a compiled pattern in bytes. A thread that searches needs several times as much, and there are as many
/// of them as cores.
const MAX_COMPILED: usize = 256 * 1024;

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).build();
        compiled.map(Self).map_err(|why| format!("{text:?} is not a regular expression: {why}").replace('\n', " "))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The number of its groups, without the whole match.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.0.captures_len() - 1
    }

    /// Returns whether it matches anywhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// What this group matched, in each match of the pattern in which it took part.
    pub(super) fn matches<'p>(&'p self, text: &'p str, group: usize) -> impl Iterator<Item = &'p str> {
        self.0.captures_iter(text).filter_map(move |found| found.get(group).map(|part| part.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str, group: usize) -> Vec<String> {
        Pattern::parse(pattern).unwrap().matches(text, group).map(str::to_owned).collect()
    }

    #[test]
    fn matches_are_those_of_python() {
        // Python: [m.group(g) for m in re.finditer(pattern, text) if m.group(g) is not None].
        for (pattern, text, group, expected) in [
            (r"id=(\d+)", "id=1&id=22;id=x", 1, &["1", "22"][..]),
            (r"id=(\d+)", "id=1&id=22", 0, &["id=1", "id=22"]),
            (
                r#"name="([^"]*)" value="([^"]*)""#,
                r#"<input name="a" value="1"><input name="b" value="">"#,
                2,
                &["1", ""],
            ),
            (r"(?i)TOKEN:\s*(\w+)", "token: ab1\nToken:\tC", 1, &["ab1", "C"]),
            (r"(?s)<p>(.*?)</p>", "<p>a\nb</p><p>c</p>", 1, &["a\nb", "c"]),
            (r"<p>(.*?)</p>", "<p>a\nb</p><p>c</p>", 1, &["c"]),
            (r"(?m)^(\w+)$", "one\ntwo\nth ree", 1, &["one", "two"]),
            (r"(a)|(b)", "abab", 2, &["b", "b"]),
            (r"(\w{2,3})", "abcdefgh", 1, &["abc", "def", "gh"]),
            (r"[äö]+", "aäöb", 0, &["äö"]),
            (r"\bcat\b", "cat concat cat", 0, &["cat", "cat"]),
            (r"(?P<y>\d{4})-(?P<m>\d\d)", "2026-11 1999-01", 2, &["11", "01"]),
        ] {
            assert_eq!(found(pattern, text, group), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_is_refused_with_the_reason_in_one_line() {
        let long = "x".repeat(1001);
        for (pattern, words) in [
            ("", "is empty"),
            ("(", "is not a regular expression"),
            ("a(?=b)", "look-around"),
            (r"(a)\1", "backreferences"),
            (r"\w{5000}", "is not a regular expression"),
            (&long, "longer than 1000 bytes"),
        ] {
            let why = Pattern::parse(pattern).unwrap_err();
            assert!(why.contains(words) && !why.contains('\n'), "{pattern}: {why}");
        }
        assert_eq!(Pattern::parse("(a)(?:b)(c)").unwrap().groups(), 2);
    }

    #[test]
    fn a_pattern_that_takes_forever_elsewhere_takes_linear_time() {
        let text = "a".repeat(10_000);
        assert!(!Pattern::parse("^(a+)+$x").unwrap().is_match(&text));
    }
}
