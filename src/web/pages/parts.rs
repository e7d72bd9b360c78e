//! What several pages share of a request: looking it up, history, proof, lines, tags, time left, and
//! why an act was refused.

use std::collections::BTreeMap;

use crate::audit::{PROOF, ROW_LOG};
use crate::desk::{ActError, Viewer};
use crate::people::Account;
use crate::queue::procedure::Flag;
use crate::queue::time::MINUTE_MS;
use crate::queue::{
    ActKind, Deed, Fault, FaultCode, Ground, Kind, LineCode, LineVerdict, List, LiveState,
    NamingClass, NoticeState, Outcome, Overrule, PaperKind, Phase, RejectReason, Role, Rule, Rules,
    State,
};
use crate::view::{
    FaultView, HistoryView, LineView, ObservationView, ProofView, RequestView, Summary,
};
use crate::web::failure::Failure;
use crate::web::shell::role_title;
use crate::web::state::State as Web;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// How long the word of what was done stays on a page.
const DONE_SHOWN_MS: i64 = 10 * MINUTE_MS;

//------------ Tags ----------------------------------------------------------

/// The class of a state's tag; the word itself says the same.
pub(super) fn tag(state: State) -> &'static str {
    match state {
        State::Live | State::Notified | State::Closed => "good-tag",
        State::PromotionFailed | State::Rejected | State::Expired => "bad-tag",
        State::NeedsCorrection => "wait-tag",
        State::Draft | State::Submitted | State::Assigned | State::Verified | State::Withdrawn => {
            ""
        }
    }
}

/// That gapura asks for it by itself, why, and since when; nothing where an office asks.
pub(super) fn raised_line(t: Words, view: &RequestView) -> Option<String> {
    let ground = view.raised?.say(t);
    let since = view.raised_since.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    Some(t.with("raised-line", &[("ground", &ground), ("since", &since)]))
}

/// The class of the time left to a step; the words say the same.
pub(super) fn left_class(item: &Summary, rules: &Rules) -> &'static str {
    let soon = item.left_minutes.is_some_and(|minutes| is_soon(item.state, minutes, rules));
    match (item.late, soon) {
        (true, _) => "late",
        (false, true) => "soon",
        _ => "",
    }
}

/// Whether a quarter of a step's time or less is left; the same moment as the reminder's.
fn is_soon(state: State, minutes: i64, rules: &Rules) -> bool {
    let step = state.clock_step().filter(|_| state != State::NeedsCorrection);
    let limit = step.map_or(2 * rules.working_day * 4, |step| step.limit(rules));
    minutes * MINUTE_MS * 4 <= limit
}

/// Whom a request waits for: who, and what they are or have to do.
pub(super) fn waits(t: Words, item: &Summary, people: &[Account]) -> (String, String) {
    let title = |it: &Account| role_title(t, &it.title, it.role);
    match item.phase.turn() {
        Some(Role::Verifier) => {
            let holder = item.holder.as_deref();
            let known = holder.and_then(|name| people.iter().find(|it| it.name == name));
            known.map_or_else(
                || (Role::Verifier.say(t), String::new()),
                |it| (it.full_name.clone(), title(it)),
            )
        }
        Some(Role::Head) => {
            let what =
                if item.phase == Phase::AwaitsSecond { "waits-second" } else { "waits-route" };
            (Role::Head.say(t), t.s(what))
        }
        Some(Role::System) => match &item.scheduled {
            Some(at) => (Role::System.say(t), t.a("waits-until", "when", &t.moment(at))),
            None => (Role::System.say(t), t.s("waits-scheduled")),
        },
        Some(role) => (role.say(t), String::new()),
        None if item.phase == Phase::Consulting => (t.s("waits-party"), String::new()),
        None => ("–".to_owned(), String::new()),
    }
}

/// Name and zone as one name without the final dot.
pub(super) fn full_name(name: &str, zone: &str) -> String {
    format!("{name}.{}", zone.trim_end_matches('.'))
}

//------------ History -------------------------------------------------------

/// One event in words.
pub(super) struct Past {
    /// What was done.
    pub(super) what: String,
    /// By whom; the role only, for the public.
    pub(super) who: String,
    /// When.
    pub(super) when: String,
    /// From which state to which.
    pub(super) moved: String,
    /// Facts without personal data.
    pub(super) facts: Vec<String>,
}

/// Class of a name's tag; the word itself says the same.
pub(super) fn live_tag(state: LiveState) -> &'static str {
    match state {
        LiveState::Live => "good-tag",
        LiveState::Reconfirming | LiveState::Held => "wait-tag",
        LiveState::Suspended | LiveState::Removed | LiveState::Quarantined => "bad-tag",
        LiveState::Free => "",
    }
}

/// The events of a request, the newest first.
pub(super) fn history(t: Words, events: &[HistoryView], officer: bool) -> Vec<Past> {
    events.iter().rev().map(|event| past(t, event, officer)).collect()
}

/// The events of a request that matter to its applicant, the newest first.
pub(super) fn milestones(t: Words, events: &[HistoryView]) -> Vec<Past> {
    let is_told = |deed: Deed| deed.is(Flag::Milestone);
    let told = events.iter().rev().filter(|event| event.act.parse().is_ok_and(is_told));
    told.map(|event| Past {
        what: t.s(&format!("milestone-{}", event.act.replace('_', "-"))),
        who: String::new(),
        when: t.moment(&event.at),
        moved: String::new(),
        facts: Vec::new(),
    })
    .collect()
}

/// One event in words.
fn past(t: Words, event: &HistoryView, officer: bool) -> Past {
    let role = role_words(t, &event.role);
    let who = match &event.who {
        Some(who) if officer && !who.is_empty() => format!("{who} ({role})"),
        _ => role,
    };
    let state = |word: &Option<String>| {
        word.as_deref().and_then(State::from_name).map(|state| state.say(t)).unwrap_or_default()
    };
    let (before, after) = (state(&event.before), state(&event.after));
    let moved = match (before.as_str(), after.as_str()) {
        ("", "") => String::new(),
        (before, after) if before == after || after.is_empty() => before.to_owned(),
        ("", after) => after.to_owned(),
        (before, after) => format!("{before} → {after}"),
    };
    let shown = |(key, _): &(&String, &String)| officer && !is_of_the_log(&event.facts, key);
    let facts = event.facts.iter().filter(shown);
    Past {
        what: done_words(t, &event.act, &event.facts),
        who,
        when: t.moment(&event.at),
        moved,
        facts: facts.filter_map(|(key, value)| fact_words(t, key, value)).collect(),
    }
}

/// Whether a fact is of use to whoever reads the log only: what a program said when a promotion could not begin. What
/// was asked and answered in a read-back is for officers.
pub(super) fn is_of_the_log(facts: &BTreeMap<String, String>, key: &str) -> bool {
    let began = facts.get("step").is_none_or(|step| step == READ_BACK);
    !began && matches!(key, "found" | "expected" | "question")
}

/// The step of a promotion in which our own sockets are asked.
pub(super) const READ_BACK: &str = "read_back";

/// The step of a promotion in words.
pub(super) fn promotion_step(t: Words, step: &str) -> String {
    let id = format!("promotion-step-{}", step.replace('_', "-"));
    if t.has(&id) { t.s(&id) } else { step.to_owned() }
}

/// A fact of an event in words; none for what only the chain itself needs (hashes of what is
/// shown elsewhere).
pub(super) fn fact_words(t: Words, key: &str, value: &str) -> Option<String> {
    // The assignee is already shown as the holder.
    let id = key == "to" && value.starts_with("p-");
    // Hashes of what is shown elsewhere.
    let silent = ["letter_sha256", "promotion", PROOF, ROW_LOG].contains(&key);
    if value.is_empty() || id || silent {
        return None;
    }
    let said = match key {
        "class" => NamingClass::from_name(value).map(|it| it.say(t)),
        "kind" => Kind::from_name(value).map(|it| it.say(t)),
        "list" => List::from_name(value).map(|it| super::lists::title_of(t, it)),
        "paper" => PaperKind::from_name(value).map(|it| it.say(t)),
        "cause" => Ground::from_name(value).map(|it| it.say(t)),
        "turned_back" => FaultCode::from_name(value).map(|it| it.say(t)),
        "about" => Some(act_words(t, value)),
        "lines" => Some(lines_words(t, value)),
        "changed" => Some(fields_words(t, value)),
        "role" | "from" | "to" if Role::from_name(value).is_some() => Some(role_words(t, value)),
        "invited_by" if value == "console" => Some(t.s("fact-console")),
        "style" => Some(t.s(if value == "plt" { "acting-plt" } else { "acting-plh" })),
        _ if key.ends_with("_ms") => value.parse().ok().map(|at| t.date_time(at)),
        "why" => Some(why_words(t, value)?),
        "reason" => RejectReason::from_code(value).map(|it| it.say(t)),
        "step" => Some(promotion_step(t, value)),
        _ => match value {
            "true" => Some(t.s("fact-yes")),
            "false" => Some(t.s("fact-no")),
            _ => None,
        },
    };
    let id = format!("fact-{}", key.replace('_', "-"));
    let name = if t.has(&id) { t.s(&id) } else { key.replace('_', " ") };
    Some(format!("{name}: {}", said.unwrap_or_else(|| value.to_owned())))
}

/// Why an attempt was turned back: lines and fields with the rules they break, the rules in words; none where it is a
/// sentence for the log.
fn why_words(t: Words, value: &str) -> Option<String> {
    let one = |part: &str| {
        let (field, rule) = part.rsplit_once(' ')?;
        Some(format!("{field}: {}", Rule::from_name(rule)?.say(t)))
    };
    let all: Option<Vec<String>> = value.split(", ").map(one).collect();
    all.map(|all| all.join(", "))
}

/// "contact,letter" in words.
fn fields_words(t: Words, value: &str) -> String {
    let one = |field: &str| {
        let id = format!("field-{}", field.trim().replace('_', "-"));
        if t.has(&id) { t.s(&id) } else { field.trim().to_owned() }
    };
    value.split(',').map(one).collect::<Vec<_>>().join(", ")
}

/// "M1 fix, M5 ok" in words.
fn lines_words(t: Words, value: &str) -> String {
    let line = |line: &str| match line.trim().split_once(' ') {
        Some((code, verdict)) => {
            let said = LineVerdict::from_name(verdict).map(|it| it.say(t));
            format!("{code} {}", said.map_or_else(|| verdict.to_owned(), |it| it.to_lowercase()))
        }
        None => line.trim().to_owned(),
    };
    value.split(',').map(line).collect::<Vec<_>>().join(", ")
}

/// A state of any of the three machines in words; a word that is none stays as it is.
pub(super) fn state_words(t: Words, word: &str) -> String {
    let request = State::from_name(word).map(|it| it.say(t));
    let live = || LiveState::from_name(word).map(|it| it.say(t));
    let notice = || NoticeState::from_name(word).map(|it| it.say(t));
    request.or_else(live).or_else(notice).unwrap_or_else(|| word.to_owned())
}

/// What was done, or what was tried and turned back.
pub(super) fn done_words(t: Words, act: &str, facts: &BTreeMap<String, String>) -> String {
    let what = act_words(t, act);
    if facts.contains_key("turned_back") { t.a("past-turned-back", "what", &what) } else { what }
}

/// What was done, as a past fact; an act without words shows its own name.
pub(super) fn act_words(t: Words, act: &str) -> String {
    let word = act.replace('_', "-");
    let past = format!("past-{word}");
    if t.has(&past) {
        return t.s(&past);
    }
    let id = format!("act-{word}");
    if t.has(&id) { t.s(&id) } else { act.replace('_', " ") }
}

/// The words of a role; a word that is no role stays as it is.
pub(super) fn role_words(t: Words, role: &str) -> String {
    let known = [Role::Applicant, Role::System].into_iter().chain(Role::OFFICERS);
    known.into_iter().find(|it| it.as_str() == role).map_or_else(|| role.to_owned(), |it| it.say(t))
}

//------------ Proof ---------------------------------------------------------

/// The proof of a live name in words.
pub(super) struct Shown {
    /// A sentence.
    pub(super) line: String,
    /// How long older answers may linger.
    pub(super) linger: String,
    /// The answer.
    pub(super) answer: String,
    /// The answer before the change, or empty.
    pub(super) before: String,
    /// The command that repeats it.
    pub(super) dig: String,
    /// Secondaries that had it in time, or empty.
    pub(super) reached: String,
    /// Those that had not, or empty.
    pub(super) late: String,
    /// The words that open the full list.
    pub(super) all: String,
    /// Every question that was asked.
    pub(super) rows: Vec<ShownAnswer>,
}

/// One question of the proof in words.
pub(super) struct ShownAnswer {
    /// Server and transport.
    pub(super) server: String,
    /// What was asked.
    pub(super) question: String,
    /// What came.
    pub(super) answer: String,
    /// SHA-256 of the response, its first digits.
    pub(super) hash: String,
    /// When.
    pub(super) at: String,
}

/// The proof in words.
pub(super) fn proof(t: Words, proof: &ProofView) -> Shown {
    let rows = proof.asked.iter().map(|asked| ShownAnswer {
        server: format!("{} {}", asked.server, asked.transport.to_uppercase()),
        question: asked.question.clone(),
        answer: answer_words(asked),
        hash: asked.sha256.chars().take(16).collect(),
        at: t.moment(&asked.at),
    });
    let rows: Vec<_> = rows.collect();
    let secondaries = |in_time: bool| {
        let some = proof.secondaries.iter().filter(|one| one.in_time == in_time);
        some.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let minutes = (proof.lingers > 0).then(|| proof.lingers.div_ceil(60).to_string());
    Shown {
        line: t.a("proof-line", "serial", &proof.serial.to_string()),
        linger: minutes.map(|it| t.a("proof-linger", "minutes", &it)).unwrap_or_default(),
        answer: proof.after.as_ref().map(answer_words).unwrap_or_default(),
        before: proof.before.as_ref().map(answer_words).unwrap_or_default(),
        dig: proof.dig.clone(),
        reached: secondaries(true),
        late: secondaries(false),
        all: t.a("proof-all", "count", &rows.len().to_string()),
        rows,
    }
}

/// Response code and answer section.
fn answer_words(asked: &ObservationView) -> String {
    let lines =
        std::iter::once(asked.rcode.as_str()).chain(asked.answer.iter().map(String::as_str));
    lines.collect::<Vec<_>>().join("\n")
}

//------------ Lines ---------------------------------------------------------

/// One line of the check sheet in words.
pub(super) struct SheetLine {
    /// Its code.
    pub(super) code: &'static str,
    /// What it asks.
    pub(super) words: String,
    /// What came out.
    pub(super) outcome: String,
    /// Class of the outcome's tag.
    pub(super) tag: &'static str,
    /// What was found.
    pub(super) found: Vec<String>,
    /// Choices: value, words, whether chosen.
    pub(super) choices: Vec<(&'static str, String, bool)>,
    /// The note.
    pub(super) note: String,
    /// Who wrote it and when.
    pub(super) who: String,
    /// How it is checked.
    pub(super) how: String,
    /// Whether its note is always open: passing it over takes one.
    pub(super) noted: bool,
    /// What is wrong with what was sent.
    pub(super) fault: Option<String>,
}

impl SheetLine {
    /// Marks the choice of this value and no other.
    pub(super) fn choose(&mut self, value: &str) {
        for (word, _, chosen) in &mut self.choices {
            *chosen = *word == value;
        }
    }
}

/// What came out of a line, in words, and the class of its tag. An automatic line that an officer
/// passed over says so.
fn outcome(t: Words, line: &LineView) -> (String, &'static str) {
    let passed_over = line.who.is_some() && line.verdict == Some(LineVerdict::Ok);
    let tag = match (line.outcome, line.verdict) {
        (Some(Outcome::Failed), _) if passed_over => return (t.s("outcome-overruled"), "wait-tag"),
        (Some(Outcome::Unchecked), _) if passed_over => {
            return (t.s("outcome-by-hand"), "good-tag");
        }
        (Some(Outcome::Failed), _) | (None, Some(LineVerdict::Bad)) => "bad-tag",
        (Some(Outcome::Unchecked), _) | (None, Some(LineVerdict::Fix)) => "wait-tag",
        (Some(Outcome::Pass), _) | (None, Some(LineVerdict::Ok)) => "good-tag",
        _ => "",
    };
    let words = match (line.outcome, line.verdict) {
        (Some(outcome), _) => outcome.say(t),
        (None, Some(verdict)) => verdict.say(t),
        (None, None) => t.s("outcome-open"),
    };
    (words, tag)
}

/// A line in words.
pub(super) fn sheet_line(t: Words, line: &LineView) -> SheetLine {
    let (outcome, tag) = outcome(t, line);
    let written = if line.who.is_some() { line.verdict } else { None };
    let all = [LineVerdict::Ok, LineVerdict::Fix, LineVerdict::Bad];
    let mut found: Vec<String> = line.faults.iter().map(|fault| fault_words(t, fault)).collect();
    if line.automatic {
        found.extend(line.note.iter().filter(|_| line.who.is_some()).cloned());
    }
    let who = match (&line.who, &line.when) {
        (Some(who), Some(when)) => {
            let revision = line.revision.unwrap_or_default().to_string();
            let when = t.moment(when);
            t.with("review-who", &[("who", who), ("when", &when), ("revision", &revision)])
        }
        _ => String::new(),
    };
    SheetLine {
        code: line.code.as_str(),
        words: line.code.say(t),
        outcome,
        tag,
        found,
        choices: all.map(|it| (it.as_str(), it.say(t), written == Some(it))).to_vec(),
        note: line.note.clone().unwrap_or_default(),
        who,
        how: t.s(&format!("how-{}", line.code.as_str().to_lowercase())),
        noted: matches!(line.overrule, Some(Overrule::Note | Overrule::SecondSignature)),
        fault: None,
    }
}

/// A fault in words.
pub(super) fn fault_words(t: Words, fault: &FaultView) -> String {
    Fault::new(fault.field.clone(), fault.rule, fault.about.clone()).say(t)
}

/// Lines that need correction: what they ask and the reviewer's note.
pub(super) fn fixes(t: Words, view: &RequestView) -> Vec<(LineCode, String, String)> {
    let is_told = |line: &&LineView| match line.verdict {
        Some(LineVerdict::Fix) => true,
        Some(LineVerdict::Bad) => view.state == State::NeedsCorrection,
        _ => false,
    };
    let wrong = view.lines.iter().filter(is_told);
    let noted = wrong.filter(|line| line.note.is_some() || !line.automatic);
    noted.map(|line| (line.code, line.code.say(t), line.note.clone().unwrap_or_default())).collect()
}

//------------ A request in an officer's hands -------------------------------

/// The request as this officer may see it, and the accounts.
pub(super) async fn look(
    state: &Web,
    visitor: &Visitor,
    number: &str,
) -> Result<(RequestView, Vec<Account>), Failure> {
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    let number = number.to_owned();
    let found = state
        .work(move |state| {
            let view = state.desk().view(&number, &Viewer::Officer(actor))?;
            Ok::<_, ActError>((view, state.people().list().unwrap_or_default()))
        })
        .await??;
    Ok(found)
}

/// Why an act was refused as a whole, in words; nothing where the faults of its fields say it all.
pub(super) fn refusal(t: Words, error: &ActError) -> Option<String> {
    Some(match error {
        ActError::Rule(rule) if rule.code() == FaultCode::Incomplete => {
            return error.faults().is_empty().then(|| rule.code().say(t));
        }
        ActError::Rule(rule) => rule.code().say(t),
        ActError::Letter(_) => return None,
        ActError::Changed => t.s("code-changed"),
        ActError::KeyReused => t.s("code-stale"),
        ActError::NotAllowed => t.s("code-not-allowed"),
        ActError::NotFound => t.s("fail-missing-text"),
        error if error.is_disk_full() => t.s("fail-disk-text"),
        error if error.may_be_done() => t.s("fail-slow-text"),
        error if error.is_unavailable() => t.s("fail-store-text"),
        ActError::Limit(_) => t.s("fail-limit-all-text"),
        ActError::NoServer | ActError::Publish(_) => t.s("act-not-published"),
        ActError::Audit(_) | ActError::File { .. } => t.s("fail-internal-text"),
    })
}

/// Why an act was refused, in words, for pages whose form is another one.
pub(super) fn error_words(t: Words, error: &ActError) -> Vec<String> {
    let faults = error.faults().iter().map(|fault| line_fault(t, fault));
    refusal(t, error).into_iter().chain(faults).collect()
}

/// A fault with the line it is about.
pub(super) fn line_fault(t: Words, fault: &Fault) -> String {
    match LineCode::from_name(&fault.field) {
        Some(line) => format!("{} {} – {}", fault.field, line.say(t), fault.say(t)),
        None => fault.say(t),
    }
}

//------------ What was just done --------------------------------------------

/// Whether something was done so short a time ago that the word of it stays on the page.
pub(super) fn is_just_now(at: &str, now_ms: i64) -> bool {
    let at = time::OffsetDateTime::parse(at, &time::format_description::well_known::Rfc3339);
    at.is_ok_and(|at| now_ms - at.unix_timestamp() * 1000 < DONE_SHOWN_MS)
}

/// What this officer has just done on a request, in a sentence; nothing if it was not theirs or not
/// just now.
pub(super) fn just_done(
    t: Words,
    view: &RequestView,
    (me, now_ms): (&Account, i64),
    people: &[Account],
) -> String {
    let done = view.history.iter().rev().find(|it| it.role != Role::System.as_str());
    let own =
        |it: &&HistoryView| it.who.as_deref() == Some(&me.name) && is_just_now(&it.at, now_ms);
    let Some(done) = done.filter(own) else { return String::new() };
    let act = ActKind::from_name(&done.act);
    let promotes = act.is_some_and(|act| act.row().is_on_the_way_to_live());
    let id = match view.phase {
        Phase::PromotionFailed if promotes => return String::new(),
        Phase::Live | Phase::Notified if promotes => "done-live".to_owned(),
        Phase::AwaitsSecond if promotes => "done-awaits-second".to_owned(),
        Phase::Scheduled if promotes => "done-scheduled".to_owned(),
        _ => format!("done-{}", done.act.replace('_', "-")),
    };
    if !t.has(&id) {
        return t.s("ask-done");
    }
    let (who, title) = waits(t, view, people);
    let who = if title.is_empty() { who } else { format!("{who} ({title})") };
    let due = view.due.as_deref().map(|due| t.moment(due)).unwrap_or_default();
    let name = full_name(&view.name, &view.zone);
    t.with(&id, &[("who", &who), ("due", &due), ("name", &name), ("office", &view.office)])
}

/// The faults of a view in words, for pages beside this one.
pub(super) fn missing_words(t: Words, view: &RequestView) -> Vec<String> {
    let line = |fault: &FaultView| {
        let code = LineCode::from_name(&fault.field);
        let asks = code.map(|code| format!(" {}", code.say(t))).unwrap_or_default();
        format!("{}{asks} – {}", fault.field, fault_words(t, fault))
    };
    view.missing.iter().map(line).collect()
}
