//! References within a document (`$ref`).

use super::super::document::{items, member, text};
use crate::plan::json::Json;
use crate::plan::percent;

/// Maximum number of references that lead to one another: more go in circles.
const MAX_HOPS: usize = 50;

/// An OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'j>(pub(super) &'j Json);

impl<'j> Document<'j> {
    /// What a reference leads to; the value itself if it is none. `None` for references that lead nowhere, in circles, or
    /// out of the document.
    pub(super) fn resolve(self, value: &'j Json) -> Option<&'j Json> {
        let mut value = value;
        for _ in 0..MAX_HOPS {
            let Some(reference) = text(value, "$ref") else { return Some(value) };
            value = self.at(reference)?;
        }
        None
    }

    /// What a reference of the form `#/a/b` names.
    pub(super) fn at(self, reference: &str) -> Option<&'j Json> {
        let path = percent::decode(reference.strip_prefix('#')?)?;
        if path.is_empty() {
            return Some(self.0);
        }
        path.strip_prefix('/')?.split('/').try_fold(self.0, |value, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match value {
                Json::List(_) => items(value).get(step.parse::<usize>().ok()?),
                _ => member(value, &step),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_into_the_document_only() {
        let root = Json::parse(
            br##"{"a": {"b/c ~": [1, {"$ref": "#/d"}]}, "d": {"$ref": "#/d"}, "e": {"$ref": "x.json#/a"}}"##,
        )
        .unwrap();
        let document = Document(&root);
        assert_eq!(document.at("#/a/b~1c%20~0/0").map(ToString::to_string).as_deref(), Some("1"));
        for reference in ["#/a/x", "#/a/b~1c%20~0/9", "x.json#/a", "#a", "#/%zz"] {
            assert!(document.at(reference).is_none(), "{reference}");
        }
        for (name, value) in super::super::super::document::members(&root) {
            assert_eq!(document.resolve(value).is_some(), name == "a", "{name}");
        }
    }
}
