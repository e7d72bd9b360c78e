//! The thread on which the driver's connections run. Statements are waited for on the threads of their callers.

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use super::address::{Address, CONNECT_MAX};
use super::fault::Fault;
use super::tls::Connector;
use super::wait::within;
use crate::lock::lock;
use crate::text::with_causes;

/// The thread; it ends with this.
pub(super) struct Driver {
    /// Its runtime.
    handle: Handle,
    /// What it waits for; dropped, it ends.
    end: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Driver {
    /// Starts it.
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            // An error is that the other side is gone: the end.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { handle, end: Mutex::new(Some((end, thread))) })
    }

    /// Connects to the server.
    pub(super) fn connect(&self, address: &Address) -> Result<Client, Fault> {
        self.connect_to_hear(address, None)
    }

    /// The same; what the server notifies of goes to `news`, which ends with the connection.
    pub(super) fn connect_to_hear(
        &self,
        address: &Address,
        news: Option<Sender<()>>,
    ) -> Result<Client, Fault> {
        let failed = |why: String| Fault::Connect(format!("{address} is not reached: {why}"));
        if is_silent(address) {
            return Err(failed(SILENT.to_owned()));
        }
        let config = address.config().map_err(failed)?;
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        let authorities = Some(address.authorities.as_path());
        let authorities = authorities.filter(|path| !path.as_os_str().is_empty());
        let connector = address.is_encrypted.then(|| Connector::new(authorities)).transpose();
        let connector = connector.map_err(|error| {
            let path = address.authorities.display();
            failed(format!("the certificates of authorities {path} are not read: {error}"))
        })?;
        let (told, heard) = oneshot::channel();
        self.handle.spawn(async move {
            let connected = match connector {
                Some(connector) => connect(config, connector, news).await,
                None => connect(config, NoTls, news).await,
            };
            // Whoever asked may have gone.
            let _ = told.send(connected);
        });
        // Each host of the address has its own time.
        match within(CONNECT_MAX * hosts, heard) {
            Some(Ok(connected)) => connected.map_err(|error| {
                // The server's words, without a value it was given.
                failed(match error.as_db_error() {
                    Some(said) => said.message().to_owned(),
                    None => with_causes(&error),
                })
            }),
            _ => {
                note_silence(address);
                Err(failed(SILENT.to_owned()))
            }
        }
    }
}

//------------ Silence -------------------------------------------------------

/// What is said of a server that says nothing.
const SILENT: &str = "it does not answer";
/// After a server said nothing, how long nobody else tries: each would wait as long.
const SILENT_REST: Duration = Duration::from_secs(3);

/// Servers that said nothing, and when that was.
static SILENCES: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

/// Whether a server said nothing a moment ago.
fn is_silent(address: &Address) -> bool {
    let mut silences = lock(&SILENCES);
    silences.retain(|(_, at)| at.elapsed() < SILENT_REST);
    let name = address.to_string();
    silences.iter().any(|(silent, _)| *silent == name)
}

/// Takes note that a server said nothing.
fn note_silence(address: &Address) {
    lock(&SILENCES).push((address.to_string(), Instant::now()));
}

/// Connects, and lets the connection run.
async fn connect<T>(
    config: Config,
    connector: T,
    news: Option<Sender<()>>,
) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(connector).await?;
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match (message, &news) {
                (Ok(AsyncMessage::Notification(_)), Some(news)) => {
                    // Whoever listened may have gone.
                    let _ = news.send(());
                }
                (Ok(_), _) => {}
                // Its end is noticed by the next statement.
                (Err(error), _) => {
                    tracing::debug!(%error, "a connection to PostgreSQL ended");
                    return;
                }
            }
        }
    });
    Ok(client)
}

impl Drop for Driver {
    /// All connections are closed when this returns, and what they held is free.
    fn drop(&mut self) {
        if let Some((end, thread)) = lock(&self.end).take() {
            drop(end);
            let _ = thread.join();
        }
    }
}
