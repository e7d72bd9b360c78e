//! What the responder does with messages that are signed (RFC 8945), and with operations that are not the engine's:
//! transfers, NOTIFY, UPDATE.
//!
//! A signed message is verified, answered without its TSIG with room for ours held back, and signed. All of it is
//! off the path of an ordinary query.

use std::time::Instant;

use crate::answer::{self, Ede, Outcome, Signature, Transport, Verdict};
use crate::transfer::{Envelope, Outgoing, Sending};
use crate::tsig::{self, Rejected, Signer, TsigFault};
use crate::wire::{Header, Opcode, Query, Rcode};
use crate::zone::{Zone, ZoneSet};

use super::counters::TsigKind;
use super::errand::{Done, Errand, Task};
use super::operations::{Refusal, Requester, Transferred};
use super::responder::{Answer, Moment, Responder, Source, Unusual, is_refusal, peer_of};

impl Responder {
    /// Answers what the engine leaves to others.
    #[cold]
    #[inline(never)]
    pub(super) fn answer_unusual(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        verdict: Verdict,
        out: &mut [u8],
    ) -> Answer {
        self.unusual = Unusual::default();
        match verdict {
            // The bridge encodes responses anew, which no signature survives.
            Verdict::Signed { .. } if self.transport == Transport::Quic => {
                let refusal = Refusal::new(Rcode::REFUSED, Ede::NOT_SUPPORTED);
                Answer::of(self.settle(moment, source, query, Err(refusal), out))
            }
            Verdict::Signed { at } => self.answer_signed(zones, moment, source, query, at, out),
            verdict => self.operate(moment, source, query, None, verdict, out),
        }
    }

    //--- Signed messages

    /// Verifies a message, answers it without its TSIG, which starts at `at`, and signs the response.
    fn answer_signed(
        &mut self,
        zones: &ZoneSet,
        moment: Moment,
        source: &Source,
        query: &[u8],
        at: usize,
        out: &mut [u8],
    ) -> Answer {
        let policy = self.policy.clone();
        let request = match tsig::verify_request(query, at, &policy.keyring, moment.unix()) {
            Ok(request) => request,
            Err(rejected) => return Answer::of(self.reject(moment, source, rejected, out)),
        };
        self.unusual.key = Some(request.key().name().clone());
        let mut peer = peer_of(&policy, self.transport, moment, source);
        if policy.allow_query.allows_key(request.key().name()) {
            peer.access = &true;
        }
        let (message, signer) = (request.message, request.signer);
        let limit = self.limit_without(&message, signer.octets(), out.len());
        let Some(room) = out.get_mut(..limit) else { return Answer::Silence };
        let verdict = answer::respond(zones, &mut self.scratch, &message, &peer, room);
        self.scratch.facts.signature = Signature::Good;
        match verdict {
            Verdict::Reply(length) => Answer::of(signer.sign(out, length, moment.unix())),
            Verdict::Drop => Answer::Silence,
            verdict => self.operate(moment, source, &message, Some(signer), verdict, out),
        }
    }

    /// Answers a message whose TSIG is not good: NOTAUTH with a TSIG that says why, or FORMERR.
    fn reject(
        &mut self,
        moment: Moment,
        source: &Source,
        rejected: Rejected,
        out: &mut [u8],
    ) -> Option<usize> {
        let fault = rejected.fault;
        self.counters.count_tsig_failure(match fault {
            TsigFault::Malformed => TsigKind::Malformed,
            TsigFault::BadKey => TsigKind::BadKey,
            TsigFault::BadSig => TsigKind::BadSig,
            TsigFault::BadTime => TsigKind::BadTime,
            TsigFault::BadTrunc => TsigKind::BadTrunc,
        });
        let rcode = if fault == TsigFault::Malformed { Rcode::FORMERR } else { Rcode::NOTAUTH };
        let limit = self.limit_without(&rejected.message, rejected.octets(), out.len());
        let refusal = Refusal { rcode, ede: None, text: None };
        let room = out.get_mut(..limit)?;
        let length = self.settle(moment, source, &rejected.message, Err(refusal), room)?;
        self.scratch.facts.signature = Signature::Bad;
        self.note_reason(Some(fault.to_string()));
        (self.unusual.key, self.unusual.fault) = (rejected.key.clone(), Some(fault));
        rejected.sign(out, length, moment.unix())
    }

    /// Octets that the response may have besides a TSIG of `held_back`.
    fn limit_without(&self, message: &[u8], held_back: usize, room: usize) -> usize {
        let edns = Query::read(message).and_then(|query| query.edns);
        let identity = &self.policy.identity;
        let limit = answer::octets_max(edns.as_ref(), self.transport, identity).min(room);
        limit.saturating_sub(held_back)
    }

    //--- Operations

    /// Performs an operation, or has it performed. `message` is without its TSIG.
    fn operate(
        &mut self,
        moment: Moment,
        source: &Source,
        message: &[u8],
        signer: Option<Signer>,
        verdict: Verdict,
        out: &mut [u8],
    ) -> Answer {
        let Some(zone) = self.scratch.qname().map(|name| name.to_name()) else {
            return Answer::Silence;
        };
        let key = self.unusual.key.clone();
        let identity = source.identity.clone();
        let requester =
            Requester { address: source.client, transport: self.transport, key, identity };
        let operations = self.shared.operations.clone();
        let task = match (verdict, operations) {
            (Verdict::Notify { serial }, operations) => {
                // No zone here has a primary to heed (RFC 1996 §3.10).
                let nobody = || Err(Refusal::new(Rcode::NOTAUTH, Ede::NOT_SUPPORTED));
                let result =
                    operations.map_or_else(nobody, |it| it.notify(&requester, &zone, serial));
                return Answer::of(self.sign(moment, source, message, signer, result, out));
            }
            // The bridge carries one message, and waits for nothing.
            (Verdict::Transfer(wanted), Some(operations)) if self.transport != Transport::Quic => {
                if let Err(refusal) = operations.may_transfer(&requester, &zone) {
                    let refused = Err(refusal);
                    return Answer::of(self.sign(moment, source, message, signer, refused, out));
                }
                Task::Transfer(wanted)
            }
            (Verdict::Update, Some(it)) if self.transport != Transport::Quic => {
                if let Err(refusal) = it.may_update(&requester, &zone) {
                    let refused = Err(refusal);
                    return Answer::of(self.sign(moment, source, message, signer, refused, out));
                }
                Task::Update
            }
            // RFC 5936 §2.2.1, RFC 2136 §3.3.
            _ => {
                let refusal = Refusal::new(Rcode::REFUSED, Ede::PROHIBITED);
                return Answer::of(self.sign(moment, source, message, signer, Err(refusal), out));
            }
        };
        Answer::Errand(Box::new(Errand {
            task,
            requester,
            zone,
            message: message.to_vec(),
            signer,
            source: source.clone(),
            started: Instant::now(),
        }))
    }

    /// Answers the message of an errand with what came of it; `None` is silence.
    pub(super) fn conclude(
        &mut self,
        errand: &Errand,
        done: Done,
        out: &mut [u8],
    ) -> Option<usize> {
        let moment = self.begin();
        self.unusual = Unusual { key: errand.requester.key.clone(), ..Unusual::default() };
        let (source, signer) = (&errand.source, errand.signer.clone());
        let response = match done {
            Done::Updated => self.sign(moment, source, &errand.message, signer, Ok(()), out),
            Done::Refused(refusal) => {
                self.sign(moment, source, &errand.message, signer, Err(refusal), out)
            }
            Done::Transfer(outgoing) => self.datagram(moment, errand, outgoing, out),
        };
        let response = response.filter(|_| self.passes_limit(moment, source));
        let sent = response.and_then(|length| out.get(..length)).unwrap_or_default();
        self.account_errand(moment, errand, response, sent);
        self.finish();
        response
    }

    /// What a transfer of a zone is wrapped in: header, question and OPT of its response. `out` is room for them.
    pub(super) fn envelope(
        &mut self,
        moment: Moment,
        errand: &Errand,
        zone: &Zone,
        out: &mut [u8],
    ) -> Option<Envelope> {
        let policy = self.policy.clone();
        let peer = peer_of(&policy, self.transport, moment, &errand.source);
        let verdict = answer::frame(&mut self.scratch, &errand.message, &peer, zone, out);
        let Verdict::Reply(length) = verdict else { return None };
        if errand.signer.is_some() {
            self.scratch.facts.signature = Signature::Good;
        }
        Envelope::of(out.get(..length)?)
    }

    /// Notes in the query log and the counters what a transfer over a stream came to.
    pub(super) fn note_transfer(&mut self, errand: &Errand, zone: &Zone, report: &Transferred) {
        let moment = self.begin();
        // The facts are those of whatever was answered last on this thread.
        let mut room = vec![0; usize::from(u16::MAX)];
        if self.envelope(moment, errand, zone, &mut room).is_some() {
            let messages = u16::try_from(report.messages).unwrap_or(u16::MAX);
            let key = errand.requester.key.clone();
            self.unusual = Unusual { key, messages, ..Unusual::default() };
            let octets = usize::try_from(report.octets).unwrap_or(usize::MAX);
            self.account_errand(moment, errand, Some(octets), &[]);
        }
        self.finish();
        let Transferred { kind, serial, messages, records, octets, is_whole, took } = *report;
        tracing::info!(
            target: "gapura::transfer",
            event = "transfer",
            zone = %zone.apex(),
            peer = %errand.requester.address,
            key = errand.requester.key.as_ref().map(tracing::field::display),
            kind,
            serial,
            messages,
            records,
            octets,
            ms = took.as_millis() as u64,
            "{}",
            if is_whole { "transferred" } else { "a transfer was broken off" }
        );
        if let Some(operations) = self.shared.operations.clone() {
            operations.transferred(&errand.requester, &errand.zone, report);
        }
    }

    /// Writes a transfer into one message, or the one SOA that says that it does not fit.
    fn datagram(
        &mut self,
        moment: Moment,
        errand: &Errand,
        outgoing: Outgoing,
        out: &mut [u8],
    ) -> Option<usize> {
        let held_back = errand.signer.as_ref().map_or(0, Signer::octets);
        let limit = self.limit_without(&errand.message, held_back, out.len());
        let envelope = self.envelope(moment, errand, outgoing.zone(), out.get_mut(..limit)?)?;
        let length = Sending::datagram(envelope, outgoing, out, limit).ok()?;
        match &errand.signer {
            Some(signer) => signer.sign(out, length, moment.unix()),
            None => Some(length),
        }
    }

    /// Writes what came of an operation, and signs it.
    fn sign(
        &mut self,
        moment: Moment,
        source: &Source,
        message: &[u8],
        signer: Option<Signer>,
        result: Result<(), Refusal>,
        out: &mut [u8],
    ) -> Option<usize> {
        let Some(signer) = signer else {
            return self.settle(moment, source, message, result, out);
        };
        let limit = self.limit_without(message, signer.octets(), out.len());
        let length = self.settle(moment, source, message, result, out.get_mut(..limit)?)?;
        self.scratch.facts.signature = Signature::Good;
        signer.sign(out, length, moment.unix())
    }

    /// Writes what came of an operation. A NOTIFY that is heeded is answered with AA, as Knot does.
    fn settle(
        &mut self,
        moment: Moment,
        source: &Source,
        message: &[u8],
        result: Result<(), Refusal>,
        out: &mut [u8],
    ) -> Option<usize> {
        let policy = self.policy.clone();
        let peer = peer_of(&policy, self.transport, moment, source);
        let scratch = &mut self.scratch;
        let verdict = match &result {
            Ok(()) => {
                let is_update =
                    Header::read(message).is_some_and(|it| it.opcode() == Opcode::UPDATE);
                let (rcode, authoritative) = (Rcode::NOERROR, !is_update);
                let outcome = Outcome { rcode, ede: None, text: "", authoritative };
                answer::conclude(scratch, message, &peer, outcome, out)
            }
            Err(refusal) => {
                let outcome = Outcome {
                    rcode: refusal.rcode,
                    ede: refusal.ede,
                    text: refusal.text.as_deref().unwrap_or_default(),
                    authoritative: false,
                };
                answer::conclude(scratch, message, &peer, outcome, out)
            }
        };
        let Verdict::Reply(length) = verdict else { return None };
        self.note_reason(result.err().and_then(|refusal| refusal.text));
        Some(length)
    }

    /// Keeps the reason of a response for the daemon's log, if it is a refusal.
    fn note_reason(&mut self, reason: Option<String>) {
        self.unusual.reason = reason.filter(|_| is_refusal(self.scratch.facts().rcode));
    }
}
