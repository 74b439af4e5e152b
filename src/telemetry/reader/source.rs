//! A whole stream, out of a file, a compressed one, or standard input.

use std::path::Path;
use std::time::Duration;

use super::facts::{ConfigFact, Fact};
use super::lines::{NextLine, ready};
use super::stream_input::StreamInput;
use super::{StreamLine, StreamReader, StreamSummary};
use crate::error::{Error, Result};
use crate::telemetry::interrupt::Interrupt;

/// Reads a stream from `path`, or from standard input where that is `-`; `each` gets every line that says something,
/// and whoever complains of it the reading.
///
/// # Errors
/// Exit 2: the file cannot be read, or holds more than one stream or none. Exit 130: a signal arrived before its
/// end.
pub fn read(
    path: &Path,
    interrupt: &Interrupt,
    mut each: impl FnMut(StreamLine, &mut StreamReader),
) -> Result<StreamSummary> {
    let mut lines = StreamInput::open(path)?;
    let name = lines.name().to_owned();
    let cannot = |number: u64, why: std::io::Error| Error::usage(&name, format!("line {number}: {why}"));
    let mut reading = StreamReader::new(&name);
    let (mut raw, mut stop_timeout) = (Vec::new(), Duration::ZERO);
    lines.swap_histograms(reading.histograms());
    loop {
        if lines.is_given_up(interrupt, stop_timeout) {
            return Err(Error::interrupted(&name));
        }
        match lines.next(&mut raw, reading.histograms()) {
            NextLine::Line | NextLine::Tail => {}
            NextLine::NotYet => {
                let Some(lines) = lines.waits() else { continue };
                let left = lines.left(interrupt, stop_timeout);
                ready(&[lines], interrupt, left).map_err(|why| cannot(lines.count() + 1, why))?;
                continue;
            }
            NextLine::Over => break,
            // A compressed stream whose writer was killed.
            NextLine::Damaged(why) if lines.is_compressed() => {
                reading.broken(&format!("the compressed stream breaks off: {why}"));
                break;
            }
            NextLine::Damaged(why) => return Err(cannot(lines.count() + 1, why)),
        }
        if let Some(line) = reading.take(&raw)? {
            if let Fact::Config(config) = &line.fact {
                stop_timeout = stop_timeout_of(config).unwrap_or(stop_timeout);
            }
            each(line, &mut reading);
        }
    }
    reading.finish()
}

fn stop_timeout_of(config: &ConfigFact) -> Option<Duration> {
    let setting = config.settings.iter().find(|setting| setting.key == "stop-timeout")?;
    Duration::try_from_secs_f64(setting.value.strip_suffix('s')?.parse().ok()?).ok()
}
