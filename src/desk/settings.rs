//! The settings of the desk, and those of them that a reload changes while it works.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Desk, StrangerLimits};
use crate::ledger::Clock;
use crate::queue::{Calendar, Naming, Rules, Targets};
use crate::webhook::Hook;

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
    /// `probe.enabled`.
    pub probe: bool,
    /// `probe.seconds`: for all targets of a request together.
    pub probe_time: Duration,
    /// `probe.at_once`: requests probed at once.
    pub probes: usize,
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
            probe: true,
            probe_time: Duration::from_secs(5),
            probes: 24,
            promote_with_approval: true,
            audit_daily: true,
            strangers: StrangerLimits::default(),
            webhooks: Vec::new(),
        }
    }
}

//------------ Settings ------------------------------------------------------

/// What a reload changes. The rest of [`Options`] holds until a restart.
pub(super) struct Settings {
    /// Naming rules and lists.
    pub(super) naming: Arc<Naming>,
    /// Rules about targets.
    pub(super) targets: Targets,
    /// `approval.promote = "with_approval"`.
    pub(super) promote_with_approval: bool,
    /// `audit.daily`.
    pub(super) audit_daily: bool,
    /// Limits for people without an account.
    pub(super) strangers: StrangerLimits,
    /// `[[webhook]]`.
    pub(super) webhooks: Arc<[Hook]>,
}

impl Settings {
    /// Those of the options.
    pub(super) fn of(options: &Options) -> Self {
        Self {
            naming: Arc::new(options.naming.clone()),
            targets: options.targets.clone(),
            promote_with_approval: options.promote_with_approval,
            audit_daily: options.audit_daily,
            strangers: options.strangers,
            webhooks: options.webhooks.as_slice().into(),
        }
    }
}

impl Desk {
    /// Works by these options from the next act on, as far as they can change without a restart.
    pub fn set_options(&self, options: &Options) {
        self.0.settings.store(Arc::new(Settings::of(options)));
    }

    /// The settings now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Naming rules and lists, for forms that check a name before it is sent.
    pub fn naming(&self) -> Arc<Naming> {
        Arc::clone(&self.settings().naming)
    }
}
