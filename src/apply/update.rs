//! Changing name or voice in place.

use crate::face::{Desired, FaceKey, VoiceId, is_same_text, told_apart};
use crate::killpoint::kill_point;
use crate::plan::{Update, live_name_agrees};
use crate::state::Happened;
use crate::tavus::{FaceApi, FaceUpdate};

use super::step::failed;
use super::{Done, Event, Executor};

impl<A: FaceApi> Executor<'_, A> {
    /// Changes name or voice in place: only what differs is sent.
    pub(super) async fn update(&self, key: &FaceKey, update: &Update, desired: &Desired) -> Done {
        if let Some(voice) = update.voice.as_ref().and_then(|change| change.after().as_ref())
            && let Some(failure) = self.unusable(key, voice).await
        {
            return failure;
        }
        let request = FaceUpdate {
            face_name: update.name.as_ref().map(|change| change.after().clone()),
            default_voice: update.voice.as_ref().and_then(|change| change.after().clone()),
        };
        kill_point("update", "before-send");
        let sent = self.clock.now();
        if let Err(error) = self.api.update_face(&update.id, &request).await {
            return self.api_failed(key, "update", &error);
        }
        let took = self.since(sent);
        kill_point("update", "answered");
        let what = described(update);
        let spec = desired.faces.get(key).map(|face| &face.spec);
        let recorded = self.store.face(key).ok().flatten();
        let Some(mut whole) = recorded else {
            return failed(key, "record the update", "it is not in the record any more".to_owned());
        };
        let Some(recorded) = whole.of_id_mut(&update.id) else {
            return failed(key, "record the update", format!("{} is not in the record any more", update.id));
        };
        let leaves_token = |name: &crate::plan::Change<String>| {
            let before = Some(name.before().as_str());
            spec.is_some_and(|spec| live_name_agrees(before, &spec.face_name, recorded.token.as_ref()))
        };
        let is_housekeeping = update.voice.is_none() && update.name.as_ref().is_some_and(leaves_token);
        // A token that did not leave the name is seen by the next look anyway.
        if !is_housekeeping && let Some(failure) = self.unchanged(key, update).await {
            return failure;
        }
        if let Some(spec) = spec.filter(|_| update.name.is_some()) {
            recorded.name = spec.face_name.clone();
            recorded.token_in_name = update.token_in_name;
        }
        if let Some(voice) = &update.voice {
            recorded.default_voice = voice.after().clone();
        }
        let history = self.history(key, Happened::Updated, Some(&update.id), None, &what).took(took);
        if let Err(why) = self.write(key, None, Some(whole), history).await {
            return failed(key, "record the update", format!("{what} was changed on the live face, but {why}"));
        }
        self.sink.take(&Event::FaceUpdated { key: key.clone(), id: update.id.clone(), what, is_housekeeping });
        Done::Updated
    }

    /// Returns what stands against giving a face a voice: it must be there, and be `completed`.
    async fn unusable(&self, key: &FaceKey, voice: &VoiceId) -> Option<Done> {
        match self.api.voice(voice).await {
            Ok(Some(found)) if found.is_completed => None,
            Ok(Some(found)) => {
                let why = format!(
                    "voice {voice} (\"{}\") is {}, not completed; nothing was changed, apply again later",
                    found.name, found.status
                );
                Some(failed(key, "set the voice", why))
            }
            Ok(None) => {
                let why = format!("there is no voice {voice} in this account; nothing was changed");
                Some(failed(key, "set the voice", why))
            }
            Err(error) => Some(self.api_failed(key, "look the voice up", &error)),
        }
    }

    /// Returns how a face is not what it was changed to, although the API said that it is done. Where it cannot be
    /// looked at, the API is believed.
    async fn unchanged(&self, key: &FaceKey, update: &Update) -> Option<Done> {
        let live = self.api.face(&update.id).await.ok()??;
        let shown = live.name.as_deref().unwrap_or_default();
        let is_other =
            |change: &&crate::plan::Change<String>| live.name.is_some() && !is_same_text(shown.trim(), change.after());
        let name = update.name.as_ref().filter(is_other);
        let voice = update.voice.as_ref().filter(|change| live.default_voice != *change.after());
        let mut still = Vec::new();
        still.extend(name.map(|change| {
            let (shown, wanted) = told_apart(shown, change.after());
            format!("the name {shown} instead of {wanted}")
        }));
        still.extend(voice.map(|_| {
            let shown = live.default_voice.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            format!("the voice {shown}")
        }));
        if still.is_empty() {
            return None;
        }
        let still = still.join(" and ");
        let why = format!("the API said that it is done, and {} still shows {still}; apply again later", update.id);
        Some(failed(key, "update", why))
    }
}

fn described(update: &Update) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &update.name {
        let (before, after) = told_apart(name.before(), name.after());
        parts.push(format!("face_name {before} -> {after}"));
    }
    if let Some(voice) = &update.voice {
        let text = |voice: &Option<crate::face::VoiceId>| {
            voice.as_ref().map_or_else(|| "(none)".to_owned(), ToString::to_string)
        };
        parts.push(format!("default_voice_id {} -> {}", text(voice.before()), text(voice.after())));
    }
    parts.join(", ")
}
