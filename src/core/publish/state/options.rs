//! Where a zone comes from, and the settings of the publisher.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{PublishError, SerialPolicy, warning};
use crate::master::Finding;
use crate::rollover::Policy;
use crate::store::Location;
use crate::store::nodes::Node;
use crate::wire::Name;
use crate::zone::Zone;

//------------ ZoneSource ----------------------------------------------------

/// A zone and the operator's file it is loaded from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneSource {
    /// The apex.
    pub apex: Name,
    /// The master file, as the operator named it; empty for a secondary zone.
    pub file: PathBuf,
    /// The remotes that a secondary zone is transferred from; empty for one that has a file.
    pub primaries: Vec<String>,
    /// How strictly it is checked.
    pub checks: Strictness,
    /// How serials are chosen.
    pub serial: SerialPolicy,
    /// Rules whose warnings count as errors.
    pub errors: Vec<String>,
    /// Whether gapura makes a ZONEMD record (RFC 8976) for each version.
    pub zonemd: bool,
    /// How it is signed; none = not by gapura.
    pub signing: Option<Arc<Policy>>,
    /// Whether only its file, in the directory of zones, makes it a zone: without the file there is
    /// none.
    pub by_file: bool,
    /// The catalog zone of ours (RFC 9432) that lists it.
    pub catalog: Option<Name>,
    /// Whether it is a catalog zone whose members are served.
    pub consume: bool,
    /// Which catalog zone lists it that is consumed; none for a zone of the settings.
    pub listing: Option<Listing>,
    /// The text of a catalog zone of ours, which has neither file nor primaries: the publisher makes it of
    /// the zones it lists.
    pub text: Option<Arc<str>>,
}

/// Where a catalog zone of ours comes from, in words.
pub(super) const MADE: &str = "the settings, as a catalog zone";

impl ZoneSource {
    /// A zone with the settings every zone has by default.
    pub fn new(apex: Name, file: impl Into<PathBuf>) -> Self {
        Self {
            apex,
            file: file.into(),
            primaries: Vec::new(),
            checks: Strictness::Strict,
            serial: SerialPolicy::default(),
            errors: Vec::new(),
            zonemd: false,
            signing: None,
            by_file: false,
            catalog: None,
            consume: false,
            listing: None,
            text: None,
        }
    }

    /// Whether a version gets a ZONEMD record of ours. One that was signed elsewhere is not changed: the
    /// record would have no signature.
    pub(crate) fn makes_zonemd(&self, zone: &Zone) -> bool {
        self.zonemd && !zone.is_signed() && !self.is_secondary()
    }

    /// Says so if there is no ZONEMD record although the settings ask for one.
    pub fn no_zonemd(&self, zone: &Zone) -> Option<Finding> {
        let message = "the zone is signed elsewhere, so gapura adds no ZONEMD to it";
        let hint = "let the signer generate it, and remove `zonemd` from the settings";
        let finding = warning("zonemd-presigned", message.to_owned());
        let is_missing = self.zonemd && zone.is_signed();
        is_missing.then(|| Finding { hint: Some(hint.to_owned()), ..finding })
    }

    /// A secondary zone, transferred from these remotes.
    pub fn secondary(apex: Name, primaries: Vec<String>) -> Self {
        Self { primaries, ..Self::new(apex, PathBuf::new()) }
    }

    /// Whether the zone is transferred from primaries, and has no file.
    pub fn is_secondary(&self) -> bool {
        !self.primaries.is_empty()
    }

    /// Whether the zone is a catalog zone that gapura makes: it is neither transferred nor read from a file.
    pub fn is_made(&self) -> bool {
        self.file.as_os_str().is_empty() && !self.is_secondary()
    }

    /// Refuses a zone whose content neither edits nor rollbacks change.
    pub(crate) fn must_be_edited_here(&self) -> Result<(), PublishError> {
        match self {
            source if source.is_secondary() => Err(PublishError::Secondary(self.apex.clone())),
            source if source.is_made() => Err(PublishError::Made(self.apex.clone())),
            _ => Ok(()),
        }
    }

    /// Whether the zone has a file of the operator's.
    pub fn has_file(&self) -> bool {
        !self.file.as_os_str().is_empty() && !self.is_secondary()
    }

    /// Where it comes from, in words.
    pub fn place(&self) -> String {
        if self.is_made() {
            return MADE.to_owned();
        }
        if self.is_secondary() {
            let listing = self.listing.as_ref();
            let whose = listing.map_or(String::new(), |it| format!(", as {} says", it.catalog));
            return format!("transfers from {}{whose}", self.primaries.join(", "));
        }
        self.file.display().to_string()
    }
}

/// What makes a zone a member of a catalog zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Listing {
    /// The catalog's apex.
    #[serde(with = "name_as_text")]
    pub catalog: Name,
    /// Its unique label there.
    pub label: String,
}

/// A name as text.
mod name_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::wire::Name;

    /// Writes it.
    pub(super) fn serialize<S: Serializer>(name: &Name, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(name)
    }

    /// Reads it.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

//------------ Sources -------------------------------------------------------

/// The zones of the settings, and what is wrong with the directory that some of them come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The zones. Two of one name are a finding about that name alone.
    pub zones: Vec<ZoneSource>,
    /// Files that are named after no zone, or a directory that cannot be read.
    pub findings: Vec<Finding>,
    /// The directory; none if the settings name none.
    pub directory: Option<PathBuf>,
}

impl From<Vec<ZoneSource>> for Sources {
    fn from(zones: Vec<ZoneSource>) -> Self {
        Self { zones, ..Self::default() }
    }
}

/// How strictly a zone is checked.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// Missing glue and the like are errors.
    #[default]
    Strict,
    /// They are warnings.
    Lenient,
}

//------------ Options -------------------------------------------------------

/// Settings of the publisher; `run` takes most of them from the settings file.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where gapura keeps its own files.
    pub state_dir: PathBuf,
    /// Where its database is.
    pub database: Location,
    /// This node, as others on the same database know it.
    pub node: Node,
    /// How long a file must have been left alone before it is read.
    pub quiet: Duration,
    /// How often files are looked at besides the watch.
    pub poll: Duration,
    /// A file that still changes after this long is reported and not loaded.
    pub patience: Duration,
    /// Octets a zone file and its includes may have together.
    pub file_octets_max: u64,
    /// Changes kept in a zone's journal.
    pub journal_changes_max: u64,
    /// Octets kept in a zone's journal.
    pub journal_octets_max: u64,
    /// Whether the database only stands in for one that is lost: then the derived files are the last
    /// copy of what was promoted, and are not written.
    pub is_stand_in: bool,
    /// Milliseconds since 1970; a function, so that tests have clocks of their own.
    pub now_ms: fn() -> i64,
}

impl Options {
    /// The defaults, with gapura's own files in `state_dir`.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        let state_dir = state_dir.into();
        Self {
            database: Location::File(state_dir.clone()),
            node: Node { name: "gapura".to_owned(), url: None },
            state_dir,
            quiet: Duration::from_millis(300),
            poll: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            file_octets_max: 1 << 30,
            journal_changes_max: 10_000,
            journal_octets_max: 256 << 20,
            is_stand_in: false,
            now_ms,
        }
    }
}

/// Now, in epoch milliseconds, by the system's clock.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
