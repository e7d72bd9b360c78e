//! Settings that a page has changed: the page wins over the file (docs/settings.md).

use crate::config::Settings;
#[cfg(feature = "approval")]
use crate::run::options;
#[cfg(feature = "approval")]
use crate::run::time::utc;
#[cfg(feature = "approval")]
use crate::store::StoreError;

/// A setting that a page has changed.
pub struct OnPage {
    /// How its keys begin.
    pub key: String,
    /// When it was changed.
    at: String,
}

impl OnPage {
    /// In words.
    pub fn told(&self) -> String {
        format!("changed on its page, {}: the page wins, see /pengaturan", self.at)
    }
}

/// What pages have changed, by the database of the state directory; nothing where it cannot be looked at.
#[cfg(feature = "approval")]
pub fn on_pages(settings: &Settings) -> Vec<OnPage> {
    let Ok(place) = options::place(settings) else { return Vec::new() };
    let Ok(Some(store)) = place.look() else { return Vec::new() };
    let rows = store.read::<_, StoreError>(|reader| reader.lists()).unwrap_or_default();
    let changed = rows.into_iter().filter(|row| row.body.is_some());
    let on_page = changed.filter_map(|row| {
        let key = row.list.setting().trim_matches(['[', ']']);
        (!key.is_empty()).then(|| OnPage { key: key.to_owned(), at: utc(row.at_ms) })
    });
    on_page.collect()
}

/// A name server alone has no pages.
#[cfg(not(feature = "approval"))]
pub fn on_pages(_: &Settings) -> Vec<OnPage> {
    Vec::new()
}
