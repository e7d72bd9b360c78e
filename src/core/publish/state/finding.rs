//! Findings without a position in a file.

use crate::master::{Finding, Severity};

/// An error without a place.
pub(crate) fn error(rule: &'static str, message: String, hint: &str) -> Finding {
    Finding { rule, severity: Severity::Error, place: None, message, hint: Some(hint.to_owned()) }
}

/// The finding of a zone whose ZONEMD does not hold for what is served: gapura chose another serial, or
/// records of requests are in it.
pub(crate) fn left_out_zonemd() -> Finding {
    let message = "ZONEMD is omitted: it is valid for the file, but gapura serves another serial or more records";
    let hint = "raise the serial in the file, then generate ZONEMD again; with promoted records it is always omitted";
    Finding { hint: Some(hint.to_owned()), ..warning("zonemd-left-out", message.to_owned()) }
}

/// A warning without a place.
pub(crate) fn warning(rule: &'static str, message: String) -> Finding {
    Finding { rule, severity: Severity::Warning, place: None, message, hint: None }
}
