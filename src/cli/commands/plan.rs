//! `facectl plan`

use std::path::Path;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, PlanArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::run::{settle_window, unproven_for};
use crate::cli::saved::{Request, SavedPlan, check_target};
use crate::cli::session::{Access, Session, State, Workspace};
use crate::cli::since;
use crate::face::Recorded;
use crate::manifest::{load, load_also_none};
use crate::plan::{Plan, Policy, Selection};
use crate::report::{Body, Planned, duration};
use crate::state::StateStore;

/// Shows what `apply` would do.
pub async fn run(global: &Global, args: PlanArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    if args.look.offline {
        return offline(global, &args, output, interrupt);
    }
    if let Some(path) = &args.out {
        check_target(path)?;
        output.delivery.spare(std::iter::once(path.as_path()))?;
        if args.look.since.is_some() {
            return Err(CliError::new(
                "`apply` cannot ask again what changed since a revision, so such a plan is not saved: --out and --since exclude each other",
            )
            .hint("name the faces: --target KEY"));
        }
        if !args.refresh {
            return Err(CliError::new(
                "a plan that was made without a look at the live faces cannot be applied, so it is not saved: --out needs --refresh",
            ));
        }
    }
    let session = match args.policy.allow_empty {
        true => Session::open_also_empty(global, &args.paths.paths, output, interrupt).await?,
        false => Session::open(global, &args.paths.paths, output, interrupt).await?,
    };
    let request = match &args.out {
        Some(_) => {
            let asked = (&args.paths, &args.policy, &args.selection);
            Some(Request::of(global, asked, &session.loaded.project, session.api_base.as_deref())?)
        }
        None => None,
    };
    let State { store: held, meta, recorded, has_begun } =
        session.state(if args.refresh { Access::Read } else { Access::ReadAnyhow })?;
    session.check_keys(&args.policy, &recorded)?;
    let history = held.as_ref().map_or_else(|| Ok(Vec::new()), |store| session.past(store.as_ref()))?;
    let policy = session.policy(Some(&args.policy), &recorded, &history);
    let policy = Policy { selection: select(global, &args, &session)?, ..policy };
    session.check_selection(&policy, &recorded)?;
    let plan = match args.refresh {
        true => session.plan(&recorded, &mut session.survey(&meta, &recorded).await?, &policy).await?,
        false => session.plan_without_pals(&recorded, &session.unobserved(&recorded), &policy),
    };
    let mut notes = Vec::new();
    if !args.refresh {
        session.output.talk(&format!("note: {NOT_ASKED}"));
        notes.push(NOT_ASKED.to_owned());
    }
    if !has_begun && let Some(note) = wait_note(&plan, &args, (&recorded, held.as_deref()), &session)? {
        session.output.talk(&format!("note: {note}"));
        notes.push(note);
    }
    session.output.events.planned(&plan);
    let exit = exit(&plan, &args);
    deliver(&plan, exit, notes, &session)?;
    if let (Some(path), Some(request)) = (&args.out, request) {
        SavedPlan::of(&session, request, &plan, &recorded).write(path)?;
        session.output.talk(&saved_text(&plan, path, global.sandbox));
    }
    session.close().await;
    Ok(exit)
}

/// What is said of a plan that was made without a look at the live faces.
const NOT_ASKED: &str = "the API was not asked; this compares with what was last applied and seen.";

/// Returns what is to be said where `apply` first waits, as nothing proves that the project has not just run elsewhere.
fn wait_note(
    plan: &Plan,
    args: &PlanArgs,
    (recorded, store): (&Recorded, Option<&dyn StateStore>),
    session: &Session,
) -> Result<Option<String>, CliError> {
    let is_paid = plan.summary().paid_trainings > 0 && plan.refusals.is_empty();
    if !is_paid || args.policy.fresh || session.is_in_process() {
        return Ok(None);
    }
    let history = store.map_or_else(|| Ok(Vec::new()), StateStore::history)?;
    let left = unproven_for(&recorded.faces, &history, settle_window(session, None), session.clock.now());
    Ok((!left.is_zero()).then(|| {
        format!(
            "neither the state nor facectl.lock.yaml knows this project, so a training may have started elsewhere: `apply` waits {} and lists the faces again before the first paid training. `apply --fresh` does not wait: use it if the project has never run anywhere.",
            duration(left)
        )
    }))
}

/// Shows what `apply` would do, as far as the lock file can tell.
fn offline(global: &Global, args: &PlanArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    if args.out.is_some() {
        return Err(CliError::new(
            "a plan that was made without a look at the live faces cannot be applied, so it is not saved: --out and --offline exclude each other",
        ));
    }
    let load = if args.policy.allow_empty { load_also_none } else { load };
    let workspace = Workspace::open(load, global, &args.paths.paths, output, interrupt)?;
    let (recorded, observed) = workspace.offline()?;
    workspace.check_keys(&args.policy, &recorded)?;
    let policy = workspace.policy(Some(&args.policy), &recorded, &[]);
    let policy = Policy { selection: select(global, args, &workspace)?, ..policy };
    workspace.check_selection(&policy, &recorded)?;
    let plan = workspace.plan_without_pals(&recorded, &observed, &policy);
    workspace.output.events.planned(&plan);
    let exit = exit(&plan, args);
    deliver(&plan, exit, Vec::new(), &workspace)?;
    Ok(exit)
}

fn select(global: &Global, args: &PlanArgs, workspace: &Workspace) -> Result<Selection, CliError> {
    since::selection(global, &args.paths.paths, (&args.selection, &args.look), workspace)
}

fn exit(plan: &Plan, args: &PlanArgs) -> Exit {
    let has_changes = plan.has_changes() || plan.blocks().next().is_some();
    if !plan.refusals.is_empty() {
        return Exit::UNSAFE;
    }
    match has_changes {
        true if args.expect_no_changes => Exit::UNEXPECTED_CHANGES,
        true if args.detailed_exitcode => Exit::CHANGES,
        _ => Exit::SUCCESS,
    }
}

/// Writes a plan in every form that was asked for.
fn deliver(plan: &Plan, exit: Exit, notes: Vec<String>, workspace: &Workspace) -> Result<(), CliError> {
    let planned = Planned { plan, now: workspace.clock.now(), notes };
    workspace.output.deliver(exit, Some(&plan.project), Body::Plan(planned), || workspace.provenance().clone())
}

/// Returns what a plan that was saved is good for.
fn saved_text(plan: &Plan, path: &Path, is_rehearsal: bool) -> String {
    let path = path.display();
    match (plan.refusals.is_empty(), plan.has_changes()) {
        (false, _) => format!("Saved as {path}, to be looked at: it breaks a limit, so it cannot be applied."),
        (true, false) => format!("Saved as {path}: there is nothing in it to apply."),
        (true, true) => {
            let rehearsal = if is_rehearsal { " --sandbox" } else { "" };
            format!("Saved as {path}. To do exactly this, and nothing else: facectl apply{rehearsal} {path}")
        }
    }
}
