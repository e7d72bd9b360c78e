//! The floors of the room: each uses only those below it.

use std::path::Path;

/// The floors from the top down.
const FLOORS: [&str; 5] = ["source", "propose", "door", "state", "confirm"];

#[test]
fn a_floor_uses_only_those_below_it() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("publish");
    let mut wrong = Vec::new();
    for (height, floor) in FLOORS.iter().enumerate() {
        for entry in std::fs::read_dir(room.join(floor)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let upward = FLOORS[..height].iter().filter(|above| {
                text.contains(&format!("publish::{above}::"))
                    || text.contains(&format!("super::super::{above}::"))
            });
            wrong.extend(upward.map(|above| format!("{} uses `{above}`", path.display())));
        }
    }
    assert!(wrong.is_empty(), "upward arrows:\n{}", wrong.join("\n"));
}
