//! A server whose queries come over AF_XDP, asked over a wire by an ordinary client and by one that sends odd frames.

use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::frame::{ETHERNET, IPV4};
use super::super::prepare::Prepared;
use super::super::socket::FRAMES;
use super::frames::{frame, with};
use super::wire::{SERVER, Wire};
use crate::serve::tests::operations::{Performer, message};
use crate::serve::tests::{A_WHILE, SOON, edns_query, query, zones};
use crate::serve::*;
use crate::wire::{Rcode, Rtype};

/// Two families, each a client and the server.
const WAYS: [(&str, &str); 2] =
    [("192.0.2.9:4000", "192.0.2.1:53"), ("[2001:db8::9]:4000", "[2001:db8::1]:53")];

/// A server at the server's end.
fn serve(wire: &Wire, options: Options) -> Running {
    let listen = WAYS.map(|(_, to)| to.parse().unwrap()).to_vec();
    let options = Options {
        listen: if options.listen.is_empty() { listen } else { options.listen.clone() },
        xdp: vec![SERVER.to_owned()],
        udp_workers: 1,
        stream_workers: 1,
        ..options
    };
    wire.at_server(|| {
        let running = start(options, zones()).unwrap();
        running.start_xdp();
        running
    })
}

/// The only report.
fn report(running: &Running) -> XdpReport {
    let [report] = &running.xdp()[..] else { panic!("one interface") };
    report.clone()
}

/// Waits until so many responses were counted, which happens after they were sent.
#[track_caller]
fn wait_for_sent(running: &Running, sent: u64) -> XdpReport {
    let begun = Instant::now();
    while report(running).sent < sent {
        assert!(begun.elapsed() < SOON, "{sent} sent: {:?}", report(running));
        std::thread::sleep(Duration::from_millis(1));
    }
    report(running)
}

/// Asks for an address; the response.
#[track_caller]
fn ask(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.send(message).unwrap();
    let mut response = vec![0; 4096];
    let length = socket.recv(&mut response).expect("a response");
    response.truncate(length);
    assert_eq!(response[..2], message[..2]);
    response
}

/// Asks for `www.example.`, and finds it.
#[track_caller]
fn ask_www(socket: &UdpSocket) {
    let response = ask(socket, &query(7, "www.example.", Rtype::A));
    assert!(response.ends_with(&[192, 0, 2, 80]), "{response:02x?}");
}

#[test]
fn queries_of_both_families_come_over_it_native_and_generic() {
    // Longer packets than a driver's program may see: there it is attached generically.
    for (mtu, mode) in [(1500, "native"), (9000, "generic")] {
        let Some(wire) = Wire::make(mtu) else { return };
        let running = serve(&wire, Options::default());
        assert_eq!(running.soon(), [""; 0]);
        assert_eq!(report(&running).mode, Some(mode));
        for (from, to) in WAYS {
            let socket = wire.socket(from, to);
            (0..100).for_each(|_| ask_www(&socket));
            let tcp = wire.at_client(|| TcpStream::connect(to).unwrap());
            drop(tcp);
        }
        let counted = wait_for_sent(&running, 200);
        assert_eq!((counted.received, counted.sent), (200, 200), "{counted:?}");
        assert_eq!((counted.invalid, counted.dropped), (0, 0), "{counted:?}");
        // The same counters as over sockets.
        let queries = running.counters().iter().map(|(_, totals)| totals.opcodes[0]).sum::<u64>();
        assert_eq!(queries, 200);
    }
}

#[test]
fn wildcards_stand_for_the_addresses_of_the_interface() {
    let Some(wire) = Wire::make(1500) else { return };
    let listen = ["0.0.0.0:53", "[::]:53"].map(|it| it.parse().unwrap()).to_vec();
    let running = serve(&wire, Options { listen, ..Options::default() });
    WAYS.iter().for_each(|(from, to)| ask_www(&wire.socket(from, to)));
    assert_eq!(wait_for_sent(&running, 2).received, 2);
}

#[test]
fn what_is_odd_is_answered_by_the_sockets_and_what_is_wrong_by_nobody() {
    let Some(wire) = Wire::make(1500) else { return };
    let running = serve(&wire, Options::default());
    let message = query(7, "www.example.", Rtype::A);
    let [four, six] = WAYS.map(|(from, to)| frame(from, to, &message));
    let mut taken = 0;
    for (at, what, frames, over_xdp, is_answered) in [
        (0, "plain", vec![four.clone()], true, true),
        (1, "plain", vec![six.clone()], true, true),
        (0, "padded", vec![[four.clone(), vec![0; 30]].concat()], true, true),
        (1, "padded", vec![[six.clone(), vec![0; 30]].concat()], true, true),
        (0, "no checksum", vec![with(&four, 40, &[0, 0])], true, true),
        (0, "options", vec![with_options(&four)], false, true),
        (0, "fragments", fragments(&four), false, true),
        (1, "an extension header", vec![with_extension(&six)], false, true),
        (0, "a VLAN's", vec![[&four[..12], &[0x81, 0, 0, 10], &four[12..]].concat()], false, false),
        (0, "another MAC", vec![with(&four, 5, &[9])], false, false),
        (0, "another address", vec![frame(WAYS[0].0, "192.0.2.77:53", &message)], false, false),
        (1, "another address", vec![frame(WAYS[1].0, "[2001:db8::77]:53", &message)], false, false),
        (0, "another port", vec![frame(WAYS[0].0, "192.0.2.1:54", &message)], false, false),
        (0, "a wrong checksum", vec![with(&four, 40, &[1, 2])], true, false),
        (1, "a wrong checksum", vec![with(&six, 60, &[1, 2])], true, false),
        (0, "from itself", vec![frame("192.0.2.1:4000", WAYS[0].1, &message)], true, false),
        (1, "from itself", vec![frame("[2001:db8::1]:4000", WAYS[1].1, &message)], true, false),
        (0, "cut", vec![four[..50].to_vec()], false, false),
    ] {
        let (from, to) = WAYS[at];
        let socket = wire.socket(from, to);
        // So that the server's kernel knows the client's MAC address.
        ask_www(&socket);
        taken += 1;
        wire.send(&frames);
        taken += u64::from(over_xdp);
        socket.set_read_timeout(Some(if is_answered { SOON } else { A_WHILE })).unwrap();
        let answered = socket.recv(&mut [0; 512]).is_ok();
        assert_eq!(answered, is_answered, "{what}: {:?}", report(&running));
        let counted = report(&running);
        assert_eq!(counted.received + counted.invalid, taken, "{what}: {counted:?}");
    }
    assert_eq!(report(&running).invalid, 4);
}

/// A frame with IPv4 options that do nothing.
fn with_options(frame: &[u8]) -> Vec<u8> {
    let mut it = with(frame, ETHERNET, &[0x46]);
    it.splice(ETHERNET + IPV4..ETHERNET + IPV4, [1, 1, 1, 0]);
    let length = (it.len() - ETHERNET) as u16;
    of_ipv4(with(&it, ETHERNET + 2, &length.to_be_bytes()), IPV4 + 4)
}

/// The same in two fragments.
fn fragments(frame: &[u8]) -> Vec<Vec<u8>> {
    let (headers, body) = frame.split_at(ETHERNET + IPV4);
    let [first, last] = [(&body[..16], [0x20, 0]), (&body[16..], [0, 2])].map(|(part, flags)| {
        let it = with(&[headers, part].concat(), ETHERNET + 6, &flags);
        let length = (it.len() - ETHERNET) as u16;
        of_ipv4(with(&it, ETHERNET + 2, &length.to_be_bytes()), IPV4)
    });
    vec![first, last]
}

/// A frame with the right checksum for its IPv4 header of so many octets.
fn of_ipv4(frame: Vec<u8>, header: usize) -> Vec<u8> {
    let frame = with(&frame, ETHERNET + 10, &[0, 0]);
    let sum = super::super::checksum::Sum::default().with(&frame[ETHERNET..ETHERNET + header]);
    with(&frame, ETHERNET + 10, &sum.checksum())
}

/// A frame of IPv6 with options for the destination that do nothing.
fn with_extension(frame: &[u8]) -> Vec<u8> {
    let mut it = with(frame, ETHERNET + 6, &[60]);
    it.splice(54..54, [17, 0, 1, 4, 0, 0, 0, 0]);
    let length = (it.len() - 54) as u16;
    with(&it, ETHERNET + 4, &length.to_be_bytes())
}

#[test]
fn a_response_fits_the_packets_of_the_interface() {
    for (mtu, largest) in [(1500, 1232), (1280, 1232), (700, 672)] {
        let Some(wire) = Wire::make(mtu) else { return };
        let running = serve(
            &wire,
            Options { listen: vec![WAYS[0].1.parse().unwrap()], ..Options::default() },
        );
        let socket = wire.socket(WAYS[0].0, WAYS[0].1);
        let cut = ask(&socket, &edns_query(7, "big.example.", Rtype::TXT, &[]));
        assert!(cut[2] & 2 == 2 && cut.len() <= largest, "TC, {} octets", cut.len());
        wait_for_sent(&running, 1);
    }
}

#[test]
fn access_list_and_rate_limit_are_the_same() {
    let Some(wire) = Wire::make(1500) else { return };
    let allow_query = Acl::only(["192.0.2.0/24".parse().unwrap()]);
    let rate_limit = Some(RateLimit { per_prefix: 5, per_address: 0, slip: 1 });
    let running = serve(&wire, Options { allow_query, rate_limit, ..Options::default() });
    let [(socket, _), (denied, _)] = WAYS.map(|(from, to)| (wire.socket(from, to), ()));
    let rcode = |response: Vec<u8>| Rcode(u16::from(response[3] & 15));
    assert_eq!(rcode(ask(&denied, &query(7, "www.example.", Rtype::A))), Rcode::REFUSED);
    let cut = (0..100).filter(|_| ask(&socket, &query(7, "www.example.", Rtype::A))[2] & 2 == 2);
    assert!(cut.count() > 50, "most of what is over the limit is cut short");
    wait_for_sent(&running, 101);
}

#[test]
fn what_takes_longer_is_answered_by_the_socket_of_its_address() {
    for listen in [WAYS.map(|(_, to)| to), ["0.0.0.0:53", "[::]:53"]] {
        let Some(wire) = Wire::make(1500) else { return };
        let performer = Arc::new(Performer::default());
        let operations = Some(performer.clone() as Arc<dyn Operations>);
        let listen = listen.map(|it| it.parse().unwrap()).to_vec();
        let running = serve(&wire, Options { listen, operations, ..Options::default() });
        for (from, to) in WAYS {
            let response = ask(&wire.socket(from, to), &message("UPDATE"));
            assert_eq!(response[3] & 15, Rcode::REFUSED.0 as u8, "it is not signed");
        }
        assert_eq!(*performer.asked.lock().unwrap(), ["UPDATE Udp -"; 2]);
        let counted = report(&running);
        assert_eq!((counted.received, counted.sent), (2, 0), "{counted:?}");
    }
}

#[test]
fn an_interface_may_go_and_come() {
    let Some(wire) = Wire::make(1500) else { return };
    let running = serve(&wire, Options::default());
    let socket = wire.socket(WAYS[0].0, WAYS[0].1);
    ask_www(&socket);
    wire.set("down");
    wire.set("up");
    // The client's end sees that, too, a moment later.
    socket.set_read_timeout(Some(A_WHILE)).unwrap();
    let query = query(9, "www.example.", Rtype::A);
    let is_answered = |_| {
        let sent = socket.send(&query);
        sent.is_ok() && socket.recv(&mut [0; 512]).is_ok() || {
            std::thread::sleep(A_WHILE);
            false
        }
    };
    assert!((0..40).any(is_answered), "{:?}", report(&running));
    wait_for_sent(&running, 2);
    assert_eq!((report(&running).mode, running.soon()), (Some("native"), Vec::new()));
    wire.remove();
    assert_eq!(report(&running).mode, None);
    let told = running.soon().join("");
    assert!(told.contains("xdp0: it was removed (restart gapura once it is back)"), "{told}");
    assert!(report(&running).sent >= 2, "what was counted stays");
}

#[test]
fn an_interface_with_another_mac_address_is_the_sockets() {
    let Some(wire) = Wire::make(1500) else { return };
    let running = serve(&wire, Options::default());
    wire.set("address 02:00:00:00:00:07");
    assert_eq!(report(&running).mode, None);
    let told = running.soon().join("");
    assert!(told.contains("its MAC address was changed (restart gapura)"), "{told}");
    ask_www(&wire.socket(WAYS[0].0, WAYS[0].1));
    assert_eq!(report(&running).received, 0);
    wire.set("address 02:00:00:00:00:01");
    assert_eq!((report(&running).mode, running.soon()), (Some("native"), Vec::new()));
}

#[test]
fn an_interface_that_is_named_twice_is_used_once() {
    let Some(wire) = Wire::make(1500) else { return };
    wire.also_call_it("another0");
    let names = ["nowhere0", SERVER, "another0", SERVER, "nowhere0"].map(str::to_owned);
    let listen = WAYS.map(|(_, to)| to.parse().unwrap());
    let prepared = wire.at_server(|| Prepared::new(&names, &listen));
    let prepared = prepared.interfaces.iter().map(|(name, it)| (name.as_str(), it.is_ok()));
    assert_eq!(prepared.collect::<Vec<_>>(), [("nowhere0", false), (SERVER, true)]);
}

#[test]
fn another_program_keeps_its_interface_until_it_leaves() {
    let Some(wire) = Wire::make(1500) else { return };
    let first = serve(&wire, Options::default());
    let listen = vec!["192.0.2.1:5353".parse().unwrap()];
    let second = serve(&wire, Options { listen, ..Options::default() });
    let told = second.soon().join("");
    assert!(told.contains("another program is attached to it (number "), "{told}");
    assert_eq!(report(&second).mode, None);
    let socket = wire.socket("192.0.2.9:4000", "192.0.2.1:5353");
    ask_www(&socket);
    drop(first);
    wire.at_server(|| second.start_xdp());
    assert_eq!((report(&second).mode, second.soon()), (Some("native"), Vec::new()));
    ask_www(&socket);
    wait_for_sent(&second, 1);
}

#[test]
fn frames_come_back_whatever_was_in_them() {
    let Some(wire) = Wire::make(1500) else { return };
    let running = serve(&wire, Options::default());
    let message = query(7, "www.example.", Rtype::A);
    let good = frame("192.0.2.5:1", WAYS[0].1, &message);
    let silent = frame("192.0.2.5:1", WAYS[0].1, &[0x80; 40]);
    let wrong = with(&good, 40, &[1, 2]);
    // More of each than there are frames.
    let mix = [good, silent, wrong];
    let mix: Vec<Vec<u8>> = mix.iter().cycle().take(150).cloned().collect();
    let (begun, enough) = (Instant::now(), FRAMES as u64);
    loop {
        let counted = report(&running);
        let unanswered = counted.received - counted.sent.min(counted.received);
        if counted.sent.min(counted.invalid).min(unanswered) > enough {
            break;
        }
        assert!(begun.elapsed() < 12 * SOON, "{counted:?}");
        wire.send(&mix);
        std::thread::sleep(Duration::from_millis(1));
    }
    let socket = wire.socket(WAYS[0].0, WAYS[0].1);
    // What is on its way still may leave no room for one more.
    socket.set_read_timeout(Some(A_WHILE)).unwrap();
    let message = query(9, "www.example.", Rtype::A);
    let is_answered = |_| {
        socket.send(&message).unwrap();
        socket.recv(&mut [0; 512]).is_ok()
    };
    assert!((0..40).any(is_answered), "{:?}", report(&running));
}

/// Ends the client however its test ends.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_is_lost_when_it_comes_and_goes() {
    let Some(wire) = Wire::make(1500) else { return };
    let running = serve(&wire, Options::default());
    let socket = wire.socket(WAYS[0].0, WAYS[0].1);
    let (stop, mut taken) = (AtomicBool::new(false), 0);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut asked = 0u64;
            while !stop.load(Ordering::Relaxed) {
                ask_www(&socket);
                asked += 1;
            }
            asked
        });
        let end = End(&stop);
        for _ in 0..5 {
            taken += wait_for_sent(&running, 50).sent;
            running.leave_xdp();
            std::thread::sleep(Duration::from_millis(20));
            wire.at_server(|| running.start_xdp());
        }
        drop(end);
        assert!(client.join().unwrap() > taken, "sockets answered some");
    });
}
