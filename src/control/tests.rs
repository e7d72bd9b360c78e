use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::*;

/// A server that names the command it got, on a runtime of its own.
fn start(dir: &Path) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async { Server::bind(dir).unwrap() });
    runtime.spawn(server.run(Arc::new(|command, _: &Session| {
        Reply::done(format!("{command:?}"), serde_json::Value::Null)
    })));
    runtime
}

#[test]
fn a_command_is_done_and_answered() {
    let dir = tempfile::tempdir().unwrap();
    let _runtime = start(dir.path());
    let reply = call(dir.path(), &Command::Reload { zone: None, force: true }).unwrap();
    assert_eq!((reply.exit, reply.text.as_str()), (0, "Reload { zone: None, force: true }"));
}

#[test]
fn only_the_owner_can_reach_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let _runtime = start(dir.path());
    let mode = std::fs::metadata(socket_path(dir.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nonsense_is_told_so_and_too_much_of_it_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let _runtime = start(dir.path());
    for bytes in [b"hello\n".to_vec(), vec![b'x'; 200_000]] {
        let mut stream = UnixStream::connect(socket_path(dir.path())).unwrap();
        // The server stops reading at its limit, so the rest may not be taken.
        let _ = stream.write_all(&bytes);
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        assert!(reply.contains("not a command") || reply.is_empty(), "{reply}");
    }
    assert_eq!(call(dir.path(), &Command::Status).unwrap().exit, 0);
}

#[test]
fn a_client_that_hangs_does_not_stop_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let _runtime = start(dir.path());
    let _silent: Vec<_> =
        (0..30).map(|_| UnixStream::connect(socket_path(dir.path())).unwrap()).collect();
    let begun = std::time::Instant::now();
    assert_eq!(call(dir.path(), &Command::Status).unwrap().exit, 0);
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn no_daemon_is_said_in_words_that_help() {
    let dir = tempfile::tempdir().unwrap();
    let error = call(dir.path(), &Command::Status).unwrap_err().to_string();
    assert!(error.contains("start it with `gapura serve`"), "{error}");
}

#[test]
fn a_daemon_that_goes_away_in_the_middle_is_said_to_have() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(socket_path(dir.path())).unwrap();
    let gone = std::thread::spawn(move || {
        // Before it has read the call, while it answers, and after it has read all of it.
        drop(listener.accept().unwrap());
        listener.accept().unwrap().0.write_all(b"{\"exit\":0").unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
    });
    for _ in 0..3 {
        let error = call(dir.path(), &Command::Status).unwrap_err();
        assert!(matches!(error, CallError::Vanished(_)), "{error:?}");
        assert!(error.to_string().contains("see whether it still runs"), "{error}");
    }
    gone.join().unwrap();
}
