//! Where a job says it is, and what of that is not believed.

use serde_json::json;

use super::{Kind, SHA, StandIn, event};

#[test]
fn a_number_from_elsewhere_leads_to_no_other_pull_request() {
    for kind in super::BOTH {
        let forge = StandIn::start(kind);
        let run = forge.job().run_reading("ci comment --number 7", "# Plan").exits(0);
        run.says(&["Wrote the comment"]);
        let other = "--head-sha ffffffffffffffffffffffffffffffffffffffff";
        let run = forge.job().run_reading(&format!("ci comment --number 7 {other}"), "# Evil").exits(0);
        run.says(&["Nothing was written", "another commit at its head"]);
        assert!(forge.comments().iter().all(|comment| !comment.contains("Evil")));
    }
}

#[test]
fn a_second_workflow_speaks_for_the_run_that_it_follows() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job_of_run("900");
    let follows = json!({ "workflow_run": { "id": 55, "run_attempt": 2, "head_sha": SHA, "pull_requests": [] } });
    job.write("event.json", follows.to_string());
    job.run_reading("ci comment", "# Plan").exits(1).says(&["no pull request to comment on", "workflow_run"]);
    job.run_reading("ci comment --pull-request 7", "# Plan").exits(0);
    assert!(forge.comments()[0].starts_with("<!-- facectl:comment project=acme run=55.2"), "{:?}", forge.comments());
}

#[test]
fn the_merge_request_of_a_fork_belongs_to_the_project_it_came_from() {
    let forge = StandIn::start(Kind::GitLab);
    let fork = forge.job().with("CI_PROJECT_ID", "4242").with("CI_MERGE_REQUEST_PROJECT_ID", "42");
    fork.run_reading("ci comment", "# Plan").exits(0);
    assert_eq!(forge.comments().len(), 1);
}

#[test]
fn hostile_numbers_repositories_and_addresses_are_refused_before_anything_is_sent() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job();
    for (line, says) in [
        ("--number 7/../../8", "invalid value"),
        ("--number 0", "invalid value"),
        ("--number -1", "unexpected argument"),
        ("--repository acme", "no repository of GitHub"),
        ("--repository acme/..", "no repository of GitHub"),
        ("--repository acme/faces/issues/1", "no repository of GitHub"),
        ("--repository acme/fa%2Fces?x", "no repository of GitHub"),
        ("--head-sha main", "a commit is 7 to 64"),
        ("--forge-url http://git.example.com", "unencrypted"),
        ("--forge-url https://token@git.example.com", "user name"),
        ("--forge-url file:///etc/passwd", "https is needed"),
        ("--forge bitbucket", "invalid value"),
    ] {
        job.run_reading(&format!("ci comment {line}"), "# Plan").exits(1).says(&[says]);
    }
    for (name, value) in [("GITHUB_RUN_ID", "1;id"), ("GITHUB_REPOSITORY", "a/b\u{1b}[31m")] {
        let job = forge.job().with(name, value);
        job.run_reading("ci comment", "# Plan").exits(1).says(&[name, "is no"]).hides(&["\u{1b}"]);
    }
    job.write("event.json", "{\"pull_request\":{\"number\":\"7; rm\"}}");
    job.run_reading("ci comment", "# Plan").exits(1).says(&["is no event of GitHub"]);
    job.write("event.json", event(7, "main").to_string());
    job.run_reading("ci comment", "# Plan").exits(1).says(&["is no commit"]);
    assert!(forge.world().seen.is_empty());
}

#[test]
fn outside_of_a_pipeline_everything_can_be_said_by_flags() {
    let forge = StandIn::start(Kind::GitHub);
    let nowhere = crate::environment::Environment::empty();
    let run = nowhere.run_reading("ci comment --project acme", "# Plan").exits(1);
    run.says(&["neither GITHUB_ACTIONS nor GITLAB_CI is set", "--forge"]);
    let person = crate::environment::Environment::empty().with("GITHUB_TOKEN", super::TOKEN);
    let line = format!(
        "ci comment --project acme --forge github --repository acme/faces --number 7 --forge-url {}/",
        forge.url()
    );
    person.run_reading(&line, "# Plan").exits(0);
    assert!(forge.comments()[0].starts_with("<!-- facectl:comment project=acme digest="), "{:?}", forge.comments());
}

#[test]
fn a_push_has_no_pull_request() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job().with("GITHUB_REF", "refs/heads/7").without("GITHUB_EVENT_PATH");
    job.run_reading("ci comment", "# Plan").exits(1).says(&["this job does not run for one"]);
    let by_reference = job.with("GITHUB_REF", "refs/pull/7/merge");
    by_reference.run_reading("ci comment", "# Plan").exits(0);
}
