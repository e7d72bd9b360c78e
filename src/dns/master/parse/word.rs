//! The words of a record in front of its data: TTL, class and type in any order; and words alone.

use super::Problem;
use crate::master::rule;
use crate::wire::rdata::{Token, shown, ttl_from_text};
use crate::wire::{Class, NameError, Rtype, TTL_MAX};

/// Reads TTL and class in either order, and the type. Returns the index of the first word of data.
pub(super) fn head(
    tokens: &[Token<'_>],
    first: usize,
) -> Result<(Option<u32>, Rtype, usize), Problem> {
    let (mut found_ttl, mut found_class) = (None, false);
    let mut at = first;
    loop {
        let Some(token) = tokens.get(at).copied() else {
            let problem = Problem::new(&rule::UNKNOWN_TYPE, at, "the record has no type");
            return Err(problem.hint("a record is: owner [TTL] [class] type data"));
        };
        if !token.quoted {
            if let Some(rtype) = common_type(token.text) {
                return Ok((found_ttl, rtype, at + 1));
            }
            if found_ttl.is_none() && token.text[0].is_ascii_digit() {
                found_ttl = Some(ttl(at, token)?);
                at += 1;
                continue;
            }
            if let Some(class) = std::str::from_utf8(token.text).ok().and_then(class_of)
                && !found_class
            {
                if class != Class::IN {
                    let message = format!("the class is {class}, that of the zone is IN");
                    return Err(Problem::new(&rule::WRONG_CLASS, at, message));
                }
                found_class = true;
                at += 1;
                continue;
            }
            if let Some(rtype) = std::str::from_utf8(token.text).ok().and_then(|t| t.parse().ok()) {
                return usable_type(rtype, at).map(|rtype| (found_ttl, rtype, at + 1));
            }
        }
        let message = format!("{} is not a record type", shown(token.text));
        let problem = Problem::new(&rule::UNKNOWN_TYPE, at, message);
        return Err(problem.hint("a record is: owner [TTL] [class] type data"));
    }
}

/// A class mnemonic. ANY and NONE are no classes of data and `ANY` is also a type, for which there is a better message.
pub(super) fn class_of(text: &str) -> Option<Class> {
    text.parse().ok().filter(|class| !matches!(*class, Class::ANY | Class::NONE))
}

/// The types that fill zones, found without a search.
pub(super) fn common_type(text: &[u8]) -> Option<Rtype> {
    match text {
        b"A" => Some(Rtype::A),
        b"AAAA" => Some(Rtype::AAAA),
        b"CNAME" => Some(Rtype::CNAME),
        b"MX" => Some(Rtype::MX),
        b"NS" => Some(Rtype::NS),
        b"TXT" => Some(Rtype::TXT),
        b"PTR" => Some(Rtype::PTR),
        b"RRSIG" => Some(Rtype::RRSIG),
        b"NSEC" => Some(Rtype::NSEC),
        _ => None,
    }
}

/// The type, if it can be in a zone.
pub(super) fn usable_type(rtype: Rtype, at: usize) -> Result<Rtype, Problem> {
    if rtype.is_meta() {
        let message = format!("the type {rtype} cannot be in a zone");
        return Err(Problem::new(&rule::META_TYPE, at, message));
    }
    Ok(rtype)
}

/// A TTL.
pub(super) fn ttl(at: usize, token: Token<'_>) -> Result<u32, Problem> {
    let value = ttl_from_text(token.text).filter(|ttl| *ttl <= TTL_MAX && !token.quoted);
    value.ok_or_else(|| {
        let message = format!("{} is not a TTL from 0 to 2147483647", shown(token.text));
        Problem::new(&rule::BAD_TTL, at, message)
    })
}

/// A bad name, with the limit that it breaks.
pub(super) fn name_problem(at: usize, token: Token<'_>, error: NameError) -> Problem {
    let rule = match error {
        NameError::LabelTooLong => &rule::LABEL_TOO_LONG,
        NameError::NameTooLong => &rule::NAME_TOO_LONG,
        NameError::BadEscape => &rule::BAD_ESCAPE,
        NameError::Cut | NameError::EmptyLabel | NameError::BadPointer => &rule::BAD_NAME,
    };
    Problem::new(rule, at, format!("{}: {error}", shown(token.text)))
}

/// An argument of a directive.
pub(in crate::master) fn argument<'a>(
    tokens: &[Token<'a>],
    at: usize,
    wanted: &str,
) -> Result<Token<'a>, Problem> {
    let token = tokens.get(at).copied();
    token.ok_or_else(|| {
        Problem::new(&rule::BAD_DIRECTIVE, at, format!("the directive lacks {wanted}"))
    })
}

/// Reports a directive with more words than it takes.
pub(super) fn no_more(tokens: &[Token<'_>], at: usize) -> Result<(), Problem> {
    match tokens.get(at) {
        None => Ok(()),
        Some(token) => {
            let message = format!("{} is more than the directive takes", shown(token.text));
            Err(Problem::new(&rule::BAD_DIRECTIVE, at, message))
        }
    }
}
