//! Histograms in lines: in the line that they belong to if there is room, otherwise in lines of their own after it.

use serde::Serialize;

use super::hdr::encode::pieces;
use super::line::MAX_LINE;
use super::own_records::HistogramPiece;
use super::record::RecordBody;
use crate::plan::endpoint::Endpoint;
use crate::stats::histogram::TimeHistogram;
use crate::stats::times::Times;
use crate::vocabulary::{FailureClass, HistogramKind};

/// Maximum bytes of a line without its record: envelope, message, run id (64), test plan (128 as JSON), tick, number.
const ENVELOPE: usize = 640;

/// Room for a part of a histogram in a line of its own: the line minus envelope, name (512), method (32) and keys.
const PIECE: usize = MAX_LINE - ENVELOPE - 512 - 32 - 300;

/// Maximum bytes of a histogram's key and quotes.
const KEY: usize = 40;

/// Distributes the histograms of one line.
pub(super) struct Fitting<'a> {
    /// Start and end of the period that they cover, RFC 3339.
    span: (&'a str, &'a str),
    endpoint: &'a Endpoint,
    room: usize,
    further: Vec<RecordBody>,
}

impl<'a> Fitting<'a> {
    /// Room for this many `histograms` in a line, which contains `line` without them.
    pub(super) fn new(
        line: &impl Serialize,
        histograms: usize,
        span: (&'a str, &'a str),
        endpoint: &'a Endpoint,
    ) -> Self {
        let taken = serde_json::to_string(line).map_or(MAX_LINE, |text| text.len());
        let room = MAX_LINE.saturating_sub(ENVELOPE + taken + histograms * KEY);
        Self { span, endpoint, room, further: Vec::new() }
    }

    /// Returns the histogram as text if there is room; otherwise keeps its parts for lines of their own, of this
    /// `kind`.
    pub(super) fn fit(&mut self, times: &Times, kind: HistogramKind) -> Option<String> {
        let mut whole = pieces(times.histogram(), PIECE);
        if whole.len() == 1 && whole[0].len() <= self.room {
            self.room -= whole[0].len();
            return whole.pop();
        }
        self.put(whole, kind, None);
        None
    }

    /// Keeps the histogram of requests that failed in one way for lines of their own.
    pub(super) fn put_failed(&mut self, histogram: &TimeHistogram, class: FailureClass) {
        self.put(pieces(histogram, PIECE), HistogramKind::FailedService, Some(class));
    }

    fn put(&mut self, pieces: Vec<String>, kind: HistogramKind, class: Option<FailureClass>) {
        let parts = pieces.len();
        self.further.extend((1..).zip(pieces).map(|(part, histogram)| {
            RecordBody::Histogram(HistogramPiece {
                interval_start: self.span.0.to_owned(),
                interval_end: self.span.1.to_owned(),
                method: self.endpoint.method.clone(),
                name: self.endpoint.name.clone(),
                kind,
                class,
                part,
                parts,
                histogram,
            })
        }));
    }

    /// The additional lines.
    pub(super) fn further(self) -> Vec<RecordBody> {
        self.further
    }
}
