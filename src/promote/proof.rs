//! The proof of a promotion: what our own sockets answered before and after.

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::publish::{Confirmation, Observation, Publisher, Refuted, Secondary};
use crate::queue::PromotionFault;
use crate::wire::{Name, NameRef, Rtype, has_reached};
use crate::zone::Zone;

/// What is kept with the request and shown to the applicant (docs/procedure.md, "Promotion").
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Proof {
    /// The answer before.
    pub before: Option<Observation>,
    /// The first answer after.
    pub after: Option<Observation>,
    /// The serial that carries it.
    pub serial: u32,
    /// Every question and answer of the read-back.
    pub asked: Vec<Observation>,
    /// The command that repeats the first question.
    pub dig: String,
    /// Seconds for which an old "not found" may linger in caches (SOA minimum, RFC 2308).
    #[serde(default)]
    pub lingers: u32,
    /// The records were served already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
    /// The zone's secondaries, as they answered within a moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondaries: Vec<Reached>,
    /// What was wrong, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PromotionFault>,
}

/// A secondary, as it answered when the proof was kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Reached {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// The serial that it answered last; none: it did not answer with one.
    pub serial: Option<u32>,
    /// Whether it had the change in time for the proof. Later is no error.
    pub in_time: bool,
}

impl Proof {
    /// The proof of a plan by what our own sockets said.
    pub(super) fn new(plan: &Plan, said: &Confirmation, publisher: &Publisher) -> Self {
        let zone = plan.zone.parse::<Name>().ok().and_then(|zone| publisher.content(&zone));
        Self {
            before: plan.before.clone(),
            after: said.asked.first().cloned(),
            serial: plan.serial,
            asked: said.asked.clone(),
            dig: dig(zone.as_ref(), plan),
            lingers: zone.as_ref().map_or(0, |zone| zone.soa().negative_ttl()),
            already: plan.already,
            secondaries: Vec::new(),
            fault: said.refuted.as_ref().map(fault_of),
        }
    }
}

impl Reached {
    /// A secondary that was to have this serial.
    pub(super) fn of(secondary: Secondary, wanted: u32) -> Self {
        let Secondary { name, address, serial, .. } = secondary;
        Self { name, address, serial, in_time: serial.is_some_and(|it| has_reached(it, wanted)) }
    }
}

/// The fault of a promotion that our own sockets refuted.
fn fault_of(refuted: &Refuted) -> PromotionFault {
    let Refuted { question, expected, found } = refuted.clone();
    PromotionFault { step: "read_back".to_owned(), question, expected, found }
}

/// The command that repeats the first question from anywhere: it asks a name server of the zone, and never an
/// address that only this machine knows.
fn dig(zone: Option<&Zone>, plan: &Plan) -> String {
    let servers = zone.and_then(|zone| zone.apex_node().rrset(Rtype::NS));
    let mut servers = servers.into_iter().flat_map(|set| set.rdatas());
    let server = servers.find_map(|rdata| Some(NameRef::from_wire(rdata).ok()?.0.to_name()));
    let server = server.map(|name| format!("@{} ", name.to_string().trim_end_matches('.')));
    let server = server.unwrap_or_default();
    match plan.expected.first() {
        Some(set) => format!("dig {server}+norecurse {} {}", set.owner, set.rtype),
        None => format!("dig {server}+norecurse {} SOA", plan.zone),
    }
}
