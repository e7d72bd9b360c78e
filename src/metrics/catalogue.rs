//! The list of all metrics: name, kind, labels, help. What a family is called stands here and nowhere else, and the
//! manual's table is made of it (docs/metrics.md).
//!
//! Labels come from fixed sets and from the settings: never a client, never a queried name. A counter's name is without
//! `_total` here.

/// What a family is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A number that only grows, from the start of the process on.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// How many values were up to each of some bounds.
    Histogram,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What there is to know of a family besides its values.
#[derive(Debug)]
pub struct Described {
    /// Its name; that of a counter without `_total`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

/// The group of what only a gapura with the queue has.
const QUEUE: &str = "The queue";

/// A static for each family, and the list of all by group.
macro_rules! families {
    ($($group:expr => { $($id:ident $kind:ident $name:literal [$($label:literal),*] $help:literal,)* })*) => {
        $($(
            #[doc = $help]
            pub static $id: Described = Described {
                name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help,
            };
        )*)*

        /// All families, by group, in the order in which they are told.
        pub static GROUPS: &[(&str, &[&Described])] = &[$(($group, &[$(&$id),*])),*];
    };
}

families! {
    "Queries and responses" => {
        QUERIES Counter "gapura_queries" ["transport", "family", "opcode"] "Queries, by transport, address family and operation code",
        QUERY_TYPES Counter "gapura_query_types" ["qtype"] "Queries, by type",
        ZONE_QUERIES Counter "gapura_zone_queries" ["zone"] "Queries answered from a zone; zones beyond some thousand count as other",
        RESPONSES Counter "gapura_responses" ["rcode"] "Responses, by response code",
        RESPONSE_BYTES Histogram "gapura_response_bytes" [] "Size of responses in octets, a transfer as a whole",
        RESPONSE_SECONDS Histogram "gapura_response_seconds" [] "Time from the reading of a query to its response, of one query in 64",
        TRUNCATED Counter "gapura_truncated" [] "Responses that were cut (TC)",
        DROPPED Counter "gapura_dropped" ["reason"] "Packets that got silence, by reason",
        EDNS Counter "gapura_edns" ["kind"] "Queries with EDNS, and of these with DO",
        COOKIES Counter "gapura_cookies" ["result"] "Queries with a DNS cookie, by what it was worth",
        RRL Counter "gapura_rrl" ["action"] "Responses that the rate limit held back, by what became of them",
        ACL_DENIED Counter "gapura_acl_denied" ["rule"] "Messages refused because nobody lets the sender, by the rule it failed",
        TSIG_FAILURES Counter "gapura_tsig_failures" ["reason"] "Messages whose TSIG is not good, by reason",
        QUERY_BYTES Counter "gapura_query_bytes" [] "Octets of queries",
        SENT_BYTES Counter "gapura_sent_bytes" [] "Octets of responses",
        SEND_FAILED Counter "gapura_send_failed" [] "Responses that the system would not send",
        WORKER_PANICS Counter "gapura_worker_panics" [] "Batches lost by a panic of a worker",
    }
    "Connections" => {
        CONNECTIONS Gauge "gapura_connections" ["transport"] "Connections open",
        CONNECTIONS_ACCEPTED Counter "gapura_connections_accepted" [] "Connections accepted",
        CONNECTIONS_CLOSED Counter "gapura_connections_closed" ["reason"] "Connections closed, by reason; handshake is a failed one of TLS",
        LISTENER_RESTARTS Counter "gapura_listener_restarts" [] "Listeners that ended by themselves and were started again",
        CERTIFICATE_EXPIRY Gauge "gapura_certificate_expiry_timestamp_seconds" ["table"] "When the certificate of a table of the settings ends",
    }
    "Zones" => {
        ZONE_SERIAL Gauge "gapura_zone_serial" ["zone"] "Serial that is served; none while the zone is not",
        ZONE_FILE_SERIAL Gauge "gapura_zone_file_serial" ["zone"] "Serial of the file as read last, accepted or not",
        ZONE_RECORDS Gauge "gapura_zone_records" ["zone"] "Records served",
        ZONE_NAMES Gauge "gapura_zone_names" ["zone"] "Names served",
        ZONE_PROMOTED Gauge "gapura_zone_promoted_records" ["zone"] "RRsets and masks that requests and updates put up",
        ZONE_CHANGED Gauge "gapura_zone_changed_timestamp_seconds" ["zone"] "When the zone changed last",
        ZONE_LOADED Gauge "gapura_zone_loaded" ["zone"] "1 while the zone is answered from, 0 while its queries get SERVFAIL",
        ZONE_RELOAD_FAILED Gauge "gapura_zone_reload_failed" ["zone"] "1 while the file on disk, or what a primary sent, is refused",
        ZONE_STALE Gauge "gapura_zone_stale" ["zone"] "1 while the zone is served from the database because its file was refused at the start",
        ZONE_EXPIRE Gauge "gapura_zone_expire_seconds" ["zone"] "How long a secondary zone is still served without a refresh",
        JOURNAL_BYTES Gauge "gapura_journal_bytes" ["zone"] "Octets of the changes kept for IXFR and history",
        RELOAD Counter "gapura_reload" ["zone", "result", "guard"] "Looks at a zone's file, by what came of them and, if refused, by what refused",
        RELOAD_SECONDS Histogram "gapura_reload_seconds" [] "Time from the reading of a zone's file to its result",
        CHANGES Counter "gapura_changes" ["zone", "cause"] "Changes of a zone, by what made them",
        PUBLISH_SECONDS Histogram "gapura_publish_seconds" ["stage"] "Time that a change took to be prepared, committed, and confirmed by our own sockets",
    }
    "Other name servers" => {
        NOTIFY Counter "gapura_notify" ["peer", "result"] "NOTIFYs sent to secondaries, by result",
        TRANSFER Counter "gapura_transfer" ["peer", "kind", "result"] "Transfers sent over TCP and TLS, by kind and result",
        TRANSFER_IN Counter "gapura_transfer_in" ["zone", "kind", "result"] "Transfers asked for from primaries, by kind and result",
        SECONDARY_SERIAL Gauge "gapura_secondary_serial" ["zone", "peer"] "Serial that a secondary answered last",
        SECONDARY_BEHIND Gauge "gapura_secondary_behind_seconds" ["zone", "peer"] "How long a secondary has lacked what is served here; 0 while it has it",
    }
    "Signing" => {
        SIGNATURE_EXPIRY Gauge "gapura_signature_expiry_timestamp_seconds" ["zone"] "When the first signature of a signed zone ends",
        KEY_STATE Gauge "gapura_key_state" ["zone", "tag", "role", "state"] "1 for the state that a key is in",
        SIGNING_KEYS Gauge "gapura_signing_keys" ["zone", "role", "state"] "Keys that gapura signs zones with, by role and state",
        DS_SEEN Gauge "gapura_ds_seen" ["zone", "tag"] "1 while all servers of the parent have the DS of a key that it should have, 0 while one does not or was not heard",
        SIGNING_ALARM Gauge "gapura_signing_alarm" ["zone", "alarm"] "1 while something is wrong with the signing of a zone, or waits for a person",
    }
    "Logs of queries" => {
        QUERY_LOG_LINES Counter "gapura_query_log_lines" ["result"] "Lines of the query log, by what became of them",
        DNSTAP_FRAMES Counter "gapura_dnstap_frames" ["result"] "Messages for dnstap, by what became of them",
    }
    QUEUE => {
        REQUESTS Gauge "gapura_requests" ["state"] "Requests, by state",
        REQUEST_OLDEST Gauge "gapura_request_oldest_seconds" ["state"] "How long the first of an open state has been in it",
        REQUESTS_LATE Gauge "gapura_requests_late" [] "Requests whose running step is past its due time",
        NAMES Gauge "gapura_names" ["state"] "Names that somebody asked for, by state",
        TARGETS Gauge "gapura_targets" ["seen"] "Live names whose targets are watched, by what is seen",
        NOTICES Gauge "gapura_notices" ["state"] "Mails and printed letters, by state",
        NOTICE_OLDEST Gauge "gapura_notice_oldest_seconds" ["state"] "How long the first of a state has waited",
        PAPERS_WAITING Gauge "gapura_papers_waiting" [] "Papers whose file is still to be made",
        PAPER_TRIES Gauge "gapura_paper_tries" [] "How often the worst of them was tried",
        WEBHOOK_WAITING Gauge "gapura_webhook_waiting" ["webhook"] "Events that wait for a webhook, 1000 at most",
        WEBHOOK_FAILING Gauge "gapura_webhook_failing" ["webhook"] "1 while a webhook fails or is stopped",
        WEBHOOK_DELIVERED Counter "gapura_webhook_delivered" ["webhook"] "Events told to a webhook",
        WEBHOOK_GIVEN_UP Counter "gapura_webhook_given_up" ["webhook"] "Events that a webhook was not told",
        AUDIT_ANCHOR Gauge "gapura_audit_anchor_timestamp_seconds" ["zone"] "Time of the checkpoint of the event chain that a zone publishes",
        AUDIT_CHECKPOINT Gauge "gapura_audit_checkpoint_timestamp_seconds" [] "Time of the last checkpoint of the event chain",
        QUEUE_OPEN Gauge "gapura_queue_open" [] "1 while the queue is open, 0 while every page says why it is closed",
    }
    "The program and its machine" => {
        FAULTS Gauge "gapura_faults" [] "What ctl status says should be mended, without its warnings",
        BACKUP Gauge "gapura_backup_timestamp_seconds" [] "When gapura db backup last made a file, seconds since 1970; 0: not known",
        BUILD_INFO Gauge "gapura_build_info" ["version", "commit"] "1, with the version that runs",
        START_TIME Gauge "gapura_start_time_seconds" [] "When gapura started",
        STATE_DISK_FREE Gauge "gapura_state_disk_free_bytes" [] "Room that gapura may use on the disk of the state directory",
        STATE_DISK_SIZE Gauge "gapura_state_disk_size_bytes" [] "Size of that disk",
        PROCESS_START Gauge "process_start_time_seconds" [] "When the process started",
        PROCESS_CPU Counter "process_cpu_seconds" [] "Processor time used",
        PROCESS_RSS Gauge "process_resident_memory_bytes" [] "Memory in use",
        PROCESS_VIRTUAL Gauge "process_virtual_memory_bytes" [] "Address space in use",
        PROCESS_THREADS Gauge "process_threads" [] "Threads",
        PROCESS_FDS Gauge "process_open_fds" [] "Open files",
        PROCESS_FDS_MAX Gauge "process_max_fds" [] "Files that may be open",
    }
}

impl Described {
    /// Its name where a counter has `_total`.
    pub fn sample_name(&self) -> String {
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{total}", self.name)
    }
}

/// The families of this build, in their order.
pub fn all() -> impl Iterator<Item = &'static Described> {
    let here = GROUPS.iter().filter(|(group, _)| cfg!(feature = "approval") || *group != QUEUE);
    here.flat_map(|(_, families)| families.iter().copied())
}

/// The manual's tables, one for each group.
pub fn as_tables() -> String {
    let mut text = String::new();
    for (group, families) in GROUPS {
        text.push_str(&format!("### {group}\n\n| metric | kind | what |\n|---|---|---|\n"));
        for family in *families {
            let labels = family.labels.join(",");
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let (name, kind) = (family.sample_name(), family.kind.word());
            text.push_str(&format!("| `{name}{labels}` | {kind} | {} |\n", family.help));
        }
        text.push('\n');
    }
    text
}
