//! How many octets of bodies are held at once, in all and from one network.
//!
//! A body is held in memory until its request is answered. Thousands of uploads at once would use up
//! the memory that the name server needs. Octets count as they arrive: a client that announces a body and
//! stays silent holds nothing, and is dropped soon.
//!
//! ```text
//! a body ─► of an officer ─────────────► officers' share
//!        └► of anybody else ─► its first 128 KiB ─► small share
//!                            └► what is beyond ───► large share
//! ```
//! So a plain form finds room while others fill all that letters may take.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use ipnet::IpNet;
use tokio::time::{Instant, Sleep};

use super::BODY_MAX;
use super::limits::prefix;
use super::pages::LARGE_BODY_MAX;
use crate::lock::lock;

/// Octets a second of a body from the slowest client we wait for.
pub(super) const UPLINK: u64 = 32 * 1024;
/// How far behind that a body may fall.
const GRACE: Duration = Duration::from_secs(10);
/// Octets of a body that count as small.
const SMALL: u64 = 128 * 1024;
/// What is beyond of a body of the largest size.
const LARGE: u64 = BODY_MAX as u64 - SMALL;
/// Octets of the officers' share: two archives of letters, which are larger than four letters.
const OF_OFFICERS: u64 = 2 * LARGE_BODY_MAX as u64;
/// The most of the small, the large and the officers' share: from one network, and in all.
const MOST: [(u64, u64); 3] =
    [(4 << 20, 32 << 20), (4 * LARGE, 16 * LARGE), (OF_OFFICERS, OF_OFFICERS)];
/// The place of the small share in [`MOST`].
const SMALL_SHARE: usize = 0;
/// The place of the large one.
const LARGE_SHARE: usize = 1;
/// The place of the officers' one.
const OFFICERS: usize = 2;

//------------ Bodies --------------------------------------------------------

/// The bodies that are held; clones share them.
#[derive(Clone, Default)]
pub(super) struct Bodies(Arc<Mutex<[Held; 3]>>);

/// Octets held of one share.
#[derive(Default)]
struct Held {
    /// In all.
    all: u64,
    /// By network.
    by_network: HashMap<IpNet, u64>,
}

impl Held {
    /// Octets held of a network.
    fn of(&self, network: &IpNet) -> u64 {
        self.by_network.get(network).copied().unwrap_or_default()
    }

    /// Holds so many more, if that is no more than `most`.
    fn add(&mut self, network: IpNet, octets: u64, most: (u64, u64)) -> bool {
        let own = self.of(&network) + octets;
        let room = own <= most.0 && self.all + octets <= most.1;
        if room && octets > 0 {
            self.all += octets;
            self.by_network.insert(network, own);
        }
        room
    }

    /// Holds so many fewer.
    fn give_back(&mut self, network: IpNet, octets: u64) {
        self.all -= octets;
        if let Some(own) = self.by_network.get_mut(&network) {
            *own -= octets;
            if *own == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

impl Bodies {
    /// Whether a body of this network may find too little room, unless an officer sends it.
    pub(super) fn is_tight(&self, from: IpAddr, body: &Body) -> bool {
        let Some(octets) = body.size_hint().upper() else { return true };
        let network = prefix(from, 24, 56);
        let held = &self.lock()[SMALL_SHARE];
        let most = MOST[SMALL_SHARE];
        octets > SMALL || held.of(&network) * 2 > most.0 || held.all * 2 > most.1
    }

    /// Counts the octets of a body from an address as they arrive.
    pub(super) fn count(&self, from: IpAddr, officer: bool, body: Body) -> (Body, BodyRoom) {
        let network = prefix(from, 24, 56);
        let room = BodyRoom(Arc::new(Room {
            network,
            officer,
            octets: AtomicU64::new(0),
            ended: AtomicU8::new(NOT_YET),
            bodies: self.clone(),
        }));
        let room_of_body = Arc::clone(&room.0);
        let counted = Counted { body, room: room_of_body, grace: GRACE, patience: None };
        (Body::new(counted), room)
    }

    /// Ignores poisoning: the counts are whole after each statement.
    fn lock(&self) -> MutexGuard<'_, [Held; 3]> {
        lock(&self.0)
    }
}

//------------ BodyRoom ------------------------------------------------------

/// The body was not given up.
const NOT_YET: u8 = 0;
/// There was no room for it.
const NO_ROOM: u8 = 1;
/// It came too slowly.
const TOO_SLOW: u8 = 2;

/// The room of one body, given back when this and the body are dropped.
pub(super) struct BodyRoom(Arc<Room>);

impl BodyRoom {
    /// Whether the body was given up because there was no room for it.
    pub(super) fn was_short(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed) == NO_ROOM
    }

    /// Whether the body was given up because it came too slowly.
    pub(super) fn was_slow(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed) == TOO_SLOW
    }
}

/// What a body and whoever answers it share.
struct Room {
    /// Where it comes from.
    network: IpNet,
    /// Whether an officer sends it.
    officer: bool,
    /// Its octets so far.
    octets: AtomicU64,
    /// Why it was given up.
    ended: AtomicU8,
    /// Where they are counted.
    bodies: Bodies,
}

impl Room {
    /// Octets of each share that a body of so many holds.
    fn shares(&self, octets: u64) -> [u64; 3] {
        if self.officer {
            return [0, 0, octets];
        }
        let small = octets.min(SMALL);
        [small, octets - small, 0]
    }

    /// Holds so many more octets, if there is room for them.
    fn add(&self, octets: u64) -> bool {
        let before = self.octets.load(Ordering::Relaxed);
        let (old, new) = (self.shares(before), self.shares(before + octets));
        let mut held = self.bodies.lock();
        for share in [SMALL_SHARE, LARGE_SHARE, OFFICERS] {
            if !held[share].add(self.network, new[share] - old[share], MOST[share]) {
                // What was added before is given back here: the body has not grown.
                for share in 0..share {
                    held[share].give_back(self.network, new[share] - old[share]);
                }
                return false;
            }
        }
        self.octets.store(before + octets, Ordering::Relaxed);
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let shares = self.shares(self.octets.load(Ordering::Relaxed));
        let mut held = self.bodies.lock();
        for share in [SMALL_SHARE, LARGE_SHARE, OFFICERS] {
            held[share].give_back(self.network, shares[share]);
        }
    }
}

//------------ Counted -------------------------------------------------------

/// A body whose octets are counted, and which has to keep coming.
struct Counted {
    /// The body.
    body: Body,
    /// Its room.
    room: Arc<Room>,
    /// How far behind it may fall.
    grace: Duration,
    /// When it was first read, and by when more has to have come.
    patience: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Counted {
    /// Gives the body up.
    fn give_up(&self, why: u8) -> BoxError {
        self.room.ended.store(why, Ordering::Relaxed);
        "the body was given up".into()
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let grace = this.grace;
        let (begun, patience) = this.patience.get_or_insert_with(|| {
            let begun = Instant::now();
            (begun, Box::pin(tokio::time::sleep_until(begun + grace)))
        });
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            ready!(patience.as_mut().poll(cx));
            return Poll::Ready(Some(Err(this.give_up(TOO_SLOW))));
        };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            // Unwrapped, so that what is too large is known as that further in.
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into_inner()))),
            None => return Poll::Ready(None),
        };
        let octets = frame.data_ref().map_or(0, Bytes::len) as u64;
        if octets > 0 {
            if !this.room.add(octets) {
                return Poll::Ready(Some(Err(this.give_up(NO_ROOM))));
            }
            let so_far = this.room.octets.load(Ordering::Relaxed);
            let needs = Duration::from_millis(so_far * 1000 / UPLINK);
            patience.as_mut().reset(*begun + grace + needs);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// Reads a body of so many octets; its room, if there is room for it.
    async fn read(bodies: &Bodies, from: &str, officer: bool, octets: u64) -> Option<BodyRoom> {
        let body = Body::from(vec![0; usize::try_from(octets).unwrap()]);
        let (body, room) = bodies.count(from.parse().unwrap(), officer, body);
        let read = to_bytes(body, usize::MAX).await;
        assert_eq!(read.is_err(), room.was_short());
        read.is_ok().then_some(room)
    }

    #[tokio::test]
    async fn one_network_and_all_together_have_a_limit() {
        let bodies = Bodies::default();
        let largest = BODY_MAX as u64;
        assert!(read(&bodies, "192.0.2.1", false, 0).await.is_some());
        let mut full = Vec::new();
        while let Some(room) = read(&bodies, "192.0.2.1", false, largest).await {
            full.push(room);
        }
        assert_eq!(full.len(), 4);
        assert!(read(&bodies, "192.0.2.77", false, SMALL + 1).await.is_none(), "the same network");
        assert!(read(&bodies, "192.0.2.77", false, SMALL).await.is_some(), "a plain form");
        assert!(read(&bodies, "192.0.2.77", true, largest).await.is_some(), "an officer");
        let archive = LARGE_BODY_MAX as u64;
        assert!(
            read(&bodies, "192.0.2.77", true, archive).await.is_some(),
            "an archive of letters"
        );
        assert!(read(&bodies, "203.0.113.1", false, archive).await.is_none(), "of no stranger");
        assert!(read(&bodies, "198.51.100.1", false, SMALL + 1).await.is_some());
        drop(full);
        assert!(read(&bodies, "192.0.2.77", false, largest).await.is_some());
        let mut all = Vec::new();
        for at in 0..40 {
            all.extend(read(&bodies, &format!("10.0.{at}.1"), false, largest).await);
        }
        assert_eq!(all.len(), 16);
        assert_eq!(bodies.lock()[LARGE_SHARE].by_network.len(), 16);
        assert!(read(&bodies, "192.0.2.77", false, SMALL).await.is_some(), "a plain form");
        assert!(read(&bodies, "192.0.2.77", true, largest).await.is_some(), "an officer");
        let mut small = Vec::new();
        while let Some(room) = read(&bodies, "192.0.2.77", false, SMALL).await {
            small.push(room);
        }
        assert_eq!(small.len(), 32);
        drop((all, small));
        for held in &*bodies.lock() {
            assert_eq!((held.all, held.by_network.len()), (0, 0));
        }
    }

    #[tokio::test]
    async fn a_silent_body_holds_nothing_and_is_given_up() {
        let bodies = Bodies::default();
        let (_, room) = bodies.count("192.0.2.1".parse().unwrap(), false, Body::empty());
        let (body, room_of_body) = (Body::new(Silent), Arc::clone(&room.0));
        let grace = Duration::from_millis(50);
        let counted = Counted { body, room: room_of_body, grace, patience: None };
        let read = to_bytes(Body::new(counted), usize::MAX);
        let read = tokio::time::timeout(Duration::from_secs(5), read).await;
        assert!(read.unwrap().is_err() && room.was_slow());
        assert!(bodies.lock().iter().all(|held| held.all == 0));
    }

    /// A body that never comes.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Pending
        }
    }
}
