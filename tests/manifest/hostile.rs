//! Input that nobody meant well with.

use facectl::manifest::{LoadRequest, ProjectOverrides, load, render_text, to_json};
use proptest::prelude::*;

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
    fn no_slip_in_a_sound_manifest_makes_it_panic(at in 0usize..400, piece in proptest::sample::select(PIECES), cut in 0usize..5) {
        let mut text = super::face("ana", "train_image_url: https://m.example.com/a.png?x=1\nvoice_name: anna\nlifecycle: { protect: true }");
        let at = at % text.len();
        text.replace_range(at..(at + cut).min(text.len()), piece);
        never_panics(text.into_bytes());
    }
}
