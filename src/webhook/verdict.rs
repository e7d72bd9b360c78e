//! What an answer means for an event: delivered, retried, given up, or the webhook is stopped.

use std::fmt;
use std::str::FromStr;

use crate::queue::time::{DAY_MS, MINUTE_MS};

/// How long an event waits for a webhook that cannot be reached, in milliseconds. A webhook that fails for that long is
/// stopped.
pub const KEPT_MS: i64 = 3 * DAY_MS;
/// Pauses between attempts to deliver an event, in seconds; the last one repeats.
const PAUSES: [i64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];
/// Attempts for an event that the receiver answers but does not accept, until it is given up: about a day.
const TRIES_MAX: u32 = 13;
/// Longest pause that a receiver may ask for, in milliseconds.
const ASKED_MAX_MS: i64 = 60 * MINUTE_MS;

/// The pause after that many failed attempts, in milliseconds; longer if the receiver asked for it.
pub fn pause_ms(tries: u32, asked_s: Option<u32>) -> i64 {
    let at = usize::try_from(tries.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let asked = asked_s.map_or(0, |seconds| (i64::from(seconds) * 1_000).min(ASKED_MAX_MS));
    (PAUSES[at] * 1_000).max(asked)
}

//------------ Said ----------------------------------------------------------

/// The result of an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Said {
    /// It was answered with this status.
    Status(u16),
    /// The host's name has no address, or was not resolved in time.
    NoAddress,
    /// The host's address may not be called.
    Private,
    /// Nobody answered at the address.
    Unreachable,
    /// The certificate is not valid for the name, or the handshake failed otherwise.
    Tls,
    /// There was no answer in time.
    Late,
    /// The answer was not HTTP.
    NoHttp,
}

impl Said {
    /// All results other than a status.
    pub const WORDS: [Self; 6] =
        [Self::NoAddress, Self::Private, Self::Unreachable, Self::Tls, Self::Late, Self::NoHttp];

    /// Its word, as stored and as programs read it; a status is its number.
    pub fn word(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::NoAddress => "no_address".to_owned(),
            Self::Private => "private".to_owned(),
            Self::Unreachable => "unreachable".to_owned(),
            Self::Tls => "tls".to_owned(),
            Self::Late => "late".to_owned(),
            Self::NoHttp => "no_http".to_owned(),
        }
    }
}

impl FromStr for Said {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        if let Ok(status) = word.parse() {
            return Ok(Self::Status(status));
        }
        Self::WORDS.into_iter().find(|said| said.word() == word).ok_or(())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ 300..=399) => write!(
                f,
                "answered {status}: redirects are not followed, set the url to where it leads"
            ),
            Self::Status(410) => f.write_str("answered 410: it wants no more calls"),
            Self::Status(status) => write!(f, "answered {status}"),
            Self::NoAddress => f.write_str("its name has no address"),
            Self::Private => f.write_str(
                "its address is not public: set private = true if it is in the office's own network",
            ),
            Self::Unreachable => f.write_str("nobody answers at its address"),
            Self::Tls => f.write_str("TLS fails: look at its certificate and its name"),
            Self::Late => f.write_str("it did not answer in time"),
            Self::NoHttp => f.write_str("its answer is not HTTP"),
        }
    }
}

//------------ Answer --------------------------------------------------------

/// The outcome of one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The result.
    pub said: Said,
    /// The seconds after which it wants the next try (RFC 9110 §10.2.3).
    pub retry_after: Option<u32>,
    /// What the system or TLS said, for the log; empty where that is all.
    pub detail: String,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The event is delivered.
    Told,
    /// It is retried after a pause.
    Again,
    /// It is given up, and the next one is tried.
    GivenUp,
    /// The webhook is stopped until an administrator retries it.
    Stop,
}

impl Answer {
    /// An outcome without further details.
    pub fn of(said: Said) -> Self {
        Self { said, retry_after: None, detail: String::new() }
    }

    /// What follows after that many attempts of the event, including this one, and that many milliseconds without a
    /// success. An event that the receiver answers but does not accept is given up in the end, so that it does not block
    /// the later ones forever; one that could not be delivered waits.
    pub fn verdict(&self, tries: u32, failing_ms: i64) -> Verdict {
        match self.said {
            Said::Status(200..=299) => Verdict::Told,
            Said::Status(410) => Verdict::Stop,
            _ if failing_ms >= KEPT_MS => Verdict::Stop,
            Said::Status(408 | 425 | 429 | 502..=504) => Verdict::Again,
            Said::Status(_) if tries >= TRIES_MAX => Verdict::GivenUp,
            _ => Verdict::Again,
        }
    }
}
