//! Road 3 in a running daemon: accounts, desk, timers, pages, mail.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::bulk;
use super::clock::Clock;
use super::error::{RunError, system};
use super::node::{self, elsewhere, own_token};
use super::office::{Office, closed, errand};
use super::options::{self, OptionError};
use super::papers;
use super::proposals::Proposals;
use super::signing_mail;
use super::stand_in::Database;
use super::state_dir::StateDir;
use super::time::now_ms;
use super::timer::{TICK, close_signal, every, is_stopped_within, stop_signal};
use super::webhooks;
use crate::audit::AuditError;
use crate::config::{Loaded, Settings};
use crate::control::{OfficeCommand, Reply};
use crate::desk::{self, ActError, Desk, Drift, Figure, Figures, WebhookView};
use crate::digest::sha256_hex;
use crate::files;
use crate::fleet::{Fleet, Queue};
use crate::metrics::{Family, catalogue as of};
use crate::notice::{Mailer, Relay};
use crate::people::People;
use crate::press::Press;
use crate::publish::{self, Publisher};
use crate::serve::Tap;
use crate::signer::Signer;
use crate::statistics::Statistics;
use crate::store::{Store, StoreError};
use crate::text::with_causes;
use crate::uploads::Reader as Letters;
use crate::view::WatchView;
use crate::web::{self, ClosedBy};
use crate::wire::Name;
use crate::words::{self, set_office};

/// The file of the first administrator's link, in the state directory.
const FIRST_LINK: &str = "first-administrator";
/// How often the daily jobs run.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often the workers' counts are collected.
const COLLECT: Duration = Duration::from_secs(1);
/// Number of collections between writes to the database.
const COLLECTIONS: u32 = 60;
/// Number of collections between removals of old statistics: soon after the start, then hourly.
const FORGOTTEN: u32 = 60 * COLLECTIONS;
/// How often notices to administrators about signed zones are written.
const SIGNING_NEWS: Duration = Duration::from_secs(30);

/// How people reach the pages.
#[derive(Default)]
pub(super) struct Site {
    /// The address of the pages; none if the queue is closed.
    pub(super) url: Option<String>,
    /// How the first administrator signs in, if nobody has an account.
    pub(super) first_link: Option<String>,
    /// The pages; at a stop they end once what is under way is answered.
    pub(super) pages: Option<JoinHandle<()>>,
}

/// Road 3 while the daemon runs.
pub(super) enum Road3 {
    /// The queue is open.
    Open(Box<Open>),
    /// Another node publishes: the queue is there.
    Following {
        /// Who that is.
        publisher: node::Publisher,
        /// Whether its pages are reached.
        reach: web::Reach,
    },
    /// The queue is closed.
    Closed {
        /// Why.
        reason: String,
        /// The same, as much as the public may know.
        by: ClosedBy,
        /// Where everything is, for the verifier.
        options: Box<publish::Options>,
        /// The watch over the clock, which serials may be made from; none without a database to store it.
        clock: Option<Clock>,
    },
}

/// What the queue and its pages work with.
pub(super) struct Open {
    /// Commands on people and the event chain.
    office: Office,
    /// The office as the settings name it; changes made on pages are laid over that.
    named: Arc<ArcSwap<words::Office>>,
    /// The acting functions.
    desk: Desk,
    /// The live zones, for their page.
    publisher: Publisher,
    /// Renders papers, one at a time: those of acts and those requested on pages.
    press: Press,
    /// Statistics of queries, once counting has started.
    statistics: OnceLock<Statistics>,
    /// The pages, once they are started.
    pages: OnceLock<web::State>,
}

/// Settings that a reload may change, checked.
pub(super) struct Checked {
    /// Those of the desk.
    desk: desk::Options,
    /// The office that speaks.
    office: words::Office,
}

impl Road3 {
    /// Opens the queue, or keeps it closed with a reason: whatever fails here, zones are answered.
    pub(super) fn open(
        loaded: &Loaded,
        state_dir: &StateDir,
        (database, node): (&Database, node::Publisher),
        publisher: &Publisher,
    ) -> Self {
        // The page that says that the queue is closed names the office too.
        let office = options::office(&loaded.settings);
        match &office {
            Ok(office) => set_office(office.clone()),
            Err(error) => tracing::error!(%error, "the settings of the office cannot be read"),
        }
        let path = state_dir.path().to_owned();
        let kept = options::publish(&loaded.settings);
        let kept = Box::new(kept.unwrap_or_else(|_| publish::Options::new(&path)));
        if let Some(reason) = database.reason.clone() {
            let writable = state_dir.fault().is_none();
            let by = if writable { ClosedBy::Database } else { ClosedBy::StateDir };
            return Self::Closed { reason, by, options: kept, clock: None };
        }
        if database.follows() {
            return Self::Following { publisher: node, reach: web::Reach::default() };
        }
        let store = &database.store;
        let opened = office.map_err(RunError::from);
        let opened =
            opened.and_then(|office| Self::opened(loaded, office, &path, store, publisher));
        opened.unwrap_or_else(|error| {
            let (reason, by) = (with_causes(&error), closed_by(&error));
            tracing::error!(
                reason,
                "zones are answered, the queue is closed: fix this and restart"
            );
            let clock = Some(Clock::new(store.clone()));
            Self::Closed { reason, by, options: kept, clock }
        })
    }

    /// Opens the queue: accepts the names of a new zone, finishes promotions that a crash interrupted, and records the
    /// settings and working hours in force.
    fn opened(
        loaded: &Loaded,
        office: words::Office,
        state_dir: &Path,
        store: &Store,
        publisher: &Publisher,
    ) -> Result<Self, RunError> {
        let settings = &loaded.settings;
        let (store, publisher) = (store.clone(), publisher.clone());
        let desk = Desk::open(store.clone(), publisher.clone(), options::desk(settings)?)
            .map_err(failed)?;
        // Before anything is written: mails and papers name the office as set on its page.
        let named = Arc::new(ArcSwap::from_pointee(office));
        let of_file = Arc::clone(&named);
        desk.listen_to_lists(Box::new(move |basis| {
            set_office(of_file.load().with_lines(&basis.identity, basis.calendar.week()));
        }));
        // After the desk: everything written from here on is bound to the chain.
        let people =
            People::open(store.clone(), desk.vault(), options::people(settings)).map_err(failed)?;
        desk.set_site(&site_url(settings, settings.web.listen));
        let recovered = desk.listening().map_err(failed)?;
        if recovered > 0 {
            tracing::warn!(recovered, "finished promotions that a crash had interrupted");
        }
        note_settings(&desk, &loaded.path).map_err(failed)?;
        desk.note_working_time().map_err(failed)?;
        desk.begin_webhooks().map_err(failed)?;
        let state_dir = state_dir.to_owned();
        let web_url = site_url(settings, settings.web.listen);
        let office = Office { people, store, state_dir, web_url, desk: Ok(desk.clone()) };
        Ok(Self::Open(Box::new(Open {
            office,
            named,
            desk,
            publisher,
            press: Press::default(),
            statistics: OnceLock::new(),
            pages: OnceLock::new(),
        })))
    }

    /// Starts timers, mail and pages on the listener that `door` opens; if the queue is closed, a page that says so.
    pub(super) fn start(
        &self,
        (runtime, door): (&Runtime, impl FnOnce(SocketAddr) -> Result<TcpListener, RunError>),
        settings: &Settings,
        (fleet, signer): (&Fleet, &Signer),
        tap: Tap,
        (stopped, closed): (&watch::Receiver<bool>, watch::Receiver<Option<Duration>>),
    ) -> Result<Site, RunError> {
        match self {
            Self::Open(open) => open.start_timers(runtime, settings, signer, stopped)?,
            Self::Following { .. } => {}
            Self::Closed { clock, .. } => {
                clock.iter().for_each(|clock| clock.start(runtime, stopped));
            }
        }
        let listener = door(settings.web.listen)?;
        let bound = system("pages", listener.local_addr())?;
        let url = site_url(settings, bound);
        if let Self::Open(open) = self {
            open.desk.set_site(&url);
        }
        let options = options::web(settings, &url);
        let (proxies, door) = (options.trusted_proxies.clone(), options.door);
        let stop = close_signal(closed);
        let mut site = Site { url: Some(format!("http://{bound}")), ..Site::default() };
        let by = match self {
            Self::Closed { by, .. } => *by,
            Self::Following { publisher, reach } => {
                let to = (publisher.clone(), reach.clone());
                let pages = web::serve_forwarding(listener, to, proxies, door, stop);
                site.pages = Some(runtime.spawn(pages));
                return Ok(site);
            }
            Self::Open(open) => match open.pages(
                settings,
                (fleet, signer),
                open.count(runtime, tap, stopped),
                options,
            ) {
                Ok(state) => {
                    site.pages = Some(runtime.spawn(web::serve(listener, state, stop)));
                    site.first_link = open.first_link(&settings.server.state_dir, &url);
                    return Ok(site);
                }
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::error!(
                        error,
                        "the pages cannot be started; a page that says so is shown instead"
                    );
                    ClosedBy::Other
                }
            },
        };
        site.pages = Some(runtime.spawn(web::serve_closed(listener, by, proxies, door, stop)));
        Ok(site)
    }

    /// The queue, as far as updates need it; none while it is closed.
    pub(super) fn proposals(&self) -> Option<Box<dyn Queue>> {
        match self {
            Self::Open(open) => Some(Box::new(Proposals(open.desk.clone()))),
            Self::Following { .. } | Self::Closed { .. } => None,
        }
    }

    /// Why the queue is closed, if it is.
    pub(super) fn closed(&self) -> Option<&str> {
        match self {
            Self::Open(_) | Self::Following { .. } => None,
            Self::Closed { reason, .. } => Some(reason),
        }
    }

    /// Why changes wait although the queue is open, here or at the node that publishes, if they do.
    pub(super) fn obstacle(&self) -> Option<String> {
        match self {
            Self::Open(open) => open.desk.obstacle().map(|obstacle| obstacle.to_string()),
            Self::Following { reach, .. } => reach.fault(),
            Self::Closed { .. } => None,
        }
    }

    /// Whether the pages of the node that publishes are reached, if that is another one.
    pub(super) fn reaches_publisher(&self) -> bool {
        !matches!(self, Self::Following { reach, .. } if reach.fault().is_some())
    }

    /// What will soon make changes wait, and webhooks that fail.
    pub(super) fn warnings(&self) -> Vec<String> {
        let Self::Open(open) = self else { return Vec::new() };
        open.desk.warnings()
    }

    /// The state of the webhooks; empty while the queue is closed.
    pub(super) fn webhooks(&self) -> Vec<WebhookView> {
        let Self::Open(open) = self else { return Vec::new() };
        open.webhooks()
    }

    /// Figures of the queue; while it is closed, only that.
    pub(super) fn figures(&self) -> Vec<Family> {
        let is_open = !matches!(self, Self::Closed { .. }) && self.reaches_publisher();
        let mut families = vec![Family::of(&of::QUEUE_OPEN).with(&[], f64::from(is_open))];
        let Self::Open(open) = self else { return families };
        families.extend(webhooks(&open.webhooks()));
        families.push(targets(&open.desk));
        match open.desk.figures() {
            Ok(figures) => families.extend(queue(&figures)),
            Err(error) => tracing::warn!(%error, "the queue's metrics cannot be read"),
        }
        families
    }

    /// Writes the statistics counted since the last write; called at a stop.
    pub(super) fn keep_statistics(&self) {
        if let Self::Open(open) = self
            && let Some(statistics) = open.statistics.get()
        {
            keep(statistics);
        }
    }

    /// Runs a command.
    pub(super) fn command(&self, command: OfficeCommand) -> Reply {
        match self {
            Self::Open(open) => open.office.command(command),
            Self::Following { publisher, .. } => {
                Reply::failed(elsewhere(publisher.borrow().as_ref(), errand(&command)))
            }
            Self::Closed { reason, options, .. } => {
                closed(command, options, &format!("the queue is closed: {reason}"))
            }
        }
    }

    /// Writes a command on the keys of a zone into the event chain, if that is in use.
    pub(super) fn note_keys_command(&self, zone: &Name, what: &str, who: &str) {
        let Self::Open(open) = self else { return };
        if let Err(error) = open.desk.note_keys_command(zone, what, who) {
            tracing::error!(%zone, %error, "a command on the zone's keys could not be recorded in the event chain");
        }
    }

    /// The doubt about the clock, if there is one.
    pub(super) fn clock_doubt(&self) -> Option<String> {
        match self {
            Self::Open(open) => open.desk.clock_doubt().map(|doubt| doubt.to_string()),
            Self::Following { .. } => None,
            Self::Closed { clock, .. } => clock.as_ref()?.doubt(),
        }
    }

    /// Where the live records and the zones differ, each as JSON with a `text`.
    pub(super) fn drift(&self) -> Vec<Value> {
        let Self::Open(open) = self else { return Vec::new() };
        let as_json = |item: &Drift| {
            let mut json = serde_json::to_value(item).unwrap_or_default();
            json["text"] = item.to_string().into();
            json
        };
        match open.desk.drift() {
            Ok(drift) => drift.iter().map(as_json).collect(),
            Err(error) => vec![json!({ "text": error.to_string() })],
        }
    }

    /// Names with findings about their targets, each as JSON with a `text`.
    pub(super) fn targets(&self) -> Vec<Value> {
        let Self::Open(open) = self else { return Vec::new() };
        let as_json = |item: &WatchView| {
            let mut json = serde_json::to_value(item).unwrap_or_default();
            json["text"] = item.to_string().into();
            json
        };
        match open.desk.targets_wrong() {
            Ok(found) => found.iter().map(as_json).collect(),
            Err(error) => vec![json!({ "text": error.to_string() })],
        }
    }

    /// Checks the settings that a reload may change.
    pub(super) fn check(settings: &Settings) -> Result<Checked, OptionError> {
        Ok(Checked { desk: options::desk(settings)?, office: options::office(settings)? })
    }

    /// Puts reloaded settings in force and on record.
    pub(super) fn reload(&self, checked: Checked, settings: &Settings, path: &Path) {
        let Self::Open(open) = self else { return set_office(checked.office) };
        open.named.store(Arc::new(checked.office));
        open.desk.set_options(&checked.desk);
        if let Some(pages) = open.pages.get() {
            pages.set_options(&options::web(settings, &open.office.web_url));
        }
        // Papers may have waited because the coat of arms could not be drawn.
        if let Err(error) = open.desk.retry_papers() {
            tracing::warn!(%error, "failed papers could not be retried at once");
        }
        // In force first: the settings apply even if they cannot be recorded.
        let set = open.desk.note_working_time();
        let noted = note_settings(&open.desk, path);
        let begun = open.desk.begin_webhooks();
        if let Err(error) = set.and(noted).and(begun) {
            tracing::error!(%error, "the change of settings could not be recorded");
        }
    }
}

/// What the public may know of a failure at the start.
fn closed_by(error: &RunError) -> ClosedBy {
    let RunError::Queue(error) = error else { return ClosedBy::Other };
    let is = |kind: fn(&AuditError) -> bool| {
        error.chain().any(|cause| cause.downcast_ref().is_some_and(kind))
    };
    if is(AuditError::is_of_key) {
        ClosedBy::Keys
    } else if error.chain().any(|cause| cause.is::<StoreError>()) {
        ClosedBy::Database
    } else {
        ClosedBy::Other
    }
}

/// A failure of road 3 at the start.
fn failed(error: impl Into<anyhow::Error>) -> RunError {
    RunError::Queue(error.into())
}

impl Open {
    /// The state of the webhooks.
    fn webhooks(&self) -> Vec<WebhookView> {
        self.desk.webhooks().unwrap_or_else(|error| {
            tracing::warn!(%error, "the state of webhooks cannot be read");
            Vec::new()
        })
    }

    /// Starts all timers: deadlines, schedules, checkpoints, retention, mail.
    fn start_timers(
        &self,
        runtime: &Runtime,
        settings: &Settings,
        signer: &Signer,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), RunError> {
        let state_dir = self.office.state_dir.clone();
        let (desk, people) = (self.desk.clone(), self.office.people.clone());
        runtime.spawn(days(desk.clone(), people.clone(), stopped.clone()));
        let work = move |ran| turn(&desk, &people, &state_dir, ran);
        runtime.spawn(every(TICK, stopped.clone(), work));
        runtime.spawn(papers::render(self.desk.clone(), self.press.clone(), stopped.clone()));
        let letters = Letters::new(options::uploads(settings));
        runtime.spawn(bulk::file(self.desk.clone(), letters, stopped.clone()));
        runtime.spawn(webhooks::tell(self.desk.clone(), stopped.clone()));
        let (desk, signer) = (self.desk.clone(), signer.clone());
        let publisher = self.publisher.clone();
        let work = move |_| signing_mail::tell(&desk, &signer, &publisher);
        runtime.spawn(every(SIGNING_NEWS, stopped.clone(), work));
        if let Some(mailer) = Mailer::new(&relay(settings)).map_err(failed)? {
            let outbox = Arc::new(self.desk.clone());
            runtime.spawn(mailer.run(outbox, stop_signal(stopped.clone())));
        }
        Ok(())
    }

    /// Starts to count queries.
    fn count(&self, runtime: &Runtime, tap: Tap, stopped: &watch::Receiver<bool>) -> Statistics {
        let statistics = Statistics::new(self.office.store.clone(), tap);
        // They are started once.
        let _ = self.statistics.set(statistics.clone());
        let (counted, rests) = (statistics.clone(), AtomicU32::new(0));
        let rests = Arc::new(rests);
        let desk = self.desk.clone();
        let work = move |_| {
            counted.believe_clock(desk.clock_is_believed());
            counted.collect(now_ms());
            let rest = rests.fetch_add(1, Ordering::Relaxed) % FORGOTTEN;
            if rest % COLLECTIONS == COLLECTIONS - 1 {
                keep(&counted);
            }
            if rest == COLLECTIONS - 1 {
                forget(&counted);
            }
        };
        runtime.spawn(every(COLLECT, stopped.clone(), work));
        statistics
    }

    /// What the pages work with.
    fn pages(
        &self,
        settings: &Settings,
        (fleet, signer): (&Fleet, &Signer),
        statistics: Statistics,
        options: web::Options,
    ) -> Result<web::State, RunError> {
        let fleet = fleet.clone();
        let parts = web::Parts {
            store: self.office.store.clone(),
            people: self.office.people.clone(),
            desk: self.desk.clone(),
            publisher: self.publisher.clone(),
            refresh: Box::new(move |zone| fleet.refresh_status(zone)),
            signer: signer.clone(),
            statistics,
            letters: Letters::new(options::uploads(settings)),
            press: self.press.clone(),
            mailer: Mailer::new(&relay(settings)).map_err(failed)?,
            options: web::Options { node_token: own_token(&self.office.store), ..options },
        };
        let state = web::State::new(parts).map_err(failed)?;
        // They are started once.
        let _ = self.pages.set(state.clone());
        Ok(state)
    }

    /// A fresh link for the first administrator, if nobody has an account.
    fn first_link(&self, state_dir: &Path, url: &str) -> Option<String> {
        self.try_first_link(state_dir, url).unwrap_or_else(|error| {
            let error = with_causes(&error);
            tracing::error!(
                error,
                "no link for the first administrator; `gapura user add` makes the account, too"
            );
            None
        })
    }

    /// A fresh link for the first administrator: the link itself on a terminal, otherwise the name of a file that only
    /// its owner can read, because standard output may end up in a log.
    fn try_first_link(&self, state_dir: &Path, url: &str) -> Result<Option<String>, RunError> {
        forget_used_link(state_dir, &self.office.people);
        let link = self.office.people.first_link().map_err(failed)?;
        let Some(link) = link else { return Ok(None) };
        let link = format!("{url}{}", link.path());
        if std::io::stdout().is_terminal() {
            return Ok(Some(link));
        }
        let path = state_dir.join(FIRST_LINK);
        let written = (|| {
            // An older file would keep its mode.
            files::remove(&path)?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            writeln!(file, "{link}")
        })();
        system(format!("cannot write {}", path.display()), written)?;
        Ok(Some(format!("(in the file {})", path.display())))
    }
}

/// Writes the statistics. On an error they stay in memory for the next time.
fn keep(statistics: &Statistics) {
    if let Err(error) = statistics.keep(now_ms()) {
        tracing::warn!(%error, "statistics of queries cannot be written now; they are kept in memory");
    }
}

/// Drops statistics that are too old to be shown.
fn forget(statistics: &Statistics) {
    if let Err(error) = statistics.forget(now_ms()) {
        tracing::warn!(%error, "old statistics of queries could not be deleted");
    }
}

/// Removes the file of the first administrator's link once it has been used.
fn forget_used_link(state_dir: &Path, people: &People) {
    let path = state_dir.join(FIRST_LINK);
    if !path.exists() || people.lacks_admin().unwrap_or(true) {
        return;
    }
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!(path = %path.display(), %error, "a used link could not be removed");
    }
}

/// Records the settings of a file, if they have changed since the last time.
fn note_settings(desk: &Desk, path: &Path) -> Result<(), ActError> {
    let bytes =
        std::fs::read(path).map_err(|source| ActError::File { path: path.to_owned(), source })?;
    desk.note_settings(&sha256_hex(&bytes))
}

/// The mail relay of the settings.
pub(super) fn relay(settings: &Settings) -> Relay {
    Relay {
        relay: settings.mail.relay.clone(),
        from: settings.mail.from.clone(),
        url: site_url(settings, settings.web.listen),
    }
}

/// The URL of the pages; without a setting, the address they listen on.
pub(super) fn site_url(settings: &Settings, bound: impl Display) -> String {
    match settings.web.url.trim_end_matches('/') {
        "" => format!("http://{bound}"),
        url => url.to_owned(),
    }
}

/// Figures of the webhooks.
fn webhooks(webhooks: &[WebhookView]) -> [Family; 4] {
    let mut families =
        [&of::WEBHOOK_WAITING, &of::WEBHOOK_FAILING, &of::WEBHOOK_DELIVERED, &of::WEBHOOK_GIVEN_UP]
            .map(Family::of);
    for hook in webhooks {
        let failing = u64::from(hook.state != "ready");
        let values = [hook.waiting, failing, hook.delivered as u64, hook.given_up as u64];
        for (family, value) in families.iter_mut().zip(values) {
            family.count(&[&hook.name], value);
        }
    }
    families
}

/// Requests, names, notices and papers, by state.
fn queue(figures: &Figures) -> Vec<Family> {
    let [mut requests, mut oldest, mut names, mut notices, mut waiting, mut anchors] = [
        &of::REQUESTS,
        &of::REQUEST_OLDEST,
        &of::NAMES,
        &of::NOTICES,
        &of::NOTICE_OLDEST,
        &of::AUDIT_ANCHOR,
    ]
    .map(Family::of);
    for (counts, ages, figures) in [
        (&mut requests, Some(&mut oldest), &figures.requests),
        (&mut notices, Some(&mut waiting), &figures.notices),
        (&mut names, None, &figures.names),
    ] {
        for Figure { state, count, .. } in figures {
            counts.count(&[state], *count);
        }
        let Some(ages) = ages else { continue };
        for Figure { state, oldest_seconds, .. } in figures {
            oldest_seconds.iter().for_each(|seconds| ages.push(&[state], *seconds as f64));
        }
    }
    for (zone, at_ms) in &figures.anchors {
        anchors.push(&[zone], *at_ms as f64 / 1e3);
    }
    let mut checkpoint = Family::of(&of::AUDIT_CHECKPOINT);
    figures.checkpoint_ms.iter().for_each(|at_ms| checkpoint.push(&[], *at_ms as f64 / 1e3));
    let one = |described, value| Family::of(described).with(&[], value);
    vec![
        requests,
        oldest,
        one(&of::REQUESTS_LATE, figures.requests_late as f64),
        names,
        notices,
        waiting,
        anchors,
        checkpoint,
        one(&of::PAPERS_WAITING, figures.papers_waiting as f64),
        one(&of::PAPER_TRIES, f64::from(figures.paper_tries)),
    ]
}

/// Live names whose targets are watched, by state.
fn targets(desk: &Desk) -> Family {
    let mut family = Family::of(&of::TARGETS);
    let counts = match desk.watch_counts() {
        Ok(counts) => counts,
        Err(error) => {
            tracing::warn!(%error, "the state of watched targets cannot be read");
            return family;
        }
    };
    let seen = [
        ("watched", counts.watched),
        ("struck", counts.struck),
        ("claimable", counts.claimable),
        ("urgent", counts.urgent),
    ];
    seen.into_iter().for_each(|(seen, count)| family.count(&[seen], count));
    family
}

/// One turn of the timers. A failure is logged and retried at the next turn.
fn turn(desk: &Desk, people: &People, state_dir: &Path, ran: Duration) {
    forget_used_link(state_dir, people);
    if let Err(error) = desk.turn(ran) {
        tracing::warn!(%error, "a timed task failed; it will be retried");
    }
}

/// Runs the daily jobs apart from the timers: they read everything, and the deadlines of requests must not wait for
/// them.
async fn days(desk: Desk, people: People, stopped: watch::Receiver<bool>) {
    let mut wait = TICK;
    while !is_stopped_within(wait, &stopped).await {
        let (desk, people) = (desk.clone(), people.clone());
        // A panic inside is in the log already.
        let is_done = tokio::task::spawn_blocking(move || day(&desk, &people)).await;
        wait = if is_done.unwrap_or(true) { DAY } else { TICK };
    }
}

/// The daily jobs; false while the clock is in doubt.
fn day(desk: &Desk, people: &People) -> bool {
    // A failure of the desk's jobs is in the log already, and does not stop the others.
    if matches!(desk.daily(), Ok(false)) {
        return false;
    }
    if let Err(error) = people.sweep() {
        tracing::warn!(%error, "daily housekeeping of accounts failed");
    }
    true
}
