//! Which state of a request an answer shows: its entity tag (RFC 9110 §8.8.3).
//!
//! The tag has two parts. The first names what people act on, and is all that `If-Match` compares: that
//! a notice was delivered meanwhile is no reason to refuse an act. The second is of everything that is
//! shown, but for the minutes left, which pass by themselves.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::{ETAG, IF_MATCH, VARY};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::requests::{VARIES, milestones};
use crate::digest::sha256_hex;
use crate::view::RequestView;

/// Longest header with tags, in octets.
const TAGS_MAX: usize = 1_000;

/// A request as it is shown, with its tag.
pub(super) struct Seen {
    /// What is shown.
    view: RequestView,
    /// Its tag.
    etag: String,
}

impl Seen {
    /// A request as an answer shows it.
    pub(super) fn of(mut view: RequestView) -> Self {
        milestones(&mut view);
        let left = view.summary.left_minutes.take();
        let shown = sha256_hex(serde_json::to_vec(&view).unwrap_or_default());
        view.summary.left_minutes = left;
        let etag = format!("\"{}.{}\"", view.version, &shown[..16]);
        Self { view, etag }
    }

    /// Its tag.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }
}

impl IntoResponse for Seen {
    fn into_response(self) -> Response {
        let headers = [(ETAG, self.etag), (VARY, VARIES.to_owned())];
        (headers, Json(self.view)).into_response()
    }
}

/// Whether one of the tags of a header is this one, or any; compared weakly, as for reading.
pub(super) fn names<'h>(mut lines: impl Iterator<Item = &'h str>, etag: &str) -> bool {
    lines.any(|line| {
        line.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    })
}

/// The versions that `If-Match` names; none where it is missing or takes any.
pub(super) fn expected(headers: &HeaderMap) -> Result<Option<Vec<String>>, Problem> {
    let mut versions = Vec::new();
    let mut lines = headers.get_all(IF_MATCH).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    for line in lines {
        let text = line.to_str().ok().filter(|text| text.len() <= TAGS_MAX);
        let text =
            text.ok_or_else(|| Problem::bad_request("If-Match is no list of entity tags"))?;
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(None);
            }
            // A tag that is weak or not of ours matches nothing.
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let version = inner.and_then(|inner| inner.split_once('.'));
            versions.push(version.map_or("", |(version, _)| version).to_owned());
        }
    }
    Ok(Some(versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a header expects.
    fn of(line: &'static str) -> Option<Vec<String>> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, line.parse().unwrap());
        expected(&headers).unwrap()
    }

    #[test]
    fn tags_are_compared_as_the_header_means() {
        assert_eq!(of("\"18f-2.00ff\""), Some(vec!["18f-2".to_owned()]));
        assert_eq!(of("\"a.1\", \"b.2\""), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(of("*"), None);
        for foreign in ["W/\"a.1\"", "nonsense", "\"nonsense\""] {
            assert_eq!(of(foreign), Some(vec![String::new()]), "{foreign}");
        }
        assert!(names(["\"x\", W/\"a.1\""].into_iter(), "\"a.1\""));
        assert!(names(["*"].into_iter(), "\"a.1\"") && !names(["\"b\""].into_iter(), "\"a.1\""));
    }
}
