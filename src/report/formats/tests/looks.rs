//! How each form looks.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::plan::tests::world::{World, key};
use crate::report::status_rows;

#[test]
fn a_comment_says_what_decides_first_and_folds_the_fields_away() {
    let plan = everything().plan();
    let context = context();
    let report = Report { provenance: Some(&context), ..planned(&plan) };
    assert_snapshot!(markdown(&report, MARKDOWN_LIMIT), @r#"
    ### facectl plan: `acme`

    **Plan: 1 to create, 1 to update, 1 to replace, 0 to delete.** Also: 1 to adopt, 1 to forget, 1 in training, 2 blocked, 1 orphaned, 1 unchanged.
    **2 paid trainings**; the longest usually takes 3 to 4 hours.

    > [!WARNING]
    > **Blocked: nothing is done to 2 faces before a person has acted**
    >
    > - `hal` (`faces/hal.yaml:71:1`): its training failed: the video has no consent statement. **Do:** change the source (or raise training\_version) to train from other material, or run `facectl apply --retry hal`.
    > - `jan` (`faces/jan.yaml:91:1`): a create was begun at 2026-11-22T11:50:00Z under token fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces: no complete answer (timed out). **Do:** run `facectl recover`: it looks for the token and settles the entry; nothing is sent until then.

    |  | Face | What | Why |
    |---|---|---|---|
    | `-/+` | `ida` | replace, **paid** | training\_version cannot change in place: a new face is trained first, and takes the place of this one once it is ready |
    | `+` | `ana` | create, **paid** | it is declared, nothing is recorded, and no live face answers to its token or name |
    | `~` | `cho` | update name to `Cho (Support)`, voice to `v1` | the manifest changed, and the live face was changed by somebody else (drift) |
    | `<=` | `bea` | adopt | a live face carries the token of this very creation, so nothing is created |
    | `.` | `fay` | forget | it left the manifests, and no live face is left of it |
    | `…` | `dan` | wait | its training goes on |
    | `o` | `eva` | orphaned | it left the manifests; it stays alive and recorded, as facectl deletes nothing on its own (`facectl state forget` drops it from the record alone) |

    To do exactly this, and nothing else, with the same paths and settings:

    ```sh
    facectl apply --auto-approve --expect-digest d903-8c9d-499d-9bee-aa49-8e08-cf24-9174
    ```

    <details><summary><code>ida</code> replace, paid</summary>

    ```diff
    - training_version: (none)
    + training_version: 2
    + face_name: "Ida"
    + model_name: phoenix-4
    + train_video_url: https://media.example.com/ida.mp4?…
    + wait_for: ready
    + token: fc-uewobkdy-lf2udk-1
    ```

    Because training\_version cannot change in place: a new face is trained first, and takes the place of this one once it is ready.

    Takes the place of r-ida once it is ready: first in every PAL that uses it, then in the record.

    At `faces/ida.yaml:81:1`.

    </details>

    <details><summary><code>ana</code> create, paid</summary>

    ```diff
    + face_name: "Ana"
    + model_name: phoenix-4
    + train_image_url: https://media.example.com/ana.png?…
    + voice_name: anna
    + auto_fix_training_image: true
    + callback_url: https://hooks.example.com/…
    + background_green_screen: true
    + wait_for: ready
    + token: fc-fediognc-arq242-1
    ```

    Because it is declared, nothing is recorded, and no live face answers to its token or name.

    At `faces/ana.yaml:1:1`.

    </details>

    <details><summary><code>cho</code> update</summary>

    ```diff
    - face_name: "Cho (old)"
    + face_name: "Cho (Support)"
    - default_voice_id: (none)
    + default_voice_id: v1
    ```

    Because the manifest changed, and the live face was changed by somebody else (drift).

    At `faces/cho.yaml:21:1`.

    </details>

    <details><summary><code>bea</code> adopt</summary>

    ```diff
      face_name: "Bea"
    + face_id: r-bea
    ```

    Because a live face carries the token of this very creation, so nothing is created.

    At `faces/bea.yaml:11:1`.

    </details>

    1 live face of the account is not managed here and will not be touched.

    <sub>commit `3b4df28d3c0f` with changes that are not committed · branch `add-ana` · by `Ana Example` · [run](<https://ci.example.com/runs/7>) · facectl 0.1.0</sub>
    "#);
}

#[test]
fn a_plan_that_changes_nothing_is_a_short_comment() {
    let plan = World::agreeing().face("ana").plan();
    assert_snapshot!(markdown(&planned(&plan), MARKDOWN_LIMIT), @r#"
    ### facectl plan: `acme`

    **No changes.** 1 face as declared.

    <sub>facectl 0.1.0</sub>
    "#);
}

#[test]
fn a_plan_over_a_limit_names_no_command_that_would_apply_it() {
    let mut world = World::agreeing().declared("ana").declared("bea");
    world.policy.max_trainings = Some(1);
    let plan = world.plan();
    let report = Report { exit: 5, exit_means: "refused by a safety rule", ..planned(&plan) };
    let comment = markdown(&report, MARKDOWN_LIMIT);
    assert!(comment.contains("> [!CAUTION]\n> **Over a limit:** 2 trainings would be started"), "{comment}");
    assert!(comment.contains("this plan cannot be applied") && !comment.contains("--expect-digest"), "{comment}");
    assert!(comment.contains("exit code 5: refused by a safety rule"), "{comment}");
}

#[test]
fn the_flags_that_decide_what_a_plan_does_stand_in_the_command_that_applies_it() {
    let mut world = World::agreeing().declared("ana").failed("hal");
    world.policy.prune = true;
    world.policy.retry.insert(key("hal"));
    world.policy.selection.targets = vec!["*a*".parse().unwrap()];
    let plan = world.plan();
    let comment = markdown(&Report { is_rehearsal: true, ..planned(&plan) }, MARKDOWN_LIMIT);
    let digest = plan.digest().short();
    let command =
        format!("facectl apply --sandbox --auto-approve --expect-digest {digest} --prune --retry hal --target '*a*'\n");
    assert!(comment.contains(&command), "{comment}");
    assert!(comment.starts_with("### facectl plan: `acme`, a rehearsal\n"), "{comment}");
}

#[test]
fn github_is_told_of_blocks_and_payments_at_their_lines() {
    let plan = everything().plan();
    let report = planned(&plan);
    assert_snapshot!(github_commands(&report, "one\n::error::two\n", &roots(), "TOKEN"), @r#"
    ::stop-commands::TOKEN
    one
    ::error::two
    ::TOKEN::
    ::warning file=faces/hal.yaml,line=71,col=1,title=hal%3A blocked::hal: its training failed: the video has no consent statement%0Ahelp: change the source (or raise training_version) to train from other material, or run `facectl apply --retry hal`
    ::warning file=faces/jan.yaml,line=91,col=1,title=jan%3A blocked::jan: a create was begun at 2026-11-22T11:50:00Z under token fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces: no complete answer (timed out)%0Ahelp: run `facectl recover`: it looks for the token and settles the entry; nothing is sent until then
    ::notice file=faces/ana.yaml,line=1,col=1,title=ana%3A starts a paid training::ana: create, because it is declared, nothing is recorded, and no live face answers to its token or name
    ::notice file=faces/ida.yaml,line=81,col=1,title=ida%3A starts a paid training::ida: replace, because training_version cannot change in place: a new face is trained first, and takes the place of this one once it is ready
    "#);
    assert_snapshot!(github_outputs(&report, "TOKEN"), @r#"
    exit-code<<TOKEN
    0
    TOKEN
    summary<<TOKEN
    Plan: 1 to create, 1 to update, 1 to replace, 0 to delete. Also: 1 to adopt, 1 to forget, 1 in training, 2 blocked, 1 orphaned, 1 unchanged. 2 paid trainings; the longest usually takes 3 to 4 hours.
    TOKEN
    creates<<TOKEN
    1
    TOKEN
    updates<<TOKEN
    1
    TOKEN
    replaces<<TOKEN
    1
    TOKEN
    deletes<<TOKEN
    0
    TOKEN
    paid-trainings<<TOKEN
    2
    TOKEN
    blocked<<TOKEN
    2
    TOKEN
    has-changes<<TOKEN
    true
    TOKEN
    digest<<TOKEN
    d9038c9d499d9beeaa498e08cf249174114fd5fde4179ff975d15533d6429c89
    TOKEN
    "#);
}

#[test]
fn of_more_notes_than_github_shows_the_last_counts_the_others() {
    let mut world = World::agreeing();
    for number in 0..25 {
        world = world.failed(&format!("f{number:02}")).declared(&format!("n{number:02}"));
    }
    let plan = world.plan();
    let commands = github_commands(&planned(&plan), "", &roots(), "TOKEN");
    for word in ["warning", "notice"] {
        let lines: Vec<&str> = commands.lines().filter(|line| line.starts_with(&format!("::{word} "))).collect();
        assert_eq!(lines.len(), 10, "{commands}");
        assert!(lines[9].contains("and 16 more"), "{}", lines[9]);
    }
}

#[test]
fn gitlab_counts_a_replacement_as_a_new_face() {
    let plan = everything().plan();
    assert_eq!(gitlab_plan(&planned(&plan)), json!({ "create": 2, "update": 1, "delete": 0 }));
    let findings = gitlab_code_quality(&planned(&plan), &roots());
    let found: Vec<String> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["severity"], one["check_name"], one["location"]))
        .collect();
    assert_snapshot!(found.join("\n"), @r#"
    "minor" "facectl::blocked-failed" {"path":"faces/hal.yaml","lines":{"begin":71,"end":71}}
    "minor" "facectl::blocked-in-doubt" {"path":"faces/jan.yaml","lines":{"begin":91,"end":91}}
    "#);
}

#[test]
fn without_a_plan_gitlab_gets_no_counts_that_would_say_that_nothing_changes() {
    let failure = Failure { message: "cannot reach the API", causes: &[], hints: &[], plan: None };
    let project = "acme".parse().unwrap();
    let failed = Report { project: None, exit: 1, ..report("plan", &project, Body::Failure(failure)) };
    assert_eq!(gitlab_plan(&failed), json!({ "error": "facectl plan failed, with exit code 1." }));
}

#[test]
fn a_finding_keeps_its_fingerprint_when_its_line_moves_and_no_two_share_one() {
    let mut world = everything();
    let prints = |world: &World| -> Vec<String> {
        let plan = world.plan();
        let findings = gitlab_code_quality(&planned(&plan), &roots());
        findings.as_array().unwrap().iter().map(|one| one["fingerprint"].to_string()).collect()
    };
    let before = prints(&world);
    world.desired.faces.get_mut(&key("hal")).unwrap().origin.line += 7;
    assert_eq!(prints(&world), before);
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), before.len());
}

#[test]
fn junit_has_a_test_for_each_face() {
    let plan = everything().plan();
    assert_snapshot!(junit(&planned(&plan), &roots()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="facectl plan" tests="10" skipped="0" failures="2" errors="0">
        <testsuite name="acme" tests="10" skipped="0" errors="0" failures="2">
            <testcase name="ana" classname="facectl">
                <system-out>create, starts a paid training: it is declared, nothing is recorded, and no live face answers to its token or name</system-out>
            </testcase>
            <testcase name="bea" classname="facectl">
                <system-out>adopt: a live face carries the token of this very creation, so nothing is created</system-out>
            </testcase>
            <testcase name="cho" classname="facectl">
                <system-out>update: the manifest changed, and the live face was changed by somebody else (drift)</system-out>
            </testcase>
            <testcase name="dan" classname="facectl">
                <system-out>wait: its training goes on</system-out>
            </testcase>
            <testcase name="eva" classname="facectl">
                <system-out>orphaned: it left the manifests; it stays alive and recorded, as facectl deletes nothing on its own (`facectl state forget` drops it from the record alone)</system-out>
            </testcase>
            <testcase name="fay" classname="facectl">
                <system-out>forget: it left the manifests, and no live face is left of it</system-out>
            </testcase>
            <testcase name="gus" classname="facectl">
                <system-out>no-op: manifest, record and live face agree</system-out>
            </testcase>
            <testcase name="hal" classname="facectl">
                <failure message="its training failed: the video has no consent statement" type="blocked_failed">its training failed: the video has no consent statement
    help: change the source (or raise training_version) to train from other material, or run `facectl apply --retry hal`
    at faces/hal.yaml:71:1</failure>
            </testcase>
            <testcase name="ida" classname="facectl">
                <system-out>replace, starts a paid training: training_version cannot change in place: a new face is trained first, and takes the place of this one once it is ready</system-out>
            </testcase>
            <testcase name="jan" classname="facectl">
                <failure message="a create was begun at 2026-11-22T11:50:00Z under token fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces: no complete answer (timed out)" type="blocked_in_doubt">a create was begun at 2026-11-22T11:50:00Z under token fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces: no complete answer (timed out)
    help: run `facectl recover`: it looks for the token and settles the entry; nothing is sent until then
    at faces/jan.yaml:91:1</failure>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
fn what_a_run_left_open_stands_above_the_table() {
    let world = everything();
    let plan = world.plan();
    let outcome = Outcome {
        created: vec![key("ana")],
        in_doubt: vec![key("jan")],
        failed: vec![(key("hal"), Some("no <consent> | statement".to_owned()))],
        still_training: vec![key("dan")],
        is_deadline_reached: true,
        ..Outcome::default()
    };
    let rows = status_rows(&plan, &world.recorded, &world.observed, true);
    let blocked = [key("hal"), key("jan")].into();
    let ran = Ran { outcome: &outcome, plan: &plan, blocked, rows: &rows };
    let report = Report { exit: 10, exit_means: "in doubt", ..report("apply", &plan.project, Body::Run(ran)) };
    assert_snapshot!(markdown(&report, MARKDOWN_LIMIT), @r#"
    ### facectl apply: `acme`

    **Done, with trouble: 1 created, 0 updated, 1 in doubt, 1 failed, 1 still in training, 2 blocked.**

    > [!CAUTION]
    > **In doubt: run `facectl recover`. Nothing is sent again until it is known what became of it**
    >
    > - `jan`

    > [!CAUTION]
    > **What went wrong**
    >
    > - `hal`: no &lt;consent&gt; \| statement

    > [!WARNING]
    > **Held back: a person has to act first**
    >
    > - `hal` (`faces/hal.yaml:71:1`): its training failed: the video has no consent statement. **Do:** change the source (or raise training\_version) to train from other material, or run `facectl apply --retry hal`.

    > [!NOTE]
    > The time to wait is up with 1 face still in training: run `facectl wait`.

    | Face | Face id | Sync | Health | Next |
    |---|---|---|---|---|
    | `ana` | - | OutOfSync | Missing | create: facectl apply |
    | `fay` | `r-fay` | OutOfSync | Missing | forget: facectl apply |
    | `hal` | `r-hal` | Synced | Failed | the video has no consent statement |
    | `jan` | - | Unknown | Unknown | create in doubt: facectl recover |
    | `bea` | `r-bea` | OutOfSync | Training | adopt: facectl apply |
    | `cho` | `r-cho` | OutOfSync | Ready | update: facectl apply |
    | `eva` | `r-eva` | OutOfSync | Ready | no longer declared |
    | `ida` | `r-ida` | OutOfSync | Ready | replace: facectl apply |
    | `dan` | `r-dan` | Synced | Training | facectl wait |
    | `gus` | `r-gus` | Synced | Ready | facectl converse gus |

    <sub>exit code 10: in doubt · facectl 0.1.0</sub>
    "#);
    assert_snapshot!(github_outputs(&report, "TOKEN"), @r#"
    exit-code<<TOKEN
    10
    TOKEN
    summary<<TOKEN
    Done, with trouble: 1 created, 0 updated, 1 in doubt, 1 failed, 1 still in training, 2 blocked.
    TOKEN
    creates<<TOKEN
    1
    TOKEN
    updates<<TOKEN
    0
    TOKEN
    replaces<<TOKEN
    0
    TOKEN
    deletes<<TOKEN
    0
    TOKEN
    paid-trainings<<TOKEN
    1
    TOKEN
    blocked<<TOKEN
    2
    TOKEN
    has-changes<<TOKEN
    true
    TOKEN
    "#);
    assert_snapshot!(github_commands(&report, "", &roots(), "TOKEN"), @r#"
    ::stop-commands::TOKEN
    Done, with trouble: 1 created, 0 updated, 1 in doubt, 1 failed, 1 still in training, 2 blocked.
    ::TOKEN::
    ::error file=faces/jan.yaml,line=91,col=1,title=jan%3A in doubt::jan: nobody knows whether its training began; run `facectl recover`. Nothing is sent again until it is known
    ::error file=faces/hal.yaml,line=71,col=1,title=hal%3A failed::hal: no <consent> | statement
    ::warning file=faces/hal.yaml,line=71,col=1,title=hal%3A blocked::hal: its training failed: the video has no consent statement%0Ahelp: change the source (or raise training_version) to train from other material, or run `facectl apply --retry hal`
    "#);
}

#[test]
fn drift_is_a_row_for_each_change_by_somebody_else() {
    let mut world = World::agreeing().face("ana").face("bea").face("cho");
    world.live("ana").name = Some("Ana | @everyone".to_owned());
    world.vanish("bea");
    let drift = DriftReport::of(&world.recorded, &world.observed);
    let compared = world.recorded.faces.keys().cloned().collect();
    let drifted = Drifted { report: &drift, compared, unseen: Vec::new(), changed: &[], desired: &world.desired };
    let report = report("drift", &world.desired.project, Body::Drift(drifted));
    assert_snapshot!(markdown(&report, MARKDOWN_LIMIT), @r#"
    ### facectl drift: `acme`

    **2 of 3 recorded faces drifted.**

    |  | Face | What somebody else changed | Declared at |
    |---|---|---|---|
    | `≠` | `ana` | renamed by hand: "Ana" was applied, "Ana \| \@&#8203;everyone" is live | `faces/ana.yaml:1:1` |
    | `≠` | `bea` | missing: it was there, and a complete listing does not show it | `faces/bea.yaml:11:1` |

    `facectl plan` shows what an apply would put back, and what it would cost.

    <sub>facectl 0.1.0</sub>
    "#);
    assert_snapshot!(junit(&report, &roots()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="facectl drift" tests="3" skipped="0" failures="2" errors="0">
        <testsuite name="acme" tests="3" skipped="0" errors="0" failures="2">
            <testcase name="ana" classname="facectl">
                <failure message="renamed by hand: &quot;Ana&quot; was applied, &quot;Ana | @everyone&quot; is live" type="drift">renamed by hand: &quot;Ana&quot; was applied, &quot;Ana | @everyone&quot; is live
    at faces/ana.yaml</failure>
            </testcase>
            <testcase name="bea" classname="facectl">
                <failure message="missing: it was there, and a complete listing does not show it" type="drift">missing: it was there, and a complete listing does not show it
    at faces/bea.yaml</failure>
            </testcase>
            <testcase name="cho" classname="facectl"/>
        </testsuite>
    </testsuites>
    "#);
}
