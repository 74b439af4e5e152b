//! The histograms of a shard's line, which must be those of its times, before anything of it is counted.

use crate::stats::interval::TimesKind;
use crate::stats::scale::Scale;
use crate::telemetry::claims::{Contradiction, Distribution};
use crate::telemetry::failed_claims::FailedClaims;
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::reader::line::Telemetry;
use crate::vocabulary::{FailureClass, HistogramKind};

/// Times by slots, as they are added: the scale's own slots in ascending order, and the count of each.
pub(super) type SlotCounts = (TimesKind, Scale, Vec<(u64, u64)>);

/// The same of one kind of times.
pub(super) type Recordings = Vec<(Scale, Vec<(u64, u64)>)>;

/// Kinds of pieces of the histograms of what had not ended.
const UNFINISHED: [HistogramKind; 3] =
    [HistogramKind::UnfinishedResponse, HistogramKind::UnfinishedService, HistogramKind::UnfinishedFirstByte];

impl Telemetry<'_> {
    /// The histograms of an interval and of the pieces that follow it, which must be those of its times.
    ///
    /// # Errors
    /// What is wrong with one, or what contradicts what.
    pub(super) fn slots(
        &self,
        pieces: &[PendingPiece],
        decoder: &mut HistogramParser,
    ) -> Result<Vec<SlotCounts>, Contradiction> {
        let service = if self.response_is_service { TimesKind::Both } else { TimesKind::Service };
        let own = [
            (service, &self.service_histogram),
            (TimesKind::Response, &self.response_histogram),
            (TimesKind::FirstByte, &self.first_byte_histogram),
        ];
        let own = own.into_iter().filter_map(|(kind, text)| Some((kind, text.as_deref()?)));
        let pieces = pieces.iter().map(|piece| {
            let kind = match piece.kind {
                Some(HistogramKind::Response) => TimesKind::Response,
                Some(HistogramKind::FirstByte) => TimesKind::FirstByte,
                Some(HistogramKind::FailedService) => TimesKind::Failed(piece.class.unwrap_or(FailureClass::Other)),
                _ => service,
            };
            (kind, &*piece.histogram)
        });
        let (mut found, mut all) = (Vec::new(), [Distribution::default(); 3]);
        let mut failed = FailedClaims::new(&self.failed_by_class, &self.failed_service_us, self.service.claim());
        for (kind, text) in own.chain(pieces) {
            let recorded = decoder.read(text)?;
            match kind {
                TimesKind::Service | TimesKind::Both => all[0].add(&recorded),
                TimesKind::Response => all[1].add(&recorded),
                TimesKind::FirstByte => all[2].add(&recorded),
                TimesKind::Failed(class) => {
                    if !failed.add(class, &recorded) {
                        return Err("a histogram of failures that did not occur");
                    }
                }
            }
            found.push((kind, recorded.scale, recorded.slots.to_vec()));
        }
        let claim = self.claim();
        all[0].check_against(claim.completed(), claim.service)?;
        if !self.response_is_service {
            all[1].check_against(claim.completed(), claim.response)?;
        }
        let with_first_byte = if self.timings.is_some() { claim.completed() } else { 0 };
        all[2].check_against(with_first_byte, self.first_byte.claim())?;
        failed.check()?;
        Ok(found)
    }

    /// The histograms of what had not ended and of the pieces that follow, which must be those of its times.
    ///
    /// # Errors
    /// What is wrong with one, or what contradicts what.
    pub(super) fn unfinished_slots(
        &self,
        pieces: &[PendingPiece],
        decoder: &mut HistogramParser,
    ) -> Result<[Recordings; 3], Contradiction> {
        let own = [
            (self.response.counted(), self.response.claim(), &self.response_histogram),
            (self.service.counted(), self.service.claim(), &self.service_histogram),
            (self.first_byte.counted(), self.first_byte.claim(), &self.first_byte_histogram),
        ];
        let mut found = [const { Vec::new() }; 3];
        for ((recordings, kind), (sum, claim, text)) in found.iter_mut().zip(UNFINISHED).zip(own) {
            let mut all = Distribution::default();
            let of_kind = pieces.iter().filter(|piece| piece.kind == Some(kind)).map(|piece| &*piece.histogram);
            for text in text.as_deref().into_iter().chain(of_kind) {
                let recorded = decoder.read(text)?;
                all.add(&recorded);
                recordings.push((recorded.scale, recorded.slots.to_vec()));
            }
            all.check_against(sum.count, claim)?;
        }
        Ok(found)
    }
}

/// A piece of a histogram that waits for the others.
#[derive(Clone, Debug)]
pub(super) struct PendingPiece {
    pub(super) kind: Option<HistogramKind>,
    /// How the requests failed, in a histogram of failed ones.
    pub(super) class: Option<FailureClass>,
    pub(super) histogram: Box<str>,
}
