//! Addresses, signatures, verdicts, what a call says and what the answer means.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use super::address::{Address, BadAddress};
use super::message::sentence;
use super::*;
use crate::queue::{Deed, Kind, NamingClass};
use crate::words::{Lang, Words};

/// 32 octets in base 64.
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// An event.
fn tidings() -> Tidings {
    Tidings {
        deed: Deed::Approve,
        sequence: 41,
        previous: Some(38),
        hash: "0123456789abcdef".repeat(4),
        at_ms: 1_795_000_000_000,
        request: Some("GPR-2026-00001".to_owned()),
        name: "grogolkapetakan.desa.cirebonkab.go.id".to_owned(),
        kind: Some(Kind::New),
        class: Some(NamingClass::Desa),
        revision: 2,
        before: Some("assigned".to_owned()),
        after: Some("verified".to_owned()),
    }
}

/// A webhook at a port of this machine.
fn hook(port: u16) -> Hook {
    let address = Address::read(&format!("http://127.0.0.1:{port}/chat/geheim?a=b")).unwrap();
    Hook::new("chat", address, Secret::read(SECRET).unwrap(), Path::new("")).unwrap()
}

#[test]
fn a_url_is_taken_apart_and_shown_without_its_path() {
    for (url, shown, path) in [
        ("https://Chat.Example/hooks/geheim", "https://chat.example", "/hooks/geheim"),
        ("https://chat.example:8443?x=1", "https://chat.example:8443", "/?x=1"),
        ("HTTPS://192.0.2.1", "https://192.0.2.1", "/"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]", "/x"),
        ("http://localhost:8065/x", "http://localhost:8065", "/x"),
        ("http://127.0.0.1/x", "http://127.0.0.1", "/x"),
        ("http://[::1]:80/", "http://[::1]", "/"),
    ] {
        let read = Address::read(url).unwrap();
        assert_eq!((read.to_string().as_str(), read.path.as_str()), (shown, path), "{url}");
        assert!(!format!("{read:?}").contains("geheim"));
    }
    for (url, wrong) in [
        ("http://chat.example/x", BadAddress::Plain),
        ("http://10.0.0.1/x", BadAddress::Plain),
        ("https://user@chat.example/x", BadAddress::User),
        ("ftp://chat.example/x", BadAddress::NoUrl),
        ("chat.example/x", BadAddress::NoUrl),
        ("https://chat.example/x y", BadAddress::NoUrl),
        ("https://chat.example/x\r\nHost: a", BadAddress::NoUrl),
        ("https://chat.example/#x", BadAddress::NoUrl),
        ("https:///x", BadAddress::Host),
        ("https://chat.example:0/x", BadAddress::Host),
        ("https://chat.example:65536/x", BadAddress::Host),
        ("https://[::1/x", BadAddress::Host),
        ("https://ch_at..example/x", BadAddress::Host),
    ] {
        assert_eq!(Address::read(url).err(), Some(wrong), "{url}");
    }
}

#[test]
fn only_public_addresses_are_called_unless_the_settings_say_otherwise() {
    let resolve = |url: &str, private| {
        let wait = Duration::from_secs(5);
        Address::read(url).unwrap().resolve(private, wait).map(|it| it.ip())
    };
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(resolve("https://93.184.216.34/", false), Ok(ip("93.184.216.34")));
    assert_eq!(resolve("http://127.0.0.1/", false), Ok(ip("127.0.0.1")));
    assert_eq!(resolve("http://localhost/", false).map(|it| it.is_loopback()), Ok(true));
    for host in ["10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]"] {
        let url = format!("https://{host}/");
        assert_eq!(resolve(&url, false), Err(Said::Private), "{host}");
        assert!(resolve(&url, true).is_ok(), "{host}");
    }
    // An address in the clothes of another one, and those where nobody is.
    assert_eq!(resolve("https://[::ffff:10.0.0.1]/", false), Err(Said::Private));
    for host in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "[ff02::1]", "[::]"] {
        assert_eq!(resolve(&format!("https://{host}/"), true), Err(Said::Private), "{host}");
    }
    assert_eq!(resolve("https://does-not-exist.invalid/", true), Err(Said::NoAddress));
}

#[test]
fn a_signature_is_that_of_standard_webhooks() {
    // The example of the specification's libraries.
    let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let made = signature(
        &secret,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(made, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    for bad in ["", "geheim", "whsec_", "c2hvcnQ=", &"QUFB".repeat(22)] {
        assert!(Secret::read(bad).is_err(), "{bad}");
    }
    assert_eq!(format!("{secret:?}"), "Secret");
}

#[test]
fn an_answer_says_what_becomes_of_the_event() {
    let verdict = |said, tries, failing| Answer::of(said).verdict(tries, failing);
    for (said, tries, failing, expected) in [
        (Said::Status(204), 1, 0, Verdict::Told),
        (Said::Status(200), 9, KEPT_MS, Verdict::Told),
        (Said::Status(302), 1, 0, Verdict::Again),
        (Said::Status(400), 12, 0, Verdict::Again),
        (Said::Status(400), 13, 0, Verdict::GivenUp),
        (Said::Status(500), 13, 0, Verdict::GivenUp),
        (Said::Status(503), 99, 0, Verdict::Again),
        (Said::Status(429), 99, 0, Verdict::Again),
        (Said::Unreachable, 99, KEPT_MS - 1, Verdict::Again),
        (Said::Unreachable, 99, KEPT_MS, Verdict::Stop),
        (Said::Status(500), 99, KEPT_MS, Verdict::Stop),
        (Said::Status(410), 1, 0, Verdict::Stop),
    ] {
        assert_eq!(verdict(said, tries, failing), expected, "{said:?} {tries} {failing}");
    }
    assert_eq!(
        [1, 2, 8, 99].map(|tries| pause_ms(tries, None)),
        [5_000, 30_000, 14_400_000, 14_400_000]
    );
    assert_eq!(pause_ms(1, Some(60)), 60_000);
    // Nobody is kept away for days.
    assert_eq!(pause_ms(1, Some(u32::MAX)), 3_600_000);
    for said in Said::WORDS.into_iter().chain([Said::Status(302), Said::Status(500)]) {
        assert_eq!(said.word().parse(), Ok(said));
    }
    assert!("".parse::<Said>().is_err());
}

#[test]
fn a_message_has_a_sentence_for_people_and_facts_for_programs() {
    let (mut hook, tidings) = (hook(1), tidings());
    let message = Message::of(&tidings, &hook, "https://subdomain.example");
    assert_eq!(message.id, "evt_0123456789abcdef0123456789abcdef");
    let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "text": "Permohonan GPR-2026-00001 untuk nama grogolkapetakan.desa.cirebonkab.go.id disetujui. \
                https://subdomain.example/tinjau/GPR-2026-00001",
            "event": "approve", "id": message.id, "sequence": 41, "previous": 38,
            "at": "2026-11-18T11:06:40.000Z", "request": "GPR-2026-00001",
            "name": "grogolkapetakan.desa.cirebonkab.go.id", "kind": "new", "class": "desa",
            "state": "verified", "state_before": "assigned", "revision": 2,
            "link": "https://subdomain.example/tinjau/GPR-2026-00001",
        })
    );
    hook.text_only = true;
    let short = Message::of(&tidings, &hook, "https://subdomain.example");
    let short: serde_json::Value = serde_json::from_slice(&short.body).unwrap();
    assert_eq!(short, serde_json::json!({ "text": body["text"] }));
}

#[test]
fn every_event_has_its_sentence_in_both_languages() {
    for lang in [Lang::Id, Lang::En] {
        for deed in offered() {
            let text = sentence(&Tidings { deed, ..tidings() }, Words::of(lang));
            assert!(text.ends_with('.') && text.contains("grogolkapetakan"), "{deed}: {text}");
        }
        // What went live is not said of a name that went.
        let of = |kind| {
            let done = Tidings { deed: Deed::Promoted, kind: Some(kind), ..tidings() };
            sentence(&done, Words::of(lang))
        };
        let kinds =
            [Kind::New, Kind::Change, Kind::Suspend, Kind::Remove, Kind::HandOver, Kind::Renew];
        let all: std::collections::BTreeSet<String> = kinds.map(of).into();
        assert_eq!(all.len(), kinds.len(), "{all:?}");
    }
}

/// Answers one call with these octets; returns the answer as it was read, and the call.
fn answered(octets: &'static [u8]) -> (Answer, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut call = Vec::new();
        let mut part = [0; 4_096];
        while !String::from_utf8_lossy(&call).contains("\"revision\":2") {
            let read = stream.read(&mut part).unwrap();
            call.extend_from_slice(&part[..read]);
        }
        stream.write_all(octets).unwrap();
        String::from_utf8(call).unwrap()
    });
    let hook = hook(port);
    let answer = call(&hook, &Message::of(&tidings(), &hook, "https://site"), 1_795_000_001);
    (answer, server.join().unwrap())
}

#[test]
fn a_call_is_signed_and_its_answer_read() {
    let (answer, sent) = answered(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(answer.said, Said::Status(204));
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /chat/geheim?a=b HTTP/1.1\r\nHost: 127.0.0.1:"), "{head}");
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {head}"))
    };
    assert_eq!(field("Content-Length: "), body.len().to_string());
    let (id, at) = (field("webhook-id: "), field("webhook-timestamp: ").parse().unwrap());
    let expected = signature(&Secret::read(SECRET).unwrap(), id, at, body.as_bytes());
    assert_eq!(field("webhook-signature: "), expected);

    let (answer, _) = answered(b"HTTP/1.0 503 Busy\r\nretry-after: 120\r\n\r\nlater");
    assert_eq!((answer.said, answer.retry_after), (Said::Status(503), Some(120)));
    let (answer, _) = answered(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
    assert_eq!(answer.said, Said::Status(301));
    for odd in
        [b"SSH-2.0-x\r\n\r\n".as_slice(), b"HTTP/1.1 2xx\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n", b""]
    {
        assert_eq!(answered(odd).0.said, Said::NoHttp, "{odd:?}");
    }
    // Where nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let hook = hook(port);
    let answer = call(&hook, &Message::test("1", 0, &hook, "x"), 0);
    assert_eq!(answer.said, Said::Unreachable);
}
