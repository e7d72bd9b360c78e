//! Pages for applicants and officers, and the JSON API, on one listener.
//!
//! Every act is a plain HTML form that works without scripts; every POST is answered by a redirect.
//! No rule of the procedure is decided here: pages call `desk` and `people`, which test role,
//! state and freshness in their own transaction. Blocking work (the database, password hashing)
//! runs on the blocking pool behind a semaphore, so that pages cannot starve each other.

mod about;
mod api;
mod assets;
mod bodies;
mod chart;
mod closed;
mod device;
mod door;
mod draft;
mod failure;
mod form;
mod forward;
mod gate;
mod limits;
mod pages;
mod patience;
mod progress;
mod proof;
mod redirect;
mod sent;
mod shell;
mod shown_once;
mod state;
mod status;
mod unsent;
mod visitor;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;

pub use closed::{ClosedBy, serve_closed};
pub use door::DoorLimits;
pub use forward::{NodeToken, Publisher, Reach, serve_forwarding};
pub use limits::{Limits, Route};
pub use state::{Options, Parts, Shown, State};

/// Largest body taken in: a letter as a phone photographs it, and its form.
const BODY_MAX: usize = crate::uploads::TAKEN_MAX + 256 * 1024;

/// How often counts that no longer matter are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// How long an answer may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(50);

/// Pages and API as one service.
pub fn router(state: State) -> Router {
    let csrf = CsrfLayer::new();
    let csrf = match csrf.clone().add_trusted_origin(state.origin()) {
        Ok(csrf) => csrf,
        // A site address that is no origin: the Host header alone decides.
        Err(_) => csrf,
    };
    // Inside the frame, which puts its refusal into words.
    let small = pages::routes().layer(RequestBodyLimitLayer::new(BODY_MAX));
    let large = pages::large_routes().layer(RequestBodyLimitLayer::new(pages::LARGE_BODY_MAX));
    small
        .merge(large)
        .layer(csrf)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(state.clone(), shell::dress))
        .layer(CatchPanicLayer::new())
        .with_state(state.clone())
        .merge(api::router(state.clone()))
        // Outermost: whose request it is comes before everything else.
        .layer(middleware::from_fn_with_state(state, forward::admit))
}

/// Serves until `stop` resolves, with how long requests under way may take.
pub async fn serve(
    listener: TcpListener,
    state: State,
    stop: impl Future<Output = Duration> + Send + 'static,
) {
    let proxies = state.options().trusted_proxies.clone();
    let (door, router) = (state.options().door, router(state.clone()));
    tokio::select! {
        () = door::serve(listener, router, proxies, door, stop) => {}
        () = forget(state) => {}
    }
}

/// Forgets counts of addresses that have not been seen for a while, for ever.
async fn forget(state: State) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        state.limits().sweep();
    }
}

#[cfg(test)]
mod tests;
