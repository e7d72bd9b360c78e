//! Frames that the floor turns round.

use super::super::floor::turn;
use super::super::frame::read;
use super::frames::frame;

#[test]
fn a_frame_that_was_turned_is_a_whole_response() {
    for number in 0..2000u16 {
        let mut message = [0; 12];
        [message[0], message[1]] = number.to_be_bytes();
        let mut there = frame("192.0.2.9:4000", "192.0.2.1:53", &message);
        turn(&mut there);
        let back = read(&there, 1, &[]).unwrap();
        assert_eq!(back.client, "192.0.2.1:53".parse().unwrap());
        assert_eq!(back.asked, "192.0.2.9:4000".parse().unwrap());
        assert_eq!(there[back.octets][..4], [message[0], message[1], 0x80, 0]);
    }
    turn(&mut [0; 40]);
}
