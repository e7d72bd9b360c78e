//! The rate limit over real sockets (T7): no gain from forged sources, no harm to others.

use super::*;

/// A server that gives each prefix ten responses of a kind a second.
fn limited(slip: u32) -> Server {
    let rate_limit = Some(RateLimit { per_prefix: 10, per_address: 0, slip });
    server(Options { rate_limit, ..Options::default() })
}

/// Sends `count` queries, each once the one before is answered; how many answers came whole. The
/// others came truncated.
fn whole(server: &Server, from: &str, message: &[u8], count: usize) -> usize {
    let socket = client(from, server.v4);
    (0..count).filter(|_| exchange(&socket, message)[2] & 2 == 0).count()
}

#[test]
fn t7_what_is_over_the_rate_is_no_larger_than_its_query() {
    let server = limited(1);
    for message in [query(1, "www.example.", Rtype::A), edns_query(1, "nx.example.", Rtype::A, &[])]
    {
        let socket = client("127.0.7.1", server.v4);
        let mut cut = 0;
        for _ in 0..100 {
            let response = exchange(&socket, &message);
            assert_eq!(response[..2], message[..2]);
            if response[2] & 2 != 0 {
                cut += 1;
                assert!(response.len() <= message.len());
                assert_eq!(rcode(&response), Rcode::NOERROR);
                assert_eq!(response[12..24], message[12..24], "the question");
                assert_eq!(response[11], message[11], "OPT if there was one");
            }
        }
        // A slow machine lets more than a second's worth pass.
        assert!((50..=90).contains(&cut), "{cut}");
    }
}

#[test]
fn t7_another_prefix_and_another_kind_lose_nothing() {
    let server = limited(1);
    let positive = query(1, "www.example.", Rtype::A);
    let passed = whole(&server, "127.0.8.1", &positive, 200);
    assert!((10..=60).contains(&passed), "{passed}");
    assert_eq!(whole(&server, "127.0.9.1", &positive, 8), 8, "another /24");
    let nodata = query(1, "www.example.", Rtype::AAAA);
    assert_eq!(whole(&server, "127.0.8.1", &nodata, 8), 8, "another kind");
    let passed = whole(&server, "127.0.8.200", &positive, 100);
    assert!(passed <= 50, "the same /24: {passed}");
}

#[test]
fn t7_slip_2_answers_every_other() {
    let server = limited(2);
    let socket = client("127.0.10.1", server.v4);
    for _ in 0..60 {
        socket.send(&query(1, "www.example.", Rtype::A)).unwrap();
    }
    wait_until("all were seen", || server.count(Transport::Udp, |t| t.opcodes[0]) == 60);
    let (truncated, dropped) = (
        server.count(Transport::Udp, |t| t.limited[LimitAction::Truncate as usize]),
        server.count(Transport::Udp, |t| t.limited[LimitAction::Drop as usize]),
    );
    assert!(truncated.abs_diff(dropped) <= 1 && dropped >= 10, "{truncated} {dropped}");
    assert_eq!(server.count(Transport::Udp, |t| t.rcodes[0]), 60 - dropped);
}

#[test]
fn tcp_and_a_valid_cookie_are_not_limited() {
    let server = limited(1);
    let message = query(1, "www.example.", Rtype::A);
    for _ in 0..50 {
        let response = ask(server.v4, &message, Transport::Tcp, SOON).unwrap();
        assert_eq!(response[2] & 2, 0);
    }
    let socket = client("127.0.0.1", server.v4);
    let first = edns_query(2, "www.example.", Rtype::A, b"\0\x0a\0\x08clientco");
    let cookie = option(&exchange(&socket, &first), 10).unwrap().to_vec();
    assert_eq!(cookie.len(), 24);
    let with = [&[0, 10, 0, 24], &cookie[..]].concat();
    let message = edns_query(3, "www.example.", Rtype::A, &with);
    for _ in 0..100 {
        assert_eq!(exchange(&socket, &message)[2] & 2, 0);
    }
}

#[test]
fn a_bad_cookie_over_the_rate_is_told_a_good_one() {
    let server = limited(1);
    let socket = client("127.0.0.1", server.v4);
    let bad = [&[0, 10, 0, 24], &[7u8; 24][..]].concat();
    let message = edns_query(3, "www.example.", Rtype::A, &bad);
    let mut responses = (0..1000).map(|_| exchange(&socket, &message));
    // BADCOOKIE, of which the header holds the lower bits.
    let response = responses.find(|response| rcode(response) == Rcode(23 & 15)).unwrap();
    let good = [&[0, 10, 0, 24], option(&response, 10).unwrap()].concat();
    let response = exchange(&socket, &edns_query(4, "www.example.", Rtype::A, &good));
    assert_eq!((rcode(&response), response[2] & 2), (Rcode::NOERROR, 0));
}

#[test]
fn a_rolled_secret_still_knows_the_cookies_of_the_one_before() {
    let server = server(Options::default());
    let socket = client("127.0.0.1", server.v4);
    let first = edns_query(2, "www.example.", Rtype::A, b"\0\x0a\0\x08clientco");
    let cookie = option(&exchange(&socket, &first), 10).unwrap().to_vec();
    let secrets = server.running.cookie_secrets().unwrap();
    server.running.use_cookie_secrets(Some(&cookie_secret::roll(&secrets)));
    let with = [&[0, 10, 0, 24], &cookie[..]].concat();
    exchange(&socket, &edns_query(3, "www.example.", Rtype::A, &with));
    assert_eq!(server.count(Transport::Udp, |t| t.cookies[CookieKind::Valid as usize]), 1, "valid");
    let twice = cookie_secret::roll(&server.running.cookie_secrets().unwrap());
    server.running.use_cookie_secrets(Some(&twice));
    exchange(&socket, &edns_query(4, "www.example.", Rtype::A, &with));
    assert_eq!(server.count(Transport::Udp, |t| t.cookies[CookieKind::Bad as usize]), 1, "bad");
}

#[test]
fn a_client_with_cookies_is_never_limited() {
    let server = limited(0);
    let client = crate::dns_client::Client::default();
    let (over, name) = (crate::dns_client::Transport::Udp, "www.example.".parse().unwrap());
    for _ in 0..100 {
        let response = client.ask(server.v4, over, &name, Rtype::A, &[SOON]).unwrap().bytes;
        assert_eq!((response[2] & 2, rcode(&response)), (0, Rcode::NOERROR));
        assert_eq!(u16::from_be_bytes([response[6], response[7]]), 1);
    }
}
