//! One pass: settle, look, plan, carry out, and one round of waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::apply::{Outcome, Sink};
use crate::cli::Exit;
use crate::cli::args::{Heal, ReconcileArgs};
use crate::cli::error::CliError;
use crate::cli::run::{Look, Round, Run, exit};
use crate::cli::session::Session;
use crate::controller::Agenda;
use crate::controller::health::{FaceCounts, PassResult};
use crate::face::{FaceId, FaceKey, TrainingStatus};
use crate::manifest::Loaded;
use crate::plan::{Action, Consent, Plan, Restraint, Withheld};

use super::standing::Standing;
use super::{log, telling};

/// What came of a pass.
pub struct Pass {
    /// As which exit code it would have ended.
    pub exit: Exit,
    /// How it ended, for probes and metrics.
    pub result: PassResult,
    /// How the faces are.
    pub faces: FaceCounts,
    /// How things stand now, as far as people are concerned.
    pub standing: Standing,
    /// The faces that are still waited for.
    pub awaited: BTreeSet<FaceKey>,
    /// How far the live ones of them were.
    pub looked_at: BTreeMap<FaceId, TrainingStatus>,
    /// How long until the next look at them.
    pub next: Option<Duration>,
    /// How long until creates in doubt can be settled.
    pub unsettled: Option<Duration>,
}

/// The time that limits count over where nothing says so: in a loop, "per apply" would be no limit.
const LIMIT_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// Sees to it that limits count over some time.
pub fn with_periods(mut loaded: Loaded) -> Loaded {
    let limits = &mut loaded.project.settings.limits;
    limits.max_trainings_per.get_or_insert(LIMIT_PERIOD);
    limits.max_deletions_per.get_or_insert(LIMIT_PERIOD);
    loaded
}

/// What a pass goes by besides the manifests.
pub struct Ground<'a> {
    /// The command line.
    pub args: &'a ReconcileArgs,
    /// What rests.
    pub agenda: &'a mut Agenda,
    /// The faces that the last round of waiting left open.
    pub awaited: &'a BTreeSet<FaceKey>,
    /// Whether creates in doubt may be waited for, as far as their window is over.
    pub may_settle: bool,
    /// The digest of the plan that was told last.
    pub told: &'a mut Option<String>,
    /// Looks whether the manifests are still what they were, before anything is paid for or deleted.
    pub is_still: &'a dyn Fn() -> bool,
}

/// Takes one pass over the faces, behind the state's lease.
///
/// # Errors
/// When the state cannot be taken, or the live faces cannot be looked at. Nothing was changed.
pub async fn take(session: &Session, ground: Ground<'_>, sink: &dyn Sink) -> Result<Pass, CliError> {
    let Ground { args, agenda, awaited, may_settle, told, is_still } = ground;
    let policy = args.policy();
    let mut run = Run::begin(session, sink, Some(&policy), &args.wait(), args.create_parallelism)?;
    run.minds_duplicates = true;
    run.policy.selection = args.selection.selection();
    let before = run.store.load()?.recorded();
    session.check_selection(&run.policy, &before)?;
    run.restraint = Restraint {
        resting: agenda.resting(session.desired()),
        leaves_names: !args.heals(Heal::Name),
        leaves_voices: !args.heals(Heal::Voice),
        leaves_missing: true,
        drops_refused: true,
    };
    // A window that is open is not waited for here. Once it is over, the two listings that prove an absence are made
    // within one pass.
    run.executor.settings.settles_due_only = true;
    run.executor.settings.no_settle = !may_settle;
    if !args.dry_run {
        run.settle_first().await?;
    }
    run.executor.settings.no_settle = true;
    let look = run.look().await?;
    tell(&look.plan, told, session);
    let (look, Round { open, next }) = match args.dry_run {
        true => (look, Round::default()),
        false => {
            let look = carry_out(&mut run, look, is_still).await?;
            let round = run.tend(&look, awaited).await?;
            (look, round)
        }
    };
    let standing = Standing::of(&look, &run.outcome);
    let unsettled = run.executor.unsettled_for()?;
    let looked_at = looked_at(&run, &look, &open)?;
    let doubts_before: BTreeSet<FaceKey> = before.open.into_keys().collect();
    let (exit, outcome) = end(run, &look, agenda, &doubts_before);
    let result = telling::result(exit, &outcome, !open.is_empty());
    let faces = telling::counts(&look, &outcome);
    Ok(Pass { exit, result, faces, standing, awaited: open, looked_at, next, unsettled })
}

/// Tells a plan, unless it is the one that was told last.
fn tell(plan: &Plan, told: &mut Option<String>, session: &Session) {
    let digest = plan.has_changes().then(|| plan.digest().to_string());
    if digest.is_some() && *told != digest {
        log::planned(plan);
        session.output.events.planned(plan);
    }
    *told = digest;
}

/// Returns how far the live faces were that are still waited for. One that was created a moment ago has just begun.
fn looked_at(
    run: &Run<'_>,
    look: &Look,
    open: &BTreeSet<FaceKey>,
) -> Result<BTreeMap<FaceId, TrainingStatus>, CliError> {
    let recorded = run.store.load()?.faces;
    let faces = open.iter().filter_map(|key| recorded.get(key));
    let ids = faces.flat_map(|face| std::iter::once(&face.id).chain(face.successor.iter().map(|next| &next.id)));
    let seen = |id: &FaceId| look.observed.faces.get(id).map_or(TrainingStatus::Training, |live| live.status.clone());
    Ok(ids.map(|id| (id.clone(), seen(id))).collect())
}

/// Carries the plan out. A folder that changes at this very moment is for the next pass, where something is at stake.
async fn carry_out(run: &mut Run<'_>, look: Look, is_still: &dyn Fn() -> bool) -> Result<Look, CliError> {
    run.carry_out(look, Consent::Automatic, |_, approved| {
        let is_at_stake = approved.plan().summary().paid_trainings > 0
            || approved.steps().any(|face| matches!(face.action, Action::Delete(_)));
        if !is_at_stake || is_still() {
            return Ok(());
        }
        Err(CliError::new("the manifests are being written; nothing was changed, and they are looked at again"))
    })
    .await
}

/// Notes what failed and what did not, and gives the state back.
fn end(mut run: Run<'_>, look: &Look, agenda: &mut Agenda, doubts_before: &BTreeSet<FaceKey>) -> (Exit, Outcome) {
    run.sum_up();
    let outcome = &run.outcome;
    let refused = outcome.refused.iter().map(|(key, _)| key);
    let troubled = outcome.trouble.iter().chain(&outcome.held).filter_map(|trouble| trouble.key.as_ref());
    // A doubt counts once, when it falls: that it is still open is no other failure.
    let fell = outcome.in_doubt.iter().filter(|key| !doubts_before.contains(*key));
    let failed: BTreeSet<&FaceKey> = refused.chain(troubled).chain(fell).collect();
    let (now, desired) = (run.session.clock.now(), run.session.desired());
    for face in look.plan.faces.iter().filter(|face| face.action.is_change() && !failed.contains(&face.key)) {
        agenda.succeeded(&face.key);
    }
    for key in outcome.adopted.iter().filter(|key| !failed.contains(key)) {
        agenda.succeeded(key);
    }
    for key in failed {
        agenda.failed(key, desired, now, fastrand::f64());
    }
    let exit = exit(outcome, &look.plan, run.minds_duplicates, |_| true);
    // As for a block, and for a limit: a person has to look at it.
    let is_for_person = |withheld: &Withheld| matches!(withheld, Withheld::Missing | Withheld::OverLimit);
    let is_stopped = look.held.faces.iter().any(|(_, withheld)| is_for_person(withheld));
    let exit = if exit == Exit::SUCCESS && is_stopped { Exit::UNSAFE } else { exit };
    (exit, run.outcome)
}
