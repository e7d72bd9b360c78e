//! What records a request may bring: type, data, TTL, combination. No officer may overrule it.

use super::application::{Kind, RequestedRecord};
use super::fault::{Fault, Rule};
use super::personal::holds_personal_number;
use super::reading::Reading;
use crate::wire::{Name, Rtype};

/// Records one request may bring.
pub const RECORDS_MAX: usize = 32;
/// Shortest TTL in seconds.
pub const TTL_MIN: u32 = 60;
/// Longest TTL in seconds: a week.
pub const TTL_MAX: u32 = 604_800;
/// The types the queue takes.
pub const TYPES_OFFERED: [Rtype; 13] = [
    Rtype::A,
    Rtype::AAAA,
    Rtype::CNAME,
    Rtype::MX,
    Rtype::TXT,
    Rtype::NS,
    Rtype::DS,
    Rtype::CAA,
    Rtype::SRV,
    Rtype::HTTPS,
    Rtype::SVCB,
    Rtype::TLSA,
    Rtype::SSHFP,
];

/// Faults in the records themselves that no officer may overrule: type, data, TTL, combination.
pub fn check_records(reading: &Reading) -> Vec<Fault> {
    let records = &reading.records;
    if !reading.kind.brings_records() {
        let unwanted = Fault::new("records", Rule::RecordsNotWanted, reading.kind.as_str());
        return if records.is_empty() { Vec::new() } else { vec![unwanted] };
    }
    if records.is_empty() {
        let expected = reading.hosting_by.as_deref().filter(|_| reading.kind == Kind::New);
        return vec![match expected {
            Some(day) => Fault::new("records", Rule::NoTargetYet, day),
            None => Fault::new("records", Rule::NoRecords, ""),
        }];
    }
    if records.len() > RECORDS_MAX {
        return vec![Fault::new("records", Rule::TooLong, RECORDS_MAX.to_string())];
    }
    let mut faults = Vec::new();
    for index in 0..records.len() {
        check_record(reading, index, &mut faults);
    }
    let is_cname = |record: &&RequestedRecord| offered_type(record) == Some(Rtype::CNAME);
    let cnames = records.iter().filter(is_cname).count();
    if cnames > 1 || (cnames == 1 && records.len() > 1) {
        faults.push(Fault::new("records", Rule::CnameWithOther, ""));
    }
    faults
}

/// The type of a record, if its mnemonic is among those the queue takes.
fn offered_type(record: &RequestedRecord) -> Option<Rtype> {
    let named = |rtype: &Rtype| {
        rtype.mnemonic().is_some_and(|word| word.eq_ignore_ascii_case(record.rtype.trim()))
    };
    TYPES_OFFERED.into_iter().find(named)
}

/// Whether the data of a type is text that people write.
fn is_text(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::TXT | Rtype::CAA)
}

/// The faults of one record, beside the earlier ones.
fn check_record(reading: &Reading, index: usize, faults: &mut Vec<Fault>) {
    let record = &reading.records[index];
    let at = |field: &str| format!("records.{index}.{field}");
    let Some(rtype) = offered_type(record) else {
        faults.push(Fault::new(at("type"), Rule::TypeNotOffered, &record.rtype));
        return;
    };
    if !(TTL_MIN..=TTL_MAX).contains(&record.ttl) {
        faults.push(Fault::new(at("ttl"), Rule::BadTtl, format!("{TTL_MIN}-{TTL_MAX}")));
    }
    let own = |name: &Name| reading.place().is_some_and(|place| place.name == *name);
    match reading.record(index) {
        Err(rule) => faults.push(Fault::new(at("data"), rule, &record.data)),
        Ok(parsed) if rtype == Rtype::CNAME && parsed.targets().iter().any(own) => {
            faults.push(Fault::new(at("data"), Rule::TargetIsSelf, &record.data));
        }
        Ok(_) if is_text(rtype) && holds_personal_number(&record.data) => {
            faults.push(Fault::new(at("data"), Rule::PersonalNumber, ""));
        }
        Ok(_) => {}
    }
    let earlier = || reading.records[..index].iter().filter(|it| offered_type(it) == Some(rtype));
    if earlier().any(|it| it.data.trim() == record.data.trim()) {
        faults.push(Fault::new(at("data"), Rule::DuplicateRecord, &record.data));
    }
    if earlier().any(|it| it.ttl != record.ttl) {
        faults.push(Fault::new(at("ttl"), Rule::TtlDiffers, rtype.to_string()));
    }
}
