//! Imports zone files: reads them, checks them by our own rules, writes a copy.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::machine::Machine;
use super::text::{self, NoText};
use crate::check::{self, Level, Signer};
use crate::files;
use crate::master::{self, Finding, Input, NoIncludes};
use crate::wire::Name;

/// What came of a zone file.
#[derive(Default)]
pub(super) struct Brought {
    /// The copy, as our settings name it; none if there is none.
    pub(super) file: Option<PathBuf>,
    /// Whether it passes the lenient rules only.
    pub(super) is_lenient: bool,
    /// Whether a person must do something before the zone is what it was.
    pub(super) is_problem: bool,
    /// Notes for the operator.
    pub(super) said: Vec<String>,
    /// What is wrong in the file.
    pub(super) findings: Vec<Finding>,
}

impl Brought {
    /// Adds a note about something that a person must fix.
    fn problem(mut self, text: String) -> Self {
        self.said.push(text);
        self.is_problem = true;
        self
    }
}

/// Where zone files come from and go to.
pub(super) struct ZoneFiles<'a> {
    /// The directory that they go to.
    directory: PathBuf,
    /// The directory of our settings.
    base: PathBuf,
    /// Where they come from.
    machine: &'a Machine,
}

impl<'a> ZoneFiles<'a> {
    /// Makes the directory.
    pub(super) fn new(directory: &Path, base: &Path, machine: &'a Machine) -> anyhow::Result<Self> {
        let directory = std::path::absolute(directory)?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(Self { directory, base: base.to_owned(), machine })
    }

    /// Brings the file of a zone; the paths of its `$INCLUDE` begin in `base`.
    pub(super) fn bring(&self, zone: &Name, path: &Path, base: &Path) -> Brought {
        let mut brought = Brought::default();
        let shown = path.display();
        let text = match text::read(self.machine, zone, path, base) {
            Ok(text) => text,
            Err(NoText::Raw) => {
                return brought.problem(format!(
                    "{shown} is in a binary format of named. Convert it to text, then import again: \
                     named-compilezone -f raw -F text -o {shown}.text {zone} {shown}"
                ));
            }
            Err(NoText::Unread(why)) => {
                return brought.problem(format!("{shown} is not imported: {why}"));
            }
            Err(NoText::Faulty(findings)) => {
                brought.findings = findings;
                return brought.problem(format!("{shown} is not imported: it has errors"));
            }
        };
        if text.is_merged {
            brought.said.push(format!("{shown} includes others: they are merged into one file"));
        }
        if self.has_journal(path) {
            brought.is_problem = true;
            brought.said.push(format!(
                "{shown} has a journal: the file may lack updates. On the old server: \
                 rndc freeze {zone}; import again; rndc thaw {zone}"
            ));
        }
        self.put(zone, text.bytes, brought)
    }

    /// Whether named keeps changes of a file in a journal beside it.
    fn has_journal(&self, path: &Path) -> bool {
        let mut journal = path.as_os_str().to_owned();
        journal.push(".jnl");
        self.machine.here(Path::new(&journal)).exists()
    }

    /// Checks a zone's text and writes it.
    pub(super) fn put(&self, zone: &Name, mut bytes: Vec<u8>, mut brought: Brought) -> Brought {
        if bytes.last().is_some_and(|octet| *octet != b'\n') {
            bytes.push(b'\n');
        }
        let path = self.directory.join(format!("{}.zone", files::stem(zone)));
        judge(zone, &path, &bytes, &mut brought);
        match write_new(&path, &bytes) {
            Ok(()) => brought.file = Some(seen_from(&self.base, &path)),
            Err(why) => return brought.problem(format!("{}: {why}", path.display())),
        }
        brought
    }
}

/// Judges a zone's text by the strict rules, and by the lenient ones where it fails those.
fn judge(zone: &Name, path: &Path, bytes: &[u8], brought: &mut Brought) {
    let options = master::Options::default();
    let input = Input { file: path, bytes, loader: &NoIncludes };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // DNSSEC times are modulo 2³² (RFC 4034 §3.1.5).
    let now = now.map_or(0, |since| since.as_secs() as u32);
    let checked = |strict| {
        let level = Level { strict, errors: Vec::new() };
        check::file(&input, zone, &options, &level, Signer::Other, now)
    };
    let strict = checked(true);
    if strict.errors == 0 {
        brought.findings.extend(strict.findings);
        return;
    }
    let lenient = checked(false);
    if lenient.errors == 0 {
        brought.is_lenient = true;
        brought
            .said
            .push(format!("{} passes only the lenient rules: see the warnings", path.display()));
    } else {
        brought.is_problem = true;
        let text = format!(
            "{} has {} errors: gapura serves it only once they are fixed",
            path.display(),
            lenient.errors
        );
        brought.said.push(text);
    }
    brought.findings.extend(lenient.findings);
}

/// Writes a new file. An existing one with the same content is fine.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    // Zone content is public: anybody may read it.
    files::write_new(path, 0o666, bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            "exists with other content, and is not overwritten; name another directory with --zones"
                .to_owned()
        }
        _ => error.to_string(),
    })
}

/// A path as settings in `base` name it: relative where it is inside.
pub(super) fn seen_from(base: &Path, path: &Path) -> PathBuf {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (base, path) = (real(base), real(path));
    path.strip_prefix(base).map(Path::to_owned).unwrap_or(path)
}
