use super::*;
use crate::queue::{Kind, NamingClass, State};
use crate::store::requests::RequestRow;

/// A row that came in on 30 November 2026, 23.59 WIB.
fn row(number: &str, office: &str) -> RequestRow {
    RequestRow {
        number: number.to_owned(),
        state: State::Assigned,
        open: true,
        kind: Kind::New,
        class: NamingClass::Desa,
        office: office.to_owned(),
        due_ms: Some(1_796_060_000_000),
        submitted_ms: 1_796_057_940_000,
        changed_ms: 1_796_057_940_000,
        ..RequestRow::default()
    }
}

#[test]
fn a_month_begins_and_ends_at_midnight_in_wib() {
    let month: Month = "2026-11".parse().unwrap();
    let (from, to) = month.span().unwrap();
    // 2026-10-31T17:00:00Z and 2026-11-30T17:00:00Z.
    assert_eq!((from, to), (1_793_466_000_000, 1_796_058_000_000));
    assert!((from..to).contains(&row("a", "").submitted_ms));
    assert_eq!("2026-12".parse::<Month>().unwrap().to_string(), "2026-12");
    for bad in ["2026", "2026-13", "2026-1", "26-11", "2026-11-01"] {
        assert_eq!(bad.parse::<Month>(), Err(NotAMonth), "{bad}");
    }
}

#[test]
fn counts_late_ones_and_disarmed_cells() {
    let rows = [row("GPR-1", "Desa Grogol"), row("GPR-2", "=HYPERLINK(\"x\")")];
    let report = Report::from_rows("2026-11".parse().unwrap(), &rows, 1_796_060_000_001);
    assert_eq!(report.kinds, [Count { what: "new".to_owned(), count: 2 }]);
    assert_eq!(report.late, ["GPR-1", "GPR-2"]);
    let csv = report.csv().unwrap();
    assert!(csv.starts_with("\u{feff}nomor;jenis;"), "{csv}");
    assert!(csv.contains(";\"'=HYPERLINK(\"\"x\"\")\";"), "{csv}");
    assert!(csv.contains("30 November 2026 pukul 23.59 WIB"), "{csv}");
}
