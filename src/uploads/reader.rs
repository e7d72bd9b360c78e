//! The way a letter is read: a child process for each, a few at a time, and the scanner of the settings.

use std::collections::HashMap;
use std::env::var_os;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::child::{Answer, HEAD_MAX};
use super::letter::{Letter, STORED_MAX, fits};
use super::refusal::refused;
use crate::confined::{self, Budget, NotDone};
use crate::lock::lock;
use crate::queue::{Fault, Rule};

/// Letters that wait for their turn, for each that is read.
const WAITING_FOR_EACH: usize = 16;
/// Letters of one network that wait while one of theirs is read.
const WAITING_OF_NETWORK: usize = 3;
/// How long a letter waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// Octets of what a scanner says that are read.
const SCANNER_OUTPUT_MAX: usize = 64 * 1024;
/// Variables of the environment that a scanner gets.
const SCANNER_ENVIRONMENT: [&str; 2] = ["PATH", "LANG"];
/// Stands in a scanner's command for the file's name.
const FILE: &str = "{file}";

//------------ Options -------------------------------------------------------

/// Settings of uploads.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that has the command `read-letter`: this one.
    pub program: PathBuf,
    /// `uploads.at_once`: letters of strangers read at the same time; officers have a turn of their own.
    pub at_once: usize,
    /// `uploads.seconds`: for each letter.
    pub seconds: u64,
    /// `uploads.memory_mib`: for each letter.
    pub memory_mib: u64,
    /// `uploads.scanner`: a command and its arguments; empty = none.
    pub scanner: Vec<String>,
    /// `uploads.scanner_seconds`.
    pub scanner_seconds: u64,
    /// Where a file for the scanner is put, if its command wants one.
    pub directory: PathBuf,
}

impl Options {
    /// The shipped defaults.
    pub fn new(directory: PathBuf) -> Self {
        Self {
            // The file that runs now, also after another version took its place on disk.
            program: PathBuf::from("/proc/self/exe"),
            at_once: 2,
            seconds: 10,
            memory_mib: 512,
            scanner: Vec::new(),
            scanner_seconds: 20,
            directory,
        }
    }
}

//------------ Reader --------------------------------------------------------

/// Reads letters; clones share the turns.
#[derive(Clone)]
pub struct Reader(Arc<Inner>);

/// Whose letter is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sender {
    /// Somebody without an account, from a network.
    Stranger(String),
    /// An officer.
    Officer,
}

/// Turns of one kind of sender, or of one network.
struct Turns {
    /// Letters being read.
    read: Arc<Semaphore>,
    /// Letters being read or waiting.
    places: Arc<Semaphore>,
}

/// What a letter holds while it is read.
type Turn = Vec<OwnedSemaphorePermit>;

impl Turns {
    /// So many turns at once, and so many that wait for each.
    fn new(at_once: usize, waiting: usize) -> Self {
        let places = at_once.saturating_mul(1 + waiting);
        Self { read: Arc::new(Semaphore::new(at_once)), places: Arc::new(Semaphore::new(places)) }
    }

    /// A place among those who wait or are read, if there is one.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Whether nobody waits and nothing is read.
    fn is_idle(&self) -> bool {
        self.places.available_permits() > WAITING_OF_NETWORK
    }
}

/// What clones share.
struct Inner {
    /// Settings.
    options: Options,
    /// Turns of strangers.
    strangers: Turns,
    /// Turns of each network of strangers that has a letter here: one at a time, so that letters that take long
    /// keep those of other networks waiting for one turn and not for all.
    networks: Mutex<HashMap<String, Turns>>,
    /// Turns of officers: no stranger's letter keeps theirs waiting.
    officers: Turns,
    /// Whether the log says what confines the children.
    said: AtomicBool,
    /// Files written for the scanner.
    scans: AtomicU64,
    /// Whether letters are read in this process; for tests of what is above.
    here: bool,
}

impl Reader {
    /// A reader with these settings.
    pub fn new(options: Options) -> Self {
        Self::of(options, false)
    }

    /// A reader without children, for tests of the rooms above.
    #[cfg(test)]
    pub(crate) fn here(options: Options) -> Self {
        Self::of(options, true)
    }

    /// The turns of a reader.
    fn of(options: Options, here: bool) -> Self {
        let at_once = options.at_once.max(1);
        Self(Arc::new(Inner {
            strangers: Turns::new(at_once, WAITING_FOR_EACH),
            networks: Mutex::default(),
            officers: Turns::new(1, WAITING_FOR_EACH),
            said: AtomicBool::new(false),
            scans: AtomicU64::new(0),
            options,
            here,
        }))
    }

    /// Reads a letter: what may be kept of it, or why it is refused. Waits for its turn without a thread.
    pub async fn read(&self, bytes: Vec<u8>, of: Sender) -> Result<Letter, Fault> {
        fits(&bytes)?;
        let Some(turn) = self.0.turn(of).await else { return Err(unchecked("busy")) };
        let inner = Arc::clone(&self.0);
        // The permits go with the work: it goes on if the sender leaves.
        let job = move || inner.read(&Arc::from(bytes), turn);
        match tokio::task::spawn_blocking(job).await {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "reading a letter failed");
                Err(unchecked(""))
            }
        }
    }
}

/// The letter is not refused for what it is: it cannot be judged at the moment.
fn unchecked(about: &str) -> Fault {
    refused(Rule::LetterUnchecked, about)
}

impl Inner {
    /// Waits for a turn: that of the network first, so that only one letter of a network is in the line of all.
    async fn turn(&self, of: Sender) -> Option<Turn> {
        let (mut turn, lines) = match of {
            Sender::Officer => {
                let line = &self.officers;
                (vec![line.place()?], vec![Arc::clone(&line.read)])
            }
            Sender::Stranger(network) => {
                let line = &self.strangers;
                let mut networks = lock(&self.networks);
                networks.retain(|known, turns| *known == network || !turns.is_idle());
                let own = networks.entry(network);
                let own = own.or_insert_with(|| Turns::new(1, WAITING_OF_NETWORK));
                let lines = vec![Arc::clone(&own.read), Arc::clone(&line.read)];
                (vec![own.place()?, line.place()?], lines)
            }
        };
        let all = async {
            for line in lines {
                turn.push(line.acquire_owned().await.ok()?);
            }
            Some(turn)
        };
        tokio::time::timeout(TURN, all).await.ok()?
    }

    /// Reads a letter within its turn.
    fn read(&self, bytes: &Arc<[u8]>, _turn: Turn) -> Result<Letter, Fault> {
        let letter = if self.here { super::inspect(bytes)? } else { self.in_child(bytes)? };
        self.scan(bytes)?;
        Ok(letter)
    }

    /// Has a child read it.
    fn in_child(&self, bytes: &Arc<[u8]>) -> Result<Letter, Fault> {
        let options = &self.options;
        let budget = Budget { seconds: options.seconds, memory_mib: options.memory_mib };
        let command = confined::command(&options.program, "read-letter", budget);
        // The clock on the wall is the second limit: a machine under load gives a child less of a second.
        let time = Duration::from_secs(options.seconds.saturating_mul(2));
        let done = confined::run(command, bytes, STORED_MAX + HEAD_MAX, time);
        let unread = || refused(Rule::LetterUnread, "");
        match done {
            Ok(done) if done.status.success() => {
                let answer = Answer::parse(done.output, bytes);
                let answer = answer.ok_or_else(|| {
                    tracing::error!("a child that reads letters gave an invalid answer");
                    unread()
                })?;
                self.say(&answer.confined);
                answer.read
            }
            Ok(done) => {
                tracing::error!(status = %done.status, "a child that reads letters failed");
                Err(unchecked(""))
            }
            Err(error @ NotDone::NotStarted(_)) => {
                tracing::error!(%error, "letters cannot be read: the child");
                Err(unchecked(""))
            }
            Err(error) => {
                tracing::warn!(%error, octets = bytes.len(), "a letter could not be read: the child");
                Err(unread())
            }
        }
    }

    /// Says once what confines the children.
    fn say(&self, confined: &str) {
        if self.said.swap(true, Ordering::Relaxed) {
            return;
        }
        if confined == "landlock=full seccomp=full" {
            tracing::info!(confined, "letters are read in a confined process");
        } else {
            tracing::warn!(
                confined,
                "this kernel does not have all that confines the process which reads letters; its limits \
                 (no new file, socket or process) hold"
            );
        }
    }

    /// Asks the scanner of the settings. Whatever is not a clear "clean" is refused.
    fn scan(&self, bytes: &Arc<[u8]>) -> Result<(), Fault> {
        let Some((program, arguments)) = self.options.scanner.split_first() else { return Ok(()) };
        let file = arguments.iter().any(|argument| argument.contains(FILE));
        let file = file.then(|| self.file_for_scanner(bytes)).transpose().map_err(|error| {
            tracing::error!(%error, "a letter could not be written to disk for the scanner");
            unchecked("")
        })?;
        let mut command = Command::new(program);
        // The daemon's environment is no concern of a scanner.
        command.env_clear().current_dir("/");
        command.envs(SCANNER_ENVIRONMENT.iter().filter_map(|name| Some((name, var_os(name)?))));
        let name = file.as_ref().map(|file| file.0.display().to_string()).unwrap_or_default();
        command.args(arguments.iter().map(|argument| argument.replace(FILE, &name)));
        let time = Duration::from_secs(self.options.scanner_seconds);
        let input = if file.is_some() { Arc::from([]) } else { Arc::clone(bytes) };
        match confined::run(command, &input, SCANNER_OUTPUT_MAX, time) {
            Ok(done) if done.status.success() => Ok(()),
            Ok(done) if done.status.code() == Some(1) => {
                tracing::warn!("the scanner refused a letter");
                Err(refused(Rule::LetterMalware, ""))
            }
            Ok(done) => {
                tracing::error!(status = %done.status, "the scanner (uploads.scanner) failed: letters are refused");
                Err(unchecked(""))
            }
            Err(error) => {
                tracing::error!(%error, "the scanner (uploads.scanner) failed: letters are refused");
                Err(unchecked(""))
            }
        }
    }

    /// Puts a letter where the scanner finds it, for as long as the result lives.
    fn file_for_scanner(&self, bytes: &[u8]) -> std::io::Result<Temporary> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        // The directory is private, so the name need not be secret; the housekeeping of letters deletes
        // what a crash leaves.
        let count = self.scans.fetch_add(1, Ordering::Relaxed);
        let directory = std::path::absolute(&self.options.directory)?;
        let path = directory.join(format!("scan-{}-{count}", std::process::id()));
        let mut file = std::fs::OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        let kept = Temporary(path);
        file.write_all(bytes)?;
        Ok(kept)
    }
}

/// A file that is deleted when this is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What could not be removed lies in a directory that only gapura can read.
        drop(std::fs::remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn letters_of_strangers_keep_no_officer_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::here(Options::new(dir.path().to_owned()));
        let strangers = &reader.0.strangers;
        let _read = Arc::clone(&strangers.read).acquire_many_owned(2).await.unwrap();
        let _wait = Arc::clone(&strangers.places).acquire_many_owned(34).await.unwrap();
        let letter = || super::super::SAMPLE.to_vec();
        let refused = reader.read(letter(), network(1)).await.unwrap_err();
        assert_eq!(refused.rule, Rule::LetterUnchecked);
        assert!(reader.read(letter(), Sender::Officer).await.is_ok());
    }

    /// A stranger of a network.
    fn network(number: u8) -> Sender {
        Sender::Stranger(format!("192.0.{number}.0/24"))
    }

    #[tokio::test]
    async fn letters_of_one_network_keep_no_other_one_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::here(Options::new(dir.path().to_owned()));
        let inner = &reader.0;
        // One is read for long, three more wait for it, and a fifth finds no place.
        let reading = inner.turn(network(1)).await.unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let inner = Arc::clone(inner);
                tokio::spawn(async move { inner.turn(network(1)).await })
            })
            .collect();
        while lock(&inner.networks)["192.0.1.0/24"].places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(inner.turn(network(1)).await.is_none());
        let letter = || super::super::SAMPLE.to_vec();
        assert!(reader.read(letter(), network(2)).await.is_ok(), "the second turn is free");
        // The next of the network comes on, and what is done with leaves nothing behind.
        drop(reading);
        for turn in waiting {
            drop(turn.await.unwrap().unwrap());
        }
        drop(inner.turn(network(3)).await.unwrap());
        assert_eq!(lock(&inner.networks).len(), 1);
    }
}
