//! Both catalogues hold the same ids, and every id that code or a template names.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Lang, Office, Said, Words};
use crate::queue::procedure::{Flag, Row, TABLE};
use crate::queue::{
    Deed, FaultCode, Ground, Hours, Kind, LineCode, LineVerdict, LiveState, NamingClass,
    NoticeReader, NoticeState, Outcome, RejectReason, Role, Rule, State, Way,
};

/// Ids of a catalogue, in its order.
fn ids(lang: Lang) -> Vec<String> {
    let lines = lang.source().lines();
    let named = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    named.filter_map(|line| line.split_once(" =")).map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn both_catalogues_have_the_same_ids_once() {
    let (id, en) = (ids(Lang::Id), ids(Lang::En));
    let (set_id, set_en): (BTreeSet<_>, BTreeSet<_>) = (id.iter().collect(), en.iter().collect());
    let odd: Vec<_> = set_id.symmetric_difference(&set_en).collect();
    assert!(odd.is_empty(), "in one catalogue only: {odd:?}");
    assert_eq!((id.len(), en.len()), (set_id.len(), set_en.len()), "an id stands twice");
    for lang in [Lang::Id, Lang::En] {
        for id in &id {
            assert!(Words::of(lang).has(id), "{id} does not parse in {}", lang.tag());
        }
    }
}

#[test]
fn every_id_that_is_named_exists() {
    let mut missing = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&root, &mut |path, text| {
        for call in [".s(\"", ".a(\"", ".with(\""] {
            for piece in text.split(call).skip(1) {
                let id = piece.split('"').next().unwrap_or_default();
                let is_id = id.contains('-') && !id.contains(' ');
                if is_id && !Words::of(Lang::Id).has(id) {
                    missing.push(format!("{id} in {}", path.display()));
                }
            }
        }
    });
    assert!(missing.is_empty(), "no words for:\n{}", missing.join("\n"));
}

#[test]
fn every_fact_of_an_event_has_words() {
    // Hashes of what is shown elsewhere are not shown.
    let silent = ["letter_sha256", "promotion"];
    let mut missing = BTreeSet::new();
    for room in ["core/queue", "desk", "core/audit"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
        walk(&dir, &mut |_, text| {
            for piece in text.split(".with(").skip(1) {
                let Some(rest) = piece.trim_start().strip_prefix('"') else { continue };
                let key = rest.split('"').next().unwrap_or_default();
                let id = format!("fact-{}", key.replace('_', "-"));
                if !silent.contains(&key) && !Words::of(Lang::Id).has(&id) {
                    missing.insert(id);
                }
            }
        });
    }
    assert!(missing.is_empty(), "no words for {missing:?}");
}

#[test]
fn no_message_names_an_office_of_its_own() {
    // Whoever adopts gapura sets the office, and changes no message.
    for lang in [Lang::Id, Lang::En] {
        for line in lang.source().lines() {
            let low = line.to_lowercase();
            let named = ["cirebon", "diskominfo", "08.00", "08:00", "534/", "8330580"];
            let found: Vec<_> = named.iter().filter(|name| low.contains(**name)).collect();
            assert!(found.is_empty(), "{found:?} in: {line}");
        }
    }
}

#[test]
fn what_messages_call_the_office_is_known() {
    let known = Office::default().variables(Lang::Id).map(|(name, _)| name);
    for lang in [Lang::Id, Lang::En] {
        for piece in lang.source().split("$office-").skip(1) {
            let name = piece.split(|c: char| !c.is_ascii_lowercase() && c != '-').next();
            let name = format!("office-{}", name.unwrap_or_default());
            assert!(known.contains(&name.as_str()), "nothing fills in {name}");
        }
    }
}

#[test]
fn hours_read_as_on_the_office_door() {
    let said = |text: &str, lang| Words::of(lang).hours(&Hours::parse(text).unwrap());
    assert_eq!(said("Mon-Fri 08:00-16:00", Lang::Id), "Senin–Jumat, 08.00–16.00 WIB");
    assert_eq!(
        said("Mon-Thu 07:30-12:00,13:00-16:00; Fri 07:30-11:00; Sun 08:00-09:00", Lang::Id),
        "Senin–Kamis, 07.30–12.00 · 13.00–16.00; Jumat, 07.30–11.00; Minggu, 08.00–09.00 WIB"
    );
    assert_eq!(said("Mon-Fri 08:00-16:00", Lang::En), "Monday to Friday, 08:00–16:00 WIB");
}

/// Shows every source file and template to `look`.
fn walk(dir: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, look);
        } else if path.extension().is_some_and(|it| it == "rs" || it == "html" || it == "txt") {
            look(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn dates_and_numbers_read_as_in_letters() {
    let id = Words::of(Lang::Id);
    // 2026-11-23 07:05 UTC
    assert_eq!(id.date_time(1_795_417_500_000), "23 November 2026 pukul 14.05 WIB");
    assert_eq!(id.iso_date("2026-08-17"), "17 Agustus 2026");
    assert_eq!(id.decimal(1234.5), "1.234,5");
    assert_eq!(Words::of(Lang::En).decimal(1234.5), "1,234.5");
    assert_eq!(id.count(1_000_000), "1.000.000");
    assert_eq!(id.work_span(480 + 120), "1 hari 2 jam");
    assert_eq!(id.work_span(0), "0 menit");
}

/// The message ids of a step of the procedure: all that people read of it.
fn words_of(row: &Row) -> Vec<String> {
    let word = row.deed.as_str().replace('_', "-");
    let mut ids = vec![row.deed.id()];
    let mut add = |of: bool, prefix: &str| ids.extend(of.then(|| format!("{prefix}-{word}")));
    add(row.act.is_some(), "past");
    add(row.deed.is(Flag::Milestone), "milestone");
    add(row.deed.is_for_webhooks(), "webhook");
    // After an approval the page tells how far the promotion is.
    add(row.page.is_some() && !row.is_on_the_way_to_live(), "done");
    for reader in row.notices.recipients.iter().map(|it| it.reader()) {
        let mails = match (reader, row.deed) {
            // A party is asked one thing only.
            (NoticeReader::Party, _) => vec!["mail-party".to_owned()],
            // What gapura asks for is told by what it is.
            (NoticeReader::Applicant, Deed::Raise) => {
                ["suspend", "remove"].map(|kind| format!("mail-{reader}-{word}-{kind}")).to_vec()
            }
            _ => vec![format!("mail-{reader}-{word}")],
        };
        ids.extend(mails.into_iter().flat_map(|id| [format!("{id}-subject"), id]));
    }
    ids
}

#[test]
fn everything_of_the_procedure_has_words() {
    let mut ids: Vec<String> = Vec::new();
    ids.extend(State::ALL.iter().flat_map(|it| [it.id(), format!("{}-line", it.id())]));
    ids.extend(Deed::ALL.iter().map(Said::id));
    ids.extend(LineCode::ALL.iter().map(Said::id));
    ids.extend(Rule::ALL.iter().map(Said::id));
    ids.extend(RejectReason::ALL.iter().map(Said::id));
    ids.extend(LiveState::ALL.iter().map(Said::id));
    ids.extend(Ground::ALL.iter().map(Said::id));
    ids.extend(NoticeState::ALL.iter().map(Said::id));
    ids.extend(Role::OFFICERS.iter().flat_map(|it| [it.id(), format!("{}-hint", it.id())]));
    ids.extend([Role::Applicant, Role::System].iter().map(Said::id));
    ids.extend(LineVerdict::ALL.iter().map(Said::id));
    ids.extend(Outcome::ALL.iter().map(Said::id));
    ids.extend(Kind::ALL.iter().flat_map(|it| [it.id(), format!("{}-hint", it.id())]));
    ids.extend(NamingClass::ALL.iter().flat_map(|it| [it.id(), format!("{}-hint", it.id())]));
    ids.extend(FaultCode::ALL.iter().map(Said::id));
    ids.extend(Way::ALL.iter().map(Said::id));
    ids.extend(TABLE.iter().flat_map(words_of));
    for lang in [Lang::Id, Lang::En] {
        let missing: Vec<_> = ids.iter().filter(|id| !Words::of(lang).has(id)).collect();
        assert!(missing.is_empty(), "no words in {}: {missing:?}", lang.tag());
    }
}
