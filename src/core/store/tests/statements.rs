//! Every statement of the room is prepared against the tables, and its parameters are numbered as
//! both databases bind them.

use super::{file, writer};
#[cfg(feature = "postgres")]
use crate::store::Engine;
use crate::store::sql::Sql;
use crate::store::{clock, journal, promoted, secondaries, signing, zones};
#[cfg(feature = "postgres")]
use crate::text::with_causes;

/// The statements of every file, with its name.
fn all() -> Vec<(&'static str, &'static [Sql<'static>])> {
    vec![
        ("clock", clock::STATEMENTS),
        ("copy", crate::store::copy::STATEMENTS),
        ("journal", journal::STATEMENTS),
        ("migrations", crate::store::migrations::STATEMENTS),
        ("nodes", crate::store::nodes::STATEMENTS),
        ("promoted", promoted::STATEMENTS),
        ("secondaries", secondaries::STATEMENTS),
        ("signing", signing::STATEMENTS),
        ("zones", zones::STATEMENTS),
        #[cfg(feature = "approval")]
        ("bulk", crate::store::bulk::STATEMENTS),
        #[cfg(feature = "approval")]
        ("changes", crate::store::changes::STATEMENTS),
        #[cfg(feature = "approval")]
        ("watched", crate::store::watched::STATEMENTS),
        #[cfg(feature = "approval")]
        ("codes", crate::store::codes::STATEMENTS),
        #[cfg(feature = "approval")]
        ("draft_links", crate::store::draft_links::STATEMENTS),
        #[cfg(feature = "approval")]
        ("drafts", crate::store::drafts::STATEMENTS),
        #[cfg(feature = "approval")]
        ("subjects", crate::store::subjects::STATEMENTS),
        #[cfg(feature = "approval")]
        ("unsent", crate::store::unsent::STATEMENTS),
        #[cfg(feature = "approval")]
        ("webhooks", crate::store::webhooks::STATEMENTS),
        #[cfg(feature = "approval")]
        ("events", crate::store::events::STATEMENTS),
        #[cfg(feature = "approval")]
        ("figures", crate::store::figures::STATEMENTS),
        #[cfg(feature = "approval")]
        ("statistics", crate::store::statistics::STATEMENTS),
        #[cfg(feature = "approval")]
        ("likeness", crate::store::likeness::STATEMENTS),
        #[cfg(feature = "approval")]
        ("once", crate::store::once::STATEMENTS),
        #[cfg(feature = "approval")]
        ("lists", crate::store::lists::STATEMENTS),
        #[cfg(feature = "approval")]
        ("origins", crate::store::origins::STATEMENTS),
        #[cfg(feature = "approval")]
        ("papers", crate::store::papers::STATEMENTS),
        #[cfg(feature = "approval")]
        ("people", crate::store::people::STATEMENTS),
        #[cfg(feature = "approval")]
        ("promises", crate::store::promises::STATEMENTS),
        #[cfg(feature = "approval")]
        ("row_log", crate::store::row_log::STATEMENTS),
        #[cfg(feature = "approval")]
        ("requests", crate::store::requests::STATEMENTS),
        #[cfg(feature = "approval")]
        ("texts", crate::store::texts::STATEMENTS),
    ]
}

/// The parameters in the order of their first use.
pub(super) fn parameters(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for part in text.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let number = digits.parse().unwrap();
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

#[test]
fn each_statement_fits_the_tables_and_numbers_its_parameters_in_order() {
    let (store, _dir) = file();
    let connection = writer(&store);
    let mut count = 0;
    for (of, statements) in all() {
        for Sql(text) in statements {
            let prepared = connection.prepare(text);
            let prepared = prepared.unwrap_or_else(|error| panic!("{of}: {error} in {text}"));
            let numbers = parameters(text);
            let wanted: Vec<usize> = (1..=numbers.len()).collect();
            assert_eq!(numbers, wanted, "{of}: {text}");
            assert_eq!(prepared.parameter_count(), numbers.len(), "{of}: {text}");
            assert!(!text.contains('?'), "{of}: {text}");
            count += 1;
        }
    }
    assert!(count > 15, "{count} statements");
}

#[cfg(feature = "postgres")]
#[test]
fn each_statement_fits_the_tables_of_a_server_too() {
    let Some((store, _dir)) = super::server::store() else { return };
    let Engine::Postgres(database) = &store.0.engine else { panic!("no server") };
    let mut faults = Vec::new();
    // The copy of a file is no statement of a server.
    for (of, statements) in all().into_iter().filter(|(of, _)| *of != "copy") {
        for Sql(text) in statements {
            match database.see_that_it_prepares(text) {
                Ok(count) => assert_eq!(count, parameters(text).len(), "{of}: {text}"),
                Err(error) => faults.push(format!("{of}: {}: {text}", with_causes(&error))),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Tables that grow with the use of the queue. The others have a few rows, a row a zone, or a limit.
const GROWING: &[&str] = &[
    "checkpoint",
    "erased",
    "event",
    "letter",
    "likeness",
    "live_record",
    "notice",
    "party_link",
    "personal",
    "probe_result",
    "promotion",
    "paper",
    "request",
    "request_origin",
    "revision",
    "row_log",
];

/// Beginnings of statements that read such a table from end to end, and who waits for it.
const WHOLE: &[(&str, &str)] = &[
    ("SELECT sequence, field, sealed FROM personal", "the verifier"),
    ("SELECT sequence, field, by_event FROM erased ORDER", "the verifier"),
    (
        "SELECT sequence, head, at_ms, key_id, signature FROM checkpoint ORDER BY sequence",
        "the verifier",
    ),
    ("SELECT name, state, origin = 'import' FROM live_record", "the verifier"),
    ("SELECT place, tbl, key, digest, found, hash FROM row_log ORDER", "the verifier"),
    ("SELECT number, state, revision FROM request", "the verifier"),
    (
        "SELECT id, request, media, octets, sha256, file, at_ms, erased_ms FROM letter WHERE erased_ms",
        "the verifier",
    ),
    (
        "SELECT id, request, revision, kind, year, serial, number, code, about, event, at_ms, content, file, \
         sha256, octets, rendered_ms, tries, next_try_ms, supersedes, superseded_by, office_number, erased_ms \
         FROM paper WHERE file IS NOT NULL",
        "the verifier",
    ),
    ("SELECT count(*), coalesce(max(tries), 0) FROM paper", "few wait to be rendered"),
    ("SELECT EXISTS (SELECT 1 FROM event WHERE payload LIKE", "a database without a row log"),
    (
        "SELECT name, zone FROM live_record WHERE request IS NOT NULL",
        "the first start of this version",
    ),
    ("DELETE FROM request_origin WHERE number NOT IN", "a daily job"),
    ("SELECT count(*) FROM request_origin JOIN request", "a daily job"),
    ("SELECT CAST(coalesce(sum(octets), 0) AS BIGINT) FROM letter", "a daily job"),
];

#[test]
fn no_act_reads_a_table_that_grows_from_end_to_end() {
    let (store, _dir) = file();
    let connection = writer(&store);
    let mut found = Vec::new();
    for (of, statements) in all() {
        for Sql(text) in statements {
            let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            for at in 1..=explained.parameter_count() {
                explained.raw_bind_parameter(at, 1).unwrap();
            }
            let mut rows = explained.raw_query();
            while let Some(row) = rows.next().unwrap() {
                let step: String = row.get(3).unwrap();
                let mut words = step.split_whitespace();
                let is_scan = words.next() == Some("SCAN");
                let table = words.next().unwrap_or_default();
                let grows = GROWING.contains(&table) || ["r", "o", "l"].contains(&table);
                let ends_early = text.ends_with("LIMIT 1") && !step.contains("TEMP");
                let is_known = WHOLE.iter().any(|(begin, _)| text.starts_with(begin));
                if is_scan && grows && !ends_early && !is_known {
                    found.push(format!("{of}: {step}: {text}"));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new(), "{found:#?}");
}

#[cfg(feature = "approval")]
#[test]
fn an_erasure_is_found_without_a_walk_through_the_chain() {
    let (store, _dir) = file();
    let connection = writer(&store);
    let is_it = |Sql(text): &&Sql<'_>| text.contains("act = 'erase'");
    let Sql(text) = crate::store::events::STATEMENTS.iter().find(is_it).unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {text}");
    let step = connection.query_row(&plan, [1], |row| row.get::<_, String>(3)).unwrap();
    assert!(step.starts_with("SEARCH") && step.contains("event_erase"), "{step}");
}

#[test]
fn no_file_has_a_statement_that_the_test_above_does_not_see() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("store");
    for file in std::fs::read_dir(root).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // These run statements that come from the others.
        if !name.ends_with(".rs")
            || ["mod.rs", "engine.rs", "migrations.rs", "sql.rs", "testing.rs", "tests.rs"]
                .contains(&&*name)
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["prepare", ".execute(", ".query", "execute_batch"] {
            let outside = text.split("#[cfg(test)]").next().unwrap();
            assert!(!outside.contains(word), "{name} runs SQL by itself: {word}");
        }
        if text.contains("statements!") {
            let file = name.trim_end_matches(".rs");
            let known = all().into_iter().any(|(known, _)| known == file);
            assert!(known || cfg!(not(feature = "approval")), "{name} is not in the list above");
        }
    }
}

#[test]
fn what_rust_writes_for_a_row_is_what_one_would_write_by_hand() {
    let by_hand = "INSERT INTO zone (serial, high_water, file_serial, file_hash, held_hash, \
        marker, zonemd, marked_includes, copy_seq, changed_ms, own_zonemd, file_node, name) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (name) DO UPDATE SET \
        serial = excluded.serial, high_water = excluded.high_water, \
        file_serial = excluded.file_serial, file_hash = excluded.file_hash, \
        held_hash = excluded.held_hash, marker = excluded.marker, zonemd = excluded.zonemd, \
        marked_includes = excluded.marked_includes, copy_seq = excluded.copy_seq, \
        changed_ms = excluded.changed_ms, own_zonemd = excluded.own_zonemd, \
        file_node = excluded.file_node";
    assert!(zones::STATEMENTS.iter().any(|Sql(text)| *text == by_hand));
}
