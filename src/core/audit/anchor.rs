//! Anchors: checkpoints published in the zone itself, so that every secondary is a witness.
//!
//! One TXT string of at most 255 octets: `v=gapura1 n=… h=… t=… k=… s=…` with sequence, head, time,
//! key id and signature.

use std::fmt;
use std::str::FromStr;

use super::AuditError;
use crate::store::events::Checkpoint;

/// The label below each zone's apex at which the anchor is published.
pub const ANCHOR_LABEL: &str = "_gapura-audit";

//------------ Anchor --------------------------------------------------------

/// A checkpoint as published in the zone: `v=gapura1 n=… h=… t=… k=… s=…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Anchor(pub Checkpoint);

/// One TXT string, 200 to 230 bytes.
impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.0;
        write!(
            f,
            "v=gapura1 n={} h={} t={} k={} s={}",
            row.sequence, row.head, row.at_ms, row.key_id, row.signature
        )
    }
}

/// Reads the TXT string, also with the quotes `dig` prints.
impl FromStr for Anchor {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        let bad = |what: &str| AuditError::Anchor(format!("{what} in {text:?}"));
        let mut parts = text.trim().trim_matches('"').split_whitespace();
        if parts.next() != Some("v=gapura1") {
            return Err(bad("no v=gapura1"));
        }
        let mut row = Checkpoint {
            sequence: 0,
            head: String::new(),
            at_ms: 0,
            key_id: String::new(),
            signature: String::new(),
        };
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| bad("a part without ="))?;
            let number = || value.parse::<i64>().map_err(|_| bad("a bad number"));
            match key {
                "n" => row.sequence = number()?,
                "t" => row.at_ms = number()?,
                "h" => value.clone_into(&mut row.head),
                "k" => value.clone_into(&mut row.key_id),
                "s" => value.clone_into(&mut row.signature),
                _ => {}
            }
        }
        if row.sequence < 1 || row.head.len() != 64 {
            return Err(bad("no sequence or no head"));
        }
        Ok(Self(row))
    }
}
