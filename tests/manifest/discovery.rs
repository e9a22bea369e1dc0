//! Where manifests and projects are found, and where they are not looked for.

use std::io;

use facectl::face::{Model, WaitFor};
use facectl::manifest;
use insta::assert_snapshot;

use super::{Folder, face, video};

#[test]
fn folders_patterns_files_and_standard_input_are_read_once_and_in_any_order() {
    let folder = Folder::new(&[
        ("faces/a.yaml", &video("a")),
        ("faces/deep/er/b.yml", &video("b")),
        ("faces/.hidden/c.yaml", &video("c")),
        ("faces/notes.txt", "not: read"),
        ("faces/facectl.lock.yaml", "lock: file"),
        ("other/d.yaml", &format!("{}---\n{}", video("d"), video("e"))),
    ]);
    let keys =
        |paths: &[&str]| folder.desired(paths).faces.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&["faces"]), "a b");
    assert_eq!(keys(&["faces", "./faces/a.yaml", "faces/*", "faces/**/*.yml"]), "a b");
    assert_eq!(keys(&["other/*.yaml"]), "d e");
    assert_eq!(keys(&[]), "a b d e");
    let (one, two) = (folder.desired(&["faces", "other"]), folder.desired(&["other/d.yaml", "faces"]));
    assert_eq!(one, two);
    let mut request = folder.request(&["-", "faces/a.yaml"]);
    request.stdin = Box::new(io::Cursor::new(video("z")));
    let loaded = manifest::load(request).unwrap();
    assert_eq!(loaded.desired.faces[&"z".parse().unwrap()].origin.to_string(), "-:4:9");
    assert_eq!((loaded.files, loaded.documents), (2, 2));
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::new(&[("faces/a.yaml", &video("a")), ("empty/readme.md", "")]);
    assert_snapshot!(folder.rendered(&["facse", "nope/*.yaml", "empty", "deep/er/x.yaml"]), @r"
    facectl::not-found

      x deep/er/x.yaml: there is no such file or folder
      help: its folder does not exist either

    facectl::no-manifests

      x empty: there are no manifests in this folder
      help: it was searched, with all folders in it, for files that end in .yaml or .yml;
            facectl.yaml, the lock file and names that begin with a dot do not count. Where none is
            left on purpose, `plan` and `apply` take --allow-empty

    facectl::not-found

      x facse: there is no such file or folder
      help: did you mean `faces`?

    facectl::not-found

      x nope/*.yaml: the pattern matches no manifest
      help: it was searched for files that end in .yaml or .yml; if your shell should have expanded
            it, check the folder

    4 problems
    ");
}

#[test]
fn yaml_of_other_tools_is_left_out_of_a_folder_and_refused_by_name() {
    let folder = Folder::new(&[
        ("a.yaml", &video("a")),
        ("k8s.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
        ("mixed.yaml", &format!("apiVersion: v1\nkind: ConfigMap\n---\n{}", video("b"))),
        ("chart.yaml", "{{ if .Values.on }}\na: b\n{{ end }}\n"),
    ]);
    let loaded = folder.load(&["."]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 2);
    let places: Vec<String> = loaded.warnings.iter().map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["chart.yaml", "k8s.yaml", "mixed.yaml:1:1"]);
    assert_eq!(folder.problems(&["k8s.yaml"]), "kind k8s.yaml:2:7");
    // A slip in the version must not make a face look as if nobody wanted it any more.
    for slip in ["facectl.dev/v2", "facectl.dve/v1", "facetcl.dev/v1", "FACECTL.dev/v1", "v1"] {
        folder.write("a.yaml", video("a").replace("facectl.dev/v1", slip));
        assert_eq!(folder.problems(&["."]).lines().next(), Some("unknown-value a.yaml:1:13"), "{slip}");
    }
}

const PROJECT: &str = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: NAME }\n";

#[test]
fn the_project_is_found_above_what_was_named() {
    let folder = Folder::new(&[
        ("one/facectl.yaml", &PROJECT.replace("NAME", "one")),
        ("one/faces/a.yaml", &video("a")),
        ("two/facectl.yaml", &PROJECT.replace("NAME", "two")),
        ("two/faces/b.yaml", &video("b")),
        ("c.yaml", &video("c")),
    ]);
    let name = |paths: &[&str]| folder.load(paths).map(|loaded| loaded.project.name.to_string());
    assert_eq!(name(&["one"]).unwrap(), "one");
    assert_eq!(name(&["one/faces/a.yaml"]).unwrap(), "one");
    assert_eq!(name(&["two/faces/*.yaml"]).unwrap(), "two");
    let loaded = folder.load(&["c.yaml"]).unwrap();
    assert!(loaded.project.is_default && loaded.project.name.as_str() == "default");
    assert_eq!(folder.problems(&["one", "two/faces/b.yaml"]), "two-projects two/facectl.yaml");
    let mut request = folder.request(&["one"]);
    request.overrides.name = Some("other".parse().unwrap());
    assert_eq!(manifest::load(request).unwrap().project.name.as_str(), "other");
    // A project inside another one's folder is not swept up: its faces would be bought a second time.
    folder.write("facectl.yaml", PROJECT.replace("NAME", "all"));
    let loaded = folder.load(&[]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 1);
    assert_eq!(loaded.warnings.len(), 2);
}

#[test]
fn defaults_hold_field_by_field_unless_the_face_says_otherwise() {
    let folder = Folder::new(&[
        (
            "facectl.yaml",
            &format!(
                "{}spec:\n  manifests: [faces]\n  defaults:\n    model_name: phoenix-3\n    lifecycle: {{ wait_for: none, protect: true }}\n  \
                 limits: {{ max_trainings: 2 }}\n  wait_timeout: 5h30m\n  settle_window: 2m\n",
                PROJECT.replace("NAME", "acme")
            ),
        ),
        ("faces/a.yaml", &face("a", "train_video_url: https://m.example.com/a.mp4\nlifecycle: { protect: false }")),
        ("elsewhere/b.yaml", &video("b")),
    ]);
    let loaded = folder.load(&["."]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 1, "the project's own folder means the project's manifests");
    let spec = &loaded.desired.faces[&"a".parse().unwrap()].spec;
    assert_eq!((spec.model, spec.lifecycle.wait_for, spec.lifecycle.protect), (Model::Phoenix3, WaitFor::None, false));
    let settings = &loaded.project.settings;
    assert_eq!(settings.limits.max_trainings, Some(2));
    assert_eq!(settings.limits.max_deletions, Some(3));
    assert_eq!(settings.wait_timeout.unwrap().as_secs(), 5 * 3600 + 30 * 60);
    assert_eq!(settings.settle_window.unwrap().as_secs(), 120);
    folder.write("faces/c.yaml", face("c", "train_image_url: https://m.example.com/a.png\nvoice_name: anna"));
    assert_eq!(folder.problems(&[]), "model faces/c.yaml:6:3");
}

#[test]
fn a_project_file_can_neither_send_the_key_away_nor_read_the_runner() {
    for (spec, expected) in [
        ("api_url: https://evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: https://tavusapi.com.evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: https://tavusapi.com@evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: http://tavusapi.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: http://127.0.0.1:8080/v2", ""),
        ("api_url: https://tavusapi.com/v2", ""),
        ("manifests: [/etc]", "outside facectl.yaml:4:20"),
        ("manifests: [../other]", "outside facectl.yaml:4:20"),
        ("manifests: [\"-\"]", "outside facectl.yaml:4:20"),
        ("manifests: [\"../oth*\"]", "outside facectl.yaml:4:20"),
        ("manifests: [.env]", "outside facectl.yaml:4:20"),
        ("manifests: [.git/config]", "outside facectl.yaml:4:20"),
        ("manifests: [\"./.*\"]", "outside facectl.yaml:4:20"),
        ("manifests: [faces/.private/a.yaml]", "outside facectl.yaml:4:20"),
        ("wait_timeout: 5", "wrong-type facectl.yaml:4:23"),
        ("wait_timeout: soon", "invalid-value facectl.yaml:4:23"),
        ("wait_timeout: -2m", "invalid-value facectl.yaml:4:23"),
        ("limits: { max_trainings: -1 }", "wrong-type facectl.yaml:4:34"),
        ("parallelism: 0", "wrong-type facectl.yaml:4:22"),
        ("manifests: faces", "wrong-type facectl.yaml:4:20"),
    ] {
        let project = format!("{}spec: {{ {spec} }}\n", PROJECT.replace("NAME", "acme"));
        let folder = Folder::new(&[("facectl.yaml", &project), ("a.yaml", &video("a"))]);
        let problems = folder.problems(&["a.yaml"]);
        assert_eq!(problems, expected, "{spec}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_a_folder_and_refused_where_they_leave_it() {
    use std::os::unix::fs::symlink;
    let outside = Folder::new(&[("secret.yaml", "kind: Face\nkey: hush\n")]);
    // The shape of a ConfigMap mount: names that are links into a hidden folder, itself a link.
    let folder = Folder::new(&[("mount/..2026/a.yaml", &video("a"))]);
    symlink("..2026", folder.path().join("mount/..data")).unwrap();
    symlink("..data/a.yaml", folder.path().join("mount/a.yaml")).unwrap();
    symlink(".", folder.path().join("mount/loop")).unwrap();
    assert_eq!(folder.desired(&["mount"]).faces.len(), 1);
    symlink(outside.path().join("secret.yaml"), folder.path().join("mount/b.yaml")).unwrap();
    symlink(outside.path(), folder.path().join("mount/c")).unwrap();
    assert_eq!(folder.problems(&["mount"]), "outside mount/b.yaml\noutside mount/c");
    assert!(!folder.rendered(&["mount"]).contains("hush"));
    symlink("gone.yaml", folder.path().join("mount/d.yaml")).unwrap();
    assert!(folder.problems(&["mount"]).contains("unreadable mount/d.yaml"));
}

#[cfg(unix)]
#[test]
fn a_project_file_that_is_a_link_or_names_one_shows_nothing_of_the_runner() {
    use std::os::unix::fs::symlink;
    let outside = Folder::new(&[("secret.yaml", "key: hush\n"), ("facectl.yaml", "key: hush\n")]);
    let project = |manifests| format!("{}spec: {{ manifests: [{manifests}] }}\n", PROJECT.replace("NAME", "acme"));
    for manifests in ["faces/secret.yaml", "faces", "./faces/", "faces/*.yaml"] {
        let folder = Folder::new(&[("facectl.yaml", &project(manifests)), ("b.yaml", &video("b"))]);
        symlink(outside.path(), folder.path().join("faces")).unwrap();
        let problems = folder.problems(&[]);
        assert!(problems.contains("outside faces"), "{manifests}: {problems}");
        assert!(!folder.rendered(&[]).contains("hush"), "{manifests}");
        // Whoever names it on the command line means it.
        assert!(folder.rendered(&["faces/secret.yaml"]).contains("hush"), "{manifests}");
    }
    let folder = Folder::new(&[("a.yaml", &video("a"))]);
    symlink(outside.path().join("facectl.yaml"), folder.path().join("facectl.yaml")).unwrap();
    for paths in [&[][..], &["a.yaml"]] {
        assert_eq!(folder.problems(paths), "outside facectl.yaml");
        assert!(!folder.rendered(paths).contains("hush"));
    }
    // Nor what lies in the project and is no project file.
    for target in [".env", "secrets.yaml"] {
        let folder =
            Folder::new(&[("a.yaml", &video("a")), (".env", "a: hush\na: b\n"), ("secrets.yaml", "a: hush\na: b\n")]);
        symlink(target, folder.path().join("facectl.yaml")).unwrap();
        let rendered = folder.rendered(&["a.yaml"]);
        assert!(rendered.contains("facectl.yaml") && !rendered.contains("hush"), "{rendered}");
    }
    // The shape of a ConfigMap mount stays inside.
    let folder = Folder::new(&[("..2026/facectl.yaml", &project("a.yaml")), ("..2026/a.yaml", &video("a"))]);
    symlink("..2026", folder.path().join("..data")).unwrap();
    symlink("..data/facectl.yaml", folder.path().join("facectl.yaml")).unwrap();
    symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
    assert_eq!(folder.desired(&[]).faces.len(), 1);
}

/// Everything that is told of a folder, in each form.
fn told(folder: &Folder, paths: &[&str]) -> String {
    let (diagnostics, sources) = match folder.load(paths) {
        Ok(loaded) => (loaded.warnings, loaded.sources),
        Err(rejected) => (rejected.diagnostics, rejected.sources),
    };
    let text = manifest::render_text(&diagnostics, &sources, false, 100);
    format!("{text}\n{}", manifest::to_json(&diagnostics))
}

#[cfg(unix)]
#[test]
fn nothing_outside_of_the_project_is_read_whatever_its_file_names() {
    use std::os::unix::fs::symlink;
    let secret = "kind: Face\nkey: hush\n";
    let outside = Folder::new(&[("a.yaml", secret), ("deep/b.yaml", secret), ("foreign.yaml", &video("foreign"))]);
    for manifests in ["x*", "*/*.yaml", "**/*.yaml", "x1", "x1/deep", "x1/a.yaml", "faces/link.yaml", "faces", "x1/no*"]
    {
        let project = format!("{}spec: {{ manifests: [\"{manifests}\"] }}\n", PROJECT.replace("NAME", "acme"));
        let folder = Folder::new(&[("facectl.yaml", &project), ("faces/own.yaml", &video("own"))]);
        symlink(outside.path(), folder.path().join("x1")).unwrap();
        symlink(outside.path().join("a.yaml"), folder.path().join("faces/link.yaml")).unwrap();
        let rejected = folder.load(&[]).expect_err(manifests);
        assert!(rejected.diagnostics.iter().any(|one| one.code == "facectl::outside"), "{manifests}");
        let told = told(&folder, &[]);
        assert!(!told.contains("hush") && !told.contains("foreign"), "{manifests}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_into_a_hidden_folder_is_refused() {
    use std::os::unix::fs::symlink;
    let project = PROJECT.replace("NAME", "acme");
    let folder = Folder::new(&[("facectl.yaml", &project), (".git/config", "key: hush\n"), ("a.yaml", &video("a"))]);
    symlink(".git/config", folder.path().join("b.yaml")).unwrap();
    symlink(".git", folder.path().join("c")).unwrap();
    folder.write(".git/d.yaml", "kind: Face\nkey: hush\n");
    assert_eq!(folder.problems(&[]), "outside b.yaml\noutside c");
    assert!(!told(&folder, &["."]).contains("hush"));
}

#[test]
fn a_file_that_is_not_ours_shows_no_line_of_it() {
    let of = |text: &str| format!("{}spec: {{ manifests: [{text}] }}\n", PROJECT.replace("NAME", "acme"));
    for (name, text) in [
        ("plain", "API_TOKEN: hush\n"),
        ("with-a-word-of-ours", "# facectl.internal\nAPI_TOKEN: hush\n"),
        ("broken", "url: facectl.internal\nAPI_TOKEN: hush: hush\n"),
        ("twice", "kind: FaceBook\nAPI_TOKEN: hush\nAPI_TOKEN: hush\n"),
        ("tagged", "# facectl.internal\nAPI_TOKEN: !hush hush\n"),
        ("list", "# facectl.internal\n- hush\n"),
    ] {
        let file = format!("{name}.yaml");
        for manifests in [&file, "'*.yaml'", ".", "faces"] {
            let folder = Folder::new(&[("facectl.yaml", &of(manifests)), ("faces/a.yaml", &video("a"))]);
            folder.write(&file, text);
            folder.write(&format!("faces/{file}"), text);
            let told = told(&folder, &[]);
            assert!(told.contains(&file) && !told.contains("hush"), "{name} {manifests}: {told}");
        }
    }
    // A document of another tool beside ours shows its place alone.
    let folder = Folder::new(&[("a.yaml", &format!("API_TOKEN: !x hush\n---\n{}", video("a")))]);
    let told = told(&folder, &["."]);
    assert!(told.contains("a.yaml:1:1") && !told.contains("hush"), "{told}");
}

#[test]
fn a_file_that_the_project_names_must_be_a_manifest() {
    let of = |text: &str| format!("{}spec: {{ manifests: [faces, {text}] }}\n", PROJECT.replace("NAME", "acme"));
    for (named, expected) in [
        ("values.yaml", "not-ours values.yaml"),
        ("notes.txt", "not-a-manifest notes.txt"),
        ("facectl.lock.yaml", "not-a-manifest facectl.lock.yaml"),
        ("facectl.yaml", "misplaced-project facectl.yaml"),
    ] {
        let folder = Folder::new(&[
            ("facectl.yaml", &of(named)),
            ("faces/a.yaml", &video("a")),
            ("values.yaml", "key: hush\n"),
            ("notes.txt", &video("b")),
            ("facectl.lock.yaml", "lock_version: 2\n"),
        ]);
        assert_eq!(folder.problems(&[]), expected);
        assert!(!told(&folder, &[]).contains("hush"), "{named}");
    }
}

#[cfg(unix)]
#[test]
fn training_material_is_neither_hidden_nor_behind_a_link_to_what_is() {
    use std::os::unix::fs::symlink;
    let of = |path: &str| face("a", &format!("train_video_url: {path}"));
    let project = format!("{}spec: {{ manifests: [faces] }}\n", PROJECT.replace("NAME", "acme"));
    for (path, is_refused) in [
        ("./.git/config", true),
        ("./.env", true),
        ("../.env", true),
        ("./media/.secret/a.mp4", true),
        ("./media/link.mp4", true),
        ("../shortcut/config", true),
        ("./media/a.mp4", false),
        ("./media/gone.mp4", false),
    ] {
        let folder = Folder::new(&[
            ("facectl.yaml", &project),
            ("faces/a.yaml", &of(path)),
            (".git/config", "key: hush\n"),
            (".env", "key: hush\n"),
            ("faces/media/a.mp4", "video"),
        ]);
        symlink("../../.env", folder.path().join("faces/media/link.mp4")).unwrap();
        symlink(".git", folder.path().join("shortcut")).unwrap();
        let expected = if is_refused { "outside faces/a.yaml:6:20" } else { "" };
        assert_eq!(folder.problems(&[]), expected, "{path}");
    }
}

#[test]
fn wanting_no_face_at_all_is_refused() {
    let folder = Folder::new(&[("k8s.yaml", "apiVersion: v1\nkind: ConfigMap\n"), ("empty.yaml", "# kind: Face\n")]);
    assert_eq!(folder.problems(&["."]), "no-manifests .\nempty empty.yaml\nnot-ours k8s.yaml");
    assert_eq!(folder.problems(&["empty.yaml"]), "no-manifests .\nempty empty.yaml");
}

#[test]
fn from_a_folder_inside_the_project_the_whole_project_is_meant() {
    let folder = Folder::new(&[
        ("facectl.yaml", &PROJECT.replace("NAME", "acme")),
        ("faces/a.yaml", &video("a")),
        ("faces/deep/b.yaml", &video("b")),
    ]);
    let mut request = folder.request(&[]);
    request.cwd = folder.path().join("faces/deep");
    let loaded = manifest::load(request).unwrap();
    assert_eq!((loaded.project.name.as_str(), loaded.desired.faces.len()), ("acme", 2));
    let mut request = folder.request(&[]);
    request.project_file = Some("gone.yaml".into());
    assert_eq!(manifest::load(request).unwrap_err().diagnostics[0].code, "facectl::unreadable");
}

#[cfg(unix)]
#[test]
fn places_are_short_also_where_the_folder_is_reached_by_a_link() {
    let folder =
        Folder::new(&[("real/facectl.yaml", &PROJECT.replace("NAME", "acme")), ("real/faces/a.yaml", &video("a"))]);
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    let mut request = folder.request(&[]);
    request.cwd = folder.path().join("link");
    let loaded = manifest::load(request).unwrap();
    assert_eq!(loaded.desired.faces[&"a".parse().unwrap()].origin.file, "faces/a.yaml");
}

#[cfg(unix)]
#[test]
fn a_name_that_no_pattern_can_match_is_an_error() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new(&[("faces/ana.yaml", &video("ana"))]);
    let odd = folder.path().join("faces").join(std::ffi::OsStr::from_bytes(b"b\xe9n.yaml"));
    std::fs::write(odd, video("ben")).unwrap();
    let project = |manifests: &str| {
        let text = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: p }\nspec: { manifests: [\"M\"] }\n";
        folder.write("facectl.yaml", text.replace('M', manifests));
    };
    for pattern in ["faces/*.yaml", "**/*.yaml", "*/*"] {
        project(pattern);
        let rejected = folder.load(&[]).unwrap_err();
        let codes: Vec<_> = rejected.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["facectl::not-utf8"], "{pattern}");
    }
    project("faces/");
    assert_eq!(folder.desired(&[]).faces.len(), 2);
}
