//! What a PDF may not hold, wherever it holds it: a value is judged without regard to who refers to it.

use super::lexer::Value;
use crate::queue::{Fault, Rule};
use crate::uploads::refusal::refused;

/// Keys whose mere presence is refused, and as what.
const KEYS: [(&[u8], Rule); 14] = [
    (b"JavaScript", Rule::LetterActive),
    (b"JS", Rule::LetterActive),
    (b"AA", Rule::LetterActive),
    (b"XFA", Rule::LetterActive),
    (b"Launch", Rule::LetterActive),
    (b"EmbeddedFile", Rule::LetterAttached),
    (b"EmbeddedFiles", Rule::LetterAttached),
    (b"EF", Rule::LetterAttached),
    (b"Collection", Rule::LetterAttached),
    (b"RichMedia", Rule::LetterAttached),
    (b"RichMediaContent", Rule::LetterAttached),
    (b"RichMediaSettings", Rule::LetterAttached),
    (b"3DD", Rule::LetterAttached),
    (b"Encrypt", Rule::LetterLocked),
];

/// Names that are refused wherever they are a value: nothing else has them.
const NAMES: [(&[u8], Rule); 12] = [
    (b"JavaScript", Rule::LetterActive),
    (b"SubmitForm", Rule::LetterActive),
    (b"ImportData", Rule::LetterActive),
    (b"GoToE", Rule::LetterActive),
    (b"GoToR", Rule::LetterActive),
    (b"GoTo3DView", Rule::LetterActive),
    (b"RichMediaExecute", Rule::LetterActive),
    (b"EmbeddedFile", Rule::LetterAttached),
    (b"EmbeddedFiles", Rule::LetterAttached),
    (b"FileAttachment", Rule::LetterAttached),
    (b"RichMedia", Rule::LetterAttached),
    (b"3D", Rule::LetterAttached),
];

/// Names that are refused as the kind of an action or annotation only: fonts and structure elements may
/// have them too.
const KINDS: [(&[u8], Rule); 5] = [
    (b"Launch", Rule::LetterActive),
    (b"Rendition", Rule::LetterAttached),
    (b"Movie", Rule::LetterAttached),
    (b"Sound", Rule::LetterAttached),
    (b"Screen", Rule::LetterAttached),
];

/// Schemes of addresses a link may have.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// The fault of a word, if it is in one of the tables.
fn look_up(word: &[u8], table: &[(&[u8], Rule)]) -> Result<(), Fault> {
    match table.iter().find(|(known, _)| *known == word) {
        Some((known, rule)) => Err(refused(*rule, &String::from_utf8_lossy(known))),
        None => Ok(()),
    }
}

/// Judges an object: a value that stands alone and may be referred to as the kind of an action or the
/// address of a link.
pub(super) fn judge_object(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Name(name) => look_up(name, &KINDS)?,
        Value::Text(text) if !may_link(text, true) => {
            return Err(refused(Rule::LetterActive, "URI"));
        }
        _ => {}
    }
    judge(value)
}

/// Judges a value and all it holds; its depth is bounded by the reader.
pub(super) fn judge(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Name(name) => look_up(name, &NAMES),
        Value::Array(items) => items.iter().try_for_each(judge),
        Value::Dict(pairs) => pairs.iter().try_for_each(|(key, value)| {
            look_up(key, &KEYS)?;
            let kind = matches!(key.as_slice(), b"S" | b"Subtype" | b"Type");
            if let Some(name) = value.name().filter(|_| kind) {
                look_up(name, &KINDS)?;
            }
            if let (b"URI" | b"Base", Value::Text(text)) = (key.as_slice(), value)
                && !may_link(text, false)
            {
                return Err(refused(Rule::LetterActive, "URI"));
            }
            if key == b"OpenAction" && opens(value) == Some(false) {
                return Err(refused(Rule::LetterActive, "OpenAction"));
            }
            judge(value)
        }),
        _ => Ok(()),
    }
}

/// Whether what happens on opening is no more than showing a place of this document; `None` if another
/// object decides it.
pub(super) fn opens(value: &Value) -> Option<bool> {
    match value {
        Value::Ref(_) => None,
        Value::Dict(_) => {
            let shows = value.get(b"S").and_then(Value::name) == Some(b"GoTo");
            Some(shows && value.get(b"Next").is_none())
        }
        // A destination.
        Value::Array(_) | Value::Name(_) | Value::Text(_) | Value::Other => Some(true),
        Value::Int(_) => Some(false),
    }
}

/// Whether a link may lead there. `anything` is a string whose use is not known: only what would start
/// something is refused then.
fn may_link(text: &[u8], anything: bool) -> bool {
    let ascii = text.iter().filter(|byte| byte.is_ascii_graphic());
    let address: String = ascii.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    if anything {
        let starting = ["\\\\", "javascript:", "vbscript:", "file:/"];
        return !starting.iter().any(|start| address.starts_with(start));
    }
    if address.starts_with("\\\\") {
        return false;
    }
    // A dot makes it a host with a port.
    let is_scheme = |scheme: &&str| !scheme.contains(['.', '/', '#', '?']);
    let scheme = address.split_once(':').map(|(scheme, _)| scheme).filter(is_scheme);
    scheme.is_none_or(|scheme| SCHEMES.contains(&scheme))
}
