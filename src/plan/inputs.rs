//! The files that a run reads, so that none of its outputs overwrites one of them.

use std::path::{Path, PathBuf};

use crate::cli::RunFlags;
use crate::files::distinct::NamedFile;

/// Files named by flags, and files read along with the scenario.
pub(super) fn of(flags: &RunFlags, beside_scenario: &[PathBuf]) -> Vec<NamedFile> {
    let single = [("--scenario", &flags.scenario), ("--cert", &flags.cert), ("--key", &flags.key)];
    let single = single.into_iter().filter_map(|(flag, path)| Some(NamedFile::file(flag, path.as_deref()?)));
    let roots = flags.cacert.iter().map(|path| NamedFile::file("--cacert", path));
    let bodies = [("--data", &flags.data), ("--json", &flags.json)];
    let bodies = bodies.into_iter().filter_map(|(flag, text)| Some((flag, text.as_deref()?.strip_prefix('@')?)));
    let bodies = bodies.map(|(flag, path)| NamedFile::file(flag, Path::new(path)));
    let lists = flags.requests.iter().filter_map(|argument| match argument.strip_prefix('@') {
        Some(path) => Some(NamedFile::file("REQUEST", Path::new(path))),
        None => (argument == "-").then(|| NamedFile::stream(Path::new(argument))),
    });
    let beside = beside_scenario.iter().map(|path| NamedFile::file("of the scenario,", path));
    single.chain(roots).chain(bodies).chain(lists).chain(beside).collect()
}
