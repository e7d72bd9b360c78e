//! The OpenAPI document: what is common to all calls, and what acts take, added to the calls' own
//! descriptions.

use axum::http::StatusCode;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::problem::PROBLEM;
use crate::queue::ActKind;
use crate::queue::procedure::ActInput;

/// The document before the calls are known.
pub(super) fn blank() -> OpenApi {
    Document::openapi()
}

/// What the document says about the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "gapura",
        description = "The approval queue: a verified request becomes a live record. Times are \
            RFC 3339 in UTC; errors are problem details (RFC 9457) with a stable `code`."
    ),
    modifiers(&Keys)
)]
struct Document;

/// The two ways to authenticate.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let secret = ApiKey::Header(ApiKeyValue::new("Gapura-Secret"));
        components.add_security_scheme("secret", SecurityScheme::ApiKey(secret));
    }
}

//------------ Acts ----------------------------------------------------------

/// The path of the call that performs an act.
const ACT: &str = "/api/v1/requests/{number}/{act}";

/// Adds to the call that performs an act what each act takes, from the procedure's table.
pub(super) fn with_acts(mut document: OpenApi) -> OpenApi {
    let call = document.paths.paths.get_mut(ACT).and_then(|path| path.post.as_mut());
    if let Some(call) = call {
        let order = call.description.take().unwrap_or_default();
        call.description = Some(format!("{order} {}", bodies()));
    }
    document
}

/// What the acts take, in words.
fn bodies() -> String {
    let mut bodies = Vec::new();
    for act in ActKind::ALL {
        let inputs = act.row().inputs;
        let upload = inputs.iter().any(|input| input.what == ActInput::Correction);
        bodies.push(if upload {
            format!("`{act}` the parts of `POST /requests`, the letter only if it is new")
        } else {
            let names: Vec<&str> = inputs.iter().map(|input| input.name).collect();
            format!("`{act} {{{}}}`", names.join(", "))
        });
    }
    format!(
        "The bodies, where a line is `{{code, verdict: ok | fix | bad | null, note}}` and a \
         candidate is the hash `GET` showed: {}.",
        bodies.join(", ")
    )
}

//------------ Problems ------------------------------------------------------

/// Statuses any call may be refused with.
const ALWAYS: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
];
/// Statuses a call that changes something may be refused with besides.
const WRITING: [StatusCode; 4] = [
    StatusCode::CONFLICT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// Writes to every call which problems it may answer with, in the media type they come in.
pub(super) fn with_problems(mut document: OpenApi) -> OpenApi {
    for path in document.paths.paths.values_mut() {
        let PathItem { get, post, .. } = path;
        for operation in get.iter_mut() {
            add_problems(operation, &ALWAYS);
        }
        for operation in post.iter_mut() {
            add_problems(operation, &ALWAYS);
            add_problems(operation, &WRITING);
        }
    }
    document
}

/// Adds problems to one call.
fn add_problems(operation: &mut Operation, statuses: &[StatusCode]) {
    for status in statuses {
        let problem = ResponseBuilder::new()
            .description(status.canonical_reason().unwrap_or("Error"))
            .content(PROBLEM, Content::new(Some(Ref::from_schema_name("Problem"))))
            .build();
        operation.responses.responses.insert(status.as_str().to_owned(), problem.into());
    }
}
