//! Limits: what strangers and slow targets cannot hold or fill.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::desk::Room;
use crate::people::{NewToken, Scopes};

/// How long anything may take that waits for nobody.
const SOON: Duration = Duration::from_secs(2);

impl Site {
    /// A personal token that may do everything.
    fn token(&self, name: &str) -> String {
        let scopes = Scopes { read: true, submit: true, decide: true };
        let new = NewToken { label: String::new(), scopes, network: None, days: None };
        self.people.create_token(name, PASSWORD, &new).unwrap().token
    }

    /// One call of the API.
    async fn call(&self, token: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = match &body {
            Some(_) => Request::post(path).header(CONTENT_TYPE, "application/json"),
            None => Request::get(path),
        };
        let from = SocketAddr::new("192.0.2.200".parse().unwrap(), 40_000);
        let request = request.header("Authorization", format!("Bearer {token}"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.extension(ConnectInfo(from)).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Sends a request by API as a stranger from an address.
    async fn submit(&self, from: &str, request: &Value) -> (StatusCode, Value) {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{request}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"letter\"; filename=\"s.pdf\"\r\n\r\n%PDF-1.4 surat\r\n--b--\r\n"
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

    let waiting: Vec<_> = slow.iter().map(|number| site.approve(&kasi, number)).collect();
    let mut waiting = Box::pin(join_all(waiting));
    let first = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(first.is_err(), "they wait for their probes");

    let begun = Instant::now();
    let ready = Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(site.router.clone().oneshot(ready).await.unwrap().status(), StatusCode::OK);
    let (status, list) = site.call(&kasi, "/api/v1/requests", None).await;
    assert_eq!((status, list["items"].as_array().unwrap().len()), (StatusCode::OK, 21));
    let mut browser = Browser::new(&site);
    browser.sign_in("kasi").await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let (status, live) = site.approve(&kasi, &quick).await;
    assert_eq!((status, &live["state"]), (StatusCode::OK, &json!("live")), "{live}");
    assert!(begun.elapsed() < SOON * 2, "{:?}", begun.elapsed());

    // A probe that ends without a result is missing on the sheet, and the officer's note says so.
    drop(held);
    for (status, body) in waiting.await {
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

impl Site {
    /// Approves what a request's page shows.
    async fn approve(&self, token: &str, number: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1/requests/{number}");
        let (_, view) = self.call(token, &path, None).await;
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
        self.call(token, &format!("{path}/approve"), Some(act)).await
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
async fn readiness_tells_of_a_full_disk() {
    let site = office();
    let ready = async || {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        site.router.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ready().await, StatusCode::OK);
    site.desk.pretend(Room::Full);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
}
