//! Secrets that are shown once, after the redirect that follows their making: the link of an invitation, a token. A
//! reload makes no second one. They lie in memory, for the session that made them and the page that shows them,
//! and go when they are shown or after some minutes.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;
use crate::people::sha256_hex;

/// How long a secret waits for its page.
const KEPT: Duration = Duration::from_secs(600);
/// Secrets that wait at a time.
const COUNT_MAX: usize = 256;

/// What waits, by session and page.
#[derive(Default)]
pub(super) struct ShownOnce(Mutex<HashMap<(String, &'static str), Waiting>>);

/// A secret that waits for its page.
struct Waiting {
    /// Since when.
    since: Instant,
    /// What it is, in words, and the secret.
    secret: (String, String),
}

impl ShownOnce {
    /// Keeps a secret for a page of a session; the oldest ones go where there are too many.
    pub(super) fn put(&self, session: &str, page: &'static str, secret: (String, String)) {
        let since = Instant::now();
        let mut waiting = lock(&self.0);
        waiting.retain(|_, it| it.since.elapsed() < KEPT);
        if waiting.len() >= COUNT_MAX {
            let oldest = waiting.iter().min_by_key(|(_, it)| it.since).map(|(key, _)| key.clone());
            oldest.and_then(|key| waiting.remove(&key));
        }
        waiting.insert((sha256_hex(session), page), Waiting { since, secret });
    }

    /// Takes the secret that waits for a page of a session.
    pub(super) fn take(&self, session: &str, page: &'static str) -> Option<(String, String)> {
        let found = lock(&self.0).remove(&(sha256_hex(session), page))?;
        (found.since.elapsed() < KEPT).then_some(found.secret)
    }
}
