//! What an operator is told: `check`, `reload`, `status`, readiness, exit codes. The real program, real files.

use std::path::Path;
use std::process::{Command, Stdio};

use hickory_proto::rr::RecordType;

use crate::support::http::Caller;
use crate::support::{Daemon, ask, ask_tcp, command, data, lay_out, printed, run_in, until};

/// A file of the listeners' tests.
fn certificate(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dns/serve/tests").join(name)
}

/// Puts a pair of certificate and key into a directory as `NAME.crt` and `NAME.key`.
fn put_pair(dir: &Path, name: &str, from: &str) {
    for end in ["key", "crt"] {
        let from = certificate(&format!("{from}.{end}"));
        std::fs::copy(from, dir.join(format!("{name}.{end}"))).unwrap();
    }
}

/// Writes settings that are these and nothing else.
fn settings(dir: &Path, text: &str) {
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
}

//------------ check ---------------------------------------------------------

#[test]
fn a_check_tells_all_that_serving_needs_and_makes_nothing() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    put_pair(dir, "old", "expired");
    put_pair(dir, "good", "localhost");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = taken.local_addr().unwrap();
    std::fs::write(
        dir.join("zones.manifest"),
        format!("{}  cirebonkab.go.id.zone\n", "0".repeat(64)),
    )
    .unwrap();
    settings(
        dir,
        &format!(
            "[server]\nlisten = [\"127.0.0.1:5391\", \"192.0.2.53:5391\"]\nallow_query = [\"nowhere\"]\n\
             [tls]\nlisten = [\"127.0.0.1:5391\"]\ncert = \"missing.crt\"\nkey = \"good.key\"\n\
             [quic]\nlisten = [\"127.0.0.1:0\"]\ncert = \"good.crt\"\nkey = \"old.key\"\n\
             [query_log]\nfile = \"logs/query.jsonl\"\n[metrics]\nlisten = \"{metrics}\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n\
             [[zone]]\nname = \"cirebonkab.go.id.\"\nfile = \"cirebonkab.go.id.zone\"\nerrors = [\"no-rule\"]\n\
             [[zone]]\nname = \"a.example.\"\nfile = \"none.zone\"\n"
        ),
    );
    let before = std::fs::read_dir(dir).unwrap().count();
    let output = run_in(dir, &["check"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "gapura.toml:3:16 error settings-value: server.allow_query: \"nowhere\" is not a network",
        "gapura.toml:5:11 error listen-twice: server.listen[0] and tls.listen[0] both want",
        "gapura.toml:2:29 error listen-address: cannot listen on 192.0.2.53:5391 (UDP): this machine has no",
        "gapura.toml:6:8 error certificate: cannot read a certificate chain from",
        "gapura.toml:10:8 error certificate: the key in",
        "gapura.toml:13:8 error query-log:",
        "gapura.toml:15:10 error listen-taken: another program listens on",
        "gapura.toml:21:10 error settings-value: zone cirebonkab.go.id.: \"no-rule\" in errors is not a rule",
        "error file-unreadable",
        "error manifest-mismatch",
    ] {
        assert!(text.contains(part), "not told: {part}\n{text}");
    }
    let json = run_in(dir, &["check", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json["findings"].as_array().unwrap().len() >= 9, "{json}");
    // systemd keeps the sockets over a restart: they are nobody else's.
    let text = printed(&command(dir, &["check"]).env("FDSTORE", "512").output().unwrap());
    assert!(text.contains("listen-twice") && !text.contains("listen-taken"), "{text}");
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), before, "a check makes nothing");

    // All but one mended.
    settings(
        dir,
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [tls]\nlisten = [\"127.0.0.1:0\"]\ncert = \"old.crt\"\nkey = \"old.key\"\n\
         [[zone]]\nname = \"cirebonkab.go.id.\"\nfile = \"cirebonkab.go.id.zone\"\n",
    );
    let text = printed(&run_in(dir, &["check"]));
    assert!(text.contains("error manifest-mismatch"), "{text}");
    std::fs::remove_file(dir.join("zones.manifest")).unwrap();
    let output = run_in(dir, &["check"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("error certificate-time") && text.contains("expired on 2024-02-01"),
        "{text}"
    );
    put_pair(dir, "old", "localhost");
    let output = run_in(dir, &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
}

#[test]
fn a_check_looks_at_the_state_directory() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    let daemon = Daemon::in_dir(dir);
    // While it runs its own addresses are not another program's.
    assert_eq!(run_in(dir, &["check"]).status.code(), Some(0));
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let output = run_in(dir, &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let state = dir.join("state");
    let log = std::fs::metadata(state.join("gapura.db-wal"));
    assert!(log.is_err() || log.unwrap().len() == 0, "a clean stop leaves one file");
    let names = || std::fs::read_dir(&state).unwrap().count();
    let before = names();
    let database = state.join("gapura.db");
    let file = rusqlite::Connection::open(&database).unwrap();
    file.execute("INSERT INTO migration VALUES (9999, 'later')", []).unwrap();
    drop(file);
    let check = || {
        let output = run_in(dir, &["check"]);
        (output.status.code(), printed(&output))
    };
    let (code, text) = check();
    assert!(code == Some(1) && text.contains("a later version of gapura"), "{text}");
    std::fs::write(&database, b"").unwrap();
    let (code, text) = check();
    assert!(code == Some(1) && text.contains("missing or empty"), "{text}");
    assert_eq!((names(), std::fs::metadata(&database).unwrap().len()), (before, 0));
}

#[cfg(feature = "approval")]
#[test]
fn what_a_page_changed_of_the_office_is_in_force_without_pages_and_after_a_reload() {
    use gapura::control::{Command, OfficeCommand, call};
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    assert_eq!(Daemon::in_dir(dir).end_with("TERM"), Some(0));
    let file = rusqlite::Connection::open(dir.join("state/gapura.db")).unwrap();
    let body = "key,value\nname,Dinas Lain\n";
    let row = "INSERT INTO list_version VALUES ('identity', 1, ?1, 'a', 'p-admin', 1, '')";
    file.execute(row, [body]).unwrap();
    drop(file);
    // No page is there that could have put it in force: its address is another program's.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let pages = format!("[web]\nlisten = \"{}\"", taken.local_addr().unwrap());
    let settings = settings.replace("[web]\nlisten = \"127.0.0.1:0\"", &pages);
    assert!(settings.contains(&pages));
    std::fs::write(dir.join("gapura.toml"), settings).unwrap();
    let daemon = Daemon::in_dir(dir);
    let named = || {
        let report = OfficeCommand::Report { month: "2026-11".to_owned(), paper: true };
        let reply = call(&dir.join("state"), &Command::Office(report)).unwrap();
        reply.json["paper"]["letterhead"]["office"].as_str().map(str::to_owned)
    };
    assert_eq!(named().as_deref(), Some("Dinas Lain"));
    let reloaded = daemon.gapura(&["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", printed(&reloaded));
    assert_eq!(named().as_deref(), Some("Dinas Lain"));
}

#[cfg(feature = "approval")]
#[test]
fn a_check_misses_keys() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    assert_eq!(Daemon::in_dir(dir).end_with("TERM"), Some(0));
    for key in ["audit.key", "personal.key"] {
        let (there, away) = (dir.join("state").join(key), dir.join(key));
        std::fs::rename(&there, &away).unwrap();
        let output = run_in(dir, &["check"]);
        let text = printed(&output);
        assert!(output.status.code() == Some(1) && text.contains(key), "{key}: {text}");
        assert!(!there.exists(), "{key} is not made anew");
        // A log that was not folded in hides the database, but not that a key is missing.
        let log = dir.join("state/gapura.db-wal");
        std::fs::write(&log, "left by a crash").unwrap();
        let text = printed(&run_in(dir, &["check"]));
        assert!(text.contains(key), "{key}: {text}");
        std::fs::remove_file(&log).unwrap();
        std::fs::rename(&away, &there).unwrap();
    }
    assert_eq!(run_in(dir, &["check"]).status.code(), Some(0));
    // A key that reads and is another one closes the queue at a start.
    std::fs::write(dir.join("state/personal.key"), [7; 32]).unwrap();
    let output = run_in(dir, &["check"]);
    let text = printed(&output);
    assert!(output.status.code() == Some(1), "{text}");
    assert!(text.contains("is not the one the database was written with"), "{text}");
}

//------------ reload --------------------------------------------------------

#[test]
fn a_reload_names_what_took_effect_what_waits_and_each_certificate() {
    if cfg!(not(feature = "quic")) {
        // The build has one kind of certificate only.
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    put_pair(dir, "tls", "localhost");
    put_pair(dir, "quic", "localhost");
    let secured = "[tls]\nlisten = [\"127.0.0.1:0\"]\ncert = \"tls.crt\"\nkey = \"tls.key\"\n\
                   [quic]\nlisten = [\"127.0.0.1:0\"]\ncert = \"quic.crt\"\nkey = \"quic.key\"\n";
    lay_out(dir, secured);
    let daemon = Daemon::in_dir(dir);
    let reload = |args: &[&str]| {
        let output = daemon.gapura(&[&["ctl", "reload"], args].concat());
        (output.status.code(), printed(&output))
    };
    let (code, text) = reload(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        !text.contains("restart") && text.contains("[tls] tls.crt: certificate unchanged"),
        "{text}"
    );

    // Settings: some now, some later, each by name.
    let old = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let new = old
        .replace("udp_workers = 1", "udp_workers = 2\nnsid = \"x\"")
        .replace("[query_log]", "[rate_limit]\nslip = 2\n\n[query_log]\nsample = 2")
        .replace("[probe]", "[mail]\nfrom = \"a@b.example\"\n[register]\npublic = false\n[probe]");
    let is_open = || {
        let page = daemon.ready["web"].as_str();
        page.map(|web| Caller::new(web, &[]).get("/subdomain").status == 200)
    };
    assert_ne!(is_open(), Some(false));
    settings(dir, &new);
    let (code, text) = reload(&[]);
    assert_eq!(code, Some(0), "{text}");
    let applied = text.lines().find(|line| line.starts_with("settings in force: ")).unwrap();
    for key in ["server.nsid", "rate_limit.slip", "query_log.sample"] {
        assert!(applied.contains(key), "{text}");
    }
    assert!(text.contains("server.udp_workers"), "{text}");
    assert_ne!(is_open(), Some(true), "register.public holds");
    assert!(text.contains("for a restart"), "{text}");
    let (_, json) = reload(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["settings"]["applied"], serde_json::json!([]), "it is in force already");
    let waiting = json["settings"]["waiting"].as_array().unwrap();
    assert!(waiting.contains(&"server.udp_workers".into()), "{json}");
    let status = printed(&daemon.gapura(&["ctl", "status"]));
    assert!(status.contains("server.udp_workers") && status.contains("for a restart"), "{status}");
    settings(dir, &old);

    // One bad certificate stops neither the other nor the zones.
    put_pair(dir, "tls", "expired");
    std::fs::write(dir.join("quic.crt"), "nothing").unwrap();
    let zone = std::fs::read_to_string(daemon.zone_file()).unwrap();
    std::fs::write(daemon.zone_file(), zone.replace("198.51.100.114", "198.51.100.77")).unwrap();
    let (code, json) = reload(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, Some(1), "{json}");
    let results: Vec<_> =
        json["certificates"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
    // The files are watched: the good one may have been taken already.
    assert!(results[0] == "replaced" || results[0] == "unchanged", "{json}");
    assert_eq!(results[1], "refused", "{json}");
    // So is the zone's: the reload or the watch has taken the edit.
    assert_ne!(json["zones"][0]["result"], "refused", "{json}");
    let served = ask(daemon.dns(), "kec-sumber.cirebonkab.go.id.", RecordType::A);
    assert_eq!(data(&served), ["198.51.100.77"]);
    let output = daemon.gapura(&["ctl", "status"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("expired on 2024-02-01"), "{text}");
    assert!(text.contains("[quic] goes on with the certificate before"), "{text}");
    until("the log says so", || {
        let log = std::fs::read_to_string(dir.join("log")).unwrap();
        log.contains("expired on 2024-02-01: clients refuse it")
    });

    // Exchanged files are taken by themselves.
    put_pair(dir, "tls", "localhost");
    put_pair(dir, "quic", "localhost");
    until("both certificates are in use", || {
        daemon.gapura(&["ctl", "status"]).status.code() == Some(0)
    });
    std::fs::write(dir.join("gapura.toml"), "[server]\nlissten = []\n[foo]\n").unwrap();
    let (code, text) = reload(&[]);
    assert!(code == Some(1) && text.contains("nothing changed"), "{text}");
    assert!(text.contains("did you mean `listen`?") && text.contains("`foo`"), "{text}");
}

//------------ Readiness -----------------------------------------------------

#[test]
fn readiness_and_exit_codes_are_true() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let zone = dir.join("cirebonkab.go.id.zone");
    let good = std::fs::read_to_string(&zone).unwrap();
    std::fs::write(&zone, "this is no zone\n").unwrap();
    let daemon = Daemon::in_dir(dir);
    let metrics = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let ready = || {
        let response = Caller::new(&metrics, &[]).get("/readyz");
        (response.status, response.text())
    };
    let status = || {
        let output = daemon.gapura(&["ctl", "status"]);
        assert!(output.stderr.is_empty(), "a report is on standard output");
        (output.status.code(), printed(&output))
    };
    // The only zone is not served.
    let (code, text) = ready();
    assert!(code == 503 && text.contains("no zone is served: cirebonkab.go.id."), "{code} {text}");
    assert_eq!(status().0, Some(1));
    #[cfg(feature = "approval")]
    assert_eq!(Caller::new(&daemon.web(), &[]).get("/readyz").status, 503);
    // It is.
    std::fs::write(&zone, &good).unwrap();
    until("it is ready", || ready() == (200, "ready\n".to_owned()));
    let (code, text) = status();
    assert_eq!(code, Some(0), "{text}");
    // A later file is refused: names are answered, and both say what is wrong.
    std::fs::write(&zone, good.replace("198.51.100.114", "198.51.100.999")).unwrap();
    until("the refusal is told", || status().0 == Some(1));
    let (code, text) = ready();
    assert!(code == 200 && text.contains("file refused (check), still serving"), "{code} {text}");
    assert!(status().1.contains("error bad-rdata"));
    let response = Caller::new(&metrics, &[]).get("/healthz");
    assert_eq!(response.status, 200);
}

#[test]
fn every_family_is_there_from_the_start_and_has_its_help() {
    let daemon = Daemon::start("[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let metrics = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let plain = Caller::new(&metrics, &[]).get("/metrics").text();
    for name in [
        "gapura_queries_total",
        "gapura_responses_total",
        "gapura_dropped_total",
        "gapura_rrl_total",
        "gapura_connections",
        "gapura_connections_closed_total",
        "gapura_query_log_lines_total",
        "gapura_zone_serial",
        "gapura_zone_reload_failed",
        "gapura_faults",
        "gapura_build_info",
        "gapura_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        #[cfg(feature = "approval")]
        "gapura_requests",
        #[cfg(feature = "approval")]
        "gapura_request_oldest_seconds",
        #[cfg(feature = "approval")]
        "gapura_notices",
    ] {
        assert!(plain.contains(&format!("# HELP {name} ")), "{name}\n{plain}");
        let mut lines = plain.lines().filter(|line| !line.starts_with('#'));
        let is_sample =
            |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        assert!(lines.any(is_sample), "{name} has no sample\n{plain}");
    }
    for line in plain.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split([' ', '{']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let helped = |name: &str| plain.contains(&format!("# HELP {name} "));
        assert!(helped(name) || family.is_some_and(helped), "no help text: {name}");
    }
    assert!(!plain.contains("# EOF"));
    let accept = [("Accept", "application/openmetrics-text; version=1.0.0")];
    let open = Caller::new(&metrics, &accept).get("/metrics").text();
    assert!(
        open.ends_with("# EOF\n") && open.contains("# TYPE gapura_queries counter\n"),
        "{open}"
    );
}

//------------ Command line --------------------------------------------------

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let daemon = Daemon::start("");
    let commands: &[&[&str]] = &[
        &["zone", "export", "cirebonkab.go.id"],
        &["ctl", "status", "--json"],
        &["check"],
        #[cfg(feature = "approval")]
        &["audit", "export"],
        &["--help"],
    ];
    for args in commands {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gapura"));
        command.args(*args).current_dir(&daemon.dir).stdout(Stdio::piped()).stderr(Stdio::piped());
        if *args != ["--help"] {
            command.args(["--config", "gapura.toml"]);
        }
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let text = printed(&output);
        assert!(output.status.code() == Some(0) && !text.contains("panicked"), "{args:?}: {text}");
    }
}

#[cfg(feature = "approval")]
#[test]
fn words_that_are_none_are_refused_with_those_there_are() {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let commands: [(&[&str], &str); 3] = [
        (&["user", "role", "budi", "--role", "raja"], "kabid, kasi, admin, auditor"),
        (
            &["token", "create", "budi", "--scope", "all", "--password-stdin"],
            "read, submit, decide",
        ),
        (&["request", "list", "--state", "lost"], "submitted, assigned"),
    ];
    for (args, words) in commands {
        let output = run_in(made.path(), args);
        let text = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.starts_with("gapura: ") && text.contains(words), "{text}");
    }
    let daemon = Daemon::in_dir(made.path());
    let web = daemon.web().trim_start_matches("http://").to_owned();
    let output = daemon.gapura_with_env(&["request", "list"], &[("GAPURA_WEB", &web)]);
    assert!(printed(&output).contains("GAPURA_TOKEN is not set"), "{}", printed(&output));
}

#[test]
fn each_line_of_the_log_is_json_where_json_was_asked_for() {
    let daemon = Daemon::start("");
    std::fs::write(daemon.zone_file(), "nothing\n").unwrap();
    let log = daemon.dir.join("log");
    let text = || std::fs::read_to_string(&log).unwrap();
    until("the refusal is in the log", || text().contains("refused"));
    for line in text().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn a_refused_transfer_is_a_line_of_the_log_and_a_flood_of_them_is_not_one_each() {
    let daemon = Daemon::start("");
    let log = daemon.dir.join("log");
    let lines = || {
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines()
            .filter(|line| line.contains("AXFR refused"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for _ in 0..100 {
        ask_tcp(daemon.dns(), "cirebonkab.go.id.", RecordType::AXFR);
    }
    until("the refusal is in the log", || !lines().is_empty());
    let lines = lines();
    assert!(lines.len() < 20, "{} lines", lines.len());
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["fields"]["zone"], "cirebonkab.go.id.", "{line}");
    let peer = line["fields"]["peer"].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:") && line["fields"]["reason"] != "", "{line}");
}
