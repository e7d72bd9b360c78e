//! Commands that a running daemon carries out.

#[cfg(feature = "approval")]
use std::io::{IsTerminal, Read};

#[cfg(feature = "approval")]
use anyhow::Context;

use super::args::{self, Common};
use super::send::{send, send_to};
use super::{print, print_report};
#[cfg(feature = "approval")]
use crate::control::{self, Reply};
use crate::control::{Command, OfficeCommand};

/// Octets of a password on standard input; anything longer is not a password.
#[cfg(feature = "approval")]
const PASSWORD_OCTETS_MAX: u64 = 1024;

/// `gapura ctl …`
pub(super) fn ctl(common: &Common, ctl: args::Ctl) -> anyhow::Result<u8> {
    let command = match ctl {
        args::Ctl::Status => Command::Status,
        args::Ctl::Reload { zone, force } => Command::Reload { zone, force },
        args::Ctl::Stats => Command::Stats,
        args::Ctl::Reopen => Command::Reopen,
        args::Ctl::Stop | args::Ctl::HandOver => anyhow::bail!("not a command of this kind"),
        args::Ctl::Clock => Command::Office(OfficeCommand::ClockConfirm),
    };
    match command {
        // The exit code says what it found.
        Command::Status => {
            let sent = send_to(common, command)?;
            Ok(sent.map_or_else(
                |exit| exit,
                |reply| match reply.json.get("error") {
                    None => print_report(common, &reply),
                    Some(_) => print(common, &reply),
                },
            ))
        }
        command => send(common, command),
    }
}

/// `gapura zone …`, except `check`.
pub(super) fn zone(common: &Common, zone: args::Zone) -> anyhow::Result<u8> {
    let command = match zone {
        args::Zone::Check { .. } => anyhow::bail!("zone check needs no daemon"),
        args::Zone::Show { zone, at } => Command::ZoneShow { zone, at },
        args::Zone::Export { zone } => Command::ZoneShow { zone, at: None },
        args::Zone::Diff { zone, from, to, proofs } => Command::ZoneDiff { zone, from, to, proofs },
        args::Zone::History { zone, limit, proofs } => Command::ZoneHistory { zone, limit, proofs },
        args::Zone::Rollback { zone, serial, yes } => {
            return super::rollback::rollback(common, zone, serial, yes);
        }
        args::Zone::Notify { zone } => Command::ZoneNotify { zone },
        args::Zone::Adopt { zone, name, rtype } => Command::ZoneAdopt { zone, name, rtype },
        args::Zone::Retransfer { zone } => Command::ZoneRetransfer { zone },
        args::Zone::Serial { zone, floor, yes } => Command::ZoneSerial { zone, floor, yes },
    };
    send(common, command)
}

/// `gapura user …`
#[cfg(feature = "approval")]
pub(super) fn user(common: &Common, user: args::User) -> anyhow::Result<u8> {
    let command = match user {
        args::User::Add { name, role, email, nip, password_stdin: _ } => OfficeCommand::UserAdd {
            person: control::Person { name, role, email, nip },
            password: password()?,
        },
        args::User::List => OfficeCommand::UserList,
        args::User::Disable { name } => OfficeCommand::UserDisable { name },
        args::User::Enable { name } => OfficeCommand::UserEnable { name },
        args::User::Role { name, role } => OfficeCommand::UserRole { name, role },
        args::User::Reset { name } => OfficeCommand::UserReset { name },
    };
    send(common, Command::Office(command))
}

/// `gapura token …`
#[cfg(feature = "approval")]
pub(super) fn token(common: &Common, token: args::Token) -> anyhow::Result<u8> {
    let command = match token {
        args::Token::Create { name, scope: scopes, days, network, label, password_stdin: _ } => {
            let text = standard_input()?;
            let mut lines = text.lines().map(str::to_owned);
            let (password, code) =
                (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
            OfficeCommand::TokenCreate {
                name,
                token: control::Token { scopes, days, network, label },
                password,
                code,
            }
        }
        args::Token::List { name } => OfficeCommand::TokenList { name },
        args::Token::Revoke { id } => OfficeCommand::TokenRevoke { id },
    };
    send(common, Command::Office(command))
}

/// `gapura webhook …`
#[cfg(feature = "approval")]
pub(super) fn webhook(common: &Common, webhook: args::Webhook) -> anyhow::Result<u8> {
    let command = match webhook {
        args::Webhook::List => OfficeCommand::WebhookList,
        args::Webhook::Test { name } => OfficeCommand::WebhookTest { name },
        args::Webhook::Retry { name } => OfficeCommand::WebhookRetry { name },
    };
    // The exit code says what it found.
    let sent = send_to(common, Command::Office(command))?;
    Ok(sent.map_or_else(
        |exit| exit,
        |reply| match reply.json.get("error") {
            None => print_report(common, &reply),
            Some(_) => print(common, &reply),
        },
    ))
}

/// `gapura report`: the daemon collects the data; this process formats it.
#[cfg(feature = "approval")]
pub(super) fn report(common: &Common, report: args::Report) -> anyhow::Result<u8> {
    let args::Report { month, format, output, act } = report;
    if let Some(args::ReportAct::Close { month }) = act {
        return super::request::close_month(common, &month);
    }
    let month = month.unwrap_or_default();
    let format = if common.json { args::ReportFormat::Json } else { format };
    let paper = format == args::ReportFormat::Pdf;
    let reply = match send_to(common, Command::Office(OfficeCommand::Report { month, paper }))? {
        Ok(reply) if reply.exit == 0 => reply,
        Ok(reply) => return Ok(print(common, &reply)),
        Err(exit) => return Ok(exit),
    };
    let octets = match format {
        args::ReportFormat::Json => format!("{:#}\n", reply.json).into_bytes(),
        args::ReportFormat::Csv if output.is_none() => return Ok(print(common, &reply)),
        args::ReportFormat::Csv => reply.text.into_bytes(),
        args::ReportFormat::Xlsx => {
            let report: crate::report::Report = serde_json::from_value(reply.json)?;
            report.xlsx()?
        }
        args::ReportFormat::Pdf => {
            let paper: crate::paper::Paper = serde_json::from_value(reply.json["paper"].clone())?;
            let arms = reply.json["coat_of_arms"].as_str().map(str::as_bytes);
            let arms = arms.map(|text| data_encoding::BASE64.decode(text)).transpose()?;
            crate::press::Press::default().print(&paper, arms.as_deref())?
        }
    };
    if let Some(path) = output {
        std::fs::write(&path, octets)
            .with_context(|| format!("cannot write {}", path.display()))?;
        return Ok(0);
    }
    anyhow::ensure!(
        format == args::ReportFormat::Json || !std::io::stdout().is_terminal(),
        "this format is not for a terminal: name a file with --output"
    );
    super::put_octets(&octets);
    Ok(0)
}

/// `gapura audit …`
#[cfg(feature = "approval")]
pub(super) fn audit(common: &Common, audit: args::Audit) -> anyhow::Result<u8> {
    if let args::Audit::Verify { key: Some(key), .. } = &audit {
        anyhow::ensure!(
            crate::audit::Notary::is_public_key(key),
            "--key {key}: the public key is 64 hexadecimal digits, as in the key lines of an export"
        );
    }
    match audit {
        args::Audit::Export => export(common),
        args::Audit::RotateKey => send(common, Command::Office(OfficeCommand::AuditRotateKey)),
        args::Audit::Verify { export: None, key, anchor } => {
            send(common, Command::Office(OfficeCommand::AuditVerify { key, anchors: anchor }))
        }
        args::Audit::Verify { export: Some(file), key, anchor } => {
            super::local::audit_verify(common, &file, key.as_deref(), &anchor)
        }
    }
}

//------------ Helpers -------------------------------------------------------

/// `gapura audit export`: part by part, so that neither side holds a long chain in memory.
#[cfg(feature = "approval")]
fn export(common: &Common) -> anyhow::Result<u8> {
    let (mut after, mut to, mut lines) = (0, None, 0);
    loop {
        let command = Command::Office(OfficeCommand::AuditExport { after, to });
        let reply = match send_to(common, command)? {
            Ok(reply) if reply.exit == 0 => reply,
            Ok(reply) => return Ok(print(common, &reply)),
            Err(exit) => return Ok(exit),
        };
        if !common.json && !super::put(&super::plain::json(&reply.text)) {
            return Ok(0);
        }
        lines += reply.json["lines"].as_u64().unwrap_or_default();
        to = reply.json["to"].as_i64();
        match reply.json["next"].as_i64() {
            Some(next) => after = next,
            None if common.json => {
                let json = serde_json::json!({ "lines": lines });
                return Ok(print(common, &Reply::done("", json)));
            }
            None => return Ok(0),
        }
    }
}

/// The password on standard input, without its final newline.
#[cfg(feature = "approval")]
fn password() -> anyhow::Result<String> {
    Ok(standard_input()?.trim_end_matches(['\r', '\n']).to_owned())
}

/// The text on standard input.
#[cfg(feature = "approval")]
fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(PASSWORD_OCTETS_MAX).read_to_string(&mut text)?;
    Ok(text)
}
