//! A connection over memory, for tests and the fuzz target `framing`: in whatever pieces octets come
//! in, the same responses go out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use super::super::responder::{Responder, Shared, Source};
use super::StreamLimits;
use super::connection::{Bench, Connection};
use super::roster::Roster;
use crate::answer::Transport;
use crate::wire::HEADER_OCTETS;
use crate::zone::ZoneSet;

/// Octets the memory between client and server holds: less than one large response.
const PIPE_OCTETS: usize = 16 << 10;

//------------ Framing -------------------------------------------------------

/// The server's side of TCP without a socket.
pub struct Framing {
    /// Runs client and server side by side.
    runtime: Runtime,
    /// Admits connections.
    roster: Arc<Roster>,
    /// Answers.
    bench: Arc<Mutex<Bench>>,
}

impl Framing {
    /// A server of these zones, without cookies, limits of rate and log.
    pub fn new(zones: ZoneSet) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::plain(Arc::new(ArcSwap::from_pointee(zones))));
        let responder = Responder::new(shared, Transport::Tcp, false);
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            roster: Arc::new(Roster::new(StreamLimits::default())),
            bench: Arc::new(Mutex::new(Bench::new(responder))),
        })
    }

    /// What a client gets that sends these pieces and then closes its half.
    pub fn converse<'p>(&self, pieces: impl Iterator<Item = &'p [u8]>) -> Vec<u8> {
        let client = SocketAddr::from(([192, 0, 2, 1], 5353));
        let source = Source { client, local: None, keepalive: Some(100), identity: None };
        let Some(ticket) = self.roster.admit(client.ip()) else {
            return Vec::new();
        };
        let (near, far) = tokio::io::duplex(PIPE_OCTETS);
        let connection = Connection::new(far, source, ticket, self.bench.clone());
        let (mut reader, mut writer) = tokio::io::split(near);
        let send = async {
            for piece in pieces {
                // The server may have hung up on garbage.
                if writer.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            let _ = writer.shutdown().await;
        };
        let receive = async {
            let mut responses = Vec::new();
            let _ = reader.read_to_end(&mut responses).await;
            responses
        };
        self.runtime.block_on(async { tokio::join!(send, receive, connection.run()).1 })
    }

    /// The property: the first octet says in how long pieces the others come; the responses are those
    /// to the whole messages in front of the first that is garbage, in order, however they came.
    ///
    /// # Panics
    ///
    /// Where it does not hold.
    pub fn check(&self, bytes: &[u8]) {
        let Some((&piece, stream)) = bytes.split_first() else {
            return;
        };
        let whole = self.converse(std::iter::once(stream));
        let pieces = self.converse(stream.chunks(usize::from(piece) + 1));
        assert!(
            whole == pieces,
            "pieces of {} octets are answered otherwise",
            u16::from(piece) + 1
        );
        let mut queries = frames(stream).take_while(|query| is_query(query));
        for response in frames(&whole) {
            let query = queries.next().unwrap_or_else(|| panic!("a response to no query"));
            assert_eq!(response[..2], query[..2], "the identifier");
            assert!(response[2] & 0x80 != 0, "a response");
        }
        assert_eq!(queries.next(), None, "a query without a response");
        let octets: usize = frames(&whole).map(|response| 2 + response.len()).sum();
        assert_eq!(octets, whole.len(), "octets behind the last response");
    }
}

/// The whole messages of a stream.
fn frames(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = stream.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        stream = rest;
        Some(message)
    })
}

/// Whether a message gets an answer.
fn is_query(message: &[u8]) -> bool {
    message.len() >= HEADER_OCTETS && message[2] & 0x80 == 0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_fuzz_corpus_is_answered_in_any_pieces() {
        let zones = crate::serve::tests::zones().load_full();
        let framing = Framing::new(ZoneSet::clone(&zones)).unwrap();
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/framing");
        let seeds = std::fs::read_dir(corpus).unwrap();
        let count = seeds.map(|seed| framing.check(&std::fs::read(seed.unwrap().path()).unwrap()));
        assert!(count.count() > 10);
    }

    #[test]
    fn many_large_responses_come_in_any_pieces() {
        let zones = crate::serve::tests::zones().load_full();
        let framing = Framing::new(ZoneSet::clone(&zones)).unwrap();
        let query = b"\0\x1d\x12\x34\0\0\0\x01\0\0\0\0\0\0\x03big\x07example\0\0\x10\0\x01";
        for piece in [0, 1, 28, 29, 255] {
            framing.check(&[&[piece][..], &query.repeat(60), &query[..9]].concat());
        }
    }
}
