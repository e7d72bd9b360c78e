//! Plays the script: each step by the desk's own functions, at its time on a clock of the past.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};

use super::cast::Cast;
use super::place::Place;
use super::script::{Asked, Days, Script, Step, Verb};
use super::{Filled, Sent, holidays, letter, past, table};
use crate::desk::{self, Desk, Submitted, Submitter, Viewer};
use crate::people::{self, People, Role};
use crate::publish::{self, Publisher, now_ms};
use crate::queue::time::{DAY_MS, MINUTE_MS, day_of};
use crate::queue::{Act, Actor, LineCode, LineInput, LineVerdict};
use crate::report::Month;
use crate::run::StateDir;
use crate::run::options;
use crate::run::road_3::site_url;
use crate::serve;
use crate::store::Store;
use crate::view::RequestView;
use crate::words::set_office;

/// The longest jump of the clock: small enough that the desk does not doubt it, and that no reminder is missed.
const HOP_MS: i64 = 6 * 60 * MINUTE_MS;
/// When accounts get their second factors, counted back from now.
const EQUIPPED_MS: i64 = 20 * MINUTE_MS;

/// Fills the place of a demonstration. Gives up once `stop` says so.
pub(super) fn fill(place: &Place, stop: &AtomicBool) -> anyhow::Result<Filled> {
    let loaded = place.settings()?;
    let settings = &loaded.settings;
    set_office(options::office(settings)?);
    let script = Script::read()?;
    let (now, calendar) = (now_ms(), options::desk(settings)?.calendar);
    let days = Days::before(now, &calendar);
    let (steps, closings) = (script.steps(&days)?, days.closings());
    let first = steps.first().context("nothing happens in the script")?.0;
    past::set(first - DAY_MS);

    let state = StateDir::take(&settings.server.state_dir)?;
    let store = Store::open(state.path())?;
    let publishing = publish::Options { now_ms: past::now_ms, ..options::publish(settings)? };
    let (publisher, _) = Publisher::open(store.clone(), options::sources(settings)?, publishing)?;
    let running = serve::start(options::serve(settings)?, publisher.shared())?;
    let mut servers: Vec<_> = running.addresses().iter().map(|it| it.address).collect();
    servers.dedup();
    publisher.sockets().set(servers);
    let desk_options = desk::Options { clock: Arc::new(past::now_ms), ..options::desk(settings)? };
    let desk = Desk::open(store.clone(), publisher.clone(), desk_options)?;
    let people_options =
        people::Options { clock: Arc::new(past::now_ms), ..options::people(settings) };
    let cast = Cast::hire(People::open(store, desk.vault(), people_options)?, &script.persons)?;
    desk.set_site(&site_url(settings, settings.web.listen));
    desk.listening()?;
    desk.note_working_time()?;

    let sent = script.requests.iter().map(|_| None).collect();
    let mut stage = Stage { desk, publisher, cast, script: &script, closings, sent, now };
    for (ms, at, step) in &steps {
        if stop.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        stage.wait_until(*ms)?;
        stage.play(*at, step)?;
    }
    let filled = stage.end(place);
    running.stop();
    stage.publisher.flush();
    filled
}

/// An office at work.
struct Stage<'a> {
    /// Its desk.
    desk: Desk,
    /// Its zones.
    publisher: Publisher,
    /// Its people.
    cast: Cast,
    /// What happens.
    script: &'a Script,
    /// When months are closed, each with a moment of that month.
    closings: Vec<(i64, i64)>,
    /// What was sent so far, by its place in the script.
    sent: Vec<Option<Submitted>>,
    /// The end of the story.
    now: i64,
}

impl Stage<'_> {
    /// Lets time pass, and runs the timers meanwhile.
    fn wait_until(&self, then: i64) -> anyhow::Result<()> {
        while past::now_ms() < then {
            let before = past::now_ms();
            let closing = self.closings.iter().find(|(at, _)| before < *at && *at <= then);
            let stop = closing.map_or(then, |(at, _)| *at);
            let hop = (stop - before).min(HOP_MS);
            past::set(before + hop);
            self.desk.turn(Duration::from_millis(u64::try_from(hop)?))?;
            if day_of(before) != day_of(before + hop) {
                self.desk.daily()?;
            }
            if let Some((at, of)) = closing
                && past::now_ms() == *at
            {
                let month = Month::of(*of).context("no such month")?;
                let head = self.cast.first(Role::Head)?.name.clone();
                self.desk.close_month(month, &self.cast.actor(&self.desk, &head)?)?;
            }
        }
        Ok(())
    }

    /// Does one step.
    fn play(&mut self, at: usize, step: &Step) -> anyhow::Result<()> {
        let script = self.script;
        let asked = script.requests.get(at).context("no such request")?;
        let done = match step.verb {
            Verb::Submit => self.submit(at, asked, &step.rest),
            _ => self.act(at, asked, step),
        };
        done.with_context(|| {
            let application = asked.application(at, past::now_ms(), self.now);
            format!("{}: {:?} {}", application.name, step.verb, step.rest)
        })
    }

    /// Sends a request in.
    fn submit(&mut self, at: usize, asked: &Asked, how: &str) -> anyhow::Result<()> {
        let application = asked.application(at, past::now_ms(), self.now);
        let contact = &application.contact;
        let paper = how.strip_prefix("paper ");
        let actor = match paper {
            Some(name) => self.cast.actor(&self.desk, name)?,
            None => Actor::applicant(&contact.name, contact.identity(), None),
        };
        let by = Submitter {
            actor,
            mailbox_proven: how.is_empty(),
            proof_of: None,
            network: None,
            letter_on_paper: false,
        };
        let letter = letter::of(&application)?;
        let sent = self.desk.submit(application, Some(letter), &by)?;
        if let Some(place) = self.sent.get_mut(at) {
            *place = Some(sent);
        }
        Ok(())
    }

    /// Does anything else with a request.
    fn act(&self, at: usize, asked: &Asked, step: &Step) -> anyhow::Result<()> {
        let sent = self.sent.get(at).cloned().flatten().context("it was not sent")?;
        let (number, rest) = (sent.number.as_str(), step.rest.as_str());
        let (who, said) = rest.split_once(' ').unwrap_or((rest, ""));
        let application = asked.application(at, past::now_ms(), self.now);
        let head = || self.cast.first(Role::Head).map(|account| account.name.clone());
        match step.verb {
            Verb::Submit => Ok(()),
            Verb::Dispose => {
                let act = Act::Dispose { to: who.to_owned(), instruction: said.to_owned() };
                self.done_by(&head()?, number, &act)
            }
            Verb::Sign => {
                let candidate = self.candidate(&self.view(number)?);
                self.done_by(&head()?, number, &Act::Countersign { candidate })
            }
            Verb::Approve => self.approve(number, rest == "unserved"),
            Verb::Resubmit => {
                let mut better = application;
                rest.clone_into(&mut better.letter.number);
                let applicant = self.desk.applicant(number, &sent.secret)?;
                let letter = letter::of(&better)?;
                self.desk.resubmit(number, better, Some(letter), &applicant)?;
                Ok(())
            }
            Verb::Withdraw => {
                let applicant = self.desk.applicant(number, &sent.secret)?;
                let act = Act::Withdraw { letter: String::new() };
                self.desk.act(number, &act, &applicant)?;
                Ok(())
            }
            Verb::Read => {
                self.desk.status(number, &sent.secret)?;
                Ok(())
            }
            Verb::Suspend => {
                let actor = self.cast.actor(&self.desk, who)?;
                self.desk.suspend(&application.name, said, &actor)?;
                Ok(())
            }
            Verb::Agree => {
                let actor = self.cast.actor(&self.desk, who)?;
                self.desk.confirm_suspension(&application.name, &actor)?;
                Ok(())
            }
            Verb::Check
            | Verb::Return
            | Verb::Reject
            | Verb::Ask
            | Verb::Confirm
            | Verb::Release
            | Verb::Told => self.done_by_holder(number, &act_of(step)?),
        }
    }

    /// An act by somebody.
    fn done_by(&self, name: &str, number: &str, act: &Act) -> anyhow::Result<()> {
        let actor = self.cast.actor(&self.desk, name)?;
        self.desk.act(number, act, &actor)?;
        Ok(())
    }

    /// An act by the holder of the request, or by a verifier if it has none.
    fn done_by_holder(&self, number: &str, act: &Act) -> anyhow::Result<()> {
        let holder = self.view(number)?.summary.holder;
        let verifier = || self.cast.first(Role::Verifier).map(|account| account.name.clone());
        self.done_by(&holder.map_or_else(verifier, Ok)?, number, act)
    }

    /// *Setujui dan tayangkan* with everything sesuai; `unserved`: while no socket answers.
    fn approve(&self, number: &str, unserved: bool) -> anyhow::Result<()> {
        let view = self.view(number)?;
        let wants_word = view
            .lines
            .iter()
            .filter(|line| !line.automatic || line.verdict == Some(LineVerdict::Fix));
        let lines = wants_word.map(|line| LineInput {
            code: line.code,
            verdict: Some(LineVerdict::Ok),
            note: line.automatic.then(|| "Sudah diperiksa lewat telepon.".to_owned()),
        });
        let act = Act::Approve {
            revision: view.summary.revision,
            candidate: self.candidate(&view),
            serial: None,
            lines: lines.collect(),
        };
        let sockets = self.publisher.sockets();
        let servers = sockets.servers();
        if unserved {
            sockets.set(Vec::new());
        }
        let done = self.done_by_holder(number, &act);
        sockets.set(servers);
        done
    }

    /// The candidate shown.
    fn candidate(&self, view: &RequestView) -> String {
        view.candidate.as_ref().map(|candidate| candidate.hash.clone()).unwrap_or_default()
    }

    /// A request as a verifier sees it.
    fn view(&self, number: &str) -> anyhow::Result<RequestView> {
        let verifier = self.cast.first(Role::Verifier)?.name.clone();
        let actor = self.cast.actor(&self.desk, &verifier)?;
        Ok(self.desk.view(number, &Viewer::Officer(actor))?)
    }

    /// Advances the clock to the end, and lists the contents.
    fn end(&self, place: &Place) -> anyhow::Result<Filled> {
        self.cast.look_ahead()?;
        let admin = self.cast.first(Role::Operator)?.name.clone();
        let asked = self.script.requests.first().context("nobody asks for anything")?;
        let cover = letter::of(&asked.application(0, past::now_ms(), self.now))?;
        table::bring(&self.desk, &self.cast.actor(&self.desk, &admin)?, &cover)?;
        let last = past::now_ms();
        past::set(last.max(self.now - EQUIPPED_MS));
        let accounts = self.cast.equip(&self.script.persons)?;
        let admin = self.cast.first(Role::Operator)?.name.clone();
        holidays::enter(&self.desk, &self.cast.actor(&self.desk, &admin)?)?;
        self.wait_until(self.now)?;
        let requests = self.sent.iter().flatten().map(|sent| {
            let summary = self.view(&sent.number)?.summary;
            Ok(Sent {
                number: sent.number.clone(),
                secret: sent.secret.clone(),
                state: summary.state.as_str().to_owned(),
                name: summary.name,
            })
        });
        Ok(Filled {
            password: self.cast.password.clone(),
            accounts,
            requests: requests.collect::<anyhow::Result<_>>()?,
            kept: place.kept(),
        })
    }
}

/// The act of a step that is given completely by its text.
fn act_of(step: &Step) -> anyhow::Result<Act> {
    let rest = step.rest.clone();
    Ok(match step.verb {
        Verb::Check => {
            let line = |code: &str| Ok(line(code.parse()?, LineVerdict::Ok, None));
            Act::Check { lines: rest.split(' ').map(line).collect::<anyhow::Result<_>>()? }
        }
        Verb::Return => Act::Return { lines: noted(&rest, LineVerdict::Fix)? },
        Verb::Reject => {
            let (reason, said) = rest.split_once(' ').context("no reason")?;
            let lines = noted(said, LineVerdict::Bad)?;
            let note = lines.first().and_then(|line| line.note.clone()).unwrap_or_default();
            Act::Reject { reason: reason.to_owned(), note, lines }
        }
        Verb::Ask => {
            let (party, email) = rest.split_once(" <").context("no mailbox")?;
            let email = email.trim_end_matches('>').to_owned();
            Act::Consult { party: party.to_owned(), email }
        }
        Verb::Confirm => Act::Confirm { party: String::new(), letter: rest },
        Verb::Release => Act::Release { reason: rest },
        Verb::Told => Act::Notified { how: rest },
        other => bail!("{other:?} is done by somebody else"),
    })
}

/// Lines as `M1: note | M5: note`.
fn noted(text: &str, verdict: LineVerdict) -> anyhow::Result<Vec<LineInput>> {
    let one = |part: &str| {
        let (code, note) = part.split_once(": ").context("a line without a note")?;
        Ok(line(code.trim().parse()?, verdict, Some(note.trim())))
    };
    text.split(" | ").map(one).collect()
}

/// A line of the sheet.
fn line(code: LineCode, verdict: LineVerdict, note: Option<&str>) -> LineInput {
    LineInput { code, verdict: Some(verdict), note: note.map(str::to_owned) }
}
