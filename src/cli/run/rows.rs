//! How the faces are after a run: looked at once more, or, where nothing more may be asked, as they are recorded.

use std::collections::BTreeSet;

use crate::apply::Outcome;
use crate::cli::error::CliError;
use crate::face::{Check, FaceKey};
use crate::plan::Policy;
use crate::report::{StatusRow, status_rows};

use super::{Look, Run};

impl Run<'_> {
    /// Returns how things are after the run.
    pub(super) async fn rows_after(&mut self, before: Look, happened: bool) -> Vec<StatusRow> {
        // What was allowed once is used up: what to do next must not be to pay again.
        self.policy = Policy {
            recreate: BTreeSet::new(),
            retry: BTreeSet::new(),
            create_new: BTreeSet::new(),
            roll_forward: BTreeSet::new(),
            // Nothing is paid for any more, so nobody needs to know.
            skip_preflight: Check::ALL.into_iter().collect(),
            ..self.policy.clone()
        };
        let after = match self.outcome.is_interrupted || self.outcome.is_key_refused {
            true => return self.rows_of_record(),
            // Where nothing happened, things are as they were: no need to list ten thousand faces once more.
            false if !happened => Ok(before),
            false => self.look().await,
        };
        match after {
            Ok(Look { recorded, observed, plan, held: _ }) => status_rows(&plan, &recorded, &observed, true),
            Err(error) => {
                // The run itself is over and told about below; only the fresh table is missing.
                self.session
                    .output
                    .say(&format!("warning: how the faces are now could not be looked up: {}", error.message));
                self.rows_of_record()
            }
        }
    }

    /// Returns the faces that the run was at work on, as they are recorded. The API is not asked: what was paid for
    /// has its id in the result also where somebody asked to stop.
    fn rows_of_record(&self) -> Vec<StatusRow> {
        let rows = self.recorded_rows().unwrap_or_else(|error| {
            let output = &self.session.output;
            output.say(&format!("warning: the faces could not be read from the state: {}", error.message));
            Vec::new()
        });
        if !rows.is_empty() {
            self.session.output.talk("note: the API was not asked again; health is what was last seen.");
        }
        rows
    }

    fn recorded_rows(&self) -> Result<Vec<StatusRow>, CliError> {
        let touched = touched(&self.outcome);
        if touched.is_empty() {
            return Ok(Vec::new());
        }
        let (_, recorded) = self.store.load()?.into_recorded();
        let observed = self.session.unobserved(&recorded);
        let plan = self.session.plan_without_pals(&recorded, &observed, &self.policy);
        let mut rows = status_rows(&plan, &recorded, &observed, false);
        rows.retain(|row| touched.contains(&row.key) && recorded.faces.contains_key(&row.key));
        for row in &mut rows {
            let next = recorded.faces.get(&row.key).and_then(|face| face.successor.as_deref());
            row.note = next.map(|next| format!("its new face is {}: facectl wait", next.id));
        }
        Ok(rows)
    }
}

/// Returns the faces that something was done to, or that were waited for.
fn touched(outcome: &Outcome) -> BTreeSet<&FaceKey> {
    let Outcome { created, adopted, updated, switched, given_up, deleted, reached, failed, still_training, .. } =
        outcome;
    let done = [created, adopted, updated, switched, given_up, deleted, reached, still_training];
    done.into_iter().flatten().chain(failed.iter().map(|(key, _)| key)).collect()
}
