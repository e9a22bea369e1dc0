use super::*;
use crate::face::{Model, SourceKind};

fn face(id: &str) -> RecordedFace {
    let trained_from = TrainedFrom {
        model: Model::Phoenix4,
        kind: SourceKind::Video,
        source: "https://m.example.com/a.mp4?…".into(),
        source_hash: "0".repeat(32),
        revision: None,
        voice: None,
        auto_fix: false,
        green_screen: false,
        training_version: None,
    };
    let (project, key) = ("p".parse().unwrap(), "ana".parse().unwrap());
    let token = Token::of(&project, &key, &trained_from.fingerprint(), Attempt::FIRST);
    RecordedFace {
        id: id.parse().unwrap(),
        name: "Ana \"😀\": yes".parse().unwrap(),
        default_voice: None,
        trained_from: Some(trained_from),
        attempt: Attempt::FIRST,
        token: Some(token),
        token_in_name: true,
        created_at: Some(Timestamp::UNIX_EPOCH),
        on_removal: OnRemoval::Retain,
        protect: true,
        manifest: Some("faces/ana.yaml".to_owned()),
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
        going_back_to: None,
    }
}

fn snapshot(faces: &[(&str, &str)], serial: u64) -> Snapshot {
    let mut snapshot = Snapshot::empty("p".parse().unwrap());
    snapshot.meta.serial = serial;
    snapshot.faces = faces.iter().map(|(key, id)| (key.parse().unwrap(), face(id))).collect();
    snapshot
}

#[test]
fn what_is_locked_comes_back_and_writing_the_same_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK_FILE);
    let snapshot = snapshot(&[("ana", "r1"), ("ben", "r2")], 7);
    let lock = LockFile::of(&snapshot, None);
    lock.write(&path, folder.path()).unwrap();
    let read = LockFile::read(&path, &"p".parse().unwrap()).unwrap().unwrap();
    assert_eq!(read, lock);
    assert_eq!(read.recorded(), snapshot.faces);
    assert_eq!(read.serial(), 7);
}

#[test]
fn only_the_block_that_changed_changes_so_that_branches_merge() {
    let before = LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r2")], 7), None);
    let after = LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r3")], 9), Some(&before));
    assert_eq!(after.faces[&"ana".parse().unwrap()], before.faces[&"ana".parse().unwrap()]);
    assert_eq!(after.faces[&"ben".parse().unwrap()].serial, 9);
}

#[test]
fn a_face_that_only_the_lock_file_knows_is_taken_over_whatever_the_serials_say() {
    // Two machines went on from one state, and git merged what they wrote.
    let base = LockFile::of(&snapshot(&[("ana", "r1")], 5), None);
    let mut theirs = snapshot(&[("ana", "r1"), ("f9", "r9")], 7);
    theirs.meta.lineage.clone_from(&base.lineage);
    let mut ours = snapshot(&[("ana", "r1"), ("f1", "r2")], 30);
    ours.meta.lineage.clone_from(&base.lineage);
    let merged = LockFile::of(&theirs, Some(&base));
    let merge = merge(&ours, &merged, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(merge.taken.keys().map(FaceKey::as_str).collect::<Vec<_>>(), ["f9"]);
    assert_eq!(merge.dropped, Vec::<FaceKey>::new(), "what only the state knows stays");
}

#[test]
fn each_block_counts_by_who_changed_it_since_it_was_written() {
    let face = |id: &str, serial| snapshot(&[("ana", id)], serial);
    let with = |mut snapshot: Snapshot, base: &LockFile| {
        snapshot.meta.lineage.clone_from(&base.lineage);
        snapshot
    };
    let base = LockFile::of(&face("r1", 5), None);
    for (theirs, ours, taken, why) in [
        (("r1", 5), ("r1", 9), None, "they agree"),
        (("r1", 5), ("r2", 9), None, "only the state moved"),
        (("r3", 7), ("r1", 9), Some("r3"), "only the lock file moved, though its serial is lower"),
        (("r3", 7), ("r2", 9), None, "both moved, the state later"),
        (("r3", 12), ("r2", 9), Some("r3"), "both moved, the lock file later"),
    ] {
        let lock = LockFile::of(&with(face(theirs.0, theirs.1), &base), Some(&base));
        let merge = merge(&with(face(ours.0, ours.1), &base), &lock, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
        let id = merge.taken.values().next().map(|face| face.id.as_str());
        assert_eq!(id, taken, "{why}");
    }
    let gone = LockFile::of(&with(snapshot(&[], 7), &base), Some(&base));
    let dropped = merge(&with(face("r1", 9), &base), &gone, Some(&base), Timestamp::UNIX_EPOCH).unwrap().dropped;
    assert_eq!(dropped.len(), 1, "another machine dropped it");
    let kept = merge(&with(face("r2", 9), &base), &gone, Some(&base), Timestamp::UNIX_EPOCH).unwrap().dropped;
    assert_eq!(kept.len(), 0, "it was dropped there and changed here");
}

#[test]
fn a_lock_file_of_the_first_form_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK_FILE);
    let old = "lock_version: 1\nproject: p\nlineage: l\nfaces:\n  ana:\n    face_id: r2\n    face_name: Ana\n    \
               serial: 4\n    attempt: 2\n    previous: [r1]\n";
    std::fs::write(&path, old).unwrap();
    let lock = LockFile::read(&path, &"p".parse().unwrap()).unwrap().unwrap();
    let face = &lock.faces[&"ana".parse().unwrap()];
    assert_eq!(face.previous, [PreviousFace::known_by_id("r1".parse().unwrap())]);
}

#[test]
fn an_older_block_does_not_make_the_state_forget_a_face_that_it_paid_for() {
    let base = LockFile::of(&snapshot(&[("ana", "r2")], 9), None);
    let mut ours = snapshot(&[("ana", "r2")], 9);
    ours.meta.lineage.clone_from(&base.lineage);
    let mut older = LockFile::of(&snapshot(&[("ana", "r1")], 5), None);
    older.lineage.clone_from(&base.lineage);
    let merged = merge(&ours, &older, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
    let ana = &merged.taken[&"ana".parse().unwrap()];
    assert_eq!((ana.id.as_str(), ana.previous[0].id.as_str()), ("r1", "r2"));
    assert_eq!(merged.kept.len(), 1);
    let mut newer = LockFile::of(&snapshot(&[("ana", "r3")], 12), None);
    newer.lineage.clone_from(&base.lineage);
    let merged = merge(&ours, &newer, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(merged.kept, [], "whoever went on from ours knew it");
}

#[test]
fn a_face_under_two_keys_is_refused_and_both_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK_FILE);
    LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r1")], 1), None).write(&path, folder.path()).unwrap();
    let error = LockFile::read(&path, &"p".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("face r1 stands under ana and under ben"), "{error}");
}

#[test]
fn a_newer_form_and_another_project_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK_FILE);
    LockFile::of(&snapshot(&[], 1), None).write(&path, folder.path()).unwrap();
    assert!(matches!(LockFile::read(&path, &"q".parse().unwrap()), Err(StateError::OtherProject { .. })));
    std::fs::write(&path, "lock_version: 3\nwhatever: new\n").unwrap();
    assert!(matches!(LockFile::read(&path, &"p".parse().unwrap()), Err(StateError::Newer { found: 3, .. })));
    std::fs::write(&path, "<<<<<<< ours\n").unwrap();
    assert!(matches!(LockFile::read(&path, &"p".parse().unwrap()), Err(StateError::LockFile { .. })));
}
