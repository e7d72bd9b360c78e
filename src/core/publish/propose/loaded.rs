//! A file as `source` passes it on, to be compared with the live version.

use std::path::PathBuf;

use crate::master::{Finding, Parsed};
use crate::publish::state::{Guard, Lack, Seen};
use crate::zone::{BuildFault, Zone};

//------------ Loaded --------------------------------------------------------

/// A file as it was read, and the zone that it is.
pub(crate) struct Loaded {
    /// The zone, if one could be built.
    pub(crate) zone: Option<Zone>,
    /// What building found.
    pub(crate) faults: Vec<BuildFault>,
    /// What parsing and the guards found.
    pub(crate) findings: Vec<Finding>,
    /// The first guard that refuses the file by itself.
    pub(crate) guard: Option<Guard>,
    /// The bytes, to locate faults.
    pub(crate) bytes: Vec<u8>,
    /// What parsing found in the file and its includes.
    pub(crate) parsed: Parsed,
    /// The files as they were read.
    pub(crate) seen: Vec<Seen>,
    /// SHA-256 over the file and its includes, in hexadecimal.
    pub(crate) hash: String,
    /// SHA-256 of the zone file alone, as a manifest lists it.
    pub(crate) file_sha256: String,
    /// Whether the end marker is there.
    pub(crate) marker: bool,
    /// Whether the apex has a ZONEMD record.
    pub(crate) zonemd: bool,
    /// Includes with the end marker, one path a line.
    pub(crate) marked_includes: String,
    /// All includes.
    pub(crate) included: Vec<PathBuf>,
}

/// Why there is not even a file to judge.
pub(crate) struct Unread {
    /// The guard.
    pub(crate) guard: Guard,
    /// The finding to report.
    pub(crate) finding: Finding,
    /// The files as they were found.
    pub(crate) seen: Vec<Seen>,
    /// The memory that it wants for.
    pub(crate) lack: Option<Lack>,
}
