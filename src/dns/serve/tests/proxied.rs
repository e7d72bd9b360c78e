//! Behind a proxy: the client that a PROXY header names is the one that counts, on every transport, and
//! nobody but a proxy is believed.

use super::encrypted::{address, secured, tls_over};
use super::*;

/// The proxies of these tests.
const PROXIES: &str = "127.0.9.0/24";
/// The address of one.
const PROXY: &str = "127.0.9.1";

/// Options with the proxies, where only 192.0.2.0/24 may query.
fn behind_proxies() -> Options {
    Options {
        proxies: vec![PROXIES.parse().unwrap()].into(),
        allow_query: Acl::only(["192.0.2.0/24".parse().unwrap()]),
        ..Options::default()
    }
}

/// A header that names 192.0.2.`last` as the client, with a TLV behind the addresses.
fn header(last: u8) -> Vec<u8> {
    let block = [192, 0, 2, last, 127, 0, 0, 1, 0x12, 0x34, 0, 53, 0xe0, 0, 1, 7];
    [&ProxyHeader::LOCAL[..12], &[0x21, 0x11, 0, 16], &block].concat()
}

/// A connection from an address of this machine.
fn connect_from(from: &str, server: SocketAddr) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::new(from.parse().unwrap(), 0);
    socket.bind(&from.into()).unwrap();
    socket.connect(&server.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

#[test]
fn a_datagram_of_a_proxy_is_its_clients() {
    let server = server(behind_proxies());
    let www = query(7, "www.example.", Rtype::A);
    let proxy = client(PROXY, server.v4);
    let reply = exchange(&proxy, &[header(7), www.clone()].concat());
    assert!(reply.ends_with(&[192, 0, 2, 80]), "the answer comes to the proxy");
    let mut stranger = header(7);
    stranger[16] = 198;
    assert_eq!(rcode(&exchange(&proxy, &[stranger, www.clone()].concat())), Rcode::REFUSED);
    // For itself it may not ask either.
    let local = [&ProxyHeader::LOCAL[..], &www].concat();
    assert_eq!(rcode(&exchange(&proxy, &local)), Rcode::REFUSED);
    // Without a header, or with half of one: silence.
    proxy.set_read_timeout(Some(A_WHILE)).unwrap();
    for wrong in [&www[..], &header(7)[..20], &[header(7), www.clone()].concat()[1..]] {
        proxy.send(wrong).unwrap();
        assert!(proxy.recv(&mut [0; 512]).is_err());
    }
    let dropped = || server.count(Transport::Udp, |t| t.dropped[Silence::Proxy as usize]);
    assert_eq!(dropped(), 3);
    // Anybody else is who they are, and a header from them is no message.
    let other = client("127.0.0.1", server.v4);
    assert_eq!(rcode(&exchange(&other, &www)), Rcode::REFUSED);
    let reply = exchange(&other, &[header(7), www].concat());
    assert_ne!(rcode(&reply), Rcode::NOERROR);
    assert_eq!(dropped(), 3);
}

#[test]
fn the_rate_and_the_cookie_are_the_clients() {
    let rate_limit = Some(RateLimit { per_prefix: 1000, per_address: 10, slip: 1 });
    let server = server(Options { rate_limit, ..behind_proxies() });
    let proxy = client(PROXY, server.v4);
    let www = query(7, "www.example.", Rtype::A);
    let whole = |last| {
        let message = [header(last), www.clone()].concat();
        (0..40).filter(|_| exchange(&proxy, &message)[2] & 2 == 0).count()
    };
    assert!(whole(1) < 40, "one client over its rate");
    let fresh = [header(2), www.clone()].concat();
    assert_eq!(exchange(&proxy, &fresh)[2] & 2, 0, "another behind the same proxy");

    let asking = |last, cookie: &[u8]| {
        let option = [&[0, 10, 0, cookie.len() as u8][..], cookie].concat();
        let message = edns_query(1, "www.example.", Rtype::A, &option);
        exchange(&proxy, &[header(last), message].concat())
    };
    let cookie = option(&asking(3, b"12345678"), 10).unwrap().to_vec();
    let count = |kind: CookieKind| server.count(Transport::Udp, |t| t.cookies[kind as usize]);
    asking(3, &cookie);
    assert_eq!((count(CookieKind::Valid), count(CookieKind::Bad)), (1, 0));
    asking(4, &cookie);
    assert_eq!((count(CookieKind::Valid), count(CookieKind::Bad)), (1, 1));
}

#[test]
fn a_connection_of_a_proxy_begins_with_the_header() {
    let streams = StreamLimits {
        handshake: Duration::from_millis(300),
        per_address: 2,
        ..StreamLimits::default()
    };
    let server = server(Options { streams, ..behind_proxies() });
    let www = framed(&query(7, "www.example.", Rtype::A));
    // In one piece with two messages, and octet by octet.
    let mut stream = connect_from(PROXY, server.v4);
    stream.write_all(&[header(7), www.clone(), www.clone()].concat()).unwrap();
    for _ in 0..2 {
        assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
    }
    let mut stream = connect_from(PROXY, server.v4);
    stream.set_nodelay(true).unwrap();
    [header(8), www.clone()].concat().iter().for_each(|it| stream.write_all(&[*it]).unwrap());
    assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
    // Whoever has too many is the client, not the proxy.
    let mut kept = Vec::new();
    for last in [20, 20, 21, 22, 23] {
        let mut stream = connect_from(PROXY, server.v4);
        stream.write_all(&[header(last), www.clone()].concat()).unwrap();
        assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]), "{last}");
        kept.push(stream);
    }
    let mut third = connect_from(PROXY, server.v4);
    third.write_all(&header(20)).unwrap();
    closed_after(&mut third);
    // Without a header, or with one that never ends.
    for wrong in [&www[..], &header(7)[..20]] {
        let mut stream = connect_from(PROXY, server.v4);
        stream.write_all(wrong).unwrap();
        closed_after(&mut stream);
    }
    wait_until("both are counted", || {
        server.count(Transport::Tcp, |t| t.closed[CloseReason::Proxy as usize]) == 2
    });
    // A header of anybody else is no message: its first octets say that it is longer than comes.
    let mut stream = connect_from("127.0.0.1", server.v4);
    stream.write_all(&[header(7), www].concat()).unwrap();
    stream.set_read_timeout(Some(A_WHILE)).unwrap();
    assert!(stream.read(&mut [0; 16]).is_err());
}

#[test]
fn over_tls_the_header_comes_before_the_handshake() {
    let server = server(Options { tls: Some(secured()), ..behind_proxies() });
    let mut stream = connect_from(PROXY, address(&server.running, Transport::Tls));
    stream.write_all(&header(7)).unwrap();
    let mut stream = tls_over(stream, &[b"dot"]);
    stream.write_all(&framed(&query(7, "www.example.", Rtype::A))).unwrap();
    assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
}

#[test]
fn the_log_names_the_client_and_proxies_change_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("query.jsonl");
    let query_log = Some(logged_to(&file));
    let server = server(Options { query_log, ..Options::default() });
    let proxy = client(PROXY, server.v4);
    let www = query(7, "www.example.", Rtype::A);
    assert_eq!(rcode(&exchange(&proxy, &www)), Rcode::NOERROR, "no proxy yet");
    server.running.set_proxies(&vec![PROXIES.parse().unwrap()].into());
    assert_eq!(rcode(&exchange(&proxy, &[header(9), www].concat())), Rcode::NOERROR);
    let written = || server.running.query_log().map(|log| log.written);
    wait_until("written", || written() == Some(2));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"client\":\"127.0.9.1\"") && text.contains("\"client\":\"192.0.2.9\""));
    assert!(text.contains("\"port\":4660"), "{text}");
}

#[test]
fn whoever_asks_from_a_proxys_address_says_so() {
    let proxies = vec!["127.0.0.0/8".parse().unwrap()].into();
    let server = server(Options { proxies, ..Options::default() });
    let asker = crate::dns_client::Client::default();
    let name = "www.example.".parse().unwrap();
    let ask = |transport| asker.ask(server.v4, transport, &name, Rtype::A, &[A_WHILE]);
    use crate::dns_client::Transport::{Tcp, Udp};
    assert!(ask(Udp).is_err() && ask(Tcp).is_err());
    asker.introduce_to(std::iter::once(server.v4));
    for transport in [Udp, Tcp] {
        assert_eq!(ask(transport).unwrap().read().unwrap().answer.len(), 1);
    }
}
