//! TCP: pipelining, half-closed connections, and clients that waste time (T5, T6).

use super::*;

/// Whether to run at full size.
fn full_size() -> bool {
    std::env::var_os("GAPURA_TEST_FULL").is_some()
}

/// Short times, so that tests end soon.
fn hasty() -> Options {
    let streams = StreamLimits {
        idle: Duration::from_millis(1500),
        stall: Duration::from_millis(200),
        message: Duration::from_millis(800),
        write: Duration::from_millis(800),
        ..StreamLimits::default()
    };
    Options { streams, ..Options::default() }
}

#[test]
fn pipelined_queries_are_all_answered() {
    let server = server(Options::default());
    let mut stream = connect(server.v4);
    let count = 2000;
    let frames: Vec<u8> =
        (0..count).flat_map(|id| framed(&query(id, "www.example.", Rtype::A))).collect();
    let mut writer = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || writer.write_all(&frames).unwrap());
    for id in 0..count {
        let response = read_message(&mut stream);
        assert_eq!(response[..2], id.to_be_bytes());
        assert!(response.ends_with(&[192, 0, 2, 80]));
    }
    sender.join().unwrap();
}

#[test]
fn large_responses_to_a_slow_reader_all_arrive() {
    let server = server(Options::default());
    let mut stream = connect(server.v4);
    let count = 1500; // 6 MB of responses: more than all buffers between us
    let frames: Vec<u8> =
        (0..count).flat_map(|id| framed(&query(id, "big.example.", Rtype::TXT))).collect();
    stream.write_all(&frames).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    for id in 0..count {
        let response = read_message(&mut stream);
        assert_eq!(response[..2], id.to_be_bytes());
        assert!(response.len() > 4000);
    }
}

#[test]
fn a_message_may_come_in_pieces() {
    let server = server(Options::default());
    let mut stream = connect(server.v4);
    stream.set_nodelay(true).unwrap();
    let mut frames = framed(&query(1, "www.example.", Rtype::A));
    frames.extend(framed(&query(2, "big.example.", Rtype::TXT)));
    for octet in frames {
        stream.write_all(&[octet]).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(read_message(&mut stream)[..2], [0, 1]);
    assert_eq!(read_message(&mut stream)[..2], [0, 2]);
}

#[test]
fn a_half_closed_connection_is_answered_to_the_end() {
    let server = server(Options::default());
    let mut stream = connect(server.v4);
    for id in 0..50 {
        stream.write_all(&framed(&query(id, "big.example.", Rtype::TXT))).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    for id in 0..50u16 {
        assert_eq!(read_message(&mut stream)[..2], id.to_be_bytes());
    }
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn keepalive_tells_the_idle_time_to_who_asks() {
    let server = server(Options::default());
    let message = edns_query(1, "www.example.", Rtype::A, &[0, 11, 0, 0]);
    let response = ask(server.v4, &message, Transport::Tcp, SOON).unwrap();
    assert_eq!(option(&response, 11), Some(&[0, 100][..]));
    let response = ask(server.v4, &message, Transport::Udp, SOON).unwrap();
    assert_eq!(option(&response, 11), None);
}

#[test]
fn t6_each_kind_of_slowness_is_closed_in_its_time() {
    let server = server(hasty());
    let limits = hasty().streams;
    let frame = framed(&query(1, "www.example.", Rtype::A));
    let quiet = |sent: &[u8]| {
        let mut stream = connect(server.v4);
        stream.write_all(sent).unwrap();
        closed_after(&mut stream)
    };
    // Quiet from the start, and after an answer: idle.
    for sent in [&b""[..], &frame] {
        let took = quiet(sent);
        assert!(took >= limits.idle && took < limits.idle * 2, "idle: {took:?}");
    }
    // Half a length, half a message: stalled.
    for sent in [&frame[..1], &frame[..2], &frame[..20]] {
        let took = quiet(sent);
        assert!(took >= limits.stall && took < limits.idle, "stalled: {took:?}");
    }
    // Not a query: at once.
    let mut response = frame;
    response[4] |= 0x80;
    for sent in [&b"\0\0"[..], b"\0\x0bGET / HTTP/1.1\r\n", &response] {
        let took = quiet(sent);
        assert!(took < limits.idle, "garbage: {took:?}");
    }
    assert_eq!(server.count(Transport::Tcp, |t| t.closed[CloseReason::Idle as usize]), 2);
    assert_eq!(server.count(Transport::Tcp, |t| t.closed[CloseReason::Stalled as usize]), 3);
    assert_eq!(server.count(Transport::Tcp, |t| t.closed[CloseReason::Garbage as usize]), 3);
}

#[test]
fn t6_an_octet_now_and_then_does_not_keep_a_message_alive() {
    let server = server(hasty());
    let mut stream = connect(server.v4);
    let frame = framed(&query(1, "www.example.", Rtype::A));
    let start = Instant::now();
    for octet in frame.iter().cycle().take(100) {
        // Shorter than the stall: only the time for the whole message ends this.
        std::thread::sleep(Duration::from_millis(100));
        if stream.write_all(&[*octet]).is_err() {
            break;
        }
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    wait_until("counted", || {
        server.count(Transport::Tcp, |t| t.closed[CloseReason::Stalled as usize]) == 1
    });
}

#[test]
fn t6_a_client_that_never_reads_is_closed() {
    let server = server(hasty());
    let mut stream = connect(server.v4);
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let frames: Vec<u8> =
        (0..200).flat_map(|id| framed(&query(id, "big.example.", Rtype::TXT))).collect();
    // Until our own buffers are full: the server has stopped to read.
    while stream.write_all(&frames).is_ok() {}
    wait_until("closed", || {
        server.count(Transport::Tcp, |t| t.closed[CloseReason::Unread as usize]) == 1
    });
    wait_until("and gone", || server.running.connections() == 0);
}

#[test]
fn t6_a_thousand_slow_clients_do_not_hold_up_udp() {
    let options = hasty();
    let streams = StreamLimits { connections: 2000, per_address: 2000, ..options.streams };
    let server = server(Options { streams, ..options });
    let count = if full_size() { 1000 } else { 200 };
    let frame = framed(&query(1, "www.example.", Rtype::A));
    let slow: Vec<_> = (0..count)
        .map(|index| {
            let mut stream = connect(server.v4);
            stream.write_all(&frame[..index % 10]).unwrap();
            stream
        })
        .collect();
    let socket = client("127.0.0.1", server.v4);
    for id in 0..1000 {
        exchange(&socket, &query(id, "www.example.", Rtype::A));
    }
    wait_until("all are closed", || server.running.connections() == 0);
    drop(slow);
}

#[test]
fn one_address_has_its_share_of_connections() {
    let streams = StreamLimits { per_address: 3, ..StreamLimits::default() };
    let server = server(Options { streams, ..Options::default() });
    let mut kept: Vec<_> = (0..3).map(|_| connect(server.v4)).collect();
    wait_until("all are in", || server.running.connections() == 3);
    assert!(closed_after(&mut connect(server.v4)) < Duration::from_secs(1));
    for stream in &mut kept {
        stream.write_all(&framed(&query(9, "www.example.", Rtype::A))).unwrap();
        read_message(stream);
    }
    kept.pop();
    wait_until("one has left", || server.running.connections() == 2);
    let response = ask(server.v4, &query(9, "www.example.", Rtype::A), Transport::Tcp, SOON);
    assert!(response.is_ok());
}

/// Resident memory of this process, octets.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn t5_idle_connections_cost_little_and_make_room_for_active_ones() {
    let (idle, active) = if full_size() { (9_000, 100) } else { (400, 20) };
    let streams =
        StreamLimits { connections: idle, per_address: idle + active, ..StreamLimits::default() };
    let server = server(Options { streams, ..Options::default() });
    let frame = framed(&query(1, "www.example.", Rtype::A));
    let before = resident();
    let mut quiet = Vec::with_capacity(idle);
    for _ in 0..idle {
        let mut stream = connect(server.v4);
        stream.write_all(&frame).unwrap();
        read_message(&mut stream);
        quiet.push(stream);
    }
    if full_size() {
        // Run alone: other tests of this process take memory too.
        let each = resident().saturating_sub(before) / idle;
        println!("{each} octets of memory for each of {idle} idle connections");
        assert!(each <= 16 << 10);
    }
    // Full: each of these pushes out the quietest, and none is refused.
    let mut busy: Vec<_> = (0..active).map(|_| connect(server.v4)).collect();
    for stream in &mut busy {
        for _ in 0..50 {
            stream.write_all(&frame).unwrap();
            assert!(read_message(stream).ends_with(&[192, 0, 2, 80]));
        }
    }
    let closed = server.count(Transport::Tcp, |t| t.closed[CloseReason::Full as usize]) as usize;
    assert!(closed >= active, "{closed} made room");
    assert_eq!(quiet[0].read(&mut [0; 16]).unwrap(), 0, "the quietest was the first to go");
}

#[test]
fn busy_connections_of_one_address_keep_no_other_one_out() {
    let streams = StreamLimits {
        connections: 8,
        per_address: 8,
        stall: Duration::from_secs(30),
        message: Duration::from_secs(30),
        ..StreamLimits::default()
    };
    let server = server(Options { streams, stream_workers: 1, ..Options::default() });
    // Each in the middle of a message, for as long as the test lasts.
    let greedy: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = connect(server.v4);
            stream.write_all(&[0]).unwrap();
            stream
        })
        .collect();
    wait_until("all are in", || server.running.connections() == 8);
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..3 {
        let other =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        other.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        other.connect(&server.v4.into()).unwrap();
        let mut other = TcpStream::from(other);
        other.set_read_timeout(Some(SOON)).unwrap();
        other.write_all(&framed(&query(7, "www.example.", Rtype::A))).unwrap();
        assert_eq!(read_message(&mut other)[..2], [0, 7]);
    }
    drop(greedy);
}
