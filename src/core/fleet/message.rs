//! The two messages that secondaries are sent: NOTIFY (RFC 1996) and the question for their SOA record. And
//! what their responses say.

use super::link::Outgoing;
use crate::dns_client::question;
use crate::wire::header::FLAG_AA;
use crate::wire::{Class, HEADER_OCTETS, Name, Opcode, Rcode, Record, Response, Rtype, Writer};
use crate::zone::Zone;

/// Enough for a question and an SOA record of the longest names.
const OCTETS_MAX: usize = 1_232;

/// A NOTIFY for a zone, with its SOA record as a hint (RFC 1996 §3.7).
pub(super) fn notify(id: u16, zone: &Zone) -> Vec<u8> {
    let mut message = vec![0; OCTETS_MAX];
    let Some(mut writer) = Writer::new(&mut message, OCTETS_MAX) else { return Vec::new() };
    let apex = zone.apex();
    // There is room for the longest name.
    let _ = writer.put(apex.wire()) && writer.put_u16(Rtype::SOA.0) && writer.put_u16(Class::IN.0);
    let behind_question = writer.len();
    let soa = zone.apex_node().rrset(Rtype::SOA).is_some_and(|soa| {
        let rdata = soa.first();
        // At most two names and five numbers.
        let octets = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
        writer.put_pointer(HEADER_OCTETS as u16)
            && writer.put_fixed(Rtype::SOA, Class::IN, soa.ttl(), octets)
            && writer.put(rdata)
    });
    if !soa {
        // Only a hint: without it the secondary asks.
        writer.rewind(behind_question);
    }
    let flags = u16::from(Opcode::NOTIFY.0) << 11 | FLAG_AA;
    let octets = writer.finish(id, flags, [1, u16::from(soa), 0, 0]);
    message.truncate(octets);
    message
}

/// The question for the SOA record of a zone.
pub(super) fn look(id: u16, apex: &Name) -> Vec<u8> {
    question(id, 0, apex.as_ref(), Rtype::SOA, [0; 2])
}

/// The response code of the response to a NOTIFY.
pub(super) fn rcode(response: &[u8]) -> Result<Rcode, String> {
    let response = Response::read(response).map_err(|error| error.to_string())?;
    Ok(response.rcode)
}

/// The serial of a zone in the response to a look, or why there is none.
pub(super) fn serial(response: &[u8], apex: &Name) -> Result<u32, String> {
    let response = Response::read(response).map_err(|error| error.to_string())?;
    if response.rcode != Rcode::NOERROR {
        return Err(format!("it answers the question for SOA with {}", response.rcode));
    }
    if !response.is_authoritative() {
        return Err("it does not answer with authority for the zone".to_owned());
    }
    let is_of_zone = |record: &&Record| record.owner == *apex && record.class == Class::IN;
    let serial = response.answer.iter().filter(is_of_zone).find_map(Record::serial);
    serial.ok_or_else(|| "its answer has no SOA record of the zone".to_owned())
}

/// Whether a response over UDP, verified, is the last word. A bad signature is not: anybody may have sent it. Nor
/// is a refusal to say the serial: Knot answers for a catalog that it makes over connections only.
pub(super) fn is_final<E>(outgoing: Outgoing, verified: &Result<Vec<u8>, E>) -> bool {
    let is_refused =
        |response: &Vec<u8>| outgoing == Outgoing::Look && rcode(response) == Ok(Rcode::REFUSED);
    verified.as_ref().is_ok_and(|response| !is_refused(response))
}

/// Whether a response was cut to fit (TC).
pub(super) fn is_cut(response: &[u8]) -> bool {
    Response::read(response).is_ok_and(|response| response.is_truncated())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{name, publisher};
    use crate::wire::Query;

    #[test]
    fn a_notify_reads_as_one() {
        let (_directory, publisher) = publisher();
        let zone = publisher.zone(&name("example.")).unwrap();
        let message = notify(7, &zone);
        let query = Query::read(&message).unwrap();
        assert!(!query.malformed);
        assert_eq!((query.header.id, query.header.opcode()), (7, Opcode::NOTIFY));
        assert_eq!(query.header.flags & FLAG_AA, FLAG_AA);
        assert_eq!(query.answer_serial, Some(10));
        let question = query.question.unwrap();
        assert_eq!((question.rtype, question.class), (Rtype::SOA, Class::IN));
        let read = hickory_proto::op::Message::from_vec(&message).unwrap();
        assert_eq!((read.queries.len(), read.answers.len()), (1, 1));
        let apex = name("example.");
        let message = look(8, &apex);
        assert_eq!(Query::read(&message).unwrap().header.opcode(), Opcode::QUERY);
    }

    #[test]
    fn the_serial_is_that_of_the_zone_and_of_no_other() {
        let (_directory, publisher) = publisher();
        let mut response = notify(7, &publisher.zone(&name("example.")).unwrap());
        // A response with authority.
        response[2] = 0x84;
        assert_eq!(serial(&response, &name("Example.")), Ok(10));
        assert!(serial(&response, &name("a.example.")).unwrap_err().contains("of the zone"));
        response[2] = 0x80;
        assert!(serial(&response, &name("example.")).unwrap_err().contains("authority"));
    }
}
