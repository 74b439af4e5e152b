//! Promises that hold for any input.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::{Finished, Run};

/// Limit of a command's private memory in KiB: 300 MiB.
const MEMORY: u32 = 300 * 1024;

/// Limit of a command's CPU time in seconds; not of elapsed time, which depends on how busy the machine is.
const TIME: u32 = 10;

/// Runs a command: it must end in time, within the memory, with a documented exit code and without a panic.
pub(crate) fn run<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Finished, String> {
    run_with(&BTreeMap::new(), words)
}

/// Like [`run`], with these variables in the environment.
pub(crate) fn run_with<'a>(
    environment: &BTreeMap<&str, &str>,
    words: impl IntoIterator<Item = &'a str>,
) -> Result<Finished, String> {
    // A separate binary, so that a rebuild does not disturb a long run.
    let other = r#"[ -z "$FUZZ_BIN" ] || { shift; set -- "$FUZZ_BIN" "$@"; }"#;
    let script = format!("ulimit -d {MEMORY}; ulimit -t {TIME}; ulimit -c 0; {other}");
    let run = Run::in_shell(&script, words).env("RUST_BACKTRACE", "0");
    let run = environment.iter().fold(run, |run, (name, value)| run.env(name, value));
    let finished = run.finish_any();
    let head = || finished.stderr.chars().take(600).collect::<String>();
    if !(0..=4).contains(&finished.code) {
        return Err(format!("exit code {}: {}", finished.code, head()));
    }
    if finished.stderr.contains("panicked at") {
        return Err(format!("a panic: {}", head()));
    }
    Ok(finished)
}

/// Every report file can be parsed.
pub(crate) fn reports(place: &Path) -> Result<(), String> {
    let text = |name: &str| std::fs::read_to_string(place.join(name)).map_err(|why| format!("{name}: {why}"));
    json(&text("s.json")?).map_err(|why| format!("s.json: {why}"))?;
    html(&text("p.html")?).map_err(|why| format!("p.html: {why}"))?;
    xml(&text("j.xml")?).map_err(|why| format!("j.xml: {why}"))?;
    for name in ["t_stats.csv", "t_stats_history.csv", "t_failures.csv", "t_exceptions.csv"] {
        csv(&text(name)?).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

/// Each line is JSON and shorter than 4096 bytes.
pub(crate) fn stream(text: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|why| format!("the stream is not UTF-8: {why}"))?;
    for line in text.lines() {
        json(line).map_err(|why| format!("a line of the stream: {why}: {line}"))?;
        if line.len() >= 4096 {
            return Err(format!("a line of {} bytes", line.len()));
        }
    }
    Ok(())
}

fn json(text: &str) -> Result<(), String> {
    serde_json::from_str::<Value>(text).map(drop).map_err(|why| why.to_string())
}

/// The page is complete, its data can be parsed, and no text in it became markup.
fn html(text: &str) -> Result<(), String> {
    let is_whole = text.starts_with("<!doctype html>") && text.ends_with("</html>\n");
    if !is_whole || text.matches("<script").count() != 2 || text.matches("</script>").count() != 2 {
        return Err("not a complete page".to_owned());
    }
    let data = text.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>"));
    json(data.ok_or("no data")?.0)
}

/// Well-formed, within the subset that we write: elements, attributes in double quotes, and text.
fn xml(text: &str) -> Result<(), String> {
    let is_char =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(c) = text.chars().find(|c| !is_char(*c)) {
        return Err(format!("{c:?} is not a character of XML"));
    }
    let body = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").ok_or("no declaration")?;
    let mut open: Vec<&str> = Vec::new();
    for (at, piece) in body.split('<').enumerate() {
        let (tag, after) = if at == 0 { ("", piece) } else { piece.split_once('>').ok_or("a tag without its end")? };
        let entities = |text: &str| text.split('&').skip(1).all(|rest| rest.find(';').is_some_and(|end| end < 9));
        if after.contains('>') || !entities(after) || !entities(tag) || tag.matches('"').count() % 2 == 1 {
            return Err(format!("near {:?}", piece.chars().take(80).collect::<String>()));
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return Err(format!("</{name}> closes another")),
            None if !name.is_empty() && !tag.ends_with('/') => open.push(name),
            _ => {}
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} stays open")) }
}

/// All rows have the same number of cells, and a spreadsheet would compute none of them.
fn csv(text: &str) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for row in reader.records() {
        let row = row.map_err(|why| why.to_string())?;
        let formula = row.iter().find(|cell| {
            cell.len() > 1 && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()
        });
        if let Some(cell) = formula {
            return Err(format!("{cell:?} is a formula"));
        }
    }
    Ok(())
}
