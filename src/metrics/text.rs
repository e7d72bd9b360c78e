//! Metrics as text, in the two forms that are asked for.

use prometheus_client::registry::Registry;

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

    /// All metrics in this form.
    pub(super) fn text(self, registry: &Registry) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail; a collector that fails leaves what it has written.
        let _ = prometheus_client::encoding::text::encode(&mut text, registry);
        match self {
            Self::OpenMetrics => text,
            Self::Plain => plain(&text),
        }
    }
}

/// OpenMetrics as Prometheus' own text: there, a counter's family is named like its samples, with `_total`, and
/// there is no end mark.
fn plain(text: &str) -> String {
    let is_counter = |name: &str| text.contains(&format!("# TYPE {name} counter\n"));
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind @ ("HELP" | "TYPE")), Some(name), Some(rest)) => {
                let total = if is_counter(name) { "_total" } else { "" };
                out.push_str(&format!("# {kind} {name}{total} {rest}\n"));
            }
            _ => {
                // A value without labels needs no braces.
                out.push_str(&line.replacen("{} ", " ", 1));
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_named_like_its_samples_where_openmetrics_is_not_known() {
        let open = "# HELP a Queries.\n# TYPE a counter\na_total{b=\"c\"} 1\n\
                    # HELP d Things.\n# TYPE d gauge\nd{} 2\n# EOF\n";
        let expected = "# HELP a_total Queries.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\
                        # HELP d Things.\n# TYPE d gauge\nd 2\n";
        assert_eq!(plain(open), expected);
        let wanted = |head: &str| Form::wanted(head.as_bytes());
        assert_eq!(wanted("GET / HTTP/1.1\r\nAccept: text/plain\r\n"), Form::Plain);
        let open = "GET / HTTP/1.1\r\nACCEPT: application/openmetrics-text;version=1.0.0\r\n";
        assert_eq!(wanted(open), Form::OpenMetrics);
    }
}
