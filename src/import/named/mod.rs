//! named.conf of BIND: options, access lists, lists of servers, keys, views, zones, policies.

mod lists;
mod policy;
mod scan;
mod update;
mod zone;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Fault;
use super::address::nets;
use super::draft::{Draft, DraftZone};
use super::files::Sources;
use super::model::Tls;
use crate::wire::Name;
use lists::Lists;
use scan::{Statement, find};

/// Statements that do not concern zones, and what gapura has in their place.
const TOLD: &[(&str, &str)] = &[
    ("logging", "gapura logs to standard error, [query_log] and [dnstap]"),
    ("controls", "`gapura ctl` speaks over a socket in the state directory"),
    ("statistics-channels", "[metrics]"),
    ("trust-anchors", "gapura does not resolve"),
    ("trusted-keys", "gapura does not resolve"),
    ("managed-keys", "gapura does not resolve"),
    ("parental-agents", "gapura asks the parent's servers itself, or those of signing.parents"),
    ("http", "gapura has no DNS over HTTPS"),
    ("dlz", "gapura has no zones in databases"),
    ("dyndb", "gapura has no zones in databases"),
    ("plugin", "gapura has no plugins"),
];

/// Options that a zone inherits if it has none of its own.
const INHERITED: [&str; 13] = [
    "also-notify",
    "allow-transfer",
    "allow-update",
    "notify",
    "dnssec-policy",
    "inline-signing",
    "masterfile-format",
    "key-directory",
    "serial-update-method",
    "allow-query",
    "allow-query-on",
    "match-clients",
    "match-destinations",
];

/// Reads the settings.
pub(super) fn read(path: &Path, sources: &mut Sources<'_>) -> Result<Draft, Fault> {
    let (statements, directory) = scan::statements(path, sources)?;
    let mut reader = Reader { draft: Draft::default(), lists: Lists::default(), directory };
    reader.names(&statements);
    let none = Vec::new();
    let options = find(&statements, "options").map_or(none.as_slice(), Statement::block);
    reader.options(options);
    let views: Vec<&Statement> = statements.iter().filter(|it| it.name() == "view").collect();
    let zones = statements.iter().filter(|it| it.name() == "zone");
    for zone in zones {
        reader.zone(zone, &[options]);
    }
    reader.views(&views, options);
    Ok(reader.draft)
}

/// Reads statements.
struct Reader {
    /// What came of it.
    draft: Draft,
    /// Named lists, keys and servers.
    lists: Lists,
    /// Where relative paths begin.
    directory: PathBuf,
}

impl Reader {
    /// Collects definitions that are referred to by name, from the top level or from a view.
    fn names(&mut self, statements: &[Statement]) {
        // Names first: a list may refer to a later one.
        for statement in statements {
            let (name, block) = (statement.word(1), statement.block());
            match statement.name() {
                "acl" => drop(self.lists.acls.insert(name.to_ascii_lowercase(), block.to_vec())),
                "primaries" | "masters" | "remote-servers" => {
                    self.lists.servers.insert(name.to_ascii_lowercase(), statement.clone());
                }
                "key" => {
                    let get = |what| find(block, what).map_or("", |it| it.word(1));
                    self.draft.key(&statement.place, name, get("algorithm"), get("secret"));
                }
                "tls" => drop(self.lists.tls.insert(name.to_owned(), tls(block))),
                "server" => {
                    let key = find(block, "keys").map(|it| match it.word(1) {
                        "" => it.block().first().map_or("", |it| it.name()),
                        word => word,
                    });
                    if let (Some(nets), Some(key)) = (nets(name), key) {
                        self.lists.keys.extend(nets.into_iter().map(|net| (net, key.to_owned())));
                    }
                }
                "dnssec-policy" if !block.is_empty() => {
                    let signing = policy::policy(statement, &mut self.draft);
                    self.draft.signings.push(signing);
                }
                "zone" | "view" | "options" | "dnssec-policy" => {}
                other => {
                    let why = TOLD.iter().find(|told| told.0 == other);
                    if let Some((_, why)) = why {
                        self.draft
                            .note(&statement.place, format!("{other}: is not taken over: {why}"));
                    }
                }
            }
        }
    }

    /// The options: those for zones are read with the zones, the others become notes.
    fn options(&mut self, options: &[Statement]) {
        for option in options {
            let name = option.name();
            let said = match name {
                "directory" => continue,
                "listen-on" | "listen-on-v6" => {
                    format!("{}: name the addresses in server.listen", option.text())
                }
                "catalog-zones" => continue,
                "allow-query" => "allow-query: gapura's list is server.allow_query".to_owned(),
                "recursion" | "forwarders" | "forward" | "allow-recursion"
                | "dnssec-validation" | "allow-query-cache" => {
                    format!("{}: is not taken over: gapura does not resolve", option.text())
                }
                "response-policy" => {
                    "response-policy: is not taken over: gapura does not resolve".to_owned()
                }
                name if INHERITED.contains(&name) => continue,
                _ => format!(
                    "options: {} is not taken over: [server] of gapura's settings is written anew",
                    option.text()
                ),
            };
            self.draft.note(&option.place, said);
        }
    }

    /// Views: gapura answers everybody alike. A zone that is in several views is taken from the one for everybody.
    fn views(&mut self, views: &[&Statement], options: &[Statement]) {
        let is_for_all = |view: &Statement| {
            find(view.block(), "match-clients").is_none_or(|it| self.lists.is_for_all(it))
        };
        let mut ordered: Vec<&&Statement> = views.iter().collect();
        // Stable: the first of several views for everybody.
        ordered.sort_by_key(|view| !is_for_all(view));
        let mut taken: BTreeMap<Name, String> = BTreeMap::new();
        for view in ordered {
            let (name, block) = (view.word(1).to_owned(), view.block());
            let text = format!(
                "view {name}: gapura answers every client alike. Zones for some clients only are for a second \
                 instance of gapura, on an address of its own"
            );
            self.draft.note(&view.place, text);
            self.names(block);
            for zone in block.iter().filter(|it| it.name() == "zone") {
                let apex = zone.word(1).parse::<Name>().map(|it| it.as_ref().to_lowercase());
                let Ok(apex) = apex else { continue };
                if let Some(other) = taken.get(&apex) {
                    let text = format!(
                        "zone {apex} of view {name} is left out: it is taken from view {other}"
                    );
                    self.draft.note(&zone.place, text);
                    continue;
                }
                taken.insert(apex, name.clone());
                self.zone(zone, &[block, options]);
            }
        }
    }

    /// A path of the settings.
    fn path(&self, text: &str) -> PathBuf {
        self.directory.join(text)
    }

    /// Notes all options of a block that are not in the list of known ones.
    fn left_over(&mut self, block: &[Statement], seen: &[&str], zone: &mut DraftZone) {
        for option in block.iter().filter(|it| !seen.contains(&it.name())) {
            let text = format!(
                "{} is not taken over: gapura has nothing like it for one zone",
                option.text()
            );
            zone.note(&option.place, text);
        }
    }
}

/// `tls NAME { … }`: TLS parameters of a server; `None` if its certificate is not verified by a name.
fn tls(block: &[Statement]) -> Option<Tls> {
    let get = |what: &str| find(block, what).map_or("", |it| it.word(1)).to_owned();
    let name = get("remote-hostname");
    let (ca, cert, key) = (get("ca-file").into(), get("cert-file").into(), get("key-file").into());
    (!name.is_empty()).then_some(Tls { name, ca, cert, key })
}
