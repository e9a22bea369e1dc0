//! One issue for each project.

use super::stand_in::Issue;
use super::{BOTH, Does, Kind, StandIn, Who};

#[test]
fn an_issue_is_opened_kept_up_to_date_and_closed() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let line = "ci issue --title Drift";
        let run = forge.job_of_run("1").run_reading(line, "# ana drifted").exits(0);
        run.prints(&["https://git.example.com/acme/faces/issues/30"]).says(&["Wrote the issue of `acme`."]);
        // The same finding the next night: the text is kept fresh, and nobody is told.
        forge.job_of_run("2").run_reading(line, "# ana drifted").exits(0);
        assert!(forge.world().comments.is_empty());
        let value = forge.job_of_run("3").run_reading(&format!("{line} -o json"), "# bruno drifted").exits(0).json();
        assert_eq!((&value["change"], &value["noted"]), (&"updated".into(), &true.into()));
        {
            let world = forge.world();
            let [issue] = world.issues.as_slice() else { panic!("{:?}", world.issues) };
            assert!(issue.body.starts_with("<!-- facectl:issue project=acme run=3."), "{}", issue.body);
            assert!(issue.body.ends_with("# bruno drifted") && issue.title == "Drift");
            let [note] = world.comments.as_slice() else { panic!("{:?}", world.comments) };
            assert!(note.number == 30 && note.body.starts_with("The finding changed"), "{}", note.body);
        }
        forge.job_of_run("4").run("ci issue --title Drift --close").exits(0).says(&["Closed the issue of `acme`."]);
        assert!(!forge.world().issues[0].is_open);
        assert!(forge.world().comments[1].body.starts_with("Nothing is found any more."));
        forge.job_of_run("5").run("ci issue --close").exits(0).says(&["is not open"]);
        forge.job_of_run("6").run_reading(line, "# again").exits(0).says(&["Wrote the issue"]);
        assert_eq!(forge.world().issues.len(), 2);
    }
}

#[test]
fn what_changes_every_night_is_no_new_finding_where_the_finding_is_named() {
    let forge = StandIn::start(Kind::GitHub);
    for (run, text) in [("1", "looked at 01:00"), ("2", "looked at 02:00")] {
        forge.job_of_run(run).run_reading("ci issue --title Drift --finding sha-1", text).exits(0);
    }
    assert!(forge.world().comments.is_empty() && forge.world().issues[0].body.ends_with("02:00"));
}

#[test]
fn an_older_run_neither_overwrites_nor_closes() {
    let forge = StandIn::start(Kind::GitHub);
    forge.job_of_run("9").run_reading("ci issue --title Drift", "new").exits(0);
    forge.job_of_run("8").run_reading("ci issue --title Drift", "old").exits(0).says(&["newer than this one"]);
    forge.job_of_run("8").run("ci issue --close").exits(0).says(&["newer than this one"]);
    assert!(forge.world().issues[0].is_open && forge.world().issues[0].body.ends_with("new"));
}

#[test]
fn a_strangers_issue_with_label_and_marker_is_left_alone() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let body = "<!-- facectl:issue project=acme run=99999.1 digest=0 -->\n\nmine".to_owned();
        let labels = vec!["facectl-drift".to_owned()];
        let issue = Issue { number: 3, who: Who::Stranger, title: "T".into(), body, labels, is_open: true };
        forge.world().issues.push(issue);
        forge.job().run_reading("ci issue --title Drift", "# Drift").exits(0).says(&["Wrote the issue"]);
        forge.job().run("ci issue --close").exits(0).says(&["Closed"]);
        assert!(forge.world().issues[0].is_open && forge.world().issues[0].body.ends_with("mine"));
    }
}

#[test]
fn a_label_that_was_not_set_is_an_error_as_the_next_run_would_open_another_issue() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.world().drops_labels = true;
        let run = forge.job().run_reading("ci issue --title Drift", "# Drift").exits(1);
        run.says(&["the label `facectl-drift` was not set", "set the label by hand"]);
    }
}

#[test]
fn an_issue_whose_answer_got_lost_is_not_opened_twice() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.fails("POST", "issues", Does::HidesAnswer);
        forge.job().run_reading("ci issue --title Drift", "# Drift").exits(0).says(&["Wrote the issue"]);
        assert_eq!(forge.world().issues.len(), 1);
    }
}

#[test]
fn a_title_is_needed_and_a_closing_needs_none() {
    let forge = StandIn::start(Kind::GitHub);
    forge.job().run_reading("ci issue", "# Drift").exits(1).says(&["--title"]);
    forge.job().run("ci issue --close --dry-run").exits(0).prints(&["Nothing is found any more."]);
    forge
        .job()
        .run_reading("ci issue --title Drift --dry-run", "x")
        .exits(0)
        .prints(&["<!-- facectl:issue project=acme"]);
    assert!(forge.world().seen.is_empty());
}
