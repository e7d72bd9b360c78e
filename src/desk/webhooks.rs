//! Webhooks: which event is told next, and what became of each try.
//!
//! The chain of events is the outbox. A row for each webhook says how far it was told; it is written after the
//! answer, so what a crash cut off is told again, with the same id. Events are told in the order of the chain, and
//! one that cannot be told keeps the next ones waiting: each says which one was told before it.

use std::sync::Arc;

use serde::Serialize;

use super::{ActError, Desk};
use crate::audit::{Event, NewEvent, random};
use crate::digest::hex;
use crate::ledger::LedgerError;
use crate::queue::{Actor, Deed, NoticeValues, Role};
use crate::store::Reader;
use crate::store::webhooks::WebhookRow;
use crate::view::rfc3339;
use crate::webhook::{Answer, Hook, KEPT_MS, Message, Said, Tidings, Verdict, call, pause_ms};

/// Events without interest after which the place in the chain is kept.
const PLACE_KEPT: i64 = 1_000;
/// Waiting events that are counted.
const WAITING_MAX: usize = 1_000;

/// A webhook, as administrators see it.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookView {
    /// Its name.
    pub name: String,
    /// Scheme and host.
    pub address: String,
    /// `ready`, `failing` or `stopped`.
    pub state: &'static str,
    /// Events that wait, 1,000 at most.
    pub waiting: u64,
    /// Events told.
    pub delivered: i64,
    /// Events given up.
    pub given_up: i64,
    /// How the last try went: a status or a word; empty before the first.
    pub said: String,
    /// When that was.
    pub said_at: Option<String>,
    /// Since when no try has succeeded.
    pub failing_since: Option<String>,
    /// When the next try is.
    pub next_try: Option<String>,
    /// When it was stopped.
    pub stopped_at: Option<String>,
}

impl WebhookView {
    /// What there is to mend, in a sentence; none while all is well.
    pub fn trouble(&self) -> Option<String> {
        let (name, address) = (&self.name, &self.address);
        let said = self.said.parse::<Said>().map(|said| said.to_string()).unwrap_or_default();
        match self.state {
            "stopped" => Some(format!(
                "webhook {name} ({address}) is stopped, {said}: mend it and run gapura webhook retry {name}"
            )),
            "failing" => {
                let since = self.failing_since.as_deref().unwrap_or_default();
                Some(format!("webhook {name} ({address}) fails since {since}: {said}"))
            }
            _ => None,
        }
    }
}

//------------ Telling -------------------------------------------------------

impl Desk {
    /// The webhooks of the settings.
    pub fn hooks(&self) -> Arc<[Hook]> {
        Arc::clone(&self.settings().webhooks)
    }

    /// The webhook of this name.
    pub fn hook(&self, name: &str) -> Option<Hook> {
        self.hooks().iter().find(|hook| hook.name == name).cloned()
    }

    /// Brings the rows in line with the settings: a new webhook is told what happens from now on.
    pub fn begin_webhooks(&self) -> Result<(), ActError> {
        let hooks = self.hooks();
        let is_set = |name: &str| hooks.iter().any(|hook| hook.name == name);
        let known: Vec<String> =
            self.read(|reader| Ok(reader.webhooks()?.into_iter().map(|row| row.name).collect()))?;
        let is_new = |hook: &&Hook| !known.contains(&hook.name);
        if known.iter().all(|name| is_set(name)) && !hooks.iter().any(|hook| is_new(&hook)) {
            return Ok(());
        }
        self.0.ledger.store.write(|tx| {
            for name in known.iter().filter(|name| !is_set(name)) {
                tx.drop_webhook(name)?;
            }
            let sequence = tx.chain_head()?.map_or(0, |(sequence, _)| sequence);
            for hook in hooks.iter().filter(is_new) {
                let name = hook.name.clone();
                tx.put_webhook(&WebhookRow { name, sequence, ..WebhookRow::default() })?;
            }
            Ok(())
        })
    }

    /// Tells a webhook its next event, if one is due. Returns whether the one after it is to be told at once.
    pub fn tell_webhook(&self, hook: &Hook) -> Result<bool, ActError> {
        let Some((row, event)) = self.next_event(hook)? else { return Ok(false) };
        let now = self.now();
        // While it fails it is tried: that ends in a stop, which somebody hears of.
        if row.failing_since_ms.is_none() && now - event.at_ms >= KEPT_MS {
            return self.put_aside(hook, &event);
        }
        let tidings = self.read(|reader| tidings(reader, &event, row.previous))?;
        let Some(tidings) = tidings else { return self.pass_over(hook, &event) };
        let message = Message::of(&tidings, hook, &self.0.ledger.site());
        let answer = call(hook, &message, now / 1_000);
        self.heard(hook, &event, &answer)
    }

    /// The webhooks that have something to do now.
    pub fn webhooks_due(&self) -> Result<Vec<Hook>, ActError> {
        let (hooks, now) = (self.hooks(), self.now());
        if hooks.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|reader| {
            let mut all = Vec::new();
            for hook in hooks.iter() {
                if due(reader, hook, now)?.is_some() {
                    all.push(hook.clone());
                }
            }
            Ok(all)
        })
    }

    /// The next event of a webhook that is due, with the row.
    fn next_event(&self, hook: &Hook) -> Result<Option<(WebhookRow, Event)>, ActError> {
        let now = self.now();
        match self.read(|reader| due(reader, hook, now))? {
            Some((row, Due::Event(event))) => Ok(Some((row, *event))),
            Some((_, Due::Place(sequence))) => {
                self.keep_place(&hook.name, sequence)?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Keeps how far the chain was looked through for a webhook, if the settings still have it.
    pub(super) fn keep_place(&self, name: &str, sequence: i64) -> Result<(), ActError> {
        self.0.ledger.store.write(|tx| {
            let Some(row) = tx.webhook(name)? else { return Ok(()) };
            let sequence = sequence.max(row.sequence);
            Ok(tx.put_webhook(&WebhookRow { sequence, ..row })?)
        })
    }

    /// Keeps what became of a try; returns whether the next event is to be told at once.
    fn heard(&self, hook: &Hook, event: &Event, answer: &Answer) -> Result<bool, ActError> {
        let ledger = &self.0.ledger;
        let (now, said, detail) = (self.now(), answer.said, answer.detail.as_str());
        ledger.store.write(|tx| {
            // Reloaded settings may not have it any more.
            let Some(mut row) = tx.webhook(&hook.name)? else { return Ok(false) };
            let first_failure = row.failing_since_ms.is_none();
            let since = row.failing_since_ms.unwrap_or(now);
            let tries = row.tries.saturating_add(1);
            (row.said, row.said_ms) = (said.word(), Some(now));
            let verdict = answer.verdict(tries, now - since);
            match verdict {
                Verdict::Told => {
                    if !first_failure {
                        tracing::info!(webhook = hook.name, "a webhook takes events again");
                    }
                    (row.sequence, row.previous) = (event.sequence, Some(event.sequence));
                    (row.tries, row.next_try_ms, row.failing_since_ms) = (0, 0, None);
                    row.delivered += 1;
                }
                Verdict::Again => {
                    if first_failure {
                        tracing::warn!(webhook = hook.name, %said, detail, "a webhook did not take an event; it is tried again");
                    }
                    (row.tries, row.failing_since_ms) = (tries, Some(since));
                    row.next_try_ms = now + pause_ms(tries, answer.retry_after);
                }
                Verdict::GivenUp => {
                    let sequence = event.sequence;
                    tracing::warn!(webhook = hook.name, %said, sequence, "a webhook never took an event: it is given up");
                    (row.sequence, row.tries, row.next_try_ms) = (sequence, 0, 0);
                    (row.failing_since_ms, row.given_up) = (Some(since), row.given_up + 1);
                }
                Verdict::Stop => {
                    tracing::error!(webhook = hook.name, %said, detail, "a webhook is stopped: mend it and run gapura webhook retry");
                    (row.tries, row.failing_since_ms) = (tries, Some(since));
                    row.stopped_ms = Some(now);
                    self.note_stopped(tx, hook, said)?;
                }
            }
            tx.put_webhook(&row)?;
            Ok(matches!(verdict, Verdict::Told | Verdict::GivenUp))
        })
    }

    /// Leaves an event that a webhook is stopped, and tells the administrators.
    fn note_stopped(
        &self,
        tx: &crate::store::Tx<'_>,
        hook: &Hook,
        said: Said,
    ) -> Result<(), LedgerError> {
        let ledger = &self.0.ledger;
        let (system, now) = (Role::System.as_str(), self.now());
        let subject = subject_of(&hook.name);
        let event = NewEvent::new(now, system, system, Deed::WebhookStopped, &subject);
        ledger.note(tx, event.with("said", said.word()))?;
        let stem = format!("webhook-{}-{now}", hook.name);
        ledger.tell_of_zone(tx, &stem, Deed::WebhookStopped, &NoticeValues::about(&hook.name))
    }

    /// An event that waited too long is not told any more.
    fn put_aside(&self, hook: &Hook, event: &Event) -> Result<bool, ActError> {
        self.go_past(hook, event, 1)
    }

    /// An event about nothing that can be told.
    fn pass_over(&self, hook: &Hook, event: &Event) -> Result<bool, ActError> {
        self.go_past(hook, event, 0)
    }

    /// Goes on behind an event that is not told.
    fn go_past(&self, hook: &Hook, event: &Event, given_up: i64) -> Result<bool, ActError> {
        self.0.ledger.store.write(|tx| {
            let Some(row) = tx.webhook(&hook.name)? else { return Ok(false) };
            let given_up = row.given_up + given_up;
            let next = WebhookRow { sequence: event.sequence, tries: 0, given_up, ..row };
            tx.put_webhook(&next)?;
            Ok(true)
        })
    }
}

/// What is due of a webhook.
enum Due {
    /// This event is to be told.
    Event(Box<Event>),
    /// There is none up to this sequence, which is far enough on to be kept.
    Place(i64),
}

/// What is due of a webhook now, with its row.
fn due(reader: &Reader<'_>, hook: &Hook, now: i64) -> Result<Option<(WebhookRow, Due)>, ActError> {
    let row = reader.webhook(&hook.name)?;
    let row = row.filter(|it| it.stopped_ms.is_none() && it.next_try_ms <= now);
    let Some(row) = row else { return Ok(None) };
    if let Some(event) = reader.next_done(row.sequence, &acts(hook))? {
        return Ok(Some((row, Due::Event(Box::new(event)))));
    }
    let head = reader.chain_head()?.map_or(0, |(sequence, _)| sequence);
    let is_far = head - row.sequence >= PLACE_KEPT;
    Ok(is_far.then_some((row, Due::Place(head))))
}

/// The acts that a webhook is told of.
fn acts(hook: &Hook) -> Vec<&'static str> {
    hook.deeds.iter().map(|deed| deed.as_str()).collect()
}

/// What there is to tell of an event: of a request or a live record.
fn tidings(
    reader: &Reader<'_>,
    event: &Event,
    previous: Option<i64>,
) -> Result<Option<Tidings>, ActError> {
    let Some(deed) = Deed::from_name(&event.act) else { return Ok(None) };
    let known = match event.subject.split_once(':') {
        Some(("request", number)) => reader.request(number)?.map(|(row, _)| {
            let place = (Some(row.number), row.name);
            (place, Some(row.kind), Some(row.class))
        }),
        Some(("record", name)) => Some(((None, name.to_owned()), None, None)),
        _ => None,
    };
    Ok(known.map(|((request, name), kind, class)| Tidings {
        deed,
        sequence: event.sequence,
        previous,
        hash: event.hash.clone(),
        at_ms: event.at_ms,
        request,
        name: name.trim_end_matches('.').to_owned(),
        kind,
        class,
        revision: event.revision,
        before: event.before.clone(),
        after: event.after.clone(),
    }))
}

/// What events about a webhook are about.
fn subject_of(name: &str) -> String {
    format!("webhook:{name}")
}

//------------ For administrators --------------------------------------------

impl Desk {
    /// How the webhooks do.
    pub fn webhooks(&self) -> Result<Vec<WebhookView>, ActError> {
        let hooks = self.hooks();
        self.read(|reader| {
            let view = |hook| -> Result<_, ActError> {
                let row = row_of(reader, hook)?;
                let waiting = reader.count_done(row.sequence, &acts(hook), WAITING_MAX)?;
                Ok(webhook_view(hook, row, waiting))
            };
            hooks.iter().map(view).collect()
        })
    }

    /// What there is to mend of them; nothing is counted for it.
    pub(super) fn webhook_troubles(&self) -> Result<Vec<String>, ActError> {
        let hooks = self.hooks();
        self.read(|reader| {
            let trouble = |hook| Ok(webhook_view(hook, row_of(reader, hook)?, 0).trouble());
            let found: Result<Vec<_>, ActError> = hooks.iter().map(trouble).collect();
            Ok(found?.into_iter().flatten().collect())
        })
    }

    /// Sends a call that is no event, and says what came of it. It changes nothing: an administrator looks whether
    /// calls arrive, or nobody of ours does on the command line.
    pub fn test_webhook(&self, name: &str, actor: Option<&Actor>) -> Result<Answer, ActError> {
        let hook = self.hook(name).ok_or(ActError::NotFound)?;
        if let Some(actor) = actor {
            let current = self.read(|reader| Ok(self.0.ledger.current(reader, actor)?))?;
            current.capacity(Role::Operator, self.now()).ok_or(ActError::NotAllowed)?;
        }
        let (now, id) = (self.now(), hex(&random::<16>()?));
        let message = Message::test(&id, now, &hook, &self.0.ledger.site());
        Ok(call(&hook, &message, now / 1_000))
    }

    /// Tries a webhook that waits now, and one that is stopped again. On the page by an administrator; on the
    /// command line by whoever runs the server, who is no person of ours.
    pub fn retry_webhook(&self, name: &str, actor: Option<&Actor>) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let (hook, now) = (self.hook(name).ok_or(ActError::NotFound)?, self.now());
        ledger.store.write(|tx| {
            let by = match actor {
                None => (Role::System.as_str().to_owned(), Role::System.as_str()),
                Some(actor) => {
                    let actor = ledger.current(tx, actor)?;
                    let by = actor.capacity(Role::Operator, now).ok_or(ActError::NotAllowed)?;
                    (by.person().to_owned(), by.role.as_str())
                }
            };
            let row = tx.webhook(&hook.name)?.ok_or(ActError::NotFound)?;
            if row.stopped_ms.is_some() {
                let subject = subject_of(&hook.name);
                ledger.note(tx, NewEvent::new(now, &by.0, by.1, Deed::WebhookResumed, &subject))?;
            }
            let (tries, next_try_ms) = (0, 0);
            let (stopped_ms, failing_since_ms) = (None, None);
            let row = WebhookRow { tries, next_try_ms, stopped_ms, failing_since_ms, ..row };
            Ok(tx.put_webhook(&row)?)
        })
    }
}

/// The row of a webhook; a new one until it is begun.
fn row_of(reader: &Reader<'_>, hook: &Hook) -> Result<WebhookRow, ActError> {
    Ok(reader.webhook(&hook.name)?.unwrap_or_default())
}

/// How one webhook does, of which so many events wait.
fn webhook_view(hook: &Hook, row: WebhookRow, waiting: u64) -> WebhookView {
    let state = match (row.stopped_ms, row.failing_since_ms) {
        (Some(_), _) => "stopped",
        (None, Some(_)) => "failing",
        (None, None) => "ready",
    };
    let next_try = (state == "failing").then(|| rfc3339(row.next_try_ms));
    WebhookView {
        name: hook.name.clone(),
        address: hook.address.to_string(),
        state,
        waiting,
        delivered: row.delivered,
        given_up: row.given_up,
        said: row.said,
        said_at: row.said_ms.map(rfc3339),
        failing_since: row.failing_since_ms.map(rfc3339),
        next_try,
        stopped_at: row.stopped_ms.map(rfc3339),
    }
}
