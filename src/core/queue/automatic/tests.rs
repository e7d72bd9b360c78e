//! The automatic lines, one by one, and what stops a request at submit.

use super::*;
use crate::queue::fixture::{MONDAY_8, application};

/// Evidence nothing stands against.
struct Clear {
    naming: Naming,
    targets: Targets,
    zone: ZoneFacts,
    queue: QueueFacts,
    neighbours: Vec<Neighbour>,
    probe: Probe,
}

impl Clear {
    fn new() -> Self {
        let allow = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        Self {
            naming: Naming::default(),
            targets: Targets { allow, ..Targets::default() },
            zone: ZoneFacts { served: true, ..ZoneFacts::default() },
            queue: QueueFacts::default(),
            neighbours: Vec::new(),
            probe: Probe::Off,
        }
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            now: MONDAY_8,
            naming: &self.naming,
            targets: &self.targets,
            zone: &self.zone,
            queue: &self.queue,
            neighbours: &self.neighbours,
            probe: &self.probe,
            findings: Some(&[]),
            party_confirmed: false,
            mailbox_proven: true,
        }
    }

    /// The rules a line shows.
    #[track_caller]
    fn line(&self, application: &Application, code: LineCode) -> (Outcome, Overrule, Vec<Rule>) {
        let line =
            sheet(application, &self.evidence()).into_iter().find(|l| l.code == code).unwrap();
        (line.outcome, line.overrule, line.faults.iter().map(|fault| fault.rule).collect())
    }

    /// The rules that stop a request at submit.
    fn refused(&self, application: &Application) -> Vec<Rule> {
        let reading = Reading::of(application.clone());
        refusals(&reading, &lines(&reading, &self.evidence()), MONDAY_8, LetterWanted::Here)
            .into_iter()
            .map(|fault| fault.rule)
            .collect()
    }
}

/// The lines of an application.
fn sheet(application: &Application, evidence: &Evidence<'_>) -> Vec<AutoLine> {
    lines(&Reading::of(application.clone()), evidence)
}

/// A request of a class for a name.
fn named(class: NamingClass, name: &str) -> Application {
    Application { class, name: name.to_owned(), region: None, ..application() }
}

#[test]
fn a_clean_request_passes_every_line() {
    let clear = Clear::new();
    assert_eq!(clear.refused(&application()), []);
    let mut whole = application();
    whole.letter.sha256 = Some("0".repeat(64));
    for line in sheet(&whole, &clear.evidence()) {
        assert_ne!(line.outcome, Outcome::Failed, "{line:?}");
    }
}

#[test]
fn every_unit_may_have_its_own_name_and_no_rule_but_likeness_stands_against_it() {
    let clear = Clear::new();
    for unit in clear.naming.regions.units() {
        let class = match unit.code.len() {
            8 => NamingClass::Kecamatan,
            _ if unit.code[9..].starts_with('1') => NamingClass::Kelurahan,
            _ => NamingClass::Desa,
        };
        for name in clear.naming.names_of(unit) {
            let application =
                Application { region: Some(unit.code.clone()), ..named(class, &name) };
            assert_eq!(clear.refused(&application), [], "{name}");
            assert_eq!(clear.line(&application, LineCode::A5).0, Outcome::Pass, "{name}");
        }
    }
}

#[test]
fn doubled_villages_need_their_district_and_suggest_it() {
    let clear = Clear::new();
    let bare = named(NamingClass::Desa, "grogol.desa");
    assert_eq!(clear.refused(&bare), [Rule::DoubledName]);
    assert_eq!(clear.line(&bare, LineCode::A1).1, Overrule::Never);
    let all = ["grogolgunungjati.desa", "grogolkepetakan.desa", "grogolkapetakan.desa"];
    assert_eq!(clear.naming.suggest(&bare), all);
    let reasoned = Application { exception: Some("lama".to_owned()), ..bare };
    assert_eq!(clear.refused(&reasoned), [Rule::DoubledName]);
    for name in all {
        assert_eq!(clear.refused(&named(NamingClass::Desa, name)), [], "{name}");
    }
    // The third Babakan is an urban village and has its own branch.
    assert_eq!(clear.refused(&named(NamingClass::Kelurahan, "kel-babakan")), []);
    assert_eq!(clear.refused(&named(NamingClass::Desa, "babakan.desa")), [Rule::DoubledName]);
}

#[test]
fn patterns_of_the_classes() {
    let clear = Clear::new();
    for (class, bad) in [
        (NamingClass::Kecamatan, "waled"),
        (NamingClass::Kelurahan, "sumber"),
        (NamingClass::Desa, "ambit"),
        (NamingClass::Desa, "www.ambit.desa"),
        (NamingClass::PerangkatDaerah, "app.dinkes"),
        (NamingClass::Layanan, "kec-waled"),
        (NamingClass::Layanan, "ambit.desa"),
        (NamingClass::Uptd, "kel-sumber"),
    ] {
        assert_eq!(clear.refused(&named(class, bad)), [Rule::ClassPattern], "{bad}");
        let reasoned = Application { exception: Some("alasan".to_owned()), ..named(class, bad) };
        assert_eq!(clear.refused(&reasoned), [], "{bad}");
        assert_eq!(clear.line(&reasoned, LineCode::A1).1, Overrule::SecondSignature);
    }
    for good in ["simpeg", "app.dinkes", "app.kec-waled", "sid.ambit.desa"] {
        assert_eq!(clear.refused(&named(NamingClass::Layanan, good)), [], "{good}");
    }
}

#[test]
fn a_name_that_is_no_domain_name_is_told_by_its_own_rule() {
    let clear = Clear::new();
    let refused = |name: &str| clear.refused(&named(NamingClass::Layanan, name));
    assert_eq!(refused(""), [Rule::NameEmpty]);
    assert_eq!(refused("a..b"), [Rule::NameEmpty]);
    assert_eq!(refused(&"a".repeat(64)), [Rule::LabelTooLong]);
    // Every label is good, and together they are longer than a domain name may be.
    assert_eq!(refused(&format!("{}aplikasi", "_tcp.".repeat(60))), [Rule::LabelTooLong]);
}

#[test]
fn lists_are_a_matter_for_the_officers() {
    let clear = Clear::new();
    let unlisted = named(NamingClass::Desa, "tidakada.desa");
    assert_eq!(clear.refused(&unlisted), []);
    let (outcome, overrule, rules) = clear.line(&unlisted, LineCode::A5);
    assert_eq!((outcome, overrule), (Outcome::Failed, Overrule::SecondSignature));
    assert_eq!(rules, [Rule::NotInList]);
    let other = Application { region: Some("32.09.01.2008".to_owned()), ..application() };
    assert_eq!(clear.line(&other, LineCode::A5).2, [Rule::RegionDiffers]);
    let unknown = Application { region: Some("32.09.99.2008".to_owned()), ..application() };
    assert_eq!(clear.line(&unknown, LineCode::A5).2, [Rule::UnknownRegion]);
    let office = Application {
        office: "Dinas Kesehatan".to_owned(),
        ..named(NamingClass::PerangkatDaerah, "kesehatan")
    };
    assert_eq!(clear.line(&office, LineCode::A5).2, [Rule::NotInList]);
    assert_eq!(clear.naming.suggest(&office), ["dinkes"]);
}

#[test]
fn communities_and_activities_need_an_end() {
    let mut clear = Clear::new();
    let with = |class, name: &str, ends: Option<&str>| Application {
        ends: ends.map(str::to_owned),
        ..named(class, name)
    };
    let ormas = |ends| with(NamingClass::Ormas, "pramuka.komunitas", ends);
    assert_eq!(clear.refused(&ormas(None)), [Rule::EndDateNeeded]);
    assert_eq!(clear.refused(&ormas(Some("2027-11-23"))), []);
    assert_eq!(clear.refused(&ormas(Some("2028-02-01"))), [Rule::EndDateTooFar]);
    assert_eq!(clear.refused(&ormas(Some("2026-11-01"))), [Rule::EndsBeforeStart]);
    let event = |ends| with(NamingClass::Kegiatan, "porkab2027", ends);
    assert_eq!(clear.refused(&event(None)), [Rule::EndDateNeeded]);
    assert_eq!(clear.refused(&event(Some("31-12-2027"))), [Rule::BadDate]);
    assert_eq!(clear.refused(&event(Some("2029-12-31"))), []);
    clear.naming.ormas = false;
    assert_eq!(clear.refused(&ormas(Some("2027-11-23"))), [Rule::ClassOff]);
}

#[test]
fn reserved_names_need_a_reason_and_a_second_signature() {
    let clear = Clear::new();
    let www = named(NamingClass::Layanan, "www");
    assert_eq!(clear.refused(&www), [Rule::ReservedName]);
    let reasoned = Application { exception: Some("situs induk".to_owned()), ..www };
    assert_eq!(clear.refused(&reasoned), []);
    let (outcome, overrule, _) = clear.line(&reasoned, LineCode::A3);
    assert_eq!((outcome, overrule), (Outcome::Failed, Overrule::SecondSignature));
}

#[test]
fn a_name_must_be_free_in_zone_queue_and_quarantine() {
    let mut clear = Clear::new();
    clear.zone.types = vec!["A".to_owned()];
    assert_eq!(clear.refused(&application()), [Rule::InZone]);
    clear.zone.types.clear();
    clear.zone.cut = Some("desa.cirebonkab.go.id.".to_owned());
    assert_eq!(clear.refused(&application()), [Rule::BelowCut]);
    clear.zone.cut = None;
    clear.zone.below = vec!["www".to_owned()];
    assert_eq!(clear.refused(&application()), [Rule::NamesBelow]);
    clear.zone.below.clear();
    clear.zone.wildcard = Some("*.desa.cirebonkab.go.id.".to_owned());
    assert_eq!(clear.refused(&application()), []);
    assert_eq!(clear.line(&application(), LineCode::A4).0, Outcome::Shown);
    clear.queue.other_request = Some("GPR-1".to_owned());
    assert_eq!(clear.refused(&application()), [Rule::OtherRequest]);
    clear.queue.other_request = None;
    clear.queue.live = Some(LiveState::Quarantined);
    clear.queue.owner = "Desa Lain".to_owned();
    assert_eq!(clear.refused(&application()), [Rule::InQuarantine]);
    clear.queue.owner = "desa  GROGOL".to_owned();
    assert_eq!(clear.refused(&application()), []);
    clear.queue.live = Some(LiveState::Live);
    assert_eq!(clear.refused(&application()), [Rule::NameLive]);
    clear.zone.served = false;
    assert!(clear.refused(&application()).contains(&Rule::NotInZone));
}

#[test]
fn the_other_kinds_need_a_live_name_of_the_same_office() {
    let mut clear = Clear::new();
    let of = |kind| Application {
        kind,
        records: if kind == Kind::Change { application().records } else { Vec::new() },
        ..application()
    };
    for kind in [Kind::Change, Kind::Suspend, Kind::Remove] {
        assert_eq!(clear.refused(&of(kind)), [Rule::NameNotLive], "{kind}");
    }
    clear.queue.live = Some(LiveState::Live);
    clear.queue.owner = "Desa Grogol".to_owned();
    for kind in [Kind::Change, Kind::Suspend, Kind::Remove] {
        assert_eq!(clear.refused(&of(kind)), [], "{kind}");
    }
    assert_eq!(
        clear.refused(&Application { lift: true, ..of(Kind::Suspend) }),
        [Rule::NotSuspended]
    );
    clear.queue.owner = "Desa Lain".to_owned();
    assert_eq!(clear.refused(&of(Kind::Remove)), [Rule::OtherOwner]);
    clear.queue.owner = String::new();
    assert_eq!(clear.refused(&of(Kind::Change)), []);
    clear.queue.live = Some(LiveState::Suspended);
    assert_eq!(clear.refused(&Application { lift: true, ..of(Kind::Suspend) }), []);
    assert_eq!(clear.refused(&of(Kind::Change)), [Rule::NameNotLive]);
    assert_eq!(clear.refused(&of(Kind::Remove)), []);
}

#[test]
fn similar_names_only_warn() {
    let mut clear = Clear::new();
    let near = named(NamingClass::Layanan, "dinkess");
    let (outcome, overrule, rules) = clear.line(&near, LineCode::A6);
    assert_eq!((outcome, overrule, rules), (Outcome::Failed, Overrule::Tick, vec![Rule::Similar]));
    assert_eq!(clear.refused(&near), []);
    clear.neighbours = vec![Neighbour { name: "e-kinerja".to_owned(), owner: "BKPSDM".to_owned() }];
    let own = named(NamingClass::Layanan, "ekinerja");
    assert_eq!(clear.line(&own, LineCode::A6).0, Outcome::Failed);
    for genuine in ["babadan.desa", "winong.desa", "wiyong.desa", "kapetakan.desa"] {
        let application = named(NamingClass::Desa, genuine);
        assert_eq!(clear.line(&application, LineCode::A6).1, Overrule::Tick, "{genuine}");
        assert_eq!(clear.refused(&application), [], "{genuine}");
    }
}

/// The request with other records.
fn pointing(rtype: &str, data: &str) -> Application {
    let record =
        crate::queue::RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: 3600 };
    Application { records: vec![record], ..application() }
}

#[test]
fn targets_are_judged() {
    let mut clear = Clear::new();
    for (rtype, data, rule) in [
        ("A", "10.0.0.1", Rule::SpecialAddress),
        ("A", "198.51.100.1", Rule::SpecialAddress),
        ("A", "300.1.1.1", Rule::BadAddress),
        ("AAAA", "fd00::1", Rule::SpecialAddress),
        ("HTTPS", "1 . ipv4hint=127.0.0.1", Rule::SpecialAddress),
        ("HTTPS", "1 . key4=\\127\\000\\000\\001", Rule::SpecialAddress),
        ("CNAME", "x.github.io", Rule::HijackableTarget),
        ("CNAME", "localhost", Rule::BadTarget),
        ("CNAME", "grogolkapetakan.desa.cirebonkab.go.id", Rule::TargetIsSelf),
        ("MX", "mail.example.id", Rule::BadData),
        ("SOA", "x", Rule::TypeNotOffered),
        ("TXT", "", Rule::BadData),
        ("TXT", "\"unclosed", Rule::BadData),
        ("TXT", "a\nb IN A 192.0.2.1", Rule::BadData),
        ("TLSA", "garbage", Rule::BadData),
        ("CAA", "x y z", Rule::BadData),
        ("DS", "1 2", Rule::BadData),
        ("SVCB", "1 . foo=bar", Rule::BadData),
    ] {
        assert_eq!(clear.refused(&pointing(rtype, data)), [rule], "{rtype} {data}");
    }
    for (rtype, data) in [
        ("A", "103.10.20.30"),
        ("AAAA", "2001:db8::1"),
        ("CNAME", "web.example.id"),
        ("MX", "10 mail.example.id"),
        ("TXT", "\"v=spf1 -all\""),
        ("CAA", "0 issue \"letsencrypt.org\""),
        ("HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.1"),
    ] {
        assert_eq!(clear.refused(&pointing(rtype, data)), [], "{rtype} {data}");
    }
    // A delegation to a single server may stand, with a reason.
    let lone = pointing("NS", "ns1.example.id.");
    assert_eq!(clear.line(&lone, LineCode::A8).0, Outcome::Failed);
    let mut pair = lone;
    pair.records.push(pointing("NS", "ns2.example.id.").records[0].clone());
    assert_ne!(clear.line(&pair, LineCode::A8).0, Outcome::Failed);
    assert_eq!(clear.line(&application(), LineCode::A7).0, Outcome::Unchecked);
    clear.targets.indonesia = Some(vec!["103.0.0.0/8".parse().unwrap()]);
    assert_eq!(clear.line(&application(), LineCode::A7).0, Outcome::Pass);
    let abroad = clear.line(&pointing("A", "8.8.8.8"), LineCode::A7);
    assert_eq!(abroad, (Outcome::Failed, Overrule::Note, vec![Rule::AbroadAddress]));
    clear.targets.refuse_hijackable = false;
    let reasoned = clear.line(&pointing("CNAME", "x.github.io"), LineCode::A8);
    assert_eq!((reasoned.0, reasoned.1), (Outcome::Failed, Overrule::Note));
}

#[test]
fn sets_of_records_are_judged() {
    let clear = Clear::new();
    let mut two = application();
    two.records.push(pointing("CNAME", "web.example.id").records.remove(0));
    assert_eq!(clear.refused(&two), [Rule::CnameWithOther]);
    let mut twice = application();
    twice.records.push(twice.records[0].clone());
    assert_eq!(clear.refused(&twice), [Rule::DuplicateRecord]);
    let mut ttl = application();
    ttl.records.push(pointing("A", "192.0.2.11").records.remove(0));
    ttl.records[1].ttl = 60;
    assert_eq!(clear.refused(&ttl), [Rule::TtlDiffers]);
    assert_eq!(
        clear.refused(&Application { records: Vec::new(), ..application() }),
        [Rule::NoRecords]
    );
    assert_eq!(
        clear.refused(&Application { kind: Kind::Remove, ..application() })[0],
        Rule::NameNotLive
    );
}

#[test]
fn the_probe_and_the_parent() {
    let mut clear = Clear::new();
    let cname = pointing("CNAME", "web.example.id");
    assert_eq!(clear.line(&cname, LineCode::A8).0, Outcome::Unchecked);
    let done = |at, claimable: &[&str], down: &[&str]| Probe::Done {
        at,
        claimable: claimable.iter().map(|t| (*t).to_owned()).collect(),
        down: down.iter().map(|t| (*t).to_owned()).collect(),
    };
    clear.probe = done(MONDAY_8, &["web.example.id"], &[]);
    assert_eq!(clear.line(&cname, LineCode::A8).1, Overrule::Never);
    clear.probe = done(MONDAY_8, &[], &["web.example.id"]);
    assert_eq!(clear.line(&cname, LineCode::A8).1, Overrule::Note);
    clear.probe = done(MONDAY_8 - PROBE_FRESH_MS - 1, &[], &[]);
    assert_eq!(clear.line(&cname, LineCode::A8).2, [Rule::ProbeMissing]);
    clear.queue.parent = Some(("dinkes".to_owned(), "Dinas Kesehatan".to_owned()));
    let below = Application {
        office: "RSUD Waled".to_owned(),
        ..named(NamingClass::Layanan, "app.dinkes")
    };
    assert_eq!(clear.line(&below, LineCode::A9).1, Overrule::Never);
    assert_eq!(clear.line(&below, LineCode::A9).0, Outcome::Failed);
    let mut evidence = clear.evidence();
    evidence.party_confirmed = true;
    let confirmed = sheet(&below, &evidence);
    assert!(confirmed.iter().any(|l| l.code == LineCode::A9 && l.outcome == Outcome::Pass));
    let own = Application { office: "Dinas Kesehatan".to_owned(), ..below };
    assert_eq!(clear.line(&own, LineCode::A9).0, Outcome::Pass);
}

#[test]
fn a_name_nobody_is_known_to_own_takes_a_second_signature() {
    let mut clear = Clear::new();
    clear.queue.live = Some(LiveState::Live);
    clear.queue.unowned = Some("dinkes.cirebonkab.go.id.".to_owned());
    let unowned = (Outcome::Failed, Overrule::SecondSignature, vec![Rule::OwnerUnknown]);
    for kind in Kind::ALL {
        let asked = Application { kind, ..application() };
        assert_eq!(clear.line(&asked, LineCode::A9), unowned, "{kind}");
        // A party the verifier chose cannot speak for an owner nobody knows.
        let mut evidence = clear.evidence();
        evidence.party_confirmed = true;
        let lines = sheet(&asked, &evidence);
        let line = lines.iter().find(|line| line.code == LineCode::A9).unwrap();
        assert_eq!((line.outcome, line.overrule), (unowned.0, unowned.1), "{kind}");
    }
    clear.queue.parent = Some(("app.dinkes".to_owned(), "Dinas Kesehatan".to_owned()));
    assert_eq!(clear.line(&application(), LineCode::A9).1, Overrule::Never);
    clear.queue.parent = None;
    clear.queue.unowned = None;
    for kind in Kind::ALL {
        let asked = Application { kind, ..application() };
        assert_eq!(clear.line(&asked, LineCode::A9).0, Outcome::Pass, "{kind}");
    }
}

#[test]
fn fields_are_needed_and_read() {
    let clear = Clear::new();
    let mut bare = application();
    bare.office = " ".to_owned();
    bare.contact.email = "kuwu".to_owned();
    bare.contact.nip = Some("123".to_owned());
    bare.letter.date = "23-11-2026".to_owned();
    assert_eq!(clear.refused(&bare), [Rule::Empty, Rule::BadEmail, Rule::BadNip, Rule::BadDate]);
    let reading = Reading::of(application());
    let without =
        refusals(&reading, &lines(&reading, &clear.evidence()), MONDAY_8, LetterWanted::Missing);
    assert_eq!((without.len(), without[0].rule), (1, Rule::NoLetter));
}

#[test]
fn tidying_changes_form_only() {
    let typed = Application {
        name: "https://GrogolKapetakan.desa.cirebonkab.go.id/".to_owned(),
        zone: "Cirebonkab.go.id".to_owned(),
        region: Some(" ".to_owned()),
        purpose: "warga 3209123456789012".to_owned(),
        ..application()
    };
    let tidied = tidy(typed, &Naming::default());
    let place = Reading::of(tidied.clone()).place().unwrap().clone();
    assert_eq!(place.name.to_string(), "grogolkapetakan.desa.cirebonkab.go.id.");
    assert_eq!(tidied.region.as_deref(), Some("32.09.22.2015"));
    assert_eq!(tidied.purpose, "warga ****************");
    assert_eq!(tidied.records[0].rtype, "A");
}

#[test]
fn a_text_pasted_without_quotes_stays_one_text() {
    let tidied =
        |data: &str| tidy(pointing("TXT", data), &Naming::default()).records[0].data.clone();
    assert_eq!(tidied(" v=spf1 mx -all "), "\"v=spf1 mx -all\"");
    assert_eq!(tidied("v=DKIM1; k=rsa"), "\"v=DKIM1; k=rsa\"");
    assert_eq!(tidied("\"a b\" c"), "\"a b\" c");
    assert_eq!(tidied("kode-verifikasi=1"), "kode-verifikasi=1");
    let long = format!("p={}", "x".repeat(300));
    assert_eq!(tidied(&long), format!("\"p={}\" \"{}\"", "x".repeat(253), "x".repeat(47)));
}

#[test]
fn mailbox_and_nip_are_judged_as_on_every_other_door() {
    use crate::queue::person::samples::{MAILBOXES, NIPS, NO_MAILBOXES, NO_NIPS};
    let clear = Clear::new();
    let refused = |email: &str, nip: &str| {
        let mut asked = application();
        asked.contact.email = email.to_owned();
        asked.contact.nip = Some(nip.to_owned());
        clear.refused(&asked)
    };
    for email in MAILBOXES {
        assert_eq!(refused(email, ""), [], "{email}");
    }
    for email in NO_MAILBOXES {
        assert_eq!(refused(email, ""), [Rule::BadEmail], "{email}");
    }
    for nip in NIPS {
        assert_eq!(refused("a@b.id", nip), [], "{nip}");
    }
    for nip in NO_NIPS {
        assert_eq!(refused("a@b.id", nip), [Rule::BadNip], "{nip}");
    }
}

#[test]
fn a_mailbox_is_written_in_ascii() {
    assert!(is_mailbox("desa@sindangjawa.desa.id"));
    for odd in ["kadis@dínkes.example", "kаdis@dinkes.example", "a b@c.example", "a@b"] {
        assert!(!is_mailbox(odd), "{odd}");
    }
}

#[test]
fn a_line_that_stands_in_mails_holds_no_link() {
    let clear = Clear::new();
    let text = "Akun Anda dihapus hari ini. Masuk: https://evil.example/masuk";
    for field in FIELDS.iter() {
        let mut application = application();
        let is_line = matches!(
            field.name,
            "office" | "contact.name" | "contact.position" | "contact.phone" | "letter.number"
        );
        field.set(&mut application, text);
        let found = clear.refused(&application).contains(&Rule::HoldsLink);
        assert_eq!(found, is_line, "{}", field.name);
    }
    let mut titled = application();
    titled.contact.name = "Drs. H. Ahmad Fauzi, S.Kom.,M.Si.".to_owned();
    assert_eq!(clear.refused(&titled), []);
}
