//! The queue after a restore: sessions, tokens and links are ended, no notice is sent twice, and erased persons stay
//! erased.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::RunError;
use super::options;
use super::time::now_ms;
use crate::audit::{AuditError, Notary, open_guarded};
use crate::backup::{BackupError, Manifest};
use crate::config::Settings;
use crate::desk::{LETTERS, PAPERS};
use crate::digest::sha256_hex;
use crate::files;
use crate::ledger::{AfterRestore, ERASURES, Erasures, Ledger, Leftover, Restored};
use crate::people::People;
use crate::store::{Store, StoreError};

/// The state that is being restored.
pub(super) struct Office<'a> {
    /// The settings by which it is going to be served.
    pub(super) settings: &'a Settings,
    /// Where it was unpacked.
    pub(super) work: &'a Path,
}

/// Takes a fact: key, value, and a line for people.
type Tell<'t> = &'t mut dyn FnMut(&str, Value, String);

/// Reads lists of erasures.
pub(super) fn check_lists(lists: &[PathBuf]) -> Result<Erasures, RunError> {
    let mut all = Erasures::default();
    for path in lists {
        let octets = files::read(path).map_err(|source| BackupError::read(path, source))?;
        let list = Erasures::read(&String::from_utf8_lossy(&octets));
        all.add(list.ok_or_else(|| {
            RunError::Refused(format!(
                "{} is not a list of erasures: give the file `{ERASURES}` of a state directory, or what gapura audit \
                 export printed",
                path.display()
            ))
        })?);
    }
    Ok(all)
}

/// An error of road 3.
fn failed(error: impl Into<anyhow::Error>) -> RunError {
    RunError::Queue(error.into())
}

impl Office<'_> {
    /// Does all of it, and closes the database.
    pub(super) fn after(
        &self,
        manifest: &Manifest,
        mut erasures: Erasures,
        tell: Tell<'_>,
    ) -> Result<(), RunError> {
        let store = Store::open(self.work)?;
        let list = self.work.join(ERASURES);
        if let Some(own) = files::read(&list)
            .ok()
            .and_then(|octets| Erasures::read(&String::from_utf8_lossy(&octets)))
        {
            erasures.add(own);
        }
        let now = now_ms();
        let opened = open_guarded(self.work, &store, now)
            .and_then(|vault| Ok((vault, Notary::open(self.work, &store, now)?)));
        let (vault, notary) = match opened {
            Ok(both) => both,
            // Without it no access can be ended, and nobody can be erased again.
            Err(error @ AuditError::LostKey { .. }) => {
                return Err(failed(anyhow::anyhow!(
                    "{error}: a backup without the keys of its queue is not restored, because tokens and sessions of \
                     then would hold again; restore one that has them, or serve the zones from their files"
                )));
            }
            Err(error) => return Err(failed(error)),
        };
        let read = options::desk(self.settings)?;
        let calendar = read.in_force(&store)?.calendar;
        let people = People::open(store.clone(), vault.clone(), options::people(self.settings));
        let people = people.map_err(failed)?;
        let clock = std::sync::Arc::clone(&read.clock);
        let ledger = Ledger::new(store.clone(), vault, notary, clock, read.rules, calendar);
        let sha256 = sha256_hex(serde_json::to_vec(manifest).unwrap_or_default());
        let restored = Restored { sha256, taken_ms: manifest.taken_ms };
        let (ended, after) = store.write::<_, RunError>(|tx| {
            let ended = people.end_all_access(tx).map_err(failed)?;
            let after = ledger.after_restore(tx, &restored, &erasures).map_err(failed)?;
            Ok((ended, after))
        })?;
        self.delete(&after.leftover)?;
        store.scrub()?;
        let known = store.read::<_, StoreError>(|reader| ledger.erasures(reader))?;
        erasures.add(known);
        files::write_private(&list, erasures.text().as_bytes())
            .map_err(|source| BackupError::write(&list, source))?;
        say(ended, &after, tell);
        Ok(store.fold_log()?)
    }

    /// Deletes the files of what was erased again.
    fn delete(&self, leftover: &Leftover) -> Result<(), BackupError> {
        let letters = leftover.letters.iter().map(|file| self.work.join(LETTERS).join(file));
        let papers = leftover.papers.iter().map(|file| self.work.join(PAPERS).join(file));
        for path in letters.chain(papers) {
            files::remove(&path).map_err(|source| BackupError::write(&path, source))?;
        }
        Ok(())
    }
}

/// Reports what was done.
fn say(ended: [usize; 3], after: &AfterRestore, tell: Tell<'_>) {
    let [sessions, tokens, links] = ended;
    let AfterRestore { notices, webhooks, draft_links, leftover } = after;
    let links = links + draft_links;
    tell(
        "ended",
        json!({ "sessions": sessions, "tokens": tokens, "links": links }),
        format!("  ended: {sessions} sessions, {tokens} tokens, {links} links\n"),
    );
    tell(
        "held",
        json!({ "notices": notices, "webhooks": webhooks }),
        format!(
            "  {notices} waiting mails are left to be printed, because they may have been sent since; {webhooks} \
             webhooks continue with new events only\n"
        ),
    );
    let line = match leftover.requests.len() {
        0 => "  no erasures had to be repeated\n".to_owned(),
        _ => format!("  erased again: {}\n", leftover.requests.join(", ")),
    };
    tell("erased", json!(leftover.requests), line);
    for number in &leftover.open {
        let line = format!(
            "  note: {number} is open again, but its contact was erased: close it on its page\n"
        );
        tell("open", json!(leftover.open), line);
    }
}
