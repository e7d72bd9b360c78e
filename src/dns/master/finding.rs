//! A fault in a zone file or in the settings, as one fact that terminal, JSON, log and pages share.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

//------------ Finding -------------------------------------------------------

/// One fault: which rule, how bad, where, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's stable id, in kebab case, such as `bad-rdata`.
    pub rule: &'static str,
    /// Whether it keeps the candidate from going live.
    pub severity: Severity,
    /// Where it is, if it is in a file.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What is wrong, one sentence without a final dot.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// `FILE:LINE:COLUMN SEVERITY RULE: MESSAGE`, the form of logs and of `gapura ctl`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{} ", place.file.display(), place.line, place.column)?;
        }
        write!(f, "{} {}: {}", self.severity, self.rule, self.message)
    }
}

impl Finding {
    /// Whether it keeps the candidate from going live.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The finding with its hint behind it, in one line.
    pub fn with_hint(&self) -> String {
        let hint = self.hint.as_deref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{self}{hint}")
    }
}

//------------ Severity ------------------------------------------------------

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Reported; the candidate may go live.
    Warning,
    /// The candidate does not go live.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

//------------ Place ---------------------------------------------------------

/// A span in a text file. Lines and columns count from 1; columns count bytes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The file as the operator named it.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in bytes.
    pub column: u32,
    /// How many bytes the span has on that line, at least 1.
    pub length: u32,
    /// The line's text, lossily decoded and cut at 200 characters.
    pub source: String,
    /// The `$INCLUDE` lines that led here, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<(Arc<Path>, u32)>,
}
