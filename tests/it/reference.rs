//! The pages of the manual that are made from the code: every setting, every finding, every command.
//!
//! `GAPURA_WRITE_DOCS=1 cargo test --test it reference::` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gapura::config::{Settings, changed};
use serde_json::Value;

/// The shipped settings: every key with its explanation.
const SHIPPED: &str = include_str!("../../config/gapura.toml");

/// Holds a page against what it is made of, or writes it.
#[track_caller]
fn hold(page: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    if std::env::var_os("GAPURA_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, made).unwrap();
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let hint = "GAPURA_WRITE_DOCS=1 cargo test --test it reference:: writes it anew";
    for (at, (ours, theirs)) in there.lines().zip(made.lines()).enumerate() {
        assert_eq!(ours, theirs, "docs/{page}:{}: {hint}", at + 1);
    }
    assert_eq!(there.len(), made.len(), "docs/{page}: {hint}");
}

#[test]
fn every_finding_is_in_the_manual() {
    let known: BTreeSet<&str> = gapura::run::findings::ids().collect();
    let mut texts = String::new();
    let mut missing = BTreeSet::new();
    for (path, text) in sources() {
        let shown = path.to_string_lossy().into_owned();
        let mut starts = vec!["rule: \""];
        if shown.contains("src/core/publish/") {
            starts.extend(["error(\"", "warning(\"", "fault(\""]);
        }
        if shown.contains("src/run/check/") {
            starts.extend(["fault(\"", "warn(\""]);
        }
        let joined = text
            .replace("(\n", "(")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( \"", "(\"");
        for start in starts {
            let ids = joined.split(start).skip(1).filter_map(|rest| rest.split('"').next());
            let is_id = |id: &&str| {
                !id.is_empty()
                    && id
                        .bytes()
                        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
            };
            missing.extend(ids.filter(is_id).filter(|id| !known.contains(id)).map(str::to_owned));
        }
        if !shown.ends_with("run/findings.rs") {
            texts.push_str(&text);
        }
    }
    assert!(missing.is_empty(), "not in src/run/findings.rs: {missing:?}");
    let unused: Vec<_> = known.iter().filter(|id| !texts.contains(&format!("\"{id}\""))).collect();
    assert!(unused.is_empty(), "no code has these findings: {unused:?}");
    let made = format!(
        "# Every finding\n\n\
         What `gapura check`, `gapura zone check`, a reload and `gapura ctl status` may report. A finding has the form\n\
         `FILE:LINE:COLUMN SEVERITY ID: MESSAGE (HINT)`, and in JSON the same parts by name. An error keeps a new version from\n\
         being served, and the current one stays. A warning does not. `errors = [\"ID\"]` in a `[[zone]]` turns warnings into errors.\n\n\
         This page is generated from the code (`src/run/findings.rs`, `src/dns/check/rules.rs`, `src/dns/master/rule.rs`).\n\n{}",
        gapura::run::findings::findings_as_tables()
    );
    hold("findings.md", &made);
}

#[test]
fn every_command_is_in_the_manual() {
    let made = format!(
        "# Every command\n\n\
         `gapura COMMAND --help` prints the same. Exit codes: 0 success; 1 refused, errors found, or gapura cannot start yet for a reason that may\n\
         pass (an address that is not up yet); 2 usage error, or gapura cannot start. Output goes to standard output, errors to standard error.\n\
         What each does and when: [api.md](api.md#command-line), [operation.md](operation.md).\n\n\
         This page is generated from the code (`src/cli/args.rs`; the acts on a request are the rows of `src/core/queue/procedure/table.rs`).\n\n{}",
        gapura::cli::commands().trim_end()
    );
    hold("commands.md", &(made + "\n"));
}

#[test]
fn every_setting_is_in_the_manual() {
    let tables = tables();
    let defaults = serde_json::to_value(toml::from_str::<Settings>(MINIMAL).unwrap()).unwrap();
    let mut made = String::from(
        "# Every setting\n\n\
         The keys of the settings file, `/etc/gapura/gapura.toml` or the one given by `--config`. Relative paths are relative to its directory.\n\
         `gapura check` reports every fault in it; `gapura check --effective` prints what is in force, with the origin of each value.\n\
         *reload*: `gapura ctl reload` or SIGHUP puts a new value in force; *restart*: it takes effect at a restart, and the reply says so.\n\
         What can also be changed on pages: [settings.md](../settings.md).\n\n\
         This page is generated from [config/gapura.toml](../../config/gapura.toml) and the code.\n",
    );
    for table in &tables {
        made += &format!("\n## `{}`\n\n", table.header);
        if !table.about.is_empty() {
            made += &format!("{}.\n\n", sentence(&table.about));
        }
        made += "| key | type | default | new value by | meaning |\n|---|---|---|---|---|\n";
        for row in &table.rows {
            let (kind, default) = (kind(&row.value), default_of(&defaults, table, row));
            let by = if row.waits { "restart" } else { "reload" };
            made +=
                &format!("| `{}` | {kind} | {default} | {by} | {} |\n", row.key, cell(&row.about));
        }
        for prose in &table.prose {
            made += &format!("\n{}.\n", sentence(prose));
        }
    }
    let rows: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| table.rows.iter().map(|row| format!("{}.{}", table.name(), row.key)))
        .collect();
    let missing: Vec<String> =
        keys_of(&defaults).into_iter().filter(|key| !rows.contains(key)).collect();
    assert!(missing.is_empty(), "no row: {missing:?}");
    hold("reference/settings.md", &made);
}

#[test]
fn one_look_tells_every_fault_of_the_settings() {
    let made = tempfile::tempdir().unwrap();
    let text = "[server]\nlissten = 1\nudp_payload = \"x\"\nproxies = [\"nowhere\"]\n[query_log]\nfile = \"q\"\n\
                names = [\"a..b\"]\n[targets]\nallow = [\"1.2.3.4/99\"]\n[work]\nhours = \"never\"\n\
                [[remote]]\nname = \"r\"\n[[zone]]\nname = \"a.example.\"\nfile = \"a\"\ntransfer = [\"r\"]\n";
    std::fs::write(made.path().join("gapura.toml"), text).unwrap();
    let output = crate::support::run_in(made.path(), &["check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let mut lines: Vec<u64> = findings.iter().filter_map(|it| it["line"].as_u64()).collect();
    lines.sort_unstable();
    // A remote that does not read is told, and not missed by the zone that names it.
    assert_eq!(lines, [2, 3, 4, 7, 9, 11, 12], "{json:#}");
}

#[test]
fn what_is_in_force_is_printed_with_its_origin_and_no_secret() {
    let made = tempfile::tempdir().unwrap();
    let text = "[server]\nnsid = \"ns1\"\n[[key]]\nname = \"a.\"\nsecret = \"Z2VoZWlt\"\n";
    std::fs::write(made.path().join("gapura.toml"), text).unwrap();
    let output = crate::support::run_in(made.path(), &["check", "--effective"]);
    let shown = crate::support::printed(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let line = |start: &str| {
        let found = shown.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {shown}")).to_owned()
    };
    assert!(line("nsid = \"ns1\"").ends_with("# gapura.toml:2"), "{shown}");
    assert!(line("udp_payload = 1232").ends_with("# default"), "{shown}");
    assert!(!shown.contains("Z2VoZWlt"), "{shown}");
    let output = crate::support::run_in(made.path(), &["check", "--effective", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nsid = json["settings"].as_array().unwrap().iter().find(|it| it["key"] == "server.nsid");
    assert_eq!(nsid.unwrap()["from"], "gapura.toml:2");
    // Read back it is the same settings, but for the secret.
    let read: Settings = toml::from_str(&shown).unwrap();
    assert_eq!(read.server.nsid, "ns1");
}

//------------ The settings --------------------------------------------------

/// Every table, with what has no default.
const MINIMAL: &str = "[tls]\nlisten = []\ncert = \"\"\nkey = \"\"\n[quic]\nlisten = []\ncert = \"\"\nkey = \"\"\n\
    [query_log]\nfile = \"\"\n[dnstap]\n[metrics]\nlisten = \"127.0.0.1:9153\"\n[[key]]\nname = \"\"\n\
    [[remote]]\nname = \"\"\naddresses = []\n[[signing]]\n[[zone]]\nname = \"\"\n[[hosting]]\nname = \"\"\ntarget = \"\"\n\
    [[webhook]]\nname = \"\"\nurl = \"\"\n";

/// A table of the shipped settings.
#[derive(Debug, Default)]
struct Table {
    /// As the file writes it, `[server]`.
    header: String,
    /// What it is.
    about: String,
    /// Its keys.
    rows: Vec<Row>,
    /// What else is said in it.
    prose: Vec<String>,
}

impl Table {
    /// Its name without brackets.
    fn name(&self) -> &str {
        self.header.trim_matches(['[', ']'])
    }
}

/// A key.
#[derive(Clone, Debug, Default)]
struct Row {
    /// Its name.
    key: String,
    /// The value that is shown, as TOML.
    value: String,
    /// What it is.
    about: String,
    /// Whether a new value waits for a restart.
    waits: bool,
}

/// What a line of the shipped settings is; those that show what is not set count as set.
enum Line<'a> {
    /// A header, and what is said of it.
    Header(&'a str, &'a str),
    /// A key, its value, and what is said of it.
    Key(&'a str, &'a str, &'a str),
    /// More of what is said of the line before.
    More(&'a str),
    /// A sentence by itself.
    Prose(&'a str),
    /// Nothing.
    Empty,
}

/// Reads a line.
fn line(line: &str) -> Line<'_> {
    let bare = line.strip_prefix("# ").unwrap_or(line);
    let (code, said) = split(bare);
    if code.starts_with('[') {
        return Line::Header(code, said);
    }
    if let Some((key, value)) = code.split_once(" = ")
        && key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
    {
        return Line::Key(key, value, said);
    }
    let text = line.trim_start_matches('#').trim_start().trim_start_matches('#').trim();
    match text {
        "" => Line::Empty,
        text if line.starts_with("# ") && !line.starts_with("#  ") => Line::Prose(text),
        text => Line::More(text),
    }
}

/// Code, and the comment behind it.
fn split(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, sign) in line.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            '#' if !quoted => return (line[..at].trim(), line[at + 1..].trim()),
            _ => {}
        }
    }
    (line.trim(), "")
}

/// The tables of the shipped settings, each with all its keys.
fn tables() -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let (mut now, mut pending, mut is_row) = (0, Vec::<String>::new(), false);
    for (number, text) in SHIPPED.lines().enumerate() {
        match line(text) {
            Line::Header(header, said) => {
                now = tables.iter().position(|it| it.header == header).unwrap_or(tables.len());
                if now == tables.len() {
                    // What stands above the first table is about the file.
                    let above = if now == 0 { String::new() } else { pending.join(" ") };
                    let about =
                        [above.trim_start_matches("--- "), said].join(" ").trim().to_owned();
                    tables.push(Table { header: header.to_owned(), about, ..Table::default() });
                } else {
                    tables[now].prose.extend((!said.is_empty()).then(|| said.to_owned()));
                }
                pending.clear();
                is_row = false;
            }
            Line::Key(key, value, said) => {
                is_row = true;
                tables[now].prose.append(&mut pending);
                if tables[now].rows.iter().any(|row| row.key == key) {
                    continue;
                }
                let waits = waits(number, value, said);
                let (key, value, about) = (key.to_owned(), value.to_owned(), said.to_owned());
                let or = also(&about);
                let row = Row { key, value, about, waits };
                if let Some(other) = or {
                    let about = format!("in the place of `{}`", row.key);
                    let value = "\"\"".to_owned();
                    tables[now].rows.push(Row { key: other, value, about, waits });
                }
                tables[now].rows.push(row);
            }
            Line::More(said) if is_row => {
                let row = tables[now].rows.last_mut().unwrap();
                row.about = format!("{} {said}", row.about);
            }
            Line::More(said) => tables[now].about += &format!(" {said}"),
            Line::Prose(said) => match said.strip_suffix(": as for the query log") {
                Some(names) => shared(&mut tables, now, names),
                None => pending.push(said.to_owned()),
            },
            Line::Empty => {
                if let Some(table) = tables.get_mut(now) {
                    table.prose.append(&mut pending);
                }
                pending.clear();
            }
        }
    }
    tables
}

/// The key that may stand in the place of another, as `or file = "…"` says.
fn also(about: &str) -> Option<String> {
    let (before, _) = about.split_once("or ")?.1.split_once(" = \"")?;
    before.bytes().all(|it| it.is_ascii_lowercase() || it == b'_').then(|| before.to_owned())
}

/// Keys that are those of the query log.
fn shared(tables: &mut [Table], now: usize, names: &str) {
    let log = tables.iter().find(|it| it.header == "[query_log]").unwrap();
    let rows: Vec<Row> = names
        .split(',')
        .map(|name| name.split_whitespace().next().unwrap())
        .map(|name| log.rows.iter().find(|row| row.key == name).unwrap().clone())
        .collect();
    tables[now].rows.extend(rows);
}

/// Whether another value in this line waits for a restart, by the daemon's own judgement.
fn waits(number: usize, value: &str, said: &str) -> bool {
    let with = |other: Option<&str>| {
        let lines = SHIPPED.lines().enumerate().map(|(at, text)| match (line(text), other) {
            (Line::Key(key, ..), Some(other)) if at == number => format!("{key} = {other}"),
            (Line::Header(..) | Line::Key(..), _) => {
                text.strip_prefix("# ").unwrap_or(text).to_owned()
            }
            _ => text.to_owned(),
        });
        toml::from_str::<Settings>(&lines.collect::<Vec<_>>().join("\n"))
    };
    let before = with(None).unwrap();
    let quoted = said.split('"').skip(1).step_by(2).map(|word| format!("\"{word}\""));
    let mut others: Vec<String> = match value {
        "true" => vec!["false".to_owned()],
        "false" => vec!["true".to_owned()],
        number if number.parse::<u64>().is_ok() => {
            vec![format!("{}", number.parse::<u64>().unwrap() + 1)]
        }
        list if list.starts_with('[') => {
            let words = ["127.0.0.9:9", "192.0.2.9", "x"].map(|word| format!("[\"{word}\"]"));
            words.into_iter().chain(["[]".to_owned()]).collect()
        }
        _ => quoted.collect(),
    };
    others.extend(["\"127.0.0.9:9\"", "\"x\""].map(str::to_owned));
    for other in others {
        let Ok(after) = with(Some(&other)) else { continue };
        if !changed(&before, &after).is_empty() {
            return !gapura::run::waits_for_restart(&before, &after).is_empty();
        }
        // The file of a zone is read again by every reload, and told with the zone.
        if serde_json::to_value(&before).unwrap() != serde_json::to_value(&after).unwrap() {
            return false;
        }
    }
    panic!("config/gapura.toml:{}: no other value is known for {value}", number + 1)
}

/// The type of a value, in words.
fn kind(value: &str) -> &'static str {
    let table: toml::Table = toml::from_str(&format!("v = {value}")).unwrap();
    match &table["v"] {
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Integer(_) => "number",
        toml::Value::Array(list) if list.first().is_some_and(toml::Value::is_integer) => {
            "list of numbers"
        }
        toml::Value::Array(list) if list.first().is_some_and(toml::Value::is_table) => {
            "list of tables"
        }
        toml::Value::Array(_) => "list of texts",
        _ => "text",
    }
}

/// The default of a key, as TOML.
fn default_of(defaults: &Value, table: &Table, row: &Row) -> String {
    let inside = &defaults[table.name()];
    let inside = inside.as_array().map_or(inside, |list| &list[0]);
    let needed = toml::from_str::<Value>(MINIMAL).unwrap();
    let given = &needed[table.name()];
    let given = given.as_array().map_or(given, |list| &list[0]);
    if given.get(&row.key).is_some() {
        return "(needed)".to_owned();
    }
    match &inside[&row.key] {
        Value::Null => "–".to_owned(),
        Value::String(text) if text.is_empty() => "`\"\"`".to_owned(),
        value => format!("`{value}`"),
    }
}

/// All keys of all tables.
fn keys_of(settings: &Value) -> Vec<String> {
    let tables: BTreeMap<&String, &Value> = settings.as_object().unwrap().iter().collect();
    let mut keys = Vec::new();
    for (name, table) in tables {
        let inside = table.as_array().map_or(table, |list| &list[0]);
        let names = inside.as_object().unwrap_or_else(|| panic!("{name} is no table")).keys();
        keys.extend(names.map(|key| format!("{name}.{key}")));
    }
    keys
}

/// A text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace("[[", "\\[[")
}

/// A text as a sentence: its first letter large, no dot at its end.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut signs = text.chars();
    let first = signs.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    cell(&(first + signs.as_str()))
}

//------------ Helpers -------------------------------------------------------

/// Every source file of the program, without tests.
fn sources() -> Vec<(PathBuf, String)> {
    let (mut found, mut todo) =
        (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]);
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                todo.extend((name != "tests").then_some(path));
            } else if name.ends_with(".rs") && !name.starts_with("test") {
                let text = std::fs::read_to_string(&path).unwrap();
                let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
                found.push((path, product.to_owned()));
            }
        }
    }
    found
}
