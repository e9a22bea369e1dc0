//! The live face against the declared one, as a unified diff.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::face::{Desired, FaceKey, Observed, Recorded, TrainedFrom, VoiceId, VoiceSlug, escaped_if_alike};
use crate::plan::live_name_agrees;
use crate::yaml;

use super::Paint;

/// One side of a diff, in the manifest's words and order. What the API never gives back (the source, the
/// training voice, the flags) comes from the record on the live side; where that is unknown too, it is
/// left out on both sides.
#[derive(Debug, Default, Serialize)]
struct Side {
    face_name: Option<String>,
    model_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_video_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice_id: Option<VoiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_fix_training_image: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background_green_screen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training_version: Option<String>,
}

impl Side {
    fn with_inputs(mut self, from: &TrainedFrom, is_same_source: bool) -> Self {
        let TrainedFrom {
            model: _,
            kind,
            source,
            source_hash,
            revision: _,
            voice,
            auto_fix,
            green_screen,
            training_version,
        } = from;
        // Two links may look the same once their secrets are hidden.
        let source = if is_same_source {
            source.clone()
        } else {
            format!("{source} (#{})", &source_hash[..8.min(source_hash.len())])
        };
        match kind {
            crate::face::SourceKind::Video => self.train_video_url = Some(source),
            crate::face::SourceKind::Image => self.train_image_url = Some(source),
        }
        self.voice_name = voice.as_ref().map(VoiceSlug::to_string);
        self.auto_fix_training_image = auto_fix.then_some(true);
        self.background_green_screen = green_screen.then_some(true);
        self.training_version.clone_from(training_version);
        self
    }

    fn yaml(&self) -> String {
        // A struct of texts always serialises; an empty side would show as "everything differs".
        yaml::to_string(self).unwrap_or_default()
    }
}

/// Returns the unified diff of every declared face that differs, live on the left, or what the lock file knows where
/// that is all there is; empty where none does.
pub fn diff_text(desired: &Desired, recorded: &Recorded, observed: &Observed, paint: Paint) -> String {
    let mut text = String::new();
    let is_offline = observed.sight.is_offline();
    let side = if is_offline { "recorded" } else { "live" };
    for key in desired.faces.keys() {
        let (live_id, live, declared) = sides(key, desired, recorded, observed);
        if live != declared {
            let id = live_id.unwrap_or_else(|| format!("not {side}"));
            one(&mut text, key, (side, &id), &live, &declared, paint);
        }
    }
    let how = if is_offline { "recorded" } else { "live and recorded" };
    for (key, face) in recorded.faces.iter().filter(|(key, _)| !desired.faces.contains_key(*key)) {
        if observed.faces.contains_key(&face.id) {
            let line = format!("# {key} ({}) is {how}, but no longer declared", face.id);
            let _ = writeln!(text, "{}", paint.dim(&line));
        }
    }
    text
}

fn sides(
    key: &FaceKey,
    desired: &Desired,
    recorded: &Recorded,
    observed: &Observed,
) -> (Option<String>, String, String) {
    let Some(face) = desired.faces.get(key) else { return Default::default() };
    let record = recorded.faces.get(key);
    let named = face.declared_id();
    let live = record.map(|record| &record.id).or(named.as_ref()).and_then(|id| observed.faces.get(id));
    let wanted = face.spec.trained_from();
    let known = record.and_then(|record| record.trained_from.as_ref());
    let is_same_source = known
        .zip(wanted.as_ref())
        .is_none_or(|(known, wanted)| known.source != wanted.source || known.source_hash == wanted.source_hash);
    let name = face.spec.face_name.as_str().to_owned();
    let mut declared = Side {
        face_name: Some(name.clone()),
        model_name: Some(face.spec.model.to_string()),
        default_voice_id: face.spec.default_voice.clone(),
        ..Side::default()
    };
    let Some(live) = live else {
        if let Some(wanted) = &wanted {
            declared = declared.with_inputs(wanted, true);
        }
        return (None, String::new(), declared.yaml());
    };
    let token = record.and_then(|record| record.token.as_ref());
    let is_named = live_name_agrees(live.name.as_deref(), &face.spec.face_name, token);
    let live_name = if is_named { name.clone() } else { live.name.clone().unwrap_or_default() };
    let (live_name, name) = escaped_if_alike(&live_name, &name).unwrap_or((live_name, name));
    declared.face_name = Some(name);
    let mut shown = Side {
        // The creation token in a name is ours and no difference.
        face_name: Some(live_name),
        model_name: live.model.clone().or_else(|| declared.model_name.clone()),
        // A voice that the manifest does not name is not managed.
        default_voice_id: live.default_voice.clone().filter(|_| declared.default_voice_id.is_some()),
        ..Side::default()
    };
    let is_imported = known.is_none() && token.is_none();
    if is_imported || wanted.is_none() {
        declared.model_name.clone_from(&shown.model_name);
    }
    // Where one side is not known there is nothing to compare.
    if let (Some(known), Some(wanted)) = (known, &wanted) {
        shown = shown.with_inputs(known, is_same_source);
        declared = declared.with_inputs(wanted, is_same_source);
        if known.changes_to(wanted).is_empty() {
            declared.voice_name.clone_from(&shown.voice_name);
        }
    }
    (Some(live.id.to_string()), shown.yaml(), declared.yaml())
}

fn one(text: &mut String, key: &FaceKey, (side, id): (&str, &str), live: &str, declared: &str, paint: Paint) {
    let (before, after) = (format!("--- {side}/{key} ({id})"), format!("+++ declared/{key}"));
    unified(text, (&before, live), (&after, declared), paint);
}

/// Writes one unified diff; each side is its head line and its text.
pub(super) fn unified(text: &mut String, before: (&str, &str), after: (&str, &str), paint: Paint) {
    // What is compared has some dozen lines: the deadline only keeps a hostile text from costing time.
    let diff = TextDiff::configure().timeout(Duration::from_secs(1)).diff_lines(before.1, after.1);
    let _ = writeln!(text, "{}", paint.bold(before.0));
    let _ = writeln!(text, "{}", paint.bold(after.0));
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        let _ = writeln!(text, "{}", paint.cyan(hunk.header().to_string().trim_end()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let _ = match change.tag() {
                ChangeTag::Equal => writeln!(text, " {line}"),
                ChangeTag::Delete => writeln!(text, "{}", paint.red(&format!("-{line}"))),
                ChangeTag::Insert => writeln!(text, "{}", paint.green(&format!("+{line}"))),
            };
        }
    }
}
