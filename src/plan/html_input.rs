//! The values of form fields in HTML, by the rules of the WHATWG tokenizer that matter for tags.

/// The values of the `input` elements with this name, entities decoded; an element without a value has an empty one.
/// What stands in comments, scripts, styles and other elements without markup is passed over.
pub(super) fn values<'h>(html: &'h str, name: &'h str) -> impl Iterator<Item = String> {
    let inputs = Tags { rest: html }.filter(|tag| tag.name.eq_ignore_ascii_case("input"));
    inputs
        .filter(move |tag| tag.attribute("name").as_deref() == Some(name))
        .map(|tag| tag.attribute("value").unwrap_or_default())
}

/// The names of the `input` elements.
pub(super) fn names(html: &str) -> impl Iterator<Item = String> {
    fields(html).map(|(name, _)| name)
}

/// Names and values of the `input` elements that have a name.
pub fn fields(html: &str) -> impl Iterator<Item = (String, String)> {
    let inputs = Tags { rest: html }.filter(|tag| tag.name.eq_ignore_ascii_case("input"));
    inputs.filter_map(|tag| Some((tag.attribute("name")?, tag.attribute("value").unwrap_or_default())))
}

/// A start tag.
struct Tag<'h> {
    name: &'h str,
    /// What stands between its name and `>`.
    attributes: &'h str,
}

/// Iterates over the start tags.
struct Tags<'h> {
    rest: &'h str,
}

/// Elements whose content is text, whatever it looks like.
const RAW: [&str; 7] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed"];

impl<'h> Iterator for Tags<'h> {
    type Item = Tag<'h>;

    fn next(&mut self) -> Option<Tag<'h>> {
        loop {
            let at = self.rest.find('<')?;
            let inside = &self.rest[at + 1..];
            if let Some(comment) = inside.strip_prefix("!--") {
                // `<!-->` and `<!--->` are whole comments.
                let is_short = comment.starts_with('>') || comment.starts_with("->");
                self.rest = if is_short { comment } else { after(comment, "-->") };
                continue;
            }
            if !inside.starts_with(|char: char| char.is_ascii_alphabetic()) {
                self.rest = inside;
                continue;
            }
            let name_end =
                inside.find(|char: char| is_blank(char) || char == '/' || char == '>').unwrap_or(inside.len());
            let (name, attributes) = inside.split_at(name_end);
            // A tag without its end is not one.
            let end = tag_end(attributes)?;
            self.rest = &attributes[end + 1..];
            if let Some(raw) = RAW.iter().find(|raw| name.eq_ignore_ascii_case(raw)) {
                self.rest = after_content(self.rest, raw);
            }
            return Some(Tag { name, attributes: &attributes[..end] });
        }
    }
}

impl Tag<'_> {
    /// The value of an attribute; the first counts.
    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|char| is_blank(char) || char == '/');
            if rest.is_empty() {
                return None;
            }
            // An equals sign in front is part of the name.
            let begin = rest.chars().next().map_or(0, char::len_utf8);
            let ends = |char: char| is_blank(char) || matches!(char, '/' | '=');
            let end = rest[begin..].find(ends).map_or(rest.len(), |end| begin + end);
            let name = &rest[..end];
            let value;
            (value, rest) = attribute_value(&rest[end..]);
            if name.eq_ignore_ascii_case(wanted) {
                return Some(decoded(value));
            }
        }
    }
}

/// The value after an attribute's name, and what follows.
fn attribute_value(text: &str) -> (&str, &str) {
    let Some(value) = text.trim_start_matches(is_blank).strip_prefix('=') else { return ("", text) };
    let value = value.trim_start_matches(is_blank);
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
        _ => value.split_at(value.find(is_blank).unwrap_or(value.len())),
    }
}

/// The end of a tag: the first `>` outside quoted values.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    // A quote begins a value only after an equals sign.
    let mut is_value = false;
    for (at, char) in text.char_indices() {
        match quote {
            Some(open) if char == open => quote = None,
            Some(_) => {}
            None if char == '>' => return Some(at),
            None if is_value && matches!(char, '"' | '\'') => (quote, is_value) = (Some(char), false),
            None => is_value = char == '=' || is_value && is_blank(char),
        }
    }
    None
}

/// What follows the first `end`; nothing if it does not occur.
fn after<'h>(text: &'h str, end: &str) -> &'h str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// What follows the content of a raw element: its end tag.
fn after_content<'h>(text: &'h str, name: &str) -> &'h str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let is_end = rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if is_end && rest[name.len()..].starts_with(|char| is_blank(char) || char == '/' || char == '>') {
            return rest;
        }
    }
    ""
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// Entities that servers write in attributes; others stay as they are.
const ENTITIES: [(&str, char); 10] = [
    ("amp;", '&'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("nbsp;", '\u{a0}'),
    ("plus;", '+'),
    ("equals;", '='),
    ("sol;", '/'),
    ("colon;", ':'),
];

/// The text with its entities decoded: numbers, and a few names.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some((name, char)) = ENTITIES.iter().find(|(name, _)| rest.starts_with(name)) {
            out.push(*char);
            rest = &rest[name.len()..];
        } else if let Some((char, after)) = numeric(rest) {
            out.push(char);
            rest = after;
        } else {
            out.push('&');
        }
    }
    out + rest
}

/// Reads `#43;` or `#x2B;` after the ampersand.
fn numeric(text: &str) -> Option<(char, &str)> {
    let digits = text.strip_prefix('#')?;
    let (digits, radix) = digits.strip_prefix(['x', 'X']).map_or((digits, 10), |digits| (digits, 16));
    let end = digits.find(|char: char| !char.is_digit(radix)).unwrap_or(digits.len());
    let number = u32::from_str_radix(&digits[..end], radix).ok()?;
    let char = char::from_u32(number).filter(|char| *char != '\0').unwrap_or('\u{fffd}');
    let after = &digits[end..];
    Some((char, after.strip_prefix(';').unwrap_or(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_pythons_html_parser() {
        // Python: html.parser.HTMLParser, handle_starttag of "input" whose first attribute name is "t": the first value.
        for (html, expected) in [
            (r#"<input type="hidden" name="t" value="a1">"#, &["a1"][..]),
            (r#"<input value="a1" name="t" type=hidden/>"#, &["a1"]),
            ("<INPUT NAME=t VALUE=a1>", &["a1"]),
            ("<input name='t' value='a\"1'>", &["a\"1"]),
            ("<input\n name = \"t\"\n value = \"a b\"\n/>", &["a b"]),
            (r#"<input name="t" value="a&amp;b&#43;c&#x2F;d&quot;&lt;&gt;&#39;&nbsp;">"#, &["a&b+c/d\"<>'\u{a0}"]),
            (r#"<input name="t" value="a&b=c&unknown;">"#, &["a&b=c&unknown;"]),
            (r#"<input name="t" data-x="1 > 2" value="v>w">"#, &["v>w"]),
            (r#"<!-- <input name="t" value="no"> --><input name="t" value="yes">"#, &["yes"]),
            (r#"<script>var x = '<input name="t" value="no">';</script><input name="t" value="yes">"#, &["yes"]),
            (r#"<style>a<b</style><p a<b><input name="t" value="yes">"#, &["yes"]),
            (r#"<input name="tt" value="no"><input name="t" value="1"><br/><input name=t value=2>"#, &["1", "2"]),
            (r#"<input name="t" value="1" value="2">"#, &["1"]),
            (r#"<input disabled name="t" value="ä">"#, &["ä"]),
            (r#"<input name="t" value="">"#, &[""]),
            (r#"<inputs name="t" value="no"></input name="t">"#, &[]),
            (r#"a < b <input name="t" value="x">"#, &["x"]),
            (r#"<input name="t" value="x" "#, &[]),
            ("", &[]),
        ] {
            assert_eq!(values(html, "t").collect::<Vec<_>>(), expected, "{html}");
        }
        assert_eq!(values(r#"<input name="t">"#, "t").collect::<Vec<_>>(), [""], "an element without a value");
        assert_eq!(names("<input name=a><input><input name='b c'>").collect::<Vec<_>>(), ["a", "b c"]);
    }

    #[test]
    fn torn_html_ends_the_search_and_nothing_else() {
        let html =
            r#"<p>é<!-- x --><script>"</scrip"</script ><input name="t" value='&#x1F600;&#0;&#xFFFFFFFF;&#;'/><p"#;
        for end in (0..=html.len()).filter(|end| html.is_char_boundary(*end)) {
            let _ = values(&html[..end], "t").count();
        }
        assert_eq!(values(html, "t").collect::<Vec<_>>(), ["\u{1f600}\u{fffd}\u{fffd}&#;"]);
    }
}
