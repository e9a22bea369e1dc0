//! Clips as people record them: made by ffmpeg, where it is there.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use facectl::face::{Model, SourceKind};
use facectl::media::{Check, judge};

use crate::material::{Counted, look};

/// Says that the tools for these tests are needed: without it a machine that lacks them leaves the tests out.
const NEEDED: &str = "MEDIA_TOOLS_ARE_NEEDED";

#[expect(clippy::print_stderr, reason = "a test that was left out must not look like one that passed")]
fn has_ffmpeg() -> bool {
    let output = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = output.is_ok_and(|status| status.success());
    assert!(is_there || std::env::var_os(NEEDED).is_none(), "{NEEDED} is set, and there is no ffmpeg");
    if !is_there {
        eprintln!("left out: there is no ffmpeg to make clips of full size with");
    }
    is_there
}

/// Makes a clip of one picture a minute long and longer, repeated: what is inside is of no account here.
fn make(directory: &Path, name: &str, size: &str, rate: &str, seconds: &str, options: &[&str]) -> Vec<u8> {
    let path = directory.join(name);
    let picture = format!("testsrc=size={size}:rate=1:duration=1");
    // One picture is encoded and shown again and again: `copy` costs nothing, and the index is as long as a real one.
    let source = directory.join(format!("{name}.source.mp4"));
    let still = ["-f", "lavfi", "-i", &picture, "-vf", &format!("fps={rate},trim=end_frame=5")];
    run(Command::new("ffmpeg").args(still).args(options).arg(&source));
    let tone = format!("sine=frequency=440:sample_rate=8000:duration={seconds}");
    let mut join = Command::new("ffmpeg");
    join.args(["-stream_loop", "-1", "-i"]).arg(&source).args(["-f", "lavfi", "-i", &tone]);
    join.args(["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "16k", "-t", seconds]);
    run(join.arg(&path));
    std::fs::read(path).unwrap()
}

fn run(command: &mut Command) {
    let output = command.args(["-hide_banner", "-nostdin", "-y"]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

#[test]
fn a_take_as_the_documents_ask_for_it_has_no_findings() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let bytes = make(directory.path(), "take.mp4", "1920x1080", "30", "65", H264);
    let counted = Counted::whole(bytes);
    let facts = look(&counted).unwrap();
    assert_eq!((facts.width, facts.height), (Some(1920), Some(1080)));
    let off = facts.duration.unwrap().abs_diff(Duration::from_secs(65));
    assert!(off < Duration::from_millis(200), "{:?}", facts.duration);
    assert!((facts.frame_rate.unwrap() - 30.0).abs() < 0.5, "{:?}", facts.frame_rate);
    assert_eq!(judge(&facts, SourceKind::Video, Model::Phoenix45), []);
    assert_eq!(judge(&facts, SourceKind::Video, Model::Phoenix4), []);
    // phoenix-3 wants a minute of each.
    let checks = judge(&facts, SourceKind::Video, Model::Phoenix3);
    assert_eq!(checks.iter().map(|finding| finding.check).collect::<Vec<_>>(), [Check::Duration]);
    assert!(counted.cost().0 <= 3, "{:?}", counted.cost());
}

#[test]
fn a_take_that_is_small_slow_and_too_short_is_told_so() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let bytes = make(directory.path(), "short.mov", "1280x720", "15", "20", H264);
    let facts = look(bytes.as_slice()).unwrap();
    let findings = judge(&facts, SourceKind::Video, Model::Phoenix45);
    let told: Vec<_> = findings.iter().map(|finding| (finding.check, finding.is_error())).collect();
    let expected = [(Check::Type, false), (Check::Duration, true), (Check::Picture, false), (Check::Picture, false)];
    assert_eq!(told, expected, "{findings:?}");
}
