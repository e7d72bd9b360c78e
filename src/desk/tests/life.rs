//! From the form to the live record and on.

use super::*;
use crate::queue::{Contact, Kind, LiveState};

/// Secondaries that serve what they are told, and one that does not.
#[derive(Default)]
struct Followers {
    /// The newest serial that was announced.
    told: std::sync::atomic::AtomicU32,
}

impl crate::publish::Secondaries for Followers {
    fn announce(&self, _: &Name, serial: u32) {
        self.told.store(serial, Ordering::SeqCst);
    }

    fn of_zone(&self, _: &Name) -> Vec<crate::publish::Secondary> {
        let told = self.told.load(Ordering::SeqCst);
        let one = |name: &str, serial, behind| crate::publish::Secondary {
            name: name.to_owned(),
            address: "192.0.2.53:53".to_owned(),
            serial,
            seen: None,
            behind,
            behind_since: None,
            error: None,
        };
        vec![one("knot", Some(told), false), one("nsd", None, true)]
    }

    fn wait(
        &self,
        zone: &Name,
        serial: u32,
        at_most: std::time::Duration,
    ) -> Vec<crate::publish::Secondary> {
        assert_eq!(self.told.load(Ordering::SeqCst), serial, "announced, and waited for that");
        assert!(at_most <= std::time::Duration::from_secs(1));
        self.of_zone(zone)
    }
}

#[test]
fn the_proof_names_the_secondaries_that_have_it_and_a_late_one_is_no_error() {
    let office = Office::new();
    office.publisher.announce_to(Box::new(Followers::default()));
    let number = office.live(application());
    let proof = office.view(&number).proof.unwrap();
    let found: Vec<_> =
        proof.secondaries.iter().map(|it| (it.name.as_str(), it.serial, it.in_time)).collect();
    assert_eq!(found, [("knot", Some(office.serial()), true), ("nsd", None, false)]);
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn submit_dispose_approve_live() {
    let office = Office::new();
    let before = office.serial();
    let sent = office.submit(application()).unwrap();
    assert_eq!((sent.number.as_str(), sent.revision), ("GPR-2026-00001", 1));
    assert_eq!((sent.secret.len(), sent.state), (8, State::Submitted));
    assert_eq!(office.dig("grogolkapetakan.desa.cirebonkab.go.id.", "A").0, "NXDOMAIN");

    office.wait(60_000);
    let view = office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    assert_eq!((view.state, view.holder.as_deref()), (State::Assigned, Some("seksi")));
    assert!(view.notices.iter().any(|n| n.to.as_deref() == Some("seksi@cirebonkab.go.id")));

    office.wait(60_000);
    let view = office.approve(&sent.number).unwrap();
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
    let proof = view.proof.unwrap();
    assert_eq!(proof.before.unwrap().rcode, "NXDOMAIN");
    let after = proof.after.unwrap();
    assert_eq!(after.rcode, "NOERROR");
    assert_eq!(after.answer, ["grogolkapetakan.desa.cirebonkab.go.id. 3600 IN A 192.0.2.110"]);
    assert_eq!((after.sha256.len(), proof.serial), (64, office.serial()));
    let transports: Vec<&str> = proof.asked.iter().map(|a| a.transport.as_str()).collect();
    assert_eq!(transports, ["udp", "udp", "tcp", "tcp"]);
    assert!(proof.dig.starts_with("dig @ns1.cirebonkab.go.id +norecurse "), "{}", proof.dig);
    assert_eq!(office.serial(), before + 1, "one approval, one serial");
    assert_eq!(office.acts(&sent.number), ["submit", "dispose", "approve", "promote", "promoted"]);

    let (_, answer) = office.dig("grogolkapetakan.desa.cirebonkab.go.id.", "A");
    assert_eq!(answer.len(), 1);
    let record = &office.desk.record("grogolkapetakan.desa").unwrap().unwrap();
    assert_eq!((record.state, record.version), (LiveState::Live, 1));
    assert_eq!(record.request.as_deref(), Some(sent.number.as_str()));

    // The status page delivers the notice, and so the request moves on.
    let status = office.desk.status(&sent.number, &sent.secret.to_lowercase()).unwrap();
    assert_eq!(status.state, State::Notified);
    assert!(status.history.iter().all(|event| event.who.is_none()));
    assert_eq!(office.desk.drift().unwrap(), []);
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn everything_is_still_there_and_still_served_after_a_restart() {
    let office = Office::new();
    let number = office.live(application());
    let serial = office.serial();
    let office = office.reopen();
    assert_eq!(office.serial(), serial);
    let view = office.view(&number);
    assert_eq!(view.state, State::Live);
    assert!(view.proof.is_some());
    assert_eq!(office.dig("grogolkapetakan.desa.cirebonkab.go.id.", "A").1.len(), 1);
    let zone = std::fs::read_to_string(office.directory.path().join("zone")).unwrap();
    assert_eq!(zone, ZONE, "the operator's file belongs to the operator");
}

#[test]
fn a_correction_keeps_the_number_and_raises_the_revision() {
    let office = Office::new();
    let number = office.assigned(application());
    let lines = vec![line(LineCode::M1, LineVerdict::Fix), line(LineCode::M5, LineVerdict::Fix)];
    let view = office.act(&number, Act::Return { lines }, "seksi").unwrap();
    assert_eq!(view.state, State::NeedsCorrection);

    let mut better = application();
    better.letter.number = "140/13".to_owned();
    better.records[0].data = "192.0.2.111".to_owned();
    let stranger = applicant().actor;
    let refused = office.desk.resubmit(&number, better.clone(), None, &stranger).unwrap_err();
    assert_eq!(refused.code(), "not_allowed");
    let mut proven = stranger;
    proven.proved = Some(number.clone());
    let view = office.desk.resubmit(&number, better, Some(letter()), &proven).unwrap();
    assert_eq!((view.state, view.revision), (State::Assigned, 2));
    let view = office.approve(&number).unwrap();
    assert_eq!(view.state, State::Live);
    assert_eq!(
        office.dig("grogolkapetakan.desa.cirebonkab.go.id.", "A").1,
        ["grogolkapetakan.desa.cirebonkab.go.id. 3600 IN A 192.0.2.111"]
    );
}

#[test]
fn change_suspend_lift_and_remove_go_the_whole_way() {
    let office = Office::new();
    let name = "grogolkapetakan.desa.cirebonkab.go.id.";
    office.live(application());
    let mut change = again(Kind::Change);
    change.records[0].rtype = "AAAA".to_owned();
    change.records[0].data = "2001:db8::5".to_owned();
    office.live(change);
    assert_eq!(office.dig(name, "A"), ("NOERROR".to_owned(), vec![]));
    assert_eq!(office.dig(name, "AAAA").1.len(), 1);

    office.live(again(Kind::Suspend));
    assert_eq!(office.dig(name, "AAAA").0, "NXDOMAIN");
    let state = |office: &Office| office.desk.record(name).unwrap().unwrap().state;
    assert_eq!(state(&office), LiveState::Suspended);

    let mut lift = again(Kind::Suspend);
    lift.lift = true;
    office.live(lift);
    assert_eq!(office.dig(name, "AAAA").1.len(), 1);
    assert_eq!(state(&office), LiveState::Live);

    office.live(again(Kind::Remove));
    assert_eq!(office.dig(name, "AAAA").0, "NXDOMAIN");
    assert_eq!(state(&office), LiveState::Quarantined);
    let mut other = application();
    other.office = "Desa Lain".to_owned();
    assert_eq!(office.submit(other).unwrap_err().code(), "name_taken");
    office.wait(181 * 86_400_000);
    office.desk.tick().unwrap();
    assert_eq!(office.desk.record(name).unwrap(), None, "free again");
}

#[test]
fn an_imported_name_is_masked_and_the_file_untouched() {
    let office = Office::new();
    let name = "diskominfo.cirebonkab.go.id.";
    let seen = &office.desk.record("diskominfo").unwrap().unwrap();
    assert_eq!((seen.state, seen.origin), (LiveState::Live, crate::queue::Origin::Import));
    let kasi = office.actor("seksi");
    let down = office.desk.suspend("diskominfo", "Situs diretas", &kasi).unwrap();
    assert_eq!(down.state, LiveState::Suspended);
    assert_eq!(office.dig(name, "A").0, "NXDOMAIN");
    assert_eq!(office.desk.confirm_suspension(name, &kasi).unwrap_err().code(), "same_person");
    let head = office.actor("kepala");
    let confirmed = office.desk.confirm_suspension(name, &head).unwrap();
    assert_eq!(confirmed.suspension.unwrap().confirmed.as_deref(), Some("kepala"));
    // Nobody asked for it: it is none of the names that figures count.
    let figures = office.desk.figures().unwrap();
    assert!(figures.names.iter().all(|it| it.count == 0), "{:?}", figures.names);
    let zone = std::fs::read_to_string(office.directory.path().join("zone")).unwrap();
    assert_eq!(zone, ZONE);
}

#[test]
fn a_scheduled_name_goes_live_at_its_time_and_ends_at_its_end() {
    let office = Office::new();
    let mut asked = service("pekanraya", "192.0.2.140");
    asked.starts = Some("2026-11-25".to_owned());
    asked.ends = Some("2026-11-27".to_owned());
    let number = office.assigned(asked);
    assert_eq!(office.approve(&number).unwrap().state, State::Verified);
    office.desk.tick().unwrap();
    assert_eq!(office.view(&number).state, State::Verified, "not yet");
    office.wait(2 * 86_400_000);
    office.desk.tick().unwrap();
    assert_eq!(office.view(&number).state, State::Live);
    office.wait(3 * 86_400_000);
    office.desk.tick().unwrap();
    let record = &office.desk.record("pekanraya").unwrap().unwrap();
    assert_eq!(record.state, LiveState::Suspended);
    assert_eq!(office.dig("pekanraya.cirebonkab.go.id.", "A").0, "NXDOMAIN");
}

#[test]
fn a_correction_nobody_answers_expires_and_frees_the_name() {
    let office = Office::new();
    let number = office.assigned(application());
    let lines = vec![line(LineCode::M1, LineVerdict::Fix)];
    office.act(&number, Act::Return { lines }, "seksi").unwrap();
    office.wait(40 * 86_400_000);
    office.desk.tick().unwrap();
    assert_eq!(office.view(&number).state, State::Expired);
    let mut other = application();
    other.office = "Desa Grogol Lain".to_owned();
    assert!(office.submit(other).is_ok(), "the name is free again");
}

#[test]
fn two_signatures_and_then_it_is_live() {
    let office = Office::new();
    let mut asked = service("suratdinas", "192.0.2.141");
    asked.records[0].rtype = "MX".to_owned();
    asked.records[0].data = "10 www.cirebonkab.go.id.".to_owned();
    let number = office.assigned(asked);
    let view = office.approve(&number).unwrap();
    assert_eq!(view.state, State::Verified);
    let candidate = view.candidate.unwrap().hash;
    let press = Act::Countersign { candidate };
    assert_eq!(office.act(&number, press.clone(), "lain").unwrap_err().code(), "not_allowed");
    assert_eq!(office.act(&number, press, "kepala").unwrap().state, State::Live);
}

#[test]
fn a_rollback_brings_back_what_its_change_replaced() {
    let office = Office::new();
    office.live(application());
    let mut change = again(Kind::Change);
    change.records[0].data = "192.0.2.111".to_owned();
    let changed = office.live(change);

    let mut undo = again(Kind::Change);
    undo.records.clear();
    undo.inverse_of = Some("GPR-2026-09999".to_owned());
    assert_eq!(office.submit(undo.clone()).unwrap_err().code(), "incomplete", "no such change");
    // What the page of the name fills in for an officer: everything but the letter.
    let filled = {
        let (desk, head) = (&office.desk, office.actor("kepala"));
        assert!(
            desk.rollback_of("lain.cirebonkab.go.id", &changed, &head).is_err(),
            "another name"
        );
        desk.rollback_of("grogolkapetakan.desa.cirebonkab.go.id", &changed, &head).unwrap()
    };
    assert_eq!(filled.contact, Contact::default(), "not everybody may see it");
    assert_eq!((filled.kind, filled.records[0].data.as_str()), (Kind::Change, "192.0.2.110"));
    assert_eq!(
        (filled.inverse_of.as_deref(), filled.letter.number.as_str()),
        (Some(&*changed), "")
    );
    undo.inverse_of = Some(changed);
    let number = office.live(undo);
    let name = "grogolkapetakan.desa.cirebonkab.go.id.";
    assert!(office.dig(name, "A").1[0].ends_with("192.0.2.110"), "{:?}", office.dig(name, "A"));
    assert_eq!(office.view(&number).records[0].data, "192.0.2.110");
}

#[test]
fn a_name_below_one_that_was_taken_out_still_needs_its_office() {
    let office = Office::new();
    office.live(service("induk", "192.0.2.150"));
    let (seksi, long) = (office.actor("seksi"), "a".repeat(4_001));
    assert_eq!(office.desk.suspend("induk", &long, &seksi).unwrap_err().code(), "incomplete");
    office.desk.suspend("induk", "diretas", &seksi).unwrap();
    let mut below = service("anak.induk", "192.0.2.151");
    below.office = "Dinas Lain".to_owned();
    let number = office.assigned(below);
    let view = office.view(&number);
    let parent = view.lines.iter().find(|line| line.code == LineCode::A9).unwrap();
    assert_eq!(parent.verdict, Some(LineVerdict::Bad), "never, without their word");
}

#[test]
fn a_promoted_name_that_is_gone_from_the_zone_is_told_and_not_repaired() {
    let office = Office::new();
    let number = office.live(application());
    assert_eq!(office.desk.drift().unwrap(), []);
    office.chain.is_edited();
    office.store.tamper("DELETE FROM promoted WHERE owner LIKE 'grogol%'");
    let office = office.reopen();
    office.chain.is_edited();
    let told: Vec<String> = office.desk.drift().unwrap().iter().map(ToString::to_string).collect();
    let name = "grogolkapetakan.desa.cirebonkab.go.id.";
    assert_eq!(told, [format!("{name} A ({number}) is not served as promised")]);
    for _ in 0..3 {
        office.desk.tick().unwrap();
    }
    assert_eq!(office.dig(name, "A").0, "NXDOMAIN");
}

#[test]
fn a_rejection_is_told_by_telephone_and_the_name_is_free_once() {
    let office = Office::new();
    let number = office.assigned(application());
    let lines = vec![line(LineCode::M1, LineVerdict::Bad)];
    let reason = "surat_tidak_sah".to_owned();
    let note = "Surat bukan dari desa ini.".to_owned();
    office.act(&number, Act::Reject { reason, note, lines }, "seksi").unwrap();
    let told = office.act(&number, Act::Notified { how: "telepon".to_owned() }, "seksi").unwrap();
    assert_eq!(told.state, State::Rejected);
    let of_name = "record:grogolkapetakan.desa.cirebonkab.go.id.";
    let events = office.store.read::<_, crate::store::StoreError>(|r| r.events_of(of_name));
    let acts: Vec<String> = events.unwrap().into_iter().map(|event| event.act).collect();
    assert_eq!(acts, ["hold", "let_go"]);
    assert!(office.submit(application()).is_ok(), "the name is free");
}

#[test]
fn a_clock_that_cannot_be_right_erases_ends_and_releases_nothing() {
    const DAY: i64 = 86_400_000;
    let (turn, office) = (std::time::Duration::from_secs(5), Office::new());
    let waiting = office.assigned(application());
    let lines = vec![line(LineCode::M1, LineVerdict::Fix)];
    office.act(&waiting, Act::Return { lines }, "seksi").unwrap();
    let mut scheduled = service("pekanraya", "192.0.2.140");
    scheduled.starts = Some("2026-12-01".to_owned());
    let scheduled = office.assigned(scheduled);
    office.approve(&scheduled).unwrap();
    let letters =
        || std::fs::read_dir(office.directory.path().join("state/letters")).unwrap().count();
    let kept = letters();
    let is_believed = |desk: &Desk| {
        desk.turn(turn).unwrap();
        desk.clock_doubt().is_none()
    };
    assert!(kept > 0 && is_believed(&office.desk));

    let right = office.desk.now();
    for ahead in [12 * DAY, 3_650 * DAY] {
        office.time.store(right + ahead, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(!is_believed(&office.desk));
            assert!(!office.desk.daily().unwrap());
        }
        assert!(office.desk.clock_doubt().unwrap().to_string().contains("gapura ctl clock"));
    }
    assert_eq!(letters(), kept);
    assert_eq!(office.view(&waiting).state, State::NeedsCorrection);
    assert_eq!(office.view(&scheduled).state, State::Verified);

    // Corrected, it goes on as if nothing had been; confirmed, it does what is due.
    office.time.store(right + DAY, Ordering::Relaxed);
    assert!(is_believed(&office.desk));
    office.wait(30 * DAY);
    let office = office.reopen();
    assert!(!is_believed(&office.desk), "known after a start, too");
    office.desk.believe_clock().unwrap();
    assert!(is_believed(&office.desk));
    assert_eq!(office.view(&waiting).state, State::Expired);
    assert_eq!(office.view(&scheduled).state, State::Live);
    let last = office.desk.events(0, 10_000).unwrap();
    assert!(last.iter().any(|event| event.act == "clock_confirmed"));
}
