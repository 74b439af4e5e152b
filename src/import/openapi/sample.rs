//! A value that fits a schema: its example, its default, its first allowed value, or the simplest of its type.

use super::super::document::{as_text, is_true, items, list, member, members, text};
use super::reference::Document;
use crate::plan::json::Json;

/// Maximum depth of a value: schemas that contain themselves have no end.
const MAX_DEPTH: usize = 16;

/// Maximum number of parts of a value.
const MAX_PARTS: usize = 10_000;

/// Maximum length of a text, and of a list, whatever the schema demands.
const LONGEST: usize = 1000;

/// Makes values for schemas.
#[derive(Debug)]
pub(super) struct Sampler<'j> {
    document: Document<'j>,
    /// References that are being followed.
    open: Vec<&'j str>,
    parts: usize,
    /// What could not be satisfied, one word or sentence each.
    pub(super) problems: Vec<&'static str>,
}

impl<'j> Sampler<'j> {
    pub(super) const fn new(document: Document<'j>) -> Self {
        Self { document, open: Vec::new(), parts: 0, problems: Vec::new() }
    }

    /// The value of a parameter or media type: its own example, or one that fits its schema.
    pub(super) fn value(&mut self, node: &'j Json) -> Option<Json> {
        self.given(node).or_else(|| member(node, "schema").and_then(|schema| self.of_schema(schema)))
    }

    /// The example of a parameter or media type that is written in the document, or the example or default of its schema.
    pub(super) fn written(&self, node: &'j Json) -> Option<Json> {
        let of_schema = || {
            let schema = self.document.resolve(member(node, "schema")?)?;
            let first = list(schema, "examples").first();
            member(schema, "example").or(first).or_else(|| member(schema, "default")).cloned()
        };
        self.given(node).or_else(of_schema)
    }

    fn given(&self, node: &'j Json) -> Option<Json> {
        if let Some(example) = member(node, "example") {
            return Some(example.clone());
        }
        let examples = member(node, "examples").map_or(&[][..], members);
        examples.iter().find_map(|(_, example)| member(self.document.resolve(example)?, "value").cloned())
    }

    /// A value for a schema; `None` if there is none within the bounds.
    pub(super) fn of_schema(&mut self, schema: &'j Json) -> Option<Json> {
        self.parts += 1;
        if self.parts > MAX_PARTS || self.open.len() > MAX_DEPTH {
            self.problem("a schema is too large or too deep");
            return None;
        }
        let Some(reference) = text(schema, "$ref") else {
            self.open.push("");
            let value = self.of_plain(schema);
            self.open.pop();
            return value;
        };
        if self.open.contains(&reference) {
            return None;
        }
        let Some(target) = self.document.at(reference) else {
            self.problem("a $ref leads nowhere, or out of the document");
            return None;
        };
        self.open.push(reference);
        let value = self.of_schema(target);
        self.open.pop();
        value
    }

    fn problem(&mut self, what: &'static str) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    fn of_plain(&mut self, schema: &'j Json) -> Option<Json> {
        let first = |name: &str| list(schema, name).first();
        let written = member(schema, "example").or_else(|| first("examples")).or_else(|| member(schema, "default"));
        if let Some(value) = written.or_else(|| member(schema, "const")).or_else(|| first("enum")) {
            return Some(value.clone());
        }
        let all = list(schema, "allOf");
        let choice = [list(schema, "oneOf"), list(schema, "anyOf")];
        if all.is_empty() && choice.iter().all(|list| list.is_empty()) {
            return self.of_type(schema, kind(schema));
        }
        let mut merged: Option<Json> = None;
        for part in all {
            merged = merge(merged, self.of_schema(part));
        }
        for alternatives in choice {
            let first = alternatives.iter().find_map(|one| self.of_schema(one));
            merged = merge(merged, first);
        }
        if member(schema, "properties").is_some() || merged.is_none() {
            merged = merge(merged, self.of_type(schema, kind(schema)));
        }
        merged
    }

    fn of_type(&mut self, schema: &'j Json, kind: Option<&str>) -> Option<Json> {
        match kind {
            Some("object") => Some(self.object(schema)),
            Some("array") => Some(self.array(schema)),
            Some("string") => Some(Json::Text(self.string(schema))),
            Some("integer" | "number") => self.number(schema),
            Some("boolean") => Some(Json::Bool(true)),
            Some("null") => Some(Json::Null),
            _ => Some(Json::Text("string".to_owned())).filter(|_| *schema != Json::Bool(false)),
        }
    }

    fn object(&mut self, schema: &'j Json) -> Json {
        let required: Vec<&str> = list(schema, "required").iter().filter_map(as_text).collect();
        let mut values: Vec<(String, Json)> = Vec::new();
        for (name, property) in member(schema, "properties").map_or(&[][..], members) {
            let is_read_only = self.document.resolve(property).is_some_and(|property| is_true(property, "readOnly"));
            if is_read_only {
                continue;
            }
            match self.of_schema(property) {
                Some(value) => values.push((name.clone(), value)),
                // A required part that contains itself: the value does not fit.
                None if required.contains(&name.as_str()) => self.problem("a required property has no value"),
                None => {}
            }
        }
        let more = member(schema, "additionalProperties").filter(|more| matches!(more, Json::Object(_)));
        let least = member(schema, "minProperties").is_some();
        if values.is_empty()
            && least
            && let Some(value) = more.and_then(|more| self.of_schema(more))
        {
            values.push(("key".to_owned(), value));
        }
        Json::Object(values)
    }

    fn array(&mut self, schema: &'j Json) -> Json {
        let mut values: Vec<Json> =
            list(schema, "prefixItems").iter().filter_map(|item| self.of_schema(item)).collect();
        let least = bound(schema, "minItems").unwrap_or(0);
        let most = bound(schema, "maxItems").unwrap_or(usize::MAX);
        if let Some(item) = member(schema, "items").filter(|_| most > values.len())
            && (values.is_empty() || values.len() < least)
            && let Some(value) = self.of_schema(item)
        {
            if least > 1 && is_true(schema, "uniqueItems") {
                self.problem("a list of different values has no example");
            }
            let count = least.saturating_sub(values.len()).clamp(1, LONGEST);
            values.extend(std::iter::repeat_n(value, count));
        }
        Json::List(values)
    }

    fn string(&mut self, schema: &Json) -> String {
        let of_format = match text(schema, "format").unwrap_or_default() {
            "date" => "2024-01-31",
            "date-time" => "2024-01-31T12:00:00Z",
            "time" => "12:00:00Z",
            "duration" => "P1D",
            "uuid" => "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "email" | "idn-email" => "user@example.com",
            "hostname" | "idn-hostname" => "example.com",
            "ipv4" => "192.0.2.1",
            "ipv6" => "2001:db8::1",
            "uri" | "url" | "iri" => "https://example.com/",
            "uri-reference" | "iri-reference" => "/",
            "byte" => "c3RyaW5n",
            _ => "",
        };
        if !of_format.is_empty() {
            return of_format.to_owned();
        }
        if member(schema, "pattern").is_some() {
            self.problem("a text with a pattern has no example");
        }
        let least = bound(schema, "minLength").unwrap_or(0).min(LONGEST);
        let most = bound(schema, "maxLength").unwrap_or(LONGEST).max(least);
        let plain = "string".chars().cycle();
        plain.take(6.clamp(least, most)).collect()
    }

    /// 1, or the number that is nearest to it within the bounds.
    fn number(&mut self, schema: &Json) -> Option<Json> {
        let is_integer = kind(schema) == Some("integer");
        let number = |name: &str| match member(schema, name) {
            Some(Json::Number(number)) => number.as_f64(),
            _ => None,
        };
        let step = number("multipleOf").filter(|step| *step > 0.0);
        let unit = step.unwrap_or(if is_integer { 1.0 } else { 0.5 });
        let is_exclusive = |name: &str| is_true(schema, name);
        let mut low = number("minimum").map(|low| if is_exclusive("exclusiveMinimum") { low + unit } else { low });
        let mut high = number("maximum").map(|high| if is_exclusive("exclusiveMaximum") { high - unit } else { high });
        // Since 3.1 they are bounds themselves.
        low = number("exclusiveMinimum").map(|bound| bound + unit).or(low);
        high = number("exclusiveMaximum").map(|bound| bound - unit).or(high);
        let mut value = 1.0_f64.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX));
        if is_integer {
            value = if low.is_some_and(|low| value < low) { value.ceil() } else { value.floor() };
            value = low.filter(|low| value < *low).map_or(value, f64::ceil);
        }
        if let Some(step) = step {
            value = (value / step).ceil() * step;
            value = high.filter(|high| value > *high).map_or(value, |high| (high / step).floor() * step);
        }
        if low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high) {
            self.problem("a number has no value within its bounds");
        }
        Json::parse(value.to_string().as_bytes()).ok()
    }
}

/// The type of a schema, also where only its other keywords tell it.
pub(super) fn kind(schema: &Json) -> Option<&str> {
    let named = match member(schema, "type") {
        Some(Json::Text(name)) => Some(name.as_str()),
        Some(names) => items(names).iter().filter_map(as_text).find(|name| *name != "null").or(Some("null")),
        None => None,
    };
    let has = |names: &[&str]| names.iter().any(|name| member(schema, name).is_some());
    named.or_else(|| match () {
        () if has(&["properties", "additionalProperties", "required"]) => Some("object"),
        () if has(&["items", "prefixItems"]) => Some("array"),
        () if has(&["minimum", "maximum", "multipleOf"]) => Some("number"),
        () if has(&["format", "pattern", "minLength", "maxLength"]) => Some("string"),
        () => None,
    })
}

fn bound(schema: &Json, name: &str) -> Option<usize> {
    match member(schema, name) {
        Some(Json::Number(number)) => usize::try_from(number.as_u64()?).ok(),
        _ => None,
    }
}

/// Members of objects are joined; of other values the first is taken.
fn merge(first: Option<Json>, second: Option<Json>) -> Option<Json> {
    match (first, second) {
        (Some(Json::Object(mut members)), Some(Json::Object(more))) => {
            for (name, value) in more {
                match members.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = value,
                    None => members.push((name, value)),
                }
            }
            Some(Json::Object(members))
        }
        (Some(value), _) => Some(value),
        (None, second) => second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(schema: &str) -> (String, Vec<&'static str>) {
        let root = Json::parse(schema.as_bytes()).unwrap();
        let mut sampler = Sampler::new(Document(&root));
        let value = sampler.of_schema(&root).map_or_else(|| "none".to_owned(), |value| value.to_string());
        (value, sampler.problems)
    }

    #[test]
    fn a_value_fits_its_schema() {
        for (schema, value) in [
            (r#"{"type": "integer", "minimum": 5}"#, "5"),
            (r#"{"type": "integer", "maximum": 0, "exclusiveMaximum": true}"#, "-1"),
            (r#"{"type": "integer", "exclusiveMinimum": 7}"#, "8"),
            (r#"{"type": "integer", "minimum": 1.5}"#, "2"),
            (r#"{"type": "integer", "multipleOf": 10, "minimum": 15}"#, "20"),
            (r#"{"type": "number", "maximum": 0.25}"#, "0.25"),
            (r#"{"type": "string", "maxLength": 3}"#, r#""str""#),
            (r#"{"type": "string", "minLength": 8}"#, r#""stringst""#),
            (r#"{"type": ["null", "boolean"]}"#, "true"),
            (r#"{"enum": ["b", "a"], "type": "string"}"#, r#""b""#),
            (r#"{"type": "array", "items": {"const": 1}, "minItems": 2}"#, "[1,1]"),
            (r#"{"properties": {"a": {"default": 2}, "b": {"readOnly": true, "example": 1}}}"#, r#"{"a":2}"#),
            (
                r#"{"allOf": [{"properties": {"a": {"example": 1}}}, {"properties": {"b": {"example": 2}}}]}"#,
                r#"{"a":1,"b":2}"#,
            ),
            (r#"{"oneOf": [{"$ref": "x.json"}, {"type": "integer"}]}"#, "1"),
            (r##"{"properties": {"next": {"$ref": "#"}, "id": {"type": "integer"}}}"##, r#"{"next":{"id":1},"id":1}"#),
        ] {
            assert_eq!(sample(schema).0, value, "{schema}");
        }
    }

    #[test]
    fn a_schema_without_end_has_a_bounded_value() {
        let wide: Vec<String> =
            (0..30).map(|n| format!(r##""p{n}": {{"type": "array", "items": {{"$ref": "#/$defs/b"}}}}"##)).collect();
        let wide = wide.join(",");
        let b = wide.replace("#/$defs/b", "#/$defs/c");
        let schema = format!(
            r#"{{"properties": {{{wide}}}, "$defs": {{"b": {{"properties": {{{b}}}}}, "c": {{"properties": {{{b}}}}}}}}}"#
        );
        let (value, problems) = sample(&schema);
        assert!(value.len() < 1_000_000, "{}", value.len());
        assert!(problems.is_empty() || problems == ["a schema is too large or too deep"], "{problems:?}");
    }
}
