//! Findings that have no place in a file.

use crate::master::{Finding, Severity};

/// An error without a place.
pub(crate) fn error(rule: &'static str, message: String, hint: &str) -> Finding {
    Finding { rule, severity: Severity::Error, place: None, message, hint: Some(hint.to_owned()) }
}

/// A warning without a place.
pub(crate) fn warning(rule: &'static str, message: String) -> Finding {
    Finding { rule, severity: Severity::Warning, place: None, message, hint: None }
}
