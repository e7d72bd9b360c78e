//! `gapura ctl stop` and `gapura ctl hand-over`: they return once the daemon has exited, or the new process
//! answers.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use super::args::Common;
use super::send::send_to;
use super::{config_path, print};
use crate::config;
use crate::control::{self, CallError, Command, Reply};
use crate::service::successor::ANSWERING_WITHIN;

/// How often to check.
const LOOK: Duration = Duration::from_millis(50);
/// How long a daemon may take to resume its work after its successor has failed.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// How long a daemon may take to stop: it gives up by itself after 30 seconds.
const STOP_MAX: Duration = Duration::from_secs(40);

/// `gapura ctl stop`
pub(super) fn stop(common: &Common) -> anyhow::Result<u8> {
    let state_dir = config::state_dir_of(&config_path(common));
    let Some((pid, _)) = daemon(&state_dir) else {
        // No daemon, or none that this user may control: reported as for any other command.
        return super::send::send(common, Command::Stop);
    };
    match control::call(&state_dir, &Command::Stop) {
        Ok(reply) if reply.exit != 0 => return Ok(print(common, &reply)),
        // It may have exited before it replied.
        Ok(_) | Err(CallError::Vanished(_)) => {}
        Err(error) => return Ok(print(common, &Reply::failed(error.to_string()))),
    }
    let ended = within(STOP_MAX, || (!is_there(pid)).then_some(()));
    let reply = match ended {
        Some(()) => Reply::done("stopped", serde_json::json!({ "pid": pid })),
        None => Reply::failed(format!(
            "process {pid} has not exited yet: its log says what it waits for"
        )),
    };
    Ok(print(common, &reply))
}

/// `gapura ctl hand-over`
pub(super) fn hand_over(common: &Common) -> anyhow::Result<u8> {
    let asked = match send_to(common, Command::Succeed)? {
        Ok(reply) => reply,
        Err(exit) => return Ok(exit),
    };
    let pids = asked.json["pid"].as_u64().zip(asked.json["successor"].as_u64());
    let Some((old, new)) = pids else { return Ok(print(common, &asked)) };
    let path = config_path(common);
    let state_dir = config::state_dir_of(&path);
    let gone = Cell::new(None);
    let is_stuck = || {
        let since = gone.get().unwrap_or_else(Instant::now);
        gone.set((!is_there(new)).then_some(since));
        gone.get().is_some_and(|since: Instant| since.elapsed() > BACK_WITHIN)
    };
    let reply = within(ANSWERING_WITHIN, || match daemon(&state_dir) {
        Some((pid, version)) if pid == new => {
            let text = format!("handed over from process {old} to {new}, gapura {version}");
            Some(Reply::done(
                text,
                serde_json::json!({ "from": old, "to": new, "version": version }),
            ))
        }
        // The new process is gone, and the old one works again.
        Some((pid, _)) if pid == old && !is_there(new) => Some(Reply::failed(format!(
            "process {new} did not take over, its log says why; process {old} continues"
        ))),
        _ if !is_there(old) && !is_there(new) => {
            Some(Reply::failed("both processes have exited: their log says why"))
        }
        None if is_stuck() => Some(Reply::failed(format!(
            "process {new} did not take over, and process {old} cannot resume all of its work: it answers queries from \
             memory and tries again; its log says what is in the way"
        ))),
        _ => None,
    });
    let reply = reply.unwrap_or_else(|| {
        Reply::failed(format!(
            "process {new} has not taken over yet: `gapura ctl status` shows which process answers"
        ))
    });
    Ok(print(common, &reply))
}

/// What `look` finds within a time limit.
fn within<T>(time: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if begun.elapsed() > time {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}

/// Whether a process exists. One that has exited stays in the table until its parent reaps it.
fn is_there(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !(state.is_empty() || state.starts_with('Z') || state.starts_with('X'))
}

/// Process id and version of the running daemon; none while none can be reached.
fn daemon(state_dir: &Path) -> Option<(u64, String)> {
    let reply: Result<Reply, CallError> = control::call(state_dir, &Command::Status);
    let json = reply.ok()?.json;
    Some((json["pid"].as_u64()?, json["version"].as_str()?.to_owned()))
}
