//! Local files: each uploaded once under its hash, whatever stops it on the way; and what is there no more.

use crate::case::{Case, fetch};
use crate::front::Asked;
use crate::parts::{Parts, padded};

const MEGABYTE: usize = 1024 * 1024;
/// Four parts go together, and the fifth by itself.
const FIVE_PARTS: usize = 33 * MEGABYTE;

const PHOTO: &[u8] = include_bytes!("../media/clips/still.png");

/// A project with a file, and faces that are trained from it.
fn with_file<'a>(parts: &'a Parts, bytes: &[u8], faces: &[&str]) -> Case<'a> {
    let case = Case::new(parts);
    case.environment.write("media/ana.mp4", bytes);
    for face in faces {
        case.face(face, "../media/ana.mp4", "");
    }
    case
}

/// Uploads that were begun, and the numbers of the parts that were sent.
fn sent(case: &Case<'_>) -> (usize, Vec<usize>) {
    let asked = case.asked("up/");
    let is_begin = |asked: &&Asked| asked.method == "POST" && asked.target.contains("?uploads");
    let mut numbers: Vec<usize> = asked.iter().filter_map(Asked::part).collect();
    numbers.sort_unstable();
    (asked.iter().filter(is_begin).count(), numbers)
}

fn uploaded(case: &Case<'_>) -> Vec<String> {
    case.parts.list(&case.key("up"))
}

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

pub(crate) fn a_file_is_uploaded_once_under_its_hash_for_all_faces_and_all_runs(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana", "bruno"]);
    case.run("plan").exits(0).prints(&["2 to create"]);
    assert_eq!(sent(&case), (0, vec![]), "a plan uploads nothing");
    case.run("apply -y").exits(0).prints(&["2 created"]);
    assert_eq!((case.trainings(), sent(&case)), (2, (1, vec![1])));
    let name = format!("{}.mp4", sha256(&parts.clips.first));
    assert_eq!(uploaded(&case), [format!("{}/{name}", case.key("up"))]);
    for link in case.links() {
        assert!(link.contains(&name) && link.contains("X-Amz-Expires=173400"), "{link}");
        assert_eq!(fetch(parts, &link), (200, parts.clips.first.clone()));
    }
    case.run("plan --expect-no-changes").exits(0);
    case.run("apply -y").exits(0);
    // One more face from it, on another machine.
    case.lose_the_state(false);
    case.face("carla", "../media/ana.mp4", "");
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!((case.trainings(), sent(&case)), (3, (1, vec![1])));
    assert!(!case.environment.path(".facectl/uploads").read_dir().is_ok_and(|mut files| files.next().is_some()));
}

pub(crate) fn a_file_that_is_gone_is_needed_no_more_and_another_one_is_a_replacement(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.run("apply -y").exits(0);
    std::fs::remove_file(case.environment.path("media/ana.mp4")).unwrap();
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    // Renamed, it is the same material.
    case.environment.write("media/take-2.mp4", &parts.clips.first);
    case.face("ana", "../media/take-2.mp4", "");
    case.run("plan --expect-no-changes").exits(0);
    case.environment.write("media/take-2.mp4", &parts.clips.second);
    case.run("plan").exits(0).prints(&["-/+ ana replace", "1 paid training"]);
    assert_eq!(case.trainings(), 1);
    case.run("apply -y").exits(0);
    assert_eq!(case.trainings(), 2);
    case.run("plan --expect-no-changes").exits(0);
}

pub(crate) fn an_untrained_face_whose_file_is_missing_is_blocked(parts: &Parts) {
    let case = Case::new(parts);
    case.face("ana", "../media/ana.mp4", "");
    let run = case.run("plan").exits(0).prints(&["! ana blocked", "media/ana.mp4", "not here"]);
    case.run("apply -y").exits(5);
    assert_eq!(case.trainings(), 0, "{run}");
}

pub(crate) fn a_face_without_a_place_to_upload_to_is_blocked(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.environment.write("facectl.yaml", crate::environment::project("acme", ""));
    case.run("plan").exits(0).prints(&["! ana blocked", "set spec.media.upload"]);
    case.run("apply -y").exits(5);
    assert_eq!((case.trainings(), sent(&case)), (0, (0, vec![])));
    let place = case.object("up");
    case.run_with("apply -y", &[("FACECTL_MEDIA_UPLOAD", &place)]).exits(0).prints(&["1 created"]);
}

pub(crate) fn an_upload_that_was_killed_goes_on_with_what_is_missing(parts: &Parts) {
    let bytes = padded(&parts.clips.first, FIVE_PARTS);
    let case = with_file(parts, &bytes, &["ana"]);
    let fifths = || sent(&case).1.iter().filter(|part| **part == 5).count();
    for (signal, before) in [("KILL", 0), ("INT", 1)] {
        parts.front.hold(&case.prefix, 5);
        let mut run = case.spawn("apply -y");
        run.until("the fifth part is on its way", || fifths() > before);
        run.signal(signal);
        let run = run.end();
        case.assert_nothing_secret(&run);
        assert_eq!(run.code, (signal == "INT").then_some(8), "{run}");
        parts.front.let_pass(&case.prefix);
        assert_eq!(case.trainings(), 0);
    }
    case.run("apply -y").exits(0).prints(&["1 created"]);
    let (begun, numbers) = sent(&case);
    let sent_of = |numbers: &[usize], part: usize| numbers.iter().filter(|number| **number == part).count();
    assert_eq!(
        [1, 2, 3, 4].map(|part| sent_of(&numbers, part)),
        [1; 4],
        "what was there is not sent again: {numbers:?}"
    );
    assert_eq!((begun, sent_of(&numbers, 5), case.trainings()), (1, 3, 1), "{numbers:?}");
    assert!(fetch(parts, &case.links()[0]).1 == bytes, "it is put together as it was");
}

pub(crate) fn an_upload_whose_line_breaks_again_and_again_keeps_its_parts(parts: &Parts) {
    let bytes = padded(&parts.clips.first, FIVE_PARTS);
    let case = with_file(parts, &bytes, &["ana"]);
    parts.front.cut(&case.prefix, 5);
    for _ in 0..2 {
        case.run("apply -y").exits(5).prints(&["no usable answer", "nothing was sent"]);
        assert_eq!(case.trainings(), 0);
    }
    parts.front.let_pass(&case.prefix);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    let (begun, numbers) = sent(&case);
    let before: Vec<_> = numbers.iter().filter(|number| **number < 5).collect();
    assert_eq!((begun, before.len()), (1, 4), "what was there is not sent again: {numbers:?}");
    assert!(fetch(parts, &case.links()[0]).1 == bytes, "it is put together as it was");
}

pub(crate) fn an_upload_that_the_store_gave_up_begins_anew(parts: &Parts) {
    let bytes = padded(&parts.clips.first, FIVE_PARTS);
    let case = with_file(parts, &bytes, &["ana"]);
    parts.front.hold(&case.prefix, 5);
    let mut run = case.spawn("apply -y");
    run.until("the fifth part is on its way", || sent(&case).1.contains(&5));
    run.signal("KILL");
    case.assert_nothing_secret(&run.end());
    parts.front.let_pass(&case.prefix);
    let target = case.asked("partNumber=5&").remove(0).target;
    let upload = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("uploadId=")).unwrap();
    let name = format!("{}/{}.mp4", case.key("up"), sha256(&bytes));
    parts.abort(&name, upload);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!((sent(&case).0, case.trainings()), (2, 1));
    assert!(fetch(parts, &case.links()[0]).1 == bytes);
}

pub(crate) fn what_lies_under_the_hash_with_another_length_is_not_taken_for_the_file(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.put(&format!("up/{}.mp4", sha256(&parts.clips.first)), &parts.clips.short);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(fetch(parts, &case.links()[0]).1, parts.clips.first);
}

pub(crate) fn a_photo_is_uploaded_and_looked_at_as_one(parts: &Parts) {
    let case = Case::new(parts);
    let manifest = |photo: &str| {
        let source = format!("../media/{photo}");
        let text = crate::environment::face("ana", &source, "  voice_name: anna\n");
        case.environment.write("faces/ana.yaml", text.replace("train_video_url", "train_image_url"));
    };
    case.environment.write("media/clip.jpg", &parts.clips.first);
    case.environment.write("media/ana.png", PHOTO);
    manifest("clip.jpg");
    case.run("apply -y").exits(5).prints(&["! ana blocked", "type:"]);
    assert_eq!((case.trainings(), sent(&case).0), (0, 0));
    manifest("ana.png");
    case.run("apply -y").exits(0).prints(&["1 created"]);
    let links = case.links();
    assert!(links.len() == 1 && links[0].contains(&format!("{}.png?", sha256(PHOTO))), "{links:?}");
    assert_eq!(fetch(parts, &links[0]), (200, PHOTO.to_vec()));
}

pub(crate) fn a_file_that_changes_while_it_is_uploaded_is_never_completed_and_never_paid(parts: &Parts) {
    let bytes = padded(&parts.clips.first, FIVE_PARTS);
    let case = with_file(parts, &bytes, &["ana"]);
    parts.front.hold(&case.prefix, 1);
    let mut run = case.spawn("apply -y");
    run.until("four parts were sent", || sent(&case).1.len() == 4);
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    case.environment.write("media/ana.mp4", &other);
    parts.front.let_pass(&case.prefix);
    let run = run.end();
    case.assert_nothing_secret(&run);
    let run = run.exits(5);
    assert!(run.stdout.contains("changed since it was looked at") || run.stderr.contains("changed since"), "{run}");
    assert_eq!((case.trainings(), uploaded(&case)), (0, vec![]));
    // Looked at again, it is another file.
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
    assert_eq!(uploaded(&case), [format!("{}/{}.mp4", case.key("up"), sha256(&other))]);
    assert!(fetch(parts, &case.links()[0]).1 == other);
}

pub(crate) fn a_file_that_changed_since_a_plan_was_saved_refuses_it(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.run("plan --out out/saved.json").exits(0).prints(&["1 to create"]);
    case.environment.write("media/ana.mp4", &parts.clips.second);
    case.run("apply out/saved.json").exits(5);
    assert_eq!((case.trainings(), sent(&case)), (0, (0, vec![])));
    // As it was: touched, and the same.
    case.environment.write("media/ana.mp4", &parts.clips.first);
    case.run("apply out/saved.json").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn a_loop_uploads_looks_and_trains_anew_as_apply_does(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.face_of_object("bruno", "  lifecycle: { on_source_change: retrain }\n");
    case.put("short.mp4", &parts.clips.short);
    case.face("carla", &case.object("short.mp4"), "");
    case.run("reconcile --once").exits(5).says(&["carla", "it is 10.0"]);
    assert_eq!((case.trainings(), sent(&case)), (2, (1, vec![1])));
    case.put("bruno.mp4", &parts.clips.second);
    case.put("short.mp4", &parts.clips.first);
    case.run("reconcile --once");
    assert_eq!((case.trainings(), sent(&case)), (4, (1, vec![1])));
    case.hours_pass(10);
    case.run("reconcile --once").exits(0);
    case.run("plan --expect-no-changes").exits(0);
    assert_eq!(case.trainings(), 4);
}

pub(crate) fn a_pointer_of_git_lfs_is_the_file_that_it_stands_for(parts: &Parts) {
    let case = with_file(parts, &parts.clips.first, &["ana"]);
    case.run("apply -y").exits(0);
    let pointer = |bytes: &[u8]| {
        let hash = sha256(bytes);
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize {}\n", bytes.len())
    };
    case.environment.write("media/ana.mp4", pointer(&parts.clips.first));
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    // What lies there already is not needed here.
    case.face("bruno", "../media/ana.mp4", "");
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(fetch(parts, &case.links()[1]).1, parts.clips.first);
    case.environment.write("media/carla.mp4", pointer(&parts.clips.second));
    case.face("carla", "../media/carla.mp4", "");
    case.run("plan").exits(0).prints(&["! carla blocked", "run `git lfs pull`"]);
    case.run("apply -y").exits(5);
    assert_eq!(case.trainings(), 2);
}

pub(crate) fn in_a_rehearsal_nothing_is_fetched_signed_or_uploaded(parts: &Parts) {
    let case = with_file(parts, &parts.clips.short, &["ana"]);
    case.face_of_object("bruno", "");
    case.script("sign", "echo it ran >own/ran; echo https://media.example.com/x.mp4");
    case.face("carla", "exec:own/sign", "");
    for line in ["apply -y --sandbox --sandbox-speed 36000", "apply -y"] {
        case.run_with(line, &[("FACECTL_PREFLIGHT", ""), ("FACECTL_ALLOW_EXEC", "own/sign")])
            .exits(0)
            .prints(&["3 created"]);
    }
    assert_eq!(case.trainings(), 3);
    assert_eq!(case.asked(""), []);
    assert!(!case.environment.path("own/ran").exists());
}
