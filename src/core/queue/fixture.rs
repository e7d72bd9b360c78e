//! Values the unit tests of this room share.

use super::*;

/// Monday 23 November 2026, 08.00 WIB.
pub const MONDAY_8: i64 = 1_795_395_600_000;

/// A moment of that week: day 0 is the Monday.
pub fn at(day: i64, hour: i64, minute: i64) -> i64 {
    MONDAY_8 + day * 86_400_000 + (hour - 8) * 3_600_000 + minute * 60_000
}

/// A request for a village's name that no rule stands against.
pub fn application() -> Application {
    serde_json::from_str(
        r#"{ "kind": "new", "class": "desa", "name": "grogolkapetakan.desa",
        "zone": "cirebonkab.go.id.",
        "records": [ { "type": "A", "data": "192.0.2.10", "ttl": 3600 } ],
        "office": "Desa Grogol", "region": "32.09.22.2015", "purpose": "Situs resmi desa",
        "contact": { "name": "Sutrisno", "position": "Sekretaris Desa",
                     "email": "desa@example.id", "phone": "0231-1" },
        "letter": { "number": "140/12", "date": "2026-11-23" }, "starts": null, "ends": null }"#,
    )
    .unwrap()
}

/// An officer with one role; the person id is the name.
pub fn officer(name: &str, role: Role) -> Actor {
    let email = format!("{name}@example.id");
    Actor::officer(name, Identity::new(Some(name), None, Some(&email)), vec![role])
}
