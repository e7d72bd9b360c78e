//! The caller: an officer by bearer token, an applicant by secret, or nobody in particular; and what
//! they send.

use std::net::IpAddr;

use axum::body::{Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::json::{self, Known};
use super::problem::Problem;
use crate::people::{Bearer, Scope};
use crate::web::state::State;
use crate::web::visitor;

/// Longest token or secret, in octets.
const CREDENTIAL_MAX: usize = 200;

/// Longest JSON body of an act, in octets.
const BODY_MAX: usize = 128 * 1024;

/// What is known of who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Their address, past trusted proxies.
    pub(super) address: IpAddr,
    /// The officer whose token it is.
    bearer: Option<Bearer>,
    /// The applicant's secret, not yet tested.
    secret: Option<String>,
}

impl Caller {
    /// The officer, whatever their token may do.
    pub(super) fn bearer(&self) -> Result<&Bearer, Problem> {
        self.bearer.as_ref().ok_or_else(|| Problem::unauthorized("a bearer token is needed"))
    }

    /// The officer, if their token has the scope.
    pub(super) fn officer(&self, scope: Scope) -> Result<&Bearer, Problem> {
        let bearer = self.bearer()?;
        if bearer.scopes.has(scope) { Ok(bearer) } else { Err(Problem::insufficient_scope(scope)) }
    }

    /// The applicant's secret, which must have come along.
    pub(super) fn secret(&self) -> Result<String, Problem> {
        let missing = "a bearer token or the header Gapura-Secret is needed";
        self.secret.clone().ok_or_else(|| Problem::unauthorized(missing))
    }

    /// Names who calls, for what only they may repeat.
    pub(super) fn identity(&self) -> String {
        match (&self.bearer, &self.secret) {
            (Some(bearer), _) => format!("person {}", bearer.account.id),
            (None, Some(secret)) => format!("secret {secret}"),
            (None, None) => "nobody".to_owned(),
        }
    }

    /// Whether a token came along.
    pub(super) fn has_token(&self) -> bool {
        self.bearer.is_some()
    }
}

impl FromRequestParts<State> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let address = visitor::address(&parts.extensions, &parts.headers, state);
        let secret = credential(&parts.headers, "gapura-secret")?;
        let mut bearer = None;
        if let Some(value) = credential(&parts.headers, AUTHORIZATION.as_str())? {
            let token = value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim().to_owned());
            let token =
                token.ok_or_else(|| Problem::invalid_token("only bearer tokens are known"))?;
            bearer = state.work(move |state| state.people().bearer(&token, address)).await??;
            if bearer.is_none() {
                let detail = "the token is unknown, ended, revoked, or bound to another network";
                return Err(Problem::invalid_token(detail));
            }
        }
        Ok(Self { address, bearer, secret })
    }
}

/// A credential that came along. One that is empty, unreadable, too long or sent twice is a wrong one
/// and never none: who meant to prove something is not taken for a stranger.
fn credential(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().ok().map(str::trim);
    let text = text.filter(|text| !text.is_empty() && text.len() <= CREDENTIAL_MAX);
    match (text, lines.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => {
            let detail =
                format!("{name} must be sent once, in visible ASCII, with at most 200 octets");
            Err(Problem::invalid_token(&detail))
        }
    }
}

//------------ Body ----------------------------------------------------------

/// The JSON body of an act. Nothing else is taken for one, so that no form of another site and no
/// file that was sent by mistake acts; only an act that takes nothing needs no body.
pub(super) async fn body(request: Request, may_be_empty: bool) -> Result<Bytes, Problem> {
    let media = request.headers().get(CONTENT_TYPE).map(|it| it.to_str().unwrap_or("?"));
    let media = media.map(|it| it.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    if request.body().size_hint().lower() > BODY_MAX as u64 {
        return Err(Problem::too_large("the body of an act may have 128 KiB at most"));
    }
    let bytes = to_bytes(request.into_body(), BODY_MAX).await;
    let bytes =
        bytes.map_err(|_| Problem::bad_request("the body is too long or ends too early"))?;
    let blank = bytes.iter().all(u8::is_ascii_whitespace);
    let is_json = media.as_deref().is_some_and(|media| media == "application/json");
    match (is_json, media.is_none() && blank) {
        (true, _) | (_, true) if blank && !may_be_empty => {
            Err(Problem::bad_request("this act takes a JSON body"))
        }
        (true, _) | (_, true) => Ok(bytes),
        _ => Err(Problem::unsupported("an act is taken as application/json")),
    }
}

/// The same, read; these fields are all it may have, and `needed` must be there.
pub(super) async fn json<T: DeserializeOwned>(
    request: Request,
    known: Known<'_>,
    needed: &[&str],
) -> Result<T, Problem> {
    let bytes = body(request, false).await?;
    json::read(&bytes, known, needed)
}

//------------ Named ---------------------------------------------------------

/// The parts of the path; what is no text is a problem like any other.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<State> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(value)| Self(value))
            .map_err(|error| Problem::bad_request(format!("the path: {}", error.body_text())))
    }
}
