//! DNS over QUIC (RFC 9250) through hickory-server: the one file that names it.
//!
//! hickory-server keeps the QUIC connections and reads queries; the answer is our own engine's, as on
//! every other transport. The seam takes no finished message, so [`Bridge`] takes the response apart
//! and hands over its records: verbatim, except those whose RDATA holds compressed names (NS, CNAME,
//! PTR, MX, SOA), which hickory decodes and compresses anew. What it cannot carry is declined: a TSIG
//! (the message would no longer be the one that was signed) and transfers (they need many messages).
//!
//! A listener of hickory-server may end on its own, so it is supervised and restarted. It takes one
//! handshake at a time, five seconds at most, and has no limit of connections: therefore off by
//! default, and on a port of its own.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, ResponseCode};
use hickory_server::proto::rr::rdata::NULL;
use hickory_server::proto::rr::rdata::opt::EdnsOption;
use hickory_server::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_server::proto::serialize::binary::{BinDecodable, BinDecoder, BinEncoder};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::{MessageResponse, MessageResponseBuilder, Queries};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::answer::Transport;
use crate::wire::Rtype;

use super::responder::{Answer, Responder, Shared, Source};
use super::tls::Certificate;

/// How long a connection may be idle, and a query may take to arrive.
const IDLE: Duration = Duration::from_secs(10);
/// Pause before a listener that ended is restarted.
const RESTART_REST: Duration = Duration::from_secs(1);
/// How long connections may take to finish when the server stops.
const STOP_MAX: Duration = Duration::from_secs(2);
/// Types of which our engine compresses names in RDATA (RFC 3597 §4).
const COMPRESSED: [Rtype; 5] = [Rtype::NS, Rtype::CNAME, Rtype::PTR, Rtype::MX, Rtype::SOA];

/// The padding option (RFC 7830), and the size that responses are padded to a multiple of (RFC 8467).
const PADDING_OPTION: u16 = 12;
const PADDING_BLOCK: usize = 468;

//------------ QuicServer ----------------------------------------------------

/// The QUIC listeners, running on a thread and runtime of their own.
#[derive(Debug)]
pub(super) struct QuicServer {
    /// Ends them.
    stop: CancellationToken,
    /// The thread.
    thread: Option<JoinHandle<()>>,
}

impl QuicServer {
    /// Starts listeners on bound sockets.
    pub(super) fn start(
        shared: Arc<Shared>,
        sockets: Vec<UdpSocket>,
        certificate: Arc<Certificate>,
    ) -> io::Result<Self> {
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let supervisor = Supervisor { sockets, certificate, shared, stop: stop.clone() };
        let thread = std::thread::Builder::new()
            .name("quic".to_owned())
            .spawn(move || supervisor.run(&runtime))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Asks it to stop, without waiting.
    pub(super) fn request_stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for QuicServer {
    fn drop(&mut self) {
        self.request_stop();
        if let Some(thread) = self.thread.take() {
            // A panic was handled as the end of a listener.
            let _ = thread.join();
        }
    }
}

/// Keeps the listeners going.
struct Supervisor {
    /// The sockets; each listener works on a second handle.
    sockets: Vec<UdpSocket>,
    /// The certificate.
    certificate: Arc<Certificate>,
    /// What all workers share.
    shared: Arc<Shared>,
    /// Ends everything.
    stop: CancellationToken,
}

impl Supervisor {
    /// Runs until it is asked to stop.
    fn run(&self, runtime: &Runtime) {
        runtime.block_on(async {
            while !self.stop.is_cancelled() {
                if let Err(error) = self.serve().await {
                    self.shared.restarts.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%error, "the QUIC listener ended and is restarted");
                }
                if self.stop.is_cancelled() {
                    return;
                }
                let rest = tokio::time::sleep(RESTART_REST);
                self.stop.run_until_cancelled(rest).await;
            }
        });
    }

    /// Serves until it is asked to stop, or until a listener ends on its own.
    async fn serve(&self) -> io::Result<()> {
        let bridge = Bridge::new(&self.shared);
        let mut server = Server::new(bridge);
        for socket in &self.sockets {
            let socket = tokio::net::UdpSocket::from_std(socket.try_clone()?)?;
            server.register_quic_listener(socket, IDLE, self.certificate.clone())?;
        }
        let ended = self.stop.run_until_cancelled(server.block_until_done()).await;
        match ended {
            Some(result) => result.map_err(io::Error::other),
            None => {
                let _ = tokio::time::timeout(STOP_MAX, server.shutdown_gracefully()).await;
                Ok(())
            }
        }
    }
}

//------------ Bridge --------------------------------------------------------

/// Our engine as hickory-server wants to call it.
struct Bridge {
    /// Responders for IPv4 and IPv6, each with room for a response.
    responders: [Mutex<(Responder, Box<[u8]>)>; 2],
}

impl Bridge {
    /// A bridge to the engine.
    fn new(shared: &Arc<Shared>) -> Self {
        let responder = |ipv6| {
            let responder = Responder::new(shared.clone(), Transport::Quic, ipv6);
            Mutex::new((responder, vec![0; 65_535].into()))
        };
        Self { responders: [responder(false), responder(true)] }
    }

    /// Asks the engine; the response as hickory knows it, or `None` for silence.
    fn answer(&self, query: &[u8], client: SocketAddr) -> Option<Parts> {
        let lock = &self.responders[usize::from(client.is_ipv6())];
        let mut guard = lock.lock().unwrap_or_else(|poisoned| {
            lock.clear_poison();
            let mut guard = PoisonError::into_inner(poisoned);
            guard.0.recover();
            guard
        });
        let (responder, out) = &mut *guard;
        let moment = responder.begin();
        let shared = responder.shared.clone();
        let zones = shared.zones.load();
        // RFC 9250 §5.5.2: no keepalive option over QUIC.
        let source = Source { client, local: None, keepalive: None, identity: None };
        let answer = responder.respond(&zones, moment, &source, query, out);
        responder.finish();
        match answer {
            Answer::Reply(length) => Parts::read(&out[..length]),
            // The responder refuses over QUIC whatever takes its time.
            Answer::Silence | Answer::Errand(_) => None,
        }
    }
}

impl RequestHandler for Bridge {
    // What `async_trait` makes of hickory's declaration, written out.
    fn handle_request<'life0, 'life1, 'async_trait, R, T>(
        &'life0 self,
        request: &'life1 Request,
        mut handle: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'async_trait>>
    where
        R: ResponseHandler + 'async_trait,
        T: Time + 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let nothing = Header { metadata: request.metadata, counts: HeaderCounts::default() };
            let Some(mut parts) = self.answer(request.as_slice(), request.src()) else {
                return nothing.into();
            };
            parts.fit_padding(&request.queries);
            let [answers, authorities, additionals] = &parts.sections;
            let response = MessageResponseBuilder::new(&request.queries, parts.edns.as_ref())
                .build(parts.header.metadata, answers, authorities, &[], additionals);
            match handle.send_response(response).await {
                Ok(info) => info,
                Err(error) => {
                    tracing::debug!(%error, "a response over QUIC was not sent");
                    nothing.into()
                }
            }
        })
    }
}

//------------ Parts ---------------------------------------------------------

/// One of our responses, taken apart.
struct Parts {
    /// The header; its counts are hickory's to write.
    header: Header,
    /// Answer, authority and additional section, without OPT.
    sections: [Vec<Record>; 3],
    /// OPT.
    edns: Option<Edns>,
}

impl Parts {
    /// Takes a response of ours apart. `None` if it is not well formed, which would be our own fault.
    fn read(message: &[u8]) -> Option<Self> {
        let mut decoder = BinDecoder::new(message);
        let mut header = Header::read(&mut decoder).ok()?;
        for _ in 0..header.counts.queries {
            Name::read(&mut decoder).ok()?;
            decoder.read_slice(4).ok()?;
        }
        let counts = [header.counts.answers, header.counts.authorities, header.counts.additionals];
        let (mut sections, mut edns) = ([const { Vec::new() }; 3], None);
        for (section, count) in sections.iter_mut().zip(counts) {
            for _ in 0..count {
                match RawRecord::read(message, &mut decoder)? {
                    raw if raw.rtype == Rtype::OPT => {
                        let low = header.metadata.response_code.low();
                        header.metadata.response_code =
                            ResponseCode::from((raw.ttl >> 24) as u8, low);
                        edns = Some(raw.edns());
                    }
                    raw => section.push(raw.record(message)?),
                }
            }
        }
        Some(Self { header, sections, edns })
    }

    /// The response as hickory sends it.
    fn response<'a>(
        &'a self,
        queries: &'a Queries,
    ) -> MessageResponse<'a, 'a, Records<'a>, Records<'a>, Records<'a>, Records<'a>> {
        let [answers, authorities, additionals] = &self.sections;
        MessageResponseBuilder::new(queries, self.edns.as_ref()).build(
            self.header.metadata,
            answers,
            authorities,
            &[],
            additionals,
        )
    }

    /// Pads anew, if the client asked for padding (RFC 8467 §4.1): hickory may compress otherwise than
    /// we do, and only the whole block hides the size.
    fn fit_padding(&mut self, queries: &Queries) {
        let Some(padding) = self.padding() else {
            return;
        };
        padding.clear();
        let mut bare = Vec::new();
        let emitted = self.response(queries).destructive_emit(&mut BinEncoder::new(&mut bare));
        if let (Ok(_), Some(padding)) = (emitted, self.padding()) {
            padding.resize(bare.len().next_multiple_of(PADDING_BLOCK) - bare.len(), 0);
        }
    }

    /// The payload of the padding option, which our engine puts last.
    fn padding(&mut self) -> Option<&mut Vec<u8>> {
        match self.edns.as_mut()?.options_mut().options.last_mut()? {
            (_, EdnsOption::Unknown(PADDING_OPTION, payload)) => Some(payload),
            _ => None,
        }
    }
}

/// Records on their way out.
type Records<'a> = std::slice::Iter<'a, Record>;

/// A record as it is in the message.
struct RawRecord<'m> {
    /// Where it begins.
    start: usize,
    /// The owner.
    owner: Name,
    /// The type.
    rtype: Rtype,
    /// The class, or in OPT the UDP size.
    class: u16,
    /// Time to live, or in OPT the upper part of the response code, version and flags.
    ttl: u32,
    /// RDATA.
    rdata: &'m [u8],
}

impl<'m> RawRecord<'m> {
    /// Reads the record at the decoder.
    fn read(message: &'m [u8], decoder: &mut BinDecoder<'_>) -> Option<Self> {
        let start = decoder.index();
        let owner = Name::read(decoder).ok()?;
        let fixed: &[u8; 10] = message.get(decoder.index()..)?.first_chunk()?;
        decoder.read_slice(fixed.len()).ok()?;
        let number = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let rdata = message.get(decoder.index()..)?.get(..usize::from(number(8)))?;
        decoder.read_slice(rdata.len()).ok()?;
        Some(Self {
            start,
            owner,
            rtype: Rtype(number(0)),
            class: number(2),
            ttl: u32::from(number(4)) << 16 | u32::from(number(6)),
            rdata,
        })
    }

    /// The record as hickory knows it.
    fn record(self, message: &[u8]) -> Option<Record> {
        if COMPRESSED.contains(&self.rtype) {
            let mut decoder = BinDecoder::new(message).clone(u16::try_from(self.start).ok()?);
            return Record::read(&mut decoder).ok();
        }
        let data = RData::Unknown {
            code: RecordType::from(self.rtype.0),
            rdata: NULL::with(self.rdata.to_vec()),
        };
        let mut record = Record::from_rdata(self.owner, self.ttl, data);
        record.dns_class = DNSClass::from(self.class);
        Some(record)
    }

    /// The OPT record as hickory knows it.
    fn edns(&self) -> Edns {
        let mut edns = Edns::new();
        edns.set_max_payload(self.class);
        edns.set_version((self.ttl >> 16) as u8);
        edns.set_dnssec_ok(self.ttl & 0x8000 != 0);
        let mut rest = self.rdata;
        while let Some((head, tail)) = rest.split_first_chunk::<4>() {
            let code = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]])).min(tail.len());
            let (payload, tail) = tail.split_at(length);
            edns.options_mut().insert(EdnsOption::Unknown(code, payload.to_vec()));
            rest = tail;
        }
        edns
    }
}
