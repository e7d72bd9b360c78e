//! A transfer on a connection: the next message is made when the one before it is out, so that a requester
//! that reads slowly costs one message. What was pinned goes out whole, whatever becomes of the zone.

use super::super::errand::Errand;
use super::super::operations::Transferred;
use super::super::places::Place;
use super::super::responder::{Moment, Responder};
use crate::transfer::{Outgoing, Sending};
use crate::tsig::{Signer, StreamSigner};

//------------ Transfer ------------------------------------------------------

/// A transfer under way.
pub(super) struct Transfer {
    /// What was asked for.
    errand: Box<Errand>,
    /// Makes the messages.
    sending: Sending,
    /// Signs each, if the request was signed.
    signer: Option<StreamSigner>,
    /// Octets of the messages made so far.
    octets: u64,
    /// The record that no message holds was reached.
    is_stuck: bool,
    /// Its place among all.
    _place: Option<Place>,
}

impl Transfer {
    /// Starts a transfer of `outgoing`. `out` is room for a message; `None` if there is nothing to answer.
    pub(super) fn new(
        responder: &mut Responder,
        errand: Box<Errand>,
        outgoing: Outgoing,
        place: Option<Place>,
        out: &mut [u8],
    ) -> Option<Self> {
        let moment = responder.begin();
        let envelope = responder.envelope(moment, &errand, outgoing.zone(), out)?;
        let signer = errand.signer.clone().map(Signer::into_stream);
        let sending = Sending::new(envelope, outgoing);
        Some(Self { errand, sending, signer, octets: 0, is_stuck: false, _place: place })
    }

    /// Writes the next message to the start of `out`; its length, or `None` at the end.
    pub(super) fn next(&mut self, out: &mut [u8]) -> Option<usize> {
        let held_back = self.signer.as_ref().map_or(0, StreamSigner::octets);
        let made = self.sending.next(out, held_back);
        self.is_stuck = made.is_err();
        let mut length = made.ok().flatten()?;
        if let Some(signer) = &mut self.signer {
            let signed = signer.sign(out, length, Moment::now().unix());
            self.is_stuck = signed.is_none();
            length = signed?;
        }
        self.octets += length as u64;
        Some(length)
    }

    /// Whether all messages were made.
    pub(super) fn is_done(&self) -> bool {
        self.sending.is_done()
    }

    /// Notes in logs and counters how it ended.
    pub(super) fn end(self, responder: &mut Responder, is_whole: bool) {
        let what = self.sending.what();
        let is_whole = is_whole && !self.is_stuck;
        let report = Transferred {
            kind: what.kind(),
            serial: what.zone().serial(),
            messages: self.sending.messages(),
            records: self.sending.records(),
            octets: self.octets,
            is_whole,
            took: self.errand.started.elapsed(),
        };
        let zone = what.zone();
        responder.note_transfer(&self.errand, zone, &report);
    }
}
