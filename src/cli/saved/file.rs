//! The file: told apart from a manifest, read with suspicion, written whole or not at all.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::files::{self, Mode};

use super::super::Exit;
use super::super::error::CliError;
use super::{FORMAT_VERSION, KIND, SavedPlan};

/// The largest file that is read: a plan of ten thousand faces has some 30 MB.
const FILE_LIMIT: u64 = 512 << 20;

/// The whole file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "A plan that `facectl plan --out FILE` saved")]
pub struct Sealed<'a> {
    #[serde(flatten)]
    plan: &'a SavedPlan,
    /// A hash over all of it, but for this.
    seal: String,
}

impl SavedPlan {
    /// Reads the saved plan that a command line names; none where it names manifests.
    ///
    /// # Errors
    /// When it is a saved plan that cannot be used, or one beside other paths.
    pub fn named(paths: &[String]) -> Result<Option<Self>, CliError> {
        let Some(path) = paths.iter().find(|path| is_plan_file(Path::new(path))) else { return Ok(None) };
        if paths.len() > 1 {
            return Err(CliError::new(format!(
                "{path} is a saved plan, and stands alone: it knows its manifests; nothing was changed"
            )));
        }
        Self::read(Path::new(path)).map(Some)
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// When it is none, is of another form, or was changed after it was written.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let shown = path.display();
        let text = text_of(path).map_err(|error| CliError::caused(format!("cannot read {shown}"), &error))?;
        let Some(mut value) = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            let error = match is_plan_file(path) {
                true => {
                    CliError::new(format!("{shown} is a damaged plan: it cannot be read to its end")).exit(Exit::UNSAFE)
                }
                false => CliError::new(format!("{shown} is not a saved plan")),
            };
            return Err(error.hint("`facectl plan --out FILE` saves one"));
        };
        if value["kind"] != KIND {
            return Err(
                CliError::new(format!("{shown} is not a saved plan")).hint("`facectl plan --out FILE` saves one")
            );
        }
        if value["format_version"] != FORMAT_VERSION {
            let found = &value["format_version"];
            return Err(CliError::new(format!(
                "{shown} has format {found}, and this facectl reads format {FORMAT_VERSION}; nothing was changed"
            ))
            .hint("make a new plan")
            .exit(Exit::UNSAFE));
        }
        let seal = value.as_object_mut().and_then(|object| object.shift_remove("seal"));
        if seal.as_ref().and_then(Value::as_str) != Some(seal_of(&value).as_str()) {
            return Err(CliError::new(format!(
                "{shown} was changed after it was written, so nobody knows what was approved; nothing was changed"
            ))
            .hint("make a new plan")
            .exit(Exit::UNSAFE));
        }
        serde_json::from_value(value)
            .map_err(|error| CliError::caused(format!("cannot read the plan {shown}"), &error).exit(Exit::UNSAFE))
    }

    /// Writes it, for nobody else to read: names and links of faces are nobody's business.
    ///
    /// # Errors
    /// When it cannot be written, or something else than a plan is there.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        check_target(path)?;
        let failed = |error: &dyn std::error::Error| {
            CliError::caused(format!("cannot save the plan as {}; nothing was saved", path.display()), error)
        };
        let seal = seal_of(&serde_json::to_value(self).map_err(|error| failed(&error))?);
        let text = serde_json::to_string_pretty(&Sealed { plan: self, seal }).map_err(|error| failed(&error))? + "\n";
        files::replace(path, text.as_bytes(), Mode::Private).map_err(|error| failed(&error))
    }
}

/// Checks that a plan may be saved there: nothing but another plan is ever overwritten.
///
/// # Errors
/// When something else is there.
pub fn check_target(path: &Path) -> Result<(), CliError> {
    if std::fs::symlink_metadata(path).is_err() || is_plan_file(path) {
        return Ok(());
    }
    Err(CliError::new(format!("{} is there, and is not a saved plan; it is left as it is", path.display()))
        .hint("give --out another name"))
}

/// Returns whether a file calls itself a saved plan, damaged or not.
pub fn is_plan_file(path: &Path) -> bool {
    // Thousands of manifests may be named: of most of them the first letter says that they are none.
    let is_manifest = || {
        let mut first = [0];
        std::fs::metadata(path).is_ok_and(|about| !about.is_file())
            || std::fs::File::open(path).is_ok_and(|mut file| {
                std::io::Read::read(&mut file, &mut first).is_ok_and(|read| read > 0)
                    && !b"{ \t\r\n".contains(&first[0])
            })
    };
    if is_manifest() {
        return false;
    }
    let text = text_of(path).ok().flatten();
    text.is_some_and(|text| text.trim_start().starts_with('{') && text.contains(&format!("\"{KIND}\"")))
}

/// Returns the text of a regular file; none where it is no text, or too large to be a plan.
fn text_of(path: &Path) -> std::io::Result<Option<String>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() || about.len() > FILE_LIMIT {
        return Ok(None);
    }
    Ok(String::from_utf8(std::fs::read(path)?).ok())
}

/// Returns the seal of a plan without one. However it is laid out: only what it says counts.
fn seal_of(value: &Value) -> String {
    blake3::Hasher::new_derive_key("facectl 2026-11 saved plan")
        .update(value.to_string().as_bytes())
        .finalize()
        .to_hex()
        .to_string()
}
