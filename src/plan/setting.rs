//! The plan as the stream tells it: every setting as resolved, where it came from, and no secret.

use std::io::{self, Read};

use ring::digest;

use crate::cli::SettingSource;

/// One resolved setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The flag's long name without dashes.
    pub key: &'static str,
    /// The value as the flag would be written; a long one as its length and hash, a secret as `***`.
    pub value: String,
    /// Who said so.
    pub origin: SettingSource,
}

/// What a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingScope {
    /// Two runs of the same plan agree on it: it is in the plan's hash.
    Plan,
    /// One run of the plan: outputs, addresses, the machine. Two runs, or shards, of the same plan may differ in it.
    Run,
}

/// Settings in the order of the flags, and the hash over those that make the plan.
pub struct Settings {
    list: Vec<Setting>,
    hash: digest::Context,
}

impl Default for Settings {
    fn default() -> Self {
        Self { list: Vec::new(), hash: digest::Context::new(&digest::SHA256) }
    }
}

impl Settings {
    /// Adds one, `value` being as written.
    pub fn add(&mut self, scope: SettingScope, key: &'static str, value: &str, origin: SettingSource) {
        let value = bounded(value);
        if scope == SettingScope::Plan {
            // The line break keeps two settings from reading as another pair of settings.
            self.hash.update(format!("{key}={value}\n").as_bytes());
        }
        self.list.push(Setting { key, value, origin });
    }

    /// The settings, and SHA-256 over the plan's own as 64 hex digits.
    #[must_use]
    pub fn finish(self) -> (Vec<Setting>, String) {
        (self.list, hex(self.hash.finish().as_ref()))
    }
}

/// Longer values stand as length and hash: a line of the stream has 4096 bytes.
const LONGEST_VALUE: usize = 1024;

fn bounded(value: &str) -> String {
    if value.len() <= LONGEST_VALUE { value.to_owned() } else { fingerprint(value.as_bytes()) }
}

/// Length and SHA-256, in place of something too long or too private to be written.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("{} bytes, sha256 {}", bytes.len(), hex(digest::digest(&digest::SHA256, bytes).as_ref()))
}

/// As [`fingerprint()`], for content that is not kept in memory.
///
/// # Errors
/// Those of `source`.
pub fn fingerprint_of(source: &mut impl Read) -> io::Result<String> {
    let (mut hash, mut length, mut room) = (digest::Context::new(&digest::SHA256), 0, vec![0; 64 * 1024]);
    loop {
        match source.read(&mut room)? {
            0 => return Ok(format!("{length} bytes, sha256 {}", hex(hash.finish().as_ref()))),
            read => {
                hash.update(&room[..read]);
                length += read;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_the_plan_and_not_on_its_location() {
        let hash = |users: &str, path: &str| {
            let mut settings = Settings::default();
            settings.add(SettingScope::Plan, "users", users, SettingSource::Flag);
            settings.add(SettingScope::Run, "telemetry", path, SettingSource::Env);
            settings.finish().1
        };
        assert_eq!(hash("1", "a"), hash("1", "b"));
        assert_ne!(hash("1", "a"), hash("2", "a"));
        // printf 'users=1\n' | sha256sum
        assert_eq!(hash("1", "a"), "0f172d534e2f159c5b4fd705201f1af6d4b62dbdde38dc7e6f07a0b8dfb39ece");
    }

    #[test]
    fn long_values_are_replaced_by_a_fingerprint() {
        assert!(bounded(&"x".repeat(1025)).starts_with("1025 bytes, sha256 "));
        assert_eq!(bounded("x"), "x");
    }
}
