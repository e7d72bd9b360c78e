//! The way through the request form: which page comes next, which has something missing, and on which page a
//! field is asked for.
//!
//! ```text
//! 1 kind, class → (unit of the list) → 2 office, contact → (mailbox) → 3 name → 4 where the site is
//!   → (its address) → 5 letter → 6 check answers → sent
//! ```
//! From the last look "change" leads to one page and straight back ([`Change`]).

use serde::Deserialize;

use super::draft::{Draft, FORM, FormField, step_of};
use crate::queue::{Kind, NamingClass, Rule};

/// The last step that is a form; the one after it is the last look.
pub(super) const LAST: u8 = 5;
/// Where the last look is.
pub(super) const CHECK: &str = "/permohonan/periksa";
/// Where the district of a unit is chosen, or the district itself.
pub(super) const DISTRICT: &str = "/permohonan/wilayah";
/// Where the unit in it is chosen.
pub(super) const UNIT: &str = "/permohonan/wilayah/unit";
/// Where the address of a site is filled in; behind it stands how.
pub(super) const TARGET: &str = "/permohonan/tujuan";

//------------ Change --------------------------------------------------------

/// Whether a page was opened from the last look, and goes back there.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Change {
    /// Anything but 0.
    #[serde(default)]
    ubah: u8,
}

impl Change {
    /// Opened from the last look.
    pub(super) const FROM_CHECK: Self = Self { ubah: 1 };

    /// Whether it was.
    pub(super) fn is_on(self) -> bool {
        self.ubah > 0
    }

    /// A path with the mark.
    pub(super) fn mark(self, path: &str) -> String {
        if self.is_on() { format!("{path}?ubah=1") } else { path.to_owned() }
    }

    /// Where to go after a page: on, or back to the last look unless something is missing now.
    pub(super) fn after(self, draft: &Draft, next: &str) -> String {
        if !self.is_on() {
            return next.to_owned();
        }
        gap(draft).map_or_else(|| CHECK.to_owned(), |path| self.mark(&path))
    }
}

//------------ Pages ---------------------------------------------------------

/// The page after a step, as somebody fills the form in.
pub(super) fn after(draft: &Draft, step: u8) -> String {
    match step {
        1 if draft.level().is_some() => DISTRICT.to_owned(),
        3 if !draft.wants_records() => path_of(5),
        4 => draft.place_of_target().unwrap_or_else(|| path_of(5)),
        LAST => CHECK.to_owned(),
        step => path_of(step + 1),
    }
}

/// The page before a step.
pub(super) fn before(draft: &Draft, step: u8) -> String {
    match step {
        0 | 1 => "/".to_owned(),
        2 if draft.level().is_some() => DISTRICT.to_owned(),
        5 if !draft.wants_records() => path_of(3),
        5 => draft.place_of_target().unwrap_or_else(|| path_of(4)),
        step => path_of(step - 1),
    }
}

/// The page of a step.
pub(super) fn path_of(step: u8) -> String {
    format!("/permohonan/{step}")
}

/// The page that asks for a field of the form.
pub(super) fn place_of(draft: &Draft, field: &str) -> String {
    match (field, step_of(field)) {
        ("region", _) => UNIT.to_owned(),
        (_, 4) => draft.place_of_target().unwrap_or_else(|| path_of(4)),
        (_, step) => path_of(step),
    }
}

/// The first page on which something is missing that must be filled in.
pub(super) fn gap(draft: &Draft) -> Option<String> {
    if !missing(draft, 1).is_empty() {
        return Some(path_of(1));
    }
    if draft.level().is_some() && draft.get("region").is_empty() {
        return Some(DISTRICT.to_owned());
    }
    for step in 2..=LAST {
        if step == 4 {
            if draft.wants_records() && !draft.has_records() && !draft.waits_for_hosting() {
                return Some(draft.place_of_target().unwrap_or_else(|| path_of(4)));
            }
        } else if !missing(draft, step).is_empty() {
            return Some(path_of(step));
        }
    }
    None
}

/// Empty fields that are needed, in the order of the page.
pub(super) fn missing(draft: &Draft, step: u8) -> Vec<(String, Rule)> {
    if step == LAST && draft.goes_without_letter() {
        return Vec::new();
    }
    let needed = FORM.iter().filter(|field| field.step == step && field.needed);
    let needed = needed.filter(|field| field.json != "records");
    let empty = needed.map(FormField::name).filter(|name| draft.get(name).is_empty());
    let mut faults: Vec<_> = empty.map(|name| (name, Rule::Empty)).collect();
    if step == 4 && draft.get("target").is_empty() {
        faults.push(("target".to_owned(), Rule::Empty));
    }
    if step == 3 && needs_end(draft) && draft.get("ends").is_empty() {
        faults.push(("ends".to_owned(), Rule::EndDateNeeded));
    }
    if step == LAST && draft.letter.is_none() {
        faults.push(("letter".to_owned(), Rule::NoLetter));
    }
    faults
}

/// Whether the class of a new name needs an end date.
pub(super) fn needs_end(draft: &Draft) -> bool {
    matches!(draft.class(), Some(NamingClass::Kegiatan | NamingClass::Ormas))
        && draft.kind() == Some(Kind::New)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A draft with these fields.
    fn draft(fields: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::default();
        for (name, text) in fields {
            draft.fields.insert((*name).to_owned(), (*text).to_owned());
        }
        draft
    }

    #[test]
    fn the_first_page_with_something_missing_is_found() {
        let mut fields = vec![];
        for (more, at) in [
            (&[][..], "/permohonan/1"),
            (&[("kind", "new"), ("class", "desa")], "/permohonan/wilayah"),
            (&[("region", "32.09.22.2015")], "/permohonan/2"),
            (
                &[
                    ("office", "Desa"),
                    ("contact_name", "A"),
                    ("contact_position", "Kuwu"),
                    ("contact_email", "a@b.id"),
                    ("contact_phone", "0231 12345"),
                ],
                "/permohonan/3",
            ),
            (&[("name", "a.desa"), ("purpose", "Situs")], "/permohonan/4"),
            (&[("target", "ip")], "/permohonan/tujuan/ip"),
            (&[("data0", "192.0.2.1")], "/permohonan/5"),
        ] {
            fields.extend_from_slice(more);
            assert_eq!(gap(&draft(&fields)).as_deref(), Some(at));
        }
    }

    #[test]
    fn from_the_last_look_one_goes_straight_back_unless_something_is_missing() {
        let change = Change::FROM_CHECK;
        let gone = draft(&[("kind", "new"), ("class", "desa")]);
        assert_eq!(change.after(&gone, "/permohonan/2"), "/permohonan/wilayah?ubah=1");
        assert_eq!(Change::default().after(&gone, "/permohonan/2"), "/permohonan/2");
        assert_eq!(change.mark("/permohonan/3"), "/permohonan/3?ubah=1");
    }
}
