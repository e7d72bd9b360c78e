//! Holds the shape of the house: which room may use which, no cycles, and what only some may name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms that all may use.
const COMMON: &[&str] = &["wire", "digest", "files", "lock", "memory", "threads", "text"];

/// Which rooms a room may use, besides those. The order is the reading order of `src/lib.rs`.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("digest", &[]),
    ("files", &[]),
    ("lock", &[]),
    ("threads", &[]),
    ("memory", &[]),
    ("text", &[]),
    ("dnssec", &[]),
    ("rollover", &["dnssec"]),
    ("tsig", &[]),
    ("dns_client", &[]),
    ("zone", &[]),
    ("answer", &["zone"]),
    ("transfer", &["zone"]),
    ("update", &["zone"]),
    ("serve", &["answer", "zone", "transfer", "tsig", "dns_client"]),
    ("master", &[]),
    ("check", &["master", "zone", "dnssec"]),
    ("keystore", &["dnssec", "rollover"]),
    ("sign", &["zone", "dnssec"]),
    ("catalog", &["zone"]),
    ("spreadsheet", &[]),
    ("queue", &["spreadsheet"]),
    ("schema", &["queue"]),
    ("view", &["queue"]),
    ("confined", &[]),
    ("uploads", &["queue", "confined"]),
    ("store", &["queue"]),
    (
        "publish",
        &[
            "zone",
            "master",
            "check",
            "catalog",
            "store",
            "dns_client",
            "transfer",
            "dnssec",
            "rollover",
            "keystore",
            "sign",
        ],
    ),
    ("signer", &["zone", "dns_client", "dnssec", "rollover", "sign", "keystore", "publish"]),
    ("fleet", &["answer", "zone", "transfer", "update", "tsig", "serve", "dns_client", "publish"]),
    ("audit", &["store", "queue"]),
    ("dossier", &["paper", "queue", "words"]),
    ("ledger", &["dossier", "paper", "queue", "store", "audit"]),
    ("people", &["store", "queue", "audit"]),
    ("register", &["queue", "ledger", "store", "audit", "publish", "zone"]),
    (
        "promote",
        &["queue", "dossier", "ledger", "register", "store", "audit", "publish", "zone", "master"],
    ),
    (
        "desk",
        &[
            "queue",
            "view",
            "uploads",
            "dossier",
            "ledger",
            "store",
            "audit",
            "publish",
            "register",
            "promote",
            "report",
            "paper",
            "zone",
            "master",
            "dns_client",
            "webhook",
            "bulk",
        ],
    ),
    ("words", &["queue"]),
    ("bulk", &["queue", "spreadsheet", "uploads", "words"]),
    ("notice", &["words", "queue"]),
    ("webhook", &["dns_client", "queue", "view", "words"]),
    ("paper", &["queue", "words"]),
    ("press", &["paper", "confined"]),
    ("report", &["words", "store", "queue", "spreadsheet", "view", "paper", "dossier"]),
    ("statistics", &["serve", "answer", "store", "queue", "view"]),
    (
        "web",
        &[
            "desk",
            "publish",
            "rollover",
            "signer",
            "fleet",
            "people",
            "paper",
            "uploads",
            "notice",
            "words",
            "store",
            "queue",
            "audit",
            "view",
            "report",
            "statistics",
            "press",
            "webhook",
            "bulk",
            "spreadsheet",
        ],
    ),
    ("config", &["master"]),
    ("import", &["dnssec", "tsig"]),
    ("backup", &[]),
    ("control", &[]),
    ("metrics", &["serve", "answer", "publish"]),
    ("service", &["serve"]),
    ("run", &["*"]),
    ("cli", &["*"]),
];

/// The folders of the packages below the program. The compiler holds that nothing in them uses what is above.
const BELOW: [&str; 2] = ["src/dns", "src/core"];

/// Words that only some files or rooms may use, and why.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["src/core/store/"], "all SQL is in store"),
    ("tokio_postgres", &["src/core/store/"], "all SQL is in store"),
    ("hickory_server::", &["src/dns/serve/quic"], "hickory-server stays behind one bridge"),
    (
        "unsafe {",
        &[
            "src/dns/memory.rs",
            "src/dns/serve/batch",
            "src/dns/serve/xdp/bpf.rs",
            "src/dns/serve/xdp/ethtool.rs",
            "src/dns/serve/xdp/memory.rs",
            "src/dns/serve/xdp/rings.rs",
        ],
        "unsafe code is where the kernel is called or shares memory",
    ),
];

/// Rooms of rules and data, which know no runtime, socket, clock, file, SQL or HTTP.
const PURE: &[&str] = &[
    "wire",
    "dnssec",
    "rollover",
    "tsig",
    "zone",
    "transfer",
    "update",
    "answer",
    "sign",
    "catalog",
    "spreadsheet",
    "queue",
    "paper",
    "dossier",
    "import",
];

/// What one file of a room of [`PURE`] may use all the same, and why.
const ALL_THE_SAME: &[(&str, &str, &str)] =
    &[("src/dns/sign/parallel.rs", "std::thread", "a million signatures are made by all cores")];

/// Words that no room of [`PURE`] may use.
const IMPURE: &[&str] = &[
    "tokio",
    "utoipa",
    "rusqlite",
    "axum",
    "hyper",
    "tower",
    "reqwest",
    "askama",
    "lettre",
    "SystemTime",
    "Instant",
    "OffsetDateTime::now",
    "std::fs",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::thread",
    "std::env",
];

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path).filter(|_| !is_test(&path)) else { continue };
        let Some(may) = allowed.get(room.as_str()) else {
            wrong.push(format!("{}: room `{room}` is not in the table", path.display()));
            continue;
        };
        for used in rooms_named(&text, &allowed) {
            let fine = used == room
                || COMMON.contains(&used.as_str())
                || may.contains(&"*")
                || may.contains(&used.as_str());
            if !fine {
                wrong.push(format!("{}: `{room}` uses `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that may not be:\n{}", wrong.join("\n"));
}

#[test]
fn every_arrow_of_the_table_is_used() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        if let Some(room) = room_of(&path).filter(|_| !is_test(&path)) {
            used.entry(room).or_default().extend(rooms_named(&text, &allowed));
        }
    }
    let mut unused = Vec::new();
    for (room, may) in ARROWS {
        let used = used.get(*room).unwrap_or_else(|| panic!("there is no room `{room}`"));
        unused.extend(
            may.iter()
                .filter(|below| **below != "*" && !used.contains(**below))
                .map(|below| format!("{room} -> {below}")),
        );
    }
    assert!(unused.is_empty(), "arrows that nothing uses: {unused:?}");
}

#[test]
fn rooms_of_rules_know_no_world_outside() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let is_pure = room_of(&path).is_some_and(|room| PURE.contains(&room.as_str()));
        if !is_pure || is_test(&path) {
            continue;
        }
        for line in code_lines(product(&text)) {
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| names(line, word) && !is_excused(&path, word))
                    .map(|word| format!("{}: `{word}` in `{}`", path.display(), line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_itself_has_no_cycle() {
    // Repeatedly takes away rooms that use only rooms already taken away.
    let mut left: Vec<_> = ARROWS.iter().filter(|(_, may)| !may.contains(&"*")).collect();
    let mut done = BTreeSet::from_iter(COMMON.iter().copied());
    while !left.is_empty() {
        let before = left.len();
        left.retain(|(room, may)| {
            let free = may.iter().all(|used| done.contains(used));
            if free {
                done.insert(room);
            }
            !free
        });
        assert!(left.len() < before, "a cycle among {left:?}");
    }
}

#[test]
fn what_belongs_in_one_place_is_named_nowhere_else() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (word, places, why) in ONLY_IN {
            let here = path.to_string_lossy().replace('\\', "/");
            let is_here = places.iter().any(|place| here.starts_with(place));
            if code_lines(&text).any(|line| line.contains(word)) && !is_here {
                wrong.push(format!("{here} names `{word}`: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| {
            !text.starts_with("//!") && path.file_name().is_none_or(|name| name != "tests.rs")
        })
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "no //! at the head of {silent:?}");
}

//------------ Helpers -------------------------------------------------------

/// Every Rust file below `src`, with its text; paths are relative to the package.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut todo) = (Vec::new(), vec![root.join("src")]);
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    found
}

/// The room a file belongs to, in any package; none for `lib.rs` and `main.rs`.
fn room_of(path: &Path) -> Option<String> {
    let below = BELOW.iter().find_map(|folder| path.strip_prefix(folder).ok());
    let inside = below.or_else(|| path.strip_prefix("src").ok())?;
    let mut parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
    let first = parts.next()?;
    let is_room_file = parts.next().is_some() || !matches!(first.as_str(), "lib.rs" | "main.rs");
    is_room_file.then(|| first.trim_end_matches(".rs").to_owned())
}

/// Whether a file holds tests only.
fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "testing.rs")
}

/// The text before the unit tests at the end of a file.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// Whether a file may use a word that its room may not.
fn is_excused(path: &Path, word: &str) -> bool {
    ALL_THE_SAME.iter().any(|(file, excused, _)| path == Path::new(file) && *excused == word)
}

/// Whether a line has `word` as a whole word.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

/// Lines that are code: no comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The rooms named as `crate::ROOM` or inside `use crate::{ROOM…}`. Test code may look anywhere.
fn rooms_named(text: &str, rooms: &BTreeMap<&str, &[&str]>) -> BTreeSet<String> {
    let code: String = code_lines(product(text)).flat_map(|line| [line, "\n"]).collect();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let words = match rest.strip_prefix('{') {
            Some(group) => group.split("};").next().unwrap_or(group),
            None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(rest),
        };
        for word in words.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if rooms.contains_key(word) {
                found.insert(word.to_owned());
            }
        }
    }
    found
}
