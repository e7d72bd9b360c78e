//! DNS on the wire: names, types, records, the header, EDNS, RDATA.
//!
//! Everything here is total over any bytes: a function gets a slice and returns a value or a small
//! error whose variants *are* the reaction of a server (drop, FORMERR, NOTIMP, BADVERS). No I/O, no
//! clock, no zone. RFC 1035 §3 and §4, RFC 6891, RFC 3597; words of RFC 9499.

mod compressed;
pub mod edns;
pub mod header;
mod name;
mod proxy;
mod query;
pub mod rdata;
mod reader;
mod record;
mod response;
mod rtype;
mod serial;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub use compressed::read_name;
pub use edns::Edns;
pub use header::{HEADER_OCTETS, Header};
pub use name::{Labels, NAME_OCTETS_MAX, Name, NameError, NameRef};
pub use proxy::{PROXY_HEAD_OCTETS, ProxyHeader};
pub use query::{Query, Question};
pub use reader::{Reader, RecordFault, RecordHead};
pub use record::{Record, RecordRef, TTL_MAX, received_ttl};
pub use response::{Response, ResponseError};
pub use rtype::{Class, Opcode, Rcode, Rtype};
pub use serial::{has_reached, is_ahead};
pub use writer::{POINTER_MAX, Writer};
