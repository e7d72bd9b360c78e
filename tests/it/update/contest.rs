//! Several clients at once, and a crash in the middle.

use super::*;
use crate::support::{kill, lay_out};

#[test]
fn of_eight_clients_with_one_prerequisite_exactly_one_wins_each_time() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    for round in 0..12 {
        let name = format!("slot{round}.dyn.{APEX}");
        let codes: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|client| {
                    let script =
                        format!("prereq nxdomain {name}\nupdate add {name} 300 TXT client{client}");
                    let over: &[&str] = if client % 2 == 0 { &[] } else { &["-v"] };
                    let daemon = &daemon;
                    scope.spawn(move || code(&nsupdate(daemon, Some("dhcp."), over, &script)))
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let winners = codes.iter().filter(|code| *code == "NOERROR").count();
        let losers = codes.iter().filter(|code| *code == "YXDOMAIN").count();
        assert_eq!((winners, losers), (1, 7), "{codes:?}");
        let served = at(&daemon, &format!("slot{round}.dyn"), RecordType::TXT);
        let winner = codes.iter().position(|code| code == "NOERROR").unwrap();
        assert_eq!(served, [format!("client{winner}")]);
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_in_the_middle() {
    if !is_client_here("nsupdate") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let more = format!("{GRANTS}{}", keys(&["acme.", "dhcp.", "all."]));
    lay_out(made.path(), &more);
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..3 {
        let daemon = Daemon::in_dir(made.path());
        let pid = daemon.pid();
        let done = std::thread::scope(|scope| {
            let killer = scope.spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(400 + 150 * round));
                kill(pid, "KILL");
            });
            let mut done = Vec::new();
            for number in 0..500 {
                let name = format!("r{round}n{number}.dyn");
                let script = format!("update add {name}.{APEX} 300 A 192.0.2.7");
                let sent = nsupdate(&daemon, Some("dhcp."), &["-t", "2", "-u", "1"], &script);
                if code(&sent) != "NOERROR" {
                    break;
                }
                done.push(name);
            }
            killer.join().unwrap();
            done
        });
        assert!(done.len() < 500, "the kill came in the middle");
        acknowledged.extend(done);
    }
    assert!(!acknowledged.is_empty());
    let daemon = Daemon::in_dir(made.path());
    for name in &acknowledged {
        assert_eq!(at(&daemon, name, RecordType::A), ["192.0.2.7"], "{name} was acknowledged");
    }
    println!("{} acknowledged updates survived three kills", acknowledged.len());
}
