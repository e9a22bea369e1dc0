//! What is in local files: hashed once, and again only when a file changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::boundary::{Beyond, Boundary};
use crate::face::{Desired, FileContent, SourceFile, TrainingInput, TrainingSource};

use super::note;
use super::read::{RangedRead, ReadError};

/// The name of the file that hashes are remembered in, below the state directory.
pub const HASHES_FILE: &str = "media-hashes.json";
/// The version of its form: one of another version is begun anew.
const FORMAT: u32 = 1;
/// How young a file may be and still change within one tick of its clock, after it was hashed (git, "racy git").
const RACY: Duration = Duration::from_secs(2);

/// Opens a file that a manifest names.
///
/// # Errors
/// When it is not there, is no plain file, or leads out of the project or to a hidden file through a link.
pub(super) fn open(file: &SourceFile) -> io::Result<File> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let (path, root) = (file.path.canonicalize()?, file.root.canonicalize()?);
    match Boundary::of(vec![root]).refuses(&path) {
        Some(Beyond::Outside) => return Err(wrong("it is a link that leads out of the project")),
        // What is named as hidden was refused with its manifest, unless a person names it on the command line.
        Some(Beyond::Hidden) if path != file.path => return Err(wrong("it is a link to a hidden file or folder")),
        Some(Beyond::Hidden) | None => {}
    }
    // Before it is opened: a pipe would never end.
    if !std::fs::metadata(&path)?.is_file() {
        return Err(wrong("it is no plain file"));
    }
    File::open(path)
}

/// Finds out what is in the files that faces are trained from. A file that cannot be read stays unknown: a face that was
/// trained long ago needs it no more. Returns how many bytes were hashed.
pub fn read_contents(desired: &mut Desired, hashes: &mut Hashes) -> u64 {
    let mut hashed = 0;
    for face in desired.faces.values_mut() {
        let Some(training) = &mut face.spec.training else { continue };
        let (TrainingInput::Video { source } | TrainingInput::Image { source, .. }) = training;
        if let TrainingSource::File(file) = source {
            file.content = hashes.of(file, &mut hashed).ok();
        }
    }
    hashed
}

/// Returns whether any face is trained from a file.
pub fn has_files(desired: &Desired) -> bool {
    let is_file = |training: &TrainingInput| matches!(training.source(), TrainingSource::File(_));
    desired.faces.values().any(|face| face.spec.training.as_ref().is_some_and(is_file))
}

/// Returns what changes when any file does that a face is trained from, also when it comes or goes: nothing is read.
pub fn stamps(desired: &Desired) -> String {
    let files = desired.faces.values().filter_map(|face| match face.spec.training.as_ref()?.source() {
        TrainingSource::File(file) => Some(file),
        TrainingSource::Link(_) | TrainingSource::Object(_) | TrainingSource::Command(_) => None,
    });
    let stamp = |file: &SourceFile| open(file).and_then(|opened| Stamp::of(&opened)).ok();
    files.map(|file| format!("{:?} {:?}\n", file.path, stamp(file))).collect()
}

/// Hashes of files, remembered by what changes when a file does.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Hashes {
    format: u32,
    files: BTreeMap<PathBuf, Known>,
    #[serde(skip)]
    is_changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    sha256: String,
}

/// What changes when a file does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    length: u64,
    modified_nanos: u128,
    /// Device, number and time of change: another file that was put in its place with the old time has others.
    inode: (u64, u64, i64, i64),
}

impl Hashes {
    /// Reads what is remembered; what cannot be read is not remembered.
    pub fn load(path: &Path) -> Self {
        note::read(path)
            .filter(|hashes: &Self| hashes.format == FORMAT)
            .unwrap_or(Self { format: FORMAT, ..Self::default() })
    }

    /// Writes what is remembered, where it changed. Without it files are hashed again, which only takes time.
    pub fn save(&self, path: &Path) {
        if !self.is_changed {
            return;
        }
        if let Err(error) = note::write(path, self) {
            tracing::debug!(%error, "hashes of files are not remembered");
        }
    }

    fn of(&mut self, file: &SourceFile, hashed: &mut u64) -> io::Result<FileContent> {
        let opened = open(file)?;
        let stamp = Stamp::of(&opened)?;
        let length = stamp.length;
        if let Some(known) = self.files.get(&file.path).filter(|known| known.stamp == stamp) {
            return Ok(FileContent { sha256: known.sha256.clone(), length, is_pointer: false });
        }
        if let Some(pointer) = pointer(&opened, length)? {
            return Ok(pointer);
        }
        let sha256 = sha256_of(opened)?;
        *hashed += length;
        if !stamp.is_racy() {
            self.files.insert(file.path.clone(), Known { stamp, sha256: sha256.clone() });
            self.is_changed = true;
        }
        Ok(FileContent { sha256, length, is_pointer: false })
    }
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let inode = (0, 0, 0, 0);
        Ok(Self { length: metadata.len(), modified_nanos: modified.as_nanos(), inode })
    }

    fn is_racy(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        self.modified_nanos + RACY.as_nanos() > now
    }
}

/// Returns what a pointer of Git LFS stands for, where a file is one: it names the SHA-256 of the content (Git LFS
/// specification, "The pointer"). So a checkout without the large files asks for the same faces as one with them.
fn pointer(mut file: &File, length: u64) -> io::Result<Option<FileContent>> {
    /// Pointers are shorter than that, by the specification.
    const LONGEST: u64 = 1024;
    if length >= LONGEST {
        return Ok(None);
    }
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    file.seek(SeekFrom::Start(0))?;
    if read.is_err() || !text.starts_with("version https://git-lfs.github.com/spec/v1\n") {
        return Ok(None);
    }
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let sha256 = value("oid sha256:").filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let length = value("size ").and_then(|size| size.parse().ok());
    Ok(sha256.zip(length).map(|(sha256, length)| FileContent {
        sha256: sha256.to_ascii_lowercase(),
        length,
        is_pointer: true,
    }))
}

fn sha256_of(mut file: File) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut block = vec![0; 256 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(data_encoding::HEXLOWER.encode(context.finish().as_ref())),
            read => context.update(&block[..read]),
        }
    }
}

/// A local file that is read in parts.
#[derive(Debug)]
pub(super) struct LocalFile {
    file: File,
    length: u64,
}

impl LocalFile {
    pub(super) fn open(file: &SourceFile) -> io::Result<Self> {
        Self::of(open(file)?)
    }

    pub(super) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl RangedRead for LocalFile {
    fn length(&self) -> Option<u64> {
        Some(self.length)
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let failed = |error: io::Error| ReadError(format!("it cannot be read ({error})"));
        let mut file = self.file.try_clone().map_err(failed)?;
        let read = move || {
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(length as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(bytes) => bytes.map_err(failed),
            Err(error) => Err(ReadError(format!("it cannot be read ({error})"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str) -> SourceFile {
        let (path, root) = (folder.join(name), folder.to_owned());
        SourceFile { name: format!("./{name}"), path, root, content: None }
    }

    fn aged(path: &Path) {
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }

    #[test]
    fn a_file_is_hashed_once_and_again_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (ana, remembered) = (file(folder.path(), "ana.mp4"), folder.path().join("state").join(HASHES_FILE));
        let content = || {
            let (mut hashes, mut hashed) = (Hashes::load(&remembered), 0);
            let content = hashes.of(&ana, &mut hashed).unwrap();
            hashes.save(&remembered);
            (content.sha256, hashed)
        };
        std::fs::write(&ana.path, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(content(), (abc.clone(), 3), "it was written a moment ago, and may change within this tick");
        assert_eq!(content(), (abc.clone(), 3));
        aged(&ana.path);
        assert_eq!(content(), (abc.clone(), 3));
        assert_eq!(content(), (abc, 0), "it is remembered");
        std::fs::write(&ana.path, "abd").unwrap();
        aged(&ana.path);
        assert_eq!(content().1, 3, "of the same length, and with an old time: its number or its time of change tells");
        std::fs::write(&remembered, "no JSON").unwrap();
        assert_eq!(content().1, 3, "what cannot be read is not remembered");
    }

    #[test]
    fn a_file_that_comes_grows_or_goes_has_another_stamp_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let ana = file(folder.path(), "ana.mp4");
        let path = ana.path.clone();
        let mut world = crate::plan::tests::world::World::agreeing().declared("ana");
        world.wants("ana").training = Some(TrainingInput::Video { source: TrainingSource::File(ana) });
        let stamp = || stamps(&world.desired);
        let none = stamp();
        std::fs::write(&path, "abc").unwrap();
        aged(&path);
        let half = stamp();
        assert_eq!(half, stamp(), "nobody writes it");
        std::fs::write(&path, "abcdef").unwrap();
        aged(&path);
        let whole = stamp();
        std::fs::write(&path, "ghijkl").unwrap();
        let other = stamp();
        let distinct = std::collections::BTreeSet::from([&none, &half, &whole, &other]);
        assert_eq!(distinct.len(), 4);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(stamp(), none);
    }

    #[test]
    fn a_pointer_of_git_lfs_is_what_it_stands_for() {
        let folder = tempfile::tempdir().unwrap();
        let ana = file(folder.path(), "ana.mp4");
        let (hash, mut hashes) =
            ("4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393", Hashes::default());
        std::fs::write(
            &ana.path,
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize 12345\n"),
        )
        .unwrap();
        let content = hashes.of(&ana, &mut 0).unwrap();
        assert_eq!(content, FileContent { sha256: hash.to_owned(), length: 12345, is_pointer: true });
        std::fs::write(&ana.path, "version https://git-lfs.github.com/spec/v1\noid sha256:no\nsize 12345\n").unwrap();
        assert!(!hashes.of(&ana, &mut 0).unwrap().is_pointer);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_project_is_not_followed() {
        let (project, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("secret"), "hush").unwrap();
        std::fs::write(project.path().join("inside"), "ours").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("secret"), project.path().join("out")).unwrap();
        std::os::unix::fs::symlink("inside", project.path().join("in")).unwrap();
        assert!(open(&file(project.path(), "out")).unwrap_err().to_string().contains("leads out"));
        assert!(open(&file(project.path(), "in")).is_ok());
        assert!(open(&file(project.path(), ".")).unwrap_err().to_string().contains("no plain file"));
    }

    #[tokio::test]
    async fn parts_of_a_file_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let ana = file(folder.path(), "ana.mp4");
        std::fs::write(&ana.path, "0123456789").unwrap();
        let local = LocalFile::open(&ana).unwrap();
        assert_eq!(local.length(), Some(10));
        assert_eq!(local.read_at(3, 4).await.unwrap(), b"3456");
        assert_eq!(local.read_at(8, 4).await.unwrap(), b"89");
        assert_eq!(local.read_at(80, 4).await.unwrap(), b"");
    }
}
