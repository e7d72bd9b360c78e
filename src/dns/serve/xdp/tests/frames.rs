//! The program and the reader of frames side by side, over frames good, odd and broken.
//!
//! The program is run by a small interpreter of the instructions that the assembler writes; that the kernel takes it,
//! and does the same, is seen in `tests/it/xdp.rs`.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};

use proptest::prelude::*;

use super::super::assembler::Instruction;
use super::super::checksum::Sum;
use super::super::frame::{self, ETHERNET, Fault, IPV4, IPV6, QUERY_MAX, Query, UDP};
use super::super::program::{PASS, TARGETS_MAX, program};

/// Verdict: to the socket.
const REDIRECT: u32 = 4;
pub(super) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(super) const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// A query with two octets behind it: 27 in all, an odd number.
const QUERY: &[u8; 27] = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07example\0\0\x01\0\x01xx";
/// Octets in front of an IPv4 and an IPv6 query.
const FRONT_4: usize = ETHERNET + IPV4 + UDP;
const FRONT_6: usize = ETHERNET + IPV6 + UDP;

//------------ Frames --------------------------------------------------------

/// A frame with a datagram.
pub(super) fn frame(from: &str, to: &str, body: &[u8]) -> Vec<u8> {
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let mut frame = [MAC, CLIENT_MAC].concat();
    let length = (UDP + body.len()) as u16;
    let mut pseudo = Sum::default();
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            frame.extend([0x08, 0x00]);
            let mut ip = vec![0x45, 0];
            ip.extend((IPV4 as u16 + length).to_be_bytes());
            ip.extend([0x12, 0x34, 0x40, 0, 63, 17, 0, 0]);
            ip.extend(source.octets());
            ip.extend(target.octets());
            let checksum = Sum::default().with(&ip).checksum();
            ip[10..12].copy_from_slice(&checksum);
            frame.extend(ip);
            pseudo = pseudo.with(&source.octets()).with(&target.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            frame.extend([0x86, 0xdd, 0x60, 0x0a, 0xbc, 0xde]);
            frame.extend(length.to_be_bytes());
            frame.extend([17, 63]);
            frame.extend(source.octets());
            frame.extend(target.octets());
            pseudo = pseudo.with(&source.octets()).with(&target.octets());
        }
        _ => panic!("one family"),
    }
    let [a, b] = length.to_be_bytes();
    pseudo = pseudo.with(&[0, 17, a, b]);
    let mut udp = [from.port().to_be_bytes(), to.port().to_be_bytes(), [a, b], [0, 0]].concat();
    udp.extend(body);
    let checksum = pseudo.with(&udp).checksum();
    udp[6..8].copy_from_slice(&checksum);
    frame.extend(udp);
    frame
}

/// A query over IPv4.
fn ipv4() -> Vec<u8> {
    frame("192.0.2.9:4000", "192.0.2.1:53", QUERY)
}

/// The same over IPv6.
fn ipv6() -> Vec<u8> {
    frame("[2001:db8::9]:4000", "[2001:db8::1]:53", QUERY)
}

/// What is listened on.
fn targets() -> Vec<SocketAddr> {
    ["192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53", "[2001:db8::2]:53"]
        .map(|it| it.parse().unwrap())
        .to_vec()
}

//------------ Interpreter ---------------------------------------------------

/// A map that only has a number.
struct Map;

impl AsRawFd for Map {
    fn as_raw_fd(&self) -> RawFd {
        7
    }
}

/// What the program says to a frame; panics where it reads beyond it.
fn verdict(code: &[Instruction], frame: &[u8]) -> u32 {
    // Addresses: the context at 0x1000, the frame at 0x10000.
    const CONTEXT: u64 = 0x1000;
    const FRAME: u64 = 0x10000;
    let mut registers = [0u64; 10];
    registers[1] = CONTEXT;
    let read = |at: u64, size: usize| -> u64 {
        if at < FRAME {
            assert_eq!(size, 4);
            return match at - CONTEXT {
                0 => FRAME,
                4 => FRAME + frame.len() as u64,
                16 => 3,
                other => panic!("field {other} of the context"),
            };
        }
        let at = (at - FRAME) as usize;
        let mut octets = [0; 8];
        octets[..size].copy_from_slice(&frame[at..at + size]);
        u64::from_le_bytes(octets)
    };
    let mut at = 0;
    loop {
        let it = code[at];
        let (to, from) = (usize::from(it.registers & 15), usize::from(it.registers >> 4));
        let number = i64::from(it.immediate).cast_unsigned();
        let word = number as u32;
        at += 1;
        let jumps = match it.code {
            0x61 => {
                registers[to] = read(registers[from].wrapping_add(it.offset as u64), 4);
                false
            }
            0x69 => {
                registers[to] = read(registers[from].wrapping_add(it.offset as u64), 2);
                false
            }
            0x71 => {
                registers[to] = read(registers[from].wrapping_add(it.offset as u64), 1);
                false
            }
            0xbf => {
                registers[to] = registers[from];
                false
            }
            0xb7 => {
                registers[to] = number;
                false
            }
            0x07 => {
                registers[to] = registers[to].wrapping_add(number);
                false
            }
            0x54 => {
                registers[to] = u64::from(registers[to] as u32 & word);
                false
            }
            0xdc => {
                registers[to] = u64::from((registers[to] as u16).swap_bytes());
                false
            }
            0x18 => {
                assert_eq!((from, word), (1, 7), "the map");
                registers[to] = 7;
                at += 1;
                false
            }
            0x2d => registers[to] > registers[from],
            0x5d => registers[to] != registers[from],
            0x16 => registers[to] as u32 == word,
            0x26 => registers[to] as u32 > word,
            0x56 => registers[to] as u32 != word,
            0xa6 => (registers[to] as u32) < word,
            0x85 if it.immediate == 188 => {
                assert_eq!(registers[1], CONTEXT);
                registers[0] = frame.len() as u64;
                registers[1..6].fill(u64::MAX);
                false
            }
            0x85 => {
                assert_eq!(registers[1..4], [7, 3, u64::from(PASS)], "map, queue, else");
                registers[0] = u64::from(REDIRECT);
                false
            }
            0x95 => return registers[0] as u32,
            other => panic!("instruction {other:#x}"),
        };
        if jumps {
            at = at.checked_add_signed(it.offset.into()).unwrap();
        }
    }
}

/// The program.
fn code() -> Vec<Instruction> {
    program(MAC, &targets(), &Map).unwrap()
}

/// Reads a frame at the machine that listens there.
fn read(octets: &[u8]) -> Result<Query, Fault> {
    let own: Vec<IpAddr> = targets().iter().map(SocketAddr::ip).collect();
    frame::read(octets, 1, &own)
}

/// Whether it takes a frame; then it can be read, whatever comes of that.
#[track_caller]
fn takes(frame: &[u8]) -> bool {
    let takes = verdict(&code(), frame) == REDIRECT;
    let read = read(frame);
    if takes {
        assert_ne!(read, Err(Fault::Headers), "taken and not understood: {frame:02x?}");
    }
    takes
}

//------------ What is taken, and what passed on -----------------------------

#[test]
fn queries_to_us_are_taken_and_read() {
    for (made, front, client, asked) in [
        (ipv4(), FRONT_4, "192.0.2.9:4000", "192.0.2.1:53"),
        (ipv6(), FRONT_6, "[2001:db8::9]:4000", "[2001:db8::1]:53"),
    ] {
        assert!(takes(&made));
        let query = read(&made).unwrap();
        assert_eq!((query.client, query.asked), (client.parse().unwrap(), asked.parse().unwrap()));
        assert_eq!(query.octets, front..front + 27);
        // Padding behind it changes nothing.
        let padded = [made.clone(), vec![0xee; 20]].concat();
        assert!(takes(&padded));
        assert_eq!(read(&padded).unwrap(), query);
    }
    for to in ["192.0.2.2:5353", "[2001:db8::2]:53"] {
        let from = if to.starts_with('[') { "[fe80::9]:1" } else { "10.0.0.1:1" };
        assert!(takes(&frame(from, to, &[0; 12])), "{to}");
    }
}

/// A frame with some octets replaced, from a place on.
pub(super) fn with(frame: &[u8], at: usize, octets: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at..at + octets.len()].copy_from_slice(octets);
    frame
}

#[test]
fn what_is_not_surely_ours_is_passed_on() {
    let (four, six) = (ipv4(), ipv6());
    let tagged = |frame: &[u8]| [&frame[..12], &[0x81, 0, 0, 10], &frame[12..]].concat();
    let options = {
        let mut it = with(&four, ETHERNET, &[0x46]);
        it.splice(34..34, [1, 1, 1, 0]);
        let length = (IPV4 + 4 + UDP + 27) as u16;
        with(&it, 16, &length.to_be_bytes())
    };
    let extended = {
        let mut it = with(&six, ETHERNET + 6, &[0]);
        it.splice(54..54, [17, 0, 1, 4, 0, 0, 0, 0]);
        with(&it, ETHERNET + 4, &43u16.to_be_bytes())
    };
    for (what, frame) in [
        ("a VLAN's", tagged(&four)),
        ("a VLAN's over IPv6", tagged(&six)),
        ("ARP", with(&four, 12, &[0x08, 0x06])),
        ("options", options),
        ("another version", with(&four, ETHERNET, &[0x55])),
        ("another version", with(&six, ETHERNET, &[0x40])),
        ("the first fragment", with(&four, 20, &[0x20, 0])),
        ("a later fragment", with(&four, 20, &[0, 1])),
        ("a reserved flag", with(&four, 20, &[0x80, 0])),
        ("TCP", with(&four, 23, &[6])),
        ("TCP over IPv6", with(&six, 20, &[6])),
        ("an extension header", extended),
        ("a fragment header", with(&six, 20, &[44])),
        ("another address", with(&four, 33, &[3])),
        ("another address of IPv6", with(&six, 53, &[3])),
        ("another port", with(&four, 37, &[54])),
        ("another port of IPv6", with(&six, 57, &[54])),
        ("the port of another address", with(&four, 36, &5353u16.to_be_bytes())),
        ("another MAC", with(&four, 5, &[9])),
        ("another MAC", with(&four, 0, &[9])),
        ("broadcast", with(&four, 0, &[0xff; 6])),
        ("multicast", with(&six, 0, &[0x33, 0x33, 0, 0, 0, 1])),
        ("a longer packet than UDP says", with(&four, 16, &56u16.to_be_bytes())),
        ("a longer packet than UDP says", with(&six, 18, &36u16.to_be_bytes())),
        ("a UDP length that does not fit", with(&four, 38, &200u16.to_be_bytes())),
        ("a UDP length below its header", with(&four, 38, &7u16.to_be_bytes())),
        ("a jumbogram", with(&with(&six, 18, &[0, 0]), 58, &[0, 0])),
        ("shorter than a header of DNS", frame("192.0.2.9:1", "192.0.2.1:53", &[0; 11])),
        ("a long one", frame("192.0.2.9:1", "192.0.2.1:53", &[0; QUERY_MAX + 1])),
        ("a long one", frame("[2001:db8::9]:1", "[2001:db8::1]:53", &[0; QUERY_MAX + 1])),
        ("IPv4 in IPv6", frame("[::ffff:192.0.2.9]:1", "[::ffff:192.0.2.1]:53", &[0; 12])),
    ] {
        assert!(!takes(&frame), "{what}");
    }
    assert!(takes(&frame("192.0.2.9:1", "192.0.2.1:53", &[0; QUERY_MAX])));
}

#[test]
fn every_truncation_is_passed_on() {
    for whole in [ipv4(), ipv6()] {
        for length in 0..whole.len() {
            assert!(!takes(&whole[..length]), "{length}");
            assert_eq!(read(&whole[..length]), Err(Fault::Headers), "{length}");
        }
    }
}

#[test]
fn every_flipped_bit_is_passed_on_or_noticed() {
    for whole in [ipv4(), ipv6()] {
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if !takes(&flipped) {
                continue;
            }
            let is_free = match bit / 8 {
                // The client's MAC address.
                6..12 => true,
                // Traffic class and flow label of IPv6, and its hop limit.
                at if whole[12] == 0x86 => (14..18).contains(&at) || at == 21,
                _ => false,
            };
            let read = read(&flipped);
            assert_eq!(read.is_ok(), is_free && flipped[6] & 1 == 0, "bit {bit}: {read:?}");
        }
    }
}

#[test]
fn impossible_sources_and_checksums_are_not_answered() {
    for from in [
        "127.0.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "192.0.2.2",
    ] {
        let made = frame(&format!("{from}:4000"), "192.0.2.1:53", &[0; 12]);
        assert_eq!(read(&made), Err(Fault::Source), "{from}");
    }
    for from in ["::1", "::", "ff02::1", "::ffff:192.0.2.9", "2001:db8::1", "2001:db8::2"] {
        let made = frame(&format!("[{from}]:4000"), "[2001:db8::1]:53", &[0; 12]);
        assert_eq!(read(&made), Err(Fault::Source), "{from}");
    }
    assert_eq!(read(&with(&ipv4(), 6, &[3])), Err(Fault::Source), "a group's MAC");
    // Without a checksum: fine over IPv4 only.
    assert!(read(&with(&ipv4(), 40, &[0, 0])).is_ok());
    assert_eq!(read(&with(&ipv6(), 60, &[0, 0])), Err(Fault::Checksum));
    assert_eq!(read(&with(&ipv4(), 24, &[0, 0])), Err(Fault::Checksum), "of the header");
    // Left to hardware by a sender on this machine: the sum of the pseudo-header.
    let sum = Sum::default().with(&ipv4()[26..34]).with(&[0, 17, 0, 35]).folded();
    assert!(read(&with(&ipv4(), 40, &sum)).is_ok());
}

#[test]
fn a_link_local_client_is_one_of_its_interface() {
    let made = frame("[fe80::9]:4000", "[2001:db8::1]:53", &[0; 12]);
    assert_eq!(frame::read(&made, 7, &[]).unwrap().client, "[fe80::9%7]:4000".parse().unwrap());
}

#[test]
fn a_program_has_a_limit_of_addresses() {
    let many = |count: usize| vec![targets()[2]; count];
    assert!(program(MAC, &many(TARGETS_MAX), &Map).is_some());
    assert!(program(MAC, &many(TARGETS_MAX + 1), &Map).is_none());
    assert!(program(MAC, &[], &Map).is_some_and(|code| verdict(&code, &ipv4()) == PASS));
}

//------------ Responses -----------------------------------------------------

#[test]
fn a_response_goes_back_the_way_its_query_came() {
    for (made, front) in [(ipv4(), FRONT_4), (ipv6(), FRONT_6)] {
        for length in [12, 27, 28, 600, 1232] {
            let query = read(&made).unwrap();
            let mut room = made.clone();
            room.resize(1700, 0xee);
            for (at, octet) in room[front..front + length].iter_mut().enumerate() {
                *octet = at as u8;
            }
            let whole = frame::write(&mut room, &query, length, 0xabcd).unwrap();
            assert_eq!(whole, (front + length).max(60));
            assert_eq!((&room[..6], &room[6..12]), (&CLIENT_MAC[..], &MAC[..]));
            // Read as if it were a query, it is whole and right.
            let read = frame::read(&room[..whole], 1, &[]).unwrap();
            assert_eq!((read.client, read.asked), (query.asked, query.client));
            assert_eq!(read.octets, front..front + length);
            assert!((0..length).all(|at| room[front + at] == at as u8), "the response itself");
            assert!(room[front + length..whole].iter().all(|octet| *octet == 0), "padding");
            let ttl = if front == FRONT_4 { 22 } else { 21 };
            assert_eq!(room[ttl], 64);
        }
        let query = read(&made).unwrap();
        assert_eq!(frame::write(&mut made.clone(), &query, 1232, 0), None, "no room");
    }
}

#[test]
fn a_checksum_of_zero_is_written_as_all_ones() {
    let query = read(&ipv6()).unwrap();
    let mut room = ipv6();
    room.resize(200, 0);
    room[FRONT_6..FRONT_6 + 14].fill(0);
    frame::write(&mut room, &query, 14, 0).unwrap();
    // The word that makes the sum all ones.
    let rest = Sum::default().with(&room[60..62]).folded();
    room[FRONT_6..FRONT_6 + 2].copy_from_slice(&rest);
    frame::write(&mut room, &query, 14, 0).unwrap();
    assert_eq!(room[60..62], [0xff, 0xff]);
}

//------------ Anything ------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_frame_is_too_odd(
        six in any::<bool>(),
        changes in proptest::collection::vec((0usize..100, any::<u8>()), 0..6),
        cut in 0usize..120,
        tail in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut odd = if six { ipv6() } else { ipv4() };
        for (at, octet) in changes {
            if let Some(place) = odd.get_mut(at) {
                *place = octet;
            }
        }
        odd.truncate(cut.max(1));
        odd.extend(tail);
        let is_taken = takes(&odd);
        if let Ok(query) = read(&odd) {
            prop_assert!(query.octets.end <= odd.len());
            // What can be read and was not taken was for somebody else.
            prop_assert!(is_taken || odd[..6] != MAC || !targets().contains(&query.asked));
            let mut room = odd.clone();
            room.resize(1700, 0);
            let whole = frame::write(&mut room, &query, 12, 1);
            prop_assert!(whole.is_some_and(|whole| whole >= 60));
        }
    }

    #[test]
    fn octets_without_sense_are_passed_on(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!takes(&octets) || octets.starts_with(&MAC));
        let _ = read(&octets);
    }
}
