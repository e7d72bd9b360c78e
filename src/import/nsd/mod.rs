//! nsd.conf(5) of NSD: patterns, keys, zones, and the list of zones that `nsd-control addzone` keeps.

mod scan;
mod zone;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::draft::{Budget, Draft, DraftZone};
use super::files::Sources;
use super::model::{Content, Tls};
use super::{Fault, Item, Place};
use scan::Section;

/// Where zone files are, if the settings do not say (as Debian builds NSD).
const ZONES_DIR: &str = "/etc/nsd";
/// Where the list of added zones is, if they do not say.
const ZONE_LIST: &str = "/var/lib/nsd/zone.list";
/// Patterns in patterns.
const DEPTH_MAX: usize = 32;
/// Attributes of a zone, including those of its patterns: a few patterns that name each other can expand to very many.
const ATTRIBUTES_MAX: usize = 100_000;

/// Reads the settings.
pub(super) fn read(path: &Path, sources: &mut Sources<'_>) -> Result<Draft, Fault> {
    let sections = scan::sections(path, sources)?;
    let mut reader = Reader {
        draft: Draft::default(),
        patterns: BTreeMap::new(),
        tls: BTreeMap::new(),
        zones_dir: ZONES_DIR.into(),
        is_tls_only: false,
        budget: Budget::default(),
    };
    let (mut zones, mut zone_list) = (Vec::new(), None);
    for section in sections {
        match section.kind.as_str() {
            "server" => reader.server(&section, &mut zone_list),
            "key" => reader.key(&section),
            "tls-auth" => reader.tls(&section),
            "pattern" => {
                let name = section.get("name").map(|it| it.value().to_owned()).unwrap_or_default();
                let mut attributes = section.attributes;
                attributes.retain(|it| it.name != "name");
                reader.patterns.insert(name, attributes.into());
            }
            "zone" => zones.push(section),
            kind => {
                let text =
                    format!("{kind}: is not taken over: gapura has settings of its own for it");
                reader.draft.note(&section.place, text);
            }
        }
    }
    for zone in zones {
        reader.zone(&zone);
    }
    let is_installed = path.starts_with("/etc/nsd");
    let list = zone_list.or_else(|| is_installed.then(|| PathBuf::from(ZONE_LIST)));
    if let Some(list) = list {
        reader.added(&list, path, sources)?;
    }
    Ok(reader.draft)
}

/// Reads sections.
struct Reader {
    /// What came of it.
    draft: Draft,
    /// The attributes of patterns by name.
    patterns: BTreeMap<String, Arc<[Item]>>,
    /// TLS by name; none where the server's certificate is not verified.
    tls: BTreeMap<String, Option<Tls>>,
    /// Where zone files are.
    zones_dir: PathBuf,
    /// Whether zones are transferred to TLS clients with a certificate alone.
    is_tls_only: bool,
    /// Attributes that were read, of all zones.
    budget: Budget,
}

impl Reader {
    /// `server:`
    fn server(&mut self, section: &Section, zone_list: &mut Option<PathBuf>) {
        for attribute in &section.attributes {
            let name = attribute.name.as_str();
            match name {
                "zonesdir" if !attribute.value().is_empty() => {
                    self.zones_dir = attribute.value().into();
                }
                "tls-auth-xfr-only" => self.is_tls_only = attribute.value() == "yes",
                "zonelistfile" => *zone_list = Some(attribute.value().into()),
                "ip-address" => {
                    let text = format!("NSD listens on {}: server.listen", attribute.values.join(" "));
                    self.draft.note(&attribute.place, text);
                }
                _ => self.draft.note(
                    &attribute.place,
                    format!(
                        "server: {name}: {} is not taken over: [server] of gapura's settings is written anew",
                        attribute.values.join(" ")
                    ),
                ),
            }
        }
    }

    /// `key:`
    fn key(&mut self, section: &Section) {
        let get = |name| section.get(name).map_or("", Item::value);
        self.draft.key(&section.place, get("name"), get("algorithm"), get("secret"));
    }

    /// `tls-auth:`
    fn tls(&mut self, section: &Section) {
        let get = |name| section.get(name).map_or("", Item::value);
        let tls = Tls {
            name: get("auth-domain-name").to_owned(),
            ca: PathBuf::new(),
            cert: get("client-cert").into(),
            key: get("client-key").into(),
        };
        let verified = (!tls.name.is_empty()).then_some(tls);
        self.tls.insert(get("name").to_owned(), verified);
    }

    //--- Zones

    /// `zone:`
    fn zone(&mut self, section: &Section) {
        let Some(name) = section.get("name") else {
            return self.draft.note(&section.place, "a zone without a name is left out");
        };
        let written = name.value().to_owned();
        self.spread_and_make(&written, &section.place, &section.attributes);
    }

    /// The zones of the list that `nsd-control` keeps: `add NAME PATTERN`.
    fn added(&mut self, list: &Path, conf: &Path, sources: &mut Sources<'_>) -> Result<(), Fault> {
        let from = Place::start(conf);
        let Ok(text) = sources.open(list, &from) else {
            let text = format!(
                "{} cannot be read: zones that `nsd-control addzone` has added are not taken over",
                list.display()
            );
            self.draft.note(&from, text);
            return Ok(());
        };
        sources.close();
        for (at, line) in text.lines().enumerate() {
            let place =
                Place { file: list.into(), line: u32::try_from(at + 1).unwrap_or(u32::MAX) };
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("add" | "cat"), Some(name), Some(pattern)) => {
                    let include = Item {
                        name: "include-pattern".to_owned(),
                        values: vec![pattern.to_owned()],
                        place: place.clone(),
                    };
                    self.spread_and_make(name, &place, &[include]);
                }
                (Some(first), ..) if !first.starts_with('#') && first != "del" => {
                    self.draft.note(&place, format!("\"{first}\" is no line of a zone"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes a zone of its attributes and those of its patterns. A zone with too many is left out: an unread attribute
    /// may restrict it.
    fn spread_and_make(&mut self, written: &str, place: &Place, own: &[Item]) {
        let (mut read, mut attributes) = (0, Vec::new());
        self.spread(own, (0, &mut read), &mut attributes);
        if read < ATTRIBUTES_MAX {
            return self.make(written, place, &attributes);
        }
        self.draft.note(place, format!("zone {written} is left out: it has too many attributes"));
    }

    /// Expands the names of patterns.
    fn spread(
        &mut self,
        attributes: &[Item],
        (depth, read): (usize, &mut usize),
        all: &mut Vec<Item>,
    ) {
        for attribute in attributes {
            if *read >= ATTRIBUTES_MAX || !self.budget.takes(1) {
                return;
            }
            *read += 1;
            if attribute.name != "include-pattern" {
                all.push(attribute.clone());
                continue;
            }
            match self.patterns.get(attribute.value()).filter(|_| depth < DEPTH_MAX) {
                Some(pattern) => {
                    let inside = Arc::clone(pattern);
                    self.spread(&inside, (depth + 1, read), all);
                }
                None => {
                    let text = format!("there is no pattern \"{}\"", attribute.value());
                    self.draft.note(&attribute.place, text);
                }
            }
        }
    }

    /// Makes a zone of its attributes.
    fn make(&mut self, written: &str, place: &Place, attributes: &[Item]) {
        let Some(name) = self.draft.name(place, written) else { return };
        let last = |name: &str| attributes.iter().rev().find(|it| it.name == name);
        let catalog = last("catalog").map_or("", Item::value);
        let is_secondary = attributes.iter().any(|it| it.name == "request-xfr");
        let content = if is_secondary {
            Content::Primaries { remotes: Vec::new(), consume: catalog == "consumer" }
        } else if catalog == "producer" {
            Content::Catalog
        } else {
            let Some(file) = last("zonefile").filter(|it| !it.value().is_empty()) else {
                return self
                    .draft
                    .note(place, format!("zone {name} is left out: it has no zonefile"));
            };
            let path = self.zones_dir.join(file_of(file.value(), written));
            Content::File { path, base: self.zones_dir.clone() }
        };
        let mut zone = DraftZone::new(name, content, place);
        for attribute in attributes {
            self.attribute(attribute, &mut zone);
        }
        self.unblocked(attributes, &mut zone);
        Self::asking(attributes, &mut zone);
        self.draft.push(zone, &self.budget);
    }
}

/// A path of a zone file with its marks filled in (nsd.conf(5), zonefile).
fn file_of(pattern: &str, zone: &str) -> String {
    let bare = zone.strip_suffix('.').unwrap_or(zone);
    let labels: Vec<&str> = bare.rsplit('.').collect();
    let sign = |at: usize| bare.chars().nth(at).map_or_else(|| ".".to_owned(), String::from);
    let label = |at: usize| labels.get(at).map_or_else(|| ".".to_owned(), |it| (*it).to_owned());
    let (mut path, mut signs) = (String::new(), pattern.chars());
    while let Some(next) = signs.next() {
        if next != '%' {
            path.push(next);
            continue;
        }
        match signs.next() {
            Some('s') => path.push_str(zone),
            Some('1') => path.push_str(&sign(0)),
            Some('2') => path.push_str(&sign(1)),
            Some('3') => path.push_str(&sign(2)),
            Some('z') => path.push_str(&label(0)),
            Some('y') => path.push_str(&label(1)),
            Some('x') => path.push_str(&label(2)),
            Some(other) => path.extend(['%', other]),
            None => path.push('%'),
        }
    }
    path
}
