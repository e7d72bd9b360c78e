//! Rows of webhooks: how far the chain of events was told to each, and how its last try went.

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use super::events::Event;
use super::sql::{Sql, Text, limit, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A webhook.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct WebhookRow = "webhook" {
        /// Its name in the settings.
        [key] pub name: String,
        /// The last event that is done with: told, given up, or none of its events.
        pub sequence: i64,
        /// The last event that was told.
        pub previous: Option<i64>,
        /// Tries of the next event.
        pub tries: u32,
        /// When it is tried again (epoch ms).
        pub next_try_ms: i64,
        /// Since when no try has succeeded (epoch ms); none while all is well.
        pub failing_since_ms: Option<i64>,
        /// When it was stopped (epoch ms); none while it is told.
        pub stopped_ms: Option<i64>,
        /// How the last try went: a status code or a word; empty before the first.
        pub said: String,
        /// When that was (epoch ms).
        pub said_ms: Option<i64>,
        /// Events told since it was set up.
        pub delivered: i64,
        /// Events given up since then.
        pub given_up: i64,
    }
}

/// The beginning of a look for events; the acts follow.
const OF_ACTS: &Text = &select::<Event>("WHERE sequence > $1 AND act IN (");

statements! {
    WEBHOOKS = select::<WebhookRow>("ORDER BY name");
    WEBHOOK = select::<WebhookRow>("WHERE name = $1");
    PUT_WEBHOOK = upsert::<WebhookRow>(&[]);
    DROP_WEBHOOK = sql("DELETE FROM webhook WHERE name = $1");
}

impl Reader<'_> {
    /// All webhooks that are known.
    pub fn webhooks(&self) -> Result<Vec<WebhookRow>, StoreError> {
        self.all(WEBHOOKS, [])
    }

    /// The webhook of this name.
    pub fn webhook(&self, name: &str) -> Result<Option<WebhookRow>, StoreError> {
        self.one(WEBHOOK, [name])
    }

    /// Events of some acts after a sequence, in order; of no act there are none.
    pub fn events_of_acts(
        &self,
        after: i64,
        acts: &[&str],
        most: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let mut values: Vec<Value> = vec![after.into()];
        values.extend(acts.iter().map(|act| Value::from((*act).to_owned())));
        let places: Vec<String> = (2..=values.len()).map(|at| format!("${at}")).collect();
        values.push(limit(most).into());
        let (start, last) = (OF_ACTS.as_str(), values.len());
        let text = format!("{start}{}) ORDER BY sequence LIMIT ${last}", places.join(", "));
        self.all(Sql(&text), params_from_iter(&values))
    }
}

impl Tx<'_> {
    /// Writes a webhook.
    pub fn put_webhook(&self, row: &WebhookRow) -> Result<(), StoreError> {
        self.put(PUT_WEBHOOK, row, &[])
    }

    /// Forgets a webhook.
    pub fn drop_webhook(&self, name: &str) -> Result<usize, StoreError> {
        self.run(DROP_WEBHOOK, params![name])
    }
}
