//! A plan in numbers.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Action, Plan, Reason};

/// How many faces get which action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Faces to create.
    pub create: usize,
    /// Faces to take into the record.
    pub adopt: usize,
    /// Faces to change in place.
    pub update: usize,
    /// Faces to replace by a new one.
    pub replace: usize,
    /// Faces whose place another face of the key takes.
    pub switch: usize,
    /// New faces that are given up.
    pub give_up: usize,
    /// Faces to delete.
    pub delete: usize,
    /// Live faces from before that are kept.
    pub retired: usize,
    /// Faces to drop from the record.
    pub forget: usize,
    /// Faces in training that are waited for.
    pub wait: usize,
    /// Faces that a person must look at first.
    pub blocked: usize,
    /// Faces that left the manifests and live on.
    pub orphaned: usize,
    /// Faces that need nothing.
    pub no_op: usize,
    /// Trainings that will be paid for.
    pub paid_trainings: usize,
    /// How long the longest training usually takes, in hours, from and to; none where nothing trains.
    pub usual_hours: Option<(u32, u32)>,
}

impl Plan {
    /// Counts the actions.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            delete: self.deletions().count(),
            retired: self.retired.iter().filter(|retired| !retired.is_deleted()).count(),
            ..Summary::default()
        };
        // A key that became another one is counted there.
        for face in self.faces.iter().filter(|face| !matches!(face.reason, Reason::MovedTo(_))) {
            let count = match &face.action {
                Action::Update(_) if face.is_housekeeping() => &mut summary.no_op,
                Action::NoOp => &mut summary.no_op,
                Action::Create(_) => &mut summary.create,
                Action::Replace(_) => &mut summary.replace,
                Action::Switch(_) => &mut summary.switch,
                Action::GiveUp(_) => &mut summary.give_up,
                // Counted below, by face.
                Action::Delete(_) => continue,
                Action::Adopt(_) => &mut summary.adopt,
                Action::Update(_) => &mut summary.update,
                Action::Wait => &mut summary.wait,
                Action::Forget => &mut summary.forget,
                Action::Orphaned => &mut summary.orphaned,
                Action::Blocked => &mut summary.blocked,
            };
            *count += 1;
            if let Some(create) = face.action.training() {
                summary.paid_trainings += 1;
                summary.usual_hours = summary.usual_hours.max(Some(create.spec.model.usual_hours()));
            }
            debug_assert_eq!(matches!(face.action, Action::Blocked), matches!(face.reason, Reason::Blocked(_)));
        }
        summary
    }
}
