//! A request's whole way, driven from outside: the JSON API, the commands, and port 53.

use crate::support::http::Caller;
use crate::support::office::{LETTER, Office, act, add_person, service, token, village};
use crate::support::{Daemon, ask, data, lay_out, until};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

#[test]
fn from_letter_to_live_record_with_a_correction_on_the_way() {
    let office = Office::open();
    let name = "sindangjawa.desa.cirebonkab.go.id.";
    let gone = ask(office.daemon.dns(), name, RecordType::A);
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);

    let (number, secret) = office.submit(&village());
    office.dispose(&number);

    // Returned with what is wrong, answered by the applicant with the secret.
    let lines = json!({ "lines": [{ "code": "M1", "verdict": "fix", "note": "Surat belum bertanda tangan." }] });
    let returned = office.kasi.post(&act(&number, "return"), &lines).ok();
    assert_eq!(returned["state"], "needs_correction");
    let with_secret = Caller::new(&office.daemon.web(), &[("Gapura-Secret", &secret)]);
    let seen = with_secret.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(seen["state"], "needs_correction");
    let again = with_secret.post_request(&act(&number, "resubmit"), &village(), LETTER).ok();
    assert_eq!((&again["state"], &again["revision"]), (&json!("assigned"), &json!(2)));

    // Approved and promoted in one press: committed, live, proven.
    let live = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    assert_eq!(live["state"], "live", "{live}");
    let reply = ask(office.daemon.dns(), name, RecordType::A);
    assert_eq!(data(&reply), ["192.0.2.200"]);
    let proof = &live["proof"];
    assert!(proof["asked"].as_array().is_some_and(|asked| asked.len() >= 2), "{proof}");
    assert!(proof["dig"].as_str().unwrap().contains("sindangjawa.desa"), "{proof}");

    // The history says who did what, in order, and the chain holds.
    let acts: Vec<_> =
        live["history"].as_array().unwrap().iter().map(|e| e["act"].clone()).collect();
    let expected = ["submit", "dispose", "return", "resubmit", "approve", "promote"];
    let mut rest = acts.iter();
    for act in expected {
        assert!(rest.any(|a| a == act), "{act} is missing or out of order in {acts:?}");
    }
    let verified = office.daemon.gapura(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert_eq!(office.auditor.get("/api/v1/events").status, 200);
    let anchor = ask(office.daemon.dns(), "_gapura-audit.cirebonkab.go.id.", RecordType::TXT);
    let anchor = data(&anchor).remove(0);
    let verified = office.daemon.gapura(&["audit", "verify", "--anchor", &anchor, "--json"]);
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert!(report["good"] == true && report["anchored_to"].is_u64(), "{report}");
    let other = "0".repeat(64);
    let verified = office.daemon.gapura(&["audit", "verify", "--key", &other]);
    assert_eq!(verified.status.code(), Some(1), "signed by another key");

    // A new key signs from now on; the chain verifies with it, and the change of keys is on record.
    let rotated = office.daemon.gapura(&["audit", "rotate-key", "--json"]);
    let key: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    let verify = ["audit", "verify", "--anchor", &anchor, "--key", key["public"].as_str().unwrap()];
    let export = office.daemon.gapura(&["audit", "export"]);
    assert!(String::from_utf8_lossy(&export.stdout).contains("audit_key_rotated"));
    let second = office.daemon.gapura(&["audit", "rotate-key"]);
    assert!(second.status.success() && rotated.status.success());
    let verified = office.daemon.gapura(&["audit", "verify", "--anchor", &anchor]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let verified = office.daemon.gapura(&verify);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));

    // The report of the month has it, and changes nothing; a month that still runs is not closed.
    with_secret.get(&format!("/api/v1/requests/{number}")).ok();
    let month = month_in_wib(live["submitted"].as_str().unwrap());
    let reported = office.daemon.gapura(&["report", "--month", &month]);
    assert!(String::from_utf8_lossy(&reported.stdout).contains(&number));
    let told = with_secret.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(told["state"], "notified");
    let report = office.auditor.get(&format!("/api/v1/reports/{month}")).ok();
    assert_eq!((&report["total"], &report["finished"]), (&json!(1), &json!(1)));
    assert_eq!(report["requests"][0]["number"], json!(number), "{report}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let args = ["report", "--month", &month, "--format", "xlsx", "--output", path];
    assert!(office.daemon.gapura(&args).status.success());
    assert!(std::fs::read(path).unwrap().starts_with(b"PK\x03\x04"), "a workbook");
    let args = ["report", "--month", &month, "--format", "pdf", "--output", path];
    let printed = office.daemon.gapura(&args);
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    assert!(std::fs::read(path).unwrap().starts_with(b"%PDF-1.7"), "drawn by a child");
    let close = format!("/api/v1/reports/{month}/close");
    let refused = office.kabid.post(&close, &json!({})).refused();
    assert_eq!(refused, (422, "incomplete".to_owned()));
    assert_eq!(office.kasi.post(&close, &json!({})).refused(), (403, "not_allowed".to_owned()));

    // A second press changes nothing.
    let serial = live["proof"]["serial"].clone();
    let second = office.kasi.post(&act(&number, "promote"), &json!({}));
    assert!(second.status == 200 || second.refused().1 == "wrong_state", "{}", second.text());
    let now = office.kasi.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(now["proof"]["serial"], serial);
}

/// The month in WIB of an RFC 3339 time in UTC.
fn month_in_wib(utc: &str) -> String {
    let at = time::OffsetDateTime::parse(utc, &time::format_description::well_known::Rfc3339);
    let wib = at.unwrap().to_offset(time::UtcOffset::from_hms(7, 0, 0).unwrap());
    format!("{:04}-{:02}", wib.year(), u8::from(wib.month()))
}

#[test]
fn a_live_name_survives_restart_and_the_edit_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let zone = concat!(env!("CARGO_MANIFEST_DIR"), "/zones/cirebonkab.go.id.zone");
    std::fs::copy(zone, dir.path().join("cirebonkab.go.id.zone")).unwrap();
    crate::support::write_settings(dir.path(), "");
    let name = "sindangjawa.desa.cirebonkab.go.id.";

    let office = Office::of(Daemon::in_dir(dir.path()));
    let (number, _) = office.submit(&village());
    office.dispose(&number);
    office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    let zone_file = office.daemon.zone_file();
    let text = std::fs::read_to_string(&zone_file).unwrap();
    std::fs::write(&zone_file, text.replace("192.0.2.18", "192.0.2.19")).unwrap();
    until("the edit is live", || {
        data(&ask(office.daemon.dns(), "presensi.aplikasi.cirebonkab.go.id.", RecordType::A))
            == ["192.0.2.19"]
    });
    assert_eq!(data(&ask(office.daemon.dns(), name, RecordType::A)), ["192.0.2.200"]);
    crate::support::kill(office.daemon.pid(), "KILL");
    drop(office);

    let daemon = Daemon::in_dir(dir.path());
    assert_eq!(data(&ask(daemon.dns(), name, RecordType::A)), ["192.0.2.200"]);
    let kasi = token(&daemon, "siti", "read");
    let request = kasi.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(request["state"], "live");
}

#[test]
fn what_the_rules_forbid_is_turned_back() {
    let office = Office::open();
    let refused = |request: Value| {
        office.applicant.post_request("/api/v1/requests", &request, LETTER).refused()
    };
    let with = |field: &str, value: Value| {
        let mut request = village();
        request[field] = value;
        request
    };
    // A private target, a reserved name, a name that does not fit its class.
    let private = with("records", json!([{ "type": "A", "data": "10.0.0.1", "ttl": 3600 }]));
    assert_eq!(refused(private).0, 422);
    let mut reserved = with("class", json!("layanan"));
    reserved["name"] = json!("www");
    assert_eq!(refused(reserved).0, 422);

    let (number, _) = office.submit(&village());
    // The name is held by the first request.
    assert_eq!(refused(village()), (422, "name_taken".to_owned()));
    // The kasi cannot route; nobody can approve before it is routed.
    let slip = json!({ "to": "siti", "instruction": "x" });
    assert_eq!(
        office.kasi.post(&act(&number, "dispose"), &slip).refused(),
        (403, "not_allowed".to_owned())
    );
    let early = json!({ "revision": 1, "candidate": "00", "lines": [] });
    assert_eq!(
        office.kasi.post(&act(&number, "approve"), &early).refused(),
        (409, "wrong_state".to_owned())
    );
    office.dispose(&number);
    // The kabid cannot approve; the auditor cannot decide at all.
    assert_eq!(
        office.kabid.post(&act(&number, "approve"), &office.approval(&number)).refused().0,
        403
    );
    assert_eq!(office.auditor.post(&act(&number, "reject"), &json!({})).refused().0, 403);
    // A sheet with lines not looked at, then an approval of something else.
    let mut approval = office.approval(&number);
    approval["lines"] = json!([]);
    assert_eq!(
        office.kasi.post(&act(&number, "approve"), &approval).refused(),
        (422, "incomplete".to_owned())
    );
    let mut approval = office.approval(&number);
    approval["candidate"] = json!("0".repeat(64));
    assert_eq!(
        office.kasi.post(&act(&number, "approve"), &approval).refused(),
        (409, "stale".to_owned())
    );
    // Nothing went up.
    let reply = ask(office.daemon.dns(), "sindangjawa.desa.cirebonkab.go.id.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);
}

#[test]
fn an_approval_does_not_outlive_its_signer_who_was_switched_off_and_on_again() {
    let ways: [&[&[&str]]; 2] = [
        &[&["disable", "siti"], &["enable", "siti"]],
        &[&["role", "siti", "--role", "auditor"], &["role", "siti", "--role", "kasi"]],
    ];
    for way in ways {
        let office = Office::open();
        let mail = json!([{ "type": "MX", "data": "10 www.cirebonkab.go.id.", "ttl": 300 }]);
        let (number, _) = office.submit(&service("surat", mail));
        office.dispose(&number);
        let waits = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
        assert_eq!(waits["state"], "verified");
        for args in way {
            assert!(
                office.daemon.gapura(&[&["user"], *args].concat()).status.success(),
                "{args:?}"
            );
        }
        let body = json!({ "candidate": waits["candidate"]["hash"] });
        let signed = office.kabid.post(&act(&number, "countersign"), &body);
        assert_eq!(signed.refused(), (409, "stale".to_owned()), "{way:?}");
        // It goes back to be checked again, and is not stuck.
        let view = office.kabid.get(&format!("/api/v1/requests/{number}")).ok();
        assert_eq!(view["state"], "assigned", "{way:?}");
        let reply = ask(office.daemon.dns(), "surat.cirebonkab.go.id.", RecordType::MX);
        assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);
    }
}

#[test]
fn the_officer_who_keys_in_a_letter_cannot_approve_it() {
    let office = Office::open();
    let body = office.kasi.post_request("/api/v1/requests", &village(), LETTER).ok();
    let number = body["number"].as_str().unwrap();
    let slip = json!({ "to": "siti", "instruction": "Periksa." });
    let disposed = office.kabid.post(&act(number, "dispose"), &slip);
    if disposed.status == 200 {
        let approved = office.kasi.post(&act(number, "approve"), &office.approval(number));
        assert_eq!(approved.refused(), (403, "same_person".to_owned()));
    } else {
        assert_eq!(disposed.refused(), (403, "same_person".to_owned()));
    }
}

#[test]
fn an_applicant_can_withdraw_and_the_name_is_free_again() {
    let office = Office::open();
    let (number, secret) = office.submit(&village());
    let stranger = Caller::new(&office.daemon.web(), &[("Gapura-Secret", "AAAAAAAA")]);
    assert!(matches!(stranger.get(&format!("/api/v1/requests/{number}")).status, 401 | 403 | 404));
    let owner = Caller::new(&office.daemon.web(), &[("Gapura-Secret", &secret)]);
    assert_eq!(owner.post(&act(&number, "withdraw"), &json!({})).ok()["state"], "withdrawn");
    office.submit(&village());
}

#[test]
fn an_edited_database_is_not_good() {
    let office = Office::open();
    office.submit(&village());
    let verify = |daemon: &Daemon| {
        let verified = daemon.gapura(&["audit", "verify"]);
        // What is not good is said on standard error.
        (verified.status.code(), String::from_utf8_lossy(&verified.stderr).into_owned())
    };
    assert_eq!(verify(&office.daemon).0, Some(0));
    let database = rusqlite::Connection::open(office.daemon.dir.join("state/gapura.db")).unwrap();
    database
        .execute("UPDATE person SET nip = '198001012005011001' WHERE role = 'kasi'", [])
        .unwrap();
    database.execute("DELETE FROM letter", []).unwrap();
    drop(database);
    let (code, said) = verify(&office.daemon);
    assert_eq!(code, Some(1), "{said}");
    for words in ["table letter", "was deleted", "table person", "was altered", "what to do: "] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_database_that_an_edit_made_unusable_is_verified_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), "");
    let daemon = Daemon::in_dir(dir.path());
    add_person(&daemon, "siti", "kasi", "siti@cirebonkab.go.id");
    assert_eq!(daemon.gapura(&["audit", "verify"]).status.code(), Some(0));
    daemon.end_with("TERM");
    let database = rusqlite::Connection::open(dir.path().join("state/gapura.db")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM zone").unwrap();
    drop(database);
    let daemon = Daemon::in_dir(dir.path());
    let verified = daemon.gapura(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert_eq!(verified.status.code(), Some(1), "{said}");
    for words in ["the queue is closed", "table zone, row cirebonkab.go.id.: was deleted"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_row_that_does_not_read_back_is_a_finding_of_the_verifier() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), "");
    let daemon = Daemon::in_dir(dir.path());
    add_person(&daemon, "siti", "kasi", "siti@cirebonkab.go.id");
    daemon.end_with("TERM");
    let database = rusqlite::Connection::open(dir.path().join("state/gapura.db")).unwrap();
    database.execute("UPDATE person SET role = 'raja'", []).unwrap();
    drop(database);
    let stopped = crate::support::run_in(dir.path(), &["audit", "verify"]);
    let running = Daemon::in_dir(dir.path()).gapura(&["audit", "verify"]);
    for verified in [stopped, running] {
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert_eq!(verified.status.code(), Some(1), "{said}");
        assert!(said.contains("table person"), "{said}");
    }
}
