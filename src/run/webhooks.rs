//! Delivery of events to webhooks, each on a thread of its own while events are due, so that one that hangs delays no
//! other; and the commands on webhooks.

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

/// The pause between checks for due events.
const PAUSE: Duration = Duration::from_secs(1);

/// The webhooks that are being called, by name.
type Busy = Arc<Mutex<HashSet<String>>>;

/// Delivers events until the daemon stops.
pub(super) async fn tell(desk: Desk, stopped: watch::Receiver<bool>) {
    let busy = Busy::default();
    loop {
        for hook in due(&desk).await {
            if lock(&busy).insert(hook.name.clone()) {
                let place = Place { name: hook.name.clone(), busy: Arc::clone(&busy) };
                let (desk, stopped) = (desk.clone(), stopped.clone());
                // Not joined: it may wait for a peer.
                drop(tokio::task::spawn_blocking(move || tell_one(&desk, &hook, &stopped, place)));
            }
        }
        if is_stopped_within(PAUSE, &stopped).await {
            return;
        }
    }
}

/// The webhooks with events due now.
async fn due(desk: &Desk) -> Vec<Hook> {
    let desk = desk.clone();
    let found = tokio::task::spawn_blocking(move || desk.webhooks_due()).await;
    // A panic inside is in the log already.
    found.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_else(|error| {
        let error = with_causes(&error);
        tracing::warn!(error, "due events of webhooks could not be read");
        Vec::new()
    })
}

/// Delivers all due events to one webhook.
fn tell_one(desk: &Desk, hook: &Hook, stopped: &watch::Receiver<bool>, _place: Place) {
    loop {
        match desk.tell_webhook(hook) {
            Ok(true) if !*stopped.borrow() => {}
            Ok(_) => return,
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(
                    webhook = hook.name,
                    error,
                    "events could not be delivered to a webhook"
                );
                return;
            }
        }
    }
}

/// Marks a webhook as being called until dropped, also by a panic.
struct Place {
    /// The webhook.
    name: String,
    /// The list it is marked in.
    busy: Busy,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.busy).remove(&self.name);
    }
}

//------------ Commands ------------------------------------------------------

/// The reply of commands without a daemon.
const STOPPED: &str = "gapura is not running: only a running daemon calls webhooks";

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
            "{name}  {address}  {state}, {waiting} waiting, {delivered} delivered, {given_up} given up"
        );
        if let (Ok(said), Some(at)) = (hook.said.parse::<Said>(), &hook.said_at) {
            append_line!(text, "  last try {at}: {said}");
        }
        if let Some(at) = &hook.next_try {
            append_line!(text, "  next try {at}");
        }
    }
    if all.is_empty() {
        text = "there are no webhooks: add a [[webhook]] to the settings\n".to_owned();
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
            let text = format!(
                "webhook {name} is being retried now: gapura webhook list shows the result"
            );
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
