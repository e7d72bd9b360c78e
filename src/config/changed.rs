//! Which keys differ between two readings of the settings.

use serde_json::Value;

use super::Settings;

/// The keys that differ, as `server.listen`; a table that is there in one only is named as a whole.
pub fn changed(one: &Settings, other: &Settings) -> Vec<String> {
    let mut keys = Vec::new();
    // Settings are plain data: they always have a JSON form.
    let json = |settings| serde_json::to_value(settings).unwrap_or_default();
    compare("", &json(one), &json(other), &mut keys);
    keys
}

/// Notes the keys that differ below a key.
fn compare(key: &str, one: &Value, other: &Value, keys: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                let below = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                compare(&below, value, other.get(name).unwrap_or(&Value::Null), keys);
            }
        }
        (one, other) if one == other => {}
        _ => keys.push(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_differs_is_named() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let before = read("[server]\nnsid = \"a\"\n[query_log]\nfile = \"q\"\n");
        let after = read(
            "[server]\nnsid = \"b\"\nlisten = []\n[tls]\nlisten = []\ncert = \"c\"\nkey = \"k\"\n\
             [query_log]\nfile = \"q\"\nsample = 5\n[[zone]]\nname = \"a.\"\nfile = \"f\"\n",
        );
        let mut keys = changed(&before, &after);
        keys.sort();
        assert_eq!(keys, ["query_log.sample", "server.listen", "server.nsid", "tls", "zone"]);
        assert!(changed(&after, &after).is_empty());
    }
}
