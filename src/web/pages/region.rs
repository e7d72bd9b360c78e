//! The unit that asks: its district, then the unit itself, a dozen to choose from at most. What follows from it
//! (the office's name, the name of the site) is filled in.

use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::apply::{StepPage, is_for_later, may_save};
use super::saved::SAVE;
use crate::queue::Naming;
use crate::queue::regions::{Level, Regions, Unit};
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::progress::{CHECK, Change, DISTRICT, UNIT, path_of};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Lang, Words};

/// The step these pages belong to.
const STEP: u8 = 2;

/// `GET /permohonan/wilayah`: the district.
pub(super) async fn show_districts(
    Extract(state): Extract<State>,
    Query(change): Query<Change>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    let Some(level) = draft.level() else { return Ok(see_other(&path_of(1))) };
    let regions = &state.desk().naming().regions;
    if only_district(regions, level).is_some() {
        return Ok(see_other(&change.mark(UNIT)));
    }
    let form = district_form(&visitor, regions, &draft, level, change);
    page(&district_page(&visitor, form, change))
}

/// `POST /permohonan/wilayah`
pub(super) async fn take_district(
    Extract(state): Extract<State>,
    Query(change): Query<Change>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    may_save(&state, &sent)?;
    let mut draft = Draft::load(&state, &visitor.visit).await?;
    let Some(level) = draft.level() else { return Ok(see_other(&path_of(1))) };
    let naming = state.desk().naming();
    let chosen = naming.regions.get(sent.get("district"));
    let Some(district) = chosen.filter(|unit| unit.level == Level::Kecamatan) else {
        if is_for_later(&sent) {
            return Ok(see_other(SAVE));
        }
        let form = district_form(visitor, &naming.regions, &draft, level, change);
        let again = district_page(visitor, unanswered(form, "district", visitor.t), change);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    };
    draft.fields.insert("district".to_owned(), district.code.clone());
    if level == Level::Kecamatan {
        adopt(&mut draft, &naming, district);
    }
    draft.save(&state, visitor).await?;
    Ok(see_other(&match level {
        _ if is_for_later(&sent) => SAVE.to_owned(),
        Level::Kecamatan => change.after(&draft, &path_of(STEP)),
        _ => change.mark(UNIT),
    }))
}

/// A form of one question, with the fault that it was not answered.
fn unanswered(form: Form, name: &'static str, t: Words) -> Form {
    let asks = form.fields.first().map(|field| field.asks(t)).unwrap_or_default();
    form.fault(name, asks)
}

/// `GET /permohonan/wilayah/unit`: the unit in the district.
pub(super) async fn show_units(
    Extract(state): Extract<State>,
    Query(change): Query<Change>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    let naming = state.desk().naming();
    let Some((level, district)) = place(&naming.regions, &draft) else {
        return Ok(see_other(&change.mark(DISTRICT)));
    };
    let form = unit_form(&visitor, &naming.regions, &draft, (level, district), change);
    page(&unit_page(&visitor, &naming.regions, level, district, form))
}

/// `POST /permohonan/wilayah/unit`
pub(super) async fn take_unit(
    Extract(state): Extract<State>,
    Query(change): Query<Change>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    may_save(&state, &sent)?;
    let mut draft = Draft::load(&state, &visitor.visit).await?;
    let naming = state.desk().naming();
    let Some((level, district)) = place(&naming.regions, &draft) else {
        return Ok(see_other(&change.mark(DISTRICT)));
    };
    let chosen = naming.regions.get(sent.get("region")).filter(|unit| unit.level == level);
    let Some(unit) = chosen else {
        if is_for_later(&sent) {
            return Ok(see_other(SAVE));
        }
        let form = unit_form(visitor, &naming.regions, &draft, (level, district), change);
        let form = unanswered(form, "region", visitor.t);
        let again = unit_page(visitor, &naming.regions, level, district, form);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    };
    adopt(&mut draft, &naming, unit);
    draft.save(&state, visitor).await?;
    if is_for_later(&sent) {
        return Ok(see_other(SAVE));
    }
    Ok(see_other(&change.after(&draft, &path_of(STEP))))
}

//------------ Pages ---------------------------------------------------------

/// The page of the districts.
fn district_page(visitor: &Visitor, form: Form, change: Change) -> StepPage {
    let back = if change.is_on() { CHECK.to_owned() } else { path_of(1) };
    StepPage::new(visitor, STEP, "apply-title-district", &back, form)
}

/// The form of the districts.
fn district_form(
    visitor: &Visitor,
    regions: &Regions,
    draft: &Draft,
    level: Level,
    change: Change,
) -> Form {
    let t = visitor.t;
    let mut choices = vec![Choice::new("", t.s("apply-district-none"))];
    let districts = regions.districts_with(level);
    choices.extend(districts.iter().map(|unit| Choice::new(&unit.code, unit.name.clone())));
    let field = Field::line(t, "district", "apply-district").input(Input::Select(choices));
    let chosen = draft.get("district");
    let field = field.width("w-m").value(chosen).autocomplete("off");
    Form::new(&change.mark(DISTRICT), &visitor.csrf, t.s("apply-next")).field(field)
}

/// The page of the units.
fn unit_page(
    visitor: &Visitor,
    regions: &Regions,
    level: Level,
    district: &str,
    form: Form,
) -> StepPage {
    let t = visitor.t;
    let is_only = only_district(regions, level).is_some();
    let back = if is_only { path_of(1) } else { DISTRICT.to_owned() };
    let name = regions.get(district).map(|unit| unit.name.as_str()).unwrap_or_default();
    let id = if level == Level::Desa { "apply-title-desa" } else { "apply-title-kelurahan" };
    StepPage::new(visitor, STEP, id, &back, form).lead(t.a("apply-lead-unit", "district", name))
}

/// The form of the units of a district.
fn unit_form(
    visitor: &Visitor,
    regions: &Regions,
    draft: &Draft,
    (level, district): (Level, &str),
    change: Change,
) -> Form {
    let t = visitor.t;
    let units = regions.units_in(level, district);
    let choices = units.iter().map(|unit| Choice::new(&unit.code, unit.name.clone())).collect();
    let id = if level == Level::Desa { "apply-desa" } else { "apply-kelurahan" };
    let field = Field::line(t, "region", id).input(Input::Radios(choices));
    let field = field.value(draft.get("region"));
    Form::new(&change.mark(UNIT), &visitor.csrf, t.s("apply-next")).field(field)
}

//------------ What follows --------------------------------------------------

/// The level that is asked for, and the district it is chosen in.
fn place<'a>(regions: &'a Regions, draft: &'a Draft) -> Option<(Level, &'a str)> {
    let level = draft.level().filter(|level| *level != Level::Kecamatan)?;
    let chosen = Some(draft.get("district")).filter(|code| !code.is_empty());
    let district = only_district(regions, level).or(chosen)?;
    (!regions.units_in(level, district).is_empty()).then_some((level, district))
}

/// The only district that has units of a level: then it is not asked for.
fn only_district(regions: &Regions, level: Level) -> Option<&str> {
    let districts = regions.districts_with(level);
    match districts.as_slice() {
        [only] if level != Level::Kecamatan => Some(only.code.as_str()),
        _ => None,
    }
}

/// Takes a unit over, with the office's name and the name of the site, unless somebody wrote others.
fn adopt(draft: &mut Draft, naming: &Naming, unit: &Unit) {
    let before = naming.regions.get(draft.get("region")).cloned();
    let is_ours = |field: &str, ours: &dyn Fn(&Unit) -> Vec<String>| {
        let text = draft.get(field);
        text.is_empty()
            || before.as_ref().is_some_and(|unit| ours(unit).iter().any(|it| it == text))
    };
    let office = is_ours("office", &|unit| vec![office_of(unit)]);
    let name = is_ours("name", &|unit| naming.names_of(unit));
    draft.fields.insert("region".to_owned(), unit.code.clone());
    if office {
        draft.fields.insert("office".to_owned(), office_of(unit));
    }
    if name {
        let names = naming.names_of(unit);
        // Of several spellings one is chosen later.
        let one = names.first().filter(|_| names.len() == 1).cloned().unwrap_or_default();
        draft.fields.insert("name".to_owned(), one);
    }
}

/// The office of a unit, as it is written in letters.
pub(super) fn office_of(unit: &Unit) -> String {
    let id = match unit.level {
        Level::Kecamatan => "office-of-kecamatan",
        Level::Kelurahan => "office-of-kelurahan",
        Level::Desa => "office-of-desa",
    };
    Words::of(Lang::Id).a(id, "name", &unit.name)
}
