//! Where a gapura keeps its tables: in a file of its state directory, or on a server.

use std::fmt;
use std::path::{Path, PathBuf};

use super::nodes::Node;
#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "postgres")]
use super::{Address, Engine};
use super::{Store, StoreError};

/// Where the tables are.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // A process has two at most.
pub enum Location {
    /// In `gapura.db` of this state directory.
    File(PathBuf),
    /// In a schema on a server.
    #[cfg(feature = "postgres")]
    Server(Address),
}

impl Location {
    /// Opens it, making it and bringing its tables up to date.
    pub fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::File(state_dir) => Store::open(state_dir),
            #[cfg(feature = "postgres")]
            Self::Server(address) => Store::open_on_server(address),
        }
    }

    /// Opens it to publish from here, making it and bringing its tables up to date. A server has one node that publishes.
    #[cfg_attr(not(feature = "postgres"), allow(unused_variables))] // A file has one node.
    pub fn publish(&self, node: &Node) -> Result<Store, StoreError> {
        match self {
            Self::File(_) => self.open(),
            #[cfg(feature = "postgres")]
            Self::Server(address) => {
                let store =
                    Store::on(Engine::Postgres(postgres::Database::publish(address, node)?));
                store.keep_beating()?;
                Ok(store)
            }
        }
    }

    /// Opens it to follow the node that publishes: nothing is made, brought up to date or written. None: a file, which has
    /// one node.
    pub fn follow(&self) -> Result<Option<Store>, StoreError> {
        match self {
            Self::File(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Self::Server(address) => {
                let database = postgres::Database::follow(address)?;
                Ok(Some(Store::followed(Engine::Postgres(database))))
            }
        }
    }

    /// The state directory whose file it is; none for a server.
    pub fn state_dir(&self) -> Option<&Path> {
        match self {
            Self::File(state_dir) => Some(state_dir),
            #[cfg(feature = "postgres")]
            Self::Server(_) => None,
        }
    }

    /// Makes it with all rows of another one; returns it with their count. It is held, so that no daemon works on it and
    /// it may be taken away again, which is done if it cannot be made or the rows cannot be taken over.
    pub fn make_from(&self, other: &Store) -> Result<(Store, u64), StoreError> {
        let mut is_ours = self.state_dir().is_some();
        let mut make = || {
            let store = self.open()?;
            store.hold()?;
            is_ours = true;
            let rows = store.take_over(other)?;
            Ok((store, rows))
        };
        make().inspect_err(|_| {
            // On a server it may be somebody else's until it is held. The error counts more than whether this can be undone.
            if is_ours {
                let _ = self.discard();
            }
        })
    }

    /// Opens it to look at it; nothing is made or brought up to date. None while the file alone is not all of it.
    pub fn look(&self) -> Result<Option<Store>, StoreError> {
        match self {
            Self::File(state_dir) => Store::inspect(state_dir),
            #[cfg(feature = "postgres")]
            Self::Server(address) => {
                let store = Store::on(Engine::Postgres(postgres::Database::reached(address)?));
                store.read(|reader| super::migrations::look(reader.0))?;
                Ok(Some(store))
            }
        }
    }

    /// Whether there is nothing at the place, or a file that holds nothing. A server that is not reached is an error.
    pub fn is_absent(&self) -> Result<bool, StoreError> {
        match self {
            Self::File(state_dir) => Ok(Store::is_absent(state_dir)),
            #[cfg(feature = "postgres")]
            Self::Server(address) => postgres::Database::reached(address)?.is_absent(),
        }
    }

    /// Whether it can be worked on at this moment, or followed: its server is reached, and no other daemon holds it, or
    /// its tables are of this version.
    pub fn can_be_joined(&self) -> bool {
        match self {
            Self::File(_) => true,
            #[cfg(feature = "postgres")]
            Self::Server(address) => {
                let free = postgres::Database::reached(address).and_then(|it| it.is_free());
                free.is_ok_and(|is_free| is_free || postgres::Database::follow(address).is_ok())
            }
        }
    }

    /// Copies what is there, as of one moment, into a file of another state directory, in which there is none.
    pub fn copy(&self, into: &Path) -> Result<(), StoreError> {
        match self {
            Self::File(state_dir) => Store::copy(state_dir, into),
            #[cfg(feature = "postgres")]
            Self::Server(_) => {
                let store = self.look()?.ok_or(StoreError::Behind)?;
                let copy = Store::open_file(into)?;
                copy.take_over(&store)?;
                copy.fold_log()
            }
        }
    }

    /// Puts what is there aside, where no start looks for it; returns its new name.
    pub fn put_aside(&self) -> Result<String, StoreError> {
        match self {
            Self::File(state_dir) => {
                let path = Store::path(state_dir);
                let names = (1..).map(|number| match number {
                    1 => state_dir.join("gapura.db.moved"),
                    _ => state_dir.join(format!("gapura.db.moved-{number}")),
                });
                // One that was put aside before stays.
                let free = names.into_iter().find(|name| name.symlink_metadata().is_err());
                let aside = free.unwrap_or_else(|| state_dir.join("gapura.db.moved"));
                let moved = std::fs::rename(&path, &aside);
                let moved = moved.and_then(|()| crate::files::sync_directory(&aside));
                moved.map_err(|source| StoreError::Make { path: aside.clone(), source })?;
                Ok(aside.display().to_string())
            }
            #[cfg(feature = "postgres")]
            Self::Server(address) => postgres::Database::reached(address)?.put_aside(),
        }
    }

    /// Takes away what was made there and is of no use.
    pub fn discard(&self) -> Result<(), StoreError> {
        match self {
            Self::File(state_dir) => {
                for ending in ["", "-wal", "-shm"] {
                    let path =
                        PathBuf::from(format!("{}{ending}", Store::path(state_dir).display()));
                    crate::files::remove(&path)
                        .map_err(|source| StoreError::Make { path: path.clone(), source })?;
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Server(address) => postgres::Database::reached(address)?.discard(),
        }
    }
}

/// As people name it.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(state_dir) => Store::path(state_dir).display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Server(address) => address.fmt(f),
        }
    }
}
