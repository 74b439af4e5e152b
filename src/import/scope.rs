//! What of a recording or a command is taken over.

/// Options for the import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Whether requests to other hosts than the first one are imported.
    pub hosts: Hosts,
    /// Whether images, fonts, style sheets and scripts are imported.
    pub assets: Assets,
    /// How header values that usually are secrets are handled.
    pub secrets: SecretHandling,
    /// Whether the pauses of a recording are imported.
    pub pauses: Pauses,
}

/// Which hosts' requests are imported from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Only the host of the first request.
    First,
    /// All.
    All,
}

/// Whether requests for static files are imported from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assets {
    /// They are left out: a browser caches them, and they usually come from other servers.
    LeaveOut,
    /// They are kept.
    Keep,
}

/// How header values that usually are secrets are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretHandling {
    /// They are left out and read from the environment when the scenario runs.
    FromEnvironment,
    /// They are kept in the scenario.
    Keep,
}

/// Whether the pauses of a recording are imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pauses {
    /// They become think times.
    Keep,
    /// They are left out: each request follows the one before at once.
    LeaveOut,
}
