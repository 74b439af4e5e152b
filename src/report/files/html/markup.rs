//! Builds HTML: everything except literals of this program is always escaped.

use std::fmt::Display;

/// A page that is being built.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds markup, which must be a literal of this program.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text, or a value of an attribute in double quotes, with any content.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        for c in text.to_string().chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // Control characters other than space have no meaning in a page, and NUL is an error (HTML,
                // 13.2.3.5).
                c if c.is_control() => self.0.extend(c.escape_default()),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds JSON for a data script: without `<`, nothing in it can end the script (HTML, 4.12.1.3).
    pub(super) fn json(&mut self, json: &str) -> &mut Self {
        self.0.push_str(&json.replace('<', "\\u003c"));
        self
    }

    /// Adds an element of `kind` with a class and a text.
    pub(super) fn element(&mut self, kind: &'static str, class: &'static str, text: impl Display) -> &mut Self {
        self.raw("<").raw(kind).raw(" class=\"").raw(class).raw("\">").text(text).raw("</").raw(kind).raw(">")
    }

    /// Returns the page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_whatever_they_contain() {
        let mut page = Markup::default();
        page.raw("<a title=\"").text("\"><script>alert('1')</script>&\u{1b}[2J").raw("\">");
        let expected = "<a title=\"&quot;&gt;&lt;script&gt;alert('1')&lt;/script&gt;&amp;\\u{1b}[2J\">";
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn data_never_ends_its_script() {
        let mut page = Markup::default();
        page.json("[\"</script><!--<script>\"]");
        assert_eq!(page.finish(), "[\"\\u003c/script>\\u003c!--\\u003cscript>\"]");
    }
}
