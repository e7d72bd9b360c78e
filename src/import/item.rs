//! One line of a settings file as nsd.conf and knot.conf have it: a name and its values.

use super::Place;

/// A name with its values.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The name, as `provide-xfr` or `dnssec-policy`.
    pub(super) name: String,
    /// Its values.
    pub(super) values: Vec<String>,
    /// Where it stands.
    pub(super) place: Place,
}

impl Item {
    /// The first value, or nothing.
    pub(super) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }
}
