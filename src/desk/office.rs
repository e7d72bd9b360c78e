//! The handle [`Desk`]: what it owns and how it is opened.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::ActError;
use super::closing::WorkFigures;
use super::journals::Followed;
use super::look::Look;
use super::memory::{Reminded, TurnedBack, Watched, Years};
use super::probe::Prober;
use super::room::Found;
use super::settings::{Listener, Options, Settings};
use super::watching::Lookout;
use crate::audit::{
    Anchor, Event, NewEvent, Notary, Part, Report, Vault, check_letters, check_papers, export_part,
    note_export, open_guarded, verify_own,
};
use crate::digest::sha256_hex;
use crate::ledger::{Ledger, LedgerError};
use crate::lock::lock;
use crate::promote::Promoter;
use crate::publish::Publisher;
use crate::queue::person::Role;
use crate::queue::procedure::Flag;
use crate::queue::time::{DAY_MS, is_recent};
use crate::queue::{Actor, Calendar, Deed, Happening, Rules, Subject, TransitionError};
use crate::register::Register;
use crate::store::clock_watch::ClockWatch;
use crate::store::events::EventFilter;
use crate::store::{Reader, Store, StoreError, Tx};
use crate::wire::Name;

/// The folder of letters in the state directory.
pub const LETTERS: &str = "letters";
/// The folder of papers in the state directory.
pub const PAPERS: &str = "papers";
/// Events that are looked at for news of accounts.
const NEWS_LOOKED_AT: usize = 500;
/// News of accounts at once.
const NEWS_MAX: usize = 20;
/// The subject of events about the settings.
const SETTINGS: &str = "settings:file";
/// The subject of events about working time.
pub(super) const WORKING_TIME: &str = "settings:work";
/// The roles that may export the whole chain, which names who did what.
pub const CHAIN_READERS: [Role; 3] = [Role::Auditor, Role::Operator, Role::Head];

/// Whether the last event about a subject states this hash.
fn is_stated(reader: &Reader<'_>, subject: &str, sha256: &str) -> Result<bool, StoreError> {
    let last = reader.events_of(subject)?.pop();
    Ok(last.is_some_and(|event| event.payload.get("sha256").is_some_and(|it| it == sha256)))
}

//------------ Desk ----------------------------------------------------------

/// The desk; clones share it.
#[derive(Clone)]
pub struct Desk(pub(super) Arc<Inner>);

/// What clones share.
pub(super) struct Inner {
    /// The queue's rows.
    pub(super) ledger: Ledger,
    /// What is live at each name.
    pub(super) register: Register,
    /// Promotes requests.
    pub(super) promoter: Promoter,
    /// Probes targets.
    pub(super) prober: Prober,
    /// Settings.
    pub(super) options: Options,
    /// Of them, those that a reload changes, as they are now.
    pub(super) settings: ArcSwap<Settings>,
    /// Held while settings are put in force: one after the other.
    pub(super) settling: Mutex<()>,
    /// Told what the lists say.
    pub(super) listener: Mutex<Option<Listener>>,
    /// Whether the clock is believed.
    pub(super) clock_watch: Mutex<ClockWatch>,
    /// What the reminders know from the last turn.
    pub(super) reminded: Mutex<Reminded>,
    /// How far the look through the years of names has come.
    pub(super) years: Mutex<Years>,
    /// What the watch for drift saw in its last turn.
    pub(super) watched: Mutex<Watched>,
    /// How far the journals were followed.
    pub(super) followed: Mutex<BTreeMap<Name, Followed>>,
    /// The watch over the targets of live names.
    pub(super) lookout: Lookout,
    /// Who began an export of the chain lately, and when.
    pub(super) exported: Mutex<HashMap<String, i64>>,
    /// Letters whose rows are not written yet, by file name.
    pub(super) arriving: Mutex<HashSet<String>>,
    /// Attempts that were turned back lately.
    pub(super) turned_back: Mutex<TurnedBack>,
    /// How much work there was, as of an event by its sequence.
    pub(super) work_figures: Mutex<Option<(i64, Arc<WorkFigures>)>>,
    /// Told when a table of requests was confirmed.
    pub(super) bulk_wanted: Notify,
    /// The look at the disk that is under way.
    pub(super) looking: Look<Found>,
    /// The room the disk pretends to have; for tests.
    #[cfg(test)]
    pub(super) pretended: Mutex<Option<super::Room>>,
}

impl Desk {
    /// Opens the desk on a database and a publisher. Keys are made at the first start.
    pub fn open(store: Store, publisher: Publisher, options: Options) -> Result<Self, ActError> {
        let now = (options.clock)();
        let settings = Settings::of(&options, store.read(|reader| reader.lists())?);
        let vault = open_guarded(&options.state_dir, &store, now)?;
        let notary = Notary::open(&options.state_dir, &store, now)?;
        let ledger = Ledger::new(
            store,
            vault,
            notary,
            Arc::clone(&options.clock),
            options.rules.clone(),
            settings.basis.calendar.clone(),
        );
        let register = Register::new(ledger.clone(), publisher);
        let promoter = Promoter::new(register.clone());
        let prober = Prober::new(
            options.probe,
            options.probe_time,
            options.probes,
            options.probe_allow.clone(),
        );
        for folder in [LETTERS, PAPERS] {
            let path = options.state_dir.join(folder);
            std::fs::create_dir_all(&path).map_err(|source| ActError::File { path, source })?;
        }
        let (reminded, watched) = (Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Inner {
            ledger,
            register,
            promoter,
            prober,
            settings: ArcSwap::from_pointee(settings),
            options,
            settling: Mutex::default(),
            listener: Mutex::default(),
            clock_watch: Mutex::default(),
            reminded,
            years: Mutex::default(),
            watched,
            followed: Mutex::default(),
            lookout: Lookout::default(),
            exported: Mutex::default(),
            arriving: Mutex::default(),
            turned_back: Mutex::default(),
            work_figures: Mutex::default(),
            bulk_wanted: Notify::new(),
            looking: Look::default(),
            #[cfg(test)]
            pretended: Mutex::default(),
        })))
    }

    /// Called once our sockets answer: finishes promotions that a crash cut off. Returns the count of
    /// those.
    pub fn listening(&self) -> Result<usize, ActError> {
        self.0.ledger.fill_likeness()?;
        self.0.ledger.fill_phases()?;
        self.repeat_erasures()?;
        Ok(self.0.promoter.recover()?)
    }

    /// Tells how people reach the site, for the codes on papers.
    pub fn set_site(&self, url: &str) {
        self.0.ledger.set_site(url);
    }

    /// The time now, epoch milliseconds.
    pub fn now(&self) -> i64 {
        self.0.ledger.now()
    }

    /// Working time as it is in force.
    pub fn calendar(&self) -> Arc<Calendar> {
        self.0.ledger.calendar()
    }

    /// The settings the machines depend on.
    pub fn rules(&self) -> &Rules {
        &self.0.ledger.rules
    }

    /// The account of this person id as an actor, with the roles it has now.
    pub fn actor(&self, person: &str) -> Result<Option<Actor>, ActError> {
        let ledger = &self.0.ledger;
        Ok(ledger.store.read::<_, StoreError>(|reader| ledger.actor(reader, person))?)
    }

    /// Events after a sequence.
    pub fn events(&self, after: i64, limit: usize) -> Result<Vec<Event>, ActError> {
        self.read(|reader| Ok(reader.events_after(after, limit)?))
    }

    /// So many events up to a sequence, or the last ones, the oldest first.
    pub fn events_up_to(&self, last: Option<i64>, count: usize) -> Result<Vec<Event>, ActError> {
        self.read(|reader| {
            let head = reader.chain_head()?.map_or(0, |(sequence, _)| sequence);
            let last = last.unwrap_or(head).clamp(0, head);
            let first = (last - i64::try_from(count).unwrap_or(i64::MAX)).max(0);
            let mut events = reader.events_after(first, count)?;
            events.retain(|event| event.sequence <= last);
            Ok(events)
        })
    }

    /// Events that a filter selects, the newest first.
    pub fn events_where(&self, filter: &EventFilter) -> Result<Vec<Event>, ActError> {
        self.read(|reader| Ok(reader.events_where(filter)?))
    }

    /// Changes of accounts within so many milliseconds that officers should know of, the newest first.
    pub fn account_news(&self, within_ms: i64) -> Result<Vec<Event>, ActError> {
        let since = self.now() - within_ms;
        let mut events = self.events_up_to(None, NEWS_LOOKED_AT)?;
        let is_news = |event: &Event| event.act.parse().is_ok_and(|deed: Deed| deed.is(Flag::News));
        events.retain(|event| event.at_ms >= since && is_news(event));
        events.reverse();
        events.truncate(NEWS_MAX);
        Ok(events)
    }

    /// Begins an export of the chain after a sequence; returns its last event. That is one about the
    /// export itself, unless a program looks for news and the same person began one within a day. Only
    /// for roles that may read the whole chain.
    pub fn begin_export(&self, after: i64, is_poll: bool, actor: &Actor) -> Result<i64, ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let (head, by) = self.read(|reader| {
            let actor = ledger.current(reader, actor)?;
            let by = actor.capacity_in(&CHAIN_READERS, now);
            let by = by.ok_or(ActError::NotAllowed)?;
            Ok((reader.chain_head()?.map_or(0, |(sequence, _)| sequence), by))
        })?;
        let exported = || lock(&self.0.exported);
        let known = exported().get(by.person()).copied();
        if is_poll && known.is_some_and(|at| is_recent(at, now, DAY_MS)) {
            return Ok(head);
        }
        let who = (by.person(), by.role.as_str());
        let last = ledger.store.write::<_, StoreError>(|tx| note_export(tx, now, who, after))?;
        exported().insert(by.person().to_owned(), now);
        Ok(last)
    }

    /// A part of an export that was begun; `with_keys` for its first.
    pub fn export_part(
        &self,
        between: (i64, i64),
        most: usize,
        with_keys: bool,
    ) -> Result<Part, ActError> {
        self.read(|reader| Ok(export_part(reader, between, most, with_keys)?))
    }

    /// Leaves an event if the settings are not those of the last start or reload; the chain keeps
    /// the SHA-256 of the file, in hexadecimal.
    pub fn note_settings(&self, sha256: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        // A start with the same settings writes nothing: another program may have locked the database.
        if self.read(|reader| Ok(is_stated(reader, SETTINGS, sha256)?))? {
            return Ok(());
        }
        ledger.store.write(|tx| {
            if is_stated(tx, SETTINGS, sha256)? {
                return Ok(());
            }
            let (system, now) = (Role::System.as_str(), ledger.now());
            let event = NewEvent::new(now, system, system, Deed::SettingsChanged, SETTINGS);
            ledger.note(tx, event.with("sha256", sha256))?;
            Ok(())
        })
    }

    /// Verifies our own chain, with personal values, rows and the files of letters and papers.
    pub fn verify(&self, anchors: &[Anchor]) -> Result<Report, ActError> {
        let Inner { ledger, options, .. } = &*self.0;
        let key = ledger.notary.public_key();
        let mut report = ledger.store.read::<_, ActError>(|reader| {
            Ok(verify_own(reader, Some(&ledger.vault), Some(&key), anchors)?)
        })?;
        check_letters(&ledger.store, &options.state_dir.join(LETTERS), &mut report)?;
        let papers = options.state_dir.join(PAPERS);
        check_papers(&ledger.store, &ledger.vault, &papers, &mut report)?;
        Ok(report)
    }

    /// Says in the log that the chain, or a row beside it, was edited: before somebody asks.
    pub(super) fn warn_of_edits(&self) -> Result<(), ActError> {
        let report = self.verify(&[])?;
        if let Some(first) = report.faults.first() {
            let (faults, first) = (report.faults.len(), first.what.as_str());
            tracing::error!(faults, first, "the database was edited: run gapura audit verify");
        }
        Ok(())
    }

    /// The vault that seals personal data.
    pub fn vault(&self) -> Vault {
        self.0.ledger.vault.clone()
    }

    /// The notary that signs the chain.
    pub fn notary(&self) -> Notary {
        self.0.ledger.notary.clone()
    }

    /// The public key of checkpoints, in hexadecimal.
    pub fn audit_key(&self) -> String {
        self.0.ledger.notary.public_key()
    }

    /// Writes that an officer's attempt was turned back, but for those that only repeat it; applicants'
    /// attempts are not kept.
    pub(super) fn log_turned_back(
        &self,
        actor: &Actor,
        deed: Deed,
        subject: Subject,
        error: &TransitionError,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let has_account = actor.identity.person.is_some() && actor.is_officer(now);
        if !has_account && !actor.disabled {
            return Ok(());
        }
        let attempt = (actor.person().to_owned(), deed, subject.to_string(), error.code());
        let mut memory = lock(&self.0.turned_back);
        let Some(left_out) = memory.is_written(attempt, now) else { return Ok(()) };
        drop(memory);
        let mut happening = Happening::turned_back(actor, now, deed, subject, error);
        if left_out > 0 {
            happening = happening.with("repeated_before", left_out);
        }
        Ok(ledger.store.write::<_, LedgerError>(|tx| ledger.turned_back(tx, &happening))?)
    }

    /// Reads from the database.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, ActError>,
    ) -> Result<T, ActError> {
        self.0.ledger.store.read(work)
    }
}

//--- Working time
impl Desk {
    /// Puts a table of working time in force, and leaves an event if it is a new one; for tests.
    #[cfg(test)]
    pub fn set_working_time(&self, calendar: Calendar) -> Result<(), ActError> {
        self.0.ledger.set_calendar(calendar);
        self.note_working_time()
    }

    /// Leaves an event if the table of working time differs from the last one on record, and moves open
    /// due times.
    pub fn note_working_time(&self) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let sha256 = sha256_hex(calendar.canonical());
        let (holidays, overrides) = calendar.counts();
        if self.read(|reader| Ok(is_stated(reader, WORKING_TIME, &sha256)?))? {
            return Ok(());
        }
        let changed = ledger.store.write::<_, ActError>(|tx| {
            if is_stated(tx, WORKING_TIME, &sha256)? {
                return Ok(false);
            }
            let (system, now) = (Role::System.as_str(), ledger.now());
            let event = NewEvent::new(now, system, system, Deed::WorkingTimeChanged, WORKING_TIME)
                .with("sha256", &sha256)
                .with("holidays", holidays)
                .with("overrides", overrides);
            ledger.note(tx, event)?;
            Ok(true)
        })?;
        if changed { self.recompute_due_times() } else { Ok(()) }
    }

    /// Brings the due times of open requests up to the table of working time.
    pub(super) fn recompute_due_times(&self) -> Result<(), ActError> {
        self.0.ledger.store.write(|tx| self.recompute_in(tx))
    }

    /// The same in a transaction that does more.
    pub(super) fn recompute_in(&self, tx: &Tx<'_>) -> Result<(), ActError> {
        for state in crate::queue::State::ALL.into_iter().filter(|state| state.is_open()) {
            for row in tx.requests_in(state)? {
                self.0.ledger.recompute_due(tx, &row.number)?;
            }
        }
        Ok(())
    }
}
