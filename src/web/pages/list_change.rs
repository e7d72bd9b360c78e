//! A change of a list before it applies: what differs, what it touches, and one button.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::lists::{list_of, look, origin_words, place_of, row_words, title_of, who};
use super::parts::refusal;
use super::sign_in::proof_first;
use crate::desk::{ActError, Change, Effect, ListOrigin, ListView, Touched};
use crate::people::{Account, Role};
use crate::queue::lists::List;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Rows of each kind that are shown.
const SHOWN_MAX: usize = 200;

/// The address of a change.
pub(super) fn place_of_change(list: List, id: &str) -> String {
    format!("{}/usulan/{id}", place_of(list))
}

/// Rows that come or go.
struct Part {
    /// Heading.
    title: String,
    /// Class of a row.
    class: &'static str,
    /// Rows.
    rows: Vec<String>,
    /// How many more there are, or empty.
    more: String,
}

/// A request or a name that is judged otherwise.
struct Judged {
    /// The name.
    name: String,
    /// Where it is seen.
    place: String,
    /// Number and office.
    about: String,
    /// What is said.
    said: Vec<String>,
}

/// Requests or names that are judged otherwise.
struct JudgedPart {
    /// Heading.
    title: String,
    /// Some of them.
    items: Vec<Judged>,
    /// How many more there are, or empty.
    more: String,
}

/// A due time that moves.
struct Due {
    /// Number of the request.
    number: String,
    /// The name.
    name: String,
    /// Due now.
    before: String,
    /// Due then.
    after: String,
}

/// The page.
#[derive(Template)]
#[template(path = "list_change.html", config = "src/web/askama.toml")]
struct ChangePage {
    /// Frame.
    shell: Shell,
    /// The address of the list.
    place: String,
    /// Why it was refused: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// That somebody was faster, or empty.
    stale: String,
    /// Where the list goes back to, or empty.
    back: String,
    /// How much changes.
    counts: String,
    /// Rows that come and go.
    parts: Vec<Part>,
    /// Rows that change: before and after.
    replaced: Vec<(Vec<String>, Vec<String>)>,
    /// How many more there are, or empty.
    replaced_more: String,
    /// Due times that move: heading, some of them, how many more.
    dues: (String, Vec<Due>, String),
    /// What is judged otherwise.
    judged: Vec<JudgedPart>,
    /// The form; none if it cannot be applied.
    form: Option<Form>,
}

/// `GET /pengaturan/daftar/{list}/usulan/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((slug, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Operator])?, &visitor)?;
    let list = list_of(&slug)?;
    match change_page(&state, &visitor, list, &id).await? {
        Some(shown) => page(&shown),
        None => Ok(see_other(&format!("{}?hasil=terapkan", place_of(list)))),
    }
}

/// `POST /pengaturan/daftar/{list}/usulan/{id}`: applies it.
pub(super) async fn apply(
    Extract(state): Extract<State>,
    Path((slug, id)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&[Role::Operator])?.actor();
    let list = list_of(&slug)?;
    let (of, reason, is_sure) =
        (id.clone(), sent.get("reason").to_owned(), sent.get("sure") == "ya");
    let done =
        state.work(move |state| state.desk().apply_list(&of, (&reason, is_sure), &actor)).await?;
    let Err(error) = done else {
        return Ok(see_other(&format!("{}?hasil=terapkan", place_of(list))));
    };
    let (words, faults) = (refusal(visitor.t, &error), error.faults().to_vec());
    let failure = Failure::from(error);
    if failure.is_internal() || faults.is_empty() && words.is_none() {
        return Err(failure);
    }
    let Some(mut again) = change_page(&state, visitor, list, &id).await? else {
        return Err(failure);
    };
    again.shell.faulty = true;
    let t = visitor.t;
    again.form =
        again.form.map(|form| form.refill(|name| sent.get(name)).take_faults(t, &faults).0);
    let at = again.form.iter().flat_map(Form::faults);
    again.faults = at.map(|(name, text)| (format!("#{name}"), text.to_owned())).collect();
    page_with(failure.status, &again)
}

/// The page of a change; none if it is applied already.
async fn change_page(
    state: &State,
    visitor: &Visitor,
    list: List,
    id: &str,
) -> Result<Option<ChangePage>, Failure> {
    let t = visitor.t;
    let actor = visitor.need(&[Role::Operator])?.actor();
    let of = id.to_owned();
    let (change, effect) = state
        .work(move |state| {
            let change = state.desk().list_change(&of, &actor)?;
            let effect = match change.applied {
                Some(_) => Effect::default(),
                None => state.desk().list_effect(&change.after, &actor)?,
            };
            Ok::<_, ActError>((change, effect))
        })
        .await??;
    if change.list != list {
        return Err(Failure::not_found());
    }
    if change.applied.is_some() {
        return Ok(None);
    }
    let (view, people) = look(state, list).await?;
    let count = |number: usize| t.count(number as u64);
    let diff = &change.diff;
    let replaced = diff.changed.iter().take(SHOWN_MAX);
    let form = (!change.is_stale).then(|| form(visitor, &change, id));
    let counts = [
        ("added", count(diff.added.len())),
        ("removed", count(diff.removed.len())),
        ("replaced", count(diff.changed.len())),
        ("rows", count(change.after.rows().len())),
    ];
    Ok(Some(ChangePage {
        shell: Shell::new(visitor, t.a("change-title", "list", &title_of(t, list))).wide(),
        place: place_of(list),
        faults: Vec::new(),
        stale: stale_words(t, &change, &people),
        back: back_words(t, &change, view, &people),
        counts: t
            .with("change-counts", &counts.each_ref().map(|(key, value)| (*key, value.as_str()))),
        parts: vec![
            part(t, list, ("change-added", "add"), &diff.added),
            part(t, list, ("change-removed", "cut"), &diff.removed),
        ],
        replaced: replaced
            .map(|(before, after)| (row_words(t, list, before), row_words(t, list, after)))
            .collect(),
        replaced_more: more(t, diff.changed.len(), SHOWN_MAX),
        dues: dues(t, &effect),
        judged: judged(t, &effect),
        form,
    }))
}

/// That somebody was faster.
fn stale_words(t: Words, change: &Change, people: &[Account]) -> String {
    match &change.overtaken {
        Some(row) => {
            let (who, when) = (who(people, &row.person), t.date_time(row.at_ms));
            t.with("change-stale", &[("who", &who), ("when", &when)])
        }
        None if change.is_stale => t.s("change-stale-file"),
        None => String::new(),
    }
}

/// Where the list goes back to.
fn back_words(t: Words, change: &Change, view: ListView, people: &[Account]) -> String {
    if !change.goes_back {
        return String::new();
    }
    let origin = if view.in_file { ListOrigin::File } else { ListOrigin::Shipped };
    let view = ListView { origin, version: None, ..view };
    t.a("change-back", "origin", &origin_words(t, &view, people))
}

/// How many more there are than are shown.
fn more(t: Words, all: usize, shown: usize) -> String {
    let rest = all.saturating_sub(shown);
    if rest == 0 { String::new() } else { t.a("change-more", "count", &t.count(rest as u64)) }
}

/// Rows that come or go.
fn part(t: Words, list: List, (id, class): (&str, &'static str), rows: &[Vec<String>]) -> Part {
    let shown = rows.iter().take(SHOWN_MAX);
    Part {
        title: t.s(id),
        class,
        rows: shown.map(|row| row_words(t, list, row).join(" · ")).collect(),
        more: more(t, rows.len(), SHOWN_MAX),
    }
}

/// Due times that move.
fn dues(t: Words, effect: &Effect) -> (String, Vec<Due>, String) {
    let due = effect.dues.iter().map(|it| Due {
        number: it.number.clone(),
        name: it.name.trim_end_matches('.').to_owned(),
        before: t.date_time(it.before_ms),
        after: t.date_time(it.after_ms),
    });
    let title = t.a("change-dues", "count", &t.count(effect.dues_count as u64));
    (title, due.collect(), more(t, effect.dues_count, effect.dues.len()))
}

/// What is judged otherwise.
fn judged(t: Words, effect: &Effect) -> Vec<JudgedPart> {
    let part = |id: &str, items: &[Touched], count: usize| JudgedPart {
        title: t.a(id, "count", &t.count(count as u64)),
        items: items.iter().map(|it| judged_one(t, it)).collect(),
        more: more(t, count, items.len()),
    };
    let parts = [
        part("change-requests", &effect.requests, effect.requests_count),
        part("change-names", &effect.names, effect.names_count),
    ];
    parts.into_iter().filter(|part| !part.items.is_empty()).collect()
}

/// One request or name.
fn judged_one(t: Words, it: &Touched) -> Judged {
    let name = it.name.trim_end_matches('.').to_owned();
    let place = match &it.number {
        Some(number) => format!("/tinjau/{number}"),
        None => format!("/rekaman/{name}"),
    };
    let about = it.number.iter().chain([&it.office]).filter(|text| !text.is_empty());
    let more = it.more.iter().map(|fault| t.a("change-more-fault", "text", &fault.say(t)));
    let less = it.less.iter().map(|fault| t.a("change-less-fault", "text", &fault.say(t)));
    let about = about.cloned().collect::<Vec<_>>().join(" · ");
    Judged { name, place, about, said: more.chain(less).collect() }
}

/// The form that applies it.
fn form(visitor: &Visitor, change: &Change, id: &str) -> Form {
    let t = visitor.t;
    let action = place_of_change(change.list, id);
    let reason = Field::line(t, "reason", "change-reason").optional();
    let form = Form::new(&action, &visitor.csrf, t.s("change-apply")).field(reason);
    if !change.shrinks {
        return form;
    }
    let removed = t.count(change.diff.removed.len() as u64);
    let sure = Choice::new("ya", t.a("change-sure", "count", &removed));
    let sure = Field::line(t, "sure", "change-sure-label").input(Input::Checks(vec![sure]));
    form.field(sure).style("warn")
}
