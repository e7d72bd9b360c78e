//! `[node]`: this gapura among others on one database.

use super::OptionError;
use crate::config::Settings;
use crate::store::nodes::Node;

/// Longest name.
const NAME_MAX: usize = 64;

/// This node; for settings that were judged.
pub(super) fn node(settings: &Settings) -> Result<Node, OptionError> {
    let set = &settings.node;
    let name = match set.name.as_str() {
        "" => host_name(),
        name if name.len() > NAME_MAX || name.chars().any(char::is_control) => {
            let reason = format!("it has up to {NAME_MAX} characters in one line");
            return Err(OptionError::Node { key: "node.name", reason });
        }
        name => name.to_owned(),
    };
    let url = set.url.trim_end_matches('/');
    let place = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let is_good = |place: &str| !place.is_empty() && !place.contains(['/', '?', '#', ' ', '@']);
    match place {
        _ if url.is_empty() => Ok(Node { name, url: None }),
        Some(place) if is_good(place) => Ok(Node { name, url: Some(url.to_owned()) }),
        _ => {
            let reason =
                "write it as http://192.0.2.2:8053 or https://host, without a path".to_owned();
            Err(OptionError::Node { key: "node.url", reason })
        }
    }
}

/// The name of the host.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "gapura".to_owned(),
        name => name.to_owned(),
    }
}

/// What is wrong.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let key = |error: &OptionError| match error {
        OptionError::Node { key, .. } => (*key).to_owned(),
        _ => "node".to_owned(),
    };
    node(settings).err().map(|error| (key(&error), error)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_and_reached_as_the_settings_say() {
        let of = |name: &str, url: &str| {
            let mut settings = Settings::default();
            (settings.node.name, settings.node.url) = (name.to_owned(), url.to_owned());
            node(&settings).map_err(|error| error.to_string())
        };
        let url = |text: &str| of("satu", text).map(|node| node.url);
        assert_eq!(url(""), Ok(None));
        for good in ["http://192.0.2.2:8053", "https://satu.example"] {
            assert_eq!(url(good), Ok(Some(good.to_owned())));
            assert_eq!(url(&format!("{good}/")), Ok(Some(good.to_owned())));
        }
        for bad in ["192.0.2.2", "http://", "https://satu/jalan", "ftp://satu", "http://a@b"] {
            assert!(url(bad).unwrap_err().starts_with("node.url: write it as"), "{bad}");
        }
        assert!(!of("", "").unwrap().name.is_empty(), "the name of the host");
        assert!(of("dua\nbaris", "").unwrap_err().starts_with("node.name: "));
    }
}
