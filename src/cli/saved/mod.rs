//! Saved plans: what `plan --out FILE` writes, `show FILE` shows, and `apply FILE` carries out or refuses.
//!
//! # Guarantees
//! A saved plan is an approval of exactly one thing. `apply` loads the same manifests, looks and plans again under the
//! same policy, and does nothing unless the outcome is the very plan that was saved, of the very situation. It is
//! applied once: the state remembers that before the first step.
//!
//! # Caveats
//! The seal finds a file that was cut or edited; it is no signature. Whoever may write the file may write another plan:
//! keep it as you keep the pipeline that applies it.

mod basis;
mod file;
mod request;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::{Clock, SystemClock};
use crate::face::{ProjectName, Recorded};
use crate::plan::{Plan, PlanDigest};
use crate::report::{Paint, PlanDocument, duration, plan_json, plan_text};
use crate::state::{Change, Happened, HistoryEntry, Provenance, RunContext, StateStore};

use super::Exit;
use super::error::CliError;
use super::session::Session;
use basis::Basis;
#[cfg(debug_assertions)]
pub use file::Sealed;
pub use file::{check_target, is_plan_file};
pub use request::Request;

/// What the file says it is.
const KIND: &str = "facectl-plan";
/// The version of its form. Raised when an older facectl could misread a newer file.
const FORMAT_VERSION: u64 = 1;

/// A plan on disk, where a seal over all of it follows. Holds no secret: links stand in it without their signatures.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SavedPlan {
    /// What this file is.
    kind: String,
    /// The version of its form.
    format_version: u64,
    /// Which facectl wrote it.
    facectl_version: String,
    /// Its own name: a plan is applied once.
    pub id: String,
    /// When, on the clock of the machine.
    pub created_at: Timestamp,
    /// Whose plan it is.
    pub project: ProjectName,
    /// What it is recognised by.
    pub digest: PlanDigest,
    /// The commit that the project's folder was at, where that could be told.
    pub git_commit: Option<String>,
    /// Whether something there differed from it.
    pub git_dirty: Option<bool>,
    /// Where the run that made it comes from; none in a file from before that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// How it was asked for.
    pub request: Request,
    /// What it stands on.
    basis: Basis,
    /// The plan as `plan -o json` shows it.
    #[schemars(with = "PlanDocument<'static>")]
    plan: Value,
    /// The plan as `plan` shows it.
    pub text: String,
}

impl SavedPlan {
    /// Makes a saved plan of a plan.
    pub fn of(session: &Session, request: Request, plan: &Plan, recorded: &Recorded) -> Self {
        let now = SystemClock.now();
        let provenance = session.provenance();
        Self {
            kind: KIND.to_owned(),
            format_version: FORMAT_VERSION,
            facectl_version: env!("CARGO_PKG_VERSION").to_owned(),
            id: uuid::Uuid::new_v4().to_string(),
            created_at: now,
            project: plan.project.clone(),
            digest: plan.digest(),
            git_commit: provenance.commit.clone(),
            git_dirty: provenance.dirty,
            provenance: Some(provenance.clone()),
            request,
            basis: Basis::of(session.desired(), recorded, plan),
            plan: plan_json(plan, now, Some(provenance)),
            text: plan_text(plan, Paint::plain()),
        }
    }

    /// Returns the plan as `plan -o json` shows it, with what is known about the file.
    pub fn json(&self) -> Value {
        let mut value = self.plan.clone();
        value["saved"] = json!({
            "id": self.id,
            "created_at": self.created_at.to_string(),
            "facectl_version": self.facectl_version,
            "git_commit": self.git_commit,
            "git_dirty": self.git_dirty,
            "request": self.request,
            "is_checked": false,
        });
        value
    }

    /// Returns when it was made, for people: `2 hours ago (2026-11-22T12:00:00Z)`.
    pub fn age(&self) -> String {
        let age = std::time::Duration::try_from(SystemClock.now().duration_since(self.created_at)).unwrap_or_default();
        format!("{} ago ({:.0})", duration(std::time::Duration::from_secs(age.as_secs())), self.created_at)
    }

    /// Refuses a plan that another facectl made: it may decide in another way.
    ///
    /// # Errors
    /// When it is so.
    pub fn check_version(&self) -> Result<(), CliError> {
        let here = env!("CARGO_PKG_VERSION");
        if self.facectl_version == here {
            return Ok(());
        }
        let made_by = &self.facectl_version;
        Err(CliError::new(format!(
            "the plan was made by facectl {made_by}, and this is {here}, which may decide in another way; nothing was changed"
        ))
        .hint(format!("use facectl {made_by}, or make a new plan with this one"))
        .exit(Exit::UNSAFE))
    }

    /// Refuses a plan that was applied before, whatever became of it.
    ///
    /// # Errors
    /// When it was, or the history cannot be read.
    pub fn check_unused(&self, store: &dyn StateStore) -> Result<(), CliError> {
        let is_it = |entry: &&HistoryEntry| entry.what == Happened::PlanApplied && entry.detail.contains(&self.id);
        let history = store.history()?;
        let Some(entry) = history.iter().find(is_it) else { return Ok(()) };
        Err(CliError::new(format!(
            "this plan was applied before, at {:.0}, and a plan is applied once; nothing was changed",
            entry.at
        ))
        .hint("make a new plan: it shows what is left, also of a run that was interrupted; trainings that are under way go on")
        .exit(Exit::UNSAFE))
    }

    /// Refuses a plan of another project.
    ///
    /// # Errors
    /// When it is one.
    pub fn check_project(&self, here: &ProjectName) -> Result<(), CliError> {
        if *here == self.project {
            return Ok(());
        }
        let made_for = &self.project;
        Err(CliError::new(format!(
            "the plan is one of project {made_for}, and here is project {here}; nothing was changed"
        ))
        .exit(Exit::UNSAFE))
    }

    /// Refuses a plan whose manifests or record are not what they were.
    ///
    /// # Errors
    /// When it is so; all of it is said.
    pub fn check_ground(&self, session: &Session, recorded: &Recorded) -> Result<(), CliError> {
        let mut moved = self.basis.moved(session.desired(), recorded);
        if let (Some(then), Some(now)) = (&self.request.api_url, &session.api_base)
            && then != now
        {
            moved.push(format!("the API: it was made for {then}, and this run talks to {now}"));
        }
        self.stale(moved)
    }

    /// Refuses a plan that is not what would be planned now. `settled` are the creates that were in doubt when
    /// this run began, and are not any more.
    ///
    /// # Errors
    /// When it is so; all of it is said.
    pub fn check_plan(&self, plan: &Plan, settled: &[String]) -> Result<(), CliError> {
        if plan.digest() == self.digest {
            return Ok(());
        }
        let mut moved = self.basis.replanned(plan);
        if !settled.is_empty() {
            let what = "what became of a create in doubt is known now, by this run: ";
            moved.insert(0, format!("{what}{}", settled.join(", ")));
        }
        if moved.is_empty() && !plan.refusals.is_empty() {
            // It cannot be approved at all, which is said in the words of the limit.
            return Ok(());
        }
        if moved.is_empty() {
            moved.push("what it was made under (limits, spec.adopt, how much of the project its paths cover), or faces that were created twice".to_owned());
        }
        self.stale(moved)
    }

    fn stale(&self, moved: Vec<String>) -> Result<(), CliError> {
        if moved.is_empty() {
            return Ok(());
        }
        let error = CliError::new(format!(
            "the plan made {} no longer stands, as what it stands on has moved; nothing was sent",
            self.age()
        ));
        Err(CliError { causes: moved, ..error }
            .hint("make a new one (`facectl plan --out FILE`), look at it, and apply that")
            .exit(Exit::UNSAFE))
    }

    /// Writes into the state that the plan is being applied. Before the first step: a plan of which nobody knows
    /// how far it came is not applied again.
    ///
    /// # Errors
    /// When it cannot be written: nothing may be sent then.
    pub fn note_applied(&self, store: &dyn StateStore, at: Timestamp, context: &RunContext) -> Result<(), CliError> {
        let detail = format!("plan {}, digest {}", self.id, self.digest);
        let entry = HistoryEntry::new(at, None, Happened::PlanApplied, &detail, context);
        store.commit(Change { history: vec![entry], ..Change::default() })?;
        Ok(())
    }
}
