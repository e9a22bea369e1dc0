//! What `examples/reconcile/` starts the loop with does start it: the words are taken from there, and only paths, ports
//! and the repository are this machine's.

use serde_json::Value;

use crate::environment::Environment;
use crate::reconcile::with_repository;
use crate::server::Server;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn example(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/reconcile").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// An environment with a repository, and with the secrets that the examples take as files.
fn environment(server: &Server) -> Environment {
    let environment = with_repository(server, &["ana"]).without("TAVUS_API_KEY");
    environment.write("secrets/api-key", "key\n");
    environment.write("secrets/callback-secret", SECRET);
    environment
}

/// Returns words with this machine's paths, and one pass only.
fn here(environment: &Environment, words: &str) -> String {
    let (state, secrets) = (environment.path("state"), environment.path("secrets"));
    let origin = format!("file://{}", environment.path("origin").display());
    words
        .replace("%S/facectl", state.to_str().unwrap())
        .replace("/var/lib/facectl", state.to_str().unwrap())
        .replace("%d", secrets.to_str().unwrap())
        .replace("/run/facectl", secrets.to_str().unwrap())
        .replace("git@git.example.com:acme/faces.git", &origin)
        .replace("https://git.example.com/acme/faces.git", &origin)
        .replace("127.0.0.1:8080", "127.0.0.1:0")
        .replace("0.0.0.0:8080", "127.0.0.1:0")
        + " --once"
}

/// Runs the words, which train the one face and show no secret.
fn trains_once(environment: &Environment, server: &Server, words: &str) {
    let run = environment.run(&here(environment, words)).exits(0);
    run.says(&["training started"]).hides(&[SECRET]);
    assert_eq!(server.trainings(), 1);
    assert!(environment.path("state/source/clone.git").is_dir(), "the state is elsewhere");
}

/// The lines `NAME=VALUE` of a file, without comments.
fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='))
}

#[test]
fn the_service_starts_the_loop() {
    let server = Server::slow(&[]);
    let mut environment = environment(&server);
    for (name, value) in assignments(&example("reconcile.env")) {
        let value = here(&environment, value).replace(" --once", "");
        environment = environment.with(name, &value);
    }
    let unit = example("facectl-reconcile.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/facectl ")).unwrap();
    trains_once(&environment, &server, line);
}

#[test]
fn the_deployment_starts_the_loop() {
    let server = Server::slow(&[]);
    let environment = environment(&server);
    let documents = serde_yaml::Deserializer::from_str(&example("deployment.yaml"))
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect::<Vec<Value>>();
    let deployment = documents.iter().find(|document| document["kind"] == "Deployment").unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let words: Vec<&str> = container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    trains_once(&environment, &server, &words.join(" "));
}

#[test]
fn the_container_starts_the_loop() {
    let server = Server::slow(&[]);
    let file = example("Containerfile");
    let mut environment = environment(&server);
    let set = file.lines().find_map(|line| line.strip_prefix("ENV ")).unwrap();
    for (name, value) in set.split_whitespace().filter_map(|word| word.split_once('=')) {
        let value = here(&environment, value).replace(" --once", "");
        environment = environment.with(name, &value);
    }
    let words: Vec<String> =
        file.lines().find_map(|line| serde_json::from_str(line.strip_prefix("CMD ")?).ok()).unwrap();
    let given = "--git https://git.example.com/acme/faces.git --api-key-file /run/facectl/api-key";
    trains_once(&environment, &server, &format!("{} {given}", words.join(" ")));
}

#[test]
fn every_variable_of_the_settings_file_is_one() {
    let help = Environment::empty().run("reconcile --help").exits(0).stdout;
    let file = example("reconcile.env");
    let names: Vec<&str> = file
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("FACECTL_") && !name.starts_with("FACECTL_VAR_") && !name.contains(' '))
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert!(help.contains(&format!("[env: {name}=")), "{name} is not read");
    }
}
