//! Papers: the lists of them, their files, corrections, and the work of rendering them.
//!
//! A file is rendered once, outside every transaction, sealed and put on disk before its row names it.
//! What fails or is cut off is tried again; the act that made the paper never waits for it.

use std::path::PathBuf;

use super::office::PAPERS;
use super::{ActError, AttachmentFile, Desk, Viewer};
use crate::audit::{PAPER_FILE, random};
use crate::digest::{hex, sha256_hex};
use crate::dossier::{self, Paper};
use crate::files::{self, write_private};
use crate::ledger::{KeptPaper, grouped, read_code};
use crate::queue::labels::clean_text;
use crate::queue::time::MINUTE_MS;
use crate::queue::{
    Actor, Deed, NoticeValues, PaperKind, Role, Signature, TransitionError, needed, needed_within,
};
use crate::report::Month;
use crate::store::papers::PaperRow;
use crate::store::{Reader, StoreError, Tx};
use crate::text::with_causes;
use crate::view::{PaperCheck, PaperView, Sees};

/// Makes the PDF of a paper, with the coat of arms of the settings; or says why it cannot.
pub type Press<'a> = dyn Fn(&Paper, Option<&[u8]>) -> Result<Vec<u8>, String> + Send + Sync + 'a;

/// Waits after tries that failed, in minutes; the last one again and again.
const WAITS: [i64; 5] = [1, 5, 30, 120, 360];
/// Tries that fail until administrators are told.
const TRIES_QUIET: u32 = 3;
/// Papers rendered in one turn.
const RENDERED_MAX: usize = 20;
/// Longest number of the office's agenda, in characters.
const OFFICE_NUMBER_MAX: usize = 80;
/// Media type of a paper's file.
const MEDIA: &str = "application/pdf";

/// What a file is sealed as.
fn context(id: &str) -> String {
    format!("{PAPER_FILE}{id}")
}

//------------ About ---------------------------------------------------------

/// What papers are about.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// A request, by its number.
    Request(&'a str),
    /// A month: its report.
    Month(Month),
}

impl<'a> From<&'a str> for About<'a> {
    fn from(number: &'a str) -> Self {
        Self::Request(number)
    }
}

impl<'a> From<&'a String> for About<'a> {
    fn from(number: &'a String) -> Self {
        Self::Request(number)
    }
}

impl From<Month> for About<'_> {
    fn from(month: Month) -> Self {
        Self::Month(month)
    }
}

impl About<'_> {
    /// The papers about it, the oldest first.
    fn rows(self, reader: &Reader<'_>) -> Result<Vec<PaperRow>, StoreError> {
        match self {
            Self::Request(number) => reader.papers_of(number),
            Self::Month(month) => reader.papers_about(PaperKind::Activity, &month.to_string()),
        }
    }

    /// Whether a paper is about it.
    fn holds(self, row: &PaperRow) -> bool {
        match self {
            Self::Request(number) => row.request.as_deref() == Some(number),
            Self::Month(month) => row.kind == PaperKind::Activity && row.about == month.to_string(),
        }
    }

    /// Who may have its files, and acts under which role: a month's report names no applicant.
    fn readers(self) -> &'static [Role] {
        match self {
            Self::Request(_) => &[Role::Verifier, Role::Head],
            Self::Month(_) => &[Role::Verifier, Role::Head, Role::Operator, Role::Auditor],
        }
    }
}

//------------ Lists ---------------------------------------------------------

impl Desk {
    /// The papers of a request or month that somebody may see, the oldest first.
    pub fn papers<'a>(
        &self,
        about: impl Into<About<'a>>,
        viewer: &Viewer,
    ) -> Result<Vec<PaperView>, ActError> {
        let sees = viewer.sees(self.now()).ok_or(ActError::NotAllowed)?;
        let about = about.into();
        self.read(|reader| {
            if let About::Request(number) = about
                && reader.request(number)?.is_none()
            {
                return Err(ActError::NotFound);
            }
            papers(reader, about, sees)
        })
    }

    /// What a paper says, for a printer; none once it was erased. An officer's look is an event, as a download
    /// is: the same stands on it.
    pub fn paper<'a>(
        &self,
        about: impl Into<About<'a>>,
        id: &str,
        viewer: &Viewer,
    ) -> Result<(PaperView, Paper), ActError> {
        let (ledger, about) = (&self.0.ledger, about.into());
        let look = |reader: &Reader<'_>, sees: Sees| {
            let row = read_paper(reader, about, id, sees)?;
            let kept = ledger.open_paper(&row)?.ok_or(ActError::NotFound)?;
            let rows = about.rows(reader)?;
            Ok::<_, ActError>((paper_view(&row, &rows), row, kept.paper))
        };
        let (view, _, paper) = match viewer {
            Viewer::Applicant => self.read(|reader| look(reader, Sees::Applicant))?,
            Viewer::Officer(actor) => ledger.store.write(|tx| {
                let by = self.one_of(tx, actor, about.readers())?;
                let seen = look(tx, Sees::All)?;
                ledger.note_paper(tx, &by, Deed::PaperDownloaded, &seen.1)?;
                Ok::<_, ActError>(seen)
            })?,
        };
        Ok((view, paper))
    }

    /// The file of a paper. An officer's download is an event.
    pub fn paper_file<'a>(
        &self,
        about: impl Into<About<'a>>,
        id: &str,
        viewer: &Viewer,
    ) -> Result<AttachmentFile, ActError> {
        let (ledger, about) = (&self.0.ledger, about.into());
        let row = match viewer {
            Viewer::Applicant => {
                self.read(|reader| read_paper(reader, about, id, Sees::Applicant))?
            }
            Viewer::Officer(actor) => ledger.store.write(|tx| {
                let by = self.one_of(tx, actor, about.readers())?;
                let row = read_paper(tx, about, id, Sees::All)?;
                if row.file.is_some() {
                    ledger.note_paper(tx, &by, Deed::PaperDownloaded, &row)?;
                }
                Ok::<_, ActError>(row)
            })?,
        };
        let bytes = self.read_paper_file(&row)?;
        Ok(AttachmentFile { media: MEDIA.to_owned(), name: format!("{}.pdf", row.id), bytes })
    }

    /// What anybody may know of the paper with this code; one answer for every code that is none.
    pub fn check_paper(&self, code: &str) -> Result<PaperCheck, ActError> {
        let code = read_code(code).ok_or(ActError::NotFound)?;
        self.read(|reader| {
            let row = reader.paper_by_code(&code)?.ok_or(ActError::NotFound)?;
            let newer = match &row.superseded_by {
                Some(id) => reader.paper(id)?.map(|row| row.number),
                None => None,
            };
            Ok(PaperCheck {
                kind: row.kind,
                number: row.number,
                issued: PaperView::at(row.at_ms),
                name: row.about,
                sha256: row.sha256,
                valid: row.superseded_by.is_none(),
                superseded_by: newer,
            })
        })
    }

    /// The signature of an officer in the first of these roles that they have.
    fn one_of(
        &self,
        reader: &Reader<'_>,
        actor: &Actor,
        roles: &[Role],
    ) -> Result<Signature, ActError> {
        let (actor, now) = (self.0.ledger.current(reader, actor)?, self.now());
        let by = actor.capacity_in(roles, now);
        by.ok_or(ActError::NotAllowed)
    }
}

/// Who corrects and numbers papers.
const KEEPERS: &[Role] = &[Role::Verifier, Role::Head];

/// The papers of a request or month that somebody may see, the oldest first.
pub(super) fn papers(
    reader: &Reader<'_>,
    about: About<'_>,
    sees: Sees,
) -> Result<Vec<PaperView>, ActError> {
    let rows = about.rows(reader)?;
    let seen = rows.iter().filter(|row| sees.paper(row.kind));
    Ok(seen.map(|row| paper_view(row, &rows)).collect())
}

/// A paper of a request or month, if somebody may read it.
fn read_paper(
    reader: &Reader<'_>,
    about: About<'_>,
    id: &str,
    sees: Sees,
) -> Result<PaperRow, ActError> {
    let row = reader.paper(id)?.filter(|row| about.holds(row));
    let row = row.filter(|row| sees.paper(row.kind)).ok_or(ActError::NotFound)?;
    if sees.reads_paper(row.kind) { Ok(row) } else { Err(ActError::NotAllowed) }
}

/// A paper as it is shown, among those about the same.
fn paper_view(row: &PaperRow, all: &[PaperRow]) -> PaperView {
    let number_of = |id: &Option<String>| {
        let id = id.as_ref()?;
        all.iter().find(|row| row.id == *id).map(|row| row.number.clone())
    };
    PaperView {
        id: row.id.clone(),
        request: row.request.clone(),
        kind: row.kind,
        number: row.number.clone(),
        event: row.event,
        issued: PaperView::at(row.at_ms),
        revision: row.revision,
        name: row.about.clone(),
        code: grouped(&row.code),
        sha256: row.sha256.clone(),
        octets: row.octets,
        supersedes: number_of(&row.supersedes),
        superseded_by: number_of(&row.superseded_by),
        office_number: row.office_number.clone(),
        deleted: row.erased_ms.is_some(),
    }
}

//------------ Acts ----------------------------------------------------------

impl Desk {
    /// Makes a paper anew, with who signs and the head of the office as they are now; the old one stays
    /// and is superseded. By whoever signs it, or kabid.
    pub fn correct_paper<'a>(
        &self,
        about: impl Into<About<'a>>,
        id: &str,
        reason: &str,
        actor: &Actor,
    ) -> Result<PaperView, ActError> {
        let (ledger, about) = (&self.0.ledger, about.into());
        let reason = clean_text(reason);
        ledger.store.write(|tx| {
            let by = self.one_of(tx, actor, KEEPERS)?;
            let row = read_paper(tx, about, id, Sees::All)?;
            let kept = ledger.open_paper(&row)?.ok_or(ActError::NotFound)?;
            if !may_correct(&kept, &by) {
                return Err(ActError::NotAllowed);
            }
            if row.superseded_by.is_some() {
                return Err(
                    TransitionError::WrongState { act: "correct", state: "superseded" }.into()
                );
            }
            needed("reason", &reason)?;
            let new = ledger.correct_paper(tx, row, &by, &reason)?;
            Ok(paper_view(&new, &about.rows(tx)?))
        })
    }

    /// Notes, once, the number the office gave a paper in its own agenda.
    pub fn number_paper<'a>(
        &self,
        about: impl Into<About<'a>>,
        id: &str,
        office_number: &str,
        actor: &Actor,
    ) -> Result<PaperView, ActError> {
        let (ledger, about) = (&self.0.ledger, about.into());
        let given = clean_text(office_number).trim().to_owned();
        ledger.store.write(|tx| {
            let by = self.one_of(tx, actor, KEEPERS)?;
            let row = read_paper(tx, about, id, Sees::All)?;
            if row.office_number.is_some() {
                return Err(TransitionError::WrongState { act: "number", state: "numbered" }.into());
            }
            needed_within(OFFICE_NUMBER_MAX, "office_number", &given)?;
            let row = PaperRow { office_number: Some(given), ..row };
            tx.put_paper(&row)?;
            ledger.note_paper(tx, &by, Deed::PaperNumbered, &row)?;
            Ok(paper_view(&row, &about.rows(tx)?))
        })
    }
}

/// Whether an officer may have a paper made anew: who signs it, kabid, or anybody where nobody signs.
fn may_correct(kept: &KeptPaper, by: &Signature) -> bool {
    let mut signed = kept.signed.iter().flatten();
    by.role == Role::Head
        || kept.signed.iter().all(Option::is_none)
        || signed.any(|signer| signer.identity.same(&by.identity))
}

//------------ Rendering -----------------------------------------------------

impl Desk {
    /// Resolves when an act has made papers.
    pub async fn papers_wanted(&self) {
        self.0.ledger.papers_wanted.notified().await;
    }

    /// Waits for the transaction of the act that wants papers: it says so before it is over.
    pub fn await_papers(&self) -> Result<(), ActError> {
        Ok(self.0.ledger.store.write::<_, StoreError>(|_| Ok(()))?)
    }

    /// Gives every paper that waits another try now: what kept them from being drawn may be mended.
    pub fn retry_papers(&self) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        if self.read(|reader| Ok(reader.papers_waiting()?.0))? > 0 {
            ledger.store.write::<_, StoreError>(|tx| tx.retry_papers(ledger.now()))?;
            ledger.papers_wanted.notify_one();
        }
        Ok(())
    }

    /// Renders the papers whose time has come. Returns how many are on disk now.
    pub fn render_papers(&self, press: &Press<'_>) -> Result<usize, ActError> {
        let now = self.now();
        let due = self.read(|reader| Ok(reader.papers_due(now, RENDERED_MAX)?))?;
        let mut done = 0;
        for row in &due {
            match self.render_paper(row, press) {
                Ok(is_done) => done += usize::from(is_done),
                // The others have their turn all the same.
                Err(error) => {
                    tracing::error!(paper = row.number, %error, "a paper waits for another try");
                }
            }
        }
        Ok(done)
    }

    /// Renders one paper, or notes that it could not be.
    fn render_paper(&self, row: &PaperRow, press: &Press<'_>) -> Result<bool, ActError> {
        let put = |kept: KeptPaper| {
            let coat_of_arms = dossier::coat_of_arms();
            let pdf = press(&kept.paper, coat_of_arms.as_deref())?;
            let file = self.store_paper_file(row, &pdf).map_err(|error| with_causes(&error))?;
            Ok((pdf, file))
        };
        let kept = match self.0.ledger.open_paper(row) {
            Ok(Some(kept)) => put(kept),
            Ok(None) => return Ok(false),
            Err(error) => Err(with_causes(&error)),
        };
        let (pdf, file) = match kept {
            Ok(done) => done,
            Err(reason) => return self.not_rendered(row, &reason).map(|()| false),
        };
        let written = self.paper_rendered(row, &pdf, &file);
        let is_named = written.as_ref().map_or_else(ActError::may_be_done, |is_named| *is_named);
        if !is_named {
            // The retention job deletes what could not be removed, and what no row names after all.
            drop(std::fs::remove_file(self.paper_path(&file)));
        }
        written
    }

    /// Puts the file of a paper on disk, sealed: it names persons.
    fn store_paper_file(&self, row: &PaperRow, pdf: &[u8]) -> Result<String, ActError> {
        let sealed = self.0.ledger.vault.seal(&context(&row.id), pdf)?;
        let file = format!("{}.sealed", hex(&random::<16>()?));
        let path = self.paper_path(&file);
        let failed = |source| ActError::File { path: path.clone(), source };
        write_private(&path, &sealed).map_err(failed)?;
        Ok(file)
    }

    /// Writes that a paper has its file, unless it was erased or rendered meanwhile.
    fn paper_rendered(&self, row: &PaperRow, pdf: &[u8], file: &str) -> Result<bool, ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let now = tx.paper(&row.id)?.filter(|now| now.next_try_ms.is_some());
            let Some(now) = now.filter(|now| now.content == row.content) else { return Ok(false) };
            let done = PaperRow {
                file: Some(file.to_owned()),
                sha256: Some(sha256_hex(pdf)),
                octets: u64::try_from(pdf.len()).ok(),
                rendered_ms: Some(ledger.now()),
                next_try_ms: None,
                ..now
            };
            tx.put_paper(&done)?;
            let by = Signature::system(ledger.now());
            ledger.note_paper(tx, &by, Deed::PaperRendered, &done)?;
            Ok(true)
        })
    }

    /// A try failed: it is repeated later, and after a few of them administrators are told.
    fn not_rendered(&self, row: &PaperRow, reason: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let tries = row.tries.saturating_add(1);
        let at = usize::try_from(tries - 1).unwrap_or(0).min(WAITS.len() - 1);
        let next = self.now() + WAITS[at] * MINUTE_MS;
        tracing::error!(paper = row.number, tries, reason, "a paper could not be rendered");
        ledger.store.write(|tx| {
            let Some(now) = tx.paper(&row.id)?.filter(|now| now.next_try_ms.is_some()) else {
                return Ok(());
            };
            let failed = PaperRow { tries, next_try_ms: Some(next), ..now };
            tx.put_paper(&failed)?;
            if tries == TRIES_QUIET {
                let by = Signature::system(ledger.now());
                ledger.note_paper(tx, &by, Deed::PaperFailed, &failed)?;
                let (stem, values) =
                    (format!("paper-{}", row.id), NoticeValues::about(&row.number));
                ledger.tell_of_zone(tx, &stem, Deed::PaperFailed, &values)?;
            }
            Ok(())
        })
    }

    /// The content of a paper's file, if it is the one that was rendered.
    pub(super) fn read_paper_file(&self, row: &PaperRow) -> Result<Vec<u8>, ActError> {
        let file = row.file.as_ref().ok_or(ActError::NotFound)?;
        let path = self.paper_path(file);
        let sealed =
            std::fs::read(&path).map_err(|source| ActError::File { path: path.clone(), source })?;
        let pdf = self.0.ledger.vault.unseal(&context(&row.id), &sealed);
        let pdf = pdf.ok().filter(|pdf| Some(sha256_hex(pdf)) == row.sha256);
        pdf.ok_or_else(|| {
            let what = "it is not the paper that was rendered: see gapura audit verify";
            ActError::File { path, source: std::io::Error::other(what) }
        })
    }

    /// The path of a paper's file.
    pub(super) fn paper_path(&self, file: &str) -> PathBuf {
        self.0.options.state_dir.join(PAPERS).join(file)
    }

    /// Deletes files whose rows no longer name them; one that is gone is no error.
    pub(super) fn delete_paper_files(&self, files: &[String]) -> Result<(), ActError> {
        for file in files {
            let path = self.paper_path(file);
            files::remove(&path).map_err(|source| ActError::File { path, source })?;
        }
        Ok(())
    }

    /// Papers past the time for which they are kept: the row stays, its content and file go.
    pub(super) fn expire_paper(&self, tx: &Tx<'_>, row: PaperRow) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let by = Signature::system(ledger.now());
        ledger.note_paper(tx, &by, Deed::PaperExpired, &row)?;
        let erased_ms = Some(ledger.now());
        let gone =
            PaperRow { content: Vec::new(), file: None, next_try_ms: None, erased_ms, ..row };
        Ok(tx.put_paper(&gone)?)
    }
}

impl Desk {
    /// The id of a request's paper: its own, or the newest one in force of a kind.
    pub fn paper_named(&self, number: &str, word: &str) -> Result<String, ActError> {
        let Some(kind) = PaperKind::from_name(word) else { return Ok(word.to_owned()) };
        self.read(|reader| {
            let rows = reader.papers_of(number)?;
            let newest = rows.iter().rfind(|row| row.kind == kind && row.superseded_by.is_none());
            newest.map(|row| row.id.clone()).ok_or(ActError::NotFound)
        })
    }
}
