//! From the operator's file to a zone in memory: read, checked for completeness, parsed, built.
//! Decisions that depend on the live zone are made elsewhere.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256, digest};

use super::memory::Claim;
use super::read::{self, ReadFault};
use crate::check::{self, Built};
use crate::digest::{hex, sha256_hex};
use crate::lock::lock;
use crate::master::{self, Beside, Finding, Input, LoadError, Loader, NoIncludes};
use crate::publish::propose::{Loaded, Unread};
use crate::publish::state::{Guard, Lack, Options, Seen, Stamp, ZoneSource, error};
use crate::threads::both;
use crate::wire::Rtype;
use crate::zone::ZoneBuilder;

/// The times of a file have steps of some milliseconds. What is older than one when it is read gets another time by
/// each later write.
const TIME_STEP: Duration = Duration::from_millis(20);

/// Octets of a file from which on its hash is computed beside reading it.
const HASHED_BESIDE: usize = 1 << 20;

/// How long to wait for a file to settle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A file older than the quiet period is read at once; one that is younger waits.
    Patient,
    /// The file came into place by a rename and was not written since: no waiting, unless one of the files that are read
    /// was written a moment ago.
    Renamed,
    /// It has been changing for as long as is waited for: it is loaded if it has settled, or reported.
    Overdue,
    /// The start: it is read at once, and loaded if nothing has changed it while it was read and parsed, and for the
    /// quiet period since it was written.
    Start,
    /// The same, but it is for the caller to find out whether it was left alone so long: see [`were_left_alone`].
    AtOnce,
}

/// What is done about a file that may take more memory than there is.
pub(crate) enum IfLacking<'a> {
    /// It is refused: an allocation that fails would end what is served.
    Refuse,
    /// It is refused, unless it is the one with this hash, which was loaded before.
    RefuseOther(&'a str),
    /// It is loaded with a warning: nothing is served that could end.
    Warn,
}

impl IfLacking<'_> {
    /// Whether a file is refused; its hash is asked for only if that decides.
    fn refuses<'a>(&self, hash: impl FnOnce() -> &'a str) -> bool {
        match self {
            Self::Refuse => true,
            Self::RefuseOther(known) => hash() != *known,
            Self::Warn => false,
        }
    }
}

/// Reads, parses and builds a zone's file once it has settled.
pub(crate) fn load(
    source: &ZoneSource,
    options: &Options,
    pace: Pace,
) -> Result<Loaded, Box<Unread>> {
    load_within(source, options, pace, &IfLacking::Refuse)
}

/// The same, with a say about memory.
pub(crate) fn load_within(
    source: &ZoneSource,
    options: &Options,
    pace: Pace,
    if_lacking: &IfLacking<'_>,
) -> Result<Loaded, Box<Unread>> {
    if source.is_made() {
        return Ok(made(source));
    }
    let (began, mut pace) = (Instant::now(), pace);
    loop {
        let age = Stamp::at(&source.file).map_or(options.quiet, |stamp| stamp.age());
        let wanted = match pace {
            Pace::Patient => options.quiet,
            Pace::Start | Pace::AtOnce => options.quiet.min(TIME_STEP),
            Pace::Renamed | Pace::Overdue => Duration::ZERO,
        };
        std::thread::sleep(wanted.saturating_sub(age));
        let result = load_once(source, options, if_lacking);
        let settled = match &result {
            Ok(loaded) => match pace {
                Pace::Patient | Pace::Overdue => has_settled(loaded, source, options),
                Pace::Start => were_left_alone(&loaded.seen, options.quiet),
                Pace::AtOnce => true,
                Pace::Renamed => !is_written(loaded, source, options.quiet),
            },
            Err(unread) => unread.guard != Guard::Unsettled,
        };
        if settled {
            return result;
        }
        if matches!(pace, Pace::Overdue) || began.elapsed() > options.patience {
            return Err(Box::new(never_quiet(source, options.patience)));
        }
        if matches!(pace, Pace::Renamed) {
            pace = Pace::Patient;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether files are as they were read once they have been left alone for so long. Reading them and what followed took
/// part of that time, or all of it.
pub(super) fn were_left_alone(files: &[Seen], quiet: Duration) -> bool {
    std::thread::sleep(quiet.saturating_sub(youngest(files)));
    !files.iter().any(Seen::has_changed)
}

/// Whether the files are unchanged after another quiet period. Parsing took part of it.
fn has_settled(loaded: &Loaded, source: &ZoneSource, options: &Options) -> bool {
    let is_young = youngest(&loaded.seen) < options.quiet * 2;
    if !were_left_alone(&loaded.seen, options.quiet * 2) {
        return false;
    }
    let beside = Beside::of(&source.file);
    // A young file is read again: there are file systems whose times tell too little.
    !is_young
        || read::holds(&source.file, &loaded.bytes)
            && loaded
                .parsed
                .included
                .iter()
                .all(|one| beside.find(&one.path).is_ok_and(|path| read::holds(&path, &one.bytes)))
}

/// Whether one of the files was written in its place within the quiet period. A rename changes the time of a file's
/// metadata only. For the file itself that is too fine where it was written just before; that it was renamed is known of
/// it, unless a link leads to it.
fn is_written(loaded: &Loaded, source: &ZoneSource, quiet: Duration) -> bool {
    let file = source.file.as_path();
    let is_itself = file.canonicalize().ok() == std::path::absolute(file).ok();
    loaded.seen.iter().any(|seen| {
        let is_new = |stamp: &Stamp| stamp.age() < quiet && stamp.is_of_write();
        !(is_itself && seen.path == file) && seen.stamp.as_ref().is_some_and(is_new)
    })
}

/// How long ago the last of some files changed, when they were read.
fn youngest(files: &[Seen]) -> Duration {
    let ages = files.iter().filter_map(|seen| seen.stamp).map(|stamp| stamp.age());
    ages.min().unwrap_or(Duration::MAX)
}

/// Reads, parses and builds once.
fn load_once(
    source: &ZoneSource,
    options: &Options,
    if_lacking: &IfLacking<'_>,
) -> Result<Loaded, Box<Unread>> {
    let (bytes, stamp) = read::read(&source.file, options.file_octets_max)
        .map_err(|fault| Box::new(unread(&source.file, fault)))?;
    let loader = Guarded {
        beside: Beside::of(&source.file),
        octets_left: RefCell::new(options.file_octets_max.saturating_sub(bytes.len() as u64)),
        seen: RefCell::new(vec![Seen { path: source.file.clone(), stamp: Some(stamp) }]),
        changing: RefCell::new(None),
    };
    let input = Input { file: &source.file, bytes: &bytes, loader: &loader };
    let limits = master::Options {
        file_octets_max: usize::try_from(options.file_octets_max).unwrap_or(usize::MAX),
        ..master::Options::default()
    };
    let lacking = |lack| Box::new(lacking_memory(source, lack));
    let hash = OnceLock::new();
    let hashed = || hash.get_or_init(|| sha256_hex(&bytes)).as_str();
    let refuses = || if_lacking.refuses(hashed);
    let mut claim = Claim::new();
    let lack = claim.for_file(bytes.len() as u64).err();
    if let Some(lack) = lack.filter(|_| refuses()) {
        return Err(lacking(lack));
    }
    if let Some(lack) = lack {
        tracing::warn!("{}: it is loaded anyway", lacking(lack).finding.message);
    }
    let claimed = Mutex::new((claim, None));
    // What cannot become live takes no more room.
    let goes_on = |records: usize| {
        let (claim, lack) = &mut *lock(&claimed);
        if lack.is_none() && !matches!(if_lacking, IfLacking::Warn) {
            *lack = claim.for_records(records as u64).err().filter(|_| refuses());
        }
        lack.is_none()
    };
    let build = || check::build(&input, &source.apex, &limits, &goes_on);
    let Built { parsed, zone, faults } = match bytes.len() {
        ..HASHED_BESIDE => build(),
        _ => both(|| hashed().len(), build).1,
    };
    let file_sha256 = hashed().to_owned();
    if let Some(lack) = lock(&claimed).1.take() {
        return Err(lacking(lack));
    }
    if let Some(path) = loader.changing.take() {
        let seen = loader.seen.take();
        return Err(Box::new(Unread { seen, ..unread(&path, ReadFault::Changing) }));
    }
    let marked: Vec<String> = parsed
        .included
        .iter()
        .filter(|included| included.has_end_marker)
        .map(|included| included.path.display().to_string())
        .collect();
    let mut loaded = Loaded {
        hash: whole_hash(&file_sha256, &parsed.included),
        file_sha256,
        marker: parsed.has_end_marker,
        zonemd: zone.as_ref().is_some_and(|zone| zone.rrset(zone.apex(), Rtype::ZONEMD).is_some()),
        marked_includes: marked.join("\n"),
        included: parsed.included.iter().map(|included| included.path.clone()).collect(),
        seen: loader.seen.take(),
        guard: (parsed.errors > 0).then_some(Guard::Check),
        findings: Vec::new(),
        parsed,
        bytes: Vec::new(),
        zone,
        faults,
    };
    let parsed = &loaded.parsed;
    let included =
        parsed.included.iter().map(|one| (&*one.shown, &*one.bytes, one.ends_with_newline));
    let cut: Vec<Finding> =
        std::iter::once((source.file.as_path(), bytes.as_slice(), parsed.ends_with_newline))
            .chain(included)
            .filter(|(_, _, complete)| !complete)
            .map(|(path, bytes, _)| no_newline(path, bytes))
            .collect();
    if !cut.is_empty() {
        loaded.findings.extend(cut);
        loaded.guard = Some(Guard::Incomplete);
    }
    loaded.findings.append(&mut loaded.parsed.findings);
    loaded.bytes = bytes;
    Ok(loaded)
}

/// What the publisher has made of its catalog zone stands for a file that is always there and complete.
fn made(source: &ZoneSource) -> Loaded {
    let bytes = source.text.as_deref().unwrap_or_default().as_bytes().to_vec();
    let options = master::Options::default();
    let input = Input { file: &source.file, bytes: &bytes, loader: &NoIncludes };
    let mut builder = ZoneBuilder::new(&source.apex);
    let mut parsed = master::parse(&input, source.apex.as_ref(), &options, &mut |record, _| {
        builder.push(record)
    });
    let (zone, faults) = builder.finish();
    let hash = sha256_hex(&bytes);
    Loaded {
        zone,
        faults,
        guard: (parsed.errors > 0).then_some(Guard::Check),
        findings: std::mem::take(&mut parsed.findings),
        bytes,
        parsed,
        seen: Vec::new(),
        file_sha256: hash.clone(),
        hash,
        marker: false,
        zonemd: false,
        marked_includes: String::new(),
        included: Vec::new(),
    }
}

/// SHA-256 over the file and its includes; of a file without includes the hash is its own.
fn whole_hash(file_sha256: &str, included: &[master::Included]) -> String {
    if included.is_empty() {
        return file_sha256.to_owned();
    }
    let mut context = Context::new(&SHA256);
    context.update(file_sha256.as_bytes());
    for one in included {
        context.update(one.path.as_os_str().as_encoded_bytes());
        context.update(digest(&SHA256, &one.bytes).as_ref());
    }
    hex(context.finish().as_ref())
}

/// The directory of a file.
pub(crate) fn directory_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_owned()
}

//------------ Guarded -------------------------------------------------------

/// Reads includes with the same guards as the file itself.
struct Guarded {
    /// Where they are; nothing outside is read.
    beside: Beside,
    /// Octets that may still be read.
    octets_left: RefCell<u64>,
    /// The files read so far.
    seen: RefCell<Vec<Seen>>,
    /// An include that changed while it was read.
    changing: RefCell<Option<PathBuf>>,
}

impl Loader for Guarded {
    fn load(&self, path: &Path) -> Result<Arc<[u8]>, LoadError> {
        let unreadable = |error: std::io::Error| LoadError::Unreadable(error.to_string());
        // Also one that cannot be read is watched: it may come.
        self.seen.borrow_mut().extend(self.beside.places(path).map(|place| Seen::now(&place)));
        let named = self.beside.find(path)?;
        let mut left = self.octets_left.borrow_mut();
        let (bytes, stamp) = read::read(&named, *left).map_err(|fault| match fault {
            ReadFault::Io(error) => unreadable(error),
            ReadFault::TooLarge(_) => LoadError::TooLarge(*left),
            ReadFault::Holes => {
                LoadError::Unreadable("it has parts that were never written".to_owned())
            }
            ReadFault::Changing => {
                self.changing.replace(Some(named.clone()));
                LoadError::Unreadable("it changes while it is being read".to_owned())
            }
        })?;
        *left -= bytes.len() as u64;
        if let Some(seen) = self.seen.borrow_mut().iter_mut().rfind(|seen| seen.path == named) {
            seen.stamp = Some(stamp);
        }
        Ok(bytes.into())
    }
}

//------------ Findings ------------------------------------------------------

/// A file that could not be read.
fn unread(path: &Path, fault: ReadFault) -> Unread {
    let (guard, rule, message, hint) = match fault {
        ReadFault::Io(error) => (
            Guard::Missing,
            "file-unreadable",
            format!("{}: {error}", path.display()),
            "the zone stays as it is until the file can be read",
        ),
        ReadFault::Changing => (
            Guard::Unsettled,
            "file-changing",
            format!("{} changed while it was read", path.display()),
            "write to a temporary file and rename it into place",
        ),
        ReadFault::TooLarge(octets) => (
            Guard::Check,
            "file-too-large",
            format!("{} has {octets} octets, more than allowed", path.display()),
            "split the zone, or raise the limit",
        ),
        ReadFault::Holes => (
            Guard::Incomplete,
            "file-with-holes",
            format!("{} has parts that were never written", path.display()),
            "copy it again; the zone stays as it is until the file is complete",
        ),
    };
    Unread { guard, finding: error(rule, message, hint), seen: vec![Seen::now(path)], lack: None }
}

/// A file for which there is no memory.
fn lacking_memory(source: &ZoneSource, lack: Lack) -> Unread {
    let Lack { wanted, left } = lack;
    let mib = |octets: u64| octets.div_ceil(1024 * 1024);
    let left = left.map_or_else(
        || "a limit of this process leaves less".to_owned(),
        |left| format!("{} MiB are left", mib(left)),
    );
    let message =
        format!("{}: loading it may take {} MiB, and {left}", source.file.display(), mib(wanted));
    let hint = "the zone stays as it is until there is room: raise the limit of memory or address space, or load less";
    Unread {
        guard: Guard::Memory,
        finding: error("not-enough-memory", message, hint),
        seen: vec![Seen::now(&source.file)],
        lack: Some(lack),
    }
}

/// A file that was never left alone.
fn never_quiet(source: &ZoneSource, patience: Duration) -> Unread {
    let message = format!("{} kept changing for {} s", source.file.display(), patience.as_secs());
    Unread {
        guard: Guard::Unsettled,
        finding: error(
            "file-changing",
            message,
            "write to a temporary file and rename it into place",
        ),
        // It was not: it may be left alone from now on.
        seen: Vec::new(),
        lack: None,
    }
}

/// A file whose last line has no newline: it may have been cut.
fn no_newline(path: &Path, bytes: &[u8]) -> Finding {
    master::no_final_newline(master::last_line(path, bytes))
}
