//! Reads a scenario that was generated, to find out whether `run` would accept it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Scenario;
use crate::cli::{Command, Invocation, Variables, parse};
use crate::error::{Error, Result};
use crate::plan::body_file::BodyFiles;
use crate::plan::engine::Environment;

/// Reads the text of a scenario as `run -f` does, but opens no file that a body names, and takes every environment
/// variable as set. `what` stands for the file in errors.
///
/// # Errors
/// As for a scenario file: the position, and what is wrong there.
pub fn check(what: &str, text: &str) -> Result<()> {
    let environment = variables(text);
    let command_line = ["swarmline", "run"].map(OsString::from);
    let Invocation::Command(Command::Run(flags), origins) = parse(command_line, Variables::Ignored)? else {
        return Err(Error::usage(what, "cannot be read back"));
    };
    let read = Scenario::of_text(what, text.as_bytes(), PathBuf::new(), (&flags, &origins), &environment)?;
    Scenario { body_files: BodyFiles::empty(), ..read }.resolve().map(drop)
}

/// The environment variables that a text mentions. The value is one that can be any part of a URL.
fn variables(text: &str) -> Environment {
    let names = text.split("${env.").skip(1).filter_map(|rest| rest.split_once('}'));
    names.map(|(name, _)| (name.to_owned(), "1".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_without_its_files_and_its_environment() {
        let scenario = |request: &str| {
            format!(
                r#"{{"host": "http://h:${{env.PORT}}", "user_classes": [{{"name": "user", "tasks": [{{"name": "t", "requests": [{request}]}}]}}]}}"#
            )
        };
        let accepted = r#"{"post": "/", "headers": {"A": "${env.TOKEN}"}, "body_file": "missing/${env.NAME}"}"#;
        assert_eq!(check("x", &scenario(accepted)).map_err(|why| why.to_string()), Ok(()));
        let refused = check("x", &scenario(r#"{"get": "/${id}"}"#)).unwrap_err().to_string();
        assert!(refused.starts_with("x: /user_classes/0/tasks/0/requests/0/get: "), "{refused}");
    }
}
