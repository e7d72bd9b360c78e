//! The machine whose settings are imported: this one, or a copy of its files below a directory.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::import::Files;

/// Where its files are.
pub(super) struct Machine {
    /// The directory that is its root; none for this machine.
    root: Option<PathBuf>,
}

impl Machine {
    /// A machine below a directory.
    pub(super) fn new(root: Option<&Path>) -> Self {
        // The root directory means this machine itself.
        let root = root.filter(|root| *root != Path::new("/"));
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

    /// A path of the other machine as this one has it, links followed: nothing outside of its root.
    fn inside(&self, path: &Path) -> Result<PathBuf, String> {
        let here = self.here(path);
        let Some(root) = &self.root else { return Ok(here) };
        if path.components().any(|part| part == Component::ParentDir) {
            return Err("a path with \"..\" in it is not followed below --root".to_owned());
        }
        let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
        let found = real(&here)?;
        if found.starts_with(real(root)?) {
            Ok(found)
        } else {
            Err("it leads out of --root: replace the link with the file itself".to_owned())
        }
    }
}

impl Files for Machine {
    fn read(&self, path: &Path, max: usize) -> Result<Vec<u8>, String> {
        let path = self.inside(path)?;
        // A named pipe would wait for a writer, and a device might never end.
        let found = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !found.is_file() {
            return Err("not a regular file".to_owned());
        }
        let mut bytes = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(max as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|error| error.to_string())?;
        if bytes.len() > max { Err(format!("it has more than {max} octets")) } else { Ok(bytes) }
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, String> {
        let directory = self.inside(directory)?;
        let entries = std::fs::read_dir(directory).map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.inside(path).is_ok_and(|path| path.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_root_is_read() {
        let made = tempfile::tempdir().unwrap();
        let (root, out) = (made.path().join("root"), made.path().join("out"));
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(root.join("etc/conf"), "inside").unwrap();
        std::fs::write(out.join("secret"), "outside").unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link(&out.join("secret"), "file");
        link(&out, "directory");
        link(Path::new("etc/conf"), "near");
        let machine = Machine::new(Some(&root));
        let read = |path: &str| machine.read(Path::new(path), 100);
        assert_eq!(read("/etc/conf"), Ok(b"inside".to_vec()));
        assert_eq!(read("/near"), Ok(b"inside".to_vec()));
        for path in ["/../out/secret", "/etc/../../out/secret", "/file", "/directory/secret"] {
            assert!(read(path).is_err(), "{path}");
        }
        for path in ["/..", "/../out", "/directory"] {
            assert!(machine.list(Path::new(path)).is_err(), "{path}");
            assert!(!machine.is_directory(Path::new(path)), "{path}");
        }
        assert_eq!(machine.list(Path::new("/etc")), Ok(vec!["conf".to_owned()]));
        // This machine is not confined.
        assert!(Machine::new(None).read(&out.join("secret"), 100).is_ok());
        let whole = Machine::new(Some(Path::new("/")));
        assert!(whole.read(&out.join("secret"), 100).is_ok());
    }
}
