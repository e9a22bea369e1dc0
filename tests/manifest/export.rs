//! What is written for a live face can always be read again.

use facectl::face::{FaceId, ObservedFace, Ownership, TrainingStatus};
use facectl::manifest::{keys_for, manifest_of};
use proptest::prelude::*;

use super::{Folder, shown};

fn live(name: &str, model: Option<&str>) -> ObservedFace {
    ObservedFace {
        id: "r90bbd427f71".parse().unwrap(),
        name: Some(name.to_owned()),
        model: model.map(str::to_owned),
        status: TrainingStatus::Ready,
        progress: None,
        error: None,
        default_voice: Some("v1".parse().unwrap()),
        ownership: Ownership::User,
        created_at: None,
    }
}

/// Returns the name that comes back.
fn read_again(face: &ObservedFace) -> String {
    let keys = keys_for([(&face.id, face.shown_name())].into_iter(), |_| false);
    let key = &keys[&face.id];
    let folder = Folder::new(&[("f.yaml", &manifest_of(key, face, None, "face.v1.json"))]);
    let loaded = folder.load(&["f.yaml"]).unwrap_or_else(|rejected| panic!("{face:?}: {}", shown(&rejected)));
    let (read, face) = loaded.desired.faces.first_key_value().unwrap();
    assert_eq!((read, face.declared_id()), (key, "r90bbd427f71".parse::<FaceId>().ok()));
    assert_eq!(face.spec.training, None);
    face.spec.face_name.to_string()
}

#[test]
fn names_that_mean_something_in_yaml_come_back_as_they_are() {
    for name in [
        "'",
        "\"",
        "a: b",
        "a #b",
        "# a",
        "- a",
        "? a",
        "@a",
        "`a",
        "%a",
        "!a",
        "&a",
        "*a",
        "[a",
        "{a",
        "a]",
        "|",
        ">",
        "~",
        "null",
        "yes",
        "No",
        "on",
        "true",
        "12",
        "1.10",
        "0x1f",
        "1e3",
        ".inf",
        "2026-11-22",
        "=",
        "<<",
        "...",
        "---",
        "a\\nb",
        "a: \"b\" 'c'",
        "😀",
        "\u{feff}a",
        "a\u{a0}b",
        "ä",
        "${HOME}",
        "$${X}",
        "$",
        "${FACECTL_VAR_HOST}",
        "a, b",
    ] {
        assert_eq!(read_again(&live(name, Some("phoenix-4"))), name, "{name:?}");
    }
    assert_eq!(read_again(&live("  Ana ", Some("phoenix-2\n# x"))), "Ana");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_face_is_called_its_manifest_loads(name in any::<String>(), printable in "\\PC{1,80}", model in any::<String>()) {
        read_again(&live(&name, Some(&model)));
        if printable.parse::<facectl::face::FaceName>().is_ok() {
            prop_assert_eq!(read_again(&live(&printable, None)), printable);
        }
    }
}
