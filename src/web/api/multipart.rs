//! The two parts of a submitted request: its JSON and the letter.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;

use super::caller::Caller;
use super::json;
use super::problem::Problem;
use crate::desk::ActError;
use crate::queue::fields::FIELDS;
use crate::queue::{Application, Fault, Rule};
use crate::uploads::{self, Letter, Sender};
use crate::web::limits::{Route, network};
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
        state.limits().spend(Route::Upload, caller.address).map_err(Problem::too_many)?;
        Sender::Stranger(network(caller.address))
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
        let mut sent = Self { application: Application::blank(""), letter: None };
        let mut seen: Vec<&str> = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            let name = part.name().unwrap_or("").to_owned();
            let Some(name) = PARTS.into_iter().find(|known| *known == name) else {
                let name: String = name.chars().take(100).collect();
                return Err(Problem::unreadable(&[Fault::new(name, Rule::UnknownField, "")]));
            };
            if seen.contains(&name) {
                return Err(Problem::unreadable(&[Fault::new(name, Rule::SentTwice, "")]));
            }
            seen.push(name);
            if name == "letter" {
                let file = Upload::take(part).await?;
                uploads::fits(&file.bytes).map_err(ActError::Letter)?;
                sent.letter = Some(file).filter(|file| !file.bytes.is_empty());
                continue;
            }
            if part.content_type().is_some_and(|media| !is_json(media)) {
                return Err(Problem::unsupported("the part `request` is application/json"));
            }
            sent.application = application(&part.bytes().await.map_err(unreadable)?)?;
        }
        if seen.contains(&"request") {
            Ok(sent)
        } else {
            Err(Problem::of_fault("request", Rule::Empty, ""))
        }
    }
}

/// The parts that are taken.
const PARTS: [&str; 2] = ["request", "letter"];

/// Whether a part says that it is JSON, or at least no other thing: what has no type of its own is sent
/// as plain text or as octets by many clients.
fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    ["application/json", "text/plain", "application/octet-stream"].contains(&media.as_str())
}

/// What an application must have to be read at all; what else is missing the rules say.
const NEEDED: [&str; 9] = [
    "kind",
    "class",
    "name",
    "zone",
    "office",
    "contact",
    "letter",
    "letter.number",
    "letter.date",
];

/// The JSON of an application.
pub(super) fn application(bytes: &[u8]) -> Result<Application, Problem> {
    if bytes.len() > REQUEST_MAX {
        return Err(Problem::too_large("the request may have 64 KiB at most, without the letter"));
    }
    let mut known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    known.extend(["records.*.type", "records.*.data", "records.*.ttl"]);
    let needed: Vec<&str> = NEEDED.into_iter().chain(["contact.name", "contact.email"]).collect();
    json::read(bytes, &known, &needed)
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
