//! Every finding that is no rule of a zone file, for the manual: those rules are `check`'s, and tell themselves.
//!
//! A finding says in its own words what is wrong in a case. Here is what it means in general, and what to do.
//! Whether each id of the code stands here, and no other, is held by a test (`tests/it/manual`).

use crate::check::{ZoneRule, rules};
use crate::master::TEXT_RULES;
use crate::text::append_line;

/// Id, severity, what it means, what to do.
type Line = (&'static str, &'static str, &'static str, &'static str);

/// Findings about settings and the machine: `gapura check`, and a start.
const OF_SETTINGS: &[Line] = &[
    (
        "settings-unreadable",
        "error",
        "the settings file cannot be read",
        "name it with --config; mend its permissions",
    ),
    (
        "settings-key",
        "error",
        "a key that gapura does not know",
        "correct it: the nearest known key is in the hint",
    ),
    (
        "settings-value",
        "error",
        "a value of the wrong type, out of range, or that fits no other setting",
        "the message says what may stand there; reference/settings.md has every key",
    ),
    (
        "settings-risk",
        "warning",
        "a setting that works and is likely not meant so, as a key that can be guessed",
        "follow the message, or leave it if it is meant",
    ),
    (
        "listen-twice",
        "error",
        "two settings want the same address and port",
        "give one another port or address",
    ),
    (
        "listen-taken",
        "error",
        "another program listens there",
        "`ss -lntup` tells which: stop it, or choose another address or port",
    ),
    (
        "listen-address",
        "error; a warning for IPv6 where there is none",
        "an address that this machine does not have",
        "correct it; where it comes later (keepalived), set server.freebind",
    ),
    (
        "certificate",
        "error",
        "a certificate, its key or an authority is missing, does not read, or does not fit",
        "mend the file that is named: until then there is no TLS or QUIC, all else goes on",
    ),
    (
        "certificate-time",
        "error when it is over or has not begun, else a warning",
        "a certificate is not valid, or ends soon",
        "put a new one in its place: a running gapura takes it by itself",
    ),
    (
        "rule-never-met",
        "warning",
        "a remote may have a zone over TLS only, and nobody listens for TLS",
        "add a [tls] table, or take tls out of the remote",
    ),
    (
        "notify-without-transfer",
        "warning",
        "a remote is told of changes that it may not have",
        "add it to `transfer` of the zone",
    ),
    (
        "query-log",
        "error",
        "the query log or the dnstap file cannot be written",
        "make the directory, for the user gapura runs as; zones are answered without it",
    ),
    (
        "state-dir",
        "error",
        "the state directory is none, or cannot be written",
        "it must belong to the user gapura runs as",
    ),
    (
        "database",
        "error",
        "the database is missing beside what belongs to it, damaged, of a later version, or cannot be read",
        "bring it back from a backup; zones are answered, the queue stays closed",
    ),
    (
        "key",
        "error",
        "a key of the queue is missing or not the one of the database",
        "put it back from the backup that the database is of",
    ),
    (
        "signing-key",
        "error",
        "a private key of a signed zone is missing, readable by others, or another one",
        "signing.md, What to do when",
    ),
    (
        "signed-elsewhere",
        "warning",
        "gapura is to sign a zone whose file is signed by keys it does not have",
        "import the keys first: signing.md, Keys from elsewhere",
    ),
];

/// Findings about a new version of a zone: a reload, an edit, a transfer.
const OF_VERSIONS: &[Line] = &[
    (
        "file-unreadable",
        "error",
        "a zone file cannot be read",
        "check the path and its permissions; what is served goes on",
    ),
    (
        "file-changing",
        "error",
        "a zone file changed while it was read",
        "write to a temporary file and rename it into place",
    ),
    ("file-too-large", "error", "a zone file has more than 1 GiB", "split the zone"),
    (
        "file-with-holes",
        "error",
        "parts of a zone file were never written: a copy was cut, or a disk was full",
        "copy it again",
    ),
    (
        "no-final-newline",
        "error",
        "the last line of a file has no end: the file may be cut",
        "if it is whole, end it with `echo >> FILE`",
    ),
    (
        "marker-lost",
        "error",
        "the last line was the end marker, and is not any more: the file may be cut",
        "put `; gapura: end of zone` back; or `gapura ctl reload ZONE --force`",
    ),
    (
        "zonemd-lost",
        "error",
        "the zone had a ZONEMD record and has none any more: the file may be cut",
        "put it back; or `gapura ctl reload ZONE --force`",
    ),
    (
        "zone-shrinks",
        "error",
        "the new version has far fewer records than the one that is served",
        "look at `gapura zone diff ZONE`; if it is meant: `gapura ctl reload ZONE --force`",
    ),
    (
        "file-rolled-back",
        "warning",
        "the zone was rolled back, and the file still has what was rolled back",
        "correct the file; or `gapura ctl reload ZONE --force`",
    ),
    (
        "not-enough-memory",
        "error",
        "there is no memory for another version of the zone",
        "give the machine or the service more; what is served goes on",
    ),
    (
        "zone-doubled",
        "error",
        "a zone is in the settings twice, or there and in zone_dir",
        "keep one of the files",
    ),
    (
        "zone-left",
        "error",
        "a zone that was served is not in the settings, or its file is not in zone_dir any more",
        "put it back; if it is to go: `gapura ctl reload --force`",
    ),
    (
        "zone-dir-unreadable",
        "error",
        "the directory of zone files cannot be read: a disk is not mounted",
        "mount it, or mend the path or its permissions; zones are served on",
    ),
    (
        "zone-file-name",
        "error",
        "a file in zone_dir has a name that is no zone",
        "rename it to NAME.zone, or take it out",
    ),
    (
        "manifest-damaged",
        "error",
        "a list of files that change together cannot be used",
        "write it as sha256sum prints it, or remove it",
    ),
    (
        "manifest-mismatch",
        "error",
        "a zone file is not the one of the list",
        "write all files first and the list last",
    ),
    (
        "manifest-incomplete",
        "error",
        "another zone of the list was refused, and they go live together",
        "mend that zone, or take this one out of the list",
    ),
    (
        "serial-not-raised",
        "warning",
        "the file changed and its serial did not",
        "nothing: gapura chose the next one",
    ),
    (
        "serial-backwards",
        "warning",
        "a file's or a primary's serial is behind the one before",
        "nothing, if it is meant; secondaries follow gapura's serial",
    ),
    (
        "serial-used",
        "warning",
        "the file's serial was given out before with other content",
        "nothing: gapura chose the next one",
    ),
    (
        "serial-far-ahead",
        "warning",
        "a serial is more than 2^30 ahead: secondaries cannot go back (RFC 1982)",
        "correct it if it is a slip, before secondaries have it",
    ),
    (
        "serial-from-future",
        "warning",
        "a serial made of a date stands for a time far ahead",
        "nothing: those that follow are above it",
    ),
    (
        "serial-clock-doubted",
        "warning",
        "a serial should be made of the time, and the clock is doubted",
        "set the clock right, then `gapura ctl clock`",
    ),
    (
        "serial-restored",
        "warning",
        "the database is older than what was served: the serial was raised above it",
        "nothing, if secondaries have the live serial; else `gapura zone serial ZONE --floor SERIAL`",
    ),
    (
        "presigned-serial",
        "error",
        "a zone that was signed elsewhere changed and its serial did not rise",
        "sign it again with a higher serial: gapura cannot change it",
    ),
    (
        "presigned-serial-behind",
        "warning",
        "the serial of a zone that was signed elsewhere is not above one that was served",
        "sign it again with a higher serial",
    ),
    (
        "presigned-merge",
        "error",
        "requested names would break the signatures of a zone that was signed elsewhere",
        "let gapura sign it, or remove the names by request",
    ),
    (
        "signatures-lost",
        "error",
        "the zone was signed elsewhere and its new file is not",
        "sign it; or have the DS removed first, then `gapura ctl reload ZONE --force`",
    ),
    (
        "signature-future",
        "error",
        "signatures begin in the future: a clock is wrong",
        "set the clock of this machine or of the signer right",
    ),
    (
        "not-signed",
        "error",
        "gapura could not sign a new version, so it is not served",
        "signing.md, What to do when",
    ),
    (
        "zonemd-left-out",
        "warning",
        "the digest of the file does not hold for what is served, so it is left out",
        "let gapura make it: zonemd = true",
    ),
    (
        "zonemd-presigned",
        "warning",
        "a digest is to be made for a zone that was signed elsewhere",
        "let its signer make it, or let gapura sign the zone",
    ),
    (
        "promoted-clash",
        "error",
        "a requested name and the file want different things at the same name",
        "take it out of the file, or remove it by request",
    ),
    ("edit-twice", "error", "an edit has the same RRset twice", "send it once"),
    (
        "edit-type",
        "error",
        "an edit has a type that is the server's own",
        "leave SOA, DNSSEC and other such types out",
    ),
    (
        "edit-occluded",
        "error",
        "an edit is below a delegation, where nobody would see it",
        "make it at the servers that are delegated to",
    ),
    (
        "held-by-update",
        "warning",
        "what updates (RFC 2136) put up at a name is served, not what the file has there",
        "`gapura zone adopt ZONE NAME` lets the file win",
    ),
    (
        "catalog-broken",
        "error",
        "a catalog zone does not read (RFC 9432)",
        "mend it at its primary; its members go on",
    ),
    (
        "catalog-shrinks",
        "error",
        "a catalog zone has lost most of its members",
        "look at it; if it is meant: `gapura ctl reload ZONE --force`",
    ),
    (
        "catalog-too-large",
        "error",
        "a catalog zone has more members than anybody serves",
        "split it",
    ),
    (
        "catalog-clash",
        "warning",
        "a member of a catalog is a zone of the settings, or of another catalog",
        "take it out of one of them",
    ),
    (
        "database-restored",
        "warning",
        "the database is another file than before: a backup was put back",
        "see that serials and keys are right: operation.md, Backup",
    ),
    (
        "keys-restored",
        "warning",
        "the keys beside the database are newer than its own, and are used",
        "nothing; `gapura key list ZONE` shows them",
    ),
    (
        "keys-unreadable",
        "error",
        "what is kept of the keys of a zone cannot be read",
        "signing.md, What to do when",
    ),
    (
        "commit-failed",
        "error",
        "a new version could not be written to disk, so it is not served",
        "see to the free space and health of the disk; it is tried again by itself",
    ),
    (
        "not-confirmed",
        "error",
        "our own sockets did not answer with the new version, so it was taken back",
        "look at the log for the socket that failed, then reload",
    ),
    ("internal", "error", "a fault in gapura", "report it with the log; what is served goes on"),
];

/// Every id that stands in the manual.
pub fn ids() -> impl Iterator<Item = &'static str> {
    let own = OF_SETTINGS.iter().chain(OF_VERSIONS).map(|line| line.0);
    rules().map(|line| line.0).chain(own)
}

/// All findings as tables in Markdown.
pub fn findings_as_tables() -> String {
    let mut text = String::new();
    let head = "| finding | severity | what it means | what to do |\n|---|---|---|---|";
    for (title, lines) in
        [("Settings and machine", OF_SETTINGS), ("New versions of a zone", OF_VERSIONS)]
    {
        append_line!(text, "## {title}\n\n{head}");
        for (id, severity, what, remedy) in lines {
            append_line!(text, "| `{id}` | {severity} | {what} | {remedy} |");
        }
        text.push('\n');
    }
    append_line!(
        text,
        "## Text of zone files\n\n| finding | severity | what it means |\n|---|---|---|"
    );
    for rule in TEXT_RULES {
        append_line!(text, "| `{}` | {} | {} |", rule.id, rule.severity, rule.meaning);
    }
    append_line!(
        text,
        "\n## Content of zones\n\nWhat holds in a good zone, and what to do where it does not.\n\n{head}"
    );
    for (rule, (id, severity, about)) in ZoneRule::ALL.iter().zip(rules().skip(TEXT_RULES.len())) {
        append_line!(text, "| `{id}` | {severity} | {about} | {} |", rule.hint());
    }
    text
}
