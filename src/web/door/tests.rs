//! What keeps a connection and what does not: HTTP/1 by hand, HTTP/2 frame by frame.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// How long a connection may idle in these tests.
const IDLE: Duration = Duration::from_millis(300);
/// Far more than that.
const LONG: Duration = Duration::from_secs(5);

/// Limits of these tests.
fn limits() -> DoorLimits {
    DoorLimits { idle: IDLE, ..DoorLimits::default() }
}

/// Starts the listener on a small site, and returns its address.
async fn start(limits: DoorLimits) -> SocketAddr {
    let slow = axum::routing::get(async || {
        tokio::time::sleep(IDLE * 3).await;
        "slow"
    });
    let router = Router::new()
        .route("/", axum::routing::get(async || "here").post(async |body: String| body))
        .route("/large", axum::routing::get(async || "x".repeat(4_000_000)))
        .route("/slow", slow);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, Vec::new(), limits, std::future::pending()));
    address
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The preface of a client and its empty SETTINGS.
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat()
}

/// The header block of `GET path` or `POST path`, without compression (RFC 7541 §6.2.2).
fn headers(post: bool, path: &str) -> Vec<u8> {
    // Static table: 2 GET, 3 POST, 6 http; 4 is the name `:path`, 1 is `:authority`.
    let mut block = vec![if post { 0x83 } else { 0x82 }, 0x86, 0x04];
    block.push(u8::try_from(path.len()).unwrap());
    block.extend_from_slice(path.as_bytes());
    block.extend_from_slice(&[0x01, 0x01, b'x']);
    block
}

/// Sends `first`, then `again` every 20 ms until the connection ends. Returns how long it lived.
async fn lives(address: SocketAddr, first: &[u8], again: &[u8]) -> Duration {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let begun = Instant::now();
    stream.write_all(first).await.unwrap();
    let mut answer = vec![0; 65_536];
    while begun.elapsed() < LONG {
        match tokio::time::timeout(Duration::from_millis(20), stream.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) => {
                if stream.write_all(again).await.is_err() {
                    break;
                }
            }
        }
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_without_a_request_keep_no_connection() {
    let address = start(limits()).await;
    let ping = frame(6, 0, 0, &[7; 8]);
    let half_headers = frame(1, 0, 1, &headers(false, "/"));
    let get = frame(1, 5, 1, &headers(false, "/"));
    let closed_window = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    for (what, first, again) in [
        ("nothing", Vec::new(), Vec::new()),
        (
            "HTTP/1, header by header",
            b"GET / HTTP/1.1\r\nHost: x\r\n".to_vec(),
            b"X: y\r\n".to_vec(),
        ),
        ("HTTP/1, octet by octet", b"GET /".to_vec(), b"a".to_vec()),
        ("the preface, octet by octet", b"PRI * HTTP/2.0\r\n".to_vec(), Vec::new()),
        ("PING", preface(), ping.clone()),
        ("SETTINGS", preface(), frame(4, 0, 0, &[])),
        ("WINDOW_UPDATE", preface(), frame(8, 0, 0, &[0, 0, 0, 1])),
        ("PRIORITY", preface(), frame(2, 0, 3, &[0, 0, 0, 0, 1])),
        ("an unknown frame", preface(), frame(0x42, 0, 0, b"x")),
        ("half headers and PING", [preface(), half_headers.clone()].concat(), Vec::new()),
        (
            "half headers and more of them",
            [preface(), half_headers].concat(),
            frame(9, 0, 1, &[0x00, 0x01, b'a', 0x01, b'b']),
        ),
        ("one request, then PING", [preface(), get.clone()].concat(), ping.clone()),
        ("an answer nobody takes", [preface(), closed_window, get].concat(), ping),
    ] {
        let lived = lives(address, &first, &again).await;
        assert!(lived < IDLE * 4, "{what}: {lived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_keep_their_connection() {
    let address = start(limits()).await;
    // Asking in time keeps it for longer than the limit, and so does an answer that takes long.
    let mut stream = TcpStream::connect(address).await.unwrap();
    for path in ["/", "/", "/", "/slow", "/"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut octets = [0; 1024];
        let got = stream.read(&mut octets).await.unwrap();
        assert!(octets[..got].starts_with(b"HTTP/1.1 200"), "{path}");
        tokio::time::sleep(IDLE * 2 / 3).await;
    }
    // A long answer to a slow reader arrives whole.
    let mut slow = TcpStream::connect(address).await.unwrap();
    let request = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    slow.write_all(request).await.unwrap();
    tokio::time::sleep(IDLE * 4).await;
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() > 4_000_000, "{}", answer.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_connection_takes_no_further_request() {
    let door = DoorLimits { age: IDLE, grace: IDLE * 4, idle: LONG, ..DoorLimits::default() };
    let address = start(door).await;
    // One that does not answer our farewell either.
    let lived = lives(address, &preface(), &frame(6, 0, 0, &[7; 8])).await;
    assert!(lived < IDLE * 8, "{lived:?}");
    let ask = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let lived = lives(address, ask, ask).await;
    assert!(lived < IDLE * 4, "{lived:?}");
    // What was asked before is answered.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_come_in_while_strangers_hold_every_place() {
    let door = DoorLimits { places: 8, per_network: 8, idle: LONG, ..DoorLimits::default() };
    let address = start(door).await;
    let mut strangers = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&preface()).await.unwrap();
        strangers.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut visitor = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    visitor.write_all(request).await.unwrap();
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // With requests under way in every place, a newcomer of the same network hears why.
    let mut busy = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        busy.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut late = TcpStream::connect(address).await.unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Coba lagi"), "{answer}");
}

#[tokio::test]
async fn who_is_refused_hears_so_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut visitor = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    refuse(stream);
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Coba lagi"), "{answer}");
}
