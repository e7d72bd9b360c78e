//! Rules of RDATA that no single field can hold.

use super::{RdataError, svcb};
use crate::wire::Rtype;

/// Checks what only the fields together show: lengths of known digests, parameters of a service.
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
        // RFC 8976 §5.2, §5.3: what is private has any length; all else at least 12 octets (§2.2.4).
        Rtype::ZONEMD if rdata[4..6].iter().any(|number| (240..=254).contains(number)) => Ok(()),
        Rtype::ZONEMD if rdata.len() < 6 + 12 => Err(RdataError::Length),
        Rtype::ZONEMD => digest(5, 6, &[(1, 48), (2, 64)]),
        Rtype::NSEC3 => nsec3(rdata),
        Rtype::SVCB | Rtype::HTTPS => svcb::check_rdata(rdata),
        _ => Ok(()),
    }
}

/// The next hash has as many octets as its algorithm makes (RFC 5155 §3.1.7): of SHA-1 there are 20.
fn nsec3(rdata: &[u8]) -> Result<(), RdataError> {
    let [algorithm, _, _, _, salt, rest @ ..] = rdata else { return Err(RdataError::Cut) };
    let octets = rest.get(usize::from(*salt)).ok_or(RdataError::Cut)?;
    if *algorithm == 1 && *octets != 20 { Err(RdataError::Hash) } else { Ok(()) }
}
