//! The command line: parses, runs the command, prints the result, returns the exit code.
//!
//! `serve` runs the daemon here. `check` and `zone check` work here, without a daemon. The other
//! commands go to the running daemon over its control socket; those on people, tokens and the event
//! chain also work on the database of a stopped one. Printing to standard output happens in this room only.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod local;
mod plain;
mod remote;
#[cfg(feature = "approval")]
pub mod request;
mod rollback;

use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Loaded};
use crate::control::Reply;
use args::{Command, Common, Gapura};

/// Exit code of a command that was not understood or whose settings do not read.
const EXIT_USAGE: u8 = 2;
/// Exit code of a daemon that a second signal interrupted while it stopped, as a shell has it for SIGINT.
const EXIT_INTERRUPTED: u8 = 130;

/// Runs the program.
pub fn main() -> ExitCode {
    let typed = Gapura::parse();
    // Before anything else is set up: it has nothing but standard input and output.
    #[cfg(feature = "approval")]
    if let Command::ReadLetter { seconds, memory_mib } = typed.command {
        return crate::uploads::child(seconds, memory_mib);
    }
    match dispatch(typed) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{}", plain::plain(&format!("gapura: {error:#}")));
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Runs a command: one arm each.
fn dispatch(typed: Gapura) -> anyhow::Result<u8> {
    let common = typed.common;
    match typed.command {
        Command::Serve => local::serve(&common),
        Command::Check => local::check(&common),
        #[cfg(feature = "approval")]
        Command::ReadLetter { .. } => Ok(EXIT_USAGE),
        Command::Zone(args::Zone::Check { origin, file, lenient }) => {
            local::zone_check(&common, &origin, &file, lenient)
        }
        Command::Zone(zone) => remote::zone(&common, zone),
        Command::Ctl(ctl) => remote::ctl(&common, ctl),
        #[cfg(feature = "approval")]
        Command::Request(request) => request::run(&common, request),
        #[cfg(feature = "approval")]
        Command::Privacy(privacy) => request::privacy(&common, privacy),
        #[cfg(feature = "approval")]
        Command::User(user) => remote::user(&common, user),
        #[cfg(feature = "approval")]
        Command::Token(token) => remote::token(&common, token),
        #[cfg(feature = "approval")]
        Command::Report(report) => remote::report(&common, report),
        #[cfg(feature = "approval")]
        Command::Audit(audit) => remote::audit(&common, audit),
    }
}

//------------ What commands share -------------------------------------------

/// Reads the settings, or prints what is wrong with them.
fn settings(common: &Common) -> Result<Loaded, u8> {
    let path = common.config.clone().unwrap_or_else(config::default_path);
    config::load(&path).map_err(|findings| {
        local::print_findings(common, &findings);
        EXIT_USAGE
    })
}

/// Prints a reply in the form that was asked for; its exit code is the command's.
fn print(common: &Common, reply: &Reply) -> u8 {
    if common.json {
        println!("{}", plain::json(&reply.json.to_string()));
    } else if reply.exit == 0 {
        print!("{}", plain::plain(&with_newline(&reply.text)));
    } else {
        eprint!("{}", plain::plain(&with_newline(&reply.text)));
    }
    reply.exit
}

/// Text that ends its last line; nothing stays nothing.
fn with_newline(text: &str) -> String {
    match text {
        "" => String::new(),
        text if text.ends_with('\n') => text.to_owned(),
        text => format!("{text}\n"),
    }
}
