//! This node among others on one database: it publishes and beats, or follows and looks whether the publisher lives.
//!
//! ```text
//! publishes  a beat every 2 s ─► another one publishes since: everything but answering starts anew, and follows
//! follows    news, or 1 s ─► zones caught up ─┬─► 3 looks at a free lock           ─┬─► starts anew, and publishes
//!                                             └─► 6 looks at the same beat: unseated ┘
//! ```
//! A publisher whose sessions the server does not end keeps its lock, and the node that follows goes on following.
//!
//! No node's clock matters: looks at a beat are counted, and only quick ones, so that neither a database nor a node that
//! stood still makes a living publisher look dead. DNS goes on all the while.

mod following;
mod looks;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use following::Follower;

use super::daemon::Event;
use super::host::Host;
use super::timer::every;
use crate::config::Settings;
use crate::lock::lock;
use crate::metrics::{Family, catalogue as of};
use crate::publish::Options;
use crate::store::Store;
use crate::store::nodes::PublishingNode;
#[cfg(feature = "approval")]
use crate::text::with_causes;
#[cfg(feature = "approval")]
use crate::web::NodeToken;

/// Between two looks at what came of the last beat.
const LOOK: Duration = Duration::from_secs(1);

/// Who publishes, as it is known from each look at the database.
pub(super) type Publisher = watch::Receiver<Option<PublishingNode>>;

//------------ Node ----------------------------------------------------------

/// This node.
pub(super) struct Node {
    /// The database.
    store: Store,
    /// Its name.
    name: String,
    /// Whether others do not know how they reach its pages.
    is_hidden: bool,
    /// The state directory, with the keys.
    state_dir: PathBuf,
    /// Who publishes, if that is another one; for pages and commands, which wait for no database.
    publishing: watch::Sender<Option<PublishingNode>>,
    /// What is known of following it.
    followed: Mutex<Followed>,
}

/// What is known of following the publisher.
struct Followed {
    /// When all that was committed was served last.
    caught_up: Instant,
    /// Why it is not followed now.
    fault: Option<String>,
    /// Why the sessions of a publisher that is dead have not ended.
    unended: Option<String>,
    /// Why nothing can be written at present.
    unwritten: Option<String>,
    /// What this node serves that the database does not have.
    ahead: Vec<String>,
    /// Why this node would not publish.
    keys: Option<String>,
    /// The keys of zones that it has not.
    unsigned: Vec<String>,
}

impl Node {
    /// A node on an open database. One without a name in the settings has no others that should reach it.
    pub(super) fn new(store: &Store, options: &Options, settings: &Settings) -> Self {
        let is_to_be_reached = cfg!(feature = "approval") && !settings.node.name.is_empty();
        let publishing = store.publishing().ok().flatten().filter(|_| store.is_followed());
        let followed = Followed {
            caught_up: Instant::now(),
            fault: None,
            unended: None,
            unwritten: None,
            ahead: Vec::new(),
            keys: None,
            unsigned: Vec::new(),
        };
        Self {
            store: store.clone(),
            name: options.node.name.clone(),
            is_hidden: is_to_be_reached && options.node.url.is_none(),
            state_dir: options.state_dir.clone(),
            publishing: watch::Sender::new(publishing),
            followed: Mutex::new(followed),
        }
    }

    /// Who publishes, now and from now on; none: nobody that is known of.
    pub(super) fn publisher(&self) -> Publisher {
        self.publishing.subscribe()
    }

    /// Whether it follows another one.
    pub(super) fn follows(&self) -> bool {
        self.store.is_followed()
    }

    /// Whether there may be others.
    pub(super) fn is_one_of_several(&self) -> bool {
        self.store.is_shared()
    }

    /// Where a command is carried out, if not here.
    pub(super) fn elsewhere(&self, errand: Errand) -> Option<String> {
        self.follows().then(|| elsewhere(self.publishing.borrow().as_ref(), errand))
    }

    /// What it does, in a line; none where there are no others.
    pub(super) fn line(&self) -> Option<String> {
        let name = &self.name;
        if !self.is_one_of_several() {
            return None;
        }
        if !self.follows() {
            let number = self.store.publisher_number().unwrap_or_default();
            return Some(format!("node {name} publishes, number {number}"));
        }
        Some(match &*self.publishing.borrow() {
            Some(node) => format!("node {name} follows {node}, number {}", node.number),
            None => format!("node {name} follows: which node publishes is not known"),
        })
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        if !self.is_one_of_several() {
            return Value::Null;
        }
        let (name, follows) = (&self.name, self.follows());
        let publishing = self.publishing.borrow().clone();
        let (publisher, number) = match publishing {
            Some(node) => (Some(node.name), Some(node.number)),
            None if follows => (None, None),
            None => (Some(name.clone()), self.store.publisher_number()),
        };
        let lag_ms = u64::try_from(self.lag().as_millis()).unwrap_or(u64::MAX);
        json!({
            "name": name, "publishes": !follows, "publisher": publisher, "number": number, "lag_ms": lag_ms,
        })
    }

    /// Figures; `reaches_publisher` is whether its pages are reached, if another node publishes.
    pub(super) fn figures(&self, reaches_publisher: bool) -> Vec<Family> {
        let publishes = f64::from(!self.follows());
        let is_reached = reaches_publisher && self.unreachable().is_none();
        vec![
            Family::of(&of::NODE_PUBLISHES).with(&[], publishes),
            Family::of(&of::NODE_PAGES_REACHED).with(&[], f64::from(is_reached)),
            Family::of(&of::NODE_LAG).with(&[], self.lag().as_secs_f64()),
        ]
    }

    /// For how long it has not served all that was committed.
    pub(super) fn lag(&self) -> Duration {
        if self.follows() { lock(&self.followed).caught_up.elapsed() } else { Duration::ZERO }
    }

    /// What is wrong.
    pub(super) fn faults(&self) -> Vec<String> {
        let followed = lock(&self.followed);
        followed.fault.iter().chain(&followed.unended).chain(&followed.keys).cloned().collect()
    }

    /// Why nothing can be written at present, if it publishes.
    pub(super) fn unwritten(&self) -> Option<String> {
        lock(&self.followed).unwritten.clone()
    }

    /// What is odd.
    pub(super) fn warnings(&self) -> Vec<String> {
        let followed = lock(&self.followed);
        let odd = followed.ahead.iter().chain(&followed.unsigned).cloned();
        odd.chain(self.unreachable()).collect()
    }

    /// Why no other node reaches the pages of this one, which publishes, if so.
    fn unreachable(&self) -> Option<String> {
        let is_hidden = self.is_one_of_several() && !self.follows() && self.is_hidden;
        is_hidden.then(|| {
            "node.url is not set: other nodes cannot pass requests on to this one; set it to where they reach its pages, \
             and restart"
                .to_owned()
        })
    }

    /// Begins to look at its own beats, or to follow.
    pub(super) fn start(
        &self,
        (runtime, stopped): (&Runtime, &watch::Receiver<bool>),
        host: &Arc<Host>,
    ) {
        if !self.is_one_of_several() {
            return;
        }
        if !self.follows() {
            self.unreachable().iter().for_each(|why| tracing::warn!("{why}"));
            let weak = Arc::downgrade(host);
            drop(runtime.spawn(every(LOOK, stopped.clone(), move |_| look_at_beat(&weak))));
            return;
        }
        let follower = Follower::new(Arc::downgrade(host), self.store.clone(), stopped.clone());
        let thread = std::thread::Builder::new().name("follow".to_owned());
        if let Err(error) = thread.spawn(move || follower.run()) {
            host.note_off(&format!("no thread to follow the node that publishes: {error}"));
        }
    }
}

/// What only the node that publishes can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Errand {
    /// Say what a node that follows does not know.
    Question,
    /// Change what all nodes share.
    Change,
}

/// That something is done at the node that publishes, and where that is.
pub(super) fn elsewhere(publishing: Option<&PublishingNode>, errand: Errand) -> String {
    let node = publishing.map_or_else(|| "the node that publishes".to_owned(), ToString::to_string);
    match errand {
        Errand::Question => format!("this node follows {node}: ask there"),
        Errand::Change => {
            format!("this node follows {node} and changes nothing: make the change there")
        }
    }
}

/// What other nodes prove themselves with to this one, which publishes; none if it has no others.
#[cfg(feature = "approval")]
pub(super) fn own_token(store: &Store) -> Option<NodeToken> {
    let node = store.publishing().unwrap_or_else(|error| {
        let error = with_causes(&error);
        tracing::error!(error, "other nodes' pages are refused until the next start");
        None
    });
    NodeToken::new(&node?.token)
}

//------------ Publishing ----------------------------------------------------

/// Looks what came of the last beat.
fn look_at_beat(host: &Weak<Host>) {
    let Some(host) = host.upgrade() else { return };
    let store = &host.node.store;
    let why = match () {
        () if store.is_superseded() => {
            "another node publishes now: this one follows it from here on"
        }
        () if store.is_outdated() => {
            "the database came back with other changes than are served: all is read anew"
        }
        () => "",
    };
    if !why.is_empty() {
        tracing::error!("{why}");
        return host.events.send(Event::Again);
    }
    let fault = store.beat_fault().map(|error| {
        format!("the database does not hear this node, so another one may publish soon: {error}")
    });
    note(&mut lock(&host.node.followed).fault, fault);
    let unwritten = store.locked_out().map(|error| error.to_string());
    note(&mut lock(&host.node.followed).unwritten, unwritten);
}

/// Takes note of a fault; the log has each once.
fn note(known: &mut Option<String>, fault: Option<String>) {
    if let Some(fault) = fault.as_ref().filter(|fault| known.as_ref() != Some(*fault)) {
        tracing::error!("{fault}");
    }
    *known = fault;
}
