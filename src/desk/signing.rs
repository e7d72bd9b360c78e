//! What the signing of zones needs of administrators, as notices to them, and the commands that they give, as
//! events (docs/signing.md).
//!
//! What waits is told once, and again while it stays so: the id of a notice is made of what it is about
//! and of how often it was due, so a restart tells nothing twice.

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::digest::sha256_hex;
use crate::queue::time::DAY_MS;
use crate::queue::{Deed, NoticeValues, Point};
use crate::store::{Reader, StoreError};
use crate::wire::Name;

/// How often a person is reminded of what waits for them, in milliseconds.
const WAITING_MS: i64 = 7 * DAY_MS;
/// How often of what is wrong.
const WRONG_MS: i64 = DAY_MS;
/// Digits of the hash in a notice's id.
const ID_DIGITS: usize = 24;

//------------ SigningNews ---------------------------------------------------

/// Something that administrators should know of the signing of a zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningNews {
    /// The apex.
    pub zone: Name,
    /// What it is.
    pub deed: Deed,
    /// What tells it from other news of its kind about the zone.
    pub about: String,
    /// Since when it is so, in milliseconds since 1970; none if that is not known.
    pub since_ms: Option<i64>,
    /// The reason, in words of commands and logs.
    pub reason: Option<String>,
    /// Lines to be copied.
    pub lines: Vec<String>,
}

impl SigningNews {
    /// The first part of the ids of its notices, as it is due now.
    fn stem(&self, now_ms: i64) -> String {
        let waits = matches!(self.deed, Deed::DsWanted | Deed::DsUnwanted | Deed::KeyStepWaits);
        let every_ms = if waits { WAITING_MS } else { WRONG_MS };
        let turn = now_ms.saturating_sub(self.since_ms.unwrap_or_default()).div_euclid(every_ms);
        let since = self.since_ms.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let text = format!("{} {} {} {since}", self.zone, self.deed, self.about);
        let hash = sha256_hex(text.as_bytes());
        format!("z-{}-{turn}", hash.get(..ID_DIGITS).unwrap_or(&hash))
    }

    /// What the notice says.
    fn values(&self) -> NoticeValues {
        let point = |note: &String| Point { line: None, note: note.clone() };
        NoticeValues {
            points: self.reason.iter().map(point).collect(),
            lines: self.lines.clone(),
            ..NoticeValues::about(&self.zone.to_string())
        }
    }
}

impl Desk {
    /// Those of the news that administrators are not told of yet.
    pub fn untold_of_signing(&self, news: Vec<SigningNews>) -> Result<Vec<SigningNews>, ActError> {
        if news.is_empty() {
            return Ok(news);
        }
        let (ledger, now_ms) = (&self.0.ledger, self.now());
        let untold = |reader: &Reader<'_>| {
            let mut untold = Vec::new();
            for news in news {
                if !ledger.is_reminded(reader, &news.stem(now_ms))? {
                    untold.push(news);
                }
            }
            Ok::<_, StoreError>(untold)
        };
        Ok(ledger.store.read(untold)?)
    }

    /// Writes to the administrators, unless that is done.
    pub fn tell_of_signing(&self, news: &SigningNews) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let stem = news.stem(self.now());
        ledger.store.write(|tx| Ok(ledger.tell_of_zone(tx, &stem, news.deed, &news.values())?))
    }

    /// Records a command on the keys of a zone that somebody gave on the machine.
    pub fn note_keys_command(&self, zone: &Name, act: &str, who: &str) -> Result<(), ActError> {
        let subject = format!("zone:{}", zone.as_ref().to_lowercase());
        let event = NewEvent::new(self.now(), "console", "admin", Deed::KeysCommanded, &subject)
            .with("command", act)
            .with("by", who);
        let ledger = &self.0.ledger;
        ledger.store.write::<_, ActError>(|tx| Ok(ledger.note(tx, event)?))
    }
}
