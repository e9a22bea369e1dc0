//! From a typed document to a face that can be wanted: every rule of the Create Face call that can be checked
//! without asking anybody. Finds every problem and stops at none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::face::{
    DesiredFace, FACE_ID_ANNOTATION, FaceId, FaceKey, FaceName, FaceSpec, Lifecycle, Model, Origin, TrainingInput,
    TrainingVoice, VoiceId, VoiceSlug,
};

use super::diagnostic::{Diagnostic, Place, Severity, nearest};
use super::document::{FaceDocument, FaceFields, LifecycleFields};
use super::project::{Defaults, duration_or_zero};
use super::resolver::Resolver;
use super::shape::{clipped, listed};
use super::tree::{Kind, Node};
use super::variables;

/// What came out of one document.
pub(super) struct ResolvedFace {
    /// The key and its place, if that much is sound.
    pub(super) key: Option<(FaceKey, Place)>,
    /// The live face that it says it is, and where it says so.
    pub(super) named: Option<(FaceId, Place)>,
    /// The face, if nothing is wrong with it.
    pub(super) face: Option<DesiredFace>,
}

/// Resolves one face. `is_clean` says whether nothing was wrong with the document so far.
pub(super) fn face(
    resolver: &mut Resolver<'_>,
    document: &FaceDocument,
    defaults: &Defaults,
    is_clean: bool,
) -> ResolvedFace {
    let errors = |out: &[Diagnostic]| out.iter().filter(|one| one.severity == Severity::Error).count();
    let before = errors(resolver.out);
    let metadata = document.metadata.clone().unwrap_or_default();
    let name_path = ["metadata", "name"];
    let key: Option<FaceKey> = resolver.label(&name_path, metadata.name.as_deref());
    let labels = labels(resolver, metadata.labels.unwrap_or_default());
    let annotations = annotations(resolver, metadata.annotations.unwrap_or_default());
    let id_path = ["metadata", "annotations", FACE_ID_ANNOTATION];
    let id = annotations.get(FACE_ID_ANNOTATION).map(String::as_str);
    let named: Option<FaceId> = resolver.parse(&id_path, id, "the id of a face", str::parse);
    let named = named.map(|id| (id, resolver.place(&id_path)));
    let spec = document.spec.as_ref().and_then(|fields| spec(resolver, fields, key.as_ref(), id.is_some(), defaults));
    let key = key.map(|key| (key, resolver.place(&name_path)));
    let face = match (&key, spec) {
        (Some((_, place)), Some(spec)) if is_clean && errors(resolver.out) == before => {
            let origin = Origin { file: place.file.to_string(), line: place.line, column: place.column };
            Some(DesiredFace { spec, labels, annotations, origin, manifest: None })
        }
        _ => None,
    };
    ResolvedFace { key, named, face }
}

fn spec(
    resolver: &mut Resolver<'_>,
    fields: &FaceFields,
    key: Option<&FaceKey>,
    is_named: bool,
    defaults: &Defaults,
) -> Option<FaceSpec> {
    // In full, so that a new field cannot be forgotten here.
    let FaceFields {
        face_name,
        model_name,
        train_video_url: _,
        train_image_url: _,
        voice_name: _,
        default_voice_id,
        auto_fix_training_image: _,
        callback_url,
        properties,
        training_version,
        lifecycle,
    } = fields;
    let model = model_name.unwrap_or(defaults.model);
    // A DNS label is always a good name, too.
    let face_name = match face_name {
        Some(text) => resolver.parse(&["spec", "face_name"], Some(text), "a name for a face", str::parse::<FaceName>),
        None => key.and_then(|key| key.as_str().parse().ok()),
    };
    let voice_path = ["spec", "default_voice_id"];
    let default_voice =
        resolver.parse(&voice_path, default_voice_id.as_deref(), "the id of a voice", str::parse::<VoiceId>);
    let training = match has_source(resolver) {
        false if is_named => source_unstated(resolver, fields).then_some(None),
        _ => training(resolver, fields, model, default_voice.as_ref()).map(Some),
    };
    let own_callback = resolver.link(&["spec", "callback_url"], callback_url.as_deref());
    let callback_url = own_callback.or_else(|| defaults.callback_url.clone());
    let training_version = training_version.as_deref().and_then(|text| {
        resolver.parse(&["spec", "training_version"], Some(text), "a version", |text| match text.parse::<FaceName>() {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(error),
        })
    });
    let green_screen = properties.as_ref().and_then(|properties| properties.background_green_screen).unwrap_or(false);
    Some(FaceSpec {
        face_name: face_name?,
        model,
        training: training?,
        default_voice,
        callback_url,
        green_screen,
        training_version,
        lifecycle: merge(resolver, &["spec", "lifecycle"], lifecycle.clone().unwrap_or_default(), defaults.lifecycle),
    })
}

/// Returns the lifecycle with each field that was written at `path` put over its default.
pub(super) fn merge(
    resolver: &mut Resolver<'_>,
    path: &[&str],
    fields: LifecycleFields,
    default: Lifecycle,
) -> Lifecycle {
    let LifecycleFields {
        on_removal,
        protect,
        wait_for,
        on_missing,
        on_failed,
        retire_after,
        repoint_pals,
        on_source_change,
    } = fields;
    let path: Vec<&str> = path.iter().copied().chain(["retire_after"]).collect();
    let retire_after = resolver.parse(&path, retire_after.as_deref(), "a length of time", duration_or_zero);
    Lifecycle {
        retire_after: retire_after.unwrap_or(default.retire_after),
        repoint_pals: repoint_pals.unwrap_or(default.repoint_pals),
        on_source_change: on_source_change.unwrap_or(default.on_source_change),
        on_removal: on_removal.unwrap_or(default.on_removal),
        protect: protect.unwrap_or(default.protect),
        wait_for: wait_for.unwrap_or(default.wait_for),
        on_missing: on_missing.unwrap_or(default.on_missing),
        on_failed: on_failed.unwrap_or(default.on_failed),
    }
}

fn has_source(resolver: &Resolver<'_>) -> bool {
    let spec = resolver.root.entry("spec");
    let has = |name: &str| spec.is_some_and(|spec| spec.value.entry(name).is_some());
    has(VIDEO[1]) || has(IMAGE[1]) || has_misspelt_source(resolver.root)
}

/// Checks a face of which only the live one is named: it cannot say how it is trained from nothing. Returns
/// whether it is sound.
fn source_unstated(resolver: &mut Resolver<'_>, fields: &FaceFields) -> bool {
    let green_screen = fields.properties.as_ref().and_then(|properties| properties.background_green_screen);
    let said: [(&[&str], bool); 4] = [
        (&["spec", "voice_name"], fields.voice_name.is_some()),
        (&["spec", "auto_fix_training_image"], fields.auto_fix_training_image.is_some()),
        (&["spec", "properties", "background_green_screen"], green_screen.is_some()),
        (&["spec", "training_version"], fields.training_version.is_some()),
    ];
    let mut is_sound = true;
    for (path, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
        let name = path.last().copied().unwrap_or_default();
        let help = "leave it out, or say what the face was trained from with `train_video_url` or `train_image_url`";
        let message = format!("`{name}` says how a face is trained, and nothing here says from what");
        resolver.say("facectl::no-source", resolver.key_place(path), message, Some(help.to_owned()));
        is_sound = false;
    }
    is_sound
}

pub(super) const VIDEO: [&str; 2] = ["spec", "train_video_url"];
pub(super) const IMAGE: [&str; 2] = ["spec", "train_image_url"];

fn training(
    resolver: &mut Resolver<'_>,
    fields: &FaceFields,
    model: Model,
    default_voice: Option<&VoiceId>,
) -> Option<TrainingInput> {
    // Asked of the tree: a field whose value is wrong in itself was still meant.
    let has = |name: &str| resolver.root.entry("spec").is_some_and(|spec| spec.value.entry(name).is_some());
    match (has("train_video_url"), has("train_image_url")) {
        // The misspelt field was reported, with the right one.
        (false, false) if has_misspelt_source(resolver.root) => None,
        (false, false) => {
            let help = "add `train_video_url` (a recording) or `train_image_url` (a photo) with an https link; a face that \
                        lives in Tavus already is named by the annotation `facectl.dev/face-id` instead (`facectl export` \
                        writes such manifests, `facectl import` records one face)";
            let place = resolver.key_place(&["spec"]);
            resolver.say("facectl::no-source", place, "the face has nothing to be trained from", Some(help.to_owned()));
            None
        }
        (true, true) => {
            let (video, image) = (resolver.key_place(&VIDEO), resolver.key_place(&IMAGE));
            let (first, second) = if video <= image { (video, image) } else { (image, video) };
            resolver.out.push(
                Diagnostic::error(
                    "facectl::two-sources",
                    second,
                    "a face is trained from a video or from an image, not from both",
                )
                .related(first, "the other source")
                .help("keep exactly one of `train_video_url` and `train_image_url`"),
            );
            resolver.material(&VIDEO, fields.train_video_url.as_deref());
            resolver.material(&IMAGE, fields.train_image_url.as_deref());
            None
        }
        (true, false) => video(resolver, fields),
        (false, true) => image(resolver, fields, model, default_voice),
    }
}

fn has_misspelt_source(root: &Node) -> bool {
    let names = [VIDEO[1], IMAGE[1]];
    match root.entry("spec").map(|spec| &spec.value.kind) {
        Some(Kind::Map(entries)) => entries.iter().any(|entry| nearest(&entry.key, names).is_some()),
        _ => false,
    }
}

fn video(resolver: &mut Resolver<'_>, fields: &FaceFields) -> Option<TrainingInput> {
    if fields.voice_name.is_some() {
        // "With a video it is optional and still checked" (Create Face page, October 2026): a slug that does not
        // exist fails the create, one that exists does nothing.
        let help = "a video brings its own voice: Tavus would check this one and then not use it. Leave it out, or set \
                    `default_voice_id` to give the face another voice after training";
        let place = resolver.key_place(&["spec", "voice_name"]);
        resolver.say("facectl::voice", place, "`voice_name` has no effect on a video", Some(help.to_owned()));
    }
    if fields.auto_fix_training_image.is_some() {
        let place = resolver.key_place(&["spec", "auto_fix_training_image"]);
        let help = "leave it out, or train from `train_image_url`".to_owned();
        resolver.say("facectl::image-only", place, "`auto_fix_training_image` repairs photos only", Some(help));
    }
    let source = resolver.material(&VIDEO, fields.train_video_url.as_deref())?;
    Some(TrainingInput::Video { source })
}

fn image(
    resolver: &mut Resolver<'_>,
    fields: &FaceFields,
    model: Model,
    default_voice: Option<&VoiceId>,
) -> Option<TrainingInput> {
    if !model.takes_image() {
        let written = fields.model_name.is_some();
        let place = if written { resolver.place(&["spec", "model_name"]) } else { resolver.key_place(&IMAGE) };
        let others = Model::ALL.into_iter().filter(|model| model.takes_image()).map(Model::as_str);
        let help = format!("use {}, or train from a video", listed(others));
        let by = if written { "" } else { " (the project's default model)" };
        let mut diagnostic =
            Diagnostic::error("facectl::model", place, format!("{model}{by} cannot be trained from an image"))
                .help(help);
        if written {
            diagnostic = diagnostic.related(resolver.key_place(&IMAGE), "the image");
        }
        resolver.out.push(diagnostic);
    }
    let slug = ["spec", "voice_name"];
    let stock =
        resolver.parse(&slug, fields.voice_name.as_deref(), "the name of a stock voice", str::parse::<VoiceSlug>);
    let has = |name: &str| resolver.root.entry("spec").is_some_and(|spec| spec.value.entry(name).is_some());
    let voice = match (has("voice_name"), has("default_voice_id")) {
        (true, true) => {
            let place = resolver.key_place(&["spec", "default_voice_id"]);
            let other = resolver.key_place(&slug);
            resolver.out.push(
                Diagnostic::error("facectl::voice", place, "a photo takes exactly one voice, two are named")
                    .related(other, "the other voice")
                    .help("keep exactly one of `voice_name` and `default_voice_id`"),
            );
            None
        }
        (false, false) => {
            let help = "add `voice_name: anna` (a stock voice) or `default_voice_id` (any voice, by its id)".to_owned();
            let place = resolver.key_place(&IMAGE);
            resolver.say("facectl::voice", place, "a photo has no sound: the face needs a voice", Some(help));
            None
        }
        (true, false) => stock.map(TrainingVoice::Stock),
        (false, true) => default_voice.cloned().map(TrainingVoice::Id),
    };
    let source = resolver.material(&IMAGE, fields.train_image_url.as_deref());
    Some(TrainingInput::Image {
        source: source?,
        voice: voice?,
        auto_fix: fields.auto_fix_training_image.unwrap_or(false),
    })
}

/// Checks labels, which selectors must be able to name.
fn labels(resolver: &mut Resolver<'_>, labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_word = |text: &str, extra: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c) || extra.contains(c))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.len() <= 63
    };
    let mut kept = BTreeMap::new();
    for (key, value) in labels {
        let path = ["metadata", "labels", key.as_str()];
        if !is_word(&key, "/") {
            let help = "letters, digits, `-`, `_`, `.` and `/`, at most 63, a letter or digit at both ends".to_owned();
            let message = format!("`{}` cannot be the name of a label", clipped(&key));
            resolver.say("facectl::label", resolver.key_place(&path), message, Some(help));
        }
        let Some(value) = filled_in(resolver, &path, &value) else { continue };
        if !value.is_empty() && !is_word(&value, "") {
            let help = "letters, digits, `-`, `_` and `.`, at most 63, a letter or digit at both ends; free text belongs \
                        under metadata.annotations";
            let message = format!("the value of the label `{}` could not be selected", clipped(&key));
            resolver.say("facectl::label", resolver.place(&path), message, Some(help.to_owned()));
        }
        let value = value.into_owned();
        kept.insert(key, value);
    }
    kept
}

fn annotations(resolver: &mut Resolver<'_>, annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (key, value) in annotations {
        let value = filled_in(resolver, &["metadata", "annotations", key.as_str()], &value).map(Cow::into_owned);
        if let Some(value) = value {
            kept.insert(key, value);
        }
    }
    kept
}

fn filled_in<'t>(resolver: &mut Resolver<'_>, path: &[&str], text: &'t str) -> Option<Cow<'t, str>> {
    match variables::expand(text, resolver.variables) {
        Ok(expanded) => Some(expanded.text),
        Err(refusal) => {
            resolver.say("facectl::variable", resolver.place(path), refusal.message, Some(refusal.help));
            None
        }
    }
}
