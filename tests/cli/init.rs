//! `init`: a folder that becomes a project, and nothing in it lost.

use std::fs;
use std::path::Path;
use std::process::Command;

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
    wrote  acme/.github/workflows/facectl.yml

    The project `acme` is begun. Next:

      cd acme
      facectl validate           # are the manifests right?
      facectl apply --sandbox    # rehearse it: no key, no network, no money
      facectl plan               # what a real apply would do and cost; needs TAVUS_API_KEY

    Before the first real apply, put a link of your own into faces/ana.yaml: every
    training is paid for, also one that fails.

    Before the pipeline can run it must be told how facectl gets onto its runner:
    fill in FACECTL_INSTALL in it, and set the secret TAVUS_API_KEY.
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
    assert!(run.stdout.contains("wrote  acme/.github/workflows/facectl.yml"), "{run}");
    assert_eq!(environment.files("acme").len(), before.len() + 1);
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
    environment.run("init acme").exits(0).prints(&["wrote .github/workflows/facectl-acme.yml"]);
    let flow = yaml(&environment, ".github/workflows/facectl-acme.yml");
    assert_eq!(flow["defaults"]["run"]["working-directory"], "acme");
    assert_eq!(flow["on"]["push"]["branches"][0], "master");
    assert_eq!(flow["jobs"]["apply"]["concurrency"]["group"], "facectl-apply-acme");
    fs::remove_dir_all(environment.path(".git/config").parent().unwrap()).unwrap();
    fs::create_dir(environment.path(".git")).unwrap();
    fs::remove_dir_all(environment.path(".github")).unwrap();
    environment.write("a $x/.keep", "");
    let mut command = environment.command("init -y");
    command.current_dir(environment.path("a $x"));
    let run = environment.spawn_command(command, "init").end().exits(0);
    let run = run.prints(&["wrote ../.gitlab/facectl-a-x.yml", "kept ../.gitlab-ci.yml"]);
    run.says(&["if it does not include ../.gitlab/facectl-a-x.yml yet"]);
    assert_eq!(yaml(&environment, ".gitlab/facectl-a-x.yml")[".facectl"]["variables"]["FACECTL_FOLDER"], "a $$x");
}

/// Every shell script of a pipeline, by where it stands.
fn scripts(at: String, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::String(text)
            if ["run", "script", "before_script", "KEEP_LOCK_FILE"].iter().any(|end| at.contains(end)) =>
        {
            all.push((at, text.clone()));
        }
        Value::Sequence(items) => {
            items.iter().enumerate().for_each(|(number, item)| scripts(format!("{at}.{number}"), item, all));
        }
        Value::Mapping(entries) => {
            entries.iter().for_each(|(key, item)| scripts(format!("{at}.{}", key.as_str().unwrap_or("on")), item, all));
        }
        _ => {}
    }
}

#[test]
fn the_pipelines_use_commands_that_exist_and_keep_the_key_from_strangers() {
    let environment = fresh();
    environment.run("init acme").exits(0);
    environment.run("init acme --ci gitlab").exits(0).prints(&["wrote acme/.gitlab-ci.yml"]);
    assert_eq!(yaml(&environment, "acme/.gitlab-ci.yml")["include"][0]["local"], ".gitlab/facectl.yml");
    for file in ["acme/.github/workflows/facectl.yml", "acme/.gitlab/facectl.yml"] {
        let mut all = Vec::new();
        scripts(String::new(), &yaml(&environment, file), &mut all);
        assert!(all.len() >= 8, "{all:?}");
        for (at, script) in &all {
            assert!(!script.contains("__") && !script.contains("${{"), "{file} {at}: {script}");
            let is_sound = Command::new("bash").args(["-n", "-c", &script.replace("$$", "$")]).output();
            assert!(is_sound.is_ok_and(|output| output.status.success()), "{file} {at}: {script}");
            // Each command, with its flags, is one that this binary takes.
            for line in script.split(['\n', ';', '|', '&']).map(str::trim) {
                let line = line.strip_prefix("then ").or(line.strip_prefix("else ")).unwrap_or(line);
                if let Some(line) = line.strip_prefix("facectl ") {
                    environment.run(&format!("{line} --help")).exits(0);
                }
            }
        }
        let used = |word: &str| all.iter().any(|(_, script)| script.contains(word));
        for command in
            ["facectl validate", "facectl plan", "facectl apply --auto-approve", "facectl wait", "facectl drift"]
        {
            assert!(used(command), "{file} does not use `{command}`");
        }
    }
    let flow = yaml(&environment, "acme/.github/workflows/facectl.yml");
    assert!(flow["on"].as_mapping().unwrap().contains_key("pull_request"));
    assert!(!flow["on"].as_mapping().unwrap().contains_key("pull_request_target"));
    assert_eq!(flow["permissions"]["contents"], "read");
    assert_eq!(flow["jobs"]["check"].get("permissions"), None);
    assert_eq!(flow["jobs"]["apply"]["concurrency"]["cancel-in-progress"], false);
    let condition = flow["jobs"]["apply"]["if"].as_str().unwrap();
    assert!(condition.starts_with("github.ref == 'refs/heads/main' && ("), "{condition}");
}

#[test]
fn the_pipeline_says_what_is_missing_and_keeps_the_lock_file() {
    let environment = fresh();
    environment.run("init acme").exits(0);
    let flow = yaml(&environment, "acme/.github/workflows/facectl.yml");
    let bash = |script: &str, folder: &Path, install: &str| {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("HOME", environment.path("home"));
        command.env("FACECTL_INSTALL", install).env("GITHUB_PATH", environment.path("github-path"));
        command.env("GITHUB_REF_NAME", "main").env_remove("GIT_DIR").output().unwrap()
    };
    let install = flow["jobs"]["check"]["steps"][1]["run"].as_str().unwrap();
    let output = bash(install, &environment.path(""), "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("::error::FACECTL_INSTALL is empty"), "{said}");
    assert!(bash(install, &environment.path(""), "true").status.success());
    assert!(environment.read("github-path").contains("/.local/bin\n"));
    // A checkout of a branch that somebody else pushed to meanwhile.
    let setup = "git init -q --bare -b main remote.git && git clone -q remote.git one 2>/dev/null && cd one && git checkout -q -b main \
                 && git config user.name a && git config user.email a@b && git commit -q --allow-empty -m first && git push -q origin main \
                 && cd .. && git clone -q remote.git two && cd two && git config user.name a && git config user.email a@b \
                 && echo x > x && git add x && git commit -q -m second && git push -q origin main && echo version > ../one/facectl.lock.yaml";
    let output = bash(setup, &environment.path(""), "");
    if !output.status.success() {
        // No git here: nothing to try it with.
        return;
    }
    let keep = flow["jobs"]["apply"]["env"]["KEEP_LOCK_FILE"].as_str().unwrap();
    for _ in 0..2 {
        let output = bash(keep, &environment.path("one"), "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let log = bash("git --git-dir remote.git log --format=%s main", &environment.path(""), "");
    assert_eq!(String::from_utf8_lossy(&log.stdout), "facectl: record the faces\nsecond\nfirst\n");
    assert!(bash(keep, &environment.path("two"), "").status.success(), "without a lock file there is nothing to do");
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
    assert_eq!(environment.files("acme").len(), 7, "nothing is left lying about");
}
