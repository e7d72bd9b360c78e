//! The manual: its links resolve, it names every room, what the code cites exists, and its table of rules is the code's.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Pages that are no part of the repository and so cannot be cited without their folder.
const PAGES: [&str; 8] = [
    "approval.md",
    "dns.md",
    "architecture.md",
    "contract.md",
    "dependencies.md",
    "papers.md",
    "structure.md",
    "style.md",
];

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in files(&["."], "md") {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let goal = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let found = goal.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&goal).unwrap()).contains(anchor));
            if !found {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn the_code_cites_nothing_outside_the_repository() {
    let mut wrong = Vec::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut before = "";
        for (at, line) in text.lines().enumerate() {
            if let Some(what) = outside(before, line) {
                wrong.push(format!("{}:{}: {what}", file.display(), at + 1));
            }
            before = line;
        }
    }
    assert!(wrong.is_empty(), "cited, but not in the repository:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_outside_is_recognized() {
    for line in
        ["(approval.md §2.4)", "see dns.md", "shared/design", "(§2.4, rule 2)", "docs/no.md"]
    {
        assert!(outside("", line).is_some(), "{line}");
    }
    for line in ["RFC 1035 §5", "RFC 1035 §3 and §4", "docs/dns.md", "plain words"] {
        assert_eq!(outside("", line), None, "{line}");
    }
    assert_eq!(outside("/// a transfer is REFUSED (RFC 5936", "/// §2.2.1)"), None);
}

#[test]
fn every_room_is_on_both_maps() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let (code, page) = (read("src/lib.rs"), read("docs/architecture.md"));
    let all = [code.as_str(), &read("src/core/lib.rs"), &read("src/dns/lib.rs")].concat();
    let rooms = all.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for room in rooms {
        assert!(
            code.contains(&format!("//! | [`{room}`] | ")),
            "src/lib.rs does not tell of {room}"
        );
        assert!(
            page.contains(&format!("| `{room}` | ")),
            "docs/architecture.md does not tell of {room}"
        );
    }
}

#[test]
fn the_table_of_rules_is_made_from_the_code() {
    made_from_the_code("docs/dns.md", "rules table", &gapura::check::rules_as_table());
}

#[test]
fn the_table_of_the_query_log_is_made_from_the_code() {
    let rows =
        gapura::serve::query_log::read::KEYS.map(|(key, what)| format!("| `{key}` | {what} |\n"));
    let table = format!("| key | what |\n|---|---|\n{}", rows.concat());
    made_from_the_code("docs/operation.md", "query log table", &table);
}

#[test]
fn the_table_of_events_is_made_from_the_code() {
    let row = |(event, id, what): (&str, &str, &str)| format!("| `{event}` | {what} | `{id}` |\n");
    let rows = gapura::run::log::EVENTS.map(row).concat();
    let table = format!("| `event` | what happened | `MESSAGE_ID` |\n|---|---|---|\n{rows}");
    made_from_the_code("docs/operation.md", "events table", &table);
}

#[test]
fn the_tables_of_metrics_are_made_from_the_code() {
    let tables = gapura::metrics::catalogue::as_tables();
    made_from_the_code("docs/metrics.md", "metrics tables", &tables);
}

//------------ Helpers -------------------------------------------------------

/// Holds a part of a page, between two marks, to what the code makes of it; or writes it.
fn made_from_the_code(page: &str, part: &str, made: &str) {
    let page = root().join(page);
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->\n"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (table, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("GAPURA_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    let hint = "GAPURA_WRITE_DOCS=1 cargo test --test it manual:: writes it anew";
    assert_eq!(table, made, "{hint}");
}

/// The package.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files with an ending in folders of the package and below, but for what builds leave behind.
fn files(folders: &[&str], ending: &str) -> Vec<PathBuf> {
    let mut todo: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let skipped = name.starts_with('.') || ["target", "state", "corpus"].contains(&&*name);
            if path.is_dir() && !skipped {
                todo.push(path);
            } else if path.extension().is_some_and(|is| is == ending) {
                found.push(path);
            }
        }
    }
    found
}

/// Everything that is code or settings, but for this file.
fn sources() -> Vec<PathBuf> {
    let mut all = files(&["src", "tests", "benches", "fuzz"], "rs");
    all.extend(files(&["tests"], "txt"));
    all.extend(files(&["config"], "toml"));
    all.push(root().join(".ci/run"));
    all.push(root().join("Cargo.toml"));
    all.retain(|file| !file.ends_with("tests/it/manual.rs"));
    all
}

/// What a line cites that the repository does not hold; `previous` is the line before it.
fn outside(previous: &str, line: &str) -> Option<String> {
    for word in line.split(|c: char| !(c.is_alphanumeric() || "/._-".contains(c))) {
        let word = word.trim_matches('.');
        if word.starts_with("shared/") || PAGES.contains(&word) {
            return Some(word.to_owned());
        }
        if word.starts_with("docs/") && !root().join(word).exists() {
            return Some(word.to_owned());
        }
    }
    // A section belongs to the RFC named shortly before it.
    let (before, after) = line.split_once('§')?;
    let text = format!("{previous} {before}");
    let near: String = text.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
    (!near.contains("RFC ")).then(|| format!("§{}", after.split(' ').next().unwrap_or(after)))
}

/// The relative links of a page.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// The anchors of a page's headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            words
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}
