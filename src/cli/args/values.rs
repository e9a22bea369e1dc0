//! Values on the command line that are more than words.

use std::time::Duration;

use crate::face::{Model, Naming};

pub(super) fn parse_naming(text: &str) -> Result<Naming, String> {
    match text {
        "clean" => Ok(Naming::Clean),
        "marker" => Ok(Naming::Marker),
        _ => Err("it is `clean` or `marker`".to_owned()),
    }
}

pub(super) fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 1e6 => Ok(speed),
        _ => Err("a number above 0, up to 1000000".to_owned()),
    }
}

/// Reads `90s`, `5h30m`, `2 minutes`, `PT1H`, `7d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration such as 90s, 10m, 5h30m or 7d".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| "a duration that is not negative".to_owned())
}

/// Reads a duration that has to be one: without a settle window a lost answer would prove nothing.
pub(super) fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        duration if duration.is_zero() => Err("a duration longer than 0s".to_owned()),
        duration => Ok(duration),
    }
}

/// Reads the name of a model.
pub fn parse_model(text: &str) -> Result<Model, String> {
    let all = Model::ALL.map(Model::as_str).join(", ");
    Model::ALL.into_iter().find(|model| model.as_str() == text).ok_or_else(|| format!("it is one of {all}"))
}
