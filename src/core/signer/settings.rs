//! What the settings want of a zone: signed by another policy, for the first time, or not any more.

use super::handle::Inner;
use super::turn::{Halt, WHO};
use crate::publish::SigningState;
use crate::rollover::{Command, KeySet, Policy, Refusal};
use crate::wire::Name;

impl Inner {
    /// Brings a zone to what the settings want. A zone whose DS is at the parent goes unsigned in steps, which
    /// begin here.
    pub(super) fn follow_settings(&self, zone: &Name, state: &SigningState) -> Result<(), Halt> {
        match (&state.wanted, &state.current) {
            (None, None) => Ok(()),
            (Some(_), None) => {
                let change = self.publisher.begin_signing(zone, WHO)?;
                self.made(zone, change.as_ref());
                Ok(())
            }
            (None, Some((_, keys))) if keys.is_leaving() => Ok(()),
            (None, Some((_, keys))) => {
                // That may be all there is to do.
                self.forget_strays(zone, keys);
                self.command(zone, state, "to be unsigned", Command::GoUnsigned)
            }
            (Some(_), Some((_, keys))) if keys.is_leaving() => {
                self.command(zone, state, "to stay signed", Command::Cancel(None))
            }
            (Some(wanted), Some((current, _))) if wanted != current => {
                self.change(zone, &format!("policy {}", wanted.name), |keys, _| Ok(keys.clone()))
            }
            (Some(_), Some(_)) => Ok(()),
        }
    }

    /// Tells the machine something that the settings say.
    fn command(
        &self,
        zone: &Name,
        state: &SigningState,
        what: &str,
        command: Command,
    ) -> Result<(), Halt> {
        let (facts, now) = (self.facts(zone, state), self.now_s());
        self.change(zone, what, |keys, policy| keys.command(command, policy, &facts, now))
    }

    /// Puts another key set or the policy of the settings in force.
    pub(super) fn change(
        &self,
        zone: &Name,
        what: &str,
        decide: impl FnOnce(&KeySet, &Policy) -> Result<KeySet, Refusal>,
    ) -> Result<(), Halt> {
        let change = self.publisher.change_keys(zone, (what, WHO), decide)?;
        self.made(zone, change.as_ref());
        Ok(())
    }
}
