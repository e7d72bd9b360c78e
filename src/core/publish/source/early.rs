//! The largest file of a start, loaded while the database is opened and checked.
//!
//! It is only a head start: what comes of it is taken if it is whole and the file is still the one that was read. If not,
//! the zone is loaded like all others, and what is said of its file is said then.

use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use super::compile::{IfLacking, Pace, load_within};
use crate::lock::lock;
use crate::publish::propose::Loaded;
use crate::publish::state::{Options, Seen, Sources, ZoneSource};

/// Octets of a file that is worth it. Few in tests, so that small files are.
const OCTETS_MIN: u64 = if cfg!(test) { 1 } else { 1 << 20 };
/// Zones among which the largest file is looked for: more of them keep the processors busy without.
const ZONES_MAX: usize = 100;

/// A file that is being loaded, or none; clones share it.
#[derive(Clone, Default)]
pub struct Early(Arc<Mutex<Option<Load>>>);

/// A load under way.
struct Load {
    /// The zone.
    source: ZoneSource,
    /// Its thread.
    thread: JoinHandle<Option<Loaded>>,
}

impl Early {
    /// Begins to load the largest file, if it is large.
    pub fn begin(sources: &Sources, options: &Options) -> Self {
        let octets = |source: &ZoneSource| std::fs::metadata(&source.file).map_or(0, |it| it.len());
        let files = sources.zones.iter().take(ZONES_MAX).filter(|source| source.has_file());
        let files = files.map(|source| (octets(source), source));
        let largest = files.filter(|(octets, _)| *octets >= OCTETS_MIN).max_by_key(|it| it.0);
        let begin = |source: ZoneSource| {
            let (wanted, options) = (source.clone(), options.clone());
            // Whether it is loaded although memory may lack is decided by what the database knows of it.
            let work =
                move || load_within(&wanted, &options, Pace::AtOnce, &IfLacking::Refuse).ok();
            let thread = Builder::new().name("early".to_owned()).spawn(work).ok()?;
            Some(Load { source, thread })
        };
        let load = largest.and_then(|(_, source)| begin(source.clone()));
        Self(Arc::new(Mutex::new(load)))
    }

    /// What was loaded of a zone, if that was begun and still is what its file says.
    pub(super) fn take(&self, source: &ZoneSource) -> Option<Loaded> {
        let load = lock(&self.0).take_if(|load| load.source == *source)?;
        // A panic shows again where the file is loaded next.
        let loaded = load.thread.join().ok().flatten()?;
        (!loaded.seen.iter().any(Seen::has_changed)).then_some(loaded)
    }
}
