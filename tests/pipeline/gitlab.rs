//! GitLab: the same story, with a saved plan.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::account::{Account, KEY};
use crate::forge::{Forge, Kind, TOKEN};
use crate::gitlab_runner::{GitLab, Job, Trigger};
use crate::repository::Repository;
use crate::{PROJECT, face, has_tools};

struct Stage {
    account: Account,
    forge: Forge,
    repository: Repository,
}

impl Stage {
    fn set() -> Option<Self> {
        if !has_tools() {
            return None;
        }
        let repository = Repository::from_example("gitlab");
        repository.write("facectl.yaml", PROJECT);
        repository.write("faces/ana.yaml", &face("ana", "Ana"));
        let place = "INSTALL_URL: \"\"";
        repository.edit(
            ".gitlab-ci.yml",
            place,
            &format!("INSTALL_BINARY: {}\n    {place}", env!("CARGO_BIN_EXE_facectl")),
        );
        repository.push("main");
        Some(Self { account: Account::open(), forge: Forge::start(Kind::GitLab), repository })
    }

    fn gitlab(&self) -> GitLab<'_> {
        let mut gitlab = GitLab::new(&self.repository);
        gitlab.protected.insert("TAVUS_API_KEY", KEY.to_owned());
        gitlab.protected.insert("FACECTL_PUSH_TOKEN", "glpat-PUSHPUSHPUSH".to_owned());
        gitlab.variables.insert("FACECTL_GITLAB_TOKEN", TOKEN.to_owned());
        gitlab.variables.insert("CI_API_V4_URL", self.forge.url());
        gitlab.variables.insert("FACECTL_POLL_INTERVAL", "20ms".to_owned());
        gitlab.instead.insert("FACECTL_API_URL", self.account.url());
        gitlab.instead.insert("FACECTL_WAIT_TIMEOUT", "60ms".to_owned());
        gitlab.instead.insert("FACECTL_SETTLE_WINDOW", "100ms".to_owned());
        gitlab
    }
}

/// A pipeline of the main branch, however it ends.
fn tried_on_main(gitlab: &GitLab<'_>, source: &'static str, job: Option<&'static str>) -> Vec<Job> {
    let commit = gitlab.repository.commit("main");
    let mut variables = BTreeMap::from([("CI_PIPELINE_SOURCE", source.to_owned())]);
    variables.extend(job.map(|job| ("FACES_JOB", job.to_owned())));
    gitlab.run(&Trigger { commit: &commit, is_main: true, variables, is_fork: false })
}

/// A pipeline of the main branch; every job of it must end well.
#[track_caller]
fn on_main(gitlab: &GitLab<'_>, source: &'static str, job: Option<&'static str>) -> Vec<Job> {
    let jobs = tried_on_main(gitlab, source, job);
    assert!(jobs.iter().all(|job| !job.has_failed), "{}", log(&jobs));
    jobs
}

fn of_request(gitlab: &GitLab<'_>, commit: &str, is_fork: bool) -> Vec<Job> {
    let variables = [
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", if is_fork { "99" } else { "42" }),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", commit),
    ];
    let variables = variables.map(|(name, value)| (name, value.to_owned())).into();
    gitlab.run(&Trigger { commit, is_main: false, variables, is_fork })
}

fn log(jobs: &[Job]) -> String {
    jobs.iter().map(|job| job.log.as_str()).collect()
}

fn names(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

#[test]
fn a_merge_request_is_planned_commented_on_merged_applied_waited_for_and_watched() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, forge, repository } = &stage;
    let gitlab = stage.gitlab();
    let pushed = on_main(&gitlab, "push", None);
    assert_eq!(names(&pushed), ["faces plan", "faces apply"]);
    account.pass(300);
    on_main(&gitlab, "schedule", Some("wait"));
    assert_eq!(account.trainings(), 1);

    // A merge request of this project: counts, problems and a comment, without a key.
    let requests = account.requests();
    repository.branch("new-face");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    let head = repository.push("new-face");
    forge.stands_at(7, &head);
    let jobs = of_request(&gitlab, &head, false);
    assert_eq!(names(&jobs), ["faces check", "faces comment"], "{}", log(&jobs));
    let counts: Value = serde_json::from_str(&jobs[0].artifact(".facectl/plan.json")).unwrap();
    assert_eq!((&counts["create"], &counts["update"], &counts["delete"]), (&1.into(), &0.into(), &0.into()));
    let problems: Value = serde_json::from_str(&jobs[0].artifact(".facectl/quality.json")).unwrap();
    assert!(problems.is_array(), "{problems}");
    let [(comment, text)] = &forge.comments(7)[..] else { panic!("{:?}\n{}", forge.comments(7), log(&jobs)) };
    assert!(text.contains("bruno") && text.contains("1 to create"), "{text}");
    // A second push edits it, also where the manifests are wrong.
    repository.write("faces/carla.yaml", "kind: Face\nnonsense: true\n");
    let wrong = repository.push("new-face");
    forge.stands_at(7, &wrong);
    let jobs = of_request(&gitlab, &wrong, false);
    assert!(jobs[0].has_failed && names(&jobs) == ["faces check", "faces comment"], "{}", log(&jobs));
    let [(same, text)] = &forge.comments(7)[..] else { panic!("{:?}", forge.comments(7)) };
    assert!(same == comment && text.contains("faces/carla.yaml"), "{text}");
    // A fork's pipeline has no variable of this project, and comments nothing.
    let jobs = of_request(&gitlab, &head, true);
    assert!(names(&jobs) == ["faces check"] && !jobs[0].has_failed, "{}", log(&jobs));
    assert_eq!(account.requests(), requests, "nobody asked the account anything");

    // Merged: what is saved is applied, and nobody waits for it.
    repository.merge(&head);
    on_main(&gitlab, "push", None);
    assert_eq!(account.trainings(), 2);
    assert!(repository.file("main", "facectl.lock.yaml").unwrap().contains("  bruno:"));
    for _ in 0..10 {
        account.pass(22);
        on_main(&gitlab, "schedule", Some("wait"));
    }
    let faces: Vec<String> = account.faces().into_iter().map(|(_, name)| name).collect();
    assert_eq!(faces, ["Ana", "Bruno"], "the tokens have left the names");
    // With nothing to do, nothing is done.
    on_main(&gitlab, "push", None);

    account.rename("Bruno", "Bruno (test)");
    on_main(&gitlab, "schedule", Some("drift"));
    let [(_, text, true)] = &forge.issues()[..] else { panic!("{:?}", forge.issues()) };
    assert!(text.contains("Bruno (test)"), "{text}");
    account.rename("Bruno (test)", "Bruno");
    on_main(&gitlab, "schedule", Some("drift"));
    let [(_, _, false)] = &forge.issues()[..] else { panic!("{:?}", forge.issues()) };
    assert_eq!(account.trainings(), 2, "each was paid for once");
}

#[test]
fn a_saved_plan_of_another_situation_is_refused() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let gitlab = stage.gitlab();
    // Another merge comes between the plan and the yes; the older pipeline's apply takes the branch as it is now.
    let before = repository.commit("main");
    repository.branch("main");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    repository.push("main");
    let variables = BTreeMap::from([("CI_PIPELINE_SOURCE", "push".to_owned())]);
    let jobs = gitlab.run(&Trigger { commit: &before, is_main: true, variables, is_fork: false });
    assert!(!jobs[0].has_failed && jobs[1].has_failed, "{}", log(&jobs));
    assert!(jobs[1].log.contains("no longer stands") && jobs[1].log.contains("[exit status: 5]"), "{}", log(&jobs));
    assert_eq!(account.trainings(), 0);
    for job in &jobs {
        assert!(!job.log.contains("KEYKEYKEY") && !job.log.contains("PUSHPUSHPUSH"), "{}", job.log);
    }
}

#[test]
fn a_merge_whose_faces_are_only_blocked_is_red() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let gitlab = stage.gitlab();
    repository.edit("faces/ana.yaml", "ana.mp4", "fail-training.mp4");
    repository.push("main");
    on_main(&gitlab, "push", None);
    account.pass(300);
    let jobs = tried_on_main(&gitlab, "push", None);
    assert!(names(&jobs) == ["faces plan", "faces apply"] && jobs[1].has_failed, "{}", log(&jobs));
    assert_eq!(account.trainings(), 1);
}
