//! A connection to a name server: messages behind their lengths (RFC 7766 §8), over TCP or TLS.
//!
//! Every call has a time limit for all that it does, a handshake and a message in small pieces included.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::socket::{left, reachable, timed_out};
use super::tls::Tls;

/// A connection.
pub struct Stream {
    /// What carries it.
    link: Link,
}

/// What carries a connection.
enum Link {
    /// TCP.
    Plain(Timed),
    /// TLS over it.
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Stream {
    /// Connects; over TLS if it is given. A wildcard address stands for the loopback address of its
    /// family.
    pub fn connect(server: SocketAddr, tls: Option<&Tls>, timeout: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + timeout;
        let server = SocketAddr::new(reachable(server.ip()), server.port());
        let mut timed = Timed::connect(server, timeout, deadline)?;
        let link = match tls {
            None => Link::Plain(timed),
            Some(tls) => {
                let session = tls.shake_hands(&mut timed)?;
                Link::Tls(Box::new(StreamOwned::new(session, timed)))
            }
        };
        Ok(Self { link })
    }

    /// Sends a message.
    pub fn send(&mut self, message: &[u8], timeout: Duration) -> io::Result<()> {
        self.send_behind(&[], message, timeout)
    }

    /// Sends a message, and something in front of its length.
    pub(super) fn send_behind(
        &mut self,
        front: &[u8],
        message: &[u8],
        timeout: Duration,
    ) -> io::Result<()> {
        let Ok(octets) = u16::try_from(message.len()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a DNS message"));
        };
        let framed = [front, &octets.to_be_bytes(), message].concat();
        let link = self.until(timeout);
        link.write_all(&framed)?;
        link.flush()
    }

    /// Waits for the next message.
    pub fn receive(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let link = self.until(timeout);
        let mut octets = [0; 2];
        link.read_exact(&mut octets)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(octets))];
        link.read_exact(&mut message)?;
        Ok(message)
    }

    /// The connection, on which everything fails after this time.
    fn until(&mut self, timeout: Duration) -> &mut dyn ReadWrite {
        let deadline = Instant::now() + timeout;
        match &mut self.link {
            Link::Plain(timed) => {
                timed.deadline = deadline;
                timed
            }
            Link::Tls(tls) => {
                tls.sock.deadline = deadline;
                tls.as_mut()
            }
        }
    }
}

/// What can be read and written.
trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

//------------ Timed ---------------------------------------------------------

/// A socket with a deadline for whatever is done to it.
pub struct Timed {
    /// The socket.
    stream: TcpStream,
    /// When all fails.
    deadline: Instant,
}

impl Timed {
    /// Connects within `wait`, and before the deadline.
    pub fn connect(server: SocketAddr, wait: Duration, deadline: Instant) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server, left(deadline)?.min(wait))?;
        // A query is one small write; nothing follows that it could wait for.
        stream.set_nodelay(true)?;
        Ok(Self { stream, deadline })
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
