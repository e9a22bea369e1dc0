//! A thousand faces: counted in requests, never in time.

use crate::environment::{Environment, face};
use crate::server::Server;

#[test]
fn a_thousand_faces_are_created_once_and_planned_with_ten_listings() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &[]);
    let all: Vec<String> = (0..1000)
        .map(|number| face(&format!("face-{number:04}"), &format!("https://media.example.com/{number}.mp4"), ""))
        .collect();
    environment.write("faces/all.yaml", all.join("---\n"));
    let run = environment.run("apply -y --no-wait --max-trainings 1000 --create-parallelism 16").exits(0);
    let run = run.prints(&["1000 paid trainings", "Done: 1000 created"]);
    assert_eq!((server.trainings(), server.requests("create")), (1000, 1000), "{run}");
    let (lists, gets) = (server.requests("list"), server.requests("get"));
    environment.run("plan").exits(0).prints(&["No changes. 1000 faces as declared, 1000 still in training"]);
    assert_eq!((server.requests("list") - lists, server.requests("get") - gets), (10, 0));
    let lists = server.requests("list");
    let rows = environment.run("status -o json").exits(0).json();
    assert_eq!(rows["faces"].as_array().unwrap().len(), 1000);
    assert_eq!(server.requests("list") - lists, 10);
}
