//! Strict JSON: a duplicate key is an error, and the order of keys is kept.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A JSON value whose objects keep their order.
#[derive(Debug)]
pub(crate) enum Json {
    /// Null, a boolean, a number or a string.
    Plain(Value),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Parses `text`, all of it.
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    /// The entries of an object, in their order in the text.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        let Self::Object(entries) = self else { panic!("not an object: {self:?}") };
        entries
    }

    /// An entry of an object.
    pub(crate) fn get(&self, key: &str) -> &Self {
        let entry = self.entries().iter().find(|(name, _)| name == key);
        &entry.unwrap_or_else(|| panic!("no {key} in {self:?}")).1
    }

    /// The type: `integer`, `float`, `string`, `object` and so on.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Plain(Value::String(_)) => "string",
            Self::Plain(Value::Number(number)) if number.is_f64() => "float",
            Self::Plain(Value::Number(_)) => "integer",
            Self::Plain(_) => "null or boolean",
        }
    }

    /// The value without the order of keys.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Array(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value.to_value())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Plain(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Json>()? {
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format!("duplicate key {key}")));
            }
            entries.push((key, value));
        }
        Ok(Json::Object(entries))
    }
}

#[test]
fn a_duplicate_key_is_rejected() {
    assert!(serde_json::from_str::<Json>(r#"{"a":{"b":1,"b":1}}"#).is_err());
    assert!(serde_json::from_str::<Json>(r#"{"a":1} x"#).is_err());
    let kept = Json::parse(r#"{"b":1,"a":[1.0,"x",null]}"#);
    assert_eq!(kept.entries()[0].0, "b");
    assert_eq!(kept.to_value().to_string(), r#"{"a":[1.0,"x",null],"b":1}"#);
}
