//! A run in numbers, counted from its lines.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::Event;
use crate::face::FaceKey;

/// A run in numbers, counted from its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Trainings that were started, which are paid for; also those of which that was found out later in the run.
    pub created: usize,
    /// Live faces that were taken into the record, and creates of earlier runs that were found to have made a face.
    pub adopted: usize,
    /// Faces whose name or voice was changed, but for a creation token that left its name.
    pub updated: usize,
    /// Faces that were dropped from the record.
    pub forgotten: usize,
    /// Faces whose place another one took.
    pub switched: usize,
    /// New faces that were given up.
    pub given_up: usize,
    /// Live faces that were deleted.
    pub deleted: usize,
    /// Creates that were refused: nothing began.
    pub refused: usize,
    /// Creates of the run of which nobody knows what became of them.
    pub in_doubt: usize,
    /// Steps that failed, or that a safety rule stopped.
    pub failed_steps: usize,
    /// Faces that are as far as they were waited for.
    pub reached: usize,
    /// Trainings that failed.
    pub failed_trainings: usize,
    /// Creates that were sent.
    #[serde(skip)]
    sent: BTreeSet<FaceKey>,
    /// Creates that got no usable answer yet.
    #[serde(skip)]
    doubts: BTreeSet<FaceKey>,
}

impl Counts {
    /// Counts what happened.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::CreateBegun { key, .. } => drop(self.sent.insert(key.clone())),
            Event::FaceCreated { .. } => self.created += 1,
            Event::CreateRefused { .. } => self.refused += 1,
            Event::CreateFellInDoubt { key, .. } => drop(self.doubts.insert(key.clone())),
            Event::CreateSettled { key, .. } => {
                self.doubts.remove(key);
                // What this run has sent and found again, this run has paid for.
                *(if self.sent.contains(key) { &mut self.created } else { &mut self.adopted }) += 1;
            }
            Event::CreateProvenAbsent { key, .. } => drop(self.doubts.remove(key)),
            Event::FaceAdopted { .. } => self.adopted += 1,
            Event::FaceUpdated { is_housekeeping, .. } => self.updated += usize::from(!is_housekeeping),
            Event::FaceForgotten { .. } => self.forgotten += 1,
            Event::FaceSwitched { .. } => self.switched += 1,
            Event::ReplacementGivenUp { .. } => self.given_up += 1,
            Event::FaceDeleted { .. } => self.deleted += 1,
            Event::StepFailed { .. } => self.failed_steps += 1,
            Event::FaceReached(_) => self.reached += 1,
            Event::TrainingFailed { .. } => self.failed_trainings += 1,
            Event::UploadProgressed { .. }
            | Event::CreatePostponed { .. }
            | Event::SettlingWaited { .. }
            | Event::EmptyRecordWaited { .. }
            | Event::PalRepointed { .. }
            | Event::WaitBegan { .. }
            | Event::TrainingProgressed(_)
            | Event::RoundEnded { .. }
            | Event::LookFailed { .. } => {}
        }
        self.in_doubt = self.doubts.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::world::{id, key};

    #[test]
    fn a_create_counts_once_whether_its_answer_came_or_was_found_out() {
        let token = || "fc-fediognc-432xq5-1".parse().unwrap();
        let doubt = || Event::CreateFellInDoubt { key: key("ana"), why: "no answer".to_owned() };
        let settled = || Event::CreateSettled { key: key("ana"), id: id("r1"), token: token() };
        let counted = |events: &[Event]| {
            let mut counts = Counts::default();
            events.iter().for_each(|event| counts.count(event));
            (counts.created, counts.adopted, counts.in_doubt)
        };
        let begun = || Event::CreateBegun { key: key("ana"), token: token() };
        assert_eq!(counted(&[begun(), Event::FaceCreated { key: key("ana"), id: id("r1") }]), (1, 0, 0));
        assert_eq!(counted(&[begun(), doubt()]), (0, 0, 1));
        assert_eq!(counted(&[begun(), doubt(), settled()]), (1, 0, 0));
        assert_eq!(counted(&[settled()]), (0, 1, 0), "an earlier run has paid for it");
        let absent = Event::CreateProvenAbsent { key: key("ana"), token: token() };
        assert_eq!(counted(&[begun(), doubt(), absent]), (0, 0, 0));
    }
}
