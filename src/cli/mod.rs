//! The command line: parses, runs the command, prints the result, returns the exit code.
//!
//! `serve` runs the daemon in this process. `check`, `zone check`, `log`, `import` and `db` also work in this
//! process, without a daemon. The other commands go to the running daemon over its control socket; those on
//! people, tokens and the event chain also work on the database of a stopped one. Only this room prints to
//! standard output.

mod args;
mod commands;
mod db;
#[cfg(feature = "approval")]
mod demo;
mod effective;
mod import;
mod key;
mod local;
mod log;
mod manual;
mod plain;
mod remote;
#[cfg(feature = "approval")]
pub mod request;
mod rollback;
mod send;
mod succession;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Loaded};
#[cfg(feature = "approval")]
use crate::confined::Budget;
use crate::control::Reply;
use args::{Command, Common, Gapura};
pub use commands::commands;

/// Exit code for a usage error or settings that cannot be read.
const EXIT_USAGE: u8 = 2;
/// Exit code of a daemon that failed to start for a reason that may pass: a service manager should
/// retry.
const EXIT_LATER: u8 = 1;
/// Exit code of a daemon that a second signal interrupted while it was stopping, as shells use it for
/// SIGINT.
const EXIT_INTERRUPTED: u8 = 130;

/// Runs the program.
pub fn main() -> ExitCode {
    let typed = match Gapura::try_parse_from(typed()) {
        Ok(typed) => typed,
        Err(error) => return told(&error),
    };
    // Before anything else is set up: these have nothing but standard input and output.
    #[cfg(feature = "approval")]
    match typed.command {
        Command::ReadLetter { seconds, memory_mib } => {
            return crate::uploads::child(Budget { seconds, memory_mib });
        }
        Command::PrintPaper { seconds, memory_mib } => {
            return crate::press::child(Budget { seconds, memory_mib });
        }
        _ => {}
    }
    match dispatch(typed) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Prints why a command failed.
fn tell(error: &anyhow::Error) {
    put_error(&plain::plain(&format!("gapura: {error:#}\n")));
}

/// The command line. Called as `gapuractl`, the program is `gapura ctl`.
fn typed() -> Vec<OsString> {
    let mut typed: Vec<OsString> = std::env::args_os().collect();
    let name = typed.first().and_then(|called| Path::new(called).file_name()).map(OsStr::to_owned);
    if name.is_some_and(|name| name == "gapuractl") {
        typed.insert(1, "ctl".into());
    }
    typed
}

/// Prints help, the version, or what is wrong with a command line, as every other error is printed.
fn told(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.render().to_string();
        put_error(&format!("gapura: {}", text.strip_prefix("error: ").unwrap_or(&text)));
        return ExitCode::from(EXIT_USAGE);
    }
    put(&error.render().to_string());
    ExitCode::SUCCESS
}

/// Runs a command: one arm each.
fn dispatch(typed: Gapura) -> anyhow::Result<u8> {
    let common = typed.common;
    match typed.command {
        Command::Serve { take_over } => local::serve(&common, take_over),
        Command::Check { effective: true } => Ok(effective::effective(&common)),
        Command::Check { effective: false } => local::check(&common),
        #[cfg(feature = "approval")]
        Command::ReadLetter { .. } | Command::PrintPaper { .. } => Ok(EXIT_USAGE),
        #[cfg(feature = "approval")]
        Command::Demo(demo) => demo::demo(&common, &demo),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { directory } => manual::pages(&directory),
        Command::Zone(args::Zone::Check { origin, file, lenient }) => {
            local::zone_check(&common, &origin, &file, lenient)
        }
        Command::Zone(zone) => remote::zone(&common, zone),
        Command::Key(args::Key::Tsig { name, algorithm }) => {
            local::key_tsig(&common, &name, algorithm)
        }
        Command::Key(key) => key::key(&common, key),
        Command::Import(import) => import::import(&common, &import),
        Command::Ctl(args::Ctl::Stop) => succession::stop(&common),
        Command::Ctl(args::Ctl::HandOver) => succession::hand_over(&common),
        Command::Ctl(ctl) => remote::ctl(&common, ctl),
        Command::Log(log) => log::run(&common, log),
        Command::Db(db) => db::db(&common, db),
        #[cfg(feature = "approval")]
        Command::Request(request) => request::run(&common, request),
        #[cfg(feature = "approval")]
        Command::Privacy(privacy) => request::privacy(&common, privacy),
        #[cfg(feature = "approval")]
        Command::Paper(paper) => request::paper(&common, paper),
        #[cfg(feature = "approval")]
        Command::User(user) => remote::user(&common, user),
        #[cfg(feature = "approval")]
        Command::Token(token) => remote::token(&common, token),
        #[cfg(feature = "approval")]
        Command::Webhook(webhook) => remote::webhook(&common, webhook),
        #[cfg(feature = "approval")]
        Command::Report(report) => remote::report(&common, report),
        #[cfg(feature = "approval")]
        Command::Audit(audit) => remote::audit(&common, audit),
    }
}

//------------ What commands share -------------------------------------------

/// The settings file.
fn config_path(common: &Common) -> PathBuf {
    common.config.clone().unwrap_or_else(config::default_path)
}

/// Reads the settings, or prints what is wrong with them.
fn settings(common: &Common) -> Result<Loaded, u8> {
    config::load(&config_path(common)).map_err(|findings| {
        local::print_findings(common, &findings);
        EXIT_USAGE
    })
}

/// Prints a reply as text or JSON; its exit code is the command's. Refusals go to standard error.
fn print(common: &Common, reply: &Reply) -> u8 {
    if reply.exit == 0 || common.json {
        return print_report(common, reply);
    }
    // A single sentence gets the program's name in front; a list of findings names its files.
    let name = if reply.json.get("error").is_some() { "gapura: " } else { "" };
    put_error(&plain::plain(&with_newline(&format!("{name}{}", reply.text))));
    reply.exit
}

/// Prints a reply to standard output, whatever its exit code: a report's exit code says what it
/// found.
fn print_report(common: &Common, reply: &Reply) -> u8 {
    if common.json {
        put(&(plain::json(&reply.json.to_string()).into_owned() + "\n"));
    } else {
        put(&plain::plain(&with_newline(&reply.text)));
    }
    reply.exit
}

/// Writes to standard output; returns whether anybody still reads it. A reader that stops early
/// (`gapura … | head`) is not an error.
fn put(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Writes octets to standard output as they are.
#[cfg(feature = "approval")]
fn put_octets(octets: &[u8]) {
    let mut out = std::io::stdout().lock();
    // As above.
    let _ = out.write_all(octets).and_then(|()| out.flush());
}

/// Writes to standard error.
fn put_error(text: &str) {
    // As above.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The text with a newline at its end; empty text stays empty.
fn with_newline(text: &str) -> String {
    match text {
        "" => String::new(),
        text if text.ends_with('\n') => text.to_owned(),
        text => format!("{text}\n"),
    }
}
