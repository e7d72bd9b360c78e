//! What a client accepts (RFC 9110 §12.5.1).

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::kinds::ProblemKind;
use super::problem::Problem;

/// The ranges of the header, each with its weight from 0 to 1.
fn ranges(headers: &HeaderMap) -> Vec<(String, f32)> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let parts = lines.flat_map(|line| line.split(','));
    let read = |part: &str| {
        let mut pieces = part.split(';').map(str::trim);
        let range = pieces.next().unwrap_or("").to_ascii_lowercase();
        let weight = pieces.find_map(|piece| piece.strip_prefix("q="));
        let weight = weight.map_or(1.0, |q| q.parse().unwrap_or(0.0_f32)).clamp(0.0, 1.0);
        (range, weight)
    };
    parts.map(read).filter(|(range, _)| !range.is_empty()).collect()
}

/// How much a media type is wanted, from 0 to 1; the most specific range counts.
pub(super) fn weight(headers: &HeaderMap, media: &str) -> f32 {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return 1.0;
    }
    let group = format!("{}/*", media.split('/').next().unwrap_or(""));
    let of = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, q)| *q);
    of(media).or_else(|| of(&group)).or_else(|| of("*/*")).unwrap_or(0.0)
}

/// Whether a media type is accepted at all.
pub(super) fn takes(headers: &HeaderMap, media: &str) -> bool {
    weight(headers, media) > 0.0
}

/// Whether the header names a media type itself.
pub(super) fn names(headers: &HeaderMap, media: &str) -> bool {
    ranges(headers).iter().any(|(range, _)| range == media)
}

/// That nothing of what is offered is accepted.
pub(super) fn refused() -> Problem {
    let detail = "this call answers in application/json, or in what the document says";
    Problem::new(ProblemKind::NotAcceptable, detail)
}

/// Refuses calls that accept no JSON, where JSON is all there is. Whoever asks for a problem in JSON
/// accepts JSON.
pub(super) async fn json_only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let accepted = ["application/json", "application/problem+json"];
    if !accepted.iter().any(|media| takes(headers, media)) {
        return refused().into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much JSON is wanted, in hundredths.
    fn json(line: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, line.parse().unwrap());
        format!("{:.2}", weight(&headers, "application/json"))
    }

    #[test]
    fn the_most_specific_range_counts() {
        for (line, wanted) in [
            ("*/*", "1.00"),
            ("text/html, application/*;q=0.5", "0.50"),
            ("application/json;q=0, */*", "0.00"),
            ("APPLICATION/JSON", "1.00"),
            ("text/csv", "0.00"),
            ("application/json; q=0.25", "0.25"),
        ] {
            assert_eq!(json(line), wanted, "{line}");
        }
        assert!(takes(&HeaderMap::new(), "application/json"));
    }
}
