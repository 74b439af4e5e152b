//! Histograms in lines: in the line that they belong to as far as there is room, else in lines of their own behind it.

use serde::Serialize;

use super::hdr::encode::pieces;
use super::line::MOST_LINE;
use super::ours::HistogramPiece;
use super::record::Body;
use crate::plan::request::Endpoint;
use crate::stats::times::Times;
use crate::vocabulary::HistogramKind;

/// Most bytes of a line beside its record: envelope, message, run id (64), test plan (128 as written), tick, number.
const ENVELOPE: usize = 640;

/// Room for a piece of a histogram in a line of its own: the line less envelope, name (512), method (32), and keys.
const PIECE: usize = MOST_LINE - ENVELOPE - 512 - 32 - 300;

/// Bytes that the key of a histogram and its quotes take at most.
const KEY: usize = 40;

/// Places the histograms of one line.
pub(super) struct Fitting<'a> {
    /// Start and end of the time that they are of, RFC 3339.
    span: (&'a str, &'a str),
    endpoint: &'a Endpoint,
    room: usize,
    further: Vec<Body>,
}

impl<'a> Fitting<'a> {
    /// Room for so many `histograms` in a line that says this without them.
    pub(super) fn new(
        line: &impl Serialize,
        histograms: usize,
        span: (&'a str, &'a str),
        endpoint: &'a Endpoint,
    ) -> Self {
        let taken = serde_json::to_string(line).map_or(MOST_LINE, |text| text.len());
        let room = MOST_LINE.saturating_sub(ENVELOPE + taken + histograms * KEY);
        Self { span, endpoint, room, further: Vec::new() }
    }

    /// The histogram as text, where there is room for it; else its pieces are kept for lines of their own, of this `kind`.
    pub(super) fn place(&mut self, times: &Times, kind: HistogramKind) -> Option<String> {
        let mut whole = pieces(times.histogram(), PIECE);
        if whole.len() == 1 && whole[0].len() <= self.room {
            self.room -= whole[0].len();
            return whole.pop();
        }
        let parts = whole.len();
        self.further.extend((1..).zip(whole).map(|(part, histogram)| {
            Body::Histogram(HistogramPiece {
                interval_start: self.span.0.to_owned(),
                interval_end: self.span.1.to_owned(),
                method: self.endpoint.method.clone(),
                name: self.endpoint.name.clone(),
                kind,
                part,
                parts,
                histogram,
            })
        }));
        None
    }

    /// The lines that are to follow.
    pub(super) fn further(self) -> Vec<Body> {
        self.further
    }
}
