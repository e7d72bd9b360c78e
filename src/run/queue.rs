//! Road 3 as the daemon runs it: accounts, the desk, pages, mail.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::daemon::{RunError, system};
use super::mail::DeskOutbox;
use super::options;
use crate::config::Settings;
use crate::desk::{ActError, Desk};
use crate::notice::{Mailer, Relay};
use crate::people::People;
use crate::publish::Publisher;
use crate::store::Store;
use crate::web;

/// How often the desk looks at the clock.
const TICK: Duration = Duration::from_secs(5);
/// Ticks of a day.
const TICKS_A_DAY: u64 = 24 * 3600 / 5;

/// What road 3 stands on while the daemon runs.
pub(super) struct Road3 {
    /// The database.
    store: Store,
    /// Accounts and sessions.
    people: People,
    /// The acting functions.
    desk: Desk,
    /// The door to live data, for the zone page.
    publisher: Publisher,
}

impl Road3 {
    /// Opens it, takes in the names of a new zone and finishes what a crash cut off.
    pub(super) fn open(
        settings: &Settings,
        store: &Store,
        publisher: &Publisher,
    ) -> Result<Self, RunError> {
        let failed = |error: ActError| RunError::Queue(error.into());
        let people = People::new(store.clone(), options::people(settings));
        let desk = Desk::open(store.clone(), publisher.clone(), options::desk(settings)?)
            .map_err(failed)?;
        let recovered = desk.listening().map_err(failed)?;
        if recovered > 0 {
            tracing::warn!(recovered, "promotions that a stop had cut off were finished");
        }
        Ok(Self { store: store.clone(), people, desk, publisher: publisher.clone() })
    }

    /// Starts what time does by itself: deadlines, schedules, checkpoints, retention, mail.
    pub(super) fn start_clockwork(
        &self,
        building: &Runtime,
        settings: &Settings,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), RunError> {
        building.spawn(clockwork(self.desk.clone(), self.people.clone(), stopped.clone()));
        let relay = Relay {
            relay: settings.mail.relay.clone(),
            from: settings.mail.from.clone(),
            url: site_url(settings, settings.web.listen),
        };
        let mailer = Mailer::new(&relay).map_err(|error| RunError::Queue(error.into()))?;
        if let Some(mailer) = mailer {
            let outbox = Arc::new(DeskOutbox(self.desk.clone()));
            building.spawn(mailer.run(outbox, told(stopped.clone())));
        }
        Ok(())
    }

    /// Accounts and sessions.
    pub(super) fn people(&self) -> People {
        self.people.clone()
    }

    /// Puts the settings in force on record.
    pub(super) fn note_settings(&self, path: &Path) -> Result<(), RunError> {
        note_settings(&self.desk, path).map_err(|error| RunError::Queue(error.into()))
    }

    /// Puts the working time in force on record; due times follow it.
    pub(super) fn note_working_time(&self) -> Result<(), RunError> {
        self.desk.note_working_time().map_err(|error| RunError::Queue(error.into()))
    }

    /// The acting functions.
    pub(super) fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Starts the pages. Returns their address, and how the first administrator comes in if nobody
    /// has an account.
    pub(super) fn start_web(
        &self,
        building: &Runtime,
        settings: &Settings,
        stopped: watch::Receiver<bool>,
    ) -> Result<(String, Option<String>), RunError> {
        let address = settings.web.listen;
        let what = format!("cannot listen on {address} for pages: choose another web.listen");
        let listener = building
            .block_on(async { system(what, tokio::net::TcpListener::bind(address).await) })?;
        let bound = system("pages", listener.local_addr())?;
        let url = site_url(settings, bound);
        let parts = web::Parts {
            store: self.store.clone(),
            people: self.people.clone(),
            desk: self.desk.clone(),
            publisher: self.publisher.clone(),
            options: options::web(settings, &url),
        };
        let state = web::State::new(parts).map_err(|error| RunError::Queue(error.into()))?;
        building.spawn(async move {
            if let Err(error) = web::serve(listener, state, told(stopped)).await {
                tracing::error!(%error, "pages stopped");
            }
        });
        let link = self.first_link(&settings.server.state_dir, &url)?;
        Ok((format!("http://{bound}"), link))
    }

    /// A fresh link for the first administrator: on a terminal as it is, else in a file that only its
    /// owner can read, because standard output may be kept in a log.
    fn first_link(&self, state_dir: &Path, url: &str) -> Result<Option<String>, RunError> {
        let link = self.people.first_link().map_err(|error| RunError::Queue(error.into()))?;
        let Some(link) = link else { return Ok(None) };
        let link = format!("{url}{}", link.path());
        if std::io::stdout().is_terminal() {
            return Ok(Some(link));
        }
        let path = state_dir.join("first-administrator");
        let written = (|| {
            // Another mode than 0600 of an older file would stay.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            writeln!(file, "{link}")
        })();
        system(format!("cannot write {}", path.display()), written)?;
        Ok(Some(format!("(in the file {})", path.display())))
    }
}

/// Puts the settings in a file on record, if they are others than those of the last time.
pub(super) fn note_settings(desk: &Desk, path: &Path) -> Result<(), ActError> {
    let bytes =
        std::fs::read(path).map_err(|source| ActError::File { path: path.to_owned(), source })?;
    desk.note_settings(&HEXLOWER.encode(&Sha256::digest(&bytes)))
}

/// How people reach the site; without a setting, by the address it listens on.
fn site_url(settings: &Settings, bound: SocketAddr) -> String {
    match settings.web.url.trim_end_matches('/') {
        "" => format!("http://{bound}"),
        url => url.to_owned(),
    }
}

/// Calls the desk every few seconds. What fails is logged and tried again at the next turn.
async fn clockwork(desk: Desk, people: People, stopped: watch::Receiver<bool>) {
    let mut turns: u64 = 0;
    loop {
        let (desk, people) = (desk.clone(), people.clone());
        let work = tokio::task::spawn_blocking(move || {
            if let Err(error) = desk.tick() {
                tracing::warn!(%error, "the desk's clockwork");
            }
            if turns.is_multiple_of(TICKS_A_DAY) {
                let daily = desk.daily().map_err(|error| error.to_string());
                if let Err(error) =
                    daily.and_then(|()| people.sweep().map_err(|error| error.to_string()))
                {
                    tracing::warn!(error, "daily housekeeping");
                }
            }
        });
        // A panic inside is in the log already.
        let _ = work.await;
        turns += 1;
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = told(stopped.clone()) => return,
        }
    }
}

/// Resolves once the daemon stops.
async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the daemon is gone, which is the same.
    let _ = stopped.wait_for(|stop| *stop).await;
}
