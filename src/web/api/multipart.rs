//! The two parts of a submitted request: its JSON and the letter.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;

use super::caller::Caller;
use super::problem::Problem;
use crate::desk::ActError;
use crate::queue::{Application, Fault, Rule};
use crate::uploads::{self, Letter, Sender};
use crate::web::limits::Route;
use crate::web::sent::Upload;
use crate::web::state::State;

/// Longest JSON of a request, in octets.
const REQUEST_MAX: usize = 64 * 1024;

/// A request as sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// The data.
    pub(super) application: Application,
    /// The letter.
    pub(super) letter: Option<Upload>,
}

/// Reads the letter that was sent, if one was. Whoever sends no token may have so many read an hour,
/// as on the pages.
pub(super) async fn read_letter(
    state: &State,
    caller: &Caller,
    letter: Option<Upload>,
) -> Result<Option<Letter>, Problem> {
    let Some(upload) = letter else { return Ok(None) };
    let of = if caller.has_token() {
        Sender::Officer
    } else {
        state.limits().take(Route::Upload, caller.address).map_err(Problem::too_many)?;
        Sender::Stranger
    };
    let read = state.letters().read(upload.bytes, of).await;
    read.map(Some).map_err(|fault| ActError::Letter(fault).into())
}

impl FromRequest<State> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let parts = Multipart::from_request(request, state).await;
        let mut parts = parts.map_err(|rejection| {
            let detail = format!("multipart/form-data is needed: {}", rejection.body_text());
            Problem::unsupported(&detail)
        })?;
        let mut application = None;
        let mut letter = None;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            match part.name().unwrap_or("") {
                "request" => application = Some(read(&part.bytes().await.map_err(unreadable)?)?),
                "letter" => {
                    let file = Upload::take(part).await?;
                    uploads::fits(&file.bytes).map_err(ActError::Letter)?;
                    if !file.bytes.is_empty() {
                        letter = Some(file);
                    }
                }
                // Skipped, whatever it holds.
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
    Problem::too_large("the letter may have 10 MB at most")
}
