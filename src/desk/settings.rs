//! Settings of the desk that change while it works, by a reload.

use std::sync::Arc;

use super::office::Options;
use super::{Desk, StrangerLimits};
use crate::queue::{Naming, Targets};

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
