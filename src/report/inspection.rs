//! What one piece of training material is, as a table.

use std::fmt::Write;

use crate::face::{Model, Severity, TrainingSource};
use crate::media::{Facts, Inspection};
use crate::text::visible;

use super::Paint;

/// Returns what material is as text: a table of what was seen, then what is wrong with it.
pub fn inspection_text(source: &TrainingSource, model: Model, inspection: &Inspection, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&source.shown()));
    let rows = rows(inspection);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    for (name, value) in rows {
        let value = visible(&value);
        let _ = writeln!(text, "  {} {value}", paint.dim(&format!("{:<width$}", format!("{name}:"))));
    }
    for finding in &inspection.findings {
        let (head, painted) = match finding.severity {
            Severity::Error => ("error:", paint.red("error:")),
            Severity::Advice => ("advice:", paint.yellow("advice:")),
        };
        let line = paint.wrap_behind(&format!("  {head}"), &finding.line(), 4);
        let _ = writeln!(text, "  {painted}{line}");
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "    {} {}", paint.cyan("help:"), paint.wrap(help, 10));
        }
    }
    let _ = writeln!(text, "{}", verdict(model, inspection, paint));
    text
}

fn verdict(model: Model, inspection: &Inspection, paint: Paint) -> String {
    let errors = inspection.findings.iter().filter(|finding| finding.is_error()).count();
    match (errors, inspection.findings.len()) {
        (0, 0) => paint.green(&format!("Nothing speaks against training {model} from it.")),
        (0, _) => paint.green(&format!("Nothing stops a training of {model} from it.")),
        _ => paint.red(&format!("A training of {model} from it would fail, or could not begin.")),
    }
}

fn rows(inspection: &Inspection) -> Vec<(&'static str, String)> {
    // In full, so that a new field cannot be forgotten here.
    let Inspection { facts, kind, content_type, holds_until, revision, findings: _ } = inspection;
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    if let Some(facts) = facts {
        rows.extend(fact_rows(facts));
    }
    rows.extend(kind.map(|kind| ("used as", kind.to_string())));
    rows.extend(content_type.clone().map(|name| ("server calls it", name)));
    rows.extend(holds_until.map(|end| ("link holds until", format!("{end:.0}"))));
    rows.extend(revision.as_ref().map(|revision| ("revision", revision.to_string())));
    rows
}

fn fact_rows(facts: &Facts) -> Vec<(&'static str, String)> {
    let Facts {
        container,
        length,
        duration,
        width,
        height,
        rotation_degrees,
        frame_rate,
        video_codec,
        audio_codec,
        has_video,
        has_audio,
        is_fragmented,
        has_index_first,
        page,
        // Told as a finding.
        flaw: _,
    } = facts;
    let unknown = || "unknown".to_owned();
    let track = |codec: Option<String>, is_there: Option<bool>| match (codec, is_there) {
        (Some(codec), _) => codec,
        (None, Some(false)) => "none".to_owned(),
        (None, _) => unknown(),
    };
    let is_moving = container.is_video();
    let mut rows = vec![("file", container.to_string())];
    rows.push(("size", length.map_or_else(unknown, size)));
    if let (Some(width), Some(height)) = (width, height) {
        let turned = match rotation_degrees {
            Some(0) | None => String::new(),
            Some(degrees) => format!(", turned by {degrees} degrees"),
        };
        rows.push(("picture", format!("{width} x {height}{turned}")));
    }
    if is_moving {
        rows.push(("duration", duration.map_or_else(unknown, |time| format!("{:.1} s", time.as_secs_f64()))));
        rows.push(("frame rate", frame_rate.map_or_else(unknown, |rate| format!("{rate:.2} fps"))));
        rows.push(("video", track(video_codec.as_ref().map(ToString::to_string), *has_video)));
        rows.push(("audio", track(audio_codec.as_ref().map(ToString::to_string), *has_audio)));
        if *is_fragmented == Some(true) {
            rows.push(("layout", "in fragments".to_owned()));
        } else if let Some(is_first) = has_index_first {
            rows.push(("index", if *is_first { "in front" } else { "at the end" }.to_owned()));
        }
    }
    rows.extend(page.clone().map(|page| ("says", page)));
    rows
}

/// Returns a size as people read it: `812.4 MB`, `31 kB`, `512 bytes`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
