//! The tables in `docs/procedure.md`, `docs/api.md` and `docs/webhooks.md` are those of the code.

use super::table::ANNOUNCEMENTS;
use super::*;

/// Whom a step notifies, in words.
fn recipient(recipient: Recipient) -> &'static str {
    match recipient {
        Recipient::Applicant => "applicant",
        Recipient::Heads => "every `kabid`, while it waits to be routed",
        Recipient::ApplicantOfMissedStart => "the applicant, if the start asked for was missed",
        Recipient::SecondSigner => "every `kabid`, while the second signature is missing",
        Recipient::Holder => "the holder",
        Recipient::Operators => "every `admin`",
        Recipient::Party => "the party",
        Recipient::Owner => "the owner of the name",
        Recipient::OtherDeciders => "every `kasi` or `kabid`, whichever did not do it",
        Recipient::Officers => "every officer",
    }
}

/// Whom a step or an event notifies, and of what, in words.
fn notified(notices: Notices) -> String {
    let mut text =
        notices.recipients.iter().map(|it| recipient(*it)).collect::<Vec<_>>().join("; ");
    if !notices.points.is_empty() {
        let verdicts = quoted(notices.points.iter().map(|verdict| verdict.as_str()));
        text.push_str(&format!(", with the lines marked {verdicts}"));
    }
    text
}

/// What must hold, in words.
fn holds(row: &Row) -> String {
    let all = row.condition.map(Condition::about).into_iter().chain([row.holds]);
    all.filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Words in backquotes, with commas between.
fn quoted(words: impl Iterator<Item = &'static str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The phases of a step, with those it is too early in.
fn phases(row: &Row) -> String {
    let from = quoted(row.from.iter().map(|phase| phase.as_str()));
    if row.early.is_empty() {
        return from;
    }
    format!("{from} (too early in {})", quoted(row.early.iter().map(|phase| phase.as_str())))
}

/// The table as Markdown.
fn markdown() -> String {
    let mut text = String::from(
        "| step | from | by | takes | must hold | to | notifies | papers |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in TABLE {
        let proof =
            if row.act.is_some() && row.deed.is(Flag::FreshProof) { " \u{2731}" } else { "" };
        text.push_str(&format!(
            "| `{}`{proof} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.deed,
            phases(row),
            row.who.about(),
            quoted(row.inputs.iter().map(|input| input.name)),
            holds(row),
            quoted(row.to.iter().map(|state| state.as_str())),
            notified(row.notices),
            quoted(row.papers.iter().map(|kind| kind.as_str())),
        ));
    }
    text.push_str(
        "\n\u{2731} Pages ask for password and code again. `consulting` is `assigned` while another \
         party is asked; `awaits_second`, `scheduled` and `promoting` are `verified` while the second \
         signature, the start time or the read-back is missing. A step that is too early is not \
         offered; trying it says what is missing. Acts that \
         any officer may do with somebody's letter are offered to `kabid` and `kasi` only.\n\nPeople get a notice of these events too:\n\n",
    );
    for (deed, notices) in ANNOUNCEMENTS {
        text.push_str(&format!("- `{deed}`: {}\n", notified(*notices)));
    }
    text.push_str(
        "\nThe table is made from `src/core/queue/procedure/table.rs` by \
         `GAPURA_WRITE_DOCS=1 cargo test --lib the_manual_holds_this_table`.\n",
    );
    text
}

/// What acts take, as Markdown.
fn bodies() -> String {
    let mut text = String::from("| act | body |\n|---|---|\n");
    for act in ActKind::ALL {
        let names: Vec<&str> = act.row().inputs.iter().map(|input| input.name).collect();
        text.push_str(&format!("| `{act}` | `{{{}}}` |\n", names.join(", ")));
    }
    text
}

/// The events that webhooks report, as Markdown.
fn reported() -> String {
    let all = Deed::ALL.into_iter().filter(|deed| deed.is_for_webhooks());
    let (steps, others): (Vec<Deed>, Vec<Deed>) =
        all.partition(|deed| TABLE.iter().any(|row| row.deed == *deed));
    let list = |deeds: Vec<Deed>| quoted(deeds.into_iter().map(Deed::as_str));
    format!("- of requests: {}\n- of names: {}\n", list(steps), list(others))
}

/// Tests that a file of the manual holds a text between its markers, or writes it there.
#[track_caller]
fn manual_holds(file: &str, marker: &str, text: &str) {
    let path = format!("{}/../../docs/{file}", env!("CARGO_MANIFEST_DIR"));
    let (begin, end) = (format!("<!-- {marker}: begin -->\n"), format!("<!-- {marker}: end -->"));
    let manual = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = manual.split_once(&begin).unwrap();
    let (held, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("GAPURA_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{begin}{text}{end}{after}")).unwrap();
    } else {
        assert!(
            held == text,
            "docs/{file} is behind the code: run\n\
             GAPURA_WRITE_DOCS=1 cargo test --lib the_manual_holds_this_table"
        );
    }
}

#[test]
fn the_manual_holds_this_table() {
    manual_holds("procedure.md", "procedure table", &markdown());
    manual_holds("api.md", "bodies", &bodies());
    manual_holds("webhooks.md", "events", &reported());
}

#[test]
fn every_act_has_its_row_and_a_deed_notifies_the_same_people_everywhere() {
    for act in ActKind::ALL {
        assert_eq!(act.row().act, Some(act));
        assert_eq!(act.row().deed.as_str(), act.as_str());
    }
    assert_eq!((Turn::Submit.row().deed, Turn::Close.row().deed), (Deed::Submit, Deed::Close));
    for row in TABLE {
        let (here, found) = (row.notices, notices(row.deed));
        assert_eq!(found.recipients, here.recipients, "{}", row.deed);
        assert_eq!((found.points, found.wanted_in), (here.points, row.to), "{}", row.deed);
        assert_eq!(papers(row.deed), row.papers, "{}", row.deed);
        assert!(row.to.len() == 1 || row.to.len() == row.from.len(), "{}", row.deed);
        let is_told = here.recipients.contains(&Recipient::Applicant);
        assert!(is_told || here.points.is_empty(), "{}: points for nobody", row.deed);
    }
    assert_eq!(notices(Deed::GoLive).recipients, []);
}
