//! What the page says of secondary zones and catalogs.

use std::path::PathBuf;

use super::*;
use crate::publish::{Options, Publisher, ZoneSource};
use crate::store::Store;
use crate::words::Lang;

/// What is known of a zone that has no version yet.
fn status_of(source: ZoneSource) -> ZoneStatus {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let opened = Publisher::open(store, vec![source], Options::new(dir.path()));
    opened.unwrap().0.status().remove(0)
}

/// The value under a label.
fn fact<'a>(part: &'a ZonePart, label: &str) -> Option<&'a str> {
    part.facts.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str())
}

#[test]
fn a_secondary_zone_says_when_it_is_tried_again_and_how_long_it_is_served() {
    let apex = "example.".parse().unwrap();
    let status = status_of(ZoneSource::secondary(apex, vec!["pusat".to_owned()]));
    let refresh = RefreshStatus {
        primary: None,
        next_try_seconds: Some(125),
        expires_seconds: Some(86_400 * 6 + 3_600 * 3 + 59),
        error: Some("192.0.2.1: refused".to_owned()),
        failing_since: None,
        passed_over: None,
    };
    let part = zone_part(Words::of(Lang::Id), &status, Some(&refresh));
    assert_eq!(fact(&part, "Percobaan berikutnya"), Some("2 menit 5 detik lagi"));
    assert_eq!(fact(&part, "Tetap dilayani tanpa kabar selama"), Some("6 hari 3 jam"));
    assert_eq!(fact(&part, "Kesalahan terakhir"), Some("192.0.2.1: refused"));
    assert!(part.refused_what.starts_with("Hasil transfer"), "{}", part.refused_what);
    assert_eq!((fact(&part, "Berkas"), fact(&part, "Dari permohonan")), (None, None));
    let now =
        RefreshStatus { next_try_seconds: None, expires_seconds: None, error: None, ..refresh };
    let part = zone_part(Words::of(Lang::En), &status, Some(&now));
    assert_eq!(fact(&part, "Next try"), Some("A primary server is being asked now"));
    assert_eq!(fact(&part, "Last error"), None);
}

#[test]
fn a_catalog_of_ours_has_no_file() {
    let apex = "catalog.example.".parse().unwrap();
    let mut status = status_of(ZoneSource::secondary(apex, vec!["pusat".to_owned()]));
    (status.primaries, status.file) = (Vec::new(), PathBuf::new());
    let part = zone_part(Words::of(Lang::En), &status, None);
    assert_eq!(fact(&part, "Source"), Some("The settings; gapura makes this catalog zone"));
    assert_eq!((fact(&part, "File"), fact(&part, "Serial in the file")), (None, None));
}

#[test]
fn what_updates_put_up_is_counted_apart() {
    let apex = "example.".parse().unwrap();
    let status = status_of(ZoneSource::new(apex, "/nonexistent"));
    let status = ZoneStatus { promoted: 5, by_updates: 2, ..status };
    let part = zone_part(Words::of(Lang::En), &status, None);
    assert_eq!(fact(&part, "From requests"), Some("3"));
    assert_eq!(fact(&part, "From updates (RFC 2136)"), Some("2"));
    assert!(part.refused_what.starts_with("The zone file"), "{}", part.refused_what);
}
