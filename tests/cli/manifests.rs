//! What people write, and what they write by mistake: a clear error, all at once, and nothing lost.

use std::fs::File;

use serde_json::Value;

use crate::environment::{Environment, face};

/// Neither key nor network: whatever a manifest says, it must not matter.
fn folder(files: &[(&str, &str)]) -> Environment {
    let environment = Environment::empty();
    files.iter().for_each(|(name, text)| environment.write(name, text));
    environment
}

fn ana() -> String {
    face("ana", "https://media.example.com/ana.mp4", "")
}

#[test]
fn an_empty_folder_is_told_what_was_searched_for() {
    let environment = Environment::empty();
    for line in ["validate", "plan --sandbox", "apply --sandbox -y"] {
        let run = environment.run(line).exits(1).prints_nothing();
        run.says(&["there are no manifests in this folder", ".yaml or .yml"]);
    }
    environment.write("notes.txt", "nothing");
    environment.write("more/readme.md", "nothing");
    environment.run("validate .").exits(1).says(&["there are no manifests in this folder"]);
}

#[test]
fn a_path_that_is_not_there_is_named_with_its_neighbour() {
    let environment = folder(&[("faces/ana.yaml", &ana())]);
    environment.run("validate nowhere").exits(1).says(&["there is no such file or folder", "nowhere"]);
    environment.run("validate faces/anna.yaml").exits(1).says(&["did you mean `faces/ana.yaml`?"]);
    environment.run("validate faces/*.yml").exits(1).says(&["the pattern matches no manifest"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_its_place() {
    let environment = folder(&[("faces/ana.yaml", &ana())]);
    environment.write("faces/latin.yaml", b"apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: jos\xe9 }\n");
    environment.run("validate").exits(1).says(&[
        "faces/latin.yaml",
        "it is not UTF-8 text",
        "line 3",
        "save the file as UTF-8",
    ]);
}

#[test]
fn a_200_mb_file_is_refused_before_it_is_read() {
    let environment = folder(&[("faces/ana.yaml", &ana())]);
    File::create(environment.path("faces/huge.yaml")).unwrap().set_len(200 << 20).unwrap();
    environment.run("validate").exits(1).says(&[
        "faces/huge.yaml",
        "it has 209715200 bytes",
        "a manifest may have 4194304",
    ]);
}

#[test]
fn an_endless_standard_input_is_cut_off() {
    let environment = Environment::empty();
    let run = environment.run_reading("validate -", &"# nothing\n".repeat(1 << 19)).exits(1);
    run.says(&["it has more than the 4194304 bytes (4 MiB)"]);
}

#[test]
fn an_alias_bomb_and_a_thousand_levels_are_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (letter, before) in ('b'..='j').zip('a'..) {
        bomb.push_str(&format!("{letter}: &{letter} [{}]\n", vec![format!("*{before}"); 10].join(", ")));
    }
    let deep = format!("apiVersion: facectl.dev/v1\nkind: Face\nspec: {}{}\n", "[".repeat(1000), "]".repeat(1000));
    let environment = folder(&[("bomb.yaml", &bomb), ("deep.yaml", &deep)]);
    let run = environment.run("validate bomb.yaml deep.yaml").exits(1).prints_nothing();
    run.says(&["bomb.yaml", "deep.yaml"]);
}

#[test]
fn windows_line_ends_a_byte_order_mark_and_emoji_are_welcome() {
    let text = ana() + "  face_name: \"Zoë 👩‍💻\"\n";
    let environment = Environment::empty();
    environment.write("faces/ana.yaml", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    environment.run("validate").exits(0).prints(&["Valid: 1 face in 1 file"]);
    environment.run("apply --sandbox --sandbox-speed 36000 -y").exits(0);
    environment.run("plan --sandbox").exits(0).prints(&["No changes."]);
}

#[test]
fn duplicate_names_show_both_places() {
    let environment = folder(&[("faces/one.yaml", &ana()), ("faces/two.yaml", &ana())]);
    environment.run("validate").exits(1).says(&["ana", "faces/one.yaml:4", "faces/two.yaml:4"]);
}

#[test]
fn every_problem_is_told_at_once_with_what_would_be_right() {
    let misspelt = ana().replace("train_video_url", "train_vidoe_url");
    let model = face("bruno", "https://media.example.com/b.mp4", "  model_name: phoenix-9\n");
    let open = face("carla", "http://media.example.com/c.mp4", "");
    let local = face("dan", "https://127.0.0.1/d.mp4", "");
    let environment = folder(&[
        ("faces/a.yaml", &misspelt),
        ("faces/b.yaml", &model),
        ("faces/c.yaml", &open),
        ("faces/d.yaml", &local),
    ]);
    let run = environment.run("validate").exits(1).prints_nothing();
    let run = run.says(&[
        "faces/a.yaml:6",
        "did you mean `train_video_url`?",
        "faces/b.yaml:7",
        "phoenix-9",
        "faces/c.yaml:6",
        "faces/d.yaml:6",
    ]);
    // The line itself, and a mark below it.
    assert!(run.stderr.contains("train_vidoe_url: https://media"), "{run}");
    // apply says the same and asks nobody.
    environment.run("apply -y").exits(1).says(&["did you mean `train_video_url`?", "phoenix-9"]);
}

#[test]
fn validate_tells_programs_places_and_codes() {
    let environment = folder(&[("faces/ana.yaml", &ana())]);
    let good = environment.run("validate -o json").exits(0).says_nothing().json();
    assert_eq!((&good["valid"], &good["faces"], &good["files"]), (&true.into(), &1.into(), &1.into()), "{good}");
    environment.edit("faces/ana.yaml", "train_video_url", "train_vidoe_url");
    let run = environment.run("validate -o json").exits(1).says_nothing();
    let bad = run.json();
    assert_eq!((&bad["format_version"], &bad["valid"]), (&"1.0".into(), &false.into()));
    let first = &bad["diagnostics"][0];
    let text = |name: &str| first.pointer(name).unwrap_or(&Value::Null).to_string();
    assert!(first.to_string().contains("faces/ana.yaml") && text("/code").contains("facectl::"), "{run}");
    assert!(first.to_string().contains("did you mean `train_video_url`?"), "{run}");
}

#[test]
fn manifests_come_from_files_folders_patterns_and_standard_input() {
    let face = |key: &str| face(key, "https://media.example.com/x.mp4", "");
    let environment =
        folder(&[("a/ana.yaml", &face("ana")), ("b/bruno.yml", &face("bruno")), ("b/c/carla.yaml", &face("carla"))]);
    let valid = |line: &str, faces: &str| drop(environment.run(line).exits(0).prints(&[faces]));
    valid("validate", "3 faces in 3 files");
    valid("validate a b/bruno.yml", "2 faces in 2 files");
    valid("validate -f a -f b", "3 faces in 3 files");
    valid("-f a/ana.yaml validate b/c", "2 faces in 2 files");
    valid("validate b/**/*.yaml", "1 face in 1 file");
    let both = format!("{}---\n{}", face("dan"), face("eva"));
    environment.run_reading("validate -f -", &both).exits(0).prints(&["2 faces in 1 file"]);
    environment.run_reading("validate - a", &both).exits(0).prints(&["3 faces in 2 files"]);
    environment.run_reading("plan --sandbox -", &both).exits(0).prints(&["+ dan create", "+ eva create"]);
}

#[test]
fn validate_needs_neither_key_nor_network_nor_a_folder_to_write_to() {
    let environment = folder(&[("faces/ana.yaml", &ana())]).with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:1/v2");
    environment.run("validate").exits(0).says_nothing();
    assert!(!environment.path(".facectl").exists());
}

#[test]
fn a_manifest_cannot_read_the_machines_secrets() {
    let environment = folder(&[("ana.yaml", &face("ana", "https://media.example.com/${TAVUS_API_KEY}.mp4", ""))]);
    let environment = environment.with("TAVUS_API_KEY", "secret-key");
    environment.run("validate").exits(1).says(&["TAVUS_API_KEY", "FACECTL_VAR_"]).hides(&["secret-key"]);
    environment.write("ana.yaml", face("ana", "https://media.example.com/${FACECTL_VAR_NONE}.mp4", ""));
    environment.run("validate").exits(1).says(&["FACECTL_VAR_NONE"]);
}

#[test]
fn a_project_file_that_is_wrong_stops_everything() {
    let environment = folder(&[("faces/ana.yaml", &ana()), ("facectl.yaml", "kind: Project\nspec: { limts: {} }\n")]);
    for line in ["validate", "plan --sandbox", "apply --sandbox -y"] {
        environment.run(line).exits(1).says(&["facectl.yaml", "limits"]);
    }
}

#[test]
fn a_flood_of_problems_is_cut_for_people_and_whole_for_programs() {
    let wrong = "apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: A }\nspec: {}\n---\n".repeat(150);
    let environment = folder(&[("faces.yaml", &wrong)]);
    let all = environment.run("validate -o json").exits(1).json()["diagnostics"].as_array().unwrap().len();
    assert!(all >= 150, "{all}");
    let run = environment.run("validate").exits(1);
    run.says(&[&format!("These are the first 100 of {all}; -o json tells all of them.")]);
}
