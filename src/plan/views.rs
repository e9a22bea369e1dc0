//! The three views, with what a decision looks up in them: by token, by name, by id.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::face::{
    Desired, DesiredFace, FaceId, FaceKey, Fingerprint, Observed, ObservedFace, Ownership, Recorded, RecordedFace,
    Token, folded,
};

use super::{Duplicate, Policy};

/// Everything one decision may look at.
pub(super) struct Views<'a> {
    pub(super) desired: &'a Desired,
    pub(super) recorded: &'a Recorded,
    pub(super) observed: &'a Observed,
    pub(super) policy: &'a Policy,
    /// Live faces that carry a token, by its owner part, less those that another key's record holds.
    pub(super) by_owner: HashMap<String, Vec<(Token, &'a ObservedFace)>>,
    /// Live faces that carry one key's token while another key's record holds them, by token.
    pub(super) held: BTreeMap<Token, (&'a FaceId, &'a FaceKey)>,
    /// Live faces that nobody recorded and that are not known by a token to be another key's, by their name as
    /// a person reads it.
    pub(super) by_name: BTreeMap<Cow<'a, str>, Vec<&'a ObservedFace>>,
    /// Declared keys that nothing is recorded for, by what they are to be made from.
    unrecorded: OnceCell<BTreeMap<Fingerprint, &'a FaceKey>>,
    /// Faces that the records of several keys hold, as after a lock file was merged wrongly, with those keys.
    pub(super) claims: BTreeMap<&'a FaceId, Vec<&'a FaceKey>>,
    /// A young live face that shows no name yet: it could be anybody's.
    pub(super) nameless: Option<&'a FaceId>,
    /// Tokens that several live faces carry.
    pub(super) shared: BTreeSet<Token>,
    /// How many desired faces bear a name, as a person reads it.
    wanted_names: OnceCell<HashMap<Cow<'a, str>, usize>>,
    /// The owner part of the tokens of every key.
    owners: BTreeMap<&'a FaceKey, String>,
    /// Every id in the record, with the key that holds it, now or from before.
    pub(super) holders: BTreeMap<&'a FaceId, &'a FaceKey>,
    /// Every id that a manifest names, with the key it names it for; of several the one that sorts first.
    pub(super) named: BTreeMap<FaceId, &'a FaceKey>,
}

/// How long after its creation a face without a name may still get one: how soon rows are whole is not documented.
pub(super) const NAMELESS_FOR: SignedDuration = SignedDuration::from_mins(10);

impl<'a> Views<'a> {
    pub(super) fn new(
        desired: &'a Desired,
        recorded: &'a Recorded,
        observed: &'a Observed,
        policy: &'a Policy,
    ) -> Self {
        let holders: BTreeMap<&FaceId, &FaceKey> = known_ids(recorded).map(|(key, id)| (id, key)).collect();
        let mut claims: BTreeMap<&FaceId, Vec<&FaceKey>> = BTreeMap::new();
        for (key, id) in known_ids(recorded).filter(|(key, id)| holders.get(id).is_some_and(|holder| holder != key)) {
            claims.entry(id).or_default().extend([key, holders[id]]);
        }
        let keys = desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys());
        let mut owners: BTreeMap<&FaceKey, String> = BTreeMap::new();
        for key in keys {
            owners.entry(key).or_insert_with(|| Token::owner_of(&desired.project, key));
        }
        let our_owners: HashSet<&str> = owners.values().map(String::as_str).collect();
        let mut by_owner: HashMap<String, Vec<(Token, &ObservedFace)>> = HashMap::new();
        let mut held = BTreeMap::new();
        let mut by_name: BTreeMap<Cow<'_, str>, Vec<&ObservedFace>> = BTreeMap::new();
        for face in observed.faces.values().filter(|face| face.ownership != Ownership::System) {
            let holder = holders.get(&face.id);
            match face.token().filter(|token| our_owners.contains(token.owner())) {
                Some(token) => match holder {
                    Some(key) if owners.get(key).is_some_and(|owner| owner != token.owner()) => {
                        held.insert(token, (&face.id, *key));
                    }
                    _ => match by_owner.entry(token.owner().to_owned()) {
                        // Mostly it is the only one, and push alone makes room for four.
                        Slot::Vacant(slot) => drop(slot.insert(vec![(token, face)])),
                        Slot::Occupied(mut slot) => slot.get_mut().push((token, face)),
                    },
                },
                None if holder.is_none() => by_name.entry(folded(face.shown_name())).or_default().push(face),
                None => {}
            }
        }
        let is_young_and_nameless = |face: &&ObservedFace| {
            let oldest = observed.at.saturating_sub(NAMELESS_FOR).unwrap_or(Timestamp::MIN);
            face.name.is_none() && !holders.contains_key(&face.id) && face.created_at.is_none_or(|at| at > oldest)
        };
        let nameless = observed.faces.values().find(is_young_and_nameless).map(|face| &face.id);
        let mut named = BTreeMap::new();
        for (key, face) in &desired.faces {
            if let Some(id) = face.declared_id() {
                named.entry(id).or_insert(key);
            }
        }
        Self {
            desired,
            recorded,
            observed,
            policy,
            by_owner,
            held,
            by_name,
            nameless,
            shared: shared_tokens(observed),
            wanted_names: OnceCell::new(),
            owners,
            holders,
            claims,
            unrecorded: OnceCell::new(),
            named,
        }
    }

    /// Returns a declared key that nothing is recorded for and that is to be made from just these inputs.
    pub(super) fn unrecorded(&self, fingerprint: Fingerprint) -> Option<&'a FaceKey> {
        let made = self.unrecorded.get_or_init(|| {
            let unrecorded = self.desired.faces.iter().filter(|(key, _)| !self.recorded.faces.contains_key(*key));
            unrecorded.filter_map(|(key, face)| Some((face.spec.fingerprint()?, key))).collect()
        });
        made.get(&fingerprint).copied()
    }

    /// Returns whether no other desired face bears the name: what two want cannot be given to either by name.
    pub(super) fn is_wanted_once(&self, desired: &DesiredFace) -> bool {
        let counted = self.wanted_names.get_or_init(|| {
            let mut counted = HashMap::new();
            for face in self.desired.faces.values() {
                *counted.entry(folded(face.spec.face_name.as_str())).or_default() += 1;
            }
            counted
        });
        counted.get(folded(desired.spec.face_name.as_str()).as_ref()) == Some(&1)
    }

    /// Returns the live faces that carry the key's owner part and may be its own.
    pub(super) fn with_token_of(&self, key: &FaceKey) -> &[(Token, &'a ObservedFace)] {
        let owner = self.owners.get(key);
        owner.and_then(|owner| self.by_owner.get(owner)).map_or(&[], Vec::as_slice)
    }
}

/// Every id in the record, with the key that holds it; present ones last, so that they win where ids are
/// collected into a map.
pub(super) fn known_ids(recorded: &Recorded) -> impl Iterator<Item = (&FaceKey, &FaceId)> {
    let others = recorded.faces.iter().flat_map(|(key, face)| face.ids().skip(1).map(move |id| (key, id)));
    others.chain(recorded.faces.iter().map(|(key, face)| (key, &face.id)))
}
/// Returns the live faces that bear the wanted name, as a person reads it, and that nobody recorded.
pub(super) fn namesakes<'a, 'b>(views: &'b Views<'a>, desired: &DesiredFace) -> &'b [&'a ObservedFace] {
    views.by_name.get(folded(desired.spec.face_name.as_str()).as_ref()).map_or(&[], Vec::as_slice)
}
/// Returns whether a record holds a face as its present or its next one.
pub(super) fn holds(recorded: &RecordedFace, id: &FaceId) -> bool {
    recorded.id == *id || recorded.successor.as_ref().is_some_and(|successor| successor.id == *id)
}

/// Reports live faces that were created for one intent under one token.
pub(super) fn duplicates(views: &Views<'_>, key: &FaceKey) -> Vec<Duplicate> {
    let mut by_token: BTreeMap<&Token, Vec<&(Token, &ObservedFace)>> = BTreeMap::new();
    for pair in views.with_token_of(key) {
        by_token.entry(&pair.0).or_default().push(pair);
    }
    let recorded = views.recorded.faces.get(key);
    // The recorded face counts under its token also when the token has left its name.
    let live = recorded.and_then(|recorded| Some((recorded.token.clone()?, views.observed.faces.get(&recorded.id)?)));
    if let Some(pair) = &live {
        let group = by_token.entry(&pair.0).or_default();
        if !group.iter().any(|other| other.1.id == pair.1.id) {
            group.push(pair);
        }
    }
    by_token
        .into_iter()
        .filter_map(|(token, faces)| {
            let is_recorded =
                |pair: &&&(Token, &ObservedFace)| recorded.is_some_and(|recorded| holds(recorded, &pair.1.id));
            let kept = match faces.iter().find(is_recorded) {
                Some(pair) => &pair.1.id,
                None => &oldest(faces.iter().copied())?.1.id,
            };
            let others: Vec<FaceId> = faces.iter().map(|pair| &pair.1.id).filter(|id| *id != kept).cloned().collect();
            (!others.is_empty()).then(|| Duplicate {
                key: key.clone(),
                token: token.clone(),
                kept: kept.clone(),
                others,
            })
        })
        .collect()
}
/// Returns the tokens that several live faces carry: one intent was paid for more than once.
pub(crate) fn shared_tokens(observed: &Observed) -> BTreeSet<Token> {
    let mut seen = BTreeSet::new();
    observed.faces.values().filter_map(ObservedFace::token).filter(|token| !seen.insert(token.clone())).collect()
}

/// The oldest; of equally old ones the id that sorts first, so that every machine picks the same.
pub(super) fn oldest<'a, 'b: 'a>(
    pairs: impl Iterator<Item = &'a (Token, &'b ObservedFace)>,
) -> Option<&'a (Token, &'b ObservedFace)> {
    pairs.min_by_key(|(_, face)| (face.created_at.is_none(), face.created_at, &face.id))
}

/// The face of the youngest creation; of several that share its token the oldest, as everywhere.
pub(super) fn newest<'a, 'b>(pairs: &'a [(Token, &'b ObservedFace)]) -> Option<&'a (Token, &'b ObservedFace)> {
    let (token, _) = pairs.iter().max_by_key(|(_, face)| (face.created_at, &face.id))?;
    oldest(pairs.iter().filter(|(other, _)| other == token))
}
