//! What a client must know to fill in a request or to decide one: zones, classes, offices, regions, the
//! officers, and its own token.

use axum::Json;
use axum::extract::State as Extract;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::params::{Asked, Form, NoParams, Param, ParamTable};
use super::problem::Problem;
use crate::desk::ActError;
use crate::people::{PeopleError, Scope};
use crate::queue::regions::{Level, Unit};
use crate::queue::{NamingClass, Role};
use crate::view::rfc3339;
use crate::web::state::State;
use crate::words::{Lang, Said, Words};

//------------ What may stand in a request -----------------------------------

/// The zones of this server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Zones {
    /// The zones.
    items: Vec<ZoneItem>,
}

/// A zone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ZoneItem {
    /// Its apex, with the final dot: `zone` of a request.
    zone: String,
    /// Whether the public form sends requests for it.
    is_default: bool,
    /// The serial it is served with; `null` while it is not.
    serial: Option<u32>,
}

/// The zones
#[utoipa::path(get, path = "/zones", operation_id = "list_zones", tag = "lists",
    params(Asked<NoParams>), security(()),
    responses((status = 200, description = "Every zone names may be asked for in", body = Zones)))]
pub(super) async fn zones(Extract(state): Extract<State>, _: Asked<NoParams>) -> Json<Zones> {
    let default = state.options().zone.to_lowercase();
    let publisher = state.publisher();
    let items = publisher.apexes().into_iter().map(|apex| {
        let zone = apex.to_string().to_lowercase();
        let serial = publisher.content(&apex).map(|content| content.serial());
        ZoneItem { is_default: zone == default, zone, serial }
    });
    Json(Zones { items: items.collect() })
}

/// The naming classes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Classes {
    /// The classes.
    items: Vec<ClassItem>,
}

/// A naming class.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassItem {
    /// `class` of a request.
    class: NamingClass,
    /// What it is called in Indonesian.
    label: String,
    /// What it is called in English.
    label_en: String,
    /// What its names look like, in English.
    pattern: String,
    /// Whether requests of it are taken.
    open: bool,
    /// Whether a request of it needs `ends`.
    needs_end: bool,
    /// Whether its names belong to a region, and so `region` to its requests.
    has_region: bool,
}

/// The naming classes
#[utoipa::path(get, path = "/classes", operation_id = "list_classes", tag = "lists",
    params(Asked<NoParams>), security(()),
    responses((status = 200, description = "Every class", body = Classes)))]
pub(super) async fn classes(Extract(state): Extract<State>, _: Asked<NoParams>) -> Json<Classes> {
    let naming = state.desk().naming();
    let items = NamingClass::ALL.map(|class| ClassItem {
        class,
        label: class.say(Words::of(Lang::Id)),
        label_en: class.say(Words::of(Lang::En)),
        pattern: Words::of(Lang::En).s(&format!("{}-hint", class.id())),
        open: class != NamingClass::Ormas || naming.ormas,
        needs_end: matches!(class, NamingClass::Kegiatan | NamingClass::Ormas),
        has_region: matches!(
            class,
            NamingClass::Desa | NamingClass::Kelurahan | NamingClass::Kecamatan
        ),
    });
    Json(Classes { items: items.into() })
}

/// The offices.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Offices {
    /// The offices.
    items: Vec<OfficeItem>,
}

/// An office.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfficeItem {
    /// The official short form, which is its name in the zone.
    short: String,
    /// The full name: `office` of a request.
    name: String,
}

/// The offices of the regency
#[utoipa::path(get, path = "/offices", operation_id = "list_offices", tag = "lists",
    params(Asked<NoParams>), security(()),
    responses((status = 200, description = "Every office", body = Offices)))]
pub(super) async fn offices(Extract(state): Extract<State>, _: Asked<NoParams>) -> Json<Offices> {
    let naming = state.desk().naming();
    let item =
        |(short, name): (&String, &String)| OfficeItem { short: short.clone(), name: name.clone() };
    let items = naming.offices.iter().map(|office| item((&office.short, &office.name)));
    Json(Offices { items: items.collect() })
}

/// The parameters of the regions.
pub(super) struct Within;

impl ParamTable for Within {
    const PARAMS: &'static [Param] = &[
        Param::new(
            "kind",
            Form::Word(|| Level::ALL.map(Level::as_str).to_vec()),
            "Only units of this kind",
        ),
        Param::new("district", Form::Text, "Only units in the district with this code"),
    ];
}

/// The regions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionList {
    /// The regions, by code.
    items: Vec<RegionItem>,
}

/// A district or village.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionItem {
    /// *Kode wilayah*: `region` of a request.
    code: String,
    /// `kecamatan`, `kelurahan` or `desa`.
    kind: &'static str,
    /// As it is written.
    name: String,
    /// The code of the district it lies in; a district's own.
    district: String,
    /// The name it may have below the zone, by the pattern of its class.
    subdomain: String,
}

/// The districts and villages of the regency
#[utoipa::path(get, path = "/regions", operation_id = "list_regions", tag = "lists",
    params(Asked<Within>), security(()),
    responses((status = 200, description = "Every unit", body = RegionList)))]
pub(super) async fn regions(
    Extract(state): Extract<State>,
    asked: Asked<Within>,
) -> Json<RegionList> {
    let naming = state.desk().naming();
    let (kind, district) = (asked.text("kind"), asked.text("district"));
    let wanted = |unit: &&Unit| {
        kind.as_deref().is_none_or(|kind| kind == unit.level.as_str())
            && district.as_deref().is_none_or(|code| code == unit.district())
    };
    let items = naming.regions.units().filter(wanted).map(|unit| RegionItem {
        code: unit.code.clone(),
        kind: unit.level.as_str(),
        name: unit.name.clone(),
        district: unit.district().to_owned(),
        subdomain: naming.names_of(unit).into_iter().next().unwrap_or_default(),
    });
    Json(RegionList { items: items.collect() })
}

//------------ Officers ------------------------------------------------------

/// The parameters of the officers.
pub(super) struct Staff;

impl ParamTable for Staff {
    const PARAMS: &'static [Param] = &[Param::new(
        "role",
        Form::Word(|| Role::OFFICERS.map(Role::as_str).to_vec()),
        "Only those who hold this role now, by themselves or for somebody",
    )];
}

/// The officers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Officers {
    /// The officers who can act, by account name.
    items: Vec<OfficerItem>,
}

/// An officer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfficerItem {
    /// The account: `to` of `dispose` and `reassign`.
    name: String,
    /// The name as papers print it.
    full_name: String,
    /// *Jabatan* as papers print it; empty: that of the role.
    title: String,
    /// The role of the account.
    role: Role,
    /// Roles taken over for somebody just now (Plh., Plt.).
    acts_as: Vec<Role>,
}

/// The officers who can act
///
/// With `role=kasi` those a request can be routed to.
#[utoipa::path(get, path = "/officers", operation_id = "list_officers", tag = "lists",
    params(Asked<Staff>), security(("token" = ["read"])),
    responses((status = 200, description = "Every account that is switched on", body = Officers)))]
pub(super) async fn officers(
    Extract(state): Extract<State>,
    caller: Caller,
    asked: Asked<Staff>,
) -> Result<Json<Officers>, Problem> {
    caller.officer(Scope::Read)?;
    let wanted = asked.text("role").and_then(|role| Role::from_name(&role));
    let job = move |state: &State| -> Result<Vec<OfficerItem>, PeopleError> {
        let (people, now) = (state.people(), state.people().now_ms());
        let acting = people.acting_officials()?;
        let mut items = Vec::new();
        for account in people.list()?.into_iter().filter(|account| account.enabled) {
            let theirs = acting.iter().filter(|it| it.person == account.id);
            let theirs = theirs.filter(|it| it.held().in_force(now));
            let acts_as: Vec<Role> = theirs.map(|it| it.role).collect();
            if wanted.is_none_or(|role| account.role == role || acts_as.contains(&role)) {
                let (name, full_name, title) = (account.name, account.full_name, account.title);
                items.push(OfficerItem { name, full_name, title, role: account.role, acts_as });
            }
        }
        Ok(items)
    };
    Ok(Json(Officers { items: state.work(job).await?? }))
}

//------------ The caller ----------------------------------------------------

/// The token that calls, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The account.
    name: String,
    /// The name as papers print it.
    full_name: String,
    /// The role of the account.
    role: Role,
    /// Roles taken over for somebody just now.
    acts_as: Vec<Role>,
    /// The token's public id, by which it is revoked.
    token: String,
    /// What it is for, in its owner's words.
    label: String,
    /// What it may do now: `read`, `submit`, `decide`.
    scopes: Vec<&'static str>,
    /// The network it is bound to.
    network: Option<String>,
    /// When it ends.
    #[schema(format = DateTime)]
    ends: String,
}

/// The token that calls
///
/// For programs that want to know in time when their token ends, and what it may do.
#[utoipa::path(get, path = "/me", operation_id = "get_me", tag = "account",
    params(Asked<NoParams>), security(("token" = [])),
    responses((status = 200, description = "Whose it is, and what it may do", body = Me)))]
pub(super) async fn me(
    Extract(state): Extract<State>,
    caller: Caller,
    _: Asked<NoParams>,
) -> Result<Json<Me>, Problem> {
    let bearer = caller.bearer()?.clone();
    let (actor, person) = (bearer.actor(), bearer.account.id.clone());
    let tokens = state.work(move |state| state.people().tokens(Some(&person))).await??;
    let token = tokens.into_iter().find(|token| token.id == bearer.token_id);
    let token = token.ok_or_else(|| Problem::from(ActError::NotFound))?;
    Ok(Json(Me {
        name: bearer.account.name,
        full_name: bearer.account.full_name,
        role: bearer.account.role,
        acts_as: actor.acting.iter().map(|held| held.role).collect(),
        token: token.id,
        label: token.label,
        scopes: bearer.scopes.iter().map(Scope::as_str).collect(),
        network: token.network,
        ends: rfc3339(token.ends_ms),
    }))
}
