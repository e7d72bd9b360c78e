//! What reads as a list, what does not, and what differs.

use super::*;
use crate::queue::fault::Rule;

/// A table of what must read.
#[track_caller]
fn read(list: List, text: &str) -> Table {
    Table::read(list, text, "").unwrap()
}

/// The rules that a text breaks, with their lines.
#[track_caller]
fn broken(list: List, text: &str) -> Vec<(u64, Rule)> {
    let faults = Table::read(list, text, "").unwrap_err();
    faults.into_iter().map(|it| (it.line, it.fault.rule)).collect()
}

#[test]
fn every_list_reads_back_as_it_is_written() {
    let identity = IDENTITY.map(|(key, _)| (key.to_owned(), "a4".to_owned())).to_vec();
    let mut shipped = Basis { identity, ..Basis::default() };
    for (key, value) in &mut shipped.identity {
        match key.as_str() {
            "email" => "a@example.id".clone_into(value),
            "website" => "https://example.id".clone_into(value),
            _ => {}
        }
    }
    shipped.hostings = vec![("Hosting, \"desa\"".to_owned(), "192.0.2.80".to_owned())];
    shipped.calendar.add_holiday("2026-12-25", "Natal", "SKB").unwrap();
    let ramadan = crate::queue::Hours::parse("Mon-Thu 08:00-15:00; Fri 08:00-15:30").unwrap();
    shipped.calendar.add_override("2027-02-08", "2027-03-09", ramadan).unwrap();
    let basis = shipped.clone().with(&read(
        List::OtherHours,
        "2027-02-08,2027-03-09,Ramadan,\"Mon-Thu 08:00-15:00; Fri 08:00-15:30\"\n",
    ));
    for list in List::ALL {
        let table = basis.table(list);
        let text = table.text();
        let again =
            Table::read(list, &text, "").unwrap_or_else(|faults| panic!("{list}: {faults:?}"));
        assert_eq!(again, table, "{list}");
        let other = Basis::default().with(&again);
        assert_eq!(other.table(list).sha256(), table.sha256(), "{list}");
        assert!(list == List::Indonesia || !table.rows().is_empty(), "{list}");
    }
}

#[test]
fn what_spreadsheets_write_and_people_paste_is_read() {
    let canonical = read(
        List::Holidays,
        "date,name,source\n2027-01-01,Tahun Baru,SKB\n2027-08-17,Kemerdekaan,SKB\n",
    );
    for text in [
        "\u{feff}date;name;source\r\n17/08/2027;Kemerdekaan;SKB\r\n1/1/2027;Tahun Baru;SKB\r\n",
        "# dari SKB\n01-01-2027\tTahun Baru\tSKB\n17-08-2027\tKemerdekaan\tSKB\t\n\n",
        "2027-08-17,\"Kemerdekaan\",SKB\n2027-01-01, Tahun Baru , SKB\n",
    ] {
        assert_eq!(read(List::Holidays, text), canonical, "{text}");
    }
    let filled = Table::read(List::Holidays, "2027-01-01,Tahun Baru\n", "SKB").unwrap();
    assert_eq!(filled.cell("2027-01-01", 2), "SKB");
    // An export escapes what a spreadsheet would take for a formula.
    assert_eq!(read(List::Reserved, "'@,,apex\n").rows()[0][0], "@");
    for text in [
        "sep=;\r\ndate;name;source\r\n2027-08-17;Kemerdekaan;SKB\r\n2027-01-01;Tahun Baru;SKB\r\n",
        "=\"2027-08-17\",Kemerdekaan,SKB\n2027-01-01,Tahun Baru,SKB\n",
    ] {
        assert_eq!(read(List::Holidays, text), canonical, "{text}");
    }
    assert_eq!(read(List::Hijackable, "sep=;\r\npages.dev\r\n").rows().len(), 1);
    assert_eq!(read(List::Hijackable, "*.Pages.Dev\n.workers.dev # dua\n").rows().len(), 2);
    let quoted = read(List::Hijackable, "\"suffix\"\n\"pages.dev\";\n \"workers.dev\" # dua\n");
    assert_eq!(quoted, read(List::Hijackable, "pages.dev\nworkers.dev\n"));
    assert_eq!(read(List::Hours, "mon,08.00–12.00\n").cell("mon", 1), "08:00-12:00");
}

#[test]
fn an_exported_list_comes_back_as_it_is() {
    let signs =
        ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}', '\''];
    let days = signs.into_iter().zip(1..).map(|(sign, day)| {
        vec![format!("2027-01-{day:02}"), format!("{sign}{day} hari"), format!("'{sign}SKB")]
    });
    let table = Table::of(List::Holidays, days);
    assert_eq!(read(List::Holidays, &table.csv(b';', crate::spreadsheet::disarmed)), table);
}

#[test]
fn a_fault_has_the_line_that_a_person_sees() {
    let text = "# SKB\r\ndate;name;source\r\n\r\n2027-01-01;a;b\r\n\r\n2027-13-01;a;b\r\n";
    assert_eq!(broken(List::Holidays, text), [(6, Rule::BadDate)]);
}

#[test]
fn faults_are_told_all_at_once_with_their_lines() {
    assert_eq!(
        broken(
            List::Holidays,
            "2027-01-01,a,b\n2027-13-01,a,b\n2027-01-01,c,d\n2027-02-02,,x\na,b,c,d\n"
        ),
        [(2, Rule::BadDate), (3, Rule::DoubledRow), (4, Rule::Empty), (5, Rule::RowWidth),]
    );
    assert_eq!(broken(List::Hours, "mon,16:00-08:00\n"), [(1, Rule::BadHours)]);
    assert_eq!(broken(List::Hours, "mon,\ntue,\n"), [(0, Rule::ClosedWeek)]);
    assert_eq!(
        broken(List::Indonesia, "0.0.0.0/0\n10.0.0.1/8\n::/0\n103.10.0.0/16\n"),
        [(1, Rule::NetworkTooWide), (2, Rule::BadNetwork), (3, Rule::NetworkTooWide)]
    );
    assert_eq!(
        broken(List::Hijackable, "com\nbad name.dev\n"),
        [(1, Rule::BadSuffix), (2, Rule::BadSuffix)]
    );
    assert_eq!(broken(List::Offices, "singkatan,nama,jenis\n"), [(0, Rule::ListEmpty)]);
    assert_eq!(
        broken(List::Regions, "32.09.01,kecamatan,A\n32.09.02.2001,desa,B\n"),
        [(0, Rule::NoDistrict)]
    );
    assert_eq!(
        broken(List::Regions, "32.09.1,kecamatan,A\n32.09.01,dusun,B\n"),
        [(1, Rule::BadRegionCode), (2, Rule::UnknownLevel)]
    );
    assert_eq!(
        broken(List::OtherHours, "2027-03-09,2027-02-08,Ramadan,Mon 08:00-15:00\n"),
        [(1, Rule::BadPeriod)]
    );
    assert_eq!(
        broken(List::Identity, "email,x\nkey,y\n"),
        [(1, Rule::BadEmail), (2, Rule::UnknownKey)]
    );
    assert_eq!(broken(List::Reserved, "a.b,,\n"), [(1, Rule::BadPattern)]);
    assert_eq!(broken(List::Hostings, "x,localhost\n"), [(1, Rule::BadTarget)]);
}

#[test]
fn a_diff_names_rows_by_their_keys() {
    let before = read(List::Offices, "a1,Satu,dinas\nb2,Dua,dinas\nc3,Tiga,dinas\n");
    let after = read(List::Offices, "c3,Tiga,badan\na1,Satu,dinas\nd4,Empat,dinas\n");
    let diff = Diff::between(&before, &after);
    let keys = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    assert_eq!(
        (keys(&diff.added), keys(&diff.removed)),
        (vec!["d4".to_owned()], vec!["b2".to_owned()])
    );
    assert_eq!((diff.changed.len(), diff.changed[0].1[2].as_str()), (1, "badan"));
    assert!(Diff::between(&before, &before).is_empty());
    assert_eq!(before.without("b2").rows().len(), 2);
}

#[test]
fn the_first_line_may_be_what_the_columns_are_called_on_the_page() {
    let heads = [["Tanggal", "Hari libur", "Sumber"].map(str::to_owned).to_vec()];
    let text = "Tanggal;Hari libur;Sumber\n2027-01-01;Tahun Baru;SKB\n";
    let read = Table::read_rows(List::Holidays, text, "", &heads).unwrap();
    assert_eq!(read.rows().len(), 1);
    assert!(Table::read_rows(List::Holidays, text, "", &[]).is_err(), "a head of its own is none");
}
