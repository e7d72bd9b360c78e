//! Limits: what strangers and slow targets cannot hold or fill.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::desk::{DraftLimits, Room};
use crate::people::{NewToken, Scopes};
use crate::store::StoreError;

/// How long anything may take that waits for nobody.
const SOON: Duration = Duration::from_secs(10);

impl Site {
    /// A personal token that may do everything.
    pub(super) fn token(&self, name: &str) -> String {
        let scopes = Scopes { read: true, submit: true, decide: true };
        let new = NewToken { label: String::new(), scopes, network: None, days: None };
        let proof = people::OldProof { password: PASSWORD, code: "" };
        let made = self.people.create_token(name, proof, &new, &people::Origin::Console);
        made.unwrap().token
    }

    /// Whoever has this token.
    fn caller(&self, token: &str) -> Caller {
        Caller { router: self.router.clone(), token: token.to_owned() }
    }

    /// One call of the API.
    pub(super) async fn call(
        &self,
        token: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.caller(token).call(path, body).await
    }

    /// Approves what a request's page shows.
    async fn approve(&self, token: &str, number: &str) -> (StatusCode, Value) {
        self.caller(token).approve(number).await
    }

    /// Sends a request by API as a stranger from an address.
    async fn submit(&self, from: &str, request: &Value) -> (StatusCode, Value) {
        self.submit_with(from, request, SURAT).await
    }

    /// The same with another letter.
    async fn submit_with(&self, from: &str, request: &Value, letter: &str) -> (StatusCode, Value) {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{request}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"letter\"; filename=\"s.pdf\"\r\n\r\n{letter}\r\n--b--\r\n"
        );
        let call = Request::post("/api/v1/requests")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .extension(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 40_000)));
        let response = self.router.clone().oneshot(call.body(Body::from(body)).unwrap()).await;
        let response = response.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

/// A service's request.
fn service(name: &str, address: &str) -> Value {
    json!({
        "kind": "new", "class": "layanan", "name": name, "zone": "cirebonkab.go.id.",
        "records": [{ "type": "A", "data": address, "ttl": 3600 }],
        "office": format!("Dinas {name}"), "region": null, "purpose": "Layanan",
        "contact": { "name": "Rina", "position": "Staf", "email": format!("{name}@dinas.example"), "phone": "0231-1" },
        "letter": { "number": "1/2", "date": "2026-11-20" }, "starts": null, "ends": null
    })
}

/// The number in an answer.
fn number((status, body): (StatusCode, Value)) -> String {
    assert_eq!(status, StatusCode::CREATED, "{body}");
    body["number"].as_str().unwrap().to_owned()
}

//------------ Slow targets --------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_targets_hold_nothing_that_others_need() {
    let site = office_with(|_, desk| {
        desk.probe = true;
        desk.rules.bind = crate::queue::Bind::Candidate;
    });
    let (kabid, kasi) = (site.token("kabid"), site.token("kasi"));
    let order = json!({ "to": "kasi", "instruction": "Periksa." });
    let mut slow = Vec::new();
    let mut held = Vec::new();
    for at in 0..20 {
        let request = service(&format!("lambat{at}"), "103.28.12.5");
        let from = format!("198.51.{at}.1");
        let number = number(site.submit(&from, &request).await);
        // The targets of the request never answer.
        let (release, stalled) = mpsc::channel();
        site.desk.stall_probe(&number, stalled);
        held.push(release);
        let path = format!("/api/v1/requests/{number}/dispose");
        assert_eq!(site.call(&kabid, &path, Some(order.clone())).await.0, StatusCode::OK);
        slow.push(number);
    }
    let quick = number(site.submit("203.0.113.1", &service("cepat", "192.0.2.80")).await);
    let path = format!("/api/v1/requests/{quick}/dispose");
    assert_eq!(site.call(&kabid, &path, Some(order)).await.0, StatusCode::OK);

    let waiting: Vec<_> = slow
        .into_iter()
        .map(|number| {
            let caller = site.caller(&kasi);
            tokio::spawn(async move { caller.approve(&number).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(waiting.iter().all(|call| !call.is_finished()), "they wait for their probes");

    let begun = Instant::now();
    let ready = Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(site.router.clone().oneshot(ready).await.unwrap().status(), StatusCode::OK);
    let (status, list) = site.call(&kasi, "/api/v1/requests", None).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    assert_eq!((status, list["items"].as_array().unwrap().len()), (StatusCode::OK, 21));
    let mut browser = Browser::new(&site);
    browser.sign_in("kasi").await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let (status, live) = site.approve(&kasi, &quick).await;
    assert_eq!((status, &live["state"]), (StatusCode::OK, &json!("live")), "{live}");
    assert!(begun.elapsed() < SOON * 2, "{:?}", begun.elapsed());

    // A probe that ends without a result is missing on the sheet, and the officer's note says so.
    drop(held);
    for call in waiting {
        let (status, body) = call.await.unwrap();
        assert_eq!((status, &body["state"]), (StatusCode::OK, &json!("live")), "{body}");
    }
}

/// Waits for all of them.
async fn join_all<T>(all: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(move |context| {
        for (one, value) in &mut all {
            if value.is_none()
                && let std::task::Poll::Ready(done) = one.as_mut().poll(context)
            {
                *value = Some(done);
            }
        }
        if all.iter().any(|(_, value)| value.is_none()) {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(all.iter_mut().filter_map(|(_, value)| value.take()).collect())
    })
    .await
}

/// Somebody with a token; clones call at the same time.
#[derive(Clone)]
struct Caller {
    router: Router,
    token: String,
}

impl Caller {
    /// One call of the API.
    async fn call(&self, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = match &body {
            Some(_) => Request::post(path).header(CONTENT_TYPE, "application/json"),
            None => Request::get(path),
        };
        let from = SocketAddr::new("192.0.2.200".parse().unwrap(), 40_000);
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.extension(ConnectInfo(from)).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Approves what a request's page shows.
    async fn approve(&self, number: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1/requests/{number}");
        let (_, view) = self.call(&path, None).await;
        let lines: Vec<Value> = view["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| {
                line["code"].as_str().unwrap().starts_with('M') || line["verdict"] != "ok"
            })
            .map(|line| json!({ "code": line["code"], "verdict": "ok", "note": "diperiksa" }))
            .collect();
        let act = json!({
            "revision": view["revision"], "candidate": view["candidate"]["hash"],
            "serial": view["candidate"]["serial"], "lines": lines
        });
        self.call(&format!("{path}/approve"), Some(act)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_words_and_not_silence() {
    let site = office_with(|web, desk| {
        web.answer_max = Duration::from_millis(300);
        desk.probe = true;
    });
    let (kabid, kasi) = (site.token("kabid"), site.token("kasi"));
    let number = number(site.submit("198.51.100.1", &service("lambat", "103.28.12.5")).await);
    let (_release, stalled) = mpsc::channel();
    site.desk.stall_probe(&number, stalled);
    let order = json!({ "to": "kasi", "instruction": "Periksa." });
    site.call(&kabid, &format!("/api/v1/requests/{number}/dispose"), Some(order)).await;
    let (status, body) = site.approve(&kasi, &number).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("slow")),
        "{body}"
    );
    // A person gets a page: a letter whose end never comes is such a wait.
    let mut browser = Browser::new(&site);
    browser.open("/permohonan/5").await;
    let body = async_stream(b"--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n");
    let request = Request::post("/permohonan/5")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
        .extension(ConnectInfo(SocketAddr::new("198.51.100.1".parse().unwrap(), 40_000)));
    let response = site.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(browser.keep(response).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.page.contains("periksa dahulu sebelum mengirim ulang"), "{}", browser.page);
}

/// A body that begins and never ends.
fn async_stream(begin: &'static [u8]) -> Body {
    Body::new(Endless(Some(axum::body::Bytes::from_static(begin))))
}

/// See [`async_stream`].
struct Endless(Option<axum::body::Bytes>);

impl hyper::body::Body for Endless {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        match self.0.take() {
            Some(bytes) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
            None => std::task::Poll::Pending,
        }
    }
}

//------------ The disk ------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_the_disk_is_the_officers() {
    let site = office();
    let ready = async || {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        site.router.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ready().await, StatusCode::OK);
    let number = number(site.submit("198.51.100.1", &service("antrean", "192.0.2.80")).await);
    let kabid = site.token("kabid");
    let mut stranger = Browser::new(&site);
    stranger.open("/permohonan").await;

    site.desk.pretend(Room::Reserved);
    let (status, body) = site.submit("198.51.100.1", &service("lain", "192.0.2.81")).await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("no_room")));
    let kind = [("kind", "new"), ("class", "layanan")];
    assert_eq!(stranger.post("/permohonan/1", &kind).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(stranger.page.contains("Antarkan surat ke"), "{}", stranger.page);
    let order = json!({ "to": "kasi", "instruction": "Periksa." });
    let (status, _) =
        site.call(&kabid, &format!("/api/v1/requests/{number}/dispose"), Some(order)).await;
    assert_eq!(status, StatusCode::OK);
    let mut officer = Browser::new(&site);
    officer.sign_in("kasi").await;
    officer.open("/permohonan").await;
    assert_eq!(officer.post("/permohonan/1", &kind).await, StatusCode::OK);
    assert_eq!(ready().await, StatusCode::OK);

    site.desk.pretend(Room::Full);
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_in_words() {
    let site = office();
    let number = number(site.submit("198.51.100.1", &service("antrean", "192.0.2.80")).await);
    let kabid = site.token("kabid");
    let mut browser = Browser::new(&site);
    browser.sign_in("kabid").await;
    let mut late = Browser::new(&site);
    late.open("/masuk").await;
    site.store.fill_up();
    let path = format!("/api/v1/requests/{number}/dispose");
    let order = json!({ "to": "kasi", "instruction": "Periksa. ".repeat(400) });
    let (status, body) = site.call(&kabid, &path, Some(order)).await;
    assert_eq!((status.as_u16(), &body["code"]), (507, &json!("disk_full")), "{body}");
    let text = "Periksa. ".repeat(400);
    let order = [("to", "kasi"), ("instruction", text.as_str())];
    browser.open(&format!("/tinjau/{number}/disposisi")).await;
    let status = browser.post(&format!("/tinjau/{number}/disposisi"), &order).await;
    assert_eq!(status.as_u16(), 507, "{}", browser.page);
    assert!(browser.page.contains("Penyimpanan server penuh"), "{}", browser.page);
    // Sign-ins go on until the last page is full, and then say so.
    let who = [("name", "kasi"), ("password", PASSWORD)];
    let mut said = false;
    for _ in 0..40 {
        let status = late.post("/masuk", &who).await;
        if status.as_u16() == 507 {
            said = late.page.contains("Penyimpanan server penuh");
            break;
        }
        late.post("/keluar", &[]).await;
        late.open("/masuk").await;
    }
    assert!(said, "{}", late.page);
}

//------------ Drafts --------------------------------------------------------

impl<'a> Browser<'a> {
    /// A browser at an address, with the form open.
    async fn at_the_form(site: &'a Site, from: &'static str) -> Self {
        let mut browser = Browser { from, ..Browser::new(site) };
        browser.open("/permohonan").await;
        browser
    }

    /// Sends the first step; the status.
    async fn begin(&mut self) -> StatusCode {
        self.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_chooses_its_visit() {
    let site = office();
    let chosen = ("gapura_kunjungan".to_owned(), "pilihanku".to_owned());
    let mut forger = Browser { jar: vec![chosen.clone()], ..Browser::new(&site) };
    forger.open("/permohonan").await;
    let given = forger.jar.iter().find(|(name, _)| *name == chosen.0).unwrap().1.clone();
    assert!(given != chosen.1 && given.len() > 100, "{given}");
    assert_eq!(forger.begin().await, StatusCode::OK);
    // One of ours with another random part is none of ours.
    let forged = format!("{}{}", if given.starts_with('0') { '1' } else { '0' }, &given[1..]);
    forger.jar = vec![(chosen.0, forged)];
    assert_eq!(forger.begin().await, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_have_limits_per_network_and_in_all() {
    let site = office_with(|web, _| {
        web.drafts = DraftLimits { count: 4, per_network: 2, octets: 8 * 60_000 };
    });
    let hour = 61 * 60_000;
    let mut first = Browser::at_the_form(&site, "198.51.100.1").await;
    let mut second = Browser::at_the_form(&site, "198.51.100.2").await;
    let mut third = Browser::at_the_form(&site, "198.51.100.3").await;
    assert_eq!(first.begin().await, StatusCode::OK);
    assert_eq!(second.begin().await, StatusCode::OK);
    assert_eq!(third.begin().await, StatusCode::TOO_MANY_REQUESTS);
    assert!(third.page.contains("dimulai dan belum dikirim"), "{}", third.page);
    assert_eq!(first.begin().await, StatusCode::OK, "one's own goes on");
    // Those that lie untouched make room, the oldest first.
    site.time.fetch_add(hour, Ordering::Relaxed);
    assert_eq!(first.begin().await, StatusCode::OK);
    third.open("/permohonan").await;
    assert_eq!(third.begin().await, StatusCode::OK);
    second.open("/permohonan/1").await;
    assert!(!second.page.contains("checked"), "the second one's is gone: {}", second.page);
    // In all: the networks after the second find no room until the hour is over.
    let mut fourth = Browser::at_the_form(&site, "203.0.113.1").await;
    let mut fifth = Browser::at_the_form(&site, "203.0.113.2").await;
    let mut sixth = Browser::at_the_form(&site, "192.0.2.1").await;
    assert_eq!((fourth.begin().await, fifth.begin().await), (StatusCode::OK, StatusCode::OK));
    assert_eq!(sixth.begin().await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(sixth.page.contains("Formulir yang dimulai"), "{}", sixth.page);
    let mut officer = Browser::new(&site);
    officer.sign_in("kasi").await;
    officer.open("/permohonan").await;
    assert_eq!(officer.begin().await, StatusCode::OK, "an officer's form is no stranger's");
    site.time.fetch_add(hour, Ordering::Relaxed);
    sixth.open("/permohonan").await;
    assert_eq!(sixth.begin().await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_have_limits_of_octets() {
    let site = office_with(|web, _| {
        web.drafts.octets = 8 * 50_000;
    });
    let long = "x".repeat(15_000);
    let contact = [("office", long.as_str()), ("contact_name", &long)];
    let mut first = Browser::at_the_form(&site, "198.51.100.1").await;
    assert_eq!(first.post("/permohonan/2", &contact).await, StatusCode::UNPROCESSABLE_ENTITY);
    let mut second = Browser::at_the_form(&site, "198.51.100.2").await;
    assert_eq!(second.post("/permohonan/2", &contact).await, StatusCode::TOO_MANY_REQUESTS);
    let mut other = Browser::at_the_form(&site, "203.0.113.1").await;
    assert_eq!(other.post("/permohonan/2", &contact).await, StatusCode::UNPROCESSABLE_ENTITY);
    let all = [
        ("office", long.as_str()),
        ("contact_name", &long),
        ("contact_position", &long),
        ("contact_email", &long),
        ("contact_phone", &long),
    ];
    assert_eq!(other.post("/permohonan/2", &all).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(other.page.contains("Persingkat"), "{}", other.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_of_the_form_have_a_limit_per_network() {
    let site = office();
    let mut browser = Browser::at_the_form(&site, "198.51.100.1").await;
    let mut many = 0;
    while many < 200 && browser.begin().await == StatusCode::OK {
        browser.open("/permohonan/1").await;
        many += 1;
    }
    assert!((120..130).contains(&many), "{many}");
    let mut near = Browser::at_the_form(&site, "198.51.100.9").await;
    assert_eq!(near.begin().await, StatusCode::TOO_MANY_REQUESTS);
    let mut far = Browser::at_the_form(&site, "203.0.113.9").await;
    assert_eq!(far.begin().await, StatusCode::OK);
}

//------------ Open requests -------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn open_requests_have_limits() {
    let site = office_with(|_, desk| {
        desk.strangers.open = 7;
        desk.strangers.open_per_network = 3;
        desk.strangers.open_per_mailbox = 2;
        desk.strangers.open_per_office = 2;
    });
    let with = |name: &str, email: &str, office: &str| {
        let mut request = service(name, "192.0.2.80");
        request["contact"]["email"] = json!(email);
        request["office"] = json!(office);
        request
    };
    let status = async |from: &str, request: Value| {
        let (status, body) = site.submit(from, &request).await;
        (status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
    };
    let taken = (201, String::new());
    let many = (429, "too_many_open".to_owned());
    // One mailbox, however it is written, from anywhere.
    assert_eq!(status("198.51.100.1", with("satu", "a@x.example", "Dinas A")).await, taken);
    assert_eq!(status("198.51.101.1", with("dua", " A@X.example", "Dinas B")).await, taken);
    assert_eq!(status("198.51.102.1", with("tiga", "a@x.EXAMPLE", "Dinas C")).await, many);
    assert_eq!(status("198.51.102.2", with("tiga", "a+3@x.example", "Dinas C")).await, many);
    // One office.
    assert_eq!(status("198.51.102.1", with("tiga", "b@x.example", "DINAS  a")).await, taken);
    assert_eq!(status("198.51.103.1", with("empat", "c@x.example", "dinas a ")).await, many);
    // One network.
    assert_eq!(status("198.51.100.2", with("empat", "c@x.example", "Dinas D")).await, taken);
    assert_eq!(status("198.51.100.3", with("lima", "d@x.example", "Dinas E")).await, taken);
    assert_eq!(status("198.51.100.4", with("enam", "e@x.example", "Dinas F")).await, many);
    // All of them.
    assert_eq!(status("198.51.104.1", with("enam", "f@x.example", "Dinas G")).await, taken);
    assert_eq!(status("198.51.105.1", with("tujuh", "g@x.example", "Dinas H")).await, taken);
    let full = status("198.51.106.1", with("delapan", "h@x.example", "Dinas I")).await;
    assert_eq!(full, (503, "no_room".to_owned()));
    // The page says it in words, and an officer with a letter sends in all the same.
    let mut browser = Browser { from: "198.51.107.1", ..Browser::new(&site) };
    browser.fill_in("sembilan", "192.0.2.80").await;
    let once = browser.hidden("once");
    let sent = browser.post("/permohonan/periksa", &[("once", &once)]).await;
    assert_eq!(sent, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.page.contains("Antarkan surat ke"), "{}", browser.page);
    let mut officer = Browser::new(&site);
    officer.sign_in("admin").await;
    officer.fill_in("sembilan", "192.0.2.80").await;
    let once = officer.hidden("once");
    let sent = officer.post("/permohonan/periksa", &[("once", &once)]).await;
    assert_eq!(sent, StatusCode::OK, "{}", officer.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_have_a_limit_in_all() {
    let site = office_with(|_, desk| desk.strangers.letters = 1);
    number(site.submit("198.51.100.1", &service("satu", "192.0.2.80")).await);
    let (status, body) = site.submit("198.51.101.1", &service("dua", "192.0.2.81")).await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!("no_room")));
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_strangers_have_a_limit_by_api_too() {
    let site = office();
    for at in 0..30 {
        let from = format!("198.51.100.{}", at % 3 + 1);
        let (status, body) = site.submit_with(&from, &service("satu", "192.0.2.80"), "x").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{at}: {body}");
    }
    let (status, _) = site.submit_with("198.51.100.4", &service("satu", "192.0.2.80"), "x").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "the network has sent enough");
    number(site.submit("198.51.101.1", &service("satu", "192.0.2.80")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_keeps_nobody_out() {
    let site = office();
    let mut silent = Vec::new();
    for at in 0..64 {
        let from = SocketAddr::new(format!("10.0.{}.1", at % 8).parse().unwrap(), 40_000);
        let request = Request::post("/api/v1/requests")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .extension(ConnectInfo(from))
            .body(async_stream(b"--b\r\n"))
            .unwrap();
        silent.push(tokio::spawn(site.router.clone().oneshot(request)));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    number(site.submit("10.0.0.9", &service("satu", "192.0.2.80")).await);
    silent.iter().for_each(tokio::task::JoinHandle::abort);
}

//------------ Guesses -------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_same_time_are_no_more_than_one_by_one() {
    let site = office();
    let number = number(site.submit("198.51.100.1", &service("antrean", "192.0.2.80")).await);
    let guess = async |at: usize| {
        let from = SocketAddr::new("203.0.113.7".parse().unwrap(), 40_000);
        let request = match at % 3 {
            0 => {
                Request::get("/status").header(COOKIE, format!("gapura_pemohon={number}.AAAAAAAA"))
            }
            1 => Request::get(format!("/permohonan/terkirim/{number}"))
                .header(COOKIE, format!("gapura_pemohon={number}.AAAAAAAA")),
            _ => Request::get(format!("/api/v1/requests/{number}"))
                .header("Gapura-Secret", "AAAAAAAA"),
        };
        let request = request.extension(ConnectInfo(from)).body(Body::empty()).unwrap();
        site.router.clone().oneshot(request).await.unwrap().status()
    };
    let statuses = join_all((0..120).map(guess).collect()).await;
    let refused = |status: &&StatusCode| **status == StatusCode::TOO_MANY_REQUESTS;
    assert_eq!(statuses.iter().filter(refused).count(), 90, "{statuses:?}");
}

//------------ Sign-in -------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_that_find_no_place_hear_that_it_is_busy() {
    const FROM: [&str; 12] = [
        "10.0.0.1",
        "10.0.1.1",
        "10.0.2.1",
        "10.0.3.1",
        "10.0.4.1",
        "10.0.5.1",
        "10.0.6.1",
        "10.0.7.1",
        "10.0.8.1",
        "10.0.9.1",
        "10.0.10.1",
        "10.0.11.1",
    ];
    let site = office_with(|web, _| web.hashes_waiting = 0);
    let mut browsers = Vec::new();
    for from in FROM {
        let mut browser = Browser { from, ..Browser::new(&site) };
        browser.open("/masuk").await;
        browsers.push(browser);
    }
    let press = async |mut browser: Browser<'_>| {
        let status = browser.post("/masuk", &[("name", "tiada"), ("password", PASSWORD)]).await;
        (status, browser.page)
    };
    let answers = join_all(browsers.into_iter().map(press).collect()).await;
    let busy: Vec<_> =
        answers.iter().filter(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE).collect();
    assert!(!busy.is_empty() && busy.len() < FROM.len(), "{}", busy.len());
    assert!(busy.iter().all(|(_, page)| page.contains("Sedang ramai")), "{}", busy[0].1);
}

#[test]
fn whoever_may_have_been_heard_is_not_told_that_nothing_was_changed() {
    let unheard = || {
        let failed = StoreError::injected(std::io::ErrorKind::Other.into());
        let StoreError::Commit(fault) = failed else { panic!("{failed}") };
        desk::ActError::from(StoreError::Unheard(fault))
    };
    let problem = crate::web::api::Problem::from(unheard());
    let response = axum::response::IntoResponse::into_response(problem);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(crate::web::failure::Failure::from(unheard()).id, "fail-slow");
}
