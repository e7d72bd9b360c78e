//! Liveness and readiness, for supervisors and load balancers.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::web::state::{Health, State};

/// The process answers.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Acts can be done: the database answers and the disk has room.
pub(super) async fn readyz(Extract(state): Extract<State>) -> (StatusCode, Json<Value>) {
    let (status, words) = match state.health().await {
        Health::Ready => (StatusCode::OK, "ready"),
        Health::NoDatabase => (StatusCode::SERVICE_UNAVAILABLE, "no database"),
        Health::DiskFull => (StatusCode::SERVICE_UNAVAILABLE, "disk full"),
    };
    (status, Json(json!({ "status": words })))
}
