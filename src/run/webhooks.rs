//! Webhooks are told what happens: each by a thread of its own while there is something to tell, so that one that
//! hangs keeps no other waiting. And the commands on them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::timer::is_stopped_within;
use crate::config::Settings;
use crate::control::Reply;
use crate::desk::{ActError, Desk, WebhookView};
use crate::lock::lock;
use crate::text::{append_line, with_causes};
use crate::webhook::{Hook, Said};

/// The pause between two looks for events.
const PAUSE: Duration = Duration::from_secs(1);

/// The webhooks that are being told, by name.
type Busy = Arc<Mutex<HashSet<String>>>;

/// Tells webhooks until the daemon stops.
pub(super) async fn tell(desk: Desk, stopped: watch::Receiver<bool>) {
    let busy = Busy::default();
    loop {
        for hook in due(&desk).await {
            if lock(&busy).insert(hook.name.clone()) {
                let place = Place { name: hook.name.clone(), busy: Arc::clone(&busy) };
                let (desk, stopped) = (desk.clone(), stopped.clone());
                // Nobody waits for it.
                drop(tokio::task::spawn_blocking(move || tell_one(&desk, &hook, &stopped, place)));
            }
        }
        if is_stopped_within(PAUSE, &stopped).await {
            return;
        }
    }
}

/// The webhooks that have something to do now.
async fn due(desk: &Desk) -> Vec<Hook> {
    let desk = desk.clone();
    let found = tokio::task::spawn_blocking(move || desk.webhooks_due()).await;
    // A panic inside is in the log already.
    found.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
        let error = with_causes(&error);
        tracing::warn!(error, "webhooks could not be looked after");
        Vec::new()
    })
}

/// Tells one webhook all that is due.
fn tell_one(desk: &Desk, hook: &Hook, stopped: &watch::Receiver<bool>, _place: Place) {
    loop {
        match desk.tell_webhook(hook) {
            Ok(true) if !*stopped.borrow() => {}
            Ok(_) => return,
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(webhook = hook.name, error, "a webhook could not be looked after");
                return;
            }
        }
    }
}

/// That a webhook is being told; it ends with this, also by a panic.
struct Place {
    /// Which.
    name: String,
    /// Where it is listed.
    busy: Busy,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.busy).remove(&self.name);
    }
}

//------------ Commands ------------------------------------------------------

/// What commands say without a daemon.
const STOPPED: &str = "gapura is not running: webhooks are told by the daemon";

/// The desk of a running daemon, or the settings of a stopped one.
type Running = Result<Desk, Box<Settings>>;

/// `gapura webhook list`; the exit code is 1 while one of them fails.
pub(super) fn list(desk: &Running) -> Result<Reply, ActError> {
    let Ok(desk) = desk else { return Ok(Reply::failed(STOPPED)) };
    let all = desk.webhooks()?;
    let mut text = String::new();
    for hook in &all {
        let WebhookView { name, address, state, waiting, delivered, given_up, .. } = hook;
        append_line!(
            text,
            "{name}  {address}  {state}, {waiting} waiting, {delivered} told, {given_up} given up"
        );
        if let (Ok(said), Some(at)) = (hook.said.parse::<Said>(), &hook.said_at) {
            append_line!(text, "  last try {at}: {said}");
        }
        if let Some(at) = &hook.next_try {
            append_line!(text, "  next try {at}");
        }
    }
    if all.is_empty() {
        text = "no webhook is set: add a [[webhook]] to the settings\n".to_owned();
    }
    let is_well = all.iter().all(|hook| hook.trouble().is_none());
    Ok(Reply { exit: u8::from(!is_well), text, json: json!({ "webhooks": all }) })
}

/// `gapura webhook test`
pub(super) fn test(desk: &Running, name: &str) -> Reply {
    let Ok(desk) = desk else { return Reply::failed(STOPPED) };
    let answer = match desk.test_webhook(name, None) {
        Ok(answer) => answer,
        Err(error) => return refused(name, &error),
    };
    let is_taken = matches!(answer.said, Said::Status(200..=299));
    let detail = match answer.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    let text = format!("webhook {name}: {}{detail}", answer.said);
    let json = json!({ "webhook": name, "taken": is_taken, "said": answer.said.word(), "detail": answer.detail });
    Reply { exit: u8::from(!is_taken), text, json }
}

/// `gapura webhook retry`
pub(super) fn retry(desk: &Running, name: &str) -> Reply {
    let Ok(desk) = desk else { return Reply::failed(STOPPED) };
    match desk.retry_webhook(name, None) {
        Ok(()) => {
            let text =
                format!("webhook {name} is tried now: gapura webhook list says what came of it");
            Reply::done(text, json!({ "webhook": name }))
        }
        Err(error) => refused(name, &error),
    }
}

/// A command that was refused.
fn refused(name: &str, error: &ActError) -> Reply {
    match error {
        ActError::NotFound => {
            Reply::failed(format!("there is no webhook {name}: gapura webhook list shows them"))
        }
        error => Reply::failed(with_causes(error)),
    }
}
