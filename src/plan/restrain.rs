//! What a plan asks for and is not done this time: for who carries plans out without being asked about each.
//!
//! A restraint only takes away. It never adds a step, and what it leaves is done as it was planned.

use std::collections::BTreeSet;

use crate::face::FaceKey;

use super::{Action, Cause, Limit, Plan, Reason, Refusal};

/// What is not done although it is planned. The default holds nothing back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restraint {
    /// Faces that nothing is done to for now: what was tried last failed.
    pub resting: BTreeSet<FaceKey>,
    /// Names that somebody else changed stay as they are.
    pub leaves_names: bool,
    /// Voices that somebody else changed stay as they are.
    pub leaves_voices: bool,
    /// Faces that are missing are not trained again, whatever their manifest says: that is for a person to start.
    pub leaves_missing: bool,
    /// What a limit refuses is held back by itself, and everything else is done. Otherwise a limit refuses the plan.
    pub drops_refused: bool,
}

/// What was held back of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Faces, each with why.
    pub faces: Vec<(FaceKey, Withheld)>,
    /// Limits that were the reason for it.
    pub refusals: Vec<Refusal>,
}

/// Why a step was held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// What was tried last failed, and its time has not come.
    Resting,
    /// Somebody else changed it, and that is not to be healed.
    Drifted,
    /// It is missing, and training it again is for a person to start.
    Missing,
    /// A limit.
    OverLimit,
}

impl Withheld {
    /// Returns it in words, for people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Resting => "it failed a moment ago, and is tried again later",
            Self::Drifted => "somebody else changed it, and that is not healed here",
            Self::Missing => "it is missing, and training it again takes `facectl apply`",
            Self::OverLimit => "a limit allows no more for now",
        }
    }
}

impl Plan {
    /// Holds back what a restraint says, and returns what that was. Deletions of resting faces are held back too. What is
    /// held back counts against no limit.
    pub fn restrain(&mut self, restraint: &Restraint) -> HeldBack {
        if *restraint == Restraint::default() {
            return HeldBack::default();
        }
        let mut held = HeldBack::default();
        for face in self.faces.iter_mut().filter(|face| face.action.is_change()) {
            if let Some(why) = restraint.on(&face.key, &mut face.action, &face.reason) {
                held.faces.push((face.key.clone(), why));
            }
        }
        self.retired.retain(|retired| !(retired.is_deleted() && restraint.resting.contains(&retired.key)));
        self.refusals = self.policy.refusals(self);
        if restraint.drops_refused {
            held.refusals = std::mem::take(&mut self.refusals);
            for limit in held.refusals.iter().map(|refusal| refusal.limit) {
                self.drop_all(limit, &mut held.faces);
            }
        }
        if self.summary().paid_trainings == 0 {
            self.shortage = None;
        }
        held
    }

    /// Takes every step away that counts against a limit.
    fn drop_all(&mut self, limit: Limit, held: &mut Vec<(FaceKey, Withheld)>) {
        let counts = |action: &Action| match limit {
            Limit::MaxTrainings => action.is_paid(),
            Limit::MaxDeletions => matches!(action, Action::Delete(_)),
        };
        for face in self.faces.iter_mut().filter(|face| counts(&face.action)) {
            face.action = Action::NoOp;
            held.push((face.key.clone(), Withheld::OverLimit));
        }
        if limit == Limit::MaxDeletions {
            self.retired.retain(|retired| !retired.is_deleted());
        }
    }
}

impl Restraint {
    /// Takes away from one action what is held back.
    fn on(&self, key: &FaceKey, action: &mut Action, reason: &Reason) -> Option<Withheld> {
        // A face that turns out to exist is only written down: that never waits.
        let is_found = matches!(reason, Reason::FoundByToken | Reason::FoundByTokenOfEarlierInputs);
        if self.resting.contains(key) && !is_found {
            *action = Action::NoOp;
            return Some(Withheld::Resting);
        }
        if self.leaves_missing && matches!(reason, Reason::RecreateMissing | Reason::RecreateReplacement) {
            *action = Action::NoOp;
            return Some(Withheld::Missing);
        }
        let Action::Update(update) = action else { return None };
        let before = update.clone();
        // A token that enters or leaves the name is no drift: its cause is ours.
        update.name = update.name.take().filter(|change| !(self.leaves_names && change.cause() == Cause::Drift));
        update.voice = update.voice.take().filter(|change| !(self.leaves_voices && change.cause() == Cause::Drift));
        let is_less = *update != before;
        if update.name.is_none() && update.voice.is_none() {
            *action = Action::NoOp;
        }
        is_less.then_some(Withheld::Drifted)
    }
}
