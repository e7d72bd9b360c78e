//! What people are told: each notice says what belongs to its event, whenever it is sent.

use super::*;
use crate::notice::message;
use crate::queue::{Deed, Notice, NoticeReader, NoticeState};
use crate::words::{Lang, Words};

/// What an officer wrote on the letter.
const FAULT: &str = "Surat belum bertanda tangan.";

/// The notices that wait, the oldest first, with their texts.
fn waiting(office: &Office) -> Vec<(Notice, String)> {
    let due = office.desk.notices_due(1_000).unwrap();
    let of_requests = due.into_iter().filter(|notice| notice.request.is_some());
    let texts = of_requests.map(|notice| {
        let text = message(&notice, Words::of(Lang::Id), "https://x").text;
        (notice, text)
    });
    texts.collect()
}

/// The text of the one notice of an event to a reader.
fn text(all: &[(Notice, String)], deed: Deed, reader: NoticeReader) -> &str {
    let mut found = all.iter().filter(|(it, _)| (it.deed, it.reader) == (deed, reader));
    let (_, text) = found.next().unwrap();
    assert!(found.next().is_none(), "one notice of {deed} to the {reader}");
    text
}

/// Sends a request back with one fault.
fn send_back(office: &Office, number: &str) {
    let mut fix = line(LineCode::M1, LineVerdict::Fix);
    fix.note = Some(FAULT.to_owned());
    office.act(number, Act::Return { lines: vec![fix] }, "seksi").unwrap();
}

#[test]
fn a_notice_carries_what_belongs_to_its_event_and_nothing_else() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    send_back(&office, &sent.number);
    let applicant = office.desk.applicant(&sent.number, &sent.secret).unwrap();
    office.desk.resubmit(&sent.number, application(), Some(letter()), &applicant).unwrap();

    // Nothing has left yet: the texts are made now, after all of it has happened.
    let all = waiting(&office);
    let (to_applicant, to_officer) = (NoticeReader::Applicant, NoticeReader::Officer);
    let carries_fault: Vec<Deed> =
        all.iter().filter(|(_, text)| text.contains(FAULT)).map(|(it, _)| it.deed).collect();
    assert_eq!(carries_fault, [Deed::Return]);
    for (notice, text) in &all {
        assert!(text.contains("grogolkapetakan.desa.cirebonkab.go.id"), "{text}");
        assert!(!text.contains("cirebonkab.go.id."), "a final dot: {text}");
        let must_act = notice.reader == to_officer || notice.deed == Deed::Return;
        assert_eq!(text.contains("Batas waktu:"), must_act, "{}: {text}", notice.deed);
    }
    let returned = text(&all, Deed::Return, to_applicant);
    assert!(returned.contains(&format!("1. {}: {FAULT}", t(LineCode::M1))), "{returned}");
    // 14 working days for the applicant; 15 minutes for the head; 8 hours less what was used.
    assert!(returned.contains("10 Desember 2026 pukul 16.00 WIB"), "{returned}");
    let due = |deed| text(&all, deed, to_officer);
    assert!(
        due(Deed::Submit).contains("23 November 2026 pukul 08.15 WIB"),
        "{}",
        due(Deed::Submit)
    );
    assert!(due(Deed::Dispose).contains("pukul 16.00 WIB"), "{}", due(Deed::Dispose));
    assert!(due(Deed::Resubmit).contains("pukul 16.00 WIB"), "{}", due(Deed::Resubmit));
}

/// The question of a line of the check sheet.
fn t(line: LineCode) -> String {
    use crate::words::Said;
    line.say(Words::of(Lang::Id))
}

#[test]
fn a_rejection_gives_its_reason_and_a_live_name_its_proof() {
    let office = Office::new();
    let number = office.assigned(service("satu", "192.0.2.9"));
    let mut bad = line(LineCode::M1, LineVerdict::Bad);
    bad.note = Some(FAULT.to_owned());
    let (reason, note) = ("surat_tidak_sah".to_owned(), "Surat bukan dari dinas ini.".to_owned());
    office
        .act(&number, Act::Reject { reason, note: note.clone(), lines: vec![bad] }, "seksi")
        .unwrap();
    office.live(service("dua", "192.0.2.10"));
    let all = waiting(&office);
    let rejected = text(&all, Deed::Reject, NoticeReader::Applicant);
    assert!(rejected.contains(&format!("2. {note}")) && rejected.contains(FAULT), "{rejected}");
    let live = text(&all, Deed::Promoted, NoticeReader::Applicant);
    assert!(live.contains("https://dua.cirebonkab.go.id "), "{live}");
    for (_, text) in &all {
        assert!(!text.contains("dig @"), "our own sockets are nobody else's: {text}");
    }
}

#[test]
fn a_relay_that_is_switched_on_mails_news_and_leaves_the_rest_to_be_printed() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    let of_request = |office: &Office| -> Vec<(Deed, NoticeReader, String)> {
        let due = office.desk.notices_to_mail(1_000).unwrap().into_iter();
        let own = due.filter(|notice| notice.request.as_deref() == Some(sent.number.as_str()));
        own.map(|notice| (notice.deed, notice.reader, notice.id)).collect()
    };
    let found = of_request(&office);
    let told: Vec<_> = found.iter().map(|(deed, reader, _)| (*deed, *reader)).collect();
    // The head has routed it: to be asked to would be old news. The applicant still wants a receipt.
    let wanted = [(Deed::Submit, NoticeReader::Applicant), (Deed::Dispose, NoticeReader::Officer)];
    assert_eq!(told, wanted);

    office.wait(3 * 86_400_000);
    assert_eq!(of_request(&office), []);
    let due = office.desk.notices_due(1_000).unwrap();
    assert!(due.iter().all(|notice| notice.request.is_none()), "put aside for good");
    let receipt = office.desk.notice(&found[0].2, &office.actor("seksi")).unwrap();
    assert_eq!(receipt.state(), NoticeState::Queued, "to be printed");
    let untold = || office.desk.overview(&office.actor("seksi")).unwrap().untold;
    assert_eq!(untold(), std::slice::from_ref(&sent.number));
    office.desk.notice_handled(&found[0].2, "diserahkan langsung", &office.actor("seksi")).unwrap();
    assert_eq!(untold(), [""; 0]);
}

#[test]
fn an_erasure_takes_what_was_written_out_of_the_notices_too() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    send_back(&office, &sent.number);
    let applicant = office.desk.applicant(&sent.number, &sent.secret).unwrap();
    office.desk.act(&sent.number, &Act::Withdraw { letter: String::new() }, &applicant).unwrap();
    let (kabid, returned) = (office.actor("kepala"), returned(&office, &sent.number));
    assert_eq!(office.desk.notice(&returned, &kabid).unwrap().values.points.len(), 1);
    office.desk.erase(&sent.number, "permintaan pemohon", &kabid).unwrap();
    let notice = office.desk.notice(&returned, &kabid).unwrap();
    assert_eq!((notice.values.points.len(), notice.to.as_str()), (0, ""));
}

/// The id of the notice of a return.
fn returned(office: &Office, number: &str) -> String {
    let notices = office.view(number).notices;
    notices.into_iter().find(|notice| notice.about == "return").unwrap().id
}

#[test]
fn only_those_who_may_print_a_notice_read_it() {
    let office = Office::new();
    let number = office.assigned(application());
    send_back(&office, &number);
    let id = returned(&office, &number);
    assert!(office.desk.notice(&id, &office.actor("seksi")).is_ok());
    for name in ["operator", "pengawas"] {
        assert_eq!(office.desk.notice(&id, &office.actor(name)).unwrap_err().code(), "not_allowed");
    }
    let none = office.desk.notice("n999-1", &office.actor("seksi")).unwrap_err();
    assert_eq!(none.code(), "not_found");
}

#[test]
fn what_an_officer_prints_has_no_link_and_links_end_with_their_question() {
    let office = Office::new();
    let number = office.assigned(application());
    let ask = || {
        let (party, email) = ("Dinas Lain".to_owned(), "lain@example.id".to_owned());
        office.act(&number, Act::Consult { party, email }, "seksi").unwrap();
        let due = office.desk.notices_due(1_000).unwrap();
        let asked = due.into_iter().rfind(|notice| notice.reader == NoticeReader::Party).unwrap();
        (asked.id.clone(), asked.values.token.unwrap())
    };
    let (id, token) = ask();
    let printed = office.desk.notice(&id, &office.actor("seksi")).unwrap();
    for lang in [Lang::Id, Lang::En] {
        let text = message(&printed, Words::of(lang), "https://x").text;
        assert!(!text.contains("/konfirmasi/") && !text.contains(&token), "{text}");
    }
    assert!(office.desk.party_link(&token).unwrap().is_some());
    send_back(&office, &number);
    assert!(office.desk.party_link(&token).unwrap().is_none(), "nobody waits for it");
}
