//! The commands of the acts, generated from the procedure: one per act, with one option per input.

use anyhow::Context;
use clap::builder::ValueParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde_json::{Map, Value, json};

use super::body::{self, Lines, Upload};
use super::http::Call;
use super::path;
use crate::queue::procedure::{ActInput, Input};
use crate::queue::{ActKind, RejectReason};

/// The argument that names the request.
const NUMBER: &str = "number";

/// An act as it was typed.
#[derive(Clone, Debug)]
pub struct TypedAct {
    /// Which act.
    kind: ActKind,
    /// Its options.
    typed: ArgMatches,
}

impl TypedAct {
    /// The act of a subcommand, if it is one.
    pub(super) fn of(matches: &ArgMatches) -> Option<Self> {
        let (name, typed) = matches.subcommand()?;
        Some(Self { kind: ActKind::from_name(name)?, typed: typed.clone() })
    }

    /// The call that performs it.
    pub(super) fn call(&self) -> anyhow::Result<Call> {
        let number: &String = self.typed.get_one(NUMBER).context("the number is missing")?;
        let path = path(number, Some(self.kind.as_str()));
        let mut fields = Map::new();
        for input in self.kind.row().inputs {
            if let ActInput::Application | ActInput::Correction = input.what {
                let upload = Upload::from_arg_matches(&self.typed)?;
                let request = body::read_request(&upload.file)?;
                return Call::multipart(&path, &request, upload.letter.as_deref());
            }
            fields.insert(input.name.to_owned(), self.value(*input)?);
        }
        Ok(Call::post(&path, &Value::Object(fields)))
    }

    /// The value of an input.
    fn value(&self, input: Input) -> anyhow::Result<Value> {
        Ok(match input.what {
            it if it.is_lines() => json!(body::lines(&Lines::from_arg_matches(&self.typed)?)?),
            ActInput::Revision | ActInput::Serial => json!(self.typed.get_one::<u32>(input.name)),
            _ => json!(self.typed.get_one::<String>(input.name)),
        })
    }
}

/// The subcommand of an act.
pub(super) fn command(kind: ActKind) -> Command {
    let number = Arg::new(NUMBER).value_name("NUMBER").required(true).help("Its number");
    let command = Command::new(kind.as_str()).arg(number);
    let inputs = kind.row().inputs.iter();
    inputs.fold(command, |command, input| with_input(command, *input)).about(kind.about())
}

/// A command with the option of an input.
fn with_input(command: Command, input: Input) -> Command {
    match input.what {
        it if it.is_lines() => return Lines::augment_args(command),
        ActInput::Application | ActInput::Correction => return Upload::augment_args(command),
        _ => {}
    }
    let number = matches!(input.what, ActInput::Revision | ActInput::Serial);
    let parser = if number { value_parser!(u32).into() } else { ValueParser::string() };
    let help = match input.what {
        ActInput::RejectReason => {
            format!("One of {}", RejectReason::ALL.map(RejectReason::as_str).join(", "))
        }
        what => what.about().to_owned(),
    };
    let option = Arg::new(input.name).long(input.name).value_name(input.what.placeholder());
    let option = option.value_parser(parser).help(help).required(input.what.is_needed());
    command.arg(if number || input.what.is_needed() { option } else { option.default_value("") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_a_command_with_an_option_per_input() {
        for kind in ActKind::ALL {
            let command = command(kind);
            command.clone().debug_assert();
            for input in kind.row().inputs {
                let names: Vec<_> = command.get_arguments().map(|arg| arg.get_id()).collect();
                let name = match input.what {
                    it if it.is_lines() => "lines",
                    ActInput::Correction => "file",
                    _ => input.name,
                };
                assert!(names.iter().any(|id| *id == name), "{kind} {name}");
            }
        }
    }

    #[test]
    fn what_is_typed_is_the_body_the_rules_read() {
        let typed = |args: &[&str]| {
            let kind = ActKind::from_name(args[0]).unwrap();
            TypedAct { kind, typed: command(kind).try_get_matches_from(args).unwrap() }
        };
        let act = typed(&["dispose", "GPR-1", "--to", "siti"]);
        let fields = act.kind.row().inputs.iter();
        let fields: Vec<Value> = fields.map(|input| act.value(*input).unwrap()).collect();
        assert_eq!(fields, [json!("siti"), json!("")]);
        let act = typed(&["approve", "1", "--revision", "2", "--candidate", "aa", "--ok", "M1,M2"]);
        let fields = act.kind.row().inputs.iter();
        let fields: Vec<Value> = fields.map(|input| act.value(*input).unwrap()).collect();
        assert_eq!(fields[..3], [json!(2), json!("aa"), Value::Null]);
        assert_eq!(fields[3].as_array().map(Vec::len), Some(2));
        assert!(command(ActKind::Release).try_get_matches_from(["release", "1"]).is_err());
    }
}
