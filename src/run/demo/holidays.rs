//! The holidays of a demonstration that have the same date every year, entered by its administrator as on the page. Only
//! future days: the past was played with the calendar as it was.

use anyhow::anyhow;

use crate::desk::Desk;
use crate::queue::Actor;
use crate::queue::lists::{List, Table};
use crate::queue::time::{date_text, day_of, year_of};

/// Month and day, and name.
const FIXED: &str = include_str!("holidays.txt");
/// Where they are written.
const SOURCE: &str = "Contoh untuk peragaan";

/// Enters them.
pub(super) fn enter(desk: &Desk, admin: &Actor) -> anyhow::Result<()> {
    let now = desk.now();
    let today = date_text(day_of(now)).unwrap_or_default();
    let mut text = String::new();
    for year in [year_of(now), year_of(now) + 1] {
        for (day, name) in FIXED.lines().filter_map(|line| line.split_once(',')) {
            let date = format!("{year}-{day}");
            if date > today {
                text.push_str(&format!("{date},{name},{SOURCE}\n"));
            }
        }
    }
    let table = Table::read(List::Holidays, &text, "")
        .map_err(|faults| anyhow!("holidays of the demonstration: {faults:?}"))?;
    let id = "holidays";
    desk.propose_list(id, List::Holidays, Some(&table), admin)?;
    desk.apply_list(id, (SOURCE, false), admin)?;
    Ok(())
}
