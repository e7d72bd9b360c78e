//! What administrators are told of the signing of zones.

use super::*;
use crate::desk::SigningNews;
use crate::notice::message;
use crate::queue::NoticeState;
use crate::queue::time::DAY_MS;
use crate::words::{Lang, Words};

/// A DS of the zone.
const DS: &str = "cirebonkab.go.id. 86400 IN DS 12345 13 2 0011AABB";

/// News of the zone.
fn news(deed: Deed) -> SigningNews {
    SigningNews {
        zone: APEX.parse().unwrap(),
        deed,
        about: "12345".to_owned(),
        since_ms: Some(MONDAY_8),
        reason: None,
        lines: vec![DS.to_owned()],
    }
}

/// To whom the notices about zones go, and what they say, the oldest first.
fn told(office: &Office) -> Vec<(String, Deed, String)> {
    let due = office.desk.notices_due(1_000).unwrap();
    let of_zones = due.into_iter().filter(|notice| notice.values.name == "cirebonkab.go.id");
    let say = |notice: crate::queue::Notice| {
        assert_eq!(notice.state(), NoticeState::Queued);
        let text = message(&notice, Words::of(Lang::Id), "https://x").text;
        (notice.to, notice.deed, text)
    };
    of_zones.map(say).collect()
}

#[test]
fn what_waits_for_a_person_is_told_once_and_again_after_a_week() {
    let mut office = Office::new();
    for _ in 0..3 {
        office.desk.tell_of_signing(&news(Deed::DsWanted)).unwrap();
        office.wait(DAY_MS);
    }
    let [(to, Deed::DsWanted, text)] = &told(&office)[..] else { panic!("{:?}", told(&office)) };
    assert_eq!(to, "operator@cirebonkab.go.id", "nobody but the administrator");
    assert!(text.contains(&format!("\n  {DS}\n")), "a line to copy: {text}");
    assert!(text.contains("https://x/zona") && text.contains("PANDI"), "{text}");
    // A restart tells nothing twice; a week later it waits still, and another key is other news.
    office = office.reopen();
    office.desk.tell_of_signing(&news(Deed::DsWanted)).unwrap();
    assert_eq!(told(&office).len(), 1);
    office.wait(4 * DAY_MS);
    office.desk.tell_of_signing(&news(Deed::DsWanted)).unwrap();
    assert_eq!(told(&office).len(), 2);
    let other = SigningNews { about: "54321".to_owned(), ..news(Deed::DsWanted) };
    office.desk.tell_of_signing(&other).unwrap();
    assert_eq!(told(&office).len(), 3);
}

#[test]
fn what_is_wrong_is_told_each_day_with_its_reason() {
    let office = Office::new();
    let reason = "the private key ecdsap256sha256 12345 is missing: restore it from the backup";
    let stopped = SigningNews {
        since_ms: None,
        lines: Vec::new(),
        reason: Some(reason.to_owned()),
        ..news(Deed::SigningStopped)
    };
    for _ in 0..4 {
        office.desk.tell_of_signing(&stopped).unwrap();
        office.wait(DAY_MS / 2);
    }
    let all = told(&office);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.iter().all(|(_, _, text)| text.contains(&format!("1. {reason}"))), "{all:?}");
}

#[test]
fn a_command_on_keys_is_an_event_of_the_chain() {
    let office = Office::new();
    office.desk.note_keys_command(&APEX.parse().unwrap(), "roll csk", "uid 0").unwrap();
    let events = office.desk.events(0, usize::MAX).unwrap();
    let last = events.last().unwrap();
    assert_eq!(
        (last.act.as_str(), last.subject.as_str()),
        ("keys_commanded", "zone:cirebonkab.go.id.")
    );
    assert_eq!(last.payload["command"], "roll csk");
    assert_eq!(last.payload["by"], "uid 0");
}
