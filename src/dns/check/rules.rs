//! Every rule of a zone's meaning: its stable id, severity, meaning and remedy.

use crate::master::{Severity, TEXT_RULES};
use crate::text::append_line;

/// How bad a fault of a rule is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// Refused, always.
    Error,
    /// Refused, unless the zone is checked leniently.
    Strict,
    /// Reported.
    Warning,
}

/// Makes the enum and its table, so that a rule without words cannot exist.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $id:literal $weight:ident $about:literal $hint:literal,)*) => {
        /// A rule. Ids are stable: they are in settings, logs and other people's scripts.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[allow(missing_docs)] // `about` is the documentation.
        pub enum ZoneRule { $($name,)* }

        impl ZoneRule {
            /// All rules, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable id.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What the rule says, one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// What to do about a fault.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }

            /// How bad a fault is.
            pub(super) fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)* }
            }
        }
    };
}

rules! {
    //--- The zone as a whole
    NoSoa "no-soa" Error "the zone has a SOA record at its apex (RFC 1035 section 5.2)"
        "add one SOA record at @",
    TwoSoas "two-soas" Error "the zone has only one SOA record"
        "keep one of them",
    SoaBelowApex "soa-below-apex" Error "a SOA record is at the apex only"
        "remove it, or check the owner name and $ORIGIN",
    NoNs "no-ns" Error "the apex has NS records (RFC 1035 section 5.2)"
        "add the name servers of the zone at @",
    OutOfZone "out-of-zone" Error "every record is at or below the apex"
        "a name without a final dot is completed with $ORIGIN; check both",
    WrongClass "wrong-class" Error "every record is of class IN"
        "write IN, or leave the class out",
    MetaType "meta-type" Error "types for queries and messages are not in a zone (RFC 6895 section 3.1)"
        "remove the record",
    //--- Names
    CnameOtherData "cname-other-data" Error "a name with a CNAME has no other data (RFC 2181 section 10.1)"
        "remove the CNAME, or move the other data to the name it points to",
    TwoCnames "two-cnames" Error "a name has at most one CNAME record"
        "keep one of them",
    TwoDnames "two-dnames" Error "a name has at most one DNAME record (RFC 6672 section 2.4)"
        "keep one of them",
    BelowDname "below-dname" Error "there is no data below a DNAME (RFC 6672 section 2.4)"
        "remove the data, or the DNAME above it",
    TypesTooMany "types-too-many" Error "a name has at most 1,000 types"
        "split it over several names: an answer looks through the types of a name",
    RrsetTooLarge "rrset-too-large" Error "an RRset fits into a message of 64 KiB"
        "split it over several names",
    //--- Delegation
    NsTargetCname "ns-target-cname" Strict "a name server is not an alias (RFC 2181 section 10.3)"
        "name the host itself",
    NsTargetNoAddress "ns-target-no-address" Strict "a name server inside the zone has an address"
        "add its A or AAAA record",
    GlueMissing "glue-missing" Strict "a name server below its own delegation has glue (RFC 9471)"
        "add the A or AAAA record of the name server to this zone",
    DsNotAtCut "ds-not-at-cut" Strict "a DS record is at a zone cut (RFC 4034 section 5)"
        "add the NS records of the delegation, or remove the DS",
    NsBesideDname "ns-beside-dname" Strict "NS and DNAME do not stand together below the apex (RFC 6672 section 2.3)"
        "keep one of them",
    Occluded "occluded" Warning "below a delegation only glue is of use"
        "the delegated servers answer for this name; remove it here",
    WildcardNs "wildcard-ns" Warning "NS and DNAME at a wildcard are undefined (RFC 4592 section 4)"
        "BIND refuses such a zone as a secondary; list the names",
    //--- Where records point
    CnameTargetMissing "cname-target-missing" Warning "the target of a CNAME exists, if it is in the zone"
        "add the target, or correct it; a final dot may be missing",
    AliasLoop "alias-loop" Warning "an alias (CNAME, DNAME, SVCB or HTTPS of priority 0) does not lead back to its own name"
        "name the host that answers; resolvers give up on a loop",
    TargetMissing "target-missing" Warning "the host of MX, SRV, SVCB or HTTPS exists, if it is in the zone"
        "add its address, or correct the name; a final dot may be missing",
    TargetCname "target-cname" Warning "the host of MX, SRV, SVCB or HTTPS is not an alias (RFC 2181 section 10.3)"
        "name the host itself",
    TargetIsAddress "target-is-address" Warning "a name is not an address"
        "write the name of the host; addresses stand in A and AAAA records only",
    //--- Values
    Duplicate "duplicate-record" Warning "no record is repeated"
        "remove the second one; it is kept once",
    TtlDiffers "ttl-differs" Warning "the records of an RRset have one TTL (RFC 2181 section 5.2)"
        "give all the same TTL; the lowest is used",
    RrsetLarge "rrset-large" Warning "an RRset has at most 100 records"
        "large RRsets cost every resolver; split it over several names",
    TtlZero "ttl-zero" Warning "a TTL is not 0"
        "give at least some seconds, or resolvers ask every time",
    TtlLong "ttl-long" Warning "a TTL is at most a week"
        "a mistake would stay in caches that long",
    SoaTimers "soa-timers" Warning "the timers of the SOA fit each other (RFC 1912 section 2.2)"
        "retry below refresh, expire well above both, at least a week",
    MinimumLong "minimum-long" Warning "the SOA's MINIMUM is at most a day (RFC 2308 section 5)"
        "a name that was asked for too early stays unknown that long",
    OwnerNotHost "owner-not-host" Warning "the owner of A, AAAA or MX is a host name (RFC 1123 section 2.1)"
        "use letters, digits and hyphens",
    SpfType "spf-type" Warning "SPF is published as TXT (RFC 7208 section 3.1)"
        "write it as a TXT record; nobody asks for type SPF",
    AtSign "at-sign" Warning "no owner name and no RNAME has an @ in it"
        "the @ of a mail address is a dot in RNAME; @ alone, without a dot behind it, is the origin",
    CaaTag "caa-tag" Warning "the tag of a CAA record is registered (RFC 8659 section 4)"
        "issue, issuewild, iodef, issuemail, issuevmc, contactemail, contactphone",
    //--- Signed zones
    ZonemdWrong "zonemd-wrong" Error "the ZONEMD digest is that of the zone (RFC 8976)"
        "the file is damaged, or was edited after the digest was made: make it anew",
    ZonemdScheme "zonemd-scheme" Warning "the ZONEMD record is of a known scheme and hash"
        "use SIMPLE (1) with SHA-384 (1)",
    ZonemdTwice "zonemd-twice" Warning "there is one ZONEMD of each scheme and hash (RFC 8976 section 2.2)"
        "keep one of them; nobody verifies either as it is",
    SignatureMissing "signature-missing" Error "every authoritative RRset of a signed zone has a signature"
        "sign the zone again",
    SignatureExpired "signature-expired" Error "every RRset has a signature that is valid at this time"
        "sign the zone again; check the clock of this machine",
    SignatureBogus "signature-bogus" Error "every signature verifies (the first 2,000 are computed)"
        "the data was changed after it was signed: sign the zone again",
    SignatureOrphan "signature-orphan" Warning "a signature covers an RRset that is there"
        "sign the zone again",
    SignatureSoon "signature-soon" Warning "no signature ends within the SOA's refresh time"
        "sign the zone again soon",
    SignatureKey "signature-key" Error "every RRset has a signature by a DNSKEY of the zone (RFC 6840 section 5.11)"
        "publish the DNSKEY, or sign again",
    KeyMismatch "key-mismatch" Error "DS, CDS and CDNSKEY at the apex stand for a DNSKEY (RFC 7344 section 4.1)"
        "make them anew from the key, or publish the key",
    KeySize "key-size" Warning "RSA keys have 1,024 to 8,192 bits; signatures by others are not verified"
        "roll to ECDSAP256SHA256 (13); short RSA keys are broken and refused by many resolvers",
    CdsDiffers "cds-differs" Error "CDS and CDNSKEY name the same keys (RFC 7344 section 4)"
        "make both from the same DNSKEYs, or leave one of the types out",
    CdsDelete "cds-delete" Error "the delete form is CDS 0 0 0 00 or CDNSKEY 0 3 0 AA==, and alone (RFC 8078 section 4)"
        "write it so, and take out the records that name keys; or take the delete form out",
    NsecChain "nsec-chain" Error "the NSEC chain is whole (RFC 4035 section 2.3)"
        "sign the zone again",
    Nsec3Chain "nsec3-chain" Error "the NSEC3 chain is whole (RFC 5155 section 7.1)"
        "sign the zone again",
    Nsec3Owner "nsec3-owner" Error "the owner of an NSEC3 is a hash of 32 signs right below the apex (RFC 5155 section 3)"
        "sign the zone again",
    Nsec3Iterations "nsec3-iterations" Warning "NSEC3 uses no extra iterations (RFC 9276)"
        "sign with 0 iterations and an empty salt",
}

impl ZoneRule {
    /// Whether the rule is about something that is not there. It is only judged when every record
    /// could be read: what seems to be missing may be in a line at fault.
    pub fn is_about_absence(self) -> bool {
        matches!(
            self,
            Self::NoSoa
                | Self::NoNs
                | Self::NsTargetNoAddress
                | Self::GlueMissing
                | Self::DsNotAtCut
                | Self::CnameTargetMissing
                | Self::TargetMissing
                | Self::ZonemdWrong
                | Self::SignatureMissing
                | Self::SignatureOrphan
                | Self::SignatureBogus
                | Self::SignatureKey
                | Self::KeyMismatch
                | Self::NsecChain
                | Self::Nsec3Chain
        )
    }

    /// Whether a zone that was transferred is held to the rule: without it the zone could not be answered
    /// from, or is not what its primary sent. What its signer or its owner should mend is only told.
    pub fn binds_transfers(self) -> bool {
        matches!(
            self,
            Self::NoSoa
                | Self::TwoSoas
                | Self::SoaBelowApex
                | Self::NoNs
                | Self::OutOfZone
                | Self::WrongClass
                | Self::MetaType
                | Self::CnameOtherData
                | Self::TwoCnames
                | Self::TwoDnames
                | Self::TypesTooMany
                | Self::RrsetTooLarge
                | Self::ZonemdWrong
        )
    }

    /// The severity of a fault under a level.
    pub(super) fn severity(self, strict: bool, raised: bool) -> Severity {
        match self.weight() {
            Weight::Error => Severity::Error,
            Weight::Strict if strict || raised => Severity::Error,
            Weight::Warning if raised => Severity::Error,
            Weight::Strict | Weight::Warning => Severity::Warning,
        }
    }
}

//------------ The manual ----------------------------------------------------

/// A line of the manual: id, severity, what the rule says.
pub type Line = (&'static str, &'static str, &'static str);

/// Every rule, those of the text first.
pub fn rules() -> impl Iterator<Item = Line> {
    let severity = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = TEXT_RULES.iter().map(move |rule| (rule.id, severity(rule.severity), rule.meaning));
    let zone = ZoneRule::ALL.iter().map(|rule| {
        let severity = match rule.weight() {
            Weight::Error => "error",
            Weight::Strict => "error, a warning if lenient",
            Weight::Warning => "warning",
        };
        (rule.id(), severity, rule.about())
    });
    text.chain(zone)
}

/// Every rule as a table in Markdown, for the manual.
pub fn rules_as_table() -> String {
    let mut text = String::from("| rule | severity | what it says |\n|---|---|---|\n");
    for (id, severity, about) in rules() {
        append_line!(text, "| `{id}` | {severity} | {about} |");
    }
    text
}
