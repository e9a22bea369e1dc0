//! Drift: what somebody else did, told apart from what the manifests changed.

use std::fmt::Write;

use crate::face::{Coverage, FaceKey, told_apart};
use crate::plan::{Drift, DriftReport};

use super::Paint;
use super::words::count;

/// Returns one drift in words.
pub(super) fn described(drift: &Drift) -> String {
    match drift {
        Drift::Missing => "missing: it was there, and a complete listing does not show it".to_owned(),
        Drift::Renamed { recorded, live } => {
            let (recorded, live) = told_apart(recorded, live);
            format!("renamed by hand: {recorded} was applied, {live} is live")
        }
        Drift::VoiceChanged { recorded, live } => {
            let live = live.as_ref().map_or("none", |voice| voice.as_str());
            format!("voice changed: {recorded} was applied, {live} is live")
        }
        Drift::ModelDiffers { recorded, live } => format!("model differs: created for {recorded}, {live} is live"),
        Drift::Failed(Some(error)) => format!("failed: {error}"),
        Drift::Failed(None) => "failed, and the API does not say why".to_owned(),
        Drift::TuningFailed => "tuning failed: it stays a preview with a watermark".to_owned(),
    }
}

/// Returns a drift report as text. `changed` are the faces whose manifest changed, which is not drift.
pub fn drift_text(report: &DriftReport, changed: &[FaceKey], paint: Paint) -> String {
    let mut text = String::new();
    for (key, drifts) in &report.faces {
        let _ = writeln!(text, "{} {}", paint.yellow("≠"), paint.bold(key.as_str()));
        for drift in drifts {
            let _ = writeln!(text, "    {}", paint.wrap(&described(drift), 6));
        }
    }
    if !report.faces.is_empty() {
        text.push('\n');
    }
    match &report.coverage {
        Coverage::Complete if report.faces.is_empty() => {
            let _ =
                writeln!(text, "{} {} compared.", paint.green("No drift."), count(report.compared, "recorded face"));
        }
        Coverage::Complete => counted(&mut text, report),
        Coverage::Partial(why) => {
            if !report.faces.is_empty() {
                counted(&mut text, report);
            }
            let line = format!("the listing was not complete ({why}), so no face is called missing.");
            let _ = writeln!(text, "{} {}", paint.yellow("warning:"), paint.wrap(&line, 9));
        }
    }
    if !changed.is_empty() {
        let keys: Vec<&str> = changed.iter().map(FaceKey::as_str).collect();
        let line = format!("Not drift but changed in the manifests: {} (see `facectl plan`).", keys.join(", "));
        let _ = writeln!(text, "{}", paint.wrap(&line, 0));
    }
    if report.left_out > 0 {
        let line = format!("{} not selected, of which nothing is said.", count(report.left_out, "recorded face"));
        let _ = writeln!(text, "{}", paint.yellow(&line));
    }
    if report.foreign > 0 {
        let line = format!(
            "{} of the account {} not in the record.",
            count(report.foreign, "live face"),
            if report.foreign == 1 { "is" } else { "are" }
        );
        let _ = writeln!(text, "{}", paint.dim(&line));
    }
    text
}

fn counted(text: &mut String, report: &DriftReport) {
    let _ = writeln!(text, "{} of {} drifted.", report.faces.len(), count(report.compared, "recorded face"));
}
