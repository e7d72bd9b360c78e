//! Why a change did not go live: a variant per step.

use std::path::PathBuf;

use super::Change;
use crate::master::Finding;
use crate::publish::confirm::Confirmation;
use crate::sign::{self, SignError};
use crate::store::StoreError;
use crate::wire::{Name, Rtype};

/// Why a change did not become live. Unless the variant says otherwise, nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The zone is not among the sources.
    #[error("{0} is not a zone of this server")]
    UnknownZone(Name),
    /// The zone is ours, but no version of it could be loaded so far.
    #[error("{0} is not loaded: its file was refused and the database holds no earlier version")]
    NotLoaded(Name),
    /// The zone was signed elsewhere; records cannot be added without breaking its signatures.
    #[error(
        "{0} is signed elsewhere: whatever gapura changed would break its signatures, so change it where it is signed"
    )]
    Presigned(Name),
    /// The zone is a secondary zone: its data is its primaries' alone.
    #[error("{0} is a secondary zone: change it at its primary, from which it is transferred")]
    Secondary(Name),
    /// The zone is a catalog zone that gapura makes.
    #[error(
        "{0} is a catalog zone that gapura generates: change the [[zone]] tables with its name in catalog"
    )]
    Made(Name),
    /// The zone is no secondary zone, and takes no transfer.
    #[error("{0} is not a secondary zone: there is no primary to transfer it from")]
    Primary(Name),
    /// The candidate has errors.
    #[error("the candidate of {zone} has {count} error(s); the first: {first}", count = findings.len(), first = first(findings))]
    Refused {
        /// The apex.
        zone: Name,
        /// The errors; warnings are with the candidate.
        findings: Vec<Finding>,
    },
    /// An update would change what is not the key's: a request put it up or took it out.
    #[error("{owner} {rtype} is held by {by}: it is changed there")]
    Held {
        /// The owner.
        owner: Name,
        /// The type.
        rtype: Rtype,
        /// Who holds it.
        by: String,
    },
    /// The database only stands in for one that is lost: nothing that is not in a file would last.
    #[error("{0}: the database could not be opened, so nothing can be stored")]
    NotKept(Name),
    /// The edit would change nothing; nothing was written and no serial was used.
    #[error("the change of {0} has no effect: the records are already served")]
    NoEffect(Name),
    /// The database refused; the serial that was meant for the change is not used again.
    #[error("the change of {zone} could not be made durable; still serving {serial}")]
    Commit {
        /// The apex.
        zone: Name,
        /// The serial still served.
        serial: u32,
        /// What the database said.
        source: StoreError,
    },
    /// Our own socket did not show the change. It was taken back under a higher serial, for good.
    #[error("{zone} {serial} was not confirmed by our own socket and was taken back: {reason}", zone = change.zone, serial = change.to)]
    NotConfirmed {
        /// The change that was live for a moment.
        change: Box<Change>,
        /// The change that took it back.
        reverted: Box<Change>,
        /// Every question and answer.
        said: Box<Confirmation>,
        /// What was asked and what came.
        reason: String,
    },
    /// The zone changed after the proposal was made for it; nothing was written.
    #[error("{0} changed meanwhile: the proposal was made for another version")]
    Moved(Name),
    /// There is no such version, or the journal does not reach back to it.
    #[error("{zone} has no version {serial} in its journal{}", oldest.map_or_else(String::new, |oldest| format!("; the oldest is {oldest}")))]
    NoVersion {
        /// The apex.
        zone: Name,
        /// The serial asked for.
        serial: u32,
        /// The oldest serial that can be shown.
        oldest: Option<u32>,
    },
    /// A floor so far ahead that it may be a slip. Serials never go back.
    #[error(
        "{zone}: {floor} is {} above the newest serial {newest}, and serials never go back (RFC 1982): a digit \
         too many? If it is meant, repeat it with --yes", floor.wrapping_sub(*newest)
    )]
    FarFloor {
        /// The apex.
        zone: Name,
        /// The newest serial that was given out.
        newest: u32,
        /// The floor.
        floor: u32,
    },
    /// The zone was signed elsewhere, and none of the keys that were imported is one of its own.
    #[error(
        "{0} is signed elsewhere, and its keys are not here: resolvers would reject signatures by new keys. Import \
         its keys first (gapura key import {0} FILE ...), or take the zone over as docs/signing.md says"
    )]
    SignedElsewhere(Name),
    /// The zone is not signed by gapura.
    #[error("{0} is not signed by gapura: name a policy in signing of its [[zone]]")]
    NotSigned(Name),
    /// A secondary zone that expired: only a primary can bring it back.
    #[error(
        "{0} has expired, because no primary answered for as long as it allows: it can change once one answers"
    )]
    Expired(Name),
    /// Records that are there because the zone is signed.
    #[error(
        "{zone}: {rtype} records of the zone's own keys are made by its signing and cannot be changed"
    )]
    OfSigning {
        /// The apex.
        zone: Name,
        /// The type.
        rtype: Rtype,
    },
    /// The version could not be signed.
    #[error("{zone} cannot be signed: {source}; it is served as it was")]
    Sign {
        /// The apex.
        zone: Name,
        /// Why.
        source: SignError,
    },
    /// What was signed does not validate: a fault in gapura.
    #[error("{zone}: {fault}. This is a bug in gapura; the zone is served as it was")]
    Unsound {
        /// The apex.
        zone: Name,
        /// What a validator would not believe.
        fault: sign::Unsound,
    },
    /// The state of a zone's keys could not be kept beside their files; they are in the database.
    #[error("{0}")]
    KeysUnkept(String),
    /// The file of a private key cannot be used.
    #[error("{zone} cannot be signed: {why}; it is served as it was")]
    KeyMissing {
        /// The apex.
        zone: Name,
        /// Which file, and what to do.
        why: String,
    },
    /// The clock cannot be right: signatures made by it would not be valid.
    #[error("{zone} cannot be signed: {why}; it is served as it was")]
    Clock {
        /// The apex.
        zone: Name,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A question to the database failed.
    #[error("the database did not answer")]
    Store(#[from] StoreError),
    /// A file of our own could not be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The delta did not fit the zone it was made for: a fault in gapura.
    #[error("the change does not fit the zone it was made for")]
    Apply(#[from] crate::zone::ApplyError),
}

/// The first finding as text.
fn first(findings: &[Finding]) -> String {
    findings.first().map_or_else(String::new, ToString::to_string)
}
