//! A checkout that somebody made to hurt whoever runs facectl in it.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::environment::{Environment, face, project};

#[test]
fn a_lock_file_that_is_a_link_shows_nothing_of_the_runner() {
    let environment = Environment::empty().with("TAVUS_API_KEY", "key");
    let environment = environment.with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2");
    environment.write("credentials", "password: hush\n");
    environment.write("checkout/facectl.yaml", project("acme", ""));
    environment.write("checkout/faces/ana.yaml", face("ana", "https://media.example.com/ana.mp4", ""));
    symlink("../credentials", environment.path("checkout/facectl.lock.yaml")).unwrap();
    for command in ["plan", "apply -y", "status", "state list", "drift"] {
        let run = environment.run(&format!("{command} -f checkout")).exits(1).hides(&["hush", "password"]);
        run.says(&["facectl.lock.yaml cannot be read: it is a link that leads out of its folder"]);
    }
    assert_eq!(environment.read("credentials"), "password: hush\n");
}

/// Makes a folder that git takes for a repository, whose own configuration starts a program.
const A_REPOSITORY_INSIDE: &str = "
    cd acme && git init -q . && git add faces && git -c user.name=a -c user.email=a@b commit -q -m x
    mv .git/HEAD .git/objects .git/refs .git/index . && rm -rf .git
    printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = .\\n[filter \"x\"]\\n\\tclean = \"touch ../ran; cat\"\\n' > config
    printf 'faces/** filter=x\\n' > .gitattributes
    sed -i 's/ana.mp4/anb.mp4/' faces/ana.yaml
    cd .. && git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -q -m checkout";

#[test]
fn a_checkout_starts_no_program() {
    let environment = Environment::empty().with("PATH", &std::env::var("PATH").unwrap_or_default());
    environment.write("acme/facectl.yaml", project("acme", ""));
    environment.write("acme/faces/ana.yaml", face("ana", "https://media.example.com/ana.mp4", ""));
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).current_dir(environment.path("")).env("HOME", environment.path("home"));
        command.output().unwrap()
    };
    let made = shell(A_REPOSITORY_INSIDE);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // The trap works: git itself, as people call it, falls into it.
    drop(shell("cd acme && git status"));
    assert!(environment.path("ran").exists());
    std::fs::remove_file(environment.path("ran")).unwrap();
    environment.run("plan --sandbox --out plan.json acme").exits(0);
    let run = environment.run("plan --sandbox --offline --since HEAD acme").exits(1).prints_nothing();
    run.says(&["--since needs a git repository", "cannot use bare repository"]);
    environment.run("apply --sandbox -y --sandbox-speed 360000 acme").exits(0);
    assert!(!environment.path("ran").exists());
}

/// A project whose file names `manifests`, beside a folder of somebody else with a face and a secret.
fn beside_another(manifests: &str) -> Environment {
    let environment = Environment::empty();
    let project = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: acme }\nspec:\n";
    environment.write("repo/.git/config", "[remote]\n  token = hush\n");
    environment.write("repo/.env", "API_TOKEN: hush\n");
    environment.write("repo/facectl.yaml", format!("{project}  manifests: {manifests}\n"));
    environment.write("repo/faces/ana.yaml", face("ana", "https://media.example.com/ana/a.mp4", ""));
    let foreign = face("foreign", "https://media.example.com/foreign/a.mp4", "").replace("  name", "      name");
    environment.write("other/foreign.yaml", foreign);
    environment.write("other/broken.yaml", "# facectl.dev/v1\nkind: Face\nhush: [\n");
    symlink("../other", environment.path("repo/x1")).unwrap();
    symlink("../../other/foreign.yaml", environment.path("repo/faces/y1.yaml")).unwrap();
    environment
}

#[test]
fn a_project_file_reads_shows_and_rewrites_nothing_of_others() {
    for manifests in [
        "[\"../other*\"]",
        "[\"../other/*.yaml\"]",
        "[../other]",
        "[\"x*\"]",
        "[\"*/*.yaml\"]",
        "[x1/foreign.yaml]",
        "[x1]",
        "[.env, .git/config]",
        "[faces/../../other]",
    ] {
        let environment = beside_another(manifests);
        let before = environment.files("other");
        for line in [
            "fmt",
            "fmt --diff",
            "fmt -o json",
            "validate",
            "validate -o json",
            "plan --offline -o markdown",
            "plan --offline -o github",
            "plan --sandbox -o junit",
            "export --sandbox",
            "diff --offline",
        ] {
            let command = environment.command(line);
            let run = environment.spawn_command(in_folder(command, &environment.path("repo")), line).end();
            assert!(run.code == Some(1), "{manifests} {run}");
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains("hush") && !text.contains("foreign/a.mp4"), "{manifests} {run}");
            }
        }
        assert_eq!(environment.files("other"), before, "{manifests}");
    }
}

#[test]
fn hidden_material_is_refused_whatever_is_skipped() {
    for path in ["./.env", "./.git/config", "../repo/.env", "./faces/link.mp4"] {
        let environment = beside_another("[ana.yaml]");
        environment.write("repo/ana.yaml", face("ana", path, ""));
        symlink("../.env", environment.path("repo/faces/link.mp4")).unwrap();
        for line in ["validate", "plan --sandbox --skip-preflight", "apply --sandbox -y --skip-preflight"] {
            let command = environment.command(line);
            let run = environment.spawn_command(in_folder(command, &environment.path("repo")), line).end();
            run.exits(1).says(&["ana.yaml"]);
        }
    }
}

fn in_folder(mut command: std::process::Command, folder: &std::path::Path) -> std::process::Command {
    command.current_dir(folder);
    command
}
