//! The two parts of a submitted request: its JSON and the letter.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;

use super::problem::Problem;
use crate::desk::NewAttachment;
use crate::queue::{Application, Fault, Rule};
use crate::web::state::State;

/// Largest letter, in octets.
const LETTER_MAX: usize = 2 * 1024 * 1024;
/// Longest JSON of a request, in octets.
const REQUEST_MAX: usize = 64 * 1024;

/// A request as sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// The data.
    pub(super) application: Application,
    /// The letter.
    pub(super) letter: Option<NewAttachment>,
}

impl FromRequest<State> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let parts = Multipart::from_request(request, state).await;
        let mut parts = parts.map_err(|rejection| {
            let detail = format!("multipart/form-data is needed: {}", rejection.body_text());
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        })?;
        let mut application = None;
        let mut letter = None;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            let name = part.name().unwrap_or("").to_owned();
            let bytes = part.bytes().await.map_err(unreadable)?;
            match name.as_str() {
                "request" => application = Some(read(&bytes)?),
                "letter" if bytes.len() > LETTER_MAX => return Err(too_large()),
                "letter" if bytes.is_empty() => {}
                "letter" => letter = Some(NewAttachment { bytes: bytes.to_vec() }),
                _ => {}
            }
        }
        let missing = || Problem::of_faults(vec![Fault::new("request", Rule::Empty, "")]);
        Ok(Self { application: application.ok_or_else(missing)?, letter })
    }
}

/// The JSON of the part `request`.
fn read(bytes: &[u8]) -> Result<Application, Problem> {
    if bytes.len() > REQUEST_MAX {
        return Err(Problem::bad_request("the part `request` is too long"));
    }
    let read = serde_json::from_slice(bytes);
    read.map_err(|error| {
        Problem::bad_request(format!("the part `request` cannot be read: {error}"))
    })
}

/// A body that ends too early, is too long, or is no multipart.
fn unreadable(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::bad_request(format!("the parts cannot be read: {}", error.body_text()))
}

/// The letter is too large.
fn too_large() -> Problem {
    Problem::too_large("the letter may have 2 MB at most")
}
