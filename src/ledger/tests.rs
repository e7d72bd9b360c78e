//! What a step leaves behind, in a database of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::audit::{Notary, Vault};
use crate::queue::fixture::MONDAY_8;
use crate::queue::{
    Act, Actor, Application, Calendar, Deed, Identity, LineCode, LineInput, LineVerdict, LiveState,
    Notice, NoticeReader, Place, Point, Request, Role, Rules, Signature,
};
use crate::store::people::PersonRow;
use crate::store::promises::NoticeRow;
use crate::store::{Store, StoreError, Tx};

/// The number of the one request.
const NUMBER: &str = "GPR-2026-00001";

/// A ledger with a head and a verifier.
struct House {
    ledger: Ledger,
    store: Store,
    time: Arc<AtomicI64>,
    _directory: TempDir,
}

impl House {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let vault = Vault::open(directory.path()).unwrap();
        let notary = Notary::open(directory.path(), &store, MONDAY_8).unwrap();
        let time = Arc::new(AtomicI64::new(MONDAY_8));
        let hand = Arc::clone(&time);
        let clock: Clock = Arc::new(move || hand.load(Ordering::Relaxed));
        let (rules, calendar) = (Rules::default(), Calendar::default());
        let ledger = Ledger::new(store.clone(), vault, notary, clock, rules, calendar);
        for (name, role) in [("kepala", Role::Head), ("seksi", Role::Verifier)] {
            let row = PersonRow::of_role(name, role, MONDAY_8);
            store.write::<_, StoreError>(|tx| tx.put_person(&row)).unwrap();
        }
        Self { ledger, store, time, _directory: directory }
    }

    /// One transaction.
    fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, LedgerError>) -> T {
        self.store.write(work).unwrap()
    }

    /// Sends the one request in.
    fn submit(&self) -> Request {
        let identity = Identity::new(None, None, Some("desa@example.id"));
        let applicant = Actor::applicant("Sutrisno", identity, Some(NUMBER));
        self.write(|tx| {
            let calendar = self.ledger.calendar();
            let facts = self.ledger.facts(self.ledger.now(), &calendar);
            let step =
                Request::submit(NUMBER, application().into(), vec![], true, &applicant, &facts)?;
            let new = NewRequest {
                place: (2026, 1),
                secret_hash: "s".to_owned(),
                attachment: None,
                in_bulk: false,
            };
            self.ledger.submit(tx, step, new)
        })
    }

    /// An act on the one request.
    fn act(&self, act: &Act, name: &str) -> Request {
        self.write(|tx| {
            let stored = self.ledger.expect_request(tx, NUMBER)?;
            let actor = self.ledger.actor_named(tx, name)?.unwrap();
            let assignee = self.ledger.actor_named(tx, "seksi")?;
            let calendar = self.ledger.calendar();
            let mut facts = self.ledger.facts(self.ledger.now(), &calendar);
            facts.assignee = assignee.as_ref();
            let step = stored.request.act(act, &actor, &facts)?;
            self.ledger.apply(tx, &stored.row, step)
        })
    }

    /// The acts of a subject's events.
    fn events(&self, subject: &str) -> Vec<String> {
        let events = self.store.read::<_, StoreError>(|reader| reader.events_of(subject));
        events.unwrap().into_iter().map(|event| event.act).collect()
    }

    /// What the notices of the request tell of, and to whom.
    fn told(&self) -> Vec<(Deed, NoticeReader, String)> {
        let all = self.notices().into_iter();
        all.map(|notice| (notice.deed, notice.reader, notice.to)).collect()
    }

    /// The notices of the request, the oldest first.
    fn notices(&self) -> Vec<Notice> {
        let opened = self.store.read(|reader| {
            let rows = reader.notices_of(NUMBER)?;
            let opened = rows.iter().map(|row| self.ledger.open_notice(reader, row));
            opened.collect::<Result<Vec<_>, _>>()
        });
        opened.unwrap()
    }

    /// The state of the name.
    fn name_state(&self) -> LiveState {
        let place = Place::read("antrean.cirebonkab.go.id.", "cirebonkab.go.id.").unwrap();
        let read = self.store.read(|reader| self.ledger.live(reader, &place));
        read.unwrap().state()
    }
}

/// What is asked for.
fn application() -> Application {
    let application = json!({
        "kind": "new", "class": "layanan", "name": "antrean", "zone": "cirebonkab.go.id.",
        "records": [ { "type": "A", "data": "192.0.2.110", "ttl": 3600 } ],
        "office": "Dinas Antrean", "region": null, "purpose": "Antrean",
        "contact": { "name": "Sutrisno", "position": "Sekretaris",
                     "email": "desa@example.id", "phone": "0231-1" },
        "letter": { "number": "140/12", "date": "2026-11-23" }, "starts": null, "ends": null
    });
    serde_json::from_value(application).unwrap()
}

/// *Disposisi*.
fn dispose() -> Act {
    Act::Dispose { to: "seksi".to_owned(), instruction: "Periksa".to_owned() }
}

/// A verdict on the letter.
fn lines(verdict: LineVerdict) -> Vec<LineInput> {
    let note = Some("Belum dicap.".to_owned());
    vec![LineInput { code: LineCode::M1, verdict: Some(verdict), note }]
}

#[test]
fn a_step_leaves_its_row_its_event_its_name_and_its_notices() {
    let house = House::new();
    house.submit();
    assert_eq!(house.events(&format!("request:{NUMBER}")), ["submit"]);
    assert_eq!(house.events("record:antrean.cirebonkab.go.id."), ["hold"]);
    assert_eq!(house.name_state(), LiveState::Held);
    let applicant = (Deed::Submit, NoticeReader::Applicant, "desa@example.id".to_owned());
    let head = (Deed::Submit, NoticeReader::Officer, "kepala@cirebonkab.go.id".to_owned());
    assert_eq!(house.told(), [applicant, head]);
    assert!(house.notices().iter().all(|it| house.events(&format!("notice:{}", it.id)).len() == 1));

    house.act(&dispose(), "kepala");
    let lines = lines(LineVerdict::Bad);
    let (reason, note) = ("rangkap".to_owned(), "Sudah ada.".to_owned());
    house.act(&Act::Reject { reason, note, lines }, "seksi");
    assert_eq!(house.events("record:antrean.cirebonkab.go.id."), ["hold", "let_go"]);
    assert_eq!(house.name_state(), LiveState::Free);
    let row =
        house.store.read::<_, StoreError>(|reader| reader.request(NUMBER)).unwrap().unwrap().0;
    assert_eq!((row.open, row.ended_ms, row.revision), (false, Some(MONDAY_8), 1));
}

#[test]
fn what_was_written_before_a_failure_is_not_there() {
    let house = House::new();
    house.submit();
    let failed: Result<(), LedgerError> = house.store.write(|tx| {
        let stored = house.ledger.expect_request(tx, NUMBER)?;
        let actor = house.ledger.actor_named(tx, "kepala")?.unwrap();
        let assignee = house.ledger.actor_named(tx, "seksi")?;
        let calendar = house.ledger.calendar();
        let mut facts = house.ledger.facts(MONDAY_8, &calendar);
        facts.assignee = assignee.as_ref();
        house.ledger.apply(tx, &stored.row, stored.request.act(&dispose(), &actor, &facts)?)?;
        Err(LedgerError::NotFound)
    });
    assert!(failed.is_err());
    assert_eq!(house.events(&format!("request:{NUMBER}")), ["submit"]);
    assert_eq!(house.told().len(), 2);
}

#[test]
fn each_step_signs_the_chain_when_that_is_due() {
    let house = House::new();
    house.submit();
    let signed = || house.store.read::<_, StoreError>(|reader| reader.last_checkpoint()).unwrap();
    assert!(signed().is_none(), "a few events of the same hour wait");
    house.time.fetch_add(3_600_000, Ordering::Relaxed);
    house.act(&dispose(), "kepala");
    let after_act = signed().unwrap().sequence;
    house.time.fetch_add(3_600_000, Ordering::Relaxed);
    let sent = house.notices()[0].clone().sent(house.ledger.now()).unwrap();
    house.write(|tx| house.ledger.apply_notice(tx, sent));
    let after_notice = signed().unwrap().sequence;
    assert!(after_notice > after_act);
    house.time.fetch_add(3_600_000, Ordering::Relaxed);
    let by = Signature::system(house.ledger.now());
    let place = Place::read("lama.go.id.", "go.id.").unwrap();
    let step = crate::queue::LiveRecord::of_file(place, vec![]).import(&by);
    house.write(|tx| house.ledger.apply_live(tx, step));
    assert!(signed().unwrap().sequence > after_notice);
}

#[test]
fn values_are_those_of_the_event() {
    let house = House::new();
    house.submit();
    house.act(&dispose(), "kepala");
    house.act(&Act::Return { lines: lines(LineVerdict::Fix) }, "seksi");
    let before = house.notices();
    let points: Vec<&[Point]> = before.iter().map(|it| it.values.points.as_slice()).collect();
    let point = Point { line: Some(LineCode::M1), note: "Belum dicap.".to_owned() };
    assert_eq!(points, [&[][..], &[], &[], &[point]]);
    let due: Vec<bool> = before.iter().map(|it| it.values.due.is_some()).collect();
    assert_eq!(due, [false, true, true, true], "to the applicant only when they must act");
    house.write(|tx| {
        let stored = house.ledger.expect_request(tx, NUMBER)?;
        let applicant = Actor::applicant("Sutrisno", Identity::default(), Some(NUMBER));
        let calendar = house.ledger.calendar();
        let facts = house.ledger.facts(MONDAY_8, &calendar);
        let withdraw = Act::Withdraw { letter: String::new() };
        house.ledger.apply(tx, &stored.row, stored.request.act(&withdraw, &applicant, &facts)?)
    });
    let after = house.notices();
    assert!(
        before.iter().all(|it| after.contains(it)),
        "what follows changes none of them: {after:?}"
    );
}

#[test]
fn a_notice_of_the_build_before_is_opened_with_what_is_known() {
    let house = House::new();
    house.submit();
    house.act(&dispose(), "kepala");
    house.act(&Act::Return { lines: lines(LineVerdict::Fix) }, "seksi");
    let old = |id: &str, request: Value, deed: &str, reader: &str, more: Value| {
        let mut body = json!({
            "notice": {
                "id": id, "request": request, "deed": deed, "to": "a@example.id",
                "to_applicant": reader == "applicant", "state": "queued", "queued_at": MONDAY_8,
                "sent_at": null, "attempts": 0, "next_try": MONDAY_8, "last_error": null,
                "handled": null
            },
            "reader": reader
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        NoticeRow {
            id: id.to_owned(),
            body: house.ledger.seal(&format!("notice:{id}"), &body).unwrap(),
            ..NoticeRow::default()
        }
    };
    let open =
        |row: &NoticeRow| house.store.read(|reader| house.ledger.open_notice(reader, row)).unwrap();
    let notice = open(&old("n7-1", json!(NUMBER), "return", "applicant", json!({})));
    assert_eq!((notice.reader, notice.to_applicant()), (NoticeReader::Applicant, true));
    assert_eq!(notice.values.name, "antrean.cirebonkab.go.id");
    assert_eq!(notice.values.office, "Dinas Antrean");
    assert_eq!(notice.values.points[0].note, "Belum dicap.");
    assert!(notice.values.due.is_some());
    let link = json!({ "token": "rahasia" });
    let notice = open(&old("n8-1", json!(NUMBER), "ask", "party", link));
    assert_eq!((notice.reader, notice.values.points.len()), (NoticeReader::Party, 0));
    assert_eq!(notice.values.token.as_deref(), Some("rahasia"));
    let name = json!({ "about": "diskominfo.cirebonkab.go.id." });
    let notice = open(&old("s-1", Value::Null, "emergency_suspend", "officer", name));
    assert_eq!(notice.values.name, "diskominfo.cirebonkab.go.id");
    // And it goes on from there in today's form.
    let step = notice.sent(MONDAY_8).unwrap();
    house.write(|tx| house.ledger.apply_notice(tx, step));
    let sent =
        house.store.read::<_, LedgerError>(|r| house.ledger.expect_notice(r, "s-1")).unwrap();
    assert_eq!(sent.values.name, "diskominfo.cirebonkab.go.id");
}

#[test]
fn a_reminder_goes_out_once() {
    let house = House::new();
    let request = house.submit();
    for _ in 0..2 {
        house.write(|tx| house.ledger.remind(tx, "r-1", Deed::DueSoon, &request));
    }
    let reminders = house.told().into_iter().filter(|(deed, ..)| *deed == Deed::DueSoon);
    assert_eq!(reminders.count(), 1);
}
