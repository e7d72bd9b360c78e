//! From a file to [`Settings`] or to findings with file:line:column.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{find, read, text_of};
use super::{Settings, ZoneSettings, paths};
use crate::master::{Finding, Place, Severity};
use crate::wire::Name;

/// Where settings are looked for when no `--config` is given, in this order.
const DEFAULT_PATHS: [&str; 2] = ["config/gapura.toml", "/etc/gapura/gapura.toml"];

//------------ Loaded --------------------------------------------------------

/// Settings that were read, and from where.
#[derive(Clone)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub settings: Settings,
    /// Its text, for places in it.
    text: String,
}

impl std::fmt::Debug for Loaded {
    /// Without the text, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Loaded {
    /// The place of a key, as `tls.cert` or `server.listen[1]`; none if it is not in the file.
    pub fn place(&self, key: &str) -> Option<Place> {
        let found = find(&self.text, key).map(|span| place(&self.path, &self.text, span))?;
        let source = if may_hold_secret(key) { String::new() } else { found.source };
        Some(Place { source, ..found })
    }

    /// The text of the file.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The header of the table that a line is in, as `[server]` or `[[zone]]`.
    pub fn table_at(&self, line: u32) -> Option<&str> {
        let above = self.text.lines().take(usize::try_from(line).unwrap_or(usize::MAX));
        above.filter(|line| line.starts_with('[')).last()
    }
}

/// Whether a key, or a line that has one, may hold what is not to be shown: a secret, a relay's password, or the
/// address of a chat group.
pub(super) fn may_hold_secret(text: &str) -> bool {
    ["secret", "relay", "webhook", "url"].iter().any(|word| text.contains(word))
}

/// Whether a line of the settings begins with a key or is a header.
fn has_key(line: &str) -> bool {
    let plain = |text: &str| {
        let is_bare =
            |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | ' ');
        !text.is_empty() && text.chars().all(is_bare)
    };
    let line = line.trim();
    let key = line.split_once('=').map(|(key, _)| key.trim());
    let key =
        key.map(|key| key.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(key));
    key.is_some_and(plain)
        || line.strip_prefix('[').is_some_and(|it| plain(it.trim_matches(['[', ']'])))
}

/// The first default path that exists, else the first of all, so that the error names it.
pub fn default_path() -> PathBuf {
    let paths = DEFAULT_PATHS.map(PathBuf::from);
    paths.iter().find(|path| path.exists()).unwrap_or(&paths[0]).clone()
}

/// The state directory that a settings file names, whatever else is wrong with it: a running daemon is reached
/// through it, and says itself what it makes of the file.
pub fn state_dir_of(path: &Path) -> PathBuf {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut settings = Settings::default();
    if let Some(named) = text_of(&text, "server", "state_dir") {
        settings.server.state_dir = named.into();
    }
    paths::resolve(&mut settings, path);
    settings.server.state_dir
}

/// Reads and checks `path`. All faults are told at once; relative paths are those of its directory.
pub fn load(path: &Path) -> Result<Loaded, Vec<Finding>> {
    match survey(path) {
        (Some(loaded), findings) if findings.is_empty() => Ok(loaded),
        (_, findings) => Err(findings),
    }
}

/// The settings in `path` as far as they read, without what does not, and what is wrong. With a fault they are
/// for looking at, not for use.
pub fn survey(path: &Path) -> (Option<Loaded>, Vec<Finding>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied => "they may hold secrets: run this as root",
                _ => "name the file with --config FILE",
            };
            let finding = Finding {
                rule: "settings-unreadable",
                severity: Severity::Error,
                place: None,
                message: format!("cannot read the settings {}: {error}", path.display()),
                hint: Some(hint.to_owned()),
            };
            return (None, vec![finding]);
        }
    };
    let (settings, mut findings) = read(path, &text);
    if let Some(settings) = &settings {
        findings.extend(check(path, &text, settings));
    }
    let order = |place: &Place| (place.line, place.column);
    findings.sort_by_key(|finding| finding.place.as_ref().map_or((u32::MAX, 0), order));
    let loaded = settings.map(|mut settings| {
        paths::resolve(&mut settings, path);
        Loaded { path: path.to_owned(), settings, text }
    });
    (loaded, findings)
}

//------------ Findings ------------------------------------------------------

/// Checks what types cannot: names, duplicates, ranges.
fn check(path: &Path, text: &str, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |span: Option<std::ops::Range<usize>>, message: String, hint: &str| {
        findings.push(Finding {
            rule: "settings-value",
            severity: Severity::Error,
            place: span.map(|span| place(path, text, span)),
            message,
            hint: Some(hint.to_owned()),
        });
    };
    let mut seen: HashSet<Name> = HashSet::new();
    for zone in &settings.zones {
        match zone.name.get_ref().parse::<Name>() {
            Ok(name) if seen.contains(&name) => tell(
                Some(zone.name.span()),
                format!("zone {name} is given twice"),
                "keep one [[zone]] for each name; case does not make a difference",
            ),
            Ok(name) => drop(seen.insert(name)),
            Err(error) => tell(
                Some(zone.name.span()),
                format!("\"{}\" is not a domain name: {error}", zone.name.get_ref()),
                "write it as \"example.go.id.\"",
            ),
        }
        let has_both = !zone.file.as_os_str().is_empty() && !zone.primaries.is_empty();
        if has_both || is_made(zone) && !lists_any(settings, zone) {
            tell(
                Some(zone.name.span()),
                format!("zone {} needs a file or primaries, one of them", zone.name.get_ref()),
                "give file = \"NAME.zone\", or primaries = [\"REMOTE\"] for a secondary zone; a catalog zone \
                 needs neither, but zones with its name in `catalog`",
            );
        }
        if zone.consume && zone.primaries.is_empty() {
            tell(
                Some(zone.name.span()),
                format!("zone {} has consume and no primaries", zone.name.get_ref()),
                "a catalog whose members are served is a secondary zone: give primaries = [\"REMOTE\"]",
            );
        }
        if !zone.catalog.is_empty() && !settings.zones.iter().any(|it| lists(it, zone)) {
            tell(
                Some(zone.name.span()),
                format!(
                    "zone {}: \"{}\" is no catalog zone of ours",
                    zone.name.get_ref(),
                    zone.catalog
                ),
                "give it a [[zone]] of its own with neither file nor primaries",
            );
        }
    }
    // What gapura signs is a version of its own, with its own digest.
    let is_as_it_came =
        |zone: &&ZoneSettings| !zone.primaries.is_empty() && zone.signing.is_empty();
    for zone in settings.zones.iter().filter(|zone| zone.zonemd).filter(is_as_it_came) {
        tell(
            Some(zone.name.span()),
            format!("zone {} has primaries and zonemd, and no signing", zone.name.get_ref()),
            "it is served as it was transferred: let its primary make the digest",
        );
    }
    if !(512..=4096).contains(&settings.server.udp_payload) {
        let message = format!("server.udp_payload is {}", settings.server.udp_payload);
        tell(None, message, "give 512 to 4096; 1232 passes every path");
    }
    for (key, value) in [
        ("server.tcp_per_address", settings.server.tcp_per_address),
        ("web.connections", settings.web.connections),
        ("web.connections_per_address", settings.web.connections_per_address),
        ("uploads.at_once", settings.uploads.at_once),
        ("people.sign_ins_waiting", settings.people.sign_ins_waiting),
    ] {
        if value == 0 {
            tell(None, format!("{key} is 0, which lets nobody in"), "write 1 or more");
        }
    }
    findings
}

/// Whether a zone is a catalog zone that gapura makes.
fn is_made(zone: &ZoneSettings) -> bool {
    zone.file.as_os_str().is_empty() && zone.primaries.is_empty()
}

/// Whether a catalog zone that gapura makes lists a zone.
fn lists(catalog: &ZoneSettings, zone: &ZoneSettings) -> bool {
    let name = |text: &str| text.parse::<Name>().ok();
    let apex = name(catalog.name.get_ref());
    is_made(catalog)
        && apex.is_some()
        && apex == name(&zone.catalog)
        && apex != name(zone.name.get_ref())
}

/// Whether it lists any.
fn lists_any(settings: &Settings, catalog: &ZoneSettings) -> bool {
    settings.zones.iter().any(|zone| lists(catalog, zone))
}

/// The place of a byte span.
pub(super) fn place(path: &Path, text: &str, span: std::ops::Range<usize>) -> Place {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[..start].matches('\n').count() + 1;
    let source = text[line_start..].lines().next().unwrap_or_default();
    // A value may have several lines: its key stands above.
    let above = text[..line_start].lines().rev();
    let opening = std::iter::once(source).chain(above).find(|line| has_key(line));
    let is_secret = may_hold_secret(source) || opening.is_some_and(may_hold_secret);
    let length = span.end.saturating_sub(start).clamp(1, source.len().max(1));
    Place {
        file: Arc::from(path),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(start - line_start + 1).unwrap_or(u32::MAX),
        length: u32::try_from(length).unwrap_or(u32::MAX),
        source: source.chars().take(200).filter(|_| !is_secret).collect(),
        includes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_with_a_secret_is_shown() {
        let text = "[server]\ncookie_secrets = [\n  \"geheim\",\n]\n[[key]]\nname = \"k.\"\nsecret = \"geheim\"\n";
        let (path, settings) = ("gapura.toml".into(), Settings::default());
        let loaded = Loaded { path, text: text.to_owned(), settings };
        for (key, line) in
            [("server.cookie_secrets[0]", 3), ("key[0].secret", 7), ("key[0].name", 6)]
        {
            let place = loaded.place(key).unwrap();
            assert_eq!((place.line, place.source.contains("geheim")), (line, false), "{key}");
        }
        // One that does not even read.
        check_lines("[[key]]\nname = \"k.\"\nsecret = geheim\n", &["FILE:3:10 error"]);
        let cut = place(Path::new("x"), "secret = geheim", 9..12);
        assert_eq!(cut.source, "");
        for text in [
            "cookie_secrets = [\n  geheim,\n]",
            "cookie_secrets = [\n \"eA==\",\n  geheim,\n]",
            "\"secret\" = \"\"\"\n\ngeheim\"\"\"",
        ] {
            let at = text.find("geheim").unwrap();
            assert_eq!(place(Path::new("x"), text, at..at + 2).source, "", "{text}");
        }
        let open = "secret = \"a\"\nnames = [\n  offen\n]";
        assert_eq!(place(Path::new("x"), open, 25..26).source, "  offen");
        // Of another type: the key, and not what stands there.
        check_lines(
            "[server]\ncookie_secrets = \"geheim, expected\"\n[mail]\nrelay = 4711\n[[key]]\nname = \"k.\"\nsecret = [\"geheim\"]\n",
            &[
                "FILE:2:18 error settings-value: server.cookie_secrets has a value that cannot be used: expected a sequence",
                "FILE:4:9 error settings-value: mail.relay has a value that cannot be used: expected a string",
                "key[0].secret has a value that cannot be used: expected a string",
            ],
        );
    }

    /// Loads `text` as a file and returns the findings as lines.
    #[track_caller]
    fn check_lines(text: &str, expect: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gapura.toml");
        std::fs::write(&path, text).unwrap();
        let lines: Vec<String> = match load(&path) {
            Ok(_) => Vec::new(),
            Err(findings) => findings
                .iter()
                .map(|f| {
                    let hint = f.hint.as_deref().unwrap_or("-");
                    format!("{f} | {hint}").replace(&path.display().to_string(), "FILE")
                })
                .collect(),
        };
        assert_eq!(lines.len(), expect.len(), "{lines:#?}");
        for (line, part) in lines.iter().zip(expect) {
            assert!(line.contains(part), "{line}\n  does not contain\n{part}");
        }
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        check_lines("", &[]);
    }

    /// The shipped settings.
    const SHIPPED: &str = include_str!("../../config/gapura.toml");

    #[test]
    fn the_shipped_file_names_every_key_of_the_settings() {
        let source = concat!(
            include_str!("settings.rs"),
            include_str!("office.rs"),
            include_str!("webhook.rs")
        );
        let mut missing = Vec::new();
        let mut is_table = false;
        for line in source.lines() {
            if let Some(name) = line.strip_prefix("pub struct ") {
                // Its fields are tables, which the file has as headings.
                is_table = name.starts_with("Settings ");
            }
            let key = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(": "));
            let Some((key, _)) = key.filter(|_| !is_table) else { continue };
            let wanted = format!("{key} =");
            let inside = format!(" {wanted}");
            let stands = |line: &str| {
                line.trim_start_matches("# ").starts_with(&wanted) || line.contains(&inside)
            };
            if !SHIPPED.lines().any(stands) {
                missing.push(key);
            }
        }
        assert!(missing.is_empty(), "not in config/gapura.toml: {missing:?}");
    }

    #[test]
    fn what_the_shipped_file_shows_as_not_set_can_be_set() {
        let shown = |line: &str| {
            let rest = line.strip_prefix("# ").unwrap_or(line);
            let key = rest.split_once(" = ").map(|(key, _)| key).unwrap_or_default();
            let is_key =
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if is_key || rest.starts_with('[') { rest.to_owned() } else { line.to_owned() }
        };
        let text: Vec<String> = SHIPPED.lines().map(shown).collect();
        check_lines(SHIPPED, &[]);
        check_lines(&text.join("\n"), &[]);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_place_and_the_nearest_key() {
        check_lines(
            "[server]\nlisten = []\nudp_worker = 1\n",
            &["FILE:3:1 error settings-key: unknown field `udp_worker`"],
        );
        check_lines("[server]\nudp_worker = 1\n", &["did you mean `udp_workers`?"]);
        check_lines("[foo]\n", &["| -"]);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        check_lines(
            "[server]\nudp_workers = \"two\"\nlissten = []\nlisten = [\"127.0.0.1:53\", \"nowhere\"]\n\
             udp_payload = 9\n[foo]\n[[zone]]\nname = \"a..b\"\nfile = \"x\"\n\
             [[zone]]\nname = \"b.id\"\n[approval]\nbind = \"x\"\n",
            &[
                "FILE:2:15 error settings-value",
                "FILE:3:1 error settings-key: unknown field `lissten`",
                "FILE:4:27 error settings-value",
                "FILE:6:2 error settings-key: unknown field `foo`",
                "FILE:8:8 error settings-value: \"a..b\" is not a domain name",
                "FILE:11:8 error settings-value: zone b.id needs a file or primaries",
                "FILE:13:8 error settings-value",
                "server.udp_payload is 9",
            ],
        );
    }

    #[test]
    fn faults_of_syntax_are_told_at_once_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gapura.toml");
        std::fs::write(&path, "[server\nlisten = []\n[web]\nurl = \"x\n").unwrap();
        let findings = load(&path).unwrap_err();
        let lines: Vec<u32> =
            findings.iter().filter_map(|found| Some(found.place.as_ref()?.line)).collect();
        assert_eq!(lines, [1, 4], "{findings:?}");
    }

    #[test]
    fn a_wrong_type_is_told_with_its_place() {
        check_lines("[server]\nudp_workers = \"two\"\n", &["FILE:2:15 error settings-value"]);
    }

    #[test]
    fn a_word_that_is_no_choice_is_told_with_its_place_and_the_choices() {
        for (table, key, choices) in [
            ("approval", "promote", "`with_approval` or `separate_act`"),
            ("approval", "bind", "`candidate` or `serial`"),
            ("targets", "hijackable", "`refuse` or `reason`"),
            ("query_log]\nfile = \"log\"\n#", "client", "`address` or `prefix`"),
        ] {
            let line = if key == "client" { 4 } else { 2 };
            let text = format!("[{table}]\n{key} = \"wrong\"\n");
            let found = format!("FILE:{line}:{} error settings-value", key.len() + 4);
            check_lines(&text, &[&found]);
            check_lines(&text, &[choices]);
        }
    }

    #[test]
    fn a_catalog_zone_needs_members_and_members_a_catalog_zone() {
        let zone = |name: &str, more: &str| format!("[[zone]]\nname = \"{name}\"\n{more}\n");
        let member = zone("a.id.", "file = \"a\"\ncatalog = \"Cat.id\"");
        let catalog = zone("cat.id.", "");
        check_lines(&format!("{member}{catalog}"), &[]);
        check_lines(&catalog, &["zone cat.id. needs a file or primaries"]);
        check_lines(
            &member,
            &["FILE:2:8 error settings-value: zone a.id.: \"Cat.id\" is no catalog zone"],
        );
        let itself = zone("cat.id.", "catalog = \"cat.id.\"");
        check_lines(&itself, &["needs a file", "is no catalog zone of ours"]);
        check_lines(
            &zone("c.id.", "file = \"c\"\nconsume = true"),
            &["zone c.id. has consume and no primaries"],
        );
        let other = zone("cat.id.", "file = \"c\"");
        check_lines(&format!("{member}{other}"), &["is no catalog zone of ours"]);
    }

    #[test]
    fn a_secondary_zone_has_a_digest_of_ours_only_where_it_is_signed_here() {
        let zone = "[[zone]]\nname = \"a.id.\"\nprimaries = [\"ns1\"]\nzonemd = true\n";
        check_lines(zone, &["FILE:2:8 error settings-value: zone a.id. has primaries and zonemd"]);
        check_lines(&format!("{zone}signing = \"default\"\n"), &[]);
    }

    #[test]
    fn a_zone_named_twice_in_another_case_is_an_error() {
        let text =
            "[[zone]]\nname = \"a.id.\"\nfile = \"a\"\n[[zone]]\nname = \"A.ID\"\nfile = \"b\"\n";
        check_lines(text, &["FILE:5:8 error settings-value: zone A.ID. is given twice"]);
    }
}
