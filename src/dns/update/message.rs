//! An UPDATE message as what it says: the zone, prerequisites, instructions (RFC 2136 §2, §3.2, §3.4.1).
//!
//! Total over any bytes. The form of both sections is judged here, so what was read can only fail by what
//! the zone holds.

use std::collections::BTreeMap;

use crate::wire::{Class, Header, Name, Opcode, Rcode, Reader, RecordHead, Rtype, received_ttl};

/// Records that prerequisites and instructions may have together.
pub const RECORDS_MAX: usize = 2_000;

//------------ Update --------------------------------------------------------

/// What an UPDATE message says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update {
    /// The apex of the zone to change.
    pub zone: Name,
    /// What must hold, in the order of the message; those about whole RRsets come last (RFC 2136 §3.2.3).
    pub prerequisites: Vec<Prerequisite>,
    /// What is to be done, in the order of the message.
    pub instructions: Vec<Instruction>,
}

/// What must hold before anything is changed (RFC 2136 §2.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Prerequisite {
    /// The name owns a record.
    NameInUse(Name),
    /// It owns none.
    NameNotInUse(Name),
    /// There is an RRset of the type, whatever its records.
    RrsetExists(Name, Rtype),
    /// There is none.
    RrsetAbsent(Name, Rtype),
    /// The RRset has exactly these records; the TTL does not count.
    RrsetIs(Name, Rtype, Vec<Box<[u8]>>),
}

/// One step of the change (RFC 2136 §2.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Instruction {
    /// Adds a record.
    Add {
        /// The owner.
        owner: Name,
        /// The type.
        rtype: Rtype,
        /// The TTL of the whole RRset from then on.
        ttl: u32,
        /// RDATA, uncompressed.
        rdata: Box<[u8]>,
    },
    /// Deletes an RRset.
    DeleteRrset(Name, Rtype),
    /// Deletes all RRsets of a name.
    DeleteName(Name),
    /// Deletes a record.
    DeleteRecord(Name, Rtype, Box<[u8]>),
}

impl Prerequisite {
    /// The name it is about.
    pub fn owner(&self) -> &Name {
        match self {
            Self::NameInUse(owner)
            | Self::NameNotInUse(owner)
            | Self::RrsetExists(owner, _)
            | Self::RrsetAbsent(owner, _)
            | Self::RrsetIs(owner, ..) => owner,
        }
    }

    /// The type it is about; none: any.
    pub fn rtype(&self) -> Option<Rtype> {
        match self {
            Self::NameInUse(_) | Self::NameNotInUse(_) => None,
            Self::RrsetExists(_, rtype)
            | Self::RrsetAbsent(_, rtype)
            | Self::RrsetIs(_, rtype, _) => Some(*rtype),
        }
    }
}

impl Instruction {
    /// The name it changes.
    pub fn owner(&self) -> &Name {
        match self {
            Self::Add { owner, .. }
            | Self::DeleteRrset(owner, _)
            | Self::DeleteName(owner)
            | Self::DeleteRecord(owner, ..) => owner,
        }
    }

    /// The type it changes; none: all there are.
    pub fn rtype(&self) -> Option<Rtype> {
        match self {
            Self::Add { rtype, .. }
            | Self::DeleteRrset(_, rtype)
            | Self::DeleteRecord(_, rtype, _) => Some(*rtype),
            Self::DeleteName(_) => None,
        }
    }
}

//------------ Reading -------------------------------------------------------

impl Update {
    /// Reads a message. Other records of the additional section than OPT are skipped: nothing uses them.
    pub fn read(message: &[u8]) -> Result<Self, UpdateFault> {
        let header = Header::of_query(message).ok_or(UpdateFault::Message)?;
        if header.opcode() != Opcode::UPDATE {
            return Err(UpdateFault::Message);
        }
        let mut reader = Reader::new(message);
        // RFC 2136 §3.1.1: one zone, written as a question for its SOA.
        let (zone, rtype, class) = (header.questions == 1)
            .then(|| reader.question())
            .flatten()
            .ok_or(UpdateFault::Zone)?;
        if rtype != Rtype::SOA {
            return Err(UpdateFault::Zone);
        }
        if class != Class::IN {
            return Err(UpdateFault::Class(class));
        }
        if usize::from(header.answers) + usize::from(header.authorities) > RECORDS_MAX {
            return Err(UpdateFault::TooMany);
        }
        let mut update = Self { zone, prerequisites: Vec::new(), instructions: Vec::new() };
        let mut wanted = Wanted::default();
        let mut outside = None;
        for place in 0..header.answers {
            let head = reader.head().map_err(|_| UpdateFault::Prerequisite(place))?;
            let found =
                prerequisite(&reader, head, &mut wanted).ok_or(UpdateFault::Prerequisite(place))?;
            outside = outside.or_else(|| update.outside(&found.1));
            update.prerequisites.extend(found.0);
        }
        for place in 0..header.authorities {
            let head = reader.head().map_err(|_| UpdateFault::Instruction(place))?;
            let found = instruction(&reader, head).ok_or(UpdateFault::Instruction(place))?;
            outside = outside.or_else(|| update.outside(found.owner()));
            update.instructions.push(found);
        }
        rest(&mut reader, header.additionals).ok_or(UpdateFault::Additional)?;
        if let Some(name) = outside {
            return Err(UpdateFault::OutOfZone(name));
        }
        update.prerequisites.extend(wanted.prerequisites());
        Ok(update)
    }

    /// The name, if it is outside of the zone.
    fn outside(&self, name: &Name) -> Option<Name> {
        (!name.as_ref().is_at_or_below(self.zone.as_ref())).then(|| name.clone())
    }
}

/// The RRsets that prerequisites want exactly, put together from their records.
#[derive(Default)]
struct Wanted {
    /// Where an owner and type are in the list.
    places: BTreeMap<(Name, Rtype), usize>,
    /// In the order in which the message first names them.
    sets: Vec<(Name, Rtype, Vec<Box<[u8]>>)>,
}

impl Wanted {
    /// Takes a record in.
    fn add(&mut self, owner: Name, rtype: Rtype, rdata: Box<[u8]>) {
        let place = *self.places.entry((owner.clone(), rtype)).or_insert(self.sets.len());
        if place == self.sets.len() {
            self.sets.push((owner, rtype, Vec::new()));
        }
        if let Some((_, _, rdatas)) = self.sets.get_mut(place) {
            rdatas.push(rdata);
        }
    }

    /// The prerequisites that they are.
    fn prerequisites(self) -> impl Iterator<Item = Prerequisite> {
        self.sets.into_iter().map(|(owner, rtype, set)| Prerequisite::RrsetIs(owner, rtype, set))
    }
}

/// One record of the prerequisites (RFC 2136 §3.2.4), and its owner; none if its form is wrong. One with data is
/// left in `wanted`.
fn prerequisite(
    reader: &Reader<'_>,
    head: RecordHead,
    wanted: &mut Wanted,
) -> Option<(Option<Prerequisite>, Name)> {
    let owner = head.owner.clone();
    if head.ttl != 0 || is_of_messages(head.rtype) {
        return None;
    }
    let rtype = head.rtype;
    let found = match head.class {
        Class::IN => {
            // No zone has such data, so no RRset of it can be right.
            let rdata = (!rtype.is_meta()).then(|| reader.rdata(&head).ok()).flatten()?;
            wanted.add(head.owner, rtype, rdata);
            return Some((None, owner));
        }
        Class::ANY | Class::NONE if !head.at.is_empty() => return None,
        Class::ANY if rtype == Rtype::ANY => Prerequisite::NameInUse(head.owner),
        Class::ANY => Prerequisite::RrsetExists(head.owner, rtype),
        Class::NONE if rtype == Rtype::ANY => Prerequisite::NameNotInUse(head.owner),
        Class::NONE => Prerequisite::RrsetAbsent(head.owner, rtype),
        _ => return None,
    };
    Some((Some(found), owner))
}

/// One record of the updates (RFC 2136 §3.4.1.2, §3.4.1.3); none if its form is wrong.
fn instruction(reader: &Reader<'_>, head: RecordHead) -> Option<Instruction> {
    let rtype = head.rtype;
    if rtype.is_meta() && (rtype != Rtype::ANY || head.class != Class::ANY) {
        return None;
    }
    match head.class {
        Class::IN => {
            let rdata = reader.rdata(&head).ok()?;
            let ttl = received_ttl(head.ttl);
            Some(Instruction::Add { owner: head.owner, rtype, ttl, rdata })
        }
        Class::ANY | Class::NONE if head.ttl != 0 => None,
        Class::ANY if !head.at.is_empty() => None,
        Class::ANY if rtype == Rtype::ANY => Some(Instruction::DeleteName(head.owner)),
        Class::ANY => Some(Instruction::DeleteRrset(head.owner, rtype)),
        Class::NONE => {
            let rdata = reader.rdata(&head).ok()?;
            Some(Instruction::DeleteRecord(head.owner, rtype, rdata))
        }
        _ => None,
    }
}

/// Whether a type belongs to messages and is only right in the additional section.
fn is_of_messages(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::OPT | Rtype::TSIG)
}

/// Reads the additional section to its end; none if it is not well formed.
fn rest(reader: &mut Reader<'_>, count: u16) -> Option<()> {
    let mut has_opt = false;
    for _ in 0..count {
        let head = reader.head().ok()?;
        if head.rtype == Rtype::OPT {
            reader.opt(&head).filter(|_| !has_opt)?;
            has_opt = true;
        }
    }
    reader.is_at_end().then_some(())
}

//------------ UpdateFault ---------------------------------------------------

/// Why a message is no update of ours; the variants are the reaction ([`UpdateFault::rcode`]).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UpdateFault {
    /// It is shorter than a header, a response, or of another opcode.
    #[error("the message is no UPDATE")]
    Message,
    /// The zone section is not one question for an SOA record.
    #[error("the zone section is not one SOA question")]
    Zone,
    /// The zone is of a class that we have no zones of.
    #[error("the zone is of class {0}")]
    Class(Class),
    /// A prerequisite, counted from 0, is malformed.
    #[error("prerequisite {0} is malformed")]
    Prerequisite(u16),
    /// A record of the update section, counted from 0, is malformed.
    #[error("record {0} of the update section is malformed")]
    Instruction(u16),
    /// The additional section is malformed, or octets are behind it.
    #[error("the additional section is malformed")]
    Additional,
    /// A name is not in the zone.
    #[error("{0} is not in the zone")]
    OutOfZone(Name),
    /// There are more records than are taken at once.
    #[error("an update has at most {RECORDS_MAX} records")]
    TooMany,
}

impl UpdateFault {
    /// The response code.
    pub fn rcode(&self) -> Rcode {
        match self {
            Self::Class(_) => Rcode::NOTAUTH,
            Self::OutOfZone(_) => Rcode::NOTZONE,
            Self::TooMany => Rcode::REFUSED,
            Self::Message
            | Self::Zone
            | Self::Prerequisite(_)
            | Self::Instruction(_)
            | Self::Additional => Rcode::FORMERR,
        }
    }
}
