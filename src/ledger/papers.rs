//! The papers of an act: made in its transaction, with number, code and content. The file is rendered
//! later from what is kept here, once; nothing that can go wrong with it touches the act.
//!
//! A content is sealed, because it names persons. A paper is never changed: a correction, or an erasure,
//! is a new one that takes its place.

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerError};
use crate::audit::{AuditError, Event, NewEvent, append, append_sealed, random};
use crate::dossier::{self, Making, Promoted, Seal, without_persons};
use crate::paper::{Acting, Content, Paper, Signer};
use crate::queue::papers::Replaces;
use crate::queue::procedure::papers;
use crate::queue::time::year_of;
use crate::queue::{Candidate, Deed, Happening, PaperKind, Request, Role, Signature};
use crate::store::papers::PaperRow;
use crate::store::people::{ActingRow, PersonRow};
use crate::store::words::ActingStyle;
use crate::store::{Reader, StoreError, Tx};

/// Digits and letters that are not taken for one another (Crockford's base 32).
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Octets of a code: 80 bits.
const CODE_OCTETS: usize = 10;
/// Characters of a code that are read aloud in one go.
const CODE_GROUP: usize = 4;

/// A paper as it is kept: what it says, and who signed it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct KeptPaper {
    /// The paper.
    pub paper: Paper,
    /// Those who sign it, in order; none where only a title stands there.
    pub signed: Vec<Option<Signature>>,
}

/// A paper to be made.
pub struct NewPaper<'a> {
    /// The request and its revision; none for the report of a month.
    pub request: Option<(&'a str, u32)>,
    /// The name asked for, or the month.
    pub about: &'a str,
    /// The event it is made of, with its hash.
    pub event: (i64, &'a str),
    /// What it says.
    pub content: Content,
    /// Those who sign it.
    pub signed: Vec<Option<Signature>>,
    /// Who makes it.
    pub by: &'a Signature,
    /// The paper whose place it takes.
    pub supersedes: Option<PaperRow>,
    /// Why, in the officer's words.
    pub reason: Option<&'a str>,
}

/// What the papers of an act are made of besides the request.
#[derive(Clone, Copy, Default)]
pub(super) struct Sources<'a> {
    /// The candidate zone that was decided on.
    pub(super) candidate: Option<&'a Candidate>,
    /// What was made live.
    pub(super) promoted: Option<&'a Promoted>,
}

/// What a content is sealed as.
fn context(id: &str) -> String {
    format!("paper:{id}")
}

//------------ Making --------------------------------------------------------

impl Ledger {
    /// Makes the papers of an act.
    pub(super) fn make_papers(
        &self,
        tx: &Tx<'_>,
        event: &Event,
        happening: &Happening,
        request: &Request,
        sources: Sources<'_>,
    ) -> Result<(), LedgerError> {
        let kinds = papers(happening.deed);
        if kinds.is_empty() {
            return Ok(());
        }
        let house = House::of(tx)?;
        let calendar = self.calendar();
        let number = request.number();
        let before = tx.papers_of(number)?;
        let in_force = |row: &&PaperRow| row.superseded_by.is_none();
        let mut slips =
            before.iter().filter(in_force).filter(|it| it.kind == PaperKind::Disposition);
        let slip = slips.next_back().map(|it| (it.number.clone(), it.at_ms));
        let (site, name_of) = (self.site(), |name: &str| house.name_of(name));
        let about = request.application().place().name.to_string();
        for kind in kinds.iter().copied() {
            let (verifier, head) = signers_of(kind, request, happening, &house);
            let making = Making {
                request,
                deed: happening.deed,
                at: happening.by.at,
                calendar: &calendar,
                rules: &self.rules,
                site: &site,
                verifier: house.signer(verifier.as_ref(), Role::Verifier),
                head: house.signer(head.as_ref(), Role::Head),
                name_of: &name_of,
                candidate: sources.candidate,
                promoted: sources.promoted,
                slip: slip.clone(),
            };
            let Some(content) = dossier::fill(kind, &making) else { continue };
            let signed = match &content {
                Content::Receipt(_) => Vec::new(),
                Content::Verification(it) if it.second.is_some() => vec![verifier, head],
                Content::Verification(_) | Content::Report(_) => vec![verifier],
                _ => vec![head],
            };
            let same = |row: &&PaperRow| row.kind == kind && row.superseded_by.is_none();
            let older = before.iter().filter(same).rfind(|row| match kind.replaces() {
                Replaces::Nothing => false,
                Replaces::SameRevision => row.revision == request.revision(),
                Replaces::Any => true,
            });
            self.issue_paper(
                tx,
                NewPaper {
                    request: Some((number, request.revision())),
                    about: about.trim_end_matches('.'),
                    event: (event.sequence, &event.hash),
                    content,
                    signed,
                    by: &happening.by,
                    supersedes: older.cloned(),
                    reason: None,
                },
            )?;
        }
        Ok(())
    }

    /// Makes a paper: number, code, row, event. Its file follows after the transaction.
    pub fn issue_paper(&self, tx: &Tx<'_>, new: NewPaper<'_>) -> Result<PaperRow, LedgerError> {
        let (now, kind) = (self.now(), new.content.kind());
        let year = i64::from(year_of(now));
        let serial = tx.next_paper_serial(kind, year)?;
        let id = format!("{}-{year}-{serial:04}", kind.code());
        let (number, code) = (kind.number(serial, now), new_code()?);
        let old = new.supersedes;
        let office_number = old.as_ref().and_then(|old| old.office_number.clone());
        let seal = Seal {
            number: number.clone(),
            office_number: office_number.clone().unwrap_or_default(),
            code: grouped(&code),
            url: format!("{}/periksa-naskah/{code}", self.site()),
            supersedes: old.as_ref().map(|old| old.number.clone()),
            ..Seal::at((new.event.0, new.event.1), now)
        };
        let paper = dossier::paper(seal, new.content);
        let kept = KeptPaper { paper, signed: new.signed };
        let (request, revision) =
            new.request.map_or((None, 0), |(it, revision)| (Some(it), revision));
        let row = PaperRow {
            request: request.map(str::to_owned),
            revision,
            kind,
            year,
            serial,
            number,
            code,
            about: new.about.to_owned(),
            event: new.event.0,
            at_ms: now,
            content: self.seal(&context(&id), &kept)?,
            file: None,
            sha256: None,
            octets: None,
            rendered_ms: None,
            tries: 0,
            next_try_ms: Some(now),
            supersedes: old.as_ref().map(|old| old.id.clone()),
            superseded_by: None,
            office_number,
            erased_ms: None,
            id: id.clone(),
        };
        tx.put_paper(&row)?;
        let mut event = paper_event(now, new.by, Deed::PaperIssued, &row);
        if let Some(old) = old {
            event = event.with("supersedes", &old.number);
            tx.put_paper(&PaperRow { superseded_by: Some(id), ..old })?;
        }
        match new.reason {
            Some(reason) => append_sealed(tx, event, &[self.vault.commit("reason", reason)?])?,
            None => append(tx, event)?,
        };
        self.papers_wanted.notify_one();
        Ok(row)
    }

    /// What a paper says; none once it was erased.
    pub fn open_paper(&self, row: &PaperRow) -> Result<Option<KeptPaper>, AuditError> {
        if row.content.is_empty() {
            return Ok(None);
        }
        self.unseal(&context(&row.id), &row.content).map(Some)
    }

    /// Makes a paper anew that takes the place of one in force: those who sign, their titles and the
    /// head are named as they are now.
    pub fn correct_paper(
        &self,
        tx: &Tx<'_>,
        old: PaperRow,
        by: &Signature,
        reason: &str,
    ) -> Result<PaperRow, LedgerError> {
        let mut kept = self.open_paper(&old)?.ok_or(LedgerError::NotFound)?;
        let house = House::of(tx)?;
        let signed = kept.signed.clone();
        for (signer, by) in dossier::signers(&mut kept.paper.content).into_iter().zip(&signed) {
            if let Some(by) = by {
                *signer = house.signer(Some(by), by.role);
            }
        }
        self.replace_paper(tx, old, kept, by, Some(reason))
    }

    /// Makes a paper that takes the place of another.
    fn replace_paper(
        &self,
        tx: &Tx<'_>,
        old: PaperRow,
        kept: KeptPaper,
        by: &Signature,
        reason: Option<&str>,
    ) -> Result<PaperRow, LedgerError> {
        let (sequence, head) = tx.chain_head()?.unwrap_or_default();
        let (about, number) = (old.about.clone(), old.request.clone());
        let new = NewPaper {
            request: number.as_deref().map(|number| (number, old.revision)),
            about: &about,
            event: (sequence, &head),
            content: kept.paper.content,
            signed: kept.signed,
            by,
            supersedes: Some(old),
            reason,
        };
        self.issue_paper(tx, new)
    }

    /// Issues the papers of a request anew without the person who asked, and forgets what the old ones
    /// said. Returns the files to be deleted.
    pub(super) fn erase_papers(
        &self,
        tx: &Tx<'_>,
        number: &str,
        by: &Signature,
    ) -> Result<Vec<String>, LedgerError> {
        let mut files = Vec::new();
        for row in tx.papers_of(number)? {
            let Some(mut kept) = self.open_paper(&row)? else { continue };
            let content = without_persons(kept.paper.content.clone());
            if content == kept.paper.content {
                continue;
            }
            kept.paper.content = content;
            let mut old = row.clone();
            if row.superseded_by.is_none() {
                let new = self.replace_paper(tx, row, kept, by, None)?;
                old.superseded_by = Some(new.id);
            }
            files.extend(old.file.take());
            let erased = Some(self.now());
            tx.put_paper(&PaperRow {
                content: Vec::new(),
                next_try_ms: None,
                erased_ms: erased,
                ..old
            })?;
        }
        Ok(files)
    }

    /// Writes that something was done with a paper.
    pub fn note_paper(
        &self,
        tx: &Tx<'_>,
        by: &Signature,
        deed: Deed,
        row: &PaperRow,
    ) -> Result<(), LedgerError> {
        let event = paper_event(self.now(), by, deed, row);
        let event = row.sha256.iter().fold(event, |event, sha256| event.with("sha256", sha256));
        self.note(tx, event)
    }
}

/// An event about a paper.
fn paper_event(now: i64, by: &Signature, deed: Deed, row: &PaperRow) -> NewEvent {
    let subject = format!("paper:{}", row.id);
    let event = NewEvent::new(now, by.person(), by.role.as_str(), deed, &subject)
        .with("paper", row.kind)
        .with("number", &row.number);
    row.request.iter().fold(event, |event, request| event.with("request", request))
}

//------------ Codes ---------------------------------------------------------

/// A fresh code.
fn new_code() -> Result<String, AuditError> {
    let (mut bits, mut held, mut code) = (0_u32, 0, String::new());
    for octet in random::<CODE_OCTETS>()? {
        bits = (bits << 8) | u32::from(octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            let at = usize::try_from((bits >> held) & 31).unwrap_or(0);
            code.push(char::from(CODE_ALPHABET[at]));
        }
        bits &= (1 << held) - 1;
    }
    Ok(code)
}

/// A code in groups, as it is printed.
pub fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(CODE_GROUP).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// A code as somebody typed it: blanks, hyphens and capitals do not count, and neither do letters that
/// no code has because they look like digits. None if it can be no code.
pub fn read_code(text: &str) -> Option<String> {
    let mut code = String::new();
    for letter in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        };
        let known = u8::try_from(letter).is_ok_and(|octet| CODE_ALPHABET.contains(&octet));
        if !known || code.len() >= CODE_OCTETS * 8 / 5 {
            return None;
        }
        code.push(letter);
    }
    (code.len() == CODE_OCTETS * 8 / 5).then_some(code)
}

//------------ House ---------------------------------------------------------

/// The persons of the office, for the names on papers.
pub struct House {
    /// All accounts.
    people: Vec<PersonRow>,
    /// Who acts for whom.
    acting: Vec<ActingRow>,
}

impl House {
    /// The persons as they are now.
    pub fn of(reader: &Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self { people: reader.people()?, acting: reader.acting_officials()? })
    }

    /// Somebody's name as papers print it.
    fn name_of(&self, account: &str) -> String {
        let known = self.people.iter().find(|row| row.name == account);
        known.map_or_else(|| account.to_owned(), |row| row.full_name.clone())
    }

    /// The head who signs for the office now: whoever routed the request, else whoever acts, else the
    /// head.
    pub fn head_now(&self, request: Option<&Request>, now: i64) -> Option<Signature> {
        let heads = self.people.iter().filter_map(|row| {
            let actor = row.actor(&self.acting);
            actor.capacity(Role::Head, now)
        });
        let heads: Vec<Signature> = heads.collect();
        let slip = request.and_then(|request| request.dispositions().last());
        let routed = heads.iter().find(|by| slip.is_some_and(|it| it.from.person() == by.person()));
        let acting = || heads.iter().find(|by| by.acting.is_some());
        routed.or_else(acting).or_else(|| heads.first()).cloned()
    }

    /// Somebody who signs, with title, name, rank and NIP; the title alone where nobody is known.
    pub fn signer(&self, by: Option<&Signature>, role: Role) -> Signer {
        let person = |id: &str| self.people.iter().find(|row| row.id == id);
        let title = |row: Option<&PersonRow>| {
            let own = row.filter(|row| row.role == role).map(|row| row.title.trim());
            own.filter(|it| !it.is_empty()).map_or_else(|| dossier::title_of(role), str::to_owned)
        };
        let Some((by, row)) = by.and_then(|by| Some((by, person(by.person())?))) else {
            return Signer { title: title(None), ..Signer::default() };
        };
        let held = by.acting.as_ref();
        let style = held.map(|held| {
            let ours = |it: &&ActingRow| {
                it.person == row.id && it.role == held.role && it.letter == held.letter
            };
            match self.acting.iter().find(ours).map(|it| it.style) {
                Some(ActingStyle::Plt) => Acting::Plt,
                Some(ActingStyle::Plh) | None => Acting::Plh,
            }
        });
        Signer {
            title: match held {
                Some(held) => title(person(&held.holder)),
                None => title(Some(row)),
            },
            acting: style,
            name: Some(row.full_name.clone()),
            rank: row.rank.clone(),
            nip: row.nip.clone(),
        }
    }
}

/// The verifier and the head whose names stand on a paper of an act.
fn signers_of(
    kind: PaperKind,
    request: &Request,
    happening: &Happening,
    house: &House,
) -> (Option<Signature>, Option<Signature>) {
    let by = &happening.by;
    let approval = request.approval();
    let holder = || request.holder().cloned();
    let verifier = match happening.deed {
        Deed::Return | Deed::Reject | Deed::Approve => Some(by.clone()),
        _ => approval.map(|it| it.by.clone()).or_else(holder),
    };
    let head = match (kind, happening.deed) {
        (PaperKind::Disposition, _) | (_, Deed::Countersign) => Some(by.clone()),
        _ => house.head_now(Some(request), by.at),
    };
    (verifier, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for _ in 0..100 {
            let code = new_code().unwrap();
            assert_eq!(code.len(), 16);
            let shown = grouped(&code);
            assert_eq!(shown.len(), 19, "{shown}");
            let typed =
                shown.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " - ");
            assert_eq!(read_code(&typed), Some(code));
        }
        for wrong in ["", "123", "U123456789ABCDEF", "0123-4567-89AB-CDEF-0"] {
            assert_eq!(read_code(wrong), None, "{wrong}");
        }
    }
}
