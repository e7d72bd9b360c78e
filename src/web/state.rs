//! What all pages share: the rooms below, the settings, the key of form tokens, the limits.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::api;
use super::bodies::Bodies;
use super::door::DoorLimits;
use super::failure::Failure;
use super::forward::NodeToken;
use super::gate::Gate;
use super::limits::{Limits, Wrongs, network};
use super::pages::KeptSites;
use super::shown_once::ShownOnce;
use crate::desk::{ActError, Desk, DraftLimits, Obstacle, Terms};
use crate::fleet::RefreshStatus;
use crate::lock::lock;
use crate::notice::Mailer;
use crate::paper::{Paper, Sample};
use crate::people::{Origin, People, PeopleError, keyed_tag, random_token};
use crate::press::Press;
use crate::publish::{Publisher, unanswered};
use crate::queue::{Act, Actor};
use crate::signer::Signer;
use crate::statistics::Statistics;
use crate::store::Store;
use crate::text::with_causes;
use crate::uploads::Reader as Letters;
use crate::view::RequestView;
use crate::wire::Name;
use crate::words::office;

/// Blocking calls under way at once.
const WORK_PERMITS: usize = 16;
/// Blocking calls that may wait for their turn.
const WORK_WAITING: usize = 512;
/// Password hashes under way at once; each takes 19 MiB and a core.
const HASH_PERMITS: usize = 2;
/// Tests of webhooks that may wait for their turn; one is under way at a time.
const CALLS_WAITING: usize = 4;
/// Papers drawn for visitors that may wait for their turn; one is drawn at a time.
const PRINTS_WAITING: usize = 8;
/// Letters for others to copy whose PDF is kept: one for each kind, and the same before a change of words.
const SAMPLES_KEPT: usize = 4;

/// How long the database may take to show that it is there.
const HEALTH_TIME: Duration = Duration::from_secs(5);

//------------ Options -------------------------------------------------------

/// Settings of the pages.
#[derive(Clone, Debug)]
pub struct Options {
    /// `web.url`: how people reach the site, without a slash at the end.
    pub url: String,
    /// `web.trusted_proxies`: whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// `public.submit`: whether the public form is open.
    pub public_submit: bool,
    /// `public.submit_per_hour`: for each address.
    pub submit_per_hour: u32,
    /// `register.public`: whether the list of live names is open to all.
    pub register_public: bool,
    /// Apex of the zone that requests are for, with its final dot.
    pub zone: String,
    /// Limits of drafts.
    pub drafts: DraftLimits,
    /// Limits of connections.
    pub door: DoorLimits,
    /// Password hashes that may wait for their turn.
    pub hashes_waiting: usize,
    /// Settings that only the file can change, to be shown to administrators.
    pub shown: Vec<Shown>,
    /// How long an answer may take, apart from the time its request's body needs.
    pub answer_max: Duration,
    /// What other nodes that pass requests on to this one prove it with; none if there are no others.
    pub node_token: Option<NodeToken>,
}

/// A setting that only the file can change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// Its key, as `approval.camat`.
    pub key: String,
    /// Its value as text.
    pub value: String,
    /// Whether a reload puts it in force; the others wait for a restart.
    pub by_reload: bool,
}

/// A place where sites may be hosted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hosting {
    /// What applicants know it by.
    pub(super) name: String,
    /// An IP address, or the name of a server.
    pub(super) target: String,
}

/// The settings of the pages that a reload changes.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `public.submit`.
    pub(super) public_submit: bool,
    /// `register.public`.
    pub(super) register_public: bool,
    /// Limits of drafts.
    pub(super) drafts: DraftLimits,
    /// Settings that only the file can change.
    pub(super) shown: Arc<[Shown]>,
}

impl Settings {
    /// Those of the options.
    fn of(options: &Options) -> Self {
        let Options { public_submit, register_public, drafts, .. } = *options;
        Self { public_submit, register_public, drafts, shown: options.shown.clone().into() }
    }
}

/// Says how a zone is kept fresh; none if it is no secondary zone.
pub(super) type Refresh = Box<dyn Fn(&Name) -> Option<RefreshStatus> + Send + Sync>;

/// The rooms the pages use.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Accounts and sessions.
    pub people: People,
    /// The acting functions of the procedure.
    pub desk: Desk,
    /// The zones as served.
    pub publisher: Publisher,
    /// How a secondary zone is kept fresh.
    pub refresh: Refresh,
    /// Looks after signed zones.
    pub signer: Signer,
    /// Queries over time.
    pub statistics: Statistics,
    /// Reads letters.
    pub letters: Letters,
    /// Draws papers.
    pub press: Press,
    /// Mails codes; none while mail is off.
    pub mailer: Option<Mailer>,
    /// Settings.
    pub options: Options,
}

//------------ State ---------------------------------------------------------

/// A handle shared by all requests.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// What the handles share.
struct Inner {
    /// The rooms and settings.
    parts: Parts,
    /// Of the settings, those that a reload changes, as they are now.
    settings: ArcSwap<Settings>,
    /// Key of form tokens.
    form_key: Vec<u8>,
    /// Rate limits.
    limits: Limits,
    /// Bodies being taken in.
    bodies: Bodies,
    /// Bounds blocking calls.
    work: Gate,
    /// Bounds password hashing for browsers nobody is known to have signed in with.
    hashing: Gate,
    /// Bounds password hashing for known browsers and sessions: no stranger fills this queue.
    hashing_again: Gate,
    /// The document of the API.
    document: Value,
    /// The public list of names.
    sites: KeptSites,
    /// Letters for others to copy, the newest first.
    samples: Mutex<Vec<(Sample, Arc<[u8]>)>>,
    /// Bounds papers that are drawn while somebody waits: a slow one holds no place of other work.
    printing: Gate,
    /// Bounds calls to servers of others, which may let us wait.
    calling: Gate,
    /// Secrets that wait to be shown.
    shown_once: ShownOnce,
    /// Held while health is looked at: one look at a time, whoever asks.
    looking: tokio::sync::Mutex<()>,
}

impl State {
    /// Reads or makes the key of form tokens; it outlives restarts.
    pub fn new(parts: Parts) -> Result<Self, PeopleError> {
        let form_key = parts.people.web_secret("form")?;
        if let Err(error) = super::pages::use_texts(&parts.desk) {
            tracing::error!(%error, "the texts that an administrator wrote cannot be read");
        }
        let limits = Limits::new(parts.options.submit_per_hour);
        let hashes_waiting = parts.options.hashes_waiting;
        let document = api::describe(&parts.options.url);
        Ok(Self(Arc::new(Inner {
            settings: ArcSwap::from_pointee(Settings::of(&parts.options)),
            parts,
            form_key,
            limits,
            bodies: Bodies::default(),
            work: Gate::new(WORK_PERMITS, WORK_WAITING),
            hashing: Gate::new(HASH_PERMITS, hashes_waiting),
            hashing_again: Gate::new(1, hashes_waiting),
            document,
            sites: KeptSites::default(),
            samples: Mutex::default(),
            printing: Gate::new(1, PRINTS_WAITING),
            calling: Gate::new(1, CALLS_WAITING),
            shown_once: ShownOnce::default(),
            looking: tokio::sync::Mutex::default(),
        })))
    }

    /// Settings of the pages.
    pub fn options(&self) -> &Options {
        &self.0.parts.options
    }

    /// The OpenAPI document of the API.
    pub(super) fn document(&self) -> &Value {
        &self.0.document
    }

    /// Secrets that are shown once, on the page after their making.
    pub(super) fn shown_once(&self) -> &ShownOnce {
        &self.0.shown_once
    }

    /// The public list of names as it was gathered last.
    pub(super) fn kept_sites(&self) -> &KeptSites {
        &self.0.sites
    }

    /// Settings of the pages that a reload changes.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Where sites may be hosted.
    pub(super) fn hostings(&self) -> Vec<Hosting> {
        let known = self.desk().hostings().into_iter();
        known.map(|(name, target)| Hosting { name, target }).collect()
    }

    /// Takes over other options, as far as they can change without a restart.
    pub fn set_options(&self, options: &Options) {
        self.0.settings.store(Arc::new(Settings::of(options)));
    }

    /// Accounts and sessions.
    pub fn people(&self) -> &People {
        &self.0.parts.people
    }

    /// The acting functions of the procedure.
    pub fn desk(&self) -> &Desk {
        &self.0.parts.desk
    }

    /// The zones as served.
    pub fn publisher(&self) -> &Publisher {
        &self.0.parts.publisher
    }

    /// How a secondary zone is kept fresh.
    pub(super) fn refresh_status(&self, zone: &Name) -> Option<RefreshStatus> {
        (self.0.parts.refresh)(zone)
    }

    /// Looks after signed zones.
    pub(super) fn signer(&self) -> &Signer {
        &self.0.parts.signer
    }

    /// Queries over time.
    pub(super) fn statistics(&self) -> &Statistics {
        &self.0.parts.statistics
    }

    /// Mails codes; none while mail is off, and then nothing may promise a mail.
    pub(super) fn mailer(&self) -> Option<&Mailer> {
        self.0.parts.mailer.as_ref()
    }

    /// Reads letters.
    pub(super) fn letters(&self) -> &Letters {
        &self.0.parts.letters
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// Rate limits by route class and address.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Bodies being taken in.
    pub(super) fn bodies(&self) -> &Bodies {
        &self.0.bodies
    }

    /// Key of form tokens.
    pub(super) fn form_key(&self) -> &[u8] {
        &self.0.form_key
    }

    /// A keyed hash of the network an address lies in, for counting.
    pub(super) fn network_tag(&self, address: IpAddr) -> String {
        keyed_tag(self.form_key(), "network", &network(address))
    }

    /// A new value of the visit cookie: random, and marked as ours, so that no client can choose it.
    pub(super) fn new_visit(&self) -> Option<String> {
        let random = random_token().ok()?;
        let tag = keyed_tag(self.form_key(), "visit", &random);
        Some(format!("{random}.{tag}"))
    }

    /// Whether a visit cookie's value is one of ours.
    pub(super) fn is_visit(&self, value: &str) -> bool {
        let Some((random, tag)) = value.split_once('.') else { return false };
        let ours = keyed_tag(self.form_key(), "visit", random);
        bool::from(tag.as_bytes().ct_eq(ours.as_bytes()))
    }

    /// Scheme, host and port of the site.
    pub(super) fn origin(&self) -> String {
        let url = &self.options().url;
        let host_at = url.find("://").map_or(0, |at| at + 3);
        let end = url[host_at..].find('/').map_or(url.len(), |at| host_at + at);
        url[..end].to_owned()
    }

    /// Whether people reach the site by https.
    pub(super) fn is_https(&self) -> bool {
        self.options().url.starts_with("https://")
    }

    /// Name of a cookie. `__Host-` cookies must be Secure, which a browser takes only from https;
    /// on plain http (loopback, first look) the name goes without the prefix.
    pub(super) fn cookie_name(&self, name: &str) -> String {
        if self.is_https() { format!("__Host-gapura_{name}") } else { format!("gapura_{name}") }
    }

    /// The line that sets a cookie; an empty value with `max_age` 0 takes it back.
    pub(super) fn cookie(&self, name: &str, value: &str, same_site: &str, max_age: i64) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let age = if max_age < 0 { String::new() } else { format!("; Max-Age={max_age}") };
        let name = self.cookie_name(name);
        format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{age}")
    }

    /// Runs something that waits for the database on the blocking pool.
    pub async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.blocking(&self.0.work, job).await
    }

    /// What keeps pages and API from their work, if something does. It is looked at beside the calls of
    /// visitors, so that none of them keeps a supervisor waiting.
    pub(super) async fn unready(&self) -> Option<Unready> {
        let _turn = self.0.looking.lock().await;
        let state = self.clone();
        let look = tokio::task::spawn_blocking(move || Unready::look(&state));
        let looked = tokio::time::timeout(HEALTH_TIME, look).await;
        let late = || Obstacle::NoDatabase("the database does not answer".to_owned());
        let unready = looked.ok().and_then(Result::ok);
        unready.unwrap_or_else(|| Some(Unready::Waiting(late())))
    }

    /// Runs something that hashes a password on the blocking pool.
    pub async fn hashing<T: Send + 'static>(
        &self,
        origin: &Origin,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let gate = match origin {
            Origin::Network(_) => &self.0.hashing,
            Origin::Console | Origin::Device(_) | Origin::Session(_) => &self.0.hashing_again,
        };
        self.blocking(gate, job).await
    }

    /// Runs something that waits for a server of others on the blocking pool.
    pub(super) async fn call_out<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.blocking(&self.0.calling, job).await
    }

    /// Draws a paper on the blocking pool.
    pub(super) async fn print(&self, paper: Paper) -> Result<Vec<u8>, Failure> {
        let job = move |state: &Self| {
            let coat_of_arms = office().coat_of_arms.clone();
            state.0.parts.press.print(&paper, coat_of_arms.as_deref())
        };
        let printed = self.blocking(&self.0.printing, job).await?;
        printed.map_err(|error| Failure::internal(with_causes(&error)))
    }

    /// A letter for others to copy as a PDF; drawn once, and again when its words have changed.
    pub(super) async fn sample(&self, sample: Sample) -> Result<Arc<[u8]>, Failure> {
        let known = |samples: &[(Sample, Arc<[u8]>)]| {
            samples.iter().find(|(it, _)| *it == sample).map(|(_, pdf)| Arc::clone(pdf))
        };
        if let Some(pdf) = known(&lock(&self.0.samples)) {
            return Ok(pdf);
        }
        let wanted = sample.clone();
        let job = move |state: &Self| state.0.parts.press.print_sample(&wanted);
        let printed = self.blocking(&self.0.printing, job).await?;
        let pdf: Arc<[u8]> =
            printed.map_err(|error| Failure::internal(with_causes(&error)))?.into();
        let mut samples = lock(&self.0.samples);
        samples.truncate(SAMPLES_KEPT - 1);
        samples.insert(0, (sample, Arc::clone(&pdf)));
        Ok(pdf)
    }

    /// Performs an act. What has to be asked outside first is waited for without a permit, so that no
    /// slow target holds what others need.
    pub(super) async fn perform(
        &self,
        number: &str,
        act: Act,
        actor: Actor,
    ) -> Result<Result<RequestView, ActError>, Failure> {
        self.perform_on(number, act, actor, Terms::default()).await
    }

    /// The same, on terms.
    pub(super) async fn perform_on(
        &self,
        number: &str,
        act: Act,
        actor: Actor,
        terms: Terms,
    ) -> Result<Result<RequestView, ActError>, Failure> {
        let number = number.to_owned();
        let (of, asked, by) = (number.clone(), act.clone(), actor.clone());
        match self.work(move |state| state.desk().probe_for(&of, &asked, &by)).await? {
            Ok(Some(probe)) => probe.landed().await,
            Ok(None) => {}
            Err(error) => return Ok(Err(error)),
        }
        self.work(move |state| state.desk().act_on(&number, &act, &actor, &terms)).await
    }

    /// Runs something that tries the status secret of a request: the one way in for pages and API.
    /// After too many wrong ones it is not tried; a right one never counts.
    pub(super) async fn with_secret<T: Send + 'static>(
        &self,
        number: &str,
        from: IpAddr,
        job: impl FnOnce(&Self) -> Result<T, ActError> + Send + 'static,
    ) -> Result<Result<T, ActError>, Failure> {
        self.trying(|limits| &limits.secrets, number, from, job).await
    }

    /// The same for the code of a paper: whoever tries too many of these may still see their request.
    pub(super) async fn with_paper_code<T: Send + 'static>(
        &self,
        code: &str,
        from: IpAddr,
        job: impl FnOnce(&Self) -> Result<T, ActError> + Send + 'static,
    ) -> Result<Result<T, ActError>, Failure> {
        self.trying(|limits| &limits.papers, code, from, job).await
    }

    /// Runs something that tries a secret of one kind.
    async fn trying<T: Send + 'static>(
        &self,
        wrongs: fn(&Limits) -> &Wrongs,
        of: &str,
        from: IpAddr,
        job: impl FnOnce(&Self) -> Result<T, ActError> + Send + 'static,
    ) -> Result<Result<T, ActError>, Failure> {
        let of = of.to_owned();
        // Each try counts as a wrong one while it is under way, so that tries sent all at once are no
        // more than those sent one by one.
        self.work(move |state| {
            let wrongs = wrongs(state.limits());
            wrongs.guess(&of, from).map_err(Failure::too_many)?;
            let done = job(state);
            if !matches!(done, Err(ActError::NotFound)) {
                wrongs.guessed_right(&of, from);
            }
            Ok(done)
        })
        .await?
    }

    /// Waits for a place and runs the job.
    async fn blocking<T: Send + 'static>(
        &self,
        gate: &Gate,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let state = self.clone();
        let done = gate.run(move || job(&state)).await;
        done.ok_or_else(Failure::busy)?.map_err(Failure::internal)
    }
}

//------------ Unready -------------------------------------------------------

/// Why pages and API cannot do their work.
#[derive(Clone, Debug)]
pub(super) enum Unready {
    /// No name is answered.
    NoZone,
    /// Changes wait.
    Waiting(Obstacle),
}

impl Unready {
    /// Looks.
    fn look(state: &State) -> Option<Self> {
        let waiting = state.desk().obstacle().map(Self::Waiting);
        waiting.or_else(|| unanswered(&state.publisher().status()).map(|_| Self::NoZone))
    }
}
