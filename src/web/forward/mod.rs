//! Pages and API on a node that follows: every request is passed on to the node that publishes, and its answer is
//! passed back as it is.
//!
//! ```text
//! visitor ─► door ─► alive? style sheet? ─► answered here
//!                 └► hop: address, token ─► call: a connection of its own ─► the node that publishes ─► back
//!                                                └► away: nobody publishes, not reached, no answer ─► 503 in words
//! ```
//! Nothing is kept, decided or sent twice here: a request whose answer is lost may have been done, and who sent it is told
//! so. A request that was passed on once is not passed on again, so no two nodes send it to each other.

mod away;
mod call;
mod fields;
mod hop;
mod reach;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::limit::RequestBodyLimitLayer;

use super::door::{self, Closing, DoorLimits};
use super::pages::{LARGE_BODY_MAX, LARGE_PATH};
use super::patience::body_time;
use super::{ANSWER_MAX, BODY_MAX, api, assets, visitor};
use crate::store::nodes::PublishingNode;
use away::Away;
use call::{Calls, Node};
pub use hop::NodeToken;
pub(super) use hop::admit;
pub use reach::Reach;

/// What the publishing node's own limit of time is exceeded by, before its answer is given up: it says itself that an
/// answer takes too long.
const LATER: Duration = Duration::from_secs(10);
/// How long it may take to say whether it is ready: a load balancer does not wait for long.
const READY_MAX: Duration = Duration::from_secs(5);

/// Who publishes now; none while nobody does.
pub type Publisher = watch::Receiver<Option<PublishingNode>>;

/// Serves until `stop` resolves, with how long requests under way may take.
pub async fn serve_forwarding(
    listener: TcpListener,
    (publisher, reach): (Publisher, Reach),
    proxies: Vec<IpAddr>,
    limits: DoorLimits,
    stop: impl Future<Output = Duration> + Send + 'static,
) {
    let forward = Forward::new(publisher, reach, proxies.clone());
    let router = router(forward.clone());
    tokio::select! {
        () = door::serve(listener, router, proxies, limits, stop) => {}
        () = reach::watch(forward) => {}
    }
}

/// Pages and API as one service.
fn router(forward: Forward) -> Router {
    let large = Router::new()
        .route(LARGE_PATH, any(pass))
        .layer(RequestBodyLimitLayer::new(LARGE_BODY_MAX));
    Router::new()
        .route("/readyz", get(ready))
        .fallback(pass)
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .merge(large)
        .layer(axum::middleware::from_fn(away::too_large))
        .route("/healthz", get(api::healthz))
        .route("/aset/{hash}/{name}", get(assets::serve))
        .with_state(forward)
}

/// What passing on needs; clones share it.
#[derive(Clone)]
struct Forward {
    /// Who publishes.
    publisher: Publisher,
    /// Proxies before this node, whose word on the visitor's address counts.
    proxies: Arc<[IpAddr]>,
    /// Makes connections.
    calls: Arc<Calls>,
    /// What came of it.
    reach: Reach,
}

impl Forward {
    /// To whoever publishes.
    fn new(publisher: Publisher, reach: Reach, proxies: Vec<IpAddr>) -> Self {
        Self { publisher, proxies: proxies.into(), calls: Arc::new(Calls::new()), reach }
    }

    /// The publishing node's answer to a request, if its head comes within this time.
    async fn answer(&self, request: Request, within: Duration) -> Result<Response, Away> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.ok_or(Away::Unreached)?.0.ip();
        if hop::is_passed_on(request.headers()) {
            return Err(Away::Changing);
        }
        let visitor = visitor::client(peer, request.headers(), &self.proxies);
        self.send(request, visitor, within).await
    }

    /// The same for a visitor that this node knows.
    async fn send(
        &self,
        mut request: Request,
        visitor: IpAddr,
        within: Duration,
    ) -> Result<Response, Away> {
        let closes = request.extensions().get::<Closing>().cloned();
        let mut publisher = self.publisher.clone();
        let to = publisher.borrow_and_update().clone().ok_or(Away::Nobody)?;
        let token = NodeToken::new(&to.token).ok_or(Away::Nobody)?;
        let node = self.reached(&to).await?;
        fields::onward(&mut request, node.authority());
        hop::vouch(request.headers_mut(), visitor, &token);
        let response = tokio::select! {
            response = tokio::time::timeout(within, node.send(request)) => response,
            // It may have done its part before it was replaced.
            () = replaced(&mut publisher, to.number) => return Err(Away::Unanswered),
            () = Closing::over_if(closes) => return Err(Away::Unanswered),
        };
        let mut response = response.map_err(|_| Away::Unanswered)??;
        if response.status() == StatusCode::MISDIRECTED_REQUEST {
            return Err(Away::Changing);
        }
        fields::back(&mut response);
        Ok(response)
    }

    /// A connection to the pages of a node.
    async fn reached(&self, to: &PublishingNode) -> Result<Node, Away> {
        let reached = match &to.url {
            Some(url) => self.calls.reach(url).await.map_err(|error| error.to_string()),
            None => Err("node.url is not set there".to_owned()),
        };
        reached.map_err(|why| {
            self.reach.note(Some(reach::not_reached(&to.to_string(), &why)));
            Away::Unreached
        })
    }
}

/// Resolves when another one publishes, or nobody. When nobody tells any more, this node stops, or takes over, and the
/// one that was asked may answer still.
async fn replaced(publisher: &mut Publisher, number: i64) {
    let other = |now: &Option<PublishingNode>| now.as_ref().is_none_or(|now| now.number != number);
    if publisher.wait_for(other).await.is_err() {
        std::future::pending().await
    }
}

/// Any page or call.
async fn pass(Extract(forward): Extract<Forward>, request: Request) -> Response {
    if request.method() == Method::CONNECT {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (path, is_read) = (request.uri().path().to_owned(), request.method().is_safe());
    let body = body_time(request.headers());
    match forward.answer(request, ANSWER_MAX + body + LATER).await {
        Ok(response) => response,
        // Whoever only reads has nothing to look after.
        Err(Away::Unanswered) if is_read => Away::Unreached.answer(&path),
        Err(away) => away.answer(&path),
    }
}

/// Whether acts can be done by way of this node: the other one is reached, and says so.
async fn ready(Extract(forward): Extract<Forward>, request: Request) -> Response {
    let answered = tokio::time::timeout(READY_MAX, forward.answer(request, READY_MAX)).await;
    answered.unwrap_or(Err(Away::Unreached)).unwrap_or_else(Away::unready)
}

#[cfg(test)]
mod tests;
