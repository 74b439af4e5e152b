//! What of a recording or a command is taken over.

/// What is taken over, besides the obvious.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Requests to other hosts than the first one's.
    pub hosts: Hosts,
    /// Pictures, fonts, style sheets and scripts.
    pub assets: Assets,
    /// Values of headers that usually are secrets.
    pub secrets: Secrets,
}

/// Which hosts' requests are taken over from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Those of the first request's host.
    First,
    /// All.
    All,
}

/// Whether requests for static files are taken over from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assets {
    /// They are not: a browser has them in its cache, and they mostly come from elsewhere.
    LeaveOut,
    /// They are.
    Keep,
}

/// What becomes of header values that usually are secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are left out, and taken from the environment when the scenario runs.
    FromEnvironment,
    /// They are written down as they are.
    Keep,
}
