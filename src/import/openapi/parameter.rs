//! Parameters: how their values are written in path, query, header and cookie (`style` and `explode`).

use super::super::document::{items, member, members, scalar, text};
use super::super::draft::escape_template;
use crate::plan::json::Json;
use crate::plan::percent;

/// How a parameter's value is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'j> {
    name: &'j str,
    kind: &'j str,
    is_exploded: bool,
    /// Whether reserved characters stay as they are.
    allows_reserved: bool,
}

impl<'j> Style<'j> {
    /// The style of a parameter that stands in `place`.
    pub(super) fn of(parameter: &'j Json, name: &'j str, place: &str) -> Self {
        let default = if matches!(place, "query" | "cookie") { "form" } else { "simple" };
        let style = text(parameter, "style").unwrap_or(default);
        let is_exploded = member(parameter, "explode").map_or(style == "form", |value| *value == Json::Bool(true));
        Self {
            name,
            kind: style,
            is_exploded,
            allows_reserved: member(parameter, "allowReserved") == Some(&Json::Bool(true)),
        }
    }

    /// The style of a field of a form.
    pub(super) const fn of_form(name: &'j str) -> Self {
        Self { name, kind: "form", is_exploded: true, allows_reserved: false }
    }

    fn encoded(self, text: &str) -> String {
        let set = if self.allows_reserved { percent::QUERY } else { percent::COMPONENT };
        escape_template(&percent::encode(text, set).to_string())
    }

    fn value(self, value: &Json) -> String {
        self.encoded(&plain(value))
    }

    /// The fields of a query, encoded, as template text.
    pub(super) fn in_query(self, value: &Json) -> Vec<String> {
        let name = self.encoded(self.name);
        let joined = |parts: Vec<String>| {
            let between = match self.kind {
                "spaceDelimited" => "%20",
                "pipeDelimited" => "%7C",
                _ => ",",
            };
            vec![format!("{name}={}", parts.join(between))]
        };
        match value {
            Json::Null => Vec::new(),
            Json::List(items) if items.is_empty() => Vec::new(),
            Json::List(items) if self.is_exploded => {
                items.iter().map(|item| format!("{name}={}", self.value(item))).collect()
            }
            Json::List(items) => joined(items.iter().map(|item| self.value(item)).collect()),
            Json::Object(fields) if self.kind == "deepObject" => {
                fields.iter().flat_map(|(key, value)| self.deep(key, value)).collect()
            }
            Json::Object(fields) if self.is_exploded => {
                fields.iter().map(|(key, value)| format!("{}={}", self.encoded(key), self.value(value))).collect()
            }
            Json::Object(fields) => joined(self.flat(fields)),
            one => vec![format!("{name}={}", self.value(one))],
        }
    }

    /// `name[key]=value`
    fn deep(self, key: &str, value: &Json) -> Vec<String> {
        let name = format!("{}%5B{}%5D", self.encoded(self.name), self.encoded(key));
        let all = if let Json::List(_) = value { items(value) } else { std::slice::from_ref(value) };
        all.iter().map(|value| format!("{name}={}", self.value(value))).collect()
    }

    fn flat(self, fields: &[(String, Json)]) -> Vec<String> {
        fields.iter().flat_map(|(key, value)| [self.encoded(key), self.value(value)]).collect()
    }

    fn pairs(self, fields: &[(String, Json)]) -> Vec<String> {
        fields.iter().map(|(key, value)| format!("{}={}", self.encoded(key), self.value(value))).collect()
    }

    /// The text in a path, as template text.
    pub(super) fn in_path(self, value: &Json) -> String {
        let parts = match value {
            Json::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Json::Object(fields) if self.is_exploded => self.pairs(fields),
            Json::Object(fields) => self.flat(fields),
            one => vec![self.value(one)],
        };
        match self.kind {
            "label" => format!(".{}", parts.join(if self.is_exploded { "." } else { "," })),
            "matrix" => match value {
                Json::Object(_) if self.is_exploded => format!(";{}", parts.join(";")),
                Json::List(_) if self.is_exploded => {
                    format!(";{}={}", self.name, parts.join(&format!(";{}=", self.name)))
                }
                _ => format!(";{}={}", self.name, parts.join(",")),
            },
            _ => parts.join(","),
        }
    }

    /// The text in a header field or cookie, without encoding.
    pub(super) fn in_field(self, value: &Json) -> String {
        match value {
            Json::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
            Json::Object(_) => {
                let between = if self.is_exploded { "=" } else { "," };
                let pair = |(key, value): &(String, Json)| format!("{key}{between}{}", plain(value));
                members(value).iter().map(pair).collect::<Vec<_>>().join(",")
            }
            one => plain(one),
        }
    }
}

/// A value as text; a list or an object is JSON.
pub(super) fn plain(value: &Json) -> String {
    scalar(value).unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_specification_shows() {
        // The table of OpenAPI 3.1.1, section 4.8.12.4.
        let color = |style, is_exploded| Style { name: "color", kind: style, is_exploded, allows_reserved: false };
        let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
        let (text, list) = (json(r#""blue""#), json(r#"["blue","black","brown"]"#));
        let object = json(r#"{"R":100,"G":200,"B":150}"#);
        for (style, explode, value, written) in [
            ("matrix", false, &text, ";color=blue"),
            ("matrix", false, &list, ";color=blue,black,brown"),
            ("matrix", false, &object, ";color=R,100,G,200,B,150"),
            ("matrix", true, &list, ";color=blue;color=black;color=brown"),
            ("matrix", true, &object, ";R=100;G=200;B=150"),
            ("label", false, &text, ".blue"),
            ("label", false, &list, ".blue,black,brown"),
            ("label", false, &object, ".R,100,G,200,B,150"),
            ("label", true, &list, ".blue.black.brown"),
            ("label", true, &object, ".R=100.G=200.B=150"),
            ("simple", false, &list, "blue,black,brown"),
            ("simple", false, &object, "R,100,G,200,B,150"),
            ("simple", true, &object, "R=100,G=200,B=150"),
        ] {
            assert_eq!(color(style, explode).in_path(value), written, "{style} {explode}");
        }
        for (style, explode, value, written) in [
            ("form", false, &text, "color=blue"),
            ("form", false, &list, "color=blue,black,brown"),
            ("form", false, &object, "color=R,100,G,200,B,150"),
            ("form", true, &list, "color=blue&color=black&color=brown"),
            ("form", true, &object, "R=100&G=200&B=150"),
            ("spaceDelimited", false, &list, "color=blue%20black%20brown"),
            ("pipeDelimited", false, &list, "color=blue%7Cblack%7Cbrown"),
            ("deepObject", true, &object, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
        ] {
            assert_eq!(color(style, explode).in_query(value).join("&"), written, "{style} {explode}");
        }
    }
}
