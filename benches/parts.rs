//! The parts of a run, each alone: how long, and how often memory is asked for.
//!
//! `cargo bench --bench parts`; one part only: `cargo bench --bench parts -- listing`. Whole commands are measured by
//! `scale`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use divan::{AllocProfiler, Bencher, black_box};
use facectl::clock::SystemClock;
use facectl::face::{
    Attempt, Coverage, Desired, FaceKey, Observed, ObservedFace, OnRemoval, Ownership, Recorded, RecordedFace, Sight,
    Token, TrainingStatus,
};
use facectl::http::ApiKey;
use facectl::manifest::{LoadRequest, Loaded, ProjectOverrides, load};
use facectl::plan::{Policy, plan};
use facectl::report::{Paint, plan_text};
use facectl::sandbox::{Sandbox, SandboxConfig};
use facectl::state::{Change, Holder, Lease, SledStore, StateStore};
use facectl::tavus::{Client, ClientConfig, observe, parse_base_url};
use jiff::Timestamp;
use tempfile::TempDir;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    divan::main();
}

/// A project of so many faces, a file each.
fn project(faces: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("faces")).unwrap();
    let about = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: parts }\nspec:\n  manifests: [faces/]\n";
    fs::write(folder.path().join("facectl.yaml"), about).unwrap();
    for number in 0..faces {
        let mut text = "apiVersion: facectl.dev/v1\nkind: Face\nmetadata:\n".to_owned();
        write!(text, "  name: speaker-{number:06}\n  labels: {{ team: team-{} }}\n", number % 7).unwrap();
        write!(text, "spec:\n  face_name: Speaker {number}\n  model_name: phoenix-4\n").unwrap();
        writeln!(text, "  train_video_url: https://media.example.com/recordings/{number:06}/take-1.mp4").unwrap();
        fs::write(folder.path().join(format!("faces/{number:06}.yaml")), text).unwrap();
    }
    folder
}

fn loaded(folder: &Path) -> Loaded {
    let request = LoadRequest {
        paths: Vec::new(),
        project_file: None,
        cwd: folder.to_owned(),
        variables: BTreeMap::new(),
        stdin: Box::new(std::io::empty()),
        overrides: ProjectOverrides::default(),
    };
    load(request).unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics))
}

/// All of them trained and as declared.
fn applied(desired: &Desired) -> (Recorded, Observed) {
    let mut recorded = Recorded { lineage: "parts".to_owned(), serial: 1, ..Recorded::default() };
    let mut observed = BTreeMap::new();
    let at = Timestamp::now();
    for (number, (key, face)) in desired.faces.iter().enumerate() {
        let trained_from = face.spec.trained_from().unwrap();
        let token = Token::of(&desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
        let face = RecordedFace {
            id: format!("r{number:011x}").parse().unwrap(),
            name: face.spec.face_name.clone(),
            default_voice: None,
            trained_from: Some(trained_from),
            attempt: Attempt::FIRST,
            token: Some(token),
            token_in_name: false,
            created_at: Some(at),
            on_removal: OnRemoval::Retain,
            protect: false,
            manifest: None,
            seen_usable: true,
            last_seen: None,
            successor: None,
            previous: Vec::new(),
            rolled_back_from: None,
            going_back_to: None,
        };
        let live = ObservedFace {
            id: face.id.clone(),
            name: Some(face.name.to_string()),
            model: Some("phoenix-4".to_owned()),
            status: TrainingStatus::Ready,
            progress: None,
            error: None,
            default_voice: None,
            ownership: Ownership::User,
            created_at: Some(at),
        };
        observed.insert(live.id.clone(), live);
        recorded.faces.insert(key.clone(), face);
    }
    let coverage = Coverage::Complete;
    (recorded, Observed { at, coverage, sight: Sight::Live, faces: observed, pals: None, material: BTreeMap::new() })
}

#[divan::bench(args = SIZES)]
fn load_and_resolve(bencher: Bencher<'_, '_>, faces: usize) {
    let folder = project(faces);
    bencher.bench(|| loaded(black_box(folder.path())));
}

#[divan::bench(args = SIZES)]
fn plan_nothing_to_do(bencher: Bencher<'_, '_>, faces: usize) {
    let desired = loaded(project(faces).path()).desired;
    let (recorded, observed) = applied(&desired);
    bencher.bench(|| plan(black_box(&desired), &recorded, &observed, &Policy::default()));
}

#[divan::bench(args = SIZES)]
fn plan_all_new(bencher: Bencher<'_, '_>, faces: usize) {
    let desired = loaded(project(faces).path()).desired;
    let observed = Observed { faces: BTreeMap::new(), ..applied(&desired).1 };
    bencher.bench(|| plan(black_box(&desired), &Recorded::default(), &observed, &Policy::default()));
}

#[divan::bench(args = SIZES)]
fn render_all_new(bencher: Bencher<'_, '_>, faces: usize) {
    let desired = loaded(project(faces).path()).desired;
    let observed = Observed { faces: BTreeMap::new(), ..applied(&desired).1 };
    let plan = plan(&desired, &Recorded::default(), &observed, &Policy::default());
    bencher.bench(|| plan_text(black_box(&plan), Paint::plain()));
}

/// A state that remembers so many faces.
fn state(faces: usize) -> (TempDir, Desired) {
    let (folder, desired) = (TempDir::new().unwrap(), loaded(project(faces).path()).desired);
    let faces = applied(&desired).0.faces.into_iter().map(|(key, face)| (key, Some(face))).collect();
    open(folder.path(), &desired).commit(Change { faces, ..Change::default() }).unwrap();
    (folder, desired)
}

fn open(folder: &Path, desired: &Desired) -> SledStore {
    let holder = Holder::of_this_process("bench".to_owned(), Timestamp::now());
    let lease = Lease::take(folder, &holder, Duration::from_secs(5)).unwrap();
    SledStore::open(folder, &desired.project, lease).unwrap().0
}

#[divan::bench(args = SIZES)]
fn state_open(bencher: Bencher<'_, '_>, faces: usize) {
    let (folder, desired) = state(faces);
    bencher.bench_local(|| open(folder.path(), black_box(&desired)));
}

/// One face, durable: mostly what the disk takes for it.
#[divan::bench(args = SIZES)]
fn state_write(bencher: Bencher<'_, '_>, faces: usize) {
    let (folder, desired) = state(faces);
    let store = open(folder.path(), &desired);
    let (key, face): (FaceKey, RecordedFace) = applied(&desired).0.faces.into_iter().next().unwrap();
    bencher.bench_local(|| {
        let faces = vec![(key.clone(), Some(face.clone()))];
        store.commit(Change { faces, ..Change::default() }).unwrap()
    });
}

/// Against the sandbox in this process, whose work is in it.
#[divan::bench(args = SIZES)]
fn listing(bencher: Bencher<'_, '_>, faces: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(SandboxConfig::default())).unwrap();
    let (url, key) = (parse_base_url(&sandbox.base_url()).unwrap(), ApiKey::parse("any").unwrap());
    let client = Client::new(ClientConfig::new(url, key, Arc::new(SystemClock))).unwrap();
    // reqwest comes without one, and wants it also where nothing is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let admin = format!("http://{}/_sandbox/faces", sandbox.address());
    let add = reqwest::Client::new().post(admin).json(&serde_json::json!({ "count": faces }));
    runtime.block_on(add.send()).unwrap().error_for_status().unwrap();
    bencher.bench_local(|| runtime.block_on(observe(&client, &SystemClock, 4)).unwrap());
    runtime.block_on(sandbox.shutdown()).unwrap();
}
