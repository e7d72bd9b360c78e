//! `Idempotency-Key`: a call that is repeated because its answer got lost is done once.
//!
//! The key counts for whoever calls: an officer, the holder of a secret, or anybody. So that nobody
//! without an account gets another's answer, the key must be long, and what is sent must be the same.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::caller::Caller;
use super::document::idempotency_key;
use super::multipart::Sent;
use super::problem::Problem;
use crate::desk::Once as Key;
use crate::digest::sha256_hex;
use crate::people::keyed_tag;
use crate::queue::{Fault, Rule};
use crate::web::state::State;

/// The header.
const HEADER: &str = "idempotency-key";
/// How long a key may be, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// The key that came along, if one did.
pub(super) struct Once(Option<String>);

impl Once {
    /// The key of a call that sends a request.
    pub(super) fn of_request(
        &self,
        state: &State,
        caller: &Caller,
        sent: &Sent,
    ) -> Result<Option<Key>, Problem> {
        let letter = sent.letter.as_ref().map(|letter| sha256_hex(&letter.bytes));
        let application = serde_json::to_string(&sent.application).map_err(Problem::internal)?;
        let content = format!("{application}\n{}", letter.unwrap_or_default());
        Ok(self.of_call(state, caller, "/requests", &content))
    }

    /// The key of a call to a path.
    pub(super) fn of_call(
        &self,
        state: &State,
        caller: &Caller,
        path: &str,
        sent: &str,
    ) -> Option<Key> {
        let tag = |value: &str| keyed_tag(state.form_key(), "call once", value);
        let key = tag(&format!("{}\n{}", caller.identity(), self.0.as_ref()?));
        Some(Key { key, call: tag(&format!("{path}\n{sent}")) })
    }
}

impl FromRequestParts<State> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        let mut lines = parts.headers.get_all(HEADER).iter();
        let Some(line) = lines.next() else { return Ok(Self(None)) };
        let text = line.to_str().ok().map(str::trim);
        let text = text.filter(|text| LENGTHS.contains(&text.len()));
        match (text, lines.next()) {
            (Some(text), None) => Ok(Self(Some(text.to_owned()))),
            _ => {
                let wanted = "one word of 16 to 128 visible ASCII characters";
                let fault = Fault::new("Idempotency-Key", Rule::BadParameter, wanted);
                Err(Problem::unreadable(&[fault]))
            }
        }
    }
}

impl IntoParams for Once {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        serde_json::from_value(idempotency_key()).into_iter().collect()
    }
}
