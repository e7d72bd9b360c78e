//! Which name a unit may have (docs/procedure.md, Names): the pattern of each class, the lists
//! behind it, suggestions.

use std::collections::BTreeMap;

use super::application::{Application, NamingClass};
use super::fault::{Fault, Rule};
use super::labels::core;
use super::regions::{Level, Office, Regions, Unit, find_office, shipped_offices, slug};
use super::reserved::Reserved;

/// Front of a district's label.
const DISTRICT: &str = "kec-";
/// Front of an urban village's label.
const URBAN: &str = "kel-";
/// Branch of the villages.
const VILLAGES: &str = ".desa";
/// Branch of the civil organisations.
const COMMUNITIES: &str = ".komunitas";

//------------ Naming --------------------------------------------------------

/// The naming rules in force (`naming.*`).
#[derive(Clone, Debug)]
pub struct Naming {
    /// Villages and districts.
    pub regions: Regions,
    /// Offices.
    pub offices: Vec<Office>,
    /// Other spellings in use: `kepetakan = kapetakan`. Both are accepted, none is corrected.
    pub aliases: BTreeMap<String, String>,
    /// Reserved names.
    pub reserved: Reserved,
    /// `naming.min_length`.
    pub min_length: usize,
    /// `naming.ormas`: whether civil organisations are served.
    pub ormas: bool,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            regions: Regions::shipped().clone(),
            offices: shipped_offices(),
            aliases: BTreeMap::from([("kepetakan".to_owned(), "kapetakan".to_owned())]),
            reserved: Reserved::shipped(),
            min_length: 3,
            ormas: true,
        }
    }
}

impl Naming {
    /// A1: whether the name has the pattern of its class. Whether it stands in the list is A5.
    pub fn check_pattern(&self, application: &Application) -> Vec<Fault> {
        let name = core(&application.name);
        let bare = !name.contains('.');
        let looks_official = name.starts_with(DISTRICT)
            || name.starts_with(URBAN)
            || name.ends_with(VILLAGES)
            || name.ends_with(COMMUNITIES);
        let fits = match application.class {
            NamingClass::PerangkatDaerah => bare && !looks_official,
            NamingClass::Kecamatan => bare && name.starts_with(DISTRICT),
            NamingClass::Kelurahan => bare && name.starts_with(URBAN),
            NamingClass::Desa => one_below(name, VILLAGES),
            NamingClass::Ormas => one_below(name, COMMUNITIES),
            // Below an office's or a village's own name is its parent's matter (A9).
            NamingClass::Layanan | NamingClass::Uptd | NamingClass::Kegiatan => {
                !(looks_official && name.matches('.').count() <= 1)
            }
        };
        if application.class == NamingClass::Ormas && !self.ormas {
            return vec![Fault::new("class", Rule::ClassOff, "naming.ormas")];
        }
        if fits {
            Vec::new()
        } else {
            vec![Fault::new("name", Rule::ClassPattern, self.pattern(application))]
        }
    }

    /// The bare form of a doubled village name goes to nobody.
    pub fn check_doubled(&self, application: &Application) -> Option<Fault> {
        if application.class != NamingClass::Desa {
            return None;
        }
        let stem = core(&application.name).strip_suffix(VILLAGES)?;
        if !self.regions.is_doubled(stem) {
            return None;
        }
        Some(Fault::new("name", Rule::DoubledName, self.suggest(application).join(", ")))
    }

    /// A5: whether the name stands in the list of units or offices.
    pub fn check_listed(&self, application: &Application) -> Vec<Fault> {
        let name = core(&application.name);
        let mut faults = Vec::new();
        let level = match application.class {
            NamingClass::PerangkatDaerah => {
                if !self.offices.iter().any(|office| office.short == name) {
                    faults.push(Fault::new(
                        "name",
                        Rule::NotInList,
                        self.suggest(application).join(", "),
                    ));
                }
                return faults;
            }
            NamingClass::Kecamatan => Level::Kecamatan,
            NamingClass::Kelurahan => Level::Kelurahan,
            NamingClass::Desa => Level::Desa,
            _ => return faults,
        };
        let units: Vec<&Unit> = self
            .regions
            .of(level)
            .filter(|unit| self.names_of(unit).iter().any(|n| n == name))
            .collect();
        let region = application.region.as_deref().map(str::trim).filter(|code| !code.is_empty());
        match (units.first(), region) {
            (None, _) => {
                faults.push(Fault::new(
                    "name",
                    Rule::NotInList,
                    self.suggest(application).join(", "),
                ));
            }
            (Some(_), Some(code)) if self.regions.get(code).is_none() => {
                faults.push(Fault::new("region", Rule::UnknownRegion, code));
            }
            (Some(unit), Some(code)) if !units.iter().any(|unit| unit.code == code) => {
                faults.push(Fault::new("region", Rule::RegionDiffers, &unit.code));
            }
            _ => {}
        }
        faults
    }

    /// The unit a name belongs to, for storing its code.
    pub fn unit_of(&self, application: &Application) -> Option<&Unit> {
        let level = match application.class {
            NamingClass::Kecamatan => Level::Kecamatan,
            NamingClass::Kelurahan => Level::Kelurahan,
            NamingClass::Desa => Level::Desa,
            _ => return None,
        };
        let name = core(&application.name);
        self.regions.of(level).find(|unit| self.names_of(unit).iter().any(|n| n == name))
    }

    /// The names a unit may have, the spelling of the list first.
    pub fn names_of(&self, unit: &Unit) -> Vec<String> {
        match unit.level {
            Level::Kecamatan => {
                self.spellings(&unit.slug).map(|slug| format!("{DISTRICT}{slug}")).collect()
            }
            Level::Kelurahan => vec![format!("{URBAN}{}", unit.slug)],
            Level::Desa if self.regions.is_doubled(&unit.slug) => {
                let district = self.regions.district_of(unit).map_or("", |d| &d.slug);
                let name = |district| format!("{}{district}{VILLAGES}", unit.slug);
                self.spellings(district).map(name).collect()
            }
            Level::Desa => {
                self.spellings(&unit.slug).map(|slug| format!("{slug}{VILLAGES}")).collect()
            }
        }
    }

    /// A slug and its other spelling in use.
    fn spellings<'a>(&'a self, slug: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(slug).chain(self.aliases.get(slug).map(String::as_str))
    }

    /// Names that would fit the office, the region code, or the stem that was typed.
    pub fn suggest(&self, application: &Application) -> Vec<String> {
        let level = match application.class {
            NamingClass::PerangkatDaerah => {
                let office = find_office(&self.offices, &application.office);
                return office.map(|office| office.short.clone()).into_iter().collect();
            }
            NamingClass::Ormas => {
                let stem = core(&application.name).split('.').next().unwrap_or("");
                return vec![format!("{stem}{COMMUNITIES}")];
            }
            NamingClass::Kecamatan => Level::Kecamatan,
            NamingClass::Kelurahan => Level::Kelurahan,
            NamingClass::Desa => Level::Desa,
            NamingClass::Layanan | NamingClass::Uptd | NamingClass::Kegiatan => return Vec::new(),
        };
        if let Some(unit) =
            application.region.as_deref().and_then(|code| self.regions.get(code.trim()))
            && unit.level == level
        {
            return self.names_of(unit);
        }
        let typed = core(&application.name).split('.').next().unwrap_or("");
        let typed =
            typed.strip_prefix(DISTRICT).or_else(|| typed.strip_prefix(URBAN)).unwrap_or(typed);
        let words = ["desa ", "kelurahan ", "kecamatan ", "pemerintah desa "];
        let office = application.office.trim().to_lowercase();
        let office = words.iter().find_map(|w| office.strip_prefix(w)).unwrap_or(&office);
        let stems = [typed.to_owned(), slug(office)];
        let meant = |unit: &&Unit| stems.contains(&unit.slug);
        self.regions.of(level).filter(meant).flat_map(|unit| self.names_of(unit)).collect()
    }

    /// What was typed as a name of a class, with the branch or front that the class has: `Grogol` is
    /// `grogol.desa`. Whatever has a dot is complete already.
    pub fn complete(&self, class: NamingClass, typed: &str) -> String {
        let typed = typed.trim();
        if typed.is_empty() || typed.contains(['.', '/', ':', '@', '*', '_']) {
            return typed.to_owned();
        }
        let stem = slug(typed);
        let fronted = |front: &str| match stem.strip_prefix(front) {
            Some(_) => stem.clone(),
            None => format!("{front}{stem}"),
        };
        match class {
            NamingClass::Desa => format!("{stem}{VILLAGES}"),
            NamingClass::Ormas => format!("{stem}{COMMUNITIES}"),
            NamingClass::Kecamatan => fronted(DISTRICT),
            NamingClass::Kelurahan => fronted(URBAN),
            NamingClass::PerangkatDaerah
            | NamingClass::Layanan
            | NamingClass::Uptd
            | NamingClass::Kegiatan => typed.to_owned(),
        }
    }

    /// The pattern of a class, with suggestions, for the reader.
    fn pattern(&self, application: &Application) -> String {
        let pattern = match application.class {
            NamingClass::PerangkatDaerah => "SINGKATAN",
            NamingClass::Kecamatan => "kec-NAMA",
            NamingClass::Kelurahan => "kel-NAMA",
            NamingClass::Desa => "NAMA.desa",
            NamingClass::Ormas => "NAMA.komunitas",
            NamingClass::Layanan | NamingClass::Uptd | NamingClass::Kegiatan => "NAMA",
        };
        match self.suggest(application).first() {
            Some(name) => format!("{pattern} ({name})"),
            None => pattern.to_owned(),
        }
    }

    /// The labels of the lists a new name is compared with, with whom they belong to.
    pub(super) fn listed_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let units = self.regions.units().map(|unit| (unit.slug.as_str(), unit.name.as_str()));
        let offices =
            self.offices.iter().map(|office| (office.short.as_str(), office.name.as_str()));
        units.chain(offices)
    }
}

/// Exactly one label before `branch`.
fn one_below(name: &str, branch: &str) -> bool {
    name.strip_suffix(branch).is_some_and(|stem| !stem.is_empty() && !stem.contains('.'))
}

/// The label that distinguishes a name from others: the first that is no wildcard or service label,
/// without the front of a district or urban village.
pub(super) fn telling_label(name: &str) -> &str {
    let label = core(name).split('.').next().unwrap_or("");
    label.strip_prefix(DISTRICT).or_else(|| label.strip_prefix(URBAN)).unwrap_or(label)
}
