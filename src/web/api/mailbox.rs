//! Codes that prove a mailbox, for callers of the API: asked for with an address, sent back with the request.

use axum::Json;
use axum::extract::{OptionalFromRequestParts, Request, State as Extract};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, json};
use super::kinds::ProblemKind;
use super::params::{Asked, NoParams};
use super::problem::Problem;
use crate::desk::TriedCode;
use crate::notice::CodeFor;
use crate::people::random_token;
use crate::queue::person::is_mailbox;
use crate::queue::{Fault, Rule};
use crate::web::limits::{Route, network};
use crate::web::state::State;
use crate::words::{Lang, Words};

/// The header that carries id and code.
const HEADER: &str = "gapura-mailbox";
/// Longest header, in octets.
const HEADER_MAX: usize = 200;

/// Where a code is to be mailed.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Wanted {
    /// The mailbox of the request's contact.
    email: String,
}

/// A code is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mailed {
    /// Goes back with the code, in the header `Gapura-Mailbox`.
    id: String,
    /// How long the code holds, in seconds.
    expires_in: u32,
}

/// Mail a code that proves a mailbox
///
/// The code goes back with the request: `Gapura-Mailbox: ID CODE`. It holds for 15 minutes and five tries.
#[utoipa::path(post, path = "/mailbox-codes", operation_id = "ask_mailbox_code", tag = "requests",
    params(Asked<NoParams>), security((), ("token" = ["submit"])), request_body = Wanted,
    responses((status = 201, description = "A code was mailed", body = Mailed)))]
pub(super) async fn ask(
    Extract(state): Extract<State>,
    caller: Caller,
    _: Asked<NoParams>,
    request: Request,
) -> Result<(StatusCode, Json<Mailed>), Problem> {
    let Some(mailer) = state.mailer() else {
        let detail = "this server sends no mail: send the request without a code, an officer compares the letter";
        return Err(Problem::new(ProblemKind::MailOff, detail));
    };
    if !caller.has_token() && !state.settings().public_submit {
        return Err(Problem::not_allowed("the public form is closed: a token is needed"));
    }
    state.limits().spend(Route::Attempt, caller.address).map_err(Problem::too_many)?;
    let Wanted { email } = json(request, &["email"], &["email"]).await?;
    let email = email.trim().to_owned();
    if !is_mailbox(&email) {
        return Err(Problem::of_faults(vec![Fault::new("email", Rule::BadEmail, "")]));
    }
    let id = random_token()?;
    let (subject, to, from) = (subject(&id), email.clone(), network(caller.address));
    let made = move |state: &State| state.desk().new_mailbox_code(&subject, &to, &from);
    let code = state.work(made).await??;
    let words = Words::of(Lang::Id);
    if let Err(error) = mailer.send_code(CodeFor::Mailbox, &email, &code, words).await {
        tracing::warn!(%error, "a code for a mailbox could not be mailed");
        let detail =
            "the code could not be mailed: try again later, or send the request without one";
        return Err(Problem::new(ProblemKind::NotMailed, detail));
    }
    Ok((StatusCode::CREATED, Json(Mailed { id, expires_in: 15 * 60 })))
}

/// What a proof of a caller is for.
fn subject(id: &str) -> String {
    format!("api:{id}")
}

/// Id and code that came with a request.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    /// The id.
    id: String,
    /// The code, not yet tried.
    code: String,
}

impl Proof {
    /// What it is for.
    pub(super) fn subject(&self) -> String {
        subject(&self.id)
    }

    /// Tries it on a mailbox. A wrong one is an error: whoever sends one wants it to count.
    pub(super) async fn holds(&self, state: &State, email: &str) -> Result<bool, Problem> {
        let (proof, email) = (self.clone(), email.to_owned());
        let job = move |state: &State| {
            let subject = proof.subject();
            if state.desk().mailbox_is_proven(&subject, &email)? {
                return Ok(TriedCode::Right);
            }
            state.desk().try_mailbox_code(&subject, &email, &proof.code)
        };
        let rule = match state.work(job).await?? {
            TriedCode::Right => return Ok(true),
            TriedCode::Wrong(_) => Rule::MailboxCodeWrong,
            TriedCode::None => Rule::MailboxCodeOver,
        };
        Err(Problem::of_faults(vec![Fault::new("contact.email", rule, "")]))
    }
}

impl OptionalFromRequestParts<State> for Proof {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|text| text.len() <= HEADER_MAX);
        let pair = text.and_then(|text| text.trim().split_once(' '));
        match (pair, values.next()) {
            (Some((id, code)), None) => Ok(Some(Self { id: id.to_owned(), code: code.to_owned() })),
            _ => Err(Problem::bad_request("Gapura-Mailbox is an id, a blank and a code")),
        }
    }
}
