//! dnstap, read back by Debian's own readers: dnstap-ldns for files, fstrm_capture for sockets.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hickory_proto::rr::RecordType;

use crate::support::peers::is_client_here;
use crate::support::{Daemon, ask, ask_tcp, kill, lay_out, printed, run_in, until};

/// A stream as dnstap-ldns prints it, one message a line.
fn read_back(file: &Path) -> Vec<String> {
    let output = Command::new("dnstap-ldns").arg("-q").arg("-r").arg(file).output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The lines of one kind, such as AQ for AUTH_QUERY, that name a name.
fn of(lines: &[String], kind: &str, name: &str) -> usize {
    lines.iter().filter(|line| line.contains(&format!(" {kind} ")) && line.contains(name)).count()
}

/// Lays settings out with a table `[dnstap]`, as its own: paths are relative to the settings.
fn lay_out_with(dir: &Path, more: &str) {
    lay_out(dir, &format!("[dnstap]\n{more}"));
}

#[test]
fn a_file_holds_query_and_response_of_every_transport() {
    if !is_client_here("dnstap-ldns") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out_with(dir, "file = \"state/queries.dnstap\"\nidentity = \"ns1.example\"\n");
    let daemon = Daemon::in_dir(dir);
    let _ = ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    let _ = ask_tcp(daemon.dns(), "jdih.cirebonkab.go.id.", RecordType::AAAA);
    let _ = ask(daemon.dns(), "nowhere.example.", RecordType::MX);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let file = dir.join("state/queries.dnstap");
    let lines = read_back(&file);
    for name in ["www.cirebonkab.go.id.", "jdih.cirebonkab.go.id.", "nowhere.example."] {
        assert!(of(&lines, "AQ", name) >= 1 && of(&lines, "AR", name) >= 1, "{name}: {lines:#?}");
    }
    let yaml = Command::new("dnstap-ldns").args(["-y", "-r"]).arg(&file).output().unwrap();
    let yaml = String::from_utf8(yaml.stdout).unwrap().replace('"', "");
    for part in [
        "identity: ns1.example",
        "version: gapura ",
        "socket_protocol: TCP",
        "socket_protocol: UDP",
        "query_address: 127.0.0.1",
        "response_address: 127.0.0.1",
        &format!("response_port: {}", daemon_port(&yaml)),
        "query_zone: cirebonkab.go.id.",
        ";; QUESTION SECTION:",
        "rcode: REFUSED",
    ] {
        assert!(yaml.contains(part), "not there: {part}\n{yaml}");
    }
}

/// The port that the first message names for us.
fn daemon_port(yaml: &str) -> &str {
    let (_, rest) = yaml.split_once("response_port: ").expect("our port");
    rest.split_whitespace().next().unwrap()
}

/// fstrm_capture, as a reader on a socket; ended when dropped.
struct Capture {
    /// The process.
    child: Child,
    /// What it writes to.
    file: PathBuf,
}

impl Capture {
    /// Starts it.
    fn start(dir: &Path, name: &str) -> Self {
        let (socket, file) = (dir.join("tap.sock"), dir.join(name));
        let child = Command::new("fstrm_capture")
            .args(["-t", "protobuf:dnstap.Dnstap", "-u"])
            .arg(&socket)
            .arg("-w")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the reader listens", || socket.exists());
        Self { child, file }
    }

    /// Ends it as its user would, so that its file is whole.
    fn end(mut self) -> Vec<String> {
        kill(self.child.id(), "INT");
        self.child.wait().unwrap();
        read_back(&self.file)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Entries sent and lost, as `ctl stats` says.
fn counts(daemon: &Daemon) -> (u64, u64) {
    let output = daemon.gapura(&["ctl", "stats", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |key: &str| json["dnstap"][key].as_u64().unwrap_or_else(|| panic!("{json}"));
    (number("written"), number("lost"))
}

#[test]
fn readers_on_a_socket_come_and_go_and_answers_never_wait() {
    if !is_client_here("fstrm_capture") || !is_client_here("dnstap-ldns") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out_with(dir, "socket = \"tap.sock\"\n");
    let daemon = Daemon::in_dir(dir);
    // Nobody reads: that is said, and costs no answer.
    until("it is said that nobody reads", || {
        let _ = ask(daemon.dns(), "early.cirebonkab.go.id.", RecordType::A);
        let output = daemon.gapura(&["ctl", "status"]);
        output.status.code() == Some(1) && printed(&output).contains("no reader listens on it")
    });
    for (at, name) in ["first", "second"].iter().enumerate() {
        let capture = Capture::start(dir, &format!("{at}.dnstap"));
        let asked = format!("{name}.cirebonkab.go.id.");
        let before = counts(&daemon).0;
        until("frames are sent", || {
            let _ = ask(daemon.dns(), &asked, RecordType::A);
            counts(&daemon).0 > before + 20
        });
        let lines = capture.end();
        assert!(of(&lines, "AQ", &asked) > 5 && of(&lines, "AR", &asked) > 5, "{lines:#?}");
        assert_eq!(of(&lines, "AQ", "early"), 0, "what nobody read is lost");
        // fstrm_capture leaves its socket behind.
        let _ = std::fs::remove_file(dir.join("tap.sock"));
        until("the reader is missed", || {
            let _ = ask(daemon.dns(), "between.cirebonkab.go.id.", RecordType::A);
            daemon.gapura(&["ctl", "status"]).status.code() == Some(1)
        });
    }
    assert!(counts(&daemon).1 > 0);
    assert_eq!(daemon.end_with("TERM"), Some(0));
}

#[test]
fn settings_that_make_no_sense_are_told_with_their_place() {
    let made = tempfile::tempdir().unwrap();
    lay_out_with(made.path(), "clients = [\"nowhere\"]\nfile = \"x\"\n");
    let output = run_in(made.path(), &["check"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("dnstap.clients[0]: \"nowhere\" is not a network"), "{text}");
}
