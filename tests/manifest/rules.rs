//! What a manifest may say, and the place of everything that it may not.

use facectl::face::{Model, OnRemoval, TrainingInput, TrainingVoice, WaitFor};

use super::{Folder, face};

#[test]
fn a_manifest_says_what_is_wanted() {
    let folder = Folder::new(&[(
        "ana.yaml",
        "apiVersion: facectl.dev/v1
kind: Face
metadata:
  name: ana
  labels: { team: support, tier: 1.10, on-call: yes }
spec:
  face_name: Ana (Support)
  model_name: phoenix-4.5
  train_image_url: https://${FACECTL_VAR_HOST}.example.com/a.png
  voice_name: Anna
  auto_fix_training_image: true
  training_version: 2
  properties: { background_green_screen: true }
  lifecycle: { on_removal: delete, protect: true, wait_for: preview }
",
    )]);
    let desired = folder.desired(&["ana.yaml"]);
    let face = &desired.faces[&"ana".parse().unwrap()];
    assert_eq!(face.origin.to_string(), "ana.yaml:4:9");
    assert_eq!(face.labels["tier"], "1.10");
    assert_eq!(face.labels["on-call"], "yes");
    assert_eq!(face.spec.model, Model::Phoenix45);
    assert_eq!(face.spec.training_version.as_deref(), Some("2"));
    assert!(face.spec.green_screen && face.spec.lifecycle.protect);
    assert_eq!(face.spec.lifecycle.on_removal, OnRemoval::Delete);
    assert_eq!(face.spec.lifecycle.wait_for, WaitFor::Preview);
    let Some(TrainingInput::Image { source, voice, auto_fix }) = &face.spec.training else { panic!() };
    assert_eq!(source.link().unwrap().expose(), "https://hush.internal.example.com/a.png");
    assert_eq!(*voice, TrainingVoice::Stock("anna".parse().unwrap()));
    assert!(auto_fix);
}

#[test]
fn a_manifest_says_how_a_face_that_was_replaced_is_kept_and_whether_pals_follow() {
    let lifecycle = |text: &str| {
        let spec = format!("{{ train_video_url: https://m.example.com/a.mp4{text} }}");
        let folder = Folder::new(&[("f.yaml", &face("ana", &spec))]);
        folder.desired(&["f.yaml"]).faces[&"ana".parse().unwrap()].spec.lifecycle
    };
    let built_in = lifecycle("");
    assert_eq!((built_in.retire_after.as_hours(), built_in.repoint_pals), (24, true));
    for (text, hours) in [("0s", 0), ("36h", 36), ("7d", 168), ("1w 1d", 192), ("PT48H", 48)] {
        assert_eq!(
            lifecycle(&format!(", lifecycle: {{ retire_after: {text} }}")).retire_after.as_hours(),
            hours,
            "{text}"
        );
    }
    assert!(!lifecycle(", lifecycle: { repoint_pals: false }").repoint_pals);
    for (text, why) in [
        ("retire_after: \"24\"", "is not a length of time"),
        ("retire_after: -1h", "it is negative"),
        ("retire_after: 1mo", "is not a length of time"),
        ("retire_after: soon", "is not a length of time"),
    ] {
        let spec = format!("{{ train_video_url: https://m.example.com/a.mp4, lifecycle: {{ {text} }} }}");
        let found = Folder::new(&[("f.yaml", &face("ana", &spec))]).rendered(&["f.yaml"]);
        let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(found.contains("spec.lifecycle.retire_after") && found.contains(why), "{text}: {found}");
    }
    let spec = "{ train_video_url: https://m.example.com/a.mp4, lifecycle: { repoint_pals: perhaps } }";
    assert!(!Folder::new(&[("f.yaml", &face("ana", spec))]).problems(&["f.yaml"]).is_empty());
}

/// What is wrong with one spec, and where; `{bad}` marks nothing, it is only short.
fn spec_problems(spec: &str) -> String {
    Folder::new(&[("f.yaml", &face("ana", spec))]).problems(&["f.yaml"]).replace("f.yaml:", "")
}

fn file_problems(text: &str) -> String {
    Folder::new(&[("f.yaml", text)]).problems(&["f.yaml"]).replace("f.yaml:", "")
}

/// Notes a case of a table that went wrong, so that one run shows them all.
fn check(wrong: &mut String, reason: &str, text: &str, found: &str, expected: &str) {
    if found != expected {
        wrong.push_str(&format!("\n{reason}: expected `{expected}`, found `{found}` in\n{text}\n"));
    }
}

#[test]
fn each_rule_of_the_create_call_is_checked_offline_and_at_its_place() {
    let video = "train_video_url: https://m.example.com/a.mp4";
    let image = "train_image_url: https://m.example.com/a.png";
    let mut wrong = String::new();
    for (reason, spec, expected) in [
        ("a source is needed", "face_name: Ana".to_owned(), "no-source 5:1"),
        ("how, but not from what", "training_version: 2\nvoice_name: anna".to_owned(), "no-source 5:1"),
        ("one source only", format!("{video}\n{image}\nvoice_name: anna"), "two-sources 7:3"),
        ("a video brings its own voice", format!("{video}\nvoice_name: anna"), "voice 7:3"),
        ("a video is not repaired", format!("{video}\nauto_fix_training_image: true"), "image-only 7:3"),
        ("a video may have a voice set after training", format!("{video}\ndefault_voice_id: v1"), ""),
        ("a photo needs a voice", image.to_owned(), "voice 6:3"),
        ("a photo takes one voice only", format!("{image}\nvoice_name: anna\ndefault_voice_id: v1"), "voice 8:3"),
        ("phoenix-3 takes no photo", format!("{image}\nvoice_name: anna\nmodel_name: phoenix-3"), "model 8:15"),
        ("an unknown model", format!("{video}\nmodel_name: phoenix4"), "unknown-value 7:15"),
        ("the consent clip is deprecated", format!("{video}\nconsent_video_url: {image}"), "syntax 7:37"),
        ("the consent clip is deprecated", format!("{video}\nconsent_video_url: x"), "deprecated-field 7:3"),
        (
            "gaze correction is no field",
            format!("{video}\nproperties: {{ gaze_correction: true }}"),
            "unknown-field 7:17",
        ),
        ("https only", "train_video_url: http://m.example.com/a.mp4".to_owned(), "invalid-link 6:20"),
        ("public hosts only", "train_video_url: https://10.0.0.1/a.mp4".to_owned(), "invalid-link 6:20"),
        ("callbacks as well", format!("{video}\ncallback_url: https://localhost/x"), "invalid-link 7:17"),
        ("an empty callback is none", format!("{video}\ncallback_url: \"\""), "invalid-link 7:17"),
        ("a callback of nothing", format!("{video}\ncallback_url: ~"), "null-value 7:3"),
        ("names end at 100 characters", format!("{video}\nface_name: {}", "x".repeat(101)), "invalid-name 7:14"),
        ("names hold no control characters", format!("{video}\nface_name: \"a\\tb\""), "invalid-name 7:14"),
        ("names are texts", format!("{video}\nface_name: 1.10"), "wrong-type 7:14"),
        (
            "a boolean is true or false",
            format!("{video}\nproperties: {{ background_green_screen: yes }}"),
            "wrong-type 7:42",
        ),
        ("a boolean has no quotes", format!("{video}\nlifecycle: {{ protect: \"true\" }}"), "wrong-type 7:25"),
        ("a closed set of words", format!("{video}\nlifecycle: {{ wait_for: previev }}"), "unknown-value 7:26"),
        ("a map, not a word", format!("{video}\nlifecycle: retain"), "wrong-type 7:14"),
        ("a word, not a map", format!("{video}\nface_name: {{ a: b }}"), "wrong-type 7:14"),
        ("strange variables", format!("{video}\nface_name: ${{TAVUS_API_KEY}}"), "variable 7:14"),
        ("variables that are not set", format!("{video}\nface_name: ${{FACECTL_VAR_NAME}}"), "variable 7:14"),
        ("variables in words", format!("{video}\nmodel_name: ${{FACECTL_VAR_HOST}}"), "unknown-value 7:15"),
        ("a key written twice", format!("{video}\nface_name: A\nface_name: B"), "duplicate-key 8:3"),
        ("merge keys", format!("{video}\n<<: {{ face_name: A }}"), "merge-key 7:3"),
        ("tags", format!("{video}\nface_name: !!str A"), "tag 7:14"),
        ("unknown aliases", format!("{video}\nface_name: *a"), "syntax 7:14"),
    ] {
        check(&mut wrong, reason, &spec, &spec_problems(&spec), expected);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_rule_of_the_document_is_checked_at_its_place() {
    let spec = "spec: { train_video_url: https://m.example.com/a.mp4 }\n";
    let head = "apiVersion: facectl.dev/v1\nkind: Face\n";
    let mut wrong = String::new();
    for (reason, text, expected) in [
        ("a key is a DNS label", format!("{head}metadata: {{ name: Ana_Support }}\n{spec}"), "invalid-name 3:19"),
        (
            "a key hangs on no variable",
            format!("{head}metadata: {{ name: \"a${{FACECTL_VAR_HOST}}\" }}\n{spec}"),
            "variable 3:19",
        ),
        ("a key is there", format!("{head}metadata: {{ labels: {{}} }}\n{spec}"), "missing-field 3:1"),
        ("metadata is there", format!("{head}{spec}"), "missing-field 1:1"),
        ("a number is no key", format!("{head}metadata: {{ name: 12 }}\n{spec}"), "wrong-type 3:19"),
        (
            "labels can be selected",
            format!("{head}metadata: {{ name: a, labels: {{ \"a b\": c, d: \"e f\" }} }}\n{spec}"),
            "label 3:32\nlabel 3:45",
        ),
        ("a label has a value", format!("{head}metadata: {{ name: a, labels: {{ b: }} }}\n{spec}"), "null-value 3:32"),
        (
            "a version of ours",
            format!("apiVersion: facectl.dev/v2\nkind: Face\nmetadata: {{ name: a }}\n{spec}"),
            "unknown-value 1:13",
        ),
        (
            "a kind of ours",
            format!("apiVersion: facectl.dev/v1\nkind: face\nmetadata: {{ name: a }}\n{spec}"),
            "kind 2:7",
        ),
        ("a kind at all", format!("apiVersion: facectl.dev/v1\nmetadata: {{ name: a }}\n{spec}"), "missing-field 1:1"),
        (
            "a project elsewhere",
            "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: a }\n".to_owned(),
            "misplaced-project 1:1",
        ),
        ("another tool's", "apiVersion: v1\nkind: ConfigMap\n".to_owned(), "kind 2:7"),
        ("no map", "- a\n".to_owned(), "wrong-type 1:3"),
        ("a tab", format!("{head}metadata:\n\tname: a\n{spec}"), "syntax 4:1"),
        ("an open bracket", format!("{head}metadata: {{ name: a\n{spec}"), "syntax 4:5"),
        (
            "lines count through the whole file",
            format!("---\n# nothing\n---\n{head}metadata: {{ name: A }}\n{spec}"),
            "invalid-name 6:19",
        ),
        (
            "columns count characters",
            format!("{head}metadata: {{ annotations: {{ \"ä😀\": b }}, name: A }}\n{spec}"),
            "invalid-name 3:45",
        ),
        ("CRLF", format!("{head}metadata: {{ name: A }}\n{spec}").replace('\n', "\r\n"), "invalid-name 3:19"),
        ("a byte order mark", format!("\u{feff}{head}metadata: {{ name: A }}\n{spec}"), "invalid-name 3:19"),
        ("NUL", format!("{head}metadata: {{ name: \"a\0\" }}\n{spec}"), "control-character f.yaml"),
    ] {
        check(&mut wrong, reason, &text, &file_problems(&text), expected);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A face that names its live one, with these fields below `spec:`.
fn named(key: &str, id: &str, spec: &str) -> String {
    face(key, spec).replace("spec:", &format!("  annotations: {{ facectl.dev/face-id: {id} }}\nspec:"))
}

#[test]
fn a_face_that_names_its_live_one_needs_no_source_and_says_nothing_about_its_training() {
    let mut wrong = String::new();
    for (reason, spec, expected) in [
        ("no source is needed", "face_name: Ana", ""),
        ("one may be there", "train_video_url: https://m.example.com/a.mp4", ""),
        ("a voice may be set", "default_voice_id: v1\nmodel_name: phoenix-4.5", ""),
        ("a photo is still a photo", "train_image_url: https://m.example.com/a.png", "voice 7:3"),
        ("a slip is still a slip", "train_vidoe_url: https://m.example.com/a.mp4", "unknown-field 7:3"),
        ("a slug trains", "voice_name: anna", "no-source 7:3"),
        ("a repair trains", "auto_fix_training_image: false", "no-source 7:3"),
        ("a version trains", "training_version: 2", "no-source 7:3"),
        ("a background trains", "properties: { background_green_screen: true }", "no-source 7:17"),
    ] {
        check(&mut wrong, reason, spec, &file_problems(&named("ana", "r90bbd427f71", spec)), expected);
    }
    let text = named("ana", "r1/x", "face_name: Ana");
    check(&mut wrong, "not an id", &text, &file_problems(&text), "invalid-name 5:39");
    let text = format!("{}---\n{}", named("ana", "r1", "face_name: A"), named("bea", "r1", "face_name: B"));
    check(&mut wrong, "one face, two keys", &text, &file_problems(&text), "duplicate-id 13:39");
    assert!(wrong.is_empty(), "{wrong}");
    let desired = Folder::new(&[("f.yaml", &named("ana", "r1", "face_name: Ana"))]).desired(&["f.yaml"]);
    let ana = &desired.faces[&"ana".parse().unwrap()];
    assert_eq!((ana.declared_id(), &ana.spec.training), (Some("r1".parse().unwrap()), &None));
    let other = Folder::new(&[("f.yaml", &named("ana", "r2", "face_name: Ana"))]).desired(&["f.yaml"]);
    assert_ne!(desired.digest, other.digest, "another face makes another plan");
}

#[test]
fn the_digest_is_over_what_is_wanted_and_not_over_how_it_is_written() {
    let digest = |text: &str| Folder::new(&[("f.yaml", text)]).desired(&["f.yaml"]).digest;
    let base = digest(&face("ana", "train_video_url: https://m.example.com/a.mp4?X-Amz-Signature=1"));
    let same = face(
        "ana",
        "# signed anew\ntrain_video_url: \"https://m.example.com/a.mp4?X-Amz-Signature=2\"\nface_name: ana",
    );
    assert_eq!(base, digest(&same));
    for spec in [
        "train_video_url: https://m.example.com/b.mp4",
        "train_video_url: https://m.example.com/a.mp4\nface_name: Ana",
        "train_video_url: https://m.example.com/a.mp4\ndefault_voice_id: v1",
        "train_video_url: https://m.example.com/a.mp4\nlifecycle: { protect: true }",
        "train_video_url: https://m.example.com/a.mp4\ntraining_version: 1",
    ] {
        assert_ne!(base, digest(&face("ana", spec)), "{spec}");
    }
}

#[test]
fn every_way_to_write_a_text_reads_the_same_in_both_readers() {
    let face = |note: &str, end: &str| {
        format!(
            "apiVersion: facectl.dev/v1\nkind: Face\nspec: {{ train_video_url: \"https://m.example.com/a.mp4\" }}\nmetadata:\n  \
             name: ana\n  annotations:\n    note: {note}{end}"
        )
    };
    let mut wrong = String::new();
    for (note, expected) in [
        ("|\n      a\n      b\n", "a\nb\n"),
        ("|\n      a\n      b", "a\nb\n"),
        ("|-\n      a\n", "a"),
        ("|+\n      a\n\n\n", "a\n\n\n"),
        (">\n      a\n      b\n\n      c\n", "a b\nc\n"),
        (">+\n      a\n\n", "a\n\n"),
        ("|2\n       a\n", " a\n"),
        ("a\n      b\n", "a b"),
        ("\"a\\\n      b\"\n", "ab"),
        ("\"a\n\n      b\\u00e9\\x41\"\n", "a\nbéA"),
        ("'it''s'\n", "it's"),
        ("a#b # c\n", "a#b"),
        ("007\n", "007"),
        ("1_000\n", "1_000"),
        ("2026-11-22\n", "2026-11-22"),
        ("yes\n", "yes"),
        ("&x ana\n    copy: *x\n", "ana"),
        ("ä😀\n", "ä😀"),
    ] {
        for end in ["", "---\n# end\n", "...\n"] {
            if !note.ends_with('\n') && !end.is_empty() {
                continue;
            }
            for text in [face(note, end), face(note, end).replace('\n', "\r\n")] {
                let folder = Folder::new(&[("f.yaml", &text)]);
                let found = match folder.load(&["f.yaml"]) {
                    Ok(loaded) => loaded.desired.faces[&"ana".parse().unwrap()].annotations["note"].clone(),
                    Err(_) => folder.problems(&["f.yaml"]),
                };
                check(&mut wrong, "a text", &text, &found, expected);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A manifest as programs write it, in JSON and in ASCII alone.
fn json(name: &str, more: &str) -> String {
    format!(
        "{{\"apiVersion\": \"facectl.dev/v1\", \"kind\": \"Face\", \"metadata\": {{\"name\": \"a\"}},\n \"spec\": \
         {{\"face_name\": \"{name}\", {more}\"train_video_url\": \"https://m.example.com/a.mp4\"}}}}\n"
    )
}

#[test]
fn json_may_write_a_character_as_two_escapes() {
    let name = |text: &str| {
        let folder = Folder::new(&[("a.yaml", text)]);
        folder.desired(&["a.yaml"]).faces[&"a".parse().unwrap()].spec.face_name.to_string()
    };
    assert_eq!(name(&json(r"Ana \ud83d\ude00", "")), "Ana \u{1F600}");
    assert_eq!(name(&json(r"\uD83D\uDE00\ud83d\ude01 \u00eb", "")), "\u{1F600}\u{1F601} \u{EB}");
    assert_eq!(name(&json(r"Ana \\ud83d", "")), r"Ana \ud83d", "an escaped backslash begins no escape");
    let yaml =
        super::face("a", "face_name: 'Ana \\ud83d\\ude00' # \"\\ud83d\"\ntrain_video_url: https://m.example.com/a.mp4");
    assert_eq!(name(&yaml), r"Ana \ud83d\ude00", "in single quotes nothing is an escape");
    assert_eq!(name(&format!("{}---\n{}", json(r"\ud83d\ude00", ""), super::video("b"))), "\u{1F600}");
}

#[test]
fn places_behind_two_escapes_are_those_of_the_file() {
    assert_eq!(file_problems(&json(r"\ud83d\ude00", "\"nope\": 1, ")), "unknown-field 2:40");
    assert_eq!(file_problems(&json(r"\ud83d\ude00", "\"é\\ud83d\\ude00\": 1, ")), "unknown-field 2:40");
}

#[test]
fn half_of_a_character_is_refused_where_it_stands() {
    for (name, column) in
        [(r"Ana \ud83d", 29), (r"\ud83d\ude00 \ude00", 38), (r"\ud83d\ud83d\ude00", 25), (r"\ude00\ud83d", 25)]
    {
        assert_eq!(file_problems(&json(name, "")), format!("syntax 2:{column}"), "{name}");
    }
    let folder = Folder::new(&[("a.yaml", &json(r"Ana \ud83d", ""))]);
    assert!(folder.rendered(&["a.yaml"]).contains(r"`\ud83d` is half of a character"));
}

#[test]
fn a_variable_that_is_repeated_without_end_is_refused_at_its_place() {
    let link = format!("https://m.example.com/{}", "${FACECTL_VAR_HOST}".repeat(200_000));
    assert_eq!(spec_problems(&format!("train_video_url: {link}")), "variable 6:20");
}
