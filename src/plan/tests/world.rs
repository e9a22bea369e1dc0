//! Three views that agree, to change one thing in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{
    Attempt, Coverage, Desired, DesiredFace, Doubt, FACE_ID_ANNOTATION, FaceId, FaceKey, FaceSpec, Finding, Lifecycle,
    Link, Model, Naming, Observed, ObservedFace, OnRemoval, OnSourceChange, OpenCreate, Origin, Ownership, Pal,
    PreviousFace, Recorded, RecordedFace, Revision, Sight, Token, TrainedFrom, TrainingInput, TrainingSource,
    TrainingStatus, TrainingVoice, named_with,
};
use crate::plan::{Action, FacePlan, Plan, Policy, Reason, plan};
use crate::report::{Paint, plan_text};

/// A project, its record and its account.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) desired: Desired,
    pub(crate) recorded: Recorded,
    pub(crate) observed: Observed,
    pub(crate) policy: Policy,
}

/// A new year's noon, long after the faces of [`World::face`] were created.
pub(crate) fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn key(text: &str) -> FaceKey {
    text.parse().unwrap()
}

pub(crate) fn id(text: &str) -> FaceId {
    text.parse().unwrap()
}

/// A face from before of which only the id matters.
pub(crate) fn before(text: &str) -> PreviousFace {
    PreviousFace::known_by_id(id(text))
}

pub(crate) fn link(text: &str) -> Link {
    Link::parse(text).unwrap()
}

impl World {
    /// Nothing is declared, recorded or live.
    pub(crate) fn agreeing() -> Self {
        Self {
            desired: Desired {
                project: "acme".parse().unwrap(),
                naming: Naming::Clean,
                faces: BTreeMap::new(),
                digest: "digest".to_owned(),
            },
            recorded: Recorded { lineage: "lineage".to_owned(), serial: 7, ..Recorded::default() },
            observed: Observed {
                at: noon(),
                coverage: Coverage::Complete,
                sight: Sight::Live,
                faces: BTreeMap::new(),
                pals: None,
                material: BTreeMap::new(),
            },
            policy: Policy::default(),
        }
    }

    /// Declares a face from a video, under its key's name in capitals (`rio` is shown as `Rio`), and nothing else.
    pub(crate) fn declared(mut self, name: &str) -> Self {
        let line = self.desired.faces.len() * 10 + 1;
        let face = DesiredFace {
            spec: spec(name),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            origin: Origin { file: format!("faces/{name}.yaml"), line, column: 1 },
            manifest: Some(format!("faces/{name}.yaml")),
        };
        self.desired.faces.insert(key(name), face);
        self
    }

    /// Adds a face that is declared, recorded and live, and ready for long.
    pub(crate) fn face(self, name: &str) -> Self {
        let mut world = self.declared(name);
        let token = world.token(name, 1);
        let at = noon() - Duration::from_secs(86_400);
        let record = RecordedFace {
            id: id(&format!("r-{name}")),
            name: world.wants(name).face_name.clone(),
            default_voice: None,
            trained_from: world.wants(name).trained_from(),
            attempt: Attempt::FIRST,
            token: Some(token),
            token_in_name: false,
            created_at: Some(at),
            on_removal: OnRemoval::Retain,
            protect: false,
            manifest: None,
            seen_usable: true,
            last_seen: None,
            successor: None,
            previous: Vec::new(),
            rolled_back_from: None,
            going_back_to: None,
        };
        let live = live(record.id.as_str(), record.name.as_str(), TrainingStatus::Ready, at);
        world.observed.faces.insert(record.id.clone(), live);
        world.recorded.faces.insert(key(name), record);
        world
    }

    /// Adds a face that is declared, recorded and live, and was created an hour ago: its token is in its name.
    pub(crate) fn training(self, name: &str) -> Self {
        let mut world = self.face(name);
        let at = noon() - Duration::from_secs(3600);
        let token = world.token(name, 1);
        let record = world.record(name);
        (record.created_at, record.seen_usable, record.token_in_name) = (Some(at), false, true);
        let live_name = named_with(&world.wants(name).face_name.clone(), &token);
        let live = world.live(name);
        (live.status, live.name, live.created_at) = (TrainingStatus::Training, Some(live_name), Some(at));
        world
    }

    /// Adds a face whose training failed, without a reason given.
    pub(crate) fn failed(self, name: &str) -> Self {
        let mut world = self.training(name);
        world.live(name).status = TrainingStatus::Failed;
        world
    }

    /// Leaves a create of a declared face open, begun ten minutes ago.
    pub(crate) fn in_doubt(mut self, name: &str, attempt: u32) -> Self {
        let open = OpenCreate {
            token: self.token(name, attempt),
            trained_from: self.wants(name).trained_from().unwrap(),
            begun_at: noon() - Duration::from_secs(600),
            doubt: Doubt::NoAnswer("POST /v2/faces: no complete answer (timed out)".to_owned()),
            beside: None,
        };
        self.recorded.open.insert(key(name), open);
        self
    }

    /// Adds a live face that nobody recorded.
    pub(crate) fn stray(mut self, face_id: &str, name: &str) -> Self {
        let face = live(face_id, name, TrainingStatus::Training, noon() - Duration::from_secs(7200));
        self.observed.faces.insert(id(face_id), face);
        self
    }

    /// Adds a live face that nobody recorded, under the token of a declared one.
    pub(crate) fn bearer(self, face_id: &str, of: &str, attempt: u32) -> Self {
        let name = named_with(&self.desired.faces[&key(of)].spec.face_name, &self.token(of, attempt));
        self.stray(face_id, &name)
    }

    /// Asks for other inputs, and adds the new face that is made from them: recorded and live beside the present one.
    pub(crate) fn replaced_by(mut self, name: &str, face_id: &str, status: TrainingStatus) -> Self {
        self.retrain(name);
        let token = self.token(name, 1);
        let at = noon() - Duration::from_secs(3600);
        let trained_from = self.wants(name).trained_from();
        let shown = self.wants(name).face_name.clone();
        let new = RecordedFace {
            id: id(face_id),
            trained_from,
            token: Some(token),
            created_at: Some(at),
            seen_usable: status.is_usable(),
            ..self.record(name).clone()
        };
        self.record(name).successor = Some(Box::new(new));
        self.observed.faces.insert(id(face_id), live(face_id, shown.as_str(), status, at));
        self
    }

    /// Adds a face that is trained anew where its object changes, was made from the first version of it, and is ready
    /// for long.
    pub(crate) fn object(self, name: &str) -> Self {
        let mut world = self.face(name);
        world.wants(name).training = Some(from_object(name));
        world.lifecycle(name).on_source_change = OnSourceChange::Retrain;
        let (token, made) = (world.token(name, 1), world.made_from(name, "v1"));
        let record = world.record(name);
        (record.token, record.trained_from) = (Some(token), Some(made));
        world.lies(name, "v1");
        world
    }

    /// Adds the new face of another version of the object, beside the present one, as that attempt.
    pub(crate) fn revised(
        mut self,
        name: &str,
        face_id: &str,
        (version, attempt): (&str, u32),
        is: TrainingStatus,
    ) -> Self {
        let (token, made) = (self.token(name, attempt), self.made_from(name, version));
        let at = noon() - Duration::from_secs(3600);
        let shown = self.wants(name).face_name.clone();
        let new = RecordedFace {
            id: id(face_id),
            trained_from: Some(made),
            attempt: token.attempt(),
            token: Some(token),
            created_at: Some(at),
            seen_usable: is.is_usable(),
            successor: None,
            previous: Vec::new(),
            ..self.record(name).clone()
        };
        self.record(name).successor = Some(Box::new(new));
        self.observed.faces.insert(id(face_id), live(face_id, shown.as_str(), is, at));
        self.lies(name, version);
        self
    }

    /// Leaves the face of another version that was beside the present one.
    pub(crate) fn given_up(mut self, name: &str) -> Self {
        let left = self.record(name).successor.take().unwrap().given_up(noon() - Duration::from_secs(1800));
        self.record(name).previous.push(left);
        self
    }

    /// Lets the face beside the present one take its place, long ago.
    pub(crate) fn gone_over(mut self, name: &str) -> Self {
        let record = self.record(name).clone().succeeded(noon() - Duration::from_secs(40 * 3600));
        self.recorded.faces.insert(key(name), record);
        self
    }

    /// What a face is made from that is trained from this version of its object.
    pub(crate) fn made_from(&mut self, name: &str, version: &str) -> TrainedFrom {
        TrainedFrom { revision: Some(revision(version)), ..self.wants(name).trained_from().unwrap() }
    }

    /// Puts a version of the object there.
    pub(crate) fn lies(&mut self, name: &str, version: &str) {
        self.observed.material.entry(key(name)).or_default().revision = Some(revision(version));
    }

    /// Leaves unknown which version lies there: nobody could ask.
    pub(crate) fn cannot_ask(&mut self, name: &str) {
        self.observed.material.remove(&key(name));
    }

    /// Says what was found about the material.
    pub(crate) fn found(&mut self, name: &str, findings: Vec<Finding>) {
        self.observed.material.entry(key(name)).or_default().findings = Some(findings);
    }

    /// Adds a PAL that uses a face. With it the PALs were looked at.
    pub(crate) fn pal(mut self, pal: &str, face_id: &str) -> Self {
        let pals = self.observed.pals.get_or_insert_default();
        let pal = Pal { id: pal.parse().unwrap(), name: format!("PAL {pal}") };
        pals.by_face.entry(id(face_id)).or_default().push(pal);
        self
    }

    /// Says that the listing is not whole.
    pub(crate) fn seen_in_part(mut self) -> Self {
        self.observed.coverage = Coverage::Partial("the API counts 3 faces and lists 2".to_owned());
        self
    }

    pub(crate) fn wants(&mut self, name: &str) -> &mut FaceSpec {
        &mut self.desired.faces.get_mut(&key(name)).unwrap().spec
    }

    pub(crate) fn lifecycle(&mut self, name: &str) -> &mut Lifecycle {
        &mut self.wants(name).lifecycle
    }

    /// Says in the manifest which live face it is, and nothing about what it was trained from.
    pub(crate) fn names(&mut self, name: &str, face_id: &str) {
        let face = self.desired.faces.get_mut(&key(name)).unwrap();
        face.annotations.insert(FACE_ID_ANNOTATION.to_owned(), face_id.to_owned());
        face.spec.training = None;
    }

    /// Asks for other training inputs.
    pub(crate) fn retrain(&mut self, name: &str) {
        self.wants(name).training_version = Some("2".to_owned());
    }

    pub(crate) fn record(&mut self, name: &str) -> &mut RecordedFace {
        self.recorded.faces.get_mut(&key(name)).unwrap()
    }

    pub(crate) fn live(&mut self, name: &str) -> &mut ObservedFace {
        let id = self.record(name).id.clone();
        self.observed.faces.get_mut(&id).unwrap()
    }

    /// Deletes the live face, behind our back.
    pub(crate) fn vanish(&mut self, name: &str) {
        let id = self.record(name).id.clone();
        self.observed.faces.remove(&id).unwrap();
    }

    /// Takes the face out of the manifests.
    pub(crate) fn undeclare(&mut self, name: &str) {
        self.desired.faces.remove(&key(name)).unwrap();
    }

    /// The token of a declared face, from the inputs that are asked for now.
    pub(crate) fn token(&self, name: &str, attempt: u32) -> Token {
        let fingerprint = self.desired.faces[&key(name)].spec.fingerprint().unwrap();
        Token::of(&self.desired.project, &key(name), &fingerprint, Attempt::new(attempt).unwrap())
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&self.desired, &self.recorded, &self.observed, &self.policy)
    }

    pub(crate) fn face_plan(&self, name: &str) -> FacePlan {
        self.plan().faces.into_iter().find(|face| face.key == key(name)).unwrap()
    }

    pub(crate) fn decision(&self, name: &str) -> (Action, Reason) {
        let FacePlan { action, reason, .. } = self.face_plan(name);
        (action, reason)
    }

    pub(crate) fn action(&self, name: &str) -> Action {
        self.decision(name).0
    }

    pub(crate) fn reason(&self, name: &str) -> Reason {
        self.decision(name).1
    }

    pub(crate) fn text(&self) -> String {
        plan_text(&self.plan(), Paint::plain())
    }
}

/// What `faces/<name>.yaml` asks for: a video and nothing that is not needed.
pub(crate) fn spec(name: &str) -> FaceSpec {
    let mut letters = name.chars();
    let shown = letters.next().unwrap().to_uppercase().chain(letters).collect::<String>();
    FaceSpec {
        face_name: shown.parse().unwrap(),
        model: Model::Phoenix4,
        training: Some(TrainingInput::Video {
            source: link(&format!("https://media.example.com/{name}.mp4?X-Amz-Signature=secret")).into(),
        }),
        default_voice: None,
        callback_url: None,
        green_screen: false,
        training_version: None,
        lifecycle: Lifecycle::default(),
    }
}

/// A video in a bucket, under the face's name.
pub(crate) fn from_object(name: &str) -> TrainingInput {
    TrainingInput::Video { source: TrainingSource::parse(&format!("s3://acme-media/{name}.mp4")).unwrap() }
}

/// A version of an object, with a content of its own.
pub(crate) fn revision(version: &str) -> Revision {
    Revision { version: Some(version.to_owned()), etag: Some(format!("\"{version}\"")) }
}

/// The input of a face from a photo.
pub(crate) fn image(name: &str, voice: TrainingVoice) -> TrainingInput {
    let source = link(&format!("https://media.example.com/{name}.png?X-Amz-Signature=secret")).into();
    TrainingInput::Image { source, voice, auto_fix: true }
}

pub(crate) fn live(face_id: &str, name: &str, status: TrainingStatus, created_at: Timestamp) -> ObservedFace {
    ObservedFace {
        id: id(face_id),
        name: Some(name.to_owned()),
        model: Some("phoenix-4".to_owned()),
        status,
        progress: None,
        error: None,
        default_voice: None,
        ownership: Ownership::User,
        created_at: Some(created_at),
    }
}
