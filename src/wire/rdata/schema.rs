//! The table: which fields the RDATA of a type has, in the order of the wire, which is that of text.

use super::fields::Field::{self, *};
use super::{RdataError, svcb};
use crate::wire::Rtype;

/// The fields of a type; `None` if its RDATA is opaque.
pub(super) fn of(rtype: Rtype) -> Option<&'static [Field]> {
    Some(match rtype {
        //--- RFC 1035 and its neighbours
        Rtype::A => &[V4],
        Rtype::AAAA => &[V6],
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME => &[Name],
        Rtype::SOA => &[Name, Name, U32, Period, Period, Period, Period],
        Rtype::MX | Rtype::AFSDB | Rtype::KX | Rtype::RT => &[U16, Name],
        Rtype::TXT | Rtype::SPF | Rtype::RESINFO | Rtype::ISDN => &[Strings],
        Rtype::HINFO => &[String, String],
        Rtype::X25 => &[String],
        Rtype::MINFO | Rtype::RP => &[Name, Name],
        Rtype::PX => &[U16, Name, Name],
        Rtype::SRV => &[U16, U16, U16, Name],
        Rtype::NAPTR => &[U16, U16, String, String, String, Name],
        Rtype::LOC => &[Loc],
        Rtype::APL => &[Apl],
        // RFC 7553 section 4.4: the target has a length above zero.
        Rtype::URI => &[U16, U16, TextNotEmpty],
        Rtype::CAA => &[U8, Tag, Text],
        Rtype::SVCB | Rtype::HTTPS => &[U16, NameKept, Params],
        Rtype::EUI48 => &[Eui48],
        Rtype::EUI64 => &[Eui64],
        Rtype::NID | Rtype::L64 => &[U16, Groups64],
        Rtype::L32 => &[U16, V4],
        Rtype::LP => &[U16, NameKept],
        //--- Keys and certificates
        Rtype::CERT => &[CertType, U16, Algorithm, Base64],
        Rtype::SSHFP => &[U8, U8, Hex],
        Rtype::IPSECKEY => &[U8, Gateway, Base64OrNone],
        Rtype::DHCID | Rtype::OPENPGPKEY => &[Base64],
        Rtype::TLSA | Rtype::SMIMEA => &[U8, U8, U8, Hex],
        //--- DNSSEC and what looks after a zone
        Rtype::DS | Rtype::CDS => &[U16, Algorithm, U8, Hex],
        Rtype::DNSKEY | Rtype::CDNSKEY => &[U16, U8, Algorithm, Base64],
        Rtype::RRSIG => &[Type, Algorithm, U8, Period, Time, Time, U16, Name, Base64],
        Rtype::NSEC => &[NameKept, Types],
        Rtype::NSEC3 => &[U8, U8, U16, Salt, Hash, TypesOrNone],
        Rtype::NSEC3PARAM => &[U8, U8, U16, Salt],
        Rtype::CSYNC => &[U32, U16, TypesOrNone],
        Rtype::ZONEMD => &[U32, U8, U8, Hex],
        Rtype::DSYNC => &[Type, Scheme, U16, NameKept],
        _ => return None,
    })
}

/// What only the fields together can show: lengths of known digests, parameters of a service.
/// The fields themselves are known to be valid.
pub(super) fn check_whole(rtype: Rtype, rdata: &[u8]) -> Result<(), RdataError> {
    let digest = |kind_at: usize, head: usize, known: &[(u8, usize)]| {
        let octets = rdata.len().saturating_sub(head);
        match known.iter().find(|(kind, _)| rdata.get(kind_at) == Some(kind)) {
            Some((_, expected)) if *expected != octets => Err(RdataError::Length),
            _ => Ok(()),
        }
    };
    match rtype {
        // RFC 4034 §5.1.4, RFC 4509, RFC 6605; the delete form has digest type 0 (RFC 8078 §4).
        Rtype::DS | Rtype::CDS => digest(3, 4, &[(1, 20), (2, 32), (4, 48)]),
        // RFC 4255 §3.1.2, RFC 6594.
        Rtype::SSHFP => digest(1, 2, &[(1, 20), (2, 32)]),
        // RFC 8976 §2.2.3: at least 12 octets, whatever the algorithm.
        Rtype::ZONEMD if rdata.len() < 6 + 12 => Err(RdataError::Length),
        Rtype::ZONEMD => digest(5, 6, &[(1, 48), (2, 64)]),
        // RFC 4025 §2.6: without a key there is no algorithm.
        Rtype::IPSECKEY => Ok(()),
        Rtype::SVCB | Rtype::HTTPS => svcb::check_rdata(rdata),
        _ => Ok(()),
    }
}
