//! `fmt` from the outside: one look, the same meaning, every comment.

#[path = "format_random.rs"]
mod random;

use std::fs;
use std::path::PathBuf;

use facectl::manifest::format::{Fate, FormatRequest, Formatted, format};
use insta::assert_snapshot;
use serde::Deserialize;

use super::{Folder, video};

/// Lays out a text as if it came on standard input.
fn stream(text: &str) -> Formatted {
    format(FormatRequest {
        paths: vec!["-".to_owned()],
        project_file: None,
        cwd: std::env::temp_dir(),
        stdin: Box::new(std::io::Cursor::new(text.as_bytes().to_vec())),
        is_written: false,
    })
}

/// The text laid out; it must be ours and sound.
#[track_caller]
fn laid_out(text: &str) -> String {
    let mut formatted = stream(text);
    match formatted.files.pop().map(|file| file.fate) {
        Some(Fate::Changed { before, after }) => {
            assert_eq!(before, text);
            after
        }
        Some(Fate::Unchanged { text }) => text,
        other => panic!("{other:?} {:?}\n{text}", formatted.diagnostics),
    }
}

/// Why a text was not laid out.
#[track_caller]
fn refused(text: &str) -> &'static str {
    let formatted = stream(text);
    assert_eq!(formatted.files[0].fate, Fate::Failed, "{text}");
    formatted.diagnostics[0].code
}

fn folder(folder: &Folder, paths: &[&str], is_written: bool) -> Formatted {
    format(FormatRequest {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        project_file: None,
        cwd: folder.path().to_owned(),
        stdin: Box::new(std::io::empty()),
        is_written,
    })
}

/// `name fate` for each file, one a line.
fn fates(formatted: &Formatted) -> String {
    let word = |fate: &Fate| match fate {
        Fate::Unchanged { .. } => "unchanged",
        Fate::Changed { .. } => "changed",
        Fate::LeftAlone { .. } => "left alone",
        Fate::Failed => "failed",
    };
    let lines = formatted.files.iter().map(|file| format!("{} {}", file.name, word(&file.fate)));
    let said = formatted.diagnostics.iter().map(|one| format!("{} {}", one.code, one.place));
    lines.chain(said).collect::<Vec<_>>().join("\n")
}

/// The documents as a reader sees them that has nothing to do with the formatter.
fn values(text: &str) -> Vec<serde_yaml::Value> {
    let text = text.trim_start_matches('\u{FEFF}');
    serde_yaml::Deserializer::from_str(text).map(|one| serde_yaml::Value::deserialize(one).unwrap()).collect()
}

const UNTIDY: &str = "\u{20}\u{20}# yaml-language-server: $schema=x.json


apiVersion:   facectl.dev/v1   # lined up
kind: 'Face'                   # with this one
metadata: {name: ana,labels: {team: support,   tier: \"1\"}}
# about the spec, or about the link?
spec:
    train_video_url:    https://m.example.com/a.mp4?x=1#no-comment
    # of the name
    face_name: Ana # behind it
    training_version: |
        # no comment
          1
    lifecycle: {
        wait_for: ready, # why
        protect: false }
    # at the end
---


# a second one
kind: Face
apiVersion: facectl.dev/v1
";

#[test]
fn an_untidy_file_is_laid_out_and_its_comments_stay_where_they_were() {
    assert_snapshot!(laid_out(UNTIDY), @r#"
    # yaml-language-server: $schema=x.json

    apiVersion: facectl.dev/v1   # lined up
    kind: "Face"                 # with this one
    metadata: { name: ana, labels: { team: support, tier: "1" } }
    # about the spec, or about the link?
    spec:
      train_video_url: https://m.example.com/a.mp4?x=1#no-comment
      # of the name
      face_name: Ana # behind it
      training_version: |
        # no comment
          1
      lifecycle: {
        wait_for: ready, # why
        protect: false
      }
      # at the end
    ---

    # a second one
    kind: Face
    apiVersion: facectl.dev/v1
    "#);
}

#[test]
fn what_is_laid_out_stays_as_it_is_and_so_do_the_examples() {
    assert_eq!(laid_out(&laid_out(UNTIDY)), laid_out(UNTIDY));
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in ["quickstart", "team"] {
        let formatted = format(FormatRequest {
            paths: Vec::new(),
            project_file: None,
            cwd: examples.join(example),
            stdin: Box::new(std::io::empty()),
            is_written: false,
        });
        assert!(formatted.files.len() >= 3 && formatted.diagnostics.is_empty(), "{formatted:?}");
        for file in &formatted.files {
            assert!(matches!(file.fate, Fate::Unchanged { .. }), "{file:?}");
        }
    }
}

#[test]
fn line_ends_are_those_of_the_first_line_and_a_byte_order_mark_goes() {
    let tidy = video("ana");
    let windows = tidy.replace('\n', "\r\n");
    assert_eq!(laid_out(&windows), windows);
    assert_eq!(laid_out(&format!("\u{FEFF}{windows}")), windows);
    assert_eq!(laid_out(&windows.replacen("Face\r", "Face", 1)), windows);
    assert_eq!(laid_out(&tidy.replacen("Face\n", "Face\r\n", 1)), tidy);
    assert_eq!(laid_out(tidy.trim_end()), tidy);
    let block =
        windows.replace("name: ana", "name: ana\r\n  annotations:\r\n      note: |\r\n          a\r\n\r\n          b");
    assert_eq!(values(&laid_out(&block)), values(&block));
}

#[test]
fn what_cannot_be_read_or_is_unsound_is_refused() {
    let face = video("ana");
    for (text, code) in [
        (format!("{face}     bad: x\n"), "facectl::syntax"),
        (format!("{face}\tx: y\n"), "facectl::syntax"),
        (format!("{face}kind: Face\n"), "facectl::duplicate-key"),
        (face.replace("https", "&x https") + "  face_name: *y\n", "facectl::syntax"),
        (face.replace("https", "!!str https"), "facectl::tag"),
        ("kind: Face\u{0}\n".to_owned(), "facectl::control-character"),
        (format!("kind: Face\nx: {}\n", "[".repeat(70)), "facectl::too-deep"),
        // The empty lines at its end are a part of this text, and the formatter would drop them.
        (format!("{face}  face_name: |+\n    a\n\n\n"), "facectl::format"),
    ] {
        assert_eq!(refused(&text), code, "{text}");
    }
}

#[test]
fn a_character_that_json_writes_as_two_escapes_stays_as_it_is_written() {
    let text = video("ana").replace(
        "spec:",
        r#"spec:
    face_name:   "Ana \ud83d\ude00""#
            .replace("\\n", "\n")
            .as_str(),
    );
    let text = text.replace("  train", "    train");
    assert!(laid_out(&text).contains("\n  face_name: \"Ana \\ud83d\\ude00\"\n"), "{}", laid_out(&text));
}

#[test]
fn an_entry_can_be_kept_as_it_is() {
    let text = video("ana").replace("spec:", "# facectl-fmt-ignore\nspec:").replace("  train", "    train");
    assert_eq!(laid_out(&text), text);
}

#[test]
fn a_long_list_whose_breaking_no_reader_would_take_stays_on_its_line() {
    let names: Vec<String> = (0..8).map(|number| format!("\"faces/team-{number}/*.yaml\"")).collect();
    let list = |items: &str| format!("kind: Project\napiVersion: facectl.dev/v1\nspec:\n  manifests: {items}\n");
    let tidy = list(&format!("[{}]", names.join(", ")));
    assert_eq!(laid_out(&list(&format!("[ {} ]", names.join(",  ")))), tidy);
    assert_eq!(laid_out(&tidy), tidy);
    // Without quotes at its end it can be broken.
    let plain = laid_out(&tidy.replace('"', "").replace('*', "all"));
    assert!(plain.contains("manifests: [\n    faces/team-0/all.yaml,\n"), "{plain}");
}

#[test]
fn only_files_with_nothing_but_our_kinds_are_touched() {
    let untidy = video("ana").replace("kind: ", "kind:   ");
    let foreign = "apiVersion: v1\nkind:   ConfigMap # facectl.dev\n";
    let folder_of_files = Folder::new(&[
        (
            "facectl.yaml",
            "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: {name: acme}\nspec: { manifests: [faces/, more] }\n",
        ),
        ("facectl.lock.yaml", "version:   1\n"),
        ("elsewhere/bob.yaml", &untidy),
        ("faces/ana.yaml", &untidy),
        ("faces/broken.yaml", "kind: Face\n  x: y\n"),
        ("faces/chart.yaml", "{{ if }}\nkind:   x\n"),
        ("faces/config.yaml", foreign),
        ("faces/empty.yaml", "# facectl.dev: nothing yet\n"),
        ("faces/mixed.yaml", &format!("{untidy}---\n{foreign}")),
        ("faces/.hidden.yaml", &untidy),
        ("more/tidy.yml", &video("tim")),
    ]);
    let before = |name: &str| fs::read_to_string(folder_of_files.path().join(name)).unwrap();
    let mixed = before("faces/mixed.yaml");
    let expected = "
    facectl.yaml changed
    faces/ana.yaml changed
    faces/broken.yaml failed
    faces/chart.yaml left alone
    faces/config.yaml left alone
    faces/empty.yaml left alone
    faces/mixed.yaml left alone
    more/tidy.yml unchanged
    facectl::syntax faces/broken.yaml:2:4
    facectl::not-ours faces/mixed.yaml:8:1
    ";
    let expected = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(fates(&folder(&folder_of_files, &[], false)), expected);
    assert_eq!(before("faces/ana.yaml"), untidy, "nothing is written unless it is asked for");
    assert_eq!(fates(&folder(&folder_of_files, &["."], true)), expected);
    assert_eq!(before("faces/ana.yaml"), video("ana"));
    assert_eq!(before("faces/mixed.yaml"), mixed);
    assert_eq!(before("elsewhere/bob.yaml"), untidy);
    assert_eq!(before("facectl.lock.yaml"), "version:   1\n");
    // Named by a shell's pattern, the same files are left alone as well, and that is said.
    let named = ["facectl.lock.yaml", "facectl.yaml", "faces/config.yaml"];
    let expected = "facectl.yaml unchanged\nfaces/config.yaml left alone\n\
                    facectl::not-ours facectl.lock.yaml\nfacectl::not-ours faces/config.yaml";
    assert_eq!(fates(&folder(&folder_of_files, &named, true)), expected);
}

#[test]
fn a_folder_without_manifests_is_said_and_a_project_without_faces_is_fine() {
    let nothing = Folder::new(&[("readme.md", "")]);
    assert_eq!(fates(&folder(&nothing, &[], true)), "facectl::no-manifests .");
    assert_eq!(fates(&folder(&nothing, &["gone.yaml"], true)), "facectl::not-found gone.yaml");
    let project = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: {name: acme}\n";
    let young = Folder::new(&[("facectl.yaml", project)]);
    assert_eq!(fates(&folder(&young, &[], true)), "facectl.yaml changed");
    // A project file that cannot be read does not keep its faces from being laid out.
    let broken = Folder::new(&[("facectl.yaml", "kind: Project\n x: [\n"), ("faces/ana.yaml", &video("ana"))]);
    let fates = fates(&folder(&broken, &[], true));
    assert!(fates.starts_with("facectl.yaml failed\nfaces/ana.yaml unchanged\n"), "{fates}");
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_a_link_stays_a_link() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let untidy = video("ana").replace("kind: ", "kind:   ");
    let files =
        Folder::new(&[("faces/ana.yaml", &untidy), ("faces/tidy.yaml", &video("tim")), ("shared/bob.yaml", &untidy)]);
    let path = |name: &str| files.path().join(name);
    fs::set_permissions(path("faces/ana.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../shared/bob.yaml", path("faces/bob.yaml")).unwrap();
    let tidy_before = fs::metadata(path("faces/tidy.yaml")).unwrap();
    folder(&files, &["faces"], true);
    assert_eq!(fs::metadata(path("faces/ana.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(path("faces/bob.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(path("shared/bob.yaml")).unwrap(), video("ana"));
    let tidy = fs::metadata(path("faces/tidy.yaml")).unwrap();
    assert_eq!((tidy.ino(), tidy.mtime_nsec()), (tidy_before.ino(), tidy_before.mtime_nsec()));
    assert_eq!(fs::read_dir(path("faces")).unwrap().count(), 3, "nothing is left lying about");
    fs::write(path("faces/ana.yaml"), &untidy).unwrap();
    fs::set_permissions(path("faces/ana.yaml"), fs::Permissions::from_mode(0o440)).unwrap();
    let formatted = folder(&files, &["faces"], true);
    assert!(fates(&formatted).contains("faces/ana.yaml failed"), "{}", fates(&formatted));
    assert!(fates(&formatted).ends_with("facectl::unwritable faces/ana.yaml"), "{}", fates(&formatted));
    assert_eq!(fs::read_to_string(path("faces/ana.yaml")).unwrap(), untidy);
}
