//! Many servers asked at once by one thread: all questions go out, then the responses are read, which the
//! system keeps meanwhile. Who does not answer costs the time of one and not of each.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::client::{Client, Reply, wants_cookie};
use super::socket::{DATAGRAM_OCTETS_MAX, Transport, receive_datagram, send_datagram};
use crate::wire::{Name, Rtype};

/// Questions under way at once: each takes a socket.
const AT_ONCE_MAX: usize = 64;
/// How long a response is looked for that should be here already.
const LOOK: Duration = Duration::from_millis(1);
/// For all that is asked again over TCP.
const OVER_TCP_MAX: Duration = Duration::from_secs(10);

/// A question to a server.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who is asked.
    pub server: SocketAddr,
    /// For which name.
    pub name: Name,
    /// For which type.
    pub rtype: Rtype,
}

impl Client {
    /// Asks all of these over UDP, and over TCP where the response was cut. Each of `tries` is the time for
    /// one round; who did not answer is asked again in the next. The results are in the order of the
    /// questions.
    pub fn ask_all(&self, all: &[Asked], tries: &[Duration]) -> Vec<io::Result<Reply>> {
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut));
        let mut results: Vec<io::Result<Reply>> = all.iter().map(|_| late()).collect();
        for timeout in tries {
            let missing = results.iter().enumerate().filter(|(_, result)| result.is_err());
            let missing: Vec<usize> = missing.map(|(at, _)| at).collect();
            for part in missing.chunks(AT_ONCE_MAX) {
                self.round(all, part, *timeout, &mut results);
            }
        }
        let deadline = Instant::now() + OVER_TCP_MAX;
        for (asked, result) in all.iter().zip(&mut results) {
            if !result.as_ref().is_ok_and(|reply| self.is_cut(reply)) {
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let time = tries.first().copied().unwrap_or_default().min(left);
            *result = self.ask(asked.server, Transport::Tcp, &asked.name, asked.rtype, &[time]);
        }
        results
    }

    /// Asks some of them once.
    fn round(
        &self,
        all: &[Asked],
        part: &[usize],
        timeout: Duration,
        results: &mut [io::Result<Reply>],
    ) {
        let mut sent = Vec::with_capacity(part.len());
        for at in part {
            let (Some(asked), Some(result)) = (all.get(*at), results.get_mut(*at)) else {
                continue;
            };
            let query = self.query(asked.server, &asked.name, asked.rtype);
            match send_datagram(asked.server, self.front(asked.server), &query) {
                Ok(socket) => sent.push((*at, asked.server, socket, query)),
                Err(error) => *result = Err(error),
            }
        }
        let deadline = Instant::now() + timeout;
        let mut room = vec![0; DATAGRAM_OCTETS_MAX];
        for (at, server, socket, query) in sent {
            // What came while others were waited for is here.
            let until = deadline.max(Instant::now() + LOOK);
            let Some(result) = results.get_mut(at) else { continue };
            *result = match receive_datagram(&socket, &query, until, &mut room) {
                Ok(bytes) if self.learn(server, &bytes) => Err(wants_cookie()),
                Ok(bytes) => Ok(Reply { bytes, transport: Transport::Udp }),
                Err(error) => Err(error),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns_client::testing::FakeServer;

    /// The response to a query without any record, with these flags.
    fn response(query: &[u8], flags: u8) -> Vec<u8> {
        let question = crate::wire::Query::read(query).unwrap().question.unwrap().octets();
        [&query[..2], &[flags, 0, 0, 1, 0, 0, 0, 0, 0, 0], &query[12..12 + question]].concat()
    }

    #[test]
    fn who_is_silent_costs_the_others_nothing_and_what_is_cut_comes_by_tcp() {
        let quick = FakeServer::start(|query, _| Some(response(query, 0x84)));
        let silent = FakeServer::start(|_, _| None);
        let cut = FakeServer::start(|query, transport| match transport {
            Transport::Udp => Some(response(query, 0x86)),
            Transport::Tcp => Some(response(query, 0x84)),
        });
        let name: Name = "contoh.go.id.".parse().unwrap();
        let asked = |server: &FakeServer| Asked {
            server: server.address,
            name: name.clone(),
            rtype: Rtype::DS,
        };
        let mut all = vec![asked(&silent); 20];
        all.extend([asked(&quick), asked(&cut), asked(&silent)]);
        let begun = Instant::now();
        let found = Client::default().ask_all(&all, &[Duration::from_millis(300); 2]);
        assert!(begun.elapsed() < Duration::from_secs(3), "two rounds for all, not for each");
        let ways: Vec<Option<Transport>> =
            found.iter().map(|found| found.as_ref().ok().map(|reply| reply.transport)).collect();
        assert_eq!(ways[20..], [Some(Transport::Udp), Some(Transport::Tcp), None]);
        assert!(ways[..20].iter().all(Option::is_none));
    }
}
