//! Every form of every result; and what nobody from outside can do to them.

mod hostile;
mod looks;

use jiff::Timestamp;

use super::super::tests::everything;
use super::*;
use crate::plan::Plan;
use crate::plan::tests::world::noon;

fn context() -> Provenance {
    Provenance {
        by: Some("Ana Example <ana@example.com>".to_owned()),
        commit: Some("3b4df28d3c0f5a6b7c8d9e0f1a2b3c4d5e6f7a8b".to_owned()),
        dirty: Some(true),
        branch: Some("add-ana".to_owned()),
        run_url: Some("https://ci.example.com/runs/7".to_owned()),
        ..Provenance::default()
    }
}

fn report<'a>(command: &'a str, project: &'a ProjectName, body: Body<'a>) -> Report<'a> {
    Report {
        command,
        project: Some(project),
        provenance: None,
        is_rehearsal: false,
        exit: 0,
        exit_means: "success, or no changes",
        body,
    }
}

fn planned(plan: &Plan) -> Report<'_> {
    let now: Timestamp = noon();
    report("plan", &plan.project, Body::Plan(Planned { plan, now, notes: Vec::new() }))
}

fn roots() -> Roots {
    Roots { current: "/work/repo".into(), repository: "/work/repo".into() }
}

#[test]
fn what_was_found_about_material_is_told_in_every_form() {
    let plan = super::super::tests::material::found().plan();
    let report = planned(&plan);
    for (form, text) in [
        ("markdown", markdown(&report, MARKDOWN_LIMIT)),
        ("junit", junit(&report, &roots())),
        ("github", github_commands(&report, "", &roots(), "token")),
        ("json", crate::report::plan_json(&plan, noon(), None).to_string()),
    ] {
        for wanted in ["812 MB", "24 pictures a second", "two", "acme-media/cho.mp4"] {
            assert!(text.contains(wanted), "{form} says nothing of `{wanted}`: {text}");
        }
    }
    // Whoever approves by digest must ask the same questions.
    assert!(markdown(&report, MARKDOWN_LIMIT).contains("--skip-preflight=stable"));
}
