//! `voices`: before the first manifest is written.

use crate::environment::Environment;
use crate::server::Server;

fn newcomer(server: &Server) -> Environment {
    let environment = Environment::empty().talking_to(server);
    std::fs::create_dir(environment.path(".git")).unwrap();
    environment
}

#[test]
fn a_newcomer_finds_a_voice_and_how_to_name_it() {
    let server = Server::slow(&[]);
    let environment = newcomer(&server);
    let voices = environment.run("voices").exits(0);
    let voices = voices.prints(&[
        "NAME VOICE ID TYPE STATUS TAGS IN A MANIFEST",
        "anna - stock - warm, english voice_name: anna",
        "Rio v1b2c3d4e5f60 user completed english, warm default_voice_id: v1b2c3d4e5f60",
        "Narrator v7c0ffee00001 stock completed",
    ]);
    assert!(!voices.stdout.contains("Still recording"), "{voices}");
    assert_eq!(voices.stdout.lines().count(), 1 + 40 + 4, "{voices}");
    let voices = voices.says(&["1 more cannot be used now: --all shows it."]);
    assert!(!voices.stderr.contains("facectl.yaml"), "{voices}");
    assert_eq!(environment.files("").len(), 0, "nothing is left behind");
    environment.run("voices --all still").exits(0).prints(&["Still recording", "started"]).says_nothing();
}

#[test]
fn voices_are_searched_by_name_and_tag_and_told_to_programs() {
    let server = Server::slow(&[]);
    let environment = newcomer(&server);
    let voices = environment.run("voices AN --tag NARRATION --tag english -o json").exits(0).says_nothing().json();
    let names: Vec<&str> =
        voices["voices"].as_array().unwrap().iter().map(|voice| voice["voice_name"].as_str().unwrap()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.to_lowercase().contains("an")), "{voices}");
    assert_eq!(voices["complete"], true);
    let voices = environment.run("voices Rio -o json").exits(0).json();
    assert_eq!(voices["voices"][0]["manifest"]["default_voice_id"], "v1b2c3d4e5f60");
    environment.run("voices rio -o yaml").exits(0).prints(&["voice_name: Rio"]);
    environment.run("voices nobody").exits(0).prints_nothing().says(&["No voice fits."]);
    environment.run("voices --quiet nobody").exits(0).says_nothing();
}

#[test]
fn a_broken_manifest_is_no_obstacle_and_a_missing_key_is() {
    let server = Server::slow(&[]);
    let environment = newcomer(&server);
    environment.write("faces/broken.yaml", "apiVersion: facectl.dev/v1\nkind: Face\n");
    environment.run("voices anna").exits(0).prints(&["voice_name: anna"]);
    let environment = environment.without("TAVUS_API_KEY");
    environment.run("voices").exits(1).says(&["TAVUS_API_KEY is not set"]);
    environment.run("voices anna --sandbox").exits(0).prints(&["voice_name: anna"]);
}
