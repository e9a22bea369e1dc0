//! A plan for somebody who has to say yes or no to it.

use std::collections::BTreeMap;

use crate::face::{Check, Coverage, FaceId, VoiceId, escaped_if_alike, told_apart};
use crate::plan::{Action, Delete, FacePlan, Plan, Policy, Reason, Retired, Selection, Switch, Update};

use super::super::super::drift::described;
use super::super::super::material::{skipped_text, source_change_text};
use super::super::super::offline::{offline_text, reason_in};
use super::super::super::plan_text::{is_shown, is_told_by_reason};
use super::super::super::plan_words::{
    FREE, NAMED, agreement, cost, counts, doubled, fate_of, fields_of, given_up, other_counts, place_taken, refused,
    seen_in_part, short_of_room,
};
use super::super::super::since::{changed_by_text, since_text};
use super::super::super::words::{advice, count, input_changes, partial, reason};
use super::super::Planned;
use super::super::escape::{clipped, code, fenced, plain_words, prose};
use super::super::page::{List, Part};
use super::{Loud, boxed, boxed_list, fold, table};

/// The longest reason in a table, in characters; the fold below has the whole.
const WHY: usize = 160;

pub(super) fn parts(planned: &Planned<'_>, is_rehearsal: bool) -> Vec<Part> {
    let plan = planned.plan;
    let mut parts = vec![Part::Whole(numbers(plan))];
    for note in &planned.notes {
        parts.push(Part::Whole(boxed(Loud::Note, &[prose(note)])));
    }
    parts.extend(warnings(plan));
    parts.extend(faces(plan));
    parts.push(Part::Whole(approval(plan, is_rehearsal)));
    parts.extend(folds(plan));
    parts.extend(from_before(plan));
    parts.push(Part::Whole(beside(plan)));
    parts
}

/// A plan that is no longer to be approved.
pub(super) fn shown(plan: &Plan) -> Vec<Part> {
    let mut parts = vec![Part::Whole(numbers(plan))];
    parts.extend(warnings(plan));
    parts.extend(faces(plan));
    if plan.has_changes() && plan.is_for_approval() {
        parts.push(Part::Whole(format!("Plan digest: {}\n\n", code(&plan.digest().short()))));
    }
    parts.extend(folds(plan));
    parts
}

fn numbers(plan: &Plan) -> String {
    let summary = plan.summary();
    if !plan.has_changes() && summary.blocked == 0 {
        return format!("**No changes.** {}\n\n", prose(&agreement(summary.no_op, summary.wait, summary.orphaned)));
    }
    let mut text = format!("**{}**", counts(&summary));
    let others = other_counts(&summary);
    if !others.is_empty() {
        text.push_str(&format!(" Also: {}.", others.join(", ")));
    }
    match cost(&summary) {
        Some((cost, how_long)) => text.push_str(&format!("\n**{cost}**; {how_long}")),
        None if plan.has_changes() => text.push_str(&format!("\n{FREE}")),
        None => {}
    }
    text + "\n\n"
}

/// What stops the plan, and what a person has to know before a yes.
fn warnings(plan: &Plan) -> Vec<Part> {
    let mut parts = Vec::new();
    if !plan.refusals.is_empty() {
        let lines: Vec<String> =
            plan.refusals.iter().map(|refusal| format!("**Over a limit:** {}", prose(&refused(refusal)))).collect();
        parts.push(Part::Whole(boxed(Loud::Caution, &lines)));
    }
    let doubles: Vec<String> = plan.duplicates.iter().map(|double| prose(&doubled(double))).collect();
    if !doubles.is_empty() {
        parts.push(boxed_list(Loud::Caution, "Paid for more than once", doubles, 0));
    }
    let blocks: Vec<String> = plan.blocks().map(|(face, _)| blocked(face)).collect();
    if !blocks.is_empty() {
        let title = format!("Blocked: nothing is done to {} before a person has acted", count(blocks.len(), "face"));
        parts.push(boxed_list(Loud::Warning, &title, blocks, 0));
    }
    let mut loud = Vec::new();
    if let Some(line) = offline_text(plan) {
        loud.push(format!("**Offline:** {}", prose(&sentence(&line))));
    }
    if let (Coverage::Partial(why), false) = (&plan.basis.coverage, plan.basis.sight.is_offline()) {
        loud.push(prose(&sentence(&seen_in_part(why))));
    }
    if let Some(line) = short_of_room(plan) {
        loud.push(prose(&sentence(&line)));
    }
    if !plan.policy.skip_preflight.is_empty() {
        loud.push(prose(&sentence(&skipped_text(&plan.policy.skip_preflight))));
    }
    if !plan.policy.selection.is_everything() {
        loud.push(format!("**A part of the project:** {}", prose(&partial(&plan.policy.selection, plan.left_out))));
    }
    if let Some(since) = &plan.policy.selection.since {
        let line = prose(&sentence(&since_text(since)));
        loud.push(format!("**Since {}:** {line} It cannot be applied: `apply` knows no --since.", code(&since.rev)));
    }
    if plan.left_out.elsewhere > 0 {
        let left_out = count(plan.left_out.elsewhere, "recorded face");
        loud.push(format!("Only a part of the project was asked for: {left_out} left out."));
    }
    // Each a paragraph of its own.
    let lines: Vec<String> = loud.join("\n\n").split('\n').map(str::to_owned).collect();
    if !loud.is_empty() {
        parts.push(Part::Whole(boxed(Loud::Warning, &lines)));
    }
    parts
}

pub(super) fn blocked(face: &FacePlan) -> String {
    let place = face.origin.as_ref().map_or_else(String::new, |origin| format!(" ({})", code(&origin.to_string())));
    let why = prose(&reason(&face.reason));
    let help = match &face.reason {
        Reason::Blocked(block) => format!(" **Do:** {}.", prose(&advice(face.key.as_str(), block))),
        _ => String::new(),
    };
    format!("{}{place}: {why}.{help}", code(face.key.as_str()))
}

fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A line for each face that is not blocked: what cannot be undone first, then what costs, then the rest.
fn faces(plan: &Plan) -> Vec<Part> {
    let shown = plan.faces.iter().filter(|face| is_shown(face) && face.action != Action::Blocked);
    let deleted = plan.retired.iter().filter(|retired| retired.is_deleted());
    let mut rows: Vec<(u8, &'static str, Vec<String>)> = deleted
        .map(|retired| {
            let what = format!("**delete** {}", code(retired.id.as_str()));
            let why = prose(&format!("a face from before; {}", fate_of(retired).unwrap_or_default()));
            (0, "delete", vec![code("-"), code(retired.key.as_str()), what, why])
        })
        .chain(shown.map(|face| (weight(&face.action), face.action.word(), row(plan, face))))
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    rows.sort_by_key(|(weight, _, _)| *weight);
    let words: Vec<&'static str> = rows.iter().map(|(_, word, _)| *word).collect();
    let left_out = move |kept: usize| {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for word in words.iter().skip(kept) {
            *numbers.entry(word).or_default() += 1;
        }
        let counted: Vec<String> = numbers.iter().map(|(word, number)| format!("{number} {word}")).collect();
        let rest = words.len() - kept;
        format!("\nAnd {rest} more: {}. `facectl plan` shows all of them.\n\n", counted.join(", "))
    };
    let rows = rows.into_iter().map(|(_, _, cells)| cells).collect();
    vec![table(&["", "Face", "What", "Why"], rows, 1, Box::new(left_out))]
}

/// The lower, the sooner a reader has to see it.
fn weight(action: &Action) -> u8 {
    match action {
        Action::Delete(_) => 0,
        Action::Replace(_) => 1,
        Action::Create(_) => 2,
        Action::Switch(_) | Action::GiveUp(_) => 3,
        Action::Update(_) => 4,
        Action::Adopt(_) => 5,
        Action::Forget => 6,
        Action::Wait => 7,
        Action::Orphaned => 8,
        Action::NoOp | Action::Blocked => 9,
    }
}

fn row(plan: &Plan, face: &FacePlan) -> Vec<String> {
    let what = match &face.action {
        Action::Delete(Delete { is_hard: true, .. }) => "**delete with its material**".to_owned(),
        Action::Delete(_) => "**delete**".to_owned(),
        Action::Update(update) => format!("update {}", updated(update)),
        Action::NoOp if face.drift.is_empty() => "source changed".to_owned(),
        Action::NoOp => "drifted".to_owned(),
        action if action.is_paid() => format!("{}, **paid**", action.word()),
        action => action.word().to_owned(),
    };
    let why = match face.action {
        Action::NoOp => {
            let changed = face.source_change.as_ref().map(source_change_text);
            face.drift.iter().map(described).chain(changed).collect::<Vec<_>>().join("; ")
        }
        _ => reason_in(plan, &face.reason),
    };
    let by = plan.policy.selection.since.as_ref().and_then(|since| since.faces.get(&face.key));
    let why = by.map_or_else(|| why.clone(), |by| format!("{why}; changed by {}", changed_by_text(by)));
    let symbol = match face.action {
        Action::NoOp => code("≠"),
        _ => code(face.action.symbol()),
    };
    vec![symbol, code(face.key.as_str()), what, prose(&clipped(&why, WHY))]
}

/// The longest name in a table, in characters.
const NAME: usize = 60;

fn updated(update: &Update) -> String {
    let name = update.name.as_ref().map(|name| match escaped_if_alike(name.before(), name.after()) {
        Some((before, after)) => {
            format!("name from {} to {}", code(&clipped(&before, NAME)), code(&clipped(&after, NAME)))
        }
        None => format!("name to {}", code(&clipped(name.after(), NAME))),
    });
    let voice = update.voice.as_ref().map(|voice| match voice.after() {
        Some(voice) => format!("voice to {}", code(voice.as_str())),
        None => "voice to none".to_owned(),
    });
    name.into_iter().chain(voice).collect::<Vec<_>>().join(", ")
}

/// How to carry out exactly this.
fn approval(plan: &Plan, is_rehearsal: bool) -> String {
    if !plan.refusals.is_empty() {
        return "As it stands this plan cannot be applied.\n\n".to_owned();
    }
    // What nobody looked at the live faces for has no digest to approve.
    if !plan.has_changes() || !plan.is_for_approval() {
        return String::new();
    }
    let sandbox = if is_rehearsal { " --sandbox" } else { "" };
    let flags = flags(&plan.policy);
    let digest = plan.digest().short();
    // A block of its own: it can be copied with one press.
    let command = format!("facectl apply{sandbox} --auto-approve --expect-digest {digest}{flags}");
    format!("To do exactly this, and nothing else, with the same paths and settings:\n\n{}\n", fenced("sh", &[command]))
}

/// Returns the flags that the plan was made with, as far as they decide what it does.
fn flags(policy: &Policy) -> String {
    let mut flags = Vec::new();
    for (is_given, flag) in [
        (policy.adopt_by_name, "--adopt"),
        (policy.prune, "--prune"),
        (policy.allow_empty, "--allow-empty"),
        (policy.prune_failed, "--prune-failed"),
    ] {
        if is_given {
            flags.push(flag.to_owned());
        }
    }
    for (keys, flag) in [
        (&policy.recreate, "--recreate"),
        (&policy.retry, "--retry"),
        (&policy.create_new, "--create-new"),
        (&policy.roll_forward, "--roll-forward"),
    ] {
        flags.extend(keys.iter().map(|key| format!("{flag} {key}")));
    }
    if policy.skip_preflight.len() == Check::ALL.len() {
        flags.push("--skip-preflight".to_owned());
    } else if !policy.skip_preflight.is_empty() {
        let words: Vec<&str> = policy.skip_preflight.iter().map(|check| check.word()).collect();
        flags.push(format!("--skip-preflight={}", words.join(",")));
    }
    // What is limited by a revision is for looking at: `apply` cannot be asked for it.
    let Selection { targets, exclude, labels, since: _ } = &policy.selection;
    flags.extend(targets.iter().map(|pattern| format!("--target {}", quoted(&pattern.to_string()))));
    flags.extend(exclude.iter().map(|pattern| format!("--exclude {}", quoted(&pattern.to_string()))));
    flags.extend(labels.iter().map(|labels| format!("--selector {}", quoted(&labels.to_string()))));
    flags.iter().map(|flag| format!(" {flag}")).collect()
}

/// Returns a word that a shell takes as it stands.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// What changes, field by field, folded away for each face.
fn folds(plan: &Plan) -> Vec<Part> {
    let mut told: Vec<&FacePlan> = plan.faces.iter().filter(|face| is_shown(face) && has_fields(face)).collect();
    told.sort_by_key(|face| weight(&face.action));
    let lines: Vec<String> = told.into_iter().map(|face| folded(plan, face)).collect();
    let number = lines.len();
    let left_out = move |kept: usize| {
        format!(
            "The fields of {} are left out, as there is no room for them: `facectl plan` and the log of the run show them.\n\n",
            if kept == 0 { count(number, "face") } else { format!("{} more", count(number - kept, "face")) }
        )
    };
    let (head, tail) = (String::new(), String::new());
    vec![Part::List(List { head, lines, tail, rank: 2, left_out: Box::new(left_out) })]
}

fn has_fields(face: &FacePlan) -> bool {
    match &face.action {
        Action::Create(_)
        | Action::Replace(_)
        | Action::Switch(_)
        | Action::GiveUp(_)
        | Action::Adopt(_)
        | Action::Update(_)
        | Action::Delete(_) => true,
        Action::Blocked => input_changes(&face.reason).is_some_and(|changes| !changes.is_empty()),
        Action::NoOp | Action::Wait | Action::Forget | Action::Orphaned => false,
    }
}

fn folded(plan: &Plan, face: &FacePlan) -> String {
    let paid = if face.action.is_paid() { ", paid" } else { "" };
    let title = format!("<code>{}</code> {}{paid}", plain_words(face.key.as_str()), face.action.word());
    let mut body = fenced("diff", &diff(face));
    let effects = effects(face);
    let said = std::iter::once(format!("Because {}.", prose(&reason_in(plan, &face.reason))))
        .chain(effects.iter().map(|line| format!("{}.", prose(&sentence(line)))))
        .chain(
            face.drift
                .iter()
                .filter(|drift| !is_told_by_reason(drift, face))
                .map(|drift| format!("Drift: {}.", prose(&described(drift)))),
        )
        .chain(face.advice.iter().map(|finding| format!("Advice: {}.", prose(&finding.line()))))
        .chain(
            face.source_change
                .as_ref()
                .map(|change| format!("Source changed: {}.", prose(&source_change_text(change)))),
        )
        .chain(face.origin.as_ref().map(|origin| format!("At {}.", code(&origin.to_string()))));
    for line in said {
        body.push_str(&format!("\n{line}\n"));
    }
    fold(&title, &body)
}

/// Returns what a face was and what it becomes, as a diff.
fn diff(face: &FacePlan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut change = |field: &str, before: &str, after: &str| {
        lines.push(format!("- {field}: {before}"));
        lines.push(format!("+ {field}: {after}"));
    };
    for input in input_changes(&face.reason).unwrap_or_default() {
        change(input.field, &input.before, &input.after);
    }
    match &face.action {
        Action::Create(create) | Action::Replace(create) => {
            let known: Vec<&str> =
                input_changes(&face.reason).unwrap_or_default().iter().map(|input| input.field).collect();
            let sign = |field: &str| if known.contains(&field) { None } else { Some('+') };
            let fields = fields_of(create);
            lines.extend(fields.iter().filter_map(|(field, value)| Some(format!("{} {field}: {value}", sign(field)?))));
        }
        Action::Update(update) => {
            if let Some(name) = &update.name {
                let (before, after) = told_apart(name.before(), name.after());
                change("face_name", &before, &after);
            }
            if let Some(voice) = &update.voice {
                let shown =
                    |voice: &Option<VoiceId>| voice.as_ref().map_or_else(|| "(none)".to_owned(), ToString::to_string);
                change("default_voice_id", &shown(voice.before()), &shown(voice.after()));
            }
        }
        Action::Switch(Switch { from, to, pals: _ }) => change("face_id", from.as_str(), to.as_str()),
        Action::Delete(Delete { faces, is_hard: _ }) => {
            lines.push(format!("- face_name: {:?}", face.name));
            lines.extend(faces.iter().map(|id| format!("- face_id: {id}")));
        }
        Action::Adopt(adopt) => {
            lines.push(format!("  face_name: {:?}", face.name));
            lines.push(format!("+ face_id: {}", adopt.id));
            if let Some(from) = &adopt.moved_from {
                lines.push(format!("- key: {from}"));
                lines.push(format!("+ key: {}", face.key));
            }
        }
        Action::GiveUp(id) => lines.push(format!("- face_id: {id}")),
        Action::NoOp | Action::Wait | Action::Forget | Action::Orphaned | Action::Blocked => {}
    }
    lines
}

/// Returns what else an action does, in sentences.
fn effects(face: &FacePlan) -> Vec<String> {
    match &face.action {
        Action::Create(create) | Action::Replace(create) => {
            given_up(create).into_iter().chain(place_taken(create, &face.action)).collect()
        }
        Action::Switch(Switch { from, pals: Some(pals), .. }) if pals.is_empty() => vec![format!("no PAL uses {from}")],
        Action::Switch(Switch { pals: Some(pals), .. }) => {
            let named: Vec<String> =
                pals.iter().take(NAMED).map(|pal| format!("{} ({:?})", pal.id, pal.name)).collect();
            let more = pals.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            vec![format!("{} pointed to it first: {}{more}", count(pals.len(), "PAL"), named.join(", "))]
        }
        Action::GiveUp(id) => vec![format!("{id} stays alive, as a face from before")],
        Action::Delete(Delete { faces, is_hard }) => {
            let ids: Vec<&str> = faces.iter().map(FaceId::as_str).collect();
            let how = if *is_hard { ", with the stored material" } else { "" };
            vec![format!("deletes {}{how}; that cannot be undone", ids.join(", "))]
        }
        Action::Adopt(adopt) => adopt
            .beside
            .iter()
            .map(|present| format!("takes the place of {present} once it is ready: first in PALs, then in the record"))
            .collect(),
        Action::Switch(_)
        | Action::Update(_)
        | Action::NoOp
        | Action::Wait
        | Action::Forget
        | Action::Orphaned
        | Action::Blocked => Vec::new(),
    }
}

/// Faces from before that stay: worth knowing, and no more.
fn from_before(plan: &Plan) -> Vec<Part> {
    let kept: Vec<&Retired> = plan.retired.iter().filter(|retired| !retired.is_deleted()).collect();
    let lines: Vec<String> = kept
        .into_iter()
        .filter_map(|retired| {
            let fate = prose(&fate_of(retired)?);
            Some(format!("- {} {}: {fate}\n", code(retired.key.as_str()), code(retired.id.as_str())))
        })
        .collect();
    let number = lines.len();
    let head = format!("<details><summary>{} from before</summary>\n\n", count(number, "face"));
    let left_out = move |kept: usize| match kept {
        0 => format!("{} from before: `facectl plan` shows them.\n\n", count(number, "face")),
        kept => format!("- and {} more\n", number - kept),
    };
    let tail = "\n</details>\n\n".to_owned();
    vec![Part::List(List { head, lines, tail, rank: 3, left_out: Box::new(left_out) })]
}

fn beside(plan: &Plan) -> String {
    if plan.foreign == 0 {
        return String::new();
    }
    let (faces, verb) = (count(plan.foreign, "live face"), if plan.foreign == 1 { "is" } else { "are" });
    format!("{faces} of the account {verb} not managed here and will not be touched.\n\n")
}
