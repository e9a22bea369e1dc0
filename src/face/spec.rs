//! What a face is made from, when two inputs count as the same, and what can change in place.

use std::fmt;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FaceName, Link, Model, Revision, TrainingSource, VoiceId, VoiceSlug};

/// Everything a manifest says about one face, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceSpec {
    /// The name it is shown under. Changes in place.
    pub face_name: FaceName,
    /// The model it is trained for. Changing it needs a new face.
    pub model: Model,
    /// What it is trained from. Changing it needs a new face. None where nobody knows, which the manifest of a
    /// face that was made elsewhere may say: such a face can be adopted, and never be trained.
    pub training: Option<TrainingInput>,
    /// The voice it is to speak with, where the manifest names one by id. Changes in place. For an image
    /// it is also sent at creation; for a video it is set after training.
    pub default_voice: Option<VoiceId>,
    /// Where Tavus is to report progress. Sent at creation, cannot be changed or read back, so it is
    /// never a difference.
    pub callback_url: Option<Link>,
    /// A green background baked into the face. Changing it needs a new face.
    pub green_screen: bool,
    /// Ours: raised to retrain from a link whose text does not change.
    pub training_version: Option<String>,
    /// Ours: what may happen to the face.
    pub lifecycle: Lifecycle,
}

/// What a face is trained from. The API demands exactly one source, and for an image exactly one voice;
/// anything else cannot be written down here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainingInput {
    /// A recording: it brings its own voice.
    Video {
        /// Where it lies.
        source: TrainingSource,
    },
    /// A photo: it carries no sound, so a voice is named.
    Image {
        /// Where it lies.
        source: TrainingSource,
        /// What the face speaks with.
        voice: TrainingVoice,
        /// Lets the service re-frame or repair the photo.
        auto_fix: bool,
    },
}

/// The voice that an image face is created with: exactly one of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainingVoice {
    /// `voice_name`: a stock voice by its slug.
    Stock(VoiceSlug),
    /// `default_voice_id`: any finished voice by its id.
    Id(VoiceId),
}

impl TrainingInput {
    /// Returns where the material lies.
    pub fn source(&self) -> &TrainingSource {
        match self {
            Self::Video { source } | Self::Image { source, .. } => source,
        }
    }

    /// Returns which kind of material it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Video { .. } => SourceKind::Video,
            Self::Image { .. } => SourceKind::Image,
        }
    }
}

/// A recording or a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// `train_video_url`.
    Video,
    /// `train_image_url`.
    Image,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Video => "video",
            Self::Image => "image",
        })
    }
}

/// What may happen to a face, as `spec.lifecycle` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// What leaving the manifest may lead to.
    pub on_removal: OnRemoval,
    /// Never deleted or replaced, whatever else is said.
    pub protect: bool,
    /// How far `apply` and `wait` wait.
    pub wait_for: WaitFor,
    /// What to do when a finished face is gone.
    pub on_missing: OnMissing,
    /// What to do when a training failed.
    pub on_failed: OnFailed,
    /// How long a face that was replaced is kept, to roll back to, before `--prune` may delete it.
    pub retire_after: SignedDuration,
    /// Whether PALs that use a face are pointed to the one that takes its place.
    pub repoint_pals: bool,
    /// What to do when another object lies under the name that the face was trained from.
    #[serde(default)]
    pub on_source_change: OnSourceChange,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            on_removal: OnRemoval::default(),
            protect: false,
            wait_for: WaitFor::default(),
            on_missing: OnMissing::default(),
            on_failed: OnFailed::default(),
            // A night's sleep to notice that the new face is worse.
            retire_after: SignedDuration::from_hours(24),
            repoint_pals: true,
            on_source_change: OnSourceChange::default(),
        }
    }
}

/// `lifecycle.on_removal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRemoval {
    /// Keep the live face.
    #[default]
    Retain,
    /// A soft delete, and only with `--prune`.
    Delete,
    /// A delete that also removes the stored material, and only with `--prune`.
    HardDelete,
}

/// `lifecycle.wait_for`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Do not wait.
    None,
    /// Wait until the face can be used, even if its quality still improves (phoenix-4.5).
    Preview,
    /// Wait until nothing more will change.
    #[default]
    Ready,
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Preview => "preview",
            Self::Ready => "ready",
        })
    }
}

/// `lifecycle.on_missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// Say so and stop for this face: a vanished face is not retrained on our own.
    #[default]
    Block,
    /// Train it again, which costs.
    Recreate,
}

/// `lifecycle.on_failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailed {
    /// Say so and stop for this face: a failed training is not bought again on our own.
    #[default]
    Block,
    /// Try again, at most once per change.
    Retry,
}

/// `lifecycle.on_source_change`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSourceChange {
    /// Say so: an object that was overwritten costs nothing by itself.
    #[default]
    Report,
    /// Train a new face from it.
    Retrain,
}

/// A BLAKE3 hash over everything that makes a new training necessary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub(super) [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| "it is not hexadecimal")?;
        Ok(Self(bytes.try_into().map_err(|_| "it does not have 32 bytes")?))
    }
}

/// What a face was trained from, in a form that holds no secret and can be kept and shown.
///
/// The API never gives these back (Get Face page, docs.tavus.io, October 2026), so what is not kept here
/// is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainedFrom {
    /// The model.
    pub model: Model,
    /// Recording or photo.
    pub kind: SourceKind,
    /// The source as people may see it. For display; `source_hash` decides.
    pub source: String,
    /// A hash of the source's identity, in hexadecimal.
    pub source_hash: String,
    /// Which version of an object it was, where its store said so. Not part of the fingerprint: whether another one is
    /// a reason to train anew is for the manifest to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The stock voice it was created with, where a slug was named. A voice named by id is set in place
    /// and never needs a new training.
    pub voice: Option<VoiceSlug>,
    /// Photo repair.
    pub auto_fix: bool,
    /// Green background.
    pub green_screen: bool,
    /// The manifest's own version word.
    pub training_version: Option<String>,
}

impl FaceSpec {
    /// Returns what a training from this spec is made from; none where the spec does not say, or names a file whose
    /// content is not known. Which version of an object is meant is not known here.
    pub fn trained_from(&self) -> Option<TrainedFrom> {
        let Self {
            face_name: _,
            model,
            training,
            default_voice: _,
            callback_url: _,
            green_screen,
            training_version,
            lifecycle: _,
        } = self;
        let training = training.as_ref()?;
        let (voice, auto_fix) = match training {
            TrainingInput::Video { .. } => (None, false),
            TrainingInput::Image { voice: TrainingVoice::Stock(slug), auto_fix, .. } => (Some(slug.clone()), *auto_fix),
            TrainingInput::Image { voice: TrainingVoice::Id(_), auto_fix, .. } => (None, *auto_fix),
        };
        Some(TrainedFrom {
            model: *model,
            kind: training.kind(),
            source: training.source().shown(),
            source_hash: blake3::hash(training.source().identity()?.as_bytes()).to_hex()[..32].to_owned(),
            revision: None,
            voice,
            auto_fix,
            green_screen: *green_screen,
            training_version: training_version.clone(),
        })
    }

    /// Returns the fingerprint of the training inputs; none where the spec does not say what they are.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.trained_from().map(|from| from.fingerprint())
    }
}

/// One training input that differs, for people to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputChange {
    /// The field, in the manifest's words.
    pub field: &'static str,
    /// What the live face was made from.
    pub before: String,
    /// What the manifest asks for now.
    pub after: String,
}

impl TrainedFrom {
    /// Returns the hash that decides whether two inputs are the same.
    pub fn fingerprint(&self) -> Fingerprint {
        // In full, so that a new field cannot be forgotten here.
        let Self { model, kind, source: _, source_hash, revision: _, voice, auto_fix, green_screen, training_version } =
            self;
        let mut hasher = blake3::Hasher::new_derive_key("facectl 2026-11 training fingerprint");
        for part in [
            model.as_str(),
            match kind {
                SourceKind::Video => "video",
                SourceKind::Image => "image",
            },
            source_hash,
            voice.as_ref().map_or("", VoiceSlug::as_str),
            if *auto_fix { "auto_fix" } else { "" },
            if *green_screen { "green_screen" } else { "" },
            training_version.as_deref().unwrap_or(""),
        ] {
            // A length in front, so that neighbouring parts cannot run into each other.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Fingerprint(*hasher.finalize().as_bytes())
    }

    /// Returns both versions where the same object is meant and another one lies there than this was made from.
    pub fn revised<'a>(&'a self, wanted: &'a Self) -> Option<(&'a Revision, &'a Revision)> {
        let (before, after) = (self.revision.as_ref()?, wanted.revision.as_ref()?);
        let is_same = self.kind == wanted.kind && self.source_hash == wanted.source_hash;
        (is_same && before.differs_from(after)).then_some((before, after))
    }

    /// Returns the inputs in which `wanted` differs so that a new training is needed; empty means that
    /// this face already is what is wanted.
    ///
    /// A stock voice on our side and none on theirs is no difference: the manifest names a voice by id
    /// now, and that is set in place.
    pub fn changes_to(&self, wanted: &Self) -> Vec<InputChange> {
        let Self { model, kind, source, source_hash, revision: _, voice, auto_fix, green_screen, training_version } =
            self;
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        let slug = |value: &Option<VoiceSlug>| value.as_ref().map_or_else(|| "(by id)".to_owned(), ToString::to_string);
        let mut changes = Vec::new();
        let mut differs = |field, before: String, after: String| changes.push(InputChange { field, before, after });
        if *model != wanted.model {
            differs("model_name", model.to_string(), wanted.model.to_string());
        }
        let field = if wanted.kind == SourceKind::Video { "train_video_url" } else { "train_image_url" };
        if let Some((before, after)) = self.revised(wanted) {
            differs(field, format!("{source} ({before})"), format!("{} ({after})", wanted.source));
        }
        if *kind != wanted.kind || *source_hash != wanted.source_hash {
            // Two links may look the same once their secrets are hidden.
            let note = |of: &Self| match &of.source {
                shown if self.kind != wanted.kind => format!("{} {shown}", of.kind),
                shown if *source == wanted.source => {
                    format!("{shown} (#{})", &of.source_hash[..8.min(of.source_hash.len())])
                }
                shown => shown.clone(),
            };
            differs(field, note(self), note(wanted));
        }
        if wanted.voice.is_some() && *voice != wanted.voice {
            differs("voice_name", slug(voice), slug(&wanted.voice));
        }
        if *auto_fix != wanted.auto_fix {
            differs("auto_fix_training_image", auto_fix.to_string(), wanted.auto_fix.to_string());
        }
        if *green_screen != wanted.green_screen {
            differs("properties.background_green_screen", green_screen.to_string(), wanted.green_screen.to_string());
        }
        if *training_version != wanted.training_version {
            differs("training_version", text(training_version), text(&wanted.training_version));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(voice: TrainingVoice) -> FaceSpec {
        FaceSpec {
            face_name: "Ana".parse().unwrap(),
            model: Model::Phoenix45,
            training: Some(TrainingInput::Image {
                source: Link::parse("https://m.example.com/a.png?X-Amz-Signature=1").unwrap().into(),
                voice,
                auto_fix: false,
            }),
            default_voice: None,
            callback_url: None,
            green_screen: false,
            training_version: None,
            lifecycle: Lifecycle::default(),
        }
    }

    fn stock(slug: &str) -> TrainingVoice {
        TrainingVoice::Stock(slug.parse().unwrap())
    }

    #[test]
    fn the_fingerprint_of_an_input_is_the_same_for_ever() {
        // Changing this value would make every face of every user look changed, and retraining costs.
        assert_eq!(image(stock("anna")).fingerprint().unwrap().to_string()[..16], *"ed0df7eeb352a851");
    }

    #[test]
    fn signing_anew_renaming_and_reconfiguring_need_no_training() {
        let before = image(stock("anna"));
        let mut after = before.clone();
        after.face_name = "Bea".parse().unwrap();
        after.callback_url = Some(Link::parse("https://hooks.example.com/x").unwrap());
        after.lifecycle.protect = true;
        after.training = Some(TrainingInput::Image {
            source: Link::parse("https://m.example.com/a.png?X-Amz-Signature=2").unwrap().into(),
            voice: stock("ANNA"),
            auto_fix: false,
        });
        assert_eq!(before.fingerprint(), after.fingerprint());
        assert!(before.trained_from().unwrap().changes_to(&after.trained_from().unwrap()).is_empty());
    }

    #[test]
    fn a_voice_by_id_is_set_in_place_and_a_stock_voice_is_not() {
        let anna = image(stock("anna")).trained_from().unwrap();
        let by_id = image(TrainingVoice::Id("v1".parse().unwrap())).trained_from().unwrap();
        assert!(anna.changes_to(&by_id).is_empty());
        assert_eq!(by_id.changes_to(&anna).len(), 1);
        assert_eq!(anna.changes_to(&image(stock("ben")).trained_from().unwrap())[0].field, "voice_name");
    }

    #[test]
    fn every_input_that_differs_is_named_and_changes_the_fingerprint() {
        let base = image(stock("anna")).trained_from().unwrap();
        for (field, changed) in [
            ("model_name", TrainedFrom { model: Model::Phoenix4, ..base.clone() }),
            ("train_video_url", TrainedFrom { kind: SourceKind::Video, ..base.clone() }),
            ("train_image_url", TrainedFrom { source_hash: "0".repeat(32), ..base.clone() }),
            ("auto_fix_training_image", TrainedFrom { auto_fix: true, ..base.clone() }),
            ("properties.background_green_screen", TrainedFrom { green_screen: true, ..base.clone() }),
            ("training_version", TrainedFrom { training_version: Some("2".into()), ..base.clone() }),
        ] {
            let changes = base.changes_to(&changed);
            assert_eq!(changes.iter().map(|c| c.field).collect::<Vec<_>>(), [field]);
            assert_ne!(changes[0].before, changes[0].after, "{field}");
            assert_ne!(base.fingerprint(), changed.fingerprint(), "{field}");
        }
    }

    #[test]
    fn nothing_secret_is_kept() {
        let kept = serde_json::to_string(&image(stock("anna")).trained_from().unwrap()).unwrap();
        assert!(!kept.contains("Signature"), "{kept}");
    }
}
