//! Every row of road 3 reads back as it was written, with odd values in it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::store;
use crate::queue::{Kind, LiveState, NamingClass, NoticeState, Phase, Role, State};
use crate::store::drafts::DraftRow;
use crate::store::events::{AuditKey, Checkpoint, Event};
use crate::store::people::{ActingRow, LinkRow, PersonRow, SessionRow, TokenRow};
use crate::store::promises::{LiveRow, NoticeRow, PromotionRow};
use crate::store::requests::{AttachmentRow, RequestFilter, RequestRow};
use crate::store::words::{ActingStyle, LinkKind, PromotionState, Stage};
use crate::store::{Reader, Store, StoreError, Tx};

/// Text that breaks what is glued together: quotes, wildcards, parameters, other letters.
const ODD: &str = "O'Brien \"x\" \\ %_$1?; -- é 東\n";

/// Writes and reads back.
fn round<T: Debug + PartialEq>(
    store: &Store,
    row: &T,
    write: impl FnOnce(&Tx<'_>, &T) -> Result<(), StoreError>,
    read: impl FnOnce(&Reader<'_>) -> Result<Option<T>, StoreError>,
) {
    store.write::<_, StoreError>(|tx| write(tx, row)).unwrap();
    assert_eq!(store.read::<_, StoreError>(read).unwrap().as_ref(), Some(row));
}

/// An account; `full` fills its optional columns in.
fn person(full: bool) -> PersonRow {
    PersonRow {
        id: "p-1".to_owned(),
        name: "sari".to_owned(),
        full_name: ODD.to_owned(),
        title: String::new(),
        rank: full.then(|| ODD.to_owned()),
        role: Role::Verifier,
        email: "sari@example.id".to_owned(),
        nip: full.then(|| "198001012005011001".to_owned()),
        disabled_ms: full.then_some(i64::MAX),
        password: full.then(|| ODD.to_owned()),
        totp_secret: full.then(|| vec![0, 255, 39]),
        totp_step: i64::from(full),
        created_ms: 5,
        former: full.then(|| "[]".to_owned()),
    }
}

#[test]
fn accounts_and_what_belongs_to_them() {
    let (store, _dir) = store();
    for full in [true, false] {
        round(&store, &person(full), |tx, row| tx.put_person(row), |reader| reader.person("p-1"));
    }
    let session = |full: bool| SessionRow {
        token_hash: "h".to_owned(),
        person: "p-1".to_owned(),
        stage: if full { Stage::Full } else { Stage::Code },
        pending_secret: full.then(|| vec![0; 20]),
        created_ms: 1,
        seen_ms: 2,
        proven_ms: i64::from(full),
    };
    for full in [true, false] {
        round(&store, &session(full), |tx, row| tx.put_session(row), |reader| reader.session("h"));
    }
    let token = |revoked| TokenRow {
        id: "t-1".to_owned(),
        token_hash: "h".to_owned(),
        person: "p-1".to_owned(),
        label: ODD.to_owned(),
        scopes: "read,decide".to_owned(),
        network: Some("10.0.0.0/8".to_owned()),
        created_ms: 1,
        ends_ms: i64::MAX,
        used_ms: None,
        revoked_ms: revoked,
    };
    for row in [token(None), token(Some(9))] {
        round(&store, &row, |tx, row| tx.put_token(row), |reader| reader.token_by_hash("h"));
    }
    let link = |used| LinkRow {
        token_hash: "h".to_owned(),
        kind: LinkKind::Invitation,
        person: None,
        role: Role::Operator,
        email: String::new(),
        made_by: "console".to_owned(),
        created_ms: 1,
        ends_ms: 2,
        used_ms: used,
    };
    for row in [link(None), link(Some(2))] {
        round(&store, &row, |tx, row| tx.put_link(row), |reader| reader.link("h"));
    }
    let acting = |ended| ActingRow {
        id: "a-1".to_owned(),
        person: "p-1".to_owned(),
        role: Role::Head,
        holder: String::new(),
        style: ActingStyle::Plt,
        letter: ODD.to_owned(),
        starts_ms: 1,
        ends_ms: 2,
        made_by: "p-2".to_owned(),
        ended_ms: ended,
    };
    for row in [acting(None), acting(Some(1))] {
        let first = |reader: &Reader<'_>| Ok(reader.acting_officials()?.pop());
        round(&store, &row, |tx, row| tx.put_acting(row), first);
    }
}

#[test]
fn a_token_that_was_revoked_while_it_was_used_stays_revoked() {
    let (store, _dir) = store();
    let mut token = TokenRow {
        id: "t-1".to_owned(),
        token_hash: "h".to_owned(),
        person: "p-1".to_owned(),
        label: String::new(),
        scopes: "read".to_owned(),
        network: None,
        created_ms: 1,
        ends_ms: 9,
        used_ms: None,
        revoked_ms: Some(3),
    };
    let noted = store.write::<_, StoreError>(|tx| {
        tx.put_person(&person(false))?;
        tx.put_token(&token)?;
        // Whoever read the row before the revocation notes the use after it.
        tx.used_token("t-1", 4)?;
        tx.token_by_hash("h")
    });
    token.used_ms = Some(4);
    assert_eq!(noted.unwrap(), Some(token));
}

#[test]
fn drafts_form_keys_and_secrets() {
    let (store, _dir) = store();
    let draft = |full: bool| DraftRow {
        visit_hash: "v".to_owned(),
        fields: ODD.to_owned(),
        letter: full.then(|| vec![0; 3]),
        letter_name: ODD.to_owned(),
        changed_ms: i64::from(full),
        network: "n".to_owned(),
        octets: 2 + u64::from(full),
    };
    for full in [true, false] {
        round(&store, &draft(full), |tx, row| tx.put_draft(row), |reader| reader.draft("v"));
    }
    let beside = |visit: &str, network: Option<&str>| {
        store.read::<_, StoreError>(|reader| reader.drafts_beside(visit, network)).unwrap()
    };
    assert_eq!((beside("v", None), beside("w", Some("n"))), ((0, 0), (1, 2)));
    assert_eq!(beside("w", Some("m")), (0, 0));
    let used = |outcome: &str| store.write::<_, StoreError>(|tx| tx.use_form_key("k", outcome, 1));
    assert!(used("first").unwrap());
    assert!(!used("second").unwrap(), "a key is used once");
    let outcome = store.read::<_, StoreError>(|reader| reader.form_outcome("k"));
    assert_eq!(outcome.unwrap().as_deref(), Some("first"));
    for secret in [b"one", b"two"] {
        store.write::<_, StoreError>(|tx| tx.put_web_secret("form", secret)).unwrap();
    }
    let kept = store.read::<_, StoreError>(|reader| reader.web_secret("form"));
    assert_eq!(kept.unwrap(), Some(b"one".to_vec()), "the first one stays");
}

/// A request; `full` fills its optional columns in.
fn request(number: &str, full: bool) -> RequestRow {
    RequestRow {
        number: number.to_owned(),
        state: State::Submitted,
        open: true,
        kind: Kind::New,
        class: NamingClass::Desa,
        name: "grogol.desa.example.".to_owned(),
        zone: "example.".to_owned(),
        office: "Desa Grogol 100%".to_owned(),
        revision: 1,
        holder_id: full.then(|| "p-1".to_owned()),
        holder: full.then(|| ODD.to_owned()),
        due_ms: full.then_some(100),
        starts_ms: full.then_some(i64::MAX),
        submitted_ms: 10,
        changed_ms: 20,
        ended_ms: full.then_some(30),
        secret_hash: full.then(|| "s".to_owned()),
        letter: full.then(|| "l".to_owned()),
        taken_ms: full.then_some(5),
        phase: full.then_some(Phase::AwaitsSecond),
        raised: None,
    }
}

#[test]
fn a_request_reads_back_and_an_update_changes_what_may_change() {
    let (store, _dir) = store();
    let row = request("GPR-1", false);
    let serial = store.write::<_, StoreError>(|tx| {
        let serial = tx.next_request_serial(2026)?;
        tx.insert_request(&row, 2026, serial, b"one")?;
        Ok(serial)
    });
    assert_eq!(serial.unwrap(), 1);
    let read = || store.read::<_, StoreError>(|reader| reader.request("GPR-1")).unwrap().unwrap();
    assert_eq!(read(), (row, b"one".to_vec()));
    let changed = RequestRow {
        state: State::Assigned,
        open: false,
        class: NamingClass::Kecamatan,
        name: "lain.example.".to_owned(),
        revision: u32::MAX,
        ..request("GPR-1", true)
    };
    let moved = RequestRow { kind: Kind::Suspend, submitted_ms: 99, ..changed.clone() };
    store.write::<_, StoreError>(|tx| tx.update_request(&moved, b"two")).unwrap();
    assert_eq!(read(), (changed, b"two".to_vec()), "kind and time of arrival never change");
}

#[test]
fn serials_have_no_gaps_after_a_transaction_that_failed() {
    let (store, _dir) = store();
    let next = || store.write::<_, StoreError>(|tx| tx.next_request_serial(2026)).unwrap();
    assert_eq!((next(), next()), (1, 2));
    let failed = store.write::<i64, StoreError>(|tx| {
        assert_eq!(tx.next_request_serial(2026)?, 3);
        Err(StoreError::Corrupt("given up".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(next(), 3);
    assert_eq!(store.write::<_, StoreError>(|tx| tx.next_request_serial(2027)).unwrap(), 1);
}

#[test]
fn each_filter_of_the_queue_narrows_the_list_and_the_count_alike() {
    let (store, _dir) = store();
    store
        .write::<_, StoreError>(|tx| {
            tx.insert_request(&request("GPR-1", true), 2026, 1, b"")?;
            tx.insert_request(&request("GPR-2", false), 2026, 2, b"")?;
            let other = RequestRow {
                state: State::Closed,
                open: false,
                revision: 2,
                office: "Dinas".to_owned(),
                due_ms: Some(50),
                ..request("GPR-3", true)
            };
            tx.insert_request(&other, 2026, 3, b"")
        })
        .unwrap();
    let all = || RequestFilter { limit: 10, ..RequestFilter::default() };
    let found = |filter: RequestFilter| {
        let (rows, count) = store
            .read::<_, StoreError>(|reader| {
                Ok((reader.requests(&filter)?, reader.request_count(&filter)?))
            })
            .unwrap();
        if filter.after.is_none() && filter.limit == 10 {
            assert_eq!(rows.len() as u64, count, "{filter:?}");
        }
        rows.into_iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(found(all()), ["GPR-3", "GPR-1", "GPR-2"], "least time left first");
    assert_eq!(found(RequestFilter { limit: 1, ..all() }), ["GPR-3"]);
    let after = Some((50, "GPR-3".to_owned()));
    assert_eq!(found(RequestFilter { after, ..all() }), ["GPR-1", "GPR-2"]);
    assert_eq!(found(RequestFilter { open: Some(true), ..all() }), ["GPR-1", "GPR-2"]);
    assert_eq!(found(RequestFilter { resubmitted: true, ..all() }), ["GPR-3"]);
    assert_eq!(found(RequestFilter { due_before_ms: Some(100), ..all() }), ["GPR-3"]);
    let holder_id = Some("p-1".to_owned());
    assert_eq!(found(RequestFilter { holder_id, ..all() }), ["GPR-3", "GPR-1"]);
    let text = |text: &str| RequestFilter { text: Some(text.to_owned()), ..all() };
    assert_eq!(found(text(" DINAS ")), ["GPR-3"]);
    assert_eq!(found(text("gpr-2")), ["GPR-2"]);
    assert!(found(text("Dinas%")).is_empty(), "a wildcard is no wildcard");
    // Every combination is a statement with its parameters in order.
    for mask in 0..64_u32 {
        let has = |bit: u32| mask & (1 << bit) != 0;
        let filter = RequestFilter {
            states: has(0).then_some(State::Closed).into_iter().collect(),
            open: has(1).then_some(false),
            holder_id: has(2).then(|| "p-1".to_owned()),
            due_before_ms: has(3).then_some(100),
            resubmitted: has(4),
            text: has(5).then(|| "dinas".to_owned()),
            ..all()
        };
        let wanted: &[&str] = match mask {
            0 => &["GPR-3", "GPR-1", "GPR-2"],
            4 => &["GPR-3", "GPR-1"],
            _ => &["GPR-3"],
        };
        assert_eq!(found(filter), wanted, "{mask:b}");
    }
}

#[test]
fn revisions_letters_probes_and_links_of_a_request() {
    let (store, _dir) = store();
    let letter = |erased_ms| AttachmentRow {
        id: "l".to_owned(),
        request: "GPR-1".to_owned(),
        media: "application/pdf".to_owned(),
        octets: 1 << 40,
        sha256: "00".to_owned(),
        file: "x.pdf".to_owned(),
        at_ms: 3,
        erased_ms,
    };
    for row in [letter(None), letter(Some(4))] {
        round(&store, &row, |tx, row| tx.put_letter(row), |reader| reader.letter("l"));
    }
    let write = |tx: &Tx<'_>| -> Result<(), StoreError> {
        tx.insert_request(&request("GPR-1", false), 2026, 1, b"")?;
        tx.put_revision("GPR-1", 1, 5, Some("l"), b"first")?;
        tx.put_revision("GPR-1", 1, 9, None, b"erased")?;
        tx.put_probe_result("GPR-1", 1, 6, "{}")?;
        tx.put_probe_result("GPR-1", 2, 7, ODD)?;
        tx.put_party_link("h", "GPR-1", "camat", 10)
    };
    store.write(write).unwrap();
    let check = |reader: &Reader<'_>| -> Result<(), StoreError> {
        let kept = Some((b"erased".to_vec(), Some("l".to_owned()), 5));
        assert_eq!(reader.revision("GPR-1", 1)?, kept, "time and letter stay");
        assert_eq!(reader.probe_result("GPR-1", 1)?, None);
        assert_eq!(reader.probe_result("GPR-1", 2)?, Some((7, ODD.to_owned())));
        let link = Some(("GPR-1".to_owned(), "camat".to_owned()));
        assert_eq!((reader.party_link("h", 9)?, reader.party_link("h", 10)?), (link, None));
        assert_eq!(reader.letter_by_file("x.pdf")?, reader.letters_of("GPR-1")?.pop());
        Ok(())
    };
    store.read(check).unwrap();
    store.write::<_, StoreError>(|tx| tx.use_party_links("camat", 8)).unwrap();
    assert_eq!(store.read::<_, StoreError>(|reader| reader.party_link("h", 9)).unwrap(), None);
}

#[test]
fn live_records_promotions_and_notices() {
    let (store, _dir) = store();
    let live = |full: bool| LiveRow {
        state: if full { LiveState::Suspended } else { LiveState::Free },
        office: ODD.to_owned(),
        class: full.then_some(NamingClass::Desa),
        request: full.then(|| "GPR-1".to_owned()),
        ends_ms: full.then_some(1),
        confirm_by_ms: full.then_some(2),
        quarantined_until_ms: full.then_some(3),
        ..LiveRow::imported("a.example.", "example.", vec![0, 1, 255])
    };
    for full in [true, false, true] {
        let read = |reader: &Reader<'_>| reader.live_record("a.example.");
        round(&store, &live(full), |tx, row| tx.put_live_record(row), read);
    }
    let lists = |reader: &Reader<'_>| -> Result<_, StoreError> {
        let by_state = |state| Ok::<_, StoreError>(reader.live_records(state, "", 9)?.len());
        assert_eq!(
            (
                by_state(None)?,
                by_state(Some(LiveState::Suspended))?,
                by_state(Some(LiveState::Live))?
            ),
            (1, 1, 0)
        );
        assert_eq!(reader.live_records(None, "a.example.", 9)?, []);
        assert_eq!(reader.unconfirmed_suspensions()?.len(), 1);
        reader.live_states()
    };
    let states = store.read::<_, StoreError>(lists).unwrap();
    assert_eq!(states, [("a.example.".to_owned(), "suspended".to_owned(), true)]);

    let promotion = PromotionRow {
        id: "x".to_owned(),
        request: "GPR-1".to_owned(),
        attempt: 1,
        zone: "example.".to_owned(),
        state: PromotionState::Committed,
        serial_from: None,
        serial_to: u32::MAX,
        at_ms: 1,
        plan: ODD.to_owned(),
        proof: None,
        settled_ms: None,
    };
    round(&store, &promotion, |tx, row| tx.insert_promotion(row), |reader| reader.promotion("x"));
    let twice = store.write::<_, StoreError>(|tx| tx.insert_promotion(&promotion));
    assert!(twice.is_err(), "the second of two presses fails");
    store
        .write::<_, StoreError>(|tx| tx.settle_promotion("x", PromotionState::Proven, ODD, 5))
        .unwrap();
    let proven = PromotionRow {
        state: PromotionState::Proven,
        proof: Some(ODD.to_owned()),
        settled_ms: Some(5),
        ..promotion
    };
    let found = store.read::<_, StoreError>(|reader| reader.promotion_of("GPR-1")).unwrap();
    assert_eq!(found, Some(proven));

    let notice = |next_try_ms| NoticeRow {
        id: "n".to_owned(),
        request: None,
        state: NoticeState::Queued,
        to_applicant: true,
        next_try_ms,
        queued_ms: 1,
        body: Vec::new(),
    };
    for row in [notice(1), notice(i64::MAX)] {
        round(&store, &row, |tx, row| tx.put_notice(row), |reader| reader.notice("n"));
    }
}

#[test]
fn the_chain_its_values_checkpoints_and_keys() {
    let (store, _dir) = store();
    let event = Event {
        sequence: 1,
        at_ms: -1,
        person: String::new(),
        role: "applicant".to_owned(),
        act: "submit".to_owned(),
        subject: "request:GPR-1".to_owned(),
        revision: 1,
        before: None,
        after: Some(String::new()),
        payload: BTreeMap::from([(ODD.to_owned(), ODD.to_owned())]),
        commitments: BTreeMap::new(),
        previous: "0".repeat(64),
        hash: "f".repeat(64),
    };
    let point = Checkpoint {
        sequence: 1,
        head: "f".repeat(64),
        at_ms: 2,
        key_id: "k".to_owned(),
        signature: "s".to_owned(),
    };
    let key = |id: &str, signed_by: Option<&str>| AuditKey {
        key_id: id.to_owned(),
        public: "ab".to_owned(),
        at_ms: 1,
        signed_by: signed_by.map(str::to_owned),
        signature: signed_by.map(str::to_owned),
    };
    store
        .write::<_, StoreError>(|tx| {
            tx.put_event(&event)?;
            tx.put_personal(1, "email", &[1, 2])?;
            tx.put_checkpoint(&point)?;
            tx.put_audit_key(&key("b", None))?;
            tx.put_audit_key(&key("a", Some("b")))
        })
        .unwrap();
    let check = |reader: &Reader<'_>| -> Result<(), StoreError> {
        assert_eq!(reader.events_after(0, usize::MAX)?, std::slice::from_ref(&event));
        assert_eq!(reader.events_of("request:GPR-1")?, std::slice::from_ref(&event));
        assert_eq!(reader.chain_head()?, Some((1, "f".repeat(64))));
        assert_eq!(reader.personal(1, "email")?, Some(vec![1, 2]));
        assert_eq!(reader.last_checkpoint()?, Some(point.clone()));
        assert_eq!(reader.audit_keys()?, [key("b", None), key("a", Some("b"))], "oldest first");
        Ok(())
    };
    store.read(check).unwrap();
    let erase = || store.write::<_, StoreError>(|tx| tx.erase_personal(1, "email", 1)).unwrap();
    assert_eq!((erase(), erase()), (true, false));
    let erased = store.read::<_, StoreError>(|reader| reader.erased(0, 9_000)).unwrap();
    assert_eq!(erased, [(1, "email".to_owned(), 1)]);
    let again = store.write::<_, StoreError>(|tx| tx.put_event(&event));
    assert!(again.is_err(), "a place in the chain is taken once");
    store.tamper("UPDATE event SET payload = 'no json'");
    let odd = store.read::<_, StoreError>(|reader| reader.events_after(0, 1)).unwrap();
    assert_eq!(odd[0].payload["unreadable"], "no json", "kept for the verifier to name");
}

#[test]
fn a_word_no_enum_knows_names_table_row_and_word() {
    let (store, _dir) = store();
    let live = LiveRow::imported("a.example.", "example.", Vec::new());
    store
        .write::<_, StoreError>(|tx| {
            tx.put_person(&person(false))?;
            tx.put_live_record(&live)?;
            tx.insert_request(&request("GPR-1", false), 2026, 1, b"")?;
            tx.insert_request(&request("GPR-2", false), 2026, 2, b"")
        })
        .unwrap();
    let list = RequestFilter { limit: 9, ..RequestFilter::default() };
    let corrupt = |sql: &str, read: &dyn Fn(&Reader<'_>) -> Result<(), StoreError>| {
        store.tamper(sql);
        match store.read(|reader| read(reader)).unwrap_err() {
            StoreError::Corrupt(text) => text,
            other => panic!("{other}"),
        }
    };
    let text = corrupt("UPDATE request SET state = 'lost' WHERE number = 'GPR-2'", &|reader| {
        reader.requests(&list).map(drop)
    });
    assert_eq!(text, "table request, row \"GPR-2\": state is \"lost\"");
    let text = corrupt("UPDATE live_record SET class = ''", &|reader| {
        reader.live_record("a.example.").map(drop)
    });
    assert_eq!(text, "table live_record, row \"a.example.\": class is \"\"");
    // A role of the procedure that no account may have is no role of a row.
    let text = corrupt("UPDATE person SET role = 'system'", &|reader| reader.people().map(drop));
    assert_eq!(text, "table person, row \"p-1\": role is \"system\"");
}
