//! What an answer means: the event is told, it is tried again, it is given up, or nobody is called any more.

use std::fmt;
use std::str::FromStr;

use crate::queue::time::{DAY_MS, MINUTE_MS};

/// How long an event waits for a webhook that cannot be reached, in milliseconds. One that fails for so long is
/// stopped.
pub const KEPT_MS: i64 = 3 * DAY_MS;
/// Pauses between the tries of an event, in seconds; the last one again and again.
const PAUSES: [i64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];
/// Tries of one event that is answered and not taken, until it is given up: about a day.
const TRIES_MAX: u32 = 13;
/// Longest pause that a receiver may ask for, in milliseconds.
const ASKED_MAX_MS: i64 = 60 * MINUTE_MS;

/// The pause after so many tries that failed, in milliseconds; longer if the receiver asked for it.
pub fn pause_ms(tries: u32, asked_s: Option<u32>) -> i64 {
    let at = usize::try_from(tries.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let asked = asked_s.map_or(0, |seconds| (i64::from(seconds) * 1_000).min(ASKED_MAX_MS));
    (PAUSES[at] * 1_000).max(asked)
}

//------------ Said ----------------------------------------------------------

/// How a try went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Said {
    /// It was answered with this status.
    Status(u16),
    /// The name of the host has no address, or nobody said in time.
    NoAddress,
    /// The host has an address where no call goes.
    Private,
    /// Nobody answered at the address.
    Unreachable,
    /// The certificate is not good for the name, or the handshake failed otherwise.
    Tls,
    /// There was no answer in time.
    Late,
    /// What came was no HTTP.
    NoHttp,
}

impl Said {
    /// Those that are no status.
    pub const WORDS: [Self; 6] =
        [Self::NoAddress, Self::Private, Self::Unreachable, Self::Tls, Self::Late, Self::NoHttp];

    /// Its word, as it is kept and as programs read it; a status is its number.
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
            Self::NoHttp => f.write_str("what it answers is no HTTP"),
        }
    }
}

//------------ Answer --------------------------------------------------------

/// What came of one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// How it went.
    pub said: Said,
    /// The seconds after which it wants the next try (RFC 9110 §10.2.3).
    pub retry_after: Option<u32>,
    /// What the system or TLS said, for the log; empty where that is all.
    pub detail: String,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The event is told.
    Told,
    /// It is tried again after a pause.
    Again,
    /// It is given up, and the next one is tried.
    GivenUp,
    /// Nobody is called any more until an administrator says so.
    Stop,
}

impl Answer {
    /// An answer without more to it.
    pub fn of(said: Said) -> Self {
        Self { said, retry_after: None, detail: String::new() }
    }

    /// What follows, after so many tries of the event with this one, and since so many milliseconds without a
    /// success. An event that is answered and not taken is given up in the end, so that it does not stand
    /// before the others for ever; one that could not be brought waits.
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
