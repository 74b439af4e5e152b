//! Reads the entries of a recording one by one.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::super::correlate::ValueBudget;
use super::super::draft::{MAX_REQUESTS, Notes};
use super::exchange::RecordedExchange;
use crate::error::{Error, Result};

/// Reads the entries one by one, so that little memory is needed even for a recording full of images.
pub(super) fn read(file: &str, input: impl Read, notes: &mut Notes) -> Result<Vec<RecordedExchange>> {
    let mut entries = Entries::default();
    let mut json = serde_json::Deserializer::from_reader(input);
    let found = Member { name: "log", inner: Member { name: "entries", inner: &mut entries } };
    let read = found.deserialize(&mut json).and_then(|()| json.end());
    if let Some((at, why)) = entries.refused {
        return Err(Error::usage(file, format!("{at}: {why}")));
    }
    read.map_err(|why| Error::usage(file, format!("not JSON: {why}")))?;
    if !entries.found {
        return Err(Error::usage(file, "is not a HAR file: it has no list \"entries\" in \"log\""));
    }
    if entries.budget.is_exceeded {
        notes.add(
            "the recording's responses contain more than 32 MiB of texts: not all of them were searched for values",
        );
    }
    Ok(entries.list)
}

/// The result of reading `/log/entries`.
#[derive(Default)]
struct Entries {
    list: Vec<RecordedExchange>,
    found: bool,
    budget: ValueBudget,
    /// Why reading stopped: the part of the recording and a sentence.
    refused: Option<(String, String)>,
}

/// Finds a member of an object and skips all others.
struct Member<S> {
    name: &'static str,
    inner: S,
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Member<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> std::result::Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Member<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {:?}", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<(), A::Error> {
        let mut inner = Some(self.inner);
        while let Some(name) = members.next_key::<String>()? {
            match inner.take_if(|_| name == self.name) {
                Some(inner) => members.next_value_seed(inner)?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Entries {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> std::result::Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> std::result::Result<(), A::Error> {
        self.found = true;
        let mut index = 0_usize;
        while let Some(entry) = entries.next_element::<Value>()? {
            let read = RecordedExchange::read(&entry, &mut self.budget);
            let read = match read {
                Ok(read) if self.list.len() < MAX_REQUESTS => read,
                Ok(_) => {
                    let why = format!("has more than {MAX_REQUESTS} requests; record a smaller part");
                    self.refused = Some(("the recording".to_owned(), why));
                    return Err(A::Error::custom("too many"));
                }
                Err((at, why)) => {
                    let place = at.trim_start_matches("/request").replace('/', " ");
                    self.refused = Some((format!("request {}{place}", index + 1), why));
                    return Err(A::Error::custom("refused"));
                }
            };
            self.list.push(read);
            index += 1;
        }
        Ok(())
    }
}
