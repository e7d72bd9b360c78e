//! What calls of the API prove and how they are sent: a credential that cannot be read is a wrong one.

use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};

use super::*;

/// A request that was sent over the pages: number and secret.
async fn sent(site: &Site) -> (String, String) {
    let mut applicant = Browser::new(site);
    applicant.fill_in("antrean", "192.0.2.30").await;
    let once = applicant.hidden("once");
    applicant.post("/permohonan/periksa", &[("once", &once)]).await;
    (applicant.after("<b class=\"big\">"), applicant.after("<code class=\"secret\">"))
}

/// Sends one call.
async fn call(site: &Site, request: axum::http::request::Builder, body: &str) -> Response<Body> {
    let from = SocketAddr::new("192.0.2.9".parse().unwrap(), 40_000);
    let request = request.extension(ConnectInfo(from)).body(Body::from(body.to_owned())).unwrap();
    site.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_cannot_be_read_is_wrong_and_not_none() {
    let site = office();
    let (number, secret) = sent(&site).await;
    let token = site.token("kasi");
    let path = format!("/api/v1/requests/{number}");
    let long = format!("Bearer {}", "x".repeat(300));
    let twice = format!("Bearer {token}");
    let unreadable: [Vec<HeaderValue>; 9] = [
        vec![HeaderValue::from_str(&long).unwrap()],
        vec![HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap()],
        vec![HeaderValue::from_bytes("Bearer kunci-é".as_bytes()).unwrap()],
        vec![HeaderValue::from_str(&twice).unwrap(), HeaderValue::from_str(&twice).unwrap()],
        vec![HeaderValue::from_static("")],
        vec![HeaderValue::from_static("Bearer")],
        vec![HeaderValue::from_static("Bearer ")],
        vec![HeaderValue::from_static("Basic a2FzaTpzYW5kaQ==")],
        vec![HeaderValue::from_static("Bearer gpr_lain")],
    ];
    for lines in unreadable {
        let with = |request: axum::http::request::Builder| {
            lines.iter().fold(request, |request, line| request.header(AUTHORIZATION, line))
        };
        let boundary = "multipart/form-data; boundary=batas";
        for request in [
            with(Request::get(&path).header("Gapura-Secret", &secret)),
            with(Request::get("/api/v1/requests")),
            with(Request::post("/api/v1/requests").header(CONTENT_TYPE, boundary)),
            with(Request::post(format!("{path}/withdraw")).header("Gapura-Secret", &secret)),
        ] {
            let response = call(&site, request, "").await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{lines:?}");
            let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{lines:?}: {challenge}");
        }
    }
    let secrets =
        [vec!["x".repeat(300)], vec![secret.clone(), secret.clone()], vec![String::new()]];
    for lines in secrets {
        let request = lines.iter().fold(Request::get(&path), |request, line| {
            request.header("Gapura-Secret", line.as_str())
        });
        let response = call(&site, request, "").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{lines:?}");
    }
    let none = call(&site, Request::get(&path), "").await;
    assert!(!none.headers()[WWW_AUTHENTICATE].to_str().unwrap().contains("error"));
    let right = call(&site, Request::get(&path).header("Gapura-Secret", &secret), "").await;
    assert_eq!(right.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_taken_only_as_json() {
    let site = office();
    let (number, secret) = sent(&site).await;
    let token = format!("Bearer {}", site.token("kabid"));
    let path = format!("/api/v1/requests/{number}");
    let post = |path: String, kind: Option<&str>| {
        let request = Request::post(path).header(AUTHORIZATION, &token);
        match kind {
            Some(kind) => request.header(CONTENT_TYPE, kind),
            None => request,
        }
    };
    let kinds = [
        None,
        Some("image/png"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("multipart/form-data; boundary=x"),
    ];
    let slip = "{\"to\":\"kasi\",\"instruction\":\"Periksa.\"}";
    for kind in kinds {
        for (path, body) in [
            (format!("{path}/dispose"), slip),
            (format!("{path}/erase"), "{\"ground\":\"x\"}"),
            ("/api/v1/records/ns1/suspend".to_owned(), "{\"reason\":\"coba\"}"),
            ("/api/v1/records/ns1/confirm".to_owned(), "{}"),
        ] {
            let response = call(&site, post(path.clone(), kind), body).await;
            assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {kind:?}");
        }
    }
    // An act that takes something needs a body; one that need not, does not.
    let dispose = format!("{path}/dispose");
    for kind in [None, Some("application/json")] {
        let empty = call(&site, post(dispose.clone(), kind), " ").await;
        assert_eq!(empty.status(), StatusCode::BAD_REQUEST);
    }
    let taken = call(&site, post(dispose, Some("Application/JSON; charset=utf-8")), slip).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let withdraw = Request::post(format!("{path}/withdraw")).header("Gapura-Secret", &secret);
    assert_eq!(call(&site, withdraw, "").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_wait_is_told_how_long() {
    let site = office();
    let (number, _) = sent(&site).await;
    let path = format!("/api/v1/requests/{number}");
    let guess = || Request::get(&path).header("Gapura-Secret", "AAAAAAAA");
    for _ in 0..30 {
        assert_eq!(call(&site, guess(), "").await.status(), StatusCode::NOT_FOUND);
    }
    let response = call(&site, guess(), "").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = response.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((3500..=3601).contains(&seconds), "{seconds}");
    let mut browser = Browser { from: "192.0.2.10", ..Browser::new(&site) };
    browser.open("/masuk").await;
    let token = browser.token();
    let mut last = StatusCode::OK;
    for _ in 0..40 {
        let body = format!("csrf={token}&name=siapa{last}&password=x");
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post("/masuk").header(CONTENT_TYPE, kind);
        let response = browser.send(request, body).await;
        last = response.status();
        if last == StatusCode::TOO_MANY_REQUESTS
            && let Some(seconds) = response.headers().get(RETRY_AFTER)
        {
            let seconds: u64 = seconds.to_str().unwrap().parse().unwrap();
            assert!((1..=3).contains(&seconds), "{seconds}");
            return;
        }
    }
    panic!("never told to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_cookie_of_a_browser_is_no_browser() {
    let site = office();
    for made in ["-9223372036854775808", "9223372036854775807", "99999999999999999999", "x", ""] {
        let mut forger = Browser::new(&site);
        forger.open("/masuk").await;
        forger.jar.push(("gapura_perangkat".to_owned(), format!("x.{made}.y")));
        let who = [("name", "kasi"), ("password", "salah-salah-salah")];
        let status = forger.post("/masuk", &who).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{made}: {}", forger.page);
    }
}
