//! `gapura log`: reads the query log, without a daemon.
//!
//! ```text
//! files, rotated files, standard input ─► input ─► query_log::read ─► wanted ─► printed, or counted (top)
//! ```
//!
//! Reads what [`crate::serve::query_log`] wrote, in either format. Other lines are counted and reported at
//! the end. If the reader of our output stops early, the command ends quietly.

mod follow;
mod input;
mod top;
mod wanted;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::bail;

use super::args::Common;
use super::plain::{json, plain};
use crate::serve::query_log::{put_aside, read::Line};
use input::Lines;
pub(super) use top::Top;
use wanted::{Wanted, WantedArgs};

/// `gapura log …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Log {
    /// Print queries as they arrive, also across rotation of the file
    Follow {
        /// The file; - is standard input [default: the file in the settings]
        file: Option<PathBuf>,
        /// Which queries.
        #[command(flatten)]
        wanted: WantedArgs,
    },
    /// Count queries by what they have in common, the most frequent first
    Top(Top),
    /// Print queries, oldest first
    Filter {
        /// Files; - is standard input [default: the file in the settings, and rotated ones]
        files: Vec<PathBuf>,
        /// Which queries.
        #[command(flatten)]
        wanted: WantedArgs,
    },
}

/// Runs a command.
pub(super) fn run(common: &Common, log: Log) -> anyhow::Result<u8> {
    match log {
        Log::Follow { file, wanted } => {
            let file = match file {
                Some(file) => file,
                None => file_of_settings(common)?,
            };
            follow::follow(common, &file, &wanted)
        }
        Log::Top(top) => top::top(common, &top),
        Log::Filter { files, wanted } => {
            let wanted = Wanted::new(&wanted)?;
            let show = |line: &str, read: &Line<'_>| print(common, line, read);
            let (_, told) = read_all(common, &files, &wanted, show)?;
            Ok(told.exit())
        }
    }
}

//------------ Reading -------------------------------------------------------

/// What was read.
#[derive(Debug, Default)]
struct Told {
    /// Lines of the query log.
    lines: u64,
    /// Other lines.
    others: u64,
}

impl Told {
    /// Reports on standard error what could not be read; the exit code is 1 if nothing could.
    fn exit(&self) -> u8 {
        if self.others > 0 {
            let others = self.others;
            super::put_error(&format!("gapura: {others} lines are not from a query log\n"));
        }
        u8::from(self.lines == 0 && self.others > 0)
    }

    /// Reads a line and passes it to `show`, if it is wanted. Returns whether more is wanted.
    fn see(
        &mut self,
        line: &[u8],
        wanted: &Wanted,
        show: &mut impl FnMut(&str, &Line<'_>) -> bool,
    ) -> anyhow::Result<bool> {
        let line = String::from_utf8_lossy(line);
        match Line::read(&line) {
            Ok(read) => {
                self.lines += 1;
                Ok(!wanted.passes(&read) || show(&line, &read))
            }
            Err(crate::serve::query_log::read::Unread::Other) => {
                self.others += u64::from(!line.trim().is_empty());
                Ok(true)
            }
            Err(error) => bail!("{error}"),
        }
    }
}

/// Passes the wanted lines of all files to `show` until it has enough. Returns whether it saw all.
fn read_all(
    common: &Common,
    files: &[PathBuf],
    wanted: &Wanted,
    mut show: impl FnMut(&str, &Line<'_>) -> bool,
) -> anyhow::Result<(bool, Told)> {
    let files = match files {
        [] => files_of_settings(common, wanted)?,
        named => named.to_vec(),
    };
    let mut told = Told::default();
    for file in files {
        let mut lines = Lines::open(&file)?;
        while let Some(line) = lines.next()? {
            if !told.see(line, wanted, &mut show)? {
                return Ok((false, told));
            }
        }
    }
    Ok((true, told))
}

/// The query log's file, by the settings.
fn file_of_settings(common: &Common) -> anyhow::Result<PathBuf> {
    let path = super::config_path(common);
    let Ok(loaded) = crate::config::load(&path) else {
        bail!(
            "{}: cannot read the settings, see `gapura check`; or name a file of the query log",
            path.display()
        );
    };
    match loaded.settings.query_log {
        Some(log) => Ok(log.file),
        None => bail!("{} has no [query_log]: name a file", path.display()),
    }
}

/// The files of the settings: the rotated ones that may contain what is wanted, oldest first, and the current
/// one.
fn files_of_settings(common: &Common, wanted: &Wanted) -> anyhow::Result<Vec<PathBuf>> {
    let file = file_of_settings(common)?;
    let mut files = with_put_aside(&file, wanted.since());
    if files.is_empty() || file.exists() {
        files.push(file);
    }
    Ok(files)
}

/// The rotated files beside this one that were written after `since`.
fn with_put_aside(file: &Path, since: Option<SystemTime>) -> Vec<PathBuf> {
    let aside = put_aside(file).into_iter();
    aside
        .filter(|(_, changed)| since.is_none_or(|since| *changed >= since))
        .map(|it| it.0)
        .collect()
}

//------------ Printing ------------------------------------------------------

/// Prints a line; returns whether anybody still reads.
fn print(common: &Common, line: &str, read: &Line<'_>) -> bool {
    if !common.json {
        return super::put(&plain(&(told(read).replace('\n', "\\n") + "\n")));
    }
    let line = line.trim_end();
    if line.starts_with('{') {
        return super::put(&(json(line).into_owned() + "\n"));
    }
    let pairs = read.fields().map(|(key, value)| (key.to_owned(), value.json()));
    let object: serde_json::Map<_, _> = pairs.collect();
    super::put(&(json(&serde_json::Value::Object(object).to_string()).into_owned() + "\n"))
}

/// A line for people: the usual fields first, then what is unusual about it.
fn told(read: &Line<'_>) -> String {
    let shown = |key: &str| read.get(key).map_or_else(|| "-".to_owned(), ToString::to_string);
    let mut text = format!(
        "{} {}{} {} {} {} {} {} B {} us",
        shown("time"),
        shown("client"),
        read.get("port").map_or_else(String::new, |port| format!("#{port}")),
        shown("transport"),
        shown("qname"),
        shown("qtype"),
        shown("rcode"),
        shown("size"),
        shown("us"),
    );
    for key in ["class", "opcode", "ede", "tc", "limited", "messages", "tsig", "tsig_error"] {
        let value = shown(key);
        if !["-", "false", "IN"].contains(&value.as_str()) {
            text.push_str(&format!(" {key}={value}"));
        }
    }
    text
}
