//! Named points at which a test makes a write fail or the process die. Not in release builds.
//!
//! `GAPURA_FAILPOINT=NAME=ACTION[@N]` with the actions `kill` (SIGKILL to ourselves), `panic`,
//! `enospc` and `eio`; with `@N` the first N − 1 times pass. Without `cfg(test)` or the feature
//! `failpoints` a point compiles to nothing.

use std::io;

use crate::store::StoreError;

/// A point at which nothing but dying makes sense.
#[inline]
pub fn point(name: &str) {
    // The error is for places that can fail.
    drop(io_point(name));
}

/// A point at which a write, fsync or rename may fail.
#[inline]
pub fn io_point(name: &str) -> io::Result<()> {
    #[cfg(any(test, feature = "failpoints"))]
    return active::reach(name);
    #[cfg(not(any(test, feature = "failpoints")))]
    {
        let _ = name;
        Ok(())
    }
}

/// A point at which the database may fail.
#[inline]
pub fn store_point(name: &str) -> Result<(), StoreError> {
    #[cfg(any(test, feature = "failpoints"))]
    return io_point(name).map_err(StoreError::injected);
    #[cfg(not(any(test, feature = "failpoints")))]
    {
        let _ = name;
        Ok(())
    }
}

#[cfg(any(test, feature = "failpoints"))]
pub mod active {
    //! What a point does when a test asked for it.

    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// What the environment asks for.
    struct Wish {
        /// The point.
        name: String,
        /// What happens there.
        action: String,
        /// From which time on.
        from: u64,
    }

    /// Reads `NAME=ACTION[@N]`.
    fn read(text: &str) -> Option<Wish> {
        let (name, action) = text.split_once('=')?;
        let (action, from) = action.split_once('@').unwrap_or((action, "1"));
        Some(Wish { name: name.to_owned(), action: action.to_owned(), from: from.parse().ok()? })
    }

    /// What a test armed in a process it has for itself: a point and its action.
    #[cfg(any(test, feature = "testing"))]
    static ARMED: std::sync::Mutex<Option<(String, String)>> = std::sync::Mutex::new(None);

    /// Arms a point of this process, all of it; none disarms.
    #[cfg(all(any(test, feature = "testing"), feature = "approval"))]
    pub fn arm(point: Option<(&str, &str)>) {
        let point = point.map(|(name, action)| (name.to_owned(), action.to_owned()));
        *crate::lock::lock(&ARMED) = point;
    }

    /// Does what was asked for at this point.
    pub fn reach(name: &str) -> io::Result<()> {
        #[cfg(any(test, feature = "testing"))]
        {
            let armed = crate::lock::lock(&ARMED).clone();
            if let Some((_, action)) = armed.filter(|(point, _)| point == name) {
                return act(&action);
            }
        }
        static WISH: OnceLock<Option<Wish>> = OnceLock::new();
        static REACHED: AtomicU64 = AtomicU64::new(0);
        let wish = WISH.get_or_init(|| read(&std::env::var("GAPURA_FAILPOINT").ok()?));
        match wish {
            Some(wish) if wish.name == name => {
                let time = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
                if time >= wish.from { act(&wish.action) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Dies or fails.
    fn act(action: &str) -> io::Result<()> {
        match action {
            "enospc" => Err(io::Error::from(io::ErrorKind::StorageFull)),
            "eio" => Err(io::Error::other("input/output error")),
            "panic" => panic!("a failpoint panics"),
            _ => {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
                std::process::abort()
            }
        }
    }
}
