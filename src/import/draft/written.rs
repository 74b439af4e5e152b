//! Requests and their bodies as the scenario has them: only the keys that are needed, fields in their order.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{DraftBody, DraftContent, DraftPart, DraftRequest, FileName};

impl Serialize for DraftRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let own_key = matches!(self.method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS");
        if own_key {
            map.serialize_entry(&self.method.to_ascii_lowercase(), &self.target)?;
        } else {
            map.serialize_entry("request", &self.target)?;
            map.serialize_entry("method", &self.method)?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        if !self.headers.is_empty() || !self.no_headers.is_empty() {
            map.serialize_entry("headers", &Headers(self))?;
        }
        match &self.body {
            DraftBody::None => {}
            DraftBody::Json(value) => map.serialize_entry("json", value)?,
            DraftBody::Form(pairs) => map.serialize_entry("form", &FormFields(pairs))?,
            DraftBody::Multipart(parts) => map.serialize_entry("multipart", parts)?,
            DraftBody::Text(text) => map.serialize_entry("body", text)?,
            DraftBody::File(path) => map.serialize_entry("body_file", path)?,
        }
        if let Some(timeout) = &self.timeout {
            map.serialize_entry("timeout", timeout)?;
        }
        if let Some(redirects) = self.redirects {
            map.serialize_entry("redirects", &redirects)?;
        }
        if let Some(status) = self.status {
            map.serialize_entry("expect", &BTreeMap::from([("status", status)]))?;
        } else if !self.expect.is_empty() {
            map.serialize_entry(
                "expect",
                &self.expect.iter().map(|(key, value)| (key, value)).collect::<BTreeMap<_, _>>(),
            )?;
        }
        if !self.extract.is_empty() {
            let sources = self.extract.iter().map(|(name, source)| (name, source));
            map.serialize_entry("extract", &sources.collect::<BTreeMap<_, _>>())?;
        }
        map.end()
    }
}

/// Header fields, and `null` for those that are left out.
struct Headers<'r>(&'r DraftRequest);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let sent = self.0.headers.iter().map(|(name, value)| (name, Some(value)));
        serializer.collect_map(sent.chain(self.0.no_headers.iter().map(|name| (name, None))))
    }
}

impl Serialize for DraftPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        match &self.content {
            DraftContent::Value(text) => map.serialize_entry("value", text)?,
            DraftContent::File(path) => map.serialize_entry("file", path)?,
        }
        match &self.filename {
            FileName::Own => {}
            FileName::Omitted => map.serialize_entry("filename", &None::<&str>)?,
            FileName::Given(name) => map.serialize_entry("filename", name)?,
        }
        if let Some(media_type) = &self.content_type {
            map.serialize_entry("content_type", media_type)?;
        }
        map.end()
    }
}

/// A map of fields in their order, where fields of one name are a list.
struct FormFields<'p>(&'p [(String, String)]);

impl Serialize for FormFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for fields in self.0.chunk_by(|(a, _), (b, _)| a == b) {
            match fields {
                [(name, value)] => map.serialize_entry(name, value)?,
                [(name, _), ..] => {
                    map.serialize_entry(name, &fields.iter().map(|(_, value)| value).collect::<Vec<_>>())?;
                }
                [] => {}
            }
        }
        map.end()
    }
}
