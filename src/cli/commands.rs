//! Every command and option in Markdown, for the manual: generated from the parser of the command
//! line.

use clap::{Arg, Command, CommandFactory};

use super::args::Gapura;
use crate::text::append_line;

/// All commands, each with its usage, arguments and options.
pub fn commands() -> String {
    let mut text = String::new();
    let mut whole = Gapura::command();
    whole.build();
    append_line!(text, "## Options of every command\n");
    options(whole.get_arguments().filter(|arg| arg.is_global_set()), &mut text);
    for command in visible(&whole) {
        one(command, "gapura", 2, &mut text);
    }
    text
}

/// The visible subcommands of a command.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help")
}

/// One command, and those inside it.
fn one(command: &Command, above: &str, depth: usize, text: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    append_line!(text, "{} {name}\n\n{}.\n", "#".repeat(depth), plain(&about));
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    let own = || own().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"));
    if visible(command).next().is_none() || own().next().is_some() {
        let usage = command.clone().render_usage().to_string();
        append_line!(text, "```\n{}\n```\n", usage.trim_start_matches("Usage: "));
    }
    if own().next().is_some() {
        options(own(), text);
    }
    for inner in visible(command) {
        one(inner, &name, depth + 1, text);
    }
}

/// A table of arguments and options.
fn options<'a>(arguments: impl Iterator<Item = &'a Arg>, text: &mut String) {
    append_line!(text, "| argument | meaning |\n|---|---|");
    for arg in arguments {
        let values: Vec<&str> =
            arg.get_value_names().into_iter().flatten().map(clap::builder::Str::as_str).collect();
        let takes = arg.get_action().takes_values();
        let value = if takes { values.join(" ") } else { String::new() };
        let written = match (arg.get_long(), arg.get_short()) {
            (Some(long), Some(short)) => format!("-{short}, --{long} {value}"),
            (Some(long), None) => format!("--{long} {value}"),
            _ => value,
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let possible: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| takes)
            .map(|it| format!("`{}`", it.get_name()))
            .collect();
        let possible =
            if possible.is_empty() { String::new() } else { format!(": {}", possible.join(", ")) };
        let usual: Vec<String> = arg
            .get_default_values()
            .iter()
            .map(|it| format!("`{}`", it.to_string_lossy()))
            .collect();
        let usual = if usual.is_empty() || !takes {
            String::new()
        } else {
            format!(" [default: {}]", usual.join(", "))
        };
        append_line!(text, "| `{}` | {}{possible}{usual} |", written.trim(), plain(&help));
    }
    text.push('\n');
}

/// Help in one line, with Markdown escaped.
fn plain(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace("[[", "\\[[")
}
