//! Completion scripts and manual pages, made from the definition of the command line.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::roff::laid_out;
use super::{Cli, command_line, definition};
use crate::error::{Error, Result};
use crate::secret::masked_url;

/// The day of the last release, which manual pages show; CHANGELOG.md names it too.
const RELEASED: &str = "2026-11-26";

/// The completion script of a shell.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "swarmline", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page (roff) of swarmline, or of one of its commands.
///
/// # Errors
/// There is no such command.
pub fn manual_page(command: Option<&str>) -> Result<String> {
    // A page about the command that shows help would say nothing.
    let all = definition(Cli::command().disable_help_subcommand(true), |_| true);
    let described = match command {
        None => Some(&all),
        Some(name) => all.find_subcommand(name),
    };
    let described = described
        .ok_or_else(|| Error::usage(format!("{:?}", masked_url(command.unwrap_or_default())), "is not a command"))?;
    let version = concat!("swarmline ", env!("CARGO_PKG_VERSION"));
    let title = described.get_display_name().unwrap_or("swarmline").to_uppercase();
    let page = Man::new(described.clone()).title(title).date(RELEASED).source(version);
    rendered(&page).map_err(|why| Error::usage("manual page", why))
}

fn rendered(page: &Man) -> io::Result<String> {
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok(laid_out(&String::from_utf8_lossy(&text)))
}
