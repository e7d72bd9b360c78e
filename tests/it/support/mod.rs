//! A real daemon in a directory of its own, and a client that decodes with an independent library.
#![cfg_attr(not(feature = "approval"), allow(dead_code))] // The name server alone uses a part of it.

#[cfg(feature = "approval")]
pub mod browser;
#[cfg(feature = "approval")]
pub mod demo;
pub mod http;
#[cfg(feature = "approval")]
pub mod office;
pub mod peers;
#[cfg(feature = "approval")]
pub mod photo;
pub mod wire;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use gapura::dns_client::{Transport, exchange};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

//------------ Daemon --------------------------------------------------------

/// `gapura serve` on free ports; ended when dropped.
pub struct Daemon {
    /// The process.
    child: Child,
    /// Where settings, zone and state are.
    pub dir: PathBuf,
    /// What `serve --json` printed when it was ready.
    pub ready: serde_json::Value,
    /// Keeps a directory made for this daemon.
    _made: Option<tempfile::TempDir>,
}

/// The last line of the project's own zone file.
pub const END: &str = "; gapura: end of zone";

impl Daemon {
    /// Puts a record into the zone's file.
    pub fn add_record(&self, record: &str) {
        let text = std::fs::read_to_string(self.zone_file()).unwrap();
        std::fs::write(self.zone_file(), text.replace(END, &format!("{record}\n{END}"))).unwrap();
    }

    /// Starts with the project's own zone and settings, and `more` settings at the end.
    pub fn start(more: &str) -> Self {
        let made = tempfile::tempdir().unwrap();
        lay_out(made.path(), more);
        let mut daemon = Self::in_dir(made.path());
        daemon._made = Some(made);
        daemon
    }

    /// Starts in a directory that has its settings already.
    pub fn in_dir(dir: &Path) -> Self {
        Self::of(dir, command(dir, &["serve", "--json"]))
    }

    /// The same with these variables in its environment.
    pub fn in_dir_with_env(dir: &Path, envs: &[(&str, &str)]) -> Self {
        let mut serve = command(dir, &["serve", "--json"]);
        serve.envs(envs.iter().copied());
        Self::of(dir, serve)
    }

    /// The same with a limit of open files.
    pub fn in_dir_with_files(dir: &Path, files: u32) -> Self {
        Self::in_shell(dir, &format!("ulimit -n {files}"))
    }

    /// The same with a log that can never be written.
    pub fn in_dir_with_full_log(dir: &Path) -> Self {
        Self::in_shell(dir, "exec 2>/dev/full")
    }

    /// The same as another user.
    pub fn as_user(dir: &Path, user: u32) -> Self {
        let mut serve = command(dir, &["serve", "--json"]);
        std::os::unix::process::CommandExt::uid(&mut serve, user);
        std::os::unix::process::CommandExt::gid(&mut serve, user);
        Self::of(dir, serve)
    }

    /// The same by way of a shell that does something first.
    fn in_shell(dir: &Path, first: &str) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{first} && exec \"$0\" \"$@\"")])
            .args([env!("CARGO_BIN_EXE_gapura"), "serve", "--json", "--config", "gapura.toml"])
            .current_dir(dir)
            .stdin(Stdio::null());
        Self::of(dir, shell)
    }

    /// The same with a log of the form that the settings say; it prints for people that it is ready.
    pub fn in_dir_with_text(dir: &Path) -> Self {
        Self::of(dir, command(dir, &["serve"]))
    }

    /// The same in a mount namespace, as [`Self::in_namespace`].
    pub fn in_namespace_as_text(dir: &Path, first: &str) -> Option<Self> {
        Self::unshared(dir, first, "")
    }

    /// The same by way of a shell that does something first, in a mount namespace of its own; none where
    /// the system gives us none.
    pub fn in_namespace(dir: &Path, first: &str) -> Option<Self> {
        Self::unshared(dir, first, "--json")
    }

    /// The same with an option.
    fn unshared(dir: &Path, first: &str, option: &str) -> Option<Self> {
        let mut shell = Command::new("unshare");
        shell.args(["-m", "sh", "-c"]).current_dir(dir).stdin(Stdio::null());
        let works = shell.arg(first).status().is_ok_and(|status| status.success());
        let binary = env!("CARGO_BIN_EXE_gapura");
        let script = format!("{first} && exec {binary} serve {option} --config gapura.toml");
        let mut shell = Command::new("unshare");
        shell.args(["-m", "sh", "-c", &script]).current_dir(dir).stdin(Stdio::null());
        works.then(|| Self::of(dir, shell))
    }

    /// Starts a command that serves, and waits until it is ready.
    pub fn of(dir: &Path, mut serve: Command) -> Self {
        let mut child = serve
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        // For people it is text.
        let ready = if line.starts_with("gapura ") {
            serde_json::Value::Null
        } else {
            serde_json::from_str(&line).unwrap_or_else(|error| {
                panic!("serve printed {line:?} ({error}); its log:\n{}", log())
            })
        };
        Self { child, dir: dir.to_owned(), ready, _made: None }
    }

    /// The first DNS address.
    pub fn dns(&self) -> SocketAddr {
        self.ready["dns"][0].as_str().unwrap().parse().unwrap()
    }

    /// The pages' base address, such as `http://127.0.0.1:40123`.
    pub fn web(&self) -> String {
        self.ready["web"].as_str().unwrap().to_owned()
    }

    /// The zone file.
    pub fn zone_file(&self) -> PathBuf {
        self.dir.join("cirebonkab.go.id.zone")
    }

    /// Runs another gapura command with this daemon's settings.
    pub fn gapura(&self, args: &[&str]) -> Output {
        command(&self.dir, args).output().unwrap()
    }

    /// Runs another gapura command with these variables in its environment.
    pub fn gapura_with_env(&self, args: &[&str], envs: &[(&str, &str)]) -> Output {
        command(&self.dir, args).envs(envs.iter().copied()).output().unwrap()
    }

    /// Runs another gapura command with something on its standard input.
    pub fn gapura_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut child = command(&self.dir, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The process id, for signals.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name and waits for the end; the exit code.
    pub fn end_with(mut self, signal: &str) -> Option<i32> {
        kill(self.pid(), signal);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the daemon did not end within {PATIENCE:?} of {signal}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to one of our own processes, as a system call: a slim machine has no program `kill`.
pub fn kill(pid: u32, signal: &str) {
    let signal = match signal {
        "ALRM" => Signal::ALARM,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "QUIT" => Signal::QUIT,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        "TERM" => Signal::TERM,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "XFSZ" => Signal::XFSZ,
        other => panic!("SIG{other} is not in this list"),
    };
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The project's own zone and settings in `dir`, with `more` settings at the end.
pub fn lay_out(dir: &Path, more: &str) {
    let zone = Path::new(env!("CARGO_MANIFEST_DIR")).join("zones/cirebonkab.go.id.zone");
    std::fs::copy(zone, dir.join("cirebonkab.go.id.zone")).unwrap();
    write_settings(dir, more);
}

/// The same with 60,000 records more.
pub fn lay_out_large(dir: &Path, more: &str) {
    lay_out(dir, more);
    let zone = dir.join("cirebonkab.go.id.zone");
    let many: String = (0..60_000).map(|at| format!("n{at} A 192.0.2.1\n")).collect();
    let text = std::fs::read_to_string(&zone).unwrap().replace(END, &format!("{many}{END}"));
    std::fs::write(&zone, text).unwrap();
}

/// Copies a tree of files and directories.
pub fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy_all(&from, &to),
            kind if kind.is_file() => drop(std::fs::copy(&from, &to).unwrap()),
            _ => {}
        }
    }
}

/// Settings on free ports in `dir`; `more` comes after all tables.
pub fn write_settings(dir: &Path, more: &str) {
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\nudp_workers = 1\nstate_dir = \"state\"\n\n\
         [query_log]\nfile = \"state/query.jsonl\"\n\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\n\
         [targets]\nallow = [\"192.0.2.0/24\", \"198.51.100.0/24\", \"2001:db8::/32\"]\n\n\
         [probe]\nenabled = false\n\n[tokens]\ndecide = true\n\n\
         [[zone]]\nname = \"cirebonkab.go.id.\"\nfile = \"cirebonkab.go.id.zone\"\n{more}"
    );
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
}

/// Runs a command in a directory with settings, whether a daemon runs there or not.
pub fn run_in(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

/// All that a command printed.
pub fn printed(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

/// Makes a named pipe.
pub fn make_pipe(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from(0o600)).unwrap();
}

/// The binary under test, in `dir`.
pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapura"));
    command.args(args).args(["--config", "gapura.toml"]).current_dir(dir).stdin(Stdio::null());
    command
}

//------------ Asking --------------------------------------------------------

/// One question over UDP, decoded by hickory-proto. Asked again after a second, as a resolver would:
/// on a busy machine a second says nothing.
pub fn ask(server: SocketAddr, name: &str, rtype: RecordType) -> Message {
    let (query, deadline) = (query(name, rtype), Instant::now() + PATIENCE);
    loop {
        if let Ok(reply) = exchange(server, &query, Transport::Udp, Duration::from_secs(1)) {
            return Message::from_vec(&reply).unwrap();
        }
        assert!(Instant::now() < deadline, "no reply to {name} within {PATIENCE:?}");
    }
}

/// One question over TCP.
pub fn ask_tcp(server: SocketAddr, name: &str, rtype: RecordType) -> Message {
    let reply = exchange(server, &query(name, rtype), Transport::Tcp, PATIENCE).unwrap();
    Message::from_vec(&reply).unwrap()
}

/// A query without EDNS.
pub fn query(name: &str, rtype: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype));
    message.to_vec().unwrap()
}

/// The answer section as sorted text of its data.
pub fn data(message: &Message) -> Vec<String> {
    let mut data: Vec<_> = message.answers.iter().map(|record| record.data.to_string()).collect();
    data.sort();
    data
}

/// Waits until `what` is true.
pub fn until(why: &str, mut what: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {why}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
