//! The OpenAPI document: what the handlers say of themselves, what acts take, and what is common to
//! all calls. It is made once; the page `/api` shows the same.
//!
//! How a call is described (docs/api.md, "Adding a call"): `utoipa::path` above its handler
//! gives path, tag, `operation_id`, texts and types; its parameters are a [`params`](super::params)
//! table; problems, limits and headers are added here.

mod acts;
mod bounds;

pub(super) use acts::idempotency_key;

use std::io::Write as _;

use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};

use super::kinds::ProblemKind;
use super::problem::{PROBLEM, Problem};
use super::schema;
use crate::digest::sha256_hex;
use crate::queue::{LineInput, RejectReason};

/// The version of the description: the last number rises with each correction, the one before with each
/// addition. What is taken away or renamed needs another path than `/api/v1` (docs/api.md, "Versions").
const VERSION: &str = "1.2.0";

/// The document before the calls are known.
pub(super) fn blank() -> OpenApi {
    Document::openapi()
}

/// What the document says about the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "gapura",
        description = "The approval queue of an authoritative name server: a verified request becomes \
            a live record.\n\nAn officer sends a personal token (`Authorization: Bearer`), an applicant \
            the secret of the request (`Gapura-Secret`). All times are RFC 3339 in UTC with three \
            digits behind the second. Errors are problem details (RFC 9457) with a stable `code`. \
            Unknown parameters and fields are refused by name, so a misspelt one is never passed over. \
            Members may be added to answers; clients must ignore what they do not know. Every answer \
            has an `X-Request-Id`, under which the log of the server has the call."
    ),
    tags(
        (name = "requests", description = "The queue: sending, following and reading requests."),
        (name = "acts", description = "What is done to a request, one call for each act of the procedure. \
            The state is tested first, then the person, then freshness, then the lines. Each takes \
            `If-Match` with the `ETag` of the request, and an `Idempotency-Key`."),
        (name = "papers", description = "The papers of a request: receipt, slips, sheet, report, letter."),
        (name = "records", description = "Names and what the office has promised about them."),
        (name = "lists", description = "What may stand in a request: zones, classes, offices, regions; \
            and who may check one."),
        (name = "reports", description = "The monthly report, and statistics of queries."),
        (name = "chain", description = "The events: a feed of changes, and the audit trail."),
        (name = "account", description = "The token that calls.")
    ),
    // What only this room and its tables refer to.
    components(schemas(Problem, LineInput, RejectReason)),
    modifiers(&Keys)
)]
struct Document;

/// The two ways to authenticate.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A personal token of an officer (`gapura token create NAME --scope \
                 read,submit,decide`). It acts as that person. The scopes a call needs stand in its \
                 `security`.",
            ))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let about = "The secret of a request, as it was shown when the request was sent.";
        let secret = ApiKeyValue::with_description("Gapura-Secret", about);
        components.add_security_scheme("secret", SecurityScheme::ApiKey(ApiKey::Header(secret)));
    }
}

//------------ Completing ----------------------------------------------------

/// The whole document: what the calls say, with acts, problems and limits.
pub(super) fn complete(calls: OpenApi, url: &str) -> Value {
    let mut document = serde_json::to_value(calls).unwrap_or_default();
    document["info"]["version"] = VERSION.into();
    document["info"]["license"] =
        json!({ "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" });
    document["servers"] = json!([{ "url": url, "description": "This server" }]);
    document["externalDocs"] =
        json!({ "url": format!("{url}/api"), "description": "The same for people" });
    schema::explain(&mut document);
    acts::add(&mut document);
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                add_problems(path, method, operation);
                describe_answers(operation);
            }
        }
    }
    document["components"]["responses"] = refusals();
    bounds::add(&mut document);
    document
}

/// Statuses any call may be refused with.
const ALWAYS: [u16; 6] = [400, 406, 429, 500, 503, 507];
/// Statuses a call with a credential may be refused with besides.
const PROVEN: [u16; 2] = [401, 403];
/// Statuses a call that changes something may be refused with besides.
const WRITING: [u16; 4] = [409, 413, 415, 422];

/// Writes to a call which problems it may answer with, in the media type they come in.
fn add_problems(path: &str, method: &str, operation: &mut Value) {
    let mut statuses = ALWAYS.to_vec();
    let schemes = operation["security"].as_array().into_iter().flatten();
    if schemes.clone().any(|scheme| scheme.as_object().is_some_and(|it| !it.is_empty())) {
        statuses.extend(PROVEN);
    }
    if path.contains('{') {
        statuses.push(404);
    }
    if method == "post" {
        statuses.extend(WRITING);
    }
    let takes = |name: &str, operation: &Value| {
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.any(|parameter| parameter["name"] == name)
    };
    if takes("If-Match", operation) {
        statuses.push(412);
    }
    for status in statuses {
        let name = format!("#/components/responses/Problem{status}");
        operation["responses"][status.to_string()] = json!({ "$ref": name });
    }
}

/// What a call is refused with, by status.
fn refusals() -> Value {
    let mut refusals = Map::new();
    for kind in ProblemKind::ALL {
        let status = kind.status();
        let entry = refusals.entry(format!("Problem{}", status.as_u16())).or_insert_with(|| {
            json!({
                "description": format!("{}: one of", status.canonical_reason().unwrap_or("Error")),
                "content": { PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" } } },
                "headers": headers_of(status.as_u16()),
            })
        });
        let told = entry["description"].as_str().unwrap_or_default();
        entry["description"] = format!("{told} `{}`", kind.code()).into();
    }
    // Every path knows its methods, so no call of the document is refused for its method.
    refusals.remove("Problem405");
    refusals.into()
}

/// The headers that come with a refusal.
fn headers_of(status: u16) -> Value {
    let mut headers = json!({ "X-Request-Id": request_id() });
    match status {
        401 | 403 => {
            headers["WWW-Authenticate"] = json!({
                "description": "The scheme, and what is wrong with the credential (RFC 6750)",
                "schema": { "type": "string" }
            });
        }
        429 | 503 => {
            if status == 429 {
                let text =
                    |about: &str| json!({ "description": about, "schema": { "type": "string" } });
                headers["RateLimit-Policy"] = text(
                    "Where a network has called too often: the limit, as `\"attempt\";q=30;w=60`",
                );
                headers["RateLimit"] = text(
                    "What is left of it, and in how many seconds once more, as `\"attempt\";r=0;t=2`",
                );
            }
            headers["Retry-After"] = json!({
                "description": "Seconds after which the call may be tried again, where that is known",
                "schema": { "type": "integer", "minimum": 1 }
            });
        }
        _ => {}
    }
    headers
}

/// The header that names a call.
fn request_id() -> Value {
    json!({
        "description": "The id of the call: the one the client sent, or a new one",
        "schema": { "type": "string" }
    })
}

/// Every answer has a description, and the header that names the call.
fn describe_answers(operation: &mut Value) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, answer) in responses {
        if answer.get("$ref").is_some() {
            continue;
        }
        if answer["description"].as_str().unwrap_or_default().is_empty() {
            let about = match status.as_str() {
                "201" => "It was made",
                "304" => "Nothing has changed since the answer with this `ETag`",
                _ => "What was asked for",
            };
            answer["description"] = about.into();
        }
        answer["headers"]["X-Request-Id"] = request_id();
    }
}

//------------ Serving -------------------------------------------------------

/// The document in the forms it is sent in.
#[derive(Clone)]
pub(super) struct Served {
    /// JSON.
    plain: Bytes,
    /// The same, gzipped.
    gzipped: Bytes,
    /// Its entity tag.
    etag: String,
}

impl Served {
    /// Makes them once.
    pub(super) fn of(document: &Value) -> Self {
        let plain = serde_json::to_vec(document).unwrap_or_default();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let gzipped = packer.write_all(&plain).and_then(|()| packer.finish()).unwrap_or_default();
        let etag = format!("\"{}\"", &sha256_hex(&plain)[..16]);
        Self { plain: plain.into(), gzipped: gzipped.into(), etag }
    }
}

/// `GET /api/v1/openapi.json`: public, and the same for all, so that any browser may read it.
pub(super) async fn serve(Extract(served): Extract<Served>, headers: HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let common = [
        (CACHE_CONTROL, "public, max-age=300".to_owned()),
        (VARY, "accept-encoding".to_owned()),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
        (ETAG, served.etag.clone()),
    ];
    if text(IF_NONE_MATCH).split(',').any(|tag| tag.trim() == served.etag || tag.trim() == "*") {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let gzip = |part: &str| {
        let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && weight.replace(' ', "") != "q=0"
    };
    let json = (CONTENT_TYPE, "application/json");
    if text(ACCEPT_ENCODING).split(',').any(gzip) {
        return (common, [json, (CONTENT_ENCODING, "gzip")], served.gzipped).into_response();
    }
    (common, [json], served.plain).into_response()
}

/// Runs over every object of a document.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|inner| each_object(inner, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        _ => {}
    }
}
