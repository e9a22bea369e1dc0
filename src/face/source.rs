//! Where training material lies: behind a link, in an object store, behind a command that prints a link, or in a file.
//!
//! All but a link are *late-bound*: the manifest, the plan and the record hold a name that is no secret and stays the
//! same, and the link that Tavus fetches is made at the moment of the create.

use std::fmt;
use std::path::PathBuf;

use super::{Link, LinkError};
use crate::text::visible;

/// Where training material lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainingSource {
    /// Behind an https link, as it is written.
    Link(Link),
    /// In an object store, by its name there.
    Object(ObjectName),
    /// Behind a link that a command prints.
    Command(SourceCommand),
    /// In a file beside the manifest, which is uploaded once.
    File(SourceFile),
}

impl TrainingSource {
    /// Reads what a manifest says. A file is only named by it: where it is and what is in it is found out later.
    ///
    /// # Errors
    /// When it is none of the forms there are, or nothing could be fetched from it.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if let Some(line) = text.strip_prefix("exec:") {
            return SourceCommand::parse(line).map(Self::Command);
        }
        for store in Store::ALL {
            if let Some(rest) = text.strip_prefix(store.scheme()) {
                return ObjectName::parse(store, rest).map(Self::Object);
            }
        }
        if text.starts_with("./") || text.starts_with("../") {
            return SourceFile::parse(text).map(Self::File);
        }
        if text.starts_with("file:") {
            return Err(SourceError::FileUrl);
        }
        if !text.contains(':') && !text.is_empty() && !text.contains(char::is_whitespace) {
            return Err(SourceError::NoScheme(text.starts_with(['/', '\\', '~'])));
        }
        Ok(Self::Link(Link::parse(text)?))
    }

    /// Returns what identifies the material, without a secret: equal texts are the same material. None for a file
    /// whose content is not known.
    pub fn identity(&self) -> Option<String> {
        match self {
            Self::Link(link) => Some(link.identity()),
            Self::Object(object) => Some(object.to_string()),
            Self::Command(command) => Some(command.to_string()),
            Self::File(file) => file.content.as_ref().map(|content| format!("sha256:{}", content.sha256)),
        }
    }

    /// Returns the source as people may see it.
    pub fn shown(&self) -> String {
        match self {
            Self::Link(link) => link.shown(),
            Self::Object(object) => object.to_string(),
            Self::Command(command) => super::redact_links(&command.to_string()),
            Self::File(file) => file.to_string(),
        }
    }

    /// Returns the link, where the manifest says it as it is sent.
    pub fn link(&self) -> Option<&Link> {
        match self {
            Self::Link(link) => Some(link),
            Self::Object(_) | Self::Command(_) | Self::File(_) => None,
        }
    }

    /// Returns the host of a link where nothing can ever be fetched from it.
    pub fn reserved_host(&self) -> Option<&str> {
        self.link().and_then(Link::reserved_host)
    }
}

impl From<Link> for TrainingSource {
    fn from(link: Link) -> Self {
        Self::Link(link)
    }
}

impl fmt::Display for TrainingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

/// Why a source was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It is a link, and cannot be used as one.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Neither a link nor a name with a scheme; whether it looks like an absolute path.
    #[error("it is neither a link nor the name of anything")]
    NoScheme(bool),
    /// `file://…`.
    #[error("a file is named by its path")]
    FileUrl,
    /// A path that could leave the folder it is seen from, or is none.
    #[error("the path {0}")]
    Path(&'static str),
    /// The bucket's name, or what stands for it, cannot be one.
    #[error("`{0}` cannot be the name of {1}")]
    Bucket(String, &'static str),
    /// No object is named.
    #[error("it names no object: {0}")]
    NoKey(&'static str),
    /// An object's name that cannot be asked for.
    #[error("the object's name {0}")]
    Key(&'static str),
    /// Something behind a `?`.
    #[error("`?{0}` is nothing that can be said about an object here")]
    Query(String),
    /// No command, or one whose quotes do not match.
    #[error("it names no command, or its quotes do not match")]
    Command,
}

/// The kinds of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// Amazon S3, or a store that speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Store {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    /// Returns what the names of its objects begin with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3://",
            Self::Google => "gs://",
            Self::Azure => "az://",
        }
    }

    /// Returns how an object in it is written.
    pub fn form(self) -> &'static str {
        match self {
            Self::S3 => "s3://BUCKET/KEY",
            Self::Google => "gs://BUCKET/KEY",
            Self::Azure => "az://ACCOUNT/CONTAINER/BLOB",
        }
    }

    /// Returns the parameter that names one version of an object, as the store calls it. With Azure a signature for a
    /// blob does not cover its versions (Microsoft, "Create a service SAS": `sr=bv`), and none is made for one here.
    fn version_parameter(self) -> Option<&'static str> {
        match self {
            Self::S3 => Some("versionId"),
            Self::Google => Some("generation"),
            Self::Azure => None,
        }
    }
}

/// An object in a store, by its name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Which kind of store.
    pub store: Store,
    /// The account, with Azure, where a container's name means nothing without it.
    pub account: Option<String>,
    /// The bucket, or container.
    pub bucket: String,
    /// The key, as it is in the store: nothing in it is encoded.
    pub key: String,
    /// The one version that is meant, where one is named.
    pub version: Option<String>,
}

/// The longest key, in bytes, of S3 and Google ("Object key naming", "About objects"; Azure takes 1,024 characters).
const KEY_LIMIT: usize = 1024;

impl ObjectName {
    /// Reads what stands behind the scheme.
    fn parse(store: Store, rest: &str) -> Result<Self, SourceError> {
        let (name, query) = rest.split_once('?').map_or((rest, None), |(name, query)| (name, Some(query)));
        let (account, name) = match store {
            Store::Azure => match name.split_once('/') {
                Some((account, name)) => (Some(named(account, "a storage account")?), name),
                None => return Err(SourceError::NoKey(store.form())),
            },
            Store::S3 | Store::Google => (None, name),
        };
        let Some((bucket, key)) = name.split_once('/').filter(|(_, key)| !key.is_empty()) else {
            return Err(SourceError::NoKey(store.form()));
        };
        let bucket = named(bucket, if store == Store::Azure { "a container" } else { "a bucket" })?;
        let version = match query {
            None => None,
            Some(query) => match query.split_once('=') {
                Some((name, value)) if Some(name) == store.version_parameter() && is_word(value) => {
                    Some(value.to_owned())
                }
                _ => return Err(SourceError::Query(query.chars().take(40).collect())),
            },
        };
        check_key(key)?;
        Ok(Self { store, account, bucket, key: key.to_owned(), version })
    }

    /// Returns the object of a name below a place in a store, such as `s3://bucket/prefix`.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self { key: format!("{}/{name}", self.key.trim_end_matches('/')), version: None, ..self.clone() }
    }
}

/// Where something is put: a bucket, and what the keys in it begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPrefix(ObjectName);

impl ObjectPrefix {
    /// Reads `s3://bucket/prefix`.
    ///
    /// # Errors
    /// When it is no place in a store, or a version of an object.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim_end_matches('/');
        match TrainingSource::parse(text)? {
            TrainingSource::Object(ObjectName { version: Some(version), .. }) => Err(SourceError::Query(version)),
            TrainingSource::Object(object) => Ok(Self(object)),
            _ => Err(SourceError::NoKey("s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX")),
        }
    }

    /// Returns the object of a name in it.
    pub fn object(&self, name: &str) -> ObjectName {
        self.0.below(name)
    }
}

impl fmt::Display for ObjectPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, account, bucket, key, version } = self;
        let mut text = store.scheme().to_owned();
        text.extend(account.iter().flat_map(|account| [account.as_str(), "/"]));
        text.extend([bucket, "/", key]);
        if let (Some(version), Some(parameter)) = (version, store.version_parameter()) {
            text.extend(["?", parameter, "=", version]);
        }
        f.pad(&text)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+/=".contains(&byte))
}

/// Buckets have 3 to 63 characters with S3, 3 to 222 with Google, containers 3 to 63, accounts 3 to 24: what exists is
/// for the store to say, what can be no name is said here.
fn named(text: &str, what: &'static str) -> Result<String, SourceError> {
    let is_name = (3..=222).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-$".contains(&byte));
    match is_name {
        true => Ok(text.to_owned()),
        false => Err(SourceError::Bucket(text.chars().take(40).collect(), what)),
    }
}

fn check_key(key: &str) -> Result<(), SourceError> {
    if key.len() > KEY_LIMIT {
        return Err(SourceError::Key("is longer than 1024 bytes"));
    }
    if key.ends_with('/') {
        return Err(SourceError::Key("ends with `/`: that is a folder"));
    }
    // They could not be asked for: every client takes them as paths.
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(SourceError::Key("has a part that is empty, `.` or `..`"));
    }
    match key.contains(char::is_control) {
        true => Err(SourceError::Key("has a control character in it")),
        false => Ok(()),
    }
}

/// A command that prints a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCommand {
    /// The program, as it is written.
    pub program: String,
    /// Its arguments. No shell sees them.
    pub arguments: Vec<String>,
}

impl SourceCommand {
    fn parse(line: &str) -> Result<Self, SourceError> {
        if line.contains(char::is_control) {
            return Err(SourceError::Command);
        }
        let mut words = shlex::split(line).ok_or(SourceError::Command)?.into_iter();
        match words.next().filter(|program| !program.is_empty()) {
            Some(program) => Ok(Self { program, arguments: words.collect() }),
            None => Err(SourceError::Command),
        }
    }
}

impl SourceCommand {
    /// Returns the command line, quoted as in a shell.
    pub fn line(&self) -> String {
        let Self { program, arguments } = self;
        let words = std::iter::once(program).chain(arguments).map(String::as_str);
        // It fails for a NUL only, which was refused.
        shlex::try_join(words).unwrap_or_default()
    }
}

impl fmt::Display for SourceCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("exec:{}", self.line()))
    }
}

/// A file with training material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as people see it: from the project's folder on, beginning with `./`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The folder that it must not lead out of, by links either.
    pub root: PathBuf,
    /// What is in it; none where nobody looked, or it cannot be read here.
    pub content: Option<FileContent>,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub length: u64,
    /// Whether only its name is here, as a pointer of Git LFS: what it stands for is known, and cannot be read.
    pub is_pointer: bool,
}

impl SourceFile {
    fn parse(text: &str) -> Result<Self, SourceError> {
        if text.contains('\\') || text.contains(char::is_control) {
            return Err(SourceError::Path(
                "has a backslash or a control character in it; its parts are separated by `/`",
            ));
        }
        if text.ends_with('/') {
            return Err(SourceError::Path("ends with `/`: that is a folder"));
        }
        Ok(Self { name: text.to_owned(), path: PathBuf::from(text), root: PathBuf::new(), content: None })
    }
}

impl fmt::Display for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            // As much of the hash as tells two versions of a file apart.
            Some(content) => {
                f.pad(&format!("{} (sha256:{})", visible(&self.name), &content.sha256[..12.min(content.sha256.len())]))
            }
            None => f.pad(&visible(&self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_and_written_back_as_it_identifies_the_material() {
        for (text, identity) in [
            ("https://m.example.com/a.mp4?X-Amz-Signature=1", "https://m.example.com/a.mp4"),
            ("s3://acme-media/ana/take 2.mp4", "s3://acme-media/ana/take 2.mp4"),
            (
                "s3://acme-media/ana.mp4?versionId=3HL4kqtJvjVBH40Nrjfkd",
                "s3://acme-media/ana.mp4?versionId=3HL4kqtJvjVBH40Nrjfkd",
            ),
            ("gs://acme_media/ü.mp4?generation=1700000000000000", "gs://acme_media/ü.mp4?generation=1700000000000000"),
            ("az://acmemedia/faces/ana.mp4", "az://acmemedia/faces/ana.mp4"),
            ("exec:sign  --for 'a b' ana", "exec:sign --for 'a b' ana"),
        ] {
            let source = TrainingSource::parse(text).unwrap();
            assert_eq!(source.identity().as_deref(), Some(identity), "{text}");
            // What is shown can be read again, and is the same material.
            if source.link().is_none() {
                assert_eq!(TrainingSource::parse(&source.shown()).unwrap(), source, "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_the_reason() {
        for (text, says) in [
            ("s3://acme-media", "names no object"),
            ("s3://acme-media/", "names no object"),
            ("s3://a/b.mp4", "cannot be the name of a bucket"),
            ("s3://acme media/b.mp4", "cannot be the name of a bucket"),
            ("s3://acme-media/a/../b.mp4", "`..`"),
            ("s3://acme-media//b.mp4", "empty"),
            ("s3://acme-media/folder/", "folder"),
            ("s3://acme-media/b.mp4?X-Amz-Signature=hush", "nothing that can be said"),
            ("gs://acme-media/b.mp4?versionId=1", "nothing that can be said"),
            ("az://acmemedia/b.mp4", "names no object"),
            ("az://acmemedia/faces/b.mp4?versionid=2026", "nothing that can be said"),
            ("exec:", "names no command"),
            ("exec:sign 'ana", "quotes"),
            ("ana.mp4", "neither a link nor"),
            ("/srv/ana.mp4", "neither a link nor"),
            ("file:///srv/ana.mp4", "by its path"),
            ("./media\\ana.mp4", "backslash"),
            ("./media/", "folder"),
            ("http://m.example.com/a.mp4", "only https"),
        ] {
            let error = TrainingSource::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_is_what_is_in_it() {
        let content = |sha256: &str| Some(FileContent { sha256: sha256.repeat(32), length: 1, is_pointer: false });
        let TrainingSource::File(file) = TrainingSource::parse("./media/ana.mp4").unwrap() else { panic!() };
        assert_eq!(TrainingSource::File(file.clone()).identity(), None, "nobody looked");
        let here = TrainingSource::File(SourceFile { content: content("ab"), ..file.clone() });
        let moved =
            TrainingSource::File(SourceFile { name: "./other.mp4".to_owned(), content: content("ab"), ..file.clone() });
        let changed = TrainingSource::File(SourceFile { content: content("cd"), ..file });
        assert_eq!(here.identity(), moved.identity());
        assert_ne!(here.identity(), changed.identity());
        assert_eq!(here.shown(), "./media/ana.mp4 (sha256:abababababab)");
    }

    #[test]
    fn a_prefix_names_objects() {
        let prefix = ObjectPrefix::parse("s3://acme-media/facectl/").unwrap();
        assert_eq!(prefix.object("ab.mp4").to_string(), "s3://acme-media/facectl/ab.mp4");
        for wrong in ["s3://acme-media", "./media", "https://m.example.com/a", "s3://acme-media/a?versionId=1"] {
            assert!(ObjectPrefix::parse(wrong).is_err(), "{wrong}");
        }
    }
}
