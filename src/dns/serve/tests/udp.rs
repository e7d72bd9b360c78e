//! UDP: answers, silence where there must be silence (T4), and a panic that loses its batch only.

use super::*;

#[test]
fn queries_are_answered_over_ipv4_and_ipv6() {
    let server = server(Options::default());
    let pairs = [("127.0.0.1", Some(server.v4)), ("::1", server.v6)];
    for (from, to) in pairs.into_iter().filter_map(|(from, to)| Some((from, to?))) {
        let socket = client(from, to);
        for id in 0..300 {
            let response = exchange(&socket, &query(id, "www.example.", Rtype::A));
            assert_eq!(response[..2], id.to_be_bytes());
            assert!(response.ends_with(&[192, 0, 2, 80]));
        }
    }
}

#[test]
fn what_is_too_large_is_truncated_and_comes_whole_by_tcp() {
    let server = server(Options::default());
    let message = query(1, "big.example.", Rtype::TXT);
    let small = ask(server.v4, &message, Transport::Udp, SOON).unwrap();
    assert!(small.len() <= 512 && small[2] & 2 != 0);
    let whole = ask(server.v4, &message, Transport::Tcp, SOON).unwrap();
    assert!(whole.len() > 4000 && whole[2] & 2 == 0);
    assert_eq!(server.count(Transport::Udp, |totals| totals.truncated), 1);
}

#[test]
fn workers_share_the_queries_of_an_address() {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = Options { listen, udp_workers: 3, stream_workers: 2, ..Options::default() };
    let running = start(options, zones()).unwrap();
    let address = running.addresses()[0].address;
    for id in 0..100 {
        let message = query(id, "www.example.", Rtype::A);
        for transport in [Transport::Udp, Transport::Tcp] {
            ask(address, &message, transport, SOON).unwrap();
        }
    }
    for (transport, workers) in [(Transport::Udp, 3), (Transport::Tcp, 2)] {
        let answered = running.answered_by_each(transport);
        assert_eq!(answered.iter().filter(|count| **count > 0).count(), workers, "{answered:?}");
        assert_eq!(answered.iter().sum::<u64>(), 100, "{answered:?}");
    }
}

#[test]
fn t4_responses_and_fragments_get_no_octet() {
    let server = server(Options::default());
    let socket = client("127.0.0.1", server.v4);
    let mut response = query(1, "www.example.", Rtype::A);
    response[2] |= 0x80;
    let mut malformed = response.clone();
    malformed[5] = 9;
    let messages = [&response[..], &malformed, &response[..12], &response[..11], b"", b"\0"];
    for _ in 0..500 {
        for message in messages {
            socket.send(message).unwrap();
        }
    }
    let sent = 500 * messages.len() as u64;
    wait_until("all were seen", || {
        server.count(Transport::Udp, |t| t.dropped[Silence::NotAQuery as usize]) == sent
    });
    assert_eq!(server.count(Transport::Udp, |t| t.octets_out), 0);
    socket.set_read_timeout(Some(A_WHILE)).unwrap();
    assert!(socket.recv(&mut [0; 512]).is_err());
}

#[test]
fn t4_port_0_and_our_own_address_get_no_octet() {
    let server = server(Options::default());
    let raw = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::RAW,
        Some(socket2::Protocol::UDP),
    );
    let Ok(raw) = raw else {
        return crate::skipped::skipped("a forged port needs CAP_NET_RAW");
    };
    let forge = |source_port: u16| {
        let message = query(1, "www.example.", Rtype::A);
        let mut datagram = Vec::new();
        for number in [source_port, server.v4.port(), 8 + message.len() as u16, 0] {
            datagram.extend(number.to_be_bytes());
        }
        datagram.extend(message);
        raw.send_to(&datagram, &server.v4.into()).unwrap();
    };
    forge(0);
    forge(server.v4.port());
    wait_until("both were seen", || {
        server.count(Transport::Udp, |t| t.dropped[Silence::Source as usize]) == 2
    });
    assert_eq!(server.count(Transport::Udp, |t| t.octets_out), 0);
    // The socket still works.
    exchange(&client("127.0.0.1", server.v4), &query(1, "www.example.", Rtype::A));
}

#[test]
fn broadcasts_get_no_octet() {
    let listen = vec!["0.0.0.0:0".parse().unwrap()];
    let running = start(Options { listen, udp_workers: 1, ..Options::default() }, zones()).unwrap();
    let port = running.addresses()[0].address.port();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_broadcast(true).unwrap();
    // Loopback knows no broadcast on every kernel; where it does, it must stay silent.
    if socket.send_to(&query(1, "www.example.", Rtype::A), ("127.255.255.255", port)).is_ok() {
        socket.set_read_timeout(Some(A_WHILE)).unwrap();
        assert!(socket.recv(&mut [0; 512]).is_err());
    }
}

#[test]
fn operations_without_a_room_here_are_declined_with_the_question() {
    let server = server(Options::default());
    let cases = [
        (Opcode::UPDATE, Rtype::SOA, Rcode::REFUSED, 18),
        // The zone is ours: 20, not authoritative, would be wrong.
        (Opcode::NOTIFY, Rtype::SOA, Rcode::NOTAUTH, 21),
        (Opcode::STATUS, Rtype::A, Rcode::NOTIMP, 21),
        (Opcode(15), Rtype::A, Rcode::NOTIMP, 21),
        (Opcode::QUERY, Rtype::AXFR, Rcode::REFUSED, 18),
    ];
    for (opcode, rtype, expected, code) in cases {
        let mut message = edns_query(5, "example.", rtype, &[]);
        message[2] |= opcode.0 << 3;
        for transport in [Transport::Udp, Transport::Tcp] {
            let response = ask(server.v4, &message, transport, SOON).unwrap();
            assert_eq!(rcode(&response), expected, "{opcode} {rtype}");
            assert_eq!(response[2] >> 3 & 15, opcode.0);
            assert_eq!(response[12..25], message[12..25], "{opcode} {rtype}: the question");
            // Over UDP a transfer is not offered at all.
            let udp_axfr = rtype == Rtype::AXFR && transport == Transport::Udp;
            let code = if udp_axfr { 21 } else { code };
            let error = option(&response, 15).unwrap();
            assert_eq!(error[..2], [0, code], "{opcode} {rtype} {transport:?}");
        }
    }
}

#[test]
fn who_may_not_ask_is_refused_by_every_transport() {
    let allow_query = Acl::only(["127.0.0.2/32".parse().unwrap()]);
    let server = server(Options { allow_query, ..Options::default() });
    let message = edns_query(5, "www.example.", Rtype::A, &[]);
    for transport in [Transport::Udp, Transport::Tcp] {
        let response = ask(server.v4, &message, transport, SOON).unwrap();
        assert_eq!(rcode(&response), Rcode::REFUSED);
        assert_eq!(option(&response, 15).unwrap()[..2], [0, 18]);
    }
    let allowed = exchange(&client("127.0.0.2", server.v4), &message);
    assert_eq!(rcode(&allowed), Rcode::NOERROR);
    server.running.set_allow_query(Acl::everybody());
    let response = ask(server.v4, &message, Transport::Udp, SOON).unwrap();
    assert_eq!(rcode(&response), Rcode::NOERROR);
}
