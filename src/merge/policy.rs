//! What decides whether a merge is in order: the flags of `merge`.

use crate::plan::check::Check;
use crate::telemetry::own_records::WireSetting;

/// What decides whether a merge is in order.
#[derive(Clone, Debug)]
pub struct MergePolicy {
    /// Whether missing shards make the run not valid.
    pub allow_missing: bool,
    /// Exit code where a request failed, and who says so: `flag`, `env` or `default`.
    pub exit_code_on_error: (u8, &'static str),
    /// Checks in place of the plan's, if there is any, each with who says so.
    pub checks: Vec<(Check, &'static str)>,
}

impl MergePolicy {
    /// The shards' settings with what is decided here in place of what they say of it.
    pub(super) fn settle(&self, settings: &mut Vec<WireSetting>) {
        let setting = |key: &'static str, value: String, origin: &'static str| WireSetting {
            key: key.into(),
            value,
            origin: origin.into(),
        };
        let (code, origin) = self.exit_code_on_error;
        settings.retain(|known| known.key != "exit-code-on-error" && (known.key != "check" || self.checks.is_empty()));
        settings.extend(self.checks.iter().map(|(check, origin)| setting("check", check.text().to_owned(), origin)));
        settings.push(setting("exit-code-on-error", code.to_string(), origin));
    }
}
