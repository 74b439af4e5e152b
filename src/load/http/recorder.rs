//! Keeps what a request and its answers consisted of, for people who look for the cause of a failure.

use super::decode::BodyDecoder;
use crate::clock::Moment;
use crate::outcome::{Connecting, Traffic};
use crate::plan::wire::WireRequest;
use crate::transcript::{Answer, ConnectPhases, Hop, Kept, Phases};

/// How much is kept of a request and its answers.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct RecordLimits {
    /// Bytes of each head, of each body sent and of each body received.
    pub(in crate::load) part: usize,
    /// Hops.
    pub(in crate::load) hops: usize,
}

impl RecordLimits {
    /// For failures of a run: 2 KiB of a request and 2 KiB of an answer.
    pub(in crate::load) const FAILURES: Self = Self { part: 1024, hops: 4 };
    /// For one user whose every request is shown.
    pub(in crate::load) const EVERYTHING: Self = Self { part: 8 * 1024 * 1024, hops: 100 };
}

/// Keeps the hops of the request that is being performed.
#[derive(Debug)]
pub(in crate::load) struct HopRecorder {
    limits: RecordLimits,
    hops: Vec<Hop>,
    omitted: usize,
    /// When the current hop began, and the connections made until then.
    began: (Moment, Connecting),
}

impl HopRecorder {
    /// A recorder that has kept nothing.
    pub(in crate::load) fn new(limits: RecordLimits) -> Self {
        Self { limits, hops: Vec::new(), omitted: 0, began: (Moment::START, Connecting::default()) }
    }

    /// Forgets the last request.
    pub(super) fn restart(&mut self) {
        self.hops.clear();
        self.omitted = 0;
    }

    /// A hop begins at `at`; `bytes` are those of its request with the cookies added to it.
    #[inline(never)]
    pub(super) fn begin(&mut self, request: WireRequest<'_>, bytes: &[u8], at: Moment, connecting: Connecting) {
        if self.hops.len() == self.limits.hops {
            // The last one tells more than those before it.
            self.hops.pop();
            self.omitted += 1;
        }
        // Of a body with files only the text around them is kept; with cookies, `bytes` may end within that text.
        let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let (head, _) = bytes.split_at(head_len);
        let mut body = Kept::beginning(request.body_text(), self.limits.part);
        body.len = request.body_len();
        body.is_cut |= !request.files().is_empty();
        let head = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
        self.hops.push(Hop {
            request_head: Kept::beginning(head, self.limits.part),
            request_body: body,
            phases: Phases::default(),
            answer: None,
        });
        self.began = (at, connecting);
    }

    /// The head of an answer, which replaces one that came over a connection that was given up.
    pub(super) fn head(&mut self, head: &[u8]) {
        let part = self.limits.part;
        let Some(hop) = self.hops.last_mut() else { return };
        let head = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
        hop.answer = Some(Answer { head: Kept::beginning(head, part), body: Kept::default(), is_coded: false });
    }

    /// A piece of the body of the answer.
    #[inline(never)]
    pub(super) fn body(&mut self, piece: &[u8]) {
        let Some(answer) = self.hops.last_mut().and_then(|hop| hop.answer.as_mut()) else { return };
        let room = self.limits.part - answer.body.bytes.len();
        answer.body.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        answer.body.is_cut |= piece.len() > room;
        answer.body.len += piece.len() as u64;
    }

    /// The hop ended at `at`.
    #[inline(never)]
    pub(super) fn end(&mut self, traffic: &Traffic, at: Moment) {
        let Some(hop) = self.hops.last_mut() else { return };
        let (began, before) = self.began;
        let after = &traffic.connecting;
        let connecting = ConnectPhases {
            dns: after.dns.duration().saturating_sub(before.dns.duration()),
            connect: after.connect.duration().saturating_sub(before.connect.duration()),
            tls: after.tls.duration().saturating_sub(before.tls.duration()),
        };
        let total = connecting.dns + connecting.connect + connecting.tls;
        // One from before the hop belongs to the hop before.
        let first_byte = traffic.first_byte.filter(|first_byte| *first_byte >= began);
        hop.phases = Phases {
            connecting: (!total.is_zero()).then_some(connecting),
            first_byte: first_byte.unwrap_or(at).since(began).saturating_sub(total),
            body: first_byte.map(|first_byte| at.since(first_byte)),
        };
    }

    /// The hops of the last request, bodies decoded, and how many were not kept.
    pub(in crate::load) fn take(&mut self) -> (Vec<Hop>, usize) {
        let part = self.limits.part;
        self.hops.iter_mut().filter_map(|hop| hop.answer.as_mut()).for_each(|answer| decode(answer, part));
        (std::mem::take(&mut self.hops), self.omitted)
    }
}

/// Undoes the content codings of a body, as far as it was kept.
fn decode(answer: &mut Answer, limit: usize) {
    let head = [&answer.head.bytes[..], b"\r\n\r\n"].concat();
    let mut decoded = Vec::new();
    let mut is_cut = answer.body.is_cut;
    let result = BodyDecoder::of(&head).and_then(|mut decoder| {
        decoder.push(&answer.body.bytes, &mut |piece| {
            let room = limit - decoded.len();
            decoded.extend_from_slice(&piece[..piece.len().min(room)]);
            is_cut |= piece.len() > room;
        })
    });
    match result {
        Ok(()) => (answer.body.bytes, answer.body.is_cut) = (decoded, is_cut),
        Err(_) => answer.is_coded = true,
    }
}
