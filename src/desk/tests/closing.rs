//! The monthly report over a story that is known to the minute, and the act that closes its month.

use super::*;
use crate::queue::fixture::at;
use crate::queue::{Calendar, FaultCode, Role};
use crate::report::{Moment, Month, Report};
use crate::store::StoreError;
use crate::store::people::ActingRow;
use crate::store::words::ActingStyle;

/// November 2026.
fn november() -> Month {
    "2026-11".parse().unwrap()
}

/// An office whose Tuesday is a holiday, whose head is away on Wednesday, and whose kasi has a jabatan.
fn office() -> Office {
    let mut calendar = Calendar::default();
    calendar.add_holiday("2026-11-24", "Cuti bersama", "SKB").unwrap();
    let office = Office::with(|options| options.calendar = calendar);
    let written = office.store.write::<_, crate::audit::AuditError>(|tx| {
        let kasi = tx.person("p-seksi")?.unwrap();
        tx.put_person(&PersonRow { title: "Kepala Seksi Aplikasi".to_owned(), ..kasi })?;
        tx.put_acting(&ActingRow {
            id: "a-1".to_owned(),
            person: "p-lain".to_owned(),
            role: Role::Head,
            holder: "p-kepala".to_owned(),
            style: ActingStyle::Plh,
            letter: "800/1".to_owned(),
            starts_ms: at(2, 0, 0),
            ends_ms: at(3, 0, 0),
            made_by: "p-kepala".to_owned(),
            ended_ms: None,
        })?;
        let event = NewEvent::new(
            office.desk.now(),
            "p-kepala",
            "kabid",
            Deed::ActingRecorded,
            "person:p-lain",
        );
        crate::audit::append(tx, event)?;
        Ok(())
    });
    written.unwrap();
    office
}

/// Sets the clock.
fn set(office: &Office, at: i64) {
    office.time.store(at, Ordering::Relaxed);
}

/// Tells the story; returns the numbers of the three requests and the secret of the first.
fn story(office: &Office) -> ([String; 3], String) {
    // Monday 08.00: sent. 08.20: routed, five minutes late. 12.20: returned after 240 minutes.
    let first = office.submit(application()).unwrap();
    set(office, at(0, 8, 20));
    office.act(&first.number, dispose("seksi"), "kepala").unwrap();
    set(office, at(0, 12, 20));
    let lines = vec![line(LineCode::M5, LineVerdict::Fix)];
    office.act(&first.number, Act::Return { lines }, "seksi").unwrap();
    // Wednesday 09.00, after a holiday: corrected. 12.00: approved, and live at once.
    set(office, at(2, 9, 0));
    let proven = office.desk.applicant(&first.number, &first.secret).unwrap();
    office.desk.resubmit(&first.number, application(), Some(letter()), &proven).unwrap();
    set(office, at(2, 12, 0));
    office.approve(&first.number).unwrap();
    // 12.10: another one, routed by the head's stand-in at 12.30.
    set(office, at(2, 12, 10));
    let second = office.submit(service("helpdesk", "192.0.2.111")).unwrap();
    set(office, at(2, 12, 30));
    office.act(&second.number, dispose("seksi"), "lain").unwrap();
    // 12.40: the applicant of the first reads that it is live.
    set(office, at(2, 12, 40));
    office.desk.status(&first.number, &first.secret).unwrap();
    // Friday 15.50: one that nobody routes.
    set(office, at(4, 15, 50));
    let third = office.submit(service("survei", "192.0.2.112")).unwrap();
    ([first.number, second.number, third.number], first.secret)
}

/// A step of a request in a report: minutes used, paused, and whether it ended.
fn step(report: &Report, number: &str, step: u8) -> (i64, i64, bool) {
    let line = report.requests.iter().find(|line| line.number == number).unwrap();
    let used = line.steps.iter().find(|used| used.step == step).unwrap();
    (used.used_minutes, used.paused_minutes, used.ended.is_some())
}

/// What was late: number, step, holder, minutes over it, under way.
fn late(report: &Report) -> Vec<(&str, u8, &str, i64, bool)> {
    report
        .late
        .iter()
        .map(|it| (it.number.as_str(), it.step, it.holder.as_str(), it.over_minutes, it.running))
        .collect()
}

#[test]
fn the_report_tells_each_step_to_the_minute() {
    let office = office();
    let ([first, second, third], _) = story(&office);
    set(&office, at(20, 9, 0));
    let report = office.desk.month_report(november()).unwrap();

    assert_eq!((report.total, report.finished, report.open), (3, 1, 2));
    assert_eq!(report.as_of, Moment(november().span().unwrap().1), "the month's end");
    assert!(report.is_over && report.closed.is_none());
    assert_eq!(step(&report, &first, 2), (20, 0, true));
    // Monday 12.20 to 16.00 and Wednesday 08.00 to 09.00: the holiday between is no working time.
    assert_eq!(step(&report, &first, 3), (240 + 180, 220 + 60, true));
    assert_eq!(step(&report, &first, 4), (0, 0, true));
    assert_eq!(step(&report, &first, 5), (40, 0, true));
    // From Wednesday 12.30 to the end of Monday, the 30th.
    assert_eq!(step(&report, &second, 3), (210 + 3 * 480, 0, false));
    assert_eq!(step(&report, &third, 2), (10 + 480, 0, false));

    let unit = "Bidang";
    let head = "Kepala Bidang SP E-Gov";
    let plh = format!("Plh. {head}");
    assert_eq!(
        late(&report),
        [
            (second.as_str(), 3, "Kepala Seksi Aplikasi", 210 + 3 * 480 - 480, true),
            (third.as_str(), 2, head, 475, true),
            (first.as_str(), 5, unit, 25, false),
            (first.as_str(), 2, head, 5, false),
            (second.as_str(), 2, plh.as_str(), 5, false),
        ]
    );
    let routing = &report.steps[0];
    assert_eq!((routing.step, routing.limit_minutes), (2, 15));
    assert_eq!((routing.done, routing.within, routing.over, routing.running), (2, 0, 2, 1));
    assert_eq!((routing.median_minutes, routing.longest_minutes), (Some(20), Some(20)));
    let check = &report.steps[1];
    assert_eq!((check.done, check.within, check.paused_minutes), (1, 1, 280));
    let counted: Vec<_> =
        report.late_by_holder.iter().map(|it| (it.holder.as_str(), it.step, it.count)).collect();
    assert!(
        counted.contains(&(head, 2, 2)) && counted.contains(&(plh.as_str(), 2, 1)),
        "{counted:?}"
    );
    let live: Vec<_> = report.live.iter().map(|it| (it.name.as_str(), it.since)).collect();
    assert_eq!(live, [("grogolkapetakan.desa.cirebonkab.go.id", Moment(at(2, 12, 0)))]);
}

#[test]
fn a_report_is_the_same_however_often_and_late_it_is_made() {
    let office = office();
    let ([first, second, _], _) = story(&office);
    let running = office.desk.month_report(november()).unwrap();
    assert!(!running.is_over);
    assert_eq!((running.total, running.open), (3, 2));
    let month = office.desk.overview(&office.actor("kepala")).unwrap().month;
    let (came, finished) = (running.total as u64, running.finished as u64);
    assert_eq!((month.came, month.finished), (came, finished), "the page of the day says the same");
    assert_eq!(step(&running, &second, 3), (210 + 480 + 470, 0, false), "as of now");

    let before = office.store.read::<_, StoreError>(|reader| reader.chain_head()).unwrap();
    set(&office, at(9, 9, 0));
    let report = office.desk.month_report(november()).unwrap();
    let after = office.store.read::<_, StoreError>(|reader| reader.chain_head()).unwrap();
    assert_eq!(before, after, "making it is no event");
    assert_eq!(office.view(&first).state, State::Notified);
    let kepala = office.actor("kepala");
    let long_ago = "2000-01".parse().unwrap();
    let refused = office.desk.close_month(long_ago, &kepala);
    assert!(matches!(refused, Err(ActError::NotFound)), "nothing was asked for then");
    // What happens in December is no news of November.
    office.approve(&second).unwrap();
    let later = office.desk.month_report(november()).unwrap();
    assert_eq!(later, report);
    let december = office.desk.month_report(november().next()).unwrap();
    assert_eq!((december.total, december.finished), (0, 1));
    assert!(!december.requests.iter().any(|line| line.number == first), "its story is over");
    // JSON holds all of it.
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn work_is_counted_anew_only_once_something_has_happened() {
    let office = office();
    let ([_, second, third], _) = story(&office);
    let first = office.desk.work_figures().unwrap();
    assert_eq!(first.steps, office.desk.month_report(november()).unwrap().steps);
    assert_eq!((first.came.len(), first.came.last()), (12, Some(&(november(), 3))));
    set(&office, at(4, 15, 55));
    assert!(Arc::ptr_eq(&first, &office.desk.work_figures().unwrap()));
    office.act(&third, dispose("seksi"), "kepala").unwrap();
    let later = office.desk.work_figures().unwrap();
    assert_eq!(later.steps, office.desk.month_report(november()).unwrap().steps);
    assert_eq!(later.steps[0].done, first.steps[0].done + 1);
    // A month that has begun meanwhile is another one, though nothing happened in it.
    set(&office, at(9, 9, 0));
    let december = office.desk.work_figures().unwrap();
    assert_eq!((december.month, december.came.last().unwrap().1), (november().next(), 0));
    assert!(december.steps.iter().all(|step| step.done == 0), "{second}: {december:?}");
}

#[test]
fn the_kabid_closes_a_month_that_is_over_and_only_once() {
    let office = office();
    let ([first, second, _], _) = story(&office);
    let close = |month: Month, who: &str| office.desk.close_month(month, &office.actor(who));
    let code = |result: Result<MonthClosed, ActError>| match result {
        Err(ActError::Rule(error)) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(close(november(), "kepala")), FaultCode::Incomplete, "it still runs");
    set(&office, at(9, 9, 0));
    // A timer closes nothing.
    office.desk.do_jobs_of_the_day().unwrap();
    office.desk.tick().unwrap();
    assert_eq!(office.view(&first).state, State::Notified);
    for who in ["seksi", "operator", "pengawas"] {
        assert_eq!(code(close(november(), who)), FaultCode::NotAllowed, "{who}");
    }
    // One that goes live in December waits for December's.
    office.approve(&second).unwrap();
    assert_eq!(office.desk.count_to_close(november()).unwrap(), 1);
    let closed = close(november(), "kepala").unwrap();
    assert_eq!((closed.month.as_str(), closed.requests), ("2026-11", vec![first.clone()]));
    assert_eq!(office.view(&first).state, State::Closed);
    assert_eq!(office.view(&second).state, State::Live);
    assert_eq!(code(close(november(), "kepala")), FaultCode::WrongState, "once");

    let report = office.desk.month_report(november()).unwrap();
    assert_eq!(report.closed, Some(Moment(at(9, 9, 0))));
    let events = office.store.read::<_, StoreError>(|reader| reader.events_of("month:2026-11"));
    let events = events.unwrap();
    let turned_back = events.iter().filter(|event| event.payload.contains_key("turned_back"));
    assert_eq!(turned_back.count(), 5, "attempts are on record: {events:?}");
    let done: Vec<_> =
        events.iter().filter(|event| !event.payload.contains_key("turned_back")).collect();
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].person.as_str(), done[0].payload["requests"].as_str()), ("p-kepala", "1"));
}

#[test]
fn the_paper_of_a_month_is_issued_with_its_closing_and_once() {
    let office = office();
    story(&office);
    let of = |who: &str| Viewer::Officer(office.actor(who));
    set(&office, at(9, 9, 0));
    assert!(office.desk.papers(november(), &of("kepala")).unwrap().is_empty(), "not before");
    let closed = office.desk.close_month(november(), &office.actor("kepala")).unwrap();
    assert!(office.desk.close_month(november(), &office.actor("kepala")).is_err());
    let papers = office.desk.papers(november(), &of("pengawas")).unwrap();
    let [paper] = papers.as_slice() else { panic!("{papers:?}") };
    assert_eq!((paper.number.as_str(), paper.name.as_str()), ("GPR/LK/0001/XII/2026", "2026-11"));
    assert_eq!(closed.paper, paper.number);
    let (_, kept) = office.desk.paper(november(), &paper.id, &of("kepala")).unwrap();
    let crate::paper::Content::Activity(said) = kept.content else { panic!() };
    let report = office.desk.month_report(november()).unwrap();
    assert_eq!(said, report.activity(said.signer.clone()), "it says what the report says");
    assert_eq!(said.signer.name.as_deref(), Some("kepala"), "signed by who closed it");

    // Anybody checks it by its code; no month of another, and no request, has it.
    let check = office.desk.check_paper(&paper.code).unwrap();
    assert_eq!((check.number.as_str(), check.valid), ("GPR/LK/0001/XII/2026", true));
    assert!(office.desk.paper(november().next(), &paper.id, &of("kepala")).is_err());
    assert!(office.desk.paper_file("GPR-1", &paper.id, &of("kepala")).is_err());
    // One that is made anew takes its place, in the same chain of numbers.
    for who in ["pengawas", "operator"] {
        let tried = office.desk.correct_paper(november(), &paper.id, "Nama", &office.actor(who));
        assert!(matches!(tried, Err(ActError::NotAllowed)), "{who}");
    }
    let head = office.actor("kepala");
    let newer = office.desk.correct_paper(november(), &paper.id, "Nama", &head).unwrap();
    assert_eq!(newer.supersedes.as_deref(), Some("GPR/LK/0001/XII/2026"));
    assert!(!office.desk.check_paper(&paper.code).unwrap().valid);
    let november_papers = office.desk.papers(november(), &of("kepala")).unwrap();
    assert_eq!(november_papers.len(), 2);
}

#[test]
fn a_workbook_and_a_list_hold_the_same_rows() {
    let office = office();
    let ([first, ..], _) = story(&office);
    set(&office, at(9, 9, 0));
    let report = office.desk.month_report(november()).unwrap();
    let csv = report.csv().unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), report.requests.len());
    let row = rows.iter().find(|row| row[0] == first).unwrap();
    assert_eq!((&row[6], &row[7]), ("2026-11-23 08:00", "2026-11-25 12:00"), "they sort");
    assert_eq!((&row[8], &row[9], &row[10], &row[11]), ("20", "420", "0", "40"));
    assert_eq!((&row[12], &row[13]), ("ya", "2 Disposisi, 5 Pemberitahuan"));
    let file = office.directory.path().join("laporan.xlsx");
    std::fs::write(&file, report.xlsx().unwrap()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), report.xlsx().unwrap(), "always the same octets");
}

#[test]
fn the_paper_of_a_month_says_what_its_report_says() {
    let office = office();
    let ([first, ..], _) = story(&office);
    set(&office, at(9, 9, 0));
    let report = office.desk.month_report(november()).unwrap();
    let paper = report.activity(crate::paper::Signer::default());
    assert_eq!((paper.period.as_str(), paper.summary.len()), ("November 2026", 3));
    assert!(paper.summary[0].contains("diterima 3 permohonan; 1 permohonan memperoleh hasil"));
    let tables = paper.sections.iter().filter_map(|section| section.table.as_ref());
    let tables: Vec<_> = tables.chain(paper.annex.as_ref()).collect();
    for table in &tables {
        let wide = |row: &Vec<String>| row.len() == table.columns.len();
        assert!(table.rows.iter().all(wide), "{table:?}");
        assert!(table.total.is_empty() || wide(&table.total), "{table:?}");
    }
    let annex = tables.last().unwrap();
    assert_eq!((annex.rows.len(), annex.rows[0][0].as_str()), (3, first.as_str()));
    let late = tables.iter().find(|table| table.title == "Menurut pemegang dan langkah").unwrap();
    assert_eq!(late.rows.len(), report.late_by_holder.len());
    let said: Vec<_> = paper.sections.iter().flat_map(|section| &section.text).collect();
    for it in &report.late {
        let is_told = |text: &&&String| text.contains(&it.holder) && text.contains(&it.number);
        assert!(said.iter().any(|text| is_told(&text)), "{it:?} is not in {said:?}");
    }
}
