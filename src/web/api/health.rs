//! Liveness and readiness, for supervisors and load balancers.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::store::StoreError;
use crate::web::state::State;

/// The process answers.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The database can be read.
pub(super) async fn readyz(Extract(state): Extract<State>) -> (StatusCode, Json<Value>) {
    let read = state.work(|state| state.store().read::<_, StoreError>(|r| r.chain_head())).await;
    match read {
        Ok(Ok(_)) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        _ => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "no database" }))),
    }
}
