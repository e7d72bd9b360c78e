//! The queue: every request, ordered by the time left to its running step, late ones first.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use super::parts::{act_words, full_name, left_class, tag, waits};
use crate::audit::Event;
use crate::desk::{ActError, COUNTED_MAX, Counts, ListFilter, Sort};
use crate::people::{Account, Role};
use crate::queue::time::DAY_MS;
use crate::queue::{Phase, Rules, State as RequestState};
use crate::view::Summary;
use crate::web::failure::Failure;
use crate::web::form::Choice;
use crate::web::redirect::encode;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Rows of one page.
const ROWS: usize = 50;
/// How long a change of an account stays on the page.
const NEWS_MS: i64 = 3 * DAY_MS;
/// The lists: query value and message id.
const LISTS: [(&str, &str); 5] = [
    ("milik-saya", "queue-mine"),
    ("semua", "queue-all"),
    ("terlambat", "queue-late"),
    ("diajukan-ulang", "queue-again"),
    ("selesai", "queue-finished"),
];

/// The filters, which stand in the URL.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ListParams {
    /// Which list.
    #[serde(default)]
    daftar: String,
    /// Only this state.
    #[serde(default)]
    keadaan: String,
    /// Only what holds this text.
    #[serde(default)]
    cari: String,
    /// Where the page begins.
    #[serde(default)]
    mulai: String,
    /// How many requests were just routed.
    #[serde(default)]
    selesai: String,
    /// Set when none was chosen.
    #[serde(default)]
    pilih: String,
}

/// A list to choose.
struct Tab {
    /// Where.
    place: String,
    /// What.
    words: String,
    /// Whether it is shown.
    here: bool,
}

/// One request in a row.
struct Row {
    /// Number.
    number: String,
    /// Full name.
    name: String,
    /// Kind in words.
    kind: String,
    /// Class in words.
    class: String,
    /// Office.
    office: String,
    /// State in words.
    state: String,
    /// Class of the tag.
    tag: &'static str,
    /// Whether it was sent again.
    again: bool,
    /// Whether it waits to be routed.
    routes: bool,
    /// Who holds it.
    holder: String,
    /// Their jabatan.
    holder_title: String,
    /// Time left in words.
    left: String,
    /// Class of the time left.
    left_class: &'static str,
    /// Due time in words.
    due: String,
}

/// The page.
#[derive(Template)]
#[template(path = "queue.html", config = "src/web/askama.toml")]
struct QueuePage {
    /// Frame.
    shell: Shell,
    /// What was just done.
    done: String,
    /// What is wrong with the choice.
    fault: String,
    /// Whether several may be routed in one press.
    routes: bool,
    /// Lists to choose.
    tabs: Vec<Tab>,
    /// The list shown.
    list: String,
    /// States to choose.
    states: Vec<Choice>,
    /// The state chosen.
    chosen: String,
    /// The text searched for.
    search: String,
    /// How many changes of accounts there were.
    news_title: String,
    /// Changes of accounts in the last days, which every officer is notified of.
    news: Vec<String>,
    /// Requests.
    rows: Vec<Row>,
    /// The next page.
    next: Option<String>,
}

/// `GET /antrean`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<ListParams>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let actor = session.actor();
    let list = if asked.daftar.is_empty() { "semua".to_owned() } else { asked.daftar.clone() };
    let text = asked.cari.trim().to_owned();
    let state_wanted = RequestState::from_name(&asked.keadaan);
    let filter = ListFilter {
        states: state_wanted.into_iter().collect(),
        // Without a state, "all" means all that are under way.
        // A search finds what is finished, too.
        open: match list.as_str() {
            "selesai" => Some(false),
            "semua" if !text.is_empty() => None,
            _ => state_wanted.is_none().then_some(true),
        },
        sort: if list == "selesai" { Sort::Newest } else { Sort::Due },
        late: list == "terlambat",
        holder: None,
        waits_for: None,
        resubmitted: list == "diajukan-ulang",
        text: (!text.is_empty()).then_some(text),
        cursor: (!asked.mulai.is_empty()).then(|| asked.mulai.clone()),
        limit: ROWS,
        ..ListFilter::default()
    };
    let now = state.people().now_ms();
    let filter = if list == "milik-saya" { filter.waiting_for(&actor, now) } else { filter };
    let (found, counts, people, events) = state
        .work(move |state| {
            let page = state.desk().list(&filter, &actor)?;
            let counts = state.desk().counts(&actor)?;
            let people = state.people().list().unwrap_or_default();
            Ok::<_, ActError>((page, counts, people, state.desk().account_news(NEWS_MS)?))
        })
        .await??;
    let rules = state.desk().rules();
    let rows = found.items.iter().map(|item| row(t, item, &people, rules)).collect();
    let next = found.next.map(|next| {
        let (state, text) = (encode(&asked.keadaan), encode(&asked.cari));
        format!("/antrean?daftar={list}&keadaan={state}&cari={text}&mulai={}", encode(&next))
    });
    let routed: u64 = asked.selesai.parse().unwrap_or_default();
    let may_route = visitor.need(&[Role::Head]).is_ok();
    page(&QueuePage {
        shell: Shell::new(&visitor, t.s("queue-title")).wide(),
        done: if routed > 0 {
            t.a("routing-done", "count", &t.count(routed))
        } else {
            String::new()
        },
        fault: if asked.pilih.is_empty() { String::new() } else { t.s("routing-choose") },
        routes: may_route && found.items.iter().any(|it| it.phase == Phase::Submitted),
        tabs: tabs(t, &list, &counts),
        list,
        states: RequestState::ALL.map(|state| Choice::new(state.as_str(), state.say(t))).to_vec(),
        chosen: asked.keadaan,
        search: asked.cari,
        news_title: t.a("queue-news", "count", &events.len().to_string()),
        news: events.iter().map(|event| news(t, event, &people)).collect(),
        rows,
        next,
    })
}

/// A change of an account in words.
fn news(t: Words, event: &Event, people: &[Account]) -> String {
    let id = event.subject.strip_prefix("person:").unwrap_or(&event.subject);
    let name = people.iter().find(|person| person.id == id);
    let name = name.map_or_else(|| id.to_owned(), |person| person.full_name.clone());
    let (what, when) = (act_words(t, &event.act), t.date_time(event.at_ms));
    t.with("users-news", &[("what", &what), ("name", &name), ("when", &when)])
}

/// The lists with how many are in each.
fn tabs(t: Words, list: &str, counts: &Counts) -> Vec<Tab> {
    let Counts { mine, open, late, resubmitted, finished } = *counts;
    let counts = [mine, open, late, resubmitted, finished];
    let both = LISTS.iter().zip(counts);
    let tab = |((value, id), count): (&(&str, &str), u64)| {
        let more = if count > COUNTED_MAX { "+" } else { "" };
        let count = format!("{}{more}", t.count(count.min(COUNTED_MAX)));
        let values = [("words", t.s(id)), ("count", count)];
        let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
        Tab {
            place: format!("/antrean?daftar={value}"),
            words: t.with("queue-tab", &values),
            here: list == *value,
        }
    };
    both.map(tab).collect()
}

/// A request in words.
fn row(t: Words, item: &Summary, people: &[Account], rules: &Rules) -> Row {
    let (holder, holder_title) = waits(t, item, people);
    Row {
        number: item.number.clone(),
        name: full_name(&item.name, &item.zone),
        kind: match item.raised {
            Some(_) => format!("{} · {}", item.kind.say(t), t.s("raised-system")),
            None => item.kind.say(t),
        },
        class: item.class.say(t),
        office: item.office.clone(),
        state: item.state.say(t),
        tag: tag(item.state),
        again: item.revision > 1,
        routes: item.phase == Phase::Submitted,
        holder,
        holder_title,
        left: item.left_minutes.map(|minutes| t.left(minutes)).unwrap_or_default(),
        left_class: left_class(item, rules),
        due: item.due.as_deref().map(|due| t.moment(due)).unwrap_or_default(),
    }
}
