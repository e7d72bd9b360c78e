//! `gapura request …`: the queue from the command line, over the daemon's own JSON API.
//!
//! Being root on the server does not make anybody an officer: the command acts for the person whose token is
//! in `GAPURA_TOKEN`, or for the applicant whose secret is in `GAPURA_SECRET`. No rule is decided here; the
//! commands for acts are generated from the procedure's table.

mod act;
mod body;
mod http;
mod import;
mod print;

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::{Value, json};

use super::args::Common;
use crate::queue::{ActKind, State};
use act::TypedAct;
use http::{Call, Client, Reply};

//------------ Commands ------------- ---------------------------------------------

/// `gapura request …`
#[derive(Debug)]
pub enum Request {
    /// An act on a request.
    Act(TypedAct),
    /// Anything else.
    Other(Queue),
}

impl FromArgMatches for Request {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match TypedAct::of(matches) {
            Some(act) => Ok(Self::Act(act)),
            None => Queue::from_arg_matches(matches).map(Self::Other),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Request {
    fn augment_subcommands(command: Command) -> Command {
        let acts = ActKind::ALL.into_iter().map(act::command);
        acts.fold(Queue::augment_subcommands(command), Command::subcommand)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        ActKind::from_name(name).is_some() || Queue::has_subcommand(name)
    }
}

/// The commands on the queue that are not an act on a request.
#[derive(Debug, Subcommand)]
pub enum Queue {
    /// Send a request: JSON as in the API, and the letter
    Submit {
        /// The request as JSON; `-` reads standard input
        file: PathBuf,
        /// The letter: a PDF of at most 2 MB, or a JPEG or PNG of at most 10 MB; a renewal that changes
        /// nothing needs none
        #[arg(long, value_name = "FILE")]
        letter: Option<PathBuf>,
    },
    /// Requests in bulk, from a table; nothing is sent without --yes
    Import(import::Import),
    /// The queue, least time left first
    List {
        /// Only this state
        #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.map(State::as_str)))]
        state: Option<String>,
        /// Only late requests
        #[arg(long)]
        late: bool,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one request with candidate, check sheet, proof and history
    Show {
        /// Its number
        number: String,
    },
    /// List live names and the requests behind them
    #[command(display_order = 100)]
    Records {
        /// Only this name
        #[arg(long)]
        name: Option<String>,
    },
    /// Emergency: take a live name out of the zone at once
    #[command(display_order = 101)]
    Suspend {
        /// The absolute name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Accept what the zone file on disk says instead of what was approved
    #[command(display_order = 103)]
    Adopt {
        /// The absolute name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Record the owner's letter saying that the name is still needed and its contact is right
    #[command(display_order = 104)]
    ConfirmName {
        /// The absolute name
        name: String,
        /// The number of the owner's letter; none with the secret of its request in GAPURA_SECRET
        #[arg(long, default_value = "")]
        letter: String,
    },
    /// Confirm the other officer's emergency suspension
    #[command(display_order = 102)]
    ConfirmSuspension {
        /// The absolute name
        name: String,
    },
}

/// `gapura privacy …`
#[derive(Debug, Subcommand)]
pub enum Privacy {
    /// Erase the personal data of a request that has ended; decision, name and office stay
    Erase {
        /// The request's number
        number: String,
        /// Why: the person's own request, the law
        #[arg(long)]
        ground: String,
    },
    /// Show what is stored about a person; recorded as an event, without the search text
    Show {
        /// A mailbox, a request's number, an absolute name, or part of a person's name
        #[arg(value_name = "NAME|MAIL")]
        of: String,
    },
    /// List whose data are stored and which fields, as CSV, for the notice after a breach; recorded
    /// as an event
    BreachExport {},
}

/// `gapura paper …`
#[derive(Debug, Subcommand)]
pub enum Paper {
    /// List the papers of a request
    List {
        /// The request's number
        number: String,
    },
    /// Write the PDF of a paper to standard output
    Show {
        /// The request's number
        number: String,
        /// A kind, such as `notification` (the newest in force), or an id, as `paper list` shows
        #[arg(value_name = "KIND|ID")]
        paper: String,
        /// Write it to this file instead
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

//------------ Running them ----------------------------------------------------

/// Sends a command on the queue to the daemon. Exit code: 0 done, 1 refused, 2 usage.
pub(super) fn run(common: &Common, request: Request) -> anyhow::Result<u8> {
    if let Request::Other(Queue::Import(table)) = &request {
        return import::import(common, table);
    }
    let show = print::shape(&request);
    send(common, show, &call(request)?)
}

/// Sends a command on personal data to the daemon; the exit codes are the same.
pub(super) fn privacy(common: &Common, privacy: Privacy) -> anyhow::Result<u8> {
    let (shape, call) = match privacy {
        Privacy::Erase { number, ground } => {
            let call = Call::post(&path(&number, Some("erase")), &json!({ "ground": ground }));
            (print::Shape::Erased, call)
        }
        Privacy::Show { of } => {
            (print::Shape::Holdings, Call::post("/api/v1/personal-data", &json!({ "of": of })))
        }
        Privacy::BreachExport {} => {
            let call = Call::post("/api/v1/personal-data/breach-export", &json!({}));
            (print::Shape::HoldingsCsv, call)
        }
    };
    send(common, shape, &call)
}

/// `gapura report close`: an act of the kabid, and so a call of the API as well.
pub(super) fn close_month(common: &Common, month: &str) -> anyhow::Result<u8> {
    let path = format!("/api/v1/reports/{}/close", http::escape(month));
    send(common, print::Shape::ClosedMonth, &Call::post(&path, &json!({})))
}

/// Sends a command on papers to the daemon; the exit codes are the same.
pub(super) fn paper(common: &Common, paper: Paper) -> anyhow::Result<u8> {
    let (number, which, output) = match paper {
        Paper::List { number } => {
            let call = Call::get(&path(&number, Some("papers")));
            return send(common, print::Shape::Papers, &call);
        }
        Paper::Show { number, paper, output } => (number, paper, output),
    };
    if output.is_none() && std::io::stdout().is_terminal() {
        super::put_error(
            "gapura: refusing to print a PDF to a terminal: give --output FILE, or redirect it\n",
        );
        return Ok(2);
    }
    let client = match client(common)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let which = http::escape(&which);
    let call = Call::get(&path(&number, Some(&format!("papers/{which}"))));
    let reply = ask(&client, &call)?;
    if reply.status != 200 {
        return shown(common, print::Shape::Papers, &reply);
    }
    match output {
        Some(file) => std::fs::write(&file, &reply.body)
            .with_context(|| format!("cannot write {}", file.display()))?,
        None => std::io::stdout().lock().write_all(&reply.body)?,
    }
    Ok(0)
}

/// A client of the daemon, or the exit code if the settings cannot be read.
fn client(common: &Common) -> anyhow::Result<Result<Client, u8>> {
    let loaded = match super::settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(Err(exit)),
    };
    Ok(Ok(Client::new(address(&loaded)?)?))
}

/// Sends a call and prints the reply.
fn send(common: &Common, show: print::Shape, call: &Call) -> anyhow::Result<u8> {
    let client = match client(common)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    shown(common, show, &ask(&client, call)?)
}

/// Sends a call. If a token is missing, says how to set one.
fn ask(client: &Client, call: &Call) -> anyhow::Result<Reply> {
    let reply = client.send(call)?;
    if reply.status == 401 && !client.has_token() {
        super::put_error(
            "gapura: GAPURA_TOKEN is not set: set it to a personal token (`gapura token create`)\n",
        );
    }
    Ok(reply)
}

/// Prints a reply; returns the exit code.
fn shown(common: &Common, show: print::Shape, reply: &Reply) -> anyhow::Result<u8> {
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
        "web.listen has port 0: set GAPURA_WEB=address:port to where the daemon listens (it printed the address at startup)"
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
    use Queue as Q;
    Ok(match request {
        Request::Act(act) => act.call()?,
        Request::Other(Q::Submit { file, letter }) => {
            Call::multipart("/api/v1/requests", &body::read_request(&file)?, letter.as_deref())?
        }
        Request::Other(Q::Import(_)) => anyhow::bail!("a table is many calls"),
        Request::Other(Q::List { state, late, limit }) => {
            let state = state.map(|state| format!("&state={}", http::escape(&state)));
            let late = if late { "&late=true" } else { "" };
            let state = state.unwrap_or_default();
            Call::get(&format!("/api/v1/requests?limit={limit}{state}{late}"))
        }
        Request::Other(Q::Show { number }) => Call::get(&path(&number, None)),
        Request::Other(Q::Records { name: None }) => Call::get("/api/v1/records"),
        Request::Other(Q::Records { name: Some(name) }) => {
            Call::get(&format!("/api/v1/records?name={}", http::escape(&name)))
        }
        Request::Other(Q::Suspend { name, reason }) => {
            let path = format!("/api/v1/records/{}/suspend", http::escape(&name));
            Call::post(&path, &json!({ "reason": reason }))
        }
        Request::Other(Q::Adopt { name, reason }) => {
            let path = format!("/api/v1/records/{}/adopt", http::escape(&name));
            Call::post(&path, &json!({ "reason": reason }))
        }
        Request::Other(Q::ConfirmName { name, letter }) => {
            let path = format!("/api/v1/records/{}/answer", http::escape(&name));
            Call::post(&path, &json!({ "answer": "in_use", "letter": letter }))
        }
        Request::Other(Q::ConfirmSuspension { name }) => {
            let path = format!("/api/v1/records/{}/confirm", http::escape(&name));
            Call::post(&path, &json!({}))
        }
    })
}

/// The path of a request or of an act on it.
fn path(number: &str, act: Option<&str>) -> String {
    let number = http::escape(number);
    match act {
        Some(act) => format!("/api/v1/requests/{number}/{act}"),
        None => format!("/api/v1/requests/{number}"),
    }
}
