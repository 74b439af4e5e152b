//! A transcript as text, the same for the terminal, the log and the stream.

use std::fmt::Write as _;

use super::plain::plain;
use super::{Hop, Kept, Phases, Transcript, body};
use crate::outcome::Ending;
use crate::secret::{KnownSecrets, MASK, is_secret};

/// How much of a body is shown, unless all of it is to be.
pub const MAX_BODY: usize = 1024;

/// Maximum bytes of a transcript in the stream.
pub const MAX_STREAM_TEXT: usize = 4096;

/// Room for the words at a cut.
const CUT_WORDS: usize = 40;

/// Maximum characters of an extracted value.
const MAX_VALUE: usize = 200;

/// Whether a text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None: for files, pipes and the stream.
    None,
    /// By escape sequences, for a terminal.
    Ansi,
}

/// How a transcript is shown.
#[derive(Clone, Copy, Debug)]
pub struct Style<'s> {
    /// Secrets to mask; `None` shows everything.
    pub secrets: Option<&'s KnownSecrets>,
    /// Whether it has colours.
    pub colours: Colours,
    /// Maximum bytes of a body.
    pub max_body: usize,
}

/// What a line is about, which decides its colour by its SGR number (ECMA-48 8.3.117).
#[derive(Clone, Copy)]
enum Tone {
    Heading = 1,
    Request = 36,
    Answer = 0,
    Aside = 2,
    Good = 32,
    Bad = 31,
}

/// Lines that are being written.
struct Page {
    text: String,
    colours: Colours,
}

impl Page {
    /// Adds a line. Control characters are written out, because they could affect the terminal.
    fn line(&mut self, tone: Tone, line: &str) {
        let line = plain(&line.trim_end().replace('\t', "  "));
        let number = tone as u8;
        // Writing into a String cannot fail.
        let _ = match self.colours {
            Colours::Ansi if number > 0 => writeln!(self.text, "\x1b[{number}m{line}\x1b[0m"),
            Colours::None | Colours::Ansi => writeln!(self.text, "{line}"),
        };
    }
}

/// The whole text, ending with a line break.
#[must_use]
pub fn text(transcript: &Transcript, style: Style<'_>) -> String {
    let mut page = Page { text: String::new(), colours: style.colours };
    let took = millis(transcript.took);
    let (tone, what) = match transcript.ending {
        Ending::Ok => (Tone::Heading, "ok".to_owned()),
        Ending::Failed(failure) => (Tone::Bad, failure.text()),
        Ending::Aborted => (Tone::Bad, "aborted".to_owned()),
    };
    page.line(tone, &format!("{}: {what}, {took}", transcript.endpoint));
    for hop in &transcript.hops {
        hop_lines(&mut page, hop, style);
    }
    if transcript.omitted_hops > 0 {
        page.line(Tone::Aside, &format!("  ({} more redirects followed)", transcript.omitted_hops));
    }
    for finding in &transcript.findings {
        let (tone, mark) = if finding.is_met { (Tone::Good, "ok  ") } else { (Tone::Bad, "NOT ") };
        page.line(tone, &format!("  {mark} {}", masked(&finding.text, style)));
    }
    for extracted in &transcript.extracted {
        match &extracted.value {
            Ok(_) if extracted.is_secret && style.secrets.is_some() => {
                page.line(Tone::Good, &format!("  ok   {} = {MASK}", extracted.name));
            }
            Ok(value) => {
                let value: String = masked(value, style).chars().take(MAX_VALUE).collect();
                page.line(Tone::Good, &format!("  ok   {} = {value}", extracted.name));
            }
            Err(why) => page.line(Tone::Bad, &format!("  NOT  {} extracted: {}", extracted.name, masked(why, style))),
        }
    }
    page.text
}

/// The text for the stream: masked, without colours, and of at most [`MAX_STREAM_TEXT`] bytes. Bodies give way first.
#[must_use]
pub fn stream_text(transcript: &Transcript, secrets: &KnownSecrets) -> String {
    let mut text = String::new();
    for max_body in [MAX_BODY, MAX_BODY / 2, MAX_BODY / 4, 100] {
        text = self::text(transcript, Style { secrets: Some(secrets), colours: Colours::None, max_body });
        if text.len() <= MAX_STREAM_TEXT {
            return text;
        }
    }
    body::cut(&text, MAX_STREAM_TEXT - CUT_WORDS) + "\n"
}

fn hop_lines(page: &mut Page, hop: &Hop, style: Style<'_>) {
    head_lines(page, (Tone::Request, "  > "), &hop.request_head, style);
    body_lines(page, (Tone::Request, "  > "), &hop.request_body, false, style);
    page.line(Tone::Aside, &format!("  {}", phases(&hop.phases)));
    if let Some(answer) = &hop.answer {
        head_lines(page, (Tone::Answer, "  < "), &answer.head, style);
        body_lines(page, (Tone::Answer, "  < "), &answer.body, answer.is_coded, style);
    }
}

fn head_lines(page: &mut Page, (tone, mark): (Tone, &str), head: &Kept, style: Style<'_>) {
    let head_text = String::from_utf8_lossy(&head.bytes);
    for (at, line) in head_text.lines().enumerate() {
        let line = match line.split_once(':') {
            Some((name, _)) if at > 0 && style.secrets.is_some() && is_secret(name) => format!("{name}: {MASK}"),
            _ => style.secrets.map_or_else(|| line.to_owned(), |secrets| secrets.mask(line, head.is_cut)),
        };
        page.line(tone, &format!("{mark}{line}"));
    }
    if head.is_cut {
        page.line(Tone::Aside, &format!("{mark}(… {} bytes in all)", head.len));
    }
}

fn body_lines(page: &mut Page, (tone, mark): (Tone, &str), kept: &Kept, is_coded: bool, style: Style<'_>) {
    if kept.len == 0 {
        return;
    }
    page.line(tone, mark);
    for line in body::cut(&body::shown(kept, is_coded, style.secrets), style.max_body).lines() {
        page.line(tone, &format!("{mark}{line}"));
    }
}

fn phases(phases: &Phases) -> String {
    let mut text = match &phases.connecting {
        Some(new) => {
            format!("dns {}, connect {}, tls {}", millis(new.dns), millis(new.connect), millis(new.tls))
        }
        None => "connection kept".to_owned(),
    };
    let _ = match phases.body {
        Some(body) => write!(text, ", first byte {}, body {}", millis(phases.first_byte), millis(body)),
        None => write!(text, ", no response after {}", millis(phases.first_byte)),
    };
    text
}

fn masked(text: &str, style: Style<'_>) -> String {
    style.secrets.map_or_else(|| text.to_owned(), |secrets| secrets.mask(text, false))
}

/// Milliseconds, to a hundredth below ten.
fn millis(time: std::time::Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.1} ms") }
}

#[cfg(test)]
mod tests;
