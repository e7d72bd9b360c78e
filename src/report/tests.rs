use super::*;
use crate::queue::{Kind, NamingClass, State};

/// A request that came in on 30 November 2026, 23.59 WIB.
fn line(number: &str, office: &str) -> Line {
    Line {
        number: number.to_owned(),
        kind: Kind::New,
        class: NamingClass::Desa,
        name: "grogol.desa.cirebonkab.go.id".to_owned(),
        office: office.to_owned(),
        state: State::Assigned,
        submitted: Moment(1_796_057_940_000),
        finished: None,
        steps: Vec::new(),
        late: false,
    }
}

/// A report of these requests.
fn report(requests: Vec<Line>) -> Report {
    Report {
        month: "2026-11".to_owned(),
        as_of: Moment(1_796_058_000_000),
        is_over: true,
        closed: None,
        total: requests.len(),
        finished: 0,
        open: requests.len(),
        kinds: vec![Count { what: "new".to_owned(), count: requests.len() }],
        classes: Vec::new(),
        results: Vec::new(),
        states: Vec::new(),
        steps: Vec::new(),
        late: Vec::new(),
        late_by_holder: Vec::new(),
        live: Vec::new(),
        requests,
    }
}

#[test]
fn a_month_begins_and_ends_at_midnight_in_wib() {
    let month: Month = "2026-11".parse().unwrap();
    let (from, to) = month.span().unwrap();
    // 2026-10-31T17:00:00Z and 2026-11-30T17:00:00Z.
    assert_eq!((from, to), (1_793_466_000_000, 1_796_058_000_000));
    assert_eq!((Month::of(from), Month::of(to - 1)), (Some(month), Some(month)));
    assert_eq!((Month::of(from - 1), Month::of(to)), (Some(month.previous()), Some(month.next())));
    assert_eq!("2026-12".parse::<Month>().unwrap().next().to_string(), "2027-01");
    assert_eq!("2026-01".parse::<Month>().unwrap().previous().to_string(), "2025-12");
    for bad in ["2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+026-11", "2026-+1"]
    {
        assert_eq!(bad.parse::<Month>(), Err(NotAMonth), "{bad}");
    }
}

#[test]
fn no_cell_of_the_list_is_a_formula() {
    let report = report(vec![line("GPR-1", "Desa Grogol"), line("GPR-2", "=HYPERLINK(\"x\")")]);
    let csv = report.csv().unwrap();
    assert!(csv.starts_with("\u{feff}Nomor;Jenis;"), "{csv}");
    assert!(csv.contains(";\"'=HYPERLINK(\"\"x\"\")\";"), "{csv}");
    assert!(csv.contains(";2026-11-30 23:59;"), "{csv}");
}

/// Reads a workbook with Python's own readers of ZIP and XML, and prints its cells.
const READER: &str = r##"
import sys, zipfile, xml.etree.ElementTree as E
M = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for name in z.namelist():
    E.fromstring(z.read(name))
for sheet in E.fromstring(z.read("xl/workbook.xml")).iter(M + "sheet"):
    print("#", sheet.get("name"))
    root = E.fromstring(z.read("xl/worksheets/sheet%s.xml" % sheet.get("sheetId")))
    assert root.find(M + "sheetData").find(".//" + M + "f") is None
    for row in root.iter(M + "row"):
        print("|".join((c.find(".//" + M + "t") if c.get("t") else c.find(M + "v")).text or "" for c in row.iter(M + "c")))
"##;

#[test]
fn a_workbook_is_read_back_by_others() {
    let odd = "=1+1 <b>\u{1}&\u{fffe} \u{1f3db} \"x\"";
    let report = report(vec![line("GPR-1", odd)]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.xlsx");
    std::fs::write(&file, report.xlsx().unwrap()).unwrap();
    let read = std::process::Command::new("python3").arg("-c").arg(READER).arg(&file).output();
    let Ok(read) = read else { return crate::skipped::skipped("there is no python3") };
    let text = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let sheets: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert_eq!(sheets, ["Ringkasan", "Permohonan", "Terlambat", "Nama tayang"]);
    // 30 November 2026, 23.59 in days since 1900, as spreadsheets count.
    let day: f64 = text
        .lines()
        .find(|line| line.starts_with("GPR-1|"))
        .unwrap()
        .split('|')
        .nth(6)
        .unwrap()
        .parse()
        .unwrap();
    assert!((day - (46_356.0 + 1439.0 / 1440.0)).abs() < 1e-6, "{day}");
    assert!(text.contains("|=1+1 <b>& \u{1f3db} \"x\"|"), "{text}");
}
