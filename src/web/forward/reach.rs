//! Whether the pages of the node that publishes are reached from this one: each call shows it, and a look now and again,
//! so that it is known before anybody needs them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::uri::Uri;
use axum::response::Response;

use super::away::{Away, NO_PUBLISHER};
use super::{Forward, READY_MAX};
use crate::lock::lock;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(30);
/// Between two looks while they are not reached.
const AGAIN: Duration = Duration::from_secs(5);
/// What is looked at: whoever passes it on itself says so.
const PATH: &str = "/readyz";
/// Octets of an answer that are read.
const ANSWER_OCTETS_MAX: usize = 4096;

/// What is said of whoever answers in its place.
const ANOTHER: &str = "what answers there is not the node that publishes";

//------------ Reach ---------------------------------------------------------

/// Why the pages of the node that publishes are not reached, if so; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Reach(Arc<Mutex<Option<String>>>);

impl Reach {
    /// Why they are not, in a sentence.
    pub fn fault(&self) -> Option<String> {
        lock(&self.0).clone()
    }

    /// Notes what came of a try; the log tells each change once.
    pub(super) fn note(&self, fault: Option<String>) {
        let before = std::mem::replace(&mut *lock(&self.0), fault.clone());
        match fault {
            Some(fault) if before.as_ref() != Some(&fault) => tracing::warn!("{fault}"),
            None if before.is_some() => {
                tracing::info!("the pages of the node that publishes are reached again");
            }
            _ => {}
        }
    }
}

//------------ Looking -------------------------------------------------------

/// Looks again and again, and as soon as another one publishes. Never ends.
pub(super) async fn watch(forward: Forward) {
    let (mut publisher, reach) = (forward.publisher.clone(), forward.reach.clone());
    loop {
        publisher.mark_unchanged();
        look(&forward).await;
        let rest = if reach.fault().is_some() { AGAIN } else { LOOK };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            // Once nobody tells any more this node stops, or takes over.
            Ok(()) = publisher.changed() => {}
        }
    }
}

/// One look.
async fn look(forward: &Forward) {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(PATH);
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let answer = forward.send(request, here, READY_MAX);
    let answer = tokio::time::timeout(READY_MAX, answer).await.unwrap_or(Err(Away::Unanswered));
    let wrong = match answer {
        Ok(response) => (!is_of_a_publisher(response).await).then_some(ANOTHER),
        Err(Away::Changing) => Some(ANOTHER),
        Err(Away::Unanswered) => Some("no answer comes"),
        // Whoever tried has noted why.
        Err(Away::Unreached | Away::Nobody) => return,
    };
    let to = forward.publisher.borrow().clone();
    let Some(to) = to else { return };
    forward.reach.note(wrong.map(|why| not_reached(&to.to_string(), why)));
}

/// That the pages of a node are not reached, and what to do.
pub(super) fn not_reached(node: &str, why: &str) -> String {
    format!(
        "the pages of {node} are not reached from here, so acts wait: {why}; see the network, its certificate, and its \
         node.url"
    )
}

/// Whether an answer comes from a node that publishes, whether it can do its work or not.
async fn is_of_a_publisher(response: Response) -> bool {
    match response.status() {
        StatusCode::OK => true,
        StatusCode::SERVICE_UNAVAILABLE => {
            let said = to_bytes(response.into_body(), ANSWER_OCTETS_MAX).await.unwrap_or_default();
            !String::from_utf8_lossy(&said).contains(NO_PUBLISHER)
        }
        _ => false,
    }
}
