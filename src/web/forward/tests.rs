//! Two nodes on sockets: one follows, and the other is a small site that says what came to it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::AppendHeaders;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// The publishing node's site.
async fn site() -> SocketAddr {
    let said = async |headers: HeaderMap, request: Request| {
        let uri = request.uri().clone();
        let visitor = headers.get("gapura-visitor").map(|it| it.to_str().unwrap().to_owned());
        let visitor = visitor.unwrap_or_default();
        let (host, cookie) = (headers["host"].clone(), headers.get("cookie").cloned());
        let said = format!("{uri} {host:?} {} {cookie:?}", visitor.split(' ').next().unwrap());
        let cookies = AppendHeaders([("set-cookie", "a=1"), ("set-cookie", "b=2")]);
        (cookies, [("connection", "x-own")], said)
    };
    let router = Router::new()
        .route("/said", get(said))
        .route("/counted", post(async |body: Bytes| format!("{} octets", body.len())))
        .route("/large", get(async || "x".repeat(8_000_000)))
        .route("/known", get(async || (StatusCode::NOT_MODIFIED, [("etag", "\"7\"")])))
        .route("/back", post(async || (StatusCode::SEE_OTHER, [("location", "/said")])))
        .route("/slow", post(async || tokio::time::sleep(Duration::from_secs(60)).await))
        .route("/late", post(async || tokio::time::sleep(Duration::from_secs(1)).await))
        .route("/wrong", get(async || StatusCode::MISDIRECTED_REQUEST))
        .route("/readyz", get(async || "ready"));
    let router = router.layer(axum::extract::DefaultBodyLimit::disable());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(door::serve(
        listener,
        router,
        Vec::new(),
        DoorLimits::default(),
        std::future::pending(),
    ));
    address
}

/// The publisher at an address.
fn publishing(number: i64, url: Option<String>) -> Option<PublishingNode> {
    Some(PublishingNode { number, name: "satu".to_owned(), url, token: vec![7; 32] })
}

/// A node that follows.
async fn follower(publisher: Publisher) -> SocketAddr {
    follower_until(publisher, std::future::pending()).await
}

/// The same until it stops.
async fn follower_until(
    publisher: Publisher,
    stop: impl Future<Output = Duration> + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxies = vec!["127.0.0.1".parse().unwrap()];
    // Without the looks of `reach`: a test counts what comes.
    let router = router(Forward::new(publisher, Reach::default(), proxies.clone()));
    tokio::spawn(door::serve(listener, router, proxies, DoorLimits::default(), stop));
    address
}

/// Both; the sender says who publishes.
async fn both() -> (SocketAddr, watch::Sender<Option<PublishingNode>>) {
    let site = site().await;
    let (publisher, told) = watch::channel(publishing(1, Some(format!("http://{site}"))));
    (follower(told).await, publisher)
}

/// What a request of these octets is answered with.
async fn answer(to: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The answer to a request of this first line and these lines of fields.
async fn asked(to: SocketAddr, line: &str, fields: &str) -> String {
    let request =
        format!("{line} HTTP/1.1\r\nHost: gapura.example\r\nConnection: close\r\n{fields}\r\n");
    answer(to, request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_its_answer_pass_as_they_are() {
    let (node, _publisher) = both().await;
    let fields = "Cookie: x=y\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n";
    let said = asked(node, "GET /said?a=%2F&b", fields).await;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
    let body = "/said?a=%2F&b \"gapura.example\" 198.51.100.7 Some(\"x=y\")";
    assert!(said.ends_with(body), "{said}");
    assert!(said.contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"), "{said}");
    assert!(!said.contains("x-own"), "{said}");
    let known = asked(node, "GET /known", "If-None-Match: \"7\"\r\n").await;
    assert!(known.starts_with("HTTP/1.1 304 ") && known.contains("etag: \"7\""), "{known}");
    let back = asked(node, "POST /back", "Content-Length: 0\r\n").await;
    assert!(back.starts_with("HTTP/1.1 303 ") && back.contains("location: /said\r\n"), "{back}");
    let large = asked(node, "GET /large", "").await;
    assert!(large.ends_with(&"x".repeat(8_000_000)));
    let head = asked(node, "HEAD /large", "").await;
    assert!(head.contains("content-length: 8000000\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_pass_piece_by_piece_up_to_the_limit_of_the_pages() {
    let (node, _publisher) = both().await;
    let octets = 5_000_000;
    let fields = format!("Content-Length: {octets}\r\n");
    let head = format!("POST /counted HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
    let request = [head.into_bytes(), vec![b'x'; octets]].concat();
    assert!(answer(node, &request).await.ends_with("\r\n5000000 octets"));
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n";
    assert!(asked(node, "POST /counted", chunked).await.ends_with("\r\n5 octets"));
    let waiting = "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab";
    let waited = asked(node, "POST /counted", waiting).await;
    assert!(waited.contains("HTTP/1.1 200 ") && waited.contains("2 octets"), "{waited}");
    let length = format!("Content-Length: {}\r\n", BODY_MAX + 1);
    let refused = asked(node, "POST /counted", &length).await;
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("2 MB"), "{refused}");
    let refused = asked(node, "POST /api/v1/requests", &length).await;
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("too_large"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_passed_on_is_said() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = Some(format!("http://{nowhere}"));
    let unsafe_url = Some("gopher://satu".to_owned());
    for publisher in [None, publishing(1, None), publishing(1, nowhere), publishing(1, unsafe_url)]
    {
        let (_publisher, told) = watch::channel(publisher);
        let node = follower(told).await;
        let page = asked(node, "POST /masuk", "Content-Length: 0\r\n").await;
        assert!(
            page.starts_with("HTTP/1.1 503 ") && page.contains("retry-after: 10\r\n"),
            "{page}"
        );
        assert!(
            page.contains("tidak ada yang hilang") && page.contains("nothing was lost"),
            "{page}"
        );
        let call = asked(node, "POST /api/v1/requests", "Content-Length: 0\r\n").await;
        assert!(call.contains("application/problem+json") && call.contains("retry-after: 10\r\n"));
        assert!(call.contains("\"code\":\"publisher_away\""), "{call}");
        assert!(asked(node, "GET /readyz", "").await.contains("\"status\":\"no publisher\""));
        assert!(asked(node, "GET /healthz", "").await.starts_with("HTTP/1.1 200 "));
        let style = asked(node, &format!("GET {}", assets::style()), "").await;
        assert!(style.starts_with("HTTP/1.1 200 ") && style.contains("text/css"));
    }
    let (node, _publisher) = both().await;
    assert!(asked(node, "GET /readyz", "").await.ends_with("ready"));
    let misdirected = asked(node, "GET /wrong", "").await;
    assert!(misdirected.starts_with("HTTP/1.1 503 "), "{misdirected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_passed_on_is_not_passed_on_again() {
    // A node that takes itself for the publisher's follower.
    let (publisher, told) = watch::channel(None);
    let node = follower(told).await;
    publisher.send_replace(publishing(1, Some(format!("http://{node}"))));
    let answer = asked(node, "GET /said", "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(asked(node, "CONNECT x:1", "").await.starts_with("HTTP/1.1 405 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_without_an_answer_is_sent_once_and_may_have_been_done() {
    // A node that reads one request and ends, as one that is killed.
    let killed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", killed.local_addr().unwrap());
    let (_publisher, told) = watch::channel(publishing(1, Some(url)));
    let node = follower(told).await;
    let times = tokio::spawn(async move {
        let mut times = 0;
        while let Ok(Ok((mut stream, _))) =
            tokio::time::timeout(Duration::from_secs(2), killed.accept()).await
        {
            let mut octets = [0; 4096];
            let _ = stream.read(&mut octets).await.unwrap();
            times += 1;
        }
        times
    });
    let call = asked(node, "POST /api/v1/requests", "Content-Length: 0\r\n").await;
    assert!(call.starts_with("HTTP/1.1 503 ") && call.contains("answer_lost"), "{call}");
    assert_eq!(times.await.unwrap(), 1);
    // One that stands still is given up when another one publishes.
    let (node, publisher) = both().await;
    let waiting =
        tokio::spawn(async move { asked(node, "POST /slow", "Content-Length: 0\r\n").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    publisher.send_replace(publishing(2, None));
    let page = waiting.await.unwrap();
    assert!(page.starts_with("HTTP/1.1 503 ") && page.contains("may have been done"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_passes_on_what_is_answered_in_time_and_says_of_the_rest_that_it_may_have_been_done()
 {
    let site = site().await;
    // Nobody tells any more who publishes, either.
    let (publisher, told) = watch::channel(publishing(1, Some(format!("http://{site}"))));
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let node = follower_until(told, async { stopped.await.unwrap() }).await;
    let [late, slow] = ["POST /late", "POST /slow"]
        .map(|line| tokio::spawn(async move { asked(node, line, "Content-Length: 0\r\n").await }));
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.send(Duration::from_secs(4)).unwrap();
    drop(publisher);
    let late = late.await.unwrap();
    assert!(late.starts_with("HTTP/1.1 200 "), "{late}");
    let slow = tokio::time::timeout(Duration::from_secs(20), slow).await.unwrap().unwrap();
    assert!(slow.starts_with("HTTP/1.1 503 ") && slow.contains("may have been done"), "{slow}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    let broken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", broken.local_addr().unwrap());
    let (_publisher, told) = watch::channel(publishing(1, Some(url)));
    let node = follower(told).await;
    tokio::spawn(async move {
        let (mut stream, _) = broken.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        stream.write_all(half).await.unwrap();
    });
    let mut stream = TcpStream::connect(node).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("half") && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_whether_the_publisher_is_reached_before_anybody_asks_for_a_page() {
    let (site, reach) = (site().await, Reach::default());
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (publisher, told) = watch::channel(publishing(1, None));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let stop = std::future::pending();
    let of = (told, reach.clone());
    tokio::spawn(serve_forwarding(listener, of, Vec::new(), DoorLimits::default(), stop));
    let known = async |wanted: &str| {
        let begun = std::time::Instant::now();
        loop {
            let fault = reach.fault().unwrap_or_default();
            if fault.contains(wanted) && fault.is_empty() == wanted.is_empty() {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{wanted:?}: {fault}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    known("the pages of satu are not reached from here, so acts wait: node.url is not set").await;
    publisher.send_replace(publishing(2, Some(format!("http://{site}"))));
    known("").await;
    publisher.send_replace(publishing(3, Some(format!("http://{nowhere}"))));
    known("refused").await;
    // A node that follows, and a site of somebody else.
    publisher.send_replace(publishing(4, Some(format!("http://{here}"))));
    known("is not the node that publishes").await;
    publisher.send_replace(publishing(5, Some(format!("http://{site}"))));
    known("").await;
}
