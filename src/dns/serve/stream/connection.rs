//! One connection: messages in, responses out, in the order they came.
//!
//! ```text
//!            ┌────────────── nothing left to do ◄─────────────┐
//!            ▼                                                │
//!   idle ─ bytes ─► answer every whole message ─► write all at once ─ not all taken ─► writing
//!            │                                                                           │
//!            └─ part of a message left: in a message ◄───────────────────────────────────┘
//! ```
//!
//! One step reads what is there, answers every whole message in it and writes the responses with one
//! call, all with buffers of the thread's [`Bench`]. Only what is left over (part of a message,
//! responses that the client has not read) is kept by the connection itself. It reads nothing new before
//! its responses are out, so that a client that does not read stops itself. What takes its time (an errand) is
//! done on another thread, and nothing more is answered before. Each state has a time limit: idle, in a message, in
//! an errand, writing; a transfer may take as long as it moves. A client that has closed its half is answered to
//! the end (RFC 7766 §6.2.4).

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::{JoinError, spawn_blocking};

use super::super::counters::CloseReason;
use super::super::errand::{self, Done, Errand, Task};
use super::super::places::Place;
use super::super::responder::{Answer, Responder, Source};
use super::roster::Ticket;
use super::transfer::Transfer;
use crate::wire::HEADER_OCTETS;

/// Octets read in one step.
const INPUT_OCTETS: usize = 16 << 10;
/// Octets of responses after which a step ends, whatever else waits to be answered.
const OUTPUT_ENOUGH: usize = 64 << 10;
/// How long an errand may take: as long as a disk may hang that comes back.
const ERRAND_MAX: Duration = Duration::from_secs(60);
/// How long a transfer may wait for a place among all.
const PLACE_MAX: Duration = Duration::from_secs(30);
/// How long one message of a transfer may take to go out.
const TRANSFER_MESSAGE_MAX: Duration = Duration::from_secs(60);
/// Messages of a transfer that go out before others of the thread have their turn.
const MESSAGES_AT_ONCE: usize = 8;
/// The longest message, with its length.
const MESSAGE_OCTETS: usize = 2 + 65_535;

//------------ Bench ---------------------------------------------------------

/// What all connections of a listener and thread share, one step at a time.
pub(super) struct Bench {
    /// Answers queries.
    responder: Responder,
    /// What was just read.
    input: Box<[u8]>,
    /// Responses of this step.
    output: Box<[u8]>,
}

impl Bench {
    /// A bench with buffers.
    pub(super) fn new(responder: Responder) -> Self {
        Self {
            responder,
            input: vec![0; INPUT_OCTETS].into(),
            output: vec![0; OUTPUT_ENOUGH + MESSAGE_OCTETS].into(),
        }
    }

    /// Whether an address is a proxy's.
    pub(super) fn is_proxy(&self, address: IpAddr) -> bool {
        // The responder's own policy is that of its last batch.
        self.responder.shared.policy.load().proxies.contains(address)
    }

    /// Counts a connection accepted.
    pub(super) fn count_connection(&mut self) {
        self.responder.counters.connections.add(1);
    }

    /// Counts a connection closed.
    pub(super) fn count_close(&mut self, reason: CloseReason) {
        self.responder.counters.count_close(reason);
    }

    /// Counts an error of the listening socket.
    pub(super) fn count_socket_error(&mut self) {
        self.responder.counters.socket_errors.add(1);
    }

    /// Answers the whole messages at the start of `data`, up to [`OUTPUT_ENOUGH`].
    fn answer(
        responder: &mut Responder,
        source: &Source,
        data: &[u8],
        output: &mut [u8],
    ) -> Answered {
        let mut answered = Answered::default();
        let moment = responder.begin();
        let shared = responder.shared.clone();
        let zones = shared.zones.load();
        while answered.output < OUTPUT_ENOUGH {
            let Some((length, rest)) = data[answered.input..].split_first_chunk::<2>() else {
                break;
            };
            let length = usize::from(u16::from_be_bytes(*length));
            if length < HEADER_OCTETS {
                answered.garbage = true;
                break;
            }
            let Some(query) = rest.get(..length) else {
                break;
            };
            let room = &mut output[answered.output..][..MESSAGE_OCTETS];
            let response = responder.respond(&zones, moment, source, query, &mut room[2..]);
            answered.input += 2 + length;
            match response {
                Answer::Reply(length) => {
                    room[..2].copy_from_slice(&(length as u16).to_be_bytes());
                    answered.output += 2 + length;
                }
                // Not a query: the client does not speak DNS.
                Answer::Silence => {
                    answered.garbage = true;
                    break;
                }
                Answer::Errand(errand) => {
                    answered.errand = Some(errand);
                    break;
                }
            }
        }
        responder.finish();
        answered
    }
}

/// The outcome of one pass over the input.
#[derive(Debug, Default)]
struct Answered {
    /// Octets of input dealt with.
    input: usize,
    /// Octets of responses.
    output: usize,
    /// The input holds something that is not a query.
    garbage: bool,
    /// What has to be done before anything more is answered.
    errand: Option<Box<Errand>>,
}

//------------ Connection ----------------------------------------------------

/// A connection, plain or TLS.
pub(super) struct Connection<S> {
    /// The transport.
    io: S,
    /// The client.
    source: Source,
    /// Its place among all.
    ticket: Ticket,
    /// The thread's buffers.
    bench: Arc<Mutex<Bench>>,
    /// Input not answered yet: part of a message, or whole ones that wait for output to drain.
    input: Vec<u8>,
    /// Responses not taken yet, and how many octets of them are.
    output: Vec<u8>,
    taken: usize,
    /// Output was handed to TLS and has not all left it.
    flushing: bool,
    /// Whole messages may wait in `input`.
    has_more: bool,
    /// The errand under way, whose response is the next one.
    errand: Option<Underway>,
    /// The transfer under way, and whether others have their turn first.
    transfer: Option<Box<Transfer>>,
    is_resting: bool,
    /// The client will send no more, or nothing that is worth reading.
    ending: Option<CloseReason>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A new connection.
    pub(super) fn new(io: S, source: Source, ticket: Ticket, bench: Arc<Mutex<Bench>>) -> Self {
        Self {
            io,
            source,
            ticket,
            bench,
            input: Vec::new(),
            output: Vec::new(),
            taken: 0,
            flushing: false,
            has_more: false,
            errand: None,
            transfer: None,
            is_resting: false,
            ending: None,
        }
    }

    /// Serves it to its end.
    pub(super) async fn run(mut self) {
        let close = self.serve().await;
        if let Some(transfer) = self.transfer.take() {
            transfer.end(&mut lock(&self.bench).responder, false);
        }
        if matches!(
            close,
            CloseReason::ByClient | CloseReason::Idle | CloseReason::Full | CloseReason::Stopping
        ) {
            // TLS closes with a message; a client that does not read it in time does without.
            let goodbye = poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx));
            let _ = tokio::time::timeout(self.ticket.limits().stall, goodbye).await;
        }
        lock(&self.bench).count_close(close);
    }

    /// Step after step, each in its time.
    async fn serve(&mut self) -> CloseReason {
        let limits = self.ticket.limits();
        let slot = self.ticket.slot();
        let mut told = pin!(slot.told());
        let (mut is_told, mut state) = (false, State::Idle);
        let mut timer = pin!(tokio::time::sleep(limits.idle));
        // When something last moved, and when the present state or message began.
        let (mut moved, mut since) = (Instant::now(), Instant::now());
        loop {
            let event = poll_fn(|cx| {
                if let Poll::Ready(step) = self.poll_step(cx) {
                    return Poll::Ready(Event::Step(step));
                }
                if !is_told && told.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Told);
                }
                timer.as_mut().poll(cx).map(|()| Event::Timer)
            })
            .await;
            match event {
                Event::Step(Err(close)) => return close,
                Event::Step(Ok(step)) => {
                    moved = Instant::now();
                    let next = self.state();
                    if next != state || step == Step::Answered {
                        (state, since) = (next, moved);
                    }
                    self.ticket.show(moved, state != State::Idle);
                }
                Event::Told => is_told = true,
                Event::Timer => {}
            }
            if is_told && (state == State::Idle || self.ticket.is_to_go_at_once()) {
                return if self.ticket.is_making_room() {
                    CloseReason::Full
                } else {
                    CloseReason::Stopping
                };
            }
            let (allowed, in_all, close) = match state {
                State::Idle => (limits.idle, limits.idle, CloseReason::Idle),
                State::Message => (limits.stall, limits.message, CloseReason::Stalled),
                State::Working => (ERRAND_MAX, ERRAND_MAX, CloseReason::Stalled),
                State::Writing => (limits.stall, limits.write, CloseReason::Unread),
                State::Sending => (limits.write, TRANSFER_MESSAGE_MAX, CloseReason::Unread),
            };
            let deadline = match state {
                State::Idle => moved + allowed,
                _ => (moved + allowed).min(since + in_all),
            };
            let is_over = matches!(event, Event::Timer);
            if is_over && Instant::now() >= deadline {
                return close;
            }
            // Moving the timer costs more than a look at it: only when it is over or would be late.
            if is_over || timer.deadline() > deadline.into() {
                timer.as_mut().reset(deadline.into());
            }
        }
    }

    /// What it is doing.
    fn state(&self) -> State {
        if self.transfer.is_some() {
            State::Sending
        } else if !self.output.is_empty() || self.flushing {
            State::Writing
        } else if self.errand.is_some() {
            State::Working
        } else if !self.input.is_empty() {
            State::Message
        } else {
            State::Idle
        }
    }

    /// Writes what is left to write; else answers what is left to answer, or what can be read.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, CloseReason>> {
        if !self.output.is_empty() || self.flushing {
            return self.poll_write_on(cx);
        }
        if self.transfer.is_some() {
            return self.poll_transfer(cx);
        }
        if let Some(errand) = &mut self.errand {
            let done = ready!(errand.as_mut().poll(cx));
            self.errand = None;
            return self.conclude(cx, done);
        }
        if let Some(close) = self.ending {
            return Poll::Ready(Err(close));
        }
        let bench = self.bench.clone();
        let mut bench = lock(&bench);
        let Bench { responder, input, output } = &mut *bench;
        let mut fresh: &[u8] = &[];
        if !self.has_more {
            let mut buffer = ReadBuf::new(input);
            if ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)).is_err() {
                return Poll::Ready(Err(CloseReason::Error));
            }
            let length = buffer.filled().len();
            if length == 0 {
                return Poll::Ready(Err(CloseReason::ByClient));
            }
            fresh = &input[..length];
        }
        let answered = self.answer(responder, fresh, output);
        let step = if answered.input > 0 { Step::Answered } else { Step::Moved };
        Poll::Ready(self.write(cx, &output[..answered.output]).map(|()| step))
    }

    /// Answers what is left over with `fresh` behind it, and keeps what is left over then.
    fn answer(&mut self, responder: &mut Responder, fresh: &[u8], output: &mut [u8]) -> Answered {
        let mut answered = if self.input.is_empty() {
            let answered = Bench::answer(responder, &self.source, fresh, output);
            self.input.extend_from_slice(&fresh[answered.input..]);
            answered
        } else {
            self.input.extend_from_slice(fresh);
            let answered = Bench::answer(responder, &self.source, &self.input, output);
            self.input.drain(..answered.input);
            answered
        };
        self.has_more = answered.output >= OUTPUT_ENOUGH;
        if answered.garbage {
            self.ending = Some(CloseReason::Garbage);
            (self.has_more, self.input) = (false, Vec::new());
        }
        if let Some(errand) = answered.errand.take() {
            self.begin(responder, errand);
            self.has_more = true;
        }
        if self.input.is_empty() {
            // An idle connection keeps no memory.
            (self.has_more, self.input) = (false, Vec::new());
        }
        answered
    }

    /// Has an errand performed, while this connection waits for it and no other does. An UPDATE begins now and
    /// is finished whatever becomes of the connection; a transfer waits for its place first.
    fn begin(&mut self, responder: &Responder, errand: Box<Errand>) {
        let shared = responder.shared.clone();
        let perform = {
            let shared = shared.clone();
            move |errand: Box<Errand>| {
                spawn_blocking(move || {
                    let slot = shared.slots.0.clone().try_acquire_owned().ok();
                    let done = match (&slot, &shared.operations) {
                        (Some(_slot), Some(operations)) => errand.perform(&**operations),
                        _ => errand::busy(),
                    };
                    (errand, done)
                })
            }
        };
        self.errand = Some(match errand.task {
            Task::Update => {
                let updating = perform(errand);
                Box::pin(async move { updating.await.map(|done| (done, None)) })
            }
            Task::Transfer(_) => Box::pin(async move {
                let place = shared.places.clone().take(&errand.requester);
                match tokio::time::timeout(PLACE_MAX, place).await {
                    Ok(place) => perform(errand).await.map(|done| (done, Some(place))),
                    Err(_) => Ok(((errand, errand::busy()), None)),
                }
            }),
        });
    }

    /// Answers with what came of an errand, or starts the transfer that it is.
    fn conclude(
        &mut self,
        cx: &mut Context<'_>,
        done: Result<((Box<Errand>, Done), Option<Place>), JoinError>,
    ) -> Poll<Result<Step, CloseReason>> {
        // Panics are caught inside: it never ran, because the server stops.
        let Ok(((errand, done), place)) = done else {
            return Poll::Ready(Err(CloseReason::Stopping));
        };
        let bench = self.bench.clone();
        let mut bench = lock(&bench);
        let Bench { responder, output, .. } = &mut *bench;
        let room = &mut output[..MESSAGE_OCTETS];
        if let Done::Transfer(outgoing) = done {
            let transfer = Transfer::new(responder, errand, outgoing, place, &mut room[2..]);
            self.transfer = transfer.map(Box::new);
            let begun = self.transfer.is_some();
            return Poll::Ready(if begun { Ok(Step::Answered) } else { Err(CloseReason::Error) });
        }
        let Some(length) = responder.conclude(&errand, done, &mut room[2..]) else {
            return Poll::Ready(Err(CloseReason::Error));
        };
        room[..2].copy_from_slice(&(length as u16).to_be_bytes());
        Poll::Ready(self.write(cx, &room[..2 + length]).map(|()| Step::Answered))
    }

    /// Writes the next messages of the transfer as long as they are taken, or ends it. What was made before is
    /// out.
    fn poll_transfer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, CloseReason>> {
        if std::mem::take(&mut self.is_resting) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let bench = self.bench.clone();
        let mut bench = lock(&bench);
        let Bench { responder, output, .. } = &mut *bench;
        let room = &mut output[..MESSAGE_OCTETS];
        for _ in 0..MESSAGES_AT_ONCE {
            let Some(transfer) = self.transfer.as_mut() else { break };
            let Some(length) = transfer.next(&mut room[2..]) else {
                let is_whole = transfer.is_done();
                if let Some(transfer) = self.transfer.take() {
                    transfer.end(responder, is_whole);
                }
                let step = if is_whole { Ok(Step::Answered) } else { Err(CloseReason::Error) };
                return Poll::Ready(step);
            };
            room[..2].copy_from_slice(&(length as u16).to_be_bytes());
            self.write(cx, &room[..2 + length])?;
            if !self.output.is_empty() || self.flushing {
                break;
            }
        }
        self.is_resting = true;
        Poll::Ready(Ok(Step::Answered))
    }

    /// Writes responses as far as they are taken, and keeps the rest.
    fn write(&mut self, cx: &mut Context<'_>, mut responses: &[u8]) -> Result<(), CloseReason> {
        if responses.is_empty() {
            return Ok(());
        }
        while !responses.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, responses) {
                Poll::Ready(Ok(taken)) if taken > 0 => responses = &responses[taken..],
                Poll::Ready(_) => return Err(CloseReason::Error),
                Poll::Pending => break,
            }
        }
        self.output.extend_from_slice(responses);
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(_)) => Err(CloseReason::Error),
            Poll::Pending => {
                self.flushing = true;
                Ok(())
            }
        }
    }

    /// Continues to write what was kept.
    fn poll_write_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, CloseReason>> {
        if !self.output.is_empty() {
            let rest = &self.output[self.taken..];
            let Ok(taken @ 1..) = ready!(Pin::new(&mut self.io).poll_write(cx, rest)) else {
                return Poll::Ready(Err(CloseReason::Error));
            };
            self.taken += taken;
            if self.taken == self.output.len() {
                (self.output, self.taken, self.flushing) = (Vec::new(), 0, true);
            }
            return Poll::Ready(Ok(Step::Moved));
        }
        let flushed = ready!(Pin::new(&mut self.io).poll_flush(cx));
        self.flushing = false;
        Poll::Ready(flushed.map(|()| Step::Moved).map_err(|_| CloseReason::Error))
    }
}

/// Takes the bench; after a panic in the middle of an answer its responder starts afresh.
pub(super) fn lock(bench: &Mutex<Bench>) -> MutexGuard<'_, Bench> {
    bench.lock().unwrap_or_else(|poisoned| {
        bench.clear_poison();
        let mut bench = PoisonError::into_inner(poisoned);
        bench.responder.recover();
        bench
    })
}

/// An errand under way: what comes of it, and the place that it has if it is a transfer.
type Underway =
    Pin<Box<dyn Future<Output = Result<((Box<Errand>, Done), Option<Place>), JoinError>> + Send>>;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing; the next message may come.
    Idle,
    /// Part of a message is there.
    Message,
    /// An errand is under way.
    Working,
    /// Responses wait to be taken.
    Writing,
    /// A transfer goes out.
    Sending,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// Octets moved.
    Moved,
    /// Whole messages were answered.
    Answered,
}

/// What a connection wakes up for.
enum Event {
    /// A step was made; an error ends the connection.
    Step(Result<Step, CloseReason>),
    /// It was asked to close when idle.
    Told,
    /// The timer went off.
    Timer,
}
