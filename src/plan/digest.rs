//! One hash over everything a plan will do and what that stands on: the name by which a plan is approved.
//!
//! # Guarantees
//! Two machines that look at the same situation get the same digest, also hours apart and each with a state of its
//! own: times, serials, lineages, percentages and the stage of a training that simply goes on are no part of it.
//! Whatever would make `apply` do something else, or refuse something else, is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::{FaceId, FaceKey, FaceSpec, InputChange, Link, Token, VoiceId};

use super::{
    Action, Adopt, Block, Create, Delete, Duplicate, FacePlan, Fate, Plan, Policy, Reason, Refusal, Retired, Selection,
    Switch, Update,
};

/// What a plan is recognised by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PlanDigest([u8; 32]);

/// Hexadecimal digits of the short form. Half of the digest: to find two plans that share it takes 2^64 tries, so that
/// nobody can have a harmless plan approved and a costly one applied.
const SHORT: usize = 32;
/// Hexadecimal digits of the whole.
const WHOLE: usize = 64;

impl PlanDigest {
    /// Returns the form that people read and paste: `1a2b-3c4d-5e6f-7a8b-9c0d-1e2f-3a4b-5c6d`.
    pub fn short(self) -> String {
        let digits: Vec<char> = self.to_string().chars().take(SHORT).collect();
        digits.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanDigest({self})")
    }
}

impl From<PlanDigest> for String {
    fn from(digest: PlanDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for PlanDigest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| DigestError)?;
        bytes.try_into().map(Self).map_err(|_| DigestError)
    }
}

/// A digest as somebody gave it: whole, or in its short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDigest(String);

/// Why a text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest as `facectl plan` prints it: {SHORT} hexadecimal digits, dashes or not, or all {WHOLE}")]
pub struct DigestError;

impl ExpectedDigest {
    /// Returns whether a plan is the one that is meant.
    pub fn is_met_by(&self, digest: PlanDigest) -> bool {
        digest.to_string().starts_with(&self.0)
    }
}

impl FromStr for ExpectedDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.trim().replace('-', "").to_ascii_lowercase();
        match [SHORT, WHOLE].contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            true => Ok(Self(digits)),
            false => Err(DigestError),
        }
    }
}

impl fmt::Display for ExpectedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Plan {
    /// Returns what the plan is recognised by.
    pub fn digest(&self) -> PlanDigest {
        // In full, so that a new field cannot be forgotten here.
        let Self {
            project,
            basis,
            // Both below, each with its key.
            faces: _,
            retired: _,
            foreign: _,
            duplicates,
            policy,
            left_out: _,
            refusals,
            // A warning, which follows from how many faces others have.
            shortage: _,
        } = self;
        let mut hash = Hash::new("facectl 2026-11 plan digest");
        hash.text(project.as_str());
        hash.text(&basis.manifests);
        hash.policy(policy);
        let faces = self.face_digests();
        hash.count(faces.len());
        for (key, digest) in &faces {
            hash.text(key.as_str());
            hash.0.update(&digest.0);
        }
        hash.count(duplicates.len());
        for Duplicate { key, token, kept, others } in duplicates {
            hash.text(key.as_str());
            hash.text(&token.to_string());
            hash.ids(std::iter::once(kept).chain(others));
        }
        hash.count(refusals.len());
        // What was spent before moves as time goes by.
        for Refusal { limit, allowed, before: _, faces } in refusals {
            hash.text(limit.setting());
            hash.text(&allowed.to_string());
            hash.keys(faces);
        }
        PlanDigest(hash.finish())
    }

    /// Returns what the plan for each face is recognised by: it tells which of them is planned in another way now.
    pub fn face_digests(&self) -> BTreeMap<FaceKey, PlanDigest> {
        let mut retired: BTreeMap<&FaceKey, Vec<&Retired>> = BTreeMap::new();
        for one in &self.retired {
            retired.entry(&one.key).or_default().push(one);
        }
        let digest = |face: &FacePlan| face_digest(face, retired.get(&face.key).map_or(&[], Vec::as_slice));
        self.faces.iter().map(|face| (face.key.clone(), PlanDigest(digest(face)))).collect()
    }
}

fn face_digest(face: &FacePlan, retired: &[&Retired]) -> [u8; 32] {
    // In full, so that a new field cannot be forgotten here.
    let FacePlan {
        key: _,
        origin: _,
        id,
        name: _,
        model: _,
        action,
        reason,
        drift: _,
        status: _,
        wait_for: _,
        advice: _,
        source_change: _,
    } = face;
    let mut hash = Hash::new("facectl 2026-11 face in a plan digest");
    hash.ids(id);
    // Faces from before that stay: whether they could go is a matter of time.
    for Retired { key: _, id, left_at: _, fate } in retired {
        if let Fate::Delete { is_hard } = fate {
            hash.ids([id]);
            hash.flag(*is_hard);
        }
    }
    // A training goes on by itself: how far it is, and that it ended, is no change of plan. Nor is what follows from
    // it by itself, which is done without a plan as well.
    if matches!(action, Action::NoOp | Action::Wait) || face.is_housekeeping() {
        hash.text("nothing");
        return hash.finish();
    }
    hash.text(action.word());
    match action {
        Action::Create(create) | Action::Replace(create) => hash.create(create),
        Action::Switch(switch) => hash.switch(switch),
        Action::GiveUp(id) => hash.ids([id]),
        Action::Delete(Delete { faces, is_hard }) => {
            hash.ids(faces);
            hash.flag(*is_hard);
        }
        Action::Adopt(adopt) => hash.adopt(adopt),
        Action::Update(update) => hash.update(update),
        // Nothing is done, and why it could not go may be a matter of time.
        Action::Orphaned => return hash.finish(),
        // The word and the reason say all of it.
        Action::NoOp | Action::Wait | Action::Forget | Action::Blocked => {}
    }
    hash.text(reason.code());
    match reason {
        Reason::ChangedAfterFailure(changes) | Reason::InputsChanged(changes) => hash.inputs(changes),
        Reason::Moved(key) | Reason::MovedTo(key) => hash.keys([key]),
        Reason::Blocked(block) => hash.block(block),
        // What the API said about a failure is for people.
        Reason::RetryFailed(_)
        | Reason::RetryReplacement(_)
        | Reason::RecreateReplacement
        | Reason::ReplacementReady
        | Reason::ReplacementTrains
        | Reason::PreviousHasInputs
        | Reason::ReplacementNotWanted
        | Reason::LeftManifestsPrunable
        | Reason::LeftManifestsKept(_)
        | Reason::Pruned
        | Reason::Agrees
        | Reason::New
        | Reason::RecreateMissing
        | Reason::FoundByToken
        | Reason::FoundByTokenOfEarlierInputs
        | Reason::FoundByName
        | Reason::DeclaredById
        | Reason::ManifestChanged
        | Reason::Drifted
        | Reason::ManifestChangedAndDrifted
        | Reason::TokenLeavesName
        | Reason::TokenEntersName
        | Reason::TrainingGoesOn
        | Reason::NotShownYet
        | Reason::TrainingGoesOnUnawaited
        | Reason::LeftManifests
        | Reason::LeftManifestsAndGone => {}
    }
    hash.finish()
}

struct Hash(blake3::Hasher);

impl Hash {
    fn new(context: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(context))
    }

    fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// With its length in front, so that no two sequences of texts run into each other.
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.count(usize::from(flag));
    }

    fn texts<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        let texts: Vec<T> = texts.into_iter().collect();
        self.count(texts.len());
        texts.iter().for_each(|text| self.text(text.as_ref()));
    }

    fn ids<'a>(&mut self, ids: impl IntoIterator<Item = &'a FaceId>) {
        self.texts(ids.into_iter().map(FaceId::as_str));
    }

    fn keys<'a>(&mut self, keys: impl IntoIterator<Item = &'a FaceKey>) {
        self.texts(keys.into_iter().map(FaceKey::as_str));
    }

    fn voice(&mut self, voice: Option<&VoiceId>) {
        self.texts(voice.map(VoiceId::as_str));
    }

    fn policy(&mut self, policy: &Policy) {
        // In full, so that a new field cannot be forgotten here.
        let Policy {
            adopt_by_name,
            recreate,
            retry,
            create_new,
            roll_forward,
            prune,
            allow_empty,
            prune_failed,
            max_trainings,
            max_deletions,
            // What was spent before moves as time goes by, and has its say by the refusals.
            trainings_before: _,
            deletions_before: _,
            face_slots,
            // It shows in what is blocked.
            refuses_example_hosts: _,
            skip_preflight,
            // They show in what is deleted.
            unread: _,
            still_there: _,
            scope,
            selection,
        } = policy;
        self.text(&format!("{scope:?} {max_trainings:?} {max_deletions:?} {face_slots:?}"));
        for flag in [adopt_by_name, prune, allow_empty, prune_failed] {
            self.flag(*flag);
        }
        for keys in [recreate, retry, create_new, roll_forward] {
            self.keys(keys);
        }
        let Selection { targets, exclude, labels, since } = selection;
        for patterns in [targets, exclude] {
            self.texts(patterns.iter().map(super::KeyPattern::as_str));
        }
        self.texts(labels.iter().map(ToString::to_string));
        // Only where it was asked for: a plan without it has the digest that it always had. So is the next one.
        if !skip_preflight.is_empty() {
            self.text("skip_preflight");
            self.texts(skip_preflight.iter().map(|check| check.word()));
        }
        if let Some(since) = since {
            self.keys(since.faces.keys());
        }
    }

    fn create(&mut self, create: &Create) {
        let Create { spec, token, trained_from, instead_of, gives_up } = create;
        self.text(&token.to_string());
        self.text(&trained_from.fingerprint().to_string());
        // An approval is for the version that lay there: another one wants another one.
        if let Some(revision) = &trained_from.revision {
            self.text(&revision.to_string());
        }
        self.ids(instead_of);
        self.ids(gives_up);
        let FaceSpec {
            face_name,
            default_voice,
            callback_url,
            // These are in the fingerprint.
            model: _,
            training: _,
            green_screen: _,
            training_version: _,
            // Not sent; what it leads to is in the manifests' digest.
            lifecycle: _,
        } = spec;
        self.text(face_name.as_str());
        self.voice(default_voice.as_ref());
        self.texts(callback_url.as_ref().map(Link::identity));
    }

    fn adopt(&mut self, adopt: &Adopt) {
        let Adopt { id, token, trained_from, moved_from, beside } = adopt;
        self.ids([id]);
        self.texts(token.as_ref().map(Token::to_string));
        self.texts(trained_from.as_ref().map(|from| from.fingerprint().to_string()));
        self.keys(moved_from);
        self.ids(beside);
    }

    fn switch(&mut self, switch: &Switch) {
        let Switch { from, to, pals } = switch;
        self.ids([from, to]);
        self.flag(pals.is_some());
        self.texts(pals.iter().flatten().map(|pal| pal.id.as_str()));
    }

    fn update(&mut self, update: &Update) {
        let Update { id, name, voice, token_in_name } = update;
        self.ids([id]);
        self.texts(name.iter().flat_map(|change| [change.before(), change.after()]));
        self.flag(voice.is_some());
        if let Some(change) = voice {
            self.voice(change.before().as_ref());
            self.voice(change.after().as_ref());
        }
        self.flag(*token_in_name);
    }

    fn inputs(&mut self, changes: &[InputChange]) {
        self.texts(changes.iter().flat_map(|InputChange { field, before, after }| [*field, before, after]));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::InDoubt { begun_at: _, why: _, token } => self.text(&token.to_string()),
            Block::SameName(ids) => self.ids(ids),
            Block::HeldByOther { id, by } => {
                self.ids([id]);
                self.keys([by]);
            }
            Block::Renamed(from) => self.keys([from]),
            Block::RollbackUnfinished(to) => self.ids([to]),
            // What stands against it is told by the id that it is about; the words are for people.
            Block::NotAdoptable { id, why: _ } => self.ids([id]),
            Block::NamesAnother { named, has, is_recorded: _ } => self.ids([named, has]),
            Block::ProtectedFromReplacement { changes } => self.inputs(changes),
            // What the API or a listing said is for people.
            Block::Missing
            | Block::NoSource
            | Block::ExampleHost(_)
            | Block::FileUnread(_)
            | Block::Material(_)
            | Block::Failed(_)
            | Block::TuningFailed
            | Block::ListingIncomplete(_)
            | Block::ReplacementFailed(_)
            | Block::ReplacementTuningFailed
            | Block::ReplacementMissing
            | Block::RolledBack
            | Block::PalsUnknown(_) => {}
        }
    }
}
