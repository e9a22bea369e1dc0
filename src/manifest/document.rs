//! The two kinds of document as people write them: the one source of the JSON Schemas, of the table of
//! allowed fields, and of what `serde_yaml` reads.
//!
//! Every field is optional here, so that a document with one mistake in it can still be searched for more;
//! what must be there is said by `required` and checked against the schema (`shape.rs`).

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::face::{FACE_ID_ANNOTATION, Model, Naming, OnFailed, OnMissing, OnRemoval, OnSourceChange, WaitFor};

use super::project::Adopt;

/// The version that manifests are written for.
pub const API_VERSION: &str = "facectl.dev/v1";

/// One Tavus face: what it is trained from, how it is called, what may happen to it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Face")]
pub(super) struct FaceDocument {
    /// The version this manifest is written for.
    #[serde(rename = "apiVersion")]
    #[schemars(required, extend("const" = API_VERSION))]
    pub(super) api_version: Option<String>,
    /// What this document describes.
    #[schemars(required, extend("const" = "Face"))]
    pub(super) kind: Option<String>,
    /// How facectl calls the face.
    #[schemars(required)]
    pub(super) metadata: Option<FaceMetadata>,
    /// What the face is to be: the words of the Create Face call, and three of our own.
    #[schemars(required)]
    pub(super) spec: Option<FaceFields>,
}

/// How facectl calls the face.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaceMetadata {
    /// The key: unique in the project, a DNS label. Plans, state and commands call the face by it. Changing it
    /// means another face.
    #[schemars(required, extend("pattern" = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "minLength" = 1, "maxLength" = 63))]
    pub(super) name: Option<String>,
    /// For selecting faces with `-l team=support`. Never sent to Tavus.
    #[serde(default)]
    #[schemars(schema_with = "labels")]
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// For other tools, and two for facectl. Never sent to Tavus.
    #[serde(default)]
    #[schemars(schema_with = "annotations")]
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

/// What the face is to be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaceFields {
    /// The name shown in Tavus. Default: `metadata.name`. Changes in place.
    #[schemars(extend("minLength" = 1, "maxLength" = 100))]
    pub(super) face_name: Option<String>,
    /// The model it is trained for. Default: the project's, else phoenix-4. A change trains a new face, which costs.
    #[serde(default)]
    #[schemars(schema_with = "model")]
    pub(super) model_name: Option<Model>,
    /// The training video: a direct https link, an object (`s3://BUCKET/KEY`, `gs://BUCKET/KEY`,
    /// `az://ACCOUNT/CONTAINER/BLOB`, signed at the moment it is sent), a file (`./ana.mp4`, uploaded to
    /// `spec.media.upload` of the project), or `exec:COMMAND ARGS` that prints a link. Exactly one of this and
    /// `train_image_url`; neither where the annotation `facectl.dev/face-id` names a live face. A signature in a link
    /// does not count as a change.
    #[serde(default)]
    #[schemars(schema_with = "source")]
    pub(super) train_video_url: Option<String>,
    /// A photo, in one of the forms of `train_video_url`; not for phoenix-3. Exactly one of the two.
    #[serde(default)]
    #[schemars(schema_with = "source")]
    pub(super) train_image_url: Option<String>,
    /// The slug of a stock voice, such as `anna`. Only for a photo, which needs this or `default_voice_id`.
    #[schemars(extend("minLength" = 1))]
    pub(super) voice_name: Option<String>,
    /// The id of a voice. A photo needs this or `voice_name`; for a video it is set after training.
    #[schemars(extend("minLength" = 1, "maxLength" = 64))]
    pub(super) default_voice_id: Option<String>,
    /// Lets Tavus re-frame or repair the photo. Only with `train_image_url`.
    pub(super) auto_fix_training_image: Option<bool>,
    /// Where Tavus reports the end of the training. Sent once, at creation.
    #[serde(default)]
    #[schemars(schema_with = "link")]
    pub(super) callback_url: Option<String>,
    /// Further properties of the training.
    pub(super) properties: Option<FaceProperties>,
    /// Ours: change it to train anew from a link whose text stays the same, which costs.
    #[schemars(extend("type" = ["string", "integer"]))]
    pub(super) training_version: Option<String>,
    /// Ours: what may happen to the face.
    pub(super) lifecycle: Option<LifecycleFields>,
}

/// Further properties of the training.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaceProperties {
    /// Bakes a green background into the face, for compositing. A change trains a new face, which costs.
    pub(super) background_green_screen: Option<bool>,
}

/// What may happen to a face.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LifecycleFields {
    /// What leaving the manifests may lead to. Default: retain.
    #[serde(default)]
    #[schemars(schema_with = "on_removal")]
    pub(super) on_removal: Option<OnRemoval>,
    /// True: never deleted or replaced, whatever else is said. Default: false.
    pub(super) protect: Option<bool>,
    /// How far `apply` and `wait` wait. Default: ready.
    #[serde(default)]
    #[schemars(schema_with = "wait_for")]
    pub(super) wait_for: Option<WaitFor>,
    /// What to do when a finished face is gone. Default: block.
    #[serde(default)]
    #[schemars(schema_with = "on_missing")]
    pub(super) on_missing: Option<OnMissing>,
    /// What to do when a training failed. Default: block.
    #[serde(default)]
    #[schemars(schema_with = "on_failed")]
    pub(super) on_failed: Option<OnFailed>,
    /// How long a face that was replaced is kept, to roll back to, before `--prune` may delete it (where on_removal
    /// allows that at all). Default: 24h.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) retire_after: Option<String>,
    /// Whether PALs that use a face are pointed to the one that takes its place. Default: true.
    pub(super) repoint_pals: Option<bool>,
    /// What to do when another object lies under the name (`s3://…`, `gs://…`, `az://…`) that a face was trained from.
    /// Default: report.
    #[serde(default)]
    #[schemars(schema_with = "on_source_change")]
    pub(super) on_source_change: Option<OnSourceChange>,
}

/// A project: what its faces have in common, and how far a run may go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Project")]
pub(super) struct ProjectDocument {
    /// The version this manifest is written for.
    #[serde(rename = "apiVersion")]
    #[schemars(required, extend("const" = API_VERSION))]
    pub(super) api_version: Option<String>,
    /// What this document describes.
    #[schemars(required, extend("const" = "Project"))]
    pub(super) kind: Option<String>,
    /// How the project is called.
    #[schemars(required)]
    pub(super) metadata: Option<ProjectMetadata>,
    /// Settings; flags and environment variables win over them.
    pub(super) spec: Option<ProjectFields>,
}

/// How the project is called.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectMetadata {
    /// The name, a DNS label. Part of every creation token: two projects never touch each other's faces, and
    /// renaming a project makes it lose sight of trainings that are under way.
    #[schemars(required, extend("pattern" = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "minLength" = 1, "maxLength" = 63))]
    pub(super) name: Option<String>,
}

/// The settings of a project. Each has a flag and an environment variable, which win.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectFields {
    /// Where the manifests are: files, folders or patterns, relative to this file and below its folder.
    /// Default: the folder of this file.
    pub(super) manifests: Option<Vec<String>>,
    /// What a face is unless it says otherwise.
    pub(super) defaults: Option<DefaultFields>,
    /// How far one `apply` may go; over it, it is refused before anything happens.
    pub(super) limits: Option<LimitFields>,
    /// What live names look like once training is under way. Default: clean.
    #[serde(default)]
    #[schemars(schema_with = "naming")]
    pub(super) naming: Option<Naming>,
    /// Whether a live face may be taken over by its name. Default: never.
    #[serde(default)]
    #[schemars(schema_with = "adopt")]
    pub(super) adopt: Option<Adopt>,
    /// The base of the API, with `/v2`. Here only Tavus' own host or this machine; another one by flag.
    #[schemars(extend("pattern" = "^https?://"))]
    pub(super) api_url: Option<String>,
    /// Where the state is kept, relative to this file. Default: `.facectl`.
    #[schemars(extend("minLength" = 1))]
    pub(super) state_dir: Option<String>,
    /// How many reads run at once.
    #[schemars(range(min = 1, max = 64))]
    pub(super) parallelism: Option<u32>,
    /// How many creates run at once.
    #[schemars(range(min = 1, max = 16))]
    pub(super) create_parallelism: Option<u32>,
    /// How long to wait for a state that another run holds, such as `2m`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) lock_timeout: Option<String>,
    /// How long one request may take, such as `30s`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) request_timeout: Option<String>,
    /// How long after a lost answer a face may still appear, such as `2m`. Less than a minute counts as a minute here;
    /// `--settle-window` can say less.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) settle_window: Option<String>,
    /// How long to wait between two looks at a training, such as `2m`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) poll_interval: Option<String>,
    /// How long to wait for trainings altogether, such as `5h30m`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) wait_timeout: Option<String>,
    /// How many requests a second at most.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) requests_per_second: Option<u32>,
    /// Whether `facectl.lock.yaml` is written. Default: true.
    pub(super) lock_file: Option<bool>,
    /// How training material gets to Tavus.
    pub(super) media: Option<MediaFields>,
}

/// How training material gets to Tavus.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaFields {
    /// Where local files are uploaded to, each once, under its SHA-256: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or
    /// `az://ACCOUNT/CONTAINER/PREFIX`.
    #[serde(default)]
    #[schemars(extend("pattern" = "^(s3|gs|az)://"))]
    pub(super) upload: Option<String>,
    /// How long the links hold that are signed for objects, 24 hours at least. Default: 48h.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) link_lifetime: Option<String>,
}

/// What a face is unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultFields {
    /// The model. Default: phoenix-4. A change trains every face that names none anew, which costs.
    #[serde(default)]
    #[schemars(schema_with = "model")]
    pub(super) model_name: Option<Model>,
    /// Where Tavus reports the end of a training.
    #[serde(default)]
    #[schemars(schema_with = "link")]
    pub(super) callback_url: Option<String>,
    /// What may happen to a face; merged field by field.
    pub(super) lifecycle: Option<LifecycleFields>,
}

/// How far one `apply` may go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitFields {
    /// Trainings that one `apply` may start. Default: 10.
    pub(super) max_trainings: Option<u32>,
    /// Counts `max_trainings` over this time too, so that many runs together start no more, such as `24h`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) max_trainings_per: Option<String>,
    /// Faces that one `apply` may delete. Default: 3.
    pub(super) max_deletions: Option<u32>,
    /// Counts `max_deletions` over this time too, such as `24h`.
    #[serde(default)]
    #[schemars(schema_with = "duration")]
    pub(super) max_deletions_per: Option<String>,
    /// How many faces of one's own the account's plan has room for. A create or replacement that needs one more is
    /// pointed out before it is sent.
    #[schemars(range(min = 1))]
    pub(super) face_slots: Option<u32>,
}

/// A closed set of words, each with what it means, so that editors can show it.
fn words(words: &[(&str, &str)]) -> Schema {
    let words: Vec<_> =
        words.iter().map(|(word, meaning)| serde_json::json!({ "const": word, "description": meaning })).collect();
    json_schema!({ "oneOf": words })
}

fn model(_: &mut SchemaGenerator) -> Schema {
    let all: Vec<&str> = Model::ALL.into_iter().map(Model::as_str).collect();
    json_schema!({ "type": "string", "enum": all })
}

fn on_removal(_: &mut SchemaGenerator) -> Schema {
    words(&[
        ("retain", "Keep the live face."),
        ("delete", "Delete it, and only with --prune."),
        ("hard_delete", "Delete it with its stored material, and only with --prune."),
    ])
}

fn wait_for(_: &mut SchemaGenerator) -> Schema {
    words(&[
        ("none", "Do not wait."),
        ("preview", "Until the face can be used, even if its quality still improves (phoenix-4.5)."),
        ("ready", "Until nothing more will change."),
    ])
}

fn on_missing(_: &mut SchemaGenerator) -> Schema {
    words(&[("block", "Say so and stop for this face."), ("recreate", "Train it again, which costs.")])
}

fn on_failed(_: &mut SchemaGenerator) -> Schema {
    words(&[("block", "Say so and stop for this face."), ("retry", "Try again, at most once per change, which costs.")])
}

fn on_source_change(_: &mut SchemaGenerator) -> Schema {
    words(&[
        ("report", "Say so: an object that was overwritten costs nothing by itself."),
        ("retrain", "Train a new face from it, which costs."),
    ])
}

fn naming(_: &mut SchemaGenerator) -> Schema {
    words(&[
        ("clean", "The token leaves the name once the face is safely recorded."),
        ("marker", "The token stays, so that a machine with an empty disk always finds its faces."),
    ])
}

fn adopt(_: &mut SchemaGenerator) -> Schema {
    words(&[
        ("never", "Only by `facectl import`."),
        ("unique", "If exactly one own live face bears the same name and model."),
    ])
}

fn link(_: &mut SchemaGenerator) -> Schema {
    // A variable may bring the whole link, or a part of it such as the host.
    json_schema!({ "type": "string", "pattern": r"^([hH][tT][tT][pP][sS]://|\$\{FACECTL_VAR_)", "maxLength": 2048 })
}

fn source(_: &mut SchemaGenerator) -> Schema {
    let forms = r"^([hH][tT][tT][pP][sS]://|s3://|gs://|az://|exec:|\./|\.\./|\$\{FACECTL_VAR_)";
    json_schema!({ "type": "string", "pattern": forms, "maxLength": 2048 })
}

fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"[0-9]", "examples": ["30s", "5h30m", "7d"] })
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": ["string", "number", "boolean"] },
        "propertyNames": { "pattern": LABEL_KEY, "maxLength": 63 }
    })
}

fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            FACE_ID_ANNOTATION: {
                "type": ["string", "number", "boolean"],
                "description": "The live face that this key is: one that was made elsewhere. apply takes it over, and trains nothing; what it was trained from may then be left out."
            },
            "facectl.dev/moved-from": {
                "type": ["string", "number", "boolean"],
                "description": "The key under which the face was recorded before. apply records it under the new one, and trains nothing."
            }
        },
        "additionalProperties": { "type": ["string", "number", "boolean"] }
    })
}

/// What a label may be called: selectors (`-l team=support,tier!=1`) must be able to name it.
const LABEL_KEY: &str = "^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$";
