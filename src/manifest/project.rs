//! `facectl.yaml`: the project, its defaults and its settings.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::face::{Lifecycle, Link, Model, Naming, ObjectPrefix, ProjectName};

use super::document::{LimitFields, MediaFields, ProjectDocument, ProjectFields};
use super::entries::refused_entry;
use super::resolve::merge;
use super::resolver::{Resolver, Wrong};

/// The name of the project file.
pub const PROJECT_FILE: &str = "facectl.yaml";
/// The name of the lock file, which lies among manifests and is none.
pub(super) const LOCK_FILE: &str = "facectl.lock.yaml";

/// The project that all faces of a run belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name: part of every creation token.
    pub name: ProjectName,
    /// Its file, if there is one.
    pub file: Option<PathBuf>,
    /// The folder of its file, else where facectl runs. State and lock file live here.
    pub root: PathBuf,
    /// Whether no project file was found.
    pub is_default: bool,
    /// What the file sets.
    pub settings: ProjectSettings,
}

/// What a project file sets. A setting that also has a flag is `None` where the file is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSettings {
    /// Where the manifests are, relative to the project's folder; empty: everywhere below it.
    pub manifests: Vec<String>,
    /// What a face is unless it says otherwise.
    pub defaults: Defaults,
    /// How far one `apply` may go.
    pub limits: Limits,
    /// What live names look like.
    pub naming: Naming,
    /// Whether a live face may be taken over by its name.
    pub adopt: Adopt,
    /// The base of the API. From a file only Tavus' own host or this machine is taken.
    pub api_url: Option<String>,
    /// Where the state is kept, relative to the project's folder.
    pub state_dir: Option<PathBuf>,
    /// How many reads run at once.
    pub parallelism: Option<u32>,
    /// How many creates run at once.
    pub create_parallelism: Option<u32>,
    /// How long to wait for a state that another run holds.
    pub lock_timeout: Option<Duration>,
    /// How long one request may take.
    pub request_timeout: Option<Duration>,
    /// How long after a lost answer a face may still appear.
    pub settle_window: Option<Duration>,
    /// How long to wait between two looks at a training.
    pub poll_interval: Option<Duration>,
    /// How long to wait for trainings altogether.
    pub wait_timeout: Option<Duration>,
    /// How many requests a second at most.
    pub requests_per_second: Option<u32>,
    /// Whether the lock file is written.
    pub lock_file: bool,
    /// How training material gets to Tavus.
    pub media: MediaSettings,
}

/// `spec.media`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaSettings {
    /// Where local files are uploaded to.
    pub upload: Option<ObjectPrefix>,
    /// How long links that are signed for objects hold.
    pub link_lifetime: Option<Duration>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            manifests: Vec::new(),
            defaults: Defaults::default(),
            limits: Limits::default(),
            naming: Naming::default(),
            adopt: Adopt::default(),
            api_url: None,
            state_dir: None,
            parallelism: None,
            create_parallelism: None,
            lock_timeout: None,
            request_timeout: None,
            settle_window: None,
            poll_interval: None,
            wait_timeout: None,
            requests_per_second: None,
            lock_file: true,
            media: MediaSettings::default(),
        }
    }
}

/// What a face is unless it says otherwise: the project's wishes over the built-in ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The model.
    pub model: Model,
    /// Where Tavus reports the end of a training.
    pub callback_url: Option<Link>,
    /// What may happen to a face.
    pub lifecycle: Lifecycle,
}

impl Default for Defaults {
    fn default() -> Self {
        // The default of the Create Face contract (August 2026); newer pages ask for the field, so it is always sent.
        Self { model: Model::Phoenix4, callback_url: None, lifecycle: Lifecycle::default() }
    }
}

/// How far one `apply` may go. `None` is no limit, which no file can ask for: only a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Trainings that may be started.
    pub max_trainings: Option<u32>,
    /// Over how long `max_trainings` counts beside one run; none: over one run only.
    pub max_trainings_per: Option<Duration>,
    /// Faces that may be deleted.
    pub max_deletions: Option<u32>,
    /// Over how long `max_deletions` counts beside one run; none: over one run only.
    pub max_deletions_per: Option<Duration>,
    /// How many faces of one's own the account has room for; none where nobody said it.
    pub face_slots: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        // A slip in a template should cost a few trainings, not a hundred.
        Self {
            max_trainings: Some(10),
            max_trainings_per: None,
            max_deletions: Some(3),
            max_deletions_per: None,
            face_slots: None,
        }
    }
}

/// `spec.adopt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adopt {
    /// Only by `import`.
    #[default]
    Never,
    /// If exactly one own live face bears the same name and model.
    Unique,
}

/// What flags and environment set over the project file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectOverrides {
    /// The name of the project (`--project`).
    pub name: Option<ProjectName>,
    /// What live names look like (`--naming`).
    pub naming: Option<Naming>,
}

/// Resolves the project document: the name, if it is sound, and every setting that is.
pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    document: &ProjectDocument,
) -> (Option<ProjectName>, ProjectSettings) {
    let name = document.metadata.as_ref().and_then(|metadata| metadata.name.as_deref());
    let name = resolver.label(&["metadata", "name"], name);
    let settings = settings(resolver, document.spec.clone().unwrap_or_default());
    (name, settings)
}

fn settings(resolver: &mut Resolver<'_>, fields: ProjectFields) -> ProjectSettings {
    let ProjectFields {
        manifests,
        defaults,
        limits,
        naming,
        adopt,
        api_url,
        state_dir,
        parallelism,
        create_parallelism,
        lock_timeout,
        request_timeout,
        settle_window,
        poll_interval,
        wait_timeout,
        requests_per_second,
        lock_file,
        media,
    } = fields;
    let defaults = defaults.unwrap_or_default();
    let limits = self::limits(resolver, limits.unwrap_or_default());
    let lifecycle_path = ["spec", "defaults", "lifecycle"];
    let lifecycle =
        merge(resolver, &lifecycle_path, defaults.lifecycle.clone().unwrap_or_default(), Lifecycle::default());
    let built_in = Defaults::default();
    let mut time = |name: &str, text: Option<String>| {
        resolver.parse(&["spec", name], text.as_deref(), "a length of time", duration)
    };
    let lock_timeout = time("lock_timeout", lock_timeout);
    let request_timeout = time("request_timeout", request_timeout);
    let settle_window = time("settle_window", settle_window);
    let poll_interval = time("poll_interval", poll_interval);
    let wait_timeout = time("wait_timeout", wait_timeout);
    ProjectSettings {
        manifests: locations(resolver, manifests.unwrap_or_default()),
        defaults: Defaults {
            model: defaults.model_name.unwrap_or(built_in.model),
            callback_url: resolver.link(&["spec", "defaults", "callback_url"], defaults.callback_url.as_deref()),
            lifecycle,
        },
        limits,
        naming: naming.unwrap_or_default(),
        adopt: adopt.unwrap_or_default(),
        api_url: resolver.parse(&["spec", "api_url"], api_url.as_deref(), "an address to send a key to", api_address),
        state_dir: resolver.parse(&["spec", "state_dir"], state_dir.as_deref(), "a folder", |text| {
            if text.trim().is_empty() {
                return Err(Wrong::value("it is empty", "name a folder, or leave it out for `.facectl`"));
            }
            Ok(PathBuf::from(text))
        }),
        parallelism,
        create_parallelism,
        lock_timeout,
        request_timeout,
        settle_window,
        poll_interval,
        wait_timeout,
        requests_per_second,
        lock_file: lock_file.unwrap_or(true),
        media: self::media(resolver, media.unwrap_or_default()),
    }
}

fn media(resolver: &mut Resolver<'_>, fields: MediaFields) -> MediaSettings {
    let MediaFields { upload, link_lifetime } = fields;
    let path = |name| ["spec", "media", name];
    MediaSettings {
        upload: resolver.parse(&path("upload"), upload.as_deref(), "a place to upload to", ObjectPrefix::parse),
        link_lifetime: resolver.parse(
            &path("link_lifetime"),
            link_lifetime.as_deref(),
            "how long a link can hold",
            link_lifetime_of,
        ),
    }
}

/// Shortest and longest time that a signed link may hold: what Tavus asks for (24 hours after submission, docs.tavus.io,
/// 2026), and what S3 and Google sign at most (7 days; S3, "Sharing objects with presigned URLs"; Google, "Signed URLs").
pub const LINK_LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(24 * 3600)..=Duration::from_secs(7 * 24 * 3600);

fn link_lifetime_of(text: &str) -> Result<Duration, Wrong> {
    let lifetime = duration(text)?;
    match LINK_LIFETIMES.contains(&lifetime) {
        true => Ok(lifetime),
        false => Err(Wrong::value(
            "it is not between 24h and 7d",
            "Tavus may fetch the material for 24 hours, and no store signs for more than 7 days; 48h is the default",
        )),
    }
}

fn limits(resolver: &mut Resolver<'_>, fields: LimitFields) -> Limits {
    let LimitFields { max_trainings, max_trainings_per, max_deletions, max_deletions_per, face_slots } = fields;
    let mut period = |name: &str, text: Option<String>| {
        resolver.parse(&["spec", "limits", name], text.as_deref(), "a length of time", duration)
    };
    let built_in = Limits::default();
    Limits {
        max_trainings: max_trainings.or(built_in.max_trainings),
        max_trainings_per: period("max_trainings_per", max_trainings_per),
        max_deletions: max_deletions.or(built_in.max_deletions),
        max_deletions_per: period("max_deletions_per", max_deletions_per),
        face_slots,
    }
}

/// Keeps the manifests below the project: a checkout must not be able to make a runner show lines of its own files.
fn locations(resolver: &mut Resolver<'_>, manifests: Vec<String>) -> Vec<String> {
    for text in &manifests {
        let Some(help) = refused_entry(text) else { continue };
        let place = resolver.place(&["spec", "manifests"]);
        let message = format!("`{}` in `spec.manifests` cannot be used", super::shape::clipped(text));
        resolver.say("facectl::outside", place, message, Some(help.to_owned()));
    }
    manifests
}

fn duration(text: &str) -> Result<Duration, Wrong> {
    let parsed = duration_or_zero(text)?;
    if parsed.is_zero() {
        return Err(Wrong::value("it is zero", DURATION_HELP));
    }
    Duration::try_from(parsed).map_err(|_| Wrong::value("it is negative", DURATION_HELP))
}

const DURATION_HELP: &str = "write it like `30s`, `5h30m` or `7d`";

/// Reads a length of time that may be none. A day has 24 hours and a week 7 days; months and years have no length.
pub(super) fn duration_or_zero(text: &str) -> Result<jiff::SignedDuration, Wrong> {
    let help = DURATION_HELP;
    let wrong = || Wrong::value("it is a number without a unit, or not a time at all", help);
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let parsed = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if parsed.is_negative() {
        return Err(Wrong::value("it is negative", help));
    }
    Ok(parsed)
}

/// Takes an address from the project file only where the key may go whatever a pull request says.
fn api_address(text: &str) -> Result<String, Wrong> {
    let help = "from a file, only https://tavusapi.com/v2 or an address of this machine is taken, as the key is sent \
                there; name another one by --api-url or FACECTL_API_URL";
    let url = url::Url::parse(text).map_err(|_| Wrong::value("it is not a URL", help))?;
    let is_tavus = url.scheme() == "https"
        && url.port().is_none()
        && url.host_str().is_some_and(|host| host == "tavusapi.com" || host.ends_with(".tavusapi.com"));
    let is_here = matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(url::Host::Domain(domain)) => domain == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
    if !is_tavus && !is_here {
        return Err(Wrong::value("it is neither Tavus' own host nor this machine", help));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(Wrong::value("it carries more than host and path", help));
    }
    Ok(text.to_owned())
}
