//! Creates whose answer is lost, broken, late or a refusal: at the end each face was paid for once, and what was
//! said on the way is true.

use crate::environment::Environment;
use crate::server::Server;

/// Fault, trainings after the first request, requests in all, what is said, and why.
const BROKEN: &[(&str, u64, &str, &str)] = &[
    ("create@1:502", 2, "so nothing was started", "a gateway's word proves nothing: two listings do"),
    ("create@1:502;after-effect", 1, "so its training did start", "a gateway that gave up on a request that arrived"),
    ("create@1:html", 2, "so nothing was started", "a gateway's page"),
    ("create@1:html;after-effect", 1, "so its training did start", "a gateway's page after the fact"),
    ("create@1:html200", 1, "so its training did start", "200 alone is no id"),
    ("create@1:truncate", 1, "so its training did start", "half an id is no id"),
    ("create@1:drop-before-effect", 2, "so nothing was started", "it looks just as the next one"),
    ("create@1:drop-after-effect", 1, "so its training did start", "the connection ends without a byte"),
    ("create@1:500", 2, "so nothing was started", "an error may come after the effect"),
    ("create@1:503;after-effect", 1, "so its training did start", "so may this one"),
    ("create@1:408;after-effect", 1, "so its training did start", "a time-out on the other side"),
    ("create@1:409;after-effect", 1, "so its training did start", "somebody else's word for: it is there"),
];

#[test]
fn a_create_without_a_usable_answer_is_looked_for_and_paid_for_once() {
    // Side by side: most of it is waiting.
    std::thread::scope(|scope| {
        for (fault, requests, says, why) in BROKEN {
            scope.spawn(move || is_paid_for_once(fault, *requests, says, why));
        }
    });
}

fn is_paid_for_once(fault: &str, requests: u64, says: &str, why: &str) {
    let server = Server::slow(&[fault]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y --no-wait");
    let context = format!("{fault}: {why}{run}");
    assert_eq!((server.trainings(), server.requests("create")), (1, requests), "{context}");
    let run = run.exits(0).says(&["? ana: in doubt", "A training may have started; it is not sent again", says]);
    // Found again or sent again, it is this run that has paid for it.
    run.prints(&["Done: 1 created, 0 updated."]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!(server.trainings(), 1, "{context}");
}

#[test]
fn a_redirected_create_is_not_followed() {
    let server = Server::slow(&["create@1:redirect"]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y --no-wait");
    let run = run.says(&["ana", "307"]);
    environment.run("apply -y --no-wait").exits(0);
    // Followed, it would have been in the books twice.
    assert_eq!((server.trainings(), server.requests("create")), (1, 2), "{run}");
}

#[test]
fn a_create_that_comes_too_early_is_sent_again_when_it_was_told_to() {
    let server = Server::slow(&["create@1-2:429;retry-after=1"]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    run.says(&["the API asks for patience, nothing was started; sent again in 1s"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 3));
}

#[test]
fn a_create_whose_effect_comes_late_is_found_within_the_window() {
    let server = Server::slow(&["create@1:late-effect=600ms"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --settle-window 3s").exits(0).says(&["so its training did start"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_create_that_listings_show_late_is_found_within_the_window() {
    let server = Server::slow(&["create@1:drop-after-effect", "list:lag=600ms"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --settle-window 3s").exits(0).says(&["so its training did start"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_create_that_takes_longer_than_a_request_may_is_in_doubt_and_then_found() {
    let server = Server::slow(&["create@1:slow=4s"]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let run = environment.run("apply -y --no-wait --request-timeout 1500ms --create-parallelism 1").exits(0);
    run.says(&["? ana: in doubt", "so its training did start", "+ bruno: training started"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn a_creates_doubt_does_not_stop_the_other_faces() {
    let server = Server::slow(&["create@2:drop-after-effect", "list:lag=60s"]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    let run = environment.run("apply -y --no-wait --no-settle --create-parallelism 1").exits(10);
    run.prints(&["2 created", "1 in doubt", "In doubt: bruno."]);
    assert_eq!(server.trainings(), 3);
}

#[test]
fn a_run_that_is_killed_in_the_middle_of_a_create_leaves_enough_behind_to_find_it() {
    let server = Server::slow(&["create:hang"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y --no-wait");
    run.until("the create arrived", || server.trainings() == 1);
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    server.faults(&[]);
    let run = environment.run("apply -y --no-wait").exits(0);
    run.says(&["= ana: settled", "so its training did start"]).prints(&["0 created, 0 updated, 1 adopted"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_run_that_is_killed_before_its_create_took_effect_sends_it_again_after_the_proof() {
    let server = Server::slow(&["create:drop-before-effect"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y --no-wait --settle-window 10m");
    run.until_it_says("looking for ana by token");
    run.signal("KILL");
    run.end();
    server.faults(&[]);
    let run = environment.run("apply -y --no-wait").exits(0);
    run.says(&["do not show token fc-", "so nothing was started", "+ ana: training started"]).prints(&["1 created"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 2));
}

#[test]
fn recover_finds_out_and_sends_nothing() {
    let server = Server::slow(&["create@1:drop-after-effect", "create@2:drop-before-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --no-wait --no-settle --create-parallelism 1").exits(10);
    environment.run("recover --no-settle").exits(10).prints(&["ana: in doubt", "bruno: in doubt", "token fc-"]);
    server.faults(&[]);
    let json = environment.run("recover -o json").exits(0).json();
    assert_eq!((&json["found"][0], &json["absent"][0]), (&"ana".into(), &"bruno".into()), "{json}");
    let evidence = &json["creates"][0];
    assert_eq!((&evidence["key"], &evidence["verdict"]), (&"ana".into(), &"found".into()), "{json}");
    assert_eq!(evidence["face_id"], server.ids()[0].as_str(), "{json}");
    assert_eq!((server.trainings(), server.requests("create")), (1, 2));
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 3));
}

#[test]
fn a_create_that_no_listing_can_prove_absent_is_given_up_on_a_persons_word_only() {
    let server = Server::slow(&["create:drop-before-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    environment.run("recover --no-settle").exits(10);
    let refused = environment.run("recover --no-settle --assume-absent bruno").exits(1);
    refused.says(&["--assume-absent bruno: no create of it is open; nothing was changed about it"]);
    let run = environment.run("recover --no-settle --assume-absent ana").exits(0);
    run.says(&["ana: taken as never begun, on your word"]).prints(&["Nothing was open"]);
    server.faults(&[]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 2));
}

#[test]
fn an_update_without_an_answer_is_sent_again_until_it_is_done() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    server.faults(&["update@1:drop-after-effect", "update@2:502"]);
    environment.face("ana", "  face_name: Ana\n");
    environment.run("apply -y").exits(0).prints(&["1 updated"]);
    assert_eq!(server.face(&server.ids()[0])["face_name"], "Ana");
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn an_update_that_is_refused_is_4_and_named() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    server.faults(&["update@1:400"]);
    environment.face("ana", "  face_name: Ana\n");
    environment.face("bruno", "  face_name: Bruno\n");
    let run = environment.run("apply -y --no-wait").exits(4);
    run.says(&["x ana: failed to update", "HTTP 400", "~ bruno: face_name"]).prints(&["1 updated"]);
    environment.run("plan").exits(0).prints(&["~ ana update", "1 to update"]);
}
