//! Metrics as text, in the two exposition formats.

use super::catalogue::{self, Described, Kind};
use super::family::{Family, Sample, Spread, Value};
use crate::text::append;

/// A form of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Prometheus' own, 0.0.4: what everything reads.
    Plain,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    /// The form for a request's head.
    pub(super) fn wanted(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let mut accepted = head.lines().filter(|line| line.starts_with("accept:"));
        if accepted.any(|line| line.contains("application/openmetrics-text")) {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    /// The media type.
    pub(super) fn media(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// All families in this form, in the order of the catalogue, including those without values.
    pub(super) fn text(self, families: &[Family]) -> String {
        let mut text = String::new();
        for described in catalogue::all() {
            self.put_head(&mut text, described);
            for family in families.iter().filter(|family| std::ptr::eq(family.of, described)) {
                family.samples.iter().for_each(|sample| put_sample(&mut text, described, sample));
            }
        }
        if self == Self::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }

    /// Writes the description of a family. Prometheus' own format names a counter like its samples.
    fn put_head(self, text: &mut String, of: &Described) {
        let name = match self {
            Self::Plain => of.sample_name(),
            Self::OpenMetrics => of.name.to_owned(),
        };
        append!(text, "# HELP {name} {}\n# TYPE {name} {}\n", of.help, of.kind.word());
        let unit = ["seconds", "bytes"].into_iter().find(|unit| of.name.ends_with(unit));
        if let (Self::OpenMetrics, Some(unit)) = (self, unit) {
            append!(text, "# UNIT {name} {unit}\n");
        }
    }
}

/// Puts the line of a value, or the lines of a spread.
fn put_sample(text: &mut String, of: &Described, sample: &Sample) {
    match &sample.value {
        Value::Number(value) => {
            let total = if of.kind == Kind::Counter { "_total" } else { "" };
            append!(text, "{}{total}", of.name);
            put_labels(text, of, sample, None);
            append!(text, " {value}\n");
        }
        Value::Spread(spread) => put_spread(text, of, sample, spread),
    }
}

/// Puts the lines of a spread: up to each bound, up to any, sum and count.
fn put_spread(text: &mut String, of: &Described, sample: &Sample, spread: &Spread) {
    let mut so_far = 0;
    let bounds = spread.bounds.iter().map(|bound| bound_text(*bound));
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&spread.counts) {
        so_far += count;
        append!(text, "{}_bucket", of.name);
        put_labels(text, of, sample, Some(&bound));
        append!(text, " {so_far}\n");
    }
    for (end, value) in [("sum", spread.sum), ("count", so_far as f64)] {
        append!(text, "{}_{end}", of.name);
        put_labels(text, of, sample, None);
        append!(text, " {value}\n");
    }
}

/// Puts the labels; none need no braces.
fn put_labels(text: &mut String, of: &Described, sample: &Sample, bound: Option<&str>) {
    let labels = of.labels.iter().copied().zip(sample.labels.iter().map(String::as_str));
    let mut separator = '{';
    for (label, value) in labels.chain(bound.map(|bound| ("le", bound))) {
        append!(text, "{separator}{label}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
}

/// A bound, written as OpenMetrics requires in both formats, so that both give the same series: with a decimal point, or
/// with an exponent if it is very small.
fn bound_text(bound: f64) -> String {
    if bound > 0.0 && bound < 1e-4 {
        let exponent = bound.log10().floor();
        let digits = (bound / 10_f64.powf(exponent)).round();
        return format!("{digits}e-{:02}", -exponent);
    }
    format!("{bound:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let mut responses = Family::of(&catalogue::RESPONSES);
        responses.count(&["NO\"ERROR\\\n"], 3);
        let mut sizes = Family::of(&catalogue::RESPONSE_BYTES);
        let counts = vec![1, 0, 2];
        sizes.spread(&[], Spread { bounds: &[64.0, 128.0], counts, sum: 500.0 });
        let families = [responses, sizes];
        let (plain, open) = (Form::Plain.text(&families), Form::OpenMetrics.text(&families));
        for line in [
            "# TYPE gapura_responses_total counter\n",
            "gapura_responses_total{rcode=\"NO\\\"ERROR\\\\\\n\"} 3\n",
            "gapura_response_bytes_bucket{le=\"64.0\"} 1\n\
             gapura_response_bytes_bucket{le=\"128.0\"} 1\n\
             gapura_response_bytes_bucket{le=\"+Inf\"} 3\n\
             gapura_response_bytes_sum 500\ngapura_response_bytes_count 3\n",
        ] {
            assert!(plain.contains(line), "{line}\n{plain}");
        }
        assert!(!plain.contains("# UNIT") && !plain.contains("# EOF"));
        for line in ["# TYPE gapura_responses counter\n", "# UNIT gapura_response_bytes bytes\n"] {
            assert!(open.contains(line), "{line}\n{open}");
        }
        assert!(open.ends_with("# EOF\n"));
        // Families that nobody has values of are told all the same.
        assert!(plain.contains("# HELP gapura_zone_serial "));
        let wanted = |head: &str| Form::wanted(head.as_bytes());
        assert_eq!(wanted("GET / HTTP/1.1\r\nAccept: text/plain\r\n"), Form::Plain);
        let open = "GET / HTTP/1.1\r\nACCEPT: application/openmetrics-text;version=1.0.0\r\n";
        assert_eq!(wanted(open), Form::OpenMetrics);
    }

    #[test]
    fn bounds_are_written_as_openmetrics_wants_them() {
        let bounds = [1e-6, 2e-5, 0.0001, 0.5, 1.0, 65_535.0].map(bound_text);
        assert_eq!(bounds, ["1e-06", "2e-05", "0.0001", "0.5", "1.0", "65535.0"]);
    }
}
