//! Key pairs from the files of other programs: BIND and ldns (`K*.key` with `K*.private`), Knot (PEM, and the
//! DNSKEY as `keymgr ZONE dnskey` prints it), or any PEM.
//!
//! Files are told apart by what is in them. A private key is put together with the DNSKEY it belongs to,
//! and signs a probe that the DNSKEY verifies; nothing is kept here.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::KEY_OCTETS_MAX;
use super::content::{Content, Private, Public};
use super::text::KeyFileFault;
use crate::dnssec::{Algorithm, Dnskey, KeyError, KeyPair, Pkcs8};
use crate::files::{self, SecretError};
use crate::wire::Name;

/// Files that are written beside keys and hold none.
const OTHER_ENDINGS: [&str; 2] = ["state", "ds"];

//------------ What is asked for, and what comes of it -----------------------

/// What is known beside the files.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The zone whose keys they are.
    pub zone: &'a Name,
    /// The flags of a key whose DNSKEY is in none of the files.
    pub flags: Option<u16>,
    /// The algorithm of such a key, which PEM does not tell of RSA.
    pub algorithm: Option<Algorithm>,
    /// The time, in seconds since 1970: a key that was deleted before is not taken.
    pub now: u64,
}

/// A key pair that was read.
#[derive(Debug)]
pub struct Imported {
    /// The pair; flags and tag are those of its DNSKEY.
    pub pair: KeyPair,
    /// Its private half, to be kept.
    pub pkcs8: Pkcs8,
    /// The file of the private half.
    pub file: PathBuf,
}

/// Why a file was not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}{at}: {message}", file = file.display(), at = line.map_or_else(String::new, |it| format!(":{it}")))]
pub struct ImportFault {
    /// The file.
    pub file: PathBuf,
    /// The line; none if the file as a whole is at fault.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ImportFault {
    /// A fault of a whole file.
    fn of(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, message: message.into() }
    }

    /// A fault at a line of a file.
    fn at(file: &Path, fault: KeyFileFault) -> Self {
        Self { file: file.to_owned(), line: Some(fault.line), message: fault.message }
    }
}

/// Reads key pairs: all of them, or every fault. A file of BIND or ldns may be named without its ending, or
/// by one of the two.
pub fn import(files: &[PathBuf], given: &Given<'_>) -> Result<Vec<Imported>, Vec<ImportFault>> {
    let (mut known, mut faults) = (Known::default(), Vec::new());
    for path in with_other_halves(files) {
        if let Err(fault) = known.read(&path) {
            faults.push(fault);
        }
    }
    // What a half that was not read belongs to is not known.
    if !faults.is_empty() {
        return Err(faults);
    }
    let (mut found, mut used): (Vec<Imported>, BTreeSet<Dnskey>) = Default::default();
    for (file, private) in &known.private {
        match known.pair(file, private, given) {
            Ok((pair, pkcs8)) if used.insert(pair.dnskey().clone()) => {
                found.push(Imported { pair, pkcs8, file: file.clone() });
            }
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        faults.extend(known.lone_halves(&used));
    }
    if found.is_empty() && faults.is_empty() {
        let first = files.first().map_or_else(|| Path::new("."), PathBuf::as_path);
        faults.push(ImportFault::of(first, "there is no private key in what was named"));
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

/// The files that were named, and beside each half of a pair the other one.
fn with_other_halves(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for file in files {
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
        if OTHER_ENDINGS.contains(&ending) {
            continue;
        }
        let halves = ["key", "private"];
        let is_half = halves.contains(&ending);
        let base = if is_half { file.with_extension("") } else { file.clone() };
        let pair = halves.map(|half| with_ending(&base, half));
        let is_base = !file.exists() && pair.iter().any(|half| half.exists());
        if !is_base {
            all.insert(file.clone());
        }
        if is_base || is_half {
            all.extend(pair.into_iter().filter(|half| half.exists()));
        }
    }
    all
}

/// A path with an ending behind it; `Kexample.+013+04711` has a dot of its own.
fn with_ending(base: &Path, ending: &str) -> PathBuf {
    let mut whole = base.as_os_str().to_owned();
    whole.push(".");
    whole.push(ending);
    whole.into()
}

//------------ What is in the files ------------------------------------------

/// All halves of pairs that were read.
#[derive(Default)]
struct Known {
    /// Private keys, and the files they are in.
    private: Vec<(PathBuf, Private)>,
    /// Public keys, and the files they are in.
    public: Vec<(PathBuf, Public)>,
}

impl Known {
    /// Reads a file.
    fn read(&mut self, path: &Path) -> Result<(), ImportFault> {
        let file = files::open(path).map_err(SecretError::from);
        let text = file
            .and_then(|file| files::read_at_most(&file, KEY_OCTETS_MAX))
            .map_err(|error| ImportFault::of(path, error.to_string()))?;
        match Content::read(&text).map_err(|fault| ImportFault::at(path, fault))? {
            Content::Private(private) => self.private.push((path.to_owned(), private)),
            Content::Public(public) if public.is_empty() => {
                let message = "there is neither a private key nor a DNSKEY record in it";
                return Err(ImportFault::of(path, message));
            }
            Content::Public(public) => {
                self.public.extend(public.into_iter().map(|public| (path.to_owned(), public)));
            }
        }
        Ok(())
    }

    /// The pair of a private key.
    fn pair(
        &self,
        home: &Path,
        private: &Private,
        given: &Given<'_>,
    ) -> Result<(KeyPair, Pkcs8), ImportFault> {
        let fault = |message: String| ImportFault::of(home, message);
        if private.deleted.is_some_and(|time| u64::from(time) <= given.now) {
            let message = "its Delete time is past: it is in the zone no more, so leave it out";
            return Err(fault(message.to_owned()));
        }
        let half = home.with_extension("key");
        let has_half = half != home && self.public.iter().any(|(file, _)| *file == half);
        let mut error = None;
        for (file, public) in self.public.iter().filter(|(file, _)| !has_half || *file == half) {
            match private.key.pair_with(&public.dnskey) {
                Ok(pair) if public.owner == *given.zone => return Ok(pair),
                Ok(_) => {
                    let message =
                        format!("this is a key of {}, not of {}", public.owner, given.zone);
                    let found = ImportFault::at(file, KeyFileFault { line: public.line, message });
                    error = error.or(Some(found));
                }
                Err(KeyError::Mismatch(_)) if !has_half => {}
                Err(found) => error = error.or_else(|| Some(fault(found.to_string()))),
            }
        }
        if let Some(error) = error {
            return Err(error);
        }
        let Some(flags) = given.flags else {
            let zone = given.zone;
            return Err(fault(format!(
                "its DNSKEY record is in none of the files: name one with it, too (Knot prints it with \
                 \"keymgr {zone} dnskey\"), or say the role of the key"
            )));
        };
        let Some(algorithm) = private.algorithm.or(given.algorithm) else {
            return Err(fault(
                "an RSA key does not tell its algorithm: say rsasha256 or rsasha512".to_owned(),
            ));
        };
        private.key.pair_alone(algorithm, flags).map_err(|error| fault(error.to_string()))
    }

    /// Public halves in files of their own without the private one.
    fn lone_halves(&self, used: &BTreeSet<Dnskey>) -> impl Iterator<Item = ImportFault> {
        let lone = self.public.iter().filter(|(file, public)| {
            file.extension().is_some_and(|ending| ending == "key") && !used.contains(&public.dnskey)
        });
        lone.map(|(file, public)| {
            let tag = public.dnskey.tag();
            let message = format!("the private half of the key with tag {tag} is not beside it");
            ImportFault::at(file, KeyFileFault { line: public.line, message })
        })
    }
}
