//! The settings in force, key by key, with where each comes from. What is secret is not among it.

use toml::de::{DeArray, DeTable, DeValue};

use super::{Loaded, SecretText, Settings};

/// What stands for a secret.
const HIDDEN: &str = "(not shown)";

/// A setting.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Its table as the file writes it, `[server]` or `[[zone]]`, where it begins a new one.
    pub header: Option<String>,
    /// The key, as `zone[0].file`.
    pub key: String,
    /// The name of the key in its table.
    pub name: String,
    /// The value as TOML.
    pub value: String,
    /// The line of the file it stands in; none for a default.
    pub line: Option<usize>,
}

/// All settings in force by a file, in the order in which the manual has them.
pub fn effective(loaded: &Loaded) -> Vec<Effective> {
    // Settings are plain data: they always have a TOML form. And a file that was loaded reads.
    let text = toml::to_string(&masked(&loaded.settings)).unwrap_or_default();
    let (Ok(all), Ok(file)) = (DeTable::parse(&text), DeTable::parse(loaded.text())) else {
        return Vec::new();
    };
    let ends = loaded.text().match_indices('\n').map(|(at, _)| at).collect();
    let mut walk = Walk { text: &text, ends, all: Vec::new() };
    walk.table(("", ""), None, all.get_ref(), Some(file.get_ref()));
    walk.all
}

//------------ Secrets -------------------------------------------------------

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
    for webhook in &mut settings.webhooks {
        // The path of a chat group's address is its secret.
        webhook.url = SecretText(public(&webhook.url.0, false));
    }
    settings.database.url = SecretText(public(&settings.database.url.0, true));
    settings.mail.relay = public(&settings.mail.relay, true);
    settings.web.url = public(&settings.web.url, true);
    settings
}

/// An address without name and password, without what follows a question mark, and without its path unless that is
/// public.
fn public(url: &str, is_path_public: bool) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        let is_public = url.is_empty() || is_path_public && !url.contains(['@', '?']);
        return if is_public { url } else { HIDDEN }.to_owned();
    };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains('@') {
        // It may be the password that has a slash.
        return format!("{scheme}://{HIDDEN}");
    }
    let (path, query) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    let host =
        host.rsplit_once('@').map_or_else(|| host.to_owned(), |it| format!("{HIDDEN}@{}", it.1));
    if !is_path_public {
        return format!("{scheme}://{host}/{HIDDEN}");
    }
    let query = if query.is_empty() { String::new() } else { format!("?{HIDDEN}") };
    format!("{scheme}://{host}{path}{query}")
}

//------------ Walk ----------------------------------------------------------

/// Goes through all settings, beside those of the file.
struct Walk<'a> {
    /// All settings as TOML.
    text: &'a str,
    /// Where the lines of the file end.
    ends: Vec<usize>,
    /// What was found.
    all: Vec<Effective>,
}

impl Walk<'_> {
    /// A table: its key, as `zone[1].update[0]`, and the same without numbers, its header, and what the file has of it.
    fn table(
        &mut self,
        (key, plain): (&str, &str),
        mut header: Option<String>,
        table: &DeTable<'_>,
        in_file: Option<&DeTable<'_>>,
    ) {
        let below = |table: &str, name: &str| match table {
            "" => name.to_owned(),
            table => format!("{table}.{name}"),
        };
        let mut entries: Vec<_> = table.iter().collect();
        // The map has another order than the text.
        entries.sort_unstable_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            let there = in_file.and_then(|table| table.get(&**name.get_ref()));
            let (key, plain) = (below(key, name.get_ref()), below(plain, name.get_ref()));
            match value.get_ref() {
                DeValue::Table(table) => {
                    let there = there.and_then(|it| it.get_ref().as_table());
                    self.table((&key, &plain), Some(format!("[{plain}]")), table, there);
                }
                DeValue::Array(items) if has_tables(items) => {
                    let there = there.and_then(|it| it.get_ref().as_array());
                    for (at, item) in items.iter().enumerate() {
                        let there = there.and_then(|items| items.get(at)?.get_ref().as_table());
                        let Some(table) = item.get_ref().as_table() else { continue };
                        let (key, header) = (format!("{key}[{at}]"), format!("[[{plain}]]"));
                        self.table((&key, &plain), Some(header), table, there);
                    }
                }
                _ => {
                    let line = there.map(|it| self.line(it.span().start));
                    let name = self.text[name.span()].to_owned();
                    let (value, header) = (self.text[value.span()].to_owned(), header.take());
                    self.all.push(Effective { header, key, name, value, line });
                }
            }
        }
    }

    /// The number of the line of the file at an octet.
    fn line(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at) + 1
    }
}

/// Whether an array is a list of tables.
fn has_tables(items: &DeArray<'_>) -> bool {
    items.iter().next().is_some_and(|item| item.get_ref().is_table())
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
            "[server]\nudp_payload = 1400\ncookie_secrets = [\"geheim\"]\n[mail]\nrelay = \"smtp://u:geheim@mail.example:25?x=geheim\"\n\
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
            (format!("{} = {}", found.name, found.value), found.line)
        };
        assert_eq!(find("server.udp_payload"), ("udp_payload = 1400".to_owned(), Some(2)));
        assert_eq!(find("server.tcp_per_address"), ("tcp_per_address = 128".to_owned(), None));
        assert_eq!(find("key[1].name").1, Some(10));
        let file = format!("file = \"{}\"", dir.path().join("b").display());
        assert_eq!(find("zone[1].file"), (file, Some(21)));
        assert_eq!(find("zone[1].serial"), ("serial = \"increment\"".to_owned(), None));
        assert_eq!(find("webhook[0].url").0, "url = \"https://chat.example/(not shown)\"");
        assert_eq!(
            find("mail.relay").0,
            "relay = \"smtp://(not shown)@mail.example:25?(not shown)\""
        );
        assert_eq!(find("zone[1].update[1].key"), ("key = \"b.\"".to_owned(), Some(22)));
        let text = format!("{all:?}");
        assert!(!text.contains("geheim"), "{text}");
    }

    #[test]
    fn a_value_of_several_lines_is_one_setting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gapura.toml");
        let name = "\"\"\"\nDinas\n[x]\nkey = 1\n\"\"\"";
        let url = "https://u:geheim@dns.example/x?geheim";
        std::fs::write(&path, format!("[office]\nname = {name}\n[web]\nurl = \"{url}\"\n"))
            .unwrap();
        let all = effective(&load(&path).unwrap());
        let of = |key: &str| all.iter().find(|it| it.key == key).unwrap();
        assert!(of("office.name").value.contains("[x]"), "{:?}", of("office.name"));
        assert_eq!(of("web.url").value, "\"https://(not shown)@dns.example/x?(not shown)\"");
        assert_eq!(of("web.url").line, Some(8));
        assert!(all.iter().all(|it| !it.key.starts_with("x.")));
    }

    #[test]
    fn nothing_of_an_address_is_shown_that_may_be_a_secret() {
        for (url, is_path_public, wanted) in [
            ("", true, ""),
            ("mail.example:25", true, "mail.example:25"),
            ("u:geheim@mail.example", true, HIDDEN),
            ("smtp://u:gehe/im@mail.example", true, "smtp://(not shown)"),
            ("https://chat.example/gehe@im", false, "https://(not shown)"),
            (
                "https://u@chat.example?geheim",
                false,
                "https://(not shown)@chat.example/(not shown)",
            ),
            ("https://dns.example/x#geheim", true, "https://dns.example/x?(not shown)"),
        ] {
            assert_eq!(public(url, is_path_public), wanted);
        }
    }
}
