//! Refusals, limits, lost answers: what is said, what is sent again, and what never comes out.

use super::{BOTH, Does, Kind, StandIn, TOKEN};

#[test]
fn a_post_whose_answer_got_lost_is_looked_for_and_not_repeated() {
    for kind in BOTH {
        for does in [Does::LosesAnswer, Does::HidesAnswer] {
            let forge = StandIn::start(kind);
            forge.fails("POST", if kind == Kind::GitHub { "comments" } else { "notes" }, does);
            forge.job().run_reading("ci comment", "# Plan").exits(0).says(&["Wrote the comment"]);
            assert_eq!((forge.count("POST"), forge.comments().len()), (1, 1));
        }
    }
}

#[test]
fn a_post_that_did_nothing_is_sent_again_after_a_look() {
    let forge = StandIn::start(Kind::GitHub);
    forge.fails("POST", "comments", Does::Refuses(503, &[("retry-after", "0")], "unavailable"));
    forge.fails("POST", "comments", Does::Refuses(429, &[("retry-after", "0")], "slow down"));
    forge.job().run_reading("ci comment", "# Plan").exits(0).says(&["Wrote the comment"]);
    assert_eq!((forge.count("POST"), forge.comments().len()), (3, 1));
}

#[test]
fn a_post_is_given_up_in_the_end() {
    let forge = StandIn::start(Kind::GitHub);
    for _ in 0..20 {
        forge.fails("POST", "comments", Does::Refuses(503, &[("retry-after", "0")], "unavailable"));
    }
    let run = forge.job().run_reading("ci comment", "# Plan").exits(1);
    run.says(&["writing the comment failed", "HTTP 503: unavailable", "run it again"]);
    assert_eq!(forge.count("POST"), 5);
}

#[test]
fn limits_of_reads_and_edits_are_waited_for_in_each_forges_way() {
    let forge = StandIn::start(Kind::GitHub);
    forge.job().run_reading("ci comment", "# Plan").exits(0);
    let secondary = "{\"message\":\"You have exceeded a secondary rate limit\"}";
    forge.fails("GET", "per_page", Does::Refuses(403, &[("retry-after", "0")], secondary));
    let used_up = &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
    forge.fails("PATCH", "comments", Does::Refuses(403, used_up, "{\"message\":\"API rate limit exceeded\"}"));
    forge.fails("PATCH", "comments", Does::Refuses(502, &[("retry-after", "0")], ""));
    forge.job_of_run("101").run_reading("ci comment", "# Plan 2").exits(0).says(&["Updated"]);
    assert!(forge.comments()[0].ends_with("# Plan 2"));
}

#[test]
fn a_limit_that_stays_is_no_missing_right() {
    for (method, path) in [("GET", "per_page"), ("POST", "comments"), ("GET", "user")] {
        let forge = StandIn::start(Kind::GitHub);
        forge.world().is_person = true;
        // What tells a limit is its words here; its headers only say that the wait is over.
        let over = &[("retry-after", "0"), ("x-ratelimit-remaining", "4771")];
        let secondary = "{\"message\":\"You have exceeded a secondary rate limit\"}";
        for _ in 0..20 {
            forge.fails(method, path, Does::Refuses(403, over, secondary));
        }
        let run = forge.job().run_reading("ci comment --if-permitted", "# Plan").exits(1).prints_nothing();
        run.says(&["secondary rate limit", "says nothing about its rights"]).hides(&["pull-requests: write"]);
        assert!(forge.comments().is_empty());
    }
    let forge = StandIn::start(Kind::GitLab);
    for _ in 0..20 {
        forge.fails("GET", "per_page", Does::Refuses(429, &[("retry-after", "0")], "Retry later"));
    }
    forge.job().run_reading("ci comment --if-permitted", "# Plan").exits(1).says(&["Retry later", "the forge's limit"]);
}

#[test]
fn a_limit_of_an_hour_is_reported_and_not_waited_for() {
    let forge = StandIn::start(Kind::GitHub);
    let hour = &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999999")];
    forge.fails("GET", "per_page", Does::Refuses(403, hour, "{\"message\":\"API rate limit exceeded\"}"));
    let run = forge.job().run_reading("ci comment", "# Plan").exits(1);
    run.says(&["listing the comments failed", "API rate limit exceeded", "it asks to come back in 86400 s"]);
}

#[test]
fn a_token_that_may_only_read_is_explained_and_can_be_allowed() {
    for (kind, says) in [(Kind::GitHub, "pull-requests: write"), (Kind::GitLab, "scope `api`")] {
        let forge = StandIn::start(kind);
        forge.world().is_read_only = true;
        let run = forge.job().run_reading("ci comment", "# Plan").exits(1);
        run.says(&["writing the comment failed", "HTTP 403", says, "fork", "--if-permitted"]);
        let run = forge.job().run_reading("ci comment --if-permitted", "# Plan").exits(0).prints_nothing();
        run.says(&["warning: nothing was written at the forge", "HTTP 403"]);
        assert!(forge.comments().is_empty());
    }
    let forge = StandIn::start(Kind::GitHub);
    forge.world().is_read_only = true;
    forge.job().run_reading("ci comment", "# Plan").exits(1).says(&["workflow_run"]);
}

#[test]
fn a_repository_that_cannot_be_seen_is_told_with_both_reasons() {
    let forge = StandIn::start(Kind::GitHub);
    let run = forge.job().run_reading("ci comment --repository acme/secret", "# Plan").exits(1);
    run.says(&["HTTP 404: Not Found", "GitHub answers 404 where the token may not even see it"]);
}

#[test]
fn no_token_is_told_with_what_to_do_and_can_be_allowed() {
    for (kind, says) in
        [(Kind::GitHub, "GITHUB_TOKEN: \"${{ github.token }}\""), (Kind::GitLab, "CI_JOB_TOKEN may not write comments")]
    {
        let forge = StandIn::start(kind);
        let job = forge.job_without_token().with("CI_JOB_TOKEN", "a-job-token-of-gitlab");
        job.run_reading("ci comment", "# Plan").exits(1).says(&["no token for", says, "nothing was sent"]);
        job.run_reading("ci comment --if-permitted", "# Plan").exits(0).says(&["warning: nothing was written"]);
        assert!(forge.world().seen.is_empty());
    }
}

#[test]
fn a_refused_token_is_an_error_whatever_is_allowed_and_is_never_shown() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let name = if kind == Kind::GitHub { "GITHUB_TOKEN" } else { "FACECTL_GITLAB_TOKEN" };
        let job = forge.job().with(name, "another-token-that-nobody-may-see");
        let run = job.run_reading("ci comment --if-permitted -vvv", "# Plan").exits(1);
        run.says(&["the token was refused"]).hides(&["another-token"]);
    }
}

#[test]
fn an_unknown_app_must_not_guess_which_comments_are_its_own() {
    let forge = StandIn::start(Kind::GitHub);
    for _ in 0..2 {
        forge.fails("POST", "graphql", Does::Refuses(403, &[], "{\"message\":\"no\"}"));
    }
    // Of a job it is known whose token it has.
    forge.job().run_reading("ci comment", "# Plan").exits(0);
    let outside = forge.job().without("GITHUB_ACTIONS");
    let run = outside.run_reading("ci comment --forge github", "# Plan").exits(1);
    run.says(&["cannot tell this token's own comments from others'", "nothing was written"]);
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let (forge, elsewhere) = (StandIn::start(Kind::GitHub), StandIn::start(Kind::GitHub));
    let target: &'static str = Box::leak(elsewhere.url().into_boxed_str());
    let headers: &'static [(&'static str, &'static str)] = Box::leak(Box::new([("location", target)]));
    forge.fails("GET", "per_page", Does::Refuses(301, headers, ""));
    let run = forge.job().run_reading("ci comment", "# Plan").exits(1);
    run.says(&["HTTP 301", "follows no redirect"]);
    assert!(elsewhere.world().seen.is_empty());
}

#[test]
fn a_page_that_is_no_list_is_never_taken_for_an_empty_one() {
    for text in ["<html>Sign in</html>", "{\"message\":\"half\"}", ""] {
        let forge = StandIn::start(Kind::GitLab);
        forge.job().run_reading("ci comment", "# Plan").exits(0);
        forge.fails("GET", "per_page", Does::Refuses(200, &[], text));
        forge.job_of_run("101").run_reading("ci comment", "# Plan 2").exits(0).says(&["Updated"]);
        assert_eq!(forge.count("POST"), 1, "{text}");
    }
}

#[test]
fn no_token_and_no_key_comes_out_or_is_posted() {
    for kind in BOTH {
        let forge = StandIn::start(kind);
        let job = forge.job().with("TAVUS_API_KEY", "tavus-key-that-nobody-may-see");
        let link = "https://m.example.com/ana.mp4?X-Amz-Signature=SIGNATURESECRET";
        let text = format!("# Plan {TOKEN} tavus-key-that-nobody-may-see {link}");
        let secrets = [TOKEN, "tavus-key-that-nobody-may-see", "SIGNATURESECRET"];
        for line in ["ci comment -vvv", "ci comment -vvv --log-format json -o json", "ci comment --dry-run"] {
            job.run_reading(line, &text).exits(0).hides(&secrets);
        }
        let posted = forge.comments().join("\n");
        assert!(posted.contains("# Plan ***") && secrets.iter().all(|secret| !posted.contains(secret)), "{posted}");
        let run = job.run_reading(&format!("ci issue --title {TOKEN} -vvv"), &text).exits(0);
        run.hides(&secrets);
        assert!(forge.world().issues.iter().all(|issue| issue.title == "***"));
    }
}

#[test]
fn nothing_to_say_is_refused() {
    let forge = StandIn::start(Kind::GitHub);
    let run = forge.job().run_reading("ci comment", " \n\u{1b}[0m\n").exits(1);
    run.says(&["the text is empty", "pipefail", "nothing was sent"]);
    forge.job().run("ci comment no-such.md").exits(1).says(&["cannot read the text from no-such.md"]);
    assert!(forge.world().seen.is_empty());
}

#[test]
fn a_project_file_that_is_wrong_keeps_nobody_from_saying_so() {
    for kind in BOTH {
        for line in ["ci comment", "ci issue --title Wrong"] {
            let forge = StandIn::start(kind);
            let job = forge.job();
            job.edit("facectl.yaml", "spec:", "bogus: 1\nspec:");
            job.run("validate").exits(1).says(&["bogus"]);
            let run = job.run_reading(line, "# Invalid").exits(0);
            run.says(&["warning: the project file is wrong", "the name in it, `acme`", "Wrote the"]);
            // Where the name is said, nobody looks into the file.
            job.write("facectl.yaml", "metadata: [");
            let run = job.run_reading(&format!("{line} --project acme"), "# Still invalid").exits(0);
            run.says(&["Updated the"]).hides(&["warning"]);
            let job = job.with("FACECTL_PROJECT", "acme");
            job.run_reading(line, "# Still invalid").exits(0).says(&["Nothing to do"]);
        }
    }
}

#[test]
fn without_any_name_nothing_is_sent_and_the_file_is_shown() {
    let forge = StandIn::start(Kind::GitHub);
    let job = forge.job();
    let face = "apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: ana }\n";
    for text in ["metadata: [", "bogus: 1\n", "metadata: { name: Acme! }\nbogus: 1\n", face] {
        job.write("facectl.yaml", text);
        job.run_reading("ci comment", "# Plan").exits(1).says(&["facectl.yaml", "hint: --project NAME"]);
    }
    job.run_reading("ci comment --project-file gone.yaml", "# Plan").exits(1).says(&["gone.yaml", "hint: --project"]);
    assert!(forge.world().seen.is_empty());
}
