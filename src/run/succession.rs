//! Hand-over from one daemon to the next without losing a query: the successor's side, the predecessor's side, and
//! the command that starts it. The protocol between the two is [`successor`].
//!
//! The predecessor first stops everything that could change a zone and closes the database, but keeps answering from
//! memory on the same sockets that the successor gets. If the successor fails before it answers, the predecessor
//! resumes all of its work; a worker that was asleep meanwhile may answer one more batch from the old data.

use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use super::StateDir;
use super::building::{Building, Retired, Start};
use super::daemon::Event;
use super::error::RunError;
use super::host::Host;
use super::options;
use super::ready::Ready;
use crate::config::{self, Loaded};
use crate::control::{self, CallError, Command, Reply, Session};
use crate::lock::lock;
use crate::master::Finding;
use crate::serve::Inherited;
use crate::service::successor::{self, Place, Talk};
use crate::text::with_causes;

/// Environment variables that are meant for one process and not for its successor.
const OWN: [&str; 4] = ["WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// How long a killed process may take to disappear.
const CLEARED_WITHIN: Duration = Duration::from_secs(60);
/// How long a daemon that could not take its work back answers from memory before it tries again.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

//------------ The successor -------------------------------------------------

/// Asks the running daemon for its sockets.
pub(super) fn follow(loaded: &Loaded) -> Result<(Inherited, Talk), RunError> {
    let state_dir = &loaded.settings.server.state_dir;
    let refused = |why: String| RunError::Follow(why);
    let call = |command| control::call(state_dir, &command);
    let status = call(Command::Status).map_err(|error| refused(error.to_string()))?;
    let pid = status.json["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    let pid =
        pid.ok_or_else(|| refused("the daemon does not say which process it is".to_owned()))?;
    let place = Place::take(state_dir).map_err(|error| refused(error.to_string()))?;
    match call(Command::HandOver) {
        Ok(reply) if reply.exit != 0 => return Err(refused(reply.text)),
        // The handover may begin before its reply is sent.
        Ok(_) | Err(CallError::Vanished(_)) => {}
        Err(error) => return Err(refused(error.to_string())),
    }
    tracing::info!(from = pid, "taking over");
    place.receive(pid).map_err(|error| refused(format!("the sockets were not received: {error}")))
}

/// Tells the predecessor that the successor answers, and waits until the predecessor has stopped answering.
pub(super) fn answering(talk: Talk, fault: Option<&str>) -> Result<(), RunError> {
    // The predecessor could use the database, so it should resume.
    if let Some(fault) = fault {
        return Err(RunError::Follow(format!("the database cannot be used: {fault}")));
    }
    if let Err(error) = talk.answering() {
        tracing::warn!(%error, "the previous daemon did not confirm that it has stopped answering");
    }
    Ok(())
}

//------------ The predecessor -----------------------------------------------

/// Hands over to process `pid`. Returns once this process has stopped answering, with whether the successor still
/// runs; on an error, what keeps answering, and why.
pub(super) fn hand_over(
    loaded: &Loaded,
    building: Building,
    pid: u32,
) -> Result<bool, (Retired, std::io::Error)> {
    tracing::info!(to = pid, "handing over");
    let retired = building.leave();
    let state_dir = &loaded.settings.server.state_dir;
    let mut talk = match successor::give(state_dir, pid, retired.sockets()) {
        Ok(talk) => talk,
        Err(error) => return Err((retired, error)),
    };
    if let Err(error) = talk.until_answering() {
        // A successor that still runs would hold the database.
        if error.kind() != std::io::ErrorKind::UnexpectedEof {
            kill(pid);
        }
        return Err((retired, error));
    }
    let notifier = retired.notifier();
    retired.end();
    notifier.main_process(pid);
    let told = talk.leave();
    if let Err(error) = &told {
        tracing::error!(%error, "the successor could not be notified that it now answers alone");
    }
    Ok(told.is_ok())
}

/// Kills a successor that failed.
pub(super) fn kill(pid: u32) {
    if let Some(process) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended already.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// Resumes all work after a failed handover. Where that fails, it answers from memory, says so, and
/// tries again.
pub(super) fn take_back(
    loaded: &Loaded,
    retired: Retired,
    start: impl Fn(Inherited) -> Start,
) -> (Building, Ready) {
    let mut loaded = loaded.clone();
    loaded.settings = retired.settings();
    wait_for_state_dir(&loaded);
    let mut retired = Some(retired);
    loop {
        let inherited = retired.as_ref().map(Retired::inherited).unwrap_or_default();
        let started = Building::start(&loaded, start(inherited), |_| {
            retired.take().into_iter().for_each(Retired::end);
            Ok(())
        });
        match started {
            Ok(started) => return started,
            Err(error) => {
                let error = with_causes(&error);
                tracing::error!(
                    error,
                    "queries are answered from memory, and everything else has stopped: fix this; it is retried"
                );
                retired.iter().for_each(|it| it.note_idle(&error));
            }
        }
        std::thread::sleep(AGAIN_AFTER);
    }
}

/// Waits for the state directory.
fn wait_for_state_dir(loaded: &Loaded) {
    // A killed process holds its lock until the system has removed it.
    let until = Instant::now() + CLEARED_WITHIN;
    while Instant::now() < until
        && StateDir::take_as_it_is(&loaded.settings.server.state_dir).is_err()
    {
        std::thread::sleep(Duration::from_millis(100));
    }
}

//------------ Commands ------------------------------------------------------

impl Host {
    /// Starts the program again; the new process then asks for the sockets.
    pub(super) fn begin_succession(&self) -> Reply {
        let loaded = match config::load(&self.settings_path) {
            Ok(loaded) => loaded,
            Err(findings) => return not_begun(&findings),
        };
        let faults = options::findings(&loaded);
        if !faults.is_empty() {
            return not_begun(&faults);
        }
        if loaded.settings.server.state_dir != lock(&self.in_force).server.state_dir {
            return Reply::failed(
                "server.state_dir has changed, so a successor would not find this daemon: restart gapura",
            );
        }
        if let Some(refused) = is_process_1() {
            return refused;
        }
        let Some((program, arguments)) = &self.program else {
            return Reply::failed("the path of the running program is unknown: restart gapura");
        };
        let mut command = Program::new(program);
        command.args(arguments.iter().filter(|it| *it != "--take-over")).arg("--take-over");
        for name in OWN {
            command.env_remove(name);
        }
        match command.stdin(Stdio::null()).spawn() {
            Ok(mut child) => {
                let pid = child.id();
                *lock(&self.successor) = Some(pid);
                let wait = move || {
                    if let Ok(ended) = child.wait() {
                        tracing::warn!(pid, %ended, "the successor exited");
                    }
                };
                // Without this thread the process stays a zombie until we end.
                drop(std::thread::Builder::new().name("successor".to_owned()).spawn(wait));
                let json = serde_json::json!({ "pid": std::process::id(), "successor": pid });
                Reply::done(format!("process {pid} is about to take over"), json)
            }
            Err(error) => Reply::failed(format!("cannot start {}: {error}", program.display())),
        }
    }

    /// Begins the handover to the calling process.
    pub(super) fn hand_over_to(&self, session: &Session) -> Reply {
        if let Some(refused) = is_process_1() {
            return refused;
        }
        let Some(pid) = session.pid else {
            return Reply::failed(
                "this daemon cannot see your process: start it on the same machine and in the same PID namespace",
            );
        };
        let is_child = *lock(&self.successor) == Some(pid);
        if self.notifier.is_on() && !is_child {
            return Reply::failed(
                "a service manager supervises this daemon, and would not know its successor: use \
                 `gapura ctl hand-over`",
            );
        }
        self.events.send(Event::HandOver(pid));
        Reply::done("handing over", serde_json::json!({ "pid": std::process::id() }))
    }
}

/// The refusal as process 1: a container would end with it.
fn is_process_1() -> Option<Reply> {
    (std::process::id() == 1).then(|| {
        Reply::failed(
            "the daemon is process 1 here, and the container ends with it: start another container, or pass the \
             sockets from outside",
        )
    })
}

/// The refusal where no daemon could start with the current settings.
fn not_begun(findings: &[Finding]) -> Reply {
    let lines: String = findings.iter().map(|one| format!("{}\n", one.with_hint())).collect();
    Reply {
        exit: 1,
        text: format!("no daemon could start with these settings\n{lines}"),
        json: serde_json::json!({ "findings": findings }),
    }
}

/// Logs why a successor did not take over.
pub(super) fn log_failed(error: &std::io::Error) {
    let error = with_causes(error);
    tracing::error!(error, "the successor did not take over: this daemon continues");
}
