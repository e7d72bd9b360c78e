//! `gapura db backup`: everything gapura keeps, in one file, while a daemon may be running.
//!
//! ```text
//! keys ─► copy of the database ─► keys again, the same? ─► what it names is there? ─► archive ─► read back ─► renamed
//! ```
//! The calling process does the work, not the daemon: it can write wherever its user can, lowers its own priority, and
//! works with a stopped daemon too. The database is copied as of one moment. The files beside it are read after that, so
//! they may be newer than the copy but never older, which a start can handle.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::json;

use super::error::RunError;
use super::options;
use super::scratch::Scratch;
use super::time::{now_ms, utc};
use crate::backup::{
    self, AddError, BackupError, DATABASE, Entry, FORMAT, MANIFEST, Manifest, OPERATOR, Place,
    Writer,
};
use crate::config::Loaded;
use crate::control::Reply;
use crate::files::{self, AUDIT_KEY, NEXT_AUDIT_KEY, PERSONAL_KEY};
use crate::publish::Publisher;
use crate::store::{Location, Store, StoreError};
use crate::text::{append_line, with_causes};
use crate::wire::is_ahead;

/// Attempts, when a file disappears while the backup is taken: a letter that is erased, a key that is replaced.
const TRIES_MAX: usize = 5;
/// Niceness of the process while it works.
const NICE: i32 = 10;
/// The file whose modification time is the time of the last backup.
const LAST: &str = "last-backup";
/// Key files that must match the state of the database.
const KEYS: [&str; 3] = [AUDIT_KEY, NEXT_AUDIT_KEY, PERSONAL_KEY];

/// Where a backup goes.
pub enum Target<'a> {
    /// Into a file.
    File {
        /// Its path.
        path: &'a Path,
        /// Whether an existing file is replaced.
        force: bool,
    },
    /// To standard output, from which it cannot be read back.
    Stream(&'a mut dyn Write),
}

/// Makes a backup of a state directory. `loaded` are the settings, if they could be read: they and the zone files are
/// included.
pub fn backup(state_dir: &Path, loaded: Option<&Loaded>, target: Target<'_>) -> Reply {
    made(state_dir, loaded, target).unwrap_or_else(|error| {
        Reply::failed(format!("no backup was made: {}", with_causes(&error)))
    })
}

/// `gapura db check`: whether a file is a complete backup, and what its manifest says.
pub fn check_backup(file: &Path) -> Reply {
    match backup::check(file) {
        Ok(manifest) => {
            let text = format!("{}: a complete backup\n{}", file.display(), told(&manifest));
            Reply::done(text, json!({ "file": file, "manifest": summary(&manifest) }))
        }
        Err(error) => Reply::failed(with_causes(&error)),
    }
}

/// Makes it.
fn made(state_dir: &Path, loaded: Option<&Loaded>, target: Target<'_>) -> Result<Reply, RunError> {
    // Best effort: without it the backup only competes with others.
    let _ = rustix::process::nice(NICE);
    let place = match loaded {
        Some(loaded) => options::place(&loaded.settings)?,
        None => Location::File(state_dir.to_owned()),
    };
    if place.is_absent()? {
        return Err(RunError::Refused(format!(
            "there is no database at {place}: start gapura once, or name its settings with --config"
        )));
    }
    match target {
        Target::Stream(out) => {
            let name = format!("gapura-backup-{}", std::process::id());
            let scratch = scratch(&std::env::temp_dir().join(name))?;
            let written = Taking { state_dir, place: &place, loaded, scratch: scratch.path() }
                .write(BufWriter::new(out), Path::new("standard output"))?;
            let Written { manifest, left_out, .. } = written;
            Ok(reply("-", &manifest, &left_out))
        }
        Target::File { path, force } => into_file((state_dir, &place), loaded, path, force),
    }
}

/// Writes it to a file: completely or not at all.
fn into_file(
    (state_dir, place): (&Path, &Location),
    loaded: Option<&Loaded>,
    path: &Path,
    force: bool,
) -> Result<Reply, RunError> {
    let is_there = || path.symlink_metadata().is_ok();
    let taken = || {
        RunError::Refused(format!(
            "{} exists already: choose another name, or replace it with --force",
            path.display()
        ))
    };
    if path.is_dir() {
        let path = path.display();
        return Err(RunError::Refused(format!("{path} is a directory: name a file in it")));
    }
    if is_there() && !force {
        return Err(taken());
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".gapura-part");
    let scratch = scratch(Path::new(&part))?;
    let archive = scratch.path().join("archive");
    let failed = |source| BackupError::write(path, source);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&archive).map_err(failed)?;
    let taking = Taking { state_dir, place, loaded, scratch: scratch.path() };
    let written = taking.write(BufWriter::new(file), path)?;
    let file = written.out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    drop(file);
    if backup::check(&archive)? != written.manifest {
        let why =
            io::Error::other("it reads back differently from what was written: check the disk");
        return Err(failed(why).into());
    }
    if is_there() && !force {
        return Err(taken());
    }
    std::fs::rename(&archive, path).map_err(failed)?;
    files::sync_directory(path).map_err(failed)?;
    note(state_dir);
    Ok(reply(&path.display().to_string(), &written.manifest, &written.left_out))
}

/// Records in the state directory when the last backup was made, for the daemon's metrics.
fn note(state_dir: &Path) {
    let path = state_dir.join(LAST);
    // The file may belong to another user, and the disk may be read-only: neither fails the backup.
    let _ = std::fs::remove_file(&path);
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
}

/// When the last backup of a state directory was made, in seconds since 1970; `None` if unknown.
pub(super) fn last_made(state_dir: &Path) -> Option<u64> {
    let modified = std::fs::metadata(state_dir.join(LAST)).and_then(|found| found.modified());
    Some(modified.ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// The working directory beside the target.
fn scratch(path: &Path) -> Result<Scratch, RunError> {
    Scratch::make(path).map_err(|source| match source.kind() {
        ErrorKind::WouldBlock => RunError::Refused(format!(
            "another backup is being made in {}: wait for it",
            path.display()
        )),
        _ => BackupError::write(path, source).into(),
    })
}

//------------ Taking --------------------------------------------------------

/// A backup that is being taken.
struct Taking<'a> {
    /// Of this state directory.
    state_dir: &'a Path,
    /// And this database.
    place: &'a Location,
    /// By these settings, if they read.
    loaded: Option<&'a Loaded>,
    /// With this place for the copy of the database.
    scratch: &'a Path,
}

/// What was written.
struct Written<W> {
    /// Where it went.
    out: W,
    /// Its manifest.
    manifest: Manifest,
    /// The operator's files that could not be read.
    left_out: Vec<String>,
}

/// A state of the database, and what belongs to it.
struct Snapshot {
    /// The keys.
    keys: Vec<(String, Vec<u8>)>,
    /// The files that it names.
    named: Vec<Place>,
    /// Those of them that are not there.
    missing: Vec<String>,
    /// What the manifest says of it.
    manifest: Manifest,
}

impl Taking<'_> {
    /// Writes it; `path` is what errors call it.
    fn write<W: Write>(&self, out: W, path: &Path) -> Result<Written<W>, RunError> {
        let Snapshot { keys, named, missing, mut manifest } = self.snapshot()?;
        let mut archive = Archive { writer: Writer::new(out), path, members: Vec::new() };
        let database = Store::path(self.scratch);
        archive.file(&Place { name: DATABASE.to_owned(), path: database })?;
        for (name, octets) in &keys {
            archive.add(
                name,
                octets.len() as u64,
                0,
                &mut &octets[..],
                &self.state_dir.join(name),
            )?;
        }
        let is_key = |place: &Place| KEYS.contains(&place.name.as_str());
        let beside = backup::files_of(self.state_dir)?;
        for place in beside.iter().filter(|place| !is_key(place)).chain(&named) {
            archive.file_if_there(place)?;
        }
        let mut left_out = Vec::new();
        for place in self.operators() {
            if File::open(&place.path).is_err() || !archive.file_if_there(&place)? {
                left_out.push(place.path.display().to_string());
            }
        }
        (manifest.members, manifest.missing) = (archive.members, missing);
        let json = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| BackupError::write(path, io::Error::other(error)))?;
        let mut writer = archive.writer;
        let octets = json.len() as u64;
        let added = writer.add(MANIFEST, octets, seconds(manifest.taken_ms), &mut &json[..]);
        added.map_err(|error| fault(error, path, path))?;
        let (out, _) = writer.finish().map_err(|source| BackupError::write(path, source))?;
        Ok(Written { out, manifest, left_out })
    }

    /// Copies the database together with the keys that match it and the list of files it names. A file still missing
    /// after the last attempt is reported as missing.
    fn snapshot(&self) -> Result<Snapshot, RunError> {
        let mut last = None;
        for _ in 0..TRIES_MAX {
            let keys = self.keys()?;
            let taken_ms = now_ms();
            Location::File(self.scratch.to_owned()).discard()?;
            self.place.copy(self.scratch)?;
            let store = Store::inspect(self.scratch)?;
            let store =
                store.ok_or_else(|| StoreError::Corrupt("the copy is not complete".to_owned()))?;
            let mut manifest = Manifest {
                format: FORMAT.to_owned(),
                gapura: env!("CARGO_PKG_VERSION").to_owned(),
                taken_ms,
                taken: utc(taken_ms),
                database_step: store.step()?,
                serials: self.serials(&store)?,
                ..Manifest::default()
            };
            let (named, mut missing) = self.named(&store, &mut manifest)?;
            let has = |name: &str| keys.iter().any(|(it, _)| it == name);
            if manifest.newest_event.is_some() {
                let needed = [AUDIT_KEY, PERSONAL_KEY].into_iter();
                missing.extend(needed.filter(|name| !has(name)).map(str::to_owned));
            }
            // What is missing twice is missing for good.
            let lasts = |last: &Snapshot| last.missing == missing;
            let is_settled = missing.is_empty() || last.as_ref().is_some_and(lasts);
            let is_whole = is_settled && self.keys()? == keys;
            last = Some(Snapshot { keys, named, missing, manifest });
            if is_whole {
                break;
            }
        }
        last.ok_or_else(|| RunError::Refused("the database keeps changing: try again".to_owned()))
    }

    /// The files of keys.
    fn keys(&self) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
        let mut found = Vec::new();
        for name in KEYS {
            let path = self.state_dir.join(name);
            match files::read(&path) {
                Ok(octets) => found.push((name.to_owned(), octets)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(BackupError::read(&path, error)),
            }
        }
        Ok(found)
    }

    /// The newest serial of each zone, from the database and the files beside it.
    fn serials(&self, store: &Store) -> Result<BTreeMap<String, u32>, StoreError> {
        let mut found = BTreeMap::new();
        for (apex, mark) in Publisher::newest_serials(self.state_dir) {
            let row = store.read(|reader| reader.zone(&apex))?;
            let newest = row.map_or(mark, |row| row.high_water);
            let newest = if is_ahead(mark, newest) { mark } else { newest };
            found.insert(apex.to_string(), newest);
        }
        Ok(found)
    }

    /// The letters and papers that the database names, and those of them that are missing. Puts the newest event into
    /// the manifest.
    #[cfg(feature = "approval")]
    fn named(
        &self,
        store: &Store,
        manifest: &mut Manifest,
    ) -> Result<(Vec<Place>, Vec<String>), StoreError> {
        use crate::desk::{LETTERS, PAPERS};
        let (head, letters, papers) = store.read::<_, StoreError>(|reader| {
            Ok((reader.chain_head()?, reader.kept_letters()?, reader.kept_papers()?))
        })?;
        manifest.newest_event = head.map(|(sequence, hash)| backup::NewestEvent { sequence, hash });
        let letters = letters.into_iter().map(|row| (LETTERS, row.file));
        let papers = papers.into_iter().filter_map(|row| Some((PAPERS, row.file?)));
        let (mut named, mut missing) = (Vec::new(), Vec::new());
        for (folder, file) in letters.chain(papers) {
            let (name, path) = (format!("{folder}/{file}"), self.state_dir.join(folder).join(file));
            if path.is_file() && backup::is_member(&name) {
                named.push(Place { name, path });
            } else {
                missing.push(name);
            }
        }
        Ok((named, missing))
    }

    /// A name server alone has none.
    #[cfg(not(feature = "approval"))]
    fn named(&self, _: &Store, _: &mut Manifest) -> Result<(Vec<Place>, Vec<String>), StoreError> {
        Ok((Vec::new(), Vec::new()))
    }

    /// The settings and the zone files, as the operator wrote them.
    fn operators(&self) -> Vec<Place> {
        let Some(loaded) = self.loaded else { return Vec::new() };
        let place =
            |name: String, path: PathBuf| Place { name: format!("{OPERATOR}/{name}"), path };
        let sources = options::readable_sources(&loaded.settings).zones.into_iter();
        let zones = sources.filter(|source| source.has_file());
        let zones =
            zones.map(|zone| place(format!("zones/{}.zone", files::stem(&zone.apex)), zone.file));
        let settings = place("gapura.toml".to_owned(), loaded.path.clone());
        std::iter::once(settings).chain(zones).filter(|it| backup::is_member(&it.name)).collect()
    }
}

//------------ Archive -------------------------------------------------------

/// An archive that is being written, and what is in it so far.
struct Archive<'a, W> {
    /// Writes it.
    writer: Writer<W>,
    /// What errors call it.
    path: &'a Path,
    /// Its members.
    members: Vec<Entry>,
}

impl<W: Write> Archive<'_, W> {
    /// Adds a file.
    fn file(&mut self, place: &Place) -> Result<(), BackupError> {
        if self.file_if_there(place)? {
            return Ok(());
        }
        Err(BackupError::read(&place.path, ErrorKind::NotFound.into()))
    }

    /// Adds a file, unless it has disappeared meanwhile.
    fn file_if_there(&mut self, place: &Place) -> Result<bool, BackupError> {
        let mut file = match files::open(&place.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(|source| BackupError::read(&place.path, source))?,
        };
        let found = file.metadata().map_err(|source| BackupError::read(&place.path, source))?;
        let modified = u64::try_from(found.mtime()).unwrap_or_default();
        self.add(&place.name, found.len(), modified, &mut file, &place.path)?;
        Ok(true)
    }

    /// Adds a member whose content comes from `from`.
    fn add(
        &mut self,
        name: &str,
        octets: u64,
        modified_s: u64,
        content: &mut dyn io::Read,
        from: &Path,
    ) -> Result<(), BackupError> {
        if self.members.len() >= backup::MEMBERS_MAX {
            return Err(BackupError::Many);
        }
        let added = self.writer.add(name, octets, modified_s, content);
        let sha256 = added.map_err(|error| fault(error, from, self.path))?;
        self.members.push(Entry { name: name.to_owned(), octets, sha256 });
        Ok(())
    }
}

/// Why a member was not written, with the paths.
fn fault(error: AddError, from: &Path, to: &Path) -> BackupError {
    match error {
        AddError::Read(source) => BackupError::read(from, source),
        AddError::Changed => BackupError::Changed(from.to_owned()),
        AddError::Write(source) => BackupError::write(to, source),
    }
}

/// Milliseconds as seconds.
fn seconds(ms: i64) -> u64 {
    u64::try_from(ms / 1000).unwrap_or_default()
}

//------------ What is said --------------------------------------------------

/// The reply for a backup that was made. Missing files make the exit code 1, so that somebody notices.
fn reply(file: &str, manifest: &Manifest, left_out: &[String]) -> Reply {
    let mut text = format!("{file}: backup made and read back\n");
    if file == "-" {
        text = "backup written; check it where it went with `gapura db check FILE`\n".to_owned();
    }
    text += &told(manifest);
    for path in left_out {
        append_line!(text, "  not included, as it cannot be read: {path}");
    }
    text += "  it contains secret keys and personal data: protect it like passwords\n";
    let json = json!({ "file": file, "manifest": summary(manifest), "left_out": left_out });
    Reply { exit: u8::from(!manifest.missing.is_empty()), text, json }
}

/// A manifest as text.
fn told(manifest: &Manifest) -> String {
    let octets: u64 = manifest.members.iter().map(|member| member.octets).sum();
    let mut text = format!(
        "  taken {} by gapura {}, {} files, {octets} octets, database at step {}\n",
        manifest.taken,
        manifest.gapura,
        manifest.members.len(),
        manifest.database_step,
    );
    if let Some(event) = &manifest.newest_event {
        append_line!(text, "  newest event {} {}", event.sequence, event.hash);
    }
    for (zone, serial) in &manifest.serials {
        append_line!(text, "  {zone} up to serial {serial}");
    }
    for name in &manifest.missing {
        append_line!(
            text,
            "  MISSING: {name}, which the database names, is not in the state directory"
        );
    }
    text
}

/// The manifest without the list of its members.
fn summary(manifest: &Manifest) -> serde_json::Value {
    let mut json = json!(manifest);
    json["members"] = json!(manifest.members.len());
    json
}
