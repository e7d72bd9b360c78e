//! The questions of the request form: the fields of each step, and of a correction.

use super::apply::LETTER_KINDS;
use crate::queue::regions::{Level, Regions, Unit};
use crate::queue::{Kind, NamingClass};
use crate::web::draft::{
    BY_ADDRESS, BY_SERVER, Draft, EXPERT, LATER, LIFT, RECORD_ROWS, field_of, label,
};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Input};
use crate::web::progress::needs_end;
use crate::web::state::State;
use crate::words::{Said, Words};

/// Record types the form offers; others come by a letter to the office.
const TYPES: [&str; 6] = ["A", "AAAA", "CNAME", "MX", "TXT", "NS"];
/// What stands before the name of a hosting in the answer to where a site is.
pub(super) const HOSTING: &str = "hosting:";
/// The one field of a correction for addresses, or the name of a server.
pub(super) const TARGET_ANY: &str = "target_any";

/// The fields of a step.
pub(super) fn step_fields(
    state: &State,
    t: Words,
    draft: &Draft,
    step: u8,
) -> Result<Vec<Field>, Failure> {
    Ok(match step {
        1 => vec![kind_field(t), class_field(t)],
        2 => contact_fields(t),
        3 => name_fields(state, t, draft),
        4 => vec![target_field(state, t, draft)],
        5 => letter_fields(t, draft),
        _ => return Err(Failure::not_found()),
    })
}

/// The fields of a step in a correction, where nothing is asked page by page: the unit is chosen from the whole
/// list, and the target is filled in at once.
pub(super) fn correction_fields(
    state: &State,
    t: Words,
    draft: &Draft,
    step: u8,
) -> Result<Vec<Field>, Failure> {
    let mut fields = match step {
        // What was to be filled in later: now, or later again.
        4 if !draft.get("hosting_by").is_empty() => {
            vec![Field::line(t, TARGET_ANY, "apply-any").optional(), hosting_field(t).optional()]
        }
        4 if !draft.get(TARGET_ANY).is_empty() => vec![Field::line(t, TARGET_ANY, "apply-any")],
        4 => record_fields(t),
        3 => return Ok(name_and_purpose(state, t, draft, typed_name(state, t))),
        step => step_fields(state, t, draft, step)?,
    };
    match step {
        2 => {
            let region = region_field(&state.desk().naming().regions, t, draft);
            fields.splice(1..1, region);
        }
        4 => fields.extend(ready_field(t, draft)),
        _ => {}
    }
    Ok(fields)
}

//------------ Fields --------------------------------------------------------

/// A field of the form, by its name in JSON.
fn field(t: Words, json: &str) -> Field {
    Field::line(t, &field_of(json), label(json))
}

/// What is to happen.
fn kind_field(t: Words) -> Field {
    let kinds = [Kind::New, Kind::Change, Kind::Renew, Kind::HandOver, Kind::Suspend, Kind::Remove];
    let choices = kinds.map(|kind| Choice {
        value: kind.as_str().to_owned(),
        label: kind.say(t),
        hint: t.s(&format!("{}-hint", kind.id())),
    });
    field(t, "kind").input(Input::Radios(choices.to_vec()))
}

/// The naming class.
fn class_field(t: Words) -> Field {
    let choices = CLASSES.map(|class| Choice {
        value: class.as_str().to_owned(),
        label: class.say(t),
        hint: t.s(&format!("{}-hint", class.id())),
    });
    field(t, "class").input(Input::Radios(choices.to_vec()))
}

/// All classes, in the order the form shows them.
const CLASSES: [NamingClass; 8] = [
    NamingClass::Desa,
    NamingClass::Kelurahan,
    NamingClass::Kecamatan,
    NamingClass::PerangkatDaerah,
    NamingClass::Uptd,
    NamingClass::Layanan,
    NamingClass::Kegiatan,
    NamingClass::Ormas,
];

/// Office and person responsible.
fn contact_fields(t: Words) -> Vec<Field> {
    vec![
        field(t, "office").autocomplete("organization"),
        field(t, "contact.name").autocomplete("name"),
        field(t, "contact.position").autocomplete("organization-title"),
        field(t, "contact.email").input(Input::Line("email")).autocomplete("email"),
        field(t, "contact.phone").input(Input::Line("tel")).autocomplete("tel").width("w-m"),
        field(t, "contact.nip").optional().inputmode("numeric").width("w-m"),
    ]
}

/// The unit, where the class is one of the regency's list.
fn region_field(regions: &Regions, t: Words, draft: &Draft) -> Option<Field> {
    let mut units: Vec<_> = regions.of(draft.level()?).collect();
    units.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.code.cmp(&b.code)));
    let mut choices = vec![Choice::new("", t.s("apply-region-none"))];
    choices
        .extend(units.into_iter().map(|unit| Choice::new(&unit.code, unit_label(regions, unit))));
    Some(field(t, "region").input(Input::Select(choices)).width("w-m"))
}

/// A unit with its district, because village names repeat.
pub(super) fn unit_label(regions: &Regions, unit: &Unit) -> String {
    match regions.district_of(unit).filter(|_| unit.level != Level::Kecamatan) {
        Some(district) => format!("{} – Kec. {}", unit.name, district.name),
        None => unit.name.clone(),
    }
}

/// The unit of a code in words, with the code; an unknown code stays as it is.
pub(super) fn unit_words(regions: &Regions, code: &str) -> String {
    let unit = regions.get(code.trim());
    unit.map_or_else(|| code.to_owned(), |it| format!("{} ({})", unit_label(regions, it), it.code))
}

/// The label of a field, whatever page asks for it.
pub(super) fn label_of(state: &State, t: Words, draft: &Draft, name: &str) -> Option<String> {
    let step = crate::web::draft::step_of(name);
    let mut fields = step_fields(state, t, draft, step).unwrap_or_default();
    if step == 4 {
        fields.extend(record_fields(t));
    }
    fields.into_iter().find(|field| field.name == name).map(|field| field.label)
}

/// Name, purpose, period. Of a new name of a unit there is one right answer, or one for each spelling.
fn name_fields(state: &State, t: Words, draft: &Draft) -> Vec<Field> {
    let name = given_name(state, t, draft).unwrap_or_else(|| typed_name(state, t));
    name_and_purpose(state, t, draft, name)
}

/// The name somebody writes.
fn typed_name(state: &State, t: Words) -> Field {
    let zone = state.options().zone.trim_end_matches('.');
    field(t, "name").suffix(&format!(".{zone}")).width("w-m")
}

/// The names that a new name of the chosen unit may be.
pub(super) fn given_names(state: &State, draft: &Draft) -> Vec<String> {
    let naming = state.desk().naming();
    let unit = naming.regions.get(draft.get("region"));
    let unit =
        unit.filter(|unit| draft.kind() == Some(Kind::New) && draft.level() == Some(unit.level));
    unit.map(|unit| naming.names_of(unit)).unwrap_or_default()
}

/// The name of the chosen unit, to be seen, or its spellings, to be chosen from.
fn given_name(state: &State, t: Words, draft: &Draft) -> Option<Field> {
    let zone = state.options().zone.trim_end_matches('.');
    let names = given_names(state, draft);
    let full = |name: &String| format!("{name}.{zone}");
    let mut given = field(t, "name");
    given.hint = String::new();
    match names.as_slice() {
        [] => None,
        [name] => Some(given.input(Input::Fixed(full(name))).value(name)),
        names => {
            let choices = names.iter().enumerate().map(|(at, name)| Choice {
                value: name.clone(),
                label: full(name),
                hint: t.s(if at == 0 { "apply-spelling-list" } else { "apply-spelling-other" }),
            });
            Some(given.input(Input::Radios(choices.collect())))
        }
    }
}

/// Name, purpose, and what few need.
fn name_and_purpose(state: &State, t: Words, draft: &Draft, name: Field) -> Vec<Field> {
    let is_given = !given_names(state, draft).is_empty();
    let mut fields = vec![name, field(t, "purpose").input(Input::Area)];
    if draft.kind() == Some(Kind::Suspend) {
        let lift = vec![Choice::new(LIFT, t.s("apply-lift-yes"))];
        fields.push(field(t, "lift").input(Input::Checks(lift)).optional());
    }
    if matches!(draft.kind(), Some(Kind::Change | Kind::Renew | Kind::HandOver | Kind::Suspend)) {
        fields.push(field(t, "ends").input(Input::Line("date")).width("w-s").optional());
    }
    if draft.kind() == Some(Kind::New) {
        let ends = field(t, "ends").input(Input::Line("date")).width("w-s");
        fields.push(if needs_end(draft) { ends } else { ends.optional() });
        if !is_given {
            fields.push(field(t, "exception").input(Input::Area).optional());
        }
    }
    fields
}

/// Where the site is.
fn target_field(state: &State, t: Words, draft: &Draft) -> Field {
    let hostings = state.hostings();
    let hosting = hostings.iter().map(|hosting| Choice {
        value: format!("{HOSTING}{}", hosting.name),
        label: hosting.name.clone(),
        hint: t.s("apply-target-hosting-hint"),
    });
    // What is live keeps its target until there is another.
    let is_new = draft.kind() == Some(Kind::New);
    let others = [BY_ADDRESS, BY_SERVER, LATER, EXPERT].into_iter();
    let others = others.filter(|how| *how != LATER || is_new).map(|how| Choice {
        value: how.to_owned(),
        label: t.s(&format!("apply-target-{how}")),
        hint: t.s(&format!("apply-target-{how}-hint")),
    });
    let choices = hosting.chain(others).collect();
    Field::line(t, "target", "apply-target").input(Input::Radios(choices))
}

/// The fields of a way to reach the site.
pub(super) fn address_fields(t: Words, draft: &Draft, how: &str) -> Vec<Field> {
    let mut fields = match how {
        BY_ADDRESS => vec![Field::line(t, "target_ip", "apply-ip").width("w-m")],
        BY_SERVER => vec![Field::line(t, "target_server", "apply-server").width("w-m")],
        LATER => return vec![hosting_field(t)],
        _ => record_fields(t),
    };
    fields.extend(ready_field(t, draft));
    fields
}

/// When the site is ready, of a new name.
fn ready_field(t: Words, draft: &Draft) -> Option<Field> {
    let starts = field(t, "starts").input(Input::Line("date")).optional().width("w-s");
    (draft.kind() == Some(Kind::New)).then_some(starts)
}

/// By when the site is to have a place.
fn hosting_field(t: Words) -> Field {
    field(t, "hosting_by").input(Input::Line("date")).width("w-s")
}

/// Rows of type and data; the first is needed.
fn record_fields(t: Words) -> Vec<Field> {
    let choices =
        TYPES.map(|rtype| Choice::new(rtype, t.s(&format!("apply-type-{}", rtype.to_lowercase()))));
    let mut fields = Vec::new();
    for at in 0..RECORD_ROWS {
        let number = (at + 1).to_string();
        let mut rtype = Field::line(t, &format!("type{at}"), "apply-type")
            .input(Input::Select(choices.to_vec()))
            .width("w-m");
        rtype.label = t.a("apply-type-n", "number", &number);
        let mut data = Field::line(t, &format!("data{at}"), "apply-data").width("w-m");
        data.label = t.a("apply-data-n", "number", &number);
        if at > 0 {
            data.hint = String::new();
            data = data.optional();
        }
        fields.extend([rtype, data]);
    }
    fields
}

/// Number, date and file of the letter.
fn letter_fields(t: Words, draft: &Draft) -> Vec<Field> {
    let mut file = Field::line(t, "letter", "apply-letter").input(Input::File(LETTER_KINDS));
    if let Some(letter) = &draft.letter {
        let kib = letter.letter.bytes().len().div_ceil(1024);
        let size = t.count(u64::try_from(kib).unwrap_or(u64::MAX));
        file.hint = t.with("apply-letter-there", &[("name", &letter.name), ("size", &size)]);
        file = file.optional();
    }
    let fields = vec![
        field(t, "letter.number").width("w-m"),
        field(t, "letter.date").input(Input::Line("date")).width("w-s"),
        file,
    ];
    let may_lack = draft.kind() == Some(Kind::Renew);
    fields.into_iter().map(|field| if may_lack { field.optional() } else { field }).collect()
}
