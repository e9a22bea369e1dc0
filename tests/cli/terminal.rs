//! With a person at a terminal, who is asked.

use crate::environment::{Environment, Running};
use crate::server::Server;

/// Begins a run and waits for its question; none where this machine cannot make a terminal.
fn asked(environment: &Environment, line: &str) -> Option<Running> {
    let mut run = environment.spawn_on_terminal(line)?;
    run.until_it_prints("Only `yes` is taken:");
    Some(run)
}

#[test]
fn a_person_is_asked_and_only_yes_is_yes() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for answer in ["no\n", "y\n", "\n"] {
        let Some(mut run) = asked(&environment, "apply --no-wait") else { return };
        run.types(answer);
        run.end().exits(1).prints(&["This starts 1 paid training.", "not approved; nothing was changed"]);
    }
    assert_eq!(server.requests("create"), 0);
    let Some(mut run) = asked(&environment, "apply --no-wait") else { return };
    run.types("yes\n");
    run.end().exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn an_interrupt_at_the_question_changes_nothing() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let Some(mut run) = asked(&environment, "apply") else { return };
    run.types("\u{3}");
    run.end().exits(8).prints(&["interrupted; nothing was changed"]);
    assert_eq!(server.requests("create"), 0);
}

#[test]
fn a_yes_counts_for_what_was_shown_or_not_at_all() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let Some(mut run) = asked(&environment, "apply --no-wait") else { return };
    // Somebody else, on another machine, was faster.
    environment.run("apply -y --no-wait --state-dir elsewhere --lock-file=false").exits(0);
    run.types("yes\n");
    run.end().exits(5).prints(&["the live faces have changed since the plan was shown; nothing was changed"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
    environment.run("apply -y --no-wait").exits(0).prints(&["1 adopted"]);
}

#[test]
fn a_terminal_shows_a_bar_for_each_face_and_takes_them_off_again() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let Some(run) = environment.spawn_on_terminal("apply -y") else { return };
    run.end().exits(0).prints(&["training", "✓ ana: ready", "1 reached what was waited for"]);
}

#[test]
fn a_conversation_that_costs_is_asked_about() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let Some(mut run) = asked(&environment, "converse ana") else { return };
    run.types("no\n");
    run.end().exits(1).prints(&["not agreed; nothing was opened"]);
    assert_eq!(server.requests("conversation"), 0);
    let Some(mut run) = asked(&environment, "converse ana") else { return };
    run.types("yes\n");
    run.end().exits(0).prints(&["https://"]);
}
