//! A plan in sentences: what text and markdown both say.

use crate::face::{TrainingInput, TrainingVoice};
use crate::plan::{Action, Create, Duplicate, Fate, Limit, Plan, Refusal, Retired, Shortage, Summary};

use super::words::{count, hours, keep};

/// Faces named in one line; the others are counted.
pub(super) const NAMED: usize = 10;

/// Returns the fields of a training as a manifest has them, each with its value for people.
pub(super) fn fields_of(create: &Create) -> Vec<(&'static str, String)> {
    // In full, so that a new field cannot be forgotten here.
    let crate::face::FaceSpec {
        face_name,
        model,
        training,
        default_voice,
        callback_url,
        green_screen,
        training_version,
        lifecycle,
    } = &create.spec;
    let mut fields: Vec<(&'static str, String)> =
        vec![("face_name", format!("{:?}", face_name.as_str())), ("model_name", model.to_string())];
    match training {
        // Without a source nothing is created.
        None => {}
        Some(TrainingInput::Video { source }) => {
            fields.push(("train_video_url", source.shown()));
            if let Some(voice) = default_voice {
                fields.push(("default_voice_id", format!("{voice} (set after training)")));
            }
        }
        Some(TrainingInput::Image { source, voice, auto_fix }) => {
            fields.push(("train_image_url", source.shown()));
            match voice {
                TrainingVoice::Stock(slug) => fields.push(("voice_name", slug.to_string())),
                TrainingVoice::Id(id) => fields.push(("default_voice_id", id.to_string())),
            }
            if *auto_fix {
                fields.push(("auto_fix_training_image", "true".to_owned()));
            }
        }
    }
    if let Some(link) = callback_url {
        fields.push(("callback_url", link.shown_host()));
    }
    if *green_screen {
        fields.push(("background_green_screen", "true".to_owned()));
    }
    if let Some(version) = training_version {
        fields.push(("training_version", format!("{version:?}")));
    }
    fields.push(("wait_for", lifecycle.wait_for.to_string()));
    fields.push(("token", create.token.to_string()));
    fields
}

/// Returns what becomes of a new face that was to take the place until now.
pub(super) fn given_up(create: &Create) -> Option<String> {
    create
        .gives_up
        .as_ref()
        .map(|id| format!("{id}, which is paid for and was to take the place, is given up and kept"))
}

/// Returns whose place a new face takes, and how.
pub(super) fn place_taken(create: &Create, action: &Action) -> Option<String> {
    let id = create.instead_of.as_ref()?;
    Some(match action {
        Action::Replace(_) if create.spec.lifecycle.repoint_pals => {
            format!("takes the place of {id} once it is ready: first in every PAL that uses it, then in the record")
        }
        Action::Replace(_) => format!("takes the place of {id} once it is ready; PALs are left as they are"),
        _ => format!("takes the place of {id}, which is left alive"),
    })
}

/// Returns what becomes of a face from before; none where it simply stays.
pub(super) fn fate_of(retired: &Retired) -> Option<String> {
    let since = retired.left_at.map_or_else(String::new, |at| format!(", which was left at {at:.0}"));
    Some(match &retired.fate {
        Fate::Retained => return None,
        Fate::KeptUntil(until) => format!("kept until {until:.0}, to roll back to"),
        Fate::Prunable => "may go: `--prune` deletes it".to_owned(),
        Fate::Kept(why) => format!("kept: {}", keep(why)),
        Fate::Delete { is_hard: false } => format!("delete it{since}; that cannot be undone"),
        Fate::Delete { is_hard: true } => format!("delete it with its material{since}; that cannot be undone"),
    })
}

/// Returns what is wrong where several live faces were made for one intent.
pub(super) fn doubled(duplicate: &Duplicate) -> String {
    let others: Vec<&str> = duplicate.others.iter().map(crate::face::FaceId::as_str).collect();
    format!(
        "several live faces carry the token {} of {}: {} is kept, {} paid for as well. facectl never deletes a face on its own: look at each, then delete by hand what is not needed.",
        duplicate.token,
        duplicate.key,
        duplicate.kept,
        if others.len() == 1 { format!("{} was", others[0]) } else { format!("{} were", others.join(", ")) }
    )
}

/// Returns what follows from a listing that was not complete.
pub(super) fn seen_in_part(why: &str) -> String {
    format!("the listing of live faces was not complete: {why}. Nothing is created on such ground.")
}

/// Returns how far an account is short of room; none where it is not, or nobody said how much there is.
pub(super) fn short_of_room(plan: &Plan) -> Option<String> {
    let Shortage { slots, taken, needed } = plan.shortage?;
    let least = if plan.basis.sight.is_offline() { "at least " } else { "" };
    Some(format!(
        "the account has room for {} (spec.limits.face_slots), {least}{taken} are taken and {needed} more are to be trained; a replacement needs a free one until the face before it is deleted. Without room the API refuses, and nothing is paid.",
        count(slots as usize, "face")
    ))
}

/// What is said of a plan that starts no training.
pub(super) const FREE: &str = "Nothing here is paid for.";

/// Returns the numbers that everybody asks for: `Plan: 1 to create, …`.
pub(super) fn counts(summary: &Summary) -> String {
    let Summary { create, update, replace, delete, .. } = summary;
    format!("Plan: {create} to create, {update} to update, {replace} to replace, {delete} to delete.")
}

/// Returns the other numbers, as far as they are not zero.
pub(super) fn other_counts(summary: &Summary) -> Vec<String> {
    // In full, so that a new number cannot be forgotten here.
    let Summary {
        create: _,
        adopt,
        update: _,
        replace: _,
        switch,
        give_up,
        delete: _,
        retired: _,
        forget,
        wait,
        blocked,
        orphaned,
        no_op,
        paid_trainings: _,
        usual_hours: _,
    } = summary;
    [
        (adopt, "to adopt"),
        (switch, "to switch to the new face"),
        (give_up, "replacement to give up"),
        (forget, "to forget"),
        (wait, "in training"),
        (blocked, "blocked"),
        (orphaned, "orphaned"),
        (no_op, "unchanged"),
    ]
    .into_iter()
    .filter(|(number, _)| **number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect()
}

/// Returns how many trainings are paid for, and how long that takes; none where there are none.
pub(super) fn cost(summary: &Summary) -> Option<(String, String)> {
    let range = summary.usual_hours?;
    let which = if summary.paid_trainings == 1 { "it" } else { "the longest" };
    Some((count(summary.paid_trainings, "paid training"), format!("{which} usually takes {}.", hours(range))))
}

pub(super) fn agreement(no_op: usize, wait: usize, orphaned: usize) -> String {
    let mut parts = vec![format!("{} as declared", count(no_op + wait, "face"))];
    if wait > 0 {
        parts.push(format!("{wait} still in training (`facectl wait`)"));
    }
    if orphaned > 0 {
        parts.push(format!("{orphaned} no longer declared, left alone"));
    }
    format!("{}.", parts.join(", "))
}

/// Returns which limit a plan breaks, with which faces, and what to do about it.
pub(super) fn refused(refusal: &Refusal) -> String {
    let mut faces: Vec<String> = refusal.faces.iter().take(NAMED).map(ToString::to_string).collect();
    if refusal.faces.len() > NAMED {
        faces.push(format!("and {} more", refusal.faces.len() - NAMED));
    }
    format!(
        "{} ({}). Raise it there or with {}, or apply fewer faces at a time. As it stands this plan cannot be applied.",
        over_limit(refusal),
        faces.join(", "),
        refusal.limit.flag()
    )
}

/// What a plan would spend against what is allowed: `12 trainings would be started, spec.limits.max_trainings allows 10`.
pub(crate) fn over_limit(refusal: &Refusal) -> String {
    let Refusal { limit, allowed, before, faces } = refusal;
    let what = match limit {
        Limit::MaxTrainings => "would be started",
        Limit::MaxDeletions => "would be made",
    };
    let before = before.map_or_else(String::new, |before| {
        format!(" after {} within {}", before.count, super::words::duration(before.period))
    });
    let (number, setting) = (count(faces.len(), limit.noun()), limit.setting());
    format!("{number} {what}{before}, {setting} allows {allowed}")
}
