//! The settings in force, key by key, with where each comes from. What is secret is not among it.

use std::collections::BTreeMap;

use super::{Loaded, SecretText, Settings};
use crate::master::Place;

/// What stands for a secret.
const HIDDEN: &str = "(not shown)";

/// A setting.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Its table as the file writes it, `[server]` or `[[zone]]`, where it begins a new one.
    pub header: Option<String>,
    /// The key, as `zone[0].file`.
    pub key: String,
    /// The line, as `file = "zones/a.zone"`.
    pub line: String,
    /// Where it stands in the file; none for a default.
    pub place: Option<Place>,
}

/// All settings in force by a file, in the order in which the manual has them.
pub fn effective(loaded: &Loaded) -> Vec<Effective> {
    // Settings are plain data: they always have a TOML form.
    let text = toml::to_string(&masked(&loaded.settings)).unwrap_or_default();
    let (mut walk, mut all) = (Walk::default(), Vec::new());
    let mut header = None;
    for line in text.lines() {
        if line.starts_with('[') {
            walk.table(line);
            header = Some(line.to_owned());
        } else if let Some((name, _)) = line.split_once(" = ") {
            let key = walk.key(name);
            let place = loaded.place(&key);
            let header = header.take();
            all.push(Effective { header, key, line: line.to_owned(), place });
        }
    }
    all
}

/// The settings without what is secret.
fn masked(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let hide = |secret: &mut SecretText| {
        if !secret.0.is_empty() {
            HIDDEN.clone_into(&mut secret.0);
        }
    };
    settings.server.cookie_secrets.iter_mut().for_each(hide);
    settings.keys.iter_mut().map(|key| &mut key.secret).for_each(hide);
    settings.webhooks.iter_mut().map(|it| &mut it.secret).for_each(hide);
    // The path of a chat group's address is its secret, and a relay's may hold a password.
    for webhook in &mut settings.webhooks {
        webhook.url = SecretText(without_path(&webhook.url.0));
    }
    if let Some((before, host)) = settings.mail.relay.rsplit_once('@') {
        let scheme = before.split_once("://").map_or("", |it| it.0);
        settings.mail.relay = format!("{scheme}://{HIDDEN}@{host}");
    }
    settings
}

/// An address without what follows its host.
fn without_path(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/{HIDDEN}")
}

/// Goes through the tables of a text.
#[derive(Default)]
struct Walk {
    /// The table that is being read, as `zone[1].update[0]`.
    table: String,
    /// The place in each list of tables that is being read.
    lists: BTreeMap<String, usize>,
}

impl Walk {
    /// A header, `[a.b]` or `[[a.b]]`.
    fn table(&mut self, line: &str) {
        let is_list = line.starts_with("[[");
        let path = line.trim_matches(['[', ']']);
        let mut parts = path.split('.').peekable();
        self.table.clear();
        while let Some(part) = parts.next() {
            if !self.table.is_empty() {
                self.table.push('.');
            }
            self.table.push_str(part);
            if is_list && parts.peek().is_none() {
                let next = self.lists.get(&self.table).map_or(0, |at| at + 1);
                self.lists.insert(self.table.clone(), next);
            }
            if let Some(at) = self.lists.get(&self.table) {
                self.table.push_str(&format!("[{at}]"));
            }
        }
    }

    /// A key of the table that is being read.
    fn key(&self, name: &str) -> String {
        if self.table.is_empty() { name.to_owned() } else { format!("{}.{name}", self.table) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn every_key_has_its_value_and_origin_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gapura.toml");
        std::fs::write(
            &path,
            "[server]\nudp_payload = 1400\ncookie_secrets = [\"geheim\"]\n[mail]\nrelay = \"smtp://u:geheim@mail.example:25\"\n\
             [[key]]\nname = \"a.\"\nsecret = \"geheim\"\n[[key]]\nname = \"b.\"\nsecret = \"geheim\"\n\
             [[webhook]]\nname = \"w\"\nurl = \"https://chat.example/geheim\"\nsecret = \"geheim\"\n\
             [[zone]]\nname = \"a.example.\"\nfile = \"a\"\n\
             [[zone]]\nname = \"b.example.\"\nfile = \"b\"\n\
             update = [{ key = \"a.\", names = [\"@\"], how = \"direct\" }, { key = \"b.\", names = [\"*\"], how = \"direct\" }]\n",
        )
        .unwrap();
        let all = effective(&load(&path).unwrap());
        let find = |key: &str| {
            let found = all.iter().find(|it| it.key == key).unwrap_or_else(|| panic!("no {key}"));
            (found.line.clone(), found.place.as_ref().map(|place| place.line))
        };
        assert_eq!(find("server.udp_payload"), ("udp_payload = 1400".to_owned(), Some(2)));
        assert_eq!(find("server.tcp_per_address"), ("tcp_per_address = 128".to_owned(), None));
        assert_eq!(find("key[1].name").1, Some(10));
        let file = format!("file = \"{}\"", dir.path().join("b").display());
        assert_eq!(find("zone[1].file"), (file, Some(21)));
        assert_eq!(find("zone[1].serial"), ("serial = \"increment\"".to_owned(), None));
        assert_eq!(find("webhook[0].url").0, "url = \"https://chat.example/(not shown)\"");
        assert_eq!(find("mail.relay").0, "relay = \"smtp://(not shown)@mail.example:25\"");
        let text: String = all.iter().map(|it| format!("{:?}", it.line)).collect();
        assert!(!text.contains("geheim"), "{text}");
        assert!(text.contains("update"), "{text}");
    }
}
