//! Checks that our own sockets answer as they must after a change.
//!
//! Without expectations a change is confirmed by its serial: every address returns it, over UDP, or TCP if
//! the UDP response was truncated or lost. With expectations every address is queried over UDP and TCP for
//! each of them and for the serial, and every query and answer is recorded.

use std::fmt;
use std::time::Duration;

use super::sockets::{Answer, Content, Observation, Sockets};
use crate::dns_client::Transport;

use crate::wire::{Name, Rcode, Record, Rtype, has_reached, rdata};
use crate::zone::ZoneSet;

/// How long the question for a serial may take over each transport.
const SERIAL_TIMEOUT: Duration = Duration::from_secs(2);

//------------ Expectation ---------------------------------------------------

/// An RRset that must be answered, or its absence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The owner.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
    /// RDATA, uncompressed. Empty: NXDOMAIN or no data.
    pub rdatas: Vec<Box<[u8]>>,
}

impl Expectation {
    /// Whether an answer is as expected.
    fn is_met(&self, answer: &Answer) -> bool {
        match &answer.content {
            None => false,
            // What does not fit is asked for over TCP anyway.
            Some(content) if content.truncated => answer.transport == Transport::Udp,
            Some(content) if self.rdatas.is_empty() => self.is_absent(content),
            Some(content) => {
                content.rcode == Rcode::NOERROR
                    && (self.is_all_of(&content.answer)
                        || (self.rtype == Rtype::NS && self.is_all_of(&content.authority)))
            }
        }
    }

    /// Whether a response says that there is no such RRset.
    fn is_absent(&self, content: &Content) -> bool {
        content.rcode == Rcode::NXDOMAIN
            || (content.rcode == Rcode::NOERROR && self.found(&content.answer).next().is_none())
    }

    /// Whether a section holds exactly this RRset. Case does not matter where DNSSEC's canonical
    /// form says so.
    fn is_all_of(&self, section: &[Record]) -> bool {
        let found: Vec<_> = self.found(section).collect();
        let wanted = |rdata: &[u8]| {
            let wanted = rdata::canonical(self.rtype, rdata);
            found.iter().any(|found| rdata::canonical(self.rtype, found) == wanted)
        };
        found.len() == self.rdatas.len() && self.rdatas.iter().all(|rdata| wanted(rdata))
    }

    /// The RDATA of the owner and type in a section.
    fn found<'s>(&'s self, section: &'s [Record]) -> impl Iterator<Item = &'s [u8]> {
        section
            .iter()
            .filter(|record| record.rtype == self.rtype && record.owner == self.owner)
            .map(|record| &*record.rdata)
    }
}

/// What should come, in words.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rdatas.is_empty() {
            return f.write_str("NXDOMAIN or no data");
        }
        for (index, rdata) in self.rdatas.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", rdata::to_text(self.rtype, rdata))?;
        }
        Ok(())
    }
}

/// Those of a zone's expectations that it answers itself. Where the child of a delegation is served here, too, the
/// child answers for its names; only for the DS is the parent asked (RFC 4035 §3.1.4.1).
pub(crate) fn answered_by(live: &ZoneSet, zone: &Name, all: &[Expectation]) -> Vec<Expectation> {
    let is_own = |it: &&Expectation| {
        let found = match it.rtype {
            Rtype::DS => it.owner.as_ref().parent().unwrap_or(it.owner.as_ref()),
            _ => it.owner.as_ref(),
        };
        live.find(found).is_none_or(|entry| entry.apex() == zone.as_ref())
    };
    all.iter().filter(is_own).cloned().collect()
}

//------------ Confirmation --------------------------------------------------

/// What our own sockets said about a change.
#[derive(Clone, Debug, Default)]
pub struct Confirmation {
    /// Every question and answer, in order.
    pub asked: Vec<Observation>,
    /// The first answer that was wrong; none: the change is confirmed.
    pub refuted: Option<Refuted>,
}

/// An answer that was not as it must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refuted {
    /// What was asked, of whom and how.
    pub question: String,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub found: String,
}

/// One line for logs and the history.
impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { question, expected, found } = self;
        write!(f, "asked {question}: {found}, not {expected}")
    }
}

impl Refuted {
    /// A wrong answer.
    fn new(answer: &Answer, expected: &dyn fmt::Display) -> Self {
        let Observation { question, server, transport, rcode, error, .. } = &answer.asked;
        let found = match error {
            Some(error) => error.clone(),
            None => format!("{rcode} {}", answer.asked.answer.join(" | ")).trim().to_owned(),
        };
        let question = format!("{question} @{server} {transport}");
        Self { question, expected: expected.to_string(), found }
    }
}

impl Confirmation {
    /// Keeps an answer; breaks off if it is wrong.
    fn note(&mut self, answer: Answer, good: bool, expected: &dyn fmt::Display) -> Option<()> {
        if !good {
            self.refuted = Some(Refuted::new(&answer, expected));
        }
        self.asked.push(answer.asked);
        good.then_some(())
    }
}

/// The serial that must be answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SerialExpected {
    /// This one: nobody else can have changed the zone meanwhile.
    Exactly(u32),
    /// This one, or a later one that another change made since.
    AtLeast(u32),
}

impl SerialExpected {
    /// Whether an answer shows it.
    fn is_met(self, answer: &Answer) -> bool {
        let found = answer.content.as_ref().and_then(|content| content.serial);
        match self {
            Self::Exactly(serial) => found == Some(serial),
            Self::AtLeast(serial) => found.is_some_and(|found| has_reached(found, serial)),
        }
    }
}

impl fmt::Display for SerialExpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(serial) => write!(f, "serial {serial}"),
            Self::AtLeast(serial) => write!(f, "serial {serial} or a later one"),
        }
    }
}

impl Sockets {
    /// Asks every address whether it answers a zone with the serial and all that is expected; stops
    /// at the first answer that is wrong.
    pub fn confirm(
        &self,
        zone: &Name,
        serial: SerialExpected,
        expect: &[Expectation],
        now_ms: i64,
    ) -> Confirmation {
        let mut confirmation = Confirmation::default();
        // The answer is in `confirmation`, complete or broken off.
        let _ = if expect.is_empty() {
            self.confirm_serial(zone, serial, now_ms, &mut confirmation)
        } else {
            self.confirm_all(zone, serial, expect, now_ms, &mut confirmation)
        };
        confirmation
    }

    /// Asks every address for the serial.
    fn confirm_serial(
        &self,
        zone: &Name,
        serial: SerialExpected,
        now_ms: i64,
        confirmation: &mut Confirmation,
    ) -> Option<()> {
        self.servers().into_iter().try_for_each(|server| {
            let answer = self.ask_either(server, zone, Rtype::SOA, SERIAL_TIMEOUT, now_ms);
            let good = serial.is_met(&answer);
            confirmation.note(answer, good, &serial)
        })
    }

    /// Asks every address over every transport for everything.
    fn confirm_all(
        &self,
        zone: &Name,
        serial: SerialExpected,
        expect: &[Expectation],
        now_ms: i64,
        confirmation: &mut Confirmation,
    ) -> Option<()> {
        let servers = self.servers();
        let ways = servers.iter().flat_map(|server| {
            [Transport::Udp, Transport::Tcp].map(|transport| (*server, transport))
        });
        for (server, transport) in ways {
            for one in expect {
                let answer = self.ask(server, transport, &one.owner, one.rtype, now_ms);
                let good = one.is_met(&answer);
                confirmation.note(answer, good, one)?;
            }
            let answer = self.ask(server, transport, zone, Rtype::SOA, now_ms);
            // What is cut over UDP is asked for over TCP anyway.
            let cut = transport == Transport::Udp
                && answer.content.as_ref().is_some_and(|content| content.truncated);
            let good = cut || serial.is_met(&answer);
            confirmation.note(answer, good, &serial)?;
        }
        Some(())
    }
}
