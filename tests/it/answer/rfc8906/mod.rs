//! RFC 8906 §8, every case, over UDP and TCP alike. The test's path is the RFC's path.

mod section_8_1;
mod section_8_2;

use gapura::answer::{Identity, Transport};

use crate::answer::engine::{Engine, Query, Reply, zone};

/// Asks one query over UDP and over TCP.
pub(crate) fn both(query: &Query) -> [Reply; 2] {
    [Transport::Udp, Transport::Tcp].map(|transport| {
        let lines = "@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n\
                     large TXT \"0123456789012345678901234567890123456789012345678901234567890123\"";
        let many = (0..30).map(|n| format!("large TXT \"{}{n}\"", "0".repeat(60)));
        let many: Vec<String> = many.collect();
        let lines = lines.lines().chain(many.iter().map(String::as_str));
        let identity = Identity { nsid: b"gapura".to_vec(), ..Identity::default() };
        Engine::with_identity([zone("example.", lines)], identity).over(transport).ask(query)
    })
}
