//! The daemon from outside: what it answers, how it reloads, how it stops. Real sockets, real files.

use crate::support::{Daemon, ask, ask_tcp, data, until};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

#[test]
fn the_sample_zone_is_answered_over_udp_and_tcp_on_both_families() {
    let daemon = Daemon::start("");
    for address in daemon.ready["dns"].as_array().unwrap() {
        let address = address.as_str().unwrap().parse().unwrap();
        let reply = ask(address, "kec-sumber.cirebonkab.go.id.", RecordType::A);
        assert_eq!(data(&reply), ["198.51.100.114"]);
        assert!(reply.metadata.authoritative);
        let reply = ask_tcp(address, "www.cirebonkab.go.id.", RecordType::A);
        assert_eq!(data(&reply), ["192.0.2.10", "cirebonkab.go.id."]);
    }
}

#[test]
fn negatives_referrals_and_wildcards_of_the_sample_zone() {
    let daemon = Daemon::start("");
    let reply = ask(daemon.dns(), "tidak-ada.cirebonkab.go.id.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(reply.authorities[0].ttl, 300, "min(SOA TTL, MINIMUM), RFC 2308 section 3");

    let reply = ask(daemon.dns(), "igd.rsud.cirebonkab.go.id.", RecordType::A);
    assert!(!reply.metadata.authoritative && reply.answers.is_empty());
    assert_eq!((reply.authorities.len(), reply.additionals.len()), (2, 3));

    let reply = ask(daemon.dns(), "apa.saja.aplikasi.cirebonkab.go.id.", RecordType::A);
    assert_eq!(data(&reply), ["192.0.2.17"]);
    let reply = ask(daemon.dns(), "presensi.aplikasi.cirebonkab.go.id.", RecordType::TXT);
    assert_eq!((reply.metadata.response_code, reply.answers.len()), (ResponseCode::NoError, 0));

    let reply = ask(daemon.dns(), "example.com.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::Refused);
}

#[test]
fn an_edit_goes_live_and_a_broken_file_changes_nothing() {
    let daemon = Daemon::start("");
    let good = std::fs::read_to_string(daemon.zone_file()).unwrap();
    let served = || data(&ask(daemon.dns(), "kec-sumber.cirebonkab.go.id.", RecordType::A));

    std::fs::write(daemon.zone_file(), good.replace("198.51.100.114", "198.51.100.250")).unwrap();
    until("the edit is live", || served() == ["198.51.100.250"]);

    std::fs::write(daemon.zone_file(), good.replace("198.51.100.114", "198.51.100.999")).unwrap();
    let reload = daemon.gapura(&["ctl", "reload", "cirebonkab.go.id"]);
    let told = String::from_utf8_lossy(&reload.stderr).into_owned();
    assert_eq!(reload.status.code(), Some(1), "{told}");
    assert!(told.contains("refused, still serving"), "{told}");
    assert!(told.contains("cirebonkab.go.id.zone:130:28 error bad-rdata"), "{told}");
    assert_eq!(served(), ["198.51.100.250"]);
    let status = daemon.gapura(&["ctl", "status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains(":130:28 error bad-rdata"));
    assert_eq!(daemon.gapura(&["zone", "diff", "cirebonkab.go.id"]).status.code(), Some(1));
    for command in [["ctl", "reload"], ["zone", "history"], ["zone", "show"], ["zone", "diff"]] {
        let [room, act] = command;
        let code = daemon.gapura(&[room, act, "no-such-zone.example"]).status.code();
        assert_eq!(code, Some(1), "{command:?}");
    }

    std::fs::write(daemon.zone_file(), &good).unwrap();
    let reload = daemon.gapura(&["ctl", "reload", "--json"]);
    assert_eq!(reload.status.code(), Some(0), "{}", String::from_utf8_lossy(&reload.stdout));
    assert_eq!(served(), ["198.51.100.114"]);
}

#[test]
fn it_stops_cleanly_when_told_and_starts_again_with_the_same_content() {
    let daemon = Daemon::start("");
    let dir = tempfile::tempdir().unwrap();
    for file in ["gapura.toml", "cirebonkab.go.id.zone"] {
        std::fs::copy(daemon.dir.join(file), dir.path().join(file)).unwrap();
    }
    for signal in ["INT", "TERM"] {
        let other = Daemon::in_dir(dir.path());
        assert_eq!(other.end_with(signal), Some(0), "{signal}");
    }
    let again = Daemon::in_dir(dir.path());
    let reply = ask(again.dns(), "kec-sumber.cirebonkab.go.id.", RecordType::A);
    assert_eq!(data(&reply), ["198.51.100.114"]);
}

#[test]
fn the_query_log_has_a_line_for_a_query() {
    let daemon = Daemon::start("");
    ask(daemon.dns(), "DLH.cirebonkab.go.id.", RecordType::A);
    let log = daemon.dir.join("state/query.jsonl");
    until("the line is written", || {
        std::fs::read_to_string(&log)
            .is_ok_and(|text| text.to_lowercase().contains("dlh.cirebonkab.go.id"))
    });
    let text = std::fs::read_to_string(&log).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["qtype"], "A", "{line}");
}

#[test]
fn signals_that_mean_nothing_do_no_harm() {
    let daemon = Daemon::start("");
    for signal in ["QUIT", "USR2", "ALRM", "XFSZ"] {
        crate::support::kill(daemon.pid(), signal);
        let reply = ask(daemon.dns(), "kec-sumber.cirebonkab.go.id.", RecordType::A);
        assert_eq!(data(&reply), ["198.51.100.114"], "{signal}");
    }
    assert_eq!(daemon.end_with("TERM"), Some(0));
}

#[test]
fn a_query_log_in_a_pipe_that_nobody_reads_delays_neither_start_nor_stop() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::lay_out(dir.path(), "");
    let settings = dir.path().join("gapura.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("state/query.jsonl", "pipe")).unwrap();
    let pipe = dir.path().join("pipe");
    crate::support::make_pipe(&pipe);
    for reader in [None, Some(())] {
        let open = || std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let _silent = reader.map(|()| open());
        let daemon = Daemon::in_dir(dir.path());
        for _ in 0..20 {
            ask(daemon.dns(), "kec-sumber.cirebonkab.go.id.", RecordType::A);
        }
        let log = daemon.dir.join("log");
        let told =
            || std::fs::read_to_string(&log).unwrap().contains("entries are lost from now on");
        until("the loss is told", || reader.is_some() || told());
        let begun = std::time::Instant::now();
        assert_eq!(daemon.end_with("TERM"), Some(0));
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[test]
fn commands_make_nothing_where_there_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::lay_out(dir.path(), "");
    let elsewhere = tempfile::tempdir().unwrap();
    let settings = dir.path().join("gapura.toml");
    let gapura = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gapura"));
        command.args(args).arg("--config").arg(&settings).current_dir(elsewhere.path());
        command.output().unwrap()
    };
    let commands: &[&[&str]] = &[
        &["ctl", "status"],
        &["ctl", "reload"],
        &["zone", "history", "cirebonkab.go.id"],
        #[cfg(feature = "approval")]
        &["user", "list"],
        #[cfg(feature = "approval")]
        &["token", "list"],
        #[cfg(feature = "approval")]
        &["audit", "verify"],
    ];
    for args in commands {
        let output = gapura(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    let names = |dir: &std::path::Path| std::fs::read_dir(dir).unwrap().count();
    assert_eq!((names(elsewhere.path()), names(dir.path())), (0, 2));
    // The paths of the settings are those of their directory: the zone is found from anywhere.
    let checked = gapura(&["check"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert_eq!(names(dir.path()), 2, "a check makes nothing either");
}
