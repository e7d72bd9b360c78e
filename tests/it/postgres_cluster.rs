//! A server of PostgreSQL for tests: a cluster of its own in a temporary directory, reached by a socket there.
//!
//! The unit tests use it too. Its locale is one whose order of text is not that of octets, so that whatever leans on the
//! server's order shows itself.
#![allow(dead_code)] // Each of the two uses a part of it.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The user it runs as where the test is root, whom it refuses.
const NOBODY: u32 = 65_534;
/// The database and its owner, who may do nothing else.
const NAME: &str = "gapura";
/// Who may do everything.
const ADMINISTRATOR: &str = "postgres";

/// A cluster; it ends with this.
pub(crate) struct Cluster {
    /// Its directory, with the socket.
    dir: tempfile::TempDir,
    /// Where the programs are.
    programs: PathBuf,
    /// The server, while it runs.
    server: Option<Child>,
    /// More settings of it.
    settings: &'static [&'static str],
}

impl Cluster {
    /// Starts one that need not survive a loss of power; none where PostgreSQL is not installed, which is said aloud.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&["fsync=off"])
    }

    /// The same with these settings.
    pub(crate) fn start_with(settings: &'static [&'static str]) -> Option<Self> {
        let Some(programs) = programs() else {
            crate::skipped::skipped("PostgreSQL (Debian's postgresql) is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut cluster = Self { dir, programs, server: None, settings };
        let data = cluster.data();
        let made = cluster
            .program("initdb")
            .args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username", ADMINISTRATOR])
            .args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=id", "-D"])
            .arg(data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.begin();
        for sql in
            [format!("CREATE ROLE {NAME} LOGIN"), format!("CREATE DATABASE {NAME} OWNER {NAME}")]
        {
            let made = cluster.psql("postgres", &sql);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        Some(cluster)
    }

    /// Makes a standby of it, in a directory of its own: a commit is told once it is there, too.
    pub(crate) fn standby(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let owner = self.dir.path().metadata().unwrap();
        chown(dir.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let programs = self.programs.clone();
        let mut standby = Self { dir, programs, server: None, settings: self.settings };
        let data = standby.data();
        let copied = self
            .program("pg_basebackup")
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--username"])
            .args([ADMINISTRATOR, "--host"])
            .arg(self.dir.path())
            .arg("--pgdata")
            .arg(data)
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.begin();
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            assert!(self.psql("postgres", sql).status.success(), "{}", self.said());
        }
        standby
    }

    /// Makes a standby the server that takes writes.
    pub(crate) fn promote(&self) {
        let mut promote = self.program("pg_ctl");
        let promoted = promote.args(["promote", "-w", "-D"]).arg(self.data()).output().unwrap();
        assert!(promoted.status.success(), "{}", String::from_utf8_lossy(&promoted.stderr));
    }

    /// The address of a database that is on this server or on its standby.
    pub(crate) fn url_with(&self, standby: &Self) -> String {
        let [one, other] = [self, standby].map(|it| it.dir.path().display());
        format!("postgres://{NAME}@/{NAME}?host={one}&host={other}")
    }

    /// The directory of its data.
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A program of it, as the user that it runs as; it ends with the thread that starts it.
    fn program(&self, name: &str) -> Command {
        let owner = self.dir.path().metadata().unwrap().uid();
        let path = self.programs.join(name);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]).current_dir("/").env("LC_ALL", "C");
        if rustix::process::geteuid().is_root() {
            let id = owner.to_string();
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
        }
        command.arg(path);
        command
    }

    /// Starts the server, which is not running, and waits until it answers.
    pub(crate) fn begin(&mut self) {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.dir.path());
        command.args(["-c", "listen_addresses="]);
        for setting in self.settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A thread of its own starts it, for it ends with the thread that does.
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _ = told.send(command.spawn().unwrap());
            loop {
                std::thread::park();
            }
        });
        self.server = Some(heard.recv().unwrap());
        let begun = Instant::now();
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the server at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        // One that stands still hears nothing.
        self.signal_all(rustix::process::Signal::CONT);
        if let Some(mut server) = self.server.take() {
            // An immediate shutdown: nothing is written, and the children are told.
            let pid = rustix::process::Pid::from_child(&server);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let _ = server.wait();
        }
    }

    /// Lets the server stand still, or go on: one that is reached and does not answer.
    pub(crate) fn signal_all(&self, signal: rustix::process::Signal) {
        let Some(server) = &self.server else { return };
        let of = format!("/proc/{0}/task/{0}/children", server.id());
        let children = std::fs::read_to_string(of).unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        for pid in pids.chain(i32::try_from(server.id()).ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, signal);
            }
        }
    }

    /// The address of the database, for settings.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{NAME}@/{NAME}?host={}", self.dir.path().display())
    }

    /// Runs SQL in a database, as its administrator does.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                ADMINISTRATOR,
                "-d",
                database,
                "-c",
                sql,
                "-h",
            ])
            .arg(self.dir.path())
            .output()
            .unwrap()
    }

    /// Runs SQL in the database of gapura; returns what it printed.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let done = self.psql(NAME, sql);
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    /// Where the server's log is.
    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// What the server said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the newest version's programs are, as Debian has them.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql")).ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| path.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}
