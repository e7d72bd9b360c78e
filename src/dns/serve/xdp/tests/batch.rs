//! A queue read and written without a server: what a batch does when its interface goes down.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use super::super::batch::{FrameBatch, Tally, Terms};
use super::super::bpf::{self, Mode};
use super::super::prepare::{Prepared, Ready};
use super::frames::frame;
use super::wire::{SERVER, Wire};
use crate::serve::batch::{Packets, Sent};
use crate::serve::tests::SOON;

/// A client and the server.
const WAY: (&str, &str) = ("192.0.2.9:4000", "192.0.2.1:53");

/// The queue of the server's interface, and what keeps its frames coming.
struct Queue {
    batch: FrameBatch,
    tally: Arc<Tally>,
    _held: ([OwnedFd; 2], PipeWriter),
}

impl Queue {
    /// Attaches a program to the server's interface.
    fn of(wire: &Wire) -> Self {
        wire.at_server(|| {
            let Prepared { mut interfaces } =
                Prepared::new(&[SERVER.to_owned()], &[WAY.1.parse().unwrap()]);
            let ready = interfaces.remove(0).1.unwrap();
            let Ready { interface, targets, program, map, mut sockets } = ready;
            let link = bpf::attach(&program, interface.index, Mode::Native).unwrap();
            let socket = sockets.remove(0);
            socket.bind(interface.index, 0, true).unwrap();
            bpf::put(&map, 0, &socket).unwrap();
            let terms = Terms {
                interface: interface.index,
                mtu: interface.mtu,
                response_octets: 1232,
                targets: targets.into_iter().map(|target| (target, 0)).collect(),
                own: interface.addresses,
            };
            let (end, writer) = io::pipe().unwrap();
            let tally = Arc::new(Tally::default());
            let batch = FrameBatch::new(socket, terms, end, Arc::default(), tally.clone());
            Self { batch, tally, _held: ([link, map], writer) }
        })
    }
}

#[test]
fn a_queue_without_queries_is_looked_at_now_and_then() {
    let Some(wire) = Wire::make(1500) else { return };
    let mut queue = Queue::of(&wire);
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || told.send(queue.batch.receive().unwrap()));
    assert_eq!(heard.recv_timeout(SOON), Ok(0));
}

#[test]
fn what_cannot_be_sent_now_is_sent_later() {
    let Some(wire) = Wire::make(1500) else { return };
    let mut queue = Queue::of(&wire);
    let client = wire.socket(WAY.0, WAY.1);
    client.set_read_timeout(Some(SOON)).unwrap();
    wire.send(&[frame(WAY.0, WAY.1, &[7; 12])]);
    assert_eq!(queue.batch.receive().unwrap(), 1);
    queue.batch.answer(0, 12);
    wire.set("down");
    assert_eq!(queue.batch.send(), Sent { sent: 1, errors: 1, ..Sent::default() });
    assert_eq!(queue.tally.sent.load(Ordering::Relaxed), 1);
    wire.set("up");
    let mut response = [0; 64];
    while queue.batch.receive().is_err() {}
    assert_eq!(client.recv(&mut response).unwrap(), 12);
    assert_eq!(response[..12], [7; 12]);
}
