//! The listener of pages and API: who gets a connection, and for how long.
//!
//! ```text
//! accept ─► a place (in all, per network) ─► requests ─► idle too long, too old, or needed by others ─► closed
//!            none free: the oldest idle one is closed for the newcomer
//! ```
//! Only requests keep a connection open: one under way, or one answered a moment ago. Octets alone do not,
//! neither half a request nor the PINGs and settings of HTTP/2. How long one answer may take
//! is decided in [`patience`](super::patience).

mod places;

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(super) use places::Place;
use places::Places;

/// Pause after an accept error, so a persistent one does not busy-loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a connection without a request under way may keep pages that close.
const CLOSING_IDLE: Duration = Duration::from_secs(1);
/// Requests under way at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 32;
/// Octets of all headers of a request.
const HEADERS_MAX: u32 = 16 * 1024;
/// What a client reads that finds no place; whoever asked by HTTP/2 reads nothing sensible.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 106\r\nConnection: close\r\n\r\n\
    Terlalu banyak koneksi dari jaringan Anda. Coba lagi sebentar.\nToo many connections: try again in a while.";

/// How many connections there may be, and how long one may stay.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Connections at once.
    pub places: usize,
    /// Of them, from one network (an IPv4 address, a /64) that is no trusted proxy.
    pub per_network: usize,
    /// Without a request under way since the last answer.
    pub idle: Duration,
    /// After this time no further request is taken.
    pub age: Duration,
    /// What an old connection has left for requests under way.
    pub grace: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            places: 2048,
            per_network: 256,
            idle: Duration::from_secs(30),
            age: Duration::from_secs(15 * 60),
            grace: Duration::from_secs(5 * 60),
        }
    }
}

/// When the pages close, for a request under way.
#[derive(Clone)]
pub(super) struct Closing(watch::Receiver<Option<Instant>>);

impl Closing {
    /// Resolves when a request under way has to be answered with what is known, for the pages close.
    async fn over(mut self) {
        let until = self.0.wait_for(Option::is_some).await.ok().and_then(|until| *until);
        // An error means that nobody waits for an answer any more.
        tokio::time::sleep_until(until.unwrap_or_else(Instant::now)).await;
    }

    /// The same of a request that came by the listener; never of another.
    pub(super) async fn over_if(closing: Option<Self>) {
        match closing {
            Some(closing) => closing.over().await,
            None => std::future::pending().await,
        }
    }
}

/// Serves until `stop` resolves, with how long requests under way may take: they are finished, or told that it is not
/// known what became of them.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Vec<IpAddr>,
    limits: DoorLimits,
    stop: impl Future<Output = Duration> + Send,
) {
    let (places, tasks) = (Places::new(limits, proxies), TaskTracker::new());
    let (closing, closed) = watch::channel(None);
    let mut stop = pin!(stop);
    let under_way_max = loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            under_way_max = &mut stop => break under_way_max,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Some(place) => {
                    let (router, closed) = (router.clone(), closed.clone());
                    tasks.spawn(attend(stream, peer, router, place, limits, closed));
                }
                None => refuse(stream),
            },
            Err(error) => {
                tracing::debug!(%error, "a connection to the pages was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    };
    drop(listener);
    // Nobody listening means that no connection is left.
    let _ = closing.send(Some(Instant::now() + under_way_max));
    tasks.close();
    tasks.wait().await;
}

/// Says that there is no place, as far as the socket takes it without waiting.
fn refuse(stream: TcpStream) {
    // Not `try_write`: nothing is known yet of whether a socket just accepted takes octets.
    let said = stream.into_std().and_then(|mut stream| stream.write(NO_PLACE));
    tracing::debug!(said = said.is_ok(), "a connection to the pages was refused");
}

/// Serves one connection.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Place,
    mut limits: DoorLimits,
    mut closing: watch::Receiver<Option<Instant>>,
) {
    let place = Arc::new(place);
    let (activity, own) = (Arc::clone(place.activity()), Arc::clone(&place));
    let closes = Closing(closing.clone());
    let service = tower::service_fn(move |request: axum::http::Request<Incoming>| {
        let (router, activity, own) = (router.clone(), Arc::clone(&activity), Arc::clone(&own));
        let closes = closes.clone();
        async move {
            let under_way = activity.begin();
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(own);
            request.extensions_mut().insert(closes);
            let response: Response<Body> = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            under_way.answered(response.body().size_hint().exact().unwrap_or_default());
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle);
    builder.http2().max_concurrent_streams(STREAMS_MAX).max_header_list_size(HEADERS_MAX);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let mut ending = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            // Dropping it closes the socket: no request is under way.
            () = place.activity().over(&limits) => return,
            () = ended(place.activity().too_old(&limits), &mut closing), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
                if closing.borrow().is_some() {
                    limits.idle = limits.idle.min(CLOSING_IDLE);
                }
            }
        }
    }
}

/// Resolves when a connection is too old or the pages close.
async fn ended(too_old: impl Future<Output = ()>, closing: &mut watch::Receiver<Option<Instant>>) {
    tokio::select! {
        () = too_old => {}
        // An error means that the pages are gone, which is the same.
        _ = closing.wait_for(Option::is_some) => {}
    }
}

#[cfg(test)]
mod tests;
