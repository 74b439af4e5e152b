//! The host of a run as a value: at the begin of a URL it is left to `--host`, elsewhere it is that of the file.

use super::evaluator::{Evaluator, Known};
use super::steps::Request;
use super::value::{Part, Problem, Text};
use crate::plan::json::Json;

/// The name that stands for the host until its request is made. A scenario has no such variable, so that a step in which it
/// is left is taken out and named.
pub(super) const HOST: &str = "host_of_run";

impl Evaluator<'_> {
    /// Puts the host of the file in the place of that of the run.
    ///
    /// # Errors
    /// The file has no host.
    pub(super) fn with_host(&mut self, request: &mut Request, line: u32) -> Known<()> {
        if !request.sends_variable(HOST) {
            return Ok(());
        }
        let host =
            if self.client.base.is_empty() { self.client.host.clone() } else { Some(Text::literal(&self.client.base)) };
        let host =
            host.ok_or_else(|| Problem { line, why: "it sends the host, which the file does not have".to_owned() })?;
        self.remark(line, "the host that is sent as a value is that of the file: it does not follow --host");
        request.target = in_text(&request.target, &host);
        for (_, value) in &mut request.headers {
            *value = value.as_ref().map(|text| in_text(text, &host));
        }
        let written = host.template();
        let values =
            request.query.iter_mut().map(|(_, value)| value).chain(request.body.iter_mut().map(|(_, value)| value));
        values.for_each(|value| in_json(value, &written));
        Ok(())
    }
}

/// A URL without the host of the run in front.
pub(super) fn without_host(mut url: Text) -> Text {
    if matches!(url.0.first(), Some(Part::Run(run)) if run.code == HOST) {
        url.0.remove(0);
    }
    url
}

fn in_text(text: &Text, host: &Text) -> Text {
    let mut all = Text::default();
    for part in &text.0 {
        all.push(match part {
            Part::Run(run) if run.code == HOST => host.clone(),
            part => Text(vec![part.clone()]),
        });
    }
    all
}

fn in_json(value: &mut Json, host: &str) {
    match value {
        Json::Text(text) => *text = text.replace(&format!("${{{HOST}}}"), host),
        Json::List(items) => items.iter_mut().for_each(|item| in_json(item, host)),
        Json::Object(members) => members.iter_mut().for_each(|(_, value)| in_json(value, host)),
        _ => {}
    }
}
