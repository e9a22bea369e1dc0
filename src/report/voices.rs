//! Voices, and how a manifest names each.

use serde_json::{Value, json};

use crate::face::{ListedVoice, VoiceKind, VoiceUse};

use super::{Paint, table};

/// Returns voices as a table.
pub fn voices_table(voices: &[ListedVoice], paint: Paint) -> String {
    let text =
        table(&["NAME", "VOICE ID", "TYPE", "STATUS", "TAGS", "IN A MANIFEST"], voices.iter().map(cells).collect());
    match text.split_once('\n') {
        Some((header, rows)) => format!("{}\n{rows}", paint.dim(header)),
        None => text,
    }
}

fn cells(voice: &ListedVoice) -> Vec<String> {
    // In full, so that a new field cannot be forgotten here.
    let ListedVoice { id, name, kind, status, description: _, tags, linked_face: _ } = voice;
    let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    vec![
        name.clone(),
        or_dash(id.as_ref().map(ToString::to_string)),
        word(*kind).to_owned(),
        or_dash(status.clone()),
        or_dash(Some(tags.join(", "))),
        or_dash(voice.usage().map(|usage| line(&usage))),
    ]
}

fn word(kind: VoiceKind) -> &'static str {
    match kind {
        VoiceKind::Stock => "stock",
        VoiceKind::User => "user",
    }
}

/// Returns the line of a manifest, as YAML writes it: a name may need quotes.
fn line(usage: &VoiceUse) -> String {
    let (field, value) = match usage {
        VoiceUse::Name(slug) => ("voice_name", slug.as_str()),
        VoiceUse::Id(id) => ("default_voice_id", id.as_str()),
    };
    format!("{field}: {}", crate::yaml::scalar(value))
}

/// Returns voices as JSON.
pub fn voices_json(voices: &[ListedVoice], is_complete: bool) -> Value {
    let voice = |voice: &ListedVoice| {
        let ListedVoice { id, name, kind, status, description, tags, linked_face } = voice;
        json!({
            "voice_name": name,
            "voice_id": id,
            "voice_type": word(*kind),
            "status": status,
            "usable": voice.usage().is_some(),
            "tags": tags,
            "description": description,
            "face_id": linked_face,
            "manifest": voice.usage().map(|usage| match usage {
                VoiceUse::Name(slug) => json!({ "voice_name": slug }),
                VoiceUse::Id(id) => json!({ "default_voice_id": id }),
            }),
        })
    };
    json!({
        "format_version": "1.0",
        "complete": is_complete,
        "voices": voices.iter().map(voice).collect::<Vec<_>>(),
    })
}
