//! A transfer that goes out: message after message from a pinned version of a zone.
//!
//! ```text
//! AXFR   SOA · every other record · SOA                                        (RFC 5936 §2.2)
//! IXFR   SOA now · { SOA before · removed · SOA after · added } … · SOA now     (RFC 1995 §4)
//!        SOA now                              the requester has what there is
//! ```
//!
//! Between two messages only the place where it is is kept: the zone is not copied and no lock held, and a
//! reader that is slow costs nothing more. A message has at most 16 KiB, so that pointers reach all of it; a
//! record that is larger gets a message of its own. The question and all options are in the first message;
//! later ones have a bare OPT if the first has one (RFC 5936 §2.2).

use super::Outgoing;
use super::page::Page;
use crate::wire::{HEADER_OCTETS, Header, Name, NameRef, Record, RecordRef, Rtype};
use crate::zone::{Delta, Zone};

/// Octets of a message, unless one record needs more.
const MESSAGE_OCTETS: usize = 16 << 10;
/// The type SOA as it is in a stored record.
const SOA: [u8; 2] = Rtype::SOA.0.to_be_bytes();
/// Octets of an OPT record without options.
const OPT_OCTETS: usize = 11;

//------------ Envelope ------------------------------------------------------

/// What is around the records: header, question, OPT.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Identifier and flags; the counts are each message's own.
    header: Header,
    /// The question section.
    question: Box<[u8]>,
    /// The OPT record with its options; empty without EDNS.
    opt: Box<[u8]>,
}

impl Envelope {
    /// The envelope of a response that holds no records yet: header, question, perhaps OPT. `None` if it
    /// is none.
    pub fn of(response: &[u8]) -> Option<Self> {
        let header = Header::read(response)?;
        let body = &response[HEADER_OCTETS..];
        let (_, used) = NameRef::from_wire(body).ok()?;
        let (question, opt) = body.split_at_checked(used + 4)?;
        let is_one = (header.questions, header.answers, header.authorities) == (1, 0, 0);
        is_one.then(|| Self { header, question: question.into(), opt: opt.into() })
    }

    /// The OPT record of messages after the first: no options.
    fn bare_opt(&self) -> [u8; OPT_OCTETS] {
        let mut bare = [0; OPT_OCTETS];
        let fixed = OPT_OCTETS - 2;
        if let Some(from) = self.opt.get(..fixed) {
            bare[..fixed].copy_from_slice(from);
        }
        bare
    }
}

//------------ Sending -------------------------------------------------------

/// A transfer under way.
#[derive(Debug)]
pub struct Sending {
    /// Around the records.
    envelope: Envelope,
    /// What is sent.
    what: Outgoing,
    /// The first record that is not sent yet.
    place: Place,
    /// Messages made.
    messages: u32,
    /// Records sent.
    records: u64,
}

/// A record that does not fit into any message with what is around it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a record does not fit into a message of 64 KiB")]
pub struct TooLarge;

/// Where a transfer is.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// At the SOA record that opens it.
    Opening,
    /// Among the names of the zone.
    Names {
        /// Whether these are the hashed owner names of NSEC3.
        hashed: bool,
        /// The last name of which all is sent.
        after: Option<Name>,
        /// Records of the next name that are sent.
        sent: usize,
    },
    /// In a delta.
    Delta {
        /// Which one.
        index: usize,
        /// Whether the removed records are sent.
        added: bool,
        /// Records of this part that are sent, the SOA record among them.
        sent: usize,
    },
    /// At the SOA record that closes it.
    Closing,
    /// At its end.
    End,
}

impl Sending {
    /// Starts a transfer.
    pub fn new(envelope: Envelope, what: Outgoing) -> Self {
        Self { envelope, what, place: Place::Opening, messages: 0, records: 0 }
    }

    /// What is sent.
    pub fn what(&self) -> &Outgoing {
        &self.what
    }

    /// Messages made so far.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Records sent so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether the last message was made.
    pub fn is_done(&self) -> bool {
        self.place == Place::End
    }

    /// Writes the next message to the start of `out`, which has 64 KiB, and leaves `reserve` octets for a
    /// signature. Returns its length; `None` behind the last one.
    pub fn next(&mut self, out: &mut [u8], reserve: usize) -> Result<Option<usize>, TooLarge> {
        if self.is_done() {
            return Ok(None);
        }
        let common = MESSAGE_OCTETS.saturating_sub(reserve);
        if let Some(octets) = self.message(out, common, self.messages == 0, usize::MAX) {
            return Ok(Some(octets));
        }
        // A record that needs a message of its own; what is not needed in it is left out.
        let largest = out.len().min(usize::from(u16::MAX)).saturating_sub(reserve);
        self.message(out, largest, self.messages == 0, 1).map(Some).ok_or(TooLarge)
    }

    /// The whole transfer in one message of at most `limit` octets, for UDP: if it does not fit, or is the
    /// whole zone, the one current SOA (RFC 1995 §2), from which the requester sees that it has to come back
    /// over TCP.
    pub fn datagram(
        envelope: Envelope,
        what: Outgoing,
        out: &mut [u8],
        limit: usize,
    ) -> Result<usize, TooLarge> {
        let zone = what.zone().clone();
        if !matches!(what, Outgoing::Whole(_)) {
            let mut sending = Self::new(envelope.clone(), what);
            if let Some(octets) = sending.message(out, limit, true, usize::MAX)
                && sending.is_done()
            {
                return Ok(octets);
            }
        }
        let mut sending = Self::new(envelope, Outgoing::Current(zone));
        sending.message(out, limit, true, usize::MAX).ok_or(TooLarge)
    }

    /// Writes a message of at most `limit` octets and at most `most` records; `None`, and nothing changed,
    /// if not even one record fits.
    fn message(
        &mut self,
        out: &mut [u8],
        limit: usize,
        is_first: bool,
        most: usize,
    ) -> Option<usize> {
        let bare = self.envelope.bare_opt();
        let (question, opt): (&[u8], &[u8]) = match is_first {
            true => (&self.envelope.question, &self.envelope.opt),
            false if self.envelope.opt.is_empty() => (&[], &[]),
            false => (&[], &bare),
        };
        let mut page = Page::new(out, limit, question)?;
        page.reserve(opt.len()).then_some(())?;
        let mut filling = Filling { page: &mut page, left: most };
        let place = filling.fill(&self.what, self.place.clone());
        if page.records == 0 {
            return None;
        }
        self.place = place;
        self.messages += 1;
        self.records += u64::from(page.records);
        Some(page.finish(&self.envelope.header, opt))
    }
}

//------------ Filling -------------------------------------------------------

/// A message that is filled up.
struct Filling<'p, 'o> {
    /// The message.
    page: &'p mut Page<'o>,
    /// Records that may still come in.
    left: usize,
}

impl Filling<'_, '_> {
    /// Puts records from `place` on until the message is full or the transfer at its end; where it is then.
    fn fill(&mut self, what: &Outgoing, mut place: Place) -> Place {
        loop {
            let full = match place {
                Place::Opening if self.put_soa(what) => Ok(after_opening(what)),
                Place::Closing if self.put_soa(what) => Ok(Place::End),
                // Full.
                Place::Opening | Place::Closing => Err(place),
                Place::Names { hashed, after, sent } => match what {
                    Outgoing::Whole(zone) => self.names(zone, hashed, after, sent),
                    _ => Ok(Place::Closing),
                },
                Place::Delta { index, added, sent } => match what {
                    Outgoing::Changes { deltas, .. } => self.delta(deltas, index, added, sent),
                    _ => Ok(Place::Closing),
                },
                Place::End => Err(Place::End),
            };
            match full {
                Ok(next) => place = next,
                Err(here) => return here,
            }
        }
    }

    /// Puts a record; see [`Page::put`].
    fn put(&mut self, record: RecordRef<'_>, owner: &mut Option<u16>) -> bool {
        let put = self.left > 0 && self.page.put(record, owner);
        self.left -= usize::from(put);
        put
    }

    /// The same for a stored record of this name.
    #[inline]
    fn put_stored(&mut self, name: NameRef<'_>, stored: &[u8], owner: &mut Option<u16>) -> bool {
        let put = self.left > 0 && self.page.put_stored(name, stored, owner);
        self.left -= usize::from(put);
        put
    }

    /// Puts the SOA record of what is sent.
    fn put_soa(&mut self, what: &Outgoing) -> bool {
        let zone = what.zone();
        let soa =
            zone.apex_node().rrset(Rtype::SOA).and_then(|set| set.records(zone.apex()).next());
        soa.is_some_and(|soa| self.put(soa, &mut None))
    }

    /// Puts names of a zone. `Err`: the message is full; `Ok`: all of them are in.
    fn names(
        &mut self,
        zone: &Zone,
        hashed: bool,
        mut after: Option<Name>,
        mut sent: usize,
    ) -> Result<Place, Place> {
        let nodes = match (&after, hashed) {
            (None, false) => zone.nodes(),
            (None, true) => zone.nsec3_nodes(),
            (Some(name), false) => zone.nodes_after(name.as_ref()),
            (Some(name), true) => zone.nsec3_nodes_after(name.as_ref()),
        };
        let mut last = None;
        for node in nodes {
            // The SOA record opens and closes the transfer.
            let records = node.stored().filter(|stored| stored.get(2..4) != Some(&SOA));
            let mut owner = None;
            for (index, stored) in records.enumerate().skip(std::mem::take(&mut sent)) {
                if !self.put_stored(node.owner(), stored, &mut owner) {
                    after = last.map(NameRef::to_name).or(after);
                    return Err(Place::Names { hashed, after, sent: index });
                }
            }
            last = Some(node.owner());
        }
        Ok(if hashed {
            Place::Closing
        } else {
            Place::Names { hashed: true, after: None, sent: 0 }
        })
    }

    /// Puts one part of a delta, whose SOA record is its first.
    fn delta(
        &mut self,
        deltas: &[Delta],
        index: usize,
        added: bool,
        mut sent: usize,
    ) -> Result<Place, Place> {
        let Some(delta) = deltas.get(index) else { return Ok(Place::Closing) };
        let part = if added { &delta.added } else { &delta.removed };
        let (mut owner, mut named): (Option<u16>, Option<NameRef<'_>>) = (None, None);
        let rest = part.get(sent..).unwrap_or_default();
        for record in rest.iter().map(Record::as_ref) {
            if named.is_none_or(|name| name.wire() != record.owner.wire()) {
                (owner, named) = (None, Some(record.owner));
            }
            if !self.put(record, &mut owner) {
                return Err(Place::Delta { index, added, sent });
            }
            sent += 1;
        }
        let index = index + usize::from(added);
        Ok(Place::Delta { index, added: !added, sent: 0 })
    }
}

/// What follows the SOA record that opens a transfer.
fn after_opening(what: &Outgoing) -> Place {
    match what {
        Outgoing::Whole(_) => Place::Names { hashed: false, after: None, sent: 0 },
        Outgoing::Changes { .. } => Place::Delta { index: 0, added: false, sent: 0 },
        Outgoing::Current(_) => Place::End,
    }
}
