//! What a form is about, where only a cookie says for whom the browser speaks: number and secret of a request, or a
//! mailed link. Another tab may have put another one there since; nothing is done to what the page did not name.

use axum::http::StatusCode;

use super::failure::Failure;
use super::form::{Field, Form};
use super::sent::Sent;

/// The field that names it.
pub(super) const ABOUT: &str = "perihal";

impl Form {
    /// Names what it is about.
    pub(super) fn about(self, what: &str) -> Self {
        self.field(Field::hidden(ABOUT, what))
    }
}

impl Sent {
    /// Whether the form that was sent is about this.
    pub(super) fn is_about(&self, what: &str) -> Result<(), Failure> {
        let said = self.get(ABOUT);
        if said.is_empty() || said == what {
            return Ok(());
        }
        Err(Failure::new(StatusCode::CONFLICT, "fail-other"))
    }
}
