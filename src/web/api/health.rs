//! Liveness and readiness, for supervisors and load balancers.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::desk::Obstacle;
use crate::web::state::{State, Unready};

/// The process answers.
pub(in crate::web) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Acts can be done: the database answers, the disk has room and takes what is written, and names are
/// answered.
pub(super) async fn readyz(Extract(state): Extract<State>) -> (StatusCode, Json<Value>) {
    let words = match state.unready().await {
        None => return (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Some(Unready::NoZone) => "no zone is served",
        Some(Unready::Waiting(Obstacle::NoDatabase(_))) => "no database",
        Some(Unready::Waiting(Obstacle::DiskFull)) => "disk full",
        Some(Unready::Waiting(Obstacle::ReadOnly(_))) => "disk not writable",
    };
    let detail = "changes wait; the log and `gapura ctl status` say more";
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": words, "detail": detail })))
}
