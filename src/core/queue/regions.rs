//! The regency's units by Kepmendagri code (*kode wilayah*) and the offices (SOTK), shipped as files.
//!
//! The slug of a unit is its name in lower case without spaces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::spreadsheet::{Kind, Sheet, bare};

/// The shipped list of units: `kode,jenis,nama`.
const REGIONS_CSV: &str = include_str!("data/wilayah-32.09.csv");
/// The shipped list of offices: `singkatan,nama,jenis`. The admin replaces it.
const OFFICES_CSV: &str = include_str!("data/perangkat-daerah.csv");

/// The shipped units, read once.
static SHIPPED: LazyLock<Regions> =
    LazyLock::new(|| Regions::parse(REGIONS_CSV).unwrap_or_default());

//------------ Regions -------------------------------------------------------

/// What a unit is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Level {
    /// A district.
    Kecamatan,
    /// An urban village.
    Kelurahan,
    /// A village.
    Desa,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Kecamatan, Self::Kelurahan, Self::Desa];

    /// Its word in the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kecamatan => "kecamatan",
            Self::Kelurahan => "kelurahan",
            Self::Desa => "desa",
        }
    }
}

/// One unit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unit {
    /// `32.09.22.2015`.
    pub code: String,
    /// What it is.
    pub level: Level,
    /// As written in the list.
    pub name: String,
    /// Lower case without spaces.
    pub slug: String,
}

impl Unit {
    /// The code of the district it lies in; a district's own.
    pub fn district(&self) -> &str {
        self.code.get(..8).unwrap_or(&self.code)
    }
}

/// All units of the regency.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Regions {
    /// By code.
    units: BTreeMap<String, Unit>,
    /// Slugs that several villages bear, urban ones included.
    doubled: BTreeSet<String>,
}

impl Regions {
    /// The list in the binary.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a `kode,jenis,nama` table.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        Ok(Self::of_rows(&rows(text, 3)?))
    }

    /// The units of such rows; a row of no unit is left out.
    pub fn of_rows(rows: &[Vec<String>]) -> Self {
        let mut units: BTreeMap<String, Unit> = BTreeMap::new();
        for row in rows {
            let [code, level, name] = row.as_slice() else { continue };
            let known = Level::ALL.into_iter().find(|known| known.as_str() == level);
            let Some(level) = known else { continue };
            let (code, name) = (code.clone(), name.clone());
            let slug = slug(&name);
            units.insert(code.clone(), Unit { code, level, name, slug });
        }
        let mut seen = BTreeSet::new();
        let villages = units.values().filter(|unit| unit.level != Level::Kecamatan);
        let doubled = villages
            .map(|unit| unit.slug.clone())
            .filter(|slug| !seen.insert(slug.clone()))
            .collect();
        Self { units, doubled }
    }

    /// All units in the order of their codes.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// All units of a level.
    pub fn of(&self, level: Level) -> impl Iterator<Item = &Unit> {
        self.units().filter(move |unit| unit.level == level)
    }

    /// The unit of a code.
    pub fn get(&self, code: &str) -> Option<&Unit> {
        self.units.get(code)
    }

    /// The district a unit lies in.
    pub fn district_of(&self, unit: &Unit) -> Option<&Unit> {
        self.get(unit.district())
    }

    /// The districts that have units of a level, by name; of districts, all.
    pub fn districts_with(&self, level: Level) -> Vec<&Unit> {
        let mut codes: Vec<&str> = self.of(level).map(Unit::district).collect();
        codes.dedup();
        let mut found: Vec<&Unit> = codes.into_iter().filter_map(|code| self.get(code)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The units of a level in a district, by name.
    pub fn units_in(&self, level: Level, district: &str) -> Vec<&Unit> {
        let mut found: Vec<&Unit> =
            self.of(level).filter(|unit| unit.district() == district).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Whether several villages, urban ones included, bear this slug.
    pub fn is_doubled(&self, slug: &str) -> bool {
        self.doubled.contains(slug)
    }
}

/// Lower case without spaces.
pub fn slug(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

//------------ Offices -------------------------------------------------------

/// One office of the regency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Office {
    /// The official short form, which is its name in the zone.
    pub short: String,
    /// The full name.
    pub name: String,
    /// What it is: a secretariat, a department, a body.
    pub kind: String,
}

/// Reads the offices in the binary.
pub fn shipped_offices() -> Vec<Office> {
    parse_offices(OFFICES_CSV).unwrap_or_default()
}

/// Reads a `singkatan,nama,jenis` table.
pub fn parse_offices(text: &str) -> Result<Vec<Office>, TableError> {
    Ok(offices_of(&rows(text, 3)?))
}

/// The offices of such rows.
pub fn offices_of(rows: &[Vec<String>]) -> Vec<Office> {
    let office = |row: &Vec<String>| match row.as_slice() {
        [short, name, kind] => {
            Some(Office { short: slug(short), name: name.clone(), kind: kind.clone() })
        }
        _ => None,
    };
    rows.iter().filter_map(office).collect()
}

/// The office meant by a full name or a short form.
pub fn find_office<'a>(offices: &'a [Office], text: &str) -> Option<&'a Office> {
    offices.iter().find(|office| same_office(&office.name, text) || office.short == slug(text))
}

/// Whether two office names mean the same office, whatever their case and spacing.
pub fn same_office(a: &str, b: &str) -> bool {
    !a.trim().is_empty() && folded(a) == folded(b)
}

/// An office's name without differences of case and spacing.
pub fn folded(office: &str) -> String {
    office.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

//------------ Tables --------------------------------------------------------

/// The rows below the heading, each with `width` fields, blanks trimmed.
pub(super) fn rows(text: &str, width: usize) -> Result<Vec<Vec<String>>, TableError> {
    let row = |(line, record): (u64, csv::StringRecord)| {
        if record.len() != width {
            return Err(TableError(format!("line {line}: {width} fields are needed")));
        }
        Ok(record.iter().map(|cell| bare(cell).to_owned()).collect())
    };
    Sheet::of(text).records(Kind::Headed).skip(1).map(row).collect()
}

/// A table that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the table cannot be read: {0}")]
pub struct TableError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        let regions = Regions::shipped();
        assert_eq!(regions.of(Level::Kecamatan).count(), 40);
        assert_eq!(regions.of(Level::Desa).count(), 412);
        assert_eq!(regions.of(Level::Kelurahan).count(), 12);
        assert_eq!(shipped_offices().len(), 32);
    }

    #[test]
    fn a_file_is_read_as_spreadsheets_write_it_and_a_fault_has_its_line() {
        let text =
            "\u{feff}sep=;\r\nsingkatan;nama;jenis\r\ndishub;Dinas Perhubungan, Cirebon;dinas\r\n";
        let offices = parse_offices(text).unwrap();
        assert_eq!(offices[0].name, "Dinas Perhubungan, Cirebon");
        let short = "singkatan,nama,jenis\r\n\r\na,b,dinas\r\nc,d\r\n";
        let error = parse_offices(short).unwrap_err().to_string();
        assert!(error.ends_with("line 4: 3 fields are needed"), "{error}");
    }

    #[test]
    fn nine_names_are_borne_by_nineteen_units() {
        let regions = Regions::shipped();
        let doubled: Vec<&Unit> = regions
            .units()
            .filter(|u| u.level != Level::Kecamatan && regions.is_doubled(&u.slug))
            .collect();
        assert_eq!(doubled.len(), 19);
        let mut names: Vec<&str> = doubled.iter().map(|u| u.slug.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let listed = [
            "babakan",
            "cempaka",
            "cisaat",
            "grogol",
            "karanganyar",
            "karangasem",
            "karangsari",
            "karangwangi",
            "panongan",
        ];
        assert_eq!(names, listed);
    }

    #[test]
    fn with_the_kecamatan_every_name_is_unique_and_short() {
        let regions = Regions::shipped();
        let mut full: Vec<String> = regions
            .units()
            .filter(|u| u.level != Level::Kecamatan)
            .map(|u| format!("{}{}", u.slug, regions.district_of(u).unwrap().slug))
            .collect();
        assert!(full.iter().all(|name| name.len() <= 29));
        let count = full.len();
        full.sort_unstable();
        full.dedup();
        assert_eq!((count, full.len()), (424, 424));
    }
}
