//! `init`: a folder that becomes a project, and nothing in it lost.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_yaml::Value;

use crate::environment::{Environment, face};

/// A folder with a name that a project can bear.
fn fresh() -> Environment {
    let environment = Environment::empty();
    fs::create_dir(environment.path("acme")).unwrap();
    environment
}

fn yaml(environment: &Environment, name: &str) -> Value {
    serde_yaml::from_str(&environment.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_fresh_project_is_sound_laid_out_and_can_be_rehearsed() {
    let environment = fresh();
    let run = environment.run("init acme").exits(0).says_nothing();
    assert_snapshot!(run.stdout, @"
    wrote  acme/facectl.yaml
    wrote  acme/faces/ana.yaml
    wrote  acme/schemas/project.v1.json
    wrote  acme/schemas/face.v1.json
    wrote  acme/.gitignore
    wrote  acme/.gitattributes
    wrote  acme/.github/workflows/faces-plan.yml
    wrote  acme/.github/workflows/faces-comment.yml
    wrote  acme/.github/workflows/faces-apply.yml
    wrote  acme/.github/workflows/faces-wait.yml
    wrote  acme/.github/workflows/faces-drift.yml
    wrote  acme/.github/actions/facectl/action.yml
    wrote  acme/.github/actions/facectl/install.sh
    wrote  acme/.github/actions/facectl/run.sh
    wrote  acme/.github/facectl/keep-lock-file.sh
    wrote  acme/.github/facectl/plan-proposed.sh

    The project `acme` is begun. Next:

      cd acme
      facectl validate           # are the manifests right?
      facectl apply --sandbox    # rehearse it: no key, no network, no money
      facectl plan               # what a real apply would do and cost; needs TAVUS_API_KEY

    Before the first real apply, put a link of your own into faces/ana.yaml: every
    training is paid for, also one that fails.

    Before the pipeline can run it must be told how facectl gets onto its runner:
    fill in `url` and `sha256` in .github/actions/facectl/action.yml. Then give
    TAVUS_API_KEY to the environments that the workflows name in their first lines.
    ");
    environment.run("validate acme").exits(0).says_nothing().prints(&["Valid: 1 face in 1 file, project acme."]);
    environment.run("fmt --check acme").exits(0);
    environment.run("apply --sandbox -y --sandbox-speed 360000 acme").exits(0).prints(&["Done: 1 created"]);
    environment.run("plan --sandbox acme").exits(0).prints(&["No changes."]);
    assert_eq!(environment.read("acme/.gitignore"), ".facectl/\n");
    assert_eq!(environment.read("acme/.gitattributes"), "facectl.lock.yaml merge=union\n");
    for (kind, file) in [("face", "face.v1.json"), ("project", "project.v1.json")] {
        assert_eq!(
            environment.read(&format!("acme/schemas/{file}")),
            environment.run(&format!("schema {kind}")).stdout
        );
    }
    assert!(
        environment
            .read("acme/faces/ana.yaml")
            .starts_with("# yaml-language-server: $schema=../schemas/face.v1.json\n")
    );
}

#[test]
fn a_second_time_keeps_everything_and_adds_what_is_missing() {
    let environment = fresh();
    environment.run("init acme --model phoenix-4.5 --name acme-faces --ci none").exits(0);
    assert!(environment.read("acme/facectl.yaml").contains("model_name: phoenix-4.5 #"));
    environment.write("acme/facectl.yaml", environment.read("acme/facectl.yaml") + "# mine\n");
    fs::remove_file(environment.path("acme/faces/ana.yaml")).unwrap();
    environment.write("acme/faces/bob.yaml", face("bob", "https://media.example.com/b.mp4", ""));
    let before = environment.files("acme");
    let run = environment.run("init acme --ci none").exits(0).prints(&["kept acme/faces/", "`acme-faces` is complete"]);
    assert!(!run.stdout.contains("wrote"), "{run}");
    assert_eq!(environment.files("acme"), before);
    let run = environment.run("init acme --ci github --name other").exits(0);
    let run = run.says(&["facectl.yaml is kept as it is, so the project is still called `acme-faces`, not `other`"]);
    assert!(run.stdout.contains("wrote  acme/.github/workflows/faces-plan.yml"), "{run}");
    assert_eq!(environment.files("acme").len(), before.len() + 10);
}

#[test]
fn files_of_others_get_a_line_and_keep_theirs() {
    let environment = fresh();
    environment.write("acme/.gitignore", "/target");
    environment.write("acme/.gitattributes", "facectl.lock.yaml -diff\n");
    environment.run("init acme -y").exits(0).prints(&["added acme/.gitignore: .facectl/", "kept acme/.gitattributes"]);
    assert_eq!(environment.read("acme/.gitignore"), "/target\n.facectl/\n");
    assert_eq!(environment.read("acme/.gitattributes"), "facectl.lock.yaml -diff\n");
}

#[test]
fn wrong_places_are_refused_before_anything_is_written() {
    let environment = fresh();
    environment.write("file", "");
    for line in ["init file", "init file/below"] {
        environment.run(line).exits(1).prints_nothing().says(&["file is a file, not a folder; nothing was written"]);
    }
    environment.run("init acme").exits(0);
    let run = environment.run("init acme/sub").exits(1).prints_nothing();
    run.says(&["belongs to the project `acme` already", "nothing was written", "begin outside of it"]);
    assert!(!environment.path("acme/sub").exists());
    environment.run("init x --name Not_A_Label").exits(1).says(&["--name"]);
    environment.run("init x --model phoenix-9").exits(1).says(&["phoenix-4.5"]);
    // A file where a folder is needed: what was written before it is said, and kept the next time.
    environment.write("half/schemas", "");
    let run = environment.run("init half").exits(1).says(&["cannot write half/schemas/project.v1.json", "2 written"]);
    drop(run);
    fs::remove_file(environment.path("half/schemas")).unwrap();
    environment.run("init half").exits(0).prints(&["kept half/facectl.yaml", "wrote half/schemas/project.v1.json"]);
}

#[test]
fn odd_names_of_folders_become_names_of_projects() {
    let environment = Environment::empty();
    for (folder, name) in [
        ("Acme_Faces.v2", "acme-faces-v2"),
        ("💥", "faces"),
        ("-", "faces"),
        ("2026", "2026"),
        ("Null", "null"),
        ("on", "on"),
    ] {
        let json = environment.run(&format!("init ./{folder} -o json")).exits(0).says_nothing().json();
        assert_eq!((&json["project"], &json["ci"]), (&name.into(), &"github".into()), "{folder}");
        environment.run(&format!("validate ./{folder}")).exits(0);
    }
}

#[test]
fn the_pipeline_is_where_the_repository_looks_for_it() {
    let environment = fresh();
    environment.write(".git/config", "[remote \"origin\"]\n\turl = git@github.com:acme/faces.git\n");
    environment.write(".git/HEAD", "ref: refs/heads/master\n");
    environment.write(".gitlab-ci.yml", "include: []\n");
    environment.run("init acme").exits(0).prints(&["wrote .github/workflows/faces-apply-acme.yml"]);
    let flow = yaml(&environment, ".github/workflows/faces-apply-acme.yml");
    assert_eq!(flow["env"]["FACES"], "acme");
    assert_eq!(flow["on"]["push"]["branches"][0], "master");
    assert_eq!(flow["jobs"]["apply"]["concurrency"]["group"], "faces-apply-acme");
    fs::remove_dir_all(environment.path(".git/config").parent().unwrap()).unwrap();
    fs::create_dir(environment.path(".git")).unwrap();
    fs::remove_dir_all(environment.path(".github")).unwrap();
    environment.write("a $x/.keep", "");
    let mut command = environment.command("init -y");
    command.current_dir(environment.path("a $x"));
    let run = environment.spawn_command(command, "init").end().exits(0);
    let run = run.prints(&["wrote ../.gitlab/facectl-a-x.yml", "kept ../.gitlab-ci.yml"]);
    run.says(&["if it does not include ../.gitlab/facectl-a-x.yml yet"]);
    assert_eq!(yaml(&environment, ".gitlab/facectl-a-x.yml")[".facectl-a-x"]["variables"]["FACES"], "a $$x");
}

#[test]
fn the_pipelines_are_those_of_the_examples() {
    let environment = fresh();
    environment.run("init acme").exits(0);
    environment.run("init acme --ci gitlab").exits(0).prints(&["wrote acme/.gitlab-ci.yml", "INSTALL_SHA256"]);
    assert_eq!(yaml(&environment, "acme/.gitlab-ci.yml")["include"][0]["local"], ".gitlab/facectl.yml");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let mut compared = 0;
    for (path, bytes) in environment.files("acme") {
        let below = path.strip_prefix(environment.path("acme")).unwrap().display().to_string();
        let example = match below.as_str() {
            ".gitlab/facectl.yml" => examples.join("gitlab/.gitlab-ci.yml"),
            _ if below.starts_with(".github/") => examples.join("github").join(&below),
            _ if below.starts_with(".gitlab/") => examples.join("gitlab").join(&below),
            _ => continue,
        };
        assert!(fs::read(&example).unwrap() == bytes, "{below} is not {}", example.display());
        compared += 1;
    }
    assert_eq!(compared, 14);
}

#[test]
fn a_person_is_asked_little_and_may_just_press_return() {
    let environment = fresh();
    let Some(mut run) = environment.spawn_on_terminal("init acme") else { return };
    run.until_it_prints("Project name, part of every creation token [acme]:");
    run.types("Not A Label\n");
    run.until_it_prints("That cannot be used:");
    run.types("acme-two\n");
    run.until_it_prints("(phoenix-3, phoenix-4, phoenix-4.5) [phoenix-4]:");
    run.types("\n");
    run.end().exits(0).prints(&["The project `acme-two` is begun."]);
    assert!(environment.read("acme/facectl.yaml").contains("name: acme-two #"));
    // Nothing is asked that was said, or that is settled.
    let Some(run) = environment.spawn_on_terminal("init acme") else { return };
    run.end().exits(0).prints(&["is complete"]).hides(&["Project name"]);
    let Some(run) = environment.spawn_on_terminal("init other -y") else { return };
    run.end().exits(0).prints(&["`other` is begun"]).hides(&["Project name"]);
    let Some(mut run) = environment.spawn_on_terminal("init third --name third") else { return };
    run.until_it_prints("Model of its faces");
    run.types("\u{3}");
    run.end().exits(8).prints(&["interrupted; nothing was changed"]);
    assert!(!environment.path("third").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let environment = fresh();
    fs::set_permissions(environment.path("acme"), fs::Permissions::from_mode(0o555)).unwrap();
    // Nothing is read-only to the administrator.
    if fs::write(environment.path("acme/probe"), "").is_ok() {
        fs::remove_file(environment.path("acme/probe")).unwrap();
        let run = environment.run("init /proc/facectl-test").exits(1).prints_nothing();
        run.says(&["cannot make the folder /proc/facectl-test; nothing was written"]);
        return;
    }
    let run = environment.run("init acme").exits(1).prints_nothing();
    run.says(&["cannot write acme/facectl.yaml; nothing was written", "is the folder writable?"]);
}

#[test]
fn two_at_once_end_with_one_sound_project() {
    let environment = fresh();
    let runs: Vec<_> = (0..4).map(|_| environment.spawn("init acme")).collect();
    for run in runs {
        run.end().exits(0);
    }
    environment.run("validate acme").exits(0);
    assert_eq!(environment.files("acme").len(), 16, "nothing is left lying about");
}
