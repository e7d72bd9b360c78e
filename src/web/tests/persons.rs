//! Officers on the pages: who gets in, who is kept out, and when they must prove themselves again.

use super::*;
use crate::people::Enrolment;

/// The code of an authenticator at the site's time.
fn code(site: &Site, enrolment: &Enrolment) -> String {
    let secret = enrolment.secret.replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(site.time.load(Ordering::Relaxed) / 1000).unwrap();
    totp.generate(now).to_string()
}

impl Browser<'_> {
    /// The authenticator a page shows.
    fn shown(&self) -> Enrolment {
        Enrolment { secret: self.after("<code class=\"key\">"), url: String::new() }
    }

    /// Signs in with password and code.
    async fn sign_in_with(&mut self, name: &str, phone: &Enrolment) -> StatusCode {
        self.open("/masuk").await;
        self.post("/masuk", &[("name", name), ("password", PASSWORD)]).await;
        let code = code(self.site, phone);
        self.post("/masuk/kode", &[("code", &code)]).await
    }
}

/// Moves the site's clock on.
fn wait(site: &Site, minutes: i64) {
    site.time.fetch_add(minutes * 60_000, Ordering::Relaxed);
}

/// A site where everybody needs a second factor, a kasi's browser, and their authenticator.
async fn enrolled(site: &Site) -> (Browser<'_>, Enrolment) {
    let new = NewAccount {
        name: "kasi".to_owned(),
        email: "kasi@cirebonkab.go.id".to_owned(),
        ..NewAccount::default()
    };
    site.people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let mut kasi = Browser::new(site);
    kasi.open("/masuk").await;
    kasi.post("/masuk", &[("name", "kasi"), ("password", PASSWORD)]).await;
    let phone = kasi.shown();
    let code = code(site, &phone);
    assert_eq!(kasi.post("/masuk/daftar", &[("code", &code)]).await, StatusCode::OK);
    wait(site, 1);
    (kasi, phone)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_replaces_no_authenticator_on_the_page_either() {
    let site = Site::new(TotpRule::Required, "http://127.0.0.1:8053");
    let (mut kasi, phone) = enrolled(&site).await;
    wait(&site, 20);
    let mut thief = Browser { jar: kasi.jar.clone(), ..Browser::new(&site) };
    thief.open("/masuk/daftar").await;
    let theirs = thief.shown();
    let new = code(&site, &theirs);
    for proof in
        [[("password", ""), ("old_code", "")], [("password", PASSWORD), ("old_code", &new)]]
    {
        let fields = [&proof[..], &[("code", new.as_str())]].concat();
        let tried = thief.post("/masuk/daftar", &fields).await;
        assert_eq!(tried, StatusCode::UNPROCESSABLE_ENTITY, "{}", thief.page);
    }
    // The owner may, with both; other sessions end, and a decision still asks for fresh proof.
    let mut other = Browser::new(&site);
    assert_eq!(other.sign_in_with("kasi", &phone).await, StatusCode::OK);
    wait(&site, 1);
    kasi.open("/masuk/daftar").await;
    let next = kasi.shown();
    let (new, old) = (code(&site, &next), code(&site, &phone));
    let fields = [("password", PASSWORD), ("old_code", old.as_str()), ("code", new.as_str())];
    assert_eq!(kasi.post("/masuk/daftar", &fields).await, StatusCode::OK, "{}", kasi.page);
    other.open("/antrean").await;
    assert!(other.page.contains("Masuk petugas"), "{}", other.page);
    kasi.open("/tinjau/GPR-2026-00001/setujui").await;
    assert!(kasi.page.contains("Konfirmasi bahwa ini Anda"), "{}", kasi.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_keep_no_officer_out_and_learn_no_names() {
    let site = Site::new(TotpRule::Required, "http://127.0.0.1:8053");
    let (mut kasi, phone) = enrolled(&site).await;
    let mut seen = Vec::new();
    for (name, from) in [
        ("kasi", "198.51.100.1"),
        ("kasi", "198.51.100.2"),
        ("siapa", "198.51.100.3"),
        ("siapa", "198.51.100.4"),
    ] {
        let mut stranger = Browser { from, ..Browser::new(&site) };
        stranger.open("/masuk").await;
        let mut answers = Vec::new();
        for _ in 0..25 {
            let guess = [("name", name), ("password", "salah sama sekali")];
            let status = stranger.post("/masuk", &guess).await;
            answers.push((status, stranger.after("<a href=\"#name\">")));
        }
        assert_eq!(answers[24].0, StatusCode::TOO_MANY_REQUESTS, "{from}");
        seen.push(answers);
    }
    assert!(seen.iter().all(|answers| *answers == seen[0]), "a name is told from another");
    // A neighbor in the officer's own network uses up what the network may try.
    let mut neighbor = Browser::new(&site);
    neighbor.open("/masuk").await;
    for _ in 0..40 {
        neighbor.post("/masuk", &[("name", "kasi"), ("password", "salah sama sekali")]).await;
    }
    kasi.jar.retain(|(name, _)| name != "gapura_sesi");
    assert_eq!(kasi.sign_in_with("kasi", &phone).await, StatusCode::OK, "{}", kasi.page);
    wait(&site, 16);
    kasi.open("/akun").await;
    let token = kasi.page.contains("name=\"code\"");
    assert!(token, "a token takes a code");
    kasi.open("/tinjau/GPR-2026-00001/setujui").await;
    let code = code(&site, &phone);
    let proof = [("ke", "/antrean"), ("password", PASSWORD), ("code", code.as_str())];
    assert_eq!(kasi.post("/masuk/lagi", &proof).await, StatusCode::OK);
    assert!(kasi.page.contains("Antrean permohonan"), "{}", kasi.page);
    // The cookie of a known browser is worth nothing for another name.
    let from = "198.51.100.9";
    let mut stranger = Browser { from, ..Browser::new(&site) };
    stranger.open("/masuk").await;
    for _ in 0..25 {
        stranger.post("/masuk", &[("name", "lain"), ("password", "salah sama sekali")]).await;
    }
    let mut borrowed = Browser { jar: kasi.jar.clone(), from, ..Browser::new(&site) };
    borrowed.jar.retain(|(name, _)| name == "gapura_perangkat");
    assert_eq!(borrowed.jar.len(), 1);
    borrowed.open("/masuk").await;
    let tried = borrowed.post("/masuk", &[("name", "lain"), ("password", PASSWORD)]).await;
    assert_eq!(tried, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_that_decides_asks_for_fresh_proof() {
    let site = office();
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    admin.open("/pengguna").await;
    head.open("/plh").await;
    kasi.open("/akun").await;
    wait(&site, 16);
    let invitation = [("email", "jahat@x.id"), ("role", "kasi")];
    let mut browsers = [admin, head, kasi];
    for (at, path, fields) in [
        (0, "/pengguna", &invitation[..]),
        (0, "/pengguna/kasi/nonaktif", &[("sure", "ya")]),
        (0, "/pengguna/kasi/reset", &[("sure", "ya")]),
        (0, "/zona", &[]),
        (0, "/jejak/ekspor", &[]),
        (1, "/plh", &[("name", "admin"), ("role", "kasi"), ("letter", "800/7")]),
        (1, "/plh/a-1/akhiri", &[]),
        (2, "/tinjau/GPR-2026-00001/tarik", &[("letter", "800/7")]),
        (2, "/tinjau/GPR-2026-00001/pemberitahuan/n-1", &[("how", "x")]),
        (2, "/permohonan/periksa", &[("once", "x")]),
    ] {
        let browser: &mut Browser<'_> = &mut browsers[at];
        let own = browser.page.clone();
        browser.post(path, fields).await;
        assert!(browser.page.contains("Konfirmasi bahwa ini Anda"), "{path}: {}", browser.page);
        browser.page = own;
    }
    let [mut admin, _, mut kasi] = browsers;
    assert!(site.people.open_links().unwrap().is_empty());
    assert!(site.people.by_name("kasi").unwrap().enabled);
    assert!(site.people.acting_officials().unwrap().is_empty());
    // The proof leads back, and only to a page of ours.
    admin.open("/pengguna").await;
    let proof = [("ke", "/pengguna"), ("password", PASSWORD)];
    admin.post("/masuk/lagi", &proof).await;
    assert_eq!(admin.post("/pengguna", &invitation).await, StatusCode::OK);
    assert_eq!(site.people.open_links().unwrap().len(), 1);
    let place = admin.page.split("/pengguna/tautan/").nth(1).unwrap().split('"').next().unwrap();
    let revoke = format!("/pengguna/tautan/{place}");
    assert_eq!(admin.post(&revoke, &[]).await, StatusCode::OK);
    assert!(site.people.open_links().unwrap().is_empty(), "taken back");
    for elsewhere in ["//jahat.id", "https://jahat.id", "/\\jahat.id"] {
        kasi.open("/masuk/lagi").await;
        kasi.post("/masuk/lagi", &[("ke", elsewhere), ("password", PASSWORD)]).await;
        assert!(kasi.page.contains("Menurut langkah dan pemegang"), "{elsewhere}");
    }
    // Whoever proved who they are may still not export the chain: its readers are the desk's to name.
    kasi.open("/jejak").await;
    assert!(!kasi.page.contains("Unduh") && kasi.page.contains("periksa=ya"), "{}", kasi.page);
    assert_eq!(kasi.post("/jejak/ekspor", &[]).await, StatusCode::FORBIDDEN);
    admin.open("/jejak").await;
    assert_eq!(admin.post("/jejak/ekspor", &[]).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_is_recorded_for_the_chair_that_was_chosen() {
    let site = office();
    let tono = NewAccount {
        name: "tono".to_owned(),
        email: "tono@cirebonkab.go.id".to_owned(),
        ..NewAccount::default()
    };
    site.people.add(&By::Console, Role::Verifier, &tono, PASSWORD).unwrap();
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    head.open("/plh").await;
    let wish = |holder: &'static str| {
        [
            ("name", "admin"),
            ("role", "kasi"),
            ("holder", holder),
            ("style", "plh"),
            ("letter", "800/7"),
            ("starts", "2026-11-24"),
            ("ends", "2026-11-30"),
        ]
    };
    // Two have the role: without a name it is nobody's chair.
    assert_eq!(head.post("/plh", &wish("")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(head.post("/plh", &wish("kabid")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(head.post("/plh", &wish("tono")).await, StatusCode::OK, "{}", head.page);
    let made = site.people.acting_officials().unwrap();
    assert_eq!(made[0].holder, site.people.by_name("tono").unwrap().id);
    // Programs are told of it while it is in force, and not after it was ended early.
    let token = site.token("kasi");
    let stands_in = async || {
        let (status, value) = site.call(&token, "/api/v1/officers", None).await;
        assert_eq!(status, StatusCode::OK);
        let items = value["items"].as_array().unwrap();
        let admin = items.iter().find(|it| it["name"] == "admin").unwrap();
        admin["acts_as"].as_array().unwrap().len()
    };
    assert_eq!(stands_in().await, 1);
    head.post(&format!("/plh/{}/akhiri", made[0].id), &[]).await;
    assert!(site.people.acting_officials().unwrap()[0].ended_ms.is_some(), "{}", head.page);
    assert_eq!(stands_in().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_taken_only_as_a_form() {
    let site = office();
    let mut kasi = Browser::new(&site);
    kasi.open("/masuk").await;
    let body = format!("csrf={}&name=kasi&password=x", kasi.token());
    for kind in ["text/plain", "application/json", ""] {
        let request = Request::post("/masuk").header(CONTENT_TYPE, kind);
        let response = kasi.send(request, body.clone()).await;
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_read_is_not_taken_for_none() {
    let site = office();
    let mut stranger = Browser::new(&site);
    stranger.open("/masuk").await;
    let body = format!("csrf={}&name=kasi&password=x", stranger.token());
    let jar: Vec<String> =
        stranger.jar.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let long = format!("gapura_sesi={}", "a".repeat(5000)).into_bytes();
    for (cookie, status) in [
        (long, StatusCode::UNAUTHORIZED),
        (b"gapura_sesi=a\xffb".to_vec(), StatusCode::UNAUTHORIZED),
        (b"gapura_sesi=".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let lines = [jar.join("; ").into_bytes(), cookie];
        let request = Request::post("/masuk")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::new("127.0.0.1".parse().unwrap(), 40_000)));
        let request = lines.iter().fold(request, |request, line| {
            request.header(COOKIE, axum::http::HeaderValue::from_bytes(line).unwrap())
        });
        let request = request.body(Body::from(body.clone())).unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
    }
}
