//! The rules of master-file text. The rules of zones are in `check`.

use super::Severity;

//------------ TextRule ------------------------------------------------------

/// A rule: its stable id and what it holds.
#[derive(Debug, Eq, PartialEq)]
pub struct TextRule {
    /// The stable id, in kebab case.
    pub id: &'static str,
    /// How bad breaking it is.
    pub severity: Severity,
    /// What it holds, in one line.
    pub meaning: &'static str,
}

/// Makes the constants and the table of a set of rules.
macro_rules! rules {
    ($(#[$doc:meta])* $table:ident: $($name:ident $severity:ident $id:literal $meaning:literal,)*) => {
        $(
            #[doc = $meaning]
            pub(super) const $name: TextRule = TextRule {
                id: $id,
                severity: rules!(@severity $severity),
                meaning: $meaning,
            };
        )*
        $(#[$doc])*
        pub const $table: &[TextRule] = &[$($name),*];
    };
    (@severity warning) => { Severity::Warning };
    (@severity $other:ident) => { Severity::Error };
}
rules! {
    /// All rules of the text.
    TEXT_RULES:
    NUL_BYTE error "nul-byte" "A NUL octet is in the file outside an escape",
    BYTE_ORDER_MARK error "byte-order-mark" "The file starts with a UTF-8 byte order mark",
    CARRIAGE_RETURN error "carriage-return" "A carriage return has no line feed behind it",
    UNCLOSED_QUOTE error "unclosed-quote" "A quoted string does not end on its line",
    QUOTE_IN_WORD error "quote-in-word" "A quote is inside or right behind a word",
    UNCLOSED_PARENTHESIS error "unclosed-parenthesis" "A parenthesis is not closed before the file ends",
    STRAY_PARENTHESIS error "stray-parenthesis" "A parenthesis is closed that was not opened",
    BAD_ESCAPE error "bad-escape" "A backslash is not followed by three digits up to 255 or a character",
    UNKNOWN_DIRECTIVE error "unknown-directive" "A line starts with a dollar sign but is no known directive",
    BAD_DIRECTIVE error "bad-directive" "A directive lacks something or has something that it cannot take",
    BAD_GENERATE error "bad-generate" "A $GENERATE line has a bad range or modifier",
    INCLUDE_OUTSIDE error "include-outside" "An included path leads out of the directory of the zone file",
    INCLUDE_CYCLE error "include-cycle" "A file includes itself, at once or over others",
    INCLUDE_UNREADABLE error "include-unreadable" "An included file cannot be read",
    LIMIT error "limit" "A file, line, include depth or number of records is over its limit",
    BAD_NAME error "bad-name" "An owner name or origin is no domain name",
    LABEL_TOO_LONG error "label-too-long" "A label has more than 63 octets",
    NAME_TOO_LONG error "name-too-long" "A name has more than 255 octets",
    NO_OWNER error "no-owner" "A record has no owner name and there is none before it",
    BAD_TTL error "bad-ttl" "A TTL is no number of seconds up to 2147483647",
    NO_TTL error "no-ttl" "A record has no TTL and there is neither $TTL nor a TTL before it",
    TTL_FROM_MINIMUM warning "ttl-from-minimum" "The SOA has no TTL and there is no $TTL: its MINIMUM is used",
    TTL_FROM_LAST warning "ttl-from-last" "A record takes the TTL of one above: it has none, there is no $TTL, and the SOA has none",
    UNKNOWN_TYPE error "unknown-type" "A record has no type, or one that is not known",
    META_TYPE error "meta-type" "A record has a type that belongs in a query or message only",
    WRONG_CLASS error "wrong-class" "A record has a class other than that of the zone, IN",
    BAD_RDATA error "bad-rdata" "The data of a record is not valid for its type",
}
