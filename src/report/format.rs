//! What `fmt` did, or would do.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::manifest::format::{Fate, Formatted, FormattedFile};
use crate::manifest::{Severity, to_json};
use crate::text::{clean_lines, redact_links, visible};

use super::Paint;
use super::diff::unified;

/// Returns the names of the files that changed, one a line, or their diffs.
pub fn format_text(formatted: &Formatted, is_diff: bool, paint: Paint) -> String {
    let mut text = String::new();
    for FormattedFile { name, fate } in &formatted.files {
        match fate {
            Fate::Changed { before, after } if is_diff => text.push_str(&diff(name, before, after, paint)),
            Fate::Changed { .. } => {
                let _ = writeln!(text, "{}", visible(name));
            }
            Fate::Unchanged { .. } | Fate::LeftAlone { .. } | Fate::Failed => {}
        }
    }
    text
}

/// Returns how it went, in one sentence or two.
pub fn format_summary(formatted: &Formatted, is_check: bool) -> String {
    let count = |wanted: fn(&Fate) -> bool| formatted.files.iter().filter(|file| wanted(&file.fate)).count();
    let changed = count(|fate| matches!(fate, Fate::Changed { .. }));
    let failed = count(|fate| matches!(fate, Fate::Failed));
    let ours = changed + failed + count(|fate| matches!(fate, Fate::Unchanged { .. }));
    let files = |number: usize| if number == 1 { "1 file".to_owned() } else { format!("{number} files") };
    let mut text = match (changed, failed, ours) {
        (0, 0, 0) => "There is nothing to lay out.".to_owned(),
        (0, 0, all) => format!("Nothing to do: {} laid out already.", files(all)),
        (0, _, all) => format!("Nothing was laid out of {}.", files(all)),
        (changed, _, all) if is_check => {
            format!("{changed} of {} to be laid out: run `facectl fmt`.", files(all))
        }
        (changed, _, all) => format!("Laid out {changed} of {}.", files(all)),
    };
    match failed {
        0 => {}
        1 => text.push_str(" 1 was left as it is, see above."),
        failed => {
            let _ = write!(text, " {failed} were left as they are, see above.");
        }
    }
    text
}

/// Returns the whole for programs.
pub fn format_json(formatted: &Formatted, is_check: bool, is_diff: bool) -> Value {
    let file = |FormattedFile { name, fate }: &FormattedFile| {
        let action = match fate {
            Fate::Unchanged { .. } => "unchanged",
            Fate::Changed { .. } if is_check => "needs_formatting",
            Fate::Changed { .. } => "formatted",
            Fate::LeftAlone { .. } => "left_alone",
            Fate::Failed => "failed",
        };
        let mut object = json!({ "file": **name, "action": action });
        if let Fate::Changed { before, after } = fate
            && is_diff
        {
            object["unified"] = diff(name, before, after, Paint::plain()).into();
        }
        // What came on standard input has no file to be read from afterwards.
        if &**name == "-"
            && let Some(text) = fate.text()
        {
            object["text"] = text.into();
        }
        object
    };
    json!({
        "format_version": "1.0",
        "check": is_check,
        "valid": formatted.diagnostics.iter().all(|one| one.severity != Severity::Error),
        "files": formatted.files.iter().map(file).collect::<Vec<_>>(),
        "diagnostics": to_json(&formatted.diagnostics),
    })
}

fn diff(name: &str, before: &str, after: &str, paint: Paint) -> String {
    let mut text = String::new();
    let name = visible(name);
    let (head, foot) = (format!("--- {name}"), format!("+++ {name} (laid out)"));
    let (before, after) = (redact_links(before), redact_links(after));
    // Line ends that stay as they are need not be shown on every line.
    let is_crlf = |text: &str| text.matches('\n').count() == text.matches("\r\n").count();
    let (before, after) = match is_crlf(&before) && is_crlf(&after) {
        true => (before.replace('\r', ""), after.replace('\r', "")),
        false => (before, after),
    };
    unified(&mut text, (&head, &marked(&before)), (&foot, &marked(&after)), paint);
    text
}

/// Marks and line ends that no terminal shows: of a difference in them the rest of a diff would say nothing.
fn marked(text: &str) -> String {
    clean_lines(&text.replace('\u{FEFF}', "<BOM>").replace('\r', "<CR>"))
}
