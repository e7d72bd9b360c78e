//! The manual: its links resolve, it names every room, and its table of rules is the code's.

use std::collections::BTreeSet;
use std::path::PathBuf;

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
fn every_room_is_on_both_maps() {
    let code = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rooms = code.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
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
    let page = root().join("docs/dns.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- rules table: begin -->\n", "<!-- rules table: end -->\n");
    let (before, rest) = text.split_once(begin).unwrap();
    let (table, after) = rest.split_once(end).unwrap();
    let made = gapura::check::rules_as_table();
    if std::env::var_os("GAPURA_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    let hint = "GAPURA_WRITE_DOCS=1 cargo test --test it manual:: writes it anew";
    assert_eq!(table, made, "{hint}");
}

//------------ Helpers -------------------------------------------------------

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
