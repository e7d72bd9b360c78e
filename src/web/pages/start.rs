//! The start page of officers: what waits for them, what is late, who holds what, the month so far, and
//! what is wrong with zones, signatures, secondaries and notices; each with the way to it.

use askama::Template;
use axum::extract::State as Extract;
use axum::response::Response;

use super::parts::{full_name, left_class, waits};
use crate::desk::{ActError, HeldCount, MonthSoFar, step_of};
use crate::people::{Account, Role};
use crate::publish::ZoneStatus;
use crate::queue::{List, Phase, Rules};
use crate::signer::Alarm;
use crate::view::{RecordView, Summary, WatchView};
use crate::web::failure::Failure;
use crate::web::shell::{Shell, page, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::wire::Name;
use crate::words::{Said, Words};

/// Urgent requests of persons about their data that are shown.
const SUBJECTS_SHOWN: usize = 5;
/// Applicants who could not be told that are shown.
const UNTOLD_SHOWN: usize = 10;
/// Names that a stranger could claim that are shown.
const URGENT_SHOWN: usize = 20;

/// One request in a list.
struct Item {
    /// Where it is decided.
    place: String,
    /// Full name.
    name: String,
    /// Number, kind and office.
    about: String,
    /// What is to be done, or by whom.
    what: String,
    /// Time left in words.
    left: String,
    /// Class of the time left.
    left_class: &'static str,
}

/// A list of requests.
struct Part {
    /// Heading.
    title: String,
    /// What is said when it is empty.
    empty: String,
    /// Requests.
    items: Vec<Item>,
    /// Where all of them are: address and words.
    more: Option<(String, String)>,
}

/// Open requests of one step with one holder.
struct Held {
    /// The step of the SOP and what is done in it.
    step: String,
    /// Who has them.
    holder: String,
    /// How many.
    count: String,
    /// How many of them are late; empty if none.
    late: String,
}

/// The page.
#[derive(Template)]
#[template(path = "start.html", config = "src/web/askama.toml")]
struct StartPage {
    /// Frame.
    shell: Shell,
    /// A greeting with the date.
    lead: String,
    /// Numbers at a glance: number, words, address, class.
    numbers: Vec<(String, String, String, &'static str)>,
    /// What is wrong: words and where it is mended.
    trouble: Vec<(String, String)>,
    /// Lists.
    parts: Vec<Part>,
    /// Open requests by step and holder.
    held: Vec<Held>,
    /// The month so far.
    month: Vec<(String, String)>,
}

/// `GET /beranda`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let actor = session.actor();
    let (overview, people, now, drift, subjects, targets) = state
        .work(move |state| {
            let overview = state.desk().overview(&actor)?;
            let people = state.people().list().unwrap_or_default();
            let drift = state.desk().drift()?.len();
            let subjects = state.desk().urgent_subject_requests(SUBJECTS_SHOWN)?;
            let targets = state.desk().targets_wrong()?;
            Ok::<_, ActError>((overview, people, state.people().now_ms(), drift, subjects, targets))
        })
        .await??;
    let status = state.work(|state| state.publisher().status()).await?;
    let acts = session.holds_one_of(&[Role::Head, Role::Verifier, Role::Operator]);
    let mut trouble = zone_trouble(t, &status, &state.signer().all_alarms());
    trouble.splice(0..0, urgent_targets(t, &targets));
    let waiting = targets.iter().filter(|it| !it.urgent && it.strikes >= 2).count();
    if waiting > 0 {
        let count = t.count(u64::try_from(waiting).unwrap_or(u64::MAX));
        trouble.push((t.a("start-targets", "count", &count), "/rekaman?tujuan=ya".to_owned()));
    }
    if drift > 0 {
        let count = t.count(u64::try_from(drift).unwrap_or(u64::MAX));
        trouble.push((t.a("start-drift", "count", &count), "/rekaman?beda=ya".to_owned()));
    }
    trouble.extend(
        subjects
            .iter()
            .filter(|_| acts)
            .map(|id| (t.a("start-subject", "number", id), format!("/data-pribadi/{id}"))),
    );
    trouble.extend(overview.suspensions.iter().map(|record| suspension(t, record)));
    trouble.extend(
        overview
            .untold
            .iter()
            .take(UNTOLD_SHOWN)
            .map(|number| (t.a("start-untold", "number", number), format!("/tinjau/{number}"))),
    );
    let more = overview.untold.len().saturating_sub(UNTOLD_SHOWN);
    if more > 0 {
        let text = t.a("start-untold-more", "count", &t.count(more as u64));
        trouble.push((text, "/antrean?daftar=selesai".to_owned()));
    }
    let may_mend = session.holds_one_of(&[Role::Operator]);
    let year = state.desk().year_without_holidays().filter(|_| may_mend);
    trouble.extend(year.map(|year| {
        let place = super::lists::place_of(List::Holidays);
        (t.a("start-year-empty", "year", &year.to_string()), place)
    }));
    let (rules, counts) = (state.desk().rules(), overview.counts);
    let list = |items: &[Summary]| items.iter().map(|it| item(t, it, &people, rules)).collect();
    let part = |id: &str, items: &[Summary], all: &str, count: u64| Part {
        title: t.s(&format!("start-{id}")),
        empty: t.s(&format!("start-{id}-none")),
        more: (count > items.len() as u64).then(|| {
            (format!("/antrean?daftar={all}"), t.a("start-all", "count", &t.count(count)))
        }),
        items: list(items),
    };
    let mut parts = Vec::new();
    if acts {
        parts.push(part("mine", &overview.mine, "milik-saya", counts.mine));
    }
    parts.push(part("late", &overview.late, "terlambat", counts.late));
    parts.push(part("today", &overview.today, "semua", 0));
    let number = |count: u64, id: &str, list: &str, class| {
        (t.count(count), t.s(id), format!("/antrean?daftar={list}"), class)
    };
    let late = if counts.late > 0 { "late" } else { "" };
    let mut numbers = vec![
        number(counts.late, "queue-late", "terlambat", late),
        number(counts.open, "start-open", "semua", ""),
        number(counts.resubmitted, "queue-again", "diajukan-ulang", ""),
    ];
    if overview.reconfirming > 0 {
        let list = "/rekaman?keadaan=reconfirming".to_owned();
        numbers.push((t.count(overview.reconfirming), t.s("start-reconfirming"), list, ""));
    }
    if acts {
        numbers.insert(0, number(counts.mine, "start-mine", "milik-saya", ""));
    }
    let values = [("name", session.account.full_name.as_str()), ("date", &t.date(now))];
    page(&StartPage {
        shell: Shell::new(&visitor, t.s("start-title")).wide(),
        lead: t.with("start-lead", &values),
        numbers,
        trouble,
        parts,
        held: by_step(overview.held).iter().map(|it| held(t, it, &people)).collect(),
        month: month(t, overview.month),
    })
}

/// What is held, in the order of the steps.
fn by_step(mut held: Vec<HeldCount>) -> Vec<HeldCount> {
    held.sort_by(|one, other| (one.phase, &one.holder).cmp(&(other.phase, &other.holder)));
    held
}

/// A request in a list.
fn item(t: Words, item: &Summary, people: &[Account], rules: &Rules) -> Item {
    let (who, what) = waits(t, item, people);
    Item {
        place: format!("/tinjau/{}", item.number),
        name: full_name(&item.name, &item.zone),
        about: match item.raised {
            Some(_) => {
                let (kind, by) = (item.kind.say(t), t.s("raised-system"));
                format!("{} · {kind} · {by} · {}", item.number, item.office)
            }
            None => format!("{} · {} · {}", item.number, item.kind.say(t), item.office),
        },
        what: if what.is_empty() { who } else { format!("{who} – {what}") },
        left: item.left_minutes.map(|minutes| t.left(minutes)).unwrap_or_default(),
        left_class: left_class(item, rules),
    }
}

/// Open requests of one phase with one holder.
fn held(t: Words, it: &HeldCount, people: &[Account]) -> Held {
    let known = it.holder.as_deref().and_then(|name| people.iter().find(|one| one.name == name));
    let holder = match it.phase {
        Phase::Submitted | Phase::AwaitsSecond => Role::Head.say(t),
        Phase::NeedsCorrection => Role::Applicant.say(t),
        Phase::Consulting => t.s("waits-party"),
        _ => known.map_or_else(
            || "–".to_owned(),
            |one| format!("{} – {}", one.full_name, role_title(t, &one.title, one.role)),
        ),
    };
    let step = t.s(&format!("phase-{}", it.phase.as_str().replace('_', "-")));
    Held {
        step: match step_of(it.phase) {
            Some(number) => {
                t.with("start-step", &[("number", &number.to_string()), ("what", &step)])
            }
            None => step,
        },
        holder,
        count: t.count(it.count),
        late: if it.late > 0 { t.count(it.late) } else { String::new() },
    }
}

/// The month so far.
fn month(t: Words, month: MonthSoFar) -> Vec<(String, String)> {
    let median = month.median_minutes.map_or_else(|| "–".to_owned(), |it| t.work_span(it));
    vec![
        (t.s("start-came"), t.count(month.came)),
        (t.s("start-finished"), t.count(month.finished)),
        (t.s("start-median"), median),
    ]
}

/// Names whose target a stranger could claim: first of all.
fn urgent_targets(t: Words, targets: &[WatchView]) -> Vec<(String, String)> {
    let urgent = targets.iter().filter(|it| it.urgent).take(URGENT_SHOWN);
    urgent
        .map(|it| {
            let name = it.name.trim_end_matches('.');
            (t.a("start-target-urgent", "name", name), format!("/rekaman/{name}"))
        })
        .collect()
}

/// An emergency suspension that waits for the other officer's word.
fn suspension(t: Words, record: &RecordView) -> (String, String) {
    let name = record.name.trim_end_matches('.');
    let until = record.suspension.as_ref().and_then(|it| it.confirm_by.as_deref());
    let until = until.map(|at| t.moment(at)).unwrap_or_default();
    (t.with("start-suspension", &[("name", name), ("until", &until)]), format!("/rekaman/{name}"))
}

/// What is wrong with the zones as served.
fn zone_trouble(
    t: Words,
    zones: &[ZoneStatus],
    alarms: &[(Name, Vec<Alarm>)],
) -> Vec<(String, String)> {
    let mut trouble = Vec::new();
    let mut add = |id: &str, values: &[(&str, &str)]| {
        trouble.push((t.with(id, values), "/zona".to_owned()));
    };
    for zone in zones {
        let name = zone.zone.to_string();
        let name = name.trim_end_matches('.');
        if let Some(refusal) = &zone.refusal {
            let when = t.date_time(refusal.at_ms);
            add("start-refused", &[("zone", name), ("when", &when)]);
        }
        if zone.serial.is_none() || zone.expired {
            add("start-unserved", &[("zone", name)]);
        }
        for one in &zone.secondaries {
            if let Some(since) = one.behind_since {
                let since = t.date_time(since);
                add("start-behind", &[("zone", name), ("name", &one.name), ("since", &since)]);
            }
        }
    }
    for (zone, alarms) in alarms {
        let name = zone.to_string();
        for alarm in alarms {
            let id = format!("start-alarm-{}", alarm.trouble.word().replace('_', "-"));
            let id = if t.has(&id) { id } else { "start-alarm".to_owned() };
            add(&id, &[("zone", name.trim_end_matches('.'))]);
        }
    }
    trouble
}
