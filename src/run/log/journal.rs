//! Lines for systemd's journal in its native protocol, one datagram of fields per line (systemd.journal-fields(7),
//! <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>), so that lines can be found by field, as in
//! `journalctl GAPURA_ZONE=example.`
//!
//! The size of a datagram is limited, so a very long value is cut: passing it as a memory file instead would need more
//! than the standard library offers.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tracing::Level;

use super::events::message_id;
use super::line::{Facts, priority};

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// Octets of a value; the rest is cut.
const VALUE_OCTETS_MAX: usize = 16 << 10;
/// Octets of a datagram; fields beyond that are left out. Linux takes some 200 KiB.
const DATAGRAM_OCTETS_MAX: usize = 96 << 10;

/// A connection to the journal.
#[derive(Debug)]
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// Connects to the socket at a path.
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A journal that hangs loses lines instead of blocking the daemon.
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Sends a line.
    pub(super) fn send(&self, facts: &Facts, level: Level, target: &str) -> io::Result<()> {
        self.0.send(&datagram(facts, level, target)).map(drop)
    }
}

/// A line as the journal wants it.
fn datagram(facts: &Facts, level: Level, target: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(512);
    // `journalctl -u gapura` shows no other field: it also says who was refused, and why.
    put(&mut octets, "MESSAGE", &facts.text());
    put(&mut octets, "PRIORITY", &priority(level).to_string());
    put(&mut octets, "SYSLOG_IDENTIFIER", "gapura");
    put(&mut octets, "GAPURA_TARGET", target);
    for (name, value) in facts.texts() {
        if name == "event"
            && let Some(id) = message_id(&value)
        {
            put(&mut octets, "MESSAGE_ID", id);
        }
        put(&mut octets, &field_name(&name), &value);
    }
    octets
}

/// Puts a field. A value of several lines has its length before it.
fn put(octets: &mut Vec<u8>, name: &str, value: &str) {
    let value = &value[..value.floor_char_boundary(VALUE_OCTETS_MAX)];
    if octets.len() + name.len() + value.len() + 16 > DATAGRAM_OCTETS_MAX {
        return;
    }
    octets.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        octets.push(b'\n');
        octets.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        octets.push(b'=');
    }
    octets.extend_from_slice(value.as_bytes());
    octets.push(b'\n');
}

/// A fact's name as a field: capital letters, digits and underscores.
fn field_name(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("GAPURA_{}", name.chars().map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_has_what_the_journal_wants() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(Journal::connect(&path).is_err(), "nobody listens");
        let listener = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::connect(&path).unwrap();
        let mut facts = Facts::default();
        facts.put("message", "refused".into());
        facts.put("event", "zone_refused".into());
        facts.put("zone", "a.example.".into());
        facts.put("errors", 2.into());
        facts.put("findings", "one\ntwo".into());
        facts.put("long", "é".repeat(VALUE_OCTETS_MAX).into());
        journal.send(&facts, Level::ERROR, "gapura::publish").unwrap();
        let mut room = vec![0; 200_000];
        let length = listener.recv(&mut room).unwrap();
        let text = String::from_utf8_lossy(&room[..length]);
        let id = message_id("zone_refused").unwrap();
        for line in [
            "MESSAGE=refused errors=2 event=zone_refused findings=\"one; two\" ",
            "PRIORITY=3\n",
            "SYSLOG_IDENTIFIER=gapura\n",
            &format!("MESSAGE_ID={id}\n"),
            "GAPURA_ZONE=a.example.\n",
            "GAPURA_ERRORS=2\n",
            "GAPURA_FINDINGS\n\x07\0\0\0\0\0\0\0one\ntwo\n",
        ] {
            assert!(text.contains(line), "{line:?}\n{:.500}", text);
        }
        assert!(length < 40_000, "{length}");
    }
}
