//! The small numbers of DNS: types, classes, opcodes, response codes (IANA "DNS Parameters").

use std::fmt;
use std::str::FromStr;

use super::rdata::{Field, Rare};

/// The mnemonic of a constant: its name, unless that is no identifier and stands behind it.
macro_rules! mnemonic {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $text:literal) => {
        $text
    };
}

/// Makes a number type with named constants and the mnemonics people write.
macro_rules! numbers {
    (
        $(#[$doc:meta])* $type:ident($repr:ty), $generic:literal,
        $($name:ident $($text:literal)? = $value:literal),* $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $type(pub $repr);

        #[allow(missing_docs)] // The mnemonic is the documentation.
        impl $type {
            $(pub const $name: Self = Self($value);)*

            /// The registered mnemonic, if gapura knows one.
            pub fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(mnemonic!($name $($text)?)),)*
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
                $(if text.eq_ignore_ascii_case(mnemonic!($name $($text)?)) {
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

/// Makes the record types: number, mnemonic and, after a colon, the fields of the RDATA.
macro_rules! types {
    ($($name:ident $($text:literal)? = $number:literal $(: $($field:ident $(($rare:ident))?)+)?,)*) => {
        numbers! {
            /// A resource record type (RFC 1035 §3.2.2 and the registry).
            Rtype(u16), "TYPE", $($name $($text)? = $number,)*
        }

        impl Rtype {
            /// The fields of the type's RDATA, in the order of the wire, which is that of text; `None`
            /// if its RDATA is opaque.
            pub(super) fn fields(self) -> Option<&'static [Field]> {
                match self {
                    $($(Self::$name => Some(&[$(Field::$field $((Rare::$rare))?),+]),)?)*
                    _ => None,
                }
            }
        }
    };
}

// Every type of the registry. To add one, add a line; a new kind of field is a variant in `rdata/fields.rs`, and the
// compiler names the rest. What no list of fields can express is in `rdata/whole.rs`.
types! {
    A = 1: V4,
    NS = 2: Name,
    MD = 3: Name,
    MF = 4: Name,
    CNAME = 5: Name,
    SOA = 6: Name Name U32 Period Period Period Period,
    MB = 7: Name,
    MG = 8: Name,
    MR = 9: Name,
    NULL = 10,
    WKS = 11: Rare(Wks),
    PTR = 12: Name,
    HINFO = 13: String String,
    MINFO = 14: Name Name,
    MX = 15: U16 Name,
    TXT = 16: Strings,
    RP = 17: Name Name,
    AFSDB = 18: U16 Name,
    X25 = 19: String,
    ISDN = 20: Strings,
    RT = 21: U16 Name,
    NSAP = 22: Rare(Nsap),
    NSAP_PTR "NSAP-PTR" = 23: Name,
    SIG = 24: Type Algorithm U8 Period Time Time U16 Name Base64,
    KEY = 25: U16 U8 Algorithm Base64OrNone,
    PX = 26: U16 Name Name,
    GPOS = 27: String String String,
    AAAA = 28: V6,
    LOC = 29: Loc,
    NXT = 30: Name Rare(OldTypes),
    EID = 31: Hex,
    NIMLOC = 32: Hex,
    SRV = 33: U16 U16 U16 Name,
    ATMA = 34: Rare(Atma),
    NAPTR = 35: U16 U16 String String String Name,
    KX = 36: U16 Name,
    CERT = 37: CertType U16 Algorithm Base64,
    A6 = 38: Rare(A6),
    DNAME = 39: Name,
    SINK = 40: U8 U8 U8 Base64OrNone,
    OPT = 41,
    APL = 42: Apl,
    DS = 43: U16 Algorithm U8 Hex,
    SSHFP = 44: U8 U8 Hex,
    IPSECKEY = 45: U8 Gateway Base64OrNone,
    RRSIG = 46: Type Algorithm U8 Period Time Time U16 Name Base64,
    NSEC = 47: NameKept Types,
    DNSKEY = 48: U16 U8 Algorithm Base64,
    DHCID = 49: Base64,
    NSEC3 = 50: U8 U8 U16 Salt Hash TypesOrNone,
    NSEC3PARAM = 51: U8 U8 U16 Salt,
    TLSA = 52: U8 U8 U8 Hex,
    SMIMEA = 53: U8 U8 U8 Hex,
    HIP = 55: Rare(Hip),
    NINFO = 56: Strings,
    RKEY = 57: U16 U8 Algorithm Base64,
    TALINK = 58: NameKept NameKept,
    CDS = 59: U16 Algorithm U8 Hex,
    CDNSKEY = 60: U16 U8 Algorithm Base64,
    OPENPGPKEY = 61: Base64,
    CSYNC = 62: U32 U16 TypesOrNone,
    ZONEMD = 63: U32 U8 U8 Hex,
    SVCB = 64: U16 NameKept Params,
    HTTPS = 65: U16 NameKept Params,
    DSYNC = 66: Type Scheme U16 NameKept,
    HHIT = 67: Base64,
    BRID = 68: Base64,
    SPF = 99: Strings,
    UINFO = 100,
    UID = 101,
    GID = 102,
    UNSPEC = 103,
    NID = 104: U16 Groups64,
    L32 = 105: U16 V4,
    L64 = 106: U16 Groups64,
    LP = 107: U16 NameKept,
    EUI48 = 108: Eui48,
    EUI64 = 109: Eui64,
    NXNAME = 128,
    TKEY = 249,
    TSIG = 250,
    IXFR = 251,
    AXFR = 252,
    MAILB = 253,
    MAILA = 254,
    ANY = 255,
    // RFC 7553 §4.4: the target has a length above zero.
    URI = 256: U16 U16 TextNotEmpty,
    CAA = 257: U8 Tag Text,
    AVC = 258: Strings,
    DOA = 259: Rare(Doa),
    AMTRELAY = 260: U8 Rare(Relay),
    RESINFO = 261: Strings,
    WALLET = 262: Strings,
    CLA = 263: Strings,
    IPN = 264,
    TA = 32768: U16 Algorithm U8 Hex,
    DLV = 32769: U16 Algorithm U8 Hex,
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
    /// How zone files write the type for whoever reads them: the mnemonic where BIND, NSD and Knot know it
    /// and agree on the text of its data, `TYPEnnn` else (RFC 3597 §5).
    pub fn portable(self) -> Portable {
        Portable(self)
    }

    /// Whether BIND 9.18, NSD 4.6 and Knot 3.2 know mnemonic and text of the type.
    pub(super) fn is_portable(self) -> bool {
        matches!(
            self.0,
            1..=2 | 5..=6 | 12..=18 | 21 | 28..=29 | 33 | 35..=37 | 39 | 42..=53 | 59..=65
                | 99 | 104..=109 | 256..=257
        )
    }

    /// Whether the number can only occur in a question or in the message itself, never in a zone:
    /// OPT, 128 to 255 as QTYPEs and meta types (RFC 6895 §3.1), and 0.
    pub fn is_meta(self) -> bool {
        self.0 == 0 || self == Self::OPT || (128..=255).contains(&self.0)
    }
}

/// A type as zone files write it, see [`Rtype::portable`].
#[derive(Clone, Copy, Debug)]
pub struct Portable(Rtype);

impl fmt::Display for Portable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_portable() { self.0.fmt(f) } else { write!(f, "TYPE{}", self.0.0) }
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
        assert_eq!("nsap-ptr".parse(), Ok(Rtype::NSAP_PTR));
        assert_eq!(Rtype(260).to_string(), "AMTRELAY");
        assert_eq!(Rtype(260).portable().to_string(), "TYPE260");
    }
}
