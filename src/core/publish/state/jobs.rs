//! Jobs for the keeper: follow-up work that a change does not wait for.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::wire::Name;
use crate::zone::{Zone, ZoneSet};

//------------ Job -----------------------------------------------------------

/// Work that a change brings about but does not wait for.
pub(crate) enum Job {
    /// Frees an old version once no worker holds it.
    Drop(Arc<ZoneSet>),
    /// Frees what a reload no longer needs.
    Free(Option<Zone>),
    /// A zone has a new serial, which is kept outside of the database too.
    Mark(Name, u32),
    /// The promoted records of a zone changed.
    Derived(Name),
    /// The copy of a zone in `served/` is to be written.
    Copy(Name),
    /// A zone's full copy or journal bounds are due.
    Maintain(Name),
    /// A primary of a secondary zone was heard, which is kept outside of the database too.
    Refreshes,
    /// Reports to the sender once all jobs before it are done.
    Flush(Sender<()>),
}

/// The channel to the keeper, the thread that does the jobs.
pub(crate) struct Jobs {
    /// Where jobs go in.
    sender: Sender<Job>,
    /// Where they come out, until the thread has it.
    receiver: Mutex<Option<Receiver<Job>>>,
}

impl Jobs {
    /// A channel without a thread.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }

    /// Where jobs come out, for the thread; none the second time.
    pub(crate) fn take_receiver(&self) -> Option<Receiver<Job>> {
        lock(&self.receiver).take()
    }

    /// Adds a job.
    pub(crate) fn send(&self, job: Job) {
        // Without the thread nothing is kept beside the database; that was logged at the start.
        drop(self.sender.send(job));
    }

    /// Waits until all jobs so far are done.
    pub(crate) fn flush(&self) {
        let (sender, receiver) = channel();
        self.send(Job::Flush(sender));
        let _ended = receiver.recv();
    }
}
