//! The fields of requests and answers that are passed on: those of one connection stay behind (RFC 9110 §7.6).

use axum::extract::Request;
use axum::http::header::{
    CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, HeaderName, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, HeaderValue, Version};
use axum::response::Response;

/// Fields that mean one connection only, beside those that `Connection` names.
const OF_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What was said here about the way to here: the visitor's address is vouched for by this node, and `Expect` was
/// answered by it.
const ENDS_HERE: [HeaderName; 3] = [FORWARDED, HeaderName::from_static("x-forwarded-for"), EXPECT];

/// Makes a request one to another node, for the site that the visitor asked for.
pub(super) fn onward(request: &mut Request, node: &HeaderValue) {
    let site = request.uri().authority().map(|it| HeaderValue::from_str(it.as_str()));
    let site = site.and_then(Result::ok).or_else(|| request.headers().get(HOST).cloned());
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.unwrap_or(PathAndQuery::from_static("/")).into();
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    strip(headers);
    ENDS_HERE.iter().for_each(|name| drop(headers.remove(name)));
    join_cookies(headers);
    headers.insert(HOST, site.unwrap_or_else(|| node.clone()));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.append(VIA, HeaderValue::from_static("1.1 gapura"));
}

/// Makes an answer of another node one of ours.
pub(super) fn back(response: &mut Response) {
    // The version of each connection is its own.
    *response.version_mut() = Version::HTTP_11;
    strip(response.headers_mut());
}

/// Removes what means one connection only.
fn strip(headers: &mut HeaderMap) {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    let named: Vec<HeaderName> = lines
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Without its host a request is for nobody.
        .filter(|name| *name != HOST)
        .collect();
    named.iter().chain(&OF_CONNECTION).for_each(|name| drop(headers.remove(name)));
}

/// HTTP/2 may send one `Cookie` line for each cookie; HTTP/1.1 has one line (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(line) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(COOKIE, line);
    }
}

/// The authority of a URL, as the field `Host` has it.
pub(super) fn authority(url: &Uri) -> Option<HeaderValue> {
    url.authority().and_then(|it| HeaderValue::from_str(it.as_str()).ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// A request after it was made one to `node:1`.
    fn onwards(request: axum::http::request::Builder) -> Request {
        let mut request = request.body(Body::empty()).unwrap();
        onward(&mut request, &HeaderValue::from_static("node:1"));
        request
    }

    #[test]
    fn what_means_one_connection_stays_behind() {
        let request = Request::post("/permohonan?a=b&c=%2F")
            .version(Version::HTTP_2)
            .header(HOST, "gapura.example")
            .header(CONNECTION, "X-Own, close, Host")
            .header(CONNECTION, "\u{ff}")
            .header("x-own", "1")
            .header("keep-alive", "timeout=5")
            .header(TE, "trailers")
            .header(EXPECT, "100-continue")
            .header("x-forwarded-for", "192.0.2.1")
            .header("x-forwarded-proto", "https")
            .header("if-none-match", "\"7\"")
            .header(COOKIE, "a=1")
            .header(COOKIE, "b=2; c=3");
        let onward = onwards(request);
        assert_eq!(onward.uri(), "/permohonan?a=b&c=%2F");
        assert_eq!(onward.version(), Version::HTTP_11);
        let mut names: Vec<_> = onward.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let kept = ["connection", "cookie", "host", "if-none-match", "via", "x-forwarded-proto"];
        assert_eq!(names, kept);
        let value = |name: &str| onward.headers()[name].to_str().unwrap();
        assert_eq!((value("connection"), value("host")), ("close", "gapura.example"));
        assert_eq!(value("cookie"), "a=1; b=2; c=3");
    }

    #[test]
    fn the_site_is_the_one_that_was_asked_for() {
        let host = |request| onwards(request).headers()[HOST].clone();
        let absolute = Request::get("http://asked.example:81/x").header(HOST, "other.example");
        assert_eq!(host(absolute), "asked.example:81", "RFC 9112 §3.2.2");
        assert_eq!(host(Request::get("/x").header(HOST, "h.example")), "h.example");
        assert_eq!(host(Request::get("/x")), "node:1", "HTTP/1.0 names none");
    }
}
