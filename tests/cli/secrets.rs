//! What must never come out: the key, signatures of links, and the values of variables.

use crate::environment::{Environment, face};
use crate::server::Server;

const SECRETS: [&str; 6] =
    ["KEYKEYKEY", "AMZSIGNATURE", "AZURESIGNATURE", "VARIABLESECRET", "USERPASSWORD", "CALLBACKSECRET"];

fn secretive(server: &Server) -> Environment {
    let environment = Environment::against(server, &[]).with("TAVUS_API_KEY", "KEYKEYKEY");
    let environment = environment.with("FACECTL_VAR_TOKEN", "VARIABLESECRET");
    let amazon = "https://b.s3.amazonaws.com/ana.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=AMZSIGNATURE&X-Amz-Credential=x";
    environment.write("faces/ana.yaml", face("ana", &format!("\"{amazon}\""), ""));
    let azure = "https://a.blob.core.windows.net/c/bruno.mp4?sv=2024&sp=r&sig=AZURESIGNATURE";
    let callback = "  callback_url: \"https://hooks.example.com/x?token=CALLBACKSECRET\"\n";
    environment.write("faces/bruno.yaml", face("bruno", &format!("\"{azure}\""), callback));
    let variable = "https://media.example.com/carla.mp4?token=${FACECTL_VAR_TOKEN}";
    environment.write("faces/carla.yaml", face("carla", &format!("\"{variable}\""), ""));
    environment
}

#[test]
fn no_secret_comes_out_of_any_command_or_lands_on_the_disk() {
    let server = Server::fast(&["create@2:400", "create@3:502;after-effect", "list@2:truncate"]);
    let environment = secretive(&server);
    let lines = [
        "validate -vvv",
        "plan -vvv",
        "plan -vvv -o json",
        "plan -vvv --out plan.json",
        "show plan.json -vvv -o json",
        "apply plan.json -vvv --max-trainings 1",
        "apply -y -vvv --create-parallelism 1 --events events.jsonl",
        "apply -y -vvv --log-format json -o json",
        "status -vvv -o yaml",
        "diff -vvv",
        "plan --events -",
        "drift --events drift.jsonl",
        "drift -vvv -o json",
        "recover -vvv",
        "converse ana --test -vvv",
        "apply -y -vvv --sandbox --sandbox-speed 36000",
        "plan -vvv --sandbox -o yaml",
    ];
    for line in lines {
        environment.run(line).hides(&SECRETS);
    }
    assert_eq!(server.trainings(), 3);
    assert!(environment.read("events.jsonl").contains("\"type\":\"run_ended\""));
    assert_no_secret_on_disk(&environment);
}

#[test]
fn a_new_signature_is_no_change() {
    let server = Server::fast(&[]);
    let environment = secretive(&server);
    environment.run("apply -y").exits(0);
    environment.edit("faces/ana.yaml", "AMZSIGNATURE", "ANOTHERSIGNATURE");
    environment.run("plan").exits(0).prints(&["No changes."]);
    environment.run("diff").exits(0).prints_nothing();
}

#[test]
fn a_changed_source_is_shown_without_its_signature() {
    let server = Server::fast(&[]);
    let environment = secretive(&server);
    environment.run("apply -y").exits(0);
    environment.edit("faces/ana.yaml", "ana.mp4", "ana-2.mp4");
    let run = environment.run("plan").exits(0).hides(&SECRETS);
    run.prints(&["-/+ ana replace", "train_video_url cannot change in place", "ana-2.mp4"]);
    environment.run("diff").exits(0).hides(&SECRETS).prints(&["ana-2.mp4"]);
    environment.run("plan -o json").exits(0).hides(&SECRETS);
    environment.run("apply -y").exits(0).hides(&SECRETS);
    assert_eq!(server.trainings(), 4);
}

#[test]
fn a_wrong_manifest_is_shown_without_its_signatures() {
    let server = Server::slow(&[]);
    let environment = secretive(&server);
    environment.write(
        "faces/wrong.yaml",
        face("wrong", "\"http://u:USERPASSWORD@media.example.com/x.mp4?X-Amz-Signature=AMZSIGNATURE\"", "  typo: 1\n"),
    );
    environment.run("validate").exits(1).hides(&SECRETS).says(&["faces/wrong.yaml"]);
    environment.run("validate -o json").exits(1).hides(&SECRETS);
    environment.run("validate --color always").exits(1).hides(&SECRETS);
}

#[test]
fn an_address_with_a_password_is_refused_without_showing_it() {
    let server = Server::slow(&[]);
    let environment = secretive(&server)
        .with("TAVUS_PUBLIC_API_BASE_URL", "https://u:USERPASSWORD@tavusapi.com/v2?sig=AZURESIGNATURE");
    for line in ["plan -vvv", "apply -y -vvv"] {
        environment.run(line).exits(1).hides(&SECRETS);
    }
    assert_no_secret_on_disk(&environment);
}

fn assert_no_secret_on_disk(environment: &Environment) {
    let mut files = environment.files(".facectl");
    files.extend(environment.files("").into_iter().filter(|(path, _)| path.ends_with("plan.json")));
    files.extend(
        environment.files("").into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "jsonl")),
    );
    for (path, bytes) in &files {
        for secret in SECRETS {
            let is_in = bytes.windows(secret.len()).any(|piece| piece == secret.as_bytes());
            assert!(!is_in, "{secret} is in {}", path.display());
        }
    }
}

#[test]
fn git_and_what_it_starts_see_neither_the_key_nor_our_settings() {
    let environment =
        Environment::empty().with("TAVUS_API_KEY", "key-hush").with("PATH", &std::env::var("PATH").unwrap());
    let seen = environment.path("seen");
    let ssh = format!("env > {}; exit 1 #", seen.display());
    let environment = environment
        .with("GIT_SSH_COMMAND", &ssh)
        .with("FACECTL_VAR_TOKEN", "token-hush")
        .with("GIT_TRACE_CURL", "1")
        .with("SSH_AUTH_SOCK", "/run/agent");
    let run = environment.run("reconcile --git git@git.example.com:acme/faces.git --once").exits(1);
    run.says(&["failed to ask git@git.example.com:acme/faces.git"]).hides(&["hush"]);
    let seen = environment.read("seen");
    assert!(seen.contains("SSH_AUTH_SOCK=/run/agent") && seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("hush") && !seen.contains("GIT_TRACE"), "{seen}");
}
