//! All metrics: name, kind, labels and help. This is the only place that names them, and the manual's table is generated
//! from it (docs/metrics.md).
//!
//! Label values come from fixed sets and from the settings: never a client, never a queried name. Names of counters are
//! without `_total` here.

/// What a family is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A number that only grows, from the start of the process on.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Counts of values up to each of several bounds.
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

/// The description of a family.
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

/// The group of families that only a build with the queue has.
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

        /// All families, by group, in the order of the output.
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
        RESPONSE_SECONDS Histogram "gapura_response_seconds" [] "Time from reading a query to its response, sampled from one query in 64",
        TRUNCATED Counter "gapura_truncated" [] "Truncated responses (TC)",
        DROPPED Counter "gapura_dropped" ["reason"] "Packets that were dropped without a response, by reason",
        EDNS Counter "gapura_edns" ["kind"] "Queries with EDNS, and of these with DO",
        COOKIES Counter "gapura_cookies" ["result"] "Queries with a DNS cookie, by whether it was valid",
        RRL Counter "gapura_rrl" ["action"] "Responses limited by the rate limit, by what was done instead",
        ACL_DENIED Counter "gapura_acl_denied" ["rule"] "Messages refused because the sender is not permitted, by the rule that refused",
        TSIG_FAILURES Counter "gapura_tsig_failures" ["reason"] "Messages with an invalid TSIG, by reason",
        QUERY_BYTES Counter "gapura_query_bytes" [] "Octets of queries",
        SENT_BYTES Counter "gapura_sent_bytes" [] "Octets of responses",
        SEND_FAILED Counter "gapura_send_failed" [] "Responses that the system failed to send",
        WORKER_PANICS Counter "gapura_worker_panics" [] "Batches lost by a panic of a worker",
        XDP_ATTACHED Gauge "gapura_xdp_attached" ["interface", "mode"] "1 while queries of an interface of server.xdp come over AF_XDP, by mode (native, generic, none), 0 while sockets answer them (none), also after it was removed or got another MAC address",
        XDP_FRAMES Counter "gapura_xdp_frames" ["interface", "result"] "Frames over AF_XDP: received, sent, invalid (a wrong checksum, an impossible source), dropped by the kernel for lack of room",
    }
    "Connections" => {
        CONNECTIONS Gauge "gapura_connections" ["transport"] "Connections open",
        CONNECTIONS_ACCEPTED Counter "gapura_connections_accepted" [] "Connections accepted",
        CONNECTIONS_CLOSED Counter "gapura_connections_closed" ["reason"] "Connections closed, by reason; handshake: a failed TLS handshake",
        LISTENER_RESTARTS Counter "gapura_listener_restarts" [] "Listeners that failed and were restarted",
        CERTIFICATE_EXPIRY Gauge "gapura_certificate_expiry_timestamp_seconds" ["table"] "When the certificate of a settings table expires",
    }
    "Zones" => {
        ZONE_SERIAL Gauge "gapura_zone_serial" ["zone"] "Serial that is served; absent while the zone is not served",
        ZONE_FILE_SERIAL Gauge "gapura_zone_file_serial" ["zone"] "Serial of the file when last read, accepted or not",
        ZONE_RECORDS Gauge "gapura_zone_records" ["zone"] "Records served",
        ZONE_NAMES Gauge "gapura_zone_names" ["zone"] "Names served",
        ZONE_PROMOTED Gauge "gapura_zone_promoted_records" ["zone"] "RRsets and masks from requests and updates",
        ZONE_CHANGED Gauge "gapura_zone_changed_timestamp_seconds" ["zone"] "When the zone last changed",
        ZONE_LOADED Gauge "gapura_zone_loaded" ["zone"] "1 while the zone is served, 0 while its queries get SERVFAIL",
        ZONE_RELOAD_FAILED Gauge "gapura_zone_reload_failed" ["zone"] "1 while the file on disk, or the version a primary sent, is refused",
        ZONE_STALE Gauge "gapura_zone_stale" ["zone"] "1 while the zone is served from the database because its file was refused at the start",
        ZONE_EXPIRE Gauge "gapura_zone_expire_seconds" ["zone"] "How long a secondary zone is still served without a refresh",
        JOURNAL_BYTES Gauge "gapura_journal_bytes" ["zone"] "Octets of the changes kept for IXFR and history",
        RELOAD Counter "gapura_reload" ["zone", "result", "guard"] "Reloads of a zone's file, by result and, if refused, by the guard that refused",
        RELOAD_SECONDS Histogram "gapura_reload_seconds" [] "Time from reading a zone's file to the result",
        CHANGES Counter "gapura_changes" ["zone", "cause"] "Changes of a zone, by cause",
        PUBLISH_SECONDS Histogram "gapura_publish_seconds" ["stage"] "Time a change took to be prepared, committed, and confirmed on our own sockets",
    }
    "Other name servers" => {
        NOTIFY Counter "gapura_notify" ["peer", "result"] "NOTIFYs sent to secondaries, by result",
        TRANSFER Counter "gapura_transfer" ["peer", "kind", "result"] "Outgoing transfers over TCP and TLS, by kind and result",
        TRANSFER_IN Counter "gapura_transfer_in" ["zone", "kind", "result"] "Incoming transfers from primaries, by kind and result",
        SECONDARY_SERIAL Gauge "gapura_secondary_serial" ["zone", "peer"] "Serial in the last answer of a secondary",
        SECONDARY_BEHIND Gauge "gapura_secondary_behind_seconds" ["zone", "peer"] "How long a secondary has been behind what is served here; 0 while it is not",
    }
    "Signing" => {
        SIGNATURE_EXPIRY Gauge "gapura_signature_expiry_timestamp_seconds" ["zone"] "When the first signature of a signed zone expires",
        KEY_STATE Gauge "gapura_key_state" ["zone", "tag", "role", "state"] "1 for the state that a key is in",
        SIGNING_KEYS Gauge "gapura_signing_keys" ["zone", "role", "state"] "Keys that gapura signs zones with, by role and state",
        DS_SEEN Gauge "gapura_ds_seen" ["zone", "tag"] "1 while all servers of the parent have the expected DS of a key, 0 while one lacks it or does not answer",
        SIGNING_ALARM Gauge "gapura_signing_alarm" ["zone", "alarm"] "1 while something is wrong with the signing of a zone, or waits for a person",
    }
    "Logs of queries" => {
        QUERY_LOG_LINES Counter "gapura_query_log_lines" ["result"] "Lines of the query log, written or lost",
        DNSTAP_FRAMES Counter "gapura_dnstap_frames" ["result"] "Messages for dnstap, written or lost",
    }
    QUEUE => {
        REQUESTS Gauge "gapura_requests" ["state"] "Requests, by state",
        REQUEST_OLDEST Gauge "gapura_request_oldest_seconds" ["state"] "Age of the oldest request in an open state",
        REQUESTS_LATE Gauge "gapura_requests_late" [] "Requests whose current step is past its due time",
        NAMES Gauge "gapura_names" ["state"] "Requested names, by state",
        TARGETS Gauge "gapura_targets" ["seen"] "Live names whose targets are watched, by what was seen last",
        NOTICES Gauge "gapura_notices" ["state"] "Mails and printed letters, by state",
        NOTICE_OLDEST Gauge "gapura_notice_oldest_seconds" ["state"] "Age of the oldest notice in a state",
        PAPERS_WAITING Gauge "gapura_papers_waiting" [] "Papers that are not rendered yet",
        PAPER_TRIES Gauge "gapura_paper_tries" [] "Most attempts at rendering any of them",
        WEBHOOK_WAITING Gauge "gapura_webhook_waiting" ["webhook"] "Events that wait for a webhook, 1000 at most",
        WEBHOOK_FAILING Gauge "gapura_webhook_failing" ["webhook"] "1 while a webhook fails or is stopped",
        WEBHOOK_DELIVERED Counter "gapura_webhook_delivered" ["webhook"] "Events delivered to a webhook",
        WEBHOOK_GIVEN_UP Counter "gapura_webhook_given_up" ["webhook"] "Events that were given up and not delivered to a webhook",
        AUDIT_ANCHOR Gauge "gapura_audit_anchor_timestamp_seconds" ["zone"] "Time of the checkpoint of the event chain that a zone publishes",
        AUDIT_CHECKPOINT Gauge "gapura_audit_checkpoint_timestamp_seconds" [] "Time of the last checkpoint of the event chain",
        QUEUE_OPEN Gauge "gapura_queue_open" [] "1 while the queue is open, here or at the node that this one passes requests on to; 0 while it is closed, or that node is not reached, and every page says so",
    }
    "Nodes" => {
        NODE_PUBLISHES Gauge "gapura_node_publishes" [] "1 while this node publishes, as one alone always does; 0 while it follows another one",
        NODE_PAGES_REACHED Gauge "gapura_node_pages_reached" [] "1 while the pages of the node that publishes are reached from this one; on that node 0 while it has no node.url for others; 1 where there is one node",
        NODE_LAG Gauge "gapura_node_lag_seconds" [] "For how long this node has not looked at all that was committed; 0 on the node that publishes",
    }
    "The program and its machine" => {
        FAULTS Gauge "gapura_faults" [] "Faults listed by ctl status, without its warnings",
        BACKUP Gauge "gapura_backup_timestamp_seconds" [] "When gapura db backup last made a file, in seconds since 1970; 0 if unknown",
        BUILD_INFO Gauge "gapura_build_info" ["version", "commit"] "1, with the version that runs",
        START_TIME Gauge "gapura_start_time_seconds" [] "When gapura started",
        STATE_DISK_FREE Gauge "gapura_state_disk_free_bytes" [] "Space available to gapura on the disk of the state directory",
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
    /// The name of its samples: that of a counter with `_total`.
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
