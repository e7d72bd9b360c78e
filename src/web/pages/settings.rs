//! Everything an administrator may set: what is in force, where it comes from, and the way to it. What only
//! the settings file can change is shown with its key.

use askama::Template;
use axum::extract::State as Extract;
use axum::response::Response;

use super::lists::{READERS, empty_year, list_id, origin_words, place_of, title_of};
use crate::desk::{ActError, ListView};
use crate::people::{Account, Role};
use crate::queue::lists::List;
use crate::queue::time::year_of;
use crate::web::failure::Failure;
use crate::web::shell::{Shell, page};
use crate::web::state::{Shown, State};
use crate::web::visitor::Visitor;
use crate::words::Words;

/// The lists, by what they are about.
const PARTS: [(&str, &[List]); 4] = [
    ("settings-office", &[List::Identity]),
    ("settings-time", &[List::Hours, List::OtherHours, List::Holidays]),
    ("settings-names", &[List::Offices, List::Regions, List::Spellings, List::Reserved]),
    ("settings-targets", &[List::Hostings, List::Hijackable, List::Indonesia]),
];

/// One thing that can be set.
struct Row {
    /// Its name.
    title: String,
    /// Where it is.
    place: String,
    /// What is in force.
    value: String,
    /// Where that comes from.
    origin: String,
}

/// Things that belong together.
struct Part {
    /// Heading.
    title: String,
    /// The things.
    rows: Vec<Row>,
}

/// A key of the settings file.
struct Key {
    /// The key.
    key: String,
    /// What it is for, or empty.
    about: String,
    /// Its value.
    value: String,
    /// Whether that is in words.
    is_said: bool,
    /// Whether its value waits for a restart.
    waits: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "settings.html", config = "src/web/askama.toml")]
struct SettingsPage {
    /// Frame.
    shell: Shell,
    /// What is to be heeded.
    notes: Vec<String>,
    /// What pages change.
    parts: Vec<Part>,
    /// What only the file changes.
    keys: Vec<Key>,
}

/// `GET /pengaturan`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&READERS)?;
    let is_admin = session.holds_one_of(&[Role::Operator]);
    let t = visitor.t;
    let (views, people, texts, webhooks) = state
        .work(|state| {
            let views = List::ALL.map(|list| state.desk().list_in_force(list));
            let people = state.people().list().unwrap_or_default();
            let (texts, webhooks) = (state.desk().texts()?.len(), state.desk().hooks().len());
            Ok::<_, ActError>((views, people, texts, webhooks))
        })
        .await??;
    let now = state.desk().now();
    let row = |list: &List| {
        let view = views.iter().find(|view| view.table.list == *list)?;
        Some(row(t, view, &people, now))
    };
    let mut parts: Vec<Part> = PARTS
        .iter()
        .map(|(id, lists)| Part { title: t.s(id), rows: lists.iter().filter_map(row).collect() })
        .collect();
    if let Some(office) = parts.first_mut().filter(|_| is_admin) {
        let active = people.iter().filter(|one| one.enabled).count();
        office.rows.extend([
            other(t, "settings-texts", "/pengaturan/teks", texts),
            other(t, "settings-users", "/pengguna", active),
            other(t, "settings-webhooks", "/pengaturan/webhook", webhooks),
        ]);
    }
    let year = empty_year(&state).map(|year| year.to_string());
    let started = &state.options().shown;
    page(&SettingsPage {
        shell: Shell::new(&visitor, t.s("settings-title")).wide(),
        notes: year.map(|year| t.a("settings-year-empty", "year", &year)).into_iter().collect(),
        parts,
        keys: state.settings().shown.iter().map(|it| key(t, it, started)).collect(),
    })
}

/// A list.
fn row(t: Words, view: &ListView, people: &[Account], now: i64) -> Row {
    let (list, table) = (view.table.list, &view.table);
    let count = |rows: usize| t.count(rows as u64);
    let value = match list {
        List::Identity => table.cell("name", 1).to_owned(),
        List::Hours => {
            let days = crate::queue::calendar::DAYS.map(|day| table.cell(day, 1));
            t.hours(&crate::queue::Hours::of_days(days))
        }
        List::Holidays => {
            let (this, next) = (year_of(now).to_string(), (year_of(now) + 1).to_string());
            let of = |year: &str| {
                let rows = table.rows().iter();
                count(rows.filter(|row| row.iter().take(1).any(|it| it.starts_with(year))).count())
            };
            let (days, later) = (of(&this), of(&next));
            let values = [("this", &days), ("year", &this), ("next", &later), ("following", &next)];
            t.with("list-holidays-years", &values.map(|(key, value)| (key, value.as_str())))
        }
        _ if table.rows().is_empty() => t.s("settings-none"),
        _ => t.a(&list_id(list, "-count"), "count", &count(table.rows().len())),
    };
    Row {
        title: title_of(t, list),
        place: place_of(list),
        value,
        origin: origin_words(t, view, people),
    }
}

/// Something that is no list.
fn other(t: Words, id: &str, place: &str, count: usize) -> Row {
    Row {
        title: t.s(id),
        place: place.to_owned(),
        value: t.a(&format!("{id}-count"), "count", &t.count(count as u64)),
        origin: String::new(),
    }
}

/// A key of the settings file.
fn key(t: Words, it: &Shown, started: &[Shown]) -> Key {
    let id = format!("key-{}", it.key.replace(['.', '_'], "-"));
    let waits = !it.by_reload && !started.contains(it);
    let said = match it.value.as_str() {
        "" => Some("settings-empty"),
        "true" => Some("fact-yes"),
        "false" => Some("fact-no"),
        _ => None,
    };
    let value = said.map_or_else(|| it.value.clone(), |id| t.s(id));
    let about = if t.has(&id) { t.s(&id) } else { String::new() };
    Key { key: it.key.clone(), about, value, is_said: said.is_some(), waits }
}
