//! A place in the scenario file: reads what stands there, and names the place in every complaint.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::keys::{instead_of, suggestion};
use crate::error::{Error, Result};
use crate::plan::json::Json;
use crate::plan::pointer::escaped;
use crate::value;

/// A place in the scenario file, and what stands there.
#[derive(Clone, Debug)]
pub(super) struct Node<'j> {
    file: &'j str,
    path: String,
    value: &'j Json,
}

/// An object whose keys are all known.
#[derive(Debug)]
pub(super) struct Object<'j> {
    node: Node<'j>,
    members: &'j [(String, Json)],
}

impl<'j> Node<'j> {
    /// The whole of `file`.
    pub(super) const fn root(file: &'j str, value: &'j Json) -> Self {
        Self { file, path: String::new(), value }
    }

    pub(super) const fn value(&self) -> &'j Json {
        self.value
    }

    /// The place, as a JSON pointer.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// A complaint about this place.
    pub(super) fn refused(&self, why: impl fmt::Display) -> Error {
        let path = if self.path.is_empty() { String::new() } else { format!(": {}", self.path) };
        Error::usage(format!("{}{path}", self.file), why)
    }

    fn expected(&self, what: &str) -> Error {
        self.refused(format!("expected {what}, not {}", self.value.kind()))
    }

    fn below(&self, step: &str, value: &'j Json) -> Self {
        Self { file: self.file, path: format!("{}/{}", self.path, escaped(step)), value }
    }

    /// An object with no keys but these.
    pub(super) fn object(&self, known: &[&str]) -> Result<Object<'j>> {
        let Json::Object(members) = self.value else { return Err(self.expected("an object")) };
        for (key, value) in members {
            if !known.contains(&key.as_str()) {
                let why = format!("unknown key{}", instead_of(key, known));
                return Err(self.below(key, value).refused(why));
            }
        }
        Ok(Object { node: self.clone(), members })
    }

    /// The members of an object whose keys are the user's own.
    pub(super) fn members(&self) -> Result<Vec<(&'j str, Self)>> {
        let Json::Object(members) = self.value else { return Err(self.expected("an object")) };
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.below(key, value))).collect())
    }

    /// A list.
    pub(super) fn list(&self) -> Result<Vec<Self>> {
        let Json::List(items) = self.value else { return Err(self.expected("a list")) };
        Ok(items.iter().enumerate().map(|(at, item)| self.below(&at.to_string(), item)).collect())
    }

    /// A list of at least one.
    pub(super) fn some(&self) -> Result<Vec<Self>> {
        let items = self.list()?;
        if items.is_empty() { Err(self.refused("is empty")) } else { Ok(items) }
    }

    pub(super) fn text(&self) -> Result<&'j str> {
        let Json::Text(text) = self.value else { return Err(self.expected("text")) };
        Ok(text)
    }

    /// Text that says something.
    pub(super) fn name(&self) -> Result<&'j str> {
        let text = self.text()?;
        if text.is_empty() { Err(self.refused("is empty")) } else { Ok(text) }
    }

    /// Text that `read` understands.
    pub(super) fn read<T>(&self, read: impl FnOnce(&str) -> std::result::Result<T, String>) -> Result<T> {
        read(self.text()?).map_err(|why| self.refused(why))
    }

    pub(super) fn truth(&self) -> Result<bool> {
        let Json::Bool(value) = self.value else { return Err(self.expected("true or false")) };
        Ok(*value)
    }

    pub(super) fn number(&self) -> Result<f64> {
        let Json::Number(number) = self.value else { return Err(self.expected("a number")) };
        number.as_f64().ok_or_else(|| self.refused(format!("{number} is out of range")))
    }

    /// A whole number, which 7.0 is, too.
    pub(super) fn whole(&self, range: RangeInclusive<u64>) -> Result<u64> {
        let Json::Number(number) = self.value else { return Err(self.expected("a whole number")) };
        number.as_u64().filter(|whole| range.contains(whole)).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            // The limit of the type is worth a word only where it is passed.
            let is_over = number.as_f64().is_some_and(|number| number > 1e19);
            let until = if *high < u64::MAX || is_over { format!(" to {high}") } else { String::new() };
            self.refused(format!("must be a whole number from {low}{until}, not {number}"))
        })
    }

    /// As [`Node::whole`], of 32 bits.
    pub(super) fn count(&self, range: RangeInclusive<u32>) -> Result<u32> {
        let whole = self.whole(u64::from(*range.start())..=u64::from(*range.end()))?;
        Ok(u32::try_from(whole).unwrap_or(*range.end()))
    }

    /// Something a second.
    pub(super) fn rate(&self) -> Result<f64> {
        let rate = self.number()?;
        value::checked_rate(rate).map_err(|why| self.refused(why))
    }

    /// A time: text as a flag takes it, or a number of seconds.
    pub(super) fn time(&self) -> Result<Duration> {
        match self.value {
            Json::Number(_) => value::seconds(self.number()?).map_err(|why| self.refused(why)),
            Json::Text(text) => value::duration(text).map_err(|why| self.refused(why)),
            _ => Err(self.expected("a time such as \"1m30s\"")),
        }
    }

    /// A time above 0.
    pub(super) fn positive_time(&self) -> Result<Duration> {
        let time = self.time()?;
        if time.is_zero() { Err(self.refused("must be longer than 0")) } else { Ok(time) }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let why = suggestion(text, words.iter().map(|(word, _)| *word));
            self.refused(format!("{text:?} is not known{why}"))
        })
    }
}

impl<'j> Object<'j> {
    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<Node<'j>> {
        let (key, value) = self.members.iter().find(|(name, _)| name == key)?;
        Some(self.node.below(key, value))
    }

    /// What must stand under a key.
    pub(super) fn need(&self, key: &str) -> Result<Node<'j>> {
        self.get(key).ok_or_else(|| self.node.refused(format!("{key:?} is missing")))
    }

    /// What stands under a key, read.
    pub(super) fn read<T>(&self, key: &str, read: impl FnOnce(&Node<'j>) -> Result<T>) -> Result<Option<T>> {
        self.get(key).map(|node| read(&node)).transpose()
    }

    /// Those of these keys that are there.
    pub(super) fn present(&self, keys: &[&'static str]) -> Vec<(&'static str, Node<'j>)> {
        keys.iter().filter_map(|key| self.get(key).map(|node| (*key, node))).collect()
    }

    /// The one of these keys that is there; `None` where none is.
    pub(super) fn at_most_one(&self, keys: &[&'static str]) -> Result<Option<(&'static str, Node<'j>)>> {
        let mut present = self.present(keys);
        match present.len() {
            0 | 1 => Ok(present.pop()),
            _ => Err(present[1].1.refused(format!("cannot be combined with {:?}", present[0].0))),
        }
    }

    /// The place of the object itself.
    pub(super) const fn node(&self) -> &Node<'j> {
        &self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint<T: fmt::Debug>(text: &str, read: impl FnOnce(&Node<'_>) -> Result<T>) -> String {
        let json = Json::parse(text.as_bytes()).unwrap();
        read(&Node::root("f.json", &json)).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_file_and_path() {
        let unknown = |node: &Node<'_>| node.members()?[0].1.list()?[1].object(&["min", "max"]).map(|_| ());
        assert_eq!(
            complaint(r#"{"a/b":[0,{"minn":1}]}"#, unknown),
            "f.json: /a~1b/1/minn: unknown key, did you mean \"min\"?"
        );
        assert_eq!(complaint("[]", |node| node.text().map(|_| ())), "f.json: expected text, not a list");
        assert_eq!(complaint("{}", |node| node.object(&["a"])?.need("a").map(|_| ())), "f.json: \"a\" is missing");
        assert_eq!(complaint("[]", |node| node.some().map(|_| ())), "f.json: is empty");
    }

    #[test]
    fn whole_numbers_stay_in_their_range() {
        for (text, range, whole) in [
            ("7", 1..=9, Some(7)),
            ("7.0", 1..=9, Some(7)),
            ("7.5", 1..=9, None),
            ("0", 1..=9, None),
            ("-1", 0..=9, None),
            ("18446744073709551615", 0..=u64::MAX, Some(u64::MAX)),
            ("18446744073709551616", 0..=u64::MAX, None),
            ("1e3", 0..=1000, Some(1000)),
            ("\"7\"", 1..=9, None),
        ] {
            let json = Json::parse(text.as_bytes()).unwrap();
            assert_eq!(Node::root("f", &json).whole(range).ok(), whole, "{text}");
        }
    }

    #[test]
    fn times_are_text_or_seconds() {
        for (text, millis) in
            [("\"1m\"", Some(60_000)), ("1.5", Some(1_500)), ("0", Some(0)), ("-1", None), ("[]", None)]
        {
            let json = Json::parse(text.as_bytes()).unwrap();
            let time = Node::root("f", &json).time().ok();
            assert_eq!(time, millis.map(Duration::from_millis), "{text}");
        }
    }
}
