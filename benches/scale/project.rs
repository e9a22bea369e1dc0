//! A project with as many faces as are asked for.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

pub(crate) struct Project {
    folder: TempDir,
    size: usize,
    per_file: usize,
}

impl Project {
    pub(crate) fn new(size: usize, per_file: usize) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("faces")).unwrap();
        let about =
            "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: scale }\nspec:\n  manifests: [faces/]\n";
        fs::write(folder.path().join("facectl.yaml"), about).unwrap();
        let project = Self { folder, size, per_file };
        for file in 0..size.div_ceil(per_file) {
            project.write(file, |_| false);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes so many faces, evenly spread: every other one gets another name, and the rest another recording.
    pub(crate) fn change(&self, count: usize) {
        let every = self.size / count;
        let is_changed = |number: usize| number.is_multiple_of(every);
        for file in 0..self.size.div_ceil(self.per_file) {
            if self.numbers(file).any(is_changed) {
                self.write(file, is_changed);
            }
        }
    }

    fn numbers(&self, file: usize) -> std::ops::Range<usize> {
        file * self.per_file..((file + 1) * self.per_file).min(self.size)
    }

    fn write(&self, file: usize, is_changed: impl Fn(usize) -> bool) {
        let mut text = String::new();
        for number in self.numbers(file) {
            let (is_renamed, is_recorded) =
                (is_changed(number) && number % 2 == 0, is_changed(number) && number % 2 == 1);
            let name = if is_renamed { "Speaker, promoted," } else { "Speaker" };
            let take = if is_recorded { "take-2" } else { "take-1" };
            let separator = if text.is_empty() { "" } else { "---\n" };
            write!(
                text,
                "{separator}apiVersion: facectl.dev/v1
kind: Face
metadata:
  name: speaker-{number:06}
  labels: {{ team: team-{team}, region: europe }}
spec:
  face_name: {name} {number}
  model_name: phoenix-4
  train_video_url: https://media.example.com/recordings/{number:06}/{take}.mp4
",
                team = number % 7
            )
            .unwrap();
        }
        fs::write(self.path().join(format!("faces/{file:06}.yaml")), text).unwrap();
    }
}
