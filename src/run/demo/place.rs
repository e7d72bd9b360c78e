//! Where a demonstration is: a directory with settings and a zone file, and ports that are free.

use std::fs::DirBuilder;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, bail};

use crate::config::{self, Loaded};
use crate::lock::lock;
use crate::text::append_line;

/// The zone of a demonstration: that of the project.
const ZONE: &str = include_str!("../../../zones/cirebonkab.go.id.zone");
/// Its file.
const ZONE_FILE: &str = "cirebonkab.go.id.zone";
/// Its settings, with `{dns}` and `{web}` in the place of addresses.
const SETTINGS: &str = include_str!("settings.toml");
/// The file of the settings.
const SETTINGS_FILE: &str = "gapura.toml";
/// Attempts to find a port that is free over both UDP and TCP.
const TRIES: usize = 50;

/// The options of `gapura demo`.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The directory it is kept in; none = one that is removed at the end.
    pub keep: Option<PathBuf>,
    /// The address of DNS; port 0 = a free one.
    pub listen: SocketAddr,
    /// The address of the pages; port 0 = a free one.
    pub web: SocketAddr,
}

/// The place of a demonstration; removed when dropped, unless it is to be kept.
pub(super) struct Place {
    /// The directory.
    directory: PathBuf,
    /// Whether it stays.
    is_kept: bool,
    /// Holds the port of the pages until the daemon takes it.
    pages: Mutex<Option<TcpListener>>,
}

impl Place {
    /// Makes the directory with zone file and settings.
    pub(super) fn make(wanted: &Wanted) -> anyhow::Result<Self> {
        let throw_away =
            || std::env::temp_dir().join(format!("gapura-demo-{}", std::process::id()));
        let directory = wanted.keep.clone().unwrap_or_else(throw_away);
        make_directory(&directory, wanted.keep.is_some())?;
        let is_kept = wanted.keep.is_some();
        let place = Self { directory, is_kept, pages: Mutex::default() };
        let dns = free_port(wanted.listen)?;
        let pages = TcpListener::bind(wanted.web)
            .with_context(|| format!("cannot listen on {} for pages: choose --web", wanted.web))?;
        let web = pages.local_addr()?;
        *lock(&place.pages) = Some(pages);
        let settings =
            SETTINGS.replace("{dns}", &dns.to_string()).replace("{web}", &web.to_string());
        for (file, text) in [(ZONE_FILE, ZONE), (SETTINGS_FILE, settings.as_str())] {
            let path = place.directory.join(file);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(place)
    }

    /// The directory, if it stays.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.is_kept.then(|| self.directory.clone())
    }

    /// The settings.
    pub(super) fn settings(&self) -> anyhow::Result<Loaded> {
        config::load(&self.directory.join(SETTINGS_FILE)).map_err(|findings| {
            let mut text = "the settings of the demonstration do not read".to_owned();
            findings.iter().for_each(|finding| append_line!(text, "\n{}", finding.with_hint()));
            anyhow::anyhow!(text)
        })
    }

    /// Lets the port of the pages go, for the daemon.
    pub(super) fn release_pages(&self) {
        drop(lock(&self.pages).take());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            let directory = self.directory.display();
            tracing::warn!(%directory, %error, "the demonstration could not be removed");
        }
    }
}

/// Makes a directory that nobody else can read; one that is to be kept may exist, empty.
fn make_directory(path: &Path, is_kept: bool) -> anyhow::Result<()> {
    let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_kept && is_empty {
        return Ok(());
    }
    if is_kept && path.join(SETTINGS_FILE).exists() {
        let settings = path.join(SETTINGS_FILE);
        bail!(
            "{} holds something already; to go on with it: gapura serve --config {}",
            path.display(),
            settings.display()
        );
    }
    let made = DirBuilder::new().recursive(false).mode(0o700).create(path);
    made.with_context(|| format!("cannot make {}: name a new directory", path.display()))
}

/// The address with a port that is free over UDP and TCP.
fn free_port(wanted: SocketAddr) -> anyhow::Result<SocketAddr> {
    let failed = || format!("cannot listen on {wanted} for DNS: choose another --listen");
    for _ in 0..TRIES {
        let tcp = TcpListener::bind(wanted).with_context(failed)?;
        let address = tcp.local_addr()?;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) if wanted.port() != 0 => return Err(error).with_context(failed),
            Err(_) => {}
        }
    }
    bail!(failed())
}
