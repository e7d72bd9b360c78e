//! A response under construction: header, question, sections in wire order, OPT last.

use crate::wire::header::{FLAG_AA, FLAG_TC};
use crate::wire::{Edns, HEADER_OCTETS, NameRef, POINTER_MAX, Query, Rcode, Writer};
use crate::zone::Zone;

use super::options::Options;
use super::peer::{Ede, Facts, Identity, Peer, ResponseKind, Transport};

/// Octets before the question: where a pointer to the QNAME points.
pub(crate) const QNAME_OFFSET: u16 = HEADER_OCTETS as u16;
/// Names that are remembered as targets of pointers, besides the QNAME.
const SPELLED_MAX: usize = 4;
/// The UDP limit of a client without EDNS (RFC 1035 §4.2.1).
const PLAIN_UDP_OCTETS: u16 = 512;

/// Octets a response may have: over UDP what both sides take (RFC 6891 §6.2.5).
#[inline]
pub fn octets_max(edns: Option<&Edns<'_>>, transport: Transport, identity: &Identity) -> usize {
    usize::from(match (transport, edns) {
        (Transport::Udp, None) => PLAIN_UDP_OCTETS,
        (Transport::Udp, Some(edns)) => edns.udp_size.min(identity.udp_size).max(PLAIN_UDP_OCTETS),
        _ => u16::MAX,
    })
}

//------------ Section -------------------------------------------------------

/// A section of records, by its place among the header's counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Section {
    /// The answer section.
    Answer = 1,
    /// The authority section.
    Authority = 2,
    /// The additional section.
    Additional = 3,
}

//------------ Spelled -------------------------------------------------------

/// A name that was written with labels of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Spelled {
    /// Where it starts.
    offset: u16,
    /// Octets of the whole name; 0 if there is none.
    octets: u8,
}

//------------ Reply ---------------------------------------------------------

/// A response under construction. `'m` is the life of the query and of the zone, whose names it
/// points back to.
#[derive(Debug)]
pub(crate) struct Reply<'m, 'o> {
    /// Where it is written.
    pub(crate) writer: Writer<'o>,
    /// The identifier.
    id: u16,
    /// The header's flags so far.
    pub(crate) flags: u16,
    /// The response code so far.
    pub(crate) rcode: Rcode,
    /// The extended error so far.
    pub(crate) ede: Option<Ede>,
    /// The text of the extended error in the place of its usual one; empty: that one.
    pub(crate) note: &'m str,
    /// Entries of the sections.
    pub(crate) counts: [u16; 4],
    /// The OPT record to come.
    options: Option<Options<'m>>,
    /// The zone that answers: its serial and its time left may be among the options.
    pub(crate) zone: Option<&'m Zone>,
    /// The QNAME as written at offset 12; the root if there was no question.
    qname: NameRef<'m>,
    /// The names written last: what others may point to besides the QNAME.
    spelled: [Spelled; SPELLED_MAX],
    /// Which of them is the oldest.
    spelled_next: usize,
}

impl<'m, 'o> Reply<'m, 'o> {
    /// Starts the response to `query`: the question is repeated byte for byte, the room for OPT
    /// taken. `None` if `out` is too small even for that.
    // A call would keep the writer in memory, where each response waits for it.
    #[inline(always)]
    pub(crate) fn start(
        query: &Query<'m>,
        message: &[u8],
        facts: &Facts,
        identity: &'m Identity,
        peer: &Peer<'_>,
        out: &'o mut [u8],
    ) -> Option<Self> {
        let limit = octets_max(query.edns.as_ref(), peer.transport, identity);
        let mut writer = Writer::new(out, limit)?;
        let mut qname = NameRef::ROOT;
        if let Some(question) = &query.question {
            let start = usize::from(QNAME_OFFSET);
            if !writer.put(&message[start..start + question.octets()]) {
                return None;
            }
            qname = question.name;
        }
        let options = match &query.edns {
            Some(edns) => Some(Options::reserve(edns, facts.cookie, identity, peer, &mut writer)?),
            None => None,
        };
        Some(Self {
            writer,
            id: query.header.id,
            flags: query.header.response_flags(),
            rcode: Rcode::NOERROR,
            ede: None,
            note: "",
            counts: [u16::from(query.question.is_some()), 0, 0, 0],
            options,
            zone: None,
            qname,
            spelled: [Spelled::default(); SPELLED_MAX],
            spelled_next: 0,
        })
    }

    /// Marks the response as one of an error.
    pub(crate) fn error(&mut self, rcode: Rcode, ede: Option<Ede>) {
        self.rcode = rcode;
        self.ede = ede;
    }

    /// Sets AA.
    pub(crate) fn set_authoritative(&mut self) {
        self.flags |= FLAG_AA;
    }

    /// Leaves padding out: the records are written elsewhere.
    pub(crate) fn leave_out_padding(&mut self) {
        if let Some(options) = &mut self.options {
            options.leave_out_padding();
        }
    }

    /// Sets TC.
    pub(crate) fn set_truncated(&mut self) {
        self.flags |= FLAG_TC;
    }

    /// Writes OPT and the header; returns the octets of the message.
    #[inline]
    pub(crate) fn finish(&mut self, facts: &mut Facts, kind: ResponseKind) -> usize {
        if let Some(options) = self.options.take() {
            options.write(&mut self.writer, self.rcode, (self.ede, self.note), self.zone);
            self.counts[Section::Additional as usize] += 1;
        }
        facts.rcode = self.rcode;
        facts.ede = self.ede;
        facts.authoritative = self.flags & FLAG_AA != 0;
        facts.truncated = self.flags & FLAG_TC != 0;
        facts.serial = self.zone.map(Zone::serial);
        facts.kind = kind;
        self.writer.finish(self.id, self.flags | self.rcode.0 & 0x0f, self.counts)
    }

    //--- Names

    /// The QNAME; the root if there was no question.
    pub(crate) fn qname(&self) -> NameRef<'m> {
        self.qname
    }

    /// Writes a name as RDATA: what it points to has exactly its bytes, so the zone's case is kept
    /// whatever the case of the query.
    pub(crate) fn put_rdata_name(&mut self, name: &[u8]) -> bool {
        self.put_name(name, true)
    }

    /// Writes an owner name; its case follows the query's where they share labels.
    pub(crate) fn put_owner_name(&mut self, name: &[u8]) -> bool {
        self.put_name(name, false)
    }

    /// Writes a name: the labels that are not in the message yet, then a pointer to those that are.
    fn put_name(&mut self, name: &[u8], exact: bool) -> bool {
        let start = self.writer.len();
        let (own, put) = match self.longest_tail(name, exact) {
            Some((at, offset)) => {
                (at, self.writer.put(&name[..at]) && self.writer.put_pointer(offset))
            }
            None => (name.len() - 1, self.writer.put(name)),
        };
        if put && own > 0 && start <= POINTER_MAX {
            let spelled = Spelled { offset: start as u16, octets: name.len() as u8 };
            self.spelled[self.spelled_next] = spelled;
            self.spelled_next = (self.spelled_next + 1) % SPELLED_MAX;
        }
        put
    }

    /// The longest end of `name` that is already in the QNAME or in one of the few names that are
    /// remembered: where it begins in `name`, and its offset. One walk over each of them, never a
    /// search through the message (RUSTSEC-2026-0119).
    fn longest_tail(&self, name: &[u8], exact: bool) -> Option<(usize, u16)> {
        let in_qname = self.tail_in_qname(name, exact);
        // Most names end here: the whole of them is in the QNAME.
        if let Some((0, _)) = in_qname {
            return in_qname;
        }
        let remembered = self.spelled.iter().filter(|known| known.octets > 1);
        in_qname
            .into_iter()
            .chain(
                remembered
                    .filter_map(|known| common_tail(self.writer.written(), *known, name, exact)),
            )
            .min_by_key(|(at, _)| *at)
    }

    /// The longest end of `name` that is the end of the QNAME too. The QNAME is in one piece, so
    /// one comparison of octets for each label is enough, and quick.
    fn tail_in_qname(&self, name: &[u8], exact: bool) -> Option<(usize, u16)> {
        let qname = self.qname.wire();
        let mut at = 0;
        while name.len() - at > 1 {
            if let Some(above) = qname.len().checked_sub(name.len() - at)
                && same(&qname[above..], &name[at..], exact)
            {
                return Some((at, QNAME_OFFSET + above as u16));
            }
            at += 1 + usize::from(name[at]);
        }
        None
    }

    /// Takes back what was written after `mark`.
    pub(crate) fn rewind(&mut self, mark: usize) {
        self.writer.rewind(mark);
        for spelled in self.spelled.iter_mut().filter(|known| usize::from(known.offset) >= mark) {
            *spelled = Spelled::default();
        }
    }
}

/// The longest end that `name` has in common with a name of the message: where it begins in `name`, and
/// the offset of its first label that a pointer can reach.
fn common_tail(message: &[u8], known: Spelled, name: &[u8], exact: bool) -> Option<(usize, u16)> {
    let (mut offset, mut theirs_left) = (usize::from(known.offset), usize::from(known.octets));
    let (mut at, mut found) = (0, None);
    loop {
        // Pointers only lead back, and every other round leaves a label behind.
        let high = *message.get(offset)?;
        if high >= 0xc0 {
            let low = *message.get(offset + 1)?;
            let target = usize::from(u16::from_be_bytes([high & 0x3f, low]));
            if target >= offset {
                return found;
            }
            offset = target;
            continue;
        }
        let ours_left = name.len() - at;
        if ours_left <= 1 || theirs_left <= 1 {
            return found;
        }
        let (ours, theirs) = (1 + usize::from(name[at]), 1 + usize::from(high));
        let label = message.get(offset..offset + theirs)?;
        // Only where both have as many octets to come can all of them be the same.
        if ours_left == theirs_left && same(&name[at..at + ours], label, exact) {
            if found.is_none() && offset <= POINTER_MAX {
                found = Some((at, offset as u16));
            }
        } else {
            found = None;
        }
        if ours_left >= theirs_left {
            at += ours;
        }
        if theirs_left >= ours_left {
            offset += theirs;
            theirs_left = theirs_left.saturating_sub(theirs);
        }
    }
}

/// Whether two runs of labels are the same, byte for byte or but for the case of letters.
#[inline]
fn same(a: &[u8], b: &[u8], exact: bool) -> bool {
    if exact { a == b } else { a.eq_ignore_ascii_case(b) }
}
