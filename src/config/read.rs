//! Reads the text of a settings file: the settings, and every fault of it, not the first alone.
//!
//! What a type refuses is cut out of the document, which is then read again, until all of it reads.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

use super::Settings;
use super::load::{may_hold_secret, place};
use crate::master::{Finding, Severity};

/// Faults that are looked for.
const FAULTS_MAX: usize = 100;
/// A span of octets in the text.
type Span = std::ops::Range<usize>;

/// The settings in `text`, which is the content of `path`, as far as they read, and what does not.
pub(super) fn read(path: &Path, text: &str) -> (Option<Settings>, Vec<Finding>) {
    let (mut table, faults) = DeTable::parse_recoverable(text);
    let mut findings: Vec<Finding> =
        faults.iter().take(FAULTS_MAX).map(|error| finding((path, text), &table, error)).collect();
    if !findings.is_empty() {
        // What stands beside a fault of syntax may be read as something else.
        return (None, findings);
    }
    while findings.len() < FAULTS_MAX {
        match Settings::deserialize(Deserializer::from(table.clone())) {
            Ok(settings) => return (Some(settings), findings),
            Err(error) => {
                findings.push(finding((path, text), &table, &error));
                let cut = error.span().is_some_and(|span| cut_from(table.get_mut(), &span));
                if !cut {
                    break;
                }
            }
        }
    }
    (None, findings)
}

/// The place of a key's value, as `tls.cert` or `zone[1].file`; none if it is not there.
pub(super) fn find(text: &str, key: &str) -> Option<Span> {
    let root = DeTable::parse(text).ok()?;
    let (mut table, mut found) = (Some(root.get_ref()), None);
    for part in key.split('.') {
        let (name, at) = part.split_once('[').unwrap_or((part, ""));
        let mut value = table?.get(name)?;
        if let Ok(at) = at.trim_end_matches(']').parse::<usize>() {
            value = value.get_ref().as_array()?.get(at)?;
        }
        (table, found) = (value.get_ref().as_table(), Some(value.span()));
    }
    found
}

/// The text of a key, as far as the rest of the file lets it be known.
pub(super) fn text_of(text: &str, table: &str, key: &str) -> Option<String> {
    let (root, _) = DeTable::parse_recoverable(text);
    let value = root.get_ref().get(table)?.get_ref().as_table()?.get(key)?;
    value.get_ref().as_str().map(str::to_owned)
}

/// What the TOML reader or a type refused, with the nearest known key as hint.
fn finding((path, text): (&Path, &str), table: &Spanned<DeTable<'_>>, error: &Error) -> Finding {
    let message = error.message().trim_end().replace('\n', " ");
    let key = error.span().and_then(|span| key_at(table.get_ref(), &span));
    let message = match key.filter(|key| may_hold_secret(key)) {
        Some(key) if is_about_value(&message) => without_value(&key, &message),
        _ => message,
    };
    let hint = unknown_key(&message).and_then(|(key, known)| {
        let nearest = known.into_iter().min_by_key(|candidate| distance(&key, candidate))?;
        // A short key is near to anything: half of it at most may differ.
        (distance(&key, &nearest) <= 3.min(key.len() / 2))
            .then(|| format!("did you mean `{nearest}`?"))
    });
    Finding {
        rule: if message.contains("unknown field") { "settings-key" } else { "settings-value" },
        severity: Severity::Error,
        place: error.span().map(|span| place(path, text, span)),
        message,
        hint,
    }
}

//------------ Secrets -------------------------------------------------------

/// Whether a fault is one of a value, which its text then tells; the others name keys.
fn is_about_value(message: &str) -> bool {
    !["unknown field", "missing field", "duplicate"].iter().any(|front| message.starts_with(front))
}

/// The fault of a value that may be a secret.
fn without_value(key: &str, message: &str) -> String {
    // Serde puts what it expects at the end, behind the value.
    let wanted = message.rsplit_once(", expected ").map_or("another value", |(_, wanted)| wanted);
    format!("{key} has a value that cannot be used: expected {wanted}")
}

/// The innermost key that a span is in, as `zone[1].file`.
fn key_at(table: &DeTable<'_>, span: &Span) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let is_here = || has(&name.span(), span) || has(&value.span(), span);
        let inside = key_inside(value.get_ref(), span).or_else(|| is_here().then(String::new))?;
        Some(format!("{}{inside}", name.get_ref()))
    })
}

/// The same, inside a value.
fn key_inside(value: &DeValue<'_>, span: &Span) -> Option<String> {
    match value {
        DeValue::Table(table) => key_at(table, span).map(|key| format!(".{key}")),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            let is_here = || has(&item.span(), span).then(String::new);
            let inside = key_inside(item.get_ref(), span).or_else(is_here)?;
            Some(format!("[{at}]{inside}"))
        }),
        _ => None,
    }
}

//------------ Cutting -------------------------------------------------------

/// Removes the innermost key or table that the span is in; false if there is none.
fn cut_from(table: &mut DeTable<'_>, span: &Span) -> bool {
    if table.iter_mut().any(|(_, value)| cut_inside(value.get_mut(), span)) {
        return true;
    }
    let mut entries = table.iter();
    let found = entries.find(|(key, value)| has(&key.span(), span) || has(&value.span(), span));
    let found = found.map(|(key, _)| key.clone());
    found.is_some_and(|key| table.remove(&key).is_some())
}

/// The same, inside a value.
fn cut_inside(value: &mut DeValue<'_>, span: &Span) -> bool {
    match value {
        DeValue::Table(table) => cut_from(table, span),
        DeValue::Array(items) => {
            if items.iter_mut().any(|item| cut_inside(item.get_mut(), span)) {
                return true;
            }
            let before = items.len();
            let kept = std::mem::replace(items, DeArray::new()).into_iter();
            kept.filter(|item| !has(&item.span(), span)).for_each(|item| items.push(item));
            items.len() < before
        }
        _ => false,
    }
}

/// Whether a span holds another.
fn has(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}

//------------ Hints ---------------------------------------------------------

/// The key and its alternatives out of serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let key = words.next()?.to_owned();
    Some((key, words.map(str::to_owned).collect()))
}

/// Edit distance, for hints.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
