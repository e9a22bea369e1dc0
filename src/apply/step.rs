//! One action: begin, send, settle.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::face::{
    Coverage, FaceId, FaceKey, Link, RecordedFace, Revision, Token, TrainedFrom, TrainingInput, TrainingStatus,
    TrainingVoice, named_with,
};

use crate::killpoint::{is_off, kill_point};
use crate::plan::{Create, Limit};
use crate::state::{Change, Entry, Happened, HistoryEntry};
use crate::tavus::{ApiError, CreateFace, CreateOutcome, FaceApi, Failure};

use super::outcome::chain;
use super::{Bound, Done, Event, Executor, Trouble};

/// How often one create is sent when the API says "later". Each time it is proven that nothing began.
const POSTPONED_SENDS: u32 = 6;

/// The longest wait that the API may ask for before a create: as for what may be repeated. Beyond it the run
/// says so and goes on with the other faces, instead of holding the state for hours.
const POSTPONED_LIMIT: Duration = Duration::from_secs(300);

/// How long to wait after a 429 that does not say (integrators fall back to 5 s, public code, 2026).
const POSTPONED_WAIT: Duration = Duration::from_secs(5);

/// The ids in the answers of this run, with the key that each was the answer for.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<BTreeMap<FaceId, FaceKey>>);

impl Claims {
    /// Claims an id; returns whose answer it was before.
    fn claim(&self, id: &FaceId, key: &FaceKey) -> Option<FaceKey> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = claims.get(id).cloned();
        if before.is_none() {
            claims.insert(id.clone(), key.clone());
        }
        before
    }
}

impl<A: FaceApi> Executor<'_, A> {
    /// Sends one create, under a token, written down before and after.
    ///
    /// # Guarantees
    /// Each sending has a durable `begun` of its own. After it the entry is settled, refused or in doubt;
    /// if the process dies in between, it stays `begun`, which counts as in doubt.
    /// The id in an answer is `claimed` by one key, so that one face cannot be taken for two.
    pub(super) async fn create(&self, key: &FaceKey, creation: Creation<'_>, claimed: &Claims) -> Done {
        for sends in 1..=POSTPONED_SENDS {
            if self.must_stop() {
                return Done::Skipped;
            }
            let (create, request) = match self.bind(key, creation.create).await {
                Ok(bound) => bound,
                Err(done) => return done,
            };
            let creation = Creation { create: &create, ..creation };
            if let Err(why) = self.spend(Limit::MaxTrainings, &create.token.to_string()) {
                return held(key, "create", format!("{why}; nothing was sent"));
            }
            let entry = match self.begin(key, creation).await {
                Ok(entry) => entry,
                Err(why) => return failed(key, "create", format!("{why}; nothing was sent")),
            };
            self.sink.take(&Event::CreateBegun { key: key.clone(), token: create.token.clone() });
            let sent = self.clock.now();
            let answer = self.api.create_face(&request).await;
            let took = self.since(sent);
            match answer {
                CreateOutcome::Accepted { id } => {
                    return self.accepted(key, creation, &entry, (id, claimed), took).await;
                }
                CreateOutcome::Refused(error) => return self.refused(key, &entry, &error, took).await,
                CreateOutcome::Unknown(error) => return self.in_doubt(key, &entry, &error, took).await,
                CreateOutcome::RetryLater { after, error } => {
                    let wait = after.unwrap_or(POSTPONED_WAIT * sends);
                    if sends == POSTPONED_SENDS || wait > POSTPONED_LIMIT {
                        return self.refused(key, &entry, &error, took).await;
                    }
                    if let Err(why) = self.note_refused(key, &entry, &error, took).await {
                        return failed(key, "create", why);
                    }
                    self.sink.take(&Event::CreatePostponed { key: key.clone(), wait });
                    tokio::select! {
                        () = self.clock.sleep(wait) => {}
                        () = self.interrupt.noted() => {}
                    }
                    kill_point("create", "postponed");
                    if let Some(why) = self.appeared_meanwhile(&create).await {
                        return failed(key, "create", format!("{why}; nothing was sent again, apply once more"));
                    }
                }
            }
        }
        Done::Skipped
    }

    /// Makes the link to send, and the request with it. The create that comes back says which version of the material it
    /// is.
    async fn bind(&self, key: &FaceKey, create: &Create) -> Result<(Create, CreateFace), Done> {
        let bound = tokio::select! {
            bound = self.binder.bind(key, create, &self.settings.skip_preflight) => bound,
            () = self.interrupt.noted() => return Err(Done::Skipped),
        };
        let Bound { link, revision } = match bound {
            Ok(bound) => bound,
            Err(why) => return Err(held(key, "create", format!("{why}; nothing was sent"))),
        };
        let planned = &create.trained_from.revision;
        if let (Some(planned), Some(found)) = (planned, &revision)
            && planned.differs_from(found)
        {
            let source = &create.trained_from.source;
            let why = format!(
                "{source} is another object now ({found}) than when the plan was made ({planned}); nothing was sent, plan again"
            );
            return Err(held(key, "create", why));
        }
        if let (None, Some(found)) = (planned, &revision)
            && let Some(id) = self.has_of_version(key, create, found)
        {
            let source = &create.trained_from.source;
            let why =
                format!("{id} was made from that very version of {source} ({found}); nothing was sent, plan again");
            return Err(held(key, "create", why));
        }
        let trained_from =
            TrainedFrom { revision: revision.or_else(|| planned.clone()), ..create.trained_from.clone() };
        let create = Create { trained_from, ..create.clone() };
        let Some(request) = request(&create, link) else {
            return Err(failed(key, "create", "nothing says what to train it from; nothing was sent".to_owned()));
        };
        Ok((create, request))
    }

    /// Returns a face of the key that was made from this very version of the material, and did not fail as far as it was
    /// seen. The plan looks for one, where it knows the version; where that comes to be known only now, it could not.
    fn has_of_version(&self, key: &FaceKey, create: &Create, found: &Revision) -> Option<FaceId> {
        let recorded = self.store.face(key).ok().flatten()?;
        let is_failed = |face: &RecordedFace| {
            let is_instead = create.gives_up.as_ref().or(create.instead_of.as_ref()) == Some(&face.id);
            let is_seen = face.last_seen.as_ref().is_some_and(|seen| seen.status == TrainingStatus::Failed);
            // What is trained instead of a face is trained because it is of no use, unless it serves until then.
            is_seen || is_instead && (create.gives_up.is_some() || !face.seen_usable)
        };
        let made = std::iter::once(&recorded).chain(recorded.successor.as_deref()).filter(|face| !is_failed(face));
        let made = made.map(|face| (&face.id, &face.trained_from));
        let mut made = made.chain(recorded.previous.iter().map(|face| (&face.id, &face.trained_from)));
        let is_it = |from: &TrainedFrom| {
            let is_known = from.revision.as_ref().is_some_and(|made| !made.differs_from(found));
            is_known && from.fingerprint() == create.trained_from.fingerprint()
        };
        made.find(|(_, from)| from.as_ref().is_some_and(is_it)).map(|(id, _)| id.clone())
    }

    /// Looks whether somebody else created the face while this run was asked to be patient.
    async fn appeared_meanwhile(&self, create: &Create) -> Option<String> {
        let observed = match self.listing().await {
            Ok(Some(observed)) => observed,
            // Asked to stop: the caller notes it.
            Ok(None) => return None,
            Err(error) => return Some(format!("the live faces cannot be listed again ({error})")),
        };
        if let Coverage::Partial(why) = &observed.coverage {
            return Some(format!("the listing of live faces was not complete ({why})"));
        }
        let bearer = observed.faces.values().find(|face| face.token().as_ref() == Some(&create.token))?;
        Some(format!("live face {} carries its token now", bearer.id))
    }

    async fn begin(
        &self,
        key: &FaceKey,
        Creation { create, is_beside, manifest: _ }: Creation<'_>,
    ) -> Result<Entry, String> {
        let last = self.store.entry(key).map_err(|error| chain(&error))?;
        let recorded = self.store.face(key).map_err(|error| chain(&error))?;
        // One approval pays once, however often it is executed.
        if let Some(face) = &recorded {
            let made = std::iter::once(face).chain(face.successor.as_deref());
            let before = face.previous.iter().map(|face| (&face.id, &face.token));
            let mut known = made.map(|face| (&face.id, &face.token)).chain(before);
            if let Some((id, _)) = known.find(|(_, token)| token.as_ref() == Some(&create.token)) {
                return Err(format!("its training was started already, as {id}"));
            }
        }
        let (token, trained_from) = (create.token.clone(), create.trained_from.clone());
        let mut entry =
            Entry::begin(last.as_ref(), token, trained_from, self.clock.now()).map_err(|error| error.to_string())?;
        if let Some(present) = create.instead_of.as_ref().filter(|_| is_beside) {
            entry = entry.beside(present.clone());
        }
        let history = self.history(key, Happened::CreateBegun, None, Some(&create.token), &self.settings.reason);
        self.write(key, Some(&entry), None, history).await?;
        Ok(entry)
    }

    async fn accepted(
        &self,
        key: &FaceKey,
        creation: Creation<'_>,
        entry: &Entry,
        (id, claimed): (FaceId, &Claims),
        took: Duration,
    ) -> Done {
        let create = creation.create;
        // A new face has a new id. An answer with a known one was given before, by a cache on the way or a mix-up:
        // believed, it would lose the face that this create has made, and give another one to two keys.
        let known = self.store.holder(&id).ok().flatten().or_else(|| claimed.claim(&id, key));
        if let Some(by) = known {
            let why = format!("the answer names face {id}, which is that of {by} already");
            let failure = Failure::Unreadable { status: 200, why };
            let error = ApiError { method: "POST", path: "/v2/faces".to_owned(), failure };
            return self.in_doubt(key, entry, &error, took).await;
        }
        let settled = match entry.settle(id.clone()) {
            Ok(settled) => settled,
            Err(error) => return failed(key, "record the new face", format!("{error}; the face is {id}")),
        };
        let history = self.history(key, Happened::CreateSettled, Some(&id), Some(&create.token), "answered").took(took);
        let now = self.clock.now();
        let written = match self.store.face(key) {
            Ok(before) => {
                let new = recorded(creation, id.clone(), now);
                let beside = create.instead_of.as_ref().filter(|_| creation.is_beside);
                let face = placed(before, new, beside, create.instead_of.is_none(), now);
                self.write(key, Some(&settled), Some(face), history).await
            }
            Err(error) => Err(chain(&error)),
        };
        if let Err(why) = written {
            // The training runs and is paid. The `begun` entry stays, so the next run finds it by its token.
            let why = format!(
                "training {id} was started, but that could not be recorded: {why}; the next run finds it by its token {}",
                create.token
            );
            return Done::Unrecorded(Trouble { key: Some(key.clone()), doing: "record the new face", why });
        }
        self.sink.take(&Event::FaceCreated { key: key.clone(), id: id.clone() });
        Done::Created(id)
    }

    async fn refused(&self, key: &FaceKey, entry: &Entry, error: &ApiError, took: Duration) -> Done {
        if error.is_key_refused() {
            self.key_refused.store(true, Ordering::Relaxed);
        }
        if let Err(why) = self.note_refused(key, entry, error, took).await {
            return failed(key, "create", why);
        }
        self.sink.take(&Event::CreateRefused { key: key.clone(), why: error.to_string() });
        Done::Refused(error.to_string())
    }

    async fn note_refused(&self, key: &FaceKey, entry: &Entry, error: &ApiError, took: Duration) -> Result<(), String> {
        let refused = entry.refuse(error.to_string()).map_err(|error| error.to_string())?;
        let history =
            self.history(key, Happened::CreateRefused, None, Some(entry.token()), &error.to_string()).took(took);
        self.write(key, Some(&refused), None, history).await.map_err(|why| {
            format!("{error}; nothing was started, but that could not be written down: {why}; until `facectl recover` the create counts as in doubt")
        })
    }

    async fn in_doubt(&self, key: &FaceKey, entry: &Entry, error: &ApiError, took: Duration) -> Done {
        self.sink.take(&Event::CreateFellInDoubt { key: key.clone(), why: error.to_string() });
        // An entry that could not be marked stays `begun`, which is in doubt just the same.
        if let Ok(doubtful) = entry.doubt(error.to_string(), self.clock.now()) {
            let history =
                self.history(key, Happened::CreateInDoubt, None, Some(entry.token()), &error.to_string()).took(took);
            if let Err(why) = self.write(key, Some(&doubtful), None, history).await {
                tracing::warn!(%key, why, "the doubt could not be written down; the create stays begun");
            }
        }
        Done::InDoubt
    }

    /// Drops a face from the record that is neither asked for nor live.
    pub(super) async fn forget(&self, key: &FaceKey) -> Done {
        let history = self.history(key, Happened::Forgotten, None, None, "it left the manifests and is gone");
        let change = Change { faces: vec![(key.clone(), None)], history: vec![history], ..Change::default() };
        if let Err(error) = self.commit(change).await {
            return failed(key, "forget", chain(&error));
        }
        self.sink.take(&Event::FaceForgotten { key: key.clone() });
        Done::Forgotten
    }

    pub(super) fn api_failed(&self, key: &FaceKey, doing: &'static str, error: &ApiError) -> Done {
        if error.is_key_refused() {
            self.key_refused.store(true, Ordering::Relaxed);
        }
        failed(key, doing, error.to_string())
    }

    pub(super) async fn write(
        &self,
        key: &FaceKey,
        entry: Option<&Entry>,
        face: Option<RecordedFace>,
        history: HistoryEntry,
    ) -> Result<(), String> {
        let change = Change {
            journal: entry.map(|entry| (key.clone(), Some(entry.clone()))).into_iter().collect(),
            faces: face.map(|face| (key.clone(), Some(face))).into_iter().collect(),
            history: vec![history],
            ..Change::default()
        };
        self.commit(change).await.map_err(|error| chain(&error))
    }

    /// Returns how long ago a moment was; nothing where the clock was set back meanwhile.
    pub(super) fn since(&self, moment: jiff::Timestamp) -> Duration {
        Duration::try_from(self.clock.now().duration_since(moment)).unwrap_or_default()
    }

    pub(super) fn history(
        &self,
        key: &FaceKey,
        what: Happened,
        id: Option<&FaceId>,
        token: Option<&Token>,
        detail: &str,
    ) -> HistoryEntry {
        HistoryEntry {
            id: id.cloned(),
            token: token.cloned(),
            ..HistoryEntry::new(self.clock.now(), Some(key), what, detail, &self.context)
        }
    }
}

/// A training to be started, and whether the new face waits beside the present one until it is ready.
#[derive(Debug, Clone, Copy)]
pub(super) struct Creation<'a> {
    pub(super) create: &'a Create,
    pub(super) is_beside: bool,
    /// The file that declares the face.
    pub(super) manifest: Option<&'a str>,
}

/// Returns the record of a key once a face was made or found for it: beside the present one where it was made to
/// take a place once it is ready, whichever face is in it by now; in its place otherwise.
pub(crate) fn placed(
    before: Option<RecordedFace>,
    new: RecordedFace,
    beside: Option<&FaceId>,
    is_gone: bool,
    now: jiff::Timestamp,
) -> RecordedFace {
    match before {
        None => new,
        Some(before) if beside.is_some() && before.id != new.id => before.with_successor(new, now),
        Some(before) => before.replaced_by(new, is_gone, now),
    }
}

/// Says that a safety rule stopped a step: a person has to act first.
pub(super) fn held(key: &FaceKey, doing: &'static str, why: String) -> Done {
    Done::Held(Trouble { key: Some(key.clone()), doing, why })
}

pub(super) fn failed(key: &FaceKey, doing: &'static str, why: String) -> Done {
    Done::Failed(Trouble { key: Some(key.clone()), doing, why })
}

/// None where there is nothing to train from, which no plan asks for.
fn request(create: &Create, link: Link) -> Option<CreateFace> {
    let Create { spec, token, trained_from: _, instead_of: _, gives_up: _ } = create;
    Some(CreateFace {
        face_name: match is_off("token") {
            true => format!("{} (without a token)", spec.face_name),
            false => named_with(&spec.face_name, token),
        },
        model: spec.model,
        training: spec.training.clone()?,
        link,
        callback_url: spec.callback_url.clone(),
        green_screen: spec.green_screen,
    })
}

fn recorded(creation: Creation<'_>, id: FaceId, now: jiff::Timestamp) -> RecordedFace {
    let Creation { create, is_beside: _, manifest } = creation;
    let Create { spec, token, trained_from, instead_of: _, gives_up: _ } = create;
    let sent_voice = match &spec.training {
        Some(TrainingInput::Image { voice: TrainingVoice::Id(voice), .. }) => Some(voice.clone()),
        Some(TrainingInput::Image { voice: TrainingVoice::Stock(_), .. } | TrainingInput::Video { .. }) | None => None,
    };
    RecordedFace {
        id,
        name: spec.face_name.clone(),
        default_voice: sent_voice,
        trained_from: Some(trained_from.clone()),
        attempt: token.attempt(),
        token: Some(token.clone()),
        token_in_name: true,
        created_at: Some(now),
        on_removal: spec.lifecycle.on_removal,
        protect: spec.lifecycle.protect,
        manifest: manifest.map(str::to_owned),
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
        going_back_to: None,
    }
}
