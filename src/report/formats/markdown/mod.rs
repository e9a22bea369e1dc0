//! Markdown as GitHub and GitLab show it: a comment on a pull request, or the summary of a step.
//!
//! What decides stands first: the numbers and the cost, then what stops the plan and what to do about it, then a line
//! for each face, then the fields of each behind a fold. Where it has to be cut, the folds go first, then lines of faces;
//! the numbers never go.

mod plan;
mod problems;
mod run;

use crate::state::Provenance;

use super::escape::{code, link, plain_words, prose};
use super::page::{List, Part, fitted};
use super::{Body, Report, headline};

/// The longest comment, in bytes: GitHub takes 65,536 characters, and what posts it may add a line of its own.
pub const MARKDOWN_LIMIT: usize = 65_000;

/// Returns the result as markdown, in no more than `limit` bytes, so also in no more characters.
pub fn markdown(report: &Report<'_>, limit: usize) -> String {
    let mut parts = vec![Part::Whole(head(report))];
    match &report.body {
        Body::Sound(sound) => parts.extend(problems::of_sound(sound)),
        Body::Rejected(rejection) => parts.extend(problems::of_rejection(rejection)),
        Body::Plan(planned) => parts.extend(plan::parts(planned, report.is_rehearsal)),
        Body::Run(ran) => parts.extend(run::of_run(ran)),
        Body::Status(standing) => parts.extend(run::of_status(standing)),
        Body::Drift(drifted) => parts.extend(run::of_drift(drifted)),
        Body::Failure(failure) => parts.extend(problems::of_failure(failure)),
    }
    parts.push(Part::Whole(foot(report)));
    fitted(&parts, limit)
}

/// Digits of a commit that people read; git shows about as many.
const SHORT: usize = 12;

fn head(report: &Report<'_>) -> String {
    let project = report.project.map_or_else(String::new, |project| format!(": {}", code(project.as_str())));
    let sandbox = if report.is_rehearsal { ", a rehearsal" } else { "" };
    let mut head = format!("### facectl {}{project}{sandbox}\n\n", plain_words(report.command));
    if report.is_rehearsal {
        head.push_str(
            "> [!NOTE]\n> In the sandbox: no key, no network, no money. The real faces were not looked at.\n\n",
        );
    }
    // The plan has a cost of its own to say, in bold.
    if !matches!(report.body, Body::Plan(_)) {
        head.push_str(&format!("**{}**\n\n", plain_words(&headline(report))));
    }
    head
}

fn foot(report: &Report<'_>) -> String {
    let mut pieces = Vec::new();
    // In full, so that a new field cannot be forgotten here.
    let Provenance { run: _, by, commit, branch, dirty, run_url } = report.provenance.cloned().unwrap_or_default();
    if let Some(commit) = commit {
        let changes = if dirty == Some(true) { " with changes that are not committed" } else { "" };
        pieces.push(format!("commit {}{changes}", code(&commit.chars().take(SHORT).collect::<String>())));
    }
    if let Some(branch) = branch {
        pieces.push(format!("branch {}", code(&branch)));
    }
    if let Some(by) = by {
        // The address is in the commit; in a comment it would be there for all to collect.
        pieces.push(format!("by {}", code(by.split(" <").next().unwrap_or(&by))));
    }
    if let Some(url) = run_url {
        pieces.push(link("run", &url));
    }
    match report.exit {
        0 => {}
        // It has no meaning but that something failed, which was said.
        1 => pieces.push("exit code 1".to_owned()),
        exit => pieces.push(format!("exit code {exit}: {}", prose(report.exit_means))),
    }
    pieces.push(format!("facectl {}", env!("CARGO_PKG_VERSION")));
    format!("<sub>{}</sub>\n", pieces.join(" · "))
}

/// What a box says, and how loud.
#[derive(Debug, Clone, Copy)]
enum Loud {
    Caution,
    Warning,
    Note,
}

/// Returns a box with lines that are markdown already. Where a forge knows no such boxes it is a quotation.
fn boxed(loud: Loud, lines: &[String]) -> String {
    let word = match loud {
        Loud::Caution => "CAUTION",
        Loud::Warning => "WARNING",
        Loud::Note => "NOTE",
    };
    let quoted: Vec<String> = lines.iter().map(|line| format!("{}\n", format!("> {line}").trim_end())).collect();
    format!("> [!{word}]\n{}\n", quoted.concat())
}

/// Lines in a box of which the last may be left out.
fn boxed_list(loud: Loud, title: &str, lines: Vec<String>, rank: u8) -> Part {
    let number = lines.len();
    let first = boxed(loud, &[format!("**{title}**"), String::new()]);
    let head = first.trim_end_matches('\n').to_owned() + "\n";
    let title = title.to_owned();
    let left_out = move |kept: usize| match kept {
        0 => format!("{number}: {title}. There is no room for them here: the log of the run has them.\n\n"),
        kept => format!("> - and {} more: the log of the run has them\n", number - kept),
    };
    let lines = lines.into_iter().map(|line| format!("> - {line}\n")).collect();
    Part::List(List { head, lines, tail: "\n".to_owned(), rank, left_out: Box::new(left_out) })
}

/// A table of which the last rows may be left out.
fn table(columns: &[&str], rows: Vec<Vec<String>>, rank: u8, left_out: Box<dyn Fn(usize) -> String>) -> Part {
    let rule: Vec<&str> = columns.iter().map(|_| "---").collect();
    let head = format!("| {} |\n|{}|\n", columns.join(" | "), rule.join("|"));
    let lines = rows.into_iter().map(|cells| format!("| {} |\n", cells.join(" | "))).collect();
    Part::List(List { head, lines, tail: "\n".to_owned(), rank, left_out })
}

/// Something that is folded away. The title is markdown of no more than a line; the body is whole blocks.
fn fold(title: &str, body: &str) -> String {
    // The empty line behind the title makes the body markdown again.
    format!("<details><summary>{title}</summary>\n\n{}\n\n</details>\n\n", body.trim_end_matches('\n'))
}
