//! Further forms of a result, written to files beside what goes to standard output.
//!
//! # Guarantees
//! Where a form is to be written is looked at before anything is sent or paid for. A file is replaced as a whole, or
//! stays as it was. What cannot be written at the end is told, and never hides how the run ended.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::files::{self, Mode};
use crate::plan::Plan;

use super::args::{ReportForm, ReportTarget};
use super::error::CliError;
use super::saved::is_plan_file;

/// What is to be written besides standard output, and what became of it.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The command, as it is typed.
    pub command: &'static str,
    /// Whether it is a rehearsal.
    pub is_rehearsal: bool,
    targets: Vec<ReportTarget>,
    plan: OnceLock<(Arc<Plan>, Timestamp)>,
    is_done: AtomicBool,
    is_refused: AtomicBool,
    has_failed: AtomicBool,
}

impl Delivery {
    /// Makes one of what a command line asks for.
    pub fn new(command: &'static str, is_rehearsal: bool, targets: Vec<ReportTarget>) -> Self {
        Self { command, is_rehearsal, targets, ..Self::default() }
    }

    /// Returns whether anything is to be written to files.
    pub fn has_targets(&self) -> bool {
        !self.targets().is_empty()
    }

    /// Once a file was refused, none is written: also not to tell of that.
    fn targets(&self) -> &[ReportTarget] {
        if self.is_refused.load(Ordering::Relaxed) { &[] } else { &self.targets }
    }

    /// Keeps the plan that is shown, for the case that the run fails before it has a result.
    pub fn note_plan(&self, plan: &Arc<Plan>, now: Timestamp) {
        // The first is the one that was shown.
        let _ = self.plan.set((Arc::clone(plan), now));
    }

    /// Returns the plan that was shown.
    pub fn plan(&self) -> Option<(&Plan, Timestamp)> {
        self.plan.get().map(|(plan, now)| (&**plan, *now))
    }

    /// Returns whether a result was delivered already.
    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Relaxed)
    }

    /// Notes that a result was delivered.
    pub fn note_done(&self) {
        self.is_done.store(true, Ordering::Relaxed);
    }

    /// Returns whether something could not be written.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Notes that something could not be written, which was told.
    pub fn note_failed(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Looks whether every file can be written.
    ///
    /// # Errors
    /// When one cannot; nothing was done yet.
    pub fn check(&self) -> Result<(), CliError> {
        self.checked().inspect_err(|_| self.is_refused.store(true, Ordering::Relaxed))
    }

    fn checked(&self) -> Result<(), CliError> {
        let mut taken = BTreeSet::new();
        for ReportTarget { form: _, path } in &self.targets {
            let shown = path.display();
            let refused = |why: String| {
                CliError::new(format!("cannot write a report to {shown}: {why}; nothing was done"))
                    .hint("--report takes FILE, or FORMAT=FILE")
            };
            if path.as_os_str() == "-" {
                return Err(refused("standard output is for --output".to_owned()));
            }
            if is_plan_file(path) {
                return Err(refused("a saved plan is there, and is left as it is".to_owned()));
            }
            let place = place(path).map_err(|error| refused(error.to_string()))?;
            if let Place::File(place) = &place
                && !taken.insert(place.clone())
            {
                return Err(refused("another report is to be written there".to_owned()));
            }
            tried(&place).map_err(|error| refused(error.to_string()))?;
        }
        Ok(())
    }

    /// Makes sure that no file is overwritten which the project is made of, or which the run writes otherwise, whether
    /// it is there yet or not. Of a folder nothing below it may be.
    ///
    /// # Errors
    /// When one would be; nothing was sent.
    pub fn spare<'a>(&self, files: impl Iterator<Item = &'a Path>) -> Result<(), CliError> {
        if self.targets.is_empty() {
            return Ok(());
        }
        let spared: BTreeSet<PathBuf> = files.filter_map(|file| whole(file).ok()).collect();
        for ReportTarget { form: _, path } in &self.targets {
            if whole(path).is_ok_and(|path| path.ancestors().any(|above| spared.contains(above))) {
                let shown = path.display();
                self.is_refused.store(true, Ordering::Relaxed);
                return Err(CliError::new(format!(
                    "cannot write a report to {shown}: that file is a part of the project, or of what this run writes; nothing was sent"
                ))
                .hint("give --report another name"));
            }
        }
        Ok(())
    }

    /// Writes every file; what cannot be written is returned, and the others are written.
    pub fn write(&self, render: impl Fn(ReportForm) -> String) -> Vec<CliError> {
        let one = |ReportTarget { form, path }: &ReportTarget| {
            let text = render(*form);
            place(path).and_then(|place| written(&place, text.as_bytes())).err().map(|error| {
                CliError::caused(format!("the report {} could not be written", path.display()), &error)
                    .hint("what was done stands as it is told here, and in `facectl state history`")
            })
        };
        self.targets().iter().filter_map(one).collect()
    }
}

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A file, which may not be there yet.
    File(PathBuf),
    /// A pipe or a device, which is only written to.
    Stream(PathBuf),
}

fn place(path: &Path) -> io::Result<Place> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(io::Error::other("it is a folder")),
        Ok(about) if !about.is_file() => Ok(Place::Stream(path.to_owned())),
        Ok(_) => Ok(Place::File(whole(path)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::File(whole(path)?)),
        Err(error) => Err(error),
    }
}

/// Returns the full path of a file that may not exist yet. The file itself must not be a link: a checkout that carries
/// one under this name would choose which file is overwritten.
fn whole(path: &Path) -> io::Result<PathBuf> {
    files::refuse_link(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let folder =
        fs::canonicalize(folder).map_err(|error| io::Error::new(error.kind(), format!("its folder: {error}")))?;
    Ok(folder.join(name))
}

/// Tries what will have to be done, and leaves nothing behind.
fn tried(place: &Place) -> io::Result<()> {
    match place {
        Place::File(path) => {
            if fs::metadata(path).is_ok_and(|about| about.permissions().readonly()) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
            }
            files::check_folder(path)
        }
        // To open a pipe could mean to wait for its reader.
        Place::Stream(_) => Ok(()),
    }
}

fn written(place: &Place, bytes: &[u8]) -> io::Result<()> {
    match place {
        Place::Stream(path) => OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Place::File(path) => match fs::metadata(path) {
            Ok(about) => files::replace(path, bytes, Mode::Like(&about)),
            Err(_) => files::replace(path, bytes, Mode::Default),
        },
    }
}
