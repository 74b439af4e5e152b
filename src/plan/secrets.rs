//! What the plan knows of secrets, so that nothing shown to people has them.

use super::extract::{ExtractFrom, Extraction, ResponseField, TextSource};
use super::journey::UserClass;
use super::request_args::Resolved;
use super::template::SlotId;
use crate::cli::RunFlags;
use crate::secret::{KnownSecrets, is_secret};

/// Secrets of the plan: values, and variables that will hold some.
#[derive(Clone, Debug)]
pub struct PlanSecrets {
    known: KnownSecrets,
    /// By slot.
    slots: Box<[bool]>,
}

impl PlanSecrets {
    /// Those of a plan.
    pub(super) fn of(flags: &RunFlags, resolved: &Resolved) -> Self {
        let mut known = KnownSecrets::default();
        resolved.scenario.secrets.iter().for_each(|value| known.add(value));
        for header in &flags.headers {
            known.add_field(&header.name, header.value.as_deref().unwrap_or_default());
        }
        let userinfo = |url: &str| Some(url.split_once("://")?.1.rsplit_once('@')?.0.to_owned());
        for login in flags.basic_auth.iter().cloned().chain(flags.proxy.as_deref().and_then(userinfo)) {
            known.add(&login);
            if let Some((_, password)) = login.split_once(':') {
                known.add(password);
            }
        }
        let named = resolved.scenario.variables.iter().map(|name| is_secret(name));
        let mut slots: Box<[bool]> = named.collect();
        for extraction in resolved.journeys.classes.iter().flat_map(UserClass::requests).flat_map(|step| &step.extract)
        {
            slots[extraction.slot.0 as usize] |= is_secret_source(extraction);
        }
        Self { known, slots }
    }

    /// Values that were known when the plan was made: from the environment, flags and variables.
    #[must_use]
    pub const fn known(&self) -> &KnownSecrets {
        &self.known
    }

    /// Whether the values of a variable usually are secrets, by its name or where they are extracted from.
    #[must_use]
    pub fn is_secret(&self, slot: SlotId) -> bool {
        self.slots.get(slot.0 as usize).copied().unwrap_or(false)
    }
}

fn is_secret_source(extraction: &Extraction) -> bool {
    match &extraction.from {
        ExtractFrom::Json(pointer) => is_secret(&pointer.to_string()),
        ExtractFrom::Input(name) => is_secret(name),
        ExtractFrom::Field(field) => is_secret_field(field),
        ExtractFrom::Between(source, left, _) => is_secret(left) || is_secret_text(source),
        ExtractFrom::Regex(source, pattern, _) => is_secret(pattern.as_str()) || is_secret_text(source),
    }
}

fn is_secret_text(source: &TextSource) -> bool {
    match source {
        TextSource::Body => false,
        TextSource::Field(field) => is_secret_field(field),
    }
}

fn is_secret_field(field: &ResponseField) -> bool {
    match field {
        ResponseField::Header(name) => is_secret(name),
        ResponseField::Cookie(_) | ResponseField::Headers => true,
        ResponseField::Url | ResponseField::Status => false,
    }
}
