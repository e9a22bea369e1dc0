//! A plan as people read it before they say yes.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use crate::face::{Coverage, Finding, Severity, VoiceId, escaped_if_alike};
use crate::plan::{Action, Block, Create, Delete, Drift, FacePlan, Plan, PlanDigest, Reason, Retired, Switch, Update};

use super::Paint;
use super::material::{skip_help, skipped_text, source_change_text};
use super::offline::{offline_text, reason_in};
use super::plan_words::{
    FREE, NAMED, agreement, cost, counts, doubled, fate_of, fields_of, given_up, other_counts, place_taken, refused,
    seen_in_part, short_of_room,
};
use super::since::{changed_by_text, since_text};
use super::words::{advice, count, input_changes, partial};

/// Returns a plan as text: what changes first, field by field, then what cannot, then the summary.
pub fn plan_text(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    let shown: Vec<&FacePlan> = plan.faces.iter().filter(|face| is_shown(face)).collect();
    if !shown.is_empty() {
        let how = if plan.basis.sight.is_offline() { ", offline" } else { "" };
        let _ = writeln!(text, "Project {}{how}:\n", paint.bold(plan.project.as_str()));
    }
    for face in shown {
        face_text(&mut text, face, plan, paint);
        text.push('\n');
    }
    for duplicate in &plan.duplicates {
        let line = doubled(duplicate);
        let head = "!! duplicate:";
        let _ = writeln!(text, "{}{}\n", paint.red(head), paint.wrap_behind(head, &line, 4));
    }
    if let (Coverage::Partial(why), false) = (&plan.basis.coverage, plan.basis.sight.is_offline()) {
        let _ = writeln!(text, "{} {}\n", paint.yellow("warning:"), paint.wrap(&seen_in_part(why), 9));
    }
    retired_text(&mut text, plan, paint);
    if let Some(line) = short_of_room(plan) {
        let _ = writeln!(text, "{} {}\n", paint.yellow("warning:"), paint.wrap(&line, 9));
    }
    summary_text(&mut text, plan, paint);
    text
}

/// Returns the line that says what a plan is recognised by.
pub fn digest_text(digest: PlanDigest, paint: Paint) -> String {
    format!("{}\n", paint.dim(&format!("Plan digest: {}", digest.short())))
}

/// Faces from before: those that something can be done about, or is.
fn retired_text(text: &mut String, plan: &Plan, paint: Paint) {
    let told = plan.retired.iter().filter_map(|retired| {
        let Retired { key, id, .. } = retired;
        let line = fate_of(retired)?;
        let symbol = if retired.is_deleted() { paint.red("-") } else { paint.dim("o") };
        let head = format!("  {} {key}  {id} ", if retired.is_deleted() { "-" } else { "o" });
        Some(format!("  {symbol} {key}  {id} {}", paint.wrap_behind(&head, &line, 6)))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return;
    }
    let _ = writeln!(text, "Faces from before:\n");
    for line in told {
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

/// Returns whether a plan tells people of a face.
pub(super) fn is_shown(face: &FacePlan) -> bool {
    (face.action != Action::NoOp && !face.is_housekeeping()) || !face.drift.is_empty() || face.source_change.is_some()
}

fn face_text(text: &mut String, face: &FacePlan, plan: &Plan, paint: Paint) {
    let symbol = coloured_symbol(&face.action, paint);
    let pad = " ".repeat(3usize.saturating_sub(face.action.symbol().chars().count()));
    let paid =
        if face.action.is_paid() { format!("  {}", paint.yellow("$ starts a paid training")) } else { String::new() };
    // A new face has no id yet; the one it takes the place of is named below.
    let id = face.id.as_ref().filter(|_| !face.action.is_paid());
    let id = id.map_or_else(String::new, |id| format!("  {}", paint.dim(id.as_str())));
    let _ = writeln!(text, "{pad}{symbol} {}  {}{id}{paid}", paint.bold(face.key.as_str()), face.action.word());
    match &face.action {
        Action::Create(create) | Action::Replace(create) => create_fields(text, create, face, paint),
        Action::Switch(switch) => switch_fields(text, switch, paint),
        Action::GiveUp(id) => {
            let _ = writeln!(text, "      {id} stays alive, as a face from before");
        }
        Action::Delete(Delete { faces, is_hard }) => {
            let shown: Vec<&str> = faces.iter().map(crate::face::FaceId::as_str).collect();
            let how =
                if *is_hard { "with the stored material, which cannot be undone" } else { "which cannot be undone" };
            let line = format!("deletes {}, {how}", shown.join(", "));
            let _ = writeln!(text, "      {}", paint.red(&paint.wrap(&line, 6)));
        }
        Action::Update(update) => update_fields(text, update, paint),
        Action::Adopt(adopt) => {
            let _ = writeln!(text, "      face_name: {:?}", face.name);
            if let Some(from) = &adopt.moved_from {
                let _ = writeln!(text, "      key:       {from} -> {}", face.key);
            }
            if let Some(present) = &adopt.beside {
                let line = format!("takes the place of {present} once it is ready: first in PALs, then in the record");
                let _ = writeln!(text, "      {}", paint.wrap(&line, 6));
            }
        }
        Action::NoOp | Action::Wait | Action::Forget | Action::Orphaned | Action::Blocked => {}
    }
    reason_text(text, face, plan, paint);
    for drift in &face.drift {
        // The reason of a blocked or updated face says it already.
        if !is_told_by_reason(drift, face) {
            let _ =
                writeln!(text, "      {} {}", paint.yellow("drift:"), paint.wrap(&super::drift::described(drift), 13));
        }
    }
}

pub(super) fn is_told_by_reason(drift: &Drift, face: &FacePlan) -> bool {
    match drift {
        Drift::Missing => matches!(
            face.reason,
            Reason::Blocked(Block::Missing) | Reason::RecreateMissing | Reason::LeftManifestsAndGone
        ),
        Drift::Failed(_) => matches!(
            face.reason,
            Reason::Blocked(Block::Failed(_)) | Reason::RetryFailed(_) | Reason::ChangedAfterFailure(_)
        ),
        Drift::TuningFailed => matches!(face.reason, Reason::Blocked(Block::TuningFailed)),
        Drift::Renamed { .. } | Drift::VoiceChanged { .. } => matches!(face.action, Action::Update(_)),
        Drift::ModelDiffers { .. } => false,
    }
}

fn reason_text(text: &mut String, face: &FacePlan, plan: &Plan, paint: Paint) {
    // What was found is listed below.
    let reason = match &face.reason {
        Reason::Blocked(Block::Material(_)) => "nothing is paid for a training that could not work".to_owned(),
        reason => reason_in(plan, reason),
    };
    let because = paint.wrap(&format!("because {reason}"), 6);
    let _ = writeln!(text, "      {}", paint.dim(&because));
    if let Some(by) = plan.policy.selection.since.as_ref().and_then(|since| since.faces.get(&face.key)) {
        let line = paint.wrap(&format!("changed by {}", changed_by_text(by)), 6);
        let _ = writeln!(text, "      {}", paint.dim(&line));
    }
    for change in input_changes(&face.reason).unwrap_or_default() {
        let _ = writeln!(text, "      {}: {} ->", change.field, paint.red(&change.before));
        let _ = writeln!(text, "      {}  {}", " ".repeat(change.field.len()), paint.green(&change.after));
    }
    if let Reason::Blocked(Block::Material(findings)) = &face.reason {
        findings.iter().for_each(|finding| finding_text(text, finding, paint));
        if let Some(line) = skip_help(findings) {
            let _ = writeln!(text, "      {} {}", paint.cyan("help:"), paint.wrap(&line, 12));
        }
    } else if let Reason::Blocked(block) = &face.reason {
        let _ = writeln!(text, "      {} {}", paint.cyan("help:"), paint.wrap(&advice(face.key.as_str(), block), 12));
    }
    material_text(text, face, paint);
    if let (Some(origin), true) = (&face.origin, face.action.is_paid() || face.action == Action::Blocked) {
        let _ = writeln!(text, "      {}", paint.dim(&format!("at {origin}")));
    }
}

/// What was found about the material, beside what stops it, and what became of it since.
fn material_text(text: &mut String, face: &FacePlan, paint: Paint) {
    face.advice.iter().for_each(|finding| finding_text(text, finding, paint));
    if let Some(change) = &face.source_change {
        let line = source_change_text(change);
        let head = "source changed:";
        let _ = writeln!(text, "      {}{}", paint.yellow(head), paint.wrap_behind(&format!("      {head}"), &line, 8));
    }
}

fn finding_text(text: &mut String, finding: &Finding, paint: Paint) {
    let (head, painted) = match finding.severity {
        Severity::Error => ("error:", paint.red("error:")),
        Severity::Advice => ("advice:", paint.yellow("advice:")),
    };
    let _ = writeln!(text, "      {painted}{}", paint.wrap_behind(&format!("      {head}"), &finding.line(), 8));
    if let Some(help) = &finding.help {
        let _ = writeln!(text, "        {} {}", paint.cyan("help:"), paint.wrap(help, 14));
    }
}

fn coloured_symbol(action: &Action, paint: Paint) -> String {
    let symbol = action.symbol();
    match action {
        Action::Create(_) | Action::Adopt(_) | Action::Switch(_) => paint.green(symbol),
        Action::Replace(_) => paint.yellow(symbol),
        Action::Delete(_) => paint.red(symbol),
        Action::Update(_) => paint.yellow(symbol),
        Action::Wait => paint.cyan(symbol),
        Action::Blocked => paint.red(symbol),
        Action::NoOp | Action::GiveUp(_) | Action::Forget | Action::Orphaned => paint.dim(symbol),
    }
}

fn switch_fields(text: &mut String, switch: &Switch, paint: Paint) {
    let Switch { from, to, pals } = switch;
    let _ = writeln!(text, "      face_id: {} -> {}", paint.red(from.as_str()), paint.green(to.as_str()));
    match pals.as_deref() {
        None => {}
        Some([]) => {
            let _ = writeln!(text, "      no PAL uses {from}");
        }
        Some(pals) => {
            for pal in pals.iter().take(NAMED) {
                let _ = writeln!(text, "      PAL {} ({:?}) is pointed to it", pal.id, pal.name);
            }
            if pals.len() > NAMED {
                let _ = writeln!(text, "      and {} more PALs", pals.len() - NAMED);
            }
        }
    }
}

fn create_fields(text: &mut String, create: &Create, face: &FacePlan, paint: Paint) {
    let fields = fields_of(create);
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    for (name, value) in fields {
        let name = format!("{name}:");
        let _ = writeln!(text, "      {} {value}", paint.dim(&format!("{name:<width$}")));
    }
    if let Some(line) = given_up(create) {
        let _ = writeln!(text, "      {}", paint.yellow(&paint.wrap(&line, 6)));
    }
    if let Some(line) = place_taken(create, &face.action) {
        let _ = writeln!(text, "      {}", paint.wrap(&line, 6));
    }
}

fn update_fields(text: &mut String, update: &Update, paint: Paint) {
    if let Some(name) = &update.name {
        let (before, after) = match escaped_if_alike(name.before(), name.after()) {
            Some((before, after)) => (paint.red(&before), paint.green(&after)),
            None => marked(name.before(), name.after(), paint),
        };
        let _ = writeln!(text, "      face_name: \"{before}\" -> \"{after}\"");
    }
    if let Some(voice) = &update.voice {
        let shown = |voice: &Option<VoiceId>| voice.as_ref().map_or_else(|| "(none)".to_owned(), ToString::to_string);
        let (before, after) = (shown(voice.before()), shown(voice.after()));
        let _ = writeln!(text, "      default_voice_id: {} -> {}", paint.red(&before), paint.green(&after));
    }
}

/// Returns both texts with the words marked that only one of them has.
fn marked(before: &str, after: &str, paint: Paint) -> (String, String) {
    let diff = TextDiff::from_words(before, after);
    let (mut left, mut right) = (String::new(), String::new());
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                left.push_str(change.value());
                right.push_str(change.value());
            }
            ChangeTag::Delete => left.push_str(&paint.red(change.value())),
            ChangeTag::Insert => right.push_str(&paint.green(change.value())),
        }
    }
    (left, right)
}

fn summary_text(text: &mut String, plan: &Plan, paint: Paint) {
    let summary = plan.summary();
    if !plan.has_changes() && summary.blocked == 0 {
        let agreement = agreement(summary.no_op, summary.wait, summary.orphaned);
        let _ = writeln!(text, "{} {agreement}", paint.bold(&paint.green("No changes.")));
    } else {
        let _ = writeln!(text, "{}", paint.bold(&counts(&summary)));
        let more = other_counts(&summary);
        if !more.is_empty() {
            let _ = writeln!(text, "Also:{}", paint.list_behind("Also:", &more, 2));
        }
    }
    match cost(&summary) {
        Some((cost, how_long)) => {
            let _ = writeln!(text, "{}; {how_long}", paint.yellow(&cost));
        }
        None if plan.has_changes() => {
            let _ = writeln!(text, "{FREE}");
        }
        None => {}
    }
    if !plan.policy.skip_preflight.is_empty() {
        let head = "preflight:";
        let line = skipped_text(&plan.policy.skip_preflight);
        let _ = writeln!(text, "{}{}", paint.yellow(head), paint.wrap_behind(head, &line, 4));
    }
    for refusal in &plan.refusals {
        let head = "over a limit:";
        let _ = writeln!(text, "{}{}", paint.red(head), paint.wrap_behind(head, &refused(refusal), 4));
    }
    if let Some(line) = offline_text(plan) {
        let head = "offline plan:";
        let _ = writeln!(text, "{}{}", paint.yellow(head), paint.wrap_behind(head, &line, 4));
    }
    if !plan.policy.selection.is_everything() {
        let head = "partial plan:";
        let line = format!("{} Without these flags the plan is whole.", partial(&plan.policy.selection, plan.left_out));
        let _ = writeln!(text, "{}{}", paint.yellow(head), paint.wrap_behind(head, &line, 4));
    }
    if let Some(since) = &plan.policy.selection.since {
        let head = format!("since {}:", since.rev);
        let line = format!("{} It cannot be applied: `apply` knows no --since.", since_text(since));
        let _ = writeln!(text, "{}{}", paint.yellow(&head), paint.wrap_behind(&head, &line, 4));
    }
    if plan.left_out.elsewhere > 0 {
        let left_out = count(plan.left_out.elsewhere, "recorded face");
        let line = format!("Only a part of the project was asked for: {left_out} left out.");
        let _ = writeln!(text, "{}", paint.dim(&line));
    }
    if plan.foreign > 0 {
        let line = format!(
            "{} of the account {} not managed here and will not be touched.",
            count(plan.foreign, "live face"),
            if plan.foreign == 1 { "is" } else { "are" }
        );
        let _ = writeln!(text, "{}", paint.dim(&line));
    }
}
