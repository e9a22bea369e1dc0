//! A thousand faces: counted in requests, never in time.

use crate::environment::{Environment, face};
use crate::server::Server;

fn creates_once_and_plans_with_few_requests(count: usize, foreign: usize) {
    let server = Server::slow(&[]);
    if foreign > 0 {
        server.add_faces(foreign, "foreign");
    }
    let environment = Environment::against(&server, &[]);
    let all: Vec<String> = (0..count)
        .map(|number| face(&format!("face-{number:04}"), &format!("https://media.example.com/{number}.mp4"), ""))
        .collect();
    environment.write("faces/all.yaml", all.join("---\n"));
    let run = environment.run(&format!("apply -y --no-wait --max-trainings {count} --create-parallelism 16")).exits(0);
    run.prints(&[&format!("{count} paid trainings"), &format!("Done: {count} created")]);
    assert_eq!((server.trainings(), server.requests("create")), (count, count as u64));
    let pages = (count + foreign).div_ceil(100) as u64;
    for line in ["plan", "status", "drift", "apply -y --no-wait"] {
        let (lists, gets) = (server.requests("list"), server.requests("get"));
        environment.run(line).exits(0);
        assert_eq!((server.requests("list") - lists, server.requests("get") - gets), (pages, 0), "{line}");
    }
    let no_changes = format!("No changes. {count} faces as declared, {count} still in training");
    environment.run("plan").exits(0).prints(&[&no_changes]);
    assert_eq!(server.trainings(), count);
}

#[test]
fn a_thousand_live_faces_are_ten_listings_for_whoever_looks_on() {
    creates_once_and_plans_with_few_requests(150, 850);
}

#[test]
fn a_thousand_faces_are_created_once_and_planned_with_ten_listings() {
    creates_once_and_plans_with_few_requests(1000, 0);
}
