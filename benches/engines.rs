//! What the queue costs on each engine, from outside: a daemon on a file and one on PostgreSQL, the same acts over the
//! API of each, and pages.
//!
//! `cargo bench --bench engines [-- REQUESTS [PROGRAM]]` (default: 200, and the program just built). Both daemons run the
//! whole time and take turns, request by request, so that what else the machine does meets both alike. Prints the median
//! and the 95th percentile in milliseconds, and the octets that a request takes in the database. Without PostgreSQL only
//! the file is measured. The server keeps what it acknowledges (fsync), as the file does.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs,
    dead_code
)] // a bench prints, and stops at the first surprise; of the tests' helpers it uses a part

#[path = "../tests/it/support/http.rs"]
mod http;
#[path = "../tests/it/postgres_cluster.rs"]
mod postgres_cluster;
#[path = "../tests/it/skipped.rs"]
mod skipped;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http::{Caller, Response};
use postgres_cluster::Cluster;
use serde_json::{Value, json};

/// What everybody types.
const PASSWORD: &str = "kuda lumping 1928 cirebon";
/// A PDF of one empty page.
const LETTER: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Size 4/Root 1 0 R>>\n%%EOF\n";

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let requests = args.next().and_then(|text| text.parse().ok()).unwrap_or(200);
    let program = args.next().unwrap_or_else(|| env!("CARGO_BIN_EXE_gapura").to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    let cluster = Cluster::start_with(&[]);
    let mut offices = vec![Office::open("file", &program, "")];
    if let Some(cluster) = &cluster {
        let settings = format!("[database]\nurl = \"{}\"\n", cluster.url());
        offices.push(Office::open("PostgreSQL", &program, &settings));
    }
    let empty: Vec<u64> = offices.iter().map(|office| office.size(cluster.as_ref())).collect();
    for turn in 0..requests {
        offices.iter_mut().for_each(|office| office.bring_live(turn));
    }
    for _ in 0..requests {
        offices.iter_mut().for_each(Office::read);
    }
    for (office, empty) in offices.iter_mut().zip(empty) {
        println!("\n{}, {requests} requests", office.engine);
        office.print();
        let size = office.size(cluster.as_ref()).saturating_sub(empty);
        println!("{:24} {:>8} octets", "a request in the database", size / requests as u64);
    }
}

/// An office around a daemon.
struct Office {
    /// Where its tables are.
    engine: &'static str,
    /// The daemon.
    daemon: Child,
    /// Its directory.
    dir: tempfile::TempDir,
    /// Who sends requests in, the head, the verifier.
    callers: [Caller; 3],
    /// What each step took, in the order of the table.
    took: Vec<(&'static str, Vec<Duration>)>,
}

impl Office {
    /// Starts it.
    fn open(engine: &'static str, program: &str, settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let zone = Path::new(env!("CARGO_MANIFEST_DIR")).join("zones/cirebonkab.go.id.zone");
        std::fs::copy(zone, dir.path().join("zone")).unwrap();
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"state\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [public]\nsubmit_per_hour = 1000000\n[targets]\nallow = [\"192.0.2.0/24\"]\n[probe]\nenabled = false\n\
             [tokens]\ndecide = true\n[[zone]]\nname = \"cirebonkab.go.id.\"\nfile = \"zone\"\n{settings}"
        );
        std::fs::write(dir.path().join("gapura.toml"), text).unwrap();
        let mut daemon = command(program, dir.path(), &["serve", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let web = serde_json::from_str::<Value>(&line).unwrap()["web"].as_str().unwrap().to_owned();
        let [loket, kabid, kasi] =
            [("ani", "kabid"), ("budi", "kabid"), ("siti", "kasi")].map(|(name, role)| {
                let email = format!("{name}@cirebonkab.go.id");
                let user =
                    ["user", "add", name, "--role", role, "--email", &email, "--password-stdin"];
                typed(program, dir.path(), &user);
                let scopes = "read,submit,decide";
                let token = ["token", "create", name, "--scope", scopes, "--password-stdin"];
                Caller::with_token(&web, typed(program, dir.path(), &token).trim())
            });
        let callers = [loket, kabid, kasi];
        Self { engine, daemon, dir, callers, took: Vec::new() }
    }

    /// Does a step, and notes what it took.
    fn timed(
        &mut self,
        step: &'static str,
        call: impl FnOnce(&[Caller; 3]) -> Response,
    ) -> Response {
        let begun = Instant::now();
        let response = call(&self.callers);
        let took = begun.elapsed();
        assert!(response.status < 300, "{step}: {} {}", response.status, response.text());
        match self.took.iter_mut().find(|(known, _)| *known == step) {
            Some((_, all)) => all.push(took),
            None => self.took.push((step, vec![took])),
        }
        response
    }

    /// Brings one request to a live name.
    fn bring_live(&mut self, turn: usize) {
        let request = request(&format!("layanan-{turn}"));
        let sent = self.timed("submit, with its letter", |[loket, ..]| {
            loket.post_request("/api/v1/requests", &request, LETTER)
        });
        let number = sent.json()["number"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/requests/{number}");
        let to = json!({ "to": "siti", "instruction": "Periksa." });
        self.timed("dispose", |[_, kabid, _]| kabid.post(&format!("{path}/dispose"), &to));
        let read = self.timed("read a request", |[_, _, kasi]| kasi.get(&path)).json();
        let lines = read["lines"].as_array().unwrap().iter().filter(|line| {
            line["code"].as_str().unwrap().starts_with('M') || line["verdict"] != "ok"
        });
        let lines: Vec<Value> = lines
            .map(|line| json!({ "code": line["code"], "verdict": "ok", "note": "ya" }))
            .collect();
        let body = json!({ "revision": read["revision"], "candidate": read["candidate"]["hash"], "lines": lines });
        let live = self.timed("approve: live and read back", |[_, _, kasi]| {
            kasi.post(&format!("{path}/approve"), &body)
        });
        assert_eq!(live.json()["state"], "live");
    }

    /// Reads what people read.
    fn read(&mut self) {
        self.timed("first page", |[loket, ..]| loket.get("/"));
        self.timed("public list of names", |[loket, ..]| loket.get("/subdomain"));
        self.timed("list of requests", |[_, _, kasi]| kasi.get("/api/v1/requests?limit=50"));
    }

    /// Octets of the database.
    fn size(&self, cluster: Option<&Cluster>) -> u64 {
        match (self.engine, cluster) {
            ("PostgreSQL", Some(cluster)) => {
                cluster.sql("SELECT pg_database_size(current_database())").parse().unwrap()
            }
            _ => ["gapura.db", "gapura.db-wal"]
                .iter()
                .filter_map(|name| self.dir.path().join("state").join(name).metadata().ok())
                .map(|file| file.len())
                .sum(),
        }
    }

    /// Prints what the steps took.
    fn print(&mut self) {
        for (step, took) in &mut self.took {
            took.sort_unstable();
            let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            println!("{step:28} {:8.2} ms median {:8.2} ms p95", ms(at(50)), ms(at(95)));
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// The program in a directory with settings.
fn command(program: &str, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).args(["--config", "gapura.toml"]).current_dir(dir).stderr(Stdio::null());
    command
}

/// What a command prints that reads the password.
fn typed(program: &str, dir: &Path, args: &[&str]) -> String {
    let mut command = command(program, dir, args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A request for a service's name.
fn request(name: &str) -> Value {
    json!({
        "kind": "new", "class": "layanan", "name": name, "zone": "cirebonkab.go.id.",
        "records": [{ "type": "A", "data": "192.0.2.9", "ttl": 300 }],
        "office": "Dinas Komunikasi dan Informatika", "region": null, "purpose": "Layanan",
        "contact": { "name": "Sutrisno", "position": "Kepala", "email": "layanan@cirebonkab.example", "phone": "0231-000000" },
        "letter": { "number": "140/12", "date": "2026-11-23" }, "starts": null, "ends": null
    })
}
