//! Reads a scenario that was generated, to find out whether `run` would accept it.

use std::ffi::OsString;
use std::path::Path;

use super::body_file::BodyFiles;
use super::engine::Environment;
use super::json::Json;
use super::scenario::Scenario;
use crate::cli::{Command, Invocation, Variables, parse};
use crate::error::{Error, Result};

/// A host for a scenario whose host is known only when it runs.
const ANY_HOST: &str = "http://host.invalid";

/// Reads the text of a scenario as `run -f` does, but opens no file that a body names, and takes every environment
/// variable as set. `what` stands for the file in errors.
///
/// # Errors
/// As for a scenario file: the position, and what is wrong there.
pub fn check(what: &str, text: &str) -> Result<()> {
    check_in(Path::new(""), what, text)
}

/// As [`check`]; `folder` is where the scenario's data is.
///
/// # Errors
/// As for [`check`].
pub fn check_in(folder: &Path, what: &str, text: &str) -> Result<()> {
    let has_host =
        matches!(Json::parse(text.as_bytes()), Ok(Json::Object(keys)) if keys.iter().any(|(key, _)| key == "host"));
    let host: &[&str] = if has_host { &[] } else { &["--host", ANY_HOST] };
    let command_line = ["swarmline", "run"].iter().chain(host).map(OsString::from);
    let Invocation::Command(Command::Run(flags), origins) = parse(command_line, Variables::Ignored)? else {
        return Err(Error::usage(what, "cannot be read back"));
    };
    let mut read = Scenario::of_text(what, text.as_bytes(), folder.to_owned(), (&flags, &origins), &environment(text))?;
    read.body_files = BodyFiles::empty();
    read.resolve().map(drop)
}

/// The environment variables that a text mentions, each with a value that fits where it stands.
fn environment(text: &str) -> Environment {
    let end = |rest: &str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let in_texts = text.split("env.").skip(1).map(|rest| &rest[..end(rest)]);
    let value = |expression: &str| {
        let begin = format!("\"${{{expression}}}");
        match text.contains(&begin) {
            true if text.contains(&format!("{begin}://")) => "http",
            true => ANY_HOST,
            false => "1",
        }
    };
    let in_texts = in_texts.map(|name| (name.to_owned(), value(&format!("env.{name}")).to_owned()));
    let json = Json::parse(text.as_bytes()).unwrap_or(Json::Null);
    let variables = members(&json).iter().filter(|(key, _)| key == "variables").flat_map(|(_, all)| members(all));
    let variables = variables.filter_map(|(name, variable)| match members(variable) {
        [(_, Json::Text(env)), ..] => Some((env.clone(), value(name).to_owned())),
        _ => None,
    });
    in_texts.chain(variables).collect()
}

fn members(json: &Json) -> &[(String, Json)] {
    if let Json::Object(members) = json { members } else { &[] }
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
        for host in [r#""host": "${env.BASE}","#, r#""host": "${env.SCHEME}://h","#, ""] {
            let text = scenario(accepted).replace(r#""host": "http://h:${env.PORT}","#, host);
            assert_eq!(check("x", &text).map_err(|why| why.to_string()), Ok(()), "{text}");
        }
        let variables = r#""variables": {"s": {"env": "S"}, "h": {"env": "H"}}, "host": "${s}://${h}","#;
        let text = scenario(accepted).replace(r#""host": "http://h:${env.PORT}","#, variables);
        assert_eq!(check("x", &text).map_err(|why| why.to_string()), Ok(()), "{text}");
        let refused = check("x", &scenario(r#"{"get": "/${id}"}"#)).unwrap_err().to_string();
        assert!(refused.starts_with("x: /user_classes/0/tasks/0/requests/0/get: "), "{refused}");
    }
}
