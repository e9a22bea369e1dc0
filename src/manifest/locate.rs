//! Where the files are that faces are trained from: seen from the manifest, and never outside of the project.
//!
//! Whether a file is there, and what is in it, is found out by who needs it: a face that was trained long ago needs no file
//! any more. Where it is there, its links are followed, so that what must not be sent is refused with its manifest.

use std::path::{Component, Path, PathBuf};

use crate::boundary::{Beyond, refuses_material};
use crate::face::{SourceFile, SourceKind, TrainingInput, TrainingSource};

use super::resolve::{IMAGE, ResolvedFace, VIDEO};
use super::resolver::Resolver;

/// Says where the file of a face is, where it is trained from one. `folder` is where its manifest lies, `root` is the
/// project's. One that leads out of the project is refused: a checkout must not be able to send a runner's own files away.
pub(super) fn locate(resolver: &mut Resolver<'_>, resolved: &mut ResolvedFace, folder: &Path, root: &Path) {
    let Some(training) = resolved.face.as_mut().and_then(|face| face.spec.training.as_mut()) else { return };
    let path = if training.kind() == SourceKind::Video { VIDEO } else { IMAGE };
    let source = match training {
        TrainingInput::Video { source } | TrainingInput::Image { source, .. } => source,
    };
    let TrainingSource::File(file) = source else { return };
    // A manifest that was named from elsewhere has its files beside it.
    let root = if folder.starts_with(root) { root } else { folder };
    let located = below(folder, &file.name, root).ok_or(Beyond::Outside);
    let located = located.and_then(|(path, name)| match refuses_material(root, &path) {
        Some(beyond) => Err(beyond),
        None => Ok((path, name)),
    });
    let beyond = match located {
        Ok((path, name)) => {
            *file = SourceFile { name, path, root: root.to_owned(), content: file.content.take() };
            return;
        }
        Err(beyond) => beyond,
    };
    let what = match beyond {
        Beyond::Outside => "leads out of the project",
        Beyond::Hidden => "is hidden, or lies in a hidden folder, and no face is trained from such a file",
    };
    let message = format!("`{}` {what}", super::shape::clipped(&file.name));
    let help = match beyond {
        Beyond::Outside => "put the file below the folder of facectl.yaml, or name an object (s3://BUCKET/KEY)",
        Beyond::Hidden => "put the file into a folder such as `media/`, or name an object (s3://BUCKET/KEY)",
    };
    resolver.say("facectl::outside", resolver.place(&path), message, Some(help.to_owned()));
    resolved.face = None;
}

/// Returns a path seen from a folder, and its name from the root on; none where it leads out of the root.
fn below(folder: &Path, name: &str, root: &Path) -> Option<(PathBuf, String)> {
    let mut parts: Vec<&std::ffi::OsStr> = folder.strip_prefix(root).ok()?.iter().collect();
    for part in Path::new(name).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(part) => parts.push(part),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let below: PathBuf = parts.iter().collect();
    let shown = parts.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    Some((root.join(below), format!("./{shown}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_seen_from_its_manifest_and_stays_in_the_project() {
        for (folder, name, expected) in [
            ("/p/faces", "./ana.mp4", Some("./faces/ana.mp4")),
            ("/p/faces", "../media/ana.mp4", Some("./media/ana.mp4")),
            ("/p", "./media/../ana.mp4", Some("./ana.mp4")),
            ("/p/faces", "../../etc/passwd", None),
            ("/p", "../p/ana.mp4", None),
            ("/elsewhere", "./ana.mp4", None),
        ] {
            let found = below(Path::new(folder), name, Path::new("/p"));
            assert_eq!(found.map(|(_, name)| name).as_deref(), expected, "{folder} {name}");
        }
    }
}
