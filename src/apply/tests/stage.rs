//! An account, a store and a fuse: everything an executor touches, with what goes wrong chosen by the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::{
    AsWritten, Binder, Event, ExecuteSettings, Executor, Interrupter, Ledger, Outcome, RunLimits, Settled, interrupt,
};
use crate::clock::{Clock, HandWoundClock};
use crate::face::{
    FaceId, FaceKey, Observed, ObservedFace, Ownership, Pal, PalId, Recorded, RecordedFace, TrainingStatus, VoiceId,
    split_name,
};
use crate::plan::tests::world::{World, key, live, noon};
use crate::plan::{Consent, Plan, plan, review};
use crate::state::{Change, Entry, HistoryEntry, MemoryStore, Phase, RunContext, Snapshot, StateError, StateStore};
use crate::tavus::{
    ApiError, Conversation, ConversationRequest, CreateFace, CreateOutcome, FaceApi, FacePage, FaceReads, FaceUpdate,
    Failure, PalPage, PalRow, Voice, VoicePage, VoiceQuery, observe, observe_pals,
};

/// Blows at one point of a run; from then on nothing has an effect and nothing is answered, as after a death.
#[derive(Debug)]
pub(super) struct Fuse {
    left: AtomicUsize,
    is_blown: AtomicBool,
}

impl Fuse {
    pub(super) fn after(points: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(points), is_blown: AtomicBool::new(false) })
    }

    pub(super) fn never() -> Arc<Self> {
        Self::after(usize::MAX)
    }

    pub(super) fn is_blown(&self) -> bool {
        self.is_blown.load(Ordering::SeqCst)
    }

    /// Passes a point at which a process can die; false once it has.
    fn pass(&self) -> bool {
        if self.is_blown() || self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.is_blown.store(true, Ordering::SeqCst);
        }
        !self.is_blown()
    }
}

/// What becomes of the next create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It starts a training and says so.
    Accepted,
    /// It starts a training, and the answer is lost.
    LostAfter,
    /// It never arrives, which looks the same from here.
    LostBefore,
    /// A complete answer with this status.
    Status(u16),
    /// It starts a training, and the answer is one that was given before, as a cache on the way may do.
    Stale(&'static str),
    /// 429, with what `Retry-After` says.
    Later(Option<u64>),
}

/// A face of the account.
#[derive(Debug, Clone)]
pub(super) struct Life {
    face: ObservedFace,
    shows_at: Timestamp,
    /// What it becomes, at which age.
    stages: Vec<(Duration, TrainingStatus)>,
    /// Why it failed. Only a look at it alone says so, as a row of a listing has no reason.
    why: Option<String>,
}

/// What the other side knows.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) lives: BTreeMap<FaceId, Life>,
    /// Each paid training, by the name it was asked for under.
    pub(super) ledger: Vec<String>,
    /// Each create that arrived or should have.
    pub(super) sent: Vec<CreateFace>,
    pub(super) updates: Vec<(FaceId, FaceUpdate)>,
    pub(super) voices: BTreeMap<VoiceId, Voice>,
    /// What becomes of the next creates; accepted after the last of these.
    pub(super) answers: VecDeque<Answer>,
    /// What the next listings fail with.
    pub(super) listings: VecDeque<Failure>,
    /// After so many listings all of them fail.
    pub(super) fails_after: Option<usize>,
    /// What looks at single faces fail with.
    pub(super) looks: Option<Failure>,
    /// What updates fail with.
    pub(super) patches: Option<Failure>,
    /// How long a new face stays hidden.
    pub(super) lag: Duration,
    /// How long a create takes to be answered.
    pub(super) takes: Duration,
    /// Rows that cannot be read.
    pub(super) unreadable: usize,
    pub(super) listed: usize,
    /// What new faces become, at which age.
    pub(super) stages: Vec<(Duration, TrainingStatus)>,
    /// The PALs of the account.
    pub(super) pals: BTreeMap<PalId, PalRow>,
    /// PALs with unpublished edits: a patch is refused.
    pub(super) edited_pals: BTreeSet<PalId>,
    /// PALs of which a patch becomes a draft: it is answered with success and changes nothing.
    pub(super) draft_pals: BTreeSet<PalId>,
    /// Faces that were deleted, and whether with their material.
    pub(super) deleted: Vec<(FaceId, bool)>,
    /// What must never be done and was: a PAL pointed to a face that is missing or not finished, a face deleted that
    /// a PAL uses.
    pub(super) wrong: Vec<String>,
}

impl Account {
    /// Adds a PAL that uses a face.
    pub(super) fn pal(&mut self, pal: &str, face: &str) {
        let id: PalId = pal.parse().unwrap();
        let row = PalRow {
            pal: Pal { id: id.clone(), name: format!("PAL {pal}") },
            default_face: Some(face.parse().unwrap()),
            is_said: true,
        };
        self.pals.insert(id, row);
    }

    /// Returns the face that a PAL uses.
    pub(super) fn used_by(&self, pal: &str) -> &str {
        self.pals[&pal.parse().unwrap()].default_face.as_ref().unwrap().as_str()
    }

    pub(super) fn kill(&mut self, id: &FaceId) {
        self.lives.remove(id);
    }

    pub(super) fn fail_with(&mut self, id: &FaceId, why: &str) {
        self.lives.get_mut(id).unwrap().why = Some(why.to_owned());
    }

    pub(super) fn face(&self, id: &FaceId) -> &ObservedFace {
        &self.lives[id].face
    }
}

pub(super) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

pub(super) fn status(status: u16) -> Failure {
    Failure::Status { status, message: "no".to_owned(), retry_after: None }
}

/// Everything an executor touches.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) clock: Arc<HandWoundClock>,
    account: Mutex<Account>,
    store: Mutex<Arc<Mortal>>,
    fuse: Mutex<Arc<Fuse>>,
    pub(super) interrupter: Interrupter,
    interrupt: crate::apply::Interrupt,
    events: Mutex<Vec<Event>>,
    /// Interrupts the run when such an event is seen.
    pub(super) interrupt_at: fn(&Event) -> bool,
    pub(super) settings: ExecuteSettings,
    /// What makes links.
    pub(super) binder: Arc<dyn Binder>,
    /// Sends a create a second time when its answer is lost, as a careless client does.
    pub(super) is_careless: bool,
}

/// A store whose process can die before and after each commit.
#[derive(Debug)]
pub(super) struct Mortal {
    disk: Arc<MemoryStore>,
    fuse: Arc<Fuse>,
}

fn dead() -> StateError {
    StateError::Io { action: "write", path: "the state".into(), source: std::io::Error::other("died") }
}

impl StateStore for Mortal {
    fn load(&self) -> Result<Snapshot, StateError> {
        if self.fuse.is_blown() { Err(dead()) } else { self.disk.load() }
    }

    fn commit(&self, change: Change) -> Result<u64, StateError> {
        if !self.fuse.pass() {
            return Err(dead());
        }
        let serial = self.disk.commit(change)?;
        if self.fuse.pass() { Ok(serial) } else { Err(dead()) }
    }

    fn records(&self) -> Result<Vec<serde_json::Value>, StateError> {
        self.disk.records()
    }
}

impl Stage {
    /// Sets the stage with what a world declares, records and shows.
    pub(super) fn of(world: World) -> Self {
        let (interrupter, interrupt) = interrupt();
        let disk = Arc::new(MemoryStore::new(world.desired.project.clone()));
        let faces = world.recorded.faces.iter().map(|(key, face)| (key.clone(), Some(face.clone())));
        let open = world.recorded.open.iter().map(|(key, open)| {
            let entry = Entry::begin(None, open.token.clone(), open.trained_from.clone(), open.begun_at);
            (key.clone(), Some(entry.unwrap()))
        });
        let change = Change { faces: faces.collect(), journal: open.collect(), ..Change::default() };
        disk.commit(change).unwrap();
        let lives = world.observed.faces.iter().map(|(id, face)| {
            (id.clone(), Life { face: face.clone(), shows_at: Timestamp::UNIX_EPOCH, stages: Vec::new(), why: None })
        });
        let account = Account {
            lives: lives.collect(),
            takes: Duration::from_secs(1),
            stages: vec![(minutes(180), TrainingStatus::Ready)],
            ..Account::default()
        };
        let fuse = Fuse::never();
        Self {
            clock: Arc::new(HandWoundClock::at(noon())),
            account: Mutex::new(account),
            store: Mutex::new(Arc::new(Mortal { disk, fuse: Arc::clone(&fuse) })),
            fuse: Mutex::new(fuse),
            interrupter,
            interrupt,
            events: Mutex::default(),
            interrupt_at: |_| false,
            settings: ExecuteSettings {
                // One after another, so that a script of answers meets the keys in their order.
                create_parallelism: 1,
                parallelism: 4,
                settle_window: Duration::from_secs(120),
                request_timeout: Duration::from_secs(30),
                no_settle: false,
                settles_due_only: false,
                poll_interval: None,
                wait_timeout: None,
                reason: String::new(),
                limits: RunLimits::default(),
                skip_preflight: BTreeSet::new(),
            },
            world,
            binder: Arc::new(AsWritten),
            is_careless: false,
        }
    }

    /// Starts a new process on the same disk, which dies with this fuse.
    pub(super) fn restart(&self, fuse: &Arc<Fuse>) {
        let mut store = self.store.lock().unwrap();
        *store = Arc::new(Mortal { disk: Arc::clone(&store.disk), fuse: Arc::clone(fuse) });
        *self.fuse.lock().unwrap() = Arc::clone(fuse);
    }

    /// Lets the disk of this process fail, and nothing else.
    pub(super) fn break_disk(&self) {
        let mut store = self.store.lock().unwrap();
        let fuse = Fuse::after(0);
        fuse.pass();
        *store = Arc::new(Mortal { disk: Arc::clone(&store.disk), fuse });
    }

    /// Starts a new process on a machine with an empty disk.
    pub(super) fn restart_cold(&self) {
        let disk = Arc::new(MemoryStore::new(self.world.desired.project.clone()));
        *self.store.lock().unwrap() = Arc::new(Mortal { disk, fuse: Fuse::never() });
        *self.fuse.lock().unwrap() = Fuse::never();
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.store.lock().unwrap().disk.load().unwrap()
    }

    pub(super) fn record(&self, name: &str) -> RecordedFace {
        self.snapshot().faces[&key(name)].clone()
    }

    pub(super) fn phase(&self, name: &str) -> Phase {
        self.snapshot().journal[&key(name)].phase().clone()
    }

    /// What stands in the history, in short.
    pub(super) fn history(&self) -> Vec<crate::state::Happened> {
        let store = self.store.lock().unwrap();
        store.disk.history().unwrap().into_iter().map(|entry| entry.what).collect()
    }

    /// The whole history.
    pub(super) fn entries(&self) -> Vec<HistoryEntry> {
        self.store.lock().unwrap().disk.history().unwrap()
    }

    /// The lines people read.
    pub(super) fn lines(&self) -> Vec<String> {
        let paint = crate::report::Paint::plain();
        self.events.lock().unwrap().iter().filter_map(|event| crate::report::line(event, paint)).collect()
    }

    pub(super) fn executor<'a>(&'a self, sink: &'a dyn crate::apply::Sink) -> Executor<'a, Self> {
        let store: Arc<dyn StateStore> = Arc::clone(&*self.store.lock().unwrap()) as Arc<dyn StateStore>;
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Executor {
            api: self,
            binder: self.binder.as_ref(),
            store,
            clock,
            interrupt: self.interrupt.clone(),
            sink,
            settings: self.settings.clone(),
            key_refused: AtomicBool::new(false),
            ledger: Ledger::default(),
            context: RunContext::default(),
        }
    }

    pub(super) async fn observed(&self) -> Observed {
        observe(self, self.clock.as_ref(), 4).await.unwrap()
    }

    pub(super) fn recorded(&self) -> Recorded {
        self.snapshot().recorded()
    }

    pub(super) async fn plan(&self) -> Plan {
        self.plan_on(self.observed().await).await
    }

    async fn plan_on(&self, mut observed: Observed) -> Plan {
        observed.material.clone_from(&self.world.observed.material);
        let first = plan(&self.world.desired, &self.recorded(), &observed, &self.world.policy);
        if !first.needs_pals() {
            return first;
        }
        observed.pals = Some(observe_pals(self).await.unwrap());
        plan(&self.world.desired, &self.recorded(), &observed, &self.world.policy)
    }

    pub(super) async fn settle(&self) -> Settled {
        self.executor(&|event: &Event| self.take(event)).settle().await.unwrap()
    }

    /// Plans, approves and executes, without settling first.
    pub(super) async fn execute(&self) -> Outcome {
        let observed = self.observed().await;
        let approved = review(self.plan_on(observed.clone()).await, Consent::Automatic).unwrap();
        let sink = |event: &Event| self.take(event);
        self.executor(&sink).execute(&approved, &self.world.desired, &observed).await
    }

    /// One whole run: settle, plan, execute, and settle again what fell in doubt.
    pub(super) async fn run(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for _ in 0..3 {
            let Ok(settled) = self.executor(&|event: &Event| self.take(event)).settle().await else { return outcome };
            let Settled { found, absent: _, in_doubt, trouble } = settled;
            outcome.absorb(Outcome { adopted: found, in_doubt, trouble, ..Outcome::default() });
            if self.is_dead() {
                return outcome;
            }
            let step = self.execute().await;
            let is_over = step.in_doubt.is_empty();
            outcome.absorb(step);
            if is_over {
                break;
            }
        }
        outcome
    }

    pub(super) async fn wait_for(&self, names: &[&str]) -> Outcome {
        let keys: Vec<FaceKey> = names.iter().map(|name| key(name)).collect();
        let sink = |event: &Event| self.take(event);
        self.executor(&sink).wait(&self.world.desired, keys).await
    }

    fn take(&self, event: &Event) {
        if (self.interrupt_at)(event) {
            self.interrupter.interrupt();
        }
        self.events.lock().unwrap().push(event.clone());
    }

    /// Lets the live face of a key become this and that, at which age from now.
    pub(super) fn becomes(&self, name: &str, stages: &[(u64, TrainingStatus)]) {
        let id = self.record(name).id;
        let mut account = self.account();
        let life = account.lives.get_mut(&id).unwrap();
        life.face.created_at = Some(self.clock.now());
        life.stages = stages.iter().map(|(age, status)| (minutes(*age), status.clone())).collect();
    }

    fn ripen(&self) {
        let now = self.clock.now();
        for life in self.account().lives.values_mut() {
            let age = life.face.created_at.map(|at| now.duration_since(at).unsigned_abs()).unwrap_or_default();
            if let Some((_, status)) = life.stages.iter().rev().find(|(from, _)| age >= *from) {
                life.face.status = status.clone();
            }
        }
    }

    fn shown(&self) -> Vec<ObservedFace> {
        self.ripen();
        let now = self.clock.now();
        self.account().lives.values().filter(|life| life.shows_at <= now).map(|life| life.face.clone()).collect()
    }

    fn is_dead(&self) -> bool {
        self.fuse.lock().unwrap().is_blown()
    }

    fn pass(&self) -> bool {
        self.fuse.lock().unwrap().pass()
    }

    fn train(&self, request: &CreateFace) -> FaceId {
        let now = self.clock.now();
        let mut account = self.account();
        account.ledger.push(request.face_name.clone());
        let id: FaceId = format!("r{}", account.ledger.len()).parse().unwrap();
        let face = ObservedFace {
            model: Some(request.model.to_string()),
            ownership: Ownership::User,
            ..live(id.as_str(), &request.face_name, TrainingStatus::Training, now)
        };
        let shows_at = now.saturating_add(account.lag).unwrap();
        let stages = account.stages.clone();
        account.lives.insert(id.clone(), Life { face, shows_at, stages, why: None });
        id
    }

    fn answer(&self, request: &CreateFace) -> CreateOutcome {
        self.account().sent.push(request.clone());
        let answer = self.account().answers.pop_front().unwrap_or(Answer::Accepted);
        let takes = self.account().takes;
        let lost = || CreateOutcome::Unknown(error("POST", Failure::NoAnswer("connection reset".to_owned())));
        if !self.pass() {
            return lost();
        }
        let outcome = match answer {
            Answer::Accepted => CreateOutcome::Accepted { id: self.train(request) },
            Answer::Stale(id) => {
                self.train(request);
                CreateOutcome::Accepted { id: id.parse().unwrap() }
            }
            Answer::LostAfter => {
                self.train(request);
                lost()
            }
            Answer::LostBefore => lost(),
            Answer::Status(code) => CreateOutcome::Refused(error("POST", status(code))),
            Answer::Later(seconds) => {
                CreateOutcome::RetryLater { after: seconds.map(Duration::from_secs), error: error("POST", status(429)) }
            }
        };
        self.clock.wind(takes);
        if self.pass() { outcome } else { lost() }
    }
}

pub(super) fn error(method: &'static str, failure: Failure) -> ApiError {
    ApiError { method, path: "/v2/faces".to_owned(), failure }
}

impl FaceReads for Stage {
    async fn face_page(&self, page: u32) -> Result<FacePage, ApiError> {
        let failure = match &mut self.account().fails_after {
            _ if self.is_dead() => Some(status(500)),
            Some(0) => Some(status(503)),
            Some(left) => {
                *left -= 1;
                None
            }
            None => None,
        };
        let failure = failure.or_else(|| self.account().listings.pop_front());
        if let Some(failure) = failure {
            return Err(error("GET", failure));
        }
        let faces = if page == 1 { self.shown() } else { Vec::new() };
        let mut account = self.account();
        account.listed += 1;
        let unreadable_rows = if page == 1 { account.unreadable } else { 0 };
        Ok(FacePage {
            total_count: Some(self_total(&faces, unreadable_rows, page)),
            faces,
            unreadable_rows,
            first_unreadable: None,
        })
    }

    async fn face(&self, id: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        let failure = self.account().looks.clone();
        match failure {
            Some(failure) => Err(error("GET", failure)),
            None => {
                let why = self.account().lives.get(id).and_then(|life| life.why.clone());
                Ok(self
                    .shown()
                    .into_iter()
                    .find(|face| face.id == *id)
                    .map(|face| ObservedFace { error: why.filter(|_| face.status == TrainingStatus::Failed), ..face }))
            }
        }
    }

    async fn pal_page(&self, page: u32) -> Result<PalPage, ApiError> {
        let account = self.account();
        let pals: Vec<PalRow> = account.pals.values().filter(|_| page == 1).cloned().collect();
        Ok(PalPage { total_count: Some(account.pals.len()), pals, unreadable_rows: 0 })
    }

    async fn pal(&self, id: &PalId) -> Result<Option<PalRow>, ApiError> {
        Ok(self.account().pals.get(id).cloned())
    }

    async fn voice(&self, id: &VoiceId) -> Result<Option<Voice>, ApiError> {
        Ok(self.account().voices.get(id).cloned())
    }

    async fn voice_page(&self, _: u32, _: &VoiceQuery) -> Result<VoicePage, ApiError> {
        Ok(VoicePage::default())
    }
}

fn self_total(faces: &[ObservedFace], unreadable: usize, page: u32) -> usize {
    if page == 1 { faces.len() + unreadable } else { 0 }
}

impl FaceApi for Stage {
    async fn create_face(&self, request: &CreateFace) -> CreateOutcome {
        let outcome = self.answer(request);
        match outcome {
            CreateOutcome::Unknown(_) if self.is_careless => self.answer(request),
            outcome => outcome,
        }
    }

    async fn update_face(&self, id: &FaceId, update: &FaceUpdate) -> Result<(), ApiError> {
        let lost = || Err(error("PATCH", Failure::NoAnswer("connection reset".to_owned())));
        if !self.pass() {
            return lost();
        }
        let mut account = self.account();
        if let Some(failure) = account.patches.clone() {
            return Err(error("PATCH", failure));
        }
        account.updates.push((id.clone(), update.clone()));
        let FaceUpdate { face_name, default_voice } = update.clone();
        let Some(life) = account.lives.get_mut(id) else { return Err(error("PATCH", status(404))) };
        life.face.name = face_name.or(life.face.name.take());
        life.face.default_voice = default_voice.or(life.face.default_voice.take());
        drop(account);
        if self.pass() { Ok(()) } else { lost() }
    }

    async fn delete_face(&self, id: &FaceId, is_hard: bool) -> Result<(), ApiError> {
        if !self.pass() {
            return Err(error("DELETE", Failure::NoAnswer("connection reset".to_owned())));
        }
        let mut account = self.account();
        if account.pals.values().any(|pal| pal.default_face.as_ref() == Some(id)) {
            account.wrong.push(format!("{id} was deleted while a PAL uses it"));
        }
        account.deleted.push((id.clone(), is_hard));
        account.lives.remove(id);
        drop(account);
        if self.pass() { Ok(()) } else { Err(error("DELETE", Failure::NoAnswer("connection reset".to_owned()))) }
    }

    async fn patch_pal(&self, id: &PalId, from: &FaceId, to: &FaceId) -> Result<(), ApiError> {
        let lost = || Err(error("PATCH", Failure::NoAnswer("connection reset".to_owned())));
        if !self.pass() {
            return lost();
        }
        self.ripen();
        let mut account = self.account();
        if !account.lives.get(to).is_some_and(|life| life.face.status == TrainingStatus::Ready) {
            account.wrong.push(format!("{id} was pointed to {to}, which is not ready"));
        }
        if account.edited_pals.contains(id) {
            return Err(error("PATCH", status(409)));
        }
        let is_draft = account.draft_pals.contains(id);
        let Some(row) = account.pals.get_mut(id) else { return Err(error("PATCH", status(400))) };
        if row.default_face.as_ref() != Some(from) {
            return Err(error("PATCH", status(400)));
        }
        if !is_draft {
            row.default_face = Some(to.clone());
        }
        drop(account);
        if self.pass() { Ok(()) } else { lost() }
    }

    async fn create_conversation(&self, _: &ConversationRequest) -> Result<Conversation, ApiError> {
        Err(error("POST", status(400)))
    }
}

/// Says which intents were paid for more than once; none should be.
pub(super) fn paid_twice(ledger: &[String]) -> Vec<String> {
    let mut tokens: Vec<String> =
        ledger.iter().map(|name| split_name(name).1.map_or_else(|| name.clone(), |token| token.to_string())).collect();
    tokens.sort();
    let twice = tokens.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
    twice.collect()
}
