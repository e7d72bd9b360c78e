//! The settings of the desk, and those of them that a reload or a page changes while it works.
//!
//! ```text
//! settings file, or what is shipped ─┐
//!                                    ├─► Basis in force ─► calendar, naming, targets; the office that speaks
//! newest version of a list on a page ┘   (the page wins)
//! ```
//! The two meet here and nowhere else: at the start, at a reload, and after each change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Desk, StrangerLimits};
use crate::ledger::Clock;
use crate::lock::lock;
use crate::queue::lists::{Basis, List, Table};
use crate::queue::targets::Prefix;
use crate::queue::{Calendar, Naming, Rules, Targets};
use crate::store::lists::VersionRow;
use crate::store::{Store, StoreError};
use crate::webhook::Hook;

/// Told what all lists say, whenever one of them is another one.
pub(super) type Listener = Box<dyn Fn(&Basis) + Send + Sync>;

//------------ Options -------------------------------------------------------

/// Settings of the desk; `run` takes them from the settings file.
#[derive(Clone)]
pub struct Options {
    /// Where keys and letters lie.
    pub state_dir: PathBuf,
    /// The time.
    pub clock: Clock,
    /// The settings the machines depend on.
    pub rules: Rules,
    /// Working hours, other hours for a time, holidays.
    pub calendar: Calendar,
    /// Naming rules and lists.
    pub naming: Naming,
    /// Rules about targets.
    pub targets: Targets,
    /// `[[hosting]]`: name and target.
    pub hostings: Vec<(String, String)>,
    /// `[office]`: its lines.
    pub identity: Vec<(String, String)>,
    /// The lists that the settings file gives; the others are as shipped.
    pub of_file: BTreeSet<List>,
    /// `probe.enabled`.
    pub probe: bool,
    /// `probe.seconds`: for all targets of a request together.
    pub probe_time: Duration,
    /// `probe.at_once`: requests probed at once.
    pub probes: usize,
    /// `probe.allow`: networks that are probed although they are not public.
    pub probe_allow: Vec<Prefix>,
    /// `probe.auto_suspend`: take a name out whose target a stranger could claim.
    pub auto_suspend: bool,
    /// `approval.promote = "with_approval"`.
    pub promote_with_approval: bool,
    /// `audit.daily`.
    pub audit_daily: bool,
    /// Limits for people without an account.
    pub strangers: StrangerLimits,
    /// `[[webhook]]`.
    pub webhooks: Vec<Hook>,
}

impl Options {
    /// The shipped defaults.
    pub fn new(state_dir: PathBuf, clock: Clock) -> Self {
        Self {
            state_dir,
            clock,
            rules: Rules::default(),
            calendar: Calendar::default(),
            naming: Naming::default(),
            targets: Targets::default(),
            hostings: Vec::new(),
            identity: Vec::new(),
            of_file: BTreeSet::new(),
            probe: true,
            probe_time: Duration::from_secs(5),
            probes: 24,
            probe_allow: Vec::new(),
            auto_suspend: false,
            promote_with_approval: true,
            audit_daily: true,
            strangers: StrangerLimits::default(),
            webhooks: Vec::new(),
        }
    }

    /// What the lists say without the changes of pages.
    fn basis(&self) -> Basis {
        Basis {
            calendar: self.calendar.clone(),
            naming: self.naming.clone(),
            targets: self.targets.clone(),
            hostings: self.hostings.clone(),
            identity: self.identity.clone(),
        }
    }

    /// What all lists say by a database that no desk is open on.
    pub fn in_force(&self, store: &Store) -> Result<Basis, StoreError> {
        let rows = store.read(|reader| reader.lists())?;
        Ok(Settings::of(self, rows).basis)
    }
}

//------------ Settings ------------------------------------------------------

/// What a reload or a page changes. The rest of [`Options`] holds until a restart.
#[derive(Clone)]
pub(super) struct Settings {
    /// What the lists say without the changes of pages.
    file: Basis,
    /// The lists that the settings file gives.
    of_file: BTreeSet<List>,
    /// The newest version of each list that a page changed.
    versions: BTreeMap<List, VersionRow>,
    /// What the lists say.
    pub(super) basis: Basis,
    /// Of that, naming rules and lists.
    pub(super) naming: Arc<Naming>,
    /// Of that, rules about targets.
    pub(super) targets: Targets,
    /// `approval.promote = "with_approval"`.
    pub(super) promote_with_approval: bool,
    /// `audit.daily`.
    pub(super) audit_daily: bool,
    /// `probe.auto_suspend`.
    pub(super) auto_suspend: bool,
    /// Limits for people without an account.
    pub(super) strangers: StrangerLimits,
    /// `[[webhook]]`.
    pub(super) webhooks: Arc<[Hook]>,
}

impl Settings {
    /// Those of the options, with the changes of pages.
    pub(super) fn of(options: &Options, rows: Vec<VersionRow>) -> Self {
        let (file, basis) = (options.basis(), Basis::default());
        let settings = Self {
            file,
            of_file: options.of_file.clone(),
            versions: BTreeMap::new(),
            basis,
            naming: Arc::default(),
            targets: Targets::default(),
            promote_with_approval: options.promote_with_approval,
            audit_daily: options.audit_daily,
            auto_suspend: options.auto_suspend,
            strangers: options.strangers,
            webhooks: options.webhooks.as_slice().into(),
        };
        settings.with(rows)
    }

    /// The same with these changes of pages.
    pub(super) fn with(mut self, rows: Vec<VersionRow>) -> Self {
        self.versions = rows.into_iter().map(|row| (row.list, row)).collect();
        self.basis = self.file.clone();
        for row in self.versions.values() {
            let Some(body) = &row.body else { continue };
            // Rules may have become stricter since it was written: what reads of it is in force.
            match Table::read(row.list, body, "") {
                Ok(table) => self.basis = self.basis.with(&table),
                Err(faults) => {
                    let (list, fault) = (row.list, faults.first().map(|it| it.fault.detail()));
                    tracing::error!(%list, fault, "a list changed on a page does not read any more");
                }
            }
        }
        self.naming = Arc::new(self.basis.naming.clone());
        self.targets = self.basis.targets.clone();
        self
    }

    /// A list as the settings file or the program says.
    pub(super) fn of_file(&self, list: List) -> Table {
        self.file.table(list)
    }

    /// Whether the settings file gives a list.
    pub(super) fn is_in_file(&self, list: List) -> bool {
        self.of_file.contains(&list)
    }

    /// The newest version of a list that a page changed.
    pub(super) fn version(&self, list: List) -> Option<&VersionRow> {
        self.versions.get(&list)
    }

    /// Lists that the settings file gives and a page changed: the page's is in force.
    fn overruled(&self) -> Vec<List> {
        let changed = self.versions.values().filter(|row| row.body.is_some());
        changed.map(|row| row.list).filter(|list| self.of_file.contains(list)).collect()
    }
}

impl Desk {
    /// Works by these options from the next act on, as far as they can change without a restart. What was
    /// changed on pages stays in force.
    pub fn set_options(&self, options: &Options) {
        let _turn = lock(&self.0.settling);
        let rows = self.read(|reader| Ok(reader.lists()?)).unwrap_or_else(|error| {
            tracing::error!(%error, "lists changed on pages cannot be read; those known stay in force");
            self.settings().versions.values().cloned().collect()
        });
        let settings = Settings::of(options, rows);
        for list in settings.overruled() {
            let key = list.setting();
            tracing::info!(
                key,
                "a page changed this list: its version is in force, not the file's"
            );
        }
        self.put_in_force(settings);
    }

    /// Puts in force what the database says of the lists.
    pub(super) fn settle(&self) -> Result<(), super::ActError> {
        let _turn = lock(&self.0.settling);
        let rows = self.read(|reader| Ok(reader.lists()?))?;
        let settings = Settings::clone(&self.settings()).with(rows);
        self.put_in_force(settings);
        Ok(())
    }

    /// Puts settings in force, and tells who listens.
    fn put_in_force(&self, settings: Settings) {
        self.0.ledger.set_calendar(settings.basis.calendar.clone());
        let settings = Arc::new(settings);
        self.0.settings.store(Arc::clone(&settings));
        if let Some(listener) = &*lock(&self.0.listener) {
            listener(&settings.basis);
        }
    }

    /// Tells this listener what the lists say, now and whenever one of them is another one.
    pub fn listen_to_lists(&self, listener: Listener) {
        let _turn = lock(&self.0.settling);
        listener(&self.settings().basis);
        *lock(&self.0.listener) = Some(listener);
    }

    /// The settings now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Naming rules and lists, for forms that check a name before it is sent.
    pub fn naming(&self) -> Arc<Naming> {
        Arc::clone(&self.settings().naming)
    }

    /// Where sites may be hosted: name and target.
    pub fn hostings(&self) -> Vec<(String, String)> {
        self.settings().basis.hostings.clone()
    }
}
