//! The pages from outside, as a browser sees them.

mod bulk;
mod credentials;
mod desk_pages;
mod limits;
mod lists;
mod mailbox;
mod papers;
mod persons;
mod reports;
mod saved;
mod tabs;
mod way_in;
mod years;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Request, Response, StatusCode};
use tower::ServiceExt;

use super::{Options, Parts, State, router};
use crate::audit::testing::Chain;
use crate::desk::{self, Desk, DraftLimits};
use crate::notice::Mailer;
use crate::people::{self, By, NewAccount, People, Role, TotpRule};
use crate::press::Press;
use crate::publish::{self, Publisher, ZoneSource};
use crate::serve::Tap;
use crate::signer::Signer;
use crate::statistics::Statistics;
use crate::store::Store;
use crate::uploads;
use crate::words::set_office;

/// A password that fits.
const PASSWORD: &str = "kerbau-lari-17-pagi";
/// A letter, which is a text as well.
const SURAT: &str = match std::str::from_utf8(uploads::SAMPLE) {
    Ok(text) => text,
    Err(_) => "",
};

/// A site in a directory of its own.
struct Site {
    router: Router,
    state: State,
    people: People,
    desk: Desk,
    store: Store,
    time: Arc<AtomicI64>,
    chain: Chain,
    dir: tempfile::TempDir,
}

impl Site {
    /// An empty site.
    fn new(totp: TotpRule, url: &str) -> Self {
        Self::with(totp, url, |_, _| {})
    }

    /// The same with other settings.
    fn with(
        totp: TotpRule,
        url: &str,
        change: impl FnOnce(&mut Options, &mut desk::Options),
    ) -> Self {
        Self::with_mail(totp, url, None, change)
    }

    /// The same that mails codes.
    fn with_mail(
        totp: TotpRule,
        url: &str,
        mailer: Option<Mailer>,
        change: impl FnOnce(&mut Options, &mut desk::Options),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let chain = Chain::of(&store, dir.path());
        let publisher = publisher(&store, dir.path());
        let time = Arc::new(AtomicI64::new(1_795_500_000_000));
        let hand = Arc::clone(&time);
        let mut rules = people::Options::new(Arc::new(move || hand.load(Ordering::Relaxed)));
        rules.totp = totp;
        rules.decide_tokens = true;
        let vault = crate::audit::Vault::open(dir.path()).unwrap();
        let people = People::open(store.clone(), vault, rules).unwrap();
        let mut options = Options {
            url: url.to_owned(),
            trusted_proxies: Vec::new(),
            public_submit: true,
            submit_per_hour: 10,
            register_public: true,
            zone: "cirebonkab.go.id.".to_owned(),
            drafts: DraftLimits::default(),
            door: super::DoorLimits::default(),
            hashes_waiting: 32,
            shown: Vec::new(),
            answer_max: std::time::Duration::from_secs(50),
            node_token: None,
        };
        let mut of_desk = desk_options(dir.path(), &time);
        change(&mut options, &mut of_desk);
        let desk = desk(&store, &publisher, of_desk);
        let letters = uploads::Reader::here(uploads::Options::new(dir.path().to_owned()));
        let signer = Signer::new(publisher.clone(), publisher.keystore(), publish::now_ms, false);
        let parts = Parts {
            store: store.clone(),
            people: people.clone(),
            desk: desk.clone(),
            publisher,
            signer,
            refresh: Box::new(|_| None),
            statistics: Statistics::new(store.clone(), Tap::default()),
            letters,
            press: Press::here(),
            mailer,
            options,
        };
        let state = State::new(parts).unwrap();
        Self { router: router(state.clone()), state, people, desk, store, time, chain, dir }
    }
}

/// A small zone, served.
fn publisher(store: &Store, dir: &std::path::Path) -> Publisher {
    let file = dir.join("zone");
    let text = "$ORIGIN cirebonkab.go.id.\n$TTL 3600\n\
        @ SOA ns1 hostmaster 2026112401 3600 900 1209600 300\n\
        @ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 198.51.100.1\n; gapura: end of zone\n";
    std::fs::write(&file, text).unwrap();
    let apex = "cirebonkab.go.id.".parse().unwrap();
    let mut options = publish::Options::new(dir);
    options.quiet = std::time::Duration::ZERO;
    let sources = vec![ZoneSource::new(apex, file)];
    let (publisher, reports) = Publisher::open(store.clone(), sources, options).unwrap();
    assert!(reports.iter().all(publish::ReloadReport::is_ok), "{reports:?}");
    publisher
}

/// A desk on a name server of its own.
fn desk(store: &Store, publisher: &Publisher, options: desk::Options) -> Desk {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let sockets = crate::serve::Options {
        listen,
        udp_workers: 1,
        stream_workers: 1,
        rate_limit: None,
        ..crate::serve::Options::default()
    };
    let running = crate::serve::start(sockets, publisher.shared()).unwrap();
    publisher.sockets().set(vec![running.addresses()[0].address]);
    // The sockets live as long as the test's process.
    std::mem::forget(running);
    let desk = Desk::open(store.clone(), publisher.clone(), options).unwrap();
    desk.listening().unwrap();
    desk
}

/// The desk's settings.
fn desk_options(dir: &std::path::Path, time: &Arc<AtomicI64>) -> desk::Options {
    let hand = Arc::clone(time);
    let clock: people::Clock = Arc::new(move || hand.load(Ordering::Relaxed));
    let mut options = desk::Options::new(dir.to_owned(), clock);
    options.targets.allow = crate::queue::targets::prefixes("192.0.2.0/24").unwrap();
    options.probe = false;
    // The stricter setting: a page that does not send the serial it showed approves nothing.
    options.rules.bind = crate::queue::Bind::Serial;
    options
}

/// Held by a test that changes the office's texts: they are the whole process's.
static TEXTS_TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A browser without scripts: keeps cookies, fills in forms.
struct Browser<'a> {
    site: &'a Site,
    jar: Vec<(String, String)>,
    page: String,
    from: &'static str,
}

impl<'a> Browser<'a> {
    /// A browser without cookies.
    fn new(site: &'a Site) -> Self {
        Self { site, jar: Vec::new(), page: String::new(), from: "127.0.0.1" }
    }

    /// Sends one request.
    async fn send(
        &mut self,
        request: axum::http::request::Builder,
        body: String,
    ) -> Response<Body> {
        let jar: Vec<String> =
            self.jar.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let from = SocketAddr::new(self.from.parse().unwrap(), 40_000);
        let request = request.header(COOKIE, jar.join("; ")).extension(ConnectInfo(from));
        let request = request.body(Body::from(body)).unwrap();
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (key, value) = pair.split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != key);
            if !value.is_empty() {
                self.jar.push((key.to_owned(), value.to_owned()));
            }
        }
        response
    }

    /// Opens a page, following redirects.
    async fn open(&mut self, path: &str) -> StatusCode {
        let mut path = path.to_owned();
        loop {
            let response = self.send(Request::get(&path), String::new()).await;
            match response.headers().get(LOCATION) {
                Some(place) => path = place.to_str().unwrap().to_owned(),
                None => return self.keep(response).await,
            }
        }
    }

    /// What the form of the page says by itself of what it shows.
    fn seen(&self) -> Vec<(&'static str, String)> {
        let all = ["perihal", "dilihat", "versi"].map(|name| (name, self.hidden(name)));
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Sends a form of the page with its token, following the redirect.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> StatusCode {
        let mut body = format!("csrf={}", self.token());
        let shown = self.seen();
        let shown = shown.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in shown.chain(fields.iter().copied()) {
            body.push_str(&format!("&{name}={}", super::redirect::encode(value)));
        }
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.send(request, body).await;
        match response.headers().get(LOCATION).map(|place| place.to_str().unwrap().to_owned()) {
            Some(place) => self.open(&place).await,
            None => self.keep(response).await,
        }
    }

    /// Keeps the page.
    async fn keep(&mut self, response: Response<Body>) -> StatusCode {
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        self.page = String::from_utf8_lossy(&bytes).into_owned();
        status
    }

    /// The form token of the page.
    fn token(&self) -> String {
        let after = self.page.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
        after.split('"').next().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn from_the_first_link_to_an_invited_officer() {
    let site = Site::new(TotpRule::Optional, "http://127.0.0.1:8053");
    let link = site.people.first_link().unwrap().unwrap();
    let mut browser = Browser::new(&site);
    assert_eq!(browser.open(&link.path()).await, StatusCode::OK);
    assert!(!browser.page.contains(&link.token), "the secret stays out of the page");
    // All that is missing is told at once, each fault by the name of its field.
    assert_eq!(browser.post("/tautan", &[]).await, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["Nama lengkap", "Surel kantor", "Nama akun", "Kata sandi"] {
        assert!(browser.page.contains(&format!("\">{field} belum diisi.</a>")), "{field}");
    }
    let mut fields = vec![
        ("full_name", "Siti Aminah, S.Kom."),
        ("email", "siti@cirebonkab.go.id"),
        ("name", "siti"),
        ("password", "pendek"),
        ("again", "pendek"),
    ];
    assert_eq!(browser.post("/tautan", &fields).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.page.contains("<title>Kesalahan: "), "{}", browser.page);
    assert!(browser.page.contains("value=\"Siti Aminah, S.Kom.\""), "input is kept");
    fields[3].1 = PASSWORD;
    fields[4].1 = PASSWORD;
    assert_eq!(browser.post("/tautan", &fields).await, StatusCode::OK);
    assert_eq!(browser.open("/masuk").await, StatusCode::OK);
    browser.post("/masuk", &[("name", "siti"), ("password", PASSWORD)]).await;
    assert_eq!(browser.open("/pengguna").await, StatusCode::OK);
    let wish = [("email", "kasi@cirebonkab.go.id"), ("role", "kasi")];
    assert_eq!(browser.post("/pengguna", &wish).await, StatusCode::OK);
    assert!(browser.page.contains("http://127.0.0.1:8053/tautan/"), "{}", browser.page);
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let site = Site::new(TotpRule::Optional, "http://127.0.0.1:8053");
    let mut browser = Browser::new(&site);
    let status = browser.post("/masuk", &[("name", "siti"), ("password", PASSWORD)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(browser.page.contains("Formulir sudah tidak berlaku"), "{}", browser.page);
}

#[tokio::test]
async fn cookies_and_headers_follow_the_scheme() {
    let site = Site::new(TotpRule::Optional, "https://gapura.cirebonkab.go.id");
    let request = Request::get("/masuk").body(Body::empty()).unwrap();
    let response = site.router.clone().oneshot(request).await.unwrap();
    let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-gapura_") && cookie.contains("; Secure"), "{cookie}");
    let header = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap());
    assert!(header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert!(header("strict-transport-security").is_some());

    let plain = Site::new(TotpRule::Optional, "http://127.0.0.1:8053");
    let request = Request::get("/masuk").body(Body::empty()).unwrap();
    let response = plain.router.clone().oneshot(request).await.unwrap();
    assert!(response.headers().get("strict-transport-security").is_none());
    let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("gapura_") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_first_sign_in_sets_up_the_second_factor() {
    let site = Site::new(TotpRule::Required, "http://127.0.0.1:8053");
    let new = NewAccount {
        name: "kasi".to_owned(),
        email: "kasi@cirebonkab.go.id".to_owned(),
        ..NewAccount::default()
    };
    site.people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let mut browser = Browser::new(&site);
    browser.open("/masuk").await;
    browser.post("/masuk", &[("name", "kasi"), ("password", PASSWORD)]).await;
    assert!(browser.page.contains("Pasang autentikator"), "{}", browser.page);
    let key = browser.page.split("<code class=\"key\">").nth(1).unwrap();
    let key = key.split('<').next().unwrap().replace(' ', "");
    let key = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
    let now = u64::try_from(site.time.load(Ordering::Relaxed) / 1000).unwrap();
    let code = totp.generate(now).to_string();
    browser.open("/akun").await;
    assert!(browser.page.contains("Pasang autentikator"), "not before the code");
    browser.post("/masuk/daftar", &[("code", &code)]).await;
    assert_eq!(browser.open("/akun").await, StatusCode::OK);
    assert_eq!(browser.open("/pengguna").await, StatusCode::FORBIDDEN, "a kasi is no admin");
}

impl Browser<'_> {
    /// A signed-in officer's browser.
    async fn sign_in(&mut self, name: &str) {
        self.open("/masuk").await;
        self.post("/masuk", &[("name", name), ("password", PASSWORD)]).await;
        assert!(self.page.contains("Menurut langkah dan pemegang"), "{}", self.page);
    }

    /// Sends a form with a letter.
    async fn post_letter(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        letter: &str,
    ) -> StatusCode {
        let mut body = String::new();
        let token = self.token();
        let mut part = |head: &str, text: &str| {
            body.push_str(&format!(
                "--batas\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n"
            ));
        };
        part("name=\"csrf\"", &token);
        for (name, value) in self.seen() {
            part(&format!("name=\"{name}\""), &value);
        }
        for (name, value) in fields {
            part(&format!("name=\"{name}\""), value);
        }
        part("name=\"letter\"; filename=\"surat.pdf\"", letter);
        body.push_str("--batas--\r\n");
        let request =
            Request::post(path).header(CONTENT_TYPE, "multipart/form-data; boundary=batas");
        let response = self.send(request, body).await;
        match response.headers().get(LOCATION).map(|place| place.to_str().unwrap().to_owned()) {
            Some(place) => self.open(&place).await,
            None => self.keep(response).await,
        }
    }

    /// Fills in the whole request form up to the last look.
    async fn fill_in(&mut self, name: &str, address: &str) {
        self.open("/permohonan").await;
        self.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
        let contact = [
            ("office", "Dinas Kesehatan"),
            ("contact_name", "Rina Marlina"),
            ("contact_position", "Kepala Subbagian Umum"),
            ("contact_email", "umum@dinkes.cirebonkab.go.id"),
            ("contact_phone", "0231-123456"),
        ];
        self.post("/permohonan/2", &contact).await;
        self.post("/permohonan/3", &[("name", name), ("purpose", "Antrean daring")]).await;
        self.post("/permohonan/tujuan/ahli", &[("type0", "A"), ("data0", address)]).await;
        let letter = [("letter_number", "440/1/Dinkes"), ("letter_date", "2026-11-20")];
        self.post_letter("/permohonan/5", &letter, SURAT).await;
        assert!(self.page.contains("Periksa jawaban Anda"), "{}", self.page);
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> String {
        let after = self.page.split(&format!("name=\"{name}\" value=\"")).nth(1);
        after.unwrap_or_default().split('"').next().unwrap_or_default().to_owned()
    }

    /// The text after a mark, up to the next tag.
    fn after(&self, mark: &str) -> String {
        let after = self.page.split(mark).nth(1).unwrap_or_default();
        after.split('<').next().unwrap_or_default().to_owned()
    }
}

/// A site with its officers.
fn office() -> Site {
    office_with(|_, _| {})
}

/// The same with other settings.
fn office_with(change: impl FnOnce(&mut Options, &mut desk::Options)) -> Site {
    set_office(crate::words::Office {
        short_name: "Diskominfo".to_owned(),
        region: "Kabupaten Cirebon".to_owned(),
        ..crate::words::Office::default()
    });
    let site = Site::with(TotpRule::Optional, "http://127.0.0.1:8053", change);
    let roles = [("kabid", Role::Head), ("kasi", Role::Verifier), ("admin", Role::Operator)];
    for (name, role) in roles {
        let new = NewAccount {
            name: name.to_owned(),
            email: format!("{name}@cirebonkab.go.id"),
            ..NewAccount::default()
        };
        site.people.add(&By::Console, role, &new, PASSWORD).unwrap();
    }
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_was_turned_back_does_not_use_up_the_form() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("antrean", "10.0.0.1").await;
    let (once, token) = (applicant.hidden("once"), applicant.token());
    let first = applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    assert_eq!(first, StatusCode::UNPROCESSABLE_ENTITY);
    applicant.open("/permohonan/tujuan/ahli").await;
    applicant.post("/permohonan/tujuan/ahli", &[("type0", "A"), ("data0", "192.0.2.80")]).await;
    // Back to the page with the fault, and the same button again.
    let sent = applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    assert_eq!(sent, StatusCode::OK, "{}", applicant.page);
    assert!(applicant.after("<b class=\"big\">").starts_with("GPR-"), "{}", applicant.page);

    let press = format!("csrf={token}&once=another");
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let request = Request::post("/permohonan/periksa")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        statuses.push(applicant.send(request, press.clone()).await.status());
    }
    // Eight empty forms are turned back; then the limit of ten an hour is reached, and nothing is
    // said to have been sent.
    assert_eq!(statuses[..8], [StatusCode::UNPROCESSABLE_ENTITY; 8]);
    assert_eq!(statuses[8..], [StatusCode::TOO_MANY_REQUESTS; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_the_whole_way_by_plain_forms() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("Antrian Online", "10.0.0.1").await;
    let once = applicant.hidden("once");
    assert_eq!(
        applicant.post("/permohonan/periksa", &[("once", &once)]).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(applicant.page.contains("/permohonan/tujuan/ahli?ubah=1#data0"), "{}", applicant.page);
    applicant.open("/permohonan/tujuan/ahli").await;
    applicant.post("/permohonan/tujuan/ahli", &[("type0", "A"), ("data0", "192.0.2.80")]).await;
    applicant.open("/permohonan/3").await;
    applicant.post("/permohonan/3", &[("name", "antrean"), ("purpose", "Antrean daring")]).await;
    applicant.open("/permohonan/periksa").await;
    let once = applicant.hidden("once");
    let token = applicant.token();
    let sent = applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    assert_eq!(sent, StatusCode::OK, "{}", applicant.page);
    let number = applicant.after("<b class=\"big\">");
    let secret = applicant.after("<code class=\"secret\">");
    assert!(number.starts_with("GPR-") && secret.len() == 8, "{number} {secret}");

    // A second press of the same button finds the first request.
    let again = format!("csrf={token}&once={once}");
    let request = Request::post("/permohonan/periksa")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = applicant.send(request, again).await;
    let place = response.headers().get(LOCATION).unwrap().to_str().unwrap();
    assert_eq!(place, format!("/permohonan/terkirim/{number}"));

    let mut kabid = Browser::new(&site);
    kabid.sign_in("kabid").await;
    assert!(kabid.page.contains("antrean.cirebonkab.go.id"), "{}", kabid.page);
    kabid.open(&format!("/tinjau/{number}/disposisi")).await;
    kabid
        .post(
            &format!("/tinjau/{number}/disposisi"),
            &[("to", "kasi"), ("instruction", "Periksa.")],
        )
        .await;
    assert!(kabid.page.contains("DIDISPOSISI"), "{}", kabid.page);

    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert_eq!(kasi.open(&format!("/tinjau/{number}")).await, StatusCode::OK);
    assert!(kasi.page.contains("Belum dapat disetujui"), "{}", kasi.page);
    let mut lines: Vec<(String, String)> = Vec::new();
    for piece in kasi.page.split("type=\"radio\" name=\"v-").skip(1) {
        let code = piece.split('"').next().unwrap().to_owned();
        if !lines.iter().any(|(name, _)| *name == format!("v-{code}")) {
            lines.push((format!("v-{code}"), "ok".to_owned()));
            lines.push((format!("n-{code}"), "Sudah diperiksa.".to_owned()));
        }
    }
    let mut fields: Vec<(&str, &str)> =
        lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("lanjut", "setujui"));
    kasi.post(&format!("/tinjau/{number}"), &fields).await;
    assert!(kasi.page.contains("Setujui dan tayangkan"), "{}", kasi.page);
    let (revision, candidate) = (kasi.hidden("revision"), kasi.hidden("candidate"));
    let wrong = [("revision", revision.as_str()), ("candidate", "00")];
    let stale = kasi.post(&format!("/tinjau/{number}/setujui"), &wrong).await;
    assert_eq!(stale, StatusCode::CONFLICT, "{}", kasi.page);
    let serial = kasi.hidden("serial");
    let unread = [("revision", revision.as_str()), ("candidate", candidate.as_str())];
    let unread = kasi.post(&format!("/tinjau/{number}/setujui"), &unread).await;
    assert_eq!(unread, StatusCode::CONFLICT, "{}", kasi.page);
    let right = [
        ("revision", revision.as_str()),
        ("candidate", candidate.as_str()),
        ("serial", serial.as_str()),
    ];
    kasi.post(&format!("/tinjau/{number}/setujui"), &right).await;
    assert!(kasi.page.contains(">TAYANG<"), "{}", kasi.page);

    applicant.open("/status").await;
    assert!(applicant.page.contains("sudah tayang"), "{}", applicant.page);
    assert!(applicant.page.contains("Bukti tayang"), "{}", applicant.page);
    assert!(!applicant.page.contains("kasi@"), "no officer's mailbox for the public");

    // The history of the name, from the status page and by a mailed link, and the way to give it up.
    applicant.open("/status/riwayat").await;
    assert!(applicant.page.contains("A 192.0.2.80 (TTL 3600)"), "{}", applicant.page);
    assert!(applicant.page.contains(&number));
    site.desk.tick().unwrap();
    let actor = site.people.by_name("kasi").unwrap().id;
    let actor = site.desk.actor(&actor).unwrap().unwrap();
    site.desk.suspend("antrean", "berisi judi", &actor).unwrap();
    site.desk.tick().unwrap();
    applicant.open("/status").await;
    assert!(applicant.page.contains("kini ditangguhkan"), "{}", applicant.page);
    assert!(!applicant.page.contains("https://antrean"), "{}", applicant.page);
    let due = site.desk.notices_due(100).unwrap();
    let token =
        due.iter().find_map(|it| (it.values.way.is_some()).then(|| it.values.token.clone()));
    let mut owner = Browser::new(&site);
    owner.open(&format!("/riwayat/{}", token.unwrap().unwrap())).await;
    assert!(owner.page.contains("dalam keadaan darurat"), "{}", owner.page);
    assert!(!owner.page.contains("judi"), "{}", owner.page);
    owner.post("/riwayat/lepas", &[]).await;
    assert!(owner.page.contains("action=\"/permohonan/2\""), "{}", owner.page);
    assert_eq!(owner.open("/riwayat/00").await, StatusCode::GONE);
    applicant.post("/status/lepas", &[]).await;
    assert!(applicant.page.contains("action=\"/permohonan/2\""), "{}", applicant.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_says_what_is_wrong_with_name_and_target() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    let name = |name| [("name", name), ("purpose", "Antrean daring")];
    for (wrong, why) in [("ns1", "khusus"), ("a_b", "Garis bawah"), ("ab", "terlalu pendek")] {
        let status = browser.post("/permohonan/3", &name(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(browser.page.contains(why), "{wrong}: {}", browser.page);
        assert!(browser.page.contains("<a href=\"#name\">"), "{}", browser.page);
    }
    // "Periksa nama" answers on the page, tidied, and goes no further.
    let asked = [("name", "https://Antrean.cirebonkab.go.id/"), ("lanjut", "periksa")];
    assert_eq!(browser.post("/permohonan/3", &asked).await, StatusCode::OK);
    assert!(browser.page.contains("Nama antrean.cirebonkab.go.id sesuai"), "{}", browser.page);
    browser.post("/permohonan/3", &name("antrean")).await;
    let refused = [("type0", "A"), ("data0", "10.0.0.1")];
    let status = browser.post("/permohonan/tujuan/ahli", &refused).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // The range the rule names is English and stays out of an Indonesian page.
    assert!(browser.page.contains("(10.0.0.1)") && !browser.page.contains("private"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_with_lines_missing_has_no_button() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("antrean", "192.0.2.30").await;
    let once = applicant.hidden("once");
    applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = applicant.after("<b class=\"big\">");
    let mut head = Browser::new(&site);
    head.sign_in("kabid").await;
    assert_eq!(head.open("/antrean?daftar=milik-saya").await, StatusCode::OK);
    assert!(head.page.contains(&number), "what is to be routed is the head's own");
    head.open(&format!("/tinjau/{number}/disposisi")).await;
    let order = [("to", "kasi"), ("instruction", "Periksa.")];
    head.post(&format!("/tinjau/{number}/disposisi"), &order).await;
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    kasi.open(&format!("/tinjau/{number}/setujui")).await;
    assert!(kasi.page.contains("Belum dapat disetujui"), "{}", kasi.page);
    // A quarter of an hour later a decision asks who is there; reading does not.
    site.time.fetch_add(16 * 60_000, Ordering::Relaxed);
    assert_eq!(kasi.open(&format!("/tinjau/{number}")).await, StatusCode::OK);
    assert!(!kasi.page.contains("Konfirmasi bahwa ini Anda"), "{}", kasi.page);
    kasi.post(&format!("/tinjau/{number}/tolak"), &[("reason", "rangkap"), ("note", "x")]).await;
    assert!(kasi.page.contains("Konfirmasi bahwa ini Anda"), "{}", kasi.page);
    let place = kasi.hidden("ke");
    assert_eq!(place, format!("/tinjau/{number}/tolak"));
    let wrong = [("ke", place.as_str()), ("password", "salah sama sekali")];
    assert_eq!(kasi.post("/masuk/lagi", &wrong).await, StatusCode::UNPROCESSABLE_ENTITY);
    kasi.post("/masuk/lagi", &[("ke", place.as_str()), ("password", PASSWORD)]).await;
    assert!(kasi.page.contains("Penolakan mengakhiri permohonan"), "{}", kasi.page);
    kasi.open(&format!("/tinjau/{number}/setujui")).await;
    assert!(!kasi.page.contains("name=\"candidate\""), "no button: {}", kasi.page);
    assert!(!kasi.page.contains("not proven"), "no English on an Indonesian page");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_gives_one_answer_for_any_mismatch() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/status").await;
    let mut seen = Vec::new();
    for (number, secret) in [("GPR-2026-00001", "AAAAAAAA"), ("tiada", "x"), ("", "")] {
        let status = browser.post("/status", &[("number", number), ("secret", secret)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        seen.push(browser.after("<a href=\"#number\">"));
    }
    assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_guess_by_page_or_api_alike_and_do_not_lock_the_applicant_out() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("antrean", "192.0.2.30").await;
    let once = applicant.hidden("once");
    applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    let number = applicant.after("<b class=\"big\">");
    let secret = applicant.after("<code class=\"secret\">");
    let path = format!("/api/v1/requests/{number}");

    // Half of the guesses over the page, half over the API: one count for both.
    let mut stranger = Browser { from: "198.51.100.7", ..Browser::new(&site) };
    stranger.open("/status").await;
    let guess = [("number", number.as_str()), ("secret", "AAAAAAAA")];
    for _ in 0..15 {
        assert_eq!(stranger.post("/status", &guess).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let call = || Request::get(&path).header("Gapura-Secret", "AAAAAAAA");
    for _ in 0..15 {
        assert_eq!(stranger.send(call(), String::new()).await.status(), StatusCode::NOT_FOUND);
    }
    let refused = stranger.send(call(), String::new()).await.status();
    assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stranger.post("/status", &guess).await, StatusCode::TOO_MANY_REQUESTS);
    // A cookie made by hand is a guess as well.
    let jar = vec![("gapura_pemohon".to_owned(), format!("{number}.BBBBBBBB"))];
    let mut forger = Browser { from: "198.51.100.7", jar, ..Browser::new(&site) };
    assert_eq!(forger.open("/status").await, StatusCode::TOO_MANY_REQUESTS);

    // The applicant gets in from elsewhere, as often as they like.
    let mut owner = Browser { from: "203.0.113.9", ..Browser::new(&site) };
    owner.open("/status").await;
    let right = [("number", number.as_str()), ("secret", secret.as_str())];
    assert_eq!(owner.post("/status", &right).await, StatusCode::OK, "{}", owner.page);
    for _ in 0..40 {
        assert_eq!(owner.open("/status").await, StatusCode::OK);
        assert!(owner.page.contains("antrean.cirebonkab.go.id"), "{}", owner.page);
    }
    owner.post("/status/selesai", &[]).await;
    for _ in 0..40 {
        assert_eq!(owner.post("/status", &right).await, StatusCode::OK, "{}", owner.page);
        owner.post("/status/selesai", &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_lies_sealed_and_one_of_an_earlier_version_still_opens() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("antrean", "192.0.2.80").await;
    for file in std::fs::read_dir(site.dir.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for personal in ["Rina Marlina", "0231-123456", "%PDF-1.4"] {
            assert!(!text.contains(personal), "{personal} lies in {}", file.path().display());
        }
    }
    applicant.open("/permohonan/3").await;
    assert!(applicant.page.contains("Antrean daring"), "{}", applicant.page);
    let plain =
        r#"UPDATE draft SET fields = '{"purpose":"Dari dahulu"}', letter = NULL, letter_name = ''"#;
    Store::open(site.dir.path()).unwrap().tamper(plain);
    applicant.open("/permohonan/3").await;
    assert!(applicant.page.contains("Dari dahulu"), "{}", applicant.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_page_says_what_was_checked_found_and_is_to_be_done() {
    let site = office();
    site.chain.is_edited();
    let mut applicant = Browser::new(&site);
    applicant.fill_in("antrean", "192.0.2.30").await;
    let once = applicant.hidden("once");
    applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    admin.open("/jejak?periksa=ya").await;
    for words in ["Jejak audit utuh", "Yang diperiksa", "baris dalam "] {
        assert!(admin.page.contains(words), "{words}: {}", admin.page);
    }
    let says = async |admin: &mut Browser<'_>, all: [&str; 3]| {
        admin.open("/jejak?periksa=ya").await;
        for words in all {
            assert!(admin.page.contains(words), "{words}: {}", admin.page);
        }
        assert!(!admin.page.contains("audit-"), "{}", admin.page);
    };
    let store = Store::open(site.dir.path()).unwrap();
    store.tamper("UPDATE person SET password = 'x' WHERE name = 'kasi'");
    let todo = "Yang harus dilakukan: hentikan gapura";
    says(&mut admin, ["Jejak audit tidak cocok", "Tabel person, baris p-", todo]).await;
    admin.open("/bahasa/en?ke=%2Fjejak").await;
    let english =
        ["The audit trail does not fit", "altered by other means", "What to do: stop gapura"];
    says(&mut admin, english).await;
    // A letter whose file is another one, and a session that gapura did not write.
    let letters = std::fs::read_dir(site.dir.path().join("letters")).unwrap();
    let letter = letters.flatten().next().unwrap().path();
    std::fs::write(letter, "%PDF-1.4 other").unwrap();
    let more = ["Table person", "1 other things do not fit", "gapura audit verify"];
    says(&mut admin, more).await;
    let mut names = admin.jar.iter().map(|(name, _)| name.clone());
    let cookie = names.find(|name| name.ends_with("sesi")).unwrap();
    let hash = crate::digest::sha256_hex("forged");
    store.tamper(&format!(
        "INSERT INTO session SELECT '{hash}', id, 'full', NULL, {now}, {now}, {now} FROM person \
         WHERE name = 'admin'",
        now = 1_795_500_000_000_i64
    ));
    let mut thief = Browser { jar: vec![(cookie, "forged".to_owned())], ..Browser::new(&site) };
    thief.open("/jejak").await;
    assert!(thief.page.contains("<h1>Masuk petugas</h1>"), "{}", thief.page);
}
