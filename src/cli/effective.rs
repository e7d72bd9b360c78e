//! `gapura check --effective`: every setting in force, and where it comes from.

use super::args::Common;
use super::{plain, put, settings};
use crate::config;
use crate::run;
use crate::text::append_line;

/// Prints the settings.
pub(super) fn effective(common: &Common) -> u8 {
    let loaded = match settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return exit.min(1),
    };
    let pages = run::check::on_pages(&loaded.settings);
    let all = config::effective(&loaded);
    let mut all: Vec<_> = all.into_iter().filter(|it| run::is_in_use(&it.key)).collect();
    let from = |setting: &config::Effective| {
        let page = pages.iter().find(|page| setting.key.starts_with(page.key.as_str()));
        match (page, setting.line) {
            (Some(page), _) => page.told(),
            (None, Some(line)) => format!("{}:{line}", loaded.path.display()),
            (None, None) => "default".to_owned(),
        }
    };
    if common.json {
        let all = all
            .iter()
            .map(|it| serde_json::json!({ "key": it.key, "value": it.value, "from": from(it) }));
        let json = serde_json::json!({ "settings": all.collect::<Vec<_>>() });
        put(&(plain::json(&json.to_string()).into_owned() + "\n"));
        return 0;
    }
    let mut text = String::new();
    append_line!(text, "# The settings in force by {}", loaded.path.display());
    for setting in &mut all {
        if let Some(header) = setting.header.take() {
            append_line!(text, "\n{header}");
        }
        let line = format!("{} = {}", setting.name, setting.value);
        append_line!(text, "{line:<48} # {}", from(setting));
    }
    put(&plain::plain(&text));
    0
}
