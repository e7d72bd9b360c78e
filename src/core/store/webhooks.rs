//! Rows of webhooks: how far the chain of events was told to each, and how its last try went.

use super::events::{Event, TURNED_BACK};
use super::sql::{Sql, Text, limit, params, row, select, sql, statements, upsert};
use super::value::Value;
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

/// The beginning of a look for the next event of some acts; the condition follows.
const NEXT: &Text = &select::<Event>("WHERE ");

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

    /// The first event of some acts after a sequence at which something was done; of no act there is none.
    pub fn next_done(&self, after: i64, acts: &[&str]) -> Result<Option<Event>, StoreError> {
        let (condition, values) = done(after, acts);
        let text = format!("{}{condition} ORDER BY sequence LIMIT 1", NEXT.as_str());
        self.one(Sql(&text), &values[..])
    }

    /// How many there are, and no more than `most`.
    pub fn count_done(&self, after: i64, acts: &[&str], most: usize) -> Result<u64, StoreError> {
        let (condition, mut values) = done(after, acts);
        values.push(limit(most).into());
        let last = values.len();
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM event WHERE {condition} LIMIT ${last}) AS few"
        );
        self.only(Sql(&text), &values[..])
    }
}

/// The condition on events of some acts after a sequence at which something was done, with its values.
fn done(after: i64, acts: &[&str]) -> (String, Vec<Value<'static>>) {
    let mut values: Vec<Value<'static>> = vec![after.into()];
    values.extend(acts.iter().map(|act| Value::from((*act).to_owned())));
    let places: Vec<String> = (2..=values.len()).map(|at| format!("${at}")).collect();
    // A fact is a member of one object of texts, in which a quotation mark has a stroke before it.
    values.push(format!("\"{TURNED_BACK}\":").into());
    let (acts, last) = (places.join(", "), values.len());
    (
        format!("sequence > $1 AND act IN ({acts}) AND replace(payload, ${last}, '') = payload"),
        values,
    )
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
