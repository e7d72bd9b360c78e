//! The program that the kernel runs for each frame of an interface, made from the settings.
//!
//! It redirects what is surely a query of ours to the socket of the frame's queue and passes everything
//! else on to the kernel, whose own sockets answer it: other addresses and ports, frames not sent to the
//! interface's own MAC address, VLAN tags, TCP, IPv4 options and fragments, IPv6 extension headers, lengths that
//! contradict each other, queries too short or too long, a queue without a socket. It drops nothing.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use super::assembler::{Assembler, Helper, If, Instruction, Label, Register, Size, Than};
use super::frame::{ETHERNET, IPV4, IPV6, QUERY_MAX, QUERY_MIN, UDP};

/// Verdict: the kernel goes on with the frame.
pub(super) const PASS: u32 = 2;
/// Most addresses a program compares with: each costs a moment for every frame.
pub(super) const TARGETS_MAX: usize = 64;

//--- Fields of `struct xdp_md`
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const QUEUE: i16 = 16;

//--- Registers
/// The helper's result, the verdict, and a value just read.
const VALUE: Register = Register(0);
/// Arguments of the helper. The first is also the context at the start.
const ARGUMENTS: [Register; 3] = [Register(1), Register(2), Register(3)];
/// What a helper may not touch: the context, begin and end of the frame, and its length.
const CONTEXT: Register = Register(6);
const BEGIN: Register = Register(7);
const END: Register = Register(8);
const LENGTH: Register = Register(9);
/// How far the frame must reach, before the words of an address are loaded.
const REACH: Register = Register(1);
/// The words of the destination address.
const WORDS: [Register; 4] = [Register(1), Register(2), Register(3), Register(4)];
/// The destination port.
const PORT: Register = Register(5);

//--- Values of fields
const TYPE_IPV4: [u8; 2] = [0x08, 0x00];
const TYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const PROTOCOL_UDP: u32 = 17;
/// Version 4 and a header of five words: no options.
const PLAIN_IPV4: u32 = 0x45;
/// All flags and the offset of a fragment but Don't Fragment.
const FRAGMENT: [u8; 2] = [0xbf, 0xff];

/// The program for an interface with this MAC address: frames to these addresses and ports go to the
/// sockets in the map. `None`: too many addresses.
pub(super) fn program(
    mac: [u8; 6],
    targets: &[SocketAddr],
    map: &impl AsRawFd,
) -> Option<Vec<Instruction>> {
    if targets.len() > TARGETS_MAX {
        return None;
    }
    let mut it = Assembler::default();
    let (ipv4, ipv6) = (it.label(), it.label());
    let exits = Exits { ours: it.label(), pass: it.label() };
    it.copy(CONTEXT, ARGUMENTS[0]);
    // The difference of the two pointers would take CAP_PERFMON.
    it.call(Helper::FrameLength);
    it.copy(LENGTH, VALUE);
    it.load(Size::Word, BEGIN, CONTEXT, DATA);
    it.load(Size::Word, END, CONTEXT, DATA_END);
    reach(&mut it, ETHERNET + IPV4 + UDP, exits.pass);
    let [a, b, c, d, e, f] = mac;
    it.load(Size::Word, VALUE, BEGIN, 0);
    it.jump_if(VALUE, If::NotEqual, word([a, b, c, d]), exits.pass);
    it.load(Size::Half, VALUE, BEGIN, 4);
    it.jump_if(VALUE, If::NotEqual, half([e, f]), exits.pass);
    it.load(Size::Half, VALUE, BEGIN, 12);
    it.jump_if(VALUE, If::Equal, half(TYPE_IPV4), ipv4);
    it.jump_if(VALUE, If::Equal, half(TYPE_IPV6), ipv6);
    leave(&mut it);
    it.place(ipv4);
    of_ipv4(&mut it, targets, exits);
    it.place(ipv6);
    of_ipv6(&mut it, targets, exits);
    it.place(exits.ours);
    it.load_map(ARGUMENTS[0], map.as_raw_fd());
    it.load(Size::Word, ARGUMENTS[1], CONTEXT, QUEUE);
    // What the helper returns where that queue has no socket.
    it.set(ARGUMENTS[2], PASS.cast_signed());
    it.call(Helper::RedirectMap);
    it.exit();
    it.place(exits.pass);
    leave(&mut it);
    it.assemble()
}

/// Where frames go.
#[derive(Clone, Copy)]
struct Exits {
    /// To our socket.
    ours: Label,
    /// To the kernel.
    pass: Label,
}

/// Passes the frame on.
fn leave(it: &mut Assembler) {
    it.set(VALUE, PASS.cast_signed());
    it.exit();
}

/// Passes on what is shorter than so many octets.
fn reach(it: &mut Assembler, octets: usize, pass: Label) {
    it.copy(REACH, BEGIN);
    it.add(REACH, octets as i32);
    it.jump_if(REACH, If::Greater, Than::Register(END), pass);
}

/// IPv4 without options, whole, UDP, to one of ours.
fn of_ipv4(it: &mut Assembler, targets: &[SocketAddr], exits: Exits) {
    let ip = ETHERNET as i16;
    let udp = ip + IPV4 as i16;
    it.load(Size::Byte, VALUE, BEGIN, ip);
    it.jump_if(VALUE, If::NotEqual, Than::Number(PLAIN_IPV4), exits.pass);
    it.load(Size::Half, VALUE, BEGIN, ip + 6);
    it.mask(VALUE, i32::from(u16::from_ne_bytes(FRAGMENT)));
    it.jump_if(VALUE, If::NotEqual, Than::Number(0), exits.pass);
    it.load(Size::Byte, VALUE, BEGIN, ip + 9);
    it.jump_if(VALUE, If::NotEqual, Than::Number(PROTOCOL_UDP), exits.pass);
    let (udp_length, ip_length) = (VALUE, WORDS[0]);
    it.load(Size::Half, ip_length, BEGIN, ip + 2);
    it.network_16(ip_length);
    it.load(Size::Half, udp_length, BEGIN, udp + 4);
    it.network_16(udp_length);
    it.copy(WORDS[1], udp_length);
    it.add(WORDS[1], IPV4 as i32);
    it.jump_if(ip_length, If::NotEqual, Than::Register(WORDS[1]), exits.pass);
    within(it, ETHERNET + IPV4, exits.pass);
    it.load(Size::Word, WORDS[0], BEGIN, ip + 16);
    it.load(Size::Half, PORT, BEGIN, udp + 2);
    for target in targets {
        if let IpAddr::V4(address) = target.ip() {
            one_of(it, &[address.octets()], target.port(), exits.ours);
        }
    }
    leave(it);
}

/// IPv6 with UDP right behind its header, to one of ours.
fn of_ipv6(it: &mut Assembler, targets: &[SocketAddr], exits: Exits) {
    let ip = ETHERNET as i16;
    let udp = ip + IPV6 as i16;
    reach(it, ETHERNET + IPV6 + UDP, exits.pass);
    it.load(Size::Byte, VALUE, BEGIN, ip);
    it.mask(VALUE, 0xf0);
    it.jump_if(VALUE, If::NotEqual, Than::Number(0x60), exits.pass);
    it.load(Size::Byte, VALUE, BEGIN, ip + 6);
    it.jump_if(VALUE, If::NotEqual, Than::Number(PROTOCOL_UDP), exits.pass);
    it.load(Size::Half, WORDS[0], BEGIN, ip + 4);
    it.load(Size::Half, VALUE, BEGIN, udp + 4);
    it.jump_if(VALUE, If::NotEqual, Than::Register(WORDS[0]), exits.pass);
    it.network_16(VALUE);
    within(it, ETHERNET + IPV6, exits.pass);
    for (at, word) in (0..).zip(WORDS) {
        it.load(Size::Word, word, BEGIN, ip + 24 + 4 * at);
    }
    it.load(Size::Half, PORT, BEGIN, udp + 2);
    for target in targets {
        if let IpAddr::V6(address) = target.ip() {
            let octets = address.octets();
            one_of(it, octets.as_chunks().0, target.port(), exits.ours);
        }
    }
    leave(it);
}

/// Passes on what is too short or too long for a query, or ends before the length of UDP, which is the
/// value just read, says. UDP begins after so many octets.
fn within(it: &mut Assembler, udp_at: usize, pass: Label) {
    it.jump_if(VALUE, If::Less, Than::Number((UDP + QUERY_MIN) as u32), pass);
    it.jump_if(VALUE, If::Greater, Than::Number((UDP + QUERY_MAX) as u32), pass);
    it.copy(REACH, VALUE);
    it.add(REACH, udp_at as i32);
    it.jump_if(REACH, If::Greater, Than::Register(LENGTH), pass);
}

/// Takes the frame if it is to this address and port, whose words are loaded.
fn one_of(it: &mut Assembler, address: &[[u8; 4]], port: u16, ours: Label) {
    let next = it.label();
    for (loaded, wanted) in WORDS.into_iter().zip(address) {
        it.jump_if(loaded, If::NotEqual, word(*wanted), next);
    }
    it.jump_if(PORT, If::Equal, half(port.to_be_bytes()), ours);
    it.place(next);
}

/// Four octets of a frame as a load reads them.
fn word(octets: [u8; 4]) -> Than {
    Than::Number(u32::from_ne_bytes(octets))
}

/// Two octets of a frame as a load reads them.
fn half(octets: [u8; 2]) -> Than {
    Than::Number(u16::from_ne_bytes(octets).into())
}
