//! One comment for each project, and nobody else's touched.

use super::{BOTH, Kind, SHA, StandIn, TOKEN, Who, marker};

#[test]
fn the_first_run_posts_and_every_later_one_edits_in_place() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let first =
            forge.job().run_reading("ci comment", "# Plan 1").exits(0).says(&["Wrote the comment of `acme` on #7."]);
        if kind == Kind::GitHub {
            first.prints(&["https://git.example.com/acme/faces/pull/7#issuecomment-1"]);
        }
        forge.job_of_run("101").run_reading("ci comment -", "# Plan 2").exits(0).says(&["Updated the comment"]);
        let comments = forge.comments();
        assert_eq!(comments.len(), 1, "{comments:?}");
        assert!(comments[0].starts_with("<!-- facectl:comment project=acme run=101.1"), "{}", comments[0]);
        assert!(comments[0].contains(&format!("commit={SHA}")) && comments[0].ends_with("\n\n# Plan 2"));
        let run = forge.job_of_run("101").run_reading("ci comment", "# Plan 2").exits(0);
        run.says(&["says this already"]);
        assert_eq!(forge.count("POST"), 1);
    }
}

#[test]
fn each_project_has_a_comment_of_its_own() {
    let forge = StandIn::start(Kind::GitHub);
    for project in ["one", "two", "one"] {
        forge.job().run_reading(&format!("ci comment --project {project}"), project).exits(0);
    }
    assert_eq!(forge.comments().len(), 2);
}

#[test]
fn a_file_is_posted_and_the_result_can_be_read_by_programs() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job();
    job.write("plan.md", "\u{feff}# Plan\n");
    let value = job.run("ci comment plan.md -o json").exits(0).json();
    assert_eq!(
        (value["change"].as_str(), value["id"].as_u64(), value["number"].as_u64()),
        (Some("created"), Some(1), Some(7))
    );
    assert!(forge.comments()[0].ends_with("-->\n\n# Plan"));
}

#[test]
fn manifests_need_not_be_sound() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job();
    job.write("faces/broken.yaml", "kind: [");
    job.run_reading("ci comment", "it is broken").exits(0);
}

#[test]
fn a_strangers_marker_is_neither_edited_nor_taken_for_ours() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let text = format!("{}\n\nmine", marker("acme", "9999999.1"));
        forge.comment_by(Who::Stranger, &text);
        forge.job().run_reading("ci comment", "# Plan").exits(0).says(&["Wrote the comment"]);
        forge.comment_by(Who::Stranger, &text);
        forge.job_of_run("101").run_reading("ci comment", "# Plan 2").exits(0).says(&["Updated"]);
        let comments = forge.comments();
        assert_eq!((comments.len(), &comments[0], &comments[2]), (3, &text, &text));
        assert!(comments[1].ends_with("# Plan 2"));
    }
}

#[test]
fn a_bots_comment_that_quotes_the_marker_is_left_alone() {
    let forge = StandIn::start(Kind::GitHub);
    let quoted = format!("Somebody wrote:\n{}", marker("acme", "1.1"));
    forge.comment_by(Who::Bot, &quoted);
    forge.job().run_reading("ci comment", "# Plan").exits(0);
    assert_eq!((forge.comments().len(), &forge.comments()[0]), (2, &quoted));
}

#[test]
fn the_comment_is_found_on_the_last_of_many_pages() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        for _ in 0..250 {
            forge.comment_by(Who::Stranger, "talk");
        }
        forge.comment_by(Who::Bot, &format!("{}\n\nold", marker("acme", "1.1")));
        forge.job().run_reading("ci comment", "# Plan").exits(0).says(&["Updated"]);
        assert_eq!(forge.count("POST"), 0);
        assert!(forge.comments()[250].ends_with("# Plan"));
    }
}

#[test]
fn an_older_run_leaves_a_newer_text_alone() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.job_of_run("200").run_reading("ci comment", "# New").exits(0);
        let late = forge.job_of_run("150").run_reading("ci comment", "# Old").exits(0);
        late.says(&["Nothing was written: the comment of `acme` on #7 is from run 200.", "newer than this one"]);
        assert!(forge.comments()[0].ends_with("# New"));
    }
}

#[test]
fn a_person_who_asks_with_a_token_of_their_own_edits_their_own_only() {
    let forge = StandIn::start(Kind::GitHub);
    forge.world().is_person = true;
    let person = forge.job_without_token().with("GH_TOKEN", TOKEN);
    person.run_reading("ci comment", "# Plan").exits(0);
    assert!(forge.world().seen.iter().all(|seen| !seen.path.contains("graphql")));
}

#[test]
fn every_request_says_who_asks_and_in_which_version() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        forge.job().run_reading("ci comment", "# Plan").exits(0);
        let world = forge.world();
        assert!(world.seen.len() >= 4);
        for seen in &world.seen {
            let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
            assert!(header("user-agent").starts_with("facectl/"), "{seen:?}");
            match kind {
                Kind::GitHub => {
                    assert_eq!(header("accept"), "application/vnd.github+json");
                    assert_eq!(header("x-github-api-version"), "2022-11-28");
                }
                Kind::GitLab => assert_eq!(header("accept"), "application/json"),
            }
        }
    }
}

#[test]
fn what_is_too_long_is_cut_and_its_marker_kept() {
    let forge = StandIn::start(Kind::GitHub);
    let long = "x 😀 line\n".repeat(20_000);
    let run = forge.job().run_reading("ci comment", &long).exits(0);
    run.says(&["warning: the text is too long for the forge"]);
    assert!(forge.comments()[0].starts_with("<!-- facectl:comment project=acme"));
    assert!(forge.comments()[0].chars().count() <= 65_536);
    forge.job_of_run("101").run_reading("ci comment", "short").exits(0).says(&["Updated"]);
}

#[test]
fn a_dry_run_prints_the_text_and_sends_nothing() {
    let forge = StandIn::start(Kind::GitHub);
    let run = forge.job_without_token().run_reading("ci comment --dry-run", "# Plan\n/merge").exits(0);
    run.prints(&["<!-- facectl:comment project=acme run=100.1", "# Plan", "\\/merge"])
        .says(&["Nothing was sent: this would be written as a comment of #7 in acme/faces at http://127.0.0.1"]);
    forge.job().run_reading("ci comment --sandbox", "# Plan").exits(0).says(&["Nothing was sent"]);
    assert!(forge.world().seen.is_empty());
    let nowhere = crate::environment::Environment::empty();
    nowhere.run_reading("ci comment --dry-run --project acme", "# Plan").exits(0).says(&["where is not known here"]);
}
