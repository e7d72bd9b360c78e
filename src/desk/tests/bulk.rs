//! Requests in bulk: all villages of a regency, rows with faults, the same table twice, an end in the middle.

use std::collections::BTreeMap;

use super::*;
use crate::bulk::{Table, template};
use crate::queue::regions::{Level, Regions};
use crate::words::{Lang, Words};

/// The table of all villages, each filled in: an address, a person, a mailbox of its own.
fn villages() -> String {
    let naming = crate::queue::Naming::default();
    let text = template(Words::of(Lang::Id), &naming, Some(Level::Desa));
    let mut filled = String::new();
    for (at, line) in text.lines().enumerate() {
        let mut cells: Vec<String> = line.split(';').map(str::to_owned).collect();
        if at > 0 {
            let values = [
                (4, "192.0.2.110"),
                (5, "Situs resmi desa"),
                (6, "Kuwu"),
                (7, "Kuwu"),
                (9, &format!("desa{at}@desa.example")),
                (10, "0231-123456"),
                (11, &format!("140/{at}")),
                (12, "20/11/2026"),
            ];
            for (place, value) in values {
                cells[place] = value.to_owned();
            }
        }
        filled.push_str(&cells.join(";"));
        filled.push('\n');
    }
    filled
}

/// Takes a table in, as somebody; its id.
fn open(office: &Office, text: &str, name: &str) -> String {
    let table = Table::read(text.as_bytes()).unwrap();
    let file = BulkFile { name: "desa.csv", sha256: "ab", table: &table };
    office.desk.open_bulk(file, (APEX, &[]), &office.actor(name)).unwrap()
}

/// Takes it in with a covering letter, and confirms it.
fn confirm(office: &Office, id: &str, name: &str) {
    office.desk.set_bulk_cover(id, "surat.pdf", &letter(), &office.actor(name)).unwrap();
    office.desk.file_bulk(id, &office.actor(name)).unwrap();
}

/// Files at most so many rows; how many there were.
fn file(office: &Office, most: usize) -> usize {
    let mut count = 0;
    while count < most
        && let Some(turn) = office.desk.next_in_bulk().unwrap()
    {
        let letter = match turn.letter.clone() {
            BulkLetter::Missing => Ok(None),
            BulkLetter::Read(letter) => Ok(Some(letter)),
            BulkLetter::Unread(bytes) => crate::uploads::inspect(&bytes).map(Some),
        };
        office.desk.file_in_bulk(turn, letter).unwrap();
        count += 1;
    }
    count
}

/// How many rows of a table are in a state.
fn count(office: &Office, id: &str, state: &str) -> i64 {
    office.desk.bulk(id, &office.actor("operator")).unwrap().count(state)
}

/// The rows that cannot be filed: their names and what is wrong.
fn faulty(office: &Office, id: &str) -> Vec<(String, String)> {
    let view = office.desk.bulk(id, &office.actor("operator")).unwrap();
    let rows = view.rows.into_iter().filter(|row| row.state == "faulty");
    rows.map(|row| (row.name, row.faults[0].detail())).collect()
}

/// All requests there are.
fn requests(office: &Office) -> usize {
    let figures = office.desk.figures().unwrap();
    figures.requests.iter().map(|figure| usize::try_from(figure.count).unwrap()).sum()
}

#[test]
fn all_villages_are_filed_once_through_an_end_in_the_middle_and_a_second_time() {
    let office = Office::new();
    let text = villages();
    let id = open(&office, &text, "operator");
    let ready = count(&office, &id, "ready");
    assert!(ready >= 410, "{ready} of 412: {:?}", faulty(&office, &id));
    assert_eq!(requests(&office), 0, "nothing is filed yet");
    let all = usize::try_from(ready).unwrap();
    confirm(&office, &id, "operator");
    assert_eq!(file(&office, 100), 100);
    // As a process that died: what is under way is found again.
    let office = office.reopen();
    assert_eq!(file(&office, 1_000), all - 100);
    assert_eq!((count(&office, &id, "filed"), requests(&office)), (ready, all));
    let view = office.desk.bulk(&id, &office.actor("operator")).unwrap();
    assert_eq!((view.state.as_str(), view.count("faulty")), ("done", 412 - ready));
    let filed = view.rows.iter().find(|row| row.state == "filed").unwrap();
    let (number, secret) = (filed.number.clone().unwrap(), &filed.secret);
    assert!(
        office.desk.applicant(&number, secret).is_ok(),
        "the secret of the list opens the request"
    );
    let lines = office.store.read::<_, crate::store::StoreError>(|it| it.bulk_lines(&id));
    for row in lines.unwrap() {
        let context = format!("bulk:{id}:{}", row.line);
        let said = office.desk.vault().unseal(&context, &row.body).unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("Kuwu") && !said.contains("@desa.example"), "{said}");
    }

    let again = open(&office, &text, "operator");
    assert_eq!(count(&office, &again, "before"), ready);
    confirm(&office, &again, "operator");
    assert_eq!((file(&office, 1_000), requests(&office)), (0, all));
    // One notice of all to the head, and one to each village.
    let due = office.desk.notices_due(10_000).unwrap();
    let of = |deed| due.iter().filter(|notice| notice.deed == deed).count();
    assert_eq!((of(Deed::BulkFiled), of(Deed::Submit)), (1, all));
    // Who keyed them in is on the applicants' side.
    let routed = office.act(&number, dispose("seksi"), "kepala");
    assert_eq!(routed.unwrap().state, State::Assigned);
}

#[test]
fn each_row_is_judged_by_itself() {
    let office = Office::new();
    let regions = Regions::shipped();
    let villages: Vec<_> =
        regions.of(Level::Desa).filter(|unit| !regions.is_doubled(&unit.slug)).collect();
    let head = "Kode wilayah;Nama subdomain;Tujuan;Keperluan;Penanggung jawab;Jabatan;Surel;Telepon;Nomor surat;Tanggal surat;Berkas surat\n";
    let row = |at: usize, name: &str, target: &str, email: &str, letter: &str| {
        let code = &villages[at].code;
        format!(
            "{code};{name};{target};Situs;Kuwu;Kuwu;{email};0231-123456;140/{at};2026-11-20;{letter}\n"
        )
    };
    let text = [
        head.to_owned(),
        row(0, "", "192.0.2.1", "a@desa.example", "A.pdf"),
        row(1, "", "10.0.0.1", "b@desa.example", "b.pdf"),
        row(2, "", "192.0.2.3", "no address", "c.pdf"),
        row(0, "", "192.0.2.1", "d@desa.example", "d.pdf"),
        row(4, "x", "192.0.2.1", "e@desa.example", "e.pdf"),
        row(5, "", "192.0.2.1", "f@desa.example", "f.pdf"),
        row(6, "", "192.0.2.1", "g@desa.example", "g.pdf"),
    ]
    .concat();
    let id = open(&office, &text, "operator");
    let operator = office.actor("operator");
    let view = office.desk.bulk(&id, &operator).unwrap();
    let fields: Vec<(u32, &str)> = view
        .rows
        .iter()
        .filter(|row| row.state == "faulty")
        .map(|row| (row.line, row.faults[0].field.as_str()))
        .collect();
    assert_eq!(fields[..3], [(3, "records.0.data"), (4, "contact.email"), (5, "name")]);
    assert_eq!((fields[3].0, view.without_letter), (6, 3));
    let letters: BTreeMap<String, Vec<u8>> = [
        ("a.PDF".to_owned(), LETTER.to_vec()),
        ("f.pdf".to_owned(), b"this is no letter".to_vec()),
        ("another.pdf".to_owned(), LETTER.to_vec()),
    ]
    .into();
    assert_eq!(office.desk.add_bulk_letters(&id, &letters, &operator).unwrap(), 2);
    assert_eq!(office.desk.bulk(&id, &operator).unwrap().without_letter, 1);
    office.desk.file_bulk(&id, &operator).unwrap();
    assert_eq!(file(&office, 100), 3);
    let view = office.desk.bulk(&id, &operator).unwrap();
    let states: Vec<(&str, usize)> =
        view.rows.iter().map(|row| (row.state.as_str(), row.faults.len())).collect();
    assert_eq!((states[0], states[5].0, states[6].0), (("filed", 0), "refused", "refused"));
    assert_eq!(view.rows[6].faults[0].rule, crate::queue::Rule::NoLetter);
    assert_eq!(requests(&office), 1);
    // It is over: nothing comes any more, and its letters are gone.
    assert!(office.desk.add_bulk_letters(&id, &letters, &operator).is_err());
    office.desk.drop_bulk(&id, &operator).unwrap();
    assert_eq!(requests(&office), 1);
}

#[test]
fn a_table_is_its_owners_and_goes_after_a_month() {
    let office = Office::new();
    let text = villages();
    let id = open(&office, &text.lines().take(3).collect::<Vec<_>>().join("\n"), "seksi");
    let not_found =
        |name: &str| matches!(office.desk.bulk(&id, &office.actor(name)), Err(ActError::NotFound));
    assert!(not_found("kepala") && not_found("operator"));
    let auditor = office.desk.bulk(&id, &office.actor("pengawas"));
    assert!(matches!(auditor, Err(ActError::NotAllowed)));
    confirm(&office, &id, "seksi");
    assert_eq!(file(&office, 10), 2);
    // Who keyed it in may not check it.
    let number =
        office.desk.bulk(&id, &office.actor("seksi")).unwrap().rows[0].number.clone().unwrap();
    assert!(office.act(&number, dispose("seksi"), "kepala").is_err());
    office.wait(31 * crate::queue::time::DAY_MS);
    office.desk.do_jobs_of_the_day().unwrap();
    assert!(office.desk.bulks(&office.actor("seksi")).unwrap().is_empty());
    assert_eq!(requests(&office), 2);
}
