//! What people and programs read, in full. Every line of prose fits 80 columns.

mod looks;
pub(in crate::report) mod material;
mod plans;
mod runs;

use crate::face::{TrainingVoice, VoiceId};
use crate::plan::tests::world::{World, image, link};

pub(super) fn voice(text: &str) -> VoiceId {
    text.parse().unwrap()
}

/// One face for each action.
pub(super) fn everything() -> World {
    let mut world = World::agreeing().declared("ana").declared("bea").face("cho").training("dan").face("eva");
    world = world.face("fay").face("gus").failed("hal").face("ida").declared("jan").in_doubt("jan", 1);
    world.wants("ana").training = Some(image("ana", TrainingVoice::Stock("anna".parse().unwrap())));
    world.wants("ana").callback_url = Some(link("https://hooks.example.com/tavus?token=secret&X-Amz-Signature=secret"));
    world.wants("ana").green_screen = true;
    world.wants("cho").face_name = "Cho (Support)".parse().unwrap();
    world.live("cho").name = Some("Cho (old)".to_owned());
    world.wants("cho").default_voice = Some(voice("v1"));
    world.undeclare("eva");
    world.undeclare("fay");
    world.vanish("fay");
    world.live("hal").error = Some("the video has no consent statement".to_owned());
    world.retrain("ida");
    world.bearer("r-bea", "bea", 1).stray("r-foreign", "Somebody else's")
}

/// Lines that are too wide, links and fields with a value in one piece aside.
pub(super) fn too_wide(text: &str) -> Vec<&str> {
    let width = |line: &str| line.chars().count();
    text.lines().filter(|line| width(line) > 80 && !line.contains("https://")).collect()
}
