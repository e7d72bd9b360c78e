//! Watches the directories of zone files, includes, symbolic links and manifests, and also polls the
//! files, because bind mounts, NFS and config maps lose events.
//!
//! A file is loaded once it has not changed for the quiet period. The last load determines which files are
//! watched; editors' backup and swap files are never opened.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::compile::Pace;
use super::read::names_on_the_way;
use super::reload::reload_all;
use super::{manifest, memory};
use crate::lock::lock;
use crate::publish::state::{By, Inner, Publisher, Seen, Slot};
use crate::wire::Name;

/// Threads that load what has changed.
const LOADERS: usize = 2;
/// How long to wait for a zone that is being changed.
const BUSY_WAIT: Duration = Duration::from_millis(20);
/// How many polls until the ways to all files are followed again.
const POLLS_PER_SEARCH: u64 = 30;
/// After a rename into place, how long no write and no other rename may follow: what is renamed was written before, and
/// several files that go together are renamed one after the other.
const RENAME_QUIET: Duration = Duration::from_millis(20);

//------------ Watcher -------------------------------------------------------

/// The watch over the zone files; it ends when this is dropped.
pub struct Watcher {
    /// Ends the thread.
    stop: Sender<News>,
    /// The thread.
    thread: Option<JoinHandle<()>>,
}

/// What the thread receives.
enum News {
    /// Something happened in a watched directory.
    Event(Event),
    /// A loader is done with a zone.
    Done(Name),
    /// The end.
    Stop,
}

impl Publisher {
    /// Starts watching the files of all zones, those that come later too.
    pub fn watch(&self) -> Watcher {
        let (sender, receiver) = channel();
        let mut thread = WatchThread::new(Arc::downgrade(&self.0), sender.clone());
        let run = move || thread.run(&receiver);
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(run);
        if let Err(error) = &thread {
            tracing::error!(%error, "zone files are not watched: cannot start a thread");
        }
        Watcher { stop: sender, thread: thread.ok() }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.send(News::Stop));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

//------------ WatchThread ---------------------------------------------------

/// The state of the thread.
struct WatchThread {
    /// The publisher; it may end first.
    inner: Weak<Inner>,
    /// For events and loaders.
    sender: Sender<News>,
    /// The system's watch; none where there is none, then polling does it.
    system: Option<RecommendedWatcher>,
    /// Directories to be under watch, and which one is: another may take its place.
    directories: HashMap<PathBuf, Option<(u64, u64)>>,
    /// Which zones a path matters to.
    paths: HashMap<PathBuf, BTreeSet<Name>>,
    /// The file of each zone and the names on the way to it and its includes, as last found.
    known: HashMap<Name, (PathBuf, Vec<PathBuf>)>,
    /// Polls so far.
    polls: u64,
    /// Zones that are to be looked at, and when.
    due: BTreeMap<Name, Due>,
    /// Zones that a loader works on.
    busy: BTreeSet<Name>,
    /// Zones for the loaders.
    work: Sender<(Name, Pace)>,
    /// The loaders' end of it.
    queue: Arc<Mutex<Receiver<(Name, Pace)>>>,
    /// The loaders.
    loaders: Vec<JoinHandle<()>>,
}

/// When a zone is to be looked at.
#[derive(Clone, Copy)]
struct Due {
    /// At this time, if nothing more happens.
    at: Instant,
    /// Since when something has been happening.
    since: Instant,
    /// Whether all that happened were renames into place.
    renamed: bool,
}

impl Due {
    /// Something happens now.
    fn now(renamed: bool, quiet: Duration) -> Self {
        let now = Instant::now();
        let wait = if renamed { RENAME_QUIET.min(quiet) } else { quiet };
        Self { at: now + wait, since: now, renamed }
    }

    /// The same, after something that has not been looked at yet: a rename does not end the wait for a file that is still
    /// being written. No longer than `patience` after the first.
    fn after(self, earlier: Option<Self>, patience: Duration) -> Self {
        let Some(earlier) = earlier else { return self };
        let (since, renamed) = (earlier.since, earlier.renamed && self.renamed);
        Self { at: self.at.max(earlier.at).min(since + patience), since, renamed }
    }

    /// How the file is to be read.
    fn pace(self, now: Instant, patience: Duration) -> Pace {
        match self.renamed {
            _ if now >= self.since + patience => Pace::Overdue,
            true => Pace::Renamed,
            false => Pace::Patient,
        }
    }
}

impl WatchThread {
    /// A thread that watches nothing yet.
    fn new(inner: Weak<Inner>, sender: Sender<News>) -> Self {
        let (work, queue) = channel();
        let events = sender.clone();
        let system = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                drop(events.send(News::Event(event)));
            }
        });
        let system = system
            .inspect_err(
                |error| tracing::warn!(%error, "the system cannot watch files: they are polled"),
            )
            .ok();
        Self {
            inner,
            sender,
            system,
            directories: HashMap::new(),
            paths: HashMap::new(),
            known: HashMap::new(),
            polls: 0,
            due: BTreeMap::new(),
            busy: BTreeSet::new(),
            work,
            queue: Arc::new(Mutex::new(queue)),
            loaders: Vec::new(),
        }
    }

    /// Until the end.
    fn run(&mut self, receiver: &Receiver<News>) {
        self.start_loaders();
        let mut next_poll = Instant::now();
        loop {
            let Some(inner) = self.inner.upgrade() else { break };
            let now = Instant::now();
            if now >= next_poll {
                self.poll(&inner);
                next_poll = now + inner.options.poll;
            }
            self.hand_out(&inner);
            let until = self.due.values().map(|due| due.at).chain([next_poll]).min();
            let wait = until.map_or(inner.options.poll, |at| at.saturating_duration_since(now));
            let (quiet, patience) = (inner.options.quiet, inner.options.patience);
            drop(inner);
            match receiver.recv_timeout(wait.max(Duration::from_millis(1))) {
                Ok(News::Event(event)) => self.event(&event, quiet, patience),
                Ok(News::Done(zone)) => self.done(&zone),
                Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        // The loaders end when their channel does.
        self.work = channel().0;
        self.loaders.drain(..).for_each(|loader| drop(loader.join()));
    }

    /// Starts the threads that load.
    fn start_loaders(&mut self) {
        for _ in 0..LOADERS {
            let (queue, inner) = (Arc::clone(&self.queue), self.inner.clone());
            let sender = self.sender.clone();
            let run = move || {
                loop {
                    let next = lock(&queue).recv();
                    let (Ok((zone, pace)), Some(inner)) = (next, inner.upgrade()) else { return };
                    if let Ok(slot) = inner.slot(&zone) {
                        reload_all(&inner, &[slot], pace, &By::gapura());
                    }
                    drop(sender.send(News::Done(zone)));
                }
            };
            let thread = std::thread::Builder::new().name("load".to_owned()).spawn(run);
            self.loaders.extend(thread.ok());
        }
    }

    /// Something happened in a watched directory.
    fn event(&mut self, event: &Event, quiet: Duration, patience: Duration) {
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let renamed_to = match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => event.paths.first(),
            EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => event.paths.get(1),
            _ => None,
        };
        for path in &event.paths {
            if self.directories.contains_key(path) {
                self.watch_directory(path);
            }
            let Some(zones) = self.paths.get(path) else { continue };
            let due = Due::now(renamed_to == Some(path), quiet);
            for zone in zones {
                let due = due.after(self.due.get(zone).copied(), patience);
                self.due.insert(zone.clone(), due);
            }
        }
    }

    /// Gives the loaders the zones whose time has come.
    fn hand_out(&mut self, inner: &Inner) {
        let now = Instant::now();
        let ready: Vec<(Name, Due)> = self
            .due
            .iter()
            .filter(|(zone, due)| due.at <= now && !self.busy.contains(*zone))
            .map(|(zone, due)| (zone.clone(), *due))
            .collect();
        for (zone, due) in ready {
            self.due.remove(&zone);
            let Ok(slot) = inner.slot(&zone) else { continue };
            match has_changed(inner, &slot) {
                Some(true) => {}
                // Loaded by somebody else meanwhile, and it may have other includes now.
                Some(false) => {
                    self.learn(&slot);
                    continue;
                }
                None => {
                    self.due.insert(zone, Due { at: now + BUSY_WAIT, ..due });
                    continue;
                }
            }
            let pace = due.pace(now, inner.options.patience);
            if self.work.send((zone.clone(), pace)).is_ok() {
                self.busy.insert(zone);
            }
        }
    }

    /// A loader is done: the zone may have other includes now.
    fn done(&mut self, zone: &Name) {
        self.busy.remove(zone);
        let slot = self.inner.upgrade().and_then(|inner| inner.slot(zone).ok());
        if let Some(slot) = slot {
            self.learn(&slot);
        }
    }

    /// Looks at all zones: new ones are watched, those that left are not, changed files are due.
    fn poll(&mut self, inner: &Inner) {
        let slots = inner.all_slots();
        if self.known.len() > slots.len() {
            let ours: HashSet<&Name> = slots.iter().map(|slot| &slot.apex).collect();
            self.known.retain(|zone, _| ours.contains(zone));
            for zones in self.paths.values_mut() {
                zones.retain(|zone| ours.contains(zone));
            }
            self.paths.retain(|_, zones| !zones.is_empty());
        }
        for directory in self.directories.keys().cloned().collect::<Vec<_>>() {
            self.watch_directory(&directory);
        }
        let all_anew = self.polls.is_multiple_of(POLLS_PER_SEARCH);
        self.polls += 1;
        for slot in &slots {
            // Following every path takes more time than all else here; it is done rarely, and when
            // a load may have brought other files.
            if all_anew || !self.knows(slot) {
                self.learn(slot);
            }
            let is_new = !self.due.contains_key(&slot.apex) && !self.busy.contains(&slot.apex);
            if let Ok(mut state) = slot.state.try_lock() {
                state.watch_signatures((inner.options.now_ms)());
            }
            if is_new && has_changed(inner, slot) == Some(true) {
                self.due.insert(slot.apex.clone(), Due::now(false, inner.options.quiet));
            }
        }
    }

    /// Whether the way to a zone's file was found before.
    fn knows(&self, slot: &Slot) -> bool {
        let Ok(state) = slot.state.try_lock() else { return true };
        if !state.source.has_file() {
            return true;
        }
        self.known.get(&slot.apex).is_some_and(|(file, _)| *file == state.source.file)
    }

    /// Watches what a zone was loaded from.
    fn learn(&mut self, slot: &Slot) {
        let (file, files): (PathBuf, Vec<PathBuf>) = {
            let Ok(state) = slot.state.try_lock() else { return };
            if !state.source.has_file() {
                return;
            }
            let seen = state.seen.iter().map(|seen| seen.path.clone());
            let manifest = manifest::path_of(&state.source.file);
            let file = state.source.file.clone();
            (file.clone(), seen.chain([file, manifest]).collect())
        };
        let mut names: Vec<PathBuf> =
            files.iter().flat_map(|file| names_on_the_way(file)).collect();
        names.sort_unstable();
        names.dedup();
        // A directory that was moved away takes its watch along; one moved into its place is news.
        let around: Vec<PathBuf> =
            names.iter().filter_map(|name| name.parent()).map(Path::to_owned).collect();
        names.extend(around);
        names.sort_unstable();
        names.dedup();
        if self.known.get(&slot.apex).is_some_and(|known| known.0 == file && known.1 == names) {
            return;
        }
        for old in self.known.remove(&slot.apex).unwrap_or_default().1 {
            if let Some(zones) = self.paths.get_mut(&old) {
                zones.remove(&slot.apex);
            }
        }
        for name in &names {
            self.paths.entry(name.clone()).or_default().insert(slot.apex.clone());
            if let Some(directory) = name.parent() {
                self.watch_directory(directory);
            }
        }
        self.known.insert(slot.apex.clone(), (file, names));
    }

    /// Watches a directory once.
    fn watch_directory(&mut self, directory: &Path) {
        let Some(system) = &mut self.system else { return };
        let now = std::fs::metadata(directory).map(|found| (found.dev(), found.ino())).ok();
        let before = self.directories.get(directory).copied().flatten();
        if before.is_some() && before == now {
            return;
        }
        if before.is_some() {
            // The watch went with the directory that was there.
            drop(system.unwatch(directory));
        }
        self.directories.insert(directory.to_owned(), None);
        if now.is_none() {
            return;
        }
        match system.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.directories.insert(directory.to_owned(), now)),
            // It is tried again with the next poll, which looks at the file itself anyway.
            Err(error) => tracing::debug!(directory = %directory.display(), %error, "not watched"),
        }
    }
}

/// Whether some file of a zone is not as it was when it was last looked at; `None` while the zone is
/// being changed. Of a frozen zone: whether it is clear again which file counts. A file that only time
/// refused counts as changed once its time has come, and one for which there was no memory once there is.
fn has_changed(inner: &Inner, slot: &Slot) -> Option<bool> {
    let state = slot.state.try_lock().ok()?;
    if !state.source.has_file() {
        return Some(false);
    }
    if state.frozen.is_some() {
        return Some(state.thawed().is_some());
    }
    if state.has_come((inner.options.now_ms)()) || state.lack.as_ref().is_some_and(memory::has_come)
    {
        return Some(true);
    }
    let never_seen = !state.seen.iter().any(|seen| seen.path == state.source.file);
    Some(never_seen || state.seen.iter().any(Seen::has_changed))
}
