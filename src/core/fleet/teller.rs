//! The teller: a thread that tells secondaries of changes and looks at what they serve.
//!
//! It is on the path of no change: the publisher puts a zone's name into a channel and goes on.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::flight::{Connections, Parcel};
use super::handle::Inner;
use super::link::Outgoing;
use super::links::{Flight, Landing, Links};
use super::{message, peers};
use crate::dns_client::{Ours, fresh_id};
use crate::lock::lock;
use crate::publish::{Secondaries, Secondary, now_ms};
use crate::wire::{Name, Rcode};
use crate::zone::{Entry, Zone};

/// Connections under way at once, over TCP and TLS.
const CONNECTIONS_MAX: usize = 8;

/// For how long it is believed which addresses are this machine's: a burst of changes asks once.
const OURS_AGE_MAX: Duration = Duration::from_secs(10);

/// For how long a secondary may lack a serial and still count as one that keeps up.
const KEPT_UP_MS: i64 = 5_000;

/// Now, in seconds since 1970, as signatures have it.
pub(super) fn seconds() -> u64 {
    now_ms().unsigned_abs() / 1000
}

//------------ Board ---------------------------------------------------------

/// What the teller, the publisher and those who look share.
pub(super) struct Board {
    /// Which secondary is told of what, and what is known of it.
    links: Mutex<Links>,
    /// Wakes those who wait for news.
    news: Condvar,
    /// The way to the teller.
    events: UnboundedSender<Event>,
}

/// What the teller is told.
pub(super) enum Event {
    /// A zone has a new version.
    Changed(Name),
    /// Rules or keys are others, or zones came and went by the settings: whoever says so has seen to the rest.
    Renew,
    /// Zones came or went by themselves, as members of a catalog.
    CameOrWent,
    /// Something else is due.
    Wake,
    /// It is over.
    Stop,
}

impl Board {
    /// A board, and where its events come out.
    pub(super) fn new() -> (Arc<Self>, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        let (links, news) = (Mutex::default(), Condvar::new());
        (Arc::new(Self { links, news, events }), receiver)
    }

    /// Tells the teller something. Without it nobody is told, which was logged at the start.
    pub(super) fn send(&self, event: Event) {
        drop(self.events.send(event));
    }

    /// The links.
    fn links(&self) -> MutexGuard<'_, Links> {
        lock(&self.links)
    }

    /// Tells all secondaries of a zone now, and waits until each has answered or failed, but not longer than
    /// this. None: there are no secondaries. What each answered is none if it was still out.
    pub(super) fn tell(
        &self,
        zone: &Name,
        at_most: Duration,
    ) -> Option<Vec<(Secondary, Option<Result<Rcode, String>>)>> {
        if !self.links().tell(zone, Instant::now()) {
            return None;
        }
        self.send(Event::Wake);
        let links = self.wait_until(at_most, |links| links.has_told(zone));
        Some(links.told(zone))
    }

    /// Waits until something is so, but not longer than this.
    fn wait_until(
        &self,
        at_most: Duration,
        is_so: impl Fn(&Links) -> bool,
    ) -> MutexGuard<'_, Links> {
        let waited = self.news.wait_timeout_while(self.links(), at_most, |links| !is_so(links));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The board as the publisher knows it.
pub(super) struct Announcing(pub(super) Arc<Board>);

impl Secondaries for Announcing {
    fn announce(&self, zone: &Name, _: u32) {
        self.0.send(Event::Changed(zone.clone()));
    }

    fn renew(&self) {
        self.0.send(Event::CameOrWent);
    }

    fn of_zone(&self, zone: &Name) -> Vec<Secondary> {
        self.0.links().secondaries(zone)
    }

    fn wait(&self, zone: &Name, serial: u32, at_most: Duration) -> Vec<Secondary> {
        // A change that somebody waits for was made just before.
        let since = now_ms().saturating_sub(KEPT_UP_MS);
        self.0.wait_until(at_most, |links| links.have(zone, serial, since)).secondaries(zone)
    }
}

//------------ Teller --------------------------------------------------------

/// Starts the teller of a fleet. It ends with the fleet.
pub(super) fn start(
    inner: &Arc<Inner>,
    events: UnboundedReceiver<Event>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(CONNECTIONS_MAX)
        .thread_name("fleet")
        .build()?;
    let teller = Teller {
        fleet: Arc::downgrade(inner),
        board: Arc::clone(&inner.board),
        connections: Arc::default(),
        flights: JoinSet::new(),
        silent: HashSet::new(),
        ours: None,
    };
    let run = move || {
        runtime.block_on(teller.run(events));
        // A connection that hangs holds up nobody.
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name("fleet".to_owned()).spawn(run)
}

/// The thread's own.
struct Teller {
    /// The fleet, as long as there is one.
    fleet: Weak<Inner>,
    /// What it shares.
    board: Arc<Board>,
    /// How TLS is spoken.
    connections: Arc<Connections>,
    /// Messages under way.
    flights: JoinSet<(Flight, Landing)>,
    /// Secondaries that did not answer last, for the log.
    silent: HashSet<String>,
    /// Which addresses are our own, and since when that is known.
    ours: Option<(Instant, Ours)>,
}

impl Teller {
    /// Works until it is over.
    async fn run(mut self, mut events: UnboundedReceiver<Event>) {
        self.adopt();
        self.renew();
        loop {
            let due = self.send_due();
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => {
                    let (mut is_renewed, mut is_grown) = (false, false);
                    // All that waits: a reload asks several times for the same walk.
                    let mut next = event.or(Some(Event::Stop));
                    while let Some(event) = next {
                        match event {
                            Event::Stop => return,
                            Event::Changed(zone) => self.changed(&zone),
                            Event::Renew => is_renewed = true,
                            Event::CameOrWent => (is_renewed, is_grown) = (true, true),
                            Event::Wake => {}
                        }
                        next = events.try_recv().ok();
                    }
                    if is_grown {
                        self.adopt();
                    }
                    if is_renewed {
                        self.renew();
                    }
                }
                Some(landed) = self.flights.join_next() => {
                    // A panic inside is in the log already; its place is lost until the next start.
                    if let Ok((flight, landing)) = landed {
                        self.land(&flight, landing);
                    }
                }
                () = wait => {}
            }
        }
    }

    //--- Who is told

    /// A zone has a new version.
    fn changed(&mut self, apex: &Name) {
        let Some(fleet) = self.fleet.upgrade() else { return };
        if let Some(zone) = fleet.publisher.zone(apex) {
            let now = Instant::now();
            let known = self.ours.take();
            let known = known.filter(|(since, _)| now.duration_since(*since) < OURS_AGE_MAX);
            let (since, ours) = known.unwrap_or_else(|| (now, ours(&fleet)));
            self.set_peers(&fleet, &zone, &ours, &mut 0);
            self.ours = Some((since, ours));
        }
    }

    /// Takes note of members of catalogs that came or went.
    fn adopt(&self) {
        let Some(fleet) = self.fleet.upgrade() else { return };
        fleet.adopt_members();
        fleet.keeper.renew(&fleet);
    }

    /// Looks at all zones: at the start, and when rules change.
    fn renew(&mut self) {
        let Some(fleet) = self.fleet.upgrade() else { return };
        let (zones, mut new) = (fleet.publisher.zones(), 0);
        let ours = ours(&fleet);
        for zone in zones.iter().filter_map(Entry::zone) {
            self.set_peers(&fleet, zone, &ours, &mut new);
        }
        let is_served =
            |apex: &Name| zones.get(apex.as_ref()).is_some_and(|it| it.zone().is_some());
        self.board.links().retain_zones(is_served);
        self.ours = Some((Instant::now(), ours));
    }

    /// Notes who is told of a zone.
    fn set_peers(&self, fleet: &Inner, zone: &Zone, ours: &Ours, new: &mut u32) {
        let (rules, apex) = (fleet.rules.load(), zone.apex().to_name());
        let peers =
            rules.of(&apex).map(|rules| peers::peers(zone, &fleet.publisher.zones(), rules, ours));
        let now = (Instant::now(), now_ms());
        let peers = peers.unwrap_or_default();
        self.board.links().set_peers(&apex, zone.serial(), peers, now, new);
    }

    //--- What is sent

    /// Sends all that is due. Returns when something is due next.
    fn send_due(&mut self) -> Option<Instant> {
        loop {
            let flight = self.board.links().take_due(Instant::now());
            let Some(flight) = flight else { return self.board.links().next_due() };
            let fleet = self.fleet.upgrade()?;
            match parcel(&fleet, flight.clone()) {
                Ok(parcel) => {
                    let connections = Arc::clone(&self.connections);
                    self.flights.spawn(async move { (flight, parcel.fly(connections).await) });
                }
                Err(why) => self.land(&flight, Landing::Failed(why)),
            }
        }
    }

    /// Notes what came of a message.
    fn land(&mut self, flight: &Flight, landing: Landing) {
        if let (Outgoing::Notify, Some(fleet)) = (flight.outgoing, self.fleet.upgrade()) {
            let result = match &landing {
                Landing::Told(_, Rcode::NOERROR) => "answered",
                Landing::Told(..) => "refused",
                Landing::Looked(_) | Landing::Failed(_) => "unanswered",
            };
            fleet.counts.notified(&flight.peer, result);
        }
        let is_silent = matches!(landing, Landing::Failed(_));
        let news = self.board.links().land(flight, landing, (Instant::now(), now_ms()));
        self.board.news.notify_all();
        let is_new = if is_silent {
            self.silent.insert(flight.peer.clone())
        } else {
            self.silent.remove(&flight.peer)
        };
        let (peer, address, zone) = (&flight.peer, flight.address, &flight.zone);
        match news {
            // One line for all its zones.
            Some((Some(why), _)) if is_new || !is_silent => {
                tracing::warn!(event = "secondary_lost", peer, %address, %zone, why,
                    "secondary cannot be told or looked at");
            }
            Some((None, true)) if is_new => {
                tracing::info!(event = "secondary_back", peer, %address, %zone,
                    "secondary answers again");
            }
            _ => {}
        }
    }
}

/// Which addresses are our own now.
fn ours(fleet: &Inner) -> Ours {
    Ours::new(fleet.publisher.sockets().servers())
}

/// The message of a flight, or why there is none.
fn parcel(fleet: &Inner, flight: Flight) -> Result<Parcel, String> {
    let zone = fleet.publisher.zone(&flight.zone);
    let zone = zone.ok_or_else(|| "the zone is not served any more".to_owned())?;
    let message = match flight.outgoing {
        Outgoing::Notify => message::notify(fresh_id(), &zone),
        Outgoing::Look => message::look(fresh_id(), &flight.zone),
    };
    let key = fleet.key_of(&flight.remote)?;
    Ok(Parcel::new(flight, message, zone.serial(), key.as_ref(), seconds()))
}
