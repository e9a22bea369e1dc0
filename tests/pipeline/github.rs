//! GitHub: the story of one pull request, and of those who mean harm.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::account::{Account, KEY};
use crate::actions::{Actions, Event, Run};
use crate::forge::{Forge, Kind};
use crate::repository::Repository;
use crate::{PROJECT, face, has_tools};

/// A repository with these workflows, an account, and a forge between them.
struct Stage {
    account: Account,
    forge: Forge,
    repository: Repository,
}

impl Stage {
    /// Sets up what the README asks for, and nothing else.
    fn set() -> Option<Self> {
        if !has_tools() {
            return None;
        }
        let repository = Repository::from_example("github");
        repository.write("facectl.yaml", PROJECT);
        repository.write("faces/ana.yaml", &face("ana", "Ana"));
        fill_in(&repository);
        repository.push("main");
        Some(Self { account: Account::open(), forge: Forge::start(Kind::GitHub), repository })
    }

    fn actions(&self) -> Actions<'_> {
        let mut actions = Actions::new(&self.repository);
        actions.secrets.insert("TAVUS_API_KEY", KEY.to_owned());
        actions.machine.insert("GITHUB_API_URL", self.forge.url());
        actions.machine.insert("FACECTL_POLL_INTERVAL", "20ms".to_owned());
        actions.instead.insert("FACECTL_API_URL", self.account.url());
        actions.instead.insert("FACECTL_WAIT_TIMEOUT", "60ms".to_owned());
        actions.instead.insert("FACECTL_SETTLE_WINDOW", "100ms".to_owned());
        actions
    }

    /// Sets up what `facectl init` writes for a project in a folder of its repository.
    fn set_by_init() -> Option<Self> {
        if !has_tools() {
            return None;
        }
        let repository = Repository::from_example("github");
        fs::remove_dir_all(repository.desk().join(".github")).unwrap();
        let mut init = Command::new(env!("CARGO_BIN_EXE_facectl"));
        init.args(["init", "-y", "--ci", "github", "--name", "acme", "our faces"]);
        let done = init.current_dir(repository.desk()).env_clear().output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        repository.edit("our faces/faces/ana.yaml", "media.example.com", "media.faces-of-acme.net");
        fill_in(&repository);
        repository.push("main");
        Some(Self { account: Account::open(), forge: Forge::start(Kind::GitHub), repository })
    }

    /// A stranger opens a pull request or pushes to it, and the untrusted workflow runs. Returns its commit.
    fn proposes(&self, actions: &Actions<'_>, number: u64) -> (String, Run) {
        self.proposes_to("faces-plan.yml", actions, number)
    }

    fn proposes_to(&self, workflow: &str, actions: &Actions<'_>, number: u64) -> (String, Run) {
        let head = self.repository.propose(number);
        self.forge.stands_at(number, &head);
        let event = Event {
            name: "pull_request",
            payload: json!({
                "number": number,
                "pull_request": { "number": number, "head": { "sha": head, "ref": "patch-1", "repo": { "full_name": "stranger/faces" } } },
            }),
            reference: format!("refs/pull/{number}/merge"),
            is_from_fork: true,
        };
        let run = actions.run(workflow, &event);
        (head, run)
    }

    /// The trusted workflow runs after an untrusted one.
    fn comments(&self, actions: &Actions<'_>, head: &str, run: &Run) -> Run {
        self.comments_by("faces-comment.yml", actions, head, run)
    }

    fn comments_by(&self, workflow: &str, actions: &Actions<'_>, head: &str, run: &Run) -> Run {
        let payload = json!({ "workflow_run": {
            "id": run.id,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": head,
            "head_branch": "patch-1",
            "head_repository": { "full_name": "stranger/faces" },
            "pull_requests": [],
        } });
        actions.run(workflow, &on_main("workflow_run", payload))
    }
}

/// Says where facectl comes from, as users do.
fn fill_in(repository: &Repository) {
    let binary = "(a path); nothing is fetched then\n    default: \"";
    let filled = format!("{binary}{}", env!("CARGO_BIN_EXE_facectl"));
    repository.edit(".github/actions/facectl/action.yml", binary, &filled);
}

fn on_main(name: &'static str, payload: serde_json::Value) -> Event {
    Event { name, payload, reference: "refs/heads/main".to_owned(), is_from_fork: false }
}

#[test]
fn a_pull_request_is_planned_commented_on_merged_applied_waited_for_and_watched() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, forge, repository } = &stage;
    let actions = stage.actions();
    let pushed = || actions.run("faces-apply.yml", &on_main("push", json!({})));
    let waited = || actions.run("faces-wait.yml", &on_main("schedule", json!({})));
    let watched = || actions.run("faces-drift.yml", &on_main("schedule", json!({})));

    // The first face, long ago.
    pushed().succeeds().runs(&["plan", "apply"]);
    account.pass(300);
    waited().succeeds();
    assert_eq!(account.trainings(), 1);
    assert!(watched().succeeds().log().contains("No drift"));
    assert_eq!(forge.issues(), []);

    // A stranger's pull request: no key is asked for, none is used, and one comment says what it would do.
    let requests = account.requests();
    repository.branch("patch-1");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    let (head, run) = stage.proposes(&actions, 7);
    let run = run.succeeds().runs(&["plan"]);
    assert!(run.summary("plan").contains("bruno"), "{}", run.summary("plan"));
    stage.comments(&actions, &head, &run).succeeds();
    let [(comment, text)] = &forge.comments(7)[..] else { panic!("{:?}", forge.comments(7)) };
    assert!(text.contains("bruno") && text.contains("1 to create"), "{text}");

    // It goes on, and the same comment is edited.
    repository.write("faces/carla.yaml", &face("carla", "Carla"));
    let (head, run) = stage.proposes(&actions, 7);
    stage.comments(&actions, &head, &run.succeeds()).succeeds();
    let [(same, text)] = &forge.comments(7)[..] else { panic!("{:?}", forge.comments(7)) };
    assert!(same == comment && text.contains("carla") && text.contains("2 to create"), "{text}");
    assert_eq!(account.requests(), requests, "nobody asked the account anything");

    // It is merged: the plan is shown, and exactly that is applied; nobody waits for it.
    repository.merge(&head);
    let run = pushed().succeeds().runs(&["plan", "apply"]);
    assert!(run.summary("plan").contains("2 paid trainings"), "{}", run.summary("plan"));
    assert_eq!(account.trainings(), 3);
    let lock = repository.file("main", "facectl.lock.yaml").unwrap();
    assert!(lock.contains("  bruno:") && lock.contains("  carla:"), "{lock}");

    // Four hours of training, in ten jobs that know nothing of each other.
    for _ in 0..9 {
        account.pass(22);
        let run = waited().succeeds();
        assert!(run.log().contains("still in training"), "{}", run.log());
    }
    account.pass(22);
    let run = waited().succeeds();
    assert!(!run.log().contains("still in training"), "{}", run.log());
    let names: Vec<String> = account.faces().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["Ana", "Bruno", "Carla"], "the tokens have left the names");
    pushed().succeeds().runs(&["plan"]);
    assert!(repository.log().starts_with("facectl: record the faces\n"), "{}", repository.log());

    // Somebody renames a face by hand: one issue, which the next night brings up to date, and which ends with it.
    account.rename("Bruno", "Bruno (test)");
    watched().succeeds();
    let [(title, text, true)] = &forge.issues()[..] else { panic!("{:?}", forge.issues()) };
    assert!(title == "Faces have drifted" && text.contains("Bruno (test)"), "{title}: {text}");
    account.rename("Carla", "Karla");
    watched().succeeds();
    let [(_, text, true)] = &forge.issues()[..] else { panic!("{:?}", forge.issues()) };
    assert!(text.contains("Bruno (test)") && text.contains("Karla"), "{text}");
    pushed().succeeds().runs(&["plan", "apply"]);
    watched().succeeds();
    let [(_, _, false)] = &forge.issues()[..] else { panic!("{:?}", forge.issues()) };

    assert_eq!(account.trainings(), 3, "each was paid for once");
}

#[test]
fn nobody_speaks_on_a_pull_request_that_is_not_theirs_or_for_files_that_are_not_there() {
    let Some(stage) = Stage::set() else { return };
    let Stage { forge, repository, account, .. } = &stage;
    let actions = stage.actions();
    actions.run("faces-apply.yml", &on_main("push", json!({}))).succeeds();
    forge.stands_at(8, &repository.commit("main"));

    // The run of a stranger's files says that it is another pull request, or worse.
    repository.branch("patch-1");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    let (head, run) = stage.proposes(&actions, 7);
    let run = run.succeeds();
    for number in ["8", "0", "", "-1", "$(touch ran)", "7; touch ran", "99999999999999999999", "8\n7"] {
        actions.forge_artifact(run.id, "pull-request", "number", number);
        stage.comments(&actions, &head, &run);
        assert_eq!(forge.comments(8), [], "{number:?}");
    }
    // It moved on while that run was under way: the run of its new head speaks.
    forge.stands_at(7, &repository.commit("main"));
    let before = forge.comments(7);
    actions.forge_artifact(run.id, "pull-request", "number", "7");
    stage.comments(&actions, &head, &run);
    assert_eq!(forge.comments(7), before);

    // A lock file that says that everything is there already makes no training look like no change.
    let lock = repository.file("main", "facectl.lock.yaml").unwrap();
    let id = account.faces()[0].0.clone();
    let forged =
        lock.replace("  ana:\n", "  bruno:\n").replace(&id, "rffffffffff") + lock.split_once("faces:\n").unwrap().1;
    repository.write("facectl.lock.yaml", &forged);
    let (head, run) = stage.proposes(&actions, 7);
    stage.comments(&actions, &head, &run).succeeds();
    let comments = forge.comments(7);
    let text = &comments.last().unwrap().1;
    assert!(text.contains("1 to create"), "{text}");
    assert!(text.contains("facectl.lock.yaml of this branch is not the one of the default branch"), "{text}");
    assert!(!text.contains("rffffffffff"), "{text}");

    // Files that are wrong are told in the comment as well, and a mention in them calls nobody.
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno").replace("train_video_url", "\"@acme/everyone\""));
    let (head, run) = stage.proposes(&actions, 7);
    let run = run.fails("plan");
    stage.comments(&actions, &head, &run).succeeds();
    let comments = forge.comments(7);
    let text = &comments.last().unwrap().1;
    assert!(text.contains("faces/bruno.yaml") && !text.contains(" @acme") && comments.len() == 1, "{text}");
    assert_eq!(account.trainings(), 1);
}

#[test]
fn a_link_in_a_pull_request_shows_nothing_of_the_runner() {
    let Some(stage) = Stage::set() else { return };
    let Stage { forge, repository, .. } = &stage;
    let actions = stage.actions();
    for (number, link) in [(7, "facectl.yaml"), (8, "facectl.lock.yaml"), (9, "faces/bruno.yaml")] {
        repository.branch("patch-1");
        // What every machine has, and no project.
        repository.link(link, "/etc/passwd");
        let (head, run) = stage.proposes(&actions, number);
        stage.comments(&actions, &head, &run).succeeds();
        let [(_, text)] = &forge.comments(number)[..] else { panic!("{link}: {:?}", forge.comments(number)) };
        assert!(!text.contains("root:") && !run.log().contains("root:"), "{link}: {text}\n{}", run.log());
    }
}

#[test]
fn a_plan_that_has_moved_before_its_yes_is_not_applied() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let actions = stage.actions();
    // Somebody thinks about the plan while another face is merged.
    let run = actions.run_with("faces-apply.yml", &on_main("push", json!({})), |job| {
        if job == "plan" {
            repository.branch("main");
            repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
            repository.push("main");
        }
    });
    let run = run.fails("apply");
    assert!(run.log().contains("[exit status: 5]"), "{}", run.log());
    assert_eq!(account.trainings(), 0);
    // What was merged since asks for a yes of its own.
    actions.run("faces-apply.yml", &on_main("push", json!({}))).succeeds();
    assert_eq!(account.trainings(), 2);
}

#[test]
fn a_merge_whose_faces_are_only_blocked_is_red_and_asks_for_no_approval() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let actions = stage.actions();
    let pushed = || actions.run("faces-apply.yml", &on_main("push", json!({})));
    repository.edit("faces/ana.yaml", "ana.mp4", "fail-training.mp4");
    repository.push("main");
    pushed().succeeds().runs(&["plan", "apply"]);
    account.pass(300);
    let run = pushed().fails("plan").runs(&["plan"]);
    assert!(run.log().contains("wait for a person") && run.summary("plan").contains("blocked"), "{}", run.log());
    // Where something else is to be done it is done, and the face that is blocked is not forgotten over it.
    repository.branch("main");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    repository.push("main");
    let run = pushed().fails("apply");
    assert!(run.log().contains("+ bruno: training started"), "{}", run.log());
    assert_eq!(account.trainings(), 2);
}

#[test]
fn more_than_the_workflow_allows_is_not_bought_whatever_the_project_says() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let actions = stage.actions();
    repository.write("facectl.yaml", &format!("{PROJECT}  limits:\n    max_trainings: 100\n"));
    for key in ["bruno", "carla", "dan"] {
        repository.write(&format!("faces/{key}.yaml"), &face(key, key));
    }
    repository.push("main");
    let run = actions.run("faces-apply.yml", &on_main("push", json!({})));
    assert!(run.log().contains("max_trainings") || run.log().contains("MAX_TRAININGS"), "{}", run.log());
    assert_eq!(account.trainings(), 0);
}

#[test]
fn a_lock_file_that_cannot_be_pushed_is_told_and_nothing_is_bought_again() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, repository, .. } = &stage;
    let actions = stage.actions();
    let pushed = || actions.run("faces-apply.yml", &on_main("push", json!({})));
    repository.protect(true);
    let run = pushed().fails("apply");
    assert!(run.log().contains("commit it by hand"), "{}", run.log());
    assert_eq!(account.trainings(), 1);
    // On the next disk nothing is known of it, and its token is still in its name.
    pushed().fails("apply");
    assert_eq!(account.trainings(), 1);
    repository.protect(false);
    pushed().succeeds();
    assert_eq!(account.trainings(), 1);
    assert!(repository.file("main", "facectl.lock.yaml").unwrap().contains("  ana:"));
}

#[test]
fn neither_key_nor_token_stands_in_anything_that_is_shown_or_kept() {
    let Some(stage) = Stage::set() else { return };
    let Stage { account, forge, repository } = &stage;
    let actions = stage.actions();
    let mut shown = String::new();
    let run = actions.run("faces-apply.yml", &on_main("push", json!({}))).succeeds();
    shown += &(run.log() + run.summary("plan"));
    account.pass(300);
    for workflow in ["faces-wait.yml", "faces-drift.yml"] {
        shown += &actions.run(workflow, &on_main("schedule", json!({}))).succeeds().log();
        // By the second there is something to say in an issue.
        let (_, name) = account.faces().remove(0);
        account.rename(&name, "Anna");
    }
    repository.branch("patch-1");
    repository.write("faces/bruno.yaml", &face("bruno", "Bruno"));
    let (head, run) = stage.proposes(&actions, 7);
    shown += &(run.log() + &stage.comments(&actions, &head, &run).succeeds().log());
    shown += &format!("{:?}{:?}{:?}", forge.comments(7), forge.issues(), repository.file("main", "facectl.lock.yaml"));
    for secret in ["KEYKEYKEY", "forge-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_init_writes_for_a_project_in_a_folder_works_as_it_is() {
    let Some(stage) = Stage::set_by_init() else { return };
    let Stage { account, forge, repository } = &stage;
    let actions = stage.actions();
    actions.run("faces-apply-acme.yml", &on_main("push", json!({}))).succeeds().runs(&["plan", "apply"]);
    account.pass(300);
    actions.run("faces-wait-acme.yml", &on_main("schedule", json!({}))).succeeds();
    assert!(repository.file("main", "our faces/facectl.lock.yaml").unwrap().contains("face_name: Ana\n"));
    repository.branch("patch-1");
    repository.write("our faces/faces/bruno.yaml", &face("bruno", "Bruno"));
    let (head, run) = stage.proposes_to("faces-plan-acme.yml", &actions, 7);
    stage.comments_by("faces-comment-acme.yml", &actions, &head, &run.succeeds()).succeeds();
    let [(_, text)] = &forge.comments(7)[..] else { panic!("{:?}", forge.comments(7)) };
    assert!(text.contains("1 to create") && text.contains("bruno"), "{text}");
    account.rename("Ana", "Anna");
    actions.run("faces-drift-acme.yml", &on_main("schedule", json!({}))).succeeds();
    assert_eq!((forge.issues().len(), account.trainings()), (1, 1));
}
