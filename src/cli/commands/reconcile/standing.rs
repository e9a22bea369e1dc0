//! What needs a person: said when it begins and when it ends, and not at every pass.

use std::collections::BTreeMap;

use crate::apply::Outcome;
use crate::cli::run::Look;
use crate::plan::Action;
use crate::report::{over_limit, reason};

/// What needs a person, by what it is about.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Standing(BTreeMap<String, String>);

impl Standing {
    /// Returns what needs a person after a pass.
    pub fn of(look: &Look, outcome: &Outcome) -> Self {
        let mut standing = BTreeMap::new();
        for face in &look.plan.faces {
            let is_settled = outcome.adopted.contains(&face.key) || outcome.created.contains(&face.key);
            if matches!(face.action, Action::Blocked | Action::Orphaned) && !is_settled {
                standing.insert(face.key.to_string(), format!("{}: {}", face.action.word(), reason(&face.reason)));
            }
        }
        for (key, withheld) in &look.held.faces {
            standing.insert(key.to_string(), format!("held back: {}", withheld.shown()));
        }
        for refusal in &look.held.refusals {
            let limit = format!("limit {}", refusal.limit.setting());
            standing.insert(limit, format!("none of these is carried out: {}", over_limit(refusal)));
        }
        for duplicate in &look.plan.duplicates {
            let others: Vec<String> = duplicate.others.iter().map(ToString::to_string).collect();
            standing.insert(
                format!("{} duplicates", duplicate.key),
                format!("paid for twice: {} is kept, and {} left alone", duplicate.kept, others.join(", ")),
            );
        }
        Self(standing)
    }

    /// Tells what is new and what is over, and takes its place.
    pub fn tell(&mut self, now: Self) {
        for (what, why) in now.0.iter().filter(|(what, why)| self.0.get(*what) != Some(why)) {
            tracing::warn!(about = what, "{why}");
        }
        for what in self.0.keys().filter(|what| !now.0.contains_key(*what)) {
            tracing::info!(about = what, "this needs nobody any more");
        }
        *self = now;
    }
}
