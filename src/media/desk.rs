//! Where it all comes together: a look at the material of a face before it is paid for, and the link that is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::face::{
    Certainty, Check, FaceKey, FaceSpec, FileContent, Finding, Link, MaterialSight, Model, ObjectName, ObjectPrefix,
    Revision, SourceFile, SourceKind, TrainingInput, TrainingSource,
};

use super::command::{Commands, link_of};
use super::content::LocalFile;
use super::expiry::judge_expiry;
use super::facts::Facts;
use super::inspect::{InspectError, inspect};
use super::probe::{Probe, ProbeConfig, VIDEO_MEGABYTES, Wanted};
use super::read::RangedRead;
use super::rules::judge;
use super::sights::Sights;
use super::stop::{Stop, command_stop, store_stop, unfetched, unread, unusable};
use super::store::Stores;
use super::upload::{UploadError, Uploading, is_there, name_of, upload};

/// How long links that are signed here hold, unless somebody says otherwise: Tavus fetches for 24 hours at least, and
/// whether it fetches again for tuning is not known (docs.tavus.io, 2026).
pub const LINK_LIFETIME: Duration = Duration::from_secs(48 * 3600);
/// How long after it was signed a link may be looked at and sent, and still hold for as long as was asked for.
const SENT_WITHIN: Duration = Duration::from_secs(600);
/// The longest that S3 takes ("Download and upload objects with presigned URLs").
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Links opened at once.
const TOGETHER: usize = 4;
/// Objects asked for at once.
const OBJECTS_TOGETHER: usize = 16;

/// What a desk is made from.
#[derive(Debug, Clone)]
pub struct DeskSettings {
    /// Roots to trust besides the platform's.
    pub ca_file: Option<PathBuf>,
    /// The time, and what pauses wait on.
    pub clock: Arc<dyn Clock>,
    /// Where local files are uploaded to.
    pub upload: Option<ObjectPrefix>,
    /// How long links hold that are signed here.
    pub link_lifetime: Duration,
    /// What `exec:` may run here.
    pub commands: Commands,
    /// The project's folder, which commands run in.
    pub folder: PathBuf,
    /// Where uploads are remembered.
    pub state_directory: PathBuf,
    /// Whether nothing is real: nothing is fetched, signed, run or uploaded then.
    pub is_rehearsal: bool,
}

/// Looks at material, and makes the links that are sent.
pub struct Desk {
    settings: DeskSettings,
    probe: OnceLock<Result<Probe, String>>,
    stores: OnceLock<Result<Stores, String>>,
    /// Looks of this run, by what was looked at.
    seen: Mutex<Sights>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What one source is.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// What was seen inside; none where nobody could look.
    pub facts: Option<Facts>,
    /// Whether it is taken for a recording or for a photo.
    pub kind: Option<SourceKind>,
    /// What its server calls it.
    pub content_type: Option<String>,
    /// Until when its link holds, where that can be told.
    pub holds_until: Option<Timestamp>,
    /// Which version of an object it is.
    pub revision: Option<Revision>,
    /// What is wrong with it, or could be better.
    pub findings: Vec<Finding>,
}

impl Inspection {
    async fn look_inside<R: RangedRead>(&mut self, reader: &R, model: Model) {
        match inspect(reader).await {
            Ok(facts) => {
                let is_photo = facts.container.is_photo();
                let kind = *self.kind.get_or_insert(if is_photo { SourceKind::Image } else { SourceKind::Video });
                self.findings.extend(judge(&facts, kind, model));
                self.facts = Some(facts);
            }
            Err(error) => self.findings.push(unseen(&error)),
        }
    }
}

impl Desk {
    /// Makes a desk. Nothing is asked yet.
    pub fn new(settings: DeskSettings) -> Self {
        Self { settings, probe: OnceLock::new(), stores: OnceLock::new(), seen: Mutex::default() }
    }

    /// Returns whether anything is asked of material at all, with what is in `skip` left out.
    pub fn asks(&self, skip: &BTreeSet<Check>) -> bool {
        !self.settings.is_rehearsal && !Check::ALL.iter().all(|check| skip.contains(check))
    }

    /// Looks at the material of faces that are to be paid for, some at once. What is in `skip` is not asked.
    pub async fn look<'a>(
        &self,
        faces: impl IntoIterator<Item = (&'a FaceKey, &'a FaceSpec)>,
        skip: &BTreeSet<Check>,
    ) -> BTreeMap<FaceKey, MaterialSight> {
        let looks =
            faces.into_iter().map(|(key, spec)| async move { (key.clone(), self.look_at(key, spec, skip).await) });
        stream::iter(looks).buffer_unordered(TOGETHER).collect().await
    }

    /// Finds out which version lies under the names of objects; what cannot be found out is left out, with the reason.
    pub async fn revisions<'a>(
        &self,
        faces: impl IntoIterator<Item = (&'a FaceKey, &'a FaceSpec)>,
    ) -> BTreeMap<FaceKey, Result<Revision, String>> {
        let objects = faces.into_iter().filter_map(|(key, spec)| match spec.training.as_ref()?.source() {
            TrainingSource::Object(object) => Some((key, object)),
            TrainingSource::Link(_) | TrainingSource::Command(_) | TrainingSource::File(_) => None,
        });
        let objects = objects.filter(|_| !self.settings.is_rehearsal);
        let looks = objects.map(|(key, object)| async move {
            let lying = match self.stores() {
                Ok(stores) => stores.look(object).await.map_err(|error| error.to_string()),
                Err(stop) => Err(stop.message),
            };
            (key.clone(), lying.map(|lying| lying.revision))
        });
        let found: BTreeMap<_, _> = stream::iter(looks).buffer_unordered(OBJECTS_TOGETHER).collect().await;
        let mut seen = self.seen();
        for (key, revision) in found.iter().filter_map(|(key, found)| Some((key, found.as_ref().ok()?))) {
            seen.lies(key, revision);
        }
        drop(seen);
        found
    }

    /// Forgets what was seen, so that everything is looked at anew.
    pub fn forget(&self) {
        self.seen().forget();
    }

    fn seen(&self) -> MutexGuard<'_, Sights> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uploads the file that a face is trained from, unless it lies there already. Of other sources nothing is uploaded.
    ///
    /// # Errors
    /// When it could not be uploaded: nothing can be trained from it.
    pub async fn upload(&self, spec: &FaceSpec, tell: Uploading<'_>) -> Result<(), Finding> {
        let Some(TrainingSource::File(file)) = spec.training.as_ref().map(TrainingInput::source) else { return Ok(()) };
        if self.settings.is_rehearsal {
            return Ok(());
        }
        self.upload_file(file, tell).await.map(drop).map_err(|stop| *stop)
    }

    /// Makes the link to send for a face now, and looks at what it brings once more.
    ///
    /// # Errors
    /// What stops the training.
    pub async fn bind(
        &self,
        key: &FaceKey,
        spec: &FaceSpec,
        skip: &BTreeSet<Check>,
    ) -> Result<(Link, Option<Revision>), Vec<Finding>> {
        let Some(training) = &spec.training else {
            let rule = "a training has a source";
            return Err(vec![Finding::error(
                Check::Source,
                "nothing says what to train from",
                rule,
                Certainty::Evident,
            )]);
        };
        if self.settings.is_rehearsal {
            return rehearsed(training.source()).map(|link| (link, None)).map_err(|stop| vec![*stop]);
        }
        let (link, revision) = match training.source() {
            TrainingSource::File(file) => {
                let object = self.upload_file(file, &|_| ()).await.map_err(|stop| vec![*stop])?;
                (self.sign(&object).await.map_err(|stop| vec![*stop])?, None)
            }
            source => self.link_to(key, source).await.map_err(|stop| vec![*stop])?,
        };
        let findings = self.findings(&link, training.kind(), spec.model, skip).await;
        let errors: Vec<Finding> = findings.into_iter().filter(Finding::is_error).collect();
        if errors.is_empty() { Ok((link, revision)) } else { Err(errors) }
    }

    /// Looks at one source by itself, and says what it is and what would be wrong with it. Without a kind it is taken for
    /// what it is.
    pub async fn inspect(&self, source: &TrainingSource, kind: Option<SourceKind>, model: Model) -> Inspection {
        let mut inspection = Inspection { kind, ..Inspection::default() };
        let key: Option<FaceKey> = "inspected".parse().ok();
        match (source, key) {
            (TrainingSource::File(file), _) => match LocalFile::open(file) {
                Ok(local) => inspection.look_inside(&local, model).await,
                Err(error) => inspection.findings.push(*unread(file, &error.to_string())),
            },
            (_, None) => {}
            (source, Some(key)) => match self.link_to(&key, source).await {
                Ok((link, revision)) => {
                    inspection.revision = revision;
                    self.inspect_link(&mut inspection, &link, model).await;
                }
                Err(stop) => inspection.findings.push(*stop),
            },
        }
        inspection.findings = kept(std::mem::take(&mut inspection.findings), &BTreeSet::new());
        inspection
    }

    async fn inspect_link(&self, inspection: &mut Inspection, link: &Link, model: Model) {
        inspection.findings.extend(judge_expiry(link, self.settings.clock.now()));
        inspection.holds_until = match link.validity().ends {
            crate::face::LinkEnd::At(end) => Some(end),
            crate::face::LinkEnd::NotInLink | crate::face::LinkEnd::Unreadable => None,
        };
        match self.probe.get_or_init(|| self.probe()) {
            Ok(probe) => {
                let megabytes = (inspection.kind != Some(SourceKind::Image)).then_some(VIDEO_MEGABYTES);
                let probed = probe.open(link, Wanted { megabytes, is_twice: true }).await;
                inspection.findings.extend(probed.findings);
                if let Some(fetched) = &probed.fetched {
                    inspection.content_type = fetched.content_type().map(str::to_owned);
                    inspection.look_inside(fetched, model).await;
                }
            }
            Err(why) => inspection.findings.push(*unusable(why)),
        }
    }

    async fn look_at(&self, key: &FaceKey, spec: &FaceSpec, skip: &BTreeSet<Check>) -> MaterialSight {
        let nothing = MaterialSight { revision: None, findings: Some(Vec::new()) };
        let Some(training) = spec.training.as_ref().filter(|_| self.asks(skip)) else { return nothing };
        // The link as a whole: one that was signed anew is another one.
        let whole = training.source().link().map(Link::expose);
        let name = format!("{key} {} {} {whole:?} {skip:?}", spec.model, training.source().shown());
        let now = self.settings.clock.now();
        let seen = self.seen().get(&name, now).cloned();
        if let Some(sight) = seen {
            return sight;
        }
        let sight = self.look_now(key, training, spec.model, skip).await;
        self.seen().note(key, name, now, sight.clone());
        sight
    }

    async fn look_now(
        &self,
        key: &FaceKey,
        training: &TrainingInput,
        model: Model,
        skip: &BTreeSet<Check>,
    ) -> MaterialSight {
        let kind = training.kind();
        let (revision, findings) = match training.source() {
            TrainingSource::File(file) => (None, self.file_findings(file, kind, model).await),
            source => match self.link_to(key, source).await {
                Ok((link, revision)) => (revision, self.findings(&link, kind, model, skip).await),
                Err(stop) => (None, vec![*stop]),
            },
        };
        MaterialSight { revision, findings: Some(kept(findings, skip)) }
    }

    /// Returns a link to a source that is no file, and which version it brings.
    async fn link_to(&self, key: &FaceKey, source: &TrainingSource) -> Result<(Link, Option<Revision>), Stop> {
        match source {
            TrainingSource::Link(link) => Ok((link.clone(), None)),
            TrainingSource::Object(object) => {
                let lying = self.stores()?.look(object).await.map_err(|error| store_stop(object, &error))?;
                Ok((self.sign(object).await?, Some(lying.revision)))
            }
            TrainingSource::Command(command) => {
                let DeskSettings { commands, folder, .. } = &self.settings;
                let link = link_of(command, key, self.lifetime(), commands, folder).await;
                link.map(|link| (link, None)).map_err(|error| command_stop(&error))
            }
            TrainingSource::File(file) => Err(unread(file, "it was not uploaded")),
        }
    }

    /// Returns how long to sign for: links hold from the moment they are sent, which is a little later.
    fn lifetime(&self) -> Duration {
        (self.settings.link_lifetime + SENT_WITHIN).min(LONGEST_LIFETIME)
    }

    async fn sign(&self, object: &ObjectName) -> Result<Link, Stop> {
        let signed = self.stores()?.sign(object, self.lifetime()).await;
        signed.map_err(|error| store_stop(object, &error))
    }

    /// Says what is wrong with a link and with what it brings.
    async fn findings(&self, link: &Link, kind: SourceKind, model: Model, skip: &BTreeSet<Check>) -> Vec<Finding> {
        let mut findings = judge_expiry(link, self.settings.clock.now());
        // Nobody is asked where no answer counts.
        let is_local = |check: &Check| matches!(check, Check::Expiry | Check::Credentials | Check::Source);
        if Check::ALL.iter().filter(|check| !is_local(check)).all(|check| skip.contains(check)) {
            return kept(findings, skip);
        }
        let probe = match self.probe.get_or_init(|| self.probe()) {
            Ok(probe) => probe,
            Err(why) => {
                findings.push(*unusable(why));
                return kept(findings, skip);
            }
        };
        let megabytes = (kind == SourceKind::Video).then_some(VIDEO_MEGABYTES);
        let wanted = Wanted { megabytes, is_twice: !skip.contains(&Check::Stable) };
        let probed = probe.open(link, wanted).await;
        findings.extend(probed.findings);
        if let Some(fetched) = &probed.fetched {
            findings.extend(look_inside(fetched, kind, model).await);
        }
        kept(findings, skip)
    }

    fn probe(&self) -> Result<Probe, String> {
        let config = ProbeConfig {
            ca_file: self.settings.ca_file.clone(),
            ..ProbeConfig::new(Arc::clone(&self.settings.clock))
        };
        Probe::new(&config).map_err(|error| error.to_string())
    }

    fn stores(&self) -> Result<&Stores, Stop> {
        let stores = || Stores::new(self.settings.ca_file.as_deref()).map_err(|error| error.to_string());
        self.stores.get_or_init(stores).as_ref().map_err(|why| unusable(why))
    }

    /// Says what is wrong with a file here, and with where it is to go.
    async fn file_findings(&self, file: &SourceFile, kind: SourceKind, model: Model) -> Vec<Finding> {
        let (content, destination) = match self.destination(file) {
            Ok(place) => place,
            Err(stop) => return vec![*stop],
        };
        let mut findings = match LocalFile::open(file) {
            // What it stands for may lie there already: then nothing is needed here.
            Ok(_) if content.is_pointer => Vec::new(),
            Ok(local) => look_inside(&local, kind, model).await,
            Err(error) => vec![*unread(file, &error.to_string())],
        };
        let there = match self.stores() {
            Ok(stores) => {
                is_there(stores, content, &destination).await.map_err(|error| store_stop(&destination, &error))
            }
            Err(stop) => Err(stop),
        };
        match there {
            Ok(false) if content.is_pointer => findings.push(*unfetched(file)),
            Ok(_) => {}
            Err(stop) => findings.push(*stop),
        }
        findings
    }

    /// Returns what is in a file, and where it goes.
    fn destination<'a>(&self, file: &'a SourceFile) -> Result<(&'a FileContent, ObjectName), Stop> {
        let Some(content) = &file.content else { return Err(unread(file, "it is not here, or cannot be read")) };
        let Some(upload) = &self.settings.upload else {
            let rule = "Tavus fetches material from the public internet (documentation, media links)";
            let message = format!("{} is a file, and nothing says where to upload it", file.name);
            let help = "set spec.media.upload in facectl.yaml, such as s3://acme-media/facectl";
            return Err(Finding::error(Check::Source, message, rule, Certainty::Documented).help(help).into());
        };
        Ok((content, upload.object(&name_of(file, content))))
    }

    async fn upload_file(&self, file: &SourceFile, tell: Uploading<'_>) -> Result<ObjectName, Stop> {
        let (content, destination) = self.destination(file)?;
        let stores = self.stores()?;
        let uploaded = upload(stores, (file, content), &destination, &self.settings.state_directory, tell).await;
        match uploaded {
            Ok(()) => Ok(destination),
            Err(UploadError::Pointer) => Err(unfetched(file)),
            Err(UploadError::Store(error) | UploadError::Parts(error)) => Err(store_stop(&destination, &error)),
            Err(error) => Err(unread(file, &error.to_string())),
        }
    }
}

/// Looks inside by parts, and says what is wrong with what is there.
async fn look_inside<R: RangedRead>(reader: &R, kind: SourceKind, model: Model) -> Vec<Finding> {
    match inspect(reader).await {
        Ok(facts) => judge(&facts, kind, model),
        Err(error) => vec![unseen(&error)],
    }
}

fn unseen(error: &InspectError) -> Finding {
    let rule = "what cannot be looked into may be fine all the same";
    Finding::advice(Check::Type, format!("nobody could look into it: {error}"), rule, Certainty::Assumed)
}

/// Leaves out what nobody wants to know, and what was said before by another question about the same.
fn kept(findings: Vec<Finding>, skip: &BTreeSet<Check>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let is_said = kept.iter().any(|other| {
            other.check == finding.check && matches!(finding.check, Check::Size | Check::Page | Check::Type)
        });
        // Without its source nothing can be sent, whoever wants to know.
        let is_wanted = finding.check == Check::Source || !skip.contains(&finding.check);
        if is_wanted && !is_said {
            kept.push(finding);
        }
    }
    kept
}

/// Returns the link that a rehearsal sends: the sandbox looks at its name and fetches nothing.
fn rehearsed(source: &TrainingSource) -> Result<Link, Stop> {
    let name = match source {
        TrainingSource::Link(link) => return Ok(link.clone()),
        TrainingSource::Object(object) => format!("{}/{}", object.bucket, object.key),
        TrainingSource::Command(command) => command.arguments.last().unwrap_or(&command.program).clone(),
        TrainingSource::File(file) => file.name.trim_start_matches("./").to_owned(),
    };
    let mut url = url::Url::parse("https://rehearsal.invalid/").map_err(|error| unusable(&error.to_string()))?;
    url.set_path(&name);
    Link::parse(url.as_str()).map_err(|error| unusable(&error.to_string()))
}
