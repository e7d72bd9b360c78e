//! Which names are to be had: reserved, taken, similar, below another's.

use super::*;
use crate::queue::{Kind, LiveState};

/// The code a request for this name is turned back with.
fn code(office: &Office, application: Application) -> &'static str {
    office.submit(application).map_or_else(|error| error.code(), |_| "")
}

#[test]
fn names_that_are_not_to_be_had() {
    let office = Office::new();
    assert_eq!(code(&office, service("mail", "192.0.2.9")), "reserved");
    assert_eq!(code(&office, service("www", "192.0.2.9")), "reserved");
    assert_eq!(code(&office, service("diskominfo", "192.0.2.9")), "name_taken");
    assert_eq!(code(&office, service("situs.cabang", "192.0.2.9")), "name_taken");
    assert_eq!(code(&office, service("-buruk", "192.0.2.9")), "name_rule");
    assert_eq!(code(&office, service("situs", "10.1.2.3")), "target_refused");
    assert_eq!(code(&office, service("situs", "192.0.2.9")), "");
    assert_eq!(code(&office, service("situs", "192.0.2.9")), "name_taken");
    let mut wrong_zone = service("lainnya", "192.0.2.9");
    wrong_zone.zone = "contoh.id.".to_owned();
    assert_eq!(code(&office, wrong_zone), "name_rule");
}

#[test]
fn a_name_under_a_wildcard_comes_and_goes() {
    let office = Office::new();
    let name = "antrean.layanan.cirebonkab.go.id.";
    assert_eq!(office.dig(name, "A").1, [format!("{name} 3600 IN A 192.0.2.99")]);
    office.live(service("antrean.layanan", "192.0.2.160"));
    assert_eq!(office.dig(name, "A").1, [format!("{name} 3600 IN A 192.0.2.160")]);
    let mut gone = service("antrean.layanan", "192.0.2.160");
    gone.kind = Kind::Remove;
    gone.records.clear();
    office.live(gone);
    // The wildcard must not answer for a name that was taken out.
    assert_eq!(office.dig(name, "A"), ("NOERROR".to_owned(), vec![]));
}

#[test]
fn a_name_without_a_known_owner_takes_two_signatures() {
    let office = Office::new();
    office.live(service("induk", "192.0.2.150"));
    let stranger = |kind, name: &str| {
        let mut asked = service(name, "192.0.2.66");
        asked.kind = kind;
        asked.office = "Dinas Orang Lain".to_owned();
        if !asked.kind.brings_records() {
            asked.records.clear();
        }
        asked
    };
    let mut challenge = stranger(Kind::New, "_acme-challenge.diskominfo");
    challenge.records[0].rtype = "TXT".to_owned();
    challenge.records[0].data = "\"tokenjahat\"".to_owned();
    for asked in [
        challenge,
        stranger(Kind::New, "login.diskominfo"),
        stranger(Kind::New, "dalam.sekali.diskominfo"),
        stranger(Kind::New, "antrean.layanan"),
        stranger(Kind::Change, "diskominfo"),
        stranger(Kind::Suspend, "www"),
        stranger(Kind::Remove, "sumber.desa"),
    ] {
        let what = format!("{} {}", asked.kind, asked.name);
        let number = office.assigned(asked);
        let line = office.view(&number).lines.into_iter().find(|it| it.code == LineCode::A9);
        let line = line.unwrap();
        assert_eq!(line.verdict, Some(LineVerdict::Fix), "{what}: {line:?}");
        let serial = office.serial();
        let view = office.approve(&number).unwrap();
        assert_eq!((view.state, office.serial()), (State::Verified, serial), "{what}");
        assert_eq!(view.second_signature, ["A9"], "{what}");
        let candidate = view.candidate.unwrap().hash;
        let view = office.act(&number, Act::Countersign { candidate }, "kepala").unwrap();
        assert_eq!(view.state, State::Live, "{what}: {:?}", view.reason);
    }
    // What the office owns itself needs nobody else.
    let mut own = service("anak.induk", "192.0.2.151");
    own.office = "Dinas induk".to_owned();
    let number = office.assigned(own);
    assert_eq!(office.approve(&number).unwrap().state, State::Live);
}

#[test]
fn every_type_that_is_offered_is_read_back() {
    let office = Office::new();
    let records = [
        ("satua", "A", "192.0.2.7"),
        ("duaa", "AAAA", "2001:db8::7"),
        ("tiga", "CNAME", "www.cirebonkab.go.id."),
        ("empat", "TXT", "\"v=spf1 -all\" \"kedua; bagian\""),
        ("lima", "SRV", "0 5 443 www.cirebonkab.go.id."),
        ("enam", "HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.7"),
        ("tujuh", "CAA", "0 issue \"letsencrypt.org\""),
    ];
    for (name, rtype, data) in records {
        let mut asked = service(name, data);
        asked.records[0].rtype = rtype.to_owned();
        let number = office.assigned(asked);
        let view = office.approve(&number).unwrap();
        let view = match view.state {
            State::Verified => {
                let candidate = view.candidate.unwrap().hash;
                office.act(&number, Act::Countersign { candidate }, "kepala").unwrap()
            }
            _ => view,
        };
        assert_eq!(view.state, State::Live, "{rtype}: {:?}", view.reason);
    }
    let mut delegated = service("delapan", "ns1.contoh.id.");
    delegated.records[0].rtype = "NS".to_owned();
    delegated.records.push(crate::queue::RequestedRecord {
        rtype: "NS".to_owned(),
        data: "ns2.contoh.id.".to_owned(),
        ttl: 3600,
    });
    let number = office.assigned(delegated);
    let view = office.approve(&number).unwrap();
    let candidate = view.candidate.unwrap().hash;
    let view = office.act(&number, Act::Countersign { candidate }, "kepala").unwrap();
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
}

#[test]
fn a_name_that_is_no_domain_name_is_refused_by_its_name_not_by_its_zone() {
    let office = Office::new();
    let mut empty = service("x", "192.0.2.50");
    empty.name = "..".to_owned();
    let Err(ActError::Rule(error)) = office.submit(empty) else { panic!("accepted") };
    let faults: Vec<_> = error.faults().iter().map(|it| (it.field.as_str(), it.rule)).collect();
    assert_eq!(faults, [("name", crate::queue::Rule::NameEmpty)]);
}

#[test]
fn a_stored_name_that_does_not_parse_is_corruption_that_names_its_row() {
    let office = Office::new();
    let ledger = office.desk.0.register.ledger();
    let number = office.live(application());
    let spoilt = |context: &str| {
        let context = context.to_owned();
        move |body: Vec<u8>| {
            let json = ledger.vault.unseal(&context, &body).unwrap();
            let mut value: serde_json::Value = serde_json::from_slice(&json).unwrap();
            let name = value.pointer_mut("/application/name");
            *name.unwrap_or(&mut serde_json::Value::Null) = "grogol..desa".into();
            if let Some(name) = value.get_mut("name") {
                *name = "grogol..desa.".into();
            }
            ledger.vault.seal(&context, value.to_string().as_bytes()).unwrap()
        }
    };
    let name = "grogolkapetakan.desa.cirebonkab.go.id.";
    office
        .store
        .write::<_, crate::store::StoreError>(|tx| {
            let (row, body) = tx.request(&number)?.unwrap();
            tx.update_request(&row, &spoilt(&format!("request:{number}"))(body))?;
            let mut live = tx.live_record(name)?.unwrap();
            live.body = spoilt(&format!("live:{name}"))(live.body);
            tx.put_live_record(&live)
        })
        .unwrap();
    let error = office.desk.view(&number, &Viewer::Applicant).unwrap_err().to_string();
    assert!(error.contains(&number) && error.contains("name is empty"), "{error}");
    let error = office.desk.record(name).unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("a label is empty"), "{error}");
}

/// A stranger, with a mailbox nobody has proven.
fn stranger(email: &str, network: &str) -> Submitter {
    let identity = Identity::new(None, None, Some(email));
    let actor = Actor::applicant("Orang Lain", identity, None);
    Submitter {
        actor,
        mailbox_proven: false,
        proof_of: None,
        network: Some(network.to_owned()),
        letter_on_paper: false,
    }
}

impl Office {
    /// Sends a request in as a stranger; its number.
    fn asked_by(&self, who: &str, application: &Application) -> Result<String, ActError> {
        let mut application = application.clone();
        application.contact.email = format!("{who}@lain.example");
        let by = stranger(&application.contact.email, who);
        self.desk.submit(application, Some(letter()), &by).map(|sent| sent.number)
    }

    /// The state of a name, and the request it is held for.
    fn name_state(&self, name: &str) -> Option<(LiveState, Option<String>)> {
        let view = self.desk.record(name).unwrap()?;
        Some((view.state, view.request))
    }

    /// The verdict on A4, and what it is about.
    fn a4(&self, number: &str) -> (Option<LineVerdict>, String) {
        let line = self.view(number).lines.into_iter().find(|it| it.code == LineCode::A4).unwrap();
        (line.verdict, serde_json::to_value(&line).unwrap().to_string())
    }
}

#[test]
fn strangers_hold_no_name_and_stand_in_nobodys_way() {
    let office = Office::new();
    let name = "grogolkapetakan.desa.cirebonkab.go.id";
    let squatters: Vec<String> = (0..5)
        .map(|at| office.asked_by(&format!("penghuni{at}"), &application()).unwrap())
        .collect();
    assert_eq!(office.name_state(name), None, "nobody holds it");
    // The true village comes later, as a stranger as well, and the office takes its request.
    let village = office.asked_by("desa", &application()).unwrap();
    office.act(&village, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.name_state(name), Some((LiveState::Held, Some(village.clone()))));
    for squatter in &squatters {
        let history = office.view(squatter).history;
        assert!(history.iter().any(|event| event.act == "overtaken"), "{squatter}");
    }
    let told = office.view(&squatters[0]).notices.len();
    assert_eq!(told, 3, "the receipt, the head's, and that another was taken");
    assert!(!office.acts(&village).contains(&"overtaken".to_owned()));
    // Nobody new gets in beside it, and who lies beside it cannot pass it.
    assert_eq!(office.asked_by("baru", &application()).unwrap_err().code(), "name_taken");
    office.wait(60_000);
    office.act(&squatters[0], dispose("lain"), "kepala").unwrap();
    let (verdict, line) = office.a4(&squatters[0]);
    assert!(verdict != Some(LineVerdict::Ok) && line.contains(&village), "{line}");
    assert_eq!(office.a4(&village).0, Some(LineVerdict::Ok));
    assert_eq!(office.approve(&village).unwrap().state, State::Live);
}

#[test]
fn a_name_goes_to_the_next_when_the_first_is_turned_down() {
    let office = Office::new();
    let name = "grogolkapetakan.desa.cirebonkab.go.id";
    let first = office.asked_by("pertama", &application()).unwrap();
    let second = office.asked_by("kedua", &application()).unwrap();
    office.act(&first, dispose("seksi"), "kepala").unwrap();
    office.act(&second, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.name_state(name), Some((LiveState::Held, Some(first.clone()))));
    let reject = Act::Reject {
        reason: "rangkap".to_owned(),
        note: "bukan desa ini".to_owned(),
        lines: vec![line(LineCode::M2, LineVerdict::Bad)],
    };
    office.act(&first, reject, "seksi").unwrap();
    assert_eq!(office.name_state(name), None);
    assert_eq!(office.a4(&second).0, Some(LineVerdict::Ok));
    assert_eq!(office.approve(&second).unwrap().state, State::Live);
    assert_eq!(office.name_state(name), Some((LiveState::Live, Some(second))));
}

#[test]
fn what_a_stranger_asks_of_a_live_name_blocks_nobody() {
    let office = Office::new();
    office.live(application());
    for kind in [Kind::Remove, Kind::Suspend, Kind::Change] {
        office.asked_by(&format!("usil{kind}"), &again(kind)).unwrap();
    }
    let mut change = again(Kind::Change);
    change.records[0].data = "192.0.2.111".to_owned();
    let sent = office.desk.submit(change.clone(), Some(letter()), &applicant()).unwrap().number;
    // An officer with the letter goes before a mailbox that was proven.
    let keyed = Submitter {
        actor: office.actor("lain"),
        mailbox_proven: false,
        proof_of: None,
        network: None,
        letter_on_paper: false,
    };
    let removal = office.desk.submit(again(Kind::Remove), Some(letter()), &keyed).unwrap().number;
    assert!(office.acts(&sent).contains(&"overtaken".to_owned()));
    office.act(&removal, Act::Withdraw { letter: "140/13".to_owned() }, "kepala").unwrap();
    office.act(&sent, dispose("seksi"), "kepala").unwrap();
    let view = office.approve(&sent).unwrap();
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
}

#[test]
fn a_hold_by_a_proven_mailbox_gives_way_to_an_officer() {
    let office = Office::new();
    let name = "grogolkapetakan.desa.cirebonkab.go.id";
    let proven = office.submit(application()).unwrap().number;
    assert_eq!(office.name_state(name), Some((LiveState::Held, Some(proven.clone()))));
    assert_eq!(office.asked_by("baru", &application()).unwrap_err().code(), "name_taken");
    let keyed = Submitter {
        actor: office.actor("lain"),
        mailbox_proven: false,
        proof_of: None,
        network: None,
        letter_on_paper: false,
    };
    let sent = office.desk.submit(application(), Some(letter()), &keyed).unwrap().number;
    assert_eq!(office.name_state(name), Some((LiveState::Held, Some(sent.clone()))));
    office.act(&sent, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.approve(&sent).unwrap().state, State::Live);
    // The one that gave way ends without touching the name.
    office.act(&proven, Act::Withdraw { letter: "140/13".to_owned() }, "kepala").unwrap();
    assert_eq!(office.name_state(name), Some((LiveState::Live, Some(sent))));
}

#[test]
fn the_same_wish_from_the_same_place_is_one_request() {
    let office = Office::new();
    office.asked_by("desa", &application()).unwrap();
    assert_eq!(office.asked_by("desa", &application()).unwrap_err().code(), "name_taken");
    let mut other = application();
    other.office = "Desa Lain".to_owned();
    office.asked_by("desa", &other).unwrap();
    office.asked_by("orang", &application()).unwrap();
}

#[test]
fn targets_for_special_use_and_numbers_of_persons_are_turned_back() {
    let office = Office::new();
    for (rtype, data) in [
        ("CNAME", "localhost.localdomain."),
        ("CNAME", "metadata.google.internal."),
        ("CNAME", "printer.local."),
        ("MX", "10 surat.home.arpa."),
        ("NS", "ns1.contoh.invalid."),
        ("SRV", "0 5 443 layanan.test."),
        ("HTTPS", "1 abc.onion."),
        ("CNAME", "10.0.0.1.nip.io."),
        ("TXT", "\"NIK 3209 1234 5678 9012\""),
        ("TXT", "\"３２０９１２３４５６７８９０１２\""),
        ("CNAME", "situs.storage.googleapis.com."),
    ] {
        let mut asked = service("situs", data);
        asked.records[0].rtype = rtype.to_owned();
        let error = office.submit(asked).unwrap_err();
        assert!(["target_refused", "incomplete"].contains(&error.code()), "{data}: {error}");
    }
    let mut asked = service("situs", "192.0.2.9");
    asked.contact.email = "3209123456789012@surel.id".to_owned();
    let Err(ActError::Rule(error)) = office.submit(asked) else { panic!("accepted") };
    assert_eq!(error.faults()[0].rule, crate::queue::Rule::PersonalNumber);
    let mut named = service("warga-3209123456789012", "192.0.2.9");
    named.office = "Dinas".to_owned();
    assert!(office.submit(named).is_err(), "nor in a name");
    // Names of our own zone stay targets, whatever they are called.
    let mut own = service("situs", "www.cirebonkab.go.id.");
    own.records[0].rtype = "CNAME".to_owned();
    office.submit(own).unwrap();
}

#[test]
fn one_officer_takes_so_many_names_down_alone_and_no_more() {
    let office = Office::with(|options| options.rules.emergencies = 2);
    let kasi = office.actor("seksi");
    office.desk.suspend("www", "diretas", &kasi).unwrap();
    office.desk.suspend("diskominfo", "diretas", &kasi).unwrap();
    let serial = office.serial();
    let error = office.desk.suspend("sumber.desa", "diretas", &kasi).unwrap_err();
    assert_eq!(error.code(), "incomplete", "{error}");
    assert_eq!(office.serial(), serial, "nothing was taken out");
    // Another officer has a number of their own, and agreement frees one.
    office.desk.suspend("sumber.desa", "diretas", &office.actor("lain")).unwrap();
    office.desk.confirm_suspension("www", &office.actor("kepala")).unwrap();
    let number = office.live(service("satunya", "192.0.2.9"));
    assert!(!number.is_empty());
    office.desk.suspend("satunya", "diretas", &kasi).unwrap();
}

#[test]
fn targets_that_lead_back_to_the_name_are_turned_back() {
    let office = Office::new();
    let alias = |name: &str, target: &str| {
        let mut asked = service(name, target);
        asked.records[0].rtype = "CNAME".to_owned();
        asked
    };
    let zone = "cirebonkab.go.id.";
    office.live(alias("satu", &format!("DUA.{zone}")));
    office.live(alias("tiga", &format!("satu.{zone}")));
    let error = office.submit(alias("dua", &format!("Tiga.{zone}"))).unwrap_err();
    assert_eq!(error.code(), "target_refused", "{error}");
    office.live(alias("dua", &format!("www.{zone}")));
}

#[test]
fn the_name_of_an_office_alone_moves_none_of_its_names() {
    let office = Office::new();
    office.live(application());
    let mut below = application();
    below.name = format!("_acme-challenge.{}", below.name);
    below.records[0].rtype = "TXT".to_owned();
    below.records[0].data = "\"tokenjahat\"".to_owned();
    let elsewhere = |kind| {
        let mut asked = again(kind);
        asked.contact.email = "lain@example.id".to_owned();
        asked
    };
    let unproven = Submitter { mailbox_proven: false, ..applicant() };
    let a9 = |asked: Application, by: &Submitter| {
        let number = office.desk.submit(asked, Some(letter()), by).unwrap().number;
        office.act(&number, dispose("seksi"), "kepala").unwrap();
        let view = office.view(&number);
        let line = view.lines.iter().find(|line| line.code == LineCode::A9).unwrap();
        let verdict = line.verdict;
        office.act(&number, Act::Withdraw { letter: "1".to_owned() }, "kepala").unwrap();
        verdict
    };
    for asked in [again(Kind::Change), again(Kind::Suspend), again(Kind::Remove), below.clone()] {
        let what = format!("{} {}", asked.kind, asked.name);
        assert_eq!(a9(asked.clone(), &unproven), Some(LineVerdict::Fix), "{what}");
        assert_eq!(a9(asked.clone(), &applicant()), Some(LineVerdict::Ok), "{what}");
        let keyed = Submitter {
            actor: office.actor("lain"),
            mailbox_proven: false,
            proof_of: None,
            network: None,
            letter_on_paper: false,
        };
        assert_eq!(a9(asked, &keyed), Some(LineVerdict::Ok), "{what}");
    }
    // A mailbox that was proven, but is not the one the name rests on; where `+` is part of a name, neither
    // is one that differs in it.
    let mut tagged = again(Kind::Remove);
    tagged.contact.email = tagged.contact.email.replace('@', "+x@");
    assert_eq!(a9(tagged, &applicant()), Some(LineVerdict::Fix));
    assert_eq!(a9(elsewhere(Kind::Remove), &applicant()), Some(LineVerdict::Fix));
    // One signature does not suffice.
    let number = office.desk.submit(below, Some(letter()), &unproven).unwrap().number;
    office.act(&number, dispose("seksi"), "kepala").unwrap();
    let view = office.approve(&number).unwrap();
    assert_eq!((view.state, view.second_signature), (State::Verified, vec!["A9".to_owned()]));
}

#[test]
fn what_the_verifier_alone_calls_an_agreement_takes_the_heads_signature() {
    let office = Office::new();
    office.live(application());
    let mut below = application();
    below.office = "Desa Lain".to_owned();
    below.name = format!("_acme-challenge.{}", below.name);
    below.records[0].rtype = "CNAME".to_owned();
    below.records[0].data = "acme.penyerang.example.".to_owned();
    let a9_after = |who: &str| {
        let number =
            office.desk.submit(below.clone(), Some(letter()), &applicant()).unwrap().number;
        office.act(&number, dispose("seksi"), "kepala").unwrap();
        let party = || "Desa induk".to_owned();
        let consult = Act::Consult { party: party(), email: "siapa@saja.example".to_owned() };
        office.act(&number, consult, "seksi").unwrap();
        let agree = Act::Confirm { party: party(), letter: "140/9".to_owned() };
        office.act(&number, agree, who).unwrap();
        let view = office.view(&number);
        let second = view.second_signature.clone();
        let line = view.lines.iter().find(|line| line.code == LineCode::A9).unwrap();
        let verdict = line.verdict;
        office.act(&number, Act::Withdraw { letter: "1".to_owned() }, "kepala").unwrap();
        (verdict, second)
    };
    assert_eq!(a9_after("seksi"), (Some(LineVerdict::Fix), vec!["A9".to_owned()]));
    assert_eq!(a9_after("kepala"), (Some(LineVerdict::Ok), Vec::new()));
}

#[test]
fn a_challenge_for_a_name_that_is_not_live_takes_the_heads_signature() {
    let office = Office::new();
    let mut challenge = application();
    challenge.name = format!("_acme-challenge.{}", challenge.name);
    challenge.records[0].rtype = "CNAME".to_owned();
    challenge.records[0].data = "acme.penyerang.example.".to_owned();
    let number = office.desk.submit(challenge, Some(letter()), &applicant()).unwrap().number;
    office.act(&number, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.view(&number).second_signature, ["A9"]);
}

#[test]
fn a_challenge_follows_the_name_above_it_out_of_the_zone() {
    let office = Office::new();
    let above = application();
    office.live(above.clone());
    let mut challenge = above.clone();
    challenge.name = format!("_acme-challenge.{}", above.name);
    challenge.records[0].rtype = "CNAME".to_owned();
    challenge.records[0].data = "acme.example.".to_owned();
    challenge.starts = Some("2026-11-27".to_owned());
    let scheduled = office.assigned(challenge.clone());
    assert_eq!(office.approve(&scheduled).unwrap().state, State::Verified);
    let mut down = above;
    down.kind = Kind::Suspend;
    office.live(down);

    // Below a suspended name a challenge is one below a name that is not live.
    let mut more = challenge.clone();
    more.starts = None;
    more.office = "Desa Grogol".to_owned();
    let now = office.desk.submit(more, Some(letter()), &applicant());
    assert_eq!(now.unwrap_err().code(), "name_taken", "the scheduled one holds it");
    // What was signed while it was live is not what would happen now.
    office.wait(5 * 86_400_000);
    office.desk.tick().unwrap();
    let view = office.view(&scheduled);
    assert_eq!((view.state, view.second_signature), (State::Assigned, vec!["A9".to_owned()]));
    let name = "_acme-challenge.grogolkapetakan.desa.cirebonkab.go.id.";
    assert_eq!(office.dig(name, "CNAME").0, "NXDOMAIN");
}

#[test]
fn a_correction_with_another_mailbox_has_not_proven_it() {
    let office = Office::new();
    let number = office.assigned(application());
    assert!(office.view(&number).mailbox_proven);
    let fix = LineInput {
        code: LineCode::M5,
        verdict: Some(LineVerdict::Fix),
        note: Some("surel".to_owned()),
    };
    office.act(&number, Act::Return { lines: vec![fix] }, "seksi").unwrap();
    let mut other = application();
    other.contact.email = "lain@example.id".to_owned();
    let proven = Actor::applicant("Sutrisno", Identity::default(), Some(&number));
    office.desk.resubmit(&number, other, None, &proven).unwrap();
    assert!(!office.view(&number).mailbox_proven);
}

#[test]
fn requests_without_a_proven_mailbox_leave_room_for_those_with_one() {
    let office = Office::with(|options| {
        options.strangers.open = 3;
        options.strangers.open_per_network = 2;
    });
    let sent = |who: &str, network: &str, mailbox_proven: bool| {
        let mut application = application();
        application.contact.email = format!("{who}@desa.example");
        application.office = format!("Desa {who}");
        let by = stranger(&application.contact.email, network);
        let by = Submitter { mailbox_proven, ..by };
        office.desk.submit(application, Some(letter()), &by).map(|sent| sent.number)
    };
    let limit = |sent: Result<String, ActError>| match sent.unwrap_err() {
        ActError::Limit(limit) => limit,
        error => panic!("{error}"),
    };
    sent("a", "1", false).unwrap();
    sent("b", "1", false).unwrap();
    assert_eq!(limit(sent("c", "1", false)), PublicLimit::Network);
    sent("c", "2", false).unwrap();
    assert_eq!(limit(sent("d", "1", false)), PublicLimit::All);
    // Neither the network's requests nor all of them together stand in the way.
    sent("e", "1", true).unwrap();
}
