//! The pages of officers: what waits for whom, faults where they are, and what is typed is not lost.

use super::*;

impl Browser<'_> {
    /// Sends a request in; its number.
    async fn submit(&mut self, name: &str) -> String {
        self.fill_in(name, "192.0.2.30").await;
        let once = self.hidden("once");
        self.post("/permohonan/periksa", &[("once", &once)]).await;
        self.after("<b class=\"big\">")
    }
}

/// A village's request, sent in past the pages; its number.
fn village(site: &Site) -> String {
    let by = desk::Submitter {
        actor: crate::queue::Actor::applicant("Sutrisno", crate::queue::Identity::default(), None),
        mailbox_proven: true,
        proof_of: None,
        network: None,
        letter_on_paper: false,
    };
    let letter = uploads::inspect(uploads::SAMPLE).unwrap();
    let village = crate::queue::fixture::application();
    site.desk.submit(village, Some(letter), &by).unwrap().number
}

/// Routes a request to the kasi.
async fn dispose(head: &mut Browser<'_>, number: &str) {
    let path = format!("/tinjau/{number}/disposisi");
    head.open(&path).await;
    let order = [("to", "kasi"), ("instruction", "Telepon dahulu kepala puskesmasnya.")];
    head.post(&path, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_stand_at_the_line_and_nothing_typed_is_lost() {
    let site = office();
    let number = Browser::new(&site).submit("antrean").await;
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    let path = format!("/tinjau/{number}/disposisi");
    head.open(&path).await;
    head.post(&path, &[("to", "kasi"), ("instruction", "")]).await;
    assert!(head.page.contains("<a href=\"#instruction\">Instruksi belum diisi.</a>"));
    assert!(head.page.contains("aria-invalid=\"true\""), "{}", head.page);
    dispose(&mut head, &number).await;
    assert!(head.page.contains("Disposisi tersimpan"), "{}", head.page);

    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert!(kasi.page.contains(&number), "it waits for the kasi: {}", kasi.page);
    let sheet = format!("/tinjau/{number}");
    kasi.open(&sheet).await;
    assert!(kasi.page.contains("Telepon dahulu kepala puskesmasnya."), "the instruction");
    assert!(kasi.page.contains("Menunggu: kasi"), "{}", kasi.page);
    kasi.post(&sheet, &[("v-M1", "fix"), ("n-M1", ""), ("v-M2", "ok"), ("n-M3", "CATATAN")]).await;
    assert!(kasi.page.contains("<a href=\"#M1\">M1 "), "{}", kasi.page);
    assert!(kasi.page.contains("id=\"salah-M1\""), "the fault is at its line");
    assert!(kasi.page.contains(">CATATAN</textarea>"), "what was typed stays");
    // "In order" for the rest is shown before it is saved.
    kasi.post(&sheet, &[("v-M1", "fix"), ("n-M1", "Tanpa cap."), ("lanjut", "sesuai")]).await;
    assert!(kasi.page.contains("belum disimpan"), "{}", kasi.page);
    let saved = site.desk.view(&number, &desk::Viewer::Applicant).unwrap();
    assert!(saved.lines.iter().all(|line| line.note.is_none()), "decided on by nobody yet");
    kasi.open(&sheet).await;
    assert!(!kasi.page.contains("belum disimpan"));
    // Reasons of a rejection are words, and the fault is at its field.
    kasi.post(&sheet, &[("v-M1", "bad"), ("n-M1", "Palsu."), ("lanjut", "tolak")]).await;
    kasi.post(&format!("{sheet}/tolak"), &[("reason", ""), ("note", "Surat palsu.")]).await;
    assert!(kasi.page.contains("<a href=\"#reason\">"), "{}", kasi.page);
    assert!(!kasi.page.contains("(bukan_kewenangan"), "{}", kasi.page);
    assert!(kasi.page.contains("Surat palsu."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_sent_after_the_session_ended_comes_back_to_its_officer_only() {
    let site = office();
    let number = Browser::new(&site).submit("antrean").await;
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    dispose(&mut head, &number).await;
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    let sheet = format!("/tinjau/{number}");
    kasi.open(&sheet).await;
    site.time.fetch_add(31 * 60_000, Ordering::Relaxed);
    kasi.post(&sheet, &[("v-M1", "fix"), ("n-M1", "CATATAN-PANJANG")]).await;
    assert_eq!(kasi.hidden("ke"), sheet, "{}", kasi.page);
    // Somebody else at the same machine does not see it.
    let jar = kasi.jar.clone();
    let mut other = Browser { jar, ..Browser::new(&site) };
    other.open(&format!("/masuk?ke={sheet}")).await;
    let sign_in = |name| [("ke", sheet.as_str()), ("name", name), ("password", PASSWORD)];
    other.post("/masuk", &sign_in("kabid")).await;
    assert!(other.page.contains(&number) && !other.page.contains("CATATAN-PANJANG"));
    kasi.post("/masuk", &sign_in("kasi")).await;
    assert!(kasi.page.contains(">CATATAN-PANJANG</textarea>"), "{}", kasi.page);
    assert!(kasi.page.contains("diisikan kembali"), "{}", kasi.page);
    kasi.post(&sheet, &[("v-M1", "fix"), ("n-M1", "CATATAN-LAIN")]).await;
    kasi.open(&sheet).await;
    assert!(!kasi.page.contains("diisikan kembali"), "it was sent");
    // A proof that is too old keeps it as well; a day later it is gone.
    site.time.fetch_add(16 * 60_000, Ordering::Relaxed);
    kasi.post(&format!("{sheet}/tolak"), &[("reason", "rangkap"), ("note", "ALASAN")]).await;
    let back = kasi.hidden("ke");
    kasi.post("/masuk/lagi", &[("ke", &back), ("password", PASSWORD)]).await;
    assert!(kasi.page.contains(">ALASAN</textarea>"), "{}", kasi.page);
    site.time.fetch_add(25 * 3_600_000, Ordering::Relaxed);
    let person = site.people.by_name("kasi").unwrap().id;
    assert_eq!(site.desk.unsent(&person, &back).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_officer_typed_comes_back_where_it_was_typed() {
    let _turn = TEXTS_TURN.lock().await;
    let site = office();
    let text = "/pengaturan/teks/faq/id";
    // The form, what is typed in it, the page to go back to, and how it looks there.
    let forms: [(&str, &[(&str, &str)], &str, &str); 4] = [
        (text, &[("body", "TEKS-PANJANG")], text, ">TEKS-PANJANG</textarea>"),
        ("/plh", &[("letter", "800/1/PLH")], "/plh", "value=\"800/1/PLH\""),
        ("/pengguna", &[("email", "baru@example.id")], "/pengguna", "value=\"baru@example.id\""),
        (
            "/pengguna/kasi/ubah",
            &[("sure", "ya"), ("full_name", "Siti Aminah")],
            "/pengguna",
            "name=\"csrf\"",
        ),
    ];
    for (form, fields, page, shown) in forms {
        let name = if form == "/plh" { "kabid" } else { "admin" };
        let mut officer = Browser::new(&site);
        officer.sign_in(name).await;
        officer.open(page).await;
        site.time.fetch_add(31 * 60_000, Ordering::Relaxed);
        officer.post(form, fields).await;
        assert_eq!(officer.hidden("ke"), page, "{}", officer.page);
        let sign_in = [("ke", page), ("name", name), ("password", PASSWORD)];
        officer.post("/masuk", &sign_in).await;
        assert!(officer.page.contains(shown), "{form}: {}", officer.page);
    }
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    // Where a button leads to the form, it is filled in behind the button, as often as it is pressed.
    for _ in 0..2 {
        admin.post("/pengguna/kasi/ubah", &[]).await;
        assert!(admin.page.contains("value=\"Siti Aminah\""), "{}", admin.page);
        assert!(admin.page.contains("diisikan kembali"), "{}", admin.page);
    }
    // A password is never kept.
    admin.open("/akun/sandi").await;
    site.time.fetch_add(31 * 60_000, Ordering::Relaxed);
    admin.post("/akun/sandi", &[("password", PASSWORD), ("new", "RAHASIA-BARU-1")]).await;
    let person = site.people.by_name("admin").unwrap().id;
    assert!(site.desk.all_unsent(&person).unwrap().iter().all(|(form, _)| form != "/akun/sandi"));
    // Too long a text is told at its field, in whatever letters.
    let sign_in = [("ke", text), ("name", "admin"), ("password", PASSWORD)];
    admin.open("/masuk").await;
    admin.post("/masuk", &sign_in).await;
    let long = "é".repeat(desk::TEXT_MAX + 1);
    let answer = admin.post(text, &[("body", &long)]).await;
    assert_eq!(answer, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(admin.page.contains("<a href=\"#body\">"), "{}", admin.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_of_a_class_are_routed_in_one_press_each_by_itself() {
    let site = office();
    let mut numbers = Vec::new();
    for name in ["antrean", "cuaca", "pajak"] {
        numbers.push(Browser::new(&site).submit(name).await);
    }
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    let chosen = format!("/antrean/disposisi?pilih={}&pilih={}", numbers[0], numbers[1]);
    assert_eq!(kasi.open(&chosen).await, StatusCode::FORBIDDEN);
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    head.open("/antrean/disposisi").await;
    assert!(head.page.contains("Pilih sedikitnya satu"), "{}", head.page);
    // One instruction fits requests of one class; others are not routed with them.
    let village = village(&site);
    let mixed = [("pilih", numbers[2].as_str()), ("pilih", &village), ("to", "kasi")];
    let mixed = [&mixed[..], &[("instruction", "Periksa.")]].concat();
    let answer = head.post("/antrean/disposisi", &mixed).await;
    assert_eq!(answer, StatusCode::UNPROCESSABLE_ENTITY, "{}", head.page);
    head.open(&chosen).await;
    assert!(head.page.contains("Disposisikan 2 permohonan"), "{}", head.page);
    let both = [("pilih", numbers[0].as_str()), ("pilih", &numbers[1]), ("to", "kasi")];
    let empty = [&both[..], &[("instruction", "")]].concat();
    assert_eq!(head.post("/antrean/disposisi", &empty).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(head.page.contains("<a href=\"#instruction\">"), "{}", head.page);
    let order = [&both[..], &[("instruction", "Periksa.")]].concat();
    head.post("/antrean/disposisi", &order).await;
    assert!(head.page.contains("2 permohonan didisposisikan"), "{}", head.page);
    assert!(head.page.contains(&numbers[2]) && !head.page.contains(&numbers[0]));
    let chain = site.desk.events(0, 1_000).unwrap();
    let routed = |event: &&crate::audit::Event| {
        event.act == "dispose" && !event.payload.contains_key("turned_back")
    };
    assert_eq!(chain.iter().filter(routed).count(), 2);
    // Once more is refused for each, by its own number.
    head.open(&chosen).await;
    assert!(head.page.contains("tidak lagi menunggu disposisi"), "{}", head.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_the_file_gets_an_office_and_leaves_the_public_list_on_its_page() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    admin.open("/rekaman?cari=ns2").await;
    assert!(admin.page.contains("/rekaman/ns2.cirebonkab.go.id"), "{}", admin.page);
    assert!(!admin.page.contains("/rekaman/ns1.cirebonkab.go.id"), "{}", admin.page);
    let place = "/rekaman/ns2.cirebonkab.go.id";
    admin.open(&format!("{place}/pemilik")).await;
    admin.post(&format!("{place}/pemilik"), &[("office", ""), ("class", "layanan")]).await;
    assert!(admin.page.contains("<a href=\"#office\">Instansi belum diisi.</a>"), "{}", admin.page);
    let none = [("office", "Dinas Kominfo"), ("class", "lain")];
    let answer = admin.post(&format!("{place}/pemilik"), &none).await;
    assert_eq!(answer, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(admin.page.contains("<a href=\"#class\">"), "{}", admin.page);
    let owner = [("office", "Dinas Kominfo"), ("class", "layanan")];
    admin.post(&format!("{place}/pemilik"), &owner).await;
    assert!(admin.page.contains("Instansi dan kelas"), "{}", admin.page);
    assert!(admin.page.contains("Dinas Kominfo"), "{}", admin.page);
    // A page that was opened before does not overwrite it.
    let late = [("office", "Dinas Kesehatan"), ("class", "layanan")];
    let answer = admin.post(&format!("{place}/pemilik"), &late).await;
    assert_eq!(answer, StatusCode::UNPROCESSABLE_ENTITY, "{}", admin.page);
    site.desk.tick().unwrap();
    let record = site.desk.record("ns2.cirebonkab.go.id").unwrap().unwrap();
    assert_eq!((record.office.as_str(), record.records.len()), ("Dinas Kominfo", 1));
    let mut stranger = Browser::new(&site);
    stranger.open("/subdomain").await;
    assert!(stranger.page.contains("ns2"), "{}", stranger.page);
    // Only the head hides a name, and says why.
    admin.open(place).await;
    assert!(!admin.page.contains("sembunyikan"), "{}", admin.page);
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    head.open(&format!("{place}/sembunyikan")).await;
    head.post(&format!("{place}/sembunyikan"), &[("reason", "Nama teknis.")]).await;
    assert!(head.page.contains("tidak lagi tampil pada daftar umum"), "{}", head.page);
    stranger.open("/subdomain").await;
    assert!(!stranger.page.contains("ns2"), "{}", stranger.page);
    head.open(&format!("{place}/tampilkan")).await;
    head.post(&format!("{place}/tampilkan"), &[]).await;
    stranger.open("/subdomain").await;
    assert!(stranger.page.contains("ns2"), "{}", stranger.page);
    // An emergency needs a reason; the fault stands at its field.
    head.open(&format!("{place}/tangguhkan")).await;
    head.post(&format!("{place}/tangguhkan"), &[("reason", "")]).await;
    assert!(head.page.contains("<a href=\"#reason\">Alasan belum diisi.</a>"), "{}", head.page);
    assert_eq!(stranger.open("/rekaman").await, StatusCode::OK);
    assert!(stranger.page.contains("Masuk petugas"), "officers only");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_the_public_list_holds_no_place_of_other_work() {
    let site = office();
    let turn = site.state.kept_sites().turn().await;
    let mut visits = tokio::task::JoinSet::new();
    for _ in 0..17 {
        let from = SocketAddr::new("127.0.0.1".parse().unwrap(), 40_000);
        let visit = Request::get("/subdomain.csv").extension(ConnectInfo(from));
        let visit = visit.body(Body::empty()).unwrap();
        visits.spawn(site.router.clone().oneshot(visit));
    }
    tokio::task::yield_now().await;
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    assert_eq!(admin.open("/rekaman").await, StatusCode::OK);
    drop(turn);
    while let Some(visit) = visits.join_next().await {
        assert_eq!(visit.unwrap().unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_edited_gets_another_role_and_changes_its_own_password() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    let mut phone = Browser::new(&site);
    phone.sign_in("kasi").await;
    // The own password: the other session ends, this one goes on.
    kasi.open("/akun").await;
    assert!(kasi.page.contains("Akhiri semua sesi lain"), "{}", kasi.page);
    kasi.open("/akun/sandi").await;
    let new = "sungai-teluk-99-cermin";
    let wrong = [("password", "bukan ini sama sekali"), ("new", new), ("again", new)];
    assert_eq!(kasi.post("/akun/sandi", &wrong).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(kasi.page.contains("<a href=\"#password\">"), "{}", kasi.page);
    let right = [("password", PASSWORD), ("new", new), ("again", new)];
    assert_eq!(kasi.post("/akun/sandi", &right).await, StatusCode::OK);
    assert!(kasi.page.contains("(sesi ini)"), "{}", kasi.page);
    phone.open("/akun").await;
    assert!(phone.page.contains("Masuk petugas"), "{}", phone.page);
    // Jabatan is not the role; what is taken by somebody else is refused at its field.
    admin.open("/pengguna").await;
    let data = |email: &'static str| {
        let rank = ("rank", "Penata (III/c)");
        [("sure", "ya"), ("full_name", "Siti"), ("title", "Kepala Dinas"), rank, ("email", email)]
    };
    admin.post("/pengguna/kasi/ubah", &data("kabid@cirebonkab.go.id")).await;
    assert!(admin.page.contains("<a href=\"#email\">"), "{}", admin.page);
    admin.post("/pengguna/kasi/ubah", &data("siti@cirebonkab.go.id")).await;
    assert!(admin.page.contains("Kepala Dinas"), "{}", admin.page);
    let siti = site.people.by_name("kasi").unwrap();
    assert_eq!(siti.rank.as_deref(), Some("Penata (III/c)"));
    admin.post("/pengguna/kasi/ubah", &[]).await;
    assert!(admin.page.contains("Penata (III/c)"), "{}", admin.page);
    kasi.open("/akun").await;
    assert!(kasi.page.contains("Kepala Seksi"), "the role is shown: {}", kasi.page);
    // Another role ends the session.
    admin.post("/pengguna/kasi/peran", &[("sure", "ya"), ("role", "auditor")]).await;
    kasi.open("/akun").await;
    assert!(kasi.page.contains("Masuk petugas"), "{}", kasi.page);
    let last = [("sure", "ya"), ("role", "kasi")];
    assert_eq!(admin.post("/pengguna/admin/peran", &last).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(admin.page.contains("Administrator terakhir"), "{}", admin.page);
    // The trail names it as a past fact, and finds it by person.
    let id = site.people.by_name("kasi").unwrap().id;
    admin.open(&format!("/jejak?tentang={id}")).await;
    assert!(admin.page.contains("Surel atau NIP akun diubah"), "{}", admin.page);
    assert!(admin.page.contains("nama, jabatan, pangkat, surel"), "{}", admin.page);
    admin.open("/jejak?orang=p-siapa").await;
    assert!(admin.page.contains("Tidak ada peristiwa yang cocok"), "{}", admin.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_link_lives_while_there_is_none() {
    let site = Site::new(TotpRule::Optional, "http://127.0.0.1:8053");
    let link = site.people.first_link().unwrap().unwrap();
    let new = NewAccount {
        name: "budi".to_owned(),
        email: "budi@cirebonkab.go.id".to_owned(),
        ..NewAccount::default()
    };
    site.people.add(&By::Console, Role::Head, &new, PASSWORD).unwrap();
    let mut browser = Browser::new(&site);
    assert_eq!(browser.open(&link.path()).await, StatusCode::OK, "{}", browser.page);
    let fields = [
        ("full_name", "Sri"),
        ("email", "sri@cirebonkab.go.id"),
        ("name", "sri"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(browser.post("/tautan", &fields).await, StatusCode::OK, "{}", browser.page);
    assert!(site.people.first_link().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_about_their_data_and_is_answered_within_three_days() {
    let site = office();
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    kasi.open("/data-pribadi").await;
    kasi.post("/data-pribadi", &[("kind", "erase"), ("name", "RINA-MARLINA")]).await;
    for field in ["contact", "text"] {
        assert!(kasi.page.contains(&format!("<a href=\"#{field}\">")), "{field}: {}", kasi.page);
    }
    let asked = [
        ("kind", "see"),
        ("name", "RINA-MARLINA"),
        ("contact", "0812"),
        ("text", "Data apa yang disimpan?"),
    ];
    kasi.post("/data-pribadi", &asked).await;
    assert!(kasi.page.contains("PDP-2026-0001"), "{}", kasi.page);
    assert!(!kasi.page.contains("name=\"outcome\""), "the head answers");
    site.time.fetch_add(2 * 86_400_000 + 60_000, Ordering::Relaxed);
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    assert!(head.page.contains("PDP-2026-0001"), "urgent on the start page: {}", head.page);
    head.open("/data-pribadi/PDP-2026-0001").await;
    let refused = [("outcome", "refused"), ("answer", "")];
    head.post("/data-pribadi/PDP-2026-0001", &refused).await;
    assert!(head.page.contains("<a href=\"#answer\">"), "a refusal has a ground: {}", head.page);
    let granted = [("outcome", "granted"), ("answer", "Salinan dikirim.")];
    head.post("/data-pribadi/PDP-2026-0001", &granted).await;
    assert!(head.page.contains("Salinan dikirim."), "{}", head.page);
    let acts: Vec<_> =
        site.desk.events(0, 1_000).unwrap().into_iter().map(|event| event.act).collect();
    assert!(
        acts.contains(&"subject_asked".to_owned()) && acts.contains(&"subject_answered".to_owned())
    );
    let file = std::fs::read(site.dir.path().join("gapura.db")).unwrap();
    let leaks = file.windows(12).any(|window| window == b"RINA-MARLINA");
    assert!(!leaks, "who asked is sealed");
}
