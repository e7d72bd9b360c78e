//! Acts on a request: one path for each act of the procedure's table, which the document lists one by
//! one.

use axum::extract::{FromRequest, Request, State as Extract};
use serde_json::{Map, Value};

use super::caller::{Caller, Named, body};
use super::json;
use super::multipart::{Sent, read_letter};
use super::once::Once;
use super::params::{Asked, NoParams};
use super::problem::Problem;
use super::version::{self, Seen};
use crate::desk::Terms;
use crate::people::Scope;
use crate::queue::procedure::{ActInput, Input};
use crate::queue::{Act, ActKind, Actor, LineInput};
use crate::web::state::State;

/// `POST /requests/{number}/{act}`.
pub(super) async fn act(
    Extract(state): Extract<State>,
    caller: Caller,
    Named((number, name)): Named<(String, String)>,
    once: Once,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Seen, Problem> {
    let number = number.to_ascii_uppercase();
    let kind = ActKind::from_name(&name).ok_or_else(|| Problem::not_found("act"))?;
    let actor = actor(&state, &caller, &number, kind).await?;
    let unchanged = version::expected(request.headers())?;
    let path = format!("/requests/{number}/{kind}");
    if kind == ActKind::Resubmit {
        let sent = Sent::from_request(request, &state).await?;
        let key = once.of_request(&state, &caller, &sent)?;
        let key = key.map(|key| key.on(&path));
        return resubmit(&state, &caller, number, sent, actor, Terms { once: key, unchanged })
            .await;
    }
    let inputs = kind.row().inputs;
    let may_be_empty = inputs.iter().all(|input| input.what.is_optional());
    let body = body(request, may_be_empty).await?;
    let fields = fields(&body, inputs)?;
    let sent = Value::from(fields.clone()).to_string();
    let key = once.of_call(&state, &caller, &path, &sent);
    let act = Act::from_fields(kind, fields)
        .map_err(|error| Problem::bad_request(format!("the body cannot be read: {error}")))?;
    let terms = Terms { once: key, unchanged };
    Ok(Seen::of(state.perform_on(&number, act, actor, terms).await??))
}

/// Who acts: an officer by token, or the applicant by secret where the act is theirs.
async fn actor(
    state: &State,
    caller: &Caller,
    number: &str,
    kind: ActKind,
) -> Result<Actor, Problem> {
    if caller.has_token() {
        return Ok(caller.officer(Scope::Decide)?.actor());
    }
    if !kind.row().who.includes_applicant() {
        return Err(Problem::unauthorized("this act needs a bearer token"));
    }
    let (of, secret) = (number.to_owned(), caller.secret()?);
    let job = move |state: &State| state.desk().applicant(&of, &secret);
    Ok(state.with_secret(number, caller.address, job).await??)
}

/// *Kirim perbaikan*, with the new letter if there is one.
async fn resubmit(
    state: &State,
    caller: &Caller,
    number: String,
    sent: Sent,
    actor: Actor,
    terms: Terms,
) -> Result<Seen, Problem> {
    let (of, by, once) = (number.clone(), actor.clone(), terms.once.clone());
    let before = state.work(move |state| state.desk().acted_before(&of, &by, once.as_ref()));
    if let Some(view) = before.await?? {
        return Ok(Seen::of(view));
    }
    let (of, by) = (number.clone(), actor.clone());
    state.work(move |state| state.desk().may_correct(&of, &by)).await??;
    let Sent { application, letter } = sent;
    let letter = read_letter(state, caller, letter).await?;
    let job =
        move |state: &State| state.desk().resubmit_on(&number, application, letter, &actor, &terms);
    Ok(Seen::of(state.work(job).await??))
}

//------------ Reading -------------------------------------------------------

/// The fields of an act's body: only those it takes, each of its type.
fn fields(body: &[u8], inputs: &[Input]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let mut known: Vec<String> = Vec::new();
    for input in inputs {
        if input.what.is_lines() {
            known
                .extend(["code", "verdict", "note"].map(|part| format!("{}.*.{part}", input.name)));
        } else {
            known.push(input.name.to_owned());
        }
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut fields: Map<String, Value> = json::read(body, &known, &[])?;
    for input in inputs {
        if let Some(value) = fields.get(input.name) {
            typed(*input, value.clone())?;
        }
    }
    // Null is nothing: the rules say whether something must be there.
    fields.retain(|_, value| !value.is_null());
    Ok(fields)
}

/// Tests that a value is of the type of its input.
fn typed(input: Input, value: Value) -> Result<(), Problem> {
    match input.what {
        what if what.is_lines() => json::typed::<Vec<LineInput>>(input.name, value).map(drop),
        ActInput::Revision | ActInput::Serial => {
            json::typed::<Option<u32>>(input.name, value).map(drop)
        }
        _ => json::typed::<Option<String>>(input.name, value).map(drop),
    }
}
