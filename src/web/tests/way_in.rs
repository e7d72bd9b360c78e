//! The way in: a village finds its name without writing it, plain words for where the site is, texts that an
//! administrator changes.

use axum::http::{Request, StatusCode, header::CONTENT_TYPE};

use super::{Browser, TEXTS_TURN, office, office_with};
use crate::desk::Viewer;

/// The person responsible of a village.
const KUWU: [(&str, &str); 5] = [
    ("office", "Pemerintah Desa Grogol"),
    ("contact_name", "Kuwu Grogol"),
    ("contact_position", "Kuwu"),
    ("contact_email", "grogol.desa@gmail.com"),
    ("contact_phone", "0231-123456"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_village_chooses_where_it_lies_and_its_name_is_there() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "desa")]).await;
    assert!(browser.page.contains("Kecamatan mana?"), "{}", browser.page);
    let options = browser.page.matches("<option").count();
    assert_eq!(options, 41, "each of 40 districts, and none");
    browser.post("/permohonan/wilayah", &[("district", "32.09.22")]).await;
    assert!(browser.page.contains("Desa mana?"), "{}", browser.page);
    assert!(browser.page.matches("type=\"radio\"").count() <= 14, "{}", browser.page);
    browser.post("/permohonan/wilayah/unit", &[("region", "32.09.22.2015")]).await;
    assert!(browser.page.contains("value=\"Pemerintah Desa Grogol\""), "{}", browser.page);
    browser.post("/permohonan/2", &KUWU).await;
    // Two villages are called so, and this district is written in two ways.
    for part in ["Ada beberapa desa bernama Grogol", "grogolkepetakan.desa", "grogolkapetakan.desa"]
    {
        assert!(browser.page.contains(part), "{part}: {}", browser.page);
    }
    let name = [("name", "grogolkapetakan.desa"), ("purpose", "Situs resmi desa")];
    browser.post("/permohonan/3", &name).await;
    assert!(browser.page.contains("Di mana situs Anda?"), "{}", browser.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_person_are_told_at_their_step_and_all_at_once() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    let mut wrong = KUWU.to_vec();
    wrong.retain(|(name, _)| *name != "contact_phone" && *name != "contact_position");
    wrong.extend([("contact_phone", "abc"), ("contact_nip", "123")]);
    let status = browser.post("/permohonan/2", &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["contact_position", "contact_phone", "contact_nip"] {
        let link = format!("<a href=\"#{field}\">");
        assert!(browser.page.contains(&link), "{field}: {}", browser.page);
    }
    let letter = [("letter_number", "1"), ("letter_date", "2099-01-01")];
    browser.post_letter("/permohonan/5", &letter, "no letter").await;
    assert!(browser.page.contains("Tanggal surat belum tiba"), "{}", browser.page);
    assert!(browser.page.contains("bukan PDF, JPEG, atau PNG"), "{}", browser.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_site_is_needs_no_word_of_dns() {
    let site = office_with(|_, desk| {
        desk.hostings = vec![("Hosting desa".to_owned(), "198.51.100.80".to_owned())];
    });
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    browser.post("/permohonan/2", &KUWU).await;
    browser.post("/permohonan/3", &[("name", "antrean"), ("purpose", "Antrean")]).await;
    assert!(browser.page.contains("Hosting desa") && !browser.page.contains("198.51.100.80"));
    browser.post("/permohonan/4", &[("target", "server")]).await;
    let server = [("target_server", "https://server1.hosting.example/")];
    browser.post("/permohonan/tujuan/server", &server).await;
    assert!(browser.page.contains("Surat permohonan"), "{}", browser.page);
    browser.open("/permohonan/4?ubah=1").await;
    browser.post("/permohonan/4?ubah=1", &[("target", "ahli")]).await;
    let mail = [("type0", "MX"), ("data0", "mail.contoh.go.id")];
    let status = browser.post("/permohonan/tujuan/ahli", &mail).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.page.contains("10 mail.contoh.go.id"), "{}", browser.page);
    browser.post("/permohonan/4", &[("target", "hosting:Hosting desa")]).await;
    let letter = [("letter_number", "440/1/Dinkes"), ("letter_date", "2026-11-20")];
    browser.post_letter("/permohonan/5", &letter, super::SURAT).await;
    assert!(browser.page.contains("<dd>Hosting desa</dd>"), "{}", browser.page);
    // Nobody takes what is at gmail.com for an office's, and it is said before sending.
    assert!(browser.page.contains("bukan surel instansi"), "{}", browser.page);
    // The form is found again, and named without the person.
    browser.open("/permohonan").await;
    assert!(browser.page.contains("antrean.cirebonkab.go.id"), "{}", browser.page);
    assert!(!browser.page.contains("Kuwu"), "{}", browser.page);
    browser.post("/permohonan", &[("lanjut", "hapus")]).await;
    browser.open("/permohonan").await;
    assert!(browser.page.contains("Apa yang Anda ajukan?"), "{}", browser.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_come_before_its_site_has_a_place_and_goes_live_only_after() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.open("/permohonan").await;
    applicant.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    applicant.post("/permohonan/2", &KUWU).await;
    applicant.post("/permohonan/3", &[("name", "antrean"), ("purpose", "Antrean")]).await;
    applicant.post("/permohonan/4", &[("target", "belum")]).await;
    let place = "/permohonan/tujuan/belum";
    for wrong in ["", "2020-01-01", "2027-12-01"] {
        let status = applicant.post(place, &[("hosting_by", wrong)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(applicant.page.contains("<a href=\"#hosting_by\">"), "{}", applicant.page);
    }
    applicant.post(place, &[("hosting_by", "2027-01-10")]).await;
    let letter = [("letter_number", "440/1/Dinkes"), ("letter_date", "2026-11-20")];
    applicant.post_letter("/permohonan/5", &letter, super::SURAT).await;
    assert!(applicant.page.contains("<dd>Belum ada</dd>"), "{}", applicant.page);
    assert!(applicant.page.contains("<dd>10 Januari 2027</dd>"), "{}", applicant.page);
    let once = applicant.hidden("once");
    applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = applicant.after("<b class=\"big\">");
    applicant.open("/status").await;
    assert!(applicant.page.contains("belum mempunyai tempat (perkiraan: 10 Januari 2027)"));

    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    let sheet = format!("/tinjau/{number}");
    head.open(&format!("{sheet}/disposisi")).await;
    let order = [("to", "kasi"), ("instruction", "Periksa.")];
    head.post(&format!("{sheet}/disposisi"), &order).await;
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    kasi.open(&sheet).await;
    assert!(kasi.page.contains("Situs belum mempunyai tempat."), "{}", kasi.page);
    let all: Vec<_> = ["M1", "M2", "M3", "M4", "M5", "M6", "M7", "A7", "A11"]
        .into_iter()
        .flat_map(|code| [(format!("v-{code}"), "ok"), (format!("n-{code}"), "Sudah diperiksa.")])
        .collect();
    let mut all: Vec<(&str, &str)> = all.iter().map(|(name, it)| (name.as_str(), *it)).collect();
    all.push(("lanjut", "setujui"));
    kasi.post(&sheet, &all).await;
    assert!(kasi.page.contains("Belum dapat disetujui"), "{}", kasi.page);
    let back = [("v-M7", "fix"), ("n-M7", "Isi alamatnya."), ("lanjut", "kembalikan")];
    kasi.open(&sheet).await;
    kasi.post(&sheet, &back).await;
    kasi.post(&format!("{sheet}/kembalikan"), &[]).await;
    assert!(kasi.page.contains("PERLU PERBAIKAN"), "{}", kasi.page);
    // The time for it begins when there should be a place.
    let due = site.desk.view(&number, &Viewer::Applicant).unwrap().summary.due.unwrap();
    assert!(due.as_str() > "2027-01-28", "{due}");
    applicant.open("/status/perbaikan").await;
    let target = [("target_any", ""), ("hosting_by", "")];
    let status = applicant.post("/status/perbaikan", &target).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{}", applicant.page);
    applicant.post("/status/perbaikan", &[("target_any", "192.0.2.44")]).await;
    let view = site.desk.view(&number, &Viewer::Applicant).unwrap();
    assert_eq!((view.revision, view.hosting_by, view.records.len()), (2, None, 1));
    kasi.open(&sheet).await;
    assert!(!kasi.page.contains("Situs belum mempunyai tempat."), "{}", kasi.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_too_large_is_a_page_with_a_way_back() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan/5").await;
    let request = Request::post("/permohonan/5")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
        .header("content-length", (64 * 1024 * 1024).to_string());
    let response = browser.send(request, String::new()).await;
    assert_eq!(browser.keep(response).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(browser.page.contains("Kiriman terlalu besar"), "{}", browser.page);
    assert!(browser.page.contains("href=\"/permohonan/5\""), "{}", browser.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_changes_a_text_and_goes_back_to_the_shipped_one() {
    let _turn = TEXTS_TURN.lock().await;
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let place = "/pengaturan/teks/hosting/en";
    admin.open(place).await;
    let body = [("body", "Ask <us> first.\n\n- see https://example.go.id/hosting.")];
    admin.post(place, &[body[0], ("lanjut", "pratinjau")]).await;
    let link = "<a href=\"https://example.go.id/hosting\">";
    assert!(admin.page.contains(link) && admin.page.contains("Belum tersimpan"), "{}", admin.page);
    admin.post(place, &body).await;
    assert!(admin.page.contains("Teks tersimpan"), "{}", admin.page);
    let event = site.desk.events_up_to(None, 1).unwrap().pop().unwrap();
    assert_eq!((event.act.as_str(), event.subject.as_str()), ("text_changed", "settings:text"));
    assert_eq!(event.payload.get("sha256").map(String::len), Some(64));
    let mut reader = Browser::new(&site);
    reader.open("/bahasa/en?ke=/").await;
    reader.open("/bantuan").await;
    assert!(reader.page.contains("Ask &#60;us&#62; first."), "{}", reader.page);
    admin.post(place, &[("lanjut", "bawaan")]).await;
    reader.open("/bantuan").await;
    assert!(!reader.page.contains("first."), "{}", reader.page);
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert_eq!(kasi.open("/pengaturan/teks").await, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_names_the_rules_in_force() {
    let site = office_with(|_, desk| desk.naming.min_length = 5);
    let mut reader = Browser::new(&site);
    reader.open("/aturan-nama").await;
    assert!(reader.page.contains("Paling pendek 5 karakter"), "{}", reader.page);
    assert!(reader.page.contains("desa.<wbr>cirebonkab"), "{}", reader.page);
    for place in ["/contoh-surat", "/contoh-surat?jenis=perubahan", "/bantuan", "/"] {
        assert_eq!(reader.open(place).await, StatusCode::OK, "{place}");
    }
    // The letter as a file says what the page says; it is drawn once.
    reader.open("/contoh-surat?jenis=perubahan").await;
    assert!(reader.page.contains("[KOP SURAT INSTANSI]"), "{}", reader.page);
    assert_eq!(reader.page.matches("<h1").count(), 1, "{}", reader.page);
    let file = reader.link("/contoh-surat.pdf");
    assert_eq!(file, "/contoh-surat.pdf?jenis=perubahan");
    assert_eq!(reader.open(&file).await, StatusCode::OK);
    assert!(reader.page.starts_with("%PDF-1.7"));
    let first = reader.page.clone();
    reader.open(&file).await;
    assert!(reader.page == first);
    reader.open("/contoh-surat.pdf").await;
    assert!(reader.page != first, "another letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_language_leads_to_no_other_host() {
    let site = office();
    let mut reader = Browser::new(&site);
    for away in ["//lain.example", "/\\lain.example", "/%09/lain.example", "/%0A/lain.example", "x"]
    {
        reader.open(&format!("/bahasa/en?ke={away}")).await;
        assert!(reader.page.contains("<main"), "{away}: the first page");
    }
}
