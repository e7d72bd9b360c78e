//! Differences between versions of a zone as commands print them: one changed record per line. Changes of signatures and
//! denial records are only counted, unless they are asked for.

use crate::master::print_record;
use crate::sign::is_proof;
use crate::text::append_line;
use crate::zone::Delta;

/// Records removed and added, one per line, and how many signatures and denial records changed with them; with
/// `proofs` these are listed too.
pub(super) fn delta_text(delta: &Delta, proofs: bool) -> String {
    let (mut text, mut left_out) = (String::new(), [0_usize; 2]);
    let sides = [('-', &delta.removed), ('+', &delta.added)];
    for ((sign, records), left_out) in sides.into_iter().zip(&mut left_out) {
        for record in records {
            if proofs || !is_proof(record.rtype) {
                append_line!(text, "{sign} {}", print_record(record.as_ref()).trim_end());
            } else {
                *left_out += 1;
            }
        }
    }
    if let [removed, added] = left_out
        && removed + added > 0
    {
        append_line!(text, "; signatures and proofs: +{added} -{removed}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Class, Record, Rtype};

    #[test]
    fn an_officer_sees_a_record_and_not_its_proofs() {
        let record = |rtype, rdata: &[u8]| Record {
            owner: "www.example.".parse().unwrap(),
            rtype,
            class: Class::IN,
            ttl: 60,
            rdata: rdata.into(),
        };
        let delta = Delta {
            removed: vec![record(Rtype::NSEC, &[0, 0, 1, 0x40])],
            added: vec![
                record(Rtype::A, &[192, 0, 2, 1]),
                record(Rtype::NSEC, &[0, 0, 1, 0x40]),
                record(Rtype::RRSIG, &[0; 24]),
            ],
        };
        assert_eq!(
            delta_text(&delta, false),
            "+ www.example. 60 IN A 192.0.2.1\n; signatures and proofs: +2 -1\n"
        );
        let all = delta_text(&delta, true);
        assert_eq!((all.lines().count(), all.contains(';')), (4, false), "{all}");
        let plain = Delta { removed: Vec::new(), added: vec![record(Rtype::A, &[192, 0, 2, 1])] };
        assert_eq!(delta_text(&plain, false), "+ www.example. 60 IN A 192.0.2.1\n");
    }
}
