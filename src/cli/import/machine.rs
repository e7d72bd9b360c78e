//! The machine whose settings are imported: this one, or a copy of its files below a directory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::import::Files;

/// Where its files are.
pub(super) struct Machine {
    /// The directory that stands for its root; none for this machine.
    root: Option<PathBuf>,
}

impl Machine {
    /// A machine below a directory.
    pub(super) fn new(root: Option<&Path>) -> Self {
        Self {
            root: root.map(|root| std::path::absolute(root).unwrap_or_else(|_| root.to_owned())),
        }
    }

    /// A path of this machine as the other one has it.
    pub(super) fn named(&self, path: &Path) -> PathBuf {
        let inside = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        inside.map_or_else(|| path.to_owned(), |inside| Path::new("/").join(inside))
    }

    /// A path of the other machine as this one has it.
    pub(super) fn here(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }
}

impl Files for Machine {
    fn read(&self, path: &Path, max: usize) -> Result<Vec<u8>, String> {
        let path = self.here(path);
        // A named pipe would wait for a writer, and a device might never end.
        let found = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !found.is_file() {
            return Err("not a regular file".to_owned());
        }
        let mut bytes = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(max as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|error| error.to_string())?;
        if bytes.len() > max { Err(format!("has more than {max} octets")) } else { Ok(bytes) }
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(self.here(directory)).map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.here(path).is_dir()
    }
}
