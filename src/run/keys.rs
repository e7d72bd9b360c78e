//! `gapura key …`: the keys that sign a zone, over the control socket.

use serde_json::json;

use super::host::Host;
use super::time::now_ms;
use crate::control::{GivenKey, KeyAct, Reply};
use crate::dnssec::{Algorithm, Dnskey, KeyPair, Pkcs8};
use crate::publish::{Change, KeysError};
use crate::rollover::{Command, KeySet, Policy, Refusal, Role};
use crate::text::{append_line, with_causes};
use crate::wire::Name;
use crate::wire::rdata::base64_octets;

impl Host {
    /// Runs a command on the keys of a zone.
    pub(super) fn keys(&self, zone: &str, act: KeyAct, who: &str) -> Reply {
        self.with_zone(zone, |apex| {
            let is_change = !matches!(act, KeyAct::List | KeyAct::Ds);
            let reply = match self.lost_database().filter(|_| is_change) {
                Some(lost) => Reply::failed(format!("{apex}: {lost}")),
                None => self.act_on_keys(apex, act, who),
            };
            // A command that succeeded has woken the signer already; after the others, wake it for a fresh status.
            if !is_change || reply.exit != 0 {
                self.signer.look(apex);
            }
            reply
        })
    }

    /// Carries out a command.
    fn act_on_keys(&self, apex: &Name, act: KeyAct, who: &str) -> Reply {
        match act {
            KeyAct::List => self.list_keys(apex),
            KeyAct::Ds => self.ds(apex),
            KeyAct::Import { keys } => self.import_keys(apex, &keys, who),
            KeyAct::Roll { role, emergency } => match (role_of(role.as_deref()), emergency) {
                (Err(why), _) => Reply::failed(why),
                (Ok(role), false) => self.command_keys(apex, Command::Roll(role), who),
                (Ok(role), true) => self.command_keys(apex, Command::Emergency(role), who),
            },
            KeyAct::Cancel { role } => match role_of(role.as_deref()) {
                Err(why) => Reply::failed(why),
                Ok(role) => self.command_keys(apex, Command::Cancel(role), who),
            },
            KeyAct::DsSeen { tag } => self.command_keys(apex, Command::DsSeen(tag), who),
            KeyAct::DsGone { tag } => self.command_keys(apex, Command::DsGone(tag), who),
            KeyAct::Confirm => self.command_keys(apex, Command::Confirm, who),
        }
    }

    /// Why keys cannot be changed: their state could not be stored. `None` while the database is in use.
    fn lost_database(&self) -> Option<String> {
        let why = self.stand_in.as_ref()?;
        Some(format!(
            "the database is lost or unusable ({why}): restore it first; until then keys stay as they are"
        ))
    }

    //--- What there is

    /// The keys of a zone, and what they wait for.
    fn list_keys(&self, apex: &Name) -> Reply {
        let signed = match self.signed(apex) {
            Ok(signed) => signed,
            Err(why) => return Reply::failed(why),
        };
        let lost = self.lost_database();
        let mut text = format!("{apex} {}\n{}", signed.headline(), signed.table());
        let alarms = self.signing_alarms(apex);
        for line in lost.iter().chain(&signed.wait_lines()).chain(&alarms) {
            append_line!(text, "  {line}");
        }
        let mut json = signed.json();
        json["zone"] = json!(apex.to_string());
        json["alarms"] = json!(self.signer.alarms(apex));
        json["stand_in"] = json!(self.stand_in);
        Reply::done(text, json)
    }

    /// The DS records that the parent should have, one per line.
    fn ds(&self, apex: &Name) -> Reply {
        let signed = match self.signed(apex) {
            Ok(signed) => signed,
            Err(why) => return Reply::failed(why),
        };
        if signed.ds.is_empty() {
            return Reply::failed(format!(
                "{apex} is going unsigned: the parent should no longer have a DS for it"
            ));
        }
        let text: String = signed.ds.iter().map(|line| format!("{line}\n")).collect();
        let note = signed.early();
        Reply::done(text, json!({ "zone": apex.to_string(), "ds": signed.ds, "note": note }))
    }

    //--- Commands

    /// Passes a command to the state machine, and lets it continue.
    fn command_keys(&self, apex: &Name, command: Command, who: &str) -> Reply {
        let what = command_text(&command);
        let facts = match self.signing_facts(apex) {
            Ok(facts) => facts,
            Err(why) => return Reply::failed(why),
        };
        let now = u64::try_from(now_ms() / 1000).unwrap_or_default();
        let decide = |keys: &KeySet, policy: &Policy| keys.command(command, policy, &facts, now);
        self.done(apex, &what, who, self.publisher.change_keys(apex, (&what, who), decide))
    }

    /// Imports keys that were made elsewhere. Their files are on disk before the zone refers to them. Files of refused
    /// keys are removed: they would prevent the zone's first signing.
    fn import_keys(&self, apex: &Name, given: &[GivenKey], who: &str) -> Reply {
        let state = match self.publisher.signing(apex) {
            Ok(state) => state,
            Err(error) => return Reply::failed(error.to_string()),
        };
        let pairs = match given.iter().map(pair_of).collect::<Result<Vec<_>, String>>() {
            Ok(pairs) => pairs,
            Err(why) => return Reply::failed(format!("{apex}: {why}")),
        };
        let keys: Vec<Dnskey> = pairs.iter().map(|(pair, _)| pair.dnskey().clone()).collect();
        let first = keys.first().map(|key| key.algorithm);
        if let Some(other) = keys.iter().find(|key| Some(key.algorithm) != first) {
            let refusal = Refusal::TwoAlgorithms(other.algorithm);
            return Reply::failed(format!("{apex}: {refusal}"));
        }
        let (store, mut new) = (self.publisher.keystore(), Vec::new());
        for (pair, pkcs8) in &pairs {
            // Only remove files that this command has written.
            if matches!(store.path(apex, pair.dnskey()).try_exists(), Ok(false)) {
                new.push(pair.dnskey().clone());
            }
            if let Err(error) = store.store(apex, pair, pkcs8) {
                self.signer.forget_unused(apex, &new);
                return Reply::failed(format!("{apex}: {}", with_causes(&error)));
            }
        }
        if state.current.is_some() {
            let reply = self.command_keys(apex, Command::Import(keys), who);
            self.signer.forget_unused(apex, &new);
            return reply;
        }
        // The zone is signed with them from its first signature on.
        let what = command_text(&Command::Import(keys));
        self.note_keys_command(apex, &what, who);
        let text = format!("{apex} {what}: they sign the zone once its [[zone]] has `signing`");
        Reply::done(text, json!({ "zone": apex.to_string(), "done": what }))
    }

    /// The reply of a command, with what the keys wait for now.
    fn done(
        &self,
        apex: &Name,
        what: &str,
        who: &str,
        changed: Result<Option<Change>, KeysError<Refusal>>,
    ) -> Reply {
        match changed {
            Ok(change) => {
                self.note_keys_command(apex, what, who);
                self.signer.wake(apex);
                let to =
                    change.as_ref().filter(|change| change.is_visible()).map(|change| change.to);
                let serial = to.map_or_else(String::new, |to| format!(" (serial {to})"));
                let mut text = format!("{apex} {what}: noted{serial}\n");
                let waits = self.signed(apex).map_or_else(|_| Vec::new(), |it| it.wait_lines());
                for line in waits {
                    append_line!(text, "  {line}");
                }
                Reply::done(text, json!({ "zone": apex.to_string(), "done": what, "serial": to }))
            }
            Err(KeysError::Against(refusal)) => Reply::failed(format!("{apex}: {refusal}")),
            Err(KeysError::Door(error)) => Reply::failed(with_causes(&error)),
        }
    }

    /// Records a command on keys: in the log, and in the event chain where there is one.
    fn note_keys_command(&self, apex: &Name, what: &str, who: &str) {
        tracing::info!(zone = %apex, who, "keys: {what}");
        self.road_3.note_keys_command(apex, what, who);
    }
}

/// A key that was made elsewhere, and its private half to be kept.
fn pair_of(given: &GivenKey) -> Result<(KeyPair, Pkcs8), String> {
    let algorithm = given.algorithm.parse::<Algorithm>().map_err(|error| error.to_string())?;
    let der = base64_octets(given.pkcs8.as_bytes()).ok_or("this is not a private key in base64")?;
    let pkcs8 = Pkcs8::new(der);
    let pair = KeyPair::from_pkcs8(algorithm, given.flags, &pkcs8);
    let pair = pair.map_err(|error| error.to_string())?;
    Ok((pair, pkcs8))
}

/// A role by its word.
fn role_of(word: Option<&str>) -> Result<Option<Role>, String> {
    let Some(word) = word else { return Ok(None) };
    let found = [Role::Csk, Role::Ksk, Role::Zsk].into_iter().find(|role| role.word() == word);
    found.map(Some).ok_or_else(|| format!("\"{word}\" is not a role: use csk, ksk or zsk"))
}

/// A command in a few words, for the history.
fn command_text(command: &Command) -> String {
    let of = |role: &Option<Role>| role.map_or("", Role::word);
    let text = match command {
        Command::Roll(role) => format!("roll {}", of(role)),
        Command::Emergency(role) => format!("emergency roll {}", of(role)),
        Command::DsSeen(tag) => format!("DS of {tag} seen"),
        Command::DsGone(tag) => format!("DS of {tag} gone"),
        Command::Confirm => "step confirmed".to_owned(),
        Command::Cancel(role) => format!("roll cancelled {}", of(role)),
        Command::GoUnsigned => "going unsigned".to_owned(),
        Command::Import(keys) => {
            let tags: Vec<String> = keys.iter().map(|key| key.tag().to_string()).collect();
            format!("keys imported {}", tags.join(" "))
        }
    };
    text.trim_end().to_owned()
}
