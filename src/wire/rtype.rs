//! The small numbers of DNS: types, classes, opcodes, response codes (IANA "DNS Parameters").

use std::fmt;
use std::str::FromStr;

/// Makes a number type with named constants and the mnemonics people write.
macro_rules! numbers {
    ($(#[$doc:meta])* $type:ident($repr:ty), $generic:literal, $($name:ident = $value:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $type(pub $repr);

        #[allow(missing_docs)] // The mnemonic is the documentation.
        impl $type {
            $(pub const $name: Self = Self($value);)*

            /// The registered mnemonic, if gapura knows one.
            pub fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.mnemonic() {
                    Some(text) => f.write_str(text),
                    None => write!(f, concat!($generic, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $type {
            type Err = UnknownMnemonic;

            /// Reads a mnemonic in any case, or the generic form (RFC 3597 §5).
            fn from_str(text: &str) -> Result<Self, UnknownMnemonic> {
                $(if text.eq_ignore_ascii_case(stringify!($name)) {
                    return Ok(Self($value));
                })*
                let digits = text
                    .get(..$generic.len())
                    .filter(|word| word.eq_ignore_ascii_case($generic))
                    .map(|word| &text[word.len()..])
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
                digits.and_then(|n| n.parse().ok()).map(Self).ok_or(UnknownMnemonic)
            }
        }
    };
}

numbers! {
    /// A resource record type (RFC 1035 §3.2.2 and the registry).
    Rtype(u16), "TYPE",
    A = 1, NS = 2, CNAME = 5, SOA = 6, WKS = 11, PTR = 12, HINFO = 13, MINFO = 14, MX = 15, TXT = 16,
    RP = 17, AFSDB = 18, X25 = 19, ISDN = 20, RT = 21, SIG = 24, KEY = 25, PX = 26, AAAA = 28,
    LOC = 29, NXT = 30, SRV = 33, NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, APL = 42,
    DS = 43, SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50,
    NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53, HIP = 55, CDS = 59, CDNSKEY = 60, OPENPGPKEY = 61,
    CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, DSYNC = 66, SPF = 99, NID = 104, L32 = 105,
    L64 = 106, LP = 107, EUI48 = 108, EUI64 = 109, TKEY = 249, TSIG = 250, IXFR = 251, AXFR = 252,
    MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, RESINFO = 261,
}

numbers! {
    /// A class (RFC 1035 §3.2.4). gapura's data is IN; CH names the server itself.
    Class(u16), "CLASS",
    IN = 1, CH = 3, HS = 4, NONE = 254, ANY = 255,
}

numbers! {
    /// An operation code of the header (RFC 1035 §4.1.1).
    Opcode(u8), "OPCODE",
    QUERY = 0, IQUERY = 1, STATUS = 2, NOTIFY = 4, UPDATE = 5, DSO = 6,
}

numbers! {
    /// A response code; above 15 it needs EDNS (RFC 6891 §6.1.3) or TSIG.
    Rcode(u16), "RCODE",
    NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, YXDOMAIN = 6,
    YXRRSET = 7, NXRRSET = 8, NOTAUTH = 9, NOTZONE = 10, BADVERS = 16, BADKEY = 17, BADTIME = 18,
    BADTRUNC = 22, BADCOOKIE = 23,
}

impl Rtype {
    /// Whether the number can only stand in a question or in the message itself, never in a zone:
    /// OPT, 128 to 255 as QTYPEs and meta types (RFC 6895 §3.1), and 0.
    pub fn is_meta(self) -> bool {
        self.0 == 0 || self == Self::OPT || (128..=255).contains(&self.0)
    }
}

/// The word is no mnemonic of this registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown mnemonic")]
pub struct UnknownMnemonic;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_and_generic_forms_read_back() {
        assert_eq!("aaaa".parse(), Ok(Rtype::AAAA));
        assert_eq!("TYPE65535".parse(), Ok(Rtype(65535)));
        assert_eq!("type28".parse::<Rtype>().unwrap().to_string(), "AAAA");
        assert_eq!("TYPE65536".parse::<Rtype>(), Err(UnknownMnemonic));
        assert_eq!("TYPE+1".parse::<Rtype>(), Err(UnknownMnemonic));
        assert_eq!(Rtype(1234).to_string(), "TYPE1234");
    }
}
