//! What a plan may do, and how much of it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::face::FaceKey;

use super::{Plan, Selection};

/// What flags and the project's settings allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Take over a live own face that alone bears the same name and model.
    pub adopt_by_name: bool,
    /// Train these again when they are missing.
    pub recreate: BTreeSet<FaceKey>,
    /// Train these again when their training failed.
    pub retry: BTreeSet<FaceKey>,
    /// Train these although a live face bears their name, or looks like them under another key.
    pub create_new: BTreeSet<FaceKey>,
    /// The most trainings that one plan may start; none: no limit.
    pub max_trainings: Option<u32>,
    /// How much of the project the manifests cover.
    pub scope: Scope,
    /// Which faces anything is to be planned for.
    pub selection: Selection,
}

/// How much of the project the manifests cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it: what is recorded and not declared has left the manifests.
    #[default]
    Whole,
    /// Some of it: nothing follows from what is not declared.
    Part,
}

/// A limit that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which limit.
    pub limit: Limit,
    /// What it allows.
    pub allowed: u32,
    /// The faces that count against it.
    pub faces: Vec<FaceKey>,
}

/// The limits there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `spec.limits.max_trainings`.
    MaxTrainings,
}

impl Limit {
    /// Returns the setting in `facectl.yaml`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::MaxTrainings => "spec.limits.max_trainings",
        }
    }

    /// Returns the flag.
    pub fn flag(self) -> &'static str {
        match self {
            Self::MaxTrainings => "--max-trainings",
        }
    }
}

impl Policy {
    /// Returns the limits that a plan breaks.
    pub(super) fn refusals(&self, plan: &Plan) -> Vec<Refusal> {
        let paid: Vec<FaceKey> =
            plan.faces.iter().filter(|face| face.action.is_paid()).map(|face| face.key.clone()).collect();
        match self.max_trainings {
            Some(allowed) if paid.len() > usize::try_from(allowed).unwrap_or(usize::MAX) => {
                vec![Refusal { limit: Limit::MaxTrainings, allowed, faces: paid }]
            }
            _ => Vec::new(),
        }
    }
}
