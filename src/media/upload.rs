//! Local files to where Tavus can fetch them: each once, under its own hash, going on where it was interrupted.
//!
//! # Guarantees
//! - Under a file's hash lies that file and nothing else: what is read is hashed again on the way, and an upload of
//!   another content is never completed.
//! - What was uploaded before a kill, a lost line or a full disk is not uploaded again, but for parts that were under way.
//!
//! # Assumptions
//! - What lies under a hash with the right length is that file: nobody else writes there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use futures_util::future::join_all;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::face::{FileContent, ObjectName, SourceFile};

use super::store::{StoreError, Stores};
use super::{content, note};

/// The folder below the state directory in which uploads are remembered that are under way.
pub const UPLOADS_FOLDER: &str = "uploads";
/// How long a part is. S3 takes at least 5 MiB, and 10,000 parts ("Amazon S3 multipart upload limits"): 80 GB.
const PART: usize = 8 * 1024 * 1024;
/// Parts under way at once.
const TOGETHER: usize = 4;
/// The version of what is remembered.
const FORMAT: u32 = 2;

/// Why a file was not uploaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UploadError {
    /// It cannot be read.
    #[error("the file cannot be read ({0})")]
    Read(String),
    /// Only a pointer of Git LFS is here, and what it stands for does not lie there yet.
    #[error("only its Git LFS pointer is here")]
    Pointer,
    /// It is another one than when it was hashed.
    #[error("the file changed since it was looked at")]
    Changed,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has all the parts, and did not make one object of them.
    #[error("{0}")]
    Parts(StoreError),
    /// What was uploaded is not what lies there now.
    #[error("what lies there after the upload has {0} bytes, and the file has {1}")]
    Other(u64, u64),
}

/// How far an upload is, in bytes.
pub type Uploading<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// An upload that is under way, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Memo {
    format: u32,
    destination: String,
    upload: String,
    part_length: usize,
    /// The parts that the store has, by number.
    parts: Vec<Option<Part>>,
}

/// A part that the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    /// What the store calls it.
    name: String,
    /// What is in it, so that a part of a file that was another one for a while is not taken for one of this.
    blake3: String,
}

/// Uploads a file to where it is to lie, unless it lies there. `tell` hears how far it is.
pub(super) async fn upload(
    stores: &Stores,
    (file, content): (&SourceFile, &FileContent),
    destination: &ObjectName,
    state_directory: &Path,
    tell: Uploading<'_>,
) -> Result<(), UploadError> {
    if is_there(stores, content, destination).await? {
        return Ok(());
    }
    if content.is_pointer {
        return Err(UploadError::Pointer);
    }
    let path = state_directory.join(UPLOADS_FOLDER).join(format!("{}.json", content.sha256));
    let memo = Memo::load(&path, destination, content);
    let is_new = memo.is_none();
    match send(stores, (file, content), destination, memo, &path, tell).await {
        // The store may have given up what was left lying about: begin anew, once. A line that breaks is no reason:
        // the parts are there, and the next run goes on with them.
        Err(UploadError::Store(StoreError::NotFound(_)) | UploadError::Parts(_)) if !is_new => {
            Memo::forget(&path);
            send(stores, (file, content), destination, None, &path, tell).await?;
        }
        other => other?,
    }
    Memo::forget(&path);
    let lying = stores.look(destination).await?;
    match lying.length == content.length {
        true => Ok(()),
        false => Err(UploadError::Other(lying.length, content.length)),
    }
}

/// Returns whether a file lies where it is to lie.
pub(super) async fn is_there(
    stores: &Stores,
    content: &FileContent,
    destination: &ObjectName,
) -> Result<bool, StoreError> {
    match stores.look(destination).await {
        Ok(lying) => Ok(lying.length == content.length),
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the name that a file has in a store: its hash, and what its own name ends with, by which people and some
/// programs tell what it is.
pub(super) fn name_of(file: &SourceFile, content: &FileContent) -> String {
    let ending = Path::new(&file.name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_plain = (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_plain {
        true => format!("{}.{}", content.sha256, ending.to_ascii_lowercase()),
        false => content.sha256.clone(),
    }
}

/// Returns what a store is to call a file, by what its name ends with.
fn media_type(file: &SourceFile) -> &'static str {
    let ending = Path::new(&file.name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

async fn send(
    stores: &Stores,
    (file, content): (&SourceFile, &FileContent),
    destination: &ObjectName,
    memo: Option<Memo>,
    path: &Path,
    tell: Uploading<'_>,
) -> Result<(), UploadError> {
    let mut memo = match memo {
        Some(memo) => memo,
        None => Memo::begin(destination, content, stores.begin(destination, media_type(file)).await?),
    };
    memo.save(path);
    let opened = content::open(file).map_err(|error| UploadError::Read(error.to_string()))?;
    let mut reader = Reader { file: opened, context: Context::new(&SHA256) };
    let mut done = 0;
    for first in (0..memo.parts.len()).step_by(TOGETHER) {
        let numbers: Vec<usize> = (first..memo.parts.len().min(first + TOGETHER)).collect();
        let (back, parts) = reader.read(numbers.len()).await?;
        reader = back;
        done += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        let hashed =
            numbers.into_iter().zip(parts).map(|(number, part)| (number, blake3::hash(&part).to_string(), part));
        let is_missing = |number: usize, hash: &str| memo.parts[number].as_ref().is_none_or(|part| part.blake3 != hash);
        let missing = hashed.filter(|(number, hash, _)| is_missing(*number, hash));
        let upload = &memo.upload;
        let putting = missing.map(|(number, blake3, part)| async move {
            let put = stores.put(destination, upload, number, part).await;
            (number, put.map(|name| Part { name, blake3 }))
        });
        let mut failed = None;
        for (number, put) in join_all(putting).await {
            match put {
                Ok(part) => memo.parts[number] = Some(part),
                Err(error) => failed = Some(error),
            }
        }
        memo.save(path);
        if let Some(error) = failed {
            return Err(error.into());
        }
        tell(done.min(content.length));
    }
    if done != content.length || reader.sha256() != content.sha256 {
        Memo::forget(path);
        // What lies about in the store costs its owner; where it cannot be removed, a lifecycle rule of the bucket does it.
        let _ = stores.give_up(destination, &memo.upload).await;
        return Err(UploadError::Changed);
    }
    let parts: Vec<String> = memo.parts.iter().flatten().map(|part| part.name.clone()).collect();
    stores.complete(destination, &memo.upload, &parts).await.map_err(UploadError::Parts)
}

/// Reads a file part by part, and hashes it on the way.
struct Reader {
    file: File,
    context: Context,
}

impl Reader {
    /// Returns the next parts; empty ones where it ended before.
    async fn read(mut self, count: usize) -> Result<(Self, Vec<Vec<u8>>), UploadError> {
        let read = move || -> io::Result<(Self, Vec<Vec<u8>>)> {
            let mut parts = Vec::new();
            for _ in 0..count {
                let mut part = Vec::new();
                (&mut self.file).take(PART as u64).read_to_end(&mut part)?;
                self.context.update(&part);
                parts.push(part);
            }
            Ok((self, parts))
        };
        let failed = |error: io::Error| UploadError::Read(error.to_string());
        tokio::task::spawn_blocking(read).await.map_err(|error| failed(io::Error::other(error)))?.map_err(failed)
    }

    fn sha256(self) -> String {
        data_encoding::HEXLOWER.encode(self.context.finish().as_ref())
    }
}

impl Memo {
    fn begin(destination: &ObjectName, content: &FileContent, upload: String) -> Self {
        let count = content.length.div_ceil(PART as u64).max(1);
        let parts = vec![None; usize::try_from(count).unwrap_or(usize::MAX)];
        Self { format: FORMAT, destination: destination.to_string(), upload, part_length: PART, parts }
    }

    /// Returns what is remembered of this very upload.
    fn load(path: &Path, destination: &ObjectName, content: &FileContent) -> Option<Self> {
        let memo: Self = note::read(path)?;
        let fresh = Self::begin(destination, content, memo.upload.clone());
        let is_it = memo.parts.len() == fresh.parts.len()
            && Self { parts: Vec::new(), ..memo.clone() } == Self { parts: Vec::new(), ..fresh };
        is_it.then_some(memo)
    }

    /// Remembers it. Without it an interrupted upload begins anew, which only takes time.
    fn save(&self, path: &Path) {
        if let Err(error) = note::write(path, self) {
            tracing::warn!(%error, "the upload cannot be remembered; if it is interrupted, it begins anew");
        }
    }

    fn forget(path: &Path) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_under_its_hash_and_keeps_its_ending() {
        let content = FileContent { sha256: "ab".repeat(32), length: 1, is_pointer: false };
        let named = |name: &str| {
            let file = SourceFile { name: name.to_owned(), path: name.into(), root: "/".into(), content: None };
            name_of(&file, &content).replace(&content.sha256, "#")
        };
        for (name, kept) in
            [("./a/Ana.MP4", "#.mp4"), ("./ana", "#"), ("./ana.take 2", "#"), ("./ana.", "#"), ("./a.verylong", "#")]
        {
            assert_eq!(named(name), kept, "{name}");
        }
    }

    #[test]
    fn an_upload_is_taken_up_only_where_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uploads/x.json");
        let object = |text: &str| match crate::face::TrainingSource::parse(text) {
            Ok(crate::face::TrainingSource::Object(object)) => object,
            other => panic!("{other:?}"),
        };
        let content = FileContent { sha256: "ab".repeat(32), length: 3 * PART as u64, is_pointer: false };
        let mut memo = Memo::begin(&object("s3://acme-media/x"), &content, "upload-1".to_owned());
        memo.parts[1] = Some(Part { name: "etag".to_owned(), blake3: "hash".to_owned() });
        memo.save(&path);
        assert_eq!(Memo::load(&path, &object("s3://acme-media/x"), &content), Some(memo));
        assert_eq!(Memo::load(&path, &object("s3://acme-media/y"), &content), None);
        let longer = FileContent { length: content.length + 1, ..content.clone() };
        assert_eq!(Memo::load(&path, &object("s3://acme-media/x"), &longer), None);
        Memo::forget(&path);
        assert_eq!(Memo::load(&path, &object("s3://acme-media/x"), &content), None);
    }
}
