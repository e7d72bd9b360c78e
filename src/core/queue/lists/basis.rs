//! Tables as the rules work with them, and back; and what the rules say of a name by them.

use super::super::application::{Application, Kind};
use super::super::calendar::{Calendar, DAYS, Hours, spans_text};
use super::super::fault::{Fault, Rule};
use super::super::naming::Naming;
use super::super::records::ParsedRecord;
use super::super::regions::{Regions, offices_of};
use super::super::reserved::Reserved;
use super::super::targets::Targets;
use super::{List, Table};

/// What all lists say together.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    /// Hours, other hours, holidays.
    pub calendar: Calendar,
    /// Offices, regions, spellings, reserved names.
    pub naming: Naming,
    /// Suffixes and networks.
    pub targets: Targets,
    /// Where sites may be hosted: name and target.
    pub hostings: Vec<(String, String)>,
    /// The lines of the office's identity.
    pub identity: Vec<(String, String)>,
}

impl Basis {
    /// A list as a table.
    pub fn table(&self, list: List) -> Table {
        let pair = |(one, other): &(String, String)| vec![one.clone(), other.clone()];
        match list {
            List::Identity => Table::of(list, self.identity.iter().map(pair)),
            List::Hostings => Table::of(list, self.hostings.iter().map(pair)),
            List::Hours => {
                let days = DAYS.iter().zip(self.calendar.week().days());
                Table::of(list, days.map(|(day, it)| vec![(*day).to_owned(), spans_text(it)]))
            }
            List::OtherHours => Table::of(list, self.calendar.other_hours()),
            List::Holidays => Table::of(list, self.calendar.holidays()),
            List::Offices => Table::of(
                list,
                self.naming
                    .offices
                    .iter()
                    .map(|it| vec![it.short.clone(), it.name.clone(), it.kind.clone()]),
            ),
            List::Regions => Table::of(
                list,
                self.naming
                    .regions
                    .units()
                    .map(|it| vec![it.code.clone(), it.level.as_str().to_owned(), it.name.clone()]),
            ),
            List::Spellings => {
                let pairs = self.naming.aliases.iter();
                Table::of(list, pairs.map(|(one, other)| vec![one.clone(), other.clone()]))
            }
            List::Reserved => Table::of(
                list,
                self.naming
                    .reserved
                    .entries()
                    .map(|it| vec![it.pattern.clone(), it.office.clone(), it.why.clone()]),
            ),
            List::Hijackable => {
                Table::of(list, self.targets.hijackable.iter().map(|it| vec![it.clone()]))
            }
            List::Indonesia => {
                let networks = self.targets.indonesia.iter().flatten();
                Table::of(list, networks.map(|it| vec![it.to_string()]))
            }
        }
    }

    /// The same with a list as this table says.
    pub fn with(mut self, table: &Table) -> Self {
        let pairs = || table.rows().iter().filter_map(|row| Some((row.first()?, row.get(1)?)));
        let owned = || pairs().map(|(one, other)| (one.clone(), other.clone()));
        match table.list {
            List::Identity => {
                // One that an older version wrote does not have the lines of this one.
                for (key, value) in owned() {
                    match self.identity.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, known)) => *known = value,
                        None => self.identity.push((key, value)),
                    }
                }
            }
            List::Hostings => self.hostings = owned().collect(),
            List::Hours => {
                self.calendar.set_week(Hours::of_days(
                    DAYS.map(|day| table.cell(day, 1).to_owned()).iter().map(String::as_str),
                ));
            }
            List::OtherHours => self.calendar.set_other_hours(table.rows()),
            List::Holidays => self.calendar.set_holidays(table.rows()),
            List::Offices => self.naming.offices = offices_of(table.rows()),
            List::Regions => self.naming.regions = Regions::of_rows(table.rows()),
            List::Spellings => self.naming.aliases = owned().collect(),
            List::Reserved => self.naming.reserved = Reserved::of_rows(table.rows()),
            List::Hijackable => {
                self.targets.hijackable = pairs_of_one(table).map(str::to_owned).collect();
            }
            List::Indonesia => {
                let networks: Vec<_> =
                    pairs_of_one(table).filter_map(|text| text.parse().ok()).collect();
                self.targets.indonesia = (!networks.is_empty()).then_some(networks);
            }
        }
        self
    }

    /// A line of the office's identity.
    pub fn identity(&self, key: &str) -> &str {
        self.identity.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value)
    }
}

/// The cells of a list of one column.
fn pairs_of_one(table: &Table) -> impl Iterator<Item = &str> {
    table.rows().iter().filter_map(|row| row.first().map(String::as_str))
}

/// Everything the lists have to say against a name and its records. What two bases say of the same name
/// tells whether a change of a list touches it.
pub fn judge(
    application: &Application,
    records: &[&ParsedRecord],
    basis: (&Naming, &Targets),
) -> Vec<Fault> {
    let (naming, targets) = basis;
    let mut faults = Vec::new();
    if application.kind == Kind::New {
        faults.extend(naming.check_doubled(application));
        faults.extend(naming.check_pattern(application));
        faults.extend(naming.check_listed(application));
        let entry = naming.reserved.find(&application.name, &application.office);
        faults.extend(entry.map(|it| Fault::new("name", Rule::ReservedName, &it.pattern)));
    }
    for record in records {
        for target in record.targets() {
            let target = target.to_string();
            let suffix = targets.claimable_suffix(&target);
            faults.extend(suffix.map(|_| Fault::new("records", Rule::HijackableTarget, &target)));
        }
        for address in record.addresses() {
            if targets.special(address).is_none() && targets.is_domestic(address) == Some(false) {
                let address = address.to_string();
                faults.push(Fault::new("records", Rule::AbroadAddress, address));
            }
        }
    }
    // Suggestions move with every list, and say nothing of this name.
    for fault in &mut faults {
        if matches!(fault.rule, Rule::ClassPattern | Rule::NotInList | Rule::DoubledName) {
            fault.about.clear();
        }
    }
    faults
}
