//! Flags of `swarmline import` that stand behind its input, as people add them to a command that they have written.

use std::ffi::OsString;

/// Moves such flags in front of the input, where they are read: all that follow a file, and those at the end of a curl
/// command, whose own options are none of them.
pub(super) fn flags_first(arguments: &mut Vec<OsString>, import: &clap::Command) {
    /// Where the arguments of the command begin.
    const BEGIN: usize = 2;
    let takes_value = |argument: &OsString| {
        let (name, value) = argument.to_str()?.strip_prefix("--")?.split_once('=').map_or_else(
            || (argument.to_str().unwrap_or_default().trim_start_matches('-'), None),
            |(name, value)| (name, Some(value)),
        );
        let flag = import.get_arguments().find(|flag| flag.get_long() == Some(name))?;
        Some(flag.get_action().takes_values() && value.is_none())
    };
    let mut input = BEGIN;
    while let Some(needs_value) = arguments.get(input).and_then(takes_value) {
        input += 1 + usize::from(needs_value);
    }
    let Some(first) = arguments.get(input) else { return };
    let is_command = first.to_str().and_then(|word| word.rsplit(['/', '\\']).next()).is_some_and(|name| name == "curl");
    let mut at = arguments.len();
    let mut moved = Vec::new();
    while at > input + 1 {
        let flag = match (takes_value(&arguments[at - 1]), takes_value(&arguments[at - 2])) {
            (Some(false), _) => at - 1,
            (_, Some(true)) if at - 2 > input => at - 2,
            _ if is_command => break,
            _ => {
                at -= 1;
                continue;
            }
        };
        moved.splice(0..0, arguments.drain(flag..at));
        at = flag;
    }
    arguments.splice(BEGIN..BEGIN, moved);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_behind_the_input_are_read() {
        let import = clap::Command::new("import")
            .arg(clap::Arg::new("a").long("assets").action(clap::ArgAction::SetTrue))
            .arg(clap::Arg::new("e").long("environment"));
        for (written, read) in [
            ("x.har --assets", "--assets x.har"),
            ("x.har --environment f --assets y", "--environment f --assets x.har y"),
            ("--assets x.har --environment=f", "--environment=f --assets x.har"),
            ("curl -d a http://h --assets --environment f", "--assets --environment f curl -d a http://h"),
            ("curl --assets http://h", "curl --assets http://h"),
            ("curl -d --data", "curl -d --data"),
            ("", ""),
        ] {
            let words =
                |text: &str| format!("swarmline import {text}").split_whitespace().map(OsString::from).collect();
            let mut arguments: Vec<OsString> = words(written);
            flags_first(&mut arguments, &import);
            assert_eq!(arguments, Vec::<OsString>::from_iter::<Vec<_>>(words(read)), "{written}");
        }
    }
}
