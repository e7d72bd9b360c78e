//! Why an address did not have what is wanted.

use std::io;

use super::addresses::Errand;
use super::timer::Failure;
use crate::dns_client::silence;
use crate::publish::PublishError;
use crate::text::with_causes;
use crate::transfer::TransferFault;
use crate::wire::Rcode;

/// Why one address did not have what is wanted.
#[derive(Debug)]
pub(super) struct Why {
    /// How it failed.
    pub(super) failure: Failure,
    /// The reason.
    pub(super) text: String,
    /// Whether the address did not answer at all.
    pub(super) is_silent: bool,
    /// For what all its places are taken, if it is that.
    pub(super) busy: Option<Errand>,
}

impl Why {
    /// Nothing that could be used was heard.
    pub(super) fn unheard(text: impl Into<String>) -> Self {
        Self { failure: Failure::Unheard, text: text.into(), is_silent: false, busy: None }
    }

    /// Something came that cannot be used, or no end of it.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self { failure: Failure::Refused, ..Self::unheard(text) }
    }

    /// Nothing was heard.
    pub(super) fn silent(error: &io::Error) -> Self {
        Self { is_silent: true, ..Self::unheard(silence(error)) }
    }

    /// It would have to be waited for.
    pub(super) fn busy(errand: Errand) -> Self {
        Self { busy: Some(errand), ..Self::unheard("it is busy with other zones") }
    }

    /// A publisher that did not take what came, for no fault of its content.
    pub(super) fn unpublished(error: &PublishError) -> Self {
        Self::unheard(with_causes(error))
    }
}

/// Why a transfer did not come.
#[derive(Debug)]
pub(super) enum Broken {
    /// It came, and is none.
    Transfer(TransferFault),
    /// It ended.
    Ended(Why),
    /// It stood still: the thread it held, it held for long.
    Stalled,
    /// It would be the same in any form: there is no connection, no trust, no end.
    Anyway(Why),
}

impl Broken {
    /// A connection on which a transfer was to come.
    pub(super) fn ended(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::Ended(Why::unheard("it ended the connection before the transfer was whole"))
            }
            io::ErrorKind::TimedOut => Self::Stalled,
            _ => Self::Ended(Why::unheard(silence(error))),
        }
    }

    /// Signatures and keys.
    pub(super) fn untrusted(text: impl Into<String>) -> Self {
        Self::Anyway(Why::unheard(text))
    }

    /// The reason.
    pub(super) fn why(self) -> Why {
        match self {
            Self::Ended(why) | Self::Anyway(why) => why,
            Self::Stalled => Why::refused("the transfer stood still"),
            Self::Transfer(TransferFault::Rcode(rcode)) => refusal(rcode),
            Self::Transfer(fault) => Why::refused(fault.to_string()),
        }
    }
}

impl From<TransferFault> for Broken {
    fn from(fault: TransferFault) -> Self {
        Self::Transfer(fault)
    }
}

/// A primary that does not give the zone.
fn refusal(rcode: Rcode) -> Why {
    Why::unheard(format!("it answered {rcode} for the transfer"))
}
