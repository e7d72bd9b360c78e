//! A name's year on pages: the owner's link, the status page, the page of the name, what the system asks
//! for, and the two kinds that change no record.

use super::*;
use crate::desk::Viewer;
use crate::queue::{Act, Actor, LineInput, LineVerdict, LiveState, State as RequestState};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// The name of these tests.
const NAME: &str = "antrean.cirebonkab.go.id";

/// An officer of the site.
fn officer(site: &Site, name: &str) -> Actor {
    let account = site.people.list().unwrap().into_iter().find(|it| it.name == name).unwrap();
    site.desk.actor(&account.id).unwrap().unwrap()
}

/// Brings a request through the machine, with the head's signature where it needs one.
fn through(site: &Site, number: &str) {
    let (head, kasi) = (officer(site, "kabid"), officer(site, "kasi"));
    let route = Act::Dispose { to: "kasi".to_owned(), instruction: "Periksa".to_owned() };
    site.desk.act(number, &route, &head).unwrap();
    let view = site.desk.view(number, &Viewer::Officer(kasi.clone())).unwrap();
    let candidate = view.candidate.clone().unwrap();
    let open =
        view.lines.iter().filter(|line| !line.automatic || line.verdict == Some(LineVerdict::Fix));
    let lines = open.map(|line| LineInput {
        code: line.code,
        verdict: Some(LineVerdict::Ok),
        note: line.automatic.then(|| "sudah diperiksa".to_owned()),
    });
    let approve = Act::Approve {
        revision: view.revision,
        candidate: candidate.hash.clone(),
        serial: Some(candidate.serial),
        lines: lines.collect(),
    };
    let view = site.desk.act(number, &approve, &kasi).unwrap();
    if view.state == RequestState::Verified {
        let sign = Act::Countersign { candidate: candidate.hash };
        site.desk.act(number, &sign, &head).unwrap();
    }
    let now = site.desk.view(number, &Viewer::Officer(kasi)).unwrap();
    assert_eq!(now.state, RequestState::Live, "{:?}", now.reason);
}

/// A name that went live; its request and secret.
async fn live(site: &Site) -> (String, String) {
    let mut browser = Browser::new(site);
    browser.fill_in("antrean", "192.0.2.30").await;
    let once = browser.hidden("once");
    browser.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = browser.after("<b class=\"big\">");
    let secret = browser.after("<code class=\"secret\">");
    through(site, &number);
    (number, secret)
}

/// Lets days go by, with a turn of the timers on each.
fn days(site: &Site, count: i64) {
    for _ in 0..count {
        site.time.fetch_add(DAY, Ordering::Relaxed);
        site.desk.tick().unwrap();
    }
}

/// The token of the newest mailed link.
fn link(site: &Site) -> String {
    let due = site.desk.notices_due(1_000).unwrap();
    due.into_iter().filter_map(|notice| notice.values.token).next_back().unwrap()
}

/// The state of the name.
fn state(site: &Site) -> LiveState {
    site.desk.record(NAME).unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_answers_the_mail_with_one_press_or_goes_on_with_a_renewal() {
    let site = office();
    live(&site).await;
    days(&site, 370);
    assert_eq!(state(&site), LiveState::Reconfirming);
    let path = format!("/konfirmasi/{}", link(&site));
    let mut owner = Browser::new(&site);
    owner.open(&path).await;
    for part in [NAME, "Dinas Kesehatan", "Masih dipakai, kontaknya benar", "Tidak diperlukan lagi"]
    {
        assert!(owner.page.contains(part), "{part}: {}", owner.page);
    }
    let status = owner.post("/konfirmasi", &[]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a choice is asked for: {}", owner.page);
    assert!(owner.page.contains("<title>Kesalahan: "), "{}", owner.page);
    // Another contact: the form of a renewal, filled in; with the letter that this takes. It replaces what was
    // begun in this browser only where the owner says so.
    owner.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    owner.post("/konfirmasi", &[("answer", "ubah")]).await;
    assert!(owner.page.contains("<p class=\"big\">Permohonan baru</p>"), "{}", owner.page);
    assert_eq!((owner.hidden("answer"), owner.hidden("sure")), ("ubah".into(), "ya".into()));
    owner.open("/permohonan").await;
    assert!(owner.page.contains("<p class=\"big\">Permohonan baru</p>"), "{}", owner.page);
    owner.post("/konfirmasi", &[("answer", "ubah"), ("sure", "ya")]).await;
    assert!(owner.page.contains("value=\"Rina Marlina\""), "{}", owner.page);
    // The same answer again finds nothing else to ask about.
    owner.post("/konfirmasi", &[("answer", "ubah")]).await;
    assert!(owner.page.contains("value=\"Rina Marlina\""), "{}", owner.page);
    let contact = [
        ("office", "Dinas Kesehatan"),
        ("contact_name", "Dedi Supardi"),
        ("contact_position", "Kepala Subbagian Umum"),
        ("contact_email", "umum@dinkes.cirebonkab.go.id"),
        ("contact_phone", "0231-123456"),
    ];
    owner.post("/permohonan/2", &contact).await;
    owner.post("/permohonan/3", &[("name", "antrean"), ("purpose", "Antrean daring")]).await;
    assert!(owner.page.contains("Surat hanya diperlukan bila"), "{}", owner.page);
    let none = [("letter_number", ""), ("letter_date", "")];
    owner.post_letter("/permohonan/5", &none, "").await;
    assert!(owner.page.contains("<a href=\"#letter_number\">"), "{}", owner.page);
    let letter = [("letter_number", "440/2/Dinkes"), ("letter_date", "2027-11-20")];
    owner.post_letter("/permohonan/5", &letter, SURAT).await;
    assert!(owner.page.contains("<dd>Perpanjangan</dd>"), "{}", owner.page);
    let once = owner.hidden("once");
    owner.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = owner.after("<b class=\"big\">");
    through(&site, &number);
    assert_eq!(state(&site), LiveState::Live);
    let record = site.desk.record(NAME).unwrap().unwrap();
    assert_eq!(record.question, None);
    // In the next year one press is enough, and once.
    days(&site, 340);
    let path = format!("/konfirmasi/{}", link(&site));
    owner.open(&path).await;
    owner.post("/konfirmasi", &[("answer", "ya")]).await;
    assert!(owner.page.contains("dicatat masih dipakai"), "{}", owner.page);
    assert_eq!(owner.open("/konfirmasi").await, StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_and_the_page_of_the_name_take_an_answer() {
    let site = office();
    let (number, secret) = live(&site).await;
    days(&site, 340);
    let mut owner = Browser::new(&site);
    owner.open("/status").await;
    owner.post("/status", &[("number", &number), ("secret", &secret)]).await;
    assert!(owner.page.contains("Masih dipakaikah nama ini?"), "{}", owner.page);
    owner.post("/status/nama", &[("answer", "ya")]).await;
    assert!(owner.page.contains("dicatat masih dipakai"), "{}", owner.page);
    owner.open("/status").await;
    assert!(!owner.page.contains("Masih dipakaikah nama ini?"), "{}", owner.page);

    days(&site, 365);
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    let page = format!("/rekaman/{NAME}");
    kasi.open(&page).await;
    assert!(kasi.page.contains("Pemilik ditanya pada"), "{}", kasi.page);
    let act = format!("{page}/masih-dipakai");
    kasi.open(&act).await;
    kasi.post(&act, &[("letter", "")]).await;
    assert!(kasi.page.contains("aria-invalid=\"true\""), "{}", kasi.page);
    kasi.post(&act, &[("letter", "440/9/Dinkes")]).await;
    assert!(kasi.page.contains("Konfirmasi pemilik untuk"), "{}", kasi.page);
    assert!(kasi.page.contains("Pemilik ditanya lagi"), "{}", kasi.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_asks_for_says_so_wherever_it_is_shown() {
    let site = office();
    live(&site).await;
    days(&site, 400);
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    assert!(head.page.contains("Sistem (otomatis)"), "the start page: {}", head.page);
    assert!(head.page.contains("Nama menunggu konfirmasi pemilik"), "{}", head.page);
    head.open("/antrean?daftar=semua").await;
    assert!(head.page.contains("Penangguhan · Sistem (otomatis)"), "{}", head.page);
    let number = head.page.split("/tinjau/").nth(1).unwrap()[..14].to_owned();
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    let order = [("to", "kasi"), ("instruction", "Telepon dahulu.")];
    let path = format!("/tinjau/{number}/disposisi");
    head.open(&path).await;
    head.post(&path, &order).await;
    kasi.open(&format!("/tinjau/{number}")).await;
    let why = "Diajukan oleh sistem, bukan oleh instansi, karena pemilik tidak menjawab";
    for part in [why, "M11", "Pemilik sudah dihubungi sekali lagi"] {
        assert!(kasi.page.contains(part), "{part}: {}", kasi.page);
    }
    assert!(!kasi.page.contains("M1 "), "no letter: {}", kasi.page);
    kasi.open(&format!("/tinjau/{number}/tolak")).await;
    assert!(kasi.page.contains("Nama masih dipakai"), "{}", kasi.page);
    kasi.open(&format!("/tinjau/{number}")).await;
    assert!(!kasi.page.contains("kembalikan"), "there is nobody to correct it: {}", kasi.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_goes_through_the_form() {
    let site = office();
    live(&site).await;
    let mut other = Browser::new(&site);
    other.open("/permohonan").await;
    assert!(other.page.contains("Alih kelola"), "{}", other.page);
    other.post("/permohonan/1", &[("kind", "hand_over"), ("class", "layanan")]).await;
    assert!(other.page.contains("instansi yang akan mengelola"), "{}", other.page);
    let contact = [
        ("office", "RSUD Arjawinangun"),
        ("contact_name", "Sri"),
        ("contact_position", "Kepala Bagian Umum"),
        ("contact_email", "umum@rsud.example"),
        ("contact_phone", "0231-123457"),
    ];
    other.post("/permohonan/2", &contact).await;
    other.post("/permohonan/3", &[("name", "antrean"), ("purpose", "Antrean daring")]).await;
    assert!(other.page.contains("surat kedua instansi"), "{}", other.page);
    let letter = [("letter_number", "800/3/RSUD"), ("letter_date", "2026-11-20")];
    other.post_letter("/permohonan/5", &letter, SURAT).await;
    let once = other.hidden("once");
    other.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = other.after("<b class=\"big\">");
    let mut visitor = Browser::new(&site);
    visitor.open("/subdomain").await;
    assert!(!visitor.page.contains("Kepala Bagian Umum"), "{}", visitor.page);
    through(&site, &number);
    assert_eq!(site.desk.record(NAME).unwrap().unwrap().office, "RSUD Arjawinangun");
    visitor.open("/subdomain").await;
    assert!(visitor.page.contains("Kepala Bagian Umum"), "the new owner's: {}", visitor.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_for_a_public_name_is_looked_up_once_until_something_happens() {
    let site = office();
    let (number, _) = live(&site).await;
    let mut stranger = Browser::new(&site);
    stranger.open("/subdomain.csv").await;
    assert!(stranger.page.contains(";Kepala Subbagian Umum;"), "{}", stranger.page);
    {
        let mut kept = site.state.kept_sites().turn().await;
        assert_eq!(kept.contacts.get(&number).map(String::as_str), Some("Kepala Subbagian Umum"));
        kept.contacts.insert(number, "Diingat".to_owned());
    }
    stranger.open("/subdomain.csv").await;
    assert!(stranger.page.contains(";Diingat;"), "{}", stranger.page);
    // Any event ends it, as an erasure is one.
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let place = "/rekaman/ns2.cirebonkab.go.id/pemilik";
    admin.open(place).await;
    admin.post(place, &[("office", "Dinas Kominfo"), ("class", "layanan")]).await;
    stranger.open("/subdomain.csv").await;
    assert!(stranger.page.contains(";Kepala Subbagian Umum;"), "{}", stranger.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_a_name_up_asks_before_it_replaces_a_form_that_was_begun_here() {
    let site = office();
    let (number, secret) = live(&site).await;
    let mut owner = Browser::new(&site);
    owner.open("/status").await;
    owner.post("/status", &[("number", &number), ("secret", &secret)]).await;
    owner.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    owner.open("/status/riwayat").await;
    owner.post("/status/lepas", &[]).await;
    assert!(owner.page.contains("<p class=\"big\">Permohonan baru</p>"), "{}", owner.page);
    assert!(owner.page.contains("action=\"/status/lepas\""), "{}", owner.page);
    owner.open("/permohonan/2").await;
    assert!(!owner.page.contains("Rina Marlina"), "asked only: {}", owner.page);
    let sure = owner.post("/status/lepas", &[("sure", "ya")]).await;
    assert_eq!(sure, StatusCode::OK);
    assert!(owner.page.contains("value=\"Rina Marlina\""), "{}", owner.page);
}
