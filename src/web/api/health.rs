//! Liveness and readiness, for supervisors and load balancers.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::web::state::{Health, State};

/// The process answers.
pub(in crate::web) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Acts can be done: the database answers, the disk has room, and names are answered.
pub(super) async fn readyz(Extract(state): Extract<State>) -> (StatusCode, Json<Value>) {
    let (status, words) = match state.health().await {
        Health::Ready => (StatusCode::OK, "ready"),
        Health::NoDatabase => (StatusCode::SERVICE_UNAVAILABLE, "no database"),
        Health::NoZone => (StatusCode::SERVICE_UNAVAILABLE, "no zone is served"),
        Health::DiskFull => (StatusCode::SERVICE_UNAVAILABLE, "disk full"),
    };
    (status, Json(json!({ "status": words })))
}
