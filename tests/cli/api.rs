//! Keys, addresses, and an API that does not answer as it should.

use serde_json::json;

use crate::environment::Environment;
use crate::server::Server;

#[test]
fn without_a_key_it_says_which_variable_and_where_keys_come_from() {
    for environment in [Environment::project(&["ana"]), Environment::project(&["ana"]).with("TAVUS_API_KEY", "")] {
        for line in ["plan", "apply -y", "status", "drift", "diff", "wait", "recover", "converse ana --test"] {
            let run = environment.run(line).exits(1).prints_nothing();
            run.says(&["error: no API key: TAVUS_API_KEY is not set", "Tavus console", "--api-key-file", "--sandbox"]);
        }
    }
}

#[test]
fn a_key_of_blanks_is_no_key() {
    Environment::project(&["ana"]).with("TAVUS_API_KEY", " \n").run("plan").exits(1).says(&["no API key"]);
}

#[test]
fn a_key_file_is_read_with_or_without_a_line_end() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).without("TAVUS_API_KEY");
    for text in ["file-key", "file-key\n", "file-key\r\n"] {
        environment.write("key", text);
        environment.run("plan --api-key-file key").exits(0).prints(&["+ ana"]);
    }
}

#[test]
fn a_key_file_that_is_not_there_or_empty_is_named() {
    let environment = Environment::project(&["ana"]);
    environment.run("plan --api-key-file nowhere").exits(1).says(&["cannot read the key file nowhere", "No such file"]);
    environment.write("empty", "\n");
    environment.run("plan --api-key-file empty").exits(1).says(&["the key file empty is empty"]);
}

#[test]
fn a_key_with_a_line_end_inside_is_refused_without_being_shown() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "half-one\nhalf-two");
    let run = environment.run("plan").exits(1).says(&["cannot use the API key in TAVUS_API_KEY", "line end"]);
    run.hides(&["half-one", "half-two"]);
    environment.write("key", "half-one\nhalf-two");
    let run = environment.run("plan --api-key-file key").exits(1).says(&["cannot use the API key in key"]);
    run.hides(&["half-one", "half-two"]);
}

/// Side by side, as each waits for seconds between its attempts.
#[test]
fn every_kind_of_trouble_with_the_api_is_told_apart() {
    std::thread::scope(|scope| {
        scope.spawn(an_api_that_cannot_be_reached_is_named_and_nothing_was_sent);
        scope.spawn(an_answer_in_html_is_told_with_a_guess_at_why);
        scope.spawn(half_an_answer_is_no_answer);
        scope.spawn(an_api_in_trouble_is_asked_again_and_then_told_about);
    });
}

fn an_api_that_cannot_be_reached_is_named_and_nothing_was_sent() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "key");
    let run = environment.run("apply -y --api-url http://127.0.0.1:1/v2").exits(1);
    run.says(&["cannot reach the API at GET /v2/faces", "nothing was sent", "--api-url"]).prints_nothing();
}

fn an_answer_in_html_is_told_with_a_guess_at_why() {
    let server = Server::slow(&["list:html200"]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y").exits(1).prints_nothing();
    run.says(&["the answer to GET /v2/faces", "is not what it should be", "A proxy or a login page answers like this"]);
    assert_eq!(server.requests("create"), 0);
}

fn half_an_answer_is_no_answer() {
    let server = Server::slow(&["list:truncate"]);
    server.add_faces(3, "other");
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y").exits(1).prints_nothing();
    run.says(&["no complete answer to GET /v2/faces", "it may pass: run it again"]);
    assert_eq!(server.requests("create"), 0);
}

fn an_api_in_trouble_is_asked_again_and_then_told_about() {
    let server = Server::slow(&["list@1-2:503"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("plan").exits(0).prints(&["+ ana"]);
    assert_eq!(server.requests("list"), 3);
    server.faults(&["list:html"]);
    environment.run("plan").exits(1).says(&["GET /v2/faces", "HTTP 502", "run it again"]);
}

#[test]
fn a_listing_that_changes_while_it_is_read_proves_no_absence() {
    for trick in ["shrink", "grow", "reorder"] {
        let server = Server::fast(&[]);
        let environment = Environment::against(&server, &["ana"]);
        environment.run("apply -y").exits(0);
        server.add_faces(250, "other");
        server.faults(&[&format!("list:{trick}")]);
        let context = |run: &crate::environment::Run| format!("{trick}: {run}");
        let plan = environment.run("plan");
        assert!(!plan.stdout.contains("missing") && !plan.stdout.contains("+ ana"), "{}", context(&plan));
        let drift = environment.run("drift");
        assert!(!drift.stdout.contains("missing:"), "{}", context(&drift));
        // A face that is not recorded must not be bought on such ground: it may be there already.
        let run = environment.run("apply -y --no-wait --state-dir empty --lock-file=false").exits(5);
        assert_eq!(server.trainings(), 1, "{}", context(&run));
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "secret-key");
    for url in ["http://example.com/v2", "http://192.0.2.7/v2", "http://127.0.0.1.example.com/v2"] {
        let run = environment.run(&format!("plan --api-url {url}")).exits(1).hides(&["secret-key"]);
        run.says(&["unencrypted", "use https"]);
    }
}

#[test]
fn an_address_that_cannot_be_the_api_is_told_what_it_should_look_like() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "key");
    environment.run("plan --api-url https://tavusapi.com").exits(1).says(&["did you mean https://tavusapi.com/v2?"]);
    environment.run("plan --api-url nonsense").exits(1).says(&["it is not a URL", "https://tavusapi.com/v2"]);
    environment.run("plan --api-url ftp://tavusapi.com/v2").exits(1).says(&["its scheme is `ftp`"]);
    let run = environment.run("plan --api-url https://user:pass-word@tavusapi.com/v2").exits(1);
    run.says(&["user name or password"]).hides(&["pass-word"]);
}

#[test]
fn a_key_of_another_account_does_not_make_every_face_missing() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    environment.run("apply -y").exits(0);
    let other = Server::fast(&[]);
    let environment = environment.with("TAVUS_PUBLIC_API_BASE_URL", &other.url());
    for line in ["apply -y --recreate ana,bruno,carla", "plan", "drift", "diff", "status", "wait"] {
        let run = environment.run(line).exits(5).prints_nothing();
        run.says(&["does not look like the account the state belongs to", "3 of them recorded", "--accept-account"]);
    }
    assert_eq!((other.requests("create"), other.trainings()), (0, 0));
    // Whoever knows that all of them were deleted says so.
    environment.run("plan --accept-account").exits(0).prints(&["! ana blocked", "facectl did not delete it"]);
}

#[test]
fn traces_show_every_request_and_never_the_key() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).with("TAVUS_API_KEY", "secret-key");
    let run = environment.run("apply -y --no-wait -vv").exits(0).says(&["GET", "POST", "/v2/faces"]);
    run.hides(&["secret-key"]);
    let run = environment.run("plan -vvv --log-format json").exits(0).hides(&["secret-key"]);
    for line in run.stderr.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}{run}");
    }
    let run = environment.run("status -q").exits(0).says_nothing();
    assert!(run.stdout.contains("ana"), "{run}");
    server.alter(&server.ids()[0], &json!({ "removed": true }));
}
