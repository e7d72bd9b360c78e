//! Numbers a proposal: the serial, its ZONEMD record (RFC 8976), the change, and the zone's rows. The only
//! place that makes a [`Change`].

use super::proposal::{FileFate, Next, Numbering, Proposal, SigningFate};
use super::sign::{Unsigned, difference, version};
use crate::publish::state::serial::later;
use crate::publish::state::{Change, Inner, PublishError, RowEdit, Version, ZoneState};
use crate::store::zones::ZoneRow;
use crate::wire::{Class, Name, NameRef, Record, Rtype};
use crate::zone::{ApplyError, Delta, Zone};

//------------ Numbered ------------------------------------------------------

/// A proposal with its serial, ready for the transaction.
pub(crate) struct Numbered {
    /// The next version; none if nothing that is served changes.
    pub(super) next: Option<Version>,
    /// From which serial to which, by what and whom.
    pub(crate) change: Change,
    /// Promoted RRsets and masks that change with it.
    pub(super) overlay: Vec<RowEdit>,
    /// What becomes of keys and signatures.
    pub(super) signing: SigningFate,
    /// What is kept of the zone from now on.
    pub(super) row: ZoneRow,
    /// Whether the file on disk counts as rolled back from now on.
    pub(super) is_held: bool,
}

/// Numbers a proposal for a zone in this state. Nothing is given out yet.
pub(crate) fn number<R>(
    inner: &Inner,
    state: &ZoneState,
    proposal: &Proposal<R>,
) -> Result<Numbered, PublishError> {
    let serial = |live| match proposal.serial {
        Numbering::Exactly(serial) => serial,
        Numbering::Next => inner.next_serial(state, live, proposal.at_ms),
    };
    let live = state.zone.as_ref();
    let from = before(state, &proposal.serial);
    let make = |content, delta, serial| {
        let unsigned = Unsigned { content, delta, serial, at_ms: proposal.at_ms };
        version(inner, state, &proposal.signing, &unsigned)
    };
    let (next, delta) = match &proposal.next {
        Next::Same => (None, Delta::default()),
        Next::Edited { zone, content } => {
            let (live, from) = live.zip(from).ok_or_else(|| not_loaded(state))?;
            let next = make(zone, Some(content), serial(from))?;
            let delta = match (&state.signed, &next.signed) {
                (None, None) => with_head(state, live, &next.content, content)?,
                (served, _) => difference(served.as_ref().unwrap_or(live), next.served())?,
            };
            (Some(next), delta)
        }
        Next::Whole(zone) => {
            let from = from.unwrap_or_else(|| zone.serial());
            (Some(make(zone, None, serial(from))?), Delta::default())
        }
    };
    let to = next
        .as_ref()
        .map(|next| next.served().serial())
        .or(from)
        .ok_or_else(|| not_loaded(state))?;
    let change = Change {
        zone: state.source.apex.clone(),
        from,
        to,
        delta,
        cause: proposal.cause.clone(),
        who: proposal.who.clone(),
        at_ms: proposal.at_ms,
    };
    let node = inner.store.is_shared().then_some(&inner.options.node.name);
    let mut row = row(state, &proposal.file, &change, node)?;
    if let Some(next) = &next {
        let has_own = if next.signed.is_some() {
            state.source.zonemd
        } else {
            state.source.makes_zonemd(&next.content)
        };
        row.own_zonemd = Some(has_own);
        if next.signed.is_some() && state.source.is_secondary() {
            row.file_serial = Some(next.content.serial());
            row.high_water = state.row.as_ref().map_or(to, |old| later(old.high_water, to));
        }
    }
    let is_held = match proposal.file {
        FileFate::Kept => state.is_held,
        FileFate::Accepted(_) | FileFate::Transferred => false,
        FileFate::Held => true,
    };
    let signing = match (&proposal.signing, &state.signing) {
        // The database has an older state of the keys than the zone is signed by from now on.
        (SigningFate::Kept | SigningFate::Renewed(_), Some(signing)) if state.signs_anew => {
            SigningFate::Replaced(Box::new(signing.clone()))
        }
        (fate, _) => fate.clone(),
    };
    let overlay = proposal.overlay.clone();
    Ok(Numbered { next, change, overlay, signing, row, is_held })
}

/// The serial that a change begins at. A transfer begins anew if only the row of the zone is left: the primary may send
/// the same serial again, which would otherwise count as no change.
fn before(state: &ZoneState, numbering: &Numbering) -> Option<u32> {
    let of_row = state.row.as_ref().filter(|row| {
        row.copy_seq.is_some()
            || matches!(numbering, Numbering::Next)
            || !state.source.is_secondary()
    });
    state.serial().or_else(|| of_row.map(|row| row.serial))
}

/// What is kept of the zone with the change.
fn row(
    state: &ZoneState,
    file: &FileFate,
    change: &Change,
    node: Option<&String>,
) -> Result<ZoneRow, PublishError> {
    let old = state.row.as_ref();
    let mut row = match (old, file) {
        (_, FileFate::Accepted(file)) => ZoneRow {
            serial: change.to,
            high_water: old.map_or(change.to, |row| row.high_water),
            file_serial: Some(file.serial),
            file_hash: Some(file.hash.clone()),
            held_hash: None,
            marker: file.marker,
            zonemd: file.zonemd,
            marked_includes: file.marked_includes.clone(),
            copy_seq: old.and_then(|row| row.copy_seq),
            changed_ms: old.map_or(change.at_ms, |row| row.changed_ms),
            own_zonemd: old.and_then(|row| row.own_zonemd),
            file_node: node.cloned(),
        },
        (_, FileFate::Transferred) => ZoneRow {
            serial: change.to,
            high_water: change.to,
            file_serial: None,
            file_hash: None,
            held_hash: None,
            marker: false,
            zonemd: false,
            marked_includes: String::new(),
            copy_seq: old.and_then(|row| row.copy_seq),
            changed_ms: old.map_or(change.at_ms, |row| row.changed_ms),
            own_zonemd: None,
            file_node: None,
        },
        (Some(old), FileFate::Kept) => old.clone(),
        (Some(old), FileFate::Held) => ZoneRow { held_hash: old.file_hash.clone(), ..old.clone() },
        (None, FileFate::Kept | FileFate::Held) => return Err(not_loaded(state)),
    };
    row.serial = change.to;
    // The primary's serials are its own: if an operator has a lower one transferred, the lower one counts.
    let is_transferred = matches!(file, FileFate::Transferred);
    row.high_water = if is_transferred { change.to } else { later(row.high_water, change.to) };
    if change.is_visible() {
        row.changed_ms = change.at_ms;
    }
    Ok(row)
}

/// A zone without a version.
fn not_loaded(state: &ZoneState) -> PublishError {
    PublishError::NotLoaded(state.source.apex.clone())
}

//------------ SOA and ZONEMD ------------------------------------------------

/// A version with its serial, and with a ZONEMD record for it where one is made. The serial is part of
/// the digest, so this is the last that is done to a version.
pub(super) fn finished(state: &ZoneState, zone: &Zone, serial: u32) -> Result<Zone, ApplyError> {
    let zone = with_serial(zone, serial)?;
    if state.source.makes_zonemd(&zone) { zone.with_zonemd() } else { Ok(zone) }
}

/// The difference with the SOA records of both versions in front, and behind them the ZONEMD records
/// where they are ours.
fn with_head(
    state: &ZoneState,
    live: &Zone,
    next: &Zone,
    content: &Delta,
) -> Result<Delta, ApplyError> {
    let makes = state.source.makes_zonemd(next);
    let is_renewed =
        |it: &Record| makes && it.rtype == Rtype::ZONEMD && it.owner.as_ref() == next.apex();
    let front = |zone: &Zone, rest: &[Record]| {
        let mut records = vec![soa_record(zone, zone.serial()).ok_or(ApplyError::Soa)?];
        records.extend(if makes { zone.zonemd() } else { Vec::new() });
        records.extend(rest.iter().filter(|it| !is_renewed(it)).cloned());
        Ok::<_, ApplyError>(records)
    };
    Ok(Delta { removed: front(live, &content.removed)?, added: front(next, &content.added)? })
}

/// A zone with another serial.
pub(crate) fn with_serial(zone: &Zone, serial: u32) -> Result<Zone, ApplyError> {
    if zone.serial() == serial {
        return Ok(zone.clone());
    }
    let own = soa_record(zone, zone.serial()).ok_or(ApplyError::Soa)?;
    let new = soa_record(zone, serial).ok_or(ApplyError::Soa)?;
    zone.apply(&Delta { removed: vec![own], added: vec![new] })
}

/// The SOA record of a zone, with this serial.
pub(crate) fn soa_record(zone: &Zone, serial: u32) -> Option<Record> {
    let set = zone.rrset(zone.apex(), Rtype::SOA)?;
    let mut rdata: Box<[u8]> = set.first().into();
    let (_, mname) = NameRef::from_wire(&rdata).ok()?;
    let (_, rname) = NameRef::from_wire(&rdata[mname..]).ok()?;
    let at = mname + rname;
    rdata.get_mut(at..at + 4)?.copy_from_slice(&serial.to_be_bytes());
    let owner: Name = zone.apex().to_name();
    Some(Record { owner, rtype: Rtype::SOA, class: Class::IN, ttl: set.ttl(), rdata })
}
