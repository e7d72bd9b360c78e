//! What an officer typed is not lost when the session has ended meanwhile, or password and code are
//! asked for first: it is kept, and the page fills it in again.

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use super::failure::Failure;
use super::sent::Fields;
use super::state::State;
use super::visitor::{Visitor, form_token};

/// Routes whose page fills in again what was kept.
const ROUTES: [&str; 3] =
    ["/tinjau/{number}", "/tinjau/{number}/{act}", "/tinjau/{number}/pemberitahuan/{id}"];
/// Fields that are never kept.
const NEVER: [&str; 7] = ["csrf", "once", "password", "again", "code", "old_code", "lanjut"];

/// The page whose form this is, if it fills in again what was kept.
pub(super) fn page_of(parts: &Parts) -> Option<String> {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    ROUTES.contains(&route).then(|| parts.uri.path().to_owned())
}

/// The person whose session has ended and whose form this is: the form and the cookie of that session
/// belong together.
pub(super) fn person_of(state: &State, visitor: &Visitor, csrf: &str) -> Option<String> {
    let token = visitor.ended.as_deref()?;
    let (person, _) = csrf.rsplit_once('.')?;
    let right = form_token(state, token, person);
    bool::from(right.as_bytes().ct_eq(csrf.as_bytes())).then(|| person.to_owned())
}

/// Keeps what a person typed.
pub(super) async fn keep(
    state: &State,
    person: &str,
    page: &str,
    fields: &Fields,
) -> Result<(), Failure> {
    let kept = fields.0.iter().filter(|(name, _)| !NEVER.contains(&name.as_str()));
    let kept: Vec<_> = kept.cloned().collect();
    let (person, page) = (person.to_owned(), page.to_owned());
    Ok(state.work(move |state| state.desk().keep_unsent(&person, &page, &kept)).await??)
}

/// Drops what was kept for a page: it came again.
pub(super) async fn drop_kept(state: &State, visitor: &Visitor, page: &str) -> Result<(), Failure> {
    let Some(session) = visitor.officer() else { return Ok(()) };
    let (person, page) = (session.account.id.clone(), page.to_owned());
    Ok(state.work(move |state| state.desk().drop_unsent(&person, &page)).await??)
}

impl Visitor {
    /// What the officer typed on a page before the session ended.
    pub(super) async fn kept(&self, state: &State, page: &str) -> Result<Option<Fields>, Failure> {
        let Some(session) = self.officer() else { return Ok(None) };
        let (person, page) = (session.account.id.clone(), page.to_owned());
        let kept = state.work(move |state| state.desk().unsent(&person, &page)).await??;
        Ok(kept.map(Fields))
    }
}
