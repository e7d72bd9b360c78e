//! Lists changed on pages: due times follow, the page wins over the file, and nothing is lost.

use super::*;
use crate::queue::lists::{List, Table};
use crate::queue::time::MINUTE_MS;
use crate::queue::{Calendar, FaultCode, Hours, Rule};

/// The holidays of the office's file, and what a page makes of them.
const HOLIDAYS: &str = "date,name,source\n2026-11-24,Libur daerah,SE Bupati 1/2026\n";

/// Proposes and applies a change.
fn change(office: &Office, id: &str, table: Option<&Table>, list: List) -> Result<i64, ActError> {
    let admin = office.actor("operator");
    office.desk.propose_list(id, list, table, &admin)?;
    Ok(office.desk.apply_list(id, ("", true), &admin)?.1)
}

/// A table.
fn table(list: List, text: &str) -> Table {
    Table::read(list, text, "").unwrap()
}

/// The code of an error of a rule.
fn code(error: &ActError) -> Option<FaultCode> {
    match error {
        ActError::Rule(error) => Some(error.code()),
        _ => None,
    }
}

#[test]
fn a_holiday_added_while_a_step_runs_moves_its_due_time_and_outlives_a_restart() {
    let office = Office::new();
    let admin = office.actor("operator");
    office.wait(120 * MINUTE_MS);
    let number = office.assigned(application());
    office.desk.note_working_time().unwrap();
    // Assigned on Monday: due on Tuesday at this time, which becomes a holiday.
    let due = office.view(&number).due.clone().unwrap();
    let holidays = table(List::Holidays, HOLIDAYS);
    let effect = office.desk.list_effect(&holidays, &admin).unwrap();
    assert_eq!((effect.dues_count, effect.dues[0].number.as_str()), (1, number.as_str()));
    assert_eq!(office.view(&number).due.clone().unwrap(), due, "looked at, not applied");

    let events = office.desk.events(0, 1_000).unwrap().len();
    assert_eq!(change(&office, "one", Some(&holidays), List::Holidays).unwrap(), 1);
    let moved = office.view(&number).due.clone().unwrap();
    assert_eq!(crate::view::rfc3339(effect.dues[0].after_ms), moved);
    assert!(moved.starts_with("2026-11-25"), "{due} became {moved}");
    let row = |office: &Office| {
        let rows = office
            .store
            .read::<_, crate::store::StoreError>(|reader| reader.requests_in(State::Assigned));
        rows.unwrap()[0].due_ms
    };
    assert_eq!(row(&office), Some(effect.dues[0].after_ms), "the queue's order follows");
    let news = office.desk.events(0, 1_000).unwrap().split_off(events);
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!((news[0].act.as_str(), news[0].person.as_str()), ("list_changed", "p-operator"));
    assert_eq!((news[0].payload["added"].as_str(), news[0].payload["rows"].as_str()), ("1", "1"));

    // The process ends before it could put anything in force: the next start does, and writes nothing.
    let office = office.reopen();
    office.desk.note_working_time().unwrap();
    assert_eq!(office.view(&number).due.clone().unwrap(), moved);
    assert_eq!(office.desk.events(0, 1_000).unwrap().len(), events + 1);
}

#[test]
fn a_reload_drops_no_change_of_a_page_and_a_page_goes_back_to_the_file() {
    let office = Office::new();
    let admin = office.actor("operator");
    let page = table(List::Holidays, HOLIDAYS);
    change(&office, "one", Some(&page), List::Holidays).unwrap();
    let mut options = Options::new(office.directory.path().join("state"), Arc::new(|| MONDAY_8));
    options.calendar = Calendar::new(Hours::parse("Mon-Fri 07:00-15:00").unwrap());
    options.calendar.add_holiday("2026-12-25", "Natal", "SKB").unwrap();
    options.of_file = [List::Hours, List::Holidays].into();
    office.desk.set_options(&options);
    office.desk.note_working_time().unwrap();
    let view = office.desk.list_in_force(List::Holidays);
    assert_eq!((view.origin, view.in_file, &view.table), (ListOrigin::Page, true, &page));
    assert_eq!(office.desk.list_in_force(List::Hours).origin, ListOrigin::File);
    // Monday from 7 to 15, Tuesday off.
    let calendar = office.desk.calendar();
    assert_eq!(calendar.worked(MONDAY_8, MONDAY_8 + 48 * 60 * MINUTE_MS), (7 + 1) * 60 * MINUTE_MS);

    assert_eq!(change(&office, "two", None, List::Holidays).unwrap(), 2);
    let view = office.desk.list_in_force(List::Holidays);
    assert_eq!((view.origin, view.table.rows()[0][0].as_str()), (ListOrigin::File, "2026-12-25"));
    // A former version is put back as the newest.
    let former = office.desk.list_at(List::Holidays, 1, &admin).unwrap();
    assert_eq!(change(&office, "three", former.as_ref(), List::Holidays).unwrap(), 3);
    assert_eq!(office.desk.list_in_force(List::Holidays).table, page);
    assert_eq!(office.desk.list_versions(List::Holidays).unwrap().len(), 3);
}

#[test]
fn of_two_administrators_the_second_is_told_and_a_second_press_changes_nothing() {
    let office = Office::new();
    let admin = office.actor("operator");
    let spelling = |text: &str| table(List::Spellings, text);
    office
        .desk
        .propose_list("a", List::Spellings, Some(&spelling("waled,walet\n")), &admin)
        .unwrap();
    office
        .desk
        .propose_list("b", List::Spellings, Some(&spelling("weru,weroe\n")), &admin)
        .unwrap();
    assert_eq!(office.desk.apply_list("a", ("SK 1", false), &admin).unwrap().1, 1);
    assert_eq!(office.desk.apply_list("a", ("SK 1", false), &admin).unwrap().1, 1, "pressed twice");
    let second = office.desk.apply_list("b", ("", false), &admin).unwrap_err();
    assert_eq!(code(&second), Some(FaultCode::Stale));
    assert_eq!(office.desk.list_change("b", &admin).unwrap().overtaken.unwrap().reason, "SK 1");
    assert_eq!(office.desk.list_versions(List::Spellings).unwrap().len(), 1);

    let head = office.actor("kepala");
    let refused = office.desk.propose_list("c", List::Spellings, None, &head);
    assert!(matches!(refused, Err(ActError::NotAllowed)));
    assert!(matches!(office.desk.apply_list("b", ("", true), &head), Err(ActError::NotAllowed)));
    assert!(matches!(office.desk.list_change("b", &head), Err(ActError::NotAllowed)));
    assert!(matches!(office.desk.list_effect(&spelling(""), &head), Err(ActError::NotAllowed)));
    let former = office.desk.list_at(List::Spellings, 1, &head);
    assert!(matches!(former, Err(ActError::NotAllowed)));
}

#[test]
fn a_list_that_would_lose_most_of_its_rows_asks_twice() {
    let office = Office::new();
    let admin = office.actor("operator");
    let few = table(List::Offices, "dinkes,Dinas Kesehatan,dinas\n");
    office.desk.propose_list("a", List::Offices, Some(&few), &admin).unwrap();
    let refused = office.desk.apply_list("a", ("", false), &admin).unwrap_err();
    assert_eq!(
        (refused.faults()[0].rule, refused.faults()[0].about.as_str()),
        (Rule::ListShrinks, "31")
    );
    assert_eq!(office.desk.naming().offices.len(), 32);
    office.desk.apply_list("a", ("", true), &admin).unwrap();
    assert_eq!(office.desk.naming().offices.len(), 1);
}

#[test]
fn what_a_list_touches_is_said_before() {
    let office = Office::new();
    let admin = office.actor("operator");
    office.live(service("layanandata", "192.0.2.60"));
    let waiting = office.assigned(application());
    let reserved = office.desk.list_in_force(List::Reserved).table;
    let more = reserved.with(&table(List::Reserved, "layanandata,,dipakai pusat\n"));
    let effect = office.desk.list_effect(&more, &admin).unwrap();
    assert_eq!((effect.names_count, effect.requests_count, effect.dues_count), (1, 0, 0));
    assert_eq!(effect.names[0].more[0].rule, Rule::ReservedName);
    // The village of the request is renamed: its name is in the list no more.
    let regions = office.desk.list_in_force(List::Regions).table;
    let code = application().region.unwrap();
    let renamed = table(
        List::Regions,
        &format!("kode,jenis,nama\n{},kecamatan,X\n{code},desa,Nama Baru\n", &code[..8]),
    );
    let effect = office.desk.list_effect(&regions.with(&renamed), &admin).unwrap();
    assert_eq!(effect.requests[0].number.as_deref(), Some(waiting.as_str()));
    assert!(effect.requests[0].more.iter().any(|it| it.rule == Rule::NotInList), "{effect:?}");
}
