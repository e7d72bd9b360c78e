//! What a daemon does before it starts anything, while it has one thread: it sorts the sockets that were passed to it,
//! and drops all privileges that it does not need, for good.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use super::error::{RunError, system};
use super::options;
use crate::config::{Loaded, Settings};
use crate::memory;
use crate::serve::{self, Inherited, Purpose};
use crate::service::{self, Notifier, Passed, Places, User};

/// What the rest of the start begins with.
#[derive(Debug, Default)]
pub struct Begin {
    /// The service manager.
    pub(super) notifier: Notifier,
    /// Sockets that were passed to this process, or are bound already.
    pub(super) inherited: Inherited,
    /// Whether this daemon takes over from a running one.
    pub(super) follows: bool,
    /// The privileges of this process, in words.
    pub(super) rights: Vec<String>,
    /// This program and its arguments, for starting a successor. Read now: after an upgrade replaces the file,
    /// `/proc/self/exe` has another name.
    pub(super) program: Option<(PathBuf, Vec<OsString>)>,
}

/// Begins, if the settings make sense. Call it before anything starts a thread.
pub fn begin(loaded: &Loaded, passed: Passed, follows: bool) -> Result<Begin, RunError> {
    options::sound(loaded)?;
    memory::give_large_back();
    let program = std::env::current_exe().ok();
    let mut begin = Begin {
        notifier: Notifier::from_environment(),
        inherited: passed.inherited(),
        follows,
        rights: Vec::new(),
        program: program.map(|it| (it, std::env::args_os().skip(1).collect())),
    };
    let settings = &loaded.settings;
    let user = options::user(&settings.server)?;
    let user = user.filter(|_| service::is_root());
    if user.is_some() || service::holds_rights() && !service::is_root() {
        if !follows {
            bind(settings, &mut begin.inherited)?;
        }
        if let Some(user) = user {
            give_state_dir(&settings.server.state_dir, user)?;
        }
        let what =
            "cannot drop the privileges of this process: start it as the user it is to run as";
        match service::shed(user) {
            // It only has what its starter gave it; a system call filter may prevent the drop.
            Err(error) if user.is_none() => {
                tracing::warn!(%error, "privileges of this process could not be dropped");
                begin.rights.push(format!("keeps privileges that it does not need ({error})"));
            }
            shed => system(what, shed)?,
        }
    }
    let uid = rustix::process::geteuid().as_raw();
    begin.rights.push(if service::is_root() {
        tracing::warn!("gapura runs as root: set server.user");
        "runs as root: set server.user".to_owned()
    } else {
        format!("runs as user {uid}")
    });
    begin.rights.push(service::confine(&places(loaded)));
    Ok(begin)
}

/// Binds all listeners of the settings. A failure for pages or metrics is reported later in the start, because zones
/// are answered without them.
fn bind(settings: &Settings, inherited: &mut Inherited) -> Result<(), RunError> {
    let serve = options::serve(settings)?;
    serve::bind(&serve, inherited)?;
    serve::prepare_xdp(&serve, inherited);
    let pages = cfg!(feature = "approval").then_some((Purpose::Pages, settings.web.listen));
    let metrics = settings.metrics.as_ref().map(|it| (Purpose::Metrics, it.listen));
    for (purpose, address) in pages.into_iter().chain(metrics) {
        if inherited.holds(purpose, address) {
            continue;
        }
        if let Ok(listener) = std::net::TcpListener::bind(address) {
            let added = inherited.add(listener.into(), Some(purpose));
            added.unwrap_or_else(|why| tracing::warn!("{why}"));
        }
    }
    Ok(())
}

/// Makes the state directory, and hands it to the daemon's user if root has just made it or it is empty. A directory
/// in use is left as it is.
fn give_state_dir(path: &Path, user: User) -> Result<(), RunError> {
    let what = || format!("cannot create the state directory {}", path.display());
    system(what(), DirBuilder::new().recursive(true).mode(0o700).create(path))?;
    let found = system(what(), std::fs::metadata(path))?;
    let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if found.uid() == 0 && is_empty {
        system(what(), chown(path, Some(user.uid), Some(user.gid)))?;
    }
    Ok(())
}

/// The places that the settings name.
fn places(loaded: &Loaded) -> Places {
    let settings = &loaded.settings;
    let directory = |file: &PathBuf| file.parent().map(Path::to_owned);
    let logs = settings.query_log.iter().map(|log| &log.file);
    let logs = logs.chain(settings.dnstap.iter().map(|tap| &tap.file));
    let logs = logs.filter(|file| !file.as_os_str().is_empty()).filter_map(directory);
    let programs = std::env::current_exe().ok().into_iter();
    let scanner = settings.uploads.scanner.first().map(PathBuf::from);
    Places {
        written: std::iter::once(settings.server.state_dir.clone()).chain(logs).collect(),
        run: programs.chain(scanner.filter(|it| it.is_absolute())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_may_reach_what_its_settings_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gapura.toml");
        let text = "[server]\nstate_dir = \"state\"\n[query_log]\nfile = \"logs/q\"\n[dnstap]\nsocket = \"s\"\n\
                    [[zone]]\nname = \"a.\"\nfile = \"zones/a\"\n";
        std::fs::write(&path, text).unwrap();
        let places = places(&crate::config::load(&path).unwrap());
        let of = |name: &str| directory.path().join(name);
        assert_eq!(places.written, [of("state"), of("logs")]);
    }
}
