//! Bodies of requests.

use super::client::not_known;
use super::evaluator::{Evaluator, Known};
use super::steps::Request;
use super::value::Value;
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// `data=`: a form, or a text.
    pub(super) fn data_body(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        request.body = Some(match value {
            Value::Dict(members) if members.is_empty() => return Ok(()),
            Value::List(items) | Value::Tuple(items) if items.is_empty() => return Ok(()),
            Value::Dict(members) => {
                let mut fields = Vec::new();
                for (key, value) in members {
                    if !matches!(value, Value::None) {
                        let name = self.text(key, line)?.template();
                        fields.push((name, self.field(value, line)?));
                    }
                }
                ("form", Json::Object(fields))
            }
            Value::Dumped(value) => ("json text", self.json(value, line)?),
            Value::File(path) => ("body_file", Json::Text(path.clone())),
            value => {
                let text = self.text(value, line)?.template();
                if text.is_empty() {
                    return Ok(());
                }
                ("body", Json::Text(text))
            }
        });
        Ok(())
    }

    /// `files=`: a form with files.
    pub(super) fn files(&mut self, request: &mut Request, value: &Value, line: u32) -> Known<()> {
        let members: Vec<(Value, Value)> = match value {
            Value::Dict(members) => members.clone(),
            Value::List(pairs) | Value::Tuple(pairs) => {
                let pair = |pair: &Value| match pair {
                    Value::Tuple(pair) if pair.len() == 2 => Some((pair[0].clone(), pair[1].clone())),
                    _ => None,
                };
                pairs.iter().map(pair).collect::<Option<_>>().ok_or_else(|| not_known(value, "files", line))?
            }
            _ => return Err(not_known(value, "files", line)),
        };
        let mut parts = Vec::new();
        if let Some(("form", Json::Object(fields))) = request.body.take() {
            for (name, value) in fields {
                parts.push(Json::Object(vec![("name".to_owned(), Json::Text(name)), ("value".to_owned(), value)]));
            }
        }
        for (key, file) in members {
            let mut part = vec![("name".to_owned(), Json::Text(self.text(&key, line)?.template()))];
            let (filename, content, kind) = match &file {
                Value::Tuple(all) => {
                    (all.first().cloned(), all.get(1).cloned().unwrap_or(Value::None), all.get(2).cloned())
                }
                content => (None, content.clone(), None),
            };
            match content {
                Value::File(path) => part.push(("file".to_owned(), Json::Text(path))),
                content => part.push(("value".to_owned(), Json::Text(self.text(&content, line)?.template()))),
            }
            match filename {
                Some(Value::None) => part.push(("filename".to_owned(), Json::Null)),
                Some(name) => part.push(("filename".to_owned(), Json::Text(self.text(&name, line)?.template()))),
                None if !part.iter().any(|(key, _)| key == "file") => {
                    part.push(("filename".to_owned(), Json::Text(self.text(&key, line)?.template())));
                }
                None => {}
            }
            if let Some(kind) = kind {
                part.push(("content_type".to_owned(), Json::Text(self.text(&kind, line)?.template())));
            }
            parts.push(Json::Object(part));
        }
        request.body = Some(("multipart", Json::List(parts)));
        Ok(())
    }
}
