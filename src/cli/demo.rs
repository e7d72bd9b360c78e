//! `gapura demo`: prints the addresses, the accounts, and the codes of their second factors.

use std::io::{BufRead, IsTerminal};

use super::args::{Common, Demo};
use crate::config::LogFormat;
use crate::run;
use crate::run::demo::{self, Filled, Wanted};
use crate::text::{append, append_line};

/// Runs a demonstration until a signal asks it to stop.
pub(super) fn demo(common: &Common, demo: &Demo) -> anyhow::Result<u8> {
    let format = if common.json { LogFormat::Json } else { LogFormat::Auto };
    run::log::start(run::log::Level::from_flags(true, common.verbose), format);
    let wanted = Wanted { keep: demo.keep.clone(), listen: demo.listen, web: demo.web };
    if !common.json {
        super::put("gapura demo: simulating eight weeks of an office; this takes a few seconds\n");
    }
    let ended = demo::serve(&wanted, |ready, filled| {
        if common.json {
            let mut json = ready.json();
            json["demo"] = serde_json::to_value(filled).unwrap_or_default();
            super::put(&(json.to_string() + "\n"));
        } else {
            super::put(&text(ready, filled));
            tell_codes(filled);
        }
    })?;
    Ok(match ended {
        run::Ended::Stopped | run::Ended::Followed => 0,
        run::Ended::Interrupted => super::EXIT_INTERRUPTED,
    })
}

/// What the demonstration offers, for people.
fn text(ready: &run::Ready, filled: &Filled) -> String {
    let web = ready.web.as_deref().unwrap_or_default();
    let mut text = String::new();
    append_line!(text, "\n  pages    {web}      officers sign in at {web}/masuk");
    append_line!(text, "  api      {web}/api/v1/openapi.json");
    if let Some(dns) = ready.dns.first() {
        append_line!(
            text,
            "  dns      dig @{} -p {} setuwetan.desa.cirebonkab.go.id",
            dns.ip(),
            dns.port()
        );
    }
    match &filled.kept {
        Some(kept) => append_line!(
            text,
            "  kept     {}: gapura serve --config {}/gapura.toml continues with it",
            kept.display(),
            kept.display()
        ),
        None => append_line!(text, "  kept     nothing: {} is removed at the end", ready.state_dir),
    }
    append_line!(text, "\nOfficers, all with the password  {}", filled.password);
    append_line!(text, "  {:<6} {:<8} {:<30} second factor (base32)", "name", "role", "");
    for member in &filled.accounts {
        append_line!(
            text,
            "  {:<6} {:<8} {:<30} {}",
            member.name,
            member.role,
            member.full_name,
            member.totp_secret
        );
    }
    append_line!(text, "\nApplicants open {web}/status with number and secret");
    let mut told: Vec<&str> = Vec::new();
    for sent in &filled.requests {
        if !told.contains(&sent.state.as_str()) {
            told.push(&sent.state);
            append_line!(
                text,
                "  {:<16} {}  {:<17} {}",
                sent.number,
                sent.secret,
                sent.state,
                sent.name
            );
        }
    }
    append!(text, "\nPress Ctrl-C to end it.");
    if std::io::stdin().is_terminal() {
        append!(text, " Press Enter for the current codes of the second factors.");
    }
    text.push('\n');
    text
}

/// Prints the current codes whenever Enter is pressed.
fn tell_codes(filled: &Filled) {
    if !std::io::stdin().is_terminal() {
        return;
    }
    let accounts = filled.accounts.clone();
    let work = move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            let codes = accounts.iter().filter_map(|member| {
                let code = demo::code_now(&member.totp_secret).ok()?;
                Some(format!("{} {code}", member.name))
            });
            super::put(&format!("{}\n", codes.collect::<Vec<_>>().join("   ")));
        }
    };
    // Without this thread people need an authenticator for the codes.
    drop(std::thread::Builder::new().name("codes".to_owned()).spawn(work));
}
