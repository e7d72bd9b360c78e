//! The chain: what is written, what is anchored, what tampering shows, what erasure leaves.

use super::*;
use crate::audit::{Anchor, Export, verify};
use crate::desk::{SubjectKind, SubjectOutcome, SubjectWish};

/// The chain of an office, as exported.
fn lines(office: &Office) -> Vec<String> {
    let to = office.desk.begin_export(0, false, &office.actor("pengawas")).unwrap();
    let (mut lines, mut after) = (Vec::new(), Some(0));
    while let Some(from) = after {
        let part = office.desk.export_part((from, to), 7, true).unwrap();
        lines.extend(part.lines);
        after = part.next;
    }
    lines
}

/// The verdict on exported lines: the first bad sequence.
fn first_bad(office: &Office, lines: &[String], anchors: &[Anchor]) -> Option<i64> {
    let export = Export::parse(&lines.join("\n")).unwrap();
    verify(&export, Some(&office.desk.audit_key()), anchors).first_bad()
}

/// The anchor the server tells.
fn anchor(office: &Office) -> Anchor {
    let (rcode, answer) = office.dig("_gapura-audit.cirebonkab.go.id.", "TXT");
    assert_eq!(rcode, "NOERROR");
    let text = answer[0].split(" TXT ").nth(1).unwrap();
    assert!(text.len() < 257, "one string under 255 octets: {text}");
    text.parse().unwrap()
}

#[test]
fn the_anchor_rides_on_each_promotion_and_witnesses_the_chain() {
    let office = Office::new();
    office.live(application());
    let first = anchor(&office);
    office.live(service("kedua", "192.0.2.120"));
    let second = anchor(&office);
    assert!(second.0.sequence > first.0.sequence);
    let all = lines(&office);
    assert_eq!(first_bad(&office, &all, &[first.clone(), second.clone()]), None);
    let report = office.desk.verify(&[first, second]).unwrap();
    assert!(report.is_good(), "{:?}", report.faults);
    assert!(report.signed_to.is_some() && report.anchored_to.is_some());
    assert!(report.lines().iter().any(|line| line.contains("only chained")));
}

#[test]
fn tampering_is_found_and_the_first_bad_event_named() {
    let office = Office::new();
    office.live(application());
    let anchors = [anchor(&office)];
    let all = lines(&office);
    let place = |sequence: i64| {
        let mark = format!("\"sequence\":{sequence},");
        all.iter().position(|line| line.contains(&mark) && line.contains("\"act\"")).unwrap()
    };
    let mut edited = all.clone();
    edited[place(4)] = edited[place(4)].replace("\"role\":\"", "\"role\":\"x");
    assert_eq!(first_bad(&office, &edited, &anchors), Some(4), "a byte edited");
    let mut deleted = all.clone();
    deleted.remove(place(5));
    assert_eq!(first_bad(&office, &deleted, &anchors), Some(5), "an event deleted");
    let mut swapped = all.clone();
    swapped.swap(place(3), place(4));
    assert_eq!(first_bad(&office, &swapped, &anchors), Some(3), "two swapped");
    let cut: Vec<String> = all[..place(4)].to_vec();
    assert_eq!(first_bad(&office, &cut, &[]), None, "a cut tail alone cannot be seen");
    assert_eq!(first_bad(&office, &cut, &anchors), Some(4), "but with a later anchor it can");
}

#[test]
fn the_proof_of_a_promotion_is_verified_offline() {
    let office = Office::new();
    let number = office.live(application());
    let all = lines(&office);
    let report = |lines: &[String]| {
        let export = Export::parse(&lines.join("\n")).unwrap();
        verify(&export, Some(&office.desk.audit_key()), &[])
    };
    let good = report(&all);
    assert_eq!((good.is_good(), good.proofs, good.compared), (true, 1, None));
    assert!(good.lines().iter().any(|line| line.contains("an export holds no rows")));
    // Any byte of what port 53 answered.
    let mut forged = all;
    let proof = forged.iter_mut().find(|line| line.starts_with("{\"proof\"")).unwrap();
    assert!(proof.contains("192.0.2.110"), "{proof}");
    *proof = proof.replace("192.0.2.110", "192.0.2.111");
    let sequence =
        office.view(&number).history.iter().find(|e| e.act == "promoted").unwrap().sequence;
    assert_eq!(report(&forged).first_bad(), Some(sequence));
}

#[test]
fn rewriting_everything_is_found_by_signature_or_by_an_older_anchor() {
    let office = Office::new();
    office.live(application());
    let anchors = [anchor(&office)];
    let key = office.desk.audit_key();
    // Another office with another history and another key stands for the forger.
    let forger = Office::new();
    forger.live(service("palsu", "192.0.2.130"));
    let forged = Export::parse(&lines(&forger).join("\n")).unwrap();
    let report = verify(&forged, Some(&key), &[]);
    assert!(!report.is_good() && report.signed_to.is_none(), "without the key: no signature");
    // Whoever has no key can only take the signatures out; promotions without one before them tell.
    let unsigned: Vec<String> =
        lines(&forger).into_iter().filter(|line| !line.contains("\"checkpoint\"")).collect();
    let unsigned = Export::parse(&unsigned.join("\n")).unwrap();
    let promoted = unsigned.events.iter().find(|event| event.act == "promote").unwrap().sequence;
    assert_eq!(verify(&unsigned, None, &[]).first_bad(), Some(promoted));
    // With the stolen key everything fits, except the anchor held outside.
    let report = verify(&forged, Some(&forger.desk.audit_key()), &[]);
    assert!(report.is_good(), "{:?}", report.faults);
    let report = verify(&forged, Some(&forger.desk.audit_key()), &anchors);
    assert_eq!(report.first_bad(), Some(anchors[0].0.sequence));
}

#[test]
fn tampering_with_the_database_itself_is_found() {
    let office = Office::new();
    office.live(application());
    office.chain.is_edited();
    let change = |sql: &str| office.store.tamper(sql);
    change("UPDATE event SET person = 'p-lain' WHERE sequence = 9");
    assert_eq!(office.desk.verify(&[]).unwrap().first_bad(), Some(9));
    change("UPDATE event SET payload = '{' WHERE sequence = 8");
    assert_eq!(office.desk.verify(&[]).unwrap().first_bad(), Some(8));
    change("DELETE FROM personal WHERE sequence = 6");
    assert_eq!(office.desk.verify(&[]).unwrap().first_bad(), Some(6));
    change("PRAGMA foreign_keys = OFF; DELETE FROM event WHERE sequence < 3");
    assert_eq!(office.desk.verify(&[]).unwrap().first_bad(), Some(1), "the front was cut off");
}

#[test]
fn a_row_that_stands_otherwise_than_its_last_event_says_is_found() {
    for (tampered, about) in [
        ("UPDATE request SET state = 'rejected'", "request:GPR-2026-00001"),
        ("UPDATE request SET revision = 7", "request:GPR-2026-00001"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM request", "request:GPR-2026-00001"),
        ("UPDATE live_record SET state = 'suspended'", "record:grogolkapetakan.desa"),
        ("DELETE FROM live_record WHERE origin <> 'import'", "record:grogolkapetakan.desa"),
        ("UPDATE person SET role = 'kabid' WHERE name = 'operator'", "person:p-operator"),
        ("UPDATE person SET id = 'p-baru' WHERE name = 'lain'", "person:p-baru"),
        ("UPDATE audit_key SET public = hex(zeroblob(32))", "is not the key"),
    ] {
        let office = Office::new();
        office.live(application());
        let report = office.desk.verify(&[]).unwrap();
        assert!(report.is_good(), "{:?}", report.faults);
        office.chain.is_edited();
        office.store.tamper(tampered);
        let report = office.desk.verify(&[]).unwrap();
        assert!(report.faults.iter().any(|fault| fault.what.contains(about)), "{tampered}");
    }
}

#[test]
fn a_line_of_an_export_that_cannot_be_read_is_named_and_hides_no_other() {
    let office = Office::new();
    office.live(application());
    let all = lines(&office);
    let mark = "\"sequence\":9,";
    let place = all.iter().position(|line| line.contains(mark) && line.contains("\"act\""));
    let mut damaged = all.clone();
    damaged[place.unwrap()].pop();
    assert_eq!(first_bad(&office, &damaged, &[]), Some(9), "JSON lines");
    let framed = format!("{{\"items\":[\n{}\n],\"next\":null}}\n", damaged.join(",\n"));
    let export = Export::parse(&framed).unwrap();
    let key = office.desk.audit_key();
    assert_eq!(verify(&export, Some(&key), &[]).first_bad(), Some(9), "as the API frames it");
    let framed = format!("{{\"items\":[\n{}\n],\"next\":null}}\n", all.join(",\n"));
    assert!(verify(&Export::parse(&framed).unwrap(), Some(&key), &[]).is_good());
    // What holds nothing proves nothing.
    assert!(!verify(&Export::parse("").unwrap(), Some(&key), &[]).is_good());
    assert!(Export::parse("no export").is_err());
}

#[test]
fn a_change_of_the_settings_is_an_event_and_a_restart_is_none() {
    let office = Office::new();
    for sha256 in ["aa", "aa", "bb", "bb"] {
        office.desk.note_settings(sha256).unwrap();
    }
    let events = office.desk.events(0, 1_000).unwrap();
    assert_eq!(events.iter().filter(|event| event.act == "settings_changed").count(), 2);
}

#[test]
fn news_is_signed_after_an_hour_from_the_first_event_on() {
    let office = Office::new();
    office.submit(application()).unwrap();
    office.desk.tick().unwrap();
    assert_eq!(office.desk.verify(&[]).unwrap().signed_to, None);
    office.wait(3_600_000);
    office.desk.tick().unwrap();
    let report = office.desk.verify(&[]).unwrap();
    assert_eq!(report.signed_to, Some(report.last));
}

#[test]
fn erasure_leaves_a_chain_that_verifies() {
    let office = Office::new();
    let number = office.live(application());
    let text = lines(&office).join("\n");
    for personal in ["Sutrisno", "desa@example.id", "0231-1"] {
        assert!(!text.contains(personal), "{personal} stands in the chain");
    }
    let refused = office.desk.erase(&number, "permintaan", &office.actor("seksi")).unwrap_err();
    assert_eq!(refused.code(), "not_allowed");
    let refused = office.desk.erase(&number, " ", &office.actor("kepala")).unwrap_err();
    assert_eq!(refused.code(), "incomplete");
    let open = office.submit(service("masihjalan", "192.0.2.122")).unwrap().number;
    let refused = office.desk.erase(&open, "permintaan", &office.actor("kepala")).unwrap_err();
    assert_eq!(refused.code(), "wrong_state");
    let erased = office.desk.erase(&number, "permintaan", &office.actor("kepala")).unwrap();
    assert!(erased.values >= 3 && erased.letters == 1, "{erased:?}");
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!(report.erased, erased.values);
    let view = office.view(&number);
    assert_eq!(view.contact.as_ref().unwrap().email, "");
    assert_eq!(
        (view.purpose.as_str(), view.exception.as_deref()),
        ("", None),
        "texts may name somebody"
    );
    assert_eq!((view.state, view.office.as_str()), (State::Live, "Desa Grogol"));
    let database = std::fs::read(office.directory.path().join("state/gapura.db")).unwrap();
    assert!(!String::from_utf8_lossy(&database).contains("Sutrisno"), "sealed all along");
}

/// Bug class: what an answer does is done before it is known whether it is the answer.
#[test]
fn of_two_answers_at_once_only_the_one_that_counts_erases() {
    let office = Office::new();
    let head = office.actor("kepala");
    for round in 0..8 {
        let number = office.live(service(&format!("serentak{round}"), "192.0.2.122"));
        let wish = SubjectWish {
            kind: Some(SubjectKind::Erase),
            name: "Sutrisno".to_owned(),
            contact: "desa@example.id".to_owned(),
            text: "Mohon dihapus.".to_owned(),
            request: number.clone(),
        };
        let id = office.desk.record_subject_request(&wish, &head).unwrap();
        let start = std::sync::Barrier::new(2);
        let answer = |outcome| {
            start.wait();
            office.desk.answer_subject_request(&id, (Some(outcome), "Alasan."), &head).is_ok()
        };
        let done = std::thread::scope(|scope| {
            let granted = scope.spawn(|| answer(SubjectOutcome::Granted));
            [answer(SubjectOutcome::Refused), granted.join().unwrap()]
        });
        let is_erased = office.view(&number).contact.unwrap().email.is_empty();
        assert_eq!((done, is_erased), ([!is_erased, is_erased], is_erased), "round {round}");
    }
}

#[test]
fn a_contact_is_kept_while_the_name_is_live_and_a_year_longer() {
    const DAY_MS: i64 = 86_400_000;
    let office = Office::new();
    let number = office.live(application());
    let mail = |number: &str| office.view(number).contact.map(|contact| contact.email);
    office.wait(800 * DAY_MS);
    office.desk.do_jobs_of_the_day().unwrap();
    assert_eq!(mail(&number).unwrap(), "desa@example.id", "the name is live");

    let mut removal = application();
    removal.kind = crate::queue::Kind::Remove;
    let removal = office.live(removal);
    office.wait(364 * DAY_MS);
    office.desk.do_jobs_of_the_day().unwrap();
    assert_eq!(mail(&number).unwrap(), "desa@example.id", "gone for less than a year");
    office.wait(2 * DAY_MS);
    office.desk.do_jobs_of_the_day().unwrap();
    assert_eq!((mail(&number).unwrap(), mail(&removal).unwrap()), (String::new(), String::new()));
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good() && report.erased > 0, "{:?}", report.faults);
    // Once is enough.
    let events = office.desk.events(0, 10_000).unwrap().len();
    office.desk.do_jobs_of_the_day().unwrap();
    assert_eq!(office.desk.events(0, 10_000).unwrap().len(), events);
}

#[test]
fn keys_lie_outside_the_database_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let office = Office::new();
    for file in ["audit.key", "personal.key"] {
        let path = office.directory.path().join("state").join(file);
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let ledger = &office.desk.0.ledger;
    office.live(application());
    let old = office.desk.audit_key();
    let anchors = [anchor(&office)];
    ledger.notary.rotate(&office.store, MONDAY_8 + 1, "console", "admin").unwrap();
    assert_ne!(office.desk.audit_key(), old);
    office.live(service("kunci", "192.0.2.121"));
    let export = Export::parse(&lines(&office).join("\n")).unwrap();
    for key in [Some(old.as_str()), Some(office.desk.audit_key().as_str()), None] {
        let report = verify(&export, key, &anchors);
        assert!(report.is_good(), "{key:?}: {:?}", report.faults);
    }
    let office = office.reopen();
    assert!(office.desk.verify(&anchors).unwrap().is_good());
}

#[test]
fn what_was_erased_lies_in_no_file() {
    let office = Office::new();
    let number = office.live(application());
    let sealed = || {
        let read = |reader: &crate::store::Reader<'_>| -> Result<_, crate::store::StoreError> {
            let values = reader.all_personal()?.into_iter().map(|(_, _, sealed)| sealed);
            let mut sealed: Vec<Vec<u8>> = values.collect();
            sealed.extend(reader.revision(&number, 1)?.map(|(body, ..)| body));
            Ok(sealed)
        };
        office.store.read(read).unwrap()
    };
    // Files of the state directory, the write-ahead log among them.
    let lies = |sealed: &[u8]| {
        let files = std::fs::read_dir(office.directory.path().join("state")).unwrap().flatten();
        let files = files.filter_map(|file| std::fs::read(file.path()).ok());
        files.into_iter().any(|file| file.windows(sealed.len()).any(|part| part == sealed))
    };
    let before = sealed();
    office.desk.erase(&number, "permintaan", &office.actor("kepala")).unwrap();
    let after = sealed();
    let gone: Vec<&Vec<u8>> = before.iter().filter(|value| !after.contains(value)).collect();
    assert!(gone.len() >= 4, "{}", gone.len());
    assert!(after.iter().all(|value| lies(value)), "what is kept is found this way");
    for value in gone {
        assert!(!lies(value), "an erased value lies in a file");
    }
    // The next erasure is cleared away as well.
    let other = office.live(service("kedua", "192.0.2.131"));
    let before = sealed();
    office.desk.erase(&other, "permintaan", &office.actor("kepala")).unwrap();
    let after = sealed();
    assert!(before.iter().filter(|value| !after.contains(value)).all(|value| !lies(value)));
}

#[test]
fn the_chain_keeps_no_value_of_what_was_turned_back_or_erased() {
    let office = Office::new();
    let unproven = Submitter { mailbox_proven: false, ..applicant() };
    let sent = office.desk.submit(application(), Some(letter()), &unproven).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    let Act::Approve { revision, candidate, serial, lines: mut ticked } =
        office.approval(&sent.number)
    else {
        panic!("no approval")
    };
    ticked.retain(|line| line.code != LineCode::A11);
    let approve = Act::Approve { revision, candidate, serial, lines: ticked };
    assert_eq!(office.act(&sent.number, approve, "seksi").unwrap_err().code(), "incomplete");
    let consult = Act::Consult { party: "Camat".to_owned(), email: "0812-rahasia".to_owned() };
    assert_eq!(office.act(&sent.number, consult, "seksi").unwrap_err().code(), "incomplete");
    let whys: Vec<String> = office
        .view(&sent.number)
        .history
        .iter()
        .filter_map(|event| event.facts.get("why").cloned())
        .collect();
    assert_eq!(whys, ["A11 line_not_checked", "email bad_email"]);
    office.approve(&sent.number).unwrap();
    office.desk.erase(&sent.number, "diminta Sutrisno", &office.actor("kepala")).unwrap();
    let chain = lines(&office).join("\n");
    for personal in ["desa@example.id", "0812-rahasia", "Sutrisno"] {
        assert!(!chain.contains(personal), "{personal} stands in the chain");
    }
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

/// Everything kept of a request, with the key at hand, and the files of the state directory.
fn opened(office: &Office, number: &str) -> Vec<String> {
    let vault = &office.desk.0.ledger.vault;
    let read = |reader: &crate::store::Reader<'_>| -> Result<_, crate::store::StoreError> {
        let personal = reader.all_personal()?.into_iter();
        let mut sealed: Vec<(String, Vec<u8>)> =
            personal.map(|(_, field, sealed)| (format!("commitment:{field}"), sealed)).collect();
        let request = reader.request(number)?.map(|(_, body)| (format!("request:{number}"), body));
        let revision = reader.revision(number, 1)?;
        let revision = revision.map(|(body, ..)| (format!("revision:{number}:1"), body));
        let notices = reader.notices_of(number)?.into_iter();
        sealed.extend(request.into_iter().chain(revision));
        sealed.extend(notices.map(|row| (format!("notice:{}", row.id), row.body)));
        Ok(sealed)
    };
    let sealed = office.store.read(read).unwrap();
    let plain = sealed.iter().map(|(context, body)| vault.unseal(context, body).unwrap());
    let files = std::fs::read_dir(office.directory.path().join("state")).unwrap().flatten();
    let files = files.filter_map(|file| std::fs::read(file.path()).ok());
    plain.chain(files).map(|octets| String::from_utf8_lossy(&octets).into_owned()).collect()
}

#[test]
fn after_an_erasure_nothing_of_the_person_lies_in_the_state_directory() {
    let office = Office::new();
    let marked = "Rahasia";
    let mut wish = application();
    wish.contact.name = format!("{marked} Sutrisno");
    wish.contact.position = format!("Kuwu {marked}");
    let sent = office.desk.submit(wish, Some(letter()), &applicant()).unwrap();
    let number = sent.number.as_str();
    let text = |what: &str| format!("{what} {marked}");
    let slip = Act::Dispose { to: "seksi".to_owned(), instruction: text("telepon") };
    office.act(number, slip, "kepala").unwrap();
    let consult = Act::Consult { party: text("Camat"), email: "rahasia@camat.id".to_owned() };
    office.act(number, consult, "seksi").unwrap();
    let deny = Act::Deny { party: text("Camat"), letter: text("800/") };
    office.act(number, deny, "seksi").unwrap();
    let note = |code| LineInput { code, verdict: Some(LineVerdict::Bad), note: Some(text("cap")) };
    office.act(number, Act::Check { lines: vec![note(LineCode::M1)] }, "seksi").unwrap();
    let reject = Act::Reject {
        reason: "rangkap".to_owned(),
        note: text("alasan"),
        lines: vec![note(LineCode::M2)],
    };
    office.act(number, reject, "seksi").unwrap();
    office.act(number, Act::Notified { how: text("telepon") }, "seksi").unwrap();
    let admin = office.desk.erase(number, "diminta", &office.actor("operator")).unwrap_err();
    assert!(matches!(admin, ActError::NotAllowed), "an administrator takes no evidence away");
    assert!(
        opened(&office, number).iter().any(|text| text.contains(marked)),
        "it is found this way"
    );
    office.desk.erase(number, "diminta", &office.actor("kepala")).unwrap();
    let left = opened(&office, number);
    let left: Vec<&String> =
        left.iter().filter(|text| text.to_lowercase().contains("rahasia")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn letters_without_a_row_go_after_a_week_and_one_on_its_way_in_stays() {
    let office = Office::new();
    let folder = office.directory.path().join("state/letters");
    office.submit(application()).unwrap();
    // One of a process that died long ago, and one that a newer database may name.
    let week = std::time::SystemTime::now() - std::time::Duration::from_secs(8 * 86_400);
    for (name, is_old) in [("orphan.pdf", true), ("younger.pdf", false), ("arriving.pdf", true)] {
        std::fs::write(folder.join(name), LETTER).unwrap();
        if is_old {
            std::fs::File::open(folder.join(name)).unwrap().set_modified(week).unwrap();
        }
    }
    office.desk.arriving().insert("arriving.pdf".to_owned());
    office.desk.do_jobs_of_the_day().unwrap();
    let names = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| ["orphan.pdf", "younger.pdf", "arriving.pdf"].contains(&name.as_str()));
    names.sort();
    assert_eq!(names, ["arriving.pdf", "younger.pdf"]);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3, "and the letter with a row");
}
