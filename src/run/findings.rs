//! The manual's list of findings, except the rules of zone files, which `check` documents itself.
//!
//! The message of a finding describes one case. This table says what the finding means in general and what to do.
//! A test (`tests/it/manual`) compares its ids with those in the code.

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
        "name it with --config; correct its permissions",
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
        "the message says what is allowed; reference/settings.md has every key",
    ),
    (
        "settings-risk",
        "warning",
        "a setting that works but is probably a mistake, such as a key that can be guessed",
        "follow the message, or leave it if it is intended",
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
        "`ss -lntup` shows which: stop it, or choose another address or port",
    ),
    (
        "listen-address",
        "error; a warning for IPv6 where there is none",
        "an address that this machine does not have",
        "correct it; if it comes up later (keepalived), set server.freebind",
    ),
    (
        "xdp-interface",
        "warning",
        "an interface of `server.xdp` that cannot be used: sockets answer",
        "the message says why: correct the name, bring the interface up, or take it out",
    ),
    (
        "certificate",
        "error",
        "a certificate, its key or an authority is missing, unreadable, or does not match",
        "correct the named file: until then there is no TLS or QUIC; everything else works",
    ),
    (
        "certificate-time",
        "error if it has expired or is not valid yet, else a warning",
        "a certificate is not valid, or ends soon",
        "replace it: a running gapura picks up the new one automatically",
    ),
    (
        "rule-never-met",
        "warning",
        "a remote may transfer a zone over TLS only, but there is no TLS listener",
        "add a [tls] table, or remove tls from the remote",
    ),
    (
        "notify-without-transfer",
        "warning",
        "a remote is notified of changes but may not transfer the zone",
        "add it to `transfer` of the zone",
    ),
    (
        "query-log",
        "error",
        "the query log or the dnstap file cannot be written",
        "create the directory, owned by the user gapura runs as; zones are answered without it",
    ),
    (
        "state-dir",
        "error",
        "the state directory is not a directory, or cannot be written",
        "it must belong to the user gapura runs as",
    ),
    (
        "database",
        "error",
        "the database is missing although files that belong to it exist, is damaged, of a later version, or unreadable",
        "restore it from a backup; zones are answered, the queue stays closed",
    ),
    (
        "key",
        "error",
        "a key of the queue is missing, or does not match the database",
        "restore it from the same backup as the database",
    ),
    (
        "signing-key",
        "error",
        "a private key of a signed zone is missing, readable by others, or not the one that its DNSKEY names",
        "signing.md, What to do when",
    ),
    (
        "signed-elsewhere",
        "warning",
        "gapura should sign a zone whose file is signed by keys it does not have",
        "import the keys first: signing.md, Keys from elsewhere",
    ),
];

/// Findings about a new version of a zone: a reload, an edit, a transfer.
const OF_VERSIONS: &[Line] = &[
    (
        "file-unreadable",
        "error",
        "a zone file cannot be read",
        "check the path and its permissions; the served version stays",
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
        "parts of a zone file were never written: a copy was interrupted, or a disk was full",
        "copy it again",
    ),
    (
        "no-final-newline",
        "error",
        "the last line of a file is not terminated: the file may be truncated",
        "if it is complete, end it with `echo >> FILE`",
    ),
    (
        "marker-lost",
        "error",
        "the file used to end with the end marker and no longer does: it may be truncated",
        "put `; gapura: end of zone` back; or `gapura ctl reload ZONE --force`",
    ),
    (
        "zonemd-lost",
        "error",
        "the zone had a ZONEMD record and no longer has one: the file may be truncated",
        "put it back; or `gapura ctl reload ZONE --force`",
    ),
    (
        "zone-shrinks",
        "error",
        "the new version has far fewer records than the one that is served",
        "look at `gapura zone diff ZONE`; if it is intended: `gapura ctl reload ZONE --force`",
    ),
    (
        "file-rolled-back",
        "warning",
        "the zone was rolled back, and the file still has the content that was rolled back",
        "correct the file; or `gapura ctl reload ZONE --force`",
    ),
    (
        "file-of-another-node",
        "warning",
        "another node published the zone from a file that differs from the one on this node, which publishes now",
        "copy the file from there; to publish from this one, edit it; or `gapura ctl reload ZONE --force`",
    ),
    (
        "not-followed",
        "error",
        "this node cannot serve what the node that publishes has committed of a zone",
        "look at the log of the node that publishes; the version that is served stays",
    ),
    (
        "not-enough-memory",
        "error",
        "there is not enough memory for another version of the zone",
        "give the machine or the service more; the served version stays",
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
        "a zone that was served is no longer in the settings, or its file is no longer in zone_dir",
        "put it back; to remove it: `gapura ctl reload ZONE --force`",
    ),
    (
        "zone-dir-unreadable",
        "error",
        "the directory of zone files cannot be read: a disk is not mounted",
        "mount it, or correct the path or its permissions; zones stay in service",
    ),
    (
        "zone-file-name",
        "error",
        "a file in zone_dir has a name that is not a domain name",
        "rename it to NAME.zone, or move it elsewhere",
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
        "correct that zone, or take this one out of the list",
    ),
    (
        "serial-not-raised",
        "warning",
        "the file changed but its serial did not",
        "nothing: gapura chose the next one",
    ),
    (
        "serial-backwards",
        "warning",
        "the serial of a file or primary is lower than the one before",
        "nothing, if it is intended; secondaries follow gapura's serial",
    ),
    (
        "serial-used",
        "warning",
        "the file's serial was used before for other content",
        "nothing: gapura chose the next one",
    ),
    (
        "serial-far-ahead",
        "warning",
        "a serial is more than 2^30 ahead: secondaries cannot go back (RFC 1982)",
        "if it is a mistake, correct it before secondaries have it",
    ),
    (
        "serial-from-future",
        "warning",
        "a date-based serial is far in the future",
        "nothing: later serials continue above it",
    ),
    (
        "serial-clock-doubted",
        "warning",
        "a serial should be derived from the time, but the clock is in doubt",
        "set the clock, then `gapura ctl clock`",
    ),
    (
        "serial-restored",
        "warning",
        "the database is older than the zone that was served last: the serial was raised above it",
        "nothing, if secondaries have the live serial; else `gapura zone serial ZONE --floor SERIAL`",
    ),
    (
        "presigned-serial",
        "error",
        "a zone that was signed elsewhere changed but its serial did not increase",
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
        "the zone was signed elsewhere, and its new file is unsigned",
        "sign it; or have the DS removed first, then `gapura ctl reload ZONE --force`",
    ),
    (
        "signature-future",
        "error",
        "signatures begin in the future: a clock is wrong",
        "correct the clock of this machine or of the signer",
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
        "the file's ZONEMD does not match the served content, so it is omitted",
        "let gapura generate it: zonemd = true",
    ),
    (
        "zonemd-presigned",
        "warning",
        "zonemd = true has no effect in a zone that was signed elsewhere",
        "let its signer make it, or let gapura sign the zone",
    ),
    (
        "promoted-clash",
        "error",
        "a promoted record and the file conflict at the same name",
        "take it out of the file, or remove it by request",
    ),
    ("edit-twice", "error", "an edit contains the same RRset twice", "send it once"),
    (
        "edit-type",
        "error",
        "an edit contains a type that the server manages itself",
        "omit SOA, DNSSEC and other such types",
    ),
    (
        "edit-occluded",
        "error",
        "an edit is below a delegation, where it would never be answered",
        "make it on the servers of the child zone",
    ),
    (
        "held-by-update",
        "warning",
        "at this name the records from updates (RFC 2136) are served, not those of the file",
        "`gapura zone adopt ZONE NAME` lets the file win",
    ),
    (
        "catalog-broken",
        "error",
        "a catalog zone is invalid (RFC 9432)",
        "correct it at its primary; its members stay in service",
    ),
    (
        "catalog-shrinks",
        "error",
        "a catalog zone has lost most of its members",
        "check it; if it is intended: `gapura ctl reload ZONE --force`",
    ),
    ("catalog-too-large", "error", "a catalog zone has too many members", "split it"),
    (
        "catalog-clash",
        "warning",
        "a member of a catalog is a zone of the settings, or of another catalog",
        "remove it from one of them",
    ),
    (
        "no-copy",
        "error",
        "while the database on a server is away: what was served of the zone cannot be read either, so it is not served",
        "see to the database; the zone comes back with it",
    ),
    (
        "database-restored",
        "warning",
        "the database file was replaced: a backup was restored by hand",
        "check serials and keys: operation.md, Backup",
    ),
    (
        "keys-restored",
        "warning",
        "the copy of the key state beside the database is newer, and is used",
        "nothing; `gapura key list ZONE` shows them",
    ),
    (
        "keys-unreadable",
        "error",
        "the stored key state of a zone cannot be read",
        "signing.md, What to do when",
    ),
    (
        "commit-failed",
        "error",
        "a new version could not be written to disk, so it is not served",
        "check the free space and health of the disk; it is retried automatically",
    ),
    (
        "not-confirmed",
        "error",
        "our own sockets did not answer with the new version, so it was reverted",
        "find the socket that failed in the log, then reload",
    ),
    ("internal", "error", "a bug in gapura", "report it with the log; the served version stays"),
];

/// Every id in the manual.
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
