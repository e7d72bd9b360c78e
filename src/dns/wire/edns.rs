//! EDNS(0): the OPT pseudo-record and its options (RFC 6891).
//!
//! One pass over the options notes what a server reacts to; everything else is skipped, as RFC 6891
//! §6.1.2 wants. `answer` interprets the options.

/// Option codes of the IANA registry that gapura reads or writes.
pub mod option {
    /// Name server identifier (RFC 5001).
    pub const NSID: u16 = 3;
    /// Time until a secondary's copy expires (RFC 7314).
    pub const EXPIRE: u16 = 9;
    /// DNS cookie (RFC 7873, RFC 9018).
    pub const COOKIE: u16 = 10;
    /// Idle timeout of a stream (RFC 7828).
    pub const KEEPALIVE: u16 = 11;
    /// Padding (RFC 7830).
    pub const PADDING: u16 = 12;
    /// Extended DNS error (RFC 8914).
    pub const EXTENDED_ERROR: u16 = 15;
    /// Error reporting agent (RFC 9567).
    pub const REPORT_CHANNEL: u16 = 18;
    /// Version of the zone that answered (RFC 9660).
    pub const ZONE_VERSION: u16 = 19;
}

//------------ Edns ----------------------------------------------------------

/// The OPT record of a query.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Edns<'a> {
    /// The UDP payload the sender can take.
    pub udp_size: u16,
    /// The EDNS version; only 0 exists.
    pub version: u8,
    /// The DO bit: the sender wants DNSSEC records (RFC 3225).
    pub dnssec_ok: bool,
    /// The payload of the first COOKIE option; its length is not judged here.
    pub cookie: Option<&'a [u8]>,
    /// NSID was asked for.
    pub nsid: bool,
    /// EXPIRE was asked for.
    pub expire: bool,
    /// ZONEVERSION was asked for.
    pub zone_version: bool,
    /// TCP keepalive was asked for.
    pub keepalive: bool,
    /// Padding was sent, so the response may be padded.
    pub padding: bool,
}

impl<'a> Edns<'a> {
    /// Reads an OPT record from its CLASS, TTL and RDATA; `None` in the second place if the options
    /// do not fill the RDATA exactly.
    pub fn read(class: u16, ttl: u32, rdata: &'a [u8]) -> (Self, Option<()>) {
        let mut edns = Self {
            udp_size: class,
            version: (ttl >> 16) as u8,
            dnssec_ok: ttl & 0x8000 != 0,
            ..Self::default()
        };
        let whole = edns.read_options(rdata);
        (edns, whole)
    }

    /// Notes the options; `None` where one runs past the end.
    fn read_options(&mut self, mut rest: &'a [u8]) -> Option<()> {
        while !rest.is_empty() {
            let head = rest.first_chunk::<4>()?;
            let code = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let payload = rest.get(4..4 + length)?;
            rest = &rest[4 + length..];
            match code {
                option::COOKIE if self.cookie.is_none() => self.cookie = Some(payload),
                option::NSID => self.nsid = true,
                option::EXPIRE => self.expire = true,
                option::ZONE_VERSION => self.zone_version = true,
                option::KEEPALIVE => self.keepalive = true,
                option::PADDING => self.padding = true,
                _ => {}
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_noted_and_unknown_ones_skipped() {
        let rdata = [0, 100, 0, 2, 1, 2, 0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        let (edns, whole) = Edns::read(1232, 0x0000_8000, &rdata);
        assert_eq!(whole, Some(()));
        assert!(edns.nsid && edns.dnssec_ok && !edns.padding);
        assert_eq!(edns.cookie, Some(&[1, 2, 3, 4, 5, 6, 7, 8][..]));
    }

    #[test]
    fn an_option_past_the_end_is_told() {
        assert_eq!(Edns::read(512, 0, &[0, 3, 0, 1]).1, None);
        assert_eq!(Edns::read(512, 0, &[0, 3, 0]).1, None);
    }
}
