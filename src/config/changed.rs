//! Which keys differ between two readings of the settings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Settings;

/// The keys that differ, as `server.listen`; a table that is there in one only is named as a whole. Of a
/// `[[zone]]` that is there in both they are named as `zone[example.].transfer`, but for its file; `zone`
/// stands for those that came or went.
pub fn changed(one: &Settings, other: &Settings) -> Vec<String> {
    let mut keys = Vec::new();
    // Settings are plain data: they always have a JSON form.
    let json = |settings| serde_json::to_value(settings).unwrap_or_default();
    let (mut one, mut other) = (json(one), json(other));
    let zones = [take_zones(&mut one), take_zones(&mut other)];
    compare("", &one, &other, &mut keys);
    compare_zones(&zones, &mut keys);
    keys
}

/// Takes the zones out of settings, by apex.
fn take_zones(settings: &mut Value) -> BTreeMap<String, Value> {
    let zones = settings.as_object_mut().and_then(|tables| tables.remove("zone"));
    let Some(Value::Array(zones)) = zones else { return BTreeMap::new() };
    let by_apex = |mut zone: Value| {
        let name = zone.as_object_mut()?.remove("name")?;
        let name = name.as_str()?.trim_end_matches('.').to_ascii_lowercase();
        Some((format!("{name}."), zone))
    };
    zones.into_iter().filter_map(by_apex).collect()
}

/// Notes the keys of zones that differ.
fn compare_zones([one, other]: &[BTreeMap<String, Value>; 2], keys: &mut Vec<String>) {
    if !one.keys().eq(other.keys()) {
        keys.push("zone".to_owned());
    }
    for (apex, zone) in one {
        let Some(theirs) = other.get(apex) else { continue };
        let zone_key = format!("zone[{apex}]");
        let file = format!("{zone_key}.file");
        let from = keys.len();
        compare(&zone_key, zone, theirs, keys);
        // What became of a file is told with the zone.
        if let Some(at) = keys.iter().skip(from).position(|key| *key == file) {
            keys.remove(from + at);
        }
    }
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

    #[test]
    fn a_key_of_a_zone_is_named_with_its_zone() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let before = read(
            "[[zone]]\nname = \"a.example.\"\nfile = \"f\"\ntransfer = [\"ns2\"]\n\
             [[zone]]\nname = \"b.example.\"\nfile = \"g\"\n",
        );
        let after = read(
            "[[zone]]\nname = \"b.example.\"\nfile = \"h\"\nzonemd = true\n\
             [[zone]]\nname = \"A.Example\"\nfile = \"f\"\ntransfer = [\"ns2\", \"ns3\"]\n\
             [[zone.update]]\nkey = \"k.\"\nnames = [\"@\"]\nhow = \"direct\"\n",
        );
        let mut keys = changed(&before, &after);
        keys.sort();
        assert_eq!(
            keys,
            ["zone[a.example.].transfer", "zone[a.example.].update", "zone[b.example.].zonemd"]
        );
    }
}
