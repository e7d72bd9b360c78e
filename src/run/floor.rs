//! `gapura zone serial ZONE --floor N` without a daemon, in effect from its next start. Refused where no daemon has
//! ever run.

use serde_json::json;

use super::{RunError, StateDir, options};
use crate::config::Settings;
use crate::control::Reply;
use crate::publish::{Floor, PublishError, Publisher};
use crate::wire::Name;

/// Records a serial that was used before; the next start goes above it.
pub fn raise_floor(settings: &Settings, zone: &str, floor: Floor) -> Result<Reply, RunError> {
    let apex: Name = match zone.parse() {
        Ok(apex) => apex,
        Err(error) => {
            return Ok(Reply::failed(format!("\"{zone}\" is not a domain name: {error}")));
        }
    };
    if !options::sources(settings)?.zones.iter().any(|source| source.apex == apex) {
        return Ok(Reply::failed(format!("{apex} is not a zone of the settings")));
    }
    let state_dir = &settings.server.state_dir;
    let place = options::place(settings)?;
    if place.is_absent()? {
        return Ok(Reply::failed(format!(
            "there is no database at {place}: start gapura, then set the floor while it runs"
        )));
    }
    let _lock = StateDir::take(state_dir)?;
    let raised = match Publisher::raise_floor_at(state_dir, &apex, floor) {
        Err(far @ PublishError::FarFloor { .. }) => return Ok(Reply::failed(far.to_string())),
        raised => raised?,
    };
    let floor = floor.serial;
    let text = if raised {
        format!("{apex}: the next start goes above {floor}")
    } else {
        format!("{apex}: {floor} is not ahead of the newest recorded serial; nothing was done")
    };
    Ok(Reply::done(text, json!({ "floor": floor, "raised": raised })))
}
