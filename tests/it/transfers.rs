//! Transfers out, to real secondaries and real clients.

use crate::support::peers::{self, Key, Peer, PeerZone, Program};

/// A small zone of a serial.
fn text(serial: u32, address: u32) -> String {
    format!(
        "example. 300 SOA ns.example. admin.example. {serial} 3600 600 86400 300\n\
         example. 300 NS ns.example.\nns.example. 300 A 192.0.2.1\nwww.example. 300 A 192.0.2.{address}\n"
    )
}

#[test]
fn the_peers_follow_each_other() {
    if !peers::are_here(&Program::ALL) {
        return;
    }
    for primary in Program::ALL {
        let mut followers: Vec<Peer> =
            Program::ALL.into_iter().filter(|it| *it != primary).map(Peer::new).collect();
        let mut primary = Peer::new(primary);
        let told: Vec<_> = followers.iter().map(|peer| peer.address).collect();
        let own = PeerZone::primary("example.", &text(1, 1), &told).with_key(&Key::ARMADA);
        primary.serve(&[own]);
        for peer in &mut followers {
            peer.serve(&[PeerZone::secondary("example.", primary.address).with_key(&Key::ARMADA)]);
        }
        for serial in [1, 2] {
            if serial == 2 {
                primary.change("example.", &text(2, 2));
            }
            for peer in &followers {
                let took = peer.until_serial("example.", serial);
                println!("{:?} -> {:?}: {serial} after {took:?}", primary.program, peer.program);
                assert_eq!(peer.records("example."), primary.records("example."));
            }
        }
    }
}
