//! Listings that no account has: rows that cannot be read.

use crate::environment::Environment;
use crate::server::Server;

const UNREADABLE: &str = "1 row of the listing cannot be read (page 1, row 1: ";

#[test]
fn a_row_that_is_no_text_stops_no_command_and_proves_no_absence() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    server.add_faces(1, "theirs");
    server.faults(&["list:half-pair"]);
    environment.run("plan").exits(0).prints(&["No changes. 2 faces as declared", UNREADABLE]);
    environment.run("status").exits(0).prints(&["ana", "bruno"]);
    environment.run("drift").exits(0).prints(&[UNREADABLE, "no face is called missing"]);
    environment.face("carla", "");
    let run = environment.run("apply -y --no-wait").exits(5);
    run.prints(&["! carla blocked", UNREADABLE]);
    // The one row that nobody can read may be the very face: nothing is trained anew.
    let blind = environment.run("apply -y --no-wait --lock-file=false --state-dir empty").exits(5);
    blind.prints(&["! ana blocked", "! bruno blocked"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}
