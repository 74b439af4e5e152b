//! The environment of the process.

use crate::plan::engine::Environment;

/// The variables of the environment, but those that are not Unicode: no engine sets such a one.
pub(super) fn environment() -> Environment {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}
