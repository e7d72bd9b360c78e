//! The content of a call: one sentence for people, and the same facts for programs.

use serde_json::{Value, json};

use super::Hook;
use crate::queue::{Deed, Kind, NamingClass};
use crate::view::rfc3339;
use crate::words::{Lang, Said, Words};

/// How many hexadecimal digits of an event's hash its id has.
const ID_DIGITS: usize = 32;

/// An event as webhooks get it: without persons, and without anything a person wrote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tidings {
    /// What was done.
    pub deed: Deed,
    /// Its place in the chain.
    pub sequence: i64,
    /// The event delivered to the webhook before this one; none at first.
    pub previous: Option<i64>,
    /// Its hash in the chain, in hexadecimal.
    pub hash: String,
    /// When (epoch milliseconds).
    pub at_ms: i64,
    /// The request's number; none for an event of a live record.
    pub request: Option<String>,
    /// The subdomain, without a dot at its end.
    pub name: String,
    /// What was asked for.
    pub kind: Option<Kind>,
    /// The naming class.
    pub class: Option<NamingClass>,
    /// The request's revision; 0 where there is none.
    pub revision: u32,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
}

/// A call's id and body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// `webhook-id`: the same for every delivery attempt of the event.
    pub id: String,
    /// The body, JSON.
    pub body: Vec<u8>,
}

impl Message {
    /// An event, for this webhook. `site` is how people reach the pages.
    pub fn of(tidings: &Tidings, hook: &Hook, site: &str) -> Self {
        let id = format!("evt_{}", tidings.hash.get(..ID_DIGITS).unwrap_or(&tidings.hash));
        let place = match &tidings.request {
            Some(number) => format!("/tinjau/{number}"),
            None => format!("/rekaman/{}", tidings.name),
        };
        let link = format!("{site}{place}");
        let text = format!("{} {link}", sentence(tidings, Words::of(Lang::Id)));
        let full = json!({
            "text": text,
            "event": tidings.deed.as_str(),
            "id": id,
            "sequence": tidings.sequence,
            "previous": tidings.previous,
            "at": rfc3339(tidings.at_ms),
            "request": tidings.request,
            "name": tidings.name,
            "kind": tidings.kind.map(Kind::as_str),
            "class": tidings.class.map(NamingClass::as_str),
            "state": tidings.after.as_ref().or(tidings.before.as_ref()),
            "state_before": tidings.before,
            "revision": tidings.revision,
            "link": link,
        });
        Self::new(id, full, hook)
    }

    /// A test call.
    pub fn test(id: &str, at_ms: i64, hook: &Hook, site: &str) -> Self {
        let text = Words::of(Lang::Id).a("webhook-test-text", "site", site);
        let id = format!("test_{id}");
        let full =
            json!({ "text": text, "event": "test", "id": id, "at": rfc3339(at_ms), "link": site });
        Self::new(id, full, hook)
    }

    /// The message, reduced to what the webhook accepts.
    fn new(id: String, full: Value, hook: &Hook) -> Self {
        let body = if hook.text_only { json!({ "text": full["text"] }) } else { full };
        Self { id, body: body.to_string().into_bytes() }
    }
}

/// What happened, in one sentence.
pub(super) fn sentence(tidings: &Tidings, t: Words) -> String {
    let id = format!("webhook-{}", tidings.deed.as_str().replace('_', "-"));
    let own = tidings.kind.map(|kind| format!("{id}-{}", kind.said_as(false)));
    let id = own.filter(|own| t.has(own)).unwrap_or(id);
    let number = tidings.request.as_deref().unwrap_or_default();
    let kind = tidings.kind.map(|kind| kind.say(t).to_lowercase()).unwrap_or_default();
    t.with(&id, &[("number", number), ("name", &tidings.name), ("kind", &kind)])
}
