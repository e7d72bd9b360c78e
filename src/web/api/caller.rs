//! The caller: an officer by bearer token, an applicant by secret, or nobody in particular.

use std::net::IpAddr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::people::{Bearer, Scope};
use crate::web::state::State;
use crate::web::visitor;

/// Longest token or secret, in octets.
const CREDENTIAL_MAX: usize = 200;

/// What is known of who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Their address, past trusted proxies.
    pub(super) address: IpAddr,
    /// The officer whose token it is.
    bearer: Option<Bearer>,
    /// The applicant's secret, not yet tested.
    pub(super) secret: Option<String>,
}

impl Caller {
    /// The officer, if their token has the scope.
    pub(super) fn officer(&self, scope: Scope) -> Result<&Bearer, Problem> {
        let Some(bearer) = &self.bearer else {
            return Err(Problem::unauthorized("a bearer token is needed"));
        };
        if bearer.scopes.has(scope) {
            Ok(bearer)
        } else {
            Err(Problem::not_allowed(&format!("the token lacks the scope {}", word(scope))))
        }
    }

    /// Whether a token came along.
    pub(super) fn has_token(&self) -> bool {
        self.bearer.is_some()
    }
}

/// The scope's name.
fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Submit => "submit",
        Scope::Decide => "decide",
    }
}

impl FromRequestParts<State> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let address = visitor::address(&parts.extensions, &parts.headers, state);
        let header = |name: &str| {
            let value = parts.headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty() && value.len() <= CREDENTIAL_MAX).then(|| value.to_owned())
        };
        let mut bearer = None;
        if let Some(value) = header(AUTHORIZATION.as_str()) {
            let token = value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim().to_owned());
            let token =
                token.ok_or_else(|| Problem::unauthorized("only bearer tokens are known"))?;
            bearer = state.work(move |state| state.people().bearer(&token, address)).await??;
            if bearer.is_none() {
                let detail = "the token is unknown, ended, revoked, or bound to another network";
                return Err(Problem::unauthorized(detail));
            }
        }
        Ok(Self { address, bearer, secret: header("gapura-secret") })
    }
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

//------------ Asked ---------------------------------------------------------

/// The parameters behind the question mark; what cannot be read is a problem like any other.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        let unreadable = |error: QueryRejection| Problem::bad_request(error.body_text());
        read.map(|Query(value)| Self(value)).map_err(unreadable)
    }
}
