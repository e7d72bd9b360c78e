//! `gapura completions` and `gapura man`, for packages: generated from the command line, the shipped settings and a
//! page on zone files.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use time::OffsetDateTime;

use super::args::Gapura;

/// The settings as shipped.
const SETTINGS: &str = include_str!("../../config/gapura.toml");
/// The page on zone files.
const ZONE_PAGE: &str = include_str!("gapura-zone.5");

/// `gapura completions SHELL`
pub(super) fn completions(shell: Shell) -> anyhow::Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Gapura::command(), "gapura", &mut text);
    super::put(&String::from_utf8(text).context("completions are text")?);
    Ok(0)
}

/// `gapura man DIR`: a page for the program and each command (1), one for the settings and one for zone files (5).
pub(super) fn pages(directory: &Path) -> anyhow::Result<u8> {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut program = Gapura::command().disable_help_subcommand(true);
    program.build();
    let date = date()?;
    let mut pages = Vec::new();
    page_of(&program, &date, &mut pages)?;
    for (name, text) in &pages {
        write(&format!("{name}.1"), text)?;
    }
    write("gapura.toml.5", &dated(&settings_page(SETTINGS), &date))?;
    write("gapura-zone.5", &dated(ZONE_PAGE, &date))?;
    super::put(&format!("{} man pages in {}\n", pages.len() + 2, directory.display()));
    Ok(0)
}

/// The date of the pages: that of the source if the build sets `SOURCE_DATE_EPOCH`, so that builds are reproducible;
/// else today.
fn date() -> anyhow::Result<String> {
    let of_source = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let time = match of_source {
        Some(seconds) => OffsetDateTime::from_unix_timestamp(seconds)?,
        None => OffsetDateTime::now_utc(),
    };
    Ok(time.date().to_string())
}

/// A page with its date filled in.
fn dated(page: &str, date: &str) -> String {
    page.replacen(" \"\" ", &format!(" {date} "), 1)
}

/// The page of a command, and those of the commands below it.
fn page_of(
    command: &clap::Command,
    date: &str,
    pages: &mut Vec<(String, String)>,
) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command.clone()).date(date).manual("gapura");
    page.source(concat!("gapura ", env!("CARGO_PKG_VERSION"))).render(&mut text)?;
    let mut text = String::from_utf8(text).context("a man page is text")?;
    text.push_str(".SH \"SEE ALSO\"\n");
    if name != "gapura" {
        text.push_str("\\fBgapura\\fR(1),\n");
    }
    text.push_str("\\fBgapura.toml\\fR(5),\n\\fBgapura\\-zone\\fR(5)\n");
    pages.push((name, text));
    command
        .get_subcommands()
        .filter(|it| !it.is_hide_set())
        .try_for_each(|it| page_of(it, date, pages))
}

//------------ Settings ------------------------------------------------------

/// A line of the settings file.
#[derive(Debug, Eq, PartialEq)]
enum Line<'a> {
    /// `[table]` or `[[table]]`, with its comment.
    Table(&'a str, &'a str),
    /// `key = value`, with its comment.
    Key(&'a str, &'a str),
    /// A continued comment.
    More(&'a str),
}

/// gapura.toml(5), generated from the shipped file.
fn settings_page(shipped: &str) -> String {
    let mut page = String::from(
        ".TH gapura.toml 5 \"\" gapura gapura\n.SH NAME\ngapura.toml \\- settings of gapura\n.SH DESCRIPTION\n",
    );
    let mut is_open = true;
    for line in shipped.lines().filter_map(read) {
        match line {
            Line::Table(name, said) => {
                if is_open {
                    page.push_str(".SH SETTINGS\n");
                }
                is_open = false;
                page.push_str(&format!(".SS \"{}\"\n", escaped(name)));
                add(&mut page, said);
            }
            Line::Key(key, said) => {
                page.push_str(&format!(".TP\n\\fB{}\\fR\n", escaped(key)));
                add(&mut page, said);
            }
            Line::More(said) => add(&mut page, said),
        }
    }
    page.push_str(
        ".SH FILES\n.TP\n.I config/gapura.toml\nRead if it exists.\n.TP\n.I /etc/gapura/gapura.toml\nRead otherwise.\n\
         .SH \"SEE ALSO\"\n\\fBgapura\\fR(1),\n\\fBgapura\\-check\\fR(1),\n\\fBgapura\\-zone\\fR(5)\n",
    );
    page
}

/// Adds a sentence as a line of its own.
fn add(page: &mut String, said: &str) {
    if !said.is_empty() {
        page.push_str(&escaped(said));
        page.push('\n');
    }
}

/// Parses a line of the file; none if it is empty. A key or table that is not set is commented out with
/// "# ".
fn read(line: &str) -> Option<Line<'_>> {
    let bare = line.strip_prefix("# ").unwrap_or(line);
    let (code, said) = split(bare);
    if code.starts_with('[') && code.ends_with(']') {
        return Some(Line::Table(code, said));
    }
    let is_key = |(key, _): &(&str, &str)| {
        !key.is_empty() && key.trim_end().chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    if code.split_once('=').is_some_and(|it| is_key(&it)) {
        return Some(Line::Key(code, said));
    }
    let more = line.trim_start_matches(['#', ' ', '-']).trim();
    (!more.is_empty()).then_some(Line::More(more))
}

/// A line without its comment, and the comment. A `#` inside a string starts none.
fn split(line: &str) -> (&str, &str) {
    let mut is_text = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => is_text = !is_text,
            '#' if !is_text => {
                return (line[..at].trim(), line[at..].trim_start_matches(['#', ' ']).trim());
            }
            _ => {}
        }
    }
    (line.trim(), "")
}

/// Text escaped for roff: no backslash, hyphen, quote or leading dot has a meaning.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    if text.starts_with(['.', '\'']) {
        escaped.push_str("\\&");
    }
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '"' => escaped.push_str("\\(dq"),
            '\'' => escaped.push_str("\\(aq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '`' => escaped.push_str("\\(ga"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_shipped_settings_is_on_its_page() {
        assert_eq!(
            read("# [[key]]   # a key; twice"),
            Some(Line::Table("[[key]]", "a key; twice"))
        );
        assert_eq!(read("url = \"a#b\"  # c"), Some(Line::Key("url = \"a#b\"", "c")));
        assert_eq!(read("        # more of it"), Some(Line::More("more of it")));
        assert_eq!(read(""), None);
        let page = settings_page(SETTINGS);
        for key in ["listen", "state_dir", "query_log", "trusted_proxies", "totp", "denial"] {
            assert!(page.contains(&escaped(key)), "{key}");
        }
        let is_strange = |line: &&str| {
            line.starts_with('.') && !line[1..].starts_with(|c: char| c.is_ascii_uppercase())
        };
        assert_eq!(page.lines().find(is_strange), None);
    }

    #[test]
    fn each_command_has_a_page_and_each_shell_its_completions() {
        let directory = tempfile::tempdir().unwrap();
        pages(directory.path()).unwrap();
        for name in [
            "gapura.1",
            "gapura-ctl-hand-over.1",
            "gapura-zone-check.1",
            "gapura.toml.5",
            "gapura-zone.5",
        ] {
            let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
            assert!(text.contains(".TH ") && text.contains(".SH NAME"), "{name}");
        }
        assert!(
            !directory.path().join("gapura-read-letter.1").exists(),
            "what nobody types has none"
        );
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Gapura::command(), "gapura", &mut text);
            assert!(String::from_utf8(text).unwrap().contains("hand-over"), "{shell}");
        }
    }
}
