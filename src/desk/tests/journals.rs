//! Owners are told what changed at their names, whichever way it came, once, and find it in the history.

use super::*;
use crate::notice::message;
use crate::publish::By;
use crate::queue::{Kind, Notice, NoticeReader, Way};
use crate::view::NameChangesView;
use crate::words::{Lang, Words};

/// The village's name.
const VILLAGE: &str = "grogolkapetakan.desa.cirebonkab.go.id.";

/// What owners are told and have not been yet, with its text.
fn told(office: &Office) -> Vec<(Notice, String)> {
    let due = office.desk.notices_due(1_000).unwrap().into_iter();
    let owners = due.filter(|notice| notice.reader == NoticeReader::Owner);
    let told: Vec<(Notice, String)> = owners
        .map(|notice| {
            let text = message(&notice, Words::of(Lang::Id), "https://x").text;
            (notice, text)
        })
        .collect();
    told.iter().for_each(|(notice, _)| office.desk.notice_sent(&notice.id).unwrap());
    told
}

/// Puts lines at the end of the operator's file, and loads it.
fn edit(office: &Office, change: impl Fn(&str) -> String) {
    let path = office.directory.path().join("zone");
    let text = change(&std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, text).unwrap();
    let before = office.serial();
    let reports = office.publisher.reload(None, &By::person("operator"));
    assert_ne!(office.serial(), before, "{reports:?}");
}

/// A line before the end of the file.
fn line_more(line: &str) -> impl Fn(&str) -> String {
    move |text| text.replace("; gapura: end", &format!("{line}\n; gapura: end"))
}

/// The history as the applicant of a request sees it.
fn history(office: &Office, number: &str) -> NameChangesView {
    let identity = Identity::new(None, None, Some("desa@example.id"));
    let applicant = Actor::applicant("Sutrisno", identity, Some(number));
    office.desk.history_of_request(number, &applicant).unwrap()
}

#[test]
fn an_owner_is_told_of_each_change_by_others_once_with_before_and_after() {
    let office = Office::new();
    office.desk.tick().unwrap();
    let number = office.live(application());
    office.desk.tick().unwrap();
    assert_eq!(told(&office).len(), 0, "whoever asked is told by the notice of the request");

    // The operator adds a name below it.
    edit(&office, line_more("peta.grogolkapetakan.desa A 192.0.2.77"));
    office.desk.tick().unwrap();
    office.desk.tick().unwrap();
    let [(notice, text)] = &told(&office)[..] else { panic!("one notice") };
    assert_eq!(
        (notice.to.as_str(), notice.request.as_deref()),
        ("desa@example.id", Some(&*number))
    );
    assert!(text.contains("peta.grogolkapetakan.desa.cirebonkab.go.id"), "{text}");
    let sides = "Sebelumnya:\n  (tidak ada)\nSesudahnya:\n  A 192.0.2.77 (TTL 3600)";
    assert!(text.contains(sides), "{text}");
    assert!(text.contains("berkas zona") && text.contains("https://x/riwayat/"), "{text}");

    // Another officer takes it down.
    office.desk.suspend(VILLAGE, "berisi judi", &office.actor("seksi")).unwrap();
    office.desk.tick().unwrap();
    let [(_, text)] = &told(&office)[..] else { panic!("one notice") };
    let sides = "Sebelumnya:\n  A 192.0.2.110 (TTL 3600)\nSesudahnya:\n  (tidak ada)";
    assert!(text.contains(sides) && text.contains("berisi judi"), "{text}");
    assert!(text.contains("keadaan darurat"), "{text}");

    let found = history(&office, &number);
    let ways: Vec<Way> = found.changes.iter().map(|change| change.way).collect();
    assert_eq!(ways, [Way::Emergency, Way::File, Way::Request]);
    assert_eq!(found.changes[2].request.as_deref(), Some(&*number));
    assert_eq!(found.changes[2].names[0].after, ["A 192.0.2.110 (TTL 3600)"]);
    let shown = serde_json::to_string(&found).unwrap();
    for person in ["seksi", "operator", "Sutrisno", "desa@example.id", "judi"] {
        assert!(!shown.contains(person), "{person} in {shown}");
    }
}

#[test]
fn a_restart_between_a_change_and_its_notice_doubles_and_loses_nothing() {
    let office = Office::new();
    office.desk.tick().unwrap();
    office.live(application());
    office.desk.tick().unwrap();
    edit(&office, line_more("satu.grogolkapetakan.desa A 192.0.2.71"));
    edit(&office, line_more("dua.grogolkapetakan.desa A 192.0.2.72"));
    let office = office.reopen();
    office.desk.tick().unwrap();
    let names: Vec<String> = told(&office).iter().map(|(it, _)| it.values.name.clone()).collect();
    let below = |label: &str| format!("{label}.grogolkapetakan.desa.cirebonkab.go.id");
    assert_eq!(names, [below("satu"), below("dua")], "one notice for each change");
    let office = office.reopen();
    office.desk.tick().unwrap();
    assert_eq!(told(&office).len(), 0);
}

#[test]
fn one_edit_of_many_names_of_an_owner_is_one_mail() {
    let office = Office::new();
    office.desk.tick().unwrap();
    for (at, name) in ["satu", "dua", "tiga"].into_iter().enumerate() {
        let mut asked = service(name, &format!("192.0.2.{}", 40 + at));
        asked.contact.email = "dinas@example.id".to_owned();
        office.live(asked);
    }
    office.live(application());
    office.desk.tick().unwrap();
    told(&office);
    let lines = "a.satu A 192.0.2.61\nb.dua A 192.0.2.62\nc.tiga A 192.0.2.63\n\
        d.grogolkapetakan.desa A 192.0.2.64\nlepas A 192.0.2.65";
    edit(&office, line_more(lines));
    office.desk.tick().unwrap();
    let found = told(&office);
    let mut to: Vec<&str> = found.iter().map(|(notice, _)| notice.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["desa@example.id", "dinas@example.id"], "nobody owns lepas");
    let (_, text) = found.iter().find(|(it, _)| it.to == "dinas@example.id").unwrap();
    assert!(text.contains("Isi DNS 3 nama"), "{text}");
    for name in ["a.satu", "b.dua", "c.tiga"] {
        assert!(text.contains(&format!("{name}.cirebonkab.go.id")), "{text}");
    }
    assert!(!text.contains("grogol") && text.contains("https://x/status"), "{text}");
}

#[test]
fn who_owned_a_name_before_is_told_when_somebody_else_had_it_changed() {
    let office = Office::new();
    office.desk.tick().unwrap();
    office.live(application());
    let mut change = again(Kind::Change);
    change.records[0].data = "192.0.2.120".to_owned();
    change.contact.email = "lain@example.id".to_owned();
    let number = office.live(change);
    office.desk.tick().unwrap();
    let [(notice, text)] = &told(&office)[..] else { panic!("one notice") };
    assert_eq!(notice.to, "desa@example.id");
    let sides = "Sebelumnya:\n  A 192.0.2.110 (TTL 3600)\nSesudahnya:\n  A 192.0.2.120 (TTL 3600)";
    assert!(text.contains(sides) && text.contains("permohonan yang disetujui"), "{text}");
    // The one who asked has before and after in the notice of the request.
    let all = office.desk.notices_due(1_000).unwrap();
    let own = |it: &&Notice| {
        it.request.as_deref() == Some(&*number) && it.deed == Deed::Promoted && it.to_applicant()
    };
    let own = message(all.iter().find(own).unwrap(), Words::of(Lang::Id), "https://x");
    assert!(own.text.contains(sides), "{}", own.text);
    assert!(own.subject.contains("Perubahan pada nama"), "{}", own.subject);
}

#[test]
fn a_link_shows_the_history_of_one_name_until_a_newer_one_takes_its_place() {
    let office = Office::new();
    office.desk.tick().unwrap();
    office.live(application());
    office.desk.tick().unwrap();
    edit(&office, line_more("satu.grogolkapetakan.desa A 192.0.2.71"));
    office.desk.tick().unwrap();
    let token = |found: &[(Notice, String)]| found[0].0.values.token.clone().unwrap();
    let first = token(&told(&office));
    assert_eq!(office.desk.history_by_link(&first).unwrap().changes.len(), 2);
    edit(&office, line_more("dua.grogolkapetakan.desa A 192.0.2.72"));
    office.desk.tick().unwrap();
    let second = token(&told(&office));
    assert!(matches!(office.desk.history_by_link(&first), Err(ActError::NotFound)));
    assert_eq!(office.desk.history_by_link(&second).unwrap().changes.len(), 3);
    office.wait(31 * 86_400_000);
    assert!(matches!(office.desk.history_by_link(&second), Err(ActError::NotFound)));
    assert!(matches!(office.desk.history_by_link("x"), Err(ActError::NotFound)));
}

#[test]
fn a_name_without_a_mailbox_is_told_by_letter_and_found_on_its_page() {
    let office = Office::new();
    office.desk.tick().unwrap();
    let class = crate::queue::NamingClass::Layanan;
    office.desk.assign_owner("www", ("Dinas Satu", class), &office.actor("kepala")).unwrap();
    office.desk.tick().unwrap();
    edit(&office, |text| text.replace("www A 192.0.2.10", "www A 192.0.2.11"));
    office.desk.tick().unwrap();
    assert_eq!(told(&office).len(), 0, "no mail");
    let page = office.desk.name_page("www", &office.actor("seksi")).unwrap();
    let id = page.served[0].notice.clone().unwrap();
    let notice = office.desk.notice(&id, &office.actor("seksi")).unwrap();
    let text = message(&notice, Words::of(Lang::Id), "https://x").text;
    assert!(text.contains("A 192.0.2.10 (TTL 3600)\nSesudahnya:\n  A 192.0.2.11"), "{text}");
    office.desk.notice_handled(&id, "diantar", &office.actor("seksi")).unwrap();
}

#[test]
fn a_former_owner_hears_nothing_of_a_name_that_is_anothers_now() {
    let office = Office::new();
    office.desk.tick().unwrap();
    office.live(service("antrean", "192.0.2.9"));
    let mut gone = service("antrean", "192.0.2.9");
    gone.kind = Kind::Remove;
    gone.records.clear();
    office.live(gone);
    office.wait(181 * 86_400_000);
    office.desk.tick().unwrap();
    told(&office);
    let mut asked = service("antrean", "192.0.2.19");
    asked.office = "Dinas Lain".to_owned();
    asked.contact.email = "lain@example.id".to_owned();
    office.live(asked);
    edit(&office, line_more("peta.antrean A 192.0.2.77"));
    office.desk.tick().unwrap();
    let to: Vec<String> = told(&office).into_iter().map(|(notice, _)| notice.to).collect();
    assert_eq!(to, ["lain@example.id"]);
}
