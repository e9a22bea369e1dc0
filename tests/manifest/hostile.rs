//! Input that nobody meant well with.

use facectl::manifest::{self, LoadRequest, ProjectOverrides, load, render_text, to_json};
use proptest::prelude::*;

use super::{Folder, shown};

fn never_panics(bytes: Vec<u8>) {
    let folder = super::Folder::new(&[]);
    let request = LoadRequest {
        stdin: Box::new(std::io::Cursor::new(bytes)),
        overrides: ProjectOverrides::default(),
        ..folder.request(&["-"])
    };
    if let Err(rejected) = load(request) {
        assert!(!rejected.diagnostics.is_empty());
        for colour in [false, true] {
            let text = render_text(&rejected.diagnostics, &rejected.sources, colour, 80);
            assert!(!text.is_empty());
        }
        to_json(&rejected.diagnostics);
    }
}

/// Pieces that YAML gives a meaning, so that random texts get beyond the first character.
const PIECES: &[&str] = &[
    "apiVersion: facectl.dev/v1\n",
    "kind: Face\n",
    "metadata:\n",
    "  name: a\n",
    "spec:\n",
    "  face_name: ",
    "- ",
    "? ",
    ": ",
    "\n",
    "  ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!!str ",
    "!x",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "# c\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "~",
    "null",
    "0x1f",
    "${FACECTL_VAR_HOST}",
    "${",
    "https://h.example.com/?k=v@",
    "ä😀",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\r\n",
    "\\",
    "\"\\x41\\u263a\"",
    "train_video_url: ",
    "lifecycle: { protect: true }",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        never_panics(bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        never_panics(text.into_bytes());
    }

    #[test]
    fn no_heap_of_yaml_makes_it_panic(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        never_panics(pieces.concat().into_bytes());
    }

    #[test]
    fn what_serde_yaml_writes_is_read_back_as_it_was(text in "[ -~äß漢😀\n\u{a0}'\"#:&*!|>%@`{}\\[\\],?-]{0,60}") {
        let escaped = text.replace("${", "$${");
        let document = serde_json::json!({
            "apiVersion": "facectl.dev/v1",
            "kind": "Face",
            "metadata": { "name": "ana", "annotations": { "note": escaped } },
            "spec": { "train_video_url": "https://m.example.com/a.mp4" },
        });
        let folder = Folder::new(&[("f.yaml", &serde_yaml::to_string(&document).unwrap())]);
        let desired = folder.desired(&["f.yaml"]);
        prop_assert_eq!(&desired.faces[&"ana".parse().unwrap()].annotations["note"], &text);
    }

    #[test]
    fn no_slip_in_a_sound_manifest_makes_it_panic(at in 0usize..400, piece in proptest::sample::select(PIECES), cut in 0usize..5) {
        let mut text = super::face("ana", "train_image_url: https://m.example.com/a.png?x=1\nvoice_name: anna\nlifecycle: { protect: true }");
        let at = at % text.len();
        text.replace_range(at..(at + cut).min(text.len()), piece);
        never_panics(text.into_bytes());
    }
}

#[test]
fn files_that_would_hurt_are_refused_in_bounded_memory_and_on_a_bounded_stack() {
    let nested = |open: &str, count: usize| format!("kind: Face\na: {}", open.repeat(count));
    let bomb: String = (1..=12).fold("kind: Face\na0: &a0 [x, x]\n".to_owned(), |text, level| {
        let last = level - 1;
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(", "))
    });
    let repeated = format!("kind: Face\na: &a {}\nb: [{}]\n", "x".repeat(20_000), "*a, ".repeat(20_000));
    for (reason, text, expected) in [
        ("flow lists", nested("[", 100_000), "too-deep"),
        ("flow maps", nested("{a: ", 100_000), "too-deep"),
        ("block lists", format!("kind: Face\na:\n{}", "- ".repeat(20_000)), "too-deep"),
        ("complex keys", format!("kind: Face\na:\n{}", "? ".repeat(20_000)), "too-deep"),
        ("an alias bomb", bomb, "alias-bomb"),
        ("one text many times", repeated, "alias-bomb"),
        ("an alias of itself", "kind: Face\na: &a [*a]\n".to_owned(), "alias"),
        ("many values", format!("kind: Face\na: [{}]", "x,".repeat(150_000)), "too-many"),
        ("many documents", "---\na\n".repeat(100_001), "too-many"),
        ("a large file", " ".repeat(manifest::FILE_LIMIT + 1), "too-large"),
    ] {
        let folder = Folder::new(&[("f.yaml", &text)]);
        let problems = folder.load(&["f.yaml"]).unwrap_err().diagnostics;
        assert!(
            problems.iter().any(|one| one.code == format!("facectl::{expected}")),
            "{reason}: {:?}",
            problems.first()
        );
    }
    for (reason, bytes, expected) in [
        ("UTF-16", b"\xFF\xFEk\0".to_vec(), "encoding"),
        ("Latin-1", b"kind: Face\nname: J\xF6rg\n".to_vec(), "encoding"),
        ("an escape", b"kind: \x1b[31m\n".to_vec(), "control-character"),
    ] {
        let folder = Folder::new(&[]);
        folder.write("f.yaml", bytes);
        assert_eq!(folder.problems(&["f.yaml"]), format!("{expected} f.yaml"), "{reason}");
    }
}

#[test]
fn long_lines_are_cut_before_they_are_shown() {
    // miette panics on lines of more than 65,535 columns, and pads for each mark in memory.
    let text = format!(
        "kind: Face\na: {{ {} }}\nb: \"{}\" # {}\n",
        "x: ,".repeat(20_000),
        "://?".repeat(20_000),
        "y ".repeat(90_000)
    );
    let rejected = Folder::new(&[("f.yaml", &text)]).load(&["f.yaml"]).unwrap_err();
    let text = shown(&rejected);
    let far = rejected.diagnostics.iter().find(|one| one.place.column > 70_000).unwrap();
    assert!(text.contains(&format!("[{}]", far.place)), "columns are those of the file");
    assert!(text.lines().all(|line| line.chars().count() < 500));
}
