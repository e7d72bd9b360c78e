//! A frozen zone: it is no longer clear what to serve, because two files claim it, or it left the
//! settings and nobody confirmed that. It stays as it is, and its files are ignored.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf, absolute};

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
    pub(crate) fn left(source: ZoneSource, claims: &Claims<'_>) -> Self {
        let (apex, file) = (&source.apex, source.file.display());
        let other = claims.of_file(&source.file);
        let directory = claims.sources.directory.as_deref();
        let is_in = |directory| source.file.parent().is_some_and(|own| is_same(own, directory));
        let comes_back = source.by_file && other.is_none() && directory.is_some_and(is_in);
        let message = match (source.by_file, other, directory) {
            (false, ..) => format!("{apex} is no longer in any [[zone]]"),
            (_, Some(other), _) => {
                format!("{file} is now the file of {other}, not of {apex}")
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

//------------ Claims --------------------------------------------------------

/// Which zone of the settings has which file. The ways to all files are followed once, and only if a zone has left.
pub(crate) struct Claims<'s> {
    /// The settings.
    sources: &'s Sources,
    /// The zones by the whole path of their file.
    by_file: OnceCell<HashMap<PathBuf, &'s Name>>,
}

impl<'s> Claims<'s> {
    /// Of these settings.
    pub(crate) fn new(sources: &'s Sources) -> Self {
        Self { sources, by_file: OnceCell::new() }
    }

    /// The zone that has a file.
    fn of_file(&self, file: &Path) -> Option<&'s Name> {
        let by_file = self.by_file.get_or_init(|| {
            let with_file = self.sources.zones.iter().filter(|source| source.has_file());
            let whole = with_file.filter_map(|source| Some((whole(&source.file)?, &source.apex)));
            // Of two zones with one file it is the first.
            whole.rev().collect()
        });
        by_file.get(&whole(file)?).copied()
    }
}

/// Whether two paths are one, also where nothing is there.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || whole(one) == whole(other)
}

/// The whole path of a file, without links as far as it is there.
fn whole(path: &Path) -> Option<PathBuf> {
    path.canonicalize().or_else(|_| absolute(path)).ok()
}
