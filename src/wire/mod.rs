//! DNS on the wire: names, types, records, the header, EDNS, RDATA.
//!
//! Everything here is total over any bytes: a function gets a slice and returns a value or a small
//! error whose variants *are* the reaction of a server (drop, FORMERR, NOTIMP, BADVERS). No I/O, no
//! clock, no zone. RFC 1035 §3 and §4, RFC 6891, RFC 3597; words of RFC 9499.

pub mod edns;
pub mod header;
mod name;
mod query;
pub mod rdata;
mod record;
mod rtype;
mod writer;

pub use edns::Edns;
pub use header::Header;
pub use name::{Labels, Name, NameError, NameRef};
pub use query::{Query, Question, Tsig};
pub use record::{Record, RecordRef};
pub use rtype::{Class, Opcode, Rcode, Rtype};
pub use writer::{POINTER_MAX, Writer};
