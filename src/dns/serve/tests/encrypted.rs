//! DNS over TLS and over QUIC with real clients: rustls, and kdig where it is installed.

use std::process::Command;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

use super::*;
use crate::skipped::skipped;

/// A file of this folder.
fn file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/tests").join(name)
}

/// An encrypted listener on any port, with a certificate for localhost.
pub(super) fn secured() -> Secured {
    Secured {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        cert: file("localhost.crt"),
        key: file("localhost.key"),
        client_ca: std::path::PathBuf::new(),
    }
}

/// Where a transport listens.
pub(super) fn address(running: &Running, transport: Transport) -> SocketAddr {
    running.addresses().iter().find(|l| l.transport == transport).unwrap().address
}

/// A TLS connection that asks for these protocols.
pub(super) fn connect_tls(
    server: SocketAddr,
    alpn: &[&[u8]],
) -> StreamOwned<ClientConnection, TcpStream> {
    tls_over(connect(server), alpn)
}

/// The same over a connection that is there.
pub(super) fn tls_over(
    stream: TcpStream,
    alpn: &[&[u8]],
) -> StreamOwned<ClientConnection, TcpStream> {
    tls_of(stream, alpn, rustls::DEFAULT_VERSIONS)
}

/// A client that trusts the authority of the tests, in one of these versions.
fn client_config(versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The same in one of these versions.
pub(super) fn tls_of(
    stream: TcpStream,
    alpn: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut config = client_config(versions);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, stream)
}

#[test]
fn a_client_that_comes_again_resumes_its_session() {
    let server = server(Options { tls: Some(secured()), ..Options::default() });
    let tls = address(&server.running, Transport::Tls);
    let ask = |config: &Arc<ClientConfig>| {
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(config.clone(), name).unwrap();
        let mut stream = StreamOwned::new(client, connect(tls));
        stream.write_all(&framed(&query(1, "www.example.", Rtype::A))).unwrap();
        assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
        stream.conn.handshake_kind().unwrap()
    };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = Arc::new(client_config(&[version]));
        assert_eq!(ask(&client), HandshakeKind::Full);
        assert_eq!(ask(&client), HandshakeKind::Resumed);
        // More clients than a server remembers that keeps their sessions itself.
        for _ in 0..300 {
            ask(&Arc::new(client_config(&[version])));
        }
        assert_eq!(ask(&client), HandshakeKind::Resumed);
    }
}

#[test]
fn tls_answers_pipelined_queries_and_pads_on_request() {
    let server = server(Options { tls: Some(secured()), ..Options::default() });
    let tls = address(&server.running, Transport::Tls);
    for alpn in [&[&b"dot"[..]][..], &[]] {
        let mut stream = connect_tls(tls, alpn);
        let mut frames = framed(&query(1, "www.example.", Rtype::A));
        frames.extend(framed(&edns_query(2, "www.example.", Rtype::A, &[0, 12, 0, 0])));
        for id in 3..40 {
            frames.extend(framed(&query(id, "big.example.", Rtype::TXT)));
        }
        stream.write_all(&frames).unwrap();
        assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
        assert_eq!(read_message(&mut stream).len(), 468);
        for id in 3..40u16 {
            assert_eq!(read_message(&mut stream)[..2], id.to_be_bytes());
        }
        assert_eq!(stream.conn.alpn_protocol(), alpn.first().copied());
    }
}

#[test]
fn a_tls_client_that_hangs_or_breaks_off_is_closed() {
    let streams = StreamLimits { handshake: Duration::from_millis(200), ..Default::default() };
    let server = server(Options { tls: Some(secured()), streams, ..Options::default() });
    let tls = address(&server.running, Transport::Tls);
    let mut hanging = connect(tls);
    assert!(closed_after(&mut hanging) < Duration::from_secs(2));
    let mut plain = connect(tls);
    plain.write_all(&framed(&query(1, "www.example.", Rtype::A))).unwrap();
    closed_after(&mut plain);
    let mut stream = connect_tls(tls, &[b"dot"]);
    stream.write_all(&framed(&query(1, "www.example.", Rtype::A))).unwrap();
    read_message(&mut stream);
    drop(stream); // no close_notify
    wait_until("all are gone", || server.running.connections() == 0);
    assert_eq!(
        server.count(Transport::Tls, |t| t.closed[CloseReason::Handshake as usize]),
        2,
        "handshakes"
    );
}

#[test]
fn a_wrong_certificate_closes_its_own_listener_only_until_a_good_one_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| folder.path().join(name);
    let put = |name: &str| std::fs::copy(file(&format!("localhost.{name}")), own(name)).unwrap();
    let handshake = |server: &Server| {
        let mut stream = connect_tls(address(&server.running, Transport::Tls), &[]);
        stream.write_all(&framed(&query(1, "www.example.", Rtype::A))).unwrap();
        read_message(&mut stream);
    };
    put("crt");
    put("key");
    let tls = Secured { cert: own("crt"), key: own("key"), ..secured() };
    let server = server(Options { tls: Some(tls.clone()), ..Options::default() });
    assert_eq!(server.running.faults(), Vec::<String>::new());
    std::fs::write(own("crt"), "nothing").unwrap();
    let reports = server.running.reload_certificates();
    assert_eq!(reports[0].loading, Loading::Refused);
    let told = reports[0].to_string();
    assert!(told.contains("the one before goes on") && told.contains("there is no cert"), "{told}");
    handshake(&server);
    // At a start there is none before: TLS is off, the rest is answered.
    let server = self::server(Options { tls: Some(tls), ..Options::default() });
    let question = query(1, "www.example.", Rtype::A);
    assert!(ask(server.v4, &question, Transport::Udp, SOON).is_ok(), "plain DNS is answered");
    let faults = server.running.faults();
    assert!(faults.iter().any(|fault| fault.contains("DNS over TLS is off")), "{faults:?}");
    // Put in its place it is used by itself.
    put("crt");
    wait_until("the new certificate is in use", || server.running.faults().is_empty());
    handshake(&server);
}

/// Asks with kdig; `None` where it is not installed.
fn kdig(server: SocketAddr, arguments: &str) -> Option<String> {
    let output = Command::new("kdig")
        .args(["@127.0.0.1", "-p", &server.port().to_string(), "+retry=0", "+timeout=5"])
        .args(arguments.split(' '))
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn kdig_is_answered_over_tls() {
    let server = server(Options { tls: Some(secured()), ..Options::default() });
    let tls = address(&server.running, Transport::Tls);
    let Some(answer) = kdig(tls, "+tls www.example. A") else {
        return skipped("kdig is not installed");
    };
    assert!(answer.contains("192.0.2.80") && answer.contains("TLS session"), "{answer}");
}

#[cfg(feature = "quic")]
#[test]
fn kdig_is_answered_over_quic() {
    let server = server(Options { quic: Some(secured()), ..Options::default() });
    let quic = address(&server.running, Transport::Quic);
    let Some(answer) = kdig(quic, "+quic +nsid www.example. A") else {
        return skipped("kdig is not installed");
    };
    if answer.is_empty() {
        return skipped("this kdig knows no QUIC");
    }
    assert!(answer.contains("192.0.2.80") && answer.contains("QUIC session"), "{answer}");
    let text = kdig(quic, "+quic example. SOA").unwrap();
    assert!(text.contains("ns.example. ns.example. 7 7200 900 1209600 300"), "{text}");
    let text = kdig(quic, "+quic big.example. TXT").unwrap();
    assert!(text.matches("IN\tTXT").count() >= 20, "{text}");
    let text = kdig(quic, "+quic nx.example. A").unwrap();
    assert!(text.contains("NXDOMAIN") && text.contains("SOA"), "{text}");
    let text = kdig(quic, "+quic +edns other. A").unwrap();
    assert!(text.contains("REFUSED") && text.contains("Not Authoritative"), "{text}");
    for question in ["www.example. A", "example. SOA", "big.example. TXT", "nx.example. A"] {
        let text = kdig(quic, &format!("+quic +padding +dnssec {question}")).unwrap();
        let size = text.split(";; Received ").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(size.parse::<usize>().unwrap() % 468, 0, "{text}");
    }
    let text = kdig(quic, "+quic +edns -y hmac-sha256:key.:c2VjcmV0 www.example. A").unwrap();
    assert!(text.contains("REFUSED") && text.contains("Not Supported"), "{text}");
}

#[cfg(not(feature = "quic"))]
#[test]
fn quic_in_the_settings_of_a_build_without_it_is_an_error_that_says_so() {
    let quic = Some(Secured { listen: vec!["127.0.0.1:0".parse().unwrap()], ..secured() });
    let error = start(Options { quic, ..Options::default() }, zones()).err().unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("built without DNS over QUIC"), "{error}: {cause}");
}

#[test]
fn our_own_client_has_one_deadline_for_handshake_and_response() {
    use crate::dns_client::Tls;
    let server = server(Options { tls: Some(secured()), ..Options::default() });
    let address = address(&server.running, Transport::Tls);
    let front = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = front.local_addr().unwrap();
    // Both what opens the handshake and what follows it are held up for less than the limit.
    let relay = std::thread::spawn(move || {
        let (mut client, mut server) = (front.accept().unwrap().0, connect(address));
        let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let back = std::thread::spawn(move || std::io::copy(&mut back, &mut to));
        let mut octets = [0; 4096];
        for held in [300, 300, 0, 0, 0, 0].map(Duration::from_millis) {
            let Ok(length @ 1..) = client.read(&mut octets) else { break };
            std::thread::sleep(held);
            if server.write_all(&octets[..length]).is_err() {
                break;
            }
        }
        let _ = server.shutdown(std::net::Shutdown::Both);
        let _ = back.join();
    });
    let none = std::path::Path::new("");
    let tls = Tls::load("localhost", &file("ca.crt"), none, none).unwrap();
    let question = query(7, "www.example.", Rtype::A);
    let late = tls.exchange(slow, &question, Duration::from_millis(500)).unwrap_err();
    assert_eq!(late.kind(), std::io::ErrorKind::TimedOut);
    relay.join().unwrap();
}

/// RFC 9103: version 1.3, the protocol `dot`, and a certificate that is verified by name.
#[test]
fn our_own_client_believes_nobody_but_the_server_it_means() {
    use crate::dns_client::{Stream, Tls};
    let server = server(Options { tls: Some(secured()), ..Options::default() });
    let address = address(&server.running, Transport::Tls);
    let (soon, none) = (Duration::from_secs(5), std::path::Path::new(""));
    let tls = |name, ca: &str| Tls::load(name, &file(ca), none, none).unwrap();
    let good = tls("localhost", "ca.crt");
    let question = query(7, "www.example.", Rtype::A);
    let response = good.exchange(address, &question, soon).unwrap();
    assert!(response.ends_with(&[192, 0, 2, 80]));
    // Many messages over one connection.
    let mut stream = Stream::connect(address, Some(&good), soon).unwrap();
    for id in 0..20u16 {
        stream.send(&query(id, "big.example.", Rtype::TXT), soon).unwrap();
        assert_eq!(stream.receive(soon).unwrap()[..2], id.to_be_bytes());
    }
    for wrong in [tls("other.test", "ca.crt"), Tls::load("localhost", none, none, none).unwrap()] {
        let refused = wrong.exchange(address, &question, soon).unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{refused}");
    }
    let missing = Tls::load("localhost", &file("missing.crt"), none, none).unwrap_err();
    assert!(missing.to_string().contains("missing.crt"), "{missing}");
}
