//! `allow-update` and `update-policy` of named.conf: who may change a zone by UPDATE.

use super::lists::Lists;
use super::scan::Statement;
use crate::import::address::ANYWHERE;
use crate::import::draft::{Draft, DraftZone};
use crate::import::literal;
use crate::import::model::{Content, Update};

/// `allow-update { … }`: the keys of the list.
pub(super) fn allow(lists: &Lists, list: &Statement, zone: &mut DraftZone, draft: &mut Draft) {
    for permission in lists.permissions(list, draft) {
        match permission.key {
            Some(key) if permission.nets == ANYWHERE => {
                let names = vec!["@".to_owned(), "*".to_owned()];
                zone.zone.updates.push(Update { key, names, types: Vec::new() });
            }
            Some(key) => zone.note(
                &permission.place,
                format!("updates with key {key} are not taken over: gapura would take them from every address"),
            ),
            None if permission.nets.is_empty() => {}
            None => zone.note(
                &permission.place,
                "updates by address are not taken over: gapura takes them by a key alone: zone.update",
            ),
        }
    }
    drop_of_secondary(list, zone);
}

/// `update-policy { grant KEY RULE [NAME] [TYPES]; deny …; }`: the first match decides.
pub(super) fn policy(policy: &Statement, zone: &mut DraftZone, draft: &mut Draft) {
    if policy.word(1) == "local" {
        let text = "update-policy local: gapura has no key of its own making for this machine: `gapura key tsig` makes \
                    one for zone.update";
        return zone.note(&policy.place, text);
    }
    for rule in policy.block() {
        if rule.name() != "grant" {
            let text = format!(
                "\"{}\": gapura has no exceptions; the rules behind it are not taken over: write zone.update",
                rule.text()
            );
            return zone.note(&rule.place, text);
        }
        let Some(key) = draft.name(&rule.place, rule.word(1)) else { continue };
        let kind = rule.word(2).to_ascii_lowercase();
        // `zonesub` takes no name; for other rules without a name, this word is already a type.
        let (target, types_at) = if kind == "zonesub" { ("", 3) } else { (rule.word(3), 4) };
        let types: Vec<String> =
            (types_at..rule.items.len()).map(|at| rule.word(at).to_ascii_uppercase()).collect();
        let types: Vec<String> = types.into_iter().filter(|it| it != "ANY").collect();
        let name = relative(target, &zone.zone.name.to_string());
        let names = match (kind.as_str(), name) {
            ("zonesub", _) => vec!["@".to_owned(), "*".to_owned()],
            // An asterisk is literal in all rules but `wildcard`.
            ("name", Some(name)) => vec![literal(&name)],
            ("wildcard", Some(name)) => wildcard(&name).into_iter().collect(),
            ("subdomain", Some(name)) => with_below(&name),
            ("self" | "selfsub", _) => {
                match relative(&key.to_string(), &zone.zone.name.to_string()) {
                    Some(own) if kind == "self" => vec![literal(&own)],
                    Some(own) => with_below(&own),
                    None => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        if names.is_empty() {
            let text = format!(
                "\"{}\" is not taken over: gapura has no such rule: write zone.update",
                rule.text()
            );
            zone.note(&rule.place, text);
            continue;
        }
        zone.zone.updates.push(Update { key, names, types });
    }
    drop_of_secondary(policy, zone);
}

/// The pattern of a wildcard: only its first label matches any labels. `None` for other names.
fn wildcard(name: &str) -> Option<String> {
    let rest = name.strip_prefix('*').filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
    Some(format!("*{}", literal(rest)))
}

/// The patterns of a name and of all below it.
fn with_below(name: &str) -> Vec<String> {
    let name = literal(name);
    let below = if name == "@" { "*".to_owned() } else { format!("*.{name}") };
    vec![name, below]
}

/// A name relative to the apex, `@` for the apex itself; none outside the zone. named's names end at the root.
fn relative(name: &str, apex: &str) -> Option<String> {
    let name = format!("{}.", name.trim_end_matches('.').to_ascii_lowercase());
    match name.strip_suffix(apex)? {
        "" => Some("@".to_owned()),
        below => Some(below.strip_suffix('.')?.to_owned()),
    }
}

/// Notes that a secondary zone is changed at its primary.
fn drop_of_secondary(option: &Statement, zone: &mut DraftZone) {
    if matches!(zone.zone.content, Content::Primaries { .. }) && !zone.zone.updates.is_empty() {
        zone.zone.updates.clear();
        zone.note(
            &option.place,
            "updates are not taken over: gapura takes none for a secondary zone",
        );
    }
}
