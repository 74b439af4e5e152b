//! clap's errors as one line that names what the user wrote, and repeats no secret.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::refused;
use crate::error::Error;
use crate::secret::{MASK, MIN_LEN, masked, masked_url};

/// How much of a flag's value a complaint may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueDisplay {
    /// None: any part of it may be a secret.
    Nothing,
    /// A URL without what it carries.
    Url,
    /// As it is: colons belong to it.
    Whole,
    /// Up to a colon, which it does not have: `-u name:password` are curl's credentials, and users here.
    UpToColon,
}

impl ValueDisplay {
    fn of(flag: &str) -> Self {
        match flag {
            "--header" | "--basic-auth" | "--data" | "--json" | "--proxy" => Self::Nothing,
            "--host" => Self::Url,
            "--resolve" | "--stages" | "--start-at" | "--wait" | "--check" | "--listen" | "--shard" => Self::Whole,
            _ => Self::UpToColon,
        }
    }

    fn value(self, text: &str) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Url => Some(masked_url(text)),
            Self::Whole if text.contains("://") => Some(masked_url(text)),
            Self::Whole => Some(masked(text)),
            Self::UpToColon => Some(match text.split_once(':') {
                Some((before, _)) => format!("{before}:{MASK}"),
                None => text.to_owned(),
            }),
        }
    }
}

/// Makes one line of clap's several. `name` is what the user wrote in place of the flag: a variable.
pub(super) fn one_line(error: &clap::Error, name: Option<&str>, definition: &Command) -> Error {
    let context = |kind| error.get(kind).map(ToString::to_string);
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        return Error::usage("no command given", format!("expected {}; try swarmline --help", commands(definition)));
    }
    if let Some(text) = context(ContextKind::InvalidSubcommand).filter(|text| text.contains(['/', ':'])) {
        return Error::usage(
            format!("{:?}", masked_url(&text)),
            "is not a command; did you mean swarmline run, followed by it?",
        );
    }
    let what = context(ContextKind::InvalidArg);
    let flag = what.as_deref().map(name_of);
    let value = context(ContextKind::InvalidValue).filter(|value| !value.is_empty());
    // Only what clap does not take for a value of another flag: `-d --master` is a body.
    if let Some(argument) = what.as_deref().filter(|_| error.kind() == ErrorKind::UnknownArgument) {
        let has_page = definition.get_arguments().any(|known| known.get_long() == Some("web-port"));
        if argument.starts_with("--web-") && !has_page && !definition.has_subcommands() {
            let why = format!("{} has no live page; swarmline watch has", definition.get_name());
            return Error::usage(flag.unwrap_or(argument), why);
        }
        return match refused::instead_of(argument) {
            Some((flag, hint)) => Error::usage(flag, hint),
            None => unknown(flag.unwrap_or(argument), context(ContextKind::SuggestedArg), definition),
        };
    }
    if flag == Some("--json") && value.is_none() {
        return Error::usage("--json", "needs a body; Locust's --json (statistics) is in the stream, see --telemetry");
    }
    let Some(flag) = flag else { return Error::usage("command line", masked(&sentence(error))) };
    let shown = value.as_deref().map(|value| ValueDisplay::of(flag).value(value));
    let named = name.unwrap_or(flag);
    if let Some(why) = without_a_value(error, value.as_deref(), definition) {
        return Error::usage(named, why + &choices(error));
    }
    match (error.kind(), shown) {
        (ErrorKind::ValueValidation, Some(shown)) => {
            let why = std::error::Error::source(error).map(|why| plain(&why.to_string())).unwrap_or_default();
            let why = without_value(&why, value.as_deref().unwrap_or_default(), shown.as_deref().unwrap_or(MASK));
            Error::usage(named, shown.map_or_else(|| why.clone(), |shown| format!("invalid value '{shown}': {why}")))
        }
        // What people write behind `=` of a flag without a value belongs to another one.
        (ErrorKind::TooManyValues, _) => Error::usage(named, "takes no value"),
        (_, Some(None)) => Error::usage(named, "does not take this value"),
        (_, shown) => {
            let mut text = sentence(error).replace(&format!(" for '{}'", what.as_deref().unwrap_or_default()), "");
            if let (Some(value), Some(Some(shown))) = (value, shown) {
                text = text.replace(&value, &shown);
            }
            Error::usage(named, text + &choices(error))
        }
    }
}

/// A flag as people write it, or an argument by its name: of `--users <N>` and `<STREAM>...` what tells it apart.
fn name_of(what: &str) -> &str {
    what.split(['=', ' ']).next().unwrap_or(what).trim_matches(['<', '>', '[', ']', '.', ','])
}

/// What is wrong where there is no value to name.
fn without_a_value(error: &clap::Error, value: Option<&str>, definition: &Command) -> Option<String> {
    match (error.kind(), value) {
        (ErrorKind::MissingRequiredArgument, _) => Some(format!("is required; {} --help", called(definition))),
        (ErrorKind::InvalidValue, None) => Some("needs a value".to_owned()),
        (ErrorKind::ValueValidation, None) => {
            let why = std::error::Error::source(error).map(|why| plain(&why.to_string()))?;
            Some(format!("invalid value '': {why}"))
        }
        (ErrorKind::ArgumentConflict, _) if error.to_string().contains("multiple times") => {
            Some("is given more than once".to_owned())
        }
        _ => None,
    }
}

/// The command as people call it.
fn called(definition: &Command) -> &str {
    definition.get_bin_name().unwrap_or_else(|| definition.get_name())
}

/// The values that a flag takes, where there are only a few.
fn choices(error: &clap::Error) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            format!("; possible values: {}", values.join(", "))
        }
        _ => String::new(),
    }
}

/// The names of all commands.
fn commands(definition: &Command) -> String {
    let names: Vec<&str> = definition.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A sentence that repeats a value, or what stands behind its colon, as far as it is shown.
fn without_value(why: &str, value: &str, shown: &str) -> String {
    let hidden = value.split_once(':').map_or("", |(_, hidden)| hidden);
    let why = if value.is_empty() { why.to_owned() } else { replaced(why, value, shown) };
    if hidden.is_empty() || shown.contains(hidden) { why } else { replaced(&why, hidden, MASK) }
}

/// The sentence with something else in place of the value: of a short one only where it stands alone, as its letters occur in
/// words of ours by chance.
fn replaced(why: &str, value: &str, shown: &str) -> String {
    if value.len() >= MIN_LEN {
        return why.replace(value, shown);
    }
    let (mut out, mut done) = (String::new(), 0);
    for (at, _) in why.match_indices(value) {
        let end = at + value.len();
        let is_in_word = why[..at].ends_with(char::is_alphanumeric) || why[end..].starts_with(char::is_alphanumeric);
        out.push_str(&why[done..at]);
        out.push_str(if is_in_word { value } else { shown });
        done = end;
    }
    out + &why[done..]
}

/// `u64::MAX`: a limit of the type, not of the flag.
const LARGEST: &str = "18446744073709551615";

/// Sentences of clap and std as people say them.
fn plain(why: &str) -> String {
    match (why, why.split_once(" is not in ").and_then(|(_, range)| range.split_once(".."))) {
        ("invalid digit found in string" | "cannot parse integer from empty string", _) => {
            "expected a whole number".to_owned()
        }
        ("invalid socket address syntax", _) => "expected ADDR:PORT such as 127.0.0.1:8080".to_owned(),
        (_, Some((low, high))) if ["", LARGEST].contains(&high.trim_start_matches('=')) => {
            format!("must be at least {low}")
        }
        (_, Some((low, high))) => format!("must be from {low} to {}", high.trim_start_matches('=')),
        _ => why.to_owned(),
    }
}

/// A flag that there is not: the nearest that there is, or where all are listed.
fn unknown(argument: &str, suggested: Option<String>, definition: &Command) -> Error {
    if !argument.starts_with('-') {
        return Error::usage(format!("{:?}", masked_url(argument)), "is not expected here");
    }
    let list = format!("{} --help lists all flags", called(definition));
    let nearest = suggested
        .filter(|flag| is_near(argument, flag))
        .map(|flag| format!("did you mean '{flag}'? "))
        .unwrap_or_default();
    // `-pSECRET` is the flag -p to clap; of a long one only the name is given by now.
    Error::usage(argument, format!("unknown flag; {nearest}{list}"))
}

/// Whether a flag may be meant by another word: clap also suggests those that only share some letters.
fn is_near(word: &str, flag: &str) -> bool {
    /// At least this much of the longer one is the same; `--userz` is at 0.8.
    const NEAR: f64 = 0.5;
    let (word, flag) = (word.trim_start_matches('-'), flag.trim_start_matches('-'));
    let (shorter, longer) = if word.len() < flag.len() { (word, flag) } else { (flag, word) };
    longer.starts_with(shorter) || strsim::normalized_damerau_levenshtein(word, flag) > NEAR
}

/// clap's sentence with its tips.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let sentence = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    lines.filter_map(|line| line.strip_prefix("tip: ")).fold(sentence, |line, tip| format!("{line}; {tip}"))
}

/// The argument that an error is about, where its value came from a variable.
pub(super) fn of_environment<'d>(error: &clap::Error, definition: &'d Command) -> Option<&'d Arg> {
    let what = error.get(ContextKind::InvalidArg)?.to_string();
    let arguments = definition.get_subcommands().flat_map(Command::get_arguments);
    let mut named = arguments.filter(|argument| argument.to_string() == what);
    named.find(|argument| argument.get_env().is_some())
}

/// The command line with a value that begins with a minus and a digit joined to the flag before it: clap takes `-5s`
/// for flags. `None` where there is none.
pub(super) fn with_negative_value(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let text = |argument: &OsString| argument.to_str().map(str::to_owned);
    let is_negative = |text: &str| {
        text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    };
    let at = arguments.windows(2).position(|pair| {
        let (flag, value) = (text(&pair[0]), text(&pair[1]));
        flag.is_some_and(|flag| flag.starts_with('-') && flag.len() > 1 && !flag.contains('=') && !is_negative(&flag))
            && value.is_some_and(|value| is_negative(&value))
    })?;
    let mut joined = arguments.to_vec();
    let value = joined.remove(at + 1);
    joined[at].push("=");
    joined[at].push(value);
    Some(joined)
}
