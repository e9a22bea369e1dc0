//! Reads and resolves the files, several at once: nothing that is in one of them changes what another one says.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::diagnostic::{Diagnostic, Place};
use super::discover::{Found, Met};
use super::document::{API_VERSION, FaceDocument};
use super::foreign::{is_foreign, looks_like_ours, mentions_us, not_ours};
use super::locate::locate;
use super::lost::place_in_project;
use super::project::{Defaults, PROJECT_FILE, Project};
use super::resolve::{self, ResolvedFace};
use super::resolver::{Known, Resolver, kind_of};
use super::shape::{FACE, Walk};
use super::source::{Source, read, read_file};
use super::tree::{Document, Documents, Kind, Node};
use super::typed;
use super::variables::Variables;

/// The code of a file that says nothing.
pub(super) const EMPTY: &str = "facectl::empty";

/// How many files are worth a thread of their own: to start one takes as long as to read some of them.
const FILES_A_THREAD: usize = 64;
/// As much as the main thread has: how deep a manifest may nest was chosen for that.
const STACK: usize = 8 * 1024 * 1024;

/// What is the same for all files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) cwd: &'a Path,
    pub(super) project: Option<&'a Project>,
}

/// What is in one file.
#[derive(Default)]
pub(super) struct FileRead {
    /// Its text, where it is ours.
    pub(super) source: Option<Arc<Source>>,
    /// What is wrong with it, and what is worth knowing.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Its faces, in order; each lacks what is wrong with it.
    pub(super) faces: Vec<ResolvedFace>,
}

type Text = Result<Source, Box<Diagnostic>>;

impl Reader<'_> {
    /// Reads all files and returns what is in them, in their order.
    pub(super) fn all(self, files: &[Found], stdin: Box<dyn io::Read>) -> Vec<FileRead> {
        // Standard input is read here: it cannot go to another thread, and stands among the files once at most.
        let streamed = files.iter().find(|file| file.path.is_none()).map(|file| read(stdin, &file.name));
        let (streamed, next) = (Mutex::new(streamed), AtomicUsize::new(0));
        let work = || {
            let mut done = Vec::new();
            while let number = next.fetch_add(1, Ordering::Relaxed)
                && let Some(file) = files.get(number)
            {
                let text = match &file.path {
                    Some(path) => Some(read_file(path, &file.name)),
                    None => streamed.lock().unwrap_or_else(PoisonError::into_inner).take(),
                };
                done.push((number, text.map(|text| self.file(file, text)).unwrap_or_default()));
            }
            done
        };
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let helpers = cores.min(files.len() / FILES_A_THREAD).saturating_sub(1);
        let mut done = thread::scope(|scope| {
            let thread = || thread::Builder::new().name("manifests".to_owned()).stack_size(STACK);
            // Where no thread can be had, fewer do the same.
            let helpers: Vec<_> = (0..helpers).filter_map(|_| thread().spawn_scoped(scope, work).ok()).collect();
            let mut done = work();
            for helper in helpers {
                done.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, file)| file).collect()
    }

    fn file(self, file: &Found, text: Text) -> FileRead {
        let mut read = FileRead::default();
        let source = match text {
            Ok(source) => source,
            Err(diagnostic) => {
                read.diagnostics.push(*diagnostic);
                return read;
            }
        };
        if file.by != Met::Named && !looks_like_ours(source.text()) {
            read.diagnostics.push(not_ours(Place::whole(file.name.clone()), file.by));
            return read;
        }
        let mut walk = FileWalk {
            reader: self,
            file,
            source: &source,
            variables: Variables::of(self.variables),
            out: Vec::new(),
            faces: Vec::new(),
        };
        let mut documents = Documents::of(&source);
        let mut before = 0;
        let mut count = 0;
        let mut is_ours = file.by == Met::Named || mentions_us(source.text());
        while let Some(document) = documents.next(&mut walk.out) {
            if let Some(root) = &document.root {
                count += 1;
                if file.by != Met::Named && is_foreign(root) {
                    // Another tool's document may use what a manifest must not, such as tags.
                    walk.out.truncate(before);
                    walk.out.push(not_ours(source.place(typed::first_key(root)), file.by));
                } else {
                    is_ours = true;
                    let is_clean = walk.out.len() == before;
                    walk.document(&document, root, is_clean);
                }
            }
            before = walk.out.len();
        }
        if count == 0 && walk.out.is_empty() {
            let message = "there is nothing in it but comments";
            walk.out.push(Diagnostic::warning(EMPTY, Place::whole(file.name.clone()), message));
        }
        let FileWalk { out: mut diagnostics, faces, .. } = walk;
        if !is_ours {
            diagnostics.iter_mut().for_each(|one| one.hides_line = true);
        }
        FileRead { source: Some(Arc::new(source)), diagnostics, faces }
    }
}

/// The way through the documents of one file.
struct FileWalk<'a> {
    reader: Reader<'a>,
    file: &'a Found,
    source: &'a Source,
    variables: Variables<'a>,
    out: Vec<Diagnostic>,
    faces: Vec<ResolvedFace>,
}

impl FileWalk<'_> {
    fn document(&mut self, document: &Document, root: &Node, is_clean: bool) {
        if !matches!(root.kind, Kind::Map(_)) {
            let help = format!("begin with `apiVersion: {API_VERSION}` and `kind: Face`");
            let place = self.source.place(typed::first_key(root));
            return self
                .out
                .push(Diagnostic::error("facectl::wrong-type", place, "a manifest is a map of fields").help(help));
        }
        match kind_of(&mut self.resolver(root)) {
            None => {}
            Some(Known::Project) => {
                let place = self.source.place(typed::first_key(root));
                let message = format!("a Project can only stand in {PROJECT_FILE}");
                self.out.push(
                    Diagnostic::error("facectl::misplaced-project", place, message)
                        .help(format!("move it to {PROJECT_FILE} at the root of the repository")),
                );
            }
            Some(Known::Face) => self.face(document, root, is_clean),
        }
    }

    fn face(&mut self, document: &Document, root: &Node, is_clean: bool) {
        let Reader { cwd, project, .. } = self.reader;
        let before = self.out.len();
        let Some(kept) = Walk::new(self.source, &mut self.out).check(root, &FACE) else { return };
        let is_clean = is_clean && self.out.len() == before;
        let typed = typed::read(self.source, document, root, kept, is_clean, &mut self.out);
        let Some(typed): Option<FaceDocument> = typed else { return };
        let built_in = Defaults::default();
        let defaults = project.map_or(&built_in, |project| &project.settings.defaults);
        let folder = self.file.path.as_deref().and_then(Path::parent).unwrap_or(cwd);
        let mut resolver = self.resolver(root);
        let mut resolved = resolve::face(&mut resolver, &typed, defaults, is_clean);
        locate(&mut resolver, &mut resolved, folder, project.map_or(cwd, |project| &project.root));
        if let Some(face) = &mut resolved.face {
            let root = project.map_or(cwd, |project| &project.root);
            face.manifest = self.file.path.as_deref().and_then(|path| place_in_project(path, root));
        }
        let (is_said, is_sound) = (self.out.len() > before || !is_clean, resolved.face.is_some());
        if !is_said && !is_sound {
            // Cannot happen; but a face that is dropped without a word would look as if it were no longer wanted.
            let place = self.source.place(typed::first_key(root));
            let message = "this face cannot be used, for a reason that facectl failed to name";
            self.out.push(Diagnostic::error("facectl::internal", place, message).help("please report this"));
        }
        // A file mostly holds one, and push alone makes room for four.
        if self.faces.is_empty() {
            self.faces.reserve_exact(1);
        }
        self.faces.push(resolved);
    }

    fn resolver<'b>(&'b mut self, root: &'b Node) -> Resolver<'b> {
        Resolver { source: self.source, root, variables: &self.variables, out: &mut self.out }
    }
}
