//! The whole way: find the project, find the files, read them, resolve them, compare them with each other.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::face::{Desired, DesiredFace, FaceId, FaceKey, ProjectName, Token};

use super::diagnostic::{Diagnostic, Place, Severity, sort};
use super::digest;
use super::discover::{self, Collector, Found};
use super::document::ProjectDocument;
use super::entries::STDIN;
use super::foreign::mentions_us;
use super::lost::{self, Skipped};
use super::project::{self, PROJECT_FILE, Project, ProjectOverrides, ProjectSettings};
use super::reading::{FileRead, Reader};
use super::resolve::ResolvedFace;
use super::resolver::{Known, Resolver, kind_of};
use super::shape::{PROJECT, Walk, clipped};
use super::source::{Source, Sources, read_file};
use super::tree::{Document, Documents, Node};
use super::typed;
use super::variables::Variables;

/// What to load.
pub struct LoadRequest {
    /// Files, folders, patterns and `-` for standard input, seen from `cwd`. Empty: what the project's
    /// `spec.manifests` names, else the project's folder, else `cwd`.
    pub paths: Vec<String>,
    /// The project file (`--project-file`); `None`: it is looked for.
    pub project_file: Option<PathBuf>,
    /// Where facectl runs.
    pub cwd: PathBuf,
    /// The variables that manifests may use: only those whose name begins with [`super::VARIABLE_PREFIX`] count.
    pub variables: BTreeMap<String, String>,
    /// Standard input; read only if `-` is named, and never beyond [`super::FILE_LIMIT`].
    pub stdin: Box<dyn io::Read>,
    /// What flags and environment set over the project file.
    pub overrides: ProjectOverrides,
}

impl fmt::Debug for LoadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paths, project_file, cwd, variables, stdin: _, overrides } = self;
        f.debug_struct("LoadRequest")
            .field("paths", paths)
            .field("project_file", project_file)
            .field("cwd", cwd)
            // Their values may be secret.
            .field("variables", &variables.keys())
            .field("overrides", overrides)
            .finish_non_exhaustive()
    }
}

/// Everything that was wanted, and nothing wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// The project.
    pub project: Project,
    /// What the manifests ask for.
    pub desired: Desired,
    /// Files read, the project file not among them.
    pub files: usize,
    /// Documents in them that are faces.
    pub documents: usize,
    /// What is worth knowing.
    pub warnings: Vec<Diagnostic>,
    /// Files and folders that were skipped; the warnings say why.
    pub skipped: Vec<Skipped>,
    /// What the project file names and is not there, where that is no error.
    pub(super) gone: Vec<Arc<str>>,
    /// The folder that names are seen from.
    pub(super) cwd: PathBuf,
    /// The texts, for showing the warnings.
    pub sources: Sources,
}

/// The manifests cannot be used.
#[derive(Debug)]
pub struct Rejected {
    /// What is wrong, errors and warnings, sorted by place. At least one is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, for showing them.
    pub sources: Sources,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
        write!(f, "{count} {} in the manifests", if count == 1 { "problem" } else { "problems" })
    }
}

impl std::error::Error for Rejected {}

/// Loads the manifests.
///
/// # Errors
/// When anything is wrong with anything: all of it, to be shown by [`super::render_text`] or [`super::to_json`].
pub fn load(request: LoadRequest) -> Result<Loaded, Rejected> {
    load_extent(request, Extent::Faces)
}

/// Loads the manifests where there are any, for who is about to write the first.
///
/// # Errors
/// As [`load`], but that nothing is declared yet is no error, nor that what the project names is not there yet.
pub fn load_if_any(request: LoadRequest) -> Result<Loaded, Rejected> {
    load_extent(request, Extent::FacesIfAny)
}

/// Loads the manifests, where a project may have none left: for what looks after faces that nobody declares any more.
///
/// # Errors
/// As [`load`], but that a project with a file of its own declares nothing is no error.
pub fn load_also_none(request: LoadRequest) -> Result<Loaded, Rejected> {
    load_extent(request, Extent::FacesOfProject)
}

/// Loads the manifests of another time: whatever is named now may not have been there.
///
/// # Errors
/// As [`load`], but that something is not there is no error.
pub fn load_as_it_was(request: LoadRequest) -> Result<Loaded, Rejected> {
    load_extent(request, Extent::FacesThen)
}

/// Loads the project's settings and no manifest, for what asks the API alone.
///
/// # Errors
/// When anything is wrong with the project file.
pub fn load_project(request: LoadRequest) -> Result<Loaded, Rejected> {
    load_extent(request, Extent::Project)
}

/// How much is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The project and at least one face.
    Faces,
    /// The project and the faces there are.
    FacesIfAny,
    /// As that, also where the paths name what is not there.
    FacesThen,
    /// As the ones there are, where a project file says that this is the right folder.
    FacesOfProject,
    /// The project.
    Project,
}

fn load_extent(request: LoadRequest, extent: Extent) -> Result<Loaded, Rejected> {
    let mut loader =
        Loader { sources: Sources::default(), out: Vec::new(), variables: request.variables, cwd: request.cwd.clone() };
    let found = loader.project(&request.paths, request.project_file, &request.cwd, request.overrides);
    let files = match extent {
        Extent::Project => Vec::new(),
        Extent::Faces | Extent::FacesIfAny | Extent::FacesThen | Extent::FacesOfProject => {
            loader.collect(&request.paths, &request.cwd, &found)
        }
    };
    let may_be_empty = match extent {
        Extent::Faces => false,
        Extent::FacesOfProject => found.as_ref().is_some_and(|project| !project.is_default),
        Extent::FacesIfAny | Extent::FacesThen | Extent::Project => true,
    };
    let mut gone = Vec::new();
    if may_be_empty {
        // A folder in which the last manifest was is not kept by git. What is named on the command line is there now.
        let may_be_gone = request.paths.is_empty() || extent == Extent::FacesThen;
        let is_gone = |code: &str| code == "facectl::not-found" && may_be_gone;
        gone.extend(loader.out.iter().filter(|one| is_gone(one.code)).map(|one| Arc::clone(&one.place.file)));
        loader.out.retain(|one| one.code != "facectl::no-manifests" && !is_gone(one.code));
    }
    let mut faces = Faces::default();
    let Loader { mut sources, mut out, variables, cwd } = loader;
    let reader = Reader { variables: &variables, cwd: &cwd, project: found.as_ref() };
    for file in reader.all(&files, request.stdin) {
        let FileRead { source, diagnostics, faces: resolved } = file;
        if let Some(source) = source {
            sources.push(source);
        }
        out.extend(diagnostics);
        for face in resolved {
            faces.take(face, &mut out);
        }
    }
    if let Some(project) = &found {
        clashes(&project.name, &faces, &mut out);
    }
    if !may_be_empty && faces.keys.is_empty() && out.iter().all(|one| one.severity != Severity::Error) {
        out.push(nothing_wanted(files.len()));
    }
    sort(&mut out);
    match found {
        Some(project) if out.iter().all(|one| one.severity != Severity::Error) => {
            let naming = project.settings.naming;
            let faces: BTreeMap<FaceKey, DesiredFace> = faces.sound.into_iter().collect();
            let digest = digest::of(&project.name, naming, &faces);
            let documents = faces.len();
            let desired = Desired { project: project.name.clone(), naming, faces, digest };
            let skipped = lost::skipped(&out);
            Ok(Loaded { project, desired, files: files.len(), documents, warnings: out, skipped, gone, cwd, sources })
        }
        _ => Err(Rejected { diagnostics: out, sources }),
    }
}

/// What was resolved so far.
#[derive(Default)]
struct Faces {
    /// In the order in which they were read; a map that is made of all at once is smaller.
    sound: Vec<(FaceKey, DesiredFace)>,
    /// Every key, also of faces with something else wrong, with its first place.
    keys: BTreeMap<FaceKey, Place>,
    /// Every live face that is named by its id, with its first place.
    named: BTreeMap<FaceId, Place>,
}

impl Faces {
    /// Adds one face, unless its key or its live face is that of another one already.
    fn take(&mut self, resolved: ResolvedFace, out: &mut Vec<Diagnostic>) {
        if let Some((id, place)) = resolved.named {
            match self.named.entry(id) {
                Slot::Occupied(first) => out.push(
                    Diagnostic::error(
                        "facectl::duplicate-id",
                        place,
                        format!("two keys claim the face {}", first.key()),
                    )
                    .related(first.get().clone(), "the first of them")
                    .help("a live face belongs to one key; correct the id, or remove one of the two"),
                ),
                Slot::Vacant(slot) => {
                    slot.insert(place);
                }
            }
        }
        let Some((key, place)) = resolved.key else { return };
        match self.keys.entry(key) {
            Slot::Occupied(first) => out.push(
                Diagnostic::error(
                    "facectl::duplicate-name",
                    place,
                    format!("two faces are called `{}`", clipped(first.key().as_str())),
                )
                .related(first.get().clone(), "the first of them")
                .help("a name is the identity of a face in the project; give one of them another name"),
            ),
            Slot::Vacant(slot) => {
                if let Some(face) = resolved.face {
                    self.sound.push((slot.key().clone(), face));
                }
                slot.insert(place);
            }
        }
    }
}

/// A run that wants no face at all is far more often a wrong folder than a wish, and every face that was ever
/// applied would look as if it had been given up.
fn nothing_wanted(files: usize) -> Diagnostic {
    let message = format!("none of the files that were read ({files}) holds a face");
    Diagnostic::error("facectl::no-manifests", Place::whole("."), message)
        .help("check the paths: a project declares at least one face; where none is left on purpose, `plan` and `apply` take --allow-empty")
}

/// Two keys with one owner part could not be told apart by their tokens.
fn clashes(project: &ProjectName, faces: &Faces, out: &mut Vec<Diagnostic>) {
    let mut owners: HashMap<String, (&FaceKey, &Place)> = HashMap::with_capacity(faces.keys.len());
    for (key, place) in &faces.keys {
        if let Some((other, first)) = owners.insert(Token::owner_of(project, key), (key, place)) {
            let message = format!("`{key}` and `{other}` would get the same creation token");
            out.push(
                Diagnostic::error("facectl::token-clash", place.clone(), message)
                    .related(first.clone(), "the other key")
                    .help("this happens once in thousands of projects; rename the newer of the two"),
            );
        }
    }
}

struct Loader {
    sources: Sources,
    out: Vec<Diagnostic>,
    variables: BTreeMap<String, String>,
    cwd: PathBuf,
}

impl Loader {
    /// Finds and reads the project; `None` if that fails, with the reasons said.
    fn project(
        &mut self,
        paths: &[String],
        file: Option<PathBuf>,
        cwd: &Path,
        overrides: ProjectOverrides,
    ) -> Option<Project> {
        let file = match file {
            Some(file) => Some(cwd.join(file)),
            None => match discover::project_file(paths, cwd) {
                Ok(file) => file,
                Err(diagnostic) => {
                    self.out.push(*diagnostic);
                    return None;
                }
            },
        };
        let ProjectOverrides { name: override_name, naming } = overrides;
        let is_default = file.is_none();
        let (root, (name, mut settings)) = match &file {
            None => (cwd.to_owned(), (default_name(), ProjectSettings::default())),
            Some(file) => {
                let root = file.parent().unwrap_or(cwd).to_owned();
                (root, self.project_file(file, cwd)?)
            }
        };
        settings.naming = naming.unwrap_or(settings.naming);
        // A file whose name is wrong was reported; the rest of the load still looks for more.
        let name = override_name.or(name).or_else(default_name)?;
        Some(Project { name, file, root, is_default, settings })
    }

    fn project_file(&mut self, file: &Path, cwd: &Path) -> Option<(Option<ProjectName>, ProjectSettings)> {
        let name = discover::shown(file, cwd);
        let source = match read_file(file, &name) {
            Ok(source) => self.sources.add(source),
            Err(diagnostic) => {
                self.out.push(*diagnostic);
                return None;
            }
        };
        let before = self.out.len();
        let project = self.project_documents(&source, &name);
        if !mentions_us(source.text()) {
            self.out.iter_mut().skip(before).for_each(|one| one.hides_line = true);
        }
        // Without a project the faces would be judged by the wrong defaults.
        project
    }

    fn project_documents(
        &mut self,
        source: &Source,
        name: &Arc<str>,
    ) -> Option<(Option<ProjectName>, ProjectSettings)> {
        let mut documents = Documents::of(source);
        let mut project = None;
        let mut errors = self.out.len();
        while let Some(document) = documents.next(&mut self.out) {
            let is_clean = self.out.len() == errors;
            if let Some(root) = &document.root {
                let kind = kind_of(&mut resolver(source, root, &Variables::of(&self.variables), &mut self.out));
                match kind {
                    Some(Known::Project) if project.is_none() => {
                        project = Some(self.project_document(source, &document, root, is_clean));
                    }
                    Some(Known::Project | Known::Face) => {
                        let place = source.place(typed::first_key(root));
                        let message = format!("{PROJECT_FILE} holds one document, the Project");
                        self.out.push(
                            Diagnostic::error("facectl::misplaced-face", place, message)
                                .help("put faces into files of their own, beside it or in a folder"),
                        );
                    }
                    None => {}
                }
            }
            errors = self.out.len();
        }
        if project.is_none() && self.out.is_empty() {
            let message = "there is no Project document in it";
            self.out.push(
                Diagnostic::error("facectl::no-project", Place::whole(Arc::clone(name)), message)
                    .help("write `kind: Project` with `metadata.name`, or remove the file"),
            );
        }
        project.flatten()
    }

    fn project_document(
        &mut self,
        source: &Source,
        document: &Document,
        root: &Node,
        is_clean: bool,
    ) -> Option<(Option<ProjectName>, ProjectSettings)> {
        let errors = self.out.len();
        let kept = Walk::new(source, &mut self.out).check(root, &PROJECT)?;
        let is_clean = is_clean && self.out.len() == errors;
        let typed: ProjectDocument = typed::read(source, document, root, kept, is_clean, &mut self.out)?;
        Some(project::resolve(&mut resolver(source, root, &Variables::of(&self.variables), &mut self.out), &typed))
    }

    fn collect(&mut self, paths: &[String], cwd: &Path, project: &Option<Project>) -> Vec<Found> {
        let root = project.as_ref().map_or(cwd, |project| &project.root);
        let file = project.as_ref().and_then(|project| project.file.as_deref());
        let manifests = project.as_ref().map(|project| project.settings.manifests.as_slice()).unwrap_or_default();
        // Where the project is unknown, so is what its manifests are.
        if project.is_none() && paths.is_empty() {
            return Vec::new();
        }
        let mut collector = Collector::new(cwd, root, file, &mut self.out);
        let add_project = |collector: &mut Collector<'_>| {
            collector.add_project(manifests, root);
        };
        if paths.is_empty() {
            add_project(&mut collector);
        }
        for text in paths {
            // To name the project's folder is to name the project.
            let is_project = file.is_some() && text != STDIN && is_folder(&cwd.join(text), root);
            if is_project {
                add_project(&mut collector);
            } else {
                collector.add(text, cwd);
            }
        }
        collector.finish()
    }
}

fn resolver<'a>(
    source: &'a Source,
    root: &'a Node,
    variables: &'a Variables<'a>,
    out: &'a mut Vec<Diagnostic>,
) -> Resolver<'a> {
    Resolver { source, root, variables, out }
}

/// The project where no file names one.
fn default_name() -> Option<ProjectName> {
    "default".parse().ok()
}

fn is_folder(path: &Path, folder: &Path) -> bool {
    matches!((path.canonicalize(), folder.canonicalize()), (Ok(path), Ok(folder)) if path == folder)
}
