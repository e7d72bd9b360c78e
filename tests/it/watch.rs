//! Watching: the query log as the program reads it again, and the control socket's word on logs.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use hickory_proto::rr::RecordType;

use crate::support::{Daemon, ask, ask_tcp, lay_out, printed, run_in, until};

/// What a command printed to standard output, as lines.
fn lines(output: &std::process::Output) -> Vec<String> {
    assert!(output.status.success(), "{}", printed(output));
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn queries_are_found_counted_and_followed_over_the_end_of_a_file() {
    let daemon = Daemon::start("");
    for name in ["www.cirebonkab.go.id.", "wWw.cirebonkab.go.id.", "jdih.cirebonkab.go.id."] {
        ask(daemon.dns(), name, RecordType::A);
    }
    ask_tcp(daemon.dns(), "nowhere.cirebonkab.go.id.", RecordType::MX);
    ask(daemon.dns(), "elsewhere.example.", RecordType::A);
    let file = daemon.dir.join("state/query.jsonl");
    let count = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    until("five lines", || count() == 5);

    let found = |args: &[&str]| lines(&daemon.gapura(&[&["log", "filter"], args].concat()));
    assert_eq!(found(&[]).len(), 5);
    assert_eq!(found(&["--name", "www.cirebonkab.go.id"]).len(), 2);
    assert_eq!(found(&["--rcode", "NXDOMAIN", "--transport", "tcp", "--type", "MX"]).len(), 1);
    assert_eq!(found(&["--zone", "cirebonkab.go.id", "--client", "127.0.0.0/8"]).len(), 4);
    assert_eq!(found(&["--until", "2020-01-01"]).len(), 0);
    let refused = found(&["--rcode", "REFUSED", "--json"]);
    let refused: serde_json::Value = serde_json::from_str(&refused[0]).unwrap();
    assert_eq!(
        (&refused["v"], &refused["qname"], &refused["zone"], &refused["answers"]),
        (&1.into(), &"elsewhere.example.".into(), &serde_json::Value::Null, &0.into())
    );

    let top = daemon.gapura(&["log", "top", "--by", "qname,qtype", "--json"]);
    let top: serde_json::Value = serde_json::from_str(&lines(&top)[0]).unwrap();
    assert_eq!(top["queries"], 5);
    assert_eq!(
        top["top"][0]["values"],
        serde_json::json!({ "qname": "www.cirebonkab.go.id.", "qtype": "A" }),
    );
    assert_eq!(top["top"][0]["queries"], 2);
    let text = std::fs::read_to_string(&file).unwrap() + "not a line\n";
    let top = daemon.gapura_with_input(&["log", "top", "--by", "transport", "-"], &text);
    let told = printed(&top);
    assert!(told.contains(" 80.0% ") && told.contains("1 lines are not from"), "{told}");

    // Put aside, as logrotate does, while somebody follows.
    let mut follower = Command::new(env!("CARGO_BIN_EXE_gapura"))
        .args(["log", "follow", "--since", "1h", "--config", "gapura.toml"])
        .current_dir(&daemon.dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut followed = BufReader::new(follower.stdout.take().unwrap()).lines();
    for _ in 0..5 {
        followed.next().unwrap().unwrap();
    }
    std::fs::rename(&file, daemon.dir.join("state/moved")).unwrap();
    let reopened = daemon.gapura(&["ctl", "reopen"]);
    assert_eq!(lines(&reopened), ["query log: reopened"]);
    assert!(file.exists(), "it is open when the command is done");
    ask(daemon.dns(), "after.cirebonkab.go.id.", RecordType::TXT);
    let line = followed.next().unwrap().unwrap();
    assert!(line.contains("after.cirebonkab.go.id. TXT NXDOMAIN"), "{line}");
    // Whoever has seen enough is no error, and it needs no further query to be noticed.
    drop(followed);
    until("the follower ends", || {
        follower.try_wait().unwrap().is_some_and(|status| status.success())
    });
}

#[test]
fn a_pipe_is_followed_beyond_its_first_writer() {
    let made = tempfile::tempdir().unwrap();
    let pipe = made.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from(0o600)).unwrap();
    let mut follower = Command::new(env!("CARGO_BIN_EXE_gapura"))
        .args(["log", "follow"])
        .arg(&pipe)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut followed = BufReader::new(follower.stdout.take().unwrap()).lines();
    for name in ["satu", "dua"] {
        let line = format!(
            "v=1 time=2026-11-24T03:45:41.000001Z client=192.0.2.77 port=1 transport=udp id=1 \
             qname={name}.example. qtype=AAAA class=IN zone=example. rcode=NOERROR\n"
        );
        std::fs::write(&pipe, line).unwrap();
        let line = followed.next().unwrap().unwrap();
        assert!(line.contains(name), "{line}");
    }
    drop(followed);
    until("the follower ends", || {
        follower.try_wait().unwrap().is_some_and(|status| status.success())
    });
}

#[test]
fn the_text_spelling_is_read_as_the_other_one() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    let path = dir.join("gapura.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let text = "[query_log]\nformat = \"text\"\nclient = \"prefix\"\n";
    std::fs::write(&path, settings.replace("[query_log]\n", text)).unwrap();
    let daemon = Daemon::in_dir(dir);
    ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let log = std::fs::read_to_string(dir.join("state/query.jsonl")).unwrap();
    assert!(log.starts_with("v=1 time=20"), "{log}");
    assert!(log.contains(" client=127.0.0.0 server=127.0.0.1 server_port="), "{log}");
    let found = lines(&run_in(dir, &["log", "filter", "--client", "127.0.0.0/24", "--json"]));
    let line: serde_json::Value = serde_json::from_str(&found[0]).unwrap();
    assert_eq!((&line["qname"], &line["aa"]), (&"www.cirebonkab.go.id.".into(), &true.into()));
    // Lines of a later version are refused, and not half understood.
    std::fs::File::options()
        .append(true)
        .open(dir.join("state/query.jsonl"))
        .unwrap()
        .write_all(b"v=2 time=2030-01-01T00:00:00.000000Z\n")
        .unwrap();
    let refused = run_in(dir, &["log", "filter"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(printed(&refused).contains("format version 2"), "{}", printed(&refused));
}

#[test]
fn a_log_that_cannot_be_opened_again_is_told_so() {
    let daemon = Daemon::start("");
    let file = daemon.dir.join("state/query.jsonl");
    ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    until("a line", || file.exists());
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let told = daemon.gapura(&["ctl", "reopen"]);
    assert_eq!(told.status.code(), Some(1), "{}", printed(&told));
    assert!(printed(&told).contains("query log: cannot open"), "{}", printed(&told));
    std::fs::remove_dir(&file).unwrap();
    assert_eq!(daemon.gapura(&["ctl", "reopen"]).status.code(), Some(0));
}

//------------ The daemon's log ----------------------------------------------

#[test]
fn a_refused_file_is_one_line_with_its_findings_as_a_list() {
    let daemon = Daemon::start("");
    let good = std::fs::read_to_string(daemon.zone_file()).unwrap();
    std::fs::write(daemon.zone_file(), good.replace("198.51.100.114", "198.51.100.999")).unwrap();
    let line = || -> Option<serde_json::Value> {
        let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
        lines.into_iter().find(|line: &serde_json::Value| line["fields"]["event"] == "zone_refused")
    };
    until("the refusal is in the log", || line().is_some());
    let line = line().unwrap();
    let fields = &line["fields"];
    assert_eq!(
        (&fields["zone"], &fields["guard"], &fields["errors"], &line["level"]),
        (&"cirebonkab.go.id.".into(), &"check".into(), &1.into(), &"ERROR".into())
    );
    let findings = fields["findings"].to_string();
    assert!(
        findings.contains("cirebonkab.go.id.zone:") && findings.contains("bad-rdata"),
        "{line}"
    );
    assert!(!line["message"].as_str().unwrap().contains("bad-rdata"), "{line}");
}

#[test]
fn the_journal_has_a_field_for_each_fact() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "[log]\nformat = \"journal\"\n");
    let journal = dir.join("journal");
    std::fs::create_dir(&journal).unwrap();
    let listener = UnixDatagram::bind(journal.join("socket")).unwrap();
    listener.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let first = format!(
        "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind {} /run/systemd/journal",
        journal.display()
    );
    let Some(daemon) = Daemon::in_namespace_as_text(dir, &first) else {
        return crate::skipped::skipped("no mount namespace here");
    };
    let mut room = vec![0; 100_000];
    let mut next = |event: &str| loop {
        let length = listener.recv(&mut room).expect("a line");
        let text = String::from_utf8_lossy(&room[..length]).into_owned();
        if text.contains(&format!("GAPURA_EVENT={event}\n")) {
            return text;
        }
    };
    let ready = next("ready");
    for field in
        ["MESSAGE=ready event=ready ", "PRIORITY=6\n", "SYSLOG_IDENTIFIER=gapura\n", "MESSAGE_ID="]
    {
        assert!(ready.contains(field), "{field}\n{ready}");
    }
    std::fs::write(daemon.zone_file(), "nonsense\n").unwrap();
    let refused = next("zone_refused");
    for field in
        ["PRIORITY=3\n", "GAPURA_ZONE=cirebonkab.go.id.\n", "GAPURA_GUARD=", "GAPURA_FINDINGS"]
    {
        assert!(refused.contains(field), "{field}\n{refused}");
    }
    let message = refused.lines().find(|line| line.starts_with("MESSAGE=")).unwrap();
    assert!(
        message.contains(" findings=") && message.contains(" zone=cirebonkab.go.id."),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(dir.join("log")).unwrap(), "", "nothing on standard error");
}

#[test]
fn text_has_no_colour_where_nobody_looks_and_says_what_it_says_in_fields() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "[log]\nformat = \"text\"\n");
    // It is killed no sooner than it has said that it is ready.
    assert_eq!(Daemon::in_dir_with_text(dir).end_with("TERM"), Some(0));
    let log = std::fs::read_to_string(dir.join("log")).unwrap();
    assert!(!log.contains('\u{1b}'), "{log}");
    let ready = log.lines().find(|line| line.contains(" event=ready ")).expect("a line");
    let starts = ready.get(..4).is_some_and(|year| year.parse::<u16>().is_ok());
    assert!(starts && ready.contains(" INFO ready event=ready pid="), "{ready}");
}
