//! `gapura request import`: a table of requests, row by row over the same calls as any request.
//!
//! Without `--yes` every row is checked and nothing is sent. Each row is sent with its own `Idempotency-Key`,
//! so that repeating the command after a failure sends nothing twice and returns the numbers and secrets of
//! what was sent before. The results are a list for spreadsheets, on standard output or in a file, which is
//! written even if the daemon stops answering.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use super::http::{Call, Client};
use crate::bulk::{Made, Maker, Table, column_of, is_zip, letters};
use crate::cli::args::Common;
use crate::digest::sha256_hex;
use crate::queue::{Application, Fault};
use crate::run::options;
use crate::spreadsheet::disarmed;
use crate::text::append_line;
use crate::words::{Lang, Words};

/// `gapura request import`
#[derive(Args, Debug)]
pub struct Import {
    /// The table, CSV in UTF-8 (docs/procedure.md, "Requests in bulk")
    file: PathBuf,
    /// A covering letter for all rows, or a ZIP or directory with the letters named in the rows
    #[arg(long, value_name = "PATH")]
    letters: PathBuf,
    /// Send the rows without errors; without it nothing is sent
    #[arg(long)]
    yes: bool,
    /// Write the results to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Where letters come from.
enum Letters {
    /// One for all rows.
    Cover(Vec<u8>),
    /// By the names that rows give.
    Named(BTreeMap<String, Vec<u8>>),
    /// Files of this directory.
    Directory(PathBuf),
}

/// A row and its result.
struct Outcome {
    /// Its line in the file.
    line: u32,
    /// Its application.
    application: Application,
    /// `ready`, `faulty`, `filed`, `refused`, or `failed`: without an answer, or not tried after one.
    state: &'static str,
    /// The request's number.
    number: String,
    /// Its secret.
    secret: String,
    /// What is wrong, by column.
    faults: Vec<String>,
}

/// Checks every row, with `--yes` sends the valid ones, and writes the list. Exit code 1 if a row is faulty
/// or was not sent.
pub(super) fn import(common: &Common, import: &Import) -> anyhow::Result<u8> {
    let loaded = match crate::cli::settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let client = Client::new(super::address(&loaded)?)?;
    if !client.has_token() {
        bail!(
            "GAPURA_TOKEN is not set: set it to a personal token with the scope submit (`gapura token create`)"
        );
    }
    let path = &import.file;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table =
        Table::read(&bytes).map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
    let letters = Letters::open(&import.letters)?;
    let settings = &loaded.settings;
    let naming = options::naming(settings)?;
    let hostings: Vec<(String, String)> =
        settings.hostings.iter().map(|it| (it.name.clone(), it.target.clone())).collect();
    let zone = settings.zones.first().map_or(".", |zone| zone.name.get_ref().as_str());
    let zone = format!("{}.", zone.trim_end_matches('.'));
    let maker = Maker { naming: &naming, zone: &zone, hostings: &hostings };
    let sender = Sender { client, letters, is_meant: import.yes };
    let (mut outcomes, mut failed) = (Vec::with_capacity(table.rows.len()), None);
    for (line, made) in maker.make_all(&table) {
        let mut outcome = Outcome::of(line, &made);
        let done = match failed {
            None => sender.run(&mut outcome, &made.letter),
            Some(line) => Err(anyhow::anyhow!("not tried, because line {line} failed")),
        };
        if let Err(error) = done {
            outcome.state = "failed";
            outcome.faults.push(format!("{error:#}"));
            failed = failed.or(Some(line));
        }
        outcomes.push(outcome);
    }
    report(common, import, &outcomes)
}

impl Outcome {
    /// A row that was not processed yet.
    fn of(line: u32, made: &Made) -> Self {
        let t = Words::of(Lang::En);
        let cell = |fault: &Fault| in_cell(&fault.field, &fault.detail(), t);
        Self {
            line,
            application: made.application.clone(),
            state: "faulty",
            number: String::new(),
            secret: String::new(),
            faults: made.faults.iter().map(cell).collect(),
        }
    }
}

/// What sends rows.
struct Sender {
    /// To the daemon.
    client: Client,
    /// With these letters.
    letters: Letters,
    /// Whether rows are sent, not only checked.
    is_meant: bool,
}

impl Sender {
    /// Sends a row without faults of its own, or checks it.
    fn run(&self, row: &mut Outcome, letter: &str) -> anyhow::Result<()> {
        let t = Words::of(Lang::En);
        let letter = match self.letters.of(letter) {
            Ok(Some(letter)) => Some(letter),
            Ok(None) => {
                row.faults.push(in_cell("letter", "there is no letter with this name", t));
                None
            }
            Err(error) => {
                row.faults.push(in_cell("letter", &format!("{error:#}"), t));
                None
            }
        };
        let body = serde_json::to_value(&row.application)?;
        match letter.filter(|_| row.faults.is_empty()) {
            // A check finds the name of a row that was sent before taken; sending it again returns number
            // and secret.
            Some(letter) if self.is_meant => self.send(row, &body, &letter, t),
            letter => {
                let tried = self.client.send(&Call::post("/api/v1/requests/check", &body))?;
                row.faults.extend(faults(&tried.body, tried.status, t));
                if letter.is_some() && row.faults.is_empty() {
                    row.state = "ready";
                }
                Ok(())
            }
        }
    }

    /// Sends a row.
    fn send(&self, row: &mut Outcome, body: &Value, letter: &[u8], t: Words) -> anyhow::Result<()> {
        let body = body.to_string().into_bytes();
        let key = sha256_hex([body.as_slice(), letter].concat());
        let call = Call::with_letter("/api/v1/requests", &body, Some(letter));
        let sent = self.client.send(&call.header("Idempotency-Key", &key))?;
        let value: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        if sent.status == 201 {
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            (row.state, row.number, row.secret) = ("filed", text("number"), text("secret"));
        } else {
            row.state = "refused";
            row.faults = faults(&sent.body, sent.status, t);
        }
        Ok(())
    }
}

impl Letters {
    /// Letters at a path.
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if !is_zip(&bytes) {
            return Ok(Self::Cover(bytes));
        }
        let t = Words::of(Lang::En);
        let found = letters(&bytes)
            .map_err(|fault| anyhow::anyhow!("{}: {}", path.display(), fault.say(t)))?;
        Ok(Self::Named(
            found.into_iter().map(|(name, letter)| (name.to_lowercase(), letter)).collect(),
        ))
    }

    /// The letter of a row; a row without a file name gets the covering letter.
    fn of(&self, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(match self {
            Self::Cover(letter) => name.is_empty().then(|| letter.clone()),
            Self::Named(letters) => letters.get(&name.trim().to_lowercase()).cloned(),
            // A name in a cell must not be a path.
            Self::Directory(_) if name.is_empty() || name.contains(['/', '\\']) => None,
            Self::Directory(path) => {
                let path = path.join(name);
                match std::fs::read(&path) {
                    Ok(letter) => Some(letter),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                    Err(error) => {
                        return Err(error)
                            .with_context(|| format!("cannot read {}", path.display()));
                    }
                }
            }
        })
    }
}

/// The faults in a reply, by column; empty if there are none.
fn faults(body: &[u8], status: u16, t: Words) -> Vec<String> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = value["errors"].as_array().into_iter().flatten();
    let found: Vec<String> =
        errors.map(|it| in_cell(&text(&it["field"]), &text(&it["detail"]), t)).collect();
    if !found.is_empty() || status < 300 {
        return found;
    }
    match value["detail"].as_str() {
        Some(detail) => vec![detail.to_owned()],
        None => vec![format!("the daemon answered {status}")],
    }
}

/// A fault with the column it is about.
fn in_cell(field: &str, detail: &str, t: Words) -> String {
    match column_of(field) {
        Some(column) => format!("{}: {detail}", column.label(t)),
        None => detail.to_owned(),
    }
}

/// Writes the list, and prints the totals.
fn report(common: &Common, import: &Import, outcomes: &[Outcome]) -> anyhow::Result<u8> {
    let count = |state: &str| outcomes.iter().filter(|it| it.state == state).count();
    let (ready, filed) = (count("ready"), count("filed"));
    let wrong = outcomes.len() - ready - filed;
    let list = if common.json { json_list(outcomes) } else { csv_list(outcomes)? };
    match &import.output {
        Some(file) => std::fs::write(file, &list)
            .with_context(|| format!("cannot write {}", file.display()))?,
        None => crate::cli::put_octets(&list),
    }
    let mut text = String::new();
    let rows = outcomes.len();
    if import.yes {
        append_line!(text, "{rows} rows: {filed} sent, {wrong} not");
    } else {
        append_line!(
            text,
            "{rows} rows: {ready} ready, {wrong} faulty; nothing was sent: add --yes"
        );
    }
    crate::cli::put_error(&text);
    Ok(u8::from(wrong > 0))
}

/// The list for spreadsheets: semicolons and a byte order mark.
fn csv_list(outcomes: &[Outcome]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(vec![0xEF, 0xBB, 0xBF]);
    writer.write_record(["line", "name", "office", "state", "number", "secret", "faults"])?;
    for it in outcomes {
        let (line, faults) = (it.line.to_string(), it.faults.join("; "));
        let (name, office) = (it.application.name.as_str(), it.application.office.as_str());
        let cells = [&line, name, office, it.state, &it.number, &it.secret, &faults];
        writer.write_record(cells.map(disarmed))?;
    }
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

/// The list for programs.
fn json_list(outcomes: &[Outcome]) -> Vec<u8> {
    let row = |it: &Outcome| {
        json!({ "line": it.line, "name": it.application.name, "office": it.application.office,
            "state": it.state, "number": it.number, "secret": it.secret, "faults": it.faults })
    };
    let rows: Vec<Value> = outcomes.iter().map(row).collect();
    format!("{}\n", json!({ "rows": rows })).into_bytes()
}
