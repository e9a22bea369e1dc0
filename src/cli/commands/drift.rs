//! `facectl drift`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{DriftArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::face::{FaceKey, Presence, RecordedFace};
use crate::plan::{Action, Block, Cause, DriftReport, FacePlan, Plan, Policy, Reason};
use crate::report::{Body, Drifted};

/// Shows what somebody else changed.
pub async fn run(global: &Global, args: DriftArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded, .. } = session.state(Access::Read)?;
    let policy = Policy { selection: args.selection.selection(), ..session.policy(None, &recorded, &[]) };
    session.check_selection(&policy, &recorded)?;
    let observed = session.survey(&meta, &recorded).await?;
    let plan = session.plan_without_pals(&recorded, &observed, &policy);
    let faces = &session.desired().faces;
    let is_selected = |key: &FaceKey| policy.selection.selects(key, faces.get(key).map(|face| &face.labels));
    let report = DriftReport::of(&recorded, &observed).only(&recorded, is_selected);
    let changed = changed_in_manifests(&plan);
    output.events.drifted(&report);
    let compared: Vec<FaceKey> = recorded.faces.keys().filter(|key| is_selected(key)).cloned().collect();
    let is_unseen = |face: &RecordedFace| observed.presence(&face.id) == Presence::Unknown;
    let unseen: Vec<FaceKey> =
        compared.iter().filter(|key| recorded.faces.get(*key).is_some_and(is_unseen)).cloned().collect();
    let exit = exit(&report, &unseen, &args);
    let drifted = Drifted { report: &report, compared, unseen, changed: &changed, desired: session.desired() };
    let project = &session.desired().project;
    session.output.deliver(exit, Some(project), Body::Drift(drifted), || session.provenance().clone())?;
    session.close().await;
    Ok(exit)
}

fn exit(report: &DriftReport, unseen: &[FaceKey], args: &DriftArgs) -> Exit {
    let is_asked = args.expect_no_changes || args.detailed_exitcode;
    match !report.faces.is_empty() {
        true if args.expect_no_changes => Exit::UNEXPECTED_CHANGES,
        true if args.detailed_exitcode => Exit::CHANGES,
        // "No drift" would be a guess: a pipeline that asks must not take it for an answer.
        false if is_asked && !unseen.is_empty() => Exit::UNSAFE,
        _ => Exit::SUCCESS,
    }
}

/// Returns the faces that differ because their manifest does.
fn changed_in_manifests(plan: &Plan) -> Vec<FaceKey> {
    plan.faces.iter().filter(|face| is_changed_in_manifest(face)).map(|face| face.key.clone()).collect()
}

fn is_changed_in_manifest(face: &FacePlan) -> bool {
    match (&face.action, &face.reason) {
        (Action::Create(_), Reason::New | Reason::ChangedAfterFailure(_)) => true,
        (Action::Replace(_), Reason::InputsChanged(_)) | (Action::GiveUp(_) | Action::Delete(_), _) => true,
        (
            _,
            Reason::Blocked(Block::ProtectedFromReplacement { .. })
            | Reason::PreviousHasInputs
            | Reason::LeftManifests
            | Reason::LeftManifestsPrunable
            | Reason::LeftManifestsKept(_)
            | Reason::LeftManifestsAndGone,
        ) => true,
        (Action::Update(update), _) => {
            let by_name = update.name.as_ref().map(|change| change.cause());
            let by_voice = update.voice.as_ref().map(|change| change.cause());
            let is_ours = !matches!(face.reason, Reason::TokenLeavesName | Reason::TokenEntersName);
            is_ours && [by_name, by_voice].into_iter().flatten().any(|cause| cause != Cause::Drift)
        }
        _ => false,
    }
}
