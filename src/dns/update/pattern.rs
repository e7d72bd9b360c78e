//! Patterns of names below an apex: labels, and `*` for one or more of them.
//!
//! Names are matched label by label and never as text, so `evil-www` is not `www` and a dot inside of a
//! label is none.

use std::fmt;

use crate::wire::{Name, NameError, NameRef};

//------------ Pattern -------------------------------------------------------

/// Names relative to an apex.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(Vec<Part>);

/// A part of a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    /// One or more labels.
    Any,
    /// This label, in lower case.
    Label(Box<[u8]>),
}

impl Pattern {
    /// Reads a pattern: `@` is the apex, `*` one or more labels, `\*` a label that is an asterisk. A
    /// name with a final dot is absolute, and has to be in the zone.
    pub fn read(text: &str, apex: NameRef<'_>) -> Result<Self, PatternFault> {
        if text == "@" {
            return Ok(Self(Vec::new()));
        }
        let (labels, is_absolute) = split(text);
        if labels.is_empty() {
            return Err(PatternFault::Empty);
        }
        let mut parts = labels.into_iter().map(Part::read).collect::<Result<Vec<_>, _>>()?;
        if is_absolute {
            let zone: Vec<Part> = apex.labels().map(Part::label).collect();
            let kept = parts.len().checked_sub(zone.len()).ok_or(PatternFault::OutOfZone)?;
            if parts.split_off(kept) != zone {
                return Err(PatternFault::OutOfZone);
            }
        }
        Ok(Self(parts))
    }

    /// Whether a name at or below the apex matches.
    pub fn matches(&self, name: NameRef<'_>, apex: NameRef<'_>) -> bool {
        let Some(below) = name.label_count().checked_sub(apex.label_count()) else { return false };
        let labels: Vec<&[u8]> = name.labels().take(below).collect();
        name.is_at_or_below(apex) && matches(&self.0, &labels)
    }
}

impl Part {
    /// Reads a part.
    fn read(text: &str) -> Result<Self, PatternFault> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if has_bare_asterisk(text) {
            return Err(PatternFault::PartOfLabel);
        }
        let name = Name::from_text(text.as_bytes())?;
        let label = name.as_ref().labels().next().ok_or(PatternFault::Empty)?;
        Ok(Self::label(label))
    }

    /// A label.
    fn label(label: &[u8]) -> Self {
        Self::Label(label.to_ascii_lowercase().into())
    }
}

/// Whether a label has an asterisk without a backslash.
fn has_bare_asterisk(label: &str) -> bool {
    let mut is_escaped = false;
    label.chars().any(|c| {
        let is_bare = c == '*' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_bare
    })
}

/// The labels of a text, and whether a dot is behind the last one.
fn split(text: &str) -> (Vec<&str>, bool) {
    let (mut labels, mut start, mut is_escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == '.' && !is_escaped {
            labels.push(&text[start..at]);
            start = at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    let rest = &text[start..];
    let is_absolute = rest.is_empty() && !labels.is_empty();
    if !is_absolute && !text.is_empty() {
        labels.push(rest);
    }
    (labels, is_absolute)
}

/// Whether labels match parts, in steps linear in their product: only the last [`Part::Any`] is ever
/// stretched, as no earlier one can do what it cannot.
fn matches(parts: &[Part], labels: &[&[u8]]) -> bool {
    let (mut part, mut label) = (0, 0);
    // Where to go on after the last `Any` has taken one label more.
    let mut stretch: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), labels.get(label)) {
            (None, None) => return true,
            (Some(Part::Any), Some(_)) => {
                (part, label) = (part + 1, label + 1);
                stretch = Some((part, label));
                continue;
            }
            (Some(Part::Label(wanted)), Some(found)) if found.eq_ignore_ascii_case(wanted) => {
                (part, label) = (part + 1, label + 1);
                continue;
            }
            (_, None) => return false,
            _ => {}
        }
        let Some((after, taken)) = stretch else { return false };
        (part, label) = (after, taken + 1);
        stretch = Some((after, label));
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("@");
        }
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            match part {
                Part::Any => f.write_str("*")?,
                Part::Label(label) if **label == *b"*" => f.write_str("\\*")?,
                Part::Label(label) => {
                    let name = Name::prepend(label, NameRef::ROOT).map_err(|_| fmt::Error)?;
                    f.write_str(name.to_string().trim_end_matches('.'))?;
                }
            }
        }
        Ok(())
    }
}

//------------ PatternFault --------------------------------------------------

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PatternFault {
    /// There is nothing in it.
    #[error("the name is empty: \"@\" is the apex, \"*\" every name below it")]
    Empty,
    /// It is absolute, and not of this zone.
    #[error("the name is not in the zone: write it relative to the apex, without a final dot")]
    OutOfZone,
    /// An asterisk that is a part of a label.
    #[error(
        "\"*\" stands for whole labels: write it alone between dots, or \\* for a label that has one"
    )]
    PartOfLabel,
    /// A label cannot be read.
    #[error(transparent)]
    Label(#[from] NameError),
}
