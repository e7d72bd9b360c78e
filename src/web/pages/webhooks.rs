//! Webhooks, for the administrator: how each does, a test, and another try. They are set in the settings file,
//! because their addresses and secrets are.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::sign_in::proof_first;
use crate::desk::WebhookView;
use crate::people::Role;
use crate::web::failure::Failure;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::webhook::Said;
use crate::words::Words;

/// One webhook.
struct Row {
    /// Its name.
    name: String,
    /// Scheme and host.
    address: String,
    /// Its state in words.
    state: String,
    /// Whether something is wrong with it.
    is_faulty: bool,
    /// Events that wait, were told, were given up.
    counts: [String; 3],
    /// How the last try went, and what follows.
    last: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "webhooks.html", config = "src/web/askama.toml")]
struct ListPage {
    /// Frame.
    shell: Shell,
    /// What was done just now: whether it went well, and the words.
    done: Option<(bool, String)>,
    /// Every webhook.
    rows: Vec<Row>,
    /// The token of the forms.
    csrf: String,
}

/// `GET /pengaturan/webhook`
pub(super) async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Operator])?, &visitor)?;
    page(&list_page(&state, &visitor, None).await?)
}

/// `POST /pengaturan/webhook/{name}/{act}`: a test, or another try.
pub(super) async fn press(
    Extract(state): Extract<State>,
    Path((name, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let t = visitor.t;
    let session = visitor.need(&[Role::Operator])?;
    proof_first(&state, session, visitor)?;
    let of = name.clone();
    let done = match act.as_str() {
        "uji" => {
            let actor = session.actor();
            let job = move |state: &State| state.desk().test_webhook(&of, Some(&actor));
            let answer = state.call_out(job).await??;
            let is_taken = matches!(answer.said, Said::Status(200..=299));
            let what = said(t, answer.said);
            let words = if is_taken {
                t.a("webhooks-tested-good", "name", &name)
            } else {
                t.with("webhooks-tested-bad", &[("name", &name), ("what", &what)])
            };
            (is_taken, words)
        }
        "coba-lagi" => {
            let actor = session.actor();
            state.work(move |state| state.desk().retry_webhook(&of, Some(&actor))).await??;
            (true, t.a("webhooks-retried", "name", &name))
        }
        _ => return Err(Failure::not_found()),
    };
    // Nothing that a reload would do again does harm.
    page_with(StatusCode::OK, &list_page(&state, visitor, Some(done)).await?)
}

/// The page with what was done.
async fn list_page(
    state: &State,
    visitor: &Visitor,
    done: Option<(bool, String)>,
) -> Result<ListPage, Failure> {
    let t = visitor.t;
    let all = state.work(|state| state.desk().webhooks()).await??;
    Ok(ListPage {
        shell: Shell::new(visitor, t.s("webhooks-title")).wide(),
        done,
        rows: all.iter().map(|hook| row(t, hook)).collect(),
        csrf: visitor.csrf.token.clone(),
    })
}

/// One webhook in words.
fn row(t: Words, hook: &WebhookView) -> Row {
    let mut last = Vec::new();
    match (hook.said.parse::<Said>(), &hook.said_at) {
        (Ok(answer), Some(at)) => {
            let (what, when) = (said(t, answer), t.moment(at));
            last.push(t.with("webhooks-said", &[("what", &what), ("when", &when)]));
        }
        _ => last.push(t.s("webhooks-never")),
    }
    let lines = [
        ("webhooks-stopped", &hook.stopped_at),
        ("webhooks-since", &hook.failing_since),
        ("webhooks-next", &hook.next_try),
    ];
    let told = lines.into_iter().filter_map(|(id, at)| Some((id, at.as_ref()?)));
    last.extend(told.map(|(id, at)| t.a(id, "when", &t.moment(at))));
    Row {
        name: hook.name.clone(),
        address: hook.address.clone(),
        state: t.s(&format!("webhooks-state-{}", hook.state)),
        is_faulty: hook.state != "ready",
        counts: [hook.waiting.to_string(), hook.delivered.to_string(), hook.given_up.to_string()],
        last,
    }
}

/// How a try went, in words.
fn said(t: Words, said: Said) -> String {
    let id = match said {
        Said::Status(200..=299) => "webhooks-said-good",
        Said::Status(300..=399) => "webhooks-said-redirect",
        Said::Status(410) => "webhooks-said-gone",
        Said::Status(_) => "webhooks-said-status",
        word => return t.s(&format!("webhooks-said-{}", word.word().replace('_', "-"))),
    };
    t.a(id, "status", &said.word())
}
