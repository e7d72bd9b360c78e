//! Edits of the database by other means than gapura: each on a copy of one office's files, each found.

use std::path::{Path, PathBuf};

use super::*;
use crate::audit::{FaultKind, Notary, Report, RowChange, Vault, check_letters, guard, verify_own};
use crate::queue::Role;
use crate::store::StoreError;
use crate::store::people::{ActingRow, LinkRow, SessionRow, TokenRow};
use crate::store::words::{ActingStyle, LinkKind, Stage};

/// Edits with the words by which each is found: the table, or what else stands for it.
const EDITS: &[(&str, &str)] = &[
    // What port 53 says.
    (
        "table promoted",
        "UPDATE promoted SET rrset = CAST(substr(rrset, 1, length(rrset) - 1) || x'42' AS BLOB)",
    ),
    ("table promoted", "UPDATE promoted SET rrset = zeroblob(1) WHERE owner LIKE 'grogol%'"),
    ("table promoted", "UPDATE promoted SET base = x'01' WHERE owner LIKE 'grogol%'"),
    ("table promoted", "UPDATE promoted SET request = 'GPR-2026-00002' WHERE owner LIKE 'grogol%'"),
    ("table promoted", "UPDATE promoted SET update_key = 'kunci.' WHERE owner LIKE 'grogol%'"),
    ("table promoted", "DELETE FROM promoted WHERE owner LIKE 'grogol%'"),
    (
        "table promoted",
        "INSERT INTO promoted (zone, owner, rtype, rrset, base, request, since_ms) \
         SELECT zone, 'jahat.cirebonkab.go.id.', rtype, rrset, base, request, since_ms FROM promoted WHERE owner LIKE 'grogol%'",
    ),
    (
        "table promoted",
        "UPDATE promoted SET rrset = (SELECT rrset FROM promoted AS other \
         WHERE other.owner <> promoted.owner AND other.owner NOT LIKE '\\_%' ESCAPE '\\' LIMIT 1) \
         WHERE owner NOT LIKE '\\_%' ESCAPE '\\'",
    ),
    ("table zone,", "UPDATE zone SET serial = serial + 1"),
    ("table zone,", "UPDATE zone SET held_hash = file_hash"),
    ("table zone,", "UPDATE zone SET copy_seq = NULL"),
    ("table zone,", "UPDATE zone SET high_water = 0"),
    ("table zone_change", "UPDATE zone_change SET cause = '{}' WHERE seq = 2"),
    ("table zone_change", "UPDATE zone_change SET who = 'p-seksi'"),
    ("table zone_change", "UPDATE zone_change SET added = removed WHERE seq = 2"),
    ("table zone_change", "DELETE FROM zone_change WHERE seq = 1"),
    ("table zone_change", "DELETE FROM zone_change"),
    ("table zone_copy", "UPDATE zone_copy SET records = x'01'"),
    ("table zone_copy", "DELETE FROM zone_copy"),
    // What was decided, and its proof.
    ("table promotion", "UPDATE promotion SET proof = replace(proof, '192.0.2.110', '192.0.2.66')"),
    ("table promotion", "UPDATE promotion SET proof = NULL"),
    ("table promotion", "UPDATE promotion SET plan = replace(plan, 'grogol', 'gregol')"),
    ("table promotion", "UPDATE promotion SET state = 'committed'"),
    ("table promotion", "DELETE FROM promotion"),
    ("table request,", "UPDATE request SET secret_hash = 'x' WHERE serial = 1"),
    ("table request,", "UPDATE request SET secret_hash = NULL WHERE serial = 1"),
    ("table request,", "UPDATE request SET office = 'Dinas Lain' WHERE serial = 1"),
    ("table request,", "UPDATE request SET state = 'verified' WHERE serial = 3"),
    ("table request,", "UPDATE request SET holder_id = 'p-lain' WHERE serial = 3"),
    ("table request,", "UPDATE request SET starts_ms = 1 WHERE serial = 3"),
    (
        "table request,",
        "UPDATE request SET body = (SELECT body FROM request WHERE serial = 2) WHERE serial = 1",
    ),
    ("table request_origin", "UPDATE request_origin SET proven = 1 - proven"),
    ("table request_origin", "DELETE FROM request_origin"),
    ("table request,", "UPDATE request SET taken_ms = 1 WHERE serial = 3"),
    ("table request_year", "UPDATE request_year SET last = 0"),
    ("table revision", "UPDATE revision SET body = x'00'"),
    ("table revision", "DELETE FROM revision"),
    ("table letter", "UPDATE letter SET sha256 = 'x'"),
    ("table letter", "UPDATE letter SET file = 'x' WHERE request LIKE '%1'"),
    ("table letter", "UPDATE letter SET erased_ms = 1"),
    ("table letter", "DELETE FROM letter"),
    ("table live_record", "UPDATE live_record SET office = 'Jahat' WHERE name LIKE 'grogol%'"),
    ("table live_record", "UPDATE live_record SET ends_ms = 1 WHERE name LIKE 'grogol%'"),
    ("table live_record", "UPDATE live_record SET origin = 'import' WHERE name LIKE 'grogol%'"),
    ("table live_record", "DELETE FROM live_record WHERE name LIKE 'kedua%'"),
    ("table notice", "UPDATE notice SET state = 'sent'"),
    ("table notice", "UPDATE notice SET body = x'00'"),
    ("table notice", "DELETE FROM notice"),
    ("table party_link", "UPDATE party_link SET used_ms = NULL, ends_ms = 9"),
    ("table party_link", "INSERT INTO party_link VALUES ('h', 'GPR-2026-00003', 'k', 9, NULL)"),
    ("table probe_result", "UPDATE probe_result SET body = '{}'"),
    ("table probe_result", "DELETE FROM probe_result"),
    // Who may decide.
    ("table person", "UPDATE person SET password = 'x' WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET totp_secret = NULL WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET totp_step = 0 WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET email = 'x@example.id' WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET nip = '198001012005011009' WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET disabled_ms = NULL WHERE name = 'pensiun'"),
    ("table person", "UPDATE person SET role = 'kabid' WHERE name = 'seksi'"),
    ("table person", "UPDATE person SET full_name = 'x' WHERE name = 'seksi'"),
    ("table person", "DELETE FROM person WHERE name = 'pensiun'"),
    (
        "table person",
        "UPDATE person SET password = CASE name WHEN 'seksi' THEN 'hash lain' ELSE 'hash seksi' END \
         WHERE name IN ('seksi', 'lain')",
    ),
    (
        "table person",
        "INSERT INTO person SELECT 'p-x', 'x', full_name, title, role, 'x@x.id', nip, disabled_ms, \
         password, totp_secret, totp_step, created_ms, rank, former FROM person \
         WHERE name = 'seksi'",
    ),
    ("table session", "INSERT INTO session VALUES ('x', 'p-seksi', 'full', NULL, 1, 1, 1)"),
    ("table session", "UPDATE session SET person = 'p-kepala'"),
    ("table session", "UPDATE session SET proven_ms = proven_ms + 1"),
    ("table session", "UPDATE session SET stage = 'full' WHERE stage = 'code'"),
    ("table session", "UPDATE session SET created_ms = created_ms + 1"),
    ("table session", "DELETE FROM session"),
    ("table personal_token", "UPDATE personal_token SET scopes = 'read,submit,decide'"),
    ("table personal_token", "UPDATE personal_token SET revoked_ms = NULL WHERE id = 't-2'"),
    ("table personal_token", "UPDATE personal_token SET network = NULL"),
    ("table personal_token", "UPDATE personal_token SET ends_ms = ends_ms + 1"),
    ("table personal_token", "DELETE FROM personal_token WHERE id = 't-2'"),
    (
        "table personal_token",
        "INSERT INTO personal_token VALUES ('t-9', 'x', 'p-seksi', '', 'decide', NULL, 1, 9, NULL, NULL)",
    ),
    ("table access_link", "UPDATE access_link SET used_ms = NULL"),
    ("table access_link", "UPDATE access_link SET role = 'admin'"),
    (
        "table access_link",
        "INSERT INTO access_link VALUES ('x', 'invitation', NULL, 'kabid', 'x@x.id', 'console', 1, 9, NULL)",
    ),
    ("table acting_official", "UPDATE acting_official SET ends_ms = ends_ms + 1"),
    ("table acting_official", "UPDATE acting_official SET ended_ms = NULL"),
    ("table acting_official", "UPDATE acting_official SET role = 'kasi'"),
    (
        "table acting_official",
        "INSERT INTO acting_official VALUES ('x', 'p-seksi', 'kabid', '', 'plt', '1', 1, 9, 'x', NULL)",
    ),
    ("table web_secret", "UPDATE web_secret SET value = zeroblob(32)"),
    ("table web_secret", "INSERT INTO web_secret VALUES ('other', x'00')"),
    // What stands beside the chain.
    ("table personal", "DELETE FROM personal"),
    ("table personal", "UPDATE personal SET sealed = x'00'"),
    ("table personal", "INSERT INTO personal VALUES (1, 'other', x'00')"),
    ("table erased", "UPDATE erased SET by_event = 1"),
    ("table erased", "DELETE FROM erased"),
    ("table erased", "INSERT INTO erased VALUES (1, 'other', 1)"),
    ("table checkpoint", "DELETE FROM checkpoint"),
    (
        "table checkpoint",
        "DELETE FROM checkpoint WHERE sequence = (SELECT max(sequence) FROM checkpoint)",
    ),
    ("table checkpoint", "UPDATE checkpoint SET at_ms = at_ms + 1"),
    ("table audit_key", "UPDATE audit_key SET at_ms = at_ms + 1"),
    ("table audit_key", "DELETE FROM audit_key"),
    ("table holiday", "INSERT INTO holiday VALUES ('2026-11-23', 'x', 'x')"),
    (
        "table work_override",
        "INSERT INTO work_override VALUES ('2026-11-23', '2026-12-23', 'x', 'x')",
    ),
    // The chain, the log, and the tables themselves.
    ("its hash does not fit", "UPDATE event SET payload = '{}' WHERE sequence = 5"),
    ("missing", "DELETE FROM event WHERE sequence = 5"),
    (
        "cut: there was an event",
        "DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM event)",
    ),
    ("there is no event", "DELETE FROM event"),
    ("the row log is cut", "DELETE FROM row_log WHERE place = 3"),
    ("row log", "DELETE FROM row_log WHERE place > 3"),
    ("row log", "DELETE FROM row_log"),
    ("row log", "DELETE FROM row_log; DELETE FROM row_head"),
    ("row log", "UPDATE row_log SET digest = zeroblob(32) WHERE place = 5"),
    ("row log", "UPDATE row_log SET found = 1 WHERE place = 5"),
    ("row log", "UPDATE row_log SET key = 'x' WHERE place = 5"),
    ("row log", "DELETE FROM row_head"),
    ("row log", "UPDATE row_head SET mac = zeroblob(32)"),
    ("row log", "UPDATE row_head SET place = place - 1"),
    (
        "row log",
        "INSERT INTO row_log SELECT place + 1, tbl, key, digest, 0, hash FROM row_log \
         ORDER BY place DESC LIMIT 1",
    ),
    (
        "trigger bantu",
        "CREATE TRIGGER bantu AFTER INSERT ON notice BEGIN UPDATE person SET role = 'kabid' \
         WHERE name = 'seksi'; END",
    ),
    (
        "trigger sqlite_stat9",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_stat9', \
         'notice', 0, 'CREATE TRIGGER sqlite_stat9 AFTER INSERT ON notice BEGIN SELECT 1; END')",
    ),
    ("table subject_request", "UPDATE subject_request SET due_ms = due_ms + 1"),
    ("table subject_request", "UPDATE subject_request SET answered_ms = 1, outcome = 'granted'"),
    ("table subject_request", "UPDATE subject_request SET kind = 'erase'"),
    ("table subject_request", "DELETE FROM subject_request"),
    ("index request_queue", "DROP INDEX request_queue"),
    ("table tambahan", "CREATE TABLE tambahan (x)"),
    ("table letter", "DROP TABLE letter"),
    ("table person", "ALTER TABLE person ADD COLUMN more TEXT"),
];

/// Tables of which an older copy is put back.
const OLDER: &[&str] = &[
    "promoted",
    "zone",
    "zone_change",
    "promotion",
    "request",
    "live_record",
    "letter",
    "notice",
    "person",
    "session",
    "personal_token",
    "acting_official",
    "personal",
    "checkpoint",
    "row_log",
    "row_head",
];

/// Edits a database as `sqlite3` does, which asks for no foreign keys.
fn tamper(store: &Store, sql: &str) {
    store.tamper(&format!("PRAGMA foreign_keys = OFF; {sql}"));
}

/// Copies the database, its keys and the letters.
fn copy(state: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let letters = directory.path().join(LETTERS);
    std::fs::create_dir(&letters).unwrap();
    for file in std::fs::read_dir(state.join(LETTERS)).unwrap().flatten() {
        std::fs::copy(file.path(), letters.join(file.file_name())).unwrap();
    }
    for file in ["gapura.db", "gapura.db-wal", "personal.key", "audit.key"] {
        std::fs::copy(state.join(file), directory.path().join(file)).unwrap();
    }
    directory
}

/// What `gapura audit verify` says of a state directory.
fn verdict(state: &Path) -> Report {
    let store = Store::open(state).unwrap();
    let vault = Vault::open(state).unwrap();
    guard(&store, &vault, MONDAY_8).unwrap();
    let key = Notary::public_key_in(state).unwrap();
    let own = |reader: &crate::store::Reader<'_>| {
        Ok::<_, StoreError>(verify_own(reader, Some(&vault), Some(&key), &[]).unwrap())
    };
    let mut report = store.read(own).unwrap();
    check_letters(&store, &state.join(LETTERS), &mut report).unwrap();
    report
}

/// An office in which something of every kind has happened; and a copy from before the last of it.
fn lived_in() -> (Office, TempDir) {
    let office = Office::new();
    office.hire("pensiun", "kasi");
    office.live(application());
    people(&office, 1);
    office.publisher.flush();
    let older = copy(&state(&office));
    office.live(service("kedua", "192.0.2.120"));
    let number = office.assigned(service("ketiga", "192.0.2.130"));
    let fourth = office.submit(service("keempat", "192.0.2.140")).unwrap().number;
    let withdraw = Act::Withdraw { letter: "140/13".to_owned() };
    office.act(&fourth, withdraw, "kepala").unwrap();
    office.desk.erase(&fourth, "diminta", &office.actor("kepala")).unwrap();
    people(&office, 2);
    let wish = SubjectWish {
        kind: Some(SubjectKind::See),
        name: "Rina".to_owned(),
        contact: "rina@surel.example".to_owned(),
        text: "Data apa?".to_owned(),
        request: String::new(),
    };
    office.desk.record_subject_request(&wish, &office.actor("seksi")).unwrap();
    let written = office.store.write::<_, StoreError>(|tx| {
        let mut retired = tx.person("p-pensiun")?.unwrap();
        retired.disabled_ms = Some(MONDAY_8);
        tx.put_person(&retired)?;
        let mut verifier = tx.person("p-seksi")?.unwrap();
        (verifier.password, verifier.totp_secret) = (Some("hash".to_owned()), Some(vec![7; 20]));
        verifier.totp_step = 9;
        tx.put_person(&verifier)?;
        tx.put_party_link("hash", &number, "key", i64::MAX)?;
        tx.use_party_links("key", 5)?;
        tx.put_probe_result(&number, 1, MONDAY_8, "[]")?;
        tx.put_web_secret("form", &[1; 32])
    });
    written.unwrap();
    office.publisher.flush();
    (office, older)
}

/// A session, a token, a link and an acting official, with this number.
fn people(office: &Office, number: i64) {
    let row = |kind: &str| format!("{kind}-{number}");
    let written = office.store.write::<_, StoreError>(|tx| {
        tx.put_session(&SessionRow {
            token_hash: row("s"),
            person: "p-seksi".to_owned(),
            stage: Stage::Code,
            pending_secret: None,
            created_ms: 1,
            seen_ms: 1,
            proven_ms: 1,
        })?;
        tx.put_token(&TokenRow {
            id: row("t"),
            token_hash: row("h"),
            person: "p-seksi".to_owned(),
            label: String::new(),
            scopes: "read".to_owned(),
            network: Some("192.0.2.0/24".to_owned()),
            created_ms: 1,
            ends_ms: 9,
            used_ms: None,
            revoked_ms: Some(number),
        })?;
        tx.put_link(&LinkRow {
            token_hash: row("l"),
            kind: LinkKind::Invitation,
            person: None,
            role: Role::Verifier,
            email: "baru@example.id".to_owned(),
            made_by: "console".to_owned(),
            created_ms: 1,
            ends_ms: 9,
            used_ms: Some(2),
        })?;
        tx.put_acting(&ActingRow {
            id: row("a"),
            person: "p-lain".to_owned(),
            role: Role::Head,
            holder: "p-kepala".to_owned(),
            style: ActingStyle::Plh,
            letter: "1".to_owned(),
            starts_ms: 1,
            ends_ms: 9,
            made_by: "p-kepala".to_owned(),
            ended_ms: Some(2),
        })
    });
    written.unwrap();
}

/// The state directory.
fn state(office: &Office) -> PathBuf {
    office.directory.path().join("state")
}

#[test]
fn each_edit_of_the_database_is_found_and_its_table_named() {
    let (office, older) = lived_in();
    let unedited = copy(&state(&office));
    let report = verdict(unedited.path());
    assert!(report.is_good(), "{:#?}", report.lines());
    let compared = report.compared.unwrap();
    assert!(compared.tables > 20 && compared.rows > 60, "{compared:?}");
    assert!(report.proofs >= 2 && report.erased > 0);
    let older = older.path().join("gapura.db");
    let older = OLDER.iter().map(|table| {
        let sql = format!(
            "ATTACH '{}' AS older; DELETE FROM main.{table}; \
             INSERT INTO main.{table} SELECT * FROM older.{table};",
            older.display()
        );
        let words = if table.starts_with("row_") { "row log" } else { table };
        (words.to_owned(), sql)
    });
    let edits = EDITS.iter().map(|(words, sql)| ((*words).to_owned(), (*sql).to_owned()));
    let mut missed = Vec::new();
    for (words, sql) in edits.chain(older) {
        let edited = copy(&state(&office));
        let verified = std::panic::catch_unwind(|| {
            tamper(&Store::open(edited.path()).unwrap(), &sql);
            verdict(edited.path())
        });
        let said = verified.map(|report| (report.is_good(), report.lines().join("\n")));
        match said {
            Ok((false, said)) if said.contains(&words) && said.contains("what to do: ") => {}
            said => missed.push(format!("{words}: {sql}\n  {said:?}")),
        }
    }
    assert!(missed.is_empty(), "{} edits:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn an_edit_that_gapura_wrote_over_is_still_found() {
    let (office, _older) = lived_in();
    office.chain.is_edited();
    // The edited row is written again, in full and by us: that does not make it ours.
    tamper(&office.store, "UPDATE person SET role = 'kabid' WHERE name = 'lain'");
    let written = office.store.write::<_, StoreError>(|tx| {
        let mut person = tx.person("p-lain")?.unwrap();
        person.totp_step += 1;
        tx.put_person(&person)
    });
    written.unwrap();
    let found = |table: &str, change: RowChange| {
        let report = office.desk.verify(&[]).unwrap();
        let is = |kind: &FaultKind| matches!(kind, FaultKind::Row { table: t, change: c, .. } if t == table && *c == change);
        assert!(report.faults.iter().any(|fault| is(&fault.kind)), "{:#?}", report.lines());
    };
    found("person", RowChange::Found);
    // An inserted session that ended, and a log whose end was cut off.
    tamper(&office.store, "INSERT INTO session VALUES ('x', 'p-seksi', 'full', NULL, 1, 1, 1)");
    office.store.write::<_, StoreError>(|tx| tx.end_session("x")).unwrap();
    found("session", RowChange::Found);
    tamper(&office.store, "DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM event)");
    office.hire("baru", "kasi");
    found("row_head", RowChange::Found);
    // A trigger that was there while we wrote, and is not any more.
    tamper(&office.store, "CREATE TRIGGER bantu AFTER INSERT ON event BEGIN SELECT 1; END");
    office.hire("lagi", "kasi");
    tamper(&office.store, "DROP TRIGGER bantu");
    found("sqlite_schema", RowChange::Found);
}

#[test]
fn a_table_that_was_dropped_is_a_finding_and_no_error() {
    let (office, _older) = lived_in();
    office.chain.is_edited();
    let mut tables: Vec<&str> = crate::store::Reader::guarded_tables().collect();
    tables.extend(["row_head", "row_log", "event", "migration"]);
    for table in tables {
        tamper(&office.store, &format!("DROP TABLE {table}"));
        let said = office.desk.verify(&[]).unwrap().lines().join("\n");
        assert!(said.contains("what to do: "), "{table}: {said}");
        let report = office.desk.verify(&[]).unwrap();
        let named = |fault: &crate::audit::AuditFault| {
            fault.what.starts_with(&format!("table {table} cannot be read"))
        };
        let by_schema = table == "migration"
            && report.faults.iter().any(|fault| fault.what.contains("migration"));
        assert!(by_schema || report.faults.iter().any(named), "{table}: {:#?}", report.faults);
    }
}

#[test]
fn credentials_that_gapura_did_not_write_open_nothing() {
    let (office, _older) = lived_in();
    office.chain.is_edited();
    let sees = |what: &str| {
        let seen = office.store.read::<_, StoreError>(|reader| {
            Ok((
                reader.session("s-1")?.is_some(),
                reader.token_by_hash("h-1")?.is_some(),
                reader.link("l-1")?.is_some(),
                reader.acting_officials()?.len(),
                reader.session("x")?.is_some(),
            ))
        });
        (what.to_owned(), seen.unwrap())
    };
    assert_eq!(sees("as written"), ("as written".to_owned(), (true, true, true, 2, false)));
    office.store.write::<_, StoreError>(|tx| tx.seen_session("s-1", 77)).unwrap();
    office.store.write::<_, StoreError>(|tx| tx.used_token("t-1", 77)).unwrap();
    assert_eq!(sees("used"), ("used".to_owned(), (true, true, true, 2, false)));
    tamper(
        &office.store,
        "UPDATE session SET person = 'p-kepala'; UPDATE personal_token SET scopes = 'decide'; \
         UPDATE access_link SET used_ms = NULL; UPDATE acting_official SET ended_ms = NULL; \
         INSERT INTO session VALUES ('x', 'p-seksi', 'full', NULL, 1, 1, 1);",
    );
    assert_eq!(sees("edited"), ("edited".to_owned(), (false, false, false, 0, false)));
}

#[test]
fn an_account_that_gapura_did_not_write_signs_nothing() {
    for edit in [
        "password = 'x'",
        "totp_secret = x'00'",
        "role = 'kabid'",
        "email = 'x@example.id'",
        "disabled_ms = NULL, totp_step = 7",
    ] {
        let office = Office::new();
        office.chain.is_edited();
        let number = office.assigned(application());
        let (before, act) = (office.actor("seksi"), office.approval(&number));
        tamper(&office.store, &format!("UPDATE person SET {edit} WHERE name = 'seksi'"));
        assert!(office.desk.actor("p-seksi").unwrap().is_none(), "{edit}");
        let done = office.desk.act(&number, &act, &before);
        assert!(done.is_err(), "{edit}: {done:?}");
        // An account that gapura writes again acts again; the log says that it was found edited.
        let written = office.store.write::<_, StoreError>(|tx| {
            let row = tx.person("p-seksi")?.unwrap();
            tx.put_person(&PersonRow { totp_step: row.totp_step + 1, ..row })
        });
        written.unwrap();
        assert!(office.desk.actor("p-seksi").unwrap().is_some(), "{edit}");
        let live = office.store.read::<_, StoreError>(|reader| reader.requests_in(State::Assigned));
        assert_eq!(live.unwrap().len(), 1, "{edit}");
    }
}

#[test]
fn the_rows_of_an_older_database_are_taken_in_with_one_event() {
    let (office, _older) = lived_in();
    let old = copy(&state(&office));
    // As the build before left it: no log, and no event that states one.
    let store = Store::open(old.path()).unwrap();
    tamper(
        &store,
        "DELETE FROM row_log; DELETE FROM row_head; DELETE FROM event; DELETE FROM erased; \
                  DELETE FROM checkpoint; DELETE FROM personal; DELETE FROM audit_key;",
    );
    let vault = Vault::open(old.path()).unwrap();
    for _ in 0..2 {
        let again = Store::open(old.path()).unwrap();
        guard(&again, &vault, MONDAY_8).unwrap();
        let acts = again.read::<_, StoreError>(|reader| {
            Ok(reader.events_after(0, 9)?.into_iter().map(|event| event.act).collect::<Vec<_>>())
        });
        assert_eq!(acts.unwrap(), ["rows_bound"]);
    }
    let report = verdict(old.path());
    let of_rows = |fault: &&crate::audit::AuditFault| {
        !fault.what.contains("this event") && !fault.what.contains("no event accounts for")
    };
    assert_eq!(report.faults.iter().filter(of_rows).count(), 0, "{:#?}", report.lines());
    tamper(&Store::open(old.path()).unwrap(), "UPDATE letter SET sha256 = 'x'");
    assert!(verdict(old.path()).lines().join("\n").contains("table letter"));
}

#[test]
fn a_letter_whose_file_is_another_one_is_found_and_not_handed_out() {
    let office = Office::new();
    office.chain.is_edited();
    let number = office.assigned(application());
    let folder = state(&office).join(LETTERS);
    let path = std::fs::read_dir(&folder).unwrap().flatten().next().unwrap().path();
    let first = |office: &Office| {
        let report = office.desk.verify(&[]).unwrap();
        report.faults.first().map(|fault| fault.what.clone()).unwrap_or_default()
    };
    assert_eq!(first(&office), "");
    std::fs::write(&path, b"%PDF-1.7\nother").unwrap();
    assert!(first(&office).contains("table letter"), "{}", first(&office));
    let handed = office.desk.letter(&number, false, &office.actor("seksi"));
    assert!(matches!(handed, Err(ActError::File { .. })), "{handed:?}");
    std::fs::remove_file(&path).unwrap();
    assert!(first(&office).contains("is gone"), "{}", first(&office));
}
