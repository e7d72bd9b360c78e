//! Requests in bulk: a table that an officer brought, judged row by row, filed once it is confirmed.
//!
//! ```text
//! table ─► every row rehearsed ─► open: letters come, the officer looks ─confirmed─► filing ─► each row by itself ─► done
//! ```
//! A row is filed by the transaction that keeps its request, so a crash in the middle files nothing twice; the hash
//! of what a row asks for is kept as that of a form, so the same file again finds what it has made. Whoever brings a
//! table keys in letters, and is on the applicant's side of each request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::submit::Arrival;
use super::{ActError, Desk, Holding, Submitter};
use crate::audit::{NewEvent, random};
use crate::bulk::{Maker, Table};
use crate::digest::hex;
use crate::queue::automatic::tidy;
use crate::queue::time::DAY_MS;
use crate::queue::{
    Actor, Application, Contact, Deed, Fault, NoticeValues, Role, Rule, Signature, State,
};
use crate::store::bulk::{BulkLineRow, BulkRow};
use crate::store::{Reader, StoreError, Tx};
use crate::uploads::Letter;
use crate::view::rfc3339;

/// How long a table is kept, in milliseconds.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Tables of one person that are shown.
const SHOWN_MAX: usize = 20;
/// Octets of all letters of a table.
const LETTERS_MAX: i64 = 256 * 1024 * 1024;
/// The name under which the one letter of all rows is kept; no file of an archive has it.
const COVER: &str = "";
/// Who may bring a table: those who may key in a letter.
const MAY_BRING: [Role; 3] = [Role::Operator, Role::Verifier, Role::Head];

/// The states of a table.
mod state {
    /// It may be looked at, and letters may come.
    pub(super) const OPEN: &str = "open";
    /// Its rows are being filed.
    pub(super) const FILING: &str = "filing";
    /// All of them were.
    pub(super) const DONE: &str = "done";
}

/// The states of a row.
mod line {
    /// Nothing stands against it.
    pub(super) const READY: &str = "ready";
    /// It cannot be filed as it is.
    pub(super) const FAULTY: &str = "faulty";
    /// It is a request now.
    pub(super) const FILED: &str = "filed";
    /// It was one before.
    pub(super) const BEFORE: &str = "before";
    /// A rule stood against it when it was filed.
    pub(super) const REFUSED: &str = "refused";
}

//------------ What is kept --------------------------------------------------

/// What is known of a table besides its columns.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Cover {
    /// The name of the file.
    file: String,
    /// Its SHA-256, in hexadecimal.
    sha256: String,
    /// Heads of columns that are not used.
    unused: Vec<String>,
    /// The one letter of all rows: its name, and the mark by which it is known again.
    letter: Option<(String, String)>,
}

/// What a row says.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Asked {
    /// What is asked for.
    application: Application,
    /// The letter's file; empty = the one of all rows.
    letter: String,
    /// What is wrong with it.
    faults: Vec<Fault>,
    /// The status secret of the request, for the officer to hand on.
    #[serde(default)]
    secret: String,
}

impl Asked {
    /// The same of a row that is a request: who is behind it is kept there, and erased there.
    fn without_person(mut self) -> Self {
        self.application.contact = Contact::default();
        self.application.purpose = String::new();
        let of_person = |it: &&mut Fault| it.field.starts_with("contact.") || it.field == "purpose";
        self.faults.iter_mut().filter(of_person).for_each(|fault| fault.about.clear());
        self
    }
}

/// What a table is sealed as.
fn cover_context(id: &str) -> String {
    format!("bulk:{id}")
}

/// What a row is sealed as.
fn line_context(id: &str, line: u32) -> String {
    format!("bulk:{id}:{line}")
}

/// What a letter is sealed as.
fn letter_context(id: &str, name: &str) -> String {
    format!("bulk-letter:{id}:{name}")
}

//------------ Views ---------------------------------------------------------

/// A table as whoever brought it sees it.
#[derive(Clone, Debug, Serialize)]
pub struct BulkView {
    /// Its id.
    pub id: String,
    /// The name of the file.
    pub file: String,
    /// `open`, `filing` or `done`.
    pub state: String,
    /// When it came.
    pub at: String,
    /// How many rows are in which state: `ready`, `faulty`, `filed`, `before`, `refused`.
    pub counts: BTreeMap<String, i64>,
    /// Heads of columns that are not used.
    pub unused: Vec<String>,
    /// The one letter of all rows.
    pub cover: Option<String>,
    /// How many letters came for single rows.
    pub letters: usize,
    /// How many ready rows have no letter.
    pub without_letter: usize,
    /// The rows; empty in lists.
    pub rows: Vec<BulkRowView>,
}

impl BulkView {
    /// How many rows are in a state.
    pub fn count(&self, state: &str) -> i64 {
        self.counts.get(state).copied().unwrap_or_default()
    }

    /// How many rows there are.
    pub fn total(&self) -> i64 {
        self.counts.values().sum()
    }
}

/// A row as whoever brought the table sees it.
#[derive(Clone, Debug, Serialize)]
pub struct BulkRowView {
    /// Its line in the file.
    pub line: u32,
    /// `ready`, `faulty`, `filed`, `before` or `refused`.
    pub state: String,
    /// The office that asks.
    pub office: String,
    /// The name asked for.
    pub name: String,
    /// Whether its letter is there.
    pub has_letter: bool,
    /// The request's number.
    pub number: Option<String>,
    /// The status secret of the request, for the officer to hand on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret: String,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

//------------ A table comes -------------------------------------------------

/// A file with a table.
#[derive(Clone, Copy, Debug)]
pub struct BulkFile<'a> {
    /// The name the sender's machine gave it.
    pub name: &'a str,
    /// Its SHA-256, in hexadecimal.
    pub sha256: &'a str,
    /// What it holds.
    pub table: &'a Table,
}

impl Desk {
    /// Takes a table in and judges its rows; nothing is filed. Returns its id.
    pub fn open_bulk(
        &self,
        file: BulkFile<'_>,
        (zone, hostings): (&str, &[(String, String)]),
        actor: &Actor,
    ) -> Result<String, ActError> {
        let by = self.may_bring(actor)?;
        let naming = self.naming();
        let maker = Maker { naming: &naming, zone, hostings };
        let mut rows = Vec::with_capacity(file.table.rows.len());
        for (line, made) in maker.make_all(file.table) {
            let mut faults = made.faults;
            // A name that another row asks for is judged like any other.
            let judged = faults.iter().filter(|fault| fault.rule != Rule::TwiceInFile);
            let fields: Vec<String> = judged.map(|fault| fault.field.clone()).collect();
            let found = self.rehearse(made.application.clone(), true)?;
            faults.extend(found.into_iter().filter(|fault| !fields.contains(&fault.field)));
            let application = tidy(made.application, &naming);
            let asked = Asked { application, letter: made.letter, faults, secret: String::new() };
            rows.push((line, asked));
        }
        let id = hex(&random::<8>()?);
        let cover = Cover {
            file: file.name.to_owned(),
            sha256: file.sha256.to_owned(),
            unused: file.table.unused.clone(),
            letter: None,
        };
        let body = self.0.ledger.seal(&cover_context(&id), &cover)?;
        let (at_ms, person) = (self.now(), by.person().to_owned());
        let row = BulkRow {
            id: id.clone(),
            person,
            state: state::OPEN.to_owned(),
            at_ms,
            done_ms: None,
            body,
        };
        self.0.ledger.store.write::<_, ActError>(|tx| {
            tx.put_bulk(&row)?;
            for (at, asked) in &rows {
                self.add_line(tx, &id, *at, asked)?;
            }
            Ok(())
        })?;
        Ok(id)
    }

    /// Writes a new row: one that was a request before says so at once.
    fn add_line(&self, tx: &Tx<'_>, id: &str, at: u32, asked: &Asked) -> Result<(), ActError> {
        let before = tx.form_outcome(&self.bulk_key(&asked.application))?;
        let state = match &before {
            Some(_) => line::BEFORE,
            None if asked.faults.is_empty() => line::READY,
            None => line::FAULTY,
        };
        let body = match &before {
            Some(_) => {
                self.0.ledger.seal(&line_context(id, at), &asked.clone().without_person())?
            }
            None => self.0.ledger.seal(&line_context(id, at), asked)?,
        };
        let (bulk, state) = (id.to_owned(), state.to_owned());
        Ok(tx.add_bulk_line(&BulkLineRow { bulk, line: at, state, number: before, body })?)
    }

    /// The signature of somebody who may bring a table.
    fn may_bring(&self, actor: &Actor) -> Result<Signature, ActError> {
        let (ledger, now) = (&self.0.ledger, self.now());
        self.read(|reader| {
            let actor = ledger.current(reader, actor)?;
            let by = MAY_BRING.into_iter().find_map(|role| actor.capacity(role, now));
            by.ok_or(ActError::NotAllowed)
        })
    }

    /// What a row asks for, by which it is known again.
    fn bulk_key(&self, application: &Application) -> String {
        let json = serde_json::to_string(application).unwrap_or_default();
        self.0.ledger.vault.tag("bulk row", &json)
    }

    /// A table of this person; another's is as if there were none.
    fn bulk_of(
        &self,
        reader: &Reader<'_>,
        id: &str,
        person: &str,
    ) -> Result<(BulkRow, Cover), ActError> {
        let row = reader.bulk(id)?.filter(|row| row.person == person);
        let row = row.ok_or(ActError::NotFound)?;
        let cover = self.0.ledger.unseal(&cover_context(id), &row.body)?;
        Ok((row, cover))
    }
}

//------------ Letters -------------------------------------------------------

impl Desk {
    /// Takes the one letter of all rows, in the place of one before.
    pub fn set_bulk_cover(
        &self,
        id: &str,
        name: &str,
        letter: &Letter,
        actor: &Actor,
    ) -> Result<(), ActError> {
        let by = self.may_bring(actor)?;
        let sealed = self.0.ledger.vault.seal(&letter_context(id, COVER), letter.bytes())?;
        self.0.ledger.store.write(|tx| {
            let (row, mut cover) = self.bulk_of(tx, id, by.person())?;
            is_open(&row)?;
            cover.letter = Some((name.to_owned(), letter.mark()));
            let body = self.0.ledger.seal(&cover_context(id), &cover)?;
            tx.put_bulk_letter(id, COVER, letter.bytes().len(), &sealed)?;
            Ok(tx.put_bulk(&BulkRow { body, ..row })?)
        })
    }

    /// Takes letters of single rows, by the names that the rows give them; those that no row names are left out.
    /// Returns the count of those that were taken.
    pub fn add_bulk_letters(
        &self,
        id: &str,
        letters: &BTreeMap<String, Vec<u8>>,
        actor: &Actor,
    ) -> Result<usize, ActError> {
        let by = self.may_bring(actor)?;
        self.0.ledger.store.write(|tx| {
            let (row, _) = self.bulk_of(tx, id, by.person())?;
            is_open(&row)?;
            let mut named = Vec::new();
            for line in tx.bulk_lines(id)? {
                let asked: Asked =
                    self.0.ledger.unseal(&line_context(id, line.line), &line.body)?;
                named.push(folded(&asked.letter));
            }
            let mut kept: BTreeMap<String, i64> = tx.bulk_letters(id)?.into_iter().collect();
            let mut taken = 0;
            for (name, bytes) in letters {
                let name = folded(name);
                if !named.contains(&name) {
                    continue;
                }
                // One of the same name takes the place of that before.
                kept.insert(name.clone(), i64::try_from(bytes.len()).unwrap_or(i64::MAX));
                if kept.values().sum::<i64>() > LETTERS_MAX {
                    return Err(ActError::Letter(Fault::new(
                        "letter",
                        Rule::LetterTooLarge,
                        "256 MB",
                    )));
                }
                let sealed = self.0.ledger.vault.seal(&letter_context(id, &name), bytes)?;
                tx.put_bulk_letter(id, &name, bytes.len(), &sealed)?;
                taken += 1;
            }
            Ok(taken)
        })
    }
}

/// A file's name without differences of case.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Refuses what is only possible before a table is filed.
fn is_open(row: &BulkRow) -> Result<(), ActError> {
    if row.state == state::OPEN {
        return Ok(());
    }
    let state = if row.state == state::FILING { state::FILING } else { state::DONE };
    Err(crate::queue::TransitionError::WrongState { act: "bulk", state }.into())
}

//------------ Looking, confirming, dropping ---------------------------------

impl Desk {
    /// The tables of a person, without their rows, the newest first.
    pub fn bulks(&self, actor: &Actor) -> Result<Vec<BulkView>, ActError> {
        let by = self.may_bring(actor)?;
        self.read(|reader| {
            let rows = reader.bulks_of(by.person(), SHOWN_MAX)?;
            rows.iter().map(|row| self.bulk_head(reader, row)).collect()
        })
    }

    /// A table with its rows.
    pub fn bulk(&self, id: &str, actor: &Actor) -> Result<BulkView, ActError> {
        let by = self.may_bring(actor)?;
        self.read(|reader| {
            let (row, _) = self.bulk_of(reader, id, by.person())?;
            let mut view = self.bulk_head(reader, &row)?;
            let letters: Vec<String> =
                reader.bulk_letters(id)?.into_iter().map(|(name, _)| name).collect();
            for row in reader.bulk_lines(id)? {
                let asked: Asked = self.0.ledger.unseal(&line_context(id, row.line), &row.body)?;
                let letter = folded(&asked.letter);
                let has_letter = if letter.is_empty() {
                    view.cover.is_some()
                } else {
                    letters.contains(&letter)
                };
                view.without_letter += usize::from(row.state == line::READY && !has_letter);
                view.rows.push(BulkRowView {
                    line: row.line,
                    state: row.state,
                    office: asked.application.office,
                    name: asked.application.name,
                    has_letter,
                    number: row.number,
                    secret: asked.secret,
                    faults: asked.faults,
                });
            }
            Ok(view)
        })
    }

    /// What is known of a table without its rows.
    fn bulk_head(&self, reader: &Reader<'_>, row: &BulkRow) -> Result<BulkView, ActError> {
        let cover: Cover = self.0.ledger.unseal(&cover_context(&row.id), &row.body)?;
        let letters = reader.bulk_letters(&row.id)?;
        Ok(BulkView {
            id: row.id.clone(),
            file: cover.file,
            state: row.state.clone(),
            at: rfc3339(row.at_ms),
            counts: reader.count_bulk_lines(&row.id)?.into_iter().collect(),
            unused: cover.unused,
            cover: cover.letter.map(|(name, _)| name),
            letters: letters.iter().filter(|(name, _)| name != COVER).count(),
            without_letter: 0,
            rows: Vec::new(),
        })
    }

    /// Confirms a table: its rows that nothing stands against are filed from now on, also when nobody looks.
    pub fn file_bulk(&self, id: &str, actor: &Actor) -> Result<(), ActError> {
        let by = self.may_bring(actor)?;
        self.0.ledger.store.write::<_, ActError>(|tx| {
            let (row, _) = self.bulk_of(tx, id, by.person())?;
            // A second press finds it under way.
            if row.state != state::OPEN {
                return Ok(());
            }
            Ok(tx.put_bulk(&BulkRow { state: state::FILING.to_owned(), ..row })?)
        })?;
        self.0.bulk_wanted.notify_one();
        Ok(())
    }

    /// Drops a table with everything that came with it; what was filed stays.
    pub fn drop_bulk(&self, id: &str, actor: &Actor) -> Result<(), ActError> {
        let by = self.may_bring(actor)?;
        self.0.ledger.store.write(|tx| {
            let (row, _) = self.bulk_of(tx, id, by.person())?;
            if row.state == state::FILING {
                is_open(&row)?;
            }
            tx.drop_bulk(id)?;
            Ok(tx.note_erasure()?)
        })
    }

    /// Drops tables whose time is over.
    pub(super) fn retain_bulks(&self) -> Result<(), ActError> {
        let until = self.now() - KEPT_MS;
        Ok(self.0.ledger.store.write::<_, StoreError>(|tx| {
            let over = tx.bulks_until(until)?;
            for row in &over {
                tx.drop_bulk(&row.id)?;
            }
            if over.is_empty() { Ok(()) } else { tx.note_erasure() }
        })?)
    }
}

//------------ What is kept of persons ---------------------------------------

impl Desk {
    /// What tables hold of persons until their rows are requests, or are told to be none.
    pub(super) fn bulk_holdings(&self, reader: &Reader<'_>) -> Result<Vec<Holding>, ActError> {
        let mut tables = reader.bulks_until(i64::MAX)?;
        tables.extend(reader.bulks_filing()?);
        let mut found = Vec::new();
        for table in &tables {
            for row in reader.bulk_lines(&table.id)? {
                let asked: Asked =
                    self.0.ledger.unseal(&line_context(&table.id, row.line), &row.body)?;
                let Application { name, zone, office, contact, .. } = asked.application;
                found.push(Holding {
                    number: String::new(),
                    name: format!("{name}.{zone}"),
                    office,
                    state: State::Draft,
                    submitted_ms: table.at_ms,
                    contact,
                    revisions: 1,
                    letters: 0,
                    papers: 0,
                    notices: 0,
                });
            }
        }
        Ok(found)
    }
}

//------------ Filing --------------------------------------------------------

/// A row that is to be filed.
#[derive(Clone, Debug)]
pub struct BulkTurn {
    /// The row as it is kept.
    row: BulkLineRow,
    /// Whose table it is.
    person: String,
    /// What it says.
    asked: Asked,
    /// Its letter.
    pub letter: BulkLetter,
}

/// The letter of a row.
#[derive(Clone, Debug)]
pub enum BulkLetter {
    /// None came.
    Missing,
    /// It was read before.
    Read(Letter),
    /// It is to be read.
    Unread(Vec<u8>),
}

impl Desk {
    /// Waits until a table is confirmed.
    pub async fn bulk_wanted(&self) {
        self.0.bulk_wanted.notified().await;
    }

    /// The next row that is to be filed; tables without one are done.
    pub fn next_in_bulk(&self) -> Result<Option<BulkTurn>, ActError> {
        for row in self.read(|reader| Ok(reader.bulks_filing()?))? {
            match self.read(|reader| Ok(reader.next_bulk_line(&row.id)?))? {
                None => self.bulk_done(&row)?,
                Some(next) => return self.bulk_turn(&row, next).map(Some),
            }
        }
        Ok(None)
    }

    /// A row with its letter.
    fn bulk_turn(&self, bulk: &BulkRow, row: BulkLineRow) -> Result<BulkTurn, ActError> {
        let id = &bulk.id;
        let asked: Asked = self.0.ledger.unseal(&line_context(id, row.line), &row.body)?;
        let cover: Cover = self.0.ledger.unseal(&cover_context(id), &bulk.body)?;
        let name = folded(&asked.letter);
        let sealed = self.read(|reader| Ok(reader.bulk_letter(id, &name)?))?;
        let letter = match sealed {
            None => BulkLetter::Missing,
            Some(sealed) => {
                let bytes = self.0.ledger.vault.unseal(&letter_context(id, &name), &sealed)?;
                let read = cover.letter.filter(|_| name == COVER);
                let read = read.and_then(|(_, mark)| Letter::put_aside(bytes.to_vec(), &mark));
                read.map_or_else(|| BulkLetter::Unread(bytes.to_vec()), BulkLetter::Read)
            }
        };
        Ok(BulkTurn { row, person: bulk.person.clone(), asked, letter })
    }

    /// Files a row with its letter, or keeps why not.
    pub fn file_in_bulk(
        &self,
        turn: BulkTurn,
        letter: Result<Option<Letter>, Fault>,
    ) -> Result<(), ActError> {
        let BulkTurn { row, person, asked, .. } = turn;
        let filed = match letter {
            Err(fault) => Err(ActError::Letter(fault)),
            Ok(letter) => self.file_row(&row, &person, &asked, letter),
        };
        let Err(error) = filed else { return Ok(()) };
        let faults = match &error {
            ActError::Rule(rule) if rule.faults().is_empty() => {
                vec![Fault::new("row", Rule::NotFiled, rule.code().as_str())]
            }
            ActError::Rule(_) | ActError::Letter(_) => error.faults().to_vec(),
            ActError::NotAllowed | ActError::NotFound => {
                vec![Fault::new("row", Rule::NotFiled, error.code())]
            }
            // The disk, the database: it is tried again.
            _ => return Err(error),
        };
        let asked = Asked { faults, ..asked.without_person() };
        let body = self.0.ledger.seal(&line_context(&row.bulk, row.line), &asked)?;
        let refused = BulkLineRow { state: line::REFUSED.to_owned(), body, ..row };
        self.0.ledger.store.write::<_, ActError>(|tx| Ok(tx.update_bulk_line(&refused)?))
    }

    /// Sends the request of a row in and keeps its number, in one transaction.
    fn file_row(
        &self,
        row: &BulkLineRow,
        person: &str,
        asked: &Asked,
        letter: Option<Letter>,
    ) -> Result<(), ActError> {
        let by = Submitter {
            actor: self.actor(person)?.ok_or(ActError::NotAllowed)?,
            mailbox_proven: false,
            proof_of: None,
            network: None,
            letter_on_paper: false,
        };
        let key = self.bulk_key(&asked.application);
        let context = line_context(&row.bulk, row.line);
        self.send(asked.application.clone(), letter, &by, |tx, arrival: &Arrival| {
            let (number, secret, state) = match tx.form_outcome(&key)? {
                Some(number) => (number, String::new(), line::BEFORE),
                None => {
                    let sent = self.write_new(tx, arrival, &by, true)?;
                    tx.use_form_key(&key, &sent.number, self.now())?;
                    (sent.number, sent.secret, line::FILED)
                }
            };
            let kept = Asked { secret, ..asked.clone().without_person() };
            let body = self.0.ledger.seal(&context, &kept)?;
            let (state, number) = (state.to_owned(), Some(number));
            Ok(tx.update_bulk_line(&BulkLineRow { state, number, body, ..row.clone() })?)
        })
    }

    /// All rows of a table were filed: one event, one notice to every kabid, and its letters go.
    fn bulk_done(&self, row: &BulkRow) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = self.now();
            let counts: BTreeMap<String, i64> = tx.count_bulk_lines(&row.id)?.into_iter().collect();
            let count = |state: &str| counts.get(state).copied().unwrap_or_default();
            let cover: Cover = self.0.ledger.unseal(&cover_context(&row.id), &row.body)?;
            let actor = ledger.actor(tx, &row.person)?;
            let role = actor.as_ref().and_then(|it| it.roles.first()).unwrap_or(&Role::System);
            let subject = format!("bulk:{}", row.id);
            let event = NewEvent::new(now, &row.person, role.as_str(), Deed::BulkFiled, &subject)
                .with("sha256", &cover.sha256)
                .with("filed", count(line::FILED))
                .with("refused", count(line::REFUSED));
            ledger.note(tx, event)?;
            if count(line::FILED) > 0 {
                let values = NoticeValues::about(&count(line::FILED).to_string());
                ledger.tell_of_bulk(tx, &format!("bulk-{}", row.id), &values)?;
            }
            for faulty in tx.bulk_lines(&row.id)?.into_iter().filter(|it| it.state == line::FAULTY)
            {
                let context = line_context(&row.id, faulty.line);
                let asked: Asked = self.0.ledger.unseal(&context, &faulty.body)?;
                let body = self.0.ledger.seal(&context, &asked.without_person())?;
                tx.update_bulk_line(&BulkLineRow { body, ..faulty })?;
            }
            tx.drop_bulk_letters(&row.id)?;
            tx.note_erasure()?;
            let done = BulkRow { state: state::DONE.to_owned(), done_ms: Some(now), ..row.clone() };
            Ok(tx.put_bulk(&done)?)
        })
    }
}
