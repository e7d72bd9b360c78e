//! `zone` of named.conf.

use super::scan::{Statement, find};
use super::{INHERITED, Reader, update};
use crate::import::Place;
use crate::import::draft::DraftZone;
use crate::import::model::Content;

/// Kinds of zones that gapura does not have, and why.
const KINDS: &[(&str, &str)] = &[
    ("hint", "gapura does not resolve, so it needs no root hints"),
    ("forward", "gapura does not resolve"),
    ("stub", "gapura does not resolve"),
    ("static-stub", "gapura does not resolve"),
    ("delegation-only", "gapura does not resolve"),
    ("redirect", "gapura answers what is not there with NXDOMAIN"),
];

/// Options of a zone that are handled here.
const SEEN: [&str; 19] = [
    "type",
    "file",
    "masters",
    "primaries",
    "also-notify",
    "notify",
    "allow-transfer",
    "allow-update",
    "update-policy",
    "masterfile-format",
    "dnssec-policy",
    "inline-signing",
    "auto-dnssec",
    "key-directory",
    "serial-update-method",
    "allow-notify",
    "zone-statistics",
    "allow-query",
    "allow-query-on",
];

/// Lists that say who may query, a zone's own or those of its view.
const ASKING: [&str; 4] = ["allow-query", "allow-query-on", "match-clients", "match-destinations"];

/// A zone's own options, and those it inherits.
struct Options<'a> {
    /// Its own.
    own: &'a [Statement],
    /// Those of its view, and of all.
    outer: &'a [&'a [Statement]],
}

impl<'a> Options<'a> {
    /// The option in force.
    fn get(&self, name: &str) -> Option<&'a Statement> {
        let outer = self.outer.iter().filter(|_| INHERITED.contains(&name));
        find(self.own, name).or_else(|| outer.filter_map(|it| find(it, name)).next())
    }

    /// The word of the option in force, or an empty one.
    fn word(&self, name: &str) -> &'a str {
        self.get(name).map_or("", |it| it.word(1))
    }
}

impl Reader {
    /// A zone; `outer` are the options of its view and of all.
    pub(super) fn zone(&mut self, statement: &Statement, outer: &[&[Statement]]) {
        let (written, place) = (statement.word(1), &statement.place);
        let class = statement.word(2).to_ascii_lowercase();
        if !matches!(class.as_str(), "" | "in") {
            return self
                .draft
                .note(place, format!("zone {written} is left out: its class is {class}"));
        }
        let Some(name) = self.draft.name(place, written) else { return };
        let options = Options { own: statement.block(), outer };
        if let Some(view) = find(options.own, "in-view") {
            let text =
                format!("zone {name} is that of view {}: nothing is to be done", view.word(1));
            return self.draft.note(&view.place, text);
        }
        let kind = options.word("type").to_ascii_lowercase();
        let content = match kind.as_str() {
            "primary" | "master" => {
                let Some(file) =
                    options.get("file").map(|it| it.word(1)).filter(|it| !it.is_empty())
                else {
                    return self
                        .draft
                        .note(place, format!("zone {name} is left out: it has no file"));
                };
                Content::File { path: self.path(file), base: self.directory.clone() }
            }
            "secondary" | "slave" | "mirror" => {
                Content::Primaries { remotes: Vec::new(), consume: self.is_catalog(written, outer) }
            }
            kind => {
                let why = KINDS.iter().find(|told| told.0 == kind);
                let why = why.map_or("gapura has no such zones", |told| told.1);
                return self
                    .draft
                    .note(place, format!("zone {name} of type {kind} is left out: {why}"));
            }
        };
        let mut zone = DraftZone::new(name, content, place);
        self.servers(&options, &mut zone);
        self.asking(&options, &mut zone);
        self.rights(&options, &mut zone);
        self.content(&options, &mut zone);
        self.left_over(options.own, &SEEN, &mut zone);
        self.draft.push(zone, &self.lists.budget);
    }

    /// Whether a secondary zone is a catalog whose members are served.
    fn is_catalog(&mut self, written: &str, outer: &[&[Statement]]) -> bool {
        let lists = outer.iter().filter_map(|it| find(it, "catalog-zones"));
        let bare = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
        let mut entries = lists.flat_map(Statement::block);
        entries.any(|it| it.name() == "zone" && bare(it.word(1)) == bare(written))
    }

    /// The servers that are contacted.
    fn servers(&mut self, options: &Options<'_>, zone: &mut DraftZone) {
        if let Content::Primaries { .. } = zone.zone.content
            && let Some(list) = options.get("primaries").or_else(|| options.get("masters"))
        {
            zone.primaries = self.lists.peers(list, &mut self.draft);
        }
        let notify = options.get("notify");
        if let Some(option) = notify.filter(|it| matches!(it.word(1), "no" | "explicit")) {
            let text = format!(
                "{}: gapura tells the zone's own name servers of changes, those that may have it",
                option.text()
            );
            self.draft.note(&option.place, text);
            if option.word(1) == "no" {
                return;
            }
        }
        if let Some(list) = options.get("also-notify") {
            zone.notify = self.lists.peers(list, &mut self.draft);
        }
    }

    /// Who may query it.
    fn asking(&self, options: &Options<'_>, zone: &mut DraftZone) {
        let lists = ASKING.iter().filter_map(|name| options.get(name));
        for list in lists.filter(|list| !self.lists.is_for_all(list)) {
            zone.for_some(&list.place, &list.text());
        }
    }

    /// Who may transfer it, and who may change it.
    fn rights(&mut self, options: &Options<'_>, zone: &mut DraftZone) {
        match options.get("allow-transfer") {
            Some(list) => {
                zone.transfer = self.lists.permissions(list, &mut self.draft);
                if let Some(transport) = list.behind("transport") {
                    let text = format!(
                        "allow-transfer by {transport} only: gapura lets a [[remote]] with tls have a zone over TLS only"
                    );
                    zone.note(&list.place, text);
                    zone.transfer.clear();
                } else if let Some(port) = list.behind("port") {
                    let text = format!(
                        "allow-transfer on port {port} only is not taken over: gapura knows no port here"
                    );
                    zone.note(&list.place, text);
                    zone.transfer.clear();
                }
            }
            None => {
                let text = format!(
                    "zone {} has no allow-transfer: named up to 9.18 gives it to everybody, later versions to \
                     nobody. gapura gives it to nobody: name in `transfer` who may",
                    zone.zone.name
                );
                self.draft.note(&zone.zone.place, text);
            }
        }
        // A zone's own policy replaces a list that it would inherit.
        if let Some(policy) = options.get("update-policy") {
            update::policy(policy, zone, &mut self.draft);
        } else if let Some(list) = options.get("allow-update") {
            update::allow(&self.lists, list, zone, &mut self.draft);
        }
        if let Some(list) = options.get("allow-notify") {
            zone.note(
                &list.place,
                "allow-notify: gapura takes NOTIFY from the primaries of a zone alone",
            );
        }
    }

    /// How its content is kept and signed.
    fn content(&mut self, options: &Options<'_>, zone: &mut DraftZone) {
        zone.zone.serial = match options.word("serial-update-method") {
            "date" => Some("date"),
            "unixtime" => Some("unixtime"),
            _ => None,
        };
        let keys = match options.word("key-directory") {
            "" => self.directory.clone(),
            named => self.path(named),
        };
        let keys = format!("K*.key and K*.private in {}", keys.display());
        let policy =
            options.get("dnssec-policy").map(|it| (it.word(1).to_owned(), it.place.clone()));
        match policy.filter(|(name, _)| !matches!(name.as_str(), "none" | "")) {
            Some((name, place)) => {
                let name = self.signing(&name, &place);
                zone.signed_by(name, &place, &keys);
            }
            None => {
                let by_hand = find(options.own, "auto-dnssec").filter(|it| it.word(1) != "off");
                if let Some(option) = by_hand {
                    zone.signed_by("default".to_owned(), &option.place, &keys);
                }
            }
        }
    }

    /// The name of a policy of ours for one of named's.
    fn signing(&mut self, name: &str, place: &Place) -> String {
        let is_known = self.draft.signings.iter().any(|it| it.name == name);
        if name == "default" || is_known {
            return name.to_owned();
        }
        let text = if name == "insecure" {
            "dnssec-policy insecure: the zone is on its way to be unsigned: let that end first"
                .to_owned()
        } else {
            format!("there is no dnssec-policy \"{name}\"")
        };
        self.draft.note(place, text);
        "default".to_owned()
    }
}
