//! What PostgreSQL says of a statement that failed, or that it says nothing.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tokio_postgres::error::{DbError, SqlState};

/// Why a statement failed.
#[derive(Debug)]
pub enum Fault {
    /// The server or the connection to it.
    Driver(tokio_postgres::Error),
    /// No answer for so long.
    Silent(Duration),
    /// It cannot be connected to.
    Connect(String),
    /// It cannot be used as it is.
    Unfit(String),
    /// All sessions are in use.
    Busy,
    /// This process begins anew, which takes some seconds.
    Anew,
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => match error.as_db_error() {
                // The detail quotes values: people's data does not go into a log.
                Some(said) => write!(f, "{}: {}", said.code().code(), said.message()),
                None => error.fmt(f),
            },
            Self::Silent(time) => write!(f, "PostgreSQL has not answered for {} s", time.as_secs()),
            Self::Connect(why) | Self::Unfit(why) => f.write_str(why),
            Self::Busy => f.write_str("all sessions with PostgreSQL are in use"),
            Self::Anew => f.write_str("gapura begins anew by itself, within seconds"),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Driver(error) if error.as_db_error().is_none() => error.source(),
            _ => None,
        }
    }
}

impl Fault {
    /// What the server said, if it said something.
    fn said(&self) -> Option<&DbError> {
        match self {
            Self::Driver(error) => error.as_db_error(),
            _ => None,
        }
    }

    /// Whether the session is of no use any more.
    pub(in crate::store) fn ends_session(&self) -> bool {
        // An error that ends it has another severity, translated or not.
        self.said().is_none_or(|said| said.severity() != "ERROR")
    }

    /// Whether the server would refuse another write for it, too: resources, rights, a standby, its system.
    pub(super) fn is_of_the_server(&self) -> bool {
        let code = self.said().map(DbError::code);
        code.is_some_and(|code| {
            ["53", "58", "XX"].iter().any(|class| code.code().starts_with(class))
                || [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::READ_ONLY_SQL_TRANSACTION]
                    .contains(code)
        })
    }

    /// Whether the server's disk has no room.
    pub(in crate::store) fn is_disk_full(&self) -> bool {
        self.said().is_some_and(|said| *said.code() == SqlState::DISK_FULL)
    }

    /// Whether the server cannot be used at present, and nothing is wrong with what was asked for.
    pub(in crate::store) fn is_unavailable(&self) -> bool {
        let Some(said) = self.said() else {
            return match self {
                Self::Driver(error) => error.is_closed() || is_of_the_system(error),
                Self::Silent(_) | Self::Connect(_) | Self::Busy | Self::Anew => true,
                Self::Unfit(_) => false,
            };
        };
        let code = said.code();
        // Classes 08 (connection), 53 (resources), 57 (intervention, time limits), 58 (system), XX (damage); a deadlock or
        // a lock that somebody holds; a server that takes no writes.
        ["08", "53", "57", "58", "XX"].iter().any(|class| code.code().starts_with(class))
            || [
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::LOCK_NOT_AVAILABLE,
                SqlState::READ_ONLY_SQL_TRANSACTION,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            ]
            .contains(code)
    }
}

/// Whether an error comes from the system: the connection is gone.
fn is_of_the_system(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}
