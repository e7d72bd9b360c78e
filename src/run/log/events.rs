//! Named events: what programs can match on, independent of the wording of a message.
//!
//! A log line carries the name in the field `event`. In the journal it also has the event's MESSAGE_ID, so that
//! `journalctl MESSAGE_ID=…` finds all lines of one event. Names and ids never change; new ones may be added.

/// The events: name, MESSAGE_ID, what happened.
pub const EVENTS: [(&str, &str, &str); 24] = [
    ("ready", "3f747b2e682b45dca1e37cfdc8bd8994", "everything has started"),
    ("stopping", "c476b556f2984b25ba994efd88f0591c", "a signal asked for a stop"),
    ("stopped", "ee4c3ade30254d0082a5f9e6db8d94af", "everything was written and closed"),
    ("settings_reloaded", "1f704a6990624210bc0862aff9744482", "the settings were read again"),
    (
        "settings_refused",
        "4206c2475cdc4f108a82b56d41e48a36",
        "the settings have a fault; nothing changed",
    ),
    ("zone_live", "86fe64a708284bf6a32233ec58030fe5", "a zone was loaded or changed by its file"),
    (
        "zone_unchanged",
        "f9eab71179d840d7b5d9ed1f4dbd7cc1",
        "a zone's file was read, and its content is already served",
    ),
    (
        "zone_refused",
        "8530ae7e1e5a4c7e8a6fb550c71bcb6b",
        "a zone's file is refused; `findings` say why",
    ),
    ("zone_removed", "04ac5e9de4f74b45af7cf4a5fa3722b5", "a zone is no longer served"),
    ("zone_expired", "b29c16c87f384e8db6d2af2b455293eb", "a secondary zone has expired"),
    (
        "primary_lost",
        "c4bce24825114a9ab3388c03db04cfec",
        "no primary of a secondary zone is usable",
    ),
    ("primary_back", "14821bb8ae9d4661972e4eec7181e89e", "a primary answers again"),
    (
        "secondary_lost",
        "a75d789b98274192884db0ea2d74af5f",
        "a secondary cannot be notified or queried",
    ),
    ("secondary_back", "e51ad41b586043078d2718bf17747a6a", "a secondary answers again"),
    ("transfer", "55ee0ebe8f09402d98d2147c416f0c23", "a zone was transferred to a secondary"),
    (
        "refused",
        "29b08be0ca4b4d14aab62bb24513e7f5",
        "a transfer, NOTIFY, UPDATE or signed query was refused",
    ),
    (
        "signing_trouble",
        "d88c2a7787784ac38fa1d51956250337",
        "something is wrong with the signing of a zone, or waits for a person",
    ),
    ("signing_over", "bcb4076750f849f7bbda8ab588e02f57", "that problem is resolved"),
    (
        "query_log_losing",
        "4148cec9e79a418a8de675eca91d8ea7",
        "the query log or dnstap begins to lose entries",
    ),
    ("query_log_whole", "e18639ab051644449db643934642ad00", "it writes all entries again"),
    (
        "worker_panic",
        "45eb0f834c0143009bf24fe92e520aa9",
        "a worker lost a batch of queries because of a bug in gapura",
    ),
    (
        "xdp_attached",
        "55d79a8104394345b3195d3be8bc3d33",
        "queries of an interface come over AF_XDP",
    ),
    (
        "xdp_failed",
        "28665fc4dbde4d8d8899386adc237d79",
        "an interface of server.xdp cannot be used; sockets answer",
    ),
    (
        "logs_reopened",
        "16f5cea068eb4b73bdd8a12b6565cd31",
        "the files of query log and dnstap were reopened",
    ),
];

/// The MESSAGE_ID of an event.
pub(super) fn message_id(event: &str) -> Option<&'static str> {
    EVENTS.iter().find(|(name, ..)| *name == event).map(|(_, id, _)| *id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Names that the code gives to events, in the files of a folder and below.
    fn named(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let starts = text.split("event = \"").skip(1);
            found.extend(starts.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }

    #[test]
    fn every_event_is_named_in_the_code_and_has_an_id_of_its_own() {
        let mut found = BTreeSet::new();
        named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        // This file has the text that is looked for.
        found.retain(|name| !name.contains('\\'));
        let known: BTreeSet<String> = EVENTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(found, known);
        let ids: BTreeSet<&str> = EVENTS.iter().map(|(_, id, _)| *id).collect();
        assert_eq!(ids.len(), EVENTS.len());
        let is_id = |id: &&str| id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_hexdigit());
        assert!(ids.iter().all(is_id));
        assert_eq!(message_id("ready"), Some(EVENTS[0].1));
        assert_eq!(message_id("nothing"), None);
    }
}
