//! A file replaced as a whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::super::diagnostic::{Diagnostic, Place};

/// Replaces the text of a file. Permissions stay, and so does a link: the file behind it is replaced. Nobody ever sees
/// half a file, whatever happens meanwhile.
pub(super) fn replace(path: &Path, name: &Arc<str>, before: &str, after: &str) -> Result<(), Box<Diagnostic>> {
    let failed = |error: &io::Error| {
        let message = format!("left as it is: it cannot be written: {error}");
        Box::new(
            Diagnostic::error("facectl::unwritable", Place::whole(Arc::clone(name)), message)
                .help("file and folder must both be writable; --check and --diff show what would change"),
        )
    };
    let target = fs::canonicalize(path).map_err(|error| failed(&error))?;
    let metadata = fs::metadata(&target).map_err(|error| failed(&error))?;
    if metadata.permissions().readonly() {
        return Err(failed(&io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only")));
    }
    let own = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = target.with_file_name(format!(".{own}.{}.tmp", std::process::id()));
    let result = written(&beside, after, &metadata).and_then(|()| {
        let now = fs::read(&target)?;
        if now == after.as_bytes() {
            // Somebody else did the same.
            return fs::remove_file(&beside);
        }
        if now != before.as_bytes() {
            return Err(io::Error::other("somebody else changed it meanwhile"));
        }
        fs::rename(&beside, &target)
    });
    result.map_err(|error| {
        // It may never have been made.
        let _ = fs::remove_file(&beside);
        failed(&error)
    })
}

fn written(beside: &Path, text: &str, metadata: &fs::Metadata) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(beside)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(metadata.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only the administrator may, and only then it matters.
        let _ = fchown(&file, Some(metadata.uid()), Some(metadata.gid()));
    }
    file.sync_all()
}
