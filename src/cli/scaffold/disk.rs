//! Writing without ever overwriting.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::files;

use super::What;

/// Creates a file with all of its text, unless it is there.
pub(super) fn create(path: &Path, text: &str) -> io::Result<What> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    Ok(if files::create(path, text.as_bytes())? { What::Wrote } else { What::Kept })
}

/// Adds a line at the end of a file, unless one that does the same is there: one that begins with `line` or with one of
/// `same` as its first word, with or without a slash behind it.
pub(super) fn add_line(path: &Path, line: &'static str, same: &[&str]) -> io::Result<What> {
    let text = match files::read_plain(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path, &format!("{line}\n")),
        Err(error) => return Err(error),
    };
    let first_word = |line: &str| line.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned();
    let is_there = |other: &str| other.trim() == line || same.contains(&first_word(other).as_str());
    if text.trim_start_matches('\u{FEFF}').lines().any(is_there) {
        return Ok(What::Kept);
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    files::open_append(path)?.write_all(format!("{gap}{line}{end}").as_bytes())?;
    Ok(What::Added(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_added_once_and_in_the_manner_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".gitignore");
        for (before, after) in [
            ("", ".facectl/\n"),
            ("/target", "/target\n.facectl/\n"),
            ("/target\r\n", "/target\r\n.facectl/\r\n"),
            ("# .facectl/\n", "# .facectl/\n.facectl/\n"),
            (".facectl-old/\n", ".facectl-old/\n.facectl/\n"),
            (".facectl\n", ".facectl\n"),
            ("  /.facectl/  \nx\n", "  /.facectl/  \nx\n"),
            ("**/.facectl/\n", "**/.facectl/\n"),
        ] {
            for _ in 0..2 {
                if fs::read_to_string(&path).ok().as_deref() != Some(after) {
                    fs::write(&path, before).unwrap();
                }
                add_line(&path, ".facectl/", &[".facectl", "/.facectl", "**/.facectl"]).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), after, "{before:?}");
            }
        }
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/file");
        assert_eq!(create(&path, "one").unwrap(), What::Wrote);
        assert_eq!(create(&path, "two").unwrap(), What::Kept);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left lying about");
    }
}
