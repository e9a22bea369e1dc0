//! Two processes at once.

use std::io::Write;
use std::process::Stdio;

use crate::environment::{Environment, Running};

use super::{BOTH, StandIn, Who, marker};

fn spawn(job: &Environment, line: &str, text: &str) -> Running {
    job.write("body.md", text);
    let mut command = job.command(line);
    command.arg("body.md").stdin(Stdio::null());
    std::io::stderr().flush().unwrap();
    job.spawn_command(command, line)
}

#[test]
fn two_jobs_that_both_saw_nothing_end_with_one_comment_of_the_newer_run() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        // Both have looked before either posts.
        forge.listings_wait_for(2);
        let (older, newer) = (forge.job_of_run("100"), forge.job_of_run("101"));
        let (one, two) = (spawn(&older, "ci comment", "# Old"), spawn(&newer, "ci comment", "# New"));
        one.end().exits(0);
        two.end().exits(0);
        assert_eq!(forge.count("POST"), 2);
        let comments = forge.comments();
        assert_eq!(comments.len(), 1, "{comments:?}");
        assert!(comments[0].contains("run=101.1") && comments[0].ends_with("# New"), "{comments:?}");
    }
}

#[test]
fn four_jobs_of_one_run_end_with_one_comment() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.listings_wait_for(4);
        let jobs: Vec<Environment> = (0..4).map(|_| forge.job()).collect();
        let texts = ["# A", "# B", "# C", "# D"];
        let running: Vec<Running> = jobs.iter().zip(texts).map(|(job, text)| spawn(job, "ci comment", text)).collect();
        running.into_iter().for_each(|run| drop(run.end().exits(0)));
        let comments = forge.comments();
        assert_eq!(comments.len(), 1, "{comments:?}");
    }
}

#[test]
fn two_jobs_that_open_an_issue_end_with_one_open_issue() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.listings_wait_for(2);
        let jobs = [forge.job(), forge.job()];
        let running: Vec<Running> = jobs.iter().map(|job| spawn(job, "ci issue --title Drift", "# Drift")).collect();
        running.into_iter().for_each(|run| drop(run.end().exits(0)));
        let world = forge.world();
        let open: Vec<u64> = world.issues.iter().filter(|issue| issue.is_open).map(|issue| issue.number).collect();
        assert_eq!((world.issues.len(), open), (2, vec![30]));
    }
}

#[test]
fn what_an_earlier_crash_left_twice_becomes_one() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        for run in ["1.1", "2.1", "3.1"] {
            forge.comment_by(Who::Bot, &format!("{}\n\nold", marker("acme", run)));
        }
        forge.comment_by(Who::Bot, &format!("{}\n\nother", marker("other", "1.1")));
        let run = forge.job().run_reading("ci comment", "# Plan").exits(0);
        run.says(&["Updated", "Removed 2 more"]);
        let comments = forge.comments();
        assert!(
            comments.len() == 2 && comments[0].ends_with("# Plan") && comments[1].ends_with("other"),
            "{comments:?}"
        );
        assert_eq!(forge.count("POST"), 0);
    }
}
