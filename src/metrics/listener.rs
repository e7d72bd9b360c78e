//! An HTTP/1.1 listener for three paths, with no more of the protocol than they need.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::family::Family;
use super::text::Form;

/// Clients at once; a scraper needs one.
const CLIENTS_MAX: usize = 16;
/// Octets of a request's head.
const HEAD_OCTETS_MAX: usize = 8 * 1024;
/// How long a client may take for all of it.
const CLIENT_TIME: Duration = Duration::from_secs(10);
/// How long it may take to ask.
const ASK_TIME: Duration = Duration::from_secs(3);
/// How long collecting may take: less than clients wait.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// Whether the daemon is ready; the text is the answer, or says what is missing.
pub type Health = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// Whether names are answered, as memory alone tells, which waits for nothing.
pub type Served = Arc<dyn Fn() -> bool + Send + Sync>;

/// All families now.
pub type Figures = Arc<dyn Fn() -> Vec<Family> + Send + Sync>;

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, figures: Figures, ready: Health, served: Served) {
    let sources = Arc::new(Sources { figures, ready, served, turn: Arc::default() });
    let mut places = Places::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (sources, has_asked) = (Arc::clone(&sources), places.make_room());
                let asked = Arc::clone(&has_asked);
                let task = tokio::spawn(async move {
                    // Clients that disconnect or time out are not logged.
                    let _ =
                        tokio::time::timeout(CLIENT_TIME, client(stream, &sources, &asked)).await;
                });
                places.0.push(Place { task: task.abort_handle(), has_asked });
            }
            Err(error) => {
                tracing::warn!(%error, "metrics: accept failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// The clients, in the order in which they came.
#[derive(Default)]
struct Places(Vec<Place>);

/// One client.
struct Place {
    /// What serves it.
    task: AbortHandle,
    /// Whether its request has come.
    has_asked: Arc<AtomicBool>,
}

impl Places {
    /// Makes room for one more: of too many the oldest that has asked nothing yet has to go, and where all have asked,
    /// the oldest. Returns what notes that the new one has asked.
    fn make_room(&mut self) -> Arc<AtomicBool> {
        self.0.retain(|place| !place.task.is_finished());
        if self.0.len() >= CLIENTS_MAX {
            let is_idle = |place: &Place| !place.has_asked.load(Ordering::Relaxed);
            let at = self.0.iter().position(is_idle).unwrap_or_default();
            self.0.remove(at).task.abort();
        }
        Arc::default()
    }
}

/// Reads the head of a request; none if it does not come.
async fn head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() > HEAD_OCTETS_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}

/// Reads one request and answers it.
async fn client(
    mut stream: TcpStream,
    sources: &Arc<Sources>,
    has_asked: &AtomicBool,
) -> io::Result<()> {
    let Ok(Ok(Some(head))) = tokio::time::timeout(ASK_TIME, head(&mut stream)).await else {
        return Ok(());
    };
    has_asked.store(true, Ordering::Relaxed);
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = sources.answer(method, path, Form::wanted(&head)).await;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != b"HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

//------------ Sources -------------------------------------------------------

/// The sources of the answers.
struct Sources {
    /// Metrics.
    figures: Figures,
    /// Whether the daemon is ready.
    ready: Health,
    /// Whether names are answered, in case that takes too long.
    served: Served,
    /// Held while either is being collected.
    turn: Arc<Mutex<()>>,
}

/// Status, content type and body.
type Answer = (&'static str, &'static str, String);

/// The content type of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

impl Sources {
    /// The answer to a request.
    async fn answer(self: &Arc<Self>, method: &[u8], path: &[u8], form: Form) -> Answer {
        if method != b"GET" && method != b"HEAD" {
            return ("405 Method Not Allowed", PLAIN, "GET only\n".to_owned());
        }
        match path {
            b"/metrics" => {
                let text = move |sources: &Self| form.text(&(sources.figures)());
                self.look(text).await.map_or_else(late, |text| ("200 OK", form.media(), text))
            }
            b"/healthz" => ("200 OK", PLAIN, "ok\n".to_owned()),
            b"/readyz" => match self.look(|sources| (sources.ready)()).await {
                Some(Ok(text)) => ("200 OK", PLAIN, text),
                Some(Err(missing)) => ("503 Service Unavailable", PLAIN, missing),
                // Names wait for neither: a load balancer goes on sending queries.
                None if (self.served)() => ("200 OK", PLAIN, format!("ready\n{LATE}")),
                None => late(),
            },
            _ => ("404 Not Found", PLAIN, "/metrics, /healthz, /readyz\n".to_owned()),
        }
    }

    /// The result of `look`, which may wait for a lock or a disk: it runs on a blocking thread, and on no more than one,
    /// however often somebody scrapes. `None` on a timeout.
    async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let sources = Arc::clone(self);
        let found = async {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            let work = move || {
                let found = look(&sources);
                drop(turn);
                found
            };
            tokio::task::spawn_blocking(work).await.ok()
        };
        tokio::time::timeout(LOOK_TIME, found).await.ok().flatten()
    }
}

/// What is said on a timeout.
const LATE: &str =
    "reading the daemon's state takes too long: a disk or the server of the database may hang\n";

/// The answer on a timeout.
fn late() -> Answer {
    ("503 Service Unavailable", PLAIN, LATE.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn clients_that_ask_nothing_keep_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ready = Arc::new(|| Ok(String::new()));
        let served = Arc::new(|| true);
        let server = tokio::spawn(serve(listener, Arc::new(Vec::new), ready, served));
        let mut idle = Vec::new();
        for _ in 0..3 * CLIENTS_MAX {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let asked = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        };
        // Before any of them has to go for its silence.
        let text = tokio::time::timeout(ASK_TIME / 2, asked).await.unwrap();
        assert!(text.ends_with("ok\n"), "{text}");
        // Those go too.
        let mut last = idle.pop().unwrap();
        assert_eq!(last.read(&mut [0]).await.unwrap(), 0);
        server.abort();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_look_that_hangs_holds_up_nobody_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (thaw, frozen) = channel::<()>();
        let frozen = std::sync::Mutex::new(frozen);
        let ready = move || {
            let _ = frozen.lock().unwrap().recv();
            Ok("ready\n".to_owned())
        };
        let served = Arc::new(AtomicBool::default());
        let are_served = Arc::clone(&served);
        let are_served = Arc::new(move || are_served.load(Ordering::Relaxed));
        let server = tokio::spawn(serve(listener, Arc::new(Vec::new), Arc::new(ready), are_served));
        let get = |path: &'static str| async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        };
        for (is_served, expected) in [(false, "HTTP/1.1 503 "), (true, "HTTP/1.1 200 ")] {
            served.store(is_served, Ordering::Relaxed);
            let hanging: Vec<_> = (0..3).map(|_| tokio::spawn(get("/readyz"))).collect();
            assert!(get("/healthz").await.ends_with("ok\n"));
            for one in hanging {
                let text = one.await.unwrap();
                assert!(text.starts_with(expected) && text.contains("may hang"), "{text}");
            }
        }
        drop(thaw);
        assert!(get("/readyz").await.ends_with("ready\n"));
        server.abort();
    }
}
