//! From a typed document to a face that can be wanted: every rule of the Create Face call that can be checked
//! without asking anybody. Finds every problem and stops at none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::face::{
    DesiredFace, FaceKey, FaceName, FaceSpec, Lifecycle, Link, LinkError, Model, NameError, Origin, TrainingInput,
    TrainingVoice, VoiceId, VoiceSlug,
};

use super::diagnostic::{Diagnostic, Place, Severity, nearest};
use super::document::{FaceDocument, FaceFields, LifecycleFields};
use super::project::Defaults;
use super::shape::{clipped, listed};
use super::source::{Source, Span};
use super::tree::{Kind, Node};
use super::typed::first_key;
use super::variables;

/// A document while it is resolved: finds places and collects problems.
pub(super) struct Resolver<'a> {
    pub(super) source: &'a Source,
    pub(super) root: &'a Node,
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) out: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// Returns the place of a field's value, or of the nearest field around it that was written.
    pub(super) fn place(&self, path: &[&str]) -> Place {
        self.source.place(self.spans(path).1)
    }

    fn key_place(&self, path: &[&str]) -> Place {
        self.source.place(self.spans(path).0)
    }

    fn spans(&self, path: &[&str]) -> (Span, Span) {
        let mut node = self.root;
        let mut spans = (first_key(node), first_key(node));
        for key in path {
            let Some(entry) = node.entry(key) else { return (spans.0, spans.0) };
            let value = entry.value.span;
            spans = (entry.key_span, if value.end > value.start { value } else { entry.key_span });
            node = &entry.value;
        }
        spans
    }

    pub(super) fn say(&mut self, code: &'static str, place: Place, message: impl Into<String>, help: Option<String>) {
        self.out.push(Diagnostic::error(code, place, message).help_if(help));
    }

    /// Fills in variables and parses a text, or says what is wrong with it. `what` as in "is not a valid …".
    pub(super) fn parse<T, E: Into<Wrong>>(
        &mut self,
        path: &[&str],
        text: Option<&str>,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text?;
        let expanded = match variables::expand(text, self.variables) {
            Ok(expanded) => expanded,
            Err(refusal) => {
                self.say("facectl::variable", self.place(path), refusal.message, Some(refusal.help));
                return None;
            }
        };
        match parse(&expanded.text) {
            Ok(value) => Some(value),
            Err(error) => {
                let wrong: Wrong = error.into();
                let from = if expanded.has_variables { ", with its variables filled in," } else { "" };
                let reason = if expanded.has_variables { wrong.without_value } else { wrong.reason };
                let field = path.join(".");
                self.say(wrong.code, self.place(path), format!("`{field}`{from} is not {what}: {reason}"), wrong.help);
                None
            }
        }
    }

    pub(super) fn link(&mut self, path: &[&str], text: Option<&str>) -> Option<Link> {
        self.parse(path, text, "a link that Tavus can use", Link::parse)
    }

    /// Parses a name that must not depend on the environment.
    pub(super) fn label<T: std::str::FromStr<Err = NameError>>(
        &mut self,
        path: &[&str],
        text: Option<&str>,
    ) -> Option<T> {
        let text = text?;
        if text.contains("${") {
            let help = "what a face is paid for must not hang on who runs facectl; write the name out".to_owned();
            self.say("facectl::variable", self.place(path), "a name cannot hold a variable", Some(help));
            return None;
        }
        match text.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                let shown = clipped(text);
                let message = format!("`{shown}` is not a valid `{}`: {error}", path.join("."));
                let help = suggestion(text).map(|name| format!("for instance `{name}`"));
                self.say("facectl::invalid-name", self.place(path), message, help);
                None
            }
        }
    }
}

/// Why a text was refused.
pub(super) struct Wrong {
    code: &'static str,
    reason: String,
    without_value: String,
    help: Option<String>,
}

impl Wrong {
    pub(super) fn value(reason: &str, help: &str) -> Self {
        Self {
            code: "facectl::invalid-value",
            reason: reason.to_owned(),
            without_value: reason.to_owned(),
            help: Some(help.to_owned()),
        }
    }
}

impl From<NameError> for Wrong {
    fn from(error: NameError) -> Self {
        let reason = error.to_string();
        Self { code: "facectl::invalid-name", without_value: reason.clone(), reason, help: None }
    }
}

impl From<LinkError> for Wrong {
    fn from(error: LinkError) -> Self {
        let help = match &error {
            LinkError::NotAUrl(_) => "a link begins with https:// and names a host",
            LinkError::NotHttps(_) => "put the file where it can be fetched by https",
            LinkError::NoHost => "a link names a host: https://media.example.com/ana.mp4",
            LinkError::NotPublic(_) => "Tavus fetches the link from its own servers; use a public or a pre-signed link",
            LinkError::Credentials => "use a pre-signed link, or one that needs no login",
            LinkError::TooLong(_) => "use a shorter link",
        };
        let without_value = match &error {
            LinkError::NotAUrl(_) => "it is not a URL".to_owned(),
            LinkError::NotHttps(_) => "its scheme is not https".to_owned(),
            LinkError::NotPublic(_) => "its host cannot be reached from the public internet".to_owned(),
            other => other.to_string(),
        };
        Self { code: "facectl::invalid-link", reason: error.to_string(), without_value, help: Some(help.to_owned()) }
    }
}

/// A DNS label near to a text that is none.
fn suggestion(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(63);
    let name = name.trim_end_matches('-');
    (!name.is_empty() && name != text).then(|| name.to_owned())
}

/// What came out of one document.
pub(super) struct ResolvedFace {
    /// The key and its place, if that much is sound.
    pub(super) key: Option<(FaceKey, Place)>,
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
    let spec = document.spec.as_ref().and_then(|fields| spec(resolver, fields, key.as_ref(), defaults));
    let key = key.map(|key| (key, resolver.place(&name_path)));
    let face = match (&key, spec) {
        (Some((_, place)), Some(spec)) if is_clean && errors(resolver.out) == before => {
            let origin = Origin { file: place.file.to_string(), line: place.line, column: place.column };
            Some(DesiredFace { spec, labels, annotations, origin })
        }
        _ => None,
    };
    ResolvedFace { key, face }
}

fn spec(
    resolver: &mut Resolver<'_>,
    fields: &FaceFields,
    key: Option<&FaceKey>,
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
    let training = training(resolver, fields, model, default_voice.as_ref());
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
        lifecycle: merge(lifecycle.unwrap_or_default(), defaults.lifecycle),
    })
}

/// Returns the lifecycle with each field that was written put over its default.
pub(super) fn merge(fields: LifecycleFields, default: Lifecycle) -> Lifecycle {
    let LifecycleFields { on_removal, protect, wait_for, on_missing, on_failed } = fields;
    Lifecycle {
        on_removal: on_removal.unwrap_or(default.on_removal),
        protect: protect.unwrap_or(default.protect),
        wait_for: wait_for.unwrap_or(default.wait_for),
        on_missing: on_missing.unwrap_or(default.on_missing),
        on_failed: on_failed.unwrap_or(default.on_failed),
    }
}

const VIDEO: [&str; 2] = ["spec", "train_video_url"];
const IMAGE: [&str; 2] = ["spec", "train_image_url"];

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
            let help = "add `train_video_url` (a recording) or `train_image_url` (a photo) with an https link";
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
            resolver.link(&VIDEO, fields.train_video_url.as_deref());
            resolver.link(&IMAGE, fields.train_image_url.as_deref());
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
    let source = resolver.link(&VIDEO, fields.train_video_url.as_deref())?;
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
    let source = resolver.link(&IMAGE, fields.train_image_url.as_deref());
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

/// Returns the kind of a document, or says why it has none that we know.
pub(super) fn kind_of(resolver: &mut Resolver<'_>) -> Option<Known> {
    match resolver.root.text("kind") {
        Some("Face") => Some(Known::Face),
        Some("Project") => Some(Known::Project),
        Some(other) => {
            let meant = nearest(other, ["Face", "Project"]);
            let help = meant.map_or_else(
                || "facectl knows `Face` and `Project`".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            let message = format!("`{}` is not a kind of document that facectl knows", clipped(other));
            resolver.say("facectl::kind", resolver.place(&["kind"]), message, Some(help));
            None
        }
        None => {
            let place = resolver.key_place(&["kind"]);
            let help = "begin each document with `apiVersion: facectl.dev/v1` and `kind: Face`".to_owned();
            resolver.say("facectl::missing-field", place, "`kind` is missing", Some(help));
            None
        }
    }
}

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Face,
    Project,
}
