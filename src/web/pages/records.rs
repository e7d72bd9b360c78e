//! Live records for officers: the list with its search, one name with everything that ever changed it,
//! and what may be done to it at once: emergency suspension and its confirmation, taking over what the
//! operator's file says, an office for an imported name, and the public list.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use super::filled;
use super::owner::{Changed, changed};
use super::parts::{Past, history, is_just_now, line_fault, live_tag, refusal, tag};
use super::sign_in::proof_first;
use crate::desk::{ActError, NameChange, NamePage, OwnerAnswer};
use crate::people::{Role, Session};
use crate::queue::{
    Fault, Kind, LiveState, NamingClass, Rule, State as RequestState, TransitionError,
};
use crate::view::{RecordView, TargetView, WatchView};
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::{encode, see_other};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Names of one page.
const ROWS: usize = 100;
/// States that a name on the list may have.
const STATES: [LiveState; 5] = [
    LiveState::Live,
    LiveState::Held,
    LiveState::Reconfirming,
    LiveState::Suspended,
    LiveState::Quarantined,
];

//------------ The list ------------------------------------------------------

/// The filters, which stand in the URL.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Only what holds this text.
    #[serde(default)]
    cari: String,
    /// Only this state.
    #[serde(default)]
    keadaan: String,
    /// Only what is not served as approved.
    #[serde(default)]
    beda: String,
    /// Only what has something held against its targets.
    #[serde(default)]
    tujuan: String,
    /// Where the page begins.
    #[serde(default)]
    setelah: String,
}

/// One name in a row.
struct Row {
    /// Its page.
    place: String,
    /// The name without its final dot.
    name: String,
    /// State in words.
    state: String,
    /// Class of the tag.
    tag: &'static str,
    /// Class of the name.
    class: String,
    /// Office.
    office: String,
    /// Since and until when.
    term: String,
    /// The request behind it.
    request: String,
}

/// The list.
#[derive(Template)]
#[template(path = "records.html", config = "src/web/askama.toml")]
struct ListPage {
    /// Frame.
    shell: Shell,
    /// The text searched for.
    search: String,
    /// States to choose.
    states: Vec<Choice>,
    /// The state chosen.
    chosen: String,
    /// Whether only a part is shown that needs somebody.
    part: bool,
    /// Names.
    rows: Vec<Row>,
    /// The next page.
    next: Option<String>,
}

/// `GET /rekaman`
pub(super) async fn list(
    Extract(state): Extract<State>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let wanted = LiveState::from_name(&asked.keadaan);
    let (differs, targets) = (!asked.beda.is_empty(), !asked.tujuan.is_empty());
    let (text, after) = (asked.cari.clone(), asked.setelah.clone());
    let (found, next) = state
        .work(move |state| {
            let desk = state.desk();
            let names: Vec<String> = match (differs, targets) {
                (true, _) => desk.drift()?.into_iter().map(|drift| drift.name).collect(),
                (false, true) => desk.targets_wrong()?.into_iter().map(|it| it.name).collect(),
                (false, false) => return desk.search_records(&text, wanted, &after, ROWS),
            };
            let mut found = Vec::new();
            for name in names.iter().take(ROWS) {
                found.extend(desk.record(name)?);
            }
            Ok::<_, ActError>((found, None))
        })
        .await??;
    let next = next.map(|next| {
        let (text, state) = (encode(&asked.cari), encode(&asked.keadaan));
        format!("/rekaman?cari={text}&keadaan={state}&setelah={}", encode(&next))
    });
    page(&ListPage {
        shell: Shell::new(&visitor, t.s("records-title")).wide(),
        states: STATES.map(|state| Choice::new(state.as_str(), state.say(t))).to_vec(),
        rows: found.iter().map(|record| row(t, record)).collect(),
        search: asked.cari,
        chosen: asked.keadaan,
        part: differs || targets,
        next,
    })
}

/// The page of a name.
fn place_of(record: &RecordView) -> String {
    format!("/rekaman/{}", encode(record.name.trim_end_matches('.')))
}

/// A name in a row.
fn row(t: Words, record: &RecordView) -> Row {
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at));
    let term = match (day(&record.since), day(&record.ends)) {
        (Some(since), Some(ends)) => format!("{since} – {ends}"),
        (Some(since), None) => since,
        (None, _) => "–".to_owned(),
    };
    Row {
        place: place_of(record),
        name: record.name.trim_end_matches('.').to_owned(),
        state: record.state.say(t),
        tag: live_tag(record.state),
        class: record.class.map_or_else(|| "–".to_owned(), |class| class.say(t)),
        office: office_words(t, record),
        term,
        request: record.request.clone().unwrap_or_default(),
    }
}

/// The office of a name.
fn office_words(t: Words, record: &RecordView) -> String {
    if record.office.is_empty() { t.s("records-no-office") } else { record.office.clone() }
}

//------------ One name ------------------------------------------------------

/// A request about a name in words.
struct Change {
    /// Number.
    number: String,
    /// Kind, and when it came in.
    what: String,
    /// State in words.
    state: String,
    /// Class of its tag.
    tag: &'static str,
    /// Records that went.
    removed: Vec<String>,
    /// Records that came.
    added: Vec<String>,
    /// Whether the officer may begin a request that takes it back.
    undo: bool,
}

/// The page of one name.
#[derive(Template)]
#[template(path = "record.html", config = "src/web/askama.toml")]
struct NameView {
    /// Frame.
    shell: Shell,
    /// What was just done.
    done: String,
    /// Its page.
    place: String,
    /// State in words.
    state: String,
    /// Class of its tag.
    tag: &'static str,
    /// What is to be known.
    notes: Vec<String>,
    /// Facts.
    facts: Vec<(String, String)>,
    /// What may be done: path, words and style of the button.
    acts: Vec<(&'static str, String, &'static str)>,
    /// Requests about it.
    changes: Vec<Change>,
    /// What is seen of its targets.
    watch: Vec<(String, String)>,
    /// Whether the officer may have them looked at.
    may_look: bool,
    /// What changed at it, the newest first.
    served: Vec<Changed>,
    /// Whether letters to the owner are linked.
    letters: bool,
    /// What else happened to it.
    history: Vec<Past>,
}

/// What was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    /// Set after an act.
    #[serde(default)]
    selesai: String,
    /// Set after the targets were to be looked at.
    #[serde(default)]
    dilihat: String,
}

/// `GET /rekaman/{name}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    Query(done): Query<Done>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let found = look(&state, &visitor, &name).await?;
    let now = state.people().now_ms();
    let last = found.history.last().filter(|it| {
        !done.selesai.is_empty()
            && it.who.as_deref() == Some(&session.account.name)
            && is_just_now(&it.at, now)
    });
    let acts = session.holds_one_of(&[Role::Head, Role::Verifier, Role::Operator]);
    let record = &found.record;
    let shown = record.name.trim_end_matches('.').to_owned();
    let looks = (!done.dilihat.is_empty()).then(|| t.s("record-done-look"));
    let done =
        last.map(|it| t.a(&format!("record-done-{}", it.act.replace('_', "-")), "name", &shown));
    page(&NameView {
        shell: Shell::new(&visitor, shown.clone()).wide(),
        done: done.or(looks).unwrap_or_default(),
        place: place_of(record),
        state: record.state.say(t),
        tag: live_tag(record.state),
        notes: notes(t, &found),
        facts: facts(t, record),
        acts: offered(t, session, &found, now),
        changes: found.changes.iter().map(|it| change(t, it, can_undo(record, it, acts))).collect(),
        watch: found.watch.as_ref().map(|watch| watched(t, watch)).unwrap_or_default(),
        may_look: acts,
        served: found.served.iter().map(|it| changed(t, &shown, it)).collect(),
        letters: session.holds_one_of(&[Role::Head, Role::Verifier]),
        history: history(t, &found.history, true),
    })
}

/// A name as officers see it.
async fn look(state: &State, visitor: &Visitor, name: &str) -> Result<NamePage, Failure> {
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    let name = name.to_owned();
    Ok(state.work(move |state| state.desk().name_page(&name, &actor)).await??)
}

/// What is to be known of a name.
fn notes(t: Words, found: &NamePage) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(out) = &found.record.suspension {
        let (by, at) = (out.by.as_str(), t.moment(&out.at));
        // What the clock did has a ground, and no reason that somebody wrote.
        if out.cause.is_none() {
            notes.push(t.with("record-out", &[("by", by), ("at", &at), ("reason", &out.reason)]));
        }
        if out.emergency && out.confirmed.is_none() {
            let until = out.confirm_by.as_deref().map(|at| t.moment(at)).unwrap_or_default();
            notes.push(t.a("record-unconfirmed", "until", &until));
        }
    }
    notes.extend(year(t, &found.record));
    if found.drifts {
        notes.push(t.s("record-differs"));
    }
    if let Some(watch) = found.watch.as_ref().filter(|watch| watch.urgent) {
        let since = watch.since.as_deref().map(|at| t.moment(at)).unwrap_or_default();
        notes.push(t.a("record-target-urgent", "since", &since));
    }
    if let Some(reason) = &found.record.unlisted {
        notes.push(t.a("record-unlisted", "reason", reason));
    }
    notes
}

/// Where a name stands in its year: what was asked of its owner, and what gapura asked for by itself.
fn year(t: Words, record: &RecordView) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(question) = &record.question {
        let id =
            if record.state == LiveState::Reconfirming { "record-late" } else { "record-asked" };
        let (asked, due) = (t.day_of(&question.asked), t.day_of(&question.due));
        notes.push(t.with(id, &[("asked", &asked), ("due", &due)]));
        notes.extend(question.request.as_ref().map(|it| t.a("record-raised", "number", it)));
    }
    if let Some(out) = &record.suspension {
        if let Some(cause) = out.cause {
            notes.push(t.a("record-cause", "ground", &cause.say(t)));
        }
        match (&out.removal, &out.remove_at) {
            (Some(number), _) => notes.push(t.a("record-raised", "number", number)),
            (None, Some(at)) => notes.push(t.a("record-remove-at", "at", &t.day_of(at))),
            (None, None) => {}
        }
    }
    notes
}

/// Facts of a name.
fn facts(t: Words, record: &RecordView) -> Vec<(String, String)> {
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    let lines =
        record.records.iter().map(|it| format!("{} {} (TTL {})", it.rtype, it.data, it.ttl));
    let class = record.class.map(|class| class.say(t)).unwrap_or_default();
    let mut facts = vec![
        (t.s("queue-office"), office_words(t, record)),
        (t.s("register-class"), class),
        (t.s("records-data"), lines.collect::<Vec<_>>().join("\n")),
        (t.s("register-since"), day(&record.since)),
        (t.s("apply-ends"), day(&record.ends)),
        (t.s("record-confirmed"), day(&record.confirmed)),
        (t.s("record-next-question"), day(&record.next_question)),
        (t.s("records-origin"), t.s(&format!("origin-{}", record.origin))),
        (t.s("records-version"), record.version.to_string()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// What is seen of the targets of a name in words.
fn watched(t: Words, watch: &WatchView) -> Vec<(String, String)> {
    let at = |at: &Option<String>| at.as_deref().map(|at| t.moment(at)).unwrap_or_default();
    let line =
        |it: &TargetView| format!("{}: {}", it.target, t.s(&format!("target-seen-{}", it.found)));
    let strikes = match watch.strikes {
        0 => String::new(),
        strikes => {
            let (count, since) = (t.count(u64::from(strikes)), at(&watch.since));
            t.with("target-strikes", &[("count", &count), ("since", &since)])
        }
    };
    let mut facts = vec![
        (t.s("target-looked"), at(&watch.looked)),
        (t.s("target-found"), watch.found.iter().map(line).collect::<Vec<_>>().join("\n")),
        (t.s("target-held"), strikes),
        (t.s("target-next"), t.moment(&watch.next)),
        (t.s("target-request"), watch.request.clone().unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// `POST /rekaman/{name}/lihat-tujuan`: has the targets of a name looked at soon.
pub(super) async fn look_soon(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let officers = [Role::Head, Role::Verifier, Role::Operator];
    let actor = sent.visitor.need(&officers)?.actor();
    let of = name.clone();
    state.work(move |state| state.desk().look_soon(&of, &actor)).await??;
    Ok(see_other(&format!("/rekaman/{}?dilihat=ya", encode(&name))))
}

/// A request about a name in words.
fn change(t: Words, it: &NameChange, undo: bool) -> Change {
    Change {
        number: it.number.clone(),
        what: format!("{}, {}", it.kind.say(t), t.moment(&it.submitted)),
        state: it.state.say(t),
        tag: tag(it.state),
        removed: it.removed.clone(),
        added: it.added.clone(),
        undo,
    }
}

/// Whether a change can be taken back: it went live, and the name is still served.
fn can_undo(record: &RecordView, it: &NameChange, acts: bool) -> bool {
    let went_live =
        matches!(it.state, RequestState::Live | RequestState::Notified | RequestState::Closed);
    acts && record.state.is_served() && it.kind == Kind::Change && went_live
}

//------------ Acts ----------------------------------------------------------

/// The acts on a name by the last part of their path.
const ACTS: [&str; 7] =
    ["masih-dipakai", "tangguhkan", "konfirmasi", "terima", "pemilik", "sembunyikan", "tampilkan"];

/// What the officer may do to a name now.
fn offered(
    t: Words,
    session: &Session,
    found: &NamePage,
    now: i64,
) -> Vec<(&'static str, String, &'static str)> {
    let holds = |role| session.actor().capacity(role, now).is_some();
    let (head, decides) = (holds(Role::Head), holds(Role::Head) || holds(Role::Verifier));
    let record = &found.record;
    let open = record.suspension.as_ref().filter(|it| it.emergency && it.confirmed.is_none());
    let is_own = open.is_some_and(|it| it.by == session.account.name);
    let known = record.state != LiveState::Free;
    let may = |act: &str| match act {
        "masih-dipakai" => decides && record.state.is_served() && record.request.is_some(),
        "tangguhkan" => decides && record.state.is_served(),
        "konfirmasi" => decides && open.is_some() && !is_own,
        "terima" => decides && found.drifts && record.state.is_served(),
        "pemilik" => (head || holds(Role::Operator)) && record.office.is_empty() && known,
        "sembunyikan" => head && known && record.unlisted.is_none(),
        "tampilkan" => head && record.unlisted.is_some(),
        _ => false,
    };
    let acts = ACTS.into_iter().filter(|act| may(act));
    let style = |act| if act == "tangguhkan" { "warn" } else { "quiet" };
    acts.map(|act| (act, t.s(&format!("record-act-{act}")), style(act))).collect()
}

/// The page of an act on a name.
#[derive(Template)]
#[template(path = "record_act.html", config = "src/web/askama.toml")]
struct ActView {
    /// Frame.
    shell: Shell,
    /// Why it was refused: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// The page of the name.
    place: String,
    /// The full name, once more.
    name: String,
    /// What it does.
    lead: String,
    /// The form.
    form: Form,
}

/// `GET /rekaman/{name}/{act}`
pub(super) async fn ask(
    Extract(state): Extract<State>,
    Path((name, act)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    proof_first(&state, session, &visitor)?;
    let act = ACTS.into_iter().find(|known| *known == act).ok_or_else(Failure::not_found)?;
    let found = look(&state, &visitor, &name).await?;
    page(&act_page(&visitor, &found.record, act))
}

/// `POST /rekaman/{name}/{act}`
pub(super) async fn press(
    Extract(state): Extract<State>,
    Path((name, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    let act = ACTS.into_iter().find(|known| *known == act).ok_or_else(Failure::not_found)?;
    let (of, reason) = (name.clone(), sent.get("reason").to_owned());
    let letter = sent.get("letter").to_owned();
    let (office, class) =
        (sent.get("office").to_owned(), NamingClass::from_name(sent.get("class")));
    let done = state
        .work(move |state| {
            let desk = state.desk();
            match act {
                "masih-dipakai" => desk.answer_for_name(&of, OwnerAnswer::InUse, &letter, &actor),
                "tangguhkan" => desk.suspend(&of, &reason, &actor),
                "konfirmasi" => desk.confirm_suspension(&of, &actor),
                "terima" => desk.adopt(&of, &reason, &actor),
                "pemilik" => {
                    let fault = || vec![Fault::new("class", Rule::Empty, "")];
                    let class = class.ok_or_else(|| TransitionError::of_faults(fault()))?;
                    desk.assign_owner(&of, (&office, class), &actor)
                }
                "sembunyikan" => desk.unlist(&of, Some(&reason), &actor),
                _ => desk.unlist(&of, None, &actor),
            }
        })
        .await?;
    let error = match done {
        Ok(record) => return Ok(see_other(&format!("{}?selesai=ya", place_of(&record)))),
        Err(error) => error,
    };
    let t = visitor.t;
    let (words, faults) = (refusal(t, &error), error.faults().to_vec());
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    let found = look(&state, visitor, &name).await?;
    let mut again = act_page(visitor, &found.record, act);
    let (form, others) = again.form.refill(|name| sent.get(name)).take_faults(t, &faults);
    let links = form.faults().into_iter().map(|(name, text)| (format!("#{name}"), text.to_owned()));
    let links: Vec<_> = links.collect();
    let words = words.into_iter().chain(others.into_iter().map(|fault| line_fault(t, fault)));
    again.faults = words.map(|words| (String::new(), words)).chain(links).collect();
    again.form = form;
    again.shell.faulty = true;
    page_with(failure.status, &again)
}

/// `POST /rekaman/{name}/kembalikan/{number}`: begins a request that takes a change back. The officer
/// goes on with the letter; the request is judged like any other.
pub(super) async fn undo(
    Extract(state): Extract<State>,
    Path((name, number)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let actor = sent.visitor.need(&[Role::Head, Role::Verifier, Role::Operator])?.actor();
    let place = format!("/rekaman/{}/kembalikan/{}", encode(&name), encode(&number));
    let job = move |state: &State| state.desk().rollback_of(&name, &number, &actor);
    let filled = state.work(job).await??;
    filled::begin(&state, &sent, (&place, &[]), &Draft::of_rollback(&filled)?).await
}

/// The page of an act on a name.
fn act_page(visitor: &Visitor, record: &RecordView, act: &'static str) -> ActView {
    let t = visitor.t;
    let place = place_of(record);
    let words = t.s(&format!("record-act-{act}"));
    let mut form = Form::new(&format!("{place}/{act}"), &visitor.csrf, words.clone());
    if act == "tangguhkan" {
        form = form.style("warn");
    }
    let reason = || Field::line(t, "reason", "ask-reason").input(Input::Area);
    let form = match act {
        "masih-dipakai" => form.field(Field::line(t, "letter", "ask-letter").width("w-m")),
        "tangguhkan" | "terima" | "sembunyikan" => form.field(reason()),
        "pemilik" => {
            let classes = NamingClass::ALL.map(|class| Choice::new(class.as_str(), class.say(t)));
            let office = Field::line(t, "office", "queue-office").width("w-m");
            let class = Field::line(t, "class", "register-class");
            form.field(office).field(class.input(Input::Select(classes.to_vec())))
        }
        _ => form,
    };
    ActView {
        shell: Shell::new(visitor, words),
        faults: Vec::new(),
        name: record.name.trim_end_matches('.').to_owned(),
        lead: t.s(&format!("record-lead-{act}")),
        place,
        form,
    }
}
