//! Requests that are being filled in on the pages: kept sealed, for they hold names, telephones and a
//! letter, and bounded, for anybody may begin one. What a field means is decided in `web`.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;

use super::{ActError, Desk, PublicLimit, Room};
use crate::queue::time::{DAY_MS, MINUTE_MS};
use crate::store::drafts::DraftRow;
use crate::store::{StoreError, Tx};

/// A draft is kept this long after its last change, and so are links to it.
pub(super) const DRAFT_KEPT_MS: i64 = 30 * DAY_MS;
/// How long a draft lies untouched until it may be dropped for others.
const UNTOUCHED_MS: i64 = 60 * MINUTE_MS;
/// The part of all drafts' octets that one network may have: one in so many.
const NETWORK_SHARE: u64 = 8;

/// What has been filled in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DraftContent {
    /// Values by field name.
    pub fields: BTreeMap<String, String>,
    /// The letter.
    pub letter: Option<DraftLetter>,
}

/// A letter that was chosen and read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DraftLetter {
    /// The name the sender's machine gave it.
    pub name: String,
    /// What the reader of letters found it to be.
    pub mark: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Desk {
    /// The draft of a browser, by the hash of its visit. One that cannot be opened is begun anew.
    pub fn draft(&self, hash: &str) -> Result<Option<DraftContent>, ActError> {
        let row = self.read(|reader| Ok(reader.draft(hash)?))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(self.open_draft(row).unwrap_or_else(|error| {
            tracing::warn!(%error, "a draft could not be opened: a new one is begun");
            DraftContent::default()
        })))
    }

    /// Keeps a draft; officers' have no network. One that `begins` is another than the one in its place: links that
    /// were mailed for that one lead nowhere. Where room is scarce, those nobody has touched for an hour are dropped
    /// on the way.
    pub fn save_draft(
        &self,
        hash: String,
        network: String,
        (content, begins): (&DraftContent, bool),
        limits: &DraftLimits,
    ) -> Result<(), ActError> {
        if !network.is_empty() && self.room() != Room::Ample {
            return Err(ActError::Limit(PublicLimit::Disk));
        }
        let row = self.seal_draft(hash, network, content)?;
        self.0.ledger.store.write::<_, ActError>(|tx| {
            if !row.network.is_empty() {
                limits.make_room(tx, &row, row.changed_ms)?;
            }
            if begins {
                tx.cut_draft_links(&row.visit_hash)?;
            }
            Ok(tx.put_draft(&row)?)
        })
    }

    /// Drops the draft of a browser, and what links to it.
    pub fn drop_draft(&self, hash: &str) -> Result<(), ActError> {
        Ok(self.0.ledger.store.write::<_, StoreError>(|tx| {
            if tx.drop_draft(hash)? {
                tx.note_erasure()?;
            }
            Ok(())
        })?)
    }

    /// Drops drafts nobody has touched for their time, and links to them.
    pub(super) fn retain_drafts(&self) -> Result<(), ActError> {
        let before = self.now() - DRAFT_KEPT_MS;
        Ok(self.0.ledger.store.write::<_, StoreError>(|tx| {
            tx.sweep_draft_links(before)?;
            if tx.sweep_drafts(before)? > 0 {
                tx.note_erasure()?;
            }
            Ok(())
        })?)
    }

    /// What a row holds. Rows of earlier versions are not sealed: their fields are a JSON object. A letter
    /// that was not read when it was chosen, as theirs, has to be chosen again.
    pub(super) fn open_draft(&self, row: DraftRow) -> Result<DraftContent, ActError> {
        let DraftRow { visit_hash: hash, fields, letter, letter_name, .. } = row;
        if fields.starts_with('{') {
            let fields = serde_json::from_str(&fields).unwrap_or_default();
            return Ok(DraftContent { fields, letter: None });
        }
        let vault = &self.0.ledger.vault;
        let unseal = |part: &str, sealed: &[u8]| vault.unseal(&purpose(&hash, part), sealed);
        // What is no base 64 does not unseal either.
        let text = |part: &str, text: &str| {
            unseal(part, &BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default())
        };
        let fields = serde_json::from_slice(&text("fields", &fields)?).unwrap_or_default();
        let Some(letter) = letter else { return Ok(DraftContent { fields, letter: None }) };
        let bytes = unseal("letter", &letter)?;
        let name = String::from_utf8(text("letter_name", &letter_name)?).unwrap_or_default();
        let letter = name.split_once('\n').map(|(mark, name)| DraftLetter {
            name: name.to_owned(),
            mark: mark.to_owned(),
            bytes,
        });
        Ok(DraftContent { fields, letter })
    }

    /// A draft as a row.
    pub(super) fn seal_draft(
        &self,
        hash: String,
        network: String,
        content: &DraftContent,
    ) -> Result<DraftRow, ActError> {
        let vault = &self.0.ledger.vault;
        let seal = |part: &str, plain: &[u8]| vault.seal(&purpose(&hash, part), plain);
        let text = |part: &str, text: &str| {
            Ok::<_, ActError>(BASE64URL_NOPAD.encode(&seal(part, text.as_bytes())?))
        };
        // A map of text to text has a JSON form.
        let fields = text("fields", &serde_json::to_string(&content.fields).unwrap_or_default())?;
        let letter = content.letter.as_ref();
        let name = letter.map(|letter| format!("{}\n{}", letter.mark, letter.name));
        let letter_name = text("letter_name", &name.unwrap_or_default())?;
        let letter = letter.map(|letter| seal("letter", &letter.bytes)).transpose()?;
        let octets = (fields.len() + letter.as_ref().map_or(0, Vec::len)) as u64;
        let changed_ms = self.now();
        Ok(DraftRow { visit_hash: hash, fields, letter, letter_name, changed_ms, network, octets })
    }
}

/// What a part of a draft is sealed for: it opens as this part of this draft only.
fn purpose(hash: &str, part: &str) -> String {
    format!("draft:{hash}:{part}")
}

//------------ DraftLimits ---------------------------------------------------

/// Limits of drafts of people without an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DraftLimits {
    /// `public.drafts`: in all.
    pub count: u64,
    /// `public.drafts_per_network`.
    pub per_network: u64,
    /// `public.drafts_mib`, in octets: of all together; a network has an eighth of it at most.
    pub octets: u64,
}

impl Default for DraftLimits {
    fn default() -> Self {
        Self { count: 2_000, per_network: 50, octets: 256 * 1024 * 1024 }
    }
}

impl DraftLimits {
    /// Makes room for a draft by dropping those that have lain untouched longest, of its own network
    /// first; fails where all others were touched within the hour.
    fn make_room(&self, tx: &Tx<'_>, row: &DraftRow, now: i64) -> Result<(), ActError> {
        let own = (Some(row.network.as_str()), self.per_network, self.octets / NETWORK_SHARE);
        for (network, count_max, octets_max) in [own, (None, self.count, self.octets)] {
            loop {
                let (count, octets) = tx.drafts_beside(&row.visit_hash, network)?;
                if count < count_max && octets + row.octets <= octets_max {
                    break;
                }
                if !tx.drop_oldest_draft(&row.visit_hash, now - UNTOUCHED_MS, network)? {
                    let full = network.map_or(PublicLimit::Drafts, |_| PublicLimit::NetworkDrafts);
                    return Err(ActError::Limit(full));
                }
                tx.note_erasure()?;
            }
        }
        Ok(())
    }
}
