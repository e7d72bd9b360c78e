//! `gapura request …`: the queue from the command line, over the daemon's own JSON API.
//!
//! Being root on the server makes nobody an officer: the daemon is asked as the person whose token
//! is in `GAPURA_TOKEN`, or as the applicant whose secret is in `GAPURA_SECRET`. No rule is decided
//! here.

mod body;
mod http;
mod print;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::args::Common;
use crate::queue::{Act, ActKind};
use http::{Call, Client};

//------------ What may be typed ---------------------------------------------

/// `gapura request …`
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Send a request: JSON as in the API, and the letter
    Submit {
        /// The request as JSON; `-` reads standard input
        file: PathBuf,
        /// The letter: PDF, JPEG or PNG, 2 MB at most
        #[arg(long, value_name = "FILE")]
        letter: PathBuf,
    },
    /// The queue, least time left first
    List {
        /// Only this state: submitted, assigned, verified, live …
        #[arg(long)]
        state: Option<String>,
        /// Only what is late
        #[arg(long)]
        late: bool,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One request with candidate, check sheet, proof and history
    Show {
        /// Its number
        number: String,
    },
    /// Disposisi: route it to a kasi
    Dispose {
        /// Its number
        number: String,
        /// The kasi's account name
        #[arg(long)]
        to: String,
        /// What to do
        #[arg(long, default_value = "")]
        instruction: String,
    },
    /// Give it to another kasi
    Reassign {
        /// Its number
        number: String,
        /// The kasi's account name
        #[arg(long)]
        to: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Give it back to the kabid
    Release {
        /// Its number
        number: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ask a parent office, the camat or a second holder to agree
    Ask {
        /// Its number
        number: String,
        /// Who is asked
        #[arg(long)]
        party: String,
        /// Where the link goes
        #[arg(long, default_value = "")]
        email: String,
    },
    /// Key in that the party agrees
    Confirm(Answer),
    /// Key in that the party does not agree
    Deny(Answer),
    /// Save lines of the check sheet; decides nothing
    Check {
        /// Its number
        number: String,
        /// The lines
        #[command(flatten)]
        lines: Lines,
    },
    /// Back to the applicant, with every fault at once
    Return {
        /// Its number
        number: String,
        /// The lines
        #[command(flatten)]
        lines: Lines,
    },
    /// Send a corrected request, as applicant or with their letter
    Resubmit {
        /// Its number
        number: String,
        /// The request as JSON; `-` reads standard input
        file: PathBuf,
        /// A new letter, if there is one
        #[arg(long, value_name = "FILE")]
        letter: Option<PathBuf>,
    },
    /// Turn it down
    Reject {
        /// Its number
        number: String,
        /// bukan_kewenangan, nama_menyalahi_aturan, nama_terpakai, surat_tidak_sah,
        /// bukan_kepentingan_dinas, tujuan_tidak_aman or rangkap
        #[arg(long)]
        reason: String,
        /// What the applicant reads
        #[arg(long)]
        note: String,
        /// The lines
        #[command(flatten)]
        lines: Lines,
    },
    /// Approve exactly what `show` printed: its revision and candidate
    Approve {
        /// Its number
        number: String,
        /// The revision that was read
        #[arg(long)]
        revision: u32,
        /// The candidate hash that was read
        #[arg(long)]
        candidate: String,
        /// The serial that was read, where `approval.bind` is "serial"
        #[arg(long)]
        serial: Option<u32>,
        /// The lines
        #[command(flatten)]
        lines: Lines,
    },
    /// The second signature, on the same candidate
    Countersign {
        /// Its number
        number: String,
        /// The candidate hash that was read
        #[arg(long)]
        candidate: String,
    },
    /// Check it again
    Reopen {
        /// Its number
        number: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Make it live
    Promote {
        /// Its number
        number: String,
    },
    /// Allow another attempt after a failed promotion
    Retry {
        /// Its number
        number: String,
    },
    /// Take it back, as applicant or on their letter
    Withdraw {
        /// Its number
        number: String,
        /// The letter's number, when an officer keys it in
        #[arg(long, default_value = "")]
        letter: String,
    },
    /// Record that the notice was handed over
    Notified {
        /// Its number
        number: String,
        /// How: printed and handed over, telephoned
        #[arg(long)]
        how: String,
    },
    /// Live names and the requests behind them
    Records {
        /// Only this name
        #[arg(long)]
        name: Option<String>,
    },
    /// Emergency: take a live name out of the zone at once
    Suspend {
        /// The absolute name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Agree with the other officer's emergency suspension
    ConfirmSuspension {
        /// The absolute name
        name: String,
    },
}

/// `gapura privacy …`
#[derive(Debug, Subcommand)]
pub enum Privacy {
    /// Erase the person behind a request that has ended; decision, name and office stay
    Erase {
        /// The request's number
        number: String,
        /// Why: the person's own request, the law
        #[arg(long)]
        ground: String,
    },
}

/// An answer of another party.
#[derive(Args, Debug)]
pub struct Answer {
    /// The request's number
    pub number: String,
    /// Who answers
    #[arg(long, default_value = "")]
    pub party: String,
    /// The number of their letter
    #[arg(long)]
    pub letter: String,
}

/// Lines of the check sheet.
#[derive(Args, Debug)]
pub struct Lines {
    /// Lines that are sesuai, as M1,M2,M3
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    pub ok: Vec<String>,
    /// One line with verdict and note, as M4=fix:the short form differs; may be repeated
    #[arg(long = "line", value_name = "CODE=VERDICT[:NOTE]")]
    pub lines: Vec<String>,
}

//------------ Doing it ------------------------------------------------------

/// Has it done by the daemon; 0 done, 1 turned back, 2 not understood.
pub(super) fn run(common: &Common, request: Request) -> anyhow::Result<u8> {
    let show = print::shape(&request);
    send(common, show, &call(request)?)
}

/// Has something done about personal data; the same door and exit codes.
pub(super) fn privacy(common: &Common, privacy: Privacy) -> anyhow::Result<u8> {
    let Privacy::Erase { number, ground } = privacy;
    let call = Call::post(&path(&number, Some("erase")), &json!({ "ground": ground }));
    send(common, print::Shape::Erased, &call)
}

/// Sends a call and prints what came of it.
fn send(common: &Common, show: print::Shape, call: &Call) -> anyhow::Result<u8> {
    let loaded = match super::settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let client = Client::new(address(&loaded)?);
    let reply = client.send(call)?;
    let value: Value = serde_json::from_slice(&reply.body)
        .with_context(|| format!("the daemon answered {} without JSON", reply.status))?;
    Ok(print::print(common.json, show, reply.status, &value))
}

/// Where the daemon's API listens: `GAPURA_WEB`, or the settings' address, with a wildcard read as
/// loopback.
fn address(loaded: &crate::config::Loaded) -> anyhow::Result<SocketAddr> {
    if let Ok(text) = std::env::var("GAPURA_WEB") {
        return text.parse().with_context(|| format!("GAPURA_WEB={text} is not address:port"));
    }
    let mut listen = loaded.settings.web.listen;
    anyhow::ensure!(
        listen.port() != 0,
        "web.listen has port 0: say where the daemon listens in GAPURA_WEB=address:port (it printed it at start)"
    );
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(listen)
}

/// The API call of a command.
fn call(request: Request) -> anyhow::Result<Call> {
    use Request as R;
    Ok(match request {
        R::Submit { file, letter } => {
            Call::multipart("/api/v1/requests", &body::read_request(&file)?, Some(&letter))?
        }
        R::Resubmit { number, file, letter } => {
            let request = body::read_request(&file)?;
            let path = path(&number, Some(ActKind::Resubmit.as_str()));
            Call::multipart(&path, &request, letter.as_deref())?
        }
        R::List { state, late, limit } => {
            let state = state.map(|state| format!("&state={}", http::escape(&state)));
            let late = if late { "&late=true" } else { "" };
            let state = state.unwrap_or_default();
            Call::get(&format!("/api/v1/requests?limit={limit}{state}{late}"))
        }
        R::Show { number } => Call::get(&path(&number, None)),
        R::Dispose { number, to, instruction } => {
            perform(&number, &Act::Dispose { to, instruction })?
        }
        R::Reassign { number, to, reason } => perform(&number, &Act::Reassign { to, reason })?,
        R::Release { number, reason } => perform(&number, &Act::Release { reason })?,
        R::Ask { number, party, email } => perform(&number, &Act::Consult { party, email })?,
        R::Confirm(Answer { number, party, letter }) => {
            perform(&number, &Act::Confirm { party, letter })?
        }
        R::Deny(Answer { number, party, letter }) => {
            perform(&number, &Act::Deny { party, letter })?
        }
        R::Check { number, lines } => {
            perform(&number, &Act::Check { lines: body::lines(&lines)? })?
        }
        R::Return { number, lines } => {
            perform(&number, &Act::Return { lines: body::lines(&lines)? })?
        }
        R::Reject { number, reason, note, lines } => {
            perform(&number, &Act::Reject { reason, note, lines: body::lines(&lines)? })?
        }
        R::Approve { number, revision, candidate, serial, lines } => {
            let lines = body::lines(&lines)?;
            perform(&number, &Act::Approve { revision, candidate, serial, lines })?
        }
        R::Countersign { number, candidate } => perform(&number, &Act::Countersign { candidate })?,
        R::Reopen { number, reason } => perform(&number, &Act::Reopen { reason })?,
        R::Promote { number } => perform(&number, &Act::Promote {})?,
        R::Retry { number } => perform(&number, &Act::Retry {})?,
        R::Withdraw { number, letter } => perform(&number, &Act::Withdraw { letter })?,
        R::Notified { number, how } => perform(&number, &Act::Notified { how })?,
        R::Records { name: None } => Call::get("/api/v1/records"),
        R::Records { name: Some(name) } => {
            Call::get(&format!("/api/v1/records?name={}", http::escape(&name)))
        }
        R::Suspend { name, reason } => {
            let path = format!("/api/v1/records/{}/suspend", http::escape(&name));
            Call::post(&path, &json!({ "reason": reason }))
        }
        R::ConfirmSuspension { name } => {
            let path = format!("/api/v1/records/{}/confirm", http::escape(&name));
            Call::post(&path, &json!({}))
        }
    })
}

/// The call that performs an act.
fn perform(number: &str, act: &Act) -> anyhow::Result<Call> {
    Ok(Call::post(&path(number, Some(act.kind().as_str())), &serde_json::to_value(act)?))
}

/// The path of a request or of an act on it.
fn path(number: &str, act: Option<&str>) -> String {
    let number = http::escape(number);
    match act {
        Some(act) => format!("/api/v1/requests/{number}/{act}"),
        None => format!("/api/v1/requests/{number}"),
    }
}
