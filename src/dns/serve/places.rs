//! How many transfers go out at once: in all, and to one requester.
//!
//! A place is taken only by who may have the zone, and others of theirs wait in the meantime: secondaries of
//! many zones ask for all of them at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::operations::Requester;
use crate::lock::lock;
use crate::wire::Name;

/// Transfers at once.
const ALL_MAX: usize = 64;
/// Of them, to one requester.
const OF_ONE_MAX: usize = 16;

//------------ Places --------------------------------------------------------

/// The places of transfers.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Those that are taken.
    taken: Mutex<Taken>,
    /// Told of each that becomes free.
    freed: Notify,
}

/// How many places are taken.
#[derive(Debug, Default)]
struct Taken {
    /// In all.
    all: usize,
    /// By each requester.
    of: HashMap<Who, usize>,
}

/// Who counts as one requester: a host with a key. Several secondaries may have one key, and several may come
/// from one address.
type Who = (IpAddr, Option<Name>);

/// A place that is taken; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// All places.
    places: Arc<Places>,
    /// Whose it is.
    who: Who,
}

impl Places {
    /// Takes a place as soon as there is one.
    pub(super) async fn take(self: Arc<Self>, requester: &Requester) -> Place {
        let who = (requester.address.ip().to_canonical(), requester.key.clone());
        loop {
            let mut freed = pin!(self.freed.notified());
            // From here on no place becomes free unnoticed.
            freed.as_mut().enable();
            if self.try_take(&who) {
                return Place { places: self.clone(), who };
            }
            freed.await;
        }
    }

    /// Takes a place if there is one.
    fn try_take(&self, who: &Who) -> bool {
        let mut taken = lock(&self.taken);
        let own = taken.of.get(who).copied().unwrap_or(0);
        let is_free = taken.all < ALL_MAX && own < OF_ONE_MAX;
        if is_free {
            taken.all += 1;
            taken.of.insert(who.clone(), own + 1);
        }
        is_free
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.all -= 1;
        if let Some(own) = taken.of.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.who);
            }
        }
        drop(taken);
        self.places.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Transport;

    /// A requester at this address, without a key.
    fn requester(last: u8) -> Requester {
        let address = ([192, 0, 2, last], 5353).into();
        Requester { address, transport: Transport::Tcp, key: None, identity: None }
    }

    #[tokio::test]
    async fn one_requester_waits_for_its_own_and_all_for_all() {
        let places = Arc::new(Places::default());
        let (one, another) = (requester(1), requester(200));
        let mut kept = Vec::new();
        for _ in 0..OF_ONE_MAX {
            kept.push(places.clone().take(&one).await);
        }
        let mut more = pin!(places.clone().take(&one));
        assert!(futures_poll(more.as_mut()).await.is_none(), "no more for one");
        for last in 2.. {
            if kept.len() == ALL_MAX {
                break;
            }
            kept.push(places.clone().take(&requester(last)).await);
        }
        let mut other = pin!(places.clone().take(&another));
        assert!(futures_poll(other.as_mut()).await.is_none(), "no more at all");
        drop(kept.pop());
        assert!(futures_poll(more.as_mut()).await.is_none(), "it still has its share");
        let other = other.await;
        kept.remove(0);
        let more = more.await;
        drop((kept, more, other));
        let taken = lock(&places.taken);
        assert!(taken.all == 0 && taken.of.is_empty());
    }

    #[tokio::test]
    async fn secondaries_with_one_key_do_not_keep_each_other_out() {
        let places = Arc::new(Places::default());
        let keyed = |last| Requester { key: "armada.".parse().ok(), ..requester(last) };
        let (one, another) = (keyed(1), keyed(2));
        let mut kept = Vec::new();
        for _ in 0..OF_ONE_MAX {
            kept.push(places.clone().take(&one).await);
        }
        let mut other = pin!(places.clone().take(&another));
        assert!(futures_poll(other.as_mut()).await.is_some(), "another host");
    }

    /// Polls once.
    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
