//! Files written as a whole or not at all, and opened without following a link.
//!
//! A checkout comes from strangers. Git can carry a link at any path, so a name that can be guessed may lead to any
//! file of the user. Everything that facectl writes by itself goes through here.
//!
//! # Guarantees
//! - A reader sees the old file or the new one, never a part, also after a power cut: the bytes are on disk before the
//!   name is, and the name is on disk when the call returns.
//! - The new file is made beside the old one under a random name that did not exist before.
//! - A link at the target is never followed: [`replace`] replaces the link itself, the opening functions refuse it.
//!
//! # Caveats
//! The folders above the target are followed, links included. [`find_link`] checks a folder of ours first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Who may use a file that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode<'a> {
    /// Whoever the process lets by default (umask).
    Default,
    /// The owner alone.
    Private,
    /// As the file that it replaces: permissions, and the owner where the system allows that.
    Like(&'a fs::Metadata),
}

/// Replaces a file, or creates it. A link at `path` is replaced, not followed.
///
/// # Errors
/// When the folder cannot be written; the file is then unchanged.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: Mode<'_>) -> io::Result<()> {
    let written = write_beside(path, bytes, mode)?;
    put(written, path)
}

/// As [`replace`], if `is_unchanged` still holds once the new content is on disk. Returns whether it did.
///
/// # Errors
/// As [`replace`], and those of `is_unchanged`.
pub(crate) fn replace_if(
    path: &Path,
    bytes: &[u8],
    mode: Mode<'_>,
    is_unchanged: impl FnOnce() -> io::Result<bool>,
) -> io::Result<bool> {
    let written = write_beside(path, bytes, mode)?;
    match is_unchanged()? {
        true => put(written, path).map(|()| true),
        false => Ok(false),
    }
}

/// Creates a file with all of its content; returns `false` and changes nothing where something has that name already,
/// be it a link to nowhere.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    let written = write_beside(path, bytes, Mode::Default)?;
    match written.persist_noclobber(path) {
        Ok(_) => sync_folder(path).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Some file systems can neither link nor rename without replacing.
        Err(_) => create_in_place(path, bytes),
    }
}

fn create_in_place(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // Half a file would be kept by the next run as if somebody had written it.
    written.inspect_err(|_| drop(fs::remove_file(path)))?;
    sync_folder(path).map(|()| true)
}

fn write_beside(path: &Path, bytes: &[u8], mode: Mode<'_>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(".tmp");
    // Without it the file is for its owner alone. The umask takes away what the user wants taken away.
    #[cfg(unix)]
    if !matches!(mode, Mode::Private) {
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(bytes)?;
    if let Mode::Like(metadata) = mode {
        file.as_file().set_permissions(metadata.permissions())?;
        keep_owner(file.as_file(), metadata);
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// How the names of files begin that are still being written. A killed process may leave one.
const TEMPORARY_PREFIX: &str = ".facectl-";

fn put(written: NamedTempFile, path: &Path) -> io::Result<()> {
    written.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Opens a file for appending, and creates it where it is missing.
///
/// # Errors
/// When it cannot be opened, is a link, or is not a plain file.
pub(crate) fn open_append(path: &Path) -> io::Result<File> {
    open_plain(OpenOptions::new().append(true).create(true), path)
}

/// Opens a file to take a lock on, and creates it where it is missing. Its content stays.
///
/// # Errors
/// As [`open_append`].
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    open_plain(OpenOptions::new().write(true).create(true).truncate(false), path)
}

/// Opens a file, empty, for writing.
///
/// # Errors
/// As [`open_append`].
pub(crate) fn open_empty(path: &Path) -> io::Result<File> {
    // Emptied once it is known what was opened.
    let file = open_lock(path)?;
    file.set_len(0)?;
    Ok(file)
}

fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    no_follow(options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(_) if is_link(path) => return Err(link_error(path)),
        Err(error) => return Err(error),
    };
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")),
    }
}

/// Reads a whole file that must not be a link.
///
/// # Errors
/// When it cannot be read, is a link, or is not a plain file.
pub(crate) fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = open_plain(OpenOptions::new().read(true), path)?;
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}

/// Checks that a file can be written beside `path`, and leaves nothing behind.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    tempfile::Builder::new().prefix(TEMPORARY_PREFIX).suffix(".tmp").tempfile_in(folder_of(path)).map(drop)
}

/// Refuses a name that stands for a link.
///
/// # Errors
/// When it does.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    if is_link(path) { Err(link_error(path)) } else { Ok(()) }
}

/// Returns whether a name stands for a link, whatever lies behind it.
pub(crate) fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

fn link_error(path: &Path) -> io::Error {
    let to = fs::read_link(path).map_or_else(|_| String::new(), |to| format!(" to {}", to.display()));
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is a link{to}, and facectl does not follow links here"))
}

/// Returns the first link in a folder, or the folder itself where it is one. Searches every folder that `descends` lets
/// in; what cannot be read is left to whoever opens it.
pub(crate) fn find_link(folder: &Path, descends: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).follow_links(false).follow_root_links(false).into_iter();
    let entered = walk.filter_entry(|entry| entry.depth() <= 1 || entry.path().parent().is_none_or(&descends));
    entered.flatten().find(|entry| entry.path_is_symlink()).map(walkdir::DirEntry::into_path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(folder_of(path))?.sync_all() {
        // Some network file systems cannot sync a folder; they have the name once `rename` returned.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn keep_owner(file: &File, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Only the administrator may, and only then it matters.
    let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

#[cfg(unix)]
fn no_follow(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    // Without NONBLOCK a named pipe at this place would hold the run up for ever.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(windows)]
fn no_follow(options: &mut OpenOptions) {
    use std::os::windows::fs::OpenOptionsExt;
    // FILE_FLAG_OPEN_REPARSE_POINT ("CreateFileW", Microsoft): the link itself is opened, which is no plain file.
    options.custom_flags(0x0020_0000);
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn content(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        replace(&path, b"one", Mode::Default).unwrap();
        replace(&path, b"two", Mode::Private).unwrap();
        assert_eq!(content(&path), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(!replace_if(&path, b"three", Mode::Default, || Ok(false)).unwrap());
        assert_eq!((content(&path), fs::read_dir(folder.path()).unwrap().count()), ("two".to_owned(), 1));
    }

    #[test]
    fn what_is_there_is_not_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        assert!(create(&path, b"one").unwrap());
        assert!(!create(&path, b"two").unwrap());
        assert_eq!(content(&path), "one");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (precious, link) = (folder.path().join("precious"), folder.path().join("link"));
        for target in [precious.clone(), folder.path().join("nowhere")] {
            fs::write(&precious, "keep").unwrap();
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(&target, &link).unwrap();
            assert!(!create(&link, b"new").unwrap());
            for opened in [open_append(&link), open_lock(&link), open_empty(&link)] {
                assert!(opened.unwrap_err().to_string().contains("is a link to "));
            }
            assert!(read_plain(&link).is_err());
            assert_eq!(find_link(folder.path(), |_| true).as_ref(), Some(&link));
            replace(&link, b"new", Mode::Default).unwrap();
            assert_eq!((content(&link).as_str(), content(&precious).as_str()), ("new", "keep"));
            assert!(!folder.path().join("nowhere").exists());
            assert_eq!(find_link(folder.path(), |_| true), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn permissions_follow_what_was_asked_for() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"", Mode::Private).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        replace(&path, b"x", Mode::Like(&before)).unwrap();
        assert_eq!(mode(), 0o640);
        replace(&path, b"y", Mode::Default).unwrap();
        assert_eq!(mode() & 0o600, 0o600);
    }
}
