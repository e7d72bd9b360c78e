//! Limits of the system: too little memory or address space ends nothing, and a low limit of open files
//! leaves room for zones and the control socket.

use std::fmt::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::support::{Daemon, END, ask, data, lay_out};

/// Sets a limit of a running daemon; none is as much as we have ourselves.
fn limit(daemon: &Daemon, resource: Resource, most: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    let maximum = getrlimit(resource).maximum;
    let limit = Rlimit { current: most.or(maximum), maximum };
    prlimit(pid, resource, limit).unwrap();
}

/// The daemon's address space in octets.
fn address_space(daemon: &Daemon) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmSize:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_file_for_which_there_is_no_address_space_is_refused_and_the_old_zone_goes_on() {
    let daemon = Daemon::start("");
    let www = || data(&ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A));
    let before = www();
    assert!(!before.is_empty());
    limit(&daemon, Resource::As, Some(address_space(&daemon) + 48 * 1024 * 1024));
    let old = std::fs::read_to_string(daemon.zone_file()).unwrap();
    let mut big = old.replace(END, "");
    for i in 0..300_000 {
        writeln!(big, "n{i} A 192.0.{}.{}", (i >> 8) & 255, i & 255).unwrap();
    }
    writeln!(big, "{END}").unwrap();
    // Made of few octets, it takes as much.
    let generated = format!("{old}\n$GENERATE 1-900000 g$ A 192.0.2.1\n");
    let reload = || {
        let done = daemon.gapura(&["ctl", "reload"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), said + &String::from_utf8_lossy(&done.stdout))
    };
    for text in [&generated, &big] {
        std::fs::write(daemon.zone_file(), text).unwrap();
        let (code, said) = reload();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("not-enough-memory"), "{said}");
        assert_eq!(www(), before);
    }
    let edited = old.replace(END, &format!("baru A 192.0.2.9\n{END}"));
    std::fs::write(daemon.zone_file(), edited).unwrap();
    let (code, said) = reload();
    assert_eq!(code, Some(0), "what fits goes live: {said}");
    // What was refused goes live by itself once there is room.
    std::fs::write(daemon.zone_file(), &big).unwrap();
    assert_eq!(reload().0, Some(1));
    limit(&daemon, Resource::As, None);
    let new = || data(&ask(daemon.dns(), "n299999.cirebonkab.go.id.", RecordType::A));
    let until = Instant::now() + Duration::from_secs(60);
    while new().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(new().len(), 1);
}

#[test]
fn connections_of_pages_and_tcp_leave_files_for_zones_and_the_control_socket() {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let daemon = Daemon::in_dir_with_files(made.path(), 72);
    // A name server alone has no pages.
    let web = daemon.ready["web"].as_str().and_then(|web| web.strip_prefix("http://"));
    let pages = web.into_iter().flat_map(|web| (0..150).map(move |_| web));
    let pages = pages.filter_map(|web| TcpStream::connect(web).ok());
    let dns = (0..150).filter_map(|_| TcpStream::connect(daemon.dns()).ok());
    let held: Vec<TcpStream> = pages.chain(dns).collect();
    assert!(held.len() > 100, "the kernel takes them");
    assert_eq!(daemon.gapura(&["ctl", "status"]).status.code(), Some(0));
    let old = std::fs::read_to_string(daemon.zone_file()).unwrap();
    let edited = old.replace(END, &format!("baru A 192.0.2.9\n{END}"));
    std::fs::write(daemon.zone_file(), edited).unwrap();
    let reload = daemon.gapura(&["ctl", "reload"]);
    assert_eq!(reload.status.code(), Some(0), "{}", String::from_utf8_lossy(&reload.stderr));
    let baru = ask(daemon.dns(), "baru.cirebonkab.go.id.", RecordType::A);
    assert_eq!(data(&baru), ["192.0.2.9"]);
    drop(held);
}
