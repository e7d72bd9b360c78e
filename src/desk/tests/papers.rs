//! Papers of whole lives: made with their acts, numbered without gaps, rendered once, in spite of what fails.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::dossier::Paper;
use crate::paper::Content;
use crate::queue::{PaperKind, Role};
use crate::store::StoreError;
use crate::store::papers::PaperRow;
use crate::view::PaperView;

/// A press that writes a paper's content instead of drawing it.
fn press(paper: &Paper, _: Option<&[u8]>) -> Result<Vec<u8>, String> {
    Ok([b"%PDF-1.7 ", &serde_json::to_vec(paper).unwrap()[..]].concat())
}

impl Office {
    /// The papers of a request, as the verifier sees them.
    fn papers(&self, number: &str) -> Vec<PaperView> {
        self.desk.papers(number, &Viewer::Officer(self.actor("seksi"))).unwrap()
    }

    /// What a paper's file says.
    fn paper_text(&self, paper: &PaperView) -> String {
        let (number, viewer) =
            (paper.request.as_deref().unwrap(), Viewer::Officer(self.actor("seksi")));
        let file = self.desk.paper_file(number, &paper.id, &viewer).unwrap();
        String::from_utf8(file.bytes).unwrap()
    }

    /// Renders all that waits.
    fn rendered(&self) -> usize {
        self.desk.render_papers(&press).unwrap()
    }

    /// Rows of all papers.
    fn paper_rows(&self) -> Vec<PaperRow> {
        let rows = |reader: &crate::store::Reader<'_>| {
            let mut rows = Vec::new();
            for kind in PaperKind::ALL {
                for serial in 1.. {
                    let id = format!("{}-2026-{serial:04}", kind.code());
                    let Some(row) = reader.paper(&id)? else { break };
                    rows.push(row);
                }
            }
            Ok::<_, StoreError>(rows)
        };
        self.store.read(rows).unwrap()
    }
}

/// Kinds of papers in order.
fn kinds(papers: &[PaperView]) -> Vec<PaperKind> {
    papers.iter().map(|paper| paper.kind).collect()
}

#[test]
fn the_whole_story_makes_all_papers() {
    use PaperKind::{Disposition, Notification, Receipt, Report, Verification};
    let office = Office::new();
    office.desk.set_site("https://nama.example");
    let number = office.assigned(application());
    let bad = vec![line(LineCode::M5, LineVerdict::Fix)];
    office.act(&number, Act::Return { lines: bad }, "seksi").unwrap();
    let mut better = application();
    better.purpose = "Situs resmi Pemerintah Desa".to_owned();
    let applicant = Actor { proved: Some(number.clone()), ..applicant().actor };
    office.desk.resubmit(&number, better, None, &applicant).unwrap();
    office.approve(&number).unwrap();
    let papers = office.papers(&number);
    let made =
        [Receipt, Disposition, Verification, Notification, Verification, Report, Notification];
    assert_eq!(kinds(&papers), made);
    assert!(papers.iter().all(|paper| paper.sha256.is_none() && paper.superseded_by.is_none()));
    assert_eq!(office.rendered(), 7);
    assert_eq!(office.rendered(), 0, "once and for all");
    let papers = office.papers(&number);
    let text = |at: usize| office.paper_text(&papers[at]);
    assert!(text(0).contains("Sutrisno") && text(0).contains("GPR/TT/0001/XI/2026"));
    assert!(text(1).contains("Periksa") && text(2).contains("keterangan"));
    assert!(text(3).contains("keterangan"), "the letter names what is to be mended");
    let Content::Report(report) = office
        .desk
        .paper(&number, &papers[5].id, &Viewer::Officer(office.actor("kepala")))
        .unwrap()
        .1
        .content
    else {
        panic!()
    };
    assert_eq!(report.serial, office.serial());
    assert!(report.answers.iter().any(|it| it.answer.contains("192.0.2.110")), "{report:?}");
    assert!(report.opening.contains("GPR/LD/0001/XI/2026"), "{}", report.opening);
    assert!(report.changes.iter().any(|it| !it.removed && it.data == "192.0.2.110"));
    assert!(!text(6).contains("127.0.0.1"), "no applicant can reach our listening address");
    let check = office.desk.check_paper(&papers[6].code.to_lowercase()).unwrap();
    assert_eq!((check.number.as_str(), check.valid), (papers[6].number.as_str(), true));
    assert_eq!(check.sha256, papers[6].sha256);
    assert!(office.desk.check_paper("0123-4567-89AB-CDEF").is_err());
    let own = office.desk.papers(&number, &Viewer::Applicant).unwrap();
    assert_eq!(kinds(&own), [Receipt, Notification, Notification]);
    assert!(office.desk.paper_file(&number, &papers[2].id, &Viewer::Applicant).is_err());
    let auditor = Viewer::Officer(office.actor("pengawas"));
    assert!(office.desk.paper_file(&number, &papers[0].id, &auditor).is_err());
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good() && report.papers == 7, "{:?}", report.lines());
}

#[test]
fn numbers_have_no_gaps_whatever_is_refused_or_done_at_once() {
    let office = Office::new();
    std::thread::scope(|scope| {
        for at in 0..4 {
            let office = &office;
            scope.spawn(move || {
                for nth in 0..3 {
                    let name = format!("layanan{at}x{nth}");
                    let number = office.assigned(service(&name, "192.0.2.110"));
                    // Refused: no line is to be corrected.
                    assert!(office.act(&number, Act::Return { lines: vec![] }, "seksi").is_err());
                }
            });
        }
    });
    let rows = office.paper_rows();
    let mut serials: BTreeMap<PaperKind, BTreeSet<i64>> = BTreeMap::new();
    for row in &rows {
        let _ = serials.entry(row.kind).or_default().insert(row.serial);
    }
    let all: BTreeSet<i64> = (1..=12).collect();
    assert_eq!(serials[&PaperKind::Receipt], all);
    assert_eq!(serials[&PaperKind::Disposition], all);
    assert_eq!(serials.len(), 2, "nothing was made of what was refused");
    let codes: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    assert_eq!(codes.len(), rows.len());
}

#[test]
fn a_paper_that_cannot_be_rendered_hinders_no_act_and_is_told() {
    let office = Office::new();
    let number = office.assigned(application());
    let broken = AtomicBool::new(true);
    let press = |paper: &Paper, picture: Option<&[u8]>| {
        if broken.load(Ordering::Relaxed) { Err("ink".to_owned()) } else { press(paper, picture) }
    };
    for minutes in [0, 1, 5, 30] {
        office.wait(minutes * 60_000);
        assert_eq!(office.desk.render_papers(&press).unwrap(), 0);
    }
    let told = office.desk.notices_due(100).unwrap();
    let told = told.iter().filter(|notice| notice.deed == Deed::PaperFailed).count();
    assert_eq!(told, 2, "once for each paper, to the one administrator");
    office.approve(&number).unwrap();
    broken.store(false, Ordering::Relaxed);
    office.wait(120 * 60_000);
    assert_eq!(office.desk.render_papers(&press).unwrap(), 5);
    assert!(office.papers(&number).iter().all(|paper| paper.sha256.is_some()));
}

#[test]
fn papers_that_cannot_be_put_on_disk_are_tried_again_later_and_each_has_its_turn() {
    let office = Office::new();
    office.assigned(application());
    let state = office.directory.path().join("state");
    let (folder, away) = (state.join("papers"), state.join("away"));
    std::fs::rename(&folder, &away).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    assert_eq!(office.desk.render_papers(&press).unwrap(), 0);
    let tries: Vec<u32> = office.paper_rows().iter().map(|row| row.tries).collect();
    assert_eq!(tries, [1, 1]);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    assert_eq!(office.desk.render_papers(&press).unwrap(), 0, "not before its time");
    office.wait(60_000);
    assert_eq!(office.desk.render_papers(&press).unwrap(), 2);
}

#[test]
fn papers_that_wait_are_due_at_once_when_their_cause_may_be_mended() {
    let office = Office::new();
    office.assigned(application());
    let torn = |_: &Paper, _: Option<&[u8]>| Err("the coat of arms is torn".to_owned());
    assert_eq!(office.desk.render_papers(&torn).unwrap(), 0);
    assert_eq!(office.desk.render_papers(&press).unwrap(), 0, "not before its time");
    office.desk.retry_papers().unwrap();
    assert_eq!(office.desk.render_papers(&press).unwrap(), 2);
    // It is no edit of their rows.
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good(), "{:?}", report.faults);
}

#[test]
fn a_correction_supersedes_and_nobody_changes_a_paper() {
    let office = Office::new();
    let number = office.assigned(application());
    office.rendered();
    let slip = office.papers(&number).remove(1);
    let correct = |reason: &str, by: &str| {
        office.desk.correct_paper(&number, &slip.id, reason, &office.actor(by))
    };
    assert!(correct("salah", "seksi").is_err(), "it is the head's");
    assert!(correct(" ", "kepala").is_err(), "a reason is needed");
    let numbered = office
        .desk
        .number_paper(&number, &slip.id, "555/12/2026", &office.actor("kepala"))
        .unwrap();
    assert_eq!(numbered.office_number.as_deref(), Some("555/12/2026"));
    assert!(office.desk.number_paper(&number, &slip.id, "1", &office.actor("kepala")).is_err());
    assert_eq!(numbered.sha256, slip.sha256, "the file stays as it was");
    office
        .store
        .write::<_, StoreError>(|tx| {
            let row = tx.person("p-kepala")?.unwrap();
            tx.put_person(&PersonRow { full_name: "Dra. Kepala, M.Si.".to_owned(), ..row })
        })
        .unwrap();
    let new = correct("gelar kurang", "kepala").unwrap();
    assert_eq!(new.supersedes.as_deref(), Some(slip.number.as_str()));
    assert!(correct("lagi", "kepala").is_err(), "it is no longer in force");
    office.rendered();
    let papers = office.papers(&number);
    assert_eq!(papers[1].superseded_by.as_deref(), Some(new.number.as_str()));
    let text = office.paper_text(&papers[2]);
    assert!(text.contains("Dra. Kepala, M.Si.") && text.contains("555/12/2026"), "{text}");
    assert!(!office.paper_text(&papers[1]).contains("Dra."), "the old one says what it said");
    let check = office.desk.check_paper(&slip.code).unwrap();
    assert_eq!((check.valid, check.superseded_by), (false, Some(new.number)));
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn an_erased_person_is_on_no_paper() {
    let office = Office::new();
    let number = office.live(application());
    office.rendered();
    let before = office.papers(&number);
    let notified = Act::Notified { how: "diserahkan".to_owned() };
    office.act(&number, notified, "seksi").unwrap();
    let erased = office.desk.erase(&number, "diminta", &office.actor("kepala")).unwrap();
    assert!(erased.papers >= 3, "{erased:?}");
    assert_eq!(office.rendered(), erased.papers);
    let papers = office.papers(&number);
    for old in &before {
        let now = papers.iter().find(|paper| paper.id == old.id).unwrap();
        let viewer = Viewer::Officer(office.actor("seksi"));
        let file = office.desk.paper_file(&number, &old.id, &viewer);
        assert_eq!(now.deleted, file.is_err(), "{now:?}");
        assert_eq!(now.deleted, now.superseded_by.is_some());
    }
    for paper in papers.iter().filter(|paper| !paper.deleted) {
        let text = office.paper_text(paper);
        assert!(!text.contains("Sutrisno") && !text.contains("Sekretaris"), "{text}");
    }
    let kept = std::fs::read_dir(office.directory.path().join("state/papers")).unwrap().count();
    assert_eq!(kept, before.len(), "the old files are gone");
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good(), "{:?}", report.lines());
}

#[test]
fn an_acting_official_signs_in_their_own_name() {
    let office = Office::new();
    let acting = crate::store::people::ActingRow {
        id: "a-1".to_owned(),
        person: "p-lain".to_owned(),
        role: Role::Head,
        holder: "p-kepala".to_owned(),
        style: crate::store::words::ActingStyle::Plt,
        letter: "800/1".to_owned(),
        starts_ms: MONDAY_8 - 1,
        ends_ms: MONDAY_8 + 86_400_000,
        made_by: "p-kepala".to_owned(),
        ended_ms: None,
    };
    office
        .store
        .write::<_, StoreError>(|tx| {
            let head = tx.person("p-kepala")?.unwrap();
            tx.put_person(&PersonRow { title: "Kepala Bidang X".to_owned(), ..head })?;
            let stands_in = tx.person("p-lain")?.unwrap();
            tx.put_person(&PersonRow {
                nip: Some("198001012005011001".to_owned()),
                rank: Some("Penata (III/c)".to_owned()),
                ..stands_in
            })?;
            tx.put_acting(&acting)
        })
        .unwrap();
    let sent = office.submit(application()).unwrap();
    office.act(&sent.number, dispose("seksi"), "lain").unwrap();
    let viewer = Viewer::Officer(office.actor("seksi"));
    let slip = office.papers(&sent.number).remove(1);
    let (_, paper) = office.desk.paper(&sent.number, &slip.id, &viewer).unwrap();
    let Content::Disposition(slip) = paper.content else { panic!() };
    assert_eq!(slip.signer.title, "Kepala Bidang X");
    assert_eq!(slip.signer.acting, Some(crate::dossier::Acting::Plt));
    assert_eq!(slip.signer.name.as_deref(), Some("lain"));
    assert_eq!(slip.signer.nip.as_deref(), Some("198001012005011001"));
    assert_eq!(slip.signer.rank.as_deref(), Some("Penata (III/c)"));
}

#[test]
fn a_file_that_is_gone_or_another_one_is_found() {
    let office = Office::new();
    let number = office.submit(application()).unwrap().number;
    office.rendered();
    let folder = office.directory.path().join("state/papers");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let sealed = std::fs::read(&file).unwrap();
    assert!(!sealed.windows(8).any(|part| part == b"Sutrisno"), "it is sealed");
    std::fs::write(&file, b"%PDF").unwrap();
    let faults = office.desk.verify(&[]).unwrap().faults;
    assert!(faults.len() == 1 && faults[0].what.contains("not the one"), "{faults:?}");
    let viewer = Viewer::Officer(office.actor("seksi"));
    let paper = office.papers(&number).remove(0);
    assert!(office.desk.paper_file(&number, &paper.id, &viewer).is_err());
    std::fs::remove_file(&file).unwrap();
    let faults = office.desk.verify(&[]).unwrap().faults;
    assert!(faults.len() == 1 && faults[0].what.contains("is gone"), "{faults:?}");
    std::fs::write(&file, sealed).unwrap();
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
#[ignore = "the other half of the test below, in a process of its own"]
fn child() {
    let Ok(directory) = std::env::var("GAPURA_TEST_CRASH") else { return };
    let directory = TempDir::with_prefix_in("child", directory).unwrap();
    std::fs::create_dir(directory.path().join("state")).unwrap();
    std::fs::write(directory.path().join("zone"), ZONE).unwrap();
    let office = Office::open(directory, |_| {}, "127.0.0.1:0");
    office.hire("kepala", "kabid");
    office.hire("seksi", "kasi");
    office.live(application());
    let drawn = std::cell::Cell::new(0);
    let drawn = std::sync::Mutex::new(drawn);
    let dies = move |paper: &Paper, picture: Option<&[u8]>| {
        let drawn = drawn.lock().unwrap();
        drawn.set(drawn.get() + 1);
        if drawn.get() == 3 {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .unwrap();
        }
        press(paper, picture)
    };
    office.desk.render_papers(&dies).unwrap();
}

#[test]
fn killed_between_commit_and_rendering_every_paper_gets_its_file_once() {
    let parent = tempfile::tempdir().unwrap();
    let mut child = crate::testing::child("desk::tests::papers::child")
        .env("GAPURA_TEST_CRASH", parent.path())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let entry = std::fs::read_dir(parent.path()).unwrap().next().unwrap().unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::remove_dir(directory.path()).unwrap();
    std::fs::rename(entry.path(), directory.path()).unwrap();
    let office = Office::open(directory, |_| {}, "127.0.0.1:0");
    let number = "GPR-2026-00001";
    let before = office.papers(number);
    let done = before.iter().filter(|paper| paper.sha256.is_some()).count();
    assert_eq!((before.len(), done), (5, 2));
    assert_eq!(office.rendered(), 3);
    let after = office.papers(number);
    assert_eq!(after[..2], before[..2], "what was rendered stays");
    assert!(after.iter().all(|paper| paper.sha256.is_some()));
    let report = office.desk.verify(&[]).unwrap();
    assert!(report.is_good() && report.papers == 5, "{:?}", report.lines());
}
