//! A frozen zone: it is no longer clear what to serve, because two files claim it, or it left the
//! settings and nobody confirmed that. It stays as it is, and its files are ignored.

use std::path::{Path, absolute};

use super::{Guard, Sources, ZoneSource, error};
use crate::master::Finding;
use crate::wire::Name;

//------------ Frozen --------------------------------------------------------

/// Why a zone goes on as it is.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    /// The guard that keeps it.
    pub(crate) guard: Guard,
    /// What to tell about it.
    pub(crate) finding: Finding,
    /// What claims the zone; of a zone that left, what claimed it last.
    pub(crate) claims: Vec<ZoneSource>,
    /// Whether a zone that left comes back when its file does.
    pub(crate) comes_back: bool,
}

impl Frozen {
    /// More than one file claims the zone.
    pub(crate) fn doubled(apex: &Name, claims: Vec<ZoneSource>) -> Self {
        let files: Vec<String> = claims.iter().map(ZoneSource::place).collect();
        let message = format!("{apex} is claimed by {}", files.join(" and "));
        let hint = "keep one file for each name; case and escapes do not make a difference";
        Self {
            guard: Guard::Doubled,
            finding: error("zone-doubled", message, hint),
            claims,
            comes_back: false,
        }
    }

    /// The settings do not have the zone any more. It comes back with its file only if that would be
    /// a zone by these settings.
    pub(crate) fn left(source: ZoneSource, sources: &Sources) -> Self {
        let (apex, file) = (&source.apex, source.file.display());
        let is_file = |other: &&ZoneSource| other.has_file() && is_same(&other.file, &source.file);
        let other = sources.zones.iter().find(is_file);
        let directory = sources.directory.as_deref();
        let is_in = |directory| source.file.parent().is_some_and(|own| is_same(own, directory));
        let comes_back = source.by_file && other.is_none() && directory.is_some_and(is_in);
        let message = match (source.by_file, other, directory) {
            (false, ..) => format!("{apex} is no longer in any [[zone]]"),
            (_, Some(other), _) => {
                format!("{file} is now the file of {}, not of {apex}", other.apex)
            }
            (_, _, Some(_)) if comes_back => {
                format!("{file} is gone, and {apex} with it: a directory emptied or not mounted?")
            }
            (_, _, Some(directory)) => format!(
                "server.zone_dir is now {}, and {apex} was served from {file}",
                directory.display()
            ),
            (_, _, None) => {
                format!("server.zone_dir is no longer set, and {apex} was served from {file}")
            }
        };
        let hint = format!("put it back, or remove the zone: gapura ctl reload {apex} --force");
        let finding = error("zone-left", message, &hint);
        Self { guard: Guard::Left, finding, claims: vec![source], comes_back }
    }
}

/// Whether two paths are one, also where nothing is there.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().or_else(|_| absolute(path)).ok();
    one == other || whole(one) == whole(other)
}
