//! Webhooks with real receivers: signatures verified by Python, TLS, failures, a kill in the middle, secrets that are
//! nowhere to be seen.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::skipped::skipped;
use crate::support::office::{Office, village};
use crate::support::{Daemon, lay_out, printed, run_in, until, write_settings};

/// The secret that calls are signed with.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// The secret part of the address.
const PATH: &str = "/hooks/sangatrahasia";

/// Verifies calls as the manual says, and writes each down before it answers with what a file says.
const RECEIVER: &str = r#"
import http.server, json, os, ssl, sys, time
import base64, hashlib, hmac

def verify(secret, headers, body):
    id, at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(at)) > 300:
        raise ValueError("an old call: somebody may play it again")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    if not hmac.compare_digest("v1," + base64.b64encode(made).decode(), headers["webhook-signature"]):
        raise ValueError("not from our gapura")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        verify(secret, self.headers, body)
        with open("calls", "a") as out:
            out.write(json.dumps({"path": self.path, "id": self.headers["webhook-id"], "body": json.loads(body)}) + "\n")
            out.flush()
            os.fsync(out.fileno())
        word = open("answer").read().strip()
        if word == "slow":
            time.sleep(3600)
        self.send_response(int(word))
        if word == "302":
            self.send_header("Location", self.path)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass

secret = sys.argv[1]
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

/// A receiver; ended when dropped.
struct Receiver {
    /// The process.
    child: Child,
    /// Where it listens.
    port: u16,
    /// Its files.
    dir: PathBuf,
}

impl Receiver {
    /// Starts one; with TLS if a certificate and its key are given. None where there is no Python.
    fn start(dir: &Path, port: u16, tls: &[&str]) -> Option<Self> {
        std::fs::write(dir.join("receiver.py"), RECEIVER).unwrap();
        if !dir.join("answer").exists() {
            std::fs::write(dir.join("answer"), "204").unwrap();
        }
        let mut python = Command::new("python3");
        python.args(["receiver.py", SECRET, &port.to_string()]).args(tls).current_dir(dir);
        let child = python.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else {
            skipped("there is no python3");
            return None;
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the receiver said {line:?}"));
        Some(Self { child, port, dir: dir.to_owned() })
    }

    /// Answers so from now on.
    fn answer(&self, word: &str) {
        std::fs::write(self.dir.join("answer"), word).unwrap();
    }

    /// What came, each call verified.
    fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join("calls")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The settings of a webhook.
fn hook(name: &str, url: &str, more: &str) -> String {
    format!("[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n{more}\n")
}

/// A webhook of `gapura webhook list`.
fn listed(daemon: &Daemon, name: &str) -> Value {
    let output = daemon.gapura(&["--json", "webhook", "list"]);
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = all["webhooks"].as_array().unwrap().iter().find(|hook| hook["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {all}")).clone()
}

#[test]
fn calls_arrive_over_http_and_https_and_no_secret_is_seen() {
    let made = tempfile::tempdir().unwrap();
    let (plain, tls) = (made.path().join("plain"), made.path().join("tls"));
    std::fs::create_dir(&plain).unwrap();
    std::fs::create_dir(&tls).unwrap();
    let certificate = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "key", "-out", "cert"])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .current_dir(&tls)
        .output();
    if !certificate.is_ok_and(|it| it.status.success()) {
        return skipped("there is no openssl");
    }
    let Some(plain) = Receiver::start(&plain, 0, &[]) else { return };
    let Some(secured) = Receiver::start(&tls, 0, &["cert", "key"]) else { return };
    let hooks = [
        hook("grup", &format!("http://127.0.0.1:{}{PATH}", plain.port), "body = \"text\""),
        hook(
            "program",
            &format!("https://localhost:{}{PATH}", secured.port),
            &format!("tls_ca = \"{}\"", tls.join("cert").display()),
        ),
        // Nobody trusts it; and one that is in the office's own network, which was not allowed.
        hook("asing", &format!("https://localhost:{}{PATH}", secured.port), ""),
        hook("dalam", &format!("https://10.0.0.1{PATH}"), "events = [\"promoted\"]"),
    ];
    let office = Office::of(Daemon::start(&hooks.concat()));
    let (number, _) = office.submit(&village());
    office.dispose(&number);
    until("both are told", || plain.calls().len() >= 2 && secured.calls().len() >= 2);
    let calls = secured.calls();
    assert_eq!(
        (&calls[0]["body"]["event"], &calls[1]["body"]["event"]),
        (&"submit".into(), &"dispose".into())
    );
    assert_eq!(
        (&calls[0]["path"], &calls[0]["body"]["request"]),
        (&PATH.into(), &number.as_str().into())
    );
    let chat = &plain.calls()[0]["body"];
    assert_eq!(chat.as_object().unwrap().len(), 1, "{chat}");
    let text = chat["text"].as_str().unwrap();
    assert!(text.contains(&number) && text.contains(&office.daemon.web()), "{text}");

    let daemon = &office.daemon;
    until("the stranger's certificate is refused", || listed(daemon, "asing")["said"] == "tls");
    let private = daemon.gapura(&["webhook", "test", "dalam"]);
    assert_eq!(private.status.code(), Some(1));
    assert!(printed(&private).contains("not public"), "{}", printed(&private));
    let test = daemon.gapura(&["webhook", "test", "program"]);
    assert_eq!((test.status.code(), secured.calls().len()), (Some(0), 3), "{}", printed(&test));
    let unknown = daemon.gapura(&["webhook", "retry", "keiner"]);
    assert_eq!(unknown.status.code(), Some(1));

    let list = daemon.gapura(&["webhook", "list"]);
    let status = daemon.gapura(&["ctl", "status"]);
    let status_json = daemon.gapura(&["--json", "ctl", "status"]);
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    let seen = [printed(&list), printed(&status), printed(&status_json), log].concat();
    assert!(seen.contains("asing") && seen.contains("https://localhost"), "{seen}");
    assert!(!seen.contains("sangatrahasia") && !seen.contains("MDEyMzQ1"), "{seen}");
}

#[test]
fn what_was_not_answered_is_told_again_after_a_kill_with_the_same_id() {
    let made = tempfile::tempdir().unwrap();
    let Some(receiver) = Receiver::start(made.path(), 0, &[]) else { return };
    let dir = made.path().join("gapura");
    std::fs::create_dir(&dir).unwrap();
    let settings = hook("program", &format!("http://127.0.0.1:{}{PATH}", receiver.port), "");
    lay_out(&dir, &settings);
    let office = Office::of(Daemon::in_dir(&dir));
    // It takes the call and says nothing.
    receiver.answer("slow");
    let (number, _) = office.submit(&village());
    until("the call has come", || !receiver.calls().is_empty());
    assert!(office.daemon.end_with("KILL").is_none());
    receiver.answer("204");
    let daemon = Daemon::in_dir(&dir);
    until("it is told again", || receiver.calls().len() >= 2);
    until("and that is known", || listed(&daemon, "program")["delivered"] == 1);
    let calls = receiver.calls();
    assert_eq!(
        (calls[0]["id"].as_str(), &calls[1]["body"]["request"]),
        (calls[1]["id"].as_str(), &number.as_str().into())
    );
    assert_eq!(calls.len(), 2, "{calls:?}");
}

#[test]
fn a_receiver_that_fails_keeps_no_act_waiting_and_a_retry_brings_what_it_missed() {
    let made = tempfile::tempdir().unwrap();
    let Some(receiver) = Receiver::start(made.path(), 0, &[]) else { return };
    let settings = hook("program", &format!("http://127.0.0.1:{}{PATH}", receiver.port), "");
    let office = Office::of(Daemon::start(&settings));
    let daemon = &office.daemon;
    receiver.answer("500");
    let (number, _) = office.submit(&village());
    until("it is refused", || listed(daemon, "program")["said"] == "500");
    // What hampers the queue is looked for once a second.
    until("it is told", || printed(&daemon.gapura(&["ctl", "status"])).contains("webhook program"));
    assert_eq!(daemon.gapura(&["webhook", "list"]).status.code(), Some(1));
    // A redirect is no answer, and is not followed.
    receiver.answer("302");
    assert_eq!(daemon.gapura(&["webhook", "retry", "program"]).status.code(), Some(0));
    until("the redirect is seen", || listed(daemon, "program")["said"] == "302");
    office.dispose(&number);
    receiver.answer("204");
    daemon.gapura(&["webhook", "retry", "program"]);
    until("both are told", || listed(daemon, "program")["delivered"] == 2);
    let last = receiver.calls();
    assert_eq!(last[last.len() - 1]["body"]["event"], "dispose");
    assert_eq!(last[last.len() - 1]["body"]["previous"], last[last.len() - 2]["body"]["sequence"]);

    // Another address by a reload; the way back, too.
    receiver.answer("410");
    office.submit(&crate::support::office::service(
        "sipandu",
        serde_json::json!([{ "type": "A", "data": "192.0.2.201", "ttl": 3600 }]),
    ));
    until("it wants no more", || listed(daemon, "program")["state"] == "stopped");
    let calls = receiver.calls().len();
    write_settings(
        &daemon.dir,
        &hook("lain", &format!("http://127.0.0.1:{}{PATH}", receiver.port), ""),
    );
    receiver.answer("204");
    let reload = run_in(&daemon.dir, &["ctl", "reload"]);
    assert!(
        reload.status.success() && printed(&reload).contains("webhook"),
        "{}",
        printed(&reload)
    );
    assert_eq!(listed(daemon, "lain")["state"], "ready");
    assert_eq!(receiver.calls().len(), calls, "a new webhook is told what happens from now on");
}
