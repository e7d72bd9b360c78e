//! Commands that work in this process: the daemon itself, and checks that need none.

use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use ring::rand::{SecureRandom, SystemRandom};

use super::args::Common;
use super::plain::{json, shown};
use crate::check::{self, Level, Signer};
use crate::config::{self, LogFormat};
use crate::import;
use crate::master::{self, Directory, Finding, Input, Severity, render};
use crate::publish::{Strictness, ZoneSource, doubled};
use crate::run;
use crate::service::Passed;
use crate::text::append_line;
use crate::tsig::Algorithm;
use crate::wire::Name;
use crate::wire::rdata::base64_text;

//------------ serve ---------------------------------------------------------

/// `gapura serve`
pub(super) fn serve(common: &Common, take_over: bool) -> anyhow::Result<u8> {
    let passed = Passed::take();
    let loaded = match super::settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let format = if common.json { LogFormat::Json } else { loaded.settings.log.format };
    run::log::start(run::log::Level::from_flags(common.quiet, common.verbose), format);
    let by_hand = std::io::stdout().is_terminal();
    let begun = run::begin(&loaded, passed, take_over);
    let ended = begun.and_then(|begin| {
        run::serve(&loaded, begin, |ready| {
            let text = if common.json { ready.json().to_string() } else { ready.text(by_hand) };
            super::put(&(text + "\n"));
        })
    });
    Ok(match ended {
        Ok(run::Ended::Stopped | run::Ended::Followed) => 0,
        Ok(run::Ended::Interrupted) => super::EXIT_INTERRUPTED,
        Err(error) if error.may_pass() => {
            super::tell(&error.into());
            super::EXIT_LATER
        }
        Err(error) => return Err(error.into()),
    })
}

//------------ key -----------------------------------------------------------

/// `gapura key tsig`: a new key for two servers.
pub(super) fn key_tsig(common: &Common, name: &str, algorithm: Algorithm) -> anyhow::Result<u8> {
    let name: Name = name.parse().with_context(|| format!("\"{name}\" is not a domain name"))?;
    let mut secret = vec![0; algorithm.octets()];
    let random = SystemRandom::new().fill(&mut secret);
    random.map_err(|_| anyhow::anyhow!("the system has no random numbers available"))?;
    let (name, secret) = (name.as_ref().to_lowercase().to_string(), base64_text(&secret));
    let json = serde_json::json!({
        "name": name, "algorithm": algorithm.as_str(), "secret": secret,
    });
    super::put(&if common.json {
        json_line(&json)
    } else {
        let quoted = import::quoted(&name);
        format!("[[key]]\nname = {quoted}\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n")
    });
    Ok(0)
}

//------------ check ---------------------------------------------------------

/// `gapura check`: settings, everything that serving needs, then each zone file.
pub(super) fn check(common: &Common) -> anyhow::Result<u8> {
    let (loaded, mut faults) = config::survey(&super::config_path(common));
    let loaded = match loaded {
        Some(loaded) if faults.is_empty() => loaded,
        loaded => {
            faults.extend(
                loaded.iter().flat_map(|it| run::check::besides(it, &faults)).collect::<Vec<_>>(),
            );
            return Ok(print_findings(common, &faults));
        }
    };
    // Faults of a source are among the findings.
    let sources = run::options::readable_sources(&loaded.settings);
    let mut findings = run::check::check(&loaded, &sources.zones);
    findings.extend(doubled(&sources.zones));
    findings.extend(sources.findings);
    let mut zones = Vec::new();
    let mut told = String::new();
    // A secondary zone has no file; its primaries are checked with the settings.
    for source in sources.zones.iter().filter(|source| source.has_file()) {
        let checked = check_source(source, &loaded.settings.server.state_dir)?;
        let serial = checked.zone.as_ref().map(crate::zone::Zone::serial);
        let records = checked.zone.as_ref().map(crate::zone::Zone::record_count);
        let (file, errors) = (source.file.display(), checked.errors);
        let read = serial.zip(records);
        let read = read.map_or_else(String::new, |(serial, records)| {
            format!(" serial {serial}, {records} records")
        });
        append_line!(
            told,
            "{file}: {}{read}: {errors} errors, {} warnings",
            source.apex,
            checked.warnings
        );
        zones.push(serde_json::json!({
            "zone": source.apex.to_string(), "file": source.file, "serial": serial,
            "records": records, "errors": errors, "warnings": checked.warnings,
        }));
        findings.extend(checked.findings);
    }
    let errors = findings.iter().filter(|it| it.is_error()).count();
    if common.json {
        let json = serde_json::json!({ "findings": findings, "zones": zones });
        super::put(&json_line(&json));
        return Ok(u8::from(errors > 0));
    }
    let exit = print_findings(common, &findings);
    let path = loaded.path.display();
    let verdict = match (errors, findings.len() - errors) {
        (0, 0) => format!("{path}: everything is fine\n"),
        (0, warnings) => format!("{path}: no errors, {warnings} warnings\n"),
        (errors, warnings) => format!("{path}: {errors} errors, {warnings} warnings\n"),
    };
    super::put(&(told + &verdict));
    Ok(exit)
}

/// One zone of the settings. Unlike a file on the command line, which may be a pipe, it must be a
/// regular file, as for the daemon.
fn check_source(source: &ZoneSource, state_dir: &Path) -> anyhow::Result<check::Checked> {
    let strict = source.checks == Strictness::Strict;
    let level = Level { strict, errors: source.errors.clone() };
    if std::fs::metadata(&source.file).is_ok_and(|found| !found.is_file()) {
        return Ok(unreadable(&source.file, &std::io::Error::other("not a regular file")));
    }
    let signer = run::check::signer(state_dir, source);
    let mut checked = check_file(&source.apex, &source.file, &level, signer)?;
    if let Some(zone) = &checked.zone {
        let elsewhere = run::check::signed_elsewhere(state_dir, source, zone);
        let told: Vec<Finding> = source.no_zonemd(zone).into_iter().chain(elsewhere).collect();
        checked.warnings += told.len();
        checked.findings.extend(told);
    }
    Ok(checked)
}

/// `gapura zone check ORIGIN FILE`
pub(super) fn zone_check(
    common: &Common,
    origin: &str,
    file: &Path,
    lenient: bool,
) -> anyhow::Result<u8> {
    let origin: Name =
        origin.parse().with_context(|| format!("\"{origin}\" is not a domain name"))?;
    let level = Level { strict: !lenient, errors: Vec::new() };
    let checked = check_file(&origin, file, &level, Signer::Other)?;
    let exit = print_findings(common, &checked.findings);
    if let Some(zone) = checked.zone.filter(|_| exit == 0 && !common.json) {
        let (serial, records) = (zone.serial(), zone.record_count());
        super::put(&format!("{origin} serial {serial}, {records} records: no errors\n"));
    }
    Ok(exit)
}

/// Reads a file and checks it as the daemon would. A file that cannot be read is a finding, too.
fn check_file(
    origin: &Name,
    file: &Path,
    level: &Level,
    signer: Signer,
) -> anyhow::Result<check::Checked> {
    let options = master::Options::default();
    let bytes = match read(file, options.file_octets_max) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(unreadable(file, &error)),
    };
    let loader = Directory::of(file, &options);
    let input = Input { file, bytes: &bytes, loader: &loader };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    // DNSSEC times are modulo 2³² (RFC 4034 §3.1.5).
    let mut checked = check::file(&input, origin, &options, level, signer, now as u32);
    let cut = std::mem::take(&mut checked.cut);
    checked.errors += cut.len();
    checked.findings.extend(cut.into_iter().map(master::no_final_newline));
    Ok(checked)
}

/// Reads a file up to one octet more than allowed, which the parser then reports: a device may be
/// endless.
fn read(file: &Path, octets_max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = (octets_max as u64).saturating_add(1);
    std::fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The finding for a file that cannot be read.
fn unreadable(file: &Path, error: &std::io::Error) -> check::Checked {
    let finding = Finding {
        rule: "file-unreadable",
        severity: Severity::Error,
        place: None,
        message: format!("cannot read {}: {error}", file.display()),
        hint: Some("check the path and its permissions".to_owned()),
    };
    check::Checked { zone: None, findings: vec![finding], errors: 1, warnings: 0, cut: Vec::new() }
}

/// JSON as a line.
fn json_line(value: &serde_json::Value) -> String {
    json(&value.to_string()).into_owned() + "\n"
}

/// Prints findings; the exit code is 1 if one is an error.
pub(super) fn print_findings(common: &Common, findings: &[Finding]) -> u8 {
    if common.json {
        super::put(&json_line(&serde_json::json!({ "findings": findings })));
    } else {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if std::io::stderr().is_terminal() {
            super::put_error(&shown(&render(findings, colour)));
        } else {
            // One line each for files, pipes and other programs.
            findings.iter().for_each(|finding| {
                super::put_error(&shown(&(finding.with_hint() + "\n")));
            });
        }
    }
    u8::from(findings.iter().any(Finding::is_error))
}

//------------ audit ---------------------------------------------------------

/// `gapura audit verify EXPORT`: offline, with nothing but the export.
#[cfg(feature = "approval")]
pub(super) fn audit_verify(
    common: &Common,
    file: &Path,
    key: Option<&str>,
    anchors: &[String],
) -> anyhow::Result<u8> {
    use crate::audit::{self, Anchor, Export};
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the export {}", file.display()))?;
    let export = Export::parse(&text)?;
    let anchors: Vec<Anchor> = anchors.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let report = audit::verify(&export, key, &anchors);
    let reply = run::verified(&report);
    Ok(super::print(common, &reply))
}
