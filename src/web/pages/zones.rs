//! The zones, for the administrator: serials, last reload, findings, signing, drift.
//! Records are not edited here: they come from the operator's file or from an approved request.

mod signing;

use askama::Template;
use axum::extract::State as Extract;
use axum::response::Response;

use crate::desk::{ActError, Drift};
use crate::fleet::RefreshStatus;
use crate::people::Role;
use crate::publish::{By, PublishError, ReloadReport, Secondary, ZoneStatus, now_ms};
use crate::web::failure::Failure;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::wire::Name;
use crate::words::Words;
use signing::SigningPart;

/// Versions shown of each zone.
const VERSIONS: usize = 10;
/// Findings shown of a refused file.
const FINDINGS: usize = 50;

/// One zone in words.
struct ZonePart {
    /// The apex.
    name: String,
    /// Facts.
    facts: Vec<(String, String)>,
    /// What was refused of it: its file, or a transfer.
    refused_what: String,
    /// When that was refused.
    refused_when: String,
    /// Why, `file:line:column` first.
    refused: Vec<String>,
    /// What is to be known.
    notes: Vec<String>,
    /// How it is signed; none of a zone that gapura does not sign.
    signing: Option<SigningPart>,
    /// The servers that are told of its changes.
    secondaries: Vec<String>,
    /// What is served otherwise than the file says.
    apart: Vec<String>,
    /// Versions: serial, cause, who, when.
    history: Vec<(String, String, String, String)>,
}

/// The page.
#[derive(Template)]
#[template(path = "zones.html", config = "src/web/askama.toml")]
struct ZonesPage {
    /// Frame.
    shell: Shell,
    /// What a reload just said.
    reports: Vec<String>,
    /// Whether all of it was good.
    reports_good: bool,
    /// Which node publishes; empty if there is one only.
    publisher: String,
    /// Zones.
    zones: Vec<ZonePart>,
    /// Promised and not served so.
    drift: Vec<String>,
}

/// `GET /zona`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    page(&zones_page(&state, &visitor, Vec::new()).await?)
}

/// `POST /zona`: looks at every zone file now.
pub(super) async fn reload(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let by = By::person(sent.visitor.need(&[Role::Operator])?.actor().name);
    let reports = state.work(move |state| state.publisher().reload(None, &by)).await?;
    page(&zones_page(&state, &sent.visitor, reports).await?)
}

/// Everything the page shows.
async fn zones_page(
    state: &State,
    visitor: &Visitor,
    reports: Vec<ReloadReport>,
) -> Result<ZonesPage, Failure> {
    let t = visitor.t;
    let (zones, drift) = state
        .work(move |state| {
            let publisher = state.publisher();
            let mut zones = Vec::new();
            for status in publisher.status() {
                let versions = publisher.history_of_content(&status.zone, VERSIONS)?;
                let versions = versions.into_iter().map(|version| {
                    let cause = cause_words(t, version.cause.kind());
                    let cause = match version.cause.about() {
                        Some(number) => format!("{cause} {number}"),
                        None => cause,
                    };
                    (version.to.to_string(), cause, version.who, t.date_time(version.at_ms))
                });
                let mut part = zone_part(t, &status, state.refresh_status(&status.zone).as_ref());
                part.history = versions.collect();
                part.signing = signing_part(t, state, &status.zone)?;
                zones.push(part);
            }
            let drift = state.desk().drift().map_err(|error: ActError| error.to_string());
            let drift = drift.map_or_else(
                |error| vec![error],
                |drift| drift.iter().map(|item| drift_words(t, item)).collect(),
            );
            Ok::<_, PublishError>((zones, drift))
        })
        .await?
        .map_err(Failure::internal)?;
    let node = state.work(|state| state.store().publishing()).await??;
    let publisher = node.map(|node| t.a("zones-publisher", "name", &node.name));
    Ok(ZonesPage {
        shell: Shell::new(visitor, t.s("zones-title")).wide(),
        reports_good: reports.iter().all(ReloadReport::is_ok),
        reports: reports.iter().map(ToString::to_string).collect(),
        publisher: publisher.unwrap_or_default(),
        zones,
        drift,
    })
}

/// How a zone is signed; none if gapura does not sign it, and nothing is wrong with its signatures.
fn signing_part(t: Words, state: &State, zone: &Name) -> Result<Option<SigningPart>, PublishError> {
    let signing = state.publisher().signing(zone)?;
    let (facts, alarms) = (state.signer().facts(zone, &signing), state.signer().alarms(zone));
    let now = u64::try_from(now_ms().div_euclid(1000)).unwrap_or_default();
    Ok(signing::part(t, (zone, &signing), (&facts, &alarms), now))
}

/// What is known of a zone, each with its label.
fn zone_facts(
    t: Words,
    status: &ZoneStatus,
    refresh: Option<&RefreshStatus>,
) -> Vec<(String, String)> {
    let number = |serial: Option<u32>| serial.map_or_else(|| "–".to_owned(), |it| it.to_string());
    let count = |many: usize| t.count(u64::try_from(many).unwrap_or(u64::MAX));
    let mut facts = vec![(t.s("zones-serial"), number(status.serial))];
    let is_secondary = status.is_secondary();
    if status.is_made() {
        facts.push((t.s("zones-source"), t.s("zones-made")));
    } else if is_secondary {
        let heard = status.refreshed_ms.map_or_else(|| "–".to_owned(), |at_ms| t.date_time(at_ms));
        facts.push((t.s("zones-primaries"), status.primaries.join(", ")));
        facts.push((t.s("zones-refreshed"), heard));
        facts.extend(refresh.into_iter().flat_map(|refresh| refresh_facts(t, refresh)));
    } else {
        facts.push((t.s("zones-file-serial"), number(status.file_serial)));
        facts.push((t.s("zones-file"), status.file.display().to_string()));
    }
    facts.push((t.s("zones-records"), count(status.records)));
    facts.push((t.s("zones-names"), count(status.names)));
    if !is_secondary && !status.is_made() {
        let of_requests = status.promoted.unwrap_or_default().saturating_sub(status.by_updates);
        facts.push((t.s("zones-promoted"), count(of_requests)));
        facts.push((t.s("zones-updated"), count(status.by_updates)));
    }
    if let Some(end) = status.signatures_end {
        facts.push((t.s("zones-signatures-end"), t.date_time(end.saturating_mul(1000))));
    }
    if let Some(change) = &status.last_change {
        let words =
            format!("{} – {}", t.date_time(change.at_ms), cause_words(t, change.cause.kind()));
        facts.push((t.s("zones-last"), words));
    }
    facts
}

/// How a secondary zone is kept fresh, each with its label.
fn refresh_facts(t: Words, refresh: &RefreshStatus) -> Vec<(String, String)> {
    let next = refresh.next_try_seconds;
    let next =
        next.map_or_else(|| t.s("zones-asking"), |left| t.a("zones-in", "span", &span(t, left)));
    let mut facts = vec![(t.s("zones-next-try"), next)];
    facts.extend(refresh.expires_seconds.map(|left| (t.s("zones-left"), span(t, left))));
    facts.extend(refresh.error.clone().map(|error| (t.s("zones-error"), error)));
    facts
}

/// A time by the clock in words, in the two largest units: "2 days 3 hours".
fn span(t: Words, seconds: u64) -> String {
    let units =
        [("day", 86_400, u64::MAX), ("hour", 3_600, 24), ("minute", 60, 60), ("second", 1, 60)];
    let parts = units.map(|(unit, length, of)| (unit, seconds / length % of));
    let said =
        parts.iter().skip_while(|(_, many)| *many == 0).take(2).filter(|(_, many)| *many > 0);
    let said: Vec<String> =
        said.map(|(unit, many)| t.a(&format!("zones-{unit}s"), "count", &t.count(*many))).collect();
    if said.is_empty() { t.a("zones-seconds", "count", "0") } else { said.join(" ") }
}

/// A zone in words.
fn zone_part(t: Words, status: &ZoneStatus, refresh: Option<&RefreshStatus>) -> ZonePart {
    let facts = zone_facts(t, status, refresh);
    let mut notes = Vec::new();
    match (status.serial, status.is_secondary()) {
        (None, false) => notes.push(t.s("zones-not-loaded")),
        (None, true) => notes.push(t.s("zones-not-transferred")),
        (Some(_), _) if status.expired => notes.push(t.s("zones-expired")),
        (Some(_), _) => {}
    }
    if status.from_store {
        notes.push(t.s("zones-from-store"));
    }
    if status.rolled_back {
        notes.push(t.s("zones-rolled-back"));
    }
    let refusal = status.refusal.as_ref();
    let findings = refusal.into_iter().flat_map(|refusal| &refusal.findings);
    let mut apart = status.absent_from_file.clone();
    apart.extend(status.masked.iter().cloned());
    ZonePart {
        name: status.zone.to_string(),
        facts,
        refused_what: t.s(if status.is_secondary() {
            "zones-transfer-refused"
        } else {
            "zones-refused"
        }),
        refused_when: refusal.map(|refusal| t.date_time(refusal.at_ms)).unwrap_or_default(),
        signing: None,
        refused: findings.take(FINDINGS).map(ToString::to_string).collect(),
        notes,
        secondaries: status.secondaries.iter().map(|one| secondary_words(t, one)).collect(),
        apart,
        history: Vec::new(),
    }
}

/// A secondary in words.
fn secondary_words(t: Words, one: &Secondary) -> String {
    let serial = one.serial.map_or_else(|| "–".to_owned(), |serial| serial.to_string());
    let values = [("name", one.name.as_str()), ("address", &one.address), ("serial", &serial)];
    let mut parts = vec![t.with("zones-secondary", &values)];
    parts.extend(one.seen.map(|at| t.a("zones-secondary-seen", "when", &t.date_time(at))));
    let behind = one.behind_since;
    parts.extend(behind.map(|at| t.a("zones-secondary-behind", "when", &t.date_time(at))));
    parts.extend(one.error.clone());
    parts.join("; ")
}

/// Why there is a version, in words.
fn cause_words(t: Words, kind: &str) -> String {
    t.s(&format!("cause-{kind}"))
}

/// One difference in words.
fn drift_words(t: Words, drift: &Drift) -> String {
    let types = drift.types.join(", ");
    let request = drift.request.as_deref().unwrap_or("–");
    let values = [("name", drift.name.as_str()), ("types", &types), ("request", request)];
    t.with("zones-missing", &values)
}

#[cfg(test)]
mod tests;
