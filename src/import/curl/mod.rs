//! Converts curl command lines to requests.

mod command;
mod data;
mod files;
mod form;
mod options;
mod request;
mod url;

use super::ImportOptions;
use super::draft::{Draft, DraftRequest, Import, Notes, SizeBudget};
use super::secrets::SecretVariables;
use super::shell::{Commands, CurlWords};
use crate::error::{Error, Result};
use command::CurlCommand;
pub(super) use files::why_not_a_file;
use request::PlacedRequest;

/// Creates a scenario from the commands of a text.
///
/// # Errors
/// Names the invalid word.
pub(super) fn import(what: &str, found: Commands, scope: ImportOptions) -> Result<Import> {
    let mut notes = Notes::default();
    found.lost.into_iter().for_each(|why| notes.lost(why));
    found.notes.into_iter().for_each(|note| notes.add(note));
    let mut vault = SecretVariables::new(scope.secrets);
    let mut requests = Vec::new();
    let mut room = SizeBudget::default();
    let mut host: Option<String> = None;
    let mut read = Vec::new();
    let mut refusal = None;
    let is_one = found.curl.len() == 1;
    for (number, words) in (1..).zip(&found.curl) {
        let place = if is_one { String::new() } else { format!("command {number}: ") };
        notes.at(place);
        let (placed, commands) = match converted(what, words, &mut room, &mut vault, &mut notes) {
            Ok(made) => made,
            Err(Refused::Command(why) | Refused::All(why)) if is_one => return Err(why),
            Err(Refused::All(why)) => return Err(why),
            Err(Refused::Command(why)) => {
                notes.lost(format!("left out: {why}"));
                refusal.get_or_insert(why);
                continue;
            }
        };
        for PlacedRequest { origin, mut request } in placed {
            if host.get_or_insert_with(|| origin.clone()) != &origin {
                request.target = format!("{origin}{}", request.target);
            }
            requests.push(request);
        }
        read.extend(commands);
    }
    notes.at(String::new());
    let Some(host) = host else { return Err(refusal.unwrap_or_else(|| Error::usage(what, "contains no URL"))) };
    vault.note_kept_secrets(&requests, &mut notes);
    let redirects = hoisted_redirects(&mut requests);
    let mut draft = Draft::new(host, requests, None);
    draft.redirects = redirects;
    settings(&mut draft, &read, &mut notes);
    draft.finish(what, notes)
}

/// What cannot be taken over.
enum Refused {
    /// One command, which curl would refuse too.
    Command(Error),
    /// The whole text: it is too much for a scenario.
    All(Error),
}

/// The requests of a command, and its parts, which `--next` separates.
fn converted(
    what: &str,
    CurlWords { words, stdin }: &CurlWords,
    room: &mut SizeBudget,
    vault: &mut SecretVariables,
    notes: &mut Notes,
) -> std::result::Result<(Vec<PlacedRequest>, Vec<CurlCommand>), Refused> {
    let mut requests = Vec::new();
    let commands = command::read(words, stdin.as_ref(), notes).map_err(Refused::Command)?;
    for command in &commands {
        for transfer in &command.transfers {
            let Some(url) = &transfer.url else { continue };
            let urls =
                if command.is_glob_off { vec![url.clone()] } else { url::expand(url).map_err(Refused::Command)? };
            for url in urls {
                let made = command.request(&url, transfer.upload.as_deref(), vault, notes);
                let made = made.map_err(Refused::Command)?;
                room.count(what, &made.request).map_err(Refused::All)?;
                requests.push(made);
            }
        }
    }
    Ok((requests, commands))
}

/// Takes the number of redirects out of the requests, if it is the same for all.
fn hoisted_redirects(requests: &mut [DraftRequest]) -> Option<u16> {
    let first = requests.first()?.redirects;
    if requests.iter().any(|request| request.redirects != first) {
        return None;
    }
    for request in requests {
        request.redirects = None;
    }
    first
}

/// Sets what curl has for a command and a scenario for all of its requests.
fn settings(draft: &mut Draft, commands: &[CurlCommand], notes: &mut Notes) {
    let commands: Vec<&CurlCommand> = commands.iter().filter(|command| !command.transfers.is_empty()).collect();
    let is_same = |same: bool, name: &str, notes: &mut Notes| {
        if !same {
            notes.lost(format!("{name}: not the same for all commands; the scenario has it for all requests"));
        }
    };
    draft.insecure = commands.iter().any(|command| command.is_insecure);
    is_same(commands.iter().all(|command| command.is_insecure == draft.insecure), "-k", notes);
    draft.connect_timeout = commands.iter().find_map(|command| command.connect_timeout.clone());
    let is_set = |command: &&CurlCommand| command.connect_timeout == draft.connect_timeout;
    is_same(commands.iter().all(is_set), "--connect-timeout", notes);
}
