//! What was found about training material, in sentences.

use std::collections::BTreeSet;

use crate::face::{Check, Finding};
use crate::plan::SourceChange;

/// Returns why a training is not paid for, on one line.
pub(super) fn findings_text(findings: &[Finding]) -> String {
    findings.iter().map(Finding::line).collect::<Vec<_>>().join("; ")
}

/// Returns what to do about findings that stop a training.
pub(super) fn findings_help(findings: &[Finding]) -> String {
    let mut help: Vec<String> = Vec::new();
    for text in findings.iter().filter_map(|finding| finding.help.clone()) {
        if !help.contains(&text) {
            help.push(text);
        }
    }
    help.extend(skip_help(findings));
    help.join("; ")
}

/// Returns how to go on all the same, where that is possible at all.
pub(super) fn skip_help(findings: &[Finding]) -> Option<String> {
    let checks: BTreeSet<Check> = findings.iter().map(|finding| finding.check).collect();
    // Without its source nothing can be sent.
    let words: Vec<&str> = checks.iter().map(|check| check.word()).collect();
    (!checks.contains(&Check::Source))
        .then(|| format!("if you know better, `--skip-preflight={}` does not ask that", words.join(",")))
}

/// Returns how an object changed under a face, and what to do about it.
pub(super) fn source_change_text(change: &SourceChange) -> String {
    let SourceChange { source, before, after } = change;
    format!(
        "{source} is another object now ({after}) than the face was trained from ({before}); nothing is trained by that: raise training_version, or set lifecycle.on_source_change: retrain"
    )
}

/// Returns what is not asked of material, and that this was somebody's wish.
pub(super) fn skipped_text(skipped: &BTreeSet<Check>) -> String {
    match skipped.len() == Check::ALL.len() {
        true => "training material is not looked at before it is paid for (--skip-preflight).".to_owned(),
        false => {
            let words: Vec<&str> = skipped.iter().map(|check| check.word()).collect();
            format!("not asked of training material before it is paid for (--skip-preflight): {}.", words.join(", "))
        }
    }
}
