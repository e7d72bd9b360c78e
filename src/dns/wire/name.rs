//! Domain names in uncompressed wire form (RFC 1035 §3.1), compared as DNSSEC orders them.
//!
//! A name keeps the case it was given; equality, hashing and order fold ASCII only (RFC 4343), and
//! the order is the canonical one of RFC 4034 §6.1: labels from the right, byte by byte. Labels may
//! hold any byte. Text is the master-file form: `\.` and `\DDD` escapes, always with the final dot.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Octets a name may have on the wire, root label included (RFC 1035 §2.3.4).
pub const NAME_OCTETS_MAX: usize = 255;
/// Octets a label may have (RFC 1035 §2.3.4).
const LABEL_OCTETS_MAX: usize = 63;

//------------ Name ----------------------------------------------------------

/// An owned absolute domain name.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root, `.`.
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads an uncompressed name at the start of `bytes`; returns it and the octets it took.
    pub fn from_wire(bytes: &[u8]) -> Result<(Self, usize), NameError> {
        let (name, used) = NameRef::from_wire(bytes)?;
        Ok((name.to_name(), used))
    }

    /// Reads master-file text. A missing final dot is forgiven: the name is absolute either way.
    pub fn from_text(text: &[u8]) -> Result<Self, NameError> {
        if text == b"." {
            return Ok(Self::root());
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        let mut label = Vec::with_capacity(LABEL_OCTETS_MAX);
        let mut at = 0;
        while at < text.len() {
            match text[at] {
                b'.' => {
                    push_label(&mut wire, &mut label)?;
                    at += 1;
                }
                b'\\' => {
                    let (byte, used) = unescape(&text[at + 1..])?;
                    label.push(byte);
                    at += 1 + used;
                }
                byte => {
                    label.push(byte);
                    at += 1;
                }
            }
        }
        if !label.is_empty() {
            push_label(&mut wire, &mut label)?;
        }
        if wire.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        wire.push(0);
        if wire.len() > NAME_OCTETS_MAX {
            return Err(NameError::NameTooLong);
        }
        Ok(Self(wire.into()))
    }

    /// The name as a borrowed view.
    pub fn as_ref(&self) -> NameRef<'_> {
        NameRef(&self.0)
    }

    /// The uncompressed wire form, final zero octet included.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// `label` put in front of `parent`.
    pub fn prepend(label: &[u8], parent: NameRef<'_>) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(1 + label.len() + parent.0.len());
        push_label(&mut wire, &mut label.to_vec())?;
        wire.extend_from_slice(parent.0);
        if wire.len() > NAME_OCTETS_MAX {
            return Err(NameError::NameTooLong);
        }
        Ok(Self(wire.into()))
    }
}

/// Moves a finished label to the wire form and empties it.
fn push_label(wire: &mut Vec<u8>, label: &mut Vec<u8>) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    let length = u8::try_from(label.len()).ok().filter(|n| usize::from(*n) <= LABEL_OCTETS_MAX);
    wire.push(length.ok_or(NameError::LabelTooLong)?);
    wire.append(label);
    Ok(())
}

/// Reads what follows a backslash: three decimal digits, or any one byte as itself.
pub(super) fn unescape(text: &[u8]) -> Result<(u8, usize), NameError> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
            let value = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
            u8::try_from(value).map(|byte| (byte, 3)).map_err(|_| NameError::BadEscape)
        }
        [b'0'..=b'9', ..] | [] => Err(NameError::BadEscape),
        [byte, ..] => Ok((*byte, 1)),
    }
}

//--- Conversion and formatting

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::from_text(text.as_bytes())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

//--- Comparison

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

//------------ NameRef -------------------------------------------------------

/// A borrowed absolute domain name, known to be well formed.
#[derive(Clone, Copy)]
pub struct NameRef<'a>(&'a [u8]);

impl<'a> NameRef<'a> {
    /// The root, `.`.
    pub const ROOT: NameRef<'static> = NameRef(&[0]);

    /// Reads an uncompressed name at the start of `bytes`; returns it and the octets it took.
    #[inline]
    pub fn from_wire(bytes: &'a [u8]) -> Result<(Self, usize), NameError> {
        let within = &bytes[..bytes.len().min(NAME_OCTETS_MAX)];
        let mut at = 0;
        while let Some(&length) = within.get(at) {
            at += 1 + usize::from(length);
            if length == 0 {
                return Ok((Self(&within[..at]), at));
            }
            if usize::from(length) > LABEL_OCTETS_MAX {
                return Err(NameError::LabelTooLong);
            }
        }
        Err(if at < NAME_OCTETS_MAX { NameError::Cut } else { NameError::NameTooLong })
    }

    /// The name whose wire form is all of `wire`, which the caller has checked before.
    pub(crate) fn from_checked(wire: &'a [u8]) -> Self {
        debug_assert!(Self::from_wire(wire).is_ok_and(|(_, used)| used == wire.len()));
        Self(wire)
    }

    /// The uncompressed wire form, final zero octet included.
    pub fn wire(self) -> &'a [u8] {
        self.0
    }

    /// An owned copy.
    pub fn to_name(self) -> Name {
        Name(self.0.into())
    }

    /// An owned copy in lower case (ASCII).
    pub fn to_lowercase(self) -> Name {
        // A length octet is at most 63 and so never an upper-case letter.
        Name(self.0.to_ascii_lowercase().into())
    }

    /// The labels from left to right, without the root's.
    pub fn labels(self) -> Labels<'a> {
        Labels(self.0)
    }

    /// How many labels the name has, without the root's.
    #[inline]
    pub fn label_count(self) -> usize {
        let (mut at, mut count) = (0, 0);
        while let Some(&length) = self.0.get(at)
            && length > 0
        {
            at += 1 + usize::from(length);
            count += 1;
        }
        count
    }

    /// Whether this is the root, `.`.
    pub fn is_root(self) -> bool {
        self.0.len() == 1
    }

    /// Whether the first label is `*` (RFC 4592 §2.1.1).
    pub fn is_wildcard(self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// The name without its first label; `None` at the root.
    pub fn parent(self) -> Option<Self> {
        let length = usize::from(self.0[0]);
        (length > 0).then(|| Self(&self.0[1 + length..]))
    }

    /// The name with `label` (1 to 63 octets) in front, written into `room`; `None` if it would be
    /// longer than a name can be.
    pub(crate) fn child<'r>(
        self,
        label: &[u8],
        room: &'r mut [u8; NAME_OCTETS_MAX],
    ) -> Option<NameRef<'r>> {
        let (start, octets) = (1 + label.len(), 1 + label.len() + self.0.len());
        room.get_mut(start..octets)?.copy_from_slice(self.0);
        room[0] = label.len() as u8;
        room[1..start].copy_from_slice(label);
        Some(NameRef::from_checked(&room[..octets]))
    }

    /// The wildcard below the name (RFC 4592 §2.1.1), written into `room`; `None` if it is too long.
    pub(crate) fn wildcard<'r>(self, room: &'r mut [u8; NAME_OCTETS_MAX]) -> Option<NameRef<'r>> {
        self.child(b"*", room)
    }

    /// Whether the name is `ancestor` or below it.
    pub fn is_at_or_below(self, ancestor: NameRef<'_>) -> bool {
        let mut name = Some(self);
        while let Some(here) = name {
            if here.0.len() <= ancestor.0.len() {
                return here == ancestor;
            }
            name = here.parent();
        }
        false
    }
}

impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if self.is_root() {
            return f.write_char('.');
        }
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'*' | b'/' => {
                        f.write_char(char::from(byte))?;
                    }
                    // As BIND writes them. Others are numbers: `\[` is a bit string to some, `\#` the
                    // generic form, and NSD takes the second backslash of `\\.` for that of `\.`.
                    b'.' | b'"' | b'$' | b'(' | b')' | b';' | b'@' => {
                        f.write_char('\\')?;
                        f.write_char(char::from(byte))?;
                    }
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_char('.')?;
        }
        Ok(())
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for NameRef<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // Most names that are the same are so to the letter, and that is seen at once.
        self.0 == other.0 || self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for NameRef<'_> {}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NameRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, my_count) = label_starts(self.0);
        let (theirs, their_count) = label_starts(other.0);
        for (&a, &b) in mine[..my_count].iter().rev().zip(theirs[..their_count].iter().rev()) {
            let order = compare_labels(label_at(self.0, a), label_at(other.0, b));
            if order != Ordering::Equal {
                return order;
            }
        }
        my_count.cmp(&their_count)
    }
}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0 {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

/// Offsets of the labels, left to right; a name of 255 octets has at most 127.
fn label_starts(wire: &[u8]) -> ([u8; 128], usize) {
    let (mut starts, mut count, mut at) = ([0u8; 128], 0, 0usize);
    while wire[at] != 0 {
        starts[count] = at as u8;
        count += 1;
        at += 1 + usize::from(wire[at]);
    }
    (starts, count)
}

/// The label whose length octet is at `at`.
fn label_at(wire: &[u8], at: u8) -> &[u8] {
    let at = usize::from(at);
    &wire[at + 1..at + 1 + usize::from(wire[at])]
}

/// Canonical order of two labels: lower case, octet by octet, a prefix first.
fn compare_labels(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
}

//------------ Labels --------------------------------------------------------

/// The labels of a name from left to right, without the root's.
#[derive(Clone)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at(usize::from(length));
        self.0 = rest;
        Some(label)
    }
}

//------------ NameError -----------------------------------------------------

/// Why bytes or text are no domain name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// The bytes end inside the name.
    #[error("the name is cut short")]
    Cut,
    /// Two dots in a row, or a dot at the start.
    #[error("a label is empty")]
    EmptyLabel,
    /// A label of more than 63 octets, or a compression pointer where none is allowed.
    #[error("a label is longer than 63 octets")]
    LabelTooLong,
    /// More than 255 octets.
    #[error("the name is longer than 255 octets")]
    NameTooLong,
    /// A backslash that is followed by neither three digits up to 255 nor another character.
    #[error("a backslash must be followed by three digits (000 to 255) or one other character")]
    BadEscape,
    /// A compression pointer that leads forward, into the header, or on and on.
    #[error("a compression pointer does not lead to an earlier name")]
    BadPointer,
}

#[cfg(test)]
mod tests;
