//! Whole lives of requests: a real publisher, a database in a directory, real sockets.

mod bulk;
mod closing;
mod crash;
mod edits;
mod evidence;
mod following;
mod holdings;
mod journals;
mod life;
mod listing;
mod lists;
mod mailbox;
mod names;
mod notices;
mod papers;
mod refusals;
mod reminders;
mod scheduling;
mod signing;
mod updates;
mod watching;
mod webhooks;
mod years;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::audit::NewEvent;
use crate::audit::testing::Chain;
use crate::publish::{Publisher, ZoneSource};
use crate::queue::{
    Act, Actor, Application, Deed, Identity, LineCode, LineInput, LineVerdict, State, Targets,
};
use crate::serve::{self, Running};
use crate::store::Store;
use crate::store::people::PersonRow;
use crate::uploads::Letter;
use crate::view::RequestView;
use crate::wire::Name;

pub(super) use crate::queue::fixture::MONDAY_8;
/// The zone.
pub(super) const APEX: &str = "cirebonkab.go.id.";
/// Its file.
pub(super) const ZONE: &str = "\
$ORIGIN cirebonkab.go.id.
$TTL 3600
@ SOA ns1 hostmaster 2026112301 7200 900 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
diskominfo A 192.0.2.20
sumber.desa A 192.0.2.30
*.layanan A 192.0.2.99
cabang NS ns.cabang
ns.cabang A 192.0.2.53
; gapura: end of zone
";
/// A letter.
pub(super) const LETTER: &[u8] = crate::uploads::SAMPLE;

/// An office with a server of its own.
pub(super) struct Office {
    /// The desk.
    pub(super) desk: Desk,
    /// The publisher.
    pub(super) publisher: Publisher,
    /// The database.
    pub(super) store: Store,
    /// The sockets.
    pub(super) running: Running,
    /// The clock's hand; moves only when told.
    pub(super) time: Arc<AtomicI64>,
    /// Verifies the chain at the end.
    pub(super) chain: Chain,
    /// The directory; removed at the end.
    pub(super) directory: TempDir,
}

impl Office {
    /// An office on its first day.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other settings.
    pub(super) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("state")).unwrap();
        std::fs::write(directory.path().join("zone"), ZONE).unwrap();
        let office = Self::open(directory, change, "127.0.0.1:0");
        for (name, role) in [("kepala", "kabid"), ("seksi", "kasi"), ("lain", "kasi")] {
            office.hire(name, role);
        }
        office.hire("operator", "admin");
        office.hire("pengawas", "auditor");
        office
    }

    /// Opens an office in a directory that may have a past, and finishes what that left.
    pub(super) fn open(
        directory: TempDir,
        change: impl FnOnce(&mut Options),
        listen: &str,
    ) -> Self {
        let office = Self::open_unheard(directory, change, listen);
        office.desk.listening().unwrap();
        office
    }

    /// The same, before anything of the past is finished.
    pub(super) fn open_unheard(
        directory: TempDir,
        change: impl FnOnce(&mut Options),
        listen: &str,
    ) -> Self {
        let state: PathBuf = directory.path().join("state");
        let store = Store::open(&state).unwrap();
        let chain = Chain::of(&store, &state);
        let source = ZoneSource::new(APEX.parse().unwrap(), directory.path().join("zone"));
        let (publisher, reports) =
            Publisher::open(store.clone(), vec![source], crate::publish::Options::new(&state))
                .unwrap();
        assert!(publisher.zone(&APEX.parse().unwrap()).is_some(), "{reports:?}");
        let options = serve::Options {
            listen: vec![listen.parse().unwrap()],
            udp_workers: 1,
            stream_workers: 1,
            rate_limit: None,
            ..serve::Options::default()
        };
        let running = serve::start(options, publisher.shared()).unwrap();
        let time = Arc::new(AtomicI64::new(MONDAY_8));
        let hand = Arc::clone(&time);
        let clock: Clock = Arc::new(move || hand.load(Ordering::Relaxed));
        let mut options = Options::new(state, clock);
        options.probe = false;
        options.targets = Targets {
            allow: crate::queue::targets::prefixes("192.0.2.0/24\n2001:db8::/32").unwrap(),
            ..Targets::default()
        };
        change(&mut options);
        let desk = Desk::open(store.clone(), publisher.clone(), options).unwrap();
        let mut servers: Vec<_> = running.addresses().iter().map(|at| at.address).collect();
        servers.dedup();
        publisher.sockets().set(servers);
        Self { desk, publisher, store, running, time, chain, directory }
    }

    /// Stops this office; its directory.
    pub(super) fn close(self) -> TempDir {
        let Self { desk, publisher, store, running, chain, directory, .. } = self;
        running.stop();
        publisher.flush();
        drop(chain);
        drop((desk, publisher, store));
        directory
    }

    /// Stops this office and opens it again in the same directory.
    pub(super) fn reopen(self) -> Self {
        let now = self.time.load(Ordering::Relaxed);
        let office = Self::open(self.close(), |_| {}, "127.0.0.1:0");
        office.time.store(now, Ordering::Relaxed);
        office
    }

    /// Adds an account.
    pub(super) fn hire(&self, name: &str, role: &str) {
        let row = PersonRow::of_role(name, role.parse().unwrap(), MONDAY_8);
        let subject = format!("person:{}", row.id);
        let added = NewEvent::new(MONDAY_8, "console", "admin", Deed::AccountAdded, &subject);
        let added = added.with("role", role);
        let written = self.store.write::<_, crate::audit::AuditError>(|tx| {
            tx.put_person(&row)?;
            crate::audit::append(tx, added)?;
            Ok(())
        });
        written.unwrap();
    }

    /// The actor of an account.
    pub(super) fn actor(&self, name: &str) -> Actor {
        self.desk.actor(&format!("p-{name}")).unwrap().unwrap()
    }

    /// Moves the clock on.
    pub(super) fn wait(&self, ms: i64) {
        self.time.fetch_add(ms, Ordering::Relaxed);
    }

    /// Sends a request in as its applicant.
    pub(super) fn submit(&self, application: Application) -> Result<Submitted, ActError> {
        self.desk.submit(application, Some(letter()), &applicant())
    }

    /// Sends a request in and brings it to the verifier.
    pub(super) fn assigned(&self, application: Application) -> String {
        let sent = self.submit(application).unwrap();
        self.act(&sent.number, dispose("seksi"), "kepala").unwrap();
        sent.number
    }

    /// An act by an account.
    pub(super) fn act(&self, number: &str, act: Act, name: &str) -> Result<RequestView, ActError> {
        self.desk.act(number, &act, &self.actor(name))
    }

    /// The request as the verifier sees it.
    pub(super) fn view(&self, number: &str) -> RequestView {
        self.desk.view(number, &Viewer::Officer(self.actor("seksi"))).unwrap()
    }

    /// *Setujui dan tayangkan* with every human line looked at.
    pub(super) fn approve(&self, number: &str) -> Result<RequestView, ActError> {
        self.act(number, self.approval(number), "seksi")
    }

    /// The approval of what is shown now.
    pub(super) fn approval(&self, number: &str) -> Act {
        let view = self.view(number);
        let candidate =
            view.candidate.as_ref().map(|candidate| candidate.hash.clone()).unwrap_or_default();
        let needs_word = view
            .lines
            .iter()
            .filter(|line| !line.automatic || line.verdict == Some(LineVerdict::Fix));
        let lines = needs_word.map(|line| LineInput {
            code: line.code,
            verdict: Some(LineVerdict::Ok),
            note: line.automatic.then(|| "sudah diperiksa".to_owned()),
        });
        Act::Approve { revision: view.revision, candidate, serial: None, lines: lines.collect() }
    }

    /// A request that went live, with the head's signature where it needs one.
    pub(super) fn live(&self, application: Application) -> String {
        let number = self.assigned(application);
        let mut view = self.approve(&number).unwrap();
        if !view.second_signature.is_empty() {
            let candidate = view.candidate.unwrap().hash;
            view = self.act(&number, Act::Countersign { candidate }, "kepala").unwrap();
        }
        assert_eq!(view.state, State::Live, "{:?}", view.reason);
        number
    }

    /// Asks our own server over UDP and gives the answer section's lines and the rcode.
    pub(super) fn dig(&self, name: &str, rtype: &str) -> (String, Vec<String>) {
        let sockets = self.publisher.sockets();
        let server = sockets.servers()[0];
        let name: Name = name.parse().unwrap();
        let asked = sockets.look(server, &name, rtype.parse().unwrap(), 0);
        (asked.rcode, asked.answer)
    }

    /// The serial served.
    pub(super) fn serial(&self) -> u32 {
        self.publisher.zone(&APEX.parse().unwrap()).unwrap().serial()
    }

    /// The acts of a request's events.
    pub(super) fn acts(&self, number: &str) -> Vec<String> {
        self.view(number).history.into_iter().map(|event| event.act).collect()
    }
}

/// The letter as sent.
pub(super) fn letter() -> Letter {
    crate::uploads::inspect(LETTER).unwrap()
}

/// The applicant, with a proven mailbox.
pub(super) fn applicant() -> Submitter {
    let identity = Identity::new(None, None, Some("desa@example.id"));
    Submitter {
        actor: Actor::applicant("Sutrisno", identity, None),
        mailbox_proven: true,
        proof_of: None,
        network: None,
        letter_on_paper: false,
    }
}

/// *Disposisi*.
pub(super) fn dispose(to: &str) -> Act {
    Act::Dispose { to: to.to_owned(), instruction: "Periksa".to_owned() }
}

/// A line for correction.
pub(super) fn line(code: LineCode, verdict: LineVerdict) -> LineInput {
    LineInput { code, verdict: Some(verdict), note: Some("keterangan".to_owned()) }
}

/// A village's request that no rule stands against.
pub(super) fn application() -> Application {
    let mut application = crate::queue::fixture::application();
    application.records[0].data = "192.0.2.110".to_owned();
    application
}

/// A service's request: a name without a list behind it.
pub(super) fn service(name: &str, address: &str) -> Application {
    let mut application = application();
    application.class = crate::queue::NamingClass::Layanan;
    application.name = name.to_owned();
    application.region = None;
    application.office = format!("Dinas {name}");
    application.records[0].data = address.to_owned();
    application
}

/// Another kind of request on a live name of the village.
pub(super) fn again(kind: crate::queue::Kind) -> Application {
    let mut application = application();
    application.kind = kind;
    if !kind.brings_records() {
        application.records.clear();
    }
    application
}
