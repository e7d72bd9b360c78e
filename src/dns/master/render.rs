//! Findings for a terminal: the line of the file, a caret under the span, the hint.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Finding, Place, Severity};
use crate::text::append_line;

/// Findings that are shown in full; the rest are counted.
const SHOWN_MAX: usize = 100;

/// Findings as text for a terminal, at most 100 of them, and a last line that counts all.
///
/// `colour` is for a terminal that has it; the caller knows.
pub fn render(findings: &[Finding], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN_MAX) {
        text.push_str(&renderer.render(&[group(finding)]));
        text.push_str("\n\n");
    }
    if findings.len() > SHOWN_MAX {
        append_line!(text, "… and {} more", findings.len() - SHOWN_MAX);
    }
    let errors = findings.iter().filter(|f| f.is_error()).count();
    let warnings = findings.len() - errors;
    if !findings.is_empty() {
        append_line!(text, "{}, {}", count(errors, "error"), count(warnings, "warning"));
    }
    text
}

/// A number and its word.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// One finding.
fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&finding.message).id(finding.rule));
    if let Some(place) = &finding.place {
        let path = place.file.display().to_string();
        if place.source.is_empty() {
            group = group.element(Origin::path(path).line(place.line as usize));
        } else {
            let caret = AnnotationKind::Primary.span(span(place));
            let snippet = Snippet::source(&place.source).line_start(place.line as usize);
            group = group.element(snippet.path(path).annotation(caret));
        }
        for (file, line) in place.includes.iter().rev() {
            let from = format!("included from {}:{line}", file.display());
            group = group.element(Level::NOTE.message(from));
        }
    }
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint)),
        None => group,
    }
}

/// The span inside the line as it is kept: whole characters, not beyond its end.
fn span(place: &Place) -> std::ops::Range<usize> {
    let text = &place.source;
    let start = text.floor_char_boundary((place.column as usize - 1).min(text.len()));
    let end = (start + place.length as usize).min(text.len());
    start..text.ceil_char_boundary(end).max(start)
}
