//! What an officer typed is not lost when the session has ended meanwhile, or password and code are
//! asked for first: it is kept, and the form fills itself in again where it is shown.

use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use super::failure::Failure;
use super::proof;
use super::sent::Fields;
use super::state::State;
use super::visitor::{Visitor, form_token};

/// Forms that are never kept: they prove a person, or belong to somebody without an account.
const NOT_KEPT: [&str; 12] = [
    "/masuk",
    "/masuk/kode",
    "/masuk/daftar",
    "/masuk/lagi",
    "/keluar",
    "/tautan",
    "/akun/sandi",
    "/konfirmasi",
    "/periksa-naskah",
    "/status",
    "/status/kode",
    "/status/selesai",
];
/// Fields that are never kept, or that nobody typed.
const NEVER: [&str; 9] =
    ["csrf", "once", "password", "new", "again", "code", "old_code", "lanjut", "sure"];

/// A form that was sent: what it is kept under, and the page it stands on.
pub(super) struct Place {
    /// The path it is sent to.
    pub(super) form: String,
    /// The page with the form, or with the button that leads to it.
    pub(super) page: String,
}

impl Place {
    /// The place of the form that comes with this request, if it may be kept.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let path = parts.uri.path();
        let kept = !NOT_KEPT.contains(&route);
        kept.then(|| Self { form: path.to_owned(), page: proof::page_of(route, path) })
    }
}

/// The person whose session has ended and whose form this is: the form and the cookie of that session
/// belong together.
pub(super) fn person_of(state: &State, visitor: &Visitor, csrf: &str) -> Option<String> {
    let token = visitor.ended.as_deref()?;
    let (person, _) = csrf.rsplit_once('.')?;
    let right = form_token(state, token, person);
    bool::from(right.as_bytes().ct_eq(csrf.as_bytes())).then(|| person.to_owned())
}

/// What somebody typed or chose in a form.
fn typed(fields: &Fields) -> Vec<(String, String)> {
    let typed = fields.0.iter().filter(|(name, _)| !NEVER.contains(&name.as_str()));
    typed.cloned().collect()
}

/// Keeps what a person typed.
pub(super) async fn keep(
    state: &State,
    person: &str,
    form: &str,
    fields: &Fields,
) -> Result<(), Failure> {
    let kept = typed(fields);
    if kept.is_empty() {
        return Ok(());
    }
    let (person, form) = (person.to_owned(), form.to_owned());
    Ok(state.work(move |state| state.desk().keep_unsent(&person, &form, &kept)).await??)
}

/// Drops what was kept of a form: it came again. A bare button is no form that came again.
pub(super) async fn drop_kept(
    state: &State,
    visitor: &Visitor,
    form: &str,
    fields: &Fields,
) -> Result<(), Failure> {
    let Some(session) = visitor.officer().filter(|_| !typed(fields).is_empty()) else {
        return Ok(());
    };
    let (person, form) = (session.account.id.clone(), form.to_owned());
    Ok(state.work(move |state| state.desk().drop_unsent(&person, &form)).await??)
}

impl Visitor {
    /// What the officer typed in a form that is shown in answer to a button.
    pub(super) async fn kept(&self, state: &State, form: &str) -> Result<Option<Fields>, Failure> {
        let Some(session) = self.officer() else { return Ok(None) };
        let (person, form) = (session.account.id.clone(), form.to_owned());
        let kept = state.work(move |state| state.desk().unsent(&person, &form)).await??;
        Ok(kept.map(Fields))
    }
}

//------------ FormKey -------------------------------------------------------

/// What every form of a visitor carries: the token, and what an officer typed and could not send.
#[derive(Clone, Debug, Default)]
pub(super) struct FormKey {
    /// The token.
    pub(super) token: String,
    /// What was typed, by the path it was sent to.
    pub(super) kept: Arc<Vec<(String, Fields)>>,
}

impl FormKey {
    /// The key of somebody of whom nothing was kept.
    pub(super) fn new(token: String) -> Self {
        Self { token, kept: Arc::default() }
    }

    /// What was typed in the form that is sent to this address.
    pub(super) fn typed(&self, action: &str) -> Option<Fields> {
        let path = action.split('?').next().unwrap_or_default();
        self.kept.iter().find(|(form, _)| form == path).map(|(_, fields)| fields.clone())
    }
}
