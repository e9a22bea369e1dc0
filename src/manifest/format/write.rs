//! A file replaced as a whole, or not at all.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::files::{self, Mode};

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
    let result = files::replace_if(&target, after.as_bytes(), Mode::Like(&metadata), || {
        let now = fs::read(&target)?;
        match now == before.as_bytes() || now == after.as_bytes() {
            true => Ok(now == before.as_bytes()),
            false => Err(io::Error::other("it changed meanwhile")),
        }
    });
    // Not written: another program wrote the same text.
    result.map(drop).map_err(|error| failed(&error))
}
