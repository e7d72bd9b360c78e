//! The public list of live names, as a page and as CSV, without personal data: search, filters, order. Only names
//! that answer are in it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::OwnedMutexGuard;

use super::region::office_of;
use crate::desk::ActError;
use crate::people::Role;
use crate::queue::regions::Level;
use crate::queue::{Application, LiveState, Naming, NamingClass, Origin};
use crate::spreadsheet::disarmed;
use crate::view::RecordView;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::encode;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Names of one page.
const ROWS: usize = 100;
/// Names that are looked at.
const NAMES_MAX: usize = 20_000;
/// Names that are read at a time.
const READ_AT_ONCE: usize = 500;
/// How long sites that were gathered are shown at most, whether or not something is known to have happened.
const KEPT: Duration = Duration::from_secs(60);

/// What is looked for, and where the page begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// Part of a name or an office.
    cari: String,
    /// A class.
    kelas: String,
    /// Code of a district.
    kecamatan: String,
    /// `baru`: the newest first.
    urut: String,
    /// The page, from 1.
    hal: usize,
}

/// A name with what follows from it.
struct Site {
    /// The record.
    record: RecordView,
    /// The name without its final dot.
    name: String,
    /// Class, also where only the name says so.
    class: Option<NamingClass>,
    /// Code of its district.
    district: String,
    /// Office, also where only the name says so.
    office: String,
}

/// One name in words.
struct Row {
    /// The name without its final dot.
    name: String,
    /// Class.
    class: String,
    /// Office.
    office: String,
    /// The jabatan of whoever answers for it; no person.
    contact: String,
    /// Since when.
    since: String,
    /// Until when.
    ends: String,
}

/// The page.
#[derive(Template)]
#[template(path = "register.html", config = "src/web/askama.toml")]
struct RegisterPage {
    /// Frame.
    shell: Shell,
    /// Search and filters.
    form: Form,
    /// Whether something was looked for.
    is_search: bool,
    /// How many names fit.
    found: String,
    /// Names of this page.
    rows: Vec<Row>,
    /// The CSV of the same.
    csv: String,
    /// The page before.
    previous: Option<String>,
    /// The next page.
    next: Option<String>,
}

/// `GET /subdomain`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    open(&state, &visitor)?;
    let t = visitor.t;
    let (sites, form) = (found(&state, &wanted).await?, filters(&state, &visitor, &wanted));
    let at = wanted.hal.max(1);
    let from = (at - 1).saturating_mul(ROWS);
    let shown = sites.get(from..).unwrap_or_default();
    let shown = shown.get(..ROWS).unwrap_or(shown);
    let place = |hal: usize| address("/subdomain", &wanted, hal);
    page(&RegisterPage {
        shell: Shell::new(&visitor, t.s("register-title")).wide(),
        form,
        is_search: !wanted.words().is_empty()
            || !wanted.kelas.is_empty()
            || !wanted.kecamatan.is_empty(),
        found: t.a("register-found", "count", &t.count(sites.len() as u64)),
        rows: rows(&state, t, shown).await?,
        csv: address("/subdomain.csv", &wanted, 1),
        previous: (at > 1).then(|| place(at - 1)),
        next: (sites.len() > from.saturating_add(ROWS)).then(|| place(at + 1)),
    })
}

/// `GET /subdomain.csv`: semicolons and a byte order mark, as spreadsheets here expect.
pub(super) async fn csv(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    open(&state, &visitor)?;
    let t = visitor.t;
    let sites = found(&state, &wanted).await?;
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(vec![0xEF, 0xBB, 0xBF]);
    let head = [
        "queue-name",
        "register-class",
        "queue-office",
        "register-contact",
        "register-since",
        "apply-ends",
    ];
    writer.write_record(head.map(|id| t.s(id))).map_err(Failure::internal)?;
    for row in rows(&state, t, &sites).await? {
        let cells = [row.name, row.class, row.office, row.contact, row.since, row.ends];
        writer.write_record(cells.map(|cell| disarmed(&cell))).map_err(Failure::internal)?;
    }
    let bytes = writer.into_inner().map_err(Failure::internal)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"daftar-subdomain.csv\""),
    ];
    Ok((headers, bytes).into_response())
}

/// Whether this visitor may see the list.
fn open(state: &State, visitor: &Visitor) -> Result<(), Failure> {
    if state.settings().register_public { Ok(()) } else { visitor.need(&Role::OFFICERS).map(drop) }
}

//------------ Looking -------------------------------------------------------

impl Wanted {
    /// The words that are looked for, in lower case.
    fn words(&self) -> Vec<String> {
        self.cari.to_lowercase().split_whitespace().map(str::to_owned).collect()
    }

    /// Whether a site is looked for.
    fn fits(&self, site: &Site, words: &[String]) -> bool {
        let office = site.office.to_lowercase();
        words.iter().all(|word| site.name.contains(word.as_str()) || office.contains(word.as_str()))
            && (self.kelas.is_empty() || site.class.is_some_and(|it| it.as_str() == self.kelas))
            && (self.kecamatan.is_empty() || site.district == self.kecamatan)
    }
}

/// All sites as they were gathered last: whoever opens the list reads 20,000 names only if something has
/// happened. Whoever comes while they are gathered waits for the same sites, without a place at work.
#[derive(Default)]
pub(in crate::web) struct KeptSites(Arc<tokio::sync::Mutex<Kept>>);

/// What is kept.
#[derive(Default)]
pub(in crate::web) struct Kept {
    /// What it hangs on; none before somebody has looked.
    basis: Option<Basis>,
    /// The sites.
    sites: Arc<[Arc<Site>]>,
    /// Who answers for those that were shown, by the number of the request. An erasure is an event, and
    /// with it this ends.
    pub(in crate::web) contacts: HashMap<String, String>,
}

impl KeptSites {
    /// What is kept, for one at a time. The guard goes into the job, which ends even if nobody waits for it.
    pub(in crate::web) async fn turn(&self) -> OwnedMutexGuard<Kept> {
        Arc::clone(&self.0).lock_owned().await
    }
}

/// What the sites hang on.
struct Basis {
    /// The last event.
    event: i64,
    /// The serials of the zones.
    serials: Vec<Option<u32>>,
    /// Offices and regions.
    naming: Arc<Naming>,
    /// When they were gathered.
    at: Instant,
}

impl Basis {
    /// What they hang on now.
    fn of(state: &State) -> Result<Self, ActError> {
        let (publisher, desk) = (state.publisher(), state.desk());
        let serial = |apex| publisher.content(&apex).map(|zone| zone.serial());
        let serials = publisher.apexes().into_iter().map(serial).collect();
        Ok(Self { event: desk.last_event()?, serials, naming: desk.naming(), at: Instant::now() })
    }

    /// Whether sites that were gathered on this one are right on another.
    fn holds(&self, now: &Self) -> bool {
        self.event == now.event
            && self.serials == now.serials
            && Arc::ptr_eq(&self.naming, &now.naming)
            && now.at.duration_since(self.at) < KEPT
    }
}

/// All sites.
fn sites(state: &State, mut kept: OwnedMutexGuard<Kept>) -> Result<Arc<[Arc<Site>]>, ActError> {
    let now = Basis::of(state)?;
    if !kept.basis.as_ref().is_some_and(|basis| basis.holds(&now)) {
        let sites = live(state)?.into_iter().map(|record| Arc::new(Site::of(record, &now.naming)));
        *kept = Kept { sites: sites.collect(), basis: Some(now), contacts: HashMap::new() };
    }
    Ok(Arc::clone(&kept.sites))
}

/// Who answers for names, by the number of the request; each is looked up once.
fn contacts(
    state: &State,
    mut kept: OwnedMutexGuard<Kept>,
    numbers: &[String],
) -> Result<HashMap<String, String>, ActError> {
    let unknown = numbers.iter().filter(|number| !kept.contacts.contains_key(*number));
    let unknown: Vec<String> = unknown.cloned().collect();
    let mut found = state.desk().contact_positions(&unknown)?;
    kept.contacts.extend(unknown.into_iter().map(|number| {
        let contact = found.remove(&number).unwrap_or_default();
        (number, contact)
    }));
    let wanted = numbers.iter().filter_map(|number| kept.contacts.get_key_value(number));
    Ok(wanted.map(|(number, contact)| (number.clone(), contact.clone())).collect())
}

/// The sites that are looked for, in order.
async fn found(state: &State, wanted: &Wanted) -> Result<Vec<Arc<Site>>, Failure> {
    let (wanted, kept) = (wanted.clone(), state.kept_sites().turn().await);
    let job = move |state: &State| {
        let (all, words) = (sites(state, kept)?, wanted.words());
        let sites = all.iter().filter(|site| wanted.fits(site, &words));
        let mut sites: Vec<Arc<Site>> = sites.cloned().collect();
        if wanted.urut == "baru" {
            // What stood in the zone before anybody asked comes last: it is the oldest.
            let key = |site: &Arc<Site>| {
                (site.record.origin != Origin::Import).then(|| site.record.since.clone())
            };
            sites.sort_by_key(|site| Reverse(key(site)));
        } else {
            sites.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok::<_, ActError>(sites)
    };
    Ok(state.work(job).await??)
}

/// The names that people visit and that answer.
fn live(state: &State) -> Result<Vec<RecordView>, ActError> {
    let mut zones = HashMap::new();
    let mut answers = |record: &RecordView| {
        let Ok(name) = record.name.parse::<crate::wire::Name>() else { return false };
        let zone = zones.entry(record.zone.clone()).or_insert_with(|| {
            record.zone.parse().ok().and_then(|apex| state.publisher().content(&apex))
        });
        zone.as_ref().is_some_and(|zone| zone.lookup(name.as_ref()).exact().is_some())
    };
    let (mut records, mut next) = (Vec::new(), Some(String::new()));
    while let Some(after) = next.take_if(|_| records.len() < NAMES_MAX) {
        let more;
        (more, next) = state.desk().records(Some(LiveState::Live), &after, READ_AT_ONCE)?;
        records.extend(more.into_iter().filter(|record| is_site(record) && answers(record)));
    }
    Ok(records)
}

/// Whether a name is one that people visit: no service label (`_dmarc`), no wildcard, and no machine of the
/// operator's, such as `ns1` or `autoconfig`. A name that the kabid unlisted is none either.
fn is_site(record: &RecordView) -> bool {
    const MACHINES: [&str; 14] = [
        "autoconfig",
        "autodiscover",
        "ftp",
        "imap",
        "localhost",
        "mail",
        "mx",
        "pop",
        "smtp",
        "vpn",
        "webmail",
        "wpad",
        "isatap",
        "api",
    ];
    let label = record.name.split('.').next().unwrap_or_default();
    let is_server =
        label.strip_prefix("ns").is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()));
    let is_unowned = record.origin == Origin::Import && record.office.is_empty();
    let is_machine = is_unowned && (is_server || MACHINES.contains(&label));
    let is_listed = record.unlisted.is_none() && !is_machine;
    is_listed && record.name.split('.').all(|label| !label.starts_with('_') && label != "*")
}

impl Site {
    /// A record with what its name says by the naming rules, where nobody asked for it.
    fn of(record: RecordView, naming: &Naming) -> Self {
        let name = record.name.trim_end_matches('.').to_owned();
        let below = name.strip_suffix(record.zone.trim_end_matches('.')).unwrap_or(&name);
        let below = below.trim_end_matches('.');
        let unit = [NamingClass::Desa, NamingClass::Kelurahan, NamingClass::Kecamatan]
            .into_iter()
            .find_map(|class| {
                let name = below.to_owned();
                let sought = Application { class, name, ..Application::blank(&record.zone) };
                Some((class, naming.unit_of(&sought)?))
            });
        let listed = naming.offices.iter().find(|office| office.short == below);
        let listed = listed.filter(|_| record.class.is_none());
        let by_name = unit.filter(|_| record.class.is_none());
        let district = match (&record.region, unit) {
            (Some(code), _) => code.get(..8).unwrap_or(code).to_owned(),
            (None, Some((_, unit))) => unit.district().to_owned(),
            (None, None) => String::new(),
        };
        let office = match (by_name, listed) {
            (Some((_, unit)), _) if record.office.is_empty() => office_of(unit),
            (None, Some(office)) if record.office.is_empty() => office.name.clone(),
            _ => record.office.clone(),
        };
        let class = by_name.map(|(class, _)| class);
        let class = class.or_else(|| listed.map(|_| NamingClass::PerangkatDaerah));
        Self { class: record.class.or(class), name, district, office, record }
    }
}

//------------ Words ---------------------------------------------------------

/// The address of a page of what is looked for.
fn address(path: &str, wanted: &Wanted, hal: usize) -> String {
    let mut pairs = Vec::new();
    for (key, value) in [
        ("cari", &wanted.cari),
        ("kelas", &wanted.kelas),
        ("kecamatan", &wanted.kecamatan),
        ("urut", &wanted.urut),
    ] {
        if !value.is_empty() {
            pairs.push(format!("{key}={}", encode(value)));
        }
    }
    if hal > 1 {
        pairs.push(format!("hal={hal}"));
    }
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Search and filters, filled in.
fn filters(state: &State, visitor: &Visitor, wanted: &Wanted) -> Form {
    let t = visitor.t;
    let all = || Choice::new("", t.s("register-all"));
    let classes = NamingClass::ALL.iter().map(|class| Choice::new(class.as_str(), class.say(t)));
    let naming = state.desk().naming();
    let districts = naming.regions.districts_with(Level::Kecamatan);
    let districts = districts.iter().map(|unit| Choice::new(&unit.code, unit.name.clone()));
    let orders = ["nama", "baru"];
    let orders = orders.map(|it| Choice::new(it, t.s(&format!("register-sort-{it}"))));
    let select = |name: &str, id: &str, choices: Vec<Choice>, value: &str| {
        Field::line(t, name, id).input(Input::Select(choices)).value(value)
    };
    let order = if wanted.urut == "baru" { "baru" } else { "nama" };
    let mut form = Form::new("/subdomain", &visitor.csrf, t.s("register-find"));
    form.fields = vec![
        Field::line(t, "cari", "register-search").value(&wanted.cari),
        select(
            "kelas",
            "register-class",
            std::iter::once(all()).chain(classes).collect(),
            &wanted.kelas,
        ),
        select(
            "kecamatan",
            "register-district",
            std::iter::once(all()).chain(districts).collect(),
            &wanted.kecamatan,
        ),
        select("urut", "register-sort", orders.to_vec(), order),
    ];
    form
}

/// Names in words, each with who answers for it.
async fn rows(state: &State, t: Words, sites: &[Arc<Site>]) -> Result<Vec<Row>, Failure> {
    let contact_of = |site: &Site| site.record.contact_request.clone();
    let numbers: Vec<_> = sites.iter().filter_map(|site| contact_of(site)).collect();
    let kept = state.kept_sites().turn().await;
    let contacts = state.work(move |state| contacts(state, kept, &numbers)).await??;
    let contact =
        |site: &Site| site.record.contact_request.as_ref().and_then(|it| contacts.get(it));
    let row = |site: &Site| row(t, site, contact(site).map_or("", String::as_str));
    Ok(sites.iter().map(|site| row(site)).collect())
}

/// A name in words.
fn row(t: Words, site: &Site, contact: &str) -> Row {
    let record = &site.record;
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    let dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let since = day(&record.since);
    let is_older = record.origin == Origin::Import && !since.is_empty();
    Row {
        name: site.name.clone(),
        class: site.class.map_or_else(|| "–".to_owned(), |class| class.say(t)),
        office: dash(&site.office),
        contact: dash(contact),
        // Of what was in the zone before nobody knows since when.
        since: if is_older { t.a("register-before", "day", &since) } else { dash(&since) },
        ends: day(&record.ends),
    }
}
