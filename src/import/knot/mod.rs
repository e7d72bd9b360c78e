//! knot.conf of Knot DNS: templates, remotes, access lists, keys, policies, catalog roles.

mod policy;
mod rights;
mod scan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::draft::{Draft, DraftZone};
use super::files::Sources;
use super::model::Content;
use super::{Fault, Item};
use rights::Rights;
use scan::Group;

/// Where zone files are, if the settings do not say.
const STORAGE: &str = "/var/lib/knot";
/// The file of a zone, if they do not say.
const FILE: &str = "%s.zone";

/// Items of a zone or template without a counterpart, and why nothing is lost without them.
const TOLD: &[(&str, &str)] = &[
    ("semantic-checks", "gapura always checks: docs/dns.md, Semantic checks"),
    ("zonefile-sync", "gapura never writes a zone file"),
    ("zonefile-load", "gapura reads a file when it changes and makes the difference itself"),
    ("journal-content", "gapura always keeps changes for IXFR"),
    ("journal-max-usage", "gapura's journal has limits of its own"),
    ("journal-max-depth", "gapura's journal has limits of its own"),
    ("ixfr-benevolent", "gapura transfers the whole zone where changes do not fit"),
    ("ixfr-by-one", "gapura sends each change by itself"),
    ("ixfr-from-axfr", "gapura makes the difference of whole transfers"),
    ("zone-max-size", "gapura's limits of a transfer are fixed: docs/fleet.md"),
    ("adjust-threads", "gapura has no such threads"),
    ("refresh-min-interval", "the SOA record says when a secondary zone is refreshed"),
    ("refresh-max-interval", "the SOA record says when a secondary zone is refreshed"),
    ("retry-min-interval", "the SOA record says when a secondary zone is refreshed"),
    ("retry-max-interval", "the SOA record says when a secondary zone is refreshed"),
    ("expire-min-interval", "the SOA record says when a secondary zone expires"),
    ("expire-max-interval", "the SOA record says when a secondary zone expires"),
    ("master-pin-tolerance", "gapura asks its primaries in turn until one has something newer"),
    ("dnssec-validation", "gapura checks the signatures of every signed zone it loads"),
    ("module", "gapura has no modules"),
    ("global-module", "gapura has no modules"),
    ("catalog-group", "gapura's catalogs have no groups"),
    (
        "ddns-master",
        "gapura answers UPDATE to a secondary zone with NOTAUTH: send it to the primary",
    ),
    ("reverse-generate", "gapura makes no PTR records"),
];

/// Reads the settings.
pub(super) fn read(path: &Path, sources: &mut Sources<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    let mut parts: BTreeMap<String, Vec<Group>> = BTreeMap::new();
    for group in scan::groups(path, sources)? {
        parts.entry(group.section.clone()).or_default().push(group);
    }
    let mut take = |name: &str| parts.remove(name).unwrap_or_default();
    for key in take("key") {
        draft.key(&key.place, key.get("id"), key.get("algorithm"), key.get("secret"));
    }
    let servers = take("server");
    let is_automatic = servers.iter().filter_map(|it| it.item("automatic-acl")).any(Item::is_on);
    for item in servers.iter().flat_map(|it| &it.items) {
        let said = match item.name.as_str() {
            "listen" => format!("Knot listens on {}: server.listen", item.values.join(", ")),
            "automatic-acl" => continue,
            name => format!(
                "server: {name}: {} is not taken over: [server] of gapura's settings is written anew",
                item.values.join(" ")
            ),
        };
        draft.note(&item.place, said);
    }
    let policies = take("policy");
    let rights =
        Rights::read(take("remote"), take("remotes"), take("acl"), is_automatic, &mut draft);
    let signings = policies.iter().map(|it| policy::policy(it, &mut draft)).collect::<Vec<_>>();
    draft.signings = signings;
    let named = |group: Group| (group.get("id").to_owned(), group);
    let templates: BTreeMap<String, Group> = take("template").into_iter().map(named).collect();
    let zones = take("zone");
    for group in parts.values().flatten() {
        let text =
            format!("{}: is not taken over: gapura has settings of its own for it", group.section);
        draft.note(&group.place, text);
    }
    let mut reader = Reader { draft, rights, templates };
    zones.iter().for_each(|zone| reader.zone(zone));
    Ok(reader.draft)
}

/// Reads zones.
struct Reader {
    /// What came of it.
    draft: Draft,
    /// Servers, and who may do what.
    rights: Rights,
    /// Templates by name.
    templates: BTreeMap<String, Group>,
}

impl Reader {
    /// One zone. Items it does not have come from its template, or from the default template if it names none.
    fn zone(&mut self, group: &Group) {
        let place = &group.place;
        let Some(name) = self.draft.name(place, group.get("domain")) else { return };
        let template = group.item("template").map_or("default", Item::value);
        if template != "default" && !self.templates.contains_key(template) {
            self.draft.note(place, format!("zone {name}: there is no template \"{template}\""));
        }
        let mut whole = group.clone();
        if let Some(template) = self.templates.get(template) {
            let is_said = |name: &str| group.items.iter().any(|it| it.name == name);
            let rest = template.items.iter().filter(|it| it.name != "id" && !is_said(&it.name));
            if !self.rights.budget.takes(rest.clone().map(|it| it.values.len()).sum()) {
                return self.draft.too_much(&name.to_string(), place);
            }
            whole.items.extend(rest.cloned());
        }
        let content = content(&whole, &name.to_string());
        let mut zone = DraftZone::new(name, content, place);
        for item in &whole.items {
            self.item(item, &whole, &mut zone);
        }
        let default = self.templates.get("default").map(|it| it.items.as_slice());
        let global = default.unwrap_or_default().iter().filter(|it| it.name == "global-module");
        for item in whole.items.iter().filter(|it| it.name == "module").chain(global) {
            if let Some(module) = item.values.iter().find(|it| it.starts_with("mod-queryacl")) {
                zone.for_some(&item.place, module);
            }
        }
        self.signing(&whole, &mut zone);
        if let Content::File { .. } = zone.zone.content {
            journal(&whole, &mut zone);
        }
        self.draft.push(zone, &self.rights.budget);
    }

    /// One item of a zone.
    fn item(&mut self, item: &Item, whole: &Group, zone: &mut DraftZone) {
        let place = &item.place;
        match item.name.as_str() {
            "domain" | "template" | "storage" | "file" | "comment" | "dnssec-signing" | "dnssec-policy"
            | "catalog-role" => {}
            "master" => zone.primaries.extend(self.rights.peers(item, &mut self.draft)),
            "notify" => {
                let peers = self.rights.peers(item, &mut self.draft);
                self.rights.automatic(item, zone);
                zone.notify.extend(peers);
            }
            "acl" => self.rights.acl(item, zone),
            "serial-policy" => {
                zone.zone.serial = match item.value() {
                    "unixtime" => Some("unixtime"),
                    "dateserial" => Some("date"),
                    _ => None,
                };
            }
            "zonemd-generate" => zone.zone.zonemd = item.value().starts_with("zonemd"),
            "catalog-zone" if whole.get("catalog-role") == "member" => {
                zone.zone.catalog = self.draft.name(place, item.value());
            }
            "catalog-zone" => {}
            "catalog-template" => zone.note(
                place,
                "members of a catalog take over the rules of the catalog zone itself, not of a template",
            ),
            name => {
                let why = TOLD.iter().find(|told| told.0 == name);
                let why = why.map_or("gapura has nothing like it", |told| told.1);
                let text = format!("{name}: {} is not taken over: {why}", item.values.join(" "));
                // Noted once for a template, and not for each zone.
                self.draft.note(place, text);
            }
        }
    }

    /// Whether and how it is signed.
    fn signing(&mut self, whole: &Group, zone: &mut DraftZone) {
        let Some(switch) = whole.item("dnssec-signing").filter(|it| it.is_on()) else { return };
        let named = whole.item("dnssec-policy").map_or("default", Item::value);
        let name = if named == "default" { "knot" } else { named };
        if !self.draft.signings.iter().any(|it| it.name == name) {
            if named != "default" {
                self.draft.note(
                    &switch.place,
                    format!("there is no policy \"{named}\": Knot's default one is taken"),
                );
            }
            let mut usual = policy::usual();
            name.clone_into(&mut usual.name);
            self.draft.signings.push(usual);
        }
        let keys = "the PEM files that `keymgr ZONE list` names, and `keymgr ZONE dnskey`";
        zone.signed_by(name.to_owned(), &switch.place, keys);
    }
}

/// Where a zone's content is.
fn content(whole: &Group, name: &str) -> Content {
    let role = whole.get("catalog-role");
    if whole.items.iter().any(|it| it.name == "master") {
        return Content::Primaries { remotes: Vec::new(), consume: role == "interpret" };
    }
    if role == "generate" {
        return Content::Catalog;
    }
    let storage = whole.item("storage").map_or(STORAGE, Item::value);
    let pattern = whole.item("file").map_or(FILE, Item::value);
    let path = Path::new(storage).join(file_of(pattern, name));
    let base = path.parent().map(PathBuf::from).unwrap_or_default();
    Content::File { path, base }
}

/// Notes what of a zone may be in Knot's journal and not in its file.
fn journal(whole: &Group, zone: &mut DraftZone) {
    let name = zone.zone.name.to_string();
    let never = whole.item("zonefile-sync").filter(|it| it.value() == "-1");
    let load = whole.item("zonefile-load");
    let is_in_journal = load.is_some_and(|it| it.value() == "none");
    let changes = !zone.zone.updates.is_empty();
    if let Some(item) = load.filter(|_| is_in_journal).or_else(|| never.filter(|_| changes)) {
        let text = format!(
            "what was changed since the file was written is in Knot's journal alone: run \
             `knotc -b zone-flush {name} +outdir /tmp/flushed` and take the file from there"
        );
        zone.note(&item.place, text);
    }
}

/// A path of a zone file with its marks filled in (knot.conf(5), zone.file).
fn file_of(pattern: &str, zone: &str) -> String {
    let bare = zone.strip_suffix('.').unwrap_or(zone);
    let plain = bare.replace('/', "_");
    let (mut path, mut rest) = (String::new(), pattern);
    while let Some((before, behind)) = rest.split_once('%') {
        path.push_str(before);
        let kind = behind.chars().next();
        rest = behind.get(kind.map_or(0, char::len_utf8)..).unwrap_or_default();
        match kind {
            Some('s') => path.push_str(&plain),
            Some('%') => path.push('%'),
            Some(kind @ ('c' | 'l')) => {
                let range = rest.strip_prefix('[').and_then(|it| it.split_once(']'));
                let Some((range, behind)) = range else { continue };
                rest = behind;
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else {
                    continue;
                };
                let count = last.saturating_sub(first) + 1;
                if kind == 'c' {
                    path.extend(
                        plain.chars().chain(std::iter::repeat('_')).skip(first).take(count),
                    );
                } else {
                    let labels: Vec<&str> = plain.rsplit('.').collect();
                    if let Some(label) = labels.get(first) {
                        path.push_str(label);
                    }
                }
            }
            Some(other) => path.extend(['%', other]),
            None => path.push('%'),
        }
    }
    path + rest
}

/// A time: seconds, or a number with one of `s`, `m`, `h`, `d`, `w`, `M`, `y` behind it.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3_600),
        (at, 'd') => (text.get(..at)?, 86_400),
        (at, 'w') => (text.get(..at)?, 604_800),
        (at, 'M') => (text.get(..at)?, 2_592_000),
        (at, 'y') => (text.get(..at)?, 31_536_000),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}
