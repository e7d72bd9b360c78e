//! The server's own names in class CH (RFC 4892): hidden unless the settings contain a text.

use crate::wire::{Class, NameRef, Question, Rcode, Rtype};

use super::peer::{Ede, Identity, ResponseKind};
use super::reply::{QNAME_OFFSET, Reply, Section};

/// Longest text that is given: one character-string.
const TEXT_OCTETS_MAX: usize = 255;

/// Answers a question in class CH.
#[inline(never)]
pub(crate) fn answer_chaos(
    reply: &mut Reply<'_, '_>,
    question: &Question<'_>,
    identity: &Identity,
) -> ResponseKind {
    let Some(text) = text_of(question.name, identity) else {
        reply.error(Rcode::REFUSED, Some(Ede::NOT_SUPPORTED));
        return ResponseKind::Error;
    };
    reply.set_authoritative();
    if !matches!(question.rtype, Rtype::TXT | Rtype::ANY) {
        return ResponseKind::Nodata;
    }
    let text = &text.as_bytes()[..text.len().min(TEXT_OCTETS_MAX)];
    let length = 1 + text.len() as u16;
    if !reply.writer.fits(2 + 10 + usize::from(length)) {
        reply.set_truncated();
        return ResponseKind::Positive;
    }
    reply.writer.put_pointer(QNAME_OFFSET);
    reply.writer.put_fixed(Rtype::TXT, Class::CH, 0, length);
    reply.writer.put(&[text.len() as u8]);
    reply.writer.put(text);
    reply.counts[Section::Answer as usize] += 1;
    ResponseKind::Positive
}

/// The text of one of the four names, if it is shown.
fn text_of<'i>(name: NameRef<'_>, identity: &'i Identity) -> Option<&'i str> {
    let is = |wire: &[u8]| name.wire().eq_ignore_ascii_case(wire);
    if is(b"\x07version\x04bind\0") || is(b"\x07version\x06server\0") {
        identity.version.as_deref()
    } else if is(b"\x08hostname\x04bind\0") || is(b"\x02id\x06server\0") {
        identity.hostname.as_deref()
    } else {
        None
    }
}
